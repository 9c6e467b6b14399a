//! What the tests of this crate share: a real server on a real socket, tokens, golden files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use contracts::common::v1::clock_service_client::ClockServiceClient;
use contracts::common::v1::clock_service_server::{ClockService, ClockServiceServer};
use contracts::common::v1::{AdvanceTimeRequest, AdvanceTimeResponse, GetTimeRequest, GetTimeResponse};
use contracts::inventory::v1::event_service_server::{EventService, EventServiceServer};
use contracts::inventory::v1::{WatchEventsRequest, WatchEventsResponse};
use kernel::{Clock, Organisation, Role, SystemClock};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt as _;

use crate::client::{Bearer, Channel, channel};
use crate::settings::Settings;
use crate::token::{JWKS_FILE, TokenIssuer};
use crate::{Authenticator, Running, Server};

/// Compares with a golden file beside the sources; `UPDATE_GOLDEN=1` writes it instead.
pub(crate) fn golden(file: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{file} differs; if that is meant, run the test with UPDATE_GOLDEN=1");
}

/// Compares the part of a document between `<!-- part -->` and `<!-- /part -->`, or writes it.
pub(crate) fn golden_part(file: &str, part: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(&begin).unwrap();
    let (shown, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{before}{begin}{actual}{end}{after}")).unwrap();
    } else {
        assert_eq!(shown, actual, "{file} is behind; run the test with UPDATE_GOLDEN=1");
    }
}

/// A server with a clock service that does as it is told, and a stream that never ends by itself.
pub(crate) struct TestServer {
    pub(crate) issuer: TokenIssuer,
    pub(crate) jwks: PathBuf,
    pub(crate) channel: Channel,
    pub(crate) running: Running,
    pub(crate) stop: CancellationToken,
    _directory: tempfile::TempDir,
}

/// What `AdvanceTime` does, by the seconds of its time.
pub(crate) mod told {
    pub(crate) const NOTHING: i64 = 0;
    pub(crate) const PANIC: i64 = 1;
    pub(crate) const SLEEP_2S: i64 = 2;
    pub(crate) const SLEEP_300MS: i64 = 3;
    pub(crate) const COUNT: i64 = 4;
}

/// How many handlers came to their end, whatever their client did.
pub(crate) static FINISHED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// How many handlers that were told to count were started.
pub(crate) static COUNTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

struct Told;

#[tonic::async_trait]
impl ClockService for Told {
    async fn get_time(&self, request: Request<GetTimeRequest>) -> Result<Response<GetTimeResponse>, Status> {
        crate::caller(&request)?;
        Ok(Response::new(GetTimeResponse { time: None }))
    }

    async fn advance_time(
        &self,
        request: Request<AdvanceTimeRequest>,
    ) -> Result<Response<AdvanceTimeResponse>, Status> {
        let told = request.into_inner().time.map_or(told::NOTHING, |time| time.seconds);
        match told {
            told::PANIC => panic!("told to panic with a secret"),
            told::SLEEP_2S => tokio::time::sleep(Duration::from_secs(2)).await,
            told::SLEEP_300MS => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                FINISHED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
            told::COUNT => {
                COUNTED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
            _ => {}
        }
        Ok(Response::new(AdvanceTimeResponse { time: None }))
    }
}

#[tonic::async_trait]
impl EventService for Told {
    type WatchEventsStream = ReceiverStream<Result<WatchEventsResponse, Status>>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let panics = request.into_inner().parent == "panic";
        tokio::spawn(async move {
            // As large as it gets, so that a client that does not read stops the stream soon.
            let filler = if panics { 1 } else { 100_000 };
            while sender
                .send(Ok(WatchEventsResponse { cursor: "x".repeat(filler), ..Default::default() }))
                .await
                .is_ok()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}, Box::new(SystemClock)).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings), token_clock: Box<dyn Clock>) -> Self {
        let add = |server: Server| {
            server.add_service(ClockServiceServer::new(Told)).add_service(EventServiceServer::new(Told))
        };
        Self::start_adding(change, token_clock, add).await
    }

    /// The same server with background work, which goes on for a while after it was told to stop.
    pub(crate) async fn start_lingering(
        linger: Duration,
        work: TaskTracker,
        until: CancellationToken,
    ) -> Self {
        let add = |server: Server| {
            let server = server.wait_for(work, until);
            server.add_service(ClockServiceServer::new(Told)).add_service(EventServiceServer::new(Told))
        };
        Self::start_adding(|settings| settings.server.linger = linger, Box::new(SystemClock), add).await
    }

    /// The same server with another event service.
    pub(crate) async fn start_serving<S: EventService>(service: EventServiceServer<S>) -> Self {
        Self::start_adding(|_| {}, Box::new(SystemClock), |server| server.add_service(service)).await
    }

    async fn start_adding(
        change: impl FnOnce(&mut Settings),
        token_clock: Box<dyn Clock>,
        add: impl FnOnce(Server) -> Server,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issuer = TokenIssuer::in_directory(directory.path()).unwrap();
        let jwks = directory.path().join(JWKS_FILE);
        let mut settings = Settings::local("inventory", "postgres://x", &jwks).unwrap();
        change(&mut settings);
        let authenticator = Authenticator::new(&settings.auth, false, token_clock).unwrap();
        let stop = CancellationToken::new();
        let admin = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        let server = Server::new("inventory", &settings.server, authenticator)
            .observed(crate::Metrics::new("inventory"), admin);
        let server = add(server);
        let running = server.serve(stop.clone()).await.unwrap();
        let channel = channel(&running.url()).unwrap();
        Self { issuer, jwks, channel, running, stop, _directory: directory }
    }

    pub(crate) fn token(&self, organisation: &str, roles: &[Role]) -> String {
        let organisation: Organisation = organisation.parse().unwrap();
        self.issuer.mint("ana", &organisation, roles, Duration::from_secs(600)).unwrap()
    }

    /// A client that may call the clock service.
    pub(crate) fn clock(
        &self,
    ) -> ClockServiceClient<tonic::service::interceptor::InterceptedService<Channel, Bearer>> {
        let token = self.token("platform", &[Role::PlatformAdmin]);
        ClockServiceClient::with_interceptor(self.channel.clone(), Bearer::new(&token).unwrap())
    }

    /// Calls `GetTime` with these metadata.
    pub(crate) async fn get_time(&self, metadata: &[(&'static str, String)]) -> Result<(), Status> {
        let mut request = Request::new(GetTimeRequest {});
        for (name, value) in metadata {
            request.metadata_mut().append(*name, value.parse().unwrap());
        }
        ClockServiceClient::new(self.channel.clone()).get_time(request).await.map(|_| ())
    }
}

/// Tells the clock service what to do.
pub(crate) fn do_as(told: i64) -> Request<AdvanceTimeRequest> {
    Request::new(AdvanceTimeRequest { time: Some(prost_types::Timestamp { seconds: told, nanos: 0 }) })
}

/// The reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
