//! Archiving: refused while anything is in the way, with what it is; then it leaves the lists, changes no more, and
//! reads back as it was.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::{Code, Status};

async fn archive_block(ops: &Clients, name: &str) -> Result<inventory::Block, Status> {
    let archive = inventory::ArchiveBlockRequest {
        name: name.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    Ok(ops.sites().archive_block(archive).await?.into_inner().block.unwrap_or_default())
}

async fn archive_site(ops: &Clients, name: &str) -> Result<inventory::Site, Status> {
    let archive = inventory::ArchiveSiteRequest {
        name: name.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    Ok(ops.sites().archive_site(archive).await?.into_inner().site.unwrap_or_default())
}

fn refusal<T>(answer: Result<T, Status>) -> Result<Refusal> {
    match answer {
        Ok(_) => anyhow::bail!("it was allowed"),
        Err(status) => Refusal::of(&status),
    }
}

#[tokio::test]
async fn what_is_in_use_stays_and_what_is_archived_leaves_the_lists() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "acme", &[]).await?;
    let (ops, sales) = (clients(&place.operator, Role::SiteOps)?, clients(&place.operator, Role::Sales)?);
    let lab = market::tenant(clients, "lab").await?;
    let block = format!("{}/blocks/hall", place.site);
    let create = |validate_only| inventory::CreateBlockRequest {
        parent: place.site.clone(),
        block_id: "hall".to_owned(),
        block: Some(market::liquid_block()),
        request_id: request_id(),
        validate_only,
    };
    ops.sites().create_block(create(false)).await?;
    let phase = inventory::CreatePhaseRequest {
        parent: block.clone(),
        phase_id: "one".to_owned(),
        phase: Some(inventory::Phase {
            end_date: Some(date("2028-01-01")),
            ..market::phase(market::hall(5_000), market::READY)
        }),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().create_phase(phase).await?;
    let mut hold = market::hold(&place.operator, &block, &lab, market::load(1_000));
    hold.claims[0].profile = Some(market::profile(market::load(1_000), market::READY, "2028-01-01"));
    let held = sales.reservations().place_hold(hold).await?.into_inner().reservation.context("a hold")?;

    let refused =
        refusal(archive_block(&ops, &block).await)?.is(Code::FailedPrecondition, "RESOURCE_IN_USE")?;
    ensure!(refused.fact("phases")? == "one", "{refused:#?}");
    ensure!(held.name.ends_with(refused.fact("reservations")?), "{refused:#?}");
    let refused = refusal(archive_site(&ops, &place.site).await)?;
    ensure!(refused.is(Code::FailedPrecondition, "RESOURCE_IN_USE")?.fact("blocks")? == "hall");

    let release = inventory::ReleaseReservationRequest {
        name: held.name,
        request_id: request_id(),
        ..Default::default()
    };
    sales.reservations().release_reservation(release).await?;
    let refused = refusal(archive_block(&ops, &block).await)?;
    ensure!(!refused.metadata.contains_key("reservations"), "what was released takes nothing: {refused:#?}");
    // The phase has ended, and so nothing is left.
    stack.move_to(day("2028-01-02")).await?;
    let before = seen(&ops, &place.operator, false).await?;
    let archived = archive_block(&ops, &block).await?;
    ensure!(archived.archive_time.is_some() && archived.archive_time == archived.update_time);
    let site = archive_site(&ops, &place.site).await?;
    ensure!(site.archive_time.is_some(), "{site:#?}");

    let tenant = clients(&lab, Role::Tenant)?;
    for who in [&ops, &tenant] {
        ensure!(seen(who, &place.operator, false).await? == (Vec::new(), Vec::new()), "they leave the lists");
        let shown = seen(who, &place.operator, true).await?;
        ensure!(shown == (vec![site.clone()], vec![archived.clone()]), "{shown:#?}");
        let get = inventory::GetSiteRequest { name: site.name.clone(), ..Default::default() };
        ensure!(who.sites().get_site(get).await?.into_inner().site.as_ref() == Some(&site));
    }
    let early = site.create_time;
    let listed = inventory::ListSitesRequest {
        parent: place.operator.clone(),
        read_time: early,
        ..Default::default()
    };
    let then = ops.sites().list_sites(listed).await?.into_inner().sites;
    ensure!(then.len() == 1 && then[0].archive_time.is_none(), "it was not archived then: {then:#?}");
    ensure!(before.0.len() == 1, "{before:#?}");
    nothing_more_happens(&ops, &site, &archived, create(false)).await?;
    stack.stop().await;
    Ok(())
}

/// Sites and blocks as they are listed.
async fn seen(
    who: &Clients,
    operator: &str,
    show_archived: bool,
) -> Result<(Vec<inventory::Site>, Vec<inventory::Block>)> {
    let sites =
        inventory::ListSitesRequest { parent: operator.to_owned(), show_archived, ..Default::default() };
    let parent = format!("{operator}/sites/-");
    let blocks = inventory::ListBlocksRequest { parent, show_archived, ..Default::default() };
    Ok((
        who.sites().list_sites(sites).await?.into_inner().sites,
        who.sites().list_blocks(blocks).await?.into_inner().blocks,
    ))
}

async fn nothing_more_happens(
    ops: &Clients,
    site: &inventory::Site,
    block: &inventory::Block,
    create: inventory::CreateBlockRequest,
) -> Result<()> {
    let mask = |path: &str| Some(prost_types::FieldMask { paths: vec![path.to_owned()] });
    let is_archived = |refusal: Refusal| refusal.is(Code::FailedPrecondition, "RESOURCE_ARCHIVED").map(drop);
    is_archived(refusal(archive_block(ops, &block.name).await)?)?;
    is_archived(refusal(archive_site(ops, &site.name).await)?)?;
    let another = inventory::CreateBlockRequest { block_id: "another".to_owned(), ..create };
    is_archived(Refusal::expect(ops.sites().create_block(another).await)?)?;
    let update = inventory::UpdateSiteRequest {
        site: Some(site.clone()),
        update_mask: mask("city"),
        request_id: request_id(),
        validate_only: false,
    };
    is_archived(Refusal::expect(ops.sites().update_site(update).await)?)?;
    let update = inventory::UpdateBlockRequest {
        block: Some(block.clone()),
        update_mask: mask("display_name"),
        request_id: request_id(),
        validate_only: false,
    };
    is_archived(Refusal::expect(ops.sites().update_block(update).await)?)?;
    let phase = inventory::CreatePhaseRequest {
        parent: block.name.clone(),
        phase_id: "two".to_owned(),
        phase: Some(market::phase(market::hall(1_000), "2029-01-01")),
        request_id: request_id(),
        validate_only: false,
    };
    is_archived(Refusal::expect(ops.sites().create_phase(phase).await)?)
}

#[tokio::test]
async fn an_operator_is_renamed_and_reads_back_as_it_was() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "acme", &[]).await?;
    let admin = clients(&place.operator, Role::OperatorAdmin)?;
    let get = |read_time| inventory::GetOperatorRequest { name: place.operator.clone(), read_time };
    let first = admin.sites().get_operator(get(None)).await?.into_inner().operator.context("an operator")?;
    let mut versions = vec![first];
    // Its own admin, and those who run the platform.
    let platform = clients("platform", Role::PlatformAdmin)?;
    for (number, who) in [&admin, &platform, &admin].into_iter().enumerate() {
        stack.move_to(day("2026-12-02") + chrono::TimeDelta::days(i64::try_from(number)?)).await?;
        let mut operator = versions.last().context("a version")?.clone();
        operator.display_name = format!("Acme {number}");
        operator.aliases.push(format!("alias {number}"));
        let paths = vec!["display_name".to_owned(), "aliases".to_owned()];
        let update = inventory::UpdateOperatorRequest {
            operator: Some(operator),
            update_mask: Some(prost_types::FieldMask { paths }),
            request_id: request_id(),
            validate_only: false,
        };
        let changed = who.sites().update_operator(update).await?.into_inner().operator;
        versions.push(changed.context("an operator")?);
    }
    stack.move_to(day("2026-12-10")).await?;
    market::site(clients, "zenith", &[]).await?;
    let stranger = clients("operators/zenith", Role::OperatorAdmin)?;
    let lab = market::tenant(clients, "lab").await?;
    for version in &versions {
        for who in [&admin, &platform, &clients(&lab, Role::Tenant)?] {
            let then = who.sites().get_operator(get(version.update_time)).await?.into_inner().operator;
            ensure!(then.as_ref() == Some(version), "{then:#?}\n{version:#?}");
        }
        let all = inventory::ListOperatorsRequest { read_time: version.update_time, ..Default::default() };
        let listed = platform.sites().list_operators(all).await?.into_inner().operators;
        ensure!(listed == [version.clone()], "zenith came later: {listed:#?}");
        Refusal::expect(stranger.sites().get_operator(get(version.update_time)).await)?
            .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    }
    stack.stop().await;
    Ok(())
}
