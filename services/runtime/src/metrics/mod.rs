//! What a service counts about itself, in the text form of Prometheus.
//!
//! Every label value is from a closed set: names of RPCs, codes, reasons, names written in our sources. Nothing that a
//! caller sends becomes a label, so the number of series is bounded by the program, not by its callers.

mod admin;
mod process;
mod rpc;
mod work;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use postgres::{Db, TransactionMeters};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

pub use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::metrics::gauge::Gauge;

pub(crate) use self::admin::Admin;
pub(crate) use self::rpc::RpcMeters;
pub use self::work::{FeedMeter, SweepMeter};

/// What is asked for right before every answer.
type Refresh = Box<dyn Fn() + Send + Sync>;

/// The metrics of one service. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    refresh: Mutex<Vec<Refresh>>,
    ready: AtomicBool,
    rpc: RpcMeters,
    transactions: TransactionMeters,
    pools: Pools,
    work: work::Meters,
    skew: Gauge<f64, std::sync::atomic::AtomicU64>,
}

#[derive(Clone, Default)]
struct Pools {
    connections: Family<PoolState, Gauge>,
    limit: Family<Pool, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolState {
    pool: &'static str,
    state: &'static str,
}

impl Metrics {
    /// Metrics of the service `service`, with those that every service has.
    pub fn new(service: &str) -> Self {
        let mut registry = Registry::default();
        let version =
            vec![("service", service.to_owned()), ("version", env!("CARGO_PKG_VERSION").to_owned())];
        registry.register("gridlease_build", "What runs here", Info::new(version));
        let inner = Inner {
            rpc: RpcMeters::new(&mut registry),
            transactions: TransactionMeters::default(),
            pools: Pools::default(),
            work: work::Meters::new(&mut registry),
            skew: Gauge::default(),
            ready: AtomicBool::new(false),
            refresh: Mutex::default(),
            registry: Mutex::default(),
        };
        let transactions = inner.transactions.clone();
        registry.register(
            "gridlease_transaction_seconds",
            "Time of a transaction, its tries together",
            transactions.seconds,
        );
        registry.register("gridlease_transaction_retries", "Transactions tried again", transactions.retries);
        registry.register(
            "gridlease_pool_connections",
            "Connections to Postgres",
            inner.pools.connections.clone(),
        );
        registry.register(
            "gridlease_pool_limit",
            "Connections to Postgres there may be",
            inner.pools.limit.clone(),
        );
        registry.register(
            "gridlease_clock_skew_seconds",
            "How far this clock and that of Postgres differ",
            inner.skew.clone(),
        );
        let ready = Gauge::<i64>::default();
        registry.register("gridlease_ready", "1 while requests are welcome", ready.clone());
        process::register(&mut registry, &mut inner.refresh.lock().unwrap_or_else(PoisonError::into_inner));
        *inner.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        let metrics = Self(Arc::new(inner));
        let own = Arc::downgrade(&metrics.0);
        metrics.before_each_answer(move || {
            ready.set(i64::from(own.upgrade().is_some_and(|inner| inner.ready.load(Ordering::Relaxed))));
        });
        metrics
    }

    /// Adds a metric of a service's own: what it is called, what it says, and where it is counted.
    pub fn register(&self, name: &'static str, help: &'static str, metric: impl Metric) {
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// A number of a service's own that only grows; it is shown with `_total` behind its name.
    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        let counter = Counter::default();
        self.register(name, help, counter.clone());
        counter
    }

    /// The same, one for each value of a label: all there are, known beforehand.
    pub fn counters<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: [&'static str; N],
    ) -> [Counter; N] {
        let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
        self.register(name, help, family.clone());
        values.map(|value| family.get_or_create_owned(&[(label, value)]))
    }

    /// A number of a service's own that goes up and down.
    pub fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        let gauge = Gauge::default();
        self.register(name, help, gauge.clone());
        gauge
    }

    /// Runs `refresh` before every answer: for what is looked at, not counted.
    pub fn before_each_answer(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.0.refresh.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(refresh));
    }

    /// The follower of the feed `name`.
    pub fn feed(&self, name: &'static str) -> FeedMeter {
        let feed = self.0.work.feed(name);
        let told = feed.clone();
        self.before_each_answer(move || told.tell());
        feed
    }

    /// The background job `name`.
    pub fn sweep(&self, name: &'static str) -> SweepMeter {
        self.0.work.sweep(name)
    }

    /// Tells how much of a pool is in use.
    pub fn watch_pool(&self, pool: &'static str, db: &Db) {
        let (pools, db) = (self.0.pools.clone(), db.clone());
        self.before_each_answer(move || {
            let now = db.pool_use();
            pools.connections.get_or_create(&PoolState { pool, state: "used" }).set(i64::from(now.used));
            pools.connections.get_or_create(&PoolState { pool, state: "idle" }).set(i64::from(now.idle));
            pools.limit.get_or_create(&Pool { pool }).set(i64::from(now.limit));
        });
    }

    /// Where transactions are counted.
    pub fn transactions(&self) -> TransactionMeters {
        self.0.transactions.clone()
    }

    pub(crate) fn rpc(&self) -> RpcMeters {
        self.0.rpc.clone()
    }

    pub(crate) fn set_skew(&self, seconds: f64) {
        self.0.skew.set(seconds);
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Relaxed);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Relaxed)
    }

    /// Everything, as Prometheus reads it.
    pub fn text(&self) -> String {
        for refresh in self.0.refresh.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            refresh();
        }
        let mut text = String::new();
        let registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests;
