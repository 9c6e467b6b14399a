//! What every table of the services holds, as one fingerprint each: to show that a refused call changed nothing.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::eventually;

/// Columns and tables that background work moves by itself, and that no caller can see.
const MOVING: &str = "- 'sweep_at' - 'seen_versions'";
const MOVING_TABLES: [&str; 3] = ["feed_cursor", "audit_cursor", "audit_link"];
/// That somebody was denied is told in the audit trail, and is no effect.
const NO_EFFECT: &str = "audit.denial";

/// Rows and their fingerprint, by table.
pub type Tables = BTreeMap<String, (i64, String)>;

/// The fingerprint of every table, once billing has taken what leasing told and the holds to be released are.
///
/// # Errors
/// A database that does not answer, a billing that does not follow.
pub async fn read(connection: &mut PgConnection) -> Result<Tables> {
    let connection = &mut *connection;
    eventually("background work has come to rest", async || {
        let open: i64 = sqlx::query_scalar(
            "select (select count(*) from leasing.outbox o where kind like 'lease.%' and not exists (
                select from billing.applied_event a
                where a.operator_id = o.operator_id and a.event_id = o.event_id))
                + (select count(*) from leasing.hold_release)",
        )
        .fetch_one(&mut *connection)
        .await?;
        Ok((open == 0).then_some(()))
    })
    .await?;
    let rows = sqlx::query(
        "select table_schema || '.' || table_name from information_schema.tables
         where table_schema in ('inventory', 'leasing', 'billing') and table_type = 'BASE TABLE'
           and table_name <> all ($1) order by 1",
    )
    .bind(MOVING_TABLES.map(ToOwned::to_owned))
    .fetch_all(&mut *connection)
    .await?;
    let parts: Vec<String> = rows
        .iter()
        .map(|row| row.get::<String, _>(0))
        .map(|table| {
            format!(
                "select '{table}', count(*), coalesce(md5(string_agg(row, ',' order by row)), '')
                 from (select (to_jsonb(t) {MOVING})::text as row from {table} t
                    where coalesce(to_jsonb(t) ->> 'kind', '') <> '{NO_EFFECT}') rows"
            )
        })
        .collect();
    let found = sqlx::query(AssertSqlSafe(parts.join(" union all "))).fetch_all(&mut *connection).await?;
    Ok(found.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
}

/// The tables that differ, with their row counts.
#[must_use]
pub fn changed(before: &Tables, after: &Tables) -> Vec<String> {
    after
        .iter()
        .filter(|(table, now)| before.get(*table) != Some(now))
        .map(|(table, now)| {
            let was = before.get(table).map_or(0, |was| was.0);
            format!("{table}: {was} -> {} rows", now.0)
        })
        .collect()
}
