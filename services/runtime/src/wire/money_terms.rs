//! What is agreed of money beside rent: read alike by who agrees on it and by who bills it.

use contracts::google::r#type as google;
use contracts::leasing::v1 as wire;
use kernel::{
    AccrualStart, Deposit, DisputeTerms, DrawBasis, InterestYear, LateInterest, LeastOf, MinimumTake, Money,
    MoneyTerms, Percent, Prepayment, RejectedInterest, Violations,
};

use super::{money, optional_known, percent, rate, within};

const MONTHS_MAX: i32 = 600;
const GRACE_DAYS_MAX: i32 = 365;
const WINDOW_DAYS_MAX: i32 = 3650;
/// So that every reader of a signed record reads the same number.
const MINOR_MAX: i64 = 1_000_000_000_000_000;
/// 100 percent.
const WHOLE: Percent = match Percent::from_scaled(100_000_000) {
    Some(percent) => percent,
    None => Percent::ZERO,
};

/// Reads it; whatever has no meaning is noted, and what comes back then counts for nothing.
pub fn money_terms(v: &mut Violations, terms: &wire::LeaseTerms) -> MoneyTerms {
    let deposit = |v: &mut Violations, sent: &wire::SecurityDeposit| {
        Some(Deposit { amount: amount(v, sent.amount.as_ref())? })
    };
    MoneyTerms {
        prepayment: nested(v, "prepayment", terms.prepayment.as_ref(), prepayment),
        deposit: nested(v, "deposit", terms.deposit.as_ref(), deposit),
        minimum_take: nested(v, "minimum_take", terms.minimum_take.as_ref(), minimum_take),
        late_interest: nested(v, "late_interest", terms.late_interest.as_ref(), late_interest),
        dispute: nested(v, "dispute", terms.dispute.as_ref(), dispute),
    }
}

fn nested<S, T>(
    v: &mut Violations,
    field: &str,
    sent: Option<&S>,
    read: impl FnOnce(&mut Violations, &S) -> Option<T>,
) -> Option<T> {
    sent.and_then(|sent| v.nested(field, |v| read(v, sent)))
}

fn amount(v: &mut Violations, sent: Option<&google::Money>) -> Option<Money> {
    let amount = money(v, "amount", sent)?;
    let fits = (1..=MINOR_MAX).contains(&amount.minor);
    v.require("amount", fits, "must be more than 0 and at most 10^15 of its smallest unit").then_some(amount)
}

fn prepayment(v: &mut Violations, sent: &wire::Prepayment) -> Option<Prepayment> {
    let amount = amount(v, sent.amount.as_ref());
    let draw_months = within(v, "draw_months", sent.draw_months, 1, MONTHS_MAX);
    let first = within(v, "first_draw_month", sent.first_draw_month, 0, MONTHS_MAX - 1);
    let basis = optional_known::<wire::DrawBasis>(v, "basis", sent.basis).flatten();
    Some(Prepayment {
        amount: amount?,
        draw_months: draw_months?,
        first_draw_month: first?,
        basis: match basis {
            None | Some(wire::DrawBasis::Unspecified | wire::DrawBasis::FromLease) => DrawBasis::FromLease,
            Some(wire::DrawBasis::FromEachBlock) => DrawBasis::FromEachBlock,
        },
    })
}

fn minimum_take(v: &mut Violations, sent: &wire::MinimumTake) -> Option<MinimumTake> {
    let energy = ("energy_percent", sent.energy_percent.as_ref());
    let energy = least_of(v, energy, ("shortfall_per_kwh", sent.shortfall_per_kwh.as_ref()));
    let demand = ("demand_percent", sent.demand_percent.as_ref());
    let demand = least_of(v, demand, ("shortfall_per_kw_month", sent.shortfall_per_kw_month.as_ref()));
    let (energy, demand) = (energy?, demand?);
    let says = energy.is_some() || demand.is_some();
    v.require("energy_percent", says, "is required unless demand_percent is given")
        .then_some(MinimumTake { energy, demand })
}

/// A part and its price, both or neither.
fn least_of(
    v: &mut Violations,
    (part, of): (&str, Option<&google::Decimal>),
    (price, per_unit): (&str, Option<&google::Decimal>),
) -> Option<Option<LeastOf>> {
    if of.is_none() {
        return v.require(price, per_unit.is_none(), &format!("is for {part} only")).then_some(None);
    }
    let percent = part_of(v, part, of);
    let rate = rate(v, price, per_unit);
    v.require(price, rate.is_none_or(kernel::Rate::is_positive), "must be more than 0");
    Some(Some(LeastOf { percent: percent?, rate: rate? }))
}

/// A percentage above 0 and at most 100.
fn part_of(v: &mut Violations, field: &str, sent: Option<&google::Decimal>) -> Option<Percent> {
    let percent = percent(v, field, sent)?;
    let fits = percent > Percent::ZERO && percent <= WHOLE;
    v.require(field, fits, "must be more than 0 and at most 100").then_some(percent)
}

fn late_interest(v: &mut Violations, sent: &wire::LateInterest) -> Option<LateInterest> {
    let annual = part_of(v, "annual_percent", sent.annual_percent.as_ref());
    let grace_days = within(v, "grace_days", sent.grace_days, 0, GRACE_DAYS_MAX);
    let year = optional_known::<wire::InterestYear>(v, "year", sent.year).flatten();
    let from = optional_known::<wire::AccrualStart>(v, "accrues_from", sent.accrues_from).flatten();
    let once = match &sent.once_percent {
        None => Some(None),
        sent => part_of(v, "once_percent", sent.as_ref()).map(Some),
    };
    Some(LateInterest {
        annual: annual?,
        grace_days: grace_days?,
        year: match year {
            None | Some(wire::InterestYear::Unspecified | wire::InterestYear::Actual365) => {
                InterestYear::Actual365
            }
            Some(wire::InterestYear::Actual360) => InterestYear::Actual360,
        },
        accrues_from: match from {
            None | Some(wire::AccrualStart::Unspecified | wire::AccrualStart::DueDate) => {
                AccrualStart::DueDate
            }
            Some(wire::AccrualStart::GraceEnd) => AccrualStart::GraceEnd,
        },
        once: once?,
    })
}

fn dispute(v: &mut Violations, sent: &wire::DisputeTerms) -> Option<DisputeTerms> {
    let window_days = within(v, "window_days", sent.window_days, 1, WINDOW_DAYS_MAX);
    let rejected =
        optional_known::<wire::RejectedInterest>(v, "rejected_interest", sent.rejected_interest).flatten();
    Some(DisputeTerms {
        window_days: window_days?,
        rejected_interest: match rejected {
            None | Some(wire::RejectedInterest::Unspecified | wire::RejectedInterest::AsAgreed) => {
                RejectedInterest::AsAgreed
            }
            Some(wire::RejectedInterest::FromAnswer) => RejectedInterest::FromAnswer,
        },
    })
}
