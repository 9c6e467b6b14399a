//! The states of a lease, what each set of states means, and the only table of moves between them.

use std::fmt;
use std::str::FromStr;

use kernel::{Error, Reason};
use serde::{Deserialize, Serialize};

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LeaseState {
    /// Somebody asked for it; the capacity is being held. Becomes PROPOSED or disappears.
    Proposing,
    /// The capacity is held; both sides may sign.
    Proposed,
    /// Both sides have signed; inventory is being asked to commit. Becomes EFFECTIVE or LAPSED.
    Signing,
    /// Agreed; no block has commenced.
    Effective,
    /// At least one block has commenced, and not all have ended.
    Active,
    /// Every block has ended.
    Expired,
    /// Withdrawn before it was signed.
    Cancelled,
    /// The hold ended before both sides had signed.
    Lapsed,
}

use LeaseState::{Active, Cancelled, Effective, Expired, Lapsed, Proposed, Proposing, Signing};

/// A deed is half done and its caller may be gone: the sweeper finishes it.
pub const UNDER_WAY: &[LeaseState] = &[Proposing, Signing];
/// The terms lie on the table: either side may sign, either side may withdraw.
pub const OPEN: &[LeaseState] = &[Proposed];
/// Counts as leased and as backlog. Nothing before it does, whatever is held.
pub const IN_FORCE: &[LeaseState] = &[Effective, Active];
/// Nothing moves any more, and no capacity is taken.
pub const FINAL: &[LeaseState] = &[Expired, Cancelled, Lapsed];

/// What can be done to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Inventory holds the capacity.
    Hold,
    /// One side signs, and the other has not yet.
    SignFirst,
    /// One side signs, and the other has already.
    SignLast,
    /// Inventory has committed the reservation.
    Commit,
    /// Inventory says that the hold is gone.
    Lapse,
    /// One side withdraws.
    Cancel,
    /// A block's commencement date has come.
    Commence,
    /// A block's end date has come, and others go on.
    End,
    /// The last block's end date has come.
    Expire,
}

impl Deed {
    /// Every deed, in the order of the golden table.
    pub const ALL: &[Self] = &[
        Self::Hold,
        Self::SignFirst,
        Self::SignLast,
        Self::Commit,
        Self::Lapse,
        Self::Cancel,
        Self::Commence,
        Self::End,
        Self::Expire,
    ];

    /// The deed's name in tables and refusals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "HOLD",
            Self::SignFirst => "SIGN_FIRST",
            Self::SignLast => "SIGN_LAST",
            Self::Commit => "COMMIT",
            Self::Lapse => "LAPSE",
            Self::Cancel => "CANCEL",
            Self::Commence => "COMMENCE",
            Self::End => "END",
            Self::Expire => "EXPIRE",
        }
    }

    /// The state this deed leads to from the only state set it is made for; names `to` in a refusal.
    fn aim(self) -> LeaseState {
        match self {
            Self::Hold | Self::SignFirst => Proposed,
            Self::SignLast => Signing,
            Self::Commit => Effective,
            Self::Lapse => Lapsed,
            Self::Cancel => Cancelled,
            Self::Commence | Self::End => Active,
            Self::Expire => Expired,
        }
    }
}

impl LeaseState {
    /// Every state, in the order of a lease's life.
    pub const ALL: &[Self] = &[Proposing, Proposed, Signing, Effective, Active, Expired, Cancelled, Lapsed];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Proposing => "PROPOSING",
            Proposed => "PROPOSED",
            Signing => "SIGNING",
            Effective => "EFFECTIVE",
            Active => "ACTIVE",
            Expired => "EXPIRED",
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
            (Proposing, Deed::Hold) | (Proposed, Deed::SignFirst) => Proposed,
            (Proposed, Deed::SignLast) => Signing,
            (Proposed, Deed::Cancel) => Cancelled,
            (Proposed | Signing, Deed::Lapse) => Lapsed,
            (Signing, Deed::Commit) => Effective,
            (Effective | Active, Deed::Commence) | (Active, Deed::End) => Active,
            (Active, Deed::Expire) => Expired,
            _ => return Err(self.refuse(deed)),
        };
        Ok(next)
    }

    fn refuse(self, deed: Deed) -> Error {
        Error::refused(
            Reason::InvalidStateTransition,
            format!("A lease in {self} cannot become {}.", deed.aim()),
        )
        .with("from", self.name())
        .with("to", deed.aim().name())
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

/// Where one leased block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PremisesState {
    /// Its commencement date has not come, or the lease was not in force yet.
    Planned,
    /// Handed over, by deemed acceptance on its commencement date: rent runs.
    Commenced,
    /// Its end date has come.
    Ended,
}

impl PremisesState {
    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "PLANNED",
            Self::Commenced => "COMMENCED",
            Self::Ended => "ENDED",
        }
    }
}

impl FromStr for PremisesState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Planned, Self::Commenced, Self::Ended]
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or(UnknownState)
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
        assert_eq!(table, include_str!("lease_states.golden.md"), "state x deed table changed:\n{table}");
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
