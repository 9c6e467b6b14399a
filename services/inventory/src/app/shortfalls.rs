//! What every change of a block's capacity has in common: whoever is short of more than before must be accepted, and
//! is recorded and told.

use kernel::{BlockId, BlockName, Error, Instant, ReservationId, ReservationName, TenantId};
use postgres::{NewEvent, Tx, outbox};

use super::{App, kind};
use crate::domain::shortfall::{self, Cause, Short, Shortfall};
use crate::store::{SCHEMA, blocks, shortfalls};

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
    /// Compares what live claims take with what the block gives now, records what its reservations are short of, tells
    /// them, and raises the block's version. Gives those that are short of more than before.
    ///
    /// The transaction holds the block's lock since before the change was written, so no booking comes between.
    pub(crate) async fn settle_shortfalls(
        &self,
        tx: &Tx,
        change: Change<'_>,
    ) -> Result<Vec<Shortfall>, Error> {
        let operator = &change.block.operator;
        let balance = shortfalls::balance(tx, operator, change.id).await?;
        let before = shortfalls::of_block(tx, operator, change.id).await?;
        let after = shortfall::short(&balance.capacity, &balance.taken);
        let changes = shortfall::changes(&before, &after);
        let worse = change.describe(tx, &changes.worse, &after).await?;
        if change.on_shortfall == OnShortfall::Refuse && !worse.is_empty() {
            return Err(shortfall::committed(change.block, &worse));
        }
        let eased = change.describe(tx, &changes.eased, &after).await?;
        for (kind, hurt) in [(kind::SHORTFALL_RECORDED, &worse), (kind::SHORTFALL_EASED, &eased)] {
            shortfalls::replace(tx, change.id, hurt, change.now).await?;
            for one in hurt {
                let subject = one.reservation.to_string();
                let payload = (self.wire.shortfall)(one);
                self.tell_also(tx, change.block, kind, (subject, payload), one.tenant.clone()).await?;
            }
        }
        blocks::touch(tx, operator, change.id).await?;
        Ok(worse)
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
    async fn describe(&self, tx: &Tx, of: &[ReservationId], now: &Short) -> Result<Vec<Shortfall>, Error> {
        let tenants = shortfalls::tenants(tx, &self.block.operator, of).await?;
        let describe = |reservation: &ReservationId| Shortfall {
            reservation: ReservationName::new(self.block.operator.clone(), *reservation),
            tenant: tenants.get(reservation).cloned(),
            block: self.block.clone(),
            steps: now.get(reservation).map(shortfall::stretches).unwrap_or_default(),
            cause: self.cause.clone(),
        };
        Ok(of.iter().map(describe).collect())
    }
}
