//! Outages and curtailments: from a tenant's word to the operator's, told to every tenant that is hurt and to nobody
//! else, and what a tenant opened stays its own business.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::Event;
use contracts::inventory::v1 as inventory;
use futures::StreamExt as _;
use gridlease::clients::Clients;
use integration_tests::market::{self, day, request_id};
use integration_tests::{Refusal, TestStack, raw, shape};
use inventory::{IncidentOutcome, IncidentState};
use kernel::Role;
use prost::Message as _;
use tonic::Code;

use crate::doors::{Doors, Who};

/// Two tenants with committed capacity of a hall, a third with a hold only, on a site with a programme.
struct Place {
    stack: TestStack,
    site: market::Site,
    ops: Clients,
    lab: Clients,
    other: Clients,
    holder: Clients,
}

async fn place() -> Result<Place> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "acme", &[market::hall(10_000), market::hall(1_000)]).await?;
    let doors = Doors::of(&stack)?;
    let commit = shape::rpc("gridlease.inventory.v1.ReservationService/CommitReservation");
    let channel = *doors.to(commit).first().context("a channel")?;
    for (tenant, firm) in [("lab", true), ("other", true), ("holder", false)] {
        let name = market::tenant(clients, tenant).await?;
        let block = site.blocks.first().context("a hall")?;
        let sales = clients(&site.operator, Role::Sales)?;
        let hold = market::hold(&site.operator, block, &name, market::load(1_000));
        let held = sales.reservations().place_hold(hold).await?.into_inner().reservation.context("a hold")?;
        if firm {
            let who = Who {
                token: stack.token("services/leasing", Role::Service)?,
                on_behalf_of: Some(site.operator.clone()),
            };
            let request = inventory::CommitReservationRequest {
                name: held.name,
                request_id: request_id(),
                validate_only: false,
            };
            who.call(channel, commit, request.encode_to_vec()).await.context("commit")?;
        }
    }
    stack.move_to(day("2027-03-02")).await?;
    Ok(Place {
        ops: clients(&site.operator, Role::SiteOps)?,
        lab: clients("tenants/lab", Role::Tenant)?,
        other: clients("tenants/other", Role::Tenant)?,
        holder: clients("tenants/holder", Role::Tenant)?,
        stack,
        site,
    })
}

async fn open(who: &Clients, block: &str, since: &str) -> Result<inventory::Incident, tonic::Status> {
    let request = inventory::OpenIncidentRequest {
        parent: block.to_owned(),
        incident: Some(market::outage(since, "no light")),
        request_id: request_id(),
        validate_only: false,
    };
    Ok(who.incidents().open_incident(request).await?.into_inner().incident.unwrap_or_default())
}

async fn close(
    who: &Clients,
    name: &str,
    outcome: IncidentOutcome,
) -> Result<inventory::Incident, tonic::Status> {
    let request = inventory::CloseIncidentRequest {
        name: name.to_owned(),
        outcome: outcome.into(),
        resolution: "a fuse".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    Ok(who.incidents().close_incident(request).await?.into_inner().incident.unwrap_or_default())
}

async fn get(who: &Clients, name: &str) -> Result<inventory::Incident, tonic::Status> {
    let get = inventory::GetIncidentRequest { name: name.to_owned() };
    Ok(who.incidents().get_incident(get).await?.into_inner().incident.unwrap_or_default())
}

async fn listed(who: &Clients, parent: &str, states: &[IncidentState]) -> Result<Vec<String>> {
    let list = inventory::ListIncidentsRequest {
        parent: parent.to_owned(),
        states: states.iter().map(|state| (*state).into()).collect(),
        ..Default::default()
    };
    let incidents = who.incidents().list_incidents(list).await?.into_inner().incidents;
    Ok(incidents.into_iter().map(|incident| incident.name).collect())
}

fn refused<T>(answer: Result<T, tonic::Status>, code: Code, reason: &str) -> Result<Refusal> {
    match answer {
        Ok(_) => anyhow::bail!("it was allowed"),
        Err(status) => Refusal::of(&status)?.is(code, reason),
    }
}

/// Events of these kinds that somebody hears from the beginning, until the feed pauses.
async fn heard(stack: &TestStack, organisation: &str, role: Role, kinds: &[&str]) -> Result<Vec<Event>> {
    let rpc = "gridlease.inventory.v1.EventService/WatchEvents";
    let doors = Doors::of(stack)?;
    let channel = *doors.to(shape::rpc(rpc)).first().context("a channel")?;
    let request = inventory::WatchEventsRequest {
        parent: "operators/acme".to_owned(),
        kinds: kinds.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let token = stack.token(organisation, role)?;
    // Other tests' transactions on the same server may hold the feed back for a moment.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut stream = std::pin::pin!(raw::stream(channel, rpc, &token, None, request.encode_to_vec()).await?);
    let mut events = Vec::new();
    while let Some(message) = stream.next().await {
        match inventory::WatchEventsResponse::decode(message?)?.event {
            Some(event) => events.push(event),
            None => break,
        }
    }
    Ok(events)
}

#[tokio::test]
async fn a_tenants_word_becomes_the_operators_and_everybody_hurt_is_told() -> Result<()> {
    let Place { stack, site, ops, lab, other, holder } = place().await?;
    let block = site.blocks.first().context("a hall")?;
    // Only who has something firm there, and then.
    refused(open(&holder, block, "2027-03-01").await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    refused(open(&lab, &site.blocks[1], "2027-03-01").await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let opened = open(&lab, block, "2027-03-01").await?;
    ensure!(opened.state() == IncidentState::Open && opened.tenant == "tenants/lab", "{opened:#?}");
    ensure!(get(&lab, &opened.name).await? == opened && get(&ops, &opened.name).await? == opened);
    // Nobody else hears of it before the operator stands by it.
    for stranger in [&other, &holder] {
        refused(get(stranger, &opened.name).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
        ensure!(listed(stranger, "operators/-", &[]).await?.is_empty());
        refused(
            close(stranger, &opened.name, IncidentOutcome::Withdrawn).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        )?;
    }
    let refusal = refused(
        close(&lab, &opened.name, IncidentOutcome::Resolved).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    )?;
    ensure!(refusal.fields == ["outcome"], "only the operator resolves: {refusal:#?}");

    let mut known = opened.clone();
    known.end_time = Some(runtime::wire::to_timestamp(kernel::Zone::UTC.start_of_day(day("2027-03-02"))));
    known.measured_minutes = Some(1_000);
    let update = inventory::UpdateIncidentRequest {
        incident: Some(known),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["end_time".to_owned(), "measured_minutes".to_owned()],
        }),
        request_id: request_id(),
        validate_only: false,
    };
    let known =
        ops.incidents().update_incident(update).await?.into_inner().incident.context("an incident")?;
    ensure!(known.state() == IncidentState::Acknowledged && known.measured_minutes == Some(1_000));
    let seen = get(&other, &known.name).await?;
    ensure!(
        seen == inventory::Incident { tenant: String::new(), ..known.clone() },
        "whose word it was: {seen:#?}"
    );
    refused(get(&holder, &known.name).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    refused(
        close(&lab, &known.name, IncidentOutcome::Withdrawn).await,
        Code::FailedPrecondition,
        "INVALID_STATE_TRANSITION",
    )?;

    let closed = close(&ops, &known.name, IncidentOutcome::Resolved).await?;
    ensure!(closed.state() == IncidentState::Resolved && closed.resolution == "a fuse", "{closed:#?}");
    let both = [closed.name.clone()];
    ensure!(listed(&other, "operators/-", &[IncidentState::Resolved]).await? == both);
    ensure!(listed(&lab, "operators/acme", &[]).await? == both);
    ensure!(listed(&ops, "operators/acme", &[IncidentState::Open]).await?.is_empty());
    told(&stack, &closed).await?;
    stack.stop().await;
    Ok(())
}

/// The operator hears each change and each notice; each tenant its own notices, as it may see them.
async fn told(stack: &TestStack, closed: &inventory::Incident) -> Result<()> {
    let changes = ["incident.opened", "incident.updated", "incident.resolved"];
    let kinds = [&changes[..], &["incident.notice"]].concat();
    let operator = heard(stack, "operators/acme", Role::SiteOps, &kinds).await?;
    let kinds_heard: Vec<&str> = operator.iter().map(|event| event.r#type.as_str()).collect();
    for change in changes {
        ensure!(kinds_heard.iter().filter(|kind| **kind == change).count() == 1, "{kinds_heard:?}");
    }
    let to = |tenant: &str| operator.iter().filter(|event| event.tenant == tenant).count();
    ensure!((to("tenants/lab"), to("tenants/other"), to("tenants/holder")) == (3, 2, 0), "{operator:#?}");
    for (tenant, count) in [("tenants/lab", 3), ("tenants/other", 2), ("tenants/holder", 0)] {
        let events = heard(stack, tenant, Role::Tenant, &kinds).await?;
        ensure!(events.len() == count, "{tenant}: {events:#?}");
        let Some(last) = events.last() else { continue };
        let data = last.data.as_ref().context("a payload")?;
        ensure!(data.type_url.ends_with("gridlease.inventory.v1.Incident"), "{}", data.type_url);
        let told = inventory::Incident::decode(data.value.as_slice())?;
        let own = if tenant == "tenants/lab" { tenant } else { "" };
        ensure!(told == inventory::Incident { tenant: own.to_owned(), ..closed.clone() }, "{told:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_tenant_takes_back_and_what_is_rejected_stays_between_the_two() -> Result<()> {
    let Place { stack, site, ops, lab, other, .. } = place().await?;
    let block = site.blocks.first().context("a hall")?;
    let first = open(&lab, block, "2027-03-01").await?;
    let withdrawn = close(&lab, &first.name, IncidentOutcome::Withdrawn).await?;
    ensure!(withdrawn.state() == IncidentState::Withdrawn, "{withdrawn:#?}");
    let second = open(&lab, block, "2027-03-01").await?;
    let rejected = close(&ops, &second.name, IncidentOutcome::Rejected).await?;
    ensure!(rejected.state() == IncidentState::Rejected, "{rejected:#?}");
    ensure!(listed(&other, "operators/-", &[]).await?.is_empty());
    ensure!(listed(&lab, "operators/-", &[]).await? == [second.name, first.name], "newest first");
    for name in [&withdrawn.name, &rejected.name] {
        refused(
            close(&ops, name, IncidentOutcome::Rejected).await,
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
        )?;
    }
    // Of a whole site, and over before it is reported.
    let mut outage = market::outage("2027-03-01", "a pump");
    outage.kind = inventory::IncidentKind::Cooling.into();
    outage.end_time = Some(runtime::wire::to_timestamp(kernel::Zone::UTC.start_of_day(day("2027-03-02"))));
    outage.temperature_max_decicelsius = Some(352);
    let report = inventory::ReportIncidentRequest {
        parent: site.site.clone(),
        incident: Some(outage),
        request_id: request_id(),
        validate_only: false,
    };
    let reported = ops.incidents().report_incident(report).await?.into_inner().incident.context("one")?;
    ensure!(reported.state() == IncidentState::Resolved && reported.block.is_empty(), "{reported:#?}");
    ensure!(listed(&other, "operators/-", &[]).await? == [reported.name]);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_curtailment_is_announced_to_those_on_the_site() -> Result<()> {
    let Place { stack, site, ops, lab, other, holder } = place().await?;
    let get = inventory::GetSiteRequest { name: site.site.clone(), ..Default::default() };
    let mut with_programme = ops.sites().get_site(get).await?.into_inner().site.context("a site")?;
    with_programme.curtailment_programmes = vec![inventory::CurtailmentProgramme {
        programme_id: "ers".to_owned(),
        display_name: "ERCOT ERS".to_owned(),
        notice_minutes: 10,
        eligible_kw: 1_000,
        ..Default::default()
    }];
    let update = inventory::UpdateSiteRequest {
        site: Some(with_programme),
        update_mask: Some(prost_types::FieldMask { paths: vec!["curtailment_programmes".to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().update_site(update).await?;
    let announce = |curtailed_kw| inventory::AnnounceCurtailmentRequest {
        parent: site.operator.clone(),
        curtailment: Some(inventory::Curtailment {
            programme_id: "ers".to_owned(),
            curtailed_kw,
            ..market::curtailment(&site.site)
        }),
        request_id: request_id(),
        validate_only: false,
    };
    let refusal = Refusal::expect(ops.incidents().announce_curtailment(announce(1_001)).await)?;
    ensure!(refusal.fields == ["curtailment.curtailed_kw"], "more than takes part: {refusal:#?}");
    let announced = ops.incidents().announce_curtailment(announce(1_000)).await?.into_inner().curtailment;
    let announced = announced.context("a curtailment")?;
    // From noon of 2 March to midnight before 1 July.
    ensure!(announced.notice_minutes == (120 * 24 + 12) * 60, "{announced:#?}");
    let list =
        || inventory::ListCurtailmentsRequest { parent: "operators/-".to_owned(), ..Default::default() };
    for (who, sees) in [(&ops, true), (&lab, true), (&other, true), (&holder, false)] {
        let listed = who.incidents().list_curtailments(list()).await?.into_inner().curtailments;
        let expected: &[inventory::Curtailment] = if sees { std::slice::from_ref(&announced) } else { &[] };
        ensure!(listed == expected, "{listed:#?}");
    }
    let kinds = ["curtailment.announced", "curtailment.notice"];
    ensure!(heard(&stack, &site.operator, Role::SiteOps, &kinds).await?.len() == 3, "itself and two notices");
    for (tenant, count) in [("tenants/lab", 1), ("tenants/holder", 0)] {
        ensure!(heard(&stack, tenant, Role::Tenant, &kinds).await?.len() == count, "{tenant}");
    }

    stack.stop().await;
    Ok(())
}
