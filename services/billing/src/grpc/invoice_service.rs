//! `gridlease.billing.v1.InvoiceService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::invoice_service_server::InvoiceService;
use prost::Message as _;
use runtime::metrics::{Counter, Metrics};
use runtime::{caller, reply, status};
use tonic::{Code, Request, Response, Status};

use super::{credit_note, explanation, invoice, run, simulation};
use crate::app::{App, Printer};

/// Answers for billing runs and invoices.
pub(crate) struct InvoiceHandler {
    app: Arc<App>,
    printer: Printer,
    runs: BillingRuns,
}

/// Counts billing runs by how they ended.
pub(crate) struct BillingRuns {
    started: Counter,
    issued: Counter,
    refused: Counter,
    failed: Counter,
}

impl BillingRuns {
    /// Counted among these metrics.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "Billing runs that were started or issued, by how that ended";
        let outcomes = ["started", "issued", "refused", "failed"];
        let [started, issued, refused, failed] =
            metrics.counters("gridlease_invoice_runs", help, "outcome", outcomes);
        Self { started, issued, refused, failed }
    }

    fn told<T>(&self, done: &Counter, answer: Result<Response<T>, Status>) -> Result<Response<T>, Status> {
        match &answer {
            Ok(_) => done.inc(),
            Err(status)
                if matches!(status.code(), Code::Internal | Code::Unavailable | Code::DeadlineExceeded) =>
            {
                self.failed.inc()
            }
            Err(_) => self.refused.inc(),
        };
        answer
    }
}

impl InvoiceHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>, printer: Printer, runs: BillingRuns) -> Self {
        Self { app, printer, runs }
    }
}

#[tonic::async_trait]
impl InvoiceService for InvoiceHandler {
    async fn preview_invoices(
        &self,
        request: Request<wire::PreviewInvoicesRequest>,
    ) -> Result<Response<wire::PreviewInvoicesResponse>, Status> {
        let caller = caller(&request)?;
        let command = invoice::preview(request.get_ref()).map_err(status)?;
        let preview = self.app.preview_invoices(&caller, command).await.map_err(status)?;
        Ok(Response::new(invoice::previewed(&preview)))
    }

    async fn simulate_billing(
        &self,
        request: Request<wire::SimulateBillingRequest>,
    ) -> Result<Response<wire::SimulateBillingResponse>, Status> {
        let caller = caller(&request)?;
        let command = simulation::ask(request.get_ref()).map_err(status)?;
        let lease = command.lease.clone();
        let done = self.app.simulate_billing(&caller, command).await.map_err(status)?;
        Ok(Response::new(simulation::answer(&lease, &done)))
    }

    async fn start_billing_run(
        &self,
        request: Request<wire::StartBillingRunRequest>,
    ) -> Result<Response<wire::StartBillingRunResponse>, Status> {
        let caller = caller(&request)?;
        let command = run::start(request.get_ref()).map_err(status)?;
        let answer = self.app.start_billing_run(&caller, command).await.map_err(status);
        self.runs.told(&self.runs.started, answer.and_then(|answer| reply(answer, run::started)))
    }

    async fn get_billing_run(
        &self,
        request: Request<wire::GetBillingRunRequest>,
    ) -> Result<Response<wire::GetBillingRunResponse>, Status> {
        let caller = caller(&request)?;
        let name = run::name(&request.get_ref().name).map_err(status)?;
        let (found, problems) = self.app.get_billing_run(&caller, &name).await.map_err(status)?;
        Ok(Response::new(run::got(&found, &problems)))
    }

    async fn list_billing_runs(
        &self,
        request: Request<wire::ListBillingRunsRequest>,
    ) -> Result<Response<wire::ListBillingRunsResponse>, Status> {
        let caller = caller(&request)?;
        let command = run::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_billing_runs(&caller, command).await.map_err(status)?;
        Ok(Response::new(run::listed(listed)))
    }

    async fn issue_billing_run(
        &self,
        request: Request<wire::IssueBillingRunRequest>,
    ) -> Result<Response<wire::IssueBillingRunResponse>, Status> {
        let caller = caller(&request)?;
        let command = run::issue(request.get_ref()).map_err(status)?;
        let answer = self.app.issue_billing_run(&caller, command).await.map_err(status);
        self.runs.told(&self.runs.issued, answer.and_then(|answer| reply(answer, run::issued)))
    }

    async fn get_invoice(
        &self,
        request: Request<wire::GetInvoiceRequest>,
    ) -> Result<Response<wire::GetInvoiceResponse>, Status> {
        let caller = caller(&request)?;
        let name = invoice::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_invoice(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetInvoiceResponse { invoice: Some(invoice::to_wire(&found)) }))
    }

    async fn list_invoices(
        &self,
        request: Request<wire::ListInvoicesRequest>,
    ) -> Result<Response<wire::ListInvoicesResponse>, Status> {
        let caller = caller(&request)?;
        let command = invoice::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_invoices(&caller, command).await.map_err(status)?;
        Ok(Response::new(invoice::listed(listed)))
    }

    async fn issue_invoice(
        &self,
        request: Request<wire::IssueInvoiceRequest>,
    ) -> Result<Response<wire::IssueInvoiceResponse>, Status> {
        let caller = caller(&request)?;
        let command = invoice::issue(request.get_ref()).map_err(status)?;
        let answer = self.app.issue_invoice(&caller, command).await.map_err(status)?;
        reply(answer, invoice::issued)
    }

    async fn explain_line(
        &self,
        request: Request<wire::ExplainLineRequest>,
    ) -> Result<Response<wire::ExplainLineResponse>, Status> {
        let caller = caller(&request)?;
        let command = explanation::ask(request.get_ref()).map_err(status)?;
        let explained = self.app.explain_line(&caller, command).await.map_err(status)?;
        Ok(Response::new(explanation::answer(&explained)))
    }

    async fn render_invoice(
        &self,
        request: Request<wire::RenderInvoiceRequest>,
    ) -> Result<Response<wire::RenderInvoiceResponse>, Status> {
        let caller = caller(&request)?;
        let (name, format) = invoice::render(request.get_ref()).map_err(status)?;
        let printed = self.printer.invoice(&caller, &name, format).await.map_err(status)?;
        let stem = invoice::file_stem(&printed.invoice);
        let document = Some(paper::wire::document(&stem, format, printed.content));
        Ok(Response::new(wire::RenderInvoiceResponse { document }))
    }

    async fn void_invoice(
        &self,
        request: Request<wire::VoidInvoiceRequest>,
    ) -> Result<Response<wire::VoidInvoiceResponse>, Status> {
        let caller = caller(&request)?;
        let command = credit_note::void(request.get_ref()).map_err(status)?;
        let encode = |void: &_| credit_note::voided(void).encode_to_vec();
        let answer = self.app.void_invoice(&caller, command, encode).await.map_err(status)?;
        reply(answer, credit_note::voided)
    }

    async fn create_credit_note(
        &self,
        request: Request<wire::CreateCreditNoteRequest>,
    ) -> Result<Response<wire::CreateCreditNoteResponse>, Status> {
        let caller = caller(&request)?;
        let command = credit_note::create(request.get_ref()).map_err(status)?;
        let encode = |corrected: &_| credit_note::created(corrected).encode_to_vec();
        let answer = self.app.create_credit_note(&caller, command, encode).await.map_err(status)?;
        reply(answer, credit_note::created)
    }

    async fn get_credit_note(
        &self,
        request: Request<wire::GetCreditNoteRequest>,
    ) -> Result<Response<wire::GetCreditNoteResponse>, Status> {
        let caller = caller(&request)?;
        let name = credit_note::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_credit_note(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetCreditNoteResponse { credit_note: Some(credit_note::to_wire(&found)) }))
    }

    async fn list_credit_notes(
        &self,
        request: Request<wire::ListCreditNotesRequest>,
    ) -> Result<Response<wire::ListCreditNotesResponse>, Status> {
        let caller = caller(&request)?;
        let command = credit_note::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_credit_notes(&caller, command).await.map_err(status)?;
        Ok(Response::new(credit_note::listed(listed)))
    }
}
