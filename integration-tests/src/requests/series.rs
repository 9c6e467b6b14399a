//! Requests about price indexes.

use contracts::billing::v1 as billing;
use prost::Message as _;

use crate::market::{decimal, request_id};
use crate::world::Names;

/// A value of an index.
#[must_use]
pub fn value(year: i32, month: i32, value: &str, revision: i32) -> billing::SeriesValue {
    billing::SeriesValue {
        month: Some(billing::BillingMonth { year, month }),
        value: decimal(value),
        revision,
        source: "made up".to_owned(),
        create_time: None,
    }
}

/// The series that the world's finance records.
#[must_use]
pub fn record(operator: &str) -> billing::RecordSeriesValuesRequest {
    billing::RecordSeriesValuesRequest {
        name: format!("{operator}/priceSeries/cpi-u"),
        values: vec![value(2027, 1, "310.5", 0), value(2027, 2, "311", 0)],
        request_id: request_id(),
        validate_only: true,
    }
}

pub(super) fn series(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "PriceSeriesService/RecordSeriesValues" => record(&n.operator).encode_to_vec(),
        "PriceSeriesService/ListSeriesValues" => billing::ListSeriesValuesRequest {
            name: format!("{}/priceSeries/cpi-u", n.operator),
            ..Default::default()
        }
        .encode_to_vec(),
        _ => return None,
    })
}
