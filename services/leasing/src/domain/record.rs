//! The record that both sides sign: canonical JSON (RFC 8785) of the terms, and its SHA-256.
//!
//! The record is a type of its own, of text and whole numbers, so that no change of a type elsewhere can change a
//! signed byte. A new kind of term is a new record version; old versions stay readable for ever.

use std::str::FromStr;

use kernel::{
    CapacityVector, CivilDate, Currency, Error, EscalationBasis, Escalator, OperatorName, Rate, RateStep,
    TenantName, Zone,
};
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::expansion::ExpansionOption;
use super::nomination_record::NominationRecord;
use super::renewal_record::RenewalRecord;
use super::terms::{PremisesTerms, ProfileStep, RateTerms, RenewalOption, Structure, Terms};
pub use super::terms_hash::{TermsHash, Unreadable};

/// A terms record as signed and stored, with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The bytes that are hashed.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub hash: TermsHash,
}

/// The canonical record of these terms between these parties.
///
/// # Errors
/// `INTERNAL` if the record cannot be written, which its types do not allow.
pub fn canonical(operator: &OperatorName, tenant: &TenantName, terms: &Terms) -> Result<Canonical, Error> {
    canonical_of(&Record::of(operator.to_string(), tenant.to_string(), terms))
}

/// The canonical bytes of any record, and their hash.
pub(super) fn canonical_of(record: &impl Serialize) -> Result<Canonical, Error> {
    let bytes = serde_json_canonicalizer::to_vec(record).map_err(Error::internal)?;
    let hash = TermsHash::of(&bytes);
    Ok(Canonical { bytes, hash })
}

/// The terms of a stored record.
///
/// # Errors
/// `INTERNAL` when the stored bytes are no record of a known version: they were written by us and hashed.
pub fn read(bytes: &[u8]) -> Result<Terms, Error> {
    let record: Record = serde_json::from_slice(bytes).map_err(Error::internal)?;
    record.into_terms().ok_or_else(|| Error::internal(Unreadable))
}

/// Terms within another document: their record, between nobody yet.
pub(super) mod within {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::{Record, Terms, Unreadable};

    pub(in super::super) fn serialize<S: Serializer>(terms: &Terms, to: S) -> Result<S::Ok, S::Error> {
        Record::of(String::new(), String::new(), terms).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<Terms>, D::Error> {
        let terms = Record::deserialize(from)?.into_terms();
        terms.map(Box::new).ok_or_else(|| D::Error::custom(Unreadable))
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    operator: String,
    tenant: String,
    currency_code: String,
    structure: String,
    premises: Vec<PremisesRecord>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    escalator: Option<EscalatorRecord>,
    billing_frequency: String,
    invoice_lead_days: u32,
    payment_terms_days: u32,
    term_months: u32,
    renewal_options: Vec<RenewalRecord>,
    /// Since version 2.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    expansion_options: Vec<ExpansionRecord>,
    /// Since version 2.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    nominations: Vec<NominationRecord>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    announced_date: Option<String>,
    notes: String,
    /// Since version 2.
    #[serde(skip_serializing_if = "Contract::is_plain", default)]
    contract: Contract,
}

#[derive(Serialize, Deserialize)]
struct PremisesRecord {
    block: String,
    time_zone: String,
    commencement_date: String,
    end_date: String,
    quantity_steps: Vec<QuantityRecord>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    base_rate_per_kw_month: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    rate_steps: Vec<RateRecord>,
}

#[derive(Serialize, Deserialize)]
struct QuantityRecord {
    from_date: String,
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    /// Left out where there are none, so that the hash of terms without them never depended on them.
    #[serde(skip_serializing_if = "is_none", default)]
    accelerators: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(count: &i64) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
struct RateRecord {
    from_date: String,
    rate_per_kw_month: String,
}

#[derive(Serialize, Deserialize)]
struct EscalatorRecord {
    percent: String,
    basis: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    fixed_date: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ExpansionRecord {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    first_notice_date: Option<String>,
    last_notice_date: String,
    premises: Vec<PremisesRecord>,
}

/// Of terms that say nothing for the time after the signatures; whoever reads it only must not pass over what they say.
const PLAIN: u32 = 1;
/// Of all others.
const VERSION: u32 = 2;

fn version(contract: &Contract, nothing_later: bool) -> u32 {
    if contract.is_plain() && nothing_later { PLAIN } else { VERSION }
}

pub(super) fn date(date: CivilDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

impl Record {
    fn of(operator: String, tenant: String, terms: &Terms) -> Self {
        Self {
            version: version(
                &terms.contract,
                terms.expansion_options.is_empty()
                    && terms.nominations.is_empty()
                    && terms.renewal_options.iter().all(RenewalOption::goes_on),
            ),
            operator,
            tenant,
            currency_code: terms.currency.code().to_owned(),
            structure: terms.structure.name().to_owned(),
            premises: terms.premises.iter().map(PremisesRecord::of).collect(),
            escalator: terms.escalator.as_ref().map(EscalatorRecord::of),
            billing_frequency: terms.contract.rent.frequency.as_str().to_owned(),
            invoice_lead_days: terms.invoice_lead_days,
            payment_terms_days: terms.payment_terms_days,
            term_months: terms.term_months,
            renewal_options: terms.renewal_options.iter().map(RenewalRecord::of).collect(),
            expansion_options: terms.expansion_options.iter().map(ExpansionRecord::of).collect(),
            nominations: terms.nominations.iter().map(NominationRecord::of).collect(),
            announced_date: terms.announced.map(date),
            notes: terms.notes.clone(),
            contract: terms.contract.clone(),
        }
    }

    fn into_terms(self) -> Option<Terms> {
        let nothing_later = self.expansion_options.is_empty()
            && self.nominations.is_empty()
            && self.renewal_options.iter().all(RenewalRecord::goes_on);
        let version = version(&self.contract, nothing_later);
        if self.version != version || self.billing_frequency != self.contract.rent.frequency.as_str() {
            return None;
        }
        Some(Terms {
            currency: Currency::new(&self.currency_code)?,
            structure: [Structure::TripleNet, Structure::ModifiedGross, Structure::Gross]
                .into_iter()
                .find(|structure| structure.name() == self.structure)?,
            premises: self.premises.into_iter().map(PremisesRecord::into_terms).collect::<Option<_>>()?,
            escalator: match self.escalator {
                None => None,
                Some(record) => Some(record.into_escalator()?),
            },
            invoice_lead_days: self.invoice_lead_days,
            payment_terms_days: self.payment_terms_days,
            term_months: self.term_months,
            renewal_options: self.renewal_options.iter().map(RenewalRecord::option).collect::<Option<_>>()?,
            expansion_options: self
                .expansion_options
                .into_iter()
                .map(ExpansionRecord::option)
                .collect::<Option<_>>()?,
            nominations: self
                .nominations
                .into_iter()
                .map(NominationRecord::nomination)
                .collect::<Option<_>>()?,
            announced: match self.announced_date {
                None => None,
                Some(text) => Some(text.parse().ok()?),
            },
            notes: self.notes,
            contract: self.contract,
        })
    }
}

impl PremisesRecord {
    fn of(premises: &PremisesTerms) -> Self {
        let (base, steps) = match &premises.rate {
            RateTerms::Base(rate) => (Some(rate.to_string()), Vec::new()),
            RateTerms::Stated(steps) => (None, steps.iter().map(RateRecord::of).collect()),
        };
        Self {
            block: premises.block.to_string(),
            time_zone: premises.zone.to_string(),
            commencement_date: date(premises.commencement),
            end_date: date(premises.end),
            quantity_steps: premises.profile.iter().map(QuantityRecord::of).collect(),
            base_rate_per_kw_month: base,
            rate_steps: steps,
        }
    }

    fn into_terms(self) -> Option<PremisesTerms> {
        let rate = match self.base_rate_per_kw_month {
            Some(text) => RateTerms::Base(Rate::from_str(&text).ok()?),
            None => RateTerms::Stated(self.rate_steps.iter().map(RateRecord::step).collect::<Option<_>>()?),
        };
        Some(PremisesTerms {
            block: self.block.parse().ok()?,
            zone: Zone::from_str(&self.time_zone).ok()?,
            profile: self.quantity_steps.iter().map(QuantityRecord::step).collect::<Option<_>>()?,
            commencement: self.commencement_date.parse().ok()?,
            end: self.end_date.parse().ok()?,
            rate,
        })
    }
}

impl QuantityRecord {
    fn of(step: &ProfileStep) -> Self {
        Self {
            from_date: date(step.from),
            critical_it_kw: step.capacity.critical_it,
            air_cooling_kw: step.capacity.air,
            liquid_cooling_kw: step.capacity.liquid,
            immersion_cooling_kw: step.capacity.immersion,
            accelerators: step.capacity.accelerators,
        }
    }

    fn step(&self) -> Option<ProfileStep> {
        Some(ProfileStep {
            from: self.from_date.parse().ok()?,
            capacity: CapacityVector {
                critical_it: self.critical_it_kw,
                air: self.air_cooling_kw,
                liquid: self.liquid_cooling_kw,
                immersion: self.immersion_cooling_kw,
                accelerators: self.accelerators,
            },
        })
    }
}

impl RateRecord {
    fn of(step: &RateStep) -> Self {
        Self { from_date: date(step.from), rate_per_kw_month: step.rate.to_string() }
    }

    fn step(&self) -> Option<RateStep> {
        Some(RateStep {
            from: self.from_date.parse().ok()?,
            rate: Rate::from_str(&self.rate_per_kw_month).ok()?,
        })
    }
}

impl EscalatorRecord {
    fn of(escalator: &Escalator) -> Self {
        let (basis, fixed) = match escalator.basis {
            EscalationBasis::LeaseAnniversary => ("LEASE_ANNIVERSARY", None),
            EscalationBasis::BlockAnniversary => ("BLOCK_ANNIVERSARY", None),
            EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary => {
                ("FIRST_OF_MONTH_ON_OR_AFTER_BLOCK_ANNIVERSARY", None)
            }
            EscalationBasis::FixedDate(day) => ("FIXED_DATE", Some(date(day))),
        };
        Self { percent: escalator.percent.to_string(), basis: basis.to_owned(), fixed_date: fixed }
    }

    fn into_escalator(self) -> Option<Escalator> {
        let basis = match (self.basis.as_str(), self.fixed_date) {
            ("LEASE_ANNIVERSARY", None) => EscalationBasis::LeaseAnniversary,
            ("BLOCK_ANNIVERSARY", None) => EscalationBasis::BlockAnniversary,
            ("FIRST_OF_MONTH_ON_OR_AFTER_BLOCK_ANNIVERSARY", None) => {
                EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary
            }
            ("FIXED_DATE", Some(day)) => EscalationBasis::FixedDate(day.parse().ok()?),
            _ => return None,
        };
        Some(Escalator { percent: self.percent.parse().ok()?, basis })
    }
}

impl ExpansionRecord {
    fn of(option: &ExpansionOption) -> Self {
        Self {
            id: option.id.clone(),
            first_notice_date: option.first.map(date),
            last_notice_date: date(option.last),
            premises: option.premises.iter().map(PremisesRecord::of).collect(),
        }
    }

    fn option(self) -> Option<ExpansionOption> {
        Some(ExpansionOption {
            id: self.id,
            first: match self.first_notice_date {
                None => None,
                Some(text) => Some(text.parse().ok()?),
            },
            last: self.last_notice_date.parse().ok()?,
            premises: self.premises.into_iter().map(PremisesRecord::into_terms).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{date, river_bend, terms};

    /// What was signed once must have the same bytes for ever: this file never changes, a new record version adds
    /// another.
    const GOLDEN: &str = include_str!("terms_record.golden.json");

    fn parties() -> (OperatorName, TenantName) {
        ("operators/hut8".parse().unwrap(), "tenants/fluidstack".parse().unwrap())
    }

    #[test]
    fn the_record_is_the_golden_one() {
        let (operator, tenant) = parties();
        let canonical = canonical(&operator, &tenant, &terms(river_bend(), "America/Chicago")).unwrap();
        assert_eq!(String::from_utf8(canonical.bytes).unwrap(), GOLDEN.trim_end());
        assert_eq!(
            format!("{:?}", canonical.hash),
            "eb125044efb3b3b68c10e3c8cfd5cd2823268abac2653d0573f3caf371654416"
        );
    }

    #[test]
    fn every_kind_of_terms_reads_back() {
        let (operator, tenant) = parties();
        let mut all = terms(river_bend(), "America/Chicago");
        for basis in [
            EscalationBasis::LeaseAnniversary,
            EscalationBasis::BlockAnniversary,
            EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary,
            EscalationBasis::FixedDate(date("2029-01-01")),
        ] {
            all.escalator = Some(Escalator { percent: "2.5".parse().unwrap(), basis });
            let canonical = canonical(&operator, &tenant, &all).unwrap();
            assert_eq!(read(&canonical.bytes).unwrap(), all);
        }
        all.escalator = None;
        all.announced = None;
        let steps = vec![RateStep { from: all.premises[0].commencement, rate: "1.5".parse().unwrap() }];
        all.premises[0].rate = RateTerms::Stated(steps);
        for structure in [Structure::TripleNet, Structure::ModifiedGross, Structure::Gross] {
            all.structure = structure;
            let canonical = canonical(&operator, &tenant, &all).unwrap();
            assert_eq!(read(&canonical.bytes).unwrap(), all);
        }
    }

    /// As the one above, for all that can be agreed for the time after the signatures.
    #[test]
    fn the_record_of_a_whole_contract_is_the_golden_one() {
        let (operator, tenant) = parties();
        let mut all = terms(river_bend(), "America/Chicago");
        all.contract = crate::domain::testing::contract();
        let canonical = canonical(&operator, &tenant, &all).unwrap();
        assert_eq!(read(&canonical.bytes).unwrap(), all);
        let text = String::from_utf8(canonical.bytes).unwrap();
        assert_eq!(text, include_str!("contract_record.golden.json").trim_end());
    }

    #[test]
    fn any_change_is_another_hash_and_a_stranger_is_refused() {
        let (operator, tenant) = parties();
        let terms = terms(river_bend(), "America/Chicago");
        let signed = canonical(&operator, &tenant, &terms).unwrap();
        let mut other = terms.clone();
        other.payment_terms_days += 1;
        assert_ne!(canonical(&operator, &tenant, &other).unwrap().hash, signed.hash);
        let someone: TenantName = "tenants/anthropic".parse().unwrap();
        assert_ne!(canonical(&operator, &someone, &terms).unwrap().hash, signed.hash);
        assert!(read(b"{}").is_err());
        let later = String::from_utf8(signed.bytes).unwrap().replace("\"version\":1", "\"version\":2");
        assert!(read(later.as_bytes()).is_err());
    }
}
