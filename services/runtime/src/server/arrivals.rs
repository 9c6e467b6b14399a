//! Who comes in: a bounded number of connections, TLS where the settings say so, and a loop that no failure ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

use super::io::Cuttable;
use crate::tls;

/// How long a TLS handshake may take.
const HANDSHAKE_AT_MOST: Duration = Duration::from_secs(5);
/// A pause after a failure to accept: mostly there are too many open files, and a moment later fewer.
const PAUSE: Duration = Duration::from_millis(20);
/// Connections that are accepted and wait for the server to take them over.
const WAITING_MAX: usize = 64;

/// The door's bell.
pub(super) struct Arrivals {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) places: Arc<Semaphore>,
    /// Cancelled when no more connections are taken.
    pub(super) refuse: CancellationToken,
    /// Cancelled when those that are open end.
    pub(super) cut: CancellationToken,
}

type Come = io::Result<Cuttable>;

impl Arrivals {
    /// The connections as they come.
    pub(super) fn stream(self) -> ReceiverStream<Come> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(self.accept(sender));
        ReceiverStream::new(receiver)
    }

    async fn accept(self, sender: mpsc::Sender<Come>) {
        loop {
            let accepted = tokio::select! {
                () = self.refuse.cancelled() => return,
                () = sender.closed() => return,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // One more than there may be is closed at once, so that the others go on.
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                tracing::debug!("a connection is refused: as many as may be are open");
                continue;
            };
            // Small messages must not wait for more; where it fails they merely do.
            let _ = stream.set_nodelay(true);
            match &self.tls {
                None => {
                    let come = Cuttable::new(Either::Left(stream), None, self.cut.clone(), place);
                    if sender.send(Ok(come)).await.is_err() {
                        return;
                    }
                }
                Some(acceptor) => {
                    tokio::spawn(greet(acceptor.clone(), stream, place, self.cut.clone(), sender.clone()));
                }
            }
        }
    }
}

/// A handshake, in a task of its own: whoever is slow keeps nobody else waiting.
async fn greet(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    cut: CancellationToken,
    sender: mpsc::Sender<Come>,
) {
    match tokio::time::timeout(HANDSHAKE_AT_MOST, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let names = tls::names_shown(stream.get_ref().1);
            let come = Cuttable::new(Either::Right(Box::new(stream)), names, cut, place);
            let _ = sender.send(Ok(come)).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}
