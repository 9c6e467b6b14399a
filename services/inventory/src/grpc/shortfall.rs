//! Shortfalls on the wire.

use contracts::inventory::v1 as wire;
use kernel::TenantName;
use runtime::wire::{to_capacity, to_timestamp};

use crate::domain::shortfall::{CauseKind, Shortfall};

/// Shortfalls in an answer.
const ANSWERED_MAX: usize = 1_000;

/// The first shortfalls and how many there are.
pub(super) fn list(of: &[Shortfall]) -> (Vec<wire::Shortfall>, i32) {
    let count = i32::try_from(of.len()).unwrap_or(i32::MAX);
    (of.iter().take(ANSWERED_MAX).map(to_wire).collect(), count)
}

pub(super) fn to_wire(shortfall: &Shortfall) -> wire::Shortfall {
    let tenant = shortfall.tenant.clone().map(TenantName::new);
    let cause = match shortfall.cause.kind {
        CauseKind::Delayed => wire::ShortfallCause::Delayed,
        CauseKind::Reduced => wire::ShortfallCause::Reduced,
        CauseKind::Cancelled => wire::ShortfallCause::Cancelled,
        CauseKind::Maintenance => wire::ShortfallCause::Maintenance,
        CauseKind::Derated => wire::ShortfallCause::Derated,
    };
    let steps = shortfall.steps.iter().map(|(interval, kw)| wire::ShortfallStep {
        start_time: Some(to_timestamp(interval.start())),
        end_time: Some(to_timestamp(interval.end())),
        short: Some(to_capacity(*kw)),
    });
    wire::Shortfall {
        reservation: shortfall.reservation.to_string(),
        tenant: super::name_of(tenant.as_ref()),
        block: shortfall.block.to_string(),
        steps: steps.collect(),
        cause: cause.into(),
        cause_resource: shortfall.cause.resource.clone(),
        reason: shortfall.cause.reason.clone(),
    }
}
