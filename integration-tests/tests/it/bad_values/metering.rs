//! Bad meters, bad readings, bad questions about them.

use contracts::billing::v1 as billing;
use integration_tests::market::{self, date, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::Timestamp;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CreateMeter" => meter(n),
        "IngestReadings" => readings(n),
        _ => questions(method, n),
    }
}

fn meter(n: &Names) -> Vec<Case> {
    let ask = |id: &str, meter: billing::Meter| {
        billing::CreateMeterRequest {
            parent: n.operator.clone(),
            meter_id: id.to_owned(),
            meter: Some(meter),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let good = market::meter(n);
    let all_wrong = billing::Meter {
        kind: billing::MeterKind::Tenant.into(),
        site: n.operator.clone(),
        time_zone: "Mars/Olympus".to_owned(),
        interval_minutes: 45,
        max_kw: 0,
        install_date: NO_DAY,
        ..Default::default()
    };
    let fields = [
        "meter.display_name",
        "meter.site",
        "meter.block",
        "meter.tenant",
        "meter.time_zone",
        "meter.interval_minutes",
        "meter.max_kw",
        "meter.install_date",
    ];
    let utility = billing::Meter { kind: billing::MeterKind::Utility.into(), ..good.clone() };
    let hall = billing::Meter { kind: billing::MeterKind::Block.into(), ..good.clone() };
    let elsewhere = billing::Meter { block: n.spare_block.replace("rockdale", "other"), ..good.clone() };
    let foreign = billing::Meter { site: "operators/zenith/sites/rockdale".to_owned(), ..good.clone() };
    let greedy = billing::Meter { assumed_kw: 50_001, ..good.clone() };
    let taken = ask("hall-one", good.clone());
    vec![
        Case::invalid("everything", ask("another", all_wrong), &fields),
        Case::invalid("an id", ask("Hall One", good.clone()), &["meter_id"]),
        Case::invalid("of the utility, in a hall", ask("another", utility), &["meter.block", "meter.tenant"]),
        Case::invalid("of a hall, of a tenant", ask("another", hall), &["meter.tenant"]),
        Case::invalid("a hall of another site", ask("another", elsewhere), &["meter.block"]),
        Case::invalid("a site of another", ask("another", foreign), &["meter.site"]),
        Case::invalid("assumes too much", ask("another", greedy), &["meter.assumed_kw"]),
        Case::new("a taken id", taken, Code::AlreadyExists, "NAME_TAKEN", &[]),
    ]
}

fn readings(n: &Names) -> Vec<Case> {
    let ask = |series: Vec<billing::ReadingSeries>| {
        billing::IngestReadingsRequest { parent: n.operator.clone(), series, validate_only: false }
            .encode_to_vec()
    };
    let series = |start: &str, energies: &[i64]| market::series(&n.meter, start, energies);
    let good = series("2027-01-01T12:00:00Z", &[1]);
    let shapeless = billing::ReadingSeries {
        meter: "hall-one".to_owned(),
        start_time: Some(Timestamp { seconds: 1, nanos: -1 }),
        energy_wh: Vec::new(),
        revision: -1,
        estimated: false,
    };
    let foreign = billing::ReadingSeries { meter: n.meter.replace("acme", "zenith"), ..good.clone() };
    let implausible = vec![
        series("2027-01-01T12:01:00Z", &[1]),
        series("2026-12-31T12:00:00Z", &[-1]),
        series("2027-01-02T11:45:00Z", &[12_500_000, 12_500_001]),
    ];
    let many = market::series(&n.meter, "2027-01-01T12:00:00Z", &[1; 10_001]);
    let absent = billing::ReadingSeries { meter: format!("{}-b", n.meter), ..good.clone() };
    let shapes = [
        "series[1].meter",
        "series[1].start_time",
        "series[1].energy_wh",
        "series[1].revision",
        "series[2].meter",
    ];
    let values = [
        "series[0].start_time",
        "series[1].start_time",
        "series[1].energy_wh[0]",
        "series[2].energy_wh",
        "series[2].energy_wh[1]",
    ];
    vec![
        Case::invalid("no series", ask(Vec::new()), &["series"]),
        Case::invalid("shapes", ask(vec![good.clone(), shapeless, foreign]), &shapes),
        Case::invalid("values that no meter measures", ask(implausible), &values),
        Case::invalid("a long series", ask(vec![many]), &["series[0].energy_wh"]),
        Case::invalid(
            "too many readings",
            ask(vec![market::series(&n.meter, "2027-01-01T12:00:00Z", &[1; 7_000]); 3]),
            &["series"],
        ),
        Case::new("no such meter", ask(vec![good, absent]), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}

fn questions(method: &str, n: &Names) -> Vec<Case> {
    let noon = Some(Timestamp { seconds: 1_798_804_800, nanos: 0 });
    let usage = |start, end, with_intervals| {
        billing::GetUsageRequest { name: n.meter.clone(), start_date: start, end_date: end, with_intervals }
            .encode_to_vec()
    };
    let day = |text: &str| Some(date(text));
    let readings = |start_time, end_time| {
        billing::ListReadingsRequest { parent: n.meter.clone(), start_time, end_time, ..Default::default() }
            .encode_to_vec()
    };
    match method {
        "GetUsage" => vec![
            Case::invalid("no days", usage(None, NO_DAY, false), &["start_date", "end_date"]),
            Case::invalid("backwards", usage(day("2027-02-01"), day("2027-01-01"), false), &["end_date"]),
            Case::invalid("a long time", usage(day("2027-01-01"), day("2028-01-03"), false), &["end_date"]),
            Case::invalid("too fine", usage(day("2027-01-01"), day("2027-02-02"), true), &["end_date"]),
        ],
        "ListReadings" => vec![
            Case::invalid("no span", readings(None, None), &["start_time", "end_time"]),
            Case::invalid("an empty span", readings(noon, noon), &["end_time"]),
        ],
        _ => vec![Case::invalid(
            "every filter",
            billing::ListMetersRequest {
                parent: n.operator.clone(),
                site: n.operator.clone(),
                tenant: "lab".to_owned(),
                ..Default::default()
            }
            .encode_to_vec(),
            &["site", "tenant"],
        )],
    }
}
