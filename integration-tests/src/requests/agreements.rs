//! Requests about master agreements.

use contracts::leasing::v1 as leasing;
use prost::Message as _;

use crate::market::request_id;
use crate::world::{Names, drafted, general_terms};

pub(super) fn agreements(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    Some(match method {
        "AgreementService/CreateMasterAgreement" => leasing::CreateMasterAgreementRequest {
            validate_only,
            ..drafted(&n.operator, &n.tenant, general_terms())
        }
        .encode_to_vec(),
        "AgreementService/SignMasterAgreement" => leasing::SignMasterAgreementRequest {
            name: n.draft_agreement.clone(),
            terms_hash: n.agreement_hash.clone(),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "AgreementService/EndMasterAgreement" => leasing::EndMasterAgreementRequest {
            name: n.master_agreement.clone(),
            reason: "we part".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "AgreementService/GetMasterAgreement" => {
            leasing::GetMasterAgreementRequest { name: n.master_agreement.clone() }.encode_to_vec()
        }
        "AgreementService/ListMasterAgreements" => {
            leasing::ListMasterAgreementsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}
