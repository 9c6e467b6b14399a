//! Billing runs to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{BillingRunName, BlockName, Error, OperatorName, OperatorParent, Violations};
use runtime::wire::{request_id, to_money, to_timestamp};

use super::invoice;
use super::lists::list_request;
use crate::app::{IssueBillingRun, ListRuns, Listed, RunView, StartBillingRun, etag_of};
use crate::domain::lease::BlockRef;
use crate::domain::run::{BillingRun, Problem, RunState};

pub(super) fn name(text: &str) -> Result<BillingRunName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<BillingRunName>);
    v.build(|| name)
}

pub(super) fn start(request: &wire::StartBillingRunRequest) -> Result<StartBillingRun, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let month = invoice::month(&mut v, "billing_month", request.billing_month.as_ref());
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(StartBillingRun {
            operator: parent?.operator,
            month: month?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn issue(request: &wire::IssueBillingRunRequest) -> Result<IssueBillingRun, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<BillingRunName>);
    let etag = invoice::etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(IssueBillingRun {
            name: name?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn list(request: &wire::ListBillingRunsRequest) -> Result<ListRuns, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let list = list_request(&mut v, parent, (request.page_size, &request.page_token), &[]);
    v.build(|| Some(ListRuns { list: list? }))
}

pub(super) fn listed(listed: Listed<BillingRun>) -> wire::ListBillingRunsResponse {
    wire::ListBillingRunsResponse {
        billing_runs: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn started(view: &RunView) -> wire::StartBillingRunResponse {
    let run = to_wire(&view.run);
    let problems = view.problems.iter().map(problem).collect();
    if view.tried_out {
        let nameless =
            wire::BillingRun { name: String::new(), etag: String::new(), create_time: None, ..run };
        return wire::StartBillingRunResponse {
            billing_run: Some(nameless),
            invoices: view.invoices.iter().map(invoice::nameless).collect(),
            problems,
        };
    }
    wire::StartBillingRunResponse {
        billing_run: Some(run),
        invoices: view.invoices.iter().map(invoice::to_wire).collect(),
        problems,
    }
}

pub(super) fn got(run: &BillingRun, problems: &[Problem]) -> wire::GetBillingRunResponse {
    wire::GetBillingRunResponse {
        billing_run: Some(to_wire(run)),
        problems: problems.iter().map(problem).collect(),
    }
}

fn problem(problem: &Problem) -> wire::BillingProblem {
    let operator = &problem.lease.operator;
    let block = |place: &BlockRef| BlockName::new(operator.clone(), place.site.clone(), place.block.clone());
    wire::BillingProblem {
        lease: problem.lease.to_string(),
        block: problem.place.as_ref().map(|place| block(place).to_string()).unwrap_or_default(),
        problem: problem.problem.clone(),
    }
}

pub(super) fn issued(view: &RunView) -> wire::IssueBillingRunResponse {
    wire::IssueBillingRunResponse {
        billing_run: Some(to_wire(&view.run)),
        invoices: view.invoices.iter().map(invoice::to_wire).collect(),
    }
}

pub(super) fn to_wire(run: &BillingRun) -> wire::BillingRun {
    let head = &run.head;
    let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let state = match head.state {
        RunState::Computing => wire::BillingRunState::Computing,
        RunState::Issuing => wire::BillingRunState::Issuing,
        RunState::Draft => wire::BillingRunState::Draft,
        RunState::Issued => wire::BillingRunState::Issued,
    };
    wire::BillingRun {
        name: head.name().to_string(),
        billing_month: Some(invoice::to_month(head.month)),
        state: state.into(),
        invoice_count: count(run.invoice_count),
        totals: run.totals.iter().copied().map(to_money).collect(),
        etag: etag_of(head.version),
        create_time: Some(to_timestamp(head.create_time)),
        issue_time: head.issue_time.map(to_timestamp),
        lease_count: count(run.progress.lease_count),
        computed_lease_count: count(run.progress.computed_count),
        issued_invoice_count: count(run.progress.issued_count),
        problem_count: count(run.progress.problem_count),
    }
}
