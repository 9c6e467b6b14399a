//! Step functions against an obvious model: a table with one row per hour.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kernel::step::StepError;
use kernel::time::min_instant;
use kernel::{CapacityVector, Instant, Interval, Resource, StepFunction};
use proptest::prelude::*;

/// Hours of the model. Functions change on whole hours only, so the table says everything about them.
const HOURS: usize = 48;

fn hour(n: usize) -> Instant {
    min_instant() + chrono::TimeDelta::hours(i64::try_from(n).unwrap())
}

fn hours(from: usize, to: usize) -> Interval {
    Interval::new(hour(from), hour(to)).unwrap()
}

fn vector(lanes: [i64; 5]) -> CapacityVector {
    let [critical_it, air, liquid, immersion, accelerators] = lanes;
    CapacityVector { critical_it, air, liquid, immersion, accelerators }
}

fn lanes(v: CapacityVector) -> [i64; 5] {
    Resource::ALL.map(|resource| v.get(resource))
}

/// One value over one interval of hours.
type Part = (usize, usize, [i64; 5]);

fn part() -> impl Strategy<Value = Part> {
    // Few different values and hours, so that edges meet, values repeat and sums cancel often.
    (0..HOURS - 1, 1..HOURS, prop::array::uniform5(-3_i64..=3))
        .prop_map(|(from, length, lanes)| (from, (from + length).min(HOURS), lanes))
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec(part(), 0..14)
}

fn table(parts: &[Part]) -> Vec<[i64; 5]> {
    let mut table = vec![[0; 5]; HOURS + 1];
    for &(from, to, value) in parts {
        for row in &mut table[from..to] {
            for (lane, more) in row.iter_mut().zip(value) {
                *lane += more;
            }
        }
    }
    table
}

fn function(parts: &[Part]) -> StepFunction<CapacityVector> {
    let mut f = StepFunction::zero();
    for &(from, to, value) in parts {
        f.add_over(hours(from, to), vector(value)).unwrap();
    }
    f
}

fn assert_is(f: &StepFunction<CapacityVector>, table: &[[i64; 5]]) {
    for (n, &row) in table.iter().enumerate() {
        assert_eq!(lanes(f.value_at(hour(n))), row, "at hour {n} of {f:?}");
    }
    let mut before = CapacityVector::ZERO;
    let mut at = None;
    for &(from, value) in f.steps() {
        assert!(at.is_none_or(|at| at < from), "steps are in order");
        assert_ne!(value, before, "every step changes the value");
        (at, before) = (Some(from), value);
    }
}

fn combine(a: &[[i64; 5]], b: &[[i64; 5]], op: impl Fn(i64, i64) -> i64) -> Vec<[i64; 5]> {
    a.iter().zip(b).map(|(a, b)| std::array::from_fn(|lane| op(a[lane], b[lane]))).collect()
}

fn short_lane(free: &[i64; 5], need: &[i64; 5]) -> Option<usize> {
    (0..free.len()).find(|&lane| free[lane] < need[lane])
}

proptest! {
    #[test]
    fn adding_in_place_in_bulk_and_by_merging_are_one(parts in parts()) {
        let table = table(&parts);
        let in_place = function(&parts);
        assert_is(&in_place, &table);
        let claims = parts.iter().map(|&(from, to, value)| (hours(from, to), vector(value)));
        prop_assert_eq!(&StepFunction::from_intervals(claims).unwrap(), &in_place);
        let mut merged = StepFunction::zero();
        for &(from, to, value) in &parts {
            merged = merged.add(&StepFunction::constant_over(hours(from, to), vector(value))).unwrap();
        }
        prop_assert_eq!(&merged, &in_place);
        prop_assert_eq!(&StepFunction::from_steps(in_place.steps().to_vec()).unwrap(), &in_place);
    }

    #[test]
    fn what_is_added_can_be_taken_away(parts in parts(), order in any::<prop::sample::Index>()) {
        let mut f = function(&parts);
        let start = if parts.is_empty() { 0 } else { order.index(parts.len()) };
        for i in 0..parts.len() {
            let (from, to, value) = parts[(start + i) % parts.len()];
            f.sub_over(hours(from, to), vector(value)).unwrap();
        }
        prop_assert!(f.is_zero(), "{f:?}");
    }

    #[test]
    fn algebra_is_per_instant(a in parts(), b in parts()) {
        let (f, g) = (function(&a), function(&b));
        let (s, t) = (table(&a), table(&b));
        assert_is(&f.add(&g).unwrap(), &combine(&s, &t, |x, y| x + y));
        assert_is(&f.sub(&g).unwrap(), &combine(&s, &t, |x, y| x - y));
        assert_is(&f.pointwise_min(&g), &combine(&s, &t, i64::min));
        prop_assert_eq!(f.add(&g).unwrap(), g.add(&f).unwrap());
        prop_assert_eq!(f.add(&g).unwrap().sub(&g).unwrap(), f);
    }

    #[test]
    fn a_window_is_judged_hour_by_hour(
        parts in parts(), from in 0..HOURS, length in 1..HOURS, need in prop::array::uniform5(-2_i64..=4),
    ) {
        let (f, table) = (function(&parts), table(&parts));
        let to = (from + length).min(HOURS);
        let (window, rows) = (hours(from, to), &table[from..to]);
        let lane = |pick: fn(i64, i64) -> i64| -> [i64; 5] {
            std::array::from_fn(|lane| rows.iter().map(|row| row[lane]).reduce(pick).unwrap())
        };
        prop_assert_eq!(lanes(f.min_over(window)), lane(i64::min));
        prop_assert_eq!(lanes(f.max_over(window)), lane(i64::max));
        prop_assert_eq!(f.covers_over(window, vector(need)), rows.iter().all(|row| short_lane(row, &need).is_none()));

        let mut next = hour(from);
        for (piece, value) in f.steps_in(window) {
            prop_assert_eq!(piece.start(), next);
            next = piece.end();
            for (n, row) in table.iter().enumerate().filter(|(n, _)| piece.contains(hour(*n))) {
                prop_assert_eq!(lanes(value), *row, "hour {}", n);
            }
        }
        prop_assert_eq!(next, hour(to));
    }

    #[test]
    fn the_first_shortfall_is_the_first_hour_that_is_short(
        parts in parts(), from in 0..HOURS, length in 1..HOURS, need in prop::array::uniform5(-2_i64..=4),
    ) {
        let (f, table) = (function(&parts), table(&parts));
        let to = (from + length).min(HOURS);
        let found = f.first_shortfall(hours(from, to), vector(need));
        let Some(first) = (from..to).find(|&n| short_lane(&table[n], &need).is_some()) else {
            prop_assert_eq!(found, None);
            return Ok(());
        };
        let lane = short_lane(&table[first], &need).unwrap();
        let until = (first..to).find(|&n| table[n][lane] >= need[lane]).unwrap_or(to);
        let least = table[first..until].iter().map(|row| row[lane]).min().unwrap();
        let found = found.expect("it is short");
        prop_assert_eq!(found.resource, Resource::ALL[lane]);
        prop_assert_eq!((found.from, found.until), (hour(first), hour(until)));
        prop_assert_eq!(found.short_kw, need[lane] - least);
        prop_assert_eq!(found.available_kw, least.max(0));
    }

    /// Windows begin on a grid of hours at or after the instant asked for and last so many hours, as days and terms do.
    #[test]
    fn the_earliest_window_is_the_first_that_fits(
        parts in parts(), from in 0..HOURS, length in 1..12_usize, grid in 1..6_usize,
        need in prop::array::uniform5(-1_i64..=3),
    ) {
        let (f, mut table) = (function(&parts), table(&parts));
        // After the last part everything is zero for ever; enough of it for any window to show whether it fits there.
        table.resize(HOURS * 2, [0; 5]);
        let fits = |start: usize| table[start..start + length].iter().all(|row| short_lane(row, &need).is_none());
        let expected = (from..HOURS + 12).filter(|start| start % grid == 0).find(|&start| fits(start));
        let window = |at: Instant| {
            let n = usize::try_from((at - hour(0)).num_hours()).unwrap().next_multiple_of(grid);
            Some(hours(n, n + length))
        };
        let found = f.earliest_window(hour(from), window, vector(need));
        prop_assert_eq!(found, expected.map(|start| hours(start, start + length)));
    }

    #[test]
    fn json_is_one_normal_form(parts in parts()) {
        let f = function(&parts);
        let json = serde_json::to_string(&f).unwrap();
        prop_assert_eq!(serde_json::from_str::<StepFunction<CapacityVector>>(&json).unwrap(), f);
    }
}

#[test]
fn a_change_that_overflows_changes_nothing() {
    let mut f = StepFunction::constant_over(hours(2, 4), 5_i64);
    f.add_over(hours(6, 8), i64::MAX - 1).unwrap();
    let before = f.clone();
    assert_eq!(f.add_over(hours(1, 9), 2), Err(StepError::Overflow));
    assert_eq!(f, before);
    assert_eq!(f.add(&f), Err(StepError::Overflow));
}

#[test]
fn steps_out_of_order_are_refused() {
    let unsorted = vec![(hour(2), 1_i64), (hour(1), 2)];
    assert_eq!(StepFunction::from_steps(unsorted), Err(StepError::Unsorted));
    assert_eq!(StepFunction::from_steps(vec![(hour(1), 1_i64), (hour(1), 2)]), Err(StepError::Unsorted));
    assert!(
        serde_json::from_str::<StepFunction<i64>>(
            r#"[["2027-01-02T00:00:00Z",1],["2027-01-01T00:00:00Z",2]]"#
        )
        .is_err()
    );
}

#[test]
fn a_search_that_never_fits_ends() {
    let full_for_ever = StepFunction::constant_from(hour(0), 10_i64);
    let window = |at: Instant| Interval::new(at, at + chrono::TimeDelta::hours(5)).ok();
    assert_eq!(full_for_ever.earliest_window(hour(3), window, 11), None);
    assert_eq!(full_for_ever.earliest_window(hour(3), window, 10), Some(hours(3, 8)));
    assert_eq!(full_for_ever.earliest_window(hour(3), |_| None, 10), None);
}

#[test]
fn the_booking_desk_s_size_is_held() {
    // 10,000 claims that never end on the same hour: 20,000 steps.
    let claims = (0..10_000_usize).map(|n| (hours(2 * n, 2 * n + 10_001), 1_i64));
    let mut f = StepFunction::from_intervals(claims.clone()).unwrap();
    let mut one_by_one = StepFunction::zero();
    for (interval, kw) in claims {
        one_by_one.add_over(interval, kw).unwrap();
    }
    assert_eq!(f, one_by_one);
    assert_eq!(f.steps().len(), 20_000);
    let all = hours(0, 40_000);
    assert_eq!(f.max_over(all), 5_001);
    f.sub_over(all, 5_001).unwrap();
    assert_eq!(f.max_over(all), 0);
}
