//! What extending, committing and releasing have in common: read, decide, and let the database do it if the
//! reservation is still as it was read and its clock agrees; otherwise read again.

use kernel::{Caller, Error, Instant, Reason, ReservationName, Uuid};
use postgres::{Answer, RequestKey, idempotency};
use serde::Serialize;

use super::{App, scope_of};
use crate::domain::check_etag_if_given;
use crate::domain::reservation::Reservation;
use crate::domain::states::Deed;
use crate::store::moves::{self, Move, Moved};
use crate::store::{SCHEMA, reservations};

/// Tries while others change the same reservation, or the connection breaks.
const TRIES: u32 = 8;

/// A change of a reservation.
#[derive(Debug, Clone, Serialize)]
pub struct MoveReservation {
    /// Which one.
    pub name: ReservationName,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// How one kind of move is named and answered.
pub(super) struct How<'a> {
    pub(super) rpc: &'static str,
    pub(super) deed: Deed,
    pub(super) reply: fn(&Reservation) -> Vec<u8>,
    /// The end of the hold after the deed, from the reservation and the database's time.
    pub(super) hold_until: &'a (dyn Fn(&Reservation, Instant) -> Result<Instant, Error> + Send + Sync),
}

impl App {
    /// Does it once for a request id.
    pub(super) async fn move_reservation<C: Serialize + Sync>(
        &self,
        caller: &Caller,
        command: &C,
        wanted: &MoveReservation,
        how: How<'_>,
    ) -> Result<Answer<Reservation>, Error> {
        let owner = format!("operators/{}", wanted.name.operator);
        let key = RequestKey::new(owner, caller, how.rpc, wanted.request_id, command)?;
        let mut unknown = None;
        for _ in 0..TRIES {
            let (found, now) = match self.find_reply_or_reservation(caller, &wanted.name, &key).await? {
                Found::Reply(reply) => return Ok(Answer::Replayed(reply)),
                Found::Reservation(found, now) => (found, now),
            };
            check_etag_if_given(wanted.etag.as_deref(), found.revision)?;
            let after = found.after(how.deed, (how.hold_until)(&found, now)?, now)?;
            if wanted.validate_only {
                return Ok(Answer::Fresh(after));
            }
            match self.apply(&found, &after, &how, &key).await {
                Ok(Moved::Applied) => {
                    self.feed.notify();
                    return Ok(Answer::Fresh(after));
                }
                Ok(Moved::Missing) => return Err(Error::not_found("reservation")),
                Ok(Moved::Changed) => {}
                // It may have been done all the same: the key tells, at the next look.
                Err(error) if error.reason() == Reason::StoreUnavailable => unknown = Some(error),
                Err(error) if error.reason() == Reason::TransactionConflict => {}
                Err(error) => return Err(error),
            }
        }
        match unknown {
            Some(error) => Err(Error::outcome_unknown(error)),
            None => Err(Error::transaction_conflict()),
        }
    }

    async fn apply(
        &self,
        found: &Reservation,
        after: &Reservation,
        how: &How<'_>,
        key: &RequestKey,
    ) -> Result<Moved, Error> {
        runtime::failpoint("inventory.move.before")?;
        let reply = (how.reply)(after);
        let payload = (self.wire.reservation)(after);
        let before = (self.wire.reservation)(found);
        let moved = moves::apply(
            &self.db,
            &Move {
                operator: &found.name.operator,
                reservation: found.name.reservation,
                revision: found.revision,
                deed: how.deed,
                from: found.state,
                to: after.state,
                hold_until: after.hold_until,
                now: after.updated_at,
                before: &before,
                key: Some((key, &reply)),
                event: self.ids.next(),
                payload: &payload,
            },
        )
        .await?;
        runtime::failpoint("inventory.move.after")?;
        Ok(moved)
    }

    async fn find_reply_or_reservation(
        &self,
        caller: &Caller,
        name: &ReservationName,
        key: &RequestKey,
    ) -> Result<Found, Error> {
        let scope = scope_of(caller, &name.operator, "reservation")?;
        let found = self
            .db
            .read("read_to_move", &scope, |tx| async move {
                // The right first: whoever cannot see the reservation does not get its old reply either.
                let Some(found) = reservations::find(&tx, name).await? else { return Ok((tx, None)) };
                let now = reservations::database_now(&tx).await?;
                let reply = idempotency::find(tx.conn(), SCHEMA, key).await?;
                let found = reply.map_or(Found::Reservation(Box::new(found), now), Found::Reply);
                Ok((tx, Some(found)))
            })
            .await?;
        found.ok_or_else(|| Error::not_found("reservation"))
    }
}

enum Found {
    Reply(Vec<u8>),
    Reservation(Box<Reservation>, Instant),
}
