//! `gridlease.billing.v1.ReportService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::report_service_server::ReportService;
use kernel::Error;
use runtime::{caller, status};
use tonic::{Request, Response, Status};

use super::report;
use crate::app::App;

/// Answers for the books.
pub(crate) struct ReportHandler {
    app: Arc<App>,
}

impl ReportHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl ReportService for ReportHandler {
    async fn get_trial_balance(
        &self,
        request: Request<wire::GetTrialBalanceRequest>,
    ) -> Result<Response<wire::GetTrialBalanceResponse>, Status> {
        let caller = caller(&request)?;
        let (operator, as_of) = report::balance(request.get_ref()).map_err(status)?;
        let balance = self.app.trial_balance(&caller, &operator, as_of).await.map_err(status)?;
        let told = report::balanced(&balance).ok_or_else(|| Error::internal("a sum does not fit"));
        told.map(Response::new).map_err(status)
    }

    async fn list_ledger_entries(
        &self,
        request: Request<wire::ListLedgerEntriesRequest>,
    ) -> Result<Response<wire::ListLedgerEntriesResponse>, Status> {
        let caller = caller(&request)?;
        let command = report::entries(request.get_ref()).map_err(status)?;
        let listed = self.app.list_ledger_entries(&caller, command).await.map_err(status)?;
        Ok(Response::new(report::listed(listed)))
    }
}
