//! A process dies at every named step of what an agreed lease asks of inventory: an early acceptance, other terms that both have
//! signed, a term that goes with a late hall. Within ten seconds of its return nothing is half done, and the same request finds the one effect.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::cluster::{INVENTORY, LEASING, Node};
use integration_tests::market::{self, date, request_id};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::LeaseState;
use tonic::Code;

use crate::lease_amendments::{amendment, signed};
use crate::life::{accepted, condition};
use crate::sagas::{Field, KILL, answered};

/// The clock of a cluster stands on the day of the test's machine; what is long ago and far ahead is so on any.
const READY: &str = "2024-02-01";
const EARLY: &str = "2024-02-15";

impl Field {
    /// A hall of a megawatt that has been ready for a while.
    pub(crate) async fn ready_hall(
        &self,
        id: &str,
        ready: &str,
        basis: inventory::DateBasis,
    ) -> Result<String> {
        let mut sites = self.cluster.clients(&self.operator, Role::SiteOps)?.sites();
        let site = self.block.split("/blocks/").next().context("a site")?.to_owned();
        let block = inventory::CreateBlockRequest {
            parent: site,
            block_id: id.to_owned(),
            block: Some(market::liquid_block()),
            request_id: request_id(),
            validate_only: false,
        };
        let block = sites.create_block(block).await?.into_inner().block.context("a hall")?.name;
        let phase = inventory::CreatePhaseRequest {
            parent: block.clone(),
            phase_id: "one".to_owned(),
            phase: Some(inventory::Phase {
                date_basis: basis.into(),
                ..market::phase(market::hall(1_000), ready)
            }),
            request_id: request_id(),
            validate_only: false,
        };
        sites.create_phase(phase).await.context("a phase")?;
        self.cluster.database.leasing_hears_of_phases().await?;
        Ok(block)
    }

    pub(crate) async fn agree(&self, id: &str, terms: leasing::LeaseTerms) -> Result<leasing::Lease> {
        let lease = self.propose(&market::proposal(&self.operator, &self.tenant, id, terms)).await?;
        let tenant = self.cluster.clients(&self.tenant, Role::Tenant)?;
        let signature = market::signature(&lease);
        answered("the tenant's signature", async || tenant.leases().sign_lease(signature.clone()).await)
            .await?;
        self.sign_last(&market::signature(&lease)).await
    }

    pub(crate) async fn read(&self, name: &str) -> Result<leasing::Lease> {
        let admin = self.cluster.clients(&self.operator, Role::OperatorAdmin)?;
        let ask = leasing::GetLeaseRequest { name: name.to_owned(), version: 0 };
        admin.leases().get_lease(ask).await?.into_inner().lease.context("a lease")
    }

    async fn accept(&self, request: &leasing::AcceptBlockRequest) -> Result<leasing::Lease> {
        let tenant = self.cluster.clients(&self.tenant, Role::Tenant)?;
        let call = async || tenant.leases().accept_block(request.clone()).await;
        answered("the acceptance", call).await?.lease.context("a lease")
    }

    /// Sends an acceptance once, whatever becomes of it.
    fn accept_once(&self, request: leasing::AcceptBlockRequest) -> Result<impl Future + use<>> {
        let tenant = self.cluster.clients(&self.tenant, Role::Tenant)?;
        Ok(async move { tenant.leases().accept_block(request).await })
    }

    /// What a lease's reservation takes is what the lease says, and nobody else's was touched.
    pub(crate) async fn takes(&self, lease: &leasing::Lease, from: &str, until: &str) -> Result<()> {
        let sales = self.cluster.clients(&self.operator, Role::Sales)?;
        let ask = inventory::GetReservationRequest { name: lease.reservation.clone(), ..Default::default() };
        eventually("the reservation takes what the lease says", async || {
            let found = sales.reservations().get_reservation(ask.clone()).await?.into_inner().reservation;
            let found = found.context("a reservation")?;
            let ought = Some(market::profile(market::load(1_000), from, until));
            Ok((found.claims.len() == 1 && found.claims[0].profile == ought).then_some(()))
        })
        .await
    }
}

/// Every step of a deed for which the reservation takes more first.
pub(crate) const STEPS: [(Node, &str); 6] = [
    (LEASING, "leasing.change.before_intent"),
    (LEASING, "leasing.change.after_intent"),
    (INVENTORY, "inventory.rewrite.before"),
    (INVENTORY, "inventory.rewrite.after"),
    (LEASING, "leasing.change.after_amend"),
    (LEASING, "leasing.change.after_record"),
];

#[tokio::test]
async fn a_process_dies_at_every_step_of_an_early_acceptance() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, (node, failpoint)) in STEPS.into_iter().enumerate() {
        let hall = field.ready_hall(&format!("early-{number}"), READY, inventory::DateBasis::Actual).await?;
        let mut terms = market::terms_from(&hall, market::load(1_000), "2030-06-01");
        terms.delivery = Some(leasing::DeliveryTerms { acceptance_days: 5, ..Default::default() });
        let lease = field.agree(&format!("early-{number}"), terms).await?;
        eventually("leasing knows that the hall is ready", async || {
            let ready = field.read(&lease.name).await?.blocks[0].state() == leasing::LeaseBlockState::Ready;
            Ok(ready.then_some(()))
        })
        .await?;
        let request = accepted(&lease, EARLY);
        let deed = field.accept_once(request.clone())?;
        field.cluster.die_at(node, failpoint, KILL, deed).await?;
        field.cluster.start(node, "").await?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let done = field.accept(&request).await.with_context(|| failpoint.to_owned())?;
        ensure!(done.state() == LeaseState::Active, "{failpoint}: {done:#?}");
        ensure!(done.blocks[0].commencement_date == Some(date(EARLY)), "{failpoint}: {done:#?}");
        field.takes(&done, EARLY, "2040-06-01").await.with_context(|| failpoint.to_owned())?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let twice = field.accept(&request).await?;
        ensure!(twice == done, "{failpoint}: another answer: {twice:#?}");
        let fresh = leasing::AcceptBlockRequest { request_id: request_id(), ..request };
        let tenant = field.cluster.clients(&field.tenant, Role::Tenant)?;
        let late = Refusal::expect(tenant.leases().accept_block(fresh).await)?;
        late.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_acceptance_leaves_nothing_behind_wherever_a_process_dies() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, failpoint) in
        ["leasing.change.after_intent", "leasing.change.after_amend"].iter().enumerate()
    {
        let hall = field.ready_hall(&format!("taken-{number}"), READY, inventory::DateBasis::Actual).await?;
        let lease = field
            .agree(&format!("taken-{number}"), market::terms_from(&hall, market::load(1_000), "2030-06-01"))
            .await?;
        // Somebody else has the hall until then.
        let mut before = market::hold(&field.operator, &hall, &field.tenant, market::load(1));
        before.claims[0].profile = Some(market::profile(market::load(1), "2029-01-01", "2030-06-01"));
        let sales = field.cluster.clients(&field.operator, Role::Sales)?;
        let held =
            sales.reservations().place_hold(before).await?.into_inner().reservation.context("a hold")?;
        eventually("leasing knows that the hall is ready", async || {
            let ready = field.read(&lease.name).await?.blocks[0].state() == leasing::LeaseBlockState::Ready;
            Ok(ready.then_some(()))
        })
        .await?;
        let request = accepted(&lease, EARLY);
        let deed = field.accept_once(request.clone())?;
        field.cluster.die_at(LEASING, failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| (*failpoint).to_owned())?;
        let tenant = field.cluster.clients(&field.tenant, Role::Tenant)?;
        let refused = Refusal::expect(tenant.leases().accept_block(request).await)?;
        refused.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED").context(*failpoint)?;
        let still = field.read(&lease.name).await?;
        ensure!(still.state() == LeaseState::Effective, "{failpoint}: {still:#?}");
        field.takes(&lease, "2030-06-01", "2040-06-01").await?;
        let ask = inventory::GetReservationRequest { name: held.name.clone(), ..Default::default() };
        let others = sales.reservations().get_reservation(ask).await?.into_inner().reservation;
        ensure!(
            others.as_ref() == Some(&held),
            "{failpoint}: another's reservation was touched: {others:#?}"
        );
    }
    Ok(())
}

impl Field {
    /// A lease of 400 of a hall's 1,000 kW, for which other terms lie on the table that take so many from 2031 on, for five years
    /// more; signed by the tenant.
    async fn half_amended(&self, id: &str, kw: i64) -> Result<leasing::Lease> {
        let hall = self.ready_hall(id, READY, inventory::DateBasis::Actual).await?;
        let mut terms = market::terms_from(&hall, market::load(400), "2030-06-01");
        let lease = self.agree(id, terms.clone()).await?;
        let premises = &mut terms.premises[0];
        let more =
            leasing::QuantityStep { from_date: Some(date("2031-01-01")), capacity: Some(market::load(kw)) };
        premises.quantity_steps.push(more);
        premises.end_date = Some(date("2045-06-01"));
        terms.term_months = 180;
        let sales = self.cluster.clients(&self.operator, Role::Sales)?;
        let ask = amendment(&lease, "2030-06-01", terms);
        let call = async || sales.leases().propose_amendment(ask.clone()).await;
        let proposed = answered("the amendment", call).await?.lease.context("a lease")?;
        let tenant = self.cluster.clients(&self.tenant, Role::Tenant)?;
        let ask = signed(&proposed);
        let call = async || tenant.leases().sign_amendment(ask.clone()).await;
        answered("the tenant's signature", call).await?.lease.context("a lease")
    }

    /// Sends the operator's signature on other terms once, whatever becomes of it.
    fn sign_amendment_once(&self, request: leasing::SignAmendmentRequest) -> Result<impl Future + use<>> {
        let admin = self.cluster.clients(&self.operator, Role::OperatorAdmin)?;
        Ok(async move { admin.leases().sign_amendment(request).await })
    }

    /// What a lease's reservation takes, step by step, as an operator reads it.
    async fn claimed(
        &self,
        lease: &leasing::Lease,
    ) -> Result<Option<contracts::common::v1::CapacityProfile>> {
        let sales = self.cluster.clients(&self.operator, Role::Sales)?;
        let ask = inventory::GetReservationRequest { name: lease.reservation.clone(), ..Default::default() };
        let found = sales.reservations().get_reservation(ask).await?.into_inner().reservation;
        Ok(found.and_then(|found| found.claims.into_iter().next()).and_then(|claim| claim.profile))
    }
}

#[tokio::test]
async fn a_process_dies_at_every_step_of_signing_other_terms() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, (node, failpoint)) in STEPS.into_iter().enumerate() {
        let lease = field.half_amended(&format!("amended-{number}"), 900).await?;
        let request = signed(&lease);
        let deed = field.sign_amendment_once(request.clone())?;
        field.cluster.die_at(node, failpoint, KILL, deed).await?;
        field.cluster.start(node, "").await?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let admin = field.cluster.clients(&field.operator, Role::OperatorAdmin)?;
        let call = async || admin.leases().sign_amendment(request.clone()).await;
        let done = answered("the last signature", call).await.context(failpoint)?.lease.context("a lease")?;
        ensure!((done.version, done.amendment.is_none()) == (2, true), "{failpoint}: {done:#?}");
        ensure!(done.signatures.len() == 2, "{failpoint}: {done:#?}");
        ensure!(done.blocks[0].end_date == Some(date("2045-06-01")), "{failpoint}: {done:#?}");
        let takes = field.claimed(&done).await?.context("a profile")?;
        let loads: Vec<_> =
            takes.steps.iter().filter_map(|step| step.capacity).map(|load| load.critical_it_kw).collect();
        ensure!(loads == [400, 900], "{failpoint}: {takes:#?}");
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let twice = answered("the last signature", call).await?.lease.context("a lease")?;
        ensure!(twice == done, "{failpoint}: another answer: {twice:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn other_terms_that_do_not_fit_leave_nothing_behind_wherever_a_process_dies() -> Result<()> {
    let mut field = Field::prepare().await?;
    let steps = ["leasing.change.after_intent", "leasing.change.after_amend", "leasing.change.after_record"];
    for (number, failpoint) in steps.iter().enumerate() {
        let lease = field.half_amended(&format!("greedy-{number}"), 1_001).await?;
        let before = field.claimed(&lease).await?;
        let request = signed(&lease);
        let deed = field.sign_amendment_once(request.clone())?;
        field.cluster.die_at(LEASING, failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| (*failpoint).to_owned())?;
        let admin = field.cluster.clients(&field.operator, Role::OperatorAdmin)?;
        let refused = eventually("it is refused", async || {
            match admin.leases().sign_amendment(request.clone()).await {
                Err(status) if status.code() == Code::Aborted => Ok(None),
                answer => Ok(Some(Refusal::expect(answer)?)),
            }
        });
        refused.await?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED").context(*failpoint)?;
        field.audit().await.with_context(|| (*failpoint).to_owned())?;
        let still = field.read(&lease.name).await?;
        ensure!(still.amendment == lease.amendment, "{failpoint}: it stays on the table: {still:#?}");
        ensure!((still.version, &still.blocks) == (1, &lease.blocks), "{failpoint}: {still:#?}");
        ensure!(field.claimed(&lease).await? == before, "{failpoint}: it takes something else");
    }
    Ok(())
}

#[tokio::test]
async fn leasing_dies_before_and_after_a_reservation_is_told_of_a_longer_term() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, (node, failpoint)) in [
        (INVENTORY, "inventory.rewrite.before"),
        (INVENTORY, "inventory.rewrite.after"),
        (LEASING, "leasing.claims.after_amend"),
    ]
    .into_iter()
    .enumerate()
    {
        let hall = field.ready_hall(&format!("late-{number}"), READY, inventory::DateBasis::Forecast).await?;
        let mut terms = market::terms_from(&hall, market::load(1_000), READY);
        terms.term_basis = leasing::TermBasis::FromEachPhase.into();
        // It may not begin before it was late.
        terms.conditions = vec![condition("loan", "2040-01-01", leasing::ConditionParty::Operator)];
        let lease = field.agree(&format!("late-{number}"), terms).await?;
        ensure!(lease.state() == LeaseState::Signed, "{lease:#?}");
        let admin = field.cluster.clients(&field.operator, Role::OperatorAdmin)?;
        let request = crate::life::satisfied(&lease.name, "loan");
        // In force today, and begun at once: its end moves by as much.
        let deed = async move { admin.leases().satisfy_condition(request).await };
        field.cluster.die_at(node, failpoint, KILL, deed).await?;
        field.cluster.start(node, "").await?;
        field.audit().await.with_context(|| failpoint.to_owned())?;
        let active = eventually("it has begun", async || {
            let lease = field.read(&lease.name).await?;
            Ok((lease.state() == LeaseState::Active).then_some(lease))
        })
        .await?;
        let text = |day: Option<contracts::google::r#type::Date>| {
            day.map(|day| format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)).unwrap_or_default()
        };
        let (from, until) = (text(active.blocks[0].commencement_date), text(active.blocks[0].end_date));
        ensure!(from.as_str() > READY && until.as_str() > "2034-02-01", "{active:#?}");
        field.takes(&active, &from, &until).await.with_context(|| failpoint.to_owned())?;
    }
    Ok(())
}
