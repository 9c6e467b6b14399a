//! Rating: what a load costs under a tariff. Every line carries what it was computed from, is computed exactly, and is
//! rounded once.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Timelike as _};
use kernel::{Currency, DateRange, Exact, Instant, Money, Percent, Rate, Zone};

use super::invoice::ChargeType;
use super::tariff::{Band, Bracket, Component, DemandBasis, Price, effective};

/// The energy of an interval, and what a kWh of it costs where a component goes by an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Start of the interval.
    pub start: Instant,
    /// Its energy, Wh.
    pub energy_wh: i64,
    /// The interval's price, money a kWh.
    pub index_per_kwh: Option<Rate>,
}

/// What is charged for: a billing month, its energy and its loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The billing month, or the cycle of the utility that counts as one.
    pub cycle: DateRange,
    /// The days of it that are charged: all, but where a block comes or goes.
    pub charged: DateRange,
    /// Energy by interval, in order of time.
    pub intervals: Vec<Metered>,
    /// What is charged for each of its energy: less than 1 where a cap leaves the rest with the landlord, more where a
    /// facility's losses come on top; else 1.
    pub billable: Exact,
    /// The part of the highest load and of monthly prices that is charged, where they are shared; else 1.
    pub share: Exact,
    /// Highest load of an interval, W.
    pub peak_w: i64,
    /// Load at the system's peaks, W.
    pub coincident_w: i64,
    /// Contracted load, kW.
    pub contracted_kw: i64,
    /// Energy of the year before this cycle, for an excise, Wh.
    pub year_before_wh: i64,
}

/// A line: a component, or the part of a cycle in which it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatedLine {
    /// The component's code.
    pub code: String,
    /// The band, where the price goes by time of use.
    pub band: Option<String>,
    /// The days on which the component held.
    pub period: DateRange,
    /// kWh, kW, months or money, as `unit` says.
    pub quantity: Exact,
    /// What `quantity` counts.
    pub unit: Unit,
    /// Money for one of it; the mean where prices differ.
    pub rate: Exact,
    /// Days on which it held, of those of the cycle: what a price of a month is charged for.
    pub days: (i64, i64),
    /// The charge.
    pub amount: Money,
    /// What it is on an invoice.
    pub charge_type: ChargeType,
    /// Who levies it, where it is a tax.
    pub jurisdiction: Option<String>,
    /// The computation in words and figures.
    pub formula: String,
}

/// What a quantity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Energy.
    Kwh,
    /// Load.
    Kw,
    /// A billing month.
    Month,
    /// The amount of other lines.
    Money,
}

impl Unit {
    /// As people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kwh => "kWh",
            Self::Kw => "kW",
            Self::Month => "month",
            Self::Money => "of the charges",
        }
    }
}

/// Why a load cannot be charged. A sentence for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// An indexed component met an interval without a price.
    #[error("there is no price for the interval that begins at {0}")]
    NoPrice(Instant),
    /// A share of components of which some are shares of it in turn.
    #[error("component {0} is a share of itself, by way of others")]
    Circle(String),
    /// An amount beyond 64 bits.
    #[error("the charge is out of range")]
    OutOfRange,
}

/// What a load costs, in order of code, then day; shares of other components come last.
pub fn rate(
    components: &[Component],
    load: &Load,
    currency: Currency,
    zone: Zone,
) -> Result<Vec<RatedLine>, RatingError> {
    let meter = Cycle { load, currency, zone };
    let effective = effective(components, load.charged);
    let mut lines = Vec::new();
    let mut shares = Vec::new();
    for (code, parts) in effective {
        for (period, component) in parts {
            match &component.price {
                Price::Share { percent, of, jurisdiction } => {
                    shares.push((code, period, (*percent, jurisdiction), of));
                }
                price => lines.extend(meter.lines(code, period, price)?),
            }
        }
    }
    // A share of shares waits until those are known.
    while !shares.is_empty() {
        let open: Vec<&str> = shares.iter().map(|(code, ..)| *code).collect();
        let (now, later): (Vec<_>, Vec<_>) = shares
            .into_iter()
            .partition(|(_, _, _, of)| !of.iter().any(|code| open.contains(&code.as_str())));
        if now.is_empty() {
            let code = later.first().map_or_else(String::new, |(code, ..)| (*code).to_owned());
            return Err(RatingError::Circle(code));
        }
        for (code, period, levied, of) in now {
            let line = meter.share(code, period, levied, of, &lines)?;
            lines.push(line);
        }
        shares = later;
    }
    Ok(lines)
}

/// The sum of lines.
pub fn total(lines: &[RatedLine], currency: Currency) -> Result<Money, RatingError> {
    Money::checked_sum(currency, lines.iter().map(|line| line.amount)).ok_or(RatingError::OutOfRange)
}

/// The excise on so many kWh of a year: each bracket for what lies in it only.
#[must_use]
pub fn excise(brackets: &[Bracket], kwh: &Exact) -> Exact {
    let ends = brackets.iter().skip(1).map(|next| Some(next.above_kwh)).chain([None]);
    brackets.iter().zip(ends).fold(Exact::zero(), |sum, (bracket, end)| {
        let top = end.map_or_else(|| kwh.clone(), |end| kwh.clone().min(Exact::from(end)));
        let within = (&top - &Exact::from(bracket.above_kwh)).max(Exact::zero());
        &sum + &(&within * &bracket.per_kwh.into())
    })
}

fn thousandth(milli: i64) -> Exact {
    Exact::ratio(milli, 1_000).unwrap_or_else(Exact::zero)
}

struct Cycle<'a> {
    load: &'a Load,
    currency: Currency,
    zone: Zone,
}

impl Cycle<'_> {
    fn lines(&self, code: &str, period: DateRange, price: &Price) -> Result<Vec<RatedLine>, RatingError> {
        match price {
            Price::Fixed { per_month } => {
                let line = self.monthly(code, period, (self.load.share.clone(), Unit::Month), *per_month)?;
                Ok(vec![line])
            }
            Price::Demand { per_kw, basis, floor } => {
                let kw = self.billed_kw(*basis, *floor);
                self.monthly(code, period, (kw, Unit::Kw), *per_kw).map(|line| vec![line])
            }
            Price::Energy { per_kwh } => {
                let energy: i64 = self.within(period).map(|interval| interval.energy_wh).sum();
                let cost = &self.kwh(energy) * &Exact::from(*per_kwh);
                self.energy(code, None, period, &self.kwh(energy), &cost).map(|line| vec![line])
            }
            Price::TimeOfUse { bands, otherwise_per_kwh } => {
                self.time_of_use(code, period, bands, *otherwise_per_kwh)
            }
            Price::Indexed { adder_per_kwh } => {
                self.indexed(code, period, *adder_per_kwh).map(|line| vec![line])
            }
            Price::Excise { brackets, jurisdiction } => {
                let line = self.excise(code, period, brackets)?;
                Ok(vec![RatedLine {
                    charge_type: ChargeType::Tax,
                    jurisdiction: jurisdiction.clone(),
                    ..line
                }])
            }
            Price::Share { .. } => Ok(Vec::new()),
        }
    }

    /// The intervals that begin on these days.
    fn within(&self, period: DateRange) -> impl Iterator<Item = &Metered> {
        let (from, until) = (self.zone.start_of_day(period.start()), self.zone.start_of_day(period.end()));
        self.load.intervals.iter().filter(move |interval| interval.start >= from && interval.start < until)
    }

    /// What is charged of an energy, kWh.
    fn kwh(&self, energy_wh: i64) -> Exact {
        &thousandth(energy_wh) * &self.load.billable
    }

    /// The load of a basis, and at least the floor.
    fn billed_kw(&self, basis: DemandBasis, floor: Option<Percent>) -> Exact {
        let contracted = Exact::from(self.load.contracted_kw);
        let measured = match basis {
            DemandBasis::HighestInterval => &thousandth(self.load.peak_w) * &self.load.share,
            DemandBasis::CoincidentPeak => thousandth(self.load.coincident_w),
            DemandBasis::Contracted => contracted.clone(),
        };
        match floor {
            Some(floor) => measured.max(&contracted * &floor.into()),
            None => measured,
        }
    }

    /// A price of a month, for the days on which it held.
    fn monthly(
        &self,
        code: &str,
        period: DateRange,
        (quantity, unit): (Exact, Unit),
        rate: Rate,
    ) -> Result<RatedLine, RatingError> {
        let (days, all) = (period.days(), self.load.cycle.days());
        let share = Exact::ratio(days, all).ok_or(RatingError::OutOfRange)?;
        let exact = &(&quantity * &rate.into()) * &share;
        let amount = exact.to_money(self.currency).ok_or(RatingError::OutOfRange)?;
        let of_days = if days == all { String::new() } else { format!(" x {days}/{all} days") };
        let unit_text = unit.as_str();
        let formula =
            format!("{quantity} {unit_text} x {rate} {} per {unit_text}{of_days} = {amount}", self.currency);
        Ok(RatedLine {
            code: code.to_owned(),
            band: None,
            period,
            quantity,
            unit,
            rate: rate.into(),
            days: (days, all),
            amount,
            charge_type: if unit == Unit::Kw { ChargeType::Demand } else { ChargeType::PassThrough },
            jurisdiction: None,
            formula,
        })
    }

    fn energy(
        &self,
        code: &str,
        band: Option<&str>,
        period: DateRange,
        quantity: &Exact,
        cost: &Exact,
    ) -> Result<RatedLine, RatingError> {
        let amount = cost.to_money(self.currency).ok_or(RatingError::OutOfRange)?;
        let rate = cost.over(quantity).unwrap_or_else(Exact::zero);
        Ok(RatedLine {
            code: code.to_owned(),
            band: band.map(str::to_owned),
            period,
            quantity: quantity.clone(),
            unit: Unit::Kwh,
            days: (period.days(), self.load.cycle.days()),
            formula: format!("{quantity} kWh x {rate} {} per kWh = {amount}", self.currency),
            rate,
            amount,
            charge_type: ChargeType::Energy,
            jurisdiction: None,
        })
    }

    fn time_of_use(
        &self,
        code: &str,
        period: DateRange,
        bands: &[Band],
        otherwise: Rate,
    ) -> Result<Vec<RatedLine>, RatingError> {
        let mut energy: BTreeMap<usize, i64> = BTreeMap::new();
        for interval in self.within(period) {
            let at = bands.iter().position(|band| self.is_in(band, interval.start)).unwrap_or(bands.len());
            *energy.entry(at).or_default() += interval.energy_wh;
        }
        let line = |(at, energy_wh): (usize, i64)| {
            let (name, rate) =
                bands.get(at).map_or(("otherwise", otherwise), |band| (band.name.as_str(), band.per_kwh));
            let cost = &self.kwh(energy_wh) * &Exact::from(rate);
            self.energy(code, Some(name), period, &self.kwh(energy_wh), &cost)
        };
        energy.into_iter().map(line).collect()
    }

    fn is_in(&self, band: &Band, start: Instant) -> bool {
        let local = self.zone.local(start);
        let minute = local.hour() * 60 + local.minute();
        let any = |list: &[u32], value: u32| list.is_empty() || list.contains(&value);
        any(&band.months, local.month())
            && any(&band.weekdays, local.weekday().number_from_monday())
            && (band.from_minute..band.until_minute).contains(&minute)
    }

    fn indexed(&self, code: &str, period: DateRange, adder: Rate) -> Result<RatedLine, RatingError> {
        let (mut energy, mut cost) = (0_i64, Exact::zero());
        for interval in self.within(period) {
            let price = interval.index_per_kwh.ok_or(RatingError::NoPrice(interval.start))?;
            let price = &Exact::from(price) + &adder.into();
            cost = &cost + &(&self.kwh(interval.energy_wh) * &price);
            energy += interval.energy_wh;
        }
        self.energy(code, None, period, &self.kwh(energy), &cost)
    }

    /// What the year's excise grew by. Both ends are rounded, so that a year's lines add up to the year's excise.
    fn excise(&self, code: &str, period: DateRange, brackets: &[Bracket]) -> Result<RatedLine, RatingError> {
        let energy: i64 = self.within(period).map(|interval| interval.energy_wh).sum();
        let earlier: i64 = match DateRange::new(self.load.cycle.start(), period.start()) {
            Ok(before) => self.within(before).map(|interval| interval.energy_wh).sum(),
            Err(_) => 0,
        };
        let before = &thousandth(self.load.year_before_wh) + &self.kwh(earlier);
        let money = |exact: Exact| exact.to_money(self.currency).ok_or(RatingError::OutOfRange);
        let until = money(excise(brackets, &(&before + &self.kwh(energy))))?;
        let amount = until.checked_sub(money(excise(brackets, &before))?).ok_or(RatingError::OutOfRange)?;
        let formula = format!(
            "excise of the year on {before} + {} kWh, less that on {before} kWh = {amount}",
            self.kwh(energy)
        );
        let line = self.energy(code, None, period, &self.kwh(energy), &Exact::zero())?;
        Ok(RatedLine { amount, formula, ..line })
    }

    /// A share of the lines of other components, as far as they lie within these days.
    fn share(
        &self,
        code: &str,
        period: DateRange,
        (percent, jurisdiction): (Percent, &Option<String>),
        of: &[String],
        lines: &[RatedLine],
    ) -> Result<RatedLine, RatingError> {
        let of_lines = lines.iter().filter(|line| of.contains(&line.code));
        let mut base = Exact::zero();
        for line in of_lines {
            let Some(common) = line.period.intersection(&period) else { continue };
            let days = Exact::ratio(common.days(), line.period.days()).ok_or(RatingError::OutOfRange)?;
            base = &base + &(&Exact::from(line.amount) * &days);
        }
        let exact = &base * &percent.into();
        let amount = exact.to_money(self.currency).ok_or(RatingError::OutOfRange)?;
        Ok(RatedLine {
            code: code.to_owned(),
            band: None,
            period,
            formula: format!("{percent} % of {} {base} = {amount}", self.currency),
            quantity: base,
            unit: Unit::Money,
            rate: percent.into(),
            days: (period.days(), self.load.cycle.days()),
            amount,
            charge_type: if jurisdiction.is_some() { ChargeType::Tax } else { ChargeType::PassThrough },
            jurisdiction: jurisdiction.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
