//! Statements: what moved between a tenant and an operator, from the ledger, with what was owed before and after.

use kernel::{AccountName, CivilDate, Error, InvoiceId, Money, TenantId};

use super::invoice::TooLarge;
use super::posting_rules::Deed;

/// One deed on an account. Allocations are not told: they move nothing between the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The day it counts for.
    pub posting_date: CivilDate,
    /// What was done.
    pub deed: Deed,
    /// In words.
    pub description: String,
    /// The invoice it concerns.
    pub invoice: Option<InvoiceId>,
    /// What it adds to what is owed.
    pub amount: Money,
}

/// What moved on an account in some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The account.
    pub account: AccountName,
    /// Whose it is.
    pub tenant: TenantId,
    /// Owed before, less what was kept for the tenant.
    pub opening: Money,
    /// What moved, in order of day.
    pub lines: Vec<StatementLine>,
    /// Owed after each line; the last is the closing balance.
    pub balances: Vec<Money>,
}

impl Statement {
    /// Adds the lines up.
    pub fn of(
        account: AccountName,
        tenant: TenantId,
        opening: Money,
        lines: Vec<StatementLine>,
    ) -> Result<Self, Error> {
        let mut balance = opening;
        let mut balances = Vec::with_capacity(lines.len());
        for line in &lines {
            balance = balance.checked_add(line.amount).ok_or_else(|| Error::internal(TooLarge))?;
            balances.push(balance);
        }
        Ok(Self { account, tenant, opening, lines, balances })
    }

    /// Owed after all of it.
    #[must_use]
    pub fn closing(&self) -> Money {
        self.balances.last().copied().unwrap_or(self.opening)
    }
}
