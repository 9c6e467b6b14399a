//! One method called over one HTTP/2 connection by a client that does nothing else, as pgbench does nothing but send a
//! statement: what is measured is the service, and its clients live on the same processors.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use prost::Message;
use tokio::net::TcpStream;

/// Before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// What the connection may have under way towards us, so that no answer waits for room.
const WINDOW: u32 = 16 << 20;

/// A connection on which one unary method is called with one token. Clones share it.
#[derive(Clone)]
pub(super) struct Line {
    send: SendRequest<Bytes>,
    uri: Uri,
    authorization: HeaderValue,
}

impl Line {
    /// Connects; `rpc` is the method's full name.
    pub(super) async fn open(address: SocketAddr, rpc: &str, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = h2::client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(stream)
            .await?;
        tokio::spawn(connection);
        let uri = format!("http://{address}/{rpc}").parse()?;
        Ok(Self { send, uri, authorization: HeaderValue::try_from(format!("Bearer {token}"))? })
    }

    /// Calls; a refusal is an error, and of a reply it is enough that there is one.
    pub(super) async fn call(&self, message: &impl Message) -> anyhow::Result<()> {
        let length = message.encoded_len();
        let mut frame = BytesMut::with_capacity(PREFIX + length);
        frame.put_u8(0);
        frame.put_u32(u32::try_from(length)?);
        message.encode(&mut frame)?;

        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(AUTHORIZATION, self.authorization.clone());

        let mut send = self.send.clone().ready().await?;
        let (response, mut body) = send.send_request(request, false)?;
        body.send_data(frame.freeze(), true)?;
        let (head, mut body) = response.await?.into_parts();
        refused(&head.headers)?;
        let mut received = 0;
        while let Some(chunk) = body.data().await {
            let length = chunk?.len();
            body.flow_control().release_capacity(length)?;
            received += length;
        }
        let trailers = body.trailers().await?.context("the answer has no trailers")?;
        refused(&trailers)?;
        ensure!(trailers.contains_key("grpc-status") && received > PREFIX, "the answer is no reply");
        Ok(())
    }
}

/// The refusal that these headers tell, if they tell one.
fn refused(headers: &HeaderMap) -> anyhow::Result<()> {
    match headers.get("grpc-status") {
        Some(status) if status != "0" => anyhow::bail!(
            "refused with status {}: {}",
            status.to_str().unwrap_or("?"),
            headers.get("grpc-message").and_then(|text| text.to_str().ok()).unwrap_or_default()
        ),
        _ => Ok(()),
    }
}
