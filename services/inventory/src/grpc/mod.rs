//! Translates and decides nothing: wire to command, one use case, result to wire.

mod amendment;
mod block;
mod capacity;
mod capacity_service;
mod curtailment;
mod encumbrance;
mod encumbrance_service;
mod event_service;
mod found;
mod import_service;
mod incident;
mod incident_service;
mod maintenance;
mod maintenance_service;
mod operator;
mod phase;
mod phase_change;
mod power_plan;
mod reservation;
mod reservation_service;
mod search;
mod shortfall;
mod site;
mod site_facts;
mod site_service;
mod table;
mod waitlist;
mod waitlist_service;

pub use capacity_service::CapacityHandler;
pub use encumbrance_service::EncumbranceHandler;
pub use event_service::EventHandler;
pub use import_service::ImportHandler;
pub use incident_service::IncidentHandler;
pub use maintenance_service::MaintenanceHandler;
pub use reservation_service::ReservationHandler;
pub use site_service::SiteHandler;
pub use waitlist_service::WaitlistHandler;

use contracts::common::v1 as common;
use kernel::{BlockSlug, Error, OperatorId, SiteId, Violations};
use prost::Message;
use runtime::wire::{page_size, request_id};

use crate::app::{Archive, PageRequest, Wire};
use crate::domain::site::{Confidence, Provenance};

/// How stored replies and events are written.
pub const WIRE: Wire = Wire {
    operator: |operator| operator::to_wire(operator).encode_to_vec(),
    site: |site| site::to_wire(site).encode_to_vec(),
    block: |block| block::to_wire(block).encode_to_vec(),
    phase: |phase| phase::to_wire(phase).encode_to_vec(),
    reservation: |reservation| reservation::to_wire(reservation).encode_to_vec(),
    incident: |incident| incident::to_wire(incident).encode_to_vec(),
    curtailment: |curtailment| curtailment::to_wire(curtailment).encode_to_vec(),
    maintenance: |window| maintenance::to_wire(window).encode_to_vec(),
    shortfall: |shortfall| shortfall::to_wire(shortfall).encode_to_vec(),
    operator_created: |new| operator::created(new).encode_to_vec(),
    operator_updated: |changed| operator::updated(changed).encode_to_vec(),
    site_created: |new| site::created(new).encode_to_vec(),
    site_updated: |site| site::updated(site).encode_to_vec(),
    site_archived: |site| site::archived(site).encode_to_vec(),
    block_created: |new| block::created(new).encode_to_vec(),
    block_updated: |block| block::updated(block).encode_to_vec(),
    block_archived: |block| block::archived(block).encode_to_vec(),
    phase_created: |new| phase::created(new).encode_to_vec(),
    imported: |(_, imported)| table::imported(imported).encode_to_vec(),
    incident_reported: |new| incident::reported(new).encode_to_vec(),
    incident_opened: |new| incident::opened(new).encode_to_vec(),
    incident_updated: |incident| incident::updated(incident).encode_to_vec(),
    incident_closed: |incident| incident::closed(incident).encode_to_vec(),
    curtailment_announced: |new| curtailment::announced(new).encode_to_vec(),
    phase_updated: |phase| phase_change::updated(phase).encode_to_vec(),
    phase_advanced: |phase| phase_change::advanced(phase).encode_to_vec(),
    phase_slipped: |phase| phase_change::slipped(phase).encode_to_vec(),
    phase_cancelled: |phase| phase_change::cancelled(phase).encode_to_vec(),
    maintenance_scheduled: |new| maintenance::scheduled(new).encode_to_vec(),
    maintenance_cancelled: |window| maintenance::cancelled(window).encode_to_vec(),
    placed: reservation::placed_and_told,
    extended: |reservation| reservation::extended(reservation).encode_to_vec(),
    committed: |reservation| reservation::committed(reservation).encode_to_vec(),
    released: |reservation| reservation::released(reservation).encode_to_vec(),
    amended: |reservation| amendment::amended(reservation).encode_to_vec(),
    split: |parts| amendment::split_into(parts).encode_to_vec(),
    merged: |reservation| amendment::merged(reservation).encode_to_vec(),
    encumbrance: |encumbrance| encumbrance::to_wire(encumbrance).encode_to_vec(),
    encumbrance_placed: |encumbrance| encumbrance::placed(encumbrance).encode_to_vec(),
    encumbrance_released: |encumbrance| encumbrance::released(encumbrance).encode_to_vec(),
    waitlist_entry: |entry| waitlist::to_wire(entry).encode_to_vec(),
    waitlist_joined: |entry| waitlist::joined(entry).encode_to_vec(),
    waitlist_left: |entry| waitlist::left(entry).encode_to_vec(),
    operator_of: operator::of_wire,
    site_of: site::of_wire,
    block_of: block::of_wire,
    phase_of: phase::of_wire,
    reservation_of: reservation::of_wire,
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
        Some("incident") => "gridlease.inventory.v1.Incident",
        Some("curtailment") => "gridlease.inventory.v1.Curtailment",
        Some("phase") => "gridlease.inventory.v1.Phase",
        Some("encumbrance") => "gridlease.inventory.v1.Encumbrance",
        Some("waitlist") => "gridlease.inventory.v1.WaitlistEntry",
        Some("maintenance") => "gridlease.inventory.v1.MaintenanceWindow",
        Some("shortfall") => "gridlease.inventory.v1.Shortfall",
        _ => "gridlease.inventory.v1.Reservation",
    }
}

/// Reads what is to be archived.
fn archive<N: std::str::FromStr>(
    name: &str,
    etag: &str,
    id: &str,
    validate_only: bool,
) -> Result<Archive<N>, Error>
where
    N::Err: std::fmt::Display,
{
    let mut v = Violations::new();
    let name = v.parse("name", name, str::parse);
    let request_id = request_id(&mut v, id);
    let etag = (!etag.is_empty()).then(|| etag.to_owned());
    v.build(|| Some(Archive { name: name?, etag, request_id: request_id?, validate_only }))
}

/// Reads a message that we wrote ourselves. What does not read is a fault of ours.
fn kept<W: Message + Default, T>(
    bytes: &[u8],
    read: impl FnOnce(&mut Violations, W) -> Option<T>,
) -> Result<T, Error> {
    let mut v = Violations::new();
    let message = W::decode(bytes).map_err(Error::internal)?;
    let read = read(&mut v, message);
    v.build(|| read).map_err(|refusal| Error::internal(format!("a kept version does not read: {refusal}")))
}

/// Reads which page is asked for.
fn page(v: &mut Violations, size: i32, token: &str) -> Option<PageRequest> {
    Some(PageRequest { size: page_size(v, size)?, token: token.to_owned() })
}

/// Reads a text that must be there.
fn required_text(v: &mut Violations, field: &str, text: &str, chars_max: usize) -> Option<String> {
    if text.trim().is_empty() {
        v.add(field, "is required");
        return None;
    }
    v.text(field, text, chars_max)
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

/// Reads the parent of what lies under blocks, where any id may be `-`.
fn block_or_all(
    v: &mut Violations,
    parent: &str,
) -> Option<(Option<OperatorId>, Option<SiteId>, Option<BlockSlug>)> {
    let ["operators", operator, "sites", site, "blocks", block] = parent.split('/').collect::<Vec<_>>()[..]
    else {
        let form = "must have the form operators/{operator}/sites/{site}/blocks/{block}; any id may be -";
        v.add("parent", form);
        return None;
    };
    let operator = or_all(v, "parent", operator);
    let site = or_all(v, "parent", site);
    let block = or_all(v, "parent", block);
    Some((operator?, site?, block?))
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

fn provenance(v: &mut Violations, sent: Option<&common::Provenance>) -> Option<Provenance> {
    let nothing = common::Provenance::default();
    let sent = sent.unwrap_or(&nothing);
    v.nested("provenance", |v| {
        let confidence = match common::Confidence::try_from(sent.confidence) {
            Ok(common::Confidence::Unspecified) => Some(Confidence::Unspecified),
            Ok(common::Confidence::High) => Some(Confidence::High),
            Ok(common::Confidence::Medium) => Some(Confidence::Medium),
            Ok(common::Confidence::Low) => Some(Confidence::Low),
            Err(_) => {
                v.add("confidence", "is not a known value");
                None
            }
        };
        let source = v.text("source", &sent.source, 2_000);
        let as_of = partial_date(v, "as_of_date", sent.as_of_date.as_ref());
        Some(Provenance { source: source?, as_of: as_of?, confidence: confidence? })
    })
}

/// Writes where figures come from.
fn to_provenance(of: &Provenance) -> Option<common::Provenance> {
    Some(common::Provenance {
        source: of.source.clone(),
        as_of_date: of.as_of.map(to_partial_date),
        confidence: match of.confidence {
            Confidence::Unspecified => common::Confidence::Unspecified,
            Confidence::High => common::Confidence::High,
            Confidence::Medium => common::Confidence::Medium,
            Confidence::Low => common::Confidence::Low,
        }
        .into(),
    })
}

/// An empty text for `wire` fields that are absent.
fn name_of<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
