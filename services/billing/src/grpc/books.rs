//! Books and vouchers to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use contracts::billing::v1::voucher::Content as WireContent;
use kernel::{
    AccountName, CommissionName, Error, InvoiceName, OperatorId, OperatorName, OperatorParent, Violations,
    VoucherName,
};
use runtime::wire::{date, money, optional_known, request_id, to_date, to_money, to_timestamp};

use super::commission::facts_to_wire;
use super::credit_note::reason;
use super::invoice::{etag, month, to_month};
use super::lists::{Maybe, list_request};
use super::payment_instructions::details_to_wire;
use crate::app::{Accrued, ClosePeriod, Closed, Decide, ListVouchers, Listed, PostAccrual, Propose, etag_of};
use crate::domain::books::{Books, Journal, JournalLine};
use crate::domain::ledger_account::LedgerAccount;
use crate::domain::voucher::{Content, Voucher, VoucherState};

const DESCRIPTION_CHARS: usize = 500;
const LINES_MAX: usize = 100;

pub(super) fn operator(parent: &str) -> Result<OperatorId, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", parent, str::parse::<OperatorName>);
    v.build(|| Some(parent?.operator))
}

pub(super) fn close(request: &wire::ClosePeriodRequest) -> Result<ClosePeriod, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let month = month(&mut v, "month", request.month.as_ref());
    let etag = etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(ClosePeriod {
            operator: parent?.operator,
            month: month?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn closed(closed: &Closed) -> wire::ClosePeriodResponse {
    wire::ClosePeriodResponse {
        books: Some(to_wire(&closed.books)),
        draft_invoice_count: i32::try_from(closed.drafts).unwrap_or(i32::MAX),
        proposed_voucher_count: i32::try_from(closed.vouchers).unwrap_or(i32::MAX),
    }
}

pub(super) fn reopen(request: &wire::ReopenPeriodRequest) -> Result<Propose, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let month = month(&mut v, "month", request.month.as_ref());
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(Propose {
            operator: parent?.operator,
            content: Content::ReopenPeriod { month: month? },
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn journal(request: &wire::PostJournalRequest) -> Result<Propose, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let operator = parent.map(|name| name.operator);
    let journal = v.present("journal", request.journal.as_ref()).and_then(|journal| {
        v.nested("journal", |v| {
            let posting_date = date(v, "posting_date", journal.posting_date.as_ref());
            let lines = lines(v, &journal.lines, operator.as_ref());
            let description = description(v, &journal.description);
            Some(Journal { posting_date: posting_date?, lines: lines?, description: description? })
        })
    });
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(Propose {
            operator: operator?,
            content: Content::Journal { journal: journal? },
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn accrue(request: &wire::PostAccrualRequest) -> Result<PostAccrual, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let operator = parent.map(|name| name.operator);
    let month = month(&mut v, "month", request.month.as_ref());
    let lines = lines(&mut v, &request.lines, operator.as_ref());
    let description = description(&mut v, &request.description);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(PostAccrual {
            operator: operator?,
            month: month?,
            lines: lines?,
            description: description?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn accrued(accrued: &Accrued) -> wire::PostAccrualResponse {
    let id = |id: kernel::LedgerTransactionId| if accrued.tried_out { String::new() } else { id.to_string() };
    wire::PostAccrualResponse {
        transaction_id: id(accrued.accrual),
        posting_date: Some(to_date(accrued.posting_date)),
        reversal_transaction_id: id(accrued.reversal),
        reversal_date: Some(to_date(accrued.reversal_date)),
    }
}

fn description(v: &mut Violations, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        v.add("description", "is required");
        return None;
    }
    v.text("description", text, DESCRIPTION_CHARS)
}

fn lines(
    v: &mut Violations,
    lines: &[wire::JournalLine],
    operator: Option<&OperatorId>,
) -> Option<Vec<JournalLine>> {
    v.require("lines", (2..=LINES_MAX).contains(&lines.len()), "must be 2 to 100 lines");
    v.each("lines", lines.iter().take(LINES_MAX), |v, line| {
        let ledger_account = v.parse("ledger_account", &line.ledger_account, |text| {
            text.parse::<LedgerAccount>().map_err(|_| "is not an account of the ledger")
        });
        let account = v.parse_optional("account", &line.account, str::parse::<AccountName>);
        let foreign = account.as_ref().zip(operator).is_some_and(|(name, of)| name.operator != *of);
        v.require("account", !foreign, "must be an account of the parent");
        let amount = money(v, "amount", line.amount.as_ref());
        Some(JournalLine {
            ledger_account: ledger_account?,
            account: account.map(|name| name.account),
            amount: amount?,
        })
    })
}

pub(super) fn write_off(request: &wire::WriteOffRequest) -> Result<Propose, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<InvoiceName>);
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let name = name?;
        Some(Propose {
            operator: name.operator,
            content: Content::WriteOff { invoice: name.invoice },
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads a decision: the name, the etag and the request id of it.
pub(super) fn decide(
    (name, etag_text, id): (&str, &str, &str),
    approve: bool,
    validate_only: bool,
) -> Result<Decide, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", name, str::parse::<VoucherName>);
    let etag = etag(&mut v, etag_text);
    let request_id = request_id(&mut v, id);
    v.build(|| Some(Decide { name: name?, approve, etag: etag?, request_id: request_id?, validate_only }))
}

pub(super) fn name(text: &str) -> Result<VoucherName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<VoucherName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListVouchersRequest) -> Result<ListVouchers, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let state = optional_known::<wire::VoucherState>(&mut v, "state", request.state);
    let state = state.map(|state| state.and_then(state_of));
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(state.flatten())]);
    v.build(|| Some(ListVouchers { list: list?, state: state? }))
}

pub(super) fn listed(listed: Listed<Voucher>) -> wire::ListVouchersResponse {
    wire::ListVouchersResponse {
        vouchers: listed.items.iter().map(voucher_to_wire).collect(),
        next_page_token: listed.next,
    }
}

fn state_of(state: wire::VoucherState) -> Option<VoucherState> {
    match state {
        wire::VoucherState::Unspecified => None,
        wire::VoucherState::Proposed => Some(VoucherState::Proposed),
        wire::VoucherState::Approved => Some(VoucherState::Approved),
        wire::VoucherState::Rejected => Some(VoucherState::Rejected),
    }
}

pub(super) fn to_wire(books: &Books) -> wire::Books {
    wire::Books {
        operator: OperatorName::new(books.operator.clone()).to_string(),
        closed_through_date: books.closed_through.map(to_date),
        etag: etag_of(books.version),
    }
}

pub(super) fn voucher_to_wire(voucher: &Voucher) -> wire::Voucher {
    let operator = &voucher.operator;
    let line = |line: &JournalLine| wire::JournalLine {
        ledger_account: line.ledger_account.as_str().to_owned(),
        account: line
            .account
            .map(|id| AccountName::new(operator.clone(), id).to_string())
            .unwrap_or_default(),
        amount: Some(to_money(line.amount)),
    };
    let content = match &voucher.content {
        Content::Journal { journal } => WireContent::Journal(wire::Journal {
            posting_date: Some(to_date(journal.posting_date)),
            lines: journal.lines.iter().map(line).collect(),
            description: journal.description.clone(),
        }),
        Content::WriteOff { invoice } => {
            WireContent::WriteOffInvoice(InvoiceName::new(operator.clone(), *invoice).to_string())
        }
        Content::ReopenPeriod { month } => WireContent::ReopenMonth(to_month(*month)),
        Content::Commission { commission } => {
            WireContent::Commission(Box::new(facts_to_wire(operator, commission)))
        }
        Content::CommissionReversal { commission } => {
            WireContent::ReverseCommission(CommissionName::new(operator.clone(), *commission).to_string())
        }
        Content::PaymentInstructions { instructions } => {
            WireContent::PaymentInstructions(Box::new(details_to_wire(instructions)))
        }
    };
    let state = match voucher.state {
        VoucherState::Proposed => wire::VoucherState::Proposed,
        VoucherState::Approved => wire::VoucherState::Approved,
        VoucherState::Rejected => wire::VoucherState::Rejected,
    };
    let decided = voucher.decided.as_ref();
    wire::Voucher {
        name: voucher.name().to_string(),
        content: Some(content),
        reason: voucher.reason.clone(),
        state: state.into(),
        author: voucher.author.clone(),
        decider: decided.map(|(by, _)| by.clone()).unwrap_or_default(),
        etag: etag_of(voucher.version),
        create_time: Some(to_timestamp(voucher.create_time)),
        decide_time: decided.map(|(_, time)| to_timestamp(*time)),
    }
}

/// A voucher that is only tried out has no name.
pub(super) fn nameless_if(tried: bool, voucher: &Voucher) -> wire::Voucher {
    let told = voucher_to_wire(voucher);
    if tried {
        wire::Voucher { name: String::new(), etag: String::new(), create_time: None, ..told }
    } else {
        told
    }
}
