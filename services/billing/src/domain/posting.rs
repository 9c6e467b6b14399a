//! Double entry: the one function that applies the table of postings.

use std::collections::BTreeMap;

use kernel::{
    AccountId, CivilDate, Currency, Error, InvoiceId, LedgerTransactionId, Money, OperatorId, Uuid,
};

use super::invoice::Invoice;
use super::ledger_transaction::{Entry, LedgerTransaction};
use super::posting_rules::{Amount, Deed, Side, posting_rules};

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
        _ => Err(Error::internal(OutOfBalance)),
    })
}

/// The table of postings does not cover an invoice.
#[derive(Debug, thiserror::Error)]
#[error("the posting rules do not balance this invoice")]
pub struct OutOfBalance;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample;
    use proptest::prelude::*;

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
