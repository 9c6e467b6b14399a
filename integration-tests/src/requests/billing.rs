//! Requests about accounts, invoices and the ledger.

use contracts::billing::v1 as billing;
use contracts::common::v1 as common;
use prost::Message as _;

use crate::market::{date, request_id};
use crate::world::Names;

pub(super) fn bills(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (parent, etag, request_id) = (n.operator.clone(), String::new(), request_id());
    let (page_size, page_token) = (0, String::new());
    Some(match method {
        "AccountService/GetAccount" => billing::GetAccountRequest { name: n.account.clone() }.encode_to_vec(),
        "AccountService/ListAccounts" => {
            billing::ListAccountsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "InvoiceService/SimulateBilling" => {
            billing::SimulateBillingRequest { lease: n.active.clone(), days_late: 20, ..Default::default() }
                .encode_to_vec()
        }
        "InvoiceService/PreviewInvoices" => billing::PreviewInvoicesRequest {
            lease: n.active.clone(),
            through_date: Some(date("2027-12-31")),
            until_end: false,
        }
        .encode_to_vec(),
        "InvoiceService/StartBillingRun" => billing::StartBillingRunRequest {
            parent,
            billing_month: Some(billing::BillingMonth { year: 2027, month: 3 }),
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "InvoiceService/GetBillingRun" => {
            billing::GetBillingRunRequest { name: n.draft_run.clone() }.encode_to_vec()
        }
        "InvoiceService/ListBillingRuns" => {
            billing::ListBillingRunsRequest { parent, page_size, page_token }.encode_to_vec()
        }
        "InvoiceService/IssueBillingRun" => billing::IssueBillingRunRequest {
            name: n.draft_run.clone(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "InvoiceService/GetInvoice" => {
            billing::GetInvoiceRequest { name: n.open_invoice.clone() }.encode_to_vec()
        }
        "InvoiceService/ListInvoices" => {
            billing::ListInvoicesRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "InvoiceService/IssueInvoice" => billing::IssueInvoiceRequest {
            name: n.draft_invoice.clone(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "InvoiceService/RenderInvoice" => billing::RenderInvoiceRequest {
            name: n.open_invoice.clone(),
            format: common::DocumentFormat::Html.into(),
        }
        .encode_to_vec(),
        "ReportService/GetTrialBalance" => {
            billing::GetTrialBalanceRequest { parent, as_of_date: None }.encode_to_vec()
        }
        "ReportService/ListLedgerEntries" => {
            billing::ListLedgerEntriesRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "EventService/WatchEvents" => {
            billing::WatchEventsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    })
}
