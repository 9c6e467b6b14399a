//! What a meter measured, as reckonings need it.

use std::collections::BTreeMap;

use kernel::{Instant, MeterId, Zone};

use super::rating::Metered;
use super::reckoning::Evidence;
use super::usage::{Basis, UsageDay};

/// What a meter measured over some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The meter.
    pub meter: MeterId,
    /// The last batch that counted.
    pub batch: i64,
    /// The days, with intervals where those were asked for.
    pub days: Vec<UsageDay>,
}

impl Measured {
    /// The sums that are kept.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence {
            meter: self.meter.clone(),
            batch: self.batch,
            energy_wh: self.days.iter().map(|day| day.energy_wh).sum(),
            estimated_wh: self.days.iter().map(|day| day.estimated_wh).sum(),
            missing_count: self.days.iter().map(|day| i64::from(day.missing_count)).sum(),
            peak_w: self.days.iter().map(|day| day.peak_w).max().unwrap_or(0),
        }
    }

    /// Its energy as it is rated: by interval, or by day where no price changes within a day.
    #[must_use]
    pub fn metered(&self, zone: Zone) -> Vec<Metered> {
        let metered = |start, energy_wh| Metered { start, energy_wh, index_per_kwh: None };
        self.days
            .iter()
            .flat_map(|day| {
                let whole =
                    day.intervals.is_empty().then(|| metered(zone.start_of_day(day.date), day.energy_wh));
                let parts =
                    day.intervals.iter().map(move |interval| metered(interval.start, interval.energy_wh));
                whole.into_iter().chain(parts)
            })
            .collect()
    }

    /// Its energy in the interval that begins at some time; nothing where there is none, Wh.
    #[must_use]
    pub fn energy_at(&self, start: Option<Instant>) -> i64 {
        self.loads().find(|(begin, _)| Some(*begin) == start).map_or(0, |load| load.1)
    }

    /// Its intervals: when each begins, and its energy, Wh.
    fn loads(&self) -> impl Iterator<Item = (Instant, i64)> {
        self.days.iter().flat_map(|day| &day.intervals).map(|interval| (interval.start, interval.energy_wh))
    }

    /// Whether a part of these days was estimated.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        let estimated = |day: &UsageDay| {
            day.missing_count + day.supplied_count > 0
                || day.intervals.iter().any(|interval| interval.basis != Basis::Metered)
        };
        self.days.iter().any(estimated)
    }
}

/// Start of the first interval in which all of these took most together.
#[must_use]
pub fn peak_time(all: &[Measured]) -> Option<Instant> {
    let mut together: BTreeMap<Instant, i64> = BTreeMap::new();
    for (start, energy_wh) in all.iter().flat_map(Measured::loads) {
        *together.entry(start).or_default() += energy_wh;
    }
    together.into_iter().reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(start, _)| start)
}
