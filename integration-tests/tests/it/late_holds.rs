//! A hold that ends between the look at it and the lock: the database's clock judges it once the lock is held.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, request_id};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use tonic::{Code, Request};

const TENANT: &str = "tenants/acme-ai";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_ran_out_while_its_block_was_locked_is_not_moved() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let clients = |organisation: &str, role| fleet.clients(organisation, role);
    let site = market::site(clients, "late-power", &[market::hall(100_000)]).await?;
    let block = site.blocks.first().context("a hall")?;
    let sales = fleet.clients(&site.operator, Role::Sales)?.reservations();
    let mut names = Vec::new();
    for _ in 0..3 {
        let hold = market::hold(&site.operator, block, TENANT, market::load(1_000));
        let held = sales.clone().place_hold(hold).await?.into_inner();
        names.push(held.reservation.context("a hold")?.name);
    }
    let [to_commit, to_extend, to_release] = <[String; 3]>::try_from(names).ok().context("three holds")?;

    let mut other = fleet.database.superuser().await?;
    sqlx::raw_sql("begin; select from inventory.block_version for no key update").execute(&mut other).await?;
    let mut commit = Request::new(inventory::CommitReservationRequest {
        name: to_commit,
        request_id: request_id(),
        validate_only: false,
    });
    commit.metadata_mut().insert("gridlease-on-behalf-of", site.operator.parse()?);
    let extend = inventory::ExtendHoldRequest {
        name: to_extend,
        minimum_duration: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        request_id: request_id(),
        ..Default::default()
    };
    let release = inventory::ReleaseReservationRequest {
        name: to_release,
        request_id: request_id(),
        ..Default::default()
    };
    let mut leasing = fleet.clients("services/leasing", Role::Service)?.reservations();
    let (mut extender, mut releaser) = (sales.clone(), sales.clone());
    let late = [
        tokio::spawn(async move { leasing.commit_reservation(commit).await.map(|_| ()) }),
        tokio::spawn(async move { extender.extend_hold(extend).await.map(|_| ()) }),
        tokio::spawn(async move { releaser.release_reservation(release).await.map(|_| ()) }),
    ];
    // All three have seen their hold alive, and wait.
    let mut watcher = fleet.database.superuser().await?;
    eventually("three wait for the block", async || {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() \
             and wait_event_type = 'Lock' and query like '%inventory.move_reservation%'",
        )
        .fetch_one(&mut watcher)
        .await?;
        Ok((waiting == 3).then_some(()))
    })
    .await?;
    sqlx::raw_sql(
        "update inventory.block_version set version = version + 1000;
         update inventory.claim set version = version + 900, hold_until = clock_timestamp();
         update inventory.reservation set hold_until = clock_timestamp();
         commit",
    )
    .execute(&mut other)
    .await?;
    for call in late {
        let answer = tokio::time::timeout(Duration::from_secs(10), call).await??;
        Refusal::expect(answer.map(tonic::Response::new))?.is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
    }
    let moved: i64 = sqlx::query_scalar("select count(*) from inventory.reservation where state <> 'HELD'")
        .fetch_one(&mut watcher)
        .await?;
    ensure!(moved == 0, "{moved} holds were moved after their end");
    fleet.stop().await;
    Ok(())
}
