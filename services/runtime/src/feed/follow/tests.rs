//! A follower against a feed that breaks, repeats and lies.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contracts::common::v1::Event;
use contracts::inventory::v1::event_service_client::EventServiceClient;
use contracts::inventory::v1::event_service_server::{EventService, EventServiceServer};
use contracts::inventory::v1::{WatchEventsRequest, WatchEventsResponse};
use kernel::{Error, Reason, Violations};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{Consumer, FeedStream, follow};
use crate::client::{Peer, ServiceTokens};
use crate::feed::FeedMessage as _;
use crate::testing::TestServer;

const EVENTS: usize = 20;

/// Sends the events after the cursor, with heartbeats between them, and breaks after every third.
struct Breaking;

#[tonic::async_trait]
impl EventService for Breaking {
    type WatchEventsStream = ReceiverStream<Result<WatchEventsResponse, Status>>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let after = match request.get_ref().after_cursor.as_str() {
            "" => 0,
            known => known.parse().map_err(|_| refused_cursor())?,
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        for position in (after + 1..=EVENTS).take(3) {
            let event = Event { id: position.to_string(), ..Event::default() };
            for event in [Some(event), None] {
                let message =
                    WatchEventsResponse::assemble(event, position.to_string(), super::super::serve::now());
                sender.send(Ok(message)).await.map_err(|_| Status::internal("gone"))?;
            }
        }
        if after < EVENTS {
            sender.send(Err(Status::unavailable("cut"))).await.map_err(|_| Status::internal("gone"))?;
        } else {
            tokio::spawn(async move { sender.closed().await });
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// As a feed refuses a cursor of another life.
fn refused_cursor() -> Status {
    let mut v = Violations::new();
    v.add("after_cursor", "is none of this feed");
    crate::status(v.finish().expect_err("a violation"))
}

/// Keeps what it took; fails or is overtaken now and then.
struct Taking {
    peer: Peer,
    kept: Mutex<(Option<String>, Vec<String>)>,
    calls: AtomicUsize,
}

impl Consumer for Taking {
    type Message = WatchEventsResponse;

    async fn cursor(&self) -> Result<Option<String>, Error> {
        Ok(self.kept.lock().unwrap().0.clone())
    }

    async fn open(&self, after: Option<String>) -> Result<FeedStream<WatchEventsResponse>, Error> {
        let request = WatchEventsRequest { after_cursor: after.unwrap_or_default(), ..Default::default() };
        self.peer
            .open(None, request, |channel, request| async move {
                EventServiceClient::new(channel).watch_events(request).await
            })
            .await
    }

    async fn take(&self, event: Option<&Event>, expected: Option<&str>, next: &str) -> Result<bool, Error> {
        match self.calls.fetch_add(1, Ordering::SeqCst) {
            4 => return Err(Error::refused(Reason::StoreUnavailable, "The store went away.")),
            9 => return Ok(false),
            _ => {}
        }
        let mut kept = self.kept.lock().unwrap();
        assert_eq!(kept.0.as_deref(), expected);
        kept.0 = Some(next.to_owned());
        kept.1.extend(event.map(|event| event.id.clone()));
        Ok(true)
    }
}

/// Follows from a cursor until every event was taken; gives the ids in the order in which they were.
async fn followed_from(cursor: Option<&str>) -> Vec<String> {
    let server = TestServer::start_serving(EventServiceServer::new(Breaking)).await;
    let tokens = ServiceTokens::minted(server.issuer.clone(), "leasing");
    let peer = Peer::new("inventory", &server.running.url(), tokens, Duration::from_secs(2)).unwrap();
    let kept = Mutex::new((cursor.map(str::to_owned), Vec::new()));
    let consumer = Taking { peer, kept, calls: AtomicUsize::new(0) };
    let stop = CancellationToken::new();
    let all = async {
        while consumer.kept.lock().unwrap().1.len() < EVENTS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    let feed = crate::Metrics::new("leasing").feed("inventory");
    let both = async { tokio::join!(follow(&feed, &consumer, &stop), all) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .expect("it follows to the end and stops when told");
    consumer.kept.into_inner().unwrap().1
}

fn all_in_order() -> Vec<String> {
    (1..=EVENTS).map(|position| position.to_string()).collect()
}

#[tokio::test]
async fn every_event_is_taken_once_in_order_whatever_breaks() {
    assert_eq!(followed_from(None).await, all_in_order());
}

#[tokio::test]
async fn the_feed_of_a_restored_peer_is_read_from_its_beginning() {
    assert_eq!(followed_from(Some("of another life")).await, all_in_order());
}
