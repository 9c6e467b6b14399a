//! What transactions and pools come to, counted here and told by whoever owns the registry.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds in seconds: from a statement on a warm cache to the longest statement allowed.
const BUCKETS: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The labels of a transaction; the name is written in our sources and the outcome is one of two, so there are as many
/// series as transactions in the sources, whatever callers send.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TransactionLabels {
    /// The name given to [`crate::Db::in_tx`] or [`crate::Db::read`].
    pub name: &'static str,
    /// `committed` or `rolled_back`.
    pub outcome: &'static str,
}

/// The label of a transaction that is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TransactionName {
    /// The name given to [`crate::Db::in_tx`] or [`crate::Db::read`].
    pub name: &'static str,
}

/// The transactions of one service, whichever pool they ran on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TransactionMeters {
    /// How long each took, with its tries.
    pub seconds: Family<TransactionLabels, Histogram, fn() -> Histogram>,
    /// How often one was tried again.
    pub retries: Family<TransactionName, Counter>,
}

impl Default for TransactionMeters {
    fn default() -> Self {
        Self { seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)), retries: Family::default() }
    }
}

impl TransactionMeters {
    pub(crate) fn ended(&self, name: &'static str, tries: u32, elapsed: Duration, ok: bool) {
        let outcome = if ok { "committed" } else { "rolled_back" };
        self.seconds.get_or_create(&TransactionLabels { name, outcome }).observe(elapsed.as_secs_f64());
        self.retries.get_or_create(&TransactionName { name }).inc_by(u64::from(tries.saturating_sub(1)));
    }
}

/// A pool as it is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections that a transaction has.
    pub used: u32,
    /// Connections that wait for one.
    pub idle: u32,
    /// Connections it may have.
    pub limit: u32,
}
