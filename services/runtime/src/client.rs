//! Calls to peers: a lazy channel, a fresh token, a deadline, a bounded number of tries.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use kernel::{Error, Organisation, Reason};
use postgres::Secret;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Response, Status};
use tracing::Instrument as _;

use crate::auth::ON_BEHALF_OF;
use crate::door::left_for_peer;
use crate::settings::{AuthSettings, PeerSettings};
use crate::status::peer_error;
use crate::telemetry::trace;
use crate::tls;
use crate::token::TokenIssuer;

pub use tonic::transport::Channel;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long a minted token lives, and how long before its end it is renewed.
const TOKEN_LIFETIME: Duration = Duration::from_secs(300);
const TOKEN_RENEWED_BEFORE: Duration = Duration::from_secs(120);
/// How long a token read from a file is believed before the file is read again.
const TOKEN_FILE_FRESH: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// A connection to `address` (`http://host:port`), made when it is first used and again when it was lost.
///
/// # Errors
/// `INTERNAL` if the address is none.
pub fn channel(address: &str) -> Result<Channel, Error> {
    Ok(endpoint(address.to_owned())?.connect_lazy())
}

/// As [`channel`], by TLS where the address is `https://host:port`: with the authorities and the certificate of these
/// settings, which is read anew for every connection.
///
/// # Errors
/// `INTERNAL` if the address is none, or a file of the settings does not read.
pub fn channel_to(address: &str, settings: &PeerSettings) -> Result<Channel, Error> {
    if !address.starts_with("https://") {
        return channel(address);
    }
    by_tls(address, tls::for_peers(settings).map_err(Error::internal)?)
}

/// A connection to a collector of traces: as [`channel_to`], but with the authorities of the web or of this file.
pub(crate) fn collector(address: &str, authorities: Option<&Path>) -> Result<Channel, Error> {
    if !address.starts_with("https://") {
        return channel(address);
    }
    let mut config = Arc::unwrap_or_clone(tls::for_the_web(authorities).map_err(Error::internal)?);
    config.alpn_protocols = vec![b"h2".to_vec()];
    by_tls(address, Arc::new(config))
}

fn by_tls(address: &str, config: Arc<ClientConfig>) -> Result<Channel, Error> {
    let authority = address.trim_start_matches("https://");
    let connector = TlsConnector::from(config);
    // The library would make TLS of its own of an `https`; what it is told as `http` is the connection we made.
    let endpoint = endpoint(format!("http://{authority}"))?;
    let connect = tower::service_fn(move |uri: Uri| {
        let connector = connector.clone();
        async move {
            let bad = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
            let host = uri.host().ok_or_else(bad)?.to_owned();
            let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::try_from(host).map_err(|_| bad())?;
            Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
        }
    });
    Ok(endpoint.connect_with_connector_lazy(connect))
}

fn endpoint(address: String) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_shared(address).map_err(Error::internal)?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE))
}

/// Puts one person's token on every call of a generated client: for the command line and for tests.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    /// Calls with this token.
    ///
    /// # Errors
    /// `INTERNAL` if the text cannot be a token.
    pub fn new(token: &str) -> Result<Self, Error> {
        bearer(token).map(Self)
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Where a service's own token comes from.
#[derive(Clone)]
pub struct ServiceTokens {
    inner: Arc<Origin>,
}

enum Origin {
    Minted { issuer: TokenIssuer, service: String, last: Mutex<Option<(Secret, Instant)>> },
    File { path: PathBuf, last: Mutex<Option<(Secret, Instant)>> },
    None,
}

impl ServiceTokens {
    /// As the settings say: a file, the development issuer's key, or no token at all.
    ///
    /// # Errors
    /// `INTERNAL` if the development key cannot be read.
    pub fn new(service: &str, settings: &AuthSettings) -> Result<Self, Error> {
        if let Some(path) = &settings.token_file {
            return Ok(Self::from_file(path));
        }
        match &settings.development_key_file {
            Some(key) => Ok(Self::minted(TokenIssuer::from_file(key)?, service)),
            None => Ok(Self { inner: Arc::new(Origin::None) }),
        }
    }

    /// Tokens that a development issuer mints and renews.
    pub fn minted(issuer: TokenIssuer, service: &str) -> Self {
        let origin = Origin::Minted { issuer, service: service.to_owned(), last: Mutex::new(None) };
        Self { inner: Arc::new(origin) }
    }

    /// A token that someone else renews in a file.
    pub fn from_file(path: &Path) -> Self {
        Self { inner: Arc::new(Origin::File { path: path.to_owned(), last: Mutex::new(None) }) }
    }

    /// A token that is good for a while.
    fn token(&self) -> Result<Secret, Error> {
        let (last, fresh_for) = match &*self.inner {
            Origin::Minted { last, .. } => (last, TOKEN_LIFETIME.saturating_sub(TOKEN_RENEWED_BEFORE)),
            Origin::File { last, .. } => (last, TOKEN_FILE_FRESH),
            Origin::None => return Err(Error::internal("this service has no token for its peers")),
        };
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, got)) = &*last
            && got.elapsed() < fresh_for
        {
            return Ok(token.clone());
        }
        let token = self.renewed()?;
        *last = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    fn renewed(&self) -> Result<Secret, Error> {
        match &*self.inner {
            Origin::Minted { issuer, service, .. } => {
                issuer.mint_service(service, TOKEN_LIFETIME).map(Secret::new)
            }
            Origin::File { path, .. } => {
                let text = std::fs::read_to_string(path).map_err(Error::internal)?;
                Ok(Secret::new(text.trim()))
            }
            Origin::None => Err(Error::internal("this service has no token for its peers")),
        }
    }
}

/// Another service, as this one calls it.
#[derive(Clone)]
pub struct Peer {
    name: &'static str,
    channel: Channel,
    tokens: ServiceTokens,
    deadline: Duration,
}

impl Peer {
    /// The peer `name` at `address`; no call to it takes longer than `deadline`, tries included.
    ///
    /// # Errors
    /// `INTERNAL` if the address is none.
    pub fn new(
        name: &'static str,
        address: &str,
        tokens: ServiceTokens,
        deadline: Duration,
    ) -> Result<Self, Error> {
        Ok(Self::over(name, channel(address)?, tokens, deadline))
    }

    /// The peer `name` at the other end of this connection.
    pub fn over(name: &'static str, channel: Channel, tokens: ServiceTokens, deadline: Duration) -> Self {
        Self { name, channel, tokens, deadline }
    }

    /// Calls an RPC that may be repeated: a read, or a write with a request id (all of ours).
    ///
    /// `on_behalf_of` is the organisation whose right the peer checks; `None` is this service's own work. UNAVAILABLE
    /// and broken connections are tried again, at most three times and within the deadline: the peer's, and the present request's if nearer.
    ///
    /// ```ignore
    /// let reply = inventory
    ///     .call(Some(caller.effective_organisation()), request, |channel, request| async move {
    ///         ReservationServiceClient::new(channel).place_hold(request).await
    ///     })
    ///     .await?;
    /// ```
    ///
    /// # Errors
    /// The peer's refusal as it is (reason, message, metadata); `DEADLINE_EXCEEDED`; else `PEER_UNAVAILABLE`.
    pub async fn call<M, R, F, Fut>(
        &self,
        on_behalf_of: Option<&Organisation>,
        message: M,
        send: F,
    ) -> Result<R, Error>
    where
        M: Clone,
        F: Fn(Channel, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let span = tracing::debug_span!("call", otel.name = self.name, otel.kind = "client");
        self.tries(on_behalf_of, message, send).instrument(span).await
    }

    async fn tries<M, R, F, Fut>(
        &self,
        on_behalf_of: Option<&Organisation>,
        message: M,
        send: F,
    ) -> Result<R, Error>
    where
        M: Clone,
        F: Fn(Channel, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let time = left_for_peer().map_or(self.deadline, |left| left.min(self.deadline));
        let end = Instant::now() + time;
        let mut tried = 1;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(out_of_time(self.name));
            }
            let mut request = self.request(on_behalf_of, message.clone())?;
            request.set_timeout(left);
            let status = match tokio::time::timeout(left, send(self.channel.clone(), request)).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => return Err(out_of_time(self.name)),
            };
            if !may_help(&status) || tried == TRIES {
                tracing::debug!(peer = self.name, tried, code = ?status.code(), "peer refused");
                return Err(peer_error(self.name, status));
            }
            tokio::time::sleep(jitter(PAUSE * 2_u32.pow(tried)).min(left)).await;
            tried += 1;
        }
    }

    /// Opens a stream: the deadline is for its beginning, not for its length; not tried again.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn open<M, R, F, Fut>(
        &self,
        on_behalf_of: Option<&Organisation>,
        message: M,
        send: F,
    ) -> Result<R, Error>
    where
        F: FnOnce(Channel, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let request = self.request(on_behalf_of, message)?;
        match tokio::time::timeout(self.deadline, send(self.channel.clone(), request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(peer_error(self.name, status)),
            Err(_) => Err(out_of_time(self.name)),
        }
    }

    fn request<M>(&self, on_behalf_of: Option<&Organisation>, message: M) -> Result<Request<M>, Error> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", bearer(self.tokens.token()?.expose())?);
        if let Some(organisation) = on_behalf_of {
            let value = organisation.to_string().parse().map_err(Error::internal)?;
            request.metadata_mut().insert(ON_BEHALF_OF, value);
        }
        trace::pass_on(request.metadata_mut());
        Ok(request)
    }
}

/// Whether another try may help: the peer says so, or a connection broke and nobody said anything.
fn may_help(status: &Status) -> bool {
    let broke = matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled);
    status.code() == Code::Unavailable || (broke && status.details().is_empty())
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, Error> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

fn out_of_time(peer: &str) -> Error {
    Error::refused(Reason::DeadlineExceeded, "Time ran out and the outcome is unknown; repeat the call.")
        .with_source(format!("{peer} did not answer in time"))
}

/// Full jitter: callers that were refused together do not come back together.
pub(crate) fn jitter(longest: Duration) -> Duration {
    let mut random = [0_u8; 2];
    // Without randomness the pause is the longest one: slower, never wrong.
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => longest * u32::from(u16::from_ne_bytes(random)) / u32::from(u16::MAX),
        Err(_) => longest,
    }
}

#[cfg(test)]
mod tests;
