//! Time zones: where civil dates and instants meet.

use std::fmt;
use std::str::FromStr;

use chrono::{MappedLocalTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::{CivilDate, Instant, TimeError};
use crate::id::serde_as_text;

/// An IANA time zone, from the zone database in the binary: the same on every replica whatever the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The first instant of a civil date here. Days have 23, 24 or 25 hours; where clocks skip midnight the day begins
    /// at the first instant after the gap, and where midnight comes twice it begins at the first.
    pub fn start_of_day(self, date: CivilDate) -> Instant {
        let midnight = date.and_time(NaiveTime::MIN);
        match self.0.from_local_datetime(&midnight) {
            MappedLocalTime::Single(at) => at.to_utc(),
            MappedLocalTime::Ambiguous(first, second) => first.min(second).to_utc(),
            MappedLocalTime::None => self.end_of_gap(midnight),
        }
    }

    /// The civil date on which an instant falls here: the day whose start is the last not after it. Dates never go back
    /// as instants go on, not even where a clock set back just after midnight would make them.
    pub fn date_of(self, instant: Instant) -> CivilDate {
        let date = self.local(instant).date();
        match date.succ_opt() {
            Some(next) if self.start_of_day(next) <= instant => next,
            _ => date,
        }
    }

    /// What clocks show here.
    pub fn local(self, instant: Instant) -> NaiveDateTime {
        instant.with_timezone(&self.0).naive_local()
    }

    /// The first instant whose local time is at or after `midnight`, which the local clock skips.
    fn end_of_gap(self, midnight: NaiveDateTime) -> Instant {
        // No zone is further than 16 hours from UTC, so the answer lies within 24 hours of it.
        let (mut before, mut after) = (-24 * 3_600_i64, 24 * 3_600_i64);
        let at = |seconds| midnight.and_utc() + TimeDelta::seconds(seconds);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if self.local(at(middle)) >= midnight {
                after = middle;
            } else {
                before = middle;
            }
        }
        at(after)
    }
}

impl FromStr for Zone {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse().map(Self).map_err(|_| TimeError::UnknownZone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

serde_as_text!(Zone);
