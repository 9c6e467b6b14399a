//! Revenue: the rent of a block's term, the same in every month whatever is billed when (ASC 842), and what follows from it:
//! accrued rent, backlog, what is still to be received.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{
    CivilDate, Currency, DateRange, Error, Exact, IndexValues, LeaseId, Money, TenantId, YearMonth,
};

use super::charge::{self, Charge};
use super::invoice::TooLarge;
use super::lease::{BlockState, LeaseCopy, LeaseState, Poison, Premises};

/// What of a month is earned, and what is billed for it, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Revenue.
    pub revenue_minor: i64,
    /// Rent.
    pub billed_minor: i64,
}

/// Revenue and rent by month.
pub type Months = BTreeMap<YearMonth, Earned>;

/// The straight line of one block: what is certain of its rent, spread evenly over its own term, a part of a month by its
/// days. Each month is what the running total, rounded, grows by, so that the term's revenue is its rent, to the cent. What
/// an index adds to what is certain is variable: it is earned in the month it is billed for.
fn of_block(
    premises: &Premises,
    term: DateRange,
    (charges, certain): (&[Charge], &[Charge]),
    months: &mut Months,
) -> Result<(), Error> {
    let too_large = || Error::internal(TooLarge);
    let mut total = 0_i64;
    for charge in charges.iter().filter(|charge| charge.place == premises.place) {
        let earned = months.entry(charge.month).or_default();
        for sum in [&mut earned.billed_minor, &mut earned.revenue_minor] {
            *sum = sum.checked_add(charge.amount.minor).ok_or_else(too_large)?;
        }
    }
    for charge in certain.iter().filter(|charge| charge.place == premises.place) {
        total = total.checked_add(charge.amount.minor).ok_or_else(too_large)?;
        let earned = months.entry(charge.month).or_default();
        earned.revenue_minor = earned.revenue_minor.checked_sub(charge.amount.minor).ok_or_else(too_large)?;
    }
    let parts: Vec<(YearMonth, Exact)> = term
        .months()
        .filter_map(|(month, days)| Some((month, Exact::ratio(days.days(), i64::from(month.days()))?)))
        .collect();
    let whole = Exact::sum(parts.iter().map(|(_, part)| part));
    let (mut run, mut given) = (Exact::zero(), 0_i64);
    for (month, part) in &parts {
        run = &run + part;
        let until = run.over(&whole).and_then(|share| (&share * &Exact::from(total)).rounded());
        let until = until.ok_or_else(too_large)?;
        let revenue = &mut months.entry(*month).or_default().revenue_minor;
        *revenue = revenue.checked_add(until - given).ok_or_else(too_large)?;
        given = until;
    }
    Ok(())
}

/// The rent of a lease's whole term, as its blocks' days stand; of what follows an index and is not known yet, what is
/// certain.
pub fn rent(lease: &LeaseCopy) -> Result<Vec<Charge>, Error> {
    charge::to_come(lease, None, &BTreeSet::new()).map_err(|Poison(why)| Error::internal(why))
}

/// The days of a block as they stand; none if it will never commence.
#[must_use]
pub fn term(lease: &LeaseCopy, premises: &Premises) -> Option<DateRange> {
    let lapsed = lease.block_state(&premises.place) == Some(BlockState::Lapsed);
    (!lapsed).then(|| lease.moved(&premises.place).map_or(premises.term, |moved| moved.term))
}

/// Revenue and rent of a lease by month, over its whole term. `commenced_only`: of blocks whose rent runs or ran; revenue
/// begins with it.
pub fn of_lease(lease: &LeaseCopy, commenced_only: bool) -> Result<Months, Error> {
    let charges = rent(lease)?;
    let certain = rent(&LeaseCopy { index: IndexValues::new(), ..lease.clone() })?;
    let mut months = Months::new();
    for premises in &lease.terms.premises {
        let runs = lease.block_state(&premises.place).is_some_and(|s| BlockState::BILLED.contains(&s));
        if let (true, Some(term)) = (runs || !commenced_only, term(lease, premises)) {
            of_block(premises, term, (&charges, &certain), &mut months)?;
        }
    }
    Ok(months)
}

/// One month of the roll-forward of accrued rent: what is earned and not billed, below zero what is billed and not earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevenueRow {
    /// The month.
    pub month: YearMonth,
    /// Accrued before it.
    pub opening: Money,
    /// Earned in it.
    pub revenue: Money,
    /// Billed for it.
    pub billed: Money,
    /// Accrued after it.
    pub closing: Money,
}

/// The roll-forward of all these leases in one currency, from one month to another.
pub fn schedule(
    leases: &[LeaseCopy],
    currency: Currency,
    from: YearMonth,
    through: YearMonth,
) -> Result<Vec<RevenueRow>, Error> {
    let mut months = Months::new();
    for lease in leases.iter().filter(|lease| lease.terms.currency == currency) {
        for (month, earned) in of_lease(lease, false)? {
            let sum = months.entry(month).or_default();
            let add = |a: i64, b: i64| a.checked_add(b).ok_or_else(|| Error::internal(TooLarge));
            sum.revenue_minor = add(sum.revenue_minor, earned.revenue_minor)?;
            sum.billed_minor = add(sum.billed_minor, earned.billed_minor)?;
        }
    }
    let before = months.range(..from).map(|(_, earned)| earned.revenue_minor - earned.billed_minor);
    let mut accrued: i64 = before.sum();
    let mut rows = Vec::new();
    let mut at = Some(from);
    while let Some(month) = at.filter(|month| *month <= through) {
        let earned = months.get(&month).copied().unwrap_or_default();
        let closing = accrued + earned.revenue_minor - earned.billed_minor;
        let money = |minor| Money::new(minor, currency);
        rows.push(RevenueRow {
            month,
            opening: money(accrued),
            revenue: money(earned.revenue_minor),
            billed: money(earned.billed_minor),
            closing: money(closing),
        });
        accrued = closing;
        at = month.next();
    }
    Ok(rows)
}

/// What is contracted of a lease and not yet earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BacklogRow {
    /// The lease.
    pub lease: LeaseId,
    /// The tenant.
    pub tenant: TenantId,
    /// Where the lease stands.
    pub state: LeaseState,
    /// Rent of the base term; options are not in it.
    pub contract_value: Money,
    /// Not earned before the first month told.
    pub opening: Money,
    /// Earned in the months told.
    pub earned: Money,
    /// Not earned after them.
    pub closing: Money,
}

/// The backlog of a lease from one month to another. A lease that is not in force has none: conditions may be open.
pub fn backlog(lease: &LeaseCopy, from: YearMonth, through: YearMonth) -> Result<BacklogRow, Error> {
    let sum = |months: &Months, until: Option<YearMonth>| -> i64 {
        let counted = months.iter().filter(|(month, _)| until.is_none_or(|until| **month < until));
        counted.map(|(_, earned)| earned.revenue_minor).sum()
    };
    let all = of_lease(lease, false)?;
    let earned = of_lease(lease, true)?;
    let value = sum(&all, None);
    let (before, after) = (sum(&earned, Some(from)), sum(&earned, through.next()));
    let in_force = LeaseState::IN_FORCE.contains(&lease.state);
    let money = |minor| Money::new(if in_force { minor } else { 0 }, lease.terms.currency);
    Ok(BacklogRow {
        lease: lease.lease.clone(),
        tenant: lease.tenant.clone(),
        state: lease.state,
        contract_value: Money::new(value, lease.terms.currency),
        opening: money(value - before),
        earned: money(after - before),
        closing: money(value - after),
    })
}

/// Rent to be received from a day on: in each of the five years after it, and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maturity {
    /// Years one to five, then all after them.
    pub years: [Money; 6],
    /// Their sum.
    pub total: Money,
}

/// What is still to be received of leases in force in one currency, undiscounted, by the year in which a charge's days
/// begin.
pub fn maturity(leases: &[LeaseCopy], currency: Currency, from: CivilDate) -> Result<Maturity, Error> {
    let too_large = || Error::internal(TooLarge);
    let mut years = [Money::zero(currency); 6];
    let bounds: Vec<CivilDate> = (1..=5).filter_map(|n| kernel::time::add_months(from, 12 * n)).collect();
    let in_force = leases.iter().filter(|lease| LeaseState::IN_FORCE.contains(&lease.state));
    for lease in in_force.filter(|lease| lease.terms.currency == currency) {
        let charges = rent(lease)?;
        for charge in charges.iter().filter(|charge| charge.period.start() >= from) {
            let year = bounds.iter().filter(|bound| charge.period.start() >= **bound).count();
            years[year] = years[year].checked_add(charge.amount).ok_or_else(too_large)?;
        }
    }
    let total = Money::checked_sum(currency, years).ok_or_else(too_large)?;
    Ok(Maturity { years, total })
}

#[cfg(test)]
mod tests {
    use kernel::EscalationBasis;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::sample::{self, date, escalator, month, premises};

    /// HUT-BP1: 352 MW, 15 years, 3 %, year one solved from 9.8 billion.
    fn bp1() -> LeaseCopy {
        let block = premises("hall-one", 352_000, "124.7425398983", date(2027, 9, 1), date(2042, 9, 1));
        sample::lease(escalator("3", EscalationBasis::LeaseAnniversary), vec![block])
    }

    #[test]
    fn b18_accrued_rent_rises_to_its_peak_and_ends_at_nothing() {
        let rows = schedule(&[bp1()], sample::usd(), month(2027, 9), month(2042, 8)).expect("fits");
        assert_eq!(rows.len(), 180);
        assert_eq!(rows[0].revenue.minor, 5_444_444_444);
        assert_eq!(rows[0].billed.minor, 4_390_937_404);
        // The case counts with the unrounded 9.8 billion; rounded rates and lines make 20 cents of it.
        for (at, wanted) in
            [(12, 12_642_084_480_i64), (60, 46_921_670_507), (96, 54_118_375_169), (120, 49_287_215_711)]
        {
            let off = (rows[at - 1].closing.minor - wanted).abs();
            assert!(off <= 20, "month {at}: {} is {off} cents off", rows[at - 1].closing);
        }
        let peak = rows.iter().max_by_key(|row| row.closing.minor).expect("rows");
        assert_eq!(peak.month, month(2035, 8), "month 96");
        assert_eq!(rows[179].closing.minor, 0);
    }

    #[test]
    fn b20_backlog_falls_by_what_is_earned_and_an_open_condition_has_none() {
        let row = backlog(&bp1(), month(2027, 9), month(2029, 8)).expect("fits");
        // 9.8 billion less 24 of 180 months, twenty cents for rounded rates.
        assert_eq!(row.opening.minor, 979_999_999_980);
        assert_eq!(row.closing.minor, 979_999_999_980 - 130_666_666_664);
        let open = LeaseCopy { state: LeaseState::Proposed, ..bp1() };
        assert_eq!(backlog(&open, month(2027, 9), month(2029, 8)).expect("fits").closing.minor, 0);
        let mut late = bp1();
        late.blocks[0].state = BlockState::Planned;
        let late = backlog(&late, month(2027, 9), month(2029, 8)).expect("fits");
        assert_eq!(late.closing, late.opening, "nothing is earned before the block commences");
    }

    #[test]
    fn what_is_to_be_received_is_the_rest_of_the_schedule() {
        let told = maturity(&[bp1()], sample::usd(), date(2030, 9, 1)).expect("fits");
        let charges = charge::schedule(&bp1().terms).expect("computable");
        let rest: i64 =
            charges.iter().filter(|c| c.period.start() >= date(2030, 9, 1)).map(|c| c.amount.minor).sum();
        assert_eq!(told.total.minor, rest);
        let year: i64 = charges[36..48].iter().map(|c| c.amount.minor).sum();
        assert_eq!(told.years[0].minor, year);
    }

    proptest! {
        #[test]
        fn the_line_is_straight_and_ends_at_nothing(
            first in 0_u64..700, days in 40_u64..2_000, kw in 1_i64..300_000, percent in 0_u32..9,
        ) {
            let start = date(2024, 1, 1) + chrono::Days::new(first);
            let block = premises("hall-one", kw, "123.4567891234", start, start + chrono::Days::new(days));
            let lease = sample::lease(escalator(&percent.to_string(), EscalationBasis::BlockAnniversary), vec![block]);
            let months = of_lease(&lease, true).expect("fits");
            let (revenue, billed) = months.values().fold((0, 0), |(r, b), m| (r + m.revenue_minor, b + m.billed_minor));
            prop_assert_eq!(revenue, billed);
            let whole: Vec<i64> = months.values().map(|m| m.revenue_minor).skip(1).collect();
            for pair in whole[..whole.len().saturating_sub(1)].windows(2) {
                prop_assert!((pair[0] - pair[1]).abs() <= 1, "{:?}", pair);
            }
        }
    }
}
