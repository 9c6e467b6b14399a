//! The business clock: contract dates and billing ask it; holds, tokens and retention do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use super::instant::{instant_from_micros, max_instant, min_instant, normalise_instant};
use super::{Instant, TimeError};

/// Business time. Asked once at the door of a request and handed on as a value.
pub trait Clock: Send + Sync {
    /// The present, to the microsecond.
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Instant {
        let now = chrono::Utc::now();
        normalise_instant(now).unwrap_or(now)
    }
}

/// A clock that stands still until it is moved. Clones share it.
#[derive(Debug, Clone)]
pub struct TestClock {
    micros: Arc<AtomicI64>,
}

impl TestClock {
    /// A clock that shows `start`, cut to the microsecond and into the known years.
    pub fn new(start: Instant) -> Self {
        Self { micros: Arc::new(AtomicI64::new(in_range(start).timestamp_micros())) }
    }

    /// Makes it show `to`, earlier or later, for tests that look at one moment after another.
    pub fn set(&self, to: Instant) {
        self.micros.store(in_range(to).timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it forward by `by` and gives the new present. Refused if `by` is negative or leads out of range.
    pub fn advance(&self, by: TimeDelta) -> Result<Instant, TimeError> {
        let to = self.now().checked_add_signed(by).ok_or(TimeError::OutOfRange)?;
        self.advance_to(to)
    }

    /// Moves it forward to `to` and gives the new present. Refused if it shows a later time already.
    pub fn advance_to(&self, to: Instant) -> Result<Instant, TimeError> {
        let to = normalise_instant(to)?;
        let before = self.micros.fetch_max(to.timestamp_micros(), Ordering::SeqCst);
        if before > to.timestamp_micros() { Err(TimeError::Backwards) } else { Ok(to) }
    }
}

fn in_range(instant: Instant) -> Instant {
    instant.clamp(min_instant(), max_instant())
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        instant_from_micros(self.micros.load(Ordering::SeqCst)).unwrap_or_else(|_| min_instant())
    }
}
