//! `gridlease simulate`: a contract's invoices from its first day to its last, in seconds, under stated assumptions.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use contracts::billing::v1 as billing;
use contracts::billing::v1::invoice_service_client::InvoiceServiceClient;
use contracts::google::r#type::Decimal;
use kernel::{Currency, LeaseName, Money, Organisation, Percent, Role};
use runtime::client::{Bearer, channel};
use runtime::wire::to_decimal;
use serde_json::Value;
use tonic::service::interceptor::InterceptedService;

use crate::asking::minted;
use crate::clients::Wire;
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
    /// Where billing listens
    #[arg(long, env = "GRIDLEASE_BILLING", default_value = "http://127.0.0.1:50053", value_name = "URI")]
    pub billing: String,
    /// A token [default: one of the local development issuer]
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The data directory of the `up` whose issuer mints the token [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Months asked for at once.
const MONTHS: i32 = 24;

/// What the lines of an invoice come to, by what they are for.
#[derive(Default)]
struct Sums {
    rent: i64,
    paid_ahead: i64,
    usage: i64,
    interest: i64,
    other: i64,
}

fn minor(money: Option<&contracts::google::r#type::Money>, currency: Currency) -> i64 {
    let scale = 10_i64.pow(u32::from(currency.minor_digits()));
    money.map_or(0, |money| money.units * scale + i64::from(money.nanos) / (1_000_000_000 / scale))
}

impl Sums {
    fn of(invoice: &billing::Invoice, currency: Currency) -> Self {
        use billing::ChargeType as T;
        let mut sums = Self::default();
        for line in &invoice.lines {
            let sum = match line.charge_type() {
                T::BaseRent => &mut sums.rent,
                T::Prepayment | T::PrepaymentDraw | T::Deposit => &mut sums.paid_ahead,
                T::Energy | T::Demand | T::PassThrough | T::Tax | T::TakeOrPay => &mut sums.usage,
                T::LateInterest => &mut sums.interest,
                T::Unspecified | T::SlaCredit | T::TerminationFee => &mut sums.other,
            };
            *sum += minor(line.amount.as_ref(), currency);
        }
        sums
    }
}

/// What the command finds, as it is printed.
///
/// # Errors
/// A service that cannot be reached or refuses.
pub async fn answer(arguments: Simulate) -> anyhow::Result<String> {
    let mut invoices = InvoiceServiceClient::new(wire(&arguments)?);
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
    let row = |month: String, kind: Value, sums: &Sums, total: i64| {
        let figures = [sums.rent, sums.paid_ahead, sums.usage, sums.interest, sums.other, total].map(amount);
        [text(month), kind].into_iter().chain(figures).chain([text(currency.code())])
    };
    let mut all = Sums::default();
    let number = |month: billing::BillingMonth| month.year * 12 + month.month - 1;
    let month = |number: i32| Some(billing::BillingMonth { year: number / 12, month: number % 12 + 1 });
    let mut from = number(first);
    while from <= number(last) {
        (ask.start_month, ask.end_month) = (month(from), month(from + MONTHS - 1));
        let page = invoices.simulate_billing(ask.clone()).await.context("simulate")?.into_inner();
        for invoice in &page.invoices {
            let sums = Sums::of(invoice, currency);
            all.rent += sums.rent;
            all.paid_ahead += sums.paid_ahead;
            all.usage += sums.usage;
            all.interest += sums.interest;
            all.other += sums.other;
            let of = invoice.billing_month.unwrap_or_default();
            let kind = word(invoice.kind().as_str_name(), "INVOICE_KIND_");
            let told = format!("{:04}-{:02}", of.year, of.month);
            report.row(row(told, kind, &sums, minor(invoice.total.as_ref(), currency)));
        }
        from += MONTHS;
    }
    report.row(row("all".to_owned(), text(""), &all, minor(Some(total), currency)));
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

fn wire(arguments: &Simulate) -> anyhow::Result<Wire> {
    let operator = Organisation::Operator(arguments.lease.operator.clone());
    let token = match &arguments.token {
        Some(token) => token.clone(),
        None => minted(arguments.data_dir.clone(), &operator, Role::Finance)?,
    };
    Ok(InterceptedService::new(channel(&arguments.billing)?, Bearer::new(&token)?))
}

/// Runs `gridlease simulate`.
///
/// # Errors
/// As [`answer`].
pub async fn simulate(arguments: Simulate) -> anyhow::Result<()> {
    out::say(answer(arguments).await?);
    Ok(())
}
