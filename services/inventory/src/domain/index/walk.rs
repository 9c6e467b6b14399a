//! What is free and dated, in order of price.

use kernel::{CapacityVector, CivilDate, Interval, Rate};

use super::group::{Group, places};
use super::plan::Plan;
use super::{Entry, Index, Question};
use crate::domain::convertible::{self, Convertible, Place};
use crate::domain::phase::DateBasis;
use crate::domain::search::{Free, Need, Score};

/// What was found of a block, before it is written out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) block: usize,
    pub(super) rate: Option<Rate>,
    pub(super) start: CivilDate,
    pub(super) term: Interval,
    /// What is free throughout the term.
    pub(super) capacity: CapacityVector,
}

impl Hit {
    /// What ranks it before its name.
    pub(super) fn rank(&self) -> (bool, Option<Rate>, CivilDate) {
        (self.rate.is_none(), self.rate, self.start)
    }
}

impl Question<'_> {
    /// Blocks that carry the need within its window, by rate, start and name.
    #[must_use]
    pub fn free_and_dated(&self, limit: usize) -> Vec<Free> {
        let (index, plan) = (self.index, &self.plan);
        let groups = index.cheap_enough(plan.filter);
        let hits = index.walk(plan, groups, |site| plan.wanted[site], |block| plan.wants(block), limit);
        hits.iter().map(|hit| index.free(plan, hit)).collect()
    }

    /// Sites that could be converted to carry the need within its window, by load descending, then name.
    #[must_use]
    pub fn convertible(&self, today: CivilDate, limit: usize) -> Vec<Convertible> {
        let (index, plan) = (self.index, &self.plan);
        // Of what nothing is said, nothing is left.
        let wanted = plan.wanted_sites().filter(|site| index.marks[*site].has_grid);
        let places = wanted.map(|site| &index.sites[site]).map(|site| Place {
            site: &site.facts,
            drawn: index.drawn_of(site),
            booked_most_kw: index.booked_most_of(site),
        });
        convertible::convertible(places, &plan.need, today, limit)
    }
}

impl Index {
    /// The first hits by rank, among sites and blocks that are looked at.
    pub(super) fn walk(
        &self,
        plan: &Plan<'_>,
        groups: &[Group],
        looks_at_site: impl Fn(usize) -> bool,
        looks_at: impl Fn(&Entry) -> bool,
        limit: usize,
    ) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for group in groups {
            if nothing_better(&hits, limit, &plan.need, group.rate) {
                break;
            }
            if !plan.group_may(group) {
                continue;
            }
            for place in places(plan.places_that_may(group, group.places(&looks_at_site))) {
                let block = group.blocks[place];
                let entry = &self.blocks[block];
                if nothing_better(&hits, limit, &plan.need, entry.rate.map(|rate| rate.0)) {
                    break;
                }
                if !looks_at(entry) {
                    continue;
                }
                let Some(found) = plan.term_of(self, entry) else { continue };
                let hit = self.hit(plan, block, found);
                let place = hits.partition_point(|before| before.rank() <= hit.rank());
                hits.insert(place, hit);
                hits.truncate(limit);
            }
        }
        hits
    }

    pub(super) fn hit(
        &self,
        plan: &Plan<'_>,
        block: usize,
        (term, capacity): (Interval, CapacityVector),
    ) -> Hit {
        let entry = &self.blocks[block];
        // Most terms are the first, of which the day is known: working one out costs as much as finding the block.
        let first = plan.opening(self, entry).filter(|opening| opening.first == term);
        let work_out = || self.zones[self.sites[entry.site].zone].date_of(term.start());
        let start = first.map_or_else(work_out, |opening| opening.day);
        Hit { block, rate: entry.rate.map(|rate| rate.0), start, term, capacity }
    }

    pub(super) fn free(&self, plan: &Plan<'_>, hit: &Hit) -> Free {
        let entry = &self.blocks[hit.block];
        Free {
            block: self.name_of(hit.block),
            start: hit.start,
            basis: basis_at(entry, hit.term),
            capacity: hit.capacity,
            rate: entry.rate,
            distance_m: plan.filter.metres_to(&self.sites[entry.site].facts),
            score: Score::new(&plan.need, 1, entry.rate, hit.start, hit.capacity),
        }
    }
}

/// Whether no block from one of this rate on in order of price can be among the first any more.
fn nothing_better(hits: &[Hit], limit: usize, need: &Need, rate: Option<Rate>) -> bool {
    if hits.len() < limit {
        return false;
    }
    let Some(last) = hits.last() else { return true };
    // The best it could be is the first day; of equals those that came before stay before.
    last.rank() <= (rate.is_none(), rate, need.from)
}

/// How the first day of a term is known: the least certain date among the phases in service then.
pub(super) fn basis_at(block: &Entry, term: Interval) -> DateBasis {
    let in_service = block.phases.iter().filter(|phase| phase.interval.contains(term.start()));
    in_service.map(|phase| phase.basis).max().unwrap_or(DateBasis::Assumed)
}
