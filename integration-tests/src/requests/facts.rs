//! Requests about tables of sites, blocks and phases, and about outages and curtailments.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use super::mask;
use crate::market::{self, request_id};
use crate::world::{AFTER_COMMENCEMENT, Names};

pub(super) fn facts(method: &str, n: &Names) -> Option<Vec<u8>> {
    let format = inventory::TableFormat::Csv.into();
    Some(match method {
        "ImportService/ImportInventory" => inventory::ImportInventoryRequest {
            parent: n.operator.clone(),
            format,
            text: "kind,site,display_name,country_code,time_zone\nsite,imported,Imported,US,UTC\n".to_owned(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "ImportService/ExportInventory" => {
            inventory::ExportInventoryRequest { parent: n.operator.clone(), format, ..Default::default() }
                .encode_to_vec()
        }
        "IncidentService/ReportIncident" => inventory::ReportIncidentRequest {
            parent: n.site.clone(),
            incident: Some(market::outage(AFTER_COMMENCEMENT, "a breaker")),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "IncidentService/OpenIncident" => inventory::OpenIncidentRequest {
            parent: n.block.clone(),
            incident: Some(market::outage(AFTER_COMMENCEMENT, "no light")),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "IncidentService/UpdateIncident" => inventory::UpdateIncidentRequest {
            incident: Some(inventory::Incident {
                name: n.incident.clone(),
                // Nobody has changed it.
                etag: "1".to_owned(),
                cause: "a fuse".to_owned(),
                ..Default::default()
            }),
            update_mask: mask("cause"),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "IncidentService/CloseIncident" => inventory::CloseIncidentRequest {
            name: n.incident.clone(),
            outcome: inventory::IncidentOutcome::Rejected.into(),
            request_id: request_id(),
            validate_only: true,
            ..Default::default()
        }
        .encode_to_vec(),
        "IncidentService/GetIncident" => {
            inventory::GetIncidentRequest { name: n.incident.clone() }.encode_to_vec()
        }
        "IncidentService/ListIncidents" => {
            inventory::ListIncidentsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        "IncidentService/AnnounceCurtailment" => inventory::AnnounceCurtailmentRequest {
            parent: n.operator.clone(),
            curtailment: Some(market::curtailment(&n.site)),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "IncidentService/ListCurtailments" => {
            inventory::ListCurtailmentsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}
