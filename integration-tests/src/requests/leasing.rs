//! Requests about tenants and leases.

use contracts::common::v1 as common;
use contracts::leasing::v1 as leasing;
use prost::Message as _;

use crate::market::{self, request_id};
use crate::world::{Names, holds_over};

pub(super) fn leases(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id) = (String::new(), request_id());
    Some(match method {
        "TenantService/CreateTenant" => leasing::CreateTenantRequest {
            tenant_id: "another".to_owned(),
            tenant: Some(leasing::Tenant { display_name: "Another".to_owned(), ..Default::default() }),
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "TenantService/GetTenant" => leasing::GetTenantRequest { name: n.tenant.clone() }.encode_to_vec(),
        "TenantService/ListTenants" => leasing::ListTenantsRequest::default().encode_to_vec(),
        "LeaseService/ProposeLease" => leasing::ProposeLeaseRequest {
            validate_only: true,
            ..market::proposal(
                &n.operator,
                &n.tenant,
                "another",
                market::terms(&n.free_block, market::load(1_000)),
            )
        }
        .encode_to_vec(),
        "LeaseService/ImportLease" => leasing::ImportLeaseRequest {
            validate_only: true,
            ..market::running(
                &n.operator,
                &n.tenant,
                "running",
                market::terms_from(&n.free_block, market::load(500), "2024-02-01"),
                "2027-02-01",
            )
        }
        .encode_to_vec(),
        "LeaseService/SignLease" => leasing::SignLeaseRequest {
            name: n.proposed.clone(),
            terms_hash: n.terms_hash.clone(),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "LeaseService/CancelLease" => leasing::CancelLeaseRequest {
            name: n.proposed.clone(),
            reason: "changed our minds".to_owned(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "LeaseService/GetLease" => {
            leasing::GetLeaseRequest { name: n.active.clone(), version: 1 }.encode_to_vec()
        }
        "LeaseService/ListLeases" => {
            leasing::ListLeasesRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "LeaseService/GetRentSchedule" => {
            leasing::GetRentScheduleRequest { name: n.active.clone() }.encode_to_vec()
        }
        _ => return life(method, n),
    })
}

/// About leases that are agreed.
fn life(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    Some(match method {
        "LeaseService/SatisfyCondition" => leasing::SatisfyConditionRequest {
            name: n.conditional.clone(),
            condition: "financing".to_owned(),
            note: "the loan is signed".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/AcceptBlock" => leasing::AcceptBlockRequest {
            name: n.delivered.clone(),
            block: n.delivered_block.clone(),
            accept_date: Some(market::date("2027-01-01")),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/GiveNotice" => leasing::GiveNoticeRequest {
            name: n.active.clone(),
            kind: leasing::NoticeKind::MonetaryDefault.into(),
            note: "the rent of January is owed".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/TerminateLease" => leasing::TerminateLeaseRequest {
            name: n.defaulted.clone(),
            ground: leasing::TerminationGround::Default.into(),
            end_date: Some(market::date("2027-03-01")),
            reason: "nothing was paid".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        _ => return later(method, n),
    })
}

/// About what may become of them, and what has.
fn later(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    Some(match method {
        "LeaseService/ExerciseOption" => leasing::ExerciseOptionRequest {
            name: n.renewable.clone(),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            etag,
            request_id,
            validate_only,
            expansion_option: String::new(),
        }
        .encode_to_vec(),
        "LeaseService/NominatePremises" => leasing::NominatePremisesRequest {
            validate_only,
            ..market::nominated(&n.unplaced, "later", &[(&n.free_block, 500)])
        }
        .encode_to_vec(),
        "LeaseService/BeginHoldover" => leasing::BeginHoldoverRequest {
            validate_only,
            ..holds_over(&n.active, "2037-03-01", "they are not done")
        }
        .encode_to_vec(),
        "LeaseService/EndHoldover" => leasing::EndHoldoverRequest {
            name: n.lingering.clone(),
            end_date: Some(market::date("2036-12-15")),
            note: "the keys are back".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/GetCreditCover" => leasing::GetCreditCoverRequest {
            name: n.active.clone(),
            as_of_date: Some(market::date("2028-01-01")),
        }
        .encode_to_vec(),
        "LeaseService/GetHistory" => {
            leasing::GetHistoryRequest { name: n.active.clone(), ..Default::default() }.encode_to_vec()
        }
        "LeaseService/RenderLease" => leasing::RenderLeaseRequest {
            name: n.active.clone(),
            format: common::DocumentFormat::Html.into(),
        }
        .encode_to_vec(),
        "EventService/WatchEvents" => {
            leasing::WatchEventsRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        _ => return amendment(method, n),
    })
}

/// About other terms.
fn amendment(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    Some(match method {
        "LeaseService/ProposeAmendment" => leasing::ProposeAmendmentRequest {
            name: n.delivered.clone(),
            terms: Some(leasing::LeaseTerms {
                payment_terms_days: 60,
                ..market::terms_from(&n.delivered_block, market::load(1_000), "2027-06-01")
            }),
            effective_date: Some(market::date("2027-06-01")),
            note: "they pay late".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/SignAmendment" => leasing::SignAmendmentRequest {
            name: n.amended.clone(),
            terms_hash: n.amendment_hash.clone(),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/WithdrawAmendment" => {
            leasing::WithdrawAmendmentRequest { name: n.amended.clone(), etag, request_id, validate_only }
                .encode_to_vec()
        }
        _ => return None,
    })
}
