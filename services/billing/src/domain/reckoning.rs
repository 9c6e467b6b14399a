//! Reckonings: what a block's month comes to beside its rent, from inputs that are kept, so that it can be computed again.

use std::collections::BTreeMap;

use kernel::{
    ChargingPlanId, CivilDate, Currency, DateRange, Exact, Instant, MeterId, Money, ReckoningId, TariffId,
    YearMonth, Zone,
};
use serde::{Deserialize, Serialize};

use super::advance::{DrawInputs, OnceInputs};
use super::charge_type::ChargeType;
use super::interest::InterestInputs;
use super::lease::BlockRef;
use super::measured::{Measured, peak_time};
use super::minimum::MinimumInputs;
use super::plan::{Allocation, EstimatePolicy, Facility, MONTHS_BACK, UsageRule};
use super::rating::{Load, Metered, RatedLine, RatingError, rate};
use super::reckoned::Whole;
use super::rent_difference::RentInputs;
use super::service_level::{Credit, Outage, ServiceLevel};
use super::tariff::{Component, Price};
use super::true_up::TrueUpInputs;

/// A computation that is kept because a line came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reckoning {
    /// Its id.
    pub id: ReckoningId,
    /// Which block; none is the whole lease.
    pub place: Option<BlockRef>,
    /// Which month.
    pub month: YearMonth,
    /// From what.
    pub inputs: Inputs,
}

/// From what a block's month is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Inputs {
    /// Usage, one part for each plan that held in the month.
    Usage {
        /// In order of day.
        parts: Vec<UsageInputs>,
    },
    /// Credits.
    Credit {
        /// All of it.
        credit: CreditInputs,
    },
    /// What was not taken of the least that is paid for.
    Minimum {
        /// All of it.
        minimum: MinimumInputs,
    },
    /// What is billed once.
    Once {
        /// All of it.
        once: OnceInputs,
    },
    /// What was paid ahead, credited.
    Draw {
        /// All of it.
        draw: DrawInputs,
    },
    /// Interest on one invoice.
    Interest {
        /// All of it.
        interest: InterestInputs,
    },
    /// Rent that was billed, against what it is now.
    Rent {
        /// All of it.
        rent: RentInputs,
    },
    /// A utility's bill, against what was charged for its days.
    TrueUp {
        /// All of it.
        true_up: TrueUpInputs,
    },
}

/// What usage of some days is computed from, beside the readings up to each meter's batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageInputs {
    /// The plan.
    pub plan: ChargingPlanId,
    /// Its rule.
    pub rule: UsageRule,
    /// The days charged, all of one month.
    pub days: DateRange,
    /// The tariff.
    pub tariff: TariffId,
    /// Its version.
    pub tariff_version: i64,
    /// Its components that hold on these days.
    pub components: Vec<Component>,
    /// Of every amount.
    pub currency: Currency,
    /// In which days and hours are counted.
    pub zone: Zone,
    /// The tenant's own readings.
    pub own: Evidence,
    /// The facility's.
    pub facility: Option<Evidence>,
    /// Those of all who share it.
    pub sharers: Vec<Evidence>,
    /// The tenant's weight in what is shared, and that of all.
    pub weight: (i64, i64),
    /// Contracted load, kW.
    pub contracted_kw: i64,
    /// The tenant's energy of the year before these days, Wh.
    pub year_before_wh: i64,
}

/// Readings of a meter over the days charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The meter.
    pub meter: MeterId,
    /// The last batch that counted.
    pub batch: i64,
    /// All energy, Wh.
    pub energy_wh: i64,
    /// What no meter measured of it, Wh.
    pub estimated_wh: i64,
    /// Intervals without a reading.
    pub missing_count: i64,
    /// Highest load, W.
    pub peak_w: i64,
}

/// What a credit is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditInputs {
    /// The plan that says what is given back.
    pub plan: ChargingPlanId,
    /// Its rule.
    pub level: ServiceLevel,
    /// The days of the month on which the block is leased.
    pub days: DateRange,
    /// In which days are counted.
    pub zone: Zone,
    /// Outages that were known.
    pub outages: Vec<Outage>,
    /// Base rent of these days.
    pub rent: Money,
}

/// Whether prices change within a day, so that intervals are needed.
#[must_use]
pub fn needs_intervals(components: &[Component]) -> bool {
    components.iter().any(|c| matches!(c.price, Price::TimeOfUse { .. } | Price::Indexed { .. }))
}

/// Whether a charge goes by the energy of the year.
#[must_use]
pub fn needs_year(components: &[Component]) -> bool {
    components.iter().any(|c| matches!(c.price, Price::Excise { .. }))
}

/// The tenant's weight in what is shared, and that of all: by what the facility's allocation says. Where nobody weighs
/// anything, all are alike.
#[must_use]
pub fn weight(facility: &Facility, own: &MeterId, sharers: &[Measured]) -> (i64, i64) {
    let weights: BTreeMap<&MeterId, i64> = match facility.allocation {
        Allocation::Energy => sharers.iter().map(|s| (&s.meter, s.evidence().energy_wh)).collect(),
        Allocation::ContractedKw => facility.sharers.iter().map(|s| (&s.meter, s.contracted_kw)).collect(),
        Allocation::Peak => at_the_peak(sharers),
    };
    let all: i64 = weights.values().sum();
    match weights.get(own) {
        Some(mine) if all > 0 => (*mine, all),
        _ => (1, i64::try_from(facility.sharers.len().max(1)).unwrap_or(i64::MAX)),
    }
}

/// The energy of each in the first interval in which all together took most.
fn at_the_peak(sharers: &[Measured]) -> BTreeMap<&MeterId, i64> {
    let peak = peak_time(sharers);
    sharers.iter().map(|measured| (&measured.meter, measured.energy_at(peak))).collect()
}

impl UsageInputs {
    /// Energy of all who share the facility, Wh.
    #[must_use]
    pub fn shared_wh(&self) -> i64 {
        self.sharers.iter().map(|sharer| sharer.energy_wh).sum()
    }

    /// The tenant's part of what is shared.
    #[must_use]
    pub fn share(&self) -> Exact {
        Exact::ratio(self.weight.0, self.weight.1).unwrap_or_else(|| Exact::from(1))
    }

    /// The facility's energy for one of its IT energy, whatever the cap.
    fn uncapped_factor(&self) -> Exact {
        let measured =
            self.facility.as_ref().and_then(|facility| Exact::ratio(facility.energy_wh, self.shared_wh()));
        measured.unwrap_or_else(|| Exact::from(1))
    }

    /// What is charged for one of the tenant's own energy.
    #[must_use]
    pub fn energy_factor(&self) -> Exact {
        let cap = self.rule.facility.as_ref().and_then(|facility| facility.pue_cap);
        match cap {
            Some(cap) => self.uncapped_factor().min(cap.into()),
            None => self.uncapped_factor(),
        }
    }

    /// Whether the month must wait for readings.
    #[must_use]
    pub fn waits(&self) -> bool {
        let missing = self.evidence().any(|evidence| evidence.missing_count > 0);
        self.rule.estimates == EstimatePolicy::Wait && missing
    }

    /// Every meter's readings that counted.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        let others = self.sharers.iter().filter(|sharer| sharer.meter != self.own.meter);
        std::iter::once(&self.own).chain(&self.facility).chain(others)
    }

    fn load(&self, intervals: Vec<Metered>, billable: Exact) -> Load {
        let month = YearMonth::of(self.days.start()).range().unwrap_or(self.days);
        Load {
            cycle: month,
            charged: self.days,
            intervals,
            billable,
            share: self.share(),
            peak_w: self.facility.as_ref().unwrap_or(&self.own).peak_w,
            coincident_w: self.rule.coincident_kw.saturating_mul(1_000),
            contracted_kw: self.contracted_kw,
            year_before_wh: self.year_before_wh,
        }
    }

    /// What these days come to, from the tenant's energy.
    pub fn charge(&self, intervals: &[Metered]) -> Result<Vec<Whole>, RatingError> {
        let load = self.load(intervals.to_vec(), self.energy_factor());
        let lines = rate(&self.components, &load, self.currency, self.zone)?;
        let estimated =
            self.evidence().any(|evidence| evidence.estimated_wh > 0 || evidence.missing_count > 0);
        Ok(lines.into_iter().map(|line| self.whole(line, estimated)).collect())
    }

    /// What the landlord bears of a charge for energy, the cap being exceeded.
    pub fn absorbed(&self, intervals: &[Metered], of: &Whole) -> Result<Money, RatingError> {
        let load = self.load(intervals.to_vec(), self.uncapped_factor());
        let lines = rate(&self.components, &load, self.currency, self.zone)?;
        let uncapped =
            lines.into_iter().map(|line| self.whole(line, false)).find(|whole| whole.key() == of.key());
        let uncapped = uncapped.map_or(of.amount, |whole| whole.amount);
        uncapped.checked_sub(of.amount).ok_or(RatingError::OutOfRange)
    }

    fn whole(&self, line: RatedLine, estimated: bool) -> Whole {
        let item = match &line.band {
            Some(band) => format!("{}.{band}", line.code),
            None => line.code,
        };
        Whole {
            charge_type: line.charge_type,
            item,
            period: line.period,
            amount: line.amount,
            quantity: line.quantity,
            unit: line.unit.as_str().to_owned(),
            rate: line.rate,
            formula: line.formula,
            jurisdiction: line.jurisdiction,
            estimated,
        }
    }
}

impl CreditInputs {
    /// The same with only those outages that belong to its days.
    #[must_use]
    pub fn of_its_days(mut self) -> Self {
        let (days, zone) = (self.days, self.zone);
        self.outages.retain(|outage| days.contains(zone.date_of(outage.start)));
        self
    }

    /// What is given back. `None` beyond 64 bits.
    #[must_use]
    pub fn credit(&self) -> Option<Credit> {
        self.level.credit(&self.outages, self.days, self.zone, self.rent)
    }

    /// The credit as a charge. `None` beyond 64 bits.
    #[must_use]
    pub fn whole(&self) -> Option<Whole> {
        let credit = self.credit()?;
        let (days, all) = (credit.days, self.days.days());
        let amount = credit.amount.checked_neg()?;
        let day = Exact::from(self.rent).over(&Exact::from(all)).unwrap_or_else(Exact::zero);
        let capped = if credit.capped { format!(", at most {}", credit.cap) } else { String::new() };
        Some(Whole {
            charge_type: ChargeType::SlaCredit,
            item: String::new(),
            period: self.days,
            amount,
            quantity: Exact::from(days),
            unit: "days of rent".to_owned(),
            rate: &Exact::zero() - &day,
            formula: format!("{days} of {all} days of a rent of {}{capped} = {amount}", self.rent),
            jurisdiction: None,
            estimated: false,
        })
    }
}

/// The months before `month` whose usage and credits are due, the earliest first.
#[must_use]
pub fn months_before(month: YearMonth) -> Vec<YearMonth> {
    let first = |back: i32| kernel::time::add_months(month.first_day(), -back).map(YearMonth::of);
    (1..=MONTHS_BACK).rev().filter_map(first).collect()
}

/// Whether the last day of `days` is over.
#[must_use]
pub fn is_over(days: DateRange, zone: Zone, now: Instant) -> bool {
    zone.start_of_day(days.end()) <= now
}

/// The components that hold on some days.
#[must_use]
pub fn holding(components: &[Component], days: DateRange) -> Vec<Component> {
    let effective = super::tariff::effective(components, days);
    let mut kept: Vec<Component> =
        effective.into_values().flatten().map(|(_, component)| component.clone()).collect();
    // Each still ends where the next of its code begins.
    kept.sort_by(|a, b| (&a.code, a.from).cmp(&(&b.code, b.from)));
    kept
}

/// A contracted load: the highest of some days, kW.
#[must_use]
pub fn contracted_kw(quantities: &[kernel::QuantityStep], days: DateRange) -> i64 {
    let before = quantities.iter().rev().find(|step| step.from <= days.start());
    let within = quantities.iter().filter(|step| days.contains(step.from));
    before.into_iter().chain(within).map(|step| step.kw).max().unwrap_or(0)
}

/// The first of January of the year in which `days` begin, up to them; `None` where they begin on it.
#[must_use]
pub fn year_before(days: DateRange) -> Option<DateRange> {
    use chrono::Datelike as _;
    let new_year = CivilDate::from_ymd_opt(days.start().year(), 1, 1)?;
    DateRange::new(new_year, days.start()).ok()
}

#[cfg(test)]
mod tests;
