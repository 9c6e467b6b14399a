//! Time moves leases on: conditions run out, blocks commence and end, defaults are not cured, terminations take effect.

use kernel::{Error, Instant, LeaseName};

use super::App;
use crate::store;

const BATCH: u32 = 64;

impl App {
    /// Does what has fallen due in business time.
    pub(crate) async fn pass_time(&self) -> Result<(), Error> {
        let now = self.now();
        let hands = self.worker();
        loop {
            let due = hands
                .db
                .read("find_due_leases", hands.scope, |tx| async move {
                    let due = store::due_leases(tx.conn(), now, BATCH).await?;
                    Ok((tx, due))
                })
                .await?;
            for name in &due {
                self.pass_for(name, now).await?;
            }
            if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Each thing that is due with its own event, the earliest first.
    async fn pass_for(&self, name: &LeaseName, now: Instant) -> Result<(), Error> {
        let hands = self.worker();
        hands
            .db
            .in_tx("pass_time", hands.scope, |tx| async move {
                // Behind the lock the dates are looked at again: another replica may have been here.
                let mut stored = store::lock(tx.conn(), name).await?;
                while let Some(mut lease) = stored.take() {
                    let from = lease.revision;
                    if let Some(happened) = lease.pass(now)? {
                        stored = Some(self.record_change(&tx, lease, from, happened).await?.lease);
                    } else if lease.due_at().is_none_or(|due| due > now) {
                        // What it waits for may have changed without it, as what is known of a phase.
                        store::note_due(tx.conn(), &lease).await?;
                    }
                }
                Ok((tx, ()))
            })
            .await?;
        self.feed.notify();
        Ok(())
    }
}
