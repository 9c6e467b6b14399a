//! Encumbrances on the wire.

use contracts::inventory::v1 as wire;
use kernel::{EncumbranceName, Error, Instant, OperatorName, OperatorParent, TenantName, Violations};
use runtime::wire::{instant, known, request_id, to_timestamp};

use crate::app::{Create, ListEncumbrances, ReleaseEncumbrance};
use crate::domain::encumbrance::{Encumbrance, EncumbranceDraft, Extent, Kind, Right, Standing};
use crate::domain::etag;

const KW_MAX: i64 = 100_000_000;
const RESPONSE_DAYS_MAX: i32 = 365;
const NOTE_MAX: usize = 1_000;

pub(super) fn place(request: &wire::PlaceEncumbranceRequest) -> Result<Create<EncumbranceDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let draft = v
        .present("encumbrance", request.encumbrance.as_ref())
        .and_then(|sent| v.nested("encumbrance", |v| draft(v, parent.as_ref(), sent)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| Some(Create { draft: draft?, request_id: request_id?, validate_only: request.validate_only }))
}

fn draft(
    v: &mut Violations,
    parent: Option<&OperatorName>,
    sent: &wire::Encumbrance,
) -> Option<EncumbranceDraft> {
    let on = extent(v, "place", parent, &sent.place);
    let kind = known::<wire::EncumbranceKind>(v, "kind", sent.kind);
    let tenant = v.parse("tenant", &sent.tenant, str::parse::<TenantName>);
    let in_bounds = (1..=KW_MAX).contains(&sent.quantity_kw);
    let quantity =
        v.require("quantity_kw", in_bounds, "must be from 1 to 100000000 kW").then_some(sent.quantity_kw);
    let until = instant(v, "valid_until_time", sent.valid_until_time.as_ref());
    let days = (0..=RESPONSE_DAYS_MAX).contains(&sent.response_days);
    let days = v.require("response_days", days, "must be from 0 to 365").then_some(sent.response_days);
    let note = v.text("note", &sent.note, NOTE_MAX);
    Some(EncumbranceDraft {
        on: on?,
        kind: match kind? {
            wire::EncumbranceKind::Loi | wire::EncumbranceKind::Unspecified => Kind::Loi,
            wire::EncumbranceKind::Rofo => Kind::Rofo,
            wire::EncumbranceKind::Rofr => Kind::Rofr,
        },
        tenant: tenant?.tenant,
        quantity_kw: quantity?,
        valid_until: until?,
        response_days: days?,
        note: note?,
    })
}

/// Reads a block, a site or an operator that is the parent or lies below it.
pub(super) fn extent(
    v: &mut Violations,
    field: &str,
    parent: Option<&OperatorName>,
    text: &str,
) -> Option<Extent> {
    let on = v.parse(field, text, str::parse::<Extent>)?;
    let own = parent.is_none_or(|parent| parent.operator == *on.operator());
    v.require(field, own, "must be the parent's").then_some(on)
}

pub(super) fn release(request: &wire::ReleaseEncumbranceRequest) -> Result<ReleaseEncumbrance, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<EncumbranceName>);
    let request_id = request_id(&mut v, &request.request_id);
    let etag = (!request.etag.is_empty()).then(|| request.etag.clone());
    v.build(|| {
        let validate_only = request.validate_only;
        Some(ReleaseEncumbrance { name: name?, etag, request_id: request_id?, validate_only })
    })
}

pub(super) fn name(text: &str) -> Result<EncumbranceName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<EncumbranceName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListEncumbrancesRequest) -> Result<ListEncumbrances, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| Some(ListEncumbrances { parent: parent?, active_only: request.active_only, page: page? }))
}

/// As it stands at an instant: the end of an encumbrance is a matter of time.
pub(super) fn seen_at(encumbrance: &Encumbrance, now: Instant) -> wire::Encumbrance {
    let facts = &encumbrance.facts;
    wire::Encumbrance {
        name: encumbrance.name.to_string(),
        place: facts.on.to_string(),
        kind: to_kind(facts.kind).into(),
        tenant: TenantName::new(facts.tenant.clone()).to_string(),
        quantity_kw: facts.quantity_kw,
        valid_until_time: Some(to_timestamp(facts.valid_until)),
        response_days: facts.response_days,
        note: facts.note.clone(),
        rank: facts.kind.rank(),
        state: match encumbrance.standing(now) {
            Standing::Active => wire::EncumbranceState::Active,
            Standing::Released => wire::EncumbranceState::Released,
            Standing::Expired => wire::EncumbranceState::Expired,
        }
        .into(),
        etag: etag(encumbrance.revision),
        create_time: Some(to_timestamp(encumbrance.created_at)),
        update_time: Some(to_timestamp(encumbrance.updated_at)),
    }
}

/// As it was when it was last changed, as events and replies tell it.
pub(super) fn to_wire(encumbrance: &Encumbrance) -> wire::Encumbrance {
    seen_at(encumbrance, encumbrance.updated_at)
}

pub(super) fn placed(encumbrance: &Encumbrance) -> wire::PlaceEncumbranceResponse {
    wire::PlaceEncumbranceResponse { encumbrance: Some(to_wire(encumbrance)) }
}

pub(super) fn released(encumbrance: &Encumbrance) -> wire::ReleaseEncumbranceResponse {
    wire::ReleaseEncumbranceResponse { encumbrance: Some(to_wire(encumbrance)) }
}

pub(super) fn to_right(right: &Right) -> wire::Right {
    let of = right.of.as_deref();
    wire::Right {
        kind: to_kind(right.kind).into(),
        rank: right.kind.rank(),
        response_days: right.response_days,
        encumbrance: super::name_of(of.map(|of| &of.name)),
        tenant: of.map(|of| TenantName::new(of.facts.tenant.clone()).to_string()).unwrap_or_default(),
        quantity_kw: of.map(|of| of.facts.quantity_kw).unwrap_or_default(),
        valid_until_time: of.map(|of| to_timestamp(of.facts.valid_until)),
    }
}

fn to_kind(kind: Kind) -> wire::EncumbranceKind {
    match kind {
        Kind::Loi => wire::EncumbranceKind::Loi,
        Kind::Rofo => wire::EncumbranceKind::Rofo,
        Kind::Rofr => wire::EncumbranceKind::Rofr,
    }
}
