//! Operators on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, OperatorId, OperatorName, Violations};
use runtime::wire::{display_name, request_id, to_timestamp};

use super::short_texts;
use crate::app::{Create, PageRequest};
use crate::domain::etag;
use crate::domain::operator::{Operator, OperatorDraft};

pub(super) fn create(request: &wire::CreateOperatorRequest) -> Result<Create<OperatorDraft>, Error> {
    let mut v = Violations::new();
    let operator = v.parse("operator_id", &request.operator_id, str::parse);
    let facts = v.present("operator", request.operator.as_ref()).and_then(|facts| {
        v.nested("operator", |v| {
            let name = display_name(v, "display_name", &facts.display_name);
            let aliases = short_texts(v, "aliases", &facts.aliases, 20);
            Some((name?, aliases?))
        })
    });
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

pub(super) fn name(text: &str) -> Result<OperatorId, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<OperatorName>);
    v.build(|| name.map(|name| name.operator))
}

pub(super) fn list(request: &wire::ListOperatorsRequest) -> Result<PageRequest, Error> {
    let mut v = Violations::new();
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| page)
}

pub(super) fn to_wire(operator: &Operator) -> wire::Operator {
    wire::Operator {
        name: OperatorName::new(operator.facts.operator.clone()).to_string(),
        display_name: operator.facts.display_name.clone(),
        aliases: operator.facts.aliases.clone(),
        etag: etag(operator.revision),
        create_time: Some(to_timestamp(operator.created_at)),
    }
}

pub(super) fn created(operator: &Operator) -> wire::CreateOperatorResponse {
    wire::CreateOperatorResponse { operator: Some(to_wire(operator)) }
}
