//! What the market looks like at one instant of reading: sites, blocks, phases, and how much of them is promised.

use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, Instant, Interval, Rate, SiteName, StepFunction, Zone,
};

use super::geo::Point;
use super::phase::DateBasis;
use super::reservation::Kind;
use super::site::GridStep;
use super::states::State;
use super::suit::Traits;

/// A phase as search sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseView {
    /// What it adds.
    pub capacity: CapacityVector,
    /// Gross power, kW.
    pub gross_kw: i64,
    /// When it is in service.
    pub interval: Interval,
    /// First day in service.
    pub from: CivilDate,
    /// First day no longer in service.
    pub until: Option<CivilDate>,
    /// How the first day is known.
    pub basis: DateBasis,
}

/// What live reservations of one kind take, added up, without names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// What for.
    pub kind: Kind,
    /// HELD or COMMITTED.
    pub state: State,
    /// When.
    pub interval: Interval,
    /// How much.
    pub kw: CapacityVector,
}

/// A block as search sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockView {
    /// Its name.
    pub name: BlockName,
    /// Indicative rent.
    pub rate: Option<(Rate, Currency)>,
    /// What it suits.
    pub traits: Traits,
    /// Its phases.
    pub phases: Vec<PhaseView>,
    /// What is promised of it.
    pub uses: Vec<Use>,
}

/// A site as search sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteView {
    /// Its name.
    pub name: SiteName,
    /// The zone of its dates.
    pub zone: Zone,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// The grid operator.
    pub grid_iso: String,
    /// State, province or price zone.
    pub state_code: String,
    /// Where it lies, if that is known.
    pub point: Option<Point>,
    /// Grid power over time.
    pub grid_steps: Vec<GridStep>,
    /// What the operator publicly reports as leased.
    pub reported_leased_it_kw: Option<i64>,
    /// Its blocks, by name.
    pub blocks: Vec<BlockView>,
}

/// What takes a share of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Committed to leases.
    Leased,
    /// Committed to options.
    Optioned,
    /// In holds, and in plain holds that were committed.
    Held,
    /// Committed to the operator's own use.
    OwnUse,
}

impl Use {
    /// Under which heading it is shown.
    pub fn share(&self) -> Share {
        match (self.state, self.kind) {
            (State::Committed, Kind::Lease) => Share::Leased,
            (State::Committed, Kind::Option) => Share::Optioned,
            (State::Committed, Kind::OperatorUse) => Share::OwnUse,
            _ => Share::Held,
        }
    }
}

fn steps(parts: impl IntoIterator<Item = (Interval, CapacityVector)>) -> StepFunction<CapacityVector> {
    // Lanes are bounded far below the range of the type.
    StepFunction::from_intervals(parts).unwrap_or_default()
}

impl BlockView {
    /// What the phases give over time.
    pub fn capacity(&self) -> StepFunction<CapacityVector> {
        steps(self.phases.iter().map(|phase| (phase.interval, phase.capacity)))
    }

    /// What is promised under one heading.
    pub fn share(&self, share: Share) -> StepFunction<CapacityVector> {
        steps(self.uses.iter().filter(|u| u.share() == share).map(|u| (u.interval, u.kw)))
    }

    /// What can be reserved.
    pub fn free(&self) -> StepFunction<CapacityVector> {
        // Bounded lanes never overflow; if they did, nothing would be free.
        StepFunction::from_intervals(self.uses.iter().map(|u| (u.interval, u.kw)))
            .and_then(|used| self.capacity().sub(&used))
            .unwrap_or_default()
    }
}

/// One stretch of time in which nothing changes: capacity = leased + optioned + held + own use + free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailabilityStep {
    /// When.
    pub interval: Interval,
    /// What the phases give.
    pub capacity: CapacityVector,
    /// Committed to leases.
    pub leased: CapacityVector,
    /// Committed to options.
    pub optioned: CapacityVector,
    /// In holds.
    pub held: CapacityVector,
    /// Own use.
    pub own_use: CapacityVector,
    /// What can be reserved.
    pub free: CapacityVector,
}

/// Capacity of blocks together over an interval, in steps.
pub fn availability(blocks: &[BlockView], interval: Interval) -> Vec<AvailabilityStep> {
    let total = |of: &dyn Fn(&BlockView) -> StepFunction<CapacityVector>| {
        blocks.iter().fold(StepFunction::zero(), |sum, block| sum.add(&of(block)).unwrap_or(sum))
    };
    let capacity = total(&BlockView::capacity);
    let shares = [Share::Leased, Share::Optioned, Share::Held, Share::OwnUse].map(|s| total(&|b| b.share(s)));
    let mut edges: Vec<Instant> = vec![interval.start(), interval.end()];
    for function in std::iter::once(&capacity).chain(&shares) {
        edges.extend(function.steps().iter().map(|step| step.0).filter(|at| interval.contains(*at)));
    }
    edges.sort_unstable();
    edges.dedup();
    edges
        .windows(2)
        .filter_map(|pair| Interval::new(pair[0], pair[1]).ok())
        .map(|piece| {
            let at = piece.start();
            let capacity = capacity.value_at(at);
            let [leased, optioned, held, own_use] = [0, 1, 2, 3].map(|i: usize| shares[i].value_at(at));
            let free = [leased, optioned, held, own_use]
                .into_iter()
                .fold(capacity, |free, used| free.checked_sub(used).unwrap_or_default());
            AvailabilityStep { interval: piece, capacity, leased, optioned, held, own_use, free }
        })
        .collect()
}
