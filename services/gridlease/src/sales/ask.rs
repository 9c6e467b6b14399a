//! Questions: what can be offered, where a deal stands, what may come, what runs out.

use anyhow::Context as _;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use kernel::Role;
use runtime::wire::to_date;
use serde_json::Value;

use super::desk::{unplaced_report, unplaced_rows};
use super::report::{Report, day, number, text, time, word};
use super::{Deadlines, Find, Lease, Pipeline, Unplaced};
use crate::out;

/// Rows a page.
const PAGE: i32 = 1_000;

pub(super) async fn find(arguments: Find) -> anyhow::Result<String> {
    let Find { server, .. } = &arguments;
    let request = inventory::SearchCapacityRequest {
        critical_it_kw: arguments.kw,
        liquid_share_percent: arguments.liquid_percent,
        start_from_date: Some(to_date(arguments.from)),
        term_months: arguments.months,
        grid_isos: arguments.grids.clone(),
        operators: vec![server.parent()],
        ..Default::default()
    };
    let mut capacity = server.desk(Role::Sales)?.capacity();
    let answer = capacity.search_capacity(request).await.context("search")?.into_inner();
    let mut report =
        Report::new(&["What", "Where", "From", ">IT kW", "Basis", ">Rate", "To clear or assumed"]);
    for free in &answer.free_and_dated {
        report.row([
            text("free"),
            text(free.block.clone()),
            day(free.start_date.as_ref()),
            Value::from(free.capacity.unwrap_or_default().critical_it_kw),
            word(free.date_basis().as_str_name(), "DATE_BASIS_"),
            number(free.rate_per_kw_month.as_ref()),
            text(free.rights.join(" ")),
        ]);
    }
    for site in &answer.convertible {
        report.row([
            text("convertible"),
            text(site.site.clone()),
            day(site.assumed_start_date.as_ref()),
            Value::from(site.convertible_it_kw),
            text("ASSUMED"),
            Value::Null,
            text(site.assumptions.join(" ")),
        ]);
    }
    if let Some(near) = &answer.near_misses {
        if let Some(miss) = &near.earliest {
            let from = day(miss.start_date.as_ref());
            report.row([text("later"), text(miss.block.clone()), from, Value::from(arguments.kw)]);
        }
        if let Some(miss) = &near.largest {
            let from = day(miss.start_date.as_ref());
            report.row([text("less"), text(miss.block.clone()), from, Value::from(miss.critical_it_kw)]);
        }
    }
    Ok(report.told(server.json, "Nothing is free, comes near, or could be converted."))
}

pub(super) async fn lease(arguments: Lease) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = leasing::GetDeliveryStatusRequest { name: arguments.name.to_string() };
    let mut leases = server.desk(Role::Sales)?.leases();
    let found = leases.get_delivery_status(request).await.context("ask for the lease")?.into_inner();
    let mut report = Report::new(&["What", "Where or who", "State", "Planned", "Actual", ">IT kW"]);
    report.row([
        text("lease"),
        text(found.lease.clone()),
        word(found.state().as_str_name(), "LEASE_STATE_"),
        day(found.first_rent_date.as_ref()),
        time(found.effective_time.as_ref()),
    ]);
    for side in &found.signatures {
        report.row([
            text("signature"),
            word(side.party().as_str_name(), "PARTY_"),
            text(if side.signed { "SIGNED" } else { "AWAITED" }),
            time(found.hold_expire_time.as_ref()),
            time(side.sign_time.as_ref()),
        ]);
    }
    for block in &found.blocks {
        report.row([
            text("block"),
            text(block.block.clone()),
            word(block.state().as_str_name(), "LEASE_BLOCK_STATE_"),
            day(block.planned_commencement_date.as_ref()),
            day(block.actual_commencement_date.as_ref()),
            Value::from(block.critical_it_kw),
        ]);
    }
    report.row([
        text("next"),
        text(found.next_action.clone()),
        word(found.next_action_owner().as_str_name(), "ACTION_OWNER_"),
        time(found.next_action_time.as_ref()),
    ]);
    Ok(report.told(server.json, ""))
}

/// Leases in which something has no block yet, also those that are not agreed.
pub(super) async fn unplaced(arguments: Unplaced) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut client = server.desk(Role::Sales)?.leases();
    let states = [
        leasing::LeaseState::Proposed,
        leasing::LeaseState::Signing,
        leasing::LeaseState::Signed,
        leasing::LeaseState::Effective,
        leasing::LeaseState::Active,
        leasing::LeaseState::Defaulted,
    ];
    let mut request = leasing::ListLeasesRequest {
        parent: server.parent(),
        states: states.into_iter().map(Into::into).collect(),
        page_size: PAGE,
        ..Default::default()
    };
    let mut report = unplaced_report();
    loop {
        let page = client.list_leases(request.clone()).await.context("ask for the leases")?.into_inner();
        page.leases.iter().for_each(|lease| unplaced_rows(lease, &mut report));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok(report.told(server.json, "Everything that is promised has its blocks."))
}

pub(super) async fn pipeline(arguments: Pipeline) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut client = server.desk(Role::Sales)?.pipeline();
    let mut request = leasing::ListOpportunitiesRequest {
        parent: server.parent(),
        page_size: if arguments.deals { PAGE } else { 1 },
        ..Default::default()
    };
    let mut page =
        client.list_opportunities(request.clone()).await.context("ask for the pipeline")?.into_inner();
    if !arguments.deals {
        let mut report = Report::new(&[
            "Stage",
            ">Deals",
            ">IT kW",
            ">Weighted kW",
            "Currency",
            ">Rent a month",
            ">Weighted",
        ]);
        for sum in &page.sums {
            report.row([
                word(sum.stage().as_str_name(), "OPPORTUNITY_STAGE_"),
                Value::from(sum.count),
                Value::from(sum.critical_it_kw),
                number(sum.weighted_kw.as_ref()),
                text(sum.currency_code.clone()),
                number(sum.monthly_rent.as_ref()),
                number(sum.weighted_monthly_rent.as_ref()),
            ]);
        }
        return Ok(report.told(server.json, "There is no deal in the pipeline."));
    }
    let mut report = Report::new(&["Deal", "Who", "Stage", ">%", ">IT kW", ">Rate", "Close", "Name"]);
    loop {
        for deal in &page.opportunities {
            let who = if deal.tenant.is_empty() { &deal.prospect } else { &deal.tenant };
            report.row([
                text(deal.display_name.clone()),
                text(who.clone()),
                word(deal.stage().as_str_name(), "OPPORTUNITY_STAGE_"),
                Value::from(deal.effective_probability_percent),
                Value::from(deal.critical_it_kw),
                number(deal.rate_per_kw_month.as_ref()),
                day(deal.expected_close_date.as_ref()),
                text(deal.name.clone()),
            ]);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        page =
            client.list_opportunities(request.clone()).await.context("ask for the next page")?.into_inner();
    }
    Ok(report.told(server.json, "There is no deal in the pipeline."))
}

pub(super) async fn deadlines(arguments: Deadlines) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut client = server.desk(Role::Sales)?.leases();
    let mut request = leasing::ListDeadlinesRequest {
        parent: server.parent(),
        page_size: PAGE,
        within_days: arguments.days,
        ..Default::default()
    };
    let mut report = Report::new(&["Date", "Kind", "What", ">IT kW", "Then"]);
    loop {
        let page = client.list_deadlines(request.clone()).await.context("ask for deadlines")?.into_inner();
        for one in &page.deadlines {
            let what = if one.block.is_empty() { &one.resource } else { &one.block };
            report.row([
                day(one.date.as_ref()),
                word(one.kind().as_str_name(), "DEADLINE_KIND_"),
                text(what.clone()),
                Value::from(one.critical_it_kw),
                text(one.consequence.clone()),
            ]);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let nothing = format!("Nothing runs out within {} days.", out::grouped(arguments.days.into()));
    Ok(report.told(server.json, &nothing))
}
