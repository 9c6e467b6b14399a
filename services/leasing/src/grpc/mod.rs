//! Translates and decides nothing: wire to command, one use case, result to wire.

mod event_service;
mod lease;
mod lease_service;
mod tenant;
mod tenant_service;
mod terms;

pub use event_service::EventHandler;
pub use lease_service::LeaseHandler;
pub use tenant_service::TenantHandler;

use contracts::leasing::v1 as wire;
use prost::Message as _;

use crate::app::{Wire, kind};

/// How stored replies and events are written.
pub const WIRE: Wire = Wire {
    event: |view| lease::to_wire(view).encode_to_vec(),
    tenant_event: |tenant| tenant::to_wire(tenant).encode_to_vec(),
    proposed: |view| lease::proposed(view).encode_to_vec(),
    signed: |view| lease::signed(view).encode_to_vec(),
    cancelled: |view| lease::cancelled(view).encode_to_vec(),
    tenant_created: |new| wire::CreateTenantResponse { tenant: Some(tenant::to_wire(new)) }.encode_to_vec(),
};

/// The full name of the message that events of a kind carry.
#[must_use]
pub fn payload_type(kind_of_event: &str) -> &'static str {
    if kind_of_event == kind::TENANT_CREATED {
        "gridlease.leasing.v1.Tenant"
    } else {
        "gridlease.leasing.v1.Lease"
    }
}
