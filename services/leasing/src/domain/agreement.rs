//! Master agreements: what two parties agree on once, for every lease between them. Each order is a lease of its own, which
//! takes the general terms over when it is proposed: nothing that becomes of the agreement afterwards changes it.

use kernel::{
    DisputeTerms, Error, Instant, LateInterest, MasterAgreementName, OperatorName, Reason, TenantName, Uuid,
    Violations,
};
use serde::{Deserialize, Serialize};

pub use super::agreement_state::{AgreementDeed, AgreementState};
use super::amendment::Consent;
use super::contract::{CureTerms, HoldoverTerms};
use super::lease::{Party, Signature};
use super::record::{Canonical, TermsHash, canonical_of};
use super::terms::Terms;

/// What holds for every order in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// What it is about.
    pub heading: String,
    /// What it says.
    pub text: String,
}

/// Whose word counts where an order says something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Precedence {
    /// The order's.
    #[default]
    Order,
    /// The agreement's: the order may not say something else.
    Agreement,
}

/// What is agreed for every order. Part of signed records: a field that is renamed changes what was signed, a new one must be
/// left out of the record where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneralTerms {
    /// Days from issue until an invoice is due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment_terms_days: Option<u32>,
    /// Days to cure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cure: Option<CureTerms>,
    /// What late payment costs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late_interest: Option<LateInterest>,
    /// How invoices are disputed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispute: Option<DisputeTerms>,
    /// What it costs to stay beyond the term.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub holdover: Option<HoldoverTerms>,
    /// Whose word counts.
    #[serde(default)]
    pub precedence: Precedence,
    /// What holds in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub clauses: Vec<Clause>,
}

impl GeneralTerms {
    /// Gives an order what it does not state itself, and notes, under `terms.…` paths, what it states otherwise where it may not.
    fn give(&self, terms: &mut Terms, v: &mut Violations) {
        let binding = self.precedence == Precedence::Agreement;
        let mut days = Some(terms.payment_terms_days).filter(|days| *days > 0);
        let contract = &mut terms.contract;
        for (field, same) in [
            ("payment_terms_days", inherit(&mut days, self.payment_terms_days)),
            ("cure", inherit(&mut contract.cure, self.cure)),
            ("late_interest", inherit(&mut contract.money.late_interest, self.late_interest)),
            ("dispute", inherit(&mut contract.money.dispute, self.dispute)),
            ("holdover", inherit(&mut contract.holdover, self.holdover)),
        ] {
            let path = format!("terms.{field}");
            v.require(&path, same || !binding, "must be left out, or be as the master agreement says");
        }
        terms.payment_terms_days = days.unwrap_or(0);
    }
}

/// Takes over what is not stated; whether what is stated is the same.
fn inherit<T: PartialEq + Copy>(stated: &mut Option<T>, general: Option<T>) -> bool {
    let same = stated.is_none() || general.is_none() || *stated == general;
    *stated = stated.or(general);
    same
}

/// What an order has taken over: signed with the order, and never changed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterTerms {
    /// The agreement.
    pub agreement: MasterAgreementName,
    /// What both have signed of it.
    pub terms_hash: TermsHash,
    /// What it is called.
    pub title: String,
    /// Its general terms.
    pub general: GeneralTerms,
}

impl MasterTerms {
    /// Makes these terms those of an order.
    ///
    /// # Errors
    /// `INVALID_FIELD` with every term that contradicts what the agreement says, where its word counts.
    pub fn govern(self, terms: &mut Terms) -> Result<(), Error> {
        let mut v = Violations::new();
        self.general.give(terms, &mut v);
        terms.contract.master = Some(Box::new(self));
        v.finish()
    }
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The side that ended it.
    pub party: Party,
    /// The token's subject.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// When, in business time.
    pub time: Instant,
}

/// A master agreement as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterAgreement {
    /// Its name.
    pub name: MasterAgreementName,
    /// With whom.
    pub tenant: TenantName,
    /// What it is called.
    pub title: String,
    /// What it says.
    pub general: GeneralTerms,
    /// What is signed.
    pub terms_hash: TermsHash,
    /// Where it stands.
    pub state: AgreementState,
    /// Who has signed it, in order of time.
    pub consents: Vec<Consent>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was drafted.
    pub create_time: Instant,
    /// When it last changed.
    pub update_time: Instant,
}

/// What both sides sign of an agreement.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    operator: String,
    tenant: String,
    title: String,
    general_terms: GeneralTerms,
}

const VERSION: u32 = 1;
const SIDES: usize = 2;

/// The title and the general terms of a stored record.
///
/// # Errors
/// `INTERNAL` when the stored bytes are no record of a known version: they were written by us and hashed.
pub fn read(bytes: &[u8]) -> Result<(String, GeneralTerms), Error> {
    let record: Record = serde_json::from_slice(bytes).map_err(Error::internal)?;
    if record.version != VERSION {
        return Err(Error::internal("a stored agreement of an unknown version"));
    }
    Ok((record.title, record.general_terms))
}

impl MasterAgreement {
    /// A new agreement on the table, with the bytes that will be signed.
    ///
    /// # Errors
    /// `INTERNAL` if the record cannot be written, which its types do not allow.
    pub fn draft(
        name: MasterAgreementName,
        tenant: TenantName,
        title: String,
        general: GeneralTerms,
        now: Instant,
    ) -> Result<(Self, Vec<u8>), Error> {
        let record = Record {
            version: VERSION,
            operator: OperatorName::new(name.operator.clone()).to_string(),
            tenant: tenant.to_string(),
            title: title.clone(),
            general_terms: general.clone(),
        };
        let Canonical { bytes, hash } = canonical_of(&record)?;
        let agreement = Self {
            name,
            tenant,
            title,
            general,
            terms_hash: hash,
            state: AgreementState::Draft,
            consents: Vec::new(),
            ending: None,
            revision: 1,
            create_time: now,
            update_time: now,
        };
        Ok((agreement, bytes))
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
        if etag.is_empty() || etag == self.etag() { Ok(()) } else { Err(Error::etag_mismatch()) }
    }

    /// Its place in a list.
    #[must_use]
    pub fn place(&self) -> (String, Uuid) {
        (self.name.operator.to_string(), self.name.master_agreement.get())
    }

    /// When the last side signed.
    #[must_use]
    pub fn signed_time(&self) -> Option<Instant> {
        self.consents.get(SIDES - 1).map(|last| last.time)
    }

    /// Its signatures.
    pub fn signatures(&self) -> impl Iterator<Item = Signature> {
        self.consents.iter().map(|consent| consent.on(self.terms_hash))
    }

    /// One side signs.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`, also where this side has signed; `TERMS_HASH_MISMATCH`.
    pub fn sign(&mut self, hash: TermsHash, consent: Consent) -> Result<(), Error> {
        let last = self.consents.len() + 1 == SIDES;
        let deed = if last { AgreementDeed::SignLast } else { AgreementDeed::SignFirst };
        let next = self.state.after(deed)?;
        if self.consents.iter().any(|earlier| earlier.party == consent.party) {
            let problem = "This side has signed; the other side's signature is awaited.";
            let refusal = Error::refused(Reason::InvalidStateTransition, problem);
            return Err(refusal.with("from", self.state).with("to", self.state));
        }
        if hash != self.terms_hash {
            return Err(Error::refused(
                Reason::TermsHashMismatch,
                "The hash is not the hash of this agreement: read it again before signing.",
            ));
        }
        self.changed(next, consent.time);
        self.consents.push(consent);
        Ok(())
    }

    /// Either side ends it: off the table, or no new orders.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn end(&mut self, ending: Ending) -> Result<(), Error> {
        let next = self.state.after(AgreementDeed::End)?;
        self.changed(next, ending.time);
        self.ending = Some(ending);
        Ok(())
    }

    /// What an order takes over.
    ///
    /// # Errors
    /// `MASTER_AGREEMENT_NOT_IN_FORCE`.
    pub fn for_order(&self) -> Result<MasterTerms, Error> {
        self.state.check_takes_orders()?;
        Ok(MasterTerms {
            agreement: self.name.clone(),
            terms_hash: self.terms_hash,
            title: self.title.clone(),
            general: self.general.clone(),
        })
    }

    fn changed(&mut self, state: AgreementState, now: Instant) {
        self.state = state;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
    }
}

#[cfg(test)]
#[path = "agreement_tests.rs"]
mod tests;
