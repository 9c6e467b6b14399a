//! `gridlease.billing.v1.ReportService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::report_service_server::ReportService;
use kernel::Error;
use runtime::{caller, status};
use tonic::{Request, Response, Status};

use super::export::{self, Export};
use super::{exposure, lease_report, receivables, report};
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

    async fn get_receivables_aging(
        &self,
        request: Request<wire::GetReceivablesAgingRequest>,
    ) -> Result<Response<wire::GetReceivablesAgingResponse>, Status> {
        let caller = caller(&request)?;
        let (operator, as_of) = receivables::aging(request.get_ref()).map_err(status)?;
        let aging = self.app.aging(&caller, &operator, as_of).await.map_err(status)?;
        receivables::aged(&aging).map(Response::new).map_err(status)
    }

    async fn get_revenue_schedule(
        &self,
        request: Request<wire::GetRevenueScheduleRequest>,
    ) -> Result<Response<wire::GetRevenueScheduleResponse>, Status> {
        let caller = caller(&request)?;
        let asked = lease_report::revenue(request.get_ref()).map_err(status)?;
        let rows = self.app.revenue_schedule(&caller, &asked).await.map_err(status)?;
        Ok(Response::new(lease_report::earned(&rows)))
    }

    async fn get_backlog(
        &self,
        request: Request<wire::GetBacklogRequest>,
    ) -> Result<Response<wire::GetBacklogResponse>, Status> {
        let caller = caller(&request)?;
        let asked = lease_report::backlog(request.get_ref()).map_err(status)?;
        let rows = self.app.backlog(&caller, &asked).await.map_err(status)?;
        lease_report::backlogged(&asked.operator, &rows).map(Response::new).map_err(status)
    }

    async fn get_advance_roll_forward(
        &self,
        request: Request<wire::GetAdvanceRollForwardRequest>,
    ) -> Result<Response<wire::GetAdvanceRollForwardResponse>, Status> {
        let caller = caller(&request)?;
        let asked = lease_report::roll_forward(request.get_ref()).map_err(status)?;
        let rows = self.app.advance_roll_forward(&caller, &asked).await.map_err(status)?;
        Ok(Response::new(lease_report::rolled_forward(&asked.operator, &rows)))
    }

    async fn get_commission_roll_forward(
        &self,
        request: Request<wire::GetCommissionRollForwardRequest>,
    ) -> Result<Response<wire::GetCommissionRollForwardResponse>, Status> {
        let caller = caller(&request)?;
        let asked = lease_report::commissions(request.get_ref()).map_err(status)?;
        let rows = self.app.commission_roll_forward(&caller, &asked).await.map_err(status)?;
        Ok(Response::new(lease_report::commissions_told(&asked.operator, &rows)))
    }

    async fn get_maturity_analysis(
        &self,
        request: Request<wire::GetMaturityAnalysisRequest>,
    ) -> Result<Response<wire::GetMaturityAnalysisResponse>, Status> {
        let (caller, asked) = (caller(&request)?, request.get_ref());
        let (operator, from) =
            lease_report::day(&asked.parent, "start_date", asked.start_date.as_ref()).map_err(status)?;
        let matured = self.app.maturity_analysis(&caller, &operator, from).await.map_err(status)?;
        Ok(Response::new(lease_report::matured(&matured)))
    }

    async fn get_contracted_capacity(
        &self,
        request: Request<wire::GetContractedCapacityRequest>,
    ) -> Result<Response<wire::GetContractedCapacityResponse>, Status> {
        let (caller, asked) = (caller(&request)?, request.get_ref());
        let (operator, as_of) =
            lease_report::day(&asked.parent, "as_of_date", asked.as_of_date.as_ref()).map_err(status)?;
        let contracted = self.app.contracted_capacity(&caller, &operator, as_of).await.map_err(status)?;
        Ok(Response::new(lease_report::contracted(&operator, &contracted)))
    }

    async fn get_exposure(
        &self,
        request: Request<wire::GetExposureRequest>,
    ) -> Result<Response<wire::GetExposureResponse>, Status> {
        let (caller, asked) = (caller(&request)?, request.get_ref());
        let (operator, as_of) =
            lease_report::day(&asked.parent, "as_of_date", asked.as_of_date.as_ref()).map_err(status)?;
        let told = self.app.exposure(&caller, &operator, as_of).await.map_err(status)?;
        exposure::told(&operator, &told).map(Response::new).map_err(status)
    }

    async fn export_report(
        &self,
        request: Request<wire::ExportReportRequest>,
    ) -> Result<Response<wire::ExportReportResponse>, Status> {
        let caller = caller(&request)?;
        let asked = export::asked(request.get_ref()).map_err(status)?;
        let csv = self.export(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ExportReportResponse { csv }))
    }
}

impl ReportHandler {
    /// Each report is made as for its own request, then written as a table.
    async fn export(&self, caller: &kernel::Caller, asked: Export) -> Result<String, Error> {
        match asked {
            Export::TrialBalance(operator, as_of) => {
                let balance = self.app.trial_balance(caller, &operator, as_of).await?;
                let told = report::balanced(&balance).ok_or_else(|| Error::internal("a sum does not fit"))?;
                export::trial_balance(&told)
            }
            Export::Aging(operator, as_of) => {
                export::aging(&receivables::aged(&self.app.aging(caller, &operator, as_of).await?)?)
            }
            Export::Revenue(asked) => {
                export::revenue(&lease_report::earned(&self.app.revenue_schedule(caller, &asked).await?))
            }
            Export::Backlog(asked) => {
                let rows = self.app.backlog(caller, &asked).await?;
                export::backlog(&lease_report::backlogged(&asked.operator, &rows)?)
            }
            Export::Advances(asked) => {
                let rows = self.app.advance_roll_forward(caller, &asked).await?;
                export::advances(&lease_report::rolled_forward(&asked.operator, &rows))
            }
            Export::Commissions(asked) => {
                let rows = self.app.commission_roll_forward(caller, &asked).await?;
                export::commissions(&lease_report::commissions_told(&asked.operator, &rows))
            }
            Export::Maturity(operator, from) => {
                let matured = self.app.maturity_analysis(caller, &operator, from).await?;
                export::maturity(&lease_report::matured(&matured))
            }
            Export::Capacity(operator, as_of) => {
                let contracted = self.app.contracted_capacity(caller, &operator, as_of).await?;
                export::capacity(&lease_report::contracted(&operator, &contracted))
            }
        }
    }
}
