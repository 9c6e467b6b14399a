//! Disputes to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{CreditNoteName, DisputeName, Error, InvoiceName, OperatorParent, TenantName, Violations};
use runtime::wire::{known, request_id, to_money, to_timestamp};

use super::credit_note::{optional_amount, reason};
use super::invoice;
use super::lists::{Maybe, list_request};
use crate::app::{DisputeLine, ListDisputes, Listed, ResolveDispute, Told, etag_of};
use crate::domain::dispute::{Dispute, DisputeFilter, DisputeState, Outcome};

pub(super) fn open(request: &wire::DisputeLineRequest) -> Result<DisputeLine, Error> {
    let mut v = Violations::new();
    let invoice = v.parse("invoice", &request.invoice, str::parse::<InvoiceName>);
    let there = v.require("line_number", request.line_number > 0, "must be a line of the invoice, from 1");
    let amount = optional_amount(&mut v, "amount", request.amount.as_ref());
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(DisputeLine {
            invoice: invoice?,
            line: there.then_some(request.line_number)?,
            amount: amount?,
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn opened(told: &Told) -> wire::DisputeLineResponse {
    let dispute = to_wire(&told.dispute);
    let dispute = if told.tried_out {
        wire::Dispute { name: String::new(), etag: String::new(), create_time: None, ..dispute }
    } else {
        dispute
    };
    wire::DisputeLineResponse { dispute: Some(dispute) }
}

pub(super) fn resolve(request: &wire::ResolveDisputeRequest) -> Result<ResolveDispute, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<DisputeName>);
    let outcome = known::<wire::DisputeOutcome>(&mut v, "outcome", request.outcome);
    let reason = reason(&mut v, &request.reason);
    let etag = invoice::etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(ResolveDispute {
            name: name?,
            outcome: match outcome? {
                wire::DisputeOutcome::Unspecified => return None,
                wire::DisputeOutcome::Upheld => Outcome::Upheld,
                wire::DisputeOutcome::Rejected => Outcome::Rejected,
            },
            reason: reason?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn resolved(told: &Told) -> wire::ResolveDisputeResponse {
    let dispute = to_wire(&told.dispute);
    let dispute = if told.tried_out {
        wire::Dispute { credit_note: String::new(), etag: String::new(), resolve_time: None, ..dispute }
    } else {
        dispute
    };
    wire::ResolveDisputeResponse { dispute: Some(dispute) }
}

pub(super) fn name(text: &str) -> Result<DisputeName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<DisputeName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListDisputesRequest) -> Result<ListDisputes, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let invoice = v.parse_optional("invoice", &request.invoice, str::parse::<InvoiceName>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(invoice.as_ref()), &request.open_only]);
    v.build(|| {
        let filter = DisputeFilter { invoice, open_only: request.open_only };
        Some(ListDisputes { list: list?, filter })
    })
}

pub(super) fn listed(listed: &Listed<Dispute>) -> wire::ListDisputesResponse {
    wire::ListDisputesResponse {
        disputes: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next.clone(),
    }
}

pub(super) fn to_wire(dispute: &Dispute) -> wire::Dispute {
    let operator = &dispute.operator;
    let answer = dispute.resolution.as_ref();
    let note = answer.and_then(|answer| answer.credit_note);
    wire::Dispute {
        name: dispute.name().to_string(),
        invoice: InvoiceName::new(operator.clone(), dispute.invoice).to_string(),
        line_number: dispute.line,
        tenant: TenantName::new(dispute.tenant.clone()).to_string(),
        amount: Some(to_money(dispute.amount)),
        reason: dispute.reason.clone(),
        opened_by: dispute.opened_by.clone(),
        state: match dispute.state {
            DisputeState::Open => wire::DisputeState::Open,
            DisputeState::Upheld => wire::DisputeState::Upheld,
            DisputeState::Rejected => wire::DisputeState::Rejected,
        }
        .into(),
        resolution: answer.map(|answer| answer.reason.clone()).unwrap_or_default(),
        resolved_by: answer.map(|answer| answer.by.clone()).unwrap_or_default(),
        credit_note: note.map(|id| CreditNoteName::new(operator.clone(), id).to_string()).unwrap_or_default(),
        create_time: Some(to_timestamp(dispute.create_time)),
        resolve_time: answer.map(|answer| to_timestamp(answer.time)),
        etag: etag_of(dispute.version),
    }
}
