//! The market as its users search it: what was booked is seen in moments on every replica, whatever is asked for is
//! found where it is and only by who may see it, and what is remembered is what the store says.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::cluster::INVENTORY;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, READY, Site, date, decimal, profile, request_id};
use integration_tests::{Cluster, Refusal, eventually};
use inventory::{CoolingKind, LeaseType, Redundancy, SplitSpan};
use kernel::{Clock as _, Role, SystemClock};
use tonic::Code;

pub(crate) const TENANT: &str = "tenants/acme-ai";

pub(crate) fn need(it_kw: i64) -> inventory::SearchCapacityRequest {
    inventory::SearchCapacityRequest {
        critical_it_kw: it_kw,
        liquid_share_percent: 85,
        start_from_date: Some(date("2027-01-01")),
        term_months: 120,
        ..Default::default()
    }
}

/// The same question, and what was just written counts.
fn fresh(request: inventory::SearchCapacityRequest) -> inventory::SearchCapacityRequest {
    let now = runtime::wire::to_timestamp(SystemClock.now());
    inventory::SearchCapacityRequest { fresh_from_time: Some(now), ..request }
}

/// The same question to the store itself: no index is ever so fresh.
fn of_the_store(request: inventory::SearchCapacityRequest) -> inventory::SearchCapacityRequest {
    let later = runtime::wire::to_timestamp(SystemClock.now() + chrono::TimeDelta::hours(1));
    inventory::SearchCapacityRequest { fresh_from_time: Some(later), ..request }
}

async fn ask(
    clients: &Clients,
    request: inventory::SearchCapacityRequest,
) -> Result<inventory::SearchCapacityResponse> {
    Ok(clients.capacity().search_capacity(request).await?.into_inner())
}

pub(crate) async fn found(
    clients: &Clients,
    request: inventory::SearchCapacityRequest,
) -> Result<Vec<String>> {
    let answer = ask(clients, fresh(request)).await?;
    Ok(answer.free_and_dated.into_iter().map(|free| free.block).collect())
}

/// Asks the index alone until it answers so.
pub(crate) async fn sees(
    clients: &Clients,
    request: &inventory::SearchCapacityRequest,
    blocks: &[&str],
) -> Result<()> {
    eventually(&format!("{blocks:?}"), async || {
        let answer = ask(clients, request.clone()).await?;
        ensure!(answer.index.is_some(), "the index answers");
        let found: Vec<&str> = answer.free_and_dated.iter().map(|free| free.block.as_str()).collect();
        Ok((found == blocks).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_booked_and_given_back_shows_on_every_replica_in_moments() -> Result<()> {
    let fleet = Fleet::start(2).await?;
    let site = market::site(|o, r| fleet.clients(o, r), "search-power", &[market::hall(40_000)]).await?;
    let hall = site.blocks.first().context("a hall")?;
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let tenant = fleet.clients_at(1, TENANT, Role::Tenant)?;
    let whole = inventory::SearchCapacityRequest { site: site.site.clone(), ..need(40_000) };
    for caller in [&sales, &tenant] {
        sees(caller, &whole, &[hall]).await?;
    }
    let hold = market::hold(&site.operator, hall, TENANT, market::load(10_000));
    let placed = sales.reservations().place_hold(hold).await?.into_inner().reservation.context("held")?;
    for caller in [&sales, &tenant] {
        sees(caller, &whole, &[]).await?;
        sees(caller, &inventory::SearchCapacityRequest { critical_it_kw: 30_000, ..whole.clone() }, &[hall])
            .await?;
    }
    let misses = ask(&tenant, whole.clone()).await?.near_misses.context("nothing fits")?;
    ensure!(misses.largest.map(|miss| miss.critical_it_kw) == Some(30_000));
    ensure!(misses.earliest.and_then(|miss| miss.start_date) == Some(date("2037-01-01")));

    let release = inventory::ReleaseReservationRequest {
        name: placed.name,
        request_id: request_id(),
        ..Default::default()
    };
    sales.reservations().release_reservation(release).await?;
    for caller in [&sales, &tenant] {
        sees(caller, &whole, &[hall]).await?;
    }
    let index = ask(&tenant, whole.clone()).await?.index.context("the index")?;
    let age = index.index_age.context("an age")?;
    ensure!((0..10).contains(&age.seconds), "{age:?}");
    ensure!(!index.index_cursor.is_empty() && index.index_time.is_some());
    // What asks for more than the index can know reads the store, and gets the same answer.
    let store = ask(&tenant, of_the_store(whole.clone())).await?;
    ensure!(store.index.is_none() && store.free_and_dated == ask(&tenant, whole).await?.free_and_dated);
    fleet.stop().await;
    Ok(())
}

/// A hold that ran out frees capacity for search as soon as the sweeper has written it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ran_out_shows_when_it_is_swept() -> Result<()> {
    let fleet = Fleet::start_with(1, ::inventory::InventorySettings::default()).await?;
    let site = market::site(|o, r| fleet.clients(o, r), "lapsing-power", &[market::hall(40_000)]).await?;
    let hall = site.blocks.first().context("a hall")?;
    let sales = fleet.clients(&site.operator, Role::Sales)?;
    let hold = market::hold(&site.operator, hall, TENANT, market::load(40_000));
    sales.reservations().place_hold(hold).await?;
    sees(&sales, &need(1_000), &[]).await?;
    let mut superuser = fleet.database.superuser().await?;
    for table in ["claim", "reservation"] {
        let past =
            format!("update inventory.{table} set hold_until = clock_timestamp() - interval '1 second'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(past)).execute(&mut superuser).await?;
    }
    sees(&sales, &need(40_000), &[hall]).await?;
    fleet.stop().await;
    Ok(())
}

struct Hall<'a> {
    operator: &'a str,
    site: inventory::Site,
    block: inventory::Block,
    it_kw: i64,
}

/// Makes operators, sites and halls; answers the names of the halls.
async fn halls(fleet: &Fleet, halls: Vec<Hall<'_>>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (number, hall) in halls.into_iter().enumerate() {
        let operator = format!("operators/{}", hall.operator);
        let platform = fleet.clients("platform", Role::PlatformAdmin)?;
        let new = inventory::CreateOperatorRequest {
            operator_id: hall.operator.to_owned(),
            operator: Some(inventory::Operator { display_name: "One".to_owned(), ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        };
        // An operator with several halls is made with the first.
        let _ = platform.sites().create_operator(new).await;
        let mut sites = fleet.clients(&operator, Role::OperatorAdmin)?.sites();
        let site_id = format!("site-{number}");
        let new = inventory::CreateSiteRequest {
            parent: operator.clone(),
            site_id: site_id.clone(),
            site: Some(hall.site),
            request_id: request_id(),
            validate_only: false,
        };
        sites.create_site(new).await?;
        let parent = format!("{operator}/sites/{site_id}");
        let new = inventory::CreateBlockRequest {
            parent: parent.clone(),
            block_id: "hall".to_owned(),
            block: Some(hall.block),
            request_id: request_id(),
            validate_only: false,
        };
        sites.create_block(new).await?;
        let new = inventory::CreatePhaseRequest {
            parent: format!("{parent}/blocks/hall"),
            phase_id: "one".to_owned(),
            phase: Some(market::phase(market::hall(hall.it_kw), READY)),
            request_id: request_id(),
            validate_only: false,
        };
        sites.create_phase(new).await?;
        names.push(format!("{parent}/blocks/hall"));
    }
    Ok(names)
}

fn located(state: &str, latitude_e7: i32, longitude_e7: i32) -> inventory::Site {
    inventory::Site {
        state_code: state.to_owned(),
        latitude_e7: Some(latitude_e7),
        longitude_e7: Some(longitude_e7),
        ..market::grid_site(1_000_000)
    }
}

fn dense(rate: &str, max_kw_per_rack: i64) -> inventory::Block {
    inventory::Block {
        max_kw_per_rack,
        rate_per_kw_month: decimal(rate),
        currency_code: "USD".to_owned(),
        redundancy: Redundancy::TwoN.into(),
        ..market::liquid_block()
    }
}

/// A dense hall in Texas, an air hall in New York, and a hall of which little is said and whose place is not known.
async fn three_halls(fleet: &Fleet) -> Result<Vec<String>> {
    let air = inventory::Block {
        cooling_kinds: vec![CoolingKind::Air.into()],
        lease_type: LeaseType::PoweredShell.into(),
        redundancy: Redundancy::N.into(),
        ..dense("90", 200)
    };
    let unsaid = inventory::Block { max_kw_per_rack: 0, lease_type: 0, redundancy: 0, ..dense("95", 0) };
    let made = vec![
        Hall {
            operator: "alpha-power",
            site: located("TX", 306_555_000, -970_014_000),
            block: dense("120", 150),
            it_kw: 40_000,
        },
        Hall {
            operator: "alpha-power",
            site: located("NY", 407_128_000, -740_060_000),
            block: air,
            it_kw: 40_000,
        },
        Hall { operator: "beta-power", site: market::grid_site(1_000_000), block: unsaid, it_kw: 40_000 },
    ];
    halls(fleet, made).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_leave_what_is_asked_for() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let names = three_halls(&fleet).await?;
    let [texas, york, nowhere] = names.as_slice() else { anyhow::bail!("three halls") };
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let base = || need(10_000);
    ensure!(found(&tenant, base()).await? == [york.as_str(), nowhere, texas], "by rate");
    let alpha = fleet.clients("operators/alpha-power", Role::Sales)?;
    ensure!(found(&alpha, base()).await? == [york.as_str(), texas], "an operator sees its own");
    let foreign =
        inventory::SearchCapacityRequest { operators: vec!["operators/beta-power".to_owned()], ..base() };
    Refusal::expect(alpha.capacity().search_capacity(foreign).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;

    let only = async |request, expected: &[&str]| {
        let found = found(&tenant, request).await?;
        ensure!(found == expected, "{found:?}, not {expected:?}");
        anyhow::Ok(())
    };
    only(inventory::SearchCapacityRequest { state_codes: vec!["ny".to_owned()], ..base() }, &[york]).await?;
    only(inventory::SearchCapacityRequest { kw_per_rack: 140, ..base() }, &[texas]).await?;
    only(inventory::SearchCapacityRequest { kw_per_rack: 20, ..base() }, &[york, texas]).await?;
    let liquid = vec![CoolingKind::Liquid.into()];
    only(inventory::SearchCapacityRequest { cooling_kinds: liquid, ..base() }, &[nowhere, texas]).await?;
    let spare = Redundancy::NPlus1.into();
    only(inventory::SearchCapacityRequest { redundancy_min: spare, ..base() }, &[texas]).await?;
    let shells = vec![LeaseType::PoweredShell.into()];
    only(inventory::SearchCapacityRequest { lease_types: shells, ..base() }, &[york]).await?;
    let cheap = inventory::SearchCapacityRequest {
        max_rate_per_kw_month: decimal("92"),
        currency_code: "USD".to_owned(),
        ..base()
    };
    only(cheap, &[york]).await?;
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn distances_rank_what_is_near_and_changed_facts_count() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let names = three_halls(&fleet).await?;
    let [texas, york, nowhere] = names.as_slice() else { anyhow::bail!("three halls") };
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let alpha = fleet.clients("operators/alpha-power", Role::Sales)?;
    let base = || need(10_000);
    let only = async |request, expected: &[&str]| {
        let found = found(&tenant, request).await?;
        ensure!(found == expected, "{found:?}, not {expected:?}");
        anyhow::Ok(())
    };
    // Austin: Rockdale is about 80 km away, New York about 2,400.
    let austin = Some(inventory::GeoPoint { latitude_e7: 302_672_000, longitude_e7: -977_431_000 });
    let near =
        inventory::SearchCapacityRequest { near_point: austin, distance_metres_max: Some(100_000), ..base() };
    only(near.clone(), &[texas]).await?;
    let answer = ask(&tenant, fresh(near)).await?;
    let distance = answer.free_and_dated[0].distance_metres.context("a distance")?;
    ensure!((70_000..90_000).contains(&distance), "{distance}");
    let score = answer.free_and_dated[0].score.context("a score")?;
    ensure!(
        (score.parts, score.price_micros, score.start_delay_days) == (1, Some(120_000_000), 0),
        "{score:?}"
    );
    ensure!(score.fit_permille == 250, "10 of 40 MW: {score:?}");
    // Nothing within ten metres: what is elsewhere comes by distance, the unknown place last.
    let nothing =
        inventory::SearchCapacityRequest { near_point: austin, distance_metres_max: Some(10), ..base() };
    let misses = ask(&tenant, fresh(nothing)).await?.near_misses.context("nothing there")?;
    let elsewhere: Vec<&str> = misses.elsewhere.iter().map(|free| free.block.as_str()).collect();
    ensure!(elsewhere == [texas.as_str(), york, nowhere], "{elsewhere:?}");

    // What is said of a hall may change: the answers follow.
    let block = alpha
        .sites()
        .get_block(inventory::GetBlockRequest { name: york.clone(), ..Default::default() })
        .await?
        .into_inner();
    let cooled = inventory::Block {
        cooling_kinds: vec![CoolingKind::Liquid.into()],
        ..block.block.context("a block")?
    };
    let update = inventory::UpdateBlockRequest {
        block: Some(cooled),
        update_mask: Some(prost_types::FieldMask { paths: vec!["cooling_kinds".to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    };
    fleet.clients("operators/alpha-power", Role::SiteOps)?.sites().update_block(update).await?;
    only(inventory::SearchCapacityRequest { kw_per_rack: 140, ..base() }, &[york, texas]).await?;
    fleet.stop().await;
    Ok(())
}

fn together(it_kw: i64, span: SplitSpan) -> inventory::SearchCapacityRequest {
    inventory::SearchCapacityRequest { parts_max: 3, split_span: span.into(), ..need(it_kw) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_need_is_spread_over_halls_of_a_campus_and_over_sites_and_can_be_booked_so() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let campus = [market::hall(40_000), market::hall(50_000), market::hall(30_000)];
    let one = market::site(|o, r| fleet.clients(o, r), "campus-one", &campus).await?;
    let two = market::site(|o, r| fleet.clients(o, r), "campus-two", &[market::hall(70_000)]).await?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let answer = ask(&tenant, fresh(together(85_000, SplitSpan::Site))).await?;
    ensure!(answer.free_and_dated.is_empty() && answer.near_misses.is_none());
    let [best] = answer.combined.as_slice() else { anyhow::bail!("one campus: {:?}", answer.combined) };
    let blocks: Vec<&str> = best.parts.iter().map(|part| part.block.as_str()).collect();
    ensure!(blocks == [one.blocks[0].as_str(), &one.blocks[1]], "the fewest, the first by price: {blocks:?}");
    let loads: Vec<i64> = best.parts.iter().filter_map(|part| Some(part.capacity?.critical_it_kw)).collect();
    ensure!(loads == [40_000, 45_000], "{loads:?}");
    ensure!(best.score.context("a score")?.parts == 2);

    // More than any campus has: both together, if that is asked for.
    let campus_only = ask(&tenant, fresh(together(150_000, SplitSpan::Site))).await?;
    ensure!(campus_only.combined.is_empty() && campus_only.near_misses.is_some());
    let both = ask(&tenant, fresh(together(150_000, SplitSpan::Sites))).await?;
    let [across] = both.combined.as_slice() else { anyhow::bail!("{:?}", both.combined) };
    ensure!(across.parts.len() == 3 && across.parts.iter().any(|part| part.block == two.blocks[0]));

    // The campus question: 100 MW on one campus, earliest.
    let load = market::load(100_000);
    let earliest = inventory::FindEarliestCapacityRequest {
        parent: one.operator.clone(),
        capacity: Some(load),
        term_months: 120,
        not_before_date: Some(date("2026-01-01")),
        parts_max: 3,
        fresh_from_time: fresh(need(1)).fresh_from_time,
    };
    let sales = fleet.clients(&one.operator, Role::Sales)?;
    let answer = sales.capacity().find_earliest_capacity(earliest.clone()).await?.into_inner();
    ensure!(answer.site == one.site && answer.block.is_empty() && answer.parts.len() == 3, "{answer:?}");
    ensure!(answer.start_date == Some(date(READY)), "{answer:?}");
    ensure!(answer.date_basis() == inventory::DateBasis::Forecast);
    ensure!(answer.limiting_resource() == contracts::common::v1::Resource::CriticalIt, "{answer:?}");
    let alone = inventory::FindEarliestCapacityRequest { parts_max: 1, ..earliest };
    let never = sales.capacity().find_earliest_capacity(alone).await?.into_inner();
    ensure!(never.start_date.is_none() && never.parts.is_empty());

    // The parts that were found are a reservation that is accepted.
    let claims = answer.parts.iter().map(|part| inventory::Claim {
        block: part.block.clone(),
        profile: part.capacity.map(|load| profile(load, READY, "2037-01-01")),
    });
    let hold = inventory::PlaceHoldRequest {
        claims: claims.collect(),
        ..market::hold(&one.operator, "", TENANT, load)
    };
    sales.reservations().place_hold(hold).await?;
    fleet.stop().await;
    Ok(())
}

/// Books, releases, lets holds run out, adds phases and halls at random through both replicas.
async fn disturb(fleet: &Fleet, site: &Site, seed: u64, steps: usize) -> Result<()> {
    let mut mixed = seed;
    let mut next = |below: usize| {
        mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(mixed >> 33).unwrap_or(0) % below
    };
    let mut blocks = site.blocks.clone();
    let mut placed: Vec<String> = Vec::new();
    for step in 0..steps {
        let clients = fleet.clients_at(step, &site.operator, Role::OperatorAdmin)?;
        let block = blocks[next(blocks.len())].clone();
        match next(10) {
            0..=4 => {
                let load = market::load(1_000 * (1 + i64::try_from(next(12))?));
                let (from, until) = (2027 + next(3), 2031 + next(9));
                let claim = inventory::Claim {
                    block: block.clone(),
                    profile: Some(profile(load, &format!("{from}-03-01"), &format!("{until}-09-01"))),
                };
                let hold = inventory::PlaceHoldRequest {
                    claims: vec![claim],
                    ..market::hold(&site.operator, &block, TENANT, load)
                };
                if let Ok(answer) = clients.reservations().place_hold(hold).await {
                    placed.extend(answer.into_inner().reservation.map(|held| held.name));
                }
            }
            5 | 6 if !placed.is_empty() => {
                let name = placed.swap_remove(next(placed.len()));
                let (etag, request_id) = (String::new(), request_id());
                let release =
                    inventory::ReleaseReservationRequest { name, etag, request_id, validate_only: false };
                clients.reservations().release_reservation(release).await?;
            }
            7 => {
                let phase = market::phase(market::hall(5_000), &format!("{}-06-01", 2027 + next(4)));
                let new = inventory::CreatePhaseRequest {
                    parent: block,
                    phase_id: format!("step-{seed}-{step}"),
                    phase: Some(phase),
                    request_id: request_id(),
                    validate_only: false,
                };
                clients.sites().create_phase(new).await?;
            }
            8 => {
                let block_id = format!("new-{seed}-{step}");
                blocks.push(format!("{}/blocks/{block_id}", site.site));
                let new = inventory::CreateBlockRequest {
                    parent: site.site.clone(),
                    block_id,
                    block: Some(dense(&(80 + next(40)).to_string(), 150)),
                    request_id: request_id(),
                    validate_only: false,
                };
                clients.sites().create_block(new).await?;
            }
            _ => work(&clients, block, &mut next).await?,
        }
    }
    Ok(())
}

/// Takes a part of a block for half a year, whoever is short then.
async fn work(clients: &Clients, block: String, next: &mut impl FnMut(usize) -> usize) -> Result<()> {
    let reduction = market::load(1_000 * (1 + i64::try_from(next(30))?));
    let year = 2027 + next(4);
    let schedule = inventory::ScheduleMaintenanceRequest {
        parent: block,
        window: Some(market::window(&format!("{year}-04-01"), &format!("{year}-10-01"), reduction, "work")),
        request_id: request_id(),
        accept_shortfall: true,
        ..Default::default()
    };
    clients.maintenance().schedule_maintenance(schedule).await?;
    Ok(())
}

/// What an answer says of the market, without when it was read.
fn said(answer: inventory::SearchCapacityResponse) -> inventory::SearchCapacityResponse {
    inventory::SearchCapacityResponse { read_time: None, index: None, ..answer }
}

/// The index of a replica says what the store says, for several needs.
async fn agrees(clients: &Clients) -> Result<()> {
    for it_kw in [1_000, 9_000, 21_000, 45_000, 300_000] {
        let request = together(it_kw, SplitSpan::Site);
        let store = said(ask(clients, of_the_store(request.clone())).await?);
        eventually(&format!("{it_kw} kW from the index as from the store"), async || {
            let answer = ask(clients, request.clone()).await?;
            ensure!(answer.index.is_some());
            Ok((said(answer) == store).then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_remembered_is_what_the_store_says_on_both_replicas() -> Result<()> {
    let fleet = Fleet::start(2).await?;
    let halls = [market::hall(20_000), market::hall(30_000), market::hall(40_000)];
    let site = market::site(|o, r| fleet.clients(o, r), "model-power", &halls).await?;
    // At once, so that blocks are read again while others book on them.
    let all = [3, 7, 11, 19].map(|seed| disturb(&fleet, &site, seed, 60));
    futures::future::try_join_all(all).await?;
    for replica in 0..2 {
        agrees(&fleet.clients_at(replica, &site.operator, Role::Sales)?).await?;
        agrees(&fleet.clients_at(replica, TENANT, Role::Tenant)?).await?;
    }
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replica_remembers_what_was_booked_before_and_meanwhile() -> Result<()> {
    let mut cluster = Cluster::new(2).await?;
    let second = integration_tests::cluster::Node { service: "inventory", replica: 1 };
    cluster.start(INVENTORY, "").await?;
    cluster.start(second, "").await?;
    let halls = [market::hall(40_000), market::hall(30_000)];
    let site = market::site(|o, r| cluster.clients(o, r), "killed-power", &halls).await?;
    let hold =
        |hall: usize, it_kw| market::hold(&site.operator, &site.blocks[hall], TENANT, market::load(it_kw));
    let sales = |replica| cluster.clients_of(&site.operator, Role::Sales, replica);
    sales(0)?.reservations().place_hold(hold(0, 25_000)).await?;
    let (first, other) = (sales(0)?, sales(1)?);
    for clients in [&first, &other] {
        sees(clients, &need(20_000), &[&site.blocks[1]]).await?;
    }
    drop(first);
    cluster.kill(INVENTORY)?;
    other.reservations().place_hold(hold(1, 25_000)).await?;
    sees(&other, &need(20_000), &[]).await?;
    cluster.start(INVENTORY, "").await?;
    // It serves only when its index is loaded, so that the first answer is from it and right.
    let first = cluster.clients_of(&site.operator, Role::Sales, 0)?;
    let answer = ask(&first, need(10_000)).await?;
    ensure!(answer.index.is_some(), "ready means loaded");
    let found: Vec<&str> = answer.free_and_dated.iter().map(|free| free.block.as_str()).collect();
    ensure!(found == [site.blocks[0].as_str()], "{found:?}");
    other.reservations().place_hold(hold(0, 15_000)).await?;
    sees(&first, &need(1_000), &[&site.blocks[1]]).await?;
    Ok(())
}

/// A replica that loads while others book counts each booking once: those that its snapshot shows come again by the feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_starts_amid_bookings_counts_each_once() -> Result<()> {
    let mut cluster = Cluster::new(2).await?;
    let second = integration_tests::cluster::Node { service: "inventory", replica: 1 };
    cluster.start(second, "").await?;
    let halls = vec![market::hall(600_000); 8];
    let clients = |o: &str, r| cluster.clients_of(o, r, 1);
    let site = market::site(clients, "busy-power", &halls).await?;
    let stop = tokio_util::sync::CancellationToken::new();
    let mut bookers = Vec::new();
    for hall in &site.blocks {
        let other = cluster.clients_of(&site.operator, Role::Sales, 1)?;
        let (operator, hall, stop) = (site.operator.clone(), hall.clone(), stop.clone());
        bookers.push(tokio::spawn(async move {
            let mut booked = 0;
            while !stop.is_cancelled() {
                let hold = market::hold(&operator, &hall, TENANT, market::load(100));
                other.reservations().place_hold(hold).await?;
                booked += 1;
            }
            anyhow::Ok(booked)
        }));
    }
    // While one old transaction is open, the feed tells nothing; what was booked meanwhile is loaded, and told later.
    let mut old = cluster.database.superuser().await?;
    sqlx::raw_sql("begin; select pg_current_xact_id()").execute(&mut old).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    cluster.start(INVENTORY, "").await?;
    sqlx::raw_sql("commit").execute(&mut old).await?;
    stop.cancel();
    let mut left = Vec::new();
    for booker in bookers {
        left.push(600_000 - 100 * booker.await??);
    }
    let sales = cluster.clients_of(&site.operator, Role::Sales, 0)?;
    eventually("what is left of each hall", async || {
        let answer = ask(&sales, need(1_000)).await?;
        ensure!(answer.index.is_some());
        let mut seen: Vec<(String, i64)> = answer
            .free_and_dated
            .into_iter()
            .filter_map(|free| Some((free.block, free.capacity?.critical_it_kw)))
            .collect();
        seen.sort_unstable();
        let seen: Vec<i64> = seen.into_iter().map(|hall| hall.1).collect();
        Ok((seen == left).then_some(()))
    })
    .await
}

/// A market in which nothing happens stays as fresh as one in which something does.
#[tokio::test]
async fn the_index_grows_no_older_while_nothing_happens() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let answer = ask(&tenant, need(1_000)).await?;
    let age = answer.index.and_then(|index| index.index_age).context("an age")?;
    ensure!(age.seconds < 2, "{age:?}");
    fleet.stop().await;
    Ok(())
}
