//! What goes wrong in the world, or is planned to stand still.

use anyhow::{Context as _, Result};
use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use kernel::Role;

use super::AFTER_COMMENCEMENT;
use crate::TestStack;
use crate::market::{self, request_id};

/// Work on the hall that takes nothing.
pub(super) async fn maintain(
    stack: &TestStack,
    place: &market::Site,
    block: &str,
    marker: &str,
) -> Result<String> {
    let ops = stack.clients(&place.operator, Role::SiteOps)?;
    let nothing = CapacityVector::default();
    let schedule = inventory::ScheduleMaintenanceRequest {
        parent: block.to_owned(),
        window: Some(market::window("2027-06-01", "2027-06-02", nothing, &format!("{marker} work"))),
        accept_shortfall: false,
        request_id: request_id(),
        validate_only: false,
    };
    let scheduled = ops.maintenance().schedule_maintenance(schedule).await.context("schedule work")?;
    Ok(scheduled.into_inner().window.context("a window")?.name)
}

/// An outage since midnight, reported by the site's staff.
pub(super) async fn outage(stack: &TestStack, operator: &str, block: &str, marker: &str) -> Result<String> {
    let report = inventory::ReportIncidentRequest {
        parent: block.to_owned(),
        incident: Some(market::outage(AFTER_COMMENCEMENT, &format!("{marker} a breaker"))),
        request_id: request_id(),
        validate_only: false,
    };
    let mut incidents = stack.clients(operator, Role::SiteOps)?.incidents();
    let reported = incidents.report_incident(report).await.context("report an outage")?.into_inner();
    Ok(reported.incident.context("an outage")?.name)
}
