//! What moved on the liabilities to tenants, and on the asset that commissions are, lease by lease.

use kernel::{DateRange, Error, OperatorId};
use postgres::store_error;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::rows::{broken, money, parse, statement};
use crate::domain::roll_forward::{AdvanceRow, CommissionRow};

#[derive(FromQueryResult)]
struct Row {
    lease_id: String,
    tenant_id: String,
    ledger_account: String,
    currency_code: String,
    opening_minor: i64,
    billed_minor: i64,
    credited_minor: i64,
    returned_minor: i64,
}

/// Prepayments and deposits of an operator over some days, in order of lease. What an invoice takes from a liability is a
/// credit against rent; what takes it back by its void or a credit note, undoes that.
pub async fn advances(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    days: DateRange,
) -> Result<Vec<AdvanceRow>, Error> {
    let sql = "select lease_id, max(tenant_id) as tenant_id, ledger_account, currency_code, \
                      coalesce(sum(-minor) filter (where on_day < $2), 0)::bigint as opening_minor, \
                      coalesce(sum(-minor) filter (where on_day >= $2 and what = 'billed'), 0)::bigint as billed_minor, \
                      coalesce(sum(minor) filter (where on_day >= $2 and what = 'credited'), 0)::bigint \
                          as credited_minor, \
                      coalesce(sum(minor) filter (where on_day >= $2 and what = 'returned'), 0)::bigint \
                          as returned_minor \
               from (select i.lease_id, i.tenant_id, e.ledger_account, e.currency_code, e.amount_minor as minor, \
                            t.posting_date as on_day, \
                            case when (t.kind = 'INVOICE_ISSUED') = (e.amount_minor < 0) \
                                      and t.kind <> 'CREDIT_NOTE_ISSUED' then 'billed' \
                                 when t.kind = 'CREDIT_NOTE_ISSUED' and e.amount_minor > 0 then 'returned' \
                                 else 'credited' end as what \
                     from billing.ledger_entry e \
                     join billing.ledger_transaction t \
                          on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
                     join billing.invoice i on i.operator_id = t.operator_id and i.invoice_id = t.invoice_id \
                     where e.operator_id = $1 and e.ledger_account in ('prepayments', 'deposits') \
                       and t.posting_date < $3) as moved \
               group by lease_id, ledger_account, currency_code \
               order by lease_id, ledger_account desc, currency_code";
    let values = [operator.as_str().into(), days.start().into(), days.end().into()];
    let rows = Row::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    rows.iter().map(row_of).collect()
}

fn row_of(row: &Row) -> Result<AdvanceRow, Error> {
    let of = |minor| money(minor, &row.currency_code);
    let out = row.credited_minor.checked_add(row.returned_minor);
    let grown = row.opening_minor.checked_add(row.billed_minor);
    let closing = grown.zip(out).and_then(|(grown, out)| grown.checked_sub(out));
    Ok(AdvanceRow {
        lease: parse("lease_id", &row.lease_id)?,
        tenant: parse("tenant_id", &row.tenant_id)?,
        ledger_account: parse("ledger_account", &row.ledger_account)?,
        opening: of(row.opening_minor)?,
        billed: of(row.billed_minor)?,
        credited: of(row.credited_minor)?,
        returned: of(row.returned_minor)?,
        closing: of(closing.ok_or_else(|| broken("amount_minor", "is too large"))?)?,
    })
}

#[derive(FromQueryResult)]
struct OfCommissions {
    lease_id: String,
    currency_code: String,
    opening_minor: i64,
    added_minor: i64,
    amortized_minor: i64,
    written_off_minor: i64,
    reversed_minor: i64,
    closing_minor: i64,
}

/// Commissions of an operator over some days, in order of lease.
pub async fn commissions(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    days: DateRange,
) -> Result<Vec<CommissionRow>, Error> {
    let sql = "select c.lease_id, e.currency_code, \
                      coalesce(sum(e.amount_minor) filter (where t.posting_date < $2), 0)::bigint as opening_minor, \
                      coalesce(sum(e.amount_minor) filter (where t.posting_date >= $2 \
                          and t.kind = 'COMMISSION_CAPITALIZED'), 0)::bigint as added_minor, \
                      coalesce(sum(-e.amount_minor) filter (where t.posting_date >= $2 \
                          and t.kind = 'COMMISSION_AMORTIZED'), 0)::bigint as amortized_minor, \
                      coalesce(sum(-e.amount_minor) filter (where t.posting_date >= $2 \
                          and t.kind = 'COMMISSION_WRITTEN_OFF'), 0)::bigint as written_off_minor, \
                      coalesce(sum(-e.amount_minor) filter (where t.posting_date >= $2 \
                          and t.kind = 'COMMISSION_REVERSED'), 0)::bigint as reversed_minor, \
                      sum(e.amount_minor)::bigint as closing_minor \
               from billing.ledger_entry e \
               join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               left join billing.commission_move m on m.operator_id = t.operator_id and m.move_id = t.source_id \
               join billing.commission c on c.operator_id = t.operator_id \
                    and c.commission_id = coalesce(m.commission_id, t.source_id) \
               where e.operator_id = $1 and e.ledger_account = 'commission_costs' and t.posting_date < $3 \
               group by c.lease_id, e.currency_code \
               order by c.lease_id, e.currency_code";
    let values = [operator.as_str().into(), days.start().into(), days.end().into()];
    let found = OfCommissions::find_by_statement(statement(sql, values)).all(conn).await;
    let row = |row: OfCommissions| {
        let of = |minor| money(minor, &row.currency_code);
        Ok(CommissionRow {
            lease: parse("lease_id", &row.lease_id)?,
            opening: of(row.opening_minor)?,
            added: of(row.added_minor)?,
            amortized: of(row.amortized_minor)?,
            written_off: of(row.written_off_minor)?,
            reversed: of(row.reversed_minor)?,
            closing: of(row.closing_minor)?,
        })
    };
    found.map_err(store_error)?.into_iter().map(row).collect()
}
