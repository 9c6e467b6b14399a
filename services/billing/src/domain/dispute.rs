//! Disputes: what a tenant says against a line of an issued invoice, until it is settled.

use kernel::{
    CivilDate, CreditNoteId, DisputeId, DisputeName, DisputeTerms, Error, Instant, InvoiceId, InvoiceName,
    Money, OperatorId, Reason, TenantId,
};

use super::invoice::Invoice;
use super::invoice_state::InvoiceState;
use super::settlement::exceeded;
use super::words::names;

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeState {
    /// Not settled.
    Open,
    /// The tenant is right.
    Upheld,
    /// The tenant is wrong.
    Rejected,
}

names!(DisputeState { Open => "OPEN", Upheld => "UPHELD", Rejected => "REJECTED" });

impl DisputeState {
    /// Where it stands once it is settled so: it is settled once.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn settled(self, outcome: Outcome) -> Result<Self, Error> {
        let to = match outcome {
            Outcome::Upheld => Self::Upheld,
            Outcome::Rejected => Self::Rejected,
        };
        match self {
            Self::Open => Ok(to),
            Self::Upheld | Self::Rejected => Err(Error::invalid_transition("dispute", self, to)),
        }
    }
}

/// How a dispute is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Outcome {
    /// What is disputed is taken back.
    Upheld,
    /// It is due again.
    Rejected,
}

/// The answer to a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What is said.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub time: Instant,
    /// The credit note, where it is upheld.
    pub credit_note: Option<CreditNoteId>,
}

/// A dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Whose invoice.
    pub operator: OperatorId,
    /// Its id.
    pub id: DisputeId,
    /// The invoice.
    pub invoice: InvoiceId,
    /// The line's place on it, from 1.
    pub line: i32,
    /// Who disputes it.
    pub tenant: TenantId,
    /// How much of it.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub opened_by: String,
    /// Where it stands.
    pub state: DisputeState,
    /// The answer.
    pub resolution: Option<Resolution>,
    /// Raised by every change; the etag.
    pub version: i64,
    /// When it was opened.
    pub create_time: Instant,
}

impl Dispute {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> DisputeName {
        DisputeName::new(self.operator.clone(), self.id)
    }

    /// The dispute with its answer.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn resolve(self, outcome: Outcome, resolution: Resolution) -> Result<Self, Error> {
        let state = self.state.settled(outcome)?;
        Ok(Self { state, resolution: Some(resolution), version: self.version + 1, ..self })
    }
}

/// Which disputes to list.
#[derive(Clone, Debug, Default)]
pub struct DisputeFilter {
    /// Only of this invoice.
    pub invoice: Option<InvoiceName>,
    /// Only those that are not settled.
    pub open_only: bool,
}

/// How much of a line is disputed: what was asked for, or all that is left. `gone_minor`: what of the line was taken back or
/// is disputed already.
///
/// # Errors
/// `INVALID_STATE_TRANSITION` where nothing is asked for any more, `DISPUTE_WINDOW_CLOSED`, `RESOURCE_NOT_FOUND` for a line
/// that is not there, `INVALID_FIELD` for another currency, `AMOUNT_EXCEEDED` where less is left.
pub fn disputed(
    invoice: &Invoice,
    line: i32,
    wanted: Option<Money>,
    gone_minor: i64,
    (terms, today): (Option<DisputeTerms>, CivilDate),
) -> Result<Money, Error> {
    // What was paid may be disputed too; what is void or given up is not asked for.
    let issued = invoice.issued.as_ref().filter(|_| {
        InvoiceState::ISSUED.contains(&invoice.state) && invoice.state != InvoiceState::Uncollectible
    });
    let issued =
        issued.ok_or_else(|| Error::invalid_transition("rent invoice", invoice.state, InvoiceState::Open))?;
    let last = terms.and_then(|terms| terms.last_day(issued.time.date_naive()));
    if let Some(last) = last.filter(|last| today > *last) {
        let why = format!("Lines of this invoice could be disputed through {last}.");
        return Err(Error::refused(Reason::DisputeWindowClosed, why).with("lastDate", last));
    }
    let at = usize::try_from(line - 1).ok();
    let charged = at.and_then(|at| invoice.lines.get(at)).ok_or_else(|| Error::not_found("invoice line"))?;
    let currency = invoice.total.currency;
    if wanted.is_some_and(|wanted| wanted.currency != currency) {
        let of = format!("must be in {currency}, the invoice's currency");
        return Err(Error::invalid_field("amount".to_owned(), of));
    }
    let left = charged.amount().minor.max(0) - gone_minor;
    let minor = wanted.map_or(left, |wanted| wanted.minor);
    if minor > left || minor <= 0 {
        return Err(exceeded("line", line, Money::new(left.max(0), currency)));
    }
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
mod tests {
    use kernel::RejectedInterest;

    use super::*;
    use crate::domain::number::InvoiceNumber;
    use crate::domain::sample::{self, date, usd};
    use crate::domain::settlement::Means;

    fn open(amounts: &[i64]) -> Invoice {
        let draft = sample::invoice(amounts);
        draft.issue(InvoiceNumber::new("INV", 1), sample::instant(2026, 12, 1)).expect("a draft")
    }

    fn anytime(invoice: &Invoice, line: i32, wanted: Option<Money>, gone: i64) -> Result<Money, Error> {
        disputed(invoice, line, wanted, gone, (None, date(2030, 1, 1)))
    }

    #[test]
    fn no_more_is_disputed_than_is_left_of_a_line_that_is_asked_for() {
        let some = |minor| Some(Money::new(minor, usd()));
        assert_eq!(anytime(&open(&[100, 50]), 1, None, 40).expect("60 is left").minor, 60);
        assert_eq!(anytime(&open(&[100, 50]), 2, some(50), 0).expect("all of it").minor, 50);
        for (line, wanted, gone, reason) in [
            (1, some(61), 40, Reason::AmountExceeded),
            (1, None, 100, Reason::AmountExceeded),
            (3, None, 0, Reason::ResourceNotFound),
            (0, None, 0, Reason::ResourceNotFound),
        ] {
            let refused = anytime(&open(&[100, 50]), line, wanted, gone).expect_err("refused");
            assert_eq!(refused.reason(), reason, "{line} {wanted:?} {gone}");
        }
        let paid = open(&[100]).settle(Means::Money, 100).expect("owed");
        assert_eq!(anytime(&paid, 1, None, 0).expect("paid, and disputed all the same").minor, 100);
        let void = open(&[100]).void("wrong".to_owned()).expect("unpaid");
        for not_asked in [sample::invoice(&[100]), void] {
            let refused = anytime(&not_asked, 1, None, 0).expect_err("nothing is asked for");
            assert_eq!(refused.reason(), Reason::InvalidStateTransition);
        }
    }

    #[test]
    fn a_line_is_disputed_within_the_days_of_its_contract() {
        let terms = DisputeTerms { window_days: 30, rejected_interest: RejectedInterest::AsAgreed };
        let on = |day| disputed(&open(&[100]), 1, None, 0, (Some(terms), day));
        assert!(on(date(2026, 12, 31)).is_ok(), "issued on the first: the thirtieth day after");
        let late = on(date(2027, 1, 1)).expect_err("a day late");
        assert_eq!((late.reason(), late.get("lastDate")), (Reason::DisputeWindowClosed, Some("2026-12-31")));
    }

    #[test]
    fn a_dispute_is_settled_once() {
        let moves = |state: DisputeState| {
            [Outcome::Upheld, Outcome::Rejected].map(|outcome| state.settled(outcome).ok())
        };
        assert_eq!(moves(DisputeState::Open), [Some(DisputeState::Upheld), Some(DisputeState::Rejected)]);
        assert_eq!(moves(DisputeState::Upheld), [None, None]);
        assert_eq!(moves(DisputeState::Rejected), [None, None]);
    }
}
