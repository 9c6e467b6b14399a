//! Requests about what is free.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use crate::market::{self, date};
use crate::world::Names;

pub(super) fn capacity(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "CapacityService/SearchCapacity" => inventory::SearchCapacityRequest {
            critical_it_kw: 1_000,
            liquid_share_percent: 85,
            start_from_date: Some(date(market::READY)),
            term_months: 120,
            ..Default::default()
        }
        .encode_to_vec(),
        "CapacityService/FindEarliestCapacity" => inventory::FindEarliestCapacityRequest {
            parent: n.operator.clone(),
            capacity: Some(market::load(1_000)),
            term_months: 120,
            not_before_date: Some(date(market::READY)),
            ..Default::default()
        }
        .encode_to_vec(),
        "CapacityService/GetAvailability" => inventory::GetAvailabilityRequest {
            name: n.block.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2028-01-01")),
            ..Default::default()
        }
        .encode_to_vec(),
        "EventService/WatchEvents" => {
            inventory::WatchEventsRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    })
}
