//! Master agreements, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Error, OperatorName, OperatorParent, Violations};
use runtime::wire::{display_name, known, page_size, request_id, to_timestamp};

use super::general_terms;
use super::lease::{REASON_CHARS, party, signatory, signature, terms_hash};
use crate::app::{
    CreateMasterAgreement, EndMasterAgreement, ListMasterAgreements, Page, SignMasterAgreement,
};
use crate::domain::TermsHash;
use crate::domain::agreement::{AgreementState, MasterAgreement};

/// Reads an agreement to be put on the table.
pub(super) fn create(request: &wire::CreateMasterAgreementRequest) -> Result<CreateMasterAgreement, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let said = v.present("master_agreement", request.master_agreement.as_ref()).and_then(|sent| {
        v.nested("master_agreement", |v| {
            let tenant = v.parse("tenant", &sent.tenant, str::parse);
            let title = display_name(v, "display_name", &sent.display_name);
            let general = v
                .present("general_terms", sent.general_terms.as_ref())
                .and_then(|sent| v.nested("general_terms", |v| general_terms::read(v, sent)));
            Some((tenant?, title?, general?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (tenant, title, general) = said?;
        Some(CreateMasterAgreement {
            operator: parent?.operator,
            tenant,
            title,
            general,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads a signature.
pub(super) fn sign(
    request: &wire::SignMasterAgreementRequest,
    peer_address: String,
) -> Result<SignMasterAgreement, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let hash = terms_hash(&mut v, &request.terms_hash);
    let signatory = signatory(&mut v, request.signatory.as_ref());
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(SignMasterAgreement {
            name: name?,
            terms_hash: TermsHash(hash?),
            signatory: signatory?,
            peer_address,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads an end.
pub(super) fn end(request: &wire::EndMasterAgreementRequest) -> Result<EndMasterAgreement, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    v.require("reason", !request.reason.trim().is_empty(), "is required");
    let reason = v.text("reason", &request.reason, REASON_CHARS);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(EndMasterAgreement {
            name: name?,
            reason: reason?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListMasterAgreementsRequest) -> Result<ListMasterAgreements, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page_size = page_size(&mut v, request.page_size);
    let states = v.each_word("states", &request.states, |v, state| known(v, "", *state).and_then(state_of));
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse);
    v.build(|| {
        Some(ListMasterAgreements {
            parent: parent?,
            states: states?,
            tenant,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn state(state: AgreementState) -> wire::MasterAgreementState {
    match state {
        AgreementState::Draft => wire::MasterAgreementState::Draft,
        AgreementState::Signed => wire::MasterAgreementState::Signed,
        AgreementState::Ended => wire::MasterAgreementState::Ended,
    }
}

fn state_of(named: wire::MasterAgreementState) -> Option<AgreementState> {
    AgreementState::ALL.into_iter().find(|known| state(*known) == named)
}

/// Writes an agreement.
pub(super) fn to_wire(agreement: &MasterAgreement) -> wire::MasterAgreement {
    let ending = agreement.ending.as_ref();
    wire::MasterAgreement {
        name: agreement.name.to_string(),
        tenant: agreement.tenant.to_string(),
        display_name: agreement.title.clone(),
        general_terms: Some(general_terms::write(&agreement.general)),
        state: state(agreement.state).into(),
        terms_hash: agreement.terms_hash.0.to_vec(),
        signatures: agreement.signatures().map(|one| signature(&one)).collect(),
        signed_time: agreement.signed_time().map(to_timestamp),
        end_time: ending.map(|ending| to_timestamp(ending.time)),
        ended_by: ending.map_or(wire::Party::Unspecified, |ending| party(ending.party)).into(),
        end_reason: ending.map(|ending| ending.reason.clone()).unwrap_or_default(),
        create_time: Some(to_timestamp(agreement.create_time)),
        update_time: Some(to_timestamp(agreement.update_time)),
        etag: agreement.etag(),
    }
}

/// The reply to a draft.
pub(super) fn created(agreement: &MasterAgreement) -> wire::CreateMasterAgreementResponse {
    wire::CreateMasterAgreementResponse { master_agreement: Some(to_wire(agreement)) }
}

/// The reply to a signature.
pub(super) fn signed(agreement: &MasterAgreement) -> wire::SignMasterAgreementResponse {
    wire::SignMasterAgreementResponse { master_agreement: Some(to_wire(agreement)) }
}

/// The reply to an end.
pub(super) fn ended(agreement: &MasterAgreement) -> wire::EndMasterAgreementResponse {
    wire::EndMasterAgreementResponse { master_agreement: Some(to_wire(agreement)) }
}

/// Writes a page.
pub(super) fn listed(page: Page<MasterAgreement>) -> wire::ListMasterAgreementsResponse {
    wire::ListMasterAgreementsResponse {
        master_agreements: page.items.iter().map(to_wire).collect(),
        next_page_token: page.next,
    }
}
