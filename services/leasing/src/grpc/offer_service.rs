//! `gridlease.leasing.v1.OfferService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::offer_service_server::OfferService;
use kernel::{Caller, Role};
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{mining, quote, rate_card};
use crate::app::{App, CardCommand};
use crate::domain::quote_record::Quote;

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
    async fn quote_lease(
        &self,
        request: Request<wire::QuoteLeaseRequest>,
    ) -> Result<Response<wire::QuoteLeaseResponse>, Status> {
        let caller = caller(&request)?;
        let command = quote::quote_lease(request.get_ref()).map_err(status)?;
        let answer = self.app.quote_lease(&caller, command).await.map_err(status)?;
        reply(answer, |made| wire::QuoteLeaseResponse { quote: Some(quote::to_wire(made)) })
    }

    async fn get_quote(
        &self,
        request: Request<wire::GetQuoteRequest>,
    ) -> Result<Response<wire::GetQuoteResponse>, Status> {
        let caller = caller(&request)?;
        let name = quote::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_quote(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetQuoteResponse { quote: Some(quote_writer(&caller)(&found)) }))
    }

    async fn list_quotes(
        &self,
        request: Request<wire::ListQuotesRequest>,
    ) -> Result<Response<wire::ListQuotesResponse>, Status> {
        let caller = caller(&request)?;
        let query = quote::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_quotes(&caller, &query).await.map_err(status)?;
        let quotes = page.items.iter().map(quote_writer(&caller)).collect();
        Ok(Response::new(wire::ListQuotesResponse { quotes, next_page_token: page.next }))
    }

    async fn approve_quote(
        &self,
        request: Request<wire::ApproveQuoteRequest>,
    ) -> Result<Response<wire::ApproveQuoteResponse>, Status> {
        let caller = caller(&request)?;
        let asked = request.get_ref();
        let what = (asked.name.as_str(), asked.etag.as_str());
        let command = quote::answer(what, None, &asked.request_id, asked.validate_only).map_err(status)?;
        let answer = self.app.answer_quote(&caller, command).await.map_err(status)?;
        reply(answer, |made| wire::ApproveQuoteResponse { quote: Some(quote::to_wire(made)) })
    }

    async fn reject_quote(
        &self,
        request: Request<wire::RejectQuoteRequest>,
    ) -> Result<Response<wire::RejectQuoteResponse>, Status> {
        let caller = caller(&request)?;
        let asked = request.get_ref();
        let what = (asked.name.as_str(), asked.etag.as_str());
        let reason = Some(asked.reason.as_str());
        let command = quote::answer(what, reason, &asked.request_id, asked.validate_only).map_err(status)?;
        let answer = self.app.answer_quote(&caller, command).await.map_err(status)?;
        reply(answer, |made| wire::RejectQuoteResponse { quote: Some(quote::to_wire_for_tenant(made)) })
    }

    async fn accept_quote(
        &self,
        request: Request<wire::AcceptQuoteRequest>,
    ) -> Result<Response<wire::AcceptQuoteResponse>, Status> {
        let caller = caller(&request)?;
        let command = quote::accept(request.get_ref()).map_err(status)?;
        let answer = self.app.accept_quote(&caller, command).await.map_err(status)?;
        reply(answer, |made| wire::AcceptQuoteResponse { quote: Some(quote::to_wire_for_tenant(made)) })
    }

    async fn create_rate_card(
        &self,
        request: Request<wire::CreateRateCardRequest>,
    ) -> Result<Response<wire::CreateRateCardResponse>, Status> {
        let caller = caller(&request)?;
        let command = rate_card::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_rate_card(&caller, command).await.map_err(status)?;
        reply(answer, |card| wire::CreateRateCardResponse { rate_card: Some(rate_card::to_wire(card)) })
    }

    async fn get_rate_card(
        &self,
        request: Request<wire::GetRateCardRequest>,
    ) -> Result<Response<wire::GetRateCardResponse>, Status> {
        let caller = caller(&request)?;
        let name = rate_card::name(&request.get_ref().name).map_err(status)?;
        let card = self.app.get_rate_card(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetRateCardResponse { rate_card: Some(rate_card::to_wire(&card)) }))
    }

    async fn list_rate_cards(
        &self,
        request: Request<wire::ListRateCardsRequest>,
    ) -> Result<Response<wire::ListRateCardsResponse>, Status> {
        let caller = caller(&request)?;
        let query = rate_card::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_rate_cards(&caller, &query).await.map_err(status)?;
        let rate_cards = page.items.iter().map(rate_card::to_wire).collect();
        Ok(Response::new(wire::ListRateCardsResponse { rate_cards, next_page_token: page.next }))
    }

    async fn update_rate_card(
        &self,
        request: Request<wire::UpdateRateCardRequest>,
    ) -> Result<Response<wire::UpdateRateCardResponse>, Status> {
        let caller = caller(&request)?;
        let command = rate_card::update(request.get_ref()).map_err(status)?;
        let answer = self.app.change_rate_card(&caller, command).await.map_err(status)?;
        reply(answer, |card| wire::UpdateRateCardResponse { rate_card: Some(rate_card::to_wire(card)) })
    }

    async fn approve_rate_card(
        &self,
        request: Request<wire::ApproveRateCardRequest>,
    ) -> Result<Response<wire::ApproveRateCardResponse>, Status> {
        let caller = caller(&request)?;
        let asked = request.get_ref();
        let what = (asked.name.as_str(), asked.etag.as_str());
        let command = rate_card::command(what, &asked.request_id, asked.validate_only, CardCommand::Approve);
        let answer = self.app.change_rate_card(&caller, command.map_err(status)?).await.map_err(status)?;
        reply(answer, |card| wire::ApproveRateCardResponse { rate_card: Some(rate_card::to_wire(card)) })
    }

    async fn retire_rate_card(
        &self,
        request: Request<wire::RetireRateCardRequest>,
    ) -> Result<Response<wire::RetireRateCardResponse>, Status> {
        let caller = caller(&request)?;
        let asked = request.get_ref();
        let what = (asked.name.as_str(), asked.etag.as_str());
        let command = rate_card::command(what, &asked.request_id, asked.validate_only, CardCommand::Retire);
        let answer = self.app.change_rate_card(&caller, command.map_err(status)?).await.map_err(status)?;
        reply(answer, |card| wire::RetireRateCardResponse { rate_card: Some(rate_card::to_wire(card)) })
    }

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

/// A tenant reads what is for it, and not how it came about.
fn quote_writer(caller: &Caller) -> fn(&Quote) -> wire::Quote {
    if caller.has_role(Role::Tenant) { quote::to_wire_for_tenant } else { quote::to_wire }
}
