//! What the consumers of other services' feeds remember beside what they heard.

use std::collections::BTreeSet;

use kernel::{Error, EventId, Instant, OperatorId};
use postgres::store_error;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::entity::parked_lease;
use super::rows::statement;

/// The source name of leasing's feed.
pub const LEASING: &str = "leasing";
/// The source name of inventory's feed.
pub const INVENTORY: &str = "inventory";

/// Notes that an event takes effect; `false` if it did before, as after a restore that began a new epoch.
pub async fn first_time(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (source, event): (&str, EventId),
    now: Instant,
) -> Result<bool, Error> {
    let sql = "insert into billing.applied_event (operator_id, event_id, source, apply_time) values ($1, $2, $3, $4) \
               on conflict (operator_id, event_id) do nothing";
    let values = [operator.as_str().into(), event.get().into(), source.into(), now.into()];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(done.rows_affected() == 1)
}

/// An event that could not be understood.
#[derive(Clone, Debug)]
pub struct Parked<'a> {
    /// Whose.
    pub operator: &'a OperatorId,
    /// Resource name of the lease, as the event says it.
    pub subject: &'a str,
    /// The event.
    pub event: EventId,
    /// Its kind.
    pub kind: &'a str,
    /// What is wrong with it.
    pub problem: &'a str,
}

/// Parks a lease until a later event of it is understood.
pub async fn park(conn: &impl ConnectionTrait, parked: &Parked<'_>, now: Instant) -> Result<(), Error> {
    let sql = "insert into billing.parked_lease (operator_id, subject, event_id, kind, problem, park_time) \
               values ($1, $2, $3, $4, $5, $6) on conflict (operator_id, subject) do update \
               set event_id = excluded.event_id, kind = excluded.kind, problem = excluded.problem, \
                   park_time = excluded.park_time";
    let values = [
        parked.operator.as_str().into(),
        parked.subject.into(),
        parked.event.get().into(),
        parked.kind.into(),
        parked.problem.into(),
        now.into(),
    ];
    conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(())
}

/// Lets a lease go on: a later event of it was understood.
pub async fn unpark(conn: &impl ConnectionTrait, operator: &OperatorId, subject: &str) -> Result<(), Error> {
    let sql = "delete from billing.parked_lease where operator_id = $1 and subject = $2";
    conn.execute_raw(statement(sql, [operator.as_str().into(), subject.into()]))
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Resource names of the operator's parked leases.
pub async fn parked(conn: &impl ConnectionTrait, operator: &OperatorId) -> Result<BTreeSet<String>, Error> {
    use parked_lease::Column as C;
    let subjects = parked_lease::Entity::find()
        .select_only()
        .column(C::Subject)
        .filter(C::OperatorId.eq(operator.as_str()))
        .into_tuple::<String>()
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(subjects.into_iter().collect())
}
