//! Options on more blocks: exercised by the tenant within their notice window, or lapsed after it.
//!
//! What they would take is part of what the reservation takes from the proposal on, so that exercising one needs nobody's word,
//! and it cannot be sold to another. Exercised, its blocks are premises of the next version of the terms; with the last day of its
//! window they are given back.

use kernel::{BlockName, CivilDate, Error, Instant};
use serde::{Deserialize, Serialize};

use super::lease::{Lease, Party, Premises, Signatory};
use super::life::{Actor, Happened};
use super::options::outside;
use super::orders::refused;
use super::schedule;
use super::state::{Deed, PremisesState, Step};
use super::terms::PremisesTerms;

/// An option on more blocks, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpansionOption {
    /// Its id within the terms.
    pub id: String,
    /// The blocks, with days and rates of their own.
    pub premises: Vec<PremisesTerms>,
    /// First day for notice; none is any day on which the lease is in force.
    pub first: Option<CivilDate>,
    /// Last day for notice.
    pub last: CivilDate,
}

impl ExpansionOption {
    /// Whether a block is one of its.
    #[must_use]
    pub fn has(&self, block: &BlockName) -> bool {
        self.premises.iter().any(|premises| premises.block == *block)
    }
}

/// An option that was exercised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expansion {
    /// Its id within the terms that gave it.
    pub option: String,
    /// When.
    pub time: Instant,
    /// The token's subject.
    pub subject: String,
    /// Who signed it.
    pub signatory: Signatory,
    /// The version of the terms that it made.
    pub version: i32,
}

impl Lease {
    /// The blocks that the lease has, without those of options: in the order of its terms, which is how they lie.
    #[must_use]
    pub fn taken(&self) -> &[Premises] {
        self.premises.get(..self.terms.premises.len()).unwrap_or(&self.premises)
    }

    /// Options on more blocks that are neither exercised nor lapsed.
    pub fn open_expansions(&self) -> impl Iterator<Item = &ExpansionOption> {
        self.terms.expansion_options.iter().filter(|option| self.is_open_option(option))
    }

    /// Whether it can be exercised, now or later.
    #[must_use]
    pub fn is_open_option(&self, option: &ExpansionOption) -> bool {
        let optioned = |one: &Premises| one.state == PremisesState::Optioned && option.has(&one.block);
        self.premises.iter().any(optioned)
    }

    /// The version in force was made by an exercised option: the operator has signed the one before.
    #[must_use]
    pub fn is_expanded(&self) -> bool {
        self.life.expansions.iter().any(|one| one.version == self.version)
    }

    pub(super) fn expand(
        &mut self,
        id: &str,
        signatory: &Signatory,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.state.after(Deed::Expand)?;
        let mut terms = self.terms.clone();
        let Some(at) = terms.expansion_options.iter().position(|option| option.id == id) else {
            return Err(self.no_such_option());
        };
        let option = terms.expansion_options.remove(at);
        if let Some(end) = &self.life.termination {
            return Err(refused(self.state, format!("The lease is to end on {}.", end.end)));
        }
        let today = self.today(now);
        if today > option.last || !self.is_open_option(&option) {
            return Err(outside("The notice window has closed.", option.first, option.last));
        }
        if option.first.is_some_and(|first| today < first) {
            return Err(outside("The notice window is not open yet.", option.first, option.last));
        }
        self.take_blocks(&option);
        terms.premises.extend(option.premises);
        self.take_terms(terms, (Party::Tenant, signatory), by, now)?;
        self.life.expansions.push(Expansion {
            option: option.id,
            time: now,
            subject: by.subject.clone(),
            signatory: signatory.clone(),
            version: self.version,
        });
        self.settle()?;
        schedule::value(&self.terms, &self.premises)?;
        self.go(Deed::Expand, now)?;
        Ok(Happened::Expanded)
    }

    /// The blocks of an option are waited for, and lie behind those that the lease has.
    fn take_blocks(&mut self, option: &ExpansionOption) {
        for premises in self.premises.iter_mut().filter(|one| option.has(&one.block)) {
            Self::step(premises, Step::Exercise);
        }
        let leased = self.terms.premises.len();
        let others = self.premises.split_off(leased.min(self.premises.len()));
        let (taken, left): (Vec<_>, Vec<_>) = others.into_iter().partition(|one| option.has(&one.block));
        self.premises.extend(taken.into_iter().chain(left));
    }

    fn no_such_option(&self) -> Error {
        let options = &self.terms.expansion_options;
        let ids: Vec<_> = options.iter().map(|option| option.id.as_str()).collect();
        let problem = match ids.as_slice() {
            [] => "must be empty: the terms have no options on more blocks, or all are exercised".to_owned(),
            ids => format!("must be one of {}", ids.join(", ")),
        };
        Error::invalid_field("expansion_option", problem)
    }

    /// The window of one or more options has closed: what was held for them is given back.
    pub(super) fn lapse_expansions(&mut self, at: Instant, now: Instant) -> Result<(), Error> {
        self.life.claims_due = true;
        self.drop_closed(self.today(at));
        self.go(Deed::Adjust, now)
    }

    /// Options whose last day for notice lies before `today` lapse.
    pub(super) fn drop_closed(&mut self, today: CivilDate) {
        let options = self.terms.expansion_options.iter();
        let closed: Vec<_> = options.filter(|option| option.last < today).cloned().collect();
        self.drop_where(|one| closed.iter().any(|option| option.has(&one.block)));
    }

    /// The lease is over: so is every option that is open. Whether one was.
    pub(super) fn drop_expansions(&mut self) -> bool {
        self.drop_where(|_| true)
    }

    fn drop_where(&mut self, which: impl Fn(&Premises) -> bool) -> bool {
        let mut dropped = false;
        let optioned = |one: &&mut Premises| one.state == PremisesState::Optioned;
        for premises in self.premises.iter_mut().filter(optioned) {
            if which(premises) {
                dropped |= Self::step(premises, Step::Lapse);
            }
        }
        dropped
    }
}

#[cfg(test)]
#[path = "expansion_tests.rs"]
mod tests;
