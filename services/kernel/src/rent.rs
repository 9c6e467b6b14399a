//! Rent: what a block costs in each month, from its quantity, its rate and its escalator.
//!
//! The one rounding rule lives here. The rate of step `k` is `base x (1 + e)^k` rounded half up to ten decimals, each
//! computed from the base and never from the step before. A line is `kW x rate x its part of the month`, less what is let
//! off, rounded half up to the currency's minor unit, once. Everything else adds lines up.

mod index;
mod lines;
mod rules;
mod schedule;
mod solve;

use serde::{Deserialize, Serialize};

use crate::money::{Money, Percent, Rate};
use crate::time::{CivilDate, DateRange, YearMonth};

pub use index::{Adjustment, IndexEscalator, IndexMethod, IndexValues, Indexed, MissingIndex};
pub use lines::{Agreed, rent_lines, total};
pub use rules::{Abatement, BillingFrequency, Proration, RentRules, RentTiming};
pub use schedule::{escalation_dates, rate_steps, step_rate};
pub use solve::{solve_rate_on_calendar, solve_year_one_rate};

/// Which clock an escalator follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EscalationBasis {
    /// On each anniversary of the lease's start, for all blocks at once: a block that comes later joins at the rate of
    /// its lease year.
    LeaseAnniversary,
    /// On each anniversary of the block's own commencement.
    BlockAnniversary,
    /// On the first of a month: that on which the block's anniversary falls, or the next one after it.
    FirstOfMonthOnOrAfterBlockAnniversary,
    /// First on this date, then on each anniversary of it, for all blocks at once.
    FixedDate(CivilDate),
}

/// A fixed yearly increase that compounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Escalator {
    /// By how much a year.
    pub percent: Percent,
    /// When.
    pub basis: EscalationBasis,
}

/// From this day on the block costs this much per kW of critical IT load and month, until the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RateStep {
    /// The first day.
    pub from: CivilDate,
    /// Money per kW-month.
    pub rate: Rate,
}

/// From this day on the tenant leases this much of the block, until the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QuantityStep {
    /// The first day.
    pub from: CivilDate,
    /// Critical IT load, kW.
    pub kw: i64,
}

/// Rent for some days of one calendar month in which neither quantity nor rate changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RentLine {
    /// The days charged; all in one month.
    pub period: DateRange,
    /// The month they lie in.
    pub month: YearMonth,
    /// How many days are charged.
    pub days: u32,
    /// How many days the month has.
    pub days_in_month: u32,
    /// Critical IT load, kW.
    pub kw: i64,
    /// Money per kW-month.
    pub rate: Rate,
    /// How its days are counted.
    pub proration: Proration,
    /// How much of it is let off.
    pub abated: Percent,
    /// `kW x rate x its part of the month`, less what is let off, rounded half up once.
    pub amount: Money,
}

impl RentLine {
    /// Its part of the month: so many, of so many.
    #[must_use]
    pub fn part(&self) -> (u32, u32) {
        self.proration.part(self.period)
    }
}

/// Why rent could not be computed. The text is a sentence for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RentError {
    /// Steps are not in strictly increasing order of their dates.
    #[error("steps must be in order of their dates, each on its own day")]
    Unsorted,
    /// A quantity is negative.
    #[error("quantities must not be negative")]
    NegativeQuantity,
    /// Capacity is leased on a day for which there is no rate.
    #[error("there is no rate for {0}")]
    NoRate(CivilDate),
    /// A rate or an amount is beyond what can be kept.
    #[error("the rent is out of range")]
    OutOfRange,
    /// Nothing is leased, so no rate can yield the wanted total.
    #[error("there is nothing leased to spread the total over")]
    NothingLeased,
}
