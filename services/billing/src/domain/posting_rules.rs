//! Double entry: which accounts each deed moves, as a table.

use super::charge_type::ChargeType;
use super::ledger_account::LedgerAccount;
use super::words::names;

/// What is posted, and the kind of its ledger transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// An invoice got its number.
    InvoiceIssued,
    /// An issued invoice was taken back.
    InvoiceVoided,
    /// A credit note got its number.
    CreditNoteIssued,
    /// The bank received money.
    PaymentReceived,
    /// A part of a payment paid an invoice.
    PaymentAllocated,
    /// A part of a payment was sent back.
    PaymentRefunded,
    /// What was owed of an invoice was given up.
    InvoiceWrittenOff,
    /// Two people agreed on a journal.
    JournalPosted,
    /// An accrual for the end of a month.
    AccrualPosted,
    /// The same, the other way round, on the first of the next.
    AccrualReversed,
    /// Two people agreed on a commission.
    CommissionCapitalized,
    /// A part of it became an expense in its turn.
    CommissionAmortized,
    /// What was left became an expense, since the lease was over.
    CommissionWrittenOff,
    /// A part of it was paid.
    CommissionPaid,
    /// A part of what was paid came back.
    CommissionReturned,
    /// Two people agreed that it was recorded wrongly.
    CommissionReversed,
}

/// Which side of an account an entry stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Positive in the ledger.
    Debit,
    /// Negative in the ledger.
    Credit,
}

/// Which of the invoice's amounts a rule moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// All of it.
    Total,
    /// The lines of one type of charge; taxes by who levies them.
    LinesOf(ChargeType),
    /// What of a credit note lowers what is owed.
    Owed,
    /// What of a credit note had been paid.
    HadBeenPaid,
    /// The amount that moved.
    Moved,
    /// What of a commission is still an asset.
    Unamortized,
    /// What of a commission became an expense.
    Expensed,
}

/// One row of the posting table.
#[derive(Clone, Copy, Debug)]
pub struct PostingRule {
    /// When it applies.
    pub deed: Deed,
    /// On which side it enters.
    pub side: Side,
    /// Which ledger account it moves.
    pub ledger_account: LedgerAccount,
    /// By how much.
    pub amount: Amount,
    /// For the controller who asks.
    pub why: &'static str,
}

/// The postings that are not another's reversal. Every type of charge must be credited somewhere, else `post` refuses the
/// invoice.
pub const POSTING_RULES: &[PostingRule] = &[
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Debit,
        ledger_account: LedgerAccount::AccountsReceivable,
        amount: Amount::Total,
        why: "the tenant owes it from the day of issue",
    },
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Credit,
        ledger_account: LedgerAccount::RentIncome,
        amount: Amount::LinesOf(ChargeType::BaseRent),
        why: "rent of the month, billed in advance",
    },
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Credit,
        ledger_account: LedgerAccount::EnergyIncome,
        amount: Amount::LinesOf(ChargeType::Energy),
        why: "energy of the months before, in arrears",
    },
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Credit,
        ledger_account: LedgerAccount::DemandIncome,
        amount: Amount::LinesOf(ChargeType::Demand),
        why: "load of the months before, in arrears",
    },
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Credit,
        ledger_account: LedgerAccount::PassThroughIncome,
        amount: Amount::LinesOf(ChargeType::PassThrough),
        why: "monthly charges, riders and fees passed on",
    },
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Credit,
        ledger_account: LedgerAccount::TaxesPayable,
        amount: Amount::LinesOf(ChargeType::Tax),
        why: "collected for who levies it, one entry a jurisdiction",
    },
    PostingRule {
        deed: Deed::InvoiceIssued,
        side: Side::Credit,
        ledger_account: LedgerAccount::SlaCredits,
        amount: Amount::LinesOf(ChargeType::SlaCredit),
        why: "rent given back is negative, and so enters as a debit",
    },
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::Prepayments,
        Amount::LinesOf(ChargeType::Prepayment),
        "rent to come: a liability, no income",
    ),
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::Prepayments,
        Amount::LinesOf(ChargeType::PrepaymentDraw),
        "a credit is negative, and so enters as a debit: the liability falls",
    ),
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::Deposits,
        Amount::LinesOf(ChargeType::Deposit),
        "held for the tenant: a liability, no income",
    ),
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::TakeOrPayIncome,
        Amount::LinesOf(ChargeType::TakeOrPay),
        "what was not taken of the least that is paid for",
    ),
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::InterestIncome,
        Amount::LinesOf(ChargeType::LateInterest),
        "interest on what was paid late",
    ),
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::TerminationIncome,
        Amount::LinesOf(ChargeType::TerminationFee),
        "the fee for ending the lease before its term",
    ),
    rule(
        Deed::InvoiceIssued,
        Side::Credit,
        LedgerAccount::PassThroughIncome,
        Amount::LinesOf(ChargeType::TrueUp),
        "a utility's bill, less what was charged by tariff; where that was more it enters as a debit",
    ),
    rule(
        Deed::CreditNoteIssued,
        Side::Credit,
        LedgerAccount::AccountsReceivable,
        Amount::Owed,
        "it is not owed any more",
    ),
    rule(
        Deed::CreditNoteIssued,
        Side::Credit,
        LedgerAccount::UnappliedCash,
        Amount::HadBeenPaid,
        "it is kept for the tenant",
    ),
    rule(Deed::PaymentReceived, Side::Debit, LedgerAccount::Cash, Amount::Moved, "the bank has it"),
    rule(
        Deed::PaymentReceived,
        Side::Credit,
        LedgerAccount::UnappliedCash,
        Amount::Moved,
        "it pays nothing yet",
    ),
    rule(
        Deed::PaymentAllocated,
        Side::Debit,
        LedgerAccount::UnappliedCash,
        Amount::Moved,
        "it has found its invoice",
    ),
    rule(
        Deed::PaymentAllocated,
        Side::Credit,
        LedgerAccount::AccountsReceivable,
        Amount::Moved,
        "the invoice is paid by it",
    ),
    rule(
        Deed::PaymentRefunded,
        Side::Debit,
        LedgerAccount::UnappliedCash,
        Amount::Moved,
        "it is kept no longer",
    ),
    rule(
        Deed::PaymentRefunded,
        Side::Credit,
        LedgerAccount::Cash,
        Amount::Moved,
        "the bank has sent it back",
    ),
    rule(Deed::InvoiceWrittenOff, Side::Debit, LedgerAccount::BadDebtExpense, Amount::Moved, "it is lost"),
    rule(
        Deed::InvoiceWrittenOff,
        Side::Credit,
        LedgerAccount::AccountsReceivable,
        Amount::Moved,
        "nobody expects it any more",
    ),
    rule(
        Deed::CommissionCapitalized,
        Side::Debit,
        LedgerAccount::CommissionCosts,
        Amount::Moved,
        "a cost of bringing the lease, which earns over its base term",
    ),
    rule(
        Deed::CommissionCapitalized,
        Side::Credit,
        LedgerAccount::CommissionsPayable,
        Amount::Moved,
        "the payee has earned it",
    ),
    rule(
        Deed::CommissionAmortized,
        Side::Debit,
        LedgerAccount::CommissionExpense,
        Amount::Moved,
        "the month's part of the base term",
    ),
    rule(
        Deed::CommissionAmortized,
        Side::Credit,
        LedgerAccount::CommissionCosts,
        Amount::Moved,
        "it earns no longer",
    ),
    rule(
        Deed::CommissionWrittenOff,
        Side::Debit,
        LedgerAccount::CommissionExpense,
        Amount::Moved,
        "the lease is over, and what is left earns nothing",
    ),
    rule(
        Deed::CommissionWrittenOff,
        Side::Credit,
        LedgerAccount::CommissionCosts,
        Amount::Moved,
        "it earns no longer",
    ),
    rule(
        Deed::CommissionPaid,
        Side::Debit,
        LedgerAccount::CommissionsPayable,
        Amount::Moved,
        "it is owed no longer",
    ),
    rule(Deed::CommissionPaid, Side::Credit, LedgerAccount::Cash, Amount::Moved, "the bank has paid it"),
    rule(Deed::CommissionReturned, Side::Debit, LedgerAccount::Cash, Amount::Moved, "the bank has it back"),
    rule(
        Deed::CommissionReturned,
        Side::Credit,
        LedgerAccount::CommissionsPayable,
        Amount::Moved,
        "it is owed again; of a commission that was reversed the payee owes it no longer",
    ),
    rule(
        Deed::CommissionReversed,
        Side::Debit,
        LedgerAccount::CommissionsPayable,
        Amount::Moved,
        "it was never earned, and what was paid of it the payee owes",
    ),
    rule(
        Deed::CommissionReversed,
        Side::Credit,
        LedgerAccount::CommissionCosts,
        Amount::Unamortized,
        "it was no cost of the lease",
    ),
    rule(
        Deed::CommissionReversed,
        Side::Credit,
        LedgerAccount::CommissionExpense,
        Amount::Expensed,
        "what became an expense was none",
    ),
];

const fn rule(
    deed: Deed,
    side: Side,
    ledger_account: LedgerAccount,
    amount: Amount,
    why: &'static str,
) -> PostingRule {
    PostingRule { deed, side, ledger_account, amount, why }
}

/// Every posting there is, those that take back what an invoice posted among them: whatever a type of charge was posted
/// to, it is taken from there.
#[must_use]
pub fn posting_rules() -> Vec<PostingRule> {
    let mut rules = POSTING_RULES.to_vec();
    for issued in POSTING_RULES.iter().filter(|rule| rule.deed == Deed::InvoiceIssued) {
        let back = PostingRule {
            side: issued.side.other(),
            why: "what the invoice posted is taken back",
            ..*issued
        };
        rules.push(PostingRule { deed: Deed::InvoiceVoided, ..back });
        if matches!(back.amount, Amount::LinesOf(_)) {
            rules.push(PostingRule { deed: Deed::CreditNoteIssued, ..back });
        }
    }
    rules.sort_by_key(|rule| (rule.deed, rule.side));
    rules
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

names!(Deed {
    InvoiceIssued => "INVOICE_ISSUED",
    InvoiceVoided => "INVOICE_VOIDED",
    CreditNoteIssued => "CREDIT_NOTE_ISSUED",
    PaymentReceived => "PAYMENT_RECEIVED",
    PaymentAllocated => "PAYMENT_ALLOCATED",
    PaymentRefunded => "PAYMENT_REFUNDED",
    InvoiceWrittenOff => "INVOICE_WRITTEN_OFF",
    JournalPosted => "JOURNAL_POSTED",
    AccrualPosted => "ACCRUAL_POSTED",
    AccrualReversed => "ACCRUAL_REVERSED",
    CommissionCapitalized => "COMMISSION_CAPITALIZED",
    CommissionAmortized => "COMMISSION_AMORTIZED",
    CommissionWrittenOff => "COMMISSION_WRITTEN_OFF",
    CommissionPaid => "COMMISSION_PAID",
    CommissionReturned => "COMMISSION_RETURNED",
    CommissionReversed => "COMMISSION_REVERSED",
});

#[cfg(test)]
mod tests;
