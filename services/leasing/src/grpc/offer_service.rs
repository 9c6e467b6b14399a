//! `gridlease.leasing.v1.OfferService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::offer_service_server::OfferService;
use runtime::{caller, status};
use tonic::{Request, Response, Status};

use super::mining;
use crate::app::App;

/// Answers for what is offered.
pub struct OfferHandler {
    app: Arc<App>,
}

impl OfferHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl OfferService for OfferHandler {
    async fn compare_with_mining(
        &self,
        request: Request<wire::CompareWithMiningRequest>,
    ) -> Result<Response<wire::CompareWithMiningResponse>, Status> {
        let caller = caller(&request)?;
        let asked = mining::compare(request.get_ref()).map_err(status)?;
        let currency = asked.mine.currency;
        let (place, compared) = self.app.compare_with_mining(&caller, asked).await.map_err(status)?;
        Ok(Response::new(mining::compared(place, &compared, currency).map_err(status)?))
    }
}
