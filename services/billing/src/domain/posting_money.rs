//! What corrections, payments and journals move, by the table of postings.

use kernel::{CivilDate, Error, InvoiceId, LedgerTransactionId, Money, OperatorId, Uuid};

use super::books::{Journal, JournalLine};
use super::commission::{Commission, Move, MoveKind};
use super::credit_note::CreditNote;
use super::invoice::Invoice;
use super::ledger_transaction::{Entry, LedgerTransaction};
use super::payment::{Allocation, Payment, Refund};
use super::posting::{OutOfBalance, Source, by_table, from_invoice, whole};
use super::posting_rules::{Amount, Deed};

fn from_payment(payment: &Payment, id: Uuid, invoice: Option<InvoiceId>, description: String) -> Source<'_> {
    let (operator, account, currency) = (&payment.operator, Some(payment.account), payment.amount.currency);
    Source { operator, id, invoice, account, currency, description }
}

/// What a credit note moves.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_credit_note(
    note: &CreditNote,
    invoice: &Invoice,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    let from = Source {
        id: note.id.get(),
        description: format!("Credit note {}", note.number),
        ..from_invoice(invoice, "")
    };
    by_table(Deed::CreditNoteIssued, from, at, |amount| match amount {
        Amount::Owed => Ok(whole(note.applied.minor)),
        Amount::HadBeenPaid => Ok(whole(note.rest_minor())),
        Amount::LinesOf(charge_type) => note.sums_of(invoice, charge_type),
        _ => Err(Error::internal(OutOfBalance)),
    })
}

/// What giving up what is owed of an invoice moves.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_write_off(
    invoice: &Invoice,
    given_up: Money,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    by_table(Deed::InvoiceWrittenOff, from_invoice(invoice, "written off"), at, |_| Ok(whole(given_up.minor)))
}

/// What no document moves: a journal, an accrual or its reversal.
///
/// # Errors
/// `INTERNAL` when it is not in balance, which was checked before.
pub fn post_journal(
    deed: Deed,
    operator: &OperatorId,
    source: Uuid,
    journal: &Journal,
    id: LedgerTransactionId,
) -> Result<LedgerTransaction, Error> {
    let entry = |line: &JournalLine| Entry {
        ledger_account: line.ledger_account,
        account: line.account,
        jurisdiction: None,
        amount: line.amount,
    };
    let transaction = LedgerTransaction {
        operator: operator.clone(),
        id,
        deed,
        source,
        invoice: None,
        posting_date: journal.posting_date,
        description: journal.description.clone(),
        entries: journal.lines.iter().map(entry).collect(),
    };
    if transaction.crooked_currency().is_some() {
        return Err(Error::internal(OutOfBalance));
    }
    Ok(transaction)
}

/// What a payment moves when the bank receives it.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_payment(
    payment: &Payment,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    let said = format!("Payment {} received", payment.reference);
    let from = from_payment(payment, payment.id.get(), None, said);
    by_table(Deed::PaymentReceived, from, at, |_| Ok(whole(payment.amount.minor)))
}

/// What a part of a payment moves when it pays an invoice.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_allocation(
    payment: &Payment,
    part: &Allocation,
    id: LedgerTransactionId,
) -> Result<Option<LedgerTransaction>, Error> {
    let said = format!("Payment {} allocated", payment.reference);
    let from = from_payment(payment, part.id, Some(part.invoice), said);
    by_table(Deed::PaymentAllocated, from, (id, part.posting_date), |_| Ok(whole(part.amount.minor)))
}

/// What a part of a payment moves when it is sent back.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_refund(
    payment: &Payment,
    part: &Refund,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    let said = format!("Payment {} refunded by {}", payment.reference, part.reference);
    by_table(Deed::PaymentRefunded, from_payment(payment, part.id, None, said), at, |_| {
        Ok(whole(part.amount.minor))
    })
}

fn from_commission<'a>(commission: &'a Commission, id: Uuid, done: &str) -> Source<'a> {
    let facts = &commission.facts;
    Source {
        operator: &commission.operator,
        id,
        invoice: None,
        account: None,
        currency: facts.amount.currency,
        description: format!("Commission {} on {} {done}", facts.reference, facts.lease),
    }
}

/// What a commission moves when it is recorded.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_commission(
    commission: &Commission,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    let from = from_commission(commission, commission.id.get(), "recorded");
    by_table(Deed::CommissionCapitalized, from, at, |_| Ok(whole(commission.facts.amount.minor)))
}

/// What a part of a commission moves.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_commission_move(
    commission: &Commission,
    part: &Move,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    let (deed, done) = match part.kind {
        MoveKind::Amortized => (Deed::CommissionAmortized, "amortised"),
        MoveKind::WrittenOff => (Deed::CommissionWrittenOff, "written off"),
        MoveKind::Paid => (Deed::CommissionPaid, "paid"),
        MoveKind::Returned => (Deed::CommissionReturned, "returned"),
    };
    by_table(deed, from_commission(commission, part.id, done), at, |_| Ok(whole(part.amount.minor)))
}

/// What a commission moves when it is reversed, as it stood before.
///
/// # Errors
/// As [`super::posting::post`].
pub fn post_commission_reversal(
    before: &Commission,
    at: (LedgerTransactionId, CivilDate),
) -> Result<Option<LedgerTransaction>, Error> {
    let from = from_commission(before, before.id.get(), "reversed");
    by_table(Deed::CommissionReversed, from, at, |amount| match amount {
        Amount::Moved => Ok(whole(before.facts.amount.minor)),
        Amount::Unamortized => Ok(whole(before.unamortized().minor)),
        Amount::Expensed => Ok(whole(before.amortized().minor + before.written_off().minor)),
        _ => Err(Error::internal(OutOfBalance)),
    })
}
