//! Values that are wrong for rights of first refusal and offer, and for other tenants in a lease.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, request_id};
use integration_tests::world::{Names, assigned, refusal_of};
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

pub(super) fn assignments(method: &str, n: &Names) -> Vec<Case> {
    let refused = |what: &str, message: Vec<u8>| {
        Case::new(what, message, Code::FailedPrecondition, "INVALID_STATE_TRANSITION", &[])
    };
    let wish = |name: &str| assigned(name, "tenants/another-one");
    let (delivered, request_id) = (n.delivered.as_str(), request_id());
    let signatory = Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() });
    let name = n.active.clone();
    match method {
        "RequestAssignment" => {
            let on = |day| leasing::RequestAssignmentRequest { effective_date: Some(day), ..wish(delivered) };
            let nothing =
                leasing::RequestAssignmentRequest { name: name.clone(), request_id, ..Default::default() };
            let fields = ["kind", "assignee", "effective_date", "reference"];
            vec![
                Case::invalid("nothing", nothing.encode_to_vec(), &fields),
                Case::invalid("itself", assigned(delivered, &n.tenant).encode_to_vec(), &["assignee"]),
                Case::invalid(
                    "within a month",
                    on(market::date("2028-01-02")).encode_to_vec(),
                    &["effective_date"],
                ),
                Case::invalid(
                    "too late",
                    on(market::date("2058-01-01")).encode_to_vec(),
                    &["effective_date"],
                ),
                refused("asked for already", wish(&n.transferred).encode_to_vec()),
                refused("not agreed", wish(&n.proposed).encode_to_vec()),
            ]
        }
        "ConsentToAssignment" => {
            let ask = |name: &str, signatory| leasing::ConsentToAssignmentRequest {
                name: name.to_owned(),
                signatory,
                request_id: request_id.clone(),
                ..Default::default()
            };
            vec![
                Case::invalid("nobody", ask(&n.transferred, None).encode_to_vec(), &["signatory"]),
                refused("nothing to consent to", ask(&name, signatory).encode_to_vec()),
            ]
        }
        _ => {
            let ask = leasing::DeclineAssignmentRequest { name, request_id, ..Default::default() };
            vec![refused("nothing to decline", ask.encode_to_vec())]
        }
    }
}
