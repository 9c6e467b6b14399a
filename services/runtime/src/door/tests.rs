//! The door over real sockets: deadlines, panics, bytes that are no message, load, and an end that always comes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::inventory::v1::event_service_client::EventServiceClient;
use contracts::inventory::v1::{GetSiteRequest, WatchEventsRequest};
use kernel::{Clock as _, Role, SystemClock, TestClock};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::client::Bearer;
use crate::testing::{COUNTED, FINISHED, TestServer, do_as, reason, told};

const GET_TIME: &str = "/gridlease.common.v1.ClockService/GetTime";
const ADVANCE_TIME: &str = "/gridlease.common.v1.ClockService/AdvanceTime";

/// Calls any path with any message, as platform_admin.
async fn call_raw(
    server: &TestServer,
    path: &str,
    message: impl prost::Message + 'static,
) -> Result<(), Status> {
    let token = server.token("platform", &[Role::PlatformAdmin]);
    call_raw_with(server, path, message, Some(&token)).await
}

async fn call_raw_with<M: prost::Message + 'static>(
    server: &TestServer,
    path: &str,
    message: M,
    token: Option<&str>,
) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(server.channel.clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let codec = tonic_prost::ProstCodec::<M, GetSiteRequest>::default();
    grpc.unary(request, path.parse().unwrap(), codec).await.map(|_| ())
}

fn site(name: &str) -> GetSiteRequest {
    GetSiteRequest { name: name.to_owned(), ..Default::default() }
}

fn told_apart(result: Result<(), Status>) -> (Code, String) {
    let status = result.unwrap_err();
    (status.code(), reason(&status))
}

#[tokio::test]
async fn an_unknown_path_is_unimplemented_and_needs_no_token() {
    let server = TestServer::start().await;
    for path in [
        "/gridlease.common.v1.ClockService/Nothing",
        "/gridlease.common.v1.Nothing/GetTime",
        "/gridlease.common.v1.ClockService/GetTime/",
        "/gridlease.common.v1.ClockService//GetTime",
        "/../gridlease.common.v1.ClockService/GetTime",
        "/gridlease.common.v1.ClockService/gettime",
        "/",
    ] {
        let told = told_apart(call_raw_with(&server, path, site(""), None).await);
        assert_eq!(told, (Code::Unimplemented, "UNIMPLEMENTED".to_owned()), "{path}");
    }
    // One of ours that another service serves: the policy is asked first, then there is nothing.
    let elsewhere = "/gridlease.inventory.v1.SiteService/CreateOperator";
    let told = told_apart(call_raw(&server, elsewhere, site("")).await);
    assert_eq!(told, (Code::Unimplemented, "UNIMPLEMENTED".to_owned()));
    let told = told_apart(call_raw_with(&server, elsewhere, site(""), None).await);
    assert_eq!(told.0, Code::Unauthenticated);
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_clients_fault() {
    let server = TestServer::start().await;
    // Field 1 of AdvanceTimeRequest is a message; these texts are not one.
    for text in ["x", "\u{7f}\u{7f}\u{7f}\u{7f}", "\n\n\n\n\n"] {
        let told = told_apart(call_raw(&server, ADVANCE_TIME, site(text)).await);
        assert_eq!(told, (Code::InvalidArgument, "MALFORMED_MESSAGE".to_owned()), "{text:?}");
    }
}

#[tokio::test]
async fn a_large_message_is_refused_and_a_full_one_is_not() {
    let server = TestServer::start().await;
    let largest = 1_048_576 - 4;
    call_raw(&server, GET_TIME, site(&"x".repeat(largest))).await.unwrap();
    for size in [largest + 1, 3_000_000, 6_000_000] {
        let told = told_apart(call_raw(&server, GET_TIME, site(&"x".repeat(size))).await);
        assert_eq!(told, (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned()), "{size}");
    }
}

#[tokio::test]
async fn compressed_messages_are_refused_with_what_is_accepted() {
    let server = TestServer::start().await;
    let mut client = server.clock().send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let status = client.get_time(contracts::common::v1::GetTimeRequest {}).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "UNIMPLEMENTED"));
}

#[tokio::test]
async fn large_metadata_does_not_reach_a_handler() {
    let server = TestServer::start().await;
    let token = server.token("platform", &[Role::PlatformAdmin]);
    let metadata = [("authorization", format!("Bearer {token}")), ("x-filler", "x".repeat(20_000))];
    assert!(server.get_time(&metadata).await.is_err());
    server.get_time(&metadata[..1]).await.unwrap();
}

#[tokio::test]
async fn a_deadline_passes_as_deadline_exceeded_and_the_handler_goes_on() {
    let server = TestServer::start().await;
    let finished = FINISHED.load(Ordering::SeqCst);
    let mut request = do_as(told::SLEEP_2S);
    // Long enough that the server's answer, 50 ms early, is there before the client's library gives up.
    request.metadata_mut().insert("grpc-timeout", "1S".parse().unwrap());
    let started = Instant::now();
    let status = server.clock().advance_time(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    assert!(started.elapsed() < Duration::from_millis(1_900), "{:?}", started.elapsed());

    // A client that goes away does not stop the handler.
    let mut client = server.clock();
    let gone = timeout(Duration::from_millis(50), client.advance_time(do_as(told::SLEEP_300MS))).await;
    assert!(gone.is_err());
    let ended = async {
        while FINISHED.load(Ordering::SeqCst) == finished {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(2), ended).await.expect("the handler comes to its end");
}

#[tokio::test]
async fn a_deadline_that_is_none_is_refused_and_a_spent_one_starts_nothing() {
    let server = TestServer::start().await;
    let token = format!("Bearer {}", server.token("platform", &[Role::PlatformAdmin]));
    let with = async |timeout: &str| {
        let metadata = [("authorization", token.clone()), ("grpc-timeout", timeout.to_owned())];
        server.get_time(&metadata).await.map_err(|status| (status.code(), reason(&status)))
    };
    for malformed in ["-1S", "abc", "1X", "", "123456789S", "1.5S"] {
        let told = with(malformed).await.unwrap_err();
        assert_eq!(told, (Code::InvalidArgument, "INVALID_FIELD".to_owned()), "{malformed:?}");
    }
    with("99999999H").await.unwrap();
    with("2S").await.unwrap();
    let counted = COUNTED.load(Ordering::SeqCst);
    for spent in ["1m", "1u", "1n", "0S"] {
        let mut request = do_as(told::COUNT);
        request.metadata_mut().insert("grpc-timeout", spent.parse().unwrap());
        // The client's library may give up first, with CANCELLED.
        let code = server.clock().advance_time(request).await.unwrap_err().code();
        assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{spent}: {code:?}");
    }
    assert_eq!(COUNTED.load(Ordering::SeqCst), counted, "work whose time is over is not started");
    server.clock().advance_time(do_as(told::COUNT)).await.unwrap();
    assert_eq!(COUNTED.load(Ordering::SeqCst), counted + 1);
}

#[tokio::test]
async fn the_servers_own_bound_holds_for_clients_without_a_deadline() {
    let quick = |settings: &mut crate::Settings| settings.server.max_deadline = Duration::from_millis(200);
    let server = TestServer::start_with(quick, Box::new(SystemClock)).await;
    let status = server.clock().advance_time(do_as(told::SLEEP_2S)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn a_panic_is_one_internal_answer_that_says_nothing() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        let status = server.clock().advance_time(do_as(told::PANIC)).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
        assert_eq!(status.message(), kernel::error::INTERNAL_MESSAGE);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().metadata["error_id"].len(), 16);
    }
    server.clock().advance_time(do_as(told::NOTHING)).await.unwrap();
}

#[tokio::test]
async fn more_load_than_the_limit_is_shed_at_once() {
    let small = |settings: &mut crate::Settings| settings.server.max_in_flight = 2.try_into().unwrap();
    let server = TestServer::start_with(small, Box::new(SystemClock)).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let mut client = server.clock();
        // Refused while it finds the other and the one below before it.
        calls.spawn(async move { while client.advance_time(do_as(told::SLEEP_2S)).await.is_err() {} });
    }
    // Until both have arrived, others get through.
    let status = loop {
        match server.clock().advance_time(do_as(told::NOTHING)).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(status.get_error_details().retry_info().is_some());
    assert!(calls.try_join_next().is_none(), "it was refused only when others had ended");
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    server.clock().advance_time(do_as(told::NOTHING)).await.unwrap();
}

async fn watch(
    server: &TestServer,
    parent: &str,
) -> tonic::Streaming<contracts::inventory::v1::WatchEventsResponse> {
    let token = server.token("operators/acme", &[Role::Sales]);
    let mut client =
        EventServiceClient::with_interceptor(server.channel.clone(), Bearer::new(&token).unwrap());
    let request = WatchEventsRequest { parent: parent.to_owned(), ..Default::default() };
    client.watch_events(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_stream_outlives_the_deadline_and_ends_with_its_token() {
    let clock = TestClock::new(SystemClock.now());
    let quick = |settings: &mut crate::Settings| settings.server.max_deadline = Duration::from_millis(100);
    let server = TestServer::start_with(quick, Box::new(clock.clone())).await;
    // The token lives for 600 s and the leeway of 30; a second is left.
    clock.advance(chrono::TimeDelta::seconds(628)).unwrap();
    let mut stream = watch(&server, "").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stream.message().await.unwrap().is_some(), "the deadline is for the beginning only");
    clock.advance(chrono::TimeDelta::seconds(10)).unwrap();
    let ended = async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    };
    let status = timeout(Duration::from_secs(4), ended).await.unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn shutdown_ends_streams_and_idle_clients_at_once() {
    let server = TestServer::start().await;
    let mut stream = watch(&server, "").await;
    assert!(stream.message().await.unwrap().is_some());
    let started = Instant::now();
    server.stop.cancel();
    let ended = async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    };
    let status = timeout(Duration::from_secs(3), ended).await.unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "SERVER_DRAINING"));
    timeout(Duration::from_secs(3), server.running.ended()).await.expect("nothing is left to wait for");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn shutdown_waits_for_calls_in_flight() {
    let server = TestServer::start().await;
    let mut client = server.clock();
    let call = tokio::spawn(async move { client.advance_time(do_as(told::SLEEP_300MS)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    timeout(Duration::from_secs(3), server.running.ended()).await.unwrap();
    call.await.unwrap().expect("it was answered before the end");
}

#[tokio::test]
async fn shutdown_ends_whatever_clients_do() {
    let short = |settings: &mut crate::Settings| settings.server.drain = Duration::from_millis(700);
    let server = TestServer::start_with(short, Box::new(SystemClock)).await;
    // One that never speaks, one that speaks half a preface, one that never reads, one whose call does not end.
    let mut silent = tokio::net::TcpStream::connect(server.running.address).await.unwrap();
    let mut slow = tokio::net::TcpStream::connect(server.running.address).await.unwrap();
    slow.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    let unread = watch(&server, "").await;
    let mut client = server.clock();
    let call = tokio::spawn(async move { client.advance_time(do_as(told::SLEEP_2S)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    server.stop.cancel();
    timeout(Duration::from_secs(2), server.running.ended()).await.expect("the end always comes");
    assert!(started.elapsed() < Duration::from_millis(1_500), "{:?}", started.elapsed());
    assert!(call.await.unwrap().is_err());
    let mut sent = Vec::new();
    for stream in [&mut silent, &mut slow] {
        // Whatever the server said before, then the end.
        let read =
            timeout(Duration::from_secs(1), tokio::io::AsyncReadExt::read_to_end(stream, &mut sent)).await;
        assert!(read.is_ok(), "the connection is closed");
    }
    drop(unread);
}

#[test]
fn a_service_proves_its_name_and_people_need_not() {
    let caller = |organisation: &str, role| kernel::Caller {
        subject: "x".to_owned(),
        organisation: organisation.parse().unwrap(),
        roles: vec![role],
        on_behalf_of: None,
        token_id: "1".to_owned(),
    };
    let tcp = tonic::transport::server::TcpConnectInfo { local_addr: None, remote_addr: None };
    let shown = |names: &[&str]| super::Shown {
        tcp: tcp.clone(),
        names: Some(names.iter().map(ToString::to_string).collect()),
    };
    let leasing = caller("services/leasing", Role::Service);
    assert!(super::proves(Some(&shown(&["other", "leasing"])), &leasing));
    for bad in [None, Some(shown(&[])), Some(shown(&["billing"])), Some(shown(&["leasing.evil", "*"]))] {
        assert!(!super::proves(bad.as_ref(), &leasing));
    }
    assert!(super::proves(None, &caller("operators/acme", Role::Sales)));
}
