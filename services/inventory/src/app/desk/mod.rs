//! The booking desk: one order of writes per block, whatever the number of callers and replicas.
//!
//! Each operator has a lane. Orders that arrive while a batch is in flight wait and go with the next ones, unless it is
//! slow. A batch is checked in memory, in order of arrival, and written by one statement that takes it only if all that
//! was added to a block since memory last knew fits into the room the check found. So safety never depends on which
//! replica gets a call; memory only saves the database the sum. A job's future is never cancelled, and every queue is
//! bounded.

mod clock;
mod directory;
mod job;
mod lane;
mod learn;
mod order;
pub(super) mod refusal;
mod round;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Error, OperatorId, Reason};
use postgres::Db;
use tokio::sync::{Mutex, mpsc, oneshot};

pub use clock::DatabaseClock;
pub use directory::Directory;
pub use order::{Order, Placed};

use self::lane::Lane;
use self::order::{Reply, Waiting};
use super::Wire;
use super::expire_holds::Expirer;

/// Orders that may wait in one lane; one more is refused as OVERLOADED.
const QUEUE_MAX: usize = 1_024;

/// What the desk's jobs work with.
pub(super) struct Shared {
    pub(super) db: Db,
    pub(super) clock: Arc<DatabaseClock>,
    pub(super) wire: Wire,
    pub(super) expirer: Expirer,
    pub(super) jobs_max: usize,
}

/// Takes orders for every operator.
pub struct Desk {
    shared: Arc<Shared>,
    lanes: Mutex<HashMap<OperatorId, mpsc::Sender<Waiting>>>,
}

impl Desk {
    /// A desk with its own connections. `jobs_max` batches of one operator may be in flight, never two for a block.
    pub fn new(db: Db, clock: Arc<DatabaseClock>, wire: Wire, expirer: Expirer, jobs_max: usize) -> Self {
        let shared = Arc::new(Shared { db, clock, wire, expirer, jobs_max });
        Self { shared, lanes: Mutex::new(HashMap::new()) }
    }

    /// Places an order and waits for the answer.
    ///
    /// # Errors
    /// What the order is refused for, or `OVERLOADED`.
    pub async fn place(&self, order: Order) -> Reply {
        let lane = self.lane(order.operator()).await;
        let (reply, answer) = oneshot::channel();
        lane.try_send(Waiting::new(order, reply)).map_err(|_| overloaded())?;
        // A lane that is gone has lost its runtime: the process ends.
        answer
            .await
            .unwrap_or_else(|_| Err(Error::refused(Reason::ServerDraining, "The server is stopping.")))
    }

    async fn lane(&self, operator: &OperatorId) -> mpsc::Sender<Waiting> {
        let mut lanes = self.lanes.lock().await;
        if let Some(lane) = lanes.get(operator) {
            return lane.clone();
        }
        let (sender, inbox) = mpsc::channel(QUEUE_MAX);
        let lane = Lane::new(operator.clone(), inbox, Arc::clone(&self.shared));
        // Shutdown waits for handlers, and each handler for its answer; a lane ends when the desk is dropped.
        tokio::spawn(lane.run());
        lanes.insert(operator.clone(), sender.clone());
        sender
    }
}

fn overloaded() -> Error {
    Error::refused(Reason::Overloaded, "Too many bookings are waiting; try again shortly.")
        .with_retry_after(Duration::from_millis(200))
}
