//! A consumer's own place in another service's feed, moved together with the effects of an event.

use kernel::Error;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::store_error;

/// How far this service has read `source` (`None`: not at all). The text is the other service's, opaque here.
pub async fn consumer_cursor(
    conn: &impl ConnectionTrait,
    schema: &str,
    source: &str,
) -> Result<Option<String>, Error> {
    let sql = format!("select cursor from {schema}.feed_cursor where source = $1");
    let row = conn
        .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [source.into()]))
        .await
        .map_err(store_error)?;
    row.map(|row| row.try_get_by_index(0).map_err(store_error)).transpose()
}

/// Moves the cursor from `expected` to `next`, in the transaction that writes the event's effects.
///
/// `false` means that another replica took the event first: return an error, or drop the transaction, so that the
/// effects are not written twice.
pub async fn advance(
    conn: &impl ConnectionTrait,
    schema: &str,
    source: &str,
    expected: Option<&str>,
    next: &str,
) -> Result<bool, Error> {
    let statement = match expected {
        None => Statement::from_sql_and_values(
            DbBackend::Postgres,
            format!(
                "insert into {schema}.feed_cursor (source, cursor) values ($1, $2) on conflict (source) do nothing"
            ),
            [source.into(), next.into()],
        ),
        Some(expected) => Statement::from_sql_and_values(
            DbBackend::Postgres,
            format!("update {schema}.feed_cursor set cursor = $2 where source = $1 and cursor = $3"),
            [source.into(), next.into(), expected.into()],
        ),
    };
    let done = conn.execute_raw(statement).await.map_err(store_error)?;
    Ok(done.rows_affected() == 1)
}
