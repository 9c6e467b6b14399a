//! Bad changes of phases, bad windows of maintenance, bad days of a power plan.

use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, date, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::{FieldMask, Timestamp};
use tonic::Code;

use super::{NO_DAY, range};
use crate::bad_input::Case;

const NO_TIME: Option<Timestamp> = Some(Timestamp { seconds: 1, nanos: -1 });

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn update_phase(n: &Names) -> Vec<Case> {
    let ask = |phase: inventory::Phase, paths: &[&str]| {
        let phase = inventory::Phase { name: n.phase.clone(), etag: n.phase_etag.clone(), ..phase };
        inventory::UpdatePhaseRequest {
            phase: Some(phase),
            update_mask: Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let all_wrong = inventory::Phase {
        capacity: Some(CapacityVector { critical_it_kw: -1, ..market::hall(1) }),
        gross_kw: -7,
        end_date: NO_DAY,
        interim_use: 99,
        interim_gross_kw: -1,
        interim_start_date: NO_DAY,
        conversion_start_date: NO_DAY,
        wind_down_notice_days: 3_651,
        ..Default::default()
    };
    let every = [
        "capacity",
        "gross_kw",
        "end_date",
        "interim_use",
        "interim_gross_kw",
        "interim_start_date",
        "conversion_start_date",
        "wind_down_notice_days",
    ];
    let mining = |gross_kw, start: &str| inventory::Phase {
        interim_use: inventory::InterimUse::Mining.into(),
        interim_gross_kw: gross_kw,
        interim_start_date: Some(date("2026-01-01")),
        conversion_start_date: Some(date(start)),
        ..Default::default()
    };
    let interim = ["interim_use", "interim_gross_kw", "interim_start_date", "conversion_start_date"];
    let less = inventory::Phase { capacity: Some(market::hall(9_999)), ..Default::default() };
    let ends = inventory::Phase { end_date: Some(date(market::READY)), ..Default::default() };
    let vast = inventory::Phase { gross_kw: 999_000_000, ..Default::default() };
    vec![
        Case::invalid(
            "no phase",
            inventory::UpdatePhaseRequest {
                update_mask: Some(FieldMask { paths: vec!["gross_kw".to_owned()] }),
                request_id: request_id(),
                ..Default::default()
            }
            .encode_to_vec(),
            &["phase"],
        ),
        Case::invalid(
            "everything",
            ask(all_wrong, &every),
            &[
                "phase.capacity.critical_it_kw",
                "phase.gross_kw",
                "phase.end_date",
                "phase.interim_use",
                "phase.interim_gross_kw",
                "phase.interim_start_date",
                "phase.conversion_start_date",
                "phase.wind_down_notice_days",
            ],
        ),
        Case::invalid(
            "a mine of nothing",
            ask(mining(0, "2026-06-01"), &interim),
            &["phase.interim_gross_kw", "phase.interim_start_date"],
        ),
        Case::invalid(
            "a conversion that ends before it begins",
            ask(mining(10, "2027-01-01"), &interim),
            &["phase.conversion_start_date"],
        ),
        Case::invalid("an end that is the start", ask(ends, &["end_date"]), &["phase.end_date"]),
        Case::new(
            "a lease would be short",
            ask(less, &["capacity"]),
            Code::FailedPrecondition,
            "CAPACITY_COMMITTED",
            &[],
        ),
        Case::new(
            "more than the grid gives",
            ask(vast, &["gross_kw"]),
            Code::FailedPrecondition,
            "SITE_POWER_EXCEEDED",
            &[],
        ),
        Case::new(
            "the state",
            ask(inventory::Phase::default(), &["use_state"]),
            Code::InvalidArgument,
            "INVALID_FIELD_MASK",
            &["update_mask"],
        ),
    ]
}

pub(super) fn change_phase(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "AdvancePhase" => advance(n),
        "SlipPhase" => slip(n),
        _ => {
            let ask = |reason: String| {
                let (name, request_id) = (n.phase.clone(), request_id());
                inventory::CancelPhaseRequest { name, reason, request_id, ..Default::default() }
                    .encode_to_vec()
            };
            vec![
                Case::invalid("no reason", ask(" ".to_owned()), &["reason"]),
                Case::invalid("a long reason", ask("x".repeat(501)), &["reason"]),
                Case::new(
                    "a lease would be short",
                    ask("no money".to_owned()),
                    Code::FailedPrecondition,
                    "CAPACITY_COMMITTED",
                    &[],
                ),
            ]
        }
    }
}

fn advance(n: &Names) -> Vec<Case> {
    let ask = |state: inventory::UseState, date| {
        inventory::AdvancePhaseRequest {
            name: n.phase.clone(),
            use_state: state.into(),
            date,
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    use inventory::UseState::{Cancelled, Converting, Mining, Ready, Unspecified};
    vec![
        Case::invalid("no state and no day", ask(Unspecified, NO_DAY), &["use_state", "date"]),
        Case::invalid("cancelled", ask(Cancelled, None), &["use_state"]),
        Case::invalid("a day to come", ask(Mining, Some(date("2030-01-01"))), &["date"]),
        Case::invalid("rebuilt after it is ready", ask(Converting, Some(date(market::READY))), &["date"]),
        Case::new(
            "ready without tests",
            ask(Ready, None),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
            &[],
        ),
    ]
}

fn slip(n: &Names) -> Vec<Case> {
    let good = || inventory::SlipPhaseRequest {
        name: n.phase.clone(),
        ready_for_service_date: Some(date("2027-03-01")),
        date_basis: inventory::DateBasis::Forecast.into(),
        reason: "late".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let nothing =
        inventory::SlipPhaseRequest { name: n.phase.clone(), request_id: request_id(), ..Default::default() };
    let actual = inventory::SlipPhaseRequest { date_basis: inventory::DateBasis::Actual.into(), ..good() };
    vec![
        Case::invalid(
            "nothing of it",
            nothing.encode_to_vec(),
            &["ready_for_service_date", "date_basis", "reason"],
        ),
        Case::invalid("a fact", actual.encode_to_vec(), &["date_basis"]),
        Case::new(
            "a lease would be short",
            good().encode_to_vec(),
            Code::FailedPrecondition,
            "CAPACITY_COMMITTED",
            &[],
        ),
    ]
}

pub(super) fn read_time(method: &str, n: &Names) -> Vec<Case> {
    let message = match method {
        "GetPhase" => {
            inventory::GetPhaseRequest { name: n.phase.clone(), read_time: NO_TIME }.encode_to_vec()
        }
        _ => {
            inventory::ListPhasesRequest { parent: n.block.clone(), read_time: NO_TIME, ..Default::default() }
                .encode_to_vec()
        }
    };
    vec![Case::invalid("no time", message, &["read_time"])]
}

pub(super) fn power_plan(n: &Names) -> Vec<Case> {
    let ask = |start, end| {
        let name = n.site.clone();
        inventory::GetPowerPlanRequest { name, start_date: start, end_date: end }.encode_to_vec()
    };
    let (first, second) = (Some(date("2027-01-01")), Some(date("2027-01-02")));
    vec![
        Case::invalid("no days", ask(None, NO_DAY), &["start_date", "end_date"]),
        Case::invalid("backwards", ask(second, first), &["end_date"]),
        range("beyond fifty years", ask(first, Some(date("2078-01-01"))), "end_date"),
    ]
}

pub(super) fn maintenance(method: &str, n: &Names) -> Vec<Case> {
    if method == "ListMaintenance" {
        let (parent, ends_after_time) = (n.block.clone(), NO_TIME);
        let list = inventory::ListMaintenanceRequest { parent, ends_after_time, ..Default::default() };
        return vec![Case::invalid("no time", list.encode_to_vec(), &["ends_after_time"])];
    }
    let ask = |window: Option<inventory::MaintenanceWindow>| {
        inventory::ScheduleMaintenanceRequest {
            parent: n.block.clone(),
            window,
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let good = || market::window("2028-05-01", "2028-05-03", market::load(1_000), "filters");
    let all_wrong = inventory::MaintenanceWindow {
        kind: 99,
        start_time: NO_TIME,
        end_time: None,
        reduction: Some(CapacityVector { liquid_cooling_kw: -1, ..Default::default() }),
        reason: "x".repeat(501),
        ..Default::default()
    };
    let back = inventory::MaintenanceWindow { end_time: good().start_time, ..good() };
    let idle = inventory::MaintenanceWindow {
        kind: inventory::MaintenanceKind::Derate.into(),
        reduction: None,
        ..good()
    };
    let ages = inventory::MaintenanceWindow {
        end_time: market::window("2028-05-01", "2079-01-01", market::load(1), "x").end_time,
        ..good()
    };
    vec![
        Case::invalid("no window", ask(None), &["window"]),
        Case::invalid(
            "everything",
            ask(Some(all_wrong)),
            &[
                "window.kind",
                "window.start_time",
                "window.end_time",
                "window.reduction.liquid_cooling_kw",
                "window.reason",
            ],
        ),
        Case::invalid("no time at all", ask(Some(back)), &["window.end_time"]),
        Case::invalid("a derate of nothing", ask(Some(idle)), &["window.reduction"]),
        range("beyond fifty years", ask(Some(ages)), "window.end_time"),
        Case::new(
            "a lease would be short",
            ask(Some(good())),
            Code::FailedPrecondition,
            "CAPACITY_COMMITTED",
            &[],
        ),
    ]
}
