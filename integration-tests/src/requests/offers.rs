//! Requests about what an operator asks for its capacity.

use contracts::leasing::v1 as leasing;
use prost::Message as _;

use crate::market::decimal;
use crate::world::Names;

/// The worked example: 20 J/TH at 38.2 and 45 a MWh.
#[must_use]
pub fn mine() -> leasing::MiningCase {
    leasing::MiningCase {
        hashprice_per_ph_day: decimal("38.2"),
        efficiency_joules_per_terahash: decimal("20"),
        overhead_factor: decimal("1.05"),
        uptime_percent: decimal("95"),
        days_per_month: decimal("30.4167"),
        power_price_per_mwh: decimal("45"),
        ..Default::default()
    }
}

/// River Bend: ten million a MW at 9 % over fifteen years.
#[must_use]
pub fn case() -> leasing::LeaseCase {
    leasing::LeaseCase {
        year_one_rate_per_kw_month: decimal("128.02"),
        escalator_percent: decimal("3"),
        term_months: 180,
        build_cost_per_it_mw: decimal("10000000"),
        capital_percent: decimal("9"),
        capital_years: 15,
        dark_months: 9,
        ..Default::default()
    }
}

/// River Bend as a mine and as a lease.
#[must_use]
pub fn comparison(operator: &str) -> leasing::CompareWithMiningRequest {
    leasing::CompareWithMiningRequest {
        parent: operator.to_owned(),
        place: String::new(),
        gross_kw: 330_000,
        critical_it_kw: 245_000,
        currency_code: "USD".to_owned(),
        mining: Some(mine()),
        lease: Some(case()),
    }
}

pub(super) fn offers(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "OfferService/CompareWithMining" => comparison(&n.operator).encode_to_vec(),
        _ => return None,
    })
}
