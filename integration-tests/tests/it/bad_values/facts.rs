//! Bad changes of operators, archiving what is in use, and bad instants to read as of.

use contracts::inventory::v1 as inventory;
use integration_tests::market::request_id;
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::{FieldMask, Timestamp};
use tonic::Code;

use crate::bad_input::Case;

pub(super) fn update_operator(n: &Names) -> Vec<Case> {
    let operator = inventory::Operator {
        name: n.operator.clone(),
        etag: n.operator_etag.clone(),
        display_name: " ".to_owned(),
        aliases: vec![String::new()],
        ..Default::default()
    };
    let ask = |operator: Option<inventory::Operator>| {
        inventory::UpdateOperatorRequest {
            operator,
            update_mask: Some(FieldMask { paths: vec!["display_name".to_owned(), "aliases".to_owned()] }),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let many = inventory::Operator { aliases: vec!["x".to_owned(); 21], ..operator.clone() };
    vec![
        Case::invalid("no operator", ask(None), &["operator"]),
        Case::invalid("everything", ask(Some(operator)), &["operator.display_name", "operator.aliases[0]"]),
        Case::invalid("too many aliases", ask(Some(many)), &["operator.display_name", "operator.aliases"]),
    ]
}

pub(super) fn archive(method: &str, n: &Names) -> Vec<Case> {
    let (etag, request_id) = (String::new(), request_id());
    let message = match method {
        "ArchiveSite" => {
            inventory::ArchiveSiteRequest { name: n.site.clone(), etag, request_id, validate_only: false }
                .encode_to_vec()
        }
        _ => inventory::ArchiveBlockRequest { name: n.block.clone(), etag, request_id, validate_only: false }
            .encode_to_vec(),
    };
    vec![Case::new("what is in use", message, Code::FailedPrecondition, "RESOURCE_IN_USE", &[])]
}

pub(super) fn read_time(method: &str, n: &Names) -> Vec<Case> {
    let message = |read_time: Timestamp| {
        let read_time = Some(read_time);
        match method {
            "GetOperator" => {
                inventory::GetOperatorRequest { name: n.operator.clone(), read_time }.encode_to_vec()
            }
            "GetSite" => inventory::GetSiteRequest { name: n.site.clone(), read_time }.encode_to_vec(),
            "GetBlock" => inventory::GetBlockRequest { name: n.block.clone(), read_time }.encode_to_vec(),
            _ => inventory::GetReservationRequest { name: n.reservation.clone(), read_time }.encode_to_vec(),
        }
    };
    vec![
        Case::invalid(
            "nanos to read as of",
            message(Timestamp { seconds: 1_900_000_000, nanos: -1 }),
            &["read_time"],
        ),
        Case::invalid(
            "no year to read as of",
            message(Timestamp { seconds: i64::MAX, nanos: 0 }),
            &["read_time"],
        ),
    ]
}
