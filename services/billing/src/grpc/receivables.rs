//! Receivables and statements to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use contracts::google::r#type::Date;
use kernel::{
    AccountName, CivilDate, DateRange, Error, InvoiceName, Money, OperatorId, OperatorName, TenantName,
    Violations,
};
use paper::Format;
use runtime::wire::{date_range, known, optional_date, to_date, to_money};

use crate::domain::aging::{Aging, AgingRow, Dunning, Owed};
use crate::domain::invoice::TooLarge;
use crate::domain::statement::Statement;

const DAYS_MAX: i64 = 3_660;
const INVOICES_TOLD: usize = 1_000;

pub(super) fn aging(
    request: &wire::GetReceivablesAgingRequest,
) -> Result<(OperatorId, Option<CivilDate>), Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let as_of = optional_date(&mut v, "as_of_date", request.as_of_date.as_ref());
    v.build(|| Some((parent?.operator, as_of?)))
}

pub(super) fn aged(aging: &Aging) -> Result<wire::GetReceivablesAgingResponse, Error> {
    let rows = aging.rows.iter().map(|row| wire::AgingRow {
        account: AccountName::new(aging.operator.clone(), row.account).to_string(),
        tenant: TenantName::new(row.tenant.clone()).to_string(),
        ..sums(row)
    });
    let mut totals: Vec<AgingRow> = Vec::new();
    for row in &aging.rows {
        match totals.iter_mut().find(|total| total.owed.currency == row.owed.currency) {
            Some(total) => add(total, row).ok_or_else(|| Error::internal(TooLarge))?,
            None => totals.push(row.clone()),
        }
    }
    Ok(wire::GetReceivablesAgingResponse {
        as_of_date: Some(to_date(aging.as_of)),
        rows: rows.collect(),
        totals: totals.iter().map(sums).collect(),
        invoices: aging.invoices.iter().take(INVOICES_TOLD).map(|owed| owed_to_wire(aging, owed)).collect(),
    })
}

fn add(total: &mut AgingRow, row: &AgingRow) -> Option<()> {
    for (sum, part) in total.buckets.iter_mut().zip(row.buckets) {
        *sum = sum.checked_add(part)?;
    }
    total.owed = total.owed.checked_add(row.owed)?;
    total.disputed = total.disputed.checked_add(row.disputed)?;
    total.unapplied = total.unapplied.checked_add(row.unapplied)?;
    total.dunning = total.dunning.max(row.dunning);
    Some(())
}

fn sums(row: &AgingRow) -> wire::AgingRow {
    let [not_due, to_30, to_60, to_90, more] = row.buckets.map(|money| Some(to_money(money)));
    wire::AgingRow {
        account: String::new(),
        tenant: String::new(),
        not_due,
        days_1_to_30: to_30,
        days_31_to_60: to_60,
        days_61_to_90: to_90,
        days_over_90: more,
        owed: Some(to_money(row.owed)),
        unapplied: Some(to_money(row.unapplied)),
        stage: stage(row.dunning).into(),
        disputed: Some(to_money(row.disputed)),
    }
}

fn stage(dunning: Dunning) -> wire::DunningStage {
    match dunning {
        Dunning::NotDue => wire::DunningStage::NotDue,
        Dunning::Grace => wire::DunningStage::Grace,
        Dunning::Reminder => wire::DunningStage::Reminder,
        Dunning::Demand => wire::DunningStage::Demand,
        Dunning::FinalNotice => wire::DunningStage::FinalNotice,
    }
}

fn owed_to_wire(aging: &Aging, owed: &Owed) -> wire::OwedInvoice {
    let late = owed.days_past_due(aging.as_of);
    wire::OwedInvoice {
        invoice: InvoiceName::new(aging.operator.clone(), owed.invoice).to_string(),
        number: owed.number.to_string(),
        tenant: TenantName::new(owed.tenant.clone()).to_string(),
        due_date: Some(to_date(owed.due_date)),
        days_past_due: i32::try_from(late).unwrap_or(i32::MAX),
        open: Some(to_money(owed.open)),
        stage: stage(owed.dunning(aging.as_of)).into(),
        disputed: Some(to_money(owed.disputed)),
    }
}

pub(super) fn statement(request: &wire::GetStatementRequest) -> Result<(AccountName, DateRange), Error> {
    let mut v = Violations::new();
    let (name, days) = asked(&mut v, &request.name, (request.start_date, request.end_date));
    v.build(|| Some((name?, days?)))
}

/// Reads what to print.
pub(super) fn render(
    request: &wire::RenderStatementRequest,
) -> Result<(AccountName, DateRange, Format), Error> {
    let mut v = Violations::new();
    let (name, days) = asked(&mut v, &request.name, (request.start_date, request.end_date));
    let format = known(&mut v, "format", request.format).and_then(Format::of_wire);
    v.build(|| Some((name?, days?, format?)))
}

fn asked(
    v: &mut Violations,
    name: &str,
    (start, end): (Option<Date>, Option<Date>),
) -> (Option<AccountName>, Option<DateRange>) {
    let name = v.parse("name", name, str::parse::<AccountName>);
    let days = date_range(v, ("start_date", start.as_ref()), ("end_date", end.as_ref()));
    let short = days.is_none_or(|days| days.days() <= DAYS_MAX);
    v.require("end_date", short, "must be at most 10 years after start_date");
    (name, days)
}

/// What the file of a statement is called, without its end.
pub(super) fn file_stem(name: &AccountName, days: DateRange) -> String {
    format!("statement-{}-{}-{}", name.operator, days.start(), days.last_day())
}

pub(super) fn stated(statement: &Statement) -> wire::GetStatementResponse {
    let operator = &statement.account.operator;
    let line = |(line, balance): (&crate::domain::statement::StatementLine, &Money)| wire::StatementLine {
        posting_date: Some(to_date(line.posting_date)),
        deed: line.deed.as_str().to_owned(),
        description: line.description.clone(),
        invoice: line
            .invoice
            .map(|id| InvoiceName::new(operator.clone(), id).to_string())
            .unwrap_or_default(),
        amount: Some(to_money(line.amount)),
        balance: Some(to_money(*balance)),
    };
    let lines = statement.lines.iter().zip(&statement.balances).map(line);
    wire::GetStatementResponse {
        statement: Some(wire::Statement {
            account: statement.account.to_string(),
            tenant: TenantName::new(statement.tenant.clone()).to_string(),
            opening_balance: Some(to_money(statement.opening)),
            lines: lines.collect(),
            closing_balance: Some(to_money(statement.closing())),
        }),
    }
}
