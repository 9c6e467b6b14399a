//! Renewals over the wire: held until their notice date, exercised within their window, given back after it.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, day, decimal, request_id};
use integration_tests::world::{billable, in_state};
use integration_tests::{Refusal, eventually};
use leasing::{DeadlineKind, LeaseState};
use tonic::Code;

use crate::lease_amendments::{amendment, signed};
use crate::life::Deal;

fn exercised(name: &str) -> leasing::ExerciseOptionRequest {
    leasing::ExerciseOptionRequest {
        name: name.to_owned(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        ..Default::default()
    }
}

/// Two years, and twice one more; notice half a year before the end, within half a year.
fn two_years(block: &str) -> leasing::LeaseTerms {
    let mut terms = market::terms(block, market::load(10_000));
    terms.premises[0].end_date = Some(date("2029-01-01"));
    terms.term_months = 24;
    terms.renewal_options = vec![leasing::RenewalOption {
        count: 2,
        term_months: 12,
        notice_months: 6,
        window_months: 6,
        ..Default::default()
    }];
    terms
}

async fn is_free(deal: &Deal, kw: [i64; 3]) -> Result<()> {
    eventually("so much is free in each of the years after the term", async || {
        let free = [
            deal.free_it_kw(0, "2029-06-01", "2029-07-01").await?,
            deal.free_it_kw(0, "2030-06-01", "2030-07-01").await?,
            deal.free_it_kw(0, "2031-06-01", "2031-07-01").await?,
        ];
        Ok((free == kw).then_some(()))
    })
    .await
    .with_context(|| format!("{kw:?}"))
}

#[tokio::test]
async fn a_renewal_cannot_be_sold_twice_and_is_given_back_when_nobody_exercises_it() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let lease = deal.agree("river", two_years(&deal.blocks[0])).await?;
    let window = lease.next_option.context("an option")?;
    ensure!((window.left, window.term_months) == (2, 12), "{window:#?}");
    ensure!(window.first_date == Some(date("2028-01-01")), "{window:#?}");
    ensure!(window.last_date == Some(date("2028-07-01")), "{window:#?}");
    ensure!(lease.blocks[0].end_date == Some(date("2029-01-01")), "not in the term: {lease:#?}");
    is_free(&deal, [10_000, 10_000, 20_000]).await?;
    let next = market::terms_from(&deal.blocks[0], market::load(15_000), "2029-01-01");
    let next = market::proposal(&deal.operator, &deal.tenant, "next", next);
    let sold = deal.sales.leases().propose_lease(next).await;
    Refusal::expect(sold)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;

    deal.stack.move_to(day("2027-12-31")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    let expected = [DeadlineKind::RenewalWindow, DeadlineKind::RenewalNotice, DeadlineKind::TermEnd];
    ensure!(deal.runs_out().await? == expected, "{:?}", deal.runs_out().await?);
    let early = deal.tenants.leases().exercise_option(exercised(&lease.name)).await;
    let early = Refusal::expect(early)?.is(Code::FailedPrecondition, "NO_OPTION_TO_EXERCISE")?;
    ensure!(early.fact("firstDate")? == "2028-01-01", "{early:#?}");
    ensure!(early.fact("lastDate")? == "2028-07-01", "{early:#?}");

    deal.stack.move_to(day("2028-07-01")).await?;
    let ask = exercised(&lease.name);
    let renewed = deal.tenants.leases().exercise_option(ask.clone()).await.context("on its last day")?;
    let renewed = renewed.into_inner().lease.context("a lease")?;
    ensure!(renewed.blocks[0].end_date == Some(date("2030-01-01")), "{renewed:#?}");
    ensure!(renewed.renewals[0].until_date == Some(date("2030-01-01")), "{renewed:#?}");
    ensure!(renewed.next_option.as_ref().is_some_and(|one| one.left == 1), "{renewed:#?}");
    ensure!(renewed.version == 1 && renewed.terms == lease.terms, "the terms are as they were signed");
    let again = deal.tenants.leases().exercise_option(ask).await?.into_inner().lease;
    ensure!(again.as_ref() == Some(&renewed), "the same request, the same answer");
    is_free(&deal, [10_000, 10_000, 20_000]).await?;

    // The first month of the renewal: 10,000 kW at 125, raised twice.
    deal.stack.move_to(day("2029-01-02")).await?;
    billable(&deal.finance, &deal.operator, 2029, 1).await?;
    deal.bills(2029, 1, 132_612_500).await?;
    ensure!(deal.lease(&lease.name).await?.state() == LeaseState::Active, "it goes on");

    // Nobody takes the second: it is gone with the day after its last, and its capacity is free.
    deal.stack.move_to(day("2029-07-02")).await?;
    let lapsed = deal.until("the option lapses", &lease.name, |now| now.next_option.is_none()).await?;
    ensure!(lapsed.blocks[0].end_date == Some(date("2030-01-01")), "{lapsed:#?}");
    let value = lapsed.value.and_then(|value| value.options_contract_value).context("a value")?;
    ensure!(value.units == 0, "{value:#?}");
    is_free(&deal, [10_000, 20_000, 20_000]).await?;
    let late = deal.tenants.leases().exercise_option(exercised(&lease.name)).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "NO_OPTION_TO_EXERCISE")?;
    let ask = leasing::GetHistoryRequest { name: lease.name.clone(), ..Default::default() };
    let history = deal.tenants.leases().get_history(ask).await?.into_inner().happenings;
    let told: Vec<_> = history.iter().skip(5).map(|one| one.kind.as_str()).collect();
    ensure!(told == ["lease.renewed", "lease.option_lapsed"], "{told:?}");
    deal.stack.stop().await;
    Ok(())
}

/// Rent of a month of a renewal, by the schedule.
async fn month_of(deal: &Deal, name: &str, first: &str) -> Result<Option<contracts::google::r#type::Money>> {
    let ask = leasing::GetRentScheduleRequest { name: name.to_owned() };
    let lines = deal.tenants.leases().get_rent_schedule(ask).await?.into_inner().lines;
    Ok(lines
        .into_iter()
        .find(|line| line.period_start_date == Some(date(first)))
        .and_then(|line| line.amount))
}

#[tokio::test]
async fn a_renewal_is_billed_at_the_rate_that_is_stated_or_agreed_when_it_comes() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let mut terms = two_years(&deal.blocks[0]);
    // 140 in the first renewal; the second by the market, and 102 % of the last rate at the least.
    terms.renewal_options[0].rates_per_kw_month = decimal("140").into_iter().collect();
    let market = leasing::MarketRent { floor_percent: decimal("102"), cap_percent: decimal("120") };
    terms.renewal_options[0].market_rent = Some(market);
    let lease = deal.agree("river", terms.clone()).await?;
    let agreed = lease.terms.clone().context("terms")?;
    ensure!(agreed.renewal_options == terms.renewal_options, "{agreed:#?}");
    let ask = leasing::GetLeaseRequest { name: lease.name.clone(), version: 0 };
    let seen = deal.ops.leases().get_lease(ask).await?.into_inner().lease.and_then(|lease| lease.terms);
    let seen = seen.context("terms")?.renewal_options[0].clone();
    let silent = seen.rates_per_kw_month.is_empty() && seen.market_rent.is_none();
    ensure!(silent, "the site's staff see no money: {seen:#?}");
    let value = |lease: &leasing::Lease| {
        lease
            .value
            .as_ref()
            .and_then(|value| value.options_contract_value.as_ref())
            .map_or(0, |sum| sum.units)
    };
    // A year at 140, and one at 142.8.
    ensure!(value(&lease) == 10_000 * 12 * 140 + 12 * 1_428_000, "{:?}", lease.value);

    deal.stack.move_to(day("2028-07-01")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    deal.tenants.leases().exercise_option(exercised(&lease.name)).await.context("the first")?;
    deal.stack.move_to(day("2029-01-02")).await?;
    billable(&deal.finance, &deal.operator, 2029, 1).await?;
    deal.bills(2029, 1, 140_000_000).await?;

    deal.stack.move_to(day("2029-07-01")).await?;
    let open = deal.tenants.leases().exercise_option(exercised(&lease.name)).await.context("the second")?;
    let open = open.into_inner().lease.context("a lease")?;
    let to_be_agreed: Vec<_> = open.renewals.iter().map(|one| one.rent_to_be_agreed).collect();
    ensure!(to_be_agreed == [false, true], "{:#?}", open.renewals);
    let month = month_of(&deal, &lease.name, "2030-01-01").await?.context("a line")?;
    ensure!(month.units == 1_428_000, "{month:?}");
    let expected = [DeadlineKind::RenewalRent, DeadlineKind::TermEnd, DeadlineKind::RenewalRent];
    ensure!(deal.runs_out().await? == expected, "{:?}", deal.runs_out().await?);

    // What both sides agree on is stated by an amendment: from the first day of the renewal on.
    let mut stated = terms;
    stated.renewal_options[0].rates_per_kw_month.extend(decimal("150"));
    let proposed = deal.sales.leases().propose_amendment(amendment(&open, "2029-09-01", stated)).await?;
    let proposed = proposed.into_inner().lease.context("a lease")?;
    deal.tenants.leases().sign_amendment(signed(&proposed)).await.context("the tenant signs")?;
    let now = deal.admin.leases().sign_amendment(signed(&proposed)).await.context("the operator signs")?;
    let now = now.into_inner().lease.context("a lease")?;
    ensure!(now.version == 2 && now.renewals.iter().all(|one| !one.rent_to_be_agreed), "{now:#?}");
    ensure!(deal.runs_out().await? == [DeadlineKind::TermEnd], "{:?}", deal.runs_out().await?);
    let month = month_of(&deal, &lease.name, "2029-12-01").await?.context("a line")?;
    ensure!(month.units == 1_400_000, "what was before stays: {month:?}");
    deal.stack.move_to(day("2030-01-02")).await?;
    billable(&deal.finance, &deal.operator, 2030, 1).await?;
    deal.bills(2030, 1, 150_000_000).await?;
    deal.stack.stop().await;
    Ok(())
}
