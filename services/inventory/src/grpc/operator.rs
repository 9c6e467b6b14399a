//! Operators on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, Instant, OperatorId, OperatorName, Violations};
use runtime::wire::{display_name, instant, optional_instant, request_id, to_timestamp};

use super::{mask, short_texts};
use crate::app::{Create, ListOperators, OperatorPatch, UpdateOperator};
use crate::domain::etag;
use crate::domain::operator::{Operator, OperatorDraft};

pub(super) fn create(request: &wire::CreateOperatorRequest) -> Result<Create<OperatorDraft>, Error> {
    let mut v = Violations::new();
    let operator = v.parse("operator_id", &request.operator_id, str::parse);
    let facts = v
        .present("operator", request.operator.as_ref())
        .and_then(|facts| v.nested("operator", |v| self::facts(v, facts)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (display_name, aliases) = facts?;
        Some(Create {
            draft: OperatorDraft { operator: operator?, display_name, aliases },
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// The fields that an update may name.
const CHANGEABLE: &[&str] = &["display_name", "aliases"];

pub(super) fn update(request: &wire::UpdateOperatorRequest) -> Result<UpdateOperator, Error> {
    let mut v = Violations::new();
    let paths = mask(&mut v, request.update_mask.as_ref(), CHANGEABLE);
    let read = v.present("operator", request.operator.as_ref()).and_then(|operator| {
        v.nested("operator", |v| {
            let name = v.parse("name", &operator.name, str::parse::<OperatorName>);
            v.require("etag", !operator.etag.is_empty(), "is required");
            let mut patch = OperatorPatch::default();
            if paths.contains(&"display_name") {
                patch.display_name = display_name(v, "display_name", &operator.display_name);
            }
            if paths.contains(&"aliases") {
                patch.aliases = short_texts(v, "aliases", &operator.aliases, 20);
            }
            Some((name?.operator, operator.etag.clone(), patch))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (operator, etag, patch) = read?;
        let validate_only = request.validate_only;
        Some(UpdateOperator { operator, etag, patch, request_id: request_id?, validate_only })
    })
}

pub(super) fn get(request: &wire::GetOperatorRequest) -> Result<(OperatorId, Option<Instant>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<OperatorName>);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    v.build(|| Some((name?.operator, read_time?)))
}

pub(super) fn list(request: &wire::ListOperatorsRequest) -> Result<ListOperators, Error> {
    let mut v = Violations::new();
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| Some(ListOperators { read_time: read_time?, page: page? }))
}

/// Reads an earlier version back.
pub(super) fn of_wire(bytes: &[u8], revision: i64) -> Result<Operator, Error> {
    super::kept(bytes, |v, kept: wire::Operator| {
        let name = v.parse("name", &kept.name, str::parse::<OperatorName>);
        let facts = facts(v, &kept);
        let created_at = instant(v, "create_time", kept.create_time.as_ref());
        let updated_at = instant(v, "update_time", kept.update_time.as_ref());
        let (display_name, aliases) = facts?;
        let facts = OperatorDraft { operator: name?.operator, display_name, aliases };
        Some(Operator { facts, revision, created_at: created_at?, updated_at: updated_at? })
    })
}

fn facts(v: &mut Violations, facts: &wire::Operator) -> Option<(String, Vec<String>)> {
    let name = display_name(v, "display_name", &facts.display_name);
    let aliases = short_texts(v, "aliases", &facts.aliases, 20);
    Some((name?, aliases?))
}

pub(super) fn to_wire(operator: &Operator) -> wire::Operator {
    wire::Operator {
        name: OperatorName::new(operator.facts.operator.clone()).to_string(),
        display_name: operator.facts.display_name.clone(),
        aliases: operator.facts.aliases.clone(),
        etag: etag(operator.revision),
        create_time: Some(to_timestamp(operator.created_at)),
        update_time: Some(to_timestamp(operator.updated_at)),
    }
}

pub(super) fn updated(operator: &Operator) -> wire::UpdateOperatorResponse {
    wire::UpdateOperatorResponse { operator: Some(to_wire(operator)) }
}

pub(super) fn created(operator: &Operator) -> wire::CreateOperatorResponse {
    wire::CreateOperatorResponse { operator: Some(to_wire(operator)) }
}
