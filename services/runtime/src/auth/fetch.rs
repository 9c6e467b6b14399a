//! One HTTP request for a key set: no redirect, no proxy, a bounded answer in a bounded time.

use std::time::Duration;

use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use prost::bytes::Bytes;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::keys::SET_MAX_BYTES;
use crate::settings::AuthSettings;
use crate::tls;

/// Where the issuer publishes its keys, and how often it is asked.
pub(super) struct Url {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    timeout: Duration,
    pub(super) refresh_every: Duration,
    pub(super) min_interval: Duration,
    pub(super) max_stale: Duration,
}

impl Url {
    pub(super) fn new(settings: &AuthSettings) -> Result<Self, String> {
        let text = settings.jwks_url.as_deref().unwrap_or_default();
        let bad = || "auth.jwks_url must be https://host/path, without user or password".to_owned();
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let authority = uri.authority().filter(|named| !named.as_str().contains('@')).ok_or_else(bad)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let roots = settings.jwks_ca_file.as_deref();
        let tls = if secure { Some(TlsConnector::from(tls::for_the_web(roots)?)) } else { None };
        Ok(Self {
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            tls,
            timeout: settings.jwks_timeout,
            refresh_every: settings.jwks_refresh,
            min_interval: settings.jwks_min_interval,
            max_stale: settings.jwks_max_stale,
            uri,
        })
    }

    /// The URL for log lines.
    pub(super) fn shown(&self) -> String {
        self.uri.to_string()
    }

    /// The bytes of the key set.
    pub(super) async fn get(&self) -> Result<Vec<u8>, String> {
        match tokio::time::timeout(self.timeout, self.ask()).await {
            Ok(answered) => answered,
            Err(_) => Err("did not answer in time".to_owned()),
        }
    }

    async fn ask(&self) -> Result<Vec<u8>, String> {
        let said = |what: &str, error: &dyn std::fmt::Display| format!("{what} ({error})");
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port))
            .await
            .map_err(|error| said("cannot be reached", &error.kind()))?;
        match &self.tls {
            None => self.exchange(stream).await,
            Some(tls) => {
                let name = ServerName::try_from(host.to_owned())
                    .map_err(|error| said("has no name to verify", &error))?;
                let stream = tls
                    .connect(name, stream)
                    .await
                    .map_err(|error| said("does not prove who it is", &error))?;
                self.exchange(stream).await
            }
        }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Vec<u8>, String> {
        let broke = |error: hyper::Error| format!("broke off ({error})");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        let connection = tokio::spawn(connection);
        let path = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let host = self.uri.authority().map_or("", http::uri::Authority::as_str);
        let request = Request::get(path)
            .header(http::header::HOST, host)
            .header(http::header::ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(broke)?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("answered {}", response.status()));
        }
        let body = Limited::new(response.into_body(), SET_MAX_BYTES).collect().await;
        connection.abort();
        body.map(|body| body.to_bytes().to_vec()).map_err(|error| format!("is no key set ({error})"))
    }
}
