//! Typed clients of the three services, one per caller: what any user of the API has.

use std::net::SocketAddr;

use contracts::billing::v1::account_service_client::AccountServiceClient;
use contracts::billing::v1::books_service_client::BooksServiceClient;
use contracts::billing::v1::charging_service_client::ChargingServiceClient;
use contracts::billing::v1::dispute_service_client::DisputeServiceClient;
use contracts::billing::v1::event_service_client::EventServiceClient as BillingEventServiceClient;
use contracts::billing::v1::invoice_service_client::InvoiceServiceClient;
use contracts::billing::v1::metering_service_client::MeteringServiceClient;
use contracts::billing::v1::payment_service_client::PaymentServiceClient;
use contracts::billing::v1::price_series_service_client::PriceSeriesServiceClient;
use contracts::billing::v1::report_service_client::ReportServiceClient;
use contracts::billing::v1::tariff_service_client::TariffServiceClient;
use contracts::common::v1::access_service_client::AccessServiceClient;
use contracts::common::v1::audit_service_client::AuditServiceClient;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use contracts::inventory::v1::capacity_service_client::CapacityServiceClient;
use contracts::inventory::v1::encumbrance_service_client::EncumbranceServiceClient;
use contracts::inventory::v1::import_service_client::ImportServiceClient;
use contracts::inventory::v1::incident_service_client::IncidentServiceClient;
use contracts::inventory::v1::maintenance_service_client::MaintenanceServiceClient;
use contracts::inventory::v1::reservation_service_client::ReservationServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use contracts::inventory::v1::waitlist_service_client::WaitlistServiceClient;
use contracts::leasing::v1::agreement_service_client::AgreementServiceClient;
use contracts::leasing::v1::lease_service_client::LeaseServiceClient;
use contracts::leasing::v1::market_service_client::MarketServiceClient;
use contracts::leasing::v1::offer_service_client::OfferServiceClient;
use contracts::leasing::v1::pipeline_service_client::PipelineServiceClient;
use contracts::leasing::v1::right_service_client::RightServiceClient;
use contracts::leasing::v1::tenant_service_client::TenantServiceClient;
use runtime::client::{Bearer, Channel, channel};
use tonic::service::interceptor::InterceptedService;

/// A connection that sends a caller's token with every call.
pub type Wire = InterceptedService<Channel, Bearer>;

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

impl Channels {
    /// Connections to these addresses.
    ///
    /// # Errors
    /// An address that is no URI.
    pub fn new(at: Addresses) -> anyhow::Result<Self> {
        Ok(Self {
            inventory: channel(&format!("http://{}", at.inventory))?,
            leasing: channel(&format!("http://{}", at.leasing))?,
            billing: channel(&format!("http://{}", at.billing))?,
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
        /// Maintenance and derates.
        maintenance: MaintenanceServiceClient on inventory;
        /// Holds.
        reservations: ReservationServiceClient on inventory;
        /// Rights and intents on capacity.
        encumbrances: EncumbranceServiceClient on inventory;
        /// Those who wait for capacity.
        waitlist: WaitlistServiceClient on inventory;
        /// Outages and curtailments.
        incidents: IncidentServiceClient on inventory;
        /// Tables in and out.
        imports: ImportServiceClient on inventory;
        /// Who may no longer call, as inventory keeps it.
        access: AccessServiceClient on inventory;
        /// Who did what, as inventory keeps it.
        inventory_audit: AuditServiceClient on inventory;
        /// Who did what, as leasing keeps it.
        leasing_audit: AuditServiceClient on leasing;
        /// Who did what, as billing keeps it.
        billing_audit: AuditServiceClient on billing;
        /// What happens in billing.
        billing_events: BillingEventServiceClient on billing;
        /// The business clock, which the three services share.
        clock: ClockServiceClient on leasing;
        /// Tenants.
        tenants: TenantServiceClient on leasing;
        /// Rate cards, quotes, and mine or lease.
        offers: OfferServiceClient on leasing;
        /// Leases.
        leases: LeaseServiceClient on leasing;
        /// Capacity requests and bids.
        market: MarketServiceClient on leasing;
        /// Opportunities.
        pipeline: PipelineServiceClient on leasing;
        /// Rights of first refusal and offer.
        rights: RightServiceClient on leasing;
        /// Master agreements.
        agreements: AgreementServiceClient on leasing;
        /// Accounts.
        accounts: AccountServiceClient on billing;
        /// Runs and invoices.
        invoices: InvoiceServiceClient on billing;
        /// Meters and their readings.
        meters: MeteringServiceClient on billing;
        /// What power costs.
        tariffs: TariffServiceClient on billing;
        /// Price indexes that rent follows.
        price_series: PriceSeriesServiceClient on billing;
        /// What blocks are charged and credited beside their rent.
        charging: ChargingServiceClient on billing;
        /// The end of a month, and what needs two people.
        books: BooksServiceClient on billing;
        /// Disputes of invoice lines.
        disputes: DisputeServiceClient on billing;
        /// Money in.
        payments: PaymentServiceClient on billing;
        /// The ledger.
        reports: ReportServiceClient on billing;
    }
}
