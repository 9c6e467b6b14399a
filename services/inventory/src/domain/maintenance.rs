//! Intervals in which a block gives less than its phases do.

use kernel::{BlockId, CapacityVector, Error, Instant, Interval, MaintenanceName, StepFunction};
use serde::Serialize;

use super::shortfall::CauseKind;
use super::site::words;

words! {
    /// Why a block gives less.
    MaintenanceKind {
        /// Planned work.
        Maintenance = "MAINTENANCE",
        /// It carries less than it was built for.
        Derate = "DERATE",
    }
}

words! {
    /// Where a window stands.
    MaintenanceState {
        /// It holds over its interval.
        Scheduled = "SCHEDULED",
        /// It was cancelled before it began, and takes nothing.
        Cancelled = "CANCELLED",
        /// It was cancelled after it had begun, and ended then.
        CutShort = "CUT_SHORT",
    }
}

/// What a caller says of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowDraft {
    /// Why in one word.
    pub kind: MaintenanceKind,
    /// When.
    pub interval: Interval,
    /// What the block gives less.
    pub reduction: CapacityVector,
    /// Why, for tenants to read.
    pub reason: String,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: MaintenanceName,
    /// What was said of it; its interval ends where it was cut short.
    pub facts: WindowDraft,
    /// Its block.
    pub block: BlockId,
    /// Where it stands.
    pub state: MaintenanceState,
    /// Raised by every change.
    pub revision: i64,
    /// When it was scheduled.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl MaintenanceKind {
    /// What it is called where it makes somebody short.
    pub const fn cause(self) -> CauseKind {
        match self {
            Self::Maintenance => CauseKind::Maintenance,
            Self::Derate => CauseKind::Derated,
        }
    }
}

impl Window {
    /// The window after it was cancelled: gone if it has not begun, else ended now.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where it is over or cancelled already.
    pub fn cancelled(&self, now: Instant) -> Result<Self, Error> {
        let refused =
            || Error::invalid_transition("maintenance window", self.state, MaintenanceState::Cancelled);
        if self.state != MaintenanceState::Scheduled || self.facts.interval.end() <= now {
            return Err(refused());
        }
        let mut next = Self { revision: self.revision + 1, updated_at: now, ..self.clone() };
        match Interval::new(self.facts.interval.start(), now) {
            Ok(until_now) => {
                next.facts.interval = until_now;
                next.state = MaintenanceState::CutShort;
            }
            Err(_) => next.state = MaintenanceState::Cancelled,
        }
        Ok(next)
    }
}

impl std::fmt::Display for MaintenanceState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a block gives: what its phases in service give, less what windows take, never less than nothing.
pub fn capacity(
    phases: impl IntoIterator<Item = (Interval, CapacityVector)>,
    windows: impl IntoIterator<Item = (Interval, CapacityVector)>,
) -> StepFunction<CapacityVector> {
    // Bounded lanes never overflow; if they did, there would be nothing.
    let given = StepFunction::from_intervals(phases).unwrap_or_default();
    let Ok(taken) = StepFunction::from_intervals(windows) else { return StepFunction::zero() };
    if taken.is_zero() {
        return given;
    }
    given.sub(&taken).unwrap_or_default().pointwise_max(&StepFunction::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Instant {
        kernel::time::min_instant() + chrono::TimeDelta::hours(hour)
    }

    fn over(from: i64, until: i64, it: i64) -> (Interval, CapacityVector) {
        let kw = CapacityVector { critical_it: it, air: it, ..CapacityVector::ZERO };
        (Interval::new(at(from), at(until)).expect("forward"), kw)
    }

    fn window() -> Window {
        let name = "operators/acme/sites/rockdale/blocks/hall-a/maintenanceWindows/\
                    0189f7c2-6b1e-7c3a-9d50-c5a7b1b2c3d4";
        let (interval, reduction) = over(10, 20, 5);
        Window {
            name: name.parse().expect("a name"),
            facts: WindowDraft {
                kind: MaintenanceKind::Derate,
                interval,
                reduction,
                reason: "a transformer is out".to_owned(),
            },
            block: BlockId::new(kernel::Uuid::from_u128(1)),
            state: MaintenanceState::Scheduled,
            revision: 1,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    #[test]
    fn windows_take_from_phases_and_never_more_than_there_is() {
        let made = capacity([over(0, 100, 10)], [over(10, 30, 4), over(20, 40, 8), over(90, 120, 3)]);
        for (hour, it) in [(0, 10), (10, 6), (20, 0), (30, 2), (40, 10), (90, 7), (100, 0), (110, 0)] {
            assert_eq!(made.value_at(at(hour)).critical_it, it, "at {hour}");
        }
        assert_eq!(capacity([over(0, 100, 10)], []).value_at(at(50)).critical_it, 10);
    }

    #[test]
    fn a_window_is_cancelled_whole_before_it_begins_and_ended_after() {
        let gone = window().cancelled(at(10)).expect("not begun");
        assert_eq!((gone.state, gone.facts.interval), (MaintenanceState::Cancelled, window().facts.interval));
        let cut = window().cancelled(at(12)).expect("begun");
        assert_eq!((cut.state, cut.facts.interval.end()), (MaintenanceState::CutShort, at(12)));
        for (window, now) in [(window(), 20), (gone, 5), (cut, 11)] {
            let error = window.cancelled(at(now)).expect_err("over");
            assert_eq!(error.reason(), kernel::Reason::InvalidStateTransition);
        }
    }
}
