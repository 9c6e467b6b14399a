//! The following side: a peer's feed, each event taken once in effect, for ever.

use std::time::Duration;

use contracts::common::v1::Event;
use futures::StreamExt as _;
use kernel::{Error, Reason};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use super::FeedMessage;
use crate::client::jitter;
use crate::metrics::FeedMeter;
use crate::peer_error;

/// A feed speaks every second; after this silence the connection is given up.
const SILENCE_MAX: Duration = Duration::from_secs(5);
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The stream of a generated client's `watch_events`.
pub type FeedStream<M> = Streaming<M>;

/// What follows a feed.
pub trait Consumer: Send + Sync {
    /// The message of the feed.
    type Message: FeedMessage;

    /// The cursor kept with the effects; `None` = from the beginning.
    fn cursor(&self) -> impl Future<Output = Result<Option<String>, Error>> + Send;

    /// Opens the feed after a cursor.
    fn open(
        &self,
        after: Option<String>,
    ) -> impl Future<Output = Result<FeedStream<Self::Message>, Error>> + Send;

    /// Takes an event (or, in a heartbeat, only the cursor): in one short transaction moves the kept cursor from
    /// `expected` to `next` and writes the effects. `false` = another replica was first; nothing was written.
    fn take(
        &self,
        event: Option<&Event>,
        expected: Option<&str>,
        next: &str,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Follows until `stop`: opens at the kept cursor, takes what comes, and after any failure begins again there, after
/// a pause that grows. An event that cannot be taken holds the feed up: it is tried again until it can. A peer that was
/// restored has a new feed and refuses the kept cursor: it is read from its beginning, and whoever follows knows what it
/// has heard.
pub async fn follow<C: Consumer>(feed: &FeedMeter, consumer: &C, stop: &CancellationToken) {
    let name = feed.name();
    let mut pause = PAUSE_FIRST;
    while !stop.is_cancelled() {
        let mut taken = 0_u64;
        match episode(feed, consumer, stop, &mut taken).await {
            Ok(()) => tracing::debug!(feed = name, taken, "feed ended"),
            Err(error) => {
                feed.interrupted();
                let cause = crate::explain(&error);
                tracing::warn!(feed = name, taken, reason = %error.reason(), cause, "feed interrupted");
            }
        }
        pause = if taken > 0 { PAUSE_FIRST } else { (pause * 2).min(PAUSE_MAX) };
        stop.run_until_cancelled(tokio::time::sleep(pause / 2 + jitter(pause / 2))).await;
    }
}

async fn open<C: Consumer>(
    name: &'static str,
    consumer: &C,
    after: Option<String>,
) -> Result<FeedStream<C::Message>, Error> {
    let goes_on = after.is_some();
    match consumer.open(after).await {
        Err(refusal) if goes_on && refusal.reason() == Reason::InvalidField => {
            tracing::warn!(feed = name, %refusal, "the feed has begun anew; reading it from its beginning");
            consumer.open(None).await
        }
        opened => opened,
    }
}

/// From opening the feed to the first thing that goes wrong. `stop` ends it between events, never inside one.
async fn episode<C: Consumer>(
    feed: &FeedMeter,
    consumer: &C,
    stop: &CancellationToken,
    taken: &mut u64,
) -> Result<(), Error> {
    let mut kept = consumer.cursor().await?;
    let opening = open(feed.name(), consumer, kept.clone());
    let Some(opened) = stop.run_until_cancelled(opening).await else { return Ok(()) };
    let mut stream = opened?;
    loop {
        let next = tokio::time::timeout(SILENCE_MAX, stream.next());
        let message = match stop.run_until_cancelled(next).await {
            None | Some(Ok(None)) => return Ok(()),
            Some(Err(_)) => return Err(Error::internal("the feed is silent")),
            Some(Ok(Some(message))) => message.map_err(|status| peer_error("the feed", status))?,
        };
        let (event, cursor) = message.disassemble();
        let heartbeat = event.is_none();
        if kept.as_deref() == Some(cursor.as_str()) {
            feed.level();
            continue;
        }
        if !consumer.take(event.as_ref(), kept.as_deref(), &cursor).await? {
            return Ok(());
        }
        if heartbeat {
            feed.level();
        } else {
            feed.took();
        }
        *taken += 1;
        kept = Some(cursor);
    }
}

#[cfg(test)]
mod tests;
