//! The store as the service meets it: server, roles, schema, row security, clock.

use std::time::Duration;

use kernel::{Clock as _, SystemClock};
use runtime::Settings;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::Finding;

const AT_MOST: Duration = Duration::from_secs(5);
/// PostgreSQL 15.
const OLDEST: i32 = 150_000;
/// Tokens are judged by the service's clock with so much leeway.
const SKEW_MAX: Duration = Duration::from_secs(30);

const SERVER: &str = "select current_setting('server_version_num')::int, pg_is_in_recovery(), \
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), current_setting('fsync')";
const ROLES: &str = "select rolname::text, rolsuper or rolbypassrls, pg_has_role(session_user, rolname, 'member') \
    from pg_roles where rolname in ($1, $1 || '_worker')";
const MIXED: &str = "select pg_has_role($1, $1 || '_worker', 'member'), \
    (select rolsuper or rolbypassrls or rolinherit from pg_roles where rolname = session_user)";
const OPEN: &str = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
    where n.nspname = $1 and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity) order by 1";

/// Looks at the store with the service's own login.
pub(super) async fn all(settings: &Settings) -> Vec<Finding> {
    let what = "Look whether Postgres runs, whether the URL and its password are right, and whether a network policy is \
        between.";
    let mut connection = match tokio::time::timeout(AT_MOST, connect(settings.database_url.expose())).await {
        Ok(Ok(connection)) => connection,
        // The driver's words name host and login, never the password.
        Ok(Err(error)) => return vec![Finding::wrong("store", error.to_string(), what)],
        Err(_) => return vec![Finding::wrong("store", "it does not answer", what)],
    };
    let service = settings.service.as_str();
    let looked = [
        ("store", server(&mut connection).await),
        ("roles", roles(&mut connection, service).await),
        ("separate rights", separate(&mut connection, service).await),
        ("schema", schema(&mut connection, service).await),
        ("row security", row_security(&mut connection, service).await),
        ("clock", clock(&mut connection).await),
    ];
    let _ = connection.close().await;
    looked
        .into_iter()
        .map(|(check, found)| {
            found.unwrap_or_else(|error| Finding::skipped(check, format!("not to be seen: {error}")))
        })
        .collect()
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    options.application_name("gridlease doctor").disable_statement_logging().connect().await
}

async fn server(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let row = sqlx::query(SERVER).fetch_one(connection).await?;
    let (version, standby): (i32, bool) = (row.try_get(0)?, row.try_get(1)?);
    let (commit, names, fsync): (String, String, String) =
        (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    if version < OLDEST {
        return Ok(Finding::wrong(
            "store",
            format!("PostgreSQL {}", version / 10_000),
            "Use PostgreSQL 15 or later.",
        ));
    }
    if standby {
        let what = "Give the address that leads to the primary; a standby takes no write.";
        return Ok(Finding::wrong("store", "a standby answers", what));
    }
    if fsync != "on" || matches!(commit.as_str(), "off" | "local") {
        let what = "Set fsync and synchronous_commit to on: otherwise an acknowledged booking can be lost.";
        return Ok(Finding::wrong(
            "store",
            format!("fsync is {fsync}, synchronous_commit is {commit}"),
            what,
        ));
    }
    let standbys = if names.is_empty() { "no synchronous standby" } else { "a synchronous standby" };
    Ok(Finding::ok("store", format!("PostgreSQL {}, the primary, durable, {standbys}", version / 10_000)))
}

async fn roles(connection: &mut PgConnection, service: &str) -> Result<Finding, sqlx::Error> {
    let rows = sqlx::query(ROLES).bind(service).fetch_all(connection).await?;
    let what = "Make the roles as docs/operations.md says, and grant both to the service's login.";
    for role in [service.to_owned(), format!("{service}_worker")] {
        let row = rows.iter().find(|row| row.try_get::<String, _>(0).is_ok_and(|name| name == role));
        let Some(row) = row else {
            return Ok(Finding::wrong("roles", format!("there is no role {role}"), what));
        };
        if row.try_get(1)? {
            return Ok(Finding::wrong(
                "roles",
                format!("{role} is superuser or bypasses row security"),
                what,
            ));
        }
        if !row.try_get::<bool, _>(2)? {
            return Ok(Finding::wrong("roles", format!("the login may not act as {role}"), what));
        }
    }
    Ok(Finding::ok("roles", format!("the login may act as {service} and {service}_worker")))
}

/// A request acts as the service's role. Were that a member of the worker's, row security would show it everybody's rows.
async fn separate(connection: &mut PgConnection, service: &str) -> Result<Finding, sqlx::Error> {
    let row = sqlx::query(MIXED).bind(service).fetch_one(connection).await?;
    let (mixed, strong): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if mixed {
        let what = "Revoke the worker's role from the request's: requests see every company's rows.";
        return Ok(Finding::wrong(
            "separate rights",
            format!("{service} has the rights of {service}_worker"),
            what,
        ));
    }
    if strong {
        let what =
            "Use a login that is not superuser, does not bypass row security, and is made with NOINHERIT.";
        return Ok(Finding::wrong(
            "separate rights",
            "the login has more rights than to act as its roles",
            what,
        ));
    }
    Ok(Finding::ok("separate rights", "the login has none of its own; requests have none of the worker's"))
}

async fn schema(connection: &mut PgConnection, service: &str) -> Result<Finding, sqlx::Error> {
    sqlx::query("select set_config('role', $1, false)").bind(service).execute(&mut *connection).await?;
    let there: bool = sqlx::query_scalar("select to_regclass($1 || '.schema_history') is not null")
        .bind(service)
        .fetch_one(&mut *connection)
        .await?;
    let what = "Run `gridlease migrate up` as the owner; the chart's Job does it before an upgrade.";
    if !there {
        return Ok(Finding::wrong("schema", format!("there is no schema {service}"), what));
    }
    let sql = match service {
        "inventory" => "select max(version) from inventory.schema_history",
        "leasing" => "select max(version) from leasing.schema_history",
        _ => "select max(version) from billing.schema_history",
    };
    let found: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut *connection).await?;
    sqlx::query("reset role").execute(connection).await?;
    let wanted = migrations::latest(service);
    Ok(match found.cmp(&wanted) {
        std::cmp::Ordering::Less => Finding::wrong("schema", versions(found, wanted), what),
        std::cmp::Ordering::Equal => Finding::ok("schema", versions(found, wanted)),
        std::cmp::Ordering::Greater => Finding::ok(
            "schema",
            format!("{}: made for a later version, which may run beside this", versions(found, wanted)),
        ),
    })
}

fn versions(found: Option<i64>, wanted: Option<i64>) -> String {
    format!("version {} of {}", found.unwrap_or_default(), wanted.unwrap_or_default())
}

async fn row_security(connection: &mut PgConnection, service: &str) -> Result<Finding, sqlx::Error> {
    let rows = sqlx::query(OPEN).bind(service).fetch_all(connection).await?;
    let open: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    if open.is_empty() {
        return Ok(Finding::ok("row security", "forced on every table"));
    }
    let what = "Somebody has changed the schema by hand: `gridlease migrate check` says where it differs.";
    Ok(Finding::wrong("row security", format!("not forced on {}", open.join(", ")), what))
}

async fn clock(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let theirs: kernel::Instant =
        sqlx::query_scalar("select clock_timestamp()").fetch_one(connection).await?;
    let apart = SystemClock.now().signed_duration_since(theirs).abs().to_std().unwrap_or(Duration::MAX);
    let found = format!("{} ms apart from Postgres", apart.as_millis());
    if apart < SKEW_MAX {
        return Ok(Finding::ok("clock", found));
    }
    Ok(Finding::wrong("clock", found, "Repair the time service of this machine: good tokens are refused."))
}
