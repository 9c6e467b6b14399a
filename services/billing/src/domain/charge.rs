//! Charges: what a lease owes for a month, from one function for billing runs and for previews.

use std::collections::BTreeSet;

use kernel::rent::{rate_steps, rent_lines};
use kernel::{CivilDate, DateRange, Money, Rate, RateStep, YearMonth};

use super::invoice::ChargeType;
use super::lease::{BillingTerms, BlockRef, BlockState, LeaseCopy, LeaseState, Poison, Premises, Rent};

/// Rent of one block for a month, or the part of it in which load and rate are constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What for.
    pub charge_type: ChargeType,
    /// Which block.
    pub place: BlockRef,
    /// The days charged, all of one month.
    pub period: DateRange,
    /// The month.
    pub month: YearMonth,
    /// Days charged.
    pub days: u32,
    /// Days of the month.
    pub days_in_month: u32,
    /// Leased kW.
    pub quantity_kw: i64,
    /// Per kW and month.
    pub rate: Rate,
    /// Rounded half up once, here.
    pub amount: Money,
}

/// What may be billed once, within a lease and its present revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChargeKey {
    /// Which block.
    pub place: BlockRef,
    /// What for.
    pub charge_type: ChargeType,
    /// First day charged.
    pub period_start: CivilDate,
}

impl Charge {
    /// The computation in words and figures.
    #[must_use]
    pub fn formula(&self) -> String {
        let amount = self.amount;
        let price = format!("{} kW x {} {} per kW-month", self.quantity_kw, self.rate, amount.currency);
        if self.days == self.days_in_month {
            format!("{price} = {amount}")
        } else {
            format!("{price} x {}/{} days = {amount}", self.days, self.days_in_month)
        }
    }

    /// The key under which it is billed once.
    #[must_use]
    pub fn key(&self) -> ChargeKey {
        ChargeKey {
            place: self.place.clone(),
            charge_type: self.charge_type,
            period_start: self.period.start(),
        }
    }
}

/// Every charge of the base term, in order of block, then period.
pub fn schedule(terms: &BillingTerms) -> Result<Vec<Charge>, Poison> {
    let mut charges = Vec::new();
    for premises in &terms.premises {
        charges.extend(charges_of(terms, premises, premises.term)?);
    }
    Ok(charges)
}

/// What a billing run of `month` adds: the charges of commenced blocks that no invoice has yet.
pub fn due(
    lease: &LeaseCopy,
    month: YearMonth,
    charged: &BTreeSet<ChargeKey>,
) -> Result<Vec<Charge>, Poison> {
    let mut charges = Vec::new();
    for premises in &lease.terms.premises {
        let billed = lease.block_state(&premises.place).is_some_and(|s| BlockState::BILLED.contains(&s));
        let days =
            month.range().zip(days_of(lease, premises)).and_then(|(month, days)| month.intersection(&days));
        if let (true, Some(days)) = (billed, days) {
            charges.extend(charges_as_they_stand(lease, premises, days)?);
        }
    }
    charges.retain(|charge| !charged.contains(&charge.key()));
    in_invoice_order(&mut charges);
    Ok(charges)
}

/// The rent of a block over some days as they stand, whether or not it has commenced.
pub fn of_block(lease: &LeaseCopy, place: &BlockRef, days: DateRange) -> Result<Vec<Charge>, Poison> {
    let leased = lease.terms.premises.iter().find(|premises| premises.place == *place);
    match leased.and_then(|premises| Some((premises, days_of(lease, premises)?.intersection(&days)?))) {
        Some((premises, days)) => charges_as_they_stand(lease, premises, days),
        None => Ok(Vec::new()),
    }
}

/// The days on which the tenant has a block, also those whose rent is abated.
#[must_use]
pub fn occupied(lease: &LeaseCopy, premises: &Premises) -> DateRange {
    lease.moved(&premises.place).map_or(premises.term, |moved| moved.term)
}

/// The base rent of a block over some days.
pub fn rent_of_block(lease: &LeaseCopy, place: &BlockRef, days: DateRange) -> Result<Money, Poison> {
    let charges = of_block(lease, place, days)?;
    Money::checked_sum(lease.terms.currency, charges.iter().map(|charge| charge.amount))
        .ok_or_else(|| Poison("the rent of a month does not fit 64 bits".to_owned()))
}

/// What is still to come, commenced or not, for months that begin on or before `through` (`None`: to the end).
pub fn to_come(
    lease: &LeaseCopy,
    through: Option<CivilDate>,
    charged: &BTreeSet<ChargeKey>,
) -> Result<Vec<Charge>, Poison> {
    if LeaseState::CALLED_OFF.contains(&lease.state) {
        return Ok(Vec::new());
    }
    let mut charges = Vec::new();
    for premises in &lease.terms.premises {
        if let Some(days) = days_of(lease, premises) {
            charges.extend(charges_as_they_stand(lease, premises, days)?);
        }
    }
    charges.retain(|charge| {
        through.is_none_or(|last| charge.month.first_day() <= last) && !charged.contains(&charge.key())
    });
    in_invoice_order(&mut charges);
    Ok(charges)
}

/// The days of rent of a block as they stand; none if all of it is abated, or it will never commence.
fn days_of(lease: &LeaseCopy, premises: &Premises) -> Option<DateRange> {
    if lease.block_state(&premises.place) == Some(BlockState::Lapsed) {
        return None;
    }
    match lease.moved(&premises.place) {
        None => Some(premises.term),
        Some(moved) => DateRange::new(moved.rent_from.max(moved.term.start()), moved.term.end()).ok(),
    }
}

/// As [`charges_of`], with the rates and loads that leasing has worked out where they are not what the terms say.
fn charges_as_they_stand(
    lease: &LeaseCopy,
    premises: &Premises,
    days: DateRange,
) -> Result<Vec<Charge>, Poison> {
    let Some(moved) = lease.moved(&premises.place) else { return charges_of(&lease.terms, premises, days) };
    let mut premises = premises.clone();
    premises.term = moved.term;
    premises.rent = Rent::Stated { steps: moved.rates.clone() };
    premises.quantities.clone_from(&moved.quantities);
    charges_of(&lease.terms, &premises, days)
}

fn in_invoice_order(charges: &mut [Charge]) {
    charges.sort_by(|a, b| (a.period.start(), &a.place).cmp(&(b.period.start(), &b.place)));
}

/// The charges of one block over `days`, which lie within its term. Months are split before anything is rounded, so
/// that a month computed alone is the same as in the whole schedule.
fn charges_of(terms: &BillingTerms, premises: &Premises, days: DateRange) -> Result<Vec<Charge>, Poison> {
    let rates = rates_of(terms, premises)?;
    let lines = rent_lines(&premises.quantities, &rates, days, terms.currency)
        .map_err(|error| poison(premises, error))?;
    let charges = lines
        .into_iter()
        // Free days are no charge: an invoice line says that something is owed.
        .filter(|line| line.amount.minor > 0)
        .map(|line| Charge {
            charge_type: ChargeType::BaseRent,
            place: premises.place.clone(),
            period: line.period,
            month: line.month,
            days: line.days,
            days_in_month: line.days_in_month,
            quantity_kw: line.kw,
            rate: line.rate,
            amount: line.amount,
        })
        .collect();
    Ok(charges)
}

/// The rates of a block, step by step.
pub fn rates_of(terms: &BillingTerms, premises: &Premises) -> Result<Vec<RateStep>, Poison> {
    match &premises.rent {
        Rent::Stated { steps } => Ok(steps.clone()),
        Rent::Base { rate } => {
            let lease_start = terms.start().unwrap_or(premises.term.start());
            rate_steps(
                *rate,
                terms.escalator.as_ref(),
                lease_start,
                premises.term.start(),
                premises.term.end(),
            )
            .map_err(|error| poison(premises, error))
        }
    }
}

fn poison(premises: &Premises, problem: impl std::fmt::Display) -> Poison {
    Poison(format!("block {}/{}: {problem}", premises.place.site, premises.place.block))
}
