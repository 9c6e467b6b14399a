//! Availability on the wire.

use contracts::inventory::v1 as wire;
use kernel::{BlockName, CapacityVector, Error, Reason, SiteName, Violation, Violations};
use runtime::wire::{date_range, to_capacity, to_timestamp};

use crate::app::{Availability, AvailabilityOf, GetAvailability};

const DAYS_MAX: i64 = 50 * 366;

pub(super) fn availability(request: &wire::GetAvailabilityRequest) -> Result<GetAvailability, Error> {
    let mut v = Violations::new();
    let of = if request.name.contains("/blocks/") {
        v.parse("name", &request.name, str::parse::<BlockName>).map(AvailabilityOf::Block)
    } else {
        v.parse("name", &request.name, str::parse::<SiteName>).map(AvailabilityOf::Site)
    };
    let days = date_range(
        &mut v,
        ("start_date", request.start_date.as_ref()),
        ("end_date", request.end_date.as_ref()),
    );
    let asked = v.build(|| Some(GetAvailability { of: of?, days: days? }))?;
    if asked.days.days() > DAYS_MAX {
        let violation = Violation::new("end_date", "must be at most 50 years after start_date");
        return Err(Error::refused(Reason::TermOutOfRange, "The dates may be 50 years apart at most.")
            .with_violations(vec![violation]));
    }
    Ok(asked)
}

pub(super) fn available(availability: &Availability) -> wire::GetAvailabilityResponse {
    let steps = availability.steps.iter().map(|step| {
        let share = |kw: CapacityVector| availability.with_shares.then(|| to_capacity(kw));
        wire::AvailabilityStep {
            start_time: Some(to_timestamp(step.interval.start())),
            end_time: Some(to_timestamp(step.interval.end())),
            capacity: Some(to_capacity(step.capacity)),
            leased: share(step.leased),
            optioned: share(step.optioned),
            held: share(step.held),
            own_use: share(step.own_use),
            free: Some(to_capacity(step.free)),
        }
    });
    wire::GetAvailabilityResponse {
        steps: steps.collect(),
        read_time: Some(to_timestamp(availability.read_time)),
    }
}
