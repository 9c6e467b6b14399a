//! A running contract that was signed on paper: brought in with the days that it has, and billed from a stated day on.

use chrono::Datelike as _;
use kernel::{CivilDate, Error, Instant, Violations};
use serde::{Deserialize, Serialize};

use super::lease::{Claim, Lease, Premises, Signatory};
use super::premises::Acceptance;
use super::state::{Deed, PremisesState, Step};

/// How a contract that was signed on paper came here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The paper that was signed.
    pub reference: String,
    /// When it was signed.
    pub signed: CivilDate,
    /// When it came into force; none while a condition of the whole lease is open.
    pub effective: Option<CivilDate>,
    /// First day whose charges are billed here.
    pub billed_from: CivilDate,
    /// Who attests to it.
    pub signatory: Signatory,
    /// The token's subject.
    pub subject: String,
    /// When it was brought in, in business time.
    pub time: Instant,
}

impl Lease {
    /// Makes a lease in PROPOSING one that was signed on paper. Where nothing of the whole lease is open, it was in force from
    /// its signature on, if no other day is said.
    ///
    /// # Errors
    /// `INVALID_FIELD`, every breach at once.
    pub fn import(&mut self, mut import: Import) -> Result<(), Error> {
        self.check_import(&import)?;
        if !self.is_open() {
            import.effective = import.effective.or(Some(import.signed));
        }
        self.life.import = Some(import);
        Ok(())
    }

    fn check_import(&self, import: &Import) -> Result<(), Error> {
        let (mut v, now) = (Violations::new(), import.time);
        let today = self.today(now);
        let past = "must be today or earlier, where the first block lies";
        v.require("signed_date", import.signed <= today, past);
        if import.effective.is_some() && self.is_open() {
            v.add("effective_date", "must be absent: a condition of the whole lease is open");
        } else {
            v.require("effective_date", import.effective.is_none_or(|day| day <= today), past);
        }
        let first = import.billed_from.day() == 1;
        v.require("billed_from_date", first, "must be the first of a month: rent is billed by months");
        let named_later = self.terms.nominations.iter().map(|one| one.end);
        let end = self.taken().iter().map(|one| one.end).chain(named_later).max();
        let within = end.is_some_and(|end| import.billed_from < end);
        v.require("billed_from_date", within, "must lie before the end of the term");
        for (i, one) in self.taken().iter().enumerate() {
            let path = |field: &str| format!("terms.premises[{i}].{field}");
            if one.end_at <= now {
                v.add(&path("end_date"), "must be later than today: what is over is not brought in");
            }
            if one.commence_at <= now && (self.is_open() || self.is_open_for(&one.block)) {
                v.add(
                    &path("commencement_date"),
                    "must be later than today, since a condition of it is open",
                );
            }
        }
        v.finish()
    }

    /// Inventory has committed what it takes: it is what its days say. A block whose first day has come was handed over on it.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`; `TERM_OUT_OF_RANGE` where its dates have moved beyond what can be computed.
    pub fn brought_in(&mut self, now: Instant) -> Result<(), Error> {
        let Some(import) = self.life.import.clone() else {
            return Err(Error::internal("a lease that was not signed on paper was to be brought in"));
        };
        self.go(if self.is_open() { Deed::BringInOpen } else { Deed::BringIn }, now)?;
        self.signed_time = Some(self.start_of(import.signed));
        self.effective_time = import.effective.map(|day| self.start_of(day));
        let begun =
            |one: &&mut Premises| one.state == PremisesState::Planned && one.commence_at <= import.time;
        for one in self.premises.iter_mut().filter(begun) {
            one.standing.accepted = Some(Acceptance {
                on: one.commencement,
                signatory: import.signatory.clone(),
                subject: import.subject.clone(),
                time: import.time,
            });
            one.commence_time = Some(one.commence_at);
            Self::step(one, Step::Commence);
        }
        if self.premises.iter().any(|one| one.state == PremisesState::Commenced) {
            self.state = self.state.after(Deed::Commence)?;
        }
        // What was told of the others while it was being brought in.
        self.settle()
    }

    /// What was had before it was brought in is nobody's to take: a claim begins with that day.
    pub(super) fn claimed_here(&self, mut claim: Claim) -> Claim {
        let Some(import) = &self.life.import else { return claim };
        let zone = self.premises.iter().find(|one| one.block == claim.block).map(|one| one.zone);
        let Some(since) = zone.map(|zone| zone.start_of_day(zone.date_of(import.time))) else { return claim };
        let begun = claim.steps.iter().take_while(|(from, _)| *from <= since).count();
        claim.steps.drain(..begun.saturating_sub(1));
        if let Some((from, _)) = claim.steps.first_mut() {
            *from = since.max(*from);
        }
        claim
    }
}

#[cfg(test)]
#[path = "cut_over_tests.rs"]
mod tests;
