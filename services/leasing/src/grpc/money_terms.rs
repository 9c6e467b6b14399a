//! What is agreed of money beside rent, to the wire.

use contracts::leasing::v1 as wire;
use kernel::{
    AccrualStart, DisputeTerms, DrawBasis, InterestYear, LateInterest, LeastOf, MinimumTake, MoneyTerms,
    Prepayment, RejectedInterest,
};
use runtime::wire::{to_decimal, to_money};

use super::terms::small;

/// Writes it into terms.
pub(super) fn write(money: &MoneyTerms, into: wire::LeaseTerms) -> wire::LeaseTerms {
    let deposit = |deposit: kernel::Deposit| wire::SecurityDeposit { amount: Some(to_money(deposit.amount)) };
    wire::LeaseTerms {
        prepayment: money.prepayment.map(prepayment),
        deposit: money.deposit.map(deposit),
        minimum_take: money.minimum_take.map(minimum_take),
        late_interest: money.late_interest.map(late_interest),
        dispute: money.dispute.map(dispute),
        ..into
    }
}

fn prepayment(prepayment: Prepayment) -> wire::Prepayment {
    wire::Prepayment {
        amount: Some(to_money(prepayment.amount)),
        draw_months: small(prepayment.draw_months),
        first_draw_month: small(prepayment.first_draw_month),
        basis: match prepayment.basis {
            DrawBasis::FromLease => wire::DrawBasis::FromLease,
            DrawBasis::FromEachBlock => wire::DrawBasis::FromEachBlock,
        }
        .into(),
    }
}

fn minimum_take(minimum: MinimumTake) -> wire::MinimumTake {
    let percent = |of: LeastOf| to_decimal(of.percent);
    let rate = |of: LeastOf| to_decimal(of.rate);
    wire::MinimumTake {
        energy_percent: minimum.energy.map(percent),
        shortfall_per_kwh: minimum.energy.map(rate),
        demand_percent: minimum.demand.map(percent),
        shortfall_per_kw_month: minimum.demand.map(rate),
    }
}

fn late_interest(late: LateInterest) -> wire::LateInterest {
    wire::LateInterest {
        annual_percent: Some(to_decimal(late.annual)),
        grace_days: small(late.grace_days),
        year: match late.year {
            InterestYear::Actual365 => wire::InterestYear::Actual365,
            InterestYear::Actual360 => wire::InterestYear::Actual360,
        }
        .into(),
        accrues_from: match late.accrues_from {
            AccrualStart::DueDate => wire::AccrualStart::DueDate,
            AccrualStart::GraceEnd => wire::AccrualStart::GraceEnd,
        }
        .into(),
        once_percent: late.once.map(to_decimal),
    }
}

fn dispute(dispute: DisputeTerms) -> wire::DisputeTerms {
    wire::DisputeTerms {
        window_days: small(dispute.window_days),
        rejected_interest: match dispute.rejected_interest {
            RejectedInterest::AsAgreed => wire::RejectedInterest::AsAgreed,
            RejectedInterest::FromAnswer => wire::RejectedInterest::FromAnswer,
        }
        .into(),
    }
}
