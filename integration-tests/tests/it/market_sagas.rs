//! Leasing dies at every named step of a bid that holds capacity and of an award. Within ten seconds of its return
//! nothing is half done, nothing is held by nobody, and the same request finds the one effect.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use contracts::leasing::v1::BidState;
use gridlease::clients::Clients;
use integration_tests::cluster::LEASING;
use integration_tests::market::request_id;
use integration_tests::requests::tender::{bid, in_seconds, need};
use integration_tests::{Cluster, Refusal, eventually, market};
use kernel::Role;
use sqlx::{AssertSqlSafe, Row as _};
use tonic::Code;

use crate::market::{award, holding, submission};
use crate::sagas::{KILL, answered};

struct Field {
    cluster: Cluster,
    block: String,
}

impl Field {
    async fn prepare() -> Result<Self> {
        let mut cluster = Cluster::new(1).await?;
        cluster.start_all().await?;
        let clients = |organisation: &str, role| cluster.clients(organisation, role);
        let site = market::site(clients, "acme", &[market::hall(1_000_000)]).await?;
        market::tenant(clients, "lab").await?;
        let block = site.blocks.first().context("a hall")?.clone();
        Ok(Self { cluster, block })
    }

    fn sales(&self) -> Result<Clients> {
        self.cluster.clients("operators/acme", Role::Sales)
    }

    fn tenant(&self) -> Result<Clients> {
        self.cluster.clients("tenants/lab", Role::Tenant)
    }

    async fn publish(&self, need: leasing::CapacityRequest) -> Result<String> {
        let create = leasing::CreateCapacityRequestRequest {
            parent: "tenants/lab".to_owned(),
            capacity_request: Some(need),
            request_id: request_id(),
            validate_only: false,
        };
        let tenant = self.tenant()?;
        let call = async || tenant.market().create_capacity_request(create.clone()).await;
        Ok(answered("a need", call).await?.capacity_request.context("a need")?.name)
    }

    async fn submit(&self, request: &leasing::SubmitBidRequest) -> Result<leasing::Bid> {
        let sales = self.sales()?;
        let call = async || sales.market().submit_bid(request.clone()).await;
        answered("a bid", call).await?.bid.context("a bid")
    }

    /// Everything that must hold however leasing died.
    async fn audit(&self) -> Result<()> {
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
}

/// What must be empty: (what it would mean, the query).
const INVARIANTS: &[(&str, &str)] = &[
    ("bids that nobody finishes", "select bid_id, state from leasing.bid where state in ('SUBMITTING', 'AWARDING')"),
    ("awards that nobody finishes", "select * from leasing.capacity_request where state = 'AWARDING'"),
    ("holds to give back that nobody gives back", "select * from leasing.hold_release"),
    (
        "capacity held by nobody",
        "select r.reservation_id, r.note from inventory.reservation r where r.state = 'HELD' and not exists (
           select from leasing.bid b where b.operator_id = r.operator_id and b.reservation_id = r.reservation_id
             and b.state in ('SUBMITTED', 'AWARDED'))",
    ),
    (
        "bids without the capacity they promise",
        "select b.bid_id from leasing.bid b where b.state in ('SUBMITTED', 'AWARDED') and b.hold_seconds is not null
           and not exists (select from inventory.reservation r where r.operator_id = b.operator_id
             and r.reservation_id = b.reservation_id and r.state = 'HELD')",
    ),
    (
        "events told twice",
        "select subject, kind, count(*) from leasing.outbox where kind like 'bid.%' or kind like 'capacity_request.%'
         group by subject, kind having count(*) > 1",
    ),
    ("oversold instants", "select * from inventory.oversold_instants()"),
];

#[tokio::test]
async fn leasing_dies_at_every_step_of_a_bid_that_holds() -> Result<()> {
    let mut field = Field::prepare().await?;
    let request = field.publish(need()).await?;
    for (number, step) in ["before_intent", "after_intent", "after_hold", "after_record"].iter().enumerate() {
        let failpoint = format!("leasing.bid.{step}");
        let submission = submission("operators/acme", holding(bid(&request, &field.block)));
        let (sales, once) = (field.sales()?, submission.clone());
        let deed = async move { sales.market().submit_bid(once).await };
        field.cluster.die_at(LEASING, &failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
        let first = field.submit(&submission).await.with_context(|| failpoint.clone())?;
        ensure!(
            first.state() == BidState::Submitted && !first.reservation.is_empty(),
            "{failpoint}: {first:#?}"
        );
        let again = field.submit(&submission).await?;
        ensure!(first == again, "{failpoint}: another answer: {again:#?}");
        field.audit().await.with_context(|| failpoint.clone())?;
        let mut superuser = field.cluster.database.superuser().await?;
        let count: i64 = sqlx::query_scalar("select count(*) from inventory.reservation")
            .fetch_one(&mut superuser)
            .await?;
        ensure!(count == i64::try_from(number)? + 1, "{failpoint}: not one hold a bid: {count}");
    }
    Ok(())
}

#[tokio::test]
async fn leasing_dies_at_every_step_of_an_award() -> Result<()> {
    let mut field = Field::prepare().await?;
    let steps = ["before_intent", "after_intent", "after_secure", "before_settle", "after_settle"];
    for step in steps {
        let failpoint = format!("leasing.award.{step}");
        let request = field.publish(need()).await?;
        let mut bids = Vec::new();
        for _ in 0..3 {
            bids.push(
                field.submit(&submission("operators/acme", holding(bid(&request, &field.block)))).await?,
            );
        }
        let choice = award(&request, &[&bids[0], &bids[1]]);
        let (tenant, once) = (field.tenant()?, choice.clone());
        let deed = async move { tenant.market().award_bid(once).await };
        field.cluster.die_at(LEASING, &failpoint, KILL, deed).await?;
        field.cluster.start(LEASING, "").await?;
        field.audit().await.with_context(|| failpoint.clone())?;
        let tenant = field.tenant()?;
        let call = async || tenant.market().award_bid(choice.clone()).await;
        let awarded = answered("the award", call).await.with_context(|| failpoint.clone())?;
        let states: Vec<_> = awarded.bids.iter().map(leasing::Bid::state).collect();
        ensure!(states == [BidState::Awarded; 2], "{failpoint}: {awarded:#?}");
        ensure!(answered("again", call).await? == awarded, "{failpoint}: another answer");
        crate::market::bid_in(&field.sales()?, &bids[2].name, BidState::Lost).await?;
        field.audit().await.with_context(|| failpoint.clone())?;
    }
    Ok(())
}

#[tokio::test]
async fn the_deadline_is_judged_by_the_statement_that_writes() -> Result<()> {
    let mut field = Field::prepare().await?;
    field.cluster.kill(LEASING)?;
    // The bid is checked before the deadline and written after it.
    field.cluster.start(LEASING, "leasing.bid.before_intent=sleep(4000)").await?;
    let sealed = leasing::CapacityRequest {
        bid_deadline: in_seconds(3),
        bid_reveal: leasing::BidReveal::AtDeadline.into(),
        ..need()
    };
    let request = field.publish(sealed).await?;
    for offer in [bid(&request, &field.block), holding(bid(&request, &field.block))] {
        let late = field.sales()?.market().submit_bid(submission("operators/acme", offer)).await;
        Refusal::expect(late)?.is(Code::FailedPrecondition, "BID_DEADLINE_PASSED")?;
    }
    let mut superuser = field.cluster.database.superuser().await?;
    let rows: i64 = sqlx::query_scalar("select count(*) from leasing.bid").fetch_one(&mut superuser).await?;
    ensure!(rows == 0, "a late bid is written");
    field.audit().await
}
