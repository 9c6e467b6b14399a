#![doc = include_str!("../README.md")]

pub mod app;
pub mod domain;
mod grpc;
mod peers;
mod settings;
pub mod store;

use std::num::NonZeroU32;
use std::sync::Arc;

use contracts::billing::v1::account_service_server::AccountServiceServer;
use contracts::billing::v1::books_service_server::BooksServiceServer;
use contracts::billing::v1::charging_service_server::ChargingServiceServer;
use contracts::billing::v1::dispute_service_server::DisputeServiceServer;
use contracts::billing::v1::event_service_server::EventServiceServer;
use contracts::billing::v1::invoice_service_server::InvoiceServiceServer;
use contracts::billing::v1::metering_service_server::MeteringServiceServer;
use contracts::billing::v1::payment_service_server::PaymentServiceServer;
use contracts::billing::v1::price_series_service_server::PriceSeriesServiceServer;
use contracts::billing::v1::report_service_server::ReportServiceServer;
use contracts::billing::v1::tariff_service_server::TariffServiceServer;
use kernel::{Clock, Error, Ids};
use postgres::Db;
use postgres::page::PageTokens;
use runtime::feed::{Feed, follow};
use runtime::{Deps, Server, page_tokens};
use tokio::sync::Notify;

use crate::app::{App, InventoryFollower, LeasingFollower, Printer};
use crate::grpc::WIRE;
use crate::grpc::{
    AccountHandler, BillingRuns, BooksHandler, ChargingHandler, DisputeHandler, EventHandler, InvoiceHandler,
    MeteringHandler, PaymentHandler, PriceSeriesHandler, ReportHandler, TariffHandler, payload_type,
};
use crate::peers::{Inventory, Leasing};
pub use crate::settings::BillingSettings;
use crate::store::SCHEMA;

/// The billing service: its server, and its background work already spawned.
///
/// # Errors
/// `INTERNAL` where the settings name no leasing, no inventory or no usable secret.
#[expect(clippy::unused_async, reason = "services are started alike, and others have something to wait for")]
pub async fn service(settings: BillingSettings, deps: Deps) -> Result<Server, Error> {
    let (leasing, inventory) = (Leasing::new(deps.peer("leasing")?), Inventory::new(deps.peer("inventory")?));
    let pages = page_tokens(settings.page_secret_file.as_ref())?;
    let stores = (deps.db.clone(), deps.worker_db.clone());
    let app = assemble(stores, Arc::clone(&deps.clock), Arc::clone(&deps.ids), pages);
    let app = Arc::new(App { runs_db: runs_db(&deps)?, ..app });
    let printer = Printer::new(Arc::clone(&app), inventory.clone(), leasing.clone());
    let (follower, stop) = (LeasingFollower::new(Arc::clone(&app), leasing), deps.stop.clone());
    let feed = deps.metrics.feed("leasing");
    deps.tasks.spawn(async move { follow(&feed, &follower, &stop).await });
    let (follower, stop) = (InventoryFollower::new(Arc::clone(&app), inventory), deps.stop.clone());
    let feed = deps.metrics.feed("inventory");
    deps.tasks.spawn(async move { follow(&feed, &follower, &stop).await });
    for _ in 0..app::HANDS {
        let (hand, stop) = (Arc::clone(&app), deps.stop.clone());
        deps.tasks.spawn(async move { hand.finish_runs(&stop).await });
    }
    let invoices = InvoiceHandler::new(Arc::clone(&app), printer.clone(), BillingRuns::new(&deps.metrics));
    Ok(deps
        .server(settings.page_secret_file.as_ref())?
        .add_service(AccountServiceServer::new(AccountHandler::new(Arc::clone(&app), printer)))
        .add_service(ChargingServiceServer::new(ChargingHandler::new(Arc::clone(&app))))
        .add_service(InvoiceServiceServer::new(invoices))
        .add_service(MeteringServiceServer::new(MeteringHandler::new(Arc::clone(&app))))
        .add_service(TariffServiceServer::new(TariffHandler::new(Arc::clone(&app))))
        .add_service(BooksServiceServer::new(BooksHandler::new(Arc::clone(&app))))
        .add_service(DisputeServiceServer::new(DisputeHandler::new(Arc::clone(&app))))
        .add_service(PaymentServiceServer::new(PaymentHandler::new(Arc::clone(&app))))
        .add_service(PriceSeriesServiceServer::new(PriceSeriesHandler::new(Arc::clone(&app))))
        .add_service(ReportServiceServer::new(ReportHandler::new(Arc::clone(&app))))
        .add_service(EventServiceServer::new(EventHandler::new(app.feed.clone()))))
}

/// Connections of those who finish runs: each does the same over and over, which a connection does faster that has done it
/// before, and no run keeps a request waiting for one.
fn runs_db(deps: &Deps) -> Result<Db, Error> {
    const ALL: NonZeroU32 = NonZeroU32::new(app::HANDS).unwrap();
    let db = Db::connect_lazy(&deps.store("billing", "billing_runs", ALL))?;
    deps.metrics.watch_pool("runs", &db);
    Ok(db)
}

/// The use cases over two pools, one of each role; a test drives them without a socket.
#[must_use]
pub fn assemble(
    (db, worker_db): (Db, Db),
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    pages: PageTokens,
) -> App {
    let feed = Feed::new(db.clone(), worker_db.clone(), SCHEMA, payload_type);
    let runs_db = db.clone();
    App {
        db,
        worker_db,
        runs_db,
        clock,
        ids,
        pages,
        feed,
        chunk: app::CHUNK,
        more: Notify::new(),
        wire: WIRE,
    }
}
