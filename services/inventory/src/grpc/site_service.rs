//! `gridlease.inventory.v1.SiteService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::site_service_server::SiteService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{block, operator, phase, phase_change, power_plan, site};
use crate::app::App;

/// Answers for operators, sites, blocks and phases.
pub struct SiteHandler {
    app: Arc<App>,
}

impl SiteHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl SiteService for SiteHandler {
    async fn create_operator(
        &self,
        request: Request<wire::CreateOperatorRequest>,
    ) -> Result<Response<wire::CreateOperatorResponse>, Status> {
        let caller = caller(&request)?;
        let asked = operator::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_operator(&caller, asked).await.map_err(status)?;
        reply(answer, operator::created)
    }

    async fn get_operator(
        &self,
        request: Request<wire::GetOperatorRequest>,
    ) -> Result<Response<wire::GetOperatorResponse>, Status> {
        let caller = caller(&request)?;
        let (name, at) = operator::get(request.get_ref()).map_err(status)?;
        let answer = self.app.get_operator(&caller, &name, at).await.map_err(status)?;
        Ok(Response::new(wire::GetOperatorResponse { operator: Some(operator::to_wire(&answer)) }))
    }

    async fn list_operators(
        &self,
        request: Request<wire::ListOperatorsRequest>,
    ) -> Result<Response<wire::ListOperatorsResponse>, Status> {
        let caller = caller(&request)?;
        let asked = operator::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_operators(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListOperatorsResponse {
            operators: answer.items.iter().map(operator::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }

    async fn update_operator(
        &self,
        request: Request<wire::UpdateOperatorRequest>,
    ) -> Result<Response<wire::UpdateOperatorResponse>, Status> {
        let caller = caller(&request)?;
        let asked = operator::update(request.get_ref()).map_err(status)?;
        let answer = self.app.update_operator(&caller, asked).await.map_err(status)?;
        reply(answer, operator::updated)
    }

    async fn create_site(
        &self,
        request: Request<wire::CreateSiteRequest>,
    ) -> Result<Response<wire::CreateSiteResponse>, Status> {
        let caller = caller(&request)?;
        let asked = site::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_site(&caller, asked).await.map_err(status)?;
        reply(answer, site::created)
    }

    async fn get_site(
        &self,
        request: Request<wire::GetSiteRequest>,
    ) -> Result<Response<wire::GetSiteResponse>, Status> {
        let caller = caller(&request)?;
        let (name, at) = site::get(request.get_ref()).map_err(status)?;
        let answer = self.app.get_site(&caller, &name, at).await.map_err(status)?;
        Ok(Response::new(wire::GetSiteResponse { site: Some(site::to_wire(&answer)) }))
    }

    async fn list_sites(
        &self,
        request: Request<wire::ListSitesRequest>,
    ) -> Result<Response<wire::ListSitesResponse>, Status> {
        let caller = caller(&request)?;
        let asked = site::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_sites(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListSitesResponse {
            sites: answer.items.iter().map(site::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }

    async fn update_site(
        &self,
        request: Request<wire::UpdateSiteRequest>,
    ) -> Result<Response<wire::UpdateSiteResponse>, Status> {
        let caller = caller(&request)?;
        let asked = site::update(request.get_ref()).map_err(status)?;
        let answer = self.app.update_site(&caller, asked).await.map_err(status)?;
        reply(answer, site::updated)
    }

    async fn archive_site(
        &self,
        request: Request<wire::ArchiveSiteRequest>,
    ) -> Result<Response<wire::ArchiveSiteResponse>, Status> {
        let caller = caller(&request)?;
        let asked = site::archive(request.get_ref()).map_err(status)?;
        let answer = self.app.archive_site(&caller, asked).await.map_err(status)?;
        reply(answer, site::archived)
    }

    async fn create_block(
        &self,
        request: Request<wire::CreateBlockRequest>,
    ) -> Result<Response<wire::CreateBlockResponse>, Status> {
        let caller = caller(&request)?;
        let asked = block::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_block(&caller, asked).await.map_err(status)?;
        reply(answer, block::created)
    }

    async fn get_block(
        &self,
        request: Request<wire::GetBlockRequest>,
    ) -> Result<Response<wire::GetBlockResponse>, Status> {
        let caller = caller(&request)?;
        let (name, at) = block::get(request.get_ref()).map_err(status)?;
        let answer = self.app.get_block(&caller, &name, at).await.map_err(status)?;
        Ok(Response::new(wire::GetBlockResponse { block: Some(block::to_wire(&answer)) }))
    }

    async fn list_blocks(
        &self,
        request: Request<wire::ListBlocksRequest>,
    ) -> Result<Response<wire::ListBlocksResponse>, Status> {
        let caller = caller(&request)?;
        let asked = block::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_blocks(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListBlocksResponse {
            blocks: answer.items.iter().map(block::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }

    async fn update_block(
        &self,
        request: Request<wire::UpdateBlockRequest>,
    ) -> Result<Response<wire::UpdateBlockResponse>, Status> {
        let caller = caller(&request)?;
        let asked = block::update(request.get_ref()).map_err(status)?;
        let answer = self.app.update_block(&caller, asked).await.map_err(status)?;
        reply(answer, block::updated)
    }

    async fn archive_block(
        &self,
        request: Request<wire::ArchiveBlockRequest>,
    ) -> Result<Response<wire::ArchiveBlockResponse>, Status> {
        let caller = caller(&request)?;
        let asked = block::archive(request.get_ref()).map_err(status)?;
        let answer = self.app.archive_block(&caller, asked).await.map_err(status)?;
        reply(answer, block::archived)
    }

    async fn create_phase(
        &self,
        request: Request<wire::CreatePhaseRequest>,
    ) -> Result<Response<wire::CreatePhaseResponse>, Status> {
        let caller = caller(&request)?;
        let asked = phase::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_phase(&caller, asked).await.map_err(status)?;
        reply(answer, phase::created)
    }

    async fn get_phase(
        &self,
        request: Request<wire::GetPhaseRequest>,
    ) -> Result<Response<wire::GetPhaseResponse>, Status> {
        let caller = caller(&request)?;
        let (asked, read_time) = phase::get(request.get_ref()).map_err(status)?;
        let answer = self.app.get_phase(&caller, &asked, read_time).await.map_err(status)?;
        Ok(Response::new(wire::GetPhaseResponse { phase: Some(phase::to_wire(&answer)) }))
    }

    async fn list_phases(
        &self,
        request: Request<wire::ListPhasesRequest>,
    ) -> Result<Response<wire::ListPhasesResponse>, Status> {
        let caller = caller(&request)?;
        let asked = phase::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_phases(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListPhasesResponse {
            phases: answer.items.iter().map(phase::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }

    async fn update_phase(
        &self,
        request: Request<wire::UpdatePhaseRequest>,
    ) -> Result<Response<wire::UpdatePhaseResponse>, Status> {
        let caller = caller(&request)?;
        let asked = phase_change::update(request.get_ref()).map_err(status)?;
        let answer = self.app.change_phase(&caller, asked).await.map_err(status)?;
        reply(answer, phase_change::updated)
    }

    async fn advance_phase(
        &self,
        request: Request<wire::AdvancePhaseRequest>,
    ) -> Result<Response<wire::AdvancePhaseResponse>, Status> {
        let caller = caller(&request)?;
        let asked = phase_change::advance(request.get_ref()).map_err(status)?;
        let answer = self.app.change_phase(&caller, asked).await.map_err(status)?;
        reply(answer, phase_change::advanced)
    }

    async fn slip_phase(
        &self,
        request: Request<wire::SlipPhaseRequest>,
    ) -> Result<Response<wire::SlipPhaseResponse>, Status> {
        let caller = caller(&request)?;
        let asked = phase_change::slip(request.get_ref()).map_err(status)?;
        let answer = self.app.change_phase(&caller, asked).await.map_err(status)?;
        reply(answer, phase_change::slipped)
    }

    async fn cancel_phase(
        &self,
        request: Request<wire::CancelPhaseRequest>,
    ) -> Result<Response<wire::CancelPhaseResponse>, Status> {
        let caller = caller(&request)?;
        let asked = phase_change::cancel(request.get_ref()).map_err(status)?;
        let answer = self.app.change_phase(&caller, asked).await.map_err(status)?;
        reply(answer, phase_change::cancelled)
    }

    async fn get_power_plan(
        &self,
        request: Request<wire::GetPowerPlanRequest>,
    ) -> Result<Response<wire::GetPowerPlanResponse>, Status> {
        let caller = caller(&request)?;
        let asked = power_plan::get(request.get_ref()).map_err(status)?;
        let answer = self.app.get_power_plan(&caller, asked).await.map_err(status)?;
        Ok(Response::new(power_plan::planned(&answer)))
    }
}
