//! Price indexes to the wire, and what is asked about them from it.

use std::collections::BTreeSet;

use contracts::billing::v1 as wire;
use kernel::{Error, OperatorParent, PriceSeriesName, Rate, Violations};
use runtime::wire::{rate, request_id, to_decimal, to_timestamp};

use super::invoice::{month, to_month};
use super::lists::list_request;
use crate::app::{ListSeriesValues, Listed, RecordSeriesValues, RecordedValues};
use crate::domain::price_series::{Recorded, SeriesValue};

const VALUES_MAX: usize = 1_000;
const REVISION_MAX: i32 = 1_000;
const SOURCE_CHARS: usize = 500;

pub(super) fn record(request: &wire::RecordSeriesValuesRequest) -> Result<RecordSeriesValues, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<PriceSeriesName>);
    let fits = (1..=VALUES_MAX).contains(&request.values.len());
    v.require("values", fits, "needs 1 to 1000 entries");
    let values = v.each("values", request.values.iter().take(VALUES_MAX), value);
    let mut seen = BTreeSet::new();
    let once = values.iter().flatten().all(|value| seen.insert(value.key()));
    v.require("values", once, "must not have a month and revision twice");
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(RecordSeriesValues {
            name: name?,
            values: values?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn value(v: &mut Violations, sent: &wire::SeriesValue) -> Option<SeriesValue> {
    let month = month(v, "month", sent.month.as_ref());
    let value = rate(v, "value", sent.value.as_ref());
    v.require("value", value.is_none_or(Rate::is_positive), "must be more than 0");
    let fits = (0..=REVISION_MAX).contains(&sent.revision);
    v.require("revision", fits, "must be 0 to 1000");
    v.require("source", !sent.source.trim().is_empty(), "is required");
    let source = v.text("source", &sent.source, SOURCE_CHARS);
    Some(SeriesValue { month: month?, revision: sent.revision, value: value?, source: source? })
}

pub(super) fn recorded(done: RecordedValues) -> wire::RecordSeriesValuesResponse {
    let count = |count| i32::try_from(count).unwrap_or(i32::MAX);
    wire::RecordSeriesValuesResponse {
        recorded_count: count(done.recorded),
        duplicate_count: count(done.duplicate),
    }
}

pub(super) fn list(request: &wire::ListSeriesValuesRequest) -> Result<ListSeriesValues, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<PriceSeriesName>);
    let parent = name.as_ref().map(|name| OperatorParent::One(name.operator.clone()));
    let series = name.as_ref().map(|name| name.price_series.to_string()).unwrap_or_default();
    let list = list_request(&mut v, parent, (request.page_size, &request.page_token), &[&series]);
    v.build(|| Some(ListSeriesValues { name: name?, list: list? }))
}

pub(super) fn listed(listed: Listed<Recorded>) -> wire::ListSeriesValuesResponse {
    let value = |(value, time): &Recorded| wire::SeriesValue {
        month: Some(to_month(value.month)),
        value: Some(to_decimal(value.value)),
        revision: value.revision,
        source: value.source.clone(),
        create_time: Some(to_timestamp(*time)),
    };
    wire::ListSeriesValuesResponse {
        values: listed.items.iter().map(value).collect(),
        next_page_token: listed.next,
    }
}
