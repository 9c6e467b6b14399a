//! Assignments and subleases, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Error, Violations};
use runtime::wire::{date, known, request_id, to_date, to_timestamp};

use super::lease::{REASON_CHARS, signatory};
use super::life::change;
use crate::app::ChangeLease;
use crate::domain::Command;
use crate::domain::assignment::{Assignment, AssignmentKind, Subtenant, Tenancy, Wish};

const REFERENCE_CHARS: usize = 200;

/// Reads what the tenant asks for.
pub(super) fn request(request: &wire::RequestAssignmentRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let kind = known::<wire::AssignmentKind>(&mut v, "kind", request.kind).and_then(|kind| match kind {
            wire::AssignmentKind::Unspecified => None,
            wire::AssignmentKind::Assignment => Some(AssignmentKind::Assignment),
            wire::AssignmentKind::Sublease => Some(AssignmentKind::Sublease),
        });
        let assignee = v.parse("assignee", &request.assignee, str::parse);
        let effective = date(&mut v, "effective_date", request.effective_date.as_ref());
        v.require("reference", !request.reference.trim().is_empty(), "is required");
        let reference = v.text("reference", &request.reference, REFERENCE_CHARS);
        let note = v.text("note", &request.note, REASON_CHARS);
        let wish = || {
            let (kind, assignee, effective) = (kind?, assignee?, effective?);
            Some(Wish { kind, assignee, effective, reference: reference?, note: note? })
        };
        wish().map(|wish| Command::RequestAssignment { wish })
    })
}

/// Reads the operator's consent.
pub(super) fn consent(request: &wire::ConsentToAssignmentRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let signatory = signatory(&mut v, request.signatory.as_ref());
        signatory.map(|signatory| Command::ConsentToAssignment { signatory })
    })
}

/// Reads that it is off the table.
pub(super) fn decline(request: &wire::DeclineAssignmentRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, { Some(Command::DeclineAssignment) })
}

/// Writes what is asked for.
pub(super) fn to_wire(assignment: &Assignment) -> wire::Assignment {
    let Assignment { wish, subject, time, consent } = assignment;
    let kind = match wish.kind {
        AssignmentKind::Assignment => wire::AssignmentKind::Assignment,
        AssignmentKind::Sublease => wire::AssignmentKind::Sublease,
    };
    wire::Assignment {
        kind: kind.into(),
        assignee: wish.assignee.to_string(),
        effective_date: Some(to_date(wish.effective)),
        reference: wish.reference.clone(),
        note: wish.note.clone(),
        requested_by: subject.clone(),
        request_time: Some(to_timestamp(*time)),
        consent_time: consent.as_ref().map(|consent| to_timestamp(consent.time)),
        consent_signatory: consent.as_ref().map(|consent| wire::Signatory {
            name: consent.signatory.name.clone(),
            title: consent.signatory.title.clone(),
        }),
    }
}

/// Writes who was the tenant of record before.
pub(super) fn former(tenancy: &Tenancy) -> wire::FormerTenant {
    wire::FormerTenant {
        tenant: tenancy.tenant.to_string(),
        until_date: Some(to_date(tenancy.until)),
        reference: tenancy.reference.clone(),
    }
}

/// Writes who uses what the tenant leases.
pub(super) fn subtenant(subtenant: &Subtenant) -> wire::Subtenant {
    wire::Subtenant {
        tenant: subtenant.tenant.to_string(),
        since_date: Some(to_date(subtenant.since)),
        reference: subtenant.reference.clone(),
    }
}
