//! Amending, splitting and merging reservations on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, ReservationName, TenantName, Violations};

use super::reservation::{self, to_wire};
use crate::app::{AmendReservation, MergeReservations, Part, SplitReservation};
use crate::domain::reservation::Reservation;

const PARTS_MAX: usize = 20;
const OTHERS_MAX: usize = 20;

pub(super) fn amend(request: &wire::AmendReservationRequest) -> Result<AmendReservation, Error> {
    let mut v = Violations::new();
    let of =
        reservation::moved(&mut v, &request.name, &request.etag, &request.request_id, request.validate_only);
    let operator = of.as_ref().map(|of| &of.name.operator);
    let claims = reservation::claims(&mut v, operator, &request.claims);
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse::<TenantName>);
    v.build(|| {
        let tenant = tenant.map(|name| name.tenant);
        Some(AmendReservation { of: of?, claims: claims?, tenant })
    })
}

pub(super) fn split(request: &wire::SplitReservationRequest) -> Result<SplitReservation, Error> {
    let mut v = Violations::new();
    let of =
        reservation::moved(&mut v, &request.name, &request.etag, &request.request_id, request.validate_only);
    let operator = of.as_ref().map(|of| &of.name.operator);
    let many = (2..=PARTS_MAX).contains(&request.parts.len());
    let parts = v.require("parts", many, "must be 2 to 20 parts").then_some(()).and_then(|()| {
        v.each("parts", &request.parts, |v, part| {
            let claims = reservation::claims(v, operator, &part.claims);
            let note = v.text("note", &part.note, reservation::NOTE_MAX);
            Some(Part { claims: claims?, note: note? })
        })
    });
    v.build(|| Some(SplitReservation { of: of?, parts: parts? }))
}

pub(super) fn merge(request: &wire::MergeReservationsRequest) -> Result<MergeReservations, Error> {
    let mut v = Violations::new();
    let of =
        reservation::moved(&mut v, &request.name, &request.etag, &request.request_id, request.validate_only);
    let many = (1..=OTHERS_MAX).contains(&request.others.len());
    let others = v.require("others", many, "must be 1 to 20 reservations").then_some(()).and_then(|()| {
        v.each("others", &request.others, |v, text| {
            let other = v.parse("", text, str::parse::<ReservationName>)?;
            let same = of.as_ref().is_none_or(|of| of.name.operator == other.operator);
            v.require("", same, "must be a reservation of the same operator").then_some(other)
        })
    });
    if let (Some(of), Some(others)) = (&of, &others) {
        let mut names: Vec<&ReservationName> = others.iter().chain([&of.name]).collect();
        names.sort_unstable();
        let distinct = names.windows(2).all(|pair| pair[0] != pair[1]);
        v.require("others", distinct, "must each be another reservation");
    }
    v.build(|| Some(MergeReservations { of: of?, others: others? }))
}

pub(super) fn amended(reservation: &Reservation) -> wire::AmendReservationResponse {
    wire::AmendReservationResponse { reservation: Some(to_wire(reservation)) }
}

pub(super) fn split_into(parts: &[Reservation]) -> wire::SplitReservationResponse {
    wire::SplitReservationResponse { reservations: parts.iter().map(to_wire).collect() }
}

pub(super) fn merged(reservation: &Reservation) -> wire::MergeReservationsResponse {
    wire::MergeReservationsResponse { reservation: Some(to_wire(reservation)) }
}
