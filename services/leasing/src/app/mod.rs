//! Orders one deed from its start to its commit: one use case a file.

mod accept_quote;
mod agreements;
mod assignment;
mod award_bid;
mod cancel_lease;
mod capacity_requests;
mod change_lease;
mod commence;
mod compare_with_mining;
mod deadlines;
mod follow_inventory;
mod heed_delivery;
mod history;
mod import_lease;
pub mod kind;
mod new_blocks;
mod once;
mod opportunities;
mod propose_lease;
mod quote_lease;
mod quotes;
mod rate_cards;
mod read_bids;
mod read_leases;
mod render_lease;
mod requests;
mod rights;
mod sign_lease;
mod submit_bid;
mod sweep;
mod sweep_market;
mod tell_claims;
mod tenants;

use std::sync::Arc;

use kernel::{Clock, Error, Ids, Instant, Scope};
use postgres::page::PageTokens;
use postgres::{Db, NewEvent, Tx, outbox};
use runtime::feed::Feed;

use crate::domain::quote_record::Quote;
use crate::domain::{
    Bid, CapacityRequest, Lease, MasterAgreement, Opportunity, RateCard, RightOffer, Tenant, Value,
};
use crate::peers::Inventory;
use crate::store::{self, SCHEMA};

pub use accept_quote::AcceptQuote;
pub use agreements::{CreateMasterAgreement, EndMasterAgreement, ListMasterAgreements, SignMasterAgreement};
pub use award_bid::{Award, AwardBid};
pub use cancel_lease::CancelLease;
pub use capacity_requests::{CancelCapacityRequest, CreateCapacityRequest, ListCapacityRequests};
pub use change_lease::ChangeLease;
pub use compare_with_mining::{CompareWithMining, PowerOf};
pub use deadlines::ListDeadlines;
pub use follow_inventory::InventoryFollower;
pub use history::GetHistory;
pub use import_lease::{ImportLease, Paper};
pub use opportunities::{CreateOpportunity, ListOpportunities, UpdateOpportunity};
pub use propose_lease::{OfQuote, ProposeLease};
pub use quote_lease::QuoteLease;
pub use quotes::{AnswerQuote, ListQuotes};
pub use rate_cards::{CardCommand, ChangeRateCard, CreateRateCard, ListRateCards};
pub use read_bids::{ListBids, WithdrawBid};
pub use read_leases::{ListLeases, RentSchedule};
pub use rights::{AnswerRight, ListRightOffers, OfferToRightHolders};
pub use sign_lease::SignLease;
pub use submit_bid::SubmitBid;
pub use sweep::SWEEPS;
pub use tenants::{CreateTenant, ListTenants};

/// A lease as it is told: with what it is worth.
#[derive(Clone, Debug)]
pub struct View {
    /// The lease.
    pub lease: Lease,
    /// Its figures.
    pub value: Value,
}

impl View {
    /// The view of a lease.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE`, which a lease that was accepted does not give.
    pub fn of(lease: Lease) -> Result<Self, Error> {
        let value = lease.value()?;
        Ok(Self { lease, value })
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Asks for the next page; empty on the last.
    pub next: String,
}

/// How stored replies and events become bytes; handed in, since only the wire's room knows its types.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The payload of a lease's event.
    pub event: fn(&View) -> Vec<u8>,
    /// The payload of a tenant's event.
    pub tenant_event: fn(&Tenant) -> Vec<u8>,
    /// The reply to a proposal.
    pub proposed: fn(&View) -> Vec<u8>,
    /// The reply to a signature.
    pub signed: fn(&View) -> Vec<u8>,
    /// The reply to a cancellation.
    pub cancelled: fn(&View) -> Vec<u8>,
    /// The reply to a contract that was brought in.
    pub imported: fn(&View) -> Vec<u8>,
    /// The payload of a quote's event: what its tenant may see.
    pub quote_event: fn(&Quote) -> Vec<u8>,
    /// The reply to a question for a quote.
    pub quoted: fn(&Quote) -> Vec<u8>,
    /// The reply to an approval of a quote.
    pub quote_approved: fn(&Quote) -> Vec<u8>,
    /// The reply to a rejection, the same for both sides.
    pub quote_rejected: fn(&Quote) -> Vec<u8>,
    /// The reply to an acceptance, the same for both sides.
    pub quote_accepted: fn(&Quote) -> Vec<u8>,
    /// The payload of a rate card's event.
    pub card_event: fn(&RateCard) -> Vec<u8>,
    /// The reply to a draft.
    pub card_created: fn(&RateCard) -> Vec<u8>,
    /// The reply to a change of a draft.
    pub card_changed: fn(&RateCard) -> Vec<u8>,
    /// The reply to an approval.
    pub card_approved: fn(&RateCard) -> Vec<u8>,
    /// The reply to a retirement.
    pub card_retired: fn(&RateCard) -> Vec<u8>,
    /// The reply to whatever is said about an agreed lease: all of one form.
    pub changed: fn(&View) -> Vec<u8>,
    /// The reply to a registration.
    pub tenant_created: fn(&Tenant) -> Vec<u8>,
    /// Of requests, bids and opportunities.
    pub market: MarketWire,
    /// Of rights.
    pub rights: RightWire,
    /// Of master agreements.
    pub agreements: AgreementWire,
}

/// How what is told of master agreements becomes bytes.
#[derive(Clone, Copy)]
pub struct AgreementWire {
    /// The payload of an agreement's event.
    pub event: fn(&MasterAgreement) -> Vec<u8>,
    /// The reply to a draft.
    pub created: fn(&MasterAgreement) -> Vec<u8>,
    /// The reply to a signature.
    pub signed: fn(&MasterAgreement) -> Vec<u8>,
    /// The reply to an end.
    pub ended: fn(&MasterAgreement) -> Vec<u8>,
}

/// How what is told of rights becomes bytes.
#[derive(Clone, Copy)]
pub struct RightWire {
    /// The payload of an offer's event: what the holder may see.
    pub event: fn(&RightOffer) -> Vec<u8>,
    /// The reply to a question to the holders, for the operator.
    pub offered: fn(&Vec<RightOffer>) -> Vec<u8>,
    /// The reply to an exercise.
    pub exercised: fn(&RightOffer) -> Vec<u8>,
    /// The reply to a waiver.
    pub waived: fn(&RightOffer) -> Vec<u8>,
}

/// How what is told of requests, bids and opportunities becomes bytes.
#[derive(Clone, Copy)]
pub struct MarketWire {
    /// The payload of a capacity request's event.
    pub request_event: fn(&CapacityRequest) -> Vec<u8>,
    /// The payload of a bid's event.
    pub bid_event: fn(&Bid) -> Vec<u8>,
    /// The payload of an opportunity's event.
    pub opportunity_event: fn(&Opportunity) -> Vec<u8>,
    /// The reply to a publication.
    pub request_created: fn(&CapacityRequest) -> Vec<u8>,
    /// The reply to a cancellation.
    pub request_cancelled: fn(&CapacityRequest) -> Vec<u8>,
    /// The reply to a bid.
    pub bid_submitted: fn(&Bid) -> Vec<u8>,
    /// The reply to a withdrawal.
    pub bid_withdrawn: fn(&Bid) -> Vec<u8>,
    /// The reply to an award.
    pub awarded: fn(&Award) -> Vec<u8>,
    /// The reply to a new opportunity.
    pub opportunity_created: fn(&Opportunity) -> Vec<u8>,
    /// The reply to a changed opportunity.
    pub opportunity_updated: fn(&Opportunity) -> Vec<u8>,
}

/// What every use case works with.
pub struct App {
    /// The store, for requests.
    pub db: Db,
    /// The store, for background work.
    pub worker_db: Db,
    /// Business time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Inventory.
    pub inventory: Inventory,
    /// Seals page tokens.
    pub pages: PageTokens,
    /// Wakes watchers.
    pub feed: Feed,
    /// How things are written.
    pub wire: Wire,
}

/// Full names of the writing RPCs: part of every request key.
pub mod rpc {
    /// `ProposeLease`.
    pub const PROPOSE: &str = "gridlease.leasing.v1.LeaseService/ProposeLease";
    /// `ImportLease`.
    pub const IMPORT: &str = "gridlease.leasing.v1.LeaseService/ImportLease";
    /// `SignLease`.
    pub const SIGN: &str = "gridlease.leasing.v1.LeaseService/SignLease";
    /// `CancelLease`.
    pub const CANCEL: &str = "gridlease.leasing.v1.LeaseService/CancelLease";
    /// `QuoteLease`.
    pub const QUOTE_LEASE: &str = "gridlease.leasing.v1.OfferService/QuoteLease";
    /// `ApproveQuote`.
    pub const APPROVE_QUOTE: &str = "gridlease.leasing.v1.OfferService/ApproveQuote";
    /// `RejectQuote`.
    pub const REJECT_QUOTE: &str = "gridlease.leasing.v1.OfferService/RejectQuote";
    /// `AcceptQuote`.
    pub const ACCEPT_QUOTE: &str = "gridlease.leasing.v1.OfferService/AcceptQuote";
    /// `CreateRateCard`.
    pub const CREATE_RATE_CARD: &str = "gridlease.leasing.v1.OfferService/CreateRateCard";
    /// `UpdateRateCard`.
    pub const UPDATE_RATE_CARD: &str = "gridlease.leasing.v1.OfferService/UpdateRateCard";
    /// `ApproveRateCard`.
    pub const APPROVE_RATE_CARD: &str = "gridlease.leasing.v1.OfferService/ApproveRateCard";
    /// `RetireRateCard`.
    pub const RETIRE_RATE_CARD: &str = "gridlease.leasing.v1.OfferService/RetireRateCard";
    /// `SatisfyCondition`.
    pub const SATISFY: &str = "gridlease.leasing.v1.LeaseService/SatisfyCondition";
    /// `AcceptBlock`.
    pub const ACCEPT: &str = "gridlease.leasing.v1.LeaseService/AcceptBlock";
    /// `GiveNotice`.
    pub const NOTICE: &str = "gridlease.leasing.v1.LeaseService/GiveNotice";
    /// `TerminateLease`.
    pub const TERMINATE: &str = "gridlease.leasing.v1.LeaseService/TerminateLease";
    /// `ProposeAmendment`.
    pub const PROPOSE_AMENDMENT: &str = "gridlease.leasing.v1.LeaseService/ProposeAmendment";
    /// `SignAmendment`.
    pub const SIGN_AMENDMENT: &str = "gridlease.leasing.v1.LeaseService/SignAmendment";
    /// `WithdrawAmendment`.
    pub const WITHDRAW_AMENDMENT: &str = "gridlease.leasing.v1.LeaseService/WithdrawAmendment";
    /// `ExerciseOption`.
    pub const EXERCISE: &str = "gridlease.leasing.v1.LeaseService/ExerciseOption";
    /// `NominatePremises`.
    pub const NOMINATE: &str = "gridlease.leasing.v1.LeaseService/NominatePremises";
    /// `BeginHoldover`.
    pub const BEGIN_HOLDOVER: &str = "gridlease.leasing.v1.LeaseService/BeginHoldover";
    /// `EndHoldover`.
    pub const END_HOLDOVER: &str = "gridlease.leasing.v1.LeaseService/EndHoldover";
    /// `RequestAssignment`.
    pub const REQUEST_ASSIGNMENT: &str = "gridlease.leasing.v1.LeaseService/RequestAssignment";
    /// `ConsentToAssignment`.
    pub const CONSENT_TO_ASSIGNMENT: &str = "gridlease.leasing.v1.LeaseService/ConsentToAssignment";
    /// `DeclineAssignment`.
    pub const DECLINE_ASSIGNMENT: &str = "gridlease.leasing.v1.LeaseService/DeclineAssignment";
    /// Those whose deeds the sweeper may have to finish.
    pub const SAGAS: &[&str] = &[
        PROPOSE,
        IMPORT,
        SIGN,
        SATISFY,
        ACCEPT,
        NOTICE,
        TERMINATE,
        PROPOSE_AMENDMENT,
        SIGN_AMENDMENT,
        NOMINATE,
        BEGIN_HOLDOVER,
    ];
    /// `OfferToRightHolders`.
    pub const OFFER_TO_RIGHT_HOLDERS: &str = "gridlease.leasing.v1.RightService/OfferToRightHolders";
    /// `ExerciseRight`.
    pub const EXERCISE_RIGHT: &str = "gridlease.leasing.v1.RightService/ExerciseRight";
    /// `WaiveRight`.
    pub const WAIVE_RIGHT: &str = "gridlease.leasing.v1.RightService/WaiveRight";
    /// `ListRightOffers`.
    pub const LIST_RIGHT_OFFERS: &str = "gridlease.leasing.v1.RightService/ListRightOffers";
    /// `CreateMasterAgreement`.
    pub const CREATE_AGREEMENT: &str = "gridlease.leasing.v1.AgreementService/CreateMasterAgreement";
    /// `SignMasterAgreement`.
    pub const SIGN_AGREEMENT: &str = "gridlease.leasing.v1.AgreementService/SignMasterAgreement";
    /// `EndMasterAgreement`.
    pub const END_AGREEMENT: &str = "gridlease.leasing.v1.AgreementService/EndMasterAgreement";
    /// `ListMasterAgreements`.
    pub const LIST_AGREEMENTS: &str = "gridlease.leasing.v1.AgreementService/ListMasterAgreements";
    /// `CreateTenant`.
    pub const CREATE_TENANT: &str = "gridlease.leasing.v1.TenantService/CreateTenant";
    /// `ListDeadlines`.
    pub const LIST_DEADLINES: &str = "gridlease.leasing.v1.LeaseService/ListDeadlines";
    /// `CreateCapacityRequest`.
    pub const CREATE_CAPACITY_REQUEST: &str = "gridlease.leasing.v1.MarketService/CreateCapacityRequest";
    /// `CancelCapacityRequest`.
    pub const CANCEL_CAPACITY_REQUEST: &str = "gridlease.leasing.v1.MarketService/CancelCapacityRequest";
    /// `ListCapacityRequests`.
    pub const LIST_CAPACITY_REQUESTS: &str = "gridlease.leasing.v1.MarketService/ListCapacityRequests";
    /// `SubmitBid`.
    pub const SUBMIT_BID: &str = "gridlease.leasing.v1.MarketService/SubmitBid";
    /// `WithdrawBid`.
    pub const WITHDRAW_BID: &str = "gridlease.leasing.v1.MarketService/WithdrawBid";
    /// `ListBids`.
    pub const LIST_BIDS: &str = "gridlease.leasing.v1.MarketService/ListBids";
    /// `AwardBid`.
    pub const AWARD_BID: &str = "gridlease.leasing.v1.MarketService/AwardBid";
    /// `CreateOpportunity`.
    pub const CREATE_OPPORTUNITY: &str = "gridlease.leasing.v1.PipelineService/CreateOpportunity";
    /// `UpdateOpportunity`.
    pub const UPDATE_OPPORTUNITY: &str = "gridlease.leasing.v1.PipelineService/UpdateOpportunity";
    /// `ListOpportunities`.
    pub const LIST_OPPORTUNITIES: &str = "gridlease.leasing.v1.PipelineService/ListOpportunities";
}

/// Whose connection a step of a saga runs on: the caller's while it waits, the worker's after it.
#[derive(Clone, Copy)]
pub(crate) struct Hands<'a> {
    pub(crate) db: &'a Db,
    pub(crate) scope: &'a Scope,
}

impl App {
    /// Now, in business time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The hands of background work.
    pub(crate) fn worker(&self) -> Hands<'_> {
        Hands { db: &self.worker_db, scope: &Scope::Worker }
    }

    /// Appends a lease's event in the transaction of the change. Its audience is the lease's two sides.
    pub(crate) async fn tell(&self, tx: &Tx, kind: &'static str, view: &View) -> Result<(), Error> {
        let lease = &view.lease;
        let event = NewEvent {
            operator: Some(lease.name.operator.clone()),
            tenant: Some(lease.tenant.tenant.clone()),
            kind,
            subject: lease.name.to_string(),
            occurred_at: lease.update_time,
            payload: (self.wire.event)(view),
        };
        store::note_happening(tx.conn(), lease, kind).await?;
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}
