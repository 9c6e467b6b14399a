//! Credit notes: what is taken back of an issued invoice, line by line, never more than is left of a line.

use std::collections::BTreeMap;

use kernel::{
    AccountId, CreditNoteId, CreditNoteName, Error, Instant, InvoiceId, Money, OperatorId, Reason, TenantId,
};
use serde::Serialize;

use super::invoice::{ChargeType, Invoice, TooLarge};
use super::invoice_state::InvoiceState;
use super::number::InvoiceNumber;
use super::posting::Sums;
use super::settlement::{Means, exceeded};

/// What is taken back of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNoteLine {
    /// The line's place on the invoice, from 1.
    pub line: i32,
    /// How much.
    pub amount: Money,
}

/// A correction of an issued invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNote {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: CreditNoteId,
    /// What it corrects.
    pub invoice: InvoiceId,
    /// The tenant's account.
    pub account: AccountId,
    /// Whose debt it lowers.
    pub tenant: TenantId,
    /// Gapless in its series.
    pub number: InvoiceNumber,
    /// What it takes back, in order of line.
    pub lines: Vec<CreditNoteLine>,
    /// The sum of the lines.
    pub total: Money,
    /// What of it lowers what is owed; the rest had been paid.
    pub applied: Money,
    /// Why.
    pub reason: String,
    /// Whether its lines may be billed again.
    pub rebill: bool,
    /// When it was issued.
    pub create_time: Instant,
}

/// What shall be taken back of a line; without an amount all that is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WantedCredit {
    /// The line's place on the invoice, from 1.
    pub line: i32,
    /// How much.
    pub amount: Option<Money>,
}

/// A credit note that has no number yet: all of it is decided before one is drawn.
#[derive(Clone, Debug)]
pub struct Correction {
    /// The invoice, with what is still owed of it.
    pub invoice: Invoice,
    /// What is taken back.
    pub lines: Vec<CreditNoteLine>,
    /// Their sum.
    pub total: Money,
    /// What of it lowers what is owed.
    pub applied: Money,
    /// Whether its lines may be billed again.
    pub rebill: bool,
}

/// Decides what a credit note takes back. `taken`: what earlier ones took of each line, and what of it is in dispute, in
/// minor units.
///
/// # Errors
/// `INVALID_FIELD` for a line that is not there, or that shall be billed again and is not credited whole;
/// `AMOUNT_EXCEEDED` where less is left; `INVALID_STATE_TRANSITION` for an invoice that is not issued, or given up.
pub fn correct(
    invoice: Invoice,
    taken: &BTreeMap<i32, i64>,
    wanted: &[WantedCredit],
    rebill: bool,
) -> Result<Correction, Error> {
    if !InvoiceState::ISSUED.contains(&invoice.state) || invoice.state == InvoiceState::Uncollectible {
        return Err(Error::invalid_transition("rent invoice", invoice.state, InvoiceState::Paid));
    }
    let currency = invoice.total.currency;
    let foreign = |one: &WantedCredit| one.amount.is_some_and(|amount| amount.currency != currency);
    if let Some(at) = wanted.iter().position(foreign) {
        let of = format!("must be in {currency}, the invoice's currency");
        return Err(Error::invalid_field(format!("lines[{at}].amount"), of));
    }
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(&invoice.lines) {
        let asked = wanted.iter().position(|one| one.line == number);
        if asked.is_none() && !wanted.is_empty() {
            continue;
        }
        if let Some(at) = asked.filter(|_| line.amount().minor <= 0) {
            return Err(Error::invalid_field(
                format!("lines[{at}].line_number"),
                "must be a line above zero; what was given back is taken back with every line, by naming none",
            ));
        }
        let left = line.amount().minor - taken.get(&number).copied().unwrap_or(0);
        let minor = asked.and_then(|at| wanted[at].amount).map_or(left, |amount| amount.minor);
        if minor > left || (minor <= 0 && asked.is_some()) {
            return Err(exceeded("line", number, Money::new(left, currency)));
        }
        if rebill && minor < left {
            let field = asked.map_or_else(|| "rebill".to_owned(), |at| format!("lines[{at}].amount"));
            return Err(Error::invalid_field(
                field,
                "must be all that is left of a line that is billed again",
            ));
        }
        if minor != 0 {
            lines.push(CreditNoteLine { line: number, amount: Money::new(minor, currency) });
        }
    }
    let count = i32::try_from(invoice.lines.len()).unwrap_or(i32::MAX);
    if let Some(at) = wanted.iter().position(|one| !(1..=count).contains(&one.line)) {
        let of = format!("must be a line of the invoice, 1 to {count}");
        return Err(Error::invalid_field(format!("lines[{at}].line_number"), of));
    }
    let total = Money::checked_sum(currency, lines.iter().map(|line| line.amount))
        .ok_or_else(|| Error::internal(TooLarge))?;
    if total.minor <= 0 {
        return Err(Error::refused(Reason::AmountExceeded, "Nothing is left of this invoice to take back.")
            .with("invoice", invoice.name())
            .with("left", total));
    }
    // Lines below zero lower the invoice: what is left of it bounds what its lines may give back.
    let left = invoice.total.minor - taken.values().sum::<i64>();
    if total.minor > left {
        return Err(exceeded("invoice", invoice.name(), Money::new(left, currency)));
    }
    let applied = Money::new(total.minor.min(invoice.open().minor), currency);
    let invoice = if applied.is_zero() { invoice } else { invoice.settle(Means::Credit, applied.minor)? };
    Ok(Correction { invoice, lines, total, applied, rebill })
}

impl CreditNote {
    /// A correction under its number.
    #[must_use]
    pub fn of(
        correction: &Correction,
        id: CreditNoteId,
        number: InvoiceNumber,
        reason: String,
        now: Instant,
    ) -> Self {
        let invoice = &correction.invoice;
        Self {
            operator: invoice.operator.clone(),
            id,
            invoice: invoice.id,
            account: invoice.account,
            tenant: invoice.tenant.clone(),
            number,
            lines: correction.lines.clone(),
            total: correction.total,
            applied: correction.applied,
            reason,
            rebill: correction.rebill,
            create_time: now,
        }
    }

    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> CreditNoteName {
        CreditNoteName::new(self.operator.clone(), self.id)
    }

    /// What had been paid and is kept for the tenant.
    #[must_use]
    pub fn rest_minor(&self) -> i64 {
        self.total.minor - self.applied.minor
    }

    /// What it takes back of the invoice's lines of one type, by who levies them.
    pub fn sums_of(&self, invoice: &Invoice, charge_type: ChargeType) -> Result<Sums, Error> {
        let mut sums = Sums::new();
        for credited in &self.lines {
            let at = usize::try_from(credited.line - 1).unwrap_or(usize::MAX);
            let line = invoice.lines.get(at).filter(|line| line.charge_type() == charge_type);
            if let Some(line) = line {
                let sum = sums.entry(line.jurisdiction().map(str::to_owned)).or_default();
                *sum = sum.checked_add(credited.amount.minor).ok_or_else(|| Error::internal(TooLarge))?;
            }
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{ReckoningId, Uuid};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::invoice::LineCharge;
    use crate::domain::ledger_account::LedgerAccount;
    use crate::domain::ledger_transaction::Entry;
    use crate::domain::posting_money::post_credit_note;
    use crate::domain::reckoned::{Detail, ReckonedLine};
    use crate::domain::sample::{self, usd};

    fn issued(amounts: &[i64]) -> Invoice {
        sample::invoice(amounts)
            .issue(InvoiceNumber::new("INV", 1), sample::instant(2026, 12, 1))
            .expect("a draft")
    }

    fn part(line: i32, minor: i64) -> WantedCredit {
        WantedCredit { line, amount: Some(Money::new(minor, usd())) }
    }

    #[test]
    fn what_was_paid_is_kept_and_the_rest_is_not_owed() {
        let half = issued(&[100, 50]).settle(Means::Money, 120).expect("owed");
        let all = correct(half, &BTreeMap::new(), &[], false).expect("something is left");
        assert_eq!((all.total.minor, all.applied.minor), (150, 30));
        assert_eq!(all.invoice.state, InvoiceState::Paid);
    }

    #[test]
    fn no_more_than_is_left_of_a_line() {
        let earlier = BTreeMap::from([(1, 60)]);
        let over = correct(issued(&[100, 50]), &earlier, &[part(1, 41)], false).expect_err("40 is left");
        assert_eq!((over.reason(), over.get("left")), (Reason::AmountExceeded, Some("USD 0.40")));
        let absent = correct(issued(&[100, 50]), &earlier, &[part(3, 1)], false).expect_err("no line 3");
        assert_eq!(absent.violations()[0].field, "lines[0].line_number");
        let again = correct(issued(&[100, 50]), &earlier, &[part(1, 39)], true).expect_err("a part");
        assert_eq!(again.violations()[0].field, "lines[0].amount");
        let whole = correct(issued(&[100, 50]), &earlier, &[part(1, 40)], true).expect("all that is left");
        assert_eq!(whole.total.minor, 40);
        let none = BTreeMap::from([(1, 100), (2, 50)]);
        assert!(correct(issued(&[100, 50]), &none, &[], false).is_err());
        assert!(correct(sample::invoice(&[100]), &BTreeMap::new(), &[], false).is_err(), "a draft");
    }

    #[test]
    fn what_was_given_back_is_taken_back_with_all() {
        let named =
            correct(issued(&[100, -30]), &BTreeMap::new(), &[part(2, 1)], false).expect_err("below 0");
        assert_eq!(named.violations()[0].field, "lines[0].line_number");
        let over =
            correct(issued(&[100, -30]), &BTreeMap::new(), &[part(1, 71)], false).expect_err("70 is left");
        assert_eq!((over.reason(), over.get("left")), (Reason::AmountExceeded, Some("USD 0.70")));
        let rest = correct(issued(&[100, -30]), &BTreeMap::from([(1, 50)]), &[], false).expect("20 is left");
        let lines: Vec<_> = rest.lines.iter().map(|line| (line.line, line.amount.minor)).collect();
        assert_eq!((lines, rest.total.minor), (vec![(1, 50), (2, -30)], 20));
        assert!(correct(issued(&[30, -100]), &BTreeMap::new(), &[], false).is_err(), "nothing was owed");
    }

    #[test]
    fn a_tax_is_taken_back_from_who_levies_it() {
        let mut invoice = issued(&[100, 7]);
        invoice.lines[1].charge = LineCharge::Reckoned(ReckonedLine {
            charge_type: ChargeType::Tax,
            place: Some(sample::place("hall")),
            item: "tax".to_owned(),
            period: invoice.lines[1].period(),
            revision: 0,
            amount: Money::new(7, usd()),
            detail: Detail {
                quantity: "1".parse().expect("a rate"),
                unit: "USD".to_owned(),
                rate: "0.07".parse().expect("a rate"),
                formula: String::new(),
                jurisdiction: Some("US-TX".to_owned()),
                estimated: false,
                whole_minor: 7,
                before_minor: 0,
            },
            reckoning: ReckoningId::new(Uuid::from_u128(1)),
        });
        let done = correct(invoice, &BTreeMap::new(), &[], false).expect("all is left");
        let now = sample::instant(2026, 12, 2);
        let id = CreditNoteId::new(Uuid::from_u128(2));
        let note = CreditNote::of(&done, id, InvoiceNumber::new("CN", 1), String::new(), now);
        let at = (sample::transaction_id(), now.date_naive());
        let posted = post_credit_note(&note, &done.invoice, at).expect("covered").expect("not zero");
        let of = |entry: &Entry| (entry.ledger_account, entry.jurisdiction.clone(), entry.amount.minor);
        let entries: Vec<_> = posted.entries.iter().map(of).collect();
        assert_eq!(
            entries,
            [
                (LedgerAccount::RentIncome, None, 100),
                (LedgerAccount::TaxesPayable, Some("US-TX".to_owned()), 7),
                (LedgerAccount::AccountsReceivable, None, -107),
            ]
        );
    }

    proptest! {
        #[test]
        fn notes_net_to_the_restated_amount(
            amounts in prop::collection::vec(1_i64..100_000, 1..6),
            takes in prop::collection::vec((1_i32..7, 1_i64..150_000), 1..12),
            paid in 0_i64..200_000,
        ) {
            let mut invoice = issued(&amounts);
            let total = invoice.total.minor;
            if paid > 0 && paid <= total {
                invoice = invoice.settle(Means::Money, paid).expect("owed");
            }
            let mut credited = BTreeMap::new();
            let (mut taken, mut kept) = (0, 0);
            for (line, minor) in takes {
                if let Ok(done) = correct(invoice.clone(), &credited, &[part(line, minor)], false) {
                    for credit in &done.lines {
                        *credited.entry(credit.line).or_insert(0) += credit.amount.minor;
                    }
                    taken += done.total.minor;
                    kept += done.total.minor - done.applied.minor;
                    invoice = done.invoice;
                }
            }
            for (line, sum) in &credited {
                prop_assert!(*sum <= amounts[usize::try_from(line - 1).expect("a line")]);
            }
            // Owed is what is left of the restated amount after what was paid, and never below nothing.
            let restated = total - taken;
            let paid = invoice.settled.paid_minor;
            prop_assert_eq!(invoice.open().minor, (restated - paid).max(0));
            prop_assert_eq!(kept, (paid - restated).max(0));
        }
    }
}
