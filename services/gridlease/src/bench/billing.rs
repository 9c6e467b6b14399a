//! `gridlease bench billing`: invoices a second of a billing run from its start to its last number, beside a program that
//! writes one invoice a transaction over eight connections.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use contracts::billing::v1 as billing;
use kernel::{Organisation, Role};
use serde::Serialize;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::search::resident;
use super::{SPARE_TRIES, baselines_agree, may_measure, ratio_milli, report, sound};
use crate::cli::{BenchBilling, Ports};
use crate::clients::Clients;
use crate::out;
use crate::stack::{Home, Options, Stack, data_dir, unless_ended};

const OPERATOR: &str = "operators/bench";
/// Invoices of a baseline, and its connections.
const ROWS: u32 = 2_000;
const CONNECTIONS: u32 = 8;
/// The first month billed; each measurement bills another.
const FIRST_MONTH: usize = 2027 * 12;
/// Invoices a second over the baseline, in thousandths: what to reach, and what would be better.
const REACH: u64 = 15_000;
const STRETCH: u64 = 30_000;
const ASK_EVERY: Duration = Duration::from_millis(20);

/// One measurement between two baselines.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Leases billed, one invoice each.
    pub leases: u32,
    /// Invoices a second, from the start of the run to the last number.
    pub per_s: u64,
    /// Of these seconds, in thousandths, those that went by until the drafts were there.
    pub drafts_milli: u64,
    /// Invoices that one transaction each wrote a second, right before and right after.
    pub rows_per_s: [u64; 2],
    /// What the process had grown by at the end of the run, in KiB of memory; 0 where the system does not tell.
    pub grown_kib: u64,
}

impl Sample {
    /// Over the baseline, in thousandths.
    #[must_use]
    pub fn ratio_milli(&self) -> u64 {
        ratio_milli(self.per_s, self.rows_per_s)
    }
}

/// Everything measured.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// A rehearsal proves nothing.
    pub rehearsal: bool,
    /// Version and settings of the server.
    pub server: String,
    /// Every sample that counts.
    pub samples: Vec<Sample>,
    /// Samples thrown away for their baselines.
    pub discarded: usize,
    /// What the ledger comes to in all; anything but 0 is a bug.
    pub ledger_minor: i64,
    /// Numbers that are missing among the invoices; anything but 0 is a bug.
    pub gaps: i64,
}

/// Measures and reports.
///
/// # Errors
/// A build or a server whose figures would mean nothing; anything that fails on the way.
pub async fn billing(arguments: BenchBilling) -> anyhow::Result<ExitCode> {
    may_measure(arguments.rehearse)?;
    let data = data_dir(arguments.data_dir.clone())?;
    let options = Options {
        database_url: arguments.database.database_url.clone(),
        home: Home::thrown_away_in(&data, "bench", arguments.database.database_url.is_none())?,
        ports: Ports::FREE,
        test_clock: None,
        inventory_only: false,
    };
    out::note("starting Postgres and the services");
    let Some(stack) = unless_ended(Stack::start(options)).await? else { return Ok(ExitCode::FAILURE) };
    let measured = unless_ended(measure(&arguments, &stack)).await;
    stack.stop().await;
    let Some(results) = measured? else { return Ok(ExitCode::FAILURE) };
    out::say(if arguments.json { serde_json::to_string_pretty(&results)? } else { tables(&results) });
    let sound = !results.samples.is_empty() && (results.ledger_minor, results.gaps) == (0, 0);
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(arguments: &BenchBilling, stack: &Stack) -> anyhow::Result<Results> {
    let server = sound::check(stack.database_url(), arguments.rehearse).await?;
    let sizes = match (&arguments.leases[..], arguments.quick) {
        ([], true) => vec![1_000],
        ([], false) => vec![1_000, 10_000, 100_000],
        (named, _) => named.to_vec(),
    };
    let organisation: Organisation = OPERATOR.parse()?;
    let token =
        stack.issuer().mint("bench", &organisation, &[Role::Finance], Duration::from_secs(24 * 3_600))?;
    let options: PgConnectOptions = stack.database_url().parse()?;
    let options = options.disable_statement_logging();
    let mut bench = Bench {
        finance: stack.channels()?.caller(&token)?,
        connection: options.connect().await?,
        rows: rows_pool(options).await?,
        month: FIRST_MONTH,
    };
    write_leases(&mut bench.connection, "rows", ROWS).await?;
    let mut results = Results { rehearsal: arguments.rehearse, server, ..Results::default() };
    for leases in sizes {
        out::note(format!("{leases} leases"));
        write_leases(&mut bench.connection, "bench", leases).await?;
        sound::settle(stack.database_url()).await?;
        // A first time that does not count: plans and pages are warm afterwards.
        bench.one_by_one().await?;
        bench.run(leases).await?;
        for _ in 0..if arguments.quick { 1 } else { arguments.rounds } {
            bench.sample(leases, &mut results).await?;
        }
    }
    results.ledger_minor =
        bench.number("select coalesce(sum(amount_minor), 0)::bigint from billing.ledger_entry").await?;
    results.gaps =
        bench.number("select coalesce(max(number), 0) - count(number) from billing.invoice where operator_id = 'bench'").await?;
    bench.rows.close().await;
    bench.connection.close().await?;
    Ok(results)
}

/// Eight connections with the rights of the service, in the scope of the operator that is billed row by row.
async fn rows_pool(options: PgConnectOptions) -> anyhow::Result<PgPool> {
    let pool = PgPoolOptions::new().min_connections(CONNECTIONS).max_connections(CONNECTIONS);
    let pool = pool.after_connect(|connection, _| {
        Box::pin(async move {
            sqlx::query("set role billing").execute(&mut *connection).await?;
            sqlx::query("select set_config('app.operator', 'rows', false)").execute(&mut *connection).await?;
            Ok(())
        })
    });
    pool.connect_with(options).await.context("connect")
}

/// Leases of an operator as leasing's events would have written them, up to so many: one block of 1,000 kW each, at 100 a kW
/// and month, commenced, for twenty years.
async fn write_leases(connection: &mut PgConnection, operator: &str, leases: u32) -> anyhow::Result<()> {
    for sql in [
        "insert into billing.billing_entity (operator_id, create_time) values ($1, now()) on conflict do nothing",
        "insert into billing.account (operator_id, account_id, tenant_id, currency_code, create_time)
             select $1, gen_random_uuid(), 'tenant-' || n, 'USD', now() from generate_series(0, 99) n
             on conflict do nothing",
        "insert into billing.lease (operator_id, lease_id, tenant_id, version, state, currency_code, last_event_id, update_time)
             select $1, 'lease-' || lpad(n::text, 7, '0'), 'tenant-' || n % 100, 1, 'ACTIVE', 'USD', gen_random_uuid(), now()
             from generate_series(1, $2) n on conflict do nothing",
        "insert into billing.lease_version (operator_id, lease_id, version, terms, event_id, create_time)
             select operator_id, lease_id, 1, jsonb_build_object(
                     'currency', 'USD', 'payment_terms_days', 30, 'escalator', null,
                     'premises', jsonb_build_array(jsonb_build_object(
                         'place', jsonb_build_object('site', 'measured', 'block', lease_id),
                         'term', jsonb_build_object('start', '2026-12-01', 'end', '2046-12-01'),
                         'quantities', jsonb_build_array(jsonb_build_object('from', '2026-12-01', 'kw', 1000)),
                         'rent', jsonb_build_object('kind', 'base', 'rate', '100')))),
                 last_event_id, now()
             from billing.lease where operator_id = $1 and $2 > 0 on conflict do nothing",
        "insert into billing.lease_block (operator_id, lease_id, site_id, block_id, state)
             select operator_id, lease_id, 'measured', lease_id, 'COMMENCED' from billing.lease
             where operator_id = $1 and $2 > 0 on conflict do nothing",
        "insert into billing.billing_run (operator_id, run_id, run_number, billing_month, state, version, create_time)
             select $1, '00000000-0000-4000-8000-000000000001', 1, '2027-01-01', 'COMPUTING', 1, now()
             where $1 = 'rows' and $2 > 0",
        "update billing.billing_run set state = 'DRAFT' where operator_id = 'rows' and $1 = 'rows' and $2 > 0",
    ] {
        let last = sql.contains("$2");
        let query = sqlx::query(sql).bind(operator);
        let query = if last { query.bind(i64::from(leases)) } else { query };
        query.execute(&mut *connection).await.context("write the leases")?;
    }
    Ok(())
}

struct Bench {
    finance: Clients,
    connection: PgConnection,
    rows: PgPool,
    /// The next month to bill, counted from year 0.
    month: usize,
}

impl Bench {
    async fn sample(&mut self, leases: u32, results: &mut Results) -> anyhow::Result<()> {
        for _ in 0..=SPARE_TRIES {
            let before = self.one_by_one().await?;
            let (per_s, drafts_milli, grown_kib) = self.run(leases).await?;
            let after = self.one_by_one().await?;
            let sample = Sample { leases, per_s, drafts_milli, rows_per_s: [before, after], grown_kib };
            if baselines_agree(sample.rows_per_s) {
                results.samples.push(sample);
                break;
            }
            results.discarded += 1;
            out::note("its baselines differ too much: once more");
        }
        Ok(())
    }

    fn next_month(&mut self) -> anyhow::Result<billing::BillingMonth> {
        let month = self.month;
        self.month += 1;
        Ok(billing::BillingMonth { year: i32::try_from(month / 12)?, month: i32::try_from(month % 12 + 1)? })
    }

    /// Invoices a second of a run through gRPC, the share of it until the drafts were there, and what memory grew by.
    #[expect(clippy::disallowed_methods, reason = "a client makes its own request ids")]
    async fn run(&mut self, leases: u32) -> anyhow::Result<(u64, u64, u64)> {
        let month = self.next_month()?;
        let weight = resident();
        let since = tokio::time::Instant::now();
        let start = billing::StartBillingRunRequest {
            parent: OPERATOR.to_owned(),
            billing_month: Some(month),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let started =
            self.finance.invoices().start_billing_run(start).await.context("start a run")?.into_inner();
        let run = started.billing_run.context("a run")?;
        let run = self.once(run, billing::BillingRunState::Draft).await?;
        let drafted = since.elapsed();
        let issue = billing::IssueBillingRunRequest {
            name: run.name.clone(),
            etag: run.etag.clone(),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let issued =
            self.finance.invoices().issue_billing_run(issue).await.context("issue the run")?.into_inner();
        let run = self.once(issued.billing_run.context("a run")?, billing::BillingRunState::Issued).await?;
        let micros = since.elapsed().as_micros().max(1);
        let grown = resident().saturating_sub(weight) / 1_024;
        ensure!(
            u32::try_from(run.issued_invoice_count) == Ok(leases) && run.problem_count == 0,
            "not every lease was billed: {run:?}"
        );
        let per_s = u64::try_from(u128::from(leases) * 1_000_000 / micros)?;
        Ok((per_s, u64::try_from(drafted.as_micros() * 1_000 / micros)?, grown))
    }

    /// The run once it is in a state.
    async fn once(
        &self,
        mut run: billing::BillingRun,
        state: billing::BillingRunState,
    ) -> anyhow::Result<billing::BillingRun> {
        while run.state() != state {
            tokio::time::sleep(ASK_EVERY).await;
            let get = billing::GetBillingRunRequest { name: run.name.clone() };
            let got =
                self.finance.invoices().get_billing_run(get).await.context("ask for the run")?.into_inner();
            run = got.billing_run.context("a run")?;
        }
        Ok(run)
    }

    /// Invoices a second, a transaction each: the rows that the service writes, with all constraints, rights and
    /// policies.
    async fn one_by_one(&mut self) -> anyhow::Result<u64> {
        let month = self.next_month()?;
        let day = format!("{:04}-{:02}-01", month.year, month.month);
        let since = tokio::time::Instant::now();
        let share = ROWS / CONNECTIONS;
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let (pool, day) = (self.rows.clone(), day.clone());
                tokio::spawn(async move {
                    let mut held = pool.acquire().await?;
                    for lease in 1 + connection * share..=(connection + 1) * share {
                        one_invoice(&mut held, &format!("lease-{lease:07}"), lease % 100, &day).await?;
                    }
                    Ok::<_, sqlx::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await?.context("write an invoice")?;
        }
        let micros = since.elapsed().as_micros().max(1);
        Ok(u64::try_from(u128::from(ROWS) * 1_000_000 / micros)?)
    }

    async fn number(&mut self, sql: &'static str) -> anyhow::Result<i64> {
        sqlx::query_scalar(sql).fetch_one(&mut self.connection).await.context("look at the books")
    }
}

/// What the service writes of one invoice, a statement a row.
const ROWS_OF_AN_INVOICE: [&str; 6] = [
    "insert into billing.invoice (operator_id, invoice_id, run_id, account_id, tenant_id, lease_id, state, period_start,
         period_end, currency_code, total_minor, line_count, payment_terms_days, version, create_time)
     values ('rows', $1, '00000000-0000-4000-8000-000000000001', $2, $3, $4, 'DRAFT', $5::date,
         ($5::date + interval '1 month')::date, 'USD', 10000000, 1, 30, 1, now())",
    "insert into billing.invoice_line (operator_id, invoice_id, line_number, lease_id, site_id, block_id, charge_type,
         period_start, period_end, days, days_in_month, quantity_kw, rate_per_kw_month, amount_minor, lease_version, item)
     select 'rows', $1, 1, $2, 'measured', $2, 'BASE_RENT', $3::date, e, e - $3::date, e - $3::date, 1000, 100, 10000000,
         1, '' from (select ($3::date + interval '1 month')::date as e) m",
    "insert into billing.ledger_transaction (operator_id, transaction_id, kind, source_id, invoice_id, entry_count,
         posting_date, description, create_time)
     values ('rows', $1, 'INVOICE_ISSUED', $1, $1, 2, current_date, 'row by row', now())",
    "insert into billing.ledger_entry (operator_id, transaction_id, entry_number, entry_id, ledger_account, account_id,
         currency_code, amount_minor)
     values ('rows', $1, $3, gen_random_uuid(), $4, $2, 'USD', $5)",
    "insert into billing.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload)
     values ('rows', gen_random_uuid(), 'invoice.issued', 'operators/rows/invoices/' || $1, $2, now(), $3)",
    "update billing.invoice set state = 'OPEN', version = 2, series = 'INV', number = $2, issue_time = now(),
         due_date = current_date + 30 where operator_id = 'rows' and invoice_id = $1",
];
const NEXT_NUMBER: &str =
    "insert into billing.number_counter as c (operator_id, series, last_number) values ('rows', 'INV', 1)
     on conflict (operator_id, series) do update set last_number = c.last_number + 1 returning last_number";
const ACCOUNT: &str = "select account_id from billing.account where operator_id = 'rows' and tenant_id = $1";

/// A draft, its posting and its event, then its number, whose lock is held to the commit only.
async fn one_invoice(
    connection: &mut PgConnection,
    lease: &str,
    tenant: u32,
    day: &str,
) -> Result<(), sqlx::Error> {
    #![expect(clippy::disallowed_methods, reason = "a client makes its own ids")]
    let (id, tenant) = (Uuid::new_v4(), format!("tenant-{tenant}"));
    let [invoice, line, transaction, entry, event, numbered] = ROWS_OF_AN_INVOICE.map(sqlx::query);
    let mut tx = connection.begin().await?;
    let account: Uuid = sqlx::query_scalar(ACCOUNT).bind(&tenant).fetch_one(&mut *tx).await?;
    let invoice = invoice.bind(id).bind(account).bind(&tenant).bind(lease).bind(day);
    invoice.execute(&mut *tx).await?;
    line.bind(id).bind(lease).bind(day).execute(&mut *tx).await?;
    transaction.bind(id).execute(&mut *tx).await?;
    let debit = entry.bind(id).bind(account).bind(1).bind("accounts_receivable").bind(10_000_000_i64);
    debit.execute(&mut *tx).await?;
    let credit = sqlx::query(ROWS_OF_AN_INVOICE[3]).bind(id).bind(account).bind(2);
    credit.bind("rent_income").bind(-10_000_000_i64).execute(&mut *tx).await?;
    event.bind(id).bind(&tenant).bind(vec![0_u8; 400]).execute(&mut *tx).await?;
    let number: i64 = sqlx::query_scalar(NEXT_NUMBER).fetch_one(&mut *tx).await?;
    numbered.bind(id).bind(number).execute(&mut *tx).await?;
    tx.commit().await
}

/// The sample of a size with the median ratio.
fn middle(results: &Results, leases: u32) -> Option<Sample> {
    let mut own: Vec<Sample> =
        results.samples.iter().filter(|sample| sample.leases == leases).copied().collect();
    own.sort_by_key(Sample::ratio_milli);
    own.get(own.len() / 2).copied()
}

fn tables(results: &Results) -> String {
    let count = |value: u64| out::grouped(i64::try_from(value).unwrap_or(i64::MAX));
    let mut text = format!(
        "{}\nBaseline: {} invoices, a transaction each, over {CONNECTIONS} connections\n",
        results.server,
        count(u64::from(ROWS))
    );
    if results.rehearsal {
        text.push_str("A REHEARSAL: these figures mean nothing.\n");
    }
    let mut rows = report::table(&[
        "Target",
        "Leases",
        "Invoices/s",
        "Drafts",
        "One by one/s",
        "Ratio",
        "To reach",
        "Stretch",
        "Grown MiB",
        "Verdict",
    ]);
    let mut sizes: Vec<u32> = results.samples.iter().map(|sample| sample.leases).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for sample in sizes.into_iter().filter_map(|leases| middle(results, leases)) {
        rows.add_row([
            "T11".to_owned(),
            count(u64::from(sample.leases)),
            count(sample.per_s),
            format!("{} %", sample.drafts_milli / 10),
            count(sample.rows_per_s.iter().sum::<u64>() / 2),
            report::milli(sample.ratio_milli()),
            report::milli(REACH),
            report::milli(STRETCH),
            count(sample.grown_kib / 1_024),
            report::judged(Some(sample.ratio_milli()), REACH, STRETCH).to_owned(),
        ]);
    }
    let _ = write!(
        text,
        "\n{}\n\nThe ledger comes to {} minor units; {} numbers are missing; {} measurement(s) discarded for baselines that differed \
         by more than half.",
        rows.trim_fmt(),
        results.ledger_minor,
        results.gaps,
        results.discarded
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_each_size_is_judged() {
        let sample = |leases, per_s| Sample {
            leases,
            per_s,
            drafts_milli: 500,
            rows_per_s: [900, 1_100],
            grown_kib: 0,
        };
        let samples = vec![sample(10, 15_100), sample(10, 1), sample(10, 40_000), sample(20, 14_900)];
        let results = Results { samples, ..Results::default() };
        assert_eq!(middle(&results, 10).map(|s| s.ratio_milli()), Some(15_100));
        let text = tables(&results);
        assert!(text.contains(" reached") && text.contains("NOT reached"), "{text}");
    }
}
