use crate::domain::usage::{Basis, UsageDay};
use kernel::Rate;

use super::*;
use crate::domain::plan::Sharer;
use crate::domain::sample::{date, month, usd};

fn meter(id: &str) -> MeterId {
    id.parse().expect("a slug")
}

fn evidence(id: &str, energy_wh: i64, peak_w: i64) -> Evidence {
    Evidence { meter: meter(id), batch: 1, energy_wh, estimated_wh: 0, missing_count: 0, peak_w }
}

fn component(code: &str, price: Price) -> Component {
    Component { code: code.to_owned(), from: date(2026, 1, 1), until: None, price, source: String::new() }
}

fn rate_of(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn facility(allocation: Allocation, cap: Option<&str>) -> Facility {
    let sharer = |id: &str, contracted_kw| Sharer { meter: meter(id), contracted_kw };
    Facility {
        meter: meter("utility"),
        sharers: vec![sharer("hall-one", 30_000), sharer("hall-two", 10_000)],
        allocation,
        pue_cap: cap.map(rate_of),
    }
}

/// June 2027 of hall one, with 75 % of the IT energy, at a PUE of 1.5.
fn june(allocation: Allocation, cap: Option<&str>, days: DateRange) -> UsageInputs {
    UsageInputs {
        plan: "plan-one".parse().expect("a slug"),
        rule: UsageRule {
            tariff: "tariff-one".parse().expect("a slug"),
            meter: meter("hall-one"),
            facility: Some(facility(allocation, cap)),
            estimates: EstimatePolicy::Bill,
            coincident_kw: 0,
            correction_months: 24,
        },
        days,
        tariff: "tariff-one".parse().expect("a slug"),
        tariff_version: 1,
        components: vec![
            component("customer", Price::Fixed { per_month: rate_of("1000") }),
            component("energy", Price::Energy { per_kwh: rate_of("0.05") }),
        ],
        currency: usd(),
        zone: Zone::UTC,
        own: evidence("hall-one", 3_000_000, 9_000),
        facility: Some(evidence("utility", 6_000_000, 20_000)),
        sharers: vec![evidence("hall-one", 3_000_000, 9_000), evidence("hall-two", 1_000_000, 4_000)],
        weight: (3, 4),
        contracted_kw: 30_000,
        year_before_wh: 0,
    }
}

fn amounts(inputs: &UsageInputs) -> Vec<(String, i64)> {
    let start = inputs.zone.start_of_day(inputs.days.start());
    let energy = Metered { start, energy_wh: inputs.own.energy_wh, index_per_kwh: None };
    let wholes = inputs.charge(&[energy]).expect("computable");
    wholes.into_iter().map(|whole| (whole.item, whole.amount.minor)).collect()
}

#[test]
fn a_tenant_pays_its_part_of_a_facility_up_to_the_cap() {
    let days = month(2027, 6).range().expect("a month");
    let wanted = |customer, energy| vec![("customer".to_owned(), customer), ("energy".to_owned(), energy)];
    // 3,000 kWh x 1.5 x 0.05, and three quarters of 1,000.
    assert_eq!(amounts(&june(Allocation::Energy, None, days)), wanted(75_000, 22_500));
    // At most 1.3 of them: the landlord bears 0.2 x 3,000 x 0.05.
    let capped = june(Allocation::Energy, Some("1.3"), days);
    assert_eq!(amounts(&capped), wanted(75_000, 19_500));
    let energy =
        Metered { start: Zone::UTC.start_of_day(days.start()), energy_wh: 3_000_000, index_per_kwh: None };
    let wholes = capped.charge(&[energy]).expect("computable");
    assert_eq!(capped.absorbed(&[energy], &wholes[1]), Ok(Money::new(3_000, usd())));
    // Half a month: monthly prices by the day.
    let half = DateRange::new(date(2027, 6, 16), date(2027, 7, 1)).expect("days");
    assert_eq!(amounts(&june(Allocation::Energy, None, half))[0], ("customer".to_owned(), 37_500));
}

fn measured(id: &str, energies_wh: &[i64]) -> Measured {
    let start = Zone::UTC.start_of_day(date(2027, 6, 1));
    let intervals: Vec<_> = (0..)
        .zip(energies_wh)
        .map(|(at, energy_wh)| super::super::usage::UsageInterval {
            start: start + chrono::TimeDelta::hours(at),
            energy_wh: *energy_wh,
            basis: Basis::Metered,
        })
        .collect();
    let day = UsageDay {
        date: date(2027, 6, 1),
        energy_wh: energies_wh.iter().sum(),
        estimated_wh: 0,
        peak_w: energies_wh.iter().copied().max().unwrap_or(0),
        peak_time: start,
        interval_count: 0,
        supplied_count: 0,
        missing_count: 0,
        spike: false,
        intervals,
    };
    Measured { meter: meter(id), batch: 1, days: vec![day] }
}

#[test]
fn what_is_shared_is_divided_by_energy_by_peak_or_by_contract() {
    // Together most in the second hour, though hall one takes more in the third.
    let sharers = [measured("hall-one", &[1, 5, 7]), measured("hall-two", &[1, 15, 1])];
    let of = |allocation, own: &str| weight(&facility(allocation, None), &meter(own), &sharers);
    assert_eq!(
        (of(Allocation::Energy, "hall-one"), of(Allocation::Energy, "hall-two")),
        ((13, 30), (17, 30))
    );
    assert_eq!((of(Allocation::Peak, "hall-one"), of(Allocation::Peak, "hall-two")), ((5, 20), (15, 20)));
    assert_eq!(of(Allocation::ContractedKw, "hall-one"), (30_000, 40_000));
    // Nobody took anything: all alike.
    let idle = [measured("hall-one", &[0]), measured("hall-two", &[0])];
    assert_eq!(weight(&facility(Allocation::Peak, None), &meter("hall-one"), &idle), (1, 2));
}

#[test]
fn months_days_and_loads_are_those_of_the_block() {
    let months = months_before(month(2027, 3));
    assert_eq!(
        (months.len(), months.first(), months.last()),
        (24, Some(&month(2025, 3)), Some(&month(2027, 2)))
    );
    let days = DateRange::new(date(2027, 6, 10), date(2027, 6, 20)).expect("days");
    let step = |day, kw| kernel::QuantityStep { from: date(2027, 6, day), kw };
    let steps = [step(1, 100), step(15, 300), step(20, 900)];
    assert_eq!(contracted_kw(&steps, days), 300);
    assert_eq!(year_before(days).map(|days| days.days()), Some(160));
    assert_eq!(year_before(DateRange::new(date(2027, 1, 1), date(2027, 2, 1)).expect("days")), None);
    assert!(is_over(days, Zone::UTC, Zone::UTC.start_of_day(date(2027, 6, 20))));
    assert!(!is_over(days, Zone::UTC, Zone::UTC.start_of_day(date(2027, 6, 19))));
}
