//! One operator's lane: decides which orders go together, and never lets two jobs have the same block.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kernel::{BlockId, OperatorId};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Shared;
use super::job::{Job, Kept, Returned, Tools};
use super::order::Waiting;

/// Orders in one batch at most.
const BATCH_MAX: usize = 256;
/// Beside a job that takes longer than this, as one does that waits for a lock, another may start. Callers of a quick
/// one are better off with the next batch: two that are half as full cost twice as many commits.
const PATIENCE: Duration = Duration::from_millis(20);
/// Orders taken out of the inbox at most; the rest stays there, where the bound is.
const WAITING_MAX: usize = 1_024;
/// Blocks kept in memory at most; beyond, those at rest are forgotten.
const BLOCKS_MAX: usize = 20_000;
/// After so long without an order the lane lets go of its connections.
const REST: Duration = Duration::from_secs(2);

pub(super) struct Lane {
    operator: OperatorId,
    inbox: mpsc::Receiver<Waiting>,
    shared: Arc<Shared>,
    waiting: VecDeque<Waiting>,
    books: HashMap<BlockId, Place>,
    jobs: JoinSet<Returned>,
    in_flight: HashMap<tokio::task::Id, Flight>,
    /// Orders of the newest batch.
    newest: usize,
    spare: Vec<PoolConnection<Postgres>>,
}

/// Where a block of which something is known is.
enum Place {
    AtRest(Box<Kept>),
    WithAJob,
}

/// What a job took along, and when.
struct Flight {
    blocks: HashSet<BlockId>,
    since: Instant,
}

impl Lane {
    pub(super) fn new(operator: OperatorId, inbox: mpsc::Receiver<Waiting>, shared: Arc<Shared>) -> Self {
        Self {
            operator,
            inbox,
            shared,
            waiting: VecDeque::new(),
            books: HashMap::new(),
            jobs: JoinSet::new(),
            in_flight: HashMap::new(),
            newest: 0,
            spare: Vec::new(),
        }
    }

    /// Runs until the desk is gone and every job has ended.
    pub(super) async fn run(mut self) {
        let mut open = true;
        while open || !self.jobs.is_empty() || !self.waiting.is_empty() {
            self.dispatch();
            let room = open && self.waiting.len() < WAITING_MAX;
            let more = !self.waiting.is_empty() && self.jobs.len() < self.shared.jobs_max;
            let patient_until = self.patient_until().filter(|_| more);
            tokio::select! {
                order = self.inbox.recv(), if room => match order {
                    Some(order) => {
                        self.waiting.push_back(order);
                        self.drain();
                    }
                    None => open = false,
                },
                Some(done) = self.jobs.join_next_with_id(), if !self.jobs.is_empty() => {
                    self.take_back(done);
                    self.drain();
                }
                () = tokio::time::sleep_until(patient_until.unwrap_or_else(Instant::now)),
                    if patient_until.is_some_and(|until| until > Instant::now()) => {}
                () = tokio::time::sleep(REST), if self.jobs.is_empty() && !self.spare.is_empty() => {
                    self.spare.clear();
                }
            }
        }
    }

    fn drain(&mut self) {
        while self.waiting.len() < WAITING_MAX {
            match self.inbox.try_recv() {
                Ok(order) => self.waiting.push_back(order),
                Err(_) => break,
            }
        }
    }

    fn take_back(&mut self, done: Result<(tokio::task::Id, Returned), tokio::task::JoinError>) {
        let id = match &done {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let taken = self.in_flight.remove(&id).map(|flight| flight.blocks).unwrap_or_default();
        match done {
            Ok((_, mut returned)) => {
                for block in taken {
                    match returned.tools.books.remove(&block) {
                        Some(kept) => self.books.insert(block, Place::AtRest(kept)),
                        None => self.books.remove(&block),
                    };
                }
                for waiting in returned.again.into_iter().rev() {
                    self.waiting.push_front(waiting);
                }
                self.spare.extend(returned.tools.connection);
            }
            // Its callers see a dropped channel. What it had in hand is unknown, and was dropped with it.
            Err(error) => {
                self.books.retain(|block, _| !taken.contains(block));
                tracing::error!(operator = %self.operator, %error, "a booking job broke");
            }
        }
        if self.books.len() > BLOCKS_MAX {
            self.books.retain(|_, place| matches!(place, Place::WithAJob));
        }
    }

    /// Starts jobs as long as there is work for blocks at rest.
    fn dispatch(&mut self) {
        while self.is_worth_a_job() {
            let orders = self.next_batch();
            if orders.is_empty() {
                break;
            }
            self.newest = orders.len();
            let blocks: HashSet<BlockId> =
                orders.iter().flat_map(|waiting| waiting.order.blocks.iter().copied()).collect();
            let mut books = HashMap::with_capacity(blocks.len());
            for block in &blocks {
                if let Some(Place::AtRest(kept)) = self.books.insert(*block, Place::WithAJob) {
                    books.insert(*block, kept);
                }
            }
            let flight = Flight { blocks, since: Instant::now() };
            let tools = Tools { books, connection: self.spare.pop() };
            let job =
                Job::new(Arc::clone(&self.shared), self.operator.clone(), &flight.blocks, orders, tools);
            let task = self.jobs.spawn(job.run());
            self.in_flight.insert(task.id(), flight);
        }
    }

    /// Whether a job should start now.
    fn is_worth_a_job(&self) -> bool {
        !self.waiting.is_empty()
            && self.jobs.len() < self.shared.jobs_max
            && self.patient_until().is_none_or(|until| until <= Instant::now())
    }

    /// Until when the jobs in flight are waited for before another one is started; none if there are none.
    fn patient_until(&self) -> Option<Instant> {
        self.in_flight.values().map(|flight| flight.since + PATIENCE).max()
    }

    /// Orders that the next batch takes at most: half of those that wait and those whose callers, answered just now, may
    /// soon be back. So while the database writes one half, the other half is answered and asks anew; were all taken at
    /// once, the database and this process would wait for each other in turns.
    fn share(&self) -> usize {
        (self.waiting.len() + self.newest).div_ceil(2).min(BATCH_MAX)
    }

    /// The orders that can go now, in order of arrival. An order that must wait keeps its blocks from later ones, so
    /// that a reservation of several blocks is not overtaken for ever.
    fn next_batch(&mut self) -> Vec<Waiting> {
        let mut taken = Vec::new();
        let mut blocked: HashSet<BlockId> = HashSet::new();
        let mut requests = HashSet::new();
        let mut left = VecDeque::with_capacity(self.waiting.len());
        let share = self.share();
        for waiting in self.waiting.drain(..) {
            let blocks = &waiting.order.blocks;
            let with_a_job = |block: &BlockId| matches!(self.books.get(block), Some(Place::WithAJob));
            let free = |block: &BlockId| !with_a_job(block) && !blocked.contains(block);
            if taken.len() < share && blocks.iter().all(free) {
                // A request id that comes twice at once: the second waits for the first, and finds its reply.
                if requests.insert(waiting.order.key.request_id) {
                    taken.push(waiting);
                } else {
                    left.push_back(waiting);
                }
            } else {
                blocked.extend(blocks);
                left.push_back(waiting);
            }
        }
        self.waiting = left;
        taken
    }
}
