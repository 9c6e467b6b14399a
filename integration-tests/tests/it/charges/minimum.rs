//! Take or pay: what of the least was not taken of a month, by its meter, and by difference once readings are corrected.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::ChargeType::TakeOrPay;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{ZONE, day, decimal};
use integration_tests::requests::tariffs::{component, energy, tariff};

use super::field::{Field, explain_all, hours, of_type};

/// June of Chicago begins at five in the morning of UTC.
const JUNE: &str = "2027-06-01T05:00:00Z";

/// Four fifths of the energy at 0.02, nine tenths of the load at 5.
fn least(terms: &mut leasing::LeaseTerms) {
    terms.minimum_take = Some(leasing::MinimumTake {
        energy_percent: decimal("80"),
        shortfall_per_kwh: decimal("0.02"),
        demand_percent: decimal("90"),
        shortfall_per_kw_month: decimal("5"),
    });
}

#[tokio::test]
async fn what_is_not_taken_is_paid_for_and_corrected_by_difference() -> Result<()> {
    let field = Field::prepare_with(&[10_000], least).await?;
    field.stack.move_to(day("2027-07-01")).await?;
    let hall = field.meter("hall", Some(0), ZONE, 60).await?;
    let components = vec![component("customer", "2027-01-01"), energy("0.05")];
    let name = field.tariff("blended", billing::Tariff { components, ..tariff() }).await?;
    let usage = billing::UsageRule { tariff: name, meter: hall.clone(), ..Default::default() };
    let plan = billing::ChargingPlan { usage: Some(usage), ..Default::default() };
    field.plan("june", 0, ("2027-06-01", "2027-07-01", ZONE), plan).await?;
    field.send(vec![hours(&hall, JUNE, 720, 5_000)]).await?;
    let [july] = field.bill(2027, 7).await?.try_into().ok().context("one invoice")?;
    // 5,760,000 kWh less 3,600,000; 9,000 kW less 5,000.
    let wanted = [("demand".to_owned(), 0, 2_000_000), ("energy".to_owned(), 0, 4_320_000)];
    ensure!(of_type(&july, TakeOrPay) == wanted, "{july:#?}");
    explain_all(&field.tenant, &july).await?;
    let books = field.books().await?;
    let row = books.iter().find(|row| row.0 == "take_or_pay_income").context("its own account")?;
    ensure!(row.2 == -6_320_000, "{books:?}");

    let corrected = billing::ReadingSeries { revision: 1, ..hours(&hall, "2027-06-10T12:00:00Z", 1, 6_000) };
    field.send(vec![corrected]).await?;
    let [august] = field.bill(2027, 8).await?.try_into().ok().context("one invoice")?;
    let wanted = [("demand".to_owned(), 1, -500_000), ("energy".to_owned(), 1, -2_000)];
    ensure!(of_type(&august, TakeOrPay) == wanted, "{august:#?}");
    explain_all(&field.finance, &july).await?;
    explain_all(&field.finance, &august).await?;
    ensure!(field.run_now(2027, 8).await?.invoices.is_empty(), "billed twice");
    field.stack.stop().await;
    Ok(())
}
