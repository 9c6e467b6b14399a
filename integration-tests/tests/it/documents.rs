//! Documents that people send: the order form of a lease and an invoice, as HTML and as PDF.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1::{Document, DocumentFormat};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use gridlease::render;
use integration_tests::market::{self, request_id};
use integration_tests::{Refusal, TestStack, World};
use kernel::Role;
use tonic::Code;

async fn order_form(who: &Clients, name: &str, format: DocumentFormat) -> Result<Document> {
    let request = leasing::RenderLeaseRequest { name: name.to_owned(), format: format.into() };
    who.leases().render_lease(request).await?.into_inner().document.context("a document")
}

async fn invoice(who: &Clients, name: &str, format: DocumentFormat) -> Result<Document> {
    let request = billing::RenderInvoiceRequest { name: name.to_owned(), format: format.into() };
    who.invoices().render_invoice(request).await?.into_inner().document.context("a document")
}

fn text(document: &Document) -> Result<&str> {
    ensure!(document.media_type == "text/html; charset=utf-8", "{}", document.media_type);
    Ok(std::str::from_utf8(&document.content)?)
}

fn says(text: &str, all: &[&str]) -> Result<()> {
    for said in all {
        ensure!(text.contains(said), "`{said}` is not in {text}");
    }
    Ok(())
}

fn is_pdf(document: &Document) -> Result<()> {
    ensure!(document.media_type == "application/pdf", "{}", document.media_type);
    let content = &document.content;
    ensure!(content.starts_with(b"%PDF-1.7") && content.trim_ascii_end().ends_with(b"%%EOF"), "no PDF");
    // Its fonts are inside, and it says that it is made to be kept.
    let has = |word: &[u8]| content.windows(word.len()).any(|window| window == word);
    ensure!(has(b"NotoSans-Bold") && has(b"/FontFile2") && has(b"pdfaid"), "no PDF/A with fonts");
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The site's issuer from now on.
async fn issuer(stack: &TestStack, site: &str, legal_name: &str) -> Result<()> {
    let mut sites = stack.clients(site.split("/sites/").next().unwrap_or_default(), Role::SiteOps)?.sites();
    let get = inventory::GetSiteRequest { name: site.to_owned(), ..Default::default() };
    let found = sites.get_site(get).await?.into_inner().site.context("a site")?;
    let entity = inventory::BillingEntity {
        legal_name: legal_name.to_owned(),
        tax_number: "12-3456789".to_owned(),
        address: "1 Main Street, Rockdale".to_owned(),
        country_code: "US".to_owned(),
    };
    let update = inventory::UpdateSiteRequest {
        site: Some(inventory::Site { billing_entity: Some(entity), ..found }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["billing_entity".to_owned()] }),
        request_id: request_id(),
        ..Default::default()
    };
    sites.update_site(update).await.context("update the site")?;
    Ok(())
}

#[tokio::test]
async fn an_order_form_says_what_is_signed_and_by_whom() -> Result<()> {
    let stack = TestStack::start().await?;
    let world = World::build(&stack, "acme", "lab", "M").await?;
    let n = &world.names;
    issuer(&stack, &n.site, "Rockdale Digital & Co. LLC").await?;
    let sales = stack.clients(&n.operator, Role::Sales)?;

    let signed = order_form(&sales, &n.active, DocumentFormat::Html).await?;
    ensure!(signed.file_name == "order-form-acme-in-force.html", "{}", signed.file_name);
    let get = leasing::GetLeaseRequest { name: n.active.clone(), ..Default::default() };
    let lease = sales.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    let total =
        lease.value.as_ref().and_then(|value| value.base_contract_value.as_ref()).context("a value")?;
    let whole = gridlease::out::grouped(total.units);
    says(
        text(&signed)?,
        &[
            "Rockdale Digital &amp; Co. LLC",
            "Operator acme (operators/acme)",
            "tenants/lab",
            &hex(&lease.terms_hash),
            "Ada Marsh",
            "M terms",
            "10,000",
            &format!("USD {whole}."),
        ],
    )?;
    ensure!(!text(&signed)?.contains("NOT SIGNED"));
    ensure!(lease.signatures.len() == 2);

    let proposed = order_form(&sales, &n.proposed, DocumentFormat::Html).await?;
    says(text(&proposed)?, &["NOT SIGNED", "not signed yet", &hex(&n.terms_hash)])?;

    // Both sides read the same bytes, and the same again.
    let pdf = order_form(&sales, &n.active, DocumentFormat::Pdf).await?;
    is_pdf(&pdf)?;
    let tenant = stack.clients(&n.tenant, Role::Tenant)?;
    ensure!(order_form(&tenant, &n.active, DocumentFormat::Pdf).await? == pdf);
    ensure!(order_form(&tenant, &n.active, DocumentFormat::Html).await? == signed);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_invoice_is_sent_and_a_draft_never_is() -> Result<()> {
    let stack = TestStack::start().await?;
    let world = World::build(&stack, "acme", "lab", "M").await?;
    let n = &world.names;
    let finance = stack.clients(&n.operator, Role::Finance)?;
    let tenant = stack.clients(&n.tenant, Role::Tenant)?;

    let sent = invoice(&tenant, &n.open_invoice, DocumentFormat::Html).await?;
    let get = billing::GetInvoiceRequest { name: n.open_invoice.clone() };
    let open = finance.invoices().get_invoice(get).await?.into_inner().invoice.context("an invoice")?;
    let total = open.total.as_ref().context("a total")?;
    says(
        text(&sent)?,
        &[
            "Operator acme",
            "tenants/lab",
            &open.number,
            &open.lease,
            "1,000 kW x 125 USD per kW-month = USD 125,000.00",
            &format!("USD {}.", gridlease::out::grouped(total.units)),
            "Please pay",
        ],
    )?;
    ensure!(sent.file_name == format!("invoice-acme-{}.html", open.number), "{}", sent.file_name);
    ensure!(!text(&sent)?.contains("DRAFT"));
    is_pdf(&invoice(&tenant, &n.open_invoice, DocumentFormat::Pdf).await?)?;

    let draft = invoice(&finance, &n.draft_invoice, DocumentFormat::Html).await?;
    says(text(&draft)?, &["DRAFT", "nothing is asked for before it is issued"])?;
    let hidden = invoice(&tenant, &n.draft_invoice, DocumentFormat::Html).await;
    let hidden = hidden.err().context("a draft was shown")?;
    let status = hidden.downcast_ref::<tonic::Status>().context("no refusal")?;
    Refusal::of(status)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_command_writes_files() -> Result<()> {
    let stack = TestStack::start().await?;
    let world = World::build(&stack, "acme", "lab", "M").await?;
    let n = &world.names;
    let folder = tempfile::tempdir()?;
    let at = stack.stack().addresses();
    let file = |name: &str, role| {
        anyhow::Ok(render::File {
            format: None,
            out: Some(folder.path().join(name)),
            token: Some(stack.token(&n.operator, role)?),
            organisation: None,
            data_dir: None,
        })
    };
    let lease = render::Lease {
        what: render::LeaseWhat::Render(render::RenderLease {
            name: n.active.parse()?,
            leasing: format!("http://{}", at.leasing),
            file: file("lease.html", Role::Sales)?,
        }),
    };
    let written = render::lease(lease).await?;
    says(&std::fs::read_to_string(written)?, &["Order form", "<!doctype html>"])?;
    let invoice = render::Invoice {
        what: render::InvoiceWhat::Render(render::RenderInvoice {
            name: n.open_invoice.parse()?,
            billing: format!("http://{}", at.billing),
            file: file("invoice.pdf", Role::Finance)?,
        }),
    };
    let written = render::invoice(invoice).await?;
    ensure!(std::fs::read(written)?.starts_with(b"%PDF-"));
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_issued_invoice_keeps_its_issuer_and_a_draft_takes_the_new_one() -> Result<()> {
    let stack = TestStack::start().await?;
    let world = World::build(&stack, "acme", "lab", "M").await?;
    let n = &world.names;
    let finance = stack.clients(&n.operator, Role::Finance)?;
    let before = invoice(&finance, &n.open_invoice, DocumentFormat::Pdf).await?;
    stack.move_to(market::day("2027-01-20")).await?;
    issuer(&stack, &n.site, "New Holdings LP").await?;
    ensure!(invoice(&finance, &n.open_invoice, DocumentFormat::Pdf).await? == before);
    let draft = invoice(&finance, &n.draft_invoice, DocumentFormat::Html).await?;
    says(text(&draft)?, &["New Holdings LP", "Tax number 12-3456789"])?;
    stack.stop().await;
    Ok(())
}
