use kernel::{CivilDate, DateRange, YearMonth};
use proptest::prelude::*;

use super::*;
use crate::domain::sample::{date, month, usd};
use crate::domain::tariff::Published;

fn zone() -> Zone {
    "America/Chicago".parse().expect("a zone")
}

fn cycle(month: YearMonth) -> DateRange {
    month.range().expect("a month")
}

/// A month at a constant load, by the hour.
fn flat(month: YearMonth, zone: Zone, kw: i64) -> Load {
    let days = cycle(month);
    let (mut start, end) = (zone.start_of_day(days.start()), zone.start_of_day(days.end()));
    let mut intervals = Vec::new();
    while start < end {
        intervals.push(Metered { start, energy_wh: kw * 1_000, index_per_kwh: None });
        start += chrono::TimeDelta::hours(1);
    }
    Load {
        cycle: days,
        charged: days,
        intervals,
        billable: Exact::from(1),
        share: Exact::from(1),
        peak_w: kw * 1_000,
        coincident_w: kw * 1_000,
        contracted_kw: kw,
        year_before_wh: 0,
    }
}

fn component(code: &str, from: CivilDate, price: Price) -> Component {
    Component { code: code.to_owned(), from, until: None, price, source: String::new() }
}

fn rate_of(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn fixed(per_month: &str) -> Price {
    Price::Fixed { per_month: rate_of(per_month) }
}

fn amounts(components: &[Component], load: &Load) -> Vec<(String, i64)> {
    let lines = rate(components, load, usd(), zone()).expect("computable");
    lines.into_iter().map(|line| (line.code, line.amount.minor)).collect()
}

fn published(id: &str) -> Published {
    let all = Published::all().expect("the file reads");
    all.into_iter().find(|tariff| tariff.id.as_str() == id).expect("it is in the file")
}

#[test]
fn every_published_tariff_means_something() {
    let all = Published::all().expect("the file reads");
    assert_eq!(all.len(), 6);
    for tariff in all {
        for component in &tariff.components {
            assert_eq!(component.check(), Ok(()), "{} {}", tariff.id, component.code);
            assert!(!component.source.is_empty());
        }
    }
}

#[test]
fn b10_comed_above_ten_megawatts() {
    let comed = published("comed-high-voltage");
    let (mut fixed_and_demand, mut tax) = (0, 0);
    for m in 1..=12 {
        // 300 MW contracted and metered at its peak, 90 % of it all year: 8,760 hours whatever the clocks do.
        let mut load = flat(month(2026, m), zone(), 270_000);
        load.peak_w = 300_000_000;
        for line in rate(&comed.components, &load, usd(), comed.facts.zone).expect("computable") {
            if line.code == "distribution-tax" {
                tax += line.amount.minor;
            } else {
                fixed_and_demand += line.amount.minor;
            }
        }
        let lines = rate(&comed.components, &load, usd(), zone()).expect("computable");
        let sum = |codes: &[&str]| -> i64 {
            lines.iter().filter(|l| codes.contains(&l.code.as_str())).map(|l| l.amount.minor).sum()
        };
        assert_eq!(sum(&["customer", "metering"]), 75_173);
        assert_eq!(sum(&["hv-facilities", "hv-transformer"]), 94_800_000);
    }
    assert_eq!((fixed_and_demand, tax), (1_138_502_076, 293_284_800));
    assert_eq!(fixed_and_demand + tax, 1_431_786_876);
}

#[test]
fn b11_dominion_bills_a_floor_and_asks_for_collateral() {
    let dominion = published("dominion-gs5");
    let terms = &dominion.facts.terms;
    let percent = |text: &str| text.parse::<Percent>().expect("a percentage");
    let collateral =
        |reduction| terms.collateral(100_000, percent(reduction), usd()).map(|money| money.minor);
    assert_eq!(collateral("0"), Some(15_000_000_000));
    assert_eq!(collateral("70"), Some(4_500_000_000));
    assert_eq!((collateral("71"), collateral("-1")), (None, None));
    assert!(terms.serves(25_000) && !terms.serves(20_000));
    let mut load = flat(month(2027, 1), zone(), 10_000);
    load.contracted_kw = 100_000;
    let lines = rate(&dominion.components, &load, usd(), dominion.facts.zone).expect("computable");
    let kw: Vec<(&str, Exact)> = lines.iter().map(|l| (l.code.as_str(), l.quantity.clone())).collect();
    let floor = |kw: i64| Exact::from(kw);
    assert_eq!(
        kw,
        [("distribution", floor(85_000)), ("generation", floor(60_000)), ("transmission", floor(85_000))]
    );
    load.peak_w = 92_000_000;
    let above = rate(&dominion.components, &load, usd(), dominion.facts.zone).expect("computable");
    assert!(above.iter().all(|line| line.quantity == floor(92_000)));
}

#[test]
fn b13_new_yorks_excise_is_marginal() {
    let new_york = published("new-york-mining-excise");
    let Price::Excise { brackets, .. } = &new_york.components[0].price else { panic!("an excise") };
    for (kwh, cents) in [
        (2_250_000, 0),
        (2_250_001, 2),
        (5_000_000, 5_500_000),
        (10_000_000, 20_500_000),
        (20_000_000, 60_500_000),
        (100_000_000, 460_500_000),
        (499_320_000, 2_457_100_000),
    ] {
        let tax = excise(brackets, &Exact::from(kwh)).to_money(usd());
        assert_eq!(tax, Some(Money::new(cents, usd())), "{kwh} kWh");
    }
    // Month by month the year comes to the same: 60 MW at 95 % for 365 days.
    let (mut sum, mut before) = (0, 0);
    for m in 1..=12 {
        let load = Load { year_before_wh: before, ..flat(month(2027, m), new_york.facts.zone, 57_000) };
        let lines = rate(&new_york.components, &load, usd(), new_york.facts.zone).expect("computable");
        sum += lines.iter().map(|line| line.amount.minor).sum::<i64>();
        before += load.intervals.iter().map(|i| i.energy_wh).sum::<i64>();
    }
    assert_eq!((before, sum), (499_320_000_000, 2_457_100_000));
}

#[test]
fn oncors_transmission_factor_changes_in_the_month() {
    let oncor = published("oncor-transmission");
    let load = flat(month(2026, 10), zone(), 100_000);
    let lines = rate(&oncor.components, &load, usd(), oncor.facts.zone).expect("computable");
    let tcrf: Vec<(i64, i64, i64)> =
        lines.iter().filter(|l| l.code == "tcrf").map(|l| (l.days.0, l.days.1, l.amount.minor)).collect();
    // 100,000 x 3.491759 x 3/31 and 100,000 x 6.260839 x 28/31.
    assert_eq!(tcrf, [(3, 31, 3_379_122), (28, 31, 56_549_514)]);
    let credit = lines.iter().find(|l| l.code == "interim-surcharge").expect("a credit");
    assert_eq!(credit.amount.minor, -1_824_950);
    // A flat load pays 6.260839 x 12 / 8.76 = 8.58 a MWh for transmission.
    let november = rate(&oncor.components, &flat(month(2026, 11), zone(), 1_000), usd(), zone());
    let line = november.expect("computable").into_iter().find(|l| l.code == "tcrf").expect("a line");
    assert_eq!(line.amount.minor * 12 * 100 / 876, 857_649);
}

#[test]
fn a_change_in_the_month_is_charged_by_the_day() {
    let start = date(2026, 1, 1);
    let components =
        [component("customer", start, fixed("310")), component("customer", date(2026, 1, 11), fixed("620"))];
    let load = flat(month(2026, 1), zone(), 1_000);
    assert_eq!(
        amounts(&components, &load),
        [("customer".to_owned(), 10_000), ("customer".to_owned(), 42_000)]
    );
    let ended = Component { until: Some(date(2026, 1, 16)), ..component("rider", start, fixed("31")) };
    assert_eq!(amounts(&[ended], &load), [("rider".to_owned(), 1_500)]);
    let to_come = component("rider", date(2026, 2, 1), fixed("31"));
    assert_eq!(amounts(&[to_come], &load), []);
    // Energy goes by the days on which it is used, exactly.
    let energy = |from, per_kwh: &str| component("energy", from, Price::Energy { per_kwh: rate_of(per_kwh) });
    let changing = [energy(start, "0.05"), energy(date(2026, 1, 11), "0.07")];
    let by_day = [("energy".to_owned(), 1_200_000), ("energy".to_owned(), 3_528_000)];
    assert_eq!(amounts(&changing, &load), by_day);
}

#[test]
fn a_band_goes_by_the_clock() {
    let peak = Band {
        name: "peak".to_owned(),
        months: vec![3],
        weekdays: vec![6, 7],
        from_minute: 0,
        until_minute: 180,
        per_kwh: rate_of("1"),
    };
    let price = Price::TimeOfUse { bands: vec![peak], otherwise_per_kwh: rate_of("0.1") };
    let lines = rate(
        &[component("energy", date(2026, 1, 1), price)],
        &flat(month(2026, 3), zone(), 1),
        usd(),
        zone(),
    );
    let lines = lines.expect("computable");
    // Nine weekend nights of three hours, less the hour that 8 March skips; 743 hours in all.
    let of: Vec<(Option<&str>, i64)> = lines.iter().map(|l| (l.band.as_deref(), l.amount.minor)).collect();
    assert_eq!(of, [(Some("peak"), 2_600), (Some("otherwise"), 7_170)]);
}

#[test]
fn an_index_prices_each_interval() {
    let mut load = flat(month(2026, 1), zone(), 1_000);
    let components =
        [component("energy", date(2026, 1, 1), Price::Indexed { adder_per_kwh: rate_of("0.002") })];
    let none = rate(&components, &load, usd(), zone());
    assert_eq!(none, Err(RatingError::NoPrice(load.intervals[0].start)));
    for (at, interval) in load.intervals.iter_mut().enumerate() {
        interval.index_per_kwh = Some(rate_of(if at == 0 { "-0.05" } else { "0.038" }));
    }
    // 743 hours at 4 cents and one at minus 4.8.
    assert_eq!(amounts(&components, &load), [("energy".to_owned(), 743 * 4_000 - 4_800)]);
}

/// Rounded hour by hour, or as a month before it is a part of one, each of these would be nothing.
#[test]
fn each_line_is_rounded_once() {
    let mut load = flat(month(2026, 1), zone(), 1);
    load.intervals.iter_mut().for_each(|hour| hour.index_per_kwh = Some(rate_of("0.003")));
    let start = date(2026, 1, 1);
    let indexed = Price::Indexed { adder_per_kwh: rate_of("0.001") };
    let hourly = [
        component("energy", start, Price::Energy { per_kwh: rate_of("0.004") }),
        component("index", start, indexed),
    ];
    // 744 hours at 0.4 cents.
    assert_eq!(amounts(&hourly, &load), [("energy".to_owned(), 298), ("index".to_owned(), 298)]);
    // 15 of 31 days of 1.49 cents.
    let late = component("customer", date(2026, 1, 17), fixed("0.0149"));
    assert_eq!(amounts(&[late], &load), [("customer".to_owned(), 1)]);
}

#[test]
fn shares_wait_for_what_they_are_shares_of() {
    let start = date(2026, 1, 1);
    let share = |code: &str, percent: &str, of: &[&str]| {
        let price = Price::Share {
            percent: percent.parse().expect("a percentage"),
            of: of.iter().map(ToString::to_string).collect(),
            jurisdiction: Some("US-TX".to_owned()),
        };
        component(code, start, price)
    };
    let load = flat(month(2026, 1), zone(), 1_000);
    let components = [
        share("a-tax", "10", &["rider", "customer"]),
        component("customer", start, fixed("200")),
        share("rider", "50", &["customer"]),
    ];
    let wanted = [("customer", 20_000), ("rider", 10_000), ("a-tax", 3_000)];
    assert_eq!(amounts(&components, &load), wanted.map(|(code, minor)| (code.to_owned(), minor)));
    let circle = [share("one", "1", &["other"]), share("other", "1", &["one"])];
    assert_eq!(rate(&circle, &load, usd(), zone()), Err(RatingError::Circle("one".to_owned())));
    assert!(share("one", "1", &["one"]).check().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever a cycle is cut by a change that changes nothing, the lines add up to the line uncut, to a cent each.
    #[test]
    fn a_cut_that_changes_nothing_costs_at_most_a_cent_a_line(
        scaled in 1_i128..1_000_000_000_000, kw in 1_i64..300_000, day in 2_u32..31,
    ) {
        let per_kw = Rate::from_scaled(scaled).expect("small");
        let price = Price::Demand { per_kw, basis: DemandBasis::HighestInterval, floor: None };
        let whole = [component("demand", date(2026, 1, 1), price.clone())];
        let cut = [whole[0].clone(), component("demand", date(2026, 1, day), price)];
        let load = Load { intervals: Vec::new(), ..flat(month(2026, 1), zone(), kw) };
        let sum = |components: &[Component]| amounts(components, &load).iter().map(|(_, minor)| minor).sum::<i64>();
        prop_assert!((sum(&whole) - sum(&cut)).abs() <= 2);
    }

    /// An excise grows with the energy, and never faster than its highest bracket.
    #[test]
    fn an_excise_is_monotone(kwh in 0_i64..600_000_000, more in 0_i64..1_000_000) {
        let new_york = published("new-york-mining-excise");
        let Price::Excise { brackets, .. } = &new_york.components[0].price else { panic!("an excise") };
        let grown = &excise(brackets, &Exact::from(kwh + more)) - &excise(brackets, &Exact::from(kwh));
        prop_assert!(grown >= Exact::zero());
        prop_assert!(grown <= &Exact::from(more) * &Exact::from(rate_of("0.05")));
    }
}
