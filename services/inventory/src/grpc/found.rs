//! Answers of the market, to the wire.

use contracts::inventory::v1 as wire;
use kernel::{CivilDate, Currency, Rate};
use runtime::wire::{to_capacity, to_date, to_decimal, to_duration, to_resource, to_timestamp};

use super::phase::to_basis;
use crate::app::Found;
use crate::app::market::Seen;
use crate::domain::convertible::Convertible;
use crate::domain::search::{Combination, Earliest, Free, Near, Part, Score};

pub(super) fn found(found: &Found) -> wire::SearchCapacityResponse {
    wire::SearchCapacityResponse {
        free_and_dated: found.free.iter().map(to_free).collect(),
        convertible: found.convertible.iter().map(to_convertible).collect(),
        near_misses: found.near.as_ref().map(to_near),
        read_time: Some(to_timestamp(found.seen.read_time)),
        combined: found.combinations.iter().map(to_combined).collect(),
        index: to_index(&found.seen),
    }
}

fn to_index(seen: &Seen) -> Option<wire::IndexState> {
    let (age, cursor) = seen.index.as_ref()?;
    Some(wire::IndexState {
        index_time: Some(to_timestamp(seen.read_time)),
        index_age: Some(to_duration(*age)),
        index_cursor: cursor.clone(),
    })
}

type WireRate = (Option<contracts::google::r#type::Decimal>, String);

fn to_rate(rate: Option<(Rate, Currency)>) -> WireRate {
    (rate.map(|rate| to_decimal(rate.0)), rate.map(|rate| rate.1.code().to_owned()).unwrap_or_default())
}

fn to_score(score: &Score) -> wire::ScoreParts {
    wire::ScoreParts {
        parts: i32::try_from(score.parts).unwrap_or(i32::MAX),
        price_micros: score.price_micros,
        start_delay_days: score.start_delay_days,
        fit_permille: score.fit_permille,
    }
}

fn to_free(free: &Free) -> wire::FreeCapacity {
    let (rate_per_kw_month, currency_code) = to_rate(free.rate);
    let block = free.block.to_string();
    // The site's name is how the block's begins.
    let site = block.rsplitn(3, '/').last().unwrap_or_default().to_owned();
    wire::FreeCapacity {
        block,
        site,
        start_date: some_date(free.start),
        date_basis: to_basis(free.basis).into(),
        capacity: Some(to_capacity(free.capacity)),
        rate_per_kw_month,
        currency_code,
        rights: Vec::new(),
        distance_metres: free.distance_m,
        score: Some(to_score(&free.score)),
    }
}

fn to_part(part: &Part) -> wire::CapacityPart {
    let (rate_per_kw_month, currency_code) = to_rate(part.rate);
    wire::CapacityPart {
        block: part.block.to_string(),
        capacity: Some(to_capacity(part.capacity)),
        rate_per_kw_month,
        currency_code,
    }
}

fn to_combined(combination: &Combination) -> wire::CombinedCapacity {
    let (rate_per_kw_month, currency_code) = to_rate(combination.rate);
    wire::CombinedCapacity {
        parts: combination.parts.iter().map(to_part).collect(),
        start_date: some_date(combination.start),
        date_basis: to_basis(combination.basis).into(),
        rate_per_kw_month,
        currency_code,
        score: Some(to_score(&combination.score)),
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

pub(super) fn earliest((earliest, seen): &(Earliest, Seen)) -> wire::FindEarliestCapacityResponse {
    let found = earliest.found.as_ref();
    let parts = found.map(|found| found.parts.as_slice()).unwrap_or_default();
    let limiting = earliest.limiting.map(to_resource).unwrap_or_default();
    let basis = found.map(|found| to_basis(found.basis)).unwrap_or_default();
    let block = match parts {
        [one] => one.block.to_string(),
        _ => String::new(),
    };
    wire::FindEarliestCapacityResponse {
        site: parts.first().map(|part| part.block.site_name().to_string()).unwrap_or_default(),
        block,
        start_date: found.and_then(|found| some_date(found.start)),
        date_basis: basis.into(),
        limiting_resource: limiting.into(),
        read_time: Some(to_timestamp(seen.read_time)),
        parts: parts.iter().map(to_part).collect(),
        index: to_index(seen),
    }
}
