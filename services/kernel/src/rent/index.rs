//! Rates that follow an index, such as consumer prices.
//!
//! The values of an index are given, never guessed. Where one is missing, the rates that need it are not known: what is
//! certain of them is that they rise by the floor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EscalationBasis, RateStep, RentError, escalation_dates};
use crate::exact::Exact;
use crate::id::PriceSeriesId;
use crate::money::{Percent, Rate};
use crate::time::{CivilDate, YearMonth, add_months};

/// Values of an index by month.
pub type IndexValues = BTreeMap<YearMonth, Rate>;

/// What floor and cap bound, and what the next adjustment counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IndexMethod {
    /// Each year's change of the index, within floor and cap, on top of the rate before.
    Compounding,
    /// The index over its base value, on the base rate. Floor and cap bound it as if they had compounded since the base.
    BaseOnBase,
}

/// A yearly adjustment of base rates by an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IndexEscalator {
    /// The series in which its values are recorded.
    pub series: PriceSeriesId,
    /// What the index was when the base rate was agreed; above zero.
    pub base: Rate,
    /// Months before that of the adjustment whose value counts.
    pub lag_months: u32,
    /// The least yearly rise, not below zero.
    pub floor: Percent,
    /// The greatest yearly rise, not below the floor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cap: Option<Percent>,
    /// How years follow one another.
    pub method: IndexMethod,
    /// When.
    pub basis: EscalationBasis,
}

/// A value that is not known yet, and the first day on which rent needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingIndex {
    /// The series.
    pub series: PriceSeriesId,
    /// The month of the value.
    pub month: YearMonth,
    /// From this day on rates are not known.
    pub from: CivilDate,
}

impl std::fmt::Display for MissingIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { series, month, from } = self;
        write!(f, "index {series} has no value for {month}, which rent from {from} on needs")
    }
}

/// One adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Its day.
    pub from: CivilDate,
    /// The month whose value counts.
    pub month: YearMonth,
    /// The value; `None` if it is not known.
    pub value: Option<Rate>,
    /// From here on a base rate of one is so much.
    pub factor: Exact,
}

/// Rates as the index makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// The rates; from the missing value on those that are certain: risen by the floor.
    pub steps: Vec<RateStep>,
    /// The first value that is missing.
    pub missing: Option<MissingIndex>,
}

fn one_and(percent: Percent) -> Exact {
    &Exact::from(1) + &Exact::from(percent)
}

impl IndexEscalator {
    /// The month whose value counts for an adjustment on this day; `None` before the calendar.
    #[must_use]
    pub fn month_of(&self, day: CivilDate) -> Option<YearMonth> {
        let back = i32::try_from(self.lag_months).ok()?.checked_neg()?;
        Some(YearMonth::of(add_months(YearMonth::of(day).first_day(), back)?))
    }

    /// Within floor and cap, compounded for so many years.
    fn bounded(&self, change: Exact, years: u32) -> Exact {
        let over_years = |percent| (0..years).fold(Exact::from(1), |all, _| &all * &one_and(percent));
        let at_least = change.max(over_years(self.floor));
        match self.cap {
            Some(cap) => at_least.min(over_years(cap)),
            None => at_least,
        }
    }

    /// Every adjustment before `end` of a block that begins on `block_start`.
    ///
    /// # Errors
    /// [`RentError::OutOfRange`] where a month lies before the calendar.
    pub fn adjustments(
        &self,
        lease_start: CivilDate,
        block_start: CivilDate,
        end: CivilDate,
        values: &IndexValues,
    ) -> Result<Vec<Adjustment>, RentError> {
        let base = Exact::from(self.base);
        let (mut factor, mut before) = (Exact::from(1), Some(base.clone()));
        let mut adjustments = Vec::new();
        let dates = escalation_dates(self.basis, lease_start, block_start).take_while(|date| *date < end);
        for (years, from) in (1..).zip(dates) {
            let month = self.month_of(from).ok_or(RentError::OutOfRange)?;
            let value = values.get(&month).copied();
            let now = value.map(Exact::from);
            factor = match self.method {
                IndexMethod::Compounding => {
                    let change = now.as_ref().zip(before.as_ref()).and_then(|(now, before)| now.over(before));
                    &factor * &change.map_or(one_and(self.floor), |change| self.bounded(change, 1))
                }
                IndexMethod::BaseOnBase => {
                    let change = now.as_ref().and_then(|now| now.over(&base));
                    self.bounded(change.unwrap_or_else(Exact::zero), years)
                }
            };
            before = now;
            adjustments.push(Adjustment { from, month, value, factor: factor.clone() });
        }
        Ok(adjustments)
    }

    /// The rates of a block, each the given one times what the index makes of it by then, rounded half up to ten
    /// decimals once.
    ///
    /// # Errors
    /// [`RentError::OutOfRange`] where a rate is beyond what can be kept.
    pub fn rates(
        &self,
        given: &[RateStep],
        lease_start: CivilDate,
        block_start: CivilDate,
        end: CivilDate,
        values: &IndexValues,
    ) -> Result<Indexed, RentError> {
        let adjustments = self.adjustments(lease_start, block_start, end, values)?;
        let missing = adjustments.iter().find(|one| one.value.is_none()).map(|one| MissingIndex {
            series: self.series.clone(),
            month: one.month,
            from: one.from.max(block_start),
        });
        let first = given.first().map_or(block_start, |step| step.from);
        let later = adjustments.iter().map(|one| one.from).filter(|from| *from > first);
        let mut dates: Vec<CivilDate> = given.iter().map(|step| step.from).chain(later).collect();
        dates.sort_unstable();
        dates.dedup();
        let steps = dates.into_iter().map(|from| {
            let rate = given.iter().rev().find(|step| step.from <= from).map_or(Rate::ZERO, |step| step.rate);
            let risen = adjustments.iter().rev().find(|one| one.from <= from);
            let rate = match risen {
                Some(risen) => (&Exact::from(rate) * &risen.factor).to_rate().ok_or(RentError::OutOfRange)?,
                None => rate,
            };
            Ok(RateStep { from, rate })
        });
        Ok(Indexed { steps: steps.collect::<Result<_, _>>()?, missing })
    }
}
