//! Translates and decides nothing: wire to command, one use case, result to wire.

mod block;
mod capacity;
mod capacity_service;
mod event_service;
mod found;
mod operator;
mod phase;
mod reservation;
mod reservation_service;
mod search;
mod site;
mod site_service;

pub use capacity_service::CapacityHandler;
pub use event_service::EventHandler;
pub use reservation_service::ReservationHandler;
pub use site_service::SiteHandler;

use kernel::Violations;
use prost::Message as _;
use runtime::wire::page_size;

use crate::app::{PageRequest, Wire};

/// How stored replies and events are written.
pub const WIRE: Wire = Wire {
    operator: |operator| operator::to_wire(operator).encode_to_vec(),
    site: |site| site::to_wire(site).encode_to_vec(),
    block: |block| block::to_wire(block).encode_to_vec(),
    phase: |phase| phase::to_wire(phase).encode_to_vec(),
    reservation: |reservation| reservation::to_wire(reservation).encode_to_vec(),
    operator_created: |new| operator::created(new).encode_to_vec(),
    site_created: |new| site::created(new).encode_to_vec(),
    site_updated: |site| site::updated(site).encode_to_vec(),
    block_created: |new| block::created(new).encode_to_vec(),
    block_updated: |block| block::updated(block).encode_to_vec(),
    phase_created: |new| phase::created(new).encode_to_vec(),
    placed: |placed| reservation::placed(placed).encode_to_vec(),
    extended: |reservation| reservation::extended(reservation).encode_to_vec(),
    committed: |reservation| reservation::committed(reservation).encode_to_vec(),
    released: |reservation| reservation::released(reservation).encode_to_vec(),
};

/// What a reservation takes, as its event says.
///
/// # Errors
/// `INTERNAL` for bytes that we did not write.
pub fn claims_of_event(payload: &[u8]) -> Result<Vec<crate::domain::reservation::Claim>, kernel::Error> {
    reservation::claims_of_event(payload)
}

/// The full name of the message that events of a kind carry.
#[must_use]
pub fn payload_type(kind_of_event: &str) -> &'static str {
    match kind_of_event.split('.').next() {
        Some("operator") => "gridlease.inventory.v1.Operator",
        Some("site") => "gridlease.inventory.v1.Site",
        Some("block") => "gridlease.inventory.v1.Block",
        Some("phase") => "gridlease.inventory.v1.Phase",
        _ => "gridlease.inventory.v1.Reservation",
    }
}

/// Reads which page is asked for.
fn page(v: &mut Violations, size: i32, token: &str) -> Option<PageRequest> {
    Some(PageRequest { size: page_size(v, size)?, token: token.to_owned() })
}

/// Reads a list of short texts.
fn short_texts(v: &mut Violations, field: &str, list: &[String], count_max: usize) -> Option<Vec<String>> {
    if list.len() > count_max {
        v.add(field, format!("must have at most {count_max} entries"));
        return None;
    }
    v.each(field, list, |v, text| {
        if text.trim().is_empty() {
            v.add("", "must not be blank");
            return None;
        }
        v.text("", text, 200)
    })
}

/// Reads an identifier of a parent, where `-` is "all".
fn or_all<T: std::str::FromStr>(v: &mut Violations, field: &str, text: &str) -> Option<Option<T>>
where
    T::Err: std::fmt::Display,
{
    if text == "-" { Some(None) } else { v.parse(field, text, str::parse).map(Some) }
}

/// Reads the fields that an update names: at least one, each known.
fn mask<'a>(v: &mut Violations, mask: Option<&'a prost_types::FieldMask>, known: &[&str]) -> Vec<&'a str> {
    let paths: Vec<&str> =
        mask.map(|mask| mask.paths.iter().map(String::as_str).collect()).unwrap_or_default();
    if paths.is_empty() {
        v.add("update_mask", "is required: name at least one field");
    }
    for path in &paths {
        if !known.contains(path) {
            v.add("update_mask", format!("{} is not a field that can be changed", quoted(path)));
        }
    }
    paths
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("\"{short}\"")
}

/// Reads a date of which month and day may be unknown.
fn partial_date(
    v: &mut Violations,
    field: &str,
    date: Option<&contracts::google::r#type::Date>,
) -> Option<Option<crate::domain::site::PartialDate>> {
    let Some(date) = date else { return Some(None) };
    let number = |n: i32| u32::try_from(n).ok();
    let read = number(date.month)
        .zip(number(date.day))
        .and_then(|(month, day)| crate::domain::site::PartialDate::new(date.year, month, day));
    if read.is_none() {
        v.add(field, "must be a date from 2000 on; month and day may be 0");
    }
    read.map(Some)
}

/// Writes a date of which month and day may be unknown.
fn to_partial_date(date: crate::domain::site::PartialDate) -> contracts::google::r#type::Date {
    let number = |n: u32| i32::try_from(n).unwrap_or(0);
    contracts::google::r#type::Date { year: date.year, month: number(date.month), day: number(date.day) }
}

/// An empty text for `wire` fields that are absent.
fn name_of<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
