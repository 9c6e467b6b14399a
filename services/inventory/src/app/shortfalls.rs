//! What every change of a block's capacity has in common: whoever is short of more than before must be accepted, and
//! is recorded and told.

use std::collections::HashMap;

use kernel::{BlockId, BlockName, Error, Instant, ReservationId, ReservationName, TenantId};
use postgres::{NewEvent, Tx, outbox};

use super::{App, kind};
use crate::domain::shortfall::{self, Cause, Short, Shortfall};
use crate::store::shortfalls::{Causes, Recorded};
use crate::store::{SCHEMA, blocks, jobs, shortfalls};

/// What is done about reservations that a change makes short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnShortfall {
    /// The change is refused.
    Refuse,
    /// It is recorded.
    Record,
    /// Only the question was asked.
    Answer,
}

impl OnShortfall {
    /// What a request asks for.
    pub(crate) fn of(accepted: bool, validate_only: bool) -> Self {
        match (validate_only, accepted) {
            (true, _) => Self::Answer,
            (false, true) => Self::Record,
            (false, false) => Self::Refuse,
        }
    }
}

/// A change of a block's capacity that has been written in this transaction.
pub(crate) struct Change<'a> {
    pub(crate) block: &'a BlockName,
    pub(crate) id: BlockId,
    pub(crate) cause: Cause,
    pub(crate) on_shortfall: OnShortfall,
    pub(crate) now: Instant,
}

impl App {
    /// Records what a block's reservations are short of after a change, and raises the block's version. Gives those
    /// that are short of more than before.
    pub(crate) async fn settle_shortfalls(
        &self,
        tx: &Tx,
        change: Change<'_>,
    ) -> Result<Vec<Shortfall>, Error> {
        let recorded = shortfalls::of_block(tx, &change.block.operator, change.id).await?;
        let worse = self.record_shortfalls(tx, &change, &recorded).await?;
        blocks::touch(tx, &change.block.operator, change.id).await?;
        Ok(worse)
    }

    /// Brings what is recorded as short of a block up to date, where anything is: claims changed since, and whether a
    /// change makes somebody short of more is judged by what is so. The transaction holds the block's lock.
    pub(crate) async fn renew_shortfalls(
        &self,
        tx: &Tx,
        block: &BlockName,
        id: BlockId,
        now: Instant,
    ) -> Result<(), Error> {
        let recorded = shortfalls::of_block(tx, &block.operator, id).await?;
        let Some(cause) = recorded.latest.clone() else { return Ok(()) };
        let change = Change { block, id, cause, on_shortfall: OnShortfall::Record, now };
        self.record_shortfalls(tx, &change, &recorded).await?;
        Ok(())
    }

    /// Compares what live claims take with what the block gives now, writes what its reservations are short of where
    /// that is something else than recorded, and tells them.
    ///
    /// The transaction holds the block's lock since before the change was written, so no booking comes between.
    async fn record_shortfalls(
        &self,
        tx: &Tx,
        change: &Change<'_>,
        recorded: &Recorded,
    ) -> Result<Vec<Shortfall>, Error> {
        let balance = shortfalls::balance(tx, &change.block.operator, change.id).await?;
        let after = shortfall::short(&balance.capacity, &balance.taken);
        let changes = shortfall::changes(&recorded.short, &after);
        let worse = change.describe(tx, &changes.worse, &after, &Causes::new()).await?;
        if change.on_shortfall == OnShortfall::Refuse && !worse.is_empty() {
            return Err(shortfall::committed(change.block, &worse));
        }
        // What is left of a shortfall has the cause it had.
        let eased = change.describe(tx, &changes.eased, &after, &recorded.causes).await?;
        for (kind, hurt) in [(kind::SHORTFALL_RECORDED, &worse), (kind::SHORTFALL_EASED, &eased)] {
            shortfalls::replace(tx, change.id, hurt, change.now).await?;
            for one in hurt {
                let told = (one.reservation.to_string(), (self.wire.shortfall)(one));
                self.tell_also(tx, change.block, kind, told, one.tenant.clone()).await?;
            }
        }
        Ok(worse)
    }

    /// Looks again at blocks of which something is recorded as short and whose claims changed since they were `seen`:
    /// what was given back eases those who came after.
    pub(crate) async fn ease_shortfalls(&self, seen: &mut HashMap<BlockId, i64>) -> Result<(), Error> {
        let short = jobs::short_blocks(&self.worker_db).await?;
        seen.retain(|id, _| short.iter().any(|block| block.id == *id));
        for block in short {
            if seen.get(&block.id) == Some(&block.version) {
                continue;
            }
            let of = &block;
            self.worker_db
                .in_tx("ease_shortfalls", &jobs::SCOPE, |tx| async move {
                    blocks::lock(&tx, &of.name.operator, of.id).await?;
                    self.renew_shortfalls(&tx, &of.name, of.id, self.now()).await?;
                    Ok((tx, ()))
                })
                .await?;
            seen.insert(block.id, block.version);
        }
        Ok(())
    }

    /// Appends an event beside the one that every write has.
    pub(crate) async fn tell_also(
        &self,
        tx: &Tx,
        block: &BlockName,
        kind: &'static str,
        (subject, payload): (String, Vec<u8>),
        tenant: Option<TenantId>,
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(block.operator.clone()),
            tenant,
            kind,
            subject,
            occurred_at: self.now(),
            payload,
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

impl Change<'_> {
    async fn describe(
        &self,
        tx: &Tx,
        of: &[ReservationId],
        now: &Short,
        causes: &Causes,
    ) -> Result<Vec<Shortfall>, Error> {
        let tenants = shortfalls::tenants(tx, &self.block.operator, of).await?;
        let describe = |reservation: &ReservationId| Shortfall {
            reservation: ReservationName::new(self.block.operator.clone(), *reservation),
            tenant: tenants.get(reservation).cloned(),
            block: self.block.clone(),
            steps: now.get(reservation).map(shortfall::stretches).unwrap_or_default(),
            cause: causes.get(reservation).unwrap_or(&self.cause).clone(),
        };
        Ok(of.iter().map(describe).collect())
    }
}
