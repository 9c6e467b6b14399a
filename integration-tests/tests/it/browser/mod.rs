//! A real browser calls by gRPC-Web from a page, where one is installed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use contracts::inventory::v1::{
    GetOperatorRequest, ListOperatorsRequest, ListOperatorsResponse, WatchEventsRequest, WatchEventsResponse,
};
use integration_tests::cluster::INVENTORY;
use integration_tests::{Cluster, market};
use kernel::Role;
use prost::Message;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::Code;

const PAGE: &str = include_str!("page.html");
/// How long a browser may take to start and to say what it was told.
const TELLS_WITHIN: Duration = Duration::from_secs(60);

/// A call that the page makes.
#[derive(Clone, Serialize)]
struct Call {
    url: String,
    token: String,
    message: Vec<u8>,
    /// Whether the first message of a stream is enough.
    stream: bool,
}

/// What the page says came of it.
#[derive(Debug, Deserialize)]
struct Told {
    status: Option<i32>,
    message: Option<Vec<u8>>,
    /// The name of what the browser threw.
    error: Option<String>,
}

impl Told {
    fn decoded<M: Message + Default>(&self) -> Result<M> {
        let message = self.message.as_ref().with_context(|| format!("no message: {self:?}"))?;
        Ok(M::decode(message.as_slice())?)
    }
}

type Calls = BTreeMap<&'static str, Call>;

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut found = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    found.find(|program| program.is_file())
}

/// A browser that is gone with the test.
struct Opened {
    process: Child,
    _profile: tempfile::TempDir,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn open(browser: &PathBuf, url: &str) -> Result<Opened> {
    let profile = tempfile::tempdir()?;
    let process = Command::new(browser)
        // Its sandbox does not start as root; what it opens is a page of ours.
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Opened { process, _profile: profile })
}

/// Opens a page that makes these calls, served from here.
async fn visit(browser: &PathBuf, listener: TcpListener, calls: &Calls) -> Result<BTreeMap<String, Told>> {
    let page = PAGE.replace("/*ASKED*/", &serde_json::to_string(calls)?);
    let (sender, mut told) = mpsc::channel::<String>(1);
    let tell = move |body: String| async move {
        let _ = sender.send(body).await;
    };
    let url = format!("http://{}/", listener.local_addr()?);
    let app = Router::new().route("/", get(async move || Html(page))).route("/told", post(tell));
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let opened = open(browser, &url)?;
    let text = tokio::time::timeout(TELLS_WITHIN, told.recv()).await.context("the browser says nothing")?;
    drop(opened);
    serving.abort();
    Ok(serde_json::from_str(&text.context("nothing was told")?)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_browser_calls_from_the_page_that_was_named_and_from_no_other() -> Result<()> {
    let Some(browser) = browser() else {
        eprintln!("not run: no Chromium is installed");
        return Ok(());
    };
    let (named, other) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let mut cluster = Cluster::new(1).await?;
    cluster.set("SERVER__WEB_ORIGINS", format!("http://{}", named.local_addr()?));
    cluster.start(INVENTORY, "").await?;
    market::site(|o, r| cluster.clients(o, r), "north", &[market::hall(10_000)]).await?;
    let token = cluster.token("operators/north", Role::SiteOps)?;
    let at = cluster.addresses(0).inventory;
    let call = |rpc: &str, message: Vec<u8>, stream: bool| Call {
        url: format!("http://{at}/gridlease.inventory.v1.{rpc}"),
        token: token.clone(),
        message,
        stream,
    };
    let list = call("SiteService/ListOperators", ListOperatorsRequest::default().encode_to_vec(), false);
    let nobody = GetOperatorRequest { name: "operators/nobody".to_owned(), ..Default::default() };
    let watch = WatchEventsRequest { parent: "operators/north".to_owned(), ..Default::default() };
    let calls = Calls::from([
        ("refused", call("SiteService/GetOperator", nobody.encode_to_vec(), false)),
        ("stranger", Call { token: "nonsense".to_owned(), ..list.clone() }),
        ("watch", call("EventService/WatchEvents", watch.encode_to_vec(), true)),
        ("list", list),
    ]);

    let told = visit(&browser, named, &calls).await?;
    let code = |name: &str| told.get(name).and_then(|one| one.status).map(Code::from_i32);
    ensure!(code("list") == Some(Code::Ok), "{told:?}");
    ensure!(told["list"].decoded::<ListOperatorsResponse>()?.operators.len() == 1, "{told:?}");
    ensure!(code("refused") == Some(Code::NotFound), "{told:?}");
    ensure!(code("stranger") == Some(Code::Unauthenticated), "{told:?}");
    ensure!(!told["watch"].decoded::<WatchEventsResponse>()?.cursor.is_empty(), "{told:?}");

    let told = visit(&browser, other, &calls).await?;
    let thrown = |one: &Told| one.error.as_deref() == Some("TypeError") && one.message.is_none();
    ensure!(told.len() == calls.len() && told.values().all(thrown), "another page was served: {told:?}");
    Ok(())
}
