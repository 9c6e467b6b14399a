//! Whoever keeps the market in memory: loads it in one snapshot, then follows our own feed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    BlockName, CapacityVector, Clock, Error, Instant, Interval, OperatorName, Reason, ReservationName,
    SiteName, SystemClock,
};
use postgres::Db;
use postgres::outbox::{self, Cursor, Frontier, Snapshot, StoredEvent};
use runtime::feed::Feed;
use tokio_util::sync::CancellationToken;

use super::{Indexed, Market};
use crate::domain::reservation::Claim;
use crate::domain::states::Deed;
use crate::store::index::{self, Part};
use crate::store::{SCHEMA, jobs};

/// Pause after the store did not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// Events that are read at a time. A block is written anew once for all of them, so more of them cost little more.
const BATCH: u32 = 4_096;

/// Events that are taken in before others have a turn.
const EVENTS_AT_ONCE: usize = 32;
/// After a look it rests so many times as long as that took: what is booked is in memory a little later where very much
/// is, and the bookings themselves have the processor.
const REST_TIMES: u32 = 32;
/// It rests so long at most, so that a search knows what was booked a quarter of a second ago whatever the load.
const REST_AT_MOST: Duration = Duration::from_millis(150);

/// Keeps the market in memory.
pub struct Keeper {
    /// The store, on the worker's role.
    pub db: Db,
    /// Our own feed.
    pub feed: Feed,
    /// Business time: where the index begins.
    pub clock: Arc<dyn Clock>,
    /// What it keeps.
    pub market: Market,
    /// Reads what a reservation's event says it takes.
    pub claims: fn(&[u8]) -> Result<Vec<Claim>, Error>,
}

/// How far one life of the index has come.
struct Reading {
    cursor: Cursor,
    loaded: Snapshot,
    /// Blocks that were read again since, each with what that showed.
    reread: HashMap<BlockName, Arc<Snapshot>>,
    /// What events of this look change of blocks, until it is applied.
    pending: HashMap<BlockName, Pending>,
    /// Looks that were made, until everything committed before them has been read.
    looks: VecDeque<(Instant, Frontier)>,
}

/// What is taken of a block, and given back.
#[derive(Default)]
struct Pending {
    taken: Vec<(Interval, CapacityVector)>,
    given_back: Vec<(Interval, CapacityVector)>,
}

/// What an event means for what is free.
enum Change {
    Nothing,
    Take(Vec<Claim>),
    GiveBack(Vec<Claim>),
    Reread(Part),
    Operator(OperatorName),
}

impl Keeper {
    /// Loads and follows until told to stop.
    pub async fn keep(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match stop.run_until_cancelled(self.live()).await {
                None => return,
                Some(Err(error)) => tracing::warn!(%error, "the index of search begins anew"),
                Some(Ok(never)) => match never {},
            }
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }

    /// One life: from a load to the first thing that following cannot mend.
    async fn live(&self) -> Result<std::convert::Infallible, Error> {
        let began = std::time::Instant::now();
        let time = SystemClock.now();
        let (index, loaded) = index::load(&self.db, self.clock.now()).await?;
        let (blocks, bytes) = (index.len(), index.bytes());
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(blocks, bytes, took_ms, "the index of search is loaded");
        let cursor = loaded.cursor;
        self.market.put(Indexed { index, time, cursor: cursor.to_string() });
        let mut reading = Reading {
            cursor,
            loaded,
            reread: HashMap::new(),
            pending: HashMap::new(),
            looks: VecDeque::new(),
        };
        loop {
            let began = std::time::Instant::now();
            match self.look(&mut reading).await {
                Ok(true) => {}
                Ok(false) => {
                    let rest = (began.elapsed() * REST_TIMES).min(REST_AT_MOST);
                    tokio::select! {
                        _ = futures::future::join(tokio::time::sleep(rest), self.feed.appended()) => {}
                        () = self.market.inner.wanted.notified() => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads on and applies what came. True: there may be more at once.
    async fn look(&self, reading: &mut Reading) -> Result<bool, Error> {
        let time = SystemClock.now();
        let read = outbox::read_after(&self.db, SCHEMA, &jobs::SCOPE, Some(reading.cursor), &[], BATCH).await;
        let batch = match read {
            Ok(batch) => batch,
            // What passes by itself is tried again from where it was; the index grows old meanwhile, and says so. An
            // event that was taken in half, below, is not: then everything is read again.
            Err(error) if passes(error.reason()) => {
                tracing::debug!(%error, "the feed does not answer");
                tokio::time::sleep(PAUSE).await;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        for (n, event) in (1..).zip(&batch.events) {
            self.apply(reading, event).await?;
            reading.cursor = event.cursor;
            if n % EVENTS_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        self.settle(reading).await?;
        reading.cursor = batch.cursor;
        reading.reread.retain(|_, snapshot| !snapshot.is_behind(&batch.cursor));
        let full = batch.events.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        reading.looks.push_back((time, batch.frontier));
        if let Some(time) = reading.caught_up() {
            self.market.has_come(time, &reading.cursor);
        }
        Ok(full)
    }

    async fn apply(&self, reading: &mut Reading, event: &StoredEvent) -> Result<(), Error> {
        if reading.loaded.shows(event) {
            return Ok(());
        }
        match change_of(self.claims, event)? {
            Change::Nothing => {}
            Change::Operator(name) => {
                self.market.change(|index| index.put_operator(name.operator));
            }
            Change::Reread(part) => {
                self.settle(reading).await?;
                self.reread(reading, &part).await?;
            }
            Change::Take(claims) => {
                reading.note(event, &claims, |pending| &mut pending.taken);
            }
            Change::GiveBack(claims) => {
                reading.note(event, &claims, |pending| &mut pending.given_back);
            }
        }
        Ok(())
    }

    /// Applies what was noted, each block at once.
    async fn settle(&self, reading: &mut Reading) -> Result<(), Error> {
        for (block, Pending { taken, given_back }) in std::mem::take(&mut reading.pending) {
            if self.market.change(|index| index.change(&block, &taken, &given_back)) == Some(false) {
                // We were not told of it: it is read with all that lies on it.
                self.reread(reading, &Part::Block(block)).await?;
            }
            // Others wait for the thread. A thread of our own would not do: it would take a processor from the database
            // for longer than a batch of bookings takes.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn reread(&self, reading: &mut Reading, part: &Part) -> Result<(), Error> {
        let read = index::reread(&self.db, part).await?;
        let snapshot = Arc::new(read.snapshot);
        let is_there = |block: &BlockName| read.blocks.iter().any(|read| read.view.name == *block);
        match part {
            Part::Site(name) => {
                self.market.change(|index| {
                    let gone: Vec<_> = index.blocks_of(name).into_iter().filter(|b| !is_there(b)).collect();
                    gone.iter().for_each(|block| index.remove_block(block));
                    match read.site {
                        Some(site) => index.put_site(site),
                        None => index.remove_site(name),
                    }
                });
            }
            Part::Block(name) if !is_there(name) => {
                self.market.change(|index| index.remove_block(name));
            }
            Part::Block(_) | Part::Reservation(_) => {}
        }
        for block in read.blocks {
            let name = block.view.name.clone();
            let known = self.market.change(|index| index.knows_site(&name.site_name()));
            if known == Some(false) {
                if matches!(part, Part::Site(_)) {
                    // Archived meanwhile, and with it all that is on it.
                    continue;
                }
                Box::pin(self.reread(reading, &Part::Site(name.site_name()))).await?;
                continue;
            }
            // One block at a time: nobody who searches waits long.
            self.market.change(|index| {
                index.put_block(block.view, block.capacity, &block.left);
                index.settle();
            });
            reading.reread.insert(name, Arc::clone(&snapshot));
        }
        Ok(())
    }
}

/// What an event means.
fn change_of(claims: fn(&[u8]) -> Result<Vec<Claim>, Error>, event: &StoredEvent) -> Result<Change, Error> {
    const HELD: &str = "reservation.held";
    const FREED: [&str; 2] = [Deed::Release.event_kind(), Deed::Expire.event_kind()];
    const FIRM: [&str; 2] = [Deed::Extend.event_kind(), Deed::Commit.event_kind()];
    let kind = event.kind.as_str();
    if kind == HELD {
        return claims(&event.payload).map(Change::Take);
    }
    if FREED.contains(&kind) {
        return claims(&event.payload).map(Change::GiveBack);
    }
    if FIRM.contains(&kind) {
        return Ok(Change::Nothing);
    }
    Ok(touched_by(&event.subject))
}

/// What an event of which no more is known may have changed: what its subject names, or lies under.
fn touched_by(subject: &str) -> Change {
    let segments: Vec<&str> = subject.split('/').collect();
    let prefix = |count: usize| segments.get(..count).map(|first| first.join("/")).unwrap_or_default();
    if let Ok(block) = prefix(6).parse::<BlockName>() {
        Change::Reread(Part::Block(block))
    } else if let Ok(site) = prefix(4).parse::<SiteName>() {
        Change::Reread(Part::Site(site))
    } else if let Ok(reservation) = subject.parse::<ReservationName>() {
        Change::Reread(Part::Reservation(reservation))
    } else {
        subject.parse::<OperatorName>().map_or(Change::Nothing, Change::Operator)
    }
}

impl Reading {
    /// Notes each claim for its block, unless the block was read again when it already showed this event.
    fn note(
        &mut self,
        event: &StoredEvent,
        claims: &[Claim],
        list: fn(&mut Pending) -> &mut Vec<(Interval, CapacityVector)>,
    ) {
        for claim in claims {
            if self.reread.get(&claim.block).is_some_and(|snapshot| snapshot.shows(event)) {
                continue;
            }
            let pending = self.pending.entry(claim.block.clone()).or_default();
            list(pending).extend(claim.profile.pieces());
        }
    }

    /// The latest look before which everything that was committed has been read.
    fn caught_up(&mut self) -> Option<Instant> {
        let mut caught_up = None;
        while let Some((time, _)) = self.looks.front().filter(|look| look.1.is_reached_by(&self.cursor)) {
            caught_up = Some(*time);
            self.looks.pop_front();
        }
        caught_up
    }
}

fn passes(reason: Reason) -> bool {
    matches!(reason, Reason::StoreUnavailable | Reason::TransactionConflict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_touches_is_what_its_subject_lies_under() {
        let part = |subject: &str| match touched_by(subject) {
            Change::Reread(part) => Some(part),
            _ => None,
        };
        let block: BlockName = "operators/abc/sites/def/blocks/ghi".parse().expect("a name");
        assert_eq!(part("operators/abc/sites/def/blocks/ghi"), Some(Part::Block(block.clone())));
        assert_eq!(part("operators/abc/sites/def/blocks/ghi/phases/one"), Some(Part::Block(block.clone())));
        assert_eq!(part("operators/abc/sites/def"), Some(Part::Site(block.site_name())));
        assert_eq!(part("operators/abc/sites/def/incidents/x"), Some(Part::Site(block.site_name())));
        let reservation = "operators/abc/reservations/0190b3f4-0000-7000-8000-000000000001";
        assert!(matches!(part(reservation), Some(Part::Reservation(_))));
        assert!(matches!(touched_by("operators/abc"), Change::Operator(_)));
        assert!(matches!(touched_by("operators/abc/waitlist/x"), Change::Nothing));
    }
}
