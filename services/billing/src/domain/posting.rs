//! Double entry: which accounts each deed moves, as a table, and the one function that applies it.

use std::collections::BTreeMap;

use kernel::{AccountId, CivilDate, Currency, Error, InvoiceId, LedgerTransactionId, Money, OperatorId};

use super::invoice::{ChargeType, Invoice};
use super::words::names;

/// An account of the ledger. Its normal side is where its balance usually stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerAccount {
    /// What tenants owe (asset, normally a debit).
    AccountsReceivable,
    /// Rent earned (income, normally a credit).
    RentIncome,
    /// Energy passed on (income, normally a credit).
    EnergyIncome,
    /// Load passed on (income, normally a credit).
    DemandIncome,
    /// What is passed on beside energy and load (income, normally a credit).
    PassThroughIncome,
    /// Rent given back for outages (taken off income, normally a debit).
    SlaCredits,
    /// Taxes collected and owed on, by jurisdiction (liability, normally a credit).
    TaxesPayable,
}

/// What is posted, and the kind of its ledger transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An invoice got its number.
    InvoiceIssued,
}

/// Which side of an account an entry stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Every posting there is. Every type of charge must be credited somewhere, else `post` refuses the invoice.
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
];

/// A movement of money with its reason, complete and in balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTransaction {
    /// Whose ledger.
    pub operator: OperatorId,
    /// Its id.
    pub id: LedgerTransactionId,
    /// Why money moved.
    pub deed: Deed,
    /// The invoice it came from.
    pub invoice: InvoiceId,
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
    /// Whose dealings: the tenant's account.
    pub account: AccountId,
    /// To whom a tax is owed.
    pub jurisdiction: Option<String>,
    /// Minor units; a debit is positive, a credit negative.
    pub amount: Money,
}

impl Deed {
    fn describe(self, invoice: &Invoice) -> String {
        match self {
            Self::InvoiceIssued => match &invoice.issued {
                Some(issued) => format!("Invoice {} of {} issued", issued.number, invoice.month),
                None => format!("Invoice of {} issued", invoice.month),
            },
        }
    }
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

/// The transaction of a deed on an invoice by the table. An invoice of nothing moves nothing.
///
/// # Errors
/// `INTERNAL` when the table does not cover the invoice: sides that do not balance are never written.
pub fn post(
    deed: Deed,
    invoice: &Invoice,
    id: LedgerTransactionId,
    posting_date: CivilDate,
) -> Result<Option<LedgerTransaction>, Error> {
    let mut entries = Vec::new();
    for rule in POSTING_RULES.iter().filter(|r| r.deed == deed) {
        let sums = match rule.amount {
            Amount::Total => BTreeMap::from([(None, invoice.total.minor)]),
            Amount::LinesOf(charge_type) => invoice.sums_of(charge_type)?,
        };
        for (jurisdiction, minor) in sums {
            let signed = match rule.side {
                Side::Debit => minor,
                Side::Credit => minor.checked_neg().ok_or_else(|| Error::internal(OutOfBalance))?,
            };
            if signed != 0 {
                entries.push(Entry {
                    ledger_account: rule.ledger_account,
                    account: invoice.account,
                    jurisdiction,
                    amount: Money::new(signed, invoice.total.currency),
                });
            }
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let transaction = LedgerTransaction {
        operator: invoice.operator.clone(),
        id,
        deed,
        invoice: invoice.id,
        posting_date,
        description: deed.describe(invoice),
        entries,
    };
    if transaction.crooked_currency().is_some() {
        return Err(Error::internal(OutOfBalance));
    }
    Ok(Some(transaction))
}

/// The table of postings does not cover an invoice.
#[derive(Debug, thiserror::Error)]
#[error("the posting rules do not balance this invoice")]
pub struct OutOfBalance;

names!(LedgerAccount {
    AccountsReceivable => "accounts_receivable",
    RentIncome => "rent_income",
    EnergyIncome => "energy_income",
    DemandIncome => "demand_income",
    PassThroughIncome => "pass_through_income",
    SlaCredits => "sla_credits",
    TaxesPayable => "taxes_payable",
});
names!(Deed { InvoiceIssued => "INVOICE_ISSUED" });

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
        for rule in POSTING_RULES {
            let side = match rule.side {
                Side::Debit => "debit",
                Side::Credit => "credit",
            };
            let amount = match rule.amount {
                Amount::Total => "the invoice's total".to_owned(),
                Amount::LinesOf(charge_type) => format!("the sum of its {charge_type} lines"),
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
        }
    }
}
