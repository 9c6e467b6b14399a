//! The second wall alone: on the role of requests, in the scope of one operator, with queries that forget to say whose rows
//! they mean.

use anyhow::{Context as _, Result, ensure};
use integration_tests::{TestDatabase, TestStack, World};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const OURS: &str = "alphaco";
const THEIRS: &str = "betaco";
/// What Postgres says where row security forbids it.
const FORBIDDEN: &str = "42501";
const PARTITIONED: &[&str] = &["billing.reading", "billing.reading_history"];

/// Tables whose rows belong to another table's row and are forbidden without it, whosever they are.
const PARTS: &[&str] = &[
    "leasing.capacity_request_operator",
    "leasing.hold_release",
    "leasing.lease_history",
    "leasing.lease_right",
    "leasing.lease_version",
    "leasing.premises",
    "leasing.quantity_step",
    "leasing.rate_step",
    "leasing.signature",
];

/// Tables of all services that have an operator in each row, with the service, whose role requests run on.
async fn tables(superuser: &mut PgConnection, privilege: &str) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "select n.nspname::text, c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'operator_id' and not a.attisdropped
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relkind in ('r', 'p') and not c.relispartition
           and has_any_column_privilege(n.nspname, c.oid, $1)
         order by 2",
    )
    .bind(privilege)
    .fetch_all(superuser)
    .await?)
}

/// Begins a transaction as a request of this operator does.
async fn enter(superuser: &mut PgConnection, service: &str, operator: &str) -> Result<()> {
    let sql = format!(
        "begin; set local role {service}; set local app.operator = '{operator}'; set local app.tenant = '';
         set local app.caller = 'operators/{operator}'"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(superuser).await?;
    Ok(())
}

/// The code with which Postgres refuses a row of this operator that has nothing else; none if it takes it.
async fn refusal(superuser: &mut PgConnection, service: &str, table: &str, operator: &str) -> Result<String> {
    enter(superuser, service, OURS).await?;
    let sql = format!("insert into {table} (operator_id) values ('{operator}')");
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *superuser).await;
    sqlx::raw_sql("rollback").execute(superuser).await?;
    let Err(error) = done else { return Ok("taken".to_owned()) };
    let told = error.as_database_error().context("the connection broke")?;
    Ok(told.code().map(std::borrow::Cow::into_owned).unwrap_or_default())
}

#[tokio::test]
async fn no_row_is_written_for_another_operator() -> Result<()> {
    let database = TestDatabase::create().await?;
    let mut superuser = database.superuser().await?;
    let (mut open, mut tried) = (Vec::new(), 0);
    for (service, table) in tables(&mut superuser, "INSERT").await? {
        // These look for a partition before anything else.
        if PARTITIONED.contains(&table.as_str()) {
            continue;
        }
        let theirs = refusal(&mut superuser, &service, &table, THEIRS).await?;
        // The control: a row of our own lacks columns, but nobody forbids it.
        let ours = refusal(&mut superuser, &service, &table, OURS).await?;
        tried += 1;
        if theirs != FORBIDDEN || (ours == FORBIDDEN) != PARTS.contains(&table.as_str()) {
            open.push(format!("{table}: theirs {theirs}, ours {ours}"));
        }
    }
    ensure!(open.is_empty(), "{} of {tried} tables: {open:#?}", open.len());
    ensure!(tried > 30, "only {tried} tables");
    superuser.close().await?;
    Ok(())
}

#[tokio::test]
async fn no_row_of_another_operator_is_read() -> Result<()> {
    let stack = TestStack::start().await?;
    World::build(&stack, OURS, "alphalab", "ours").await?;
    World::build(&stack, THEIRS, "betalab", "theirs").await?;
    let mut superuser = stack.database.superuser().await?;
    let (mut open, mut seen) = (Vec::new(), 0);
    for (service, table) in tables(&mut superuser, "SELECT").await? {
        enter(&mut superuser, &service, OURS).await?;
        let sql = format!(
            "select count(*) filter (where operator_id = '{OURS}'), count(*) filter (where operator_id <> '{OURS}')
             from {table}"
        );
        let (ours, others): (i64, i64) = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_one(&mut superuser)
            .await
            .with_context(|| table.clone())?;
        sqlx::raw_sql("rollback").execute(&mut superuser).await?;
        seen += usize::from(ours > 0);
        if others > 0 {
            open.push(format!("{table}: {others}"));
        }
    }
    ensure!(open.is_empty(), "rows of others are read: {open:#?}");
    // The control: there were rows of our own to be read.
    ensure!(seen > 30, "only {seen} tables have rows");
    superuser.close().await?;
    stack.stop().await;
    Ok(())
}
