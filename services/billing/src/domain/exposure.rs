//! Exposure: what a lease owes and is still to pay on a day, and how far what stands behind its tenant reaches on it.

use std::collections::BTreeMap;

use kernel::{CivilDate, CreditSupport, Error, LeaseId, Money, TenantId};

use super::charge::days_of;
use super::invoice::TooLarge;
use super::lease::{LeaseCopy, LeaseState};
use super::revenue;

/// What the ledger says of a lease on a day, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// Owed of its invoices.
    pub open_minor: i64,
    /// What of that is a fee for ending early.
    pub fee_minor: i64,
    /// Held as a deposit.
    pub deposit_minor: i64,
}

/// What was paid under the promises of a lease, by their ids, less what was sent back, minor units.
pub type DrawnMinor = BTreeMap<String, i64>;

/// How far one promise reaches on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The promise.
    pub support: CreditSupport,
    /// What was paid under it.
    pub drawn: Money,
    /// The most that is owed under it on the day, less that.
    pub cover: Money,
}

/// What a lease may lose its operator on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The lease; none in a sum.
    pub lease: Option<(LeaseId, TenantId)>,
    /// Owed of its invoices.
    pub open: Money,
    /// What of that is a fee for ending early.
    pub open_fee: Money,
    /// Base rent of days from the day on.
    pub remaining_rent: Money,
    /// Held as a deposit.
    pub deposit: Money,
    /// The most that is owed under all promises.
    pub cover: Money,
    /// What they reach of the fee.
    pub covered_fee: Money,
    /// What is owed beyond the deposit and the cover.
    pub uncovered_open: Money,
    /// What is owed and still to come beyond them.
    pub uncovered: Money,
    /// First day of rent, as the blocks stand.
    pub first_rent: Option<CivilDate>,
    /// Whether a promise covers nothing yet because rent has not begun.
    pub waits: bool,
    /// Each promise.
    pub reaches: Vec<Reach>,
}

/// A lease that is or was in force has something to lose until it is closed.
#[must_use]
pub fn counts(lease: &LeaseCopy) -> bool {
    LeaseState::IN_FORCE.contains(&lease.state) && lease.state != LeaseState::Closed
}

/// The exposure of a lease on a day, by its terms and blocks as they stand.
pub fn of_lease(
    lease: &LeaseCopy,
    (booked, drawn): (Booked, &DrawnMinor),
    as_of: CivilDate,
) -> Result<Exposure, Error> {
    let too_large = || Error::internal(TooLarge);
    let currency = lease.terms.currency;
    let money = |minor| Money::new(minor, currency);
    let first_rent =
        lease.terms.premises.iter().filter_map(|of| days_of(lease, of)).map(|days| days.start()).min();
    let reach = |support: &CreditSupport| {
        let most = support.on(as_of, first_rent).ok_or_else(too_large)?;
        let drawn = money(drawn.get(&support.id).copied().unwrap_or_default());
        Ok(Reach { support: support.clone(), drawn, cover: money((most.minor - drawn.minor).max(0)) })
    };
    let reaches = lease.terms.credit.iter().map(reach).collect::<Result<Vec<_>, Error>>()?;
    let sum = |amounts: &mut dyn Iterator<Item = Money>| {
        Money::checked_sum(currency, amounts).ok_or_else(too_large)
    };
    let cover = sum(&mut reaches.iter().map(|reach| reach.cover))?;
    let rent = revenue::rent(lease)?;
    let to_come = rent.iter().filter(|charge| charge.period.start() >= as_of).map(|charge| charge.amount);
    let remaining_rent = sum(&mut to_come.into_iter())?;
    let behind = cover.minor.checked_add(booked.deposit_minor).ok_or_else(too_large)?;
    let all = booked.open_minor.max(0).checked_add(remaining_rent.minor).ok_or_else(too_large)?;
    Ok(Exposure {
        lease: Some((lease.lease.clone(), lease.tenant.clone())),
        open: money(booked.open_minor),
        open_fee: money(booked.fee_minor),
        remaining_rent,
        deposit: money(booked.deposit_minor),
        cover,
        covered_fee: money(cover.minor.min(booked.fee_minor.max(0))),
        uncovered_open: money((booked.open_minor - behind).max(0)),
        uncovered: money((all - behind).max(0)),
        first_rent,
        waits: reaches.iter().any(|reach| reach.support.waits(as_of, first_rent)),
        reaches,
    })
}

/// The sums by currency: what stands behind one lease reaches nothing of another.
pub fn totals(rows: &[Exposure]) -> Result<Vec<Exposure>, Error> {
    let mut totals: Vec<Exposure> = Vec::new();
    for row in rows {
        match totals.iter_mut().find(|total| total.open.currency == row.open.currency) {
            Some(total) => add(total, row).ok_or_else(|| Error::internal(TooLarge))?,
            None => {
                totals.push(Exposure { lease: None, first_rent: None, reaches: Vec::new(), ..row.clone() });
            }
        }
    }
    totals.sort_by(|a, b| code(a).cmp(code(b)));
    Ok(totals)
}

fn code(of: &Exposure) -> &'static str {
    of.open.currency.code()
}

fn add(total: &mut Exposure, row: &Exposure) -> Option<()> {
    for (sum, part) in [
        (&mut total.open, row.open),
        (&mut total.open_fee, row.open_fee),
        (&mut total.remaining_rent, row.remaining_rent),
        (&mut total.deposit, row.deposit),
        (&mut total.cover, row.cover),
        (&mut total.covered_fee, row.covered_fee),
        (&mut total.uncovered_open, row.uncovered_open),
        (&mut total.uncovered, row.uncovered),
    ] {
        *sum = sum.checked_add(part)?;
    }
    total.waits |= row.waits;
    Some(())
}

#[cfg(test)]
mod tests {
    use kernel::{CoversFrom, SupportKind};

    use super::*;
    use crate::domain::sample::{self, date, premises};

    /// Ten years of 1,000 kW at 100 from 2027 on, with a backstop that falls in ten years from the first rent.
    fn lease(covers_from: CoversFrom) -> LeaseCopy {
        let block = premises("hall-one", 1_000, "100", date(2027, 1, 1), date(2037, 1, 1));
        let mut lease = sample::lease(None, vec![block]);
        lease.terms.credit = vec![CreditSupport {
            id: "backstop".to_owned(),
            kind: SupportKind::Guaranty,
            provider: "Google".to_owned(),
            cap: Money::new(600_000_000, sample::usd()),
            covers_from,
            amortisation_months: 120,
            expiry: None,
        }];
        lease
    }

    #[test]
    fn before_the_first_rent_nobody_covers_and_after_it_the_cap_falls() {
        let owed = Booked { open_minor: 10_000_000, fee_minor: 0, deposit_minor: 1_000_000 };
        let before = of_lease(&lease(CoversFrom::FirstRent), (owed, &DrawnMinor::new()), date(2026, 12, 31))
            .expect("fits");
        assert!(before.waits && before.cover.is_zero());
        assert_eq!((before.uncovered_open.minor, before.uncovered.minor), (9_000_000, 1_209_000_000));
        assert!(
            !of_lease(&lease(CoversFrom::InForce), (owed, &DrawnMinor::new()), date(2026, 12, 31))
                .expect("fits")
                .waits
        );
        // A year later 108 of 120 parts are left, and as many months of rent.
        let later = of_lease(&lease(CoversFrom::FirstRent), (owed, &DrawnMinor::new()), date(2028, 1, 1))
            .expect("fits");
        assert_eq!((later.cover.minor, later.remaining_rent.minor), (540_000_000, 1_080_000_000));
        assert_eq!((later.uncovered_open.minor, later.uncovered.minor), (0, 549_000_000));
        assert!(!later.waits);
    }

    #[test]
    fn what_was_paid_under_a_promise_is_left_of_it_no_more() {
        let owed = Booked { open_minor: 10_000_000, fee_minor: 0, deposit_minor: 0 };
        let of = |minor: i64| {
            let drawn = DrawnMinor::from([("backstop".to_owned(), minor), ("another".to_owned(), 7)]);
            of_lease(&lease(CoversFrom::FirstRent), (owed, &drawn), date(2028, 1, 1)).expect("fits")
        };
        let some = of(500_000_000);
        assert_eq!((some.cover.minor, some.reaches[0].drawn.minor), (40_000_000, 500_000_000));
        assert_eq!(of(550_000_000).cover.minor, 0, "never below nothing");
        assert_eq!(of(550_000_000).uncovered_open.minor, 10_000_000);
    }

    #[test]
    fn a_fee_is_covered_as_far_as_the_cap_reaches_on_the_day() {
        let fee = Booked { open_minor: 500_000_000, fee_minor: 450_000_000, deposit_minor: 0 };
        let early = of_lease(&lease(CoversFrom::FirstRent), (fee, &DrawnMinor::new()), date(2028, 1, 1))
            .expect("fits");
        assert_eq!((early.covered_fee.minor, early.uncovered_open.minor), (450_000_000, 0));
        let late = of_lease(&lease(CoversFrom::FirstRent), (fee, &DrawnMinor::new()), date(2035, 1, 1))
            .expect("fits");
        assert_eq!((late.covered_fee.minor, late.uncovered_open.minor), (120_000_000, 380_000_000));
        let sum = totals(&[early, late]).expect("fits");
        assert_eq!((sum.len(), sum[0].covered_fee.minor, sum[0].open.minor), (1, 570_000_000, 1_000_000_000));
    }
}
