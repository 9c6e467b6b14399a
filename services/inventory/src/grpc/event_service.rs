//! `gridlease.inventory.v1.EventService`.

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::event_service_server::EventService;
use runtime::feed::{EventStream, Feed};
use runtime::{caller, status};
use tonic::{Request, Response, Status};

/// Answers for events.
pub struct EventHandler {
    feed: Feed,
}

impl EventHandler {
    /// A handler of this feed.
    #[must_use]
    pub fn new(feed: Feed) -> Self {
        Self { feed }
    }
}

#[tonic::async_trait]
impl EventService for EventHandler {
    type WatchEventsStream = EventStream<wire::WatchEventsResponse>;

    async fn watch_events(
        &self,
        request: Request<wire::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let stream = self
            .feed
            .watch(&caller, &asked.parent, &asked.after_cursor, asked.kinds)
            .await
            .map_err(status)?;
        Ok(Response::new(stream))
    }
}
