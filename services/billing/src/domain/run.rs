//! Billing runs.

use kernel::{Error, Instant, LeaseName, Money, OperatorId, RunId, YearMonth};

use super::lease::BlockRef;
use super::words::names;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Its invoices are drafts, all or some.
    Draft,
    /// All its invoices are issued.
    Issued,
}

names!(RunState { Draft => "DRAFT", Issued => "ISSUED" });

/// One computation of what is due for a month and not yet charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingRun {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: RunId,
    /// Its place among all runs of the operator, from 1.
    pub number: i64,
    /// The month it bills.
    pub month: YearMonth,
    /// Where it stands.
    pub state: RunState,
    /// Raised by every change; the etag.
    pub version: i64,
    /// When it ran.
    pub create_time: Instant,
    /// When it was issued.
    pub issue_time: Option<Instant>,
    /// Invoices it made.
    pub invoice_count: i64,
    /// Their sum per currency, by currency code.
    pub totals: Vec<Money>,
}

/// A lease, or a part of it, that a run could not bill; the others are billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The lease.
    pub lease: LeaseName,
    /// The block; none is the whole lease.
    pub place: Option<BlockRef>,
    /// What is wrong, a sentence for who runs it.
    pub problem: String,
}

impl BillingRun {
    /// Whether the run may be issued.
    pub fn may_issue(&self) -> Result<(), Error> {
        match self.state {
            RunState::Draft => Ok(()),
            RunState::Issued => Err(Error::invalid_transition("billing run", self.state, RunState::Issued)),
        }
    }

    /// The run once all its invoices are issued.
    pub fn issue(self, now: Instant) -> Result<Self, Error> {
        self.may_issue()?;
        let version = self.version + 1;
        Ok(Self { state: RunState::Issued, version, issue_time: Some(now), ..self })
    }
}
