use kernel::{DateRange, Instant};

use super::*;
use crate::domain::sample::{date, meter_facts};

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn later() -> Instant {
    at("2030-01-01T00:00:00Z")
}

fn day(year: i32, month: u32, day: u32) -> DateRange {
    let first = date(year, month, day);
    DateRange::new(first, first + chrono::Days::new(1)).expect("a day")
}

fn count(zone: &str, minutes: i32, range: DateRange) -> i32 {
    spans(&meter_facts(zone, minutes), range, later()).iter().map(|span| span.count).sum()
}

#[test]
fn b07_days_have_as_many_intervals_as_their_clocks_say() {
    let chicago = "America/Chicago";
    assert_eq!(count(chicago, 15, day(2026, 3, 8)), 92);
    assert_eq!(count(chicago, 15, day(2026, 11, 1)), 100);
    assert_eq!(count(chicago, 15, day(2026, 7, 1)), 96);
    assert_eq!(count(chicago, 60, day(2026, 3, 8)), 23);
    assert_eq!(count(chicago, 5, day(2026, 11, 1)), 300);
    // Half an hour, the other way round the year; and midnights that are no quarter-hours of UTC's hours.
    assert_eq!(count("Australia/Lord_Howe", 15, day(2026, 4, 5)), 98);
    assert_eq!(count("Australia/Lord_Howe", 15, day(2026, 10, 4)), 94);
    assert_eq!(count("Asia/Kathmandu", 15, day(2026, 10, 4)), 96);
    assert_eq!(count("Asia/Kathmandu", 60, day(2026, 10, 4)), 24);
    assert_eq!(count("Pacific/Chatham", 15, day(2026, 4, 5)), 100);
}

#[test]
fn every_interval_of_a_year_belongs_to_one_day() {
    let year = DateRange::new(date(2026, 1, 1), date(2027, 1, 1)).expect("a year");
    for zone in [
        "America/Chicago",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
        "Etc/GMT+12",
        "UTC",
    ] {
        for minutes in [5, 15, 30, 60] {
            let facts = meter_facts(zone, minutes);
            let spans = spans(&facts, year, later());
            assert_eq!(spans.len(), 365);
            for pair in spans.windows(2) {
                let end = pair[0].first + facts.interval.delta() * pair[0].count;
                assert_eq!(end, pair[1].first, "{zone}, {minutes} minutes, {}", pair[1].date);
            }
        }
    }
}

#[test]
fn only_what_has_ended_since_the_meter_was_installed_is_due() {
    let facts = meter_facts("UTC", 15);
    let today = day(2026, 6, 1);
    let due = |now: &str| spans(&facts, today, at(now)).first().map_or(0, |span| span.count);
    assert_eq!(due("2026-06-01T00:00:00Z"), 0);
    assert_eq!(due("2026-06-01T00:14:59Z"), 0);
    assert_eq!(due("2026-06-01T00:15:00Z"), 1);
    assert_eq!(due("2026-06-01T12:00:01Z"), 48);
    assert_eq!(due("2026-06-09T00:00:00Z"), 96);
    assert_eq!(spans(&facts, day(2025, 12, 31), later()), []);
}

fn readings(from: &str, energies: &[(i64, i64)]) -> BTreeMap<Instant, Value> {
    let start = at(from);
    energies
        .iter()
        .map(|(minute, energy_wh)| {
            let value = Value { energy_wh: *energy_wh, revision: 0, estimated: false };
            (start + chrono::TimeDelta::minutes(*minute), value)
        })
        .collect()
}

#[test]
fn a_short_gap_follows_the_line_between_its_ends() {
    let facts = meter_facts("UTC", 15);
    let span = spans(&facts, day(2026, 6, 1), later())[0];
    let known = readings("2026-06-01T00:00:00Z", &[(0, 100), (45, 131), (60, 7)]);
    let filled = intervals(&facts, span, &known);
    let first: Vec<(i64, Basis)> = filled[..5].iter().map(|i| (i.energy_wh, i.basis)).collect();
    use Basis::{Interpolated, Metered};
    // 110 1/3 and 120 2/3, rounded half up.
    assert_eq!(
        first,
        [(100, Metered), (110, Interpolated), (121, Interpolated), (131, Metered), (7, Metered)]
    );
    assert_eq!(filled[5].basis, Basis::Assumed, "nothing follows to draw a line to");
    assert_eq!(filled[5].energy_wh, 2_500_000);
    // Eight intervals are two hours, nine are more.
    let gap =
        |minute| intervals(&facts, span, &readings("2026-06-01T00:00:00Z", &[(0, 0), (minute, 90)]))[1].basis;
    assert_eq!((gap(135), gap(150)), (Interpolated, Basis::Assumed));
}

#[test]
fn a_long_gap_is_as_like_days_were() {
    let facts = meter_facts("UTC", 15);
    let span = spans(&facts, day(2026, 6, 29), later())[0];
    let of = |days: &[(i64, i64)]| {
        let minutes: Vec<(i64, i64)> = days.iter().map(|(back, wh)| (-back * 24 * 60, *wh)).collect();
        let first = intervals(&facts, span, &readings("2026-06-29T00:00:00Z", &minutes))[0];
        (first.energy_wh, first.basis)
    };
    assert_eq!(of(&[(7, 10), (21, 13), (1, 999), (35, 999)]), (12, Basis::LikeDays));
    assert_eq!(of(&[(1, 4), (6, 5), (8, 999)]), (5, Basis::LikeDays));
    assert_eq!(of(&[(9, 4)]), (2_500_000, Basis::Assumed));
}

#[test]
fn a_day_says_what_of_it_is_estimated() {
    let facts = meter_facts("UTC", 60);
    let span = spans(&facts, day(2026, 6, 1), later())[0];
    let mut known = readings("2026-06-01T00:00:00Z", &[(0, 100), (120, 300)]);
    known.insert(at("2026-06-01T03:00:00Z"), Value { energy_wh: 40, revision: 0, estimated: true });
    let day = filled_day(&facts, span, intervals(&facts, span, &known));
    assert_eq!((day.interval_count, day.supplied_count, day.missing_count), (24, 1, 21));
    // 200 on the line, 40 supplied, 20 assumed at 10 MW.
    assert_eq!(day.estimated_wh, 200 + 40 + 20 * 10_000_000);
    assert_eq!(day.energy_wh, day.estimated_wh + 400);
    assert_eq!((day.peak_w, day.peak_time), (10_000_000, at("2026-06-01T04:00:00Z")));
    assert!(day.spike, "300 is more than 180% above 40");
    assert_eq!(whole_day(&facts, span, &DayRead::of(span.first, known[&span.first])), None);
}
