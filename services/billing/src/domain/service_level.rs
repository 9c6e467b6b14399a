//! Rent given back for outages: which days of rent, without stacking, up to a cap, of the block that was hurt only.

use kernel::{DateRange, Exact, IncidentId, Instant, Money, Percent, Zone};
use serde::{Deserialize, Serialize};

use super::words::names;

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Power.
    Power,
    /// Cooling.
    Cooling,
}

names!(ServiceKind { Power => "POWER", Cooling => "COOLING" });

/// When rent is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLevel {
    /// Of several that outages at the same time would give, only the largest counts.
    pub rules: Vec<CreditRule>,
    /// At most so much of the block's rent of a month.
    pub cap: Percent,
    /// Whether power counts as out where only one of two feeds was down.
    pub single_feed_counts: bool,
}

/// What an outage, or the outages of a month, give back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRule {
    /// Of what.
    pub kind: ServiceKind,
    /// When it applies.
    pub trigger: Trigger,
    /// Days of rent.
    pub days: i64,
    /// Further days each time the outage lasts longer.
    pub further: Option<Further>,
    /// At most so many days in all.
    pub days_max: Option<i64>,
    /// Only outages in which it was warmer, in tenths of a degree Celsius.
    pub warmer_than: Option<i32>,
}

/// When a rule applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An outage of more than so many minutes.
    Over(i64),
    /// An outage of so many minutes.
    AtLeast(i64),
    /// The part of the month without outage is smaller.
    AvailabilityBelow(Percent),
    /// The month has more outages.
    OutagesOver(i64),
}

/// Days that a longer outage adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Further {
    /// Each so many minutes.
    pub minutes: i64,
    /// Days of rent.
    pub days: i64,
}

/// An outage that is over and stood by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The incident.
    pub incident: IncidentId,
    /// Of what.
    pub kind: ServiceKind,
    /// When it began.
    pub start: Instant,
    /// When it was over.
    pub end: Instant,
    /// Minutes in which it was measured to be out of bounds, where that is less.
    pub measured_minutes: Option<i64>,
    /// Of power: whether all feeds were down at once.
    pub all_feeds_down: Option<bool>,
    /// Of cooling: the highest temperature, in tenths of a degree Celsius.
    pub temperature_max: Option<i32>,
}

impl Outage {
    fn seconds(&self) -> i64 {
        let lasted = (self.end - self.start).num_seconds();
        self.measured_minutes.map_or(lasted, |minutes| lasted.min(minutes.saturating_mul(60)))
    }
}

/// What the outages of a month give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Days of rent, before the cap.
    pub days: i64,
    /// The most that is given back.
    pub cap: Money,
    /// What is given back, not negative.
    pub amount: Money,
    /// The outages that counted.
    pub incidents: Vec<IncidentId>,
    /// Whether the cap was reached.
    pub capped: bool,
}

impl ServiceLevel {
    /// What outages give back of the rent of `days`, a month of the block or the part in which it was leased. An outage
    /// belongs to the month in which it began. `None` beyond 64 bits.
    #[must_use]
    pub fn credit(&self, outages: &[Outage], days: DateRange, zone: Zone, rent: Money) -> Option<Credit> {
        let mut counted: Vec<&Outage> =
            outages.iter().filter(|outage| self.counts(outage, days, zone)).collect();
        counted.sort_by_key(|outage| (outage.start, outage.incident));
        let month_s = (zone.start_of_day(days.end()) - zone.start_of_day(days.start())).num_seconds();
        let by_month = self.rules.iter().map(|rule| rule.days_of_month(&counted, month_s)).max().unwrap_or(0);
        let credit_days = by_month.max(self.days_of_outages(&counted));
        let cap = (&Exact::from(rent) * &self.cap.into()).to_money(rent.currency)?;
        let day = Exact::from(rent).over(&Exact::from(days.days()))?;
        let uncapped = (&day * &Exact::from(credit_days)).to_money(rent.currency)?;
        let capped = uncapped.minor > cap.minor;
        Some(Credit {
            days: credit_days,
            amount: if capped { cap } else { uncapped },
            cap,
            incidents: counted.iter().map(|outage| outage.incident).collect(),
            capped,
        })
    }

    fn counts(&self, outage: &Outage, days: DateRange, zone: Zone) -> bool {
        let out = match outage.kind {
            // Down is what both feeds are; whether they were must be known.
            ServiceKind::Power => self.single_feed_counts || outage.all_feeds_down == Some(true),
            ServiceKind::Cooling => true,
        };
        out && outage.seconds() > 0 && days.contains(zone.date_of(outage.start))
    }

    /// Of outages that overlap only the one that gives most counts; others add up.
    fn days_of_outages(&self, counted: &[&Outage]) -> i64 {
        let (mut sum, mut largest, mut until) = (0_i64, 0_i64, None);
        for outage in counted {
            let days = self.rules.iter().map(|rule| rule.days_of_one(outage)).max().unwrap_or(0);
            if until.is_some_and(|until| outage.start < until) {
                largest = largest.max(days);
            } else {
                (sum, largest) = (sum + largest, days);
            }
            until = until.max(Some(outage.end));
        }
        sum + largest
    }
}

impl CreditRule {
    fn applies_to(&self, outage: &Outage) -> bool {
        let warm = self.warmer_than.is_none_or(|than| outage.temperature_max.is_some_and(|max| max > than));
        self.kind == outage.kind && warm
    }

    fn days_of_one(&self, outage: &Outage) -> i64 {
        let seconds = outage.seconds();
        let threshold = match self.trigger {
            Trigger::Over(minutes) if seconds > minutes * 60 => minutes * 60,
            Trigger::AtLeast(minutes) if seconds >= minutes * 60 => minutes * 60,
            _ => return 0,
        };
        if self.applies_to(outage) { self.days_beyond(&Exact::from(seconds - threshold)) } else { 0 }
    }

    fn days_of_month(&self, counted: &[&Outage], month_s: i64) -> i64 {
        let of_rule: Vec<&&Outage> = counted.iter().filter(|outage| self.applies_to(outage)).collect();
        match &self.trigger {
            Trigger::OutagesOver(most) if i64::try_from(of_rule.len()).unwrap_or(i64::MAX) > *most => {
                self.days_beyond(&Exact::zero())
            }
            Trigger::AvailabilityBelow(percent) => {
                let out_s = Exact::from(seconds_out(&of_rule));
                let may_s = &Exact::from(month_s) * &(&Exact::from(1) - &(*percent).into());
                if out_s > may_s { self.days_beyond(&(&out_s - &may_s)) } else { 0 }
            }
            _ => 0,
        }
    }

    fn days_beyond(&self, seconds: &Exact) -> i64 {
        let further = self.further.map_or(0, |further| {
            let times = seconds
                .over(&Exact::from(further.minutes * 60))
                .map_or(0, |times| times.floor().unwrap_or(i64::MAX));
            times.saturating_mul(further.days)
        });
        self.days.saturating_add(further).min(self.days_max.unwrap_or(i64::MAX))
    }
}

/// Seconds in which one outage or more lasted.
fn seconds_out(outages: &[&&Outage]) -> i64 {
    let (mut sum, mut until) = (0_i64, None);
    for outage in outages {
        let end = outage.start + chrono::TimeDelta::seconds(outage.seconds());
        let from = until.map_or(outage.start, |until| outage.start.max(until));
        sum += (end - from).num_seconds().max(0);
        until = until.max(Some(end));
    }
    sum
}

#[cfg(test)]
mod tests;
