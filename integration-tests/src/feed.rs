//! Hearing a feed without missing what shows late.
//!
//! A feed tells nothing of a transaction while an older one runs anywhere on its server, and on the tests' server others
//! run. So a heartbeat may come before what was committed just now: it is no end by itself.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use contracts::common::v1::Event;
use kernel::Scope;
use postgres::outbox::{self, Cursor};
use runtime::feed::FeedMessage;
use tonic::Streaming;

use crate::TestDatabase;

/// How long the oldest transaction of another test may take.
const SHOWS_WITHIN: Duration = Duration::from_secs(60);

/// The next event, whatever heartbeats come before it.
pub async fn next<M: FeedMessage>(feed: &mut Streaming<M>) -> Result<Event> {
    let event = async {
        loop {
            if let (Some(event), _) = hear(feed).await? {
                return Ok(event);
            }
        }
    };
    tokio::time::timeout(SHOWS_WITHIN, event).await.context("no event")?
}

/// Every event from where the feed is up to everything that was committed when this was called.
pub async fn up_to_now<M: FeedMessage>(
    database: &TestDatabase,
    feed: &mut Streaming<M>,
) -> Result<Vec<Event>> {
    let db = database.db("inventory").await?;
    let now = outbox::read_after(&db, "inventory", &Scope::Market, None, &[], 1).await?.frontier;
    let events = async {
        let mut events = Vec::new();
        loop {
            match hear(feed).await? {
                (Some(event), _) => events.push(event),
                (None, cursor) if now.is_reached_by(&cursor) => return Ok(events),
                (None, _) => {}
            }
        }
    };
    tokio::time::timeout(SHOWS_WITHIN, events).await.context("the feed does not come up to now")?
}

async fn hear<M: FeedMessage>(feed: &mut Streaming<M>) -> Result<(Option<Event>, Cursor)> {
    let Some(message) = feed.message().await? else { bail!("the feed ended") };
    let (event, cursor) = message.disassemble();
    Ok((event, cursor.parse()?))
}
