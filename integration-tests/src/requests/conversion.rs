//! Requests about the lives of phases, maintenance and the power plan.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use super::mask;
use crate::market::{self, date, request_id};
use crate::world::Names;

pub(super) fn phases(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (name, request_id, validate_only) = (n.phase.clone(), request_id(), true);
    Some(match method {
        "SiteService/UpdatePhase" => inventory::UpdatePhaseRequest {
            phase: Some(inventory::Phase {
                name,
                etag: n.phase_etag.clone(),
                wind_down_notice_days: 60,
                ..Default::default()
            }),
            update_mask: mask("wind_down_notice_days"),
            accept_shortfall: false,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/AdvancePhase" => inventory::AdvancePhaseRequest {
            name,
            use_state: inventory::UseState::Mining.into(),
            request_id,
            validate_only,
            ..Default::default()
        }
        .encode_to_vec(),
        "SiteService/SlipPhase" => inventory::SlipPhaseRequest {
            name: n.spare_phase.clone(),
            ready_for_service_date: Some(date("2027-03-01")),
            date_basis: inventory::DateBasis::Forecast.into(),
            reason: "transformers are late".to_owned(),
            request_id,
            validate_only,
            ..Default::default()
        }
        .encode_to_vec(),
        "SiteService/CancelPhase" => inventory::CancelPhaseRequest {
            name: n.spare_phase.clone(),
            reason: "no money".to_owned(),
            request_id,
            validate_only,
            ..Default::default()
        }
        .encode_to_vec(),
        "SiteService/GetPowerPlan" => inventory::GetPowerPlanRequest {
            name: n.site.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2028-01-01")),
        }
        .encode_to_vec(),
        _ => return None,
    })
}

pub(super) fn maintenance(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (request_id, validate_only) = (request_id(), true);
    Some(match method {
        "MaintenanceService/ScheduleMaintenance" => inventory::ScheduleMaintenanceRequest {
            parent: n.free_block.clone(),
            window: Some(market::window("2028-05-01", "2028-05-03", market::load(1_000), "filters")),
            accept_shortfall: false,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "MaintenanceService/CancelMaintenance" => inventory::CancelMaintenanceRequest {
            name: n.window.clone(),
            etag: String::new(),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "MaintenanceService/GetMaintenance" => {
            inventory::GetMaintenanceRequest { name: n.window.clone() }.encode_to_vec()
        }
        "MaintenanceService/ListMaintenance" => {
            inventory::ListMaintenanceRequest { parent: n.block.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}
