//! `gridlease compare`: mine or lease, per gross megawatt and month and over the term.

mod print;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use contracts::google::r#type::Decimal;
use contracts::leasing::v1 as leasing;
use contracts::leasing::v1::offer_service_client::OfferServiceClient;
use kernel::{OperatorId, Organisation, Rate, Role};
use runtime::client::{Bearer, channel};
use tonic::service::interceptor::InterceptedService;

use crate::asking::minted;
use crate::out;

const EXAMPLES: &str = "\
Examples:
  gridlease compare --operator hut-8 --gross-kw 330000 --it-kw 245000 \\
      --hashprice 38.2 --efficiency 20 --power-price 45 \\
      --rate 128.02 --escalator 3 --term-months 180 --build-cost 10000000 --dark-months 9
  gridlease compare --operator hut-8 --place operators/hut-8/sites/hut-river-bend \\
      --hashprice 38.2 --efficiency 20 --power-price 45 --rate 128.02 --term-months 180
  gridlease compare ... --new-york                            with the excise that New York proposes
  gridlease compare ... --machine-price 15 --machine-months 36    with machines that are still to be bought
  gridlease compare ... --four-cp 6.260839                    with the ERCOT charge that the mine avoids
  gridlease compare ... --coin 91000,1100000,74600,137800     beside published costs of a coin
  gridlease compare ... --json                                one JSON document";

/// `gridlease compare`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
    /// Which power.
    #[command(flatten)]
    pub power: Power,
    /// The mine.
    #[command(flatten)]
    pub mine: Mine,
    /// The lease.
    #[command(flatten)]
    pub lease: Lease,
    /// Currency of every figure
    #[arg(long, default_value = "USD", value_name = "CODE")]
    pub currency: String,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
}

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Where leasing listens
    #[arg(long, env = "GRIDLEASE_LEASING", default_value = "http://127.0.0.1:50052", value_name = "URI")]
    pub leasing: String,
    /// A token of the operator's sales or finance [default: one of the local development issuer]
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The data directory of the `up` whose issuer mints the token [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The operator
    #[arg(long, value_name = "SLUG")]
    pub operator: OperatorId,
}

/// Which power is compared.
#[derive(Clone, Debug, Args)]
pub struct Power {
    /// A site or block, by resource name, whose power inventory knows
    #[arg(long, value_name = "NAME", conflicts_with_all = ["gross_kw", "it_kw"])]
    pub place: Option<String>,
    /// Power at the meter
    #[arg(long, value_name = "KW", required_unless_present = "place", requires = "it_kw")]
    pub gross_kw: Option<i64>,
    /// Critical IT load that it carries
    #[arg(long, value_name = "KW", required_unless_present = "place", requires = "gross_kw")]
    pub it_kw: Option<i64>,
}

/// The mine.
#[derive(Clone, Debug, Args)]
pub struct Mine {
    /// Earnings per PH/s and day
    #[arg(long, value_name = "MONEY")]
    pub hashprice: Rate,
    /// Efficiency of the machines in J/TH
    #[arg(long, value_name = "J/TH")]
    pub efficiency: Rate,
    /// Power with everything that is paid for it, per MWh
    #[arg(long, value_name = "MONEY")]
    pub power_price: Rate,
    /// Power at the meter per power of the machines
    #[arg(long, default_value = "1.05", value_name = "FACTOR")]
    pub overhead: Rate,
    /// Share of the time that the machines run
    #[arg(long, default_value = "95", value_name = "PERCENT")]
    pub uptime: Rate,
    /// Days of a month
    #[arg(long, default_value = "30.4167", value_name = "DAYS")]
    pub days: Rate,
    /// What running the mine costs beside its power, per MWh
    #[arg(long, value_name = "MONEY")]
    pub operating_cost: Option<Rate>,
    /// Count the excise that New York proposes
    #[arg(long)]
    pub new_york: bool,
    /// Price of new machines per TH/s; left out where they are paid for
    #[arg(long, value_name = "MONEY", requires = "machine_months")]
    pub machine_price: Option<Rate>,
    /// Months until they are worn out
    #[arg(long, value_name = "MONTHS", requires = "machine_price")]
    pub machine_months: Option<i32>,
    /// Price of a coin, hashrate of the network in PH/s, cash cost and whole cost of a coin
    #[arg(long, value_name = "PRICE,PH,CASH,ALL", value_delimiter = ',', num_args = 4)]
    pub coin: Vec<Rate>,
}

/// The lease.
#[derive(Clone, Debug, Args)]
pub struct Lease {
    /// Rent per kW of IT load and month in year one, triple net
    #[arg(long, value_name = "MONEY")]
    pub rate: Rate,
    /// Yearly rise of the rent
    #[arg(long, value_name = "PERCENT")]
    pub escalator: Option<Rate>,
    /// Months of the term
    #[arg(long, value_name = "MONTHS")]
    pub term_months: i32,
    /// What building costs per MW of IT load
    #[arg(long, default_value = "0", value_name = "MONEY")]
    pub build_cost: Rate,
    /// Yearly interest at which it is spread
    #[arg(long, default_value = "9", value_name = "PERCENT")]
    pub capital: Rate,
    /// Years over which it is spread
    #[arg(long, default_value_t = 15, value_name = "YEARS")]
    pub capital_years: i32,
    /// Months between the last day of the mine and the first of the rent
    #[arg(long, default_value_t = 0, value_name = "MONTHS")]
    pub dark_months: i32,
    /// Transmission charge per kW and month that the mine avoids and a tenant does not
    #[arg(long, value_name = "MONEY")]
    pub four_cp: Option<Rate>,
    /// Yearly rate at which the future is discounted [default: that of --capital]
    #[arg(long, value_name = "PERCENT")]
    pub discount: Option<Rate>,
}

#[expect(clippy::unnecessary_wraps, reason = "as the field of the request wants it")]
fn said(rate: Rate) -> Option<Decimal> {
    Some(Decimal { value: rate.to_string() })
}

impl Compare {
    fn request(&self) -> leasing::CompareWithMiningRequest {
        let (mine, lease) = (&self.mine, &self.lease);
        let coin = match mine.coin[..] {
            [price, network, cash, all_in] => Some(leasing::CoinCase {
                coin_price: said(price),
                network_hashrate_ph: said(network),
                cash_cost_per_coin: said(cash),
                all_in_cost_per_coin: said(all_in),
            }),
            _ => None,
        };
        let excise = match mine.new_york {
            true => leasing::MiningExcise::NewYorkProposed,
            false => leasing::MiningExcise::Unspecified,
        };
        leasing::CompareWithMiningRequest {
            parent: format!("operators/{}", self.server.operator),
            place: self.power.place.clone().unwrap_or_default(),
            gross_kw: self.power.gross_kw.unwrap_or_default(),
            critical_it_kw: self.power.it_kw.unwrap_or_default(),
            currency_code: self.currency.clone(),
            mining: Some(leasing::MiningCase {
                hashprice_per_ph_day: said(mine.hashprice),
                efficiency_joules_per_terahash: said(mine.efficiency),
                overhead_factor: said(mine.overhead),
                uptime_percent: said(mine.uptime),
                days_per_month: said(mine.days),
                power_price_per_mwh: said(mine.power_price),
                operating_cost_per_mwh: mine.operating_cost.and_then(said),
                excise: excise.into(),
                machine_price_per_terahash: mine.machine_price.and_then(said),
                machine_life_months: mine.machine_months.unwrap_or_default(),
                coin,
            }),
            lease: Some(leasing::LeaseCase {
                year_one_rate_per_kw_month: said(lease.rate),
                escalator_percent: lease.escalator.and_then(said),
                term_months: lease.term_months,
                build_cost_per_it_mw: said(lease.build_cost),
                capital_percent: said(lease.capital),
                capital_years: lease.capital_years,
                dark_months: lease.dark_months,
                four_cp_rate_per_kw_month: lease.four_cp.and_then(said),
                discount_percent: lease.discount.and_then(said),
            }),
        }
    }
}

/// Asks and prints.
///
/// # Errors
/// A refusal of the server.
pub async fn compare(arguments: Compare) -> anyhow::Result<()> {
    let server = &arguments.server;
    let token = match &server.token {
        Some(token) => token.clone(),
        None => {
            let operator = Organisation::Operator(server.operator.clone());
            minted(server.data_dir.clone(), &operator, Role::Sales)?
        }
    };
    let wire = InterceptedService::new(channel(&server.leasing)?, Bearer::new(&token)?);
    let answer = OfferServiceClient::new(wire).compare_with_mining(arguments.request()).await;
    let answer = answer.context("compare")?.into_inner();
    let shown = print::Shown::of(&answer);
    if arguments.json {
        out::say(serde_json::to_string_pretty(&shown.json())?);
    } else {
        out::say(shown.text(&arguments.currency));
    }
    Ok(())
}
