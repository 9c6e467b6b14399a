//! Bad values of the audit trail's requests.

use contracts::common::v1::{AuditHead, ListAuditEntriesRequest, VerifyAuditRequest};
use integration_tests::requests;
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::Timestamp;

use super::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    if method == "VerifyAudit" { verify(n) } else { list(n) }
}

fn list(n: &Names) -> Vec<Case> {
    let case = |what: &str, change: &dyn Fn(&mut ListAuditEntriesRequest), fields: &[&str]| {
        let mut request = requests::list_audit_entries(n);
        change(&mut request);
        Case::invalid(what, request.encode_to_vec(), fields)
    };
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    vec![
        case("a service's", &|r| r.parent = "services/leasing".to_owned(), &["parent"]),
        case("no year", &|r| r.since_time = at(i64::MAX), &["since_time"]),
        case(
            "backwards",
            &|r| (r.since_time, r.until_time) = (at(1_900_000_000), at(1_900_000_000)),
            &["until_time"],
        ),
        case("a long subject", &|r| r.subject = "s".repeat(256), &["subject"]),
        case("no organisation", &|r| r.organisation = "north".to_owned(), &["organisation"]),
        case("a long RPC", &|r| r.rpc = "r".repeat(256), &["rpc"]),
        case("a long target", &|r| r.target = "t".repeat(1_001), &["target"]),
        case("a line", &|r| r.target = "a\nb".to_owned(), &["target"]),
        case("no UUID", &|r| r.of_request_id = "7".to_owned(), &["of_request_id"]),
        case("outcomes of nobody's", &|r| r.outcomes = vec![0, 99], &["outcomes[0]", "outcomes[1]"]),
    ]
}

fn verify(n: &Names) -> Vec<Case> {
    let case = |what: &str, change: &dyn Fn(&mut VerifyAuditRequest), fields: &[&str]| {
        let mut request = requests::verify_audit(n);
        change(&mut request);
        Case::invalid(what, request.encode_to_vec(), fields)
    };
    let head = |number, hash: &str| AuditHead { number, hash: hash.to_owned(), chain_time: None };
    vec![
        case("a negative number", &|r| r.after = Some(head(-1, &"a".repeat(64))), &["after.number"]),
        case("no hash", &|r| r.after = Some(head(1, "")), &["after.hash"]),
        case("not hexadecimal", &|r| r.heads = vec![head(1, &"x".repeat(64))], &["heads[0].hash"]),
        case("too many", &|r| r.heads = vec![head(1, &"a".repeat(64)); 101], &["heads"]),
    ]
}
