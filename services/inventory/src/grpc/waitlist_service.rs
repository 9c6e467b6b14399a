//! `gridlease.inventory.v1.WaitlistService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::waitlist_service_server::WaitlistService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::waitlist;
use crate::app::App;

/// Answers for those who wait.
pub struct WaitlistHandler {
    app: Arc<App>,
}

impl WaitlistHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl WaitlistService for WaitlistHandler {
    async fn join_waitlist(
        &self,
        request: Request<wire::JoinWaitlistRequest>,
    ) -> Result<Response<wire::JoinWaitlistResponse>, Status> {
        let caller = caller(&request)?;
        let asked = waitlist::join(request.get_ref()).map_err(status)?;
        let answer = self.app.join_waitlist(&caller, asked).await.map_err(status)?;
        reply(answer, waitlist::joined)
    }

    async fn leave_waitlist(
        &self,
        request: Request<wire::LeaveWaitlistRequest>,
    ) -> Result<Response<wire::LeaveWaitlistResponse>, Status> {
        let caller = caller(&request)?;
        let asked = waitlist::leave(request.get_ref()).map_err(status)?;
        let answer = self.app.leave_waitlist(&caller, asked).await.map_err(status)?;
        reply(answer, waitlist::left)
    }

    async fn get_waitlist_entry(
        &self,
        request: Request<wire::GetWaitlistEntryRequest>,
    ) -> Result<Response<wire::GetWaitlistEntryResponse>, Status> {
        let caller = caller(&request)?;
        let asked = waitlist::name(&request.get_ref().name).map_err(status)?;
        let answer = self.app.get_waitlist_entry(&caller, &asked).await.map_err(status)?;
        let seen = waitlist::seen_at(&answer, self.app.now());
        Ok(Response::new(wire::GetWaitlistEntryResponse { waitlist_entry: Some(seen) }))
    }

    async fn list_waitlist(
        &self,
        request: Request<wire::ListWaitlistRequest>,
    ) -> Result<Response<wire::ListWaitlistResponse>, Status> {
        let caller = caller(&request)?;
        let asked = waitlist::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_waitlist(&caller, asked).await.map_err(status)?;
        let now = self.app.now();
        Ok(Response::new(wire::ListWaitlistResponse {
            waitlist_entries: answer.items.iter().map(|found| waitlist::seen_at(found, now)).collect(),
            next_page_token: answer.next,
        }))
    }
}
