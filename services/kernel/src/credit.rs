//! What stands behind a tenant: promises of others to pay, each up to a cap that may fall from the first rent on.

use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::money::Money;
use crate::time::{CivilDate, add_months, months_between};

/// What kind of promise it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SupportKind {
    /// Somebody answers for what the tenant owes.
    Guaranty,
    /// A bank pays on demand.
    LetterOfCredit,
}

/// From when on it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CoversFrom {
    /// As soon as the lease is in force.
    InForce,
    /// From the first day of rent on: before it nobody is covered.
    FirstRent,
}

/// One promise, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditSupport {
    /// Its id within the terms.
    pub id: String,
    /// What kind it is.
    pub kind: SupportKind,
    /// Who gives it.
    pub provider: String,
    /// The most that is owed under it.
    pub cap: Money,
    /// From when on it covers.
    pub covers_from: CoversFrom,
    /// Months from the first day of rent in which the cap falls to nothing, a step a month; 0 is never.
    #[serde(skip_serializing_if = "is_never", default)]
    pub amortisation_months: u32,
    /// First day on which it covers no more; none is as long as the lease has something open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expiry: Option<CivilDate>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_never(months: &u32) -> bool {
    *months == 0
}

impl CreditSupport {
    /// Whether it covers nothing yet on a day of a lease whose rent begins on `first_rent`.
    #[must_use]
    pub fn waits(&self, day: CivilDate, first_rent: Option<CivilDate>) -> bool {
        self.covers_from == CoversFrom::FirstRent && first_rent.is_none_or(|first| day < first)
    }

    /// What it covers on a day of a lease that is in force, whose rent begins on `first_rent`. The cap less a step for each whole
    /// month since then, rounded once. `None` beyond 64 bits.
    #[must_use]
    pub fn on(&self, day: CivilDate, first_rent: Option<CivilDate>) -> Option<Money> {
        let nothing = Money::zero(self.cap.currency);
        if self.waits(day, first_rent) || self.expiry.is_some_and(|expiry| day >= expiry) {
            return Some(nothing);
        }
        let begun = first_rent.filter(|first| day >= *first);
        let Some(first) = begun.filter(|_| self.amortisation_months > 0) else { return Some(self.cap) };
        let months = i64::from(self.amortisation_months);
        let left = months - i64::from(months_between(first, day));
        if left <= 0 {
            return Some(nothing);
        }
        (&Exact::from(self.cap) * &Exact::ratio(left, months)?).to_money(self.cap.currency)
    }

    /// The next day after this one on which it may change: the first rent, the months after it, its expiry.
    #[must_use]
    pub fn next_day(&self, day: CivilDate, first_rent: Option<CivilDate>) -> Option<CivilDate> {
        let months = first_rent.filter(|_| self.amortisation_months > 0).and_then(|first| {
            let gone = if day < first { 0 } else { months_between(first, day) + 1 };
            add_months(first, gone)
        });
        [first_rent, months, self.expiry].into_iter().flatten().filter(|next| *next > day).min()
    }
}
