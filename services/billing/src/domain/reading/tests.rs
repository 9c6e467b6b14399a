use kernel::Instant;
use proptest::prelude::*;

use super::*;
use crate::domain::sample::{meter, meter_facts};

fn value(energy_wh: i64, revision: i32) -> Value {
    Value { energy_wh, revision, estimated: false }
}

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

#[test]
fn the_highest_revision_counts_and_every_arrival_is_counted_once() {
    let settled =
        settle(&Known::default(), [value(5, 0), value(5, 0), value(7, 2), value(8, 2)]).expect("some");
    assert_eq!((settled.current, settled.change), (value(7, 2), Change::New));
    assert_eq!(settled.history, [(value(5, 0), false)]);
    assert_eq!(settled.conflicts, [(value(7, 2), value(8, 2))]);
    let counts = Counts { new: 1, corrected: 1, duplicate: 1, conflict: 1, superseded: 0 };
    assert_eq!(settled.counts, counts);

    let known = Known { current: Some(value(7, 2)), older: vec![value(5, 0)] };
    let late = settle(&known, [value(5, 0), value(6, 1), value(7, 2)]).expect("some");
    assert_eq!((late.current, late.change), (value(7, 2), Change::Unchanged));
    assert_eq!(late.history, [(value(6, 1), false)]);
    assert_eq!((late.counts.duplicate, late.counts.superseded), (2, 1));
    assert_eq!(settle(&known, []).map(|s| s.counts), Some(Counts::default()));
    assert_eq!(settle(&Known::default(), []), None);
}

#[test]
fn what_counted_before_is_told_from_what_never_did() {
    let known = Known { current: Some(value(5, 0)), older: Vec::new() };
    let settled = settle(&known, [value(6, 1), value(7, 2)]).expect("some");
    assert_eq!(settled.history, [(value(5, 0), true), (value(6, 1), false)]);
    assert_eq!(settled.change, Change::Corrected);
}

#[test]
fn a_meter_refuses_what_it_cannot_have_measured() {
    let meter = meter("America/Chicago", 15);
    let now = at("2027-01-02T00:00:00Z");
    let says = |start: &str, energies_wh: Vec<i64>| {
        let mut v = Violations::new();
        let series =
            Series { meter: meter.id.clone(), start: at(start), energies_wh, revision: 0, estimated: false };
        series.check(&mut v, &meter, now);
        let error = v.finish().err();
        error.map(|e| e.violations().iter().map(|v| v.field.clone()).collect::<Vec<_>>()).unwrap_or_default()
    };
    assert_eq!(says("2027-01-01T12:00:00Z", vec![0, 12_500_000]), Vec::<String>::new());
    assert_eq!(says("2027-01-01T12:01:00Z", vec![0]), ["start_time"]);
    assert_eq!(says("2025-12-01T12:00:00Z", vec![0]), ["start_time"]);
    assert_eq!(says("2027-01-01T12:00:00Z", vec![-1, 5, 12_500_001]), ["energy_wh[0]", "energy_wh[2]"]);
    assert_eq!(says("2027-01-01T23:45:00Z", vec![1]), Vec::<String>::new());
    assert_eq!(says("2027-01-02T00:00:00Z", vec![1]), ["energy_wh"]);
    assert_eq!(says("2027-01-01T23:45:00Z", vec![1, 1]), ["energy_wh"]);
}

#[test]
fn a_day_remembers_its_three_highest_and_the_first_of_equals() {
    let mut days = Days::of(&meter_facts("UTC", 15));
    for (minute, energy) in [(0, 5), (15, 9), (30, 9), (45, 1), (60, 7)] {
        days.add(at("2027-01-01T00:00:00Z") + chrono::TimeDelta::minutes(minute), value(energy, 0));
    }
    let sums = days.into_sums();
    let day = sums.values().next().expect("a day");
    assert_eq!((day.energy_wh, day.reading_count, day.peaks_wh.as_slice()), (31, 5, &[9, 9, 7][..]));
    assert_eq!(day.peak_time, at("2027-01-01T00:15:00Z"));
    assert!(!is_spike(&day.peaks_wh));
    assert!(is_spike(&[281, 100, 100]) && !is_spike(&[280, 100, 100]) && !is_spike(&[9, 1]));
}

proptest! {
    /// Whatever comes twice or in another order or in other batches, the same counts in the end.
    #[test]
    fn order_and_batches_do_not_matter(
        said in prop::collection::vec((0_i32..4, prop::bool::weighted(0.2)), 1..20),
        cuts in prop::collection::vec(any::<bool>(), 20),
        order in any::<prop::sample::Index>(),
    ) {
        let mut all: Vec<Value> = said.iter().map(|(revision, _)| value(i64::from(*revision) * 10, *revision)).collect();
        let wanted = all.iter().copied().max_by_key(|v| v.revision);
        let middle = order.index(all.len());
        all.rotate_left(middle);
        let (mut known, mut batch, mut counts) = (Known::default(), Vec::new(), Counts::default());
        for (at, arrived) in all.iter().enumerate() {
            batch.push(*arrived);
            if cuts[at] || at + 1 == all.len() {
                batch.sort_by_key(|v: &Value| v.revision);
                let settled = settle(&known, batch.drain(..)).expect("some");
                counts.add(&settled.counts);
                known.older.extend(settled.history.iter().map(|(value, _)| *value));
                known.current = Some(settled.current);
            }
        }
        prop_assert_eq!(known.current, wanted);
        prop_assert_eq!((counts.new, counts.conflict), (1, 0));
        let sum = counts.new + counts.corrected + counts.superseded + counts.duplicate;
        prop_assert_eq!(sum, i64::try_from(all.len()).unwrap());
        let mut revisions: Vec<i32> = known.older.iter().map(|v| v.revision).collect();
        revisions.sort_unstable();
        let unique = revisions.len();
        revisions.dedup();
        prop_assert_eq!(revisions.len(), unique);
    }

    #[test]
    fn merged_days_are_the_day_read_at_once(energies in prop::collection::vec(0_i64..50, 1..96), cut in any::<prop::sample::Index>()) {
        let start = at("2027-01-01T00:00:00Z");
        let reading = |at: usize, energy: i64| (start + chrono::TimeDelta::minutes(15 * i64::try_from(at).unwrap()), value(energy, 0));
        let sum = |part: &[(usize, i64)]| {
            let mut days = Days::of(&meter_facts("UTC", 15));
            part.iter().for_each(|(at, energy)| { let (s, v) = reading(*at, *energy); days.add(s, v); });
            days.into_sums().into_values().next()
        };
        let all: Vec<(usize, i64)> = energies.into_iter().enumerate().collect();
        let (one, other) = all.split_at(cut.index(all.len()));
        let merged = match (sum(one), sum(other)) {
            (Some(mut one), Some(other)) => { one.merge(&other); Some(one) }
            (one, other) => one.or(other),
        };
        prop_assert_eq!(merged, sum(&all));
    }
}
