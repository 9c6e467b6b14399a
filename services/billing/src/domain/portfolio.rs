//! How much is contracted: IT load, rent and remaining term by stage, and how much of it is one tenant's.

use std::collections::BTreeMap;

use kernel::{CivilDate, Currency, Error, Exact, LeaseId, Money, TenantId};

use super::invoice::TooLarge;
use super::lease::{BlockState, LeaseCopy, LeaseState, Premises};
use super::revenue;
use super::words::names;

/// How far contracted capacity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// On paper or signed, not in force: conditions may be open.
    NotInForce,
    /// In force, and not commenced.
    InForce,
    /// Rent runs.
    Billing,
}

names!(Stage { NotInForce => "NOT_IN_FORCE", InForce => "IN_FORCE", Billing => "BILLING" });

/// What is contracted in one stage and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityRow {
    /// The stage.
    pub stage: Stage,
    /// Leases with a block in it.
    pub lease_count: i64,
    /// IT load, kW: of each block the most that is leased from the day on.
    pub it_kw: i64,
    /// Rent of the base term; options are not in it.
    pub contract_value: Money,
    /// Rent of the blocks' first twelve months.
    pub first_year: Money,
    /// From the day on to the end of the base term, months, weighted by kW.
    pub remaining_months: Exact,
    /// The tenant with the most kW, and how many.
    pub top_tenant: Option<(TenantId, i64)>,
}

/// A lease that is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// The lease.
    pub lease: LeaseId,
    /// The tenant.
    pub tenant: TenantId,
    /// Why.
    pub reason: String,
}

/// All that is contracted as of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portfolio {
    /// By currency and stage.
    pub rows: Vec<CapacityRow>,
    /// What is not counted.
    pub excluded: Vec<Excluded>,
}

struct Sum {
    leases: i64,
    kw: i64,
    value: i64,
    first_year: i64,
    kw_days: Exact,
    of_tenant: BTreeMap<TenantId, i64>,
}

impl Sum {
    fn nothing() -> Self {
        Self { leases: 0, kw: 0, value: 0, first_year: 0, kw_days: Exact::zero(), of_tenant: BTreeMap::new() }
    }
}

/// An average month has 365.25 / 12 days.
const DAYS_OF_12_MONTHS_X4: i64 = 1_461;

fn stage_of(lease: &LeaseCopy, premises: &Premises, as_of: CivilDate) -> Option<Stage> {
    if revenue::term(lease, premises)?.end() <= as_of {
        return None;
    }
    match lease.block_state(&premises.place) {
        _ if !LeaseState::IN_FORCE.contains(&lease.state) => Some(Stage::NotInForce),
        Some(BlockState::Commenced) => Some(Stage::Billing),
        Some(BlockState::Planned) => Some(Stage::InForce),
        _ => None,
    }
}

/// The most that is leased of a block from a day on.
fn kw_from(premises: &Premises, as_of: CivilDate) -> i64 {
    let steps = &premises.quantities;
    let now = steps.iter().rev().find(|step| step.from <= as_of).map_or(0, |step| step.kw);
    steps.iter().filter(|step| step.from > as_of).map(|step| step.kw).fold(now, i64::max)
}

/// What is contracted as of a day.
pub fn portfolio(leases: &[LeaseCopy], as_of: CivilDate) -> Result<Portfolio, Error> {
    let mut sums: BTreeMap<(String, Stage), (Currency, Sum)> = BTreeMap::new();
    let mut excluded = Vec::new();
    for lease in leases {
        if LeaseState::CALLED_OFF.contains(&lease.state) {
            excluded.push(out(lease, format!("it is {}", lease.state)));
            continue;
        }
        let mut counted = Vec::new();
        for premises in &lease.terms.premises {
            let Some(stage) = stage_of(lease, premises, as_of) else { continue };
            let currency = lease.terms.currency;
            let (_, sum) =
                sums.entry((currency.to_string(), stage)).or_insert_with(|| (currency, Sum::nothing()));
            add(sum, lease, premises, as_of)?;
            if !counted.contains(&stage) {
                sum.leases += 1;
                counted.push(stage);
            }
        }
        if counted.is_empty() {
            let none = lease.terms.premises.is_empty();
            let why = if none { "no block of it is named yet" } else { "nothing of it is to come" };
            excluded.push(out(lease, why.to_owned()));
        }
    }
    let rows = sums.into_iter().map(|((_, stage), (currency, sum))| row(stage, currency, sum)).collect();
    Ok(Portfolio { rows, excluded })
}

fn out(lease: &LeaseCopy, reason: String) -> Excluded {
    Excluded { lease: lease.lease.clone(), tenant: lease.tenant.clone(), reason }
}

fn add(sum: &mut Sum, lease: &LeaseCopy, premises: &Premises, as_of: CivilDate) -> Result<(), Error> {
    let too_large = || Error::internal(TooLarge);
    let kw = kw_from(premises, as_of);
    sum.kw = sum.kw.checked_add(kw).ok_or_else(too_large)?;
    *sum.of_tenant.entry(lease.tenant.clone()).or_insert(0) += kw;
    let Some(term) = revenue::term(lease, premises) else { return Ok(()) };
    let days = (term.end() - as_of.max(term.start())).num_days();
    sum.kw_days = &sum.kw_days + &(&Exact::from(kw) * &Exact::from(days));
    let year = kernel::time::add_months(term.start(), 12).unwrap_or(term.end());
    for charge in revenue::rent(lease)?.iter().filter(|charge| charge.place == premises.place) {
        sum.value = sum.value.checked_add(charge.amount.minor).ok_or_else(too_large)?;
        if charge.period.start() < year {
            sum.first_year = sum.first_year.checked_add(charge.amount.minor).ok_or_else(too_large)?;
        }
    }
    Ok(())
}

fn row(stage: Stage, currency: Currency, sum: Sum) -> CapacityRow {
    let month = Exact::ratio(DAYS_OF_12_MONTHS_X4, 48).unwrap_or_else(Exact::zero);
    let remaining = sum.kw_days.over(&Exact::from(sum.kw)).and_then(|days| days.over(&month));
    CapacityRow {
        stage,
        lease_count: sum.leases,
        it_kw: sum.kw,
        contract_value: Money::new(sum.value, currency),
        first_year: Money::new(sum.first_year, currency),
        remaining_months: remaining.unwrap_or_else(Exact::zero),
        top_tenant: sum.of_tenant.into_iter().max_by_key(|(_, kw)| *kw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{self, date, premises};

    #[test]
    fn each_block_is_counted_in_its_stage() {
        let (start, end) = (date(2027, 1, 1), date(2037, 1, 1));
        let mut lease = sample::lease(
            None,
            vec![
                premises("hall-one", 3_000, "100", start, end),
                premises("hall-two", 1_000, "100", date(2028, 1, 1), end),
            ],
        );
        lease.blocks[1].state = BlockState::Planned;
        let paper = LeaseCopy {
            state: LeaseState::Proposed,
            lease: "lease-two".parse().expect("a slug"),
            ..lease.clone()
        };
        let off = LeaseCopy {
            state: LeaseState::Cancelled,
            lease: "lease-three".parse().expect("a slug"),
            ..lease.clone()
        };
        let told = portfolio(&[lease, paper, off], date(2027, 1, 1)).expect("fits");
        let by: Vec<(Stage, i64, i64, i64)> =
            told.rows.iter().map(|r| (r.stage, r.lease_count, r.it_kw, r.contract_value.minor)).collect();
        assert_eq!(
            by,
            [
                (Stage::NotInForce, 1, 4_000, 30_000_000 * 120 + 10_000_000 * 108),
                (Stage::InForce, 1, 1_000, 10_000_000 * 108),
                (Stage::Billing, 1, 3_000, 30_000_000 * 120),
            ]
        );
        assert_eq!(told.rows[2].first_year.minor, 30_000_000 * 12);
        assert_eq!(told.rows[2].remaining_months.display(1), "120");
        assert_eq!((told.excluded.len(), told.excluded[0].reason.as_str()), (1, "it is CANCELLED"));
    }
}
