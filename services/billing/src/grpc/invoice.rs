//! Invoices to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{
    AccountId, AccountName, BillingRunName, BlockName, Error, InvoiceName, LeaseName, Money, OperatorId,
    OperatorParent, Percent, PriceSeriesName, TenantName, Violations, YearMonth,
};
use paper::Format;
use runtime::wire::{
    known, optional_date, request_id, to_date, to_decimal, to_money, to_timestamp, year_month,
};

use super::lists::{Maybe, list_request};
use super::payment_instructions::on_invoice;
use crate::app::{IssueInvoice, ListInvoices, Listed, Preview, PreviewInvoices, etag_of};
use crate::domain::charge::NotKnown;
use crate::domain::invoice::{
    Bill, ChargeType, Invoice, InvoiceFilter, InvoiceKind, InvoiceLine, LineCharge,
};
use crate::domain::invoice_state::InvoiceState;
use crate::domain::lease::YEAR_MAX;

const ETAG_CHARS: usize = 100;
const STATES_MAX: usize = 10;

pub(super) fn name(text: &str) -> Result<InvoiceName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<InvoiceName>);
    v.build(|| name)
}

/// Reads what to print.
pub(super) fn render(request: &wire::RenderInvoiceRequest) -> Result<(InvoiceName, Format), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<InvoiceName>);
    let format = known(&mut v, "format", request.format).and_then(Format::of_wire);
    v.build(|| Some((name?, format?)))
}

/// What the file of an invoice is called, without its end.
pub(super) fn file_stem(invoice: &Invoice) -> String {
    match &invoice.issued {
        Some(issued) => format!("invoice-{}-{}", invoice.operator, issued.number),
        None => format!("invoice-{}-draft-{}", invoice.operator, invoice.id),
    }
}

pub(super) fn issue(request: &wire::IssueInvoiceRequest) -> Result<IssueInvoice, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<InvoiceName>);
    let etag = etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(IssueInvoice {
            name: name?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn preview(request: &wire::PreviewInvoicesRequest) -> Result<PreviewInvoices, Error> {
    let mut v = Violations::new();
    let lease = v.parse("lease", &request.lease, str::parse::<LeaseName>);
    let through = optional_date(&mut v, "through_date", request.through_date.as_ref());
    let one = request.until_end != request.through_date.is_some();
    v.require("through_date", one, "is required unless until_end is set, and not allowed beside it");
    v.build(|| Some(PreviewInvoices { lease: lease?, through: through? }))
}

pub(super) fn list(request: &wire::ListInvoicesRequest) -> Result<ListInvoices, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    v.require("states", request.states.len() <= STATES_MAX, "must be at most 10 states");
    let states = v.each("states", request.states.iter().take(STATES_MAX), |v, state| {
        known::<wire::InvoiceState>(v, "", *state).and_then(state_of)
    });
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse::<TenantName>);
    let lease = v.parse_optional("lease", &request.lease, str::parse::<LeaseName>);
    let run = v.parse_optional("billing_run", &request.billing_run, str::parse::<BillingRunName>);
    let month = request.billing_month.as_ref().and_then(|asked| month(&mut v, "billing_month", Some(asked)));
    let state_names: Vec<&str> = states.iter().flatten().map(|state| state.as_str()).collect();
    let list = list_request(
        &mut v,
        parent,
        (request.page_size, &request.page_token),
        &[
            &state_names.join(","),
            &Maybe(tenant.as_ref()),
            &Maybe(lease.as_ref()),
            &Maybe(run.as_ref()),
            &Maybe(month),
        ],
    );
    v.build(|| {
        let filter = InvoiceFilter {
            states: states?,
            tenant: tenant.map(|name| name.tenant),
            lease: lease.map(|name| (name.operator, name.lease)),
            run: run.map(|name| (name.operator, name.run)),
            month,
        };
        Some(ListInvoices { list: list?, filter })
    })
}

/// Reads a month that must be there and be one that is billed.
pub(super) fn month(
    v: &mut Violations,
    field: &str,
    asked: Option<&wire::BillingMonth>,
) -> Option<YearMonth> {
    let asked = v.present(field, asked)?;
    let month = year_month(v, field, asked.year, asked.month)?;
    v.require(field, month.year() <= YEAR_MAX, "must be a month from 2000 to 9998").then_some(month)
}

/// Reads an etag: empty is none.
pub(super) fn etag(v: &mut Violations, text: &str) -> Option<Option<String>> {
    let text = v.text("etag", text, ETAG_CHARS)?;
    Some((!text.is_empty()).then_some(text))
}

pub(super) fn listed(listed: Listed<Invoice>) -> wire::ListInvoicesResponse {
    wire::ListInvoicesResponse {
        invoices: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn issued(invoice: &Invoice) -> wire::IssueInvoiceResponse {
    wire::IssueInvoiceResponse { invoice: Some(to_wire(invoice)) }
}

pub(super) fn previewed(preview: &Preview) -> wire::PreviewInvoicesResponse {
    wire::PreviewInvoicesResponse {
        invoices: preview.bills.iter().map(|bill| bill_to_wire(bill, preview.account)).collect(),
        total: Some(to_money(preview.total)),
        missing_values: preview.not_known.iter().map(|one| missing_to_wire(&preview.operator, one)).collect(),
    }
}

pub(super) fn missing_to_wire(operator: &OperatorId, not_known: &NotKnown) -> wire::MissingSeriesValue {
    let NotKnown { place, missing } = not_known;
    wire::MissingSeriesValue {
        block: BlockName::new(operator.clone(), place.site.clone(), place.block.clone()).to_string(),
        price_series: PriceSeriesName::new(operator.clone(), missing.series.clone()).to_string(),
        month: Some(to_month(missing.month)),
        from_date: Some(to_date(missing.from)),
    }
}

/// A bill that nobody keeps: an invoice without a name.
pub(super) fn bill_to_wire(bill: &Bill, account: Option<AccountId>) -> wire::Invoice {
    let account = account.map(|account| AccountName::new(bill.operator.clone(), account).to_string());
    wire::Invoice {
        account: account.unwrap_or_default(),
        tenant: TenantName::new(bill.tenant.clone()).to_string(),
        lease: LeaseName::new(bill.operator.clone(), bill.lease.clone()).to_string(),
        state: wire::InvoiceState::Draft.into(),
        kind: kind_to_wire(bill.kind).into(),
        billing_month: Some(to_month(bill.month)),
        lines: bill.lines.iter().map(|line| line_to_wire(&bill.operator, line, 0)).collect(),
        total: Some(to_money(bill.total)),
        ..wire::Invoice::default()
    }
}

pub(super) fn to_wire(invoice: &Invoice) -> wire::Invoice {
    let operator = &invoice.operator;
    let issued = invoice.issued.as_ref();
    let part = |minor| Money::new(minor, invoice.total.currency);
    wire::Invoice {
        name: InvoiceName::new(operator.clone(), invoice.id).to_string(),
        account: AccountName::new(operator.clone(), invoice.account).to_string(),
        tenant: TenantName::new(invoice.tenant.clone()).to_string(),
        lease: LeaseName::new(operator.clone(), invoice.lease.clone()).to_string(),
        billing_run: BillingRunName::new(operator.clone(), invoice.run).to_string(),
        state: state_to_wire(invoice.state).into(),
        series: issued.map(|issued| issued.number.series().to_owned()).unwrap_or_default(),
        number: issued.map(|issued| issued.number.to_string()).unwrap_or_default(),
        billing_month: Some(to_month(invoice.month)),
        lines: (1..).zip(&invoice.lines).map(|(at, line)| line_to_wire(operator, line, at)).collect(),
        total: Some(to_money(invoice.total)),
        issue_time: issued.map(|issued| to_timestamp(issued.time)),
        due_date: issued.map(|issued| to_date(issued.due_date)),
        etag: etag_of(invoice.version),
        create_time: Some(to_timestamp(invoice.create_time)),
        paid: Some(to_money(part(invoice.settled.paid_minor))),
        credited: Some(to_money(part(invoice.settled.credited_minor))),
        open: Some(to_money(invoice.open())),
        state_reason: invoice.state_reason.clone(),
        kind: kind_to_wire(invoice.kind).into(),
        pay_to: invoice.pay_to.as_deref().map(on_invoice),
    }
}

/// An invoice of a run that is only tried out: nothing has a name.
pub(super) fn nameless(invoice: &Invoice) -> wire::Invoice {
    wire::Invoice {
        name: String::new(),
        billing_run: String::new(),
        etag: String::new(),
        create_time: None,
        ..to_wire(invoice)
    }
}

pub(super) fn to_month(month: YearMonth) -> wire::BillingMonth {
    wire::BillingMonth { year: month.year(), month: i32::try_from(month.month()).unwrap_or(0) }
}

/// A line at its place on the invoice, from 1; 0 where it is on none.
pub(super) fn line_to_wire(operator: &OperatorId, line: &InvoiceLine, number: usize) -> wire::InvoiceLine {
    let (place, period) = (line.place(), line.period());
    let told = wire::InvoiceLine {
        charge_type: type_to_wire(line.charge_type()).into(),
        block: place.map_or_else(String::new, |place| {
            BlockName::new(operator.clone(), place.site.clone(), place.block.clone()).to_string()
        }),
        period_start_date: Some(to_date(period.start())),
        period_end_date: Some(to_date(period.end())),
        amount: Some(to_money(line.amount())),
        formula: line.formula(),
        lease_version: line.lease_version,
        line_number: i32::try_from(number).unwrap_or(i32::MAX),
        item: line.item().to_owned(),
        jurisdiction: line.jurisdiction().unwrap_or_default().to_owned(),
        ..Default::default()
    };
    match &line.charge {
        LineCharge::Rent(rent) => wire::InvoiceLine {
            days: i32::try_from(rent.days).unwrap_or(i32::MAX),
            days_in_month: i32::try_from(rent.days_in_month).unwrap_or(i32::MAX),
            quantity_kw: rent.quantity_kw,
            unit: "kW-month".to_owned(),
            rate_per_kw_month: Some(to_decimal(rent.rate)),
            quantity: Some(to_decimal(rent.quantity_kw)),
            rate: Some(to_decimal(rent.rate)),
            proration: rent.proration.as_str().to_owned(),
            abated_percent: (rent.abated != Percent::ZERO).then(|| to_decimal(rent.abated)),
            ..told
        },
        LineCharge::Reckoned(reckoned) => wire::InvoiceLine {
            days: i32::try_from(period.days()).unwrap_or(i32::MAX),
            days_in_month: i32::try_from(reckoned.month().days()).unwrap_or(i32::MAX),
            unit: reckoned.detail.unit.clone(),
            revision: reckoned.revision,
            quantity: Some(to_decimal(reckoned.detail.quantity)),
            rate: Some(to_decimal(reckoned.detail.rate)),
            estimated: reckoned.detail.estimated,
            ..told
        },
    }
}

fn type_to_wire(charge_type: ChargeType) -> wire::ChargeType {
    match charge_type {
        ChargeType::BaseRent => wire::ChargeType::BaseRent,
        ChargeType::Energy => wire::ChargeType::Energy,
        ChargeType::Demand => wire::ChargeType::Demand,
        ChargeType::PassThrough => wire::ChargeType::PassThrough,
        ChargeType::Tax => wire::ChargeType::Tax,
        ChargeType::SlaCredit => wire::ChargeType::SlaCredit,
        ChargeType::Prepayment => wire::ChargeType::Prepayment,
        ChargeType::Deposit => wire::ChargeType::Deposit,
        ChargeType::PrepaymentDraw => wire::ChargeType::PrepaymentDraw,
        ChargeType::TakeOrPay => wire::ChargeType::TakeOrPay,
        ChargeType::LateInterest => wire::ChargeType::LateInterest,
        ChargeType::TerminationFee => wire::ChargeType::TerminationFee,
        ChargeType::TrueUp => wire::ChargeType::TrueUp,
    }
}

fn kind_to_wire(kind: InvoiceKind) -> wire::InvoiceKind {
    match kind {
        InvoiceKind::Regular => wire::InvoiceKind::Regular,
        InvoiceKind::Prepayment => wire::InvoiceKind::Prepayment,
        InvoiceKind::Deposit => wire::InvoiceKind::Deposit,
        InvoiceKind::TerminationFee => wire::InvoiceKind::TerminationFee,
    }
}

fn state_of(state: wire::InvoiceState) -> Option<InvoiceState> {
    match state {
        wire::InvoiceState::Unspecified => None,
        wire::InvoiceState::Draft => Some(InvoiceState::Draft),
        wire::InvoiceState::Open => Some(InvoiceState::Open),
        wire::InvoiceState::PartiallyPaid => Some(InvoiceState::PartiallyPaid),
        wire::InvoiceState::Paid => Some(InvoiceState::Paid),
        wire::InvoiceState::Void => Some(InvoiceState::Void),
        wire::InvoiceState::Uncollectible => Some(InvoiceState::Uncollectible),
    }
}

fn state_to_wire(state: InvoiceState) -> wire::InvoiceState {
    match state {
        InvoiceState::Draft => wire::InvoiceState::Draft,
        InvoiceState::Open => wire::InvoiceState::Open,
        InvoiceState::PartiallyPaid => wire::InvoiceState::PartiallyPaid,
        InvoiceState::Paid => wire::InvoiceState::Paid,
        InvoiceState::Void => wire::InvoiceState::Void,
        InvoiceState::Uncollectible => wire::InvoiceState::Uncollectible,
    }
}

#[cfg(test)]
mod tests;
