//! Rent given back for outages: of the hall that was hurt, without stacking, up to the cap, and taken back when an incident
//! turns out to be less.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::credit_rule::Trigger;
use contracts::billing::v1::{ChargeType, ServiceKind};
use contracts::inventory::v1 as inventory;
use integration_tests::eventually;
use integration_tests::market::{ZONE, date, day, decimal, request_id};
use integration_tests::requests::charging::{create, rule};

use super::field::{Field, at, explain_all, of_type};

/// The wholesale table: a day for less than 99.999 %, one more for each further quarter of an hour up to nine, ten from
/// four hours on; cooling beyond half an hour a day, beyond four hours five; half of the rent at most.
fn wholesale() -> Option<billing::ServiceLevel> {
    let below = Trigger::AvailabilityBelowPercent(decimal("99.999")?);
    let below = billing::CreditRule {
        each_further_minutes: 15,
        further_days: 1,
        days_of_rent_max: 9,
        ..rule(ServiceKind::Power, below, 1)
    };
    Some(billing::ServiceLevel {
        rules: vec![
            below,
            rule(ServiceKind::Power, Trigger::AtLeastMinutes(240), 10),
            rule(ServiceKind::Cooling, Trigger::OverMinutes(30), 1),
            rule(ServiceKind::Cooling, Trigger::OverMinutes(240), 5),
        ],
        cap_percent: decimal("50"),
        single_feed_counts: false,
    })
}

fn outage(kind: inventory::IncidentKind, start: &str, minutes: i64) -> inventory::Incident {
    let instant = |instant| Some(runtime::wire::to_timestamp(instant));
    inventory::Incident {
        kind: kind.into(),
        start_time: instant(at(start)),
        end_time: instant(at(start) + chrono::TimeDelta::minutes(minutes)),
        all_feeds_down: (kind == inventory::IncidentKind::Power).then_some(true),
        ..Default::default()
    }
}

async fn report(field: &Field, parent: &str, incident: inventory::Incident) -> Result<inventory::Incident> {
    let report = inventory::ReportIncidentRequest {
        parent: parent.to_owned(),
        incident: Some(incident),
        request_id: request_id(),
        validate_only: false,
    };
    let reported = field.ops.incidents().report_incident(report).await?.into_inner();
    reported.incident.context("an incident")
}

/// Waits until a run of the month would credit this to the first hall: billing hears of incidents a moment later.
async fn heard(field: &Field, month: i32, wanted: &[(String, i32, i64)]) -> Result<()> {
    eventually(&format!("{wanted:?} in {month}"), async || {
        let start = billing::StartBillingRunRequest {
            parent: field.operator.clone(),
            billing_month: Some(billing::BillingMonth { year: 2027, month }),
            request_id: request_id(),
            validate_only: true,
        };
        let tried = field.finance.invoices().start_billing_run(start).await?.into_inner();
        let first = tried.invoices.iter().find(|invoice| invoice.lease == field.leases[0]);
        Ok(first.is_some_and(|invoice| of_type(invoice, ChargeType::SlaCredit) == wanted).then_some(()))
    })
    .await
}

fn credit(revision: i32, cents: i64) -> Vec<(String, i32, i64)> {
    vec![(String::new(), revision, cents)]
}

#[tokio::test]
async fn rent_is_given_back_once_and_only_for_the_hall_that_was_hurt() -> Result<()> {
    use inventory::IncidentKind::{Cooling, Power};
    let field = Field::prepare(&[40_000, 40_000]).await?;
    field.stack.move_to(day("2027-02-02")).await?;
    for hall in 0..2 {
        let plan = billing::ChargingPlan {
            lease: field.leases[hall].clone(),
            block: field.blocks[hall].clone(),
            from_date: Some(date("2027-01-01")),
            time_zone: ZONE.to_owned(),
            service_level: wholesale(),
            ..Default::default()
        };
        let plan = create(&field.operator, &format!("hall-{hall}"), plan);
        field.finance.charging().create_charging_plan(plan).await?;
    }
    // 46 minutes without power, and cooling out at the same time: four days, not five.
    let power = report(&field, &field.blocks[0], outage(Power, "2027-01-10T12:00:00Z", 46)).await?;
    report(&field, &field.blocks[0], outage(Cooling, "2027-01-10T12:10:00Z", 60)).await?;
    // One feed only; not yet over; of February.
    let one_feed =
        inventory::Incident { all_feeds_down: Some(false), ..outage(Power, "2027-01-12T12:00:00Z", 600) };
    report(&field, &field.blocks[0], one_feed).await?;
    let lasting = inventory::Incident { end_time: None, ..outage(Power, "2027-01-14T12:00:00Z", 1) };
    report(&field, &field.blocks[0], lasting).await?;
    report(&field, &field.blocks[0], outage(Cooling, "2027-02-01T12:00:00Z", 60)).await?;
    // 5,000,000.00 / 31 x 4.
    let wanted = credit(0, -64_516_129);
    heard(&field, 2, &wanted).await?;
    let [first, second] = field.bill(2027, 2).await?.try_into().ok().context("two invoices")?;
    ensure!(of_type(&first, ChargeType::SlaCredit) == wanted, "{first:#?}");
    ensure!(of_type(&second, ChargeType::SlaCredit).is_empty(), "hurt though it was not: {second:#?}");
    let explained = explain_all(&field.tenant, &first).await?;
    let why = explained.iter().find_map(|e| e.credit.clone()).context("of a credit")?;
    ensure!(why.days_of_rent == 4 && why.incidents.contains(&power.name), "{why:#?}");
    let books = field.books().await?;
    let row = books.iter().find(|row| row.0 == "sla_credits").map(|row| row.2);
    ensure!(row == Some(64_516_129), "{books:?}");

    // It was 16 minutes: two days are taken back. February's hour without cooling is a day.
    let end_time = Some(runtime::wire::to_timestamp(at("2027-01-10T12:16:00Z")));
    let update = inventory::UpdateIncidentRequest {
        incident: Some(inventory::Incident { end_time, ..power }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["end_time".to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    };
    field.ops.incidents().update_incident(update).await?;
    field.stack.move_to(day("2027-03-02")).await?;
    let wanted = [credit(1, 32_258_064), credit(0, -17_857_143)].concat();
    heard(&field, 3, &wanted).await?;
    let [march, _] = field.bill(2027, 3).await?.try_into().ok().context("two invoices")?;
    ensure!(of_type(&march, ChargeType::SlaCredit) == wanted, "{march:#?}");
    ensure!(field.invoice(&first.name).await? == first, "an issued invoice changed");
    for invoice in [&first, &march] {
        explain_all(&field.tenant, invoice).await?;
    }
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn no_more_than_half_of_the_rent_is_given_back() -> Result<()> {
    use inventory::IncidentKind::Power;
    let field = Field::prepare(&[40_000]).await?;
    field.stack.move_to(day("2027-02-02")).await?;
    let plan = billing::ChargingPlan { service_level: wholesale(), ..Default::default() };
    field.plan("hall", 0, ("2027-01-01", "2028-01-01", ZONE), plan).await?;
    // Two of the whole site: twenty days, of which half a month is given back.
    let site = format!("{}/sites/rockdale", field.operator);
    for start in ["2027-01-10T12:00:00Z", "2027-01-20T12:00:00Z"] {
        report(&field, &site, outage(Power, start, 300)).await?;
    }
    heard(&field, 2, &credit(0, -250_000_000)).await?;
    let [first] = field.bill(2027, 2).await?.try_into().ok().context("one invoice")?;
    ensure!(of_type(&first, ChargeType::SlaCredit) == credit(0, -250_000_000), "{first:#?}");
    explain_all(&field.tenant, &first).await?;
    field.stack.stop().await;
    Ok(())
}
