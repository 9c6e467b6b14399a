//! Capacity set aside: all of it or nothing.

use kernel::{BlockName, CapacityVector, Error, Instant, Interval, ReservationName, TenantId};
use serde::Serialize;

use super::states::{Deed, State};

/// What capacity is set aside for. Every kind counts against capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Held while people talk.
    Hold,
    /// For a lease.
    Lease,
    /// For a renewal or expansion option.
    Option,
    /// For the operator's own use.
    OperatorUse,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Lease, Self::Option, Self::OperatorUse];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "HOLD",
            Self::Lease => "LEASE",
            Self::Option => "OPTION",
            Self::OperatorUse => "OPERATOR_USE",
        }
    }

    /// The kind of a word in the store.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is taken over time: a value from each step until the next, the last until the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Profile {
    steps: Vec<(Instant, CapacityVector)>,
    end: Instant,
}

impl Profile {
    /// A profile of at least one step, in strictly rising order, all before the end.
    pub fn new(steps: Vec<(Instant, CapacityVector)>, end: Instant) -> Option<Self> {
        let rising = steps.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let ends_after = steps.last().is_some_and(|step| step.0 < end);
        (rising && ends_after).then_some(Self { steps, end })
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[(Instant, CapacityVector)] {
        &self.steps
    }

    /// The instant it ends, exclusive.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// The instant it begins.
    pub fn start(&self) -> Instant {
        self.steps[0].0
    }

    /// The steps with their ends.
    pub fn pieces(&self) -> impl Iterator<Item = (Interval, CapacityVector)> + '_ {
        let ends = self.steps.iter().skip(1).map(|step| step.0).chain(std::iter::once(self.end));
        self.steps
            .iter()
            .zip(ends)
            .filter_map(|(&(start, kw), end)| Some((Interval::new(start, end).ok()?, kw)))
    }

    /// The most of each lane it ever takes.
    pub fn most(&self) -> CapacityVector {
        self.steps.iter().fold(CapacityVector::ZERO, |most, step| most.max(step.1))
    }
}

/// What a reservation takes of one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The block, of the reservation's operator.
    pub block: BlockName,
    /// What is taken over time.
    pub profile: Profile,
}

/// Capacity set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Its name.
    pub name: ReservationName,
    /// For whom; none for the operator's own use.
    pub tenant: Option<TenantId>,
    /// What for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// What it takes, each of another block.
    pub claims: Vec<Claim>,
    /// When the hold ends, by the database's clock.
    pub hold_until: Instant,
    /// The caller's remark.
    pub note: String,
    /// Raised by every change.
    pub revision: i64,
    /// When it was placed.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Reservation {
    /// Whether it is a hold that has run out, swept or not.
    pub fn has_lapsed(&self, database_now: Instant) -> bool {
        self.state == State::Held && self.hold_until <= database_now
    }

    /// As it is to be shown: a hold that has run out is EXPIRED, whether the sweeper was there or not.
    #[must_use]
    pub fn seen_at(mut self, database_now: Instant) -> Self {
        if self.has_lapsed(database_now) {
            self.state = State::Expired;
        }
        self
    }

    /// The reservation after a deed.
    ///
    /// # Errors
    /// The refusal of the state table.
    pub fn after(&self, deed: Deed, hold_until: Instant, database_now: Instant) -> Result<Self, Error> {
        let state = self.state.after(deed, self.has_lapsed(database_now))?;
        // The desk's idea of the time may be a little ahead; time does not run backwards in what is kept.
        let updated_at = database_now.max(self.updated_at);
        Ok(Self { state, hold_until, revision: self.revision + 1, updated_at, ..self.clone() })
    }
}
