use kernel::{Currency, Rate};
use proptest::prelude::*;

use super::*;
use crate::domain::exact::money;
use crate::domain::testing::mine;

fn told(value: &Ratio) -> String {
    money(value, Currency::USD).expect("an amount").grouped()
}

#[test]
fn the_published_table_comes_out_to_the_cent() {
    // Efficiency, hashprice: revenue, per MWh, power, margin, break-even hashprice.
    for (efficiency, hashprice, expected) in [
        ("20", "38.2", ["52,562.95", "75.79", "31,207.53", "21,355.42", "22.68"]),
        ("15", "38.2", ["70,083.94", "101.06", "31,207.53", "38,876.41", "17.01"]),
        ("23.6", "38.2", ["44,544.88", "64.23", "31,207.53", "13,337.34", "26.76"]),
        ("20", "29.0", ["39,903.81", "57.54", "31,207.53", "8,696.28", "22.68"]),
        ("23.6", "29.0", ["33,816.79", "48.76", "31,207.53", "2,609.26", "26.76"]),
    ] {
        let result = mine(efficiency, hashprice).work(1_000);
        let figures = [
            &result.revenue,
            &result.revenue_per_mwh,
            &result.power_cost,
            &result.margin,
            &result.break_even_hashprice,
        ];
        assert_eq!(figures.map(told), expected, "{efficiency} J/TH at {hashprice}");
        assert_eq!(result.break_even_power_price, result.revenue_per_mwh);
        assert_eq!(result.margin_after_machines, result.margin);
    }
}

#[test]
fn a_gross_megawatt_carries_so_much_hashrate() {
    let hashrate = |efficiency| {
        let exact = mine(efficiency, "38.2").work(1_000).hashrate;
        crate::domain::exact::rate(&exact).expect("a rate").rounded(2)
    };
    assert_eq!(hashrate("20"), "47.62");
    assert_eq!(hashrate("15"), "63.49");
}

#[test]
fn the_published_costs_of_a_coin_give_the_published_margins() {
    let published = Mine { coin: Some(coin("1100000")), ..mine("20", "38.2") };
    let result = published.work(1_000).coin.expect("the view of a coin");
    assert_eq!(crate::domain::exact::rate(&result.coins).expect("a rate").rounded(4), "0.5629");
    assert_eq!(told(&result.cash_margin), "9,231.67");
    assert_eq!(told(&result.all_in_margin), "-26,344.02");
    // The published index said 38.2: fees and the hour of the reading lie between.
    assert_eq!(told(&result.implied_hashprice), "37.23");
    assert_eq!(told(&result.power_per_coin), "1,173.33");
    assert_eq!(told(&result.power_cost_per_coin), "52,800.00");
}

fn coin(network_ph: &str) -> Coin {
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    Coin {
        price: rate("91000"),
        network_ph: rate(network_ph),
        cash_cost: rate("74600"),
        all_in_cost: rate("137800"),
    }
}

#[test]
fn the_brackets_of_new_york_are_marginal() {
    for (kwh, tax) in [
        (2_250_000, "0.00"),
        (2_250_001, "0.02"),
        (5_000_000, "55,000.00"),
        (10_000_000, "205,000.00"),
        (20_000_000, "605,000.00"),
        (100_000_000, "4,605,000.00"),
        (499_320_000, "24,571,000.00"),
    ] {
        assert_eq!(told(&Excise::NewYorkProposed.on(&whole(kwh))), tax, "{kwh} kWh");
    }
}

#[test]
fn sixty_megawatts_in_new_york_pay_more_than_they_earn() {
    let taxed = Mine { excise: Some(Excise::NewYorkProposed), ..mine("20", "38.2") };
    let (result, free) = (taxed.work(60_000), mine("20", "38.2").work(60_000));
    assert_eq!(told(&result.excise_per_year), "24,571,000.00");
    assert_eq!(result.excise, Ratio::new(24_571_000.into(), 720.into()));
    assert_eq!(&free.margin - &result.margin, result.excise);
    assert!(result.margin < Ratio::zero());
    // About 49 a MWh dearer.
    assert_eq!(told(&(free.break_even_power_price - result.break_even_power_price)), "49.21");
}

#[test]
fn new_machines_take_most_of_the_margin() {
    let price_per_terahash = "15".parse().expect("a rate");
    let machines = Some(Machines { price_per_terahash, life_months: 36 });
    let result = Mine { machines, ..mine("15", "38.2") }.work(1_000);
    assert_eq!(told(&((&result.margin - &result.margin_after_machines) * whole(36))), "952,380.95");
    assert_eq!(told(&result.margin_after_machines), "12,421.38");
}

proptest! {
    /// At its break-even hashprice a mine earns nothing, and at its break-even power price too, whatever it pays.
    #[test]
    fn at_break_even_nothing_is_left(
        hashprice in 1_i64..100, efficiency in 10_i64..50, power in 0_i64..200, other in 0_i64..20, mw in 1_i64..500,
    ) {
        let rate = |n: i64| n.to_string().parse::<Rate>().unwrap();
        let base = Mine {
            power_price: rate(power),
            operating_cost: rate(other),
            excise: Some(Excise::NewYorkProposed),
            ..mine(&efficiency.to_string(), &hashprice.to_string())
        };
        let result = base.work(mw * 1_000);
        prop_assert_eq!(base.hashprice_for(&result.margin, &result), of_rate(base.hashprice));
        // The tax of a month is a twelfth of the year's 8,760 hours: a month of that length makes both ways meet.
        let year = Mine { days_per_month: "30.4166666667".parse().unwrap(), ..base };
        let result = year.work(mw * 1_000);
        let idle = year.hashprice_for(&Ratio::zero(), &result) - &result.break_even_hashprice;
        prop_assert!(crate::domain::exact::rate(&idle).unwrap().rounded(6) == "0.000000", "{}", idle);
    }
}
