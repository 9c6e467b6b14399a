//! Applies what is missing, forward only, one migrator at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tracing::{info, warn};

use crate::catalogue::{GOLDEN, first_difference, schema_sql_on};
use crate::files::{self, Migration, ROLES, SCHEMAS};
use crate::{MigrationError, all};

/// Of all advisory locks on the database, the migrators' one: "gridleas" in ASCII.
const LOCK: i64 = 0x6772_6964_6c65_6173;
const LOCK_PAUSE: Duration = Duration::from_millis(200);
const LOCK_TRIES: u32 = 600;
/// A lock that a running service holds is waited for 2 s at a time, so that its own requests do not queue up behind us.
const SESSION: &str = "set lock_timeout = '2s'; set statement_timeout = '60s'; set search_path = ''; \
    set timezone = 'UTC'; set client_min_messages = 'warning'";
const TRIES: u32 = 15;
const PAUSE: Duration = Duration::from_secs(1);

/// Where one migration stands in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Applied at this time (UTC, as the server wrote it).
    Applied(String),
    /// To be applied.
    Pending,
    /// Applied with another text.
    Changed,
}

/// One line of `migrate status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The migration.
    pub migration: Migration,
    /// Where it stands.
    pub state: State,
}

/// Brings the database to this program's schemas and says what was applied. Applying twice changes nothing; of two
/// migrators at once, one runs and the other finds nothing to do.
///
/// The login must be superuser, or own the database, be a member of `gridlease_owner` and may create roles; it must be
/// a direct connection, since a transaction pooler would strand the lock.
pub async fn up(url: &str) -> Result<Vec<Migration>, MigrationError> {
    let mut connection = connect(url).await?;
    lock(&mut connection).await?;
    let applied = up_locked(&mut connection).await;
    // Closing the connection frees the lock, also after an error.
    let _ = connection.close().await;
    applied
}

async fn up_locked(connection: &mut PgConnection) -> Result<Vec<Migration>, MigrationError> {
    execute(connection, "make the roles", ROLES).await?;
    let grant = "do $$ begin if not has_database_privilege('gridlease_owner', current_database(), 'create') then \
                 execute format('grant create on database %I to gridlease_owner', current_database()); end if; end $$";
    execute(connection, "let gridlease_owner make schemas", grant).await?;
    // A login that may not grant it is a member already, or is refused by the next line.
    let member = "do $$ begin execute format('grant gridlease_owner to %I', current_user); \
                  exception when insufficient_privilege then null; end $$";
    if !is_superuser(connection).await? {
        execute(connection, "become a member of gridlease_owner", member).await?;
    }
    execute(connection, "act as gridlease_owner", "set role gridlease_owner").await?;
    let mut applied = Vec::new();
    for schema in SCHEMAS {
        if !has_history(connection, schema).await? {
            in_transaction(connection, &format!("make schema {schema}"), &files::history(schema)).await?;
        }
        let known = all().into_iter().filter(|m| m.schema == schema).collect::<Vec<_>>();
        let history = history(connection, schema).await?;
        refuse_unknown(schema, &known, &history)?;
        for migration in known {
            match history.get(&migration.version) {
                Some(row) if row.checksum == migration.checksum() => {}
                Some(_) => return Err(MigrationError::Changed { migration: migration.to_string() }),
                None => {
                    apply(connection, &migration).await?;
                    info!(%migration, "applied");
                    applied.push(migration);
                }
            }
        }
    }
    Ok(applied)
}

/// Where every migration stands.
pub async fn status(url: &str) -> Result<Vec<Status>, MigrationError> {
    let mut connection = connect(url).await?;
    let mut found = Vec::new();
    for schema in SCHEMAS {
        let history = if has_history(&mut connection, schema).await? {
            history(&mut connection, schema).await?
        } else {
            BTreeMap::new()
        };
        let known = all().into_iter().filter(|m| m.schema == schema).collect::<Vec<_>>();
        refuse_unknown(schema, &known, &history)?;
        found.extend(known.into_iter().map(|migration| {
            let state = match history.get(&migration.version) {
                None => State::Pending,
                Some(row) if row.checksum == migration.checksum() => State::Applied(row.applied_at.clone()),
                Some(_) => State::Changed,
            };
            Status { migration, state }
        }));
    }
    let _ = connection.close().await;
    Ok(found)
}

/// Whether the database is exactly what this program's migrations make: everything applied, no file changed since, and
/// the catalogue equal to the golden one.
pub async fn check(url: &str) -> Result<(), MigrationError> {
    let standing = status(url).await?;
    if let Some(changed) = standing.iter().find(|s| s.state == State::Changed) {
        return Err(MigrationError::Changed { migration: changed.migration.to_string() });
    }
    let pending: Vec<String> =
        standing.iter().filter(|s| s.state == State::Pending).map(|s| s.migration.to_string()).collect();
    if !pending.is_empty() {
        return Err(MigrationError::Pending(pending));
    }
    let mut connection = connect(url).await?;
    let found = schema_sql_on(&mut connection).await?;
    let _ = connection.close().await;
    first_difference(GOLDEN, &found).map_or(Ok(()), |difference| Err(MigrationError::Drift(difference)))
}

pub(crate) async fn connect(url: &str) -> Result<PgConnection, MigrationError> {
    let options: PgConnectOptions =
        url.parse().map_err(MigrationError::store("read the address of the database"))?;
    let mut connection = options
        .application_name("gridlease migrate")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(MigrationError::store("connect to the database"))?;
    execute(&mut connection, "set up the session", SESSION).await?;
    Ok(connection)
}

async fn lock(connection: &mut PgConnection) -> Result<(), MigrationError> {
    for _ in 0..LOCK_TRIES {
        let row = sqlx::query("select pg_catalog.pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut *connection)
            .await
            .map_err(MigrationError::store("take the migrators' lock"))?;
        if row.try_get(0).map_err(MigrationError::store("take the migrators' lock"))? {
            return Ok(());
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    Err(MigrationError::Busy)
}

async fn apply(connection: &mut PgConnection, migration: &Migration) -> Result<(), MigrationError> {
    let doing = format!("apply {migration}");
    let mut tried = 1;
    loop {
        let outcome = if migration.in_transaction() {
            let sql = format!("{}\n;\n{}", migration.sql, history_row(migration));
            in_transaction(connection, &doing, &sql).await
        } else {
            match execute(connection, &doing, &migration.sql).await {
                Ok(()) => execute(connection, &doing, &history_row(migration)).await,
                failed => failed,
            }
        };
        match outcome {
            Err(MigrationError::Store { source, .. }) if tried < TRIES && is_lock_timeout(&source) => {
                warn!(%migration, tried, "a lock is held by others; trying again");
                tokio::time::sleep(PAUSE).await;
                tried += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Names and checksums are ours: letters, digits and underscores.
fn history_row(migration: &Migration) -> String {
    format!(
        "insert into {}.schema_history (version, name, checksum) values ({}, '{}', '{}')",
        migration.schema,
        migration.version,
        migration.name,
        migration.checksum()
    )
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55P03")
}

async fn in_transaction(connection: &mut PgConnection, doing: &str, sql: &str) -> Result<(), MigrationError> {
    // One simple query is one transaction: either all of it happens or nothing, and no answer gets lost in between.
    execute(connection, doing, sql).await
}

async fn execute(connection: &mut PgConnection, doing: &str, sql: &str) -> Result<(), MigrationError> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(MigrationError::store(doing))
}

struct Row {
    checksum: String,
    applied_at: String,
}

async fn has_history(connection: &mut PgConnection, schema: &str) -> Result<bool, MigrationError> {
    let doing = "look for the history of migrations";
    let row = sqlx::query("select pg_catalog.to_regclass($1) is not null")
        .bind(format!("{schema}.schema_history"))
        .fetch_one(connection)
        .await
        .map_err(MigrationError::store(doing))?;
    row.try_get(0).map_err(MigrationError::store(doing))
}

async fn is_superuser(connection: &mut PgConnection) -> Result<bool, MigrationError> {
    let doing = "look at our own rights";
    let row = sqlx::query("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
        .fetch_one(connection)
        .await
        .map_err(MigrationError::store(doing))?;
    row.try_get(0).map_err(MigrationError::store(doing))
}

async fn history(connection: &mut PgConnection, schema: &str) -> Result<BTreeMap<i64, Row>, MigrationError> {
    let doing = || MigrationError::store(format!("read {schema}.schema_history"));
    let sql = format!("select version, checksum, applied_at::text from {schema}.schema_history");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(doing())?;
    rows.iter()
        .map(|row| {
            let version = row.try_get(0).map_err(doing())?;
            let checksum = row.try_get(1).map_err(doing())?;
            let applied_at = row.try_get(2).map_err(doing())?;
            Ok((version, Row { checksum, applied_at }))
        })
        .collect()
}

fn refuse_unknown(
    schema: &str,
    known: &[Migration],
    history: &BTreeMap<i64, Row>,
) -> Result<(), MigrationError> {
    let newest = known.last().map_or(0, |m| m.version);
    match history.keys().next_back() {
        Some(version) if *version > newest => {
            Err(MigrationError::Newer { schema: schema.to_owned(), version: *version })
        }
        _ => Ok(()),
    }
}
