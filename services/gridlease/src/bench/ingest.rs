//! `gridlease bench ingest`: readings a second through the gRPC stream, beside COPY of as many rows into the same table.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use contracts::billing::v1 as billing;
use contracts::google::r#type::Date;
use kernel::{Instant, Organisation, Role};
use serde::Serialize;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use uuid::Uuid;

use super::arguments::BenchIngest;
use super::{SPARE_TRIES, baselines_agree, may_measure, ratio_milli, report, sound, wants};
use crate::cli::Ports;
use crate::clients::Clients;
use crate::out;
use crate::stack::{Home, Options, Stack, data_dir, unless_ended};

const OPERATOR: &str = "operators/bench";
/// Meters of a measurement; ten of them share a message.
const METERS: usize = 100;
const METERS_A_MESSAGE: usize = 10;
/// Quarter-hours of a day: what a message carries of each meter.
const DAY: usize = 96;
/// Readings that a message with duplicates repeats of the day before: one in a hundred.
const REPEATED: usize = 10;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Every reading once.
    Once,
    /// One in a hundred again, a day later.
    SomeTwice,
}

/// Each target: its name, what is sent, what to reach and what would be better, in thousandths of COPY.
const TARGETS: [(&str, Sent, u64, u64); 2] =
    [("T9", Sent::Once, 700, 900), ("T10", Sent::SomeTwice, 500, 700)];

/// One measurement between two baselines.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// What was sent.
    pub sent: Sent,
    /// Readings a second, from the first message to the answer.
    pub per_s: u64,
    /// Rows that COPY wrote a second, right before and right after.
    pub copied_per_s: [u64; 2],
}

impl Sample {
    /// Readings per copied row, in thousandths.
    #[must_use]
    pub fn ratio_milli(&self) -> u64 {
        ratio_milli(self.per_s, self.copied_per_s)
    }
}

/// Everything measured.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// A rehearsal proves nothing.
    pub rehearsal: bool,
    /// Version and settings of the server.
    pub server: String,
    /// Readings of a measurement.
    pub readings: usize,
    /// Every sample that counts.
    pub samples: Vec<Sample>,
    /// Samples thrown away for their baselines.
    pub discarded: usize,
}

/// Measures and reports.
///
/// # Errors
/// A build or a server whose figures would mean nothing; anything that fails on the way.
pub async fn ingest(arguments: BenchIngest) -> anyhow::Result<ExitCode> {
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
    Ok(if results.samples.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn measure(arguments: &BenchIngest, stack: &Stack) -> anyhow::Result<Results> {
    let server = sound::check(stack.database_url(), arguments.rehearse).await?;
    let days = usize::try_from(if arguments.quick { 10 } else { arguments.days })?;
    let rounds = if arguments.quick { 1 } else { arguments.rounds };
    let organisation: Organisation = OPERATOR.parse()?;
    let token =
        stack.issuer().mint("bench", &organisation, &[Role::SiteOps], Duration::from_secs(24 * 3_600))?;
    let options: sqlx::postgres::PgConnectOptions = stack.database_url().parse()?;
    let connection = options.disable_statement_logging().connect().await?;
    let mut bench = Bench { ops: stack.channels()?.caller(&token)?, connection, days, made: 0 };
    bench.open_months().await?;
    sound::settle(stack.database_url(), arguments.rehearse).await?;
    // A first time that does not count: plans, pages and connections are warm afterwards.
    bench.copy().await?;
    bench.send(Sent::SomeTwice).await?;
    let mut results = Results {
        rehearsal: arguments.rehearse,
        server,
        readings: METERS * DAY * days,
        ..Results::default()
    };
    for round in 1..=rounds {
        out::note(format!("round {round} of {rounds}"));
        for (name, sent, ..) in TARGETS.into_iter().filter(|target| wants(&arguments.only, target.0)) {
            bench.sample(name, sent, &mut results).await?;
        }
    }
    bench.connection.close().await?;
    Ok(results)
}

struct Bench {
    ops: Clients,
    connection: PgConnection,
    days: usize,
    /// Measurements so far: each has meters of its own.
    made: usize,
}

impl Bench {
    async fn sample(&mut self, name: &str, sent: Sent, results: &mut Results) -> anyhow::Result<()> {
        for _ in 0..=SPARE_TRIES {
            let before = self.copy().await?;
            let per_s = self.send(sent).await?;
            let after = self.copy().await?;
            let sample = Sample { sent, per_s, copied_per_s: [before, after] };
            if baselines_agree(sample.copied_per_s) {
                results.samples.push(sample);
                break;
            }
            results.discarded += 1;
            out::note(format!("{name}: its baselines differ too much: once more"));
        }
        Ok(())
    }

    fn per_s(&self, since: tokio::time::Instant) -> u64 {
        let readings = u64::try_from(METERS * DAY * self.days).unwrap_or(0);
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        readings * 1_000_000 / micros
    }

    /// The partitions that readings would make.
    async fn open_months(&mut self) -> anyhow::Result<()> {
        for day in 0..self.days {
            sqlx::query("select billing.open_reading_month($1::timestamptz::date)")
                .bind(start(day)?)
                .execute(&mut self.connection)
                .await
                .context("make the partitions")?;
        }
        Ok(())
    }

    /// Rows a second by COPY, in one statement, as superuser: no row security, no sums, nobody asks twice.
    async fn copy(&mut self) -> anyhow::Result<u64> {
        self.made += 1;
        let mut chunks = Vec::new();
        for day in 0..self.days {
            let mut text = String::new();
            for meter in 0..METERS {
                let id = meter_id(self.made, meter);
                let mut at = start(day)?;
                for interval in 0..DAY {
                    let energy = energy_wh(interval);
                    writeln!(text, "bench\t{id}\t{at}\t{energy}\t0\tf\t1\t2026-06-01 00:00:00+00")?;
                    at += chrono::TimeDelta::minutes(15);
                }
            }
            chunks.push(text);
        }
        let sql = "copy billing.reading (operator_id, meter_id, start_time, energy_wh, revision, estimated, batch, \
                   receive_time) from stdin";
        let since = tokio::time::Instant::now();
        let mut copy = self.connection.copy_in_raw(sql).await.context("begin COPY")?;
        for chunk in chunks {
            copy.send(chunk.as_bytes()).await.context("COPY")?;
        }
        copy.finish().await.context("end COPY")?;
        Ok(self.per_s(since))
    }

    /// Readings a second through the stream, from its first message to its answer.
    async fn send(&mut self, sent: Sent) -> anyhow::Result<u64> {
        self.made += 1;
        for meter in 0..METERS {
            let create = create_meter(&meter_id(self.made, meter));
            self.ops.meters().create_meter(create).await.context("create a meter")?;
        }
        let mut messages = Vec::new();
        for day in 0..self.days {
            for first in (0..METERS).step_by(METERS_A_MESSAGE) {
                messages.push(self.message(sent, day, first)?);
            }
        }
        let repeated = match sent {
            Sent::Once => 0,
            Sent::SomeTwice => REPEATED * (self.days - 1) * METERS / METERS_A_MESSAGE,
        };
        let since = tokio::time::Instant::now();
        let answer = self.ops.meters().ingest_readings(tokio_stream::iter(messages)).await;
        let answer = answer.context("send readings")?.into_inner();
        let per_s = self.per_s(since);
        let readings = i64::try_from(METERS * DAY * self.days)?;
        let duplicates = i64::try_from(repeated)?;
        ensure!(
            (answer.new_count, answer.duplicate_count, answer.conflict_count) == (readings, duplicates, 0),
            "readings were not counted once each: {answer:?}"
        );
        Ok(per_s)
    }

    /// A day of ten meters; with duplicates, also some readings of the day before.
    fn message(
        &self,
        sent: Sent,
        day: usize,
        first: usize,
    ) -> anyhow::Result<billing::IngestReadingsRequest> {
        let series = |meter: usize, day: usize, intervals: usize| {
            anyhow::Ok(billing::ReadingSeries {
                meter: format!("{OPERATOR}/meters/{}", meter_id(self.made, meter)),
                start_time: Some(runtime::wire::to_timestamp(start(day)?)),
                energy_wh: (0..intervals).map(energy_wh).collect(),
                revision: 0,
                estimated: false,
            })
        };
        let meters = first..first + METERS_A_MESSAGE;
        let mut all = meters.map(|meter| series(meter, day, DAY)).collect::<anyhow::Result<Vec<_>>>()?;
        if sent == Sent::SomeTwice && day > 0 {
            all.push(series(first, day - 1, REPEATED)?);
        }
        Ok(billing::IngestReadingsRequest { parent: OPERATOR.to_owned(), series: all, validate_only: false })
    }
}

/// Midnight of a day of the measured time.
fn start(day: usize) -> anyhow::Result<Instant> {
    let first: Instant = "2025-01-01T00:00:00Z".parse()?;
    Ok(first + chrono::TimeDelta::days(i64::try_from(day)?))
}

fn meter_id(made: usize, meter: usize) -> String {
    format!("meter-{made:03}-{meter:03}")
}

fn energy_wh(interval: usize) -> i64 {
    9_700_000 + i64::try_from(interval).unwrap_or(0) * 1_000
}

#[expect(clippy::disallowed_methods, reason = "a client makes its own request ids")]
fn create_meter(id: &str) -> billing::CreateMeterRequest {
    billing::CreateMeterRequest {
        parent: OPERATOR.to_owned(),
        meter_id: id.to_owned(),
        meter: Some(billing::Meter {
            display_name: id.to_owned(),
            kind: billing::MeterKind::Block.into(),
            site: format!("{OPERATOR}/sites/measured"),
            block: format!("{OPERATOR}/sites/measured/blocks/hall"),
            time_zone: "America/Chicago".to_owned(),
            interval_minutes: 15,
            max_kw: 50_000,
            install_date: Some(Date { year: 2024, month: 1, day: 1 }),
            ..Default::default()
        }),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

/// The sample with the median ratio.
fn middle(results: &Results, sent: Sent) -> Option<Sample> {
    let mut own: Vec<Sample> = results.samples.iter().filter(|sample| sample.sent == sent).copied().collect();
    own.sort_by_key(Sample::ratio_milli);
    own.get(own.len() / 2).copied()
}

fn tables(results: &Results) -> String {
    let count = |value: u64| out::grouped(i64::try_from(value).unwrap_or(i64::MAX));
    let mut text = format!("{}\nBaseline: COPY of as many rows into the same table\n", results.server);
    if results.rehearsal {
        text.push_str("A REHEARSAL: these figures mean nothing.\n");
    }
    let mut rows = report::table(&[
        "Target",
        "What",
        "Readings/s",
        "COPY rows/s",
        "Ratio",
        "To reach",
        "Stretch",
        "Verdict",
    ]);
    for (name, sent, reach, stretch) in TARGETS {
        let what = match sent {
            Sent::Once => "no duplicates",
            Sent::SomeTwice => "1 % duplicates",
        };
        let sample = middle(results, sent);
        let verdict = report::judged(sample.map(|sample| sample.ratio_milli()), reach, stretch);
        let or_dash = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
        rows.add_row([
            name.to_owned(),
            what.to_owned(),
            or_dash(sample.map(|s| count(s.per_s))),
            or_dash(sample.map(|s| count(s.copied_per_s.iter().sum::<u64>() / 2))),
            or_dash(sample.map(|s| report::milli(s.ratio_milli()))),
            report::milli(reach),
            report::milli(stretch),
            verdict.to_owned(),
        ]);
    }
    let _ = write!(
        text,
        "\n{}\n\n{} readings a measurement; {} measurement(s) discarded for baselines that differed by more than half.",
        rows.trim_fmt(),
        count(u64::try_from(results.readings).unwrap_or(0)),
        results.discarded
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_judged_beside_the_mean_of_its_baselines() {
        let sample = |per_s| Sample { sent: Sent::Once, per_s, copied_per_s: [900, 1_100] };
        let results = Results { samples: [710, 990, 100].map(sample).to_vec(), ..Results::default() };
        assert_eq!(middle(&results, Sent::Once).map(|s| s.ratio_milli()), Some(710));
        let text = tables(&results);
        assert!(text.contains("reached") && text.contains("not measured"), "{text}");
        assert!(!baselines_agree([1_000, 1_501]));
    }
}
