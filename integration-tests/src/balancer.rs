//! A balancer of TCP connections, as a cluster has before its pods: it spreads new connections, and leaves those that are
//! open where they are.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct State {
    /// Who gets new connections, in turns.
    backends: Vec<SocketAddr>,
    turn: usize,
    /// Cancelled when those that are open go silent.
    hush: CancellationToken,
    /// Whether who connects while nobody is behind is kept waiting for an answer, not hung up on.
    is_silent: bool,
}

/// An address that stays while those behind it come and go.
pub struct Balancer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: AbortHandle,
}

impl Balancer {
    /// A balancer with nobody behind it: who connects is hung up on.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { address, state, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this one gets connections too.
    pub fn add(&self, backend: SocketAddr) {
        self.with(|state| state.backends.push(backend));
    }

    /// From now on this one gets no new connections.
    pub fn remove(&self, backend: SocketAddr) {
        self.with(|state| state.backends.retain(|there| *there != backend));
    }

    /// From now on nothing passes on the connections that are open, in either direction, and none of them is closed; nor are
    /// those that come while nobody is behind. So it is where a machine is gone and the network drops what is sent to it.
    pub fn go_silent(&self) {
        self.with(|state| {
            state.backends.clear();
            state.is_silent = true;
            std::mem::take(&mut state.hush).cancel();
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (next, hush) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.turn = state.turn.wrapping_add(1);
            let turn = state.turn.checked_rem(state.backends.len()).unwrap_or_default();
            let next = state.backends.get(turn).copied();
            if next.is_none() && state.is_silent {
                tokio::spawn(swallow(client));
                continue;
            }
            (next, state.hush.clone())
        };
        if let Some(backend) = next {
            tokio::spawn(carry(client, backend, hush));
        }
    }
}

async fn carry(mut client: TcpStream, backend: SocketAddr, hush: CancellationToken) {
    let Ok(mut server) = TcpStream::connect(backend).await else { return };
    // A balancer delays no small packet; where it fails it merely does.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    // Whoever hangs up, both sides see it.
    let carried = hush.run_until_cancelled(tokio::io::copy_bidirectional(&mut client, &mut server)).await;
    if carried.is_none() {
        tokio::join!(swallow(client), swallow(server));
    }
}

/// Takes what comes and answers nothing, until the other side hangs up.
async fn swallow(mut stream: TcpStream) {
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
