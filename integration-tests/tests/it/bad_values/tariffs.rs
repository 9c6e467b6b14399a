//! Bad tariffs, and loads that cannot be charged.

use contracts::billing::v1 as billing;
use contracts::billing::v1::tariff_component::Price;
use integration_tests::market::{date, decimal, request_id};
use integration_tests::requests::tariffs::{component, energy, tariff};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CreateTariff" => create(n),
        "AddTariffComponents" => add(n),
        _ => loads(n),
    }
}

fn with(price: Price) -> billing::TariffComponent {
    billing::TariffComponent { price: Some(price), ..component("part", "2027-01-01") }
}

/// Prices whose parts are good each, and mean nothing together.
fn senseless() -> [Price; 3] {
    let brackets = [5, 5].map(|above_kwh| billing::ExciseBracket { above_kwh, per_kwh: decimal("1") });
    let excise = billing::ExcisePrice { brackets: brackets.to_vec(), ..Default::default() };
    let own = billing::SharePrice {
        percent: decimal("1"),
        of_codes: vec!["part".to_owned()],
        jurisdiction: String::new(),
    };
    let night = billing::TimeOfUseBand {
        display_name: "night".to_owned(),
        from_minute: 600,
        until_minute: 500,
        per_kwh: decimal("1"),
        ..Default::default()
    };
    let of_use = billing::TimeOfUsePrice { bands: vec![night], otherwise_per_kwh: decimal("1") };
    [Price::Excise(excise), Price::Share(own), Price::TimeOfUse(of_use)]
}

fn create(n: &Names) -> Vec<Case> {
    let ask = |id: &str, tariff: billing::Tariff| {
        billing::CreateTariffRequest {
            parent: n.operator.clone(),
            tariff_id: id.to_owned(),
            tariff: Some(tariff),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let of = |components| ask("another", billing::Tariff { components, ..tariff() });
    let all_wrong = billing::Tariff {
        currency_code: "XXX".to_owned(),
        time_zone: "Mars/Olympus".to_owned(),
        min_kw: -1,
        collateral_per_kw: decimal("-1"),
        collateral_reduction_max_percent: decimal("101"),
        ..Default::default()
    };
    let fields = [
        "tariff.display_name",
        "tariff.currency_code",
        "tariff.time_zone",
        "tariff.min_kw",
        "tariff.collateral_per_kw",
        "tariff.collateral_reduction_max_percent",
        "tariff.components",
    ];
    let shapeless = billing::TariffComponent {
        code: "Not A Code".to_owned(),
        from_date: NO_DAY,
        until_date: NO_DAY,
        source: " ".to_owned(),
        price: None,
    };
    let at = |field: &str| format!("tariff.components[0].{field}");
    let parts: Vec<String> =
        ["code", "from_date", "until_date", "source", "price"].into_iter().map(at).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let backwards =
        billing::TariffComponent { until_date: Some(date("2026-01-01")), ..component("part", "2027-01-01") };
    let demand = billing::DemandPrice { per_kw: decimal("x"), basis: 99, floor_percent: decimal("-100") };
    let [brackets, of_itself, no_time] = senseless();
    vec![
        Case::invalid("everything", ask("another", all_wrong), &fields),
        Case::invalid("a component of nothing", of(vec![shapeless]), &parts),
        Case::invalid("the same twice", of(vec![energy("1"), energy("2")]), &["tariff.components"]),
        Case::invalid("ends before it begins", of(vec![backwards]), &["tariff.components[0]"]),
        Case::invalid(
            "a demand of nothing",
            of(vec![with(Price::Demand(demand))]),
            &[
                "tariff.components[0].demand.per_kw",
                "tariff.components[0].demand.basis",
                "tariff.components[0].demand.floor_percent",
            ],
        ),
        Case::invalid("brackets", of(vec![with(brackets)]), &["tariff.components[0]"]),
        Case::invalid("a share of itself", of(vec![with(of_itself)]), &["tariff.components[0]"]),
        Case::invalid("no time", of(vec![with(no_time)]), &["tariff.components[0]"]),
        Case::new("a taken id", ask("blended", tariff()), Code::AlreadyExists, "NAME_TAKEN", &[]),
    ]
}

fn add(n: &Names) -> Vec<Case> {
    let ask = |components| {
        billing::AddTariffComponentsRequest {
            name: n.tariff.clone(),
            components,
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let there = vec![component("customer", "2027-01-01")];
    vec![
        Case::invalid("nothing", ask(Vec::new()), &["components"]),
        Case::new("one that is there", ask(there), Code::AlreadyExists, "NAME_TAKEN", &[]),
    ]
}

fn loads(n: &Names) -> Vec<Case> {
    let good = billing::RateLoadRequest {
        name: n.tariff.clone(),
        start_date: Some(date("2027-01-01")),
        end_date: Some(date("2027-02-01")),
        stated: Some(billing::StatedLoad { energy_wh: 1_000, peak_kw: 1 }),
        ..Default::default()
    };
    let stated = Some(billing::StatedLoad { energy_wh: -1, peak_kw: -1 });
    let prices = billing::IntervalPrices { interval_minutes: 7, ..Default::default() };
    let all_wrong = billing::RateLoadRequest {
        end_date: Some(date("2027-04-01")),
        stated,
        contracted_kw: -1,
        coincident_kw: -1,
        year_before_wh: -1,
        prices: Some(prices),
        pue_cap: decimal("1.3"),
        ..good.clone()
    };
    let fields = [
        "end_date",
        "stated.energy_wh",
        "stated.peak_kw",
        "contracted_kw",
        "coincident_kw",
        "year_before_wh",
        "prices.start_time",
        "prices.interval_minutes",
        "prices.per_kwh",
        "pue_cap",
    ];
    let both = billing::RateLoadRequest { meter: n.meter.clone(), ..good.clone() };
    let neither = billing::RateLoadRequest { stated: None, ..good.clone() };
    let foreign = billing::RateLoadRequest { meter: n.meter.replace("acme", "zenith"), ..neither.clone() };
    let absent = billing::RateLoadRequest { meter: format!("{}-b", n.meter), ..neither.clone() };
    vec![
        Case::invalid("everything", all_wrong.encode_to_vec(), &fields),
        Case::invalid("metered and stated", both.encode_to_vec(), &["meter"]),
        Case::invalid("neither", neither.encode_to_vec(), &["meter"]),
        Case::invalid("a meter of another", foreign.encode_to_vec(), &["meter"]),
        Case::new("no such meter", absent.encode_to_vec(), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}
