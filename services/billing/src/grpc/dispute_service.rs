//! `gridlease.billing.v1.DisputeService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::dispute_service_server::DisputeService;
use prost::Message as _;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::dispute;
use crate::app::App;

/// Answers for disputes.
pub(crate) struct DisputeHandler {
    app: Arc<App>,
}

impl DisputeHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl DisputeService for DisputeHandler {
    async fn dispute_line(
        &self,
        request: Request<wire::DisputeLineRequest>,
    ) -> Result<Response<wire::DisputeLineResponse>, Status> {
        let caller = caller(&request)?;
        let command = dispute::open(request.get_ref()).map_err(status)?;
        let encode = |told: &_| dispute::opened(told).encode_to_vec();
        let answer = self.app.dispute_line(&caller, command, encode).await.map_err(status)?;
        reply(answer, dispute::opened)
    }

    async fn resolve_dispute(
        &self,
        request: Request<wire::ResolveDisputeRequest>,
    ) -> Result<Response<wire::ResolveDisputeResponse>, Status> {
        let caller = caller(&request)?;
        let command = dispute::resolve(request.get_ref()).map_err(status)?;
        let encode = |told: &_| dispute::resolved(told).encode_to_vec();
        let answer = self.app.resolve_dispute(&caller, command, encode).await.map_err(status)?;
        reply(answer, dispute::resolved)
    }

    async fn get_dispute(
        &self,
        request: Request<wire::GetDisputeRequest>,
    ) -> Result<Response<wire::GetDisputeResponse>, Status> {
        let caller = caller(&request)?;
        let name = dispute::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_dispute(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetDisputeResponse { dispute: Some(dispute::to_wire(&found)) }))
    }

    async fn list_disputes(
        &self,
        request: Request<wire::ListDisputesRequest>,
    ) -> Result<Response<wire::ListDisputesResponse>, Status> {
        let caller = caller(&request)?;
        let command = dispute::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_disputes(&caller, command).await.map_err(status)?;
        Ok(Response::new(dispute::listed(&listed)))
    }
}
