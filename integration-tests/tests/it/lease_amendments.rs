//! Amendments of agreed leases over the wire: what is billed before their day stays, what is billed after it follows.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, decimal, request_id};
use integration_tests::world::{billable, in_state};
use integration_tests::{Refusal, eventually};
use leasing::{DeadlineKind, LeaseState};
use tonic::Code;

use crate::life::Deal;

pub(crate) fn amendment(
    lease: &leasing::Lease,
    effective: &str,
    terms: leasing::LeaseTerms,
) -> leasing::ProposeAmendmentRequest {
    leasing::ProposeAmendmentRequest {
        name: lease.name.clone(),
        terms: Some(terms),
        effective_date: Some(date(effective)),
        note: "they need more".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub(crate) fn signed(lease: &leasing::Lease) -> leasing::SignAmendmentRequest {
    let hash = lease.amendment.as_ref().map(|one| one.terms_hash.clone());
    leasing::SignAmendmentRequest {
        name: lease.name.clone(),
        terms_hash: hash.unwrap_or_default(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        ..Default::default()
    }
}

async fn propose(by: &Clients, ask: leasing::ProposeAmendmentRequest) -> Result<leasing::Lease> {
    by.leases().propose_amendment(ask).await.context("propose")?.into_inner().lease.context("a lease")
}

/// Half as much again from a day on, for five years more, at another rate.
fn more(block: &str, from: &str, kw: i64) -> leasing::LeaseTerms {
    let mut terms = market::terms(block, market::load(10_000));
    let premises = &mut terms.premises[0];
    premises
        .quantity_steps
        .push(leasing::QuantityStep { from_date: Some(date(from)), capacity: Some(market::load(kw)) });
    premises.base_rate_per_kw_month = decimal("130");
    premises.end_date = Some(date("2042-01-01"));
    terms.term_months = 180;
    terms
}

async fn invoices(deal: &Deal) -> Result<Vec<billing::Invoice>> {
    let parent = deal.operator.clone();
    let ask = billing::ListInvoicesRequest { parent, ..Default::default() };
    Ok(deal.finance.invoices().list_invoices(ask).await?.into_inner().invoices)
}

#[tokio::test]
async fn an_amendment_counts_from_its_day_on_and_what_was_billed_stays() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    deal.stack.move_to(day("2027-12-05")).await?;
    let lease = in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    billable(&deal.finance, &deal.operator, 2027, 12).await?;
    deal.bills(2027, 12, 125_000_000).await?;
    let december = invoices(&deal).await?;

    // Whoever asks first is told what is missing.
    let too_much = more(&deal.blocks[0], "2028-01-01", 25_000);
    let ask =
        leasing::ProposeAmendmentRequest { validate_only: true, ..amendment(&lease, "2028-01-01", too_much) };
    let missing = deal.sales.leases().propose_amendment(ask).await;
    let missing = Refusal::expect(missing)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(missing.fact("shortKw")? == "5000", "{missing:#?}");

    let wanted = more(&deal.blocks[0], "2028-01-01", 15_000);
    let proposed = propose(&deal.sales, amendment(&lease, "2028-01-01", wanted.clone())).await?;
    let open = proposed.amendment.clone().context("an amendment")?;
    let says = |terms: &Option<leasing::LeaseTerms>| terms.as_ref().map(|terms| terms.premises.clone());
    ensure!(open.version == 2 && says(&open.terms) == Some(wanted.premises.clone()), "{open:#?}");
    ensure!(open.effective_date == Some(date("2028-01-01")) && open.signatures.is_empty(), "{open:#?}");
    let unchanged = |now: &leasing::Lease| {
        (now.version, &now.terms, &now.blocks, &now.signatures, &now.value)
            == (1, &lease.terms, &lease.blocks, &lease.signatures, &lease.value)
    };
    ensure!(unchanged(&proposed), "{proposed:#?}");
    ensure!(deal.runs_out().await?.first() == Some(&DeadlineKind::Amendment), "it runs out");
    let ask = leasing::GetLeaseRequest { name: lease.name.clone(), version: 0 };
    let seen = deal.ops.leases().get_lease(ask).await?.into_inner().lease;
    let seen = seen.and_then(|lease| lease.amendment).context("an amendment")?;
    let rate = seen.terms.as_ref().and_then(|terms| terms.premises[0].base_rate_per_kw_month.clone());
    ensure!(rate.is_none() && seen.note.is_empty(), "the site's staff see no money: {seen:#?}");

    // The hash of what is in force is not the hash of what is proposed.
    let old = leasing::SignAmendmentRequest { terms_hash: lease.terms_hash.clone(), ..signed(&proposed) };
    let old = deal.tenants.leases().sign_amendment(old).await;
    Refusal::expect(old)?.is(Code::FailedPrecondition, "TERMS_HASH_MISMATCH")?;
    let first = deal.tenants.leases().sign_amendment(signed(&proposed)).await?.into_inner();
    let first = first.lease.context("a lease")?;
    ensure!(unchanged(&first), "one signature changes nothing: {first:#?}");
    ensure!(deal.free_it_kw(0, "2028-02-01", "2028-03-01").await? == 10_000, "nothing is taken for it");
    let twice = deal.tenants.leases().sign_amendment(signed(&proposed)).await;
    Refusal::expect(twice)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;

    let last = signed(&first);
    let amended = deal.admin.leases().sign_amendment(last.clone()).await?.into_inner();
    let amended = amended.lease.context("a lease")?;
    ensure!(amended.version == 2 && amended.amendment.is_none(), "{amended:#?}");
    ensure!(amended.terms == open.terms && amended.terms_hash == open.terms_hash, "{amended:#?}");
    let both = amended.signatures.iter().all(|one| one.terms_hash == open.terms_hash);
    ensure!(both && amended.signatures.len() == 2, "{amended:#?}");
    ensure!(amended.signatures.iter().all(|one| one.peer_address == "127.0.0.1"), "{amended:#?}");
    ensure!(amended.state() == LeaseState::Active && amended.blocks[0].moved, "{amended:#?}");
    ensure!(amended.blocks[0].end_date == Some(date("2042-01-01")), "{amended:#?}");
    let again = deal.admin.leases().sign_amendment(last).await?;
    ensure!(again.metadata().get("idempotent-replayed").is_some(), "the same request, the same answer");
    ensure!(again.into_inner().lease.as_ref() == Some(&amended), "another answer");
    ensure!(deal.free_it_kw(0, "2027-12-10", "2027-12-31").await? == 10_000, "December is as it was");
    ensure!(deal.free_it_kw(0, "2041-12-01", "2041-12-31").await? == 5_000, "taken to the new end");

    // January: 15,000 kW at 130, a year on. December is neither billed again nor changed.
    deal.bills(2028, 1, 200_850_000).await?;
    deal.bills(2027, 12, 0).await?;
    for invoice in &december {
        ensure!(invoices(&deal).await?.contains(invoice), "{invoice:#?} was changed");
    }
    let ask = leasing::GetRentScheduleRequest { name: lease.name.clone() };
    let schedule = deal.sales.leases().get_rent_schedule(ask).await?.into_inner();
    let lines: Vec<_> = schedule.lines[10..13].iter().map(|line| line.critical_it_kw).collect();
    ensure!(schedule.lease_version == 2 && lines == [10_000, 10_000, 15_000], "{lines:?}");
    ensure!(schedule.lines.len() == 180, "{} lines", schedule.lines.len());
    earlier_versions_are_told(&deal, &lease).await?;
    deal.stack.stop().await;
    Ok(())
}

async fn earlier_versions_are_told(deal: &Deal, before: &leasing::Lease) -> Result<()> {
    let read = |version| leasing::GetLeaseRequest { name: before.name.clone(), version };
    let first = deal.tenants.leases().get_lease(read(1)).await?.into_inner().lease.context("a lease")?;
    let told = (&first.terms, &first.terms_hash, &first.signatures, &first.blocks);
    ensure!(told == (&before.terms, &before.terms_hash, &before.signatures, &before.blocks), "{first:#?}");
    let third = deal.tenants.leases().get_lease(read(3)).await;
    Refusal::expect(third)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let ask = leasing::GetHistoryRequest { name: before.name.clone(), ..Default::default() };
    let history = deal.tenants.leases().get_history(ask).await?.into_inner().happenings;
    let told: Vec<_> = history.iter().rev().take(4).map(|one| (one.kind.as_str(), one.version)).collect();
    let expected = [
        ("lease.amended", 2),
        ("lease.amendment_signed", 1),
        ("lease.amendment_proposed", 1),
        ("lease.commenced", 1),
    ];
    ensure!(told == expected, "{told:?}");
    Ok(())
}

#[tokio::test]
async fn an_amendment_that_cannot_be_had_or_is_not_signed_in_time_leaves_no_trace() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    deal.stack.move_to(day("2027-02-05")).await?;
    let lease = in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    let unchanged = |now: &leasing::Lease| {
        (now.version, &now.terms, &now.terms_hash, &now.blocks, &now.value)
            == (1, &lease.terms, &lease.terms_hash, &lease.blocks, &lease.value)
    };

    // Taken back by the other side, and proposed anew.
    let wanted = || more(&deal.blocks[0], "2027-04-01", 15_000);
    propose(&deal.sales, amendment(&lease, "2027-04-01", wanted())).await?;
    let second = deal.tenants.leases().propose_amendment(amendment(&lease, "2027-04-01", wanted())).await;
    Refusal::expect(second)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let withdrawal = leasing::WithdrawAmendmentRequest {
        name: lease.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let withdrawn = deal.tenants.leases().withdraw_amendment(withdrawal).await?.into_inner();
    let withdrawn = withdrawn.lease.context("a lease")?;
    ensure!(withdrawn.amendment.is_none() && unchanged(&withdrawn), "{withdrawn:#?}");

    // Another tenant is faster: the last signature is refused, and none of it is taken.
    let proposed = propose(&deal.tenants, amendment(&lease, "2027-04-01", wanted())).await?;
    deal.tenants.leases().sign_amendment(signed(&proposed)).await?;
    deal.agree("faster", market::terms_from(&deal.blocks[0], market::load(8_000), "2027-06-01")).await?;
    let refused = deal.admin.leases().sign_amendment(signed(&proposed)).await;
    let refused = Refusal::expect(refused)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(refused.fact("shortKw")? == "3000", "{refused:#?}");
    let still = deal.lease(&lease.name).await?;
    ensure!(unchanged(&still), "{still:#?}");
    ensure!(still.amendment.is_some_and(|one| one.signatures.len() == 1), "the first signature stands");
    ensure!(deal.free_it_kw(0, "2027-07-01", "2027-08-01").await? == 2_000, "nothing was taken");

    // On its day it is gone.
    deal.stack.move_to(day("2027-04-01")).await?;
    let gone = deal.until("it expires", &lease.name, |now| now.amendment.is_none()).await?;
    ensure!(unchanged(&gone), "{gone:#?}");
    let late = deal.admin.leases().sign_amendment(signed(&proposed)).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    eventually("the reservation is what it was", async || {
        let taken = deal.reservation(&lease.reservation).await?.claims[0].profile.clone();
        let says = market::profile(market::load(10_000), "2027-01-01", "2037-01-01");
        Ok((taken == Some(says)).then_some(()))
    })
    .await?;
    deal.stack.stop().await;
    Ok(())
}
