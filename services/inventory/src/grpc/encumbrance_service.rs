//! `gridlease.inventory.v1.EncumbranceService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::encumbrance_service_server::EncumbranceService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::encumbrance;
use crate::app::App;

/// Answers for encumbrances.
pub struct EncumbranceHandler {
    app: Arc<App>,
}

impl EncumbranceHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl EncumbranceService for EncumbranceHandler {
    async fn place_encumbrance(
        &self,
        request: Request<wire::PlaceEncumbranceRequest>,
    ) -> Result<Response<wire::PlaceEncumbranceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = encumbrance::place(request.get_ref()).map_err(status)?;
        let answer = self.app.place_encumbrance(&caller, asked).await.map_err(status)?;
        reply(answer, encumbrance::placed)
    }

    async fn release_encumbrance(
        &self,
        request: Request<wire::ReleaseEncumbranceRequest>,
    ) -> Result<Response<wire::ReleaseEncumbranceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = encumbrance::release(request.get_ref()).map_err(status)?;
        let answer = self.app.release_encumbrance(&caller, asked).await.map_err(status)?;
        reply(answer, encumbrance::released)
    }

    async fn get_encumbrance(
        &self,
        request: Request<wire::GetEncumbranceRequest>,
    ) -> Result<Response<wire::GetEncumbranceResponse>, Status> {
        let caller = caller(&request)?;
        let asked = encumbrance::name(&request.get_ref().name).map_err(status)?;
        let answer = self.app.get_encumbrance(&caller, &asked).await.map_err(status)?;
        let seen = encumbrance::seen_at(&answer, self.app.now());
        Ok(Response::new(wire::GetEncumbranceResponse { encumbrance: Some(seen) }))
    }

    async fn list_encumbrances(
        &self,
        request: Request<wire::ListEncumbrancesRequest>,
    ) -> Result<Response<wire::ListEncumbrancesResponse>, Status> {
        let caller = caller(&request)?;
        let asked = encumbrance::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_encumbrances(&caller, asked).await.map_err(status)?;
        let now = self.app.now();
        Ok(Response::new(wire::ListEncumbrancesResponse {
            encumbrances: answer.items.iter().map(|found| encumbrance::seen_at(found, now)).collect(),
            next_page_token: answer.next,
        }))
    }
}
