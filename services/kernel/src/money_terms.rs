//! What is agreed of money beside rent: what is paid ahead and how it is credited, what is held, the least that is taken,
//! what late payment costs, and how invoices are disputed.
//!
//! These types are part of signed records: a field that is renamed changes what was signed, a new one must be left out
//! of the record where it says nothing.

use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::money::{Currency, Money, Percent, Rate};
use crate::time::{CivilDate, YearMonth};

/// From which month on what was paid ahead is credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DrawBasis {
    /// All of it from the first month of rent.
    #[default]
    FromLease,
    /// Each block's part, by its load, from the block's own first month of rent.
    FromEachBlock,
}

/// What is paid ahead, and credited against rent month by month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prepayment {
    /// How much.
    pub amount: Money,
    /// In how many equal monthly credits it is given back.
    pub draw_months: u32,
    /// The month of the first credit, counted from the first month of rent: 0 is that month.
    pub first_draw_month: u32,
    /// Whose first month of rent counts.
    pub basis: DrawBasis,
}

/// A block as credits count it: its first month of rent, and its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawBlock {
    /// The first month of rent.
    pub from: YearMonth,
    /// Its weight, kW.
    pub kw: i64,
}

impl Prepayment {
    /// What is credited by the end of a month, in minor units: the running total is rounded, so that all credits together
    /// are what was paid. `None` beyond 64 bits.
    #[must_use]
    pub fn due_by(&self, blocks: &[DrawBlock], month: YearMonth) -> Option<i64> {
        let amount = Exact::from(self.amount.minor);
        match self.basis {
            DrawBasis::FromLease => match blocks.iter().map(|block| block.from).min() {
                Some(first) => (&amount * &self.part(first, month)).rounded(),
                None => Some(0),
            },
            DrawBasis::FromEachBlock => {
                let all: i64 = blocks.iter().map(|block| block.kw).sum();
                let parts: Vec<Exact> = blocks
                    .iter()
                    .filter_map(|block| Some(&Exact::ratio(block.kw, all)? * &self.part(block.from, month)))
                    .collect();
                (&amount * &Exact::sum(&parts)).rounded()
            }
        }
    }

    /// The part of it that is credited by the end of a month, where rent begins in `first`.
    fn part(&self, first: YearMonth, month: YearMonth) -> Exact {
        let months = i64::from(first.months_until(month)) + 1 - i64::from(self.first_draw_month);
        let all = i64::from(self.draw_months);
        Exact::ratio(months.clamp(0, all), all).unwrap_or_else(Exact::zero)
    }
}

/// What the operator holds against what the tenant may come to owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deposit {
    /// How much.
    pub amount: Money,
}

/// The least of a month that is charged, measured or not, and what each unit short of it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LeastOf {
    /// Of the contracted load, in percent: of every hour for energy, of the highest interval for load.
    pub percent: Percent,
    /// A unit short: a kWh, or a kW for the month.
    pub rate: Rate,
}

/// What is taken or paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct MinimumTake {
    /// Of energy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy: Option<LeastOf>,
    /// Of load.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub demand: Option<LeastOf>,
}

/// By how many days a year of interest goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum InterestYear {
    /// 365, in a leap year too.
    #[default]
    #[serde(rename = "ACTUAL_365")]
    Actual365,
    /// 360.
    #[serde(rename = "ACTUAL_360")]
    Actual360,
}

impl InterestYear {
    /// How many days.
    #[must_use]
    pub const fn days(self) -> i64 {
        match self {
            Self::Actual365 => 365,
            Self::Actual360 => 360,
        }
    }
}

/// From when on interest counts once the grace is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccrualStart {
    /// From the due date: the grace only decides whether.
    #[default]
    DueDate,
    /// From the end of the grace.
    GraceEnd,
}

/// Simple interest on what is paid late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LateInterest {
    /// A year's interest.
    pub annual: Percent,
    /// What is paid so many days after the due date bears none.
    pub grace_days: u32,
    /// By how many days a year goes.
    pub year: InterestYear,
    /// From when on it counts.
    pub accrues_from: AccrualStart,
    /// Charged once on what is open when the grace ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub once: Option<Percent>,
}

impl LateInterest {
    /// Interest on so much over so many days, not rounded: `minor_days` is the sum over days of what bears it.
    #[must_use]
    pub fn on(&self, minor_days: &Exact) -> Exact {
        let of_a_day = Exact::from(self.annual).over(&Exact::from(self.year.days()));
        minor_days * &of_a_day.unwrap_or_else(Exact::zero)
    }

    /// The day from which on days count for an invoice, and the last day of its grace.
    #[must_use]
    pub fn bounds(&self, due: CivilDate) -> Option<(CivilDate, CivilDate)> {
        let grace = due.checked_add_days(chrono::Days::new(self.grace_days.into()))?;
        match self.accrues_from {
            AccrualStart::DueDate => Some((due, grace)),
            AccrualStart::GraceEnd => Some((grace, grace)),
        }
    }
}

/// What becomes of the interest on what was disputed in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectedInterest {
    /// It is as if nothing had been disputed.
    #[default]
    AsAgreed,
    /// None for the days of the dispute.
    FromAnswer,
}

/// How lines of invoices are disputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DisputeTerms {
    /// Within so many days of the day of issue.
    pub window_days: u32,
    /// What becomes of the interest on what was disputed in vain.
    pub rejected_interest: RejectedInterest,
}

impl DisputeTerms {
    /// The last day on which a line of an invoice of that day may be disputed; `None` beyond the calendar.
    #[must_use]
    pub fn last_day(&self, issued: CivilDate) -> Option<CivilDate> {
        issued.checked_add_days(chrono::Days::new(self.window_days.into()))
    }
}

/// All of it. The default is what holds where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MoneyTerms {
    /// Paid ahead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prepayment: Option<Prepayment>,
    /// Held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deposit: Option<Deposit>,
    /// The least that is taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub minimum_take: Option<MinimumTake>,
    /// What late payment costs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late_interest: Option<LateInterest>,
    /// How lines of invoices are disputed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispute: Option<DisputeTerms>,
}

impl MoneyTerms {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The names of amounts in another currency than the lease's.
    #[must_use]
    pub fn foreign(&self, currency: Currency) -> Vec<&'static str> {
        let prepayment = self.prepayment.map(|one| ("prepayment.amount", one.amount));
        let deposit = self.deposit.map(|one| ("deposit.amount", one.amount));
        let amounts = [prepayment, deposit].into_iter().flatten();
        amounts.filter(|(_, amount)| amount.currency != currency).map(|(field, _)| field).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, "USD".parse().unwrap())
    }

    fn month(year: i32, month: u32) -> YearMonth {
        YearMonth::new(year, month).unwrap()
    }

    fn paid_ahead(minor: i64, draw_months: u32, basis: DrawBasis) -> Prepayment {
        Prepayment { amount: usd(minor), draw_months, first_draw_month: 0, basis }
    }

    #[test]
    fn credits_are_equal_and_add_up_to_what_was_paid() {
        let block = [DrawBlock { from: month(2027, 1), kw: 60_000 }];
        let core42 = paid_ahead(9_000_000_000, 60, DrawBasis::FromLease);
        assert_eq!(core42.due_by(&block, month(2026, 12)), Some(0));
        assert_eq!(core42.due_by(&block, month(2027, 1)), Some(150_000_000));
        assert_eq!(core42.due_by(&block, month(2028, 12)), Some(3_600_000_000));
        assert_eq!(core42.due_by(&block, month(2040, 1)), Some(9_000_000_000));
        // A cent that cannot be divided comes when the running total has reached it.
        let odd = Prepayment { first_draw_month: 2, ..paid_ahead(100, 3, DrawBasis::FromLease) };
        let by = |m| odd.due_by(&block, month(2027, m)).unwrap();
        assert_eq!([by(1), by(2), by(3), by(4), by(5), by(6)], [0, 0, 33, 67, 100, 100]);
    }

    /// B-19: 20 % of 9.7 billion over 60 months; phases that start in other months have their own 60.
    #[test]
    fn each_phase_has_its_own_clock() {
        let starts = [(2026, 4), (2026, 7), (2026, 10), (2027, 1)];
        let phases = starts.map(|(y, m)| DrawBlock { from: month(y, m), kw: 50_000 });
        let whole = paid_ahead(194_000_000_000, 60, DrawBasis::FromEachBlock);
        let in_month = |at: YearMonth| {
            let before = at.previous().unwrap();
            whole.due_by(&phases, at).unwrap() - whole.due_by(&phases, before).unwrap()
        };
        assert_eq!(in_month(month(2026, 4)), 808_333_333);
        assert_eq!(in_month(month(2027, 1)), 3_233_333_333);
        assert_eq!(in_month(month(2031, 12)), 808_333_333);
        assert_eq!(in_month(month(2032, 1)), 0);
        assert_eq!(whole.due_by(&phases, month(2031, 12)), Some(194_000_000_000));
        let one = paid_ahead(194_000_000_000, 60, DrawBasis::FromLease);
        assert_eq!(one.due_by(&phases, month(2026, 4)), Some(3_233_333_333));
    }

    /// B-15.
    #[test]
    fn seventeen_days_at_twelve_percent() {
        let terms = LateInterest {
            annual: "12".parse().unwrap(),
            grace_days: 10,
            year: InterestYear::Actual365,
            accrues_from: AccrualStart::DueDate,
            once: None,
        };
        assert_eq!(terms.on(&Exact::from(100_000_000 * 17)).rounded(), Some(558_904));
        let by_360 = LateInterest { year: InterestYear::Actual360, ..terms };
        assert_eq!(by_360.on(&Exact::from(100_000_000 * 17)).rounded(), Some(566_667));
    }
}
