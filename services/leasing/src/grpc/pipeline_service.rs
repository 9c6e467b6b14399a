//! `gridlease.leasing.v1.PipelineService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::pipeline_service_server::PipelineService;
use kernel::Violations;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::opportunity;
use crate::app::App;

/// Answers for opportunities.
pub struct PipelineHandler {
    app: Arc<App>,
}

impl PipelineHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl PipelineService for PipelineHandler {
    async fn create_opportunity(
        &self,
        request: Request<wire::CreateOpportunityRequest>,
    ) -> Result<Response<wire::CreateOpportunityResponse>, Status> {
        let caller = caller(&request)?;
        let command = opportunity::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_opportunity(&caller, command).await.map_err(status)?;
        reply(answer, opportunity::created)
    }

    async fn get_opportunity(
        &self,
        request: Request<wire::GetOpportunityRequest>,
    ) -> Result<Response<wire::GetOpportunityResponse>, Status> {
        let caller = caller(&request)?;
        let mut v = Violations::new();
        let name = v.parse("name", &request.get_ref().name, str::parse);
        let name = v.build(|| name).map_err(status)?;
        let found = self.app.get_opportunity(&caller, &name).await.map_err(status)?;
        let opportunity = Some(opportunity::to_wire(&found));
        Ok(Response::new(wire::GetOpportunityResponse { opportunity }))
    }

    async fn list_opportunities(
        &self,
        request: Request<wire::ListOpportunitiesRequest>,
    ) -> Result<Response<wire::ListOpportunitiesResponse>, Status> {
        let caller = caller(&request)?;
        let query = opportunity::list(request.get_ref()).map_err(status)?;
        let (page, sums) = self.app.list_opportunities(&caller, &query).await.map_err(status)?;
        Ok(Response::new(opportunity::listed(page, &sums)))
    }

    async fn update_opportunity(
        &self,
        request: Request<wire::UpdateOpportunityRequest>,
    ) -> Result<Response<wire::UpdateOpportunityResponse>, Status> {
        let caller = caller(&request)?;
        let command = opportunity::update(request.get_ref()).map_err(status)?;
        let answer = self.app.update_opportunity(&caller, command).await.map_err(status)?;
        reply(answer, opportunity::updated)
    }
}
