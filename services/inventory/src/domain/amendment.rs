//! Reservations that take something else from now on: amended, split in parts, merged into one. What is new must fit
//! beside everything else; where no more is taken than before, nothing has to be judged.

use std::collections::BTreeMap;

use kernel::{BlockName, CapacityVector, Error, Instant, Interval, ReservationId, Shortfall, StepFunction};

use super::book::BlockBook;
use super::reservation::{Claim, Profile};

/// Steps of one profile at most, as in what is placed.
const STEPS_MAX: usize = 1_000;

/// What claims take of each block, added up.
pub type Totals = BTreeMap<BlockName, StepFunction<CapacityVector>>;

/// Adds claims up, block by block.
pub fn totals<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Totals {
    let mut pieces: BTreeMap<&BlockName, Vec<(Interval, CapacityVector)>> = BTreeMap::new();
    for claim in claims {
        pieces.entry(&claim.block).or_default().extend(claim.profile.pieces());
    }
    // Lanes are bounded far below the range of the type.
    pieces
        .into_iter()
        .map(|(block, pieces)| (block.clone(), StepFunction::from_intervals(pieces).unwrap_or_default()))
        .collect()
}

/// Refuses parts that do not add up to the whole at every instant.
///
/// # Errors
/// `INVALID_FIELD`, with the first block and instant at which they differ.
pub fn adds_up(whole: &[Claim], parts: &[Vec<Claim>]) -> Result<(), Error> {
    let (whole, sum) = (totals(whole), totals(parts.iter().flatten()));
    let zero = StepFunction::zero();
    for block in whole.keys().chain(sum.keys()) {
        let (before, after) = (whole.get(block).unwrap_or(&zero), sum.get(block).unwrap_or(&zero));
        let edges = before.steps().iter().chain(after.steps()).map(|step| step.0);
        let differs = edges.filter(|at| before.value_at(*at) != after.value_at(*at)).min();
        if let Some(at) = differs {
            let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            return Err(Error::invalid_field(
                "parts",
                format!("must add up to the reservation at every instant, and differ on {block} at {at}"),
            ));
        }
    }
    Ok(())
}

/// Everything that these claims take, as one claim a block, in order of the blocks' names.
///
/// # Errors
/// `INVALID_FIELD` if there would be a gap in what is taken of a block, or more steps than a profile may have.
pub fn merged(claims: &[Claim]) -> Result<Vec<Claim>, Error> {
    totals(claims)
        .into_iter()
        .map(|(block, total)| {
            let profile = profile_of(&total).ok_or_else(|| {
                let problem = format!("must follow or overlap each other on {block}, in 1,000 steps at most");
                Error::invalid_field("others", problem)
            })?;
            Ok(Claim { block, profile })
        })
        .collect()
}

/// A step function as a profile: one stretch without a gap.
fn profile_of(total: &StepFunction<CapacityVector>) -> Option<Profile> {
    let ((end, last), steps) = total.steps().split_last()?;
    let whole = last.is_zero() && steps.iter().all(|step| !step.1.is_zero()) && steps.len() <= STEPS_MAX;
    if whole { Profile::new(steps.to_vec(), *end) } else { None }
}

/// What changes on one block.
#[derive(Debug, Clone, Default)]
pub struct BlockChange {
    /// The reservations that take something else from now on.
    pub reservations: Vec<ReservationId>,
    /// What they take of it now.
    pub before: StepFunction<CapacityVector>,
    /// What they take of it afterwards, together.
    pub after: StepFunction<CapacityVector>,
}

/// Whether a change fits on its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does; the most that the block carries where and of what more is taken than before.
    Fits(CapacityVector),
    /// It does not.
    Short {
        /// What is short first.
        shortfall: Shortfall,
        /// Holds that seem to have run out and stand in the way.
        lapsed: Vec<ReservationId>,
    },
}

impl BlockChange {
    /// Judges the change on a block as it was read under its lock.
    ///
    /// Only what grows is judged: on a block that has come to promise more than it has, since its capacity was taken
    /// away, a reservation can still be made smaller.
    pub fn judge(&self, mut book: BlockBook, database_now: Instant) -> Verdict {
        for reservation in &self.reservations {
            book.give_back(*reservation);
        }
        let grown = self.grown();
        let free = book.free();
        let short = grown.iter().find_map(|(interval, judged)| free.first_shortfall(*interval, *judged));
        if let Some(shortfall) = short {
            let lapsed = book.lapsed_within(grown.iter().map(|piece| piece.0), database_now);
            return Verdict::Short { shortfall, lapsed };
        }
        let peak = grown.iter().fold(CapacityVector::ZERO, |peak, (interval, judged)| {
            let most = book.taken_at_most(*interval);
            peak.max(lanes(*judged, most, |new, beside| if new == UNJUDGED { 0 } else { new + beside }))
        });
        Verdict::Fits(peak)
    }

    /// The stretches in which more of anything is taken than before, with what is taken then; lanes in which it is
    /// not more are [`UNJUDGED`].
    fn grown(&self) -> Vec<(Interval, CapacityVector)> {
        let edges = self.before.steps().iter().chain(self.after.steps()).map(|step| step.0);
        let mut edges: Vec<Instant> = edges.collect();
        edges.sort_unstable();
        edges.dedup();
        let judged = |at: Instant| {
            let (before, after) = (self.before.value_at(at), self.after.value_at(at));
            lanes(before, after, |old, new| if new > old { new } else { UNJUDGED })
        };
        edges
            .windows(2)
            .filter_map(|pair| Some((Interval::new(pair[0], pair[1]).ok()?, judged(pair[0]))))
            .filter(|(_, judged)| *judged != lanes(*judged, *judged, |_, _| UNJUDGED))
            .collect()
    }
}

/// A need that nothing is too little for.
const UNJUDGED: i64 = i64::MIN;

fn lanes(a: CapacityVector, b: CapacityVector, combine: impl Fn(i64, i64) -> i64) -> CapacityVector {
    CapacityVector {
        critical_it: combine(a.critical_it, b.critical_it),
        air: combine(a.air, b.air),
        liquid: combine(a.liquid, b.liquid),
        immersion: combine(a.immersion, b.immersion),
        accelerators: combine(a.accelerators, b.accelerators),
    }
}

#[cfg(test)]
#[path = "amendment_tests.rs"]
mod tests;
