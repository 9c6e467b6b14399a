//! A process dies at every named step of every saga. Within ten seconds of its return nothing is half done, nothing is
//! held by nobody, and the same request finds the one effect.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::cluster::{BILLING, INVENTORY, LEASING};
use integration_tests::{Cluster, eventually, market};
use kernel::Role;
use leasing::LeaseState;
use prost_types::Duration;
use sqlx::{AssertSqlSafe, Row as _};
use tonic::{Code, Response, Status};

/// The process ends as if it were killed.
pub(crate) const KILL: &str = "return(kill)";
/// The same, the second time the place is passed.
pub(crate) const KILL_SECOND: &str = "1*off->return(kill)";

/// A cluster with a market, and somebody on each side.
pub(crate) struct Field {
    pub(crate) cluster: Cluster,
    pub(crate) operator: String,
    pub(crate) block: String,
    pub(crate) tenant: String,
}

impl Field {
    pub(crate) async fn prepare() -> Result<Self> {
        let mut cluster = Cluster::new(1).await?;
        cluster.start_all().await?;
        let clients = |organisation: &str, role| cluster.clients(organisation, role);
        let site = market::site(clients, "acme", &[market::hall(1_000_000)]).await?;
        let tenant = market::tenant(clients, "lab").await?;
        let block = site.blocks.first().context("a hall")?.clone();
        Ok(Self { cluster, operator: site.operator, block, tenant })
    }

    fn proposal(&self, id: &str) -> leasing::ProposeLeaseRequest {
        let terms = market::terms(&self.block, market::load(1_000));
        market::proposal(&self.operator, &self.tenant, id, terms)
    }

    pub(crate) async fn propose(&self, request: &leasing::ProposeLeaseRequest) -> Result<leasing::Lease> {
        let sales = self.cluster.clients(&self.operator, Role::Sales)?;
        let call = async || sales.leases().propose_lease(request.clone()).await;
        answered("a proposal", call).await?.lease.context("a lease")
    }

    /// Proposed for a minute, so that signing must extend the hold; signed by the tenant.
    async fn half_signed(&self, id: &str) -> Result<leasing::Lease> {
        let mut proposal = self.proposal(id);
        proposal.hold_duration = Some(Duration { seconds: 60, nanos: 0 });
        let lease = self.propose(&proposal).await?;
        let tenant = self.cluster.clients(&self.tenant, Role::Tenant)?;
        let signature = market::signature(&lease);
        answered("the tenant's signature", async || tenant.leases().sign_lease(signature.clone()).await)
            .await?;
        Ok(lease)
    }

    pub(crate) async fn sign_last(&self, request: &leasing::SignLeaseRequest) -> Result<leasing::Lease> {
        let admin = self.cluster.clients(&self.operator, Role::OperatorAdmin)?;
        let call = async || admin.leases().sign_lease(request.clone()).await;
        answered("the last signature", call).await?.lease.context("a lease")
    }

    /// Sends a proposal once, whatever becomes of it.
    fn propose_once(&self, request: leasing::ProposeLeaseRequest) -> Result<impl Future + use<>> {
        let sales = self.cluster.clients(&self.operator, Role::Sales)?;
        Ok(async move { sales.leases().propose_lease(request).await })
    }

    /// Sends the operator's signature once, whatever becomes of it.
    fn sign_once(&self, request: leasing::SignLeaseRequest) -> Result<impl Future + use<>> {
        let admin = self.cluster.clients(&self.operator, Role::OperatorAdmin)?;
        Ok(async move { admin.leases().sign_lease(request).await })
    }

    /// Sends a hold once, whatever becomes of it.
    fn hold_once(&self, request: inventory::PlaceHoldRequest) -> Result<impl Future + use<>> {
        let sales = self.cluster.clients(&self.operator, Role::Sales)?;
        Ok(async move { sales.reservations().place_hold(request).await })
    }

    /// The rows of a query that must have none, once everything has settled.
    pub(crate) async fn none(&self, what: &str, sql: &str) -> Result<()> {
        let mut superuser = self.cluster.database.superuser().await?;
        let mut left = Vec::new();
        let settled = eventually(what, async || {
            let rows = sqlx::query(AssertSqlSafe(format!("select to_jsonb(q)::text from ({sql}) q")))
                .fetch_all(&mut superuser)
                .await?;
            left = rows.iter().map(|row| row.get::<String, _>(0)).collect();
            Ok(left.is_empty().then_some(()))
        })
        .await;
        settled.with_context(|| format!("{what}: {left:#?}"))
    }

    /// Everything that must hold however the processes died.
    pub(crate) async fn audit(&self) -> Result<()> {
        for (what, sql) in INVARIANTS {
            self.none(what, sql).await?;
        }
        Ok(())
    }
}

/// What must be empty: (what it would mean, the query).
const INVARIANTS: &[(&str, &str)] = &[
    (
        "sagas that nobody finishes",
        "select lease_id, state, life -> 'pending' as pending from leasing.lease
         where state in ('PROPOSING', 'SIGNING') or intent_rpc is not null or life -> 'claims_due' = 'true'",
    ),
    ("holds to give back that nobody gives back", "select * from leasing.hold_release"),
    ("oversold instants", "select * from inventory.oversold_instants()"),
    (
        "capacity held by nobody",
        "select r.reservation_id, r.state, r.note from inventory.reservation r
         where r.kind = 'LEASE' and (r.state = 'COMMITTED' or r.state = 'HELD' and r.hold_until > clock_timestamp())
           and not exists (select from leasing.lease l
             where l.operator_id = r.operator_id and l.reservation_id = r.reservation_id
               and (r.state = 'COMMITTED') = (l.state <> 'PROPOSED')
               and l.state in ('PROPOSED', 'SIGNED', 'EFFECTIVE', 'ACTIVE', 'HOLDOVER', 'DEFAULTED', 'EXPIRED',
                               'CLOSED'))",
    ),
    (
        "leases without the capacity they promise",
        "select l.lease_id, l.state from leasing.lease l
         where l.state in ('PROPOSED', 'SIGNED', 'EFFECTIVE', 'ACTIVE', 'HOLDOVER', 'DEFAULTED') and not l.unplaced
           and not exists (select from inventory.reservation r
           where r.operator_id = l.operator_id and r.reservation_id = l.reservation_id
             and r.state = case l.state when 'PROPOSED' then 'HELD' else 'COMMITTED' end)",
    ),
    (
        "claims that differ from their reservation",
        "select c.reservation_id, c.state, r.state as of from inventory.claim c
         join inventory.reservation r using (operator_id, reservation_id)
         where c.state <> 'AMENDED' and (c.state <> r.state or c.hold_until <> r.hold_until)",
    ),
    (
        "events told twice",
        "select subject, kind, count(*) from leasing.outbox where kind like 'lease.%'
         group by subject, kind having count(*) > case kind when 'lease.signed' then 2 else 1 end",
    ),
    (
        "reservation events told twice",
        "select subject, kind, count(*) from inventory.outbox
         where kind in ('reservation.held', 'reservation.committed', 'reservation.released')
         group by subject, kind having count(*) > 1",
    ),
    (
        "events that billing has not applied",
        "select o.event_id, o.kind from leasing.outbox o where o.kind like 'lease.%' and not exists (
           select from billing.applied_event a where a.operator_id = o.operator_id and a.event_id = o.event_id)",
    ),
    (
        "events that billing has from nowhere",
        "select a.event_id from billing.applied_event a where not exists (
           select from leasing.outbox o where o.operator_id = a.operator_id and o.event_id = a.event_id)",
    ),
    (
        "leases that billing knows otherwise",
        "select l.lease_id, l.state, b.state as copy from leasing.lease l
         full join billing.lease b on b.operator_id = l.operator_id and b.lease_id = l.lease_id
         where b.state is distinct from l.state or b.version is distinct from l.version",
    ),
    ("leases that billing could not keep", "select * from billing.parked_lease"),
];

/// Whether a call's outcome is open: on a busy machine, or where the server ended the connection, as it does after ten
/// minutes. The same request finds it.
pub(crate) fn is_open(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Aborted | Code::DeadlineExceeded | Code::Cancelled)
}

/// Repeats a call under the same request id until it is answered.
pub(crate) async fn answered<T>(
    what: &str,
    mut call: impl AsyncFnMut() -> Result<Response<T>, Status>,
) -> Result<T> {
    eventually(what, async || match call().await {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if is_open(&status) => Ok(None),
        Err(status) => Err(status.into()),
    })
    .await
}

#[tokio::test]
async fn leasing_dies_at_every_step_of_a_proposal() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, step) in ["before_intent", "after_intent", "after_hold", "after_record"].iter().enumerate() {
        let failpoint = format!("leasing.propose.{step}");
        let proposal = field.proposal(&format!("lease-{number}"));
        let deed = field.propose_once(proposal.clone())?;
        field.cluster.die_at(LEASING, &failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
        let lease = field.propose(&proposal).await.with_context(|| failpoint.clone())?;
        ensure!(lease.state() == LeaseState::Proposed, "{failpoint}: {lease:#?}");
        field.audit().await.with_context(|| failpoint.clone())?;
        let (twice, number) = (field.propose(&proposal).await?, number + 1);
        ensure!(twice == lease, "{failpoint}: another answer: {twice:#?}");
        let count = format!("select count(*) from inventory.reservation having count(*) <> {number}");
        field.none(&format!("{failpoint}: not one hold a lease"), &count).await?;
    }
    Ok(())
}

#[tokio::test]
async fn leasing_dies_at_every_step_of_the_last_signature() -> Result<()> {
    let mut field = Field::prepare().await?;
    let steps = ["before_extend", "after_extend", "after_intent", "after_commit", "after_record"];
    for (number, step) in steps.iter().enumerate() {
        let failpoint = format!("leasing.sign.{step}");
        let lease = field.half_signed(&format!("lease-{number}")).await?;
        let signature = market::signature(&lease);
        let deed = field.sign_once(signature.clone())?;
        field.cluster.die_at(LEASING, &failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
        let signed = field.sign_last(&signature).await.with_context(|| failpoint.clone())?;
        ensure!(signed.state() == LeaseState::Effective, "{failpoint}: {signed:#?}");
        ensure!(signed.signatures.len() == 2, "{failpoint}: {signed:#?}");
        field.audit().await.with_context(|| failpoint.clone())?;
    }
    Ok(())
}

#[tokio::test]
async fn inventory_dies_before_and_after_it_books() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, step) in ["before", "after"].iter().enumerate() {
        let failpoint = format!("inventory.book.{step}");
        // A hold by hand: the caller alone knows of it.
        let hold = market::hold(&field.operator, &field.block, &field.tenant, market::load(7));
        let deed = field.hold_once(hold.clone())?;
        field.cluster.die_at(INVENTORY, &failpoint, KILL, deed).await?;
        field.cluster.start(INVENTORY, "").await?;
        let sales = field.cluster.clients(&field.operator, Role::Sales)?;
        let placed =
            answered(&failpoint, async || sales.reservations().place_hold(hold.clone()).await).await?;
        let again =
            answered(&failpoint, async || sales.reservations().place_hold(hold.clone()).await).await?;
        ensure!(placed == again, "{failpoint}: another answer: {again:#?}");
        let count = format!(
            "select count(*) from inventory.claim where critical_it_kw = 7 having count(*) <> {}",
            number + 1
        );
        field.none(&format!("{failpoint}: not one claim a hold"), &count).await?;
        // The hold of a proposal: leasing waits for it.
        let proposal = field.proposal(&format!("lease-{number}"));
        let deed = field.propose_once(proposal.clone())?;
        field.cluster.die_at(INVENTORY, &failpoint, KILL, deed).await?;
        field.cluster.start(INVENTORY, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
        let lease = field.propose(&proposal).await.with_context(|| failpoint.clone())?;
        ensure!(lease.state() == LeaseState::Proposed, "{failpoint}: {lease:#?}");
        field.audit().await.with_context(|| failpoint.clone())?;
    }
    Ok(())
}

#[tokio::test]
async fn inventory_dies_before_and_after_it_moves_a_reservation() -> Result<()> {
    let mut field = Field::prepare().await?;
    // Signing moves its reservation twice: it is extended, then committed.
    let deaths = [("before", KILL), ("after", KILL), ("before", KILL_SECOND), ("after", KILL_SECOND)];
    for (number, (step, action)) in deaths.into_iter().enumerate() {
        let failpoint = format!("inventory.move.{step}");
        let what = || format!("{failpoint}={action}");
        let lease = field.half_signed(&format!("lease-{number}")).await?;
        let signature = market::signature(&lease);
        let deed = field.sign_once(signature.clone())?;
        field.cluster.die_at(INVENTORY, &failpoint, action, deed).await?;
        field.cluster.start(INVENTORY, "").await?;
        field.audit().await.with_context(what)?;
        let signed = field.sign_last(&signature).await.with_context(what)?;
        ensure!(signed.state() == LeaseState::Effective, "{}: {signed:#?}", what());
        field.audit().await.with_context(what)?;
    }
    Ok(())
}

#[tokio::test]
async fn billing_dies_before_and_after_it_takes_an_event() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (number, step) in ["before_commit", "after_commit"].iter().enumerate() {
        let failpoint = format!("billing.consume.{step}");
        field.cluster.kill(BILLING)?;
        let lease = field.half_signed(&format!("lease-{number}")).await?;
        field.sign_last(&market::signature(&lease)).await?;
        // On the first event, and in the middle of what is left.
        for action in [KILL, KILL_SECOND] {
            field.cluster.start_to_die(BILLING, &failpoint, action).await?;
        }
        field.cluster.start(BILLING, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
    }
    Ok(())
}
