//! Bad outages and curtailments.

use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, request_id};
use integration_tests::world::{AFTER_COMMENCEMENT, Names};
use prost::Message as _;
use prost_types::{FieldMask, Timestamp};

use crate::bad_input::Case;

const LATE: Option<Timestamp> = Some(Timestamp { seconds: 4_000_000_000, nanos: 0 });

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn incident(method: &str, n: &Names) -> Vec<Case> {
    let ask = |incident: Option<inventory::Incident>, paths: &[&str]| {
        let (request_id, validate_only) = (request_id(), false);
        match method {
            "ReportIncident" => {
                let parent = n.site.clone();
                inventory::ReportIncidentRequest { parent, incident, request_id, validate_only }
                    .encode_to_vec()
            }
            "OpenIncident" => {
                let parent = n.block.clone();
                inventory::OpenIncidentRequest { parent, incident, request_id, validate_only }.encode_to_vec()
            }
            _ => inventory::UpdateIncidentRequest {
                incident: incident.map(|incident| inventory::Incident {
                    name: n.incident.clone(),
                    etag: "1".to_owned(),
                    ..incident
                }),
                update_mask: Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
                request_id,
                validate_only,
            }
            .encode_to_vec(),
        }
    };
    let good = || market::outage(AFTER_COMMENCEMENT, "a breaker");
    let all_wrong = inventory::Incident {
        kind: 0,
        start_time: None,
        end_time: Some(Timestamp { seconds: 1_900_000_000, nanos: -1 }),
        affected_resources: vec![0, 99],
        affected_kw: Some(-1),
        cause: "x".repeat(1_001),
        temperature_max_decicelsius: Some(2_001),
        measured_minutes: Some(-1),
        ..Default::default()
    };
    let mut fields = vec![
        "incident.affected_kw",
        "incident.affected_resources[0]",
        "incident.affected_resources[1]",
        "incident.cause",
        "incident.end_time",
        "incident.kind",
        "incident.measured_minutes",
        "incident.start_time",
        "incident.temperature_max_decicelsius",
    ];
    if method == "UpdateIncident" {
        // The kind cannot be changed and is not read.
        fields.retain(|field| *field != "incident.kind");
    }
    let paths = [
        "start_time",
        "end_time",
        "affected_resources",
        "affected_kw",
        "cause",
        "temperature_max_decicelsius",
        "measured_minutes",
    ];
    let times = ["start_time", "end_time"];
    let late = inventory::Incident { start_time: LATE, end_time: None, ..good() };
    let lasting = inventory::Incident { end_time: LATE, ..good() };
    let reversed = inventory::Incident { end_time: good().start_time, ..good() };
    let twice = inventory::Incident { affected_resources: vec![1, 1], ..good() };
    vec![
        Case::invalid("nothing of it", ask(None, &["cause"]), &["incident"]),
        Case::invalid("everything", ask(Some(all_wrong), &paths), &fields),
        Case::invalid("a start to come", ask(Some(late), &times), &["incident.start_time"]),
        Case::invalid("an end to come", ask(Some(lasting), &times), &["incident.end_time"]),
        Case::invalid("an end that is the start", ask(Some(reversed), &times), &["incident.end_time"]),
        Case::invalid("a lane twice", ask(Some(twice), &paths), &["incident.affected_resources"]),
    ]
}

pub(super) fn close_and_lists(method: &str, n: &Names) -> Vec<Case> {
    let parent = n.operator.clone();
    if method == "ListCurtailments" {
        let site = n.block.clone();
        let list = inventory::ListCurtailmentsRequest { parent, site, ..Default::default() };
        return vec![Case::invalid("a site that is none", list.encode_to_vec(), &["site"])];
    }
    if method == "ListIncidents" {
        let list = inventory::ListIncidentsRequest {
            parent,
            states: vec![1, 0],
            site: "rockdale".to_owned(),
            ..Default::default()
        };
        return vec![Case::invalid("every filter", list.encode_to_vec(), &["states[1]", "site"])];
    }
    let close = |outcome: inventory::IncidentOutcome, resolution: String| {
        inventory::CloseIncidentRequest {
            name: n.incident.clone(),
            outcome: outcome.into(),
            resolution,
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    use inventory::IncidentOutcome::{Resolved, Unspecified, Withdrawn};
    vec![
        Case::invalid("everything", close(Unspecified, "x".repeat(1_001)), &["outcome", "resolution"]),
        Case::invalid("taken back by the operator", close(Withdrawn, String::new()), &["outcome"]),
        Case::invalid("over without an end", close(Resolved, String::new()), &["incident.end_time"]),
    ]
}

pub(super) fn curtailment(n: &Names) -> Vec<Case> {
    let ask = |curtailment| {
        inventory::AnnounceCurtailmentRequest {
            parent: n.operator.clone(),
            curtailment,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let good = || market::curtailment(&n.site);
    let all_wrong = inventory::Curtailment {
        site: "rockdale".to_owned(),
        programme_id: "ERS".to_owned(),
        note: "x".repeat(1_001),
        ..Default::default()
    };
    let long = inventory::Curtailment { end_time: LATE, ..good() };
    let reversed = inventory::Curtailment { end_time: good().start_time, ..good() };
    let foreign = inventory::Curtailment { site: n.site.replace(&n.operator, "operators/zenith"), ..good() };
    let unknown = inventory::Curtailment { programme_id: "no-such-thing".to_owned(), ..good() };
    vec![
        Case::invalid("nothing of it", ask(None), &["curtailment"]),
        Case::invalid(
            "everything",
            ask(Some(all_wrong)),
            &[
                "curtailment.site",
                "curtailment.programme_id",
                "curtailment.start_time",
                "curtailment.end_time",
                "curtailment.curtailed_kw",
                "curtailment.note",
            ],
        ),
        Case::invalid("years", ask(Some(long)), &["curtailment.end_time"]),
        Case::invalid("an end that is the start", ask(Some(reversed)), &["curtailment.end_time"]),
        Case::invalid("a foreign site", ask(Some(foreign)), &["curtailment.site"]),
        Case::invalid("an unknown programme", ask(Some(unknown)), &["curtailment.programme_id"]),
    ]
}
