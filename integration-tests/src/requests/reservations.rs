//! Requests about capacity set aside.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use crate::market::{self, request_id};
use crate::world::Names;

pub(super) fn reservations(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (name, etag, request_id) = (n.reservation.clone(), String::new(), request_id());
    Some(match method {
        "ReservationService/PlaceHold" => inventory::PlaceHoldRequest {
            validate_only: true,
            ..market::hold(&n.operator, &n.free_block, &n.tenant, market::load(1_000))
        }
        .encode_to_vec(),
        "ReservationService/ExtendHold" => inventory::ExtendHoldRequest {
            name,
            hold_expire_time: None,
            minimum_duration: Some(prost_types::Duration { seconds: 7_200, nanos: 0 }),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "ReservationService/CommitReservation" => {
            inventory::CommitReservationRequest { name, request_id, validate_only: true }.encode_to_vec()
        }
        "ReservationService/ReleaseReservation" => {
            inventory::ReleaseReservationRequest { name, etag, request_id, validate_only: true }
                .encode_to_vec()
        }
        "ReservationService/GetReservation" => {
            inventory::GetReservationRequest { name, ..Default::default() }.encode_to_vec()
        }
        "ReservationService/ListReservations" => {
            inventory::ListReservationsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}
