//! Interest on what is paid late: simple, by days, on what was open of an invoice without its own interest.

use std::collections::BTreeSet;

use kernel::{CivilDate, Currency, DateRange, DisputeTerms, Exact, LateInterest, Money, RejectedInterest};
use serde::{Deserialize, Serialize};

use super::charge_type::ChargeType;
use super::reckoned::Whole;

/// A part of an invoice that was paid, and the day for which that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// The day.
    pub on: CivilDate,
    /// How much, minor units.
    pub minor: i64,
}

/// A part of an invoice that is or was in dispute: meanwhile it bears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disputed {
    /// The first day.
    pub from: CivilDate,
    /// The day on which it was settled; none while it is open.
    pub until: Option<CivilDate>,
    /// How much, minor units.
    pub minor: i64,
}

/// An issued invoice, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// Its number.
    pub number: String,
    /// The last day to pay.
    pub due: CivilDate,
    /// What it asks for without interest, less what credit notes took back: that was never owed. Minor units.
    pub principal_minor: i64,
    /// What was paid of it.
    pub paid: Vec<Paid>,
    /// What of it was in dispute.
    pub disputed: Vec<Disputed>,
}

impl Overdue {
    /// The invoice as disputes count under these terms: as agreed, one that was in vain is as if it had not been.
    #[must_use]
    pub fn under(mut self, terms: Option<DisputeTerms>) -> Self {
        match terms.map(|terms| terms.rejected_interest).unwrap_or_default() {
            RejectedInterest::AsAgreed => self.disputed.retain(|part| part.until.is_none()),
            RejectedInterest::FromAnswer => {}
        }
        self
    }
}

/// What interest is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterestInputs {
    /// What is agreed.
    pub terms: LateInterest,
    /// Of what.
    pub currency: Currency,
    /// The invoice.
    pub invoice: Overdue,
    /// The day up to which it is counted: what is open on it has borne interest until then.
    pub through: CivilDate,
}

/// Days on which the same amount bears interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The days.
    pub days: DateRange,
    /// What bears interest, minor units.
    pub minor: i64,
}

impl InterestInputs {
    /// What bears interest on a day. What was paid within the grace was paid in time.
    fn bearing(&self, day: CivilDate, grace: CivilDate) -> i64 {
        let paid = self.invoice.paid.iter().filter(|paid| paid.on <= day.max(grace));
        let disputed = self
            .invoice
            .disputed
            .iter()
            .filter(|part| part.from <= day && part.until.is_none_or(|until| day < until));
        let less: i64 = paid.map(|paid| paid.minor).chain(disputed.map(|part| part.minor)).sum();
        self.invoice.principal_minor.saturating_sub(less).max(0)
    }

    /// Days and amounts that bear interest, in order; none while the grace is not over.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let Some((start, grace)) = self.terms.bounds(self.invoice.due) else { return Vec::new() };
        if self.through <= grace {
            return Vec::new();
        }
        let paid = self.invoice.paid.iter().map(|paid| paid.on);
        let disputed = self.invoice.disputed.iter().flat_map(|part| [Some(part.from), part.until]).flatten();
        let mut bounds: BTreeSet<CivilDate> = paid.chain(disputed).collect();
        bounds.retain(|day| *day > start && *day < self.through);
        bounds.extend([start, self.through]);
        let bounds: Vec<CivilDate> = bounds.into_iter().collect();
        let stretch = |pair: &[CivilDate]| {
            let days = DateRange::new(pair[0], pair[1]).ok()?;
            Some(Stretch { days, minor: self.bearing(pair[0], grace) })
        };
        bounds.windows(2).filter_map(stretch).filter(|stretch| stretch.minor > 0).collect()
    }

    /// From what it comes, in words.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let Overdue { number, due, .. } = &self.invoice;
        let grace = format!("{number} was due on {due}, with {} days of grace", self.terms.grace_days);
        let stretch = |of: &Stretch| {
            let (from, until, amount) = (of.days.start(), of.days.end(), Money::new(of.minor, self.currency));
            format!("{amount} open from {from} to {until}, {} days", of.days.days())
        };
        std::iter::once(grace).chain(self.stretches().iter().map(stretch)).collect()
    }

    /// The interest, and what is charged once, as charges. `None` beyond 64 bits.
    #[must_use]
    pub fn wholes(&self) -> Option<Vec<Whole>> {
        let stretches = self.stretches();
        let Some((start, grace)) = self.terms.bounds(self.invoice.due) else { return Some(Vec::new()) };
        let (Some(last), Ok(whole_days)) = (stretches.last(), DateRange::new(start, self.through)) else {
            return Some(Vec::new());
        };
        let period = DateRange::new(start, last.days.end()).unwrap_or(whole_days);
        let minor_days = Exact::sum(
            stretches
                .iter()
                .map(|stretch| &Exact::from(stretch.minor) * &Exact::from(stretch.days.days()))
                .collect::<Vec<_>>()
                .iter(),
        );
        let amount = Money::new(self.terms.on(&minor_days).rounded()?, self.currency);
        let unit = Exact::from(Money::new(1, self.currency));
        let quantity = &minor_days * &unit;
        let (number, year) = (&self.invoice.number, self.terms.year.days());
        let annual = self.terms.annual;
        let of =
            |item: String, amount: Money, (quantity, unit): (Exact, String), rate: Exact, formula| Whole {
                charge_type: ChargeType::LateInterest,
                item,
                period,
                amount,
                quantity,
                unit,
                rate,
                formula,
                jurisdiction: None,
                estimated: false,
            };
        let days: i64 = stretches.iter().map(|stretch| stretch.days.days()).sum();
        let code = self.currency;
        let formula = format!(
            "{number} late for {days} days: {quantity} {code} x days x {annual} % / {year} = {amount}"
        );
        let a_day = Exact::from(annual).over(&Exact::from(year))?;
        let mut wholes =
            vec![of(number.clone(), amount, (quantity, format!("{code} x days")), a_day, formula)];
        if let Some(once) = self.terms.once {
            let open = Money::new(self.bearing(grace, grace), code);
            let amount = (&Exact::from(open) * &Exact::from(once)).to_money(code)?;
            let formula = format!("{number} late: {open} x {once} % = {amount}");
            let quantity = (Exact::from(open), code.to_string());
            wholes.push(of(format!("{number}.once"), amount, quantity, Exact::from(once), formula));
        }
        Some(wholes)
    }
}

#[cfg(test)]
mod tests;
