//! Utility bills: divided among those who share a meter, and billed as the difference to what their tariffs charged.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::Allocation;
use contracts::billing::v1::ChargeType::{Energy, PassThrough, TrueUp};
use contracts::google::r#type::Money;
use integration_tests::Refusal;
use integration_tests::market::{ZONE, date, day, request_id};
use integration_tests::requests::charging::record;
use integration_tests::requests::money::accrual;
use integration_tests::requests::tariffs::{component, energy, tariff};
use tonic::Code;

use super::field::{Field, cents, explain_all, hours, of_type};
use super::utility_bills::heard;

const JUNE: &str = "2027-06-01T05:00:00Z";

fn usd(cents: i64) -> Money {
    let nanos = i32::try_from(cents % 100).unwrap_or(0) * 10_000_000;
    Money { currency_code: "USD".to_owned(), units: cents / 100, nanos }
}

/// A bill of some days by a meter.
fn bill(meter: &str, (from, until): (&str, &str), cents: i64) -> billing::UtilityBill {
    billing::UtilityBill {
        meter: meter.to_owned(),
        number: "4711".to_owned(),
        from_date: Some(date(from)),
        until_date: Some(date(until)),
        bill_date: Some(date(until)),
        amount: Some(usd(cents)),
        energy_kwh: 1,
        ..Default::default()
    }
}

async fn recorded(field: &Field, bill: billing::UtilityBill) -> Result<billing::UtilityBill> {
    let ask = record(&field.operator, bill);
    let recorded = field.finance.charging().record_utility_bill(ask).await?.into_inner();
    recorded.utility_bill.context("a bill")
}

async fn refused(field: &Field, bill: billing::UtilityBill, reason: &str) -> Result<Refusal> {
    let answer = field.finance.charging().record_utility_bill(record(&field.operator, bill)).await;
    Refusal::expect(answer)?.is(Code::FailedPrecondition, reason)
}

fn post(name: &str) -> billing::PostTrueUpRequest {
    billing::PostTrueUpRequest { name: name.to_owned(), request_id: request_id(), ..Default::default() }
}

/// Divides a bill, which must come to the bill to the cent.
async fn posted(field: &Field, name: &str) -> Result<billing::BillDivision> {
    let bill = field.finance.charging().post_true_up(post(name)).await?.into_inner();
    let bill = bill.utility_bill.context("a bill")?;
    let division = bill.division.context("a division")?;
    let borne: i64 = division.shares.iter().map(|share| cents(share.amount.as_ref())).sum();
    let all = borne + cents(division.operator_amount.as_ref());
    ensure!(all == cents(bill.amount.as_ref()), "the shares are not the bill: {division:#?}");
    Ok(division)
}

async fn not_posted(field: &Field, name: &str, reason: &str) -> Result<Refusal> {
    let answer = field.finance.charging().post_true_up(post(name)).await;
    Refusal::expect(answer)?.is(Code::FailedPrecondition, reason)
}

/// What a block was charged by tariff and trued up to.
fn charged(invoices: &[&billing::Invoice]) -> i64 {
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
    let counted = lines.filter(|line| [Energy, PassThrough, TrueUp].contains(&line.charge_type()));
    counted.map(|line| cents(line.amount.as_ref())).sum()
}

/// Three halls behind one meter, of which the third has no plan; all take the same in June.
async fn shared(by: Allocation) -> Result<(Field, String, Vec<String>)> {
    let field = Field::prepare(&[40_000, 20_000, 10_000]).await?;
    let utility = field.meter("utility", None, ZONE, 60).await?;
    let mut halls = Vec::new();
    for hall in 0..3 {
        halls.push(field.meter(&format!("hall-{hall}"), Some(hall), ZONE, 60).await?);
    }
    let components = vec![energy("0.05"), component("customer", "2027-01-01")];
    let name = field.tariff("shared", billing::Tariff { components, ..tariff() }).await?;
    for hall in 0..2 {
        let sharer =
            |at: usize| billing::Sharer { meter: halls[at].clone(), contracted_kw: [30, 20, 10][at] };
        let usage = billing::UsageRule {
            tariff: name.clone(),
            meter: halls[hall].clone(),
            facility_meter: utility.clone(),
            sharers: (0..3).map(sharer).collect(),
            allocation: by.into(),
            ..Default::default()
        };
        let plan = billing::ChargingPlan { usage: Some(usage), ..Default::default() };
        field.plan(&format!("plan-{hall}"), hall, ("2027-06-01", "2027-07-01", ZONE), plan).await?;
    }
    field.stack.move_to(day("2027-07-01")).await?;
    let mut series: Vec<_> = halls.iter().map(|hall| hours(hall, JUNE, 720, 1_000)).collect();
    series.push(hours(&utility, JUNE, 720, 3_000));
    field.send(series).await?;
    Ok((field, utility, halls))
}

#[tokio::test]
async fn a_bill_is_passed_on_to_the_cent_once_and_a_corrected_one_by_difference() -> Result<()> {
    let (field, utility, halls) = shared(Allocation::Energy).await?;
    let june = ("2027-06-01", "2027-07-01");
    let accrue = billing::PostAccrualRequest { validate_only: false, ..accrual(&field.operator, 6, 100_000) };
    field.finance.books().post_accrual(accrue).await?;
    let first = recorded(&field, bill(&utility, june, 10_000_001)).await?;
    ensure!(first.revision == 1 && first.division.is_none(), "{first:#?}");
    let early = not_posted(&field, &first.name, "PERIOD_NOT_BILLED").await?;
    ensure!(early.fact("month")? == "2027-07", "{early:#?}");
    let crossing = bill(&utility, ("2027-05-15", "2027-06-15"), 1);
    let other = refused(&field, crossing, "UTILITY_BILL_OVERLAPS").await?;
    ensure!(other.fact("utilityBill")? == first.name, "{other:#?}");

    let [july_a, july_b, _] = field.bill(2027, 7).await?.try_into().ok().context("three invoices")?;
    // 720,000 kWh at 0.05, and a third of 310.
    ensure!(charged(&[&july_a]) == 3_610_333 && charged(&[&july_b]) == 3_610_333, "{july_a:#?}");
    let tried = billing::PostTrueUpRequest { validate_only: true, ..post(&first.name) };
    let tried = field.finance.charging().post_true_up(tried).await?.into_inner();
    let division = posted(&field, &first.name).await?;
    let shown = tried.utility_bill.and_then(|bill| bill.division).context("a division")?;
    ensure!(shown.shares == division.shares, "tried out otherwise: {shown:#?}");
    ensure!(division.vacant_share.clone().unwrap_or_default().value == "0.3333333333", "{division:#?}");
    let borne: Vec<i64> = division.shares.iter().map(|share| cents(share.amount.as_ref())).collect();
    ensure!(borne == [3_333_334, 3_333_333] && !division.estimated, "{division:#?}");
    heard(&field, ["utility_bill.recorded", "utility_bill.trued_up"], &first.name).await?;
    let again = tried_run(&field).await?;
    ensure!(again.iter().all(|cents| *cents < 0), "trying a run out counts it: {again:?}");

    let [august_a, august_b, _] = field.bill(2027, 8).await?.try_into().ok().context("three invoices")?;
    let meter = || "utility".to_owned();
    ensure!(of_type(&august_a, TrueUp) == [(meter(), 0, -276_999)], "{august_a:#?}");
    ensure!(of_type(&august_b, TrueUp) == [(meter(), 0, -277_000)], "{august_b:#?}");
    ensure!(charged(&[&july_a, &august_a]) == borne[0] && charged(&[&july_b, &august_b]) == borne[1]);
    ensure!(field.invoice(&july_a.name).await? == july_a, "an issued invoice changed");
    let explained = explain_all(&field.tenant, &august_a).await?;
    let why = explained.iter().find_map(|one| one.true_up.clone()).context("of a true-up")?;
    ensure!((why.number.as_str(), cents(why.bill_amount.as_ref())) == ("4711", 10_000_001), "{why:#?}");
    ensure!((cents(why.share_amount.as_ref()), cents(why.estimate.as_ref())) == (3_333_334, 3_610_333));
    let books = field.books().await?;
    let of = |account: &str| books.iter().find(|row| row.0 == account).map_or(0, |row| row.2);
    ensure!(of("pass_through_income") + of("energy_income") == -(borne[0] + borne[1]), "{books:?}");
    ensure!(of("accrued_expense") == 0, "what was accrued for June is not there any more: {books:?}");

    corrected(&field, (&utility, &halls), &first, (&[july_a, august_a], borne[0])).await?;
    field.stack.stop().await;
    Ok(())
}

/// What a run would bill now as true-ups.
async fn tried_run(field: &Field) -> Result<Vec<i64>> {
    let start = billing::StartBillingRunRequest {
        parent: field.operator.clone(),
        billing_month: Some(billing::BillingMonth { year: 2027, month: 8 }),
        request_id: request_id(),
        validate_only: true,
    };
    let tried = field.finance.invoices().start_billing_run(start).await?.into_inner();
    Ok(tried.invoices.iter().flat_map(|invoice| of_type(invoice, TrueUp)).map(|line| line.2).collect())
}

/// The utility corrects its bill; then readings are corrected; then the bill is divided anew.
async fn corrected(
    field: &Field,
    (utility, halls): (&str, &[String]),
    first: &billing::UtilityBill,
    (before, borne): (&[billing::Invoice; 2], i64),
) -> Result<()> {
    let june = ("2027-06-01", "2027-07-01");
    let correction = billing::UtilityBill { corrects: first.name.clone(), ..bill(utility, june, 13_000_001) };
    let second = recorded(field, correction.clone()).await?;
    ensure!(second.revision == 2 && second.corrects == first.name, "{second:#?}");
    let twice = refused(field, correction, "UTILITY_BILL_CORRECTED").await?;
    ensure!(twice.fact("utilityBill")? == second.name, "{twice:#?}");
    not_posted(field, &first.name, "UTILITY_BILL_CORRECTED").await?;
    posted(field, &second.name).await?;
    let [september, ..] =
        field.bill(2027, 9).await?.try_into().ok().filter(|of: &[_; 3]| of.len() == 3).context("three")?;
    ensure!(of_type(&september, TrueUp) == [("utility".to_owned(), 1, 1_000_000)], "{september:#?}");
    explain_all(&field.tenant, &september).await?;
    ensure!(field.run_now(2027, 9).await?.invoices.is_empty(), "billed twice");

    // A late reading changes what the tariff charges, and the true-up by as much the other way: the bill stays the bill.
    let mut late = hours(&halls[0], JUNE, 1, 181_000);
    late.revision = 1;
    field.send(vec![late]).await?;
    let [october, other, _] = field.bill(2027, 10).await?.try_into().ok().context("three invoices")?;
    let whole = [&before[0], &before[1], &september, &october];
    ensure!(charged(&whole) == borne + 1_000_000, "{october:#?}");
    ensure!(!of_type(&october, TrueUp).is_empty() && !of_type(&other, TrueUp).is_empty(), "{october:#?}");
    // Divided anew by what was read by now, the first hall's part is 900,000 kWh of 2,340,000.
    let division = posted(field, &second.name).await?;
    ensure!(cents(division.shares[0].amount.as_ref()) == 5_000_000, "{division:#?}");
    let [november, ..] =
        field.bill(2027, 11).await?.try_into().ok().filter(|of: &[_; 3]| of.len() == 3).context("three")?;
    let whole = [&before[0], &before[1], &september, &october, &november];
    ensure!(charged(&whole) == 5_000_000, "{november:#?}");
    for invoice in [&before[1], &september, &october, &november] {
        explain_all(&field.finance, invoice).await?;
    }
    let listed = billing::ListUtilityBillsRequest {
        parent: field.operator.clone(),
        page_size: 1,
        meter: utility.to_owned(),
        ..Default::default()
    };
    let page = field.finance.charging().list_utility_bills(listed.clone()).await?.into_inner();
    ensure!(page.utility_bills[0].name == second.name && !page.next_page_token.is_empty(), "{page:#?}");
    let next = billing::ListUtilityBillsRequest { page_token: page.next_page_token, ..listed };
    let next = field.finance.charging().list_utility_bills(next).await?.into_inner();
    let get = billing::GetUtilityBillRequest { name: first.name.clone() };
    let read = field.finance.charging().get_utility_bill(get).await?.into_inner().utility_bill;
    ensure!(read.as_ref() == next.utility_bills.first() && next.next_page_token.is_empty(), "{next:#?}");
    Ok(())
}

#[tokio::test]
async fn a_bill_of_two_months_and_of_components_and_one_that_is_too_late() -> Result<()> {
    let field = Field::prepare(&[40_000]).await?;
    let hall = field.meter("hall", Some(0), ZONE, 60).await?;
    let components = vec![energy("0.05"), component("customer", "2027-01-01")];
    let name = field.tariff("own", billing::Tariff { components, ..tariff() }).await?;
    let usage =
        billing::UsageRule { tariff: name, meter: hall.clone(), correction_months: 12, ..Default::default() };
    let plan = billing::ChargingPlan { usage: Some(usage), ..Default::default() };
    field.plan("own", 0, ("2027-06-01", "2027-08-01", ZONE), plan).await?;
    field.stack.move_to(day("2027-07-01")).await?;
    field.send(vec![hours(&hall, JUNE, 30 * 24, 1_000)]).await?;
    let [_] = field.bill(2027, 7).await?.try_into().ok().context("one invoice")?;
    field.stack.move_to(day("2027-08-01")).await?;
    field.send(vec![hours(&hall, "2027-07-01T05:00:00Z", 31 * 24, 1_000)]).await?;
    // From 16 June to 15 July: half of June's charges and 15 of 31 days of July's.
    let part = |code: &str, cents, by_energy| billing::UtilityBillComponent {
        code: code.to_owned(),
        amount: Some(usd(cents)),
        by_energy,
    };
    let mut middle = bill(&hall, ("2027-06-16", "2027-07-16"), 4_000_000);
    middle.components = vec![part("energy", 3_900_000, true), part("delivery", 100_000, false)];
    let middle = recorded(&field, middle).await?;
    not_posted(&field, &middle.name, "PERIOD_NOT_BILLED").await?;
    let [august] = field.bill(2027, 8).await?.try_into().ok().context("one invoice")?;
    ensure!(of_type(&august, Energy) == [("energy".to_owned(), 0, 3_720_000)], "{august:#?}");
    posted(&field, &middle.name).await?;
    let [september] = field.bill(2027, 9).await?.try_into().ok().context("one invoice")?;
    // 3,900,000 less 1,800,000 and 1,800,000; what no tariff charges is passed on whole; the customer charge stays.
    let wanted = [("hall.delivery".to_owned(), 0, 100_000), ("hall.energy".to_owned(), 0, 300_000)];
    ensure!(of_type(&september, TrueUp) == wanted, "{september:#?}");
    explain_all(&field.tenant, &september).await?;

    // The rest of July comes more than a year later: it stays with the operator, and so do corrected readings.
    field.stack.move_to(day("2028-08-15")).await?;
    let late = recorded(&field, bill(&hall, ("2027-07-16", "2027-08-01"), 9_999_999)).await?;
    let division = posted(&field, &late.name).await?;
    ensure!(
        division.shares[0].too_late && cents(division.operator_amount.as_ref()) == 9_999_999,
        "{division:#?}"
    );
    let mut reading = hours(&hall, JUNE, 1, 9_000);
    reading.revision = 1;
    field.send(vec![reading]).await?;
    let last = field.bill(2028, 9).await?;
    let reckoned = last.iter().flat_map(|invoice| &invoice.lines);
    ensure!(
        reckoned.filter(|line| line.charge_type() != billing::ChargeType::BaseRent).count() == 0,
        "{last:#?}"
    );
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn of_two_bills_of_the_same_days_at_once_one_is_kept() -> Result<()> {
    let (field, utility, _) = shared(Allocation::ContractedKw).await?;
    let ask = |from: &str| record(&field.operator, bill(&utility, (from, "2027-07-01"), 100));
    for round in 1..5 {
        let from = format!("2027-06-{:02}", 10 - round);
        let (mut one, mut other) = (field.finance.charging(), field.finance.charging());
        let (a, b) =
            tokio::join!(one.record_utility_bill(ask(&from)), other.record_utility_bill(ask("2027-06-10")));
        let kept = usize::from(a.is_ok()) + usize::from(b.is_ok());
        ensure!(kept == usize::from(round == 1), "{kept} were kept in round {round}: {a:?} {b:?}");
        for answer in [a, b].into_iter().filter(Result::is_err) {
            Refusal::expect(answer)?.is(Code::FailedPrecondition, "UTILITY_BILL_OVERLAPS")?;
        }
    }
    // A plan that divides the same meter otherwise: nothing is divided before the plans agree.
    let [_, _, _] = field.bill(2027, 7).await?.try_into().ok().context("three invoices")?;
    let listed = billing::ListUtilityBillsRequest { parent: field.operator.clone(), ..Default::default() };
    let kept = field.finance.charging().list_utility_bills(listed).await?.into_inner().utility_bills;
    let division = posted(&field, &kept[0].name).await?;
    ensure!(division.vacant_share.clone().unwrap_or_default().value == "0.1666666667", "{division:#?}");
    let get = billing::GetChargingPlanRequest { name: format!("{}/chargingPlans/plan-1", field.operator) };
    let plan = field.finance.charging().get_charging_plan(get).await?.into_inner().charging_plan;
    let mut plan = plan.context("a plan")?;
    if let Some(usage) = &mut plan.usage {
        usage.set_allocation(Allocation::Peak);
    }
    field.plan("otherwise", 1, ("2027-06-20", "2027-07-01", ZONE), plan).await?;
    let odd = not_posted(&field, &kept[0].name, "CHARGING_PLANS_DISAGREE").await?;
    ensure!(odd.fact("chargingPlans")? == "otherwise", "{odd:#?}");
    field.stack.stop().await;
    Ok(())
}
