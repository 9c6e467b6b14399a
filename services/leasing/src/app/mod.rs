//! Orders one deed from its start to its commit: one use case a file.

mod cancel_lease;
mod commence;
mod follow_inventory;
mod propose_lease;
mod read_leases;
mod requests;
mod sign_lease;
mod sweep;
mod tenants;

use std::sync::Arc;

use kernel::{Clock, Error, Ids, Instant, Scope};
use postgres::page::PageTokens;
use postgres::{Db, NewEvent, Tx, outbox};
use runtime::feed::Feed;

use crate::domain::{Lease, Tenant, Value, schedule};
use crate::peers::Inventory;
use crate::store::SCHEMA;

pub use cancel_lease::CancelLease;
pub use follow_inventory::InventoryFollower;
pub use propose_lease::ProposeLease;
pub use read_leases::{ListLeases, RentSchedule};
pub use sign_lease::SignLease;
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
        let value = schedule::value(&lease.terms, &lease.premises)?;
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
    /// The reply to a registration.
    pub tenant_created: fn(&Tenant) -> Vec<u8>,
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
    /// `SignLease`.
    pub const SIGN: &str = "gridlease.leasing.v1.LeaseService/SignLease";
    /// `CancelLease`.
    pub const CANCEL: &str = "gridlease.leasing.v1.LeaseService/CancelLease";
    /// `CreateTenant`.
    pub const CREATE_TENANT: &str = "gridlease.leasing.v1.TenantService/CreateTenant";
}

/// The kinds of events.
pub mod kind {
    /// The capacity is held; signatures are awaited.
    pub const PROPOSED: &str = "lease.proposed";
    /// One side has signed.
    pub const SIGNED: &str = "lease.signed";
    /// In force.
    pub const EFFECTIVE: &str = "lease.effective";
    /// Withdrawn.
    pub const CANCELLED: &str = "lease.cancelled";
    /// The hold ended first.
    pub const LAPSED: &str = "lease.lapsed";
    /// One or more blocks have commenced.
    pub const COMMENCED: &str = "lease.commenced";
    /// One or more blocks have ended, and others go on.
    pub const ENDED: &str = "lease.ended";
    /// The last block has ended.
    pub const EXPIRED: &str = "lease.expired";
    /// A tenant was registered.
    pub const TENANT_CREATED: &str = "tenant.created";
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
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}
