//! Another tenant takes a lease over, or the use of it, with the operator's consent.
//!
//! An assignment makes the other one the tenant of record from its day on: the lease is then its to see and to pay for. A
//! sublease leaves the tenant liable and names who uses it. Without consent nothing changes, and with the day that was asked
//! for the request is over.

use chrono::Datelike as _;
use kernel::{CivilDate, Error, Instant, TenantName, Violations};
use serde::{Deserialize, Serialize};

use super::lease::{Lease, Signatory};
use super::life::{Actor, Happened};
use super::orders::refused;
use super::state::Deed;

/// What another tenant is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssignmentKind {
    /// The lease.
    Assignment,
    /// The use of it.
    Sublease,
}

/// What the tenant asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// What the other one is to have.
    pub kind: AssignmentKind,
    /// The other one.
    pub assignee: TenantName,
    /// From when on.
    pub effective: CivilDate,
    /// The paper in which the other one assumes it.
    pub reference: String,
    /// Why.
    pub note: String,
}

/// An assignment or a sublease that was asked for. Part of the lease's row until its day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// What is asked for.
    pub wish: Wish,
    /// The token's subject.
    pub subject: String,
    /// When it was asked for.
    pub time: Instant,
    /// The operator's consent.
    pub consent: Option<AssignmentConsent>,
}

/// The operator's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentConsent {
    /// Who signs.
    pub signatory: Signatory,
    /// The token's subject.
    pub subject: String,
    /// When.
    pub time: Instant,
}

/// A tenant that was one of record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenancy {
    /// Who.
    pub tenant: TenantName,
    /// First day on which another was.
    pub until: CivilDate,
    /// Its last revision of the lease: what came after it is the other one's.
    pub until_revision: i64,
    /// The paper in which the other one assumed the lease.
    pub reference: String,
}

/// Who uses what the tenant leases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtenant {
    /// Who.
    pub tenant: TenantName,
    /// From when on.
    pub since: CivilDate,
    /// The paper of it.
    pub reference: String,
}

impl Lease {
    pub(super) fn request_assignment(
        &mut self,
        wish: &Wish,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.state.after(Deed::Amend)?;
        if let Some(before) = &self.life.assignment {
            let problem = format!("{} is asked for already: decline it first.", before.wish.assignee);
            return Err(refused(self.state, problem));
        }
        self.check_wish(wish, now)?;
        self.life.assignment =
            Some(Assignment { wish: wish.clone(), subject: by.subject.clone(), time: now, consent: None });
        self.go(Deed::Amend, now)?;
        Ok(Happened::AssignmentRequested)
    }

    fn check_wish(&self, wish: &Wish, now: Instant) -> Result<(), Error> {
        let mut v = Violations::new();
        let known = match wish.kind {
            AssignmentKind::Assignment => false,
            AssignmentKind::Sublease => self.life.subtenants.iter().any(|one| one.tenant == wish.assignee),
        };
        v.require("assignee", wish.assignee != self.tenant && !known, "must be another tenant");
        let day = wish.effective;
        v.require("effective_date", day.day() == 1, "must be the first of a month: rent is billed by months");
        v.require(
            "effective_date",
            self.start_of(day) > now,
            "must be later than today, where the first block lies",
        );
        let live = self.premises.iter().filter(|one| one.state.is_live()).map(|one| one.end);
        let end = live.chain(self.open_nominations().map(|one| one.end)).max();
        v.require("effective_date", end.is_some_and(|end| day < end), "must lie before the end of the term");
        v.build(|| Some(()))
    }

    pub(super) fn consent_to_assignment(
        &mut self,
        signatory: &Signatory,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.state.after(Deed::Amend)?;
        let is_open = self.open_assignment(now)?;
        is_open.consent =
            Some(AssignmentConsent { signatory: signatory.clone(), subject: by.subject.clone(), time: now });
        self.go(Deed::Amend, now)?;
        Ok(Happened::AssignmentConsented)
    }

    /// The operator does not consent, or the tenant asks for it no more.
    pub(super) fn decline_assignment(&mut self, now: Instant) -> Result<Happened, Error> {
        self.state.after(Deed::Amend)?;
        self.open_assignment(now)?;
        self.life.assignment = None;
        self.go(Deed::Amend, now)?;
        Ok(Happened::AssignmentDeclined)
    }

    /// What is asked for, and waits for consent.
    fn open_assignment(&mut self, now: Instant) -> Result<&mut Assignment, Error> {
        let (state, day) = (self.state, self.life.assignment.as_ref().map(|one| one.wish.effective));
        let begun = day.map(|day| self.start_of(day)).filter(|begun| *begun <= now);
        match &mut self.life.assignment {
            None => Err(refused(state, "No assignment is asked for.")),
            Some(_) if begun.is_some() => Err(refused(state, "Its day has come: it is over, or done.")),
            Some(Assignment { consent: Some(_), wish, .. }) => {
                let problem = format!("The operator has consented: it takes effect on {}.", wish.effective);
                Err(refused(state, problem))
            }
            Some(open) => Ok(open),
        }
    }

    /// Its day has come: with consent it takes effect, without it is over.
    pub(super) fn settle_assignment(&mut self, now: Instant) -> Result<Happened, Error> {
        let Some(Assignment { wish, consent, .. }) = self.life.assignment.take() else {
            return Err(refused(self.state, "No assignment is asked for."));
        };
        if consent.is_none() {
            self.go(Deed::Adjust, now)?;
            return Ok(Happened::AssignmentExpired);
        }
        let Wish { kind, assignee, effective, reference, .. } = wish;
        match kind {
            AssignmentKind::Sublease => {
                self.life.subtenants.push(Subtenant { tenant: assignee, since: effective, reference });
                self.go(Deed::Adjust, now)?;
                Ok(Happened::Subleased)
            }
            AssignmentKind::Assignment => {
                // What is on the table is between others.
                self.life.amendment = None;
                self.go(Deed::Adjust, now)?;
                let tenant = std::mem::replace(&mut self.tenant, assignee);
                let until_revision = self.revision;
                self.life.former_tenants.push(Tenancy {
                    tenant,
                    until: effective,
                    until_revision,
                    reference,
                });
                // The reservation has another tenant too.
                self.life.claims_due = true;
                Ok(Happened::Assigned)
            }
        }
    }
}

#[cfg(test)]
#[path = "assignment_tests.rs"]
mod tests;
