//! What happens to halls after they were made, as search sees it a moment later: maintenance, phases that go, what is
//! said of cooling and machines, archiving.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, Site, request_id};
use inventory::Redundancy;
use kernel::Role;

use crate::search::{TENANT, found, need, sees};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maintenance_and_phases_that_go_are_not_offered() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let site = market::site(|o, r| fleet.clients(o, r), "search-power", &[market::hall(40_000)]).await?;
    let hall = site.blocks.first().context("a hall")?;
    let ops = fleet.clients(&site.operator, Role::SiteOps)?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let whole = || need(40_000);
    ensure!(found(&tenant, whole()).await? == [hall.as_str()]);
    let schedule = inventory::ScheduleMaintenanceRequest {
        parent: hall.clone(),
        window: Some(market::window("2030-01-01", "2030-02-01", market::load(5_000), "work")),
        request_id: request_id(),
        ..Default::default()
    };
    let window = ops.maintenance().schedule_maintenance(schedule).await?.into_inner();
    let window = window.window.context("a window")?;
    ensure!(found(&tenant, whole()).await?.is_empty(), "for a month there is less");
    ensure!(found(&tenant, need(35_000)).await? == [hall.as_str()]);
    let cancel = inventory::CancelMaintenanceRequest {
        name: window.name,
        request_id: request_id(),
        ..Default::default()
    };
    ops.maintenance().cancel_maintenance(cancel).await?;
    sees(&tenant, &whole(), &[hall]).await?;

    let phases = inventory::ListPhasesRequest { parent: hall.clone(), ..Default::default() };
    let phase = ops.sites().list_phases(phases).await?.into_inner().phases.pop().context("a phase")?;
    let cancel = inventory::CancelPhaseRequest {
        name: phase.name,
        etag: phase.etag,
        reason: "never built".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    ops.sites().cancel_phase(cancel).await?;
    sees(&tenant, &need(1), &[]).await?;
    fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_cooling_and_machines_is_found_and_what_is_archived_is_not() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let halls = [market::hall(40_000), market::hall(40_000)];
    let site = market::site(|o, r| fleet.clients(o, r), "search-power", &halls).await?;
    let [warm, other] = site.blocks.as_slice() else { anyhow::bail!("two halls") };
    let ops = fleet.clients(&site.operator, Role::SiteOps)?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    let get = inventory::GetBlockRequest { name: warm.clone(), ..Default::default() };
    let said = ops.sites().get_block(get).await?.into_inner().block.context("a block")?;
    let said = inventory::Block {
        supply_temperature_decicelsius: Some(400),
        design_generation: "Vera Rubin".to_owned(),
        redundancy: Redundancy::TwoNPlus1.into(),
        ..said
    };
    let paths = ["supply_temperature_decicelsius", "design_generation", "redundancy"];
    let update = inventory::UpdateBlockRequest {
        block: Some(said),
        update_mask: Some(prost_types::FieldMask { paths: paths.map(str::to_owned).to_vec() }),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().update_block(update).await?;
    let base = || need(10_000);
    let only = async |request, expected: &[&str]| {
        let found = found(&tenant, request).await?;
        ensure!(found == expected, "{found:?}, not {expected:?}");
        anyhow::Ok(())
    };
    only(base(), &[warm, other]).await?;
    let twice = Redundancy::TwoN.into();
    only(inventory::SearchCapacityRequest { redundancy_min: twice, ..base() }, &[warm]).await?;
    let one_unit = Redundancy::Distributed.into();
    only(inventory::SearchCapacityRequest { redundancy_min: one_unit, ..base() }, &[warm, other]).await?;
    let at_most = |tenths| inventory::SearchCapacityRequest {
        supply_temperature_decicelsius_max: Some(tenths),
        ..base()
    };
    only(at_most(400), &[warm]).await?;
    only(at_most(399), &[]).await?;
    let at_least = |tenths| inventory::SearchCapacityRequest {
        supply_temperature_decicelsius_min: Some(tenths),
        ..base()
    };
    only(at_least(400), &[warm]).await?;
    only(at_least(401), &[]).await?;
    let generation = vec!["vera rubin".to_owned()];
    only(inventory::SearchCapacityRequest { design_generations: generation, ..base() }, &[warm]).await?;

    archived_is_not_found(&fleet, &site).await?;
    fleet.stop().await;
    Ok(())
}

/// Archives the blocks of a site and then the site: each is found no more.
async fn archived_is_not_found(fleet: &Fleet, site: &Site) -> Result<()> {
    let ops = fleet.clients(&site.operator, Role::SiteOps)?;
    let tenant = fleet.clients(TENANT, Role::Tenant)?;
    for block in &site.blocks {
        let phases = inventory::ListPhasesRequest { parent: block.clone(), ..Default::default() };
        for phase in ops.sites().list_phases(phases).await?.into_inner().phases {
            let cancel = inventory::CancelPhaseRequest {
                name: phase.name,
                etag: phase.etag,
                reason: "sold".to_owned(),
                request_id: request_id(),
                ..Default::default()
            };
            ops.sites().cancel_phase(cancel).await?;
        }
        let archive = inventory::ArchiveBlockRequest {
            name: block.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        ops.sites().archive_block(archive).await?;
    }
    ensure!(found(&tenant, need(1)).await?.is_empty());
    // The site still has its power: only archived it is no place to convert.
    let convertible = async || {
        let now = runtime::wire::to_timestamp(kernel::Clock::now(&kernel::SystemClock));
        let asked = inventory::SearchCapacityRequest { fresh_from_time: Some(now), ..need(10_000) };
        let found = tenant.capacity().search_capacity(asked).await?.into_inner();
        anyhow::Ok(found.convertible.into_iter().map(|found| found.site).collect::<Vec<_>>())
    };
    ensure!(convertible().await? == [site.site.as_str()]);
    let archive = inventory::ArchiveSiteRequest {
        name: site.site.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    ops.sites().archive_site(archive).await?;
    ensure!(convertible().await?.is_empty());
    let of_site = inventory::SearchCapacityRequest { site: site.site.clone(), ..need(10_000) };
    ensure!(found(&tenant, of_site).await?.is_empty());
    Ok(())
}
