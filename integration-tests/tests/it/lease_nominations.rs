//! Capacity whose blocks are named later, over the wire: a right and no hold, placed in parts, lapsed after its last day. And blocks
//! that an amendment adds: held while it lies on the table.

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1 as common;
use contracts::google::r#type::Money;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::cluster::{INVENTORY, LEASING};
use integration_tests::market::{self, date, day, nominated, nomination, request_id};
use integration_tests::world::{billable, in_state};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::{DeadlineKind, LeaseBlockState, LeaseState, NominationState};
use tonic::Code;

use crate::lease_amendments::{amendment, signed};
use crate::life::Deal;
use crate::sagas::{Field, KILL, answered};

fn site(deal: &Deal) -> Result<String> {
    Ok(deal.blocks[0].split("/blocks/").next().context("a site")?.to_owned())
}

/// 4,000 kW from 2028 on, to be named until September 2027, and nothing else.
fn later(deal: &Deal) -> Result<leasing::LeaseTerms> {
    Ok(leasing::LeaseTerms {
        premises: Vec::new(),
        nominations: vec![nomination(&site(deal)?, "north", 4_000, "2028-01-01", "2027-09-30")],
        ..market::terms(&deal.blocks[0], market::load(4_000))
    })
}

fn minor(money: Option<&Money>) -> Result<i64> {
    let money = money.context("money")?;
    Ok(money.units * 100 + i64::from(money.nanos / 10_000_000))
}

/// Base term and what is not placed, to the cent, and their kW.
fn worth(lease: &leasing::Lease) -> Result<[i64; 4]> {
    let value = lease.value.as_ref().context("a value")?;
    Ok([
        minor(value.base_contract_value.as_ref())?,
        minor(value.unplaced_contract_value.as_ref())?,
        value.critical_it_kw,
        value.unplaced_critical_it_kw,
    ])
}

async fn name_blocks(deal: &Deal, ask: leasing::NominatePremisesRequest) -> Result<leasing::Lease> {
    let answer = deal.admin.leases().nominate_premises(ask).await.context("nominate")?;
    answer.into_inner().lease.context("a lease")
}

async fn not_named(
    deal: &Deal,
    ask: leasing::NominatePremisesRequest,
    reason: &'static str,
) -> Result<Refusal> {
    Refusal::expect(deal.admin.leases().nominate_premises(ask).await)?.is(Code::FailedPrecondition, reason)
}

fn where_it_stands(lease: &leasing::Lease) -> Vec<(NominationState, Option<i64>, usize)> {
    let left = |one: &common::CapacityVector| one.critical_it_kw;
    let stands = lease.nominations.iter();
    stands.map(|one| (one.state(), one.left.as_ref().map(left), one.placements.len())).collect()
}

/// Deadlines, the delivery and the order form tell of what is to be named.
async fn whoever_asks_is_told(deal: &Deal, lease: &leasing::Lease) -> Result<()> {
    let ask = leasing::ListDeadlinesRequest {
        parent: deal.operator.clone(),
        within_days: 400,
        kinds: vec![DeadlineKind::Nomination.into()],
        ..Default::default()
    };
    let told = deal.sales.leases().list_deadlines(ask).await?.into_inner().deadlines;
    ensure!(told.len() == 1 && told[0].date == Some(date("2027-09-30")), "{told:#?}");
    ensure!(told[0].critical_it_kw == 4_000 && told[0].consequence.contains("Nothing is held"), "{told:#?}");
    let ask = leasing::GetDeliveryStatusRequest { name: lease.name.clone() };
    let status = deal.sales.leases().get_delivery_status(ask).await?.into_inner();
    ensure!(status.next_action_owner() == leasing::ActionOwner::Operator, "{status:#?}");
    ensure!(status.next_action.contains("4000 kW by 2027-09-30"), "{status:#?}");
    for format in [common::DocumentFormat::Html, common::DocumentFormat::Pdf] {
        let ask = leasing::RenderLeaseRequest { name: lease.name.clone(), format: format.into() };
        deal.sales.leases().render_lease(ask).await.context("an order form")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_lease_of_nothing_but_a_right_is_signed_named_in_parts_and_billed() -> Result<()> {
    let deal = Deal::prepare(&[5_000, 5_000]).await?;
    let lease = deal.agree("river", later(&deal)?).await?;
    ensure!(lease.state() == LeaseState::Effective && lease.reservation.is_empty(), "{lease:#?}");
    ensure!(lease.blocks.is_empty() && lease.signatures.len() == 2, "{lease:#?}");
    let [base, unplaced, kw, unplaced_kw] = worth(&lease)?;
    ensure!((base, kw, unplaced_kw) == (0, 0, 4_000) && unplaced > 0, "{:?}", worth(&lease)?);
    ensure!(where_it_stands(&lease) == [(NominationState::Open, Some(4_000), 0)], "{lease:#?}");
    // It is a right and no hold, and says so.
    ensure!(deal.free_it_kw(0, "2028-06-01", "2028-07-01").await? == 5_000, "nothing is taken");
    whoever_asks_is_told(&deal, &lease).await?;

    // Another has some of the first hall: what is named must be free.
    let rival = market::terms_from(&deal.blocks[0], market::load(3_000), "2028-01-01");
    deal.agree("rival", rival).await?;
    let short =
        not_named(&deal, nominated(&lease.name, "north", &[(&deal.blocks[0], 2_500)]), "CAPACITY_EXHAUSTED")
            .await?;
    ensure!(short.fact("shortKw")? == "500" && short.fact("block")? == deal.blocks[0], "{short:#?}");
    ensure!(deal.lease(&lease.name).await? == lease, "a refusal changes nothing");

    let ask = nominated(&lease.name, "north", &[(&deal.blocks[0], 1_500)]);
    let check = leasing::NominatePremisesRequest { validate_only: true, ..ask.clone() };
    name_blocks(&deal, check).await.context("a check")?;
    ensure!(deal.free_it_kw(0, "2028-06-01", "2028-07-01").await? == 2_000, "a check takes nothing");
    let part = name_blocks(&deal, ask.clone()).await?;
    ensure!(name_blocks(&deal, ask).await? == part, "the same request, the same answer");
    ensure!(part.version == 2 && part.state() == LeaseState::Effective, "{part:#?}");
    ensure!(where_it_stands(&part) == [(NominationState::Open, Some(2_500), 1)], "{part:#?}");
    ensure!(
        part.signatures.len() == 1 && part.signatures[0].party() == leasing::Party::Operator,
        "{part:#?}"
    );
    ensure!(deal.free_it_kw(0, "2028-06-01", "2028-07-01").await? == 500, "it is taken");
    let more =
        not_named(&deal, nominated(&lease.name, "north", &[(&deal.blocks[1], 2_501)]), "NOMINATION_EXCEEDED")
            .await?;
    ensure!((more.fact("requestedKw")?, more.fact("leftKw")?) == ("2501", "2500"), "{more:#?}");
    deal.stack.move_to(day("2027-09-30")).await?;
    let whole = name_blocks(&deal, nominated(&lease.name, "north", &[(&deal.blocks[1], 2_500)])).await?;
    ensure!(
        whole.version == 3 && where_it_stands(&whole) == [(NominationState::Placed, None, 2)],
        "{whole:#?}"
    );
    let [base, nothing, kw, none] = worth(&whole)?;
    ensure!((nothing, kw, none) == (0, 4_000, 0), "{:?} of {unplaced}", worth(&whole)?);
    // Two blocks round each month twice.
    ensure!((base - unplaced).abs() <= 120, "{base} and not {unplaced}");
    ensure!(deal.reservation(&whole.reservation).await?.claims.len() == 2, "one reservation takes both");
    let ask = leasing::GetLeaseRequest { name: lease.name.clone(), version: 1 };
    let first = deal.tenants.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
    ensure!(
        first.signatures.len() == 2 && first.terms == lease.terms,
        "both have signed the right: {first:#?}"
    );

    // January 2028: 4,000 kW at 125, and the rival's 3,000.
    deal.stack.move_to(day("2028-01-05")).await?;
    deal.until("it commences", &lease.name, |now| {
        now.blocks.len() == 2 && now.blocks.iter().all(|one| one.state() == LeaseBlockState::Commenced)
    })
    .await?;
    billable(&deal.finance, &deal.operator, 2028, 1).await?;
    deal.bills(2028, 1, 7_000 * 12_500).await?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_not_named_in_time_lapses() -> Result<()> {
    let deal = Deal::prepare(&[5_000]).await?;
    let lease = deal.agree("river", later(&deal)?).await?;
    let both = leasing::LeaseTerms {
        premises: market::terms(&deal.blocks[0], market::load(1_000)).premises,
        ..later(&deal)?
    };
    let both = deal.agree("both", both).await?;
    ensure!(both.blocks.len() == 1 && !both.reservation.is_empty(), "{both:#?}");
    let unsigned = deal.propose("unsigned", later(&deal)?).await?;
    deal.stack.move_to(day("2027-10-02")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Terminated).await?;
    let both = deal
        .until("it lapses", &both.name, |now| where_it_stands(now) == [(NominationState::Lapsed, None, 0)])
        .await?;
    ensure!(both.state() == LeaseState::Active && worth(&both)?[1] == 0, "{both:#?}");
    let late =
        not_named(&deal, nominated(&both.name, "north", &[(&deal.blocks[0], 10)]), "NOMINATION_CLOSED")
            .await?;
    ensure!(late.fact("lastDate")? == "2027-09-30", "{late:#?}");
    let nothing = deal.tenants.leases().sign_lease(market::signature(&unsigned)).await;
    Refusal::expect(nothing)?.is(Code::FailedPrecondition, "NOMINATION_CLOSED")?;
    let told: Vec<String> = history(&deal, &lease.name).await?;
    ensure!(told.last().map(String::as_str) == Some("lease.terminated"), "{told:?}");
    let told: Vec<String> = history(&deal, &both.name).await?;
    ensure!(told.contains(&"lease.nomination_lapsed".to_owned()), "{told:?}");
    deal.stack.stop().await;
    Ok(())
}

async fn history(deal: &Deal, name: &str) -> Result<Vec<String>> {
    let ask = leasing::GetHistoryRequest { name: name.to_owned(), ..Default::default() };
    let told = deal.sales.leases().get_history(ask).await?.into_inner().happenings;
    Ok(told.into_iter().map(|one| one.kind).collect())
}

#[tokio::test]
async fn a_contract_without_blocks_is_brought_in() -> Result<()> {
    let deal = Deal::prepare(&[5_000]).await?;
    let ask = market::running(&deal.operator, &deal.tenant, "running", later(&deal)?, "2028-01-01");
    let import = async |ask: leasing::ImportLeaseRequest| {
        deal.admin.leases().import_lease(ask).await.context("import")?.into_inner().lease.context("a lease")
    };
    let dry = import(leasing::ImportLeaseRequest { validate_only: true, ..ask.clone() }).await?;
    ensure!(dry.state() == LeaseState::Effective, "{dry:#?}");
    let lease = import(ask.clone()).await?;
    ensure!(lease.state() == LeaseState::Effective && lease.reservation.is_empty(), "{lease:#?}");
    ensure!(import(ask).await? == lease, "the same request, the same answer");
    let placed = name_blocks(&deal, nominated(&lease.name, "north", &[(&deal.blocks[0], 4_000)])).await?;
    ensure!(!placed.reservation.is_empty() && placed.blocks.len() == 1, "{placed:#?}");
    deal.stack.move_to(day("2028-01-05")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    deal.bills(2028, 1, 4_000 * 12_500).await?;
    deal.stack.stop().await;
    Ok(())
}

/// The terms in force, and 2,000 kW of the second hall from a day on.
fn with_second_hall(deal: &Deal, from: &str) -> leasing::LeaseTerms {
    let mut terms = market::terms(&deal.blocks[0], market::load(10_000));
    let mut more = market::terms_from(&deal.blocks[1], market::load(2_000), from).premises.remove(0);
    more.end_date = Some(date("2037-01-01"));
    terms.premises.push(more);
    terms
}

#[tokio::test]
async fn a_block_that_an_amendment_adds_is_held_on_the_table_and_billed_from_its_day() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 2_500]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    deal.stack.move_to(day("2027-02-05")).await?;
    let lease = in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    let propose = async |from: &str| -> Result<leasing::Lease> {
        let ask = amendment(&lease, "2027-06-01", with_second_hall(&deal, from));
        let answer = deal.sales.leases().propose_amendment(ask).await.context("propose")?;
        answer.into_inner().lease.context("a lease")
    };
    let free = async || deal.free_it_kw(1, "2028-06-01", "2028-07-01").await;
    let open = propose("2027-07-15").await?;
    ensure!(open.version == 1 && open.blocks.len() == 1 && open.value == lease.value, "{open:#?}");
    ensure!(free().await? == 500, "it is held");
    // Withdrawn, it is given back.
    let ask = leasing::WithdrawAmendmentRequest {
        name: lease.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    deal.tenants.leases().withdraw_amendment(ask).await.context("withdraw")?;
    eventually("it is given back", async || Ok((free().await? == 2_500).then_some(()))).await?;
    // What another has cannot be proposed.
    let rival = market::terms_from(&deal.blocks[1], market::load(1_000), "2027-03-01");
    let rival = deal.propose("rival", rival).await?;
    let short = amendment(&lease, "2027-06-01", with_second_hall(&deal, "2027-07-15"));
    let short = deal.sales.leases().propose_amendment(short).await;
    Refusal::expect(short)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(deal.lease(&lease.name).await?.amendment.is_none(), "nothing is on the table");
    let call_off = leasing::CancelLeaseRequest {
        name: rival.name.clone(),
        reason: "no".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    deal.sales.leases().cancel_lease(call_off).await.context("cancel")?;
    eventually("it is free", async || Ok((free().await? == 2_500).then_some(()))).await?;

    let open = propose("2027-07-15").await?;
    deal.tenants.leases().sign_amendment(signed(&open)).await.context("the tenant signs")?;
    let agreed = deal.admin.leases().sign_amendment(signed(&open)).await.context("the operator signs")?;
    let agreed = agreed.into_inner().lease.context("a lease")?;
    ensure!(agreed.version == 2 && agreed.blocks.len() == 2, "{agreed:#?}");
    ensure!(free().await? == 500, "it is taken");
    deal.stack.move_to(day("2027-08-02")).await?;
    deal.until("it commences", &lease.name, |now| {
        now.blocks.iter().all(|one| one.state() == LeaseBlockState::Commenced)
    })
    .await?;
    billable(&deal.finance, &deal.operator, 2027, 8).await?;
    // June has the first hall alone; July 17 days of the second; August all of both.
    deal.bills(2027, 6, 125_000_000).await?;
    deal.bills(2027, 7, 125_000_000 + 2_000 * 12_500 * 17 / 31).await?;
    deal.bills(2027, 8, 125_000_000 + 2_000 * 12_500).await?;
    deal.stack.stop().await;
    Ok(())
}

impl Field {
    async fn nominate(&self, ask: &leasing::NominatePremisesRequest) -> Result<leasing::Lease> {
        let admin = self.cluster.clients(&self.operator, Role::OperatorAdmin)?;
        let call = async || admin.leases().nominate_premises(ask.clone()).await;
        answered("the nomination", call).await?.lease.context("a lease")
    }

    /// Sends it once, whatever becomes of it.
    fn nominate_once(&self, ask: leasing::NominatePremisesRequest) -> Result<impl Future + use<>> {
        let admin = self.cluster.clients(&self.operator, Role::OperatorAdmin)?;
        Ok(async move { admin.leases().nominate_premises(ask).await })
    }
}

#[tokio::test]
async fn a_process_dies_at_every_step_of_a_first_nomination() -> Result<()> {
    let mut field = Field::prepare().await?;
    let steps = [
        (LEASING, "leasing.change.before_intent"),
        (LEASING, "leasing.change.after_intent"),
        (INVENTORY, "inventory.book.before"),
        (INVENTORY, "inventory.book.after"),
        (LEASING, "leasing.change.after_hold"),
        (INVENTORY, "inventory.move.before"),
        (INVENTORY, "inventory.move.after"),
        (LEASING, "leasing.change.after_amend"),
        (LEASING, "leasing.change.after_record"),
    ];
    let site = field.block.split("/blocks/").next().context("a site")?.to_owned();
    for (number, (node, failpoint)) in steps.into_iter().enumerate() {
        let id = format!("later-{number}");
        let hall = field.ready_hall(&id, "2024-02-01", contracts::inventory::v1::DateBasis::Actual).await?;
        let terms = leasing::LeaseTerms {
            premises: Vec::new(),
            nominations: vec![nomination(&site, "north", 1_000, "2030-06-01", "2030-05-01")],
            ..market::terms_from(&hall, market::load(1_000), "2030-06-01")
        };
        let lease = field.agree(&id, terms).await?;
        ensure!(lease.state() == LeaseState::Effective && lease.reservation.is_empty(), "{lease:#?}");
        let ask = nominated(&lease.name, "north", &[(&hall, 1_000)]);
        let deed = field.nominate_once(ask.clone())?;
        field.cluster.die_at(node, failpoint, KILL, deed).await?;
        field.cluster.start(node, "").await?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let done = field.nominate(&ask).await.with_context(|| failpoint.to_owned())?;
        ensure!(done.version == 2 && done.blocks.len() == 1, "{failpoint}: {done:#?}");
        field.takes(&done, "2030-06-01", "2040-06-01").await.with_context(|| failpoint.to_owned())?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        ensure!(field.nominate(&ask).await? == done, "{failpoint}: another answer");
    }
    Ok(())
}

#[tokio::test]
async fn a_nomination_that_cannot_be_recorded_ends_and_gives_back_what_it_took() -> Result<()> {
    let deal = Deal::prepare(&[7_000, 5_000]).await?;
    // A second phase of the first hall was promised for the middle of 2027, and is two years late.
    let phase = inventory::CreatePhaseRequest {
        parent: deal.blocks[0].clone(),
        phase_id: "two".to_owned(),
        phase: Some(market::phase(market::hall(1_000), "2027-06-01")),
        request_id: request_id(),
        validate_only: false,
    };
    let phase = deal.ops.sites().create_phase(phase).await?.into_inner().phase.context("a phase")?;
    // A lease whose rate doubles every year has none if it begins and ends so much later: it keeps its days, and no news of another
    // lease waits for it.
    let mut doubling = market::terms_from(&deal.blocks[0], market::load(2_000), "2028-01-01");
    doubling.premises[0].base_rate_per_kw_month = market::decimal("2200000000");
    doubling.escalator = Some(leasing::Escalator {
        percent: market::decimal("100"),
        basis: leasing::EscalationBasis::FixedDate.into(),
        fixed_date: Some(date("2028-06-01")),
    });
    doubling.term_basis = leasing::TermBasis::FromEachPhase.into();
    doubling.delivery = Some(leasing::DeliveryTerms { acceptance_days: 5, ..Default::default() });
    let doubling = deal.agree("doubling", doubling).await?;
    let slip = inventory::SlipPhaseRequest {
        name: phase.name,
        ready_for_service_date: Some(date("2029-06-01")),
        date_basis: inventory::DateBasis::Forecast.into(),
        reason: "transformers".to_owned(),
        accept_shortfall: true,
        request_id: request_id(),
        ..Default::default()
    };
    deal.ops.sites().slip_phase(slip).await.context("slip")?;
    // Who leases some of the hall is told that it comes late.
    let mut known = market::terms_from(&deal.blocks[0], market::load(1_000), "2028-01-01");
    known.delivery = Some(leasing::DeliveryTerms { acceptance_days: 5, ..Default::default() });
    let known = deal.agree("known", known).await?;
    let late = |lease: &leasing::Lease| lease.blocks[0].commencement_date == Some(date("2029-06-01"));
    deal.until("leasing knows of the phase", &known.name, late).await?;

    // The rate doubles every year, so that a term which ends a year later has none that can be written.
    let mut terms = later(&deal)?;
    terms.nominations[0].base_rate_per_kw_month = market::decimal("1100000000");
    terms.escalator = Some(leasing::Escalator {
        percent: market::decimal("100"),
        basis: leasing::EscalationBasis::FixedDate.into(),
        fixed_date: Some(date("2028-06-01")),
    });
    terms.term_basis = leasing::TermBasis::FromEachPhase.into();
    terms.delivery = Some(leasing::DeliveryTerms { acceptance_days: 5, ..Default::default() });
    let lease = deal.agree("river", terms).await?;
    // Inventory has the kilowatts; what is known of the hall's phases makes it a lease whose rent nobody can compute.
    let ask = nominated(&lease.name, "north", &[(&deal.blocks[0], 2_000)]);
    for _ in 0..2 {
        let refusal = Refusal::expect(deal.admin.leases().nominate_premises(ask.clone()).await)?;
        ensure!(refusal.reason == "TERM_OUT_OF_RANGE", "{refusal:#?}");
    }
    eventually("what it took is given back", async || {
        let free = deal.free_it_kw(0, "2028-06-01", "2028-07-01").await?;
        Ok((free == 4_000).then_some(()))
    })
    .await?;
    let stands = deal.lease(&lease.name).await?;
    ensure!(stands.version == 1 && stands.reservation.is_empty(), "{stands:#?}");
    let kept = deal.lease(&doubling.name).await?;
    ensure!(kept.blocks[0].commencement_date == Some(date("2028-01-01")), "{kept:#?}");
    // It waits for nothing: another hall is named instead.
    let other = name_blocks(&deal, nominated(&lease.name, "north", &[(&deal.blocks[1], 2_000)])).await?;
    ensure!(other.version == 2 && !other.reservation.is_empty(), "{other:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn who_leaves_for_a_fee_pays_for_what_has_no_block_yet() -> Result<()> {
    let deal = Deal::prepare(&[5_000]).await?;
    let mut terms = later(&deal)?;
    terms.termination = Some(leasing::TerminationTerms { notice_months: 1, fee_months: 12 });
    let lease = deal.agree("river", terms).await?;
    let leave = leasing::TerminateLeaseRequest {
        name: lease.name.clone(),
        ground: leasing::TerminationGround::Fee.into(),
        end_date: Some(date("2027-06-01")),
        reason: "we build our own".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let given = deal.tenants.leases().terminate_lease(leave).await?.into_inner().lease.context("a lease")?;
    // Of the twelve months five have rent: 4,000 kW at 125.
    let fee = given.termination.and_then(|end| end.fee);
    ensure!(minor(fee.as_ref())? == 5 * 50_000_000, "{fee:#?}");
    deal.stack.stop().await;
    Ok(())
}
