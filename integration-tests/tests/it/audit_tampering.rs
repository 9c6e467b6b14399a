//! Whoever rules the database changes what has happened: every way of doing it is found.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use integration_tests::TestDatabase;
use kernel::{Clock as _, Ids as _, OperatorId, Organisation, Scope, SystemClock, SystemIds, Uuid};
use postgres::audit::{self, Chain, Flaw, Head, Verdict};
use postgres::{Db, NewEvent, outbox};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const SCHEMA: &str = "inventory";

/// Rows that a step of a trail has, and steps.
const ROWS: u128 = 4;
const STEPS: u128 = 3;

fn owner(slug: &str) -> Result<Organisation> {
    Ok(Organisation::Operator(OperatorId::new(slug)?))
}

async fn append(db: &Db, slug: &str) -> Result<()> {
    let operator = OperatorId::new(slug)?;
    let event = NewEvent {
        operator: Some(operator.clone()),
        tenant: Some("acme".parse()?),
        kind: "test.happened",
        subject: format!("operators/{slug}/things/1"),
        occurred_at: SystemClock.now(),
        payload: b"payload".to_vec(),
    };
    let event = &event;
    db.in_tx("append", &Scope::Operator(operator), |tx| async move {
        outbox::append(tx.conn(), SCHEMA, SystemIds.next(), event).await?;
        Ok((tx, ()))
    })
    .await?;
    Ok(())
}

/// Seals until nothing is left; transactions of other databases hold the horizon back for a moment.
async fn seal(worker: &Db, me: Uuid) -> Result<()> {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let left: i64 = sqlx::query_scalar(
            "select count(*) from inventory.outbox o, inventory.audit_cursor c \
             where (o.position_xid, o.position_seq) > (c.xid, c.seq)",
        )
        .fetch_one(worker.sqlx())
        .await?;
        if left == 0 {
            return Ok(());
        }
        ensure!(tokio::time::Instant::now() < end, "{left} rows are not sealed");
        audit::chain(worker, SCHEMA, me).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn verify(db: &Db, slug: &str, published: &[Head]) -> Result<Verdict> {
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    Ok(audit::verify(db, SCHEMA, &owner(slug)?, None, published, until).await?)
}

/// Trails of these operators, each of three links, and their heads.
async fn trails(db: &Db, worker: &Db, slugs: &[String]) -> Result<Vec<Head>> {
    let me = SystemIds.next();
    for _ in 0..STEPS {
        for slug in slugs {
            for _ in 0..ROWS {
                append(db, slug).await?;
            }
        }
        seal(worker, me).await?;
    }
    let mut heads = Vec::new();
    for slug in slugs {
        let verdict = verify(db, slug, &[]).await?;
        ensure!(verdict.complete && verdict.breaks.is_empty(), "{slug}: {verdict:?}");
        ensure!(verdict.entries == i64::try_from(ROWS * STEPS)?, "{slug}: {verdict:?}");
        heads.push(audit::head(db, SCHEMA, &owner(slug)?).await?);
    }
    Ok(heads)
}

/// A deed of whoever rules the database: what it is called, and its SQL, where `{o}` is the operator.
struct Deed {
    what: String,
    sql: String,
    flaws: &'static [Flaw],
}

fn deed(what: impl Into<String>, sql: impl Into<String>, flaws: &'static [Flaw]) -> Deed {
    Deed { what: what.into(), sql: sql.into(), flaws }
}

/// The row in the middle of a trail.
const MIDDLE: &str = "(operator_id, position_xid, position_seq) = (select operator_id, position_xid, position_seq \
    from inventory.outbox where operator_id = '{o}' order by position_xid, position_seq offset 5 limit 1)";
const LAST: &str = "(operator_id, position_xid, position_seq) = (select operator_id, position_xid, position_seq \
    from inventory.outbox where operator_id = '{o}' order by position_xid desc, position_seq desc limit 1)";
const SECOND_LINK: &str = "owner = 'operators/{o}' and number = 2";
const LAST_LINK: &str = "owner = 'operators/{o}' and number = (select max(number) from inventory.audit_link l \
    where l.owner = 'operators/{o}')";

/// For every column of a table another value: a column without one is a column nobody thought of.
async fn edits(
    superuser: &mut PgConnection,
    table: &str,
    which: &str,
    values: &[(&str, &str)],
    flaws: &'static [Flaw],
) -> Result<Vec<Deed>> {
    let values: BTreeMap<&str, &str> = values.iter().copied().collect();
    let sql = "select column_name::text from information_schema.columns \
               where table_schema = 'inventory' and table_name = $1 order by ordinal_position";
    let columns: Vec<String> = sqlx::query_scalar(sql).bind(table).fetch_all(superuser).await?;
    let edit = |column: &String| {
        let value = values.get(column.as_str()).with_context(|| format!("{table}.{column} is not edited"))?;
        let sql = format!("update inventory.{table} set {column} = {value} where {which}");
        Ok(deed(format!("edit {table}.{column}"), sql, flaws))
    };
    columns.iter().map(edit).collect()
}

async fn deeds(superuser: &mut PgConnection) -> Result<Vec<Deed>> {
    let row = [
        ("operator_id", "'elsewhere'"),
        ("position_xid", "position_xid - 1"),
        ("position_seq", "position_seq + 100000"),
        ("event_id", "gen_random_uuid()"),
        ("kind", "'test.else'"),
        ("subject", "subject || '2'"),
        ("audience_tenant", "null"),
        ("occurred_at", "occurred_at + interval '1 microsecond'"),
        ("payload", "'other'"),
        ("recorded_at", "recorded_at - interval '1 microsecond'"),
        ("deed", "'{}'"),
    ];
    let link = [
        ("owner", "'operators/elsewhere-{o}'"),
        ("number", "1000"),
        ("after_xid", "after_xid - 1"),
        ("after_seq", "after_seq + 1"),
        ("until_xid", "until_xid + 1"),
        ("until_seq", "until_seq + 1"),
        ("entries", "entries + 1"),
        ("digest", "sha256('x')"),
        ("prev_hash", "sha256('y')"),
        ("hash", "sha256('z')"),
        ("chained_at", "chained_at + interval '1 microsecond'"),
    ];
    let mut all = edits(superuser, "outbox", MIDDLE, &row, &[Flaw::EntriesChanged]).await?;
    all.extend(
        edits(superuser, "audit_link", SECOND_LINK, &link, &[Flaw::LinkChanged, Flaw::LinkMissing]).await?,
    );
    all.extend(without_columns());
    Ok(all)
}

/// What is done to rows and links as a whole.
fn without_columns() -> Vec<Deed> {
    let insert = "insert into inventory.outbox overriding system value \
        select operator_id, position_xid, position_seq + {by}, gen_random_uuid(), kind, subject, audience_tenant, \
            occurred_at, payload, recorded_at, deed from inventory.outbox where ";
    let rows = &[Flaw::EntriesChanged];
    vec![
        deed("delete a row in the middle", format!("delete from inventory.outbox where {MIDDLE}"), rows),
        deed("delete the last row", format!("delete from inventory.outbox where {LAST}"), rows),
        deed("delete every row", "delete from inventory.outbox where operator_id = '{o}'", rows),
        deed(
            "change places",
            "with two as (select position_xid, position_seq, payload, kind, event_id, \
                 row_number() over (order by position_xid, position_seq) as n from inventory.outbox \
                 where operator_id = '{o}' order by 1, 2 offset 4 limit 2) \
             update inventory.outbox o set event_id = other.event_id from two one, two other \
             where one.n <> other.n and o.operator_id = '{o}' and o.position_xid = one.position_xid",
            rows,
        ),
        deed("insert a row in the middle", format!("{}{MIDDLE}", insert.replace("{by}", "1000000")), rows),
        deed(
            "delete a link in the middle",
            format!("delete from inventory.audit_link where {SECOND_LINK}"),
            &[Flaw::LinkMissing],
        ),
        deed(
            "delete the first link",
            "delete from inventory.audit_link where owner = 'operators/{o}' and number = 1",
            &[Flaw::LinkMissing],
        ),
        deed(
            "cut off the end, rows and link",
            format!(
                "delete from inventory.outbox o using inventory.audit_link l where o.operator_id = '{{o}}' \
                     and (o.position_xid, o.position_seq) > (l.after_xid, l.after_seq) and l.owner = 'operators/{{o}}' \
                     and l.number = {STEPS}; delete from inventory.audit_link where {LAST_LINK}"
            ),
            &[Flaw::CutOff],
        ),
        deed(
            "cut off everything",
            "delete from inventory.outbox where operator_id = '{o}'; \
             delete from inventory.audit_link where owner = 'operators/{o}'",
            &[Flaw::CutOff],
        ),
    ]
}

#[tokio::test]
async fn every_change_by_a_superuser_is_found() -> Result<()> {
    let database = TestDatabase::create().await?;
    let (db, worker) = (database.db("inventory").await?, database.db("inventory_worker").await?);
    let mut superuser = database.superuser().await?;
    let deeds = deeds(&mut superuser).await?;
    let slugs: Vec<String> = (0..deeds.len()).map(|n| format!("case-{n}")).collect();
    let heads = trails(&db, &worker, &slugs).await?;
    // What Postgres itself would not let happen is no obstacle to who rules it.
    sqlx::raw_sql(
        "alter table inventory.outbox alter column position_seq drop identity; \
         alter table inventory.audit_link drop constraint audit_link_follows, drop constraint audit_link_shape; \
         alter table inventory.outbox drop constraint outbox_times",
    )
    .execute(&mut superuser)
    .await?;
    let mut unseen = Vec::new();
    for ((deed, slug), head) in deeds.iter().zip(&slugs).zip(&heads) {
        let sql = deed.sql.replace("{o}", slug);
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut superuser).await;
        let done = done.with_context(|| deed.what.clone())?;
        ensure!(done.rows_affected() > 0, "{}: nothing was changed", deed.what);
        let verdict = verify(&db, slug, std::slice::from_ref(head)).await?;
        if !verdict.breaks.iter().any(|found| deed.flaws.contains(&found.flaw)) {
            unseen.push(format!("{}: {verdict:?}", deed.what));
        }
    }
    ensure!(unseen.is_empty(), "{} of {} were not found:\n{}", unseen.len(), deeds.len(), unseen.join("\n"));
    superuser.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_chain_made_anew_is_not_the_one_that_was_published() -> Result<()> {
    let database = TestDatabase::create().await?;
    let (db, worker) = (database.db("inventory").await?, database.db("inventory_worker").await?);
    let slugs = ["north".to_owned()];
    let heads = trails(&db, &worker, &slugs).await?;
    let mut superuser = database.superuser().await?;
    let forge = format!(
        "update inventory.outbox set payload = 'never' where {MIDDLE}; delete from inventory.audit_link; \
         update inventory.audit_cursor set xid = 0, seq = 0, claimed_until = '2000-01-01Z'"
    );
    sqlx::raw_sql(AssertSqlSafe(forge.replace("{o}", "north"))).execute(&mut superuser).await?;
    seal(&worker, SystemIds.next()).await?;
    // In itself it holds: who has kept no head finds nothing.
    let verdict = verify(&db, "north", &[]).await?;
    ensure!(verdict.complete && verdict.breaks.is_empty(), "{verdict:?}");
    let verdict = verify(&db, "north", &heads).await?;
    let found: Vec<Flaw> = verdict.breaks.iter().map(|one| one.flaw).collect();
    ensure!(
        !found.is_empty() && found.iter().all(|flaw| [Flaw::MadeAnew, Flaw::CutOff].contains(flaw)),
        "{found:?}"
    );
    // Nor can it be gone on from.
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    let verdict = audit::verify(&db, SCHEMA, &owner("north")?, heads.first(), &[], until).await?;
    ensure!(!verdict.breaks.is_empty(), "{verdict:?}");
    Ok(())
}

#[tokio::test]
async fn many_write_and_two_seal_and_the_chains_do_not_fork() -> Result<()> {
    const WRITERS: usize = 64;
    const EACH: usize = 20;
    let database = TestDatabase::create().await?;
    let (db, worker) = (database.db("inventory").await?, database.db("inventory_worker").await?);
    let slugs = ["north", "south", "east"];
    let writing = futures::future::try_join_all((0..WRITERS).map(|n| {
        let db = db.clone();
        async move {
            for _ in 0..EACH {
                append(&db, slugs[n % slugs.len()]).await?;
            }
            anyhow::Ok(())
        }
    }));
    let done = std::sync::atomic::AtomicBool::new(false);
    let sealer = async |me: Uuid| {
        let mut links = 0;
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            if audit::chain(&worker, SCHEMA, me).await? != Chain::Idle {
                links += 1;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        anyhow::Ok(links)
    };
    let ended = async {
        let outcome = writing.await;
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        outcome
    };
    let (first, second) = (SystemIds.next(), SystemIds.next());
    let (ended, one, other) = tokio::join!(ended, sealer(first), sealer(second));
    ended?;
    let (one, other) = (one?, other?);
    ensure!(one == 0 || other == 0, "one at a time has the claim: {one} and {other}");
    // The other takes over once the claim has run out.
    seal(&worker, if one == 0 { first } else { second }).await?;
    let mut entries = 0;
    for slug in slugs {
        let verdict = verify(&db, slug, &[]).await?;
        ensure!(verdict.complete && verdict.breaks.is_empty(), "{slug}: {verdict:?}");
        entries += verdict.entries;
    }
    ensure!(entries == i64::try_from(WRITERS * EACH)?, "{entries} rows");
    Ok(())
}
