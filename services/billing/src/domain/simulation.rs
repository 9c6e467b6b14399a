//! A contract from its first day to its last, as billing runs would bill it under stated assumptions. Nothing is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, TimeDelta};
use kernel::{
    CivilDate, DateRange, Error, Exact, IndexEscalator, IndexValues, Instant, Money, Percent, ReckoningId,
    TariffId, Uuid, YearMonth, Zone,
};

use super::advance::{Advanced, due_beside};
use super::charge::{self, Charge, NotKnown};
use super::charge_type::ChargeType;
use super::interest::{InterestInputs, Overdue, Paid};
use super::invoice::{Bill, TooLarge};
use super::lease::{BlockRef, BlockState, LeaseCopy, LeaseState, Poison, Premises};
use super::minimum::MinimumInputs;
use super::plan::{ChargingPlan, in_force};
use super::rating::Metered;
use super::reckoned::{Billed, BilledCharges, ReckonedLine, difference};
use super::reckoning::{
    Evidence, UsageInputs, contracted_kw, holding, needs_intervals, needs_year, year_before,
};
use super::tariff::Tariff;

/// What nobody knows beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// Each block takes this part of its contracted load in every hour; none: nothing is measured.
    pub load: Option<Percent>,
    /// The index grows so much a year beyond the last value that is known; none: what needs more is left out.
    pub index_growth: Option<Percent>,
    /// Every invoice is paid so many days after it is due.
    pub days_late: u32,
}

/// What usage is charged by.
#[derive(Clone, Debug, Default)]
pub struct Supply {
    /// Plans of the lease's blocks, in order of first day, then of creation.
    pub plans: BTreeMap<BlockRef, Vec<ChargingPlan>>,
    /// The tariffs that they name.
    pub tariffs: HashMap<TariffId, Tariff>,
}

/// What comes of it.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    /// The bills, in order of month, then of kind.
    pub bills: Vec<Bill>,
    /// What is not known of an index, and not assumed: the bills end before it.
    pub not_known: Vec<NotKnown>,
    /// What of usage could not be charged, each once.
    pub problems: BTreeSet<String>,
}

/// An invoice of the simulation until it is paid and all of its interest is billed.
struct Open {
    overdue: Overdue,
    billed: BilledCharges,
}

/// Runs a contract to its last day.
pub fn simulate(lease: &LeaseCopy, supply: &Supply, assumed: &Assumptions) -> Result<Simulated, Error> {
    let lease = &as_agreed(lease, assumed);
    let mut charges = charge::to_come(lease, None, &BTreeSet::new()).map_err(poison)?;
    let not_known = charge::not_known(lease).map_err(poison)?;
    if let Some(from) = not_known.iter().map(|one| YearMonth::of(one.missing.from)).min() {
        charges.retain(|charge| charge.month < from);
    }
    let mut run = Run {
        lease,
        supply,
        assumed,
        advanced: Advanced::default(),
        open: Vec::new(),
        number: 0,
        done: Simulated { not_known, ..Simulated::default() },
    };
    let mut months: BTreeMap<YearMonth, Vec<Charge>> = BTreeMap::new();
    for charge in charges {
        months.entry(charge::billing_month(lease, &charge)).or_default().push(charge);
    }
    let Some((first, last)) = run.span(&months) else { return Ok(run.done) };
    let mut at = Some(first);
    while let Some(month) = at.filter(|month| *month <= last || run.is_late()) {
        run.month(month, months.remove(&month).unwrap_or_default())?;
        at = month.next();
    }
    Ok(run.done)
}

/// The lease as if it were in force and every block had commenced on its day, and with the index that is assumed.
fn as_agreed(lease: &LeaseCopy, assumed: &Assumptions) -> LeaseCopy {
    let mut lease = lease.clone();
    lease.state = LeaseState::Active;
    lease.billed_from = None;
    for block in &mut lease.blocks {
        if block.state == BlockState::Planned {
            block.state = BlockState::Commenced;
        }
    }
    if let (Some(index), Some(growth)) = (&lease.terms.rent.index, assumed.index_growth) {
        let end = lease.terms.premises.iter().map(|premises| charge::occupied(&lease, premises).end()).max();
        lease.index = grown(index, &lease.index, growth, (charge::start_as_it_stands(&lease), end));
    }
    lease
}

/// The values of an index up to a lease's end: those that are known, and after them growth by the year, month by month
/// on a straight line.
fn grown(
    index: &IndexEscalator,
    known: &IndexValues,
    growth: Percent,
    (start, end): (Option<CivilDate>, Option<CivilDate>),
) -> IndexValues {
    let mut values = known.clone();
    let last = known.iter().next_back().map(|(month, value)| (*month, *value));
    let begins = start.and_then(|start| kernel::time::add_months(start, -24)).map(YearMonth::of);
    let Some((from, value)) = last.or_else(|| begins.map(|month| (month, index.base))) else { return values };
    let last = end.map(YearMonth::of);
    let mut at = Some(from);
    while let Some(month) = at.filter(|month| last.is_some_and(|last| *month <= last)) {
        let years = Exact::ratio(i64::from(from.months_until(month)), 12).unwrap_or_else(Exact::zero);
        let factor = &Exact::from(1) + &(&Exact::from(growth) * &years);
        if let Some(value) = (&Exact::from(value) * &factor).to_rate() {
            values.entry(month).or_insert(value);
        }
        at = month.next();
    }
    values
}

fn poison(Poison(why): Poison) -> Error {
    Error::internal(why)
}

fn nobody() -> ReckoningId {
    ReckoningId::new(Uuid::nil())
}

struct Run<'a> {
    lease: &'a LeaseCopy,
    supply: &'a Supply,
    assumed: &'a Assumptions,
    advanced: Advanced,
    open: Vec<Open>,
    number: i64,
    done: Simulated,
}

impl Run<'_> {
    /// The first and the last month with something to bill; usage is billed the month after.
    fn span(&self, rent: &BTreeMap<YearMonth, Vec<Charge>>) -> Option<(YearMonth, YearMonth)> {
        let days = || self.lease.terms.premises.iter().map(|premises| charge::occupied(self.lease, premises));
        let starts = days().map(|days| YearMonth::of(days.start()));
        let first = rent.keys().copied().chain(starts).min()?;
        let after = days().filter_map(|days| YearMonth::of(days.last_day()).next());
        let usage = after.filter(|_| self.assumed.load.is_some());
        let fee = self.lease.ending.iter().map(|ending| YearMonth::of(ending.end));
        let last = rent.keys().copied().chain(usage).chain(fee).max()?;
        Some((first, last))
    }

    /// Whether interest of an invoice is still to be billed.
    fn is_late(&self) -> bool {
        self.lease.terms.money.late_interest.is_some() && !self.open.is_empty()
    }

    fn month(&mut self, month: YearMonth, rent: Vec<Charge>) -> Result<(), Error> {
        let beside = due_beside(self.lease, month, &rent, &mut self.advanced, nobody).map_err(poison)?;
        let mut lines: Vec<ReckonedLine> = beside.into_iter().map(|(line, _)| line).collect();
        lines.extend(self.interest(month)?);
        if let Some(before) = month.previous() {
            for premises in &self.lease.terms.premises {
                lines.extend(self.usage(premises, before)?);
            }
        }
        for bill in Bill::of(self.lease, month, rent, lines)? {
            self.ask(&bill);
            self.done.bills.push(bill);
        }
        Ok(())
    }

    /// The bill is issued on the first of its month, and paid as late as is assumed.
    fn ask(&mut self, bill: &Bill) {
        self.number += 1;
        let interest = bill.lines.iter().filter(|line| line.charge_type() == ChargeType::LateInterest);
        let principal = bill.total.minor - interest.map(|line| line.amount().minor).sum::<i64>();
        let after = |day: CivilDate, days: u32| day.checked_add_days(Days::new(days.into()));
        let due = after(bill.month.first_day(), bill.payment_terms_days.into());
        let paid = due.and_then(|due| after(due, self.assumed.days_late));
        if let (Some(due), Some(on), true) = (due, paid, principal > 0) {
            let overdue = Overdue {
                number: format!("SIM-{:06}", self.number),
                due,
                principal_minor: principal,
                paid: vec![Paid { on, minor: principal }],
                disputed: Vec::new(),
            };
            self.open.push(Open { overdue, billed: BilledCharges::new() });
        }
    }

    fn interest(&mut self, month: YearMonth) -> Result<Vec<ReckonedLine>, Error> {
        let through = month.first_day().checked_sub_days(Days::new(1));
        let (Some(terms), Some(through)) = (self.lease.terms.money.late_interest, through) else {
            self.open.clear();
            return Ok(Vec::new());
        };
        let currency = self.lease.terms.currency;
        let mut lines = Vec::new();
        for open in &mut self.open {
            // What is paid by then would be known by then.
            let paid = open.overdue.paid.iter().filter(|paid| paid.on <= through).copied().collect();
            let invoice = Overdue { paid, ..open.overdue.clone() };
            let inputs = InterestInputs { terms, currency, invoice, through };
            let too_large = || Error::internal(TooLarge);
            let wholes = inputs.wholes().ok_or_else(too_large)?;
            let new = difference(None, &wholes, &open.billed, (currency, nobody())).ok_or_else(too_large)?;
            for (line, whole) in new
                .iter()
                .filter_map(|line| Some((line, wholes.iter().find(|whole| whole.key() == line.key())?)))
            {
                let billed = Billed {
                    period: line.period,
                    minor: whole.amount.minor,
                    revision: line.revision,
                    jurisdiction: None,
                };
                open.billed.insert(line.key(), billed);
            }
            lines.extend(new);
        }
        self.open.retain(|open| open.overdue.paid.iter().any(|paid| paid.on > through));
        Ok(lines)
    }

    /// What a block's month comes to under the assumed load.
    fn usage(&mut self, premises: &Premises, month: YearMonth) -> Result<Vec<ReckonedLine>, Error> {
        let days = month.range().and_then(|days| days.intersection(&charge::occupied(self.lease, premises)));
        let plans = self.supply.plans.get(&premises.place);
        let (Some(load), Some(days), Some(plans)) = (self.assumed.load, days, plans) else {
            return Ok(Vec::new());
        };
        let (mut wholes, mut parts) = (Vec::new(), Vec::new());
        for (days, plan) in in_force(plans, days) {
            let Some((inputs, intervals)) = self.assumed_usage(premises, plan, days, load) else { continue };
            match inputs.charge(&intervals) {
                Ok(charged) => wholes.extend(charged),
                Err(problem) => {
                    let place = &premises.place;
                    self.done.problems.insert(format!("block {}/{}: {problem}", place.site, place.block));
                }
            }
            parts.push(inputs);
        }
        let currency = self.lease.terms.currency;
        let too_large = || Error::internal(TooLarge);
        if let Some(terms) = self.lease.terms.money.minimum_take {
            wholes.extend(MinimumInputs { terms, currency, parts }.wholes().ok_or_else(too_large)?);
        }
        let nothing = BilledCharges::new();
        let place = Some(&premises.place);
        difference(place, &wholes, &nothing, (currency, nobody())).ok_or_else(too_large)
    }

    fn assumed_usage(
        &self,
        premises: &Premises,
        plan: &ChargingPlan,
        days: DateRange,
        load: Percent,
    ) -> Option<(UsageInputs, Vec<Metered>)> {
        let rule = plan.facts.usage.as_ref()?;
        let tariff = self.supply.tariffs.get(&rule.tariff)?;
        let kw = contracted_kw(self.lease.quantities(premises), days);
        let watts = (&Exact::from(kw.checked_mul(1_000)?) * &Exact::from(load)).rounded()?;
        let zone = plan.facts.zone;
        let components = holding(&tariff.components, days);
        let step = if needs_intervals(&components) { TimeDelta::hours(1) } else { TimeDelta::days(1) };
        let intervals = intervals(days, zone, step, watts)?;
        let own = Evidence {
            meter: rule.meter.clone(),
            batch: 0,
            energy_wh: intervals.iter().map(|interval| interval.energy_wh).sum(),
            estimated_wh: 0,
            missing_count: 0,
            peak_w: watts,
        };
        // Of a facility the cap is assumed: what it takes for one of its IT energy is at most that.
        let cap = rule.facility.as_ref().and_then(|facility| facility.pue_cap);
        let scaled = |of: i64| (&Exact::from(of) * &Exact::from(cap?)).rounded();
        let facility = cap.and_then(|_| {
            Some(Evidence { energy_wh: scaled(own.energy_wh)?, peak_w: scaled(own.peak_w)?, ..own.clone() })
        });
        let before = year_before(days).filter(|_| needs_year(&components));
        let before = before.and_then(|before| before.intersection(&charge::occupied(self.lease, premises)));
        let year_before_wh = before.map_or(0, |before| watts.saturating_mul(24 * before.days()));
        let inputs = UsageInputs {
            plan: plan.id.clone(),
            rule: rule.clone(),
            days,
            tariff: tariff.id.clone(),
            tariff_version: tariff.version,
            components,
            currency: self.lease.terms.currency,
            zone,
            sharers: vec![own.clone()],
            own,
            facility,
            weight: (1, 1),
            contracted_kw: kw,
            year_before_wh,
        };
        Some((inputs, intervals))
    }
}

/// The same load in every hour of some days, by hour or by day.
fn intervals(days: DateRange, zone: Zone, step: TimeDelta, watts: i64) -> Option<Vec<Metered>> {
    let mut intervals = Vec::new();
    let energy = |from: Instant, until: Instant| {
        (&Exact::from(watts) * &Exact::ratio((until - from).num_seconds(), 3_600)?).rounded()
    };
    for day in days.start().iter_days().take_while(|day| *day < days.end()) {
        let end = zone.start_of_day(day.succ_opt()?);
        let mut at = zone.start_of_day(day);
        while at < end {
            let until = if step < TimeDelta::days(1) { (at + step).min(end) } else { end };
            intervals.push(Metered { start: at, energy_wh: energy(at, until)?, index_per_kwh: None });
            at = until;
        }
    }
    Some(intervals)
}

/// The sum of all bills.
pub fn total(lease: &LeaseCopy, bills: &[Bill]) -> Result<Money, Error> {
    Money::checked_sum(lease.terms.currency, bills.iter().map(|bill| bill.total))
        .ok_or_else(|| Error::internal(TooLarge))
}

#[cfg(test)]
mod tests;
