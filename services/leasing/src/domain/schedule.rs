//! What the terms come to: frozen steps, rent lines, and the three figures kept apart.

use kernel::rent;
use kernel::time::add_months;
use kernel::{CivilDate, DateRange, Error, Money, QuantityStep, RateStep, Reason, RentLine};

use super::lease::Premises;
use super::state::PremisesState;
use super::terms::{PremisesTerms, RateTerms, Terms};

/// The rent of one block for one month or part of it.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleLine {
    /// Which of the lease's premises, from 0.
    pub premises: usize,
    /// The rent.
    pub line: RentLine,
}

/// What a lease is worth by its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Sum over the blocks of their largest load.
    pub critical_it_kw: i64,
    /// Rent of the first twelve months from the first commencement.
    pub year_one_rent: Money,
    /// The sum of the schedule.
    pub base_contract_value: Money,
    /// Rent of every renewal, the escalator going on; never part of the base.
    pub options_contract_value: Money,
    /// Lines of the schedule.
    pub line_count: usize,
}

/// The blocks of new terms with every step fixed: dates become instants, the escalator becomes rates.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub fn freeze(terms: &Terms) -> Result<Vec<Premises>, Error> {
    let lease_start = terms.lease_start().ok_or_else(too_large)?;
    terms.premises.iter().map(|premises| freeze_one(terms, premises, lease_start)).collect()
}

fn freeze_one(terms: &Terms, premises: &PremisesTerms, lease_start: CivilDate) -> Result<Premises, Error> {
    let rate_steps = match &premises.rate {
        RateTerms::Stated(steps) => steps.clone(),
        RateTerms::Base(rate) => rent::rate_steps(
            *rate,
            terms.escalator.as_ref(),
            lease_start,
            premises.commencement,
            premises.end,
        )
        .map_err(|_| too_large())?,
    };
    Ok(Premises {
        block: premises.block.clone(),
        zone: premises.zone,
        commencement: premises.commencement,
        end: premises.end,
        commence_at: premises.zone.start_of_day(premises.commencement),
        end_at: premises.zone.start_of_day(premises.end),
        rate_steps,
        quantity_steps: premises.profile.clone(),
        state: PremisesState::Planned,
        commence_time: None,
    })
}

/// Every rent line of the base term, by period, then by block.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when an amount outgrows its type.
pub fn lines(terms: &Terms, premises: &[Premises]) -> Result<Vec<ScheduleLine>, Error> {
    let mut lines = Vec::new();
    for (i, one) in premises.iter().enumerate() {
        let range = DateRange::new(one.commencement, one.end).map_err(|_| too_large())?;
        let rent = rent_of(terms, &quantities(one), &one.rate_steps, range)?;
        lines.extend(rent.into_iter().map(|line| ScheduleLine { premises: i, line }));
    }
    lines.sort_by_key(|line| (line.line.period.start(), line.premises));
    Ok(lines)
}

/// The figures of a lease.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
pub fn value(terms: &Terms, premises: &[Premises]) -> Result<Value, Error> {
    let base = lines(terms, premises)?;
    let first_year_end = terms.lease_start().and_then(|start| add_months(start, 12)).ok_or_else(too_large)?;
    let mut year_one = Money::zero(terms.currency);
    let mut options = Money::zero(terms.currency);
    for one in premises {
        if one.commencement < first_year_end {
            let range =
                DateRange::new(one.commencement, one.end.min(first_year_end)).map_err(|_| too_large())?;
            let rent = rent_of(terms, &quantities(one), &one.rate_steps, range)?;
            year_one = year_one.checked_add(sum(terms, rent)?).ok_or_else(too_large)?;
        }
        options = options.checked_add(options_of(terms, one)?).ok_or_else(too_large)?;
    }
    let kw = premises.iter().try_fold(0_i64, |kw, one| kw.checked_add(one.critical_it_kw()));
    Ok(Value {
        critical_it_kw: kw.ok_or_else(too_large)?,
        year_one_rent: year_one,
        base_contract_value: sum(terms, base.iter().map(|line| line.line))?,
        options_contract_value: options,
        line_count: base.len(),
    })
}

/// Rent of one block if every renewal were taken up: the last load goes on, and so does the escalator. Stated rates
/// go on from their last step, which is then the base.
fn options_of(terms: &Terms, premises: &Premises) -> Result<Money, Error> {
    let months: u32 = terms.renewal_options.iter().map(|option| option.count * option.term_months).sum();
    if months == 0 {
        return Ok(Money::zero(terms.currency));
    }
    let months = i32::try_from(months).map_err(|_| too_large())?;
    let end = add_months(premises.end, months).ok_or_else(too_large)?;
    let range = DateRange::new(premises.end, end).map_err(|_| too_large())?;
    let last_kw = quantities(premises).last().map_or(0, |step| step.kw);
    let quantity = [QuantityStep { from: premises.end, kw: last_kw }];
    let agreed = terms.premises.iter().find(|agreed| agreed.block == premises.block);
    let (base, lease_start, block_start) = match agreed.map(|agreed| &agreed.rate) {
        Some(RateTerms::Base(rate)) => {
            (*rate, terms.lease_start().ok_or_else(too_large)?, premises.commencement)
        }
        Some(RateTerms::Stated(steps)) => {
            let last = steps.last().ok_or_else(too_large)?;
            (last.rate, last.from, last.from)
        }
        None => return Err(too_large()),
    };
    let rates = rent::rate_steps(base, terms.escalator.as_ref(), lease_start, block_start, end)
        .map_err(|_| too_large())?;
    sum(terms, rent_of(terms, &quantity, &rates, range)?)
}

fn rent_of(
    terms: &Terms,
    quantities: &[QuantityStep],
    rates: &[RateStep],
    range: DateRange,
) -> Result<Vec<RentLine>, Error> {
    rent::rent_lines(quantities, rates, range, terms.currency).map_err(|_| too_large())
}

fn quantities(premises: &Premises) -> Vec<QuantityStep> {
    premises
        .quantity_steps
        .iter()
        .map(|step| QuantityStep { from: step.from, kw: step.capacity.critical_it })
        .collect()
}

fn sum(terms: &Terms, lines: impl IntoIterator<Item = RentLine>) -> Result<Money, Error> {
    let amounts = lines.into_iter().map(|line| line.amount);
    Money::checked_sum(terms.currency, amounts).ok_or_else(too_large)
}

fn too_large() -> Error {
    Error::refused(Reason::TermOutOfRange, "The rent of these terms is too large to be computed.")
}
