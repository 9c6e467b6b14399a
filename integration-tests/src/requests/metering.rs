//! Requests about meters and readings.

use contracts::billing::v1 as billing;
use prost::Message as _;

use crate::market::{self, date, request_id};
use crate::world::Names;

pub(super) fn meters(method: &str, n: &Names) -> Option<Vec<u8>> {
    let parent = n.operator.clone();
    let instant = |text: &str| Some(runtime::wire::to_timestamp(text.parse().expect("an instant")));
    Some(match method {
        "MeteringService/CreateMeter" => billing::CreateMeterRequest {
            parent,
            meter_id: "another".to_owned(),
            meter: Some(market::meter(n)),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "MeteringService/GetMeter" => billing::GetMeterRequest { name: n.meter.clone() }.encode_to_vec(),
        "MeteringService/ListMeters" => {
            billing::ListMetersRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "MeteringService/IngestReadings" => billing::IngestReadingsRequest {
            parent,
            series: vec![market::series(&n.meter, "2027-01-01T12:00:00Z", &[1, 2, 3])],
            validate_only: true,
        }
        .encode_to_vec(),
        "MeteringService/ListReadings" => billing::ListReadingsRequest {
            parent: n.meter.clone(),
            start_time: instant("2027-01-01T00:00:00Z"),
            end_time: instant("2027-01-03T00:00:00Z"),
            include_superseded: true,
            ..Default::default()
        }
        .encode_to_vec(),
        "MeteringService/GetUsage" => billing::GetUsageRequest {
            name: n.meter.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2027-01-03")),
            with_intervals: true,
        }
        .encode_to_vec(),
        _ => return None,
    })
}
