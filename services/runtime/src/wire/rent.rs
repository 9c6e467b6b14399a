//! What is agreed of rent beside load and rate: read alike by who agrees on it and by who bills it.

use contracts::google::r#type as google;
use contracts::leasing::v1 as wire;
use kernel::{
    Abatement, BillingFrequency, EscalationBasis, IndexEscalator, IndexMethod, Percent, PriceSeriesId,
    Proration, Rate, RentRules, RentTiming, Violations,
};

use super::{known, optional_date, optional_known, percent, rate, within};

/// Reads when rates rise.
pub fn escalation_basis(
    v: &mut Violations,
    basis: i32,
    fixed_date: Option<&google::Date>,
) -> Option<EscalationBasis> {
    let fixed = optional_date(v, "fixed_date", fixed_date).flatten();
    let basis = known::<wire::EscalationBasis>(v, "basis", basis);
    let is_fixed = basis == Some(wire::EscalationBasis::FixedDate);
    if is_fixed {
        v.present("fixed_date", fixed_date);
    } else {
        v.require("fixed_date", fixed_date.is_none(), "is for FIXED_DATE only");
    }
    match basis {
        None | Some(wire::EscalationBasis::Unspecified) => None,
        Some(wire::EscalationBasis::LeaseAnniversary) => Some(EscalationBasis::LeaseAnniversary),
        Some(wire::EscalationBasis::BlockAnniversary) => Some(EscalationBasis::BlockAnniversary),
        Some(wire::EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary) => {
            Some(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary)
        }
        Some(wire::EscalationBasis::FixedDate) => fixed.map(EscalationBasis::FixedDate),
    }
}

const ABATEMENTS_MAX: usize = 50;
const MONTHS_MAX: i32 = 600;
const LAG_MONTHS_MAX: i32 = 24;
/// 100 percent.
const WHOLE: Percent = match Percent::from_scaled(100_000_000) {
    Some(percent) => percent,
    None => Percent::ZERO,
};

/// Reads how rent is billed and counted; whatever has no meaning is noted, and what comes back then counts for nothing.
pub fn rent_rules(v: &mut Violations, terms: &wire::LeaseTerms) -> RentRules {
    let frequency = known::<wire::BillingFrequency>(v, "billing_frequency", terms.billing_frequency);
    let rules = terms.rent.as_ref().map(|sent| v.nested("rent", |v| said(v, sent))).unwrap_or_default();
    let frequency = match frequency {
        None | Some(wire::BillingFrequency::Unspecified | wire::BillingFrequency::Monthly) => {
            BillingFrequency::Monthly
        }
        Some(wire::BillingFrequency::Quarterly) => BillingFrequency::Quarterly,
        Some(wire::BillingFrequency::Yearly) => BillingFrequency::Yearly,
    };
    RentRules { frequency, ..rules }
}

fn said(v: &mut Violations, sent: &wire::RentTerms) -> RentRules {
    let proration = optional_known::<wire::Proration>(v, "proration", sent.proration).flatten();
    let timing = optional_known::<wire::RentTiming>(v, "timing", sent.timing).flatten();
    v.require("abatements", sent.abatements.len() <= ABATEMENTS_MAX, "needs 0 to 50 entries");
    let abatements = v.each("abatements", sent.abatements.iter().take(ABATEMENTS_MAX), abatement);
    let abatements = abatements.unwrap_or_default();
    let apart = |pair: &[Abatement]| pair[0].end_month().is_some_and(|end| end <= pair[1].first_month);
    let in_order = abatements.windows(2).all(apart);
    v.require("abatements", in_order, "must be in order of first_month, no month twice");
    RentRules {
        frequency: BillingFrequency::default(),
        proration: match proration {
            None | Some(wire::Proration::Unspecified | wire::Proration::ActualActual) => {
                Proration::ActualActual
            }
            Some(wire::Proration::Thirty360) => Proration::Thirty360,
            Some(wire::Proration::Actual365) => Proration::Actual365,
        },
        timing: match timing {
            None | Some(wire::RentTiming::Unspecified | wire::RentTiming::InAdvance) => RentTiming::InAdvance,
            Some(wire::RentTiming::InArrears) => RentTiming::InArrears,
        },
        abatements,
        index: sent.index_escalator.as_ref().and_then(|sent| v.nested("index_escalator", |v| index(v, sent))),
    }
}

fn abatement(v: &mut Violations, sent: &wire::Abatement) -> Option<Abatement> {
    let first_month = within(v, "first_month", sent.first_month, 0, MONTHS_MAX - 1);
    let months = within(v, "months", sent.months, 1, MONTHS_MAX);
    let percent = percent(v, "percent", sent.percent.as_ref());
    let fits = percent.is_none_or(|percent| percent > Percent::ZERO && percent <= WHOLE);
    v.require("percent", fits, "must be more than 0 and at most 100");
    Some(Abatement { first_month: first_month?, months: months?, percent: percent? })
}

fn index(v: &mut Violations, sent: &wire::IndexEscalator) -> Option<IndexEscalator> {
    let series = v.parse("price_series_id", &sent.price_series_id, str::parse::<PriceSeriesId>);
    let base = rate(v, "base_value", sent.base_value.as_ref());
    v.require("base_value", base.is_none_or(Rate::is_positive), "must be more than 0");
    let lag_months = within(v, "lag_months", sent.lag_months, 0, LAG_MONTHS_MAX);
    let floor = match &sent.floor_percent {
        None => Some(Percent::ZERO),
        sent => percent(v, "floor_percent", sent.as_ref()),
    };
    let fits = floor.is_none_or(|floor| floor >= Percent::ZERO && floor <= WHOLE);
    v.require("floor_percent", fits, "must be 0 to 100");
    let cap = sent.cap_percent.as_ref().map(|cap| percent(v, "cap_percent", Some(cap)));
    let bounds = cap.flatten().zip(floor);
    let fits = bounds.is_none_or(|(cap, floor)| cap >= floor && cap <= WHOLE);
    v.require("cap_percent", fits, "must be from floor_percent to 100");
    let method = known::<wire::IndexMethod>(v, "method", sent.method);
    let basis = escalation_basis(v, sent.basis, sent.fixed_date.as_ref());
    Some(IndexEscalator {
        series: series?,
        base: base?,
        lag_months: lag_months?,
        floor: floor?,
        cap: cap.map_or(Some(None), |cap| cap.map(Some))?,
        method: match method? {
            wire::IndexMethod::Unspecified => return None,
            wire::IndexMethod::Compounding => IndexMethod::Compounding,
            wire::IndexMethod::BaseOnBase => IndexMethod::BaseOnBase,
        },
        basis: basis?,
    })
}
