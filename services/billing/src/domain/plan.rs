//! Charging plans: what a block of a lease is charged and credited beside its rent, from a day on.
//!
//! A plan never changes. From its first day on the next plan of the block holds; of two with the same first day, the one
//! that was created last. So a plan can be corrected, and what was billed under the old one follows by difference.

use kernel::{
    ChargingPlanId, CivilDate, DateRange, Instant, LeaseId, MeterId, OperatorId, Rate, TariffId, TenantId,
    Zone,
};
use serde::{Deserialize, Serialize};

use super::lease::BlockRef;
use super::service_level::ServiceLevel;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargingPlan {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: ChargingPlanId,
    /// What it says.
    pub facts: PlanFacts,
    /// When it was created.
    pub create_time: Instant,
}

/// What is told of a plan when it is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanFacts {
    /// Of which lease.
    pub lease: LeaseId,
    /// Of which block.
    pub place: BlockRef,
    /// First day on which it holds.
    pub from: CivilDate,
    /// First day on which it no longer holds; none: until another plan does.
    pub until: Option<CivilDate>,
    /// In which days and months are counted.
    pub zone: Zone,
    /// What power costs.
    pub usage: Option<UsageRule>,
    /// When rent is given back.
    pub service_level: Option<ServiceLevel>,
}

/// What the power of a block costs its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRule {
    /// The tariff.
    pub tariff: TariffId,
    /// The meter of the tenant's own load.
    pub meter: MeterId,
    /// The facility it shares; none: the meter's load is charged as it is.
    pub facility: Option<Facility>,
    /// What is done where readings are missing.
    pub estimates: EstimatePolicy,
    /// Load at the system's peaks, kW.
    pub coincident_kw: i64,
    /// For so many months what was charged for a month is still corrected.
    #[serde(default = "corrected_longest", skip_serializing_if = "is_longest")]
    pub correction_months: i32,
}

/// How many months back corrections are billed at most.
pub const MONTHS_BACK: i32 = 24;

fn corrected_longest() -> i32 {
    MONTHS_BACK
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_longest(months: &i32) -> bool {
    *months == MONTHS_BACK
}

/// A facility whose load is divided among those who share it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facility {
    /// The meter of all that it takes.
    pub meter: MeterId,
    /// Who shares it, the tenant among them.
    pub sharers: Vec<Sharer>,
    /// What the tenant's part of its peak and of monthly prices goes by.
    pub allocation: Allocation,
    /// Facility energy per IT energy above which the landlord bears the rest.
    pub pue_cap: Option<Rate>,
}

/// One who shares a facility.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharer {
    /// The meter of its IT load.
    pub meter: MeterId,
    /// Contracted load, kW.
    pub contracted_kw: i64,
}

/// What a part of a facility's peak and of monthly prices goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// By energy of the days charged.
    Energy,
    /// By load in the interval in which all together took most.
    Peak,
    /// By contracted load.
    ContractedKw,
}

/// What is done where readings are missing when a month is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EstimatePolicy {
    /// Estimates are billed; the difference follows.
    Bill,
    /// Nothing is billed before all is read.
    Wait,
}

impl UsageRule {
    /// The meter by which a utility charges for it: the facility's, or its own.
    #[must_use]
    pub fn supply(&self) -> &MeterId {
        self.facility.as_ref().map_or(&self.meter, |facility| &facility.meter)
    }

    /// Every meter that counts, the tenant's own first.
    pub fn meters(&self) -> impl Iterator<Item = &MeterId> {
        let facility = self.facility.iter();
        let others =
            facility.flat_map(|f| std::iter::once(&f.meter).chain(f.sharers.iter().map(|s| &s.meter)));
        std::iter::once(&self.meter).chain(others.filter(|meter| **meter != self.meter))
    }

    /// Whether the loads of single intervals are compared.
    #[must_use]
    pub fn compares_intervals(&self) -> bool {
        self.facility.as_ref().is_some_and(|facility| facility.allocation == Allocation::Peak)
    }
}

/// The parts of `days` in which each of a block's plans holds. `plans` are in order of first day, then of creation.
#[must_use]
pub fn in_force(plans: &[ChargingPlan], days: DateRange) -> Vec<(DateRange, &ChargingPlan)> {
    let nexts = plans.iter().skip(1).map(|next| Some(next.facts.from)).chain([None]);
    plans
        .iter()
        .zip(nexts)
        .filter_map(|(plan, next)| {
            let end = [plan.facts.until, next].into_iter().flatten().fold(days.end(), CivilDate::min);
            let held = DateRange::new(plan.facts.from, end).ok()?;
            Some((held.intersection(&days)?, plan))
        })
        .collect()
}

/// Which plans to list.
#[derive(Clone, Debug, Default)]
pub struct PlanFilter {
    /// Of this lease: its operator and id.
    pub lease: Option<(OperatorId, LeaseId)>,
}

/// What a plan's meter must be: of the lease's block, and of its tenant if it is a tenant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant<'a> {
    /// Which block.
    pub place: &'a BlockRef,
    /// Whose load.
    pub tenant: &'a TenantId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{date, instant, operator, place};

    fn plan(id: &str, from: CivilDate, until: Option<CivilDate>) -> ChargingPlan {
        ChargingPlan {
            operator: operator(),
            id: id.parse().expect("a slug"),
            facts: PlanFacts {
                lease: "lease-one".parse().expect("a slug"),
                place: place("hall-one"),
                from,
                until,
                zone: Zone::UTC,
                usage: None,
                service_level: None,
            },
            create_time: instant(2026, 1, 1),
        }
    }

    #[test]
    fn each_plan_holds_until_the_next_or_its_own_end() {
        let plans = [
            plan("first", date(2026, 1, 1), None),
            // Corrected on the same day: only the later one holds.
            plan("wrong", date(2026, 3, 10), None),
            plan("second", date(2026, 3, 10), Some(date(2026, 3, 20))),
            plan("third", date(2026, 4, 1), None),
        ];
        let days = DateRange::new(date(2026, 3, 1), date(2026, 4, 11)).expect("days");
        let held: Vec<(String, i64)> =
            in_force(&plans, days).iter().map(|(days, plan)| (plan.id.to_string(), days.days())).collect();
        let wanted = [("first", 9), ("second", 10), ("third", 10)];
        assert_eq!(held, wanted.map(|(id, days)| (id.to_owned(), days)));
    }
}
