//! What is agreed of rent beside load and rate: how days are counted, when it is billed, what is let off, which index it
//! follows.
//!
//! These types are part of signed records: a field that is renamed changes what was signed, a new one must be left out
//! of the record where it says nothing.

use std::str::FromStr;

use chrono::Datelike as _;
use serde::{Deserialize, Serialize};

use super::IndexEscalator;
use crate::money::Percent;
use crate::time::{CivilDate, DateRange, YearMonth, add_months};

/// How the days of a broken month are counted. A whole month is a whole month under each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Proration {
    /// Days over the days of the calendar month.
    #[default]
    #[serde(rename = "ACTUAL_ACTUAL")]
    ActualActual,
    /// Every month has 30 days: a 31st counts for nothing, and the last day of February for all that it is short of 30.
    #[serde(rename = "THIRTY_360")]
    Thirty360,
    /// Every day costs the rent of a year over 365, also in a leap year. Where rent runs for a whole month, and only its
    /// rate or load changes within, the parts are by the days of the month, so that they make a month.
    #[serde(rename = "ACTUAL_365")]
    Actual365,
}

impl Proration {
    const ALL: [Self; 3] = [Self::ActualActual, Self::Thirty360, Self::Actual365];

    /// Its name, in records and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActualActual => "ACTUAL_ACTUAL",
            Self::Thirty360 => "THIRTY_360",
            Self::Actual365 => "ACTUAL_365",
        }
    }

    /// What days of one month are of a month: so many, of so many.
    #[must_use]
    pub fn part(self, days: DateRange) -> (u32, u32) {
        let month = YearMonth::of(days.start());
        let counted = u32::try_from(days.days()).unwrap_or(u32::MAX);
        match self {
            Self::ActualActual => (counted, month.days()),
            // A month's days add up to 30 however it is cut, since each part is what is over by its end less what was
            // over by its beginning.
            Self::Thirty360 => {
                let over = |day: CivilDate| if YearMonth::of(day) == month { day.day0() } else { 30 };
                (over(days.end()).saturating_sub(over(days.start())), 30)
            }
            Self::Actual365 => (12 * counted, 365),
        }
    }
}

/// The text is no way to count days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be ACTUAL_ACTUAL, THIRTY_360 or ACTUAL_365")]
pub struct NotAProration;

impl FromStr for Proration {
    type Err = NotAProration;

    fn from_str(text: &str) -> Result<Self, NotAProration> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(NotAProration)
    }
}

/// When the rent of a month is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RentTiming {
    /// By the run of the month.
    #[default]
    InAdvance,
    /// By the run of the month after.
    InArrears,
}

/// How often rent is billed: by months, quarters or years of the calendar. A block that comes or goes within one has a stub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingFrequency {
    /// Every month.
    #[default]
    Monthly,
    /// Every quarter, from January, April, July and October on.
    Quarterly,
    /// Every year, from January on.
    Yearly,
}

impl BillingFrequency {
    /// Its name, in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monthly => "MONTHLY",
            Self::Quarterly => "QUARTERLY",
            Self::Yearly => "YEARLY",
        }
    }

    /// How many months are billed together.
    #[must_use]
    pub const fn months(self) -> u32 {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::Yearly => 12,
        }
    }

    /// The first and the last month of those with which a month is billed.
    #[must_use]
    pub fn period(self, month: YearMonth) -> (YearMonth, YearMonth) {
        let first = (month.month() - 1) / self.months() * self.months() + 1;
        let at = |number: u32| YearMonth::new(month.year(), number).unwrap_or(month);
        (at(first), at(first + self.months() - 1))
    }

    /// The month whose run bills the rent of `month`, for a block whose rent is of `days`, some of them in it. In advance it is the first month
    /// of the period, or of the block; in arrears the month after the last of the period, or of the block.
    #[must_use]
    pub fn billed_in(self, timing: RentTiming, month: YearMonth, days: DateRange) -> YearMonth {
        let (first, last) = self.period(month);
        match timing {
            RentTiming::InAdvance => first.max(YearMonth::of(days.start())).min(month),
            RentTiming::InArrears => {
                let over = last.min(YearMonth::of(days.last_day())).max(month);
                // The last month of the calendar is billed in itself.
                over.next().unwrap_or(over)
            }
        }
    }

    /// The days whose rent the run of a month bills, for a block whose rent is of `days`.
    #[must_use]
    pub fn billed_by(self, timing: RentTiming, run: YearMonth, days: DateRange) -> Option<DateRange> {
        let of = match timing {
            RentTiming::InAdvance => run,
            RentTiming::InArrears => run.previous()?,
        };
        let (first, last) = self.period(of);
        let period = DateRange::new(first.first_day(), last.range()?.end()).ok()?.intersection(&days)?;
        // A month of the period and of the block, which the run's own need not be.
        (self.billed_in(timing, YearMonth::of(period.start()), days) == run).then_some(period)
    }
}

/// Months of a block for which a part of the rent, or all of it, is let off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Abatement {
    /// The first, counted from the block's first day of rent: 0 begins with it.
    pub first_month: u32,
    /// How many.
    pub months: u32,
    /// How much of the rent is let off; 100 is free rent.
    pub percent: Percent,
}

impl Abatement {
    /// The first month that is not let off any more; `None` if there is no such number.
    #[must_use]
    pub fn end_month(&self) -> Option<u32> {
        self.first_month.checked_add(self.months)
    }

    /// Its days, for a block whose rent begins on this day.
    #[must_use]
    pub fn days(&self, rent_from: CivilDate) -> Option<DateRange> {
        let month = |n: u32| add_months(rent_from, i32::try_from(n).ok()?);
        DateRange::new(month(self.first_month)?, month(self.end_month()?)?).ok()
    }
}

/// All of it. The default is what holds where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RentRules {
    /// How often it is billed.
    #[serde(skip_serializing_if = "is_default", default)]
    pub frequency: BillingFrequency,
    /// How days are counted.
    #[serde(skip_serializing_if = "is_default", default)]
    pub proration: Proration,
    /// When it is billed.
    #[serde(skip_serializing_if = "is_default", default)]
    pub timing: RentTiming,
    /// What is let off, in order, no month twice.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub abatements: Vec<Abatement>,
    /// The index that base rates follow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub index: Option<IndexEscalator>,
}

fn is_default<T: Default + PartialEq>(said: &T) -> bool {
    *said == T::default()
}

impl RentRules {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        is_default(self)
    }

    /// What of the rent of a day is let off, and the day on which that changes next.
    pub(super) fn abated_on(&self, rent_from: CivilDate, day: CivilDate) -> (Percent, Option<CivilDate>) {
        let ranges = || self.abatements.iter().filter_map(|one| Some((one.percent, one.days(rent_from)?)));
        let now = ranges().find(|(_, days)| days.contains(day)).map_or(Percent::ZERO, |(percent, _)| percent);
        let bounds = ranges().flat_map(|(_, days)| [days.start(), days.end()]);
        (now, bounds.filter(|bound| *bound > day).min())
    }
}
