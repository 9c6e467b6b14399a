//! What is held, or proposed, as it is typed.

use clap::Args;
use kernel::{BlockName, CivilDate, MasterAgreementName, Rate, SiteName, TenantId};

use super::Server;

/// A load over a term.
#[derive(Clone, Debug, Args)]
pub struct Premises {
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    pub tenant: TenantId,
    /// Critical IT load, kW
    #[arg(long, value_name = "KW", value_parser = clap::value_parser!(i64).range(1..))]
    pub kw: i64,
    /// Share of the heat that liquid carries; air carries the rest
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(i32).range(0..=100))]
    pub liquid_percent: i32,
    /// First day, in the site's time zone
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: CivilDate,
    /// Term
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(i32).range(1..=600))]
    pub months: i32,
    /// How long it is held
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=60))]
    pub days: i64,
}

const HOLD_EXAMPLES: &str = "\
Examples:
  gridlease sales hold --operator hut-8 --block operators/hut-8/sites/river-bend/blocks/hall-1 \\
    --tenant anthropic --kw 40000 --liquid-percent 85 --from 2027-12-01 --months 180 --days 30";

/// `gridlease sales hold`.
#[derive(Debug, Args)]
#[command(after_help = HOLD_EXAMPLES)]
pub struct Hold {
    /// The block, such as operators/hut-8/sites/river-bend/blocks/hall-1
    #[arg(long, value_name = "NAME")]
    pub block: BlockName,
    /// What to hold.
    #[command(flatten)]
    pub premises: Premises,
    /// A remark
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub note: String,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const PROPOSE_EXAMPLES: &str = "\
Examples:
  gridlease sales propose --operator hut-8 --block operators/hut-8/sites/river-bend/blocks/hall-1 \\
    --tenant anthropic --kw 40000 --liquid-percent 85 --from 2027-12-01 --months 180 --rate 128.02 --escalator 3
  gridlease sales propose --operator hut-8 --site operators/hut-8/sites/river-bend --name-by 2027-06-30 \\
    --tenant anthropic --kw 40000 --liquid-percent 85 --from 2027-12-01 --months 180 --rate 128.02";

/// `gridlease sales propose`.
#[derive(Debug, Args)]
#[command(after_help = PROPOSE_EXAMPLES)]
pub struct Propose {
    /// The block, such as operators/hut-8/sites/river-bend/blocks/hall-1
    #[arg(long, value_name = "NAME", required_unless_present = "site", conflicts_with = "site")]
    pub block: Option<BlockName>,
    /// Instead of a block: the site whose block the operator names later; nothing is held until then
    #[arg(long, value_name = "NAME", requires = "name_by")]
    pub site: Option<SiteName>,
    /// Last day to name a block of the site, in its time zone; what is not named by then lapses
    #[arg(long, value_name = "YYYY-MM-DD", requires = "site")]
    pub name_by: Option<CivilDate>,
    /// Id of what is named later, within the terms
    #[arg(long, default_value = "later", value_name = "SLUG")]
    pub nomination: String,
    /// What is leased.
    #[command(flatten)]
    pub premises: Premises,
    /// Rent per kW and month in year one, triple net
    #[arg(long, value_name = "RATE")]
    pub rate: Rate,
    /// Yearly rise of the rate, in percent; 0 is flat
    #[arg(long, default_value = "3", value_name = "PERCENT")]
    pub escalator: String,
    /// Currency of the rate
    #[arg(long, default_value = "USD", value_name = "CODE")]
    pub currency: String,
    /// Master agreement that it is an order under: its days to pay hold, else 30
    #[arg(long, value_name = "NAME")]
    pub agreement: Option<MasterAgreementName>,
    /// Id of the lease [default: one is chosen]
    #[arg(long, default_value = "", value_name = "SLUG")]
    pub id: String,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}
