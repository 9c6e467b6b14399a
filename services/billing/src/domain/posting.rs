//! Double entry: which accounts each deed moves, as a table, and the one function that applies it.

use std::collections::BTreeMap;

use kernel::{
    AccountId, CivilDate, Currency, Error, InvoiceId, LedgerTransactionId, Money, OperatorId, Uuid,
};

use super::invoice::{ChargeType, Invoice};
use super::ledger_account::LedgerAccount;
use super::ledger_transaction::{Entry, LedgerTransaction};
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

/// Where a posting comes from and where it belongs.
pub(super) struct Source<'a> {
    pub(super) operator: &'a OperatorId,
    pub(super) id: Uuid,
    pub(super) invoice: Option<InvoiceId>,
    pub(super) account: Option<AccountId>,
    pub(super) currency: Currency,
    pub(super) description: String,
}

/// Minor units by who levies them: nobody, unless they are taxes.
pub(super) type Sums = BTreeMap<Option<String>, i64>;

/// An amount that nobody levies.
pub(super) fn whole(minor: i64) -> Sums {
    Sums::from([(None, minor)])
}

/// The transaction of a deed by the table. `None`: nothing moves.
///
/// # Errors
/// `INTERNAL` when the table does not cover the deed: sides that do not balance are never written.
pub(super) fn by_table(
    deed: Deed,
    from: Source<'_>,
    (id, posting_date): (LedgerTransactionId, CivilDate),
    sums_of: impl Fn(Amount) -> Result<Sums, Error>,
) -> Result<Option<LedgerTransaction>, Error> {
    let mut entries = Vec::new();
    for rule in posting_rules().iter().filter(|rule| rule.deed == deed) {
        for (jurisdiction, minor) in sums_of(rule.amount)? {
            let signed = match rule.side {
                Side::Debit => minor,
                Side::Credit => minor.checked_neg().ok_or_else(|| Error::internal(OutOfBalance))?,
            };
            if signed != 0 {
                entries.push(Entry {
                    ledger_account: rule.ledger_account,
                    account: from.account,
                    jurisdiction,
                    amount: Money::new(signed, from.currency),
                });
            }
        }
    }
    let transaction = LedgerTransaction {
        operator: from.operator.clone(),
        id,
        deed,
        source: from.id,
        invoice: from.invoice,
        posting_date,
        description: from.description,
        entries,
    };
    if transaction.crooked_currency().is_some() {
        return Err(Error::internal(OutOfBalance));
    }
    Ok((!transaction.entries.is_empty()).then_some(transaction))
}

pub(super) fn from_invoice<'a>(invoice: &'a Invoice, done: &str) -> Source<'a> {
    Source {
        operator: &invoice.operator,
        id: invoice.id.get(),
        invoice: Some(invoice.id),
        account: Some(invoice.account),
        currency: invoice.total.currency,
        description: format!("Invoice of {} {done}", invoice.month),
    }
}

/// What an issued invoice moves, or a void one moves back. An invoice of nothing (total 0) moves nothing.
///
/// # Errors
/// `INTERNAL` when the table does not cover a type of charge.
pub fn post(
    deed: Deed,
    invoice: &Invoice,
    id: LedgerTransactionId,
    posting_date: CivilDate,
) -> Result<Option<LedgerTransaction>, Error> {
    let done = if deed == Deed::InvoiceVoided { "taken back" } else { "issued" };
    by_table(deed, from_invoice(invoice, done), (id, posting_date), |amount| match amount {
        Amount::Total => Ok(whole(invoice.total.minor)),
        Amount::LinesOf(charge_type) => invoice.sums_of(charge_type),
        Amount::Owed | Amount::HadBeenPaid | Amount::Moved => Err(Error::internal(OutOfBalance)),
    })
}

/// The table of postings does not cover an invoice.
#[derive(Debug, thiserror::Error)]
#[error("the posting rules do not balance this invoice")]
pub struct OutOfBalance;

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
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    const GOLDEN: &str = include_str!("posting_rules.golden.md");

    fn table() -> String {
        let mut out =
            String::from("| deed | side | ledger account | amount | why |\n|---|---|---|---|---|\n");
        for rule in posting_rules() {
            let side = match rule.side {
                Side::Debit => "debit",
                Side::Credit => "credit",
            };
            let amount = match rule.amount {
                Amount::Total => "the invoice's total".to_owned(),
                Amount::LinesOf(charge_type) => format!("the sum of its {charge_type} lines"),
                Amount::Owed => "what of it lowers what is owed".to_owned(),
                Amount::HadBeenPaid => "what of it had been paid".to_owned(),
                Amount::Moved => "the amount".to_owned(),
            };
            let _ = writeln!(
                out,
                "| {} | {side} | {} | {amount} | {} |",
                rule.deed, rule.ledger_account, rule.why
            );
        }
        out
    }

    #[test]
    fn the_table_is_golden_and_in_the_readme() {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/posting_rules.golden.md");
            std::fs::write(golden, table()).expect("the golden file is written");
            return;
        }
        assert_eq!(table(), GOLDEN, "the table is now:\n{}", table());
        assert!(
            include_str!("../../README.md").contains(GOLDEN.trim()),
            "copy the golden table to README.md"
        );
    }

    #[test]
    fn an_invoice_of_nothing_moves_nothing() {
        let invoice = sample::invoice(&[0]);
        let posted = post(Deed::InvoiceIssued, &invoice, sample::transaction_id(), sample::date(2026, 12, 1));
        assert_eq!(posted.expect("zero is fine"), None);
    }

    #[test]
    fn a_total_that_is_not_its_lines_is_refused() {
        let mut invoice = sample::invoice(&[100, 200]);
        invoice.total = Money::new(301, invoice.total.currency);
        assert!(
            post(Deed::InvoiceIssued, &invoice, sample::transaction_id(), sample::date(2026, 12, 1)).is_err()
        );
    }

    proptest! {
        #[test]
        fn every_posting_balances(amounts in prop::collection::vec(1_i64..1_000_000_000_000, 1..40)) {
            let invoice = sample::invoice(&amounts);
            let posted = post(Deed::InvoiceIssued, &invoice, sample::transaction_id(), sample::date(2026, 12, 1))
                .expect("covered").expect("not zero");
            prop_assert_eq!(posted.crooked_currency(), None);
            prop_assert_eq!(posted.entries.len(), 2);
            prop_assert_eq!(posted.entries[0].amount.minor, amounts.iter().sum::<i64>());
            let back = post(Deed::InvoiceVoided, &invoice, sample::transaction_id(), sample::date(2027, 1, 1))
                .expect("covered").expect("not zero");
            for entry in &posted.entries {
                let taken = back.entries.iter().find(|other| other.ledger_account == entry.ledger_account);
                prop_assert_eq!(taken.map(|taken| taken.amount.minor), Some(-entry.amount.minor));
            }
        }
    }
}
