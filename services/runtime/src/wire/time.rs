//! Instants, civil dates, durations and profiles.

use std::time::Duration;

use chrono::Datelike as _;
use contracts::common::v1 as common;
use contracts::google::r#type as google;
use kernel::{CapacityVector, CivilDate, DateRange, Instant, Interval, StepFunction, Violations, YearMonth};
use prost_types::Timestamp;

use super::number::{capacity, to_capacity};

const PROFILE_STEPS_MAX: usize = 1_000;

/// Reads an instant that must be there, within 2000 to 9999, cut to the microsecond.
pub fn instant(v: &mut Violations, field: &str, timestamp: Option<&Timestamp>) -> Option<Instant> {
    let timestamp = v.present(field, timestamp)?;
    let nanos = u32::try_from(timestamp.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    let read = nanos.and_then(|nanos| Instant::from_timestamp(timestamp.seconds, nanos));
    let Some(read) = read else {
        v.add(field, "must be a valid timestamp");
        return None;
    };
    v.take(field, kernel::time::normalise_instant(read))
}

/// Reads an instant that may be left out.
pub fn optional_instant(
    v: &mut Violations,
    field: &str,
    timestamp: Option<&Timestamp>,
) -> Option<Option<Instant>> {
    match timestamp {
        None => Some(None),
        some => instant(v, field, some).map(Some),
    }
}

/// Writes an instant.
pub fn to_timestamp(instant: Instant) -> Timestamp {
    let nanos = i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or(0);
    Timestamp { seconds: instant.timestamp(), nanos }
}

/// Reads a civil date that must be there: a day of the calendar within 2000 to 9999.
pub fn date(v: &mut Violations, field: &str, date: Option<&google::Date>) -> Option<CivilDate> {
    let date = v.present(field, date)?;
    let month = u32::try_from(date.month).unwrap_or(0);
    let day = u32::try_from(date.day).unwrap_or(0);
    let known = (kernel::time::YEAR_MIN..=kernel::time::YEAR_MAX).contains(&date.year);
    let read = CivilDate::from_ymd_opt(date.year, month, day).filter(|_| known);
    if read.is_none() {
        v.add(field, "must be a day of the calendar between the years 2000 and 9999");
    }
    read
}

/// Reads a civil date that may be left out.
pub fn optional_date(
    v: &mut Violations,
    field: &str,
    value: Option<&google::Date>,
) -> Option<Option<CivilDate>> {
    match value {
        None => Some(None),
        some => date(v, field, some).map(Some),
    }
}

/// Reads a half-open range of civil dates from two fields.
pub fn date_range(
    v: &mut Violations,
    (start_field, start): (&str, Option<&google::Date>),
    (end_field, end): (&str, Option<&google::Date>),
) -> Option<DateRange> {
    let start = date(v, start_field, start);
    let end = date(v, end_field, end);
    let range = DateRange::new(start?, end?);
    v.take(end_field, range)
}

/// Writes a civil date.
pub fn to_date(date: CivilDate) -> google::Date {
    // Months and days are small; the conversions cannot fail.
    google::Date {
        year: date.year(),
        month: i32::try_from(date.month()).unwrap_or(0),
        day: i32::try_from(date.day()).unwrap_or(0),
    }
}

/// Reads a month of a year.
pub fn year_month(v: &mut Violations, field: &str, year: i32, month: i32) -> Option<YearMonth> {
    v.take(field, YearMonth::new(year, u32::try_from(month).unwrap_or(0)))
}

/// Reads a duration that must be there and lie between two bounds.
pub fn duration(
    v: &mut Violations,
    field: &str,
    duration: Option<&prost_types::Duration>,
    bounds: std::ops::RangeInclusive<Duration>,
) -> Option<Duration> {
    let duration = v.present(field, duration)?;
    let seconds = u64::try_from(duration.seconds).ok();
    let nanos = u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    let read = seconds.zip(nanos).map(|(seconds, nanos)| Duration::new(seconds, nanos));
    let read = read.filter(|read| bounds.contains(read));
    if read.is_none() {
        let (from, to) = (bounds.start().as_secs(), bounds.end().as_secs());
        v.add(field, format!("must be from {from} to {to} seconds"));
    }
    read
}

/// Writes a duration.
pub fn to_duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

/// Reads a profile that must be there: 1 to 1,000 rising steps and an end after the last.
pub fn profile(
    v: &mut Violations,
    field: &str,
    profile: Option<&common::CapacityProfile>,
) -> Option<(Interval, Vec<(Instant, CapacityVector)>)> {
    let profile = v.present(field, profile)?;
    v.nested(field, |v| {
        let count = profile.steps.len();
        if !v.require("steps", (1..=PROFILE_STEPS_MAX).contains(&count), "must be 1 to 1000 steps") {
            return None;
        }
        let steps = v.each("steps", &profile.steps, |v, step| {
            let start = instant(v, "start_time", step.start_time.as_ref());
            let capacity = capacity(v, "capacity", step.capacity.as_ref());
            Some((start?, capacity?))
        });
        let end = instant(v, "end_time", profile.end_time.as_ref());
        let steps = steps?;
        let rising = steps.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0));
        let rising = v.require("steps", rising, "must rise strictly by start_time");
        let (first, last) = (steps.first()?.0, steps.last()?.0);
        let end = end?;
        let after = v.require("end_time", end > last, "must be later than every step's start");
        if !(rising && after) {
            return None;
        }
        let interval = v.take("", Interval::new(first, end))?;
        Some((interval, steps))
    })
}

/// Writes a step function over an interval as a profile.
pub fn to_profile(over: Interval, function: &StepFunction<CapacityVector>) -> common::CapacityProfile {
    let steps = function
        .steps_in(over)
        .map(|(piece, capacity)| common::CapacityStep {
            start_time: Some(to_timestamp(piece.start())),
            capacity: Some(to_capacity(capacity)),
        })
        .collect();
    common::CapacityProfile { steps, end_time: Some(to_timestamp(over.end())) }
}
