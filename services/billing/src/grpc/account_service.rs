//! `gridlease.billing.v1.AccountService`.

use std::sync::Arc;

use contracts::billing::v1 as wire;
use contracts::billing::v1::account_service_server::AccountService;
use runtime::{caller, status};
use tonic::{Request, Response, Status};

use super::{account, receivables};
use crate::app::{App, Printer};

/// Answers for accounts.
pub(crate) struct AccountHandler {
    app: Arc<App>,
    printer: Printer,
}

impl AccountHandler {
    /// A handler over these use cases.
    #[must_use]
    pub(crate) fn new(app: Arc<App>, printer: Printer) -> Self {
        Self { app, printer }
    }
}

#[tonic::async_trait]
impl AccountService for AccountHandler {
    async fn get_account(
        &self,
        request: Request<wire::GetAccountRequest>,
    ) -> Result<Response<wire::GetAccountResponse>, Status> {
        let caller = caller(&request)?;
        let name = account::name(&request.get_ref().name).map_err(status)?;
        let found = self.app.get_account(&caller, &name).await.map_err(status)?;
        Ok(Response::new(wire::GetAccountResponse { account: Some(account::to_wire(&found)) }))
    }

    async fn list_accounts(
        &self,
        request: Request<wire::ListAccountsRequest>,
    ) -> Result<Response<wire::ListAccountsResponse>, Status> {
        let caller = caller(&request)?;
        let command = account::list(request.get_ref()).map_err(status)?;
        let listed = self.app.list_accounts(&caller, command).await.map_err(status)?;
        Ok(Response::new(account::listed(listed)))
    }

    async fn get_statement(
        &self,
        request: Request<wire::GetStatementRequest>,
    ) -> Result<Response<wire::GetStatementResponse>, Status> {
        let caller = caller(&request)?;
        let (name, days) = receivables::statement(request.get_ref()).map_err(status)?;
        let statement = self.app.statement(&caller, &name, days).await.map_err(status)?;
        Ok(Response::new(receivables::stated(&statement)))
    }

    async fn render_statement(
        &self,
        request: Request<wire::RenderStatementRequest>,
    ) -> Result<Response<wire::RenderStatementResponse>, Status> {
        let caller = caller(&request)?;
        let (name, days, format) = receivables::render(request.get_ref()).map_err(status)?;
        let content = self.printer.statement(&caller, &name, days, format).await.map_err(status)?;
        let document = Some(paper::wire::document(&receivables::file_stem(&name, days), format, content));
        Ok(Response::new(wire::RenderStatementResponse { document }))
    }
}
