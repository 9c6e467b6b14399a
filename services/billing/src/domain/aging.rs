//! What is owed, by how long it is due: of the ledger as of a day, so that it is the ledger's.

use std::collections::BTreeMap;

use kernel::{AccountId, CivilDate, Currency, Error, InvoiceId, Money, OperatorId, TenantId};

use super::invoice::TooLarge;
use super::number::InvoiceNumber;
use super::words::names;

/// What is owed of an invoice as of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Its number.
    pub number: InvoiceNumber,
    /// The account.
    pub account: AccountId,
    /// Who owes.
    pub tenant: TenantId,
    /// The last day to pay.
    pub due_date: CivilDate,
    /// How much.
    pub open: Money,
    /// How much of it is disputed: it is not dunned.
    pub disputed: Money,
}

/// How far the operator has gone in asking for it, by days past due. The days are usual ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dunning {
    /// There is time to pay.
    NotDue,
    /// Past due, within the usual grace of 10 days.
    Grace,
    /// Reminded, to 30 days.
    Reminder,
    /// Demanded in writing, to 60 days.
    Demand,
    /// The last notice before default.
    FinalNotice,
}

names!(Dunning {
    NotDue => "NOT_DUE",
    Grace => "GRACE",
    Reminder => "REMINDER",
    Demand => "DEMAND",
    FinalNotice => "FINAL_NOTICE",
});

impl Dunning {
    /// The stage after so many days past due.
    #[must_use]
    pub fn after(days_past_due: i64) -> Self {
        match days_past_due {
            ..=0 => Self::NotDue,
            1..=10 => Self::Grace,
            11..=30 => Self::Reminder,
            31..=60 => Self::Demand,
            61.. => Self::FinalNotice,
        }
    }
}

/// The bounds of the buckets, in days past due: not due, to 30, to 60, to 90, more.
const BUCKETS: [i64; 4] = [0, 30, 60, 90];

/// What an account owes, by how long it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgingRow {
    /// The account.
    pub account: AccountId,
    /// Who owes.
    pub tenant: TenantId,
    /// Not due, 1 to 30 days past due, 31 to 60, 61 to 90, more.
    pub buckets: [Money; 5],
    /// The sum of the buckets.
    pub owed: Money,
    /// What of it is disputed.
    pub disputed: Money,
    /// What is kept for the tenant and pays nothing yet.
    pub unapplied: Money,
    /// The furthest stage of its invoices.
    pub dunning: Dunning,
}

/// Receivables as of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aging {
    /// Whose.
    pub operator: OperatorId,
    /// The day.
    pub as_of: CivilDate,
    /// By account.
    pub rows: Vec<AgingRow>,
    /// The invoices, the longest due first.
    pub invoices: Vec<Owed>,
}

impl Owed {
    /// How far asking for it has gone: not at all where all of it is disputed.
    #[must_use]
    pub fn dunning(&self, as_of: CivilDate) -> Dunning {
        if self.disputed.minor >= self.open.minor && !self.disputed.is_zero() {
            return Dunning::NotDue;
        }
        Dunning::after(self.days_past_due(as_of))
    }

    /// Days past due, negative before.
    #[must_use]
    pub fn days_past_due(&self, as_of: CivilDate) -> i64 {
        (as_of - self.due_date).num_days()
    }
}

impl Aging {
    /// Sorts what is owed into buckets. `unapplied`: what is kept for each account.
    pub fn of(
        operator: OperatorId,
        as_of: CivilDate,
        mut invoices: Vec<Owed>,
        unapplied: Vec<(AccountId, TenantId, Money)>,
    ) -> Result<Self, Error> {
        invoices.sort_by_key(|owed| (owed.due_date, owed.number.get()));
        let mut rows: BTreeMap<AccountId, AgingRow> = BTreeMap::new();
        let new = |account, tenant: &TenantId, currency: Currency| AgingRow {
            account,
            tenant: tenant.clone(),
            buckets: [Money::zero(currency); 5],
            owed: Money::zero(currency),
            disputed: Money::zero(currency),
            unapplied: Money::zero(currency),
            dunning: Dunning::NotDue,
        };
        let add = |to: &mut Money, amount: Money| -> Result<(), Error> {
            *to = to.checked_add(amount).ok_or_else(|| Error::internal(TooLarge))?;
            Ok(())
        };
        for owed in &invoices {
            let row = rows
                .entry(owed.account)
                .or_insert_with(|| new(owed.account, &owed.tenant, owed.open.currency));
            let late = owed.days_past_due(as_of);
            let bucket = BUCKETS.iter().filter(|bound| late > **bound).count();
            add(&mut row.buckets[bucket], owed.open)?;
            add(&mut row.owed, owed.open)?;
            add(&mut row.disputed, owed.disputed)?;
            row.dunning = row.dunning.max(owed.dunning(as_of));
        }
        for (account, tenant, kept) in unapplied {
            let row = rows.entry(account).or_insert_with(|| new(account, &tenant, kept.currency));
            add(&mut row.unapplied, kept)?;
        }
        Ok(Self { operator, as_of, rows: rows.into_values().collect(), invoices })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;
    use crate::domain::sample::{self, date, usd};

    fn owed(due: CivilDate, minor: i64) -> Owed {
        Owed {
            invoice: InvoiceId::new(Uuid::from_u128(1)),
            number: InvoiceNumber::new("INV", 1),
            account: AccountId::new(Uuid::from_u128(3)),
            tenant: "tenant-one".parse().expect("a slug"),
            due_date: due,
            open: Money::new(minor, usd()),
            disputed: Money::zero(usd()),
        }
    }

    #[test]
    fn each_day_is_in_one_bucket() {
        let as_of = date(2027, 6, 30);
        for (late, bucket) in [(-1, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)]
        {
            let due = as_of - chrono::TimeDelta::days(late);
            let aging = Aging::of(sample::operator(), as_of, vec![owed(due, 7)], Vec::new()).expect("fits");
            let minors = aging.rows[0].buckets.map(|money| money.minor);
            assert_eq!((minors[bucket], minors.iter().sum::<i64>()), (7, 7), "{late} days");
        }
    }

    #[test]
    fn what_is_disputed_whole_is_not_dunned() {
        let late = Owed { disputed: Money::new(6, usd()), ..owed(date(2027, 1, 1), 7) };
        assert_eq!(late.dunning(date(2027, 6, 30)), Dunning::FinalNotice);
        let whole = Owed { disputed: Money::new(7, usd()), ..late };
        let aging = Aging::of(sample::operator(), date(2027, 6, 30), vec![whole], Vec::new()).expect("fits");
        assert_eq!((aging.rows[0].dunning, aging.rows[0].disputed.minor), (Dunning::NotDue, 7));
    }

    #[test]
    fn stages_follow_one_another() {
        let stages: Vec<Dunning> = [0, 1, 10, 11, 30, 31, 60, 61].into_iter().map(Dunning::after).collect();
        use Dunning::{Demand, FinalNotice, Grace, NotDue, Reminder};
        assert_eq!(stages, [NotDue, Grace, Grace, Reminder, Reminder, Demand, Demand, FinalNotice]);
    }
}
