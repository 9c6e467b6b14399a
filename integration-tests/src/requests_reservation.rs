//! Requests that succeed for what is done to a reservation after it was placed, and for what stands beside it.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use crate::market::{self, READY, request_id};
use crate::world::Names;

/// What the world's hold takes, in another amount.
#[must_use]
pub fn claim(block: &str, it_kw: i64) -> inventory::Claim {
    let profile = market::profile(market::load(it_kw), READY, "2037-01-01");
    inventory::Claim { block: block.to_owned(), profile: Some(profile) }
}

/// As [`crate::requests::valid`].
pub(crate) fn valid(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (name, etag, request_id) = (n.reservation.clone(), String::new(), request_id());
    let part =
        |it_kw| inventory::ReservationPart { claims: vec![claim(&n.free_block, it_kw)], note: String::new() };
    Some(match method {
        "ReservationService/AmendReservation" => inventory::AmendReservationRequest {
            name,
            claims: vec![claim(&n.free_block, 2_000)],
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "ReservationService/SplitReservation" => inventory::SplitReservationRequest {
            name,
            parts: vec![part(400), part(600)],
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "ReservationService/MergeReservations" => inventory::MergeReservationsRequest {
            name,
            others: vec![n.other_reservation.clone()],
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        _ => return None,
    })
}
