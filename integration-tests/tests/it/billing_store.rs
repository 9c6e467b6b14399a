//! What billing's database holds whoever writes, and its use cases over it: nothing billed twice, nothing numbered with
//! a gap, nothing posted askew, each event once.

use std::sync::Arc;

use billing::app::{
    App, IssueBillingRun, IssueInvoice, LeaseEvent, ListEntries, ListRequest, PreviewInvoices,
    StartBillingRun,
};
use billing::domain::invoice::Invoice;
use billing::domain::invoice_state::InvoiceState;
use billing::domain::lease::{
    BillingTerms, BlockProgress, BlockRef, BlockState, LeaseCopy, LeaseState, Poison, Premises, Rent,
};
use billing::domain::run::RunState;
use integration_tests::TestDatabase;
use kernel::{
    BillingRunName, Caller, CivilDate, Currency, DateRange, Error, EventId, Ids as _, InvoiceId, InvoiceName,
    LeaseName, OperatorId, OperatorParent, Organisation, QuantityStep, Reason, Role, Scope, SystemIds,
    TestClock, Uuid, YearMonth, Zone,
};
use postgres::page::PageTokens;
use postgres::{Answer, Db, Settings, store_error};
use sea_orm::ConnectionTrait as _;
use sqlx::Row as _;

const OPERATOR: &str = "hut8";
/// Rent of a sample lease for a whole month, in cents: 1,000 kW x 100 USD.
const MONTH_CENTS: i64 = 10_000_000;

fn date(year: i32, month: u32, day: u32) -> CivilDate {
    CivilDate::from_ymd_opt(year, month, day).expect("a date")
}

fn december() -> YearMonth {
    YearMonth::new(2026, 12).expect("a month")
}

fn operator() -> OperatorId {
    OPERATOR.parse().expect("a slug")
}

fn new_id() -> Uuid {
    SystemIds.next()
}

fn caller(organisation: &str, role: Role) -> Caller {
    Caller {
        subject: "tester".to_owned(),
        organisation: organisation.parse::<Organisation>().expect("an organisation"),
        roles: vec![role],
        on_behalf_of: None,
        token_id: "t".to_owned(),
    }
}

fn finance() -> Caller {
    caller("operators/hut8", Role::Finance)
}

/// An active lease of 1,000 kW at 100 USD for all of 2026-12 to 2027-11, with one block that has commenced.
fn lease(id: &str, tenant: &str) -> LeaseCopy {
    let (start, end) = (date(2026, 12, 1), date(2027, 12, 1));
    let place = BlockRef { site: "river-bend".parse().expect("a slug"), block: id.parse().expect("a slug") };
    LeaseCopy {
        operator: operator(),
        lease: id.parse().expect("a slug"),
        tenant: tenant.parse().expect("a slug"),
        version: 1,
        state: LeaseState::Active,
        terms: BillingTerms {
            currency: Currency::USD,
            payment_terms_days: 30,
            escalator: None,
            rent: kernel::RentRules::default(),
            money: kernel::MoneyTerms::default(),
            credit: Vec::new(),
            premises: vec![Premises {
                place: place.clone(),
                term: DateRange::new(start, end).expect("a term"),
                quantities: vec![QuantityStep { from: start, kw: 1_000 }],
                rent: Rent::Base { rate: "100".parse().expect("a rate") },
            }],
        },
        blocks: vec![BlockProgress { place, state: BlockState::Commenced, moved: None }],
        ending: None,
        billed_from: None,
        index: kernel::IndexValues::new(),
    }
}

fn event(lease: Result<LeaseCopy, Poison>, id: &str) -> LeaseEvent {
    LeaseEvent {
        id: EventId::new(new_id()),
        kind: "lease.commenced".to_owned(),
        subject: LeaseName::new(operator(), id.parse().expect("a slug")).to_string(),
        operator: operator(),
        lease,
    }
}

/// Billing over a database of its own, at noon of 1 December 2026.
struct Books {
    database: TestDatabase,
    app: Arc<App>,
    cursor: std::sync::atomic::AtomicU32,
}

async fn app(database: &TestDatabase) -> Arc<App> {
    let pool = |role: &str| Settings::new(database.url()).role(role).max_connections(12);
    let db = Db::connect(&pool("billing")).await.expect("a pool");
    let worker = Db::connect(&pool("billing_worker")).await.expect("a pool");
    let noon = Zone::UTC.start_of_day(date(2026, 12, 1)) + chrono::TimeDelta::hours(12);
    let pages = PageTokens::ephemeral().expect("a secret");
    Arc::new(billing::assemble((db, worker), Arc::new(TestClock::new(noon)), Arc::new(SystemIds), pages))
}

impl Books {
    async fn open() -> Self {
        let database = TestDatabase::create().await.expect("a database");
        let app = app(&database).await;
        Self { database, app, cursor: std::sync::atomic::AtomicU32::new(0) }
    }

    /// Books with so many leases of one tenant, `lease-00` and on.
    async fn with_leases(count: usize) -> Self {
        let books = Self::open().await;
        for at in 0..count {
            let id = format!("lease-{at:02}");
            books.hear(&event(Ok(lease(&id, "lab-one")), &id)).await;
        }
        books
    }

    /// Takes an event as the only consumer.
    async fn hear(&self, event: &LeaseEvent) {
        let at = self.cursor.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let expected = (at > 0).then(|| at.to_string());
        let next = (at + 1).to_string();
        let taken = self.app.apply_lease_event(Some(event), expected.as_deref(), &next).await;
        assert!(taken.expect("no error"), "nobody else takes events here");
    }

    async fn run(&self) -> billing::app::RunView {
        let command = start(new_id());
        match self.app.start_billing_run(&finance(), command).await.expect("a run") {
            Answer::Fresh(view) => view,
            Answer::Replayed(_) => panic!("the request id is new"),
        }
    }

    async fn issue(&self, invoice: &Invoice) -> Result<Invoice, Error> {
        let command = issue(invoice, new_id());
        match self.app.issue_invoice(&finance(), command).await? {
            Answer::Fresh(issued) => Ok(issued),
            Answer::Replayed(_) => panic!("the request id is new"),
        }
    }

    /// One number, as the superuser sees it.
    async fn count(&self, query: &'static str) -> i64 {
        let mut superuser = self.database.superuser().await.expect("a connection");
        sqlx::query(query).fetch_one(&mut superuser).await.expect("a row").try_get(0).expect("a number")
    }

    /// Runs SQL in one transaction as the service's request role, in the operator's scope.
    async fn as_service(&self, sql: &str) -> Result<(), Error> {
        self.app
            .db
            .in_tx("try", &Scope::Operator(operator()), |tx| async move {
                tx.execute_unprepared(sql).await.map_err(store_error)?;
                Ok((tx, ()))
            })
            .await
    }

    /// Asserts that the database refuses the SQL, and says by what.
    async fn refused(&self, sql: &str, by: &str) {
        let error = self.as_service(sql).await.expect_err(by);
        let cause = format!("{error:?}");
        assert!(cause.contains(by), "{sql}\nwas refused, but not by {by}: {cause}");
    }
}

fn start(request_id: Uuid) -> StartBillingRun {
    StartBillingRun { operator: operator(), month: december(), request_id, validate_only: false }
}

fn issue(invoice: &Invoice, request_id: Uuid) -> IssueInvoice {
    let name = InvoiceName::new(invoice.operator.clone(), invoice.id);
    IssueInvoice { name, etag: None, request_id, validate_only: false }
}

fn fresh<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Fresh(value) => value,
        Answer::Replayed(_) => panic!("the request id is new"),
    }
}

#[tokio::test]
async fn an_unbalanced_or_incomplete_ledger_transaction_is_refused() {
    let books = Books::with_leases(1).await;
    let draft = books.run().await.invoices.remove(0);
    let (invoice, account) = (draft.id, draft.account);
    let post = |entries: u32, debit: i64, credit: i64, currency: &str| {
        let id = new_id();
        format!(
            "insert into billing.ledger_transaction values
               ('hut8', '{id}', 'INVOICE_ISSUED', '{invoice}', '{invoice}', {entries}, '2026-12-01', 'test', now());
             insert into billing.ledger_entry values
               ('hut8', '{id}', 1, gen_random_uuid(), 'accounts_receivable', '{account}', 'USD', {debit}),
               ('hut8', '{id}', 2, gen_random_uuid(), 'rent_income', '{account}', '{currency}', {credit})"
        )
    };
    books.refused(&post(2, 100, -99, "USD"), "ledger_transaction_balanced").await;
    books.refused(&post(2, 100, -100, "EUR"), "ledger_transaction_balanced").await;
    books.refused(&post(3, 100, -100, "USD"), "ledger_transaction_complete").await;
    let headless = format!(
        "insert into billing.ledger_transaction values
           ('hut8', '{}', 'INVOICE_ISSUED', '{invoice}', '{invoice}', 2, '2026-12-01', 'test', now())",
        new_id()
    );
    books.refused(&headless, "ledger_transaction_complete").await;
    // A session that hides its own entries before it commits is refused too.
    let hidden = format!("{}; select set_config('app.operator', '', true)", post(2, 100, -99, "USD"));
    books.refused(&hidden, "ledger_transaction_complete").await;
    // So is one that takes away what is to be judged, or lets it be judged before it is whole.
    let taken = format!("{}; delete from billing.unjudged", post(2, 100, -99, "USD"));
    books.refused(&taken, "ledger_transaction_balanced").await;
    let early = format!("set constraints all immediate; {}", post(2, 100, -100, "USD"));
    books.refused(&early, "ledger_transaction_complete").await;
    assert_eq!(books.count("select count(*) from billing.ledger_entry").await, 0);

    // Control: the same with both sides equal is accepted.
    books.as_service(&post(2, 100, -100, "USD")).await.expect("balanced");
    assert_eq!(books.count("select count(*) from billing.ledger_entry").await, 2);
    // What is complete takes no more entries, balanced or not.
    let more = "insert into billing.ledger_entry (operator_id, transaction_id, entry_number, entry_id, ledger_account, account_id,
          currency_code, amount_minor)
        select operator_id, transaction_id, entry_number + 2, gen_random_uuid(), ledger_account, account_id, currency_code,
          amount_minor from billing.ledger_entry";
    books.refused(more, "ledger_transaction_complete").await;
}

#[tokio::test]
async fn what_is_written_refers_to_what_is_there() {
    let books = Books::with_leases(1).await;
    let draft = books.run().await.invoices.remove(0);
    books.issue(&draft).await.expect("issued");
    let other = new_id();
    let nobody = format!("'{other}'");
    let of_lease = |lease: &str, run: &str, account: &str, tenant: &str| {
        format!(
            "insert into billing.invoice (operator_id, invoice_id, run_id, account_id, tenant_id, lease_id, state, period_start,
               period_end, currency_code, total_minor, line_count, payment_terms_days, version, create_time)
             select operator_id, gen_random_uuid(), {run}::uuid, {account}::uuid, {tenant}, {lease}, 'DRAFT', period_start, period_end,
               currency_code, 0, 1, 30, 1, create_time from billing.invoice"
        )
    };
    let invoice = |run: &str, account: &str, tenant: &str| of_lease("lease_id", run, account, tenant);
    books.refused(&invoice(&nobody, "account_id", "tenant_id"), "invoice_refers").await;
    books.refused(&invoice("run_id", &nobody, "tenant_id"), "invoice_refers").await;
    books.refused(&invoice("run_id", "account_id", "'somebody'"), "invoice_refers").await;
    books.refused(&of_lease("'none'", "run_id", "account_id", "tenant_id"), "invoice_refers").await;
    let line = |invoice: &str, version: &str| {
        format!(
            "insert into billing.invoice_line (operator_id, invoice_id, line_number, lease_id, site_id, block_id, charge_type,
               period_start, period_end, days, days_in_month, quantity_kw, rate_per_kw_month, amount_minor, lease_version, item)
             select operator_id, {invoice}::uuid, 1, lease_id, site_id, 'other', charge_type, period_start, period_end, days,
               days_in_month, quantity_kw, 0, 0, {version}, item from billing.invoice_line"
        )
    };
    books.refused(&line(&nobody, "lease_version"), "invoice_line_refers").await;
    // Of a draft, whole but for the version of its lease.
    let drafted =
        of_lease("lease_id", "run_id", "account_id", "tenant_id").replacen("gen_random_uuid()", &nobody, 1);
    books.refused(&format!("{drafted}; {}", line(&nobody, "lease_version + 7")), "invoice_line_refers").await;
    let posting = format!(
        "insert into billing.ledger_transaction (operator_id, transaction_id, kind, source_id, invoice_id, entry_count,
           posting_date, description, create_time)
         values ('hut8', '{other}', 'JOURNAL_POSTED', '{other}', '{other}', 2, '2026-12-01', 'test', now())"
    );
    books.refused(&posting, "ledger_transaction_refers").await;
    for (of, account) in [("gen_random_uuid()", "e.account_id"), (nobody.as_str(), "gen_random_uuid()")] {
        let entry = format!(
            "insert into billing.ledger_transaction (operator_id, transaction_id, kind, source_id, entry_count, posting_date,
               description, create_time)
             values ('hut8', '{other}', 'JOURNAL_POSTED', '{other}', 2, '2026-12-01', 'test', now());
             insert into billing.ledger_entry (operator_id, transaction_id, entry_number, entry_id, ledger_account, account_id,
               currency_code, amount_minor)
             select e.operator_id, {of}::uuid, e.entry_number, gen_random_uuid(), e.ledger_account, {account}, e.currency_code,
               e.amount_minor
             from billing.ledger_entry e where e.entry_number = 1",
        );
        books.refused(&entry, "ledger_entry_refers").await;
    }
    let undrawn =
        "update billing.invoice set state = 'OPEN', version = version + 1, series = 'INV', number = 9,
        issue_time = now(), due_date = '2027-01-01' where state = 'DRAFT'";
    let drafted = of_the_lease(draft.id, "DEPOSIT", 7, "2026-12-01");
    books.refused(&format!("{drafted}; {undrawn}"), "invoice_number_drawn").await;
}

/// Whom no right binds, the triggers still do.
#[tokio::test]
async fn what_is_referred_to_stays() {
    let books = Books::with_leases(1).await;
    let draft = books.run().await.invoices.remove(0);
    books.issue(&draft).await.expect("issued");
    books.run().await;
    let mut superuser = books.database.superuser().await.expect("a connection");
    for (sql, by) in [
        ("delete from billing.account", "account_keeps_key"),
        ("update billing.account set tenant_id = 'other'", "account_keeps_key"),
        (
            "update billing.billing_run set run_id = gen_random_uuid(), state = 'ISSUED', issue_time = now()
               where state = 'DRAFT'",
            "billing_run_keeps_key",
        ),
        ("delete from billing.lease", "lease_keeps_key"),
        ("update billing.lease set lease_id = 'other'", "lease_keeps_key"),
        ("delete from billing.lease_version", "lease_version_append_only"),
        ("delete from billing.number_counter", "number_counter_keeps_key"),
        ("update billing.number_counter set series = 'X'", "number_counter_keeps_key"),
        (
            "update billing.invoice set paid_minor = -1, version = version + 1, state = 'PARTIALLY_PAID'",
            "invoice_settled_stays",
        ),
    ] {
        let error = sqlx::query(sql).execute(&mut superuser).await.expect_err(sql);
        assert!(format!("{error:?}").contains(by), "{sql}\nwas refused, but not by {by}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_issued_or_posted_never_changes() {
    let books = Books::with_leases(1).await;
    let draft = books.run().await.invoices.remove(0);
    books.issue(&draft).await.expect("issued");
    for (sql, by) in [
        ("update billing.invoice set due_date = '2030-01-01'", "invoice_immutable"),
        ("update billing.invoice set state = 'DRAFT'", "invoice_state_moves"),
        ("update billing.invoice set number = 7", "invoice_immutable"),
        ("update billing.invoice set total_minor = 1", "permission denied"),
        ("update billing.invoice set tenant_id = 'other'", "permission denied"),
        ("delete from billing.invoice", "permission denied"),
        ("update billing.invoice_line set amount_minor = 1", "permission denied"),
        ("delete from billing.invoice_line", "permission denied"),
        ("update billing.ledger_entry set amount_minor = 1", "permission denied"),
        ("delete from billing.ledger_entry", "permission denied"),
        ("delete from billing.ledger_transaction", "permission denied"),
        ("update billing.number_counter set last_number = 0", "number_counter"),
        ("update billing.number_counter set last_number = 2", "number_counter_gapless"),
        ("update billing.lease_version set terms = '{}'", "permission denied"),
        ("update billing.billing_run set state = 'DRAFT', issue_time = null", "billing_run_state_moves"),
    ] {
        books.refused(sql, by).await;
    }
    // Whom no right binds, the triggers still do.
    let mut superuser = books.database.superuser().await.expect("a connection");
    for sql in [
        "update billing.invoice set total_minor = 1",
        "delete from billing.invoice",
        "update billing.invoice_line set amount_minor = 1",
        "update billing.ledger_entry set amount_minor = 1",
        "delete from billing.ledger_entry",
    ] {
        sqlx::query(sql).execute(&mut superuser).await.expect_err(sql);
    }
}

/// An invoice of one line of the whole lease, written past the service.
fn of_the_lease(old: InvoiceId, charge_type: &str, minor: i64, day: &str) -> String {
    let (id, reckoning) = (new_id(), new_id());
    format!(
        "insert into billing.reckoning (operator_id, reckoning_id, lease_id, month, inputs, create_time)
           select operator_id, '{reckoning}', lease_id, period_start, '{{}}', create_time
           from billing.invoice where invoice_id = '{old}';
         insert into billing.invoice (operator_id, invoice_id, run_id, account_id, tenant_id, lease_id, state,
             period_start, period_end, currency_code, total_minor, line_count, payment_terms_days, version, create_time)
           select operator_id, '{id}', run_id, account_id, tenant_id, lease_id, 'DRAFT', period_start, period_end,
             currency_code, {minor}, 1, payment_terms_days, 1, create_time
           from billing.invoice where invoice_id = '{old}';
         insert into billing.invoice_line (operator_id, invoice_id, line_number, lease_id, charge_type, period_start,
             period_end, amount_minor, lease_version, item, detail, reckoning_id)
           select operator_id, '{id}', 1, lease_id, '{charge_type}', date '{day}', date '{day}' + 1, {minor},
             lease_version, '', '{{}}', '{reckoning}' from billing.invoice_line where invoice_id = '{old}'"
    )
}

#[tokio::test]
async fn no_more_is_credited_than_was_paid_ahead_and_what_is_billed_once_is_billed_once() {
    let books = Books::with_leases(1).await;
    let draft = books.run().await.invoices.remove(0);
    let line = |charge_type, minor, day| of_the_lease(draft.id, charge_type, minor, day);
    let left = "more is credited than is left of what was paid ahead";
    books.refused(&line("PREPAYMENT_DRAW", -5, "2026-12-01"), left).await;
    let paid = [line("PREPAYMENT", 7, "2026-12-01"), line("PREPAYMENT_DRAW", -5, "2026-12-01")].join(";");
    let more = line("PREPAYMENT_DRAW", -3, "2027-01-01");
    books.refused(&[paid, more].join(";"), left).await;
    let twice = [line("DEPOSIT", 7, "2026-12-01"), line("DEPOSIT", 7, "2027-01-01")].join(";");
    books.refused(&twice, "invoice_line_once").await;
}

#[tokio::test]
async fn a_charge_is_on_one_invoice_that_is_not_void() {
    let books = Books::with_leases(1).await;
    let draft = books.run().await.invoices.remove(0);
    let again = || {
        let (id, old) = (new_id(), draft.id);
        format!(
            "insert into billing.invoice select operator_id, '{id}', run_id, account_id, tenant_id, lease_id, 'DRAFT',
               period_start, period_end, currency_code, total_minor, line_count, payment_terms_days, 1, create_time
               from billing.invoice where invoice_id = '{old}';
             insert into billing.invoice_line select operator_id, '{id}', line_number, lease_id, site_id, block_id,
               charge_type, period_start, revision, true, period_end, days, days_in_month, quantity_kw,
               rate_per_kw_month, amount_minor, lease_version
               from billing.invoice_line where invoice_id = '{old}'"
        )
    };
    books.refused(&again(), "invoice_line_charge").await;
    let total = "insert into billing.invoice select operator_id, gen_random_uuid(), run_id, account_id, tenant_id,
        lease_id, 'DRAFT', period_start, period_end, currency_code, total_minor, line_count, payment_terms_days, 1, create_time
        from billing.invoice";
    books.refused(total, "invoice_total_is_sum_of_lines").await;
    let line_of_nothing = "insert into billing.invoice_line (operator_id, invoice_id, line_number, lease_id, site_id, block_id,
          charge_type, period_start, period_end, days, days_in_month, quantity_kw, rate_per_kw_month, amount_minor,
          lease_version, item)
        select operator_id, invoice_id, 2, lease_id, site_id, 'other', charge_type, period_start, period_end, days,
          days_in_month, quantity_kw, 0, 0, lease_version, item from billing.invoice_line";
    books.refused(line_of_nothing, "invoice_total_is_sum_of_lines").await;

    // Control: voiding the first frees its charges.
    books.as_service("update billing.invoice set state = 'VOID', version = 2").await.expect("voided");
    books.as_service(&again()).await.expect("billed again");
    assert_eq!(books.run().await.invoices.len(), 0, "nothing is left to bill");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_gapless_under_twenty_concurrent_issues() {
    let books = Arc::new(Books::with_leases(20).await);
    let view = books.run().await;
    assert_eq!((view.run.invoice_count, view.run.totals[0].minor), (20, 20 * MONTH_CENTS));
    let mut tasks = tokio::task::JoinSet::new();
    for invoice in view.invoices.clone() {
        // Each request comes twice, as from a client that lost the first answer.
        let request_id = new_id();
        for _ in 0..2 {
            let (books, command) = (Arc::clone(&books), issue(&invoice, request_id));
            tasks.spawn(async move { books.app.issue_invoice(&finance(), command).await });
        }
    }
    let answers = tasks.join_all().await;
    let mut numbers: Vec<i64> = answers
        .into_iter()
        .filter_map(|answer| match answer.expect("no error") {
            Answer::Fresh(invoice) => invoice.issued.map(|issued| issued.number.get()),
            Answer::Replayed(_) => None,
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let stored = "select count(distinct number) from billing.invoice where number between 1 and 20";
    assert_eq!(books.count(stored).await, 20);

    let name = BillingRunName::new(operator(), view.run.head.id);
    let (run, _) = books.app.get_billing_run(&finance(), &name).await.expect("the run");
    assert_eq!(run.head.state, RunState::Issued, "the last invoice issues the run");
    let balance = books.app.trial_balance(&finance(), &operator(), None).await.expect("balanced");
    assert!(balance.balances());
    assert_eq!(balance.rows.iter().map(|r| r.debits.minor).sum::<i64>(), 20 * MONTH_CENTS);
    let again = books.issue(&view.invoices[0]).await.expect_err("issued already");
    assert_eq!(again.reason(), Reason::InvalidStateTransition);
    assert_eq!((again.get("from"), again.get("to")), (Some("OPEN"), Some("OPEN")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_runs_bill_each_charge_once() {
    let books = Arc::new(Books::with_leases(6).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let books = Arc::clone(&books);
        tasks.spawn(async move { books.run().await.invoices.len() });
    }
    let mut made = tasks.join_all().await;
    made.sort_unstable();
    assert_eq!(made, [0, 0, 0, 0, 0, 0, 0, 6]);
    assert_eq!(books.count("select count(*) from billing.invoice_line").await, 6);
}

#[tokio::test]
async fn a_block_that_commences_later_gets_a_supplementary_invoice() {
    let books = Books::open().await;
    let mut copy = lease("lease-00", "lab-one");
    let late =
        BlockRef { site: "river-bend".parse().expect("a slug"), block: "late-hall".parse().expect("a slug") };
    let mut premises = copy.terms.premises[0].clone();
    premises.place = late.clone();
    premises.term = DateRange::new(date(2026, 12, 17), date(2027, 12, 1)).expect("a term");
    premises.quantities[0].from = date(2026, 12, 17);
    copy.terms.premises.push(premises);
    copy.blocks.push(BlockProgress { place: late, state: BlockState::Planned, moved: None });
    books.hear(&event(Ok(copy.clone()), "lease-00")).await;
    let first = books.run().await;
    assert_eq!(first.invoices.iter().map(|i| i.total.minor).collect::<Vec<_>>(), [MONTH_CENTS]);

    copy.blocks[1].state = BlockState::Commenced;
    books.hear(&event(Ok(copy), "lease-00")).await;
    let preview = PreviewInvoices {
        lease: LeaseName::new(operator(), "lease-00".parse().expect("a slug")),
        through: Some(date(2026, 12, 1)),
    };
    let preview = books.app.preview_invoices(&finance(), preview).await.expect("a preview");
    let second = books.run().await;
    assert_eq!(second.invoices.len(), 1);
    // 15 of 31 days.
    assert_eq!(second.invoices[0].total.minor, 4_838_710);
    assert_eq!(preview.total, second.invoices[0].total, "the preview is what the run bills");
    assert_eq!(preview.bills[0].lines, second.invoices[0].lines);
    assert_eq!(preview.account, Some(second.invoices[0].account));
    assert_eq!(books.run().await.invoices.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_takes_effect_once_under_two_consumers() {
    const EVENTS: usize = 30;
    let books = Books::open().await;
    let events: Arc<Vec<LeaseEvent>> = Arc::new(
        (0..EVENTS)
            .map(|at| {
                let id = format!("lease-{at:02}");
                event(Ok(lease(&id, &format!("lab-{at:02}"))), &id)
            })
            .collect(),
    );
    let mut consumers = tokio::task::JoinSet::new();
    for app in [app(&books.database).await, app(&books.database).await] {
        let events = Arc::clone(&events);
        consumers.spawn(async move {
            let mut taken = 0_usize;
            for (at, event) in events.iter().enumerate() {
                let expected = (at > 0).then(|| at.to_string());
                let next = (at + 1).to_string();
                if app.apply_lease_event(Some(event), expected.as_deref(), &next).await.expect("no error") {
                    taken += 1;
                }
            }
            taken
        });
    }
    let taken: usize = consumers.join_all().await.into_iter().sum();
    assert_eq!(taken, EVENTS);
    let effects = "select count(*) from billing.outbox where kind = 'account.opened'";
    assert_eq!(books.count(effects).await, 30);
    assert_eq!(books.count("select count(*) from billing.lease").await, 30);
    assert_eq!(books.count("select cursor::bigint from billing.feed_cursor").await, 30);

    // A restored feed tells an old event again, at a new place: only the cursor moves.
    let again = books.app.apply_lease_event(Some(&events[0]), Some("30"), "31").await;
    assert!(again.expect("no error"));
    assert_eq!(books.count(effects).await, 30);
    assert_eq!(books.count("select count(*) from billing.applied_event").await, 30);
}

#[tokio::test]
async fn a_poison_event_parks_its_lease_and_nothing_else() {
    let books = Books::with_leases(2).await;
    books.hear(&event(Err(Poison("not a lease".to_owned())), "lease-00")).await;
    let mut changed = lease("lease-01", "lab-one");
    changed.terms.payment_terms_days = 45;
    books.hear(&event(Ok(changed), "lease-01")).await;
    books.hear(&event(Ok(lease("lease-02", "lab-one")), "lease-02")).await;
    let problems = "select count(*) from billing.parked_lease where problem in
        ('not a lease', 'version 1 was told before with other terms')";
    assert_eq!(books.count(problems).await, 2);
    assert_eq!(books.count("select count(*) from billing.outbox where kind = 'lease.parked'").await, 2);
    let billed: Vec<String> = books.run().await.invoices.iter().map(|i| i.lease.to_string()).collect();
    assert_eq!(billed, ["lease-02"], "the others go on");

    // A later event that is understood heals it.
    books.hear(&event(Ok(lease("lease-00", "lab-one")), "lease-00")).await;
    let billed: Vec<String> = books.run().await.invoices.iter().map(|i| i.lease.to_string()).collect();
    assert_eq!(billed, ["lease-00"]);
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_another_is_refused() {
    let books = Books::with_leases(1).await;
    let request_id = new_id();
    let first = fresh(books.app.start_billing_run(&finance(), start(request_id)).await.expect("a run"));
    let again = books.app.start_billing_run(&finance(), start(request_id)).await.expect("an answer");
    let Answer::Replayed(bytes) = again else { panic!("the request was answered before") };
    let told: contracts::billing::v1::StartBillingRunResponse =
        prost::Message::decode(bytes.as_slice()).expect("the reply");
    assert_eq!(told.invoices.len(), 1);
    assert_eq!(told.invoices[0].name, format!("operators/hut8/invoices/{}", first.invoices[0].id));

    let other = StartBillingRun { month: YearMonth::new(2027, 1).expect("a month"), ..start(request_id) };
    let refused = books.app.start_billing_run(&finance(), other).await.expect_err("another payload");
    assert_eq!(refused.reason(), Reason::RequestIdReused);

    let tried = StartBillingRun {
        month: YearMonth::new(2027, 1).expect("a month"),
        validate_only: true,
        ..start(new_id())
    };
    let tried = fresh(books.app.start_billing_run(&finance(), tried).await.expect("tried"));
    assert_eq!((tried.invoices.len(), tried.run.totals[0].minor), (1, MONTH_CENTS));
    assert_eq!(books.count("select count(*) from billing.billing_run").await, 1, "nothing is kept");
}

#[tokio::test]
async fn a_run_is_issued_whole_on_its_etag_and_posted() {
    let books = Books::with_leases(3).await;
    let view = books.run().await;
    let name = BillingRunName::new(operator(), view.run.head.id);
    let command = |etag: Option<&str>, validate_only| IssueBillingRun {
        name: name.clone(),
        etag: etag.map(str::to_owned),
        request_id: new_id(),
        validate_only,
    };
    let stale = books.app.issue_billing_run(&finance(), command(Some("v9"), false)).await;
    assert_eq!(stale.expect_err("stale").reason(), Reason::EtagMismatch);
    let checked = books.app.issue_billing_run(&finance(), command(Some("v1"), true)).await;
    assert_eq!(fresh(checked.expect("may be issued")).run.head.state, RunState::Draft);
    let issued = books.app.issue_billing_run(&finance(), command(Some("v1"), false)).await;
    let issued = fresh(issued.expect("issued"));
    assert_eq!(issued.run.head.state, RunState::Issued);
    assert!(issued.invoices.iter().all(|invoice| invoice.state == InvoiceState::Open));
    let due: Vec<_> = issued.invoices.iter().filter_map(|i| i.issued.as_ref()).map(|i| i.due_date).collect();
    assert_eq!(due, [date(2026, 12, 31); 3]);
    let mut superuser = books.database.superuser().await.expect("a connection");
    let told = sqlx::query("select payload from billing.outbox where kind = 'billing_run.issued'");
    let told: Vec<u8> = told.fetch_one(&mut superuser).await.expect("one event").get(0);
    let told: contracts::billing::v1::BillingRun = prost::Message::decode(told.as_slice()).expect("a run");
    assert_eq!(
        (told.invoice_count, told.issued_invoice_count),
        (3, 3),
        "the event tells the run as it is now"
    );
    let again = books.app.issue_billing_run(&finance(), command(None, false)).await;
    assert_eq!(again.expect_err("issued already").reason(), Reason::InvalidStateTransition);

    let before = books.app.trial_balance(&finance(), &operator(), Some(date(2026, 11, 30))).await;
    assert!(before.expect("balanced").rows.is_empty());
    let list = |page_token: String| ListEntries {
        operator: operator(),
        list: ListRequest {
            parent: OperatorParent::One(operator()),
            page_size: 4,
            page_token,
            fingerprint: String::new(),
        },
        filter: billing::domain::ledger::EntryFilter::default(),
    };
    let first = books.app.list_ledger_entries(&finance(), list(String::new())).await.expect("a page");
    let rest = books.app.list_ledger_entries(&finance(), list(first.next)).await.expect("a page");
    assert_eq!((first.items.len(), rest.items.len(), rest.next.as_str()), (4, 2, ""));
    let entry = &first.items[0];
    let number = entry.invoice_number.as_ref().map(ToString::to_string);
    assert_eq!((number.as_deref(), &*entry.description), (Some("INV-000001"), "Invoice of 2026-12 issued"));
    let sum: i64 = first.items.iter().chain(&rest.items).map(|entry| entry.amount.minor).sum();
    assert_eq!(sum, 0);
}

#[tokio::test]
async fn each_sees_its_own_and_absent_and_foreign_look_alike() {
    let books = Books::open().await;
    books.hear(&event(Ok(lease("lease-00", "lab-one")), "lease-00")).await;
    books.hear(&event(Ok(lease("lease-01", "lab-two")), "lease-01")).await;
    let view = books.run().await;
    let (one, two) = (&view.invoices[0], &view.invoices[1]);
    let name = |invoice: &Invoice| InvoiceName::new(operator(), invoice.id);
    let lab_one = caller("tenants/lab-one", Role::Tenant);
    let draft = books.app.get_invoice(&lab_one, &name(one)).await.expect_err("a draft is the operator's");
    books.issue(one).await.expect("issued");
    books.issue(two).await.expect("issued");
    let own = books.app.get_invoice(&lab_one, &name(one)).await.expect("its own");
    assert_eq!((own.total.minor, own.lines.len()), (MONTH_CENTS, 1));

    let foreign = books.app.get_invoice(&lab_one, &name(two)).await.expect_err("another's");
    let absent = InvoiceName::new(operator(), kernel::InvoiceId::new(new_id()));
    let absent = books.app.get_invoice(&lab_one, &absent).await.expect_err("absent");
    let rival = caller("operators/riot", Role::Finance);
    let rival = books.app.get_invoice(&rival, &name(one)).await.expect_err("another operator's");
    for refusal in [draft, foreign, absent, rival] {
        assert_eq!(refusal.reason(), Reason::ResourceNotFound);
        assert_eq!(refusal.message(), "There is no such invoice.");
        assert_eq!(refusal.get("resource_type"), Some("invoice"));
    }
    let books_of_another = books.app.trial_balance(&lab_one, &operator(), None).await;
    assert_eq!(books_of_another.expect_err("not a tenant's").reason(), Reason::ResourceNotFound);
    let preview = PreviewInvoices {
        lease: LeaseName::new(operator(), "lease-01".parse().expect("a slug")),
        through: None,
    };
    let preview = books.app.preview_invoices(&lab_one, preview).await.expect_err("another's lease");
    assert_eq!(preview.get("resource_type"), Some("lease"));
}
