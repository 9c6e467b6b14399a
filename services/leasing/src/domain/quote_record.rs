//! A quote: priced options on the table until they are taken up, turned down, or their time is over.

use std::fmt;
use std::str::FromStr;

use kernel::{
    CivilDate, Error, Instant, LeaseId, LeaseName, MasterAgreementName, QuoteName, Reason, TenantName,
};
use serde::{Deserialize, Serialize};

use super::quote::{Need, Offer};
use super::quote_hold::QuoteHold;
use super::rate_card::second_person;
use super::state::UnknownState;

/// Where a quote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuoteState {
    /// Being made: the capacity that it is to carry is being held; the tenant does not see it.
    Holding,
    /// A second person must approve; the tenant does not see it.
    PendingApproval,
    /// On the table.
    Open,
    /// Taken up; its lease is being proposed.
    Accepting,
    /// Its lease was proposed.
    Accepted,
    /// Turned down.
    Rejected,
    /// Its time is over.
    Lapsed,
}

use QuoteState::{Accepted, Accepting, Holding, Lapsed, Open, PendingApproval, Rejected};

/// What can be done to a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteDeed {
    /// Its capacity is held; nobody must approve.
    Offer,
    /// Its capacity is held; a second person must approve.
    Defer,
    /// A second person agrees.
    Approve,
    /// One option is taken up.
    Accept,
    /// The lease was proposed.
    Propose,
    /// The lease was refused: nothing was taken up.
    Refuse,
    /// One side turns it down.
    Reject,
    /// Its time is over.
    Lapse,
}

impl QuoteDeed {
    /// Every deed, in the order of the golden table.
    pub const ALL: &[Self] = &[
        Self::Offer,
        Self::Defer,
        Self::Approve,
        Self::Accept,
        Self::Propose,
        Self::Refuse,
        Self::Reject,
        Self::Lapse,
    ];

    fn aim(self) -> QuoteState {
        match self {
            Self::Offer | Self::Approve | Self::Refuse => Open,
            Self::Defer => PendingApproval,
            Self::Accept => Accepting,
            Self::Propose => Accepted,
            Self::Reject => Rejected,
            Self::Lapse => Lapsed,
        }
    }
}

impl QuoteState {
    /// Every state, in the order of a quote's life.
    pub const ALL: &[Self] = &[Holding, PendingApproval, Open, Accepting, Accepted, Rejected, Lapsed];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Holding => "HOLDING",
            PendingApproval => "PENDING_APPROVAL",
            Open => "OPEN",
            Accepting => "ACCEPTING",
            Accepted => "ACCEPTED",
            Rejected => "REJECTED",
            Lapsed => "LAPSED",
        }
    }

    /// The state after a deed.
    ///
    /// # Errors
    /// `QUOTE_LAPSED` for everything that comes too late, `INVALID_STATE_TRANSITION` where the table has no move.
    pub fn after(self, deed: QuoteDeed) -> Result<Self, Error> {
        match (self, deed) {
            (Holding, QuoteDeed::Offer)
            | (PendingApproval, QuoteDeed::Approve)
            | (Accepting, QuoteDeed::Refuse) => Ok(Open),
            (Holding, QuoteDeed::Defer) => Ok(PendingApproval),
            (Open, QuoteDeed::Accept) => Ok(Accepting),
            (Accepting, QuoteDeed::Propose) => Ok(Accepted),
            (PendingApproval | Open, QuoteDeed::Reject) => Ok(Rejected),
            (PendingApproval | Open, QuoteDeed::Lapse) => Ok(Lapsed),
            (Lapsed, _) => Err(lapsed()),
            (Holding | PendingApproval | Open | Accepting | Accepted | Rejected, _) => {
                Err(Error::invalid_transition("quote", self, deed.aim()))
            }
        }
    }
}

impl fmt::Display for QuoteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for QuoteState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.iter().copied().find(|state| state.name() == text).ok_or(UnknownState)
    }
}

/// Where and from when the need is to be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// First acceptable start.
    pub start_from: CivilDate,
    /// First start that is too late.
    pub start_until: Option<CivilDate>,
    /// Sites and blocks, by resource name; empty is all.
    pub places: Vec<String>,
}

/// A quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its name.
    pub name: QuoteName,
    /// Whom it is for.
    pub tenant: TenantName,
    /// Where it stands.
    pub state: QuoteState,
    /// What is needed.
    pub need: Need,
    /// Where and from when.
    pub whereabouts: Whereabouts,
    /// The options by rank.
    pub offers: Vec<Offer>,
    /// When it lapses, by the database's clock.
    pub valid_until: Instant,
    /// How long capacity is held for signatures, in seconds.
    pub hold_seconds: i64,
    /// The blocks that are held until then.
    pub holds: Vec<QuoteHold>,
    /// Who made it.
    pub author: String,
    /// Who approved it.
    pub approver: Option<String>,
    /// Which option was taken up, from 1.
    pub accepted: Option<u32>,
    /// The agreement that its lease is an order under.
    pub master: Option<MasterAgreementName>,
    /// Why it was rejected.
    pub reject_reason: String,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was made.
    pub create_time: Instant,
    /// When it last changed.
    pub update_time: Instant,
}

impl Quote {
    /// The state in which a quote of these offers begins.
    #[must_use]
    pub fn beginning(offers: &[Offer], holds: &[QuoteHold]) -> QuoteState {
        match holds {
            [] if nobody_must_approve(offers) => Open,
            [] => PendingApproval,
            _ => Holding,
        }
    }

    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }

    /// Whether the tenant may see it: what was never approved is nobody's offer.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.state != Holding && (self.approver.is_some() || nobody_must_approve(&self.offers))
    }

    /// The lease that is proposed when it is accepted: it has the quote's id, so that whoever knows the one finds the
    /// other.
    ///
    /// # Errors
    /// `INTERNAL`, which an id of ours does not give.
    pub fn lease_name(&self) -> Result<LeaseName, Error> {
        let id = LeaseId::new(&self.name.quote.to_string()).map_err(Error::internal)?;
        Ok(LeaseName::new(self.name.operator.clone(), id))
    }

    /// The option of a number.
    #[must_use]
    pub fn option(&self, number: u32) -> Option<&Offer> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.offers.get(place)
    }

    /// Agreed by somebody who did not make it; `time` is the database's.
    ///
    /// # Errors
    /// `QUOTE_LAPSED`, `INVALID_STATE_TRANSITION`, `SECOND_PERSON_NEEDED`.
    pub fn approve(mut self, approver: &str, time: Instant, now: Instant) -> Result<Self, Error> {
        self.in_time(time)?;
        self.go(QuoteDeed::Approve, now)?;
        second_person(approver, std::slice::from_ref(&self.author))?;
        self.approver = Some(approver.to_owned());
        Ok(self)
    }

    /// One option is taken up; `time` is the database's.
    ///
    /// # Errors
    /// `QUOTE_LAPSED`, `INVALID_STATE_TRANSITION`, `INVALID_FIELD` for a number that no option has.
    pub fn accept(
        mut self,
        number: u32,
        master: Option<&MasterAgreementName>,
        time: Instant,
        now: Instant,
    ) -> Result<Self, Error> {
        self.in_time(time)?;
        if self.option(number).is_none() {
            return Err(Error::invalid_field("option_number", "is not the number of an option"));
        }
        self.go(QuoteDeed::Accept, now)?;
        self.accepted = Some(number);
        self.master = master.cloned();
        Ok(self)
    }

    /// The lease was proposed.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn proposed(mut self, now: Instant) -> Result<Self, Error> {
        self.go(QuoteDeed::Propose, now)?;
        Ok(self)
    }

    /// The lease was refused: the quote is on the table again.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn refused(mut self, now: Instant) -> Result<Self, Error> {
        self.go(QuoteDeed::Refuse, now)?;
        (self.accepted, self.master) = (None, None);
        Ok(self)
    }

    /// One side turns it down.
    ///
    /// # Errors
    /// `QUOTE_LAPSED`, `INVALID_STATE_TRANSITION`.
    pub fn reject(mut self, reason: &str, now: Instant) -> Result<Self, Error> {
        self.go(QuoteDeed::Reject, now)?;
        reason.clone_into(&mut self.reject_reason);
        Ok(self)
    }

    /// Its time is over.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn lapse(mut self, now: Instant) -> Result<Self, Error> {
        self.go(QuoteDeed::Lapse, now)?;
        Ok(self)
    }

    /// The sweeper may be late; the hour is not.
    fn in_time(&self, time: Instant) -> Result<(), Error> {
        if time < self.valid_until { Ok(()) } else { Err(lapsed()) }
    }

    pub(super) fn go(&mut self, deed: QuoteDeed, now: Instant) -> Result<(), Error> {
        self.state = self.state.after(deed)?;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        Ok(())
    }
}

pub(super) fn nobody_must_approve(offers: &[Offer]) -> bool {
    offers.iter().all(|offer| offer.approval_reasons.is_empty())
}

fn lapsed() -> Error {
    Error::refused(Reason::QuoteLapsed, "The time of this quote is over; ask for a new one.")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table_is_the_golden_one() {
        let mut table = String::from("| state |");
        for deed in QuoteDeed::ALL {
            write!(table, " {deed:?} |").unwrap();
        }
        writeln!(table, "\n|---|{}", "---|".repeat(QuoteDeed::ALL.len())).unwrap();
        for state in QuoteState::ALL {
            write!(table, "| {state} |").unwrap();
            for deed in QuoteDeed::ALL {
                write!(table, " {} |", state.after(*deed).map_or("-", QuoteState::name)).unwrap();
            }
            table.push('\n');
            assert_eq!(state.name().parse(), Ok(*state));
        }
        assert_eq!(table, include_str!("quote_states.golden.md"), "changed:\n{table}");
    }
}
