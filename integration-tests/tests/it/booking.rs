//! Never the same megawatt twice: races for one hall, through one replica and through three, with and without the
//! sweeper, and what the database itself refuses.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::cluster::Node;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, READY, Site, profile};
use integration_tests::{Cluster, Refusal};
use kernel::Role;
use sqlx::Row as _;
use tonic::Code;

const TENANT: &str = "tenants/acme-ai";

/// A megawatt of IT load, 85% of its heat in liquid.
fn megawatt() -> CapacityVector {
    market::load(1_000)
}

fn vector(it: i64, air: i64, liquid: i64) -> CapacityVector {
    CapacityVector {
        critical_it_kw: it,
        air_cooling_kw: air,
        liquid_cooling_kw: liquid,
        ..Default::default()
    }
}

async fn one_hall(fleet: &Fleet, capacity: CapacityVector) -> Result<(Site, String)> {
    let site = market::site(|o, r| fleet.clients(o, r), "race-power", &[capacity]).await?;
    let hall = site.blocks.first().context("a hall")?.clone();
    Ok((site, hall))
}

/// 64 clients ask until each has been refused; gives what was accepted and refused. `client` gives the n-th one.
async fn race(
    client: impl Fn(usize) -> Result<Clients>,
    site: &Site,
    hall: &str,
) -> Result<(u32, Vec<Refusal>)> {
    let clients = (0..64).map(client).collect::<Result<Vec<_>>>()?;
    let racers = clients.into_iter().map(|client| {
        let request = market::hold(&site.operator, hall, TENANT, megawatt());
        tokio::spawn(async move {
            let mut accepted = 0;
            loop {
                let request =
                    inventory::PlaceHoldRequest { request_id: market::request_id(), ..request.clone() };
                match client.reservations().place_hold(request).await {
                    Ok(_) => accepted += 1,
                    Err(status) => return anyhow::Ok((accepted, Refusal::of(&status)?)),
                }
            }
        })
    });
    let mut total = 0;
    let mut refusals = Vec::new();
    for racer in futures::future::join_all(racers).await {
        let (accepted, refusal) = racer??;
        total += accepted;
        refusals.push(refusal);
    }
    Ok((total, refusals))
}

fn check_refusals(refusals: Vec<Refusal>, hall: &str, resource: &str, short_kw: &str) -> Result<()> {
    for refusal in refusals {
        let refusal = refusal.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
        ensure!(refusal.fact("block")? == hall, "{refusal:#?}");
        ensure!(refusal.fact("resource")? == resource, "{refusal:#?}");
        ensure!(refusal.fact("shortKw")? == short_kw, "{refusal:#?}");
        ensure!(refusal.fact("availableKw")? == "0", "{refusal:#?}");
        ensure!(refusal.fact("firstShortTime")? == "2027-01-01T06:00:00Z", "{refusal:#?}");
        ensure!(refusal.fact("largestKw")? == "0", "{refusal:#?}");
        // Ten years later the holds end, and the hall is free for ten years more.
        ensure!(refusal.fact("earliestTime")? == "2037-01-01T06:00:00Z", "{refusal:#?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_megawatts_are_booked_a_hundred_times_and_no_more() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let (site, hall) = one_hall(&fleet, vector(100_000, 100_000, 100_000)).await?;
    let (accepted, refusals) =
        race(|n| fleet.clients_at(n, &site.operator, Role::Sales), &site, &hall).await?;
    ensure!(accepted == 100, "{accepted} were accepted");
    check_refusals(refusals, &hall, "CRITICAL_IT", "1000")?;
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_book_exactly_as_much_and_liquid_cooling_is_the_limit() -> Result<()> {
    let mut cluster = Cluster::new(3).await?;
    for replica in 0..3 {
        cluster.start(Node { service: "inventory", replica }, "").await?;
    }
    let capacity = vector(200_000, 200_000, 100 * 850);
    let site = market::site(|o, r| cluster.clients(o, r), "race-power", &[capacity]).await?;
    let hall = site.blocks.first().context("a hall")?;
    let (accepted, refusals) =
        race(|n| cluster.clients_of(&site.operator, Role::Sales, n % 3), &site, hall).await?;
    ensure!(accepted == 100, "{accepted} were accepted");
    check_refusals(refusals, hall, "LIQUID_COOLING", "850")?;
    ensure!(cluster.database.oversold().await? == 0);
    Ok(())
}

/// Rows of the three tables that a change of a reservation touches.
async fn rows(fleet: &Fleet) -> Result<Vec<String>> {
    let mut superuser = fleet.database.superuser().await?;
    let rows = sqlx::query(
        "select r::text from inventory.reservation r union all select c::text from inventory.claim c \
         union all select v::text from inventory.block_version v order by 1",
    )
    .fetch_all(&mut superuser)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Makes every hold run out now, as if time had passed: the row says so, and the block's version tells every desk.
async fn let_time_pass(fleet: &Fleet) -> Result<()> {
    let mut superuser = fleet.database.superuser().await?;
    sqlx::raw_sql(
        "begin;
         update inventory.block_version set version = version + 1000;
         update inventory.claim set version = version + 900, hold_until = clock_timestamp();
         update inventory.reservation set hold_until = clock_timestamp();
         commit",
    )
    .execute(&mut superuser)
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_ran_out_is_gone_for_everybody_without_a_sweeper() -> Result<()> {
    let fleet = Fleet::start(2).await?;
    let (site, hall) = one_hall(&fleet, market::hall(100_000)).await?;
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let all = market::load(100_000);
    let request = market::hold(&site.operator, &hall, TENANT, all);
    let held = sales.reservations().place_hold(request).await?.into_inner();
    let held = held.reservation.context("a reservation")?;
    let second = market::hold(&site.operator, &hall, TENANT, megawatt());
    Refusal::expect(sales.reservations().place_hold(second.clone()).await)?
        .is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;

    let_time_pass(&fleet).await?;
    let get = inventory::GetReservationRequest { name: held.name.clone(), ..Default::default() };
    let seen = sales.reservations().get_reservation(get).await?.into_inner().reservation;
    ensure!(seen.context("a reservation")?.state() == inventory::ReservationState::Expired);
    let days = inventory::GetAvailabilityRequest {
        name: hall.clone(),
        start_date: Some(market::date(READY)),
        end_date: Some(market::date("2030-01-01")),
        ..Default::default()
    };
    let steps = sales.capacity().get_availability(days).await?.into_inner().steps;
    ensure!(steps.len() == 1 && steps[0].free == steps[0].capacity, "{steps:#?}");

    // A late commit, extension or release finds it gone and changes no row.
    let before = rows(&fleet).await?;
    let leasing = fleet.clients("services/leasing", Role::Service)?;
    let name = held.name.clone();
    let late = inventory::ExtendHoldRequest {
        name: name.clone(),
        minimum_duration: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        request_id: market::request_id(),
        ..Default::default()
    };
    Refusal::expect(sales.reservations().extend_hold(late).await)?
        .is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
    let late = inventory::ReleaseReservationRequest {
        name: name.clone(),
        request_id: market::request_id(),
        ..Default::default()
    };
    Refusal::expect(sales.reservations().release_reservation(late).await)?
        .is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
    let mut late = tonic::Request::new(inventory::CommitReservationRequest {
        name,
        request_id: market::request_id(),
        validate_only: false,
    });
    late.metadata_mut().insert("gridlease-on-behalf-of", site.operator.parse()?);
    Refusal::expect(leasing.reservations().commit_reservation(late).await)?
        .is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
    ensure!(rows(&fleet).await? == before, "a refused deed changed a row");

    // Both replicas, whatever they remember, give the capacity to the next who asks.
    for replica in 0..2 {
        let sales = fleet.clients_at(replica, &site.operator, Role::Sales)?;
        let half = market::hold(&site.operator, &hall, TENANT, market::load(50_000));
        sales.reservations().place_hold(half).await.with_context(|| format!("replica {replica}"))?;
    }
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_services_own_role_cannot_write_claims() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let (site, hall) = one_hall(&fleet, market::hall(10_000)).await?;
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    sales.reservations().place_hold(market::hold(&site.operator, &hall, TENANT, megawatt())).await?;
    for role in ["inventory", "inventory_worker"] {
        let db = fleet.database.db(role).await?;
        for statement in [
            "insert into inventory.claim select * from inventory.claim",
            "update inventory.claim set critical_it_kw = 0",
            "delete from inventory.claim",
            "insert into inventory.reservation select * from inventory.reservation",
            "update inventory.reservation set state = 'COMMITTED'",
            "delete from inventory.reservation",
            "update inventory.block_version set version = version + 1",
            "delete from inventory.block_version",
            "truncate inventory.claim",
            "alter table inventory.claim disable row level security",
        ] {
            let error = sqlx::raw_sql(statement).execute(db.sqlx()).await.err().context(statement)?;
            let code =
                error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
            ensure!(code.as_deref() == Some("42501"), "{role}: {statement}: {error}");
        }
    }
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_auditor_finds_a_claim_that_was_planted() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let (site, hall) = one_hall(&fleet, market::hall(100_000)).await?;
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let all = market::hold(&site.operator, &hall, TENANT, market::load(100_000));
    sales.reservations().place_hold(all).await?;
    ensure!(fleet.database.oversold().await? == 0);
    let mut superuser = fleet.database.superuser().await?;
    sqlx::raw_sql(
        "insert into inventory.claim \
         select operator_id, block_id, version + 1000, reservation_id, tenant_id, kind, state, hold_until, \
                '2030-01-01Z', '2031-01-01Z', 1, 0, 0, 0, 0 from inventory.claim",
    )
    .execute(&mut superuser)
    .await?;
    let found =
        sqlx::query("select resource, at::text, used_kw, capacity_kw from inventory.oversold_instants()")
            .fetch_all(&mut superuser)
            .await?;
    ensure!(found.len() == 1, "{} instants", found.len());
    ensure!(found[0].try_get::<String, _>(0)? == "critical_it");
    ensure!(found[0].try_get::<String, _>(1)?.starts_with("2030-01-01"));
    ensure!((found[0].try_get::<i64, _>(2)?, found[0].try_get::<i64, _>(3)?) == (100_001, 100_000));
    // The worker's role sees the same: that is what the scheduled job asks.
    let worker = fleet.database.db("inventory_worker").await?;
    let seen: i64 = sqlx::query_scalar("select count(*) from inventory.oversold_instants()")
        .fetch_one(worker.sqlx())
        .await?;
    ensure!(seen == 1);
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_auditor_looks_at_each_block_once_however_few_at_a_time() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let mut superuser = fleet.database.superuser().await?;
    for operator in ["race-power", "more-power"] {
        let site = market::site(|o, r| fleet.clients(o, r), operator, &[market::hall(1_000); 3]).await?;
        let hall = site.blocks.first().context("a hall")?;
        let one = market::hold(&site.operator, hall, TENANT, market::load(1_000));
        fleet.clients(&site.operator, Role::Sales)?.reservations().place_hold(one).await?;
    }
    sqlx::raw_sql(
        "insert into inventory.claim \
         select c.operator_id, b.block_id, c.version + 1000, c.reservation_id, c.tenant_id, c.kind, c.state, c.hold_until, \
                '2030-01-01Z', '2031-01-01Z', 1001, 0, 0, 0, 0 \
         from inventory.claim c join inventory.block b on b.operator_id = c.operator_id",
    )
    .execute(&mut superuser)
    .await?;
    let worker = fleet.database.db("inventory_worker").await?;
    for at_a_time in [1, 2, 3, 5, 6, 7] {
        let found = ::inventory::store::jobs::oversold(&worker, at_a_time).await?;
        let halls: BTreeSet<_> = found.iter().map(|at| at.block).collect();
        ensure!((found.len(), halls.len()) == (6, 6), "{at_a_time} at a time: {found:#?}");
    }
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_id_books_once_whatever_the_number_of_senders_and_replicas() -> Result<()> {
    let fleet = Fleet::start(3).await?;
    let (site, hall) = one_hall(&fleet, market::hall(100_000)).await?;
    let request = market::hold(&site.operator, &hall, TENANT, market::load(60_000));
    let senders = (0..48).map(|n| {
        let clients = fleet.clients_at(n, &site.operator, Role::Sales);
        let mut request = request.clone();
        if n % 2 == 1 {
            // The same UUID, written otherwise.
            request.request_id = request.request_id.to_uppercase();
        }
        async move { anyhow::Ok(clients?.reservations().place_hold(request).await?.into_inner()) }
    });
    // 60 MW fit once only: a second execution would be refused, a replay must not be.
    let answers = futures::future::join_all(senders).await.into_iter().collect::<Result<Vec<_>>>()?;
    let first = answers.first().context("an answer")?;
    ensure!(answers.iter().all(|answer| answer == first), "replies differ");
    let mut superuser = fleet.database.superuser().await?;
    let placed: i64 =
        sqlx::query_scalar("select count(*) from inventory.reservation").fetch_one(&mut superuser).await?;
    ensure!(placed == 1, "{placed} reservations");

    for replica in 0..3 {
        let sales = fleet.clients_at(replica, &site.operator, Role::Sales)?;
        let again = sales.reservations().place_hold(request.clone()).await?;
        ensure!(again.metadata().get("idempotent-replayed").is_some(), "not marked as a replay");
        let other = inventory::PlaceHoldRequest { note: "another payload".to_owned(), ..request.clone() };
        let refusal = Refusal::expect(sales.reservations().place_hold(other).await)?
            .is(Code::FailedPrecondition, "REQUEST_ID_REUSED")?;
        refusal.fact("firstSeenAt")?;
    }
    // Another organisation's request id is another key.
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let own = inventory::PlaceHoldRequest {
        tenant: String::new(),
        claims: market::hold(&site.operator, &hall, TENANT, megawatt()).claims,
        ..request
    };
    tenant.reservations().place_hold(own).await?;
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_of_two_halls_is_whole_or_not_at_all() -> Result<()> {
    let fleet = Fleet::start(3).await?;
    let halls = [market::hall(20_000), market::hall(20_000)];
    let site = market::site(|o, r| fleet.clients(o, r), "race-power", &halls).await?;
    let pair = |n: usize| {
        let mut claims: Vec<_> = site
            .blocks
            .iter()
            .map(|block| inventory::Claim {
                block: block.clone(),
                profile: Some(profile(megawatt(), READY, "2037-01-01")),
            })
            .collect();
        match n % 4 {
            0 => claims.reverse(),
            1 => {}
            single => claims = vec![claims.swap_remove(single - 2)],
        }
        inventory::PlaceHoldRequest {
            claims,
            ..market::hold(&site.operator, &site.blocks[0], TENANT, megawatt())
        }
    };
    let racers = (0..120).map(|n| {
        let clients = fleet.clients_at(n, &site.operator, Role::Sales);
        let request = pair(n);
        async move {
            match clients?.reservations().place_hold(request).await {
                Ok(_) => anyhow::Ok(None),
                Err(status) => Ok(Some(Refusal::of(&status)?)),
            }
        }
    });
    let answers = futures::future::join_all(racers).await.into_iter().collect::<Result<Vec<_>>>()?;
    for refusal in answers.into_iter().flatten() {
        refusal.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    }
    ensure!(fleet.database.oversold().await? == 0);
    let mut superuser = fleet.database.superuser().await?;
    let taken: Vec<i64> = sqlx::query_scalar(
        "select sum(critical_it_kw)::bigint from inventory.claim group by block_id order by 1",
    )
    .fetch_all(&mut superuser)
    .await?;
    ensure!(taken == [20_000, 20_000], "everybody wanted a megawatt, yet {taken:?} kW were taken");
    // The replies' events hold the claims that were asked for; the rows must be as many.
    let halves: i64 = sqlx::query_scalar(
        "select count(*) from (select reservation_id, count(*) as n from inventory.claim group by 1) c \
         join inventory.outbox o on o.subject like '%' || c.reservation_id::text \
         where c.n <> (length(encode(o.payload, 'escape')) - length(replace(encode(o.payload, 'escape'), '/blocks/', ''))) / 8",
    )
    .fetch_one(&mut superuser)
    .await?;
    ensure!(halves == 0, "{halves} reservations are not whole");
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_tenant_has_a_bounded_number_of_holds_and_sees_its_own_only() -> Result<()> {
    let mut own = ::inventory::InventorySettings::default();
    own.quota_open_holds = std::num::NonZeroU32::MIN.saturating_add(2);
    let fleet = Fleet::start_with(1, own).await?;
    let (site, hall) = one_hall(&fleet, market::hall(100_000)).await?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let hold = || inventory::PlaceHoldRequest {
        tenant: String::new(),
        ..market::hold(&site.operator, &hall, TENANT, megawatt())
    };
    let mut left = Vec::new();
    for _ in 0..3 {
        left.push(tenant.reservations().place_hold(hold()).await?.into_inner().quota_left);
    }
    ensure!(left == [Some(2), Some(1), Some(0)], "{left:?}");
    let refusal = Refusal::expect(tenant.reservations().place_hold(hold()).await)?
        .is(Code::ResourceExhausted, "QUOTA_EXCEEDED")?;
    ensure!(refusal.details.contains(&"QuotaFailure"), "{refusal:#?}");
    // The operator itself is not bounded, and its holds are nobody else's to see.
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let other = market::hold(&site.operator, &hall, "tenants/other-ai", megawatt());
    let foreign = sales.reservations().place_hold(other).await?.into_inner().reservation.context("a hold")?;
    let list = |parent: &str| inventory::ListReservationsRequest {
        parent: parent.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut seen = BTreeSet::new();
    let mut request = list("operators/-");
    loop {
        let page = tenant.reservations().list_reservations(request.clone()).await?.into_inner();
        seen.extend(page.reservations.into_iter().map(|reservation| reservation.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    ensure!(seen.len() == 3 && !seen.contains(&foreign.name), "{seen:#?}");
    let get = inventory::GetReservationRequest { name: foreign.name, ..Default::default() };
    Refusal::expect(tenant.reservations().get_reservation(get).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    fleet.stop().await;
    Ok(())
}

/// Ends every connection of the booking desk, again and again.
async fn cut_connections(fleet: &Fleet, times: u32) -> Result<i64> {
    let mut superuser = fleet.database.superuser().await?;
    let mut cut = 0;
    for _ in 0..times {
        cut += sqlx::query_scalar::<_, i64>(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity \
             where application_name = 'inventory_desk' and datname = current_database()",
        )
        .fetch_one(&mut superuser)
        .await?;
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    Ok(cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_lost_in_the_middle_lose_and_double_nothing() -> Result<()> {
    let fleet = Fleet::start(2).await?;
    let (site, hall) = one_hall(&fleet, vector(400_000, 400_000, 400_000)).await?;
    let racers = (0..32).map(|n| {
        let clients = fleet.clients_at(n, &site.operator, Role::Sales);
        let request = market::hold(&site.operator, &hall, TENANT, megawatt());
        async move {
            let clients = clients?;
            let mut names = BTreeSet::new();
            let mut request = inventory::PlaceHoldRequest { request_id: market::request_id(), ..request };
            loop {
                match clients.reservations().place_hold(request.clone()).await {
                    Ok(answer) => {
                        let placed = answer.into_inner().reservation.context("a hold")?;
                        names.insert(placed.name);
                        request.request_id = market::request_id();
                    }
                    // Whatever became of it: the same request id asks again, and is told.
                    Err(status)
                        if matches!(
                            status.code(),
                            Code::Unavailable | Code::DeadlineExceeded | Code::Aborted
                        ) => {}
                    Err(status) => {
                        Refusal::of(&status)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
                        return anyhow::Ok(names);
                    }
                }
            }
        }
    });
    let (cut, placed) = tokio::join!(cut_connections(&fleet, 20), futures::future::join_all(racers));
    ensure!(cut? > 0, "no connection was cut: the test proves nothing");
    let mut told = BTreeSet::new();
    for names in placed {
        told.extend(names?);
    }
    let mut superuser = fleet.database.superuser().await?;
    let kept: Vec<String> = sqlx::query_scalar(
        "select 'operators/' || operator_id || '/reservations/' || reservation_id from inventory.reservation",
    )
    .fetch_all(&mut superuser)
    .await?;
    ensure!(kept.len() == 400, "{} reservations of a megawatt in 400 MW", kept.len());
    ensure!(told == kept.into_iter().collect(), "what callers were told is not what is kept");
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}
