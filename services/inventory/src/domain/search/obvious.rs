//! Search as it would be explained: every site, every block, every day at which something changes. Far too slow for a
//! market, and what the index must answer word for word.

use super::*;
use crate::domain::availability::BlockView;

fn wants_block(filter: &Filter, block: &BlockView) -> bool {
    filter.wants_rate(block.rate) && block.traits.suit(&filter.suits)
}

fn all(sites: &[SiteView]) -> impl Iterator<Item = (&SiteView, &BlockView)> {
    sites.iter().flat_map(|site| site.blocks.iter().map(move |block| (site, block)))
}

fn wanted<'a>(
    sites: &'a [SiteView],
    filter: &'a Filter,
) -> impl Iterator<Item = (&'a SiteView, &'a BlockView)> + 'a {
    all(sites).filter(|(site, block)| filter.wants_site(site) && wants_block(filter, block))
}

fn basis_at(block: &BlockView, at: Instant) -> DateBasis {
    let in_service = block.phases.iter().filter(|phase| phase.interval.contains(at)).map(|phase| phase.basis);
    in_service.max().unwrap_or(DateBasis::Assumed)
}

fn by_price(
    a: &(Option<(Rate, Currency)>, BlockName),
    b: &(Option<(Rate, Currency)>, BlockName),
) -> Ordering {
    let key = |of: &(Option<(Rate, Currency)>, BlockName)| (of.0.is_none(), of.0.map(|r| r.0), of.1.clone());
    key(a).cmp(&key(b))
}

/// The earliest term, from `need.from` on, throughout which a block carries the need.
pub(crate) fn earliest_of(site: &SiteView, block: &BlockView, filter: &Filter, need: &Need) -> Option<Free> {
    let free = block.free();
    let window = |at| term_from(site.zone, need.months, at);
    let term = free.earliest_window(site.zone.start_of_day(need.from), window, need.capacity)?;
    let (start, capacity) = (site.zone.date_of(term.start()), free.min_over(term));
    Some(Free {
        block: block.name.clone(),
        start,
        basis: basis_at(block, term.start()),
        capacity,
        rate: block.rate,
        distance_m: filter.metres_to(site),
        score: Score::new(need, 1, block.rate, start, capacity),
    })
}

fn rank(free: &Free) -> (bool, Option<Rate>, CivilDate, BlockName) {
    (free.rate.is_none(), free.rate.map(|rate| rate.0), free.start, free.block.clone())
}

/// Blocks that carry the need within its window.
pub(crate) fn free_and_dated(sites: &[SiteView], filter: &Filter, need: &Need, limit: usize) -> Vec<Free> {
    let mut found: Vec<Free> = wanted(sites, filter)
        .filter_map(|(site, block)| earliest_of(site, block, filter, need))
        .filter(|free| in_window(free.start, need))
        .collect();
    found.sort_by_key(rank);
    found.truncate(limit);
    found
}

/// What comes nearest.
pub(crate) fn near_misses(sites: &[SiteView], filter: &Filter, need: &Need) -> Near {
    let earliest = wanted(sites, filter)
        .filter_map(|(site, block)| earliest_of(site, block, filter, need))
        .min_by(|a, b| {
            let price = |of: &Free| (of.rate, of.block.clone());
            a.start.cmp(&b.start).then_with(|| by_price(&price(a), &price(b)))
        });
    let largest = wanted(sites, filter)
        .filter_map(|(site, block)| Some((largest_of(site, block, need)?, block.rate)))
        .max_by(|(a, a_rate), (b, b_rate)| {
            let order = by_price(&(*b_rate, b.block.clone()), &(*a_rate, a.block.clone()));
            a.critical_it_kw.cmp(&b.critical_it_kw).then(order)
        })
        .map(|found| found.0);
    let mut elsewhere: Vec<Free> = all(sites)
        .filter(|(site, block)| !(filter.wants_site(site) && filter.wants_rate(block.rate)))
        .filter(|(_, block)| block.traits.suit(&filter.suits))
        .filter_map(|(site, block)| earliest_of(site, block, filter, need))
        .filter(|free| in_window(free.start, need))
        .collect();
    elsewhere.sort_by_key(|free| (free.distance_m.is_none(), free.distance_m, rank(free)));
    elsewhere.truncate(ELSEWHERE_MAX);
    Near { earliest, largest, elsewhere }
}

/// The terms that may be chosen on a site: the first, and one after every step of these blocks.
fn terms(site: &SiteView, blocks: &[&BlockView], need: &Need) -> Vec<Interval> {
    let first = site.zone.start_of_day(need.from);
    let steps = blocks.iter().flat_map(|block| block.free().steps().to_vec()).map(|step| step.0);
    let mut terms: Vec<Interval> = std::iter::once(first)
        .chain(steps.filter(|at| *at > first))
        .filter_map(|at| term_from(site.zone, need.months, at))
        .filter(|term| in_window(site.zone.date_of(term.start()), need))
        .collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

fn largest_of(site: &SiteView, block: &BlockView, need: &Need) -> Option<Largest> {
    let free = block.free();
    terms(site, &[block], need)
        .into_iter()
        .map(|term| Largest {
            block: block.name.clone(),
            critical_it_kw: share_of(free.min_over(term), need.capacity),
            start: site.zone.date_of(term.start()),
        })
        .filter(|found| found.critical_it_kw > 0)
        .reduce(|best, next| if next.critical_it_kw > best.critical_it_kw { next } else { best })
}

/// Of all combinations of the shares, in order: the fewest places, and of those the first, place by place.
pub(crate) fn every_combination(shares: &[i64], need_kw: i64, parts_max: usize) -> Option<Vec<usize>> {
    let mut best: Option<Vec<usize>> = None;
    for set in 1_u32..(1 << shares.len()) {
        let places: Vec<usize> = (0..shares.len()).filter(|place| set & (1 << place) != 0).collect();
        let carried: i64 = places.iter().map(|place| shares[*place]).sum();
        let able = places.iter().all(|place| shares[*place] > 0);
        if places.len() > parts_max || carried < need_kw || !able {
            continue;
        }
        if best.as_ref().is_none_or(|best| (places.len(), &places) < (best.len(), best)) {
            best = Some(places);
        }
    }
    best
}

/// The earliest day on which so few blocks of a site carry the need together, and which.
pub(crate) fn together(
    site: &SiteView,
    filter: &Filter,
    need: &Need,
    parts_max: usize,
) -> Option<(CivilDate, Vec<BlockName>)> {
    let mut blocks: Vec<&BlockView> =
        wanted(std::slice::from_ref(site), filter).map(|found| found.1).collect();
    blocks.sort_by(|a, b| by_price(&(a.rate, a.name.clone()), &(b.rate, b.name.clone())));
    terms(site, &blocks, need).into_iter().find_map(|term| {
        let shares: Vec<i64> =
            blocks.iter().map(|block| share_of(block.free().min_over(term), need.capacity)).collect();
        let places = every_combination(&shares, need.capacity.critical_it, parts_max)?;
        let names = places.into_iter().map(|place| blocks[place].name.clone()).collect();
        Some((site.zone.date_of(term.start()), names))
    })
}
