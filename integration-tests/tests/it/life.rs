//! The life of an agreed lease over the wire: conditions, delivery early and late, default, the way out, history.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::world::{billable, in_state};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use leasing::{DeadlineKind, LeaseBlockState, LeaseState};
use tonic::Code;

/// One operator with halls, one tenant, and the people who act for them.
pub(crate) struct Deal {
    pub(crate) stack: TestStack,
    pub(crate) operator: String,
    pub(crate) blocks: Vec<String>,
    pub(crate) tenant: String,
    pub(crate) sales: Clients,
    pub(crate) admin: Clients,
    pub(crate) ops: Clients,
    pub(crate) finance: Clients,
    pub(crate) tenants: Clients,
}

impl Deal {
    pub(crate) async fn prepare(halls: &[i64]) -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let halls: Vec<_> = halls.iter().map(|kw| market::hall(*kw)).collect();
        let site = market::site(clients, "acme", &halls).await?;
        let tenant = market::tenant(clients, "lab").await?;
        stack.database.leasing_hears_of_phases().await?;
        Ok(Self {
            sales: stack.clients(&site.operator, Role::Sales)?,
            admin: stack.clients(&site.operator, Role::OperatorAdmin)?,
            ops: stack.clients(&site.operator, Role::SiteOps)?,
            finance: stack.clients(&site.operator, Role::Finance)?,
            tenants: stack.clients(&tenant, Role::Tenant)?,
            operator: site.operator,
            blocks: site.blocks,
            tenant,
            stack,
        })
    }

    pub(crate) async fn propose(&self, id: &str, terms: leasing::LeaseTerms) -> Result<leasing::Lease> {
        let proposal = market::proposal(&self.operator, &self.tenant, id, terms);
        let answer = self.sales.leases().propose_lease(proposal).await.context("propose")?;
        answer.into_inner().lease.context("a lease")
    }

    /// Proposed, and signed by both sides.
    pub(crate) async fn agree(&self, id: &str, terms: leasing::LeaseTerms) -> Result<leasing::Lease> {
        let lease = self.propose(id, terms).await?;
        self.tenants.leases().sign_lease(market::signature(&lease)).await.context("the tenant signs")?;
        let signed = self.admin.leases().sign_lease(market::signature(&lease)).await;
        signed.context("the operator signs")?.into_inner().lease.context("a lease")
    }

    pub(crate) async fn lease(&self, name: &str) -> Result<leasing::Lease> {
        let request = leasing::GetLeaseRequest { name: name.to_owned(), version: 0 };
        self.admin.leases().get_lease(request).await?.into_inner().lease.context("a lease")
    }

    pub(crate) async fn reservation(&self, name: &str) -> Result<inventory::Reservation> {
        let request = inventory::GetReservationRequest { name: name.to_owned(), ..Default::default() };
        let answer = self.sales.reservations().get_reservation(request).await?.into_inner();
        answer.reservation.context("a reservation")
    }

    /// IT load that is free in a hall during a month.
    pub(crate) async fn free_it_kw(&self, hall: usize, from: &str, until: &str) -> Result<i64> {
        let request = inventory::GetAvailabilityRequest {
            name: self.blocks[hall].clone(),
            start_date: Some(date(from)),
            end_date: Some(date(until)),
            ..Default::default()
        };
        let steps = self.sales.capacity().get_availability(request).await?.into_inner().steps;
        steps.iter().filter_map(|step| step.free).map(|free| free.critical_it_kw).min().context("no step")
    }

    /// Waits until a lease is as it should be.
    pub(crate) async fn until(
        &self,
        what: &str,
        name: &str,
        so: impl Fn(&leasing::Lease) -> bool,
    ) -> Result<leasing::Lease> {
        eventually(what, async || {
            let lease = self.lease(name).await?;
            Ok(so(&lease).then_some(lease))
        })
        .await
        .with_context(|| name.to_owned())
    }

    /// What runs out in the years to come, the earliest first.
    pub(crate) async fn runs_out(&self) -> Result<Vec<DeadlineKind>> {
        let parent = self.operator.clone();
        let ask = leasing::ListDeadlinesRequest { parent, within_days: 3_660, ..Default::default() };
        let page = self.tenants.leases().list_deadlines(ask).await?.into_inner();
        Ok(page.deadlines.iter().map(leasing::Deadline::kind).collect())
    }

    /// The phase of a hall is ready on another day, whoever that hurts.
    pub(crate) async fn slip(&self, hall: usize, to: &str) -> Result<()> {
        let slip = inventory::SlipPhaseRequest {
            name: format!("{}/phases/one", self.blocks[hall]),
            ready_for_service_date: Some(date(to)),
            date_basis: inventory::DateBasis::Forecast.into(),
            reason: "transformers".to_owned(),
            accept_shortfall: true,
            request_id: request_id(),
            ..Default::default()
        };
        self.ops.sites().slip_phase(slip).await.context("slip")?;
        Ok(())
    }

    /// The phase of a hall is ready for service since this day.
    pub(crate) async fn ready(&self, hall: usize, on: &str) -> Result<()> {
        for (state, day) in
            [(inventory::UseState::Commissioning, None), (inventory::UseState::Ready, Some(date(on)))]
        {
            let advance = inventory::AdvancePhaseRequest {
                name: format!("{}/phases/one", self.blocks[hall]),
                use_state: state.into(),
                date: day,
                accept_shortfall: true,
                request_id: request_id(),
                ..Default::default()
            };
            self.ops.sites().advance_phase(advance).await.with_context(|| format!("{state:?}"))?;
        }
        Ok(())
    }

    /// Waits until a run of this month would bill so much, for billing hears of a lease a moment after leasing; then bills.
    pub(crate) async fn bills(&self, year: i32, month: i32, minor: i64) -> Result<()> {
        let mut seen = 0;
        let run = async |validate_only| {
            let request = billing::StartBillingRunRequest {
                parent: self.operator.clone(),
                billing_month: Some(billing::BillingMonth { year, month }),
                request_id: request_id(),
                validate_only,
            };
            let run = self.finance.invoices().start_billing_run(request).await.context("bill")?.into_inner();
            let totals = run.invoices.iter().filter_map(|invoice| invoice.total.as_ref());
            let total = totals.map(|total| total.units * 100 + i64::from(total.nanos / 10_000_000));
            anyhow::Ok(total.sum::<i64>())
        };
        let same = eventually("billing would bill it", async || {
            seen = run(true).await?;
            Ok((seen == minor).then_some(()))
        });
        same.await.with_context(|| format!("{seen} and not {minor} in {year}-{month}"))?;
        let billed = run(false).await?;
        ensure!(billed == minor, "{billed} and not {minor} in {year}-{month}");
        Ok(())
    }
}

pub(crate) fn satisfied(name: &str, condition: &str) -> leasing::SatisfyConditionRequest {
    leasing::SatisfyConditionRequest {
        name: name.to_owned(),
        condition: condition.to_owned(),
        note: "the bank has signed".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub(crate) fn accepted(lease: &leasing::Lease, on: &str) -> leasing::AcceptBlockRequest {
    leasing::AcceptBlockRequest {
        name: lease.name.clone(),
        block: lease.blocks.first().map(|block| block.block.clone()).unwrap_or_default(),
        accept_date: Some(date(on)),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        ..Default::default()
    }
}

fn notice(name: &str, kind: leasing::NoticeKind) -> leasing::GiveNoticeRequest {
    leasing::GiveNoticeRequest {
        name: name.to_owned(),
        kind: kind.into(),
        note: "rent of March".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

fn end_it(name: &str, ground: leasing::TerminationGround, on: &str) -> leasing::TerminateLeaseRequest {
    leasing::TerminateLeaseRequest {
        name: name.to_owned(),
        ground: ground.into(),
        end_date: Some(date(on)),
        reason: "enough".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub(crate) fn condition(id: &str, outside: &str, party: leasing::ConditionParty) -> leasing::Condition {
    leasing::Condition {
        condition_id: id.to_owned(),
        description: "the loan is signed".to_owned(),
        outside_date: Some(date(outside)),
        satisfied_by: party.into(),
        block: String::new(),
    }
}

pub(crate) const DELIVERY: leasing::DeliveryTerms = leasing::DeliveryTerms {
    acceptance_days: 10,
    grace_days: 15,
    single_abatement_days: 30,
    outside_days: 120,
};

#[tokio::test]
async fn conditions_keep_a_signed_lease_out_of_force_until_each_side_has_said_its_own() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let conditions = vec![
        condition("loan", "2027-03-01", leasing::ConditionParty::Operator),
        condition("board", "2027-03-01", leasing::ConditionParty::Tenant),
    ];
    let terms = leasing::LeaseTerms {
        conditions,
        end_user: "Lab Two".to_owned(),
        guarantor: "Big Parent".to_owned(),
        ..market::terms(&deal.blocks[0], market::load(10_000))
    };
    let signed = deal.agree("river", terms.clone()).await?;
    ensure!(signed.state() == LeaseState::Signed && signed.effective_time.is_none(), "{signed:#?}");
    ensure!(signed.terms.as_ref().is_some_and(|terms| terms.guarantor == "Big Parent"), "{signed:#?}");
    ensure!(signed.signatures.iter().all(|one| one.peer_address == "127.0.0.1"), "{signed:#?}");
    let reservation = deal.reservation(&signed.reservation).await?;
    ensure!(reservation.state() == inventory::ReservationState::Committed, "{reservation:#?}");

    // Each side says its own, once; another's condition is not theirs to say.
    let foreign = deal.tenants.leases().satisfy_condition(satisfied(&signed.name, "loan")).await;
    let foreign = Refusal::expect(foreign)?.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(foreign.fields == ["condition"], "{foreign:#?}");
    let loan = satisfied(&signed.name, "loan");
    let first = deal.admin.leases().satisfy_condition(loan.clone()).await?.into_inner().lease;
    let first = first.context("a lease")?;
    ensure!(
        first.state() == LeaseState::Signed && first.conditions[0].satisfied_time.is_some(),
        "{first:#?}"
    );
    let again = deal.admin.leases().satisfy_condition(loan).await?;
    ensure!(again.metadata().get("idempotent-replayed").is_some(), "the same request, the same answer");
    ensure!(again.into_inner().lease.as_ref() == Some(&first), "another answer");
    let twice = deal.admin.leases().satisfy_condition(satisfied(&signed.name, "loan")).await;
    Refusal::expect(twice)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;

    // Past its first day and still not in force: nothing commences, nothing is billed.
    deal.stack.move_to(day("2027-01-10")).await?;
    let waiting = deal.lease(&signed.name).await?;
    ensure!(waiting.state() == LeaseState::Signed, "{waiting:#?}");
    ensure!(deal.runs_out().await? == [DeadlineKind::ConditionOutside], "one is open");
    let board = deal.tenants.leases().satisfy_condition(satisfied(&signed.name, "board")).await?;
    ensure!(board.into_inner().lease.context("a lease")?.state() == LeaseState::Effective, "not in force");
    let active = in_state(&deal.sales, &signed.name, LeaseState::Active).await?;
    ensure!(active.blocks[0].commencement_date == Some(date("2027-01-10")), "{active:#?}");
    ensure!(active.blocks[0].contract_commencement_date == Some(date("2027-01-01")), "{active:#?}");
    billable(&deal.finance, &deal.operator, 2027, 1).await?;
    // 10,000 kW at 125 for 22 of 31 days.
    deal.bills(2027, 1, 88_709_677).await.context("January from the tenth on")?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_condition_that_is_open_on_its_outside_date_lapses_the_lease_and_frees_the_hall() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let conditions = vec![condition("loan", "2027-03-01", leasing::ConditionParty::Operator)];
    let terms = leasing::LeaseTerms { conditions, ..market::terms(&deal.blocks[0], market::load(10_000)) };
    let signed = deal.agree("river", terms).await?;
    deal.stack.move_to(day("2027-03-01")).await?;
    let lapsed = in_state(&deal.sales, &signed.name, LeaseState::Lapsed).await?;
    ensure!(lapsed.state_reason == "CONDITION_OPEN", "{lapsed:#?}");
    ensure!(lapsed.blocks[0].state() == LeaseBlockState::Lapsed, "{lapsed:#?}");
    ensure!(deal.runs_out().await?.is_empty(), "nothing of a lapsed lease runs out");
    let late = deal.admin.leases().satisfy_condition(satisfied(&signed.name, "loan")).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    eventually("the hall is free again", async || {
        Ok((deal.free_it_kw(0, "2027-06-01", "2027-07-01").await? == 10_000).then_some(()))
    })
    .await?;
    let reservation = deal.reservation(&signed.reservation).await?;
    ensure!(reservation.state() == inventory::ReservationState::Released, "{reservation:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_hall_that_slips_moves_the_first_day_and_abates_rent_as_agreed() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let terms = leasing::LeaseTerms {
        delivery: Some(DELIVERY),
        ..market::terms(&deal.blocks[0], market::load(10_000))
    };
    let lease = deal.agree("river", terms).await?;
    deal.slip(0, "2027-03-02").await?;
    // 60 days late: 15 of grace, 30 at one day, 15 at two.
    let known = |lease: &leasing::Lease| {
        lease.blocks[0].days_late == 60 && lease.blocks[0].ready_forecast_date == Some(date("2027-03-02"))
    };
    let late = deal.until("the delay is known", &lease.name, known).await?;
    let block = &late.blocks[0];
    ensure!(block.abated_days == 60 && block.state() == LeaseBlockState::Planned, "{block:#?}");
    ensure!(block.commencement_date == Some(date("2027-03-02")), "{block:#?}");
    ensure!(block.end_date == Some(date("2037-01-01")), "co-terminous: {block:#?}");
    ensure!(block.outside_date == Some(date("2027-05-01")), "{block:#?}");
    ensure!(block.ready_baseline_date == Some(date("2027-01-01")), "{block:#?}");
    ensure!(block.ready_forecast_date == Some(date("2027-03-02")), "{block:#?}");
    ensure!(block.delayed_by.ends_with("/phases/one"), "{block:#?}");

    // Not ready: neither accepted nor deemed to be, however much time goes by, and not ended for it either.
    deal.stack.move_to(day("2027-03-02")).await?;
    let early = deal.tenants.leases().accept_block(accepted(&lease, "2027-03-02")).await;
    let early = Refusal::expect(early)?.is(Code::FailedPrecondition, "NOT_READY_FOR_SERVICE")?;
    ensure!(early.fact("forecastDate")? == "2027-03-02", "{early:#?}");
    let out = leasing::TerminationGround::OutsideDate;
    let not_yet = deal.tenants.leases().terminate_lease(end_it(&lease.name, out, "2027-06-01")).await;
    let not_yet = Refusal::expect(not_yet)?.is(Code::FailedPrecondition, "NO_RIGHT_TO_TERMINATE")?;
    ensure!(not_yet.fact("earliestDate")? == "2027-05-01", "{not_yet:#?}");

    // Ready on 2 March: deemed accepted ten days on. Rent runs 60 days after that.
    deal.ready(0, "2027-03-02").await?;
    let ready =
        deal.until("it is ready", &lease.name, |lease| lease.blocks[0].state() == LeaseBlockState::Ready);
    let ready = ready.await?;
    ensure!(ready.blocks[0].commencement_date == Some(date("2027-03-12")), "deemed acceptance: {ready:#?}");
    deal.stack.move_to(day("2027-03-11")).await?;
    ensure!(deal.lease(&lease.name).await?.state() == LeaseState::Effective, "a day too early");
    deal.stack.move_to(day("2027-03-12")).await?;
    let active = in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    ensure!(active.blocks[0].rent_commencement_date == Some(date("2027-05-11")), "{active:#?}");
    let schedule = leasing::GetRentScheduleRequest { name: lease.name.clone() };
    let schedule = deal.sales.leases().get_rent_schedule(schedule).await?.into_inner();
    ensure!(schedule.lines[0].period_start_date == Some(date("2027-05-11")), "{:#?}", schedule.lines[0]);
    ensure!(schedule.lines[10].period_start_date == Some(date("2028-03-01")), "{:#?}", schedule.lines[10]);
    ensure!(schedule.lines[11].period_start_date == Some(date("2028-03-12")), "the rate rises a year on");
    billable(&deal.finance, &deal.operator, 2027, 5).await?;
    deal.bills(2027, 3, 0).await.context("abated")?;
    // 10,000 kW at 125 for 21 of 31 days.
    deal.bills(2027, 5, 84_677_419).await.context("May from the eleventh on")?;
    agrees_with_billing(&deal, &lease.name, &schedule).await?;
    deal.stack.stop().await;
    Ok(())
}

/// What billing would still bill is the rest of leasing's schedule.
async fn agrees_with_billing(
    deal: &Deal,
    lease: &str,
    schedule: &leasing::GetRentScheduleResponse,
) -> Result<()> {
    let ask =
        billing::PreviewInvoicesRequest { lease: lease.to_owned(), through_date: None, until_end: true };
    let preview = deal.finance.invoices().preview_invoices(ask).await?.into_inner();
    let minor =
        |money: &contracts::google::r#type::Money| money.units * 100 + i64::from(money.nanos / 10_000_000);
    let left: i64 = schedule.lines.iter().skip(1).filter_map(|line| line.amount.as_ref()).map(minor).sum();
    ensure!(preview.total.as_ref().map(minor) == Some(left), "{:?} and not {left}", preview.total);
    Ok(())
}

#[tokio::test]
async fn a_delay_that_is_made_good_leaves_no_trace() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    deal.slip(0, "2027-02-01").await?;
    let late = deal.until("it is late", &lease.name, |lease| lease.blocks[0].days_late == 31).await?;
    ensure!(late.blocks[0].abated_days == 0, "nothing was agreed: {late:#?}");
    deal.slip(0, "2027-01-01").await?;
    let good = deal.until("it is in time", &lease.name, |lease| lease.blocks[0].days_late == 0).await?;
    ensure!(!good.blocks[0].moved && good.blocks[0].delayed_by.is_empty(), "{good:#?}");
    ensure!(good.value == lease.value, "{good:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_term_from_each_phase_goes_with_a_late_hall_as_far_as_the_next_tenant_lets_it() -> Result<()> {
    for next in [false, true] {
        let deal = Deal::prepare(&[10_000]).await?;
        let basis = leasing::TermBasis::FromEachPhase.into();
        let mut terms = market::terms(&deal.blocks[0], market::load(10_000));
        terms.term_basis = basis;
        terms.premises[0].end_date = Some(date("2032-01-01"));
        let lease = deal.agree("river", terms).await?;
        if next {
            let after = market::terms_from(&deal.blocks[0], market::load(1_000), "2032-01-01");
            deal.agree("next", after).await.context("the next tenant")?;
        }
        deal.slip(0, "2027-03-01").await?;
        deal.until("it is late", &lease.name, |lease| lease.blocks[0].days_late == 59).await?;
        deal.stack.move_to(day("2027-03-01")).await?;
        let end = date(if next { "2032-01-01" } else { "2032-03-01" });
        let settled = deal.until("the end is settled", &lease.name, |lease| {
            lease.state() == LeaseState::Active && lease.blocks[0].end_date == Some(end)
        });
        let settled = settled.await.with_context(|| format!("next tenant: {next}"))?;
        ensure!(settled.blocks[0].commencement_date == Some(date("2027-03-01")), "{settled:#?}");
        eventually("the reservation takes what the lease says", async || {
            let taken = deal.reservation(&lease.reservation).await?.claims;
            let profile = taken[0].profile.clone().context("a profile")?;
            let says = market::profile(
                market::load(10_000),
                "2027-03-01",
                if next { "2032-01-01" } else { "2032-03-01" },
            );
            Ok((profile == says).then_some(()))
        })
        .await?;
        deal.stack.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn an_early_hall_is_accepted_where_its_capacity_is_there_and_refused_where_it_is_not() -> Result<()> {
    let deal = Deal::prepare(&[10_000, 10_000]).await?;
    let from = |hall: usize| leasing::LeaseTerms {
        delivery: Some(DELIVERY),
        ..market::terms_from(&deal.blocks[hall], market::load(10_000), "2027-06-01")
    };
    let (free, taken) = (deal.agree("free", from(0)).await?, deal.agree("taken", from(1)).await?);
    // Somebody else has the second hall until June.
    let mut until_june = market::terms_from(&deal.blocks[1], market::load(4_000), "2027-01-01");
    until_june.premises[0].end_date = Some(date("2027-06-01"));
    deal.agree("before", until_june).await?;
    deal.stack.move_to(day("2027-02-03")).await?;
    for hall in [0, 1] {
        deal.ready(hall, "2027-02-01").await?;
    }
    for lease in [&free, &taken] {
        deal.until("it is ready", &lease.name, |lease| lease.blocks[0].state() == LeaseBlockState::Ready)
            .await?;
    }
    let refused = deal.tenants.leases().accept_block(accepted(&taken, "2027-02-02")).await;
    Refusal::expect(refused)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    let still = deal.lease(&taken.name).await?;
    ensure!(still.state() == LeaseState::Effective && still.blocks[0].accepted_date.is_none(), "{still:#?}");

    let request = accepted(&free, "2027-02-02");
    let done =
        deal.tenants.leases().accept_block(request.clone()).await?.into_inner().lease.context("a lease")?;
    let block = &done.blocks[0];
    ensure!(done.state() == LeaseState::Active && block.state() == LeaseBlockState::Commenced, "{done:#?}");
    ensure!(block.commencement_date == Some(date("2027-02-02")), "{block:#?}");
    ensure!(block.accepted_date == block.commencement_date && block.days_late == 0, "{block:#?}");
    ensure!(block.end_date == Some(date("2037-06-01")), "co-terminous: {block:#?}");
    let again = deal.tenants.leases().accept_block(request).await?;
    ensure!(again.metadata().get("idempotent-replayed").is_some(), "the same request, the same answer");
    ensure!(again.into_inner().lease.as_ref() == Some(&done), "another answer");
    ensure!(deal.free_it_kw(0, "2027-02-03", "2027-03-01").await? == 0, "the hall is taken from then on");
    billable(&deal.finance, &deal.operator, 2027, 2).await?;
    // 10,000 kW at 125 for 27 of 28 days, and the other tenant's 4,000 kW.
    deal.bills(2027, 2, 120_535_714 + 50_000_000).await.context("rent from the second on")?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_default_that_is_not_cured_ends_in_termination_and_one_that_is_does_not() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    use leasing::NoticeKind::{CloseOut, Cured, MonetaryDefault};
    deal.stack.move_to(day("2027-03-05")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    let noticed = deal.admin.leases().give_notice(notice(&lease.name, MonetaryDefault)).await?.into_inner();
    let noticed = noticed.lease.context("a lease")?;
    ensure!(noticed.state() == LeaseState::Active, "{noticed:#?}");
    ensure!(noticed.notices[0].cure_date == Some(date("2027-03-15")), "{noticed:#?}");
    ensure!(deal.runs_out().await? == [DeadlineKind::Cure, DeadlineKind::TermEnd], "one notice");
    deal.stack.move_to(day("2027-03-15")).await?;
    ensure!(deal.lease(&lease.name).await?.state() == LeaseState::Active, "it can be cured today");
    deal.stack.move_to(day("2027-03-16")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Defaulted).await?;
    deal.admin.leases().give_notice(notice(&lease.name, Cured)).await?;
    ensure!(deal.lease(&lease.name).await?.state() == LeaseState::Active, "cured");

    deal.admin.leases().give_notice(notice(&lease.name, MonetaryDefault)).await?;
    let ground = leasing::TerminationGround::Default;
    let early = deal.admin.leases().terminate_lease(end_it(&lease.name, ground, "2027-06-16")).await;
    let early = Refusal::expect(early)?.is(Code::FailedPrecondition, "NO_RIGHT_TO_TERMINATE")?;
    ensure!(early.fact("earliestDate")? == "2027-03-27", "{early:#?}");
    deal.stack.move_to(day("2027-04-01")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Defaulted).await?;
    let ended = deal.admin.leases().terminate_lease(end_it(&lease.name, ground, "2027-06-16")).await?;
    ensure!(
        ended.into_inner().lease.context("a lease")?.state() == LeaseState::Defaulted,
        "not before its day"
    );
    ensure!(deal.runs_out().await? == [DeadlineKind::Termination], "nothing runs out after it");
    ensure!(deal.free_it_kw(0, "2028-01-01", "2028-02-01").await? == 0, "nothing is free before it");
    deal.stack.move_to(day("2027-06-16")).await?;
    let over = in_state(&deal.sales, &lease.name, LeaseState::Terminated).await?;
    ensure!(over.blocks[0].end_date == Some(date("2027-06-16")), "{over:#?}");
    eventually("the hall is free again", async || {
        Ok((deal.free_it_kw(0, "2028-01-01", "2028-02-01").await? == 10_000).then_some(()))
    })
    .await?;
    billable(&deal.finance, &deal.operator, 2027, 6).await?;
    // 10,000 kW at 125 for 15 of 30 days, and nothing after that.
    deal.bills(2027, 6, 62_500_000).await.context("rent until the fifteenth")?;
    deal.bills(2027, 7, 0).await.context("nothing after its end")?;
    deal.admin.leases().give_notice(notice(&lease.name, CloseOut)).await?;
    let closed = deal.lease(&lease.name).await?;
    ensure!(closed.state() == LeaseState::Closed, "{closed:#?}");
    history_is_whole(&deal, &lease.name).await?;
    deal.stack.stop().await;
    Ok(())
}

async fn history_is_whole(deal: &Deal, lease: &str) -> Result<()> {
    let mut told = Vec::new();
    let mut page_token = String::new();
    loop {
        let ask = leasing::GetHistoryRequest { name: lease.to_owned(), page_size: 4, page_token };
        let page = deal.tenants.leases().get_history(ask).await?.into_inner();
        told.extend(page.happenings.into_iter().map(|one| (one.revision, one.kind, one.state)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let kinds: Vec<_> = told.iter().map(|(_, kind, _)| kind.trim_start_matches("lease.")).collect();
    let expected = [
        "proposed",
        "signed",
        "signed",
        "effective",
        "commenced",
        "notice_given",
        "defaulted",
        "cured",
        "notice_given",
        "defaulted",
        "termination_given",
        "terminated",
        "closed",
    ];
    ensure!(kinds == expected, "{kinds:?}");
    ensure!(told.windows(2).all(|two| two[0].0 < two[1].0), "{told:?}");
    ensure!(told.last().is_some_and(|(_, _, state)| state == "CLOSED"), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn a_tenant_leaves_for_delay_after_the_outside_date_and_for_a_fee_with_notice() -> Result<()> {
    let deal = Deal::prepare(&[10_000, 10_000]).await?;
    let late = leasing::LeaseTerms {
        delivery: Some(DELIVERY),
        ..market::terms(&deal.blocks[0], market::load(10_000))
    };
    let late = deal.agree("late", late).await?;
    let termination = Some(leasing::TerminationTerms { notice_months: 6, fee_months: 12 });
    let paid = leasing::LeaseTerms { termination, ..market::terms(&deal.blocks[1], market::load(10_000)) };
    let paid = deal.agree("paid", paid).await?;
    deal.slip(0, "2027-09-01").await?;
    deal.until("it is late", &late.name, |lease| lease.blocks[0].days_late == 243).await?;
    deal.stack.move_to(day("2027-05-01")).await?;
    in_state(&deal.sales, &paid.name, LeaseState::Active).await?;

    let (out, fee) = (leasing::TerminationGround::OutsideDate, leasing::TerminationGround::Fee);
    let ended =
        deal.tenants.leases().terminate_lease(end_it(&late.name, out, "2027-05-01")).await?.into_inner();
    let ended = ended.lease.and_then(|lease| lease.termination).context("a termination")?;
    ensure!(ended.refund && ended.fee.is_none(), "{ended:#?}");
    let over = in_state(&deal.sales, &late.name, LeaseState::Terminated).await?;
    ensure!(over.blocks[0].state() == LeaseBlockState::Lapsed, "{over:#?}");

    let soon = deal.tenants.leases().terminate_lease(end_it(&paid.name, fee, "2027-10-31")).await;
    let soon = Refusal::expect(soon)?.is(Code::FailedPrecondition, "NO_RIGHT_TO_TERMINATE")?;
    ensure!(soon.fact("earliestDate")? == "2027-11-01", "{soon:#?}");
    let ended =
        deal.tenants.leases().terminate_lease(end_it(&paid.name, fee, "2028-01-01")).await?.into_inner();
    let ended = ended.lease.and_then(|lease| lease.termination).context("a termination")?;
    // Twelve months of the second year: 10,000 kW at 128.75.
    ensure!(ended.fee.as_ref().is_some_and(|fee| fee.units == 15_450_000), "{ended:#?}");
    let ops = deal
        .ops
        .leases()
        .get_lease(leasing::GetLeaseRequest { name: paid.name.clone(), version: 0 })
        .await?
        .into_inner();
    let hidden = ops.lease.and_then(|lease| lease.termination).context("a termination")?;
    ensure!(hidden.fee.is_none(), "the site's staff see no money: {hidden:#?}");
    let twice = deal.tenants.leases().terminate_lease(end_it(&paid.name, fee, "2028-02-01")).await;
    Refusal::expect(twice)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    deal.stack.stop().await;
    Ok(())
}
