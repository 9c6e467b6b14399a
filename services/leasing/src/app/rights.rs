//! Rights of first refusal and offer: their holders are asked, answer or do not, and until then nobody else signs.

use chrono::TimeDelta;
use kernel::{Caller, Error, LeaseName, OperatorParent, RightOfferId, RightOfferName, Scope, Uuid};
use postgres::page::Listing;
use postgres::{Answer as Reply, NewEvent, RequestKey, Tx, outbox};
use serde::Serialize;

use super::once::Once;
use super::{App, Page, kind, rpc};
use crate::domain::right::{Answer, OfferDeed, OfferState, RightOffer, check_cleared, without_parties};
use crate::domain::{Lease, LeaseState, Signatory};
use crate::store::{self, RightOfferFilter, SCHEMA};

/// Offers of one lease that are read, and offers that are ended, at once.
const BATCH: u32 = 1_000;

/// Which lease's holders of rights are asked.
#[derive(Clone, Debug, Serialize)]
pub struct OfferToRightHolders {
    /// The proposed lease.
    pub name: LeaseName,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What the holder of a right says.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerRight {
    /// The offer.
    pub name: RightOfferName,
    /// Whether it is taken, or let pass.
    pub exercise: bool,
    /// Who signs.
    pub signatory: Signatory,
    /// What is said with it.
    pub note: String,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListRightOffers {
    /// Of whom.
    pub parent: OperatorParent,
    /// In these states; empty is any.
    pub states: Vec<OfferState>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

impl App {
    /// Asks every holder of a right on what a proposed lease would take, who was not asked yet.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`; what a request id is refused with.
    pub async fn offer_to_right_holders(
        &self,
        caller: &Caller,
        command: OfferToRightHolders,
    ) -> Result<Reply<Vec<RightOffer>>, Error> {
        let name = &command.name;
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("lease"))?;
        let owner = format!("operators/{}", name.operator);
        let key = &RequestKey::new(owner, caller, rpc::OFFER_TO_RIGHT_HOLDERS, command.request_id, &command)?;
        let how = Once {
            name: "offer_to_right_holders",
            scope,
            key,
            validate_only: command.validate_only,
            reply: self.wire.rights.offered,
        };
        let etag = command.etag.as_str();
        self.once(how, |tx| async move {
            let lease = store::lock(tx.conn(), name).await?.ok_or_else(|| Error::not_found("lease"))?;
            lease.check_etag(etag)?;
            if lease.state != LeaseState::Proposed {
                return Err(Error::invalid_transition("lease", lease.state, LeaseState::Proposed));
            }
            self.ask_holders(&tx, &lease).await?;
            let filter = RightOfferFilter {
                operator: Some(name.operator.clone()),
                offered_lease: Some(name.lease.clone()),
                limit: BATCH,
                ..RightOfferFilter::default()
            };
            let all = store::list_right_offers(tx.conn(), &filter).await?;
            Ok((tx, all))
        })
        .await
    }

    async fn ask_holders(&self, tx: &Tx, lease: &Lease) -> Result<(), Error> {
        let (now, real_time) = (self.now(), store::database_time(tx.conn()).await?);
        let rights = store::rights_on(tx.conn(), lease, store::places_of(lease), lease.today(now)).await?;
        for one in rights.into_iter().filter(|one| one.offer.is_none()) {
            let id = RightOfferId::new(self.ids.next());
            let offer = RightOffer {
                name: RightOfferName::new(lease.name.operator.clone(), id),
                lease: one.lease,
                respond_by: real_time + TimeDelta::days(one.right.response_days.into()),
                right: one.right,
                tenant: one.tenant,
                offered_lease: lease.name.clone(),
                terms: without_parties(&lease.terms),
                state: OfferState::Open,
                answer: None,
                revision: 1,
                create_time: now,
                update_time: now,
            };
            store::insert_right_offer(tx.conn(), &offer).await?;
            self.tell_right(tx, kind::RIGHT_OFFERED, &offer).await?;
        }
        Ok(())
    }

    /// The holder takes what is offered, or lets it pass.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`; what a request id is refused with.
    pub async fn answer_right(
        &self,
        caller: &Caller,
        command: AnswerRight,
    ) -> Result<Reply<RightOffer>, Error> {
        let name = &command.name;
        let scope = &scope_of(caller, name)?;
        let owner = format!("operators/{}", name.operator);
        let (deed, rpc, event, reply) = if command.exercise {
            (OfferDeed::Exercise, rpc::EXERCISE_RIGHT, kind::RIGHT_EXERCISED, self.wire.rights.exercised)
        } else {
            (OfferDeed::Waive, rpc::WAIVE_RIGHT, kind::RIGHT_WAIVED, self.wire.rights.waived)
        };
        let key = &RequestKey::new(owner, caller, rpc, command.request_id, &command)?;
        let how = Once { name: "answer_right", scope, key, validate_only: command.validate_only, reply };
        let answer = &Answer {
            signatory: command.signatory.clone(),
            note: command.note.clone(),
            subject: caller.subject.clone(),
            time: self.now(),
        };
        let etag = command.etag.as_str();
        self.once(how, |tx| async move {
            let offer = store::lock_right_offer(tx.conn(), name).await?.ok_or_else(absent)?;
            if !etag.is_empty() && etag != offer.etag() {
                return Err(Error::etag_mismatch());
            }
            // The database's time, since the row is locked: nobody waits his way into an offer that is over.
            let real_time = store::database_time(tx.conn()).await?;
            let from = offer.revision;
            let offer = offer.answered(deed, answer.clone(), real_time)?;
            store::save_right_offer(tx.conn(), &offer, from).await?;
            self.tell_right(&tx, event, &offer).await?;
            Ok((tx, offer))
        })
        .await
    }

    /// One offer.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or another's.
    pub async fn get_right_offer(&self, caller: &Caller, name: &RightOfferName) -> Result<RightOffer, Error> {
        self.db
            .read("get_right_offer", &scope_of(caller, name)?, |tx| async move {
                let found = store::find_right_offer(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(absent)
    }

    /// A page of offers in order of name.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for another's operator; `INVALID_PAGE_TOKEN`.
    pub async fn list_right_offers(
        &self,
        caller: &Caller,
        query: &ListRightOffers,
    ) -> Result<Page<RightOffer>, Error> {
        let scope = match &query.parent {
            OperatorParent::All => caller.scope(),
            OperatorParent::One(operator) => caller.scope_of_operator(operator)?,
        };
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let filter_text = format!("{} {}", query.parent, states.join(","));
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: rpc::LIST_RIGHT_OFFERS, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let filter = &RightOfferFilter {
            operator: query.parent.operator().cloned(),
            offered_lease: None,
            states: query.states.clone(),
            after: self.pages.open(&listing, &query.page_token, real_time)?,
            limit: query.page_size + 1,
        };
        let rows = self
            .db
            .read("list_right_offers", &scope, |tx| async move {
                let rows = store::list_right_offers(tx.conn(), filter).await?;
                Ok((tx, rows))
            })
            .await?;
        self.page_of(&listing, real_time, query.page_size, rows, RightOffer::place)
    }

    /// Refuses to sign a lease on which somebody else has a right that is not cleared. It is asked with the worker's eyes,
    /// since no side of a lease sees the rights of others, and before the signature, since what is cleared stays cleared: an
    /// answer is final, and a right that comes later binds what comes after it.
    ///
    /// # Errors
    /// `RIGHT_NOT_CLEARED`.
    pub(crate) async fn rights_cleared(&self, lease: &Lease) -> Result<(), Error> {
        let hands = self.worker();
        let today = lease.today(self.now());
        let rights = hands
            .db
            .in_tx("rights_cleared", hands.scope, |tx| async move {
                // Whoever has not answered by now has waived, also if the sweeper has not been here.
                self.end_offers(&tx, Some(&lease.name)).await?;
                let rights = store::rights_on(tx.conn(), lease, store::places_of(lease), today).await?;
                Ok((tx, rights))
            })
            .await?;
        check_cleared(&rights)
    }

    /// Offers whose time is over are waived; those of leases that nobody signs any more are withdrawn.
    pub(crate) async fn sweep_rights(&self) -> Result<(), Error> {
        let hands = self.worker();
        let ended = hands
            .db
            .in_tx("end_right_offers", hands.scope, |tx| async move {
                let ended = self.end_offers(&tx, None).await?;
                Ok((tx, ended))
            })
            .await?;
        if ended > 0 {
            self.feed.notify();
        }
        Ok(())
    }

    async fn end_offers(&self, tx: &Tx, of: Option<&LeaseName>) -> Result<usize, Error> {
        let due = store::due_right_offers(tx.conn(), of, BATCH).await?;
        let count = due.len();
        for (offer, is_late) in due {
            let (deed, event) = if is_late {
                (OfferDeed::Lapse, kind::RIGHT_DEEMED_WAIVED)
            } else {
                (OfferDeed::Withdraw, kind::RIGHT_WITHDRAWN)
            };
            let from = offer.revision;
            let offer = offer.ended(deed, self.now())?;
            store::save_right_offer(tx.conn(), &offer, from).await?;
            self.tell_right(tx, event, &offer).await?;
        }
        Ok(count)
    }

    /// Appends an offer's event for its operator and the holder, in the holder's words.
    async fn tell_right(&self, tx: &Tx, kind: &'static str, offer: &RightOffer) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(offer.name.operator.clone()),
            tenant: Some(offer.tenant.tenant.clone()),
            kind,
            subject: offer.name.to_string(),
            occurred_at: offer.update_time,
            payload: (self.wire.rights.event)(offer),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

fn scope_of(caller: &Caller, name: &RightOfferName) -> Result<Scope, Error> {
    caller.scope_of_operator(&name.operator).map_err(|_| absent())
}

fn absent() -> Error {
    Error::not_found("right offer")
}
