//! The figures as tables: ratios first, since nothing else travels between machines.

use std::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table, TableComponent};

use super::{CASES, Results, Sample, Target};
use crate::out::grouped;

/// A target: by which measurements it is judged (the worst of them), what to reach, what would be better.
pub(super) struct Goal {
    pub(super) name: &'static str,
    what: &'static str,
    pub(super) cases: &'static [(Target, usize)],
    reach_milli: u64,
    stretch_milli: u64,
}

/// The targets that bookings per INSERT are judged by.
pub(super) const GOALS: [Goal; 5] = [
    Goal {
        name: "T1",
        what: "64 clients, 1,000 blocks",
        cases: &[(Target::ThousandBlocks, 64)],
        reach_milli: 550,
        stretch_milli: 800,
    },
    Goal {
        name: "T2",
        what: "256 clients, 1,000 blocks",
        cases: &[(Target::ThousandBlocks, 256)],
        reach_milli: 1_000,
        stretch_milli: 1_300,
    },
    Goal {
        name: "T3",
        what: "16 clients, 1,000 blocks",
        cases: &[(Target::ThousandBlocks, 16)],
        reach_milli: 300,
        stretch_milli: 500,
    },
    Goal {
        name: "T4",
        what: "64 clients, one hot block",
        cases: &[(Target::HotBlock, 64)],
        reach_milli: 550,
        stretch_milli: 1_000,
    },
    Goal {
        name: "T5",
        what: "64 clients, two replicas, unrouted",
        cases: &[(Target::TwoReplicasHot, 64), (Target::TwoReplicasZipf, 64)],
        reach_milli: 300,
        stretch_milli: 500,
    },
];

/// The target of a full block against one that is nearly empty.
pub(super) const DEPTH: Goal = Goal {
    name: "T6",
    what: "10,000 claims on the block / 100",
    cases: &[],
    reach_milli: 700,
    stretch_milli: 950,
};
const DEPTH_DEEP: u64 = 10_000;
const DEPTH_SHALLOW: u64 = 100;

/// The tables and the verdicts.
pub(super) fn tables(results: &Results) -> String {
    let mut text = format!("{}\nBaseline: single-row INSERTs, {}\n", results.server, results.baseline);
    if results.rehearsal {
        text.push_str("A REHEARSAL: these figures mean nothing.\n");
    }
    let mut rows = table(&["Where", "Clients", "Bookings/s", "p50 us", "p99 us", "INSERTs/s", "Ratio"]);
    let mut cases = CASES;
    cases.sort_by_key(|case| case.0);
    for sample in cases.into_iter().filter_map(|case| middle(results, case)) {
        rows.add_row(row(&sample));
    }
    let _ = writeln!(text, "\n{}", rows.trim_fmt());
    let mut goals = table(&["Target", "What", "Ratio", "To reach", "Stretch", "Verdict"]);
    for goal in &GOALS {
        goals.add_row(verdict(goal, ratio(results, goal)));
    }
    goals.add_row(verdict(&DEPTH, depth(results)));
    let _ = writeln!(text, "\n{}", goals.trim_fmt());
    if !results.depths.is_empty() {
        let _ = writeln!(text, "\n{}", growth(results).trim_fmt());
    }
    let _ = writeln!(text, "\nInstants promised twice, by the auditor: {}.", results.oversold);
    let _ = write!(
        text,
        "Median of {} round(s); {} measurement(s) discarded for baselines that differed by more than half.",
        results.rounds, results.discarded
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
        Target::TwoReplicasHot => "one hot block, two replicas",
        Target::TwoReplicasZipf => "1,000 blocks by Zipf, two replicas",
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
    [
        goal.name.to_owned(),
        goal.what.to_owned(),
        ratio_milli.map_or_else(|| "-".to_owned(), milli),
        milli(goal.reach_milli),
        milli(goal.stretch_milli),
        judged(ratio_milli, goal.reach_milli, goal.stretch_milli).to_owned(),
    ]
}

/// Whether a ratio is what was to be reached.
pub(super) fn judged(ratio_milli: Option<u64>, reach_milli: u64, stretch_milli: u64) -> &'static str {
    match ratio_milli {
        None => "not measured",
        Some(ratio) if ratio >= stretch_milli => "reached, stretch too",
        Some(ratio) if ratio >= reach_milli => "reached",
        Some(_) => "NOT reached",
    }
}

pub(super) fn milli(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// How the cost of a booking grows with what lies on its block.
fn growth(results: &Results) -> Table {
    let mut rows = table(&["Claims on the block", "", "Bookings/s", "us each"]);
    let levels = results.depths.first().into_iter().flatten().map(|depth| depth.claims);
    for claims in levels {
        let per_s = depth_at(results, claims);
        let count = |value: u64| grouped(i64::try_from(value).unwrap_or(i64::MAX));
        rows.add_row([count(claims), String::new(), count(per_s), count(1_000_000 / per_s.max(1))]);
    }
    rows
}

/// The sample whose ratio is the median of its case.
fn middle(results: &Results, case: (Target, usize)) -> Option<Sample> {
    let mut own: Vec<&Sample> =
        results.samples.iter().filter(|sample| (sample.target, sample.clients) == case).collect();
    own.sort_by_key(|sample| sample.ratio_milli());
    own.get(own.len() / 2).map(|sample| (*sample).clone())
}

fn ratio(results: &Results, goal: &Goal) -> Option<u64> {
    let ratios: Option<Vec<u64>> =
        goal.cases.iter().map(|case| middle(results, *case).map(|sample| sample.ratio_milli())).collect();
    ratios?.into_iter().min()
}

/// Bookings a second on a block with so many claims: the median of the rounds.
fn depth_at(results: &Results, claims: u64) -> u64 {
    let rounds = results.depths.iter().flatten();
    let mut per_s: Vec<u64> =
        rounds.filter(|depth| depth.claims == claims).map(|depth| depth.per_s).collect();
    per_s.sort_unstable();
    per_s.get(per_s.len() / 2).copied().unwrap_or(0)
}

fn depth(results: &Results) -> Option<u64> {
    let (deep, shallow) = (depth_at(results, DEPTH_DEEP), depth_at(results, DEPTH_SHALLOW));
    (deep > 0 && shallow > 0).then(|| deep * 1_000 / shallow)
}

#[cfg(test)]
mod tests {
    use super::super::{Depth, Measured};
    use super::*;

    fn sample(target: Target, clients: usize, per_s: u64) -> Sample {
        let measured = Measured { bookings: per_s, per_s, p50_us: 1, p99_us: 2 };
        Sample { target, clients, measured, baselines_per_s: [1_000, 1_000] }
    }

    #[test]
    fn the_median_decides_and_the_worst_case() {
        let depth_of = |per_s| vec![Depth { claims: 100, per_s: 1_000 }, Depth { claims: 10_000, per_s }];
        let mut results = Results {
            samples: [100, 900, 560].map(|per_s| sample(Target::ThousandBlocks, 64, per_s)).to_vec(),
            depths: [100, 960, 700].map(depth_of).to_vec(),
            ..Default::default()
        };
        let [t1, .., t5] = &GOALS;
        assert_eq!(ratio(&results, t1), Some(560));
        assert_eq!(depth(&results), Some(700));
        assert_eq!(verdict(t1, Some(560))[5], "reached");
        assert_eq!(verdict(t1, Some(549))[5], "NOT reached");
        assert_eq!(verdict(t5, ratio(&results, t5))[5], "not measured");
        results.samples.push(sample(Target::TwoReplicasHot, 64, 310));
        assert_eq!(ratio(&results, t5), None, "one of two cases is not enough");
        results.samples.push(sample(Target::TwoReplicasZipf, 64, 290));
        assert_eq!(ratio(&results, t5), Some(290));
        assert!(tables(&results).lines().all(|line| line.chars().count() <= 100));
        assert_eq!(milli(1_007), "1.007");
    }
}
