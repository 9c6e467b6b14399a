//! The sweeper: only a broom. A hold that has run out is gone for everybody whether it was here or not.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kernel::{Error, OperatorId, ReservationId};
use runtime::metrics::{Counter, SweepMeter};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::store::jobs;

/// Holds looked at in one sweep.
const BATCH: i64 = 500;

/// What the sweeper counts.
pub struct Swept {
    /// How it fares.
    pub job: SweepMeter,
    /// Holds that it wrote off.
    pub expired: Counter,
}

impl App {
    /// Sweeps until told to stop.
    pub async fn sweep(&self, every: Duration, meters: &Swept, stop: &CancellationToken) {
        let mut seen = HashMap::new();
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            if let Err(error) = self.ease_shortfalls(&mut seen).await {
                tracing::warn!(%error, "what is short could not be looked at again");
            }
            let swept = self.sweep_once().await;
            meters.job.ran(swept.is_ok());
            match swept {
                Ok(0) => {}
                Ok(expired) => {
                    meters.expired.inc_by(expired);
                    tracing::debug!(expired, "holds ran out");
                    self.feed.notify();
                }
                Err(error) => tracing::warn!(%error, "the sweeper could not work"),
            }
        }
    }

    /// Writes off holds whose time has run out; says how many.
    ///
    /// # Errors
    /// What keeps the store from answering.
    pub async fn sweep_once(&self) -> Result<u64, Error> {
        let mut lapsed: BTreeMap<OperatorId, Vec<ReservationId>> = BTreeMap::new();
        for (operator, reservation) in jobs::lapsed_holds(&self.worker_db, BATCH).await? {
            lapsed.entry(operator).or_default().push(reservation);
        }
        let mut expired = 0;
        for (operator, reservations) in lapsed {
            expired += self.expirer.expire(&operator, &reservations).await?;
        }
        Ok(expired)
    }
}
