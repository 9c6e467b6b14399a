//! What was known at an instant: every version of a resource reads back as it was answered then, for its operator and
//! for a tenant; a stranger sees none of them, and before its creation there was nothing.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use prost_types::{FieldMask, Timestamp};
use tonic::Code;

/// One version after another, each with the instant from which on it was known.
type Versions<T> = Vec<(Timestamp, T)>;

fn mask(path: &str) -> Option<FieldMask> {
    Some(FieldMask { paths: vec![path.to_owned()] })
}

/// One microsecond earlier.
fn before(time: Timestamp) -> Timestamp {
    match time.nanos {
        0 => Timestamp { seconds: time.seconds - 1, nanos: 999_999_000 },
        nanos => Timestamp { nanos: nanos - 1_000, ..time },
    }
}

/// Reads each version at its first and at its last instant, and nothing before the first.
async fn read_back<T: PartialEq + std::fmt::Debug>(
    versions: &Versions<T>,
    read: impl AsyncFn(Timestamp) -> Result<tonic::Response<Option<T>>, tonic::Status>,
) -> Result<()> {
    for (number, (from, version)) in versions.iter().enumerate() {
        let last = versions.get(number + 1).map(|(next, _)| before(*next));
        for at in [Some(*from), last].into_iter().flatten() {
            let found = read(at).await.with_context(|| format!("version {number} at {at:?}"))?.into_inner();
            ensure!(found.as_ref() == Some(version), "version {number} at {at:?}: {found:#?}\n{version:#?}");
        }
    }
    let (first, _) = versions.first().context("a version")?;
    Refusal::expect(read(before(*first)).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    Ok(())
}

async fn site_at(
    who: &Clients,
    name: &str,
    at: Timestamp,
) -> Result<tonic::Response<Option<inventory::Site>>, tonic::Status> {
    let get = inventory::GetSiteRequest { name: name.to_owned(), read_time: Some(at) };
    Ok(who.sites().get_site(get).await?.map(|answer| answer.site))
}

async fn block_at(
    who: &Clients,
    name: &str,
    at: Timestamp,
) -> Result<tonic::Response<Option<inventory::Block>>, tonic::Status> {
    let get = inventory::GetBlockRequest { name: name.to_owned(), read_time: Some(at) };
    Ok(who.sites().get_block(get).await?.map(|answer| answer.block))
}

async fn reservation_at(
    who: &Clients,
    name: &str,
    at: Timestamp,
) -> Result<tonic::Response<Option<inventory::Reservation>>, tonic::Status> {
    let get = inventory::GetReservationRequest { name: name.to_owned(), read_time: Some(at) };
    Ok(who.reservations().get_reservation(get).await?.map(|answer| answer.reservation))
}

async fn change_site(
    ops: &Clients,
    name: &str,
    path: &str,
    change: impl FnOnce(&mut inventory::Site),
) -> Result<inventory::Site> {
    let get = inventory::GetSiteRequest { name: name.to_owned(), ..Default::default() };
    let mut site = ops.sites().get_site(get).await?.into_inner().site.context("a site")?;
    change(&mut site);
    let update = inventory::UpdateSiteRequest {
        site: Some(site),
        update_mask: mask(path),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().update_site(update).await?.into_inner().site.context("a site")
}

async fn change_block(
    ops: &Clients,
    name: &str,
    path: &str,
    change: impl FnOnce(&mut inventory::Block),
) -> Result<inventory::Block> {
    let get = inventory::GetBlockRequest { name: name.to_owned(), ..Default::default() };
    let mut block = ops.sites().get_block(get).await?.into_inner().block.context("a block")?;
    change(&mut block);
    let update = inventory::UpdateBlockRequest {
        block: Some(block),
        update_mask: mask(path),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().update_block(update).await?.into_inner().block.context("a block")
}

#[tokio::test]
async fn sites_and_blocks_read_back_as_they_were() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "acme", &[market::hall(10_000)]).await?;
    let ops = clients(&place.operator, Role::SiteOps)?;
    let block = place.blocks.first().context("a hall")?;
    let now = market_time("2026-12-01");
    let first = site_at(&ops, &place.site, now).await?.into_inner().context("a site")?;
    let mut sites = vec![(first.update_time.context("a time")?, first)];
    let first = block_at(&ops, block, now).await?.into_inner().context("a block")?;
    let mut blocks = vec![(first.update_time.context("a time")?, first)];

    stack.move_to(day("2026-12-02")).await?;
    let next =
        change_site(&ops, &place.site, "current_use", |site| site.current_use = "mining".to_owned()).await?;
    sites.push((next.update_time.context("a time")?, next));
    stack.move_to(day("2026-12-03")).await?;
    let next = change_block(&ops, block, "max_kw_per_rack", |block| block.max_kw_per_rack = 140).await?;
    blocks.push((next.update_time.context("a time")?, next));
    let next = change_site(&ops, &place.site, "grid_steps", |site| {
        site.grid_steps.push(inventory::GridStep {
            from_date: Some(date("2030-01-01")),
            contracted_kw: None,
            energised_kw: Some(5),
            interim_kw: None,
        });
    })
    .await?;
    // Two changes at one instant of a clock that stands still: the second is the one that was known then.
    let last = change_site(&ops, &place.site, "grid_iso", |site| site.grid_iso = "SPP".to_owned()).await?;
    ensure!(next.update_time == last.update_time, "the clock stands still");
    sites.push((last.update_time.context("a time")?, last));
    stack.move_to(day("2026-12-04")).await?;
    let next = change_block(&ops, block, "rate_per_kw_month", |block| {
        block.rate_per_kw_month = market::decimal("125.5");
        block.currency_code = "USD".to_owned();
    })
    .await?;
    blocks.push((next.update_time.context("a time")?, next));

    let tenant = market::tenant(clients, "lab").await?;
    let tenant = clients(&tenant, Role::Tenant)?;
    for who in [&ops, &tenant] {
        read_back(&sites, async |at| site_at(who, &place.site, at).await).await?;
        read_back(&blocks, async |at| block_at(who, block, at).await).await?;
    }
    market::site(clients, "zenith", &[]).await?;
    let stranger = clients("operators/zenith", Role::SiteOps)?;
    for (at, _) in &sites {
        Refusal::expect(site_at(&stranger, &place.site, *at).await)?
            .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
        Refusal::expect(block_at(&stranger, block, *at).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    }
    lists_read_back(&[&ops, &tenant], &place.operator, &sites, &blocks).await?;
    stack.stop().await;
    Ok(())
}

/// The beginning of a day, UTC.
fn market_time(text: &str) -> Timestamp {
    runtime::wire::to_timestamp(kernel::Zone::UTC.start_of_day(day(text)))
}

/// Lists show each version at its time, filtered by what it was then, and nothing of what came later.
async fn lists_read_back(
    readers: &[&Clients],
    operator: &str,
    sites: &Versions<inventory::Site>,
    blocks: &Versions<inventory::Block>,
) -> Result<()> {
    for who in readers {
        for (at, site) in sites {
            let ask = |grid: &str| inventory::ListSitesRequest {
                parent: operator.to_owned(),
                grid_isos: vec![grid.to_owned()],
                read_time: Some(*at),
                ..Default::default()
            };
            let listed = who.sites().list_sites(ask(&site.grid_iso)).await?.into_inner().sites;
            ensure!(listed == [site.clone()], "at {at:?}: {listed:#?}");
            let other = if site.grid_iso == "SPP" { "ERCOT" } else { "SPP" };
            let listed = who.sites().list_sites(ask(other)).await?.into_inner().sites;
            ensure!(listed.is_empty(), "it was no site of {other} at {at:?}: {listed:#?}");
        }
        for (at, block) in blocks {
            let list = inventory::ListBlocksRequest {
                parent: format!("{operator}/sites/-"),
                read_time: Some(*at),
                ..Default::default()
            };
            let listed = who.sites().list_blocks(list).await?.into_inner().blocks;
            ensure!(listed == [block.clone()], "at {at:?}: {listed:#?}");
        }
        let at = sites.first().map(|(at, _)| before(*at));
        let early =
            inventory::ListSitesRequest { parent: operator.to_owned(), read_time: at, ..Default::default() };
        let listed = who.sites().list_sites(early).await?.into_inner().sites;
        ensure!(listed.is_empty(), "before everything: {listed:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn reservations_read_back_as_they_were() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "acme", &[market::hall(10_000)]).await?;
    let block = place.blocks.first().context("a hall")?;
    let lab = market::tenant(clients, "lab").await?;
    let sales = clients(&place.operator, Role::Sales)?;
    let hold = market::hold(&place.operator, block, &lab, market::load(1_000));
    let held = sales.reservations().place_hold(hold).await?.into_inner().reservation.context("a hold")?;
    let name = held.name.clone();
    let mut versions = vec![(held.update_time.context("a time")?, held)];
    for seconds in [7_200, 10_800] {
        let extend = inventory::ExtendHoldRequest {
            name: name.clone(),
            minimum_duration: Some(prost_types::Duration { seconds, nanos: 0 }),
            request_id: request_id(),
            ..Default::default()
        };
        let next =
            sales.reservations().extend_hold(extend).await?.into_inner().reservation.context("a hold")?;
        versions.push((next.update_time.context("a time")?, next));
    }
    let release = inventory::ReleaseReservationRequest {
        name: name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let next = sales
        .reservations()
        .release_reservation(release)
        .await?
        .into_inner()
        .reservation
        .context("a hold")?;
    versions.push((next.update_time.context("a time")?, next));

    let tenant = clients(&lab, Role::Tenant)?;
    for who in [&sales, &tenant] {
        read_back(&versions, async |at| reservation_at(who, &name, at).await).await?;
        for (number, (at, version)) in versions.iter().enumerate() {
            let list = |states: Vec<i32>| inventory::ListReservationsRequest {
                parent: place.operator.clone(),
                block: block.clone(),
                states,
                read_time: Some(*at),
                ..Default::default()
            };
            let listed = who.reservations().list_reservations(list(vec![version.state])).await?.into_inner();
            ensure!(listed.reservations == [version.clone()], "version {number}: {listed:#?}");
            let expired = vec![inventory::ReservationState::Expired.into()];
            let listed = who.reservations().list_reservations(list(expired)).await?.into_inner();
            ensure!(listed.reservations.is_empty(), "version {number}: {listed:#?}");
        }
    }
    // A version of a hold that had run out before the next change was EXPIRED, swept or not: the last extension would
    // have run out in three hours, and what is asked of a time to come is answered as it is now.
    let (last, released) = versions.last().context("a version")?;
    let later = Timestamp { seconds: last.seconds + 86_400, ..*last };
    ensure!(reservation_at(&tenant, &name, later).await?.into_inner().as_ref() == Some(released));

    market::site(clients, "zenith", &[]).await?;
    let rival = market::tenant(clients, "rival").await?;
    for stranger in [clients("operators/zenith", Role::Sales)?, clients(&rival, Role::Tenant)?] {
        for (at, _) in &versions {
            Refusal::expect(reservation_at(&stranger, &name, *at).await)?
                .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
        }
    }
    stack.stop().await;
    Ok(())
}
