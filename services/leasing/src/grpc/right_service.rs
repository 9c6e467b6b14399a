//! `gridlease.leasing.v1.RightService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::right_service_server::RightService;
use kernel::Violations;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::right;
use crate::app::App;

/// Answers for rights of first refusal and offer.
pub struct RightHandler {
    app: Arc<App>,
}

impl RightHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl RightService for RightHandler {
    async fn offer_to_right_holders(
        &self,
        request: Request<wire::OfferToRightHoldersRequest>,
    ) -> Result<Response<wire::OfferToRightHoldersResponse>, Status> {
        let caller = caller(&request)?;
        let command = right::offer(request.get_ref()).map_err(status)?;
        reply(self.app.offer_to_right_holders(&caller, command).await.map_err(status)?, right::offered)
    }

    async fn exercise_right(
        &self,
        request: Request<wire::ExerciseRightRequest>,
    ) -> Result<Response<wire::ExerciseRightResponse>, Status> {
        let caller = caller(&request)?;
        let command = right::exercise(request.get_ref()).map_err(status)?;
        reply(self.app.answer_right(&caller, command).await.map_err(status)?, right::exercised)
    }

    async fn waive_right(
        &self,
        request: Request<wire::WaiveRightRequest>,
    ) -> Result<Response<wire::WaiveRightResponse>, Status> {
        let caller = caller(&request)?;
        let command = right::waive(request.get_ref()).map_err(status)?;
        reply(self.app.answer_right(&caller, command).await.map_err(status)?, right::waived)
    }

    async fn get_right_offer(
        &self,
        request: Request<wire::GetRightOfferRequest>,
    ) -> Result<Response<wire::GetRightOfferResponse>, Status> {
        let caller = caller(&request)?;
        let mut v = Violations::new();
        let name = v.parse("name", &request.get_ref().name, str::parse);
        let name = v.build(|| name).map_err(status)?;
        let found = self.app.get_right_offer(&caller, &name).await.map_err(status)?;
        let right_offer = Some(right::writer(&caller)(&found));
        Ok(Response::new(wire::GetRightOfferResponse { right_offer }))
    }

    async fn list_right_offers(
        &self,
        request: Request<wire::ListRightOffersRequest>,
    ) -> Result<Response<wire::ListRightOffersResponse>, Status> {
        let caller = caller(&request)?;
        let query = right::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_right_offers(&caller, &query).await.map_err(status)?;
        Ok(Response::new(right::listed(&caller, &page)))
    }
}
