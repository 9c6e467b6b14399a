//! Values that are wrong for what is said about an agreed lease.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{date, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

const LONG: usize = 1_001;

fn refused(what: &str, message: Vec<u8>, reason: &'static str) -> Case {
    Case::new(what, message, Code::FailedPrecondition, reason, &[])
}

/// The bad values of a deed in a lease's life.
pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "SatisfyCondition" => satisfy(n),
        "AcceptBlock" => accept(n),
        "GiveNotice" => notice(n),
        "TerminateLease" => terminate(n),
        _ => exercise(n),
    }
}

fn satisfy(n: &Names) -> Vec<Case> {
    let ask = |name: &str, condition: &str, note: &str| {
        leasing::SatisfyConditionRequest {
            name: name.to_owned(),
            condition: condition.to_owned(),
            note: note.to_owned(),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    vec![
        Case::invalid("nothing", ask(&n.conditional, "", &"x".repeat(LONG)), &["condition", "note"]),
        Case::invalid("a condition of nobody", ask(&n.conditional, "permits", ""), &["condition"]),
        Case::invalid("a lease without conditions", ask(&n.active, "financing", ""), &["condition"]),
    ]
}

fn accept(n: &Names) -> Vec<Case> {
    let ask = |change: fn(&mut leasing::AcceptBlockRequest)| {
        let mut request = leasing::AcceptBlockRequest {
            name: n.delivered.clone(),
            block: n.delivered_block.clone(),
            accept_date: Some(date("2027-01-01")),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            request_id: request_id(),
            ..Default::default()
        };
        change(&mut request);
        request
    };
    let named = |name: &str, block: &str| {
        leasing::AcceptBlockRequest { name: name.to_owned(), block: block.to_owned(), ..ask(|_| {}) }
            .encode_to_vec()
    };
    let everything = |request: &mut leasing::AcceptBlockRequest| {
        request.block.clear();
        request.accept_date = NO_DAY;
        request.signatory = None;
    };
    let to_come = |request: &mut leasing::AcceptBlockRequest| request.accept_date = Some(date("2027-02-01"));
    let too_early =
        |request: &mut leasing::AcceptBlockRequest| request.accept_date = Some(date("2026-10-31"));
    vec![
        Case::invalid("everything", ask(everything).encode_to_vec(), &["block", "accept_date", "signatory"]),
        Case::invalid("a day to come", ask(to_come).encode_to_vec(), &["accept_date"]),
        Case::invalid("another hall", named(&n.delivered, &n.block), &["block"]),
        refused("before it was ready", ask(too_early).encode_to_vec(), "NOT_READY_FOR_SERVICE"),
        refused("a hall that has commenced", named(&n.active, &n.block), "INVALID_STATE_TRANSITION"),
        refused("not in force", named(&n.conditional, &n.delivered_block), "INVALID_STATE_TRANSITION"),
    ]
}

fn notice(n: &Names) -> Vec<Case> {
    let ask = |name: &str, kind: leasing::NoticeKind, note: &str| {
        leasing::GiveNoticeRequest {
            name: name.to_owned(),
            kind: kind.into(),
            note: note.to_owned(),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    use leasing::NoticeKind::{CloseOut, Cured, MonetaryDefault, Unspecified};
    vec![
        Case::invalid("nothing", ask(&n.active, Unspecified, " "), &["kind", "note"]),
        Case::invalid("too much", ask(&n.active, Cured, &"x".repeat(LONG)), &["note"]),
        refused("nothing to cure", ask(&n.active, Cured, "paid"), "INVALID_STATE_TRANSITION"),
        refused("not over yet", ask(&n.active, CloseOut, "done"), "INVALID_STATE_TRANSITION"),
        refused("not in force", ask(&n.conditional, MonetaryDefault, "owed"), "INVALID_STATE_TRANSITION"),
    ]
}

fn terminate(n: &Names) -> Vec<Case> {
    use leasing::TerminationGround::{Default as Defaulted, Fee, Unspecified};
    let ask = |name: &str, ground: leasing::TerminationGround, day: &str, reason: &str| {
        leasing::TerminateLeaseRequest {
            name: name.to_owned(),
            ground: ground.into(),
            end_date: Some(date(day)),
            reason: reason.to_owned(),
            request_id: request_id(),
            ..Default::default()
        }
    };
    let nothing =
        leasing::TerminateLeaseRequest { end_date: None, ..ask(&n.defaulted, Unspecified, "2027-01-01", "") };
    let of = |name: &str, ground, day: &str| ask(name, ground, day, "why").encode_to_vec();
    vec![
        Case::invalid("nothing", nothing.encode_to_vec(), &["ground", "end_date", "reason"]),
        Case::invalid("the other side's ground", of(&n.active, Fee, "2028-01-01"), &["ground"]),
        Case::invalid("yesterday", of(&n.defaulted, Defaulted, "2027-01-01"), &["end_date"]),
        Case::invalid("after its end", of(&n.defaulted, Defaulted, "2037-01-01"), &["end_date"]),
        refused("not in default", of(&n.active, Defaulted, "2028-01-01"), "NO_RIGHT_TO_TERMINATE"),
        refused("not agreed", of(&n.proposed, Defaulted, "2028-01-01"), "INVALID_STATE_TRANSITION"),
    ]
}

fn exercise(n: &Names) -> Vec<Case> {
    let ask = |name: &str| leasing::ExerciseOptionRequest {
        name: name.to_owned(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
        request_id: request_id(),
        ..Default::default()
    };
    let nobody = leasing::ExerciseOptionRequest { signatory: None, ..ask(&n.renewable) };
    let option =
        |id: &str| leasing::ExerciseOptionRequest { expansion_option: id.to_owned(), ..ask(&n.active) };
    vec![
        Case::invalid("no option's id", option("No").encode_to_vec(), &["expansion_option"]),
        Case::invalid("an option of nobody", option("north").encode_to_vec(), &["expansion_option"]),
        Case::invalid("nobody", nobody.encode_to_vec(), &["signatory"]),
        refused("no option", ask(&n.active).encode_to_vec(), "NO_OPTION_TO_EXERCISE"),
        refused("not in force", ask(&n.conditional).encode_to_vec(), "INVALID_STATE_TRANSITION"),
    ]
}
