//! The auditor's job: asks the independent sweep whether any block ever promises more than it has.

use std::time::Duration;

use runtime::metrics::{Gauge, SweepMeter};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::store::jobs;

/// Blocks at a time: so many that a look is worth its statement, so few that it takes less than a second.
const AT_A_TIME: i64 = 50;

/// What the auditor counts.
pub struct Audited {
    /// How it fares.
    pub job: SweepMeter,
    /// Instants at which more is promised than there is.
    pub findings: Gauge,
}

impl App {
    /// Audits until told to stop. What it finds is an error in the log and the metric `gridlease_audit_findings`.
    pub async fn audit(&self, every: Duration, meters: &Audited, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            let audited = jobs::oversold(&self.worker_db, AT_A_TIME).await;
            meters.job.ran(audited.is_ok());
            match audited {
                Ok(found) => {
                    for at in &found {
                        tracing::error!(
                            operator = at.operator,
                            block = %at.block,
                            resource = at.resource,
                            at = %at.at,
                            used_kw = at.used_kw,
                            capacity_kw = at.capacity_kw,
                            "more is promised than there is"
                        );
                    }
                    meters.findings.set(i64::try_from(found.len()).unwrap_or(i64::MAX));
                    tracing::debug!(findings = found.len(), "audited");
                }
                Err(error) => tracing::warn!(%error, "the auditor could not work"),
            }
        }
    }
}
