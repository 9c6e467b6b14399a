//! Several processes on one database that book, amend, split, merge, slip and derate at once: never more is promised
//! than there is and than was accepted as short, at any moment that anybody can see.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use integration_tests::Cluster;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::traffic::{Answers, Field, act};

const PROCESSES: usize = 3;
const PEOPLE: u64 = 9;
const LASTS: Duration = Duration::from_secs(12);

/// What anybody who loses a race may be told.
const REFUSALS: [&str; 8] = [
    "OK",
    "CAPACITY_EXHAUSTED",
    "CAPACITY_COMMITTED",
    "TRANSACTION_CONFLICT",
    "INVALID_FIELD",
    "INVALID_STATE_TRANSITION",
    "HOLD_ALREADY_CONFIRMED",
    "HOLD_RELEASED",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_race_for_what_slips_and_derates_oversell_nothing() -> Result<()> {
    let mut cluster = Cluster::new(PROCESSES).await?;
    let field = Field::prepare(&mut cluster, PROCESSES).await?;
    let stop = CancellationToken::new();
    let mut people = tokio::task::JoinSet::new();
    for seed in 0..PEOPLE {
        people.spawn(act(field.clone(), seed, stop.clone()));
    }
    let end = Instant::now() + LASTS;
    let (mut looks, mut short) = (0, 0);
    let mut superuser = cluster.database.superuser().await?;
    while Instant::now() < end {
        // Every look is one snapshot in the middle of everything.
        let oversold = cluster.database.oversold().await?;
        ensure!(oversold == 0, "{oversold} instants are oversold after {looks} looks");
        let recorded: i64 =
            sqlx::query_scalar("select count(*) from inventory.shortfall").fetch_one(&mut superuser).await?;
        short += usize::from(recorded > 0);
        looks += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.cancel();
    let mut answers = Answers::new();
    while let Some(told) = people.join_next().await {
        for (word, count) in told.context("somebody fell over")?? {
            *answers.entry(word).or_default() += count;
        }
    }
    ensure!(cluster.database.oversold().await? == 0, "oversold at the end");
    let strange: Vec<&String> = answers.keys().filter(|word| !REFUSALS.contains(&word.as_str())).collect();
    ensure!(strange.is_empty(), "nobody may be told {strange:?}: {answers:?}");
    for word in ["OK", "CAPACITY_EXHAUSTED", "CAPACITY_COMMITTED"] {
        ensure!(answers.contains_key(word), "it was no race, nobody heard {word}: {answers:?}");
    }
    ensure!(looks > 5 && short > 0, "{looks} looks, in {short} of which somebody was short");
    println!("{looks} looks, {short} while somebody was short; {answers:?}");
    Ok(())
}
