//! `gridlease.inventory.v1.MaintenanceService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::maintenance_service_server::MaintenanceService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::maintenance;
use crate::app::App;

/// Answers for windows in which blocks give less.
pub struct MaintenanceHandler {
    app: Arc<App>,
}

impl MaintenanceHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl MaintenanceService for MaintenanceHandler {
    async fn schedule_maintenance(
        &self,
        request: Request<wire::ScheduleMaintenanceRequest>,
    ) -> Result<Response<wire::ScheduleMaintenanceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = maintenance::schedule(request.get_ref()).map_err(status)?;
        let answer = self.app.schedule_maintenance(&caller, asked).await.map_err(status)?;
        reply(answer, maintenance::scheduled)
    }

    async fn cancel_maintenance(
        &self,
        request: Request<wire::CancelMaintenanceRequest>,
    ) -> Result<Response<wire::CancelMaintenanceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = maintenance::cancel(request.get_ref()).map_err(status)?;
        let answer = self.app.cancel_maintenance(&caller, asked).await.map_err(status)?;
        reply(answer, maintenance::cancelled)
    }

    async fn get_maintenance(
        &self,
        request: Request<wire::GetMaintenanceRequest>,
    ) -> Result<Response<wire::GetMaintenanceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = maintenance::name(&request.get_ref().name).map_err(status)?;
        let answer = self.app.get_maintenance(&caller, &asked).await.map_err(status)?;
        Ok(Response::new(wire::GetMaintenanceResponse { window: Some(maintenance::to_wire(&answer)) }))
    }

    async fn list_maintenance(
        &self,
        request: Request<wire::ListMaintenanceRequest>,
    ) -> Result<Response<wire::ListMaintenanceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = maintenance::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_maintenance(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListMaintenanceResponse {
            windows: answer.items.iter().map(maintenance::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }
}
