//! Dates, instants, and the zones between them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kernel::time::{
    TimeError, add_months, first_of_month_on_or_after, max_instant, min_instant, months_between,
};
use kernel::{CivilDate, Clock, DateRange, Instant, Interval, SystemClock, TestClock, YearMonth, Zone};
use proptest::prelude::*;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn zone(text: &str) -> Zone {
    text.parse().unwrap()
}

fn any_date() -> impl Strategy<Value = CivilDate> {
    (0..3_000_000_i64).prop_map(|days| date("2000-01-01") + chrono::TimeDelta::days(days % 2_900_000))
}

#[test]
fn months_are_added_from_the_anchor() {
    for (anchor, months, expected) in [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2027-01-31", 2, "2027-03-31"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2027-03-31", -1, "2027-02-28"),
        ("2026-12-01", 120, "2036-12-01"),
    ] {
        assert_eq!(add_months(date(anchor), months), Some(date(expected)), "{anchor} + {months}");
    }
    assert_eq!(add_months(date("9999-12-01"), 1), None);
    assert_eq!(add_months(date("2000-01-31"), -1), None);
    assert_eq!(add_months(date("2026-01-01"), i32::MAX), None);
    assert_eq!(add_months(date("2026-01-01"), i32::MIN), None);
}

#[test]
fn the_first_on_or_after_a_date() {
    for (given, expected) in
        [("2027-10-24", "2027-11-01"), ("2027-07-01", "2027-07-01"), ("2027-12-31", "2028-01-01")]
    {
        assert_eq!(first_of_month_on_or_after(date(given)), Some(date(expected)));
    }
    assert_eq!(first_of_month_on_or_after(date("9999-12-02")), None);
}

proptest! {
    #[test]
    fn whole_months_are_counted_as_they_are_added(anchor in any_date(), days in -20_000..20_000_i64) {
        let other = anchor + chrono::TimeDelta::days(days);
        let n = months_between(anchor, other);
        if let Some(reached) = add_months(anchor, n) {
            prop_assert!(reached <= other);
        }
        if let Some(beyond) = add_months(anchor, n + 1) {
            prop_assert!(beyond > other);
        }
    }

    #[test]
    fn ranges_intersect_as_their_days_do(a in any_date(), b in -40..40_i64, m in 1..60_i64, n in 1..60_i64) {
        let days = chrono::TimeDelta::days;
        let (Ok(x), Ok(y)) = (
            DateRange::new(a, a + days(m)),
            DateRange::new(a + days(b), a + days(b + n)),
        ) else { return Ok(()); };
        let common = x.start().iter_days().take(60).filter(|day| x.contains(*day) && y.contains(*day)).count();
        let found = x.intersection(&y);
        prop_assert_eq!(found.map_or(0, |range| range.days()), i64::try_from(common).unwrap());
        prop_assert_eq!(found.is_some(), x.overlaps(&y));
    }

    /// A day lasts from its start to the start of the next, and both ways of asking agree on it.
    #[test]
    fn days_and_instants_agree(days in 0..36_500_i64, seconds in 0..86_400_i64, tz in prop::sample::select(ZONES)) {
        let zone = zone(tz);
        let day = date("2000-06-01") + chrono::TimeDelta::days(days);
        let (start, next) = (zone.start_of_day(day), zone.start_of_day(day.succ_opt().unwrap()));
        prop_assert!(start <= next);
        let instant = start + chrono::TimeDelta::seconds(seconds);
        if instant < next {
            prop_assert_eq!(zone.date_of(instant), day);
        }
        let found = zone.date_of(instant);
        prop_assert!(zone.start_of_day(found) <= instant);
        prop_assert!(instant < zone.start_of_day(found.succ_opt().unwrap()));
    }
}

/// Zones with clock changes at 02:00, at midnight, just after midnight, of half an hour, of a whole day, and without.
const ZONES: &[&str] = &[
    "America/Chicago",
    "America/New_York",
    "Europe/Oslo",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
];

#[test]
fn days_have_23_24_or_25_hours() {
    for (tz, day, hours) in [
        ("America/Chicago", "2026-03-08", 23),
        ("America/Chicago", "2026-11-01", 25),
        ("America/Chicago", "2026-12-01", 24),
        ("Europe/Oslo", "2027-03-28", 23),
        // Clocks skip midnight: the day begins at 01:00.
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("Africa/Cairo", "2024-04-26", 23),
        ("Asia/Beirut", "2022-03-27", 23),
        // Midnight comes twice: the day begins at the first.
        ("America/Havana", "2025-11-02", 25),
    ] {
        let range = DateRange::new(date(day), date(day).succ_opt().unwrap()).unwrap();
        let interval = range.to_interval(zone(tz)).unwrap();
        assert_eq!(interval.duration().num_hours(), hours, "{tz} {day}");
    }
    assert_eq!(zone("America/Chicago").start_of_day(date("2026-12-01")), at("2026-12-01T06:00:00Z"));
    assert_eq!(zone("America/Sao_Paulo").start_of_day(date("2018-11-04")), at("2018-11-04T03:00:00Z"));
}

#[test]
fn a_day_that_a_zone_skipped_has_no_interval() {
    let apia = zone("Pacific/Apia");
    let skipped = DateRange::new(date("2011-12-30"), date("2011-12-31")).unwrap();
    assert_eq!(skipped.to_interval(apia), Err(TimeError::EndNotAfterStart));
    let around = DateRange::new(date("2011-12-29"), date("2012-01-01")).unwrap();
    assert_eq!(around.to_interval(apia).unwrap().duration().num_hours(), 48);
}

/// In St John's clocks went back from 00:01 to 23:01: the new date, once begun, stays.
#[test]
fn dates_never_go_back() {
    let zone = zone("America/St_Johns");
    let mut before = date("2010-11-05");
    for minute in 0..3 * 24 * 60 {
        let found = zone.date_of(at("2010-11-06T02:30:00Z") + chrono::TimeDelta::minutes(minute));
        assert!(found >= before);
        before = found;
    }
}

#[test]
fn zones_are_iana_names() {
    assert_eq!("Mars/Olympus".parse::<Zone>(), Err(TimeError::UnknownZone));
    assert_eq!("".parse::<Zone>(), Err(TimeError::UnknownZone));
    assert_eq!(zone("America/Chicago").to_string(), "America/Chicago");
    assert_eq!(serde_json::to_string(&zone("Europe/Oslo")).unwrap(), r#""Europe/Oslo""#);
}

#[test]
fn intervals_are_half_open_and_never_empty() {
    let (noon, one) = (at("2027-01-01T12:00:00Z"), at("2027-01-01T13:00:00Z"));
    assert_eq!(Interval::new(noon, noon), Err(TimeError::EndNotAfterStart));
    assert_eq!(Interval::new(one, noon), Err(TimeError::EndNotAfterStart));
    // Less than a microsecond apart is the same instant.
    assert_eq!(Interval::new(noon, at("2027-01-01T12:00:00.000000900Z")), Err(TimeError::EndNotAfterStart));
    assert_eq!(Interval::new(at("1999-12-31T23:59:59Z"), noon), Err(TimeError::OutOfRange));
    assert_eq!(Interval::new(noon, at("9999-12-31T00:00:00.000001Z")), Err(TimeError::OutOfRange));
    assert!(Interval::new(min_instant(), max_instant()).is_ok());
    let hour = Interval::new(noon, one).unwrap();
    assert!(hour.contains(noon) && !hour.contains(one));
    let next = Interval::new(one, at("2027-01-01T14:00:00Z")).unwrap();
    assert!(!hour.overlaps(&next) && hour.intersection(&next).is_none());
    let json = serde_json::to_string(&hour).unwrap();
    assert_eq!(json, r#"{"start":"2027-01-01T12:00:00Z","end":"2027-01-01T13:00:00Z"}"#);
    assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), hour);
    let offset = r#"{"start":"2027-01-01T13:00:00+01:00","end":"2027-01-01T14:00:00+01:00"}"#;
    assert_eq!(serde_json::from_str::<Interval>(offset).unwrap(), hour);
    assert!(
        serde_json::from_str::<Interval>(r#"{"start":"2027-01-01T13:00:00Z","end":"2027-01-01T12:00:00Z"}"#)
            .is_err()
    );
}

#[test]
fn date_ranges_refuse_what_intervals_refuse() {
    let range = DateRange::new(date("2026-12-01"), date("2036-12-01")).unwrap();
    assert_eq!((range.last_day(), range.days()), (date("2036-11-30"), 3_653));
    assert_eq!(DateRange::of_months(date("2026-12-01"), 120), Ok(range));
    assert_eq!(DateRange::of_months(date("2026-12-01"), 0), Err(TimeError::EndNotAfterStart));
    assert_eq!(DateRange::of_months(date("2026-12-01"), u32::MAX), Err(TimeError::OutOfRange));
    assert_eq!(DateRange::new(date("1999-12-31"), date("2026-12-01")), Err(TimeError::OutOfRange));
    assert!(serde_json::from_str::<DateRange>(r#"{"start":"2027-01-01","end":"2027-01-01"}"#).is_err());
}

#[test]
fn months_of_the_calendar() {
    let december: YearMonth = "2026-12".parse().unwrap();
    assert_eq!(december, YearMonth::of(date("2026-12-31")));
    assert_eq!((december.year(), december.month(), december.days()), (2026, 12, 31));
    assert_eq!(december.next().unwrap().to_string(), "2027-01");
    assert_eq!(YearMonth::new(2028, 2).unwrap().days(), 29);
    assert_eq!(YearMonth::new(9999, 12).unwrap().days(), 31);
    assert_eq!(YearMonth::new(9999, 12).unwrap().next(), None);
    for bad in ["2026-13", "2026-0", "2026-1", "026-012", "+026-12", "1999-12", "2026/12", ""] {
        assert_eq!(bad.parse::<YearMonth>(), Err(TimeError::NotAMonth), "{bad}");
    }
    let last = DateRange::new(date("9999-12-01"), date("9999-12-31")).unwrap();
    assert_eq!(last.months().map(|(_, part)| part).collect::<Vec<_>>(), [last]);
}

#[test]
fn a_test_clock_stands_still_until_it_is_moved() {
    let clock = TestClock::new(at("2026-11-30T18:00:00Z"));
    let shared = clock.clone();
    assert_eq!(clock.now(), clock.now());
    assert_eq!(shared.advance(chrono::TimeDelta::days(1)), Ok(at("2026-12-01T18:00:00Z")));
    assert_eq!(clock.now(), at("2026-12-01T18:00:00Z"));
    assert_eq!(clock.advance_to(at("2026-12-01T00:00:00Z")), Err(TimeError::Backwards));
    assert_eq!(clock.advance(chrono::TimeDelta::days(-1)), Err(TimeError::Backwards));
    assert_eq!(clock.now(), at("2026-12-01T18:00:00Z"));
    clock.set(at("2026-11-01T00:00:00Z"));
    assert_eq!(shared.now(), at("2026-11-01T00:00:00Z"));
}

#[test]
fn the_system_clock_goes_by_microseconds() {
    let now = SystemClock.now();
    assert!(now > at("2024-01-01T00:00:00Z"));
    assert_eq!(now.timestamp_subsec_nanos() % 1_000, 0);
}
