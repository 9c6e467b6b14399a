//! One block as the booking desk keeps it in memory: what it has, what is taken, by whom, at which version.
//!
//! The rule: at every instant and in every lane, what live reservations take stays within what the phases give. A hold
//! that has run out still counts here until its expiry is written: memory never frees capacity by its own clock.

use std::collections::{BTreeSet, HashMap};

use kernel::{CapacityVector, Instant, Interval, ReservationId, Resource, Shortfall, StepFunction};

use super::reservation::Profile;
use super::usage::Usage;

/// A live claim's part of one reservation.
#[derive(Debug, Clone)]
struct Live {
    pieces: Vec<(Interval, CapacityVector)>,
    /// When it runs out; none once committed.
    held_until: Option<Instant>,
}

/// A claim as the store tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredClaim {
    /// The reservation it is part of.
    pub reservation: ReservationId,
    /// When.
    pub interval: Interval,
    /// How much.
    pub kw: CapacityVector,
    /// Whether it takes capacity.
    pub standing: Standing,
}

/// Whether a claim takes capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Until its time runs out and that is written.
    Held(Instant),
    /// For good.
    Committed,
    /// Not any more.
    Gone,
}

/// One block in memory.
#[derive(Debug, Clone)]
pub struct BlockBook {
    version: i64,
    capacity: StepFunction<CapacityVector>,
    usage: Usage,
    live: HashMap<ReservationId, Live>,
    declared: Declared,
}

/// What a batch says of a block it takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// The most that is taken within the touched intervals, in the lanes that are touched.
    pub peak: CapacityVector,
    /// What could be taken on top of everything, at every instant and in every lane that is touched: so much may others
    /// have added unseen.
    pub room: i64,
    /// What the batch adds: of each piece the greatest lane. No instant and no lane gets more.
    pub grown: i64,
}

impl Declared {
    /// No block has so much room that it need be told apart from more. The store counts ten times as much as added where
    /// something changed that must be seen.
    const ROOM_MAX: i64 = 1_000_000_000;
    const NOTHING: Self = Self { peak: CapacityVector::ZERO, room: Self::ROOM_MAX, grown: 0 };
}

impl BlockBook {
    /// A block at a version, with all its live claims.
    pub fn new(version: i64, capacity: StepFunction<CapacityVector>, claims: &[StoredClaim]) -> Self {
        let taken = claims.iter().filter(|claim| claim.standing != Standing::Gone);
        let usage = Usage::of(taken.clone().map(|claim| (claim.interval, claim.kw)));
        let mut book = Self { version, capacity, usage, live: HashMap::new(), declared: Declared::NOTHING };
        for claim in taken {
            book.remember(claim);
        }
        book
    }

    /// The version of the store's block this memory is of.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// How many reservations take capacity here.
    pub fn reservations(&self) -> usize {
        self.live.len()
    }

    /// Takes in what was written since: every claim of a version above ours, and the phases as they are now.
    pub fn refresh(&mut self, version: i64, capacity: StepFunction<CapacityVector>, changed: &[StoredClaim]) {
        if version == self.version {
            return;
        }
        let touched: BTreeSet<ReservationId> = changed.iter().map(|claim| claim.reservation).collect();
        for reservation in touched {
            self.give_back(reservation);
        }
        for claim in changed.iter().filter(|claim| claim.standing != Standing::Gone) {
            self.usage.take(claim.interval, claim.kw);
            self.remember(claim);
        }
        self.version = version;
        self.capacity = capacity;
    }

    /// The store accepted our batch: the version is the batch's.
    pub fn advance(&mut self, by: i64) {
        self.version += by;
    }

    fn remember(&mut self, claim: &StoredClaim) {
        let held_until = match claim.standing {
            Standing::Held(until) => Some(until),
            Standing::Committed | Standing::Gone => None,
        };
        let live = self
            .live
            .entry(claim.reservation)
            .or_insert_with(|| Live { pieces: Vec::with_capacity(1), held_until });
        live.pieces.push((claim.interval, claim.kw));
    }

    /// Whether a profile fits, beside everything that is taken.
    pub fn fits(&self, profile: &Profile) -> bool {
        profile.pieces().all(|(interval, kw)| self.fits_piece(interval, kw))
    }

    fn fits_piece(&self, interval: Interval, kw: CapacityVector) -> bool {
        // Capacity has few steps and usage many: ask for the peak of usage within each piece of capacity.
        self.capacity.steps_in(interval).all(|(piece, capacity)| {
            let taken = self.usage.peak(piece);
            // A lane of which more is promised than there is, since that was accepted, keeps nobody out who takes
            // nothing of it.
            taken.checked_add(kw).is_some_and(|needed| needed.fits_in(&capacity.max(taken)))
        })
    }

    /// Takes a profile for a hold if it fits; nothing changes if it does not.
    ///
    /// Nearly every profile is one piece and fits, and to take it tells the peak that there is to ask for: so it is taken
    /// first. If the peak is above the least that there is in the interval, it is given back and looked at closely.
    pub fn take_if_fits(
        &mut self,
        reservation: ReservationId,
        profile: &Profile,
        held_until: Instant,
    ) -> bool {
        let mut pieces = profile.pieces();
        if let (Some((interval, kw)), None) = (pieces.next(), pieces.next()) {
            let peak = self.usage.take(interval, kw);
            if peak.fits_in(&self.least(interval)) {
                self.note(reservation, (interval, kw), peak, held_until);
                return true;
            }
            self.usage.give_back(interval, kw);
            self.tidy();
        }
        let fits = self.fits(profile);
        if fits {
            self.take(reservation, profile, held_until);
        }
        fits
    }

    /// Takes a profile that fits, for a hold.
    pub fn take(&mut self, reservation: ReservationId, profile: &Profile, held_until: Instant) {
        for (interval, kw) in profile.pieces() {
            let peak = self.usage.take(interval, kw);
            self.note(reservation, (interval, kw), peak, held_until);
        }
    }

    /// Remembers a piece that was taken, with the peak that came of it.
    fn note(
        &mut self,
        reservation: ReservationId,
        (interval, kw): (Interval, CapacityVector),
        peak: CapacityVector,
        held_until: Instant,
    ) {
        let (peak, least) = (in_lanes_of(kw, peak), self.least(interval));
        let declared = &mut self.declared;
        declared.peak = declared.peak.max(peak);
        declared.room = declared.room.min(room(kw, peak, least));
        declared.grown += kw.greatest();
        self.remember(&StoredClaim { reservation, interval, kw, standing: Standing::Held(held_until) });
    }

    /// The least of each lane that there is at any instant of the interval.
    fn least(&self, interval: Interval) -> CapacityVector {
        self.capacity.steps_in(interval).map(|step| step.1).reduce(CapacityVector::min).unwrap_or_default()
    }

    /// Forgets a reservation and frees what it took.
    pub fn give_back(&mut self, reservation: ReservationId) {
        if let Some(live) = self.live.remove(&reservation) {
            for (interval, kw) in &live.pieces {
                self.usage.give_back(*interval, *kw);
            }
        }
        self.tidy();
    }

    /// Every change leaves two steps behind; rebuilt, they cost no more than the claims that are left.
    fn tidy(&mut self) {
        if self.usage.len() > 64 + 8 * self.live.len() {
            let pieces = self.live.values().flat_map(|live| live.pieces.iter().copied());
            self.usage = Usage::of(pieces);
        }
    }

    /// What was taken since this was last asked.
    pub fn declare(&mut self) -> Declared {
        std::mem::replace(&mut self.declared, Declared::NOTHING)
    }

    /// The first stretch in which a profile does not fit.
    pub fn shortfall(&self, profile: &Profile) -> Option<Shortfall> {
        let free = self.free();
        profile.pieces().find_map(|(interval, kw)| free.first_shortfall(interval, kw))
    }

    /// What is free over time; nothing where more is taken than there is.
    pub fn free(&self) -> StepFunction<CapacityVector> {
        // Bounded lanes never overflow; if they did, nothing would be free.
        let left = self.usage.to_steps().and_then(|used| self.capacity.sub(&used)).unwrap_or_default();
        left.pointwise_max(&StepFunction::zero())
    }

    /// The most of each lane that is taken at any instant of the interval.
    pub fn taken_at_most(&self, interval: Interval) -> CapacityVector {
        self.usage.peak(interval)
    }

    /// Holds that seem to have run out and stand in the way of a profile. The database judges them again.
    pub fn lapsed_in_the_way(&self, profile: &Profile, now: Instant) -> Vec<ReservationId> {
        self.lapsed_within(profile.pieces().map(|piece| piece.0), now)
    }

    /// Holds that seem to have run out and take something within these intervals. It looks at every reservation: it is
    /// asked for what does not fit only, and bookings that do pay nothing for it.
    pub fn lapsed_within(
        &self,
        asked: impl IntoIterator<Item = Interval>,
        now: Instant,
    ) -> Vec<ReservationId> {
        let asked: Vec<Interval> = asked.into_iter().collect();
        let overlaps =
            |live: &Live| live.pieces.iter().any(|piece| asked.iter().any(|a| a.overlaps(&piece.0)));
        let mut lapsed: Vec<(Instant, ReservationId)> = self
            .live
            .iter()
            .filter_map(|(reservation, live)| Some((live.held_until?, *reservation, live)))
            .filter(|(until, _, live)| *until <= now && overlaps(live))
            .map(|(until, reservation, _)| (until, reservation))
            .collect();
        lapsed.sort_unstable();
        lapsed.into_iter().map(|(_, reservation)| reservation).collect()
    }
}

/// The peak in the lanes that a claim takes something of: the others it leaves as they are.
fn in_lanes_of(kw: CapacityVector, peak: CapacityVector) -> CapacityVector {
    let lane = |taken: i64, peak: i64| if taken > 0 { peak } else { 0 };
    CapacityVector {
        critical_it: lane(kw.critical_it, peak.critical_it),
        air: lane(kw.air, peak.air),
        liquid: lane(kw.liquid, peak.liquid),
        immersion: lane(kw.immersion, peak.immersion),
        accelerators: lane(kw.accelerators, peak.accelerators),
    }
}

/// What is left of the least capacity above the peak, in the scarcest lane that something is taken of.
fn room(kw: CapacityVector, peak: CapacityVector, least: CapacityVector) -> i64 {
    let lanes = Resource::ALL.into_iter().filter(|lane| kw.get(*lane) > 0);
    let left = lanes.map(|lane| least.get(lane) - peak.get(lane)).min();
    left.unwrap_or(0).max(0)
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
