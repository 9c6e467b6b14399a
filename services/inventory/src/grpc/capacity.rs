//! Search and availability on the wire.

use contracts::inventory::v1 as wire;
use kernel::time::add_months;
use kernel::{
    CapacityVector, CivilDate, Currency, DateRange, Error, OperatorName, Reason, SiteName, Violation,
    Violations,
};
use runtime::wire::{
    capacity, date, date_range, optional_date, optional_rate, to_capacity, to_date, to_decimal, to_resource,
    to_timestamp,
};

use super::phase::to_basis;
use super::short_texts;
use crate::app::{
    Availability, AvailabilityOf, Earliest, FindEarliest, Found, GetAvailability, SearchCapacity,
    SearchParent,
};
use crate::domain::convertible::Convertible;
use crate::domain::encumbrance::Extent;
use crate::domain::search::{Filter, Free, Near, Need};

const KW_MAX: i64 = 100_000_000;
const TERM_MONTHS_MAX: i32 = 600;
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1_000;
const WINDOW_MONTHS: i32 = 12;
const REGION_MAX: usize = 100;
const DAYS_MAX: i64 = 50 * 366;

pub(super) fn search(request: &wire::SearchCapacityRequest) -> Result<SearchCapacity, Error> {
    let mut v = Violations::new();
    let capacity = need_of(&mut v, request);
    let from = date(&mut v, "start_from_date", request.start_from_date.as_ref());
    let until = optional_date(&mut v, "start_until_date", request.start_until_date.as_ref());
    if let (Some(from), Some(Some(until))) = (from, until) {
        v.require("start_until_date", from < until, "must be later than start_from_date");
    }
    let months = term(&mut v, request.term_months);
    let filter = filter(&mut v, request);
    v.require("limit", request.limit >= 0, "must not be negative");
    let limit = usize::try_from(request.limit).unwrap_or(0);
    v.build(|| {
        let from = from?;
        let until = until?.or_else(|| add_months(from, WINDOW_MONTHS));
        Some(SearchCapacity {
            need: Need { capacity: capacity?, from, until, months: months? },
            filter: filter?,
            limit: if limit == 0 { LIMIT_DEFAULT } else { limit.min(LIMIT_MAX) },
        })
    })
    .map_err(|refusal| of_the_term(refusal, request.term_months))
}

fn need_of(v: &mut Violations, request: &wire::SearchCapacityRequest) -> Option<CapacityVector> {
    let it = request.critical_it_kw;
    if request.capacity.is_some() {
        v.require("critical_it_kw", it == 0, "must be 0 where capacity is given");
        v.require(
            "liquid_share_percent",
            request.liquid_share_percent == 0,
            "must be 0 where capacity is given",
        );
        return positive_need(v, request.capacity.as_ref());
    }
    let share = i64::from(request.liquid_share_percent);
    let it_holds = v.require("critical_it_kw", (1..=KW_MAX).contains(&it), "must be from 1 to 100000000 kW");
    let share_holds = v.require("liquid_share_percent", (0..=100).contains(&share), "must be from 0 to 100");
    if !(it_holds && share_holds) {
        return None;
    }
    // Rounded up: the heat that does not divide goes to liquid.
    let liquid = (it * share + 99) / 100;
    CapacityVector::new(it, it - liquid, liquid, 0)
}

fn positive_need(
    v: &mut Violations,
    sent: Option<&contracts::common::v1::CapacityVector>,
) -> Option<CapacityVector> {
    let need = capacity(v, "capacity", sent)?;
    v.require("capacity.critical_it_kw", need.critical_it > 0, "must be positive").then_some(need)
}

fn term(v: &mut Violations, months: i32) -> Option<i32> {
    v.require("term_months", (1..=TERM_MONTHS_MAX).contains(&months), "must be from 1 to 600")
        .then_some(months)
}

/// A term longer than the business goes has a reason of its own, if nothing else is wrong.
fn of_the_term(refusal: Error, months: i32) -> Error {
    let alone = matches!(refusal.violations(), [one] if one.field == "term_months");
    if alone && months > TERM_MONTHS_MAX {
        return Error::refused(Reason::TermOutOfRange, "A term may be 600 months at most.")
            .with_violations(refusal.violations().to_vec());
    }
    refusal
}

fn filter(v: &mut Violations, request: &wire::SearchCapacityRequest) -> Option<Filter> {
    let grid_isos = short_texts(v, "grid_isos", &request.grid_isos, 50);
    let country_codes = short_texts(v, "country_codes", &request.country_codes, 250);
    let operators = v.each("operators", &request.operators, |v, text| {
        v.parse("", text, str::parse::<OperatorName>).map(|name| name.operator)
    });
    let site = match request.site.as_str() {
        "" => Some(None),
        text => v.parse("site", text, str::parse::<SiteName>).map(Some),
    };
    let rate = optional_rate(v, "max_rate_per_kw_month", request.max_rate_per_kw_month.as_ref());
    let max_rate = match &request.max_rate_per_kw_month {
        None => Some(None),
        Some(_) => {
            let currency = v.parse("currency_code", &request.currency_code, str::parse::<Currency>);
            rate.flatten().zip(currency).map(Some)
        }
    };
    Some(Filter {
        grid_isos: grid_isos?,
        country_codes: country_codes?,
        operators: operators?,
        site: site?,
        max_rate: max_rate?,
    })
}

pub(super) fn find_earliest(request: &wire::FindEarliestCapacityRequest) -> Result<FindEarliest, Error> {
    let mut v = Violations::new();
    let parent = match request.parent.as_str() {
        "operators/-" => Some(SearchParent::All),
        text if text.contains("/sites/") => {
            v.parse("parent", text, str::parse::<SiteName>).map(SearchParent::Site)
        }
        text => v
            .parse("parent", text, str::parse::<OperatorName>)
            .map(|name| SearchParent::Operator(name.operator)),
    };
    let capacity = positive_need(&mut v, request.capacity.as_ref());
    let months = term(&mut v, request.term_months);
    let from = date(&mut v, "not_before_date", request.not_before_date.as_ref());
    v.build(|| {
        let need = Need { capacity: capacity?, from: from?, until: None, months: months? };
        Some(FindEarliest { parent: parent?, need })
    })
    .map_err(|refusal| of_the_term(refusal, request.term_months))
}

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

pub(super) fn found(found: &Found) -> wire::SearchCapacityResponse {
    wire::SearchCapacityResponse {
        free_and_dated: found.free.iter().map(to_free).collect(),
        convertible: found.convertible.iter().map(to_convertible).collect(),
        near_misses: found.near.as_ref().map(to_near),
        read_time: Some(to_timestamp(found.read_time)),
    }
}

fn to_free(free: &Free) -> wire::FreeCapacity {
    wire::FreeCapacity {
        block: free.block.to_string(),
        site: free.block.site_name().to_string(),
        start_date: some_date(free.start),
        date_basis: to_basis(free.basis).into(),
        capacity: Some(to_capacity(free.capacity)),
        rate_per_kw_month: free.rate.map(|rate| to_decimal(rate.0)),
        currency_code: free.rate.map(|rate| rate.1.code().to_owned()).unwrap_or_default(),
        rights: Vec::new(),
    }
}

fn some_date(date: CivilDate) -> Option<contracts::google::r#type::Date> {
    Some(to_date(date))
}

fn to_convertible(convertible: &Convertible) -> wire::ConvertibleCapacity {
    wire::ConvertibleCapacity {
        site: convertible.site.to_string(),
        headroom_gross_kw: convertible.headroom_gross_kw,
        convertible_it_kw: convertible.convertible_it_kw,
        ratio: convertible.ratio.to_owned(),
        assumed_start_date: some_date(convertible.assumed_start),
        assumptions: convertible.assumptions.clone(),
    }
}

fn to_near(near: &Near) -> wire::NearMisses {
    wire::NearMisses {
        earliest: near.earliest.as_ref().map(|miss| wire::EarliestMiss {
            block: miss.block.to_string(),
            start_date: some_date(miss.start),
        }),
        largest: near.largest.as_ref().map(|miss| wire::LargestMiss {
            block: miss.block.to_string(),
            critical_it_kw: miss.critical_it_kw,
            start_date: some_date(miss.start),
        }),
        elsewhere: near.elsewhere.iter().map(to_free).collect(),
    }
}

pub(super) fn earliest(earliest: &Earliest) -> wire::FindEarliestCapacityResponse {
    let found = earliest.found.as_ref();
    let limiting = earliest.limiting.map(to_resource).unwrap_or_default();
    let basis = found.map(|free| to_basis(free.basis)).unwrap_or_default();
    wire::FindEarliestCapacityResponse {
        site: found.map(|free| free.block.site_name().to_string()).unwrap_or_default(),
        block: found.map(|free| free.block.to_string()).unwrap_or_default(),
        start_date: found.and_then(|free| some_date(free.start)),
        date_basis: basis.into(),
        limiting_resource: limiting.into(),
        read_time: Some(to_timestamp(earliest.read_time)),
    }
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
