//! One operator's lane: decides which orders go together, and never lets two jobs have the same block.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kernel::{BlockId, OperatorId};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Shared;
use super::job::{Job, Kept, Returned};
use super::order::Waiting;

/// Orders in one batch at most.
const BATCH_MAX: usize = 256;
/// While a job is in flight, another one is worth its commit only for so many orders; fewer wait for it to end.
const WORTH_ANOTHER: usize = 16;
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
    /// Blocks at rest. A block that is with a job is not here but in `away`.
    books: HashMap<BlockId, Kept>,
    away: HashSet<BlockId>,
    jobs: JoinSet<Returned>,
    in_flight: HashMap<tokio::task::Id, HashSet<BlockId>>,
    spare: Vec<PoolConnection<Postgres>>,
}

impl Lane {
    pub(super) fn new(operator: OperatorId, inbox: mpsc::Receiver<Waiting>, shared: Arc<Shared>) -> Self {
        Self {
            operator,
            inbox,
            shared,
            waiting: VecDeque::new(),
            books: HashMap::new(),
            away: HashSet::new(),
            jobs: JoinSet::new(),
            in_flight: HashMap::new(),
            spare: Vec::new(),
        }
    }

    /// Runs until the desk is gone and every job has ended.
    pub(super) async fn run(mut self) {
        let mut open = true;
        while open || !self.jobs.is_empty() || !self.waiting.is_empty() {
            self.dispatch();
            let room = open && self.waiting.len() < WAITING_MAX;
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
        for block in self.in_flight.remove(&id).unwrap_or_default() {
            self.away.remove(&block);
        }
        match done {
            Ok((_, returned)) => {
                if self.books.len() > BLOCKS_MAX {
                    self.books.clear();
                }
                self.books.extend(returned.books);
                self.spare.extend(returned.connection);
            }
            // Its callers see a dropped channel. What it had in hand is unknown, and was dropped with it.
            Err(error) => tracing::error!(operator = %self.operator, %error, "a booking job broke"),
        }
    }

    /// Starts jobs as long as there is work for blocks at rest.
    fn dispatch(&mut self) {
        while self.jobs.len() < self.shared.jobs_max && self.waiting.len() >= WORTH_ANOTHER * self.jobs.len()
        {
            let orders = self.next_batch();
            if orders.is_empty() {
                break;
            }
            let blocks: HashSet<BlockId> =
                orders.iter().flat_map(|waiting| waiting.order.blocks.iter().copied()).collect();
            let books = blocks.iter().filter_map(|block| self.books.remove_entry(block)).collect();
            self.away.extend(&blocks);
            let work = Returned { books, connection: self.spare.pop() };
            let job = Job::new(Arc::clone(&self.shared), self.operator.clone(), &blocks, orders, work);
            let task = self.jobs.spawn(job.run());
            self.in_flight.insert(task.id(), blocks);
        }
    }

    /// The orders that can go now, in order of arrival. An order that must wait keeps its blocks from later ones, so
    /// that a reservation of several blocks is not overtaken for ever.
    fn next_batch(&mut self) -> Vec<Waiting> {
        let mut taken = Vec::new();
        let mut blocked: HashSet<BlockId> = HashSet::new();
        let mut requests = HashSet::new();
        let mut left = VecDeque::with_capacity(self.waiting.len());
        for waiting in self.waiting.drain(..) {
            let blocks = &waiting.order.blocks;
            let free = |block: &BlockId| !self.away.contains(block) && !blocked.contains(block);
            if taken.len() < BATCH_MAX && blocks.iter().all(free) {
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
