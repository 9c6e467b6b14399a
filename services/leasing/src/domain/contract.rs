//! What is agreed for the time after the signatures: parties beside the two sides, conditions, delivery, default, the way
//! out.
//!
//! These types are the signed form themselves (a golden file holds them): a field that is renamed changes what was
//! signed, a new one must be left out of the record where it says nothing.

use kernel::{BlockName, CivilDate, Currency, MoneyTerms, OperatorId, Percent, RentRules};
use serde::{Deserialize, Serialize};

use super::agreement::MasterTerms;
use super::credit::CreditSupport;
use super::findings::Findings;
use super::lease::Party;
use super::right::ExpansionRight;

/// Conditions of one lease.
pub const CONDITIONS_MAX: usize = 50;
/// Rights to be asked first of one lease.
pub const RIGHTS_MAX: usize = 20;
/// A condition's description, in characters.
pub const DESCRIPTION_MAX: usize = 1_000;

/// How long a block that commences on another day than agreed is leased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TermBasis {
    /// Until its contract date.
    #[default]
    CoTerminous,
    /// For its whole term.
    FromEachPhase,
}

/// Something that must be so before the lease, or a block of it, takes effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Its id within the terms.
    pub id: String,
    /// What must be so.
    pub description: String,
    /// First day on which it is too late.
    pub outside_date: CivilDate,
    /// Who says that it is satisfied.
    pub satisfied_by: Party,
    /// The block that it is about; none is the whole lease.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub block: Option<BlockName>,
}

/// How blocks are handed over, and what a delay costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryTerms {
    /// Days from ready for service to deemed acceptance.
    pub acceptance_days: u32,
    /// Days of delay that cost nothing.
    pub grace_days: u32,
    /// Days of delay after the grace that abate one day each; later ones abate two.
    pub single_abatement_days: u32,
    /// Days of delay after which the tenant may terminate; none is never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outside_days: Option<u32>,
}

impl DeliveryTerms {
    /// Days of rent that a delay abates: none within the grace, then 1:1, then 2:1.
    #[must_use]
    pub fn abated_days(&self, late: u32) -> u32 {
        let counted = late.saturating_sub(self.grace_days);
        counted.saturating_add(counted.saturating_sub(self.single_abatement_days))
    }
}

/// Days to cure a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CureTerms {
    /// To pay.
    pub monetary_days: u32,
    /// To do anything else.
    pub other_days: u32,
}

impl CureTerms {
    /// What the market does, and holds where the terms say nothing.
    pub const USUAL: Self = Self { monetary_days: 10, other_days: 30 };
}

/// The tenant's right to end the lease for a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminationTerms {
    /// Months of notice.
    pub notice_months: u32,
    /// Months of rent, as they would have followed.
    pub fee_months: u32,
}

/// What a tenant pays that stays beyond the term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldoverTerms {
    /// Of the last rate.
    pub percent: Percent,
}

impl HoldoverTerms {
    /// What the market does, and holds where the terms say nothing.
    pub const USUAL: Self = Self {
        percent: match Percent::from_scaled(150_000_000) {
            Some(percent) => percent,
            None => Percent::ZERO,
        },
    };
}

/// Everything agreed for the time after the signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Who uses the capacity, where that is not the tenant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_user: Option<String>,
    /// Who stands behind the tenant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub guarantor: Option<String>,
    /// How long a block is leased that commences on another day.
    #[serde(skip_serializing_if = "is_co_terminous", default)]
    pub term_basis: TermBasis,
    /// What must be so first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conditions: Vec<Condition>,
    /// How blocks are handed over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery: Option<DeliveryTerms>,
    /// Days to cure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cure: Option<CureTerms>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub termination: Option<TerminationTerms>,
    /// Rights to be asked before other capacity is leased.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub expansion_rights: Vec<ExpansionRight>,
    /// How rent is counted and billed, what is let off, which index it follows.
    #[serde(skip_serializing_if = "RentRules::is_plain", default)]
    pub rent: RentRules,
    /// What is paid ahead, held, taken at least, and what late payment costs.
    #[serde(skip_serializing_if = "MoneyTerms::is_plain", default)]
    pub money: MoneyTerms,
    /// What it costs to stay beyond the term.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub holdover: Option<HoldoverTerms>,
    /// What stands behind the tenant.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credit_supports: Vec<CreditSupport>,
    /// What it has taken over, where it is an order under a master agreement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub master: Option<Box<MasterTerms>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_co_terminous(basis: &TermBasis) -> bool {
    *basis == TermBasis::CoTerminous
}

impl Contract {
    /// Whether nothing is said that a record of the first version could not say.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Days to cure a default.
    #[must_use]
    pub fn cure_days(&self, monetary: bool) -> u32 {
        let terms = self.cure.unwrap_or(CureTerms::USUAL);
        if monetary { terms.monetary_days } else { terms.other_days }
    }

    /// Notes an index beside a fixed escalator: a rate rises by one of them.
    pub fn check_rent(&self, escalates: bool, findings: &mut Findings) {
        if escalates && self.rent.index.is_some() {
            findings.invalid("terms.rent.index_escalator", "is not allowed beside terms.escalator");
        }
    }

    /// Notes amounts in another currency than the lease's.
    pub fn check_money(&self, currency: Option<Currency>, findings: &mut Findings) {
        let Some(currency) = currency else { return };
        for field in self.money.foreign(currency) {
            findings.invalid(&format!("terms.{field}"), format!("must be in {currency}"));
        }
    }

    /// Notes what the operator, the blocks and the dates of the terms do not allow, under `terms.conditions[i]` and
    /// `terms.expansion_rights[i]`.
    pub fn check(
        &self,
        operator: Option<&OperatorId>,
        blocks: &[Option<BlockName>],
        today: CivilDate,
        findings: &mut Findings,
    ) {
        self.check_conditions(blocks, today, findings);
        let count = self.expansion_rights.len();
        if count > RIGHTS_MAX {
            findings
                .invalid("terms.expansion_rights", format!("needs 0 to {RIGHTS_MAX} entries, has {count}"));
        }
        for (i, right) in self.expansion_rights.iter().enumerate() {
            let path = |field: &str| format!("terms.expansion_rights[{i}].{field}");
            if self.expansion_rights[..i].iter().any(|earlier| earlier.id == right.id) {
                findings.invalid(&path("right_id"), "is given twice");
            }
            if operator.is_some_and(|operator| operator != right.place.operator()) {
                findings.invalid(&path("place"), "must be of the lease's operator");
            }
        }
    }

    fn check_conditions(&self, blocks: &[Option<BlockName>], today: CivilDate, findings: &mut Findings) {
        let count = self.conditions.len();
        if count > CONDITIONS_MAX {
            findings.invalid("terms.conditions", format!("needs 0 to {CONDITIONS_MAX} entries, has {count}"));
        }
        for (i, condition) in self.conditions.iter().enumerate() {
            let path = |field: &str| format!("terms.conditions[{i}].{field}");
            if self.conditions[..i].iter().any(|earlier| earlier.id == condition.id) {
                findings.invalid(&path("condition_id"), "is given twice");
            }
            if condition.outside_date <= today {
                findings.invalid(&path("outside_date"), "must be later than today");
            }
            if condition.block.is_some() && !blocks.contains(&condition.block) {
                findings.invalid(&path("block"), "must be a block of the premises");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_costs_nothing_then_a_day_then_two() {
        let terms = DeliveryTerms {
            acceptance_days: 5,
            grace_days: 15,
            single_abatement_days: 30,
            outside_days: Some(120),
        };
        let abated = [0, 15, 16, 45, 46, 60].map(|late| terms.abated_days(late));
        assert_eq!(abated, [0, 0, 1, 30, 32, 60]);
    }
}
