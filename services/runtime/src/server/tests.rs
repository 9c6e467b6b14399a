//! What every server has: health and reflection, without a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use contracts::common::v1::GetTimeRequest;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use contracts::inventory::v1::WatchEventsRequest;
use contracts::inventory::v1::event_service_client::EventServiceClient;
use kernel::Role;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Ready, Server};
use crate::client::{Bearer, channel};
use crate::settings::Settings;
use crate::testing::{TestServer, reason};
use crate::{Authenticator, TokenIssuer};

async fn health(health: &mut HealthClient<crate::client::Channel>, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    health.check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn readiness_follows_the_check_and_liveness_does_not() {
    let directory = tempfile::tempdir().unwrap();
    TokenIssuer::in_directory(directory.path()).unwrap();
    let jwks = directory.path().join(crate::token::JWKS_FILE);
    let mut settings = Settings::local("inventory", "postgres://x", &jwks).unwrap();
    settings.server.linger = Duration::from_millis(600);
    let clock = kernel::TestClock::new(kernel::Clock::now(&kernel::SystemClock));
    let authenticator = Authenticator::new(&settings.auth, false, Box::new(kernel::SystemClock)).unwrap();
    let there = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&there);
    let check: Ready = Arc::new(move || {
        let there = seen.load(Ordering::SeqCst);
        Box::pin(async move { there })
    });
    let stop = CancellationToken::new();
    let running = Server::new("inventory", &settings.server, authenticator)
        .add_service(crate::clock_service(clock))
        .ready_when(check)
        .serve(stop.clone())
        .await
        .unwrap();
    let mut client = HealthClient::new(channel(&running.url()).unwrap());
    let ours = "gridlease.common.v1.ClockService";
    assert_eq!(health(&mut client, "").await, ServingStatus::NotServing);
    assert_eq!(health(&mut client, "liveness").await, ServingStatus::Serving);

    there.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_800)).await;
    assert_eq!(health(&mut client, ours).await, ServingStatus::Serving);
    there.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_800)).await;
    assert_eq!(health(&mut client, ours).await, ServingStatus::NotServing);
    there.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_800)).await;

    // Told to stop: not ready at once, alive until the end, whatever the check says.
    stop.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(health(&mut client, "").await, ServingStatus::NotServing);
    assert_eq!(health(&mut client, "liveness").await, ServingStatus::Serving);
    tokio::time::timeout(Duration::from_secs(3), running.ended()).await.unwrap();
}

/// Balancers send people to a server that was told to stop until they have learnt it. Whoever comes is served, and from what
/// is known now: the work in the background goes on as long.
#[tokio::test]
async fn whoever_comes_while_it_lingers_is_served_and_its_work_goes_on() {
    let linger = Duration::from_millis(1_500);
    let (work, until, beats) = (TaskTracker::new(), CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let (counted, end) = (Arc::clone(&beats), until.clone());
    work.spawn(async move {
        while end.run_until_cancelled(tokio::time::sleep(Duration::from_millis(20))).await.is_some() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let server = TestServer::start_lingering(linger, work.clone(), until.clone()).await;
    let sales = Bearer::new(&server.token("operators/north", &[Role::Sales])).unwrap();
    let admin = server.token("platform", &[Role::PlatformAdmin]);
    let bearer = || Bearer::new(&admin).unwrap();

    server.stop.cancel();
    tokio::time::sleep(linger / 3).await;
    let before = beats.load(Ordering::SeqCst);
    let newcomer = channel(&server.running.url()).unwrap();
    let mut clock = ClockServiceClient::with_interceptor(newcomer.clone(), bearer());
    clock.get_time(GetTimeRequest {}).await.expect("a new connection is served");
    let mut events = EventServiceClient::with_interceptor(newcomer, sales);
    let asked = WatchEventsRequest { parent: "operators/north".to_owned(), ..Default::default() };
    let mut stream = events.watch_events(asked).await.expect("a new stream is served").into_inner();
    stream.message().await.expect("it tells events").expect("an event");
    tokio::time::sleep(linger / 6).await;
    assert!(beats.load(Ordering::SeqCst) > before && !until.is_cancelled(), "the work has ended early");

    // Then it ends: streams are told why, the work is waited for, and nobody is let in.
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended without a word"),
                Err(status) => return status,
            }
        }
    };
    let status = tokio::time::timeout(linger * 2, ended).await.expect("the stream ends");
    assert_eq!(reason(&status), "SERVER_DRAINING");
    let url = server.running.url();
    tokio::time::timeout(linger * 2, server.running.ended()).await.expect("the server ends");
    assert!(until.is_cancelled() && work.is_empty(), "the work was not waited for");
    let late = ClockServiceClient::with_interceptor(channel(&url).unwrap(), bearer());
    late.clone().get_time(GetTimeRequest {}).await.expect_err("nobody listens");
}

#[tokio::test]
async fn reflection_speaks_both_versions_and_lists_our_services() {
    macro_rules! services {
        ($version:ident, $server:expr) => {{
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = tonic_reflection::pb::$version::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new($server.channel.clone());
            let requests = tokio_stream::iter([request]);
            let mut answers = client.server_reflection_info(requests).await.unwrap().into_inner();
            match answers.message().await.unwrap().unwrap().message_response {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        }};
    }
    let server = TestServer::start().await;
    for listed in [services!(v1, server), services!(v1alpha, server)] {
        for service in ["gridlease.inventory.v1.SiteService", "grpc.health.v1.Health"] {
            assert!(listed.iter().any(|name| name == service), "{service} in {listed:?}");
        }
    }
}
