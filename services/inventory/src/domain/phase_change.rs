//! What may happen to a phase after it was created: its figures change, it is used for something else, it slips, or
//! it is given up.

use kernel::{CapacityVector, CivilDate, Error, GrossPerIt, Instant, Reason};
use serde::Serialize;

use super::conversion::InterimUse;
use super::phase::{DateBasis, Phase, PhaseDraft, ReadyDate};
use super::use_state::UseState;

/// The fields to change; those that are absent stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PhasePatch {
    /// What it adds; without critical IT load, that is to be assumed.
    pub capacity: Option<CapacityVector>,
    /// Gross power; `Some(None)` asks to assume it.
    pub gross_kw: Option<Option<i64>>,
    /// First day no longer in service; `Some(None)` is open-ended.
    pub end: Option<Option<CivilDate>>,
    /// Interim use.
    pub interim_use: Option<InterimUse>,
    /// What that draws.
    pub interim_gross_kw: Option<i64>,
    /// First day of it; `Some(None)` is the day on which it is said.
    pub interim_start: Option<Option<CivilDate>>,
    /// First day of the conversion; `Some(None)` is none.
    pub conversion_start: Option<Option<CivilDate>>,
    /// Days of notice.
    pub wind_down_notice_days: Option<i32>,
}

/// What happens to a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Deed {
    /// Its figures change.
    Update(PhasePatch),
    /// It is used for something else since a day; none = today.
    Advance(UseState, Option<CivilDate>),
    /// It is in service from another day on.
    Slip {
        /// That day.
        ready: CivilDate,
        /// How it is known.
        basis: DateBasis,
        /// Why it moves.
        reason: String,
    },
    /// It is given up, and why.
    Cancel(String),
}

impl PhasePatch {
    fn apply(self, draft: PhaseDraft, assumed_it: i64) -> PhaseDraft {
        let mut capacity = self.capacity.unwrap_or(draft.capacity);
        let gross_kw = self.gross_kw.unwrap_or(draft.gross_kw);
        if gross_kw.is_none() && self.capacity.is_none() && capacity.critical_it == 0 {
            // Both cannot be assumed: what one of them was assumed to be is said now.
            capacity.critical_it = assumed_it;
        }
        let mut conversion = draft.conversion;
        conversion.interim_use = self.interim_use.unwrap_or(conversion.interim_use);
        conversion.interim_gross_kw = self.interim_gross_kw.unwrap_or(conversion.interim_gross_kw);
        conversion.interim_start = self.interim_start.unwrap_or(conversion.interim_start);
        if conversion.interim_use == InterimUse::None && self.interim_start.is_none() {
            conversion.interim_start = None;
        }
        conversion.start = self.conversion_start.unwrap_or(conversion.start);
        conversion.wind_down_notice_days =
            self.wind_down_notice_days.unwrap_or(conversion.wind_down_notice_days);
        PhaseDraft { capacity, gross_kw, end: self.end.unwrap_or(draft.end), conversion, ..draft }
    }
}

impl Phase {
    /// The phase after a deed, at the site's ratio of gross power to IT load, on its civil day `today`.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`, `INVALID_FIELD`.
    pub fn after(
        &self,
        deed: &Deed,
        ratio: GrossPerIt,
        today: CivilDate,
        now: Instant,
    ) -> Result<Self, Error> {
        let next = Self { revision: self.revision + 1, updated_at: now, ..self.clone() };
        match deed {
            Deed::Update(patch) => {
                self.open_to_change()?;
                let draft = patch.apply(self.draft(), self.capacity.critical_it);
                next.redrafted(&draft, ratio, today)
            }
            Deed::Advance(state, since) => next.advanced(*state, since.unwrap_or(today), today, now),
            Deed::Slip { ready, basis, reason } => {
                self.open_to_change()?;
                if self.use_state == UseState::Ready {
                    return Err(closed(self.use_state));
                }
                let said =
                    ReadyDate { date: *ready, basis: *basis, recorded_at: now, reason: reason.clone() };
                next.ready(said)
            }
            Deed::Cancel(reason) => {
                let use_state = self.use_state.become_next(UseState::Cancelled)?;
                Ok(Self { use_state, cancel_reason: reason.clone(), ..next })
            }
        }
    }

    fn open_to_change(&self) -> Result<(), Error> {
        if UseState::FINAL.contains(&self.use_state) { Err(closed(self.use_state)) } else { Ok(()) }
    }

    fn advanced(
        mut self,
        state: UseState,
        since: CivilDate,
        today: CivilDate,
        now: Instant,
    ) -> Result<Self, Error> {
        self.use_state = self.use_state.become_next(state)?;
        if since > today {
            return Err(Error::invalid_field("date", "must not lie in the future"));
        }
        match state {
            UseState::Converting if self.conversion.start != Some(since) => {
                self.conversion.start = Some(since);
                if self.conversion.interim_start.is_some_and(|from| from >= since) {
                    return Err(Error::invalid_field("date", "must be later than interim_start_date"));
                }
                if since >= self.ready_for_service {
                    let rule = "must be earlier than ready_for_service_date, which may slip first";
                    return Err(Error::invalid_field("date", rule));
                }
                Ok(self)
            }
            UseState::Ready => {
                let reason = String::new();
                self.ready(ReadyDate { date: since, basis: DateBasis::Actual, recorded_at: now, reason })
            }
            UseState::Retired => {
                if since <= self.ready_for_service {
                    return Err(Error::invalid_field("date", "must be later than ready_for_service_date"));
                }
                self.end = Some(self.end.map_or(since, |end| end.min(since)));
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// The same phase, in service from another day on.
    fn ready(mut self, said: ReadyDate) -> Result<Self, Error> {
        let field = if said.basis == DateBasis::Actual { "date" } else { "ready_for_service_date" };
        let before = self.conversion.start.or(self.conversion.interim_start);
        if before.is_some_and(|before| before >= said.date) {
            let rule = "must be later than conversion_start_date and interim_start_date";
            return Err(Error::invalid_field(field, rule));
        }
        if self.end.is_some_and(|end| end <= said.date) {
            return Err(Error::invalid_field(field, "must be earlier than end_date"));
        }
        self.ready_for_service = said.date;
        self.date_basis = said.basis;
        self.ready_dates.push(said);
        Ok(self)
    }
}

fn closed(state: UseState) -> Error {
    Error::refused(Reason::InvalidStateTransition, format!("A phase that is {state} cannot be changed so."))
        .with("from", state)
        .with("to", state)
}
