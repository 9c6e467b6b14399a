//! What was learned the hard way about the driver, the pool and the server, so that it is not learned twice.
//!
//! A test of a guard has a control beside it: the same deed without the guard, which must go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use integration_tests::TestDatabase;
use kernel::{Caller, Error, OperatorId, Organisation, Reason, Role, Scope, TenantId, Uuid};
use postgres::{Db, RequestKey, Tx, idempotency, store_error};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, SqlxPostgresConnector, TransactionTrait as _};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgPool, Row as _};
use tokio::sync::Barrier;

const SCHEMA: &str = "inventory";

pub(crate) fn operator(id: &str) -> Scope {
    Scope::Operator(OperatorId::new(id).expect("a slug"))
}

fn tenant(id: &str) -> Scope {
    Scope::Tenant(TenantId::new(id).expect("a slug"))
}

/// A database with a table that belongs to no service, and a pool of the request role.
async fn scratch(connections: u32) -> (TestDatabase, Db) {
    let database = TestDatabase::create().await.expect("a database");
    let mut superuser = database.superuser().await.expect("a connection");
    sqlx::raw_sql(
        "create table public.scratch (id bigint primary key, n bigint not null default 0);
         insert into public.scratch (id) values (1), (2);
         grant select, insert, update on public.scratch to inventory",
    )
    .execute(&mut superuser)
    .await
    .expect("a table");
    let db = Db::connect(&database.settings("inventory").max_connections(connections)).await.expect("a pool");
    (database, db)
}

async fn count(database: &TestDatabase, query: &'static str) -> i64 {
    let mut superuser = database.superuser().await.expect("a connection");
    sqlx::query(query).fetch_one(&mut superuser).await.expect("a row").try_get(0).expect("a number")
}

async fn run(tx: &Tx, sql: &str) -> Result<u64, Error> {
    tx.execute_unprepared(sql).await.map(|done| done.rows_affected()).map_err(store_error)
}

#[tokio::test]
async fn a_commit_after_a_swallowed_error_is_an_error() {
    let (database, db) = scratch(2).await;
    // Control: the driver says Ok to a commit that the server answered with ROLLBACK.
    #[expect(clippy::disallowed_methods, reason = "the control shows what an unguarded transaction does")]
    let bare: DatabaseTransaction = db.conn().begin().await.expect("begun");
    bare.execute_unprepared("insert into public.scratch (id) values (10)").await.expect("a row");
    bare.execute_unprepared("insert into public.scratch (id) values (10)").await.expect_err("a duplicate");
    #[expect(clippy::disallowed_methods, reason = "the control shows that this commit lies")]
    bare.commit().await.expect("the driver reports success");
    assert_eq!(count(&database, "select count(*) from public.scratch where id = 10").await, 0);

    let outcome = db
        .in_tx("swallow", &Scope::Market, |tx| async move {
            run(&tx, "insert into public.scratch (id) values (11)").await?;
            let duplicate = run(&tx, "insert into public.scratch (id) values (11)").await;
            assert_eq!(duplicate.expect_err("a duplicate").reason(), Reason::NameTaken);
            Ok((tx, ()))
        })
        .await;
    assert_eq!(outcome.expect_err("caught before COMMIT").reason(), Reason::Internal);
    assert_eq!(count(&database, "select count(*) from public.scratch where id = 11").await, 0);
}

/// Puts one connection of the pool into the state that a cancelled `begin()` leaves: in a transaction, unknown to the pool.
async fn poison(pool: &PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    sqlx::raw_sql("begin").execute(&mut *connection).await.expect("begun");
}

#[tokio::test]
async fn a_poisoned_connection_is_healed_before_use() {
    let (database, db) = scratch(1).await;
    let visible = "select count(*) from public.scratch where id in (20, 21)";

    // Control: through a bare pool the row is written, acknowledged, and seen by nobody.
    let bare = PgPoolOptions::new().max_connections(1).connect(&database.url()).await.expect("a pool");
    poison(&bare).await;
    SqlxPostgresConnector::from_sqlx_postgres_pool(bare.clone())
        .execute_unprepared("insert into public.scratch (id) values (20)")
        .await
        .expect("acknowledged");
    assert_eq!(count(&database, visible).await, 0, "the control is not poisoned: the driver has changed");
    bare.close().await;

    poison(db.sqlx()).await;
    db.conn().execute_unprepared("insert into public.scratch (id) values (21)").await.expect("acknowledged");
    assert_eq!(count(&database, visible).await, 1);
}

#[tokio::test]
async fn cancelled_transactions_do_not_leak_into_later_work() {
    let (database, db) = scratch(2).await;
    for round in 0..200_u32 {
        let work = db.in_tx("cancelled", &Scope::Market, |tx| async move {
            run(&tx, "update public.scratch set n = n + 1000000 where id = 1").await?;
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok((tx, ()))
        });
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(round) * 25), work).await;
        let sql = format!("insert into public.scratch (id) values ({})", 1000 + round);
        db.conn().execute_unprepared(&sql).await.expect("acknowledged");
    }
    assert_eq!(count(&database, "select count(*) from public.scratch where id >= 1000").await, 200);
    assert_eq!(count(&database, "select n from public.scratch where id = 1").await, 0);
}

#[tokio::test]
async fn deadlocks_are_tried_again() {
    let (_database, db) = scratch(4).await;
    let (tries, meet) = (&AtomicU32::new(0), &Barrier::new(2));
    let cross = |first: u32, second: u32| {
        let db = db.clone();
        async move {
            let first_time = &AtomicBool::new(true);
            db.in_tx("cross", &Scope::Market, |tx| async move {
                tries.fetch_add(1, Ordering::SeqCst);
                run(&tx, &format!("update public.scratch set n = n + 1 where id = {first}")).await?;
                if first_time.swap(false, Ordering::SeqCst) {
                    meet.wait().await;
                }
                run(&tx, &format!("update public.scratch set n = n + 1 where id = {second}")).await?;
                Ok((tx, ()))
            })
            .await
        }
    };
    let (one, other) = tokio::join!(cross(1, 2), cross(2, 1));
    one.expect("done");
    other.expect("done");
    assert!(tries.load(Ordering::SeqCst) >= 3, "there was no deadlock: the test proves nothing");
    let row =
        sqlx::query("select min(n), max(n) from public.scratch").fetch_one(db.sqlx()).await.expect("a row");
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (2, 2), "each deed happened once");
}

#[tokio::test]
async fn a_lock_that_is_never_given_is_a_conflict_after_a_few_tries() {
    let (database, _) = scratch(1).await;
    let mut settings = database.settings("inventory");
    settings.lock_timeout = Duration::from_millis(20);
    let db = Db::connect(&settings).await.expect("a pool");
    let mut holder = database.superuser().await.expect("a connection");
    sqlx::raw_sql("begin; update public.scratch set n = 1 where id = 1")
        .execute(&mut holder)
        .await
        .expect("held");
    let tries = &AtomicU32::new(0);
    let outcome = db
        .in_tx("blocked", &Scope::Market, |tx| async move {
            tries.fetch_add(1, Ordering::SeqCst);
            run(&tx, "update public.scratch set n = 2 where id = 1").await?;
            Ok((tx, ()))
        })
        .await;
    let error = outcome.expect_err("blocked");
    assert_eq!(error.reason(), Reason::TransactionConflict);
    assert!(error.retry_after().is_some(), "the caller is told when to come back");
    assert_eq!(tries.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn nan_infinity_and_empty_are_refused_by_the_tables() {
    let database = TestDatabase::create().await.expect("a database");
    let mut superuser = database.superuser().await.expect("a connection");
    // Foreign keys are off in this session, so that each row meets the CHECKs alone.
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut superuser).await.expect("set");
    let event = "insert into inventory.outbox (operator_id, event_id, kind, subject, payload, occurred_at)
                 values ('a', gen_random_uuid(), 'k', 's', '', ";
    let rate = "insert into leasing.rate_step (operator_id, lease_id, version, premises_no, from_date, rate_per_kw_month)
                values ('a', 'l', 1, 1, '2026-01-01', ";
    let claim = "insert into inventory.claim (operator_id, block_id, version, reservation_id, kind, state, hold_until,
                    critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators,
                    start_time, end_time)
                 values ('a', gen_random_uuid(), 1, gen_random_uuid(), 'LEASE', 'HELD', '2026-01-01Z', 1, 1, 0, 0, 0, ";
    for (insert, value) in [
        (event, "'infinity')"),
        (event, "'-infinity')"),
        (event, "'294276-01-01Z')"),
        (event, "'10000-01-01Z')"),
        (event, "'1999-12-31Z')"),
        (event, "null)"),
        (rate, "'NaN')"),
        (rate, "'Infinity')"),
        (rate, "-1)"),
        (rate, "null)"),
        (claim, "'2026-01-01Z', '2026-01-01Z')"),
        (claim, "'2026-01-02Z', '2026-01-01Z')"),
        (claim, "'2026-01-01Z', 'infinity')"),
        (claim, "'-infinity', '2026-01-01Z')"),
    ] {
        let outcome = sqlx::raw_sql(AssertSqlSafe(format!("{insert}{value}"))).execute(&mut superuser).await;
        let error = outcome.expect_err(value);
        let code = error.as_database_error().and_then(DatabaseError::code).unwrap_or_default().into_owned();
        assert!(["23514", "23502", "22003"].contains(&code.as_str()), "{value}: {error}");
    }
    let good = format!("{event}'2026-01-01Z'); {rate}120); {claim}'2026-01-01Z', '2027-01-01Z')");
    sqlx::raw_sql(AssertSqlSafe(good)).execute(&mut superuser).await.expect("good rows are taken");
}

#[tokio::test]
async fn a_commit_without_an_answer_is_an_unknown_outcome() {
    let (database, db) = scratch(2).await;
    let mut superuser = database.superuser().await.expect("a connection");
    sqlx::raw_sql(
        "create function public.die() returns trigger language plpgsql security definer as
            $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return null; end $$;
         create function public.refuse() returns trigger language plpgsql as
            $$ begin raise check_violation; end $$;
         create constraint trigger die after insert on public.scratch deferrable initially deferred
            for each row when (new.id = 30) execute function public.die();
         create constraint trigger refuse after insert on public.scratch deferrable initially deferred
            for each row when (new.id = 31) execute function public.refuse()",
    )
    .execute(&mut superuser)
    .await
    .expect("triggers");
    let insert = |id: u32| {
        let db = db.clone();
        async move {
            db.in_tx("insert", &Scope::Market, |tx| async move {
                run(&tx, &format!("insert into public.scratch (id) values ({id})")).await?;
                Ok((tx, ()))
            })
            .await
        }
    };
    assert_eq!(insert(30).await.expect_err("cut off in COMMIT").reason(), Reason::OutcomeUnknown);
    assert_eq!(insert(31).await.expect_err("refused in COMMIT").reason(), Reason::Internal);
    insert(32).await.expect("the pool goes on");
}

#[tokio::test]
async fn the_pool_survives_the_loss_of_its_connections() {
    let (database, db) = scratch(3).await;
    let mut superuser = database.superuser().await.expect("a connection");
    for _ in 0..20 {
        db.in_tx("work", &Scope::Market, |tx| async move {
            run(&tx, "update public.scratch set n = n + 1 where id = 1").await?;
            Ok((tx, ()))
        })
        .await
        .expect("work goes on");
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test inventory' and datname = current_database()")
            .execute(&mut superuser)
            .await
            .expect("terminated");
    }
    assert_eq!(count(&database, "select n from public.scratch where id = 1").await, 20);
    superuser.close().await.expect("closed");
}

#[tokio::test]
async fn sessions_are_in_utc_bounded_and_act_as_their_role() {
    let (_database, db) = scratch(1).await;
    let row = sqlx::query(
        "select current_user::text, current_setting('TimeZone'), current_setting('transaction_isolation'),
                current_setting('statement_timeout'), current_setting('lock_timeout'),
                current_setting('idle_in_transaction_session_timeout'), current_setting('is_superuser')",
    )
    .fetch_one(db.sqlx())
    .await
    .expect("settings");
    let found: Vec<String> = (0..7).map(|at| row.get(at)).collect();
    assert_eq!(found, ["inventory", "UTC", "read committed", "10s", "5s", "15s", "off"]);
}

#[tokio::test]
async fn a_reading_transaction_cannot_write() {
    let (_database, db) = scratch(1).await;
    let outcome = db
        .read("read", &Scope::Market, |tx| async move {
            run(&tx, "update public.scratch set n = 9").await?;
            Ok((tx, ()))
        })
        .await;
    outcome.expect_err("read-only");
}

fn caller(organisation: &str) -> Caller {
    Caller {
        subject: "somebody".to_owned(),
        organisation: organisation.parse::<Organisation>().expect("an organisation"),
        roles: vec![Role::Sales],
        on_behalf_of: None,
        token_id: "t".to_owned(),
    }
}

fn key(caller_name: &str, number: u128, command: &str) -> RequestKey {
    RequestKey::new("operators/acme", &caller(caller_name), "PlaceHold", Uuid::from_u128(number), &command)
        .expect("a key")
}

/// One deed under a request id: replayed, or done now and recorded.
async fn deed(db: &Db, scope: &Scope, key: &RequestKey, done: &AtomicU32) -> Result<Vec<u8>, Error> {
    db.in_tx("deed", scope, |tx| async move {
        if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
            return Ok((tx, reply));
        }
        let reply = format!("reply to {}", key.request_id).into_bytes();
        run(&tx, "update public.scratch set n = n + 1 where id = 2").await?;
        idempotency::record(tx.conn(), SCHEMA, key, &reply).await?;
        done.fetch_add(1, Ordering::SeqCst);
        Ok((tx, reply))
    })
    .await
}

#[tokio::test]
async fn the_same_request_id_has_one_effect_and_one_answer() {
    let (database, db) = scratch(8).await;
    let (scope, key, done) =
        (operator("acme"), Arc::new(key("operators/acme", 1, "x")), Arc::new(AtomicU32::new(0)));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (db, scope, key, done) = (db.clone(), scope.clone(), key.clone(), done.clone());
        senders.spawn(async move { deed(&db, &scope, &key, &done).await });
    }
    let mut replies: Vec<Vec<u8>> =
        senders.join_all().await.into_iter().map(|reply| reply.expect("answered")).collect();
    replies.dedup();
    assert_eq!(replies.len(), 1, "all answers are the same bytes");
    assert_eq!(count(&database, "select n from public.scratch where id = 2").await, 1, "one effect");
}

#[tokio::test]
async fn a_request_id_belongs_to_its_payload_and_its_caller() {
    let (_database, db) = scratch(2).await;
    let (done, acme) = (AtomicU32::new(0), operator("acme"));
    let first = key("operators/acme", 2, "x");
    deed(&db, &acme, &first, &done).await.expect("done");

    let reused = deed(&db, &acme, &key("operators/acme", 2, "y"), &done).await.expect_err("another payload");
    assert_eq!(reused.reason(), Reason::RequestIdReused);
    assert!(reused.get("firstSeenAt").is_some_and(|at| at.ends_with('Z')), "{reused:?}");

    deed(&db, &tenant("lab"), &key("tenants/lab", 2, "x"), &done).await.expect("another caller's own id");
    assert_eq!(done.load(Ordering::SeqCst), 2);

    // An operator sees what a tenant has asked of it, and the id is free for it all the same.
    deed(&db, &tenant("lab"), &key("tenants/lab", 3, "x"), &done).await.expect("the tenant's");
    deed(&db, &acme, &key("operators/acme", 3, "x"), &done).await.expect("the operator's own");
    assert_eq!(done.load(Ordering::SeqCst), 4);

    // Row security holds the keys apart even where a query forgets to.
    let seen = db
        .read("peek", &tenant("rival"), |tx| async move {
            let found = idempotency::find(tx.conn(), SCHEMA, &key("operators/acme", 2, "x")).await?;
            Ok((tx, found))
        })
        .await
        .expect("read");
    assert_eq!(seen, None);
}

#[tokio::test]
async fn a_failed_attempt_leaves_its_request_id_free() {
    let (_database, db) = scratch(2).await;
    let (scope, key, done) = (operator("acme"), key("operators/acme", 3, "x"), AtomicU32::new(0));
    let key = &key;
    let outcome: Result<(), Error> = db
        .in_tx("refused", &scope, |tx| async move {
            idempotency::record(tx.conn(), SCHEMA, key, b"never sent").await?;
            Err(Error::refused(Reason::CapacityExhausted, "full"))
        })
        .await;
    assert_eq!(outcome.expect_err("refused").reason(), Reason::CapacityExhausted);
    deed(&db, &scope, key, &done).await.expect("now it is done");
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_scope_ends_with_its_transaction() {
    let (_database, db) = scratch(1).await;
    let settings =
        "select concat_ws('|', current_setting('app.operator', true), current_setting('app.tenant', true),
                    current_setting('app.caller', true))";
    let inside = db
        .read("look", &operator("acme"), |tx| async move {
            let row = tx
                .query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, settings))
                .await
                .map_err(store_error)?
                .expect("a row");
            let found: String = row.try_get_by_index(0).map_err(store_error)?;
            Ok((tx, found))
        })
        .await
        .expect("read");
    assert_eq!(inside, "acme||operators/acme");
    let after: String = sqlx::query(settings).fetch_one(db.sqlx()).await.expect("a row").get(0);
    assert_eq!(after, "||", "the only connection of the pool carries nothing on");
}
