//! Charges: what a lease owes for a month, from one function for billing runs and for previews.

use std::collections::BTreeSet;

use kernel::rent::{Agreed, MissingIndex, rate_steps};
use kernel::{
    CivilDate, DateRange, IndexValues, Money, Percent, Proration, QuantityStep, Rate, RateStep, RentLine,
    RentRules, YearMonth,
};

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
    /// How its days are counted.
    pub proration: Proration,
    /// How much of it is let off.
    pub abated: Percent,
    /// Rounded half up once, here.
    pub amount: Money,
}

/// What may be billed once within a lease: the rent of a block's month. What it comes to later otherwise is billed as the difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChargeKey {
    /// Which block.
    pub place: BlockRef,
    /// What for.
    pub charge_type: ChargeType,
    /// The month.
    pub month: YearMonth,
}

impl Charge {
    /// The computation in words and figures.
    #[must_use]
    pub fn formula(&self) -> String {
        let amount = self.amount;
        let mut formula = format!("{} kW x {} {} per kW-month", self.quantity_kw, self.rate, amount.currency);
        let (part, of) = self.proration.part(self.period);
        match self.proration {
            _ if part == of => {}
            Proration::ActualActual => formula += &format!(" x {part}/{of} days"),
            Proration::Thirty360 => formula += &format!(" x {part}/{of} days of 30/360"),
            Proration::Actual365 => formula += &format!(" x 12 x {}/{of} days", self.days),
        }
        if self.abated != Percent::ZERO {
            formula += &format!(", {} % of it let off", self.abated);
        }
        format!("{formula} = {amount}")
    }

    /// The key under which it is billed once.
    #[must_use]
    pub fn key(&self) -> ChargeKey {
        ChargeKey { place: self.place.clone(), charge_type: self.charge_type, month: self.month }
    }
}

/// A value of an index that is not known yet, and the first day on which a block's rent needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// Which block.
    pub place: BlockRef,
    /// What is missing.
    pub missing: MissingIndex,
}

/// Every charge of the base term, in order of block, then period. Of an index nothing is known: rates rise by its floor.
pub fn schedule(terms: &BillingTerms) -> Result<Vec<Charge>, Poison> {
    let mut charges = Vec::new();
    for premises in &terms.premises {
        charges.extend(Standing::agreed(terms, premises)?.charges(terms, premises.term)?);
    }
    Ok(charges)
}

/// What a billing run of `month` adds: the charges of commenced blocks that no invoice has yet. A charge that needs a
/// value of an index that is not known is an error that names it.
pub fn due(
    lease: &LeaseCopy,
    month: YearMonth,
    charged: &BTreeSet<ChargeKey>,
) -> Result<Vec<Charge>, Poison> {
    let RentRules { frequency, timing, .. } = lease.terms.rent;
    let mut charges = Vec::new();
    for premises in &lease.terms.premises {
        let billed = lease.block_state(&premises.place).is_some_and(|s| BlockState::BILLED.contains(&s));
        let days = billed_here(lease, premises).and_then(|days| frequency.billed_by(timing, month, days));
        if let (true, Some(days)) = (billed, days) {
            charges.extend(Standing::of(lease, premises)?.known(&lease.terms, days)?);
        }
    }
    charges.retain(|charge| is_open(lease, charge, charged));
    in_invoice_order(&mut charges);
    Ok(charges)
}

/// The month whose run bills a charge.
#[must_use]
pub fn billing_month(lease: &LeaseCopy, charge: &Charge) -> YearMonth {
    let RentRules { frequency, timing, .. } = lease.terms.rent;
    let premises = lease.terms.premises.iter().find(|premises| premises.place == charge.place);
    let days = premises.and_then(|premises| billed_here(lease, premises)).unwrap_or(charge.period);
    frequency.billed_in(timing, charge.month, days)
}

/// The days of a block whose rent is billed here: all, but for what was billed elsewhere before the lease was brought in.
fn billed_here(lease: &LeaseCopy, premises: &Premises) -> Option<DateRange> {
    let days = days_of(lease, premises)?;
    let from = lease.billed_from.map_or(days.start(), |from| from.max(days.start()));
    DateRange::new(from, days.end()).ok()
}

/// Whether no invoice has it, neither here nor, before the lease was brought in, elsewhere.
fn is_open(lease: &LeaseCopy, charge: &Charge, charged: &BTreeSet<ChargeKey>) -> bool {
    lease.is_billed_here(charge.period.start()) && !charged.contains(&charge.key())
}

/// What is still to be billed here, as [`to_come`].
pub fn to_bill(
    lease: &LeaseCopy,
    through: Option<CivilDate>,
    charged: &BTreeSet<ChargeKey>,
) -> Result<Vec<Charge>, Poison> {
    let mut charges = to_come(lease, through, charged)?;
    charges.retain(|charge| is_open(lease, charge, charged));
    Ok(charges)
}

/// The rent of a block over some days as they stand, whether or not it has commenced. As in [`due`] an index must be
/// known.
pub fn of_block(lease: &LeaseCopy, place: &BlockRef, days: DateRange) -> Result<Vec<Charge>, Poison> {
    let leased = lease.terms.premises.iter().find(|premises| premises.place == *place);
    match leased.and_then(|premises| Some((premises, days_of(lease, premises)?.intersection(&days)?))) {
        Some((premises, days)) => Standing::of(lease, premises)?.known(&lease.terms, days),
        None => Ok(Vec::new()),
    }
}

/// The rent of a block's month as it stands, as far as it is billed here. As in [`due`] an index must be known.
pub fn of_month(lease: &LeaseCopy, premises: &Premises, month: YearMonth) -> Result<Vec<Charge>, Poison> {
    let days = billed_here(lease, premises).zip(month.range());
    match days.and_then(|(days, month)| days.intersection(&month)) {
        Some(days) => Standing::of(lease, premises)?.known(&lease.terms, days),
        None => Ok(Vec::new()),
    }
}

/// What a block's month comes to, as [`of_month`]; nothing of a block that is not leased.
pub fn right(lease: &LeaseCopy, place: &BlockRef, month: YearMonth) -> Result<Money, Poison> {
    let leased = lease.terms.premises.iter().find(|premises| premises.place == *place);
    let charges = leased.map_or(Ok(Vec::new()), |premises| of_month(lease, premises, month))?;
    sum_of(lease, &charges)
}

/// The sum of charges of a lease.
pub fn sum_of(lease: &LeaseCopy, charges: &[Charge]) -> Result<Money, Poison> {
    Money::checked_sum(lease.terms.currency, charges.iter().map(|charge| charge.amount))
        .ok_or_else(|| Poison("the rent of a month does not fit 64 bits".to_owned()))
}

/// The days on which the tenant has a block, also those whose rent is abated.
#[must_use]
pub fn occupied(lease: &LeaseCopy, premises: &Premises) -> DateRange {
    lease.moved(&premises.place).map_or(premises.term, |moved| moved.term)
}

/// The first day of the lease, as its blocks stand.
#[must_use]
pub fn start_as_it_stands(lease: &LeaseCopy) -> Option<CivilDate> {
    let live = |premises: &&Premises| lease.block_state(&premises.place) != Some(BlockState::Lapsed);
    lease.terms.premises.iter().filter(live).map(|premises| occupied(lease, premises).start()).min()
}

/// The base rent of a block over some days.
pub fn rent_of_block(lease: &LeaseCopy, place: &BlockRef, days: DateRange) -> Result<Money, Poison> {
    sum_of(lease, &of_block(lease, place, days)?)
}

/// What is still to come, commenced or not, whoever bills it, in runs of months that begin on or before `through` (`None`: to the end).
/// Where rates follow an index, those that are not known yet are what is certain: risen by its floor.
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
            charges.extend(Standing::of(lease, premises)?.charges(&lease.terms, days)?);
        }
    }
    charges.retain(|charge| {
        through.is_none_or(|last| billing_month(lease, charge).first_day() <= last)
            && !charged.contains(&charge.key())
    });
    in_invoice_order(&mut charges);
    Ok(charges)
}

/// What is not known of the index that rates follow, block by block, where their terms need it.
pub fn not_known(lease: &LeaseCopy) -> Result<Vec<NotKnown>, Poison> {
    let mut all = Vec::new();
    for premises in &lease.terms.premises {
        let missing = Standing::of(lease, premises)?.missing;
        let days = days_of(lease, premises);
        if let Some(missing) = missing.filter(|missing| days.is_some_and(|days| missing.from < days.end())) {
            all.push(NotKnown { place: premises.place.clone(), missing });
        }
    }
    Ok(all)
}

/// The days of rent of a block as they stand; none if all of it is abated, or it will never commence.
pub(super) fn days_of(lease: &LeaseCopy, premises: &Premises) -> Option<DateRange> {
    if lease.block_state(&premises.place) == Some(BlockState::Lapsed) {
        return None;
    }
    match lease.moved(&premises.place) {
        None => Some(premises.term),
        Some(moved) => DateRange::new(moved.rent_from.max(moved.term.start()), moved.term.end()).ok(),
    }
}

fn in_invoice_order(charges: &mut [Charge]) {
    charges.sort_by(|a, b| (a.period.start(), &a.place).cmp(&(b.period.start(), &b.place)));
}

/// The rent of a block, with its rates worked out.
pub struct Standing<'a> {
    place: &'a BlockRef,
    quantities: &'a [QuantityStep],
    /// The days of rent.
    days: DateRange,
    /// Its rates, step by step; where they follow an index that is not known, those that are certain.
    pub rates: Vec<RateStep>,
    /// What is not known of them.
    pub missing: Option<MissingIndex>,
}

impl<'a> Standing<'a> {
    /// As it stands in a lease: with the rates and loads that leasing has worked out where they are not what the terms
    /// say, and with what is known of the index.
    pub fn of(lease: &'a LeaseCopy, premises: &'a Premises) -> Result<Self, Poison> {
        let moved = lease.moved(&premises.place);
        let standing = Self {
            place: &premises.place,
            quantities: lease.quantities(premises),
            days: days_of(lease, premises).unwrap_or(premises.term),
            rates: match moved {
                Some(moved) => moved.rates.clone(),
                None => rates_of(&lease.terms, premises)?,
            },
            missing: None,
        };
        let term = occupied(lease, premises);
        let start = start_as_it_stands(lease).unwrap_or(term.start());
        standing.indexed(&lease.terms, premises, (start, term), &lease.index)
    }

    /// As the terms say it; nothing is known of the index.
    fn agreed(terms: &'a BillingTerms, premises: &'a Premises) -> Result<Self, Poison> {
        let term = premises.term;
        let standing = Self {
            place: &premises.place,
            quantities: &premises.quantities,
            days: term,
            rates: rates_of(terms, premises)?,
            missing: None,
        };
        let start = terms.start().unwrap_or(term.start());
        standing.indexed(terms, premises, (start, term), &IndexValues::new())
    }

    fn indexed(
        mut self,
        terms: &BillingTerms,
        premises: &Premises,
        (lease_start, term): (CivilDate, DateRange),
        values: &IndexValues,
    ) -> Result<Self, Poison> {
        if let (Some(index), Rent::Base { .. }) = (&terms.rent.index, &premises.rent) {
            let indexed = index.rates(&self.rates, lease_start, term.start(), term.end(), values);
            let indexed = indexed.map_err(|error| poison(&premises.place, error))?;
            (self.rates, self.missing) = (indexed.steps, indexed.missing);
        }
        Ok(self)
    }

    /// The charges over some of its days, which must need nothing that is not known.
    fn known(&self, terms: &BillingTerms, days: DateRange) -> Result<Vec<Charge>, Poison> {
        match &self.missing {
            Some(missing) if missing.from < days.end() => Err(poison(self.place, missing)),
            _ => self.charges(terms, days),
        }
    }

    /// The charges over some of its days. Months are split before anything is rounded, so that a month computed alone is
    /// the same as in the whole schedule.
    fn charges(&self, terms: &BillingTerms, days: DateRange) -> Result<Vec<Charge>, Poison> {
        let agreed = Agreed {
            quantity_steps: self.quantities,
            rate_steps: &self.rates,
            rules: &terms.rent,
            term: self.days,
        };
        let lines = agreed.lines(days, terms.currency).map_err(|error| poison(self.place, error))?;
        // Free days are no charge: an invoice line says that something is owed.
        let owed = lines.into_iter().filter(|line| line.amount.minor > 0);
        let charge = |line: RentLine| Charge {
            charge_type: ChargeType::BaseRent,
            place: self.place.clone(),
            period: line.period,
            month: line.month,
            days: line.days,
            days_in_month: line.days_in_month,
            quantity_kw: line.kw,
            rate: line.rate,
            proration: line.proration,
            abated: line.abated,
            amount: line.amount,
        };
        Ok(owed.map(charge).collect())
    }
}

/// The rates of a block as its terms say them, step by step, without what an index adds.
fn rates_of(terms: &BillingTerms, premises: &Premises) -> Result<Vec<RateStep>, Poison> {
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
            .map_err(|error| poison(&premises.place, error))
        }
    }
}

fn poison(place: &BlockRef, problem: impl std::fmt::Display) -> Poison {
    Poison(format!("block {}/{}: {problem}", place.site, place.block))
}
