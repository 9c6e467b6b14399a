//! Tariffs: what power costs, as components that hold from one day to another.
//!
//! A component is known by its code. Of the components of one code, each holds from its first day until the next one's,
//! or until its own end. A change of rate is another component; what was charged under the old one stays true.

use std::collections::BTreeMap;

use kernel::{
    CivilDate, Currency, DateRange, Exact, Instant, Money, OperatorId, Percent, Rate, TariffId, Zone,
};
use serde::{Deserialize, Serialize};

/// A tariff of a utility, a retailer or a landlord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: TariffId,
    /// What it is.
    pub facts: TariffFacts,
    /// Raised by every addition of components; the etag.
    pub version: i64,
    /// What it charges, in order of code, then first day.
    pub components: Vec<Component>,
    /// When it was created.
    pub create_time: Instant,
}

/// What is told of a tariff when it is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TariffFacts {
    /// What people call it.
    pub display_name: String,
    /// Of every rate.
    pub currency: Currency,
    /// In which days and hours are counted.
    pub zone: Zone,
    /// Who may be served under it, and what they must put up.
    #[serde(default)]
    pub terms: ServiceTerms,
}

/// Who may be served under a tariff, and what they must put up.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceTerms {
    /// The smallest load that is served, kW.
    #[serde(default)]
    pub min_kw: i64,
    /// What must be put up for each kW.
    #[serde(default)]
    pub collateral_per_kw: Rate,
    /// By how much of it a good credit can lower that.
    #[serde(default)]
    pub collateral_reduction_max: Percent,
}

impl ServiceTerms {
    /// Whether a load is served.
    #[must_use]
    pub fn serves(&self, contracted_kw: i64) -> bool {
        contracted_kw >= self.min_kw
    }

    /// What must be put up for a load; `None` if the reduction is more than there may be, or beyond 64 bits.
    #[must_use]
    pub fn collateral(&self, contracted_kw: i64, reduction: Percent, currency: Currency) -> Option<Money> {
        if reduction > self.collateral_reduction_max || reduction.is_negative() {
            return None;
        }
        let gross = &Exact::from(contracted_kw) * &self.collateral_per_kw.into();
        let left = &Exact::from(1) - &reduction.into();
        (&gross * &left).to_money(currency)
    }
}

/// A part of a tariff that holds for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// What it is known by, such as `tcrf`.
    pub code: String,
    /// First day on which it holds.
    pub from: CivilDate,
    /// First day on which it no longer holds; none: until another of its code does.
    #[serde(default)]
    pub until: Option<CivilDate>,
    /// What it charges.
    pub price: Price,
    /// Where the figures come from.
    pub source: String,
}

/// What a component charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Price {
    /// So much a billing month.
    Fixed {
        /// Money a month.
        per_month: Rate,
    },
    /// The same for each kWh: energy, delivery, riders and taxes by energy. A credit is negative.
    Energy {
        /// Money a kWh.
        per_kwh: Rate,
    },
    /// By the time at which a kWh is used: the first band that an interval begins in.
    TimeOfUse {
        /// In order of precedence.
        bands: Vec<Band>,
        /// Outside all bands.
        otherwise_per_kwh: Rate,
    },
    /// By a price for each interval, with an adder.
    Indexed {
        /// Money a kWh on top of the interval's price.
        adder_per_kwh: Rate,
    },
    /// By the load.
    Demand {
        /// Money a kW and month.
        per_kw: Rate,
        /// Which load.
        basis: DemandBasis,
        /// At least so much of the contracted load.
        #[serde(default)]
        floor: Option<Percent>,
    },
    /// By the energy of a year, each bracket for what lies in it only.
    Excise {
        /// In rising order.
        brackets: Vec<Bracket>,
        /// Who levies it.
        #[serde(default)]
        jurisdiction: Option<String>,
    },
    /// A part of what other components come to: riders, fees and taxes.
    Share {
        /// How much of it.
        percent: Percent,
        /// Of which components, by code; none is not allowed.
        of: Vec<String>,
        /// Who levies it, where it is a tax.
        #[serde(default)]
        jurisdiction: Option<String>,
    },
}

/// Times at which one price holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Its name, such as `peak`.
    pub name: String,
    /// Months of the year, 1 to 12; empty: all.
    #[serde(default)]
    pub months: Vec<u32>,
    /// Days of the week, 1 (Monday) to 7; empty: all.
    #[serde(default)]
    pub weekdays: Vec<u32>,
    /// First minute of the day, by the clock.
    pub from_minute: u32,
    /// First minute after.
    pub until_minute: u32,
    /// Money a kWh.
    pub per_kwh: Rate,
}

/// Which load a demand charge goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandBasis {
    /// The highest interval of the billing month.
    HighestInterval,
    /// The load at the system's peaks, such as ERCOT's four of the summer before.
    CoincidentPeak,
    /// The contracted load.
    Contracted,
}

/// A bracket of an excise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bracket {
    /// It begins above so many kWh of the year.
    pub above_kwh: i64,
    /// Money for each kWh above, until the next bracket.
    pub per_kwh: Rate,
}

/// What is wrong with the components of a tariff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadTariff(pub String);

impl Component {
    /// Whether the component means something by itself.
    pub fn check(&self) -> Result<(), BadTariff> {
        let bad = |what: &str| Err(BadTariff(what.to_owned()));
        if self.until.is_some_and(|until| until <= self.from) {
            return bad("must end after it begins");
        }
        match &self.price {
            Price::TimeOfUse { bands, .. } => {
                let minutes =
                    bands.iter().all(|b| b.from_minute < b.until_minute && b.until_minute <= 24 * 60);
                let months = bands.iter().flat_map(|b| &b.months).all(|month| (1..=12).contains(month));
                let days = bands.iter().flat_map(|b| &b.weekdays).all(|day| (1..=7).contains(day));
                if minutes && months && days { Ok(()) } else { bad("has a band of no time of the year") }
            }
            Price::Demand { floor: Some(floor), .. } if floor.is_negative() => bad("has a negative floor"),
            Price::Excise { brackets, .. } => {
                let rising = brackets.windows(2).all(|pair| pair[0].above_kwh < pair[1].above_kwh);
                let first = brackets.first().is_some_and(|first| first.above_kwh >= 0);
                if rising && first { Ok(()) } else { bad("must have brackets in rising order from 0 kWh") }
            }
            Price::Share { of, .. } if of.is_empty() || of.contains(&self.code) => {
                bad("must be a share of other components")
            }
            _ => Ok(()),
        }
    }
}

/// The parts of `cycle` in which each component holds, by code.
#[must_use]
pub fn effective(components: &[Component], cycle: DateRange) -> BTreeMap<&str, Vec<(DateRange, &Component)>> {
    let mut by_code: BTreeMap<&str, Vec<&Component>> = BTreeMap::new();
    for component in components {
        by_code.entry(&component.code).or_default().push(component);
    }
    let mut effective = BTreeMap::new();
    for (code, mut of_code) in by_code {
        of_code.sort_by_key(|component| component.from);
        let nexts = of_code.iter().skip(1).map(|next| Some(next.from)).chain([None]).collect::<Vec<_>>();
        let parts: Vec<_> = of_code
            .into_iter()
            .zip(nexts)
            .filter_map(|(component, next)| {
                let end = [component.until, next].into_iter().flatten().fold(cycle.end(), CivilDate::min);
                let held = DateRange::new(component.from, end).ok()?;
                Some((held.intersection(&cycle)?, component))
            })
            .collect();
        if !parts.is_empty() {
            effective.insert(code, parts);
        }
    }
    effective
}

/// A real tariff, as it ships.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Published {
    /// Its id.
    pub id: TariffId,
    /// What it is.
    #[serde(flatten)]
    pub facts: TariffFacts,
    /// What it charges, each with its source.
    pub components: Vec<Component>,
}

impl Published {
    /// The tariffs of `data/tariffs.json`.
    pub fn all() -> Result<Vec<Self>, BadTariff> {
        let text = include_str!("../../data/tariffs.json");
        serde_json::from_str(text).map_err(|error| BadTariff(error.to_string()))
    }
}
