//! A contract run to its last day beside what billing runs really bill of it, over the wire and in the terminal.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use gridlease::simulate::{self, Simulate};
use integration_tests::market::{day, decimal};
use integration_tests::requests::money::usd;
use serde_json::Value;

use crate::advances::{bill, open, pay_on, twelve_percent};
use crate::money::{Books, cents};

/// A million a month that rises by 3 % a year, for ten years; twelve of them paid ahead, three held, 12 % on what is late.
fn agreed(terms: &mut leasing::LeaseTerms) {
    twelve_percent(terms);
    terms.prepayment = Some(leasing::Prepayment {
        amount: Some(usd(12_000_000)),
        draw_months: 24,
        first_draw_month: 1,
        basis: leasing::DrawBasis::FromLease.into(),
    });
    terms.deposit = Some(leasing::SecurityDeposit { amount: Some(usd(3_000_000)) });
}

/// Days after the due date on which every invoice is paid: more than the ten of grace.
const DAYS_LATE: i32 = 17;

async fn simulated(books: &Books, lease: &str, through: i32) -> Result<billing::SimulateBillingResponse> {
    let ask = billing::SimulateBillingRequest {
        lease: lease.to_owned(),
        days_late: DAYS_LATE,
        end_month: Some(billing::BillingMonth { year: 2027, month: through }),
        ..Default::default()
    };
    Ok(books.finance.invoices().simulate_billing(ask).await?.into_inner())
}

/// What an invoice says, but for the number of the invoice that is late: a simulation draws none.
fn says(invoice: &billing::Invoice) -> Vec<String> {
    let line = |line: &billing::InvoiceLine| {
        let (start, end) =
            (line.period_start_date.unwrap_or_default(), line.period_end_date.unwrap_or_default());
        format!(
            "{:?} {:?} {:?} {start:?} {end:?} {:?} {}",
            invoice.billing_month.unwrap_or_default(),
            invoice.kind(),
            line.charge_type(),
            line.rate,
            cents(line.amount.as_ref()),
        )
    };
    invoice.lines.iter().map(line).collect()
}

#[tokio::test]
async fn a_simulation_says_what_runs_bill() -> Result<()> {
    let (books, lease) = open(8_000, agreed).await?;
    let before = simulated(&books, &lease, 6).await?;
    // Half a year: on each first the invoices of the month before are paid, seventeen days late, and the month is billed.
    let mut billed = Vec::new();
    let mut unpaid: Vec<billing::Invoice> = Vec::new();
    for month in 1..=6 {
        books.stack.move_to(day(&format!("2027-{month:02}-01"))).await?;
        if month == 1 {
            // What is paid ahead, what is held, and the rent of a hall that billing knows to have commenced.
            integration_tests::world::invoices_due(&books.finance, &books.operator, (2027, 1), 3).await?;
        }
        for (i, late) in unpaid.drain(..).enumerate() {
            // Due on the sixth of the month before.
            let on = format!("2027-{:02}-23", month - 1);
            pay_on(&books, &late, &on, &format!("wire-{month}-{i}")).await?;
        }
        let invoices = bill(&books, 2027, month).await?;
        billed.extend(invoices.iter().flat_map(says));
        unpaid = invoices;
    }
    let after = simulated(&books, &lease, 6).await?;
    ensure!(before.invoices == after.invoices, "what is billed by now does not count");
    let told: Vec<String> = after.invoices.iter().flat_map(says).collect();
    billed.sort();
    let sorted = {
        let mut sorted = told.clone();
        sorted.sort();
        sorted
    };
    ensure!(sorted == billed, "simulated:\n{sorted:#?}\nbilled:\n{billed:#?}");
    ensure!(told.iter().any(|line| line.contains("LateInterest")), "{told:#?}");
    ensure!(told.iter().any(|line| line.contains("PrepaymentDraw")), "{told:#?}");
    terminal(&books, &lease, &after).await?;
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

/// All of it in the terminal, and nothing of it is kept.
async fn terminal(books: &Books, lease: &str, told: &billing::SimulateBillingResponse) -> Result<()> {
    let parent = books.operator.clone();
    let kept = billing::ListInvoicesRequest { parent, page_size: 1_000, ..Default::default() };
    let before = books.finance.invoices().list_invoices(kept.clone()).await?.into_inner();
    let ask = |json| -> Result<Simulate> {
        Ok(Simulate {
            lease: lease.parse()?,
            load_percent: None,
            index_growth_percent: None,
            days_late: DAYS_LATE,
            json,
            billing: books.as_finance()?,
        })
    };
    let json: Value = serde_json::from_str(&simulate::answer(ask(true)?).await?)?;
    let rows = json.as_array().context("rows")?;
    ensure!(i32::try_from(rows.len())? == told.invoice_count + 1, "{json:#}");
    // Rent of ten years, which the twelve millions are a part of, the three that are held, and interest.
    let all = rows.last().context("a sum")?;
    let rent: i64 = (0..10).map(|year| 12 * rent_of_year(year)).sum();
    ensure!(all["rent"] == grouped(rent) && all["total"] == grouped(cents(told.total.as_ref())), "{all:#}");
    ensure!(all["paid_ahead"] == grouped(300_000_000), "what was paid ahead is credited again: {all:#}");
    let table = simulate::answer(ask(false)?).await?;
    ensure!(table.lines().all(|line| line.chars().count() <= 110), "wider than a terminal:\n{table}");
    ensure!(table.lines().count() > 120, "{table}");
    let after = books.finance.invoices().list_invoices(kept).await?.into_inner();
    ensure!(before == after, "nothing is kept");
    Ok(())
}

/// A month of a year, cents: 8,000 kW at 125 that rise by 3 % a year, to ten decimals and then to the cent.
fn rent_of_year(year: u32) -> i64 {
    let scaled = 1_250_000_000_000_i128 * 103_i128.pow(year);
    let whole = 100_i128.pow(year);
    let rate = (scaled + whole / 2) / whole;
    i64::try_from((rate * 8_000 * 100 + 5_000_000_000) / 10_000_000_000).unwrap_or(i64::MAX)
}

fn grouped(cents: i64) -> String {
    kernel::Money::new(cents, kernel::Currency::USD).grouped()
}

#[tokio::test]
async fn usage_and_an_index_are_assumed_only_where_it_is_said() -> Result<()> {
    let indexed = |terms: &mut leasing::LeaseTerms| {
        terms.escalator = None;
        terms.rent = Some(leasing::RentTerms {
            index_escalator: Some(leasing::IndexEscalator {
                price_series_id: "cpi".to_owned(),
                base_value: decimal("300"),
                lag_months: 2,
                floor_percent: decimal("1"),
                cap_percent: decimal("5"),
                method: leasing::IndexMethod::Compounding.into(),
                basis: leasing::EscalationBasis::BlockAnniversary.into(),
                fixed_date: None,
            }),
            ..Default::default()
        });
    };
    let (books, lease) = open(8_000, indexed).await?;
    let ask = billing::SimulateBillingRequest { lease, ..Default::default() };
    let certain = books.finance.invoices().simulate_billing(ask.clone()).await?.into_inner();
    ensure!(
        certain.invoice_count == 12 && certain.missing_values.len() == 1,
        "{:#?}",
        certain.missing_values
    );
    let growth = billing::SimulateBillingRequest { index_growth_percent: decimal("3"), ..ask };
    let grown = books.finance.invoices().simulate_billing(growth).await?.into_inner();
    ensure!(grown.invoice_count == 120 && grown.missing_values.is_empty(), "{:#?}", grown.missing_values);
    let last = grown.invoices.last().context("bills")?;
    ensure!(last.billing_month == Some(billing::BillingMonth { year: 2036, month: 12 }), "{last:#?}");
    ensure!(cents(last.total.as_ref()) > cents(grown.invoices[0].total.as_ref()), "{last:#?}");
    books.stack.stop().await;
    Ok(())
}
