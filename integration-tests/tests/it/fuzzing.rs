//! Every fuzz target for a moment: the corpus, the seeds, and so many bent ones, the same on every run.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use integration_tests::fuzz::{Mutator, TARGETS, Target};

/// Bent inputs of a target, and how long it may take.
const BENT: usize = 20_000;
const LONGEST: Duration = Duration::from_secs(8);

/// What was found once is tried for ever.
fn corpus(target: &str) -> Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut inputs = Vec::new();
    for file in std::fs::read_dir(folder)? {
        inputs.push(std::fs::read(file?.path())?);
    }
    Ok(inputs)
}

fn for_a_moment(target: &Target) -> Result<()> {
    let mut inputs = corpus(target.name)?;
    ensure!(!inputs.is_empty(), "no corpus of {}", target.name);
    inputs.extend((target.seeds)());
    for input in &inputs {
        (target.run)(input);
    }
    let (mut mutator, began) = (Mutator::new(7), Instant::now());
    for _ in 0..BENT {
        if began.elapsed() > LONGEST {
            break;
        }
        let input = &inputs[mutator.below(inputs.len())];
        (target.run)(&mutator.bend(input));
    }
    Ok(())
}

#[test]
fn nothing_that_is_thrown_at_us_breaks_us() -> Result<()> {
    for target in &TARGETS {
        for_a_moment(target)?;
    }
    Ok(())
}
