//! From a published total back to the rate of the first year.

use num_bigint::BigInt;

use super::lines::{check_steps, quantity_on};
use super::schedule::escalation_dates;
use super::{Escalator, QuantityStep, RentError};
use crate::exact::divide_half_up;
use crate::money::{Money, Percent, Rate};
use crate::time::{CivilDate, DateRange};

/// The rate per kW-month of year one that yields `total` over whole years from the first of a month:
/// `total / (12 x kW x S(n))` with `S(n)` the sum of `(1 + percent)^k` for `k` from 0 to `years - 1`, rounded half up to
/// ten decimals. The average over the term is not the price.
pub fn solve_year_one_rate(total: Money, kw: i64, years: u32, percent: Percent) -> Result<Rate, RentError> {
    if kw <= 0 || years == 0 {
        return Err(RentError::NothingLeased);
    }
    let (grown, whole) = percent.growth();
    let (grown, whole) = (BigInt::from(grown), BigInt::from(whole));
    // S(n) x whole^(n-1), as an integer.
    let sum = (0..years).map(|k| grown.pow(k) * whole.pow(years - 1 - k)).sum::<BigInt>();
    let numerator = scaled_rate(total) * whole.pow(years - 1);
    let denominator = minor_per_unit(total) * 12 * kw * sum;
    to_rate(&numerator, &denominator)
}

/// The base rate that yields `total` over a real term, with its stub months and its escalation dates: the total over the
/// sum of `kW x (1 + e)^k x days / days of the month`. Equals [`solve_year_one_rate`] when the term is of whole years
/// from a first of a month and the quantity is constant.
pub fn solve_rate_on_calendar(
    total: Money,
    quantity_steps: &[QuantityStep],
    escalator: Option<&Escalator>,
    lease_start: CivilDate,
    term: DateRange,
) -> Result<Rate, RentError> {
    check_steps(quantity_steps, &[])?;
    let escalator = escalator.filter(|escalator| escalator.percent != Percent::ZERO);
    let dates: Vec<CivilDate> = escalator.map_or_else(Vec::new, |escalator| {
        escalation_dates(escalator.basis, lease_start, term.start())
            .take_while(|&date| date < term.end())
            .collect()
    });
    let (grown, whole) = escalator.map_or((1, 1), |escalator| escalator.percent.growth());
    let powers = u32::try_from(dates.len()).map_err(|_| RentError::OutOfRange)?;

    // kW-days in proportion to a month, per number of increases so far, over a common denominator of all month lengths.
    let month_lengths = BigInt::from(28 * 29 * 30 * 31_i64);
    let mut weight = BigInt::from(0);
    for (month, days_of_month) in term.months() {
        let mut start = days_of_month.start();
        while start < days_of_month.end() {
            let increases = dates.partition_point(|&date| date <= start);
            let (kw, quantity_changes) = quantity_on(quantity_steps, start);
            let changes = [quantity_changes, dates.get(increases).copied()].into_iter().flatten();
            let end = changes.fold(days_of_month.end(), CivilDate::min);
            let k = u32::try_from(increases).map_err(|_| RentError::OutOfRange)?;
            let growth = BigInt::from(grown).pow(k) * BigInt::from(whole).pow(powers - k);
            weight += growth * kw * (end - start).num_days() * (&month_lengths / month.days());
            start = end;
        }
    }
    if weight == BigInt::from(0) {
        return Err(RentError::NothingLeased);
    }
    let numerator = scaled_rate(total) * BigInt::from(whole).pow(powers) * month_lengths;
    to_rate(&numerator, &(minor_per_unit(total) * weight))
}

/// The total's minor units, in the scale of rates.
fn scaled_rate(total: Money) -> BigInt {
    BigInt::from(total.minor) * BigInt::from(10).pow(u32::from(Rate::DECIMALS))
}

fn minor_per_unit(total: Money) -> BigInt {
    BigInt::from(10).pow(u32::from(total.currency.minor_digits()))
}

fn to_rate(numerator: &BigInt, denominator: &BigInt) -> Result<Rate, RentError> {
    let scaled = divide_half_up(numerator, denominator);
    i128::try_from(scaled).ok().and_then(Rate::from_scaled).ok_or(RentError::OutOfRange)
}
