//! Capacity that is agreed while its blocks are not: the operator names them, all at once or in parts, until a last day.
//!
//! Nothing is held for it. What is named is taken like anything else that a change takes first, and is premises of the next
//! version of the terms, in which so much less is left to be named. What is left after the last day is owed no more.

use kernel::{
    BlockName, CapacityVector, CivilDate, Error, Instant, Rate, Reason, Resource, SiteName, Violations, Zone,
};
use serde::{Deserialize, Serialize};

use super::draft::PREMISES_MAX;
use super::lease::{Lease, Party, Signatory};
use super::life::{Actor, Happened};
use super::orders::refused;
use super::schedule;
use super::state::{Deed, LeaseState};
use super::terms::{PremisesTerms, ProfileStep, RateTerms};
use super::unplaced;

/// Why a lease lapsed: no block was ever named.
pub const NEVER_NOMINATED: &str = "NEVER_NOMINATED";

/// Capacity without blocks, as it is signed: of a version that a nomination made, what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nomination {
    /// Its id within the terms.
    pub id: String,
    /// Whose blocks may be named.
    pub site: SiteName,
    /// The zone of the site, in which every date is read. Fixed when proposed.
    pub zone: Zone,
    /// What is left.
    pub capacity: CapacityVector,
    /// First day of the term.
    pub commencement: CivilDate,
    /// First day after the term.
    pub end: CivilDate,
    /// The rent; the lease's escalator, if any, raises it.
    pub rate: Rate,
    /// Last day to name blocks.
    pub last: CivilDate,
}

/// A block that is named, and what is taken of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The block.
    pub block: BlockName,
    /// What is taken.
    pub capacity: CapacityVector,
}

/// Blocks that were named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Of which capacity, by its id within the terms.
    pub nomination: String,
    /// The blocks.
    pub blocks: Vec<BlockName>,
    /// When.
    pub time: Instant,
    /// The token's subject.
    pub subject: String,
    /// Who signed it.
    pub signatory: Signatory,
    /// The version of the terms that it made.
    pub version: i32,
}

impl Nomination {
    /// What a block that is named for it is leased on.
    fn premises(&self, named: &Named) -> PremisesTerms {
        PremisesTerms {
            block: named.block.clone(),
            zone: self.zone,
            profile: vec![ProfileStep { from: self.commencement, capacity: named.capacity }],
            commencement: self.commencement,
            end: self.end,
            rate: RateTerms::Base(self.rate),
        }
    }

    /// When it is too late.
    #[must_use]
    pub fn closes_at(&self) -> Option<Instant> {
        self.last.succ_opt().map(|day| self.zone.start_of_day(day))
    }

    fn is_closed(&self, now: Instant) -> bool {
        self.closes_at().is_some_and(|closed| closed <= now)
    }

    /// What is left once these are named. What is left must be such that a block can take it: cooling for its load, or nothing.
    fn less(&self, named: &[Named]) -> Result<CapacityVector, Error> {
        let lanes = named.iter().try_fold(CapacityVector::ZERO, |sum, one| sum.checked_add(one.capacity));
        let taken = lanes.ok_or_else(schedule::too_large)?;
        let left = CapacityVector::of(|lane| self.capacity.get(lane) - taken.get(lane));
        let exceeded = |problem, lane: Resource| {
            Error::refused(Reason::NominationExceeded, problem)
                .with("resource", lane)
                .with("requestedKw", taken.get(lane))
                .with("leftKw", self.capacity.get(lane))
        };
        if let Some(lane) = Resource::ALL.into_iter().find(|lane| left.get(*lane) < 0) {
            return Err(exceeded("That is more than is left to be named.", lane));
        }
        let fits = if left.critical_it == 0 { left == CapacityVector::ZERO } else { left.carries_heat() };
        if fits {
            return Ok(left);
        }
        let problem = if left.critical_it == 0 {
            "The last of the load takes the last of the cooling, and of the accelerators: name them with it."
        } else {
            "What would be left has less cooling than load: name less cooling, or more load."
        };
        Err(exceeded(problem, Resource::CriticalIt))
    }
}

impl Lease {
    /// Capacity of the terms of which blocks can still be named.
    pub fn open_nominations(&self) -> impl Iterator<Item = &Nomination> {
        self.terms.nominations.iter().filter(|one| !self.life.lapsed_nominations.contains(&one.id))
    }

    /// The version in force was made by naming blocks: the tenant has signed the one before.
    #[must_use]
    pub fn is_nominated(&self) -> bool {
        self.life.placements.iter().any(|one| one.version == self.version)
    }

    /// Whether nothing of it goes on, or is to come.
    pub(super) fn is_over(&self) -> bool {
        !self.premises.iter().any(|premises| premises.state.is_live())
            && self.open_nominations().next().is_none()
    }

    /// Renewals that are exercised or lapsed: a block that joins them has no more than the others.
    pub(super) fn options_spent(&self) -> u32 {
        self.premises.iter().map(|one| one.standing.options_spent).max().unwrap_or(0)
    }

    pub(super) fn nominate(
        &mut self,
        id: &str,
        named: &[Named],
        signatory: &Signatory,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.state.after(Deed::Nominate)?;
        let mut terms = self.terms.clone();
        let Some(at) = terms.nominations.iter().position(|one| one.id == id) else {
            return Err(self.no_such_nomination());
        };
        self.may_nominate()?;
        let wanted = terms.nominations[at].clone();
        let lapsed = self.life.lapsed_nominations.contains(&wanted.id);
        if lapsed || wanted.is_closed(now) {
            let problem =
                "The last day to name blocks has passed: agree on another one by an amendment of the terms.";
            return Err(Error::refused(Reason::NominationClosed, problem).with("lastDate", wanted.last));
        }
        self.check_named(&wanted, named)?;
        let left = wanted.less(named)?;
        if left == CapacityVector::ZERO {
            terms.nominations.remove(at);
        } else {
            terms.nominations[at].capacity = left;
        }
        let agreed: Vec<_> = named.iter().map(|one| wanted.premises(one)).collect();
        let mut joined = unplaced::join(&terms, &agreed, &self.premises)?;
        let spent = self.options_spent();
        joined.iter_mut().for_each(|one| one.standing.options_spent = spent);
        // Blocks of options lie behind those that the lease has.
        let leased = self.taken().len();
        self.premises.splice(leased..leased, joined);
        terms.premises.extend(agreed);
        self.take_terms(terms, (Party::Operator, signatory), by, now)?;
        self.life.placements.push(Placement {
            nomination: wanted.id,
            blocks: named.iter().map(|one| one.block.clone()).collect(),
            time: now,
            subject: by.subject.clone(),
            signatory: signatory.clone(),
            version: self.version,
        });
        self.settle()?;
        self.value()?;
        self.go(Deed::Nominate, now)?;
        Ok(Happened::Nominated)
    }

    /// Whoever signs a lease of nothing but capacity to be named signs nothing, once it is too late for that.
    pub(super) fn still_leases_something(&self, now: Instant) -> Result<(), Error> {
        let last = self.terms.nominations.iter().map(|one| one.last).max();
        let closed = self.terms.nominations.iter().all(|one| one.is_closed(now));
        match last.filter(|_| closed && self.terms.premises.is_empty()) {
            None => Ok(()),
            Some(last) => {
                let problem = "The last day to name blocks has passed, and it has none: propose it again.";
                Err(Error::refused(Reason::NominationClosed, problem).with("lastDate", last))
            }
        }
    }

    fn may_nominate(&self) -> Result<(), Error> {
        if let Some(end) = &self.life.termination {
            return Err(refused(self.state, format!("The lease is to end on {}.", end.end)));
        }
        if self.life.holdover.as_ref().is_some_and(|one| one.until > one.from) {
            return Err(refused(self.state, "The tenant is to stay beyond the term, with what it has."));
        }
        Ok(())
    }

    fn no_such_nomination(&self) -> Error {
        let ids: Vec<_> = self.terms.nominations.iter().map(|one| one.id.as_str()).collect();
        let problem = match ids.as_slice() {
            [] => "names nothing: the terms leave no blocks to be named, or all are named".to_owned(),
            ids => format!("must be one of {}", ids.join(", ")),
        };
        Error::invalid_field("nomination", problem)
    }

    /// Every breach at once.
    fn check_named(&self, wanted: &Nomination, named: &[Named]) -> Result<(), Error> {
        let mut v = Violations::new();
        let room = PREMISES_MAX.saturating_sub(self.terms.all_premises().count());
        if named.is_empty() || named.len() > room {
            v.add("blocks", format!("needs 1 to {room} entries, since a lease has at most {PREMISES_MAX}"));
        }
        for (i, one) in named.iter().enumerate() {
            let path = format!("blocks[{i}].block");
            if one.block.site_name() != wanted.site {
                v.add(&path, format!("must be a block of {}", wanted.site));
            } else if self.terms.of_block(&one.block).is_some() {
                v.add(&path, "is a block of the lease, or of an option in its terms, already: name another");
            } else if named[..i].iter().any(|before| before.block == one.block) {
                v.add(&path, "is named twice");
            }
            let path = format!("blocks[{i}].capacity");
            if one.capacity.critical_it == 0 {
                v.add(&format!("{path}.critical_it_kw"), "must be more than 0");
            } else if !one.capacity.carries_heat() {
                v.add(&path, "the cooling must carry the critical IT load");
            }
        }
        v.finish()
    }

    /// The last day of some has passed. A lease that was to have nothing else is over.
    pub(super) fn lapse_nominations(&mut self, at: Instant, now: Instant) -> Result<Happened, Error> {
        let closed = self.open_nominations().filter(|one| one.is_closed(at)).map(|one| one.id.clone());
        let closed: Vec<_> = closed.collect();
        self.life.lapsed_nominations.extend(closed);
        if !self.is_over() {
            self.go(Deed::Adjust, now)?;
            return Ok(Happened::NominationLapsed);
        }
        self.life.claims_due = true;
        self.drop_expansions();
        if self.premises.iter().any(|premises| premises.state.is_leased()) {
            self.go(Deed::Expire, now)?;
            return Ok(Happened::Expired);
        }
        if self.state == LeaseState::Signed {
            self.lapse(NEVER_NOMINATED, now)?;
            return Ok(Happened::Lapsed);
        }
        self.go(Deed::Terminate, now)?;
        Ok(Happened::Terminated)
    }

    /// The lease is over: so is whatever is not named yet.
    pub(super) fn drop_nominations(&mut self) {
        let open: Vec<_> = self.open_nominations().map(|one| one.id.clone()).collect();
        self.life.lapsed_nominations.extend(open);
    }

    /// Other terms are in force: of what they give, what lay on the table until its last day had passed is not owed again.
    pub(super) fn nominations_of_new_terms(&mut self, now: Instant) {
        let closed = self.terms.nominations.iter().filter(|one| one.is_closed(now));
        self.life.lapsed_nominations = closed.map(|one| one.id.clone()).collect();
    }
}

#[cfg(test)]
#[path = "nomination_tests.rs"]
mod tests;
