//! `gridlease simulate`: a contract's invoices from its first day to its last, in seconds, under stated assumptions.

use anyhow::Context as _;
use clap::Args;
use contracts::billing::v1 as billing;
use contracts::billing::v1::invoice_service_client::InvoiceServiceClient;
use contracts::google::r#type::Decimal;
use kernel::{Currency, LeaseName, Money, Percent};
use runtime::wire::to_decimal;
use serde_json::Value;

use crate::asking::Billing;
use crate::finance::ask::exact;
use crate::out;
use crate::sales::report::{Report, text, word};

const EXAMPLES: &str = "\
Examples:
  gridlease simulate operators/hut-8/leases/river-bend
  gridlease simulate operators/hut-8/leases/river-bend --load-percent 85 --days-late 20
  gridlease simulate operators/hut-8/leases/river-bend --index-growth-percent 2.5 --json";

/// `gridlease simulate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Simulate {
    /// The lease
    #[arg(value_name = "LEASE")]
    pub lease: LeaseName,
    /// Each block takes this part of its contracted load in every hour [default: no usage is billed]
    #[arg(long, value_name = "PERCENT")]
    pub load_percent: Option<Percent>,
    /// The index that rates follow grows so much a year [default: end before what is not known]
    #[arg(long, value_name = "PERCENT")]
    pub index_growth_percent: Option<Percent>,
    /// Every invoice is paid so many days after it is due
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    pub days_late: i32,
    /// Rows as JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub billing: Billing,
}

/// Months asked for at once.
const MONTHS: i32 = 24;

/// What the lines of an invoice come to, by the columns from rent to other.
fn sums(invoice: &billing::Invoice) -> [i64; 5] {
    use billing::ChargeType as T;
    let mut sums = [0; 5];
    for line in &invoice.lines {
        let column = match line.charge_type() {
            T::BaseRent => 0,
            T::Prepayment | T::PrepaymentDraw | T::Deposit => 1,
            T::Energy | T::Demand | T::PassThrough | T::Tax | T::TakeOrPay | T::TrueUp => 2,
            T::LateInterest => 3,
            T::Unspecified | T::SlaCredit | T::TerminationFee => 4,
        };
        sums[column] += minor(line.amount.as_ref());
    }
    sums
}

fn minor(money: Option<&contracts::google::r#type::Money>) -> i64 {
    exact(money).map_or(0, |money| money.minor)
}

/// What the command finds, as it is printed.
///
/// # Errors
/// A service that cannot be reached or refuses.
pub async fn answer(arguments: Simulate) -> anyhow::Result<String> {
    let mut invoices = InvoiceServiceClient::new(arguments.billing.connect(&arguments.lease.operator)?);
    let decimal = |percent: Option<Percent>| -> Option<Decimal> { percent.map(to_decimal) };
    let mut ask = billing::SimulateBillingRequest {
        lease: arguments.lease.to_string(),
        load_percent: decimal(arguments.load_percent),
        index_growth_percent: decimal(arguments.index_growth_percent),
        days_late: arguments.days_late,
        // Before every lease: only the sums are told.
        start_month: None,
        end_month: Some(billing::BillingMonth { year: 2000, month: 1 }),
    };
    let whole = invoices.simulate_billing(ask.clone()).await.context("simulate")?.into_inner();
    let mut report = Report::new(&[
        "Month",
        "Kind",
        ">Rent",
        ">Paid ahead",
        ">Usage",
        ">Interest",
        ">Other",
        ">Total",
        "Currency",
    ]);
    let (Some(total), Some(first), Some(last)) = (&whole.total, whole.first_month, whole.last_month) else {
        return Ok(report.told(arguments.json, "Nothing is to be billed."));
    };
    let currency: Currency = total.currency_code.parse().context("a currency")?;
    let amount = |minor| text(Money::new(minor, currency).grouped());
    let row = |month: String, kind: Value, sums: [i64; 5], total: i64| {
        let figures = sums.into_iter().chain([total]).map(amount);
        [text(month), kind].into_iter().chain(figures).chain([text(currency.code())])
    };
    let mut all = [0; 5];
    let number = |month: billing::BillingMonth| month.year * 12 + month.month - 1;
    let month = |number: i32| Some(billing::BillingMonth { year: number / 12, month: number % 12 + 1 });
    let mut from = number(first);
    while from <= number(last) {
        (ask.start_month, ask.end_month) = (month(from), month(from + MONTHS - 1));
        let page = invoices.simulate_billing(ask.clone()).await.context("simulate")?.into_inner();
        for invoice in &page.invoices {
            let sums = sums(invoice);
            all.iter_mut().zip(sums).for_each(|(all, one)| *all += one);
            let of = invoice.billing_month.unwrap_or_default();
            let kind = word(invoice.kind().as_str_name(), "INVOICE_KIND_");
            let told = format!("{:04}-{:02}", of.year, of.month);
            report.row(row(told, kind, sums, minor(invoice.total.as_ref())));
        }
        from += MONTHS;
    }
    report.row(row("all".to_owned(), text(""), all, minor(Some(total))));
    let mut told = report.told(arguments.json, "");
    if !arguments.json {
        let missing = whole.missing_values.iter().map(|one| {
            let month = one.month.unwrap_or_default();
            format!(
                "{} ends early: {} has no value for {:04}-{:02}",
                one.block, one.price_series, month.year, month.month
            )
        });
        for remark in missing.chain(whole.problems.iter().cloned()) {
            told = format!("{told}\n{remark}");
        }
    }
    Ok(told)
}

/// Runs `gridlease simulate`.
///
/// # Errors
/// As [`answer`].
pub async fn simulate(arguments: Simulate) -> anyhow::Result<()> {
    out::say(answer(arguments).await?);
    Ok(())
}
