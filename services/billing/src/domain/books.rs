//! The books: which months are closed, and postings that no document makes.

use kernel::{AccountId, CivilDate, Error, Money, OperatorId, Reason, Violations, YearMonth};
use serde::{Deserialize, Serialize};

use super::ledger_account::LedgerAccount;

/// How far an operator's books are closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// Whose.
    pub operator: OperatorId,
    /// The last day into which nothing is posted any more, the last of a month.
    pub closed_through: Option<CivilDate>,
    /// Raised by every change; the etag.
    pub version: i64,
}

fn last_day(month: YearMonth) -> Option<CivilDate> {
    month.range().map(|days| days.last_day())
}

impl Books {
    /// Refuses a posting into a closed month.
    pub fn check_open(&self, posting_date: CivilDate) -> Result<(), Error> {
        match self.closed_through {
            Some(through) if posting_date <= through => Err(closed(through)),
            _ => Ok(()),
        }
    }

    /// The books with a month closed, and all before it.
    ///
    /// # Errors
    /// `PERIOD_CLOSED` for a month that is closed or has not ended.
    pub fn close(self, month: YearMonth, today: CivilDate) -> Result<Self, Error> {
        let last = last_day(month).filter(|last| *last < today);
        let last = last.ok_or_else(|| {
            Error::refused(
                Reason::PeriodClosed,
                format!("{month} has not ended; a month is closed after its last day."),
            )
        })?;
        self.check_open(last)?;
        Ok(Self { closed_through: Some(last), version: self.version + 1, ..self })
    }

    /// Whether a month is closed, and may be opened again.
    pub fn may_reopen(&self, month: YearMonth) -> Result<(), Error> {
        let last = last_day(month);
        if self.closed_through.zip(last).is_some_and(|(through, last)| last <= through) {
            return Ok(());
        }
        Err(Error::invalid_transition("month", "OPEN", "OPEN"))
    }

    /// The books with a month open again, and all after it.
    pub fn reopen(self, month: YearMonth) -> Result<Self, Error> {
        self.may_reopen(month)?;
        let before = month.first_day().pred_opt().filter(|day| *day >= first_closable());
        Ok(Self { closed_through: before, version: self.version + 1, ..self })
    }
}

/// The first day that can be the last of a closed month.
fn first_closable() -> CivilDate {
    CivilDate::from_ymd_opt(2000, 1, 31).unwrap_or(CivilDate::MAX)
}

fn closed(through: CivilDate) -> Error {
    Error::refused(Reason::PeriodClosed, format!("The books are closed through {through}."))
        .with("closedThrough", through)
}

/// One side of a journal or an accrual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Which account of the ledger.
    pub ledger_account: LedgerAccount,
    /// The tenant's account that it concerns.
    pub account: Option<AccountId>,
    /// A debit is positive.
    pub amount: Money,
}

/// A posting that no document makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The day it counts for.
    pub posting_date: CivilDate,
    /// Its sides, zero in sum.
    pub lines: Vec<JournalLine>,
    /// What it is.
    pub description: String,
}

/// A journal has at least two sides, and not so many that nobody reads them.
const LINES: std::ops::RangeInclusive<usize> = 2..=100;

/// Everything that is wrong with the sides of a journal.
pub fn check_lines(v: &mut Violations, lines: &[JournalLine]) {
    v.require("lines", LINES.contains(&lines.len()), "must be 2 to 100 lines");
    for (at, line) in lines.iter().enumerate() {
        v.nested(&format!("lines[{at}]"), |v| {
            let of_documents = LedgerAccount::OF_DOCUMENTS.contains(&line.ledger_account);
            v.require("ledger_account", !of_documents, "is moved by documents alone");
            v.require("amount", !line.amount.is_zero(), "must not be zero");
        });
    }
    let crooked = lines.iter().map(|line| line.amount.currency).find(|currency| {
        let of_currency = lines.iter().filter(|line| line.amount.currency == *currency);
        of_currency.map(|line| i128::from(line.amount.minor)).sum::<i128>() != 0
    });
    if let Some(currency) = crooked {
        v.add("lines", format!("must add up to zero in {currency}"));
    }
}

/// The same the other way round. `None` for an amount that has no opposite.
#[must_use]
pub fn reversed(lines: &[JournalLine]) -> Option<Vec<JournalLine>> {
    lines
        .iter()
        .map(|line| Some(JournalLine { amount: line.amount.checked_neg()?, ..line.clone() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{self, date, month, usd};

    fn books() -> Books {
        Books { operator: sample::operator(), closed_through: None, version: 1 }
    }

    #[test]
    fn a_closed_month_stays_closed_until_it_is_reopened() {
        let today = date(2027, 3, 2);
        let early = books().close(month(2027, 3), today).expect_err("it has not ended");
        assert_eq!(early.reason(), Reason::PeriodClosed);
        assert!(books().close(month(2027, 2), date(2027, 2, 28)).is_err(), "its last day is not over");
        let closed = books().close(month(2027, 2), today).expect("it has ended");
        assert_eq!((closed.closed_through, closed.version), (Some(date(2027, 2, 28)), 2));
        assert!(closed.check_open(date(2027, 2, 28)).is_err() && closed.check_open(date(2027, 3, 1)).is_ok());
        assert!(closed.clone().close(month(2027, 2), today).is_err(), "twice");
        assert!(closed.clone().close(month(2027, 1), today).is_err(), "it is closed with February");
        assert!(closed.may_reopen(month(2027, 3)).is_err());
        let open = closed.reopen(month(2027, 1)).expect("closed");
        assert_eq!((open.closed_through, open.version), (Some(date(2026, 12, 31)), 3));
        assert_eq!(open.reopen(month(2000, 1)).expect("closed").closed_through, None);
    }

    #[test]
    fn a_journal_has_two_sides_that_sum_to_zero() {
        let line = |ledger_account, minor| JournalLine {
            ledger_account,
            account: None,
            amount: Money::new(minor, usd()),
        };
        let wrong = |lines: &[JournalLine]| -> Vec<String> {
            let mut v = Violations::new();
            check_lines(&mut v, lines);
            v.finish()
                .err()
                .map(|e| e.violations().iter().map(|v| v.field.clone()).collect())
                .unwrap_or_default()
        };
        let good = [line(LedgerAccount::AccruedRevenue, 5), line(LedgerAccount::OtherIncome, -5)];
        assert!(wrong(&good).is_empty());
        assert!(wrong(&reversed(&good).expect("small")).is_empty());
        assert_eq!(wrong(&good[..1]), ["lines", "lines"]);
        let bad = [line(LedgerAccount::Cash, 0), line(LedgerAccount::OtherIncome, -4)];
        assert_eq!(wrong(&bad), ["lines[0].ledger_account", "lines[0].amount", "lines"]);
    }
}
