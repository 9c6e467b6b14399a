//! Rolling restarts of everything, by the chart's own rules, under load: no request fails.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use integration_tests::Installation;
use integration_tests::database::node;
use integration_tests::installation::{Leaving, SERVICES, is_possible};

use crate::load::{Load, Patience};

const REPLICAS: usize = 2;
/// How long balancers go on sending new connections to a replica that was told to stop; the chart's linger is longer.
const LATE: Duration = Duration::from_secs(3);
/// How often everything is rolled, each time all replicas of all services; by GRIDLEASE_ROLLING_RESTARTS more.
const ROLLS: u32 = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_notices_that_everything_is_restarted() -> Result<()> {
    if !is_possible() {
        return Ok(());
    }
    let rolls = std::env::var("GRIDLEASE_ROLLING_RESTARTS").ok().and_then(|text| text.parse().ok());
    let mut installation = Installation::start(REPLICAS).await?;
    let load = Load::start(&installation, Patience::None).await?;
    let (mut restarted, mut longest) = (0, Duration::ZERO);
    for _ in 0..rolls.unwrap_or(ROLLS) {
        longest = longest.max(roll(&mut installation, &mut restarted).await?);
    }
    ends_well(load, &installation, &format!("{restarted} restarts, the longest end {longest:?}")).await
}

/// The version before meets the schema of this one, then both run side by side, then this one alone; and back again. It is the
/// `node` program that GRIDLEASE_PREVIOUS_NODE names.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_notices_an_upgrade_and_its_rollback() -> Result<()> {
    let Some(previous) = std::env::var_os("GRIDLEASE_PREVIOUS_NODE").map(PathBuf::from) else {
        eprintln!("not run: GRIDLEASE_PREVIOUS_NODE names no program of the version before");
        return Ok(());
    };
    if !is_possible() {
        return Ok(());
    }
    let mut installation = Installation::start_of(previous.clone(), REPLICAS).await?;
    let load = Load::start(&installation, Patience::None).await?;
    let mut restarted = 0;
    for program in [node()?, previous] {
        installation.runs(program);
        roll(&mut installation, &mut restarted).await?;
    }
    ends_well(load, &installation, &format!("{restarted} restarts, there and back")).await
}

/// Rolls everything; says how long the last of them took to end.
async fn roll(installation: &mut Installation, restarted: &mut u32) -> Result<Duration> {
    let mut longest = Duration::ZERO;
    let mut leaving = Leaving::new();
    for service in SERVICES {
        installation.roll(service, LATE, &mut leaving).await?;
    }
    while let Some(ended) = leaving.join_next().await {
        longest = longest.max(ended??);
        *restarted += 1;
    }
    Ok(longest)
}

/// No request failed, and everything that was acknowledged is there.
#[expect(clippy::print_stderr, reason = "whoever runs the test sees what it did")]
async fn ends_well(load: Load, installation: &Installation, what: &str) -> Result<()> {
    let (tally, lasted) = load.end().await?;
    eprintln!(
        "{what} in {lasted:?}: {} calls answered, {} sent anew, {} failed",
        tally.answered,
        tally.sent_anew,
        tally.failed.len()
    );
    ensure!(
        tally.failed.is_empty(),
        "{} failed: {:#?}",
        tally.failed.len(),
        &tally.failed[..tally.failed.len().min(8)]
    );
    ensure!(tally.answered > 500 && tally.leases.len() > 1, "that was no load: {}", tally.answered);
    tally.is_stored(installation).await
}
