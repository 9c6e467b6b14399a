//! Civil dates: the calendar of contracts, without a time of day.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Months};
use serde::{Deserialize, Serialize};

use super::{Interval, TimeError, YEAR_MAX, YEAR_MIN, Zone};
use crate::id::serde_as_text;

/// A date of the calendar. It names a day only together with a zone.
pub type CivilDate = chrono::NaiveDate;

fn check(date: CivilDate) -> Result<CivilDate, TimeError> {
    if (YEAR_MIN..=YEAR_MAX).contains(&date.year()) { Ok(date) } else { Err(TimeError::OutOfRange) }
}

/// The date `months` after `anchor` (before it if negative), cut to the last day of a shorter month.
///
/// Always count from the anchor: 31 January plus two months is 31 March, while adding one month twice would give 28.
/// `None` outside the years 2000 to 9999.
pub fn add_months(anchor: CivilDate, months: i32) -> Option<CivilDate> {
    let count = Months::new(months.unsigned_abs());
    let date = if months >= 0 { anchor.checked_add_months(count) } else { anchor.checked_sub_months(count) };
    date.and_then(|date| check(date).ok())
}

/// How many whole months lie between `anchor` and `date`: the greatest `n` with `add_months(anchor, n) <= date`.
pub fn months_between(anchor: CivilDate, date: CivilDate) -> i32 {
    let months = |d: CivilDate| d.year() * 12 + d.month0().cast_signed();
    let n = months(date) - months(anchor);
    // The n-th month date lies in the month of `date`; it is beyond `date` when its day is.
    match add_months(anchor, n) {
        Some(reached) if reached <= date => n,
        _ => n - 1,
    }
}

/// `date` itself if it is the first of a month, else the first of the next month. `None` beyond the year 9999.
pub fn first_of_month_on_or_after(date: CivilDate) -> Option<CivilDate> {
    if date.day() == 1 {
        return check(date).ok();
    }
    YearMonth::of(date).next().map(YearMonth::first_day)
}

/// A month of the calendar. Written `2026-12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    first: CivilDate,
}

impl YearMonth {
    /// The month `month` (1 to 12) of `year`.
    pub fn new(year: i32, month: u32) -> Result<Self, TimeError> {
        let first = CivilDate::from_ymd_opt(year, month, 1).ok_or(TimeError::NotAMonth)?;
        check(first).map(|first| Self { first }).map_err(|_| TimeError::NotAMonth)
    }

    /// The month in which `date` lies.
    pub fn of(date: CivilDate) -> Self {
        // Day 1 exists in every month, so the date itself is never the answer.
        Self { first: date.with_day(1).unwrap_or(date) }
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.first.year()
    }

    /// The month of the year, 1 to 12.
    pub fn month(self) -> u32 {
        self.first.month()
    }

    /// The first day of the month.
    pub fn first_day(self) -> CivilDate {
        self.first
    }

    /// The month after this one, or `None` beyond the year 9999.
    pub fn next(self) -> Option<Self> {
        add_months(self.first, 1).map(|first| Self { first })
    }

    /// How many months later `other` is; below zero where it is earlier.
    pub fn months_until(self, other: Self) -> i32 {
        let number = |of: Self| of.year() * 12 + i32::try_from(of.month()).unwrap_or(0);
        number(other) - number(self)
    }

    /// The month before this one, or `None` before the year 2000.
    pub fn previous(self) -> Option<Self> {
        add_months(self.first, -1).map(|first| Self { first })
    }

    /// How many days it has, 28 to 31.
    pub fn days(self) -> u32 {
        // The last month of the last year has no next month that we know; every December has 31 days.
        const DECEMBER_DAYS: u32 = 31;
        self.first.checked_add_months(Months::new(1)).map_or(DECEMBER_DAYS, |next| {
            (next - self.first).num_days().unsigned_abs().try_into().unwrap_or(DECEMBER_DAYS)
        })
    }

    /// All its days. `None` for the very last month, whose end is not a date we know.
    pub fn range(self) -> Option<DateRange> {
        self.next().map(|next| DateRange { start: self.first, end: next.first })
    }
}

impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

impl FromStr for YearMonth {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        const FORM: usize = "2026-12".len();
        let (year, month) =
            text.split_once('-').filter(|_| text.len() == FORM).ok_or(TimeError::NotAMonth)?;
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if !digits(year) || !digits(month) {
            return Err(TimeError::NotAMonth);
        }
        match (year.parse(), month.parse()) {
            (Ok(year), Ok(month)) => Self::new(year, month),
            _ => Err(TimeError::NotAMonth),
        }
    }
}

serde_as_text!(YearMonth);

/// A half-open range of civil dates: `start` is in it, `end` is not. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawDateRange")]
pub struct DateRange {
    start: CivilDate,
    end: CivilDate,
}

#[derive(Deserialize)]
struct RawDateRange {
    start: CivilDate,
    end: CivilDate,
}

impl TryFrom<RawDateRange> for DateRange {
    type Error = TimeError;

    fn try_from(raw: RawDateRange) -> Result<Self, TimeError> {
        Self::new(raw.start, raw.end)
    }
}

impl DateRange {
    /// The days from `start` until the day before `end`.
    pub fn new(start: CivilDate, end: CivilDate) -> Result<Self, TimeError> {
        let (start, end) = (check(start)?, check(end)?);
        if end <= start {
            return Err(TimeError::EndNotAfterStart);
        }
        Ok(Self { start, end })
    }

    /// The term of `months` from `start`: it ends on the day of the month on which it began, cut to a shorter month.
    pub fn of_months(start: CivilDate, months: u32) -> Result<Self, TimeError> {
        let months = i32::try_from(months).map_err(|_| TimeError::OutOfRange)?;
        Self::new(start, add_months(start, months).ok_or(TimeError::OutOfRange)?)
    }

    fn within(start: CivilDate, end: CivilDate) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first day in it.
    pub const fn start(&self) -> CivilDate {
        self.start
    }

    /// The first day after it.
    pub const fn end(&self) -> CivilDate {
        self.end
    }

    /// The last day in it, as contracts print it.
    pub fn last_day(&self) -> CivilDate {
        self.end.pred_opt().unwrap_or(self.start)
    }

    /// How many days it has.
    pub fn days(&self) -> i64 {
        (self.end - self.start).num_days()
    }

    /// Whether the day lies in it.
    pub fn contains(&self, date: CivilDate) -> bool {
        self.start <= date && date < self.end
    }

    /// Whether the two share a day; touching ends share none.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The days the two share.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::within(self.start.max(other.start), self.end.min(other.end))
    }

    /// The calendar months it touches, each with the days of it that lie in the range.
    pub fn months(&self) -> impl Iterator<Item = (YearMonth, Self)> + use<> {
        let range = *self;
        std::iter::successors(Some(YearMonth::of(range.start)), |month| month.next())
            .take_while(move |month| month.first_day() < range.end)
            .filter_map(move |month| {
                let end = month.next().map_or(range.end, |next| range.end.min(next.first_day()));
                Self::within(range.start.max(month.first_day()), end).map(|part| (month, part))
            })
    }

    /// The instants of these days in a zone. Refused if the zone skipped all of them.
    pub fn to_interval(&self, zone: Zone) -> Result<Interval, TimeError> {
        Interval::new(zone.start_of_day(self.start), zone.start_of_day(self.end))
    }
}

impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
