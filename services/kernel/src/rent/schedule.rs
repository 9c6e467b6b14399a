//! When an escalator steps and what the rate is then.

use num_bigint::BigInt;

use super::{EscalationBasis, Escalator, RateStep, RentError};
use crate::exact::divide_half_up;
use crate::money::{Percent, Rate};
use crate::time::{CivilDate, add_months, first_of_month_on_or_after};

/// The rate after `k` increases: `base x (1 + percent)^k`, rounded half up to ten decimals, from the base in exact
/// arithmetic.
pub fn step_rate(base: Rate, percent: Percent, k: u32) -> Result<Rate, RentError> {
    let (grown, whole) = percent.growth();
    if k == 0 || grown == whole {
        return Ok(base);
    }
    let numerator = BigInt::from(base.scaled()) * BigInt::from(grown).pow(k);
    let scaled = divide_half_up(&numerator, &BigInt::from(whole).pow(k));
    i128::try_from(scaled).ok().and_then(Rate::from_scaled).ok_or(RentError::OutOfRange)
}

/// The days on which a block's rate increases, the first increase first, for as long as the calendar goes.
pub fn escalation_dates(
    basis: EscalationBasis,
    lease_start: CivilDate,
    block_start: CivilDate,
) -> impl Iterator<Item = CivilDate> {
    (0..).map_while(move |n: i32| {
        let years = |count: i32| count.checked_mul(12);
        match basis {
            EscalationBasis::LeaseAnniversary => add_months(lease_start, years(n + 1)?),
            EscalationBasis::BlockAnniversary => add_months(block_start, years(n + 1)?),
            EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary => {
                add_months(block_start, years(n + 1)?).and_then(first_of_month_on_or_after)
            }
            EscalationBasis::FixedDate(first) => add_months(first, years(n)?),
        }
    })
}

/// The rates of a block from its commencement until `end`, the first of them from `block_start`.
///
/// Increases that fell before the block commenced count: on the lease's clock or on a fixed date, a block that comes
/// later joins at the rate the others have by then.
pub fn rate_steps(
    base: Rate,
    escalator: Option<&Escalator>,
    lease_start: CivilDate,
    block_start: CivilDate,
    end: CivilDate,
) -> Result<Vec<RateStep>, RentError> {
    let mut steps = vec![RateStep { from: block_start, rate: base }];
    let Some(escalator) = escalator.filter(|escalator| escalator.percent != Percent::ZERO) else {
        return Ok(steps);
    };
    let dates = escalation_dates(escalator.basis, lease_start, block_start).take_while(|&date| date < end);
    for (k, date) in (1..).zip(dates) {
        let rate = step_rate(base, escalator.percent, k)?;
        if date <= block_start {
            steps[0].rate = rate;
        } else {
            steps.push(RateStep { from: date, rate });
        }
    }
    Ok(steps)
}
