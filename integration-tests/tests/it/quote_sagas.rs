//! Leasing and inventory die at every named step of a quote that holds and of its acceptance. Within ten seconds of
//! their return nothing is half done, nothing is held by nobody, and the same request finds the one effect.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::cluster::{INVENTORY, LEASING, Node};
use integration_tests::market::{READY, request_id};
use integration_tests::requests::offers;
use integration_tests::world::can_quote;
use integration_tests::{Cluster, eventually, market};
use kernel::Role;
use leasing::{LeaseState, QuoteState};
use sqlx::{AssertSqlSafe, Row as _};

use crate::quotes::acceptance;
use crate::sagas::{KILL, KILL_SECOND, answered};

pub(crate) struct Field {
    pub(crate) cluster: Cluster,
}

impl Field {
    pub(crate) async fn prepare() -> Result<Self> {
        let mut cluster = Cluster::new(1).await?;
        cluster.start_all().await?;
        let clients = |organisation: &str, role| cluster.clients(organisation, role);
        let halls = [market::hall(1_000_000), market::hall(1_000_000)];
        market::site(clients, "acme", &halls).await?;
        market::tenant(clients, "lab").await?;
        let field = Self { cluster };
        let draft = leasing::CreateRateCardRequest {
            validate_only: false,
            ..offers::draft("operators/acme", "standard")
        };
        let card = field.sales()?.offers().create_rate_card(draft).await?.into_inner();
        let card = card.rate_card.context("a card")?;
        let approval = leasing::ApproveRateCardRequest {
            name: card.name,
            etag: card.etag,
            request_id: request_id(),
            validate_only: false,
        };
        let second = field.cluster.person("second", "operators/acme", Role::OperatorAdmin)?;
        second.offers().approve_rate_card(approval).await?;
        can_quote(&field.sales()?, &Self::question(60), 6).await?;
        Ok(field)
    }

    pub(crate) fn sales(&self) -> Result<Clients> {
        self.cluster.clients("operators/acme", Role::Sales)
    }

    pub(crate) fn question(seconds: i64) -> leasing::QuoteLeaseRequest {
        leasing::QuoteLeaseRequest {
            held_block_count: 2,
            option_limit: 6,
            valid_until_time: offers::in_seconds(seconds),
            ..offers::question("operators/acme", "tenants/lab", offers::need(1_000, READY))
        }
    }

    pub(crate) async fn quote(&self, request: &leasing::QuoteLeaseRequest) -> Result<leasing::Quote> {
        let sales = self.sales()?;
        let call = async || sales.offers().quote_lease(request.clone()).await;
        answered("a quote", call).await?.quote.context("a quote")
    }

    pub(crate) async fn accept(&self, request: &leasing::AcceptQuoteRequest) -> Result<leasing::Quote> {
        let tenant = self.cluster.clients("tenants/lab", Role::Tenant)?;
        let call = async || tenant.offers().accept_quote(request.clone()).await;
        answered("an acceptance", call).await?.quote.context("a quote")
    }

    pub(crate) async fn count(&self, sql: &str) -> Result<i64> {
        let mut superuser = self.cluster.database.superuser().await?;
        Ok(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut superuser).await?.get(0))
    }

    /// Everything that must hold however the processes died.
    pub(crate) async fn audit(&self) -> Result<()> {
        for (what, sql) in INVARIANTS {
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
            settled.with_context(|| format!("{what}: {left:#?}"))?;
        }
        Ok(())
    }

    /// Dies at a step of a quote; the same request finds its one effect, with both halls held once.
    async fn die_quoting(&mut self, node: Node, failpoint: &str, action: &str) -> Result<()> {
        let what = || format!("{failpoint}={action}");
        let before = self.count("select count(*) from inventory.reservation").await?;
        let request = Self::question(3_600);
        let (sales, once) = (self.sales()?, request.clone());
        let deed = async move { sales.offers().quote_lease(once).await };
        self.cluster.die_at(node, failpoint, action, deed).await?;
        self.cluster.start(node, "").await?;
        self.audit().await.with_context(what)?;
        let quote = self.quote(&request).await.with_context(what)?;
        ensure!(quote.state() == QuoteState::Open, "{}: {quote:#?}", what());
        ensure!(quote.options.iter().all(|option| !option.reservation.is_empty()), "{quote:#?}");
        ensure!(self.quote(&request).await? == quote, "{}: another answer", what());
        self.audit().await.with_context(what)?;
        let held = self.count("select count(*) from inventory.reservation").await? - before;
        ensure!(held == 2, "{}: {held} holds for two halls", what());
        Ok(())
    }

    /// Dies at a step of an acceptance; the lease has the quote's hold, and the other hall is free.
    async fn die_accepting(&mut self, node: Node, failpoint: &str, action: &str) -> Result<()> {
        let what = || format!("{failpoint}={action}");
        let quote = self.quote(&Self::question(3_600)).await?;
        let before = self.count("select count(*) from inventory.reservation").await?;
        let request = acceptance(&quote, 2);
        let (tenant, once) = (self.cluster.clients("tenants/lab", Role::Tenant)?, request.clone());
        let deed = async move { tenant.offers().accept_quote(once).await };
        self.cluster.die_at(node, failpoint, action, deed).await?;
        self.cluster.start(node, "").await?;
        self.audit().await.with_context(what)?;
        let accepted = self.accept(&request).await.with_context(what)?;
        ensure!(accepted.state() == QuoteState::Accepted, "{}: {accepted:#?}", what());
        let get = leasing::GetLeaseRequest { name: accepted.lease.clone(), version: 0 };
        let lease = self.sales()?.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
        ensure!(lease.state() == LeaseState::Proposed, "{}: {lease:#?}", what());
        ensure!(lease.reservation == quote.options[1].reservation, "{}: {lease:#?}", what());
        self.audit().await.with_context(what)?;
        let after = self.count("select count(*) from inventory.reservation").await?;
        ensure!(after == before, "{}: held twice", what());
        Ok(())
    }
}

/// What must be empty: (what it would mean, the query).
const INVARIANTS: &[(&str, &str)] = &[
    (
        "quotes that nobody finishes",
        "select quote_id, state from leasing.quote where state in ('HOLDING', 'ACCEPTING')",
    ),
    ("leases that nobody finishes", "select lease_id from leasing.lease where state in ('PROPOSING', 'SIGNING')"),
    ("holds to give back that nobody gives back", "select * from leasing.hold_release"),
    (
        "capacity held by nobody",
        "select r.reservation_id, r.note from inventory.reservation r where r.state = 'HELD'
           and not exists (select from leasing.lease l where l.operator_id = r.operator_id
             and l.reservation_id = r.reservation_id and l.state = 'PROPOSED')
           and not exists (select from leasing.quote q, jsonb_array_elements(q.body -> 'holds') h
             where q.operator_id = r.operator_id and q.state in ('PENDING_APPROVAL', 'OPEN')
               and h ->> 'reservation' = r.reservation_id::text)",
    ),
    (
        "promises without capacity",
        "select q.quote_id, h from leasing.quote q, jsonb_array_elements(q.body -> 'holds') h
         where not exists (select from inventory.reservation r where r.operator_id = q.operator_id
           and r.reservation_id::text = h ->> 'reservation' and r.state = 'HELD')",
    ),
    (
        "leases that know another end of their hold",
        "select l.lease_id, l.hold_expire_time, r.hold_until from leasing.lease l
         join inventory.reservation r on r.operator_id = l.operator_id and r.reservation_id = l.reservation_id
         where l.state = 'PROPOSED' and l.hold_expire_time <> r.hold_until",
    ),
    (
        "leases of quotes that nobody has taken up",
        "select l.lease_id, l.state, q.state from leasing.lease l
         join leasing.quote q on q.operator_id = l.operator_id and q.quote_id::text = l.lease_id
         where q.state <> 'ACCEPTED'",
    ),
    (
        "events told twice",
        "select subject, kind, count(*) from leasing.outbox where kind like 'quote.%' or kind = 'lease.proposed'
         group by subject, kind having count(*) > 1",
    ),
    ("oversold instants", "select * from inventory.oversold_instants()"),
];

#[tokio::test]
async fn leasing_dies_at_every_step_of_a_quote_that_holds() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (step, action) in [
        ("before_intent", KILL),
        ("after_intent", KILL),
        ("after_hold", KILL),
        ("after_hold", KILL_SECOND),
        ("after_record", KILL),
    ] {
        field.die_quoting(LEASING, &format!("leasing.quote.{step}"), action).await?;
    }
    Ok(())
}

#[tokio::test]
async fn leasing_dies_at_every_step_of_an_acceptance() -> Result<()> {
    let mut field = Field::prepare().await?;
    for step in ["after_intent", "after_extend", "after_propose", "after_record"] {
        field.die_accepting(LEASING, &format!("leasing.accept.{step}"), KILL).await?;
    }
    // The lease that it proposes dies its own deaths.
    for step in ["before_intent", "after_intent", "after_hold", "after_record"] {
        field.die_accepting(LEASING, &format!("leasing.propose.{step}"), KILL).await?;
    }
    Ok(())
}

#[tokio::test]
async fn inventory_dies_while_a_quote_is_held_and_taken_up() -> Result<()> {
    let mut field = Field::prepare().await?;
    for (step, action) in [("before", KILL), ("after", KILL), ("before", KILL_SECOND), ("after", KILL_SECOND)]
    {
        field.die_quoting(INVENTORY, &format!("inventory.book.{step}"), action).await?;
    }
    for step in ["before", "after"] {
        field.die_accepting(INVENTORY, &format!("inventory.move.{step}"), KILL).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_quote_that_lapses_while_leasing_is_dead_gives_everything_back() -> Result<()> {
    let mut field = Field::prepare().await?;
    let request = Field::question(3);
    let (sales, once) = (field.sales()?, request.clone());
    let deed = async move { sales.offers().quote_lease(once).await };
    field.cluster.die_at(LEASING, "leasing.quote.after_hold", KILL, deed).await?;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    field.cluster.start(LEASING, "").await?;
    eventually("everything is given back", async || {
        let held = field.count("select count(*) from inventory.reservation where state = 'HELD'").await?;
        let open = field.count("select count(*) from leasing.quote where state <> 'LAPSED'").await?;
        let placed = field.count("select count(*) from inventory.reservation").await?;
        Ok((held == 0 && open == 0 && placed > 0).then_some(()))
    })
    .await?;
    field.audit().await
}
