//! Values that are wrong in their own way in a search: places, spreads, racks.

use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, date};
use prost::Message as _;
use prost_types::Timestamp;

use crate::bad_input::Case;

fn good() -> inventory::SearchCapacityRequest {
    inventory::SearchCapacityRequest {
        critical_it_kw: 1_000,
        liquid_share_percent: 85,
        start_from_date: Some(date("2027-01-01")),
        term_months: 120,
        ..Default::default()
    }
}

pub(crate) fn search() -> Vec<Case> {
    type Request = inventory::SearchCapacityRequest;
    let beyond = inventory::GeoPoint { latitude_e7: 900_000_001, longitude_e7: 0 };
    let all_wrong = Request {
        state_codes: vec![String::new()],
        near_point: Some(beyond),
        distance_metres_max: Some(-1),
        redundancy_min: 99,
        kw_per_rack: -1,
        cooling_kinds: vec![1, 0],
        lease_types: vec![0, 99],
        parts_max: 9,
        fresh_from_time: Some(Timestamp { seconds: -1, nanos: 0 }),
        supply_temperature_decicelsius_min: Some(-501),
        supply_temperature_decicelsius_max: Some(1_001),
        design_generations: vec![String::new()],
        ..good()
    };
    let reversed = Request {
        supply_temperature_decicelsius_min: Some(301),
        supply_temperature_decicelsius_max: Some(300),
        ..good()
    };
    let nowhere = Request { distance_metres_max: Some(1_000), ..good() };
    let unsaid = Request { parts_max: 2, ..good() };
    let unknown = Request { parts_max: 2, split_span: 99, ..good() };
    let alone = Request { split_span: 1, ..good() };
    let twice = Request { cooling_kinds: vec![2, 2], ..good() };
    vec![
        Case::invalid(
            "every place and rack",
            all_wrong.encode_to_vec(),
            &[
                "state_codes[0]",
                "near_point",
                "distance_metres_max",
                "redundancy_min",
                "kw_per_rack",
                "cooling_kinds[1]",
                "lease_types[0]",
                "lease_types[1]",
                "parts_max",
                "fresh_from_time",
                "supply_temperature_decicelsius_min",
                "supply_temperature_decicelsius_max",
                "design_generations[0]",
            ],
        ),
        Case::invalid(
            "temperatures reversed",
            reversed.encode_to_vec(),
            &["supply_temperature_decicelsius_max"],
        ),
        Case::invalid("a distance from nowhere", nowhere.encode_to_vec(), &["near_point"]),
        Case::invalid("parts over what", unsaid.encode_to_vec(), &["split_span"]),
        Case::invalid("parts over an unknown span", unknown.encode_to_vec(), &["split_span"]),
        Case::invalid("a span without parts", alone.encode_to_vec(), &["split_span"]),
        Case::invalid("a cooling said twice", twice.encode_to_vec(), &["cooling_kinds"]),
    ]
}

pub(crate) fn earliest(parent: &str) -> Vec<Case> {
    let wrong = inventory::FindEarliestCapacityRequest {
        parent: parent.to_owned(),
        capacity: Some(market::load(1_000)),
        term_months: 12,
        not_before_date: Some(date("2027-01-01")),
        parts_max: -1,
        fresh_from_time: Some(Timestamp { seconds: 0, nanos: -1 }),
    };
    vec![Case::invalid("parts and freshness", wrong.encode_to_vec(), &["parts_max", "fresh_from_time"])]
}
