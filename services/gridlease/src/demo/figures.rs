//! Every site's figures, as the services answer them, beside those of the file.

use anyhow::Context as _;
use contracts::inventory::v1 as wire;
use kernel::{CivilDate, Role, SiteName, Zone};

use super::findings::{DifferenceFound, SiteFound};
use super::progress::stage;
use super::staff::Staff;
use super::wire::{civil, date};
use crate::asking::Days;
use crate::market::{Market, Site};
use crate::plan;

/// The power plans that are looked at: fifty years.
const OVER: (CivilDate, CivilDate) = (day(2020, 1, 1), day(2069, 12, 31));
/// A day on which every lease has begun and none has ended.
const LEASED_ON: (CivilDate, CivilDate) = (day(2028, 7, 1), day(2028, 7, 2));

const fn day(year: i32, month: u32, of_month: u32) -> CivilDate {
    match CivilDate::from_ymd_opt(year, month, of_month) {
        Some(day) => day,
        None => CivilDate::MIN,
    }
}

/// Asks for every site, its power plan and what is free.
pub(super) async fn sites(
    market: &Market,
    staff: &Staff,
    today: CivilDate,
) -> anyhow::Result<Vec<SiteFound>> {
    let progress = stage("power plans", market.sites.len());
    let mut found = Vec::new();
    for site in &market.sites {
        found.push(one(site, staff, today).await.with_context(|| site.id.to_string())?);
        progress.step();
    }
    Ok(found)
}

async fn one(site: &Site, staff: &Staff, today: CivilDate) -> anyhow::Result<SiteFound> {
    let clients = staff.of(&site.operator, Role::SiteOps)?;
    let name = SiteName::new(site.operator.clone(), site.id.clone());
    let request = wire::GetSiteRequest { name: name.to_string(), read_time: None };
    let answer = clients.sites().get_site(request).await?.into_inner().site.context("no site")?;
    let mut now = None;
    for step in answer.grid_steps {
        if civil(step.from_date.as_ref())? <= today {
            now = Some(step);
        }
    }
    let now = now.unwrap_or_default();
    let days = Days { from: Some(OVER.0), until: Some(OVER.1) };
    let plan = plan::asked(&mut clients.sites(), &name, days).await?;
    let zone: Zone = answer.time_zone.parse().context("an unknown time zone")?;
    let request = wire::GetAvailabilityRequest {
        name: name.to_string(),
        start_date: date(LEASED_ON.0),
        end_date: date(LEASED_ON.1),
        ..Default::default()
    };
    let answer = clients.capacity().get_availability(request).await?.into_inner();
    let free = answer.steps.first().context("availability without a step")?;
    let it = |vector: &Option<contracts::common::v1::CapacityVector>| {
        vector.as_ref().map_or(0, |vector| vector.critical_it_kw)
    };
    Ok(SiteFound {
        site: site.id.to_string(),
        operator: site.operator.to_string(),
        stated: site.stated,
        energised_kw: now.energised_kw,
        contracted_kw: now.contracted_kw,
        mined_kw: now.interim_kw.unwrap_or(0),
        leased_it_kw: it(&free.leased) + it(&free.held),
        free_it_kw: it(&free.free),
        headroom_kw: plan.at(zone.start_of_day(LEASED_ON.0)).and_then(|step| step.headroom_kw),
        plan_steps: plan.steps.len(),
        fault: plan.fault(),
    })
}

/// Where an answer is not what the file says; a figure that is not stated and one that is zero are alike.
pub(super) fn differences(market: &Market, sites: &[SiteFound]) -> Vec<DifferenceFound> {
    let of_site = |own: &SiteFound| {
        let found = |column, stated_kw, found_kw| DifferenceFound {
            site: own.site.clone(),
            column,
            stated_kw,
            found_kw,
            why: why(market, &own.site, column),
        };
        let leased = (own.leased_it_kw > 0).then_some(own.leased_it_kw);
        [
            found("energized_mw", own.stated.energised_kw, own.energised_kw),
            found("contracted_power_mw", own.stated.contracted_kw, own.contracted_kw),
            found("ai_leased_it_mw", own.stated.leased_it_kw, leased),
        ]
    };
    let differs = |own: &DifferenceFound| own.stated_kw.unwrap_or(0) != own.found_kw.unwrap_or(0);
    sites.iter().flat_map(of_site).filter(differs).collect()
}

/// A correction of the column or of the day from which it holds, or a reason of its own.
fn why(market: &Market, site: &str, column: &str) -> String {
    let is_grid = column != "ai_leased_it_mw";
    let corrected = market.corrections.iter().filter(|own| own.site_id.as_str() == site);
    let mut corrected =
        corrected.filter(|own| own.column == column || (is_grid && own.column == "grid_from"));
    let own = || market.differences.iter().find(|own| own.site_id.as_str() == site && own.column == column);
    corrected
        .next()
        .map(|own| own.why.clone())
        .or_else(|| own().map(|own| own.why.clone()))
        .unwrap_or_default()
}
