//! Translates and decides nothing: wire to command, one use case, result to wire.

mod agreement;
mod agreement_service;
mod amendment;
mod assignment;
mod bid;
mod capacity_request;
mod card_facts;
mod contract;
mod credit;
mod cut_over;
mod delivery;
mod event_service;
mod expansion;
mod general_terms;
mod holdover;
mod lease;
mod lease_service;
mod life;
mod market_service;
mod mining;
mod money_terms;
mod nomination;
mod offer_service;
mod opportunity;
mod pipeline_service;
mod quote;
mod rate_card;
mod rent;
mod right;
mod right_service;
mod tenant;
mod tenant_service;
mod terms;

pub use agreement_service::AgreementHandler;
pub use event_service::EventHandler;
pub use lease_service::LeaseHandler;
pub use market_service::MarketHandler;
pub use offer_service::OfferHandler;
pub use pipeline_service::PipelineHandler;
pub use right_service::RightHandler;
pub use tenant_service::TenantHandler;

use contracts::leasing::v1 as wire;
use prost::Message as _;

use crate::app::{AgreementWire, MarketWire, RightWire, Wire, kind};

/// How stored replies and events are written.
pub const WIRE: Wire = Wire {
    event: |view| lease::to_wire(view).encode_to_vec(),
    tenant_event: |tenant| tenant::to_wire(tenant).encode_to_vec(),
    proposed: |view| lease::proposed(view).encode_to_vec(),
    signed: |view| lease::signed(view).encode_to_vec(),
    cancelled: |view| lease::cancelled(view).encode_to_vec(),
    imported: |view| cut_over::imported(view).encode_to_vec(),
    quote_event: |quote| quote::to_wire_for_tenant(quote).encode_to_vec(),
    quoted: |quote| wire::QuoteLeaseResponse { quote: Some(quote::to_wire(quote)) }.encode_to_vec(),
    quote_approved: |quote| wire::ApproveQuoteResponse { quote: Some(quote::to_wire(quote)) }.encode_to_vec(),
    quote_rejected: |quote| {
        wire::RejectQuoteResponse { quote: Some(quote::to_wire_for_tenant(quote)) }.encode_to_vec()
    },
    quote_accepted: |quote| {
        wire::AcceptQuoteResponse { quote: Some(quote::to_wire_for_tenant(quote)) }.encode_to_vec()
    },
    card_event: |card| rate_card::to_wire(card).encode_to_vec(),
    card_created: |card| {
        wire::CreateRateCardResponse { rate_card: Some(rate_card::to_wire(card)) }.encode_to_vec()
    },
    card_changed: |card| {
        wire::UpdateRateCardResponse { rate_card: Some(rate_card::to_wire(card)) }.encode_to_vec()
    },
    card_approved: |card| {
        wire::ApproveRateCardResponse { rate_card: Some(rate_card::to_wire(card)) }.encode_to_vec()
    },
    card_retired: |card| {
        wire::RetireRateCardResponse { rate_card: Some(rate_card::to_wire(card)) }.encode_to_vec()
    },
    changed: |view| wire::AcceptBlockResponse { lease: Some(lease::to_wire(view)) }.encode_to_vec(),
    tenant_created: |new| wire::CreateTenantResponse { tenant: Some(tenant::to_wire(new)) }.encode_to_vec(),
    market: MarketWire {
        request_event: |request| capacity_request::to_wire(request).encode_to_vec(),
        bid_event: |told| bid::to_wire(told).encode_to_vec(),
        opportunity_event: |told| opportunity::to_wire(told).encode_to_vec(),
        request_created: |request| capacity_request::created(request).encode_to_vec(),
        request_cancelled: |request| capacity_request::cancelled(request).encode_to_vec(),
        bid_submitted: |told| bid::submitted(told).encode_to_vec(),
        bid_withdrawn: |told| bid::withdrawn(told).encode_to_vec(),
        awarded: |award| bid::awarded(award).encode_to_vec(),
        opportunity_created: |new| opportunity::created(new).encode_to_vec(),
        opportunity_updated: |changed| opportunity::updated(changed).encode_to_vec(),
    },
    rights: RightWire {
        event: |offer| right::for_holder(offer).encode_to_vec(),
        offered: |offers| right::offered(offers).encode_to_vec(),
        exercised: |offer| right::exercised(offer).encode_to_vec(),
        waived: |offer| right::waived(offer).encode_to_vec(),
    },
    agreements: AgreementWire {
        event: |agreement| agreement::to_wire(agreement).encode_to_vec(),
        created: |agreement| agreement::created(agreement).encode_to_vec(),
        signed: |agreement| agreement::signed(agreement).encode_to_vec(),
        ended: |agreement| agreement::ended(agreement).encode_to_vec(),
    },
};

/// The full name of the message that events of a kind carry.
#[must_use]
pub fn payload_type(kind_of_event: &str) -> &'static str {
    match kind_of_event.split_once('.') {
        _ if kind_of_event == kind::TENANT_CREATED => "gridlease.leasing.v1.Tenant",
        Some(("capacity_request", _)) => "gridlease.leasing.v1.CapacityRequest",
        Some(("bid", _)) => "gridlease.leasing.v1.Bid",
        Some(("opportunity", _)) => "gridlease.leasing.v1.Opportunity",
        Some(("quote", _)) => "gridlease.leasing.v1.Quote",
        Some(("master_agreement", _)) => "gridlease.leasing.v1.MasterAgreement",
        Some(("right", _)) => "gridlease.leasing.v1.RightOffer",
        Some(("ratecard", _)) => "gridlease.leasing.v1.RateCard",
        _ => "gridlease.leasing.v1.Lease",
    }
}

/// Reads the fields that an update names: at least one, each known.
fn mask<'a>(
    v: &mut kernel::Violations,
    mask: Option<&'a prost_types::FieldMask>,
    known: &[&str],
) -> Vec<&'a str> {
    let paths: Vec<&str> =
        mask.map(|mask| mask.paths.iter().map(String::as_str).collect()).unwrap_or_default();
    if paths.is_empty() {
        v.add("update_mask", "is required: name at least one field");
    }
    if paths.iter().any(|path| !known.contains(path)) {
        v.add("update_mask", format!("may name only {}", known.join(", ")));
    }
    paths
}
