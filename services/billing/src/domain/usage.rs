//! Usage: the readings of a meter by day, with an estimate of each interval that is due and has none.

use std::collections::BTreeMap;

use kernel::{CivilDate, DateRange, Exact, Instant};

use super::meter::MeterFacts;
use super::reading::{DayRead, PEAKS, Value, is_spike};

/// A gap of at most so many minutes is filled along the line between its ends.
const INTERPOLATED_MINUTES_MAX: i64 = 120;
/// Weeks that are looked back for the same weekday.
const WEEKS_BACK: i64 = 4;
/// Days that are looked back for any day.
const DAYS_BACK: i64 = 6;

/// How the energy of an interval is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The meter measured it.
    Metered,
    /// The sender estimated it.
    SuppliedEstimate,
    /// On the line between the ends of a short gap.
    Interpolated,
    /// The mean of intervals as far into earlier days.
    LikeDays,
    /// The load that the meter assumes.
    Assumed,
}

/// An interval as it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageInterval {
    /// Its start.
    pub start: Instant,
    /// Its energy, Wh.
    pub energy_wh: i64,
    /// How that is known.
    pub basis: Basis,
}

/// A day of a meter, as far as its intervals are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDay {
    /// The day, in the meter's zone.
    pub date: CivilDate,
    /// Of all intervals that are due, Wh.
    pub energy_wh: i64,
    /// What no meter measured of it, Wh.
    pub estimated_wh: i64,
    /// Highest load, W.
    pub peak_w: i64,
    /// Start of the first interval with it.
    pub peak_time: Instant,
    /// Intervals that are due.
    pub interval_count: i32,
    /// With an estimate of the sender.
    pub supplied_count: i32,
    /// Without a reading.
    pub missing_count: i32,
    /// Whether somebody should look.
    pub spike: bool,
    /// Each interval, if asked for.
    pub intervals: Vec<UsageInterval>,
}

/// A day and the intervals of it that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The day.
    pub date: CivilDate,
    /// Start of the first interval that is due.
    pub first: Instant,
    /// How many are.
    pub count: i32,
}

/// The days of `range` on which intervals are due at `now`: those that begin on the day, after the meter was
/// installed, and have ended. An interval that reaches over midnight belongs to the day on which it begins.
#[must_use]
pub fn spans(facts: &MeterFacts, range: DateRange, now: Instant) -> Vec<Span> {
    let (length, installed) = (facts.interval, facts.installed_at());
    let days = range.start().iter_days().take_while(|day| *day < range.end());
    days.filter_map(|date| {
        let begin = facts.zone.start_of_day(date).max(installed);
        let end = facts.zone.start_of_day(date.succ_opt()?);
        let first = length.first_from(begin);
        // The first that is not due: it begins on the next day, or has not ended.
        let until = end.min(now - length.delta() + chrono::TimeDelta::microseconds(1));
        let past = length.first_from(until.max(first));
        let count = (past - first).num_seconds() / length.seconds();
        let count = i32::try_from(count).ok().filter(|count| *count > 0)?;
        Some(Span { date, first, count })
    })
    .collect()
}

/// The readings by which the gaps of days are filled: those of the days, of four weeks before and of two hours after.
#[must_use]
pub fn needed(spans: &[Span]) -> Option<(Instant, Instant)> {
    let (first, last) = (spans.first()?, spans.last()?);
    let back = chrono::TimeDelta::days(7 * WEEKS_BACK + 1);
    Some((first.first - back, last.first + chrono::TimeDelta::days(2)))
}

/// Every interval of a day that is due. `readings` holds what was read of it and of what [`needed`] says.
#[must_use]
pub fn intervals(facts: &MeterFacts, span: Span, readings: &BTreeMap<Instant, Value>) -> Vec<UsageInterval> {
    let starts = std::iter::successors(Some(span.first), |start| Some(*start + facts.interval.delta()));
    starts
        .take(usize::try_from(span.count).unwrap_or(0))
        .map(|start| {
            let (energy_wh, basis) = match readings.get(&start) {
                Some(value) if value.estimated => (value.energy_wh, Basis::SuppliedEstimate),
                Some(value) => (value.energy_wh, Basis::Metered),
                None => estimate(facts, span.date, start, readings),
            };
            UsageInterval { start, energy_wh, basis }
        })
        .collect()
}

fn estimate(
    facts: &MeterFacts,
    date: CivilDate,
    start: Instant,
    readings: &BTreeMap<Instant, Value>,
) -> (i64, Basis) {
    if let Some(energy) = interpolated(facts, start, readings) {
        return (energy, Basis::Interpolated);
    }
    match like_days(facts, date, start, readings) {
        Some(energy) => (energy, Basis::LikeDays),
        None => (facts.assumed_wh(), Basis::Assumed),
    }
}

fn interpolated(facts: &MeterFacts, start: Instant, readings: &BTreeMap<Instant, Value>) -> Option<i64> {
    let (before, left) = readings.range(..start).next_back()?;
    let (after, right) = readings.range(start..).next()?;
    let length_s = facts.interval.seconds();
    let steps = (*after - *before).num_seconds() / length_s;
    if (steps - 1) * length_s > INTERPOLATED_MINUTES_MAX * 60 {
        return None;
    }
    let step = (start - *before).num_seconds() / length_s;
    let rise = &Exact::from(right.energy_wh - left.energy_wh) * &Exact::ratio(step, steps)?;
    (&Exact::from(left.energy_wh) + &rise).rounded()
}

/// The mean of what was measured as far into earlier days: of the same weekday within four weeks, else of any day
/// within six days.
fn like_days(
    facts: &MeterFacts,
    date: CivilDate,
    start: Instant,
    readings: &BTreeMap<Instant, Value>,
) -> Option<i64> {
    let into_day = start - facts.zone.start_of_day(date);
    let mean = |days_back: &mut dyn Iterator<Item = i64>| {
        let alike = days_back.filter_map(|days| {
            let day = date.checked_sub_signed(chrono::TimeDelta::days(days))?;
            let begin = facts.interval.first_from(facts.zone.start_of_day(day) + into_day);
            readings.get(&begin).filter(|value| !value.estimated).map(|value| value.energy_wh)
        });
        let (sum, count) = alike.fold((0_i64, 0_i64), |(sum, count), energy| (sum + energy, count + 1));
        Exact::ratio(sum, count)?.rounded()
    };
    mean(&mut (1..=WEEKS_BACK).map(|week| 7 * week)).or_else(|| mean(&mut (1..=DAYS_BACK)))
}

/// A day of which every due interval was read, from its sums.
#[must_use]
pub fn whole_day(facts: &MeterFacts, span: Span, read: &DayRead) -> Option<UsageDay> {
    (read.reading_count == span.count).then(|| UsageDay {
        date: span.date,
        energy_wh: read.energy_wh,
        estimated_wh: read.estimated_wh,
        peak_w: facts.load_w(read.peaks_wh.first().copied().unwrap_or(0)),
        peak_time: read.peak_time,
        interval_count: span.count,
        supplied_count: read.estimated_count,
        missing_count: 0,
        spike: is_spike(&read.peaks_wh),
        intervals: Vec::new(),
    })
}

/// A day from its intervals. Its peak may be an estimate; only what was read can be a spike.
#[must_use]
pub fn filled_day(facts: &MeterFacts, span: Span, intervals: Vec<UsageInterval>) -> UsageDay {
    let count = |basis: &[Basis]| {
        let counted = intervals.iter().filter(|interval| basis.contains(&interval.basis)).count();
        i32::try_from(counted).unwrap_or(i32::MAX)
    };
    let mut read: Vec<i64> = intervals
        .iter()
        .filter(|interval| matches!(interval.basis, Basis::Metered | Basis::SuppliedEstimate))
        .map(|interval| interval.energy_wh)
        .collect();
    read.sort_by(|a, b| b.cmp(a));
    read.truncate(PEAKS);
    let sum = |wanted: &dyn Fn(&UsageInterval) -> bool| {
        intervals.iter().filter(|i| wanted(i)).map(|interval| interval.energy_wh).sum()
    };
    // Of equals the first: later ones must be higher.
    let peak = intervals.iter().copied().reduce(|a, b| if b.energy_wh > a.energy_wh { b } else { a });
    UsageDay {
        date: span.date,
        energy_wh: sum(&|_| true),
        estimated_wh: sum(&|interval| interval.basis != Basis::Metered),
        peak_w: facts.load_w(peak.map_or(0, |peak| peak.energy_wh)),
        peak_time: peak.map_or(span.first, |peak| peak.start),
        interval_count: span.count,
        supplied_count: count(&[Basis::SuppliedEstimate]),
        missing_count: count(&[Basis::Interpolated, Basis::LikeDays, Basis::Assumed]),
        spike: is_spike(&read),
        intervals,
    }
}

#[cfg(test)]
mod tests;
