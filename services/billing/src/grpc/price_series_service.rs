//! `gridlease.billing.v1.PriceSeriesService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::price_series_service_server::PriceSeriesService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::price_series;
use crate::app::App;

/// Answers for price indexes.
pub(crate) struct PriceSeriesHandler {
    app: Arc<App>,
}

impl PriceSeriesHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl PriceSeriesService for PriceSeriesHandler {
    async fn record_series_values(
        &self,
        request: Request<wire::RecordSeriesValuesRequest>,
    ) -> Result<Response<wire::RecordSeriesValuesResponse>, Status> {
        let caller = caller(&request)?;
        let command = price_series::record(request.get_ref()).map_err(status)?;
        let answer = self.app.record_series_values(&caller, command).await.map_err(status)?;
        reply(answer, |done| price_series::recorded(*done))
    }

    async fn list_series_values(
        &self,
        request: Request<wire::ListSeriesValuesRequest>,
    ) -> Result<Response<wire::ListSeriesValuesResponse>, Status> {
        let caller = caller(&request)?;
        let command = price_series::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_series_values(&caller, command).await.map_err(status)?;
        Ok(Response::new(price_series::listed(listed)))
    }
}
