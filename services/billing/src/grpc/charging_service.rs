//! `gridlease.billing.v1.ChargingService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::charging_service_server::ChargingService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::charging;
use crate::app::App;

/// Answers for charging plans.
pub(crate) struct ChargingHandler {
    app: Arc<App>,
}

impl ChargingHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl ChargingService for ChargingHandler {
    async fn create_charging_plan(
        &self,
        request: Request<wire::CreateChargingPlanRequest>,
    ) -> Result<Response<wire::CreateChargingPlanResponse>, Status> {
        let caller = caller(&request)?;
        let command = charging::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_charging_plan(&caller, command).await.map_err(status)?;
        reply(answer, charging::created)
    }

    async fn get_charging_plan(
        &self,
        request: Request<wire::GetChargingPlanRequest>,
    ) -> Result<Response<wire::GetChargingPlanResponse>, Status> {
        let caller = caller(&request)?;
        let name = charging::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_charging_plan(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetChargingPlanResponse { charging_plan: Some(charging::to_wire(&found)) }))
    }

    async fn list_charging_plans(
        &self,
        request: Request<wire::ListChargingPlansRequest>,
    ) -> Result<Response<wire::ListChargingPlansResponse>, Status> {
        let caller = caller(&request)?;
        let command = charging::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_charging_plans(&caller, command).await.map_err(status)?;
        Ok(Response::new(charging::listed(listed)))
    }
}
