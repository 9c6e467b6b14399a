//! The serving side of `WatchEvents`.

use std::sync::Arc;
use std::time::Duration;

use contracts::common::v1::Event;
use kernel::{Caller, Clock as _, Error, OperatorId, OperatorName, Scope, SystemClock, Violations};
use postgres::outbox::{self, Cursor, StoredEvent};
use postgres::{Db, outbox::NO_OPERATOR};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::FeedMessage;
use crate::{status, wire};

/// How long an event may lie unseen by a watcher in another process; in this one [`Feed::notify`] is quicker.
const LOOK_EVERY: Duration = Duration::from_millis(75);
/// Silence after which a heartbeat tells how far the watcher has come.
const HEARTBEAT: Duration = Duration::from_secs(1);
const BATCH: u32 = 256;
/// Messages that wait for a slow watcher.
const AHEAD: usize = 64;
const KINDS_MAX: usize = 50;

/// The stream that a `watch_events` handler answers with.
pub type EventStream<M> = ReceiverStream<Result<M, Status>>;

/// One service's outbox, as its `EventService` serves it.
#[derive(Clone)]
pub struct Feed {
    inner: Arc<Inner>,
}

struct Inner {
    /// What a request may see.
    db: Db,
    /// What another service may see for itself: everything.
    worker_db: Db,
    schema: &'static str,
    payload_type: fn(&str) -> &'static str,
    appended: Notify,
}

/// What one watcher asked for.
struct Watch {
    scope: Scope,
    /// Only this operator's events, where the scope is a tenant's.
    operator: Option<OperatorId>,
    kinds: Vec<String>,
    cursor: Option<Cursor>,
}

impl Feed {
    /// The feed of `schema` (also the service's name). `payload_type` gives the full name of the message that events
    /// of a kind carry, as `gridlease.leasing.v1.Lease`.
    pub fn new(db: Db, worker_db: Db, schema: &'static str, payload_type: fn(&str) -> &'static str) -> Self {
        let appended = Notify::new();
        Self { inner: Arc::new(Inner { db, worker_db, schema, payload_type, appended }) }
    }

    /// Wakes the watchers of this process; call it after a commit that appended.
    pub fn notify(&self) {
        self.inner.appended.notify_waiters();
    }

    /// Waits until something was appended in this process, or until an event of another one would have been seen.
    pub async fn appended(&self) {
        tokio::select! {
            () = self.inner.appended.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }

    /// Watches as `caller` may: `parent` is `operators/{operator}`, `operators/-` or empty. The door ends the stream
    /// when the token expires or the server stops.
    ///
    /// # Errors
    /// `INVALID_FIELD` of the parent, the cursor or the kinds; `RESOURCE_NOT_FOUND` of a foreign operator.
    pub async fn watch<M: FeedMessage>(
        &self,
        caller: &Caller,
        parent: &str,
        after_cursor: &str,
        kinds: Vec<String>,
    ) -> Result<EventStream<M>, Error> {
        let watch = Watch::new(caller, parent, after_cursor, kinds)?;
        // The first look is made here, so that a cursor of another epoch is a refusal and not a broken stream.
        let first = self.read(&watch).await?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let feed = self.clone();
        // A task of its own: a watcher that goes away drops no query half way.
        tokio::spawn(async move { feed.pump(watch, first, sender).await });
        Ok(ReceiverStream::new(receiver))
    }

    async fn read(&self, watch: &Watch) -> Result<outbox::Batch, Error> {
        let db = if watch.scope == Scope::Worker { &self.inner.worker_db } else { &self.inner.db };
        outbox::read_after(db, self.inner.schema, &watch.scope, watch.cursor, &watch.kinds, BATCH).await
    }

    async fn pump<M: FeedMessage>(
        &self,
        mut watch: Watch,
        mut batch: outbox::Batch,
        to: mpsc::Sender<Result<M, Status>>,
    ) {
        let mut spoken = Instant::now();
        loop {
            let full = batch.events.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
            for event in std::mem::take(&mut batch.events) {
                if watch.hides(&event) {
                    continue;
                }
                let cursor = event.cursor.to_string();
                let message = M::assemble(Some(self.to_wire(event)), cursor, now());
                if to.send(Ok(message)).await.is_err() {
                    return;
                }
                spoken = Instant::now();
            }
            watch.cursor = Some(batch.cursor);
            if spoken.elapsed() >= HEARTBEAT {
                let heartbeat = M::assemble(None, batch.cursor.to_string(), now());
                if to.send(Ok(heartbeat)).await.is_err() {
                    return;
                }
                spoken = Instant::now();
            }
            if !full {
                tokio::select! {
                    () = to.closed() => return,
                    () = self.inner.appended.notified() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
            batch = match self.read(&watch).await {
                Ok(batch) => batch,
                Err(error) => {
                    // Nobody listens any more where this fails.
                    let _ = to.send(Err(status(error))).await;
                    return;
                }
            };
        }
    }

    fn to_wire(&self, event: StoredEvent) -> Event {
        let operator = match event.operator.as_str() {
            NO_OPERATOR => String::new(),
            operator => format!("operators/{operator}"),
        };
        let type_url = format!("type.googleapis.com/{}", (self.inner.payload_type)(&event.kind));
        Event {
            id: event.event_id.to_string(),
            source: format!("gridlease/{}", self.inner.schema),
            r#type: event.kind,
            subject: event.subject,
            time: Some(wire::to_timestamp(event.occurred_at)),
            operator,
            tenant: event.tenant.map(|tenant| format!("tenants/{tenant}")).unwrap_or_default(),
            cursor: event.cursor.to_string(),
            data: Some(prost_types::Any { type_url, value: event.payload }),
        }
    }
}

impl Watch {
    fn new(caller: &Caller, parent: &str, after_cursor: &str, kinds: Vec<String>) -> Result<Self, Error> {
        let mut v = Violations::new();
        let all = parent.is_empty() || parent == "operators/-";
        let operator = if all { None } else { v.parse("parent", parent, str::parse::<OperatorName>) };
        let cursor = if after_cursor.is_empty() {
            None
        } else {
            let cursor = after_cursor.parse::<Cursor>();
            v.take("after_cursor", cursor.map_err(|_| "is not a cursor of this feed"))
        };
        let short = kinds.len() <= KINDS_MAX && kinds.iter().all(|kind| kind.len() <= 100);
        v.require("kinds", short, "must be at most 50 kinds of at most 100 characters");
        v.finish()?;
        let operator = operator.map(|name| name.operator);
        let scope = match &operator {
            Some(operator) => caller.scope_of_operator(operator)?,
            None => caller.scope(),
        };
        Ok(Self { scope, operator, kinds, cursor })
    }

    fn hides(&self, event: &StoredEvent) -> bool {
        self.operator.as_ref().is_some_and(|operator| operator.as_str() != event.operator)
    }
}

/// When a message leaves: real time, which tells a watcher how far behind it is.
pub(super) fn now() -> prost_types::Timestamp {
    wire::to_timestamp(SystemClock.now())
}
