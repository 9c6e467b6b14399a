//! Shares: what of a facility's energy a tenant pays for, and how a bill is divided among tenants without losing a cent.

use kernel::{Exact, Money, Rate};

/// A facility's energy as it is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassThrough {
    /// What tenants pay for, kWh.
    pub billable_kwh: Exact,
    /// What the landlord bears, the cap being exceeded, kWh.
    pub absorbed_kwh: Exact,
}

/// Passes a facility's energy on: all of it, or the IT energy times the cap if that is less. There is no markup: below the
/// cap the tenant pays what was used, never the cap.
#[must_use]
pub fn pass_through(facility_wh: i64, it_wh: i64, pue_cap: Option<Rate>) -> PassThrough {
    let kwh = |energy_wh| Exact::ratio(energy_wh, 1_000).unwrap_or_else(Exact::zero);
    let facility = kwh(facility_wh);
    let billable = match pue_cap {
        Some(cap) => facility.clone().min(&kwh(it_wh) * &cap.into()),
        None => facility.clone(),
    };
    PassThrough { absorbed_kwh: &facility - &billable, billable_kwh: billable }
}

/// Divides an amount by weights: energy by interval, load at a peak, or contracted kW. The shares add up to the amount: each is
/// what the running total, rounded, grows by. `None` if a weight is negative or there is none.
#[must_use]
pub fn divide(amount: Money, weights: &[Exact]) -> Option<Vec<Money>> {
    let sum = Exact::sum(weights);
    if weights.iter().any(|weight| *weight < Exact::zero()) {
        return None;
    }
    let (mut running, mut given) = (Exact::zero(), 0_i64);
    weights
        .iter()
        .map(|weight| {
            running = &running + weight;
            let until = (&Exact::from(amount.minor) * &running.over(&sum)?).rounded()?;
            let share = Money::new(until - given, amount.currency);
            given = until;
            Some(share)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use proptest::prelude::*;

    use super::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn b08_the_landlord_bears_what_exceeds_the_cap() {
        let cap: Rate = "1.30".parse().expect("a ratio");
        let price: Exact = "0.052".parse::<Rate>().expect("a rate").into();
        let cost = |kwh: &Exact| (kwh * &price).to_money(Currency::USD);
        let passed = pass_through(33_048_000_000, 24_480_000_000, Some(cap));
        assert_eq!(passed.billable_kwh, Exact::from(31_824_000));
        assert_eq!(passed.absorbed_kwh, Exact::from(1_224_000));
        assert_eq!(cost(&passed.billable_kwh), Some(usd(165_484_800)));
        assert_eq!(cost(&passed.absorbed_kwh), Some(usd(6_364_800)));
        // At a PUE of 1.22 the tenant pays what was used, never the cap.
        let good = pass_through(29_865_600_000, 24_480_000_000, Some(cap));
        assert_eq!((good.billable_kwh, good.absorbed_kwh), (Exact::from(29_865_600), Exact::zero()));
        assert_eq!(pass_through(5_000, 1_000, None).billable_kwh, Exact::from(5));
    }

    #[test]
    fn a_bill_is_divided_to_the_cent() {
        let third = [Exact::from(1), Exact::from(1), Exact::from(1)];
        assert_eq!(divide(usd(100), &third), Some(vec![usd(33), usd(34), usd(33)]));
        assert_eq!(divide(usd(100), &[]), Some(Vec::new()));
        assert_eq!(divide(usd(100), &[Exact::zero()]), None);
        assert_eq!(divide(usd(100), &[Exact::from(2), Exact::from(-1)]), None);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_none_is_off_by_more_than_a_cent(
            minor in -1_000_000_000_i64..1_000_000_000,
            weights in prop::collection::vec(0_i64..1_000_000, 1..20),
        ) {
            let sum: i64 = weights.iter().sum();
            prop_assume!(sum > 0);
            let exact: Vec<Exact> = weights.iter().copied().map(Exact::from).collect();
            let shares = divide(usd(minor), &exact).expect("positive");
            prop_assert_eq!(shares.iter().map(|share| share.minor).sum::<i64>(), minor);
            for (share, weight) in shares.iter().zip(&weights) {
                let fair = Exact::ratio(minor, sum).expect("positive");
                let off = &(&fair * &Exact::from(*weight)) - &Exact::from(share.minor);
                prop_assert!(off <= Exact::from(1) && off >= Exact::from(-1));
            }
        }
    }
}
