//! Values that are wrong for an amendment of a lease.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

fn refused(what: &str, message: Vec<u8>, reason: &'static str) -> Case {
    Case::new(what, message, Code::FailedPrecondition, reason, &[])
}

pub(super) fn propose(n: &Names) -> Vec<Case> {
    [other_deals(n), other_terms(n)].concat()
}

fn other_terms(n: &Names) -> Vec<Case> {
    let ask = |change: fn(&mut leasing::ProposeAmendmentRequest, &mut leasing::LeaseTerms)| {
        let mut terms = market::terms_from(&n.delivered_block, market::load(2_000), "2027-06-01");
        let mut request = leasing::ProposeAmendmentRequest {
            name: n.delivered.clone(),
            effective_date: Some(date("2027-06-01")),
            request_id: request_id(),
            validate_only: true,
            ..Default::default()
        };
        change(&mut request, &mut terms);
        request.terms = request.terms.or(Some(terms));
        request.encode_to_vec()
    };
    vec![
        Case::invalid(
            "other conditions",
            ask(|_, terms| {
                terms.conditions.push(leasing::Condition {
                    condition_id: "loan".to_owned(),
                    description: "the loan is signed".to_owned(),
                    outside_date: Some(date("2028-01-01")),
                    satisfied_by: leasing::ConditionParty::Operator.into(),
                    block: String::new(),
                });
            }),
            &["terms.conditions"],
        ),
        Case::invalid(
            "a day that is past",
            ask(|request, _| request.effective_date = Some(date("2026-12-01"))),
            &["effective_date"],
        ),
        Case::invalid(
            "after a block commences",
            ask(|request, _| request.effective_date = Some(date("2027-07-01"))),
            &["effective_date"],
        ),
        Case::invalid(
            "another first day",
            ask(|_, terms| {
                terms.premises[0].commencement_date = Some(date("2027-06-02"));
                terms.premises[0].quantity_steps[0].from_date = Some(date("2027-06-02"));
            }),
            &["terms.premises[0].commencement_date"],
        ),
        Case::new(
            "more than the hall has",
            ask(|_, terms| terms.premises[0].quantity_steps[0].capacity = Some(market::load(90_000))),
            Code::FailedPrecondition,
            "CAPACITY_EXHAUSTED",
            &[],
        ),
    ]
}

fn other_deals(n: &Names) -> Vec<Case> {
    let nothing = leasing::ProposeAmendmentRequest {
        name: n.delivered.clone(),
        effective_date: NO_DAY,
        note: "x".repeat(1_001),
        request_id: request_id(),
        ..Default::default()
    };
    let other = leasing::LeaseTerms {
        currency_code: "EUR".to_owned(),
        ..market::terms_from(&n.block, market::load(1_000), "2027-06-01")
    };
    let another = leasing::ProposeAmendmentRequest {
        name: n.delivered.clone(),
        terms: Some(other),
        effective_date: Some(date("2027-06-02")),
        request_id: request_id(),
        ..Default::default()
    };
    let twice = leasing::ProposeAmendmentRequest {
        name: n.amended.clone(),
        terms: Some(market::terms_from(&n.delivered_block, market::load(2_000), "2027-06-01")),
        ..another.clone()
    };
    let not_agreed = leasing::ProposeAmendmentRequest { name: n.proposed.clone(), ..twice.clone() };
    vec![
        Case::invalid("nothing", nothing.encode_to_vec(), &["effective_date", "note", "terms"]),
        Case::invalid(
            "another block and currency, in the middle of a month",
            another.encode_to_vec(),
            &["effective_date", "terms.currency_code", "terms.premises"],
        ),
        refused("one is proposed", twice.encode_to_vec(), "INVALID_STATE_TRANSITION"),
        refused("not agreed", not_agreed.encode_to_vec(), "INVALID_STATE_TRANSITION"),
    ]
}

pub(super) fn sign_and_withdraw(method: &str, n: &Names) -> Vec<Case> {
    if method == "WithdrawAmendment" {
        let ask = leasing::WithdrawAmendmentRequest {
            name: n.active.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        return vec![refused("nothing is proposed", ask.encode_to_vec(), "INVALID_STATE_TRANSITION")];
    }
    let ask = |name: &str, terms_hash: &[u8]| leasing::SignAmendmentRequest {
        name: name.to_owned(),
        terms_hash: terms_hash.to_vec(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
        request_id: request_id(),
        ..Default::default()
    };
    let nothing = leasing::SignAmendmentRequest { signatory: None, ..ask(&n.amended, &[1]) };
    vec![
        Case::invalid("nothing", nothing.encode_to_vec(), &["terms_hash", "signatory"]),
        refused("another hash", ask(&n.amended, &n.terms_hash).encode_to_vec(), "TERMS_HASH_MISMATCH"),
        refused(
            "nothing is proposed",
            ask(&n.active, &n.terms_hash).encode_to_vec(),
            "INVALID_STATE_TRANSITION",
        ),
    ]
}

pub(super) fn versions(n: &Names) -> Vec<Case> {
    let ask = |version| leasing::GetLeaseRequest { name: n.active.clone(), version }.encode_to_vec();
    vec![
        Case::invalid("no version", ask(-1), &["version"]),
        Case::new("a version that is not", ask(2), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}
