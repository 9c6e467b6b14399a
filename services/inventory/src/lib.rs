#![doc = include_str!("../README.md")]

pub mod app;
pub mod domain;
pub mod grpc;
mod settings;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use contracts::inventory::v1::capacity_service_server::CapacityServiceServer;
use contracts::inventory::v1::encumbrance_service_server::EncumbranceServiceServer;
use contracts::inventory::v1::event_service_server::EventServiceServer;
use contracts::inventory::v1::import_service_server::ImportServiceServer;
use contracts::inventory::v1::incident_service_server::IncidentServiceServer;
use contracts::inventory::v1::maintenance_service_server::MaintenanceServiceServer;
use contracts::inventory::v1::reservation_service_server::ReservationServiceServer;
use contracts::inventory::v1::site_service_server::SiteServiceServer;
use contracts::inventory::v1::waitlist_service_server::WaitlistServiceServer;
use kernel::Error;
use postgres::Db;
use runtime::feed::Feed;
use runtime::{Deps, Ready, Server, page_tokens};

use crate::app::desk::{DatabaseClock, Desk, Directory};
use crate::app::expire_holds::Expirer;
use crate::app::market::{Keeper, Market};
use crate::app::{App, Audited, Rights, Swept};
use crate::grpc::{
    CapacityHandler, EncumbranceHandler, EventHandler, ImportHandler, IncidentHandler, MaintenanceHandler,
    ReservationHandler, SiteHandler, WIRE, WaitlistHandler, payload_type,
};
pub use crate::settings::InventorySettings;
use crate::store::SCHEMA;

/// How long the service waits for its first look at the market before it serves, not yet ready.
const LOADED_AT_ONCE: Duration = Duration::from_secs(1);

/// The inventory service: its server, and its background work already spawned.
///
/// # Errors
/// `INTERNAL` where the settings name no usable store or secret.
pub async fn service(settings: InventorySettings, deps: Deps) -> Result<Server, Error> {
    let feed = Feed::new(deps.db.clone(), deps.worker_db.clone(), SCHEMA, payload_type);
    let app = Arc::new(App {
        db: deps.db.clone(),
        worker_db: deps.worker_db.clone(),
        clock: Arc::clone(&deps.clock),
        ids: Arc::clone(&deps.ids),
        desk: desk(&settings, &deps)?,
        directory: Directory::default(),
        expirer: Expirer::for_worker(deps.worker_db.clone(), Arc::clone(&deps.ids), WIRE),
        market: Market::default(),
        pages: page_tokens(settings.page_secret_file.as_ref())?,
        feed: feed.clone(),
        wire: WIRE,
        rights: Rights::default(),
        quota_open_holds: settings.quota_open_holds.get(),
    });
    spawn_background(&app, &settings, &deps);
    // A small market is in memory before the first question; a large one is waited for by readiness.
    app.market.loaded(LOADED_AT_ONCE).await;
    Ok(deps
        .server(settings.page_secret_file.as_ref())?
        .ready_when(market_is_loaded(&app.market))
        .add_service(SiteServiceServer::new(SiteHandler::new(Arc::clone(&app))))
        .add_service(CapacityServiceServer::new(CapacityHandler::new(Arc::clone(&app))))
        .add_service(ReservationServiceServer::new(ReservationHandler::new(Arc::clone(&app))))
        .add_service(EncumbranceServiceServer::new(EncumbranceHandler::new(Arc::clone(&app))))
        .add_service(WaitlistServiceServer::new(WaitlistHandler::new(Arc::clone(&app))))
        .add_service(ImportServiceServer::new(ImportHandler::new(Arc::clone(&app))))
        .add_service(IncidentServiceServer::new(IncidentHandler::new(Arc::clone(&app))))
        .add_service(MaintenanceServiceServer::new(MaintenanceHandler::new(app)))
        .add_service(EventServiceServer::new(EventHandler::new(feed))))
}

fn market_is_loaded(market: &Market) -> Ready {
    let market = market.clone();
    Arc::new(move || {
        let loaded = market.is_loaded();
        Box::pin(async move { loaded })
    })
}

/// The booking desk, on connections of its own: a flood of reads never keeps a booking waiting.
fn desk(settings: &InventorySettings, deps: &Deps) -> Result<Desk, Error> {
    let store = deps.store("inventory", "inventory_desk", settings.desk_connections);
    let expirer = Expirer::for_requests(deps.db.clone(), Arc::clone(&deps.ids), WIRE);
    let clock = Arc::new(DatabaseClock::default());
    let db = Db::connect_lazy(&store)?;
    deps.metrics.watch_pool("desk", &db);
    Ok(Desk::new(db, clock, WIRE, expirer, settings.desk_batches.get()))
}

fn spawn_background(app: &Arc<App>, settings: &InventorySettings, deps: &Deps) {
    if settings.sweep {
        let (sweeper, every, stop) = (Arc::clone(app), settings.sweep_every, deps.stop.clone());
        let job = deps.metrics.sweep("holds");
        let expired =
            deps.metrics.counter("gridlease_holds_expired", "Holds that ran out and were written off");
        deps.tasks.spawn(async move { sweeper.sweep(every, &Swept { job, expired }, &stop).await });
    }
    let (follower, stop) = (Arc::clone(app), deps.stop.clone());
    deps.tasks.spawn(async move { follower.follow_rights(&stop).await });
    let (teller, every, stop) = (Arc::clone(app), settings.waitlist_every, deps.stop.clone());
    deps.tasks.spawn(async move { teller.follow_waitlist(every, &stop).await });
    let keeper = Keeper {
        db: deps.worker_db.clone(),
        feed: app.feed.clone(),
        clock: Arc::clone(&deps.clock),
        market: app.market.clone(),
        claims: grpc::claims_of_event,
    };
    let stop = deps.stop.clone();
    deps.tasks.spawn(async move { keeper.keep(&stop).await });
    let (auditor, every, stop) = (Arc::clone(app), settings.audit_every, deps.stop.clone());
    let job = deps.metrics.sweep("audit");
    let findings =
        deps.metrics.gauge("gridlease_audit_findings", "Instants at which more is promised than there is");
    deps.tasks.spawn(async move { auditor.audit(every, &Audited { job, findings }, &stop).await });
}
