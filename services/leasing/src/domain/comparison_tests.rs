use kernel::Currency;
use proptest::prelude::*;

use super::*;
use crate::domain::exact::money;
use crate::domain::testing::mine;

fn told(value: &Ratio) -> String {
    money(value, Currency::USD).expect("an amount").grouped()
}

/// River Bend: 245 MW of IT load on 330 MW, ten million a MW of IT load at 9 % over fifteen years.
const RIVER_BEND: Place = Place { gross_kw: 330_000, critical_it_kw: 245_000 };

fn conversion() -> Conversion {
    Conversion {
        term_months: 180,
        build_cost_per_it_mw: "10000000".parse().unwrap(),
        capital: "9".parse().unwrap(),
        capital_years: 15,
        dark_months: 9,
        four_cp: Rate::ZERO,
        discount: "9".parse().unwrap(),
    }
}

fn lease(year_one: &str, escalator: &str) -> LeaseCase {
    LeaseCase {
        year_one: year_one.parse().unwrap(),
        escalator: escalator.parse().unwrap(),
        conversion: conversion(),
    }
}

#[test]
fn river_bend_per_gross_megawatt() {
    let comparison = compare(RIVER_BEND, &mine("20", "38.2"), &lease("128.02", "3")).unwrap();
    let figures = &comparison.lease;
    assert_eq!(told(&figures.cash_rent), "95,045.15");
    assert_eq!(told(&conversion().capital_per_it_mw()), "103,382.40");
    assert_eq!(told(&figures.after_capital()), "18,291.55");
    assert_eq!(told(&(figures.after_capital() * whole(330) / whole(245))), "24,637.60");
    assert_eq!(told(&comparison.mine.margin), "21,355.42");
    // At the rounded average that is published, 158.73 all along.
    let level = compare(RIVER_BEND, &mine("20", "38.2"), &lease("158.73", "0")).unwrap();
    assert_eq!(told(&level.lease.average_after_capital()), "41,091.40");
    assert_eq!(level.lease.cash_rent, level.lease.average_cash_rent);
    // Of the rate that the published total gives, the average comes out by itself.
    let solved = compare(RIVER_BEND, &mine("20", "38.2"), &lease("128.0156677674", "3")).unwrap();
    let per_kw = &solved.lease.average_cash_rent * whole(330) / whole(245) / whole(1_000);
    assert_eq!(told(&per_kw), "158.73");
}

#[test]
fn three_hundred_dark_megawatts_cost_nine_months_of_mining() {
    let place = Place { gross_kw: 300_000, critical_it_kw: 210_000 };
    let comparison = compare(place, &mine("20", "38.2"), &lease("128.02", "3")).unwrap();
    assert_eq!(told(&comparison.downtime_cost), "57,659,634.62");
}

#[test]
fn the_saving_at_the_four_peaks_is_lost() {
    for (rate, per_year) in [("3.491759", "41,901.11"), ("6.260839", "75,130.07")] {
        let four_cp = rate.parse().unwrap();
        let case = LeaseCase { conversion: Conversion { four_cp, ..conversion() }, ..lease("128.02", "3") };
        let figures = compare(RIVER_BEND, &mine("20", "38.2"), &case).unwrap().lease;
        assert_eq!(told(&(&figures.lost_four_cp * whole(12))), per_year);
        assert_eq!(figures.net(), figures.after_capital() - &figures.lost_four_cp);
    }
}

#[test]
fn present_values_of_a_level_lease_are_annuities() {
    let case = LeaseCase {
        conversion: Conversion { discount: "12".parse().unwrap(), term_months: 12, ..conversion() },
        ..lease("150", "3")
    };
    let place = Place { gross_kw: 2_000, critical_it_kw: 1_000 };
    let comparison = compare(place, &mine("20", "38.2"), &case).unwrap();
    // 150,000 less 103,382.40 a month for a year at 1 % a month: times 11.2550774735.
    assert_eq!(told(&comparison.lease_present_value), "524,684.67");
    assert_eq!(
        comparison.advantage(),
        &comparison.lease_present_value - &comparison.mining_present_value - &comparison.downtime_cost
    );
}

#[test]
fn a_mine_that_loses_is_no_reason_to_ask_for_more() {
    let losing = compare(RIVER_BEND, &mine("40", "10"), &lease("128.02", "3")).unwrap();
    assert!(losing.mine.margin < Ratio::zero());
    assert_eq!(told(&losing.lease.break_even_rate), "103.38");
}

proptest! {
    /// At the break-even rent, level over the term, mine and lease are worth the same; and at that rent the hashprice
    /// that breaks even is the one that was given.
    #[test]
    fn at_the_break_even_rent_both_are_worth_the_same(
        hashprice in 24_i64..80, dark in 0_u32..24, term in 12_u32..300, four_cp in 0_i64..7,
    ) {
        let conversion = Conversion {
            dark_months: dark,
            term_months: term,
            four_cp: four_cp.to_string().parse().unwrap(),
            discount: Percent::ZERO,
            ..conversion()
        };
        let mining = mine("20", &hashprice.to_string());
        let case = LeaseCase { conversion, ..lease("128", "0") };
        let rate = compare(RIVER_BEND, &mining, &case).unwrap().lease.break_even_rate;
        let year_one = super::super::exact::rate(&rate).unwrap();
        let even = compare(RIVER_BEND, &mining, &LeaseCase { year_one, ..case }).unwrap();
        // The rent is rounded to ten decimals: a cent or so over 245 MW and the term.
        let apart = money(&even.advantage(), Currency::USD).unwrap().minor;
        prop_assert!(apart.abs() <= 10, "{} cents apart", apart);
        let told = super::super::exact::rate(&even.lease.break_even_hashprice).unwrap();
        prop_assert_eq!(told.rounded(4), format!("{hashprice}.0000"));
    }
}
