//! `gridlease.inventory.v1.ImportService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::import_service_server::ImportService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::table::{self, Read};
use crate::app::App;

/// Answers for tables.
pub struct ImportHandler {
    app: Arc<App>,
}

impl ImportHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl ImportService for ImportHandler {
    async fn import_inventory(
        &self,
        request: Request<wire::ImportInventoryRequest>,
    ) -> Result<Response<wire::ImportInventoryResponse>, Status> {
        let caller = caller(&request)?;
        match table::import(request.get_ref()).map_err(status)? {
            Read::Wrong(problems) => Ok(Response::new(table::imported(&problems))),
            Read::Good(import) => {
                let answer = self.app.import_inventory(&caller, *import).await.map_err(status)?;
                reply(answer, table::imported)
            }
        }
    }

    async fn export_inventory(
        &self,
        request: Request<wire::ExportInventoryRequest>,
    ) -> Result<Response<wire::ExportInventoryResponse>, Status> {
        let caller = caller(&request)?;
        let (operator, format, page) = table::export(request.get_ref()).map_err(status)?;
        let answer = self
            .app
            .export_inventory(&caller, &operator, format.as_str_name(), page)
            .await
            .map_err(status)?;
        let text = table::write(format, &answer.items).map_err(status)?;
        Ok(Response::new(wire::ExportInventoryResponse { text, next_page_token: answer.next }))
    }
}
