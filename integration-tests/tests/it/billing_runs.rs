//! Many runners bill the same operator at once and are killed at random, on four replicas whose connections are cut: every
//! lease is billed once for every month, numbers have no gap, and the ledger sums to zero whenever anybody looks.
//!
//! `LEASES=10000 MONTHS=24` makes it as large as an operator gets; by default it is small enough for every day.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use billing::app::{App, IssueBillingRun, ListRequest, ListRuns, RunView, StartBillingRun};
use billing::domain::run::{BillingRun, RunState};
use integration_tests::TestDatabase;
use kernel::{
    BillingRunName, Caller, CivilDate, Error, Ids as _, OperatorId, OperatorParent, Organisation, Reason,
    Role, SystemIds, TestClock, YearMonth, Zone,
};
use postgres::page::PageTokens;
use postgres::{Answer, Db, Settings};
use sqlx::{PgConnection, Row as _};

const RUNNERS: usize = 20;
const REPLICAS: usize = 4;
/// Rent of a lease for a month, in cents.
const MONTH_CENTS: i64 = 10_000_000;

fn asked(name: &str, usual: i64) -> i64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn operator() -> OperatorId {
    "acme".parse().expect("a slug")
}

fn finance() -> Caller {
    Caller {
        subject: "runner".to_owned(),
        organisation: "operators/acme".parse::<Organisation>().expect("an organisation"),
        roles: vec![Role::Finance],
        on_behalf_of: None,
        token_id: "t".to_owned(),
    }
}

fn month(at: i64) -> YearMonth {
    let (year, month) = (2027 + at / 12, 1 + at % 12);
    YearMonth::new(year.try_into().expect("a year"), month.try_into().expect("a month")).expect("a month")
}

async fn replica(database: &TestDatabase, chunk: usize) -> Arc<App> {
    let pool = |role: &str| Settings::new(database.url()).role(role).max_connections(6);
    let db = Db::connect(&pool("billing")).await.expect("a pool");
    let worker = Db::connect(&pool("billing_worker")).await.expect("a pool");
    let noon = Zone::UTC.start_of_day(CivilDate::from_ymd_opt(2027, 1, 1).expect("a date"));
    let pages = PageTokens::ephemeral().expect("a secret");
    let app = billing::assemble((db, worker), Arc::new(TestClock::new(noon)), Arc::new(SystemIds), pages);
    Arc::new(App { chunk, ..app })
}

/// Leases as leasing's events would have written them; one in fifty is parked.
async fn write_leases(superuser: &mut PgConnection, leases: i64) {
    for sql in [
        "insert into billing.billing_entity (operator_id, create_time) values ('acme', now()) on conflict do nothing",
        "insert into billing.account (operator_id, account_id, tenant_id, currency_code, create_time)
             select 'acme', gen_random_uuid(), 'lab-' || n, 'USD', now() from generate_series(0, 9) n",
        "insert into billing.lease (operator_id, lease_id, tenant_id, version, state, currency_code, last_event_id, update_time)
             select 'acme', 'lease-' || lpad(n::text, 6, '0'), 'lab-' || n % 10, 1, 'ACTIVE', 'USD', gen_random_uuid(), now()
             from generate_series(1, $1) n",
        "insert into billing.lease_version
             select operator_id, lease_id, 1, jsonb_build_object(
                     'currency', 'USD', 'payment_terms_days', 30, 'escalator', null,
                     'premises', jsonb_build_array(jsonb_build_object(
                         'place', jsonb_build_object('site', 'east', 'block', lease_id),
                         'term', jsonb_build_object('start', '2026-12-01', 'end', '2046-12-01'),
                         'quantities', jsonb_build_array(jsonb_build_object('from', '2026-12-01', 'kw', 1000)),
                         'rent', jsonb_build_object('kind', 'base', 'rate', '100')))),
                 last_event_id, now()
             from billing.lease where $1 > 0",
        "insert into billing.lease_block (operator_id, lease_id, site_id, block_id, state)
             select operator_id, lease_id, 'east', lease_id, 'COMMENCED' from billing.lease where $1 > 0",
        "insert into billing.parked_lease
             select operator_id, 'operators/acme/leases/' || lease_id, last_event_id, 'lease.amended', 'nonsense', now()
             from billing.lease where right(lease_id, 2) in ('07', '57') and $1 > 0",
    ] {
        let query = sqlx::query(sql);
        let query = if sql.contains("$1") { query.bind(leases) } else { query };
        query.execute(&mut *superuser).await.expect("leases");
    }
}

/// What may happen to a runner whose connection is cut, or that comes second: it asks again.
fn expected(error: &Error) -> bool {
    matches!(
        error.reason(),
        Reason::TransactionConflict
            | Reason::InvalidStateTransition
            | Reason::StoreUnavailable
            | Reason::OutcomeUnknown
            | Reason::Internal
    )
}

/// Bills every month from the first to the last, again and again, and helps with what others have begun.
async fn bill_all(app: &App, months: i64) -> Result<(), Error> {
    for at in 0..months {
        let command = StartBillingRun {
            operator: operator(),
            month: month(at),
            request_id: SystemIds.next(),
            validate_only: false,
        };
        let run = match app.start_billing_run(&finance(), command).await? {
            Answer::Fresh(RunView { run, .. }) => run,
            Answer::Replayed(_) => panic!("the request id is new"),
        };
        let run = drafted(app, run).await?;
        if run.head.state == RunState::Draft {
            let name = BillingRunName::new(operator(), run.head.id);
            let command =
                IssueBillingRun { name, etag: None, request_id: SystemIds.next(), validate_only: false };
            app.issue_billing_run(&finance(), command).await?;
        }
        app.finish_some().await?;
    }
    Ok(())
}

/// The run once its drafts are made, by whomever.
async fn drafted(app: &App, mut run: BillingRun) -> Result<BillingRun, Error> {
    let name = BillingRunName::new(operator(), run.head.id);
    while run.head.state == RunState::Computing {
        if !app.finish_some().await? {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (run, _) = app.get_billing_run(&finance(), &name).await?;
    }
    Ok(run)
}

/// A runner that is killed after a while, whatever it is doing, and begins anew; the last time it is left in peace.
async fn runner(replicas: Vec<Arc<App>>, seed: u64, months: i64, kills: Arc<AtomicU64>) {
    let mut dice = seed;
    let mut below = |most: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % most
    };
    for _ in 0..4 {
        let app = Arc::clone(&replicas[usize::try_from(below(REPLICAS as u64)).expect("small")]);
        let life = Duration::from_millis(20 + below(1_500));
        // The future is dropped where it stands: its transaction is rolled back, its request never answered.
        match tokio::time::timeout(life, bill_all(&app, months)).await {
            Err(_) => _ = kills.fetch_add(1, Ordering::Relaxed),
            Ok(Err(error)) => assert!(expected(&error), "{error:?}"),
            Ok(Ok(())) => {}
        }
    }
}

/// A connection that nobody cuts.
async fn watcher(database: &TestDatabase) -> PgConnection {
    let mut connection = database.superuser().await.expect("a connection");
    sqlx::query("set application_name = 'watcher'").execute(&mut connection).await.expect("a name");
    connection
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(connection).await.expect("a row").try_get(0).expect("a number")
}

/// Cuts connections at random, as a failing network or server does, until `stop`.
async fn cut_connections(mut connection: PgConnection, stop: Arc<AtomicBool>) -> i64 {
    let mut cut = 0;
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let one = "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity
                       where datname = current_database() and application_name <> 'watcher' and state <> 'idle'
                       order by random() limit 1) s";
        cut += number(&mut connection, one).await;
    }
    cut
}

/// What everybody sees of the ledger sums to zero, looked at ten times a second until `stop`.
async fn watch_ledger(mut connection: PgConnection, stop: Arc<AtomicBool>) -> u32 {
    let mut looks = 0;
    while !stop.load(Ordering::Relaxed) {
        let crooked = "select count(*) from (select from billing.ledger_entry
                           group by currency_code having sum(amount_minor) <> 0) c";
        assert_eq!(number(&mut connection, crooked).await, 0, "the ledger is askew");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    looks
}

/// What must be so in the end: each is a query that counts what is wrong.
const WRONG: [(&str, &str); 6] = [
    (
        "a lease is billed twice for a month",
        "select count(*) from (select from billing.invoice_line where live
             group by lease_id, period_start having count(*) > 1) d",
    ),
    ("an invoice is left as a draft", "select count(*) from billing.invoice where number is null"),
    ("numbers have a gap", "select coalesce(max(number), 0) - count(*) from billing.invoice"),
    (
        "a run is not whole",
        "select count(*) from billing.billing_run r where state <> 'ISSUED'
             and (state <> 'DRAFT' or exists (select from billing.invoice i where i.run_id = r.run_id))",
    ),
    (
        "an invoice is not posted once",
        "select count(*) from (select from billing.invoice i
             left join billing.ledger_transaction t on t.source_id = i.invoice_id
             group by i.invoice_id having count(t.source_id) <> 1) d",
    ),
    (
        "an invoice was not told once",
        "select count(*) from (select from billing.invoice i
             left join billing.outbox o on o.kind = 'invoice.issued'
                 and o.subject = 'operators/acme/invoices/' || i.invoice_id
             group by i.invoice_id having count(o.subject) <> 1) d",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_runners_that_are_killed_bill_every_lease_once() {
    let (leases, months) = (asked("LEASES", 200), asked("MONTHS", 4));
    let database = TestDatabase::create().await.expect("a database");
    let mut own = watcher(&database).await;
    write_leases(&mut own, leases).await;
    let chunk = usize::try_from(leases / 10).expect("small").clamp(1, billing::app::CHUNK);
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(replica(&database, chunk).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let cutter = tokio::spawn(cut_connections(watcher(&database).await, Arc::clone(&stop)));
    let ledger = tokio::spawn(watch_ledger(watcher(&database).await, Arc::clone(&stop)));
    let kills = Arc::new(AtomicU64::new(0));
    let mut runners = tokio::task::JoinSet::new();
    for seed in 1..=RUNNERS {
        let (replicas, kills) = (replicas.clone(), Arc::clone(&kills));
        runners.spawn(runner(replicas, seed as u64, months, kills));
    }
    runners.join_all().await;
    stop.store(true, Ordering::Relaxed);
    let (cut, looks) = (cutter.await.expect("cuts"), ledger.await.expect("the ledger is even at all times"));

    // Nobody is killed any more: what the dead have left behind is finished, and nothing is left to bill.
    bill_until_done(&replicas[0], months).await;
    for (what, sql) in WRONG {
        assert_eq!(number(&mut own, sql).await, 0, "{what}");
    }
    let parked = number(&mut own, "select count(*) from billing.parked_lease").await;
    let invoices = number(&mut own, "select count(*) from billing.invoice").await;
    assert_eq!(invoices, (leases - parked) * months, "each lease that can be billed, each month");
    let told = number(&mut own, "select count(distinct lease_id) from billing.billing_run_problem").await;
    assert_eq!(told, parked, "who cannot be billed is told");
    let owed = "select coalesce(sum(amount_minor), 0)::bigint from billing.ledger_entry
                    where ledger_account = 'accounts_receivable'";
    assert_eq!(number(&mut own, owed).await, invoices * MONTH_CENTS);
    let killed = kills.load(Ordering::Relaxed);
    println!(
        "{invoices} invoices; {killed} runners killed, {cut} connections cut, {looks} looks at the ledger"
    );
    assert!(
        killed > 0 && cut > 0 && looks > 0,
        "{killed} runners killed, {cut} connections cut, {looks} looks"
    );
}

/// Runs of every month until one makes no invoice, all issued.
async fn bill_until_done(app: &App, months: i64) {
    for _ in 0..10_000 {
        match bill_all(app, months).await {
            // Every run is whole, those that were begun by others too.
            Ok(()) if !app.finish_some().await.expect("an answer") => break,
            Ok(()) => {}
            Err(error) => assert!(expected(&error), "{error:?}"),
        }
    }
    issue_leftovers(app).await;
}

/// Runs whose starter was killed before it could say that they are to be issued.
async fn issue_leftovers(app: &App) {
    let list = ListRuns {
        list: ListRequest {
            parent: format!("operators/{}", operator()).parse::<OperatorParent>().expect("a parent"),
            page_size: 1_000,
            page_token: String::new(),
            fingerprint: String::new(),
        },
    };
    for run in app.list_billing_runs(&finance(), list).await.expect("runs").items {
        if run.head.state == RunState::Draft && run.invoice_count > 0 {
            let name = BillingRunName::new(operator(), run.head.id);
            let command =
                IssueBillingRun { name, etag: None, request_id: SystemIds.next(), validate_only: false };
            app.issue_billing_run(&finance(), command).await.expect("issued");
            while app.finish_some().await.expect("an answer") {}
        }
    }
}

/// Two runs of one month, each of two leases that are a chunk each, of which the first is billed. One replica is held
/// up with the second chunk of the first run billed and not committed, and the other comes upon its lease with the second run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_that_meet_over_a_lease_bill_it_once() {
    let database = TestDatabase::create().await.expect("a database");
    let (mut own, mut gate) = (watcher(&database).await, watcher(&database).await);
    write_leases(&mut own, 2).await;
    let (one, other) = (replica(&database, 1).await, replica(&database, 1).await);
    let start = || StartBillingRun {
        operator: operator(),
        month: month(0),
        request_id: SystemIds.next(),
        validate_only: false,
    };
    let mut runs = Vec::new();
    for _ in 0..2 {
        match one.start_billing_run(&finance(), start()).await.expect("a run") {
            Answer::Fresh(view) => runs.push(view.run),
            Answer::Replayed(_) => panic!("the request id is new"),
        }
    }
    assert_eq!(runs.iter().map(|run| run.head.state).collect::<Vec<_>>(), [RunState::Computing; 2]);
    assert!(one.finish_some().await.expect("an answer"), "a chunk of each");
    let held_up = format!(
        "create table public.gate (shut boolean);
         create function public.pass() returns trigger language plpgsql security definer as $$
             begin lock table public.gate in share mode; return new; end $$;
         create trigger pass before update on billing.billing_run_chunk
             for each row when (new.run_id = '{}') execute function public.pass()",
        runs[0].head.id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(held_up)).execute(&mut own).await.expect("a trigger");
    sqlx::raw_sql("begin; lock table public.gate").execute(&mut gate).await.expect("shut");
    let first = tokio::spawn(async move { one.finish_some().await });
    let waiting = "select count(*) from pg_stat_activity
                       where wait_event_type = 'Lock' and datname = current_database()";
    while number(&mut own, waiting).await < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It leaves the chunk that the first has in hand, goes on with the second run's, and has to wait with it.
    let later = other.clone();
    let second = tokio::spawn(async move { later.finish_some().await });
    while number(&mut own, waiting).await < 2 {
        assert!(!second.is_finished(), "it did not wait for who bills the lease already");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sqlx::raw_sql("commit").execute(&mut gate).await.expect("open");
    assert!(first.await.expect("not killed").expect("an answer"));
    second.await.expect("not killed").expect("an answer");
    while other.finish_some().await.expect("an answer") {}
    for (what, sql) in WRONG.into_iter().filter(|(what, _)| what.contains("billed twice")) {
        assert_eq!(number(&mut own, sql).await, 0, "{what}");
    }
    assert_eq!(number(&mut own, "select count(*) from billing.invoice").await, 2);
    let (run, _) = other
        .get_billing_run(&finance(), &BillingRunName::new(operator(), runs[1].head.id))
        .await
        .expect("the second run");
    assert_eq!((run.head.state, run.invoice_count), (RunState::Draft, 0), "it found nothing left to bill");
}

/// A small run is issued at once; of one whose draft somebody has in hand the rest is, and the draft once it is let go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_somebody_has_in_hand_is_issued_later_and_not_forgotten() {
    let database = TestDatabase::create().await.expect("a database");
    let (mut own, mut other) = (watcher(&database).await, watcher(&database).await);
    write_leases(&mut own, 3).await;
    let app = replica(&database, 100).await;
    let start = StartBillingRun {
        operator: operator(),
        month: month(0),
        request_id: SystemIds.next(),
        validate_only: false,
    };
    let Answer::Fresh(RunView { run, .. }) = app.start_billing_run(&finance(), start).await.expect("a run")
    else {
        panic!("the request id is new")
    };
    let in_hand = "begin; select from billing.invoice order by lease_id limit 1 for update";
    sqlx::raw_sql(in_hand).execute(&mut other).await.expect("a draft in hand");
    let name = BillingRunName::new(operator(), run.head.id);
    let issue = IssueBillingRun {
        name: name.clone(),
        etag: None,
        request_id: SystemIds.next(),
        validate_only: false,
    };
    let Answer::Fresh(RunView { run, .. }) = app.issue_billing_run(&finance(), issue).await.expect("issued")
    else {
        panic!("the request id is new")
    };
    let drafts = "select count(*) from billing.invoice where state = 'DRAFT'";
    assert_eq!((run.head.state, number(&mut own, drafts).await), (RunState::Issuing, 1));
    sqlx::raw_sql("commit").execute(&mut other).await.expect("let go");
    while app.finish_some().await.expect("an answer") {}
    let (run, _) = app.get_billing_run(&finance(), &name).await.expect("the run");
    assert_eq!((run.head.state, number(&mut own, drafts).await), (RunState::Issued, 0));
}
