//! Event feeds: served from a service's outbox, followed by its peers.

mod follow;
mod serve;

pub use follow::{Consumer, FeedStream, follow};
pub use serve::{EventStream, Feed};

use contracts::common::v1::Event;
use prost_types::Timestamp;

/// A message of a feed: an event, or a heartbeat, with the cursor after it. The three services' `WatchEventsResponse`.
pub trait FeedMessage: Send + 'static {
    /// Puts the message together.
    fn assemble(event: Option<Event>, cursor: String, time: Timestamp) -> Self;

    /// Takes it apart: the event, if it is no heartbeat, and where to resume after it.
    fn disassemble(self) -> (Option<Event>, String);
}

macro_rules! feed_messages {
    ($($message:ty),* $(,)?) => {
        $( impl FeedMessage for $message {
            fn assemble(event: Option<Event>, cursor: String, time: Timestamp) -> Self {
                Self { event, cursor, time: Some(time) }
            }

            fn disassemble(self) -> (Option<Event>, String) {
                (self.event, self.cursor)
            }
        } )*
    };
}

feed_messages! {
    contracts::billing::v1::WatchEventsResponse,
    contracts::inventory::v1::WatchEventsResponse,
    contracts::leasing::v1::WatchEventsResponse,
}
