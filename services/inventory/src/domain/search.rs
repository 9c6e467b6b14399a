//! What is free and dated, and what comes nearest where nothing is.

use kernel::time::add_months;
use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, Instant, Interval, OperatorId, Rate, Resource, SiteName,
    Zone,
};

use super::availability::{BlockView, SiteView};
use super::phase::DateBasis;

/// What is needed, for how long, and when it may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Power and the cooling that carries its heat.
    pub capacity: CapacityVector,
    /// First acceptable start, in the site's zone.
    pub from: CivilDate,
    /// First start that is too late; none = never.
    pub until: Option<CivilDate>,
    /// Length of the term.
    pub months: i32,
}

/// Which sites and blocks are asked for. Empty lists are "all".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Grid operators.
    pub grid_isos: Vec<String>,
    /// Countries.
    pub country_codes: Vec<String>,
    /// Operators.
    pub operators: Vec<OperatorId>,
    /// One site.
    pub site: Option<SiteName>,
    /// Highest indicative rate; blocks without one, or in another currency, are left out then.
    pub max_rate: Option<(Rate, Currency)>,
}

impl Filter {
    /// Whether a site is asked for.
    pub fn wants_site(&self, site: &SiteView) -> bool {
        let any = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|l| l.eq_ignore_ascii_case(value))
        };
        any(&self.grid_isos, &site.grid_iso)
            && any(&self.country_codes, &site.country_code)
            && (self.operators.is_empty() || self.operators.contains(&site.name.operator))
            && self.site.as_ref().is_none_or(|wanted| *wanted == site.name)
    }

    fn wants_rate(&self, block: &BlockView) -> bool {
        match (self.max_rate, block.rate) {
            (None, _) => true,
            (Some((max, currency)), Some((rate, of))) => of == currency && rate <= max,
            (Some(_), None) => false,
        }
    }
}

/// A block that carries the need for its whole term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Free {
    /// The block.
    pub block: BlockName,
    /// First day of the term.
    pub start: CivilDate,
    /// How that day is known.
    pub basis: DateBasis,
    /// What is free at every instant of the term.
    pub capacity: CapacityVector,
    /// Indicative rent.
    pub rate: Option<(Rate, Currency)>,
}

/// The most that one block carries, in the asked shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// The block.
    pub block: BlockName,
    /// Critical IT load, kW.
    pub critical_it_kw: i64,
    /// First day.
    pub start: CivilDate,
}

/// What comes nearest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Near {
    /// The same need, later.
    pub earliest: Option<Free>,
    /// Less, within the window.
    pub largest: Option<Largest>,
    /// The same need in the window, outside the filter.
    pub elsewhere: Vec<Free>,
}

/// The first term at or after an instant: it begins with a day of the site's zone.
fn term_from(zone: Zone, months: i32, at: Instant) -> Option<Interval> {
    let day = zone.date_of(at);
    let day = if zone.start_of_day(day) < at { day.succ_opt()? } else { day };
    let end = add_months(day, months)?;
    Interval::new(zone.start_of_day(day), zone.start_of_day(end)).ok()
}

/// The earliest term, from `need.from` on, throughout which a block carries the need.
pub fn earliest(site: &SiteView, block: &BlockView, need: &Need) -> Option<Free> {
    let free = block.free();
    let window = |at| term_from(site.zone, need.months, at);
    let term = free.earliest_window(site.zone.start_of_day(need.from), window, need.capacity)?;
    Some(Free {
        block: block.name.clone(),
        start: site.zone.date_of(term.start()),
        basis: basis_at(block, term.start()),
        capacity: free.min_over(term),
        rate: block.rate,
    })
}

/// The least certain date among the phases that are in service at an instant.
fn basis_at(block: &BlockView, at: Instant) -> DateBasis {
    let in_service = block.phases.iter().filter(|phase| phase.interval.contains(at)).map(|phase| phase.basis);
    in_service.max().unwrap_or(DateBasis::Assumed)
}

/// What keeps a block from carrying the need on its first day; none if nothing does.
pub fn limiting(site: &SiteView, block: &BlockView, need: &Need) -> Option<Resource> {
    let term = term_from(site.zone, need.months, site.zone.start_of_day(need.from))?;
    block.free().first_shortfall(term, need.capacity).map(|short| short.resource)
}

/// Blocks that carry the need within its window, by rate, start and name.
pub fn free_and_dated(sites: &[SiteView], filter: &Filter, need: &Need, limit: usize) -> Vec<Free> {
    let mut found: Vec<Free> = wanted(sites, filter)
        .filter_map(|(site, block)| earliest(site, block, need))
        .filter(|free| in_window(free.start, need))
        .collect();
    found.sort_by(|a, b| order(a).cmp(&order(b)));
    found.truncate(limit);
    found
}

fn order(free: &Free) -> (bool, Option<Rate>, CivilDate, &BlockName) {
    // Blocks without a rate come last.
    (free.rate.is_none(), free.rate.map(|rate| rate.0), free.start, &free.block)
}

fn in_window(start: CivilDate, need: &Need) -> bool {
    need.until.is_none_or(|until| start < until)
}

fn wanted<'a>(
    sites: &'a [SiteView],
    filter: &'a Filter,
) -> impl Iterator<Item = (&'a SiteView, &'a BlockView)> + 'a {
    sites.iter().filter(|site| filter.wants_site(site)).flat_map(move |site| {
        site.blocks.iter().filter(|block| filter.wants_rate(block)).map(move |block| (site, block))
    })
}

/// What comes nearest where nothing fits.
pub fn near_misses(sites: &[SiteView], filter: &Filter, need: &Need) -> Near {
    const ELSEWHERE_MAX: usize = 5;
    let earliest = wanted(sites, filter)
        .filter_map(|(site, block)| earliest(site, block, need))
        .min_by(|a, b| (a.start, &a.block).cmp(&(b.start, &b.block)));
    let largest = wanted(sites, filter)
        .filter_map(|(site, block)| largest(site, block, need))
        .max_by(|a, b| (a.critical_it_kw, &b.block).cmp(&(b.critical_it_kw, &a.block)));
    let everywhere = Filter::default();
    let mut elsewhere: Vec<Free> = wanted(sites, &everywhere)
        .filter(|(site, block)| !(filter.wants_site(site) && filter.wants_rate(block)))
        .filter_map(|(site, block)| self::earliest(site, block, need))
        .filter(|free| in_window(free.start, need))
        .collect();
    elsewhere.sort_by(|a, b| (a.start, order(a)).cmp(&(b.start, order(b))));
    elsewhere.truncate(ELSEWHERE_MAX);
    Near { earliest, largest, elsewhere }
}

/// The most that a block carries for a whole term that begins within the window, cooling in the asked shares.
pub fn largest(site: &SiteView, block: &BlockView, need: &Need) -> Option<Largest> {
    let free = block.free();
    let first = site.zone.start_of_day(need.from);
    let starts = std::iter::once(first)
        .chain(free.steps().iter().map(|step| step.0).filter(|at| *at > first))
        .filter_map(|at| term_from(site.zone, need.months, at))
        .map(|term| (site.zone.date_of(term.start()), term))
        .take_while(|(start, _)| in_window(*start, need));
    starts
        .map(|(start, term)| Largest {
            block: block.name.clone(),
            critical_it_kw: share_of(free.min_over(term), need.capacity),
            start,
        })
        .filter(|found| found.critical_it_kw > 0)
        // The largest, and among equals the earliest.
        .reduce(|best, next| if next.critical_it_kw > best.critical_it_kw { next } else { best })
}

/// The IT load that what is free carries when every lane is used in the proportion of the need.
pub fn share_of(free: CapacityVector, need: CapacityVector) -> i64 {
    let it = i128::from(need.critical_it.max(1));
    Resource::ALL
        .into_iter()
        .filter(|&resource| need.get(resource) > 0)
        .map(|resource| i128::from(free.get(resource).max(0)) * it / i128::from(need.get(resource)))
        .min()
        .and_then(|kw| i64::try_from(kw).ok())
        .unwrap_or(0)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
