//! Payments to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{
    AccountName, Error, InvoiceName, LeaseName, OperatorParent, PaymentName, TenantName, Violations,
};
use runtime::wire::{date, request_id, to_date, to_money, to_timestamp};

use super::credit_note::{optional_amount, positive_amount};
use super::invoice::etag;
use super::lists::{Maybe, list_request};
use crate::app::{AllocatePayment, ListPayments, Listed, RecordPayment, RefundPayment, etag_of};
use crate::domain::payment::{Drawn, Payment, PaymentFilter, PaymentKind, Wanted};

const REFERENCE_CHARS: usize = 100;
const NOTE_CHARS: usize = 500;
const ALLOCATIONS_MAX: usize = 1_000;

pub(super) fn reference(v: &mut Violations, field: &str, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        v.add(field, "is required");
        return None;
    }
    v.text(field, text, REFERENCE_CHARS)
}

pub(super) fn record(request: &wire::RecordPaymentRequest) -> Result<RecordPayment, Error> {
    let mut v = Violations::new();
    let account = v.parse("parent", &request.parent, str::parse::<AccountName>);
    let reference = reference(&mut v, "bank_reference", &request.bank_reference);
    let value_date = date(&mut v, "value_date", request.value_date.as_ref());
    let amount = positive_amount(&mut v, "amount", request.amount.as_ref());
    let note = v.text("note", &request.note, NOTE_CHARS);
    let drawn = drawn(&mut v, request, account.as_ref());
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(RecordPayment {
            drawn: drawn?,
            account: account?,
            reference: reference?,
            value_date: value_date?,
            amount: amount?,
            note: note?,
            allocate: request.allocate_oldest_first,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads under which promise of a lease it was paid; inner `None` where the tenant paid.
fn drawn(
    v: &mut Violations,
    request: &wire::RecordPaymentRequest,
    account: Option<&AccountName>,
) -> Option<Option<Drawn>> {
    let lease = v.parse_optional("lease", &request.lease, str::parse::<LeaseName>);
    let own = lease.as_ref().zip(account).is_none_or(|(lease, account)| lease.operator == account.operator);
    v.require("lease", own, "must be a lease of the account's operator");
    let support = v.parse_optional("credit_support_id", &request.credit_support_id, kernel::SiteId::new);
    let both = request.lease.is_empty() == request.credit_support_id.is_empty();
    v.require("credit_support_id", both, "must be given with lease, and only with it");
    let drawn = |(lease, support): (LeaseName, kernel::SiteId)| Drawn {
        lease: lease.lease,
        support: support.to_string(),
    };
    Some(lease.zip(support).map(drawn))
}

pub(super) fn allocate(request: &wire::AllocatePaymentRequest) -> Result<AllocatePayment, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<PaymentName>);
    let few = request.allocations.len() <= ALLOCATIONS_MAX;
    v.require("allocations", few, "must be at most 1000 invoices");
    let wanted = v.each("allocations", request.allocations.iter().take(ALLOCATIONS_MAX), |v, part| {
        let invoice = v.parse("invoice", &part.invoice, str::parse::<InvoiceName>);
        let foreign = invoice.as_ref().zip(name.as_ref()).is_some_and(|(i, p)| i.operator != p.operator);
        v.require("invoice", !foreign, "must be an invoice of the payment's operator");
        let amount = optional_amount(v, "amount", part.amount.as_ref());
        Some(Wanted { invoice: invoice?.invoice, amount: amount? })
    });
    if let Some(wanted) = &wanted {
        let twice = |at: usize, one: &Wanted| wanted[..at].iter().any(|before| before.invoice == one.invoice);
        let twice = wanted.iter().enumerate().any(|(at, one)| twice(at, one));
        v.require("allocations", !twice, "must name each invoice once");
    }
    let etag = etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(AllocatePayment {
            name: name?,
            wanted: wanted?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn refund(request: &wire::RefundPaymentRequest) -> Result<RefundPayment, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<PaymentName>);
    let reference = reference(&mut v, "bank_reference", &request.bank_reference);
    let amount = optional_amount(&mut v, "amount", request.amount.as_ref());
    let etag = etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(RefundPayment {
            name: name?,
            reference: reference?,
            amount: amount?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn name(text: &str) -> Result<PaymentName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<PaymentName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListPaymentsRequest) -> Result<ListPayments, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let account = v.parse_optional("account", &request.account, str::parse::<AccountName>);
    let page = (request.page_size, request.page_token.as_str());
    let filters: [&dyn std::fmt::Display; 2] = [&Maybe(account.as_ref()), &request.unapplied_only];
    let list = list_request(&mut v, parent, page, &filters);
    v.build(|| {
        let account = account.map(|name| (name.operator, name.account));
        let filter = PaymentFilter { account, unapplied_only: request.unapplied_only };
        Some(ListPayments { list: list?, filter })
    })
}

pub(super) fn listed(listed: Listed<Payment>) -> wire::ListPaymentsResponse {
    wire::ListPaymentsResponse {
        payments: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn recorded(payment: &Payment) -> wire::RecordPaymentResponse {
    wire::RecordPaymentResponse { payment: Some(to_wire(payment)) }
}

/// A payment that is only tried out: nothing of it is kept, and it has no name.
pub(super) fn tried(payment: &Payment) -> wire::RecordPaymentResponse {
    let nameless =
        wire::Payment { name: String::new(), etag: String::new(), create_time: None, ..to_wire(payment) };
    wire::RecordPaymentResponse { payment: Some(nameless) }
}

pub(super) fn allocated(payment: &Payment) -> wire::AllocatePaymentResponse {
    wire::AllocatePaymentResponse { payment: Some(to_wire(payment)) }
}

pub(super) fn refunded(payment: &Payment) -> wire::RefundPaymentResponse {
    wire::RefundPaymentResponse { payment: Some(to_wire(payment)) }
}

pub(super) fn to_wire(payment: &Payment) -> wire::Payment {
    let operator = &payment.operator;
    let kind = match payment.kind {
        PaymentKind::Bank => wire::PaymentKind::Bank,
        PaymentKind::CreditNote => wire::PaymentKind::CreditNote,
    };
    let allocations = payment.allocations.iter().map(|part| wire::PaymentAllocation {
        invoice: InvoiceName::new(operator.clone(), part.invoice).to_string(),
        amount: Some(to_money(part.amount)),
        posting_date: Some(to_date(part.posting_date)),
    });
    let refunds = payment.refunds.iter().map(|part| wire::PaymentRefund {
        bank_reference: part.reference.clone(),
        amount: Some(to_money(part.amount)),
        create_time: Some(to_timestamp(part.create_time)),
    });
    let drawn = payment.drawn.as_ref();
    wire::Payment {
        name: payment.name().to_string(),
        account: AccountName::new(operator.clone(), payment.account).to_string(),
        tenant: TenantName::new(payment.tenant.clone()).to_string(),
        kind: kind.into(),
        reference: payment.reference.clone(),
        value_date: Some(to_date(payment.value_date)),
        note: payment.note.clone(),
        amount: Some(to_money(payment.amount)),
        allocations: allocations.collect(),
        refunds: refunds.collect(),
        unapplied: Some(to_money(payment.unapplied())),
        etag: etag_of(payment.version),
        create_time: Some(to_timestamp(payment.create_time)),
        lease: drawn
            .map(|of| LeaseName::new(operator.clone(), of.lease.clone()).to_string())
            .unwrap_or_default(),
        credit_support_id: drawn.map(|of| of.support.clone()).unwrap_or_default(),
    }
}
