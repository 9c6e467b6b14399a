//! Where a master agreement stands, and what can be done with it.

use std::fmt;
use std::str::FromStr;

use kernel::{Error, Reason};

use super::state::UnknownState;

/// Where an agreement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementState {
    /// On the table.
    Draft,
    /// Both have signed: orders can be placed.
    Signed,
    /// Off the table, or no new orders.
    Ended,
}

/// What can be done with an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementDeed {
    /// One side signs.
    SignFirst,
    /// The other side signs.
    SignLast,
    /// Either side ends it.
    End,
}

impl AgreementDeed {
    /// Every deed, in the order of the golden table.
    pub const ALL: [Self; 3] = [Self::SignFirst, Self::SignLast, Self::End];

    pub(super) fn aim(self) -> AgreementState {
        match self {
            Self::SignFirst => AgreementState::Draft,
            Self::SignLast => AgreementState::Signed,
            Self::End => AgreementState::Ended,
        }
    }
}

impl AgreementState {
    /// Every state, in the order of an agreement's life.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Signed, Self::Ended];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Signed => "SIGNED",
            Self::Ended => "ENDED",
        }
    }

    /// The state after a deed.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn after(self, deed: AgreementDeed) -> Result<Self, Error> {
        match (self, deed) {
            (Self::Draft, _) | (Self::Signed, AgreementDeed::End) => Ok(deed.aim()),
            (Self::Signed, AgreementDeed::SignFirst | AgreementDeed::SignLast) | (Self::Ended, _) => {
                Err(Error::invalid_transition("master agreement", self, deed.aim()))
            }
        }
    }

    /// Whether orders can be placed under it.
    #[must_use]
    pub fn takes_orders(self) -> bool {
        match self {
            Self::Signed => true,
            Self::Draft | Self::Ended => false,
        }
    }

    /// Refuses orders under an agreement that takes none.
    ///
    /// # Errors
    /// `MASTER_AGREEMENT_NOT_IN_FORCE`.
    pub fn check_takes_orders(self) -> Result<(), Error> {
        let problem = match self {
            Self::Signed => return Ok(()),
            Self::Draft => "The master agreement is not signed by both sides: sign it first.",
            Self::Ended => "The master agreement has ended: there are no new orders under it.",
        };
        Err(Error::refused(Reason::MasterAgreementNotInForce, problem).with("state", self))
    }
}

impl fmt::Display for AgreementState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AgreementState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(UnknownState)
    }
}
