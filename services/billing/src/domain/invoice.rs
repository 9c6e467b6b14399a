//! Invoices: made from charges, issued once, never changed after.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{
    AccountId, CivilDate, Currency, DateRange, Error, Instant, InvoiceId, LeaseId, Money, OperatorId, Reason,
    RunId, TenantId, YearMonth,
};

use super::charge::Charge;
pub use super::charge_type::{ChargeType, InvoiceKind};
use super::invoice_state::{InvoiceCommand, InvoiceState};
use super::lease::{BlockRef, LeaseCopy};
use super::number::InvoiceNumber;
use super::payment_instructions::PaymentInstructions;
use super::reckoned::ReckonedLine;
use super::settlement::Settled;

/// One charge with the version of the terms it was computed from: all that is needed to compute it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceLine {
    /// The charge.
    pub charge: LineCharge,
    /// Version of the lease's terms.
    pub lease_version: i64,
}

/// A charge of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineCharge {
    /// Rent, computed from the terms alone.
    Rent(Charge),
    /// Usage or a credit, computed from what is kept as its reckoning.
    Reckoned(ReckonedLine),
}

impl InvoiceLine {
    /// What it is for.
    #[must_use]
    pub fn charge_type(&self) -> ChargeType {
        match &self.charge {
            LineCharge::Rent(rent) => rent.charge_type,
            LineCharge::Reckoned(line) => line.charge_type,
        }
    }

    /// Which block; none is the whole lease.
    #[must_use]
    pub fn place(&self) -> Option<&BlockRef> {
        match &self.charge {
            LineCharge::Rent(rent) => Some(&rent.place),
            LineCharge::Reckoned(line) => line.place.as_ref(),
        }
    }

    /// The days charged.
    #[must_use]
    pub fn period(&self) -> DateRange {
        match &self.charge {
            LineCharge::Rent(rent) => rent.period,
            LineCharge::Reckoned(line) => line.period,
        }
    }

    /// What is billed.
    #[must_use]
    pub fn amount(&self) -> Money {
        match &self.charge {
            LineCharge::Rent(rent) => rent.amount,
            LineCharge::Reckoned(line) => line.amount,
        }
    }

    /// The component and its band; empty for rent and credits.
    #[must_use]
    pub fn item(&self) -> &str {
        match &self.charge {
            LineCharge::Rent(_) => "",
            LineCharge::Reckoned(line) => &line.item,
        }
    }

    /// Who levies it, where it is a tax.
    #[must_use]
    pub fn jurisdiction(&self) -> Option<&str> {
        match &self.charge {
            LineCharge::Rent(_) => None,
            LineCharge::Reckoned(line) => line.detail.jurisdiction.as_deref(),
        }
    }

    /// The computation in words and figures.
    #[must_use]
    pub fn formula(&self) -> String {
        match &self.charge {
            LineCharge::Rent(rent) => rent.formula(),
            LineCharge::Reckoned(line) => line.formula(),
        }
    }
}

/// What a lease owes for a month: the content of an invoice, before it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Who bills.
    pub operator: OperatorId,
    /// Who is billed.
    pub tenant: TenantId,
    /// For which lease.
    pub lease: LeaseId,
    /// What it is for.
    pub kind: InvoiceKind,
    /// The month.
    pub month: YearMonth,
    /// The charges, in order of period, then block, then what they are for.
    pub lines: Vec<InvoiceLine>,
    /// The sum of the lines.
    pub total: Money,
    /// Days from issue until it is due.
    pub payment_terms_days: u16,
}

impl Bill {
    /// The rent of one month, and what else a lease owes, as one bill of each kind; none where there is nothing to charge.
    pub fn of(
        lease: &LeaseCopy,
        month: YearMonth,
        rent: Vec<Charge>,
        reckoned: Vec<ReckonedLine>,
    ) -> Result<Vec<Self>, Error> {
        let rent = rent.into_iter().map(LineCharge::Rent);
        let charges = rent.chain(reckoned.into_iter().map(LineCharge::Reckoned));
        let mut kinds: BTreeMap<InvoiceKind, Vec<InvoiceLine>> = BTreeMap::new();
        for charge in charges {
            let line = InvoiceLine { charge, lease_version: lease.version };
            kinds.entry(line.charge_type().invoice_kind()).or_default().push(line);
        }
        kinds.into_iter().map(|(kind, lines)| Self::of_kind(lease, month, kind, lines)).collect()
    }

    fn of_kind(
        lease: &LeaseCopy,
        month: YearMonth,
        kind: InvoiceKind,
        mut lines: Vec<InvoiceLine>,
    ) -> Result<Self, Error> {
        // What is of the whole lease comes after its blocks.
        let order = |line: &InvoiceLine| {
            let place = line.place();
            (line.period().start(), place.is_none(), place.cloned(), line.charge_type())
        };
        lines.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.item().cmp(b.item())));
        let total = total(&lines, lease.terms.currency)?;
        Ok(Self {
            operator: lease.operator.clone(),
            tenant: lease.tenant.clone(),
            lease: lease.lease.clone(),
            kind,
            month,
            lines,
            total,
            payment_terms_days: lease.terms.payment_terms_days,
        })
    }
}

fn total(lines: &[InvoiceLine], currency: Currency) -> Result<Money, Error> {
    Money::checked_sum(currency, lines.iter().map(InvoiceLine::amount))
        .ok_or_else(|| Error::internal(TooLarge))
}

/// A sum that does not fit 64 bits of minor units.
#[derive(Debug, thiserror::Error)]
#[error("a sum of money does not fit 64 bits")]
pub struct TooLarge;

/// An invoice: a bill that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Its operator; also the bill's.
    pub operator: OperatorId,
    /// Its id.
    pub id: InvoiceId,
    /// The run that made it.
    pub run: RunId,
    /// The tenant's account.
    pub account: AccountId,
    /// Who is billed.
    pub tenant: TenantId,
    /// For which lease.
    pub lease: LeaseId,
    /// What it is for.
    pub kind: InvoiceKind,
    /// Where it stands.
    pub state: InvoiceState,
    /// The month.
    pub month: YearMonth,
    /// The charges, in order of period, then block, then what they are for.
    pub lines: Vec<InvoiceLine>,
    /// The sum of the lines.
    pub total: Money,
    /// Days from issue until it is due.
    pub payment_terms_days: u16,
    /// Raised by every change; the etag.
    pub version: i64,
    /// When it was computed.
    pub create_time: Instant,
    /// Number, time of issue and due date, from the day it was issued.
    pub issued: Option<Issued>,
    /// What of it is paid, credited and written off.
    pub settled: Settled,
    /// Why it is void or uncollectible.
    pub state_reason: String,
    /// Where to pay: what was in force when it was issued, and what is until then. Many invoices share it.
    pub pay_to: Option<Arc<PaymentInstructions>>,
}

/// What issuing adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Gapless in its series.
    pub number: InvoiceNumber,
    /// When, by business time.
    pub time: Instant,
    /// Last day to pay.
    pub due_date: CivilDate,
}

impl Invoice {
    /// A draft of a bill.
    #[must_use]
    pub fn draft(bill: Bill, id: InvoiceId, run: RunId, account: AccountId, now: Instant) -> Self {
        Self {
            operator: bill.operator,
            id,
            run,
            account,
            tenant: bill.tenant,
            lease: bill.lease,
            kind: bill.kind,
            state: InvoiceState::Draft,
            month: bill.month,
            lines: bill.lines,
            total: bill.total,
            payment_terms_days: bill.payment_terms_days,
            version: 1,
            create_time: now,
            issued: None,
            settled: Settled::default(),
            state_reason: String::new(),
            pay_to: None,
        }
    }

    /// The sum of the lines of one type, by who levies them: nobody, unless they are taxes.
    pub fn sums_of(&self, charge_type: ChargeType) -> Result<BTreeMap<Option<String>, i64>, Error> {
        let mut sums = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.charge_type() == charge_type) {
            let sum: &mut i64 = sums.entry(line.jurisdiction().map(str::to_owned)).or_default();
            *sum = sum.checked_add(line.amount().minor).ok_or_else(|| Error::internal(TooLarge))?;
        }
        Ok(sums)
    }

    /// Whether the invoice may be issued now, whatever its number will be.
    pub fn may_issue(&self) -> Result<(), Error> {
        self.state.after(InvoiceCommand::Issue).map(|_| ())
    }

    /// The invoice as issued at `now` under `number`, to be paid as it said. Nothing else of it changes, then or ever.
    pub fn issue(self, number: InvoiceNumber, now: Instant) -> Result<Self, Error> {
        let state = self.state.after(InvoiceCommand::Issue)?;
        let due_date =
            now.date_naive().checked_add_days(chrono::Days::new(self.payment_terms_days.into())).ok_or_else(
                || Error::refused(Reason::TermOutOfRange, "The due date is beyond the calendar."),
            )?;
        let version = self.version + 1;
        Ok(Self { state, version, issued: Some(Issued { number, time: now, due_date }), ..self })
    }
}

/// Which invoices to list; empty is all.
#[derive(Clone, Debug, Default)]
pub struct InvoiceFilter {
    /// In these states.
    pub states: Vec<InvoiceState>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this lease: its operator and id.
    pub lease: Option<(OperatorId, LeaseId)>,
    /// Of this run: its operator and id.
    pub run: Option<(OperatorId, RunId)>,
    /// Of this month.
    pub month: Option<YearMonth>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{self, date};

    #[test]
    fn issuing_adds_number_and_due_date_and_nothing_else() {
        let draft = sample::invoice(&[100, 250]);
        let now = sample::instant(2026, 12, 1);
        let issued = draft.clone().issue(InvoiceNumber::new("INV", 7), now).expect("a draft");
        let facts = issued.issued.clone().expect("issued");
        assert_eq!((facts.number.to_string().as_str(), facts.due_date), ("INV-000007", date(2026, 12, 31)));
        assert_eq!((issued.state, issued.version), (InvoiceState::Open, 2));
        assert_eq!((issued.lines, issued.total), (draft.lines, draft.total));
    }

    #[test]
    fn an_invoice_is_issued_once() {
        let now = sample::instant(2026, 12, 1);
        let issued = sample::invoice(&[1]).issue(InvoiceNumber::new("INV", 1), now).expect("a draft");
        let again = issued.issue(InvoiceNumber::new("INV", 2), now).expect_err("already issued");
        assert_eq!(again.reason(), Reason::InvalidStateTransition);
    }

    #[test]
    fn a_formula_can_be_read_back() {
        let invoice = sample::invoice(&[67_096_774]);
        let text = invoice.lines[0].formula();
        assert!(text.starts_with("20000 kW x 130 USD per kW-month x 8/31 days = USD 670967.74"), "{text}");
    }
}
