//! Time moves leases on: on its contract date a block is deemed accepted and rent runs; on its end date it ends.

use kernel::{Error, Instant, LeaseName};
use postgres::Tx;

use super::{App, View, kind};
use crate::domain::{Lease, LeaseState};
use crate::store;

const BATCH: u32 = 64;

impl App {
    /// Commences and ends every block whose date has come in business time.
    pub(crate) async fn commence_due(&self) -> Result<(), Error> {
        let now = self.now();
        let hands = self.worker();
        loop {
            let due = hands
                .db
                .read("find_due_premises", hands.scope, |tx| async move {
                    let due = store::due_premises(tx.conn(), now, BATCH).await?;
                    Ok((tx, due))
                })
                .await?;
            for name in &due {
                self.commence_lease(name, now).await?;
            }
            if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    async fn commence_lease(&self, name: &LeaseName, now: Instant) -> Result<(), Error> {
        let hands = self.worker();
        hands
            .db
            .in_tx("commence_lease", hands.scope, |tx| async move {
                // Behind the lock the dates are looked at again: another replica may have been here.
                if let Some(lease) = store::lock(tx.conn(), name).await? {
                    self.move_on(&tx, lease, now).await?;
                }
                Ok((tx, ()))
            })
            .await?;
        self.feed.notify();
        Ok(())
    }

    /// First what begins, then what ends, each with its own event, so that a block which did both while nobody looked
    /// is told of as commenced once.
    async fn move_on(&self, tx: &Tx, mut lease: Lease, now: Instant) -> Result<(), Error> {
        let from = lease.revision;
        if lease.commence(now)? {
            self.save_moved(tx, &lease, from, kind::COMMENCED).await?;
        }
        let from = lease.revision;
        if lease.end(now)? {
            let kind = if lease.state == LeaseState::Expired { kind::EXPIRED } else { kind::ENDED };
            self.save_moved(tx, &lease, from, kind).await?;
        }
        Ok(())
    }

    async fn save_moved(&self, tx: &Tx, lease: &Lease, from: i64, kind: &'static str) -> Result<(), Error> {
        store::save(tx.conn(), lease, from, None).await?;
        store::save_premises(tx.conn(), lease).await?;
        self.tell(tx, kind, &View::of(lease.clone())?).await
    }
}
