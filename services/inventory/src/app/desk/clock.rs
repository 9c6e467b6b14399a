//! The database's clock, as far as it can be known without asking: its last answer plus the time since.

use std::sync::Mutex;
use std::time::Instant as Monotonic;

use kernel::Instant;

/// Answers older than this are not trusted; monotonic clocks drift and machines sleep.
const AGE_MAX_S: u64 = 10;

/// The database's clock. Ends of holds are computed from it, and judged by the database only.
#[derive(Debug, Default)]
pub struct DatabaseClock {
    last: Mutex<Option<(Instant, Monotonic)>>,
}

impl DatabaseClock {
    /// Takes note of an answer.
    pub fn heard(&self, at: Instant) {
        if let Ok(mut last) = self.last.lock() {
            *last = Some((at, Monotonic::now()));
        }
    }

    /// The database's time now; none if its last answer is too old.
    pub fn estimate(&self) -> Option<Instant> {
        let (at, heard) = (*self.last.lock().ok()?)?;
        let since = heard.elapsed();
        if since.as_secs() >= AGE_MAX_S {
            return None;
        }
        kernel::time::normalise_instant(at + since).ok()
    }
}
