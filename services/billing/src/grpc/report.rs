//! Reports to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{
    AccountName, CivilDate, Error, InvoiceName, OperatorId, OperatorName, OperatorParent, Violations,
};
use runtime::wire::{optional_date, to_date, to_money, to_timestamp};

use super::lists::{Maybe, list_request};
use crate::app::{ListEntries, Listed};
use crate::domain::ledger::{EntryFilter, PostedEntry};
use crate::domain::ledger_account::LedgerAccount;
use crate::domain::trial_balance::{TrialBalance, TrialBalanceRow};

pub(super) fn balance(
    request: &wire::GetTrialBalanceRequest,
) -> Result<(OperatorId, Option<CivilDate>), Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let as_of = optional_date(&mut v, "as_of_date", request.as_of_date.as_ref());
    v.build(|| Some((parent?.operator, as_of?)))
}

pub(super) fn entries(request: &wire::ListLedgerEntriesRequest) -> Result<ListEntries, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let ledger_account = v.parse_optional("ledger_account", &request.ledger_account, |text| {
        text.parse::<LedgerAccount>().map_err(|_| "is not an account of the ledger")
    });
    let invoice = v.parse_optional("invoice", &request.invoice, str::parse::<InvoiceName>);
    let foreign = invoice.as_ref().zip(parent.as_ref()).is_some_and(|(i, p)| i.operator != p.operator);
    v.require("invoice", !foreign, "must be an invoice of the parent");
    let all = parent.as_ref().map(|name| OperatorParent::One(name.operator.clone()));
    let page = (request.page_size, request.page_token.as_str());
    let filters: [&dyn std::fmt::Display; 2] = [&Maybe(ledger_account), &Maybe(invoice.as_ref())];
    let list = list_request(&mut v, all, page, &filters);
    v.build(|| {
        Some(ListEntries {
            operator: parent?.operator,
            list: list?,
            filter: EntryFilter { ledger_account, invoice: invoice.map(|name| name.invoice) },
        })
    })
}

/// `None` when a sum does not fit, which a ledger that balances has not.
pub(super) fn balanced(balance: &TrialBalance) -> Option<wire::GetTrialBalanceResponse> {
    let row = |debit, credit| wire::TrialBalanceRow {
        debit: Some(to_money(debit)),
        credit: Some(to_money(credit)),
        ..Default::default()
    };
    let of_account = |r: &TrialBalanceRow| wire::TrialBalanceRow {
        ledger_account: r.ledger_account.as_str().to_owned(),
        jurisdiction: r.jurisdiction.clone().unwrap_or_default(),
        ..row(r.debits, r.credits)
    };
    Some(wire::GetTrialBalanceResponse {
        rows: balance.rows.iter().map(of_account).collect(),
        totals: balance.totals()?.into_iter().map(|t| row(t.debits, t.credits)).collect(),
    })
}

pub(super) fn listed(listed: Listed<PostedEntry>) -> wire::ListLedgerEntriesResponse {
    wire::ListLedgerEntriesResponse {
        entries: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

fn to_wire(entry: &PostedEntry) -> wire::LedgerEntry {
    wire::LedgerEntry {
        entry_id: entry.id.to_string(),
        transaction_id: entry.transaction.to_string(),
        ledger_account: entry.ledger_account.as_str().to_owned(),
        amount: Some(to_money(entry.amount)),
        posting_date: Some(to_date(entry.posting_date)),
        account: entry
            .account
            .map(|id| AccountName::new(entry.operator.clone(), id).to_string())
            .unwrap_or_default(),
        invoice: entry
            .invoice
            .map(|id| InvoiceName::new(entry.operator.clone(), id).to_string())
            .unwrap_or_default(),
        description: entry.description.clone(),
        create_time: Some(to_timestamp(entry.create_time)),
        jurisdiction: entry.jurisdiction.clone().unwrap_or_default(),
        invoice_number: entry.invoice_number.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
