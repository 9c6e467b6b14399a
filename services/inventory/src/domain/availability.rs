//! What the market looks like at one instant of reading: sites, blocks, phases, and how much of them is promised.

use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, Instant, Interval, Rate, SiteName, StepFunction, Zone,
};

use super::conversion::{Conversion, Stretch};
use super::encumbrance::{Encumbrance, soft_kw};
use super::geo::Point;
use super::maintenance;
use super::phase::DateBasis;
use super::reservation::{Kind, Profile};
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
    /// What it is before.
    pub conversion: Conversion,
}

impl PhaseView {
    /// The gross power of its life.
    pub fn life(&self) -> Vec<Stretch> {
        self.conversion.life(self.from, self.until, self.gross_kw)
    }
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
    /// Its phases; cancelled ones are left out.
    pub phases: Vec<PhaseView>,
    /// What maintenance and derates take away, and when.
    pub derates: Vec<(Interval, CapacityVector)>,
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

/// Where a site lies, as searches ask for it: many sites share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// The grid operator.
    pub grid_iso: String,
    /// State, province or price zone.
    pub state_code: String,
}

impl SiteView {
    /// Where it lies.
    pub fn region(&self) -> Region {
        Region {
            country_code: self.country_code.clone(),
            grid_iso: self.grid_iso.clone(),
            state_code: self.state_code.clone(),
        }
    }
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
    /// What the phases give over time, less maintenance and derates.
    pub fn capacity(&self) -> StepFunction<CapacityVector> {
        let phases = self.phases.iter().map(|phase| (phase.interval, phase.capacity));
        maintenance::capacity(phases, self.derates.iter().copied())
    }

    /// What is promised under one heading.
    pub fn share(&self, share: Share) -> StepFunction<CapacityVector> {
        steps(self.uses.iter().filter(|u| u.share() == share).map(|u| (u.interval, u.kw)))
    }

    /// What can be reserved; nothing where more is promised than there is.
    pub fn free(&self) -> StepFunction<CapacityVector> {
        self.left().pointwise_max(&StepFunction::zero())
    }

    /// What is promised beyond the capacity, since a shortfall was accepted.
    pub fn short(&self) -> StepFunction<CapacityVector> {
        let zero = StepFunction::zero();
        zero.sub(&self.left().pointwise_min(&zero)).unwrap_or_default()
    }

    /// What is left: free, and below zero by what is promised beyond the capacity.
    pub fn left(&self) -> StepFunction<CapacityVector> {
        // Bounded lanes never overflow; if they did, nothing would be free.
        StepFunction::from_intervals(self.uses.iter().map(|u| (u.interval, u.kw)))
            .and_then(|used| self.capacity().sub(&used))
            .unwrap_or_default()
    }

    /// Whether a profile fits in what is free.
    pub fn carries(&self, profile: &Profile) -> bool {
        let free = self.free();
        profile.pieces().all(|(interval, kw)| free.covers_over(interval, kw))
    }
}

/// One stretch of time in which nothing changes: capacity + short = leased + optioned + held + own use + free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailabilityStep {
    /// When.
    pub interval: Interval,
    /// What the phases give, less maintenance and derates.
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
    /// What is promised beyond the capacity.
    pub short: CapacityVector,
}

/// A step with what encumbrances are on beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncumberedStep {
    /// The step.
    pub step: AvailabilityStep,
    /// Critical IT load that encumbrances are on, kW; none where it is not told.
    pub soft_kw: Option<i64>,
}

impl EncumberedStep {
    /// Critical IT load that is free beside the encumbrances, kW. They may be on more than is free.
    pub fn free_unencumbered_kw(&self) -> Option<i64> {
        self.soft_kw.map(|soft| self.step.free.critical_it.saturating_sub(soft).max(0))
    }
}

/// The steps, cut where encumbrances end.
pub fn encumbered(steps: Vec<AvailabilityStep>, encumbrances: &[Encumbrance]) -> Vec<EncumberedStep> {
    let mut cut = Vec::with_capacity(steps.len());
    for step in steps {
        let (start, end) = (step.interval.start(), step.interval.end());
        let ends = encumbrances.iter().map(|one| one.facts.valid_until);
        let mut edges: Vec<Instant> =
            ends.filter(|at| start < *at && *at < end).chain([start, end]).collect();
        edges.sort_unstable();
        edges.dedup();
        cut.extend(edges.windows(2).filter_map(|pair| {
            let interval = Interval::new(pair[0], pair[1]).ok()?;
            let soft_kw = Some(soft_kw(encumbrances, pair[0]));
            Some(EncumberedStep { step: AvailabilityStep { interval, ..step }, soft_kw })
        }));
    }
    cut
}

/// Capacity of blocks together over an interval, in steps.
pub fn availability(blocks: &[BlockView], interval: Interval) -> Vec<AvailabilityStep> {
    let total = |of: &dyn Fn(&BlockView) -> StepFunction<CapacityVector>| {
        blocks.iter().fold(StepFunction::zero(), |sum, block| sum.add(&of(block)).unwrap_or(sum))
    };
    let (capacity, free, short) =
        (total(&BlockView::capacity), total(&BlockView::free), total(&BlockView::short));
    let shares = [Share::Leased, Share::Optioned, Share::Held, Share::OwnUse].map(|s| total(&|b| b.share(s)));
    let mut edges: Vec<Instant> = vec![interval.start(), interval.end()];
    for function in [&capacity, &free, &short].into_iter().chain(&shares) {
        edges.extend(function.steps().iter().map(|step| step.0).filter(|at| interval.contains(*at)));
    }
    edges.sort_unstable();
    edges.dedup();
    edges
        .windows(2)
        .filter_map(|pair| Interval::new(pair[0], pair[1]).ok())
        .map(|piece| {
            let at = piece.start();
            let [leased, optioned, held, own_use] = [0, 1, 2, 3].map(|i: usize| shares[i].value_at(at));
            let (capacity, free, short) = (capacity.value_at(at), free.value_at(at), short.value_at(at));
            AvailabilityStep { interval: piece, capacity, leased, optioned, held, own_use, free, short }
        })
        .collect()
}
