//! Connections that can be cut: tonic runs each in a task that nothing else can end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How long a connection may take to say that it speaks HTTP/2, in these first bytes.
const PATIENCE: Duration = Duration::from_secs(10);
const PREFACE_BYTES: usize = 24;
/// What is gathered before it is written without being asked to.
const BUFFER_BYTES: usize = 16 * 1024;

/// What a connection showed of who is at its other end.
#[derive(Clone)]
pub(crate) struct Shown {
    /// The addresses.
    pub(crate) tcp: TcpConnectInfo,
    /// The DNS names of a certificate that an authority of ours has signed.
    pub(crate) names: Option<Arc<[String]>>,
}

/// A connection that fails every read and write once it is cut.
pub(super) struct Cuttable {
    /// Frames are gathered until they are flushed: an answer is some of them, and each would be a packet.
    stream: BufWriter<Either<TcpStream, Box<TlsStream<TcpStream>>>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until the first bytes are there: when it is given up, and how many have come.
    greeting: Option<(Pin<Box<Sleep>>, usize)>,
    /// Whether what is to be written has waited its turn.
    gathered: bool,
    shown: Shown,
    /// Counts the connection as open until it is dropped.
    _place: OwnedSemaphorePermit,
}

impl Cuttable {
    pub(super) fn new(
        stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
        names: Option<Arc<[String]>>,
        cut: CancellationToken,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let tcp = match &stream {
            Either::Left(tcp) => tcp,
            Either::Right(tls) => tls.get_ref().0,
        };
        let known = |addr: io::Result<SocketAddr>| addr.ok();
        let tcp = TcpConnectInfo { local_addr: known(tcp.local_addr()), remote_addr: known(tcp.peer_addr()) };
        Self {
            stream: BufWriter::with_capacity(BUFFER_BYTES, stream),
            cut: Box::pin(cut.cancelled_owned()),
            greeting: Some((Box::pin(tokio::time::sleep(PATIENCE)), 0)),
            gathered: false,
            shown: Shown { tcp, names },
            _place: place,
        }
    }

    /// Ready with an error once the connection is cut; otherwise the task is woken when it is.
    fn is_cut(&mut self, cx: &mut Context<'_>) -> bool {
        self.cut.as_mut().poll(cx).is_ready()
    }

    /// Whether what is to be written must wait until every task that is ready now has run: answers that are ready together,
    /// as those of one batch of bookings, then go in one packet instead of one each.
    fn gathers(&mut self, cx: &mut Context<'_>) -> bool {
        if self.stream.buffer().is_empty() {
            return false;
        }
        self.gathered = !self.gathered;
        if self.gathered {
            cx.waker().wake_by_ref();
        }
        self.gathered
    }

    /// Whether it has been silent for too long; a greeting that is complete is forgotten.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.greeting {
            Some((_, read)) if *read >= PREFACE_BYTES => {
                self.greeting = None;
                false
            }
            Some((patience, _)) => patience.as_mut().poll(cx).is_ready(),
            None => false,
        }
    }
}

fn cut<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server has ended the connection")))
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut(cx) || self.is_silent(cx) {
            return cut();
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Some((_, read)) = &mut self.greeting {
            *read += buf.filled().len() - before;
        }
        polled
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut(cx) {
            return cut();
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_cut(cx) {
            return cut();
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_cut(cx) {
            return cut();
        }
        if self.gathers(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_cut(cx) { cut() } else { Pin::new(&mut self.stream).poll_shutdown(cx) }
    }
}

impl Connected for Cuttable {
    type ConnectInfo = Shown;

    fn connect_info(&self) -> Shown {
        self.shown.clone()
    }
}
