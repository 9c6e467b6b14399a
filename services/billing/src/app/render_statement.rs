//! Printing a statement.

use std::sync::Arc;

use kernel::{AccountName, Caller, DateRange, Error};
use paper::Format;

use super::App;
use crate::domain::printed_invoice::Names;
use crate::domain::printed_statement::printed_statement;
use crate::peers::{Inventory, Leasing};

/// Prints statements: with the names that inventory and leasing know.
pub struct StatementPrinter {
    app: Arc<App>,
    inventory: Inventory,
    leasing: Leasing,
}

impl StatementPrinter {
    /// A printer that asks these peers.
    #[must_use]
    pub fn new(app: Arc<App>, inventory: Inventory, leasing: Leasing) -> Self {
        Self { app, inventory, leasing }
    }

    /// The statement of [`App::statement`] with what is open after it, to send: it names both sides as they are called now.
    ///
    /// # Errors
    /// As [`App::statement`]; what a peer is asked with.
    pub async fn print(
        &self,
        caller: &Caller,
        name: &AccountName,
        days: DateRange,
        format: Format,
    ) -> Result<Vec<u8>, Error> {
        let (stated, sites) = self.app.stated(caller, name, days).await?;
        let names = Names {
            operator: self.inventory.operator_name(&name.operator, None).await?,
            entities: self.inventory.issuers(&name.operator, &sites, None).await?,
            tenant: self.leasing.tenant_name(&name.operator, &stated.statement.tenant).await?,
        };
        let document = printed_statement(&stated, &names);
        // A long document takes a while: not on a thread that answers others.
        let printed = tokio::task::spawn_blocking(move || paper::print(&document, format));
        printed.await.map_err(Error::internal)?.map_err(Error::internal)
    }
}
