//! Availability on the wire.

use contracts::inventory::v1 as wire;
use kernel::{CapacityVector, DateRange, Error, Reason, Violation, Violations};
use runtime::wire::{date_range, to_capacity, to_timestamp};

use crate::app::{Availability, AvailabilityOf, GetAvailability};
use crate::domain::encumbrance::Extent;

const REGION_MAX: usize = 100;
const DAYS_MAX: i64 = 50 * 366;

pub(super) fn availability(request: &wire::GetAvailabilityRequest) -> Result<GetAvailability, Error> {
    let mut v = Violations::new();
    let of = availability_of(&mut v, request);
    let days = date_range(
        &mut v,
        ("start_date", request.start_date.as_ref()),
        ("end_date", request.end_date.as_ref()),
    );
    let asked = v.build(|| Some(GetAvailability { of: of?, days: days? }))?;
    within_years(&asked.days)?;
    Ok(asked)
}

fn availability_of(v: &mut Violations, request: &wire::GetAvailabilityRequest) -> Option<AvailabilityOf> {
    let (iso, country) = (&request.grid_iso, &request.country_code);
    if request.name.is_empty() && !(iso.is_empty() && country.is_empty()) {
        let of = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let grid_iso = v.text("grid_iso", iso, REGION_MAX);
        let country_code = v.text("country_code", country, REGION_MAX);
        return Some(AvailabilityOf::Region { grid_iso: of(&grid_iso?), country_code: of(&country_code?) });
    }
    let alone = iso.is_empty() && country.is_empty();
    v.require("name", alone, "must be empty where a region is given");
    let extent = v.parse("name", &request.name, str::parse::<Extent>);
    extent.filter(|_| alone).map(AvailabilityOf::Extent)
}

/// Refuses days that are too far apart to be answered.
pub(super) fn within_years(days: &DateRange) -> Result<(), Error> {
    if days.days() <= DAYS_MAX {
        return Ok(());
    }
    let violation = Violation::new("end_date", "must be at most 50 years after start_date");
    Err(Error::refused(Reason::TermOutOfRange, "The dates may be 50 years apart at most.")
        .with_violations(vec![violation]))
}

pub(super) fn available(availability: &Availability) -> wire::GetAvailabilityResponse {
    let steps = availability.steps.iter().map(|encumbered| {
        let step = &encumbered.step;
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
            soft_kw: encumbered.soft_kw,
            free_unencumbered_kw: encumbered.free_unencumbered_kw(),
            short: share(step.short),
        }
    });
    wire::GetAvailabilityResponse {
        rights: availability.rights.iter().map(super::encumbrance::to_right).collect(),
        steps: steps.collect(),
        read_time: Some(to_timestamp(availability.read_time)),
    }
}
