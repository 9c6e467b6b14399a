//! Terms, there and back.

use std::str::FromStr as _;

use contracts::google::r#type::Decimal;
use contracts::leasing::v1 as wire;
use kernel::{CivilDate, Currency, EscalationBasis, MoneyTerms, OperatorName, Percent, Rate, Violations};
use runtime::wire::{
    capacity, date, escalation_basis, known, optional_date, percent, rate, to_capacity, to_date, to_decimal,
};

use super::{contract, expansion, money_terms, nomination, rent};
use crate::domain::Findings;
use crate::domain::draft::{Checked, Draft, EscalatorDraft, PremisesDraft, RateDraft, RenewalDraft};
use crate::domain::renewal_rent::MarketRent;
use crate::domain::terms::{PremisesTerms, ProfileStep, RateTerms, RenewalOption, Structure, Terms};

/// Reads terms that must be there, noting every field that has no meaning; the rules come after.
pub(super) fn draft(v: &mut Violations, terms: Option<&wire::LeaseTerms>) -> Option<Draft> {
    let terms = v.present("terms", terms)?;
    v.nested("terms", |v| {
        let currency = v.parse("currency_code", &terms.currency_code, Currency::from_str);
        let structure = known::<wire::LeaseStructure>(v, "structure", terms.structure).and_then(structure);
        let premises = terms
            .premises
            .iter()
            .enumerate()
            .map(|(i, one)| v.nested(&format!("premises[{i}]"), |v| premises(v, one)))
            .collect();
        let escalator = terms.escalator.as_ref().map(|one| v.nested("escalator", |v| escalator(v, one)));
        Some(Draft {
            currency,
            structure,
            premises,
            escalator,
            invoice_lead_days: terms.invoice_lead_days,
            payment_terms_days: terms.payment_terms_days,
            term_months: terms.term_months,
            renewal_options: v.each("renewal_options", &terms.renewal_options, renewal).unwrap_or_default(),
            expansion_options: terms
                .expansion_options
                .iter()
                .enumerate()
                .map(|(i, one)| v.nested(&format!("expansion_options[{i}]"), |v| expansion::draft(v, one)))
                .collect(),
            nominations: terms
                .nominations
                .iter()
                .enumerate()
                .map(|(i, one)| v.nested(&format!("nominations[{i}]"), |v| nomination::draft(v, one)))
                .collect(),
            announced: optional_date(v, "announced_date", terms.announced_date.as_ref()).flatten(),
            notes: terms.notes.clone(),
            contract: contract::contract(v, terms),
            master: v.parse_optional("master_agreement", &terms.master_agreement, str::parse),
        })
    })
}

/// Reads terms of which every rule is kept, for an operator; every breach is among the findings.
pub(super) fn checked(
    terms: Option<&wire::LeaseTerms>,
    parent: Option<&OperatorName>,
    today: CivilDate,
    findings: &mut Findings,
) -> Option<Checked> {
    let draft = draft(&mut findings.invalid, terms)?;
    draft.check(parent.map(|parent| &parent.operator), today, findings)
}

/// What a structure on the wire means; none is not said.
pub(super) fn structure(structure: wire::LeaseStructure) -> Option<Structure> {
    match structure {
        wire::LeaseStructure::Unspecified => None,
        wire::LeaseStructure::Nnn => Some(Structure::TripleNet),
        wire::LeaseStructure::ModifiedGross => Some(Structure::ModifiedGross),
        wire::LeaseStructure::Gross => Some(Structure::Gross),
    }
}

/// Reads one block.
pub(super) fn premises(v: &mut Violations, premises: &wire::Premises) -> PremisesDraft {
    let profile = premises
        .quantity_steps
        .iter()
        .enumerate()
        .map(|(i, step)| {
            v.nested(&format!("quantity_steps[{i}]"), |v| {
                (
                    date(v, "from_date", step.from_date.as_ref()),
                    capacity(v, "capacity", step.capacity.as_ref()),
                )
            })
        })
        .collect();
    let base = premises.base_rate_per_kw_month.as_ref();
    let rate = match (base, premises.rate_steps.as_slice()) {
        (Some(_), []) => Some(RateDraft::Base(rate(v, "base_rate_per_kw_month", base))),
        (None, [_, ..]) => Some(RateDraft::Stated(stated(v, &premises.rate_steps))),
        (None, []) | (Some(_), [_, ..]) => None,
    };
    PremisesDraft {
        block: v.parse("block", &premises.block, str::parse),
        profile,
        commencement: date(v, "commencement_date", premises.commencement_date.as_ref()),
        end: date(v, "end_date", premises.end_date.as_ref()),
        rate,
    }
}

fn stated(v: &mut Violations, steps: &[wire::RateStep]) -> Vec<(Option<CivilDate>, Option<kernel::Rate>)> {
    steps
        .iter()
        .enumerate()
        .map(|(i, step)| {
            v.nested(&format!("rate_steps[{i}]"), |v| {
                (
                    date(v, "from_date", step.from_date.as_ref()),
                    rate(v, "rate_per_kw_month", step.rate_per_kw_month.as_ref()),
                )
            })
        })
        .collect()
}

/// Reads an escalator.
pub(super) fn escalator(v: &mut Violations, escalator: &wire::Escalator) -> EscalatorDraft {
    let step = percent(v, "percent", escalator.percent.as_ref());
    let fits = step.is_none_or(|step| step > Percent::ZERO && step <= PERCENT_MAX);
    v.require("percent", fits, "must be more than 0 and at most 100");
    let basis = escalation_basis(v, escalator.basis, escalator.fixed_date.as_ref());
    EscalatorDraft { percent: step, basis }
}

/// 100 percent a year.
const PERCENT_MAX: Percent = match Percent::from_scaled(100_000_000) {
    Some(percent) => percent,
    None => Percent::ZERO,
};

fn renewal(v: &mut Violations, option: &wire::RenewalOption) -> Option<RenewalDraft> {
    let (rates, market) = renewal_rent(v, option).unwrap_or_default();
    Some(RenewalDraft {
        count: option.count,
        term_months: option.term_months,
        notice_months: option.notice_months,
        window_months: option.window_months,
        rates,
        market,
    })
}

/// Reads what the renewals of an option cost: the rates of the first of them, and what is agreed of the others.
pub(super) fn renewal_rent(
    v: &mut Violations,
    option: &wire::RenewalOption,
) -> Option<(Vec<Rate>, Option<MarketRent>)> {
    let count = usize::try_from(option.count).unwrap_or(0);
    let few = option.rates_per_kw_month.len() <= count;
    let most = format!("must have at most {count} entries, one for each renewal");
    let fits = v.require("rates_per_kw_month", few, &most);
    let sent = if fits { option.rates_per_kw_month.as_slice() } else { &[] };
    let rates = v.each("rates_per_kw_month", sent, |v, sent| {
        let rate = rate(v, "", Some(sent))?;
        v.require("", rate.is_positive(), "must be more than 0").then_some(rate)
    });
    let market = option.market_rent.as_ref();
    let market = market.map(|sent| v.nested("market_rent", |v| market_rent(v, sent)));
    Some((rates?, market))
}

fn market_rent(v: &mut Violations, sent: &wire::MarketRent) -> MarketRent {
    let mut share = |field: &str, sent: Option<&Decimal>| {
        let share = sent.and_then(|_| percent(v, field, sent));
        let more = share.is_none_or(|share| share > Percent::ZERO);
        v.require(field, more, "must be more than 0 and at most 1000");
        share
    };
    let floor = share("floor_percent", sent.floor_percent.as_ref());
    let cap = share("cap_percent", sent.cap_percent.as_ref());
    let rising = floor.zip(cap).is_none_or(|(floor, cap)| floor <= cap);
    v.require("cap_percent", rising, "must be floor_percent or more");
    MarketRent { floor, cap }
}

/// Writes terms. Without `money` rates and amounts are left out: dates and kW stay.
pub(super) fn to_wire(terms: &Terms, money: bool) -> wire::LeaseTerms {
    let written = wire::LeaseTerms {
        currency_code: terms.currency.code().to_owned(),
        structure: structure_to_wire(terms.structure).into(),
        premises: terms.premises.iter().map(|one| premises_to_wire(one, money)).collect(),
        escalator: terms.escalator.as_ref().filter(|_| money).map(escalator_to_wire),
        billing_frequency: rent::frequency(terms.contract.rent.frequency).into(),
        invoice_lead_days: small(terms.invoice_lead_days),
        payment_terms_days: small(terms.payment_terms_days),
        term_months: small(terms.term_months),
        renewal_options: terms.renewal_options.iter().map(|one| renewal_to_wire(one, money)).collect(),
        expansion_options: terms
            .expansion_options
            .iter()
            .map(|one| expansion::option_to_wire(one, money))
            .collect(),
        nominations: terms.nominations.iter().map(|one| nomination::term(one, money)).collect(),
        announced_date: terms.announced.map(to_date),
        notes: if money { terms.notes.clone() } else { String::new() },
        ..Default::default()
    };
    let agreed = if money { terms.contract.money } else { MoneyTerms::default() };
    money_terms::write(&agreed, contract::write(&terms.contract, money, written))
}

/// Writes a structure.
pub(super) fn structure_to_wire(structure: Structure) -> wire::LeaseStructure {
    match structure {
        Structure::TripleNet => wire::LeaseStructure::Nnn,
        Structure::ModifiedGross => wire::LeaseStructure::ModifiedGross,
        Structure::Gross => wire::LeaseStructure::Gross,
    }
}

/// Writes a right to renew.
pub(super) fn renewal_to_wire(option: &RenewalOption, money: bool) -> wire::RenewalOption {
    let market = option.market.filter(|_| money);
    wire::RenewalOption {
        count: small(option.count),
        term_months: small(option.term_months),
        notice_months: small(option.notice_months),
        window_months: small(option.window_months),
        rates_per_kw_month: option.rates.iter().filter(|_| money).map(to_decimal).collect(),
        market_rent: market.map(|MarketRent { floor, cap }| wire::MarketRent {
            floor_percent: floor.map(to_decimal),
            cap_percent: cap.map(to_decimal),
        }),
    }
}

/// Writes one block.
pub(super) fn premises_to_wire(premises: &PremisesTerms, money: bool) -> wire::Premises {
    let (base, steps) = match &premises.rate {
        _ if !money => (None, Vec::new()),
        RateTerms::Base(rate) => (Some(to_decimal(rate)), Vec::new()),
        RateTerms::Stated(steps) => (None, steps.iter().map(rate_step).collect()),
    };
    wire::Premises {
        block: premises.block.to_string(),
        quantity_steps: premises.profile.iter().map(quantity_step).collect(),
        commencement_date: Some(to_date(premises.commencement)),
        end_date: Some(to_date(premises.end)),
        base_rate_per_kw_month: base,
        rate_steps: steps,
    }
}

/// Writes one step of a load.
pub(super) fn quantity_step(step: &ProfileStep) -> wire::QuantityStep {
    wire::QuantityStep { from_date: Some(to_date(step.from)), capacity: Some(to_capacity(step.capacity)) }
}

/// Writes one step of a rate.
pub(super) fn rate_step(step: &kernel::RateStep) -> wire::RateStep {
    wire::RateStep { from_date: Some(to_date(step.from)), rate_per_kw_month: Some(to_decimal(step.rate)) }
}

/// Writes an escalator.
pub(super) fn escalator_to_wire(escalator: &kernel::Escalator) -> wire::Escalator {
    let (basis, fixed) = basis_to_wire(escalator.basis);
    wire::Escalator {
        percent: Some(to_decimal(escalator.percent)),
        basis: basis.into(),
        fixed_date: fixed.map(to_date),
    }
}

/// Writes when rates rise, with the date of the first rise where it is fixed.
pub(super) fn basis_to_wire(basis: EscalationBasis) -> (wire::EscalationBasis, Option<CivilDate>) {
    match basis {
        EscalationBasis::LeaseAnniversary => (wire::EscalationBasis::LeaseAnniversary, None),
        EscalationBasis::BlockAnniversary => (wire::EscalationBasis::BlockAnniversary, None),
        EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary => {
            (wire::EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary, None)
        }
        EscalationBasis::FixedDate(day) => (wire::EscalationBasis::FixedDate, Some(day)),
    }
}

/// Counts that the domain has bounded far below the type's limit.
pub(super) fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
