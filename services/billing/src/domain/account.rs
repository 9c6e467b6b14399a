//! Accounts: what one tenant owes one operator in one currency.

use kernel::{AccountId, Instant, Money, OperatorId, TenantId};

/// An account with its balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// To whom.
    pub operator: OperatorId,
    /// Its id.
    pub id: AccountId,
    /// Who owes.
    pub tenant: TenantId,
    /// Issued and not paid; its currency is the account's.
    pub balance: Money,
    /// When it was opened.
    pub create_time: Instant,
}
