//! Capacity requests, there and back.

use std::str::FromStr as _;

use contracts::leasing::v1 as wire;
use kernel::{CivilDate, Currency, Error, OperatorName, Percent, TenantId, TenantName, Violations};
use runtime::wire::{
    capacity, date, display_name, instant, known, optional_known, page_size, percent, rate, request_id,
    to_capacity, to_date, to_decimal, to_timestamp,
};

use super::terms;
use crate::app::{CancelCapacityRequest, CreateCapacityRequest, ListCapacityRequests};
use crate::domain::capacity_request::{CapacityRequest, Need, Redundancy, Visibility};
use crate::domain::draft::{KW_MAX, START_AHEAD_MONTHS_MAX, TERM_MONTHS_MAX};
use crate::domain::market_state::RequestState;

pub(super) const NOTE_CHARS: usize = 1_000;
const NAMED_MAX: usize = 100;
const PLACES_MAX: usize = 50;
const PLACE_CHARS: usize = 20;
/// More than any market has paid for a MWh.
const ENERGY_PRICE_MAX: i128 = 10_000 * 10_i128.pow(10);
const ONE_HUNDRED: i64 = 100_000_000;

/// Reads a need to be published. `today` is the business date.
pub(super) fn create(
    request: &wire::CreateCapacityRequestRequest,
    today: CivilDate,
) -> Result<CreateCapacityRequest, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<TenantName>);
    let need = v
        .present("capacity_request", request.capacity_request.as_ref())
        .and_then(|sent| v.nested("capacity_request", |v| need(v, sent, today)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateCapacityRequest {
            tenant: parent?.tenant,
            need: need?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn need(v: &mut Violations, sent: &wire::CapacityRequest, today: CivilDate) -> Option<Need> {
    let name = display_name(v, "display_name", &sent.display_name);
    let capacity = capacity(v, "capacity", sent.capacity.as_ref());
    if let Some(capacity) = capacity {
        let carried = capacity.critical_it > 0 && capacity.carries_heat();
        v.require("capacity", carried, "must have critical IT load, and cooling that carries it");
    }
    v.require("rack_density_kw", (0..=KW_MAX).contains(&sent.rack_density_kw), "must be 0 to 100000000");
    let redundancy = optional_known(v, "redundancy", sent.redundancy);
    let countries = places(v, "country_codes", &sent.country_codes);
    let states = places(v, "state_codes", &sent.state_codes);
    let grids = places(v, "grid_isos", &sent.grid_isos);
    let (earliest, latest) = window(v, sent, today);
    let term_months = months(v, sent.term_months);
    let structure = optional_known::<wire::LeaseStructure>(v, "structure", sent.structure);
    let currency = v.parse("currency_code", &sent.currency_code, Currency::from_str);
    let bid_deadline = instant(v, "bid_deadline", sent.bid_deadline.as_ref());
    let visibility = known::<wire::RequestVisibility>(v, "visibility", sent.visibility).map(visibility_of);
    let operators = named(v, visibility, &sent.operators);
    let reveal = optional_known::<wire::BidReveal>(v, "bid_reveal", sent.bid_reveal);
    let energy_price = rate(v, "energy_price_per_mwh", sent.energy_price_per_mwh.as_ref());
    if energy_price.is_some_and(|price| price.scaled() > ENERGY_PRICE_MAX) {
        v.add("energy_price_per_mwh", "must be at most 10,000");
    }
    let load_factor = percent(v, "load_factor_percent", sent.load_factor_percent.as_ref());
    let fits = load_factor.is_none_or(|factor| factor > Percent::ZERO && factor.scaled() <= ONE_HUNDRED);
    v.require("load_factor_percent", fits, "must be more than 0 and at most 100");
    let note = v.text("note", &sent.note, NOTE_CHARS);
    Some(Need {
        display_name: name?,
        capacity: capacity?,
        rack_density_kw: sent.rack_density_kw,
        redundancy: redundancy?.and_then(redundancy_of),
        country_codes: countries?,
        state_codes: states?,
        grid_isos: grids?,
        earliest_start: earliest?,
        latest_start: latest?,
        term_months: term_months?,
        structure: structure?.and_then(terms::structure),
        currency: currency?,
        bid_deadline: bid_deadline?,
        visibility: visibility?,
        operators: operators?,
        reveal_at_once: reveal? == Some(wire::BidReveal::AtOnce),
        energy_price: energy_price?,
        load_factor: load_factor?,
        note: note?,
    })
}

fn window(
    v: &mut Violations,
    sent: &wire::CapacityRequest,
    today: CivilDate,
) -> (Option<CivilDate>, Option<CivilDate>) {
    let earliest = date(v, "earliest_start_date", sent.earliest_start_date.as_ref());
    let latest = date(v, "latest_start_date", sent.latest_start_date.as_ref());
    if let Some((earliest, latest)) = earliest.zip(latest) {
        v.require("latest_start_date", latest >= earliest, "must not be before earliest_start_date");
    }
    let ahead = kernel::time::add_months(today, START_AHEAD_MONTHS_MAX);
    let near = latest.is_none_or(|latest| ahead.is_some_and(|ahead| latest <= ahead));
    v.require("latest_start_date", near, "must be at most 10 years ahead");
    (earliest, latest)
}

/// Reads a base term.
pub(super) fn months(v: &mut Violations, months: i32) -> Option<u32> {
    let read = u32::try_from(months).ok().filter(|_| (1..=TERM_MONTHS_MAX).contains(&months));
    v.require("term_months", read.is_some(), "must be 1 to 600");
    read
}

fn places(v: &mut Violations, field: &str, places: &[String]) -> Option<Vec<String>> {
    v.require(field, places.len() <= PLACES_MAX, "must have at most 50 entries");
    v.each(field, places, |v, place| {
        v.require("", !place.trim().is_empty(), "must not be blank");
        v.text("", place, PLACE_CHARS)
    })
}

fn named(
    v: &mut Violations,
    visibility: Option<Visibility>,
    operators: &[String],
) -> Option<Vec<kernel::OperatorId>> {
    let (few, many) = (!operators.is_empty(), operators.len() > NAMED_MAX);
    match visibility {
        Some(Visibility::Named) => {
            v.require("operators", few && !many, "needs 1 to 100 operators with NAMED")
        }
        Some(Visibility::Market) => v.require("operators", !few, "is for NAMED only"),
        None => true,
    };
    let read = v.each("operators", operators, |v, name| {
        v.parse("", name, str::parse::<OperatorName>).map(|name| name.operator)
    });
    read.map(|mut read| {
        read.sort_unstable();
        read.dedup();
        read
    })
}

fn visibility_of(named: wire::RequestVisibility) -> Visibility {
    match named {
        wire::RequestVisibility::Named => Visibility::Named,
        wire::RequestVisibility::Market | wire::RequestVisibility::Unspecified => Visibility::Market,
    }
}

fn redundancy_of(named: wire::RequestRedundancy) -> Option<Redundancy> {
    match named {
        wire::RequestRedundancy::Unspecified => None,
        wire::RequestRedundancy::N => Some(Redundancy::N),
        wire::RequestRedundancy::NPlus1 => Some(Redundancy::NPlus1),
        wire::RequestRedundancy::TwoN => Some(Redundancy::TwoN),
    }
}

/// Reads a cancellation.
pub(super) fn cancel(request: &wire::CancelCapacityRequestRequest) -> Result<CancelCapacityRequest, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    v.require("reason", !request.reason.trim().is_empty(), "is required");
    let reason = v.text("reason", &request.reason, NOTE_CHARS);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CancelCapacityRequest {
            name: name?,
            reason: reason?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListCapacityRequestsRequest) -> Result<ListCapacityRequests, Error> {
    let mut v = Violations::new();
    let tenant: Option<Option<TenantId>> = match request.parent.as_str() {
        "tenants/-" => Some(None),
        text => v.parse("parent", text, str::parse::<TenantName>).map(|name| Some(name.tenant)),
    };
    let page_size = page_size(&mut v, request.page_size);
    let states = v.each_word("states", &request.states, |v, state| {
        let named = known::<wire::CapacityRequestState>(v, "", *state)?;
        RequestState::ALL.iter().copied().find(|known| state_to_wire(*known) == named)
    });
    v.build(|| {
        Some(ListCapacityRequests {
            tenant: tenant?,
            states: states?,
            accepting_only: request.accepting_only,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn state_to_wire(state: RequestState) -> wire::CapacityRequestState {
    match state {
        RequestState::Open => wire::CapacityRequestState::Open,
        RequestState::Awarding => wire::CapacityRequestState::Awarding,
        RequestState::Awarded => wire::CapacityRequestState::Awarded,
        RequestState::Cancelled => wire::CapacityRequestState::Cancelled,
    }
}

/// Writes a request.
pub(super) fn to_wire(request: &CapacityRequest) -> wire::CapacityRequest {
    let need = &request.need;
    wire::CapacityRequest {
        name: request.name.to_string(),
        display_name: need.display_name.clone(),
        state: state_to_wire(request.state).into(),
        capacity: Some(to_capacity(need.capacity)),
        rack_density_kw: need.rack_density_kw,
        redundancy: match need.redundancy {
            None => wire::RequestRedundancy::Unspecified,
            Some(Redundancy::N) => wire::RequestRedundancy::N,
            Some(Redundancy::NPlus1) => wire::RequestRedundancy::NPlus1,
            Some(Redundancy::TwoN) => wire::RequestRedundancy::TwoN,
        }
        .into(),
        country_codes: need.country_codes.clone(),
        state_codes: need.state_codes.clone(),
        grid_isos: need.grid_isos.clone(),
        earliest_start_date: Some(to_date(need.earliest_start)),
        latest_start_date: Some(to_date(need.latest_start)),
        term_months: i32::try_from(need.term_months).unwrap_or(i32::MAX),
        structure: need.structure.map_or(wire::LeaseStructure::Unspecified, terms::structure_to_wire).into(),
        currency_code: need.currency.code().to_owned(),
        bid_deadline: Some(to_timestamp(need.bid_deadline)),
        visibility: match need.visibility {
            Visibility::Market => wire::RequestVisibility::Market,
            Visibility::Named => wire::RequestVisibility::Named,
        }
        .into(),
        operators: need.operators.iter().map(|id| OperatorName::new(id.clone()).to_string()).collect(),
        bid_reveal: if need.reveal_at_once { wire::BidReveal::AtOnce } else { wire::BidReveal::AtDeadline }
            .into(),
        energy_price_per_mwh: Some(to_decimal(need.energy_price)),
        load_factor_percent: Some(to_decimal(need.load_factor)),
        note: need.note.clone(),
        accepts_bids: request.accepts_bids,
        state_reason: request.cancel_reason.clone().unwrap_or_default(),
        etag: request.etag(),
        create_time: Some(to_timestamp(request.create_time)),
        update_time: Some(to_timestamp(request.update_time)),
    }
}

/// The reply to a publication.
pub(super) fn created(request: &CapacityRequest) -> wire::CreateCapacityRequestResponse {
    wire::CreateCapacityRequestResponse { capacity_request: Some(to_wire(request)) }
}

/// The reply to a cancellation.
pub(super) fn cancelled(request: &CapacityRequest) -> wire::CancelCapacityRequestResponse {
    wire::CancelCapacityRequestResponse { capacity_request: Some(to_wire(request)) }
}
