//! True-ups: what a block bears of a utility's bill, less what its tariff charged for the same days.

use kernel::{DateRange, Exact, Money, OperatorId, UtilityBillId, UtilityBillName};
use serde::{Deserialize, Serialize};

use super::charge_type::ChargeType;
use super::reckoned::Whole;
use super::utility_bill::{Bearer, BillFacts, Division, Shares};

/// From what a true-up is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrueUpInputs {
    /// The bill.
    pub bill: UtilityBillId,
    /// What it says.
    pub facts: BillFacts,
    /// How it was divided.
    pub division: Division,
    /// Who bears the part.
    pub bearer: Bearer,
    /// The days on which it has a load.
    pub days: DateRange,
    /// What was charged for these days by the tariff.
    pub estimates: Vec<Estimate>,
}

/// A charge by a tariff, some or all of whose days a bill has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The component, without its band.
    pub code: String,
    /// Whether it is a tax.
    pub tax: bool,
    /// The days it was charged for.
    pub days: DateRange,
    /// What it came to, minor units.
    pub minor: i64,
}

/// A true-up of one component, or of the whole bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueUp {
    /// The component and what all bear of it.
    pub shares: Shares,
    /// What this one bears.
    pub borne: Money,
    /// What was charged for it.
    pub estimate: Money,
    /// The difference.
    pub amount: Money,
}

impl Estimate {
    /// What of it is for these days: by the day, so that the parts of days that follow one another add up to it.
    fn within(&self, days: DateRange) -> Option<i64> {
        let Some(common) = self.days.intersection(&days) else { return Some(0) };
        let until = |day| {
            let gone = DateRange::new(self.days.start(), day).map_or(0, |gone| gone.days());
            (&Exact::from(self.minor) * &Exact::ratio(gone, self.days.days())?).rounded()
        };
        until(common.end())?.checked_sub(until(common.start())?)
    }
}

impl TrueUpInputs {
    /// The item under which a component is billed.
    #[must_use]
    pub fn item(&self, code: &str) -> String {
        if code.is_empty() { self.facts.meter.to_string() } else { format!("{}.{code}", self.facts.meter) }
    }

    /// Whether an item is of this meter.
    #[must_use]
    pub fn is_of_meter(meter: &str, item: &str) -> bool {
        item.strip_prefix(meter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The true-ups of the bill. `None` beyond 64 bits.
    #[must_use]
    pub fn true_ups(&self) -> Option<Vec<TrueUp>> {
        let one = |shares: Shares| {
            let borne = shares.of(&self.bearer);
            let counts = |estimate: &&Estimate| {
                if shares.code.is_empty() { !estimate.tax } else { estimate.code == shares.code }
            };
            let charged = self.estimates.iter().filter(counts).map(|estimate| estimate.within(self.days));
            let charged = charged.collect::<Option<Vec<i64>>>()?;
            let estimate = charged.into_iter().try_fold(0_i64, i64::checked_add)?;
            let estimate = Money::new(estimate, borne.currency);
            Some(TrueUp { amount: borne.checked_sub(estimate)?, shares, borne, estimate })
        };
        self.division.divide(&self.facts)?.into_iter().map(one).collect()
    }

    /// The same as charges; none where this one has no load of the bill. `None` beyond 64 bits.
    #[must_use]
    pub fn wholes(&self) -> Option<Vec<Whole>> {
        if !self.division.bearers().contains(&&self.bearer) {
            return Some(Vec::new());
        }
        Some(self.true_ups()?.iter().map(|of| self.whole(of)).collect())
    }

    fn whole(&self, of: &TrueUp) -> Whole {
        let share = Exact::from(of.borne).over(&Exact::from(of.shares.amount)).unwrap_or_else(Exact::zero);
        let TrueUp { borne, estimate, amount, .. } = of;
        let days = self.facts.days;
        Whole {
            charge_type: ChargeType::TrueUp,
            item: self.item(&of.shares.code),
            period: self.days,
            amount: *amount,
            quantity: share,
            unit: "of the bill".to_owned(),
            rate: Exact::from(of.shares.amount),
            formula: format!(
                "bill {} of {} to {}: {borne} of {}, less {estimate} charged by the tariff = {amount}",
                self.facts.number,
                days.start(),
                days.last_day(),
                of.shares.amount
            ),
            jurisdiction: None,
            estimated: self.division.is_estimated(),
        }
    }

    /// From what it comes, in words. Of the loads of others it tells the sum.
    #[must_use]
    pub fn steps(&self, operator: &OperatorId) -> Vec<String> {
        let (facts, division) = (&self.facts, &self.division);
        let name = UtilityBillName::new(operator.clone(), self.bill);
        let mut steps = vec![
            format!("{name}, number {} of {}: {}", facts.number, facts.bill_date, facts.total),
            format!("its part of the load: {}", division.share_of(Some(&self.bearer))),
            format!("nobody leases {} of the load, which the operator bears", division.share_of(None)),
        ];
        for of in self.true_ups().unwrap_or_default() {
            let what = if of.shares.code.is_empty() { "the bill" } else { of.shares.code.as_str() };
            steps.push(format!("of {what}, {}, it bears {}", of.shares.amount, of.borne));
            steps.push(format!("for the same days {} was charged by the tariff", of.estimate));
        }
        steps
    }
}

#[cfg(test)]
mod tests;
