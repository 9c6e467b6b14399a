//! What billing hears from inventory: incidents, translated into billing's own words.

use contracts::common::v1::Event;
use contracts::inventory::v1 as wire;
use contracts::inventory::v1::event_service_client::EventServiceClient;
use kernel::{BlockName, Error, EventId, IncidentName, SiteName, Violations};
use prost::Message as _;
use runtime::feed::FeedStream;
use runtime::wire::{instant, optional_instant};
use tracing::error;

use super::Inventory;
use crate::app::IncidentEvent;
use crate::domain::incident::{IncidentCopy, IncidentState};
use crate::domain::service_level::ServiceKind;

/// Message of inventory's feed.
pub(crate) type IncidentMessage = wire::WatchEventsResponse;

const INCIDENT_TYPE: &str = "gridlease.inventory.v1.Incident";
/// What is heard of incidents. Notices to tenants say the same again.
const KINDS: [&str; 6] = [
    "incident.reported",
    "incident.opened",
    "incident.updated",
    "incident.resolved",
    "incident.rejected",
    "incident.withdrawn",
];

impl Inventory {
    /// Incidents of all operators, after a cursor of inventory's feed.
    ///
    /// # Errors
    /// What [`Peer::open`] fails with.
    pub async fn watch(&self, after: Option<String>) -> Result<FeedStream<IncidentMessage>, Error> {
        let request = wire::WatchEventsRequest {
            parent: "operators/-".to_owned(),
            after_cursor: after.unwrap_or_default(),
            kinds: KINDS.map(str::to_owned).to_vec(),
        };
        self.peer
            .open(None, request, |channel, request| async move {
                EventServiceClient::new(channel).watch_events(request).await
            })
            .await
    }
}

/// The event as billing needs it; `None` if it is not about an incident, or cannot be read: then nothing is credited for
/// it before a later event of it can be.
#[must_use]
pub(crate) fn incident_event(event: &Event) -> Option<IncidentEvent> {
    let data = event.data.as_ref().filter(|data| data.type_url.ends_with(INCIDENT_TYPE))?;
    let read = wire::Incident::decode(data.value.as_slice())
        .map_err(Error::internal)
        .and_then(|incident| incident_copy(&incident))
        .and_then(|incident| {
            Ok(IncidentEvent { id: event.id.parse::<EventId>().map_err(Error::internal)?, incident })
        });
    read.inspect_err(|problem| {
        let violations = problem.violations();
        error!(incident = event.subject, event = event.id, ?violations, "an incident cannot be read");
    })
    .ok()
}

fn incident_copy(incident: &wire::Incident) -> Result<IncidentCopy, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &incident.name, str::parse::<IncidentName>);
    let site = v.parse("site", &incident.site, str::parse::<SiteName>);
    let block = v.parse_optional("block", &incident.block, str::parse::<BlockName>);
    let kind = match incident.kind() {
        wire::IncidentKind::Unspecified => None,
        wire::IncidentKind::Power => Some(ServiceKind::Power),
        wire::IncidentKind::Cooling => Some(ServiceKind::Cooling),
    };
    let state = match incident.state() {
        wire::IncidentState::Unspecified => None,
        wire::IncidentState::Open => Some(IncidentState::Open),
        wire::IncidentState::Acknowledged => Some(IncidentState::Acknowledged),
        wire::IncidentState::Resolved => Some(IncidentState::Resolved),
        wire::IncidentState::Rejected => Some(IncidentState::Rejected),
        wire::IncidentState::Withdrawn => Some(IncidentState::Withdrawn),
    };
    v.require("kind", kind.is_some(), "is not one that is known");
    v.require("state", state.is_some(), "is not one that is known");
    let start = instant(&mut v, "start_time", incident.start_time.as_ref());
    let end = optional_instant(&mut v, "end_time", incident.end_time.as_ref());
    let update_time = instant(&mut v, "update_time", incident.update_time.as_ref());
    v.build(|| {
        let name = name?;
        Some(IncidentCopy {
            operator: name.operator,
            id: name.incident,
            site: site?.site,
            block: block.map(|name| name.block),
            kind: kind?,
            state: state?,
            start: start?,
            end: end?,
            measured_minutes: incident.measured_minutes,
            all_feeds_down: incident.all_feeds_down,
            temperature_max: incident.temperature_max_decicelsius,
            update_time: update_time?,
        })
    })
}
