//! The auditor's job: asks the independent sweep whether any block ever promises more than it has.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::App;
use crate::store::jobs;

impl App {
    /// Audits until told to stop. What it finds is an error in the log and the metric `inventory.oversold_instants`.
    pub async fn audit(&self, every: Duration, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            match jobs::oversold(&self.worker_db).await {
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
                    tracing::debug!(metric = "inventory.oversold_instants", value = found.len(), "audited");
                }
                Err(error) => tracing::warn!(%error, "the auditor could not work"),
            }
        }
    }
}
