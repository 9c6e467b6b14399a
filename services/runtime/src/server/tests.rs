//! What every server has: health and reflection, without a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Ready, Server};
use crate::client::channel;
use crate::settings::Settings;
use crate::testing::TestServer;
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
