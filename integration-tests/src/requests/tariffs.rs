//! Requests about tariffs.

use contracts::billing::v1 as billing;
use prost::Message as _;

use crate::market::{date, decimal, request_id};
use crate::world::Names;

/// A tariff of two rates.
#[must_use]
pub fn tariff() -> billing::Tariff {
    billing::Tariff {
        display_name: "Blended".to_owned(),
        currency_code: "USD".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        components: vec![component("customer", "2027-01-01"), energy("0.052")],
        ..Default::default()
    }
}

/// 310 a month.
#[must_use]
pub fn component(code: &str, from: &str) -> billing::TariffComponent {
    billing::TariffComponent {
        code: code.to_owned(),
        from_date: Some(date(from)),
        until_date: None,
        source: "made up".to_owned(),
        price: Some(billing::tariff_component::Price::Fixed(billing::FixedPrice {
            per_month: decimal("310"),
        })),
    }
}

/// So much a kWh.
#[must_use]
pub fn energy(per_kwh: &str) -> billing::TariffComponent {
    let price = billing::EnergyPrice { per_kwh: decimal(per_kwh) };
    billing::TariffComponent {
        price: Some(billing::tariff_component::Price::Energy(price)),
        ..component("energy", "2027-01-01")
    }
}

pub(super) fn tariffs(method: &str, n: &Names) -> Option<Vec<u8>> {
    let parent = n.operator.clone();
    Some(match method {
        "TariffService/CreateTariff" => billing::CreateTariffRequest {
            parent,
            tariff_id: "another".to_owned(),
            tariff: Some(tariff()),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "TariffService/AddTariffComponents" => billing::AddTariffComponentsRequest {
            name: n.tariff.clone(),
            components: vec![component("customer", "2028-01-01")],
            etag: String::new(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "TariffService/GetTariff" => billing::GetTariffRequest { name: n.tariff.clone() }.encode_to_vec(),
        "TariffService/ListTariffs" => {
            billing::ListTariffsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "TariffService/RateLoad" => billing::RateLoadRequest {
            name: n.tariff.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2027-02-01")),
            meter: n.meter.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        _ => return None,
    })
}
