//! The market in memory. Answers say how old what they were read from is; booking never reads it.

mod keeper;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kernel::{Clock, Instant, SystemClock};
use postgres::outbox::Cursor;
use tokio::sync::{Notify, watch};

pub use self::keeper::Keeper;
use crate::domain::index::Index;

/// How long a question waits for an index that is as fresh as it asks.
const FRESH_AT_MOST: Duration = Duration::from_secs(1);

/// From what an answer was read.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The instant it describes.
    pub read_time: Instant,
    /// How far behind that was when it was answered, and the feed's cursor it had come to; none: it was read from the
    /// store itself.
    pub index: Option<(Duration, String)>,
}

impl Seen {
    pub(crate) fn of_the_store(read_time: Instant) -> Self {
        Self { read_time, index: None }
    }
}

struct Indexed {
    index: Index,
    /// Everything that was committed before is in it.
    time: Instant,
    cursor: String,
}

/// The market in memory. Cheap to clone.
#[derive(Clone)]
pub struct Market {
    inner: Arc<Inner>,
}

struct Inner {
    indexed: RwLock<Option<Indexed>>,
    time: watch::Sender<Option<Instant>>,
    /// Somebody waits for a fresher one.
    wanted: Notify,
}

impl Default for Market {
    fn default() -> Self {
        let inner =
            Inner { indexed: RwLock::default(), time: watch::Sender::new(None), wanted: Notify::new() };
        Self { inner: Arc::new(inner) }
    }
}

/// An index is there, and as fresh as was asked.
pub(crate) struct Fresh<'a> {
    market: &'a Market,
}

impl Market {
    /// Whether it was loaded.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.inner.time.borrow().is_some()
    }

    /// Waits until it is loaded, at most so long.
    pub async fn loaded(&self, at_most: Duration) {
        let mut time = self.inner.time.subscribe();
        // Not in time: the questions until then are answered by the store.
        let _ = tokio::time::timeout(at_most, time.wait_for(Option::is_some)).await;
    }

    /// The index, if there is one that describes this instant or a later one; waits a second at most.
    pub(crate) async fn fresh(&self, from: Option<Instant>) -> Option<Fresh<'_>> {
        let from = match from {
            None => return self.is_loaded().then_some(Fresh { market: self }),
            Some(from) if self.is_loaded() => from,
            Some(_) => return None,
        };
        let mut time = self.inner.time.subscribe();
        let is_fresh = |time: &Option<Instant>| time.is_some_and(|time| time >= from);
        if !is_fresh(&time.borrow()) {
            self.inner.wanted.notify_one();
            let waited = tokio::time::timeout(FRESH_AT_MOST, time.wait_for(is_fresh)).await;
            waited.ok()?.ok()?;
        }
        Some(Fresh { market: self })
    }

    /// What the index says to a question of yes or no; no, where there is none.
    pub(crate) fn knows(&self, ask: impl FnOnce(&Index) -> bool) -> bool {
        let indexed = self.inner.indexed.read().unwrap_or_else(PoisonError::into_inner);
        indexed.as_ref().is_some_and(|indexed| ask(&indexed.index))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Index) -> T) -> Option<T> {
        let mut indexed = self.inner.indexed.write().unwrap_or_else(PoisonError::into_inner);
        indexed.as_mut().map(|indexed| change(&mut indexed.index))
    }

    fn put(&self, indexed: Indexed) {
        let time = indexed.time;
        *self.inner.indexed.write().unwrap_or_else(PoisonError::into_inner) = Some(indexed);
        self.inner.time.send_replace(Some(time));
    }

    fn has_come(&self, time: Instant, cursor: &Cursor) {
        let mut indexed = self.inner.indexed.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(indexed) = indexed.as_mut() {
            (indexed.time, indexed.cursor) = (time, cursor.to_string());
        }
        drop(indexed);
        self.inner.time.send_replace(Some(time));
    }
}

impl Fresh<'_> {
    /// Asks it.
    pub(crate) fn read<T>(&self, ask: impl FnOnce(&Index, Seen) -> T) -> T {
        let indexed = self.market.inner.indexed.read().unwrap_or_else(PoisonError::into_inner);
        match indexed.as_ref() {
            Some(indexed) => {
                let age = (SystemClock.now() - indexed.time).to_std().unwrap_or_default();
                let seen = Seen { read_time: indexed.time, index: Some((age, indexed.cursor.clone())) };
                ask(&indexed.index, seen)
            }
            // Never: once loaded it stays, newer or older.
            None => ask(&Index::new(SystemClock.now()), Seen::of_the_store(SystemClock.now())),
        }
    }
}
