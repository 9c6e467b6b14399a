//! Bad holds.

use contracts::common::v1::{CapacityProfile, CapacityStep, CapacityVector};
use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::{Duration, Timestamp};
use tonic::Code;

use super::range;
use crate::bad_input::Case;

const HOUR: Option<Duration> = Some(Duration { seconds: 3600, nanos: 0 });

fn step(seconds: i64, capacity: CapacityVector) -> CapacityStep {
    CapacityStep { start_time: Some(Timestamp { seconds, nanos: 0 }), capacity: Some(capacity) }
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn place_hold(n: &Names) -> Vec<Case> {
    let (start, end) = (1_800_000_000, Some(Timestamp { seconds: 1_900_000_000, nanos: 0 }));
    let claim = |block: &str, steps: Vec<CapacityStep>, end_time| inventory::Claim {
        block: block.to_owned(),
        profile: Some(CapacityProfile { steps, end_time }),
    };
    let good = || market::hold(&n.operator, &n.free_block, &n.tenant, market::load(1_000));
    let of = |claims: Vec<inventory::Claim>| inventory::PlaceHoldRequest { claims, ..good() }.encode_to_vec();
    let one = |steps: Vec<CapacityStep>| of(vec![claim(&n.free_block, steps, end)]);
    let load = market::load(1_000);
    let warm = CapacityVector { air_cooling_kw: 0, ..load };
    let negative = CapacityVector { critical_it_kw: -5, air_cooling_kw: i64::MIN, ..load };
    let absurd = CapacityVector { liquid_cooling_kw: i64::MAX, ..load };
    let foreign = n.free_block.replace(&n.operator, "operators/zenith");
    let all_wrong = inventory::PlaceHoldRequest {
        parent: "acme".to_owned(),
        tenant: "lab".to_owned(),
        kind: 0,
        claims: vec![claim("hall", Vec::new(), None)],
        hold_duration: Some(Duration { seconds: -1, nanos: 0 }),
        note: "x".repeat(1_001),
        request_id: "again".to_owned(),
        validate_only: false,
    };
    let held_for = |seconds| {
        let hold_duration = Some(Duration { seconds, nanos: 0 });
        inventory::PlaceHoldRequest { hold_duration, ..good() }.encode_to_vec()
    };
    let own_use =
        inventory::PlaceHoldRequest { kind: inventory::ReservationKind::OperatorUse.into(), ..good() };
    let over = |from: &str, until: &str| {
        let profile = Some(market::profile(load, from, until));
        of(vec![inventory::Claim { block: n.free_block.clone(), profile }])
    };
    let (long, late) = (over("2027-01-01", "2078-01-01"), over("2038-02-01", "2039-01-01"));
    let full = market::hold(&n.operator, &n.block, &n.tenant, load).encode_to_vec();
    let profile = "claims[0].profile";
    vec![
        Case::invalid(
            "everything",
            all_wrong.encode_to_vec(),
            &[
                "parent",
                "tenant",
                "kind",
                "claims[0].block",
                "claims[0].profile.steps",
                "hold_duration",
                "note",
                "request_id",
            ],
        ),
        Case::invalid("no claims", of(Vec::new()), &["claims"]),
        Case::invalid(
            "51 claims",
            of(vec![claim(&n.free_block, vec![step(start, load)], end); 51]),
            &["claims"],
        ),
        Case::invalid(
            "a block twice",
            of(vec![claim(&n.free_block, vec![step(start, load)], end); 2]),
            &["claims"],
        ),
        Case::invalid(
            "a foreign block",
            of(vec![claim(&foreign, vec![step(start, load)], end)]),
            &["claims[0].block"],
        ),
        Case::invalid(
            "no profile",
            of(vec![inventory::Claim { block: n.free_block.clone(), profile: None }]),
            &[profile],
        ),
        Case::invalid(
            "an end before the start",
            one(vec![step(1_950_000_000, load)]),
            &["claims[0].profile.end_time"],
        ),
        Case::invalid(
            "falling steps",
            one(vec![step(start, load), step(start, load)]),
            &["claims[0].profile.steps"],
        ),
        Case::invalid(
            "negative",
            one(vec![step(start, negative)]),
            &[
                "claims[0].profile.steps[0].capacity.critical_it_kw",
                "claims[0].profile.steps[0].capacity.air_cooling_kw",
            ],
        ),
        Case::invalid(
            "absurd",
            one(vec![step(start, absurd)]),
            &["claims[0].profile.steps[0].capacity.liquid_cooling_kw"],
        ),
        Case::invalid(
            "heat that nothing carries",
            one(vec![step(start, warm)]),
            &["claims[0].profile.steps[0].capacity"],
        ),
        Case::invalid(
            "nothing claimed",
            one(vec![step(start, CapacityVector::default())]),
            &["claims[0].profile.steps[0].capacity"],
        ),
        Case::invalid("held for 59 seconds", held_for(59), &["hold_duration"]),
        Case::invalid("held for 61 days", held_for(61 * 86_400), &["hold_duration"]),
        Case::invalid("own use for a tenant", own_use.encode_to_vec(), &["tenant"]),
        range("51 years", long, profile),
        range("a start in eleven years", late, profile),
        Case::new("a full hall", full, Code::FailedPrecondition, "CAPACITY_EXHAUSTED", &[]),
    ]
}

pub(super) fn extend_hold(n: &Names) -> Vec<Case> {
    let ask = |hold_expire_time, minimum_duration| {
        inventory::ExtendHoldRequest {
            name: n.reservation.clone(),
            hold_expire_time,
            minimum_duration,
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let long_ago = Some(Timestamp { seconds: 1_600_000_000, nanos: 0 });
    let in_ages = Some(Timestamp { seconds: 4_000_000_000, nanos: 0 });
    vec![
        Case::invalid("no end", ask(None, None), &["hold_expire_time"]),
        Case::invalid("two ends", ask(in_ages, HOUR), &["hold_expire_time"]),
        Case::invalid("an end in the past", ask(long_ago, None), &["hold_expire_time"]),
        range("an end too far", ask(in_ages, None), "hold_expire_time"),
        Case::invalid(
            "61 days",
            ask(None, Some(Duration { seconds: 61 * 86_400, nanos: 0 })),
            &["minimum_duration"],
        ),
        Case::invalid("nanos", ask(None, Some(Duration { seconds: 3600, nanos: -1 })), &["minimum_duration"]),
    ]
}
