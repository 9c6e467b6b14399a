//! What leases' advances came to: what was billed once, what of it was taken back, and what was credited.

use std::collections::HashMap;

use kernel::{CivilDate, Error, LeaseId, OperatorId};
use postgres::store_error;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::lease::LeaseSpan;
use super::rows::{parse, statement};
use crate::domain::advance::Advanced;
use crate::domain::charge_type::ChargeType;

#[derive(FromQueryResult)]
struct Row {
    lease_id: String,
    charge_type: String,
    period_start: CivilDate,
    revision: i32,
    amount_minor: i64,
    credited_minor: i64,
}

/// The advances of an operator's leases of a span; leases without any are left out.
pub async fn of_span(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (first, last): LeaseSpan<'_>,
) -> Result<HashMap<LeaseId, Advanced>, Error> {
    let sql = "select l.lease_id, l.charge_type, l.period_start, max(l.revision) as revision, \
                      sum(l.amount_minor)::bigint as amount_minor, \
                      coalesce(sum(c.minor), 0)::bigint as credited_minor \
               from billing.invoice_line l left join lateral ( \
                    select sum(c.amount_minor) as minor from billing.credit_note_line c \
                    where c.operator_id = l.operator_id and c.invoice_id = l.invoice_id \
                      and c.line_number = l.line_number) c on true \
               where l.operator_id = $1 and l.lease_id between $2 and $3 and l.live and l.site_id is null \
                 and l.charge_type in ('PREPAYMENT', 'DEPOSIT', 'TERMINATION_FEE', 'PREPAYMENT_DRAW') \
               group by l.lease_id, l.charge_type, l.period_start";
    let values = [operator.as_str().into(), first.as_str().into(), last.as_str().into()];
    let rows = Row::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let mut all: HashMap<LeaseId, Advanced> = HashMap::new();
    for row in rows {
        let advanced = all.entry(parse("lease_id", &row.lease_id)?).or_default();
        match parse("charge_type", &row.charge_type)? {
            ChargeType::PrepaymentDraw => {
                // What was credited is negative, and so is what of it was taken back.
                let drawn = row.credited_minor - row.amount_minor;
                advanced.drawn.insert(row.period_start, (drawn, row.revision));
            }
            charge_type => {
                let once = advanced.once.entry(charge_type).or_default();
                once.minor += row.amount_minor;
                once.credited_minor += row.credited_minor;
                once.revision = once.revision.max(Some(row.revision));
            }
        }
    }
    Ok(all)
}
