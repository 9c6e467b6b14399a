//! The event feed: nothing is lost when commits finish out of order, and nothing takes effect twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use integration_tests::TestDatabase;
use kernel::{Clock as _, OperatorId, Reason, Scope, SystemClock, TenantId, Uuid};
use postgres::outbox::{self, Batch};
use postgres::{Cursor, Db, NewEvent};
use sqlx::Row as _;

use crate::store::operator;

const SCHEMA: &str = "inventory";

fn event(of: &str, tenant: Option<&str>) -> NewEvent {
    NewEvent {
        operator: Some(OperatorId::new(of).expect("a slug")),
        tenant: tenant.map(|id| TenantId::new(id).expect("a slug")),
        kind: "test.happened",
        subject: format!("operators/{of}/things/1"),
        occurred_at: SystemClock.now(),
        payload: b"payload".to_vec(),
    }
}

async fn append(db: &Db, id: u128, event: &NewEvent) {
    let scope = Scope::Operator(event.operator.clone().expect("an operator's event"));
    db.in_tx("append", &scope, |tx| async move {
        outbox::append(tx.conn(), SCHEMA, Uuid::from_u128(id), event).await?;
        Ok((tx, ()))
    })
    .await
    .expect("appended");
}

async fn read(db: &Db, scope: &Scope, cursor: Option<Cursor>) -> Batch {
    outbox::read_after(db, SCHEMA, scope, cursor, &[], 100).await.expect("read")
}

fn ids(batch: &Batch) -> Vec<u128> {
    batch.events.iter().map(|event| event.event_id.as_u128()).collect()
}

/// Reads until `wanted` events came or the deadline passed: other databases' transactions hold the horizon back too.
async fn read_until(db: &Db, scope: &Scope, mut cursor: Option<Cursor>, wanted: usize) -> Vec<u128> {
    let mut found = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while found.len() < wanted && Instant::now() < deadline {
        let batch = read(db, scope, cursor).await;
        found.extend(ids(&batch));
        cursor = Some(batch.cursor);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    found
}

#[tokio::test]
async fn an_event_that_commits_late_is_not_jumped_over() {
    let database = TestDatabase::create().await.expect("a database");
    let db = database.db("inventory_worker").await.expect("a pool");
    let start = outbox::start(&db, SCHEMA).await.expect("a cursor");

    // The first transaction takes the lower position and stays open; the second overtakes it.
    let mut slow = database.superuser().await.expect("a connection");
    sqlx::raw_sql(
        "begin; insert into inventory.outbox (operator_id, event_id, kind, subject, occurred_at, payload)
         values ('acme', '00000000-0000-0000-0000-000000000001', 'slow', 's', now(), '')",
    )
    .execute(&mut slow)
    .await
    .expect("appended, not committed");
    append(&db, 2, &event("acme", None)).await;

    // Control: a reader of the bare sequence would see 2, move on, and never see 1.
    let mut reader = database.superuser().await.expect("a connection");
    let naive =
        sqlx::query("select position_seq from inventory.outbox").fetch_all(&mut reader).await.expect("rows");
    assert_eq!(naive.iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>(), [2]);

    let before = read(&db, &Scope::Worker, Some(start)).await;
    assert_eq!(ids(&before), Vec::<u128>::new(), "2 waits for 1");
    sqlx::raw_sql("commit").execute(&mut slow).await.expect("committed");
    assert_eq!(read_until(&db, &Scope::Worker, Some(before.cursor), 2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_and_one_reader_lose_and_double_nothing() {
    const WRITERS: u128 = 16;
    const EVENTS: u128 = 25;
    let database = TestDatabase::create().await.expect("a database");
    let settings = database.settings("inventory").max_connections(16);
    let db = Db::connect(&settings).await.expect("a pool");
    let worker = database.db("inventory_worker").await.expect("a pool");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let db = db.clone();
        writers.spawn(async move {
            for number in 0..EVENTS {
                let (id, event) = (writer * EVENTS + number, event("acme", None));
                let event = &event;
                // Every third transaction stays open a little after it has taken its position.
                let pause = Duration::from_millis(if id % 3 == 0 { 5 } else { 0 });
                db.in_tx("append", &operator("acme"), |tx| async move {
                    outbox::append(tx.conn(), SCHEMA, Uuid::from_u128(id), event).await?;
                    tokio::time::sleep(pause).await;
                    Ok((tx, ()))
                })
                .await
                .expect("appended");
            }
        });
    }
    let total = usize::try_from(WRITERS * EVENTS).expect("a small number");
    let found = read_until(&worker, &Scope::Worker, None, total).await;
    writers.join_all().await;
    assert_eq!(found.len(), total, "lost or doubled");
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), total, "doubled");
}

#[tokio::test]
async fn each_reader_sees_its_own_audience() {
    let database = TestDatabase::create().await.expect("a database");
    let db = database.db("inventory").await.expect("a pool");
    let worker = database.db("inventory_worker").await.expect("a pool");
    append(&db, 1, &event("acme", None)).await;
    append(&db, 2, &event("acme", Some("lab"))).await;
    append(&db, 3, &event("rival", Some("lab"))).await;
    let all = read_until(&worker, &Scope::Worker, None, 3).await;
    assert_eq!(all, [1, 2, 3]);
    let lab = Scope::Tenant(TenantId::new("lab").expect("a slug"));
    assert_eq!(ids(&read(&db, &operator("acme"), None).await), [1, 2]);
    assert_eq!(ids(&read(&db, &operator("rival"), None).await), [3]);
    assert_eq!(ids(&read(&db, &lab, None).await), [2, 3]);
    assert_eq!(ids(&read(&db, &Scope::Market, None).await), Vec::<u128>::new());
    assert_eq!(ids(&read(&db, &Scope::Worker, None).await), Vec::<u128>::new(), "a scope is not a right");

    let kinds = ["test.other".to_owned()];
    let none = outbox::read_after(&worker, SCHEMA, &Scope::Worker, None, &kinds, 10).await.expect("read");
    assert!(none.events.is_empty());
    assert_eq!(
        ids(&read(&worker, &Scope::Worker, Some(none.cursor)).await),
        Vec::<u128>::new(),
        "it moved past them"
    );
}

#[tokio::test]
async fn a_short_limit_goes_on_where_it_stopped() {
    let database = TestDatabase::create().await.expect("a database");
    let db = database.db("inventory_worker").await.expect("a pool");
    db.in_tx("append", &Scope::Worker, |tx| async move {
        for id in 1..=5 {
            outbox::append(tx.conn(), SCHEMA, Uuid::from_u128(id), &event("acme", None)).await?;
        }
        Ok((tx, ()))
    })
    .await
    .expect("appended");
    assert_eq!(read_until(&db, &Scope::Worker, None, 5).await, [1, 2, 3, 4, 5]);
    let mut cursor = None;
    let mut found = Vec::new();
    for _ in 0..4 {
        let batch = outbox::read_after(&db, SCHEMA, &Scope::Worker, cursor, &[], 2).await.expect("read");
        found.extend(ids(&batch));
        // A cursor goes over the wire and comes back as text.
        cursor = Some(batch.cursor.to_string().parse().expect("our own cursor"));
    }
    assert_eq!(found, [1, 2, 3, 4, 5]);
    let tail = outbox::tail(&db, SCHEMA).await.expect("a cursor");
    assert_eq!(ids(&read(&db, &Scope::Worker, Some(tail)).await), Vec::<u128>::new());
}

#[tokio::test]
async fn a_restored_feed_refuses_old_cursors() {
    let database = TestDatabase::create().await.expect("a database");
    let db = database.db("inventory_worker").await.expect("a pool");
    let cursor = outbox::start(&db, SCHEMA).await.expect("a cursor");
    let mut superuser = database.superuser().await.expect("a connection");
    sqlx::query("update inventory.feed set epoch = gen_random_uuid()")
        .execute(&mut superuser)
        .await
        .expect("restored");
    let outcome = outbox::read_after(&db, SCHEMA, &Scope::Worker, Some(cursor), &[], 1).await;
    assert_eq!(outcome.expect_err("another epoch").reason(), Reason::InvalidField);
}

#[tokio::test]
async fn of_two_consumers_one_takes_the_event() {
    let database = TestDatabase::create().await.expect("a database");
    let db = database.db("inventory_worker").await.expect("a pool");
    let step = |expected: Option<&'static str>, next: &'static str| {
        let db = db.clone();
        async move {
            db.in_tx("consume", &Scope::Worker, |tx| async move {
                let moved = outbox::advance(tx.conn(), SCHEMA, "leasing", expected, next).await?;
                Ok((tx, moved))
            })
            .await
            .expect("no error")
        }
    };
    let (one, other) = tokio::join!(step(None, "a"), step(None, "a"));
    assert!(one ^ other, "exactly one begins");
    let (one, other) = tokio::join!(step(Some("a"), "b"), step(Some("a"), "b"));
    assert!(one ^ other, "exactly one goes on");
    assert!(!step(Some("a"), "c").await, "a late one changes nothing");
    let place = outbox::consumer_cursor(db.conn(), SCHEMA, "leasing").await.expect("read");
    assert_eq!(place.as_deref(), Some("b"));
}
