//! Rent by the quarter and by the year, in advance and in arrears, with what is over at both ends, from the signed terms to
//! the invoice.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::TestStack;
use integration_tests::market::{self, day};
use integration_tests::world::{known_to_billing, sign};
use kernel::Role;

use crate::lease_amendments::amendment;
use crate::money::{Books, cents};
use crate::rent_terms::run;

const STARTS: &str = "2027-02-15";

/// Two halls of a million a month from the middle of February 2027 on, each in a lease of its own: by the quarter in
/// advance, and by the year in arrears.
async fn open() -> Result<Books> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "acme", &[market::hall(8_000), market::hall(8_000)]).await?;
    let tenant = market::tenant(clients, "lab").await?;
    let sales = stack.clients(&site.operator, Role::Sales)?;
    let finance = stack.clients(&site.operator, Role::Finance)?;
    let ways = [
        (leasing::BillingFrequency::Quarterly, leasing::RentTiming::InAdvance),
        (leasing::BillingFrequency::Yearly, leasing::RentTiming::InArrears),
    ];
    let mut names = Vec::new();
    for ((i, block), (frequency, timing)) in site.blocks.iter().enumerate().zip(ways) {
        let terms = leasing::LeaseTerms {
            escalator: None,
            billing_frequency: frequency.into(),
            rent: Some(leasing::RentTerms { timing: timing.into(), ..Default::default() }),
            ..market::terms_from(block, market::load(8_000), STARTS)
        };
        let proposal = market::proposal(&site.operator, &tenant, &format!("lease-{i}"), terms);
        let lease = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
        let told = lease.terms.as_ref().context("terms")?;
        ensure!(told.billing_frequency() == frequency, "what is signed is what was proposed: {told:#?}");
        names.push(sign(clients, &lease).await?.name);
    }
    stack.move_to(day("2027-02-16")).await?;
    for name in names {
        known_to_billing(&finance, &name, "2037-12-31").await?;
    }
    let tenants = stack.clients(&tenant, Role::Tenant)?;
    Ok(Books { operator: site.operator, finance, tenants, stack })
}

/// The first days and the amounts that a run of a month bills, once; a second one bills nothing.
async fn billed(books: &Books, year: i32, month: i32) -> Result<Vec<(String, i64)>> {
    let made = run(books, year, month).await?;
    ensure!(made.problems.is_empty(), "{:#?}", made.problems);
    ensure!(run(books, year, month).await?.invoices.is_empty(), "a second run of {year}-{month} bills again");
    Ok(made.invoices.iter().flat_map(lines).collect())
}

fn lines(invoice: &billing::Invoice) -> Vec<(String, i64)> {
    let line = |line: &billing::InvoiceLine| {
        let start = line.period_start_date.unwrap_or_default();
        let start = format!("{:04}-{:02}-{:02}", start.year, start.month, start.day);
        (start, cents(line.amount.as_ref()))
    };
    invoice.lines.iter().map(line).collect()
}

fn wanted(all: &[(&str, i64)]) -> Vec<(String, i64)> {
    all.iter().map(|(start, cents)| ((*start).to_owned(), *cents)).collect()
}

#[tokio::test]
async fn a_quarter_in_advance_and_a_year_in_arrears_with_what_is_over_at_both_ends() -> Result<()> {
    const MILLION: i64 = 100_000_000;
    let books = open().await?;
    integration_tests::world::billable(&books.finance, &books.operator, 2027, 2).await?;
    // 14 of the 28 days of February, and March.
    let stub = wanted(&[(STARTS, MILLION / 2), ("2027-03-01", MILLION)]);
    ensure!(billed(&books, 2027, 2).await? == stub);
    ensure!(billed(&books, 2027, 3).await?.is_empty());
    books.stack.move_to(day("2027-04-02")).await?;
    let quarter = wanted(&[("2027-04-01", MILLION), ("2027-05-01", MILLION), ("2027-06-01", MILLION)]);
    ensure!(billed(&books, 2027, 4).await? == quarter);
    for month in [5, 6] {
        ensure!(billed(&books, 2027, month).await?.is_empty());
    }
    // The year that is over, from the middle of February on, beside the first quarter of the next.
    books.stack.move_to(day("2028-01-02")).await?;
    let january = billed(&books, 2028, 1).await?;
    let arrears: Vec<i64> =
        january.iter().filter(|line| line.0.starts_with("2027")).map(|line| line.1).collect();
    ensure!(arrears.len() == 11 && arrears.iter().sum::<i64>() == MILLION / 2 + 10 * MILLION, "{january:#?}");
    ensure!(january.iter().filter(|line| line.0.starts_with("2028")).count() == 3, "{january:#?}");
    // What is to come is told month of billing by month of billing, to the stub of the last year: 14 February 2037.
    for (lease, last) in [("lease-0", (2037, 1)), ("lease-1", (2037, 3))] {
        let lease = format!("{}/leases/{lease}", books.operator);
        let ask = billing::PreviewInvoicesRequest { lease, through_date: None, until_end: true };
        let told = books.finance.invoices().preview_invoices(ask).await?.into_inner();
        let end = told.invoices.last().and_then(|invoice| invoice.billing_month).context("a month")?;
        ensure!((end.year, end.month) == last, "{end:?}");
    }
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn how_often_rent_is_billed_stays_once_a_block_has_commenced() -> Result<()> {
    let books = open().await?;
    integration_tests::world::billable(&books.finance, &books.operator, 2027, 2).await?;
    let sales = books.stack.clients(&books.operator, Role::Sales)?;
    let name = format!("{}/leases/lease-0", books.operator);
    let lease = sales.leases().get_lease(leasing::GetLeaseRequest { name, version: 0 }).await?;
    let lease = lease.into_inner().lease.context("a lease")?;
    let terms = lease.terms.clone().context("terms")?;
    let monthly =
        leasing::LeaseTerms { billing_frequency: leasing::BillingFrequency::Monthly.into(), ..terms };
    let ask = amendment(&lease, "2028-01-01", monthly);
    let refused = sales.leases().propose_amendment(ask).await.expect_err("a quarter is billed");
    let refusal = integration_tests::Refusal::of(&refused)?;
    ensure!(refusal.fields == ["terms.billing_frequency"], "{refusal:?}");
    books.stack.stop().await;
    Ok(())
}
