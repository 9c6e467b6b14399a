//! Cut-over: running contracts are brought in with the days that they have, on capacity that is there, and no month of them is
//! billed twice.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::cluster::{INVENTORY, LEASING};
use integration_tests::market::{self, date, day, request_id};
use integration_tests::world::in_state;
use integration_tests::{Refusal, eventually};
use kernel::{Role, Zone};
use leasing::{LeaseBlockState, LeaseState};
use tonic::Code;

use crate::life::Deal;
use crate::sagas::{Field, KILL, answered};

async fn bring_in(by: &Clients, ask: &leasing::ImportLeaseRequest) -> Result<leasing::Lease> {
    by.leases().import_lease(ask.clone()).await.context("import")?.into_inner().lease.context("a lease")
}

/// Ten megawatts since January 2025, and five more from May 2027 on; five years each.
fn two_halls(deal: &Deal) -> leasing::LeaseTerms {
    let mut terms = market::terms_from(&deal.blocks[0], market::load(10_000), "2025-01-15");
    let later = market::terms_from(&deal.blocks[1], market::load(5_000), "2027-05-01");
    terms.premises.extend(later.premises);
    terms.premises.iter_mut().for_each(|one| one.end_date = Some(date("2030-01-15")));
    terms
}

#[tokio::test]
async fn a_running_contract_is_brought_in_and_billed_from_its_day() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 10_000]).await?;
    deal.stack.move_to(day("2027-02-10")).await?;
    let ask = market::running(&deal.operator, &deal.tenant, "running", two_halls(&deal), "2027-03-01");
    let dry =
        bring_in(&deal.admin, &leasing::ImportLeaseRequest { validate_only: true, ..ask.clone() }).await?;
    ensure!(dry.state() == LeaseState::Active, "{dry:#?}");
    let get = leasing::GetLeaseRequest { name: dry.name.clone(), version: 0 };
    Refusal::expect(deal.admin.leases().get_lease(get.clone()).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    ensure!(deal.free_it_kw(0, "2027-03-01", "2027-04-01").await? == 20_000, "a check took something");

    let lease = bring_in(&deal.admin, &ask).await?;
    ensure!(lease.state() == LeaseState::Active && lease.version == 1, "{lease:#?}");
    ensure!(lease.signatures.is_empty(), "nobody signed it here: {lease:#?}");
    let states: Vec<_> = lease.blocks.iter().map(leasing::LeaseBlock::state).collect();
    ensure!(states == [LeaseBlockState::Commenced, LeaseBlockState::Planned], "{states:?}");
    ensure!(bring_in(&deal.admin, &ask).await? == lease, "the same request, the same answer");
    let paper = lease.import.clone().context("a paper")?;
    ensure!(
        paper.reference == "MSA-7, order 2" && paper.signed_date == Some(date("2023-05-06")),
        "{paper:#?}"
    );
    ensure!(paper.effective_date == paper.signed_date && paper.billed_from_date == Some(date("2027-03-01")));
    ensure!(paper.signatory.is_some_and(|one| one.name == "Ben Ortiz") && !paper.imported_by.is_empty());
    let seen = deal.tenants.leases().get_lease(get).await?.into_inner().lease;
    ensure!(seen.is_some_and(|seen| seen.import == lease.import), "the tenant sees who attests to it");
    let ask_history = leasing::GetHistoryRequest { name: lease.name.clone(), ..Default::default() };
    let history = deal.tenants.leases().get_history(ask_history).await?.into_inner().happenings;
    ensure!(history.iter().map(|one| one.kind.as_str()).eq(["lease.imported"]), "{history:#?}");
    ensure!(deal.free_it_kw(0, "2027-03-01", "2027-04-01").await? == 10_000, "its capacity is taken");
    ensure!(deal.free_it_kw(1, "2027-04-01", "2027-04-30").await? == 10_000, "from its day on");
    ensure!(deal.free_it_kw(1, "2027-05-01", "2027-06-01").await? == 5_000, "from its day on");

    // The third year of 125 at 3%: 132.6125. February was billed elsewhere.
    deal.stack.move_to(day("2027-03-02")).await?;
    deal.bills(2027, 3, 132_612_500).await?;
    deal.bills(2027, 2, 0).await?;
    deal.bills(2027, 1, 0).await?;
    // The second hall commences as any other.
    deal.stack.move_to(day("2027-05-02")).await?;
    deal.until("the second hall commences", &lease.name, |now| {
        now.blocks.iter().all(|one| one.state() == LeaseBlockState::Commenced)
    })
    .await?;
    deal.bills(2027, 5, 132_612_500 + 62_500_000).await?;
    // And it ends as any other.
    deal.stack.move_to(day("2030-01-16")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Expired).await?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_contract_that_does_not_fit_is_not_brought_in() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 10_000]).await?;
    deal.stack.move_to(day("2027-02-10")).await?;
    deal.agree("other", market::terms_from(&deal.blocks[1], market::load(6_000), "2028-01-01")).await?;
    // The first hall has room, the second not from 2028 on: nothing is taken of either.
    let ask = market::running(&deal.operator, &deal.tenant, "running", two_halls(&deal), "2027-03-01");
    let refused = deal.admin.leases().import_lease(ask.clone()).await;
    let refused = Refusal::expect(refused)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(refused.fact("block")? == deal.blocks[1], "{refused:#?}");
    ensure!(deal.free_it_kw(0, "2027-03-01", "2027-04-01").await? == 20_000, "it took something");
    let get = leasing::GetLeaseRequest { name: format!("{}/leases/running", deal.operator), version: 0 };
    Refusal::expect(deal.admin.leases().get_lease(get).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let mut less = two_halls(&deal);
    less.premises.truncate(1);
    let fits = leasing::ImportLeaseRequest { terms: Some(less), request_id: request_id(), ..ask.clone() };
    ensure!(bring_in(&deal.admin, &fits).await?.state() == LeaseState::Active, "its name was free");
    let taken = leasing::ImportLeaseRequest { request_id: request_id(), ..fits };
    Refusal::expect(deal.admin.leases().import_lease(taken).await)?.is(Code::AlreadyExists, "NAME_TAKEN")?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_contract_with_a_condition_open_is_not_in_force_until_it_is_met() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let mut terms = market::terms_from(&deal.blocks[0], market::load(10_000), "2027-06-01");
    terms.conditions = vec![crate::life::condition("loan", "2027-04-01", leasing::ConditionParty::Operator)];
    let ask = market::running(&deal.operator, &deal.tenant, "running", terms, "2027-06-01");
    let lease = bring_in(&deal.admin, &ask).await?;
    ensure!(lease.state() == LeaseState::Signed && lease.effective_time.is_none(), "{lease:#?}");
    ensure!(deal.free_it_kw(0, "2027-07-01", "2027-08-01").await? == 10_000, "but its capacity is taken");
    let met = crate::life::satisfied(&lease.name, "loan");
    let lease = deal.admin.leases().satisfy_condition(met).await?.into_inner().lease.context("a lease")?;
    ensure!(lease.state() == LeaseState::Effective, "{lease:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_process_dies_at_every_step_of_bringing_a_contract_in() -> Result<()> {
    let mut field = Field::prepare().await?;
    let steps = [
        (LEASING, "leasing.import.before_intent"),
        (LEASING, "leasing.import.after_intent"),
        (INVENTORY, "inventory.book.before"),
        (INVENTORY, "inventory.book.after"),
        (LEASING, "leasing.import.after_hold"),
        (INVENTORY, "inventory.move.before"),
        (INVENTORY, "inventory.move.after"),
        (LEASING, "leasing.import.after_commit"),
        (LEASING, "leasing.import.after_record"),
    ];
    for (number, (node, failpoint)) in steps.into_iter().enumerate() {
        let id = format!("running-{number}");
        let hall = field.ready_hall(&id, "2024-02-01", contracts::inventory::v1::DateBasis::Actual).await?;
        let terms = market::terms_from(&hall, market::load(1_000), "2024-03-01");
        let ask = market::running(&field.operator, &field.tenant, &id, terms, "2030-01-01");
        let admin = field.cluster.clients(&field.operator, Role::OperatorAdmin)?;
        let once = {
            let (admin, ask) = (admin.clone(), ask.clone());
            async move { admin.leases().import_lease(ask).await }
        };
        field.cluster.die_at(node, failpoint, KILL, once).await?;
        field.cluster.start(node, "").await?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let call = async || admin.leases().import_lease(ask.clone()).await;
        let lease = answered("the import", call).await.context(failpoint)?.lease.context("a lease")?;
        ensure!(lease.state() == LeaseState::Active, "{failpoint}: {lease:#?}");
        let again = answered("the import", call).await.context(failpoint)?.lease.context("a lease")?;
        ensure!(again == lease, "{failpoint}: another answer: {again:#?}");
        field.audit().await.with_context(|| failpoint.to_owned())?;
        field
            .takes(&lease, &import_day(&lease)?, "2034-03-01")
            .await
            .with_context(|| failpoint.to_owned())?;
        let count = format!("select count(*) from inventory.reservation having count(*) <> {}", number + 1);
        field.none(&format!("{failpoint}: not one reservation a contract"), &count).await?;
    }
    Ok(())
}

/// The day on which it was brought in, where it lies.
fn import_day(lease: &leasing::Lease) -> Result<String> {
    let time = lease.import.as_ref().and_then(|import| import.import_time).context("a time")?;
    let time = chrono::DateTime::from_timestamp(time.seconds, 0).context("an instant")?;
    Ok(market::ZONE.parse::<Zone>()?.date_of(time).to_string())
}

#[tokio::test]
async fn a_contract_that_is_refused_leaves_nothing_behind_wherever_a_process_dies() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, failpoint) in
        ["leasing.import.before_intent", "leasing.import.after_intent"].iter().enumerate()
    {
        let id = format!("full-{number}");
        let hall = field.ready_hall(&id, "2024-02-01", contracts::inventory::v1::DateBasis::Actual).await?;
        let terms = market::terms_from(&hall, market::load(1_001), "2024-03-01");
        let ask = market::running(&field.operator, &field.tenant, &id, terms, "2030-01-01");
        let admin = field.cluster.clients(&field.operator, Role::OperatorAdmin)?;
        let once = {
            let (admin, ask) = (admin.clone(), ask.clone());
            async move { admin.leases().import_lease(ask).await }
        };
        field.cluster.die_at(LEASING, failpoint, KILL, once).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| (*failpoint).to_owned())?;
        let refused =
            eventually("it is refused", async || match admin.leases().import_lease(ask.clone()).await {
                Err(status) if status.code() == Code::Aborted => Ok(None),
                answer => Ok(Some(Refusal::expect(answer)?)),
            });
        refused.await?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED").context(*failpoint)?;
        field.none("leases that were refused", "select lease_id, state from leasing.lease").await?;
        field.none("reservations for them", "select reservation_id from inventory.reservation").await?;
    }
    Ok(())
}
