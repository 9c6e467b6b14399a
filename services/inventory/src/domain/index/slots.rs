//! What is free in each slot of about a quarter of a year, small enough to look at 100,000 blocks in a blink.
//!
//! A value is kept as a bucket, which never decreases as kilowatts grow: a bucket below that of the need is a proof
//! that the need does not fit, and nothing else is ever concluded from it.

use std::ops::Range;

use kernel::{Instant, Interval, Resource};

use super::packed::{LANES, Packed, micros};

/// Slots that are kept: a quarter of a century.
pub(super) const SLOTS: usize = 96;
/// Seconds of a slot, as a power of two: 97 days.
const SLOT_BITS: u32 = 23;
const SLOT_SECONDS: i64 = 1 << SLOT_BITS;
/// Values below are their own buckets; above, a bucket is this many kW wide.
const EXACT_BELOW: i64 = 1 << 15;
const WIDE_BITS: u32 = 6;

/// A value per slot.
pub(super) type Row = [u16; SLOTS];
/// A row per lane.
pub(super) type Rows = [Row; LANES];

/// Nothing in any lane at any time.
pub(super) const NOTHING: Rows = [[0; SLOTS]; LANES];

/// The bucket of so many kilowatts; what is not there and what is over-committed is 0.
pub(super) fn bucket(kw: i64) -> u16 {
    let kw = kw.max(0);
    let bucket = if kw < EXACT_BELOW { kw } else { EXACT_BELOW + ((kw - EXACT_BELOW) >> WIDE_BITS) };
    u16::try_from(bucket).unwrap_or(u16::MAX)
}

/// The most kilowatts that a bucket may stand for.
pub(super) fn at_most(bucket: u16) -> i64 {
    let value = i64::from(bucket);
    if bucket == u16::MAX {
        i64::MAX
    } else if value < EXACT_BELOW {
        value
    } else {
        EXACT_BELOW + ((value - EXACT_BELOW + 1) << WIDE_BITS) - 1
    }
}

/// The least that is free in each slot.
#[derive(Debug, Clone)]
pub(super) struct Minima {
    pub(super) rows: Rows,
    /// The most that is ever free in a lane, within the slots or beyond.
    pub(super) ever: [u16; LANES],
}

/// Where the slots lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    first: i64,
}

impl Calendar {
    /// Slots from the one in which an instant lies.
    pub(super) fn from(at: Instant) -> Self {
        Self { first: at.timestamp() >> SLOT_BITS }
    }

    fn clamp(slot: i64) -> usize {
        usize::try_from(slot).unwrap_or(0).min(SLOTS)
    }

    /// The slot in which an instant lies, if it is one that is kept.
    pub(super) fn slot_of(self, at: Instant) -> Option<usize> {
        let slot = (at.timestamp() >> SLOT_BITS) - self.first;
        usize::try_from(slot).ok().filter(|slot| *slot < SLOTS)
    }

    /// The kept slots that lie wholly within an interval.
    pub(super) fn within(self, from: Instant, until: Instant) -> Range<usize> {
        let starts = (from.timestamp() + SLOT_SECONDS - 1) >> SLOT_BITS;
        // Just after a slot's first second is not its start.
        let starts =
            if from.timestamp_subsec_nanos() > 0 { (from.timestamp() >> SLOT_BITS) + 1 } else { starts };
        let ends = until.timestamp() >> SLOT_BITS;
        let range = Self::clamp(starts - self.first)..Self::clamp(ends - self.first);
        if range.start < range.end { range } else { 0..0 }
    }

    /// The interval of a slot; none beyond the years we know.
    pub(super) fn interval(self, slot: usize) -> Option<Interval> {
        let start = (self.first + i64::try_from(slot).ok()?) << SLOT_BITS;
        let at = |seconds: i64| Instant::from_timestamp(seconds, 0);
        Interval::new(at(start)?, at(start + SLOT_SECONDS)?).ok()
    }

    /// How many whole slots lie in any interval of this length, wherever it begins, beside the one it begins in.
    pub(super) fn whole_in(seconds: i64) -> usize {
        usize::try_from((seconds >> SLOT_BITS) - 1).unwrap_or(0)
    }

    /// Where slots begin and end within the years we know, in microseconds since the first instant of them.
    fn cuts(self) -> Vec<i64> {
        let first = micros(kernel::time::min_instant());
        let last = micros(kernel::time::max_instant());
        let epoch = micros(Instant::UNIX_EPOCH);
        (self.first..)
            .take(SLOTS + 1)
            .map(|slot| epoch + (slot << SLOT_BITS) * 1_000_000)
            .take_while(|cut| (first..=last).contains(cut))
            .collect()
    }

    /// The slots that an interval touches.
    pub(super) fn touched_by(self, interval: Interval) -> Range<usize> {
        let slot = |at: Instant| (at.timestamp() >> SLOT_BITS) - self.first;
        Self::clamp(slot(interval.start()))..Self::clamp(slot(interval.end()) + 1)
    }

    /// The minima of what is free; of other slots than these nothing is said.
    pub(super) fn minima(self, free: &Packed, slots: Range<usize>) -> Minima {
        let pieces = free.pieces_between(&self.cuts());
        let mut minima = Minima { rows: NOTHING, ever: [0; LANES] };
        for (lane, row) in minima.rows.iter_mut().enumerate() {
            if free.is_nothing(lane) {
                continue;
            }
            for (value, pieces) in row.iter_mut().zip(&pieces).take(slots.end).skip(slots.start) {
                *value = bucket(free.least(lane, *pieces));
            }
            minima.ever[lane] = bucket(free.most(lane));
        }
        minima
    }
}

/// The buckets of a need, lane by lane.
pub(super) fn floors(need: kernel::CapacityVector) -> [u16; LANES] {
    Resource::ALL.map(|lane| bucket(need.get(lane)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_never_decrease_and_never_promise_too_little() {
        let mut before = 0;
        for kw in (0..200_000).chain([2_000_000, 2_129_000, 10_000_000, i64::MAX]) {
            let own = bucket(kw);
            assert!(own >= before, "{kw}");
            assert!(at_most(own) >= kw, "{kw}");
            before = own;
        }
        assert_eq!(bucket(-5), 0);
    }

    #[test]
    fn slots_within_an_interval_lie_within_it() {
        let calendar = Calendar::from(kernel::time::min_instant());
        let slot = calendar.interval(3).expect("early");
        assert_eq!(calendar.within(slot.start(), slot.end()), 3..4);
        let micro = chrono::TimeDelta::microseconds(1);
        assert_eq!(calendar.within(slot.start() + micro, slot.end()), 0..0);
        assert_eq!(calendar.within(slot.start() - micro, slot.end() + micro), 3..4);
        assert_eq!(calendar.slot_of(slot.end() - micro), Some(3));
        assert_eq!(calendar.slot_of(slot.start() - chrono::TimeDelta::days(400)), None);
    }
}
