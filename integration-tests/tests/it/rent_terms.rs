//! What is agreed of rent beside load and rate, from the signed terms to the cent on an invoice: how broken months are
//! counted, when rent is billed, what is let off, which index it follows.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, day, decimal, request_id};
use integration_tests::requests::series::value;
use integration_tests::world::{billable, invoices_due, known_to_billing, sign};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::Code;

use crate::money::{Books, cents};

/// Leases of one hall each, from this day on, with these terms of rent; signed, and commenced by `now`.
async fn open(from: &str, now: &str, rents: &[leasing::RentTerms]) -> Result<Books> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let halls: Vec<_> = rents.iter().map(|_| market::hall(20_000)).collect();
    let site = market::site(clients, "acme", &halls).await?;
    let tenant = market::tenant(clients, "lab").await?;
    let sales = stack.clients(&site.operator, Role::Sales)?;
    let mut names = Vec::new();
    for (i, (block, rent)) in site.blocks.iter().zip(rents).enumerate() {
        let terms = leasing::LeaseTerms {
            escalator: None,
            rent: Some(rent.clone()),
            ..market::terms_from(block, market::load(10_000), from)
        };
        let proposal = market::proposal(&site.operator, &tenant, &format!("lease-{i}"), terms);
        let lease = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
        ensure!(lease.terms.as_ref().and_then(|terms| terms.rent.as_ref()) == Some(rent), "{lease:#?}");
        names.push(sign(clients, &lease).await?.name);
    }
    stack.move_to(day(now)).await?;
    let finance = stack.clients(&site.operator, Role::Finance)?;
    for name in names {
        known_to_billing(&finance, &name, "2037-12-31").await?;
    }
    let tenants = stack.clients(&tenant, Role::Tenant)?;
    Ok(Books { operator: site.operator, finance, tenants, stack })
}

/// Amounts of an invoice's lines.
fn amounts(invoice: &billing::Invoice) -> Vec<i64> {
    invoice.lines.iter().map(|line| cents(line.amount.as_ref())).collect()
}

/// What a run of a month makes.
pub(crate) async fn run(books: &Books, year: i32, month: i32) -> Result<billing::StartBillingRunResponse> {
    let start = billing::StartBillingRunRequest {
        parent: books.operator.clone(),
        billing_month: Some(billing::BillingMonth { year, month }),
        request_id: request_id(),
        validate_only: false,
    };
    Ok(books.finance.invoices().start_billing_run(start).await?.into_inner())
}

async fn explain(books: &Books, invoice: &billing::Invoice) -> Result<billing::ExplainLineResponse> {
    let ask = billing::ExplainLineRequest { invoice: invoice.name.clone(), line_number: 1 };
    let told = books.finance.invoices().explain_line(ask).await?.into_inner();
    ensure!(told.same && told.computed == invoice.lines[0].amount, "{told:#?}");
    Ok(told)
}

async fn preview(books: &Books, lease: &str) -> Result<billing::PreviewInvoicesResponse> {
    let lease = format!("{}/leases/{lease}", books.operator);
    let ask = billing::PreviewInvoicesRequest { lease, through_date: None, until_end: true };
    Ok(books.finance.invoices().preview_invoices(ask).await?.into_inner())
}

#[tokio::test]
async fn a_broken_month_is_counted_as_the_terms_say() -> Result<()> {
    use leasing::Proration::{Actual365, ActualActual, Thirty360};
    // 1,250,000.00 a month: 8 of 31 days, 7 of 30, and 8 days of 15,000,000.00 over 365.
    let ways = [
        (ActualActual, 32_258_065, " x 8/31 days = "),
        (Thirty360, 29_166_667, " x 7/30 days of 30/360 = "),
        (Actual365, 32_876_712, " x 12 x 8/365 days = "),
    ];
    let rent = |way: leasing::Proration| leasing::RentTerms {
        proration: way.into(),
        timing: leasing::RentTiming::InAdvance.into(),
        ..Default::default()
    };
    // What says nothing is not said: the first is signed with the second's timing.
    let rents = [
        leasing::RentTerms { timing: leasing::RentTiming::InArrears.into(), ..rent(ActualActual) },
        rent(Thirty360),
        rent(Actual365),
    ];
    let books = open("2027-01-24", "2027-02-02", &rents).await?;
    // January's of those in advance, and the one in arrears with February's of the others.
    invoices_due(&books.finance, &books.operator, (2027, 1), 2).await?;
    invoices_due(&books.finance, &books.operator, (2027, 2), 3).await?;
    let mut january = run(&books, 2027, 1).await?.invoices;
    let february = run(&books, 2027, 2).await?.invoices;
    ensure!(january.len() == 2 && february.len() == 3, "{january:#?} {february:#?}");
    // In arrears, the run of February bills January.
    january.insert(0, february[0].clone());
    for ((way, stub, formula), invoice) in ways.into_iter().zip(&january) {
        ensure!(amounts(invoice) == [stub], "{way:?}: {invoice:#?}");
        let line = &invoice.lines[0];
        ensure!(
            line.formula.contains(formula) && line.proration == way.as_str_name()["PRORATION_".len()..],
            "{line:#?}"
        );
        explain(&books, invoice).await?;
    }
    ensure!(february[1..].iter().all(|invoice| amounts(invoice) == [125_000_000]), "{february:#?}");
    for (i, (_, stub, _)) in ways.into_iter().enumerate() {
        let lease = format!("{}/leases/lease-{i}", books.operator);
        let ask = leasing::GetRentScheduleRequest { name: lease };
        let told = books.tenants.leases().get_rent_schedule(ask).await?.into_inner();
        ensure!(cents(told.lines[0].amount.as_ref()) == stub, "{:#?}", told.lines[0]);
        // Nothing of January is to come any more, and what is billed and to come is the schedule.
        let rest = preview(&books, &format!("lease-{i}")).await?;
        let billed = if i == 0 { stub } else { stub + 125_000_000 };
        ensure!(cents(rest.total.as_ref()) + billed == cents(told.base_contract_value.as_ref()), "{i}");
        let first = rest.invoices.first().and_then(|invoice| invoice.billing_month);
        ensure!(first == Some(billing::BillingMonth { year: 2027, month: 3 }), "{first:?}");
    }
    ensure!(run(&books, 2027, 2).await?.invoices.is_empty(), "everything is billed");
    stays(&books).await?;
    books.stack.stop().await;
    Ok(())
}

/// What was billed depends on the rules of rent: once a block has commenced they stay.
async fn stays(books: &Books) -> Result<()> {
    let name = format!("{}/leases/lease-1", books.operator);
    let ask = leasing::GetLeaseRequest { name: name.clone(), version: 0 };
    let lease = books.tenants.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
    let propose = leasing::ProposeAmendmentRequest {
        name,
        terms: lease.terms.map(|terms| leasing::LeaseTerms { rent: None, payment_terms_days: 60, ..terms }),
        effective_date: Some(date("2027-04-01")),
        note: "by the days of the month".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let sales = books.stack.clients(&books.operator, Role::Sales)?;
    let refused = sales.leases().propose_amendment(propose).await.expect_err("the rules stay");
    let refusal = Refusal::of(&refused)?;
    ensure!((refusal.code, refusal.fields) == (Code::InvalidArgument, vec!["terms.rent".to_owned()]));
    Ok(())
}

/// Two months free, one at half; adjusted each year by an index three months old, by 2 to 5 percent.
fn indexed() -> leasing::RentTerms {
    let off = |first_month, months, percent: &str| leasing::Abatement {
        first_month,
        months,
        percent: decimal(percent),
    };
    leasing::RentTerms {
        proration: leasing::Proration::ActualActual.into(),
        timing: leasing::RentTiming::InAdvance.into(),
        abatements: vec![off(0, 2, "100"), off(2, 1, "50")],
        index_escalator: Some(leasing::IndexEscalator {
            price_series_id: "cpi-u".to_owned(),
            base_value: decimal("310"),
            lag_months: 3,
            floor_percent: decimal("2"),
            cap_percent: decimal("5"),
            method: leasing::IndexMethod::Compounding.into(),
            basis: leasing::EscalationBasis::BlockAnniversary.into(),
            fixed_date: None,
        }),
    }
}

async fn record(
    books: &Books,
    values: Vec<billing::SeriesValue>,
) -> Result<billing::RecordSeriesValuesResponse> {
    let ask = billing::RecordSeriesValuesRequest {
        name: format!("{}/priceSeries/cpi-u", books.operator),
        values,
        request_id: request_id(),
        validate_only: false,
    };
    Ok(books.finance.price_series().record_series_values(ask).await?.into_inner())
}

#[tokio::test]
async fn months_are_free_and_an_index_that_is_not_known_stops_the_line() -> Result<()> {
    let books = open("2027-01-01", "2028-02-02", &[indexed()]).await?;
    billable(&books.finance, &books.operator, 2027, 3).await?;
    let mut billed = 0;
    for (month, wanted) in
        [(1, vec![]), (2, vec![]), (3, vec![vec![62_500_000]]), (4, vec![vec![125_000_000]])]
    {
        let run = run(&books, 2027, month).await?;
        let told: Vec<_> = run.invoices.iter().map(amounts).collect();
        ensure!(told == wanted, "{month}: {run:#?}");
        if month == 3 {
            let line = &run.invoices[0].lines[0];
            ensure!(
                line.formula.contains("50 % of it let off") && line.abated_percent == decimal("50"),
                "{line:#?}"
            );
            explain(&books, &run.invoices[0]).await?;
        }
        billed += told.concat().iter().sum::<i64>();
    }
    // The second year needs the index of October, which nobody has recorded.
    let stopped = run(&books, 2028, 1).await?;
    let says = "index cpi-u has no value for 2027-10, which rent from 2028-01-01 on needs";
    ensure!(stopped.invoices.is_empty() && stopped.problems[0].problem.ends_with(says), "{stopped:#?}");
    let known = preview(&books, "lease-0").await?;
    let missing = known.missing_values.first().context("it is said what is missing")?;
    ensure!(missing.from_date == Some(date("2028-01-01")), "{missing:#?}");
    ensure!(missing.month == Some(billing::BillingMonth { year: 2027, month: 10 }), "{missing:#?}");
    ensure!(billed + cents(known.total.as_ref()) == 62_500_000 + 9 * 125_000_000, "{known:#?}");

    // 321.16 / 310 is 3.6 percent more.
    let done = record(&books, vec![value(2027, 10, "321.16", 0)]).await?;
    ensure!((done.recorded_count, done.duplicate_count) == (1, 0), "{done:?}");
    let done = record(&books, vec![value(2027, 10, "321.16", 0)]).await?;
    ensure!((done.recorded_count, done.duplicate_count) == (0, 1), "{done:?}");
    let january = run(&books, 2028, 1).await?;
    ensure!(january.problems.is_empty() && amounts(&january.invoices[0]) == [129_500_000], "{january:#?}");
    let told = explain(&books, &january.invoices[0]).await?;
    let rent = told.rent.context("of rent")?;
    let [adjustment] = rent.adjustments.as_slice() else { anyhow::bail!("one adjustment: {rent:#?}") };
    ensure!((&adjustment.value, &adjustment.factor) == (&decimal("321.16"), &decimal("1.036")), "{rent:#?}");

    // A corrected value counts from then on; what was billed stays, and its explanation says what it would be.
    record(&books, vec![value(2027, 10, "325.5", 1)]).await?;
    let ask = billing::ExplainLineRequest { invoice: january.invoices[0].name.clone(), line_number: 1 };
    let told = books.finance.invoices().explain_line(ask).await?.into_inner();
    ensure!(!told.same && cents(told.computed.as_ref()) == 131_250_000, "{told:#?}");
    ensure!(amounts(&run(&books, 2028, 2).await?.invoices[0]) == [131_250_000], "5 percent of the new value");
    of_revenue(&books).await?;
    of_series(&books).await?;
    books.stack.stop().await;
    Ok(())
}

/// What is certain is earned evenly, what the index adds in its month.
async fn of_revenue(books: &Books) -> Result<()> {
    let month = |year, month| Some(billing::BillingMonth { year, month });
    let ask = billing::GetRevenueScheduleRequest {
        parent: books.operator.clone(),
        lease: String::new(),
        start_month: month(2027, 1),
        end_month: month(2036, 12),
    };
    let rows = books.finance.reports().get_revenue_schedule(ask).await?.into_inner().rows;
    let revenue: Vec<i64> = rows.iter().map(|row| cents(row.revenue.as_ref())).collect();
    let even = revenue[0];
    ensure!(revenue[..12].iter().all(|one| (one - even).abs() <= 1), "{revenue:?}");
    // The floor makes 127.50 of 125, the index 131.25.
    ensure!((revenue[12] - even - (131_250_000 - 127_500_000)).abs() <= 1, "{revenue:?}");
    ensure!(cents(rows[119].closing_accrued_rent.as_ref()) == 0, "{:#?}", rows[119]);
    let total: i64 = rows.iter().map(|row| cents(row.billed.as_ref())).sum();
    ensure!(total == revenue.iter().sum::<i64>(), "what is earned is what is billed");
    Ok(())
}

/// What is recorded stays, in pages; a lease is worth what is certain.
async fn of_series(books: &Books) -> Result<()> {
    let ask = |page_size, page_token: &str| billing::ListSeriesValuesRequest {
        name: format!("{}/priceSeries/cpi-u", books.operator),
        page_size,
        page_token: page_token.to_owned(),
    };
    let first = books.finance.price_series().list_series_values(ask(1, "")).await?.into_inner();
    let second =
        books.finance.price_series().list_series_values(ask(1, &first.next_page_token)).await?.into_inner();
    let values: Vec<_> =
        [first.values, second.values].concat().iter().map(|one| (one.revision, one.value.clone())).collect();
    ensure!(
        values == [(0, decimal("321.16")), (1, decimal("325.5"))] && second.next_page_token.is_empty(),
        "{values:?}"
    );
    let other =
        record(books, vec![value(2027, 10, "322", 1)]).await.expect_err("revision 1 is another value");
    let refusal = Refusal::of(&other.downcast::<tonic::Status>()?)?;
    ensure!((refusal.code, refusal.reason.as_str()) == (Code::AlreadyExists, "NAME_TAKEN"), "{refusal:?}");
    let lease = leasing::GetLeaseRequest { name: format!("{}/leases/lease-0", books.operator), version: 0 };
    let lease = books.tenants.leases().get_lease(lease).await?.into_inner().lease.context("a lease")?;
    let value = lease.value.context("a value")?;
    ensure!(cents(value.year_one_rent.as_ref()) == 62_500_000 + 9 * 125_000_000, "{value:#?}");
    Ok(())
}
