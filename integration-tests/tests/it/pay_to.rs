//! Where a tenant pays: one person of finance proposes it and another confirms it; what is issued keeps what it said, whatever is
//! confirmed after.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1::{Document, DocumentFormat};
use gridlease::clients::Clients;
use gridlease::finance::pay_to::{PayTo, Show, What};
use gridlease::finance::voucher::Decide;
use gridlease::finance::{self, FinanceWhat, Server};
use integration_tests::Refusal;
use integration_tests::feed;
use integration_tests::market::{date, day, request_id};
use integration_tests::requests::money::{journal, pay_to};
use kernel::Role;
use serde_json::Value;
use sqlx::PgConnection;
use tonic::{Code, Status};

use crate::money::{Books, broken};

const IBAN: &str = "DE89370400440532013000";

/// Instructions of this account holder, to be proposed.
fn ask(operator: &str, holder: &str) -> billing::ProposePaymentInstructionsRequest {
    let mut ask = billing::ProposePaymentInstructionsRequest { validate_only: false, ..pay_to(operator) };
    if let Some(of) = &mut ask.payment_instructions {
        of.account_holder = holder.to_owned();
    }
    ask
}

fn abroad(operator: &str, holder: &str) -> billing::ProposePaymentInstructionsRequest {
    let mut ask = ask(operator, holder);
    if let Some(of) = &mut ask.payment_instructions {
        (of.account_number, of.routing_number) = (String::new(), String::new());
        (of.iban, of.bic) = ("de89 3704 0044 0532 0130 00".to_owned(), "COBADEFFXXX".to_owned());
    }
    ask
}

async fn decide(by: &Clients, voucher: &str, approve: bool) -> Result<billing::Voucher, Status> {
    let (name, request_id) = (voucher.to_owned(), request_id());
    let voucher = if approve {
        let ask = billing::ApproveVoucherRequest { name, request_id, ..Default::default() };
        by.books().approve_voucher(ask).await?.into_inner().voucher
    } else {
        let ask = billing::RejectVoucherRequest { name, request_id, ..Default::default() };
        by.books().reject_voucher(ask).await?.into_inner().voucher
    };
    voucher.ok_or_else(|| Status::internal("no voucher"))
}

fn refused(answer: Result<billing::Voucher, Status>) -> Result<Refusal> {
    Refusal::expect(answer.map(tonic::Response::new))
}

impl Books {
    async fn proposed(&self, ask: billing::ProposePaymentInstructionsRequest) -> Result<billing::Voucher> {
        let answer = self.finance.payments().propose_payment_instructions(ask).await?.into_inner();
        answer.voucher.context("a voucher")
    }

    /// Proposed by one and confirmed by another.
    async fn confirmed(&self, ask: billing::ProposePaymentInstructionsRequest) -> Result<billing::Voucher> {
        let voucher = self.proposed(ask).await?;
        Ok(decide(&self.second()?, &voucher.name, true).await?)
    }

    async fn all(&self) -> Result<Vec<billing::PaymentInstructions>> {
        let ask =
            billing::ListPaymentInstructionsRequest { parent: self.operator.clone(), ..Default::default() };
        Ok(self.finance.payments().list_payment_instructions(ask).await?.into_inner().payment_instructions)
    }

    /// Whose account an invoice says, as the operator reads it.
    async fn holder(&self, invoice: &str) -> Result<String> {
        Ok(holder(&self.invoice(invoice).await?))
    }
}

fn holder(invoice: &billing::Invoice) -> String {
    invoice.pay_to.as_ref().map(|of| of.account_holder.clone()).unwrap_or_default()
}

async fn print(who: &Clients, name: &str, format: DocumentFormat) -> Result<Document> {
    let ask = billing::RenderInvoiceRequest { name: name.to_owned(), format: format.into() };
    who.invoices().render_invoice(ask).await?.into_inner().document.context("a document")
}

async fn html(who: &Clients, name: &str) -> Result<String> {
    Ok(String::from_utf8(print(who, name, DocumentFormat::Html).await?.content)?)
}

#[tokio::test]
async fn two_people_say_where_to_pay_and_nobody_else_does() -> Result<()> {
    let books = Books::open().await?;
    let second = books.second()?;
    let rival = books.stack.clients("operators/rival", Role::Finance)?;
    let propose = ask(&books.operator, "Acme One");
    let voucher = books.proposed(propose.clone()).await?;
    let told = match &voucher.content {
        Some(billing::voucher::Content::PaymentInstructions(told)) => (**told).clone(),
        other => anyhow::bail!("not instructions: {other:#?}"),
    };
    ensure!(Some(told) == propose.payment_instructions, "{voucher:#?}");
    refused(decide(&books.finance, &voucher.name, true).await)?
        .is(Code::FailedPrecondition, "SECOND_PERSON_NEEDED")?;
    refused(decide(&rival, &voucher.name, true).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    ensure!(books.all().await?.is_empty(), "nothing is confirmed yet");
    let foreign = rival.payments().propose_payment_instructions(ask(&books.operator, "Thief")).await;
    Refusal::expect(foreign)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let tenant = books.tenants.payments().propose_payment_instructions(ask(&books.operator, "Thief")).await;
    Refusal::expect(tenant)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;

    // Withdrawn is withdrawn: nobody confirms it any more.
    let withdrawn = books.proposed(ask(&books.operator, "Acme None")).await?;
    let rejected = decide(&books.finance, &withdrawn.name, false).await?;
    ensure!(rejected.state() == billing::VoucherState::Rejected, "{rejected:#?}");
    refused(decide(&second, &withdrawn.name, true).await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;

    let approved = decide(&second, &voucher.name, true).await?;
    ensure!(approved.author != approved.decider && !approved.decider.is_empty(), "{approved:#?}");
    let all = books.all().await?;
    let [one] = all.as_slice() else { anyhow::bail!("one is in force: {all:#?}") };
    ensure!(one.account_holder == "Acme One" && one.voucher == voucher.name, "{one:#?}");
    ensure!(one.confirm_time == approved.decide_time && one.end_time.is_none(), "{one:#?}");
    let get = billing::GetPaymentInstructionsRequest { name: one.name.clone() };
    let got = second.payments().get_payment_instructions(get.clone()).await?.into_inner();
    ensure!(got.payment_instructions.as_ref() == Some(one), "{got:#?}");
    Refusal::expect(rival.payments().get_payment_instructions(get.clone()).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    Refusal::expect(books.tenants.payments().get_payment_instructions(get).await)?
        .is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    heard(&books, one).await?;
    in_the_terminal(&books).await?;
    books.stack.stop().await;
    Ok(())
}

/// The operator hears of it, with what it is.
async fn heard(books: &Books, one: &billing::PaymentInstructions) -> Result<()> {
    let channel = runtime::client::channel(&format!("http://{}", books.stack.stack().addresses().billing))?;
    let bearer = runtime::client::Bearer::new(&books.stack.token(&books.operator, Role::Finance)?)?;
    let mut client = billing::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
    let kinds = vec!["payment_instructions.confirmed".to_owned()];
    let mut stream =
        client.watch_events(billing::WatchEventsRequest { kinds, ..Default::default() }).await?.into_inner();
    let event = feed::next(&mut stream).await?;
    ensure!(event.subject == one.name, "{event:#?}");
    Ok(())
}

/// A proposal is shown, confirmed by another, and takes the place of what was in force.
async fn in_the_terminal(books: &Books) -> Result<()> {
    let operator = || books.operator.trim_start_matches("operators/").parse();
    let as_second = || -> Result<Server> {
        let token = Some(books.stack.token_of("second", &books.operator, Role::Finance)?);
        let billing = gridlease::asking::Billing { token, ..books.as_finance()? };
        Ok(Server { operator: operator()?, billing, json: true })
    };
    let run = async |what: What| -> Result<Value> {
        Ok(serde_json::from_str(&finance::answer(FinanceWhat::PayTo(PayTo { what })).await?)?)
    };
    let proposed = books.proposed(abroad(&books.operator, "Acme Two")).await?;
    let show = || -> Result<What> {
        Ok(What::Show(Show { currency: Some("USD".parse()?), all: true, server: as_second()? }))
    };
    let told = run(show()?).await?;
    ensure!(told[0]["state"] == "PROPOSED" && told[0]["voucher"] == proposed.name.as_str(), "{told:#}");
    ensure!(told[1]["state"] == "IN FORCE" && told[1]["account_holder"] == "Acme One", "{told:#}");
    let confirm = |voucher: &str| -> Result<What> {
        Ok(What::Confirm(Decide { voucher: voucher.parse()?, check: false, server: as_second()? }))
    };
    let late = billing::PostJournalRequest { validate_only: false, ..journal(&books.operator) };
    let late = books.finance.books().post_journal(late).await?.into_inner().voucher.context("a voucher")?;
    let slip = run(confirm(&late.name)?).await.err().context("a journal was approved")?;
    ensure!(slip.to_string().contains("about something else"), "{slip:#}");
    let done = run(confirm(&proposed.name)?).await?;
    ensure!(done[0]["state"] == "APPROVED" && done[0]["account"] == IBAN, "{done:#}");
    let told = run(show()?).await?;
    let states = [&told[0]["state"], &told[1]["state"]];
    ensure!(states == ["IN FORCE", "ENDED"] && told[1]["until"] == told[0]["from"], "{told:#}");
    Ok(())
}

#[tokio::test]
async fn what_is_issued_keeps_what_it_said() -> Result<()> {
    let books = Books::open().await?;
    let january = books.issue(1).await?;
    ensure!(january.pay_to.is_none(), "nobody said where: {january:#?}");
    books.confirmed(ask(&books.operator, "Acme One")).await?;
    ensure!(books.holder(&january.name).await?.is_empty(), "it was issued without");
    ensure!(!html(&books.tenants, &january.name).await?.contains("Pay to"));

    // A draft says what is in force, and what it says when it is issued stays.
    books.stack.move_to(day("2027-02-01")).await?;
    let (run, drafts) = books.draft(2).await?;
    let february = drafts.first().context("a draft")?.clone();
    ensure!(holder(&february) == "Acme One", "{february:#?}");
    books.confirmed(abroad(&books.operator, "Acme Two")).await?;
    ensure!(books.holder(&february.name).await? == "Acme Two", "a draft follows");
    ensure!(html(&books.finance, &february.name).await?.contains("Acme Two"));
    let issue = billing::IssueBillingRunRequest { name: run, request_id: request_id(), ..Default::default() };
    let issued = books.finance.invoices().issue_billing_run(issue).await?.into_inner().invoices;
    ensure!(issued.iter().all(|invoice| holder(invoice) == "Acme Two"), "{issued:#?}");
    let before = seen(&books, &february.name).await?;
    books.confirmed(ask(&books.operator, "Acme Three")).await?;
    ensure!(seen(&books, &february.name).await? == before, "an issued invoice changed");

    // One that is issued alone, as well.
    books.stack.move_to(day("2027-03-01")).await?;
    let (_, drafts) = books.draft(3).await?;
    let march = drafts.first().context("a draft")?.name.clone();
    let alone =
        billing::IssueInvoiceRequest { name: march.clone(), request_id: request_id(), ..Default::default() };
    let told = books.finance.invoices().issue_invoice(alone).await?.into_inner().invoice;
    ensure!(holder(&told.context("an invoice")?) == "Acme Three");
    books.confirmed(ask(&books.operator, "Acme Four")).await?;
    ensure!(books.holder(&march).await? == "Acme Three");
    // What is paid of it changes, and where to pay does not.
    books.pay(&january.account, "wire-1", 2_000_000, true).await?;
    ensure!(books.holder(&march).await? == "Acme Three" && books.holder(&february.name).await? == "Acme Two");
    let holders: Vec<String> = books.all().await?.into_iter().map(|of| of.account_holder).collect();
    ensure!(holders == ["Acme Four", "Acme Three", "Acme Two", "Acme One"], "{holders:?}");
    in_the_statement(&books, &january.account).await?;
    walls(&books, &february.name, &march).await?;
    books.stack.stop().await;
    Ok(())
}

/// All that its tenant sees of an invoice: in a list, and on paper. The operator sees the same.
async fn seen(books: &Books, name: &str) -> Result<(billing::PaymentInstructions, String, Vec<u8>)> {
    let ask = billing::ListInvoicesRequest { parent: books.operator.clone(), ..Default::default() };
    let all = books.tenants.invoices().list_invoices(ask).await?.into_inner().invoices;
    let listed = all.into_iter().find(|invoice| invoice.name == name).context("an invoice")?;
    ensure!(books.invoice(name).await? == listed, "both sides read the same");
    let pay_to = listed.pay_to.context("where to pay")?;
    ensure!(pay_to.iban == IBAN && pay_to.voucher.is_empty() && pay_to.end_time.is_none(), "{pay_to:#?}");
    let text = html(&books.tenants, name).await?;
    for said in ["Pay to", "Acme Two", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "First Bank of Texas"] {
        ensure!(text.contains(said), "`{said}` is not in {text}");
    }
    let pdf = print(&books.tenants, name, DocumentFormat::Pdf).await?.content;
    ensure!(pdf.starts_with(b"%PDF-1.7"), "no PDF");
    Ok((pay_to, text, pdf))
}

/// A statement is about no invoice: it says what is in force.
async fn in_the_statement(books: &Books, account: &str) -> Result<()> {
    let ask = billing::RenderStatementRequest {
        name: account.to_owned(),
        start_date: Some(date("2027-01-02")),
        end_date: Some(date("2027-03-01")),
        format: DocumentFormat::Html.into(),
    };
    let printed = books.tenants.accounts().render_statement(ask).await?.into_inner().document;
    let text = String::from_utf8(printed.context("a document")?.content)?;
    for said in ["Pay to", "Acme Four", "000123456789", "021000021"] {
        ensure!(text.contains(said), "`{said}` is not in {text}");
    }
    ensure!(!text.contains("Acme Three"), "{text}");
    Ok(())
}

/// What the database refuses, whoever writes.
async fn walls(books: &Books, february: &str, march: &str) -> Result<()> {
    let mut superuser = books.stack.database.superuser().await?;
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let (february, march) = (id(february), id(march));
    let (_, drafts) = books.draft(4).await?;
    let april = id(&drafts.first().context("a draft")?.name);
    let set = |invoice: &str, to: &str| {
        format!("update billing.invoice set payment_instructions_id = {to} where invoice_id = '{invoice}'")
    };
    let of_march =
        format!("(select payment_instructions_id from billing.invoice where invoice_id = '{march}')");
    let issue = "update billing.number_counter set last_number = last_number + 1 where series = 'INV';
         update billing.invoice set state = 'OPEN', version = version + 1, series = 'INV',
             number = (select last_number from billing.number_counter where series = 'INV'),
             issue_time = create_time, due_date = period_end, payment_instructions_id = gen_random_uuid()";
    let copy = |voucher: &str| {
        format!(
            "insert into billing.payment_instructions select operator_id, gen_random_uuid(), {voucher}, currency_code, 99, \
             account_holder, bank_name, iban, account_number, bic, routing_number, bank_address, reference, confirm_time \
             from billing.payment_instructions where number = 1"
        )
    };
    let waiting = id(&books.proposed(ask(&books.operator, "Acme Five")).await?.name);
    for (sql, constraint) in [
        (set(&february, &of_march), "invoice_immutable"),
        (set(&february, "null"), "invoice_immutable"),
        (set(&april, &of_march), "invoice_state_moves"),
        (format!("{issue} where invoice_id = '{april}'"), "invoice_pays_to"),
        (
            "update billing.payment_instructions set iban = null".to_owned(),
            "payment_instructions_append_only",
        ),
        ("delete from billing.payment_instructions".to_owned(), "payment_instructions_append_only"),
        (copy("voucher_id"), "payment_instructions_once"),
        (copy(&format!("'{waiting}'")), "payment_instructions_two_people"),
    ] {
        let named = broken(&mut superuser, &sql).await?;
        ensure!(named == constraint, "{sql}: {named}");
    }
    ensure!(rows_of(&mut superuser, "lab").await? == 4, "its operator's are a tenant's to see");
    ensure!(rows_of(&mut superuser, "rival").await? == 0, "and nobody else's");
    Ok(())
}

/// How many rows the service reads for a tenant, whatever it asks.
async fn rows_of(superuser: &mut PgConnection, tenant: &str) -> Result<i64> {
    let mut tx = sqlx::Connection::begin(superuser).await?;
    sqlx::raw_sql("set local role billing").execute(&mut *tx).await?;
    sqlx::query("select set_config('app.tenant', $1, true), set_config('app.operator', '', true)")
        .bind(tenant)
        .execute(&mut *tx)
        .await?;
    let rows =
        sqlx::query_scalar("select count(*) from billing.payment_instructions").fetch_one(&mut *tx).await?;
    tx.rollback().await?;
    Ok(rows)
}
