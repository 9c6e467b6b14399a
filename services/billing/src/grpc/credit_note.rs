//! Corrections to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{
    AccountName, CreditNoteName, Error, InvoiceName, Money, OperatorParent, TenantName, Violations,
};
use runtime::wire::{money, request_id, to_money, to_timestamp};

use super::invoice;
use super::lists::{Maybe, list_request};
use crate::app::{Corrected, CreateCreditNote, ListCreditNotes, Listed, VoidInvoice};
use crate::domain::credit_note::{CreditNote, WantedCredit};
use crate::domain::invoice::Invoice;

const REASON_CHARS: usize = 500;
const LINES_MAX: usize = 1_000;

/// Reads a reason that must be there.
pub(super) fn reason(v: &mut Violations, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        v.add("reason", "is required");
        return None;
    }
    v.text("reason", text, REASON_CHARS)
}

/// Reads an amount that may be absent and else is above zero.
pub(super) fn optional_amount(
    v: &mut Violations,
    field: &str,
    amount: Option<&contracts::google::r#type::Money>,
) -> Option<Option<Money>> {
    match amount {
        None => Some(None),
        some => positive_amount(v, field, some).map(Some),
    }
}

/// Reads an amount that must be there and above zero.
pub(super) fn positive_amount(
    v: &mut Violations,
    field: &str,
    amount: Option<&contracts::google::r#type::Money>,
) -> Option<Money> {
    let amount = money(v, field, amount)?;
    v.require(field, amount.minor > 0, "must be above zero").then_some(amount)
}

pub(super) fn void(request: &wire::VoidInvoiceRequest) -> Result<VoidInvoice, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<InvoiceName>);
    let reason = reason(&mut v, &request.reason);
    let etag = invoice::etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(VoidInvoice {
            name: name?,
            reason: reason?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn voided(invoice: &Invoice) -> wire::VoidInvoiceResponse {
    wire::VoidInvoiceResponse { invoice: Some(invoice::to_wire(invoice)) }
}

pub(super) fn create(request: &wire::CreateCreditNoteRequest) -> Result<CreateCreditNote, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<InvoiceName>);
    v.require("lines", request.lines.len() <= LINES_MAX, "must be at most 1000 lines");
    let lines = v.each("lines", request.lines.iter().take(LINES_MAX), |v, line| {
        let there = v.require("line_number", line.line_number > 0, "must be a line of the invoice, from 1");
        let amount = optional_amount(v, "amount", line.amount.as_ref());
        Some(WantedCredit { line: there.then_some(line.line_number)?, amount: amount? })
    });
    if let Some(lines) = &lines {
        let twice = lines
            .iter()
            .enumerate()
            .any(|(at, one)| lines[..at].iter().any(|before| before.line == one.line));
        v.require("lines", !twice, "must name each line once");
    }
    let reason = reason(&mut v, &request.reason);
    let etag = invoice::etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateCreditNote {
            name: name?,
            lines: lines?,
            reason: reason?,
            rebill: request.rebill,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn name(text: &str) -> Result<CreditNoteName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<CreditNoteName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListCreditNotesRequest) -> Result<ListCreditNotes, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let invoice = v.parse_optional("invoice", &request.invoice, str::parse::<InvoiceName>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(invoice.as_ref())]);
    v.build(|| Some(ListCreditNotes { list: list?, invoice }))
}

pub(super) fn listed(listed: Listed<CreditNote>) -> wire::ListCreditNotesResponse {
    wire::ListCreditNotesResponse {
        credit_notes: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn created(corrected: &Corrected) -> wire::CreateCreditNoteResponse {
    let note = to_wire(&corrected.note);
    let note = if corrected.tried_out {
        wire::CreditNote { name: String::new(), number: String::new(), create_time: None, ..note }
    } else {
        note
    };
    wire::CreateCreditNoteResponse {
        credit_note: Some(note),
        invoice: Some(invoice::to_wire(&corrected.invoice)),
    }
}

pub(super) fn to_wire(note: &CreditNote) -> wire::CreditNote {
    let operator = &note.operator;
    let lines = note
        .lines
        .iter()
        .map(|line| wire::CreditNoteLine { line_number: line.line, amount: Some(to_money(line.amount)) });
    wire::CreditNote {
        name: note.name().to_string(),
        invoice: InvoiceName::new(operator.clone(), note.invoice).to_string(),
        account: AccountName::new(operator.clone(), note.account).to_string(),
        tenant: TenantName::new(note.tenant.clone()).to_string(),
        number: note.number.to_string(),
        lines: lines.collect(),
        total: Some(to_money(note.total)),
        applied: Some(to_money(note.applied)),
        reason: note.reason.clone(),
        rebill: note.rebill,
        create_time: Some(to_timestamp(note.create_time)),
    }
}
