//! Leases to the wire, and the commands that change them from it.

use std::time::Duration;

use contracts::leasing::v1 as wire;
use kernel::{
    CivilDate, Error, LeaseId, LeaseName, OperatorName, OperatorParent, ReservationName, Violations,
};
use runtime::wire::{
    display_name, duration, known, page_size, request_id, to_date, to_decimal, to_money, to_timestamp,
};

use super::{amendment, assignment, cut_over, expansion, general_terms, holdover, life, nomination, terms};
use crate::app::{CancelLease, ListLeases, ProposeLease, RentSchedule, SignLease, View};
use crate::domain::{Findings, LeaseState, Party, Premises, ScheduleLine, Signatory, Signature, TermsHash};

/// How long inventory holds at the least and at the most.
const HOLD: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(60 * 24 * 60 * 60);
pub(super) const REASON_CHARS: usize = 1_000;
const TITLE_CHARS: usize = 200;

/// Reads a proposal; every field and every rule at once.
pub(super) fn propose(request: &wire::ProposeLeaseRequest, today: CivilDate) -> Result<ProposeLease, Error> {
    let mut findings = Findings::new();
    let v = &mut findings.invalid;
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let lease = v.parse_optional("lease_id", &request.lease_id, slug);
    let tenant = v.parse("tenant", &request.tenant, str::parse);
    let hold = duration(v, "hold_duration", request.hold_duration.as_ref(), HOLD);
    let request_id = request_id(v, &request.request_id);
    let terms = terms::checked(request.terms.as_ref(), parent.as_ref(), today, &mut findings);
    findings.finish()?;
    let command = || {
        Some(ProposeLease {
            operator: parent?.operator,
            lease,
            of_quote: None,
            tenant: tenant?,
            terms: terms?,
            hold_seconds: i64::try_from(hold?.as_secs()).ok()?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    };
    command().ok_or_else(unsaid)
}

/// A caller chooses slugs; UUIDs are ours to choose.
pub(super) fn slug(text: &str) -> Result<LeaseId, kernel::id::IdError> {
    kernel::SiteId::new(text).and_then(|slug| LeaseId::new(slug.as_str()))
}

pub(super) fn unsaid() -> Error {
    Error::internal("a part is missing and no violation says so")
}

/// Reads a signature.
pub(super) fn sign(request: &wire::SignLeaseRequest, peer_address: String) -> Result<SignLease, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let hash = terms_hash(&mut v, &request.terms_hash);
    let signatory = signatory(&mut v, request.signatory.as_ref());
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(SignLease {
            peer_address,
            name: name?,
            terms_hash: TermsHash(hash?),
            signatory: signatory?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads the hash that is signed.
pub(super) fn terms_hash(v: &mut Violations, bytes: &[u8]) -> Option<[u8; 32]> {
    let hash = <[u8; 32]>::try_from(bytes);
    v.take("terms_hash", hash.map_err(|_| "must be the 32 bytes of a SHA-256 hash"))
}

/// Reads the person who signs or accepts.
pub(super) fn signatory(v: &mut Violations, signatory: Option<&wire::Signatory>) -> Option<Signatory> {
    let signatory = v.present("signatory", signatory)?;
    v.nested("signatory", |v| {
        let name = display_name(v, "name", &signatory.name);
        let title = v.text("title", &signatory.title, TITLE_CHARS);
        Some(Signatory { name: name?, title: title? })
    })
}

/// Reads a cancellation.
pub(super) fn cancel(request: &wire::CancelLeaseRequest) -> Result<CancelLease, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let blank = request.reason.trim().is_empty();
    v.require("reason", !blank, "is required");
    let reason = v.text("reason", &request.reason, REASON_CHARS);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CancelLease {
            name: name?,
            reason: reason?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads which lease to tell of, and which version of its terms.
pub(super) fn get(request: &wire::GetLeaseRequest) -> Result<(LeaseName, Option<i32>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let version = i32::try_from(request.version).ok().filter(|version| *version >= 0);
    let version = v.take("version", version.ok_or("must be a version, from 1, or 0"));
    v.build(|| Some((name?, version.filter(|version| *version > 0))))
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListLeasesRequest) -> Result<ListLeases, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page_size = page_size(&mut v, request.page_size);
    let states = v.each_word("states", &request.states, |v, state| {
        known::<wire::LeaseState>(v, "", *state).and_then(state_of)
    });
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse);
    let block = v.parse_optional("block", &request.block, str::parse);
    let master = v.parse_optional("master_agreement", &request.master_agreement, str::parse);
    v.build(|| {
        Some(ListLeases {
            parent: parent?,
            states: states?,
            tenant,
            block,
            master,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

/// The reply to a proposal.
pub(super) fn proposed(view: &View) -> wire::ProposeLeaseResponse {
    wire::ProposeLeaseResponse { lease: Some(to_wire(view)) }
}

/// The reply to a signature.
pub(super) fn signed(view: &View) -> wire::SignLeaseResponse {
    wire::SignLeaseResponse { lease: Some(to_wire(view)) }
}

/// The reply to a cancellation.
pub(super) fn cancelled(view: &View) -> wire::CancelLeaseResponse {
    wire::CancelLeaseResponse { lease: Some(to_wire(view)) }
}

/// The reply to a question for the rent.
pub(super) fn schedule(schedule: &RentSchedule) -> wire::GetRentScheduleResponse {
    let RentSchedule { view, lines } = schedule;
    wire::GetRentScheduleResponse {
        lines: lines.iter().map(|line| rent_line(&view.lease.premises, line)).collect(),
        base_contract_value: Some(to_money(view.value.base_contract_value)),
        options_contract_value: Some(to_money(view.value.options_contract_value)),
        lease_version: view.lease.version.into(),
    }
}

fn rent_line(premises: &[Premises], line: &ScheduleLine) -> wire::RentLine {
    let rent = &line.line;
    wire::RentLine {
        block: premises.get(line.premises).map(|one| one.block.to_string()).unwrap_or_default(),
        period_start_date: Some(to_date(rent.period.start())),
        period_end_date: Some(to_date(rent.period.end())),
        days: i32::try_from(rent.days).unwrap_or(i32::MAX),
        days_in_month: i32::try_from(rent.days_in_month).unwrap_or(i32::MAX),
        critical_it_kw: rent.kw,
        rate_per_kw_month: Some(to_decimal(rent.rate)),
        amount: Some(to_money(rent.amount)),
        proration: super::rent::proration(rent.proration).into(),
        abated_percent: Some(to_decimal(rent.abated)),
    }
}

/// Writes a lease with everything.
pub(super) fn to_wire(view: &View) -> wire::Lease {
    write(view, true)
}

/// Writes a lease for those who see dates and kW and no money.
pub(super) fn to_wire_without_money(view: &View) -> wire::Lease {
    write(view, false)
}

fn write(view: &View, money: bool) -> wire::Lease {
    let lease = &view.lease;
    let value = &view.value;
    let reservation = |hold: &crate::domain::Hold| {
        ReservationName::new(lease.name.operator.clone(), hold.reservation).to_string()
    };
    let held = matches!(lease.state, LeaseState::Proposing | LeaseState::Proposed | LeaseState::Signing);
    wire::Lease {
        name: lease.name.to_string(),
        tenant: lease.tenant.to_string(),
        state: state(lease.state).into(),
        version: lease.version.into(),
        terms: Some(terms::to_wire(&lease.terms, money)),
        terms_hash: lease.terms_hash.0.to_vec(),
        signatures: lease.signatures.iter().map(signature).collect(),
        reservation: lease.hold.as_ref().map(reservation).unwrap_or_default(),
        hold_expire_time: lease.hold.filter(|_| held).map(|hold| to_timestamp(hold.expire_time)),
        blocks: lease.taken().iter().map(|one| life::block(one, lease, money)).collect(),
        value: Some(wire::LeaseValue {
            critical_it_kw: value.critical_it_kw,
            year_one_rent: money.then(|| to_money(value.year_one_rent)),
            base_contract_value: money.then(|| to_money(value.base_contract_value)),
            options_contract_value: money.then(|| to_money(value.options_contract_value)),
            expansions_contract_value: money.then(|| to_money(value.expansions_contract_value)),
            unplaced_contract_value: money.then(|| to_money(value.unplaced_contract_value)),
            unplaced_critical_it_kw: value.unplaced_it_kw,
            schedule_line_count: i32::try_from(value.line_count).unwrap_or(i32::MAX),
        }),
        state_reason: lease.ended_because.clone().unwrap_or_default(),
        etag: lease.etag(),
        create_time: Some(to_timestamp(lease.create_time)),
        signed_time: lease.signed_time.map(to_timestamp),
        effective_time: lease.effective_time.map(to_timestamp),
        update_time: Some(to_timestamp(lease.update_time)),
        conditions: life::conditions(lease),
        notices: lease.life.notices.iter().map(life::notice).collect(),
        termination: lease.life.termination.as_ref().map(|end| life::termination(end, money)),
        next_option: lease.option_window().as_ref().map(life::option_window),
        renewals: lease.life.renewals.iter().map(|one| life::renewal(lease, one)).collect(),
        assignment: lease.life.assignment.as_ref().map(assignment::to_wire),
        former_tenants: lease.life.former_tenants.iter().map(assignment::former).collect(),
        subtenants: lease.life.subtenants.iter().map(assignment::subtenant).collect(),
        import: lease.life.import.as_ref().map(cut_over::to_wire),
        holdover: lease.life.holdover.as_ref().map(holdover::to_wire),
        expansions: expansion::standing(lease),
        nominations: nomination::standing(lease),
        master_terms: lease.terms.contract.master.as_deref().filter(|_| money).map(general_terms::of_order),
        amendment: lease.life.amendment.as_ref().map(|one| amendment::to_wire(lease, one, money)),
    }
}

/// Writes a side.
pub(super) fn party(party: Party) -> wire::Party {
    match party {
        Party::Operator => wire::Party::Operator,
        Party::Tenant => wire::Party::Tenant,
    }
}

/// Writes a signature.
pub(super) fn signature(signature: &Signature) -> wire::Signature {
    wire::Signature {
        party: party(signature.party).into(),
        signatory: Some(wire::Signatory {
            name: signature.signatory.name.clone(),
            title: signature.signatory.title.clone(),
        }),
        sign_time: Some(to_timestamp(signature.time)),
        terms_hash: signature.terms_hash.0.to_vec(),
        peer_address: signature.peer_address.clone(),
    }
}

/// Writes where a lease stands.
pub(super) fn state(state: LeaseState) -> wire::LeaseState {
    match state {
        LeaseState::Draft => wire::LeaseState::Draft,
        LeaseState::Proposing => wire::LeaseState::Proposing,
        LeaseState::Proposed => wire::LeaseState::Proposed,
        LeaseState::Signing => wire::LeaseState::Signing,
        LeaseState::Signed => wire::LeaseState::Signed,
        LeaseState::Effective => wire::LeaseState::Effective,
        LeaseState::Active => wire::LeaseState::Active,
        LeaseState::Holdover => wire::LeaseState::Holdover,
        LeaseState::Defaulted => wire::LeaseState::Defaulted,
        LeaseState::Expired => wire::LeaseState::Expired,
        LeaseState::Terminated => wire::LeaseState::Terminated,
        LeaseState::Closed => wire::LeaseState::Closed,
        LeaseState::Cancelled => wire::LeaseState::Cancelled,
        LeaseState::Lapsed => wire::LeaseState::Lapsed,
    }
}

fn state_of(named: wire::LeaseState) -> Option<LeaseState> {
    LeaseState::ALL.iter().copied().find(|known| state(*known) == named)
}
