//! Background work: feeds that are followed, jobs that come again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use kernel::{Clock as _, SystemClock};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FeedLabel {
    feed: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SweepLabel {
    sweep: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    sweep: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Default)]
pub(super) struct Meters {
    lag: Family<FeedLabel, Seconds>,
    events: Family<FeedLabel, Counter>,
    interruptions: Family<FeedLabel, Counter>,
    runs: Family<RunLabels, Counter>,
    success: Family<SweepLabel, Gauge>,
}

impl Meters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let meters = Self::default();
        let all = meters.clone();
        registry.register(
            "gridlease_feed_lag_seconds",
            "Time since the feed was last followed to its end",
            all.lag,
        );
        registry.register("gridlease_feed_events", "Events taken from the feed", all.events);
        registry.register(
            "gridlease_feed_interruptions",
            "Times that following the feed failed",
            all.interruptions,
        );
        registry.register("gridlease_sweep_runs", "Runs of a background job", all.runs);
        registry.register(
            "gridlease_sweep_success_timestamp_seconds",
            "When a background job last succeeded",
            all.success,
        );
        meters
    }

    pub(super) fn feed(&self, name: &'static str) -> FeedMeter {
        let label = FeedLabel { feed: name };
        FeedMeter(Arc::new(Feed {
            name,
            began: Instant::now(),
            level_ms: AtomicU64::new(0),
            lag: self.lag.get_or_create_owned(&label),
            events: self.events.get_or_create_owned(&label),
            interruptions: self.interruptions.get_or_create_owned(&label),
        }))
    }

    pub(super) fn sweep(&self, sweep: &'static str) -> SweepMeter {
        let success = self.success.get_or_create_owned(&SweepLabel { sweep });
        // A job that never succeeds is late from the beginning on.
        success.set(SystemClock.now().timestamp());
        let ran = |outcome| self.runs.get_or_create_owned(&RunLabels { sweep, outcome });
        SweepMeter { success, ok: ran("ok"), failed: ran("failed") }
    }
}

/// Says how far behind the follower of a feed is.
#[derive(Clone)]
pub struct FeedMeter(Arc<Feed>);

struct Feed {
    name: &'static str,
    began: Instant,
    /// When the follower last had everything, in milliseconds after it began.
    level_ms: AtomicU64,
    lag: Seconds,
    events: Counter,
    interruptions: Counter,
}

impl FeedMeter {
    /// The feed's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// An event was taken.
    pub fn took(&self) {
        self.0.events.inc();
    }

    /// The feed has nothing more to tell.
    pub fn level(&self) {
        let now = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.level_ms.store(now, Ordering::Relaxed);
    }

    /// Following failed and begins again.
    pub fn interrupted(&self) {
        self.0.interruptions.inc();
    }

    pub(super) fn tell(&self) {
        let level = std::time::Duration::from_millis(self.0.level_ms.load(Ordering::Relaxed));
        self.0.lag.set(self.0.began.elapsed().saturating_sub(level).as_secs_f64());
    }
}

/// Says how a background job fares.
#[derive(Clone)]
pub struct SweepMeter {
    success: Gauge,
    ok: Counter,
    failed: Counter,
}

impl SweepMeter {
    /// It ran.
    pub fn ran(&self, ok: bool) {
        if ok {
            self.ok.inc();
            self.success.set(SystemClock.now().timestamp());
        } else {
            self.failed.inc();
        }
    }
}
