//! Billing runs.

use kernel::{BillingRunName, Error, Instant, LeaseId, LeaseName, Money, OperatorId, RunId, YearMonth};

use super::lease::BlockRef;
use super::words::names;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Some of its leases are not computed yet.
    Computing,
    /// Its invoices are drafts, all or some.
    Draft,
    /// Somebody said that all are to be issued, and some are not yet.
    Issuing,
    /// All its invoices are issued.
    Issued,
}

names!(RunState { Computing => "COMPUTING", Draft => "DRAFT", Issuing => "ISSUING", Issued => "ISSUED" });

/// Some of a run's leases, in order of id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its place in the run, from 1.
    pub number: i32,
    /// Its first lease.
    pub first: LeaseId,
    /// Its last lease.
    pub last: LeaseId,
    /// How many there were when the run began.
    pub lease_count: i64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Leases of which a block had commenced when it began.
    pub lease_count: i64,
    /// Of them, those that are computed.
    pub computed_count: i64,
    /// Invoices that are issued.
    pub issued_count: i64,
    /// What could not be billed.
    pub problem_count: i64,
}

/// What a run is and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHead {
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
}

/// One computation of what is due for a month and not yet charged, with what it has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingRun {
    /// What it is and where it stands.
    pub head: RunHead,
    /// Invoices it made.
    pub invoice_count: i64,
    /// Their sum per currency, by currency code.
    pub totals: Vec<Money>,
    /// How far it is.
    pub progress: Progress,
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

impl RunHead {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> BillingRunName {
        BillingRunName::new(self.operator.clone(), self.id)
    }

    /// The run once the last of its leases is computed.
    pub fn computed(self) -> Result<Self, Error> {
        match self.state {
            RunState::Computing => Ok(Self { state: RunState::Draft, version: self.version + 1, ..self }),
            _ => Err(self.no_way_to(RunState::Draft)),
        }
    }

    /// Whether somebody may say that all is to be issued.
    pub fn may_issue(&self) -> Result<(), Error> {
        match self.state {
            RunState::Draft => Ok(()),
            _ => Err(self.no_way_to(RunState::Issued)),
        }
    }

    /// Whether one of its drafts may be issued.
    pub fn may_issue_one(&self) -> Result<(), Error> {
        match self.state {
            RunState::Draft | RunState::Issuing => Ok(()),
            _ => Err(self.no_way_to(RunState::Issued)),
        }
    }

    /// The run after some of its drafts were issued because all are to be: `rest` says whether any are left. `None`:
    /// nothing changes yet.
    pub fn issued_some(self, rest: bool, now: Instant) -> Result<Option<Self>, Error> {
        self.may_issue_one()?;
        let version = self.version + 1;
        Ok(match (self.state, rest) {
            (RunState::Issuing, true) => None,
            (_, true) => Some(Self { state: RunState::Issuing, version, ..self }),
            (_, false) => Some(Self { state: RunState::Issued, version, issue_time: Some(now), ..self }),
        })
    }

    fn no_way_to(&self, state: RunState) -> Error {
        Error::invalid_transition("billing run", self.state, state)
    }
}
