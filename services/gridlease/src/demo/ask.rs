//! Questions to inventory: what is free, what could be made, and what is refused.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use contracts::inventory::v1 as wire;
use kernel::{CivilDate, Clock as _, OperatorId, Role, SystemClock};
use tonic_types::StatusExt as _;

use super::book::{claim_on, zone};
use super::findings::{Convertible, Offer, RefusalFound, SearchFound};
use super::staff::Staff;
use super::wire::{civil, date, days, request_id};
use crate::clients::Clients;
use crate::market::{Deal, Market, Operator, PlanLine};
use crate::out;

/// The need that the demonstration asks for: 40 MW, 85% of it liquid cooled, ERCOT, a start in 2027, 12 years.
fn need() -> wire::SearchCapacityRequest {
    wire::SearchCapacityRequest {
        critical_it_kw: 40_000,
        liquid_share_percent: 85,
        start_from_date: date(day(2027, 1, 1)),
        start_until_date: date(day(2028, 1, 1)),
        term_months: 144,
        grid_isos: vec!["ERCOT".to_owned()],
        // What was just booked counts.
        fresh_from_time: Some(runtime::wire::to_timestamp(SystemClock.now())),
        ..Default::default()
    }
}

fn day(year: i32, month: u32, of_month: u32) -> CivilDate {
    CivilDate::from_ymd_opt(year, month, of_month).unwrap_or_default()
}

/// Searches the whole market, which a tenant may.
pub(super) async fn search(market: &Market, staff: &Staff) -> anyhow::Result<SearchFound> {
    let deal = market.deals.first().context("a market without deals")?;
    let asked_by = format!("{}, a tenant, who sees every operator", deal.tenant_name());
    asked(asked_by, &staff.tenant(&deal.tenant)?).await
}

/// The same by an operator's own sales, who see their own sites.
pub(super) async fn own_search(operator: &Operator, staff: &Staff) -> anyhow::Result<SearchFound> {
    let asked_by = format!("the sales of {}", operator.display_name);
    asked(asked_by, &staff.of(&operator.id, Role::Sales)?).await
}

async fn asked(asked_by: String, caller: &Clients) -> anyhow::Result<SearchFound> {
    let answer = caller.capacity().search_capacity(need()).await?.into_inner();
    let mut free = Vec::new();
    for offer in &answer.free_and_dated {
        free.push(Offer {
            block: offer.block.clone(),
            start_date: civil(offer.start_date.as_ref())?,
            critical_it_kw: offer.capacity.as_ref().map_or(0, |capacity| capacity.critical_it_kw),
        });
    }
    let mut convertible = Vec::new();
    for site in answer.convertible {
        convertible.push(Convertible {
            start_date: civil(site.assumed_start_date.as_ref())?,
            site: site.site,
            headroom_gross_kw: site.headroom_gross_kw,
            convertible_it_kw: site.convertible_it_kw,
            assumptions: site.assumptions,
        });
    }
    Ok(SearchFound {
        asked_by,
        need: "40 MW of IT load, 85% liquid cooled, ERCOT, a start in 2027, 12 years".to_owned(),
        free,
        nearest: answer.near_misses.map(|misses| nearest(&misses)).transpose()?.unwrap_or_default(),
        convertible,
    })
}

fn nearest(misses: &wire::NearMisses) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    if let Some(miss) = &misses.earliest {
        let start = civil(miss.start_date.as_ref())?;
        words.push(format!("the same need, later: {start} at {}", short(&miss.block)));
    }
    if let Some(miss) = &misses.largest {
        let (mw, start) = (out::megawatts(miss.critical_it_kw), civil(miss.start_date.as_ref())?);
        words.push(format!("less, in time: {mw} MW from {start} at {}", short(&miss.block)));
    }
    for offer in &misses.elsewhere {
        let start = civil(offer.start_date.as_ref())?;
        words.push(format!("elsewhere: from {start} at {}", short(&offer.block)));
    }
    Ok(words)
}

/// `operators/a/sites/b/blocks/c` as `b / c`.
pub(super) fn short(name: &str) -> String {
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        [_, _, _, site, _, block] => format!("{site} / {block}"),
        [_, _, _, site] => site.to_owned(),
        _ => name.to_owned(),
    }
}

/// Convertible IT load of an operator's sites, for any start in 2027.
pub(super) async fn convertible_kw(operator: &OperatorId, staff: &Staff) -> anyhow::Result<i64> {
    let request = wire::SearchCapacityRequest {
        critical_it_kw: 1_000,
        grid_isos: Vec::new(),
        operators: vec![format!("operators/{operator}")],
        term_months: 12,
        limit: 1_000,
        ..need()
    };
    let answer = staff.of(operator, Role::Sales)?.capacity().search_capacity(request).await?.into_inner();
    Ok(answer.convertible.iter().map(|site| site.convertible_it_kw).sum())
}

/// IT load of a block that is leased and that is free on a day on which every lease has begun and none has ended.
pub(super) async fn availability(line: &PlanLine, staff: &Staff) -> anyhow::Result<(i64, i64)> {
    let request = wire::GetAvailabilityRequest {
        name: block_name(line),
        start_date: date(day(2028, 7, 1)),
        end_date: date(day(2028, 7, 2)),
        ..Default::default()
    };
    let answer = staff.of(&line.operator, Role::Sales)?.capacity().get_availability(request).await?;
    let step = answer.into_inner().steps.into_iter().next().context("availability without a step")?;
    let it = |vector: Option<contracts::common::v1::CapacityVector>| {
        vector.map_or(0, |vector| vector.critical_it_kw)
    };
    Ok((it(step.leased), it(step.free)))
}

fn block_name(line: &PlanLine) -> String {
    format!("operators/{}/sites/{}/blocks/{}", line.operator, line.site_id, line.block_id)
}

/// Asks for one more megawatt where a lease fills the hall.
pub(super) async fn one_more(market: &Market, deal: &Deal, staff: &Staff) -> anyhow::Result<RefusalFound> {
    let line = deal.lines.first().context("a deal without a phase")?;
    let term = (day(2028, 1, 1), day(2029, 1, 1));
    let request = wire::PlaceHoldRequest {
        parent: format!("operators/{}", deal.operator),
        tenant: format!("tenants/{}", deal.tenant),
        kind: wire::ReservationKind::Hold.into(),
        claims: vec![claim_on(block_name(line), &zone(market, deal)?, term, (1_000, 150, 850))?],
        hold_duration: days(30),
        note: "one more megawatt".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let asked = format!("hold 1 MW for 2028 at {}", short(&block_name(line)));
    let mut client = staff.of(&deal.operator, Role::Sales)?.reservations();
    match client.place_hold(request).await {
        Ok(_) => bail!("{asked}: accepted, though the hall is full"),
        Err(status) => Ok(refusal(asked, &status)),
    }
}

/// A refusal with the details that the server sent.
pub(super) fn refusal(asked: String, status: &tonic::Status) -> RefusalFound {
    let info = status.get_details_error_info();
    let figures: BTreeMap<String, String> = info.iter().flat_map(|info| info.metadata.clone()).collect();
    RefusalFound {
        asked,
        code: format!("{:?}", status.code()),
        reason: info.map(|info| info.reason).unwrap_or_default(),
        message: status.message().to_owned(),
        figures,
    }
}
