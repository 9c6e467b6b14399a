//! A facility that two tenants' halls share: its energy by their energy, its peak and its monthly charges by what the plan
//! says.

use anyhow::{Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::Allocation;
use contracts::billing::v1::tariff_component::Price;
use integration_tests::market::{ZONE, date, day, decimal, request_id};
use integration_tests::requests::tariffs::{component, energy, tariff};

use super::field::{Field, explain_all, hours, lines};

const JUNE: &str = "2027-06-01T05:00:00Z";

#[tokio::test]
async fn a_peak_is_divided_by_energy_by_peak_and_by_contract() -> Result<()> {
    let field = Field::prepare(&[40_000, 20_000]).await?;
    let utility = field.meter("utility", None, ZONE, 60).await?;
    let halls =
        [field.meter("hall-0", Some(0), ZONE, 60).await?, field.meter("hall-1", Some(1), ZONE, 60).await?];
    let price = billing::DemandPrice {
        per_kw: decimal("10"),
        basis: billing::DemandBasis::HighestInterval.into(),
        floor_percent: None,
    };
    let demand =
        billing::TariffComponent { price: Some(Price::Demand(price)), ..component("demand", "2027-01-01") };
    let components = vec![energy("0.05"), component("customer", "2027-01-01"), demand];
    let name = field.tariff("shared", billing::Tariff { components, ..tariff() }).await?;
    let plan = |hall: usize, allocation: Allocation| {
        let sharer =
            |at: usize| billing::Sharer { meter: halls[at].clone(), contracted_kw: [30_000, 10_000][at] };
        let usage = billing::UsageRule {
            tariff: name.clone(),
            meter: halls[hall].clone(),
            facility_meter: utility.clone(),
            sharers: vec![sharer(0), sharer(1)],
            allocation: allocation.into(),
            ..Default::default()
        };
        billing::ChargingPlan { usage: Some(usage), ..Default::default() }
    };
    let days = ("2027-06-01", "2027-07-01", ZONE);
    for hall in 0..2 {
        field.plan(&format!("energy-{hall}"), hall, days, plan(hall, Allocation::Energy)).await?;
    }
    field.stack.move_to(day("2027-07-01")).await?;
    // 720 hours of 2,000 and 1,000 kWh; in one hour together most, 2,000 and 3,000. Half as much again comes on top.
    let mut second = hours(&halls[1], JUNE, 720, 1_000);
    second.energy_wh[100] = 3_000_000;
    second.energy_wh[101] = 0;
    second.energy_wh[102] = 0;
    let mut all = hours(&utility, JUNE, 720, 4_500);
    all.energy_wh[100] = 7_500_000;
    all.energy_wh[101] = 3_000_000;
    all.energy_wh[102] = 3_000_000;
    field.send(vec![hours(&halls[0], JUNE, 720, 2_000), second, all]).await?;
    as_billed(&field, &plan, days).await?;
    utility_bill(&field, name).await?;
    let listed = billing::ListChargingPlansRequest {
        parent: field.operator.clone(),
        lease: field.leases[0].clone(),
        ..Default::default()
    };
    let listed = field.finance.charging().list_charging_plans(listed).await?.into_inner();
    let names: Vec<_> =
        listed.charging_plans.iter().filter_map(|plan| plan.name.rsplit('/').next()).collect();
    ensure!(names == ["contract-0", "energy-0", "peak-0"], "{names:?}");
    field.stack.stop().await;
    Ok(())
}

/// What each way to divide bills, and what a later plan of the same days changes.
async fn as_billed(
    field: &Field,
    plan: impl Fn(usize, Allocation) -> billing::ChargingPlan,
    days: (&str, &str, &str),
) -> Result<()> {
    let invoices = field.bill(2027, 7).await?;
    let [first, other] = invoices.as_slice() else { anyhow::bail!("two invoices: {invoices:#?}") };
    // 1,440,000 kWh x 1.5 x 0.05; two thirds of 7,500 kW at 10 and of 310.
    ensure!(
        lines(first) == [("energy", 0, 10_800_000), ("demand", 0, 5_000_000), ("customer", 0, 20_667)],
        "{first:#?}"
    );
    ensure!(
        lines(other) == [("energy", 0, 5_400_000), ("demand", 0, 2_500_000), ("customer", 0, 10_333)],
        "{other:#?}"
    );

    // Plans of the same day, created later: what was billed follows by difference.
    for hall in 0..2 {
        field.plan(&format!("peak-{hall}"), hall, days, plan(hall, Allocation::Peak)).await?;
    }
    let invoices = field.bill(2027, 8).await?;
    let [first, other] = invoices.as_slice() else { anyhow::bail!("two invoices: {invoices:#?}") };
    // Two fifths and three fifths.
    ensure!(lines(first) == [("demand", 1, -2_000_000), ("customer", 1, -8_267)], "{first:#?}");
    ensure!(lines(other) == [("demand", 1, 2_000_000), ("customer", 1, 8_267)], "{other:#?}");
    explain_all(&field.tenant, first).await?;

    for hall in 0..2 {
        let plan = plan(hall, Allocation::ContractedKw);
        field.plan(&format!("contract-{hall}"), hall, days, plan).await?;
    }
    let invoices = field.bill(2027, 9).await?;
    let [first, other] = invoices.as_slice() else { anyhow::bail!("two invoices: {invoices:#?}") };
    // Three quarters and one.
    ensure!(lines(first) == [("demand", 2, 2_625_000), ("customer", 2, 10_850)], "{first:#?}");
    ensure!(lines(other) == [("demand", 2, -2_625_000), ("customer", 2, -10_850)], "{other:#?}");
    for invoice in &invoices {
        explain_all(&field.finance, invoice).await?;
    }
    Ok(())
}

/// The utility's bill of June comes late: a price of that month alone, divided as the plan says.
async fn utility_bill(field: &Field, tariff: String) -> Result<()> {
    let bill = billing::FixedPrice { per_month: decimal("12345.68") };
    let bill = billing::TariffComponent {
        until_date: Some(date("2027-07-01")),
        price: Some(Price::Fixed(bill)),
        ..component("bill", "2027-06-01")
    };
    let add = billing::AddTariffComponentsRequest {
        name: tariff,
        components: vec![bill],
        request_id: request_id(),
        ..Default::default()
    };
    field.finance.tariffs().add_tariff_components(add).await?;
    let invoices = field.bill(2027, 10).await?;
    let [first, other] = invoices.as_slice() else { anyhow::bail!("two invoices: {invoices:#?}") };
    ensure!(
        lines(first) == [("bill", 0, 925_926)] && lines(other) == [("bill", 0, 308_642)],
        "{invoices:#?}"
    );
    explain_all(&field.tenant, other).await?;
    Ok(())
}
