//! What is agreed of money beside rent, from the signed terms to the cent in the ledger: rent paid ahead and credited, a
//! deposit held and returned, interest on what is late, the fee for ending early.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, day, decimal, request_id};
use integration_tests::requests::money::{credit, record, usd};
use integration_tests::world::{billable, in_state, invoices_due, known_to_billing, sign};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use tonic::Code;

use crate::money::{Books, cents};
use crate::rent_terms::run;

/// A lease of so many kW at 125 from January 2027 on, whose terms are changed so; signed and in force.
pub(crate) async fn open(kw: i64, change: impl FnOnce(&mut leasing::LeaseTerms)) -> Result<(Books, String)> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "acme", &[market::hall(kw)]).await?;
    let tenant = market::tenant(clients, "lab").await?;
    let sales = stack.clients(&site.operator, Role::Sales)?;
    let mut terms = market::terms(&site.blocks[0], market::load(kw));
    change(&mut terms);
    let proposal = market::proposal(&site.operator, &tenant, "river", terms.clone());
    let lease = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
    let told = lease.terms.as_ref().context("terms")?;
    let of = |terms: &leasing::LeaseTerms| {
        (
            terms.prepayment.clone(),
            terms.deposit.clone(),
            terms.minimum_take.clone(),
            terms.late_interest.clone(),
        )
    };
    ensure!(of(told) == of(&terms), "what is signed is what was proposed: {told:#?}");
    let name = sign(clients, &lease).await?.name;
    let finance = stack.clients(&site.operator, Role::Finance)?;
    known_to_billing(&finance, &name, "2037-12-31").await?;
    let tenants = stack.clients(&tenant, Role::Tenant)?;
    Ok((Books { operator: site.operator, finance, tenants, stack }, name))
}

/// The invoices of a run of a month, issued.
pub(crate) async fn bill(books: &Books, year: i32, month: i32) -> Result<Vec<billing::Invoice>> {
    let made = run(books, year, month).await?;
    ensure!(made.problems.is_empty(), "{:#?}", made.problems);
    let name = made.billing_run.context("a run")?.name;
    let issue = billing::IssueBillingRunRequest { name, request_id: request_id(), ..Default::default() };
    Ok(books.finance.invoices().issue_billing_run(issue).await?.into_inner().invoices)
}

/// Waits until billing has heard that rent runs, and then bills a month.
async fn bill_rent(books: &Books, year: i32, month: i32) -> Result<Vec<billing::Invoice>> {
    billable(&books.finance, &books.operator, year, month).await?;
    bill(books, year, month).await
}

/// Every line comes to the same when it is computed again.
pub(crate) async fn explained(
    books: &Books,
    invoice: &billing::Invoice,
) -> Result<Vec<billing::ExplainLineResponse>> {
    let mut all = Vec::new();
    for line in &invoice.lines {
        let ask =
            billing::ExplainLineRequest { invoice: invoice.name.clone(), line_number: line.line_number };
        let told = books.finance.invoices().explain_line(ask).await?.into_inner();
        ensure!(told.same && told.computed == line.amount && told.steps.len() > 1, "{told:#?}");
        all.push(told);
    }
    Ok(all)
}

pub(crate) fn of_kind(invoices: &[billing::Invoice], kind: billing::InvoiceKind) -> Result<billing::Invoice> {
    let mut of = invoices.iter().filter(|invoice| invoice.kind() == kind);
    let found = of.next().cloned().with_context(|| format!("{kind:?} in {invoices:#?}"))?;
    ensure!(of.next().is_none(), "one of {kind:?}: {invoices:#?}");
    Ok(found)
}

pub(crate) fn amounts(invoice: &billing::Invoice) -> Vec<(billing::ChargeType, i64)> {
    invoice.lines.iter().map(|line| (line.charge_type(), cents(line.amount.as_ref()))).collect()
}

/// B-02: a year's rent of 60 MW at 125 paid ahead, credited in 60 equal parts.
fn core42(terms: &mut leasing::LeaseTerms) {
    terms.prepayment = Some(leasing::Prepayment {
        amount: Some(usd(90_000_000)),
        draw_months: 60,
        first_draw_month: 0,
        basis: leasing::DrawBasis::FromLease.into(),
    });
    terms.deposit = Some(leasing::SecurityDeposit { amount: Some(usd(5_000_000)) });
}

#[tokio::test]
async fn b02_what_is_paid_ahead_is_a_liability_until_it_is_credited() -> Result<()> {
    use billing::ChargeType::{BaseRent, PrepaymentDraw};
    let (books, lease) = open(60_000, core42).await?;
    // Before the commencement: both are asked for once, whatever run does it.
    let ahead = eventually("the lease is in force", async || {
        let made = bill(&books, 2026, 12).await?;
        Ok((!made.is_empty()).then_some(made))
    })
    .await?;
    let paid_ahead = of_kind(&ahead, billing::InvoiceKind::Prepayment)?;
    let deposit = of_kind(&ahead, billing::InvoiceKind::Deposit)?;
    ensure!(ahead.len() == 2 && paid_ahead.lines[0].block.is_empty(), "{ahead:#?}");
    ensure!(
        run(&books, 2026, 12).await?.invoices.is_empty() && run(&books, 2026, 11).await?.invoices.is_empty()
    );
    ensure!(books.ledger("prepayments").await? == -9_000_000_000);
    ensure!(books.ledger("deposits").await? == -500_000_000 && books.ledger("rent_income").await? == 0);
    explained(&books, &paid_ahead).await?;
    explained(&books, &deposit).await?;

    books.stack.move_to(day("2027-01-02")).await?;
    books.pay(&paid_ahead.account, "wire-1", 95_000_000, true).await?;
    let first = of_kind(&bill_rent(&books, 2027, 1).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&first) == [(BaseRent, 750_000_000), (PrepaymentDraw, -150_000_000)], "{first:#?}");
    ensure!(cents(first.total.as_ref()) == 600_000_000);
    explained(&books, &first).await?;
    ensure!(run(&books, 2027, 1).await?.invoices.is_empty(), "a month is credited once");
    voided_and_billed_again(&books, &first).await?;

    books.stack.move_to(day("2028-12-02")).await?;
    for month in 2..=24 {
        let (year, month) = (2027 + (month - 1) / 12, (month - 1) % 12 + 1);
        let invoice = of_kind(&bill(&books, year, month).await?, billing::InvoiceKind::Regular)?;
        ensure!(amounts(&invoice)[1] == (PrepaymentDraw, -150_000_000), "{invoice:#?}");
    }
    // 24 of 60 credits: 54,000,000.00 are left, and the rent is earned whole.
    ensure!(books.ledger("prepayments").await? == -5_400_000_000);
    ensure!(books.ledger("rent_income").await? == -(9_000_000_000 + 9_270_000_000));
    books.agree().await?;
    the_rest(&books, &lease).await?;
    rolled_forward(&books, &lease).await?;
    taken_back(&books, &paid_ahead, &deposit).await?;
    books.stack.stop().await;
    Ok(())
}

/// A void invoice frees its credit with its rent.
async fn voided_and_billed_again(books: &Books, first: &billing::Invoice) -> Result<()> {
    let void = billing::VoidInvoiceRequest {
        name: first.name.clone(),
        reason: "another address".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    books.finance.invoices().void_invoice(void).await?;
    ensure!(books.ledger("prepayments").await? == -9_000_000_000);
    let again = of_kind(&bill(books, 2027, 1).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&again) == amounts(first), "{again:#?}");
    ensure!(books.ledger("prepayments").await? == -8_850_000_000);
    Ok(())
}

/// A preview credits the 36 parts that are left.
async fn the_rest(books: &Books, lease: &str) -> Result<()> {
    let ask =
        billing::PreviewInvoicesRequest { lease: lease.to_owned(), through_date: None, until_end: true };
    let told = books.finance.invoices().preview_invoices(ask).await?.into_inner();
    let lines = || told.invoices.iter().flat_map(amounts);
    let drawn: i64 = lines().filter(|line| line.0 == billing::ChargeType::PrepaymentDraw).map(|l| l.1).sum();
    let rent: i64 = lines().filter(|line| line.0 == billing::ChargeType::BaseRent).map(|l| l.1).sum();
    ensure!(drawn == -5_400_000_000 && told.invoices.len() == 96, "{drawn}");
    ensure!(rent + 18_270_000_000 == 103_174_913_808, "ten years to the cent: {rent}");
    Ok(())
}

/// The report says what the ledger says.
async fn rolled_forward(books: &Books, lease: &str) -> Result<()> {
    let month = |year, month| Some(billing::BillingMonth { year, month });
    let ask = billing::GetAdvanceRollForwardRequest {
        parent: books.operator.clone(),
        start_month: month(2027, 1),
        end_month: month(2028, 12),
    };
    let rows = books.finance.reports().get_advance_roll_forward(ask).await?.into_inner().rows;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let amounts = [&row.opening, &row.billed, &row.credited, &row.returned, &row.closing];
            (row.ledger_account.as_str(), row.lease == lease, amounts.map(|amount| cents(amount.as_ref())))
        })
        .collect();
    let wanted = [
        ("prepayments", true, [9_000_000_000, 0, 3_600_000_000, 0, 5_400_000_000]),
        ("deposits", true, [500_000_000, 0, 0, 0, 500_000_000]),
    ];
    ensure!(told == wanted, "{rows:#?}");
    Ok(())
}

/// What is credited is not taken back as well; a deposit that was paid goes back by a credit note.
async fn taken_back(books: &Books, paid_ahead: &billing::Invoice, deposit: &billing::Invoice) -> Result<()> {
    let back = |invoice: &billing::Invoice, units| billing::CreateCreditNoteRequest {
        lines: vec![billing::CreditNoteLine { line_number: 1, amount: Some(usd(units)) }],
        validate_only: false,
        ..credit(&invoice.name)
    };
    let refused = books.finance.invoices().create_credit_note(back(paid_ahead, 54_000_001)).await;
    let refusal = Refusal::of(&refused.expect_err("more than is left"))?;
    ensure!((refusal.code, refusal.reason.as_str()) == (Code::FailedPrecondition, "AMOUNT_EXCEEDED"));
    books.finance.invoices().create_credit_note(back(paid_ahead, 54_000_000)).await?;
    ensure!(books.ledger("prepayments").await? == 0);
    let next = of_kind(&bill(books, 2029, 1).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&next).len() == 1, "nothing is left to credit: {next:#?}");

    let note = books.finance.invoices().create_credit_note(back(deposit, 5_000_000)).await?.into_inner();
    let note = note.credit_note.context("a credit note")?;
    ensure!(cents(note.applied.as_ref()) == 0 && books.ledger("deposits").await? == 0, "{note:#?}");
    books.agree().await?;
    let kept = billing::ListPaymentsRequest {
        parent: books.operator.clone(),
        unapplied_only: true,
        ..Default::default()
    };
    let kept = books.tenants.payments().list_payments(kept).await?.into_inner().payments;
    let deposit = kept.iter().find(|payment| payment.reference == note.number).context("kept")?;
    let refund = billing::RefundPaymentRequest {
        name: deposit.name.clone(),
        bank_reference: "back-1".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    books.finance.payments().refund_payment(refund).await?;
    books.agree().await
}

/// 12 % a year, ten days of grace.
pub(crate) fn twelve_percent(terms: &mut leasing::LeaseTerms) {
    terms.late_interest = Some(leasing::LateInterest {
        annual_percent: decimal("12"),
        grace_days: 10,
        year: leasing::InterestYear::Actual365.into(),
        accrues_from: leasing::AccrualStart::DueDate.into(),
        once_percent: None,
    });
    terms.payment_terms_days = 5;
}

/// Pays all that an invoice asks for on a day.
pub(crate) async fn pay_on(
    books: &Books,
    invoice: &billing::Invoice,
    on: &str,
    reference: &str,
) -> Result<()> {
    let ask = billing::RecordPaymentRequest {
        parent: invoice.account.clone(),
        bank_reference: reference.to_owned(),
        value_date: Some(date(on)),
        amount: invoice.total.clone(),
        note: String::new(),
        lease: String::new(),
        credit_support_id: String::new(),
        allocate_oldest_first: true,
        request_id: request_id(),
        validate_only: false,
    };
    books.finance.payments().record_payment(ask).await?;
    Ok(())
}

#[tokio::test]
async fn b15_what_is_paid_late_bears_interest_and_what_is_paid_within_the_grace_does_not() -> Result<()> {
    use billing::ChargeType::{BaseRent, LateInterest};
    // 8,000 kW at 125: a million a month.
    let (books, _) = open(8_000, twelve_percent).await?;
    books.stack.move_to(day("2027-01-02")).await?;
    let january = of_kind(&bill_rent(&books, 2027, 1).await?, billing::InvoiceKind::Regular)?;
    ensure!(january.due_date == Some(date("2027-01-07")), "{january:#?}");
    // Due on the 7th and paid on the 24th: 17 days.
    books.stack.move_to(day("2027-02-02")).await?;
    pay_on(&books, &january, "2027-01-24", "wire-1").await?;
    let february = of_kind(&bill(&books, 2027, 2).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&february) == [(LateInterest, 558_904), (BaseRent, 100_000_000)], "{february:#?}");
    let told = explained(&books, &february).await?;
    ensure!(february.lines[0].item == january.number, "{told:#?}");
    ensure!(books.ledger("interest_income").await? == -558_904);
    ensure!(
        run(&books, 2027, 2).await?.invoices.is_empty() && run(&books, 2027, 1).await?.invoices.is_empty()
    );
    // Due on the 7th, paid on the 17th, the last day of the grace.
    books.stack.move_to(day("2027-03-02")).await?;
    pay_on(&books, &february, "2027-02-17", "wire-2").await?;
    let march = of_kind(&bill(&books, 2027, 3).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&march) == [(BaseRent, 100_000_000)], "{march:#?}");
    // While March is open it bears interest month by month, on its rent alone, and the days of two runs add up.
    books.stack.move_to(day("2027-05-02")).await?;
    let april = of_kind(&bill(&books, 2027, 4).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&april)[0] == (LateInterest, 789_041), "24 days to the end of March: {april:#?}");
    let may = of_kind(&bill(&books, 2027, 5).await?, billing::InvoiceKind::Regular)?;
    ensure!(amounts(&may)[0] == (LateInterest, 986_301), "30 more: {may:#?}");
    explained(&books, &may).await?;
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

/// What a guarantor pays is left of its cap no more.
async fn drawn(books: &Books, lease: &str, account: &str) -> Result<()> {
    let of = |support: &str| billing::RecordPaymentRequest {
        lease: lease.to_owned(),
        credit_support_id: support.to_owned(),
        amount: Some(usd(300_000)),
        bank_reference: "guarantor-1".to_owned(),
        allocate_oldest_first: true,
        validate_only: false,
        ..record(account)
    };
    let wrong = books.finance.payments().record_payment(of("another")).await;
    let wrong = Refusal::expect(wrong)?.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(format!("{wrong:?}").contains("backstop"), "what is valid is said: {wrong:#?}");
    let paid = books.finance.payments().record_payment(of("backstop")).await?.into_inner().payment;
    let paid = paid.context("a payment")?;
    ensure!(paid.lease == lease && paid.credit_support_id == "backstop", "{paid:#?}");
    let ask = billing::GetExposureRequest { parent: books.operator.clone(), as_of_date: None };
    let exposed = books.finance.reports().get_exposure(ask).await?.into_inner();
    let row = exposed.rows.iter().find(|row| row.lease == lease).context("a row")?;
    let told = (cents(row.covers[0].drawn.as_ref()), cents(row.cover.as_ref()));
    ensure!(told == (30_000_000, 88_000_000), "{row:#?}");
    books.agree().await
}

#[tokio::test]
async fn the_fee_for_ending_early_has_an_invoice_of_its_own_once() -> Result<()> {
    let with_fee = |terms: &mut leasing::LeaseTerms| {
        terms.termination = Some(leasing::TerminationTerms { notice_months: 1, fee_months: 3 });
        terms.credit_supports =
            vec![leasing::CreditSupport { cap: Some(usd(1_200_000)), ..market::backstop() }];
    };
    let (books, lease) = open(8_000, with_fee).await?;
    books.stack.move_to(day("2027-01-02")).await?;
    bill_rent(&books, 2027, 1).await?;
    let end = leasing::TerminateLeaseRequest {
        name: lease.clone(),
        ground: leasing::TerminationGround::Fee.into(),
        end_date: Some(date("2027-03-16")),
        reason: "other plans".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let ended = books.tenants.leases().terminate_lease(end).await?.into_inner().lease.context("a lease")?;
    let fee = ended.termination.and_then(|end| end.fee).context("a fee")?;
    let february = bill(&books, 2027, 2).await?;
    ensure!(february.len() == 1, "nothing is owed before it ends: {february:#?}");
    books.stack.move_to(day("2027-03-20")).await?;
    in_state(&books.tenants, &lease, leasing::LeaseState::Terminated).await?;
    // Two invoices: the rent of its last days, and the fee.
    invoices_due(&books.finance, &books.operator, (2027, 3), 2).await?;
    let billed = of_kind(&bill(&books, 2027, 3).await?, billing::InvoiceKind::TerminationFee)?;
    ensure!(billed.total == Some(fee.clone()) && cents(Some(&fee)) > 0, "{billed:#?}");
    explained(&books, &billed).await?;
    ensure!(books.ledger("termination_income").await? == -cents(Some(&fee)));
    // Two whole months after the first rent 118 of 120 parts of the cap are left.
    let ask = billing::GetExposureRequest { parent: books.operator.clone(), as_of_date: None };
    let exposed = books.finance.reports().get_exposure(ask).await?.into_inner();
    let row = exposed.rows.iter().find(|row| row.lease == lease).context("a row")?;
    ensure!(row.open_termination_fee.as_ref() == Some(&fee), "{row:#?}");
    ensure!(cents(row.cover.as_ref()) == 118_000_000, "{row:#?}");
    ensure!(cents(row.covered_termination_fee.as_ref()) == cents(Some(&fee)).min(118_000_000), "{row:#?}");
    let uncovered = (cents(row.open.as_ref()) - 118_000_000).max(0);
    ensure!(uncovered > 0 && cents(row.uncovered_open.as_ref()) == uncovered, "{row:#?}");
    drawn(&books, &lease, &billed.account).await?;
    ensure!(
        run(&books, 2027, 3).await?.invoices.is_empty() && run(&books, 2027, 4).await?.invoices.is_empty()
    );
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}
