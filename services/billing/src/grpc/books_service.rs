//! `gridlease.billing.v1.BooksService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::books_service_server::BooksService;
use prost::Message as _;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{books, commission};
use crate::app::App;
use crate::domain::commission::Commission;
use crate::domain::voucher::Voucher;

/// Answers for the end of a month, and for what needs two people.
pub(crate) struct BooksHandler {
    app: Arc<App>,
}

impl BooksHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

fn reopen_period(voucher: &wire::Voucher) -> wire::ReopenPeriodResponse {
    wire::ReopenPeriodResponse { voucher: Some(voucher.clone()) }
}

fn post_journal(voucher: &wire::Voucher) -> wire::PostJournalResponse {
    wire::PostJournalResponse { voucher: Some(voucher.clone()) }
}

fn write_off(voucher: &wire::Voucher) -> wire::WriteOffResponse {
    wire::WriteOffResponse { voucher: Some(voucher.clone()) }
}

fn record_commission(voucher: &wire::Voucher) -> wire::RecordCommissionResponse {
    wire::RecordCommissionResponse { voucher: Some(voucher.clone()) }
}

fn reverse_commission(voucher: &wire::Voucher) -> wire::ReverseCommissionResponse {
    wire::ReverseCommissionResponse { voucher: Some(voucher.clone()) }
}

fn approve_voucher(voucher: &wire::Voucher) -> wire::ApproveVoucherResponse {
    wire::ApproveVoucherResponse { voucher: Some(voucher.clone()) }
}

fn reject_voucher(voucher: &wire::Voucher) -> wire::RejectVoucherResponse {
    wire::RejectVoucherResponse { voucher: Some(voucher.clone()) }
}

#[tonic::async_trait]
impl BooksService for BooksHandler {
    async fn get_books(
        &self,
        request: Request<wire::GetBooksRequest>,
    ) -> Result<Response<wire::GetBooksResponse>, Status> {
        let caller = caller(&request)?;
        let operator = books::operator(&request.get_ref().parent).map_err(status)?;
        let found = self.app.get_books(&caller, &operator).await.map_err(status)?;
        Ok(Response::new(wire::GetBooksResponse { books: Some(books::to_wire(&found)) }))
    }

    async fn close_period(
        &self,
        request: Request<wire::ClosePeriodRequest>,
    ) -> Result<Response<wire::ClosePeriodResponse>, Status> {
        let caller = caller(&request)?;
        let command = books::close(request.get_ref()).map_err(status)?;
        let encode = |closed: &_| books::closed(closed).encode_to_vec();
        let answer = self.app.close_period(&caller, command, encode).await.map_err(status)?;
        reply(answer, books::closed)
    }

    async fn reopen_period(
        &self,
        request: Request<wire::ReopenPeriodRequest>,
    ) -> Result<Response<wire::ReopenPeriodResponse>, Status> {
        let caller = caller(&request)?;
        let command = books::reopen(request.get_ref()).map_err(status)?;
        let encode = |voucher: &Voucher| reopen_period(&books::voucher_to_wire(voucher)).encode_to_vec();
        let tried = command.validate_only;
        let answer = self.app.propose(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| reopen_period(&books::nameless_if(tried, voucher)))
    }

    async fn post_journal(
        &self,
        request: Request<wire::PostJournalRequest>,
    ) -> Result<Response<wire::PostJournalResponse>, Status> {
        let caller = caller(&request)?;
        let command = books::journal(request.get_ref()).map_err(status)?;
        let encode = |voucher: &Voucher| post_journal(&books::voucher_to_wire(voucher)).encode_to_vec();
        let tried = command.validate_only;
        let answer = self.app.propose(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| post_journal(&books::nameless_if(tried, voucher)))
    }

    async fn post_accrual(
        &self,
        request: Request<wire::PostAccrualRequest>,
    ) -> Result<Response<wire::PostAccrualResponse>, Status> {
        let caller = caller(&request)?;
        let command = books::accrue(request.get_ref()).map_err(status)?;
        let encode = |accrued: &_| books::accrued(accrued).encode_to_vec();
        let answer = self.app.post_accrual(&caller, command, encode).await.map_err(status)?;
        reply(answer, books::accrued)
    }

    async fn write_off(
        &self,
        request: Request<wire::WriteOffRequest>,
    ) -> Result<Response<wire::WriteOffResponse>, Status> {
        let caller = caller(&request)?;
        let command = books::write_off(request.get_ref()).map_err(status)?;
        let encode = |voucher: &Voucher| write_off(&books::voucher_to_wire(voucher)).encode_to_vec();
        let tried = command.validate_only;
        let answer = self.app.propose(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| write_off(&books::nameless_if(tried, voucher)))
    }

    async fn record_commission(
        &self,
        request: Request<wire::RecordCommissionRequest>,
    ) -> Result<Response<wire::RecordCommissionResponse>, Status> {
        let caller = caller(&request)?;
        let command = commission::record(request.get_ref()).map_err(status)?;
        let encode = |voucher: &Voucher| record_commission(&books::voucher_to_wire(voucher)).encode_to_vec();
        let tried = command.validate_only;
        let answer = self.app.propose(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| record_commission(&books::nameless_if(tried, voucher)))
    }

    async fn pay_commission(
        &self,
        request: Request<wire::PayCommissionRequest>,
    ) -> Result<Response<wire::PayCommissionResponse>, Status> {
        let caller = caller(&request)?;
        let command = commission::pay(request.get_ref()).map_err(status)?;
        let encode = |of: &Commission| commission::paid(of).encode_to_vec();
        let answer = self.app.pay_commission(&caller, command, encode).await.map_err(status)?;
        reply(answer, commission::paid)
    }

    async fn return_commission(
        &self,
        request: Request<wire::ReturnCommissionRequest>,
    ) -> Result<Response<wire::ReturnCommissionResponse>, Status> {
        let caller = caller(&request)?;
        let command = commission::give_back(request.get_ref()).map_err(status)?;
        let encode = |of: &Commission| commission::returned(of).encode_to_vec();
        let answer = self.app.pay_commission(&caller, command, encode).await.map_err(status)?;
        reply(answer, commission::returned)
    }

    async fn reverse_commission(
        &self,
        request: Request<wire::ReverseCommissionRequest>,
    ) -> Result<Response<wire::ReverseCommissionResponse>, Status> {
        let caller = caller(&request)?;
        let command = commission::reverse(request.get_ref()).map_err(status)?;
        let encode = |voucher: &Voucher| reverse_commission(&books::voucher_to_wire(voucher)).encode_to_vec();
        let tried = command.validate_only;
        let answer = self.app.propose(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| reverse_commission(&books::nameless_if(tried, voucher)))
    }

    async fn get_commission(
        &self,
        request: Request<wire::GetCommissionRequest>,
    ) -> Result<Response<wire::GetCommissionResponse>, Status> {
        let caller = caller(&request)?;
        let name = commission::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_commission(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetCommissionResponse { commission: Some(commission::to_wire(&found)) }))
    }

    async fn list_commissions(
        &self,
        request: Request<wire::ListCommissionsRequest>,
    ) -> Result<Response<wire::ListCommissionsResponse>, Status> {
        let caller = caller(&request)?;
        let command = commission::list(request.get_ref()).map_err(status)?;
        let found = self.app.list_commissions(&caller, command).await.map_err(status)?;
        Ok(Response::new(commission::listed(&found)))
    }

    async fn approve_voucher(
        &self,
        request: Request<wire::ApproveVoucherRequest>,
    ) -> Result<Response<wire::ApproveVoucherResponse>, Status> {
        let caller = caller(&request)?;
        let asked = request.get_ref();
        let said = (asked.name.as_str(), asked.etag.as_str(), asked.request_id.as_str());
        let command = books::decide(said, true, asked.validate_only).map_err(status)?;
        let encode = |voucher: &Voucher| approve_voucher(&books::voucher_to_wire(voucher)).encode_to_vec();
        let answer = self.app.decide(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| approve_voucher(&books::voucher_to_wire(voucher)))
    }

    async fn reject_voucher(
        &self,
        request: Request<wire::RejectVoucherRequest>,
    ) -> Result<Response<wire::RejectVoucherResponse>, Status> {
        let caller = caller(&request)?;
        let asked = request.get_ref();
        let said = (asked.name.as_str(), asked.etag.as_str(), asked.request_id.as_str());
        let command = books::decide(said, false, asked.validate_only).map_err(status)?;
        let encode = |voucher: &Voucher| reject_voucher(&books::voucher_to_wire(voucher)).encode_to_vec();
        let answer = self.app.decide(&caller, command, encode).await.map_err(status)?;
        reply(answer, |voucher| reject_voucher(&books::voucher_to_wire(voucher)))
    }

    async fn get_voucher(
        &self,
        request: Request<wire::GetVoucherRequest>,
    ) -> Result<Response<wire::GetVoucherResponse>, Status> {
        let caller = caller(&request)?;
        let name = books::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_voucher(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetVoucherResponse { voucher: Some(books::voucher_to_wire(&found)) }))
    }

    async fn list_vouchers(
        &self,
        request: Request<wire::ListVouchersRequest>,
    ) -> Result<Response<wire::ListVouchersResponse>, Status> {
        let caller = caller(&request)?;
        let command = books::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_vouchers(&caller, command).await.map_err(status)?;
        Ok(Response::new(books::listed(listed)))
    }
}
