//! Writes holds off whose time has run out, if the database agrees. The desk does it for what stands in its way, the
//! sweeper for the rest.

use std::sync::Arc;

use kernel::{Error, Ids, OperatorId, ReservationId, Scope};
use postgres::Db;

use super::Wire;
use crate::domain::states::{Deed, State};
use crate::store::moves::{self, Move};
use crate::store::reservations;

/// Writes holds off.
#[derive(Clone)]
pub struct Expirer {
    db: Db,
    ids: Arc<dyn Ids>,
    wire: Wire,
    is_worker: bool,
}

impl Expirer {
    /// On the request role's connections, one operator at a time.
    pub fn for_requests(db: Db, ids: Arc<dyn Ids>, wire: Wire) -> Self {
        Self { db, ids, wire, is_worker: false }
    }

    /// On the worker role's connections.
    pub fn for_worker(db: Db, ids: Arc<dyn Ids>, wire: Wire) -> Self {
        Self { db, ids, wire, is_worker: true }
    }

    /// Writes EXPIRED for those that are held and have run out; the others stay as they are.
    ///
    /// # Errors
    /// What keeps the store from answering.
    pub async fn expire(&self, operator: &OperatorId, ids: &[ReservationId]) -> Result<u64, Error> {
        let scope = if self.is_worker { Scope::Worker } else { Scope::Operator(operator.clone()) };
        let (found, now) = self
            .db
            .read("read_lapsed", &scope, |tx| async move {
                let found = reservations::of_ids(&tx, operator, ids).await?;
                let now = reservations::database_now(&tx).await?;
                Ok((tx, (found, now)))
            })
            .await?;
        let mut expired = 0;
        for held in found.iter().filter(|held| held.has_lapsed(now)) {
            let after = held.after(Deed::Expire, held.hold_until, now)?;
            let before = (self.wire.reservation)(held);
            let payload = (self.wire.reservation)(&after);
            let moved = moves::apply(
                &self.db,
                &Move {
                    operator,
                    reservation: held.name.reservation,
                    revision: held.revision,
                    deed: Deed::Expire,
                    from: State::Held,
                    to: State::Expired,
                    hold_until: held.hold_until,
                    now: after.updated_at,
                    key: None,
                    event: self.ids.next(),
                    before: &before,
                    payload: &payload,
                },
            )
            .await?;
            expired += u64::from(moved == moves::Moved::Applied);
        }
        Ok(expired)
    }
}
