//! A tenant that stays beyond its term: until a day, at a multiple of the last rate, and on capacity that is taken for it first.

use kernel::time::add_months;
use kernel::{CivilDate, Error, Exact, Instant, Percent, RateStep, Violations};
use serde::{Deserialize, Serialize};

use super::contract::HoldoverTerms;
use super::lease::{Lease, Premises};
use super::life::{Actor, Happened};
use super::orders::refused;
use super::schedule::{self, too_large};
use super::state::{Deed, LeaseState, PremisesState, Step};

/// How long a tenant may stay at the most, in months after the term.
pub const HOLDOVER_MONTHS_MAX: i32 = 24;

/// That the tenant stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdover {
    /// First day beyond the term, of the block that ended last.
    pub from: CivilDate,
    /// First day on which the tenant is gone.
    pub until: CivilDate,
    /// Of the last rate.
    pub percent: Percent,
    /// The token's subject of who said so last.
    pub subject: String,
    /// When.
    pub time: Instant,
    /// What they said.
    pub note: String,
    /// The tenant has handed everything back, or will by then.
    pub vacated: bool,
}

impl Lease {
    /// The tenant stays until a day: whatever ends before it goes on.
    pub(super) fn begin_holdover(
        &mut self,
        until: CivilDate,
        note: &str,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.may_hold_over()?;
        let from = match &self.life.holdover {
            Some(before) => before.from,
            None => self.last_end(),
        };
        self.check_until(from, until, now)?;
        let terms = self.terms.contract.holdover.unwrap_or(HoldoverTerms::USUAL);
        // What ended before the last block did was left: an amendment gives more of it.
        let stays = |one: &&mut Premises| one.state.is_leased() && one.term_end() == from;
        for one in self.premises.iter_mut().filter(stays) {
            Self::step(one, Step::Stay);
            stay(one, until, terms.percent)?;
        }
        schedule::value(&self.terms, &self.premises)?;
        self.life.holdover = Some(Holdover {
            from,
            until,
            percent: terms.percent,
            subject: by.subject.clone(),
            time: now,
            note: note.to_owned(),
            vacated: false,
        });
        match self.state {
            LeaseState::Expired => {
                self.go(Deed::HoldOver, now)?;
                Ok(Happened::HeldOver)
            }
            _ => {
                self.go(Deed::Adjust, now)?;
                Ok(Happened::HoldoverAgreed)
            }
        }
    }

    fn may_hold_over(&self) -> Result<(), Error> {
        match self.state {
            LeaseState::Active | LeaseState::Holdover | LeaseState::Expired => {}
            state => return Err(refused(state, "Nobody can hold over what is not leased, or no more.")),
        }
        if let Some(end) = &self.life.termination {
            return Err(refused(self.state, format!("The lease is to end on {}.", end.end)));
        }
        if self.premises.iter().any(|one| one.state == PremisesState::Planned) {
            return Err(refused(self.state, "A block has not commenced yet."));
        }
        if self.open_nominations().next().is_some() {
            return Err(refused(self.state, "Blocks are to be named yet."));
        }
        match self.option_window() {
            Some(window) => {
                let problem =
                    "A renewal is left: it is exercised, or its window closes, before anybody holds over.";
                Err(refused(self.state, problem).with("lastDate", window.last))
            }
            None => Ok(()),
        }
    }

    fn check_until(&self, from: CivilDate, until: CivilDate, now: Instant) -> Result<(), Error> {
        let mut v = Violations::new();
        v.require(
            "until_date",
            self.start_of(until) > now,
            "must be later than today, where the first block lies",
        );
        let after = self.life.holdover.as_ref().map_or(from, |before| before.until);
        v.require("until_date", until > after, &format!("must be later than {after}"));
        let last = add_months(from, HOLDOVER_MONTHS_MAX);
        if let Some(last) = last.filter(|last| until > *last) {
            v.add(
                "until_date",
                format!("must be {last} or earlier, {HOLDOVER_MONTHS_MAX} months after the term"),
            );
        }
        v.finish()
    }

    /// The tenant has left, or leaves on a day.
    pub(super) fn end_holdover(
        &mut self,
        end: CivilDate,
        note: &str,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        let Some(before) = self.life.holdover.clone() else {
            return Err(refused(self.state, "Nobody holds over."));
        };
        if !matches!(self.state, LeaseState::Active | LeaseState::Holdover | LeaseState::Defaulted) {
            return Err(refused(self.state, "Nobody holds over any more."));
        }
        if end < before.from || end > before.until {
            let problem = format!("must be {} to {}", before.from, before.until);
            return Err(Error::invalid_field("end_date", problem));
        }
        for one in self.premises.iter_mut().filter(|one| one.state == PremisesState::Commenced) {
            if one.standing.held_over_from.is_some() {
                leave(one, end);
            }
        }
        self.life.holdover = Some(Holdover {
            until: end,
            subject: by.subject.clone(),
            time: now,
            note: note.to_owned(),
            vacated: true,
            ..before
        });
        self.go(Deed::Adjust, now)?;
        Ok(Happened::HoldoverEnded)
    }

    /// The first day of holding over, while it is to come.
    pub(super) fn holds_over_from(&self) -> Option<CivilDate> {
        let from = self.life.holdover.as_ref().filter(|one| one.until > one.from).map(|one| one.from);
        from.filter(|_| matches!(self.state, LeaseState::Active))
    }

    /// First day after the term, of the block that ends last.
    fn last_end(&self) -> CivilDate {
        let had = self.premises.iter().filter(|one| one.state.is_leased());
        had.map(|one| one.end).max().unwrap_or_default()
    }
}

/// A block whose tenant stays goes on until another day, at so much of its last rate.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when the rate outgrows its type.
fn stay(premises: &mut Premises, until: CivilDate, percent: Percent) -> Result<(), Error> {
    if premises.standing.held_over_from.is_none() {
        let last = premises.rate_steps.last().ok_or_else(too_large)?;
        let rate = (&Exact::from(last.rate) * &Exact::from(percent)).to_rate().ok_or_else(too_large)?;
        premises.rate_steps.push(RateStep { from: premises.end, rate });
        premises.standing.rate_steps = Some(premises.rate_steps.clone());
        premises.standing.held_over_from = Some(premises.end);
    }
    premises.move_to(premises.commencement, until);
    Ok(())
}

/// The tenant leaves a block that it held over, on a day that is not before the end of the term.
fn leave(premises: &mut Premises, end: CivilDate) {
    if premises.standing.held_over_from.is_some_and(|from| from >= end) {
        premises.standing.held_over_from = None;
    }
    premises.rate_steps.retain(|step| step.from < end);
    premises.standing.rate_steps = Some(premises.rate_steps.clone());
    premises.move_to(premises.commencement, end);
}

#[cfg(test)]
#[path = "holdover_tests.rs"]
mod tests;
