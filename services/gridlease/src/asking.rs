//! What commands that ask a service have in common: whom they ask, as whom, about which place and which days.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Datelike as _;
use clap::{Args, ValueEnum};
use kernel::time::add_months;
use kernel::{
    BlockName, CivilDate, Clock as _, DateRange, OperatorId, OperatorName, Organisation, Role, SiteName,
    SystemClock, Zone,
};
use runtime::TokenIssuer;
use runtime::client::{Bearer, channel};
use tonic::service::interceptor::InterceptedService;

use crate::clients::Wire;
use crate::commands::refuse_production;
use crate::stack::data_dir;

/// Long enough for one answer.
const LIFETIME: Duration = Duration::from_secs(600);
/// Years that are shown where nobody says until when.
const YEARS: i32 = 5;

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Where inventory listens
    #[arg(long, env = "GRIDLEASE_INVENTORY", default_value = "http://127.0.0.1:50051", value_name = "URI")]
    pub inventory: String,
    /// A token [default: one of the development issuer, as `gridlease token` mints it]
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Without a token: as whom to ask, operators/SLUG or tenants/SLUG [default: the operator that is asked about]
    #[arg(long = "as", value_name = "ORG")]
    pub organisation: Option<Organisation>,
    /// Without a token: the data directory of the `up` that is asked [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl Server {
    /// A connection with the token that was given, or else one for the site staff of this operator.
    ///
    /// # Errors
    /// A bad address or token; nobody to ask as; production without a token.
    pub fn connect(&self, operator: Option<&OperatorId>) -> anyhow::Result<Wire> {
        let token = match &self.token {
            Some(token) => token.clone(),
            None => self.own_token(operator)?,
        };
        Ok(InterceptedService::new(channel(&self.inventory)?, Bearer::new(&token)?))
    }

    fn own_token(&self, operator: Option<&OperatorId>) -> anyhow::Result<String> {
        let by_place = || operator.cloned().map(Organisation::Operator);
        let organisation = self.organisation.clone().or_else(by_place);
        let organisation =
            organisation.context("say as whom to ask: --token TOKEN or --as operators/SLUG")?;
        let role = match organisation {
            Organisation::Tenant(_) => Role::Tenant,
            Organisation::Operator(_) | Organisation::Platform | Organisation::Service(_) => Role::SiteOps,
        };
        minted(self.data_dir.clone(), &organisation, role)
    }
}

/// Billing, asked as an operator's finance.
#[derive(Clone, Debug, Args)]
pub struct Billing {
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

impl Billing {
    /// A connection with the token that was given, or else one for the finance of this operator.
    ///
    /// # Errors
    /// A bad address or token; production without a token.
    pub fn connect(&self, operator: &OperatorId) -> anyhow::Result<Wire> {
        let organisation = Organisation::Operator(operator.clone());
        let token = match &self.token {
            Some(token) => token.clone(),
            None => minted(self.data_dir.clone(), &organisation, Role::Finance)?,
        };
        Ok(InterceptedService::new(channel(&self.billing)?, Bearer::new(&token)?))
    }
}

/// A token of the development issuer of a data directory, for one answer.
///
/// # Errors
/// Where a service is configured as production; a data directory without an issuer.
pub(crate) fn minted(
    directory: Option<PathBuf>,
    organisation: &Organisation,
    role: Role,
) -> anyhow::Result<String> {
    refuse_production("a command without --token")?;
    let issuer = TokenIssuer::in_directory(&data_dir(directory)?)?;
    Ok(issuer.mint("developer", organisation, &[role], LIFETIME)?)
}

/// A place that has capacity, by its resource name or in short: `hut-8`, `hut-8/river-bend`, `hut-8/river-bend/hall-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// All that an operator has.
    Operator(OperatorName),
    /// A site.
    Site(SiteName),
    /// A block.
    Block(BlockName),
}

impl Place {
    /// Whose it is.
    #[must_use]
    pub fn operator(&self) -> &OperatorId {
        match self {
            Self::Operator(name) => &name.operator,
            Self::Site(name) => &name.operator,
            Self::Block(name) => &name.operator,
        }
    }

    /// The site that it is or lies on.
    #[must_use]
    pub fn site(&self) -> Option<SiteName> {
        match self {
            Self::Operator(_) => None,
            Self::Site(name) => Some(name.clone()),
            Self::Block(name) => Some(SiteName::new(name.operator.clone(), name.site.clone())),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operator(name) => name.fmt(f),
            Self::Site(name) => name.fmt(f),
            Self::Block(name) => name.fmt(f),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let short: Vec<&str> = match parts[..] {
            ["operators", operator] => vec![operator],
            ["operators", operator, "sites", site] => vec![operator, site],
            ["operators", operator, "sites", site, "blocks", block] => vec![operator, site, block],
            _ => parts,
        };
        let place = match short[..] {
            [operator] => format!("operators/{operator}").parse().map(Self::Operator),
            [operator, site] => format!("operators/{operator}/sites/{site}").parse().map(Self::Site),
            [operator, site, block] => {
                format!("operators/{operator}/sites/{site}/blocks/{block}").parse().map(Self::Block)
            }
            _ => {
                return Err(
                    "must be OPERATOR, OPERATOR/SITE, OPERATOR/SITE/BLOCK or a resource name".to_owned()
                );
            }
        };
        place.map_err(|error| error.to_string())
    }
}

/// The days that are asked about.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Days {
    /// First day [default: the first of this quarter]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<CivilDate>,
    /// First day after [default: five years later]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub until: Option<CivilDate>,
}

impl Days {
    /// The days as a range, by the machine's clock where nobody says from when.
    ///
    /// # Errors
    /// An end that is not later than its start.
    pub fn range(self, zone: Zone) -> anyhow::Result<DateRange> {
        let today = zone.date_of(SystemClock.now());
        let from = self.from.unwrap_or_else(|| quarter_of(today));
        let until =
            self.until.or_else(|| add_months(from, 12 * YEARS)).context("--from: beyond all dates")?;
        DateRange::new(from, until).context("--until must be later than --from")
    }
}

/// How time is parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Wherever something changes
    Step,
    /// By quarter
    Quarter,
    /// By year
    Year,
}

/// First day of a day's quarter.
fn quarter_of(day: CivilDate) -> CivilDate {
    CivilDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1).unwrap_or(day)
}

/// The quarters or years that cover some days: each by its first day that is asked for, with its name.
#[must_use]
pub fn periods(years: bool, days: DateRange) -> Vec<(CivilDate, String)> {
    let mut periods = Vec::new();
    let mut next = Some(days.start());
    while let Some(from) = next.filter(|day| days.contains(*day)) {
        let name = if years {
            from.year().to_string()
        } else {
            format!("{} Q{}", from.year(), from.month0() / 3 + 1)
        };
        periods.push((from, name));
        next = if years {
            CivilDate::from_ymd_opt(from.year() + 1, 1, 1)
        } else {
            add_months(quarter_of(from), 3)
        };
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_place_has_a_short_and_a_long_name() {
        for (short, long) in [
            ("hut-8", "operators/hut-8"),
            ("hut-8/river-bend", "operators/hut-8/sites/river-bend"),
            ("hut-8/river-bend/hall-1", "operators/hut-8/sites/river-bend/blocks/hall-1"),
        ] {
            let place: Place = short.parse().expect("a place");
            assert_eq!(place.to_string(), long);
            assert_eq!(long.parse(), Ok(place));
        }
        for bad in ["", "Hut 8", "a/b/c/d", "operators/hut-8/blocks/hall"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }

    #[test]
    fn periods_begin_where_they_are_asked_for() {
        let days = DateRange::new(day("2026-11-10"), day("2027-07-02")).expect("days");
        let names = |years| {
            let named: Vec<String> =
                periods(years, days).into_iter().map(|(from, name)| format!("{name} {from}")).collect();
            named
        };
        assert_eq!(
            names(false),
            ["2026 Q4 2026-11-10", "2027 Q1 2027-01-01", "2027 Q2 2027-04-01", "2027 Q3 2027-07-01"]
        );
        assert_eq!(names(true), ["2026 2026-11-10", "2027 2027-01-01"]);
    }
}
