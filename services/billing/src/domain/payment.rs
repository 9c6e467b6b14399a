//! Payments: money of a tenant, what of it pays invoices, what was sent back, what is left.

use kernel::{
    AccountId, CivilDate, Error, Instant, InvoiceId, LeaseId, Money, OperatorId, PaymentId, PaymentName,
    TenantId, Uuid,
};

use super::invoice::{Invoice, TooLarge};
use super::settlement::{Means, exceeded};
use super::words::names;

/// Where money came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentKind {
    /// The tenant paid it to the bank.
    Bank,
    /// A credit note took back what had been paid.
    CreditNote,
}

names!(PaymentKind { Bank => "BANK", CreditNote => "CREDIT_NOTE" });

/// A part of a payment that pays an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Its id.
    pub id: Uuid,
    /// The invoice.
    pub invoice: InvoiceId,
    /// How much.
    pub amount: Money,
    /// The day it counts for.
    pub posting_date: CivilDate,
}

/// A part of a payment that was sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: Uuid,
    /// The bank's reference.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// When it was recorded.
    pub create_time: Instant,
}

/// A promise under which somebody else paid for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Drawn {
    /// The lease that it stands behind.
    pub lease: LeaseId,
    /// Its id within the lease's terms.
    pub support: String,
}

/// Money of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: PaymentId,
    /// The tenant's account.
    pub account: AccountId,
    /// Who paid.
    pub tenant: TenantId,
    /// Where it came from.
    pub kind: PaymentKind,
    /// The bank's reference, or the number of the credit note.
    pub reference: String,
    /// The day it came.
    pub value_date: CivilDate,
    /// A remark.
    pub note: String,
    /// Under which promise it came, where the tenant did not pay it.
    pub drawn: Option<Drawn>,
    /// How much came.
    pub amount: Money,
    /// What pays invoices, in order of allocation.
    pub allocations: Vec<Allocation>,
    /// What was sent back.
    pub refunds: Vec<Refund>,
    /// Raised by every change; the etag.
    pub version: i64,
    /// When it was recorded.
    pub create_time: Instant,
}

/// What a payment shall pay of one invoice; without an amount as much as is owed and left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wanted {
    /// The invoice.
    pub invoice: InvoiceId,
    /// How much.
    pub amount: Option<Money>,
}

/// What was done with a payment: the changed invoices, and which part each got.
#[derive(Clone, Debug, Default)]
pub struct Allocated {
    /// The invoices, each once.
    pub invoices: Vec<Invoice>,
    /// Their parts, in the same order.
    pub allocations: Vec<Allocation>,
}

impl Payment {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> PaymentName {
        PaymentName::new(self.operator.clone(), self.id)
    }

    /// The sum of its allocations.
    #[must_use]
    pub fn allocated_minor(&self) -> i64 {
        self.allocations.iter().map(|part| part.amount.minor).sum()
    }

    /// The sum of its refunds.
    #[must_use]
    pub fn refunded_minor(&self) -> i64 {
        self.refunds.iter().map(|part| part.amount.minor).sum()
    }

    /// What is left of it.
    #[must_use]
    pub fn unapplied(&self) -> Money {
        // Both are bounded by the amount.
        Money::new(self.amount.minor - self.allocated_minor() - self.refunded_minor(), self.amount.currency)
    }

    /// Pays these invoices, in their order, each at most with what is owed of it. Where `wanted` names none, as far as
    /// the payment reaches; else what is named, whole. `first_open` is the first day that is not closed.
    ///
    /// # Errors
    /// `AMOUNT_EXCEEDED` where more is wanted than is left or owed.
    pub fn allocate(
        &mut self,
        invoices: Vec<Invoice>,
        wanted: &[Wanted],
        first_open: CivilDate,
        new_id: impl Fn() -> Uuid,
    ) -> Result<Allocated, Error> {
        let mut done = Allocated::default();
        for invoice in invoices {
            let left = self.unapplied();
            let asked = wanted.iter().find(|one| one.invoice == invoice.id);
            let minor = asked
                .and_then(|one| one.amount)
                .map_or_else(|| invoice.open().minor.min(left.minor), |amount| amount.minor);
            if minor > left.minor {
                return Err(exceeded("payment", self.name(), left));
            }
            if minor == 0 && asked.is_none() {
                continue;
            }
            if left.minor == 0 {
                return Err(exceeded("payment", self.name(), left));
            }
            let issued = invoice.issued.as_ref().map(|issued| issued.time.date_naive());
            let invoice = invoice.settle(Means::Money, minor)?;
            let allocation = Allocation {
                id: new_id(),
                invoice: invoice.id,
                amount: Money::new(minor, self.amount.currency),
                posting_date: issued.map_or(self.value_date, |day| day.max(self.value_date)).max(first_open),
            };
            self.allocations.push(allocation.clone());
            done.allocations.push(allocation);
            done.invoices.push(invoice);
        }
        if !done.allocations.is_empty() {
            self.version += 1;
        }
        Ok(done)
    }

    /// Sends what is left back, or this much of it.
    ///
    /// # Errors
    /// `AMOUNT_EXCEEDED` where less is left.
    pub fn refund(
        &mut self,
        amount: Option<Money>,
        reference: String,
        id: Uuid,
        now: Instant,
    ) -> Result<Refund, Error> {
        let left = self.unapplied();
        let amount = amount.unwrap_or(left);
        if amount.minor > left.minor || amount.minor <= 0 {
            return Err(exceeded("payment", self.name(), left));
        }
        let refund = Refund { id, reference, amount, create_time: now };
        self.refunds.push(refund.clone());
        self.version = self.version.checked_add(1).ok_or_else(|| Error::internal(TooLarge))?;
        Ok(refund)
    }
}

/// Which payments to list; empty is all.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Of this account: its operator and id.
    pub account: Option<(OperatorId, AccountId)>,
    /// Only those of which something is left.
    pub unapplied_only: bool,
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use kernel::Reason;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::number::InvoiceNumber;
    use crate::domain::sample::{self, date, usd};

    fn payment(minor: i64) -> Payment {
        Payment {
            operator: sample::operator(),
            id: PaymentId::new(Uuid::from_u128(5)),
            account: AccountId::new(Uuid::from_u128(3)),
            tenant: "tenant-one".parse().expect("a slug"),
            kind: PaymentKind::Bank,
            reference: "wire-1".to_owned(),
            value_date: date(2026, 12, 10),
            note: String::new(),
            drawn: None,
            amount: Money::new(minor, usd()),
            allocations: Vec::new(),
            refunds: Vec::new(),
            version: 1,
            create_time: sample::instant(2026, 12, 11),
        }
    }

    fn owed(id: u128, minor: i64) -> Invoice {
        let draft = Invoice { id: InvoiceId::new(Uuid::from_u128(id)), ..sample::invoice(&[minor]) };
        draft.issue(InvoiceNumber::new("INV", 1), sample::instant(2026, 12, 1)).expect("a draft")
    }

    fn ids() -> impl Fn() -> Uuid {
        let last = Cell::new(100);
        move || {
            last.set(last.get() + 1);
            Uuid::from_u128(last.get())
        }
    }

    fn wanted(id: u128, minor: Option<i64>) -> Wanted {
        let amount = minor.map(|minor| Money::new(minor, usd()));
        Wanted { invoice: InvoiceId::new(Uuid::from_u128(id)), amount }
    }

    #[test]
    fn what_is_named_is_paid_whole_or_refused() {
        let mut one = payment(100);
        let invoices = vec![owed(10, 60), owed(11, 60)];
        let refused = one
            .clone()
            .allocate(
                invoices.clone(),
                &[wanted(10, Some(60)), wanted(11, Some(41))],
                date(2026, 12, 1),
                ids(),
            )
            .expect_err("40 is left");
        assert_eq!((refused.reason(), refused.get("left")), (Reason::AmountExceeded, Some("USD 0.40")));
        let over = one.clone().allocate(invoices.clone(), &[wanted(10, Some(61))], date(2026, 12, 1), ids());
        assert_eq!(over.expect_err("60 is owed").reason(), Reason::AmountExceeded);
        let both = [wanted(10, None), wanted(11, None)];
        let done = one.allocate(invoices, &both, date(2026, 12, 1), ids()).expect("as far as it reaches");
        let parts: Vec<i64> = done.allocations.iter().map(|part| part.amount.minor).collect();
        assert_eq!((parts, one.unapplied().minor), (vec![60, 40], 0));
        assert_eq!(done.allocations[0].posting_date, date(2026, 12, 10), "the day the money came");
        assert!(
            one.refund(None, "back".to_owned(), Uuid::from_u128(1), sample::instant(2027, 1, 1)).is_err()
        );
    }

    #[test]
    fn nothing_counts_for_a_closed_day() {
        let mut late = payment(10);
        let done = late.allocate(vec![owed(10, 60)], &[], date(2027, 1, 1), ids()).expect("owed");
        assert_eq!(done.allocations[0].posting_date, date(2027, 1, 1));
    }

    proptest! {
        #[test]
        fn allocations_never_exceed_what_came_or_what_is_owed(
            came in 1_i64..1_000_000,
            totals in prop::collection::vec(1_i64..300_000, 1..10),
            back in 1_i64..300_000,
        ) {
            let mut payment = payment(came);
            let sent = payment.refund(Some(Money::new(back, usd())), "r".to_owned(), Uuid::from_u128(1), sample::instant(2027, 1, 1));
            prop_assert_eq!(sent.is_ok(), back <= came);
            let left = payment.unapplied().minor;
            let invoices: Vec<Invoice> = (10..).zip(&totals).map(|(id, total)| owed(id, *total)).collect();
            let done = payment.allocate(invoices, &[], date(2026, 12, 1), ids()).expect("as far as it reaches");
            let owed: i64 = totals.iter().sum();
            prop_assert_eq!(payment.allocated_minor(), owed.min(left));
            prop_assert_eq!(payment.allocated_minor() + payment.refunded_minor() + payment.unapplied().minor, came);
            // Oldest first: at most the last one reached is paid in part.
            for invoice in done.invoices.iter().rev().skip(1) {
                prop_assert_eq!(invoice.open().minor, 0);
            }
        }
    }
}
