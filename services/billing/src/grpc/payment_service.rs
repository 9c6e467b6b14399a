//! `gridlease.billing.v1.PaymentService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::payment_service_server::PaymentService;
use prost::Message as _;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{books, payment, payment_instructions};
use crate::app::App;
use crate::domain::voucher::Voucher;

/// Answers for money in, and for where it is to be paid.
pub(crate) struct PaymentHandler {
    app: Arc<App>,
}

impl PaymentHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

fn proposed(voucher: wire::Voucher) -> wire::ProposePaymentInstructionsResponse {
    wire::ProposePaymentInstructionsResponse { voucher: Some(voucher) }
}

#[tonic::async_trait]
impl PaymentService for PaymentHandler {
    async fn record_payment(
        &self,
        request: Request<wire::RecordPaymentRequest>,
    ) -> Result<Response<wire::RecordPaymentResponse>, Status> {
        let caller = caller(&request)?;
        let command = payment::record(request.get_ref()).map_err(status)?;
        let encode = |new: &_| payment::recorded(new).encode_to_vec();
        let told = if command.validate_only { payment::tried } else { payment::recorded };
        let answer = self.app.record_payment(&caller, command, encode).await.map_err(status)?;
        reply(answer, told)
    }

    async fn allocate_payment(
        &self,
        request: Request<wire::AllocatePaymentRequest>,
    ) -> Result<Response<wire::AllocatePaymentResponse>, Status> {
        let caller = caller(&request)?;
        let command = payment::allocate(request.get_ref()).map_err(status)?;
        let encode = |changed: &_| payment::allocated(changed).encode_to_vec();
        let answer = self.app.allocate_payment(&caller, command, encode).await.map_err(status)?;
        reply(answer, payment::allocated)
    }

    async fn refund_payment(
        &self,
        request: Request<wire::RefundPaymentRequest>,
    ) -> Result<Response<wire::RefundPaymentResponse>, Status> {
        let caller = caller(&request)?;
        let command = payment::refund(request.get_ref()).map_err(status)?;
        let encode = |changed: &_| payment::refunded(changed).encode_to_vec();
        let answer = self.app.refund_payment(&caller, command, encode).await.map_err(status)?;
        reply(answer, payment::refunded)
    }

    async fn get_payment(
        &self,
        request: Request<wire::GetPaymentRequest>,
    ) -> Result<Response<wire::GetPaymentResponse>, Status> {
        let caller = caller(&request)?;
        let name = payment::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_payment(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetPaymentResponse { payment: Some(payment::to_wire(&found)) }))
    }

    async fn list_payments(
        &self,
        request: Request<wire::ListPaymentsRequest>,
    ) -> Result<Response<wire::ListPaymentsResponse>, Status> {
        let caller = caller(&request)?;
        let command = payment::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_payments(&caller, command).await.map_err(status)?;
        Ok(Response::new(payment::listed(listed)))
    }

    async fn propose_payment_instructions(
        &self,
        request: Request<wire::ProposePaymentInstructionsRequest>,
    ) -> Result<Response<wire::ProposePaymentInstructionsResponse>, Status> {
        let caller = caller(&request)?;
        let command = payment_instructions::propose(request.get_ref()).map_err(status)?;
        let encode = |voucher: &Voucher| proposed(books::voucher_to_wire(voucher)).encode_to_vec();
        let tried = command.validate_only;
        let answer = self.app.propose(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| proposed(books::nameless_if(tried, voucher)))
    }

    async fn get_payment_instructions(
        &self,
        request: Request<wire::GetPaymentInstructionsRequest>,
    ) -> Result<Response<wire::GetPaymentInstructionsResponse>, Status> {
        let caller = caller(&request)?;
        let name = payment_instructions::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_payment_instructions(&caller, &name).await.map_err(status)?;
        let payment_instructions = Some(payment_instructions::to_wire(&found));
        Ok(Response::new(wire::GetPaymentInstructionsResponse { payment_instructions }))
    }

    async fn list_payment_instructions(
        &self,
        request: Request<wire::ListPaymentInstructionsRequest>,
    ) -> Result<Response<wire::ListPaymentInstructionsResponse>, Status> {
        let caller = caller(&request)?;
        let command = payment_instructions::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_payment_instructions(&caller, command).await.map_err(status)?;
        Ok(Response::new(payment_instructions::listed(&listed)))
    }
}
