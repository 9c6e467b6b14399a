//! What is asked of the market and what it answers. How it is found is [`super::index`]'s business; the slow and obvious
//! way, which the index is tested against, is `obvious` beside this.

use std::cmp::Ordering;

use kernel::time::add_months;
use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, Instant, Interval, OperatorId, Rate, Resource, SiteName,
    Zone,
};

use super::availability::{Region, SiteView};
use super::geo::Point;
use super::phase::DateBasis;
use super::suit::Suitability;

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

/// A place from which distances are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// The place.
    pub point: Point,
    /// Only sites within so many metres; none = all.
    pub within_m: Option<i64>,
}

/// Which sites and blocks are asked for. Empty lists are "all".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Grid operators.
    pub grid_isos: Vec<String>,
    /// Countries.
    pub country_codes: Vec<String>,
    /// States, provinces, price zones.
    pub state_codes: Vec<String>,
    /// Operators.
    pub operators: Vec<OperatorId>,
    /// One site.
    pub site: Option<SiteName>,
    /// From where distances are told; sites of unknown place are left out where a distance is the limit.
    pub around: Option<Around>,
    /// Highest indicative rate; blocks without one, or in another currency, are left out then.
    pub max_rate: Option<(Rate, Currency)>,
    /// What the load needs of a hall.
    pub suits: Suitability,
}

impl Filter {
    /// Whether a site is asked for.
    pub fn wants_site(&self, site: &SiteView) -> bool {
        self.wants_region(&site.region()) && self.wants_among_its_region(site)
    }

    /// Whether sites of a region are asked for.
    pub fn wants_region(&self, region: &Region) -> bool {
        let any = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|l| l.eq_ignore_ascii_case(value))
        };
        any(&self.grid_isos, &region.grid_iso)
            && any(&self.country_codes, &region.country_code)
            && any(&self.state_codes, &region.state_code)
    }

    /// Whether all sites of a region are asked for where any is.
    pub fn wants_whole_regions(&self) -> bool {
        self.operators.is_empty()
            && self.site.is_none()
            && self.around.is_none_or(|around| around.within_m.is_none())
    }

    /// Whether a site of a region that is asked for is.
    pub fn wants_among_its_region(&self, site: &SiteView) -> bool {
        (self.operators.is_empty() || self.operators.contains(&site.name.operator))
            && self.site.as_ref().is_none_or(|wanted| *wanted == site.name)
            && self.around.is_none_or(|around| {
                around.within_m.is_none_or(|most| self.metres_to(site).is_some_and(|metres| metres <= most))
            })
    }

    /// How far a site is, where both places are known.
    pub fn metres_to(&self, site: &SiteView) -> Option<i64> {
        Some(self.around?.point.metres_to(site.point?))
    }

    /// Whether a block of this indicative rent is cheap enough.
    pub fn wants_rate(&self, rate: Option<(Rate, Currency)>) -> bool {
        match (self.max_rate, rate) {
            (None, _) => true,
            (Some((max, currency)), Some((rate, of))) => of == currency && rate <= max,
            (Some(_), None) => false,
        }
    }
}

/// What ranks an answer. Fewer parts come first, then the lower price (none comes last), then the earlier start, then
/// the name. The fit is told and ranks nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Blocks it takes.
    pub parts: usize,
    /// Indicative rent per kW and month in millionths of the currency, weighted by load over parts.
    pub price_micros: Option<i64>,
    /// Days after the first acceptable start.
    pub start_delay_days: i64,
    /// What the need takes of what is free, in the lane in which that is most, in thousandths.
    pub fit_permille: i64,
}

impl Score {
    /// The score of an answer.
    pub fn new(
        need: &Need,
        parts: usize,
        rate: Option<(Rate, Currency)>,
        start: CivilDate,
        free: CapacityVector,
    ) -> Self {
        const MICRO: i128 = 10_000;
        let price = rate.and_then(|rate| i64::try_from((rate.0.scaled() + MICRO / 2) / MICRO).ok());
        let fit = |lane: Resource| {
            let there = free.get(lane);
            if there > 0 { times_over(need.capacity.get(lane), 1_000, there) } else { 0 }
        };
        let fit = Resource::ALL.into_iter().map(fit).max().unwrap_or(0);
        Self {
            parts,
            price_micros: price,
            start_delay_days: (start - need.from).num_days(),
            fit_permille: fit,
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
    /// How far the site is from the place asked about.
    pub distance_m: Option<i64>,
    /// What ranks it.
    pub score: Score,
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
    /// The same need, later: the earliest start, and of equals the first in order of price.
    pub earliest: Option<Free>,
    /// Less, within the window: the most, and of equals the first in order of price.
    pub largest: Option<Largest>,
    /// The same need in the window, where it was not asked for or above the price: by distance where a place was named,
    /// then as ranked.
    pub elsewhere: Vec<Free>,
}

/// How much elsewhere is told.
pub const ELSEWHERE_MAX: usize = 5;

/// Over what a need may be spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Blocks of one site.
    Site,
    /// Blocks of several sites, also of several operators.
    Sites,
}

/// Whether and how a need may be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Parts at most.
    pub parts_max: usize,
    /// Over what.
    pub span: Span,
}

/// One part of a combination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The block.
    pub block: BlockName,
    /// What it carries of the need: cooling in the need's shares, rounded up.
    pub capacity: CapacityVector,
    /// Indicative rent.
    pub rate: Option<(Rate, Currency)>,
}

/// Blocks that carry a need together, all from the same civil date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// First day of the term, in the zone of each site.
    pub start: CivilDate,
    /// How that day is known: the least certain of the parts.
    pub basis: DateBasis,
    /// The parts, in order of price; each takes what it can, the last what is left.
    pub parts: Vec<Part>,
    /// The parts' rents weighted by load; none if one is unknown or the currencies differ.
    pub rate: Option<(Rate, Currency)>,
    /// What ranks it.
    pub score: Score,
}

/// When a need can be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earliest {
    /// What carries it first; none = never.
    pub found: Option<Combination>,
    /// What kept it from starting on the first day asked for, or ever.
    pub limiting: Option<Resource>,
}

/// The order of prices: the lower one first, none last, then by name.
pub fn price_order(a: (Option<Rate>, &SiteName, &str), b: (Option<Rate>, &SiteName, &str)) -> Ordering {
    (a.0.is_none(), a.0, a.1, a.2).cmp(&(b.0.is_none(), b.0, b.1, b.2))
}

/// The first term at or after an instant: it begins with a day of the site's zone.
pub fn term_from(zone: Zone, months: i32, at: Instant) -> Option<Interval> {
    let day = zone.date_of(at);
    let day = if zone.start_of_day(day) < at { day.succ_opt()? } else { day };
    let end = add_months(day, months)?;
    Interval::new(zone.start_of_day(day), zone.start_of_day(end)).ok()
}

/// Whether a start lies within a need's window.
pub fn in_window(start: CivilDate, need: &Need) -> bool {
    need.until.is_none_or(|until| start < until)
}

/// The IT load that what is free carries when every lane is used in the proportion of the need.
pub fn share_of(free: CapacityVector, need: CapacityVector) -> i64 {
    share_by(|lane| free.get(lane), need)
}

/// The same of what is free lane by lane.
pub fn share_by(free: impl Fn(Resource) -> i64, need: CapacityVector) -> i64 {
    let it = need.critical_it.max(1);
    let carries =
        |lane: Resource| (need.get(lane) > 0).then(|| times_over(free(lane).max(0), it, need.get(lane)));
    Resource::ALL.into_iter().filter_map(carries).min().unwrap_or(0)
}

/// `a * b / c` of numbers that are not below zero, rounded down. Most products fit, and long division is what costs here.
fn times_over(a: i64, b: i64, c: i64) -> i64 {
    let wide = || i64::try_from(i128::from(a) * i128::from(b) / i128::from(c)).unwrap_or(i64::MAX);
    a.checked_mul(b).map_or_else(wide, |product| product / c)
}

/// So much IT load of a need, with the rest in proportion, rounded up: never more than [`share_of`] found free.
pub fn part_of(need: CapacityVector, it_kw: i64) -> CapacityVector {
    let whole = i128::from(need.critical_it.max(1));
    CapacityVector::of(|lane| {
        let product = i128::from(need.get(lane)) * i128::from(it_kw);
        i64::try_from((product + whole - 1) / whole).unwrap_or(i64::MAX)
    })
}

/// Parts that carry a need, from blocks in order of price with what each carries: the fewest, and of those the first
/// in order of price, block by block. Places in the list and loads; `None` if more than `parts_max` would be needed.
pub fn fewest_parts(shares: &[i64], need_kw: i64, parts_max: usize) -> Option<Vec<(usize, i64)>> {
    let mut largest: Vec<(i64, usize)> = shares
        .iter()
        .enumerate()
        .filter(|(_, share)| **share > 0)
        .map(|(place, share)| (*share, place))
        .collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    // Of the blocks from a place on. What was passed over is never among the largest, so that this looks at few.
    let most = |from: usize, count: usize| {
        let later = largest.iter().filter(|(_, place)| *place >= from).take(count);
        later.fold(0_i64, |sum, (share, _)| sum.saturating_add(*share))
    };
    let count = (1..=parts_max.min(largest.len())).find(|&count| most(0, count) >= need_kw)?;
    let (mut parts, mut left) = (Vec::with_capacity(count), need_kw);
    for (place, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0) {
        if parts.len() == count {
            break;
        }
        // This block is taken if those after it can carry what it leaves.
        if share.saturating_add(most(place + 1, count - parts.len() - 1)) >= left {
            let taken = share.min(left);
            parts.push((place, taken));
            left -= taken;
        }
    }
    Some(parts)
}

/// The rents of parts weighted by their load, rounded half up.
pub fn mean_rate(parts: &[Part]) -> Option<(Rate, Currency)> {
    let currency = parts.first()?.rate?.1;
    let mut sum = 0_i128;
    let mut load = 0_i128;
    for part in parts {
        let (rate, of) = part.rate?;
        if of != currency {
            return None;
        }
        let kw = i128::from(part.capacity.critical_it);
        sum = sum.checked_add(rate.scaled().checked_mul(kw)?)?;
        load += kw;
    }
    let load = load.max(1);
    Some((Rate::from_scaled((sum + load / 2) / load)?, currency))
}

/// The order of combinations.
pub fn combination_order(a: &Combination, b: &Combination) -> Ordering {
    fn key(of: &Combination) -> (usize, bool, Option<Rate>, CivilDate) {
        (of.parts.len(), of.rate.is_none(), of.rate.map(|rate| rate.0), of.start)
    }
    let names = |of: &Combination| of.parts.iter().map(|part| part.block.clone()).collect::<Vec<_>>();
    key(a).cmp(&key(b)).then_with(|| names(a).cmp(&names(b)))
}

#[cfg(test)]
pub(crate) mod obvious;
#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
