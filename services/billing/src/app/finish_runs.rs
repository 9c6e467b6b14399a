//! Finishes runs that are too large for one transaction, a chunk a transaction. Every replica does, as many at once as it
//! has hands; who dies leaves its chunk to the others.

use std::time::Duration;

use kernel::{BillingRunName, Error, Instant, Scope};
use postgres::Tx;
use runtime::failpoint;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{App, kind};
use crate::domain::run::{RunHead, RunState};
use crate::store::{invoice, run, run_chunk};

/// Leases of a chunk, of which half as many drafts are issued at a time: so many that its writes are a few statements, so few
/// that it lasts less than a second.
pub const CHUNK: usize = 500;
/// Chunks that a replica has in hand at once.
pub const HANDS: u32 = 2;
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

    /// Wakes every hand of this replica that is idle.
    pub(super) fn rouse(&self) {
        for _ in 0..HANDS {
            self.more.notify_one();
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
            self.rouse();
        }
        Ok(worked)
    }

    /// Half a chunk: numbers are drawn one hand after the other, and while one does, another makes the next half ready.
    fn drafts_at_once(&self) -> usize {
        self.chunk.div_ceil(2)
    }

    /// One chunk of a run; `false` when others have all that is left in hand.
    async fn finish_chunk(&self, name: &BillingRunName) -> Result<bool, Error> {
        let scope = &Scope::Operator(name.operator.clone());
        let now = self.now();
        let worked = self
            .runs_db
            .in_tx("finish_run", scope, |tx| async move {
                let Some(seen) = run::look(tx.conn(), &name.operator, name.run).await? else {
                    return Ok((tx, false));
                };
                let (operator, run) = (&name.operator, name.run);
                let worked = match seen.state {
                    RunState::Computing => match run_chunk::take(tx.conn(), operator, run).await? {
                        Some(chunk) => {
                            self.compute_chunk(&tx, scope, &seen, &chunk, now).await?;
                            true
                        }
                        None => false,
                    },
                    RunState::Issuing => {
                        let drafts =
                            invoice::take_drafts(tx.conn(), operator, run, self.drafts_at_once()).await?;
                        let worked = !drafts.is_empty();
                        self.issue(&tx, operator, drafts, now).await?;
                        worked
                    }
                    RunState::Draft | RunState::Issued => false,
                };
                // Who does the last piece closes the run with it, unless others have a piece in hand: then whoever looks next.
                let closed = is_whole(&tx, &seen).await? && self.close_if_whole(&tx, name, now).await?;
                let worked = worked || closed;
                failpoint("billing.chunk.before_commit")?;
                Ok((tx, worked))
            })
            .await?;
        failpoint("billing.chunk.after_commit")?;
        Ok(worked)
    }

    /// Moves a run on of which nobody finds another piece: once what others have in hand is written, and by one of them. Who
    /// has invoices locked does not wait for the run, which is locked before them elsewhere.
    async fn close_if_whole(&self, tx: &Tx, name: &BillingRunName, now: Instant) -> Result<bool, Error> {
        let (operator, id) = (&name.operator, name.run);
        let Some(run) = run::lock_if_free(tx.conn(), operator, id).await? else { return Ok(false) };
        if !is_whole(tx, &run).await? {
            return Ok(false);
        }
        if run.state == RunState::Computing {
            run::put(tx.conn(), &run.computed()?).await?;
            let run = self.tell_run(tx, kind::RUN_COMPUTED, name, now).await?;
            info!(run = %name, invoices = run.invoice_count, "billing run computed");
        } else {
            self.issued_some(tx, run, false, now).await?;
        }
        Ok(true)
    }
}

/// Whether a run is under way and nothing of it is left to do, as far as this transaction sees.
async fn is_whole(tx: &Tx, run: &RunHead) -> Result<bool, Error> {
    let left = match run.state {
        RunState::Computing => run_chunk::is_left(tx.conn(), &run.operator, run.id).await?,
        RunState::Issuing => run::has_draft(tx.conn(), &run.operator, run.id).await?,
        RunState::Draft | RunState::Issued => true,
    };
    Ok(!left)
}
