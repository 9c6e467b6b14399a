//! Phases: what gives a block capacity, from a date on.

use kernel::{CapacityVector, CivilDate, Error, Instant, Interval, ItKw, PhaseName, Reason, Zone};
use serde::Serialize;

use super::site::words;

words! {
    /// How gross power is known.
    GrossBasis {
        /// Stated by the operator.
        Stated = "STATED",
        /// Critical IT load times 10/7, rounded up.
        Assumed = "ASSUMED",
    }
}

words! {
    /// How a date is known.
    DateBasis {
        /// It happened.
        Actual = "ACTUAL",
        /// The operator forecasts it.
        Forecast = "FORECAST",
        /// Nobody has said so.
        Assumed = "ASSUMED",
    }
}

words! {
    /// Whether the site's grid power could be checked.
    GridCheck {
        /// Within the contracted power at every instant.
        Within = "WITHIN",
        /// Contracted power is unknown for a part of the time.
        Unstated = "UNSTATED",
    }
}

/// What a caller says of a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseDraft {
    /// Its name.
    pub name: PhaseName,
    /// What it adds while in service.
    pub capacity: CapacityVector,
    /// Gross power it draws, kW; none = to be assumed.
    pub gross_kw: Option<i64>,
    /// First day in service, in the site's zone.
    pub ready_for_service: CivilDate,
    /// How that date is known.
    pub date_basis: DateBasis,
    /// First day no longer in service.
    pub end: Option<CivilDate>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name.
    pub name: PhaseName,
    /// What it adds while in service.
    pub capacity: CapacityVector,
    /// Gross power it draws, kW.
    pub gross_kw: i64,
    /// How that is known.
    pub gross_basis: GrossBasis,
    /// First day in service, in the site's zone.
    pub ready_for_service: CivilDate,
    /// How that date is known.
    pub date_basis: DateBasis,
    /// First day no longer in service.
    pub end: Option<CivilDate>,
    /// The same dates as instants, derived once and frozen.
    pub interval: Interval,
    /// When it was created.
    pub created_at: Instant,
}

impl PhaseDraft {
    /// The phase, its gross power assumed where it is not stated, its instants derived in the site's zone.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` where a date has no instant the product knows.
    pub fn settle(self, zone: Zone, now: Instant) -> Result<Phase, Error> {
        let out_of_range =
            |_| Error::refused(Reason::TermOutOfRange, "The phase lies beyond the years 2000 to 9999.");
        let end = self.end.map_or_else(kernel::time::max_instant, |date| zone.start_of_day(date));
        let interval = Interval::new(zone.start_of_day(self.ready_for_service), end).map_err(out_of_range)?;
        let assumed = ItKw::new(self.capacity.critical_it).and_then(ItKw::gross_assumed);
        let (gross_kw, gross_basis) = match (self.gross_kw, assumed) {
            (Some(stated), _) => (stated, GrossBasis::Stated),
            (None, Some(gross)) => (gross.get(), GrossBasis::Assumed),
            (None, None) => return Err(Error::invalid_field("phase.capacity", "is too large")),
        };
        Ok(Phase {
            name: self.name,
            capacity: self.capacity,
            gross_kw,
            gross_basis,
            ready_for_service: self.ready_for_service,
            date_basis: self.date_basis,
            end: self.end,
            interval,
            created_at: now,
        })
    }
}
