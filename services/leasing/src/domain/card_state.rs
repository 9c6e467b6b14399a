//! Where a rate card stands and how it moves.

use std::fmt;
use std::str::FromStr;

use kernel::Error;
use serde::{Deserialize, Serialize};

use super::state::UnknownState;

/// Where a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CardState {
    /// Being written.
    Draft,
    /// Quoted from.
    Approved,
    /// No longer.
    Retired,
}

/// What can be done to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardDeed {
    /// Change it.
    Edit,
    /// Let it be quoted from.
    Approve,
    /// Let it be quoted from no more.
    Retire,
}

use CardState::{Approved, Draft, Retired};

impl CardState {
    /// Every state, in the order of a card's life.
    pub const ALL: &[Self] = &[Draft, Approved, Retired];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Draft => "DRAFT",
            Approved => "APPROVED",
            Retired => "RETIRED",
        }
    }

    /// The state after a deed.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where the table has no move.
    pub fn after(self, deed: CardDeed) -> Result<Self, Error> {
        match (self, deed) {
            (Draft, CardDeed::Edit) => Ok(Draft),
            (Draft, CardDeed::Approve) => Ok(Approved),
            (Draft | Approved, CardDeed::Retire) => Ok(Retired),
            (Approved | Retired, CardDeed::Edit | CardDeed::Approve) | (Retired, CardDeed::Retire) => {
                Err(Error::invalid_transition("rate card", self, deed.aim()))
            }
        }
    }
}

impl CardDeed {
    /// Every deed, in the order of the golden table.
    pub const ALL: &[Self] = &[Self::Edit, Self::Approve, Self::Retire];

    fn aim(self) -> CardState {
        match self {
            Self::Edit => Draft,
            Self::Approve => Approved,
            Self::Retire => Retired,
        }
    }
}

impl fmt::Display for CardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CardState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.iter().copied().find(|state| state.name() == text).ok_or(UnknownState)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table_is_the_golden_one() {
        let mut table = String::from("| state |");
        for deed in CardDeed::ALL {
            write!(table, " {deed:?} |").unwrap();
        }
        writeln!(table, "\n|---|{}", "---|".repeat(CardDeed::ALL.len())).unwrap();
        for state in CardState::ALL {
            write!(table, "| {state} |").unwrap();
            for deed in CardDeed::ALL {
                write!(table, " {} |", state.after(*deed).map_or("-", CardState::name)).unwrap();
            }
            table.push('\n');
            assert_eq!(state.name().parse(), Ok(*state));
        }
        assert_eq!(table, include_str!("rate_card_states.golden.md"), "changed:\n{table}");
    }
}
