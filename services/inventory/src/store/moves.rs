//! A change of a reservation after it was placed: one call of `inventory.move_reservation`.

use kernel::{Error, Instant, OperatorId, ReservationId, Uuid};
use postgres::{Db, RequestKey, heard, sqlx_error};
use sqlx::Row as _;

use crate::domain::states::{Deed, State};

/// What is to be done, with reply and event prepared for the revision that was read.
#[derive(Debug)]
pub struct Move<'a> {
    /// Whose it is.
    pub operator: &'a OperatorId,
    /// Which.
    pub reservation: ReservationId,
    /// The revision that was read.
    pub revision: i64,
    /// What is done.
    pub deed: Deed,
    /// The state it has.
    pub from: State,
    /// The state it gets.
    pub to: State,
    /// The end of the hold it gets.
    pub hold_until: Instant,
    /// Our idea of the database's time, which the prepared reply shows.
    pub now: Instant,
    /// The resource as it was.
    pub before: &'a [u8],
    /// The caller's key with the reply to record; none for our own housekeeping.
    pub key: Option<(&'a RequestKey, &'a [u8])>,
    /// The event's id.
    pub event: Uuid,
    /// The event.
    pub payload: &'a [u8],
}

/// What the database said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It is done.
    Applied,
    /// Nothing was done: read again and decide again.
    Changed,
    /// There is no such reservation.
    Missing,
}

/// Does it, if the reservation still is as it was read and the database's clock agrees.
pub async fn apply(db: &Db, wanted: &Move<'_>) -> Result<Moved, Error> {
    let guard = match wanted.deed {
        Deed::Expire => "expired",
        Deed::Withdraw if wanted.from == State::Committed => "any",
        Deed::Extend
        | Deed::Commit
        | Deed::Release
        | Deed::Withdraw
        | Deed::Amend
        | Deed::Revise
        | Deed::Join => "live",
    };
    let key = wanted.key.map(|(key, _)| key);
    let row = sqlx::query(
        "select outcome from inventory.move_reservation( \
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(wanted.operator.as_str())
    .bind(wanted.reservation.get())
    .bind(wanted.revision)
    .bind(vec![wanted.from.as_str()])
    .bind(wanted.to.as_str())
    .bind(guard)
    .bind(wanted.hold_until)
    .bind(wanted.now)
    .bind(wanted.before)
    .bind(key.map(|key| key.caller.as_str()))
    .bind(key.map(|key| key.rpc))
    .bind(key.map(|key| key.request_id))
    .bind(key.map(|key| key.hash.to_vec()))
    .bind(wanted.key.map(|(_, reply)| reply))
    .bind(wanted.event)
    .bind(wanted.deed.event_kind())
    .bind(wanted.payload)
    .bind(key.map(RequestKey::deed))
    .fetch_one(db.sqlx());
    let row = heard(row).await.map_err(lost_or_refused)?;
    match row.try_get::<&str, _>(0).map_err(sqlx_error)? {
        "applied" => Ok(Moved::Applied),
        "missing" => Ok(Moved::Missing),
        _ => Ok(Moved::Changed),
    }
}

/// The statement commits by itself: where its answer is lost, nobody knows whether it has.
fn lost_or_refused(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Io(_) => Error::outcome_unknown(error),
        _ => sqlx_error(error),
    }
}
