//! Published tariffs over a year of invoices, and the shape of a month: days on which a rate held, hours of a band, the
//! highest quarter of an hour.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::ChargeType;
use contracts::billing::v1::tariff_component::Price;
use integration_tests::market::{ZONE, date, day, decimal, request_id};
use integration_tests::requests::tariffs::{component, tariff};

use super::field::{Field, cents, explain_all, hours, lines, of_type};
use crate::tariffs::published;

fn by(meter: &str, tariff: &str) -> billing::ChargingPlan {
    let usage =
        billing::UsageRule { tariff: tariff.to_owned(), meter: meter.to_owned(), ..Default::default() };
    billing::ChargingPlan { usage: Some(usage), ..Default::default() }
}

#[tokio::test]
async fn b10_and_b13_come_to_the_cent_over_a_year_of_invoices() -> Result<()> {
    const NEW_YORK: &str = "America/New_York";
    let field = Field::prepare(&[300_000, 60_000]).await?;
    field.stack.move_to(day("2028-01-01")).await?;
    let comed = published("comed-high-voltage")?;
    let zone = comed.time_zone.clone();
    let comed = field.tariff("comed", comed).await?;
    let mut excise = published("new-york-mining-excise")?;
    for component in &mut excise.components {
        if let Some(Price::Excise(price)) = &mut component.price {
            "US-NY".clone_into(&mut price.jurisdiction);
        }
    }
    let excise = field.tariff("new-york", excise).await?;
    let flat = field.meter("flat", Some(0), &zone, 60).await?;
    let mining = field.meter("mining", Some(1), NEW_YORK, 60).await?;
    field.plan("flat", 0, ("2027-01-01", "2028-01-01", &zone), by(&flat, &comed)).await?;
    field.plan("mining", 1, ("2027-01-01", "2028-01-01", NEW_YORK), by(&mining, &excise)).await?;
    // 8,760 hours whatever the clocks do. In each month an hour of 300 MW, and one as much below the mean.
    let mut series = Vec::new();
    for month in 1..=12 {
        let first = kernel::CivilDate::from_ymd_opt(2027, month, 1).context("a day")?;
        let next = kernel::time::add_months(first, 1).context("a day")?;
        let chicago: kernel::Zone = zone.parse()?;
        let (start, end) = (chicago.start_of_day(first), chicago.start_of_day(next));
        let count = usize::try_from((end - start).num_hours())?;
        let mut month = hours(&flat, &start.to_rfc3339(), count, 270_000);
        (month.energy_wh[7], month.energy_wh[9]) = (300_000_000, 240_000_000);
        series.push(month);
    }
    series.push(hours(&mining, "2027-01-01T05:00:00Z", 4_380, 57_000));
    series.push(hours(&mining, "2027-07-02T17:00:00Z", 4_380, 57_000));
    field.send(series).await?;
    // What no run has billed yet, this one does: all twelve months.
    let [comed, new_york] = field.bill(2028, 1).await?.try_into().ok().context("two invoices")?;
    let year: i64 = lines(&comed).iter().map(|(_, _, cents)| cents).sum();
    let tax = lines(&comed).iter().filter(|l| l.0 == "distribution-tax").map(|l| l.2).sum::<i64>();
    ensure!((year, tax) == (1_431_786_876, 293_284_800), "{year} {tax}");
    let excise: Vec<i64> = of_type(&new_york, ChargeType::Tax).into_iter().map(|line| line.2).collect();
    ensure!(excise.iter().sum::<i64>() == 2_457_100_000 && excise.len() == 12, "{excise:?}");
    ensure!(new_york.lines.iter().filter(|l| l.jurisdiction == "US-NY").count() == 12, "{new_york:#?}");
    explain_all(&field.finance, &new_york).await?;
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn b07_a_month_of_quarter_hours_by_band_peak_and_day() -> Result<()> {
    let field = Field::prepare(&[40_000]).await?;
    field.stack.move_to(day("2027-12-01")).await?;
    let meter = field.meter("hall", Some(0), ZONE, 15).await?;
    let night = billing::TimeOfUseBand {
        display_name: "night".to_owned(),
        from_minute: 0,
        until_minute: 6 * 60,
        per_kwh: decimal("0.02"),
        ..Default::default()
    };
    let of_use = billing::TimeOfUsePrice { bands: vec![night], otherwise_per_kwh: decimal("0.05") };
    let of_use =
        billing::TariffComponent { price: Some(Price::TimeOfUse(of_use)), ..component("use", "2027-01-01") };
    let demand = |from: &str, per_kw: &str| {
        let price = billing::DemandPrice {
            per_kw: decimal(per_kw),
            basis: billing::DemandBasis::HighestInterval.into(),
            floor_percent: decimal("85"),
        };
        billing::TariffComponent { price: Some(Price::Demand(price)), ..component("demand", from) }
    };
    let components = vec![of_use, demand("2027-01-01", "6")];
    let name = field.tariff("by-band", billing::Tariff { components, ..tariff() }).await?;
    field.plan("hall", 0, ("2027-11-01", "2027-12-01", ZONE), by(&meter, &name)).await?;
    // November has an hour more, by night: 2,884 quarter-hours at 9,750 kWh, which are 39,000 kW.
    let series = integration_tests::market::series(&meter, "2027-11-01T05:00:00Z", &[9_750_000; 2_884]);
    field.send(vec![series]).await?;
    let [december] = field.bill(2027, 12).await?.try_into().ok().context("one invoice")?;
    let (nights, days) = (30 * 24 + 4, 30 * 72);
    let kwh = |quarters: i64| quarters * 9_750;
    let wanted =
        [("use.night", 0, kwh(nights) * 2), ("use.otherwise", 0, kwh(days) * 5), ("demand", 0, 39_000 * 600)];
    ensure!(lines(&december) == wanted, "{december:#?}");
    explain_all(&field.tenant, &december).await?;

    // A rate that is entered late, from the 11th on: what was billed follows by the day.
    let add = billing::AddTariffComponentsRequest {
        name,
        components: vec![demand("2027-11-11", "9")],
        etag: String::new(),
        request_id: request_id(),
        validate_only: false,
    };
    field.finance.tariffs().add_tariff_components(add).await?;
    let [january] = field.bill(2028, 1).await?.try_into().ok().context("one invoice")?;
    // Ten days of thirty at the old rate, twenty at the new.
    let wanted = [("demand", 1, 39_000 * 200 - 39_000 * 600), ("demand", 0, 39_000 * 600)];
    ensure!(lines(&january) == wanted, "{january:#?}");
    let new = january.lines.iter().find(|line| line.period_start_date == Some(date("2027-11-11")));
    ensure!(new.is_some_and(|line| (line.days, line.days_in_month) == (20, 30)), "{january:#?}");
    for invoice in [&december, &january] {
        explain_all(&field.tenant, invoice).await?;
    }
    ensure!(cents(january.total.as_ref()) == 40_000 * 12_875 + 39_000 * 200, "{january:#?}");
    field.stack.stop().await;
    Ok(())
}
