//! `gridlease sales` and `gridlease operator`: a salesperson's day in the terminal, and the operator's signatory.
//!
//! Each command asks the services one thing, as its caller, and prints one table, or the same rows as JSON.

mod agreement;
mod ask;
mod desk;
mod paper;
mod premises;
mod quote;
pub(crate) mod report;
mod server;

use clap::{Args, Subcommand};
use kernel::{BlockName, CivilDate, LeaseName};

use crate::out;
pub use agreement::{Agreement, Agreements, Draft, EndAgreement, SignAgreement};
pub use premises::{Hold, Premises, Propose};
pub use quote::{Quote, Structure};
pub use server::Server;

/// `gridlease sales`.
#[derive(Debug, Args)]
pub struct Sales {
    /// What to do.
    #[command(subcommand)]
    pub what: SalesWhat,
}

/// What a salesperson does.
#[derive(Debug, Subcommand)]
pub enum SalesWhat {
    /// What can be offered, what comes near, and what could be converted
    Find(Find),
    /// What to ask for it: priced options, ranked by what rents are without included costs
    Quote(Box<Quote>),
    /// Hold capacity of a block for a tenant
    Hold(Hold),
    /// Propose a lease of a block, and hold its capacity for signatures, or of capacity whose block is named later
    Propose(Box<Propose>),
    /// Put a master agreement on the table, from a file
    DraftAgreement(Draft),
    /// Master agreements, the newest first
    Agreements(Agreements),
    /// What a master agreement says, who has signed it, and where it stands
    Agreement(Agreement),
    /// Offer what a lease would take to everybody who has a right on it, and see who has answered
    Clear(Clear),
    /// Where a deal stands: signatures, dates, and who acts next
    Lease(Lease),
    /// What is promised and has no block yet: nothing is held for it, so count it before anything else is promised there
    Unplaced(Unplaced),
    /// What may come, by stage, with what it is worth
    Pipeline(Pipeline),
    /// What runs out soon: holds, notices, terms, bids
    Deadlines(Deadlines),
}

/// `gridlease operator`.
#[derive(Debug, Args)]
pub struct Operator {
    /// What to do.
    #[command(subcommand)]
    pub what: OperatorWhat,
}

/// What an operator's signatory does.
#[derive(Debug, Subcommand)]
pub enum OperatorWhat {
    /// Sign a lease for the operator; the last signature commits its capacity. Sales may not
    Sign(Sign),
    /// Consent to the tenant's wish that another has the lease, or the use of it
    Consent(Consent),
    /// Name a block for capacity that was agreed without; its capacity is taken at once. Sales may not
    Nominate(Nominate),
    /// Sign a master agreement for the operator; with the last signature it takes orders. Sales may not
    SignAgreement(SignAgreement),
    /// End a master agreement: it takes no new orders, and those that are there go on. Sales may not
    EndAgreement(EndAgreement),
}

const FIND_EXAMPLES: &str = "\
Examples:
  gridlease sales find --operator hut-8 --kw 40000 --liquid-percent 85 --from 2027-01-01 --months 144
  gridlease sales find --operator hut-8 --kw 40000 --from 2027-01-01 --months 144 --grid ERCOT --json";

/// `gridlease sales find`.
#[derive(Debug, Args)]
#[command(after_help = FIND_EXAMPLES)]
pub struct Find {
    /// Critical IT load, kW
    #[arg(long, value_name = "KW", value_parser = clap::value_parser!(i64).range(1..))]
    pub kw: i64,
    /// Share of the heat that liquid carries
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(i32).range(0..=100))]
    pub liquid_percent: i32,
    /// First acceptable start
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: CivilDate,
    /// Term
    #[arg(long, value_name = "MONTHS")]
    pub months: i32,
    /// Only on this grid, such as ERCOT; may be repeated
    #[arg(long = "grid", value_name = "ISO")]
    pub grids: Vec<String>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const CLEAR_EXAMPLES: &str = "\
Examples:
  gridlease sales clear operators/hut-8/leases/river-bend --operator hut-8";

/// `gridlease sales clear`.
#[derive(Debug, Args)]
#[command(after_help = CLEAR_EXAMPLES)]
pub struct Clear {
    /// The proposed lease
    #[arg(value_name = "LEASE")]
    pub lease: LeaseName,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const LEASE_EXAMPLES: &str = "\
Examples:
  gridlease sales lease operators/hut-8/leases/river-bend --operator hut-8";

/// `gridlease sales lease`.
#[derive(Debug, Args)]
#[command(after_help = LEASE_EXAMPLES)]
pub struct Lease {
    /// The lease
    #[arg(value_name = "NAME")]
    pub name: LeaseName,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const UNPLACED_EXAMPLES: &str = "\
Examples:
  gridlease sales unplaced --operator hut-8
  gridlease sales unplaced --operator hut-8 --json";

/// `gridlease sales unplaced`.
#[derive(Debug, Args)]
#[command(after_help = UNPLACED_EXAMPLES)]
pub struct Unplaced {
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const PIPELINE_EXAMPLES: &str = "\
Examples:
  gridlease sales pipeline --operator hut-8
  gridlease sales pipeline --operator hut-8 --deals --json";

/// `gridlease sales pipeline`.
#[derive(Debug, Args)]
#[command(after_help = PIPELINE_EXAMPLES)]
pub struct Pipeline {
    /// Every deal instead of the sums by stage
    #[arg(long)]
    pub deals: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const DEADLINES_EXAMPLES: &str = "\
Examples:
  gridlease sales deadlines --operator hut-8
  gridlease sales deadlines --operator hut-8 --days 90 --json";

/// `gridlease sales deadlines`.
#[derive(Debug, Args)]
#[command(after_help = DEADLINES_EXAMPLES)]
pub struct Deadlines {
    /// How far ahead
    #[arg(long, default_value_t = 14, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=3660))]
    pub days: i32,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const SIGN_EXAMPLES: &str = "\
Examples:
  gridlease operator sign operators/hut-8/leases/river-bend --operator hut-8 --name \"Ada Marsh\" --title Director";

/// `gridlease operator sign`.
#[derive(Debug, Args)]
#[command(after_help = SIGN_EXAMPLES)]
pub struct Sign {
    /// The lease
    #[arg(value_name = "LEASE")]
    pub lease: LeaseName,
    /// Who signs
    #[arg(long, value_name = "TEXT")]
    pub name: String,
    /// The signatory's office
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub title: String,
    /// The hash of the terms that were read, in hexadecimal [default: of the terms as they stand]
    #[arg(long, value_name = "SHA256")]
    pub terms_hash: Option<String>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const CONSENT_EXAMPLES: &str = "\
Examples:
  gridlease operator consent operators/hut-8/leases/river-bend --operator hut-8 --name \"Ada Marsh\" --title Director";

/// `gridlease operator consent`.
#[derive(Debug, Args)]
#[command(after_help = CONSENT_EXAMPLES)]
pub struct Consent {
    /// The lease
    #[arg(value_name = "LEASE")]
    pub lease: LeaseName,
    /// Who signs
    #[arg(long, value_name = "TEXT")]
    pub name: String,
    /// The signatory's office
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub title: String,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const NOMINATE_EXAMPLES: &str = "\
Examples:
  gridlease operator nominate operators/hut-8/leases/river-bend --operator hut-8 --nomination north --kw 20000 \\
    --block operators/hut-8/sites/river-bend/blocks/hall-2 --liquid-percent 85 --name \"Ada Marsh\" --title Director";

/// `gridlease operator nominate`.
#[derive(Debug, Args)]
#[command(after_help = NOMINATE_EXAMPLES)]
pub struct Nominate {
    /// The lease
    #[arg(value_name = "LEASE")]
    pub lease: LeaseName,
    /// Which capacity, by its id in the terms
    #[arg(long, value_name = "SLUG")]
    pub nomination: String,
    /// The block
    #[arg(long, value_name = "NAME")]
    pub block: BlockName,
    /// Critical IT load, kW
    #[arg(long, value_name = "KW", value_parser = clap::value_parser!(i64).range(1..))]
    pub kw: i64,
    /// Share of the heat that liquid carries; air carries the rest
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(i32).range(0..=100))]
    pub liquid_percent: i32,
    /// Who signs
    #[arg(long, value_name = "TEXT")]
    pub name: String,
    /// The signatory's office
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub title: String,
    /// Only ask whether it could be
    #[arg(long)]
    pub dry_run: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// Does what a salesperson asks.
///
/// # Errors
/// As [`told`].
pub async fn sales(arguments: Sales) -> anyhow::Result<()> {
    out::say(told(arguments.what).await?);
    Ok(())
}

/// What a salesperson is told, as it is printed.
///
/// # Errors
/// A token that cannot be had; a refusal of the services, in their words.
pub async fn told(what: SalesWhat) -> anyhow::Result<String> {
    match what {
        SalesWhat::Find(arguments) => ask::find(arguments).await,
        SalesWhat::Quote(arguments) => quote::quote(*arguments).await,
        SalesWhat::Hold(arguments) => desk::hold(arguments).await,
        SalesWhat::Propose(arguments) => desk::propose(*arguments).await,
        SalesWhat::DraftAgreement(arguments) => agreement::draft(arguments).await,
        SalesWhat::Agreements(arguments) => agreement::list(arguments).await,
        SalesWhat::Agreement(arguments) => agreement::show(arguments).await,
        SalesWhat::Clear(arguments) => desk::clear(arguments).await,
        SalesWhat::Lease(arguments) => ask::lease(arguments).await,
        SalesWhat::Unplaced(arguments) => ask::unplaced(arguments).await,
        SalesWhat::Pipeline(arguments) => ask::pipeline(arguments).await,
        SalesWhat::Deadlines(arguments) => ask::deadlines(arguments).await,
    }
}

/// Does what the operator's signatory asks.
///
/// # Errors
/// As [`told`].
pub async fn operator(arguments: Operator) -> anyhow::Result<()> {
    out::say(operator_told(arguments.what).await?);
    Ok(())
}

/// What the operator's signatory is told, as it is printed.
///
/// # Errors
/// As [`told`].
pub async fn operator_told(what: OperatorWhat) -> anyhow::Result<String> {
    match what {
        OperatorWhat::Sign(arguments) => desk::sign(arguments).await,
        OperatorWhat::Consent(arguments) => desk::consent(arguments).await,
        OperatorWhat::Nominate(arguments) => desk::nominate(arguments).await,
        OperatorWhat::SignAgreement(arguments) => agreement::sign(arguments).await,
        OperatorWhat::EndAgreement(arguments) => agreement::end(arguments).await,
    }
}
