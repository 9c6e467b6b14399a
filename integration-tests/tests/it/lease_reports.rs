//! What the leases come to, over the wire and in the terminal: revenue on a straight line, backlog, what is to be received,
//! what is contracted; as tables too.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::finance::{self, Aging, Close, FinanceWhat, Invoices, Revenue, Rpo, Server};
use integration_tests::market::{self, date};
use integration_tests::world::known_to_billing;
use kernel::{Role, YearMonth};
use serde_json::Value;

use crate::money::{Books, MONTH_CENTS, cents};

fn month(year: i32, month: i32) -> Option<billing::BillingMonth> {
    Some(billing::BillingMonth { year, month })
}

/// The rent of the whole term, as it will be billed.
async fn whole(books: &Books) -> Result<i64> {
    let lease = format!("{}/leases/river", books.operator);
    let ask = billing::PreviewInvoicesRequest { lease, through_date: None, until_end: true };
    let preview = books.finance.invoices().preview_invoices(ask).await?.into_inner();
    Ok(cents(preview.total.as_ref()))
}

/// A second lease that nobody has signed.
async fn on_paper(books: &Books) -> Result<()> {
    let sales = books.stack.clients(&books.operator, Role::Sales)?;
    let block = format!("{}/sites/rockdale/blocks/hall-0000", books.operator);
    let terms = market::terms(&block, market::load(5_000));
    let proposal = market::proposal(&books.operator, "tenants/lab", "paper", terms);
    let proposed = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
    known_to_billing(&books.finance, &proposed.name, "2027-12-31").await
}

#[tokio::test]
async fn the_terms_revenue_is_its_rent_and_what_is_not_in_force_is_not_backlog() -> Result<()> {
    let books = Books::open().await?;
    let whole = whole(&books).await?;
    on_paper(&books).await?;
    let reports = || books.finance.reports();
    let parent = books.operator.clone();
    let ask = billing::GetRevenueScheduleRequest {
        parent: parent.clone(),
        lease: String::new(),
        start_month: month(2027, 1),
        end_month: month(2036, 12),
    };
    let rows = reports().get_revenue_schedule(ask).await?.into_inner().rows;
    ensure!(rows.len() == 120, "{} months", rows.len());
    let sum = |part: fn(&billing::RevenueRow) -> i64| rows.iter().map(part).sum::<i64>();
    let revenue = sum(|row| cents(row.revenue.as_ref()));
    ensure!((revenue, sum(|row| cents(row.billed.as_ref()))) == (whole, whole), "{revenue} of {whole}");
    let even = whole / 120;
    ensure!(rows.iter().all(|row| (cents(row.revenue.as_ref()) - even).abs() <= 1), "not even: {rows:#?}");
    ensure!(cents(rows[0].billed.as_ref()) == MONTH_CENTS, "{:#?}", rows[0]);
    ensure!(rows.windows(2).all(|pair| pair[0].closing_accrued_rent == pair[1].opening_accrued_rent));
    ensure!(cents(rows[119].closing_accrued_rent.as_ref()) == 0, "{:#?}", rows[119]);

    let ask = billing::GetBacklogRequest {
        parent: parent.clone(),
        start_month: month(2027, 1),
        end_month: month(2027, 12),
    };
    let told = reports().get_backlog(ask).await?.into_inner();
    let [paper, river] = told.rows.as_slice() else { anyhow::bail!("two leases: {told:#?}") };
    let year: i64 = rows[..12].iter().map(|row| cents(row.revenue.as_ref())).sum();
    let rolled =
        [&river.opening_backlog, &river.earned, &river.closing_backlog].map(|money| cents(money.as_ref()));
    ensure!(rolled == [whole, year, whole - year], "{river:#?}");
    ensure!(paper.lease_state == "PROPOSED" && cents(paper.opening_backlog.as_ref()) == 0, "{paper:#?}");
    ensure!(
        cents(paper.contract_value.as_ref()) > 0 && told.totals[0].closing_backlog == river.closing_backlog
    );

    let ask =
        billing::GetMaturityAnalysisRequest { parent: parent.clone(), start_date: Some(date("2028-01-01")) };
    let told = reports().get_maturity_analysis(ask).await?.into_inner();
    let [row] = told.rows.as_slice() else { anyhow::bail!("one currency: {told:#?}") };
    ensure!(cents(row.total.as_ref()) == whole - 12 * MONTH_CENTS, "{row:#?}");
    ensure!(cents(row.year_one.as_ref()) == 12 * MONTH_CENTS * 103 / 100, "{row:#?}");

    let ask = billing::GetContractedCapacityRequest {
        parent: parent.clone(),
        as_of_date: Some(date("2027-01-01")),
    };
    let told = reports().get_contracted_capacity(ask).await?.into_inner();
    let stages: Vec<_> = told.rows.iter().map(|row| (row.stage(), row.critical_it_kw)).collect();
    use billing::CapacityStage::{Billing, NotInForce};
    ensure!(stages == [(NotInForce, 5_000), (Billing, 10_000)], "{told:#?}");
    let billing_now = &told.rows[1];
    ensure!(cents(billing_now.first_year_rent.as_ref()) == 12 * MONTH_CENTS, "{billing_now:#?}");
    ensure!(billing_now.weighted_remaining_months == market::decimal("120"), "{billing_now:#?}");
    ensure!(billing_now.top_tenant_percent == market::decimal("100"), "{billing_now:#?}");
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn every_report_is_a_table_too() -> Result<()> {
    let books = Books::open().await?;
    let january = books.issue(1).await?;
    books.pay(&january.account, "wire-1", 1_000, true).await?;
    use billing::ReportKind as Kind;
    for (report, header, rows) in [
        (Kind::TrialBalance, "ledger_account,currency,debit,credit", 4),
        (Kind::ReceivablesAging, "tenant,account,currency,not_due,", 1),
        (Kind::RevenueSchedule, "month,currency,opening_accrued_rent,", 12),
        (Kind::Backlog, "lease,tenant,lease_state,", 1),
        (Kind::MaturityAnalysis, "currency,year_one,", 1),
        (Kind::ContractedCapacity, "stage,currency,lease_count,", 1),
    ] {
        let by_month = matches!(report, Kind::RevenueSchedule | Kind::Backlog);
        let ask = billing::ExportReportRequest {
            parent: books.operator.clone(),
            report: report.into(),
            as_of_date: None,
            start_month: by_month.then(|| month(2027, 1)).flatten(),
            end_month: by_month.then(|| month(2027, 12)).flatten(),
        };
        let csv = books.finance.reports().export_report(ask).await?.into_inner().csv;
        let lines: Vec<&str> = csv.lines().collect();
        ensure!(lines[0].starts_with(header) && lines.len() == rows + 1, "{report:?}:\n{csv}");
        if report == Kind::TrialBalance {
            ensure!(lines[1] == "accounts_receivable,USD,1250000.00,1000.00", "{csv}");
        }
    }
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_controllers_month_in_the_terminal() -> Result<()> {
    let books = Books::open().await?;
    books.issue(1).await?;
    let server = |json| -> Result<Server> {
        Ok(Server { operator: "acme".parse()?, billing: books.as_finance()?, json })
    };
    let at = |text: &str| text.parse::<YearMonth>();
    let ask = |which: usize, json: bool| -> Result<FinanceWhat> {
        let server = server(json)?;
        Ok(match which {
            0 => FinanceWhat::Invoices(Invoices { month: Some(at("2027-01")?), tenant: None, server }),
            1 => FinanceWhat::Aging(Aging { as_of: None, server }),
            2 => FinanceWhat::Revenue(Revenue {
                from: at("2027-01")?,
                through: at("2027-03")?,
                lease: None,
                server,
            }),
            3 => FinanceWhat::Rpo(Rpo { from: at("2027-01")?, through: at("2027-03")?, server }),
            _ => FinanceWhat::Close(Close { month: at("2026-12")?, check: true, server }),
        })
    };
    for (which, rows, field, value) in [
        (0, 1, "open", "1,250,000.00"),
        (1, 2, "owed", "1,250,000.00"),
        (2, 3, "billed", "1,250,000.00"),
        (3, 2, "state", "ACTIVE"),
        (4, 1, "closed_through", "2026-12-31"),
    ] {
        let json: Value = serde_json::from_str(&finance::answer(ask(which, true)?).await?)?;
        let told = json.as_array().context("rows")?;
        ensure!(told.len() == rows && told[0][field] == value, "{which}: {json:#}");
        let table = finance::answer(ask(which, false)?).await?;
        ensure!(table.lines().all(|line| line.chars().count() <= 100), "wider than a terminal:\n{table}");
        ensure!(table.contains(value), "{table}");
    }
    books.stack.stop().await;
    Ok(())
}
