//! Bad corrections and bad payments.

use contracts::billing::v1 as billing;
use contracts::google::r#type::Money;
use integration_tests::market::{date, request_id};
use integration_tests::requests::money::{credit, dispute, record, usd};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn euros() -> Option<Money> {
    Some(Money { currency_code: "EUR".to_owned(), units: 1, nanos: 0 })
}

fn too_much(what: &str, message: Vec<u8>) -> Case {
    Case::new(what, message, Code::FailedPrecondition, "AMOUNT_EXCEEDED", &[])
}

pub(super) fn corrections(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "VoidInvoice" => void(n),
        "ListCreditNotes" => {
            let ask = billing::ListCreditNotesRequest {
                parent: n.operator.clone(),
                invoice: n.operator.clone(),
                ..Default::default()
            };
            vec![Case::invalid("every filter", ask.encode_to_vec(), &["invoice"])]
        }
        _ => credits(n),
    }
}

fn void(n: &Names) -> Vec<Case> {
    let ask = |name: &str, reason: &str| {
        billing::VoidInvoiceRequest {
            name: name.to_owned(),
            reason: reason.to_owned(),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    vec![
        Case::invalid("no reason", ask(&n.spare_invoice, " "), &["reason"]),
        Case::invalid("a long reason", ask(&n.spare_invoice, &"r".repeat(501)), &["reason"]),
        Case::new(
            "one that is paid in part",
            ask(&n.open_invoice, "late"),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
            &[],
        ),
    ]
}

fn credits(n: &Names) -> Vec<Case> {
    let good = || billing::CreateCreditNoteRequest { validate_only: false, ..credit(&n.open_invoice) };
    let of = |lines: Vec<(i32, Option<Money>)>| {
        let lines =
            lines.into_iter().map(|(line_number, amount)| billing::CreditNoteLine { line_number, amount });
        billing::CreateCreditNoteRequest { lines: lines.collect(), ..good() }.encode_to_vec()
    };
    let shapeless = billing::CreateCreditNoteRequest {
        lines: vec![billing::CreditNoteLine { line_number: 0, amount: Some(usd(-1)) }],
        reason: String::new(),
        ..good()
    };
    let part = billing::CreateCreditNoteRequest { rebill: true, ..good() };
    let draft = billing::CreateCreditNoteRequest { name: n.draft_invoice.clone(), ..good() };
    vec![
        Case::invalid(
            "everything",
            shapeless.encode_to_vec(),
            &["lines[0].line_number", "lines[0].amount", "reason"],
        ),
        Case::invalid("a line twice", of(vec![(1, None), (1, None)]), &["lines"]),
        Case::invalid("a line that is not there", of(vec![(9, None)]), &["lines[0].line_number"]),
        Case::invalid("another currency", of(vec![(1, euros())]), &["lines[0].amount"]),
        Case::invalid("a part that is billed again", part.encode_to_vec(), &["lines[0].amount"]),
        too_much("more than the line", of(vec![(1, Some(usd(1_000_000_000)))])),
        Case::new(
            "a draft",
            draft.encode_to_vec(),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
            &[],
        ),
    ]
}

pub(super) fn disputes(method: &str, n: &Names) -> Vec<Case> {
    let good = || billing::DisputeLineRequest { validate_only: false, ..dispute(&n.open_invoice) };
    let owed = |what: &str, of: billing::DisputeLineRequest| {
        Case::new(what, of.encode_to_vec(), Code::FailedPrecondition, "INVALID_STATE_TRANSITION", &[])
    };
    match method {
        "DisputeLine" => {
            let shapeless = billing::DisputeLineRequest {
                line_number: 0,
                amount: Some(usd(-1)),
                reason: "r".repeat(501),
                ..good()
            };
            let foreign = billing::DisputeLineRequest { amount: euros(), ..good() };
            let absent = billing::DisputeLineRequest { line_number: 9, ..good() };
            let more = billing::DisputeLineRequest { amount: Some(usd(1_000_000_000)), ..good() };
            let draft = billing::DisputeLineRequest { invoice: n.draft_invoice.clone(), ..good() };
            vec![
                Case::invalid("everything", shapeless.encode_to_vec(), &["line_number", "amount", "reason"]),
                Case::invalid("another currency", foreign.encode_to_vec(), &["amount"]),
                Case::new(
                    "a line that is not there",
                    absent.encode_to_vec(),
                    Code::NotFound,
                    "RESOURCE_NOT_FOUND",
                    &[],
                ),
                too_much("more than the line", more.encode_to_vec()),
                owed("a draft", draft),
            ]
        }
        "ResolveDispute" => {
            let shapeless = billing::ResolveDisputeRequest {
                name: n.dispute.clone(),
                outcome: 9,
                reason: " ".to_owned(),
                request_id: request_id(),
                ..Default::default()
            };
            vec![Case::invalid("everything", shapeless.encode_to_vec(), &["outcome", "reason"])]
        }
        _ => {
            let ask = billing::ListDisputesRequest {
                parent: n.operator.clone(),
                invoice: n.operator.clone(),
                ..Default::default()
            };
            vec![Case::invalid("every filter", ask.encode_to_vec(), &["invoice"])]
        }
    }
}

pub(super) fn payments(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "RecordPayment" => records(n),
        "AllocatePayment" => allocations(n),
        "RefundPayment" => refunds(n),
        _ => {
            let ask = billing::ListPaymentsRequest {
                parent: n.operator.clone(),
                account: n.operator.clone(),
                ..Default::default()
            };
            vec![Case::invalid("every filter", ask.encode_to_vec(), &["account"])]
        }
    }
}

fn records(n: &Names) -> Vec<Case> {
    let good = || billing::RecordPaymentRequest { validate_only: false, ..record(&n.account) };
    let with = |change: fn(&mut billing::RecordPaymentRequest)| {
        let mut ask = good();
        change(&mut ask);
        ask.encode_to_vec()
    };
    let all = with(|ask| {
        ask.bank_reference = " ".to_owned();
        ask.value_date = NO_DAY;
        ask.amount = Some(usd(0));
        ask.note = "n".repeat(501);
    });
    let mut foreign = good();
    foreign.amount = euros();
    vec![
        Case::invalid("everything", all, &["bank_reference", "value_date", "amount", "note"]),
        Case::invalid("tomorrow", with(|ask| ask.value_date = Some(date("2027-01-03"))), &["value_date"]),
        Case::invalid(
            "a promise of no lease",
            with(|ask| ask.credit_support_id = "backstop".to_owned()),
            &["credit_support_id"],
        ),
        Case::invalid("another currency", foreign.encode_to_vec(), &["amount"]),
        Case::new(
            "a reference that is recorded",
            with(|ask| ask.bank_reference = "bad input wire".to_owned()),
            Code::AlreadyExists,
            "NAME_TAKEN",
            &[],
        ),
    ]
}

fn allocations(n: &Names) -> Vec<Case> {
    let of = |parts: Vec<(&str, Option<Money>)>| {
        let allocations = parts.into_iter().map(|(invoice, amount)| billing::PaymentAllocation {
            invoice: invoice.to_owned(),
            amount,
            posting_date: None,
        });
        billing::AllocatePaymentRequest {
            name: n.payment.clone(),
            allocations: allocations.collect(),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let foreign = n.open_invoice.replace("acme", "zenith");
    let absent = n.account.replace("accounts", "invoices");
    vec![
        Case::invalid(
            "everything",
            of(vec![("", Some(usd(0)))]),
            &["allocations[0].invoice", "allocations[0].amount"],
        ),
        Case::invalid(
            "an invoice twice",
            of(vec![(&n.open_invoice, None), (&n.open_invoice, None)]),
            &["allocations"],
        ),
        Case::invalid("of another operator", of(vec![(&foreign, None)]), &["allocations[0].invoice"]),
        Case::invalid("another currency", of(vec![(&n.open_invoice, euros())]), &["allocations[0].amount"]),
        Case::new("no such invoice", of(vec![(&absent, None)]), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
        Case::new("a draft", of(vec![(&n.draft_invoice, None)]), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
        too_much("more than is left", of(vec![(&n.open_invoice, Some(usd(901)))])),
    ]
}

fn refunds(n: &Names) -> Vec<Case> {
    let ask = |reference: &str, amount: Option<Money>| {
        billing::RefundPaymentRequest {
            name: n.payment.clone(),
            bank_reference: reference.to_owned(),
            amount,
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    vec![
        Case::invalid("everything", ask("", Some(usd(0))), &["bank_reference", "amount"]),
        Case::invalid("another currency", ask("back", euros()), &["amount"]),
        too_much("more than is left", ask("back", Some(usd(901)))),
    ]
}
