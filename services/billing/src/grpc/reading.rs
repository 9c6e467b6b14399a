//! Readings and usage to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{Error, MeterName, OperatorName, OperatorParent, Violations};
use runtime::wire::{date_range, instant, to_date, to_timestamp};

use super::lists::list_request;
use crate::app::{GetUsage, IngestReadings, Ingested, ListReadings, Listed};
use crate::domain::meter::Meter;
use crate::domain::reading::{Counts, Kept, Series};
use crate::domain::usage::{Basis, UsageDay};

const SERIES_MAX: usize = 1_000;
const READINGS_MAX: usize = 20_000;
const SERIES_READINGS_MAX: usize = 10_000;
const REVISION_MAX: i32 = 1_000;
const DAYS_MAX: i64 = 366;
const DAYS_WITH_INTERVALS_MAX: i64 = 31;

pub(super) fn message(request: &wire::IngestReadingsRequest) -> Result<IngestReadings, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let few = (1..=SERIES_MAX).contains(&request.series.len());
    v.require("series", few, "must be 1 to 1000 series");
    let readings: usize = request.series.iter().map(|series| series.energy_wh.len()).sum();
    v.require("series", readings <= READINGS_MAX, "must hold at most 20000 readings");
    let series = v.each("series", request.series.iter().take(SERIES_MAX), |v, series| {
        let meter = v.parse("meter", &series.meter, str::parse::<MeterName>);
        let meter = meter.filter(|meter| {
            let own = parent.as_ref().is_none_or(|parent| meter.operator == parent.operator);
            v.require("meter", own, "must be a meter of the parent")
        });
        let start = instant(v, "start_time", series.start_time.as_ref());
        let count = (1..=SERIES_READINGS_MAX).contains(&series.energy_wh.len());
        v.require("energy_wh", count, "must be 1 to 10000 readings");
        let revision = (0..=REVISION_MAX).contains(&series.revision);
        v.require("revision", revision, "must be from 0 to 1000");
        Some(Series {
            meter: meter?.meter,
            start: start?,
            energies_wh: series.energy_wh.clone(),
            revision: series.revision,
            estimated: series.estimated,
        })
    });
    v.build(|| {
        let operator = parent?.operator;
        Some(IngestReadings { operator, series: series?, validate_only: request.validate_only })
    })
}

pub(super) fn ingested(done: &Ingested) -> wire::IngestReadingsResponse {
    let Counts { new, corrected, superseded, duplicate, conflict } = done.counts;
    let conflicts = done.conflicts.iter().map(|(operator, conflict)| wire::ReadingConflict {
        meter: MeterName::new(operator.clone(), conflict.meter.clone()).to_string(),
        start_time: Some(to_timestamp(conflict.start)),
        revision: conflict.revision,
        kept_wh: conflict.kept_wh,
        refused_wh: conflict.refused_wh,
    });
    wire::IngestReadingsResponse {
        new_count: new,
        corrected_count: corrected,
        superseded_count: superseded,
        duplicate_count: duplicate,
        conflict_count: conflict,
        conflicts: conflicts.collect(),
    }
}

pub(super) fn list(request: &wire::ListReadingsRequest) -> Result<ListReadings, Error> {
    let mut v = Violations::new();
    let meter = v.parse("parent", &request.parent, str::parse::<MeterName>);
    let start = instant(&mut v, "start_time", request.start_time.as_ref());
    let end = instant(&mut v, "end_time", request.end_time.as_ref());
    if let (Some(start), Some(end)) = (start, end) {
        v.require("end_time", end > start, "must be later than start_time");
    }
    let parent = meter.as_ref().map(|meter| OperatorParent::One(meter.operator.clone()));
    let page = (request.page_size, request.page_token.as_str());
    let filters: [&dyn std::fmt::Display; 4] = [
        &meter.as_ref().map(ToString::to_string).unwrap_or_default(),
        &start.map(|at| at.to_rfc3339()).unwrap_or_default(),
        &end.map(|at| at.to_rfc3339()).unwrap_or_default(),
        &request.include_superseded,
    ];
    let list = list_request(&mut v, parent, page, &filters);
    v.build(|| {
        Some(ListReadings {
            list: list?,
            meter: meter?,
            span: (start?, end?),
            include_superseded: request.include_superseded,
        })
    })
}

pub(super) fn listed(meter: &Meter, listed: &Listed<Kept>) -> wire::ListReadingsResponse {
    let reading = |kept: &Kept| wire::Reading {
        start_time: Some(to_timestamp(kept.start)),
        end_time: Some(to_timestamp(kept.start + meter.facts.interval.delta())),
        energy_wh: kept.value.energy_wh,
        revision: kept.value.revision,
        basis: basis(if kept.value.estimated { Basis::SuppliedEstimate } else { Basis::Metered }).into(),
        superseded: kept.superseded,
        batch: kept.batch,
        receive_time: Some(to_timestamp(kept.receive_time)),
    };
    wire::ListReadingsResponse {
        readings: listed.items.iter().map(reading).collect(),
        next_page_token: listed.next.clone(),
    }
}

pub(super) fn get_usage(request: &wire::GetUsageRequest) -> Result<GetUsage, Error> {
    let mut v = Violations::new();
    let meter = v.parse("name", &request.name, str::parse::<MeterName>);
    let start = ("start_date", request.start_date.as_ref());
    let days = date_range(&mut v, start, ("end_date", request.end_date.as_ref()));
    if let Some(days) = days {
        let most = if request.with_intervals { DAYS_WITH_INTERVALS_MAX } else { DAYS_MAX };
        if days.days() > most {
            v.add("end_date", format!("must be at most {most} days after start_date"));
        }
    }
    v.build(|| Some(GetUsage { meter: meter?, days: days?, with_intervals: request.with_intervals }))
}

pub(super) fn usage(days: &[UsageDay], with_intervals: bool) -> wire::GetUsageResponse {
    wire::GetUsageResponse {
        energy_wh: days.iter().map(|day| day.energy_wh).sum(),
        estimated_wh: days.iter().map(|day| day.estimated_wh).sum(),
        peak_w: days.iter().map(|day| day.peak_w).max().unwrap_or(0),
        missing_count: days.iter().map(|day| i64::from(day.missing_count)).sum(),
        days: days.iter().map(|day| day_to_wire(day, with_intervals)).collect(),
    }
}

fn day_to_wire(day: &UsageDay, with_intervals: bool) -> wire::UsageDay {
    let interval = |interval: &crate::domain::usage::UsageInterval| wire::UsageInterval {
        start_time: Some(to_timestamp(interval.start)),
        energy_wh: interval.energy_wh,
        basis: basis(interval.basis).into(),
    };
    wire::UsageDay {
        date: Some(to_date(day.date)),
        energy_wh: day.energy_wh,
        estimated_wh: day.estimated_wh,
        peak_w: day.peak_w,
        peak_time: Some(to_timestamp(day.peak_time)),
        interval_count: day.interval_count,
        metered_count: day.interval_count - day.supplied_count - day.missing_count,
        supplied_estimate_count: day.supplied_count,
        missing_count: day.missing_count,
        spike: day.spike,
        intervals: day.intervals.iter().filter(|_| with_intervals).map(interval).collect(),
    }
}

fn basis(basis: Basis) -> wire::ReadingBasis {
    match basis {
        Basis::Metered => wire::ReadingBasis::Metered,
        Basis::SuppliedEstimate => wire::ReadingBasis::SuppliedEstimate,
        Basis::Interpolated => wire::ReadingBasis::Interpolated,
        Basis::LikeDays => wire::ReadingBasis::LikeDays,
        Basis::Assumed => wire::ReadingBasis::Assumed,
    }
}
