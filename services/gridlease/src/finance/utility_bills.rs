//! `gridlease finance utility-bills`: what utilities charged, recorded from JSON, divided among those who share a meter, and listed.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use contracts::billing::v1 as billing;
use contracts::billing::v1::charging_service_client::ChargingServiceClient;
use kernel::{CivilDate, Currency, Ids as _, MeterId, MeterName, Money, SystemIds, UtilityBillName};
use runtime::wire::{to_date, to_money};
use serde::Deserialize;
use serde_json::Value;

use super::Server;
use super::ask::{amount, currency, short};
use crate::sales::report::{Report, day, text};

/// Bills a page.
const PAGE: i32 = 1_000;

/// `gridlease finance utility-bills`.
#[derive(Debug, Args)]
pub struct UtilityBills {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What is done with utility bills.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Record what a utility charged, from a JSON file
    Record(Record),
    /// Divide a bill among those who share its meter; the next billing run bills what comes of it
    Post(Post),
    /// Bills, newest first, with what stays with the operator of each
    List(List),
}

const RECORD_EXAMPLES: &str = "\
The file, its amounts in the smallest unit of the currency, such as cents:
  {\"meter\": \"river-bend-main\", \"number\": \"E-1001\", \"from_date\": \"2027-01-01\", \"until_date\": \"2027-02-01\",
   \"bill_date\": \"2027-02-10\", \"currency\": \"USD\", \"amount_minor\": 12500000, \"energy_kwh\": 2500000,
   \"components\": [{\"code\": \"energy\", \"amount_minor\": 12500000}]}

Examples:
  gridlease finance utility-bills record january.json --operator hut-8 --check     check it, record nothing
  gridlease finance utility-bills record january.json --operator hut-8 --json";

/// `gridlease finance utility-bills record`.
#[derive(Debug, Args)]
#[command(after_help = RECORD_EXAMPLES)]
pub struct Record {
    /// The bill
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Only check
    #[arg(long)]
    pub check: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const POST_EXAMPLES: &str = "\
Examples:
  gridlease finance utility-bills post operators/hut-8/utilityBills/0197... --operator hut-8 --check";

/// `gridlease finance utility-bills post`.
#[derive(Debug, Args)]
#[command(after_help = POST_EXAMPLES)]
pub struct Post {
    /// The bill
    #[arg(value_name = "NAME")]
    pub name: UtilityBillName,
    /// Only check
    #[arg(long)]
    pub check: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gridlease finance utility-bills list --operator hut-8
  gridlease finance utility-bills list --operator hut-8 --meter river-bend-main --json";

/// `gridlease finance utility-bills list`.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub struct List {
    /// Only of this meter
    #[arg(long, value_name = "SLUG")]
    pub meter: Option<MeterId>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// A bill as a file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    meter: MeterId,
    number: String,
    from_date: CivilDate,
    until_date: CivilDate,
    bill_date: CivilDate,
    currency: Currency,
    amount_minor: i64,
    #[serde(default)]
    energy_kwh: i64,
    #[serde(default)]
    components: Vec<Part>,
    corrects: Option<UtilityBillName>,
}

/// A component of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    code: String,
    amount_minor: i64,
    #[serde(default)]
    by_energy: bool,
}

impl Written {
    fn to_wire(&self, server: &Server) -> billing::UtilityBill {
        let money = |minor| Some(to_money(Money::new(minor, self.currency)));
        let part = |part: &Part| billing::UtilityBillComponent {
            code: part.code.clone(),
            amount: money(part.amount_minor),
            by_energy: part.by_energy,
        };
        billing::UtilityBill {
            meter: MeterName::new(server.operator.clone(), self.meter.clone()).to_string(),
            number: self.number.clone(),
            from_date: Some(to_date(self.from_date)),
            until_date: Some(to_date(self.until_date)),
            bill_date: Some(to_date(self.bill_date)),
            amount: money(self.amount_minor),
            energy_kwh: self.energy_kwh,
            components: self.components.iter().map(part).collect(),
            corrects: self.corrects.as_ref().map(ToString::to_string).unwrap_or_default(),
            ..Default::default()
        }
    }
}

/// What a command finds, as it is printed.
pub(super) async fn answer(arguments: UtilityBills) -> anyhow::Result<String> {
    match arguments.what {
        What::Record(arguments) => record(arguments).await,
        What::Post(arguments) => post(arguments).await,
        What::List(arguments) => list(arguments).await,
    }
}

async fn record(arguments: Record) -> anyhow::Result<String> {
    let (server, file) = (&arguments.server, &arguments.file);
    let json = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let written: Written = serde_json::from_str(&json).with_context(|| format!("{}", file.display()))?;
    let request = billing::RecordUtilityBillRequest {
        parent: server.parent(),
        utility_bill: Some(written.to_wire(server)),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.check,
    };
    let mut charging = ChargingServiceClient::new(server.wire()?);
    let told = charging.record_utility_bill(request).await.context("record the bill")?.into_inner();
    Ok(bills(told.utility_bill.iter()).told(server.json, ""))
}

async fn post(arguments: Post) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::PostTrueUpRequest {
        name: arguments.name.to_string(),
        etag: String::new(),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.check,
    };
    let mut charging = ChargingServiceClient::new(server.wire()?);
    let told = charging.post_true_up(request).await.context("divide the bill")?.into_inner();
    let division = told.utility_bill.and_then(|bill| bill.division).context("a division")?;
    let mut report = Report::new(&["Lease", "Block", ">Amount", "Currency", "Too late"]);
    for share in &division.shares {
        report.row([
            short(&share.lease),
            short(&share.block),
            amount(share.amount.as_ref()),
            currency(share.amount.as_ref()),
            Value::from(share.too_late),
        ]);
    }
    let kept = division.operator_amount.as_ref();
    report.row([text("operator"), text(""), amount(kept), currency(kept), Value::from(false)]);
    Ok(report.told(server.json, ""))
}

async fn list(arguments: List) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut charging = ChargingServiceClient::new(server.wire()?);
    let meter =
        arguments.meter.clone().map(|meter| MeterName::new(server.operator.clone(), meter).to_string());
    let mut request = billing::ListUtilityBillsRequest {
        parent: server.parent(),
        page_size: PAGE,
        meter: meter.unwrap_or_default(),
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = charging.list_utility_bills(request.clone()).await.context("list bills")?.into_inner();
        all.extend(page.utility_bills);
        if page.next_page_token.is_empty() {
            return Ok(bills(all.iter()).told(server.json, "There is no such bill."));
        }
        request.page_token = page.next_page_token;
    }
}

fn bills<'a>(all: impl Iterator<Item = &'a billing::UtilityBill>) -> Report {
    let mut report = Report::new(&[
        "Number",
        "Meter",
        "From",
        "Until",
        ">Revision",
        ">Amount",
        ">With the operator",
        "Currency",
        "Trued up",
        "Name",
    ]);
    for bill in all {
        let division = bill.division.as_ref();
        report.row([
            text(bill.number.clone()),
            short(&bill.meter),
            day(bill.from_date.as_ref()),
            day(bill.until_date.as_ref()),
            Value::from(bill.revision),
            amount(bill.amount.as_ref()),
            amount(division.and_then(|division| division.operator_amount.as_ref())),
            currency(bill.amount.as_ref()),
            Value::from(division.is_some()),
            text(bill.name.clone()),
        ]);
    }
    report
}
