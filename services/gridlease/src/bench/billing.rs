//! `gridlease bench billing`: invoices a second of a billing run from its start to its last number, beside a program that
//! writes one invoice a transaction over eight connections.

mod rows;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use contracts::billing::v1 as billing;
use kernel::{Organisation, Role};
use prost::Message as _;
use serde::Serialize;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use uuid::Uuid;

use self::rows::{CONNECTIONS, ROWS, Rows, write_leases};
use super::arguments::BenchBilling;
use super::search::resident;
use super::{SPARE_TRIES, baselines_agree, may_measure, ratio_milli, report, sound};
use crate::cli::Ports;
use crate::clients::Clients;
use crate::out;
use crate::stack::{Home, Options, Stack, data_dir, unless_ended};

const OPERATOR: &str = "operators/bench";
/// The first month billed; each measurement bills another.
const FIRST_MONTH: usize = 2027 * 12;
/// Invoices a second over the baseline, in thousandths: what to reach, and what would be better.
const REACH: u64 = 15_000;
const STRETCH: u64 = 30_000;
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
    let finance = stack.channels()?.caller(&token)?;
    let watch = billing::WatchEventsRequest {
        kinds: vec!["billing_run.computed".to_owned(), "billing_run.issued".to_owned()],
        ..Default::default()
    };
    let told = finance.billing_events().watch_events(watch).await.context("watch the runs")?.into_inner();
    let mut bench = Bench {
        finance,
        told,
        connection: options.connect().await?,
        rows: Rows::connect(options).await?,
        month: FIRST_MONTH,
    };
    write_leases(&mut bench.connection, "rows", ROWS).await?;
    let mut results = Results { rehearsal: arguments.rehearse, server, ..Results::default() };
    for leases in sizes {
        out::note(format!("{leases} leases"));
        write_leases(&mut bench.connection, "bench", leases).await?;
        // A first time that does not count, and the tables counted after it: a plan that was made for an empty table, also of
        // a foreign key, reads the whole of it until then.
        let month = bench.next_month()?;
        bench.rows.per_s(month).await?;
        bench.run(leases).await?;
        sound::settle(stack.database_url(), arguments.rehearse).await?;
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

struct Bench {
    finance: Clients,
    /// What becomes of runs, as the feed tells it: to ask how far a run is counts all of it that is done.
    told: tonic::Streaming<billing::WatchEventsResponse>,
    connection: PgConnection,
    rows: Rows,
    /// The next month to bill, counted from year 0.
    month: usize,
}

impl Bench {
    async fn sample(&mut self, leases: u32, results: &mut Results) -> anyhow::Result<()> {
        for _ in 0..=SPARE_TRIES {
            let months = (self.next_month()?, self.next_month()?);
            let before = self.rows.per_s(months.0).await?;
            let (per_s, drafts_milli, grown_kib) = self.run(leases).await?;
            let after = self.rows.per_s(months.1).await?;
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
        &mut self,
        mut run: billing::BillingRun,
        state: billing::BillingRunState,
    ) -> anyhow::Result<billing::BillingRun> {
        while run.state() != state {
            let told = self.told.message().await.context("hear of the run")?.context("the feed has ended")?;
            if let Some(event) = told.event.filter(|event| event.subject == run.name) {
                run = billing::BillingRun::decode(&*event.data.unwrap_or_default().value)?;
            }
        }
        Ok(run)
    }

    async fn number(&mut self, sql: &'static str) -> anyhow::Result<i64> {
        sqlx::query_scalar(sql).fetch_one(&mut self.connection).await.context("look at the books")
    }
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
