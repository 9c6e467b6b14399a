//! A tenant's statement of account: told in the terminal, and written as a file to send.

use std::path::Path;

use anyhow::{Context as _, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::account_service_client::AccountServiceClient;
use contracts::common::v1::DocumentFormat;
use contracts::google::r#type::Date;
use kernel::TenantName;
use runtime::wire::to_date;

use super::Statement;
use super::ask::amount;
use crate::clients::Wire;
use crate::sales::report::{Report, day, text};

type Accounts = AccountServiceClient<Wire>;

pub(super) async fn statement(arguments: Statement) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut accounts = Accounts::new(server.wire()?);
    let name = account(&mut accounts, &arguments).await?;
    let end = arguments.through.succ_opt().context("no day comes after the last one")?;
    let (start_date, end_date) = (Some(to_date(arguments.from)), Some(to_date(end)));
    let request = billing::GetStatementRequest { name: name.clone(), start_date, end_date };
    let answer = accounts.get_statement(request).await.context("ask for a statement")?.into_inner();
    let told = answer.statement.context("an answer without a statement")?;
    for (format, file) in [(DocumentFormat::Pdf, &arguments.pdf), (DocumentFormat::Html, &arguments.html)] {
        let Some(file) = file else { continue };
        let (name, format) = (name.clone(), format.into());
        let request = billing::RenderStatementRequest { name, start_date, end_date, format };
        write(&mut accounts, request, file).await?;
    }
    Ok(table(&told, (start_date, Some(to_date(arguments.through)))).told(server.json, ""))
}

/// The account of the tenant: the only one, or that of the currency.
async fn account(accounts: &mut Accounts, arguments: &Statement) -> anyhow::Result<String> {
    let request = billing::ListAccountsRequest {
        parent: arguments.server.parent(),
        page_size: 1_000,
        tenant: TenantName::new(arguments.tenant.clone()).to_string(),
        ..Default::default()
    };
    let mut found = accounts.list_accounts(request).await.context("list accounts")?.into_inner().accounts;
    if let Some(currency) = arguments.currency {
        found.retain(|account| account.currency_code == currency.to_string());
    }
    let codes: Vec<_> = found.iter().map(|account| account.currency_code.as_str()).collect();
    ensure!(codes.len() < 2, "the tenant has accounts in {}: say --currency", codes.join(", "));
    Ok(found.pop().context("the tenant has no such account")?.name)
}

async fn write(
    accounts: &mut Accounts,
    request: billing::RenderStatementRequest,
    file: &Path,
) -> anyhow::Result<()> {
    let answer = accounts.render_statement(request).await.context("print the statement")?.into_inner();
    let document = answer.document.context("an answer without a document")?;
    std::fs::write(file, document.content).with_context(|| format!("write {}", file.display()))
}

fn table(told: &billing::Statement, (first, last): (Option<Date>, Option<Date>)) -> Report {
    let mut report = Report::new(&["Date", "Movement", "Reference", ">Amount", ">Balance"]);
    let row = |report: &mut Report, date: Option<&Date>, what: &str, balance| {
        report.row([day(date), text(what), text(""), amount(None), amount(balance)]);
    };
    row(&mut report, first.as_ref(), "Opening balance", told.opening_balance.as_ref());
    for line in &told.lines {
        report.row([
            day(line.posting_date.as_ref()),
            text(line.deed.clone()),
            text(line.description.clone()),
            amount(line.amount.as_ref()),
            amount(line.balance.as_ref()),
        ]);
    }
    row(&mut report, last.as_ref(), "Closing balance", told.closing_balance.as_ref());
    report
}
