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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kernel::{CapacityVector, Interval, Uuid, WaitlistEntryId, Zone};

    use super::*;
    use crate::domain::availability::{BlockView, Use};
    use crate::domain::reservation::Kind;
    use crate::domain::states;
    use crate::domain::suit::Traits;

    fn at(hour: i64) -> Instant {
        kernel::time::min_instant() + TimeDelta::hours(hour)
    }

    fn kw(it: i64) -> CapacityVector {
        CapacityVector { critical_it: it, air: it, ..CapacityVector::ZERO }
    }

    /// A hall of a hundred kilowatts of which so much is taken.
    fn site(taken: i64) -> SiteView {
        let name: BlockName = "operators/north/sites/rockdale/blocks/hall-a".parse().expect("a name");
        let interval = Interval::new(at(0), at(1_000)).expect("forward");
        let taken = Use { kind: Kind::Lease, state: states::State::Committed, interval, kw: kw(taken) };
        let given = Use { kw: kw(-100), ..taken };
        SiteView {
            name: name.site_name(),
            zone: Zone::UTC,
            country_code: "US".to_owned(),
            grid_iso: "ERCOT".to_owned(),
            state_code: String::new(),
            point: None,
            grid_steps: Vec::new(),
            reported_leased_it_kw: None,
            // What is taken less than nothing is given: a phase would say the same in more words.
            blocks: vec![BlockView {
                name,
                rate: None,
                traits: Traits::default(),
                phases: Vec::new(),
                derates: Vec::new(),
                uses: vec![taken, given],
            }],
        }
    }

    fn entry(on: &str) -> WaitlistEntry {
        let on: Extent = on.parse().expect("a name");
        let name = WaitlistEntryName::new(on.operator().clone(), WaitlistEntryId::new(Uuid::from_u128(1)));
        WaitlistEntry {
            name,
            on,
            tenant: "acme".parse().expect("a slug"),
            profile: Profile::new(vec![(at(10), kw(40))], at(20)).expect("a profile"),
            expire_at: at(500),
            note: String::new(),
            state: State::Waiting,
            available: Vec::new(),
            told_at: None,
            revision: 1,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    #[test]
    fn it_is_told_once_each_time_it_comes_to_fit() {
        let waits = entry("operators/north/sites/rockdale");
        assert_eq!(waits.after_look(&site(61), at(1)), None);
        let told = waits.after_look(&site(60), at(2)).expect("forty are free");
        assert_eq!((told.state, told.told_at, told.available.len()), (State::Available, Some(at(2)), 1));
        assert_eq!(told.after_look(&site(0), at(3)), None, "it was told already");
        let again = told.after_look(&site(61), at(4)).expect("it is gone");
        assert_eq!((again.state, again.told_at, again.available.len()), (State::Waiting, Some(at(2)), 0));
        assert!(again.after_look(&site(60), at(5)).is_some());
    }

    #[test]
    fn another_hall_will_not_do() {
        assert_eq!(entry("operators/north/sites/rockdale/blocks/hall-b").after_look(&site(0), at(1)), None);
    }

    #[test]
    fn who_is_gone_does_not_leave() {
        let waits = entry("operators/north/sites/rockdale");
        let left = waits.left(at(499)).expect("still there");
        assert!(left.left(at(499)).is_err() && waits.left(at(500)).is_err());
    }
}
