//! `gridlease lease render` and `gridlease invoice render`: the order form and the invoice as files to send.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use contracts::billing::v1::RenderInvoiceRequest;
use contracts::billing::v1::invoice_service_client::InvoiceServiceClient;
use contracts::common::v1::{Document, DocumentFormat};
use contracts::leasing::v1::RenderLeaseRequest;
use contracts::leasing::v1::lease_service_client::LeaseServiceClient;
use kernel::{InvoiceName, LeaseName, OperatorId, Organisation, Role};
use runtime::client::{Bearer, channel};
use tonic::service::interceptor::InterceptedService;

use crate::asking::minted;
use crate::clients::Wire;
use crate::out;

/// `gridlease lease`.
#[derive(Debug, Args)]
pub struct Lease {
    /// What to do.
    #[command(subcommand)]
    pub what: LeaseWhat,
}

/// What can be done with a lease.
#[derive(Debug, Subcommand)]
pub enum LeaseWhat {
    /// Write its order form as a file to send: parties, premises, rates, rent by year, signatures, hash
    Render(RenderLease),
}

/// `gridlease invoice`.
#[derive(Debug, Args)]
pub struct Invoice {
    /// What to do.
    #[command(subcommand)]
    pub what: InvoiceWhat,
}

/// What can be done with an invoice.
#[derive(Debug, Subcommand)]
pub enum InvoiceWhat {
    /// Write it as a file to send: issuer, bill-to, every line with its computation, totals
    Render(RenderInvoice),
}

/// What a file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// PDF/A
    Pdf,
    /// One HTML file
    Html,
}

/// The file, and as whom it is asked for.
#[derive(Clone, Debug, Args)]
pub struct File {
    /// What it is written as [default: as the file's name ends, else pdf]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// The file [default: a name that says what it is, in this folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// A token [default: one of the local development issuer]
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Without a token: as whom to ask, operators/SLUG or tenants/SLUG [default: its operator]
    #[arg(long = "as", value_name = "ORG")]
    pub organisation: Option<Organisation>,
    /// The data directory of the `up` whose issuer mints the token [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

const LEASE_EXAMPLES: &str = "\
Examples:
  gridlease lease render operators/hut-8/leases/river-bend
  gridlease lease render operators/hut-8/leases/river-bend --format html --out river-bend.html
  gridlease lease render operators/hut-8/leases/river-bend --as tenants/anthropic --out river-bend.pdf";

/// `gridlease lease render`.
#[derive(Debug, Args)]
#[command(after_help = LEASE_EXAMPLES)]
pub struct RenderLease {
    /// The lease
    #[arg(value_name = "NAME")]
    pub name: LeaseName,
    /// Where leasing listens
    #[arg(long, env = "GRIDLEASE_LEASING", default_value = "http://127.0.0.1:50052", value_name = "URI")]
    pub leasing: String,
    /// The file.
    #[command(flatten)]
    pub file: File,
}

const INVOICE_EXAMPLES: &str = "\
Examples:
  gridlease invoice render operators/hut-8/invoices/01934f5e-7c1a-7b7a-9c3e-0d5f2a7b9c11
  gridlease invoice render operators/hut-8/invoices/01934f5e-7c1a-7b7a-9c3e-0d5f2a7b9c11 --format html --out december.html";

/// `gridlease invoice render`.
#[derive(Debug, Args)]
#[command(after_help = INVOICE_EXAMPLES)]
pub struct RenderInvoice {
    /// The invoice
    #[arg(value_name = "NAME")]
    pub name: InvoiceName,
    /// Where billing listens
    #[arg(long, env = "GRIDLEASE_BILLING", default_value = "http://127.0.0.1:50053", value_name = "URI")]
    pub billing: String,
    /// The file.
    #[command(flatten)]
    pub file: File,
}

/// Writes an order form; gives the file's name.
///
/// # Errors
/// A token that cannot be had; a refusal of leasing, in its words; a file that cannot be written.
pub async fn lease(arguments: Lease) -> anyhow::Result<PathBuf> {
    let LeaseWhat::Render(RenderLease { name, leasing, file }) = arguments.what;
    let mut leases = LeaseServiceClient::new(file.connect(&leasing, &name.operator, Role::Sales)?);
    let request = RenderLeaseRequest { name: name.to_string(), format: file.format().into() };
    file.write(leases.render_lease(request).await?.into_inner().document)
}

/// Writes an invoice; gives the file's name.
///
/// # Errors
/// A token that cannot be had; a refusal of billing, in its words; a file that cannot be written.
pub async fn invoice(arguments: Invoice) -> anyhow::Result<PathBuf> {
    let InvoiceWhat::Render(RenderInvoice { name, billing, file }) = arguments.what;
    let mut invoices = InvoiceServiceClient::new(file.connect(&billing, &name.operator, Role::Finance)?);
    let request = RenderInvoiceRequest { name: name.to_string(), format: file.format().into() };
    file.write(invoices.render_invoice(request).await?.into_inner().document)
}

/// Says which file was written.
pub fn said(file: &Path) {
    out::say(file.display().to_string());
}

impl File {
    fn format(&self) -> DocumentFormat {
        let is_html = |file: &PathBuf| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("html"));
        match self.format {
            Some(Format::Html) => DocumentFormat::Html,
            None if self.out.as_ref().is_some_and(is_html) => DocumentFormat::Html,
            Some(Format::Pdf) | None => DocumentFormat::Pdf,
        }
    }

    fn connect(&self, uri: &str, operator: &OperatorId, role: Role) -> anyhow::Result<Wire> {
        let own = || Organisation::Operator(operator.clone());
        let organisation = self.organisation.clone().unwrap_or_else(own);
        let role = if matches!(organisation, Organisation::Tenant(_)) { Role::Tenant } else { role };
        let token = match &self.token {
            Some(token) => token.clone(),
            None => minted(self.data_dir.clone(), &organisation, role)?,
        };
        Ok(InterceptedService::new(channel(uri)?, Bearer::new(&token)?))
    }

    fn write(&self, document: Option<Document>) -> anyhow::Result<PathBuf> {
        let document = document.context("an answer without a document")?;
        // The suggestion is a name, never a way to somewhere else.
        let suggested = Path::new(&document.file_name).file_name().map(PathBuf::from);
        let file = self.out.clone().or(suggested).context("a document without a name: say --out FILE")?;
        std::fs::write(&file, &document.content).with_context(|| format!("write {}", file.display()))?;
        Ok(file)
    }
}
