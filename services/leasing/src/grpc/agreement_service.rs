//! `gridlease.leasing.v1.AgreementService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::agreement_service_server::AgreementService;
use kernel::Violations;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::agreement;
use crate::app::App;

/// Answers for master agreements.
pub struct AgreementHandler {
    app: Arc<App>,
}

impl AgreementHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl AgreementService for AgreementHandler {
    async fn create_master_agreement(
        &self,
        request: Request<wire::CreateMasterAgreementRequest>,
    ) -> Result<Response<wire::CreateMasterAgreementResponse>, Status> {
        let caller = caller(&request)?;
        let command = agreement::create(request.get_ref()).map_err(status)?;
        reply(self.app.create_agreement(&caller, command).await.map_err(status)?, agreement::created)
    }

    async fn sign_master_agreement(
        &self,
        request: Request<wire::SignMasterAgreementRequest>,
    ) -> Result<Response<wire::SignMasterAgreementResponse>, Status> {
        let caller = caller(&request)?;
        let from = request.remote_addr().map(|address| address.ip().to_string());
        let command = agreement::sign(request.get_ref(), from.unwrap_or_default()).map_err(status)?;
        reply(self.app.sign_agreement(&caller, command).await.map_err(status)?, agreement::signed)
    }

    async fn end_master_agreement(
        &self,
        request: Request<wire::EndMasterAgreementRequest>,
    ) -> Result<Response<wire::EndMasterAgreementResponse>, Status> {
        let caller = caller(&request)?;
        let command = agreement::end(request.get_ref()).map_err(status)?;
        reply(self.app.end_agreement(&caller, command).await.map_err(status)?, agreement::ended)
    }

    async fn get_master_agreement(
        &self,
        request: Request<wire::GetMasterAgreementRequest>,
    ) -> Result<Response<wire::GetMasterAgreementResponse>, Status> {
        let caller = caller(&request)?;
        let mut v = Violations::new();
        let name = v.parse("name", &request.get_ref().name, str::parse);
        let name = v.build(|| name).map_err(status)?;
        let found = self.app.get_agreement(&caller, &name).await.map_err(status)?;
        let master_agreement = Some(agreement::to_wire(&found));
        Ok(Response::new(wire::GetMasterAgreementResponse { master_agreement }))
    }

    async fn list_master_agreements(
        &self,
        request: Request<wire::ListMasterAgreementsRequest>,
    ) -> Result<Response<wire::ListMasterAgreementsResponse>, Status> {
        let caller = caller(&request)?;
        let query = agreement::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_agreements(&caller, &query).await.map_err(status)?;
        Ok(Response::new(agreement::listed(page)))
    }
}
