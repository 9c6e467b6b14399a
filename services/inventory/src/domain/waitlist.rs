//! Those who wait for capacity that is taken. They are told when it is free; nothing is held for them.

use kernel::{BlockName, Error, Instant, TenantId, WaitlistEntryName};
use serde::Serialize;

use super::availability::SiteView;
use super::encumbrance::Extent;
use super::reservation::Profile;
use super::site::words;

/// Blocks named at most to somebody who is told.
const BLOCKS_MAX: usize = 5;

words! {
    /// Where an entry stands, but for its end.
    State {
        /// What is waited for is not free.
        Waiting = "WAITING",
        /// It was told to be free.
        Available = "AVAILABLE",
        /// Left.
        Left = "LEFT",
    }
}

/// What a caller says of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitlistDraft {
    /// A block, or a site any block of which will do.
    pub on: Extent,
    /// Who waits; a tenant's own call may leave it out.
    pub tenant: Option<TenantId>,
    /// What is waited for.
    pub profile: Profile,
    /// Until when.
    pub expire_at: Instant,
    /// A remark.
    pub note: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitlistEntry {
    /// Its name.
    pub name: WaitlistEntryName,
    /// A block, or a site any block of which will do.
    pub on: Extent,
    /// Who waits.
    pub tenant: TenantId,
    /// What is waited for.
    pub profile: Profile,
    /// Until when.
    pub expire_at: Instant,
    /// A remark.
    pub note: String,
    /// Where it stands.
    pub state: State,
    /// Blocks that carried it when it was told.
    pub available: Vec<BlockName>,
    /// When it was last told.
    pub told_at: Option<Instant>,
    /// Raised by every change.
    pub revision: i64,
    /// When it joined.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl WaitlistEntry {
    /// Whether it has run out.
    pub fn has_expired(&self, now: Instant) -> bool {
        self.state != State::Left && self.expire_at <= now
    }

    /// The entry after it left.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` if it is gone already.
    pub fn left(&self, now: Instant) -> Result<Self, Error> {
        let gone = match self.state {
            State::Left => Some("LEFT"),
            State::Waiting | State::Available => self.has_expired(now).then_some("EXPIRED"),
        };
        match gone {
            Some(gone) => Err(Error::invalid_transition("waitlist entry", gone, "LEFT")),
            None => {
                Ok(Self { state: State::Left, revision: self.revision + 1, updated_at: now, ..self.clone() })
            }
        }
    }

    /// The entry after a look at what is free; none if nothing has changed for it. It is told once for each time that
    /// what it waits for comes free: it waits again when that is gone.
    #[must_use]
    pub fn after_look(&self, site: &SiteView, now: Instant) -> Option<Self> {
        let carrying = self.carrying(site);
        let state = if carrying.is_empty() { State::Waiting } else { State::Available };
        if state == self.state {
            return None;
        }
        let told_at = if state == State::Available { Some(now) } else { self.told_at };
        let revision = self.revision + 1;
        Some(Self { state, available: carrying, told_at, revision, updated_at: now, ..self.clone() })
    }

    fn carrying(&self, site: &SiteView) -> Vec<BlockName> {
        site.blocks
            .iter()
            .filter(|block| self.on.covers(&block.name) && block.carries(&self.profile))
            .take(BLOCKS_MAX)
            .map(|block| block.name.clone())
            .collect()
    }
}
