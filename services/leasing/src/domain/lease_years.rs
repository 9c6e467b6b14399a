//! Rent by lease year: what a board reads, from the lines that are billed.

use kernel::time::add_months;
use kernel::{CivilDate, DateRange, Error, Money};

use super::premises::Premises;
use super::schedule::{ScheduleLine, rent_of, sum, too_large};
use super::terms::Terms;

/// Twelve months from the first commencement, as it stands, or an anniversary of it; the last may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseYear {
    /// From 1.
    pub number: u32,
    /// Its days.
    pub days: DateRange,
    /// The rent of all blocks.
    pub rent: Money,
}

/// The lease years of the base term. Each is what is billed by its end less what is billed by its beginning, so that they add up
/// to the whole to the cent, also where a month lies in two of them.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when an amount outgrows its type.
pub fn lease_years(
    terms: &Terms,
    premises: &[Premises],
    lines: &[ScheduleLine],
) -> Result<Vec<LeaseYear>, Error> {
    let days =
        premises.iter().map(|one| one.commencement).min().zip(premises.iter().map(|one| one.end).max());
    let Some((start, end)) = days else { return Ok(Vec::new()) };
    let (mut from, mut billed, mut years) = (start, Money::zero(terms.currency), Vec::new());
    for number in 1_u32.. {
        if from >= end {
            break;
        }
        let months = i32::try_from(number * 12).map_err(|_| too_large())?;
        let until = add_months(start, months).ok_or_else(too_large)?.min(end);
        let by_then = rent_before(terms, premises, lines, until)?;
        let rent = by_then.checked_sub(billed).ok_or_else(too_large)?;
        let days = DateRange::new(from, until).map_err(|_| too_large())?;
        years.push(LeaseYear { number, days, rent });
        (from, billed) = (until, by_then);
    }
    Ok(years)
}

/// Rent of all days before `day`.
fn rent_before(
    terms: &Terms,
    premises: &[Premises],
    lines: &[ScheduleLine],
    day: CivilDate,
) -> Result<Money, Error> {
    let mut rent = Money::zero(terms.currency);
    for line in lines.iter().filter(|line| line.line.period.start() < day) {
        let period = line.line.period;
        let part = if period.end() <= day {
            line.line.amount
        } else {
            let one = premises.get(line.premises).ok_or_else(too_large)?;
            let days = DateRange::new(period.start(), day).map_err(|_| too_large())?;
            sum(terms, rent_of(terms, premises, one, days)?)?
        };
        rent = rent.checked_add(part).ok_or_else(too_large)?;
    }
    Ok(rent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::schedule::{freeze, lines, value};
    use crate::domain::testing::{date, river_bend, terms};

    proptest! {
        /// Whatever day the lease begins on, its years add up to its whole, and the first is the year-one rent.
        #[test]
        fn years_add_up_to_the_cent(day in 0_i64..1_500, months in 1_i32..120) {
            let mut draft = river_bend();
            let start = date("2026-01-01") + chrono::TimeDelta::days(day);
            let one = &mut draft.premises[0];
            one.profile[0].0 = Some(start);
            (one.commencement, one.end) = (Some(start), add_months(start, months));
            let terms = terms(draft, "America/Chicago");
            let premises = freeze(&terms).unwrap();
            let years = lease_years(&terms, &premises, &lines(&terms, &premises).unwrap()).unwrap();
            let value = value(&terms, &premises).unwrap();
            let sum: i64 = years.iter().map(|year| year.rent.minor).sum();
            prop_assert_eq!(sum, value.base_contract_value.minor);
            prop_assert_eq!(years[0].rent, value.year_one_rent);
            prop_assert_eq!(years.len(), usize::try_from((months + 11) / 12).unwrap());
            prop_assert_eq!(years.last().unwrap().days.end(), premises[0].end);
        }
    }
}
