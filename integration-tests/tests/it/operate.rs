//! What those who run it look at: metrics over HTTP, and the doctor.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1::StartBillingRunRequest;
use gridlease::doctor::{Doctor, Finding, Service, State, findings};
use integration_tests::{TestDatabase, TestStack, World};
use kernel::Role;
use runtime::TokenIssuer;
use runtime::token::{DEVELOPMENT_ISSUER, JWKS_FILE, KEY_FILE};
use sqlx::AssertSqlSafe;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn metrics(address: SocketAddr) -> Result<String> {
    let mut connection = tokio::net::TcpStream::connect(address).await?;
    connection.write_all(b"GET /metrics HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("a body")?;
    ensure!(head.contains("200 OK"), "{head}");
    Ok(body.to_owned())
}

/// Every metric of ours that a file of the chart names.
fn named(file: &str) -> Result<BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/gridlease/files").join(file);
    let text = std::fs::read_to_string(path)?;
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    Ok(words
        .filter(|w| w.starts_with("gridlease_") || w.starts_with("process_"))
        .map(str::to_owned)
        .collect())
}

#[tokio::test]
async fn every_metric_that_an_alert_or_the_dashboard_names_is_there() -> Result<()> {
    let stack = TestStack::start().await?;
    // Something of each kind has happened, refused or not.
    World::build(&stack, "north", "acme", "operate").await?;
    let finance = stack.clients("operators/nobody", Role::Finance)?;
    let _ = finance.invoices().start_billing_run(StartBillingRunRequest::default()).await;
    let sales = stack.clients("operators/nobody", Role::Sales)?;
    let _ = sales.reservations().place_hold(contracts::inventory::v1::PlaceHoldRequest::default()).await;
    let mut shown = String::new();
    for address in stack.stack().admin() {
        shown += &metrics(address).await?;
    }
    let there: BTreeSet<&str> = shown
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    for file in ["alerts.yaml", "dashboard.json"] {
        let named = named(file)?;
        ensure!(named.len() > 5, "{file} names {named:?}");
        for metric in named {
            ensure!(
                there.contains(metric.as_str()),
                "{file} names {metric}, and no service shows it: {there:?}"
            );
        }
    }
    for series in [
        "gridlease_build_info{",
        "gridlease_pool_limit{pool=\"desk\"}",
        "gridlease_feed_lag_seconds{feed=\"leasing\"}",
    ] {
        ensure!(shown.contains(series), "{series} is not shown");
    }
    Ok(())
}

/// A database, a login as the documents make it, keys, and the service's file of settings.
struct Installation {
    database: TestDatabase,
    folder: tempfile::TempDir,
    login: String,
}

impl Installation {
    async fn of_inventory() -> Result<Self> {
        let (database, folder) = (TestDatabase::create().await?, tempfile::tempdir()?);
        let login = format!("login_{}", uuid::Uuid::from_u128(u128::from(std::process::id())).simple());
        let make = format!(
            "drop role if exists {login}; create role {login} login noinherit; \
             grant inventory, inventory_worker to {login}"
        );
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut database.superuser().await?).await?;
        TokenIssuer::in_directory(folder.path())?;
        let path = |file: &str| folder.path().join(file).display().to_string();
        std::fs::write(path("url"), database.url().replace("postgres@", &format!("{login}@")))?;
        let mut settings = String::new();
        writeln!(settings, "[auth]\njwks_file = {:?}\nissuer = {DEVELOPMENT_ISSUER:?}", path(JWKS_FILE))?;
        writeln!(
            settings,
            "development_key_file = {:?}\n[database]\nurl_file = {:?}",
            path(KEY_FILE),
            path("url")
        )?;
        std::fs::write(path("inventory.toml"), settings)?;
        Ok(Self { database, folder, login })
    }

    async fn doctor(&self) -> Vec<Finding> {
        let config = Some(self.folder.path().join("inventory.toml"));
        findings(&Doctor { service: Service::Inventory, config, json: false }).await
    }

    async fn change(&self, sql: &'static str) -> Result<()> {
        sqlx::raw_sql(sql).execute(&mut self.database.superuser().await?).await?;
        Ok(())
    }
}

fn wrong(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|finding| finding.state == State::Wrong).map(|finding| finding.check).collect()
}

#[tokio::test]
async fn the_doctor_finds_what_is_wrong_and_nothing_else() -> Result<()> {
    let installation = Installation::of_inventory().await?;
    let healthy = installation.doctor().await;
    // The server of the tests is not durable, and the doctor says so; all else is as it must be.
    ensure!(wrong(&healthy).iter().all(|check| *check == "store"), "{healthy:#?}");
    ensure!(healthy.len() == 9, "{healthy:#?}");

    installation.change("alter table inventory.block no force row level security").await?;
    ensure!(wrong(&installation.doctor().await).contains(&"row security"));
    installation.change("alter table inventory.block force row level security").await?;

    installation.change("delete from inventory.schema_history where version > 3").await?;
    ensure!(wrong(&installation.doctor().await).contains(&"schema"));

    let revoke = format!("revoke inventory_worker from {}", installation.login);
    sqlx::raw_sql(AssertSqlSafe(revoke)).execute(&mut installation.database.superuser().await?).await?;
    ensure!(wrong(&installation.doctor().await).contains(&"roles"));

    std::fs::write(installation.folder.path().join(JWKS_FILE), "{}")?;
    let found = installation.doctor().await;
    ensure!(wrong(&found).contains(&"keys"), "{found:#?}");
    std::fs::write(installation.folder.path().join("url"), "postgres://nobody@127.0.0.1:1/x")?;
    let found = installation.doctor().await;
    ensure!(wrong(&found).contains(&"store") && !format!("{found:?}").contains("hunter"), "{found:#?}");

    let drop = format!("drop owned by {0}; drop role {0}", installation.login);
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut installation.database.superuser().await?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_doctor_finds_nothing_wrong_in_the_pods_of_the_chart() -> Result<()> {
    if !integration_tests::installation::is_possible() {
        return Ok(());
    }
    let installation = integration_tests::Installation::start(1).await?;
    for service in integration_tests::installation::SERVICES {
        let (well, said) = installation.doctor(service).await?;
        ensure!(well, "{service}: {said}");
    }
    Ok(())
}
