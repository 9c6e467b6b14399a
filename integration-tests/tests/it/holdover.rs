//! Tenants that stay beyond their term: on capacity that is taken for it first, at a multiple of the rent, until they leave.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, day, decimal, request_id};
use integration_tests::world::{holds_over, in_state};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::{DeadlineKind, LeaseState};
use tonic::Code;

use crate::life::Deal;
use crate::life_sagas::STEPS;
use crate::sagas::{Field, KILL, answered};

/// A year from January 2027 on; nothing to renew.
fn a_year(block: &str, kw: i64) -> leasing::LeaseTerms {
    let mut terms = market::terms(block, market::load(kw));
    terms.premises[0].end_date = Some(date("2028-01-01"));
    terms.term_months = 12;
    terms
}

fn leaves(lease: &str, on: &str) -> leasing::EndHoldoverRequest {
    leasing::EndHoldoverRequest {
        name: lease.to_owned(),
        end_date: Some(date(on)),
        note: "the keys are back".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_tenant_that_stays_pays_more_and_what_it_has_is_sold_to_nobody_else() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let lease = deal.agree("river", a_year(&deal.blocks[0], 15_000)).await?;
    deal.stack.move_to(day("2027-12-10")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    let ask = holds_over(&lease.name, "2028-04-01", "they move out in March");
    let lent =
        deal.admin.leases().begin_holdover(ask.clone()).await.context("a holdover")?.into_inner().lease;
    let lent = lent.context("a lease")?;
    ensure!(lent.state() == LeaseState::Active, "its term is not over: {lent:#?}");
    ensure!(lent.blocks[0].end_date == Some(date("2028-04-01")) && lent.blocks[0].moved, "{lent:#?}");
    let again = deal.admin.leases().begin_holdover(ask).await?.into_inner().lease;
    ensure!(again.as_ref() == Some(&lent), "the same request, the same answer");
    ensure!(deal.free_it_kw(0, "2028-03-01", "2028-04-01").await? == 5_000, "it is taken");
    let kinds = deal.runs_out().await?;
    ensure!(kinds == [DeadlineKind::Holdover, DeadlineKind::TermEnd], "{kinds:?}");
    let next = |from: &str| {
        let terms = market::terms_from(&deal.blocks[0], market::load(10_000), from);
        market::proposal(&deal.operator, &deal.tenant, "next", terms)
    };
    let sold = deal.sales.leases().propose_lease(next("2028-01-01")).await;
    Refusal::expect(sold)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    // From the day on which it is to be gone, another may have it; it may not stay longer then.
    deal.sales.leases().propose_lease(next("2028-04-01")).await.context("the next tenant")?;
    let longer = holds_over(&lease.name, "2028-05-01", "they are late");
    let refused = deal.admin.leases().begin_holdover(longer.clone()).await;
    Refusal::expect(refused)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    let dry = leasing::BeginHoldoverRequest { validate_only: true, request_id: request_id(), ..longer };
    Refusal::expect(deal.admin.leases().begin_holdover(dry).await)?
        .is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    let still = deal.lease(&lease.name).await?;
    ensure!(still.holdover == lent.holdover && still.blocks == lent.blocks, "{still:#?}");

    // 15,000 kW at 125, and from January on at 187.50.
    deal.stack.move_to(day("2028-01-02")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Holdover).await?;
    deal.bills(2027, 12, 187_500_000).await?;
    deal.bills(2028, 1, 281_250_000).await?;
    let away = deal.admin.leases().end_holdover(leaves(&lease.name, "2028-02-16")).await?.into_inner().lease;
    let away = away.and_then(|lease| lease.holdover).context("a holdover")?;
    ensure!(away.vacated && away.until_date == Some(date("2028-02-16")), "{away:#?}");
    ensure!(away.rate_percent == decimal("150"), "{away:#?}");
    eventually("what it leaves is free", async || {
        Ok((deal.free_it_kw(0, "2028-02-17", "2028-03-31").await? == 20_000).then_some(()))
    })
    .await?;
    // 15 of 29 days.
    deal.bills(2028, 2, 145_474_138).await?;
    deal.stack.move_to(day("2028-02-17")).await?;
    let over = in_state(&deal.sales, &lease.name, LeaseState::Expired).await?;
    let ask = leasing::GetHistoryRequest { name: over.name, ..Default::default() };
    let history = deal.tenants.leases().get_history(ask).await?.into_inner().happenings;
    let told: Vec<_> = history.iter().skip(5).map(|one| one.kind.as_str()).collect();
    let expected = ["lease.holdover_agreed", "lease.held_over", "lease.holdover_ended", "lease.expired"];
    ensure!(told == expected, "{told:?}");
    ensure!(deal.stack.database.oversold().await? == 0, "oversold");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_is_found_to_be_there_after_its_term_holds_over_from_its_end() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 20_000]).await?;
    let mut terms = a_year(&deal.blocks[0], 10_000);
    terms.holdover = Some(leasing::HoldoverTerms { rate_percent: decimal("200") });
    let lease = deal.agree("river", terms).await?;
    let other = deal.agree("other", a_year(&deal.blocks[1], 15_000)).await?;
    deal.agree("next", market::terms_from(&deal.blocks[1], market::load(10_000), "2028-01-01")).await?;
    deal.stack.move_to(day("2028-01-05")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Expired).await?;
    in_state(&deal.sales, &other.name, LeaseState::Expired).await?;
    let found = holds_over(&lease.name, "2028-02-01", "they are still there");
    let found = deal.admin.leases().begin_holdover(found).await.context("a holdover")?.into_inner().lease;
    ensure!(found.as_ref().map(leasing::Lease::state) == Some(LeaseState::Holdover), "{found:#?}");
    ensure!(deal.free_it_kw(0, "2028-01-06", "2028-02-01").await? == 10_000, "it is taken again");
    // Of the other hall somebody else has half: nobody can have it twice.
    let refused = deal.admin.leases().begin_holdover(holds_over(&other.name, "2028-02-01", "they too")).await;
    Refusal::expect(refused)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(deal.lease(&other.name).await?.state() == LeaseState::Expired, "it is what it was");
    // Twice 125 for it, and 125 for the next tenant of the other.
    deal.bills(2028, 1, 250_000_000 + 125_000_000).await?;
    deal.stack.move_to(day("2028-02-02")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Expired).await?;
    ensure!(deal.stack.database.oversold().await? == 0, "oversold");
    deal.stack.stop().await;
    Ok(())
}

/// A process dies at every step of taking the capacity for it.
#[tokio::test]
async fn a_process_dies_at_every_step_of_a_holdover() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, (node, failpoint)) in STEPS.into_iter().enumerate() {
        let id = format!("stays-{number}");
        let hall = field.ready_hall(&id, "2024-02-01", contracts::inventory::v1::DateBasis::Actual).await?;
        let lease = field.agree(&id, market::terms_from(&hall, market::load(1_000), "2024-03-01")).await?;
        let active =
            async || Ok((field.read(&lease.name).await?.state() == LeaseState::Active).then_some(()));
        eventually("it is active", active).await?;
        let ask = holds_over(&lease.name, "2035-01-01", "they are not done");
        let admin = field.cluster.clients(&field.operator, Role::OperatorAdmin)?;
        let once = {
            let (admin, ask) = (admin.clone(), ask.clone());
            async move { admin.leases().begin_holdover(ask).await }
        };
        field.cluster.die_at(node, failpoint, KILL, once).await?;
        field.cluster.start(node, "").await?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let call = async || admin.leases().begin_holdover(ask.clone()).await;
        let done = answered("the holdover", call).await.context(failpoint)?.lease.context("a lease")?;
        ensure!(done.blocks[0].end_date == Some(date("2035-01-01")), "{failpoint}: {done:#?}");
        field.takes(&done, "2024-03-01", "2035-01-01").await.with_context(|| failpoint.to_owned())?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
    }
    Ok(())
}
