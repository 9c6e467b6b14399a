//! Rent lines: a term cut at month ends and at every change of quantity or rate.

use num_bigint::BigInt;

use super::{QuantityStep, RateStep, RentError, RentLine};
use crate::exact::divide_half_up;
use crate::money::{Currency, Money, Rate};
use crate::time::{CivilDate, DateRange, YearMonth};

/// The lines of a block's rent over `term`: one for each calendar month and each part of it in which quantity and rate
/// are constant. Days on which nothing is leased have no line.
///
/// Lines depend on the steps and on the month they lie in only. So a term walked month by month, or cut at any firsts of
/// months, has the same lines as the term walked at once.
pub fn rent_lines(
    quantity_steps: &[QuantityStep],
    rate_steps: &[RateStep],
    term: DateRange,
    currency: Currency,
) -> Result<Vec<RentLine>, RentError> {
    check_steps(quantity_steps, rate_steps)?;
    let mut lines = Vec::new();
    for (month, days_of_month) in term.months() {
        let mut start = days_of_month.start();
        while start < days_of_month.end() {
            let (kw, quantity_changes) = quantity_on(quantity_steps, start);
            let (rate, rate_changes) = rate_on(rate_steps, start);
            let changes = [quantity_changes, rate_changes].into_iter().flatten();
            let end = changes.fold(days_of_month.end(), CivilDate::min);
            if kw > 0 {
                let rate = rate.ok_or(RentError::NoRate(start))?;
                lines.push(line(month, start, end, kw, rate, currency)?);
            }
            start = end;
        }
    }
    Ok(lines)
}

/// The sum of lines.
pub fn total(lines: &[RentLine], currency: Currency) -> Result<Money, RentError> {
    Money::checked_sum(currency, lines.iter().map(|line| line.amount)).ok_or(RentError::OutOfRange)
}

fn line(
    month: YearMonth,
    start: CivilDate,
    end: CivilDate,
    kw: i64,
    rate: Rate,
    currency: Currency,
) -> Result<RentLine, RentError> {
    let period = DateRange::new(start, end).map_err(|_| RentError::OutOfRange)?;
    let days = u32::try_from(period.days()).map_err(|_| RentError::OutOfRange)?;
    let days_in_month = month.days();
    let amount = Money::new(amount_minor(kw, rate, days, days_in_month, currency)?, currency);
    Ok(RentLine { period, month, days, days_in_month, kw, rate, amount })
}

/// `kw x rate x days / days_in_month` in minor units, rounded half up.
fn amount_minor(
    kw: i64,
    rate: Rate,
    days: u32,
    days_in_month: u32,
    currency: Currency,
) -> Result<i64, RentError> {
    let minor_per_unit = BigInt::from(10).pow(u32::from(currency.minor_digits()));
    let scale = BigInt::from(10).pow(u32::from(Rate::DECIMALS));
    let numerator = BigInt::from(rate.scaled()) * kw * days * minor_per_unit;
    i64::try_from(divide_half_up(&numerator, &(scale * days_in_month))).map_err(|_| RentError::OutOfRange)
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
