//! Finishes runs that are too large for one transaction, a chunk a transaction. Every replica does, as many at once as it
//! has hands; who dies leaves its chunk to the others.

use std::time::Duration;

use kernel::{BillingRunName, Error, Scope};
use runtime::failpoint;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{App, kind};
use crate::domain::run::RunState;
use crate::store::{run, run_chunk};

/// Leases or drafts of a chunk: so many that its writes are a few statements, so few that it lasts less than a second.
pub const CHUNK: usize = 2_000;
/// Chunks that a replica has in hand at once.
pub const HANDS: usize = 2;
/// How often a replica that is idle looks whether another has left something.
const PAUSE: Duration = Duration::from_secs(1);
/// Runs looked at in one go: more wait.
const RUNS: i64 = 100;

impl App {
    /// Works on runs until `stop`.
    pub async fn finish_runs(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let worked = self.finish_some().await.unwrap_or_else(|problem| {
                warn!(%problem, "runs could not be looked for");
                false
            });
            if !worked {
                let something = async {
                    tokio::select! {
                        () = self.more.notified() => {}
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                };
                stop.run_until_cancelled(something).await;
            }
        }
    }

    /// One chunk of each run that is not whole; `false` when there was nothing to do. A run that fails stops no other.
    pub async fn finish_some(&self) -> Result<bool, Error> {
        let runs = self
            .worker_db
            .read("unfinished_runs", &Scope::Worker, |tx| async move {
                let runs = run_chunk::unfinished(tx.conn(), RUNS).await?;
                Ok((tx, runs))
            })
            .await?;
        let mut worked = false;
        for name in runs {
            match self.finish_chunk(&name).await {
                Ok(done) => worked |= done,
                Err(problem) => warn!(run = %name, %problem, "a chunk of a run failed: it is tried again"),
            }
        }
        if worked {
            self.feed.notify();
        }
        Ok(worked)
    }

    /// One chunk of a run; `false` when others have all that is left in hand.
    async fn finish_chunk(&self, name: &BillingRunName) -> Result<bool, Error> {
        let scope = &Scope::Operator(name.operator.clone());
        let now = self.now();
        let worked = self
            .db
            .in_tx("finish_run", scope, |tx| async move {
                let Some(seen) = run::look(tx.conn(), &name.operator, name.run).await? else {
                    return Ok((tx, false));
                };
                match seen.state {
                    RunState::Computing => {
                        if let Some(chunk) = run_chunk::take(tx.conn(), &name.operator, name.run).await? {
                            self.compute_chunk(&tx, scope, &seen, &chunk, now).await?;
                            failpoint("billing.chunk.before_commit")?;
                            return Ok((tx, true));
                        }
                        let Some(run) = run::lock_if_free(tx.conn(), &name.operator, name.run).await? else {
                            return Ok((tx, false));
                        };
                        let left = run_chunk::is_left(tx.conn(), &name.operator, name.run).await?;
                        if left || run.state != seen.state {
                            return Ok((tx, false));
                        }
                        run::put(tx.conn(), &run.computed()?).await?;
                        let run = self.tell_run(&tx, kind::RUN_COMPUTED, name, now).await?;
                        info!(run = %name, invoices = run.invoice_count, "billing run computed");
                    }
                    RunState::Issuing => {
                        let Some(run) = run::lock_if_free(tx.conn(), &name.operator, name.run).await? else {
                            return Ok((tx, false));
                        };
                        if run.state != seen.state {
                            return Ok((tx, false));
                        }
                        self.issue_chunk(&tx, run, now).await?;
                        failpoint("billing.chunk.before_commit")?;
                    }
                    RunState::Draft | RunState::Issued => return Ok((tx, false)),
                }
                Ok((tx, true))
            })
            .await?;
        failpoint("billing.chunk.after_commit")?;
        Ok(worked)
    }
}
