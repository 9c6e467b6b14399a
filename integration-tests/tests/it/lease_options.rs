//! Renewals over the wire: held until their notice date, exercised within their window, given back after it.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::world::{billable, in_state};
use integration_tests::{Refusal, eventually};
use leasing::{DeadlineKind, LeaseState};
use tonic::Code;

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
    terms.renewal_options =
        vec![leasing::RenewalOption { count: 2, term_months: 12, notice_months: 6, window_months: 6 }];
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
