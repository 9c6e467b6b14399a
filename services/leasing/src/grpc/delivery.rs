//! Deadlines and delivery, to the wire.

use contracts::leasing::v1 as wire;
use kernel::{Error, OperatorParent, Violations};
use runtime::wire::{known, page_size, to_date, to_timestamp};

use super::lease::state;
use super::life::block_state;
use crate::app::{ListDeadlines, Page, View};
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::delivery::{NextAction, Owner, commenced_on, first_rent};
use crate::domain::{LeaseState, Party, Premises};

const WITHIN_DAYS: i32 = 14;
const WITHIN_DAYS_MAX: i32 = 3_660;

/// Reads what to list.
pub(super) fn list(request: &wire::ListDeadlinesRequest) -> Result<ListDeadlines, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page_size = page_size(&mut v, request.page_size);
    v.require("within_days", (0..=WITHIN_DAYS_MAX).contains(&request.within_days), "must be 0 to 3660");
    let kinds = v.each_word("kinds", &request.kinds, |v, kind| known(v, "", *kind).and_then(kind_of));
    let within_days = if request.within_days == 0 { WITHIN_DAYS } else { request.within_days };
    v.build(|| {
        Some(ListDeadlines {
            parent: parent?,
            within_days: within_days.into(),
            kinds: kinds?,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn kind_of(named: wire::DeadlineKind) -> Option<DeadlineKind> {
    Some(match named {
        wire::DeadlineKind::Unspecified => return None,
        wire::DeadlineKind::ProposalHold => DeadlineKind::ProposalHold,
        wire::DeadlineKind::Commencement => DeadlineKind::Commencement,
        wire::DeadlineKind::RenewalNotice => DeadlineKind::RenewalNotice,
        wire::DeadlineKind::TermEnd => DeadlineKind::TermEnd,
        wire::DeadlineKind::BidDeadline => DeadlineKind::BidDeadline,
        wire::DeadlineKind::BidHold => DeadlineKind::BidHold,
        wire::DeadlineKind::BidValidity => DeadlineKind::BidValidity,
        wire::DeadlineKind::ConditionOutside => DeadlineKind::ConditionOutside,
        wire::DeadlineKind::Cure => DeadlineKind::Cure,
        wire::DeadlineKind::Termination => DeadlineKind::Termination,
        wire::DeadlineKind::QuoteValidity => DeadlineKind::QuoteValidity,
        wire::DeadlineKind::Amendment => DeadlineKind::Amendment,
        wire::DeadlineKind::RenewalWindow => DeadlineKind::RenewalWindow,
        wire::DeadlineKind::RightResponse => DeadlineKind::RightResponse,
        wire::DeadlineKind::Assignment => DeadlineKind::Assignment,
        wire::DeadlineKind::Holdover => DeadlineKind::Holdover,
        wire::DeadlineKind::ExpansionWindow => DeadlineKind::ExpansionWindow,
        wire::DeadlineKind::ExpansionNotice => DeadlineKind::ExpansionNotice,
        wire::DeadlineKind::Nomination => DeadlineKind::Nomination,
        wire::DeadlineKind::RenewalRent => DeadlineKind::RenewalRent,
    })
}

fn kind(kind: DeadlineKind) -> wire::DeadlineKind {
    match kind {
        DeadlineKind::ProposalHold => wire::DeadlineKind::ProposalHold,
        DeadlineKind::Commencement => wire::DeadlineKind::Commencement,
        DeadlineKind::RenewalNotice => wire::DeadlineKind::RenewalNotice,
        DeadlineKind::TermEnd => wire::DeadlineKind::TermEnd,
        DeadlineKind::BidDeadline => wire::DeadlineKind::BidDeadline,
        DeadlineKind::BidHold => wire::DeadlineKind::BidHold,
        DeadlineKind::BidValidity => wire::DeadlineKind::BidValidity,
        DeadlineKind::ConditionOutside => wire::DeadlineKind::ConditionOutside,
        DeadlineKind::Cure => wire::DeadlineKind::Cure,
        DeadlineKind::Termination => wire::DeadlineKind::Termination,
        DeadlineKind::QuoteValidity => wire::DeadlineKind::QuoteValidity,
        DeadlineKind::Amendment => wire::DeadlineKind::Amendment,
        DeadlineKind::RenewalWindow => wire::DeadlineKind::RenewalWindow,
        DeadlineKind::RightResponse => wire::DeadlineKind::RightResponse,
        DeadlineKind::Assignment => wire::DeadlineKind::Assignment,
        DeadlineKind::Holdover => wire::DeadlineKind::Holdover,
        DeadlineKind::ExpansionWindow => wire::DeadlineKind::ExpansionWindow,
        DeadlineKind::ExpansionNotice => wire::DeadlineKind::ExpansionNotice,
        DeadlineKind::Nomination => wire::DeadlineKind::Nomination,
        DeadlineKind::RenewalRent => wire::DeadlineKind::RenewalRent,
    }
}

/// The reply to a question for deadlines.
pub(super) fn listed(page: Page<Deadline>) -> wire::ListDeadlinesResponse {
    wire::ListDeadlinesResponse {
        deadlines: page.items.iter().map(deadline).collect(),
        next_page_token: page.next,
    }
}

fn deadline(one: &Deadline) -> wire::Deadline {
    wire::Deadline {
        kind: kind(one.kind).into(),
        resource: one.resource.clone(),
        block: one.block.as_ref().map(ToString::to_string).unwrap_or_default(),
        time: Some(to_timestamp(one.time)),
        date: Some(to_date(one.date)),
        critical_it_kw: one.critical_it_kw,
        consequence: one.kind.consequence().to_owned(),
    }
}

/// The reply to a question for a deal's standing.
pub(super) fn status(view: &View, next: &NextAction) -> wire::GetDeliveryStatusResponse {
    let lease = &view.lease;
    let held = matches!(lease.state, LeaseState::Proposed | LeaseState::Signing);
    wire::GetDeliveryStatusResponse {
        lease: lease.name.to_string(),
        state: state(lease.state).into(),
        signatures: [(Party::Operator, wire::Party::Operator), (Party::Tenant, wire::Party::Tenant)]
            .into_iter()
            .map(|(party, named)| {
                let signed = lease.signatures.iter().find(|signature| signature.party == party);
                wire::SignatureStatus {
                    party: named.into(),
                    signed: signed.is_some(),
                    sign_time: signed.map(|signature| to_timestamp(signature.time)),
                }
            })
            .collect(),
        announced_date: lease.terms.announced.map(to_date),
        propose_time: Some(to_timestamp(lease.create_time)),
        hold_expire_time: lease.hold.filter(|_| held).map(|hold| to_timestamp(hold.expire_time)),
        signed_time: lease.signed_time.map(to_timestamp),
        effective_time: lease.effective_time.map(to_timestamp),
        first_rent_date: first_rent(lease).map(to_date),
        blocks: lease.taken().iter().map(block).collect(),
        next_action: next.action.clone(),
        next_action_owner: owner(next.owner).into(),
        next_action_time: next.by.map(to_timestamp),
    }
}

fn block(premises: &Premises) -> wire::BlockDelivery {
    wire::BlockDelivery {
        block: premises.block.to_string(),
        state: block_state(premises).into(),
        critical_it_kw: premises.critical_it_kw(),
        planned_commencement_date: Some(to_date(premises.agreed.start())),
        actual_commencement_date: commenced_on(premises).map(to_date),
        planned_end_date: Some(to_date(premises.agreed.end())),
        time_zone: premises.zone.to_string(),
    }
}

fn owner(owner: Owner) -> wire::ActionOwner {
    match owner {
        Owner::Nobody => wire::ActionOwner::Nobody,
        Owner::Operator => wire::ActionOwner::Operator,
        Owner::Tenant => wire::ActionOwner::Tenant,
        Owner::Either => wire::ActionOwner::Either,
        Owner::System => wire::ActionOwner::System,
    }
}
