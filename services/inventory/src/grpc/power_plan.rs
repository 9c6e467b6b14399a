//! Power plans on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, SiteName, Violations};
use runtime::wire::{date_range, to_timestamp};

use super::capacity::within_years;
use crate::app::{GetPowerPlan, PowerPlan};

pub(super) fn get(request: &wire::GetPowerPlanRequest) -> Result<GetPowerPlan, Error> {
    let mut v = Violations::new();
    let site = v.parse("name", &request.name, str::parse::<SiteName>);
    let days = date_range(
        &mut v,
        ("start_date", request.start_date.as_ref()),
        ("end_date", request.end_date.as_ref()),
    );
    let asked = v.build(|| Some(GetPowerPlan { site: site?, days: days? }))?;
    within_years(&asked.days)?;
    Ok(asked)
}

pub(super) fn planned(plan: &PowerPlan) -> wire::GetPowerPlanResponse {
    let steps = plan.steps.iter().map(|step| wire::PowerPlanStep {
        start_time: Some(to_timestamp(step.interval.start())),
        end_time: Some(to_timestamp(step.interval.end())),
        contracted_kw: step.contracted_kw,
        leased_kw: step.leased_kw,
        reserved_kw: step.reserved_kw,
        free_kw: step.free_kw,
        derated_kw: step.derated_kw,
        converting_kw: step.converting_kw,
        interim_kw: step.interim_kw,
        headroom_kw: step.headroom_kw(),
    });
    wire::GetPowerPlanResponse { steps: steps.collect(), read_time: Some(to_timestamp(plan.read_time)) }
}
