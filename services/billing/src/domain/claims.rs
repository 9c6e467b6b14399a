//! Who has which load of a meter on which days, by the charging plans of those who share it.

use std::collections::BTreeMap;

use kernel::{ChargingPlanId, Currency, DateRange, Error, MeterId, Rate, Reason};

use super::plan::{Allocation, Sharer};
use super::utility_bill::{Bearer, BillFacts};

/// What a plan says of a block's load for some days.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The plan.
    pub plan: ChargingPlanId,
    /// Whose load.
    pub bearer: Bearer,
    /// The days.
    pub days: DateRange,
    /// The meter of it.
    pub meter: MeterId,
    /// In which it is charged.
    pub currency: Currency,
    /// By what a facility is divided; none where the meter is its own.
    pub allocation: Option<Allocation>,
    /// Who shares the facility.
    pub sharers: Vec<Sharer>,
    /// Contracted load, kW.
    pub contracted_kw: i64,
    /// Facility energy per IT energy above which the operator bears the rest.
    pub pue_cap: Option<Rate>,
    /// Whether the bill came too late for the plan.
    pub too_late: bool,
}

/// A load that is to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Whose; nobody's where nobody has it on these days.
    pub bearer: Option<Bearer>,
    /// The meter.
    pub meter: MeterId,
    /// The days.
    pub days: DateRange,
    /// Contracted load, kW.
    pub contracted_kw: i64,
    /// Facility energy per IT energy above which the operator bears the rest.
    pub pue_cap: Option<Rate>,
    /// Whether the bill came too late.
    pub too_late: bool,
}

/// By what a bill is divided, and among which loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loads {
    /// By what.
    pub allocation: Allocation,
    /// Whether the bill's meter measures a facility, and others the loads.
    pub shared: bool,
    /// Every load, nobody's first.
    pub planned: Vec<Planned>,
}

/// The loads of a bill by these claims. Every meter that shares is somebody's or nobody's on each of the bill's days.
///
/// # Errors
/// `CHARGING_PLANS_DISAGREE` where plans divide in different ways or currencies, or two have one meter on one day.
pub fn loads(facts: &BillFacts, claims: &[Claim]) -> Result<Loads, Error> {
    let first = claims.first();
    let alike = |claim: &&Claim| {
        first.is_some_and(|first| claim.allocation == first.allocation)
            && claim.currency == facts.total.currency
    };
    let odd: Vec<&Claim> = claims.iter().filter(|claim| !alike(claim)).collect();
    if !odd.is_empty() {
        return Err(disagree(&odd, "do not all divide by the same, in the currency of the bill"));
    }
    let allocation = first.and_then(|first| first.allocation);
    let mut planned = Vec::new();
    for (meter, contracted_kw) in meters(facts, claims) {
        let mut own: Vec<&Claim> = claims.iter().filter(|claim| claim.meter == *meter).collect();
        own.sort_by_key(|claim| claim.days.start());
        let twice = own.windows(2).find(|pair| pair[0].days.overlaps(&pair[1].days));
        if let Some(twice) = twice {
            return Err(disagree(twice, "have one meter on the same days"));
        }
        let nobody = |from, until| {
            let days = DateRange::new(from, until).ok()?;
            let (bearer, meter) = (None, meter.clone());
            Some(Planned { bearer, meter, days, contracted_kw, pue_cap: None, too_late: false })
        };
        let mut from = facts.days.start();
        for claim in own {
            planned.extend(nobody(from, claim.days.start()));
            planned.push(Planned {
                bearer: Some(claim.bearer.clone()),
                meter: meter.clone(),
                days: claim.days,
                contracted_kw: claim.contracted_kw,
                pue_cap: claim.pue_cap,
                too_late: claim.too_late,
            });
            from = claim.days.end();
        }
        planned.extend(nobody(from, facts.days.end()));
    }
    planned.sort_by(|a, b| (&a.bearer, &a.meter, a.days.start()).cmp(&(&b.bearer, &b.meter, b.days.start())));
    let allocation_by = allocation.unwrap_or(Allocation::Energy);
    Ok(Loads { allocation: allocation_by, shared: allocation.is_some(), planned })
}

/// Every meter of a load, with the most that anybody says is contracted there; without a facility the bill's own.
fn meters<'a>(facts: &'a BillFacts, claims: &'a [Claim]) -> BTreeMap<&'a MeterId, i64> {
    let mut meters = BTreeMap::new();
    for sharer in claims.iter().flat_map(|claim| &claim.sharers) {
        let most = meters.entry(&sharer.meter).or_insert(0);
        *most = sharer.contracted_kw.max(*most);
    }
    if meters.is_empty() {
        meters.insert(&facts.meter, 0);
    }
    meters
}

fn disagree(claims: &[&Claim], how: &str) -> Error {
    let mut plans: Vec<String> = claims.iter().map(|claim| claim.plan.to_string()).collect();
    plans.sort();
    plans.dedup();
    plans.truncate(10);
    let plans = plans.join(", ");
    Error::refused(Reason::ChargingPlansDisagree, format!("The charging plans of the meter {how}: {plans}."))
        .with("chargingPlans", plans)
}

#[cfg(test)]
mod tests {
    use kernel::{CivilDate, Money};

    use super::*;
    use crate::domain::sample::{date, place};

    fn days(from: CivilDate, until: CivilDate) -> DateRange {
        DateRange::new(from, until).expect("days")
    }

    fn facts() -> BillFacts {
        BillFacts {
            meter: "utility".parse().expect("a slug"),
            number: "4711".to_owned(),
            days: days(date(2027, 6, 1), date(2027, 7, 1)),
            bill_date: date(2027, 7, 5),
            total: Money::new(100, Currency::USD),
            energy_kwh: 0,
            components: Vec::new(),
        }
    }

    fn claim(lease: &str, meter: &str, of: DateRange) -> Claim {
        let sharer =
            |meter: &str, contracted_kw| Sharer { meter: meter.parse().expect("a slug"), contracted_kw };
        Claim {
            plan: format!("{lease}-plan").parse().expect("a slug"),
            bearer: Bearer { lease: lease.parse().expect("a slug"), place: place("hall-one") },
            days: of,
            meter: meter.parse().expect("a slug"),
            currency: Currency::USD,
            allocation: Some(Allocation::ContractedKw),
            sharers: vec![sharer("first-hall", 10), sharer("second-hall", 20), sharer("third-hall", 30)],
            contracted_kw: 10,
            pue_cap: None,
            too_late: false,
        }
    }

    #[test]
    fn every_meter_is_somebodys_or_nobodys_on_each_day() {
        let facts = facts();
        let late = days(date(2027, 6, 21), date(2027, 7, 1));
        let claims = [claim("one-lease", "first-hall", facts.days), claim("two-lease", "second-hall", late)];
        let loads = loads(&facts, &claims).expect("agreed");
        let of = |planned: &Planned| {
            let lease =
                planned.bearer.as_ref().map_or("nobody".to_owned(), |bearer| bearer.lease.to_string());
            (lease, planned.meter.to_string(), planned.days.days(), planned.contracted_kw)
        };
        let found: Vec<_> = loads.planned.iter().map(of).collect();
        let wanted = [
            ("nobody", "second-hall", 20, 20),
            ("nobody", "third-hall", 30, 30),
            ("one-lease", "first-hall", 30, 10),
            ("two-lease", "second-hall", 10, 10),
        ];
        assert_eq!(found, wanted.map(|(who, meter, days, kw)| (who.to_owned(), meter.to_owned(), days, kw)));
    }

    #[test]
    fn plans_that_divide_otherwise_are_refused() {
        let facts = facts();
        let one = || claim("one-lease", "first-hall", facts.days);
        let other = |change: &dyn Fn(&mut Claim)| {
            let mut other = claim("two-lease", "second-hall", facts.days);
            change(&mut other);
            loads(&facts, &[one(), other]).expect_err("they disagree")
        };
        for error in [
            other(&|claim| claim.allocation = Some(Allocation::Energy)),
            other(&|claim| claim.currency = "EUR".parse().expect("a currency")),
            other(&|claim| claim.meter = "first-hall".parse().expect("a slug")),
        ] {
            assert_eq!(error.reason(), Reason::ChargingPlansDisagree, "{error:?}");
            assert!(
                error.get("chargingPlans").is_some_and(|plans| plans.contains("two-lease-plan")),
                "{error:?}"
            );
        }
        let alone = loads(&facts, &[]).expect("nobody disagrees");
        assert!(!alone.shared && alone.planned.len() == 1 && alone.planned[0].bearer.is_none());
    }
}
