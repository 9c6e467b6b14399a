//! What becomes of issued invoices, and the turns that deeds on an account take.

use kernel::{AccountId, AccountName, CivilDate, Currency, Error, InvoiceId, OperatorId, TenantId};
use postgres::store_error;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::entity::invoice;
use super::invoice::{is_owed, with_lines};
use super::rows::{parse, statement};
use crate::domain::invoice::Invoice;
use crate::domain::invoice_state::InvoiceState;

/// Whose account it is, and in which currency.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// The currency.
    pub currency: Currency,
}

/// Takes a turn on an account, to the end of the transaction: payments, credit notes, voids and write-offs of one account
/// come one after the other. `None`: there is no such account.
pub async fn take_turn(conn: &impl ConnectionTrait, account: &AccountName) -> Result<Option<Owner>, Error> {
    let sql = "update billing.account set deed_count = deed_count + 1 where operator_id = $1 and account_id = $2 \
               returning tenant_id, currency_code";
    let values = [account.operator.as_str().into(), account.account.get().into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    row.map(|row| {
        let tenant: String = row.try_get_by_index(0).map_err(store_error)?;
        let currency: String = row.try_get_by_index(1).map_err(store_error)?;
        Ok(Owner { tenant: parse("tenant_id", &tenant)?, currency: parse("currency_code", &currency)? })
    })
    .transpose()
}

/// The first day that is not closed; the first of all where nothing is.
pub async fn first_open_day(conn: &impl ConnectionTrait, operator: &OperatorId) -> Result<CivilDate, Error> {
    let sql = "select coalesce(max(closed_through) + 1, date '2000-01-01') from billing.books where operator_id = $1";
    let row = conn.query_one_raw(statement(sql, [operator.as_str().into()])).await.map_err(store_error)?;
    let row = row.ok_or_else(|| Error::internal("an aggregate gave no row"))?;
    row.try_get_by_index(0).map_err(store_error)
}

/// Invoices of an account, those named or all that are owed, the longest due first, locked until the transaction ends.
pub async fn lock_invoices(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    account: AccountId,
    named: Option<&[InvoiceId]>,
) -> Result<Vec<Invoice>, Error> {
    use invoice::Column as C;
    let condition = match named {
        Some(named) => Condition::all()
            .add(C::InvoiceId.is_in(named.iter().map(|id| id.get())))
            .add(C::State.ne(InvoiceState::Draft.as_str())),
        None => Condition::all().add(is_owed()),
    };
    let rows = invoice::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::AccountId.eq(account.get()))
        .filter(condition)
        .order_by_asc(C::DueDate)
        .order_by_asc(C::Number)
        .lock_exclusive()
        .all(conn)
        .await
        .map_err(store_error)?;
    with_lines(conn, rows).await
}

/// Writes what became of invoices, if nobody changed them meanwhile.
pub async fn save(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    invoices: &[Invoice],
) -> Result<(), Error> {
    let sql = "update billing.invoice set state = $3, version = $4, paid_minor = $5, credited_minor = $6, \
                      written_off_minor = $7, state_reason = $8 \
               where operator_id = $1 and invoice_id = $2 and version = $4 - 1";
    for invoice in invoices {
        let settled = invoice.settled;
        let values = [
            operator.as_str().into(),
            invoice.id.get().into(),
            invoice.state.as_str().into(),
            invoice.version.into(),
            settled.paid_minor.into(),
            settled.credited_minor.into(),
            settled.written_off_minor.into(),
            invoice.state_reason.as_str().into(),
        ];
        let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
        if done.rows_affected() != 1 {
            return Err(Error::transaction_conflict());
        }
    }
    Ok(())
}
