//! Phases: what gives a block capacity, from a date on. A phase is a tranche of gross power through its life.

use kernel::{
    CapacityVector, CivilDate, Error, GrossKw, GrossPerIt, Instant, Interval, ItKw, PhaseName, Reason,
    Violations, Zone,
};
use serde::{Deserialize, Serialize};

use super::conversion::{Conversion, InterimUse, Stretch};
use super::site::words;
use super::use_state::UseState;

words! {
    /// How gross power is known.
    GrossBasis {
        /// Stated by the operator.
        Stated = "STATED",
        /// Critical IT load times the site's ratio, rounded up.
        Assumed = "ASSUMED",
    }
}

words! {
    /// How critical IT load is known.
    ItBasis {
        /// Stated by the operator.
        Stated = "STATED",
        /// Gross power over the site's ratio, rounded down.
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
    /// What it adds while in service; without critical IT load, that is to be assumed.
    pub capacity: CapacityVector,
    /// Gross power it draws, kW; none = to be assumed.
    pub gross_kw: Option<i64>,
    /// First day in service, in the site's zone.
    pub ready_for_service: CivilDate,
    /// How that date is known.
    pub date_basis: DateBasis,
    /// First day no longer in service.
    pub end: Option<CivilDate>,
    /// What it is before.
    pub conversion: Conversion,
}

/// What was said of a ready-for-service date at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyDate {
    /// First day in service.
    pub date: CivilDate,
    /// How it was known.
    pub basis: DateBasis,
    /// When it was said.
    pub recorded_at: Instant,
    /// Why it changed; empty for the first.
    pub reason: String,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name.
    pub name: PhaseName,
    /// What it adds while in service.
    pub capacity: CapacityVector,
    /// How its critical IT load is known.
    pub it_basis: ItBasis,
    /// Gross power it draws, kW.
    pub gross_kw: i64,
    /// How that is known.
    pub gross_basis: GrossBasis,
    /// What it is used for today.
    pub use_state: UseState,
    /// What it is before it is in service.
    pub conversion: Conversion,
    /// First day in service, in the site's zone.
    pub ready_for_service: CivilDate,
    /// How that date is known.
    pub date_basis: DateBasis,
    /// Everything that was said of that date, the baseline first. Never empty.
    pub ready_dates: Vec<ReadyDate>,
    /// First day no longer in service.
    pub end: Option<CivilDate>,
    /// Why it was cancelled; empty if it was not.
    pub cancel_reason: String,
    /// Raised by every change.
    pub revision: i64,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

struct Power {
    capacity: CapacityVector,
    it_basis: ItBasis,
    gross_kw: i64,
    gross_basis: GrossBasis,
}

impl PhaseDraft {
    /// Refuses figures and dates that contradict each other, all of them at once.
    ///
    /// # Errors
    /// `INVALID_FIELD`.
    pub fn check(&self) -> Result<(), Error> {
        let mut v = Violations::new();
        v.nested("phase", |v| self.contradictions(v));
        v.finish()
    }

    fn contradictions(&self, v: &mut Violations) {
        let (it, gross) = (self.capacity.critical_it, self.gross_kw);
        v.require(
            "capacity.critical_it_kw",
            it > 0 || gross.is_some(),
            "must be positive unless gross_kw is given",
        );
        v.require("gross_kw", gross.is_none_or(|gross| gross >= it), "must be at least critical_it_kw");
        let ready = self.ready_for_service;
        let ends_later = self.end.is_none_or(|end| ready < end);
        v.require("end_date", ends_later, "must be later than ready_for_service_date");
        let Conversion { interim_use, interim_gross_kw, interim_start, start, .. } = self.conversion;
        v.require(
            "conversion_start_date",
            start.is_none_or(|start| start < ready),
            "must be earlier than ready_for_service_date",
        );
        let draws = interim_gross_kw > 0;
        v.require(
            "interim_gross_kw",
            draws == (interim_use != InterimUse::None),
            "must be above 0 if and only if interim_use is given",
        );
        v.require(
            "interim_start_date",
            interim_start.is_none_or(|from| draws && from < start.unwrap_or(ready)),
            "must go with an interim_use and be earlier than its end",
        );
    }

    /// The phase, what is not stated assumed, the interim use beginning today where nobody says when it did.
    ///
    /// # Errors
    /// `INVALID_FIELD` where figures or dates contradict each other.
    pub fn settle(self, ratio: GrossPerIt, today: CivilDate, now: Instant) -> Result<Phase, Error> {
        self.check()?;
        let power = self.power(ratio)?;
        let conversion = self.conversion_from(today)?;
        let (date, basis) = (self.ready_for_service, self.date_basis);
        let use_state = match (basis, conversion.interim_use) {
            (DateBasis::Actual, _) => UseState::Ready,
            (_, InterimUse::Mining) => UseState::Mining,
            (_, InterimUse::Hosting) => UseState::Hosting,
            (_, InterimUse::Idle) => UseState::Idle,
            (_, InterimUse::None) => UseState::Planned,
        };
        Ok(Phase {
            name: self.name,
            capacity: power.capacity,
            it_basis: power.it_basis,
            gross_kw: power.gross_kw,
            gross_basis: power.gross_basis,
            use_state,
            conversion,
            ready_for_service: date,
            date_basis: basis,
            ready_dates: vec![ReadyDate { date, basis, recorded_at: now, reason: String::new() }],
            end: self.end,
            cancel_reason: String::new(),
            revision: 1,
            created_at: now,
            updated_at: now,
        })
    }

    fn power(&self, ratio: GrossPerIt) -> Result<Power, Error> {
        let too_large = || Error::invalid_field("phase.capacity", "is too large");
        let stated_it = ItKw::new(self.capacity.critical_it).filter(|it| it.get() > 0);
        match (stated_it, self.gross_kw) {
            (Some(_), Some(gross_kw)) => Ok(Power {
                capacity: self.capacity,
                it_basis: ItBasis::Stated,
                gross_kw,
                gross_basis: GrossBasis::Stated,
            }),
            (Some(it), None) => Ok(Power {
                capacity: self.capacity,
                it_basis: ItBasis::Stated,
                gross_kw: ratio.gross(it).ok_or_else(too_large)?.get(),
                gross_basis: GrossBasis::Assumed,
            }),
            (None, gross) => {
                let gross = gross.and_then(GrossKw::new).ok_or_else(too_large)?;
                let critical_it = ratio.it(gross).get();
                if critical_it == 0 {
                    return Err(Error::invalid_field("phase.gross_kw", "carries no critical IT load"));
                }
                Ok(Power {
                    capacity: CapacityVector { critical_it, ..self.capacity },
                    it_basis: ItBasis::Assumed,
                    gross_kw: gross.get(),
                    gross_basis: GrossBasis::Stated,
                })
            }
        }
    }

    fn conversion_from(&self, today: CivilDate) -> Result<Conversion, Error> {
        let conversion = self.conversion;
        if conversion.interim_use == InterimUse::None || conversion.interim_start.is_some() {
            return Ok(conversion);
        }
        if today < conversion.start.unwrap_or(self.ready_for_service) {
            return Ok(Conversion { interim_start: Some(today), ..conversion });
        }
        Err(Error::invalid_field("phase.interim_start_date", "is required where the interim use has ended"))
    }
}

impl Phase {
    /// What was said of it, without what was assumed.
    pub fn draft(&self) -> PhaseDraft {
        let critical_it = match self.it_basis {
            ItBasis::Stated => self.capacity.critical_it,
            ItBasis::Assumed => 0,
        };
        PhaseDraft {
            name: self.name.clone(),
            capacity: CapacityVector { critical_it, ..self.capacity },
            gross_kw: (self.gross_basis == GrossBasis::Stated).then_some(self.gross_kw),
            ready_for_service: self.ready_for_service,
            date_basis: self.date_basis,
            end: self.end,
            conversion: self.conversion,
        }
    }

    /// The same phase with another draft: figures, conversion and end; its state and its date's history stay.
    ///
    /// # Errors
    /// `INVALID_FIELD` where figures or dates contradict each other.
    pub fn redrafted(self, draft: &PhaseDraft, ratio: GrossPerIt, today: CivilDate) -> Result<Self, Error> {
        draft.check()?;
        let (power, conversion) = (draft.power(ratio)?, draft.conversion_from(today)?);
        Ok(Self {
            capacity: power.capacity,
            it_basis: power.it_basis,
            gross_kw: power.gross_kw,
            gross_basis: power.gross_basis,
            conversion,
            end: draft.end,
            ..self
        })
    }

    /// The instants at which it is in service, in the site's zone. They are derived once and frozen in the store.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` where a date has no instant the product knows.
    pub fn interval(&self, zone: Zone) -> Result<Interval, Error> {
        let end = self.end.map_or_else(kernel::time::max_instant, |date| zone.start_of_day(date));
        Interval::new(zone.start_of_day(self.ready_for_service), end).map_err(|_| {
            Error::refused(Reason::TermOutOfRange, "The phase lies beyond the years 2000 to 9999.")
        })
    }

    /// The gross power of its life; a cancelled phase has none.
    pub fn life(&self) -> Vec<Stretch> {
        if self.use_state == UseState::Cancelled {
            return Vec::new();
        }
        self.conversion.life(self.ready_for_service, self.end, self.gross_kw)
    }

    /// The day it was first said to be ready.
    pub fn baseline(&self) -> CivilDate {
        self.ready_dates.first().map_or(self.ready_for_service, |first| first.date)
    }

    /// The last day that was forecast or assumed.
    pub fn forecast(&self) -> Option<CivilDate> {
        let said = self.ready_dates.iter().rev().find(|said| said.basis != DateBasis::Actual);
        said.map(|said| said.date)
    }

    /// The day on which it was ready.
    pub fn actual(&self) -> Option<CivilDate> {
        (self.date_basis == DateBasis::Actual).then_some(self.ready_for_service)
    }
}

#[cfg(test)]
#[path = "phase_tests.rs"]
mod tests;
