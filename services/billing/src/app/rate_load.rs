//! What a load comes to under a tariff, from a meter or from what is stated. Nothing is kept.

use std::collections::BTreeMap;

use kernel::{Caller, DateRange, Error, Exact, Instant, MeterName, Money, Percent, Rate, Reason, TariffName};

use super::{App, GetUsage};
use crate::domain::allocation::{PassThrough, pass_through};
use crate::domain::meter::IntervalLength;
use crate::domain::rating::{Load, Metered, RatedLine, RatingError, rate, total};
use crate::domain::tariff::Tariff;
use crate::domain::usage::Basis;

/// Asks what a load comes to.
#[derive(Clone, Debug)]
pub struct RateLoad {
    /// The tariff.
    pub tariff: TariffName,
    /// The cycle, in the tariff's zone.
    pub cycle: DateRange,
    /// Where its energy comes from.
    pub energy: EnergyOf,
    /// Contracted load, kW.
    pub contracted_kw: i64,
    /// Load at the system's peaks, kW.
    pub coincident_kw: i64,
    /// Energy of the year before, Wh.
    pub year_before_wh: i64,
    /// Prices by interval.
    pub prices: Option<Prices>,
    /// The cap on facility energy per IT energy, and the IT energy, Wh.
    pub pue: Option<(Rate, i64)>,
}

/// Where the energy of a load comes from.
#[derive(Clone, Debug)]
pub enum EnergyOf {
    /// A meter's readings, and estimates of what is missing.
    Meter(MeterName),
    /// Stated, and spread evenly.
    Stated {
        /// Of the cycle, Wh.
        energy_wh: i64,
        /// Highest load, kW.
        peak_kw: i64,
    },
}

/// Prices of intervals that follow one another.
#[derive(Clone, Debug)]
pub struct Prices {
    /// Start of the first.
    pub start: Instant,
    /// How long each is.
    pub interval: IntervalLength,
    /// Money a kWh.
    pub per_kwh: Vec<Rate>,
}

/// What a load comes to.
#[derive(Clone, Debug)]
pub struct Rated {
    /// The lines.
    pub lines: Vec<RatedLine>,
    /// Their sum.
    pub total: Money,
    /// What is charged of the energy, and what is not.
    pub passed: PassThrough,
    /// What the landlord bears.
    pub absorbed: Money,
    /// Energy that no meter measured, Wh.
    pub estimated_wh: i64,
    /// Version of the tariff.
    pub tariff_version: i64,
    /// Whether the contracted load is served.
    pub served: bool,
    /// What must be put up, at no and at the largest reduction.
    pub collateral: (Money, Money),
}

impl App {
    /// Computes what a load comes to.
    pub async fn rate_load(&self, caller: &Caller, command: RateLoad) -> Result<Rated, Error> {
        let tariff = self.get_tariff(caller, &command.tariff).await?;
        let (mut intervals, peak_w, estimated_wh) = match &command.energy {
            EnergyOf::Meter(meter) => self.metered(caller, meter, command.cycle, &tariff).await?,
            EnergyOf::Stated { energy_wh, peak_kw } => {
                (spread(*energy_wh, command.cycle, &tariff), peak_kw * 1_000, 0)
            }
        };
        if let Some(prices) = &command.prices {
            price(&mut intervals, prices);
        }
        let facility_wh = intervals.iter().map(|interval| interval.energy_wh).sum();
        let (cap, it_wh) = command.pue.map_or((None, 0), |(cap, it_wh)| (Some(cap), it_wh));
        let passed = pass_through(facility_wh, it_wh, cap);
        let all_kwh = &passed.billable_kwh + &passed.absorbed_kwh;
        let whole = Load {
            cycle: command.cycle,
            charged: command.cycle,
            intervals,
            billable: Exact::from(1),
            share: Exact::from(1),
            peak_w,
            coincident_w: command.coincident_kw * 1_000,
            contracted_kw: command.contracted_kw,
            year_before_wh: command.year_before_wh,
        };
        let billable = passed.billable_kwh.over(&all_kwh).unwrap_or_else(|| Exact::from(1));
        let charged = Load { billable, ..whole.clone() };
        let (currency, zone) = (tariff.facts.currency, tariff.facts.zone);
        let lines = rate(&tariff.components, &charged, currency, zone).map_err(refused)?;
        let paid = total(&lines, currency).map_err(refused)?;
        let uncapped = rate(&tariff.components, &whole, currency, zone).map_err(refused)?;
        let absorbed = total(&uncapped, currency).map_err(refused)?.checked_sub(paid);
        let (terms, kw) = (&tariff.facts.terms, command.contracted_kw);
        let collateral = |reduction| {
            terms.collateral(kw, reduction, currency).ok_or_else(|| refused(RatingError::OutOfRange))
        };
        let collateral = (collateral(Percent::ZERO)?, collateral(terms.collateral_reduction_max)?);
        Ok(Rated {
            served: terms.serves(kw),
            collateral,
            lines,
            total: paid,
            passed,
            absorbed: absorbed.ok_or_else(|| refused(RatingError::OutOfRange))?,
            estimated_wh,
            tariff_version: tariff.version,
        })
    }

    /// The intervals of a meter over the days of a cycle, their peak and what is estimated of them.
    async fn metered(
        &self,
        caller: &Caller,
        meter: &MeterName,
        cycle: DateRange,
        tariff: &Tariff,
    ) -> Result<(Vec<Metered>, i64, i64), Error> {
        let found = self.get_meter(caller, meter).await?;
        if found.facts.zone != tariff.facts.zone {
            let same = format!("must be a meter in the tariff's time zone, {}", tariff.facts.zone);
            return Err(Error::invalid_field("meter", same));
        }
        let usage = GetUsage { meter: meter.clone(), days: cycle, with_intervals: true };
        let days = self.get_usage(caller, usage).await?;
        let peak_w = days.iter().map(|day| day.peak_w).max().unwrap_or(0);
        let intervals = days.iter().flat_map(|day| &day.intervals);
        let estimated = intervals.clone().filter(|interval| interval.basis != Basis::Metered);
        let estimated_wh = estimated.map(|interval| interval.energy_wh).sum();
        let metered = |interval: &crate::domain::usage::UsageInterval| Metered {
            start: interval.start,
            energy_wh: interval.energy_wh,
            index_per_kwh: None,
        };
        Ok((intervals.map(metered).collect(), peak_w, estimated_wh))
    }
}

/// Energy spread evenly over the hours of a cycle; the parts add up to it.
fn spread(energy_wh: i64, cycle: DateRange, tariff: &Tariff) -> Vec<Metered> {
    let zone = tariff.facts.zone;
    let (start, end) = (zone.start_of_day(cycle.start()), zone.start_of_day(cycle.end()));
    let parts = (end - start).num_minutes() / 15;
    let until = |part: i64| {
        let exact = &Exact::from(energy_wh) * &Exact::ratio(part, parts).unwrap_or_else(Exact::zero);
        exact.rounded().unwrap_or(0)
    };
    (0..parts)
        .map(|part| Metered {
            start: start + chrono::TimeDelta::minutes(15 * part),
            energy_wh: until(part + 1) - until(part),
            index_per_kwh: None,
        })
        .collect()
}

/// Gives each interval the price that holds when it begins.
fn price(intervals: &mut [Metered], prices: &Prices) {
    let by_start: BTreeMap<Instant, Rate> = (0_i32..)
        .zip(&prices.per_kwh)
        .map(|(at, rate)| (prices.start + prices.interval.delta() * at, *rate))
        .collect();
    for interval in intervals {
        let found = by_start.range(..=interval.start).next_back();
        interval.index_per_kwh = found
            .filter(|(start, _)| interval.start < **start + prices.interval.delta())
            .map(|(_, rate)| *rate);
    }
}

fn refused(error: RatingError) -> Error {
    let refusal = match &error {
        RatingError::NoPrice(_) => Error::invalid_field("prices", error.to_string()),
        RatingError::Circle(_) | RatingError::OutOfRange => {
            Error::refused(Reason::TermOutOfRange, format!("The load cannot be charged: {error}."))
        }
    };
    refusal.with_source(error)
}
