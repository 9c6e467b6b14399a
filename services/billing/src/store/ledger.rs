//! The ledger: append only.

use kernel::{
    AccountId, CivilDate, Error, Instant, InvoiceId, LedgerEntryId, LedgerTransactionId, OperatorId, Uuid,
};
use postgres::{insert_all, store_error, violated_constraint};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    Set,
};
use serde::{Deserialize, Serialize};

use super::entity::{ledger_entry, ledger_transaction};
use super::invoice;
use super::listing::{Page, Paged};
use super::rows::{money, narrow, parse, statement};
use crate::domain::ledger::{EntryFilter, PostedEntry};
use crate::domain::ledger_transaction::LedgerTransaction;
use crate::domain::number::InvoiceNumber;
use crate::domain::trial_balance::{TrialBalance, TrialBalanceRow};

/// Writes transactions with their entries. At commit the database refuses one that does not sum to zero.
pub async fn insert(
    conn: &impl ConnectionTrait,
    transactions: &[LedgerTransaction],
    new_id: impl Fn() -> Uuid,
    now: Instant,
) -> Result<(), Error> {
    let mut heads = Vec::new();
    let mut entries = Vec::new();
    for transaction in transactions {
        heads.push(ledger_transaction::ActiveModel {
            operator_id: Set(transaction.operator.to_string()),
            transaction_id: Set(transaction.id.get()),
            kind: Set(transaction.deed.as_str().to_owned()),
            source_id: Set(transaction.source),
            invoice_id: Set(transaction.invoice.map(InvoiceId::get)),
            entry_count: Set(narrow("entry_count", transaction.entries.len())?),
            posting_date: Set(transaction.posting_date),
            description: Set(transaction.description.clone()),
            create_time: Set(now),
        });
        for (number, entry) in (1..).zip(&transaction.entries) {
            entries.push(ledger_entry::ActiveModel {
                operator_id: Set(transaction.operator.to_string()),
                transaction_id: Set(transaction.id.get()),
                entry_number: Set(number),
                entry_id: Set(new_id()),
                ledger_account: Set(entry.ledger_account.as_str().to_owned()),
                account_id: Set(entry.account.map(AccountId::get)),
                currency_code: Set(entry.amount.currency.to_string()),
                amount_minor: Set(entry.amount.minor),
                jurisdiction: Set(entry.jurisdiction.clone()),
            });
        }
    }
    insert_all(conn, heads).await.map_err(not_into_a_closed_period)?;
    insert_all(conn, entries).await.map_err(store_error)
}

/// Lets the database judge now what it would judge at the commit: of transactions that are written whole.
pub async fn judge(conn: &impl ConnectionTrait) -> Result<(), Error> {
    for when in ["immediate", "deferred"] {
        let sql = format!("set constraints billing.unjudged_at_commit {when}");
        conn.execute_unprepared(&sql).await.map_err(store_error)?;
    }
    Ok(())
}

/// A period that was closed since it was looked at: tried again, the deed sees that.
fn not_into_a_closed_period(error: DbErr) -> Error {
    match violated_constraint(&error) {
        Some("ledger_transaction_period_open") => Error::transaction_conflict().with_source(error),
        _ => store_error(error),
    }
}

#[derive(FromQueryResult)]
struct BalanceRow {
    ledger_account: String,
    jurisdiction: Option<String>,
    currency_code: String,
    debits: i64,
    credits: i64,
}

/// Sums per ledger account, jurisdiction and currency, up to and with a posting day.
pub async fn trial_balance(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    as_of: Option<CivilDate>,
) -> Result<TrialBalance, Error> {
    let sql = "select e.ledger_account, e.jurisdiction, e.currency_code, \
                      coalesce(sum(e.amount_minor) filter (where e.amount_minor > 0), 0)::bigint as debits, \
                      coalesce(-sum(e.amount_minor) filter (where e.amount_minor < 0), 0)::bigint as credits \
               from billing.ledger_entry e join billing.ledger_transaction t \
                    on t.operator_id = e.operator_id and t.transaction_id = e.transaction_id \
               where e.operator_id = $1 and ($2::date is null or t.posting_date <= $2) \
               group by e.ledger_account, e.jurisdiction, e.currency_code \
               order by e.ledger_account, e.jurisdiction nulls first, e.currency_code";
    let rows = BalanceRow::find_by_statement(statement(sql, [operator.as_str().into(), as_of.into()]))
        .all(conn)
        .await
        .map_err(store_error)?;
    let rows = rows
        .into_iter()
        .map(|row| {
            Ok(TrialBalanceRow {
                ledger_account: parse("ledger_account", &row.ledger_account)?,
                jurisdiction: row.jurisdiction,
                debits: money(row.debits, &row.currency_code)?,
                credits: money(row.credits, &row.currency_code)?,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(TrialBalance { as_of, rows })
}

/// Sort key of entries, oldest first: ids of transactions are in order of posting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryKey(pub LedgerTransactionId, pub i32);

/// Entries in order of posting.
pub async fn list(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    filter: &EntryFilter,
    page: &Page<EntryKey>,
) -> Result<Paged<PostedEntry>, Error> {
    use ledger_entry::Column as E;
    use ledger_transaction::Column as T;
    use sea_orm::{QueryOrder as _, QuerySelect as _};
    let after = page.after.as_ref().map(|EntryKey(transaction, number)| {
        Condition::any()
            .add(E::TransactionId.gt(transaction.get()))
            .add(Condition::all().add(E::TransactionId.eq(transaction.get())).add(E::EntryNumber.gt(*number)))
    });
    let transactions = filter.invoice.map(|invoice| {
        let mut query = sea_orm::sea_query::Query::select();
        query
            .column(T::TransactionId)
            .from(ledger_transaction::Entity)
            .and_where(T::OperatorId.eq(operator.as_str()))
            .and_where(T::InvoiceId.eq(invoice.get()));
        E::TransactionId.in_subquery(query)
    });
    let rows = ledger_entry::Entity::find()
        .filter(
            Condition::all()
                .add(E::OperatorId.eq(operator.as_str()))
                .add_option(filter.ledger_account.map(|a| E::LedgerAccount.eq(a.as_str())))
                .add_option(transactions)
                .add_option(after),
        )
        .order_by_asc(E::TransactionId)
        .order_by_asc(E::EntryNumber)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    Ok(Paged { rows: with_heads(conn, operator, paged.rows).await?, more: paged.more })
}

async fn with_heads(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    rows: Vec<ledger_entry::Model>,
) -> Result<Vec<PostedEntry>, Error> {
    use ledger_transaction::Column as T;
    let heads: std::collections::HashMap<Uuid, ledger_transaction::Model> =
        ledger_transaction::Entity::find()
            .filter(T::OperatorId.eq(operator.as_str()))
            .filter(T::TransactionId.is_in(rows.iter().map(|row| row.transaction_id)))
            .all(conn)
            .await
            .map_err(store_error)?
            .into_iter()
            .map(|head| (head.transaction_id, head))
            .collect();
    let invoices = heads.values().filter_map(|head| head.invoice_id).collect();
    let numbers = invoice::numbers_of(conn, operator, invoices).await?;
    let number_of = |head: &ledger_transaction::Model| numbers.get(&head.invoice_id?).cloned();
    rows.into_iter()
        .filter_map(|row| heads.get(&row.transaction_id).map(|head| entry_of(&row, head, number_of(head))))
        .collect()
}

fn entry_of(
    row: &ledger_entry::Model,
    head: &ledger_transaction::Model,
    invoice_number: Option<InvoiceNumber>,
) -> Result<PostedEntry, Error> {
    Ok(PostedEntry {
        operator: parse("operator_id", &row.operator_id)?,
        id: LedgerEntryId::new(row.entry_id),
        transaction: LedgerTransactionId::new(row.transaction_id),
        number: row.entry_number,
        ledger_account: parse("ledger_account", &row.ledger_account)?,
        account: row.account_id.map(AccountId::new),
        jurisdiction: row.jurisdiction.clone(),
        amount: money(row.amount_minor, &row.currency_code)?,
        posting_date: head.posting_date,
        invoice: head.invoice_id.map(InvoiceId::new),
        invoice_number,
        description: head.description.clone(),
        create_time: head.create_time,
    })
}
