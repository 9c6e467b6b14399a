//! Phases on the wire.

use contracts::inventory::v1 as wire;
use kernel::{BlockName, Error, PhaseName, Violations};
use runtime::wire::{capacity, date, known, optional_date, request_id, to_capacity, to_date, to_timestamp};

use super::or_all;
use crate::app::{Create, Delivered, ListPhases};
use crate::domain::phase::{DateBasis, GridCheck, GrossBasis, Phase, PhaseDraft};

const GROSS_KW_MAX: i64 = 1_000_000_000;

pub(super) fn create(request: &wire::CreatePhaseRequest) -> Result<Create<PhaseDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<BlockName>);
    let id = v.parse("phase_id", &request.phase_id, str::parse);
    let name = parent.zip(id).map(|(block, id)| PhaseName::new(block.operator, block.site, block.block, id));
    let phase = v.present("phase", request.phase.as_ref());
    let draft = phase.and_then(|phase| v.nested("phase", |v| draft(v, name, phase)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| Some(Create { draft: draft?, request_id: request_id?, validate_only: request.validate_only }))
}

/// Reads all that is said of a phase.
pub(super) fn draft(v: &mut Violations, name: Option<PhaseName>, phase: &wire::Phase) -> Option<PhaseDraft> {
    let capacity = capacity(v, "capacity", phase.capacity.as_ref());
    if let Some(capacity) = capacity {
        v.require("capacity.critical_it_kw", capacity.critical_it > 0, "must be positive");
    }
    let it = capacity.map_or(0, |capacity| capacity.critical_it);
    let gross = phase.gross_kw;
    v.require(
        "gross_kw",
        gross == 0 || (it..=GROSS_KW_MAX).contains(&gross),
        "must be 0 or from critical_it_kw to 1000000000 kW",
    );
    let ready = date(v, "ready_for_service_date", phase.ready_for_service_date.as_ref());
    let basis = known::<wire::DateBasis>(v, "date_basis", phase.date_basis);
    let end = optional_date(v, "end_date", phase.end_date.as_ref());
    if let (Some(ready), Some(Some(end))) = (ready, end) {
        v.require("end_date", ready < end, "must be later than ready_for_service_date");
    }
    let date_basis = match basis? {
        wire::DateBasis::Actual => DateBasis::Actual,
        wire::DateBasis::Forecast => DateBasis::Forecast,
        wire::DateBasis::Assumed | wire::DateBasis::Unspecified => DateBasis::Assumed,
    };
    Some(PhaseDraft {
        name: name?,
        capacity: capacity?,
        gross_kw: (gross > 0).then_some(gross),
        ready_for_service: ready?,
        date_basis,
        end: end?,
    })
}

pub(super) fn name(text: &str) -> Result<PhaseName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<PhaseName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListPhasesRequest) -> Result<ListPhases, Error> {
    let mut v = Violations::new();
    let parent = match request.parent.split('/').collect::<Vec<_>>()[..] {
        ["operators", operator, "sites", site, "blocks", block] => {
            let operator = or_all(&mut v, "parent", operator);
            let site = or_all(&mut v, "parent", site);
            operator.zip(site).zip(or_all(&mut v, "parent", block))
        }
        _ => {
            v.add(
                "parent",
                "must have the form operators/{operator}/sites/{site}/blocks/{block}; any id may be -",
            );
            None
        }
    };
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        let ((operator, site), block) = parent?;
        Some(ListPhases { operator, site, block, page: page? })
    })
}

pub(super) fn created(new: &Delivered) -> wire::CreatePhaseResponse {
    let grid_check = match new.grid_check {
        GridCheck::Within => wire::GridCheck::Within,
        GridCheck::Unstated => wire::GridCheck::Unstated,
    };
    wire::CreatePhaseResponse { phase: Some(to_wire(&new.phase)), grid_check: grid_check.into() }
}

/// Writes how a date is known.
pub(super) fn to_basis(basis: DateBasis) -> wire::DateBasis {
    match basis {
        DateBasis::Actual => wire::DateBasis::Actual,
        DateBasis::Forecast => wire::DateBasis::Forecast,
        DateBasis::Assumed => wire::DateBasis::Assumed,
    }
}

pub(super) fn to_wire(phase: &Phase) -> wire::Phase {
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
    }
}
