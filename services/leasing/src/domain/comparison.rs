//! Mine or lease: the same power as a mine and as a lease, per gross megawatt and month and over the term.

use kernel::rent::step_rate;
use kernel::{BlockName, Error, NameError, OperatorId, Percent, Rate, Reason, SiteName};
use num_bigint::BigInt;
use num_traits::Zero as _;
use serde::{Deserialize, Serialize};

use super::exact::{Ratio, annuity, of_rate, present_value, share, whole};
use super::mining::{Mine, MineResult, or_switched_off};

const MONTHS: i64 = 12;

/// The power that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// At the meter, kW; above 0.
    pub gross_kw: i64,
    /// Critical IT load that it carries, kW; above 0 and at most the gross power.
    pub critical_it_kw: i64,
}

/// A site or a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceName {
    /// A site.
    Site(SiteName),
    /// A block.
    Block(BlockName),
}

impl PlaceName {
    /// Whose it is.
    #[must_use]
    pub fn operator(&self) -> &OperatorId {
        match self {
            Self::Site(site) => &site.operator,
            Self::Block(block) => &block.operator,
        }
    }
}

impl std::str::FromStr for PlaceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().map(Self::Block).or_else(|_| text.parse().map(Self::Site))
    }
}

/// What leasing costs beside giving the power away: building, being dark, and the saving that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// Months of the term.
    pub term_months: u32,
    /// Cost of building per MW of critical IT load.
    pub build_cost_per_it_mw: Rate,
    /// Yearly interest on it.
    pub capital: Percent,
    /// Years over which it is spread.
    pub capital_years: u32,
    /// Months without either income.
    pub dark_months: u32,
    /// Transmission charge that the mine avoids and a tenant does not, per kW and month.
    pub four_cp: Rate,
    /// Yearly rate at which the future is discounted.
    pub discount: Percent,
}

/// A lease of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseCase {
    /// Rent per kW of critical IT load and month in year one, triple net.
    pub year_one: Rate,
    /// Its yearly rise.
    pub escalator: Percent,
    /// What it costs to get there.
    pub conversion: Conversion,
}

/// The figures of a lease, per gross MW and month unless they say otherwise. Exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseResult {
    /// Rent in year one.
    pub cash_rent: Ratio,
    /// Rent on average.
    pub average_cash_rent: Ratio,
    /// The building, spread.
    pub capital_charge: Ratio,
    /// The saving that ends.
    pub lost_four_cp: Ratio,
    /// Average rent per kW of critical IT load and month at which mine and lease are worth the same.
    pub break_even_rate: Ratio,
    /// Hashprice at which they are.
    pub break_even_hashprice: Ratio,
}

impl LeaseResult {
    /// Rent in year one after capital.
    #[must_use]
    pub fn after_capital(&self) -> Ratio {
        &self.cash_rent - &self.capital_charge
    }

    /// Rent on average after capital.
    #[must_use]
    pub fn average_after_capital(&self) -> Ratio {
        &self.average_cash_rent - &self.capital_charge
    }

    /// Rent in year one after capital and the lost saving.
    #[must_use]
    pub fn net(&self) -> Ratio {
        self.after_capital() - &self.lost_four_cp
    }

    /// Rent on average after capital and the lost saving.
    #[must_use]
    pub fn average_net(&self) -> Ratio {
        self.average_after_capital() - &self.lost_four_cp
    }
}

/// A mine and a lease side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The mine.
    pub mine: MineResult,
    /// The lease.
    pub lease: LeaseResult,
    /// What the whole place does not earn while it is dark.
    pub downtime_cost: Ratio,
    /// Worth today of the whole place's rent after capital and the lost saving.
    pub lease_present_value: Ratio,
    /// Worth today of the whole place's mining margin.
    pub mining_present_value: Ratio,
    /// What the figures rest on.
    pub assumptions: Vec<String>,
}

impl Comparison {
    /// By how much leasing is worth more.
    #[must_use]
    pub fn advantage(&self) -> Ratio {
        &self.lease_present_value - &self.mining_present_value - &self.downtime_cost
    }
}

/// Compares a mine with a lease of the same place.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when the rent outgrows its type.
pub fn compare(place: Place, mine: &Mine, lease: &LeaseCase) -> Result<Comparison, Error> {
    let result = mine.work(place.gross_kw);
    let conversion = &lease.conversion;
    let rates = monthly_rates(lease)?;
    let months = whole(conversion.term_months.into());
    let gross_mw = Ratio::new(place.gross_kw.into(), 1_000.into());
    let it_share = Ratio::new(place.critical_it_kw.into(), place.gross_kw.into());
    let per_gross_mw = |per_kw: &Ratio| per_kw * whole(1_000) * &it_share;
    let average = Ratio::new(rates.iter().sum(), BigInt::from(10).pow(Rate::DECIMALS.into())) / &months;
    let lost_four_cp = of_rate(conversion.four_cp) * whole(1_000);
    let figures = LeaseResult {
        cash_rent: per_gross_mw(&of_rate(lease.year_one)),
        average_cash_rent: per_gross_mw(&average),
        capital_charge: conversion.capital_per_it_mw() * &it_share,
        break_even_rate: conversion.break_even_rate(place, &result.margin),
        break_even_hashprice: Ratio::zero(),
        lost_four_cp,
    };
    let dark = Ratio::new(conversion.dark_months.into(), conversion.term_months.into());
    let margin_wanted = figures.average_net() / (whole(1) + dark);
    let lease_figures =
        LeaseResult { break_even_hashprice: mine.hashprice_for(&margin_wanted, &result), ..figures };

    let monthly = share(conversion.discount) / whole(MONTHS);
    let ones = vec![BigInt::from(1); rates.len()];
    let level = present_value(&ones, &monthly);
    let rent = present_value(&rates, &monthly) / BigInt::from(10).pow(Rate::DECIMALS.into());
    let costs = &lease_figures.capital_charge + &lease_figures.lost_four_cp;
    Ok(Comparison {
        lease_present_value: (per_gross_mw(&rent) - costs * &level) * &gross_mw,
        mining_present_value: &result.margin * level * &gross_mw,
        downtime_cost: &result.margin * whole(conversion.dark_months.into()) * gross_mw,
        assumptions: assumptions(mine, conversion),
        mine: result,
        lease: lease_figures,
    })
}

impl Conversion {
    /// The cost of building per MW of critical IT load and month.
    fn capital_per_it_mw(&self) -> Ratio {
        of_rate(self.build_cost_per_it_mw) * annuity(&share(self.capital), self.capital_years) / whole(MONTHS)
    }

    /// Average rent per kW of critical IT load and month at which a lease of the place is worth what `margin` per gross
    /// MW and month is: the margin, also of the dark months, the lost saving, and the building.
    #[must_use]
    pub fn break_even_rate(&self, place: Place, margin: &Ratio) -> Ratio {
        let dark = Ratio::new(self.dark_months.into(), self.term_months.into());
        let per_gross_mw = or_switched_off(margin) * (whole(1) + dark) + of_rate(self.four_cp) * whole(1_000);
        let per_it_mw = per_gross_mw * Ratio::new(place.gross_kw.into(), place.critical_it_kw.into());
        (per_it_mw + self.capital_per_it_mw()) / whole(1_000)
    }
}

/// The rate of each month of the term, scaled to ten decimals: the rates that a lease of these terms would bill.
fn monthly_rates(lease: &LeaseCase) -> Result<Vec<BigInt>, Error> {
    (0..lease.conversion.term_months)
        .map(|month| {
            step_rate(lease.year_one, lease.escalator, month / 12).map(|rate| rate.scaled().into()).map_err(
                |_| {
                    Error::refused(
                        Reason::TermOutOfRange,
                        "The rent of these terms is too large to be computed.",
                    )
                },
            )
        })
        .collect()
}

fn assumptions(mine: &Mine, conversion: &Conversion) -> Vec<String> {
    let mut said = vec![
        format!("A month has {} days, on {} % of which the machines run.", mine.days_per_month, mine.uptime),
        "Hashprice, power price and charges stay as they are over the term.".to_owned(),
        format!(
            "The future is discounted by a twelfth of {} % a month; the first rent is a month away.",
            conversion.discount
        ),
        "The rent is triple net: the tenant bears power, tax, insurance and upkeep.".to_owned(),
    ];
    if !conversion.build_cost_per_it_mw.is_positive() {
        said.push("Nothing has to be built.".to_owned());
    } else {
        said.push(format!(
            "Building costs {} per MW of critical IT load, paid back in equal parts over {} years at {} %.",
            conversion.build_cost_per_it_mw, conversion.capital_years, conversion.capital
        ));
    }
    if conversion.four_cp.is_positive() {
        said.push("The mine leaves all four coincident peaks; a tenant leaves none.".to_owned());
    }
    match mine.machines {
        Some(machines) => said.push(format!(
            "The machines are new and worn out evenly over {} months, with nothing left.",
            machines.life_months
        )),
        None => said.push("The machines are paid for; what they would sell for is not counted.".to_owned()),
    }
    said.extend(mine.excise.map(|excise| excise.assumption().to_owned()));
    said
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
