//! Who is hurt when capacity falls below what is promised, by how much, and for how long.
//!
//! Who reserved last is short first, and holds are short before commitments: so everybody can tell beforehand where he
//! stands, and what all are short of together is exactly what is missing, lane by lane.

use std::collections::BTreeMap;

use kernel::{
    BlockName, CapacityVector, Error, Instant, Interval, Reason, ReservationId, ReservationName, Resource,
    StepFunction, TenantId, Violation,
};

use super::site::words;

words! {
    /// What made capacity fall below what is promised.
    CauseKind {
        /// A phase is in service later than was said.
        Delayed = "DELAYED",
        /// A phase gives less, or ends earlier.
        Reduced = "REDUCED",
        /// A phase will never be built.
        Cancelled = "CANCELLED",
        /// A block is maintained.
        Maintenance = "MAINTENANCE",
        /// A block carries less than it was built for.
        Derated = "DERATED",
    }
}

/// What made it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// In one word.
    pub kind: CauseKind,
    /// Resource name of the phase or maintenance window.
    pub resource: String,
    /// In the operator's words.
    pub reason: String,
}

/// What one reservation is short of on one block: the whole of it, in place of what was recorded before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The reservation.
    pub reservation: ReservationName,
    /// Its tenant.
    pub tenant: Option<TenantId>,
    /// The block.
    pub block: BlockName,
    /// What is missing, in order of time; empty if nothing is any more.
    pub steps: Vec<(Interval, CapacityVector)>,
    /// What made it so.
    pub cause: Cause,
}

/// A live claim's part of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The reservation it is part of.
    pub reservation: ReservationId,
    /// Whether it is committed, and no mere hold.
    pub is_committed: bool,
    /// When.
    pub interval: Interval,
    /// How much.
    pub kw: CapacityVector,
}

/// What each reservation is short of over time. Those that are short of nothing are not in it.
pub type Short = BTreeMap<ReservationId, StepFunction<CapacityVector>>;

/// Commitments before holds, and the earlier before the later: ids are in order of time.
type Seniority = (bool, ReservationId);

/// Shares out what is missing where live claims take more than there is.
pub fn short(capacity: &StepFunction<CapacityVector>, taken: &[Taken]) -> Short {
    let mut edges: Vec<(Instant, Option<(Seniority, CapacityVector)>)> =
        capacity.steps().iter().map(|step| (step.0, None)).collect();
    for claim in taken {
        let seniority = (!claim.is_committed, claim.reservation);
        edges.push((claim.interval.start(), Some((seniority, claim.kw))));
        edges.push((claim.interval.end(), Some((seniority, minus(claim.kw)))));
    }
    edges.sort_by_key(|edge| edge.0);
    let mut active: BTreeMap<Seniority, CapacityVector> = BTreeMap::new();
    let mut used = CapacityVector::ZERO;
    let mut found: BTreeMap<ReservationId, Vec<(Instant, CapacityVector)>> = BTreeMap::new();
    let mut hurt: Vec<ReservationId> = Vec::new();
    let mut next = 0;
    while next < edges.len() {
        let at = edges[next].0;
        while let Some((_, change)) = edges.get(next).filter(|edge| edge.0 == at) {
            if let Some((seniority, kw)) = change {
                used = plus(used, *kw);
                let sum = active.entry(*seniority).or_default();
                *sum = plus(*sum, *kw);
                if sum.is_zero() {
                    active.remove(seniority);
                }
            }
            next += 1;
        }
        let before = std::mem::take(&mut hurt);
        let mut missing = plus(used, minus(capacity.value_at(at))).max(CapacityVector::ZERO);
        for ((_, reservation), kw) in active.iter().rev() {
            if missing.is_zero() {
                break;
            }
            let share = missing.min(*kw);
            if !share.is_zero() {
                missing = plus(missing, minus(share));
                hurt.push(*reservation);
                found.entry(*reservation).or_default().push((at, share));
            }
        }
        for over in before.iter().filter(|reservation| !hurt.contains(reservation)) {
            found.entry(*over).or_default().push((at, CapacityVector::ZERO));
        }
    }
    let function = |steps| StepFunction::from_steps(steps).unwrap_or_default();
    found.into_iter().map(|(reservation, steps)| (reservation, function(steps))).collect()
}

/// Lanes are kilowatts of at most a few thousand claims of at most 10^9 each: far below the range of the type.
fn plus(a: CapacityVector, b: CapacityVector) -> CapacityVector {
    a.checked_add(b).unwrap_or(a)
}

fn minus(kw: CapacityVector) -> CapacityVector {
    CapacityVector::ZERO.checked_sub(kw).unwrap_or_default()
}

/// Which reservations are short of something else than before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Short of more, at some instant and in some lane.
    pub worse: Vec<ReservationId>,
    /// Short of less at some instants and never of more, or of nothing.
    pub eased: Vec<ReservationId>,
}

/// Compares what is recorded with what is so.
pub fn changes(before: &Short, after: &Short) -> Changes {
    let mut changes = Changes::default();
    let nothing = StepFunction::zero();
    for (reservation, now) in after {
        let was = before.get(reservation).unwrap_or(&nothing);
        if now == was {
            continue;
        }
        let more = now.sub(was).unwrap_or_default();
        if more.steps().iter().all(|step| step.1.fits_in(&CapacityVector::ZERO)) {
            changes.eased.push(*reservation);
        } else {
            changes.worse.push(*reservation);
        }
    }
    changes.eased.extend(before.keys().filter(|reservation| !after.contains_key(reservation)));
    changes
}

/// The stretches of a function in which it is not zero.
pub fn stretches(function: &StepFunction<CapacityVector>) -> Vec<(Interval, CapacityVector)> {
    function
        .steps()
        .windows(2)
        .filter(|pair| !pair[0].1.is_zero())
        .filter_map(|pair| Some((Interval::new(pair[0].0, pair[1].0).ok()?, pair[0].1)))
        .collect()
}

/// The refusal of a change that would hurt somebody and was not accepted.
pub fn committed(block: &BlockName, hurt: &[Shortfall]) -> Error {
    let count = hurt.len();
    let sentence = format!(
        "{count} reservations would be short of capacity that is promised to them; accept the shortfall to go on."
    );
    let mut error = Error::refused(Reason::CapacityCommitted, sentence)
        .with("block", block)
        .with("reservationCount", count);
    let first = hurt.iter().filter_map(|one| one.steps.first()).min_by_key(|step| step.0.start());
    if let Some((interval, kw)) = first
        && let Some(resource) = Resource::ALL.into_iter().find(|resource| kw.get(*resource) > 0)
    {
        let at = interval.start().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        error = error.with("resource", resource).with("firstShortTime", at).with("shortKw", kw.get(resource));
    }
    error.with_violations(hurt.iter().map(violation).collect())
}

fn violation(hurt: &Shortfall) -> Violation {
    let most = hurt.steps.iter().fold(CapacityVector::ZERO, |most, step| most.max(step.1));
    let lanes: Vec<String> = Resource::ALL
        .into_iter()
        .filter(|resource| most.get(*resource) > 0)
        .map(|resource| format!("{} {resource}", most.get(resource)))
        .collect();
    let text = |at: Instant| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let from = hurt.steps.first().map(|step| text(step.0.start())).unwrap_or_default();
    let until = hurt.steps.last().map(|step| text(step.0.end())).unwrap_or_default();
    Violation::new(
        hurt.reservation.to_string(),
        format!("would be short of up to {} from {from} until {until}", lanes.join(", ")),
    )
}

#[cfg(test)]
#[path = "shortfall_tests.rs"]
mod tests;
