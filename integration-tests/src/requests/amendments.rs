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
            tenant: String::new(),
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
        _ => return beside(method, n),
    })
}

fn beside(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    let (page_size, page_token, parent) = (0, String::new(), n.operator.clone());
    Some(match method {
        "EncumbranceService/PlaceEncumbrance" => inventory::PlaceEncumbranceRequest {
            encumbrance: Some(encumbrance(n)),
            parent,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "EncumbranceService/ReleaseEncumbrance" => inventory::ReleaseEncumbranceRequest {
            name: n.encumbrance.clone(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "EncumbranceService/GetEncumbrance" => {
            inventory::GetEncumbranceRequest { name: n.encumbrance.clone() }.encode_to_vec()
        }
        "EncumbranceService/ListEncumbrances" => {
            inventory::ListEncumbrancesRequest { parent, page_size, page_token, active_only: false }
                .encode_to_vec()
        }
        "WaitlistService/JoinWaitlist" => inventory::JoinWaitlistRequest {
            waitlist_entry: Some(waitlist_entry(n)),
            parent,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "WaitlistService/LeaveWaitlist" => inventory::LeaveWaitlistRequest {
            name: n.waitlist_entry.clone(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "WaitlistService/GetWaitlistEntry" => {
            inventory::GetWaitlistEntryRequest { name: n.waitlist_entry.clone() }.encode_to_vec()
        }
        "WaitlistService/ListWaitlist" => {
            inventory::ListWaitlistRequest { parent, page_size, page_token, waiting_only: false }
                .encode_to_vec()
        }
        _ => return None,
    })
}

/// The tenant's right of first refusal on half a megawatt of the free hall.
#[must_use]
pub fn encumbrance(n: &Names) -> inventory::Encumbrance {
    inventory::Encumbrance {
        place: n.free_block.clone(),
        kind: inventory::EncumbranceKind::Rofr.into(),
        tenant: n.tenant.clone(),
        quantity_kw: 500,
        valid_until_time: later("2030-01-01"),
        response_days: 20,
        ..Default::default()
    }
}

/// The tenant waits for a megawatt of the full hall.
#[must_use]
pub fn waitlist_entry(n: &Names) -> inventory::WaitlistEntry {
    inventory::WaitlistEntry {
        place: n.block.clone(),
        tenant: n.tenant.clone(),
        profile: Some(market::profile(market::load(1_000), READY, "2037-01-01")),
        expire_time: later("2029-01-01"),
        ..Default::default()
    }
}

fn later(day: &str) -> Option<prost_types::Timestamp> {
    Some(runtime::wire::to_timestamp(kernel::Zone::UTC.start_of_day(market::day(day))))
}
