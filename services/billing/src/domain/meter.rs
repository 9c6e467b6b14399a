//! Meters: registers that give one reading of energy for every interval.

use kernel::{BlockSlug, CivilDate, Exact, Instant, MeterId, OperatorId, SiteId, TenantId, Zone};
use serde::{Serialize, Serializer};

use super::words::names;

/// What a meter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterKind {
    /// The IT load of a whole block.
    Block,
    /// The IT load of one tenant in a block.
    Tenant,
    /// Everything the site takes from the grid.
    Utility,
}

names!(MeterKind { Block => "BLOCK", Tenant => "TENANT", Utility => "UTILITY" });

impl Serialize for MeterKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How long a meter's intervals are: minutes that divide the hour, so that a load is a whole number of watts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IntervalLength(u8);

impl IntervalLength {
    /// So many minutes; `None` unless they divide the hour.
    #[must_use]
    pub fn of_minutes(minutes: i32) -> Option<Self> {
        let minutes = u8::try_from(minutes).ok().filter(|minutes| *minutes > 0 && 60 % *minutes == 0)?;
        Some(Self(minutes))
    }

    /// The minutes.
    #[must_use]
    pub fn minutes(self) -> i32 {
        self.0.into()
    }

    /// How many make an hour.
    #[must_use]
    pub fn per_hour(self) -> i64 {
        i64::from(60 / self.0)
    }

    /// The seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::from(self.0) * 60
    }

    /// The interval as a span of time.
    #[must_use]
    pub fn delta(self) -> chrono::TimeDelta {
        chrono::TimeDelta::seconds(self.seconds())
    }

    /// Whether an interval begins at this instant.
    #[must_use]
    pub fn begins_at(self, instant: Instant) -> bool {
        instant.timestamp_subsec_nanos() == 0 && instant.timestamp() % self.seconds() == 0
    }

    /// The start of the first interval that begins at this instant or later.
    #[must_use]
    pub fn first_from(self, instant: Instant) -> Instant {
        let late = instant.timestamp_subsec_nanos() > 0 || instant.timestamp() % self.seconds() != 0;
        let whole = instant.timestamp().div_euclid(self.seconds()) + i64::from(late);
        chrono::DateTime::from_timestamp(whole * self.seconds(), 0).unwrap_or(instant)
    }
}

/// A meter. What it measures and how never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: MeterId,
    /// What it is and how it measures.
    pub facts: MeterFacts,
    /// How far it has been read.
    pub progress: Progress,
    /// When it was created.
    pub create_time: Instant,
}

/// What is told of a meter when it is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeterFacts {
    /// What people call it.
    pub display_name: String,
    /// What it measures.
    pub kind: MeterKind,
    /// The site it stands on.
    pub site: SiteId,
    /// The block it measures; none for what the utility measures.
    pub block: Option<BlockSlug>,
    /// The tenant whose load it measures, and who may see it.
    pub tenant: Option<TenantId>,
    /// In which its days are counted.
    pub zone: Zone,
    /// How long its intervals are.
    pub interval: IntervalLength,
    /// The largest load it can measure, kW.
    pub max_kw: i64,
    /// The load assumed where nothing is known, kW.
    pub assumed_kw: i64,
    /// The first day it measures.
    pub install_date: CivilDate,
}

/// How far a meter has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// Start of the latest interval with a reading; there is none above it.
    pub last_start: Option<Instant>,
    /// Batches that kept something.
    pub batch_count: i64,
}

impl MeterFacts {
    /// The average load of an interval, W.
    #[must_use]
    pub fn load_w(&self, energy_wh: i64) -> i64 {
        energy_wh.saturating_mul(self.interval.per_hour())
    }

    /// The most energy that an interval can hold, Wh.
    #[must_use]
    pub fn max_wh(&self) -> i64 {
        self.max_kw.saturating_mul(1_000) / self.interval.per_hour()
    }

    /// The energy of an interval at the assumed load, Wh.
    #[must_use]
    pub fn assumed_wh(&self) -> i64 {
        let energy = Exact::ratio(self.assumed_kw.saturating_mul(1_000), self.interval.per_hour());
        energy.and_then(|energy| energy.rounded()).unwrap_or(0)
    }

    /// The first instant from which readings are expected.
    #[must_use]
    pub fn installed_at(&self) -> Instant {
        self.zone.start_of_day(self.install_date)
    }
}

/// Which meters to list.
#[derive(Clone, Debug, Default)]
pub struct MeterFilter {
    /// Of this site: its operator and id.
    pub site: Option<(OperatorId, SiteId)>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::meter_facts;

    #[test]
    fn an_interval_divides_the_hour() {
        for minutes in [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] {
            assert!(IntervalLength::of_minutes(minutes).is_some(), "{minutes}");
        }
        for minutes in [-15, 0, 7, 8, 25, 45, 61, 120, 271] {
            assert!(IntervalLength::of_minutes(minutes).is_none(), "{minutes}");
        }
    }

    #[test]
    fn intervals_begin_at_multiples_since_the_epoch() {
        let quarter = IntervalLength::of_minutes(15).expect("a length");
        let at = |text: &str| text.parse::<Instant>().expect("an instant");
        assert!(quarter.begins_at(at("2026-03-08T07:45:00Z")));
        assert!(!quarter.begins_at(at("2026-03-08T07:46:00Z")));
        assert!(!quarter.begins_at(at("2026-03-08T07:45:00.000001Z")));
        assert_eq!(quarter.first_from(at("2026-03-08T07:45:00.000001Z")), at("2026-03-08T08:00:00Z"));
        assert_eq!(quarter.first_from(at("2026-03-08T07:45:00Z")), at("2026-03-08T07:45:00Z"));
    }

    #[test]
    fn b07_a_load_is_the_energy_times_the_intervals_of_an_hour() {
        let facts = meter_facts("America/Chicago", 15);
        assert_eq!(facts.load_w(9_750_000), 39_000_000);
        assert_eq!(facts.max_wh(), 12_500_000);
    }
}
