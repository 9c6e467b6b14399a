//! Hostile HTTP/2, frame by frame over raw sockets: while it goes on, a good client is served, and afterwards everybody.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::GetTimeRequest;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use integration_tests::signer::{Signer, claims, jwks};
use jsonwebtoken::Algorithm;
use kernel::{Clock as _, SystemClock, TestClock};
use runtime::client::{Bearer, channel};
use runtime::{Authenticator, Running, Server, Settings, clock_service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// How long each attack lasts, and from how many connections.
const LASTS: Duration = Duration::from_secs(5);
const ATTACKERS: usize = 4;
/// A good client's call may take as long as this beside an attack; on an idle machine it takes a millisecond.
const GOOD_CALL_AT_MOST: Duration = Duration::from_secs(2);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header of HPACK, literal and not remembered.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap_or(0).min(126);
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// The headers of a call without a token.
fn call() -> Vec<u8> {
    [
        // POST and http, from the static table.
        vec![0x83, 0x86],
        literal(":path", "/gridlease.common.v1.ClockService/GetTime"),
        literal(":authority", "localhost"),
        literal("content-type", "application/grpc"),
        literal("te", "trailers"),
    ]
    .concat()
}

/// What an attacker sends after the preface: the frames of one step, by the number of the step.
type Attack = fn(u32) -> Vec<u8>;

const ATTACKS: &[(&str, Attack)] = &[
    ("rapid reset", |n| {
        let stream = 2 * n + 1;
        let open = frame(HEADERS, END_HEADERS, stream, &call());
        [open, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    }),
    ("a flood of CONTINUATION", |n| match n {
        0 => frame(HEADERS, 0, 1, &call()),
        _ => frame(CONTINUATION, 0, 1, &literal("x-more", "and more and more and more")),
    }),
    ("a flood of pings", |n| frame(PING, 0, 0, &u64::from(n).to_be_bytes())),
    ("a flood of settings", |_| frame(SETTINGS, 0, 0, &[])),
    ("a flood of empty data", |n| match n {
        0 => frame(HEADERS, END_HEADERS, 1, &call()),
        _ => frame(DATA, 0, 1, &[]),
    }),
    ("window updates of nothing", |n| match n {
        0 => frame(HEADERS, END_HEADERS, 1, &call()),
        _ => frame(WINDOW_UPDATE, 0, 1, &0_u32.to_be_bytes()),
    }),
    ("churn of priorities", |n| frame(PRIORITY, 0, 2 * n + 1, &[0, 0, 0, 0, 16])),
    ("more streams than there may be", |n| frame(HEADERS, END_HEADERS, 2 * n + 1, &call())),
    ("calls without a token", |n| frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &call())),
    ("headers without end", |n| match n {
        0 => frame(HEADERS, 0, 1, &call()),
        // A slow one: a frame a tenth of a second.
        _ => Vec::new(),
    }),
    ("a small table that would become a large one", |n| {
        // One header remembered, then named by its number as often as fits.
        let mut block = [&[0x40, 1, b'x', 126], "y".repeat(126).as_bytes()].concat();
        block.extend(std::iter::repeat_n(0xbe, 12_000));
        frame(HEADERS, END_HEADERS, 2 * n + 1, &[call(), block].concat())
    }),
    ("frames of no kind", |n| frame(0x63, 0xff, n & 0x7fff_ffff, &[7; 64])),
];

/// Sends an attack until the time is over; a connection that the server ends is opened anew. How often it was ended.
async fn attack(address: std::net::SocketAddr, steps: Attack, until: Instant) -> Result<u64> {
    let mut ended = 0;
    while Instant::now() < until {
        let (mut read, mut write) = TcpStream::connect(address).await?.into_split();
        let drain = tokio::spawn(async move {
            let mut bytes = vec![0; 16_384];
            while matches!(read.read(&mut bytes).await, Ok(1..)) {}
        });
        let mut greeting = PREFACE.to_vec();
        greeting.extend(frame(SETTINGS, 0, 0, &[]));
        let mut alive = write.write_all(&greeting).await.is_ok();
        let mut n = 0;
        while alive && Instant::now() < until && !drain.is_finished() {
            let bytes = steps(n);
            n += 1;
            if bytes.is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            } else {
                // A server that does not read must not hold the attacker past its time.
                let sent = tokio::time::timeout(Duration::from_millis(500), write.write_all(&bytes)).await;
                alive = matches!(sent, Ok(Ok(())));
            }
        }
        ended += u64::from(Instant::now() < until);
        drain.abort();
    }
    Ok(ended)
}

struct Besieged {
    running: Running,
    token: String,
    stop: CancellationToken,
    _keys: tempfile::TempDir,
}

impl Besieged {
    async fn start(change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let keys = tempfile::tempdir()?;
        let file = keys.path().join("jwks.json");
        let signer = Signer::new(Algorithm::EdDSA, "key")?;
        std::fs::write(&file, jwks(&[&signer]))?;
        let mut settings = Settings::local("inventory", "postgres://nobody@127.0.0.1:1/nothing", &file)?;
        change(&mut settings);
        let authenticator =
            Authenticator::new(&settings.auth, false, Box::new(SystemClock)).map_err(anyhow::Error::msg)?;
        let stop = CancellationToken::new();
        let running = Server::new("inventory", &settings.server, authenticator)
            .add_service(clock_service(TestClock::new(SystemClock.now())))
            .serve(stop.clone())
            .await?;
        let token = signer.token(&claims(SystemClock.now().timestamp()));
        Ok(Self { running, token, stop, _keys: keys })
    }

    /// A good client, on a connection of its own: it calls until the time is over, and every call must be answered.
    async fn good_client(&self, until: Instant) -> Result<u64> {
        let mut client =
            ClockServiceClient::with_interceptor(channel(&self.running.url())?, Bearer::new(&self.token)?);
        let mut calls = 0;
        loop {
            tokio::time::timeout(GOOD_CALL_AT_MOST, client.get_time(GetTimeRequest {}))
                .await
                .context("a good client waits too long")?
                .context("a good client is refused")?;
            calls += 1;
            if Instant::now() >= until {
                return Ok(calls);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_client_is_served_beside_every_attack() -> Result<()> {
    let besieged = Besieged::start(|_| {}).await?;
    for (what, steps) in ATTACKS {
        let until = Instant::now() + LASTS;
        let attackers = (0..ATTACKERS).map(|_| tokio::spawn(attack(besieged.running.address, *steps, until)));
        let attackers: Vec<_> = attackers.collect();
        let calls = besieged.good_client(until).await.with_context(|| (*what).to_owned())?;
        let mut ended = 0;
        for attacker in attackers {
            ended += attacker.await?.with_context(|| format!("{what}: the server does not accept"))?;
        }
        ensure!(calls > 20, "{what}: only {calls} good calls");
        tracing::info!(what, calls, ended, "attacked");
        besieged.good_client(Instant::now()).await.with_context(|| format!("after {what}"))?;
    }
    besieged.stop.cancel();
    tokio::time::timeout(Duration::from_secs(25), besieged.running.ended()).await.context("it always ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_more_than_there_may_be_is_closed_and_a_silent_one_makes_room() -> Result<()> {
    const MOST: usize = 8;
    let besieged =
        Besieged::start(|settings| settings.server.max_connections = MOST.try_into().expect("eight")).await?;
    let open = async || -> Result<TcpStream> { Ok(TcpStream::connect(besieged.running.address).await?) };
    let mut silent = Vec::new();
    for _ in 0..MOST {
        silent.push(open().await?);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    // At the bound all are open; one more hears the end at once.
    let mut byte = [0];
    let mut more = open().await?;
    let heard =
        tokio::time::timeout(Duration::from_secs(1), more.read(&mut byte)).await.context("it stays open")?;
    ensure!(matches!(heard, Ok(0) | Err(_)), "{heard:?}");
    let mut first = silent.pop().context("one")?;
    let still = tokio::time::timeout(Duration::from_millis(100), first.read(&mut byte)).await;
    // The server's own settings come first, without a word from us; then nothing, and no end.
    ensure!(!matches!(still, Ok(Ok(0))), "a connection within the bound is ended");
    drop(first);
    tokio::time::sleep(Duration::from_millis(200)).await;
    besieged.good_client(Instant::now()).await.context("where one has gone")?;
    // Whoever has not said within ten seconds what it speaks is gone too.
    tokio::time::sleep(Duration::from_secs(11)).await;
    for mut one in silent {
        let end = async {
            let mut bytes = [0; 256];
            while matches!(one.read(&mut bytes).await, Ok(1..)) {}
        };
        tokio::time::timeout(Duration::from_secs(2), end).await.context("a silent connection stays")?;
    }
    besieged.stop.cancel();
    Ok(())
}

/// A message that says it is compressed and would be a gigabyte.
#[tokio::test]
async fn a_bomb_is_not_unpacked() -> Result<()> {
    let besieged = Besieged::start(|_| {}).await?;
    let mut stream = TcpStream::connect(besieged.running.address).await?;
    let headers = [
        call(),
        literal("grpc-encoding", "gzip"),
        // Longer than a length of one byte: 127 and the rest.
        {
            let value = format!("Bearer {}", besieged.token);
            let rest = value.len() - 127;
            let low = u8::try_from(rest % 128).unwrap_or(0) | 0x80;
            let high = u8::try_from(rest / 128).unwrap_or(0);
            [&[0, 13], "authorization".as_bytes(), &[127, low, high], value.as_bytes()].concat()
        },
    ]
    .concat();
    // The flag, a length, and deflate's way to say "the same again" many times.
    let message = [vec![1, 0, 0, 8, 0], vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], vec![0xed; 2_038]].concat();
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &headers));
    bytes.extend(frame(DATA, END_STREAM, 1, &message));
    stream.write_all(&bytes).await?;
    let mut answer = vec![0; 65_536];
    let read = async {
        let mut all = Vec::new();
        loop {
            let length = stream.read(&mut answer).await?;
            all.extend_from_slice(answer.get(..length).unwrap_or_default());
            // The trailers hold the status 12 (UNIMPLEMENTED), plainly or in Huffman's code.
            if length == 0
                || all.windows(2).any(|pair| pair == b"12")
                || all.windows(2).any(|pair| pair == [0x82, 0x08])
            {
                return Ok::<_, anyhow::Error>(());
            }
            ensure!(all.len() < 60_000, "it answers with {} bytes", all.len());
        }
    };
    // Whatever the bytes of the answer: it comes at once, and the server lives.
    let _ = tokio::time::timeout(Duration::from_secs(2), read).await;
    besieged.good_client(Instant::now()).await?;
    besieged.stop.cancel();
    Ok(())
}
