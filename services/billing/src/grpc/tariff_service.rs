//! `gridlease.billing.v1.TariffService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::tariff_service_server::TariffService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{rated, tariff};
use crate::app::App;

/// Answers for tariffs.
pub(crate) struct TariffHandler {
    app: Arc<App>,
}

impl TariffHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl TariffService for TariffHandler {
    async fn create_tariff(
        &self,
        request: Request<wire::CreateTariffRequest>,
    ) -> Result<Response<wire::CreateTariffResponse>, Status> {
        let caller = caller(&request)?;
        let command = tariff::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_tariff(&caller, command).await.map_err(status)?;
        reply(answer, tariff::created)
    }

    async fn add_tariff_components(
        &self,
        request: Request<wire::AddTariffComponentsRequest>,
    ) -> Result<Response<wire::AddTariffComponentsResponse>, Status> {
        let caller = caller(&request)?;
        let command = tariff::add(request.get_ref()).map_err(status)?;
        let answer = self.app.add_tariff_components(&caller, command).await.map_err(status)?;
        reply(answer, tariff::added)
    }

    async fn get_tariff(
        &self,
        request: Request<wire::GetTariffRequest>,
    ) -> Result<Response<wire::GetTariffResponse>, Status> {
        let caller = caller(&request)?;
        let name = tariff::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_tariff(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetTariffResponse { tariff: Some(tariff::to_wire(&found)) }))
    }

    async fn list_tariffs(
        &self,
        request: Request<wire::ListTariffsRequest>,
    ) -> Result<Response<wire::ListTariffsResponse>, Status> {
        let caller = caller(&request)?;
        let command = tariff::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_tariffs(&caller, command).await.map_err(status)?;
        Ok(Response::new(tariff::listed(listed)))
    }

    async fn rate_load(
        &self,
        request: Request<wire::RateLoadRequest>,
    ) -> Result<Response<wire::RateLoadResponse>, Status> {
        let caller = caller(&request)?;
        let command = rated::ask(request.get_ref()).map_err(status)?;
        let rated = self.app.rate_load(&caller, command).await.map_err(status)?;
        Ok(Response::new(rated::answer(&rated)))
    }
}
