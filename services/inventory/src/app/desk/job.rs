//! One job of a lane: its orders and the blocks they touch, until every order is answered.
//!
//! A round is: learn (look up request ids, read blocks), check in memory, write, answer. What could not be answered,
//! because a race was lost or a refusal is not proved yet, says what must be learned and goes round again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use kernel::{BlockId, Error, Instant, OperatorId, Reason, ReservationId};
use postgres::{Answer, sqlx_error};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;

use super::Shared;
use super::order::{KeyState, Placed, Waiting};
use super::refusal;
use super::round::{self, Check};
use crate::domain::book::BlockBook;
use crate::store::batch::{Batch, Booked, Outcome, book};
use crate::store::desk as store;

/// After so many lost races the blocks are locked before they are read.
const RACES_MAX: u32 = 3;
/// Tries of a batch whose connection broke or whose clock was off.
const FAILURES_MAX: u32 = 4;
/// No job goes round more often than this, whatever happens.
const ROUNDS_MAX: u32 = 60;
/// Claims of others that memory may lack of a block: read together they cost little, and bound what a refusal must read.
const BEHIND_MAX: i64 = 256;
/// How often an order waits for holds to be written off; the database's clock may disagree with our idea of it.
const EXPIRIES_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(20);

/// A block in memory, and since when it is known to be true.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) book: BlockBook,
    /// All that was ever added to what is taken, as far as memory knows: what it read, and its own batches.
    pub(super) added: i64,
    /// Claims of others that it has not read. They are read once they are many; until then the room that is left is
    /// compared with all that was added.
    pub(super) behind: i64,
    /// When the statement was sent that proved it: a read, or a write that found its version.
    pub(super) proved: Monotonic,
}

/// What a job is given, and gives back to its lane.
pub(super) struct Tools {
    pub(super) books: HashMap<BlockId, Box<Kept>>,
    pub(super) connection: Option<PoolConnection<Postgres>>,
}

/// What a job leaves.
pub(super) struct Returned {
    pub(super) tools: Tools,
    /// Orders that lost a race and go with the next batch.
    pub(super) again: Vec<Waiting>,
}

pub(super) struct Job {
    shared: Arc<Shared>,
    pub(super) operator: OperatorId,
    blocks: Vec<BlockId>,
    books: HashMap<BlockId, Box<Kept>>,
    /// Orders without an answer, in order of arrival.
    pub(super) open: Vec<Waiting>,
    /// Blocks that must be read before the next check.
    unproved: HashSet<BlockId>,
    /// Holds that stand in the way and seem to have run out.
    lapsed: HashSet<ReservationId>,
    connection: Option<PoolConnection<Postgres>>,
}

impl Job {
    pub(super) fn new(
        shared: Arc<Shared>,
        operator: OperatorId,
        blocks: &HashSet<BlockId>,
        open: Vec<Waiting>,
        tools: Tools,
    ) -> Self {
        let mut blocks: Vec<BlockId> = blocks.iter().copied().collect();
        blocks.sort_unstable();
        let Tools { books, connection } = tools;
        Self {
            shared,
            operator,
            blocks,
            books,
            open,
            unproved: HashSet::new(),
            lapsed: HashSet::new(),
            connection,
        }
    }

    pub(super) async fn run(mut self) -> Returned {
        for _ in 0..ROUNDS_MAX {
            if self.open.is_empty() {
                break;
            }
            match self.round().await {
                Ok(()) if self.has_only_lost_races() => return self.leave(),
                Ok(()) => {}
                Err(failure) => self.failed(failure).await,
            }
        }
        for waiting in self.open.drain(..) {
            waiting.answer(Err(Error::transaction_conflict().with_retry_after(PAUSE * 10)));
        }
        self.leave()
    }

    fn leave(self) -> Returned {
        Returned { tools: Tools { books: self.books, connection: self.connection }, again: self.open }
    }

    /// Whether all that is open can simply be tried again: then it goes with the next batch, which is the fuller for it.
    fn has_only_lost_races(&self) -> bool {
        let again =
            |waiting: &Waiting| (1..RACES_MAX).contains(&waiting.races_lost) && waiting.key != KeyState::Ask;
        self.unproved.is_empty() && self.open.iter().all(again)
    }

    async fn round(&mut self) -> Result<(), sqlx::Error> {
        self.look_up().await?;
        let locked = self.open.iter().any(|waiting| waiting.races_lost >= RACES_MAX);
        if locked {
            let (operator, blocks) = (self.operator.clone(), self.blocks.clone());
            store::lock(self.connection().await?, &operator, &blocks).await?;
            self.unproved.extend(&blocks);
        }
        self.read_blocks().await?;
        let holds = self.open_holds().await?;
        let now = self.database_now().await?;
        let checks = round::check(&mut self.books, &self.open, &holds, now);
        let accepted = self.sort_out(checks, now);
        if !accepted.is_empty() {
            self.write(accepted, locked, now).await?;
        } else if locked {
            store::unlock(self.connection().await?).await?;
        }
        self.expire_in_the_way().await;
        Ok(())
    }

    /// Answers what memory can answer. Refusals that are not proved stay open and say what must be learned.
    fn sort_out(&mut self, checks: Vec<Check>, now: Instant) -> Vec<(Waiting, Placed)> {
        let mut accepted = Vec::with_capacity(self.open.len());
        let mut still = Vec::new();
        for (mut waiting, check) in std::mem::take(&mut self.open).into_iter().zip(checks) {
            let proved = self.is_proved(&waiting);
            match check {
                Check::Accepted(placed) if waiting.order.validate_only => {
                    waiting.answer(Ok(Answer::Fresh(placed)));
                }
                Check::Accepted(placed) => accepted.push((waiting, placed)),
                Check::Unknown => waiting.answer(Err(Error::not_found("block"))),
                Check::OverQuota { quota } if waiting.key == KeyState::New => {
                    let refused = refusal::over_quota(waiting.order.draft.tenant.as_ref(), quota);
                    waiting.answer(Err(refused));
                }
                // What was accepted before it in this round may yet fail, so it is refused in a round without.
                Check::Short { claim, shortfall }
                    if waiting.key == KeyState::New
                        && proved
                        && accepted.is_empty()
                        && !self.may_expire(&mut waiting, now) =>
                {
                    let refused = refusal::exhausted(&waiting.order.draft.claims[claim], &shortfall);
                    waiting.answer(Err(refused));
                }
                Check::OverQuota { .. } | Check::Short { .. } => {
                    if waiting.key != KeyState::New {
                        waiting.key = KeyState::Ask;
                    }
                    if !proved {
                        self.unproved.extend(&waiting.order.blocks);
                    }
                    still.push(waiting);
                }
            }
        }
        self.open = still;
        accepted
    }

    /// Writes what fits and answers it. Orders that lost a race are open again.
    async fn write(
        &mut self,
        accepted: Vec<(Waiting, Placed)>,
        locked: bool,
        now: Instant,
    ) -> Result<(), sqlx::Error> {
        let batch = round::batch(&mut self.books, &accepted, &self.shared.wire);
        let sent = Monotonic::now();
        let written = match self.send(now, &batch, locked).await {
            Ok(written) => written,
            Err(error) => {
                // What became of it is not known. Everybody asks again under the same key: nothing happens twice.
                self.open.extend(accepted.into_iter().map(|(waiting, _)| waiting));
                return Err(error);
            }
        };
        self.shared.clock.heard(written.at);
        let stale: HashSet<BlockId> = written.stale.iter().map(|state| state.block).collect();
        let ahead: HashMap<BlockId, i64> = written.ahead.into_iter().collect();
        for ((block, claims), grown) in batch.blocks.iter().zip(&batch.claims).zip(&batch.grown) {
            let block = BlockId::new(*block);
            let Some(kept) = self.books.get_mut(&block).filter(|_| !stale.contains(&block)) else { continue };
            kept.added += grown;
            if let Some(version) = ahead.get(&block) {
                kept.behind = version - kept.book.version();
            } else {
                kept.book.advance(*claims);
                kept.proved = sent;
            }
        }
        self.take_in(written.stale, sent);
        for ((waiting, placed), outcome) in accepted.into_iter().zip(&written.outcomes) {
            self.answer_written(waiting, placed, *outcome);
        }
        Ok(())
    }

    async fn send(&mut self, now: Instant, batch: &Batch, locked: bool) -> Result<Booked, sqlx::Error> {
        failpoint("inventory.book.before")?;
        let operator = self.operator.clone();
        let connection = self.connection().await?;
        let written = book(connection, &operator, now, batch).await?;
        if locked {
            store::unlock(connection).await?;
        }
        failpoint("inventory.book.after")?;
        Ok(written)
    }

    fn answer_written(&mut self, mut waiting: Waiting, placed: Placed, outcome: Outcome) {
        if outcome == Outcome::Applied {
            waiting.answer(Ok(Answer::Fresh(placed)));
            return;
        }
        round::give_back(&mut self.books, &waiting.order);
        match outcome {
            Outcome::Applied => {}
            Outcome::Duplicate => waiting.key = KeyState::Ask,
            Outcome::Stale => waiting.races_lost += 1,
            // The answer told the time. No version was raised, so memory begins anew.
            Outcome::Skewed => {
                waiting.failures += 1;
                self.books.clear();
            }
        }
        if waiting.failures >= FAILURES_MAX {
            waiting.answer(Err(Error::internal("the database's clock cannot be followed")));
        } else {
            self.open.push(waiting);
        }
    }

    /// Whether every block of an order is known to be as it is in memory at some instant after the order arrived.
    fn is_proved(&self, waiting: &Waiting) -> bool {
        let proved = |block| self.books.get(block).is_some_and(|kept| kept.proved >= waiting.arrived);
        waiting.order.blocks.iter().all(proved)
    }

    /// Whether holds that seem to have run out stand in an order's way; they are noted. After a few times what still
    /// stands there does so by the database's own word.
    fn may_expire(&mut self, waiting: &mut Waiting, now: Instant) -> bool {
        if waiting.expiries >= EXPIRIES_MAX {
            return false;
        }
        let mut found = Vec::new();
        for (block, claim) in waiting.order.blocks.iter().zip(&waiting.order.draft.claims) {
            if let Some(kept) = self.books.get(block).filter(|kept| !kept.book.fits(&claim.profile)) {
                found.extend(kept.book.lapsed_in_the_way(&claim.profile, now));
            }
        }
        waiting.expiries += 1;
        let may = !found.is_empty();
        self.lapsed.extend(found);
        may
    }

    /// Has the end of the noted holds written, if the database agrees.
    async fn expire_in_the_way(&mut self) {
        if self.lapsed.is_empty() {
            return;
        }
        let ids: Vec<ReservationId> = self.lapsed.drain().collect();
        if let Err(error) = self.shared.expirer.expire(&self.operator, &ids).await {
            tracing::warn!(%error, "holds that ran out could not be written off");
        }
        self.unproved.extend(&self.blocks);
    }

    /// Reads what is not in memory, or may have changed.
    async fn read_blocks(&mut self) -> Result<(), sqlx::Error> {
        let known = |block| self.books.get(block).is_some_and(|kept| kept.behind <= BEHIND_MAX);
        let missing = self.blocks.iter().filter(|block| !known(block));
        self.unproved.extend(missing);
        if self.unproved.is_empty() {
            return Ok(());
        }
        let since: Vec<(BlockId, i64)> = self
            .unproved
            .iter()
            .map(|block| (*block, self.books.get(block).map_or(-1, |kept| kept.book.version())))
            .collect();
        let sent = Monotonic::now();
        let operator = self.operator.clone();
        let states = store::block_states(self.connection().await?, &operator, &since).await?;
        self.take_in(states, sent);
        self.unproved.clear();
        Ok(())
    }

    /// Remembers blocks as a statement saw them that was sent at this time.
    fn take_in(&mut self, states: Vec<store::BlockState>, sent: Monotonic) {
        for state in states {
            match self.books.get_mut(&state.block) {
                Some(kept) => {
                    kept.book.refresh(state.version, state.capacity, &state.claims);
                    kept.added = state.added;
                    kept.behind = 0;
                    kept.proved = sent;
                }
                None => {
                    let book = BlockBook::new(state.version, state.capacity, &state.claims);
                    let kept = Kept { book, added: state.added, behind: 0, proved: sent };
                    self.books.insert(state.block, Box::new(kept));
                }
            }
        }
    }

    async fn database_now(&mut self) -> Result<Instant, sqlx::Error> {
        if let Some(now) = self.shared.clock.estimate() {
            return Ok(now);
        }
        let now = store::now(self.connection().await?).await?;
        self.shared.clock.heard(now);
        Ok(now)
    }

    pub(super) async fn connection(&mut self) -> Result<&mut PoolConnection<Postgres>, sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(self.shared.db.sqlx().acquire().await?);
        }
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// After a failure nothing in memory is trusted, the connection is closed (which also ends a transaction that was
    /// left open), and every open order is tried again under its key, a few times.
    async fn failed(&mut self, failure: sqlx::Error) {
        tracing::debug!(operator = %self.operator, error = %failure, "a batch could not be written");
        self.books.clear();
        drop(self.connection.take().map(PoolConnection::detach));
        // The server said no: nothing was done. Otherwise the batch may have been written all the same.
        let refused = failure.as_database_error().is_some() || matches!(failure, sqlx::Error::PoolTimedOut);
        let error = sqlx_error(failure);
        let again = error.reason() == Reason::TransactionConflict || !refused;
        for mut waiting in std::mem::take(&mut self.open) {
            waiting.failures += 1;
            if again && waiting.failures < FAILURES_MAX {
                self.open.push(waiting);
            } else {
                waiting.answer(Err(refusal::last_word(&error, refused)));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn failpoint(name: &'static str) -> Result<(), sqlx::Error> {
    runtime::failpoint(name).map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))
}
