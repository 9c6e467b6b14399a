//! Bad comparisons.

use contracts::leasing::v1 as leasing;
use integration_tests::market::decimal;
use integration_tests::requests::offers;
use integration_tests::world::Names;
use prost::Message as _;

use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CompareWithMining" => compare(n),
        _ => Vec::new(),
    }
}

fn compare(n: &Names) -> Vec<Case> {
    let good = || offers::comparison(&n.operator);
    let mine = |mining| leasing::CompareWithMiningRequest { mining: Some(mining), ..good() }.encode_to_vec();
    let lease = |lease| leasing::CompareWithMiningRequest { lease: Some(lease), ..good() }.encode_to_vec();
    let everything = leasing::CompareWithMiningRequest {
        parent: "acme".to_owned(),
        place: "hall".to_owned(),
        gross_kw: 1,
        critical_it_kw: 1,
        currency_code: "dollars".to_owned(),
        mining: None,
        lease: None,
    };
    let bad_mine = leasing::MiningCase {
        hashprice_per_ph_day: decimal("0"),
        efficiency_joules_per_terahash: None,
        overhead_factor: decimal("0.99"),
        uptime_percent: decimal("100.000001"),
        days_per_month: decimal("365"),
        power_price_per_mwh: decimal("-1"),
        operating_cost_per_mwh: decimal("free"),
        excise: 9,
        machine_price_per_terahash: decimal("15"),
        machine_life_months: 0,
        coin: Some(leasing::CoinCase { coin_price: decimal("91000"), ..Default::default() }),
    };
    let bad_lease = leasing::LeaseCase {
        year_one_rate_per_kw_month: decimal("0"),
        escalator_percent: decimal("101"),
        term_months: 601,
        build_cost_per_it_mw: None,
        capital_percent: decimal("-9"),
        capital_years: 0,
        dark_months: -1,
        four_cp_rate_per_kw_month: decimal("NaN"),
        discount_percent: decimal("1e3"),
    };
    let foreign = leasing::CompareWithMiningRequest {
        place: n.site.replace(&n.operator, "operators/zenith"),
        gross_kw: 0,
        critical_it_kw: 0,
        ..good()
    };
    vec![
        Case::invalid(
            "everything",
            everything.encode_to_vec(),
            &["parent", "place", "gross_kw", "critical_it_kw", "currency_code", "mining", "lease"],
        ),
        Case::invalid(
            "a mine",
            mine(bad_mine),
            &[
                "mining.hashprice_per_ph_day",
                "mining.efficiency_joules_per_terahash",
                "mining.overhead_factor",
                "mining.uptime_percent",
                "mining.days_per_month",
                "mining.power_price_per_mwh",
                "mining.operating_cost_per_mwh",
                "mining.excise",
                "mining.machine_life_months",
                "mining.coin.network_hashrate_ph",
                "mining.coin.cash_cost_per_coin",
                "mining.coin.all_in_cost_per_coin",
            ],
        ),
        Case::invalid(
            "a lease",
            lease(bad_lease),
            &[
                "lease.year_one_rate_per_kw_month",
                "lease.escalator_percent",
                "lease.term_months",
                "lease.build_cost_per_it_mw",
                "lease.capital_percent",
                "lease.capital_years",
                "lease.dark_months",
                "lease.four_cp_rate_per_kw_month",
                "lease.discount_percent",
            ],
        ),
        Case::invalid(
            "more IT load than power",
            leasing::CompareWithMiningRequest { critical_it_kw: 330_001, ..good() }.encode_to_vec(),
            &["critical_it_kw"],
        ),
        Case::invalid(
            "no power at all",
            leasing::CompareWithMiningRequest { gross_kw: 0, critical_it_kw: 0, ..good() }.encode_to_vec(),
            &["critical_it_kw", "gross_kw"],
        ),
        Case::invalid("another's site", foreign.encode_to_vec(), &["place"]),
    ]
}
