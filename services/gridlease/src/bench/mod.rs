//! `gridlease bench`: what is promised of speed, measured. `billing`, `ingest` and `search` have files of their own; the rest is
//! `gridlease bench booking`: durable bookings a second through gRPC, as ratios to bare INSERTs on the same Postgres.
//!
//! Only a ratio to a baseline taken right before and right after means anything, so each figure has its own two, and a
//! round whose two differ by more than half is thrown away.

pub mod arguments;
mod baseline;
pub mod billing;
pub mod ingest;
mod load;
mod report;
pub mod search;
mod sound;

use std::process::ExitCode;

use anyhow::ensure;
use serde::Serialize;

use crate::cli::Ports;
use crate::commands::refuse_production;
use crate::out;
use crate::stack::{Home, Options, Stack, data_dir, unless_ended};

use arguments::BenchBooking;
use baseline::Baseline;
pub use billing::billing;
pub use ingest::ingest;
use load::{Bench, Measured};
pub use search::search;

/// What is measured in a round, in this order: where, and how many call at once. Neighbours share a baseline.
const CASES: [(Target, usize); 10] = [
    (Target::HotBlock, 1),
    (Target::ThousandBlocks, 1),
    (Target::HotBlock, 16),
    (Target::ThousandBlocks, 16),
    (Target::HotBlock, 64),
    (Target::ThousandBlocks, 64),
    (Target::HotBlock, 256),
    (Target::ThousandBlocks, 256),
    (Target::TwoReplicasHot, 64),
    (Target::TwoReplicasZipf, 64),
];
/// Clients of a baseline at most: what more of them wait for is the commit, as 64 do.
const BASELINE_CLIENTS_MAX: usize = 64;
/// Blocks that the spread load books on.
const BLOCKS: usize = 1_000;
/// A measurement is thrown away when the larger of its baselines is more than this many thousandths of the smaller.
const BASELINES_APART_MILLI: u64 = 1_500;
/// How often a measurement is tried again for that.
const SPARE_TRIES: u32 = 3;

/// Where the bookings go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// All on one block.
    HotBlock,
    /// Each on one of a thousand blocks.
    ThousandBlocks,
    /// All on one block, each call through either of two replicas.
    TwoReplicasHot,
    /// On a thousand blocks, the n-th n times less often than the first, each call through either of two replicas.
    TwoReplicasZipf,
}

impl Target {
    fn two_replicas(self) -> bool {
        matches!(self, Self::TwoReplicasHot | Self::TwoReplicasZipf)
    }
}

/// One measurement between two baselines.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// Where the bookings went.
    pub target: Target,
    /// How many called at once.
    pub clients: usize,
    /// What was measured.
    pub measured: Measured,
    /// INSERTs a second right before and right after.
    pub baselines_per_s: [u64; 2],
}

impl Sample {
    /// Bookings per INSERT, in thousandths.
    #[must_use]
    pub fn ratio_milli(&self) -> u64 {
        ratio_milli(self.measured.per_s, self.baselines_per_s)
    }
}

/// How fast a block is booked that has so many claims already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// Claims that lie on the block.
    pub claims: u64,
    /// Bookings a second.
    pub per_s: u64,
}

/// Everything measured.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// A rehearsal proves nothing.
    pub rehearsal: bool,
    /// Version and settings of the server.
    pub server: String,
    /// What made the baselines.
    pub baseline: String,
    /// Every sample that counts.
    pub samples: Vec<Sample>,
    /// Samples thrown away for their baselines.
    pub discarded: usize,
    /// Rounds that were made.
    pub rounds: u32,
    /// One list per round, the same bookings on blocks that are more and more full.
    pub depths: Vec<Vec<Depth>>,
    /// Instants at which a block was promised twice, as the auditor counts them afterwards. Anything but 0 is a bug.
    pub oversold: i64,
}

/// Measures and reports.
///
/// # Errors
/// A build or a server whose figures would mean nothing; anything that fails on the way.
pub async fn booking(arguments: BenchBooking) -> anyhow::Result<ExitCode> {
    may_measure(arguments.rehearse)?;
    let data = data_dir(arguments.data_dir.clone())?;
    let options = Options {
        database_url: arguments.database.database_url.clone(),
        home: Home::thrown_away_in(&data, "bench", arguments.database.database_url.is_none())?,
        ports: Ports::FREE,
        test_clock: None,
        inventory_only: true,
    };
    let cases = cases(&arguments.only);
    out::note("starting Postgres and inventory");
    let Some(mut stack) = unless_ended(Stack::start(options)).await? else { return Ok(ExitCode::FAILURE) };
    let measured = unless_ended(measure(&arguments, &cases, &mut stack)).await;
    stack.stop().await;
    let Some(results) = measured? else { return Ok(ExitCode::FAILURE) };
    out::say(if arguments.json { serde_json::to_string_pretty(&results)? } else { report::tables(&results) });
    let sound = results.oversold == 0 && !(results.samples.is_empty() && results.depths.is_empty());
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Refuses a build and a place whose figures would mean nothing.
fn may_measure(rehearse: bool) -> anyhow::Result<()> {
    refuse_production("`gridlease bench`")?;
    ensure!(
        rehearse || !cfg!(debug_assertions),
        "this is a debug build, whose figures mean nothing: cargo run --release -- bench"
    );
    Ok(())
}

/// Whether a target is asked for; all are if none is named.
fn wants(only: &[String], name: &str) -> bool {
    only.is_empty() || only.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
}

/// The cases to measure: those that the named targets are judged by, or all.
fn cases(only: &[String]) -> Vec<(Target, usize)> {
    let judged = |case: &(Target, usize)| {
        report::GOALS.iter().any(|goal| goal.cases.contains(case) && wants(only, goal.name))
    };
    CASES.into_iter().filter(|case| only.is_empty() || judged(case)).collect()
}

async fn measure(
    arguments: &BenchBooking,
    cases: &[(Target, usize)],
    stack: &mut Stack,
) -> anyhow::Result<Results> {
    let server = sound::check(stack.database_url(), arguments.rehearse).await?;
    let (rounds, seconds) = if arguments.quick { (1, 2) } else { (arguments.rounds, arguments.seconds) };
    let baseline = Baseline::prepare(stack.database_url(), u64::from(seconds)).await?;
    let mut bench = Bench::prepare(stack, if arguments.rehearse { BLOCKS / 50 } else { BLOCKS }).await?;
    sound::settle(stack.database_url(), arguments.rehearse).await?;
    let mut results = Results {
        rehearsal: arguments.rehearse,
        rounds,
        server,
        baseline: baseline.name(),
        ..Default::default()
    };
    let (two, one): (Vec<_>, Vec<_>) = cases.iter().copied().partition(|case| case.0.two_replicas());
    for round in 1..=rounds {
        out::note(format!("round {round} of {rounds}"));
        one_round(&mut bench, &baseline, &one, &mut results).await?;
        if wants(&arguments.only, report::DEPTH.name) {
            results.depths.push(bench.depths().await?);
        }
    }
    if !two.is_empty() {
        bench.add_replica(stack.add_inventory().await?).await?;
    }
    for round in 1..=rounds {
        out::note(format!("round {round} of {rounds} with two replicas"));
        one_round(&mut bench, &baseline, &two, &mut results).await?;
    }
    results.oversold = sound::oversold(stack.database_url()).await?;
    Ok(results)
}

/// Each case once, between two baselines; again where these differ too much, a few times.
async fn one_round(
    bench: &mut Bench,
    baseline: &Baseline,
    cases: &[(Target, usize)],
    results: &mut Results,
) -> anyhow::Result<()> {
    let mut last: Option<(usize, u64)> = None;
    for &(target, clients) in cases {
        let base_clients = clients.min(BASELINE_CLIENTS_MAX);
        for _ in 0..=SPARE_TRIES {
            let before = match last {
                Some((clients, per_s)) if clients == base_clients => per_s,
                _ => baseline.run(base_clients).await?,
            };
            let measured = bench.run(target, clients, baseline.seconds()).await?;
            let after = baseline.run(base_clients).await?;
            last = Some((base_clients, after));
            let sample = Sample { target, clients, measured, baselines_per_s: [before, after] };
            if baselines_agree(sample.baselines_per_s) {
                results.samples.push(sample);
                break;
            }
            results.discarded += 1;
            out::note("its baselines differ too much: once more");
        }
    }
    Ok(())
}

/// What was measured over the mean of its baselines, in thousandths.
fn ratio_milli(per_s: u64, baselines_per_s: [u64; 2]) -> u64 {
    per_s * 2_000 / baselines_per_s.iter().sum::<u64>().max(1)
}

/// Whether two baselines are near enough to each other that what lies between them counts.
fn baselines_agree([a, b]: [u64; 2]) -> bool {
    a.max(b) * 1_000 <= a.min(b) * BASELINES_APART_MILLI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_its_cases() {
        assert_eq!(cases(&[]).len(), CASES.len());
        let only = |name: &str| cases(&[name.to_owned()]);
        assert_eq!(only("t2"), [(Target::ThousandBlocks, 256)]);
        assert_eq!(only("T5"), [(Target::TwoReplicasHot, 64), (Target::TwoReplicasZipf, 64)]);
        assert_eq!(only("T6"), []);
        for goal in report::GOALS {
            assert!(goal.cases.iter().all(|case| CASES.contains(case)), "{} is never measured", goal.name);
        }
    }

    fn sample(per_s: u64, baselines_per_s: [u64; 2]) -> Sample {
        let measured = Measured { bookings: 0, per_s, p50_us: 0, p99_us: 0 };
        Sample { target: Target::HotBlock, clients: 1, measured, baselines_per_s }
    }

    #[test]
    fn a_ratio_is_to_the_mean_of_its_baselines() {
        assert_eq!(sample(600, [1_000, 1_400]).ratio_milli(), 500);
        assert_eq!(sample(600, [0, 0]).ratio_milli(), 1_200_000);
    }

    #[test]
    fn baselines_that_differ_by_more_than_half_do_not_count() {
        assert!(baselines_agree([1_000, 1_500]));
        assert!(!baselines_agree([1_501, 1_000]));
        assert!(!baselines_agree([0, 10]));
    }
}
