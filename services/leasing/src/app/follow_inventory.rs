//! What inventory tells of the reservations that leases and quotes stand on: a hold that ended lapses its lease, a quote
//! goes on without it, and a hold whose lease or quote is gone is given back.

use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Error, LeaseName, QuoteId, QuoteName, ReservationName, Uuid};
use postgres::{Tx, outbox};
use runtime::feed::{Consumer, FeedStream};

use super::App;
use super::quotes::rpc_of;
use crate::domain::lease::{HOLD_EXPIRED, HOLD_RELEASED};
use crate::domain::quote_record::Quote;
use crate::domain::{BidState, Hold, LeaseState};
use crate::peers::{self, FeedEvent, FeedMessage, Heard, Notice, Standing};
use crate::store::{self, SCHEMA};

const SOURCE: &str = "inventory";
/// Events that are none of ours before the place in the feed is written all the same: reading them again is cheap,
/// and a transaction for each would cost as much as the booking it tells of.
const SKIPPED_MAX: u32 = 256;

/// Follows inventory's feed for leasing.
pub struct InventoryFollower {
    app: Arc<App>,
    place: Mutex<Place>,
}

/// The cursor as it lies in the database, and what was passed over since.
#[derive(Default)]
struct Place {
    written: Option<String>,
    skipped: u32,
}

impl InventoryFollower {
    /// A follower that has not looked yet.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app, place: Mutex::default() }
    }

    /// Passes over an event that is none of ours; `false` when it is time to write the place.
    fn pass_over(&self) -> bool {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        place.skipped += 1;
        place.skipped < SKIPPED_MAX
    }

    fn written(&self) -> Option<String> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).written.clone()
    }

    fn write_down(&self, cursor: Option<String>) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Place { written: cursor, skipped: 0 };
    }
}

impl Consumer for InventoryFollower {
    type Message = FeedMessage;

    async fn cursor(&self) -> Result<Option<String>, Error> {
        let hands = self.app.worker();
        let cursor = hands
            .db
            .read("inventory_cursor", hands.scope, |tx| async move {
                let cursor = outbox::consumer_cursor(tx.conn(), SCHEMA, SOURCE).await?;
                Ok((tx, cursor))
            })
            .await?;
        self.write_down(cursor.clone());
        Ok(cursor)
    }

    async fn open(&self, after: Option<String>) -> Result<FeedStream<FeedMessage>, Error> {
        self.app.inventory.watch(after).await
    }

    async fn take(
        &self,
        event: Option<&FeedEvent>,
        _expected: Option<&str>,
        next: &str,
    ) -> Result<bool, Error> {
        let notice = event.map(peers::heard).transpose()?.flatten();
        if event.is_some() && notice.is_none() && self.pass_over() {
            return Ok(true);
        }
        let written = self.written();
        let (written, notice, app) = (written.as_deref(), notice.as_ref(), &self.app);
        let hands = app.worker();
        let first = hands
            .db
            .in_tx("take_inventory_event", hands.scope, |tx| async move {
                let first = outbox::advance(tx.conn(), SCHEMA, SOURCE, written, next).await?;
                if first && let Some(notice) = notice {
                    match notice {
                        Heard::Reservation(notice) => app.heed(&tx, notice).await?,
                        Heard::Shortage(shortage) => app.heed_shortage(&tx, shortage).await?,
                        Heard::Phase(phase) => app.heed_phase(&tx, phase).await?,
                    }
                }
                Ok((tx, first))
            })
            .await?;
        if first {
            self.write_down(Some(next.to_owned()));
            if notice.is_some() {
                app.feed.notify();
            }
        }
        Ok(first)
    }
}

impl App {
    /// What a reservation's change means for its lease, in the transaction that moves the cursor.
    async fn heed(&self, tx: &Tx, notice: &Notice) -> Result<(), Error> {
        if let Some(uid) = notice.bid_uid {
            return heed_bid(tx, notice, uid).await;
        }
        // The quote first, and locked: whoever finds it accepted finds its lease.
        let quote = quote_behind(tx, notice).await?;
        let Some(name) = lease_behind(tx, notice).await? else {
            return heed_without_lease(tx, notice, quote).await;
        };
        let Some(lease) = store::lock(tx.conn(), &name).await? else { return Ok(()) };
        match (lease.state, notice.standing) {
            (LeaseState::Proposing | LeaseState::Proposed, Standing::Held(expire_time)) => {
                let hold = Hold { reservation: notice.reservation.reservation, expire_time };
                store::note_hold(tx.conn(), &name, hold).await
            }
            (LeaseState::Proposed, Standing::Expired) => self.lapse_in(tx, &name, HOLD_EXPIRED).await,
            (LeaseState::Proposed, Standing::Released) => self.lapse_in(tx, &name, HOLD_RELEASED).await,
            (LeaseState::Cancelled | LeaseState::Lapsed, Standing::Held(_)) => {
                release_later(tx, notice, name.lease.as_str()).await
            }
            // SIGNING is decided by inventory's answer to the commitment, and by nothing else.
            _ => Ok(()),
        }
    }
}

/// A bid's hold is noted where the bid stands, and given back where it does not, or never did.
async fn heed_bid(tx: &Tx, notice: &Notice, uid: Uuid) -> Result<(), Error> {
    let Standing::Held(expire_time) = notice.standing else { return Ok(()) };
    let hold = Hold { reservation: notice.reservation.reservation, expire_time };
    match store::note_bid_hold(tx.conn(), &notice.reservation.operator, uid, hold).await? {
        Some(BidState::Submitting | BidState::Submitted | BidState::Awarding | BidState::Awarded) => Ok(()),
        Some(BidState::Lost | BidState::Returned | BidState::Withdrawn | BidState::Lapsed) | None => {
            release_later(tx, notice, &uid.to_string()).await
        }
    }
}

/// A lease's hold without a lease: it is a quote's, or its proposal or quote was refused, and this came late.
async fn heed_without_lease(tx: &Tx, notice: &Notice, quote: Option<Quote>) -> Result<(), Error> {
    let Some(uid) = notice.lease_uid else { return Ok(()) };
    match (quote, notice.standing) {
        (Some(mut quote), Standing::Held(_)) if quote.wants(uid) => {
            if quote.note(uid, notice.reservation.reservation) {
                store::note_quote_holds(tx.conn(), &quote).await?;
            }
            Ok(())
        }
        (_, Standing::Held(_)) => release_later(tx, notice, &uid.to_string()).await,
        (Some(mut quote), Standing::Expired | Standing::Released) => {
            if quote.lose(uid) {
                store::note_quote_holds(tx.conn(), &quote).await?;
            }
            Ok(())
        }
        (Some(_), Standing::Committed) | (None, _) => Ok(()),
    }
}

/// The quote that the hold may have been placed for: the lease that it may become has the quote's id.
async fn quote_behind(tx: &Tx, notice: &Notice) -> Result<Option<Quote>, Error> {
    let Some(id) = notice.lease_name.as_ref().and_then(|name| Uuid::try_parse(name.lease.as_str()).ok())
    else {
        return Ok(None);
    };
    let name = QuoteName::new(notice.reservation.operator.clone(), QuoteId::new(id));
    Ok(store::lock_quote(tx.conn(), &name, rpc_of).await?.map(|(quote, _)| quote))
}

async fn lease_behind(tx: &Tx, notice: &Notice) -> Result<Option<LeaseName>, Error> {
    if let Some(name) = store::lease_of_reservation(tx.conn(), &notice.reservation).await? {
        return Ok(Some(name));
    }
    match notice.lease_uid {
        Some(uid) => store::lease_of_uid(tx.conn(), &notice.reservation.operator, uid).await,
        None => Ok(None),
    }
}

async fn release_later(tx: &Tx, notice: &Notice, lease_id: &str) -> Result<(), Error> {
    let ReservationName { operator, reservation } = &notice.reservation;
    store::note_release(tx.conn(), operator, *reservation, lease_id).await
}
