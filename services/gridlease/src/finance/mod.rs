//! `gridlease finance`: a controller's month in the terminal. Each command asks billing one thing, as finance, and prints one
//! table, or the same rows as JSON.

pub(crate) mod ask;
pub mod pay_to;
pub mod reverse_commission;
mod statement;
pub mod utility_bills;
pub mod voucher;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::{CivilDate, Currency, LeaseName, OperatorId, TenantId, YearMonth};

use crate::asking::Billing;
use crate::clients::Wire;
use crate::out;

/// `gridlease finance`.
#[derive(Debug, Args)]
pub struct Finance {
    /// What to do.
    #[command(subcommand)]
    pub what: FinanceWhat,
}

/// What a controller does.
#[derive(Debug, Subcommand)]
pub enum FinanceWhat {
    /// Close a month that has ended, and all before it: nothing is posted into them any more
    Close(Close),
    /// Invoices, newest first, with what is still owed of each
    Invoices(Invoices),
    /// What tenants owe, by how long it is due
    Aging(Aging),
    /// What leases owe and are still to pay, and how far deposits, guaranties and letters of credit reach
    Exposure(Exposure),
    /// What moved on a tenant's account in some days, with what was owed before and after; as a file to send, too
    Statement(Statement),
    /// Straight-line revenue, rent billed and the accrued rent between them, month by month
    Revenue(Revenue),
    /// What is contracted and not yet earned, lease by lease
    Rpo(Rpo),
    /// Where tenants pay: propose it, confirm what another proposed, withdraw a proposal, show what is in force
    PayTo(pay_to::PayTo),
    /// What utilities charged: record a bill, divide it among those who share its meter, list bills
    UtilityBills(utility_bills::UtilityBills),
    /// What of commissions is still an asset, lease by lease, and how it became an expense
    Commissions(Commissions),
    /// Take back a commission that was recorded wrongly: propose it, confirm what another proposed, withdraw a proposal
    ReverseCommission(reverse_commission::ReverseCommission),
}

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// The operator
    #[arg(long, value_name = "SLUG")]
    pub operator: OperatorId,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub billing: Billing,
    /// Rows as JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

impl Server {
    fn parent(&self) -> String {
        format!("operators/{}", self.operator)
    }

    fn wire(&self) -> anyhow::Result<Wire> {
        self.billing.connect(&self.operator)
    }
}

const CLOSE_EXAMPLES: &str = "\
Examples:
  gridlease finance close --operator hut-8 --month 2027-01 --check     say what is not done yet, close nothing
  gridlease finance close --operator hut-8 --month 2027-01";

/// `gridlease finance close`.
#[derive(Debug, Args)]
#[command(after_help = CLOSE_EXAMPLES)]
pub struct Close {
    /// The month
    #[arg(long, value_name = "YYYY-MM")]
    pub month: YearMonth,
    /// Only check
    #[arg(long)]
    pub check: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const INVOICES_EXAMPLES: &str = "\
Examples:
  gridlease finance invoices --operator hut-8
  gridlease finance invoices --operator hut-8 --month 2027-01 --tenant anthropic --json";

/// `gridlease finance invoices`.
#[derive(Debug, Args)]
#[command(after_help = INVOICES_EXAMPLES)]
pub struct Invoices {
    /// Only of this month
    #[arg(long, value_name = "YYYY-MM")]
    pub month: Option<YearMonth>,
    /// Only of this tenant
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<TenantId>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const AGING_EXAMPLES: &str = "\
Examples:
  gridlease finance aging --operator hut-8
  gridlease finance aging --operator hut-8 --as-of 2027-03-31 --json";

/// `gridlease finance aging`.
#[derive(Debug, Args)]
#[command(after_help = AGING_EXAMPLES)]
pub struct Aging {
    /// The day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub as_of: Option<CivilDate>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const EXPOSURE_EXAMPLES: &str = "\
Examples:
  gridlease finance exposure --operator hut-8
  gridlease finance exposure --operator hut-8 --as-of 2027-03-31 --json";

/// `gridlease finance exposure`.
#[derive(Debug, Args)]
#[command(after_help = EXPOSURE_EXAMPLES)]
pub struct Exposure {
    /// The day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub as_of: Option<CivilDate>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const STATEMENT_EXAMPLES: &str = "\
Examples:
  gridlease finance statement anthropic --operator hut-8 --from 2027-01-01 --through 2027-03-31
  gridlease finance statement anthropic --operator hut-8 --from 2027-01-01 --through 2027-03-31 --pdf statement.pdf";

/// `gridlease finance statement`.
#[derive(Debug, Args)]
#[command(after_help = STATEMENT_EXAMPLES)]
pub struct Statement {
    /// The tenant
    #[arg(value_name = "TENANT")]
    pub tenant: TenantId,
    /// The first day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: CivilDate,
    /// The last day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub through: CivilDate,
    /// The account's currency [default: that of the only account]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Also write it as PDF/A
    #[arg(long, value_name = "FILE")]
    pub pdf: Option<PathBuf>,
    /// Also write it as one HTML file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const REVENUE_EXAMPLES: &str = "\
Examples:
  gridlease finance revenue --operator hut-8 --from 2027-01 --through 2027-12
  gridlease finance revenue --operator hut-8 --lease operators/hut-8/leases/rb-1 --from 2027-12 --through 2042-11 --json";

/// `gridlease finance revenue`.
#[derive(Debug, Args)]
#[command(after_help = REVENUE_EXAMPLES)]
pub struct Revenue {
    /// The first month
    #[arg(long, value_name = "YYYY-MM")]
    pub from: YearMonth,
    /// The last month
    #[arg(long, value_name = "YYYY-MM")]
    pub through: YearMonth,
    /// Only of this lease
    #[arg(long, value_name = "NAME")]
    pub lease: Option<LeaseName>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const RPO_EXAMPLES: &str = "\
Examples:
  gridlease finance rpo --operator hut-8 --from 2027-01 --through 2027-03
  gridlease finance rpo --operator hut-8 --from 2027-01 --through 2027-03 --json";

/// `gridlease finance rpo`.
#[derive(Debug, Args)]
#[command(after_help = RPO_EXAMPLES)]
pub struct Rpo {
    /// The first month
    #[arg(long, value_name = "YYYY-MM")]
    pub from: YearMonth,
    /// The last month
    #[arg(long, value_name = "YYYY-MM")]
    pub through: YearMonth,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const COMMISSIONS_EXAMPLES: &str = "\
Examples:
  gridlease finance commissions --operator hut-8 --from 2027-01 --through 2027-12
  gridlease finance commissions --operator hut-8 --from 2027-01 --through 2027-12 --json";

/// `gridlease finance commissions`.
#[derive(Debug, Args)]
#[command(after_help = COMMISSIONS_EXAMPLES)]
pub struct Commissions {
    /// The first month
    #[arg(long, value_name = "YYYY-MM")]
    pub from: YearMonth,
    /// The last month
    #[arg(long, value_name = "YYYY-MM")]
    pub through: YearMonth,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// What a command finds, as it is printed.
///
/// # Errors
/// A service that cannot be reached or refuses.
pub async fn answer(what: FinanceWhat) -> anyhow::Result<String> {
    match what {
        FinanceWhat::Close(arguments) => ask::close(arguments).await,
        FinanceWhat::Invoices(arguments) => ask::invoices(arguments).await,
        FinanceWhat::Aging(arguments) => ask::aging(arguments).await,
        FinanceWhat::Exposure(arguments) => ask::exposure(arguments).await,
        FinanceWhat::Statement(arguments) => statement::statement(arguments).await,
        FinanceWhat::Revenue(arguments) => ask::revenue(arguments).await,
        FinanceWhat::Rpo(arguments) => ask::rpo(arguments).await,
        FinanceWhat::PayTo(arguments) => pay_to::answer(arguments).await,
        FinanceWhat::UtilityBills(arguments) => utility_bills::answer(arguments).await,
        FinanceWhat::Commissions(arguments) => ask::commissions(arguments).await,
        FinanceWhat::ReverseCommission(arguments) => reverse_commission::answer(arguments).await,
    }
}

/// Runs `gridlease finance`.
///
/// # Errors
/// As [`answer`].
pub async fn finance(arguments: Finance) -> anyhow::Result<()> {
    out::say(answer(arguments.what).await?);
    Ok(())
}
