//! A cluster of accelerators is reserved as atomically as its power: the count is a limit like every other.

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::{CapacityVector, Resource};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, READY, date};
use integration_tests::{Refusal, TestStack};
use kernel::{Clock as _, Role, SystemClock};
use tonic::Code;

const TENANT: &str = "tenants/acme-ai";

/// Servers with this many accelerators each, at 10 kW apiece.
fn servers(count: i64, accelerators: i64) -> CapacityVector {
    CapacityVector { accelerators, ..market::load(count * 10) }
}

/// A hall with power for 1,000 servers, and accelerators for 100 of eight.
fn cluster() -> CapacityVector {
    CapacityVector { accelerators: 800, ..market::hall(10_000) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_sell_each_accelerator_once_where_the_count_is_the_limit() -> Result<()> {
    let fleet = Fleet::start(3).await?;
    let site = market::site(|o, r| fleet.clients(o, r), "gpu-power", &[cluster()]).await?;
    let hall = site.blocks.first().context("a hall")?;
    // 130 ask for eight each, and 800 are there.
    let asked = (0..130).map(|n| {
        let clients = fleet.clients_at(n, &site.operator, Role::Sales);
        let request = market::hold(&site.operator, hall, TENANT, servers(1, 8));
        async move { anyhow::Ok(clients?.reservations().place_hold(request).await) }
    });
    let answers = futures::future::join_all(asked).await.into_iter().collect::<Result<Vec<_>>>()?;
    let (held, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    ensure!(held.len() == 100, "{} were held", held.len());
    for answer in refused {
        let refusal = Refusal::expect(answer)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
        ensure!(refusal.fact("resource")? == "ACCELERATORS", "{refusal:#?}");
        ensure!((refusal.fact("shortKw")?, refusal.fact("availableKw")?) == ("8", "0"), "{refusal:#?}");
        ensure!(refusal.fact("earliestTime")? == "2037-01-01T06:00:00Z", "{refusal:#?}");
        ensure!(refusal.message.contains("short of 8 of ACCELERATORS"), "{}", refusal.message);
    }
    ensure!(fleet.database.oversold().await? == 0);

    // Power alone is still to be had, and what is taken of each lane is told.
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    sales.reservations().place_hold(market::hold(&site.operator, hall, TENANT, market::load(5_000))).await?;
    let days = inventory::GetAvailabilityRequest {
        name: hall.clone(),
        start_date: Some(date(READY)),
        end_date: Some(date("2028-01-01")),
        ..Default::default()
    };
    let steps = sales.capacity().get_availability(days).await?.into_inner().steps;
    let [step] = steps.as_slice() else { anyhow::bail!("{steps:#?}") };
    ensure!(step.capacity.is_some_and(|all| all.accelerators == 800), "{step:#?}");
    ensure!(
        step.free.is_some_and(|free| free.accelerators == 0 && free.critical_it_kw == 4_000),
        "{step:#?}"
    );
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_search_and_a_lease_carry_the_count() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "gpu-power", &[market::hall(10_000), cluster()]).await?;
    let hall = site.blocks.get(1).context("a hall")?;
    let tenant = market::tenant(clients, "lab").await?;
    let sales = stack.clients(&site.operator, Role::Sales)?;
    let need = |accelerators| inventory::FindEarliestCapacityRequest {
        parent: site.operator.clone(),
        capacity: Some(servers(10, accelerators)),
        term_months: 120,
        not_before_date: Some(date(READY)),
        fresh_from_time: Some(runtime::wire::to_timestamp(SystemClock.now())),
        ..Default::default()
    };
    let found = sales.capacity().find_earliest_capacity(need(80)).await?.into_inner();
    ensure!(found.block == *hall, "{found:#?}");
    let never = sales.capacity().find_earliest_capacity(need(801)).await?.into_inner();
    ensure!(never.block.is_empty() && never.limiting_resource() == Resource::Accelerators, "{never:#?}");

    let terms = market::terms(hall, servers(10, 80));
    let proposal = market::proposal(&site.operator, &tenant, "cluster", terms.clone());
    let lease = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
    let get = leasing::GetLeaseRequest { name: lease.name, version: 0 };
    let read = sales.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    ensure!(read.terms.context("terms")?.premises == terms.premises);
    let rest = market::hold(&site.operator, hall, &tenant, servers(1, 721));
    let refusal = Refusal::expect(sales.reservations().place_hold(rest).await)?;
    ensure!((refusal.fact("shortKw")?, refusal.fact("availableKw")?) == ("1", "720"), "{refusal:#?}");
    stack.stop().await;
    Ok(())
}
