//! Readings: what counts of an interval when it is told once, twice, late, out of order or anew.
//!
//! A reading is known by meter, interval and revision. The highest revision counts; lower ones are history; the same
//! revision again is a duplicate if it says the same, and refused if it does not.

use std::collections::BTreeMap;

use kernel::{CivilDate, Instant, MeterId, Violations, Zone};

use super::meter::{Meter, MeterFacts};

/// Clocks of gateways may be ahead of ours by so much.
const AHEAD: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// What is said of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its energy, Wh.
    pub energy_wh: i64,
    /// 0 is the first reading.
    pub revision: i32,
    /// Whether the sender estimated it.
    pub estimated: bool,
}

/// Readings of one meter for intervals that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The meter.
    pub meter: MeterId,
    /// Start of the first interval.
    pub start: Instant,
    /// Energy of each, Wh.
    pub energies_wh: Vec<i64>,
    /// Of all of them.
    pub revision: i32,
    /// Of all of them.
    pub estimated: bool,
}

impl Series {
    /// Notes what the meter cannot have measured.
    pub fn check(&self, v: &mut Violations, meter: &Meter, now: Instant) {
        let facts = &meter.facts;
        if !facts.interval.begins_at(self.start) {
            let minutes = facts.interval.minutes();
            v.add("start_time", format!("must be a multiple of the meter's {minutes} minutes since 1970"));
            return;
        }
        let installed = facts.installed_at();
        if self.start < installed {
            v.add("start_time", format!("must not be before the meter was installed, {installed}"));
        }
        let count = i64::try_from(self.energies_wh.len()).unwrap_or(i64::MAX);
        let length_s = facts.interval.seconds().checked_mul(count).and_then(chrono::TimeDelta::try_seconds);
        let end = length_s.and_then(|length| self.start.checked_add_signed(length));
        if end.is_none_or(|end| end > now + AHEAD) {
            v.add("energy_wh", format!("must not reach beyond now, {now}: nobody measures what is to come"));
        }
        let max_wh = facts.max_wh();
        for (at, energy) in self.energies_wh.iter().enumerate() {
            if !(0..=max_wh).contains(energy) {
                v.add(
                    &format!("energy_wh[{at}]"),
                    format!("must be from 0 to {max_wh} Wh, the meter's range"),
                );
            }
        }
    }
}

/// A reading of a batch, in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which of the batch's meters.
    pub meter: usize,
    /// Start of the interval.
    pub start: Instant,
    /// What it says.
    pub value: Value,
}

/// Sorts a batch by meter, interval and revision; of equals, the first that came stays first.
pub fn sort(arrivals: &mut [Arrival]) {
    arrivals.sort_by_key(|a| (a.meter, a.start, a.value.revision));
}

/// What is kept of an interval so far.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Known {
    /// What counts.
    pub current: Option<Value>,
    /// Lower revisions.
    pub older: Vec<Value>,
}

/// A reading as it is kept, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Start of the interval.
    pub start: Instant,
    /// What it says.
    pub value: Value,
    /// Whether a higher revision counts.
    pub superseded: bool,
    /// The meter's batch with which it came.
    pub batch: i64,
    /// When.
    pub receive_time: Instant,
}

/// A reading that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The meter.
    pub meter: MeterId,
    /// Start of the interval.
    pub start: Instant,
    /// The revision.
    pub revision: i32,
    /// What is kept, Wh.
    pub kept_wh: i64,
    /// What is not, Wh.
    pub refused_wh: i64,
}

/// What became of readings; every one of them is counted once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Intervals that had none.
    pub new: i64,
    /// A higher revision took the place of a lower one.
    pub corrected: i64,
    /// Came after a higher revision.
    pub superseded: i64,
    /// Known already.
    pub duplicate: i64,
    /// Same revision, another value.
    pub conflict: i64,
}

impl Counts {
    /// Adds those of another batch.
    pub fn add(&mut self, other: &Self) {
        self.new += other.new;
        self.corrected += other.corrected;
        self.superseded += other.superseded;
        self.duplicate += other.duplicate;
        self.conflict += other.conflict;
    }
}

/// What is to be written of one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What counts from now on.
    pub current: Value,
    /// Whether that is new, or took the place of what was kept.
    pub change: Change,
    /// What joins the history, and whether it counted until now.
    pub history: Vec<(Value, bool)>,
    /// The arrivals that say something else than their revision said before: what is kept, what is not.
    pub conflicts: Vec<(Value, Value)>,
    /// How each arrival is counted.
    pub counts: Counts,
}

/// How the row of an interval changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    New,
    /// It says something else now.
    Corrected,
    /// It says what it said.
    Unchanged,
}

/// Settles the arrivals of one interval, in order of revision, against what is known of it. `None` if nothing arrived.
#[must_use]
pub fn settle(known: &Known, arrivals: impl IntoIterator<Item = Value>) -> Option<Settled> {
    let mut current = known.current;
    let (mut history, mut conflicts, mut counts) = (Vec::new(), Vec::new(), Counts::default());
    for arrived in arrivals {
        let Some(kept) = current else {
            (current, counts.new) = (Some(arrived), 1);
            continue;
        };
        let older = known.older.iter().chain(history.iter().map(|(value, _)| value));
        let same = std::iter::once(&kept).chain(older).find(|value| value.revision == arrived.revision);
        match same {
            Some(same) if *same == arrived => counts.duplicate += 1,
            Some(same) => {
                conflicts.push((*same, arrived));
                counts.conflict += 1;
            }
            None if arrived.revision > kept.revision => {
                history.push((kept, known.current == Some(kept)));
                current = Some(arrived);
                counts.corrected += 1;
            }
            None => {
                history.push((arrived, false));
                counts.superseded += 1;
            }
        }
    }
    let current = current?;
    let change = match known.current {
        None => Change::New,
        Some(before) if before != current => Change::Corrected,
        Some(_) => Change::Unchanged,
    };
    Some(Settled { current, change, history, conflicts, counts })
}

/// How many of a day's highest energies are remembered: enough to tell a spike.
pub const PEAKS: usize = 3;

/// What was read of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRead {
    /// Sum of its readings, Wh.
    pub energy_wh: i64,
    /// How many.
    pub reading_count: i32,
    /// The part that the sender estimated, Wh.
    pub estimated_wh: i64,
    /// How many of them.
    pub estimated_count: i32,
    /// The highest, highest first, at most [`PEAKS`], Wh.
    pub peaks_wh: Vec<i64>,
    /// Start of the first interval with the highest.
    pub peak_time: Instant,
}

impl DayRead {
    /// A day with one reading.
    #[must_use]
    pub fn of(start: Instant, value: Value) -> Self {
        Self {
            energy_wh: value.energy_wh,
            reading_count: 1,
            estimated_wh: if value.estimated { value.energy_wh } else { 0 },
            estimated_count: i32::from(value.estimated),
            peaks_wh: vec![value.energy_wh],
            peak_time: start,
        }
    }

    /// Adds readings of other intervals of the day.
    pub fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (self.peaks_wh.first(), other.peaks_wh.first());
        if theirs > mine || (theirs == mine && other.peak_time < self.peak_time) {
            self.peak_time = other.peak_time;
        }
        self.energy_wh += other.energy_wh;
        self.reading_count += other.reading_count;
        self.estimated_wh += other.estimated_wh;
        self.estimated_count += other.estimated_count;
        self.peaks_wh.extend(&other.peaks_wh);
        self.peaks_wh.sort_by(|a, b| b.cmp(a));
        self.peaks_wh.truncate(PEAKS);
    }

    /// Adds the reading of another interval of the day.
    pub fn add(&mut self, start: Instant, value: Value) {
        let lowest = self.peaks_wh.last().copied().unwrap_or(0);
        if self.peaks_wh.len() == PEAKS && value.energy_wh <= lowest && start > self.peak_time {
            // Nearly every reading: it is no peak.
            self.energy_wh += value.energy_wh;
            self.reading_count += 1;
            self.estimated_wh += if value.estimated { value.energy_wh } else { 0 };
            self.estimated_count += i32::from(value.estimated);
        } else {
            self.merge(&Self::of(start, value));
        }
    }
}

/// Whether the highest energy exceeds the third highest by more than 180 %: the usual check for a spike.
#[must_use]
pub fn is_spike(peaks_wh: &[i64]) -> bool {
    const MORE_PERCENT: i64 = 180;
    match peaks_wh {
        [first, _, third, ..] => {
            first.saturating_sub(*third).saturating_mul(100) > third.saturating_mul(MORE_PERCENT)
        }
        _ => false,
    }
}

/// Sums of readings by day, for readings that come in order of time. The day of an instant is looked up once a day.
#[derive(Debug)]
pub struct Days {
    zone: Zone,
    present: Option<(CivilDate, Instant, Instant)>,
    sums: BTreeMap<CivilDate, DayRead>,
}

impl Days {
    /// Days of a meter.
    #[must_use]
    pub fn of(facts: &MeterFacts) -> Self {
        Self { zone: facts.zone, present: None, sums: BTreeMap::new() }
    }

    /// The day on which an interval begins.
    pub fn day_of(&mut self, start: Instant) -> CivilDate {
        if let Some((day, from, until)) = self.present
            && (from..until).contains(&start)
        {
            return day;
        }
        let day = self.zone.date_of(start);
        let from = self.zone.start_of_day(day);
        let until = day.succ_opt().map_or(from, |next| self.zone.start_of_day(next));
        self.present = Some((day, from, until));
        day
    }

    /// Adds a reading to its day.
    pub fn add(&mut self, start: Instant, value: Value) {
        let day = self.day_of(start);
        self.sums
            .entry(day)
            .and_modify(|sum| sum.add(start, value))
            .or_insert_with(|| DayRead::of(start, value));
    }

    /// The sums.
    #[must_use]
    pub fn into_sums(self) -> BTreeMap<CivilDate, DayRead> {
        self.sums
    }
}

#[cfg(test)]
mod tests;
