//! Requests about what becomes of issued invoices.

use contracts::billing::v1 as billing;
use contracts::common::v1 as common;
use contracts::google::r#type::Money;
use prost::Message as _;

use crate::market::{date, request_id};
use crate::world::Names;

/// So many dollars.
#[must_use]
pub fn usd(units: i64) -> Money {
    Money { currency_code: "USD".to_owned(), units, nanos: 0 }
}

/// Takes a dollar of the first line back.
#[must_use]
pub fn credit(invoice: &str) -> billing::CreateCreditNoteRequest {
    billing::CreateCreditNoteRequest {
        name: invoice.to_owned(),
        lines: vec![billing::CreditNoteLine { line_number: 1, amount: Some(usd(1)) }],
        reason: "a mistake".to_owned(),
        rebill: false,
        etag: String::new(),
        request_id: request_id(),
        validate_only: true,
    }
}

/// Disputes a dollar of the first line.
#[must_use]
pub fn dispute(invoice: &str) -> billing::DisputeLineRequest {
    billing::DisputeLineRequest {
        invoice: invoice.to_owned(),
        line_number: 1,
        amount: Some(usd(1)),
        reason: "the hall was dark".to_owned(),
        request_id: request_id(),
        validate_only: true,
    }
}

/// A thousand dollars that came on the second of January.
#[must_use]
pub fn record(account: &str) -> billing::RecordPaymentRequest {
    billing::RecordPaymentRequest {
        parent: account.to_owned(),
        bank_reference: "wire-0001".to_owned(),
        value_date: Some(date("2027-01-02")),
        amount: Some(usd(1_000)),
        note: "by wire".to_owned(),
        lease: String::new(),
        credit_support_id: String::new(),
        allocate_oldest_first: false,
        request_id: request_id(),
        validate_only: true,
    }
}

/// So many dollars to one account of the ledger from another.
fn sides(units: i64) -> Vec<billing::JournalLine> {
    let side = |ledger_account: &str, units| billing::JournalLine {
        ledger_account: ledger_account.to_owned(),
        account: String::new(),
        amount: Some(usd(units)),
    };
    vec![side("power_expense", units), side("accrued_expense", -units)]
}

/// A bill for power that came late.
#[must_use]
pub fn journal(operator: &str) -> billing::PostJournalRequest {
    billing::PostJournalRequest {
        parent: operator.to_owned(),
        journal: Some(billing::Journal {
            posting_date: Some(date("2027-01-02")),
            lines: sides(1_000),
            description: "power of December".to_owned(),
        }),
        reason: "the bill came late".to_owned(),
        request_id: request_id(),
        validate_only: true,
    }
}

/// Power of a month that is not billed yet.
#[must_use]
pub fn accrual(operator: &str, month: i32, units: i64) -> billing::PostAccrualRequest {
    billing::PostAccrualRequest {
        parent: operator.to_owned(),
        month: Some(billing::BillingMonth { year: 2027, month }),
        lines: sides(units),
        description: "power not yet billed".to_owned(),
        request_id: request_id(),
        validate_only: true,
    }
}

/// A broker's commission on a lease, earned by its signing.
#[must_use]
pub fn commission(operator: &str, lease: &str) -> billing::RecordCommissionRequest {
    billing::RecordCommissionRequest {
        parent: operator.to_owned(),
        commission: Some(billing::Commission {
            lease: lease.to_owned(),
            payee: "Broker LLC".to_owned(),
            amount: Some(usd(30_000)),
            trigger: billing::CommissionTrigger::Signing.into(),
            earn_date: Some(date("2026-12-01")),
            reference: "commission-0001".to_owned(),
            ..Default::default()
        }),
        reason: "as agreed with the broker".to_owned(),
        request_id: request_id(),
        validate_only: true,
    }
}

/// A thousand dollars of a commission, paid on the second of January.
#[must_use]
pub fn pay_commission(name: &str) -> billing::PayCommissionRequest {
    billing::PayCommissionRequest {
        name: name.to_owned(),
        bank_reference: "out-0001".to_owned(),
        value_date: Some(date("2027-01-02")),
        amount: Some(usd(1_000)),
        request_id: request_id(),
        validate_only: true,
    }
}

/// A hundred dollars of what was paid of a commission, which came back on the second of January.
#[must_use]
pub fn return_commission(name: &str) -> billing::ReturnCommissionRequest {
    billing::ReturnCommissionRequest {
        name: name.to_owned(),
        bank_reference: "in-0001".to_owned(),
        value_date: Some(date("2027-01-02")),
        amount: Some(usd(100)),
        request_id: request_id(),
        validate_only: true,
    }
}

/// Takes a commission back.
#[must_use]
pub fn reverse_commission(name: &str) -> billing::ReverseCommissionRequest {
    billing::ReverseCommissionRequest {
        name: name.to_owned(),
        reason: "a digit too many".to_owned(),
        request_id: request_id(),
        validate_only: true,
    }
}

/// Where to pay in dollars from now on.
#[must_use]
pub fn pay_to(operator: &str) -> billing::ProposePaymentInstructionsRequest {
    billing::ProposePaymentInstructionsRequest {
        parent: operator.to_owned(),
        payment_instructions: Some(billing::PaymentInstructions {
            currency_code: "USD".to_owned(),
            account_holder: "Acme Power LLC".to_owned(),
            bank_name: "First Bank of Texas".to_owned(),
            account_number: "000123456789".to_owned(),
            bic: "FBTXUS44".to_owned(),
            routing_number: "021000021".to_owned(),
            bank_address: "1 Main Street, Austin, Texas".to_owned(),
            reference: "Power of River Bend".to_owned(),
            ..Default::default()
        }),
        reason: "the bank has changed".to_owned(),
        request_id: request_id(),
        validate_only: true,
    }
}

fn instructions(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "PaymentService/ProposePaymentInstructions" => pay_to(&n.operator).encode_to_vec(),
        "PaymentService/GetPaymentInstructions" => {
            billing::GetPaymentInstructionsRequest { name: n.payment_instructions.clone() }.encode_to_vec()
        }
        "PaymentService/ListPaymentInstructions" => {
            billing::ListPaymentInstructionsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}

fn commissions(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "BooksService/RecordCommission" => commission(&n.operator, &n.active).encode_to_vec(),
        "BooksService/PayCommission" => pay_commission(&n.commission).encode_to_vec(),
        "BooksService/ReturnCommission" => return_commission(&n.commission).encode_to_vec(),
        "BooksService/ReverseCommission" => reverse_commission(&n.commission).encode_to_vec(),
        "BooksService/GetCommission" => {
            billing::GetCommissionRequest { name: n.commission.clone() }.encode_to_vec()
        }
        "BooksService/ListCommissions" => {
            billing::ListCommissionsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}

pub(super) fn books(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (parent, etag, request_id) = (n.operator.clone(), String::new(), request_id());
    let month = |year, month| Some(billing::BillingMonth { year, month });
    Some(match method {
        "AccountService/GetStatement" => billing::GetStatementRequest {
            name: n.account.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2027-02-01")),
        }
        .encode_to_vec(),
        "AccountService/RenderStatement" => billing::RenderStatementRequest {
            name: n.account.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2027-02-01")),
            format: common::DocumentFormat::Html.into(),
        }
        .encode_to_vec(),
        "BooksService/GetBooks" => billing::GetBooksRequest { parent }.encode_to_vec(),
        "BooksService/ClosePeriod" => billing::ClosePeriodRequest {
            parent,
            month: month(2026, 12),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "BooksService/ReopenPeriod" => billing::ReopenPeriodRequest {
            parent,
            month: month(2026, 11),
            reason: "a bill of November".to_owned(),
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "BooksService/PostJournal" => journal(&parent).encode_to_vec(),
        "BooksService/PostAccrual" => accrual(&parent, 1, 1_000).encode_to_vec(),
        "BooksService/WriteOff" => billing::WriteOffRequest {
            name: n.open_invoice.clone(),
            reason: "insolvent".to_owned(),
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "BooksService/ApproveVoucher" => {
            billing::ApproveVoucherRequest { name: n.voucher.clone(), etag, request_id, validate_only: true }
                .encode_to_vec()
        }
        "BooksService/RejectVoucher" => billing::RejectVoucherRequest {
            name: n.other_voucher.clone(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "BooksService/GetVoucher" => billing::GetVoucherRequest { name: n.voucher.clone() }.encode_to_vec(),
        "BooksService/ListVouchers" => {
            billing::ListVouchersRequest { parent, ..Default::default() }.encode_to_vec()
        }
        _ => return commissions(method, n),
    })
}

pub(super) fn reports(method: &str, n: &Names) -> Option<Vec<u8>> {
    let parent = n.operator.clone();
    let month = |year, month| Some(billing::BillingMonth { year, month });
    Some(match method {
        "ReportService/GetRevenueSchedule" => billing::GetRevenueScheduleRequest {
            parent,
            lease: n.active.clone(),
            start_month: month(2027, 1),
            end_month: month(2027, 12),
        }
        .encode_to_vec(),
        "ReportService/GetBacklog" => {
            billing::GetBacklogRequest { parent, start_month: month(2027, 1), end_month: month(2027, 12) }
                .encode_to_vec()
        }
        "ReportService/GetAdvanceRollForward" => billing::GetAdvanceRollForwardRequest {
            parent,
            start_month: month(2027, 1),
            end_month: month(2027, 12),
        }
        .encode_to_vec(),
        "ReportService/GetCommissionRollForward" => billing::GetCommissionRollForwardRequest {
            parent,
            start_month: month(2027, 1),
            end_month: month(2027, 12),
        }
        .encode_to_vec(),
        "ReportService/GetMaturityAnalysis" => {
            billing::GetMaturityAnalysisRequest { parent, start_date: None }.encode_to_vec()
        }
        "ReportService/GetExposure" => {
            billing::GetExposureRequest { parent, as_of_date: None }.encode_to_vec()
        }
        "ReportService/GetContractedCapacity" => {
            billing::GetContractedCapacityRequest { parent, as_of_date: None }.encode_to_vec()
        }
        "ReportService/ExportReport" => billing::ExportReportRequest {
            parent,
            report: billing::ReportKind::TrialBalance.into(),
            ..Default::default()
        }
        .encode_to_vec(),
        "ReportService/GetReceivablesAging" => {
            billing::GetReceivablesAgingRequest { parent, as_of_date: Some(date("2027-06-30")) }
                .encode_to_vec()
        }
        _ => return None,
    })
}

pub(super) fn money(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (parent, etag, request_id) = (n.operator.clone(), String::new(), request_id());
    Some(match method {
        "InvoiceService/VoidInvoice" => billing::VoidInvoiceRequest {
            name: n.spare_invoice.clone(),
            reason: "of another lease".to_owned(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "InvoiceService/CreateCreditNote" => credit(&n.open_invoice).encode_to_vec(),
        "InvoiceService/GetCreditNote" => {
            billing::GetCreditNoteRequest { name: n.credit_note.clone() }.encode_to_vec()
        }
        "InvoiceService/ListCreditNotes" => {
            billing::ListCreditNotesRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "DisputeService/DisputeLine" => dispute(&n.open_invoice).encode_to_vec(),
        "DisputeService/ResolveDispute" => billing::ResolveDisputeRequest {
            name: n.dispute.clone(),
            outcome: billing::DisputeOutcome::Rejected.into(),
            reason: "the meter was right".to_owned(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "DisputeService/GetDispute" => billing::GetDisputeRequest { name: n.dispute.clone() }.encode_to_vec(),
        "DisputeService/ListDisputes" => {
            billing::ListDisputesRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "PaymentService/RecordPayment" => record(&n.account).encode_to_vec(),
        "PaymentService/AllocatePayment" => billing::AllocatePaymentRequest {
            name: n.payment.clone(),
            allocations: vec![billing::PaymentAllocation {
                invoice: n.open_invoice.clone(),
                amount: Some(usd(1)),
                posting_date: None,
            }],
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "PaymentService/RefundPayment" => billing::RefundPaymentRequest {
            name: n.payment.clone(),
            bank_reference: "back-0001".to_owned(),
            amount: Some(usd(1)),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "PaymentService/GetPayment" => billing::GetPaymentRequest { name: n.payment.clone() }.encode_to_vec(),
        "PaymentService/ListPayments" => {
            billing::ListPaymentsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        _ => return instructions(method, n),
    })
}
