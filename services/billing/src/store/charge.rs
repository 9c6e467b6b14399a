//! What was billed of blocks' rent, month by month.

use std::collections::HashMap;

use kernel::{CivilDate, DateRange, Error, LeaseId, OperatorId, YearMonth};
use postgres::store_error;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::lease::LeaseSpan;
use super::rows::{parse, statement};
use crate::domain::charge::ChargeKey;
use crate::domain::charge_type::ChargeType;
use crate::domain::lease::BlockRef;
use crate::domain::rent_difference::{RentBilled, RentMonths};

#[derive(FromQueryResult)]
struct Row {
    lease_id: String,
    site_id: String,
    block_id: String,
    month: CivilDate,
    first_minor: i64,
    minor: i64,
    credited_minor: i64,
    revision: Option<i32>,
    version: i64,
}

/// Rent that invoices which are not void have: of the leases from one to another, both inclusive, of the months that begin in `days`,
/// or of all. Lines that may be billed again are left out.
pub async fn rent_billed(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (first, last): LeaseSpan<'_>,
    days: Option<DateRange>,
) -> Result<HashMap<LeaseId, RentMonths>, Error> {
    let sql = "select l.lease_id, l.site_id, l.block_id, date_trunc('month', l.period_start)::date as month, \
                      coalesce(sum(l.amount_minor) filter (where l.reckoning_id is null), 0)::bigint as first_minor, \
                      sum(l.amount_minor)::bigint as minor, \
                      coalesce(sum(c.minor), 0)::bigint as credited_minor, \
                      max(l.revision) filter (where l.reckoning_id is not null) as revision, \
                      min(l.lease_version) as version \
               from billing.invoice_line l \
               left join (select n.invoice_id, n.line_number, sum(n.amount_minor) as minor from billing.invoice i \
                          join billing.credit_note_line n on n.operator_id = $1 and n.invoice_id = i.invoice_id \
                          where i.operator_id = $1 and i.lease_id between $2 and $3 \
                          group by n.invoice_id, n.line_number) c \
                    on c.invoice_id = l.invoice_id and c.line_number = l.line_number \
               where l.operator_id = $1 and l.lease_id between $2 and $3 and l.live and l.charge_type = 'BASE_RENT' \
                 and ($4::date is null or l.period_start >= $4) and ($5::date is null or l.period_start < $5) \
               group by l.lease_id, l.site_id, l.block_id, date_trunc('month', l.period_start)";
    let values = [
        operator.as_str().into(),
        first.as_str().into(),
        last.as_str().into(),
        days.map(|days| days.start()).into(),
        days.map(|days| days.end()).into(),
    ];
    let rows = Row::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let mut all: HashMap<LeaseId, RentMonths> = HashMap::new();
    for row in rows {
        let key = ChargeKey {
            place: BlockRef {
                site: parse("site_id", &row.site_id)?,
                block: parse("block_id", &row.block_id)?,
            },
            charge_type: ChargeType::BaseRent,
            month: YearMonth::of(row.month),
        };
        let Row { first_minor, minor, credited_minor, revision, version, .. } = row;
        let billed = RentBilled { first_minor, minor, credited_minor, revision, version };
        all.entry(parse("lease_id", &row.lease_id)?).or_default().insert(key, billed);
    }
    Ok(all)
}
