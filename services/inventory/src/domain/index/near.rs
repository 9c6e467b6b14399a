//! What comes nearest where nothing fits: later, less, elsewhere. Groups and blocks are looked at in order of the best
//! that their slots allow, until nothing better can come.

use kernel::{CivilDate, Instant, Interval, Resource, StepFunction};

use super::group::places;
use super::plan::Plan;
use super::walk::Hit;
use super::{Entry, Index, Question};
use crate::domain::search::{ELSEWHERE_MAX, Largest, Near, in_window, share_of, term_from};

impl Question<'_> {
    /// What comes nearest.
    #[must_use]
    pub fn near_misses(&self) -> Near {
        let (index, plan) = (self.index, &self.plan);
        let earliest = index.earliest_hit(&plan.whenever(index)).map(|hit| index.free(plan, &hit));
        let largest = index.largest(plan).map(|(block, critical_it_kw, start)| Largest {
            block: index.name_of(block),
            critical_it_kw,
            start,
        });
        let elsewhere = match plan.filter.around {
            Some(_) => index.elsewhere_by_distance(plan),
            None => {
                let looks_at = |block: &Entry| is_elsewhere(plan, block);
                index.walk(plan, &index.groups, |site| plan.seen[site], looks_at, ELSEWHERE_MAX)
            }
        };
        Near { earliest, largest, elsewhere: elsewhere.iter().map(|hit| index.free(plan, hit)).collect() }
    }
}

impl Index {
    /// The earliest start, and of equals the first in order of price.
    pub(super) fn earliest_hit(&self, plan: &Plan<'_>) -> Option<Hit> {
        let wanted = self.groups.iter().enumerate().filter(|(_, group)| plan.has_wanted(group));
        let mut groups: Vec<(usize, usize)> =
            wanted.filter_map(|(number, group)| Some((plan.first_slot_of_group(group)?, number))).collect();
        groups.sort_unstable();
        let mut best: Option<((CivilDate, usize, usize), Hit)> = None;
        for (slot, number) in groups {
            if best.as_ref().is_some_and(|best| self.not_before(plan, slot) > best.0.0) {
                break;
            }
            let group = &self.groups[number];
            let starts = plan.starts_in_group(group, group.places(|site| plan.wanted[site]));
            let mut seen = 0;
            for (slot, starts) in starts.into_iter().enumerate() {
                let first = starts & !seen;
                seen |= starts;
                if first != 0 && best.as_ref().is_some_and(|best| self.not_before(plan, slot) > best.0.0) {
                    break;
                }
                for place in places(first) {
                    let block = group.blocks[place];
                    let entry = &self.blocks[block];
                    if !plan.wants(entry) {
                        continue;
                    }
                    let Some(found) = plan.term_of(self, entry) else { continue };
                    let hit = self.hit(plan, block, found);
                    let key = (hit.start, number, place);
                    if best.as_ref().is_none_or(|best| key < best.0) {
                        best = Some((key, hit));
                    }
                }
            }
        }
        best.map(|best| best.1)
    }

    /// No term that begins in a slot begins before this day, in any zone.
    pub(super) fn not_before(&self, plan: &Plan<'_>, slot: usize) -> CivilDate {
        if !plan.knows_slots() {
            return CivilDate::MIN;
        }
        let start = self.calendar.interval(slot).map(|interval| interval.start().date_naive());
        // Beyond the years we know: later than everything.
        start.map_or(CivilDate::MAX, |day| day.pred_opt().unwrap_or(day))
    }

    /// The block that carries the most in the window, how much, and from when; of equals the first in order of price.
    pub(super) fn largest(&self, plan: &Plan<'_>) -> Option<(usize, i64, CivilDate)> {
        let wanted = self.groups.iter().enumerate().filter(|(_, group)| plan.has_wanted(group));
        let mut groups: Vec<(i64, usize)> =
            wanted.map(|(number, group)| (plan.most_of_group(group), number)).collect();
        groups.sort_unstable_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        let mut best: Option<(i64, usize, usize, usize, CivilDate)> = None;
        let better = |best: &Option<(i64, usize, usize, usize, CivilDate)>, kw, number, place| {
            best.is_none_or(|best| kw > best.0 || (kw == best.0 && (number, place) < (best.1, best.2)))
        };
        let mut floors = plan.floors_of(0);
        for (most, number) in groups {
            if most == 0 || best.is_some_and(|best| most < best.0) {
                break;
            }
            if !better(&best, most, number, 0) {
                continue;
            }
            let group = &self.groups[number];
            let wanted = group.places(|site| plan.wanted[site]);
            let may = plan.places_that_may_carry(group, wanted, &floors);
            if may == 0 {
                continue;
            }
            let most = plan.most_in_group(group);
            for place in places(may) {
                let block = group.blocks[place];
                let entry = &self.blocks[block];
                if !better(&best, most[place], number, place) || !plan.wants(entry) {
                    continue;
                }
                let Some((kw, start)) = self.largest_of(plan, entry) else { continue };
                if better(&best, kw, number, place) {
                    best = Some((kw, number, place, block, start));
                    floors = plan.floors_of(kw);
                }
            }
        }
        best.map(|(kw, _, _, block, start)| (block, kw, start))
    }

    /// The most that a block carries for a whole term that begins within the window, and the earliest such day.
    fn largest_of(&self, plan: &Plan<'_>, block: &Entry) -> Option<(i64, CivilDate)> {
        let opening = plan.opening(self, block)?;
        let zone = self.zones[self.sites[block.site].zone];
        let later = block.free.rises(opening.first.start(), opening.until);
        let terms = later.into_iter().filter_map(|at: Instant| term_from(zone, plan.need.months, at));
        let shares = std::iter::once(opening.first).chain(terms).filter_map(|term: Interval| {
            let start = zone.date_of(term.start());
            let kw = share_of(block.free.min_over(term), plan.need.capacity);
            (kw > 0 && in_window(start, &plan.need)).then_some((kw, start))
        });
        shares.reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    fn elsewhere_by_distance(&self, plan: &Plan<'_>) -> Vec<Hit> {
        let mut sites: Vec<(bool, Option<i64>, usize)> = (0..self.sites.len())
            .filter(|site| plan.seen[*site])
            .map(|site| {
                let metres = plan.filter.metres_to(&self.sites[site].facts);
                (metres.is_none(), metres, site)
            })
            .collect();
        sites.sort_unstable();
        let mut found: Vec<(Option<i64>, Hit)> = Vec::new();
        for (_, metres, site) in sites {
            // Sites at one distance are ranked together.
            if found.len() >= ELSEWHERE_MAX && found.last().is_some_and(|last| last.0 != metres) {
                break;
            }
            for &block in self.sites[site].blocks.values() {
                let entry = &self.blocks[block];
                if is_elsewhere(plan, entry)
                    && let Some(carried) = plan.term_of(self, entry)
                {
                    found.push((metres, self.hit(plan, block, carried)));
                }
            }
        }
        found.sort_by(|a, b| {
            let key = |of: &(Option<i64>, Hit)| (of.0.is_none(), of.0, of.1.rank());
            key(a).cmp(&key(b)).then_with(|| self.price_cmp(a.1.block, b.1.block))
        });
        found.truncate(ELSEWHERE_MAX);
        found.into_iter().map(|(_, hit)| hit).collect()
    }

    /// What keeps a block from carrying the need on its first day.
    pub(super) fn limiting_of(&self, plan: &Plan<'_>, block: usize) -> Option<Resource> {
        let entry = &self.blocks[block];
        let term = plan.opening(self, entry)?.first;
        let free = entry.free.steps().pointwise_max(&StepFunction::zero());
        free.first_shortfall(term, plan.need.capacity).map(|short| short.resource)
    }
}

/// Whether a block suits the load and may be seen, but lies where it was not asked for or costs more.
fn is_elsewhere(plan: &Plan<'_>, block: &Entry) -> bool {
    let asked_for = plan.wanted[block.site] && plan.filter.wants_rate(block.rate);
    plan.seen[block.site] && !asked_for && block.traits.suit(&plan.filter.suits)
}
