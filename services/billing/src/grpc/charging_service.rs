//! `gridlease.billing.v1.ChargingService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::charging_service_server::ChargingService;
use prost::Message as _;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{charging, utility_bill};
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

    async fn record_utility_bill(
        &self,
        request: Request<wire::RecordUtilityBillRequest>,
    ) -> Result<Response<wire::RecordUtilityBillResponse>, Status> {
        let caller = caller(&request)?;
        let command = utility_bill::record(request.get_ref()).map_err(status)?;
        let encode = |told: &_| utility_bill::recorded(told).encode_to_vec();
        let answer = self.app.record_utility_bill(&caller, command, encode).await.map_err(status)?;
        reply(answer, utility_bill::recorded)
    }

    async fn post_true_up(
        &self,
        request: Request<wire::PostTrueUpRequest>,
    ) -> Result<Response<wire::PostTrueUpResponse>, Status> {
        let caller = caller(&request)?;
        let command = utility_bill::post(request.get_ref()).map_err(status)?;
        let encode = |told: &_| utility_bill::posted(told).encode_to_vec();
        let answer = self.app.post_true_up(&caller, command, encode).await.map_err(status)?;
        reply(answer, utility_bill::posted)
    }

    async fn get_utility_bill(
        &self,
        request: Request<wire::GetUtilityBillRequest>,
    ) -> Result<Response<wire::GetUtilityBillResponse>, Status> {
        let caller = caller(&request)?;
        let name = utility_bill::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_utility_bill(&caller, &name).await.map_err(status)?;
        let utility_bill = Some(utility_bill::to_wire(&found));
        Ok(Response::new(wire::GetUtilityBillResponse { utility_bill }))
    }

    async fn list_utility_bills(
        &self,
        request: Request<wire::ListUtilityBillsRequest>,
    ) -> Result<Response<wire::ListUtilityBillsResponse>, Status> {
        let caller = caller(&request)?;
        let command = utility_bill::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_utility_bills(&caller, command).await.map_err(status)?;
        Ok(Response::new(utility_bill::listed(&listed)))
    }
}
