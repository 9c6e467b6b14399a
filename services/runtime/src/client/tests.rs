//! Calls between services, over sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contracts::common::v1::GetTimeRequest;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use contracts::inventory::v1::WatchEventsRequest;
use contracts::inventory::v1::event_service_client::EventServiceClient;
use kernel::{Error, Reason, Role};
use tokio::time::Instant;

use super::{Peer, ServiceTokens};
use crate::status;
use crate::testing::{TestServer, do_as, told};

fn peer(server: &TestServer, deadline: Duration) -> Peer {
    let tokens = ServiceTokens::minted(server.issuer.clone(), "leasing");
    Peer::new("inventory", &server.running.url(), tokens, deadline).unwrap()
}

/// A peer that shows a platform administrator's token, so that it may call what the test server serves.
fn admin(server: &TestServer, file: &std::path::Path, deadline: Duration) -> Peer {
    std::fs::write(file, format!("{}\n", server.token("platform", &[Role::PlatformAdmin]))).unwrap();
    Peer::new("inventory", &server.running.url(), ServiceTokens::from_file(file), deadline).unwrap()
}

async fn get_time(peer: &Peer) -> Result<(), Error> {
    peer.call(None, GetTimeRequest {}, |channel, request| async move {
        ClockServiceClient::new(channel).get_time(request).await
    })
    .await
    .map(|_| ())
}

#[tokio::test]
async fn a_service_shows_its_own_token_and_whom_it_acts_for() {
    let server = TestServer::start().await;
    let peer = peer(&server, Duration::from_secs(2));
    // The clock is not for services: the refusal shows that the token was believed.
    assert_eq!(get_time(&peer).await.unwrap_err().reason(), Reason::RoleNotAllowed);
    let mut stream = peer
        .open(
            Some(&"operators/acme".parse().unwrap()),
            WatchEventsRequest::default(),
            |channel, request| async move { EventServiceClient::new(channel).watch_events(request).await },
        )
        .await
        .unwrap();
    assert!(stream.message().await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_file_and_deadlines() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let peer = admin(&server, &directory.path().join("token"), Duration::from_millis(300));
    get_time(&peer).await.unwrap();
    let started = Instant::now();
    let error = peer
        .call(None, do_as(told::SLEEP_2S).into_inner(), |channel, request| async move {
            ClockServiceClient::new(channel).advance_time(request).await
        })
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::DeadlineExceeded);
    assert!(started.elapsed() < Duration::from_millis(1_900), "it waited for the peer");
}

#[tokio::test]
async fn unavailable_is_tried_three_times_and_a_refusal_once() {
    let server = TestServer::start().await;
    let peer = peer(&server, Duration::from_secs(2));
    for (reason, tries) in
        [(Reason::ServerDraining, 3), (Reason::CapacityExhausted, 1), (Reason::Internal, 1)]
    {
        let tried = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tried);
        let error = peer
            .call(None, (), move |_, _| {
                count.fetch_add(1, Ordering::SeqCst);
                async move { Err::<tonic::Response<()>, _>(status(Error::refused(reason, "No."))) }
            })
            .await
            .unwrap_err();
        assert_eq!(tried.load(Ordering::SeqCst), tries, "{reason}");
        let passed = if reason == Reason::CapacityExhausted { reason } else { Reason::PeerUnavailable };
        assert_eq!(error.reason(), passed);
    }
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable_soon_and_found_when_it_comes() {
    let tokens = ServiceTokens::minted(crate::TokenIssuer::development().unwrap(), "leasing");
    let nobody =
        Peer::new("inventory", "http://127.0.0.1:1", tokens.clone(), Duration::from_secs(2)).unwrap();
    let started = Instant::now();
    assert_eq!(get_time(&nobody).await.unwrap_err().reason(), Reason::PeerUnavailable);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(Peer::new("inventory", "not an address", tokens, Duration::from_secs(2)).is_err());
}
