//! Contracts that were signed on paper, there and back.

use contracts::leasing::v1 as wire;
use kernel::{CivilDate, Error, OperatorName};
use runtime::wire::{date, optional_date, request_id, to_date, to_timestamp};

use super::lease::{signatory, slug, to_wire as lease_to_wire, unsaid};
use super::terms;
use crate::app::{ImportLease, Paper, View};
use crate::domain::Findings;
use crate::domain::cut_over::Import;

const REFERENCE_CHARS: usize = 200;

/// Reads a contract; every field and every rule at once. What its zones do not allow comes after.
pub(super) fn import(request: &wire::ImportLeaseRequest, today: CivilDate) -> Result<ImportLease, Error> {
    let mut findings = Findings::new();
    let v = &mut findings.invalid;
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let lease = v.parse_optional("lease_id", &request.lease_id, slug);
    let tenant = v.parse("tenant", &request.tenant, str::parse);
    v.require("reference", !request.reference.trim().is_empty(), "is required");
    let reference = v.text("reference", &request.reference, REFERENCE_CHARS);
    let signed = date(v, "signed_date", request.signed_date.as_ref());
    let effective = optional_date(v, "effective_date", request.effective_date.as_ref());
    let billed_from = date(v, "billed_from_date", request.billed_from_date.as_ref());
    let signatory = signatory(v, request.signatory.as_ref());
    let request_id = request_id(v, &request.request_id);
    let terms = terms::checked(request.terms.as_ref(), parent.as_ref(), today, &mut findings);
    findings.finish()?;
    let command = || {
        Some(ImportLease {
            operator: parent?.operator,
            lease,
            tenant: tenant?,
            terms: terms?,
            paper: Paper {
                reference: reference?,
                signed: signed?,
                effective: effective?,
                billed_from: billed_from?,
                signatory: signatory?,
            },
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    };
    command().ok_or_else(unsaid)
}

/// The reply to a contract that was brought in.
pub(super) fn imported(view: &View) -> wire::ImportLeaseResponse {
    wire::ImportLeaseResponse { lease: Some(lease_to_wire(view)) }
}

/// Writes how it came here.
pub(super) fn to_wire(import: &Import) -> wire::Import {
    wire::Import {
        reference: import.reference.clone(),
        signed_date: Some(to_date(import.signed)),
        effective_date: import.effective.map(to_date),
        billed_from_date: Some(to_date(import.billed_from)),
        signatory: Some(wire::Signatory {
            name: import.signatory.name.clone(),
            title: import.signatory.title.clone(),
        }),
        imported_by: import.subject.clone(),
        import_time: Some(to_timestamp(import.time)),
    }
}
