//! Statements of account as documents: both sides read the same, nobody else reads any, and the command writes them.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1::{Document, DocumentFormat};
use gridlease::clients::Clients;
use gridlease::finance::{self, FinanceWhat, Server, Statement};
use integration_tests::Refusal;
use integration_tests::market::{date, day, request_id};
use integration_tests::requests::money::{credit, usd};
use kernel::Role;
use serde_json::Value;
use tonic::Code;

use crate::money::{Books, MONTH_CENTS, cents};

/// From 2 January through 31 March.
fn ask(account: &str, format: DocumentFormat) -> billing::RenderStatementRequest {
    billing::RenderStatementRequest {
        name: account.to_owned(),
        start_date: Some(date("2027-01-02")),
        end_date: Some(date("2027-04-01")),
        format: format.into(),
    }
}

async fn print(who: &Clients, account: &str, format: DocumentFormat) -> Result<Document> {
    let printed = who.accounts().render_statement(ask(account, format)).await?;
    printed.into_inner().document.context("a document")
}

/// Two months billed; a credit, a payment, a part of it sent back; 250 dollars of February disputed.
async fn moved(books: &Books) -> Result<(String, [String; 2])> {
    let january = books.issue(1).await?;
    let account = january.account.clone();
    let ask = billing::CreateCreditNoteRequest { validate_only: false, ..credit(&january.name) };
    books.finance.invoices().create_credit_note(ask).await?;
    books.stack.move_to(day("2027-02-01")).await?;
    let february = books.issue(2).await?;
    let paid = books.pay(&account, "wire-1", 700, false).await?;
    let back = billing::RefundPaymentRequest {
        name: paid.name,
        bank_reference: "back".to_owned(),
        amount: Some(usd(50)),
        request_id: request_id(),
        ..Default::default()
    };
    books.finance.payments().refund_payment(back).await?;
    let dispute = billing::DisputeLineRequest {
        invoice: february.name.clone(),
        line_number: 1,
        amount: Some(usd(250)),
        reason: "the hall was dark".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    books.tenants.disputes().dispute_line(dispute).await?;
    books.stack.move_to(day("2027-05-01")).await?;
    Ok((account, [january.number, february.number]))
}

#[tokio::test]
async fn a_statement_is_sent_and_both_sides_read_the_same() -> Result<()> {
    let books = Books::open().await?;
    let (account, numbers) = moved(&books).await?;
    let sent = print(&books.finance, &account, DocumentFormat::Html).await?;
    ensure!(sent.file_name == "statement-acme-2027-01-02-2027-03-31.html", "{}", sent.file_name);
    let text = std::str::from_utf8(&sent.content)?;
    for said in [
        "Statement of account",
        "Operator acme",
        "tenants/lab",
        "Credit note",
        "wire-1",
        "-700.00",
        "Refund",
        "Of which disputed</dt><dd>USD 250.00",
        "Received and not yet applied</dt><dd>USD 650.00",
        // January is 58 days late at the end of March, February 28, and neither is later by being read in May.
        ">58</td>",
        ">28</td>",
        &numbers[0],
        &numbers[1],
    ] {
        ensure!(text.contains(said), "`{said}` is not in {text}");
    }
    let ask_data = billing::GetStatementRequest {
        name: account.clone(),
        start_date: Some(date("2027-01-02")),
        end_date: Some(date("2027-04-01")),
    };
    let told = books.tenants.accounts().get_statement(ask_data).await?.into_inner().statement;
    let closing = cents(told.context("a statement")?.closing_balance.as_ref());
    ensure!(closing == 2 * MONTH_CENTS - 100 - 65_000, "{closing}");
    let owed = format!("USD {}.00 is owed.", gridlease::out::grouped(closing / 100));
    ensure!(text.contains(&owed), "`{owed}` is not in {text}");

    ensure!(print(&books.tenants, &account, DocumentFormat::Html).await? == sent, "both read the same");
    let pdf = print(&books.tenants, &account, DocumentFormat::Pdf).await?;
    ensure!(pdf.media_type == "application/pdf" && pdf.content.starts_with(b"%PDF-1.7"), "no PDF");
    ensure!(print(&books.finance, &account, DocumentFormat::Pdf).await? == pdf, "the same bytes");
    hidden(&books, &account).await?;
    in_the_terminal(&books).await?;
    books.stack.stop().await;
    Ok(())
}

/// Another company's account is like one that is not there.
async fn hidden(books: &Books, account: &str) -> Result<()> {
    let absent = "operators/acme/accounts/01934f5e-7c1a-7b7a-9c3e-0d5f2a7b9c11";
    for (who, name) in [
        (books.stack.clients("operators/rival", Role::Finance)?, account),
        (books.stack.clients("tenants/other", Role::Tenant)?, account),
        (books.tenants.clone(), absent),
        (books.finance.clone(), absent),
    ] {
        let refused = Refusal::expect(who.accounts().render_statement(ask(name, DocumentFormat::Pdf)).await)?;
        refused.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    }
    Ok(())
}

async fn in_the_terminal(books: &Books) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (pdf, html) = (folder.path().join("statement.pdf"), folder.path().join("statement.html"));
    let asked = |json| -> Result<FinanceWhat> {
        Ok(FinanceWhat::Statement(Statement {
            tenant: "lab".parse()?,
            from: day("2027-01-02"),
            through: day("2027-03-31"),
            currency: None,
            pdf: Some(pdf.clone()),
            html: Some(html.clone()),
            server: Server { operator: "acme".parse()?, billing: books.as_finance()?, json },
        }))
    };
    let json: Value = serde_json::from_str(&finance::answer(asked(true)?).await?)?;
    let rows = json.as_array().context("rows")?;
    ensure!(rows.len() == 7 && rows[6]["balance"] == "2,499,349.00", "{json:#}");
    let table = finance::answer(asked(false)?).await?;
    ensure!(table.lines().all(|line| line.chars().count() <= 100), "wider than a terminal:\n{table}");
    ensure!(table.contains("Closing balance") && table.contains("2,499,349.00"), "{table}");
    ensure!(std::fs::read(&pdf)?.starts_with(b"%PDF-"), "no PDF");
    ensure!(std::fs::read_to_string(&html)?.contains("Statement of account"), "no HTML");
    Ok(())
}
