//! Follows leasing's feed for ever, each event once in effect, however many replicas follow.

use std::sync::Arc;

use kernel::{Error, Scope};
use postgres::outbox;
use runtime::feed::{Consumer, FeedStream};

use super::App;
use crate::peers::{FeedMessage, Leasing, WireEvent, lease_event};
use crate::store::{SCHEMA, feed};

/// The consumer of leasing's feed.
pub struct LeasingFollower {
    app: Arc<App>,
    leasing: Leasing,
}

impl LeasingFollower {
    /// Follows `leasing` into `app`'s store.
    #[must_use]
    pub fn new(app: Arc<App>, leasing: Leasing) -> Self {
        Self { app, leasing }
    }
}

impl Consumer for LeasingFollower {
    type Message = FeedMessage;

    async fn cursor(&self) -> Result<Option<String>, Error> {
        self.app
            .worker_db
            .read("leasing_cursor", &Scope::Worker, |tx| async move {
                let cursor = outbox::consumer_cursor(tx.conn(), SCHEMA, feed::LEASING).await?;
                Ok((tx, cursor))
            })
            .await
    }

    async fn open(&self, after: Option<String>) -> Result<FeedStream<FeedMessage>, Error> {
        self.leasing.watch(after).await
    }

    async fn take(
        &self,
        event: Option<&WireEvent>,
        expected: Option<&str>,
        next: &str,
    ) -> Result<bool, Error> {
        let event = event.and_then(lease_event);
        self.app.apply_lease_event(event.as_ref(), expected, next).await
    }
}
