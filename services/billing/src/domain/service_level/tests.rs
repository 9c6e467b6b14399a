use kernel::Uuid;
use proptest::prelude::*;

use super::*;
use crate::domain::sample::{date, usd};

/// June 2027: 30 days.
fn june() -> DateRange {
    DateRange::new(date(2027, 6, 1), date(2027, 7, 1)).expect("a month")
}

fn outage(id: u128, kind: ServiceKind, day: i64, minute: i64, minutes: i64) -> Outage {
    let start = Zone::UTC.start_of_day(date(2027, 6, 1)) + chrono::TimeDelta::minutes(day * 1_440 + minute);
    Outage {
        incident: IncidentId::new(Uuid::from_u128(id)),
        kind,
        start,
        end: start + chrono::TimeDelta::minutes(minutes),
        measured_minutes: None,
        all_feeds_down: Some(true),
        temperature_max: None,
    }
}

fn power(id: u128, day: i64, minutes: i64) -> Outage {
    outage(id, ServiceKind::Power, day, 600, minutes)
}

fn rule(kind: ServiceKind, trigger: Trigger, days: i64) -> CreditRule {
    CreditRule { kind, trigger, days, further: None, days_max: None, warmer_than: None }
}

fn percent(text: &str) -> Percent {
    text.parse().expect("a percentage")
}

/// The default wholesale table.
fn wholesale() -> ServiceLevel {
    let below = Trigger::AvailabilityBelow(percent("99.999"));
    let further = Some(Further { minutes: 15, days: 1 });
    ServiceLevel {
        rules: vec![
            CreditRule { further, days_max: Some(9), ..rule(ServiceKind::Power, below, 1) },
            rule(ServiceKind::Power, Trigger::AtLeast(240), 10),
            rule(ServiceKind::Cooling, Trigger::Over(30), 1),
            rule(ServiceKind::Cooling, Trigger::Over(240), 5),
        ],
        cap: percent("50"),
        single_feed_counts: false,
    }
}

/// 3,000,000.00 a month: 100,000.00 a day.
fn credit(level: &ServiceLevel, outages: &[Outage]) -> Credit {
    level.credit(outages, june(), Zone::UTC, Money::new(300_000_000, usd())).expect("in range")
}

fn days(level: &ServiceLevel, outages: &[Outage]) -> i64 {
    credit(level, outages).days
}

#[test]
fn power_gives_a_day_and_one_for_each_further_quarter_of_an_hour() {
    let level = wholesale();
    // A millionth of 43,200 minutes is 25.92 seconds: one minute is more.
    for (minutes, wanted) in [(1, 1), (15, 1), (16, 2), (45, 3), (46, 4), (239, 9), (240, 10), (2_000, 10)] {
        assert_eq!(days(&level, &[power(1, 3, minutes)]), wanted, "{minutes} minutes");
    }
    assert_eq!(credit(&level, &[power(1, 3, 16)]).amount, Money::new(20_000_000, usd()));
    // Whether both feeds were down must be known.
    for known in [None, Some(false)] {
        let one_feed = Outage { all_feeds_down: known, ..power(1, 3, 16) };
        assert_eq!(days(&level, std::slice::from_ref(&one_feed)), 0);
        let lenient = ServiceLevel { single_feed_counts: true, ..wholesale() };
        assert_eq!(days(&lenient, &[one_feed]), 2);
    }
    // One of the month before, one of the month after.
    assert_eq!(days(&level, &[power(1, -1, 60), power(2, 30, 60)]), 0);
}

#[test]
fn credits_do_not_stack() {
    let level = wholesale();
    // Power for four hours, and cooling at the same time: the larger counts.
    let cooling = outage(2, ServiceKind::Cooling, 3, 630, 31);
    assert_eq!(days(&level, &[power(1, 3, 240), cooling]), 10);
    // Cooling on another day adds up.
    let later = outage(3, ServiceKind::Cooling, 9, 0, 241);
    assert_eq!(days(&level, &[power(1, 3, 240), later]), 15);
}

#[test]
fn a_month_with_several_interruptions_and_a_hot_aisle() {
    let further = Some(Further { minutes: 1_440, days: 1 });
    let hot =
        CreditRule { further, warmer_than: Some(350), ..rule(ServiceKind::Cooling, Trigger::Over(90), 1) };
    let level = ServiceLevel {
        rules: vec![
            rule(ServiceKind::Power, Trigger::Over(15), 1),
            rule(ServiceKind::Power, Trigger::OutagesOver(1), 1),
            hot,
        ],
        cap: percent("50"),
        single_feed_counts: false,
    };
    assert_eq!(days(&level, &[power(1, 3, 15)]), 0, "not over 15 minutes, and not more than one");
    assert_eq!(days(&level, &[power(1, 3, 16)]), 1);
    assert_eq!(days(&level, &[power(1, 3, 5), power(2, 4, 5)]), 1);
    let warm = |temperature_max| Outage { temperature_max, ..outage(3, ServiceKind::Cooling, 1, 0, 3_000) };
    assert_eq!(days(&level, &[warm(Some(351))]), 3, "90 minutes, and two days more");
    assert_eq!((days(&level, &[warm(Some(350))]), days(&level, &[warm(None)])), (0, 0));
    let measured = Outage { measured_minutes: Some(91), ..warm(Some(400)) };
    assert_eq!(days(&level, &[measured]), 1);
}

#[test]
fn no_more_than_the_cap_is_given_back() {
    let outages: Vec<Outage> =
        (0_u32..4).map(|day| power(u128::from(day), i64::from(day) * 3, 300)).collect();
    let credit = credit(&wholesale(), &outages);
    assert_eq!((credit.days, credit.capped), (40, true));
    assert_eq!((credit.amount, credit.cap), (Money::new(150_000_000, usd()), Money::new(150_000_000, usd())));
}

proptest! {
    #[test]
    fn a_credit_is_never_more_than_the_cap_nor_the_rent(
        rent in 0_i64..1_000_000_000_000,
        cap in 0_u32..=100,
        lasting in prop::collection::vec((0_i64..30, 0_i64..1_440, 1_i64..5_000, any::<bool>()), 0..12),
    ) {
        let level = ServiceLevel { cap: percent(&cap.to_string()), ..wholesale() };
        let outages: Vec<Outage> = (1_u128..)
            .zip(lasting)
            .map(|(id, (day, minute, minutes, power))| {
                let kind = if power { ServiceKind::Power } else { ServiceKind::Cooling };
                outage(id, kind, day, minute, minutes)
            })
            .collect();
        let rent = Money::new(rent, usd());
        let credit = level.credit(&outages, june(), Zone::UTC, rent).expect("in range");
        prop_assert!(credit.amount.minor >= 0);
        prop_assert!(credit.amount.minor <= credit.cap.minor);
        prop_assert!(credit.amount.minor <= rent.minor);
    }
}
