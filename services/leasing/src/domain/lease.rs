//! A lease: what was agreed, who has signed, and what its blocks are at now.

use kernel::{CivilDate, Error, Instant, LeaseName, OperatorName, Reason, ReservationId, TenantName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::life::Life;
pub use super::premises::{Claim, Premises};
use super::record::{self, TermsHash};
use super::schedule;
use super::state::{COMMITTED, Deed, LeaseState, PremisesState, Step};
use super::terms::Terms;

/// A side of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The address it came from; empty where there was none.
    pub peer_address: String,
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
    /// The capacity; none while PROPOSING, and as long as it takes none.
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
    /// What has happened to it since it was agreed.
    pub life: Life,
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
            life: Life::default(),
        };
        lease.value()?;
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

    /// Inventory holds the capacity, if it takes any yet: PROPOSED.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn held(&mut self, hold: impl Into<Option<Hold>>, now: Instant) -> Result<(), Error> {
        self.go(Deed::Hold, now)?;
        self.hold = hold.into();
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
        self.still_leases_something(now)?;
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

    /// Inventory has committed the reservation: EFFECTIVE, or SIGNED while a condition of the whole lease is open.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`; `TERM_OUT_OF_RANGE` where its dates have moved beyond what can be computed.
    pub fn committed(&mut self, now: Instant) -> Result<(), Error> {
        if self.is_open() {
            self.go(Deed::CommitOpen, now)?;
        } else {
            self.go(Deed::Commit, now)?;
            self.effective_time = Some(now);
        }
        // What was told of its blocks while it was being signed.
        self.settle()
    }

    /// Inventory says that the hold is gone: LAPSED.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn lapse(&mut self, because: &str, now: Instant) -> Result<(), Error> {
        self.go(Deed::Lapse, now)?;
        self.never_begun(because);
        Ok(())
    }

    /// One side withdraws: CANCELLED.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn cancel(&mut self, reason: &str, now: Instant) -> Result<(), Error> {
        self.go(Deed::Cancel, now)?;
        self.never_begun(reason);
        Ok(())
    }

    /// It was never in force, and none of its blocks will ever commence.
    fn never_begun(&mut self, because: &str) {
        self.ended_because = Some(because.to_owned());
        for premises in &mut self.premises {
            Self::step(premises, Step::Lapse);
        }
        self.drop_nominations();
    }

    /// Brings the dates of the blocks that have not commenced up to date with what is known, and their rates.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` where the rates of the new dates cannot be computed.
    pub fn settle(&mut self) -> Result<(), Error> {
        for premises in &mut self.premises {
            if let Some(agreed) = self.terms.of_block(&premises.block) {
                premises.settle(agreed, &self.terms.contract);
            }
        }
        schedule::move_rates(&self.terms, &mut self.premises)
    }

    /// The dates of a block are other ones.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn adjusted(&mut self, now: Instant) -> Result<(), Error> {
        self.go(Deed::Adjust, now)
    }

    /// The block of this lease with this name.
    pub fn premises_of(&mut self, block: &kernel::BlockName) -> Option<&mut Premises> {
        self.premises.iter_mut().find(|premises| premises.block == *block)
    }

    /// Everything that its reservation is to take: what was agreed of a block until it commences, since a delay may be made
    /// good; nothing of one that never will; what renewals that are left would take; what options on more blocks would; and what
    /// an amendment that is proposed would of blocks that the lease does not have.
    #[must_use]
    pub fn claims(&self) -> Vec<Claim> {
        let live = self.premises.iter().filter(|premises| premises.state != PremisesState::Lapsed);
        let as_agreed = |state| matches!(state, PremisesState::Optioned | PremisesState::Planned);
        let left = |premises: &Premises| match premises.state {
            PremisesState::Ended => 0,
            _ => self.terms.months_left(premises.standing.options_spent),
        };
        live.map(|premises| {
            match self.terms.of_block(&premises.block).filter(|_| as_agreed(premises.state)) {
                Some(agreed) => premises.claim_as_agreed(agreed, left(premises)),
                None => premises.claim(left(premises)),
            }
        })
        .chain(self.added_claims())
        .map(|claim| self.claimed_here(claim))
        .collect()
    }

    /// Today, where its first block lies, or is to be named: in that zone everything is read that is about the whole lease.
    #[must_use]
    pub fn today(&self, now: Instant) -> CivilDate {
        self.terms.zone().date_of(now)
    }

    /// A step of one block. The table says which it may take, and this asks before it moves.
    pub(super) fn step(premises: &mut Premises, step: Step) -> bool {
        let next = premises.state.after(step);
        premises.state = next.unwrap_or(premises.state);
        next.is_some()
    }

    pub(super) fn go(&mut self, deed: Deed, now: Instant) -> Result<(), Error> {
        self.state = self.state.after(deed)?;
        if !self.state.is_in(COMMITTED) {
            // Nothing is left to amend, or to assign.
            let adds = self.added_claims().next().is_some();
            self.life.claims_due |= adds;
            self.life.amendment = None;
            self.life.assignment = None;
        }
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
