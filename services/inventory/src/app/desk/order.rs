//! What callers ask of the desk.

use std::time::{Duration, Instant as Monotonic};

use kernel::{BlockId, Error, OperatorId, Uuid};
use postgres::{Answer, RequestKey};
use tokio::sync::oneshot;

use crate::domain::encumbrance::Right;
use crate::domain::reservation::Reservation;

/// One reservation to be placed.
#[derive(Debug)]
pub struct Order {
    /// Under what the reply is kept.
    pub key: RequestKey,
    /// The reservation, but for its times, which are the database's.
    pub draft: Reservation,
    /// The ids of its claims' blocks, in the order of the claims.
    pub blocks: Vec<BlockId>,
    /// How long it is to be held.
    pub hold_for: Duration,
    /// Open holds its tenant may have with this operator; none = as many as fit.
    pub quota: Option<u32>,
    /// Rights of others on its blocks, which it is answered with.
    pub rights: Vec<Right>,
    /// The id of its event.
    pub event: Uuid,
    /// Only say whether it would be placed.
    pub validate_only: bool,
}

impl Order {
    /// Whose blocks it is about.
    pub fn operator(&self) -> &OperatorId {
        &self.draft.name.operator
    }
}

/// A reservation that was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The reservation.
    pub reservation: Reservation,
    /// Holds its tenant may still open; none where no quota applies.
    pub quota_left: Option<u32>,
    /// Rights of others that must be cleared before a lease, by rank.
    pub rights: Vec<Right>,
}

pub(super) type Reply = Result<Answer<Placed>, Error>;

/// What is known of an order's request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyState {
    /// Nothing: the write itself will tell.
    Unasked,
    /// It must be looked up before anything else.
    Ask,
    /// It was not in the store after the order arrived.
    New,
}

/// An order in a lane.
#[derive(Debug)]
pub(super) struct Waiting {
    // Boxed: an order is moved from list to list many times.
    pub(super) order: Box<Order>,
    pub(super) reply: oneshot::Sender<Reply>,
    /// A refusal must describe the blocks as they were after this.
    pub(super) arrived: Monotonic,
    /// What is known of its request id.
    pub(super) key: KeyState,
    /// How often holds that ran out were looked for in its way.
    pub(super) expiries: u32,
    /// How often its blocks were changed by others between check and write.
    pub(super) races_lost: u32,
    /// How often its batch could not be written at all.
    pub(super) failures: u32,
}

impl Waiting {
    pub(super) fn new(order: Order, reply: oneshot::Sender<Reply>) -> Self {
        Self {
            order: Box::new(order),
            reply,
            arrived: Monotonic::now(),
            key: KeyState::Unasked,
            expiries: 0,
            races_lost: 0,
            failures: 0,
        }
    }

    /// Answers. Whoever asked may have gone away; the deed stands all the same.
    pub(super) fn answer(self, reply: Reply) {
        let _ = self.reply.send(reply);
    }
}
