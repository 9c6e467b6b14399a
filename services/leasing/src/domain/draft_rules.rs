//! Rules for steps and loads that a caller wrote.

use kernel::{CapacityVector, CivilDate};

use super::draft::KW_MAX;
use super::findings::Findings;

/// Steps begin with the term, rise, and lie inside it.
pub(super) fn check_steps(
    path: &str,
    dates: &[Option<CivilDate>],
    term: Option<(CivilDate, CivilDate)>,
    findings: &mut Findings,
) {
    let mut last = None;
    for (i, from) in dates.iter().enumerate() {
        let Some(from) = *from else { continue };
        if let Some((start, end)) = term {
            if i == 0 && from != start {
                findings.invalid(&format!("{path}[0].from_date"), "must be the commencement date");
            } else if i > 0 && (from <= start || from >= end) {
                findings.invalid(&format!("{path}[{i}].from_date"), "must lie inside the term");
            }
        }
        if last.is_some_and(|last| from <= last) {
            findings.invalid(&format!("{path}[{i}].from_date"), "must be later than the step before");
        }
        last = Some(from);
    }
}

/// Every watt becomes heat: the cooling carries the load it is taken with.
pub(super) fn check_capacity(path: &str, capacity: &CapacityVector, findings: &mut Findings) {
    for (lane, kw) in [
        ("critical_it_kw", capacity.critical_it),
        ("air_cooling_kw", capacity.air),
        ("liquid_cooling_kw", capacity.liquid),
        ("immersion_cooling_kw", capacity.immersion),
        ("accelerators", capacity.accelerators),
    ] {
        if !(0..=KW_MAX).contains(&kw) {
            findings.invalid(&format!("{path}.{lane}"), format!("must be 0 to {KW_MAX}"));
            return;
        }
    }
    if capacity.critical_it == 0 {
        findings.invalid(&format!("{path}.critical_it_kw"), "must be more than 0");
    } else if !capacity.carries_heat() {
        findings.invalid(path, "the cooling must carry the critical IT load");
    }
}
