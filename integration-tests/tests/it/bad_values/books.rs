//! Bad closes, journals and write-offs, and reports of nothing.

use contracts::billing::v1 as billing;
use integration_tests::market::{date, request_id};
use integration_tests::requests::money::{accrual, journal, usd};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use super::money::euros;
use crate::bad_input::Case;

pub(super) fn books(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "ClosePeriod" => close(n),
        "ReopenPeriod" => reopen(n),
        "PostJournal" => journals(n),
        "PostAccrual" => accruals(n),
        _ => write_off(n),
    }
}

fn close(n: &Names) -> Vec<Case> {
    let ask = |year, month| {
        billing::ClosePeriodRequest {
            parent: n.operator.clone(),
            month: Some(billing::BillingMonth { year, month }),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let refused =
        |what: &str, message| Case::new(what, message, Code::FailedPrecondition, "PERIOD_CLOSED", &[]);
    vec![
        Case::invalid("no month", ask(2026, 13), &["month"]),
        refused("one that is closed", ask(2026, 11)),
        refused("one that has not ended", ask(2027, 1)),
    ]
}

fn reopen(n: &Names) -> Vec<Case> {
    let ask = |month, reason: &str| {
        billing::ReopenPeriodRequest {
            parent: n.operator.clone(),
            month,
            reason: reason.to_owned(),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let open = Some(billing::BillingMonth { year: 2026, month: 12 });
    vec![
        Case::invalid("everything", ask(None, ""), &["month", "reason"]),
        Case::new(
            "one that is open",
            ask(open, "why"),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
            &[],
        ),
    ]
}

/// Lines that are wrong each in its own way.
fn wrong_lines(n: &Names) -> Vec<billing::JournalLine> {
    let line = |ledger_account: &str, account: &str, amount| billing::JournalLine {
        ledger_account: ledger_account.to_owned(),
        account: account.to_owned(),
        amount,
    };
    vec![line("slush", &n.account.replace("acme", "zenith"), None), line("", "", euros())]
}

fn journals(n: &Names) -> Vec<Case> {
    let of = |change: &dyn Fn(&mut billing::Journal)| {
        let mut ask = billing::PostJournalRequest { validate_only: false, ..journal(&n.operator) };
        change(ask.journal.get_or_insert_default());
        ask
    };
    let mut all = of(&|journal| {
        journal.posting_date = NO_DAY;
        journal.lines = wrong_lines(n);
        journal.description = " ".to_owned();
    });
    all.reason = String::new();
    let fields = [
        "journal.posting_date",
        "journal.lines[0].ledger_account",
        "journal.lines[0].account",
        "journal.lines[0].amount",
        "journal.lines[1].ledger_account",
        "journal.description",
        "reason",
    ];
    let askew = of(&|journal| journal.lines[0].amount = Some(usd(999)));
    let receivable = of(&|journal| journal.lines[0].ledger_account = "accounts_receivable".to_owned());
    let absent = n.account.rsplit_once('/').map_or("", |(above, _)| above);
    let absent = of(&|journal| journal.lines[0].account = format!("{absent}/{}", request_id()));
    let closed = of(&|journal| journal.posting_date = Some(date("2026-11-30")));
    vec![
        Case::invalid("everything", all.encode_to_vec(), &fields),
        Case::invalid(
            "one side",
            of(&|journal| journal.lines.truncate(1)).encode_to_vec(),
            &["journal.lines"],
        ),
        Case::invalid("askew", askew.encode_to_vec(), &["journal.lines"]),
        Case::invalid("receivables", receivable.encode_to_vec(), &["journal.lines[0].ledger_account"]),
        Case::new("no such account", absent.encode_to_vec(), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
        Case::new("a closed day", closed.encode_to_vec(), Code::FailedPrecondition, "PERIOD_CLOSED", &[]),
    ]
}

fn accruals(n: &Names) -> Vec<Case> {
    let good = || billing::PostAccrualRequest { validate_only: false, ..accrual(&n.operator, 1, 1_000) };
    let all = billing::PostAccrualRequest {
        month: None,
        lines: wrong_lines(n),
        description: "d".repeat(501),
        ..good()
    };
    let fields = [
        "month",
        "lines[0].ledger_account",
        "lines[0].account",
        "lines[0].amount",
        "lines[1].ledger_account",
        "description",
    ];
    let mut askew = good();
    askew.lines[0].amount = Some(usd(1));
    let closed = Some(billing::BillingMonth { year: 2026, month: 11 });
    let closed = billing::PostAccrualRequest { month: closed, ..good() };
    vec![
        Case::invalid("everything", all.encode_to_vec(), &fields),
        Case::invalid("askew", askew.encode_to_vec(), &["lines"]),
        Case::new("a closed month", closed.encode_to_vec(), Code::FailedPrecondition, "PERIOD_CLOSED", &[]),
    ]
}

fn write_off(n: &Names) -> Vec<Case> {
    let ask = |name: &str, reason: &str| {
        billing::WriteOffRequest {
            name: name.to_owned(),
            reason: reason.to_owned(),
            request_id: request_id(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    vec![
        Case::invalid("no reason", ask(&n.open_invoice, ""), &["reason"]),
        Case::new(
            "a draft",
            ask(&n.draft_invoice, "why"),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
            &[],
        ),
    ]
}

pub(super) fn reports(method: &str, n: &Names) -> Vec<Case> {
    if method == "GetReceivablesAging" {
        let ask = billing::GetReceivablesAgingRequest { parent: n.operator.clone(), as_of_date: NO_DAY };
        return vec![Case::invalid("no day", ask.encode_to_vec(), &["as_of_date"])];
    }
    let (early, late) = (Some(date("2027-01-01")), Some(date("2038-01-01")));
    let printed = method == "RenderStatement";
    // The two requests are of one form, but for the format.
    let render = |start_date, end_date, format| {
        let name = n.account.clone();
        billing::RenderStatementRequest { name, start_date, end_date, format }.encode_to_vec()
    };
    let ask = |start, end| render(start, end, i32::from(printed));
    let mut cases = vec![
        Case::invalid("no days", ask(NO_DAY, None), &["start_date", "end_date"]),
        Case::invalid("backwards", ask(late, early), &["end_date"]),
        Case::invalid("too long", ask(early, late), &["end_date"]),
    ];
    if printed {
        cases.push(Case::invalid("no format", render(early, early, 0), &["end_date", "format"]));
        cases.push(Case::invalid(
            "a format of nobody's",
            render(NO_DAY, late, 99),
            &["start_date", "format"],
        ));
    }
    cases
}

pub(super) fn by_month(method: &str, n: &Names) -> Vec<Case> {
    let month = |year, month| Some(billing::BillingMonth { year, month });
    let ask = |lease: &str, start_month, end_month| {
        let parent = n.operator.clone();
        if method == "GetAdvanceRollForward" {
            return billing::GetAdvanceRollForwardRequest { parent, start_month, end_month }.encode_to_vec();
        }
        if method == "GetCommissionRollForward" {
            return billing::GetCommissionRollForwardRequest { parent, start_month, end_month }
                .encode_to_vec();
        }
        if method == "GetBacklog" {
            return billing::GetBacklogRequest { parent, start_month, end_month }.encode_to_vec();
        }
        let lease = lease.to_owned();
        billing::GetRevenueScheduleRequest { parent, lease, start_month, end_month }.encode_to_vec()
    };
    let mut cases = vec![
        Case::invalid("no months", ask("", None, month(2027, 13)), &["start_month", "end_month"]),
        Case::invalid("backwards", ask("", month(2027, 2), month(2027, 1)), &["end_month"]),
        Case::invalid("too long", ask("", month(2027, 1), month(2077, 1)), &["end_month"]),
    ];
    if method == "GetRevenueSchedule" {
        let foreign = n.active.replace("acme", "zenith");
        cases.push(Case::invalid("of another", ask(&foreign, month(2027, 1), month(2027, 2)), &["lease"]));
        let papered = ask(&n.proposed, month(2027, 1), month(2027, 2));
        cases.push(Case::new("not in force", papered, Code::NotFound, "RESOURCE_NOT_FOUND", &[]));
    }
    cases
}

pub(super) fn of_day(method: &str, n: &Names) -> Vec<Case> {
    let parent = n.operator.clone();
    match method {
        "GetMaturityAnalysis" => {
            let ask = billing::GetMaturityAnalysisRequest { parent, start_date: NO_DAY };
            vec![Case::invalid("no day", ask.encode_to_vec(), &["start_date"])]
        }
        "GetExposure" => {
            let ask = billing::GetExposureRequest { parent, as_of_date: NO_DAY };
            vec![Case::invalid("no day", ask.encode_to_vec(), &["as_of_date"])]
        }
        "GetContractedCapacity" => {
            let ask = billing::GetContractedCapacityRequest { parent, as_of_date: NO_DAY };
            vec![Case::invalid("no day", ask.encode_to_vec(), &["as_of_date"])]
        }
        _ => {
            let ask = |report: billing::ReportKind, change: fn(&mut billing::ExportReportRequest)| {
                let parent = n.operator.clone();
                let mut ask =
                    billing::ExportReportRequest { parent, report: report.into(), ..Default::default() };
                change(&mut ask);
                ask.encode_to_vec()
            };
            let months = ask(billing::ReportKind::TrialBalance, |ask| {
                ask.start_month = Some(billing::BillingMonth { year: 2027, month: 1 });
            });
            vec![
                Case::invalid("which", ask(billing::ReportKind::Unspecified, |_| ()), &["report"]),
                Case::invalid("months of a day", months, &["start_month"]),
                Case::invalid(
                    "a day of months",
                    ask(billing::ReportKind::Backlog, |ask| ask.as_of_date = Some(date("2027-01-01"))),
                    &["as_of_date", "start_month", "end_month"],
                ),
            ]
        }
    }
}
