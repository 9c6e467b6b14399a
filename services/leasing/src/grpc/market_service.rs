//! `gridlease.leasing.v1.MarketService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::market_service_server::MarketService;
use kernel::{Error, NameError, Violations};
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{bid, capacity_request};
use crate::app::App;

/// Answers for capacity requests and bids.
pub struct MarketHandler {
    app: Arc<App>,
}

impl MarketHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl MarketService for MarketHandler {
    async fn create_capacity_request(
        &self,
        request: Request<wire::CreateCapacityRequestRequest>,
    ) -> Result<Response<wire::CreateCapacityRequestResponse>, Status> {
        let caller = caller(&request)?;
        let today = self.app.now().date_naive();
        let command = capacity_request::create(request.get_ref(), today).map_err(status)?;
        let answer = self.app.create_capacity_request(&caller, command).await.map_err(status)?;
        reply(answer, capacity_request::created)
    }

    async fn get_capacity_request(
        &self,
        request: Request<wire::GetCapacityRequestRequest>,
    ) -> Result<Response<wire::GetCapacityRequestResponse>, Status> {
        let caller = caller(&request)?;
        let name = name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_capacity_request(&caller, &name).await.map_err(status)?;
        let capacity_request = Some(capacity_request::to_wire(&found));
        Ok(Response::new(wire::GetCapacityRequestResponse { capacity_request }))
    }

    async fn list_capacity_requests(
        &self,
        request: Request<wire::ListCapacityRequestsRequest>,
    ) -> Result<Response<wire::ListCapacityRequestsResponse>, Status> {
        let caller = caller(&request)?;
        let query = capacity_request::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_capacity_requests(&caller, &query).await.map_err(status)?;
        Ok(Response::new(wire::ListCapacityRequestsResponse {
            capacity_requests: page.items.iter().map(capacity_request::to_wire).collect(),
            next_page_token: page.next,
        }))
    }

    async fn cancel_capacity_request(
        &self,
        request: Request<wire::CancelCapacityRequestRequest>,
    ) -> Result<Response<wire::CancelCapacityRequestResponse>, Status> {
        let caller = caller(&request)?;
        let command = capacity_request::cancel(request.get_ref()).map_err(status)?;
        let answer = self.app.cancel_capacity_request(&caller, command).await.map_err(status)?;
        reply(answer, capacity_request::cancelled)
    }

    async fn submit_bid(
        &self,
        request: Request<wire::SubmitBidRequest>,
    ) -> Result<Response<wire::SubmitBidResponse>, Status> {
        let caller = caller(&request)?;
        let today = self.app.now().date_naive();
        let command = bid::submit(request.get_ref(), today).map_err(status)?;
        reply(self.app.submit_bid(&caller, command).await.map_err(status)?, bid::submitted)
    }

    async fn withdraw_bid(
        &self,
        request: Request<wire::WithdrawBidRequest>,
    ) -> Result<Response<wire::WithdrawBidResponse>, Status> {
        let caller = caller(&request)?;
        let command = bid::withdraw(request.get_ref()).map_err(status)?;
        reply(self.app.withdraw_bid(&caller, command).await.map_err(status)?, bid::withdrawn)
    }

    async fn get_bid(
        &self,
        request: Request<wire::GetBidRequest>,
    ) -> Result<Response<wire::GetBidResponse>, Status> {
        let caller = caller(&request)?;
        let name = name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_bid(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetBidResponse { bid: Some(bid::to_wire(&found)) }))
    }

    async fn list_bids(
        &self,
        request: Request<wire::ListBidsRequest>,
    ) -> Result<Response<wire::ListBidsResponse>, Status> {
        let caller = caller(&request)?;
        let query = bid::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_bids(&caller, &query).await.map_err(status)?;
        let bids = page.items.iter().map(bid::to_wire).collect();
        Ok(Response::new(wire::ListBidsResponse { bids, next_page_token: page.next }))
    }

    async fn award_bid(
        &self,
        request: Request<wire::AwardBidRequest>,
    ) -> Result<Response<wire::AwardBidResponse>, Status> {
        let caller = caller(&request)?;
        let command = bid::award(request.get_ref()).map_err(status)?;
        reply(self.app.award_bid(&caller, command).await.map_err(status)?, bid::awarded)
    }
}

fn name<N: std::str::FromStr<Err = NameError>>(text: &str) -> Result<N, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse);
    v.build(|| name)
}
