//! Printing an invoice.

use std::sync::Arc;

use kernel::{Caller, Error, InvoiceName, Scope, SiteId};
use paper::Format;

use super::App;
use crate::domain::invoice::Invoice;
use crate::domain::printed_invoice::{Names, printed_invoice};
use crate::peers::{Inventory, Leasing};
use crate::store::lease;

/// Prints invoices: with the names that inventory and leasing know.
pub struct InvoicePrinter {
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

impl InvoicePrinter {
    /// A printer that asks these peers.
    #[must_use]
    pub fn new(app: Arc<App>, inventory: Inventory, leasing: Leasing) -> Self {
        Self { app, inventory, leasing }
    }

    /// The invoice of [`App::get_invoice`], to send. An issued one names its issuer as it was when it was issued.
    ///
    /// # Errors
    /// As [`App::get_invoice`]; what a peer is asked with.
    pub async fn print(&self, caller: &Caller, name: &InvoiceName, format: Format) -> Result<Printed, Error> {
        let invoice = self.app.get_invoice(caller, name).await?;
        let at = invoice.issued.as_ref().map(|issued| issued.time);
        let named = invoice.lines.iter().filter_map(|line| line.place());
        let mut sites: Vec<_> = named.map(|place| place.site.clone()).collect();
        if sites.is_empty() {
            sites = self.app.sites_of(&invoice).await?;
        }
        sites.sort();
        sites.dedup();
        let names = Names {
            operator: self.inventory.operator_name(&invoice.operator, at).await?,
            entities: self.inventory.issuers(&invoice.operator, &sites, at).await?,
            tenant: self.leasing.tenant_name(&invoice.operator, &invoice.tenant).await?,
        };
        let document = printed_invoice(&invoice, &names);
        // A long document takes a while: not on a thread that answers others.
        let printed = tokio::task::spawn_blocking(move || paper::print(&document, format));
        let content = printed.await.map_err(Error::internal)?.map_err(Error::internal)?;
        Ok(Printed { invoice, content })
    }
}
