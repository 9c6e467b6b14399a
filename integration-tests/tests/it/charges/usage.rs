//! A meter's month on an invoice, and what becomes of it when readings are corrected, late or missing.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::ChargeType;
use contracts::billing::v1::tariff_component::Price;
use integration_tests::market::{ZONE, decimal};
use integration_tests::requests::tariffs::{component, energy, tariff};

use super::field::{Field, cents, explain_all, hours, lines, of_type};

/// June of Chicago begins at five in the morning of UTC.
const JUNE: &str = "2027-06-01T05:00:00Z";

fn tax(percent: &str) -> billing::TariffComponent {
    let share = billing::SharePrice {
        percent: decimal(percent),
        of_codes: vec!["energy".to_owned()],
        jurisdiction: "US-TX".to_owned(),
    };
    billing::TariffComponent { price: Some(Price::Share(share)), ..component("sales-tax", "2027-01-01") }
}

/// B-08: a hall of 40 MW, all of its facility, at a PUE of 1.35 and a cap of 1.30.
async fn b08(field: &Field) -> Result<(String, String)> {
    let hall = field.meter("hall", Some(0), ZONE, 60).await?;
    let utility = field.meter("utility", None, ZONE, 60).await?;
    let components = vec![component("customer", "2027-01-01"), energy("0.052"), tax("6.25")];
    let name = field.tariff("blended", billing::Tariff { components, ..tariff() }).await?;
    let usage = billing::UsageRule {
        tariff: name,
        meter: hall.clone(),
        facility_meter: utility.clone(),
        sharers: vec![billing::Sharer { meter: hall.clone(), contracted_kw: 0 }],
        pue_cap: decimal("1.30"),
        ..Default::default()
    };
    let plan = billing::ChargingPlan { usage: Some(usage), ..Default::default() };
    field.plan("june", 0, ("2027-06-01", "2027-07-01", ZONE), plan).await?;
    field.send(vec![hours(&hall, JUNE, 720, 34_000), hours(&utility, JUNE, 720, 45_900)]).await?;
    Ok((hall, utility))
}

#[tokio::test]
async fn b08_is_billed_posted_explained_and_corrected_by_difference() -> Result<()> {
    let field = Field::prepare(&[40_000]).await?;
    field.stack.move_to(integration_tests::market::day("2027-07-01")).await?;
    let (hall, utility) = b08(&field).await?;
    let [july] = field.bill(2027, 7).await?.try_into().ok().context("one invoice")?;
    // 31,824,000 kWh at 0.052; 6.25 % of it; and a month's customer charge.
    let wanted = [("customer", 0, 31_000), ("energy", 0, 165_484_800), ("sales-tax", 0, 10_342_800)];
    let by_item = |invoice: &billing::Invoice| {
        let mut all: Vec<_> =
            lines(invoice).iter().map(|(item, r, c)| ((*item).to_owned(), *r, *c)).collect();
        all.sort();
        all
    };
    ensure!(by_item(&july) == wanted.map(|(item, r, c)| (item.to_owned(), r, c)), "{july:#?}");
    ensure!(of_type(&july, ChargeType::BaseRent) == [(String::new(), 0, 500_000_000)], "{july:#?}");
    let total = 500_000_000 + 31_000 + 165_484_800 + 10_342_800;
    ensure!(cents(july.total.as_ref()) == total, "{july:#?}");
    let books = field.books().await?;
    let row = |account: &str, jurisdiction: &str, sum| (account.to_owned(), jurisdiction.to_owned(), sum);
    ensure!(
        books
            == [
                row("accounts_receivable", "", total),
                row("energy_income", "", -165_484_800),
                row("pass_through_income", "", -31_000),
                row("rent_income", "", -500_000_000),
                row("taxes_payable", "US-TX", -10_342_800),
            ],
        "{books:?}"
    );
    let explained = explain_all(&field.tenant, &july).await?;
    let of_energy = explained.iter().find(|e| e.line.as_ref().is_some_and(|l| l.item == "energy"));
    let why = of_energy.and_then(|e| e.usage.clone()).context("of usage")?;
    ensure!(cents(why.absorbed.as_ref()) == 6_364_800 && why.energy_factor == decimal("1.3"), "{why:#?}");

    // An hour of the hall was 33,000 kWh, which is told in August; and the same once more.
    let corrected = billing::ReadingSeries { revision: 1, ..hours(&hall, "2027-06-10T12:00:00Z", 1, 33_000) };
    field.send(vec![corrected.clone(), corrected]).await?;
    let [august] = field.bill(2027, 8).await?.try_into().ok().context("one invoice")?;
    // 24,479,000 kWh x 1.3 x 0.052 = 1,654,780.40; 6.25 % of it = 103,423.775, rounded up.
    ensure!(by_item(&august) == [("energy".into(), 1, -6_760), ("sales-tax".into(), 1, -422)], "{august:#?}");
    ensure!(field.invoice(&july.name).await? == july, "an issued invoice changed");
    explain_all(&field.finance, &july).await?;
    explain_all(&field.tenant, &august).await?;
    ensure!(field.run_now(2027, 8).await?.invoices.is_empty(), "billed twice");

    // The utility's meter counted less than the cap: the tenant pays what was used.
    let better = billing::ReadingSeries { revision: 1, ..hours(&utility, JUNE, 720, 41_480) };
    field.send(vec![better]).await?;
    let [september] = field.bill(2027, 9).await?.try_into().ok().context("one invoice")?;
    let energy = of_type(&september, ChargeType::Energy);
    // 29,865,600 kWh at 0.052 are 1,553,011.20.
    ensure!(energy == [("energy".into(), 2, 155_301_120 - 165_484_800 + 6_760)], "{september:#?}");
    explain_all(&field.tenant, &september).await?;
    for invoice in [&july, &august] {
        ensure!(field.invoice(&invoice.name).await? == *invoice, "an issued invoice changed");
        explain_all(&field.tenant, invoice).await?;
    }
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn estimates_are_marked_and_give_way_or_the_month_waits() -> Result<()> {
    let field = Field::prepare(&[40_000, 40_000]).await?;
    let blended = billing::Tariff { components: vec![energy("0.05")], ..tariff() };
    let name = field.tariff("blended", blended).await?;
    let mut meters = Vec::new();
    for (hall, estimates) in
        [billing::EstimatePolicy::Bill, billing::EstimatePolicy::Wait].into_iter().enumerate()
    {
        let meter = field.meter(&format!("hall-{hall}"), Some(hall), ZONE, 60).await?;
        let usage = billing::UsageRule {
            tariff: name.clone(),
            meter: meter.clone(),
            estimates: estimates.into(),
            ..Default::default()
        };
        let plan = billing::ChargingPlan { usage: Some(usage), ..Default::default() };
        let days = ("2027-06-01", "2027-07-01", ZONE);
        field.plan(&format!("hall-{hall}"), hall, days, plan).await?;
        meters.push(meter);
    }
    // The last hour of June is missing at both.
    field.stack.move_to(integration_tests::market::day("2027-07-01")).await?;
    field.send(meters.iter().map(|meter| hours(meter, JUNE, 719, 1_000)).collect()).await?;
    let july = field.run(2027, 7).await?;
    let [problem] = july.problems.as_slice() else { anyhow::bail!("one waits: {:#?}", july.problems) };
    ensure!(problem.block == field.blocks[1] && problem.problem.contains("1 intervals"), "{problem:#?}");
    let [billed, waiting] = july.invoices.as_slice() else { anyhow::bail!("two: {:#?}", july.invoices) };
    let line = billed.lines.iter().find(|line| line.item == "energy").context("a line")?;
    // Estimated by the same hour of a week before.
    ensure!(line.estimated && cents(line.amount.as_ref()) == 3_600_000, "{line:#?}");
    ensure!(lines(waiting).is_empty() && waiting.lines.len() == 1, "{waiting:#?}");
    explain_all(&field.finance, billed).await?;

    field.send(meters.iter().map(|meter| hours(meter, "2027-07-01T04:00:00Z", 1, 400)).collect()).await?;
    let [first, second] = field.bill(2027, 8).await?.try_into().ok().context("two invoices")?;
    ensure!(lines(&first) == [("energy", 1, -3_000)] && !first.lines[0].estimated, "{first:#?}");
    ensure!(lines(&second) == [("energy", 0, 3_597_000)], "{second:#?}");
    for invoice in [&first, &second] {
        explain_all(&field.tenant, invoice).await?;
    }
    field.stack.stop().await;
    Ok(())
}
