//! One method called over one HTTP/2 connection by a client that does nothing else, as pgbench does nothing but send a
//! statement: what is measured is the service, and its clients live on the same processors. A client for every purpose
//! took a fifth of what the service's own process had for a booking.
//!
//! It speaks what unary calls need of HTTP/2 (RFC 9113) and, as gRPC's own clients do, names headers by their places in
//! the table that the first call fills (RFC 7541). It reads no header of an answer: a reply has a message, a refusal none.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail, ensure};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, Semaphore, oneshot};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Before each frame: length, type, flags, stream.
const FRAME_HEAD: usize = 9;
/// Before each message: whether it is compressed, and its length.
const MESSAGE_HEAD: usize = 5;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// Header fields that have a place in every table (RFC 7541, appendix A), and how one is put into the connection's own,
/// with a name from that table or without.
const METHOD_POST: u8 = 0x80 | 3;
const SCHEME_HTTP: u8 = 0x80 | 6;
const AUTHORITY: u8 = 0x40 | 1;
const PATH: u8 = 0x40 | 4;
const AUTHORIZATION: u8 = 0x40 | 23;
const CONTENT_TYPE: u8 = 0x40 | 31;
const NEW_NAME: u8 = 0x40;
/// All headers of a call once the first has filled the table, whose newest field has place 62.
const PLACES: [u8; 7] = [METHOD_POST, SCHEME_HTTP, 0x80 | 66, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62];

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Settings, by their numbers.
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
/// A number and a value.
const SETTING: usize = 6;
/// Calls that may be open at once where the server names no bound.
const CALLS_AT_ONCE: u32 = 1_000;
/// What a peer may send before the first WINDOW_UPDATE, in bytes.
const FIRST_WINDOW: u32 = 65_535;
/// What the connection may have under way towards us, so that no answer waits for room.
const WINDOW: u32 = 16 << 20;

/// A connection on which one unary method is called with one token. Clones share it.
#[derive(Clone)]
pub(super) struct Line {
    shared: Arc<Shared>,
}

struct Shared {
    sending: Mutex<Sending>,
    /// Something is to be sent.
    more: Notify,
    /// Calls that may be open at once, as the server says.
    calls: Semaphore,
    /// Bytes of messages that the server has room for.
    room: Semaphore,
}

/// What is to be sent, and who waits for an answer. One lock for both: headers count in the order they are written.
struct Sending {
    bytes: BytesMut,
    next_stream: u32,
    /// The headers of the next call: in full in the first, then their places in the table.
    headers: Bytes,
    open: HashMap<u32, Open>,
}

/// A call that waits for its answer.
struct Open {
    answer: oneshot::Sender<bool>,
    received: usize,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    body: Bytes,
}

impl Line {
    /// Connects; `rpc` is the method's full name.
    pub(super) async fn open(address: SocketAddr, rpc: &str, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (from, to) = stream.into_split();
        let mut reader = Reader { from, bytes: BytesMut::new() };
        let mut bytes = BytesMut::from(PREFACE);
        let mut settings = BytesMut::new();
        settings.put_u16(INITIAL_WINDOW_SIZE);
        settings.put_u32(WINDOW);
        put_frame(&mut bytes, SETTINGS, 0, 0, &settings);
        put_frame(&mut bytes, WINDOW_UPDATE, 0, 0, &(WINDOW - FIRST_WINDOW).to_be_bytes());
        let sending = Sending {
            bytes,
            next_stream: 1,
            headers: headers(&address.to_string(), &format!("/{rpc}"), &format!("Bearer {token}")),
            open: HashMap::new(),
        };
        let room = Semaphore::new(usize::try_from(FIRST_WINDOW)?);
        let shared = Arc::new(Shared {
            sending: Mutex::new(sending),
            more: Notify::new(),
            calls: Semaphore::new(0),
            room,
        });
        tokio::spawn(send(Arc::clone(&shared), to));
        shared.more.notify_one();
        let first = reader.frame().await?;
        ensure!(first.kind == SETTINGS, "the server does not begin with its settings");
        shared.calls.add_permits(calls_at_once(first.body.clone())?);
        shared.take(first)?;
        let receiving = Arc::clone(&shared);
        tokio::spawn(async move {
            if let Err(error) = receiving.receive(reader).await {
                tracing::debug!(%error, "a connection of the bench ended");
            }
            // Whoever waits learns that nothing comes, and so does the half that sends.
            receiving.calls.close();
            receiving.room.close();
            receiving.sending().open.clear();
            receiving.more.notify_one();
        });
        Ok(Self { shared })
    }

    /// Calls; answers whether there was a reply. Why a call is refused is in headers, which are not read.
    pub(super) async fn call(&self, message: &impl Message) -> anyhow::Result<bool> {
        let length = MESSAGE_HEAD + message.encoded_len();
        let _place = self.shared.calls.acquire().await?;
        self.shared.room.acquire_many(u32::try_from(length)?).await?.forget();
        let (answer, answered) = oneshot::channel();
        self.shared.sending().put_call(message, length, answer)?;
        self.shared.more.notify_one();
        answered.await.context("the connection ended")
    }
}

impl Sending {
    fn put_call(
        &mut self,
        message: &impl Message,
        length: usize,
        answer: oneshot::Sender<bool>,
    ) -> anyhow::Result<()> {
        let stream = self.next_stream;
        self.next_stream += 2;
        put_frame(&mut self.bytes, HEADERS, END_HEADERS, stream, &self.headers);
        self.headers = Bytes::from_static(&PLACES);
        put_head(&mut self.bytes, DATA, END_STREAM, stream, length);
        self.bytes.put_u8(0);
        self.bytes.put_u32(u32::try_from(length - MESSAGE_HEAD)?);
        message.encode(&mut self.bytes)?;
        self.open.insert(stream, Open { answer, received: 0 });
        Ok(())
    }
}

impl Shared {
    fn sending(&self) -> MutexGuard<'_, Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn receive(&self, mut reader: Reader) -> anyhow::Result<()> {
        let mut unsaid = 0;
        loop {
            let frame = reader.frame().await?;
            if frame.kind == DATA {
                unsaid += u32::try_from(frame.body.len())?;
            }
            self.take(frame)?;
            if unsaid > WINDOW / 2 {
                put_frame(&mut self.sending().bytes, WINDOW_UPDATE, 0, 0, &unsaid.to_be_bytes());
                self.more.notify_one();
                unsaid = 0;
            }
        }
    }

    fn take(&self, mut frame: Frame) -> anyhow::Result<()> {
        match frame.kind {
            DATA | HEADERS => {
                let mut sending = self.sending();
                let open = sending.open.get_mut(&frame.stream).context("an answer to no call")?;
                open.received += if frame.kind == DATA { frame.body.len() } else { 0 };
                if frame.flags & END_STREAM != 0
                    && let Some(open) = sending.open.remove(&frame.stream)
                {
                    let _ = open.answer.send(open.received > MESSAGE_HEAD);
                }
            }
            RST_STREAM => {
                if let Some(open) = self.sending().open.remove(&frame.stream) {
                    let _ = open.answer.send(false);
                }
            }
            SETTINGS | PING if frame.flags & ACK == 0 => {
                let echo = if frame.kind == PING { frame.body } else { Bytes::new() };
                put_frame(&mut self.sending().bytes, frame.kind, ACK, 0, &echo);
                self.more.notify_one();
            }
            WINDOW_UPDATE if frame.stream == 0 && frame.body.len() == 4 => {
                self.room.add_permits(usize::try_from(frame.body.get_u32())?);
            }
            GOAWAY => bail!("the server ends the connection"),
            _ => {}
        }
        Ok(())
    }
}

/// Sends what there is to be sent, until the connection ends.
async fn send(shared: Arc<Shared>, mut to: OwnedWriteHalf) {
    loop {
        shared.more.notified().await;
        // Whoever has something to say as well says it first: many calls are one write.
        tokio::task::yield_now().await;
        let bytes = shared.sending().bytes.split();
        if shared.calls.is_closed() || to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// What comes from the server, frame by frame.
struct Reader {
    from: OwnedReadHalf,
    bytes: BytesMut,
}

impl Reader {
    async fn frame(&mut self) -> anyhow::Result<Frame> {
        loop {
            if let Some(mut head) = self.bytes.get(..FRAME_HEAD) {
                let length = usize::try_from(head.get_uint(3))?;
                if self.bytes.len() >= FRAME_HEAD + length {
                    let (kind, flags, stream) = (head.get_u8(), head.get_u8(), head.get_u32());
                    self.bytes.advance(FRAME_HEAD);
                    return Ok(Frame { kind, flags, stream, body: self.bytes.split_to(length).freeze() });
                }
            }
            ensure!(self.from.read_buf(&mut self.bytes).await? > 0, "the server has closed the connection");
        }
    }
}

/// Calls that may be open at once by a server's settings.
fn calls_at_once(mut settings: Bytes) -> anyhow::Result<usize> {
    let mut calls = CALLS_AT_ONCE;
    while settings.remaining() >= SETTING {
        let (number, value) = (settings.get_u16(), settings.get_u32());
        if number == MAX_CONCURRENT_STREAMS {
            calls = value.min(CALLS_AT_ONCE);
        }
    }
    Ok(usize::try_from(calls)?)
}

/// The headers of the first call, in the order in which [`PLACES`] counts on them.
fn headers(authority: &str, path: &str, authorization: &str) -> Bytes {
    let mut headers = BytesMut::from(&[METHOD_POST, SCHEME_HTTP][..]);
    let fields = [
        (PATH, "", path),
        (AUTHORITY, "", authority),
        (NEW_NAME, "te", "trailers"),
        (CONTENT_TYPE, "", "application/grpc"),
        (AUTHORIZATION, "", authorization),
    ];
    for (field, name, value) in fields {
        headers.put_u8(field);
        if field == NEW_NAME {
            put_text(&mut headers, name);
        }
        put_text(&mut headers, value);
    }
    headers.freeze()
}

/// A text behind its length, of which seven bits stand in the first byte and seven in each that follows.
fn put_text(to: &mut BytesMut, text: &str) {
    const FULL: usize = 127;
    match text.len().checked_sub(FULL) {
        None => to.put_u8(u8::try_from(text.len()).unwrap_or_default()),
        Some(mut rest) => {
            to.put_u8(0x7f);
            while rest > FULL {
                to.put_u8(0x80 | u8::try_from(rest & FULL).unwrap_or_default());
                rest >>= 7;
            }
            to.put_u8(u8::try_from(rest).unwrap_or_default());
        }
    }
    to.put_slice(text.as_bytes());
}

fn put_frame(to: &mut BytesMut, kind: u8, flags: u8, stream: u32, body: &[u8]) {
    put_head(to, kind, flags, stream, body.len());
    to.put_slice(body);
}

fn put_head(to: &mut BytesMut, kind: u8, flags: u8, stream: u32, length: usize) {
    to.put_uint(length as u64, 3);
    to.put_u8(kind);
    to.put_u8(flags);
    to.put_u32(stream);
}
