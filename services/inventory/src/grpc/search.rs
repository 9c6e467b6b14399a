//! Questions to the market, from the wire.

use contracts::inventory::v1 as wire;
use kernel::time::add_months;
use kernel::{CapacityVector, Currency, Error, OperatorName, Reason, SiteName, Violations};
use runtime::wire::{capacity, date, known, optional_date, optional_instant, optional_rate};

use super::block::{cooling, lease_type, redundancy, supply_temperature};
use super::short_texts;
use crate::app::{FindEarliest, SearchCapacity, SearchParent};
use crate::domain::block::Redundancy;
use crate::domain::geo::Point;
use crate::domain::search::{Around, Filter, Need, Span, Split};
use crate::domain::suit::Suitability;

const KW_MAX: i64 = 100_000_000;
const KW_PER_RACK_MAX: i64 = 100_000;
const METRES_MAX: i64 = 100_000_000;
const TERM_MONTHS_MAX: i32 = 600;
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1_000;
const PARTS_MAX: i32 = 8;
const WINDOW_MONTHS: i32 = 12;

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
    let split = split(&mut v, request);
    let fresh_from = optional_instant(&mut v, "fresh_from_time", request.fresh_from_time.as_ref());
    v.build(|| {
        let from = from?;
        let until = until?.or_else(|| add_months(from, WINDOW_MONTHS));
        Some(SearchCapacity {
            need: Need { capacity: capacity?, from, until, months: months? },
            filter: filter?,
            split: split?,
            limit: if limit == 0 { LIMIT_DEFAULT } else { limit.min(LIMIT_MAX) },
            fresh_from: fresh_from?,
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

fn parts_max(v: &mut Violations, parts: i32) -> Option<usize> {
    v.require("parts_max", (0..=PARTS_MAX).contains(&parts), "must be from 0 to 8")
        .then(|| usize::try_from(parts).unwrap_or(1).max(1))
}

/// Whether and how the need may be split; the span is only asked for where it may.
fn split(v: &mut Violations, request: &wire::SearchCapacityRequest) -> Option<Option<Split>> {
    let parts_max = parts_max(v, request.parts_max)?;
    if parts_max == 1 {
        let unsaid = request.split_span == 0;
        return v
            .require("split_span", unsaid, "must be unspecified unless parts_max is above 1")
            .then_some(None);
    }
    let span = match known::<wire::SplitSpan>(v, "split_span", request.split_span)? {
        wire::SplitSpan::Sites => Span::Sites,
        wire::SplitSpan::Site | wire::SplitSpan::Unspecified => Span::Site,
    };
    Some(Some(Split { parts_max, span }))
}

fn around(v: &mut Violations, request: &wire::SearchCapacityRequest) -> Option<Option<Around>> {
    let within_m = request.distance_metres_max;
    let within = within_m.is_none_or(|metres| (0..=METRES_MAX).contains(&metres));
    let holds = v.require("distance_metres_max", within, "must be from 0 to 100000000");
    let Some(sent) = &request.near_point else {
        let alone = within_m.is_none();
        return v.require("near_point", alone, "is required with distance_metres_max").then_some(None);
    };
    let point = Point::new(sent.latitude_e7, sent.longitude_e7);
    v.require("near_point", point.is_some(), "must be a place on the earth");
    point.filter(|_| holds).map(|point| Some(Around { point, within_m }))
}

fn suitability(v: &mut Violations, request: &wire::SearchCapacityRequest) -> Option<Suitability> {
    let least = redundancy(v, "redundancy_min", request.redundancy_min);
    let kw = request.kw_per_rack;
    let dense = v.require("kw_per_rack", (0..=KW_PER_RACK_MAX).contains(&kw), "must be from 0 to 100000 kW");
    let cooling = cooling(v, &request.cooling_kinds);
    let lease_types = v.each_word("lease_types", &request.lease_types, |v, kind| {
        // Unspecified would ask for blocks that do not say.
        v.require("", *kind != 0, "must be said").then(|| lease_type(v, "", *kind)).flatten()
    });
    let (coolest, warmest) =
        (request.supply_temperature_decicelsius_min, request.supply_temperature_decicelsius_max);
    let can_be = supply_temperature(v, "supply_temperature_decicelsius_min", coolest)
        & supply_temperature(v, "supply_temperature_decicelsius_max", warmest);
    let forward = coolest.zip(warmest).is_none_or(|(coolest, warmest)| coolest <= warmest);
    let temperatures =
        v.require("supply_temperature_decicelsius_max", !can_be || forward, "must be at least the lowest");
    let generations = short_texts(v, "design_generations", &request.design_generations, 50);
    (can_be && temperatures).then_some(())?;
    Some(Suitability {
        supply_temperature_min: coolest,
        supply_temperature_max: warmest,
        design_generations: generations?,
        redundancy: least.map(|least| (least != Redundancy::Unspecified).then_some(least))?,
        kw_per_rack: (dense && kw > 0).then_some(kw),
        cooling: cooling?,
        lease_types: lease_types?,
    })
}

fn filter(v: &mut Violations, request: &wire::SearchCapacityRequest) -> Option<Filter> {
    let grid_isos = short_texts(v, "grid_isos", &request.grid_isos, 50);
    let country_codes = short_texts(v, "country_codes", &request.country_codes, 250);
    let state_codes = short_texts(v, "state_codes", &request.state_codes, 250);
    let around = around(v, request);
    let suits = suitability(v, request);
    let operators = v.each_word("operators", &request.operators, |v, text| {
        v.parse("", text, str::parse::<OperatorName>).map(|name| name.operator)
    });
    let site = match request.site.as_str() {
        "" => Some(None),
        text => v.parse("site", text, str::parse::<SiteName>).map(Some),
    };
    let rate = optional_rate(v, "max_rate_per_kw_month", request.max_rate_per_kw_month.as_ref());
    let max_rate = match &request.max_rate_per_kw_month {
        None => {
            v.parse_optional("currency_code", &request.currency_code, str::parse::<Currency>);
            Some(None)
        }
        Some(_) => {
            let currency = v.parse("currency_code", &request.currency_code, str::parse::<Currency>);
            rate.flatten().zip(currency).map(Some)
        }
    };
    Some(Filter {
        grid_isos: grid_isos?,
        country_codes: country_codes?,
        state_codes: state_codes?,
        around: around?,
        suits: suits?,
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
    let parts_max = parts_max(&mut v, request.parts_max);
    let fresh_from = optional_instant(&mut v, "fresh_from_time", request.fresh_from_time.as_ref());
    v.build(|| {
        let need = Need { capacity: capacity?, from: from?, until: None, months: months? };
        Some(FindEarliest { parent: parent?, need, parts_max: parts_max?, fresh_from: fresh_from? })
    })
    .map_err(|refusal| of_the_term(refusal, request.term_months))
}
