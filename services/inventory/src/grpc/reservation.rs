//! Reservations on the wire.

use std::time::Duration;

use contracts::common::v1 as common;
use contracts::inventory::v1 as wire;
use kernel::{
    BlockName, Error, Instant, OperatorId, OperatorName, OperatorParent, ReservationName, TenantId,
    TenantName, Violations,
};
use prost::Message as _;
use runtime::wire::{
    duration, instant, known, optional_instant, profile, request_id, to_capacity, to_timestamp,
};

use crate::app::{ExtendHold, ListReservations, MoveReservation, PlaceHold, Placed, Until};
use crate::domain::etag;
use crate::domain::reservation::{Claim, Kind, Profile, Reservation};
use crate::domain::states::State;

const CLAIMS_MAX: usize = 50;
pub(super) const NOTE_MAX: usize = 1_000;
const HOLD_SHORTEST: Duration = Duration::from_secs(60);
const HOLD_LONGEST: Duration = Duration::from_secs(60 * 86_400);

pub(super) fn place(request: &wire::PlaceHoldRequest) -> Result<PlaceHold, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let tenant = tenant(&mut v, &request.tenant);
    let kind = known::<wire::ReservationKind>(&mut v, "kind", request.kind);
    let operator = parent.as_ref().map(|parent| &parent.operator);
    let claims = claims(&mut v, operator, &request.claims);
    let hold_for =
        duration(&mut v, "hold_duration", request.hold_duration.as_ref(), HOLD_SHORTEST..=HOLD_LONGEST);
    let note = v.text("note", &request.note, NOTE_MAX);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(PlaceHold {
            operator: parent?.operator,
            tenant: tenant?,
            kind: of_kind(kind?),
            claims: claims?,
            hold_for: hold_for?,
            note: note?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn claims(
    v: &mut Violations,
    operator: Option<&OperatorId>,
    sent: &[wire::Claim],
) -> Option<Vec<Claim>> {
    if !v.require("claims", (1..=CLAIMS_MAX).contains(&sent.len()), "must be 1 to 50 claims") {
        return None;
    }
    let claims = v.each("claims", sent, |v, claim| {
        let block = v.parse("block", &claim.block, str::parse::<BlockName>).filter(|block| {
            let same = operator.is_none_or(|operator| block.operator == *operator);
            v.require("block", same, "must be a block of the parent")
        });
        let profile = taken(v, "profile", claim.profile.as_ref());
        Some(Claim { block: block?, profile: profile? })
    })?;
    let mut blocks: Vec<&BlockName> = claims.iter().map(|claim| &claim.block).collect();
    blocks.sort_unstable();
    let distinct = blocks.windows(2).all(|pair| pair[0] != pair[1]);
    v.require("claims", distinct, "must each be of another block").then_some(claims)
}

/// Reads what is taken over time: something in every step, with cooling that carries its heat.
pub(super) fn taken(
    v: &mut Violations,
    field: &str,
    sent: Option<&common::CapacityProfile>,
) -> Option<Profile> {
    let (interval, steps) = profile(v, field, sent)?;
    v.nested(field, |v| {
        v.each("steps", &steps, |v, (_, kw)| {
            let carries = v.require(
                "capacity",
                kw.carries_heat(),
                "must have cooling of all kinds together of at least critical_it_kw",
            );
            let something = v.require("capacity", !kw.is_zero(), "must not be zero");
            (carries && something).then_some(())
        })
    })?;
    Profile::new(steps, interval.end())
}

/// What a reservation takes, from the payload of its event.
pub(super) fn claims_of_event(payload: &[u8]) -> Result<Vec<Claim>, Error> {
    let sent = wire::Reservation::decode(payload).map_err(Error::internal)?;
    let mut v = Violations::new();
    let claims = v.each("claims", &sent.claims, |v, claim| {
        let block = v.parse("block", &claim.block, str::parse::<BlockName>);
        let (interval, steps) = profile(v, "profile", claim.profile.as_ref())?;
        Some(Claim { block: block?, profile: Profile::new(steps, interval.end())? })
    });
    claims.ok_or_else(|| Error::internal("a reservation's event does not read"))
}

pub(super) fn extend(request: &wire::ExtendHoldRequest) -> Result<ExtendHold, Error> {
    let mut v = Violations::new();
    let of = moved(&mut v, &request.name, &request.etag, &request.request_id, request.validate_only);
    let until = match (&request.hold_expire_time, &request.minimum_duration) {
        (Some(_), Some(_)) | (None, None) => {
            v.add("hold_expire_time", "is required unless minimum_duration is given, and not both");
            None
        }
        (time @ Some(_), None) => instant(&mut v, "hold_expire_time", time.as_ref()).map(Until::Time),
        (None, least @ Some(_)) => {
            duration(&mut v, "minimum_duration", least.as_ref(), HOLD_SHORTEST..=HOLD_LONGEST)
                .map(Until::AtLeast)
        }
    };
    v.build(|| Some(ExtendHold { of: of?, until: until? }))
}

pub(super) fn commit(request: &wire::CommitReservationRequest) -> Result<MoveReservation, Error> {
    let mut v = Violations::new();
    let of = moved(&mut v, &request.name, "", &request.request_id, request.validate_only);
    v.build(|| of)
}

pub(super) fn release(request: &wire::ReleaseReservationRequest) -> Result<MoveReservation, Error> {
    let mut v = Violations::new();
    let of = moved(&mut v, &request.name, &request.etag, &request.request_id, request.validate_only);
    v.build(|| of)
}

pub(super) fn moved(
    v: &mut Violations,
    name: &str,
    etag: &str,
    id: &str,
    validate_only: bool,
) -> Option<MoveReservation> {
    let name = v.parse("name", name, str::parse::<ReservationName>);
    let request_id = request_id(v, id);
    let etag = (!etag.is_empty()).then(|| etag.to_owned());
    Some(MoveReservation { name: name?, etag, request_id: request_id?, validate_only })
}

pub(super) fn get(
    request: &wire::GetReservationRequest,
) -> Result<(ReservationName, Option<Instant>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<ReservationName>);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    v.build(|| Some((name?, read_time?)))
}

/// Reads an earlier version back.
pub(super) fn of_wire(bytes: &[u8], revision: i64) -> Result<Reservation, Error> {
    super::kept(bytes, |v, kept: wire::Reservation| {
        let name = v.parse("name", &kept.name, str::parse::<ReservationName>);
        let tenant = tenant(v, &kept.tenant);
        let kind = known::<wire::ReservationKind>(v, "kind", kept.kind);
        let state = known::<wire::ReservationState>(v, "state", kept.state);
        let claims = claims(v, name.as_ref().map(|name| &name.operator), &kept.claims);
        let created_at = instant(v, "create_time", kept.create_time.as_ref());
        let updated_at = instant(v, "update_time", kept.update_time.as_ref());
        // Of what is committed, the end of the hold no longer matters and is not written.
        let hold_until = optional_instant(v, "hold_expire_time", kept.hold_expire_time.as_ref());
        Some(Reservation {
            name: name?,
            tenant: tenant?,
            kind: of_kind(kind?),
            state: of_state(state?),
            claims: claims?,
            hold_until: hold_until?.or(updated_at)?,
            note: kept.note,
            revision,
            created_at: created_at?,
            updated_at: updated_at?,
        })
    })
}

fn tenant(v: &mut Violations, text: &str) -> Option<Option<TenantId>> {
    match text {
        "" => Some(None),
        text => v.parse("tenant", text, str::parse::<TenantName>).map(|name| Some(name.tenant)),
    }
}

fn of_kind(kind: wire::ReservationKind) -> Kind {
    match kind {
        wire::ReservationKind::Hold | wire::ReservationKind::Unspecified => Kind::Hold,
        wire::ReservationKind::Lease => Kind::Lease,
        wire::ReservationKind::Option => Kind::Option,
        wire::ReservationKind::OperatorUse => Kind::OperatorUse,
    }
}

fn of_state(state: wire::ReservationState) -> State {
    match state {
        wire::ReservationState::Held | wire::ReservationState::Unspecified => State::Held,
        wire::ReservationState::Committed => State::Committed,
        wire::ReservationState::Released => State::Released,
        wire::ReservationState::Expired => State::Expired,
        wire::ReservationState::Merged => State::Merged,
    }
}

pub(super) fn list(request: &wire::ListReservationsRequest) -> Result<ListReservations, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let states = v.each_word("states", &request.states, |v, number| {
        known::<wire::ReservationState>(v, "", *number).map(of_state)
    });
    let block = match request.block.as_str() {
        "" => Some(None),
        text => v.parse("block", text, str::parse::<BlockName>).map(Some),
    };
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        Some(ListReservations {
            parent: parent?,
            states: states?,
            block: block?,
            read_time: read_time?,
            page: page?,
        })
    })
}

pub(super) fn placed(placed: &Placed) -> wire::PlaceHoldResponse {
    wire::PlaceHoldResponse {
        reservation: Some(to_wire(&placed.reservation)),
        quota_left: placed.quota_left.map(|left| i32::try_from(left).unwrap_or(i32::MAX)),
        rights_to_clear: placed.rights.iter().map(super::encumbrance::to_right).collect(),
    }
}

/// The reply and the payload of the event.
pub(super) fn placed_and_told(new: &Placed) -> (Vec<u8>, Vec<u8>) {
    let reply = placed(new);
    let told = reply.reservation.as_ref().map(prost::Message::encode_to_vec).unwrap_or_default();
    (prost::Message::encode_to_vec(&reply), told)
}

pub(super) fn extended(reservation: &Reservation) -> wire::ExtendHoldResponse {
    wire::ExtendHoldResponse { reservation: Some(to_wire(reservation)) }
}

pub(super) fn committed(reservation: &Reservation) -> wire::CommitReservationResponse {
    wire::CommitReservationResponse { reservation: Some(to_wire(reservation)) }
}

pub(super) fn released(reservation: &Reservation) -> wire::ReleaseReservationResponse {
    wire::ReleaseReservationResponse { reservation: Some(to_wire(reservation)) }
}

pub(super) fn to_wire(reservation: &Reservation) -> wire::Reservation {
    let tenant = reservation.tenant.clone().map(TenantName::new);
    wire::Reservation {
        name: reservation.name.to_string(),
        tenant: super::name_of(tenant.as_ref()),
        kind: match reservation.kind {
            Kind::Hold => wire::ReservationKind::Hold,
            Kind::Lease => wire::ReservationKind::Lease,
            Kind::Option => wire::ReservationKind::Option,
            Kind::OperatorUse => wire::ReservationKind::OperatorUse,
        }
        .into(),
        state: match reservation.state {
            State::Held => wire::ReservationState::Held,
            State::Committed => wire::ReservationState::Committed,
            State::Released => wire::ReservationState::Released,
            State::Expired => wire::ReservationState::Expired,
            State::Merged => wire::ReservationState::Merged,
        }
        .into(),
        claims: reservation.claims.iter().map(to_claim).collect(),
        hold_expire_time: (reservation.state != State::Committed)
            .then(|| to_timestamp(reservation.hold_until)),
        note: reservation.note.clone(),
        etag: etag(reservation.revision),
        create_time: Some(to_timestamp(reservation.created_at)),
        update_time: Some(to_timestamp(reservation.updated_at)),
    }
}

fn to_claim(claim: &Claim) -> wire::Claim {
    wire::Claim { block: claim.block.to_string(), profile: Some(to_profile(&claim.profile)) }
}

pub(super) fn to_profile(profile: &Profile) -> common::CapacityProfile {
    let steps = profile.steps().iter().map(|(start, kw)| common::CapacityStep {
        start_time: Some(to_timestamp(*start)),
        capacity: Some(to_capacity(*kw)),
    });
    common::CapacityProfile { steps: steps.collect(), end_time: Some(to_timestamp(profile.end())) }
}
