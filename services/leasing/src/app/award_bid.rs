//! Awarding: the choice is one durable transaction; then what each chosen bid holds is secured, one operator after the
//! other, each its own step; then the choice is settled. Whoever dies in between, the sweeper goes on.

use futures::StreamExt as _;
use kernel::{BidName, Caller, CapacityRequestName, Error, Instant, Reason, Uuid};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::capacity_requests::own_scope;
use super::requests::{Earlier, Sagas, in_progress, is_refusal};
use super::{App, Hands, kind, rpc};
use crate::domain::Hold;
use crate::domain::bid::Bid;
use crate::domain::capacity_request::CapacityRequest;
use crate::domain::market_state::{BidDeed, BidState, RequestDeed, RequestState};
use crate::store::{self, Intent, SCHEMA};

/// Holds secured side by side.
const ABREAST: usize = 8;

/// What an award asks for.
#[derive(Clone, Debug, Serialize)]
pub struct AwardBid {
    /// The request.
    pub name: CapacityRequestName,
    /// The bids that win.
    pub bids: Vec<BidName>,
    /// How long their holds are to last from now, in seconds.
    pub hold_seconds: i64,
    /// What was read of the request; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What came of a choice.
#[derive(Clone, Debug)]
pub struct Award {
    /// The request.
    pub request: CapacityRequest,
    /// The chosen bids, in order.
    pub bids: Vec<Bid>,
}

/// What became of the attempt to choose.
enum Chosen {
    Begun(Box<Award>),
    Earlier(Earlier),
}

/// What the last transaction found.
enum Outcome {
    Done(Box<Award>),
    Answered(Vec<u8>),
    Open,
}

impl App {
    /// Awards a request to bids.
    ///
    /// # Errors
    /// `BID_DEADLINE_PENDING` while bids are sealed, `BID_EXPIRED`, `INVALID_STATE_TRANSITION`, `ETAG_MISMATCH`,
    /// `RESOURCE_NOT_FOUND`; what a request id is refused with; `PEER_UNAVAILABLE` and its like leave the outcome to the
    /// sweeper: the same request id finds it.
    pub async fn award_bid(&self, caller: &Caller, command: AwardBid) -> Result<Answer<Award>, Error> {
        let tenant = &command.name.tenant;
        let scope = own_scope(caller, tenant, "capacity request")?;
        let hands = Hands { db: &self.db, scope: &scope };
        let owner = format!("tenants/{tenant}");
        let key = RequestKey::new(owner, caller, rpc::AWARD_BID, command.request_id, &command)?;
        let sagas = Sagas::Awards(tenant);
        if command.validate_only {
            return self.would_award(hands, &command).await.map(Answer::Fresh);
        }
        if let Some(reply) = self.answered(hands, sagas, &key).await? {
            return Ok(Answer::Replayed(reply));
        }
        let intent = Intent { key };
        failpoint("leasing.award.before_intent")?;
        let award = match self.choose(hands, &command, &intent).await? {
            Chosen::Begun(award) => award,
            Chosen::Earlier(Earlier::Answered(reply)) => return Ok(Answer::Replayed(reply)),
            Chosen::Earlier(_) => {
                let reply = self.answered(hands, sagas, &intent.key).await?;
                return reply.map(Answer::Replayed).ok_or_else(in_progress);
            }
        };
        failpoint("leasing.award.after_intent")?;
        self.finish_award(hands, *award, &intent).await
    }

    async fn would_award(&self, hands: Hands<'_>, command: &AwardBid) -> Result<Award, Error> {
        let now = self.now();
        hands
            .db
            .read("would_award", hands.scope, |tx| async move {
                let found = store::find_request(tx.conn(), &command.name).await?;
                let mut request = found.ok_or_else(|| Error::not_found("capacity request"))?;
                self.may_award(&tx, &mut request, command, now).await?;
                let mut bids = Vec::new();
                for name in &command.bids {
                    let mut bid =
                        store::find_bid(tx.conn(), name).await?.ok_or_else(|| Error::not_found("bid"))?;
                    may_win(&tx, &mut bid, command, now).await?;
                    bids.push(bid);
                }
                Ok((tx, Award { request, bids }))
            })
            .await
    }

    /// The choice, in one transaction: the request first, then its bids.
    async fn choose(&self, hands: Hands<'_>, command: &AwardBid, intent: &Intent) -> Result<Chosen, Error> {
        let now = self.now();
        let sagas = Sagas::Awards(&command.name.tenant);
        hands
            .db
            .in_tx("award_bid_intent", hands.scope, |tx| async move {
                let stored = store::lock_request(tx.conn(), &command.name).await?;
                let before = sagas.earlier(&tx, &intent.key).await?;
                if before != Earlier::None {
                    return Ok((tx, Chosen::Earlier(before)));
                }
                let mut request = stored.ok_or_else(|| Error::not_found("capacity request"))?;
                let from = request.revision;
                self.may_award(&tx, &mut request, command, now).await?;
                store::save_request(tx.conn(), &request, from, Some(intent)).await?;
                let round = request.round()?;
                let mut bids = Vec::new();
                for (number, name) in round.zip(&command.bids) {
                    let Some(mut bid) = store::lock_bid(tx.conn(), name).await? else {
                        return Err(why_not(&tx, name, command).await?);
                    };
                    let from = bid.revision;
                    may_win(&tx, &mut bid, command, now).await?;
                    bid.award_no = Some(number);
                    store::save_bid(tx.conn(), &bid, from, false).await?;
                    bids.push(bid);
                }
                Ok((tx, Chosen::Begun(Box::new(Award { request, bids }))))
            })
            .await
    }

    /// Whether the request may be awarded now: by the database's time in the transaction of the award.
    async fn may_award(
        &self,
        tx: &Tx,
        request: &mut CapacityRequest,
        command: &AwardBid,
        now: Instant,
    ) -> Result<(), Error> {
        request.check_etag(&command.etag)?;
        request.state.after(RequestDeed::Choose)?;
        let deadline = request.need.bid_deadline;
        if !request.need.reveal_at_once && store::database_time(tx.conn()).await? < deadline {
            return Err(Error::refused(Reason::BidDeadlinePending, "Bids are sealed until their deadline.")
                .with("bidDeadline", deadline.to_rfc3339()));
        }
        request.choose(command.hold_seconds, now)
    }

    /// From the recorded choice to the end: also the sweeper's way.
    pub(crate) async fn finish_award(
        &self,
        hands: Hands<'_>,
        award: Award,
        intent: &Intent,
    ) -> Result<Answer<Award>, Error> {
        let Award { request, bids } = award;
        let seconds = request.award_hold_seconds.unwrap_or_default();
        let waiting = bids.into_iter().filter(|bid| bid.state == BidState::Awarding);
        let secured: Vec<Result<(), Error>> = futures::stream::iter(waiting)
            .map(|bid| async move { self.secure(hands, &bid, seconds).await })
            .buffer_unordered(ABREAST)
            .collect()
            .await;
        // One that could not be asked keeps the award open; the others have gone on meanwhile.
        secured.into_iter().collect::<Result<Vec<()>, Error>>()?;
        failpoint("leasing.award.before_settle")?;
        let outcome = self.settle(hands, &request.name, intent).await?;
        failpoint("leasing.award.after_settle")?;
        match outcome {
            Outcome::Done(award) => {
                self.feed.notify();
                Ok(Answer::Fresh(*award))
            }
            Outcome::Answered(reply) => Ok(Answer::Replayed(reply)),
            Outcome::Open => Err(in_progress()),
        }
    }

    /// One operator's step: what the bid holds is made to last, or the bid lapses with what it held.
    async fn secure(&self, hands: Hands<'_>, bid: &Bid, seconds: i64) -> Result<(), Error> {
        let round = bid.award_no.unwrap_or_default();
        let secured = match bid.hold {
            None => Ok(None),
            Some(hold) => match self.inventory.secure_bid(bid, hold, round, seconds).await {
                Ok(hold) => Ok(Some(hold)),
                Err(refusal) if is_refusal(refusal.reason()) => Err(refusal),
                Err(open) => return Err(open),
            },
        };
        failpoint("leasing.award.after_secure")?;
        if let Err(refusal) = &secured {
            tracing::info!(bid = %bid.name, reason = %refusal.reason(), "the hold of a chosen bid is gone");
        }
        self.record_secured(hands, &bid.name, secured.ok()).await
    }

    async fn record_secured(
        &self,
        hands: Hands<'_>,
        name: &BidName,
        secured: Option<Option<Hold>>,
    ) -> Result<(), Error> {
        let now = self.now();
        hands
            .db
            .in_tx("award_bid_secured", hands.scope, |tx| async move {
                let Some(mut bid) = store::lock_bid(tx.conn(), name).await? else { return Ok((tx, ())) };
                if bid.state != BidState::Awarding {
                    // Another worker of this saga was here.
                    return Ok((tx, ()));
                }
                let from = bid.revision;
                let (deed, kind) = match secured {
                    Some(hold) => {
                        bid.hold = hold.or(bid.hold);
                        (BidDeed::Award, kind::BID_AWARDED)
                    }
                    None => (BidDeed::Lapse, kind::BID_LAPSED),
                };
                if let (BidDeed::Lapse, Some(hold)) = (deed, bid.hold) {
                    let id = name.bid.to_string();
                    store::note_release(tx.conn(), &name.operator, hold.reservation, &id).await?;
                }
                bid.go(deed, now)?;
                store::save_bid(tx.conn(), &bid, from, false).await?;
                let time = store::database_time(tx.conn()).await?;
                self.tell_bid(&tx, kind, &bid, time).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// All chosen bids are won or lapsed: the request is AWARDED, or OPEN again. The others are lost by the sweeper.
    async fn settle(
        &self,
        hands: Hands<'_>,
        name: &CapacityRequestName,
        intent: &Intent,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        hands
            .db
            .in_tx("award_bid_settled", hands.scope, |tx| async move {
                let stored = store::lock_request(tx.conn(), name).await?;
                let mut request = stored.ok_or_else(|| Error::not_found("capacity request"))?;
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, &intent.key).await? {
                    return Ok((tx, Outcome::Answered(reply)));
                }
                if request.state != RequestState::Awarding {
                    return Ok((tx, Outcome::Open));
                }
                let bids = store::chosen_bids(tx.conn(), name, request.round()?).await?;
                if bids.iter().any(|bid| bid.state == BidState::Awarding) {
                    return Ok((tx, Outcome::Open));
                }
                let from = request.revision;
                request.settle(bids.iter().all(|bid| bid.state == BidState::Awarded), now)?;
                store::save_request(tx.conn(), &request, from, None).await?;
                if request.state == RequestState::Awarded {
                    self.tell_request(&tx, kind::CAPACITY_REQUEST_AWARDED, &request).await?;
                }
                let award = Award { request, bids };
                idempotency::record(tx.conn(), SCHEMA, &intent.key, &(self.wire.market.awarded)(&award))
                    .await?;
                Ok((tx, Outcome::Done(Box::new(award))))
            })
            .await
    }
}

/// Why a bid cannot be chosen that a tenant cannot lock: row security lets it change a bid that stands, and read more.
async fn why_not(tx: &Tx, name: &BidName, command: &AwardBid) -> Result<Error, Error> {
    let found = store::find_bid(tx.conn(), name).await?.filter(|bid| bid.offer.request == command.name);
    let refused = found.and_then(|bid| bid.state.after(BidDeed::Choose).err());
    Ok(refused.unwrap_or_else(|| Error::not_found("bid")))
}

/// Whether a bid may win: it is on this request, it stands, and it still binds by the database's time in the
/// transaction of the award.
async fn may_win(tx: &Tx, bid: &mut Bid, command: &AwardBid, now: Instant) -> Result<(), Error> {
    if bid.offer.request != command.name {
        return Err(Error::not_found("bid"));
    }
    if bid.state == BidState::Submitted && bid.offer.valid_until <= store::database_time(tx.conn()).await? {
        return Err(Error::refused(Reason::BidExpired, "The bid no longer binds its operator.")
            .with("bid", &bid.name)
            .with("validUntilTime", bid.offer.valid_until.to_rfc3339()));
    }
    bid.go(BidDeed::Choose, now)
}
