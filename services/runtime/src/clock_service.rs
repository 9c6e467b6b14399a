//! The test clock over the wire. Registered only where the settings say `clock.test`.

use contracts::common::v1::clock_service_server::{ClockService, ClockServiceServer};
use contracts::common::v1::{AdvanceTimeRequest, AdvanceTimeResponse, GetTimeRequest, GetTimeResponse};
use kernel::{Clock as _, Error, TestClock, Violations};
use tonic::{Request, Response, Status};

use crate::{status, wire};

/// Serves one clock.
pub struct ClockServer(TestClock);

/// The gRPC service that tells and moves `clock`.
pub fn clock_service(clock: TestClock) -> ClockServiceServer<ClockServer> {
    ClockServiceServer::new(ClockServer(clock))
}

#[tonic::async_trait]
impl ClockService for ClockServer {
    async fn get_time(&self, _: Request<GetTimeRequest>) -> Result<Response<GetTimeResponse>, Status> {
        Ok(Response::new(GetTimeResponse { time: Some(wire::to_timestamp(self.0.now())) }))
    }

    async fn advance_time(
        &self,
        request: Request<AdvanceTimeRequest>,
    ) -> Result<Response<AdvanceTimeResponse>, Status> {
        let now = self.advance(request.get_ref()).map_err(status)?;
        tracing::info!(time = %now, "business time moved");
        Ok(Response::new(AdvanceTimeResponse { time: Some(wire::to_timestamp(now)) }))
    }
}

impl ClockServer {
    fn advance(&self, request: &AdvanceTimeRequest) -> Result<kernel::Instant, Error> {
        let mut v = Violations::new();
        let to = wire::instant(&mut v, "time", request.time.as_ref());
        let now = to.and_then(|to| v.take("time", self.0.advance_to(to)));
        v.build(|| now)
    }
}
