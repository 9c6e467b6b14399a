//! Values that are wrong in their own way: amendments, splits, merges, encumbrances and the waitlist.

use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, request_id};
use integration_tests::requests::amendments::{claim, encumbrance, waitlist_entry};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::Timestamp;
use tonic::Code;

use crate::bad_input::Case;
use crate::bad_values::range;

/// The bad values of an RPC.
pub(crate) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "AmendReservation" => amend(n),
        "SplitReservation" => split(n),
        "MergeReservations" => merge(n),
        "PlaceEncumbrance" => place(n),
        "JoinWaitlist" => join(n),
        _ => Vec::new(),
    }
}

fn over(block: &str, from: &str, until: &str) -> inventory::Claim {
    let profile = Some(market::profile(market::load(1_000), from, until));
    inventory::Claim { block: block.to_owned(), profile }
}

fn amend(n: &Names) -> Vec<Case> {
    let ask = |claims| {
        inventory::AmendReservationRequest {
            name: n.reservation.clone(),
            claims,
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
            tenant: String::new(),
        }
        .encode_to_vec()
    };
    let warm = CapacityVector { air_cooling_kw: 0, ..market::load(1_000) };
    let warm = market::profile(warm, market::READY, "2037-01-01");
    let warm = inventory::Claim { profile: Some(warm), ..claim(&n.free_block, 1) };
    let foreign = n.free_block.replace(&n.operator, "operators/zenith");
    let absent = format!("{}/blocks/no-such-hall", n.site);
    vec![
        Case::invalid("no claims", ask(Vec::new()), &["claims"]),
        Case::invalid("a block twice", ask(vec![claim(&n.free_block, 1_000); 2]), &["claims"]),
        Case::invalid("a foreign block", ask(vec![claim(&foreign, 1_000)]), &["claims[0].block"]),
        Case::invalid("heat that nothing carries", ask(vec![warm]), &["claims[0].profile.steps[0].capacity"]),
        Case::new(
            "an absent block",
            ask(vec![claim(&absent, 1_000)]),
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            &[],
        ),
        range("51 years", ask(vec![over(&n.free_block, "2027-01-01", "2078-01-01")]), "claims[0].profile"),
        Case::new(
            "a full hall",
            ask(vec![claim(&n.block, 1_000)]),
            Code::FailedPrecondition,
            "CAPACITY_EXHAUSTED",
            &[],
        ),
    ]
}

fn split(n: &Names) -> Vec<Case> {
    let part = |claims| inventory::ReservationPart { claims, note: String::new() };
    let ask = |parts| {
        inventory::SplitReservationRequest {
            name: n.reservation.clone(),
            parts,
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let of = |kw: i64| part(vec![claim(&n.free_block, kw)]);
    let long = inventory::ReservationPart { note: "x".repeat(1_001), ..part(Vec::new()) };
    vec![
        Case::invalid("one part", ask(vec![of(1_000)]), &["parts"]),
        Case::invalid("21 parts", ask(vec![of(1_000); 21]), &["parts"]),
        Case::invalid("a part of nothing", ask(vec![of(1_000), long]), &["parts[1].claims", "parts[1].note"]),
        Case::invalid("too little", ask(vec![of(400), of(599)]), &["parts"]),
        Case::invalid("too much", ask(vec![of(400), of(601)]), &["parts"]),
        Case::invalid("elsewhere", ask(vec![of(400), part(vec![claim(&n.block, 600)])]), &["parts"]),
    ]
}

fn merge(n: &Names) -> Vec<Case> {
    let ask = |others: &[&str]| {
        inventory::MergeReservationsRequest {
            name: n.reservation.clone(),
            others: others.iter().map(ToString::to_string).collect(),
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let foreign = n.other_reservation.replace(&n.operator, "operators/zenith");
    let absent = format!("{}/reservations/{}", n.operator, request_id());
    vec![
        Case::invalid("no others", ask(&[]), &["others"]),
        Case::invalid("no names", ask(&["", "hold"]), &["others[0]", "others[1]"]),
        Case::invalid("a foreign one", ask(&[&foreign]), &["others[0]"]),
        Case::invalid("itself", ask(&[&n.reservation]), &["others"]),
        Case::invalid("one twice", ask(&[&n.other_reservation, &n.other_reservation]), &["others"]),
        Case::new("an absent one", ask(&[&absent]), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}

fn place(n: &Names) -> Vec<Case> {
    let ask = |encumbrance| {
        inventory::PlaceEncumbranceRequest {
            parent: n.operator.clone(),
            encumbrance,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let good = || encumbrance(n);
    let all_wrong = inventory::Encumbrance {
        place: n.tenant.clone(),
        kind: 99,
        tenant: n.operator.clone(),
        quantity_kw: -1,
        valid_until_time: None,
        response_days: 366,
        note: "x".repeat(1_001),
        ..Default::default()
    };
    let foreign = inventory::Encumbrance { place: "operators/zenith".to_owned(), ..good() };
    let none = inventory::Encumbrance { quantity_kw: 0, ..good() };
    let past = Some(Timestamp { seconds: 1_700_000_000, nanos: 0 });
    let past = inventory::Encumbrance { valid_until_time: past, ..good() };
    vec![
        Case::invalid("none", ask(None), &["encumbrance"]),
        Case::invalid(
            "everything",
            ask(Some(all_wrong)),
            &[
                "encumbrance.place",
                "encumbrance.kind",
                "encumbrance.tenant",
                "encumbrance.quantity_kw",
                "encumbrance.valid_until_time",
                "encumbrance.response_days",
                "encumbrance.note",
            ],
        ),
        Case::invalid("on another's", ask(Some(foreign)), &["encumbrance.place"]),
        Case::invalid("on nothing", ask(Some(none)), &["encumbrance.quantity_kw"]),
        range("ended already", ask(Some(past)), "encumbrance.valid_until_time"),
    ]
}

fn join(n: &Names) -> Vec<Case> {
    let ask = |waitlist_entry| {
        inventory::JoinWaitlistRequest {
            parent: n.operator.clone(),
            waitlist_entry,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let good = || waitlist_entry(n);
    let all_wrong = inventory::WaitlistEntry {
        place: n.operator.clone(),
        tenant: n.site.clone(),
        note: "x".repeat(1_001),
        ..Default::default()
    };
    let nobody = inventory::WaitlistEntry { tenant: String::new(), ..good() };
    let long = Some(market::profile(market::load(1_000), "2027-01-01", "2078-01-01"));
    let long = inventory::WaitlistEntry { profile: long, ..good() };
    let ages = Some(Timestamp { seconds: 2_000_000_000, nanos: 0 });
    let ages = inventory::WaitlistEntry { expire_time: ages, ..good() };
    vec![
        Case::invalid("none", ask(None), &["waitlist_entry"]),
        Case::invalid(
            "everything",
            ask(Some(all_wrong)),
            &[
                "waitlist_entry.place",
                "waitlist_entry.tenant",
                "waitlist_entry.profile",
                "waitlist_entry.expire_time",
                "waitlist_entry.note",
            ],
        ),
        Case::invalid("nobody", ask(Some(nobody)), &["waitlist_entry.tenant"]),
        range("51 years", ask(Some(long)), "waitlist_entry.profile"),
        range("waiting for ages", ask(Some(ages)), "waitlist_entry.expire_time"),
    ]
}
