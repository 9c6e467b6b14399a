//! Renewals: exercised by the tenant within their notice window, or lapsed after it.
//!
//! The capacity of every renewal that is left is part of what the reservation takes, so that exercising one needs nobody's
//! word, and it cannot be sold to another. With the last day of the window all of it is given back.

use kernel::time::add_months;
use kernel::{CivilDate, Error, Instant, Reason};

use super::lease::{Lease, Premises, Signatory};
use super::life::{Actor, Happened, Renewal};
use super::orders::refused;
use super::renewal_rent::{self, OneRenewal, Renewed};
use super::schedule;
use super::state::{Deed, PremisesState};

/// When the next renewal can be exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionWindow {
    /// The renewal.
    pub option: OneRenewal,
    /// How many are left with it.
    pub left: u32,
    /// First day for notice; none is any day from the commencement on.
    pub first: Option<CivilDate>,
    /// Last day for notice.
    pub last: CivilDate,
}

impl Lease {
    /// When the next renewal can be exercised, counted from the end of the block that ends first; none where none is left, or
    /// the lease is to end early.
    #[must_use]
    pub fn option_window(&self) -> Option<OptionWindow> {
        if self.life.termination.is_some() {
            return None;
        }
        let first = self.live().min_by_key(|premises| premises.end)?;
        let mut left = self.terms.options_left(first.standing.options_spent);
        let option = left.next()?;
        let back = |day, months: u32| add_months(day, -i32::try_from(months).ok()?);
        let last = back(first.end, option.notice_months)?;
        Some(OptionWindow {
            option,
            left: u32::try_from(left.count()).unwrap_or(u32::MAX).saturating_add(1),
            first: if option.window_months == 0 { None } else { back(last, option.window_months) },
            last,
        })
    }

    pub(super) fn renew(
        &mut self,
        signatory: &Signatory,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.state.after(Deed::Renew)?;
        if self.life.termination.is_some() {
            return Err(refused(self.state, "The lease is to end early."));
        }
        if self.live().any(|premises| premises.state == PremisesState::Planned) {
            return Err(refused(self.state, "A block has not commenced yet."));
        }
        let today = self.today(now);
        let Some(window) = self.option_window() else {
            return Err(no_option(
                "No renewal is left: the terms give none, or its notice window has closed.",
            ));
        };
        if today > window.last {
            return Err(outside("The notice window has closed.", window.first, window.last));
        }
        if window.first.is_some_and(|first| today < first) {
            return Err(outside("The notice window is not open yet.", window.first, window.last));
        }
        let (terms, lease_start) = (&self.terms, schedule::start_with(&self.premises, &[]));
        for premises in self.premises.iter_mut().filter(|premises| !premises.state.is_over()) {
            // The days of an option that is open are those that it states.
            if premises.state.is_live() {
                renewal_rent::renew(terms, premises, lease_start, window.option)?;
            }
            premises.standing.options_spent += 1;
        }
        schedule::value(&self.terms, &self.premises)?;
        self.life.renewals.push(Renewal {
            time: now,
            subject: by.subject.clone(),
            signatory: signatory.clone(),
            until: self.live().map(|premises| premises.end).max(),
            number: Some(window.option.number),
        });
        self.go(Deed::Renew, now)?;
        Ok(Happened::Renewed)
    }

    /// The window has closed: no renewal is left, and what was held for it is given back.
    pub(super) fn lapse_options(&mut self, now: Instant) -> Result<(), Error> {
        let all =
            self.terms.renewal_options.iter().fold(0, |sum: u32, option| sum.saturating_add(option.count));
        for premises in &mut self.premises {
            premises.standing.options_spent = all;
        }
        self.life.claims_due = true;
        self.go(Deed::Adjust, now)
    }

    /// Whether the rent of this renewal is to be agreed yet.
    #[must_use]
    pub fn is_rent_open(&self, renewal: &Renewal) -> bool {
        let open = |one: &Renewed| one.is_open && one.number().is_some() && one.number() == renewal.number;
        self.live().any(|premises| premises.standing.renewals.iter().any(open))
    }

    /// Whether that of any is.
    pub(super) fn has_open_rent(&self) -> bool {
        self.live().any(|premises| premises.standing.renewals.iter().any(|one| one.is_open))
    }

    fn live(&self) -> impl Iterator<Item = &Premises> {
        self.premises.iter().filter(|premises| premises.state.is_live())
    }
}

pub(super) fn no_option(problem: &'static str) -> Error {
    Error::refused(Reason::NoOptionToExercise, problem)
}

/// It cannot be exercised today: the refusal says when.
pub(super) fn outside(problem: &'static str, first: Option<CivilDate>, last: CivilDate) -> Error {
    let refusal = no_option(problem).with("lastDate", last);
    match first {
        Some(first) => refusal.with("firstDate", first),
        None => refusal,
    }
}
