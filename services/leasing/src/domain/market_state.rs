//! The states of capacity requests and of bids, and the only tables of moves between them.

use std::fmt;
use std::str::FromStr;

use kernel::Error;
use serde::{Deserialize, Serialize};

use super::state::UnknownState;

macro_rules! table {
    (
        $(#[$doc:meta])* $state:ident of $what:literal { $($(#[$sdoc:meta])* $variant:ident = $name:literal),+ $(,)? }
        $(#[$ddoc:meta])* $deed:ident { $($(#[$dvdoc:meta])* $move:ident = $dname:literal -> $aim:ident),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $state { $($(#[$sdoc])* $variant,)+ }

        $(#[$ddoc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $deed { $($(#[$dvdoc])* $move,)+ }

        impl $deed {
            /// Every deed, in the order of the golden table.
            pub const ALL: &'static [Self] = &[$(Self::$move,)+];

            /// The deed's name in the golden table.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$move => $dname,)+ }
            }

            /// The state it aims at; names `to` in a refusal.
            fn aim(self) -> $state {
                match self { $(Self::$move => $state::$aim,)+ }
            }
        }

        impl $state {
            /// Every state, in the order of its life.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The state's name, as stored and as told.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            fn refuse(self, deed: $deed) -> Error {
                Error::invalid_transition($what, self, deed.aim())
            }
        }

        impl fmt::Display for $state {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $state {
            type Err = UnknownState;

            fn from_str(text: &str) -> Result<Self, UnknownState> {
                Self::ALL.iter().copied().find(|state| state.name() == text).ok_or(UnknownState)
            }
        }
    };
}

table! {
    /// Where a capacity request stands.
    RequestState of "capacity request" {
        /// Published: bids are taken until the deadline and weighed after it.
        Open = "OPEN",
        /// Bids are chosen; what they hold is being secured.
        Awarding = "AWARDING",
        /// Every chosen bid is won. Final.
        Awarded = "AWARDED",
        /// Called off. Final.
        Cancelled = "CANCELLED",
    }
    /// What can be done to a capacity request.
    RequestDeed {
        /// The tenant chooses bids.
        Choose = "CHOOSE" -> Awarding,
        /// All chosen bids are won.
        SettleAll = "SETTLE_ALL" -> Awarded,
        /// A chosen bid has lapsed: others may be chosen.
        SettleSome = "SETTLE_SOME" -> Open,
        /// The tenant calls it off.
        Cancel = "CANCEL" -> Cancelled,
    }
}

impl RequestState {
    /// The state after `deed`.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where the table has no move.
    pub fn after(self, deed: RequestDeed) -> Result<Self, Error> {
        match (self, deed) {
            (Self::Open, RequestDeed::Choose) => Ok(Self::Awarding),
            (Self::Open, RequestDeed::Cancel) => Ok(Self::Cancelled),
            (Self::Awarding, RequestDeed::SettleAll) => Ok(Self::Awarded),
            (Self::Awarding, RequestDeed::SettleSome) => Ok(Self::Open),
            (
                Self::Open | Self::Awarding | Self::Awarded | Self::Cancelled,
                RequestDeed::Choose | RequestDeed::SettleAll | RequestDeed::SettleSome | RequestDeed::Cancel,
            ) => Err(self.refuse(deed)),
        }
    }
}

table! {
    /// Where a bid stands.
    BidState of "bid" {
        /// Somebody bids; the capacity is being held. Becomes SUBMITTED or disappears.
        Submitting = "SUBMITTING",
        /// It stands.
        Submitted = "SUBMITTED",
        /// Chosen; its hold is being secured. Becomes AWARDED or LAPSED.
        Awarding = "AWARDING",
        /// Won. Final.
        Awarded = "AWARDED",
        /// Others were chosen, or the request was called off. Final.
        Lost = "LOST",
        /// The request was called off before the bid was revealed: the tenant never sees it. Final.
        Returned = "RETURNED",
        /// Taken back. Final.
        Withdrawn = "WITHDRAWN",
        /// Its validity ended, or its hold was gone when it was chosen. Final.
        Lapsed = "LAPSED",
    }
    /// What can be done to a bid.
    BidDeed {
        /// Inventory holds what is to be held.
        Hold = "HOLD" -> Submitted,
        /// The tenant chooses it.
        Choose = "CHOOSE" -> Awarding,
        /// What it holds is secured.
        Award = "AWARD" -> Awarded,
        /// The request was closed without it.
        Lose = "LOSE" -> Lost,
        /// The request was called off before the bid was revealed.
        Return = "RETURN" -> Returned,
        /// The operator takes it back.
        Withdraw = "WITHDRAW" -> Withdrawn,
        /// It no longer binds, or its hold is gone.
        Lapse = "LAPSE" -> Lapsed,
    }
}

impl BidState {
    /// The state after `deed`.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where the table has no move.
    pub fn after(self, deed: BidDeed) -> Result<Self, Error> {
        match (self, deed) {
            (Self::Submitting, BidDeed::Hold) => Ok(Self::Submitted),
            (Self::Submitted, BidDeed::Choose) => Ok(Self::Awarding),
            (Self::Submitted, BidDeed::Lose) => Ok(Self::Lost),
            (Self::Submitted, BidDeed::Return) => Ok(Self::Returned),
            (Self::Submitted, BidDeed::Withdraw) => Ok(Self::Withdrawn),
            (Self::Submitted | Self::Awarding, BidDeed::Lapse) => Ok(Self::Lapsed),
            (Self::Awarding, BidDeed::Award) => Ok(Self::Awarded),
            (
                Self::Submitting
                | Self::Submitted
                | Self::Awarding
                | Self::Awarded
                | Self::Lost
                | Self::Returned
                | Self::Withdrawn
                | Self::Lapsed,
                BidDeed::Hold
                | BidDeed::Choose
                | BidDeed::Award
                | BidDeed::Lose
                | BidDeed::Return
                | BidDeed::Withdraw
                | BidDeed::Lapse,
            ) => Err(self.refuse(deed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    macro_rules! drawn {
        ($state:ident, $deed:ident) => {{
            let mut table = String::from("| state |");
            for deed in $deed::ALL {
                write!(table, " {} |", deed.name()).unwrap();
            }
            table.push_str("\n|---|");
            table.push_str(&"---|".repeat($deed::ALL.len()));
            table.push('\n');
            for state in $state::ALL {
                write!(table, "| {state} |").unwrap();
                for deed in $deed::ALL {
                    write!(table, " {} |", state.after(*deed).map_or("-", $state::name)).unwrap();
                }
                table.push('\n');
            }
            table
        }};
    }

    /// The whole tables: a changed move is a changed file, and a reviewer sees it.
    #[test]
    fn the_tables_are_the_golden_ones() {
        let tables = format!("{}\n{}", drawn!(RequestState, RequestDeed), drawn!(BidState, BidDeed));
        assert_eq!(tables, include_str!("market_states.golden.md"), "a table changed:\n{tables}");
    }

    #[test]
    fn names_read_back() {
        assert!(RequestState::ALL.iter().all(|state| state.name().parse() == Ok(*state)));
        assert!(BidState::ALL.iter().all(|state| state.name().parse() == Ok(*state)));
    }
}
