//! What inventory tells of the delivery of leased blocks: capacity that comes late, and phases that are ready.

use kernel::{CivilDate, Error, LeaseName, Reason, Zone};
use postgres::Tx;
use tracing::warn;

use super::App;
use crate::domain::premises::Standing;
use crate::domain::state::{COMMITTED, FINAL};
use crate::domain::{Happened, Lease, PremisesState};
use crate::peers::{PhaseNews, Shortage};
use crate::store;

impl App {
    /// A reservation is short, or no longer: where its block has not commenced, that says from when on it can.
    pub(super) async fn heed_shortage(&self, tx: &Tx, shortage: &Shortage) -> Result<(), Error> {
        let Some(name) = store::lease_of_reservation(tx.conn(), &shortage.reservation).await? else {
            return Ok(());
        };
        let Some(mut lease) = store::lock(tx.conn(), &name).await? else { return Ok(()) };
        let Some(premises) = lease.premises_of(&shortage.block) else {
            return heed_added(tx, lease, shortage).await;
        };
        let open = matches!(premises.state, PremisesState::Planned | PremisesState::Optioned);
        let (zone, start) = (premises.zone, premises.agreed.start());
        if !open || !is_delayed(&mut premises.standing, shortage, zone, start) {
            return Ok(());
        }
        if premises.state == PremisesState::Optioned {
            // Nothing of the lease is moved by it yet: it counts once the option is exercised.
            return store::save_premises(tx.conn(), &lease).await;
        }
        self.dates_moved(tx, lease, Happened::Moved).await
    }

    /// A phase was said to be ready on another day, or is ready: every lease that waits for its block looks again.
    pub(super) async fn heed_phase(&self, tx: &Tx, news: &PhaseNews) -> Result<(), Error> {
        let waiting = store::leases_waiting_for(tx.conn(), &news.block).await?;
        let mut before = Vec::new();
        for name in &waiting {
            before.push(self.ready_block(tx, name, news).await?);
        }
        store::keep_phase(tx.conn(), &news.block, &news.phase, news.dates.as_ref()).await?;
        for (name, before) in waiting.iter().zip(before) {
            let Some(mut lease) = store::lock(tx.conn(), name).await? else { continue };
            let Some(premises) = lease.premises_of(&news.block) else { continue };
            if before == Some(premises.ready) || premises.state != PremisesState::Planned {
                continue;
            }
            let is_ready =
                premises.ready.actual.is_some() && before.is_none_or(|before| before.actual.is_none());
            let happened = if is_ready { Happened::Ready } else { Happened::Moved };
            self.dates_moved(tx, lease, happened).await?;
        }
        Ok(())
    }

    async fn ready_block(
        &self,
        tx: &Tx,
        name: &LeaseName,
        news: &PhaseNews,
    ) -> Result<Option<crate::domain::premises::ReadyDates>, Error> {
        let mut lease = store::load(tx.conn(), name).await?;
        Ok(lease.as_mut().and_then(|lease| lease.premises_of(&news.block)).map(|premises| premises.ready))
    }

    /// Writes what is known of a lease's dates. Only one that is agreed is moved by it; until then it is kept for that day.
    async fn dates_moved(&self, tx: &Tx, lease: Lease, happened: Happened) -> Result<(), Error> {
        if lease.state.is_in(FINAL) {
            return Ok(());
        }
        if !lease.state.is_in(COMMITTED) {
            return store::save_premises(tx.conn(), &lease).await;
        }
        let mut moved = lease.clone();
        match moved.settle().and_then(|()| moved.value()) {
            Ok(_) => {}
            // Its terms give no rent for such days. They stay as they are, what is told is kept, and the news of others goes on.
            Err(error) if error.reason() == Reason::TermOutOfRange => {
                warn!(lease = %lease.name, %error, "the days that are told have no rent; the lease keeps its own");
                return store::save_premises(tx.conn(), &lease).await;
            }
            Err(error) => return Err(error),
        }
        moved.adjusted(self.now())?;
        self.record_moved(tx, moved, lease.revision, happened).await
    }

    /// As a change, but a deed that waits for inventory's word goes on waiting.
    async fn record_moved(&self, tx: &Tx, lease: Lease, from: i64, happened: Happened) -> Result<(), Error> {
        if lease.life.pending.is_some() {
            let intent = store::intent_of(tx.conn(), &lease.name, super::rpc::SAGAS).await?;
            store::save(tx.conn(), &lease, from, intent.as_ref()).await?;
            store::save_premises(tx.conn(), &lease).await?;
            let view = super::View::of(lease)?;
            return self.tell(tx, super::kind::of(happened), &view).await;
        }
        self.record_change(tx, lease, from, happened).await.map(|_| ())
    }
}

/// A block that the lease does not have yet: what is told of it counts once the terms that have it are signed.
async fn heed_added(tx: &Tx, mut lease: Lease, shortage: &Shortage) -> Result<(), Error> {
    let Some(amendment) = &mut lease.life.amendment else { return Ok(()) };
    let Some(agreed) = amendment.terms.premises.iter().find(|one| one.block == shortage.block) else {
        return Ok(());
    };
    let (zone, start) = (agreed.zone, agreed.commencement);
    let at = amendment.told.iter().position(|(block, _)| *block == shortage.block).unwrap_or_else(|| {
        amendment.told.push((shortage.block.clone(), Standing::default()));
        amendment.told.len() - 1
    });
    if !is_delayed(&mut amendment.told[at].1, shortage, zone, start) {
        return Ok(());
    }
    let intent = store::intent_of(tx.conn(), &lease.name, super::rpc::SAGAS).await?;
    store::save(tx.conn(), &lease, lease.revision, intent.as_ref()).await
}

/// Notes from when on a block is there; whether that is news.
fn is_delayed(standing: &mut Standing, shortage: &Shortage, zone: Zone, start: CivilDate) -> bool {
    let until = shortage.lasts_from(zone.start_of_day(start)).map(|end| {
        let day = zone.date_of(end);
        if zone.start_of_day(day) < end { day.succ_opt().unwrap_or(day) } else { day }
    });
    // Work on the hall, or less of it, is not a delay, and does not end one.
    let known = standing.short_until;
    let until = if shortage.is_delay || until.is_none() { until } else { known };
    if until == known {
        return false;
    }
    standing.short_until = until;
    standing.delayed_by = until.map(|_| shortage.cause.clone()).unwrap_or_default();
    true
}
