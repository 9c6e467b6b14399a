use std::fmt::Write as _;
use std::time::Duration;

use kernel::{Error, Reason, Violation};
use postgres::Answer;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{DOMAIN, REPLAYED, code, peer_error, reply, status};
use crate::testing::{golden, reason};

#[test]
fn the_table_of_reasons_and_codes_is_pinned() {
    let mut table = String::from("| reason | code | details |\n|---|---|---|\n");
    for &of in Reason::ALL {
        let error = Error::refused(of, "No.").with_violations(match code(of) {
            Code::InvalidArgument => vec![Violation::new("field", "is wrong")],
            _ => Vec::new(),
        });
        let status = status(error);
        let details = status.get_error_details();
        let mut kinds = vec![format!("ErrorInfo {}", details.error_info().unwrap().reason)];
        kinds.extend(details.bad_request().map(|_| "BadRequest".to_owned()));
        kinds.extend(details.precondition_failure().map(|_| "PreconditionFailure".to_owned()));
        kinds.extend(details.quota_failure().map(|_| "QuotaFailure".to_owned()));
        kinds.extend(details.resource_info().map(|_| "ResourceInfo".to_owned()));
        let delay = details.retry_info().and_then(|info| info.retry_delay);
        kinds.extend(delay.map(|delay| format!("RetryInfo {} ms", delay.as_millis())));
        assert_eq!(details.error_info().unwrap().domain, DOMAIN);
        writeln!(table, "| {of} | {:?} | {} |", status.code(), kinds.join(", ")).unwrap();
    }
    golden("src/status/reasons.golden.md", &table);
}

#[test]
fn reasons_are_those_of_the_wire() {
    use contracts::common::v1::ErrorReason;
    // Numbers may be left out: they are given to parts that are built side by side.
    let wire: Vec<String> = (1..1_000)
        .filter_map(|number| ErrorReason::try_from(number).ok())
        .map(|reason| reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned())
        .collect();
    let ours: Vec<String> = Reason::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(wire, ours);
}

#[test]
fn a_fault_of_ours_shows_nothing_but_an_id() {
    let status = status(Error::internal("relation \"secret\" does not exist").with("table", "secret"));
    assert_eq!((status.code(), status.message()), (Code::Internal, kernel::error::INTERNAL_MESSAGE));
    let details = status.get_error_details();
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["error_id"]);
    assert!(!format!("{status:?}").contains("secret"));
}

#[test]
fn all_violations_are_told_and_some_fields_have_their_own_reason() {
    let many = (0..60).map(|n| Violation::new(format!("f[{n}]"), "is wrong")).collect();
    let status_of = |violations| status(Error::invalid(violations));
    assert_eq!(status_of(many).get_error_details().bad_request().unwrap().field_violations.len(), 50);
    for (field, expected) in [
        ("request_id", "INVALID_REQUEST_ID"),
        ("page_size", "INVALID_PAGE_SIZE"),
        ("page_token", "INVALID_PAGE_TOKEN"),
        ("update_mask", "INVALID_FIELD_MASK"),
        ("name", "INVALID_FIELD"),
    ] {
        assert_eq!(reason(&status_of(vec![Violation::new(field, "is wrong")])), expected);
    }
    let both = vec![Violation::new("request_id", "is wrong"), Violation::new("name", "is wrong")];
    assert_eq!(reason(&status_of(both)), "INVALID_FIELD");
}

#[test]
fn what_is_absent_and_what_is_anothers_look_the_same() {
    let a = status(Error::not_found("lease"));
    let b = status(Error::not_found("lease").with_source("it is another's"));
    assert_eq!((a.code(), a.message(), a.details()), (b.code(), b.message(), b.details()));
}

#[test]
fn a_peers_refusal_is_passed_on_as_it_is() {
    let refusal = Error::refused(Reason::CapacityExhausted, "The hall is full.")
        .with("block", "operators/a/sites/b/blocks/c")
        .with("shortKw", 1_000);
    let passed = peer_error("inventory", status(refusal));
    assert_eq!(passed.reason(), Reason::CapacityExhausted);
    assert_eq!(passed.message(), "The hall is full.");
    assert_eq!(passed.get("shortKw"), Some("1000"));
    let again = status(passed);
    assert_eq!(again.get_error_details().error_info().unwrap().metadata["shortKw"], "1000");

    let invalid = Error::invalid(vec![Violation::new("a", "is wrong"), Violation::new("b", "is wrong")]);
    let passed = peer_error("inventory", status(invalid));
    assert_eq!(passed.violations().len(), 2);
    let conflict = Error::transaction_conflict();
    let passed = peer_error("inventory", status(conflict));
    assert_eq!(passed.retry_after(), Some(Duration::from_millis(100)));
}

#[test]
fn a_peers_failure_is_not_our_callers_fault() {
    for (of, expected) in [
        (Reason::Internal, Reason::PeerUnavailable),
        (Reason::Unauthenticated, Reason::PeerUnavailable),
        (Reason::MalformedMessage, Reason::PeerUnavailable),
        (Reason::Unimplemented, Reason::PeerUnavailable),
        (Reason::StoreUnavailable, Reason::PeerUnavailable),
        (Reason::ServerDraining, Reason::PeerUnavailable),
        (Reason::DeadlineExceeded, Reason::DeadlineExceeded),
        (Reason::OutcomeUnknown, Reason::OutcomeUnknown),
        (Reason::ResourceNotFound, Reason::ResourceNotFound),
        (Reason::RoleNotAllowed, Reason::RoleNotAllowed),
        (Reason::Overloaded, Reason::Overloaded),
    ] {
        assert_eq!(peer_error("inventory", status(Error::refused(of, "No."))).reason(), expected, "{of}");
    }
    let foreign = Status::not_found("a proxy's own words");
    assert_eq!(peer_error("inventory", foreign).reason(), Reason::PeerUnavailable);
    let late = Status::deadline_exceeded("");
    assert_eq!(peer_error("inventory", late).reason(), Reason::DeadlineExceeded);
}

#[test]
fn a_replay_is_the_first_answer_and_says_so() {
    use contracts::inventory::v1::GetSiteRequest;
    let wire = |name: &&str| GetSiteRequest { name: (*name).to_owned(), ..Default::default() };
    let fresh = reply(Answer::Fresh("a"), wire).unwrap();
    assert!(fresh.metadata().get(REPLAYED).is_none());
    let bytes = prost::Message::encode_to_vec(fresh.get_ref());
    let replayed = reply(Answer::<&str>::Replayed(bytes), wire).unwrap();
    assert_eq!(replayed.metadata().get(REPLAYED).unwrap(), "true");
    assert_eq!(replayed.get_ref(), fresh.get_ref());
    let broken = reply(Answer::<&str>::Replayed(vec![0xff]), wire).unwrap_err();
    assert_eq!(broken.code(), Code::Internal);
}
