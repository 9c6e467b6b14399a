//! The waitlist on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, Instant, OperatorName, OperatorParent, TenantName, Violations, WaitlistEntryName};
use runtime::wire::{instant, request_id, to_timestamp};

use super::{encumbrance, reservation};
use crate::app::{Create, LeaveWaitlist, ListWaitlist};
use crate::domain::encumbrance::Extent;
use crate::domain::etag;
use crate::domain::waitlist::{State, WaitlistDraft, WaitlistEntry};

const NOTE_MAX: usize = 1_000;

pub(super) fn join(request: &wire::JoinWaitlistRequest) -> Result<Create<WaitlistDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let draft = v
        .present("waitlist_entry", request.waitlist_entry.as_ref())
        .and_then(|sent| v.nested("waitlist_entry", |v| draft(v, parent.as_ref(), sent)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| Some(Create { draft: draft?, request_id: request_id?, validate_only: request.validate_only }))
}

fn draft(
    v: &mut Violations,
    parent: Option<&OperatorName>,
    sent: &wire::WaitlistEntry,
) -> Option<WaitlistDraft> {
    let on = encumbrance::extent(v, "place", parent, &sent.place);
    let on = on.filter(|on| {
        let narrow = !matches!(on, Extent::Operator(_));
        v.require("place", narrow, "must be a block or a site")
    });
    let tenant = match sent.tenant.as_str() {
        "" => Some(None),
        text => v.parse("tenant", text, str::parse::<TenantName>).map(|name| Some(name.tenant)),
    };
    let profile = reservation::taken(v, "profile", sent.profile.as_ref());
    let expire_at = instant(v, "expire_time", sent.expire_time.as_ref());
    let note = v.text("note", &sent.note, NOTE_MAX);
    Some(WaitlistDraft { on: on?, tenant: tenant?, profile: profile?, expire_at: expire_at?, note: note? })
}

pub(super) fn leave(request: &wire::LeaveWaitlistRequest) -> Result<LeaveWaitlist, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<WaitlistEntryName>);
    let request_id = request_id(&mut v, &request.request_id);
    let etag = (!request.etag.is_empty()).then(|| request.etag.clone());
    v.build(|| {
        let validate_only = request.validate_only;
        Some(LeaveWaitlist { name: name?, etag, request_id: request_id?, validate_only })
    })
}

pub(super) fn name(text: &str) -> Result<WaitlistEntryName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<WaitlistEntryName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListWaitlistRequest) -> Result<ListWaitlist, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| Some(ListWaitlist { parent: parent?, waiting_only: request.waiting_only, page: page? }))
}

/// As it stands at an instant: the end of waiting is a matter of time.
pub(super) fn seen_at(entry: &WaitlistEntry, now: Instant) -> wire::WaitlistEntry {
    let state = match entry.state {
        _ if entry.has_expired(now) => wire::WaitlistState::Expired,
        State::Waiting => wire::WaitlistState::Waiting,
        State::Available => wire::WaitlistState::Available,
        State::Left => wire::WaitlistState::Left,
    };
    wire::WaitlistEntry {
        name: entry.name.to_string(),
        place: entry.on.to_string(),
        tenant: TenantName::new(entry.tenant.clone()).to_string(),
        profile: Some(reservation::to_profile(&entry.profile)),
        expire_time: Some(to_timestamp(entry.expire_at)),
        note: entry.note.clone(),
        state: state.into(),
        available_blocks: entry.available.iter().map(ToString::to_string).collect(),
        told_time: entry.told_at.map(to_timestamp),
        etag: etag(entry.revision),
        create_time: Some(to_timestamp(entry.created_at)),
        update_time: Some(to_timestamp(entry.updated_at)),
    }
}

/// As it was when it was last changed, as events and replies tell it.
pub(super) fn to_wire(entry: &WaitlistEntry) -> wire::WaitlistEntry {
    seen_at(entry, entry.updated_at)
}

pub(super) fn joined(entry: &WaitlistEntry) -> wire::JoinWaitlistResponse {
    wire::JoinWaitlistResponse { waitlist_entry: Some(to_wire(entry)) }
}

pub(super) fn left(entry: &WaitlistEntry) -> wire::LeaveWaitlistResponse {
    wire::LeaveWaitlistResponse { waitlist_entry: Some(to_wire(entry)) }
}
