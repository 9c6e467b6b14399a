//! Other terms for an agreed lease: proposed, signed by both sides, in force from a day on.
//!
//! What was before that day stays as it was: nobody has to look at what was billed. Until both have signed, nothing is
//! changed at all.

use chrono::Datelike as _;
use kernel::{
    BlockName, CivilDate, Error, Instant, MasterAgreementName, OperatorName, Reason, RentRules, SiteName,
    Violations, Zone,
};
use serde::{Deserialize, Serialize};

use super::lease::{Claim, Lease, Party, Signatory, Signature};
use super::life::{Actor, Happened};
use super::orders::refused;
use super::premises::Standing;
use super::record::{self, TermsHash};
use super::renewal_rent::Renewed;
use super::schedule;
use super::state::{Deed, PremisesState};
use super::terms::Terms;

/// Terms that are proposed. Part of the lease's row until they are the version in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// First day for which they count.
    pub effective: CivilDate,
    /// The terms, whole.
    #[serde(with = "record::within")]
    pub terms: Box<Terms>,
    /// Who proposed them.
    pub by: Party,
    /// When.
    pub time: Instant,
    /// Why.
    pub note: String,
    /// Who has signed them, in order of time.
    pub consents: Vec<Consent>,
    /// What was told meanwhile of blocks that the lease does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<(BlockName, Standing)>,
}

/// A signature on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The side.
    pub party: Party,
    /// The person.
    pub signatory: Signatory,
    /// The token's subject.
    pub subject: String,
    /// The address it came from; empty where there was none.
    pub peer_address: String,
    /// When, in business time.
    pub time: Instant,
}

impl Amendment {
    /// What is known of a block that the lease does not have.
    pub(super) fn standing_of(&self, block: &BlockName) -> Standing {
        let told = self.told.iter().find(|(name, _)| name == block);
        told.map(|(_, standing)| standing.clone()).unwrap_or_default()
    }

    /// Its signatures, on this hash.
    #[must_use]
    pub fn signatures(&self, terms_hash: TermsHash) -> Vec<Signature> {
        self.consents.iter().map(|consent| consent.on(terms_hash)).collect()
    }
}

impl Consent {
    /// It as the signature of this hash.
    #[must_use]
    pub fn on(&self, terms_hash: TermsHash) -> Signature {
        Signature {
            party: self.party,
            signatory: self.signatory.clone(),
            subject: self.subject.clone(),
            peer_address: self.peer_address.clone(),
            terms_hash,
            time: self.time,
        }
    }
}

impl Lease {
    /// The hash that is signed for terms of this lease.
    ///
    /// # Errors
    /// `INTERNAL`, as [`record::canonical`].
    pub fn hash_of(&self, terms: &Terms) -> Result<TermsHash, Error> {
        let operator = OperatorName::new(self.name.operator.clone());
        record::canonical(&operator, &self.tenant, terms).map(|canonical| canonical.hash)
    }

    /// The lease as it would be with the terms that are proposed; none where nothing is.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`; `TERM_OUT_OF_RANGE` where their rent cannot be computed.
    pub fn as_amended(&self, now: Instant) -> Result<Option<Self>, Error> {
        let Some(amendment) = self.life.amendment.clone() else { return Ok(None) };
        let mut lease = self.clone();
        lease.amend(amendment, now)?;
        Ok(Some(lease))
    }

    pub(super) fn propose_amendment(
        &mut self,
        mut terms: Terms,
        effective: CivilDate,
        note: &str,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.may_amend()?;
        if self.life.amendment.is_some() {
            return Err(refused(
                self.state,
                "An amendment is proposed already: sign it, or withdraw it first.",
            ));
        }
        self.check_amendment(&terms, effective, now)?;
        terms.contract.conditions = self.terms.contract.conditions.clone();
        terms.set_zones(|site| self.zone_of(site));
        if terms == self.terms {
            return Err(Error::invalid_field("terms", "are the terms in force: there is nothing to amend"));
        }
        self.life.amendment = Some(Amendment {
            effective,
            terms: Box::new(terms),
            by: by.party,
            time: now,
            note: note.to_owned(),
            consents: Vec::new(),
            told: Vec::new(),
        });
        // What cannot be computed is refused now, and not when it is signed.
        self.as_amended(now)?;
        self.go(Deed::Amend, now)?;
        Ok(Happened::AmendmentProposed)
    }

    /// Amended terms as those of an order under the agreement that the lease is under, as it was taken over: whatever has become
    /// of it since.
    pub(super) fn still_under(
        &self,
        terms: &Terms,
        master: Option<&MasterAgreementName>,
    ) -> Result<Terms, Error> {
        let agreed = self.terms.contract.master.as_deref();
        if master != agreed.map(|agreed| &agreed.agreement) {
            let problem = match agreed {
                Some(agreed) => format!("must stay {}", agreed.agreement),
                None => "must stay empty: the lease is under none".to_owned(),
            };
            return Err(Error::invalid_field("terms.master_agreement", problem));
        }
        let mut terms = terms.clone();
        if let Some(agreed) = agreed {
            agreed.clone().govern(&mut terms)?;
        }
        Ok(terms)
    }

    pub(super) fn sign_amendment(
        &mut self,
        hash: TermsHash,
        signatory: &Signatory,
        by: &Actor,
        now: Instant,
    ) -> Result<Happened, Error> {
        self.may_amend()?;
        let Some(mut amendment) = self.life.amendment.clone() else {
            return Err(refused(self.state, "No amendment is proposed."));
        };
        if self.start_of(amendment.effective) <= now {
            let problem = format!("The amendment has expired on {}: propose it again.", amendment.effective);
            return Err(refused(self.state, problem));
        }
        if amendment.consents.iter().any(|consent| consent.party == by.party) {
            return Err(refused(self.state, "This side has signed; the other side's signature is awaited."));
        }
        if hash != self.hash_of(&amendment.terms)? {
            return Err(Error::refused(
                Reason::TermsHashMismatch,
                "The hash is not the hash of the amendment's terms: read them again before signing.",
            ));
        }
        amendment.consents.push(Consent {
            party: by.party,
            signatory: signatory.clone(),
            subject: by.subject.clone(),
            peer_address: by.address.clone(),
            time: now,
        });
        if amendment.consents.len() < SIDES {
            self.life.amendment = Some(amendment);
            self.go(Deed::Amend, now)?;
            return Ok(Happened::AmendmentSigned);
        }
        self.amend(amendment, now)?;
        Ok(Happened::Amended)
    }

    pub(super) fn withdraw_amendment(&mut self, now: Instant) -> Result<Happened, Error> {
        if self.life.amendment.is_none() {
            return Err(refused(self.state, "No amendment is proposed."));
        }
        self.drop_amendment(now)?;
        Ok(Happened::AmendmentWithdrawn)
    }

    /// The proposed terms are off the table; nothing else changes.
    pub(super) fn drop_amendment(&mut self, now: Instant) -> Result<(), Error> {
        self.go(Deed::Amend, now)?;
        let held = self.added_claims().next().is_some();
        self.life.claims_due |= held;
        self.life.amendment = None;
        Ok(())
    }

    /// Both have signed: the next version is in force.
    fn amend(&mut self, amendment: Amendment, now: Instant) -> Result<(), Error> {
        let terms_hash = self.hash_of(&amendment.terms)?;
        if !amendment.terms.renews_as(&self.terms) {
            self.forget_renewals();
        }
        let (taken, spent) = (self.taken().len(), self.options_spent());
        self.premises = schedule::amend(&amendment.terms, &self.premises, taken, amendment.effective)?;
        for one in self.premises.iter_mut().take(amendment.terms.premises.len()).skip(taken) {
            one.standing = amendment.standing_of(&one.block);
            one.standing.options_spent = spent;
        }
        self.signatures = amendment.signatures(terms_hash);
        self.terms = *amendment.terms;
        self.terms_hash = terms_hash;
        self.version += 1;
        self.life.amendment = None;
        // They may have lain on the table while the window of an option closed: nothing is held for it again.
        self.drop_closed(self.today(now));
        self.nominations_of_new_terms(now);
        self.settle()?;
        self.value()?;
        self.go(Deed::Amend, now)
    }

    /// What was used of the renewals before says nothing of other ones.
    fn forget_renewals(&mut self) {
        for one in &mut self.premises {
            one.standing.options_spent = 0;
            one.standing.renewals.iter_mut().for_each(Renewed::forget);
        }
        self.life.renewals.iter_mut().for_each(|renewal| renewal.number = None);
    }

    /// The zone of a site that the lease knows.
    fn zone_of(&self, site: &SiteName) -> Option<Zone> {
        let blocks = self.premises.iter().filter(|one| one.block.site_name() == *site).map(|one| one.zone);
        let named_later = self.terms.nominations.iter().filter(|one| one.site == *site).map(|one| one.zone);
        blocks.chain(named_later).next()
    }

    /// What an amendment that is proposed takes of blocks that the lease does not have: held until it is signed, or off the
    /// table, and for the renewals that they would have.
    pub(super) fn added_claims(&self) -> impl Iterator<Item = Claim> {
        let added = self.life.amendment.iter().flat_map(|one| {
            let spent = if one.terms.renews_as(&self.terms) { self.options_spent() } else { 0 };
            let months = one.terms.months_left(spent);
            one.terms.premises.iter().skip(self.taken().len()).map(move |agreed| agreed.claim(months))
        });
        added
            .filter(|claim| !self.premises.iter().any(|one| one.block == claim.block && !one.state.is_over()))
    }

    fn may_amend(&self) -> Result<(), Error> {
        self.state.after(Deed::Amend)?;
        if self.life.holdover.as_ref().is_some_and(|one| one.until > one.from) {
            return Err(refused(
                self.state,
                "The tenant is to stay beyond the term, at the terms that it has.",
            ));
        }
        match &self.life.termination {
            Some(end) => Err(refused(self.state, format!("The lease is to end on {}.", end.end))),
            None => Ok(()),
        }
    }

    /// What amended terms must leave as it is, and from when on they may count. Every breach at once.
    fn check_amendment(&self, terms: &Terms, effective: CivilDate, now: Instant) -> Result<(), Error> {
        let mut v = Violations::new();
        if let Some(problem) = self.effective_problem(effective, self.today(now)) {
            v.add("effective_date", problem);
        }
        let currency = self.terms.currency;
        v.require(
            "terms.currency_code",
            terms.currency == currency,
            &format!("must stay {}", currency.code()),
        );
        let blocks = || self.terms.premises.iter().map(|agreed| &agreed.block);
        let taken = self.terms.premises.len();
        if !blocks().eq(terms.premises.iter().take(taken).map(|agreed| &agreed.block)) {
            let names: Vec<_> = blocks().map(ToString::to_string).collect();
            let problem = format!("must begin with the blocks of the lease: {}", names.join(", "));
            v.add("terms.premises", problem);
            return v.finish();
        }
        self.check_added(terms, effective, &mut v);
        // What a month comes to depends on them, and so does what was billed before the amendment counts.
        let begun = self.premises.iter().any(|one| one.commence_time.is_some());
        let (wanted, agreed) = (&terms.contract.rent, &self.terms.contract.rent);
        let same = !begun || wanted.frequency == agreed.frequency;
        v.require("terms.billing_frequency", same, "must stay as it is, since a block has commenced");
        let same = !begun || *agreed == RentRules { frequency: agreed.frequency, ..wanted.clone() };
        v.require("terms.rent", same, "must stay as it is, since a block has commenced");
        let (wanted, agreed) = (terms.contract.money, self.terms.contract.money);
        for (field, same) in [
            ("terms.prepayment", wanted.prepayment == agreed.prepayment),
            ("terms.minimum_take", wanted.minimum_take == agreed.minimum_take),
            ("terms.late_interest", wanted.late_interest == agreed.late_interest),
        ] {
            v.require(field, !begun || same, "must stay as it is, since a block has commenced");
        }
        let same = !self.has_open_rent() || terms.renews_as(&self.terms);
        let problem = "may differ in rent alone, while that of a renewal is to be agreed: state it";
        v.require("terms.renewal_options", same, problem);
        self.check_options(terms, &mut v);
        let all = terms.premises.iter().zip(self.taken()).enumerate();
        for (i, (wanted, stands)) in all {
            let path = |field: &str| format!("terms.premises[{i}].{field}");
            let (start, end) = (stands.agreed.start(), stands.agreed.end());
            let same = wanted.commencement == start;
            v.require(&path("commencement_date"), same, &format!("must stay {start}"));
            if stands.state.is_over() {
                let same = wanted.end == end;
                v.require(&path("end_date"), same, &format!("must stay {end}, since the block is over"));
            } else if (if wanted.end == end { stands.end } else { wanted.end }) <= effective {
                // A block that was renewed goes on after the end that its terms say.
                v.add(&path("end_date"), "must be later than effective_date");
            }
        }
        v.finish()
    }

    /// Blocks that the lease does not have begin when the terms count, and are not held for it already by other terms of it.
    fn check_added(&self, terms: &Terms, effective: CivilDate, v: &mut Violations) {
        for (i, added) in terms.premises.iter().enumerate().skip(self.terms.premises.len()) {
            if added.commencement < effective {
                let path = format!("terms.premises[{i}].commencement_date");
                v.add(&path, format!("must be {effective} or later, when the terms count"));
            }
            if self.open_expansions().any(|option| option.has(&added.block)) {
                let path = format!("terms.premises[{i}].block");
                v.add(&path, "is held for an option of the lease: exercise it, or name another block");
            }
        }
    }

    /// An option of amended terms is on blocks that options of the lease are on, or were.
    fn check_options(&self, terms: &Terms, v: &mut Violations) {
        let known = || self.premises.iter().skip(self.terms.premises.len()).map(|stands| &stands.block);
        for (i, option) in terms.expansion_options.iter().enumerate() {
            for (j, premises) in option.premises.iter().enumerate() {
                if !known().any(|block| *block == premises.block) {
                    v.add(
                        &format!("terms.expansion_options[{i}].premises[{j}].block"),
                        "must be a block of an option of the lease that is not exercised",
                    );
                }
            }
        }
    }

    fn effective_problem(&self, effective: CivilDate, today: CivilDate) -> Option<String> {
        let live = || self.premises.iter().filter(|one| one.state.is_live());
        let planned = live().filter(|one| one.state == PremisesState::Planned);
        let first = planned.map(|one| one.commencement).min().filter(|first| effective > *first);
        let last = live().map(|one| one.end).max().filter(|last| effective >= *last);
        if effective.day() != 1 {
            Some("must be the first of a month: rent is billed by the month".to_owned())
        } else if effective <= today {
            Some(format!("must be later than today, {today}"))
        } else if let Some(first) = first {
            Some(format!("must be {first} or earlier, when a block commences that has not yet"))
        } else {
            last.map(|last| format!("must be earlier than {last}, when the term ends"))
        }
    }
}

const SIDES: usize = 2;

#[cfg(test)]
#[path = "amendment_tests.rs"]
mod tests;
