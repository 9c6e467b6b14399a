//! The months of a lease one after the other, as billing runs will bill them.

use std::collections::BTreeMap;

use kernel::{CivilDate, Error, ReckoningId, Uuid, YearMonth};

use super::advance::{Advanced, due_beside};
use super::charge::{Charge, billing_month, start_as_it_stands};
use super::invoice::{Bill, TooLarge};
use super::lease::{LeaseCopy, LeaseState, Poison};
use super::reckoned::ReckonedLine;
use super::rent_difference::{Differences, RentInputs, bill, regular_minor};

/// Rent to come as bills, one a month and kind, in order of month, with what is paid ahead, held and credited; what else is
/// due beside rent falls into months that begin on or before `through` (`None`: to the end). What has changed of rent that was
/// billed is billed from a month on, as far as there is room for what is given back.
pub fn unroll(
    lease: &LeaseCopy,
    charges: Vec<Charge>,
    through: Option<CivilDate>,
    (advanced, (next, mut changed)): (&mut Advanced, (YearMonth, Vec<RentInputs>)),
) -> Result<Vec<Bill>, Error> {
    let mut months: BTreeMap<YearMonth, Vec<Charge>> = BTreeMap::new();
    for charge in charges {
        months.entry(billing_month(lease, &charge)).or_default().push(charge);
    }
    // What is owed without rent has its month all the same.
    let first = months.is_empty().then(|| start_as_it_stands(lease)).flatten();
    let fee = lease.ending.as_ref().map(|ending| ending.end);
    for day in first.into_iter().chain(fee).filter(|day| through.is_none_or(|last| *day <= last)) {
        months.entry(YearMonth::of(day)).or_default();
    }
    if !changed.is_empty() && through.is_none_or(|last| next.first_day() <= last) {
        months.entry(next).or_default();
    }
    // What is not in force yet is told as if it were.
    let in_force = LeaseState::IN_FORCE.contains(&lease.state);
    let state = if in_force { lease.state } else { LeaseState::Effective };
    let lease = &LeaseCopy { state, ..lease.clone() };
    let mut bills = Vec::new();
    for (month, rent) in months {
        let nobody = || ReckoningId::new(Uuid::nil());
        let poison = |Poison(why)| Error::internal(why);
        let beside = due_beside(lease, month, &rent, advanced, nobody).map_err(poison)?;
        let mut lines: Vec<ReckonedLine> = beside.into_iter().map(|(line, _)| line).collect();
        if month >= next {
            let room = regular_minor(&rent, &lines).ok_or_else(|| Error::internal(TooLarge))?;
            let Differences { lines: billed, left } = bill(&changed, room, nobody).map_err(poison)?;
            lines.extend(billed.into_iter().map(|(line, _)| line));
            changed = left;
        }
        bills.extend(Bill::of(lease, month, rent, lines)?);
    }
    Ok(bills)
}
