//! Requests about rights of first refusal and offer, and about other tenants in a lease.

use contracts::leasing::v1 as leasing;
use prost::Message as _;

use crate::market::request_id;
use crate::world::{Names, assigned};

pub(super) fn rights(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    let signatory = Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() });
    let note = "we have room enough".to_owned();
    Some(match method {
        "LeaseService/RequestAssignment" => leasing::RequestAssignmentRequest {
            note: "we merge".to_owned(),
            validate_only,
            ..assigned(&n.delivered, "tenants/another-one")
        }
        .encode_to_vec(),
        "LeaseService/ConsentToAssignment" => leasing::ConsentToAssignmentRequest {
            name: n.transferred.clone(),
            signatory,
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/DeclineAssignment" => leasing::DeclineAssignmentRequest {
            name: n.other_transferred.clone(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "RightService/OfferToRightHolders" => {
            leasing::OfferToRightHoldersRequest { name: n.contested.clone(), etag, request_id, validate_only }
                .encode_to_vec()
        }
        "RightService/ExerciseRight" => leasing::ExerciseRightRequest {
            name: n.right_offer.clone(),
            signatory,
            note,
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "RightService/WaiveRight" => leasing::WaiveRightRequest {
            name: n.other_right_offer.clone(),
            signatory,
            note,
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "RightService/GetRightOffer" => {
            leasing::GetRightOfferRequest { name: n.right_offer.clone() }.encode_to_vec()
        }
        "RightService/ListRightOffers" => {
            leasing::ListRightOffersRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}
