//! Maintenance windows on the wire.

use contracts::inventory::v1 as wire;
use kernel::{BlockName, CapacityVector, Error, Interval, MaintenanceName, Reason, Violation, Violations};
use runtime::wire::{capacity, instant, known, optional_instant, request_id, to_capacity, to_timestamp};

use super::phase_change::reason;
use super::shortfall;
use crate::app::{CancelMaintenance, ListMaintenance, ScheduleMaintenance, Scheduled};
use crate::domain::etag;
use crate::domain::maintenance::{MaintenanceKind, MaintenanceState, Window, WindowDraft};

const DAYS_MAX: i64 = 50 * 366;

pub(super) fn schedule(request: &wire::ScheduleMaintenanceRequest) -> Result<ScheduleMaintenance, Error> {
    let mut v = Violations::new();
    let block = v.parse("parent", &request.parent, str::parse::<BlockName>);
    let window = v.present("window", request.window.as_ref());
    let draft = window.and_then(|window| v.nested("window", |v| draft(v, window)));
    let request_id = request_id(&mut v, &request.request_id);
    let asked = v.build(|| {
        Some(ScheduleMaintenance {
            block: block?,
            draft: draft?,
            accept_shortfall: request.accept_shortfall,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })?;
    if asked.draft.interval.duration().num_days() > DAYS_MAX {
        let violation = Violation::new("window.end_time", "must be at most 50 years after start_time");
        return Err(Error::refused(Reason::TermOutOfRange, "A window may last 50 years at most.")
            .with_violations(vec![violation]));
    }
    Ok(asked)
}

fn draft(v: &mut Violations, window: &wire::MaintenanceWindow) -> Option<WindowDraft> {
    let kind = known::<wire::MaintenanceKind>(v, "kind", window.kind).map(|kind| match kind {
        wire::MaintenanceKind::Derate => MaintenanceKind::Derate,
        wire::MaintenanceKind::Maintenance | wire::MaintenanceKind::Unspecified => {
            MaintenanceKind::Maintenance
        }
    });
    let start = instant(v, "start_time", window.start_time.as_ref());
    let end = instant(v, "end_time", window.end_time.as_ref());
    let interval = match (start, end) {
        (Some(start), Some(end)) => v.take("end_time", Interval::new(start, end)),
        _ => None,
    };
    let reduction = match window.reduction.as_ref() {
        None => Some(CapacityVector::ZERO),
        some => capacity(v, "reduction", some),
    };
    if let (Some(MaintenanceKind::Derate), Some(reduction)) = (kind, reduction) {
        v.require("reduction", !reduction.is_zero(), "is required for a derate");
    }
    let reason = reason(v, &window.reason);
    Some(WindowDraft { kind: kind?, interval: interval?, reduction: reduction?, reason: reason? })
}

pub(super) fn cancel(request: &wire::CancelMaintenanceRequest) -> Result<CancelMaintenance, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<MaintenanceName>);
    let request_id = request_id(&mut v, &request.request_id);
    let etag = (!request.etag.is_empty()).then(|| request.etag.clone());
    v.build(|| {
        Some(CancelMaintenance {
            name: name?,
            etag,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn name(text: &str) -> Result<MaintenanceName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<MaintenanceName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListMaintenanceRequest) -> Result<ListMaintenance, Error> {
    let mut v = Violations::new();
    let parent = super::block_or_all(&mut v, &request.parent);
    let ends_after = optional_instant(&mut v, "ends_after_time", request.ends_after_time.as_ref());
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        let (operator, site, block) = parent?;
        Some(ListMaintenance { operator, site, block, ends_after: ends_after?, page: page? })
    })
}

pub(super) fn scheduled(new: &Scheduled) -> wire::ScheduleMaintenanceResponse {
    let (shortfalls, shortfall_count) = shortfall::list(&new.shortfalls);
    wire::ScheduleMaintenanceResponse { window: Some(to_wire(&new.window)), shortfalls, shortfall_count }
}

pub(super) fn cancelled(window: &Window) -> wire::CancelMaintenanceResponse {
    wire::CancelMaintenanceResponse { window: Some(to_wire(window)) }
}

pub(super) fn to_wire(window: &Window) -> wire::MaintenanceWindow {
    let facts = &window.facts;
    wire::MaintenanceWindow {
        name: window.name.to_string(),
        kind: match facts.kind {
            MaintenanceKind::Maintenance => wire::MaintenanceKind::Maintenance,
            MaintenanceKind::Derate => wire::MaintenanceKind::Derate,
        }
        .into(),
        start_time: Some(to_timestamp(facts.interval.start())),
        end_time: Some(to_timestamp(facts.interval.end())),
        reduction: Some(to_capacity(facts.reduction)),
        reason: facts.reason.clone(),
        state: match window.state {
            MaintenanceState::Scheduled => wire::MaintenanceState::Scheduled,
            MaintenanceState::Cancelled => wire::MaintenanceState::Cancelled,
            MaintenanceState::CutShort => wire::MaintenanceState::CutShort,
        }
        .into(),
        etag: etag(window.revision),
        create_time: Some(to_timestamp(window.created_at)),
        update_time: Some(to_timestamp(window.updated_at)),
    }
}
