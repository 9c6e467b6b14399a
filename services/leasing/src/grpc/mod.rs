//! Translates and decides nothing: wire to command, one use case, result to wire.

mod bid;
mod capacity_request;
mod delivery;
mod event_service;
mod lease;
mod lease_service;
mod market_service;
mod mining;
mod offer_service;
mod opportunity;
mod pipeline_service;
mod tenant;
mod tenant_service;
mod terms;

pub use event_service::EventHandler;
pub use lease_service::LeaseHandler;
pub use market_service::MarketHandler;
pub use offer_service::OfferHandler;
pub use pipeline_service::PipelineHandler;
pub use tenant_service::TenantHandler;

use contracts::leasing::v1 as wire;
use prost::Message as _;

use crate::app::{MarketWire, Wire, kind};

/// How stored replies and events are written.
pub const WIRE: Wire = Wire {
    event: |view| lease::to_wire(view).encode_to_vec(),
    tenant_event: |tenant| tenant::to_wire(tenant).encode_to_vec(),
    proposed: |view| lease::proposed(view).encode_to_vec(),
    signed: |view| lease::signed(view).encode_to_vec(),
    cancelled: |view| lease::cancelled(view).encode_to_vec(),
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
};

/// The full name of the message that events of a kind carry.
#[must_use]
pub fn payload_type(kind_of_event: &str) -> &'static str {
    match kind_of_event.split_once('.') {
        _ if kind_of_event == kind::TENANT_CREATED => "gridlease.leasing.v1.Tenant",
        Some(("capacity_request", _)) => "gridlease.leasing.v1.CapacityRequest",
        Some(("bid", _)) => "gridlease.leasing.v1.Bid",
        Some(("opportunity", _)) => "gridlease.leasing.v1.Opportunity",
        _ => "gridlease.leasing.v1.Lease",
    }
}
