//! The ledger as it is read.

use kernel::{
    AccountId, CivilDate, Instant, InvoiceId, LedgerEntryId, LedgerTransactionId, Money, OperatorId,
};

use super::ledger_account::LedgerAccount;
use super::number::InvoiceNumber;

/// An entry with what its transaction says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedEntry {
    /// Whose ledger.
    pub operator: OperatorId,
    /// Its id.
    pub id: LedgerEntryId,
    /// The transaction.
    pub transaction: LedgerTransactionId,
    /// Its place in the transaction, from 1.
    pub number: i32,
    /// Which account of the ledger.
    pub ledger_account: LedgerAccount,
    /// Whose dealings, where it is somebody's.
    pub account: Option<AccountId>,
    /// To whom a tax is owed.
    pub jurisdiction: Option<String>,
    /// A debit is positive.
    pub amount: Money,
    /// The day it counts for.
    pub posting_date: CivilDate,
    /// The invoice whose receivable it moves.
    pub invoice: Option<InvoiceId>,
    /// That invoice's number, once it has one.
    pub invoice_number: Option<InvoiceNumber>,
    /// Why.
    pub description: String,
    /// When it was posted.
    pub create_time: Instant,
}

/// Which entries to list; empty is all.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Of this ledger account.
    pub ledger_account: Option<LedgerAccount>,
    /// Of this invoice.
    pub invoice: Option<InvoiceId>,
}
