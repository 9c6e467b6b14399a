//! Bodies under guard: a request is bounded; a streamed answer ends when the server stops or the token expires, and a
//! panic inside it stays there.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Frame;
use kernel::{Error, Reason};
use tokio::sync::OwnedSemaphorePermit;
use tonic::body::Body;

use super::witness::Witness;
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

/// A request's body that fails once it is longer than one message may be. Reflection streams requests too, and nobody
/// reflects that much.
pub(super) struct Bounded {
    inner: Body,
    left_bytes: u64,
    witness: Option<Witness>,
}

/// gRPC's prefix of a message: a flag and a length.
const PREFIX_BYTES: u64 = 5;

impl Bounded {
    pub(super) fn new(inner: Body, message_max_bytes: u64, witness: Witness) -> Self {
        let left_bytes = message_max_bytes.saturating_add(PREFIX_BYTES);
        Self { inner, left_bytes, witness: Some(witness) }
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
            if let Some(witness) = self.witness.take() {
                witness.sent(data);
            }
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

/// A streamed request: it fails at a message that is longer than it may be, and ends when the server stops or the token
/// expires. How many messages there are is the caller's business: each is done with before the next is read.
pub(super) struct Uploaded {
    inner: Body,
    end: End,
    message_max_bytes: u64,
    prefix: Vec<u8>,
    /// Bytes of the present message still to come.
    left_bytes: u64,
}

impl Uploaded {
    pub(super) fn new(inner: Body, message_max_bytes: u64, end: End) -> Self {
        Self { inner, end, message_max_bytes, prefix: Vec::new(), left_bytes: 0 }
    }

    /// Follows the messages through the bytes, however these are cut; `false` at one that is too long.
    fn follow(&mut self, mut data: &[u8]) -> bool {
        const PREFIX: usize = 5;
        while !data.is_empty() {
            if self.left_bytes == 0 {
                let (head, rest) = data.split_at(data.len().min(PREFIX - self.prefix.len()));
                self.prefix.extend_from_slice(head);
                data = rest;
                if let [_, a, b, c, d] = *self.prefix {
                    self.left_bytes = u64::from(u32::from_be_bytes([a, b, c, d]));
                    self.prefix.clear();
                    if self.left_bytes > self.message_max_bytes {
                        return false;
                    }
                }
            } else {
                let here = usize::try_from(self.left_bytes).map_or(data.len(), |left| left.min(data.len()));
                self.left_bytes -= u64::try_from(here).unwrap_or(self.left_bytes);
                data = data.get(here..).unwrap_or_default();
            }
        }
        true
    }
}

impl http_body::Body for Uploaded {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        if let Poll::Ready(error) = self.end.as_mut().poll(cx) {
            // It is asked no more after this, so that it need not remember it.
            return Poll::Ready(Some(Err(status(error))));
        }
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && !self.follow(data)
        {
            return Poll::Ready(Some(Err(tonic::Status::out_of_range("message too large"))));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn uploaded(max: u64) -> Uploaded {
        Uploaded::new(Body::empty(), max, Box::pin(std::future::pending()))
    }

    fn message(length: u32) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.resize(bytes.len() + length as usize, 7);
        bytes
    }

    #[test]
    fn each_message_is_bounded_however_the_bytes_are_cut() {
        let bytes: Vec<u8> = [message(10), message(0), message(3), message(10)].concat();
        for cut in 1..=bytes.len() {
            let mut body = uploaded(10);
            assert!(bytes.chunks(cut).all(|part| body.follow(part)), "cut in {cut}");
            assert_eq!((body.left_bytes, body.prefix.len()), (0, 0), "cut in {cut}");
            let mut narrow = uploaded(9);
            assert!(!bytes.chunks(cut).all(|part| narrow.follow(part)), "cut in {cut}");
        }
    }
}
