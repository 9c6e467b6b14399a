//! The trial balance: what stands on each side of each ledger account, and that both sides are equal.

use kernel::{CivilDate, Currency, Money};

use super::ledger_account::LedgerAccount;

/// One ledger account in one currency, up to and with a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalanceRow {
    /// Which account.
    pub ledger_account: LedgerAccount,
    /// To whom a tax is owed.
    pub jurisdiction: Option<String>,
    /// Sum of the debits, not negative.
    pub debits: Money,
    /// Sum of the credits, not negative.
    pub credits: Money,
}

/// All accounts up to and with a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalance {
    /// The last day that counts; `None` counts everything.
    pub as_of: Option<CivilDate>,
    /// By ledger account, jurisdiction and currency.
    pub rows: Vec<TrialBalanceRow>,
}

/// Both sides of one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyTotal {
    /// Sum of all debits.
    pub debits: Money,
    /// Sum of all credits.
    pub credits: Money,
}

impl TrialBalance {
    /// Both sides per currency, in the order of the rows. `None` when a sum does not fit: the ledger is broken.
    #[must_use]
    pub fn totals(&self) -> Option<Vec<CurrencyTotal>> {
        let mut totals: Vec<CurrencyTotal> = Vec::new();
        for row in &self.rows {
            let currency: Currency = row.debits.currency;
            if let Some(total) = totals.iter_mut().find(|t| t.debits.currency == currency) {
                total.debits = total.debits.checked_add(row.debits)?;
                total.credits = total.credits.checked_add(row.credits)?;
            } else {
                totals.push(CurrencyTotal { debits: row.debits, credits: row.credits });
            }
        }
        Some(totals)
    }

    /// Whether debits equal credits in every currency.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.totals().is_some_and(|totals| totals.iter().all(|t| t.debits == t.credits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample;

    fn row(ledger_account: LedgerAccount, debits: i64, credits: i64) -> TrialBalanceRow {
        let currency = sample::usd();
        TrialBalanceRow {
            ledger_account,
            jurisdiction: None,
            debits: Money::new(debits, currency),
            credits: Money::new(credits, currency),
        }
    }

    #[test]
    fn both_sides_are_summed_per_currency() {
        let balance = TrialBalance {
            as_of: Some(sample::date(2026, 12, 31)),
            rows: vec![
                row(LedgerAccount::AccountsReceivable, 300, 0),
                row(LedgerAccount::RentIncome, 0, 300),
            ],
        };
        assert!(balance.balances());
        assert_eq!(balance.totals().expect("fits").len(), 1);
    }

    #[test]
    fn a_missing_side_is_seen() {
        let balance = TrialBalance {
            as_of: Some(sample::date(2026, 12, 31)),
            rows: vec![row(LedgerAccount::AccountsReceivable, 300, 0)],
        };
        assert!(!balance.balances());
    }

    #[test]
    fn an_overflow_is_not_a_balance() {
        let balance = TrialBalance {
            as_of: Some(sample::date(2026, 12, 31)),
            rows: vec![
                row(LedgerAccount::AccountsReceivable, i64::MAX, 0),
                row(LedgerAccount::AccountsReceivable, 1, 0),
            ],
        };
        assert_eq!(balance.totals(), None);
    }
}
