//! Instants and half-open intervals of them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{TimeError, YEAR_MAX, YEAR_MIN};

/// A point in time, UTC, kept to the microsecond as Postgres keeps it, from the year 2000 to the year 9999.
pub type Instant = DateTime<Utc>;

const MICROS_PER_SECOND: i64 = 1_000_000;

const fn midnight_utc(date: Option<NaiveDate>) -> Instant {
    match date {
        Some(date) => date.and_time(NaiveTime::MIN).and_utc(),
        None => DateTime::UNIX_EPOCH,
    }
}

const MIN_INSTANT: Instant = midnight_utc(NaiveDate::from_ymd_opt(YEAR_MIN, 1, 1));
const MAX_INSTANT: Instant = midnight_utc(NaiveDate::from_ymd_opt(YEAR_MAX, 12, 31));

/// The first instant the product knows: 2000-01-01T00:00Z.
pub const fn min_instant() -> Instant {
    MIN_INSTANT
}

/// The last instant the product knows: 9999-12-31T00:00Z.
pub const fn max_instant() -> Instant {
    MAX_INSTANT
}

/// Cuts an instant to the microsecond and refuses what lies outside the known years.
pub fn normalise_instant(instant: Instant) -> Result<Instant, TimeError> {
    instant_from_micros(instant.timestamp_micros())
}

/// The instant so many microseconds after 1970-01-01T00:00Z.
pub fn instant_from_micros(micros: i64) -> Result<Instant, TimeError> {
    // Euclidean, so that instants before 1970 are cut the same way; they are refused just below anyway.
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let rest = micros.rem_euclid(MICROS_PER_SECOND);
    let nanos = u32::try_from(rest * 1_000).map_err(|_| TimeError::OutOfRange)?;
    let instant = DateTime::from_timestamp(seconds, nanos).ok_or(TimeError::OutOfRange)?;
    if (MIN_INSTANT..=MAX_INSTANT).contains(&instant) { Ok(instant) } else { Err(TimeError::OutOfRange) }
}

/// A half-open interval of instants: `start` is in it, `end` is not. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawInterval")]
pub struct Interval {
    start: Instant,
    end: Instant,
}

#[derive(Deserialize)]
struct RawInterval {
    start: Instant,
    end: Instant,
}

impl TryFrom<RawInterval> for Interval {
    type Error = TimeError;

    fn try_from(raw: RawInterval) -> Result<Self, TimeError> {
        Self::new(raw.start, raw.end)
    }
}

impl Interval {
    /// The interval from `start` until just before `end`, both cut to the microsecond.
    pub fn new(start: Instant, end: Instant) -> Result<Self, TimeError> {
        let (start, end) = (normalise_instant(start)?, normalise_instant(end)?);
        if end <= start {
            return Err(TimeError::EndNotAfterStart);
        }
        Ok(Self { start, end })
    }

    /// An interval between two instants that already lie in known intervals; `None` if it would be empty.
    pub(crate) fn within(start: Instant, end: Instant) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first instant in it.
    pub const fn start(&self) -> Instant {
        self.start
    }

    /// The first instant after it.
    pub const fn end(&self) -> Instant {
        self.end
    }

    /// How long it lasts.
    pub fn duration(&self) -> chrono::TimeDelta {
        self.end - self.start
    }

    /// Whether the instant lies in it.
    pub fn contains(&self, instant: Instant) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether all of `other` lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share an instant; touching ends share none.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What the two share.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::within(self.start.max(other.start), self.end.min(other.end))
    }
}
