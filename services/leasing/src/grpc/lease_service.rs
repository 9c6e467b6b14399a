//! `gridlease.leasing.v1.LeaseService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::lease_service_server::LeaseService;
use kernel::{Caller, Error, LeaseName, Role, Violations};
use paper::Format;
use runtime::wire::known;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{amendment, assignment, credit, cut_over, delivery, holdover, lease, life, nomination};
use crate::app::{App, View};

/// Answers for leases.
pub struct LeaseHandler {
    app: Arc<App>,
}

impl LeaseHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl LeaseService for LeaseHandler {
    async fn propose_lease(
        &self,
        request: Request<wire::ProposeLeaseRequest>,
    ) -> Result<Response<wire::ProposeLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let today = self.app.now().date_naive();
        let command = lease::propose(request.get_ref(), today).map_err(status)?;
        reply(self.app.propose_lease(&caller, command).await.map_err(status)?, lease::proposed)
    }

    async fn import_lease(
        &self,
        request: Request<wire::ImportLeaseRequest>,
    ) -> Result<Response<wire::ImportLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let today = self.app.now().date_naive();
        let command = cut_over::import(request.get_ref(), today).map_err(status)?;
        reply(self.app.import_lease(&caller, command).await.map_err(status)?, cut_over::imported)
    }

    async fn sign_lease(
        &self,
        request: Request<wire::SignLeaseRequest>,
    ) -> Result<Response<wire::SignLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let from = request.remote_addr().map(|address| address.ip().to_string());
        let command = lease::sign(request.get_ref(), from.unwrap_or_default()).map_err(status)?;
        reply(self.app.sign_lease(&caller, command).await.map_err(status)?, lease::signed)
    }

    async fn cancel_lease(
        &self,
        request: Request<wire::CancelLeaseRequest>,
    ) -> Result<Response<wire::CancelLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let command = lease::cancel(request.get_ref()).map_err(status)?;
        reply(self.app.cancel_lease(&caller, command).await.map_err(status)?, lease::cancelled)
    }

    async fn get_lease(
        &self,
        request: Request<wire::GetLeaseRequest>,
    ) -> Result<Response<wire::GetLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let (name, version) = lease::get(request.get_ref()).map_err(status)?;
        let view = self.app.get_version(&caller, &name, version).await.map_err(status)?;
        Ok(Response::new(wire::GetLeaseResponse { lease: Some(writer(&caller)(&view)) }))
    }

    async fn list_leases(
        &self,
        request: Request<wire::ListLeasesRequest>,
    ) -> Result<Response<wire::ListLeasesResponse>, Status> {
        let caller = caller(&request)?;
        let query = lease::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_leases(&caller, &query).await.map_err(status)?;
        let leases = page.items.iter().map(writer(&caller)).collect();
        Ok(Response::new(wire::ListLeasesResponse { leases, next_page_token: page.next }))
    }

    async fn get_rent_schedule(
        &self,
        request: Request<wire::GetRentScheduleRequest>,
    ) -> Result<Response<wire::GetRentScheduleResponse>, Status> {
        let caller = caller(&request)?;
        let name = name(&request.get_ref().name).map_err(status)?;
        let schedule = self.app.rent_schedule(&caller, &name).await.map_err(status)?;
        Ok(Response::new(lease::schedule(&schedule)))
    }

    async fn list_deadlines(
        &self,
        request: Request<wire::ListDeadlinesRequest>,
    ) -> Result<Response<wire::ListDeadlinesResponse>, Status> {
        let caller = caller(&request)?;
        let query = delivery::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_deadlines(&caller, &query).await.map_err(status)?;
        Ok(Response::new(delivery::listed(page)))
    }

    async fn get_delivery_status(
        &self,
        request: Request<wire::GetDeliveryStatusRequest>,
    ) -> Result<Response<wire::GetDeliveryStatusResponse>, Status> {
        let caller = caller(&request)?;
        let name = name(&request.get_ref().name).map_err(status)?;
        let (view, next) = self.app.delivery_status(&caller, &name).await.map_err(status)?;
        Ok(Response::new(delivery::status(&view, &next)))
    }

    async fn satisfy_condition(
        &self,
        request: Request<wire::SatisfyConditionRequest>,
    ) -> Result<Response<wire::SatisfyConditionResponse>, Status> {
        let caller = caller(&request)?;
        let change = life::satisfy(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::SatisfyConditionResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn accept_block(
        &self,
        request: Request<wire::AcceptBlockRequest>,
    ) -> Result<Response<wire::AcceptBlockResponse>, Status> {
        let caller = caller(&request)?;
        let change = life::accept(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::AcceptBlockResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn give_notice(
        &self,
        request: Request<wire::GiveNoticeRequest>,
    ) -> Result<Response<wire::GiveNoticeResponse>, Status> {
        let caller = caller(&request)?;
        let change = life::give_notice(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::GiveNoticeResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn terminate_lease(
        &self,
        request: Request<wire::TerminateLeaseRequest>,
    ) -> Result<Response<wire::TerminateLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let change = life::terminate(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::TerminateLeaseResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn propose_amendment(
        &self,
        request: Request<wire::ProposeAmendmentRequest>,
    ) -> Result<Response<wire::ProposeAmendmentResponse>, Status> {
        let caller = caller(&request)?;
        let today = self.app.now().date_naive();
        let change = amendment::propose(request.get_ref(), today).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::ProposeAmendmentResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn sign_amendment(
        &self,
        request: Request<wire::SignAmendmentRequest>,
    ) -> Result<Response<wire::SignAmendmentResponse>, Status> {
        let caller = caller(&request)?;
        let from = request.remote_addr().map(|address| address.ip().to_string());
        let change = amendment::sign(request.get_ref(), from.unwrap_or_default()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::SignAmendmentResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn withdraw_amendment(
        &self,
        request: Request<wire::WithdrawAmendmentRequest>,
    ) -> Result<Response<wire::WithdrawAmendmentResponse>, Status> {
        let caller = caller(&request)?;
        let change = amendment::withdraw(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::WithdrawAmendmentResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn exercise_option(
        &self,
        request: Request<wire::ExerciseOptionRequest>,
    ) -> Result<Response<wire::ExerciseOptionResponse>, Status> {
        let caller = caller(&request)?;
        let change = life::exercise(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::ExerciseOptionResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn nominate_premises(
        &self,
        request: Request<wire::NominatePremisesRequest>,
    ) -> Result<Response<wire::NominatePremisesResponse>, Status> {
        let caller = caller(&request)?;
        let from = request.remote_addr().map(|address| address.ip().to_string());
        let change = nomination::nominate(request.get_ref(), from.unwrap_or_default()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::NominatePremisesResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn begin_holdover(
        &self,
        request: Request<wire::BeginHoldoverRequest>,
    ) -> Result<Response<wire::BeginHoldoverResponse>, Status> {
        let caller = caller(&request)?;
        let change = holdover::begin(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::BeginHoldoverResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn end_holdover(
        &self,
        request: Request<wire::EndHoldoverRequest>,
    ) -> Result<Response<wire::EndHoldoverResponse>, Status> {
        let caller = caller(&request)?;
        let change = holdover::end(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::EndHoldoverResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn request_assignment(
        &self,
        request: Request<wire::RequestAssignmentRequest>,
    ) -> Result<Response<wire::RequestAssignmentResponse>, Status> {
        let caller = caller(&request)?;
        let change = assignment::request(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::RequestAssignmentResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn consent_to_assignment(
        &self,
        request: Request<wire::ConsentToAssignmentRequest>,
    ) -> Result<Response<wire::ConsentToAssignmentResponse>, Status> {
        let caller = caller(&request)?;
        let change = assignment::consent(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::ConsentToAssignmentResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn decline_assignment(
        &self,
        request: Request<wire::DeclineAssignmentRequest>,
    ) -> Result<Response<wire::DeclineAssignmentResponse>, Status> {
        let caller = caller(&request)?;
        let change = assignment::decline(request.get_ref()).map_err(status)?;
        reply(self.app.change_lease(&caller, change).await.map_err(status)?, |view| {
            wire::DeclineAssignmentResponse { lease: Some(lease::to_wire(view)) }
        })
    }

    async fn get_history(
        &self,
        request: Request<wire::GetHistoryRequest>,
    ) -> Result<Response<wire::GetHistoryResponse>, Status> {
        let caller = caller(&request)?;
        let query = life::get_history(request.get_ref()).map_err(status)?;
        let page = self.app.get_history(&caller, &query).await.map_err(status)?;
        Ok(Response::new(life::history(page)))
    }

    async fn get_credit_cover(
        &self,
        request: Request<wire::GetCreditCoverRequest>,
    ) -> Result<Response<wire::GetCreditCoverResponse>, Status> {
        let caller = caller(&request)?;
        let (name, as_of) = credit::get(request.get_ref()).map_err(status)?;
        let cover = self.app.credit_cover(&caller, &name, as_of).await.map_err(status)?;
        Ok(Response::new(credit::told(&cover)))
    }

    async fn render_lease(
        &self,
        request: Request<wire::RenderLeaseRequest>,
    ) -> Result<Response<wire::RenderLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let mut v = Violations::new();
        let name = v.parse("name", &request.get_ref().name, str::parse::<LeaseName>);
        let format = known(&mut v, "format", request.get_ref().format).and_then(Format::of_wire);
        let (name, format) = v.build(|| Some((name?, format?))).map_err(status)?;
        let content = self.app.render_lease(&caller, &name, format).await.map_err(status)?;
        let stem = format!("order-form-{}-{}", name.operator, name.lease);
        let document = Some(paper::wire::document(&stem, format, content));
        Ok(Response::new(wire::RenderLeaseResponse { document }))
    }
}

fn name(text: &str) -> Result<LeaseName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse);
    v.build(|| name)
}

/// Who may see money: everyone who may read leases, but for those who only run sites.
const SEE_MONEY: [Role; 6] =
    [Role::OperatorAdmin, Role::Sales, Role::Finance, Role::Tenant, Role::Auditor, Role::Service];

fn writer(caller: &Caller) -> fn(&View) -> wire::Lease {
    if SEE_MONEY.iter().any(|role| caller.has_role(*role)) {
        lease::to_wire
    } else {
        lease::to_wire_without_money
    }
}
