//! What happens to a lease after its signatures, as it is kept and told.

use kernel::{BlockName, CivilDate, Instant, MasterAgreementName, Money};
use serde::{Deserialize, Serialize};

use super::amendment::Amendment;
use super::assignment::{Assignment, Subtenant, Tenancy, Wish};
use super::cut_over::Import;
use super::expansion::Expansion;
use super::holdover::Holdover;
use super::lease::{Party, Signatory};
use super::nomination::{Named, Placement};
use super::record;
use super::terms::Terms;

/// What has happened to a lease since it was agreed. One document in its row: no query asks for any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Life {
    /// Conditions that are satisfied.
    pub met: Vec<Met>,
    /// Notices, in order of time.
    pub notices: Vec<Notice>,
    /// How it ends before its term.
    pub termination: Option<Termination>,
    /// Renewals that were exercised, in order of time.
    pub renewals: Vec<Renewal>,
    /// Options on more blocks that were exercised, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expansions: Vec<Expansion>,
    /// Blocks that were named for capacity that was agreed without, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub placements: Vec<Placement>,
    /// Of which capacity in the terms nothing more can be named: its last day has passed, or the lease is over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lapsed_nominations: Vec<String>,
    /// Other terms that are proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amendment: Option<Amendment>,
    /// Another tenant that is to have the lease, or the use of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
    /// Tenants of record before, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_tenants: Vec<Tenancy>,
    /// Who uses what the tenant leases, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subtenants: Vec<Subtenant>,
    /// How a contract that was signed on paper came here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
    /// That the tenant stays beyond the term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdover: Option<Holdover>,
    /// A deed that waits for inventory's word.
    pub pending: Option<Pending>,
    /// Inventory is to be told what the reservation takes now.
    pub claims_due: bool,
    /// How often inventory was to be told: names the step.
    pub claims_no: u32,
}

/// A condition that is satisfied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// Its id.
    pub condition: String,
    /// When.
    pub time: Instant,
    /// The token's subject.
    pub subject: String,
    /// By what.
    pub note: String,
}

/// A renewal that was exercised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// When.
    pub time: Instant,
    /// The token's subject.
    pub subject: String,
    /// Who signed it.
    pub signatory: Signatory,
    /// First day after it, of the block that ends last.
    pub until: Option<CivilDate>,
    /// Which of those that the terms give; none once they give other ones.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeKind {
    /// Money is owed.
    MonetaryDefault,
    /// Another duty is not done.
    OtherDefault,
    /// Every default is cured.
    Cured,
    /// Nothing is open any more.
    CloseOut,
}

/// A dated fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// When it was given.
    pub time: Instant,
    /// The token's subject.
    pub subject: String,
    /// What it says.
    pub note: String,
    /// Last day to cure.
    pub cure_date: Option<CivilDate>,
    /// Whether it was cured.
    pub cured: bool,
}

/// On what ground a lease ends before its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ground {
    /// A block is later than its outside date.
    OutsideDate,
    /// It is in default.
    Default,
    /// With notice, for a fee.
    Fee,
}

impl Ground {
    /// Its name in refusals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OutsideDate => "OUTSIDE_DATE",
            Self::Default => "DEFAULT",
            Self::Fee => "FEE",
        }
    }

    /// Whose right it is.
    #[must_use]
    pub fn party(self) -> Party {
        match self {
            Self::OutsideDate | Self::Fee => Party::Tenant,
            Self::Default => Party::Operator,
        }
    }
}

/// How a lease ends before its term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Termination {
    /// The ground.
    pub ground: Ground,
    /// First day on which it is no longer in force.
    pub end: CivilDate,
    /// Why.
    pub reason: String,
    /// The token's subject.
    pub subject: String,
    /// When that was said.
    pub time: Instant,
    /// What the tenant owes for it.
    pub fee: Option<Money>,
    /// What was paid ahead is owed back.
    pub refund: bool,
}

/// A deed that waits for inventory's word, with all that it takes to do it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The deed.
    pub command: Command,
    /// Whose.
    pub by: Actor,
    /// When it was begun.
    pub time: Instant,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Their side.
    pub party: Party,
    /// The token's subject.
    pub subject: String,
    /// The address it came from; empty where there was none.
    #[serde(default)]
    pub address: String,
}

/// What a side can do to a lease that is agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A condition is satisfied.
    Satisfy {
        /// Its id.
        condition: String,
        /// By what.
        note: String,
    },
    /// A block is as agreed.
    Accept {
        /// The block.
        block: BlockName,
        /// First day of its term.
        on: CivilDate,
        /// Who accepts.
        signatory: Signatory,
    },
    /// A notice.
    Notify {
        /// What it is about.
        kind: NoticeKind,
        /// What it says.
        note: String,
    },
    /// The lease ends before its term.
    Terminate {
        /// On what ground.
        ground: Ground,
        /// First day on which it is no longer in force.
        end: CivilDate,
        /// Why.
        reason: String,
    },
    /// Other terms from a day on.
    ProposeAmendment {
        /// The terms, with every zone left open and without conditions, since those of the lease stay.
        #[serde(with = "record::within")]
        terms: Box<Terms>,
        /// The agreement that they name: that of the lease.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        master: Option<MasterAgreementName>,
        /// First day for which they count.
        effective: CivilDate,
        /// Why.
        note: String,
    },
    /// A signature on them.
    SignAmendment {
        /// What is signed.
        terms_hash: [u8; 32],
        /// Who signs.
        signatory: Signatory,
    },
    /// They are off the table.
    WithdrawAmendment,
    /// The next renewal is exercised.
    Renew {
        /// Who signs.
        signatory: Signatory,
    },
    /// An option on more blocks is exercised.
    Expand {
        /// Its id.
        option: String,
        /// Who signs.
        signatory: Signatory,
    },
    /// Blocks are named for capacity that was agreed without.
    Nominate {
        /// Its id.
        nomination: String,
        /// The blocks.
        blocks: Vec<Named>,
        /// Who signs.
        signatory: Signatory,
    },
    /// The tenant stays beyond the term.
    BeginHoldover {
        /// First day on which it is to be gone.
        until: CivilDate,
        /// What was found or agreed.
        note: String,
    },
    /// It has left, or leaves on a day.
    EndHoldover {
        /// First day on which it is gone.
        end: CivilDate,
        /// What was handed back.
        note: String,
    },
    /// Another tenant is to have the lease, or the use of it.
    RequestAssignment {
        /// What is asked for.
        wish: Wish,
    },
    /// The operator consents.
    ConsentToAssignment {
        /// Who signs.
        signatory: Signatory,
    },
    /// It is off the table.
    DeclineAssignment,
}

/// What has happened; each is told by one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// A condition is satisfied.
    Satisfied,
    /// In force.
    Effective,
    /// It lapsed.
    Lapsed,
    /// A block will never commence.
    BlockLapsed,
    /// The dates of a block moved.
    Moved,
    /// A block is ready for service.
    Ready,
    /// One or more blocks have commenced.
    Commenced,
    /// One or more blocks have ended, and others go on.
    Ended,
    /// The last block has ended.
    Expired,
    /// A notice was given.
    Noticed,
    /// A default was not cured in time.
    Defaulted,
    /// Every default is cured.
    Cured,
    /// It is to end before its term.
    TerminationNoticed,
    /// It ended before its term.
    Terminated,
    /// Nothing is open any more.
    Closed,
    /// Other terms are proposed.
    AmendmentProposed,
    /// One side has signed them.
    AmendmentSigned,
    /// Both have: they are the version in force.
    Amended,
    /// One side took them off the table.
    AmendmentWithdrawn,
    /// Their day came before both had signed.
    AmendmentExpired,
    /// A renewal was exercised.
    Renewed,
    /// The notice window closed: no renewal is left.
    OptionLapsed,
    /// An option on more blocks was exercised: they are premises of the version in force.
    Expanded,
    /// Its notice window closed.
    ExpansionLapsed,
    /// Blocks were named: they are premises of the version in force.
    Nominated,
    /// The last day to name blocks has passed.
    NominationLapsed,
    /// The tenant is to stay beyond the term, or longer than was said.
    HoldoverAgreed,
    /// The term is over, and the tenant is there.
    HeldOver,
    /// It has left what it held over, or leaves on a day.
    HoldoverEnded,
    /// An assignment or a sublease was asked for.
    AssignmentRequested,
    /// The operator has consented.
    AssignmentConsented,
    /// The operator did not, or the tenant asks no more.
    AssignmentDeclined,
    /// Its day came without consent.
    AssignmentExpired,
    /// Another is the tenant of record.
    Assigned,
    /// Another uses what the tenant leases.
    Subleased,
}

/// One line of a lease's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Its number: the lease's revision.
    pub revision: i64,
    /// The kind of its event.
    pub kind: String,
    /// When, in business time.
    pub time: Instant,
    /// The state it led to.
    pub state: String,
    /// The version of the terms in force.
    pub version: i32,
}
