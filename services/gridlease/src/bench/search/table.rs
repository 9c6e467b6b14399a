//! The figures as tables, and the verdicts.

use std::fmt::Write as _;

use super::super::report::{milli, table};
use super::{Results, Size, Spread};
use crate::out::grouped;

/// The tables.
pub(super) fn tables(results: &Results) -> String {
    let mut text = format!("{}\n{} reservations on each block\n", results.server, results.reservations);
    if results.rehearsal {
        text.push_str("A REHEARSAL: these figures mean nothing.\n");
    }
    let mut rows = table(&["Blocks", "Load ms", "Bytes a block", "Resident", "Change us", "Visible ms"]);
    for size in &results.sizes {
        rows.add_row([
            count(size.blocks),
            count(size.load_ms),
            count(size.bytes_a_block),
            count(size.resident_a_block),
            both(size.change, 1_000),
            both(size.visible, 1_000_000),
        ]);
    }
    let _ = writeln!(text, "\n{}", rows.trim_fmt());
    let mut rows =
        table(&["Blocks", "Core us", "Nothing fits us", "Split us", "Empty call us", "Search us", "Ratio"]);
    for size in &results.sizes {
        rows.add_row([
            count(size.blocks),
            both(size.core, 1_000),
            both(size.core_nothing, 1_000),
            both(size.core_split, 1_000),
            both(size.empty_call, 1_000),
            both(size.call, 1_000),
            milli(size.call_ratio_milli()),
        ]);
    }
    let _ = writeln!(text, "\n{}\n\nEach is p50 / p99.\n", rows.trim_fmt());
    let mut goals =
        table(&["Target", "What, at the largest size", "Measured", "To reach", "Stretch", "Verdict"]);
    if let Some(size) = results.sizes.last() {
        for (name, what, measured, reach, stretch) in targets(size) {
            let verdict = if measured <= stretch {
                "reached, stretch too"
            } else if measured <= reach {
                "reached"
            } else {
                "NOT reached"
            };
            let (measured, reach, stretch) = (count(measured), count(reach), count(stretch));
            goals.add_row([name.to_owned(), what.to_owned(), measured, reach, stretch, verdict.to_owned()]);
        }
    }
    let _ = write!(text, "{}", goals.trim_fmt());
    text
}

fn targets(size: &Size) -> [(&'static str, &'static str, u64, u64, u64); 4] {
    let bytes = u64::try_from(size.bytes_a_block).unwrap_or(u64::MAX);
    [
        ("T7", "core p99, us", size.core.p99_ns / 1_000, 1_000, 200),
        ("T7", "search / empty call, p50, thousandths", size.call_ratio_milli(), 1_500, 1_200),
        ("T8", "booking visible, p99, ms", size.visible.p99_ns / 1_000_000, 250, 100),
        ("T8", "bytes a block", bytes, 4_096, 3_072),
    ]
}

fn count(value: impl TryInto<i64>) -> String {
    grouped(value.try_into().unwrap_or(i64::MAX))
}

/// Half and nearly all, in a unit of so many nanoseconds, with a tenth below a hundred of them.
fn both(spread: Spread, unit_ns: u64) -> String {
    let in_unit = |ns: u64| {
        if ns < 100 * unit_ns {
            let tenths = ns * 10 / unit_ns;
            format!("{}.{}", tenths / 10, tenths % 10)
        } else {
            count(ns / unit_ns)
        }
    };
    format!("{} / {}", in_unit(spread.p50_ns), in_unit(spread.p99_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_with_a_verdict() {
        let spread = |p50_ns, p99_ns| Spread { count: 1, p50_ns, p99_ns };
        let size = Size {
            blocks: 100_000,
            bytes_a_block: 3_500,
            core: spread(9_000, 450_000),
            call: spread(260_000, 900_000),
            empty_call: spread(200_000, 500_000),
            visible: spread(40_000_000, 251_000_000),
            ..Size::default()
        };
        assert_eq!(size.call_ratio_milli(), 1_300);
        let text = tables(&Results { sizes: vec![size], ..Results::default() });
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        let verdicts: Vec<bool> =
            text.lines().filter(|line| line.contains("reached")).map(|line| line.contains("NOT")).collect();
        assert_eq!(verdicts, [false, false, true, false], "{text}");
        assert_eq!(both(spread(1_250, 123_456_000), 1_000), "1.2 / 123,456");
    }
}
