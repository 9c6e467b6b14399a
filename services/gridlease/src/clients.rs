//! Typed clients of the three services, one per caller: what any user of the API has.

use std::net::SocketAddr;

use anyhow::Context as _;
use contracts::billing::v1::account_service_client::AccountServiceClient;
use contracts::billing::v1::invoice_service_client::InvoiceServiceClient;
use contracts::billing::v1::report_service_client::ReportServiceClient;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use contracts::inventory::v1::capacity_service_client::CapacityServiceClient;
use contracts::inventory::v1::reservation_service_client::ReservationServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use contracts::leasing::v1::lease_service_client::LeaseServiceClient;
use contracts::leasing::v1::tenant_service_client::TenantServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A connection that sends a caller's token with every call.
pub type Wire = InterceptedService<Channel, Bearer>;

/// A caller's token.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    /// The header for this token.
    ///
    /// # Errors
    /// Text that cannot stand in a header.
    pub fn new(token: &str) -> anyhow::Result<Self> {
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().context("a token of odd characters")?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Where the three services listen.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Inventory.
    pub inventory: SocketAddr,
    /// Leasing.
    pub leasing: SocketAddr,
    /// Billing.
    pub billing: SocketAddr,
}

/// Connections to the three services, made when first used.
#[derive(Clone)]
pub struct Channels {
    inventory: Channel,
    leasing: Channel,
    billing: Channel,
}

/// A connection to one service, made when first used.
///
/// # Errors
/// An address that is no URI.
pub fn channel(address: SocketAddr) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).context("an address")?;
    Ok(endpoint.tcp_nodelay(true).connect_lazy())
}

impl Channels {
    /// Connections to these addresses.
    ///
    /// # Errors
    /// An address that is no URI.
    pub fn new(at: Addresses) -> anyhow::Result<Self> {
        Ok(Self {
            inventory: channel(at.inventory)?,
            leasing: channel(at.leasing)?,
            billing: channel(at.billing)?,
        })
    }

    /// The clients of a caller with this token.
    ///
    /// # Errors
    /// A token that cannot stand in a header.
    pub fn caller(&self, token: &str) -> anyhow::Result<Clients> {
        Ok(Clients { channels: self.clone(), bearer: Bearer::new(token)? })
    }
}

macro_rules! clients {
    ($($(#[$meta:meta])* $name:ident: $client:ident on $channel:ident;)*) => {
        $(
            $(#[$meta])*
            #[must_use]
            pub fn $name(&self) -> $client<Wire> {
                $client::with_interceptor(self.channels.$channel.clone(), self.bearer.clone())
            }
        )*
    };
}

/// Every service, as one caller.
#[derive(Clone)]
pub struct Clients {
    channels: Channels,
    bearer: Bearer,
}

impl Clients {
    clients! {
        /// Operators, sites, blocks, phases.
        sites: SiteServiceClient on inventory;
        /// Search and availability.
        capacity: CapacityServiceClient on inventory;
        /// Holds.
        reservations: ReservationServiceClient on inventory;
        /// The business clock, which the three services share.
        clock: ClockServiceClient on leasing;
        /// Tenants.
        tenants: TenantServiceClient on leasing;
        /// Leases.
        leases: LeaseServiceClient on leasing;
        /// Accounts.
        accounts: AccountServiceClient on billing;
        /// Runs and invoices.
        invoices: InvoiceServiceClient on billing;
        /// The ledger.
        reports: ReportServiceClient on billing;
    }
}
