//! What is free and dated, in order of price.

use kernel::{CivilDate, Interval, Rate};

use super::order::Group;
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
        let hits = index.walk(plan, |group| plan.has_wanted(group), |block| plan.wants(block), limit);
        hits.iter().map(|hit| index.free(plan, hit)).collect()
    }

    /// Sites that could be converted to carry the need within its window, by load descending, then name.
    #[must_use]
    pub fn convertible(&self, today: CivilDate, limit: usize) -> Vec<Convertible> {
        let (index, plan) = (self.index, &self.plan);
        let wanted = index.sites.iter().zip(&plan.wanted).filter(|(_, wanted)| **wanted);
        let places = wanted.map(|(site, _)| Place {
            site: &site.facts,
            drawn: index.drawn_of(site),
            booked_most_kw: index.booked_most_of(site),
        });
        convertible::convertible(places, &plan.need, today, limit)
    }
}

impl Index {
    /// The first hits by rank, among groups and blocks that are looked at.
    pub(super) fn walk(
        &self,
        plan: &Plan<'_>,
        looks_at_group: impl Fn(&Group) -> bool,
        looks_at: impl Fn(&Entry) -> bool,
        limit: usize,
    ) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for group in &self.groups {
            let next = group.blocks.first().map(|block| &self.blocks[*block]);
            if next.is_some_and(|next| nothing_better(&hits, limit, &plan.need, next)) {
                break;
            }
            if !looks_at_group(group) || !plan.group_may(group) {
                continue;
            }
            for &block in &group.blocks {
                let entry = &self.blocks[block];
                if nothing_better(&hits, limit, &plan.need, entry) {
                    break;
                }
                if !looks_at(entry) || !plan.block_may(entry) {
                    continue;
                }
                let Some(term) = plan.term_of(self, entry) else { continue };
                let hit = self.hit(block, term);
                let place = hits.partition_point(|before| before.rank() <= hit.rank());
                hits.insert(place, hit);
                hits.truncate(limit);
            }
        }
        hits
    }

    pub(super) fn hit(&self, block: usize, term: Interval) -> Hit {
        let entry = &self.blocks[block];
        let zone = self.zones[self.sites[entry.site].zone];
        Hit { block, rate: entry.rate.map(|rate| rate.0), start: zone.date_of(term.start()), term }
    }

    pub(super) fn free(&self, plan: &Plan<'_>, hit: &Hit) -> Free {
        let entry = &self.blocks[hit.block];
        let capacity = entry.free.min_over(hit.term);
        Free {
            block: self.name_of(hit.block),
            start: hit.start,
            basis: basis_at(entry, hit.term),
            capacity,
            rate: entry.rate,
            distance_m: plan.filter.metres_to(&self.sites[entry.site].facts),
            score: Score::new(&plan.need, 1, entry.rate, hit.start, capacity),
        }
    }
}

/// Whether no block from this one on in order of price can be among the first any more.
fn nothing_better(hits: &[Hit], limit: usize, need: &Need, next: &Entry) -> bool {
    if hits.len() < limit {
        return false;
    }
    let Some(last) = hits.last() else { return true };
    // The best it could be is the first day; of equals those that came before stay before.
    let rate = next.rate.map(|rate| rate.0);
    last.rank() <= (rate.is_none(), rate, need.from)
}

/// How the first day of a term is known: the least certain date among the phases in service then.
pub(super) fn basis_at(block: &Entry, term: Interval) -> DateBasis {
    let in_service = block.phases.iter().filter(|phase| phase.interval.contains(term.start()));
    in_service.map(|phase| phase.basis).max().unwrap_or(DateBasis::Assumed)
}
