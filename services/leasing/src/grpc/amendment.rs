//! Amendments: what is proposed and signed from the wire, and how it lies on the table to the wire.

use contracts::leasing::v1 as wire;
use kernel::{CivilDate, Error, LeaseName, Violations};
use runtime::wire::{date, request_id, to_date, to_timestamp};

use super::lease::{REASON_CHARS, party, signatory, signature, terms_hash, unsaid};
use super::terms;
use crate::app::ChangeLease;
use crate::domain::amendment::Amendment;
use crate::domain::{Command, Findings, Lease};

/// Reads other terms; every field and every rule at once. What the lease itself does not allow comes after.
pub(super) fn propose(
    request: &wire::ProposeAmendmentRequest,
    today: CivilDate,
) -> Result<ChangeLease, Error> {
    let mut findings = Findings::new();
    let v = &mut findings.invalid;
    let name = v.parse("name", &request.name, str::parse::<LeaseName>);
    let effective = date(v, "effective_date", request.effective_date.as_ref());
    let note = v.text("note", &request.note, REASON_CHARS);
    let request_id = request_id(v, &request.request_id);
    let draft = terms::draft(v, request.terms.as_ref());
    let terms = draft.and_then(|mut draft| {
        let conditions = std::mem::take(&mut draft.contract.conditions);
        if !conditions.is_empty() {
            findings.invalid("terms.conditions", "must be empty: those of the lease stay");
        }
        draft.check(name.as_ref().map(|name| &name.operator), today, &mut findings)
    });
    findings.finish()?;
    let command = || {
        let (effective, note) = (effective?, note?);
        let (terms, master) = terms?.without_zones();
        let terms = Box::new(terms);
        Some(ChangeLease {
            name: name?,
            command: Command::ProposeAmendment { terms, master, effective, note },
            etag: request.etag.clone(),
            peer_address: String::new(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    };
    command().ok_or_else(unsaid)
}

/// Reads a signature on them.
pub(super) fn sign(request: &wire::SignAmendmentRequest, peer_address: String) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let hash = terms_hash(&mut v, &request.terms_hash);
    let signatory = signatory(&mut v, request.signatory.as_ref());
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(ChangeLease {
            name: name?,
            command: Command::SignAmendment { terms_hash: hash?, signatory: signatory? },
            etag: request.etag.clone(),
            peer_address,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads a withdrawal.
pub(super) fn withdraw(request: &wire::WithdrawAmendmentRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(ChangeLease {
            name: name?,
            command: Command::WithdrawAmendment,
            etag: request.etag.clone(),
            peer_address: String::new(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Writes what is proposed for a lease.
pub(super) fn to_wire(lease: &Lease, one: &Amendment, money: bool) -> wire::Amendment {
    // Terms that were written once can be written again.
    let hash = lease.hash_of(&one.terms).ok();
    wire::Amendment {
        version: (lease.version + 1).into(),
        effective_date: Some(to_date(one.effective)),
        terms: Some(terms::to_wire(&one.terms, money)),
        terms_hash: hash.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        signatures: hash.iter().flat_map(|hash| one.signatures(*hash)).map(|one| signature(&one)).collect(),
        proposed_by: party(one.by).into(),
        propose_time: Some(to_timestamp(one.time)),
        note: if money { one.note.clone() } else { String::new() },
    }
}
