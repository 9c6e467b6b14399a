//! The figures as tables: ratios first, since nothing else travels between machines.

use std::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table, TableComponent};

use super::{CLIENTS, Results, Sample, Target};
use crate::out::grouped;

/// A target: which sample, what to reach, what would be better.
struct Goal {
    name: &'static str,
    what: &'static str,
    reach_milli: u64,
    stretch_milli: u64,
}

const T1: Goal = Goal { name: "T1", what: "64 clients, 1,000 blocks", reach_milli: 550, stretch_milli: 800 };
const T3: Goal = Goal { name: "T3", what: "16 clients, 1,000 blocks", reach_milli: 300, stretch_milli: 500 };
const T4: Goal =
    Goal { name: "T4", what: "64 clients, one hot block", reach_milli: 550, stretch_milli: 1_000 };
const T6: Goal =
    Goal { name: "T6", what: "10,000 claims on the block / 100", reach_milli: 700, stretch_milli: 950 };

/// The tables and the verdicts.
pub(super) fn tables(results: &Results) -> String {
    let mut text = format!("{}\nBaseline: single-row INSERTs, {}\n", results.server, results.baseline);
    if results.rehearsal {
        text.push_str("A REHEARSAL: these figures mean nothing.\n");
    }
    let mut rows = table(&["Where", "Clients", "Bookings/s", "p50 us", "p99 us", "INSERTs/s", "Ratio"]);
    for target in [Target::HotBlock, Target::ThousandBlocks] {
        for clients in CLIENTS {
            if let Some(sample) = middle(results, target, clients) {
                rows.add_row(row(&sample));
            }
        }
    }
    let _ = writeln!(text, "\n{}", rows.trim_fmt());
    let mut goals = table(&["Target", "What", "Ratio", "To reach", "Stretch", "Verdict"]);
    for (goal, ratio_milli) in [
        (T1, ratio(results, Target::ThousandBlocks, 64)),
        (T3, ratio(results, Target::ThousandBlocks, 16)),
        (T4, ratio(results, Target::HotBlock, 64)),
        (T6, depth(results)),
    ] {
        goals.add_row(verdict(&goal, ratio_milli));
    }
    let _ = writeln!(text, "\n{}\n", goals.trim_fmt());
    let _ = write!(
        text,
        "Median of {} round(s); {} measurement(s) discarded for baselines that differed by more than half.",
        results.depths.len(),
        results.discarded
    );
    text
}

pub(super) fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_header(headers);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(sample: &Sample) -> [String; 7] {
    let count = |value: u64| grouped(i64::try_from(value).unwrap_or(i64::MAX));
    let target = match sample.target {
        Target::HotBlock => "one hot block",
        Target::ThousandBlocks => "1,000 blocks",
    };
    [
        target.to_owned(),
        sample.clients.to_string(),
        count(sample.measured.per_s),
        count(sample.measured.p50_us),
        count(sample.measured.p99_us),
        count(sample.baselines_per_s.iter().sum::<u64>() / 2),
        milli(sample.ratio_milli()),
    ]
}

fn verdict(goal: &Goal, ratio_milli: Option<u64>) -> [String; 6] {
    let verdict = match ratio_milli {
        None => "not measured",
        Some(ratio) if ratio >= goal.stretch_milli => "reached, stretch too",
        Some(ratio) if ratio >= goal.reach_milli => "reached",
        Some(_) => "NOT reached",
    };
    [
        goal.name.to_owned(),
        goal.what.to_owned(),
        ratio_milli.map_or_else(|| "-".to_owned(), milli),
        milli(goal.reach_milli),
        milli(goal.stretch_milli),
        verdict.to_owned(),
    ]
}

pub(super) fn milli(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// The sample whose ratio is the median of its kind.
fn middle(results: &Results, target: Target, clients: usize) -> Option<Sample> {
    let mut own: Vec<&Sample> = results
        .samples
        .iter()
        .filter(|sample| sample.target == target && sample.clients == clients)
        .collect();
    own.sort_by_key(|sample| sample.ratio_milli());
    own.get(own.len() / 2).map(|sample| (*sample).clone())
}

fn ratio(results: &Results, target: Target, clients: usize) -> Option<u64> {
    middle(results, target, clients).map(|sample| sample.ratio_milli())
}

fn depth(results: &Results) -> Option<u64> {
    let mut ratios: Vec<u64> =
        results.depths.iter().map(|depth| depth.deep_per_s * 1_000 / depth.shallow_per_s.max(1)).collect();
    ratios.sort_unstable();
    ratios.get(ratios.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::{Depth, Measured};
    use super::*;

    #[test]
    fn the_median_decides() {
        let sample = |per_s| Sample {
            target: Target::ThousandBlocks,
            clients: 64,
            measured: Measured { bookings: per_s, per_s, p50_us: 1, p99_us: 2 },
            baselines_per_s: [1_000, 1_000],
        };
        let results = Results {
            samples: [100, 900, 560].map(sample).to_vec(),
            depths: [(1_000, 100), (1_000, 960), (1_000, 700)]
                .map(|(shallow_per_s, deep_per_s)| Depth { shallow_per_s, deep_per_s })
                .to_vec(),
            ..Default::default()
        };
        assert_eq!(ratio(&results, Target::ThousandBlocks, 64), Some(560));
        assert_eq!(depth(&results), Some(700));
        assert_eq!(verdict(&T1, Some(560))[5], "reached");
        assert_eq!(verdict(&T1, Some(549))[5], "NOT reached");
        assert_eq!(verdict(&T3, ratio(&results, Target::ThousandBlocks, 16))[5], "not measured");
        assert!(tables(&results).lines().all(|line| line.chars().count() <= 100));
        assert_eq!(milli(1_007), "1.007");
    }
}
