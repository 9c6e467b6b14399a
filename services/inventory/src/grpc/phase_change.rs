//! Changes of phases on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, PhaseName, Violations};
use runtime::wire::{capacity, date, known, optional_date, optional_known, request_id};

use super::phase::{GROSS_KW_MAX, gross, of_basis, of_use_state, to_check, to_wire};
use super::{mask, shortfall};
use crate::app::{ChangePhase, Changed};
use crate::domain::conversion::InterimUse;
use crate::domain::phase_change::{Deed, PhasePatch};
use crate::domain::use_state::UseState;

/// The fields of what a phase is before it is in service.
pub(super) const CONVERSION: &[&str] = &[
    "interim_use",
    "interim_gross_kw",
    "interim_start_date",
    "conversion_start_date",
    "wind_down_notice_days",
];

/// The fields that an update may name.
const CHANGEABLE: &[&str] = &[
    "capacity",
    "gross_kw",
    "end_date",
    "interim_use",
    "interim_gross_kw",
    "interim_start_date",
    "conversion_start_date",
    "wind_down_notice_days",
];
const NOTICE_DAYS_MAX: i32 = 3_650;
const REASON_MAX: usize = 500;

/// What every change of a phase is asked with, but for its deed.
struct Envelope<'a> {
    name: &'a str,
    etag: &'a str,
    request_id: &'a str,
    accept_shortfall: bool,
    validate_only: bool,
}

impl Envelope<'_> {
    fn with(self, mut v: Violations, deed: Option<Deed>) -> Result<ChangePhase, Error> {
        let name = v.parse("name", self.name, str::parse::<PhaseName>);
        let request_id = request_id(&mut v, self.request_id);
        let etag = (!self.etag.is_empty()).then(|| self.etag.to_owned());
        v.build(|| {
            Some(ChangePhase {
                name: name?,
                etag,
                deed: deed?,
                accept_shortfall: self.accept_shortfall,
                request_id: request_id?,
                validate_only: self.validate_only,
            })
        })
    }
}

pub(super) fn update(request: &wire::UpdatePhaseRequest) -> Result<ChangePhase, Error> {
    let mut v = Violations::new();
    let paths = mask(&mut v, request.update_mask.as_ref(), CHANGEABLE);
    let read = v.present("phase", request.phase.as_ref()).and_then(|phase| {
        v.nested("phase", |v| {
            let name = v.parse("name", &phase.name, str::parse::<PhaseName>);
            v.require("etag", !phase.etag.is_empty(), "is required");
            let patch = patch(v, phase, &paths);
            Some((name?, phase.etag.clone(), patch?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (name, etag, patch) = read?;
        Some(ChangePhase {
            name,
            etag: Some(etag),
            deed: Deed::Update(patch),
            accept_shortfall: request.accept_shortfall,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads the named fields, all violations at once.
fn patch(v: &mut Violations, phase: &wire::Phase, fields: &[&str]) -> Option<PhasePatch> {
    let wants = |field| fields.contains(&field);
    let conversion = conversion(v, phase, fields);
    let capacity = wants("capacity").then(|| capacity(v, "capacity", phase.capacity.as_ref()));
    let gross_kw = wants("gross_kw").then(|| gross(v, phase));
    let end = wants("end_date").then(|| optional_date(v, "end_date", phase.end_date.as_ref()));
    Some(PhasePatch {
        capacity: whole(capacity)?,
        gross_kw: whole(gross_kw)?,
        end: whole(end)?,
        ..conversion?
    })
}

/// A field that is not wanted, or was read; none if it does not read.
fn whole<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// Reads the named fields of what a phase is before it is in service.
pub(super) fn conversion(v: &mut Violations, phase: &wire::Phase, fields: &[&str]) -> Option<PhasePatch> {
    let wants = |field| fields.contains(&field);
    let interim_use = wants("interim_use").then(|| {
        optional_known::<wire::InterimUse>(v, "interim_use", phase.interim_use).map(|interim| match interim {
            Some(wire::InterimUse::Mining) => InterimUse::Mining,
            Some(wire::InterimUse::Hosting) => InterimUse::Hosting,
            Some(wire::InterimUse::Idle) => InterimUse::Idle,
            Some(wire::InterimUse::Unspecified) | None => InterimUse::None,
        })
    });
    let gross = phase.interim_gross_kw;
    let interim_gross_kw = wants("interim_gross_kw").then(|| {
        let rule = "must be from 0 to 1000000000 kW";
        v.require("interim_gross_kw", (0..=GROSS_KW_MAX).contains(&gross), rule).then_some(gross)
    });
    let interim_start = wants("interim_start_date")
        .then(|| optional_date(v, "interim_start_date", phase.interim_start_date.as_ref()));
    let conversion_start = wants("conversion_start_date")
        .then(|| optional_date(v, "conversion_start_date", phase.conversion_start_date.as_ref()));
    let days = phase.wind_down_notice_days;
    let wind_down_notice_days = wants("wind_down_notice_days").then(|| {
        let inside = (0..=NOTICE_DAYS_MAX).contains(&days);
        v.require("wind_down_notice_days", inside, "must be from 0 to 3650").then_some(days)
    });
    Some(PhasePatch {
        interim_use: whole(interim_use)?,
        interim_gross_kw: whole(interim_gross_kw)?,
        interim_start: whole(interim_start)?,
        conversion_start: whole(conversion_start)?,
        wind_down_notice_days: whole(wind_down_notice_days)?,
        ..PhasePatch::default()
    })
}

pub(super) fn advance(request: &wire::AdvancePhaseRequest) -> Result<ChangePhase, Error> {
    let mut v = Violations::new();
    let state = known::<wire::UseState>(&mut v, "use_state", request.use_state).and_then(of_use_state);
    let state = state.filter(|state| {
        v.require(
            "use_state",
            *state != UseState::Cancelled,
            "must not be CANCELLED: cancel the phase instead",
        )
    });
    let since = optional_date(&mut v, "date", request.date.as_ref());
    let envelope = Envelope {
        name: &request.name,
        etag: &request.etag,
        request_id: &request.request_id,
        accept_shortfall: request.accept_shortfall,
        validate_only: request.validate_only,
    };
    envelope.with(v, state.zip(since).map(|(state, since)| Deed::Advance(state, since)))
}

pub(super) fn slip(request: &wire::SlipPhaseRequest) -> Result<ChangePhase, Error> {
    let mut v = Violations::new();
    let ready = date(&mut v, "ready_for_service_date", request.ready_for_service_date.as_ref());
    let basis = known::<wire::DateBasis>(&mut v, "date_basis", request.date_basis).filter(|basis| {
        let open = *basis != wire::DateBasis::Actual;
        v.require("date_basis", open, "must be forecast or assumed: advance the phase to READY instead")
    });
    let reason = reason(&mut v, &request.reason);
    let envelope = Envelope {
        name: &request.name,
        etag: &request.etag,
        request_id: &request.request_id,
        accept_shortfall: request.accept_shortfall,
        validate_only: request.validate_only,
    };
    let slip = || Some(Deed::Slip { ready: ready?, basis: of_basis(basis?), reason: reason? });
    envelope.with(v, slip())
}

pub(super) fn cancel(request: &wire::CancelPhaseRequest) -> Result<ChangePhase, Error> {
    let mut v = Violations::new();
    let reason = reason(&mut v, &request.reason);
    let envelope = Envelope {
        name: &request.name,
        etag: &request.etag,
        request_id: &request.request_id,
        accept_shortfall: request.accept_shortfall,
        validate_only: request.validate_only,
    };
    envelope.with(v, reason.map(Deed::Cancel))
}

/// Reads why something is done.
pub(super) fn reason(v: &mut Violations, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        v.add("reason", "is required");
        return None;
    }
    v.text("reason", text, REASON_MAX)
}

pub(super) fn updated(changed: &Changed) -> wire::UpdatePhaseResponse {
    let (shortfalls, shortfall_count) = shortfall::list(&changed.shortfalls);
    wire::UpdatePhaseResponse {
        phase: Some(to_wire(&changed.phase)),
        grid_check: to_check(changed.grid_check).into(),
        shortfalls,
        shortfall_count,
    }
}

pub(super) fn advanced(changed: &Changed) -> wire::AdvancePhaseResponse {
    let (shortfalls, shortfall_count) = shortfall::list(&changed.shortfalls);
    wire::AdvancePhaseResponse { phase: Some(to_wire(&changed.phase)), shortfalls, shortfall_count }
}

pub(super) fn slipped(changed: &Changed) -> wire::SlipPhaseResponse {
    let (shortfalls, shortfall_count) = shortfall::list(&changed.shortfalls);
    wire::SlipPhaseResponse {
        phase: Some(to_wire(&changed.phase)),
        grid_check: to_check(changed.grid_check).into(),
        shortfalls,
        shortfall_count,
    }
}

pub(super) fn cancelled(changed: &Changed) -> wire::CancelPhaseResponse {
    let (shortfalls, shortfall_count) = shortfall::list(&changed.shortfalls);
    wire::CancelPhaseResponse { phase: Some(to_wire(&changed.phase)), shortfalls, shortfall_count }
}
