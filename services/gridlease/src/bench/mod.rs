//! `gridlease bench`: what is promised of speed, measured. `search` has its own file; the rest is
//! `gridlease bench booking`: durable bookings a second through gRPC, as ratios to bare INSERTs on the same Postgres.
//!
//! Only a ratio to a baseline taken right before and right after means anything, so each figure has its own two, and a
//! round whose two differ by more than half is thrown away.

mod baseline;
mod load;
mod report;
pub mod search;
mod sound;

use std::process::ExitCode;

use anyhow::ensure;
use serde::Serialize;

use crate::cli::{BenchBooking, Ports};
use crate::commands::refuse_production;
use crate::out;
use crate::stack::{Home, Options, Stack, data_dir, unless_ended};

use baseline::Baseline;
use load::{Bench, Measured};
pub use search::search;

/// How many call at once.
const CLIENTS: [usize; 3] = [1, 16, 64];
/// Blocks that the spread load books on.
const BLOCKS: usize = 1_000;
/// A round is thrown away when the larger of its baselines is more than this many thousandths of the smaller.
const BASELINES_APART_MILLI: u64 = 1_500;
/// Rounds that may be thrown away before the bench gives up.
const SPARE_ROUNDS: u32 = 3;

/// Where the bookings go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// All on one block.
    HotBlock,
    /// Each on one of a thousand blocks.
    ThousandBlocks,
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
        let both: u64 = self.baselines_per_s.iter().sum();
        self.measured.per_s * 2_000 / both.max(1)
    }
}

/// Bookings on a block with many claims, per booking on one with few, in thousandths.
#[derive(Clone, Debug, Serialize)]
pub struct Depth {
    /// Bookings a second where about 100 claims lie.
    pub shallow_per_s: u64,
    /// Bookings a second where 10,000 claims lie.
    pub deep_per_s: u64,
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
    /// One per round.
    pub depths: Vec<Depth>,
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
    out::note("starting Postgres and inventory");
    let Some(stack) = unless_ended(Stack::start(options)).await? else { return Ok(ExitCode::FAILURE) };
    let measured = unless_ended(measure(&arguments, &stack)).await;
    stack.stop().await;
    let Some(results) = measured? else { return Ok(ExitCode::FAILURE) };
    out::say(if arguments.json { serde_json::to_string_pretty(&results)? } else { report::tables(&results) });
    Ok(if results.samples.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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

async fn measure(arguments: &BenchBooking, stack: &Stack) -> anyhow::Result<Results> {
    let server = sound::check(stack.database_url(), arguments.rehearse).await?;
    let (rounds, seconds) = if arguments.quick { (1, 2) } else { (arguments.rounds, arguments.seconds) };
    let seconds = u64::from(seconds);
    let baseline = Baseline::prepare(stack.database_url(), seconds).await?;
    let mut bench = Bench::prepare(stack, BLOCKS).await?;
    let mut results =
        Results { rehearsal: arguments.rehearse, server, baseline: baseline.name(), ..Default::default() };
    let mut spare = SPARE_ROUNDS;
    let mut round = 0;
    while round < rounds {
        out::note(format!("round {} of {rounds}", round + 1));
        let samples = one_round(&mut bench, &baseline, seconds).await?;
        let (sound, loose): (Vec<_>, Vec<_>) = samples.into_iter().partition(baselines_agree);
        let again = !loose.is_empty() && spare > 0;
        results.discarded += loose.len();
        results.samples.extend(sound);
        if again {
            // What was sound counts; the round is repeated for what was not.
            spare -= 1;
            out::note("its baselines differ too much: once more");
            continue;
        }
        results.depths.push(bench.depth().await?);
        round += 1;
    }
    Ok(results)
}

async fn one_round(bench: &mut Bench, baseline: &Baseline, seconds: u64) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for clients in CLIENTS {
        let mut before = baseline.run(clients).await?;
        for target in [Target::HotBlock, Target::ThousandBlocks] {
            let measured = bench.run(target, clients, seconds).await?;
            let after = baseline.run(clients).await?;
            samples.push(Sample { target, clients, measured, baselines_per_s: [before, after] });
            before = after;
        }
    }
    Ok(samples)
}

fn baselines_agree(sample: &Sample) -> bool {
    let [a, b] = sample.baselines_per_s;
    a.max(b) * 1_000 <= a.min(b) * BASELINES_APART_MILLI
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(baselines_agree(&sample(1, [1_000, 1_500])));
        assert!(!baselines_agree(&sample(1, [1_501, 1_000])));
        assert!(!baselines_agree(&sample(1, [0, 10])));
    }
}
