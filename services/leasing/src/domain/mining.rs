//! What a mine earns and pays, per gross megawatt and month.

use kernel::{Currency, Percent, Rate};
use num_traits::Zero as _;
use serde::{Deserialize, Serialize};

use super::exact::{Ratio, of_rate, share, whole};

/// Bitcoins found in a day by the whole network.
const COINS_PER_DAY: i64 = 450;
const HOURS_PER_DAY: i64 = 24;
const HOURS_PER_YEAR: i64 = 8_760;
const KWH_PER_MWH: i64 = 1_000;

/// A tax on the electricity of a mine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Excise {
    /// New York S8518 as proposed.
    NewYorkProposed,
}

impl Excise {
    /// From so many kWh a year on, cents on each more.
    const fn brackets(self) -> &'static [(i64, i64)] {
        match self {
            Self::NewYorkProposed => &[(2_250_000, 2), (5_000_000, 3), (10_000_000, 4), (20_000_000, 5)],
        }
    }

    /// The tax on so many kWh in a year: each bracket's cents on its own part.
    #[must_use]
    pub fn on(self, kwh: &Ratio) -> Ratio {
        let brackets = self.brackets();
        let mut tax = Ratio::zero();
        for (i, (from, cents)) in brackets.iter().enumerate() {
            let until = brackets.get(i + 1).map(|(next, _)| whole(*next));
            let top = until.filter(|until| until < kwh).unwrap_or_else(|| kwh.clone());
            let part = top - whole(*from);
            if part > Ratio::zero() {
                tax += part * Ratio::new((*cents).into(), 100.into());
            }
        }
        tax
    }

    /// What must be said whenever it is counted.
    #[must_use]
    pub const fn assumption(self) -> &'static str {
        match self {
            Self::NewYorkProposed => {
                "The excise of New York S8518 is counted as proposed; it is not law, and would hold for tax years \
                 from 2027-01-01."
            }
        }
    }
}

/// New machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machines {
    /// Price per TH/s.
    pub price_per_terahash: Rate,
    /// Months until they are worn out.
    pub life_months: u32,
}

/// What one coin is said to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// Its price.
    pub price: Rate,
    /// Hashrate of the network, PH/s.
    pub network_ph: Rate,
    /// Its cash cost.
    pub cash_cost: Rate,
    /// Its whole cost.
    pub all_in_cost: Rate,
}

/// A mine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mine {
    /// The currency of every figure.
    pub currency: Currency,
    /// Earnings per PH/s and day.
    pub hashprice: Rate,
    /// J/TH, which is kW per PH/s.
    pub efficiency: Rate,
    /// Power at the meter per power of the machines.
    pub overhead: Rate,
    /// Share of the time that the machines run.
    pub uptime: Percent,
    /// Days of a month.
    pub days_per_month: Rate,
    /// Power per MWh.
    pub power_price: Rate,
    /// What else it costs per MWh.
    pub operating_cost: Rate,
    /// The tax on its electricity.
    pub excise: Option<Excise>,
    /// New machines, where the old ones are not paid for.
    pub machines: Option<Machines>,
    /// Published costs to set beside.
    pub coin: Option<Coin>,
}

/// The figures of a mine, per gross MW and month unless they say otherwise. Exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MineResult {
    /// PH/s.
    pub hashrate: Ratio,
    /// What it earns.
    pub revenue: Ratio,
    /// What it earns per MWh.
    pub revenue_per_mwh: Ratio,
    /// What its power costs.
    pub power_cost: Ratio,
    /// What else it costs.
    pub operating_cost: Ratio,
    /// Its tax.
    pub excise: Ratio,
    /// The tax of the whole place in a year.
    pub excise_per_year: Ratio,
    /// What is left.
    pub margin: Ratio,
    /// What is left when the machines are paid.
    pub margin_after_machines: Ratio,
    /// Hashprice at which nothing is left.
    pub break_even_hashprice: Ratio,
    /// Power price per MWh at which nothing is left.
    pub break_even_power_price: Ratio,
    /// The view of published costs.
    pub coin: Option<CoinResult>,
}

/// The view of published costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinResult {
    /// Coins found.
    pub coins: Ratio,
    /// Left after their cash cost.
    pub cash_margin: Ratio,
    /// Left after their whole cost.
    pub all_in_margin: Ratio,
    /// Earnings per PH/s and day by the coin's price alone.
    pub implied_hashprice: Ratio,
    /// MWh that the machines take for one coin.
    pub power_per_coin: Ratio,
    /// What they cost.
    pub power_cost_per_coin: Ratio,
}

impl Mine {
    /// The figures of a mine of `gross_kw`, which must be above nothing: its size decides its tax.
    #[must_use]
    pub fn work(&self, gross_kw: i64) -> MineResult {
        let per_ph = of_rate(self.efficiency) * of_rate(self.overhead);
        let hashrate = whole(1_000) / &per_ph;
        let running_days = self.running_days();
        let hours = whole(HOURS_PER_DAY) * &running_days;
        let revenue = &hashrate * &running_days * of_rate(self.hashprice);
        let revenue_per_mwh = of_rate(self.hashprice) * whole(1_000) / (whole(HOURS_PER_DAY) * &per_ph);
        let kwh = whole(gross_kw) * whole(HOURS_PER_YEAR) * share(self.uptime);
        let excise_per_year = self.excise.map_or_else(Ratio::zero, |excise| excise.on(&kwh));
        let excise_per_mwh = &excise_per_year * whole(1_000) / kwh;
        let excise = &excise_per_year * whole(1_000) / whole(12 * gross_kw);
        let (power, operating) = (of_rate(self.power_price), of_rate(self.operating_cost));
        let power_cost = &hours * &power;
        let operating_cost = &hours * &operating;
        let margin = &revenue - &power_cost - &operating_cost - &excise;
        let machines = self.machines.map_or_else(Ratio::zero, |machines| {
            &hashrate * whole(1_000) * of_rate(machines.price_per_terahash)
                / whole(machines.life_months.into())
        });
        let costs_per_mwh = power + &operating + &excise_per_mwh;
        MineResult {
            coin: self.coin.map(|coin| coin.work(self, &hashrate, &running_days)),
            margin_after_machines: &margin - machines,
            break_even_hashprice: costs_per_mwh * whole(HOURS_PER_DAY) * per_ph / whole(1_000),
            break_even_power_price: &revenue_per_mwh - operating - excise_per_mwh,
            hashrate,
            revenue,
            revenue_per_mwh,
            power_cost,
            operating_cost,
            excise,
            excise_per_year,
            margin,
        }
    }

    /// The hashprice that leaves so much instead.
    #[must_use]
    pub fn hashprice_for(&self, margin: &Ratio, result: &MineResult) -> Ratio {
        (margin - &result.margin + &result.revenue) / (&result.hashrate * self.running_days())
    }

    fn running_days(&self) -> Ratio {
        of_rate(self.days_per_month) * share(self.uptime)
    }
}

impl Coin {
    fn work(&self, mine: &Mine, hashrate: &Ratio, running_days: &Ratio) -> CoinResult {
        let per_ph_day = whole(COINS_PER_DAY) / of_rate(self.network_ph);
        let coins = hashrate * running_days * &per_ph_day;
        let margin = |cost: Rate| (of_rate(self.price) - of_rate(cost)) * &coins;
        // One PH/s takes as many kW as its efficiency says.
        let power_per_coin =
            of_rate(mine.efficiency) * whole(HOURS_PER_DAY) / &per_ph_day / whole(KWH_PER_MWH);
        CoinResult {
            cash_margin: margin(self.cash_cost),
            all_in_margin: margin(self.all_in_cost),
            implied_hashprice: per_ph_day * of_rate(self.price),
            power_cost_per_coin: &power_per_coin * of_rate(mine.power_price),
            power_per_coin,
            coins,
        }
    }
}

/// What is worth more than nothing: a mine that makes a loss is switched off.
#[must_use]
pub fn or_switched_off(margin: &Ratio) -> Ratio {
    if *margin > Ratio::zero() { margin.clone() } else { Ratio::zero() }
}

#[cfg(test)]
#[path = "mining_tests.rs"]
mod tests;
