//! Values that are wrong for rights of first refusal and offer.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, request_id};
use integration_tests::world::{Names, refusal_of};
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

/// Rights in the terms of a proposal.
pub(super) fn in_terms(n: &Names) -> Vec<Case> {
    let of = |expansion_rights: Vec<leasing::ExpansionRight>| {
        let good = market::terms(&n.free_block, market::load(1_000));
        let terms = leasing::LeaseTerms { expansion_rights, ..good };
        market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec()
    };
    let nothing = leasing::ExpansionRight { until_date: NO_DAY, ..Default::default() };
    let too_much = leasing::ExpansionRight {
        place: n.tenant.clone(),
        quantity_kw: 100_000_001,
        response_days: 366,
        ..refusal_of(&n.operator)
    };
    let path = "terms.expansion_rights";
    let fields = ["right_id", "kind", "place", "quantity_kw", "response_days", "until_date"];
    let paths: Vec<String> = fields.iter().map(|field| format!("{path}[0].{field}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let foreign = refusal_of("operators/zenith/sites/elsewhere");
    vec![
        Case::invalid("a right of nothing", of(vec![nothing]), &paths),
        Case::invalid("a right of too much", of(vec![too_much]), &paths[2..5]),
        Case::invalid(
            "a right given twice",
            of(vec![refusal_of(&n.operator), refusal_of(&n.site)]),
            &["terms.expansion_rights[1].right_id"],
        ),
        Case::invalid("a right on another's site", of(vec![foreign]), &["terms.expansion_rights[0].place"]),
        Case::invalid("21 rights", of(many(n)), &["terms.expansion_rights"]),
    ]
}

fn many(n: &Names) -> Vec<leasing::ExpansionRight> {
    let one = |i| leasing::ExpansionRight { right_id: format!("right-{i}"), ..refusal_of(&n.operator) };
    (0..21).map(one).collect()
}

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    let waive = leasing::WaiveRightRequest {
        name: n.right_offer.clone(),
        note: "x".repeat(1_001),
        request_id: request_id(),
        ..Default::default()
    };
    match method {
        "OfferToRightHolders" => vec![Case::new(
            "a lease in force",
            leasing::OfferToRightHoldersRequest {
                name: n.active.clone(),
                request_id: request_id(),
                ..Default::default()
            }
            .encode_to_vec(),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
            &[],
        )],
        // The two requests are of one form.
        "ExerciseRight" | "WaiveRight" => {
            vec![Case::invalid("nobody, at length", waive.encode_to_vec(), &["signatory", "note"])]
        }
        _ => vec![Case::invalid(
            "a state of nothing",
            leasing::ListRightOffersRequest {
                parent: n.operator.clone(),
                states: vec![0, 99],
                ..Default::default()
            }
            .encode_to_vec(),
            &["states[0]", "states[1]"],
        )],
    }
}
