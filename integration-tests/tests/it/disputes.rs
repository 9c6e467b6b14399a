//! A tenant disputes a line: until it is settled it bears no interest and is not dunned; upheld it is taken back, rejected it
//! is due again.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::Refusal;
use integration_tests::market::{date, day, request_id};
use integration_tests::requests::money::{credit, dispute, usd};
use sqlx::{AssertSqlSafe, Connection as _};
use tonic::Code;

use crate::advances::{amounts, bill, of_kind, open, pay_on, twelve_percent};
use crate::money::{Books, broken, cents};
use crate::rent_terms::run;

async fn dispute_a_part(books: &Books, invoice: &str, units: i64) -> Result<billing::Dispute> {
    let ask =
        billing::DisputeLineRequest { amount: Some(usd(units)), validate_only: false, ..dispute(invoice) };
    let told = books.tenants.disputes().dispute_line(ask).await?.into_inner();
    told.dispute.context("a dispute")
}

fn answer(of: &billing::Dispute, outcome: billing::DisputeOutcome) -> billing::ResolveDisputeRequest {
    billing::ResolveDisputeRequest {
        name: of.name.clone(),
        outcome: outcome.into(),
        reason: "we have looked at it".to_owned(),
        etag: of.etag.clone(),
        request_id: request_id(),
        validate_only: false,
    }
}

async fn settle(
    books: &Books,
    of: &billing::Dispute,
    outcome: billing::DisputeOutcome,
) -> Result<billing::Dispute> {
    let told = books.finance.disputes().resolve_dispute(answer(of, outcome)).await?.into_inner();
    told.dispute.context("a dispute")
}

/// The one invoice that is owed, as of a day.
async fn owed(books: &Books, on: &str) -> Result<billing::OwedInvoice> {
    let parent = books.operator.clone();
    let ask = billing::GetReceivablesAgingRequest { parent, as_of_date: Some(date(on)) };
    let aging = books.finance.reports().get_receivables_aging(ask).await?.into_inner();
    aging.invoices.into_iter().next().context("something is owed")
}

/// A lease of a million a month at 12 %, ten days of grace, whose invoices are disputed so, and its invoice of January, due
/// on the seventh.
async fn disputable(terms: Option<leasing::DisputeTerms>) -> Result<(Books, billing::Invoice)> {
    let agreed = |into: &mut leasing::LeaseTerms| {
        twelve_percent(into);
        into.dispute = terms;
    };
    let (books, lease) = open(8_000, agreed).await?;
    let signed =
        books.tenants.leases().get_lease(leasing::GetLeaseRequest { name: lease, version: 0 }).await?;
    let signed = signed.into_inner().lease.and_then(|lease| lease.terms).context("terms")?;
    ensure!(signed.dispute == terms, "what is signed is what was proposed: {signed:#?}");
    books.stack.move_to(day("2027-01-02")).await?;
    integration_tests::world::billable(&books.finance, &books.operator, 2027, 1).await?;
    let january = of_kind(&bill(&books, 2027, 1).await?, billing::InvoiceKind::Regular)?;
    Ok((books, january))
}

/// The interest on the invoices of a month's run.
async fn interest(books: &Books, month: i32) -> Result<Vec<i64>> {
    let invoice = of_kind(&bill(books, 2027, month).await?, billing::InvoiceKind::Regular)?;
    let interest = amounts(&invoice).into_iter().filter(|line| line.0 == billing::ChargeType::LateInterest);
    Ok(interest.map(|line| line.1).collect())
}

#[tokio::test]
async fn what_is_disputed_bears_no_interest_and_is_not_dunned_until_it_is_settled() -> Result<()> {
    use billing::{DisputeOutcome, DunningStage};
    let (books, january) = disputable(None).await?;
    let part = dispute_a_part(&books, &january.name, 400_000).await?;
    ensure!(part.state() == billing::DisputeState::Open && part.line_number == 1, "{part:#?}");
    let more = billing::DisputeLineRequest {
        amount: Some(usd(600_001)),
        validate_only: false,
        ..dispute(&january.name)
    };
    let over = books.tenants.disputes().dispute_line(more).await;
    let refusal = Refusal::of(&over.expect_err("600,000.00 are left"))?;
    ensure!((refusal.code, refusal.reason.as_str()) == (Code::FailedPrecondition, "AMOUNT_EXCEEDED"));
    let rest = dispute_a_part(&books, &january.name, 600_000).await?;

    // All of it is disputed: nobody is dunned, and there is no interest.
    books.stack.move_to(day("2027-02-02")).await?;
    let told = owed(&books, "2027-02-01").await?;
    ensure!(
        told.stage() == DunningStage::NotDue && cents(told.disputed.as_ref()) == 100_000_000,
        "{told:#?}"
    );
    ensure!(interest(&books, 2).await?.is_empty());

    // One part is upheld and was never owed; the other is rejected, and bears interest from its due date on after all.
    let upheld = settle(&books, &part, DisputeOutcome::Upheld).await?;
    ensure!(!upheld.credit_note.is_empty() && upheld.state() == billing::DisputeState::Upheld, "{upheld:#?}");
    let again = books.finance.disputes().resolve_dispute(answer(&upheld, DisputeOutcome::Rejected)).await;
    let refusal = Refusal::of(&again.expect_err("it is settled once"))?;
    ensure!(refusal.reason == "INVALID_STATE_TRANSITION", "{refusal:?}");
    let rejected = settle(&books, &rest, DisputeOutcome::Rejected).await?;
    ensure!(rejected.credit_note.is_empty() && rejected.resolve_time.is_some(), "{rejected:#?}");
    books.agree().await?;
    let told = owed(&books, "2027-02-02").await?;
    ensure!(told.stage() == DunningStage::Reminder && cents(told.open.as_ref()) == 60_000_000, "{told:#?}");
    books.stack.move_to(day("2027-03-02")).await?;
    // 600,000.00 from 7 January to 28 February: 52 days. February itself is 21 days late.
    ensure!(interest(&books, 3).await? == [1_025_753, 690_411]);
    ensure!(run(&books, 2027, 3).await?.invoices.is_empty());
    listed(&books, &[&rejected, &upheld]).await?;
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn terms_say_how_long_a_line_is_disputed_and_what_a_dispute_in_vain_costs() -> Result<()> {
    let terms = leasing::DisputeTerms {
        window_days: 30,
        rejected_interest: leasing::RejectedInterest::FromAnswer.into(),
    };
    let (books, january) = disputable(Some(terms)).await?;
    let part = dispute_a_part(&books, &january.name, 600_000).await?;
    books.stack.move_to(day("2027-02-01")).await?;
    dispute_a_part(&books, &january.name, 1).await?;
    books.stack.move_to(day("2027-02-02")).await?;
    let late = books.tenants.disputes().dispute_line(dispute(&january.name)).await;
    let refusal = Refusal::of(&late.expect_err("the thirty days are over"))?;
    ensure!(refusal.reason == "DISPUTE_WINDOW_CLOSED", "{refusal:?}");
    ensure!(refusal.metadata.get("lastDate").map(String::as_str) == Some("2027-02-01"), "{refusal:?}");
    // 400,000.00 from 7 to 31 January, 24 days.
    ensure!(interest(&books, 2).await? == [315_616]);
    settle(&books, &part, billing::DisputeOutcome::Rejected).await?;
    books.stack.move_to(day("2027-03-02")).await?;
    // To 28 February: 400,000.00 for 52 days, less a dollar for 27, and 600,000.00 from the answer on for 26, are
    // 11,967.11, of which 3,156.16 are billed. February itself is 21 days late.
    ensure!(interest(&books, 3).await? == [881_095, 690_411]);
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_in_dispute_is_in_no_credit_note_and_its_invoice_is_not_taken_back() -> Result<()> {
    let (books, january) = disputable(None).await?;
    let open = dispute_a_part(&books, &january.name, 400_000).await?;
    let note = |units| billing::CreateCreditNoteRequest {
        lines: vec![billing::CreditNoteLine { line_number: 1, amount: Some(usd(units)) }],
        validate_only: false,
        ..credit(&january.name)
    };
    let over = books.finance.invoices().create_credit_note(note(600_001)).await;
    let refusal = Refusal::of(&over.expect_err("600,000.00 are not in dispute"))?;
    ensure!(refusal.reason == "AMOUNT_EXCEEDED", "{refusal:?}");
    let void = billing::VoidInvoiceRequest {
        name: january.name.clone(),
        reason: "wrong".to_owned(),
        etag: String::new(),
        request_id: request_id(),
        validate_only: false,
    };
    let refusal = Refusal::of(&books.finance.invoices().void_invoice(void).await.expect_err("in dispute"))?;
    ensure!(refusal.reason == "RESOURCE_IN_USE", "{refusal:?}");
    ensure!(refusal.metadata.get("lines").map(String::as_str) == Some("1"), "{refusal:?}");
    let again = billing::CreateCreditNoteRequest { rebill: true, ..note(600_000) };
    let refusal =
        Refusal::of(&books.finance.invoices().create_credit_note(again).await.expect_err("a part"))?;
    ensure!(refusal.reason == "RESOURCE_IN_USE", "{refusal:?}");
    books.finance.invoices().create_credit_note(note(600_000)).await?;
    let upheld = settle(&books, &open, billing::DisputeOutcome::Upheld).await?;
    ensure!(!upheld.credit_note.is_empty(), "{upheld:#?}");
    books.agree().await?;

    // What is paid is disputed all the same, and what is upheld is kept for the tenant.
    let february = {
        books.stack.move_to(day("2027-02-02")).await?;
        of_kind(&bill(&books, 2027, 2).await?, billing::InvoiceKind::Regular)?
    };
    pay_on(&books, &february, "2027-02-02", "wire-1").await?;
    let paid = dispute_a_part(&books, &february.name, 1_000).await?;
    settle(&books, &paid, billing::DisputeOutcome::Upheld).await?;
    ensure!(books.ledger("unapplied_cash").await? == -100_000);
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_store_itself_keeps_what_was_said_and_no_more_than_a_line_is_in_dispute() -> Result<()> {
    let (books, january) = disputable(None).await?;
    dispute_a_part(&books, &january.name, 400_000).await?;
    let mut superuser = books.stack.database.superuser().await?;
    let another = |minor: i64| {
        format!(
            "insert into billing.dispute (operator_id, dispute_id, invoice_id, line_number, tenant_id, currency_code, \
                amount_minor, reason, opened_by, state, version, create_time) \
             select operator_id, gen_random_uuid(), invoice_id, line_number, tenant_id, currency_code, {minor}, reason, \
                opened_by, state, version, create_time from billing.dispute limit 1"
        )
    };
    for (sql, constraint) in [
        (another(60_000_001), "dispute_within_line"),
        ("update billing.dispute set amount_minor = 1".to_owned(), "dispute_immutable"),
        ("delete from billing.dispute".to_owned(), "dispute_immutable"),
        ("update billing.dispute set state = 'REJECTED'".to_owned(), "dispute_state"),
    ] {
        let named = broken(&mut superuser, &sql).await?;
        ensure!(named == constraint, "{sql}: {named}");
    }
    sqlx::raw_sql(AssertSqlSafe(another(60_000_000))).execute(&mut superuser).await?;
    sqlx::raw_sql("update billing.dispute set state = 'REJECTED', resolved_by = 'ana', resolve_time = now()")
        .execute(&mut superuser)
        .await?;
    let again = broken(&mut superuser, "update billing.dispute set resolved_by = 'ben'").await?;
    ensure!(again == "dispute_immutable", "settled twice: {again}");
    superuser.close().await?;
    books.stack.stop().await;
    Ok(())
}

/// The tenant sees its disputes, newest first, in pages.
async fn listed(books: &Books, wanted: &[&billing::Dispute]) -> Result<()> {
    let ask = |page_size, page_token: &str, open_only| billing::ListDisputesRequest {
        parent: books.operator.clone(),
        page_size,
        page_token: page_token.to_owned(),
        invoice: String::new(),
        open_only,
    };
    let first = books.tenants.disputes().list_disputes(ask(1, "", false)).await?.into_inner();
    let second = ask(1, &first.next_page_token, false);
    let second = books.tenants.disputes().list_disputes(second).await?.into_inner();
    let all: Vec<_> = [first.disputes, second.disputes].concat();
    ensure!(all.iter().collect::<Vec<_>>() == wanted, "{all:#?}");
    let open = books.tenants.disputes().list_disputes(ask(0, "", true)).await?.into_inner();
    ensure!(open.disputes.is_empty() && second.next_page_token.is_empty(), "{open:#?}");
    let one = billing::GetDisputeRequest { name: wanted[0].name.clone() };
    let one = books.tenants.disputes().get_dispute(one).await?.into_inner().dispute;
    ensure!(one.as_ref() == Some(wanted[0]), "{one:#?}");
    Ok(())
}
