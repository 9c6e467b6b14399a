//! Rent that has changed after it was billed, over the wire: the next run bills the difference once, what was issued stays as it is,
//! every line can be computed again, and the ledger says what the invoices say.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::eventually;
use integration_tests::market::{self, date, day, request_id};
use kernel::Role;

use crate::advances::{amounts, bill, explained, open};
use crate::lease_amendments::{amendment, signed};
use crate::money::{Books, cents};
use crate::rent_terms::run;

/// Rent of a month as it was agreed: 10,000 kW at 125.00.
const MONTH: i64 = 125_000_000;

struct Amended {
    books: Books,
    lease: String,
    block: String,
    steps: Vec<(&'static str, i64)>,
}

impl Amended {
    /// In force and commenced, on 5 January.
    async fn open(frequency: leasing::BillingFrequency) -> Result<Self> {
        let (books, lease) = open(10_000, |terms| terms.billing_frequency = frequency.into()).await?;
        books.stack.move_to(day("2027-01-05")).await?;
        integration_tests::world::billable(&books.finance, &books.operator, 2027, 1).await?;
        let sales = books.stack.clients(&books.operator, Role::Sales)?;
        let ask = leasing::GetLeaseRequest { name: lease.clone(), version: 0 };
        let of = sales.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
        let block = of.terms.context("terms")?.premises[0].block.clone();
        Ok(Self { books, lease, block, steps: Vec::new() })
    }

    /// Another load from a day on, signed by both.
    async fn amend(&mut self, from: &'static str, kw: i64) -> Result<()> {
        let sales = self.books.stack.clients(&self.books.operator, Role::Sales)?;
        let admin = self.books.stack.clients(&self.books.operator, Role::OperatorAdmin)?;
        let ask = leasing::GetLeaseRequest { name: self.lease.clone(), version: 0 };
        let of = sales.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
        let mut terms = of.terms.clone().context("terms")?;
        self.steps.push((from, kw));
        let steps = self.steps.iter().map(|(from, kw)| leasing::QuantityStep {
            from_date: Some(date(from)),
            capacity: Some(market::load(*kw)),
        });
        let first = terms.premises[0].quantity_steps[0];
        terms.premises[0].quantity_steps = std::iter::once(first).chain(steps).collect();
        ensure!(terms.premises[0].block == self.block);
        let proposed =
            sales.leases().propose_amendment(amendment(&of, from, terms)).await.context("propose")?;
        let proposed = proposed.into_inner().lease.context("a lease")?;
        let first = self.books.tenants.leases().sign_amendment(signed(&proposed)).await?.into_inner();
        admin.leases().sign_amendment(signed(&first.lease.context("a lease")?)).await?;
        Ok(())
    }

    /// The first bill to come, once it comes to this.
    async fn previewed(&self, cents_wanted: i64) -> Result<()> {
        eventually(&format!("a preview of {cents_wanted}"), async || {
            let lease = self.lease.clone();
            let ask = billing::PreviewInvoicesRequest { lease, through_date: None, until_end: true };
            let told = self.books.finance.invoices().preview_invoices(ask).await?.into_inner();
            let first = told.invoices.first().and_then(|invoice| invoice.total.clone());
            Ok((cents(first.as_ref()) == cents_wanted).then_some(()))
        })
        .await
    }

    async fn unchanged(&self, before: &[billing::Invoice]) -> Result<()> {
        for invoice in before {
            let now = self.books.invoice(&invoice.name).await?;
            ensure!(now == *invoice, "it was changed: {now:#?}");
        }
        Ok(())
    }

    /// What the schedule says is billed of these months is what invoices have, and income is all of it.
    async fn ties(&self, months: i32, invoices: &[&[billing::Invoice]]) -> Result<()> {
        let month = |month| Some(billing::BillingMonth { year: 2027, month });
        let ask = billing::GetRevenueScheduleRequest {
            parent: self.books.operator.clone(),
            lease: self.lease.clone(),
            start_month: month(1),
            end_month: month(months),
        };
        let rows = self.books.finance.reports().get_revenue_schedule(ask).await?.into_inner().rows;
        let scheduled: i64 = rows.iter().map(|row| cents(row.billed.as_ref())).sum();
        let billed: i64 =
            invoices.iter().copied().flatten().map(|invoice| cents(invoice.total.as_ref())).sum();
        let earned = -self.books.ledger("rent_income").await?;
        ensure!((scheduled, scheduled) == (billed, earned), "{scheduled}, {billed}, {earned}");
        self.books.agree().await
    }
}

fn rent(amount: i64) -> (billing::ChargeType, i64) {
    (billing::ChargeType::BaseRent, amount)
}

#[tokio::test]
async fn months_that_were_billed_follow_an_amendment_once_down_and_up() -> Result<()> {
    let mut of = Amended::open(leasing::BillingFrequency::Monthly).await?;
    let first =
        [bill(&of.books, 2027, 1).await?, bill(&of.books, 2027, 2).await?, bill(&of.books, 2027, 3).await?]
            .concat();
    ensure!(first.len() == 3 && first.iter().all(|one| amounts(one) == [rent(MONTH)]), "{first:#?}");

    of.amend("2027-02-01", 8_000).await?;
    of.previewed(50_000_000).await?;
    let april = bill(&of.books, 2027, 4).await?;
    ensure!(april.len() == 1, "{april:#?}");
    ensure!(amounts(&april[0]) == [rent(-25_000_000), rent(-25_000_000), rent(100_000_000)], "{april:#?}");
    let says = &april[0].lines[0].formula;
    ensure!(says.contains("rent difference of 2027-02") && says.contains("was USD 1250000.00"), "{says}");
    explained(&of.books, &april[0]).await?;
    for month in [2, 3, 4] {
        ensure!(run(&of.books, 2027, month).await?.invoices.is_empty(), "{month} is billed twice");
    }
    of.unchanged(&first).await?;
    of.ties(4, &[&first, &april]).await?;

    // Up again, and two who run May at once: one of them bills it.
    of.amend("2027-04-01", 10_000).await?;
    of.previewed(125_000_000 + 25_000_000).await?;
    let (one, other) = tokio::join!(run(&of.books, 2027, 5), run(&of.books, 2027, 5));
    let mut made: Vec<_> = [one?, other?].into_iter().filter(|made| !made.invoices.is_empty()).collect();
    ensure!(made.len() == 1, "{made:#?}");
    let name = made.remove(0).billing_run.context("a run")?.name;
    let issue = billing::IssueBillingRunRequest { name, request_id: request_id(), ..Default::default() };
    let may = of.books.finance.invoices().issue_billing_run(issue).await?.into_inner().invoices;
    ensure!(amounts(&may[0]) == [rent(25_000_000), rent(125_000_000)], "{may:#?}");
    explained(&of.books, &may[0]).await?;
    of.unchanged(&[first.clone(), april.clone()].concat()).await?;
    of.ties(5, &[&first, &april, &may]).await?;
    walls(&of.books).await?;
    of.books.stack.stop().await;
    Ok(())
}

/// Of a block's month there is one difference of each revision, whoever writes.
async fn walls(books: &Books) -> Result<()> {
    let mut superuser = books.stack.database.superuser().await?;
    let again = "insert into billing.invoice_line (operator_id, invoice_id, line_number, lease_id, site_id, block_id, charge_type, \
         period_start, period_end, revision, amount_minor, lease_version, item, detail, reckoning_id) \
         select operator_id, invoice_id, 99, lease_id, site_id, block_id, charge_type, period_start, period_end, revision, \
         amount_minor, lease_version, item, detail, reckoning_id from billing.invoice_line where item = 'difference' limit 1";
    let named = crate::money::broken(&mut superuser, again).await?;
    ensure!(named == "invoice_line_charge", "{named}");
    Ok(())
}

#[tokio::test]
async fn a_quarter_that_was_billed_is_given_back_as_far_as_there_is_room() -> Result<()> {
    let mut of = Amended::open(leasing::BillingFrequency::Quarterly).await?;
    let first = bill(&of.books, 2027, 1).await?;
    ensure!(amounts(&first[0]) == [rent(MONTH), rent(MONTH), rent(MONTH)], "{first:#?}");
    of.amend("2027-02-01", 6_000).await?;
    // The next bill is that of the second quarter: three months of 6,000 kW less 4,000 kW of February and March.
    of.previewed(225_000_000 - 100_000_000).await?;
    let february = run(&of.books, 2027, 2).await?;
    ensure!(february.invoices.is_empty(), "an invoice is never below zero: {february:#?}");
    let told = february.problems.first().context("what is left is told")?;
    ensure!(told.problem.contains("USD 1000000.00 is left to be given back"), "{told:#?}");
    let second = bill(&of.books, 2027, 4).await?;
    ensure!(cents(second[0].total.as_ref()) == 125_000_000 && second[0].lines.len() == 5, "{second:#?}");
    explained(&of.books, &second[0]).await?;
    of.ties(6, &[&first, &second]).await?;

    of.amend("2027-05-01", 7_000).await?;
    of.previewed(3 * 87_500_000 + 25_000_000).await?;
    let may = bill(&of.books, 2027, 5).await?;
    ensure!(amounts(&may[0]) == [rent(12_500_000), rent(12_500_000)], "{may:#?}");
    ensure!(
        run(&of.books, 2027, 5).await?.invoices.is_empty()
            && run(&of.books, 2027, 4).await?.invoices.is_empty()
    );
    of.unchanged(&[first.clone(), second.clone()].concat()).await?;
    of.ties(6, &[&first, &second, &may]).await?;
    of.books.stack.stop().await;
    Ok(())
}
