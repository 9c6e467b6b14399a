//! How far books are closed, and vouchers.

use kernel::{CivilDate, Error, Instant, OperatorId, Scope, Uuid, VoucherId, VoucherName, YearMonth};
use postgres::store_error;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set,
};

use super::entity::voucher;
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{broken, parse, statement};
use crate::domain::books::Books;
use crate::domain::voucher::{Voucher, VoucherState};

async fn read(
    conn: &impl ConnectionTrait,
    sql: &'static str,
    operator: &OperatorId,
) -> Result<Option<Books>, Error> {
    let row = conn.query_one_raw(statement(sql, [operator.as_str().into()])).await.map_err(store_error)?;
    row.map(|row| {
        let closed_through: Option<CivilDate> = row.try_get_by_index(0).map_err(store_error)?;
        let version: i64 = row.try_get_by_index(1).map_err(store_error)?;
        Ok(Books { operator: operator.clone(), closed_through, version })
    })
    .transpose()
}

/// The operator's books, if it has any.
pub async fn find(conn: &impl ConnectionTrait, operator: &OperatorId) -> Result<Option<Books>, Error> {
    read(conn, "select closed_through, version from billing.books where operator_id = $1", operator).await
}

/// The operator's books, locked until the transaction ends: postings that are under way come before.
pub async fn lock(conn: &impl ConnectionTrait, operator: &OperatorId) -> Result<Option<Books>, Error> {
    let sql = "select closed_through, version from billing.books where operator_id = $1 for no key update";
    read(conn, sql, operator).await
}

/// What was done to a month.
#[derive(Clone, Copy, Debug)]
pub struct PeriodDeed<'a> {
    /// Its id.
    pub id: Uuid,
    /// The month.
    pub month: YearMonth,
    /// `CLOSE` or `REOPEN`.
    pub deed: &'static str,
    /// Who did it.
    pub subject: &'a str,
}

/// Writes how far the books are closed, and who did it.
pub async fn save(
    conn: &impl ConnectionTrait,
    books: &Books,
    by: PeriodDeed<'_>,
    now: Instant,
) -> Result<(), Error> {
    let sql = "update billing.books set closed_through = $2, version = $3 \
               where operator_id = $1 and version = $3 - 1";
    let values = [books.operator.as_str().into(), books.closed_through.into(), books.version.into()];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() != 1 {
        return Err(Error::transaction_conflict());
    }
    let sql = "insert into billing.period_deed (operator_id, deed_id, month, deed, subject, create_time) \
               values ($1, $2, $3, $4, $5, $6)";
    let values = [
        books.operator.as_str().into(),
        by.id.into(),
        by.month.first_day().into(),
        by.deed.into(),
        by.subject.into(),
        now.into(),
    ];
    conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(())
}

/// What is not done of a month and all before it: drafts that are not issued, and vouchers that wait.
pub async fn undone(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    month: YearMonth,
) -> Result<(i64, i64), Error> {
    let sql = "select (select count(*) from billing.invoice \
                       where operator_id = $1 and state = 'DRAFT' and period_start <= $2), \
                      (select count(*) from billing.voucher where operator_id = $1 and state = 'PROPOSED')";
    let values = [operator.as_str().into(), month.first_day().into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    let row = row.ok_or_else(|| broken("count", "gave no row"))?;
    Ok((row.try_get_by_index(0).map_err(store_error)?, row.try_get_by_index(1).map_err(store_error)?))
}

/// Writes a voucher that is new.
pub async fn propose(conn: &impl ConnectionTrait, voucher: &Voucher) -> Result<(), Error> {
    let row = voucher::ActiveModel {
        operator_id: Set(voucher.operator.to_string()),
        voucher_id: Set(voucher.id.get()),
        kind: Set(voucher.content.kind().to_owned()),
        content: Set(serde_json::to_value(&voucher.content).map_err(Error::internal)?),
        reason: Set(voucher.reason.clone()),
        state: Set(voucher.state.as_str().to_owned()),
        author: Set(voucher.author.clone()),
        decider: Set(None),
        version: Set(voucher.version),
        create_time: Set(voucher.create_time),
        decide_time: Set(None),
    };
    voucher::Entity::insert(row).exec_without_returning(conn).await.map_err(store_error)?;
    Ok(())
}

/// Writes what was decided, if nobody decided meanwhile.
pub async fn decide(conn: &impl ConnectionTrait, voucher: &Voucher) -> Result<(), Error> {
    let (decider, time) = voucher.decided.as_ref().ok_or_else(|| broken("voucher", "is not decided"))?;
    let sql = "update billing.voucher set state = $3, decider = $4, decide_time = $5, version = $6 \
               where operator_id = $1 and voucher_id = $2 and version = $6 - 1";
    let values = [
        voucher.operator.as_str().into(),
        voucher.id.get().into(),
        voucher.state.as_str().into(),
        decider.as_str().into(),
        (*time).into(),
        voucher.version.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// One voucher, if the scope sees it.
pub async fn voucher(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &VoucherName,
) -> Result<Option<Voucher>, Error> {
    use voucher::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = voucher::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(C::VoucherId.eq(name.voucher.get()))
        .one(conn)
        .await
        .map_err(store_error)?;
    rows.as_ref().map(voucher_of).transpose()
}

/// One voucher, locked until the transaction ends.
pub async fn lock_voucher(conn: &impl ConnectionTrait, name: &VoucherName) -> Result<Option<Voucher>, Error> {
    use voucher::Column as C;
    let row = voucher::Entity::find()
        .filter(C::OperatorId.eq(name.operator.as_str()))
        .filter(C::VoucherId.eq(name.voucher.get()))
        .lock_exclusive()
        .one(conn)
        .await
        .map_err(store_error)?;
    row.as_ref().map(voucher_of).transpose()
}

/// Vouchers, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    state: Option<VoucherState>,
    page: &Page<Newest>,
) -> Result<Paged<Voucher>, Error> {
    use voucher::Column as C;
    let state = state.map(|state| C::State.eq(state.as_str()));
    let rows = voucher::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(Condition::all().add_option(state));
    let paged = newest_first(conn, rows, (C::VoucherId, C::OperatorId), page).await?;
    let rows = paged.rows.iter().map(voucher_of).collect::<Result<_, _>>()?;
    Ok(Paged { rows, more: paged.more })
}

fn voucher_of(row: &voucher::Model) -> Result<Voucher, Error> {
    Ok(Voucher {
        operator: parse("operator_id", &row.operator_id)?,
        id: VoucherId::new(row.voucher_id),
        content: serde_json::from_value(row.content.clone()).map_err(|error| broken("content", error))?,
        reason: row.reason.clone(),
        state: parse("state", &row.state)?,
        author: row.author.clone(),
        decided: row.decider.clone().zip(row.decide_time),
        version: row.version,
        create_time: row.create_time,
    })
}
