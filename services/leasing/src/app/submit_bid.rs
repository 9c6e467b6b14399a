//! Bidding: one row if nothing is to be held; else durable intent, then the hold, then its record. Whoever dies in
//! between, the sweeper goes on.
//!
//! A bid is in time when its row is: the statement that writes it judges the deadline by the database's clock. What is
//! held after that is a matter of capacity, not of time.

use kernel::{
    BidId, BidName, Caller, CapacityRequestName, Error, Instant, OperatorId, Organisation, Reason, Uuid,
    Violation,
};
use postgres::{Answer, NewEvent, RequestKey, Tx, idempotency, outbox};
use runtime::failpoint;

use super::requests::{Earlier, Sagas, in_progress, is_nothing_done};
use super::{App, Hands, kind, rpc};
use crate::domain::bid::{Bid, Offer, STANDING_MAX, VALIDITY_DAYS_MAX};
use crate::domain::capacity_request::CapacityRequest;
use crate::domain::market_state::{BidDeed, BidState, RequestState};
use crate::domain::{Claim, Hold};
use crate::store::{self, Intent, SCHEMA};

/// What a bid asks for.
#[derive(Clone, Debug)]
pub struct SubmitBid {
    /// Who bids.
    pub operator: OperatorId,
    /// What is offered.
    pub offer: Offer,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// What became of the attempt to write a bid.
enum Written {
    Begun(Box<Bid>),
    Done(Box<Bid>),
    Earlier(Earlier),
}

/// What the last transaction found.
enum Outcome {
    Done(Box<Bid>),
    Answered(Vec<u8>),
    Gone,
}

impl App {
    /// Submits a bid: SUBMITTED with what it asks to be held, or nothing at all.
    ///
    /// # Errors
    /// `BID_DEADLINE_PASSED`; `INVALID_STATE_TRANSITION` on a closed request; `RESOURCE_NOT_FOUND` for a request that
    /// is not published to the operator; `QUOTA_EXCEEDED`; inventory's refusal, unchanged; what a request id is refused
    /// with.
    pub async fn submit_bid(&self, caller: &Caller, command: SubmitBid) -> Result<Answer<Bid>, Error> {
        let operator = &command.operator;
        let scope = caller.scope_of_operator(operator)?;
        let hands = Hands { db: &self.db, scope: &scope };
        let owner = format!("operators/{operator}");
        let key = RequestKey::new(owner, caller, rpc::SUBMIT_BID, command.request_id, &command.offer)?;
        let sagas = Sagas::Bids(operator);
        if !command.validate_only
            && let Some(reply) = self.answered(hands, sagas, &key).await?
        {
            return Ok(Answer::Replayed(reply));
        }
        let request = self.open_request(hands, &command.offer.request).await?;
        check_validity(&command.offer, request.need.bid_deadline)?;
        let name = BidName::new(operator.clone(), BidId::new(self.ids.next()));
        let uid = self.ids.next();
        let mut bid = Bid::begin(name, uid, command.offer, &request.need, self.now())?;
        let organisation = Organisation::Operator(operator.clone());
        let claims = self.inventory.claims_of(&organisation, &bid.offer).await?;
        if command.validate_only {
            return self.would_bid(hands, bid, &claims).await.map(Answer::Fresh);
        }
        if bid.offer.hold_seconds.is_none() {
            bid.state = BidState::Submitted;
        }
        let intent = Intent { key };
        failpoint("leasing.bid.before_intent")?;
        let bid = match self.write_bid(hands, bid, &intent).await? {
            Written::Begun(bid) => bid,
            Written::Done(bid) => {
                self.feed.notify();
                return Ok(Answer::Fresh(*bid));
            }
            Written::Earlier(Earlier::Answered(reply)) => return Ok(Answer::Replayed(reply)),
            Written::Earlier(_) => {
                let reply = self.answered(hands, sagas, &intent.key).await?;
                return reply.map(Answer::Replayed).ok_or_else(in_progress);
            }
        };
        failpoint("leasing.bid.after_intent")?;
        self.finish_bid(hands, *bid, &claims, &intent).await
    }

    /// A request that would take a bid now, as far as can be known before it is written.
    async fn open_request(
        &self,
        hands: Hands<'_>,
        name: &CapacityRequestName,
    ) -> Result<CapacityRequest, Error> {
        let found = hands
            .db
            .read("find_capacity_request", hands.scope, |tx| async move {
                let found = store::find_request(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?;
        let request = found.ok_or_else(|| Error::not_found("capacity request"))?;
        if request.accepts_bids { Ok(request) } else { Err(closed(&request)) }
    }

    async fn would_bid(&self, hands: Hands<'_>, bid: Bid, claims: &[Claim]) -> Result<Bid, Error> {
        let (name, request) = (&bid.name, &bid.offer.request);
        hands
            .db
            .read("count_bids", hands.scope, |tx| async move {
                within_quota(&tx, &name.operator, request).await?;
                Ok((tx, ()))
            })
            .await?;
        if let Some(seconds) = bid.offer.hold_seconds {
            self.inventory.hold_bid(&bid, claims, seconds, true).await?;
        }
        let mut bid = bid;
        bid.state = BidState::Submitted;
        Ok(bid)
    }

    /// Writes the bid, or the intent of one that holds. The deadline is judged by the statement that writes.
    async fn write_bid(&self, hands: Hands<'_>, bid: Bid, intent: &Intent) -> Result<Written, Error> {
        let bid = &bid;
        let sagas = Sagas::Bids(&bid.name.operator);
        hands
            .db
            .in_tx("submit_bid_intent", hands.scope, |tx| async move {
                let before = sagas.earlier(&tx, &intent.key).await?;
                if before != Earlier::None {
                    return Ok((tx, Written::Earlier(before)));
                }
                within_quota(&tx, &bid.name.operator, &bid.offer.request).await?;
                let holds = bid.state == BidState::Submitting;
                let written = store::insert_bid(tx.conn(), bid, Some(intent).filter(|_| holds)).await?;
                let Some(submit_time) = written else {
                    let now = sagas.earlier(&tx, &intent.key).await?;
                    if now != Earlier::None {
                        return Ok((tx, Written::Earlier(now)));
                    }
                    let request = store::find_request(tx.conn(), &bid.offer.request).await?;
                    return Err(
                        request.map_or_else(|| Error::not_found("capacity request"), |found| closed(&found))
                    );
                };
                let bid = Bid { submit_time, ..bid.clone() };
                if holds {
                    return Ok((tx, Written::Begun(Box::new(bid))));
                }
                self.record_bid(&tx, &bid, intent).await?;
                Ok((tx, Written::Done(Box::new(bid))))
            })
            .await
    }

    async fn record_bid(&self, tx: &Tx, bid: &Bid, intent: &Intent) -> Result<(), Error> {
        let time = store::database_time(tx.conn()).await?;
        self.tell_bid(tx, kind::BID_SUBMITTED, bid, time).await?;
        idempotency::record(tx.conn(), SCHEMA, &intent.key, &(self.wire.market.bid_submitted)(bid)).await
    }

    /// From the recorded intent to the end: also the sweeper's way.
    pub(crate) async fn finish_bid(
        &self,
        hands: Hands<'_>,
        bid: Bid,
        claims: &[Claim],
        intent: &Intent,
    ) -> Result<Answer<Bid>, Error> {
        let seconds =
            bid.offer.hold_seconds.ok_or_else(|| Error::internal("a bid without a hold was to be held"))?;
        let hold = match self.inventory.hold_bid(&bid, claims, seconds, false).await {
            Ok(hold) => hold.ok_or_else(|| Error::internal("inventory held nothing"))?,
            Err(refusal) if is_nothing_done(refusal.reason()) => {
                self.give_bid_up(hands, &bid).await?;
                return Err(refusal);
            }
            Err(open) => return Err(open),
        };
        failpoint("leasing.bid.after_hold")?;
        let outcome = self.record_bid_hold(hands, &bid, hold, intent).await?;
        failpoint("leasing.bid.after_record")?;
        match outcome {
            Outcome::Done(bid) => {
                self.feed.notify();
                Ok(Answer::Fresh(*bid))
            }
            Outcome::Answered(reply) => Ok(Answer::Replayed(reply)),
            // Refused to another worker of this saga a moment ago; the follower gives the late hold back.
            Outcome::Gone => Err(in_progress()),
        }
    }

    async fn give_bid_up(&self, hands: Hands<'_>, bid: &Bid) -> Result<(), Error> {
        hands
            .db
            .in_tx("submit_bid_refused", hands.scope, |tx| async move {
                store::delete_bid_intent(tx.conn(), bid).await?;
                Ok((tx, ()))
            })
            .await
    }

    async fn record_bid_hold(
        &self,
        hands: Hands<'_>,
        bid: &Bid,
        hold: Hold,
        intent: &Intent,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        hands
            .db
            .in_tx("submit_bid_held", hands.scope, |tx| async move {
                let Some(mut stored) = store::lock_bid(tx.conn(), &bid.name).await? else {
                    return Ok((tx, Outcome::Gone));
                };
                if stored.state != BidState::Submitting {
                    let reply = idempotency::find(tx.conn(), SCHEMA, &intent.key).await?;
                    return Ok((tx, reply.map_or(Outcome::Gone, Outcome::Answered)));
                }
                let from = stored.revision;
                stored.hold = Some(hold);
                stored.go(BidDeed::Hold, now)?;
                store::save_bid(tx.conn(), &stored, from, false).await?;
                self.record_bid(&tx, &stored, intent).await?;
                Ok((tx, Outcome::Done(Box::new(stored))))
            })
            .await
    }

    /// Appends a bid's event. Its operator is told, and its tenant once the bid is revealed at `time`, by the database's
    /// clock; nobody else, ever.
    pub(crate) async fn tell_bid(
        &self,
        tx: &Tx,
        kind: &'static str,
        bid: &Bid,
        time: Instant,
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(bid.name.operator.clone()),
            tenant: bid.is_revealed_at(time).then(|| bid.offer.request.tenant.clone()),
            kind,
            subject: bid.name.to_string(),
            occurred_at: bid.update_time,
            payload: (self.wire.market.bid_event)(bid),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

async fn within_quota(tx: &Tx, operator: &OperatorId, request: &CapacityRequestName) -> Result<(), Error> {
    if store::standing_bids(tx.conn(), operator, request).await? < STANDING_MAX {
        return Ok(());
    }
    let message =
        format!("The operator has {STANDING_MAX} bids standing on this request, as many as it may.");
    Err(Error::refused(Reason::QuotaExceeded, message)
        .with("subject", format!("operators/{operator}"))
        .with("quota", STANDING_MAX))
}

/// Why a request takes no bid: it is over, or its deadline has passed.
pub(crate) fn closed(request: &CapacityRequest) -> Error {
    if request.state == RequestState::Open {
        return deadline_passed(request.need.bid_deadline);
    }
    Error::invalid_transition("capacity request", request.state, RequestState::Open)
}

/// The deadline for bids has passed.
pub(crate) fn deadline_passed(deadline: Instant) -> Error {
    Error::refused(Reason::BidDeadlinePassed, "The deadline for bids has passed.")
        .with("bidDeadline", deadline.to_rfc3339())
}

fn check_validity(offer: &Offer, deadline: Instant) -> Result<(), Error> {
    let binds = offer.valid_until - deadline;
    if offer.valid_until > deadline && binds.num_days() <= VALIDITY_DAYS_MAX {
        return Ok(());
    }
    let violation = Violation::new("bid.valid_until_time", "must be after the deadline, by 366 days at most");
    Err(Error::refused(Reason::TermOutOfRange, "A bid binds beyond the deadline, by 366 days at most.")
        .with_violations(vec![violation]))
}
