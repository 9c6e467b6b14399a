//! What a controller asks, and how it is told.

use anyhow::Context as _;
use contracts::billing::v1 as billing;
use contracts::billing::v1::books_service_client::BooksServiceClient;
use contracts::billing::v1::invoice_service_client::InvoiceServiceClient;
use contracts::billing::v1::report_service_client::ReportServiceClient;
use contracts::google::r#type::Money;
use kernel::{Currency, Ids as _, SystemIds, TenantName, YearMonth};
use runtime::wire::to_date;
use serde_json::Value;

use super::{Aging, Close, Commissions, Exposure, Invoices, Revenue, Rpo};
use crate::sales::report::{Report, day, text, word};

/// Invoices a page.
const PAGE: i32 = 1_000;

/// An amount of the wire; none without a currency that we know.
pub(crate) fn exact(money: Option<&Money>) -> Option<kernel::Money> {
    let money = money?;
    let currency: Currency = money.currency_code.parse().ok()?;
    let scale = 10_i64.pow(u32::from(currency.minor_digits()));
    let minor = money.units * scale + i64::from(money.nanos) / (1_000_000_000 / scale);
    Some(kernel::Money::new(minor, currency))
}

/// An amount with its thousands parted, its currency beside it.
pub(super) fn amount(money: Option<&Money>) -> Value {
    exact(money).map_or(Value::Null, |money| text(money.grouped()))
}

pub(super) fn currency(money: Option<&Money>) -> Value {
    text(money.map(|money| money.currency_code.clone()).unwrap_or_default())
}

/// The last part of a resource name.
pub(super) fn short(name: &str) -> Value {
    text(name.rsplit('/').next().unwrap_or_default())
}

fn month(month: YearMonth) -> Option<billing::BillingMonth> {
    Some(billing::BillingMonth { year: month.year(), month: i32::try_from(month.month()).unwrap_or(0) })
}

fn told_month(month: Option<&billing::BillingMonth>) -> Value {
    text(month.map(|month| format!("{:04}-{:02}", month.year, month.month)).unwrap_or_default())
}

pub(super) async fn close(arguments: Close) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::ClosePeriodRequest {
        parent: server.parent(),
        month: month(arguments.month),
        etag: String::new(),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.check,
    };
    let mut books = BooksServiceClient::new(server.wire()?);
    let closed = books.close_period(request).await.context("close the month")?.into_inner();
    let mut report =
        Report::new(&["Operator", "Closed through", ">Drafts not issued", ">Vouchers waiting", "Done"]);
    let through = closed.books.as_ref().and_then(|books| books.closed_through_date.as_ref());
    report.row([
        text(server.operator.to_string()),
        day(through),
        Value::from(closed.draft_invoice_count),
        Value::from(closed.proposed_voucher_count),
        text(if arguments.check { "only checked" } else { "closed" }),
    ]);
    Ok(report.told(server.json, ""))
}

pub(super) async fn invoices(arguments: Invoices) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut invoices = InvoiceServiceClient::new(server.wire()?);
    let tenant = arguments.tenant.clone().map(|tenant| TenantName::new(tenant).to_string());
    let mut request = billing::ListInvoicesRequest {
        parent: server.parent(),
        page_size: PAGE,
        tenant: tenant.unwrap_or_default(),
        billing_month: arguments.month.and_then(month),
        ..Default::default()
    };
    let mut report =
        Report::new(&["Number", "Tenant", "Month", "State", "Due", ">Total", ">Open", "Currency"]);
    loop {
        let page = invoices.list_invoices(request.clone()).await.context("list invoices")?.into_inner();
        for invoice in &page.invoices {
            report.row([
                text(invoice.number.clone()),
                short(&invoice.tenant),
                told_month(invoice.billing_month.as_ref()),
                word(invoice.state().as_str_name(), "INVOICE_STATE_"),
                day(invoice.due_date.as_ref()),
                amount(invoice.total.as_ref()),
                amount(invoice.open.as_ref()),
                currency(invoice.total.as_ref()),
            ]);
        }
        if page.next_page_token.is_empty() {
            return Ok(report.told(server.json, "There is no such invoice."));
        }
        request.page_token = page.next_page_token;
    }
}

pub(super) async fn aging(arguments: Aging) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::GetReceivablesAgingRequest {
        parent: server.parent(),
        as_of_date: arguments.as_of.map(to_date),
    };
    let mut reports = ReportServiceClient::new(server.wire()?);
    let aging = reports.get_receivables_aging(request).await.context("ask for receivables")?.into_inner();
    let mut report = Report::new(&[
        "Tenant",
        ">Not due",
        ">1-30",
        ">31-60",
        ">61-90",
        ">Over 90",
        ">Owed",
        ">Unapplied",
        "Currency",
        "Stage",
    ]);
    let rows = aging.rows.iter().map(|row| (short(&row.tenant), row));
    for (who, row) in rows.chain(aging.totals.iter().map(|row| (text("all"), row))) {
        report.row([
            who,
            amount(row.not_due.as_ref()),
            amount(row.days_1_to_30.as_ref()),
            amount(row.days_31_to_60.as_ref()),
            amount(row.days_61_to_90.as_ref()),
            amount(row.days_over_90.as_ref()),
            amount(row.owed.as_ref()),
            amount(row.unapplied.as_ref()),
            currency(row.owed.as_ref()),
            word(row.stage().as_str_name(), "DUNNING_STAGE_"),
        ]);
    }
    Ok(report.told(server.json, "Nobody owes anything."))
}

pub(super) async fn exposure(arguments: Exposure) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request =
        billing::GetExposureRequest { parent: server.parent(), as_of_date: arguments.as_of.map(to_date) };
    let mut reports = ReportServiceClient::new(server.wire()?);
    let exposure = reports.get_exposure(request).await.context("ask for the exposure")?.into_inner();
    let mut report = Report::new(&[
        "Lease",
        "Tenant",
        ">Open",
        ">Of it fee",
        ">Rent to come",
        ">Deposit",
        ">Cover",
        ">Fee covered",
        ">Open uncovered",
        ">Uncovered",
        "Currency",
        "Cover begins",
    ]);
    let rows = exposure.rows.iter().map(|row| (short(&row.lease), row));
    for (lease, row) in rows.chain(exposure.totals.iter().map(|row| (text("all"), row))) {
        let waits = row.before_first_rent && row.first_rent_date.is_some();
        report.row([
            lease,
            short(&row.tenant),
            amount(row.open.as_ref()),
            amount(row.open_termination_fee.as_ref()),
            amount(row.remaining_rent.as_ref()),
            amount(row.deposit.as_ref()),
            amount(row.cover.as_ref()),
            amount(row.covered_termination_fee.as_ref()),
            amount(row.uncovered_open.as_ref()),
            amount(row.uncovered.as_ref()),
            currency(row.open.as_ref()),
            if waits { day(row.first_rent_date.as_ref()) } else { Value::Null },
        ]);
    }
    Ok(report.told(server.json, "No lease is in force."))
}

pub(super) async fn revenue(arguments: Revenue) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::GetRevenueScheduleRequest {
        parent: server.parent(),
        lease: arguments.lease.as_ref().map(ToString::to_string).unwrap_or_default(),
        start_month: month(arguments.from),
        end_month: month(arguments.through),
    };
    let mut reports = ReportServiceClient::new(server.wire()?);
    let schedule = reports.get_revenue_schedule(request).await.context("ask for revenue")?.into_inner();
    let mut report =
        Report::new(&["Month", ">Accrued before", ">Revenue", ">Billed", ">Accrued after", "Currency"]);
    for row in &schedule.rows {
        report.row([
            told_month(row.month.as_ref()),
            amount(row.opening_accrued_rent.as_ref()),
            amount(row.revenue.as_ref()),
            amount(row.billed.as_ref()),
            amount(row.closing_accrued_rent.as_ref()),
            currency(row.revenue.as_ref()),
        ]);
    }
    Ok(report.told(server.json, "No lease is in force."))
}

pub(super) async fn rpo(arguments: Rpo) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::GetBacklogRequest {
        parent: server.parent(),
        start_month: month(arguments.from),
        end_month: month(arguments.through),
    };
    let mut reports = ReportServiceClient::new(server.wire()?);
    let backlog = reports.get_backlog(request).await.context("ask for the backlog")?.into_inner();
    let mut report =
        Report::new(&["Lease", "Tenant", "State", ">Contract", ">Before", ">Earned", ">After", "Currency"]);
    let rows = backlog.rows.iter().map(|row| (short(&row.lease), row));
    for (which, row) in rows.chain(backlog.totals.iter().map(|row| (text("all"), row))) {
        report.row([
            which,
            short(&row.tenant),
            text(row.lease_state.clone()),
            amount(row.contract_value.as_ref()),
            amount(row.opening_backlog.as_ref()),
            amount(row.earned.as_ref()),
            amount(row.closing_backlog.as_ref()),
            currency(row.contract_value.as_ref()),
        ]);
    }
    Ok(report.told(server.json, "Nothing is contracted."))
}

pub(super) async fn commissions(arguments: Commissions) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::GetCommissionRollForwardRequest {
        parent: server.parent(),
        start_month: month(arguments.from),
        end_month: month(arguments.through),
    };
    let mut reports = ReportServiceClient::new(server.wire()?);
    let told =
        reports.get_commission_roll_forward(request).await.context("ask for commissions")?.into_inner();
    let mut report = Report::new(&[
        "Lease",
        ">Before",
        ">Added",
        ">Amortised",
        ">Written off",
        ">Reversed",
        ">After",
        "Currency",
    ]);
    for row in &told.rows {
        report.row([
            short(&row.lease),
            amount(row.opening.as_ref()),
            amount(row.added.as_ref()),
            amount(row.amortized.as_ref()),
            amount(row.written_off.as_ref()),
            amount(row.reversed.as_ref()),
            amount(row.closing.as_ref()),
            currency(row.closing.as_ref()),
        ]);
    }
    Ok(report.told(server.json, "There are no commissions."))
}
