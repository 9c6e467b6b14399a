//! Divides bills by what meters measured, and reckons what runs bill of it.

use std::collections::BTreeMap;

use kernel::time::add_months;
use kernel::{DateRange, Error, Instant, LeaseId, MeterId, OperatorId, Reason, YearMonth};
use postgres::Tx;

use super::App;
use super::measure::{HowRead, measure};
use super::reckon::{Books, Reckoned};
use crate::domain::charge::occupied;
use crate::domain::charge_type::ChargeType;
use crate::domain::claims::{Claim, Planned, loads};
use crate::domain::invoice::TooLarge;
use crate::domain::lease::{BlockState, LeaseCopy, Premises};
use crate::domain::measured::{Measured, peak_time};
use crate::domain::plan::{Allocation, ChargingPlan, UsageRule, in_force};
use crate::domain::reckoned::{BilledCharges, ReckonedKey};
use crate::domain::reckoning::{Evidence, Inputs, contracted_kw};
use crate::domain::true_up::{Estimate, TrueUpInputs};
use crate::domain::utility_bill::{Bearer, BillFacts, Division, LoadPart, UtilityBill};
use crate::store::{lease, meter, plan};

impl App {
    /// Divides a bill among those who have a load of its meter.
    pub(super) async fn divide(&self, tx: &Tx, bill: &UtilityBill, now: Instant) -> Result<Division, Error> {
        let claims = claims(tx, bill, now).await?;
        let (operator, facts) = (&bill.operator, &bill.facts);
        let loads = loads(facts, &claims)?;
        let measured = measured(tx, operator, (&loads.planned, loads.allocation), |_| None, now).await?;
        let facility = match loads.shared {
            true => {
                Some(read(tx, operator, (&facts.meter, facts.days), (None, false), now).await?.evidence())
            }
            false => None,
        };
        let division = division(loads.allocation, facility, loads.planned, &measured);
        let fits = division.divide(facts);
        fits.ok_or_else(|| {
            Error::refused(Reason::TermOutOfRange, "The shares of the bill are out of range.")
        })?;
        Ok(division)
    }

    /// Measures again what a bill was divided by, by the readings that counted then.
    pub(super) async fn divide_again(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        facts: &BillFacts,
        kept: &Division,
    ) -> Result<Division, Error> {
        let now = self.now();
        let planned: Vec<Planned> = kept
            .parts
            .iter()
            .map(|part| Planned {
                bearer: part.bearer.clone(),
                meter: part.evidence.meter.clone(),
                days: part.days,
                contracted_kw: part.contracted_kw,
                pue_cap: part.pue_cap,
                too_late: part.too_late,
            })
            .collect();
        let batch = |at: usize| kept.parts.get(at).map(|part| part.evidence.batch);
        let measured = measured(tx, operator, (&planned, kept.allocation), batch, now).await?;
        let facility = match &kept.facility {
            Some(of) => Some(
                read(tx, operator, (&of.meter, facts.days), (Some(of.batch), false), now).await?.evidence(),
            ),
            None => None,
        };
        Ok(division(kept.allocation, facility, planned, &measured))
    }
}

/// What each load measured, in the same order.
async fn measured(
    tx: &Tx,
    operator: &OperatorId,
    (planned, by): (&[Planned], Allocation),
    batch: impl Fn(usize) -> Option<i64>,
    now: Instant,
) -> Result<Vec<Measured>, Error> {
    let mut measured = Vec::with_capacity(planned.len());
    for (at, load) in planned.iter().enumerate() {
        let how = (batch(at), by == Allocation::Peak);
        measured.push(read(tx, operator, (&load.meter, load.days), how, now).await?);
    }
    Ok(measured)
}

async fn read(
    tx: &Tx,
    operator: &OperatorId,
    (id, days): (&MeterId, DateRange),
    (as_of, with_intervals): (Option<i64>, bool),
    now: Instant,
) -> Result<Measured, Error> {
    let found = meter::of_ids(tx.conn(), operator, std::slice::from_ref(id)).await?;
    let found = found.first().ok_or_else(|| Error::not_found("meter"))?;
    measure(tx, found, days, now, HowRead { as_of, with_intervals }).await
}

fn division(
    allocation: Allocation,
    facility: Option<Evidence>,
    planned: Vec<Planned>,
    measured: &[Measured],
) -> Division {
    // Asked for by this allocation alone; without intervals nothing is found.
    let peak = (allocation == Allocation::Peak).then(|| peak_time(measured)).flatten();
    let part = |(load, measured): (Planned, &Measured)| LoadPart {
        bearer: load.bearer,
        days: load.days,
        evidence: measured.evidence(),
        at_peak_wh: measured.energy_at(peak),
        contracted_kw: load.contracted_kw,
        pue_cap: load.pue_cap,
        too_late: load.too_late,
    };
    Division { allocation, facility, parts: planned.into_iter().zip(measured).map(part).collect() }
}

/// What charging plans say of the meter of a bill on its days, in order of lease and block.
async fn claims(tx: &Tx, bill: &UtilityBill, now: Instant) -> Result<Vec<Claim>, Error> {
    let leases: Vec<LeaseId> = plan::leases_of_supply(tx.conn(), &bill.operator, &bill.facts.meter).await?;
    let (Some(first), Some(last)) = (leases.first(), leases.last()) else { return Ok(Vec::new()) };
    let plans = plan::by_block(tx.conn(), &bill.operator, (first, last)).await?;
    let all = lease::in_force(tx.conn(), &bill.operator, (first, last)).await?;
    let mut claims = Vec::new();
    for lease in all.iter().filter(|lease| leases.contains(&lease.lease)) {
        for premises in &lease.terms.premises {
            let of = plans.get(&(lease.lease.clone(), premises.place.clone()));
            let billed = lease.block_state(&premises.place).is_some_and(|s| BlockState::BILLED.contains(&s));
            let days = charged_days(lease, premises, bill.facts.days).filter(|_| billed);
            let (Some(plans), Some(days)) = (of, days) else { continue };
            for (days, plan) in in_force(plans, days) {
                let rule = plan.facts.usage.as_ref().filter(|rule| *rule.supply() == bill.facts.meter);
                claims.extend(rule.map(|rule| claim(lease, premises, (plan, rule, days), (bill, now))));
            }
        }
    }
    Ok(claims)
}

/// The days of a bill on which a block is charged here.
fn charged_days(lease: &LeaseCopy, premises: &Premises, of: DateRange) -> Option<DateRange> {
    let days = occupied(lease, premises).intersection(&of)?;
    let from = lease.billed_from.map_or(days.start(), |from| from.max(days.start()));
    DateRange::new(from, days.end()).ok()
}

fn claim(
    lease: &LeaseCopy,
    premises: &Premises,
    (plan, rule, days): (&ChargingPlan, &UsageRule, DateRange),
    (bill, now): (&UtilityBill, Instant),
) -> Claim {
    let facility = rule.facility.as_ref();
    let shared = facility.and_then(|of| of.sharers.iter().find(|sharer| sharer.meter == rule.meter));
    let leased = || contracted_kw(lease.quantities(premises), days);
    let last = add_months(bill.facts.days.end(), rule.correction_months);
    Claim {
        plan: plan.id.clone(),
        bearer: Bearer { lease: lease.lease.clone(), place: premises.place.clone() },
        days,
        meter: rule.meter.clone(),
        currency: lease.terms.currency,
        allocation: facility.map(|of| of.allocation),
        sharers: facility.map(|of| of.sharers.clone()).unwrap_or_default(),
        contracted_kw: shared.map_or_else(leased, |sharer| sharer.contracted_kw),
        pue_cap: facility.and_then(|of| of.pue_cap),
        too_late: last.is_some_and(|last| last < plan.facts.zone.date_of(now)),
    }
}

impl Books<'_> {
    /// What a block's true-ups come to and no invoice has. What a run charges by tariff counts already.
    pub(super) fn true_ups(
        &self,
        lease: &LeaseCopy,
        premises: &Premises,
        into: &mut Reckoned,
    ) -> Result<(), Error> {
        let bearer = Bearer { lease: lease.lease.clone(), place: premises.place.clone() };
        for bill in &self.bills {
            let Some((division, _)) = &bill.division else { continue };
            let (days, billed) = (division.days_of(&bearer), self.trued_up(&bearer, bill));
            // What was billed by a bill in time stays where the one that corrects it comes too late.
            if days.is_none() && billed.is_empty() || division.is_too_late(&bearer) {
                continue;
            }
            let days = days.unwrap_or(bill.facts.days);
            let inputs = TrueUpInputs {
                bill: bill.id,
                facts: bill.facts.clone(),
                division: division.clone(),
                estimates: self.estimates(&bearer, days, into),
                bearer: bearer.clone(),
                days,
            };
            let wholes = inputs.wholes().ok_or_else(|| Error::internal(TooLarge))?;
            let month = YearMonth::of(days.start());
            let found = (Inputs::TrueUp { true_up: inputs }, wholes);
            self.compare(lease, &premises.place, month, found, &billed, into)?;
        }
        Ok(())
    }

    /// What a block was billed to true it up to a bill, or to those that it corrects.
    fn trued_up(&self, bearer: &Bearer, bill: &UtilityBill) -> BilledCharges {
        let (meter, days) = (bill.facts.meter.as_str(), bill.facts.days);
        let of_bill = |key: &ReckonedKey| {
            key.charge_type == ChargeType::TrueUp
                && days.contains(key.period_start)
                && TrueUpInputs::is_of_meter(meter, &key.item)
        };
        let charges = self.billed_within(bearer, days);
        charges.filter(|(key, _)| of_bill(key)).map(|(key, of)| (key.clone(), of.clone())).collect()
    }

    /// What a block was charged by tariff for these days, or is charged by this run.
    fn estimates(&self, bearer: &Bearer, days: DateRange, now_billed: &Reckoned) -> Vec<Estimate> {
        let mut charged: BTreeMap<ReckonedKey, (DateRange, i64)> = BTreeMap::new();
        for (key, billed) in self.billed_within(bearer, days) {
            charged.insert(key.clone(), (billed.period, billed.minor));
        }
        for line in now_billed.lines.get(&bearer.lease).into_iter().flatten() {
            if line.place.as_ref() == Some(&bearer.place) {
                let of = charged.entry(line.key()).or_insert((line.period, 0));
                *of = (line.period, of.1.saturating_add(line.amount.minor));
            }
        }
        charged
            .into_iter()
            .filter(|(key, (of, _))| ChargeType::BY_TARIFF.contains(&key.charge_type) && of.overlaps(&days))
            .map(|(key, (days, minor))| Estimate {
                code: key.item.split('.').next().unwrap_or_default().to_owned(),
                tax: key.charge_type == ChargeType::Tax,
                days,
                minor,
            })
            .collect()
    }
}
