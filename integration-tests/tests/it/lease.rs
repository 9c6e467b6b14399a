//! From a proposal to the rent of the whole term, over the wire.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1::Event;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::world::{billable, in_state, known_to_billing, sign};
use integration_tests::{Refusal, TestStack, eventually, feed};
use kernel::Role;
use leasing::LeaseState;
use prost::Message as _;
use tonic::Code;

/// One operator with halls, one tenant, and the people who act for them.
struct Deal {
    stack: TestStack,
    operator: String,
    blocks: Vec<String>,
    tenant: String,
    sales: Clients,
    admin: Clients,
    finance: Clients,
    tenants: Clients,
}

impl Deal {
    async fn prepare(halls: &[i64]) -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let halls: Vec<_> = halls.iter().map(|kw| market::hall(*kw)).collect();
        let site = market::site(clients, "acme", &halls).await?;
        let tenant = market::tenant(clients, "lab").await?;
        stack.database.leasing_hears_of_phases().await?;
        Ok(Self {
            sales: stack.clients(&site.operator, Role::Sales)?,
            admin: stack.clients(&site.operator, Role::OperatorAdmin)?,
            finance: stack.clients(&site.operator, Role::Finance)?,
            tenants: stack.clients(&tenant, Role::Tenant)?,
            operator: site.operator,
            blocks: site.blocks,
            tenant,
            stack,
        })
    }

    fn proposal(&self, id: &str, hall: usize, kw: i64) -> leasing::ProposeLeaseRequest {
        let terms = market::terms(&self.blocks[hall], market::load(kw));
        market::proposal(&self.operator, &self.tenant, id, terms)
    }

    async fn propose(&self, proposal: leasing::ProposeLeaseRequest) -> Result<leasing::Lease> {
        let answer = self.sales.leases().propose_lease(proposal).await.context("propose")?;
        answer.into_inner().lease.context("a lease")
    }

    /// IT load that is free in a hall during the first year.
    async fn free_it_kw(&self, hall: usize) -> Result<i64> {
        let request = inventory::GetAvailabilityRequest {
            name: self.blocks[hall].clone(),
            start_date: Some(date("2027-06-01")),
            end_date: Some(date("2027-07-01")),
            ..Default::default()
        };
        let steps = self.sales.capacity().get_availability(request).await?.into_inner().steps;
        steps.iter().filter_map(|step| step.free).map(|free| free.critical_it_kw).min().context("no step")
    }

    async fn reservation(&self, name: &str) -> Result<inventory::Reservation> {
        let request = inventory::GetReservationRequest { name: name.to_owned(), ..Default::default() };
        let answer = self.sales.reservations().get_reservation(request).await?.into_inner();
        answer.reservation.context("a reservation")
    }

    async fn bill(&self, year: i32, month: i32) -> Result<(billing::BillingRun, Vec<billing::Invoice>)> {
        let request = billing::StartBillingRunRequest {
            parent: self.operator.clone(),
            billing_month: Some(billing::BillingMonth { year, month }),
            request_id: request_id(),
            validate_only: false,
        };
        let answer = self.finance.invoices().start_billing_run(request).await.context("bill")?.into_inner();
        Ok((answer.billing_run.context("a run")?, answer.invoices))
    }
}

/// Minor units of an amount on the wire, with its currency.
fn minor(money: Option<&contracts::google::r#type::Money>) -> Result<(i64, &str)> {
    let money = money.context("no amount")?;
    Ok((money.units * 100 + i64::from(money.nanos / 10_000_000), money.currency_code.as_str()))
}

#[tokio::test]
async fn from_a_proposal_to_a_ledger_that_balances() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let proposed = deal.propose(deal.proposal("river", 0, 10_000)).await?;
    ensure!(proposed.state() == LeaseState::Proposed && proposed.signatures.is_empty(), "{proposed:#?}");
    ensure!(deal.free_it_kw(0).await? == 10_000, "a proposal holds its capacity");

    let signed = deal.tenants.leases().sign_lease(market::signature(&proposed)).await?.into_inner();
    let signed = signed.lease.context("a lease")?;
    ensure!(signed.state() == LeaseState::Proposed && signed.signatures.len() == 1, "{signed:#?}");
    let twice = deal.tenants.leases().sign_lease(market::signature(&proposed)).await;
    Refusal::expect(twice)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let effective = deal.admin.leases().sign_lease(market::signature(&proposed)).await?.into_inner();
    let effective = effective.lease.context("a lease")?;
    ensure!(effective.state() == LeaseState::Effective, "{effective:#?}");
    ensure!(
        effective.terms_hash == proposed.terms_hash && effective.terms == proposed.terms,
        "terms changed"
    );
    // Business time stands still here, so both signed at the same instant.
    let mut parties: Vec<_> = effective.signatures.iter().map(leasing::Signature::party).collect();
    parties.sort();
    ensure!(parties == [leasing::Party::Operator, leasing::Party::Tenant], "{parties:?}");
    let reservation = deal.reservation(&effective.reservation).await?;
    ensure!(reservation.state() == inventory::ReservationState::Committed, "{reservation:#?}");

    // Nothing is billed before the commencement date.
    known_to_billing(&deal.finance, &proposed.name, "2027-12-31").await?;
    let (_, early) = deal.bill(2027, 1).await?;
    ensure!(early.is_empty(), "billed before it commenced: {early:#?}");
    deal.stack.move_to(day("2027-01-01")).await?;
    let active = in_state(&deal.sales, &proposed.name, LeaseState::Active).await?;
    ensure!(active.blocks[0].state() == leasing::LeaseBlockState::Commenced, "{active:#?}");

    billable(&deal.finance, &deal.operator, 2027, 1).await?;
    let (run, drafts) = deal.bill(2027, 1).await?;
    // 10,000 kW at 125.00 for the whole of January.
    let [draft] = drafts.as_slice() else { anyhow::bail!("one invoice: {drafts:#?}") };
    ensure!(minor(draft.total.as_ref())? == (125_000_000, "USD"), "{draft:#?}");
    ensure!(draft.state() == billing::InvoiceState::Draft && draft.number.is_empty(), "{draft:#?}");
    let (_, again) = deal.bill(2027, 1).await?;
    ensure!(again.is_empty(), "billed twice: {again:#?}");
    issue_and_balance(&deal, &run, draft).await?;
    deal.stack.stop().await;
    Ok(())
}

async fn issue_and_balance(deal: &Deal, run: &billing::BillingRun, draft: &billing::Invoice) -> Result<()> {
    let unseen = billing::GetInvoiceRequest { name: draft.name.clone() };
    let refusal = Refusal::expect(deal.tenants.invoices().get_invoice(unseen.clone()).await)?;
    refusal.is(Code::NotFound, "RESOURCE_NOT_FOUND").context("a draft is not the tenant's to see")?;
    let issue = billing::IssueBillingRunRequest {
        name: run.name.clone(),
        etag: run.etag.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let issued = deal.finance.invoices().issue_billing_run(issue).await?.into_inner();
    let [invoice] = issued.invoices.as_slice() else { anyhow::bail!("one invoice: {issued:#?}") };
    ensure!(invoice.state() == billing::InvoiceState::Open, "{invoice:#?}");
    ensure!(!invoice.number.is_empty() && invoice.due_date.is_some(), "{invoice:#?}");
    let seen =
        deal.tenants.invoices().get_invoice(unseen).await?.into_inner().invoice.context("an invoice")?;
    ensure!(&seen == invoice, "the tenant sees what was issued: {seen:#?}");

    let ask = billing::GetTrialBalanceRequest { parent: deal.operator.clone(), as_of_date: None };
    let balance = deal.finance.reports().get_trial_balance(ask).await?.into_inner();
    let mut rows = Vec::new();
    for row in &balance.rows {
        let (debit, credit) = (minor(row.debit.as_ref())?.0, minor(row.credit.as_ref())?.0);
        rows.push((row.ledger_account.as_str(), debit, credit));
    }
    let expected = [("accounts_receivable", 125_000_000, 0), ("rent_income", 0, 125_000_000)];
    ensure!(rows == expected, "{rows:?}");
    let [total] = balance.totals.as_slice() else { anyhow::bail!("one currency: {balance:#?}") };
    ensure!(total.debit == total.credit, "{total:#?}");
    let account = billing::GetAccountRequest { name: invoice.account.clone() };
    let account = deal.tenants.accounts().get_account(account).await?.into_inner().account;
    ensure!(
        minor(account.context("an account")?.balance.as_ref())? == (125_000_000, "USD"),
        "the tenant owes it"
    );
    Ok(())
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_another_payload_none() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let proposal = deal.proposal("river", 0, 6_000);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (sales, proposal) = (deal.sales.clone(), proposal.clone());
        senders.spawn(async move { sales.leases().propose_lease(proposal).await });
    }
    let mut fresh = 0;
    let mut answers = Vec::new();
    for answer in senders.join_all().await {
        let answer = answer.context("a duplicate waits for the first")?;
        fresh += usize::from(answer.metadata().get("idempotent-replayed").is_none());
        answers.push(answer.into_inner().encode_to_vec());
    }
    answers.dedup();
    ensure!((answers.len(), fresh) == (1, 1), "{fresh} fresh answers of {} kinds", answers.len());
    ensure!(deal.free_it_kw(0).await? == 14_000, "held once");

    // The first answer stays the answer, whatever becomes of the lease.
    let lease = leasing::ProposeLeaseResponse::decode(answers[0].as_slice())?.lease.context("a lease")?;
    sign(|organisation: &str, role| deal.stack.clients(organisation, role), &lease).await?;
    let replay = deal.sales.leases().propose_lease(proposal.clone()).await?;
    ensure!(replay.metadata().get("idempotent-replayed").is_some_and(|said| said == "true"), "not said");
    ensure!(replay.into_inner().encode_to_vec() == answers[0], "another answer");

    let mut other = proposal;
    other.terms.as_mut().context("terms")?.term_months = 121;
    let refusal = Refusal::expect(deal.sales.leases().propose_lease(other.clone()).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "REQUEST_ID_REUSED")?;
    ensure!(refusal.fact("firstSeenAt")?.ends_with('Z'), "{refusal:#?}");
    // A tenant's ids are its own, also where the operator has used the same.
    let theirs = leasing::ProposeLeaseRequest { lease_id: "theirs".to_owned(), ..other };
    deal.tenants.leases().propose_lease(theirs).await.context("another caller's id")?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_lease_called_off_gives_its_capacity_back() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let lease = deal.propose(deal.proposal("river", 0, 10_000)).await?;

    // A full hall refuses the next, and says with inventory's words what is short; nothing of it is left.
    let refusal = Refusal::expect(deal.sales.leases().propose_lease(deal.proposal("late", 0, 1)).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(refusal.fact("block")? == deal.blocks[0], "{refusal:#?}");
    ensure!((refusal.fact("shortKw")?, refusal.fact("availableKw")?) == ("1", "0"), "{refusal:#?}");
    refusal.fact("resource")?;
    refusal.fact("firstShortTime")?;
    let gone = leasing::GetLeaseRequest { name: format!("{}/leases/late", deal.operator), version: 0 };
    Refusal::expect(deal.sales.leases().get_lease(gone).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;

    let cancel = leasing::CancelLeaseRequest {
        name: lease.name.clone(),
        reason: "the board said no".to_owned(),
        etag: lease.etag.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let cancelled =
        deal.tenants.leases().cancel_lease(cancel).await?.into_inner().lease.context("a lease")?;
    ensure!(cancelled.state() == LeaseState::Cancelled, "{cancelled:#?}");
    ensure!(cancelled.state_reason == "the board said no", "{cancelled:#?}");
    eventually(
        "the capacity is free again",
        async || Ok((deal.free_it_kw(0).await? == 10_000).then_some(())),
    )
    .await?;
    let reservation = deal.reservation(&lease.reservation).await?;
    ensure!(reservation.state() == inventory::ReservationState::Released, "{reservation:#?}");
    let dead = deal.admin.leases().sign_lease(market::signature(&lease)).await;
    Refusal::expect(dead)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    // Another id may be used for what was refused before, and the same one too: a refusal is not remembered.
    deal.propose(deal.proposal("late", 0, 1)).await?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn only_those_who_may_sign_sign_and_only_what_was_agreed() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let lease = deal.propose(deal.proposal("river", 0, 1_000)).await?;
    let unsigned = async |what: &str| {
        let name = lease.name.clone();
        let now = deal
            .sales
            .leases()
            .get_lease(leasing::GetLeaseRequest { name, version: 0 })
            .await?
            .into_inner()
            .lease
            .context("a lease")?;
        // What inventory tells of the blocks may come in meanwhile.
        let now = leasing::Lease { blocks: lease.blocks.clone(), ..now };
        ensure!(now == lease, "{what} left a mark: {now:#?}");
        Ok(())
    };
    let mut wrong = market::signature(&lease);
    wrong.terms_hash[0] ^= 1;
    let refusal = Refusal::expect(deal.admin.leases().sign_lease(wrong).await)?;
    refusal.is(Code::FailedPrecondition, "TERMS_HASH_MISMATCH")?;
    unsigned("a wrong hash").await?;
    let by_sales = deal.sales.leases().sign_lease(market::signature(&lease)).await;
    Refusal::expect(by_sales)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    unsigned("a salesperson").await?;
    market::tenant(|organisation: &str, role| deal.stack.clients(organisation, role), "rival").await?;
    let rival = deal.stack.clients("tenants/rival", Role::Tenant)?;
    let foreign = Refusal::expect(rival.leases().sign_lease(market::signature(&lease)).await)?;
    foreign.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    unsigned("another tenant").await?;
    let stale = leasing::SignLeaseRequest { etag: "\"0\"".to_owned(), ..market::signature(&lease) };
    Refusal::expect(deal.admin.leases().sign_lease(stale).await)?.is(Code::Aborted, "ETAG_MISMATCH")?;
    unsigned("a stale etag").await?;
    deal.stack.stop().await;
    Ok(())
}

/// Real time decides about holds, and nobody can wait a minute: the superuser lets this one run out.
async fn let_hold_run_out(deal: &Deal, lease: &leasing::Lease) -> Result<()> {
    let id: uuid::Uuid = lease.reservation.rsplit('/').next().unwrap_or_default().parse()?;
    let mut superuser = deal.stack.database.superuser().await?;
    for sql in [
        "update inventory.reservation set hold_until = clock_timestamp() - interval '1 second' where reservation_id = $1",
        // The version is raised as every writer of claims raises it, or nobody would look.
        "with raised as (
            update inventory.block_version set version = version + 1
            where block_id in (select block_id from inventory.claim where reservation_id = $1)
            returning block_id, version)
         update inventory.claim c set hold_until = clock_timestamp() - interval '1 second', version = raised.version
            from raised where c.block_id = raised.block_id and c.reservation_id = $1",
    ] {
        let done = sqlx::query(sql).bind(id).execute(&mut superuser).await?;
        ensure!(done.rows_affected() == 1, "nothing ran out");
    }
    Ok(())
}

#[tokio::test]
async fn a_hold_that_ran_out_before_the_last_signature_takes_no_signature() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let lease = deal.propose(deal.proposal("river", 0, 10_000)).await?;
    deal.tenants.leases().sign_lease(market::signature(&lease)).await?;
    let_hold_run_out(&deal, &lease).await?;

    let late = Refusal::expect(deal.admin.leases().sign_lease(market::signature(&lease)).await)?;
    late.is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
    let lapsed = in_state(&deal.sales, &lease.name, LeaseState::Lapsed).await?;
    ensure!(lapsed.signatures.len() == 1, "signed without capacity: {lapsed:#?}");
    ensure!(deal.free_it_kw(0).await? == 10_000, "the capacity is free");
    let again = Refusal::expect(deal.admin.leases().sign_lease(market::signature(&lease)).await)?;
    again.is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
    deal.propose(deal.proposal("next", 0, 10_000)).await.context("the next tenant gets the hall")?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_hold_lasts_at_least_ten_minutes_once_both_have_signed() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let mut proposal = deal.proposal("river", 0, 1_000);
    proposal.hold_duration = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    let lease = deal.propose(proposal).await?;
    deal.tenants.leases().sign_lease(market::signature(&lease)).await?;
    let before = deal.reservation(&lease.reservation).await?.hold_expire_time.context("a time")?;
    deal.admin.leases().sign_lease(market::signature(&lease)).await?;
    let mut superuser = deal.stack.database.superuser().await?;
    // What the reservation's own history tells: extended first, committed after it.
    let kinds: Vec<String> = sqlx::query_scalar(
        "select kind from inventory.outbox where subject = $1 order by position_xid, position_seq",
    )
    .bind(&lease.reservation)
    .fetch_all(&mut superuser)
    .await?;
    ensure!(kinds == ["reservation.held", "reservation.extended", "reservation.committed"], "{kinds:?}");
    let until: i64 = sqlx::query_scalar(
        "select extract(epoch from hold_until - clock_timestamp())::bigint from inventory.reservation",
    )
    .fetch_one(&mut superuser)
    .await?;
    ensure!(until > 590, "the hold of {before:?} was extended by {until} s only");
    deal.stack.stop().await;
    Ok(())
}

/// Signs a lease of these terms; gives billing's preview of its whole term and the sum, which leasing's must equal.
async fn preview(deal: &Deal, id: &str, terms: leasing::LeaseTerms) -> Result<(Vec<billing::Invoice>, i64)> {
    let lease = deal.propose(market::proposal(&deal.operator, &deal.tenant, id, terms)).await?;
    sign(|organisation: &str, role| deal.stack.clients(organisation, role), &lease).await?;
    known_to_billing(&deal.finance, &lease.name, "2027-12-31").await?;
    let ask =
        billing::PreviewInvoicesRequest { lease: lease.name.clone(), through_date: None, until_end: true };
    let preview = deal.finance.invoices().preview_invoices(ask).await?.into_inner();
    let schedule = leasing::GetRentScheduleRequest { name: lease.name };
    let schedule = deal.sales.leases().get_rent_schedule(schedule).await?.into_inner();
    ensure!(schedule.base_contract_value == preview.total, "leasing and billing add up differently");
    let lines: usize = preview.invoices.iter().map(|invoice| invoice.lines.len()).sum();
    ensure!(schedule.lines.len() == lines, "{} lines in the schedule, {lines} billed", schedule.lines.len());
    let total = minor(preview.total.as_ref())?.0;
    Ok((preview.invoices, total))
}

/// What each invoice comes to.
fn months(invoices: &[billing::Invoice]) -> Result<Vec<i64>> {
    invoices.iter().map(|invoice| Ok(minor(invoice.total.as_ref())?.0)).collect()
}

fn premises(block: &str, steps: &[(&str, i64)], end: &str, rate: &str) -> leasing::Premises {
    leasing::Premises {
        block: block.to_owned(),
        quantity_steps: steps
            .iter()
            .map(|(from, kw)| leasing::QuantityStep {
                from_date: Some(date(from)),
                capacity: Some(market::load(*kw)),
            })
            .collect(),
        commencement_date: steps.first().map(|(from, _)| date(from)),
        end_date: Some(date(end)),
        base_rate_per_kw_month: market::decimal(rate),
        rate_steps: Vec::new(),
    }
}

fn rising(terms: leasing::LeaseTerms, basis: leasing::EscalationBasis) -> leasing::LeaseTerms {
    let escalator =
        leasing::Escalator { percent: market::decimal("3"), basis: basis.into(), fixed_date: None };
    leasing::LeaseTerms { escalator: Some(escalator), ..terms }
}

#[tokio::test]
async fn the_published_cases_come_out_to_the_cent() -> Result<()> {
    let deal = Deal::prepare(&[5_500, 60_000, 20_000]).await?;
    let anniversary = leasing::EscalationBasis::LeaseAnniversary;

    // B-01: 2,750, from month 7 on 5,500, at 180 a year; a step in the middle of a year does not restart the clock.
    let steps = [("2027-01-01", 2_750), ("2027-07-01", 5_500)];
    let ramp = premises(&deal.blocks[0], &steps, "2031-01-01", "15");
    let terms = leasing::LeaseTerms {
        premises: vec![ramp],
        term_months: 48,
        ..market::terms(&deal.blocks[0], market::load(1))
    };
    let (invoices, total) = preview(&deal, "van-buren", rising(terms, anniversary)).await?;
    let expected = [
        vec![4_125_000; 6],
        vec![8_250_000; 6],
        vec![8_497_500; 12],
        vec![8_752_425; 12],
        vec![9_014_998; 12],
    ]
    .concat();
    ensure!(months(&invoices)? == expected, "{:?}", months(&invoices)?);
    ensure!(total == 389_429_076, "B-01: {total}");

    // B-02: 60,000 kW at 125 for ten years.
    let terms = rising(market::terms(&deal.blocks[1], market::load(60_000)), anniversary);
    let (invoices, total) = preview(&deal, "core42", terms).await?;
    let paid = months(&invoices)?;
    for (year, monthly) in
        [(1, 750_000_000), (2, 772_500_000), (3, 795_675_000), (5, 844_131_608), (10, 978_579_888)]
    {
        ensure!(paid[(year - 1) * 12..year * 12] == [monthly; 12], "year {year}: {paid:?}");
    }
    ensure!(total == 103_174_913_808, "B-02: {total}");

    // B-05: a stub month, and the rise on the first of the month after the anniversary.
    let october = [("2026-10-24", 20_000)];
    let hall = premises(&deal.blocks[2], &october, "2028-10-24", "130");
    let terms = leasing::LeaseTerms {
        premises: vec![hall],
        term_months: 24,
        ..market::terms(&deal.blocks[2], market::load(1))
    };
    let basis = leasing::EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary;
    // The hall is ready in January, the case begins in October.
    bring_forward(&deal).await?;
    let (invoices, _) = preview(&deal, "hall-a", rising(terms, basis)).await?;
    let paid = months(&invoices)?;
    ensure!(paid[0] == 67_096_774, "B-05, stub: {paid:?}");
    ensure!(paid[1..=12] == [260_000_000; 12], "B-05, first year: {paid:?}");
    ensure!(paid[13] == 267_800_000, "B-05, first rise: {paid:?}");
    ensure!(paid[..=12].iter().sum::<i64>() == 3_187_096_774, "B-05: {paid:?}");
    deal.stack.stop().await;
    Ok(())
}

/// A phase that gives the third hall its capacity until the other one does.
async fn bring_forward(deal: &Deal) -> Result<()> {
    let ops = deal.stack.clients(&deal.operator, Role::SiteOps)?;
    let request = inventory::CreatePhaseRequest {
        parent: deal.blocks[2].clone(),
        phase_id: "early".to_owned(),
        phase: Some(inventory::Phase {
            end_date: Some(date(market::READY)),
            ..market::phase(market::hall(20_000), "2026-10-01")
        }),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().create_phase(request).await?;
    Ok(())
}

#[tokio::test]
async fn a_watcher_misses_nothing_and_sees_only_its_own() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let clients = |organisation: &str, role| deal.stack.clients(organisation, role);
    let other = market::tenant(clients, "rival").await?;
    let rival = market::terms(&deal.blocks[0], market::load(500));
    deal.propose(market::proposal(&deal.operator, &other, "rival", rival)).await?;
    let lease = deal.propose(deal.proposal("river", 0, 1_000)).await?;
    sign(clients, &lease).await?;

    let all = watch(&deal, "tenants/lab", Role::Tenant, "").await?;
    let kinds: Vec<&str> = all.iter().map(|event| event.r#type.as_str()).collect();
    let expected = ["tenant.created", "lease.proposed", "lease.signed", "lease.signed", "lease.effective"];
    ensure!(kinds == expected, "{kinds:?}");
    // From every cursor on, exactly the rest.
    for (seen, event) in all.iter().enumerate() {
        let rest = watch(&deal, "tenants/lab", Role::Tenant, &event.cursor).await?;
        ensure!(rest == all[seen + 1..], "after {seen}: {rest:?}");
    }
    let operators = watch(&deal, &deal.operator, Role::Sales, "").await?;
    ensure!(operators.iter().any(|event| event.subject.ends_with("/rival")), "{operators:?}");
    let rivals = watch(&deal, "tenants/rival", Role::Tenant, "").await?;
    ensure!(rivals.iter().all(|event| !event.subject.ends_with("/river")), "{rivals:?}");
    ensure!(rivals.len() == 2, "{rivals:?}");
    deal.stack.stop().await;
    Ok(())
}

/// Leasing's events for somebody after a cursor, up to now.
async fn watch(deal: &Deal, organisation: &str, role: Role, after: &str) -> Result<Vec<Event>> {
    let at = deal.stack.stack().addresses().leasing;
    let channel = runtime::client::channel(&format!("http://{at}"))?;
    let bearer = runtime::client::Bearer::new(&deal.stack.token(organisation, role)?)?;
    let mut client = leasing::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
    let request = leasing::WatchEventsRequest { after_cursor: after.to_owned(), ..Default::default() };
    let mut stream = client.watch_events(request).await?.into_inner();
    let events = feed::up_to_now(&deal.stack.database, &mut stream).await?;
    ensure!(events.iter().all(|event| !event.cursor.is_empty() && event.time.is_some()), "{events:#?}");
    Ok(events)
}
