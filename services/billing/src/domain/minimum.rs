//! Take or pay: what of the least that is paid for was not taken.

use chrono::TimeDelta;
use kernel::{Currency, DateRange, Exact, LeastOf, MinimumTake, YearMonth};
use serde::{Deserialize, Serialize};

use super::charge_type::ChargeType;
use super::reckoned::Whole;
use super::reckoning::UsageInputs;

/// What a block's month is measured by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinimumInputs {
    /// What is agreed.
    pub terms: MinimumTake,
    /// Of every amount.
    pub currency: Currency,
    /// What was measured, one part for each plan that held in the month.
    pub parts: Vec<UsageInputs>,
}

impl MinimumInputs {
    /// The days measured.
    fn days(&self) -> Option<DateRange> {
        DateRange::new(self.parts.first()?.days.start(), self.parts.last()?.days.end()).ok()
    }

    /// What the contracted load takes in every hour of these days, kWh.
    fn contracted_kwh(&self) -> Exact {
        let part = |part: &UsageInputs| {
            let of = |day| part.zone.start_of_day(day);
            let time: TimeDelta = of(part.days.end()) - of(part.days.start());
            let hours = Exact::ratio(time.num_seconds(), 3_600).unwrap_or_else(Exact::zero);
            &Exact::from(part.contracted_kw) * &hours
        };
        Exact::sum(self.parts.iter().map(part).collect::<Vec<_>>().iter())
    }

    /// From what it comes, in words.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let part = |part: &UsageInputs| {
            let (own, days) = (&part.own, part.days);
            format!(
                "meter {} from {} to {}: {} Wh, at most {} W, by its readings up to batch {}; contracted {} kW",
                own.meter,
                days.start(),
                days.end(),
                own.energy_wh,
                own.peak_w,
                own.batch,
                part.contracted_kw
            )
        };
        self.parts.iter().map(part).collect()
    }

    /// What is short of each, as charges. `None` beyond 64 bits.
    #[must_use]
    pub fn wholes(&self) -> Option<Vec<Whole>> {
        let Some(days) = self.days() else { return Some(Vec::new()) };
        let month = YearMonth::of(days.start());
        let taken_wh: i64 = self.parts.iter().map(|part| part.own.energy_wh).sum();
        let taken = Exact::ratio(taken_wh, 1_000)?;
        let all = self.contracted_kwh();
        let mut wholes = Vec::new();
        if let Some(least) = self.terms.energy {
            wholes.extend(self.short("energy", least, (&all, &taken, "kWh"), (days, &Exact::from(1)))?);
        }
        if let Some(least) = self.terms.demand {
            let contracted = self.parts.iter().map(|part| part.contracted_kw).max().unwrap_or(0);
            let peak = self.parts.iter().map(|part| part.own.peak_w).max().unwrap_or(0);
            let part = Exact::ratio(days.days(), i64::from(month.days()))?;
            let loads = (&Exact::from(contracted), &Exact::ratio(peak, 1_000)?, "kW");
            wholes.extend(self.short("demand", least, loads, (days, &part))?);
        }
        Some(wholes)
    }

    /// What is short of one.
    fn short(
        &self,
        item: &str,
        least: LeastOf,
        (all, taken, unit): (&Exact, &Exact, &str),
        (days, part): (DateRange, &Exact),
    ) -> Option<Option<Whole>> {
        let short = &(all * &Exact::from(least.percent)) - taken;
        let cost = &(&short * &Exact::from(least.rate)) * part;
        let amount = cost.to_money(self.currency)?;
        if amount.minor <= 0 {
            return Some(None);
        }
        let of_month =
            if *part == Exact::from(1) { String::new() } else { format!(" x {part} of the month") };
        let estimated = |part: &UsageInputs| part.own.estimated_wh > 0 || part.own.missing_count > 0;
        Some(Some(Whole {
            charge_type: ChargeType::TakeOrPay,
            item: item.to_owned(),
            period: days,
            amount,
            formula: format!(
                "{} % of {all} {unit} less {taken} {unit} taken: {short} {unit} x {}{of_month} = {amount}",
                least.percent, least.rate
            ),
            quantity: short,
            unit: unit.to_owned(),
            rate: least.rate.into(),
            jurisdiction: None,
            estimated: self.parts.iter().any(estimated),
        }))
    }
}
