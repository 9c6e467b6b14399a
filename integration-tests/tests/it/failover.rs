//! The store goes away and comes back, under load: restarted, lost and failed over to its standby, gone without a word.
//! Nothing that was acknowledged is lost, and nobody restarts a service.

use std::time::Duration;

use anyhow::{Result, ensure};
use integration_tests::Installation;
use integration_tests::installation::{Replica, SERVICES, is_possible};
use tokio::time::Instant;

use crate::load::{Load, Patience};

const REPLICAS: usize = 2;
/// From the loss of the store until everybody books again.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// From the loss of the store until a replica says that it is not ready, and from its return until it says that it is: two
/// seconds and five, and as much for a machine that is busy; then as much again, for all wait for new connections.
const TOLD_WITHIN: Duration = Duration::from_secs(4);
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long a cluster takes to see that its primary is gone and to agree on another.
const ELECTION: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_is_restarted_and_fails_over_and_loses_nothing() -> Result<()> {
    if !is_possible() {
        return Ok(());
    }
    let (installation, processes, load) = under_load().await?;

    let gone = Instant::now();
    installation.store.stop()?;
    let told = readiness_is(&installation, false, gone, TOLD_WITHIN).await?;
    installation.store.start_again()?;
    let back = Instant::now();
    let ready = readiness_is(&installation, true, back, READY_WITHIN).await?;
    let restarted = load.all_book_since(back, BACK_WITHIN).await?;
    eprintln!(
        "restart: not ready after {told:?}, ready {ready:?} and all booking {restarted:?} after its return"
    );

    let gone = Instant::now();
    installation.store.kill_primary()?;
    readiness_is(&installation, false, gone, TOLD_WITHIN).await?;
    tokio::time::sleep_until(gone + ELECTION).await;
    installation.store.promote()?;
    let promoted = gone.elapsed();
    let failed_over = load.all_book_since(gone + promoted, BACK_WITHIN - promoted).await? + promoted;
    readiness_is(&installation, true, gone + promoted, READY_WITHIN).await?;
    eprintln!("failover: promoted after {promoted:?}, all booking after {failed_over:?}");

    ends_well(load, &installation, &processes).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_that_vanishes_without_a_word_is_noticed_and_nothing_is_lost() -> Result<()> {
    if !is_possible() {
        return Ok(());
    }
    let (installation, processes, load) = under_load().await?;

    let gone = Instant::now();
    installation.store.lose_primary()?;
    let told = readiness_is(&installation, false, gone, TOLD_WITHIN).await?;
    tokio::time::sleep_until(gone + ELECTION).await;
    installation.store.promote()?;
    let promoted = gone.elapsed();
    let back = load.all_book_since(gone + promoted, BACK_WITHIN - promoted).await? + promoted;
    let ready = readiness_is(&installation, true, gone + promoted, READY_WITHIN).await? + promoted;
    eprintln!(
        "silence: not ready after {told:?}, promoted {promoted:?}, ready {ready:?}, all booking {back:?}"
    );
    // Every pool is whole again: nobody waits for a connection that a silent one keeps.
    tokio::time::sleep(BACK_WITHIN).await;
    load.all_book_since(Instant::now(), TOLD_WITHIN).await?;

    ends_well(load, &installation, &processes).await
}

/// An installation on which everybody books, with the processes that it consists of.
async fn under_load() -> Result<(Installation, Vec<u32>, Load)> {
    let installation = Installation::start(REPLICAS).await?;
    let processes = processes(&installation);
    let load = Load::start(&installation, Patience::For(Duration::from_secs(60))).await?;
    load.all_book_since(Instant::now(), BACK_WITHIN).await?;
    Ok((installation, processes, load))
}

/// Nothing failed in the end, all that was acknowledged is there, and no process is another.
#[expect(clippy::print_stderr, reason = "whoever runs the test sees what it did")]
async fn ends_well(load: Load, installation: &Installation, processes: &[u32]) -> Result<()> {
    let (tally, lasted) = load.end().await?;
    eprintln!("{} calls answered in {lasted:?}, {} repeated", tally.answered, tally.repeated);
    ensure!(tally.failed.is_empty(), "{} failed: {:#?}", tally.failed.len(), tally.failed.first());
    ensure!(tally.repeated > 0 && tally.held.len() > 24, "that was no load: {} holds", tally.held.len());
    ensure!(*processes == self::processes(installation), "a service was restarted");
    tally.is_stored(installation).await
}

fn processes(installation: &Installation) -> Vec<u32> {
    SERVICES.iter().flat_map(|service| installation.replicas(service)).map(Replica::id).collect()
}

/// Waits until every replica says so, while all of them live, and says how long that took.
async fn readiness_is(
    installation: &Installation,
    wanted: bool,
    since: Instant,
    within: Duration,
) -> Result<Duration> {
    for replica in SERVICES.iter().flat_map(|service| installation.replicas(service)) {
        while replica.is_ready().await != wanted {
            ensure!(
                since.elapsed() < within,
                "readiness is not {wanted} within {within:?}:\n{}",
                replica.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ensure!(replica.is_alive().await, "without its store a service lives");
    }
    Ok(since.elapsed())
}
