//! Phases on the wire.

use contracts::inventory::v1 as wire;
use kernel::{BlockName, Error, Instant, PhaseName, Violations};
use runtime::wire::{
    capacity, date, instant, known, optional_date, optional_instant, request_id, to_capacity, to_date,
    to_timestamp,
};

use super::phase_change;
use crate::app::{Create, Delivered, ListPhases};
use crate::domain::conversion::{Conversion, InterimUse};
use crate::domain::etag;
use crate::domain::phase::{DateBasis, GridCheck, GrossBasis, ItBasis, Phase, PhaseDraft, ReadyDate};
use crate::domain::use_state::UseState;

/// The largest gross power; a larger number is a mistake of units.
pub(super) const GROSS_KW_MAX: i64 = 1_000_000_000;

pub(super) fn create(request: &wire::CreatePhaseRequest) -> Result<Create<PhaseDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<BlockName>);
    let id = v.parse("phase_id", &request.phase_id, str::parse);
    let name = parent.zip(id).map(|(block, id)| PhaseName::new(block.operator, block.site, block.block, id));
    let phase = v.present("phase", request.phase.as_ref());
    let draft = phase.and_then(|phase| v.nested("phase", |v| draft(v, name, phase)));
    let request_id = request_id(&mut v, &request.request_id);
    let validate_only = request.validate_only;
    let asked = v.build(|| Some(Create { draft: draft?, request_id: request_id?, validate_only }))?;
    asked.draft.check()?;
    Ok(asked)
}

/// Reads all that is said of a phase.
pub(super) fn draft(v: &mut Violations, name: Option<PhaseName>, phase: &wire::Phase) -> Option<PhaseDraft> {
    let capacity = capacity(v, "capacity", phase.capacity.as_ref());
    let gross_kw = gross(v, phase);
    let ready = date(v, "ready_for_service_date", phase.ready_for_service_date.as_ref());
    let basis = known::<wire::DateBasis>(v, "date_basis", phase.date_basis);
    let end = optional_date(v, "end_date", phase.end_date.as_ref());
    let patch = phase_change::conversion(v, phase, phase_change::CONVERSION);
    let date_basis = of_basis(basis?);
    let (capacity, patch) = (capacity?, patch?);
    Some(PhaseDraft {
        name: name?,
        capacity,
        gross_kw: gross_kw?,
        ready_for_service: ready?,
        date_basis,
        end: end?,
        conversion: Conversion {
            interim_use: patch.interim_use?,
            interim_gross_kw: patch.interim_gross_kw?,
            interim_start: patch.interim_start?,
            start: patch.conversion_start?,
            wind_down_notice_days: patch.wind_down_notice_days?,
        },
    })
}

/// Reads gross power; 0 asks to assume it.
pub(super) fn gross(v: &mut Violations, phase: &wire::Phase) -> Option<Option<i64>> {
    let gross = phase.gross_kw;
    let holds = v.require("gross_kw", (0..=GROSS_KW_MAX).contains(&gross), "must be from 0 to 1000000000 kW");
    holds.then_some((gross > 0).then_some(gross))
}

/// Reads how a date is known.
pub(super) fn of_basis(basis: wire::DateBasis) -> DateBasis {
    match basis {
        wire::DateBasis::Actual => DateBasis::Actual,
        wire::DateBasis::Forecast => DateBasis::Forecast,
        wire::DateBasis::Assumed | wire::DateBasis::Unspecified => DateBasis::Assumed,
    }
}

pub(super) fn get(request: &wire::GetPhaseRequest) -> Result<(PhaseName, Option<Instant>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<PhaseName>);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    v.build(|| Some((name?, read_time?)))
}

pub(super) fn list(request: &wire::ListPhasesRequest) -> Result<ListPhases, Error> {
    let mut v = Violations::new();
    let parent = super::block_or_all(&mut v, &request.parent);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        let (operator, site, block) = parent?;
        Some(ListPhases { operator, site, block, read_time: read_time?, page: page? })
    })
}

pub(super) fn created(new: &Delivered) -> wire::CreatePhaseResponse {
    let grid_check = to_check(new.grid_check).into();
    wire::CreatePhaseResponse { phase: Some(to_wire(&new.phase)), grid_check }
}

/// Writes whether the grid's power could be checked.
pub(super) fn to_check(check: GridCheck) -> wire::GridCheck {
    match check {
        GridCheck::Within => wire::GridCheck::Within,
        GridCheck::Unstated => wire::GridCheck::Unstated,
    }
}

/// Writes how a date is known.
pub(super) fn to_basis(basis: DateBasis) -> wire::DateBasis {
    match basis {
        DateBasis::Actual => wire::DateBasis::Actual,
        DateBasis::Forecast => wire::DateBasis::Forecast,
        DateBasis::Assumed => wire::DateBasis::Assumed,
    }
}

/// Reads an earlier version back.
pub(super) fn of_wire(bytes: &[u8], revision: i64) -> Result<Phase, Error> {
    super::kept(bytes, |v, kept: wire::Phase| {
        let name = v.parse("name", &kept.name, str::parse::<PhaseName>);
        let use_state = known(v, "use_state", kept.use_state).and_then(of_use_state);
        let created_at = instant(v, "create_time", kept.create_time.as_ref());
        let updated_at = instant(v, "update_time", kept.update_time.as_ref());
        let said = v.each("ready_dates", &kept.ready_dates, |v, said| {
            let date = date(v, "date", said.date.as_ref());
            let basis = known(v, "basis", said.basis).map(of_basis);
            let recorded_at = instant(v, "record_time", said.record_time.as_ref());
            let reason = said.reason.clone();
            Some(ReadyDate { date: date?, basis: basis?, recorded_at: recorded_at?, reason })
        });
        let draft = draft(v, name, &kept)?;
        Some(Phase {
            name: draft.name,
            capacity: draft.capacity,
            it_basis: match kept.it_basis() {
                wire::ItBasis::Assumed => ItBasis::Assumed,
                wire::ItBasis::Stated | wire::ItBasis::Unspecified => ItBasis::Stated,
            },
            gross_kw: kept.gross_kw,
            gross_basis: match kept.gross_basis() {
                wire::GrossBasis::Assumed => GrossBasis::Assumed,
                wire::GrossBasis::Stated | wire::GrossBasis::Unspecified => GrossBasis::Stated,
            },
            use_state: use_state?,
            conversion: draft.conversion,
            ready_for_service: draft.ready_for_service,
            date_basis: draft.date_basis,
            ready_dates: said?,
            end: draft.end,
            cancel_reason: kept.cancel_reason.clone(),
            revision,
            created_at: created_at?,
            updated_at: updated_at?,
        })
    })
}

/// Reads what a phase is used for.
pub(super) fn of_use_state(state: wire::UseState) -> Option<UseState> {
    Some(match state {
        wire::UseState::Unspecified => return None,
        wire::UseState::Planned => UseState::Planned,
        wire::UseState::Mining => UseState::Mining,
        wire::UseState::Hosting => UseState::Hosting,
        wire::UseState::Idle => UseState::Idle,
        wire::UseState::Converting => UseState::Converting,
        wire::UseState::Commissioning => UseState::Commissioning,
        wire::UseState::Ready => UseState::Ready,
        wire::UseState::Retired => UseState::Retired,
        wire::UseState::Cancelled => UseState::Cancelled,
    })
}

fn to_use_state(state: UseState) -> wire::UseState {
    match state {
        UseState::Planned => wire::UseState::Planned,
        UseState::Mining => wire::UseState::Mining,
        UseState::Hosting => wire::UseState::Hosting,
        UseState::Idle => wire::UseState::Idle,
        UseState::Converting => wire::UseState::Converting,
        UseState::Commissioning => wire::UseState::Commissioning,
        UseState::Ready => wire::UseState::Ready,
        UseState::Retired => wire::UseState::Retired,
        UseState::Cancelled => wire::UseState::Cancelled,
    }
}

fn to_interim_use(interim: InterimUse) -> wire::InterimUse {
    match interim {
        InterimUse::None => wire::InterimUse::Unspecified,
        InterimUse::Mining => wire::InterimUse::Mining,
        InterimUse::Hosting => wire::InterimUse::Hosting,
        InterimUse::Idle => wire::InterimUse::Idle,
    }
}

fn to_ready_date(said: &ReadyDate) -> wire::ReadyDate {
    wire::ReadyDate {
        date: Some(to_date(said.date)),
        basis: to_basis(said.basis).into(),
        record_time: Some(to_timestamp(said.recorded_at)),
        reason: said.reason.clone(),
    }
}

pub(super) fn to_wire(phase: &Phase) -> wire::Phase {
    let conversion = &phase.conversion;
    wire::Phase {
        name: phase.name.to_string(),
        capacity: Some(to_capacity(phase.capacity)),
        gross_kw: phase.gross_kw,
        gross_basis: match phase.gross_basis {
            GrossBasis::Stated => wire::GrossBasis::Stated,
            GrossBasis::Assumed => wire::GrossBasis::Assumed,
        }
        .into(),
        ready_for_service_date: Some(to_date(phase.ready_for_service)),
        date_basis: to_basis(phase.date_basis).into(),
        end_date: phase.end.map(to_date),
        create_time: Some(to_timestamp(phase.created_at)),
        it_basis: match phase.it_basis {
            ItBasis::Stated => wire::ItBasis::Stated,
            ItBasis::Assumed => wire::ItBasis::Assumed,
        }
        .into(),
        use_state: to_use_state(phase.use_state).into(),
        interim_use: to_interim_use(conversion.interim_use).into(),
        interim_gross_kw: conversion.interim_gross_kw,
        interim_start_date: conversion.interim_start.map(to_date),
        conversion_start_date: conversion.start.map(to_date),
        wind_down_notice_days: conversion.wind_down_notice_days,
        last_notice_date: conversion.last_notice().map(to_date),
        dark_months: conversion.dark_months(phase.ready_for_service),
        baseline_date: Some(to_date(phase.baseline())),
        forecast_date: phase.forecast().map(to_date),
        actual_date: phase.actual().map(to_date),
        ready_dates: phase.ready_dates.iter().map(to_ready_date).collect(),
        cancel_reason: phase.cancel_reason.clone(),
        etag: etag(phase.revision),
        update_time: Some(to_timestamp(phase.updated_at)),
    }
}
