//! The states of a lease, what each set of states means, and the only table of moves between them.

use std::fmt;
use std::str::FromStr;

use kernel::{Error, Reason};
use serde::{Deserialize, Serialize};

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LeaseState {
    /// Terms on paper; no capacity is asked for.
    Draft,
    /// Somebody asked for it; the capacity is being held. Becomes PROPOSED or disappears.
    Proposing,
    /// The capacity is held; both sides may sign.
    Proposed,
    /// Both sides have signed; inventory is being asked to commit. Becomes SIGNED, EFFECTIVE or LAPSED.
    Signing,
    /// Agreed, with a condition precedent open: not in force.
    Signed,
    /// In force; no block has commenced.
    Effective,
    /// At least one block has commenced, and not all have ended.
    Active,
    /// Past its term, and the tenant is still there.
    Holdover,
    /// A default was not cured in time.
    Defaulted,
    /// Every block has ended.
    Expired,
    /// Ended before its term.
    Terminated,
    /// Ended, and nothing is open any more.
    Closed,
    /// Withdrawn before it was signed.
    Cancelled,
    /// The hold ended before both sides had signed, or a condition was open for too long.
    Lapsed,
}

use LeaseState::{
    Active, Cancelled, Closed, Defaulted, Draft, Effective, Expired, Holdover, Lapsed, Proposed, Proposing,
    Signed, Signing, Terminated,
};

/// A deed is half done and its caller may be gone: the sweeper finishes it.
pub const UNDER_WAY: &[LeaseState] = &[Proposing, Signing];
/// The terms lie on the table: either side may sign, either side may withdraw.
pub const OPEN: &[LeaseState] = &[Proposed];
/// The capacity is committed, whether the lease is in force or not.
pub const COMMITTED: &[LeaseState] = &[Signed, Effective, Active, Holdover, Defaulted];
/// Counts as leased and as backlog. Nothing before it does, whatever is held.
pub const IN_FORCE: &[LeaseState] = &[Effective, Active, Holdover, Defaulted];
/// Nothing moves any more, and no capacity is taken.
pub const FINAL: &[LeaseState] = &[Closed, Cancelled, Lapsed];

/// What can be done to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Its capacity is asked for.
    Propose,
    /// Inventory holds the capacity.
    Hold,
    /// One side signs, and the other has not yet.
    SignFirst,
    /// One side signs, and the other has already.
    SignLast,
    /// Inventory has committed the reservation, and a condition is open.
    CommitOpen,
    /// Inventory has committed the reservation, and nothing is open.
    Commit,
    /// A condition is satisfied, and others of the whole lease are open, or none of them was.
    Satisfy,
    /// The last condition of the whole lease is satisfied.
    SatisfyLast,
    /// The hold is gone, or a condition is open on its outside date.
    Lapse,
    /// One side withdraws.
    Cancel,
    /// A block commences: accepted, or deemed to be.
    Commence,
    /// A block's dates change, or what it is part of does; the lease is the same.
    Adjust,
    /// A block's end date has come, and others go on.
    End,
    /// The last block's end date has come.
    Expire,
    /// The last block's end date has come, and the tenant stays.
    HoldOver,
    /// A default was not cured in time.
    Default,
    /// Every default is cured.
    Cure,
    /// A notice is given that moves nothing by itself.
    Notify,
    /// It ends before its term.
    Terminate,
    /// Nothing is open any more.
    Close,
    /// Other terms are proposed, signed, withdrawn, or come into force.
    Amend,
    /// The tenant exercises a renewal.
    Renew,
    /// The tenant exercises an option on more blocks.
    Expand,
    /// The operator names blocks.
    Nominate,
    /// Inventory has committed what a contract takes that was signed on paper, and nothing is open.
    BringIn,
    /// The same, and a condition is open.
    BringInOpen,
}

impl Deed {
    /// Every deed, in the order of the golden table.
    pub const ALL: &[Self] = &[
        Self::Propose,
        Self::Hold,
        Self::SignFirst,
        Self::SignLast,
        Self::CommitOpen,
        Self::Commit,
        Self::Satisfy,
        Self::SatisfyLast,
        Self::Lapse,
        Self::Cancel,
        Self::Commence,
        Self::Adjust,
        Self::End,
        Self::Expire,
        Self::HoldOver,
        Self::Default,
        Self::Cure,
        Self::Notify,
        Self::Terminate,
        Self::Close,
        Self::Amend,
        Self::Renew,
        Self::Expand,
        Self::Nominate,
        Self::BringIn,
        Self::BringInOpen,
    ];

    /// The deed's name in tables and refusals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Propose => "PROPOSE",
            Self::Hold => "HOLD",
            Self::SignFirst => "SIGN_FIRST",
            Self::SignLast => "SIGN_LAST",
            Self::CommitOpen => "COMMIT_OPEN",
            Self::Commit => "COMMIT",
            Self::Satisfy => "SATISFY",
            Self::SatisfyLast => "SATISFY_LAST",
            Self::Lapse => "LAPSE",
            Self::Cancel => "CANCEL",
            Self::Commence => "COMMENCE",
            Self::Adjust => "ADJUST",
            Self::End => "END",
            Self::Expire => "EXPIRE",
            Self::HoldOver => "HOLD_OVER",
            Self::Default => "DEFAULT",
            Self::Cure => "CURE",
            Self::Notify => "NOTIFY",
            Self::Terminate => "TERMINATE",
            Self::Close => "CLOSE",
            Self::Amend => "AMEND",
            Self::Renew => "RENEW",
            Self::Expand => "EXPAND",
            Self::Nominate => "NOMINATE",
            Self::BringIn => "BRING_IN",
            Self::BringInOpen => "BRING_IN_OPEN",
        }
    }

    /// The state this deed leads to where it moves a lease; none where the lease stays what it is.
    fn aim(self) -> Option<LeaseState> {
        match self {
            Self::Propose => Some(Proposing),
            Self::Hold | Self::SignFirst => Some(Proposed),
            Self::SignLast => Some(Signing),
            Self::CommitOpen | Self::BringInOpen => Some(Signed),
            Self::Commit | Self::SatisfyLast | Self::BringIn => Some(Effective),
            Self::Lapse => Some(Lapsed),
            Self::Cancel => Some(Cancelled),
            Self::Commence | Self::End | Self::Cure | Self::Renew => Some(Active),
            Self::Expire => Some(Expired),
            Self::HoldOver => Some(Holdover),
            Self::Default => Some(Defaulted),
            Self::Terminate => Some(Terminated),
            Self::Close => Some(Closed),
            Self::Satisfy | Self::Adjust | Self::Notify | Self::Amend | Self::Expand | Self::Nominate => None,
        }
    }
}

impl LeaseState {
    /// Every state, in the order of a lease's life.
    pub const ALL: &[Self] = &[
        Draft, Proposing, Proposed, Signing, Signed, Effective, Active, Holdover, Defaulted, Expired,
        Terminated, Closed, Cancelled, Lapsed,
    ];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Draft => "DRAFT",
            Proposing => "PROPOSING",
            Proposed => "PROPOSED",
            Signing => "SIGNING",
            Signed => "SIGNED",
            Effective => "EFFECTIVE",
            Active => "ACTIVE",
            Holdover => "HOLDOVER",
            Defaulted => "DEFAULTED",
            Expired => "EXPIRED",
            Terminated => "TERMINATED",
            Closed => "CLOSED",
            Cancelled => "CANCELLED",
            Lapsed => "LAPSED",
        }
    }

    /// Whether the state is one of `set`.
    #[must_use]
    pub fn is_in(self, set: &[Self]) -> bool {
        set.contains(&self)
    }

    /// The state after `deed`.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where the table has no move.
    pub fn after(self, deed: Deed) -> Result<Self, Error> {
        let next = match (self, deed) {
            (Draft, Deed::Propose) => Proposing,
            (Proposing, Deed::Hold) | (Proposed, Deed::SignFirst) => Proposed,
            (Proposed, Deed::SignLast) => Signing,
            (Draft | Proposed, Deed::Cancel) => Cancelled,
            // A contract that was signed on paper has no other way than this one back.
            (Proposing | Proposed | Signing | Signed, Deed::Lapse) => Lapsed,
            (Signing, Deed::CommitOpen) | (Proposing, Deed::BringInOpen) => Signed,
            (Signing, Deed::Commit) | (Signed, Deed::SatisfyLast) | (Proposing, Deed::BringIn) => Effective,
            (Effective | Active, Deed::Commence)
            | (Active, Deed::End | Deed::Renew)
            | (Defaulted, Deed::Cure) => Active,
            // A default keeps accruing: blocks begin and end in it.
            (Active | Holdover, Deed::Default) | (Defaulted, Deed::Commence | Deed::End) => Defaulted,
            (Active | Holdover | Defaulted, Deed::Expire) => Expired,
            // Of an expired one somebody finds that the tenant is still there.
            (Active | Expired, Deed::HoldOver) | (Holdover, Deed::Commence | Deed::End) => Holdover,
            (Signed | Effective | Active | Holdover | Defaulted, Deed::Terminate) => Terminated,
            (Expired | Terminated, Deed::Close) => Closed,
            (Signed | Effective | Active | Holdover | Defaulted, Deed::Satisfy | Deed::Adjust)
            | (Active | Holdover | Defaulted, Deed::Notify)
            | (Signed | Effective | Active | Defaulted, Deed::Amend)
            | (Signed | Effective | Active, Deed::Nominate)
            | (Effective | Active, Deed::Expand) => self,
            _ => return Err(self.refuse(deed)),
        };
        Ok(next)
    }

    fn refuse(self, deed: Deed) -> Error {
        let aim = deed.aim().unwrap_or(self);
        let problem = match deed.aim() {
            Some(aim) => format!("A lease in {self} cannot become {aim}."),
            None => format!("Nothing of this can be done to a lease in {self}."),
        };
        Error::refused(Reason::InvalidStateTransition, problem)
            .with("from", self.name())
            .with("to", aim.name())
    }
}

impl fmt::Display for LeaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is no state's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a state of this version")]
pub struct UnknownState;

impl FromStr for LeaseState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.iter().copied().find(|state| state.name() == text).ok_or(UnknownState)
    }
}

/// Where one leased block stands. That a planned one is ready for service is a date and no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PremisesState {
    /// Held for an option that nobody has exercised.
    Optioned,
    /// It has not commenced.
    Planned,
    /// Handed over, accepted or deemed to be: rent runs.
    Commenced,
    /// Its end date has come.
    Ended,
    /// It will never commence.
    Lapsed,
}

/// What can happen to one leased block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its option is exercised.
    Exercise,
    /// It is handed over.
    Commence,
    /// Its term is over, or the lease is.
    End,
    /// Its condition is open on its outside date, its option was not exercised in time, or the lease is over before it began.
    Lapse,
    /// Its term was over, and the tenant is found to be there.
    Stay,
}

impl PremisesState {
    const ALL: [Self; 5] = [Self::Optioned, Self::Planned, Self::Commenced, Self::Ended, Self::Lapsed];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Optioned => "OPTIONED",
            Self::Planned => "PLANNED",
            Self::Commenced => "COMMENCED",
            Self::Ended => "ENDED",
            Self::Lapsed => "LAPSED",
        }
    }

    /// The state after `step`; none where there is no such move.
    #[must_use]
    pub fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Optioned, Step::Exercise) => Some(Self::Planned),
            (Self::Planned, Step::Commence) | (Self::Ended, Step::Stay) => Some(Self::Commenced),
            (Self::Optioned | Self::Planned, Step::Lapse) => Some(Self::Lapsed),
            (Self::Commenced, Step::End) => Some(Self::Ended),
            _ => None,
        }
    }

    /// Whether nothing more happens to it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Lapsed)
    }

    /// Whether the tenant has it, or will.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Planned | Self::Commenced)
    }

    /// Whether the tenant has it, will, or had: whatever counts for a figure of the lease.
    #[must_use]
    pub fn is_leased(self) -> bool {
        self.is_live() || self == Self::Ended
    }
}

impl FromStr for PremisesState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(UnknownState)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The whole table: a changed move is a changed file, and a reviewer sees it.
    #[test]
    fn the_table_is_the_golden_one() {
        let mut table = String::from("| state |");
        for deed in Deed::ALL {
            write!(table, " {} |", deed.name()).unwrap();
        }
        table.push_str("\n|---|");
        table.push_str(&"---|".repeat(Deed::ALL.len()));
        table.push('\n');
        for state in LeaseState::ALL {
            write!(table, "| {state} |").unwrap();
            for deed in Deed::ALL {
                let cell = state.after(*deed).map_or("-", LeaseState::name);
                write!(table, " {cell} |").unwrap();
            }
            table.push('\n');
        }
        table.push_str("\n| block | EXERCISE | COMMENCE | END | LAPSE | STAY |\n|---|---|---|---|---|---|\n");
        for state in PremisesState::ALL {
            write!(table, "| {} |", state.name()).unwrap();
            for step in [Step::Exercise, Step::Commence, Step::End, Step::Lapse, Step::Stay] {
                write!(table, " {} |", state.after(step).map_or("-", PremisesState::name)).unwrap();
            }
            table.push('\n');
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/lease_states.golden.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &table).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap();
        assert_eq!(table, golden, "state x deed table changed:\n{table}");
    }

    #[test]
    fn final_states_refuse_everything() {
        for state in FINAL {
            for deed in Deed::ALL {
                let refusal = state.after(*deed).expect_err("a final state does not move");
                assert_eq!(refusal.reason(), Reason::InvalidStateTransition);
            }
        }
    }

    #[test]
    fn names_read_back() {
        for state in LeaseState::ALL {
            assert_eq!(state.name().parse(), Ok(*state));
        }
        assert_eq!("GONE".parse::<LeaseState>(), Err(UnknownState));
        assert_eq!("COMMENCED".parse(), Ok(PremisesState::Commenced));
    }
}
