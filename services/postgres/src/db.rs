//! The pool, and the one way to a transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{Error, Instant, Reason, Scope};
use sea_orm::{DatabaseConnection, IsolationLevel, SqlxPostgresConnector, TransactionTrait as _};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tracing::{Instrument as _, debug, warn};

use crate::tx::{Access, Tx};
use crate::{PoolUse, Settings, TransactionMeters, silence, sqlx_error, store_error};

/// Tries of one transaction before the conflict is told to the caller.
const TRIES: u32 = 8;
/// First pause between tries; it doubles, with full jitter, up to the longest.
const PAUSE_MS_FIRST: u64 = 4;
const PAUSE_MS_MAX: u64 = 250;
/// A transaction longer than this is worth a warning: an open one holds back every feed.
const SLOW: Duration = Duration::from_secs(1);
/// The level at which the driver tells of statements to whoever makes spans of them.
const TOLD: log::LevelFilter = log::LevelFilter::Trace;

/// A pool of connections that act as one role. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
    orm: DatabaseConnection,
    meters: TransactionMeters,
    moment: Duration,
    /// The last silence after which the idle connections were looked at.
    looked: silence::Looked,
}

impl Db {
    /// Opens the pool and one connection, so that a wrong address or role is told at start.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let options = connect_options(settings)?;
        let pool = pool_options(settings, &options).connect_with(options).await.map_err(sqlx_error)?;
        Ok(Self::of_pool(pool, settings))
    }

    /// The pool without a first connection: the server may come later.
    pub fn connect_lazy(settings: &Settings) -> Result<Self, Error> {
        let options = connect_options(settings)?;
        Ok(Self::of_pool(pool_options(settings, &options).connect_lazy_with(options), settings))
    }

    fn of_pool(pool: PgPool, settings: &Settings) -> Self {
        let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
        let (meters, moment) = (settings.meters.clone(), moment(settings));
        Self { pool, orm, meters, moment, looked: silence::Looked::default() }
    }

    /// The pool itself, for what sea-orm has no word for: COPY, a batch in one function call.
    #[must_use]
    pub fn sqlx(&self) -> &PgPool {
        &self.pool
    }

    /// Statements outside a transaction. On a request role they see no row, since no scope is set.
    #[must_use]
    pub fn conn(&self) -> &DatabaseConnection {
        &self.orm
    }

    /// How much of the pool is in use.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let (open, idle) = (self.pool.size(), u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX));
        let limit = self.pool.options().get_max_connections();
        PoolUse { used: open.saturating_sub(idle), idle: idle.min(open), limit }
    }

    /// Closes the pool; gives up waiting for connections still in use after five seconds.
    pub async fn close(&self) {
        if tokio::time::timeout(Duration::from_secs(5), self.pool.close()).await.is_err() {
            warn!("connections were still in use when the pool was closed");
        }
    }

    /// The server's clock: the only judge of holds and retention.
    pub async fn database_time(&self) -> Result<Instant, Error> {
        self.ask("select clock_timestamp()").await?.try_get(0).map_err(sqlx_error)
    }

    /// The version that a schema was migrated to; `None` if it was not yet.
    ///
    /// # Errors
    /// `INTERNAL` where there is no such schema, and what keeps the store from answering.
    pub async fn schema_version(&self, schema: &str) -> Result<Option<i64>, Error> {
        let sql = format!("select max(version) from {schema}.schema_history");
        self.ask(&sql).await?.try_get(0).map_err(sqlx_error)
    }

    /// The row of a statement that takes no time.
    async fn ask(&self, sql: &str) -> Result<PgRow, Error> {
        self.look_at_idle();
        let mut connection = self.pool.acquire().await.map_err(sqlx_error)?;
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection);
        silence::prompt(self.moment, row).await.map_err(sqlx_error)
    }

    /// The only way to a transaction that writes: named, timed, READ COMMITTED, scoped, tried again at most eight
    /// times when another transaction was first (40001, 40P01, 55P03), its commit checked.
    ///
    /// `f` may run more than once: it takes the transaction, and gives it back with its result. An `Err`, or a
    /// future that is dropped, rolls back. Nothing in `f` may wait for the network: effects leave as rows.
    pub async fn in_tx<T, F, Fut>(&self, name: &'static str, scope: &Scope, f: F) -> Result<T, Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        self.run(name, scope, Access::ReadWrite, f).await
    }

    /// As [`Db::in_tx`], READ ONLY and REPEATABLE READ: every statement sees the same snapshot, which `outbox::snapshot`
    /// tells, so that what is answered was true at one instant. It holds back the cleaning of old row versions as long as
    /// it lasts, and no feed.
    pub async fn read<T, F, Fut>(&self, name: &'static str, scope: &Scope, f: F) -> Result<T, Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        self.run(name, scope, Access::ReadOnly, f).await
    }

    async fn run<T, F, Fut>(
        &self,
        name: &'static str,
        scope: &Scope,
        access: Access,
        f: F,
    ) -> Result<T, Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        let span = tracing::debug_span!("transaction", name, otel.name = name);
        self.tries(name, scope, access, f).instrument(span).await
    }

    async fn tries<T, F, Fut>(
        &self,
        name: &'static str,
        scope: &Scope,
        access: Access,
        f: F,
    ) -> Result<T, Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        let started = std::time::Instant::now();
        let mut tried = 1;
        loop {
            let outcome = self.once(scope, access, &f).await;
            match &outcome {
                Err(error) if error.reason() == Reason::TransactionConflict && tried < TRIES => {
                    debug!(name, tried, "another transaction was first; trying again");
                    tokio::time::sleep(pause(tried)).await;
                    tried += 1;
                }
                _ => {
                    tell(name, tried, started.elapsed(), outcome.is_ok());
                    self.meters.ended(name, tried, started.elapsed(), outcome.is_ok());
                    return outcome;
                }
            }
        }
    }

    /// After a silence, has every idle connection looked at as it goes back: otherwise each would keep somebody waiting.
    fn look_at_idle(&self) {
        if self.looked.is_due() {
            let idle: Vec<_> = std::iter::from_fn(|| self.pool.try_acquire()).collect();
            drop(idle);
        }
    }

    /// One try, given up where the server has gone silent: its connection is closed then.
    async fn once<T, F, Fut>(&self, scope: &Scope, access: Access, f: &F) -> Result<T, Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        self.look_at_idle();
        let committing = AtomicBool::new(false);
        tokio::select! {
            biased;
            outcome = self.whole(scope, access, f, &committing) => outcome,
            () = silence::outwaited() => Err(silence::given_up_as(committing.load(Ordering::Relaxed))),
        }
    }

    async fn whole<T, F, Fut>(
        &self,
        scope: &Scope,
        access: Access,
        f: &F,
        committing: &AtomicBool,
    ) -> Result<T, Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that begins a transaction")]
        let begun = match access {
            Access::ReadWrite => self.orm.begin().await,
            Access::ReadOnly => self.orm.begin_with_config(Some(IsolationLevel::RepeatableRead), None).await,
        };
        let begun = begun.map_err(store_error)?;
        let tx = Tx::scoped(begun, scope, access).await?;
        let (tx, value) = f(tx).await?;
        tx.commit_checked(committing).await?;
        Ok(value)
    }
}

fn tell(name: &'static str, tries: u32, elapsed: Duration, ok: bool) {
    let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if elapsed > SLOW {
        warn!(name, tries, elapsed_us, ok, "slow transaction");
    } else {
        debug!(name, tries, elapsed_us, ok, "transaction");
    }
}

/// Full jitter: two transactions that met once do not meet again in step.
fn pause(tried: u32) -> Duration {
    let longest = (PAUSE_MS_FIRST << tried.min(8)).min(PAUSE_MS_MAX) * 1000;
    let mut random = [0_u8; 8];
    // Without randomness the pause is the longest one: slower, never wrong.
    let micros = match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => u64::from_ne_bytes(random) % longest,
        Err(_) => longest,
    };
    Duration::from_micros(micros)
}

fn connect_options(settings: &Settings) -> Result<PgConnectOptions, Error> {
    // What the parser says would repeat parts of an address that holds a password.
    let bad =
        |_: sqlx::Error| Error::internal("the store's address is not postgres://user:password@host:port/db");
    let mut options: PgConnectOptions = settings.url.expose().parse().map_err(bad)?;
    options = options.application_name(&settings.application_name);
    options = if settings.tell_statements {
        options.log_statements(TOLD).log_slow_statements(TOLD, Duration::from_secs(3_600))
    } else {
        options.disable_statement_logging()
    };
    if settings.verify_tls {
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    if let Some(authorities) = &settings.ca_file {
        options = options.ssl_root_cert(authorities);
    }
    let ms = |d: Duration| d.as_millis().to_string();
    options = options.options([
        ("TimeZone", "UTC".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("statement_timeout", ms(settings.statement_timeout)),
        ("lock_timeout", ms(settings.lock_timeout)),
        ("idle_in_transaction_session_timeout", ms(settings.idle_in_transaction_timeout)),
        // The guard below sends a ROLLBACK that has mostly nothing to roll back; the server would warn each time.
        ("client_min_messages", "error".to_owned()),
        // No report and no sweep takes the processors from those who book.
        ("max_parallel_workers_per_gather", "0".to_owned()),
    ]);
    if let Some(role) = &settings.role {
        options = options.options([("role", role)]);
    }
    Ok(options)
}

fn pool_options(settings: &Settings, connect: &PgConnectOptions) -> PgPoolOptions {
    let renewal = Renewal { connect: Arc::new(connect.clone()), moment: moment(settings) };
    let settled = renewal.clone();
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(settings.idle_timeout)
        // The guard is a round trip of its own and finds a dead connection as well as a ping would.
        .test_before_acquire(false)
        .after_connect(|connection, _| refuse_standby(connection))
        .before_acquire(move |connection, at| heal(connection, at.age, renewal.clone()))
        .after_release(move |connection, at| settle(connection, at.age, settled.clone()))
}

/// A part of the time for which a call waits for a connection, so that a silent one is found within it.
fn moment(settings: &Settings) -> Duration {
    settings.acquire_timeout / (silence::MOMENTS + 1)
}

/// Ends what a cancelled `begin()` left open (the pool would hand out a connection inside a transaction that nobody
/// commits), drops connections to a server that became read-only, as a demoted primary does, and renews silent ones.
fn heal(
    connection: &mut PgConnection,
    age: Duration,
    renewal: Renewal,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    async move {
        let row = sqlx::raw_sql("rollback; show transaction_read_only").fetch_one(&mut *connection);
        let answered = if silence::covers(age) {
            tokio::time::timeout(renewal.moment, row).await.ok()
        } else {
            Some(silence::prompt(renewal.moment, row).await)
        };
        match answered {
            Some(Ok(row)) => Ok(row.try_get::<String, _>(0)? == "off"),
            Some(Err(error)) if !silence::is_silence(&error) => Err(error),
            _ => renewal.renew(connection).await,
        }
    }
    .boxed()
}

/// Waits for what is still to be answered on a connection that comes back, unless its server has gone silent. The driver
/// would wait without end, and the connection keep its place in the pool.
fn settle(
    connection: &mut PgConnection,
    age: Duration,
    renewal: Renewal,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    async move {
        let silent = async {
            silence::of(age).await;
            tokio::time::sleep(renewal.moment).await;
        };
        let answered = tokio::select! {
            biased;
            answered = connection.ping() => Some(answered),
            () = silent => None,
        };
        match answered {
            Some(answered) => answered.map(|()| true),
            None => renewal.renew(connection).await,
        }
    }
    .boxed()
}

/// Puts a new connection in the place of a silent one. The driver cannot close that: a goodbye by TLS waits for an answer.
#[derive(Clone)]
struct Renewal {
    connect: Arc<PgConnectOptions>,
    moment: Duration,
}

impl Renewal {
    /// Tries until there is a server; whoever waits for the connection says how long.
    async fn renew(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        loop {
            let new = async {
                let mut new = PgConnection::connect_with(&self.connect).await?;
                refuse_standby(&mut new).await?;
                Ok::<_, sqlx::Error>(new)
            };
            if let Ok(Ok(new)) = tokio::time::timeout(self.moment * silence::MOMENTS, new).await {
                *connection = new;
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(PAUSE_MS_MAX)).await;
        }
    }
}

fn refuse_standby(connection: &mut PgConnection) -> BoxFuture<'_, Result<(), sqlx::Error>> {
    async move {
        let row = sqlx::raw_sql("show transaction_read_only").fetch_one(connection).await?;
        if row.try_get::<String, _>(0)? == "off" {
            Ok(())
        } else {
            Err(sqlx::Error::Io(std::io::Error::other(
                "the server is read-only: a standby or a demoted primary",
            )))
        }
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for tried in 1..=TRIES {
            assert!(pause(tried) <= Duration::from_millis(PAUSE_MS_MAX));
        }
        assert!(pause(1) <= Duration::from_millis(2 * PAUSE_MS_FIRST));
    }

    #[test]
    fn a_malformed_address_is_an_error_that_does_not_show_the_password() {
        let error = connect_options(&Settings::new("postgres://a:hunter2@:bad/")).expect_err("malformed");
        assert!(!error.to_string().contains("hunter2"));
    }
}
