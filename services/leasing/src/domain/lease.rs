//! A lease: what was agreed, who has signed, and what its blocks are at now.

use kernel::{
    BlockName, CapacityVector, CivilDate, Error, Instant, LeaseName, OperatorName, RateStep, Reason,
    ReservationId, TenantName, Zone,
};
use serde::Serialize;
use uuid::Uuid;

use super::record::{self, TermsHash};
use super::schedule;
use super::state::{Deed, IN_FORCE, LeaseState, PremisesState};
use super::terms::{ProfileStep, Terms};

/// A side of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Party {
    /// The one who gives the capacity.
    Operator,
    /// The one who takes it.
    Tenant,
}

impl Party {
    /// The side's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "OPERATOR",
            Self::Tenant => "TENANT",
        }
    }
}

/// The person who signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signatory {
    /// Name.
    pub name: String,
    /// Office; may be empty.
    pub title: String,
}

/// One side's consent to one hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The side.
    pub party: Party,
    /// The person.
    pub signatory: Signatory,
    /// The token's subject.
    pub subject: String,
    /// What was signed.
    pub terms_hash: TermsHash,
    /// When, in business time.
    pub time: Instant,
}

/// The capacity that inventory holds for the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Inventory's id.
    pub reservation: ReservationId,
    /// When it ends unless it is committed; judged by inventory's database alone.
    pub expire_time: Instant,
}

/// One block of the lease as it stands, with its frozen steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Premises {
    /// The block.
    pub block: BlockName,
    /// The zone its dates are read in.
    pub zone: Zone,
    /// First day.
    pub commencement: CivilDate,
    /// First day after.
    pub end: CivilDate,
    /// The first day's start.
    pub commence_at: Instant,
    /// The end's start.
    pub end_at: Instant,
    /// The rate over the base term.
    pub rate_steps: Vec<RateStep>,
    /// The capacity over the base term.
    pub quantity_steps: Vec<ProfileStep>,
    /// Where it stands.
    pub state: PremisesState,
    /// When it commenced.
    pub commence_time: Option<Instant>,
}

impl Premises {
    /// The largest critical IT load of the ramp.
    #[must_use]
    pub fn critical_it_kw(&self) -> i64 {
        self.quantity_steps.iter().map(|step| step.capacity.critical_it).max().unwrap_or(0)
    }

    /// What to reserve: the ramp in instants.
    #[must_use]
    pub fn claim(&self) -> Claim {
        let steps = self
            .quantity_steps
            .iter()
            .map(|step| (self.zone.start_of_day(step.from), step.capacity))
            .collect();
        Claim { block: self.block.clone(), steps, end: self.end_at }
    }
}

/// What a reservation takes of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The block.
    pub block: BlockName,
    /// From when how much.
    pub steps: Vec<(Instant, CapacityVector)>,
    /// Until when.
    pub end: Instant,
}

/// A lease with everything that belongs to its version in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its name.
    pub name: LeaseName,
    /// Parent of every derived request id; never shown.
    pub uid: Uuid,
    /// Who takes it.
    pub tenant: TenantName,
    /// Where it stands.
    pub state: LeaseState,
    /// Version of the terms, from 1.
    pub version: i32,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// What is agreed.
    pub terms: Terms,
    /// What is signed.
    pub terms_hash: TermsHash,
    /// The blocks.
    pub premises: Vec<Premises>,
    /// Who has signed this version, in order of time.
    pub signatures: Vec<Signature>,
    /// The capacity; none while PROPOSING.
    pub hold: Option<Hold>,
    /// How long the proposal asked to hold, in seconds.
    pub hold_seconds: i64,
    /// Why it is CANCELLED or LAPSED.
    pub ended_because: Option<String>,
    /// When it was proposed.
    pub create_time: Instant,
    /// When it was last changed.
    pub update_time: Instant,
    /// When the last side signed.
    pub signed_time: Option<Instant>,
    /// When it came into force.
    pub effective_time: Option<Instant>,
}

/// What a proposal names beside the terms.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The name it will have.
    pub name: LeaseName,
    /// Parent of its derived request ids.
    pub uid: Uuid,
    /// Who would take it.
    pub tenant: TenantName,
    /// The terms, with their zones.
    pub terms: Terms,
    /// How long to hold, in seconds.
    pub hold_seconds: i64,
}

/// Why a lease lapsed: the hold ran out.
pub const HOLD_EXPIRED: &str = "HOLD_EXPIRED";
/// Why a lease lapsed: the hold was given back in inventory.
pub const HOLD_RELEASED: &str = "HOLD_RELEASED";

impl Lease {
    /// A new lease in PROPOSING, its steps frozen, with the bytes that will be signed.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` when a schedule of these terms cannot be computed.
    pub fn propose(proposal: Proposal, now: Instant) -> Result<(Self, Vec<u8>), Error> {
        let operator = OperatorName { operator: proposal.name.operator.clone() };
        let canonical = record::canonical(&operator, &proposal.tenant, &proposal.terms)?;
        let premises = schedule::freeze(&proposal.terms)?;
        let lease = Self {
            name: proposal.name,
            uid: proposal.uid,
            tenant: proposal.tenant,
            state: LeaseState::Proposing,
            version: 1,
            revision: 1,
            terms: proposal.terms,
            terms_hash: canonical.hash,
            premises,
            signatures: Vec::new(),
            hold: None,
            hold_seconds: proposal.hold_seconds,
            ended_because: None,
            create_time: now,
            update_time: now,
            signed_time: None,
            effective_time: None,
        };
        schedule::value(&lease.terms, &lease.premises)?;
        Ok((lease, canonical.bytes))
    }

    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }

    /// Refuses a stale etag; an empty one asks for no check.
    ///
    /// # Errors
    /// `ETAG_MISMATCH`.
    pub fn check_etag(&self, etag: &str) -> Result<(), Error> {
        if etag.is_empty() || etag == self.etag() {
            return Ok(());
        }
        Err(Error::etag_mismatch())
    }

    /// Inventory holds the capacity: PROPOSED.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn held(&mut self, hold: Hold, now: Instant) -> Result<(), Error> {
        self.go(Deed::Hold, now)?;
        self.hold = Some(hold);
        Ok(())
    }

    /// Whether `party` may sign `hash` now, and whether its signature would be the last one.
    ///
    /// # Errors
    /// `HOLD_EXPIRED` or `HOLD_RELEASED` on a lapsed lease, `INVALID_STATE_TRANSITION` where signing is over or this
    /// side has signed, `TERMS_HASH_MISMATCH` for another hash.
    pub fn may_sign(&self, party: Party, hash: &TermsHash) -> Result<Signing, Error> {
        let last = !self.signatures.is_empty();
        let deed = if last { Deed::SignLast } else { Deed::SignFirst };
        if self.state == LeaseState::Lapsed {
            return Err(self.lapsed());
        }
        self.state.after(deed)?;
        if self.signatures.iter().any(|signature| signature.party == party) {
            return Err(Error::refused(
                Reason::InvalidStateTransition,
                "This side has signed; the other side's signature is awaited.",
            )
            .with("from", self.state.name())
            .with("to", self.state.name()));
        }
        if *hash != self.terms_hash {
            return Err(Error::refused(
                Reason::TermsHashMismatch,
                "The hash is not the hash of this lease's terms: read them again before signing.",
            ));
        }
        Ok(if last { Signing::Last } else { Signing::First })
    }

    /// Records a signature; the last one makes it SIGNING.
    ///
    /// # Errors
    /// As [`Lease::may_sign`].
    pub fn sign(&mut self, signature: Signature) -> Result<Signing, Error> {
        let signing = self.may_sign(signature.party, &signature.terms_hash)?;
        let now = signature.time;
        match signing {
            Signing::First => self.go(Deed::SignFirst, now)?,
            Signing::Last => {
                self.go(Deed::SignLast, now)?;
                self.signed_time = Some(now);
            }
        }
        self.signatures.push(signature);
        Ok(signing)
    }

    /// Inventory has committed the reservation: EFFECTIVE, since there are no conditions.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn committed(&mut self, now: Instant) -> Result<(), Error> {
        self.go(Deed::Commit, now)?;
        self.effective_time = Some(now);
        Ok(())
    }

    /// Inventory says that the hold is gone: LAPSED.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn lapse(&mut self, because: &str, now: Instant) -> Result<(), Error> {
        self.go(Deed::Lapse, now)?;
        self.ended_because = Some(because.to_owned());
        Ok(())
    }

    /// One side withdraws: CANCELLED.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn cancel(&mut self, reason: &str, now: Instant) -> Result<(), Error> {
        self.go(Deed::Cancel, now)?;
        self.ended_because = Some(reason.to_owned());
        Ok(())
    }

    /// Commences every block whose date has come: deemed acceptance. Gives whether there was one.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn commence(&mut self, now: Instant) -> Result<bool, Error> {
        if !self.state.is_in(IN_FORCE) {
            return Ok(false);
        }
        let mut commenced = false;
        for premises in &mut self.premises {
            if premises.state == PremisesState::Planned && premises.commence_at <= now {
                premises.state = PremisesState::Commenced;
                // Deemed accepted on the contract date, however late the job looks.
                premises.commence_time = Some(premises.commence_at);
                commenced = true;
            }
        }
        if commenced {
            self.go(Deed::Commence, now)?;
        }
        Ok(commenced)
    }

    /// Ends every commenced block whose end has come; the last one expires the lease. Gives whether there was one.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn end(&mut self, now: Instant) -> Result<bool, Error> {
        let mut ended = false;
        for premises in &mut self.premises {
            if premises.state == PremisesState::Commenced && premises.end_at <= now {
                premises.state = PremisesState::Ended;
                ended = true;
            }
        }
        if ended {
            let over = self.premises.iter().all(|premises| premises.state == PremisesState::Ended);
            self.go(if over { Deed::Expire } else { Deed::End }, now)?;
        }
        Ok(ended)
    }

    fn go(&mut self, deed: Deed, now: Instant) -> Result<(), Error> {
        self.state = self.state.after(deed)?;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        Ok(())
    }

    fn lapsed(&self) -> Error {
        if self.ended_because.as_deref() == Some(HOLD_RELEASED) {
            Error::refused(Reason::HoldReleased, "The capacity of this lease was given back.")
        } else {
            Error::refused(Reason::HoldExpired, "The hold of this lease has ended; propose it again.")
        }
    }
}

/// Which signature it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// The other side has not signed.
    First,
    /// The other side has.
    Last,
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
