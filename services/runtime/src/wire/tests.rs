use std::time::Duration;

use contracts::common::v1 as common;
use contracts::google::r#type as google;
use kernel::{Currency, Instant, Money, Violations};
use prost_types::Timestamp;

use super::*;

fn problems<T: std::fmt::Debug>(read: impl FnOnce(&mut Violations) -> Option<T>) -> Vec<String> {
    let mut v = Violations::new();
    let value = read(&mut v);
    let problems: Vec<String> = match v.finish() {
        Ok(()) => Vec::new(),
        Err(error) => error.violations().iter().map(|v| format!("{}: {}", v.field, v.description)).collect(),
    };
    assert_eq!(
        value.is_none(),
        !problems.is_empty(),
        "a missing value and a violation go together: {value:?}"
    );
    problems
}

fn timestamp(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

#[test]
fn request_ids_are_canonical_uuids() {
    let good = "0190c5a2-0000-7000-8000-000000000001";
    assert!(problems(|v| request_id(v, good)).is_empty());
    let mut v = Violations::new();
    assert_eq!(request_id(&mut v, &good.to_uppercase()), request_id(&mut v, good));
    for bad in [
        "",
        "x",
        "00000000-0000-0000-0000-000000000000",
        "0190c5a2000070008000000000000001",
        "{0190c5a2-0000-7000-8000-000000000001}",
        "urn:uuid:0190c5a2-0000-7000-8000-000000000001",
        " 0190c5a2-0000-7000-8000-00000000000",
    ] {
        assert_eq!(problems(|v| request_id(v, bad)).len(), 1, "{bad:?}");
    }
}

#[test]
fn page_sizes_have_a_default_and_a_bound() {
    let mut v = Violations::new();
    assert_eq!(page_size(&mut v, 0), Some(50));
    assert_eq!(page_size(&mut v, 7), Some(7));
    assert_eq!(page_size(&mut v, i32::MAX), Some(1_000));
    assert_eq!(problems(|v| page_size(v, -1)), ["page_size: must not be negative"]);
}

#[test]
fn enums_must_be_said_and_known() {
    assert_eq!(problems(|v| known::<common::Resource>(v, "resource", 0)), ["resource: is required"]);
    assert_eq!(
        problems(|v| known::<common::Resource>(v, "resource", 99)),
        ["resource: is not a known value"]
    );
    let mut v = Violations::new();
    assert_eq!(known(&mut v, "resource", 2), Some(common::Resource::AirCooling));
    assert_eq!(optional_known::<common::Resource>(&mut v, "resource", 0), Some(None));
}

#[test]
fn instants_are_kept_to_the_microsecond_within_the_known_years() {
    let mut v = Violations::new();
    let read = instant(&mut v, "t", timestamp(1_800_000_000, 123_456_789).as_ref()).unwrap();
    assert_eq!(to_timestamp(read), Timestamp { seconds: 1_800_000_000, nanos: 123_456_000 });
    for (seconds, nanos) in [(0, 0), (i64::MAX, 0), (1_800_000_000, -1), (1_800_000_000, 1_000_000_000)] {
        assert_eq!(
            problems(|v| instant(v, "t", timestamp(seconds, nanos).as_ref())).len(),
            1,
            "{seconds} {nanos}"
        );
    }
    assert_eq!(problems(|v| instant(v, "t", None)), ["t: is required"]);
    assert_eq!(optional_instant(&mut v, "t", None), Some(None));
}

#[test]
fn dates_are_days_of_the_calendar() {
    let read = |year, month, day| problems(|v| date(v, "d", Some(&google::Date { year, month, day })));
    assert!(read(2028, 2, 29).is_empty());
    for (year, month, day) in
        [(2027, 2, 29), (1999, 12, 31), (10_000, 1, 1), (2027, 0, 1), (2027, 1, 0), (2027, -1, 1)]
    {
        assert_eq!(read(year, month, day).len(), 1, "{year}-{month}-{day}");
    }
    let day = kernel::CivilDate::from_ymd_opt(2027, 3, 31).unwrap();
    assert_eq!(to_date(day), google::Date { year: 2027, month: 3, day: 31 });
    let (a, b) = (to_date(day), to_date(day.succ_opt().unwrap()));
    assert!(problems(|v| date_range(v, ("start_date", Some(&a)), ("end_date", Some(&b)))).is_empty());
    let reversed = problems(|v| date_range(v, ("start_date", Some(&b)), ("end_date", Some(&a))));
    assert_eq!(reversed, ["end_date: must end after it starts"]);
    assert_eq!(problems(|v| date_range(v, ("start_date", None), ("end_date", None))).len(), 2);
    assert_eq!(problems(|v| year_month(v, "billing_month", 2026, 13)).len(), 1);
}

#[test]
fn durations_lie_within_their_bounds() {
    let bounds = Duration::from_secs(60)..=Duration::from_secs(3_600);
    let read = |seconds, nanos| {
        problems(|v| duration(v, "d", Some(&prost_types::Duration { seconds, nanos }), bounds.clone()))
    };
    assert!(read(60, 0).is_empty() && read(3_600, 0).is_empty());
    for (seconds, nanos) in [(59, 999_999_999), (3_600, 1), (-60, 0), (i64::MAX, 0), (60, -1)] {
        assert_eq!(read(seconds, nanos), ["d: must be from 60 to 3600 seconds"], "{seconds} {nanos}");
    }
}

#[test]
fn money_is_exact_in_its_minor_unit() {
    let read = |code: &str, units, nanos| {
        let mut v = Violations::new();
        money(&mut v, "m", Some(&google::Money { currency_code: code.to_owned(), units, nanos }))
    };
    let usd = Currency::USD;
    for (units, nanos, minor) in
        [(1, 230_000_000, 123), (-1, -230_000_000, -123), (0, -10_000_000, -1), (0, 0, 0)]
    {
        assert_eq!(read("USD", units, nanos), Some(Money::new(minor, usd)));
        let back = to_money(Money::new(minor, usd));
        assert_eq!((back.units, back.nanos, back.currency_code.as_str()), (units, nanos, "USD"));
    }
    assert_eq!(to_money(Money::new(i64::MIN, usd)).units, i64::MIN / 100);
    assert!(read("JPY", 5, 0).is_some());
    for (code, units, nanos) in [
        ("USD", 1, 1),
        ("USD", 1, -10_000_000),
        ("USD", -1, 10_000_000),
        ("USD", 0, 1_000_000_000),
        ("JPY", 0, 10_000_000),
        ("USD", i64::MAX, 0),
        ("usd", 1, 0),
        ("", 1, 0),
        ("XXX1", 1, 0),
    ] {
        assert_eq!(read(code, units, nanos), None, "{code} {units} {nanos}");
    }
}

#[test]
fn rates_are_decimals_and_nothing_else() {
    let read = |text: &str| {
        let mut v = Violations::new();
        rate(&mut v, "rate", Some(&google::Decimal { value: text.to_owned() }))
    };
    assert_eq!(to_decimal(read("128.0200").unwrap()).value, "128.02");
    for text in ["", "-1", "NaN", "1e5", "١", "1_000", "0x10", "1.00000000001", " 1", "1 ", "1,5", "inf"] {
        assert_eq!(read(text), None, "{text:?}");
    }
    let mut v = Violations::new();
    assert_eq!(optional_rate(&mut v, "rate", None), Some(None));
    assert!(percent(&mut v, "percent", Some(&google::Decimal { value: "3".to_owned() })).is_some());
}

#[test]
fn every_lane_of_a_vector_is_judged() {
    let vector = common::CapacityVector {
        critical_it_kw: -1,
        air_cooling_kw: 0,
        liquid_cooling_kw: i64::MAX,
        immersion_cooling_kw: 5,
        accelerators: -8,
    };
    let told = problems(|v| capacity(v, "capacity", Some(&vector)));
    assert_eq!(told.len(), 3);
    assert!(told[2].starts_with("capacity.accelerators: "), "{told:?}");
    assert!(told[1].starts_with("capacity.liquid_cooling_kw: "), "{told:?}");
    let good = common::CapacityVector { critical_it_kw: 1, liquid_cooling_kw: 0, accelerators: 8, ..vector };
    let mut v = Violations::new();
    let read = capacity(&mut v, "capacity", Some(&good)).unwrap();
    assert_eq!(to_capacity(read), good);
}

fn step(seconds: i64, kw: i64) -> common::CapacityStep {
    common::CapacityStep {
        start_time: timestamp(seconds, 0),
        capacity: Some(common::CapacityVector {
            critical_it_kw: kw,
            liquid_cooling_kw: kw,
            ..Default::default()
        }),
    }
}

#[test]
fn profiles_rise_and_end() {
    let read = |steps: Vec<common::CapacityStep>, end: i64| {
        let profile = common::CapacityProfile { steps, end_time: timestamp(end, 0) };
        problems(|v| profile_of(v, &profile))
    };
    let (a, b) = (1_800_000_000, 1_900_000_000);
    assert!(read(vec![step(a, 1), step(b, 2)], b + 1).is_empty());
    assert_eq!(read(vec![], b), ["p.steps: must be 1 to 1000 steps"]);
    assert_eq!(read(vec![step(a, 1); 1_001], b), ["p.steps: must be 1 to 1000 steps"]);
    assert_eq!(read(vec![step(b, 1), step(a, 2)], b + 1), ["p.steps: must rise strictly by start_time"]);
    assert_eq!(read(vec![step(a, 1), step(a, 2)], b), ["p.steps: must rise strictly by start_time"]);
    assert_eq!(read(vec![step(a, 1)], a), ["p.end_time: must be later than every step's start"]);
    assert_eq!(read(vec![step(a, 1), step(b, -1)], 0).len(), 3);
    assert!(read(vec![step(a, 1), step(b, -1)], b + 1)[0].starts_with("p.steps[1].capacity.critical_it_kw"));
}

fn profile_of(v: &mut Violations, message: &common::CapacityProfile) -> Option<usize> {
    profile(v, "p", Some(message)).map(|(_, steps)| steps.len())
}

#[test]
fn a_profile_survives_the_wire() {
    let at = |seconds| Instant::from_timestamp(seconds, 0).unwrap();
    let over = kernel::Interval::new(at(1_800_000_000), at(1_900_000_000)).unwrap();
    let vector = kernel::CapacityVector::new(5, 0, 5, 0).unwrap();
    let function = kernel::StepFunction::constant_over(over, vector);
    let message = to_profile(over, &function);
    let mut v = Violations::new();
    assert_eq!(profile(&mut v, "p", Some(&message)), Some((over, vec![(over.start(), vector)])));
}
