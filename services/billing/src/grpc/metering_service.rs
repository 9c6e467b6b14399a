//! `gridlease.billing.v1.MeteringService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::metering_service_server::MeteringService;
use kernel::Caller;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status, Streaming};

use super::{meter, reading};
use crate::app::{App, Ingest};

/// Answers for meters and readings.
pub(crate) struct MeteringHandler {
    app: Arc<App>,
}

impl MeteringHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl MeteringService for MeteringHandler {
    async fn create_meter(
        &self,
        request: Request<wire::CreateMeterRequest>,
    ) -> Result<Response<wire::CreateMeterResponse>, Status> {
        let caller = caller(&request)?;
        let command = meter::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_meter(&caller, command).await.map_err(status)?;
        reply(answer, meter::created)
    }

    async fn get_meter(
        &self,
        request: Request<wire::GetMeterRequest>,
    ) -> Result<Response<wire::GetMeterResponse>, Status> {
        let caller = caller(&request)?;
        let name = meter::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_meter(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetMeterResponse { meter: Some(meter::to_wire(&found)) }))
    }

    async fn list_meters(
        &self,
        request: Request<wire::ListMetersRequest>,
    ) -> Result<Response<wire::ListMetersResponse>, Status> {
        let caller = caller(&request)?;
        let command = meter::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_meters(&caller, command).await.map_err(status)?;
        Ok(Response::new(meter::listed(listed)))
    }

    async fn ingest_readings(
        &self,
        request: Request<Streaming<wire::IngestReadingsRequest>>,
    ) -> Result<Response<wire::IngestReadingsResponse>, Status> {
        let caller = caller(&request)?;
        let mut ingest = Ingest::new(Arc::clone(&self.app), Caller::clone(&caller));
        let mut stream = request.into_inner();
        while let Some(message) = stream.message().await? {
            let message = reading::message(&message).map_err(status)?;
            ingest.take(message).await.map_err(status)?;
        }
        let done = ingest.finish().await.map_err(status)?;
        Ok(Response::new(reading::ingested(&done)))
    }

    async fn list_readings(
        &self,
        request: Request<wire::ListReadingsRequest>,
    ) -> Result<Response<wire::ListReadingsResponse>, Status> {
        let caller = caller(&request)?;
        let command = reading::list(request.get_ref()).map_err(status)?;
        let (meter, listed) = self.app.list_readings(&caller, command).await.map_err(status)?;
        Ok(Response::new(reading::listed(&meter, &listed)))
    }

    async fn get_usage(
        &self,
        request: Request<wire::GetUsageRequest>,
    ) -> Result<Response<wire::GetUsageResponse>, Status> {
        let caller = caller(&request)?;
        let command = reading::get_usage(request.get_ref()).map_err(status)?;
        let with_intervals = command.with_intervals;
        let days = self.app.get_usage(&caller, command).await.map_err(status)?;
        Ok(Response::new(reading::usage(&days, with_intervals)))
    }
}
