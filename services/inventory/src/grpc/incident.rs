//! Outages on the wire.

use contracts::common::v1 as common;
use contracts::inventory::v1 as wire;
use kernel::{BlockName, Error, IncidentName, OperatorParent, SiteName, TenantName, Violations};
use runtime::wire::{instant, known, optional_instant, request_id, to_resource, to_timestamp};

use super::mask;
use super::site::optional_kw;
use crate::app::{CloseIncident, IncidentPatch, ListIncidents, NewIncident, UpdateIncident};
use crate::domain::etag;
use crate::domain::incident::{Deed, Facts, Incident, Kind, Lane, State};

/// The fields that an update may name.
const CHANGEABLE: &[&str] = &[
    "start_time",
    "end_time",
    "affected_resources",
    "affected_kw",
    "cause",
    "all_feeds_down",
    "temperature_max_decicelsius",
    "measured_minutes",
];
const TEXT_MAX: usize = 1_000;
/// A year of minutes.
const MINUTES_MAX: i32 = 527_040;

pub(super) fn report(request: &wire::ReportIncidentRequest) -> Result<NewIncident, Error> {
    let mut v = Violations::new();
    let parent = match request.parent.parse::<SiteName>() {
        Ok(site) => Some((site, None)),
        Err(_) => v
            .take("parent", request.parent.parse::<BlockName>())
            .map(|block| (block.site_name(), Some(block))),
    };
    new(v, parent, request.incident.as_ref(), &request.request_id, request.validate_only)
}

pub(super) fn open(request: &wire::OpenIncidentRequest) -> Result<NewIncident, Error> {
    let mut v = Violations::new();
    let block = v.parse("parent", &request.parent, str::parse::<BlockName>);
    let parent = block.map(|block| (block.site_name(), Some(block)));
    new(v, parent, request.incident.as_ref(), &request.request_id, request.validate_only)
}

fn new(
    mut v: Violations,
    parent: Option<(SiteName, Option<BlockName>)>,
    incident: Option<&wire::Incident>,
    id: &str,
    validate_only: bool,
) -> Result<NewIncident, Error> {
    let read = v.present("incident", incident).and_then(|incident| {
        v.nested("incident", |v| {
            let kind = known::<wire::IncidentKind>(v, "kind", incident.kind);
            let patch = patch(v, incident, CHANGEABLE);
            Some((of_kind(kind?), patch?))
        })
    });
    let request_id = request_id(&mut v, id);
    v.build(|| {
        let (site, block) = parent?;
        let (kind, patch) = read?;
        let (start, end) = (patch.start?, patch.end?);
        let mut facts = Facts::default();
        patch.facts(&mut facts);
        Some(NewIncident { site, block, kind, start, end, facts, request_id: request_id?, validate_only })
    })
}

pub(super) fn update(request: &wire::UpdateIncidentRequest) -> Result<UpdateIncident, Error> {
    let mut v = Violations::new();
    let paths = mask(&mut v, request.update_mask.as_ref(), CHANGEABLE);
    let read = v.present("incident", request.incident.as_ref()).and_then(|incident| {
        v.nested("incident", |v| {
            let name = v.parse("name", &incident.name, str::parse::<IncidentName>);
            v.require("etag", !incident.etag.is_empty(), "is required");
            let patch = patch(v, incident, &paths);
            Some((name?, incident.etag.clone(), patch?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (name, etag, patch) = read?;
        let validate_only = request.validate_only;
        Some(UpdateIncident { name, etag, patch, request_id: request_id?, validate_only })
    })
}

/// Reads the named fields, all violations at once.
fn patch(v: &mut Violations, sent: &wire::Incident, fields: &[&str]) -> Option<IncidentPatch> {
    let mut patch = IncidentPatch::default();
    let mut whole = true;
    for field in fields {
        whole &= set(v, &mut patch, sent, field).is_some();
    }
    whole.then_some(patch)
}

fn set(v: &mut Violations, patch: &mut IncidentPatch, sent: &wire::Incident, field: &str) -> Option<()> {
    match field {
        "start_time" => patch.start = Some(instant(v, field, sent.start_time.as_ref())?),
        "end_time" => patch.end = Some(optional_instant(v, field, sent.end_time.as_ref())?),
        "affected_resources" => patch.affected = Some(lanes(v, &sent.affected_resources)?),
        "affected_kw" => patch.affected_kw = Some(optional_kw(v, field, sent.affected_kw)?),
        "cause" => patch.cause = Some(v.text(field, &sent.cause, TEXT_MAX)?),
        "all_feeds_down" => patch.all_feeds_down = Some(sent.all_feeds_down),
        "temperature_max_decicelsius" => {
            let tenths = sent.temperature_max_decicelsius;
            let inside = tenths.is_none_or(|tenths| (-500..=2_000).contains(&tenths));
            v.require(field, inside, "must be from -500 to 2000 tenths of a degree Celsius").then_some(())?;
            patch.temperature_max_decicelsius = Some(tenths);
        }
        "measured_minutes" => {
            let minutes = sent.measured_minutes;
            let inside = minutes.is_none_or(|minutes| (0..=MINUTES_MAX).contains(&minutes));
            v.require(field, inside, "must be from 0 to 527040 minutes").then_some(())?;
            patch.measured_minutes = Some(minutes);
        }
        // The mask has been checked already.
        _ => {}
    }
    Some(())
}

fn lanes(v: &mut Violations, sent: &[i32]) -> Option<Vec<Lane>> {
    let lanes = v.each_word("affected_resources", sent, |v, number| {
        match known::<common::Resource>(v, "", *number)? {
            common::Resource::CriticalIt => Some(Lane::CriticalIt),
            common::Resource::AirCooling => Some(Lane::AirCooling),
            common::Resource::LiquidCooling => Some(Lane::LiquidCooling),
            common::Resource::ImmersionCooling => Some(Lane::ImmersionCooling),
            common::Resource::Accelerators => Some(Lane::Accelerators),
            common::Resource::Unspecified => None,
        }
    })?;
    let mut once = lanes.clone();
    once.sort_unstable();
    once.dedup();
    let distinct = once.len() == lanes.len();
    v.require("affected_resources", distinct, "must name each at most once").then_some(lanes)
}

pub(super) fn close(request: &wire::CloseIncidentRequest) -> Result<CloseIncident, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<IncidentName>);
    let outcome = known::<wire::IncidentOutcome>(&mut v, "outcome", request.outcome);
    let resolution = v.text("resolution", &request.resolution, TEXT_MAX);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CloseIncident {
            name: name?,
            deed: match outcome? {
                wire::IncidentOutcome::Resolved | wire::IncidentOutcome::Unspecified => Deed::Resolve,
                wire::IncidentOutcome::Rejected => Deed::Reject,
                wire::IncidentOutcome::Withdrawn => Deed::Withdraw,
            },
            resolution: resolution?,
            etag: (!request.etag.is_empty()).then(|| request.etag.clone()),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn name(text: &str) -> Result<IncidentName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<IncidentName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListIncidentsRequest) -> Result<ListIncidents, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let states = v.each_word("states", &request.states, |v, number| {
        known::<wire::IncidentState>(v, "", *number).map(|state| match state {
            wire::IncidentState::Open | wire::IncidentState::Unspecified => State::Open,
            wire::IncidentState::Acknowledged => State::Acknowledged,
            wire::IncidentState::Resolved => State::Resolved,
            wire::IncidentState::Rejected => State::Rejected,
            wire::IncidentState::Withdrawn => State::Withdrawn,
        })
    });
    let site = site_filter(&mut v, &request.site);
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| Some(ListIncidents { parent: parent?, states: states?, site: site?, page: page? }))
}

/// Reads the site that a list is of, or none.
pub(super) fn site_filter(v: &mut Violations, text: &str) -> Option<Option<SiteName>> {
    match text {
        "" => Some(None),
        text => v.parse("site", text, str::parse::<SiteName>).map(Some),
    }
}

fn of_kind(kind: wire::IncidentKind) -> Kind {
    match kind {
        wire::IncidentKind::Power | wire::IncidentKind::Unspecified => Kind::Power,
        wire::IncidentKind::Cooling => Kind::Cooling,
    }
}

pub(super) fn to_wire(incident: &Incident) -> wire::Incident {
    let facts = &incident.facts;
    let tenant = incident.tenant.clone().map(TenantName::new);
    wire::Incident {
        name: incident.name.to_string(),
        kind: match incident.kind {
            Kind::Power => wire::IncidentKind::Power,
            Kind::Cooling => wire::IncidentKind::Cooling,
        }
        .into(),
        state: match incident.state {
            State::Open => wire::IncidentState::Open,
            State::Acknowledged => wire::IncidentState::Acknowledged,
            State::Resolved => wire::IncidentState::Resolved,
            State::Rejected => wire::IncidentState::Rejected,
            State::Withdrawn => wire::IncidentState::Withdrawn,
        }
        .into(),
        site: incident.site.to_string(),
        block: super::name_of(incident.block.as_ref()),
        start_time: Some(to_timestamp(incident.start)),
        end_time: incident.end.map(to_timestamp),
        affected_resources: facts.affected.iter().map(|lane| to_resource((*lane).into()).into()).collect(),
        affected_kw: facts.affected_kw,
        cause: facts.cause.clone(),
        all_feeds_down: facts.all_feeds_down,
        temperature_max_decicelsius: facts.temperature_max_decicelsius,
        measured_minutes: facts.measured_minutes,
        tenant: super::name_of(tenant.as_ref()),
        resolution: incident.resolution.clone(),
        etag: etag(incident.revision),
        create_time: Some(to_timestamp(incident.created_at)),
        update_time: Some(to_timestamp(incident.updated_at)),
    }
}

pub(super) fn reported(incident: &Incident) -> wire::ReportIncidentResponse {
    wire::ReportIncidentResponse { incident: Some(to_wire(incident)) }
}

pub(super) fn opened(incident: &Incident) -> wire::OpenIncidentResponse {
    wire::OpenIncidentResponse { incident: Some(to_wire(incident)) }
}

pub(super) fn updated(incident: &Incident) -> wire::UpdateIncidentResponse {
    wire::UpdateIncidentResponse { incident: Some(to_wire(incident)) }
}

pub(super) fn closed(incident: &Incident) -> wire::CloseIncidentResponse {
    wire::CloseIncidentResponse { incident: Some(to_wire(incident)) }
}
