//! Keys from a file and from a URL: rotated under load without a failed request, asked for within bounds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::GetTimeRequest;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use integration_tests::signer::{Signer, claims, jwks};
use jsonwebtoken::Algorithm;
use kernel::{Clock as _, SystemClock, TestClock};
use runtime::client::{Bearer, Channel, channel};
use runtime::{Authenticator, Running, Server, Settings, clock_service};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// What an issuer's web server answers, and how often it was asked.
#[derive(Clone, Default)]
struct Issuer {
    body: Arc<Mutex<String>>,
    head: Arc<Mutex<String>>,
    slow: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Issuer {
    fn publish(&self, body: impl Into<String>) {
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = body.into();
    }

    fn answer_with(&self, head: &str) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head.to_owned();
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<()> {
        let mut request = [0; 4_096];
        let length = stream.read(&mut request).await?;
        ensure!(request.get(..length).is_some_and(|read| read.starts_with(b"GET /keys HTTP/1.1\r\n")));
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let head = if head.is_empty() { "200 OK".to_owned() } else { head };
        let text =
            format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await.context("closed")
    }

    /// Serves over plain HTTP and says where.
    async fn serve(&self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/keys", listener.local_addr()?);
        let this = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                tokio::spawn(async move { this.answer(stream).await });
            }
        });
        Ok(url)
    }
}

/// A server that tells the time to whoever has a token of the keys.
struct Asked {
    channel: Channel,
    stop: CancellationToken,
    _running: Running,
}

impl Asked {
    async fn start(change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let mut settings =
            Settings::local("inventory", "postgres://nobody@127.0.0.1:1/nothing", "unused".as_ref())?;
        settings.auth.jwks_min_interval = Duration::from_millis(300);
        change(&mut settings);
        let authenticator =
            Authenticator::new(&settings.auth, false, Box::new(SystemClock)).map_err(anyhow::Error::msg)?;
        let stop = CancellationToken::new();
        let running = Server::new("inventory", &settings.server, authenticator)
            .add_service(clock_service(TestClock::new(SystemClock.now())))
            .serve(stop.clone())
            .await?;
        Ok(Self { channel: channel(&running.url())?, stop, _running: running })
    }

    async fn of_url(url: &str) -> Result<Self> {
        let url = url.to_owned();
        Self::start(move |settings| {
            settings.auth.jwks_file = None;
            settings.auth.jwks_url = Some(url);
        })
        .await
    }

    async fn ask(&self, signer: &Signer) -> Result<(), Status> {
        let token = signer.token(&claims(SystemClock.now().timestamp()));
        let bearer = Bearer::new(&token).map_err(runtime::status)?;
        let mut client = ClockServiceClient::with_interceptor(self.channel.clone(), bearer);
        client.get_time(GetTimeRequest {}).await.map(|_| ())
    }

    async fn refuses(&self, signer: &Signer) -> Result<()> {
        let refused = self.ask(signer).await.err().context("it was let in")?;
        ensure!(refused.code() == Code::Unauthenticated, "{refused:?}");
        Ok(())
    }
}

/// Eight callers that always sign with the present key, until told to stop: how many calls, and what failed.
async fn load(
    asked: &Arc<Asked>,
    present: &Arc<Mutex<Arc<Signer>>>,
    rotate: impl AsyncFnOnce() -> Result<()>,
) -> Result<u64> {
    let ended = CancellationToken::new();
    let calls = Arc::new(AtomicU64::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (asked, present, ended, calls) = (asked.clone(), present.clone(), ended.clone(), calls.clone());
        callers.spawn(async move {
            while !ended.is_cancelled() {
                let signer = present.lock().unwrap_or_else(PoisonError::into_inner).clone();
                asked.ask(&signer).await?;
                calls.fetch_add(1, Ordering::SeqCst);
            }
            Ok::<(), Status>(())
        });
    }
    rotate().await?;
    ended.cancel();
    while let Some(done) = callers.join_next().await {
        done?.context("a request failed while keys rotated")?;
    }
    Ok(calls.load(Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_under_load_without_a_failed_request() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("jwks.json");
    let issuer = Issuer::default();
    let url = issuer.serve().await?;
    let [a, b, c] = [(Algorithm::EdDSA, "a"), (Algorithm::ES256, "b"), (Algorithm::RS256, "c")]
        .map(|(algorithm, kid)| Signer::new(algorithm, kid).map(Arc::new));
    let signers = [a?, b?, c?];
    let publish = |keys: &[&Signer]| -> Result<()> {
        issuer.publish(jwks(keys));
        let fresh = folder.path().join("fresh");
        std::fs::write(&fresh, jwks(keys))?;
        Ok(std::fs::rename(&fresh, &file)?)
    };
    publish(&[&signers[0]])?;
    let path = file.clone();
    let by_file = Asked::start(move |settings| settings.auth.jwks_file = Some(path)).await?;
    for asked in [Arc::new(by_file), Arc::new(Asked::of_url(&url).await?)] {
        publish(&[&signers[0]])?;
        tokio::time::sleep(Duration::from_millis(400)).await;
        let present = Arc::new(Mutex::new(signers[0].clone()));
        let rotate = async || {
            for (old, new) in signers.iter().zip(&signers[1..]) {
                // Published, and signed with at once: the first token with the new key makes the server look.
                publish(&[old, new])?;
                *present.lock().unwrap_or_else(PoisonError::into_inner) = new.clone();
                tokio::time::sleep(Duration::from_millis(700)).await;
                publish(&[new])?;
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
            Ok(())
        };
        let calls = load(&asked, &present, rotate).await?;
        ensure!(calls > 50, "only {calls} calls: that is no load");
        asked.stop.cancel();
    }
    Ok(())
}

#[tokio::test]
async fn unknown_keys_make_the_server_ask_once_an_interval_and_not_more() -> Result<()> {
    let issuer = Issuer::default();
    let (good, unknown) = (Signer::new(Algorithm::EdDSA, "good")?, Signer::new(Algorithm::EdDSA, "unknown")?);
    issuer.publish(jwks(&[&good]));
    let asked = Asked::of_url(&issuer.serve().await?).await?;
    ensure!(issuer.asked() == 1, "asked at start");
    asked.ask(&good).await?;
    // A storm of forged key ids, many at once, for a second: an interval of 300 ms allows four questions.
    let until = std::time::Instant::now() + Duration::from_secs(1);
    let mut sent = 0;
    while std::time::Instant::now() < until {
        let storm = futures::future::join_all((0..20).map(|_| asked.refuses(&unknown))).await;
        storm.into_iter().collect::<Result<Vec<()>>>()?;
        sent += 20;
    }
    ensure!(
        sent >= 100 && (2..=6).contains(&issuer.asked()),
        "{sent} forgeries, {} questions",
        issuer.asked()
    );
    asked.ask(&good).await?;
    asked.stop.cancel();
    Ok(())
}

#[tokio::test]
async fn an_issuer_that_fails_locks_nobody_out_until_its_keys_are_too_old() -> Result<()> {
    let issuer = Issuer::default();
    let (good, next) = (Signer::new(Algorithm::EdDSA, "good")?, Signer::new(Algorithm::EdDSA, "next")?);
    issuer.publish(jwks(&[&good]));
    let url = issuer.serve().await?;
    let asked = Asked::start(move |settings| {
        settings.auth.jwks_file = None;
        settings.auth.jwks_url = Some(url);
        settings.auth.jwks_refresh = Duration::from_millis(200);
        settings.auth.jwks_min_interval = Duration::from_millis(100);
        settings.auth.jwks_timeout = Duration::from_millis(300);
        settings.auth.jwks_max_stale = Duration::from_secs(6);
    })
    .await?;
    asked.ask(&good).await?;
    let good_set = jwks(&[&good]);
    // Each of these for some refreshes; what was known holds.
    for (what, head, body) in [
        ("not found", "404 Not Found", good_set.clone()),
        ("elsewhere", "302 Found\r\nlocation: http://127.0.0.1:1/keys", good_set.clone()),
        ("no JSON", "", "<html>".to_owned()),
        ("no keys", "", "{\"keys\":[]}".to_owned()),
        ("too much", "", format!("{good_set}{}", " ".repeat(70_000))),
    ] {
        issuer.answer_with(head);
        issuer.publish(body);
        let before = issuer.asked();
        tokio::time::sleep(Duration::from_millis(450)).await;
        ensure!(issuer.asked() > before, "{what}: nobody asked");
        asked.ask(&good).await.with_context(|| format!("an issuer that answers {what}"))?;
    }
    issuer.slow.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(450)).await;
    asked.ask(&good).await.context("an issuer that does not answer")?;
    // Longer than keys are believed: nobody gets in, until the issuer answers again.
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    asked.refuses(&good).await?;
    issuer.slow.store(false, Ordering::SeqCst);
    issuer.answer_with("");
    issuer.publish(jwks(&[&next]));
    integration_tests::eventually("the new keys are known", async || Ok(asked.ask(&next).await.ok())).await?;
    asked.refuses(&good).await?;
    asked.stop.cancel();
    Ok(())
}

#[tokio::test]
async fn a_url_must_prove_who_it_is() -> Result<()> {
    let issuer = Issuer::default();
    let good = Signer::new(Algorithm::EdDSA, "good")?;
    issuer.publish(jwks(&[&good]));
    let authority = integration_tests::certificates::Authority::new()?;
    let stranger = integration_tests::certificates::Authority::new()?;
    let folder = tempfile::tempdir()?;
    for (name, trusted, lets_in) in
        [("localhost", &authority, true), ("localhost", &stranger, false), ("elsewhere", &authority, false)]
    {
        let acceptor = authority.server(name)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let this = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let _ = this.answer(stream).await;
                }
            }
        });
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, trusted.pem())?;
        let asked = Asked::start(move |settings| {
            settings.auth.jwks_file = None;
            settings.auth.jwks_url = Some(format!("https://localhost:{port}/keys"));
            settings.auth.jwks_ca_file = Some(ca);
        })
        .await?;
        if lets_in {
            asked.ask(&good).await.context("a URL with a good certificate")?;
        } else {
            asked.refuses(&good).await.context(name)?;
        }
        asked.stop.cancel();
    }
    Ok(())
}
