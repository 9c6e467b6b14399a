//! Reading a long trail: a moment of it is found by its time, without a look at all that came after.

use anyhow::{Context as _, Result, ensure};
use chrono::TimeDelta;
use integration_tests::{TestDatabase, eventually};
use kernel::{Instant, OperatorId, Organisation};
use postgres::audit::{self, Filter};
use sqlx::Connection as _;

const SCHEMA: &str = "inventory";

#[tokio::test]
async fn a_minute_of_a_hundred_thousand_entries_is_found_by_its_time() -> Result<()> {
    let database = TestDatabase::create().await?;
    let mut superuser = database.superuser().await?;
    // Ten entries a second of two operators, as a day's work writes them.
    sqlx::raw_sql(
        "insert into inventory.outbox \
            (operator_id, position_xid, event_id, kind, subject, occurred_at, payload, recorded_at, deed) \
         select 'operator-' || n % 2, n, gen_random_uuid(), 'audit.deed', 'operators/operator-' || n % 2 || '/things/' || n, \
            t.at, sha256('x'), t.at, json_build_object('outcome', 'done', 'organisation', 'operators/operator-' || n % 2, \
                'subject', 'ana', 'token', 't', 'rpc', 'a.B/C', 'request_id', gen_random_uuid()) \
         from generate_series(1, 100000) n, \
            lateral (select timestamptz '2026-12-01T00:00:00Z' + n * interval '100 milliseconds' as at) t",
    )
    .execute(&mut superuser)
    .await?;
    // As the server does by itself after so many rows; what is not summed up yet would be looked through.
    sqlx::raw_sql("vacuum analyze inventory.outbox").execute(&mut superuser).await?;
    let db = database.db("inventory").await?;
    let owner = Organisation::Operator(OperatorId::new("operator-0")?);
    let at = |seconds| -> Result<Instant> {
        Ok("2026-12-01T00:00:00Z".parse::<Instant>()? + TimeDelta::seconds(seconds))
    };
    let mut scans = async || -> Result<i64> {
        sqlx::query_scalar(
            "select idx_scan from pg_stat_user_indexes where schemaname = 'inventory' and indexrelname = 'outbox_recorded'",
        )
        .fetch_optional(&mut superuser)
        .await?
        .context("no index of the time")
    };
    let before = scans().await?;
    // Near the beginning, so that whoever walks from the newest walks far.
    let minute = Filter { since: Some(at(1_000)?), until: Some(at(1_060)?), ..Filter::default() };
    let found = audit::list(&db, SCHEMA, &owner, &minute, None, 1_000).await?;
    ensure!(found.len() == 300, "{} entries", found.len());
    let in_it = |entry: &audit::Entry| {
        minute.since <= Some(entry.recorded_at) && Some(entry.recorded_at) < minute.until
    };
    ensure!(found.iter().all(in_it) && found.is_sorted_by_key(|entry| std::cmp::Reverse(entry.place)));
    let page = audit::list(&db, SCHEMA, &owner, &minute, found.get(99).map(|entry| entry.place), 50).await?;
    ensure!(page.first().map(|entry| entry.place) == found.get(100).map(|entry| entry.place));
    db.close().await;
    eventually("the time was looked up", async || Ok((scans().await? >= before + 2).then_some(()))).await?;
    superuser.close().await?;
    Ok(())
}
