//! What the ledger says of tenants: what they owe by invoice, what is kept for them, what moved on an account.

use kernel::{
    AccountId, AccountName, CivilDate, DateRange, Error, InvoiceId, Money, OperatorId, SiteId, TenantId, Uuid,
};
use postgres::store_error;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::dispute;
use super::rows::{money, parse, statement};
use crate::domain::aging::Owed;
use crate::domain::number::InvoiceNumber;
use crate::domain::statement::StatementLine;

#[derive(FromQueryResult)]
struct OwedRow {
    invoice_id: Uuid,
    series: String,
    number: i64,
    account_id: Uuid,
    tenant_id: String,
    due_date: CivilDate,
    currency_code: String,
    open_minor: i64,
}

/// What is owed of each invoice, of one account or of all, by postings up to and with a day.
pub async fn owed(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    account: Option<AccountId>,
    as_of: CivilDate,
) -> Result<Vec<Owed>, Error> {
    let sql = "select i.invoice_id, i.series, i.number, i.account_id, i.tenant_id, i.due_date, i.currency_code, \
                      sum(e.amount_minor)::bigint as open_minor \
               from billing.ledger_entry e \
               join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               join billing.invoice i on i.operator_id = t.operator_id and i.invoice_id = t.invoice_id \
               where e.operator_id = $1 and e.ledger_account = 'accounts_receivable' and t.posting_date <= $2 \
                 and ($3::uuid is null or e.account_id = $3) \
               group by i.operator_id, i.invoice_id having sum(e.amount_minor) <> 0";
    let values = [operator.as_str().into(), as_of.into(), account.map(AccountId::get).into()];
    let rows = OwedRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let disputed = dispute::open_on(conn, operator, as_of).await?;
    rows.into_iter()
        .map(|row| {
            let invoice = InvoiceId::new(row.invoice_id);
            let of_it = disputed.get(&invoice).copied().unwrap_or(0).min(row.open_minor.max(0));
            Ok(Owed {
                invoice,
                number: InvoiceNumber::new(row.series, row.number),
                account: AccountId::new(row.account_id),
                tenant: parse("tenant_id", &row.tenant_id)?,
                due_date: row.due_date,
                open: money(row.open_minor, &row.currency_code)?,
                disputed: money(of_it, &row.currency_code)?,
            })
        })
        .collect()
}

#[derive(FromQueryResult)]
struct KeptRow {
    account_id: Uuid,
    tenant_id: String,
    currency_code: String,
    kept_minor: i64,
}

/// What is kept for each account, or for one, by postings up to and with a day.
pub async fn unapplied(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    account: Option<AccountId>,
    as_of: CivilDate,
) -> Result<Vec<(AccountId, TenantId, Money)>, Error> {
    let sql = "select a.account_id, a.tenant_id, a.currency_code, -sum(e.amount_minor)::bigint as kept_minor \
               from billing.ledger_entry e \
               join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               join billing.account a on a.operator_id = e.operator_id and a.account_id = e.account_id \
               where e.operator_id = $1 and e.ledger_account = 'unapplied_cash' and t.posting_date <= $2 \
                 and ($3::uuid is null or e.account_id = $3) \
               group by a.operator_id, a.account_id having sum(e.amount_minor) <> 0";
    let values = [operator.as_str().into(), as_of.into(), account.map(AccountId::get).into()];
    let rows = KeptRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    rows.into_iter()
        .map(|row| {
            let kept = money(row.kept_minor, &row.currency_code)?;
            Ok((AccountId::new(row.account_id), parse("tenant_id", &row.tenant_id)?, kept))
        })
        .collect()
}

#[derive(FromQueryResult)]
struct MovedRow {
    posting_date: CivilDate,
    kind: String,
    description: String,
    invoice_id: Option<Uuid>,
    moved_minor: i64,
}

/// What moved between a tenant and its operator on some days, in order of day; deeds that move nothing between the two
/// are left out.
pub async fn moved(
    conn: &impl ConnectionTrait,
    account: &AccountName,
    currency_code: &str,
    days: DateRange,
) -> Result<Vec<StatementLine>, Error> {
    let sql = "select t.posting_date, t.kind, t.description, t.invoice_id, \
                      sum(e.amount_minor)::bigint as moved_minor \
               from billing.ledger_entry e \
               join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               where e.operator_id = $1 and e.account_id = $2 \
                 and e.ledger_account in ('accounts_receivable', 'unapplied_cash') \
                 and t.posting_date >= $3 and t.posting_date < $4 \
               group by t.operator_id, t.transaction_id having sum(e.amount_minor) <> 0 \
               order by t.posting_date, t.transaction_id";
    let values = [
        account.operator.as_str().into(),
        account.account.get().into(),
        days.start().into(),
        days.end().into(),
    ];
    let rows = MovedRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    rows.into_iter()
        .map(|row| {
            Ok(StatementLine {
                posting_date: row.posting_date,
                deed: parse("kind", &row.kind)?,
                description: row.description,
                invoice: row.invoice_id.map(InvoiceId::new),
                amount: money(row.moved_minor, currency_code)?,
            })
        })
        .collect()
}

/// What an account owed before a day, less what was kept for it.
pub async fn balance_before(
    conn: &impl ConnectionTrait,
    account: &AccountName,
    currency_code: &str,
    day: CivilDate,
) -> Result<Money, Error> {
    let sql = "select coalesce(sum(e.amount_minor), 0)::bigint \
               from billing.ledger_entry e \
               join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               where e.operator_id = $1 and e.account_id = $2 \
                 and e.ledger_account in ('accounts_receivable', 'unapplied_cash') and t.posting_date < $3";
    let values = [account.operator.as_str().into(), account.account.get().into(), day.into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    let row = row.ok_or_else(|| Error::internal("an aggregate gave no row"))?;
    money(row.try_get_by_index(0).map_err(store_error)?, currency_code)
}

/// The sites that the issued invoices of an account charge rent for.
pub async fn sites(conn: &impl ConnectionTrait, account: &AccountName) -> Result<Vec<SiteId>, Error> {
    // By the tenant, of which there is an index; of accounts there is one of what is owed only.
    let sql = "select distinct l.site_id from billing.invoice i \
               join billing.invoice_line l on l.operator_id = i.operator_id and l.invoice_id = i.invoice_id \
               where i.operator_id = $1 and i.account_id = $2 and i.number is not null \
                 and i.tenant_id = (select a.tenant_id from billing.account a \
                      where a.operator_id = $1 and a.account_id = $2) \
               order by l.site_id";
    let values = [account.operator.as_str().into(), account.account.get().into()];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let site: String = row.try_get_by_index(0).map_err(store_error)?;
            parse("site_id", &site)
        })
        .collect()
}
