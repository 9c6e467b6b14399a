//! Denials on their way into the trail: told by the door without waiting, written a moment later, never so many that
//! the store would feel it. Of each caller, and of all together, so many a second are written; of the others it is told
//! how many there were.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use kernel::{Caller, Organisation, Scope, Uuid};
use postgres::Db;
use postgres::audit::{self, Actor, Deed, Denial, Outcome};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::explain;
use crate::metrics::Counter;

/// Denials of one caller that are written: a second, and at once.
const OF_ONE: (u32, u32) = (5, 50);
/// Of all together.
const OF_ALL: (u32, u32) = (50, 200);
/// Denials that wait to be written.
const WAITING_MAX: usize = 512;
/// Callers that are remembered at most; beyond, those that have been quiet are forgotten.
const CALLERS_MAX: usize = 16_384;
/// Pause between two transactions that write.
const EVERY: Duration = Duration::from_millis(200);
/// How long a denial waits for a store that does not answer, before it counts as unwritten.
const TRIES: u32 = 20;

/// Who was denied, as far as the door knows.
#[derive(Clone, Debug)]
pub(crate) enum Stranger {
    /// A good token, or one that was good.
    Known(Box<Caller>),
    /// Nobody we believe.
    Unknown,
}

/// A denial as the door saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) who: Stranger,
    pub(crate) address: Option<IpAddr>,
    pub(crate) rpc: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) reason: String,
}

/// The way to the trail.
#[derive(Clone)]
pub(crate) struct Denials {
    inner: Arc<Inner>,
}

struct Inner {
    of_one: DefaultKeyedRateLimiter<(Option<Organisation>, Option<IpAddr>)>,
    of_all: DefaultDirectRateLimiter,
    unwritten: AtomicU64,
    told: Counter,
    sender: mpsc::Sender<Denial>,
    receiver: Mutex<mpsc::Receiver<Denial>>,
}

fn quota((per_s, at_once): (u32, u32)) -> Quota {
    let number = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(number(per_s)).allow_burst(number(at_once))
}

impl Default for Denials {
    fn default() -> Self {
        Self::new(Counter::default())
    }
}

impl Denials {
    /// `told` counts those that are not written one by one.
    pub(crate) fn new(told: Counter) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let inner = Inner {
            of_one: RateLimiter::keyed(quota(OF_ONE)),
            of_all: RateLimiter::direct(quota(OF_ALL)),
            unwritten: AtomicU64::new(0),
            told,
            sender,
            receiver: Mutex::new(receiver),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether this one may be written; else it is counted.
    pub(crate) fn admit(&self, seen: &Seen) -> bool {
        let inner = &*self.inner;
        if inner.of_one.len() > CALLERS_MAX {
            inner.of_one.retain_recent();
        }
        let key = match &seen.who {
            Stranger::Known(caller) => (Some(caller.organisation.clone()), None),
            Stranger::Unknown => (None, seen.address),
        };
        let admitted = inner.of_one.check_key(&key).is_ok() && inner.of_all.check().is_ok();
        if !admitted {
            self.miss(1);
        }
        admitted
    }

    /// Puts an admitted denial among those to be written.
    pub(crate) fn tell(&self, seen: Seen, target: Option<String>, request_id: Option<Uuid>) {
        let (owner, actor, on_behalf_of) = match &seen.who {
            Stranger::Known(caller) => {
                let behalf = caller.on_behalf_of.as_ref().map(ToString::to_string);
                (caller.effective_organisation().clone(), Actor::of(caller), behalf)
            }
            Stranger::Unknown => (Organisation::Platform, Actor::default(), None),
        };
        let deed = Deed {
            outcome: seen.outcome,
            actor,
            on_behalf_of,
            rpc: seen.rpc.to_owned(),
            request_id,
            reason: Some(seen.reason),
            address: seen.address,
            unwritten: 0,
        };
        let denial = Denial { owner, target: target.unwrap_or_default(), deed };
        if self.inner.sender.try_send(denial).is_err() {
            self.miss(1);
        }
    }

    fn miss(&self, denials: u64) {
        self.inner.unwritten.fetch_add(denials, Ordering::Relaxed);
        self.inner.told.inc_by(denials);
    }

    /// Writes what was told, until `stop`, and then what waits.
    pub(super) async fn write(&self, worker_db: &Db, schema: &str, stop: &CancellationToken) {
        let mut receiver = self.inner.receiver.lock().await;
        let mut batch = Vec::new();
        loop {
            let more = stop.run_until_cancelled(receiver.recv_many(&mut batch, WAITING_MAX)).await;
            if more.is_none() {
                // What came before the end is written; each takes no longer than a transaction may.
                while let Ok(denial) = receiver.try_recv() {
                    batch.push(denial);
                }
            }
            if !batch.is_empty() {
                self.write_batch(worker_db, schema, &mut batch, stop).await;
            }
            if more.is_none_or(|count| count == 0) {
                return;
            }
            stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
        }
    }

    async fn write_batch(
        &self,
        worker_db: &Db,
        schema: &str,
        batch: &mut Vec<Denial>,
        stop: &CancellationToken,
    ) {
        if let Some(first) = batch.first_mut() {
            first.deed.unwritten = self.inner.unwritten.swap(0, Ordering::Relaxed);
        }
        for tried in 1..=TRIES {
            let denials = &*batch;
            let written = worker_db
                .in_tx("write_denials", &Scope::Worker, |tx| async move {
                    audit::write_denials(&tx, schema, denials).await?;
                    Ok((tx, ()))
                })
                .await;
            match written {
                Ok(()) => {
                    batch.clear();
                    return;
                }
                Err(error) => {
                    tracing::warn!(
                        tried,
                        cause = explain(&error),
                        "denials were not written to the audit trail"
                    );
                }
            }
            if stop.is_cancelled() {
                break;
            }
            stop.run_until_cancelled(tokio::time::sleep(EVERY * tried)).await;
        }
        let unwritten = batch.first().map_or(0, |first| first.deed.unwritten);
        self.inner.unwritten.fetch_add(unwritten, Ordering::Relaxed);
        self.miss(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        batch.clear();
    }
}
