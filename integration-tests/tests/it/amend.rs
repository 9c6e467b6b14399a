//! Reservations that take something else from now on: amended, split and merged, atomically, and never over what there
//! is, whatever goes on beside.

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::CapacityProfile;
use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::ReservationState::{Committed, Expired, Held, Merged};
use gridlease::clients::Clients;
use integration_tests::cluster::{INVENTORY, Node};
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, READY, Site, profile, request_id};
use integration_tests::{Cluster, Refusal};
use kernel::Role;
use sqlx::PgConnection;
use tonic::Code;

const TENANT: &str = "tenants/acme-ai";
const END: &str = "2037-01-01";

fn claim(block: &str, profile: CapacityProfile) -> inventory::Claim {
    inventory::Claim { block: block.to_owned(), profile: Some(profile) }
}

/// So many megawatts of a hall over the usual ten years.
fn megawatts(block: &str, count: i64) -> inventory::Claim {
    claim(block, profile(market::load(count * 1_000), READY, END))
}

fn amendment(name: &str, claims: Vec<inventory::Claim>) -> inventory::AmendReservationRequest {
    inventory::AmendReservationRequest {
        name: name.to_owned(),
        claims,
        request_id: request_id(),
        ..Default::default()
    }
}

async fn hold(clients: &Clients, site: &Site, block: &str, count: i64) -> Result<inventory::Reservation> {
    let request = market::hold(&site.operator, block, TENANT, market::load(count * 1_000));
    let held = clients.reservations().place_hold(request).await?.into_inner();
    held.reservation.context("a reservation")
}

/// Not one megawatt more fits.
async fn is_full(clients: &Clients, site: &Site, hall: &str) -> Result<()> {
    let request = market::hold(&site.operator, hall, TENANT, market::load(1_000));
    Refusal::expect(clients.reservations().place_hold(request).await)?
        .is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    Ok(())
}

async fn amend(
    clients: &Clients,
    name: &str,
    claims: Vec<inventory::Claim>,
) -> Result<inventory::Reservation> {
    let done = clients.reservations().amend_reservation(amendment(name, claims)).await?.into_inner();
    done.reservation.context("a reservation")
}

async fn get(clients: &Clients, name: &str) -> Result<inventory::Reservation> {
    let request = inventory::GetReservationRequest { name: name.to_owned(), read_time: None };
    clients.reservations().get_reservation(request).await?.into_inner().reservation.context("a reservation")
}

/// The same call for the site's operator.
fn behalf<T>(site: &Site, message: T) -> Result<tonic::Request<T>> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("gridlease-on-behalf-of", site.operator.parse()?);
    Ok(request)
}

async fn commit(fleet: &Fleet, site: &Site, name: &str) -> Result<()> {
    let leasing = fleet.clients("services/leasing", Role::Service)?;
    let request = inventory::CommitReservationRequest {
        name: name.to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    leasing.reservations().commit_reservation(behalf(site, request)?).await?;
    Ok(())
}

async fn kinds(database: &mut PgConnection, name: &str) -> Result<Vec<String>> {
    let sql = "select kind from inventory.outbox where subject = $1 order by position_seq";
    Ok(sqlx::query_scalar(sql).bind(name).fetch_all(database).await?)
}

async fn halls(fleet: &Fleet, operator: &str, kw: &[i64]) -> Result<Site> {
    let halls: Vec<_> = kw.iter().map(|kw| market::hall(*kw)).collect();
    market::site(|o, r| fleet.clients(o, r), operator, &halls).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_resized_moved_in_time_and_place_and_kept_where_the_new_does_not_fit() -> Result<()> {
    let fleet = Fleet::start(2).await?;
    let site = halls(&fleet, "amend-power", &[40_000, 40_000]).await?;
    let (first, second) = (&site.blocks[0], &site.blocks[1]);
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let elsewhere = fleet.clients_at(1, &site.operator, Role::Sales)?;
    let held = hold(&sales, &site, first, 10).await?;
    // The other replica has the hall in memory, too.
    hold(&elsewhere, &site, first, 20).await?;

    let larger = amend(&tenant, &held.name, vec![megawatts(first, 20)]).await?;
    ensure!(larger.state() == Held && larger.hold_expire_time == held.hold_expire_time, "{larger:#?}");
    ensure!(larger.claims == [megawatts(first, 20)] && larger.etag != held.etag, "{larger:#?}");
    ensure!(get(&sales, &held.name).await? == larger);
    is_full(&elsewhere, &site, first).await?;

    // What it may have is what is free beside the others; the refusal changes nothing.
    let too_large = amendment(&held.name, vec![megawatts(first, 21)]);
    let refusal = Refusal::expect(sales.reservations().amend_reservation(too_large).await)?
        .is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(refusal.fact("block")? == first && refusal.fact("resource")? == "CRITICAL_IT", "{refusal:#?}");
    ensure!((refusal.fact("shortKw")?, refusal.fact("availableKw")?) == ("1000", "20000"), "{refusal:#?}");
    ensure!(refusal.fact("otherBlocks")? == second, "{refusal:#?}");
    ensure!(get(&sales, &held.name).await? == larger);

    // Shorter, later, in steps, and on another hall: what is left is free at once, everywhere.
    let steps =
        vec![claim(second, profile(market::load(5_000), "2028-01-01", "2030-01-01")), megawatts(first, 1)];
    let moved = amend(&sales, &held.name, steps).await?;
    let blocks: Vec<&str> = moved.claims.iter().map(|claim| claim.block.as_str()).collect();
    ensure!(blocks == [first, second], "in order of name: {moved:#?}");
    hold(&elsewhere, &site, first, 19).await?;
    is_full(&elsewhere, &site, first).await?;
    let listed = inventory::ListReservationsRequest {
        parent: site.operator.clone(),
        block: second.clone(),
        ..Default::default()
    };
    let on_second = sales.reservations().list_reservations(listed.clone()).await?.into_inner().reservations;
    ensure!(on_second == [moved.clone()], "{on_second:#?}");
    let back = amend(&sales, &held.name, vec![megawatts(first, 1)]).await?;
    ensure!(sales.reservations().list_reservations(listed).await?.into_inner().reservations.is_empty());

    let stale =
        inventory::AmendReservationRequest { etag: moved.etag, ..amendment(&held.name, back.claims.clone()) };
    Refusal::expect(sales.reservations().amend_reservation(stale).await)?
        .is(Code::Aborted, "ETAG_MISMATCH")?;
    let mut database = fleet.database.superuser().await?;
    let told = kinds(&mut database, &held.name).await?;
    ensure!(
        told == ["reservation.held", "reservation.amended", "reservation.amended", "reservation.amended"]
    );
    let before: Vec<(i64, bool)> = sqlx::query_as(
        "select revision, lead(valid_from, 1, valid_until) over (order by revision) = valid_until \
         from inventory.superseded where name = $1 order by revision",
    )
    .bind(&held.name)
    .fetch_all(&mut database)
    .await?;
    ensure!(
        before == [(1, true), (2, true), (3, true)],
        "each version ends where the next begins: {before:?}"
    );
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_firm_is_amended_by_its_service_only_and_what_a_lease_stands_on_too() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let site = halls(&fleet, "amend-power", &[40_000]).await?;
    let hall = &site.blocks[0];
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let leasing = fleet.clients("services/leasing", Role::Service)?;
    let held = hold(&sales, &site, hall, 10).await?;
    commit(&fleet, &site, &held.name).await?;
    let larger = amendment(&held.name, vec![megawatts(hall, 30)]);
    Refusal::expect(sales.reservations().amend_reservation(larger.clone()).await)?
        .is(Code::FailedPrecondition, "HOLD_ALREADY_CONFIRMED")?;
    let done = leasing.reservations().amend_reservation(behalf(&site, larger.clone())?).await?.into_inner();
    let done = done.reservation.context("a reservation")?;
    ensure!(done.state() == Committed && done.claims == larger.claims, "{done:#?}");
    // The same request again is the same answer, whatever happened since.
    commit_smaller(&leasing, &site, &held.name, hall).await?;
    let again = leasing.reservations().amend_reservation(behalf(&site, larger)?).await?.into_inner();
    ensure!(again.reservation == Some(done));

    let lease = inventory::PlaceHoldRequest {
        kind: inventory::ReservationKind::Lease.into(),
        ..market::hold(&site.operator, hall, TENANT, market::load(1_000))
    };
    let lease = leasing.reservations().place_hold(behalf(&site, lease)?).await?.into_inner();
    let lease = lease.reservation.context("a reservation")?.name;
    for (organisation, role) in [(site.operator.as_str(), Role::Sales), (TENANT, Role::Tenant)] {
        let clients = fleet.clients(organisation, role)?;
        let asked =
            clients.reservations().amend_reservation(amendment(&lease, vec![megawatts(hall, 2)])).await;
        Refusal::expect(asked)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    }
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

async fn commit_smaller(leasing: &Clients, site: &Site, name: &str, hall: &str) -> Result<()> {
    let smaller = amendment(name, vec![megawatts(hall, 2)]);
    leasing.reservations().amend_reservation(behalf(site, smaller)?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_is_split_in_parts_and_parts_become_one_again() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let site = halls(&fleet, "split-power", &[40_000]).await?;
    let hall = &site.blocks[0];
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let held = hold(&sales, &site, hall, 40).await?;
    let part = |claims| inventory::ReservationPart { claims, note: String::new() };
    let split = |parts| inventory::SplitReservationRequest {
        name: held.name.clone(),
        parts,
        request_id: request_id(),
        ..Default::default()
    };
    let lost = split(vec![part(vec![megawatts(hall, 30)]), part(vec![megawatts(hall, 9)])]);
    let refusal = Refusal::expect(sales.reservations().split_reservation(lost).await)?;
    ensure!(refusal.fields == ["parts"] && refusal.message.contains("2027-01-01T06:00:00Z"), "{refusal:#?}");

    // By amount, and the rest by time.
    let parts = vec![
        part(vec![megawatts(hall, 30)]),
        part(vec![claim(hall, profile(market::load(10_000), READY, "2030-01-01"))]),
        part(vec![claim(hall, profile(market::load(10_000), "2030-01-01", END))]),
    ];
    let made = sales.reservations().split_reservation(split(parts)).await?.into_inner().reservations;
    ensure!(made.len() == 3 && made[0].name == held.name && made[0].etag != held.etag, "{made:#?}");
    for one in &made {
        ensure!(one.state() == Held && one.hold_expire_time == held.hold_expire_time, "{one:#?}");
        ensure!(get(&sales, &one.name).await? == *one);
    }
    is_full(&sales, &site, hall).await?;

    let merge = |others: &[&inventory::Reservation]| inventory::MergeReservationsRequest {
        name: held.name.clone(),
        others: others.iter().map(|one| one.name.clone()).collect(),
        request_id: request_id(),
        ..Default::default()
    };
    let one = sales.reservations().merge_reservations(merge(&[&made[1], &made[2]])).await?.into_inner();
    let one = one.reservation.context("a reservation")?;
    ensure!(one.claims == held.claims && one.state() == Held, "{one:#?}");
    let gone = get(&sales, &made[1].name).await?;
    ensure!(gone.state() == Merged && gone.claims == made[1].claims, "{gone:#?}");
    let again = Refusal::expect(sales.reservations().merge_reservations(merge(&[&made[1]])).await)?;
    again.is(Code::FailedPrecondition, "HOLD_RELEASED")?;
    let mut database = fleet.database.superuser().await?;
    let told = kinds(&mut database, &held.name).await?;
    ensure!(told == ["reservation.held", "reservation.split", "reservation.merged"], "{told:?}");
    ensure!(kinds(&mut database, &made[1].name).await? == ["reservation.split", "reservation.merged"]);

    // All of it is given back at once.
    let release = inventory::ReleaseReservationRequest {
        name: held.name,
        request_id: request_id(),
        ..Default::default()
    };
    sales.reservations().release_reservation(release).await?;
    hold(&sales, &site, hall, 40).await?;
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_alike_becomes_one() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let site = halls(&fleet, "split-power", &[40_000]).await?;
    let hall = &site.blocks[0];
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let held = hold(&sales, &site, hall, 10).await?;
    let firm = hold(&sales, &site, hall, 10).await?;
    commit(&fleet, &site, &firm.name).await?;
    let request = market::hold(&site.operator, hall, "tenants/other", market::load(1_000));
    let foreign =
        sales.reservations().place_hold(request).await?.into_inner().reservation.context("a hold")?;
    let merge = |other: &inventory::Reservation| inventory::MergeReservationsRequest {
        name: held.name.clone(),
        others: vec![other.name.clone()],
        request_id: request_id(),
        ..Default::default()
    };
    let refusal = Refusal::expect(sales.reservations().merge_reservations(merge(&foreign)).await)?;
    ensure!(refusal.fields == ["others[0]"], "{refusal:#?}");
    Refusal::expect(sales.reservations().merge_reservations(merge(&firm)).await)?
        .is(Code::FailedPrecondition, "HOLD_ALREADY_CONFIRMED")?;
    // To a tenant another's hold is not there.
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    Refusal::expect(tenant.reservations().merge_reservations(merge(&foreign)).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_ran_out_does_not_stand_in_the_way() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let site = halls(&fleet, "amend-power", &[40_000]).await?;
    let hall = &site.blocks[0];
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let (mine, gone) = (hold(&sales, &site, hall, 10).await?, hold(&sales, &site, hall, 30).await?);
    let mut database = fleet.database.superuser().await?;
    run_out(&mut database, &gone.name, 0).await?;
    amend(&sales, &mine.name, vec![megawatts(hall, 40)]).await?;
    let told = kinds(&mut database, &gone.name).await?;
    ensure!(told == ["reservation.held", "reservation.expired"], "its end was written first: {told:?}");
    ensure!(fleet.database.oversold().await? == 0);
    fleet.stop().await;
    Ok(())
}

/// Lets a hold run out so many milliseconds from now, as if time had passed.
async fn run_out(database: &mut PgConnection, name: &str, in_ms: i32) -> Result<()> {
    let id = name.rsplit('/').next().unwrap_or_default();
    let until = "clock_timestamp() + make_interval(secs => $2 / 1000.0)";
    for sql in [
        format!("update inventory.claim set hold_until = {until} where reservation_id = $1::uuid"),
        format!("update inventory.reservation set hold_until = {until} where reservation_id = $1::uuid"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(in_ms).execute(&mut *database).await?;
    }
    Ok(())
}

/// What is taken of the hall at the end of a race, MW.
async fn taken(database: &mut PgConnection) -> Result<i64> {
    let sql = "select coalesce(sum(critical_it_kw), 0)::bigint / 1000 from inventory.claim \
               where state = 'COMMITTED' or (state = 'HELD' and hold_until > clock_timestamp())";
    Ok(sqlx::query_scalar(sql).fetch_one(database).await?)
}

/// What became of an attempt: done, or refused for want of capacity.
fn won<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(status) => {
            Refusal::of(&status)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
            Ok(false)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amendments_and_bookings_race_over_three_processes_and_one_wins() -> Result<()> {
    let mut cluster = Cluster::new(3).await?;
    for replica in 0..3 {
        cluster.start(Node { service: "inventory", replica }, "").await?;
    }
    let site = market::site(|o, r| cluster.clients(o, r), "race-power", &[market::hall(100_000)]).await?;
    let hall = &site.blocks[0];
    let clients: Vec<Clients> =
        (0..3).map(|n| cluster.clients_of(&site.operator, Role::Sales, n)).collect::<Result<_>>()?;
    let mut database = cluster.database.superuser().await?;
    let (mut amended, mut booked) = (0, 0);
    for round in 0..12 {
        let (mine, yours) =
            (hold(&clients[0], &site, hall, 30).await?, hold(&clients[1], &site, hall, 30).await?);
        // 40 are left: each of the three wants them all.
        let larger = |held: &inventory::Reservation| amendment(&held.name, vec![megawatts(hall, 70)]);
        let (mut one, mut two, mut three) = (
            clients[round % 3].reservations(),
            clients[(round + 1) % 3].reservations(),
            clients[(round + 2) % 3].reservations(),
        );
        let (a, b, c) = tokio::join!(
            one.amend_reservation(larger(&mine)),
            two.amend_reservation(larger(&yours)),
            three.place_hold(market::hold(&site.operator, hall, TENANT, market::load(40_000)))
        );
        let outcome = [won(a)?, won(b)?, won(c)?];
        ensure!(outcome.iter().filter(|won| **won).count() == 1, "round {round}: {outcome:?}");
        ensure!(taken(&mut database).await? == 100, "round {round}");
        ensure!(cluster.database.oversold().await? == 0, "round {round}");
        amended += u32::from(outcome[0] || outcome[1]);
        booked += u32::from(outcome[2]);
        release_all(&clients[round % 3], &site).await?;
    }
    ensure!(amended + booked == 12, "{amended} {booked}");
    Ok(())
}

async fn release_all(clients: &Clients, site: &Site) -> Result<()> {
    let list = inventory::ListReservationsRequest {
        parent: site.operator.clone(),
        states: vec![Held.into()],
        ..Default::default()
    };
    for one in clients.reservations().list_reservations(list).await?.into_inner().reservations {
        let release = inventory::ReleaseReservationRequest {
            name: one.name,
            request_id: request_id(),
            ..Default::default()
        };
        clients.reservations().release_reservation(release).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amendment_comes_before_the_end_of_a_hold_or_not_at_all() -> Result<()> {
    let mut own = ::inventory::InventorySettings::default();
    own.sweep_every = std::time::Duration::from_millis(1);
    let fleet = Fleet::start_with(2, own).await?;
    let site = halls(&fleet, "race-power", &[100_000]).await?;
    let hall = &site.blocks[0];
    let mut database = fleet.database.superuser().await?;
    let (mut before, mut after) = (0, 0);
    for round in 0..30_usize {
        let sales = fleet.clients_at(round, &site.operator, Role::Sales)?;
        let held = hold(&sales, &site, hall, 30).await?;
        // The first can only be won by the amendment and the second by the end; of the others nobody knows.
        let (left_ms, wait_ms) = match round {
            0 => (1_500, 0),
            1 => (40, 100),
            _ => (40, 4 * u64::try_from(round % 12)?),
        };
        run_out(&mut database, &held.name, left_ms).await?;
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        let answer =
            sales.reservations().amend_reservation(amendment(&held.name, vec![megawatts(hall, 90)])).await;
        let told = match answer {
            Ok(_) => {
                before += 1;
                vec!["reservation.held", "reservation.amended", "reservation.expired"]
            }
            Err(status) => {
                Refusal::of(&status)?.is(Code::FailedPrecondition, "HOLD_EXPIRED")?;
                after += 1;
                vec!["reservation.held", "reservation.expired"]
            }
        };
        // It is gone for everybody, and its end is written in its turn.
        integration_tests::eventually("the sweeper writes its end", async || {
            let mut database = fleet.database.superuser().await?;
            let kinds = kinds(&mut database, &held.name).await?;
            Ok(kinds.last().is_some_and(|last| last == "reservation.expired").then_some(()))
        })
        .await?;
        ensure!(kinds(&mut database, &held.name).await? == told, "round {round}");
        ensure!(get(&sales, &held.name).await?.state() == Expired);
        ensure!(fleet.database.oversold().await? == 0, "round {round}");
    }
    ensure!(before > 0 && after > 0, "the race was always won by the same: {before} before, {after} after");
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amendment_whose_process_dies_is_done_once_or_not_at_all() -> Result<()> {
    let mut cluster = Cluster::new(1).await?;
    cluster.start(INVENTORY, "").await?;
    let site = market::site(|o, r| cluster.clients(o, r), "dying-power", &[market::hall(40_000)]).await?;
    let hall = &site.blocks[0];
    let sales = cluster.clients(&site.operator, Role::Sales)?;
    let held = hold(&sales, &site, hall, 10).await?;
    let mut database = cluster.database.superuser().await?;
    for (step, count, done) in [("before", 20, 0), ("after", 30, 2)] {
        let failpoint = format!("inventory.rewrite.{step}");
        let request = amendment(&held.name, vec![megawatts(hall, count)]);
        let clients = cluster.clients(&site.operator, Role::Sales)?;
        let deed = async { clients.reservations().amend_reservation(request.clone()).await };
        cluster.die_at(INVENTORY, &failpoint, "return(kill)", deed).await?;
        let told = kinds(&mut database, &held.name).await?;
        ensure!(told.len() == 1 + done, "{failpoint}: {told:?}");
        cluster.start(INVENTORY, "").await?;
        let clients = cluster.clients(&site.operator, Role::Sales)?;
        let first = clients.reservations().amend_reservation(request.clone()).await?.into_inner();
        let again = clients.reservations().amend_reservation(request).await?.into_inner();
        ensure!(first == again, "{failpoint}: another answer: {again:#?}");
        let now = get(&clients, &held.name).await?;
        ensure!(first.reservation == Some(now), "{failpoint}");
        ensure!(taken(&mut database).await? == count, "{failpoint}");
    }
    ensure!(kinds(&mut database, &held.name).await?.len() == 3, "each amendment is told once");
    ensure!(cluster.database.oversold().await? == 0);
    Ok(())
}
