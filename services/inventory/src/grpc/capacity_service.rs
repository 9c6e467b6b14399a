//! `gridlease.inventory.v1.CapacityService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::capacity_service_server::CapacityService;
use runtime::{caller, status};
use tonic::{Request, Response, Status};

use super::{capacity, found, search};
use crate::app::App;

/// Answers for what is free.
pub struct CapacityHandler {
    app: Arc<App>,
}

impl CapacityHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl CapacityService for CapacityHandler {
    async fn search_capacity(
        &self,
        request: Request<wire::SearchCapacityRequest>,
    ) -> Result<Response<wire::SearchCapacityResponse>, Status> {
        let caller = caller(&request)?;
        let asked = search::search(request.get_ref()).map_err(status)?;
        let answer = self.app.search_capacity(&caller, asked).await.map_err(status)?;
        Ok(Response::new(found::found(&answer)))
    }

    async fn find_earliest_capacity(
        &self,
        request: Request<wire::FindEarliestCapacityRequest>,
    ) -> Result<Response<wire::FindEarliestCapacityResponse>, Status> {
        let caller = caller(&request)?;
        let asked = search::find_earliest(request.get_ref()).map_err(status)?;
        let answer = self.app.find_earliest_capacity(&caller, asked).await.map_err(status)?;
        Ok(Response::new(found::earliest(&answer)))
    }

    async fn get_availability(
        &self,
        request: Request<wire::GetAvailabilityRequest>,
    ) -> Result<Response<wire::GetAvailabilityResponse>, Status> {
        let caller = caller(&request)?;
        let asked = capacity::availability(request.get_ref()).map_err(status)?;
        let answer = self.app.get_availability(&caller, asked).await.map_err(status)?;
        Ok(Response::new(capacity::available(&answer)))
    }
}
