//! A fresh, migrated database for each test, from one throw-away server that all test processes share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use postgres::embedded::{Durability, Embedded, EmbeddedOptions, GuardCommand, throw_away_dir};
use postgres::{Db, Settings};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::sync::OnceCell;

use crate::eventually;

static SERVER: OnceCell<Embedded> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Advisory lock under which templates are made and old databases swept: "template" in ASCII.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database of its own for one test, gone when this value is dropped, or else when the server ends.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    server: &'static Embedded,
}

impl TestDatabase {
    /// A copy of the migrated template. The first call of a checkout starts the server and makes the template.
    pub async fn create() -> Result<Self> {
        let server = server().await?;
        let mut connection = admin(server).await?;
        let template = template(&mut connection, server).await?;
        let database = Self::named_next(server);
        copy(&mut connection, &template, &database.name).await?;
        connection.close().await?;
        Ok(database)
    }

    /// An empty database, for tests of the migrations themselves.
    pub async fn create_empty() -> Result<Self> {
        let server = server().await?;
        let mut connection = admin(server).await?;
        let database = Self::named_next(server);
        copy(&mut connection, "template0", &database.name).await?;
        connection.close().await?;
        Ok(database)
    }

    fn named_next(server: &'static Embedded) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { name: format!("t_{}_{number}", std::process::id()), server }
    }

    /// Address of the database for the superuser, whom row level security does not bind: for planting and for auditing.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url_of(&self.name)
    }

    /// A small pool's settings, acting as `role`.
    #[must_use]
    pub fn settings(&self, role: &str) -> Settings {
        Settings::new(self.url()).role(role).max_connections(5).application_name(format!("test {role}"))
    }

    /// A pool that acts as `role`.
    pub async fn db(&self, role: &str) -> Result<Db> {
        Ok(Db::connect(&self.settings(role)).await?)
    }

    /// Instants at which more is promised than there is, as the independent auditor sees them.
    pub async fn oversold(&self) -> Result<i64> {
        let mut superuser = self.superuser().await?;
        Ok(sqlx::query_scalar("select count(*) from inventory.oversold_instants()")
            .fetch_one(&mut superuser)
            .await?)
    }

    /// Waits until leasing has heard of every phase as it is: what is read of a lease from then on changes by what a test
    /// does, and not by news that were on their way.
    pub async fn leasing_hears_of_phases(&self) -> Result<()> {
        let heard = "select not exists (select from inventory.phase p join inventory.block b using (operator_id, block_id) \
            where not exists (select from leasing.ready_phase r \
                where (r.operator_id, r.site_id, r.block_slug, r.phase_id) \
                    = (p.operator_id, b.site_id, b.block_slug, p.phase_id) \
                and (r.actual_date is not null) = (p.date_basis = 'ACTUAL')))";
        let mut superuser = self.superuser().await?;
        eventually("leasing has heard of the phases", async || {
            let heard: bool = sqlx::query_scalar(heard).fetch_one(&mut superuser).await?;
            Ok(heard.then_some(()))
        })
        .await
    }

    /// One connection of the superuser.
    pub async fn superuser(&self) -> Result<PgConnection> {
        connect(&self.url()).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.server.url(), std::mem::take(&mut self.name));
        // A runtime of its own: the test's may be shutting down. A failure is left to the sweep.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = connect(&url).await?;
                drop_database(&mut connection, &name).await?;
                connection.close().await?;
                anyhow::Ok(())
            })
        });
        let _ = dropper.join();
    }
}

/// The server of this checkout's tests: on the first call of any process started, later joined.
pub async fn server() -> Result<&'static Embedded> {
    SERVER
        .get_or_try_init(|| async {
            let started = Embedded::start(EmbeddedOptions {
                home: throw_away_dir(&format!("test-{:016x}", checkout()))?,
                throw_away: true,
                durability: Durability::Disposable,
                guard: guard_command()?,
                // Test binaries follow each other within moments; the next one finds the server warm.
                linger: Duration::from_secs(3),
            })
            .await?;
            anyhow::Ok(started)
        })
        .await
}

/// The helper program of this crate, which stays in the background as the server's guard.
pub fn guard_command() -> Result<GuardCommand> {
    Ok(GuardCommand { program: node()?, argument: "guard".into() })
}

/// Path of the `node` binary, which cargo builds together with the tests.
pub fn node() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CARGO_BIN_EXE_node") {
        return Ok(named.into());
    }
    let own = std::env::current_exe()?;
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join("node")).find(|node| node.is_file());
    found.with_context(|| {
        format!("no `node` beside {}: cargo build -p integration-tests --bins", own.display())
    })
}

/// Two checkouts on one machine do not share a server: their programs may differ.
fn checkout() -> u64 {
    fnv(Path::new(env!("CARGO_MANIFEST_DIR")).as_os_str().as_encoded_bytes())
}

/// FNV-1a: the same in every process, which std's hasher does not promise.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

async fn connect(url: &str) -> Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    Ok(options
        .application_name("test database")
        .options([("client_min_messages", "warning")])
        .disable_statement_logging()
        .connect()
        .await?)
}

async fn admin(server: &Embedded) -> Result<PgConnection> {
    connect(&server.url()).await
}

/// A bug of the store that `planted/run.py` has planted, as SQL: a run with it must fail.
fn planted() -> Result<Option<String>> {
    let file = std::env::var_os("GRIDLEASE_PLANTED_SQL");
    file.map(|file| std::fs::read_to_string(file).context("GRIDLEASE_PLANTED_SQL")).transpose()
}

/// The template of these migrations, made if it is not there. The rename is what makes it count, so that a template whose
/// maker was killed is never copied.
async fn template(connection: &mut PgConnection, server: &Embedded) -> Result<String> {
    let planted = planted()?;
    let mark = planted.as_deref().map(|sql| format!("_{:016x}", fnv(sql.as_bytes()))).unwrap_or_default();
    let name = format!("tmpl_{}{mark}", migrations::fingerprint());
    if exists(connection, &name).await? {
        return Ok(name);
    }
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    let made = make_template(connection, server, &name).await;
    sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(&mut *connection).await?;
    made.map(|()| name)
}

async fn make_template(connection: &mut PgConnection, server: &Embedded, name: &str) -> Result<()> {
    if exists(connection, name).await? {
        return Ok(());
    }
    sweep(connection).await?;
    drop_database(connection, "tmpl_build").await?;
    copy(connection, "template0", "tmpl_build").await?;
    migrations::up(&server.url_of("tmpl_build")).await?;
    if let Some(sql) = planted()? {
        let mut superuser = connect(&server.url_of("tmpl_build")).await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut superuser).await.context("the planted bug")?;
        superuser.close().await?;
    }
    rename(connection, "tmpl_build", name).await
}

/// The migrator's backend may take a moment to end after its connection has.
async fn rename(connection: &mut PgConnection, from: &str, to: &str) -> Result<()> {
    let sql = format!("alter database {from} rename to {to}");
    for _ in 0..50 {
        match run(connection, sql.clone()).await {
            Err(error)
                if error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref()
                    == Some("55006") =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            done => return Ok(done?),
        }
    }
    anyhow::bail!("{from} is still in use")
}

/// Databases of processes that are gone. Templates of other migrations stay: a build from before an edit may be using them,
/// and they end with the server.
async fn sweep(connection: &mut PgConnection) -> Result<()> {
    let rows = sqlx::query("select datname::text from pg_database where datname ~ '^t_[0-9]+_'")
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let name: String = row.try_get(0)?;
        let in_use = name.strip_prefix("t_").and_then(|rest| rest.split('_').next()).is_some_and(is_running);
        if !in_use {
            drop_database(connection, &name).await?;
        }
    }
    Ok(())
}

fn is_running(pid: &str) -> bool {
    let signal =
        std::process::Command::new("kill").args(["-0", pid]).stderr(std::process::Stdio::null()).status();
    signal.is_ok_and(|status| status.success())
}

async fn exists(connection: &mut PgConnection, name: &str) -> Result<bool> {
    let row = sqlx::query("select exists (select 1 from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

async fn copy(connection: &mut PgConnection, template: &str, name: &str) -> Result<()> {
    run(connection, format!("create database {name} template {template} strategy file_copy"))
        .await
        .with_context(|| format!("copy {template} to {name}"))
}

async fn drop_database(connection: &mut PgConnection, name: &str) -> Result<()> {
    Ok(run(connection, format!("drop database if exists {name} with (force)")).await?)
}

/// Names of databases are ours: letters, digits and underscores.
async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}
