//! Reports on leases to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{
    CivilDate, Error, LeaseName, Money, OperatorId, OperatorName, TenantName, Violations, YearMonth,
};
use runtime::wire::{optional_date, to_date, to_decimal, to_money};

use super::invoice::{month, to_month};
use crate::app::LeaseMonths;
use crate::domain::invoice::TooLarge;
use crate::domain::portfolio::{CapacityRow, Portfolio, Stage};
use crate::domain::revenue::{BacklogRow, Maturity, RevenueRow};
use crate::domain::roll_forward::{AdvanceRow, CommissionRow};

/// Fifty years.
const MONTHS_MAX: i32 = 600;

pub(super) fn months(
    v: &mut Violations,
    (start, end): (Option<&wire::BillingMonth>, Option<&wire::BillingMonth>),
) -> Option<(YearMonth, YearMonth)> {
    let (from, through) = (month(v, "start_month", start), month(v, "end_month", end));
    let (from, through) = (from?, through?);
    let count = (through.year() - from.year()) * 12 + i32::try_from(through.month()).unwrap_or(0)
        - i32::try_from(from.month()).unwrap_or(0);
    v.require("end_month", (0..MONTHS_MAX).contains(&count), "must be 0 to 599 months after start_month")
        .then_some((from, through))
}

pub(super) fn revenue(request: &wire::GetRevenueScheduleRequest) -> Result<LeaseMonths, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let lease = v.parse_optional("lease", &request.lease, str::parse::<LeaseName>);
    let foreign = lease.as_ref().zip(parent.as_ref()).is_some_and(|(l, p)| l.operator != p.operator);
    v.require("lease", !foreign, "must be a lease of the parent");
    let months = months(&mut v, (request.start_month.as_ref(), request.end_month.as_ref()));
    v.build(|| {
        let (from, through) = months?;
        Some(LeaseMonths { operator: parent?.operator, lease, from, through })
    })
}

pub(super) fn earned(rows: &[Vec<RevenueRow>]) -> wire::GetRevenueScheduleResponse {
    let row = |row: &RevenueRow| wire::RevenueRow {
        month: Some(to_month(row.month)),
        opening_accrued_rent: Some(to_money(row.opening)),
        revenue: Some(to_money(row.revenue)),
        billed: Some(to_money(row.billed)),
        closing_accrued_rent: Some(to_money(row.closing)),
    };
    wire::GetRevenueScheduleResponse { rows: rows.iter().flatten().map(row).collect() }
}

/// Months of all leases of an operator.
fn of_all(
    parent: &str,
    ends: (Option<&wire::BillingMonth>, Option<&wire::BillingMonth>),
) -> Result<LeaseMonths, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", parent, str::parse::<OperatorName>);
    let months = months(&mut v, ends);
    v.build(|| {
        let (from, through) = months?;
        Some(LeaseMonths { operator: parent?.operator, lease: None, from, through })
    })
}

pub(super) fn backlog(request: &wire::GetBacklogRequest) -> Result<LeaseMonths, Error> {
    of_all(&request.parent, (request.start_month.as_ref(), request.end_month.as_ref()))
}

pub(super) fn backlogged(
    operator: &OperatorId,
    rows: &[BacklogRow],
) -> Result<wire::GetBacklogResponse, Error> {
    let row = |row: &BacklogRow| wire::BacklogRow {
        lease: LeaseName::new(operator.clone(), row.lease.clone()).to_string(),
        tenant: TenantName::new(row.tenant.clone()).to_string(),
        lease_state: row.state.as_str().to_owned(),
        contract_value: Some(to_money(row.contract_value)),
        opening_backlog: Some(to_money(row.opening)),
        earned: Some(to_money(row.earned)),
        closing_backlog: Some(to_money(row.closing)),
    };
    let mut totals: Vec<BacklogRow> = Vec::new();
    for of in rows {
        let same = |total: &&mut BacklogRow| total.opening.currency == of.opening.currency;
        let Some(total) = totals.iter_mut().find(same) else {
            totals.push(of.clone());
            continue;
        };
        let add = |a: Money, b: Money| a.checked_add(b).ok_or_else(|| Error::internal(TooLarge));
        total.contract_value = add(total.contract_value, of.contract_value)?;
        total.opening = add(total.opening, of.opening)?;
        total.earned = add(total.earned, of.earned)?;
        total.closing = add(total.closing, of.closing)?;
    }
    let total = |total: &BacklogRow| wire::BacklogRow {
        lease: String::new(),
        tenant: String::new(),
        lease_state: String::new(),
        ..row(total)
    };
    Ok(wire::GetBacklogResponse {
        rows: rows.iter().map(row).collect(),
        totals: totals.iter().map(total).collect(),
    })
}

pub(super) fn roll_forward(request: &wire::GetAdvanceRollForwardRequest) -> Result<LeaseMonths, Error> {
    of_all(&request.parent, (request.start_month.as_ref(), request.end_month.as_ref()))
}

pub(super) fn rolled_forward(
    operator: &OperatorId,
    rows: &[AdvanceRow],
) -> wire::GetAdvanceRollForwardResponse {
    let row = |row: &AdvanceRow| wire::AdvanceRow {
        lease: LeaseName::new(operator.clone(), row.lease.clone()).to_string(),
        tenant: TenantName::new(row.tenant.clone()).to_string(),
        ledger_account: row.ledger_account.to_string(),
        opening: Some(to_money(row.opening)),
        billed: Some(to_money(row.billed)),
        credited: Some(to_money(row.credited)),
        returned: Some(to_money(row.returned)),
        closing: Some(to_money(row.closing)),
    };
    wire::GetAdvanceRollForwardResponse { rows: rows.iter().map(row).collect() }
}

pub(super) fn commissions(request: &wire::GetCommissionRollForwardRequest) -> Result<LeaseMonths, Error> {
    of_all(&request.parent, (request.start_month.as_ref(), request.end_month.as_ref()))
}

pub(super) fn commissions_told(
    operator: &OperatorId,
    rows: &[CommissionRow],
) -> wire::GetCommissionRollForwardResponse {
    let row = |row: &CommissionRow| wire::CommissionRow {
        lease: LeaseName::new(operator.clone(), row.lease.clone()).to_string(),
        opening: Some(to_money(row.opening)),
        added: Some(to_money(row.added)),
        amortized: Some(to_money(row.amortized)),
        written_off: Some(to_money(row.written_off)),
        reversed: Some(to_money(row.reversed)),
        closing: Some(to_money(row.closing)),
    };
    wire::GetCommissionRollForwardResponse { rows: rows.iter().map(row).collect() }
}

/// Reads whose report, and of which day.
pub(super) fn day(
    parent: &str,
    field: &str,
    date: Option<&contracts::google::r#type::Date>,
) -> Result<(OperatorId, Option<CivilDate>), Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", parent, str::parse::<OperatorName>);
    let date = optional_date(&mut v, field, date);
    v.build(|| Some((parent?.operator, date?)))
}

pub(super) fn matured((from, rows): &(CivilDate, Vec<Maturity>)) -> wire::GetMaturityAnalysisResponse {
    let row = |of: &Maturity| {
        let [one, two, three, four, five, later] = of.years.map(|money| Some(to_money(money)));
        wire::MaturityRow {
            year_one: one,
            year_two: two,
            year_three: three,
            year_four: four,
            year_five: five,
            later,
            total: Some(to_money(of.total)),
        }
    };
    wire::GetMaturityAnalysisResponse {
        start_date: Some(to_date(*from)),
        rows: rows.iter().map(row).collect(),
    }
}

pub(super) fn contracted(
    operator: &OperatorId,
    (as_of, of): &(CivilDate, Portfolio),
) -> wire::GetContractedCapacityResponse {
    let excluded = of.excluded.iter().map(|lease| wire::ExcludedLease {
        lease: LeaseName::new(operator.clone(), lease.lease.clone()).to_string(),
        tenant: TenantName::new(lease.tenant.clone()).to_string(),
        reason: lease.reason.clone(),
    });
    wire::GetContractedCapacityResponse {
        as_of_date: Some(to_date(*as_of)),
        rows: of.rows.iter().map(capacity).collect(),
        excluded: excluded.collect(),
    }
}

fn capacity(row: &CapacityRow) -> wire::ContractedCapacityRow {
    let stage = match row.stage {
        Stage::NotInForce => wire::CapacityStage::NotInForce,
        Stage::InForce => wire::CapacityStage::InForce,
        Stage::Billing => wire::CapacityStage::Billing,
    };
    let top = row.top_tenant.as_ref();
    let share = top.and_then(|(_, kw)| kernel::Exact::ratio(kw.checked_mul(100)?, row.it_kw));
    wire::ContractedCapacityRow {
        stage: stage.into(),
        lease_count: i32::try_from(row.lease_count).unwrap_or(i32::MAX),
        critical_it_kw: row.it_kw,
        contract_value: Some(to_money(row.contract_value)),
        first_year_rent: Some(to_money(row.first_year)),
        weighted_remaining_months: Some(to_decimal(row.remaining_months.display(1))),
        top_tenant: top.map(|(tenant, _)| TenantName::new(tenant.clone()).to_string()).unwrap_or_default(),
        top_tenant_percent: share.map(|share| to_decimal(share.display(1))),
    }
}
