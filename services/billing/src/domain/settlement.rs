//! What becomes of an issued invoice: paid, credited, taken back, given up. What is settled only grows.

use kernel::{Error, InvoiceName, Money, Reason};

use super::invoice::{Invoice, TooLarge};
use super::invoice_state::{InvoiceCommand, InvoiceState};

/// What of an invoice is settled, in minor units of its currency, none below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// By money.
    pub paid_minor: i64,
    /// By credit notes.
    pub credited_minor: i64,
    /// Given up.
    pub written_off_minor: i64,
}

/// How a part of an invoice is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By money.
    Money,
    /// By a credit note.
    Credit,
}

/// It is more than is left; `of` says what it is left of.
#[must_use]
pub fn exceeded(of: &'static str, which: impl std::fmt::Display, left: Money) -> Error {
    Error::refused(Reason::AmountExceeded, format!("Of this {of}, {left} is left."))
        .with(of, which)
        .with("left", left)
}

impl Invoice {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> InvoiceName {
        InvoiceName::new(self.operator.clone(), self.id)
    }

    /// What is still owed of it.
    #[must_use]
    pub fn open(&self) -> Money {
        let settled = self.settled;
        let minor = if InvoiceState::OWED.contains(&self.state) {
            // The parts are bounded by the total, so they cannot overflow.
            self.total.minor - settled.paid_minor - settled.credited_minor - settled.written_off_minor
        } else {
            0
        };
        Money::new(minor, self.total.currency)
    }

    /// The invoice with another part of it settled.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where nothing is owed, `AMOUNT_EXCEEDED` where less is.
    pub fn settle(self, means: Means, minor: i64) -> Result<Self, Error> {
        let open = self.open();
        let rest = minor >= open.minor;
        let state = self.state.after(if rest { InvoiceCommand::PayRest } else { InvoiceCommand::PayPart })?;
        if minor > open.minor || minor <= 0 {
            return Err(exceeded("invoice", self.name(), open));
        }
        let mut settled = self.settled;
        let part = match means {
            Means::Money => &mut settled.paid_minor,
            Means::Credit => &mut settled.credited_minor,
        };
        *part = part.checked_add(minor).ok_or_else(|| Error::internal(TooLarge))?;
        Ok(Self { state, settled, version: self.version + 1, ..self })
    }

    /// The invoice taken back.
    pub fn void(self, reason: String) -> Result<Self, Error> {
        let state = self.state.after(InvoiceCommand::Void)?;
        Ok(Self { state, state_reason: reason, version: self.version + 1, ..self })
    }

    /// The invoice given up, with what was still owed of it.
    pub fn write_off(self, reason: String) -> Result<(Self, Money), Error> {
        let state = self.state.after(InvoiceCommand::WriteOff)?;
        let given_up = self.open();
        if given_up.minor <= 0 {
            return Err(exceeded("invoice", self.name(), given_up));
        }
        let settled = Settled { written_off_minor: given_up.minor, ..self.settled };
        Ok((Self { state, settled, state_reason: reason, version: self.version + 1, ..self }, given_up))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::number::InvoiceNumber;
    use crate::domain::sample;

    fn open(minor: i64) -> Invoice {
        sample::invoice(&[minor])
            .issue(InvoiceNumber::new("INV", 1), sample::instant(2026, 12, 1))
            .expect("a draft")
    }

    #[test]
    fn a_part_and_the_rest_and_no_more() {
        let part = open(100).settle(Means::Money, 30).expect("owed");
        assert_eq!((part.state, part.open().minor), (InvoiceState::PartiallyPaid, 70));
        let more = part.clone().settle(Means::Money, 71).expect_err("too much");
        assert_eq!((more.reason(), more.get("left")), (Reason::AmountExceeded, Some("USD 0.70")));
        let paid = part.settle(Means::Credit, 70).expect("owed");
        assert_eq!((paid.state, paid.open().minor), (InvoiceState::Paid, 0));
        let again = paid.settle(Means::Money, 1).expect_err("nothing is owed");
        assert_eq!(again.reason(), Reason::InvalidStateTransition);
        assert!(sample::invoice(&[100]).settle(Means::Money, 100).is_err(), "a draft is not owed");
    }

    #[test]
    fn what_is_paid_is_neither_taken_back_nor_given_up() {
        let part = open(100).settle(Means::Money, 30).expect("owed");
        assert!(part.clone().void("wrong".to_owned()).is_err());
        let (lost, given_up) = part.write_off("insolvent".to_owned()).expect("owed");
        assert_eq!((lost.state, given_up.minor, lost.open().minor), (InvoiceState::Uncollectible, 70, 0));
        assert_eq!(open(100).void("wrong".to_owned()).expect("unpaid").open().minor, 0);
    }

    proptest! {
        #[test]
        fn what_is_settled_and_what_is_open_are_the_total(
            total in 1_i64..1_000_000,
            parts in prop::collection::vec((1_i64..400_000, any::<bool>()), 1..12),
        ) {
            let mut invoice = open(total);
            for (minor, money) in parts {
                let means = if money { Means::Money } else { Means::Credit };
                let before = invoice.open().minor;
                match invoice.clone().settle(means, minor) {
                    Ok(settled) => {
                        prop_assert!(minor <= before);
                        prop_assert_eq!(settled.open().minor, before - minor);
                        invoice = settled;
                    }
                    Err(_) => prop_assert!(minor > before),
                }
                let Settled { paid_minor, credited_minor, .. } = invoice.settled;
                prop_assert_eq!(paid_minor + credited_minor + invoice.open().minor, total);
                prop_assert_eq!(invoice.state == InvoiceState::Paid, invoice.open().minor == 0);
            }
        }
    }
}
