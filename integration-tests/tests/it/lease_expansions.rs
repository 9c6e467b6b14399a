//! Options on more blocks over the wire: held from the proposal on, exercised within their window, given back after it.

use anyhow::{Context as _, Result, ensure};
use contracts::google::r#type::Money;
use contracts::leasing::v1 as leasing;
use integration_tests::Refusal;
use integration_tests::cluster::LEASING;
use integration_tests::market::{self, date, day, decimal, request_id};
use integration_tests::world::{billable, in_state};
use kernel::Role;
use leasing::{DeadlineKind, ExpansionState, LeaseBlockState, LeaseState};
use tonic::Code;

use crate::lease_amendments::{amendment, signed};
use crate::life::Deal;
use crate::sagas::{Field, KILL, answered};

pub(crate) fn exercised(name: &str, option: &str) -> leasing::ExerciseOptionRequest {
    leasing::ExerciseOptionRequest {
        name: name.to_owned(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        expansion_option: option.to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

/// So many kW of a block from a day on, until ten years after it, at 130.
fn more(block: &str, kw: i64, from: &str) -> leasing::Premises {
    let mut premises = market::terms_from(block, market::load(kw), from).premises.remove(0);
    premises.base_rate_per_kw_month = decimal("130");
    premises
}

/// An option on these, with notice between two days.
fn option(id: &str, premises: Vec<leasing::Premises>, window: [&str; 2]) -> leasing::ExpansionOption {
    leasing::ExpansionOption {
        option_id: id.to_owned(),
        premises,
        first_notice_date: Some(date(window[0])),
        last_notice_date: Some(date(window[1])),
    }
}

/// 10,000 kW of the first hall for ten years, and 4,000 of the second from 2028 on, if notice is given in spring.
fn expandable(blocks: &[String]) -> leasing::LeaseTerms {
    let north = option("north", vec![more(&blocks[1], 4_000, "2028-01-01")], ["2027-03-01", "2027-06-30"]);
    leasing::LeaseTerms { expansion_options: vec![north], ..market::terms(&blocks[0], market::load(10_000)) }
}

fn minor(money: Option<&Money>) -> Result<i64> {
    let money = money.context("money")?;
    Ok(money.units * 100 + i64::from(money.nanos / 10_000_000))
}

/// What a lease is worth: its base term, its options on more blocks.
fn worth(lease: &leasing::Lease) -> Result<[i64; 2]> {
    let value = lease.value.as_ref().context("a value")?;
    Ok([minor(value.base_contract_value.as_ref())?, minor(value.expansions_contract_value.as_ref())?])
}

#[tokio::test]
async fn an_option_cannot_be_sold_twice_and_exercised_its_blocks_are_leased_and_billed() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 5_000]).await?;
    let lease = deal.agree("river", expandable(&deal.blocks)).await?;
    ensure!(lease.blocks.len() == 1 && lease.expansions.len() == 1, "{lease:#?}");
    ensure!(lease.expansions[0].state() == ExpansionState::Open, "{lease:#?}");
    let plain = market::terms(&deal.blocks[0], market::load(10_000));
    let plain = deal.agree("plain", plain).await?;
    let ([base, apart], [same, nothing]) = (worth(&lease)?, worth(&plain)?);
    ensure!((base, nothing) == (same, 0) && apart > 0, "{base} {apart} {same} {nothing}");
    let [from, until] = ["2028-06-01", "2028-07-01"];
    ensure!(deal.free_it_kw(1, from, until).await? == 1_000, "it is held");
    let rival = market::terms_from(&deal.blocks[1], market::load(2_000), "2028-01-01");
    let rival = market::proposal(&deal.operator, &deal.tenant, "rival", rival);
    let sold = deal.sales.leases().propose_lease(rival).await;
    Refusal::expect(sold)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    let windows = [DeadlineKind::ExpansionWindow, DeadlineKind::ExpansionNotice];
    let ask = leasing::ListDeadlinesRequest {
        parent: deal.operator.clone(),
        within_days: 400,
        kinds: windows.iter().map(|kind| (*kind).into()).collect(),
        ..Default::default()
    };
    let told = deal.tenants.leases().list_deadlines(ask).await?.into_inner().deadlines;
    let days: Vec<_> = told.iter().map(|one| (one.kind(), one.date, one.critical_it_kw)).collect();
    let [first, last] = [date("2027-03-01"), date("2027-06-30")];
    ensure!(days == [(windows[0], Some(first), 4_000), (windows[1], Some(last), 4_000)], "{days:#?}");

    let early = deal.tenants.leases().exercise_option(exercised(&lease.name, "north")).await;
    let early = Refusal::expect(early)?.is(Code::FailedPrecondition, "NO_OPTION_TO_EXERCISE")?;
    ensure!(
        (early.fact("firstDate")?, early.fact("lastDate")?) == ("2027-03-01", "2027-06-30"),
        "{early:#?}"
    );
    deal.stack.move_to(day("2027-06-30")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    let ask = exercised(&lease.name, "north");
    let check = leasing::ExerciseOptionRequest { validate_only: true, ..ask.clone() };
    deal.tenants.leases().exercise_option(check).await.context("a check")?;
    let before = deal.reservation(&lease.reservation).await?;
    let expanded = deal.tenants.leases().exercise_option(ask.clone()).await.context("on its last day")?;
    let expanded = expanded.into_inner().lease.context("a lease")?;
    ensure!(expanded.version == 2 && expanded.state() == LeaseState::Active, "{expanded:#?}");
    let terms = expanded.terms.as_ref().context("terms")?;
    let blocks: Vec<_> = terms.premises.iter().map(|one| one.block.as_str()).collect();
    ensure!(blocks == [deal.blocks[0].as_str(), &deal.blocks[1]], "{blocks:?}");
    ensure!(terms.expansion_options.is_empty() && expanded.blocks.len() == 2, "{expanded:#?}");
    ensure!(expanded.blocks[1].commencement_date == Some(date("2028-01-01")), "{expanded:#?}");
    let stands = &expanded.expansions[0];
    ensure!((stands.state(), stands.version) == (ExpansionState::Exercised, 2), "{stands:#?}");
    ensure!(worth(&expanded)? == [base + apart, 0], "{:?} of {base} and {apart}", worth(&expanded)?);
    let hash = |one: &leasing::Signature| one.terms_hash == expanded.terms_hash;
    ensure!(expanded.signatures.len() == 1 && expanded.signatures.iter().all(hash), "{expanded:#?}");
    let again = deal.tenants.leases().exercise_option(ask).await?.into_inner().lease;
    ensure!(again.as_ref() == Some(&expanded), "the same request, the same answer");
    ensure!(deal.reservation(&lease.reservation).await? == before, "it takes what it took");
    let twice = deal.tenants.leases().exercise_option(exercised(&lease.name, "north")).await;
    let twice = Refusal::expect(twice)?.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(twice.fields == ["expansion_option"], "{twice:#?}");
    let ask = leasing::GetLeaseRequest { name: lease.name.clone(), version: 1 };
    let signed = deal.sales.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
    ensure!(signed.signatures.len() == 2 && signed.terms == lease.terms, "both have signed it: {signed:#?}");

    // January of the second year: 10,000 kW at 128.75, and 4,000 at 130. The plain lease is the same without the latter.
    deal.stack.move_to(day("2028-01-05")).await?;
    deal.until("it commences", &lease.name, |now| {
        now.blocks.iter().all(|one| one.state() == LeaseBlockState::Commenced)
    })
    .await?;
    billable(&deal.finance, &deal.operator, 2028, 1).await?;
    deal.bills(2028, 1, 2 * 128_750_000 + 52_000_000).await?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_option_that_nobody_exercises_lapses_and_its_capacity_is_sold() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 5_000]).await?;
    let lease = deal.agree("river", expandable(&deal.blocks)).await?;
    deal.stack.move_to(day("2027-07-02")).await?;
    let lapsed = deal
        .until("the option lapses", &lease.name, |now| {
            now.expansions.iter().all(|one| one.state() == ExpansionState::Lapsed)
        })
        .await?;
    ensure!((lapsed.version, &lapsed.terms) == (1, &lease.terms), "{lapsed:#?}");
    ensure!(worth(&lapsed)?[1] == 0, "{lapsed:#?}");
    let late = deal.tenants.leases().exercise_option(exercised(&lease.name, "north")).await;
    let late = Refusal::expect(late)?.is(Code::FailedPrecondition, "NO_OPTION_TO_EXERCISE")?;
    ensure!(late.fact("lastDate")? == "2027-06-30", "{late:#?}");
    integration_tests::eventually("its capacity is free", async || {
        Ok((deal.free_it_kw(1, "2028-06-01", "2028-07-01").await? == 5_000).then_some(()))
    })
    .await?;
    let rival = market::terms_from(&deal.blocks[1], market::load(5_000), "2028-01-01");
    deal.agree("rival", rival).await.context("another takes it")?;
    let ask = leasing::GetHistoryRequest { name: lease.name.clone(), ..Default::default() };
    let history = deal.tenants.leases().get_history(ask).await?.into_inner().happenings;
    let told: Vec<_> = history.iter().map(|one| one.kind.as_str()).collect();
    ensure!(told.ends_with(&["lease.commenced", "lease.expansion_lapsed"]), "{told:?}");
    ensure!(deal.stack.database.oversold().await? == 0, "oversold");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn amended_terms_may_leave_an_option_out_and_its_capacity_is_free() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 5_000]).await?;
    let lease = deal.agree("river", expandable(&deal.blocks)).await?;
    let terms = market::terms(&deal.blocks[0], market::load(10_000));
    let ask = amendment(&lease, "2027-01-01", terms);
    let proposed = deal.sales.leases().propose_amendment(ask).await.context("propose")?.into_inner();
    let proposed = proposed.lease.context("a lease")?;
    ensure!(deal.free_it_kw(1, "2028-06-01", "2028-07-01").await? == 1_000, "not yet");
    for clients in [&deal.tenants, &deal.admin] {
        clients.leases().sign_amendment(signed(&proposed)).await.context("sign")?;
    }
    let amended = deal.lease(&lease.name).await?;
    ensure!((amended.version, amended.expansions.len()) == (2, 0), "{amended:#?}");
    ensure!(deal.free_it_kw(1, "2028-06-01", "2028-07-01").await? == 5_000, "it is given back");
    let gone = deal.tenants.leases().exercise_option(exercised(&lease.name, "north")).await;
    let gone = Refusal::expect(gone)?.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(gone.fields == ["expansion_option"], "{gone:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn leasing_dies_before_and_after_an_option_is_exercised() -> Result<()> {
    let mut field = Field::prepare().await?;
    let basis = contracts::inventory::v1::DateBasis::Forecast;
    for (number, step) in ["before_intent", "after_record"].iter().enumerate() {
        let failpoint = format!("leasing.change.{step}");
        let hall = field.ready_hall(&format!("more-{number}"), "2030-01-01", basis).await?;
        let mut terms = market::terms_from(&field.block, market::load(1_000), "2030-01-01");
        let window = ["2024-01-01", "2031-06-30"];
        terms.expansion_options = vec![option("north", vec![more(&hall, 900, "2032-01-01")], window)];
        terms.term_months = 144;
        let lease = field.agree(&format!("lease-{number}"), terms).await?;
        let request = exercised(&lease.name, "north");
        let tenant = field.cluster.clients(&field.tenant, Role::Tenant)?;
        let ask = request.clone();
        let deed = async move { tenant.leases().exercise_option(ask).await };
        field.cluster.die_at(LEASING, &failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
        let tenant = field.cluster.clients(&field.tenant, Role::Tenant)?;
        let call = async || tenant.leases().exercise_option(request.clone()).await;
        let done = answered("the option", call).await?.lease.context("a lease")?;
        ensure!((done.version, done.blocks.len()) == (2, 2), "{failpoint}: {done:#?}");
        field.audit().await.with_context(|| failpoint.clone())?;
        let twice = answered("the option", call).await?.lease.context("a lease")?;
        ensure!(twice == done, "{failpoint}: another answer: {twice:#?}");
        let sales = field.cluster.clients(&field.operator, Role::Sales)?;
        let mut rest = market::hold(&field.operator, &hall, &field.tenant, market::load(200));
        rest.claims[0].profile = Some(market::profile(market::load(200), "2032-01-01", "2033-01-01"));
        let sold = sales.reservations().place_hold(rest).await;
        Refusal::expect(sold)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED").context(failpoint)?;
    }
    Ok(())
}
