//! What the ledger says of each lease on a day: owed, of that the fee for ending early, and held.

use std::collections::HashMap;

use kernel::{CivilDate, Error, LeaseId, OperatorId};
use postgres::store_error;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::rows::{parse, statement};
use crate::domain::exposure::{Booked, DrawnMinor};

#[derive(FromQueryResult)]
struct Row {
    lease_id: String,
    open_minor: i64,
    fee_minor: i64,
    deposit_minor: i64,
}

/// By lease, by postings up to and with a day. A lease is billed in one currency.
pub async fn booked(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    as_of: CivilDate,
) -> Result<HashMap<LeaseId, Booked>, Error> {
    let sql = "select i.lease_id, \
                      coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'accounts_receivable'), 0)::bigint \
                          as open_minor, \
                      coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'accounts_receivable' \
                          and i.kind = 'TERMINATION_FEE'), 0)::bigint as fee_minor, \
                      coalesce(sum(-e.amount_minor) filter (where e.ledger_account = 'deposits'), 0)::bigint \
                          as deposit_minor \
               from billing.ledger_entry e \
               join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               join billing.invoice i on i.operator_id = t.operator_id and i.invoice_id = t.invoice_id \
               where e.operator_id = $1 and e.ledger_account in ('accounts_receivable', 'deposits') \
                 and t.posting_date <= $2 \
               group by i.lease_id";
    let values = [operator.as_str().into(), as_of.into()];
    let rows = Row::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    rows.into_iter()
        .map(|row| {
            let Row { open_minor, fee_minor, deposit_minor, .. } = row;
            Ok((parse("lease_id", &row.lease_id)?, Booked { open_minor, fee_minor, deposit_minor }))
        })
        .collect()
}

#[derive(FromQueryResult)]
struct DrawnRow {
    lease_id: String,
    credit_support_id: String,
    minor: i64,
}

/// What was paid under the promises of leases up to and with a day, less what was sent back by then.
pub async fn drawn(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    as_of: CivilDate,
) -> Result<HashMap<LeaseId, DrawnMinor>, Error> {
    let sql = "select p.lease_id, p.credit_support_id, sum(p.amount_minor - coalesce(( \
                      select sum(f.amount_minor) from billing.payment_refund f \
                      where f.operator_id = p.operator_id and f.payment_id = p.payment_id \
                        and (f.create_time at time zone 'utc')::date <= $2), 0))::bigint as minor \
               from billing.payment p \
               where p.operator_id = $1 and p.lease_id is not null and p.value_date <= $2 \
               group by p.lease_id, p.credit_support_id";
    let values = [operator.as_str().into(), as_of.into()];
    let rows = DrawnRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let mut all: HashMap<LeaseId, DrawnMinor> = HashMap::new();
    for row in rows {
        let of = all.entry(parse("lease_id", &row.lease_id)?).or_default();
        of.insert(row.credit_support_id, row.minor);
    }
    Ok(all)
}
