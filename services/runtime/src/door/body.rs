//! Bodies under guard: a request is bounded; a streamed answer ends when the server stops or the token expires, and a
//! panic inside it stays there.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Frame;
use kernel::{Error, Reason};
use tokio::sync::OwnedSemaphorePermit;
use tonic::body::Body;

use crate::status::status;

type Bytes = prost::bytes::Bytes;

/// What ends a stream from outside.
pub(super) type End = Pin<Box<dyn Future<Output = Error> + Send>>;

/// A streamed body under guard.
pub(super) struct Guarded {
    inner: Option<Body>,
    end: End,
    /// Counts the stream as open until the body is dropped.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Guarded {
    pub(super) fn new(inner: Body, end: End, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { inner: Some(inner), end, _permit: permit }
    }

    fn finish(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        self.inner = None;
        let mut trailers = http::HeaderMap::new();
        match status(error).add_header(&mut trailers) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Err(status) => Poll::Ready(Some(Err(status))),
        }
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let this = &mut *self;
        let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(error) = this.end.as_mut().poll(cx) {
            return this.finish(error);
        }
        match std::panic::catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx))) {
            Ok(polled) => polled,
            Err(panic) => this.finish(super::panicked(&*panic)),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_none()
    }
}

/// A request's body that fails once it is longer than one message may be. No RPC of ours streams requests; reflection
/// does, and nobody reflects that much.
pub(super) struct Bounded {
    inner: Body,
    left_bytes: u64,
}

/// gRPC's prefix of a message: a flag and a length.
const PREFIX_BYTES: u64 = 5;

impl Bounded {
    pub(super) fn new(inner: Body, message_max_bytes: u64) -> Self {
        Self { inner, left_bytes: message_max_bytes.saturating_add(PREFIX_BYTES) }
    }
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            match self.left_bytes.checked_sub(length) {
                Some(left_bytes) => self.left_bytes = left_bytes,
                None => return Poll::Ready(Some(Err(tonic::Status::out_of_range("message too large")))),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// The reason a stream ends at shutdown.
pub(super) fn draining() -> Error {
    Error::refused(Reason::ServerDraining, "The server is shutting down; another one will answer.")
}
