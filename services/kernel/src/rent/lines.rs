//! Rent lines: a term cut at month ends and at every change of quantity or rate.

use num_bigint::BigInt;

use super::{Proration, QuantityStep, RateStep, RentError, RentLine, RentRules};
use crate::exact::divide_half_up;
use crate::money::{Currency, Money, Percent, Rate};
use crate::time::{CivilDate, DateRange, YearMonth};

/// What is agreed of a block's rent, with its rates worked out.
#[derive(Debug, Clone, Copy)]
pub struct Agreed<'a> {
    /// What is leased, in order of date.
    pub quantity_steps: &'a [QuantityStep],
    /// At which rates, in order of date.
    pub rate_steps: &'a [RateStep],
    /// How days are counted, and what is let off.
    pub rules: &'a RentRules,
    /// All days of rent: abatements count from the first.
    pub term: DateRange,
}

impl Agreed<'_> {
    /// The lines of the rent over `days` of its term: one for each calendar month and each part of it in which quantity, rate and
    /// what is let off are constant. Days on which nothing is leased have no line; free days have one of nothing.
    ///
    /// Lines depend on what is agreed and on the month they lie in only. So a term walked month by month, or cut at any
    /// firsts of months, has the same lines as the term walked at once.
    pub fn lines(&self, days: DateRange, currency: Currency) -> Result<Vec<RentLine>, RentError> {
        check_steps(self.quantity_steps, self.rate_steps)?;
        let mut lines = Vec::new();
        for (month, days_of_month) in days.months() {
            let whole = month.range().is_some_and(|month| self.term.intersection(&month) == Some(month));
            let proration = match self.rules.proration {
                Proration::Actual365 if whole => Proration::ActualActual,
                proration => proration,
            };
            let mut start = days_of_month.start();
            while start < days_of_month.end() {
                let (kw, quantity_changes) = quantity_on(self.quantity_steps, start);
                let (rate, rate_changes) = rate_on(self.rate_steps, start);
                let (abated, abatement_changes) = self.rules.abated_on(self.term.start(), start);
                let changes = [quantity_changes, rate_changes, abatement_changes].into_iter().flatten();
                let end = changes.fold(days_of_month.end(), CivilDate::min);
                if kw > 0 {
                    let rate = rate.ok_or(RentError::NoRate(start))?;
                    let period = DateRange::new(start, end).map_err(|_| RentError::OutOfRange)?;
                    lines.push(line(period, (kw, rate, abated), proration, currency)?);
                }
                start = end;
            }
        }
        Ok(lines)
    }
}

/// The lines of a block's rent over `term` where nothing is agreed beside load and rate.
pub fn rent_lines(
    quantity_steps: &[QuantityStep],
    rate_steps: &[RateStep],
    term: DateRange,
    currency: Currency,
) -> Result<Vec<RentLine>, RentError> {
    let rules = &RentRules::default();
    Agreed { quantity_steps, rate_steps, rules, term }.lines(term, currency)
}

/// The sum of lines.
pub fn total(lines: &[RentLine], currency: Currency) -> Result<Money, RentError> {
    Money::checked_sum(currency, lines.iter().map(|line| line.amount)).ok_or(RentError::OutOfRange)
}

fn line(
    period: DateRange,
    (kw, rate, abated): (i64, Rate, Percent),
    proration: Proration,
    currency: Currency,
) -> Result<RentLine, RentError> {
    let month = YearMonth::of(period.start());
    let days = u32::try_from(period.days()).map_err(|_| RentError::OutOfRange)?;
    let minor = amount_minor(kw, rate, proration.part(period), abated, currency)?;
    let amount = Money::new(minor, currency);
    Ok(RentLine { period, month, days, days_in_month: month.days(), kw, rate, proration, abated, amount })
}

/// `kw x rate x part of the month x what is not let off` in minor units, rounded half up.
fn amount_minor(
    kw: i64,
    rate: Rate,
    (part, of): (u32, u32),
    abated: Percent,
    currency: Currency,
) -> Result<i64, RentError> {
    let minor_per_unit = BigInt::from(10).pow(u32::from(currency.minor_digits()));
    let scale = BigInt::from(10).pow(u32::from(Rate::DECIMALS));
    let (grown, whole) = abated.growth();
    let kept = 2 * whole - grown;
    let numerator = BigInt::from(rate.scaled()) * kw * part * kept * minor_per_unit;
    i64::try_from(divide_half_up(&numerator, &(scale * of * whole))).map_err(|_| RentError::OutOfRange)
}

pub(super) fn check_steps(quantity_steps: &[QuantityStep], rate_steps: &[RateStep]) -> Result<(), RentError> {
    let quantities_sorted = quantity_steps.windows(2).all(|pair| pair[0].from < pair[1].from);
    let rates_sorted = rate_steps.windows(2).all(|pair| pair[0].from < pair[1].from);
    if !quantities_sorted || !rates_sorted {
        return Err(RentError::Unsorted);
    }
    if quantity_steps.iter().any(|step| step.kw < 0) {
        return Err(RentError::NegativeQuantity);
    }
    Ok(())
}

/// The quantity on a day and the day on which it changes next.
pub(super) fn quantity_on(steps: &[QuantityStep], day: CivilDate) -> (i64, Option<CivilDate>) {
    let next = steps.partition_point(|step| step.from <= day);
    (next.checked_sub(1).map_or(0, |i| steps[i].kw), steps.get(next).map(|step| step.from))
}

fn rate_on(steps: &[RateStep], day: CivilDate) -> (Option<Rate>, Option<CivilDate>) {
    let next = steps.partition_point(|step| step.from <= day);
    (next.checked_sub(1).map(|i| steps[i].rate), steps.get(next).map(|step| step.from))
}
