//! Reports as tables: one header, one row a line, amounts in the currency's own decimals with the currency beside them.

use contracts::billing::v1 as wire;
use contracts::google::r#type as google;
use kernel::{CivilDate, Currency, Error, Money, OperatorId, OperatorName, Violations, YearMonth};
use runtime::wire::{known, optional_date};

use crate::app::LeaseMonths;

/// Which report, with what it needs.
#[derive(Clone, Debug)]
pub(super) enum Export {
    /// Sums of the ledger, up to and with a day.
    TrialBalance(OperatorId, Option<CivilDate>),
    /// What tenants owe as of a day.
    Aging(OperatorId, Option<CivilDate>),
    /// Revenue by month.
    Revenue(LeaseMonths),
    /// Contracted and not earned.
    Backlog(LeaseMonths),
    /// Paid ahead and held.
    Advances(LeaseMonths),
    /// What of commissions is an asset.
    Commissions(LeaseMonths),
    /// Still to be received.
    Maturity(OperatorId, Option<CivilDate>),
    /// Contracted by stage.
    Capacity(OperatorId, Option<CivilDate>),
}

pub(super) fn asked(request: &wire::ExportReportRequest) -> Result<Export, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let report = known::<wire::ReportKind>(&mut v, "report", request.report);
    let day = optional_date(&mut v, "as_of_date", request.as_of_date.as_ref());
    use wire::ReportKind::{AdvanceRollForward, Backlog, CommissionRollForward, RevenueSchedule};
    let by_month =
        matches!(report, Some(RevenueSchedule | Backlog | AdvanceRollForward | CommissionRollForward));
    let months = by_month.then(|| months(&mut v, request));
    if report.is_some() {
        let told = request.start_month.is_some() || request.end_month.is_some();
        v.require("start_month", by_month || !told, "is for reports by month only");
        v.require("as_of_date", !by_month || request.as_of_date.is_none(), "is for reports as of a day only");
    }
    v.build(|| {
        let operator = parent?.operator;
        Some(match report? {
            wire::ReportKind::Unspecified => return None,
            wire::ReportKind::TrialBalance => Export::TrialBalance(operator, day?),
            wire::ReportKind::ReceivablesAging => Export::Aging(operator, day?),
            wire::ReportKind::MaturityAnalysis => Export::Maturity(operator, day?),
            wire::ReportKind::ContractedCapacity => Export::Capacity(operator, day?),
            kind @ (RevenueSchedule | Backlog | AdvanceRollForward | CommissionRollForward) => {
                let (from, through) = months??;
                let of = LeaseMonths { operator, lease: None, from, through };
                match kind {
                    Backlog => Export::Backlog(of),
                    AdvanceRollForward => Export::Advances(of),
                    CommissionRollForward => Export::Commissions(of),
                    _ => Export::Revenue(of),
                }
            }
        })
    })
}

fn months(v: &mut Violations, request: &wire::ExportReportRequest) -> Option<(YearMonth, YearMonth)> {
    super::lease_report::months(v, (request.start_month.as_ref(), request.end_month.as_ref()))
}

/// A table.
struct Csv {
    writer: csv::Writer<Vec<u8>>,
}

impl Csv {
    fn new(header: &[&str]) -> Result<Self, Error> {
        let mut table = Self { writer: csv::Writer::from_writer(Vec::new()) };
        table.writer.write_record(header).map_err(Error::internal)?;
        Ok(table)
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) -> Result<(), Error> {
        self.writer.write_record(cells).map_err(Error::internal)
    }

    fn done(self) -> Result<String, Error> {
        let bytes = self.writer.into_inner().map_err(|error| Error::internal(error.into_error()))?;
        String::from_utf8(bytes).map_err(Error::internal)
    }
}

/// An amount without its currency: `-1234.50`.
fn amount(money: Option<&google::Money>) -> String {
    let Some(money) = money else { return String::new() };
    let Ok(currency) = money.currency_code.parse::<Currency>() else { return String::new() };
    let scale = 10_i64.pow(u32::from(currency.minor_digits()));
    let minor = money.units * scale + i64::from(money.nanos) / (1_000_000_000 / scale);
    Money::new(minor, currency).grouped().replace(',', "")
}

fn code(money: Option<&google::Money>) -> String {
    money.map(|money| money.currency_code.clone()).unwrap_or_default()
}

pub(super) fn trial_balance(told: &wire::GetTrialBalanceResponse) -> Result<String, Error> {
    let mut table = Csv::new(&["ledger_account", "currency", "debit", "credit"])?;
    for row in &told.rows {
        let of = (amount(row.debit.as_ref()), amount(row.credit.as_ref()));
        table.row([row.ledger_account.clone(), code(row.debit.as_ref()), of.0, of.1])?;
    }
    table.done()
}

pub(super) fn aging(told: &wire::GetReceivablesAgingResponse) -> Result<String, Error> {
    let mut table = Csv::new(&[
        "tenant",
        "account",
        "currency",
        "not_due",
        "days_1_to_30",
        "days_31_to_60",
        "days_61_to_90",
        "days_over_90",
        "owed",
        "unapplied",
        "stage",
    ])?;
    for row in &told.rows {
        table.row([
            row.tenant.clone(),
            row.account.clone(),
            code(row.owed.as_ref()),
            amount(row.not_due.as_ref()),
            amount(row.days_1_to_30.as_ref()),
            amount(row.days_31_to_60.as_ref()),
            amount(row.days_61_to_90.as_ref()),
            amount(row.days_over_90.as_ref()),
            amount(row.owed.as_ref()),
            amount(row.unapplied.as_ref()),
            row.stage().as_str_name().trim_start_matches("DUNNING_STAGE_").to_owned(),
        ])?;
    }
    table.done()
}

pub(super) fn revenue(told: &wire::GetRevenueScheduleResponse) -> Result<String, Error> {
    let mut table = Csv::new(&[
        "month",
        "currency",
        "opening_accrued_rent",
        "revenue",
        "billed",
        "closing_accrued_rent",
    ])?;
    for row in &told.rows {
        let month = row.month.as_ref().map(|month| format!("{:04}-{:02}", month.year, month.month));
        table.row([
            month.unwrap_or_default(),
            code(row.revenue.as_ref()),
            amount(row.opening_accrued_rent.as_ref()),
            amount(row.revenue.as_ref()),
            amount(row.billed.as_ref()),
            amount(row.closing_accrued_rent.as_ref()),
        ])?;
    }
    table.done()
}

pub(super) fn advances(told: &wire::GetAdvanceRollForwardResponse) -> Result<String, Error> {
    let header = [
        "lease",
        "tenant",
        "ledger_account",
        "currency",
        "opening",
        "billed",
        "credited",
        "returned",
        "closing",
    ];
    let mut table = Csv::new(&header)?;
    for row in &told.rows {
        table.row([
            row.lease.clone(),
            row.tenant.clone(),
            row.ledger_account.clone(),
            code(row.closing.as_ref()),
            amount(row.opening.as_ref()),
            amount(row.billed.as_ref()),
            amount(row.credited.as_ref()),
            amount(row.returned.as_ref()),
            amount(row.closing.as_ref()),
        ])?;
    }
    table.done()
}

pub(super) fn commissions(told: &wire::GetCommissionRollForwardResponse) -> Result<String, Error> {
    let header = ["lease", "currency", "opening", "added", "amortized", "written_off", "reversed", "closing"];
    let mut table = Csv::new(&header)?;
    for row in &told.rows {
        table.row([
            row.lease.clone(),
            code(row.closing.as_ref()),
            amount(row.opening.as_ref()),
            amount(row.added.as_ref()),
            amount(row.amortized.as_ref()),
            amount(row.written_off.as_ref()),
            amount(row.reversed.as_ref()),
            amount(row.closing.as_ref()),
        ])?;
    }
    table.done()
}

pub(super) fn backlog(told: &wire::GetBacklogResponse) -> Result<String, Error> {
    let mut table = Csv::new(&[
        "lease",
        "tenant",
        "lease_state",
        "currency",
        "contract_value",
        "opening_backlog",
        "earned",
        "closing_backlog",
    ])?;
    for row in &told.rows {
        table.row([
            row.lease.clone(),
            row.tenant.clone(),
            row.lease_state.clone(),
            code(row.contract_value.as_ref()),
            amount(row.contract_value.as_ref()),
            amount(row.opening_backlog.as_ref()),
            amount(row.earned.as_ref()),
            amount(row.closing_backlog.as_ref()),
        ])?;
    }
    table.done()
}

pub(super) fn maturity(told: &wire::GetMaturityAnalysisResponse) -> Result<String, Error> {
    let mut table = Csv::new(&[
        "currency",
        "year_one",
        "year_two",
        "year_three",
        "year_four",
        "year_five",
        "later",
        "total",
    ])?;
    for row in &told.rows {
        table.row([
            code(row.total.as_ref()),
            amount(row.year_one.as_ref()),
            amount(row.year_two.as_ref()),
            amount(row.year_three.as_ref()),
            amount(row.year_four.as_ref()),
            amount(row.year_five.as_ref()),
            amount(row.later.as_ref()),
            amount(row.total.as_ref()),
        ])?;
    }
    table.done()
}

pub(super) fn capacity(told: &wire::GetContractedCapacityResponse) -> Result<String, Error> {
    let mut table = Csv::new(&[
        "stage",
        "currency",
        "lease_count",
        "critical_it_kw",
        "contract_value",
        "first_year_rent",
        "weighted_remaining_months",
        "top_tenant",
        "top_tenant_percent",
    ])?;
    for row in &told.rows {
        let number = |decimal: Option<&google::Decimal>| decimal.map(|d| d.value.clone()).unwrap_or_default();
        table.row([
            row.stage().as_str_name().trim_start_matches("CAPACITY_STAGE_").to_owned(),
            code(row.contract_value.as_ref()),
            row.lease_count.to_string(),
            row.critical_it_kw.to_string(),
            amount(row.contract_value.as_ref()),
            amount(row.first_year_rent.as_ref()),
            number(row.weighted_remaining_months.as_ref()),
            row.top_tenant.clone(),
            number(row.top_tenant_percent.as_ref()),
        ])?;
    }
    table.done()
}
