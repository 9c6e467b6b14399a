#![doc = include_str!("../README.md")]

pub mod app;
pub mod domain;
pub mod grpc;
pub mod peers;
mod settings;
pub mod store;

use std::sync::Arc;

use contracts::leasing::v1::agreement_service_server::AgreementServiceServer;
use contracts::leasing::v1::event_service_server::EventServiceServer;
use contracts::leasing::v1::lease_service_server::LeaseServiceServer;
use contracts::leasing::v1::market_service_server::MarketServiceServer;
use contracts::leasing::v1::offer_service_server::OfferServiceServer;
use contracts::leasing::v1::pipeline_service_server::PipelineServiceServer;
use contracts::leasing::v1::right_service_server::RightServiceServer;
use contracts::leasing::v1::tenant_service_server::TenantServiceServer;
use kernel::Error;
use runtime::feed::{Feed, follow};
use runtime::{Deps, Server, page_tokens};

use crate::app::{App, InventoryFollower, SWEEPS};
use crate::grpc::{
    AgreementHandler, EventHandler, LeaseHandler, MarketHandler, OfferHandler, PipelineHandler, RightHandler,
    TenantHandler, WIRE, payload_type,
};
use crate::peers::Inventory;
pub use crate::settings::LeasingSettings;
use crate::store::SCHEMA;

/// The leasing service: its server, and its background work already spawned.
///
/// # Errors
/// `INTERNAL` where the settings name no inventory or no usable secret.
#[expect(clippy::unused_async, reason = "services are started alike, and others have something to wait for")]
pub async fn service(settings: LeasingSettings, deps: Deps) -> Result<Server, Error> {
    let feed = Feed::new(deps.db.clone(), deps.worker_db.clone(), SCHEMA, payload_type);
    let app = Arc::new(App {
        db: deps.db.clone(),
        worker_db: deps.worker_db.clone(),
        clock: Arc::clone(&deps.clock),
        ids: Arc::clone(&deps.ids),
        inventory: Inventory::new(deps.peer("inventory")?),
        pages: page_tokens(settings.page_secret_file.as_ref())?,
        feed: feed.clone(),
        wire: WIRE,
    });
    spawn_background(&app, &settings, &deps);
    Ok(deps
        .server(settings.page_secret_file.as_ref())?
        .add_service(LeaseServiceServer::new(LeaseHandler::new(Arc::clone(&app))))
        .add_service(MarketServiceServer::new(MarketHandler::new(Arc::clone(&app))))
        .add_service(PipelineServiceServer::new(PipelineHandler::new(Arc::clone(&app))))
        .add_service(OfferServiceServer::new(OfferHandler::new(Arc::clone(&app))))
        .add_service(AgreementServiceServer::new(AgreementHandler::new(Arc::clone(&app))))
        .add_service(RightServiceServer::new(RightHandler::new(Arc::clone(&app))))
        .add_service(TenantServiceServer::new(TenantHandler::new(app)))
        .add_service(EventServiceServer::new(EventHandler::new(feed))))
}

fn spawn_background(app: &Arc<App>, settings: &LeasingSettings, deps: &Deps) {
    let (sweeper, every, stop) = (Arc::clone(app), settings.sweep_every, deps.stop.clone());
    let jobs = SWEEPS.map(|name| deps.metrics.sweep(name));
    deps.tasks.spawn(async move { sweeper.sweep(every, &jobs, &stop).await });
    let (follower, stop) = (InventoryFollower::new(Arc::clone(app)), deps.stop.clone());
    let feed = deps.metrics.feed("inventory");
    deps.tasks.spawn(async move { follow(&feed, &follower, &stop).await });
}
