//! Health: liveness is that the server answers; readiness follows what it needs (the database).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::metrics::Metrics;

/// How often the checks are asked, and how long one may take: a lost database shows within two seconds.
const EVERY: Duration = Duration::from_millis(800);
const AT_MOST: Duration = Duration::from_millis(800);

/// The health name of liveness: serving as long as the process answers.
pub(super) const LIVENESS: &str = "liveness";

/// A readiness check: whether what it looks at is there.
pub type Ready = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Keeps the health service up to date.
pub(super) struct Watcher {
    reporter: HealthReporter,
    services: Vec<&'static str>,
    checks: Vec<Ready>,
    metrics: Metrics,
}

impl Watcher {
    pub(super) fn new(
        reporter: HealthReporter,
        services: Vec<&'static str>,
        checks: Vec<Ready>,
        metrics: Metrics,
    ) -> Self {
        Self { reporter, services, checks, metrics }
    }

    /// Looks now and again until `stop`.
    pub(super) async fn watch(&self, stop: &CancellationToken) {
        let mut was = true;
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let is = self.look().await;
            if is != was {
                tracing::warn!(ready = is, "readiness changed");
            }
            was = is;
        }
    }

    /// Looks once.
    pub(super) async fn look(&self) -> bool {
        let mut ready = true;
        for check in &self.checks {
            // A task of its own: giving up on the answer drops no query half way.
            let answer = tokio::time::timeout(AT_MOST, tokio::spawn(check())).await;
            ready &= matches!(answer, Ok(Ok(true)));
        }
        self.report(ready).await;
        ready
    }

    /// Says for good that no new work should come.
    pub(super) async fn not_serving(&self) {
        self.report(false).await;
    }

    async fn report(&self, ready: bool) {
        self.metrics.set_ready(ready);
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
        for service in std::iter::once(&"").chain(&self.services) {
            self.reporter.set_service_status(*service, status).await;
        }
    }
}
