//! Printing invoices and statements.

use std::sync::Arc;

use kernel::{
    AccountName, Caller, DateRange, Error, Instant, InvoiceName, OperatorId, Scope, SiteId, TenantId,
};
use paper::{Document, Format};

use super::App;
use crate::domain::invoice::Invoice;
use crate::domain::printed_invoice::{Names, printed_invoice};
use crate::domain::printed_statement::printed_statement;
use crate::peers::{Inventory, Leasing};
use crate::store::lease;

/// Prints: with the names that inventory and leasing know.
#[derive(Clone)]
pub struct Printer {
    app: Arc<App>,
    inventory: Inventory,
    leasing: Leasing,
}

/// A printed invoice.
pub struct Printed {
    /// What it tells.
    pub invoice: Invoice,
    /// The file.
    pub content: Vec<u8>,
}

impl App {
    /// The sites of an invoice's lease, by the terms of its first line.
    async fn sites_of(&self, invoice: &Invoice) -> Result<Vec<SiteId>, Error> {
        let scope = &Scope::Operator(invoice.operator.clone());
        let version = invoice.lines.first().map_or(1, |line| line.lease_version);
        let (operator, lease) = (&invoice.operator, &invoice.lease);
        let terms = self
            .db
            .read("sites_of_lease", scope, |tx| async move {
                let terms = lease::terms(tx.conn(), operator, lease, version).await?;
                Ok((tx, terms))
            })
            .await?;
        Ok(terms.premises.into_iter().map(|premises| premises.place.site).collect())
    }
}

impl Printer {
    /// A printer that asks these peers.
    #[must_use]
    pub fn new(app: Arc<App>, inventory: Inventory, leasing: Leasing) -> Self {
        Self { app, inventory, leasing }
    }

    /// The invoice of [`App::get_invoice`], to send. An issued one names its issuer as it was when it was issued.
    ///
    /// # Errors
    /// As [`App::get_invoice`]; what a peer is asked with.
    pub async fn invoice(
        &self,
        caller: &Caller,
        name: &InvoiceName,
        format: Format,
    ) -> Result<Printed, Error> {
        let invoice = self.app.get_invoice(caller, name).await?;
        let at = invoice.issued.as_ref().map(|issued| issued.time);
        let named = invoice.lines.iter().filter_map(|line| line.place());
        let mut sites: Vec<_> = named.map(|place| place.site.clone()).collect();
        if sites.is_empty() {
            sites = self.app.sites_of(&invoice).await?;
        }
        sites.sort();
        sites.dedup();
        let names = self.names(&invoice.operator, &invoice.tenant, &sites, at).await?;
        let content = on_paper(printed_invoice(&invoice, &names), format).await?;
        Ok(Printed { invoice, content })
    }

    /// The statement of [`App::statement`] with what is open after it, to send: it names both sides as they are called now.
    ///
    /// # Errors
    /// As [`App::statement`]; what a peer is asked with.
    pub async fn statement(
        &self,
        caller: &Caller,
        name: &AccountName,
        days: DateRange,
        format: Format,
    ) -> Result<Vec<u8>, Error> {
        let (stated, sites) = self.app.stated(caller, name, days).await?;
        let names = self.names(&name.operator, &stated.statement.tenant, &sites, None).await?;
        on_paper(printed_statement(&stated, &names), format).await
    }

    /// What both sides are called, or were at an instant.
    async fn names(
        &self,
        operator: &OperatorId,
        tenant: &TenantId,
        sites: &[SiteId],
        at: Option<Instant>,
    ) -> Result<Names, Error> {
        Ok(Names {
            operator: self.inventory.operator_name(operator, at).await?,
            entities: self.inventory.issuers(operator, sites, at).await?,
            tenant: self.leasing.tenant_name(operator, tenant).await?,
        })
    }
}

/// A long document takes a while: not on a thread that answers others.
async fn on_paper(document: Document, format: Format) -> Result<Vec<u8>, Error> {
    let printed = tokio::task::spawn_blocking(move || paper::print(&document, format));
    printed.await.map_err(Error::internal)?.map_err(Error::internal)
}
