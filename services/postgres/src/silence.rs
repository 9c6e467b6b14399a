//! A server that is gone without a word. Where a machine dies or a network drops what it carries, nobody resets the
//! connections: a statement that was sent is waited for until the system gives up, which may be never.
//!
//! What takes no time tells: a connection that does not answer it within a few moments is silent, and so, it seems, are all
//! that were open then. Each of them gets one moment more when it is used or comes back, and what was begun before is waited
//! for as long as one statement may take, no longer. A statement that is slow, or a commit that waits for its standby, is no
//! sign.
//!
//! The notice is the whole process's, since its connections lead to one server. A wrong one costs new connections.

use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use kernel::Error;
use tokio::sync::watch;
use tokio::time::Instant;

/// How many moments are waited for an answer that takes no time. Several, since a process that was stopped in one of them
/// has not listened.
pub(crate) const MOMENTS: u32 = 3;
/// How long is waited for what was begun before the silence was noticed: a statement's time.
const GRACE: Duration = Duration::from_secs(5);
/// How long after a silence somebody may still hold a connection from before it.
const HELD_AT_MOST: Duration = Duration::from_secs(600);

/// A silence that was noticed.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// When the question was asked that nobody answered: what was opened before is silent.
    asked: Instant,
    noticed: Instant,
}

static LAST: LazyLock<watch::Sender<Option<Silence>>> = LazyLock::new(|| watch::Sender::new(None));

/// Waits for the answer to something that takes the server no time, some moments long; then the server is silent.
pub(crate) async fn prompt<T>(
    moment: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let (asked, mut answer) = (Instant::now(), std::pin::pin!(answer));
    for _ in 0..MOMENTS {
        if let Ok(answered) = tokio::time::timeout(moment, &mut answer).await {
            return answered;
        }
    }
    tracing::warn!("the store does not answer");
    LAST.send_replace(Some(Silence { asked, noticed: Instant::now() }));
    Err(is_silent())
}

/// Which silence somebody has taken note of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked(Arc<Mutex<Option<Instant>>>);

impl Looked {
    /// Whether there was one since, of which note is taken.
    pub(crate) fn is_due(&self) -> bool {
        let Some(Silence { noticed, .. }) = *LAST.borrow() else { return false };
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looked.replace(noticed) != Some(noticed)
    }
}

/// Whether a connection of this age was open before the last silence.
pub(crate) fn covers(age: Duration) -> bool {
    (*LAST.borrow()).is_some_and(|silence| silence.asked.elapsed() < age)
}

/// Waits until there is a silence that began after a connection was opened which now has this age.
pub(crate) async fn of(age: Duration) {
    let mut last = LAST.subscribe();
    let now = Instant::now();
    let opened = now.checked_sub(age).unwrap_or(now);
    // The sender lives as long as the process.
    let _ = last.wait_for(|last| last.is_some_and(|silence| opened < silence.asked)).await;
}

/// Waits until nobody should wait any longer for what was begun now on a connection that answered just before.
pub(crate) async fn outwaited() {
    let begun = Instant::now();
    given_up(begun, Some(begun)).await;
}

/// Does a statement on a connection that is held between statements and may be older than a silence; gives it up where the
/// server has gone silent.
///
/// # Errors
/// What the statement fails with, or an I/O error that says so: then nobody knows what became of it.
pub async fn heard<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let begun = Instant::now();
    tokio::select! {
        biased;
        answered = statement => answered,
        () = given_up(begun, begun.checked_sub(HELD_AT_MOST)) => Err(is_silent()),
    }
}

/// Waits for a silence that was noticed after `since`, and then as long as is due to what was begun at `begun`.
async fn given_up(begun: Instant, since: Option<Instant>) {
    let mut last = LAST.subscribe();
    let later = |last: &Option<Silence>| {
        last.is_some_and(|silence| since.is_none_or(|since| silence.noticed > since))
    };
    let found = last.wait_for(later).await.map(|silence| silence.map_or(begun, |silence| silence.noticed));
    match found {
        Ok(noticed) => tokio::time::sleep_until(noticed.max(begun) + GRACE).await,
        Err(_) => std::future::pending().await,
    }
}

/// What a transaction ends with that was given up.
pub(crate) fn given_up_as(committing: bool) -> Error {
    if committing { Error::outcome_unknown(is_silent()) } else { Error::store_unavailable(is_silent()) }
}

/// Whether it is silence that a statement failed with.
pub(crate) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

fn is_silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"))
}
