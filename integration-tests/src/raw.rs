//! Calls by path with bytes already encoded: what a client without our generated code sends.

use std::time::Duration;

use prost::bytes::{Buf, BufMut, Bytes};
use runtime::client::Channel;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

/// Sends `message` to `rpc` (`package.Service/Method`) and gives the answer's bytes; of a stream, the first answer's.
pub async fn call(
    channel: &Channel,
    rpc: &str,
    token: Option<&str>,
    message: Vec<u8>,
) -> Result<Response<Bytes>, Status> {
    call_for(channel, rpc, token, None, message).await
}

/// As [`call`], on behalf of an organisation, as our services do.
pub async fn call_for(
    channel: &Channel,
    rpc: &str,
    token: Option<&str>,
    on_behalf_of: Option<&str>,
    message: Vec<u8>,
) -> Result<Response<Bytes>, Status> {
    let (metadata, mut stream, extensions) =
        open(channel, rpc, token, on_behalf_of, message).await?.into_parts();
    let first = stream.message().await?.unwrap_or_default();
    Ok(Response::from_parts(metadata, first, extensions))
}

/// Opens a stream of answers.
pub async fn stream(
    channel: &Channel,
    rpc: &str,
    token: &str,
    on_behalf_of: Option<&str>,
    message: Vec<u8>,
) -> Result<Streaming<Bytes>, Status> {
    Ok(open(channel, rpc, Some(token), on_behalf_of, message).await?.into_inner())
}

/// As [`call`], with whatever metadata.
pub async fn call_with(
    channel: &Channel,
    rpc: &str,
    metadata: MetadataMap,
    message: Vec<u8>,
) -> Result<Response<Bytes>, Status> {
    let mut request = Request::new(Bytes::from(message));
    *request.metadata_mut() = metadata;
    let (metadata, mut stream, extensions) = send(channel, rpc, request).await?.into_parts();
    let first = stream.message().await?.unwrap_or_default();
    Ok(Response::from_parts(metadata, first, extensions))
}

async fn open(
    channel: &Channel,
    rpc: &str,
    token: Option<&str>,
    on_behalf_of: Option<&str>,
    message: Vec<u8>,
) -> Result<Response<Streaming<Bytes>>, Status> {
    let mut request = Request::new(Bytes::from(message));
    let value = |text: &str| text.parse().map_err(|_| Status::internal("not a header value"));
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", value(&format!("Bearer {token}"))?);
    }
    if let Some(organisation) = on_behalf_of {
        request.metadata_mut().insert("gridlease-on-behalf-of", value(organisation)?);
    }
    send(channel, rpc, request).await
}

async fn send(
    channel: &Channel,
    rpc: &str,
    mut request: Request<Bytes>,
) -> Result<Response<Streaming<Bytes>>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    request.set_timeout(Duration::from_secs(5));
    let path = format!("/{rpc}").parse().map_err(|_| Status::internal("not a path"))?;
    client.server_streaming(request, path, Plain).await
}

/// The bytes of a message whose field `number` is this text.
pub fn text_field(number: u32, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::string::encode(number, &text.to_owned(), &mut bytes);
    bytes
}

#[derive(Clone, Copy, Debug, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
