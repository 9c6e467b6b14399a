//! A need spread over blocks: of one site from the earliest day on which few enough of them carry it together, and of
//! several sites from the first day asked for or the first of a later month.

use chrono::Datelike as _;
use kernel::time::{add_months, first_of_month_on_or_after};
use kernel::{CapacityVector, CivilDate, Interval, Resource};

use super::plan::Plan;
use super::slots::SLOTS;
use super::walk::basis_at;
use super::{Index, Question};
use crate::domain::phase::DateBasis;
use crate::domain::search::{
    Combination, Earliest, Need, Part, Score, Span, Split, combination_order, fewest_parts, in_window,
    mean_rate, part_of, share_of, term_from,
};

/// Months that are tried for parts on several sites, where the window has no end.
const MONTHS_MAX: usize = 600;

/// Blocks with the term each would carry its part through.
type Terms = Vec<(usize, Interval)>;

impl Question<'_> {
    /// Combinations of two or more blocks that carry the need together, as ranked.
    #[must_use]
    pub fn combinations(&self, split: Split, limit: usize) -> Vec<Combination> {
        let (index, plan) = (self.index, &self.plan);
        let most = index.most_by_block(plan);
        let mut found: Vec<Combination> = plan
            .wanted_sites()
            .filter_map(|site| index.on_site(plan, &most, site, split.parts_max))
            .filter(|combination| combination.parts.len() > 1)
            .collect();
        if split.span == Span::Sites
            && let Some(across) = index.across_sites(plan, &most, split.parts_max)
            && across.parts.len() > 1
            && !found.iter().any(|own| own.parts == across.parts)
        {
            found.push(across);
        }
        found.sort_by(combination_order);
        found.truncate(limit);
        found
    }

    /// The earliest day from which the need can be met, by one block or by parts on one site.
    #[must_use]
    pub fn earliest(&self, parts_max: usize) -> Earliest {
        let (index, plan) = (self.index, &self.plan);
        let found = if parts_max <= 1 {
            index.earliest_hit(plan).and_then(|hit| {
                index.combine(plan, &vec![(hit.block, hit.term)], &[(0, plan.need.capacity.critical_it)])
            })
        } else {
            let most = index.most_by_block(plan);
            plan.wanted_sites()
                .filter_map(|site| index.on_site(plan, &most, site, parts_max))
                .min_by(|a, b| a.start.cmp(&b.start).then_with(|| combination_order(a, b)))
        };
        let limiting = match &found {
            Some(found) if found.start == plan.need.from => None,
            _ => index.limiting(plan, found.as_ref(), parts_max),
        };
        Earliest { found, limiting }
    }
}

impl Index {
    /// No window of a block carries more IT load than this, by number; nothing where the block cannot be one that is asked for.
    fn most_by_block(&self, plan: &Plan<'_>) -> Vec<i64> {
        let mut most = vec![0; self.blocks.len()];
        for group in self.groups.iter().filter(|group| plan.has_wanted(group)) {
            for (block, own) in group.blocks.iter().zip(plan.most_in_group(group)) {
                most[*block] = own;
            }
        }
        most
    }

    /// What is short on the first day: of what was found later, or where nothing ever is, of what comes nearest.
    fn limiting(&self, plan: &Plan<'_>, found: Option<&Combination>, parts_max: usize) -> Option<Resource> {
        let found = found.and_then(|found| self.block_of(&found.parts.first()?.block));
        let block = match found {
            Some(block) => block,
            None => self.largest(plan)?.0,
        };
        if parts_max <= 1 {
            return self.limiting_of(plan, block);
        }
        let terms = self.terms_on(plan, self.blocks[block].site);
        self.limiting_together(plan, &terms, parts_max)
    }

    /// The lane of which the blocks together, as many as there may be parts, have least for the need.
    fn limiting_together(&self, plan: &Plan<'_>, terms: &Terms, parts_max: usize) -> Option<Resource> {
        let free: Vec<CapacityVector> =
            terms.iter().map(|(block, term)| self.blocks[*block].free.min_over(*term)).collect();
        let permille = |lane: Resource| {
            let mut most: Vec<i64> = free.iter().map(|free| free.get(lane).max(0)).collect();
            most.sort_unstable_by(|a, b| b.cmp(a));
            let sum: i128 = most.into_iter().take(parts_max).map(i128::from).sum();
            let need = i128::from(plan.need.capacity.get(lane));
            (need > 0).then(|| (sum * 1_000 / need, lane))
        };
        Resource::ALL.into_iter().filter_map(permille).min().map(|least| least.1)
    }

    /// The blocks of a site that are asked for, in order of price, each with its first term.
    fn terms_on(&self, plan: &Plan<'_>, site: usize) -> Terms {
        let mut blocks: Vec<usize> = self.sites[site]
            .blocks
            .values()
            .copied()
            .filter(|block| plan.wants(&self.blocks[*block]))
            .collect();
        blocks.sort_unstable_by(|a, b| self.price_cmp(*a, *b));
        let first = |block: usize| Some((block, plan.opening(self, &self.blocks[block])?.first));
        blocks.into_iter().filter_map(first).collect()
    }

    /// What a site's blocks carry together from the earliest day on which few enough of them do.
    fn on_site(&self, plan: &Plan<'_>, most: &[i64], site: usize, parts_max: usize) -> Option<Combination> {
        let need_kw = plan.need.capacity.critical_it;
        let at_most: Vec<i64> = self.sites[site]
            .blocks
            .values()
            .filter(|block| plan.wants(&self.blocks[**block]))
            .map(|block| most[*block])
            .collect();
        if sum_of_most(at_most, parts_max) < need_kw {
            return None;
        }
        let mut terms = self.terms_on(plan, site);
        if let Some(found) = self.together(plan, &terms, parts_max) {
            return Some(found);
        }
        for term in self.later_terms(plan, site, &terms, parts_max) {
            for own in &mut terms {
                own.1 = term;
            }
            if let Some(found) = self.together(plan, &terms, parts_max) {
                return Some(found);
            }
        }
        None
    }

    /// The terms that begin where something becomes free on a site, in order of time, as far as the slots allow that
    /// they carry the need.
    fn later_terms(&self, plan: &Plan<'_>, site: usize, terms: &Terms, parts_max: usize) -> Vec<Interval> {
        let zone = self.zones[self.sites[site].zone];
        let Some(opening) = terms.first().and_then(|first| plan.opening(self, &self.blocks[first.0])) else {
            return Vec::new();
        };
        let may_begin = self.slots_that_may(plan, terms, parts_max);
        let may = |term: &Interval| self.calendar.slot_of(term.start()).is_none_or(|slot| may_begin[slot]);
        let mut later: Vec<Interval> = terms
            .iter()
            .flat_map(|(block, _)| self.blocks[*block].free.rises(opening.first.start(), opening.until))
            .filter_map(|at| term_from(zone, plan.need.months, at))
            .filter(|term| may(term) && in_window(zone.date_of(term.start()), &plan.need))
            .collect();
        later.sort_unstable();
        later.dedup();
        later
    }

    fn slots_that_may(&self, plan: &Plan<'_>, terms: &Terms, parts_max: usize) -> [bool; SLOTS] {
        let reach: Vec<[i64; SLOTS]> = terms
            .iter()
            .map(|(block, _)| plan.most_by_slot(&self.calendar.minima(&self.blocks[*block].free, 0..SLOTS)))
            .collect();
        let mut may = [false; SLOTS];
        for (slot, may) in may.iter_mut().enumerate() {
            let most = reach.iter().map(|own| own[slot]).collect();
            *may = sum_of_most(most, parts_max) >= plan.need.capacity.critical_it;
        }
        may
    }

    /// The best parts through these terms, if there are any.
    fn together(&self, plan: &Plan<'_>, terms: &Terms, parts_max: usize) -> Option<Combination> {
        let need = plan.need.capacity;
        let shares: Vec<i64> = terms
            .iter()
            .map(|(block, term)| share_of(self.blocks[*block].free.min_over(*term), need))
            .collect();
        let parts = fewest_parts(&shares, need.critical_it, parts_max)?;
        self.combine(plan, terms, &parts)
    }

    /// Writes parts out: places in `terms` with the IT load of each.
    fn combine(&self, plan: &Plan<'_>, terms: &Terms, parts: &[(usize, i64)]) -> Option<Combination> {
        let need = &plan.need;
        let first = terms.get(parts.first()?.0)?;
        let start = self.zones[self.sites[self.blocks[first.0].site].zone].date_of(first.1.start());
        let mut basis = DateBasis::Actual;
        let mut free = CapacityVector::ZERO;
        let mut written = Vec::with_capacity(parts.len());
        for &(place, it_kw) in parts {
            let (block, term) = terms[place];
            let entry = &self.blocks[block];
            basis = basis.max(basis_at(entry, term));
            free = free.checked_add(entry.free.min_over(term)).unwrap_or(free);
            let capacity = part_of(need.capacity, it_kw);
            written.push(Part { block: self.name_of(block), capacity, rate: entry.rate });
        }
        let rate = mean_rate(&written);
        let score = Score::new(need, written.len(), rate, start, free);
        Some(Combination { start, basis, parts: written, rate, score })
    }

    /// Parts on any wanted sites, all from one civil date on.
    fn across_sites(&self, plan: &Plan<'_>, most: &[i64], parts_max: usize) -> Option<Combination> {
        let in_order =
            self.groups.iter().filter(|group| plan.has_wanted(group)).flat_map(|group| &group.blocks);
        let wanted: Vec<usize> =
            in_order.copied().filter(|block| most[*block] > 0 && plan.wants(&self.blocks[*block])).collect();
        let at_most = wanted.iter().map(|block| most[*block]).collect();
        if sum_of_most(at_most, parts_max) < plan.need.capacity.critical_it {
            return None;
        }
        days(&plan.need).find_map(|day| {
            let begins: Vec<Option<Interval>> = self
                .zones
                .iter()
                .map(|zone| term_from(*zone, plan.need.months, zone.start_of_day(day)))
                .collect();
            let term = |block: usize| Some((block, begins[self.sites[self.blocks[block].site].zone]?));
            let terms: Terms = wanted.iter().filter_map(|block| term(*block)).collect();
            self.together(plan, &terms, parts_max)
        })
    }
}

/// The first day asked for and the firsts of later months in the window.
fn days(need: &Need) -> impl Iterator<Item = CivilDate> + '_ {
    let next = first_of_month_on_or_after(need.from.succ_opt().unwrap_or(need.from));
    let months = std::iter::successors(next, |day| add_months(day.with_day(1).unwrap_or(*day), 1));
    std::iter::once(need.from).chain(months.take(MONTHS_MAX)).take_while(|day| in_window(*day, need))
}

fn sum_of_most(mut kw: Vec<i64>, count: usize) -> i64 {
    kw.sort_unstable_by(|a, b| b.cmp(a));
    kw.into_iter().take(count).fold(0, i64::saturating_add)
}
