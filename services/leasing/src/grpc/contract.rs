//! What is agreed for the time after the signatures, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Percent, Violations};
use runtime::wire::{date, known, money_terms, optional_known, percent, rent_rules, to_date, to_decimal};

use super::{credit, rent, right};
use crate::domain::Party;
use crate::domain::contract::{
    Condition, Contract, CureTerms, DESCRIPTION_MAX, DeliveryTerms, HoldoverTerms, TermBasis,
    TerminationTerms,
};

const NAME_CHARS: usize = 200;
const DAYS_MAX: i32 = 3_650;

/// Reads it; whatever has no meaning is noted, and what comes back then counts for nothing.
pub(super) fn contract(v: &mut Violations, terms: &wire::LeaseTerms) -> Contract {
    let basis = optional_known::<wire::TermBasis>(v, "term_basis", terms.term_basis).flatten();
    let conditions = v.each("conditions", &terms.conditions, condition);
    Contract {
        end_user: name(v, "end_user", &terms.end_user),
        guarantor: name(v, "guarantor", &terms.guarantor),
        term_basis: match basis {
            Some(wire::TermBasis::FromEachPhase) => TermBasis::FromEachPhase,
            Some(wire::TermBasis::CoTerminous | wire::TermBasis::Unspecified) | None => {
                TermBasis::CoTerminous
            }
        },
        conditions: conditions.unwrap_or_default(),
        delivery: terms.delivery.as_ref().and_then(|terms| v.nested("delivery", |v| delivery(v, terms))),
        cure: terms.cure.as_ref().and_then(|terms| v.nested("cure", |v| cure(v, terms))),
        termination: terms.termination.as_ref().and_then(|terms| {
            v.nested("termination", |v| {
                let notice = within(v, "notice_months", terms.notice_months, 1, 120);
                let fee = within(v, "fee_months", terms.fee_months, 1, 240);
                Some(TerminationTerms { notice_months: notice?, fee_months: fee? })
            })
        }),
        expansion_rights: v
            .each("expansion_rights", &terms.expansion_rights, right::right)
            .unwrap_or_default(),
        holdover: terms.holdover.as_ref().and_then(|terms| v.nested("holdover", |v| holdover(v, terms))),
        credit_supports: v
            .each("credit_supports", &terms.credit_supports, credit::support)
            .unwrap_or_default(),
        rent: rent_rules(v, terms),
        money: money_terms(v, terms),
        // Taken over from the agreement that the terms name, once it is looked up.
        master: None,
    }
}

/// Reads days to cure.
pub(super) fn cure(v: &mut Violations, terms: &wire::CureTerms) -> Option<CureTerms> {
    let monetary = within(v, "monetary_days", terms.monetary_days, 1, 365);
    let other = within(v, "other_days", terms.other_days, 1, 365);
    Some(CureTerms { monetary_days: monetary?, other_days: other? })
}

/// Who is named, if anybody is.
fn name(v: &mut Violations, field: &str, text: &str) -> Option<String> {
    v.text(field, text, NAME_CHARS).filter(|text| !text.is_empty())
}

fn condition(v: &mut Violations, condition: &wire::Condition) -> Option<Condition> {
    let id = v.parse("condition_id", &condition.condition_id, kernel::SiteId::new);
    v.require("description", !condition.description.trim().is_empty(), "is required");
    let description = v.text("description", &condition.description, DESCRIPTION_MAX);
    let outside_date = date(v, "outside_date", condition.outside_date.as_ref());
    let party = known::<wire::ConditionParty>(v, "satisfied_by", condition.satisfied_by);
    let block = v.parse_optional("block", &condition.block, str::parse);
    Some(Condition {
        id: id?.to_string(),
        description: description?,
        outside_date: outside_date?,
        satisfied_by: match party? {
            wire::ConditionParty::Unspecified => return None,
            wire::ConditionParty::Operator => Party::Operator,
            wire::ConditionParty::Tenant => Party::Tenant,
        },
        block,
    })
}

fn delivery(v: &mut Violations, terms: &wire::DeliveryTerms) -> Option<DeliveryTerms> {
    let acceptance = within(v, "acceptance_days", terms.acceptance_days, 0, 365);
    let grace = within(v, "grace_days", terms.grace_days, 0, 365);
    let single = within(v, "single_abatement_days", terms.single_abatement_days, 0, DAYS_MAX);
    let outside = within(v, "outside_days", terms.outside_days, 0, DAYS_MAX);
    Some(DeliveryTerms {
        acceptance_days: acceptance?,
        grace_days: grace?,
        single_abatement_days: single?,
        outside_days: outside.map(|days| (days > 0).then_some(days))?,
    })
}

/// Reads what staying costs.
pub(super) fn holdover(v: &mut Violations, terms: &wire::HoldoverTerms) -> Option<HoldoverTerms> {
    let percent = percent(v, "rate_percent", terms.rate_percent.as_ref());
    let least = percent.is_none_or(|percent| percent >= LAST_RATE);
    v.require("rate_percent", least, "must be 100 to 1000: nobody pays less for staying");
    percent.map(|percent| HoldoverTerms { percent })
}

/// 100 percent of it.
const LAST_RATE: Percent = match Percent::from_scaled(100_000_000) {
    Some(percent) => percent,
    None => Percent::ZERO,
};

/// A number that must lie within bounds.
pub(super) fn within(v: &mut Violations, field: &str, number: i32, least: i32, most: i32) -> Option<u32> {
    if !(least..=most).contains(&number) {
        v.add(field, format!("must be {least} to {most}"));
    }
    u32::try_from(number).ok()
}

/// Writes it into terms.
pub(super) fn write(contract: &Contract, money: bool, into: wire::LeaseTerms) -> wire::LeaseTerms {
    let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    wire::LeaseTerms {
        end_user: contract.end_user.clone().unwrap_or_default(),
        guarantor: contract.guarantor.clone().unwrap_or_default(),
        term_basis: match contract.term_basis {
            TermBasis::CoTerminous => wire::TermBasis::CoTerminous,
            TermBasis::FromEachPhase => wire::TermBasis::FromEachPhase,
        }
        .into(),
        conditions: contract.conditions.iter().map(condition_to_wire).collect(),
        delivery: contract.delivery.map(|terms| wire::DeliveryTerms {
            acceptance_days: small(terms.acceptance_days),
            grace_days: small(terms.grace_days),
            single_abatement_days: small(terms.single_abatement_days),
            outside_days: small(terms.outside_days.unwrap_or(0)),
        }),
        cure: contract.cure.map(|terms| wire::CureTerms {
            monetary_days: small(terms.monetary_days),
            other_days: small(terms.other_days),
        }),
        termination: contract.termination.map(|terms| wire::TerminationTerms {
            notice_months: small(terms.notice_months),
            fee_months: small(terms.fee_months),
        }),
        expansion_rights: contract.expansion_rights.iter().map(right::right_to_wire).collect(),
        rent: rent::write(&contract.rent),
        credit_supports: contract
            .credit_supports
            .iter()
            .map(|support| credit::support_to_wire(support, money))
            .collect(),
        master_agreement: contract
            .master
            .as_ref()
            .map(|master| master.agreement.to_string())
            .unwrap_or_default(),
        holdover: contract
            .holdover
            .map(|terms| wire::HoldoverTerms { rate_percent: Some(to_decimal(terms.percent)) }),
        ..into
    }
}

fn condition_to_wire(condition: &Condition) -> wire::Condition {
    let party = match condition.satisfied_by {
        Party::Operator => wire::ConditionParty::Operator,
        Party::Tenant => wire::ConditionParty::Tenant,
    };
    wire::Condition {
        condition_id: condition.id.clone(),
        description: condition.description.clone(),
        outside_date: Some(to_date(condition.outside_date)),
        satisfied_by: party.into(),
        block: condition.block.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
