//! The states of a reservation and what may be done in each. The whole table is a golden file beside this one.

use kernel::{Error, Reason};
use serde::Serialize;

/// Where a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Counts against capacity until its time runs out.
    Held,
    /// Counts against capacity for the whole of its profiles.
    Committed,
    /// Given back.
    Released,
    /// Its time ran out.
    Expired,
    /// Became part of another reservation.
    Merged,
}

/// What can be done to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// Its hold ends later.
    Extend,
    /// It becomes firm.
    Commit,
    /// Its holder gives it back.
    Release,
    /// The service that made it firm gives it back.
    Withdraw,
    /// Its time has run out.
    Expire,
    /// Its holder changes what it takes: amends it, splits it, lets another become part of it.
    Amend,
    /// The service that made it firm does.
    Revise,
    /// It becomes part of another, which its holder or its service may amend.
    Join,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Held, Self::Committed, Self::Released, Self::Expired, Self::Merged];
    /// The states that take capacity (HELD only until its time runs out).
    pub const LIVE: [Self; 2] = [Self::Held, Self::Committed];

    /// Whether it takes capacity (HELD only until its time runs out).
    pub fn is_live(self) -> bool {
        Self::LIVE.contains(&self)
    }

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Committed => "COMMITTED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
            Self::Merged => "MERGED",
        }
    }

    /// The state of a word in the store.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state after a deed; `lapsed` = a HELD reservation whose time has run out, swept or not.
    ///
    /// # Errors
    /// HOLD_EXPIRED, HOLD_RELEASED, HOLD_ALREADY_CONFIRMED or INVALID_STATE_TRANSITION.
    pub fn after(self, deed: Deed, lapsed: bool) -> Result<Self, Error> {
        match (self, deed) {
            (Self::Held, Deed::Expire) if lapsed => Ok(Self::Expired),
            (_, Deed::Expire) => Err(Error::invalid_transition("reservation", self, Self::Expired)),
            (Self::Held, _) if lapsed => Err(expired()),
            (Self::Held, Deed::Extend | Deed::Amend | Deed::Revise) => Ok(Self::Held),
            (Self::Held | Self::Committed, Deed::Join) => Ok(Self::Merged),
            (Self::Held, Deed::Commit) | (Self::Committed, Deed::Revise) => Ok(Self::Committed),
            (Self::Held, Deed::Release | Deed::Withdraw) | (Self::Committed, Deed::Withdraw) => {
                Ok(Self::Released)
            }
            (Self::Committed, Deed::Extend | Deed::Commit | Deed::Amend) => {
                Err(Error::refused(Reason::HoldAlreadyConfirmed, "The hold is a firm reservation already."))
            }
            (Self::Committed, Deed::Release) => {
                Err(Error::invalid_transition("reservation", self, Self::Released))
            }
            (Self::Released, _) => Err(Error::refused(Reason::HoldReleased, "The hold was given back.")),
            (Self::Expired, _) => Err(expired()),
            (Self::Merged, _) => {
                Err(Error::refused(Reason::HoldReleased, "The hold became part of another reservation."))
            }
        }
    }
}

fn expired() -> Error {
    Error::refused(Reason::HoldExpired, "The hold has run out.")
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 8] = [
        Self::Extend,
        Self::Commit,
        Self::Release,
        Self::Withdraw,
        Self::Expire,
        Self::Amend,
        Self::Revise,
        Self::Join,
    ];

    /// The kind of the event that tells it.
    pub const fn event_kind(self) -> &'static str {
        match self {
            Self::Extend => "reservation.extended",
            Self::Commit => "reservation.committed",
            Self::Release | Self::Withdraw => "reservation.released",
            Self::Expire => "reservation.expired",
            Self::Amend | Self::Revise => "reservation.amended",
            Self::Join => "reservation.merged",
        }
    }
}

/// The table as Markdown: what the golden file and the README hold.
pub fn table() -> String {
    let mut text = String::from(
        "| state | Extend | Commit | Release | Withdraw | Expire | Amend | Revise | Join |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let rows = [
        (State::Held, false, "HELD"),
        (State::Held, true, "HELD, run out"),
        (State::Committed, false, "COMMITTED"),
        (State::Released, false, "RELEASED"),
        (State::Expired, false, "EXPIRED"),
        (State::Merged, false, "MERGED"),
    ];
    for (state, lapsed, title) in rows {
        text.push_str(&format!("| {title} |"));
        for deed in Deed::ALL {
            let cell = match state.after(deed, lapsed) {
                Ok(next) => format!(" -> {next} |"),
                Err(error) => format!(" {} |", error.reason()),
            };
            text.push_str(&cell);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_golden_one() {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/states.golden.md");
            std::fs::write(path, table()).expect("written");
        }
        assert_eq!(table(), include_str!("states.golden.md"));
    }

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::of_word(state.as_str()), Some(state));
        }
    }
}
