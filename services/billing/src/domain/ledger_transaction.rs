//! A movement of money in the books.

use kernel::{AccountId, CivilDate, Currency, InvoiceId, LedgerTransactionId, Money, OperatorId, Uuid};

use super::ledger_account::LedgerAccount;
use super::posting_rules::Deed;

/// A movement of money with its reason, complete and in balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTransaction {
    /// Whose ledger.
    pub operator: OperatorId,
    /// Its id.
    pub id: LedgerTransactionId,
    /// Why money moved.
    pub deed: Deed,
    /// What it came from: an invoice, a credit note, an allocation and so on. A deed on it is posted once.
    pub source: Uuid,
    /// The invoice whose receivable it moves.
    pub invoice: Option<InvoiceId>,
    /// The day it counts for, in UTC.
    pub posting_date: CivilDate,
    /// Why, in words.
    pub description: String,
    /// Its entries, in the order of the table; the sum per currency is zero.
    pub entries: Vec<Entry>,
}

/// One side of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which account of the ledger.
    pub ledger_account: LedgerAccount,
    /// Whose dealings: the tenant's account; a journal may concern nobody's.
    pub account: Option<AccountId>,
    /// To whom a tax is owed.
    pub jurisdiction: Option<String>,
    /// Minor units; a debit is positive, a credit negative.
    pub amount: Money,
}

impl LedgerTransaction {
    /// The currency whose entries do not sum to zero, if any: then it must not be written.
    #[must_use]
    pub fn crooked_currency(&self) -> Option<Currency> {
        self.entries.iter().map(|e| e.amount.currency).find(|currency| {
            let of_currency = self.entries.iter().filter(|e| e.amount.currency == *currency);
            of_currency.map(|e| i128::from(e.amount.minor)).sum::<i128>() != 0
        })
    }
}
