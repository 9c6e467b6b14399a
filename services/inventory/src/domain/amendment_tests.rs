use chrono::TimeDelta;
use kernel::{Resource, Uuid};
use proptest::prelude::*;

use super::*;
use crate::domain::book::{Standing, StoredClaim};

const HOURS: i64 = 40;

fn at(hour: i64) -> Instant {
    kernel::time::min_instant() + TimeDelta::hours(hour)
}

fn kw(it: i64) -> CapacityVector {
    CapacityVector { critical_it: it, air: it, ..CapacityVector::ZERO }
}

fn block(n: usize) -> BlockName {
    format!("operators/north/sites/rockdale/blocks/hall-{n}").parse().expect("a block")
}

fn claim(n: usize, steps: &[(i64, CapacityVector)], end: i64) -> Claim {
    let steps = steps.iter().map(|step| (at(step.0), step.1)).collect();
    Claim { block: block(n), profile: Profile::new(steps, at(end)).expect("a profile") }
}

fn id(n: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(n))
}

fn total(claims: &[Claim]) -> StepFunction<CapacityVector> {
    totals(claims).into_values().next().unwrap_or_default()
}

fn hall(capacity: CapacityVector, claims: &[(u128, &Claim, Standing)]) -> BlockBook {
    let stored: Vec<StoredClaim> = claims
        .iter()
        .flat_map(|(n, claim, standing)| {
            claim.profile.pieces().map(|(interval, kw)| StoredClaim {
                reservation: id(*n),
                interval,
                kw,
                standing: *standing,
            })
        })
        .collect();
    BlockBook::new(7, StepFunction::constant_from(at(0), capacity), &stored)
}

fn change(before: &Claim, after: &Claim) -> BlockChange {
    BlockChange {
        reservations: vec![id(1)],
        before: total(std::slice::from_ref(before)),
        after: total(std::slice::from_ref(after)),
    }
}

#[test]
fn what_it_had_is_free_for_it() {
    let (mine, others) = (claim(0, &[(0, kw(60))], 10), claim(0, &[(0, kw(30))], 20));
    let hall = hall(kw(100), &[(1, &mine, Standing::Committed), (2, &others, Standing::Committed)]);
    let larger = claim(0, &[(0, kw(70))], 10);
    assert_eq!(change(&mine, &larger).judge(hall.clone(), at(0)), Verdict::Fits(kw(100)));
    let too_large = claim(0, &[(0, kw(70)), (5, kw(71))], 10);
    match change(&mine, &too_large).judge(hall, at(0)) {
        Verdict::Short { shortfall, lapsed } => {
            assert_eq!((shortfall.resource, shortfall.from), (Resource::CriticalIt, at(5)));
            assert_eq!((shortfall.short_kw, shortfall.available_kw), (1, 70));
            assert_eq!(lapsed, []);
        }
        Verdict::Fits(peak) => panic!("it fits with {peak:?}"),
    }
}

#[test]
fn a_block_that_lost_its_capacity_lets_go_and_takes_no_more() {
    let (mine, others) = (claim(0, &[(0, kw(60))], 10), claim(0, &[(0, kw(30))], 20));
    let hall = hall(kw(50), &[(1, &mine, Standing::Committed), (2, &others, Standing::Committed)]);
    let smaller = claim(0, &[(0, kw(59))], 8);
    assert_eq!(change(&mine, &smaller).judge(hall.clone(), at(0)), Verdict::Fits(CapacityVector::ZERO));
    // An hour longer would be new, and there is no room for it then.
    let longer = claim(0, &[(0, kw(40))], 11);
    assert!(matches!(change(&mine, &longer).judge(hall, at(0)), Verdict::Short { .. }));
}

#[test]
fn holds_that_ran_out_in_the_way_are_named() {
    let (mine, gone) = (claim(0, &[(0, kw(60))], 10), claim(0, &[(10, kw(90))], 20));
    let hall = hall(kw(100), &[(1, &mine, Standing::Committed), (2, &gone, Standing::Held(at(5)))]);
    let longer = claim(0, &[(0, kw(60))], 12);
    let lapsed = |now| match change(&mine, &longer).judge(hall.clone(), now) {
        Verdict::Short { lapsed, .. } => lapsed,
        Verdict::Fits(peak) => panic!("it fits with {peak:?}"),
    };
    assert_eq!((lapsed(at(4)), lapsed(at(5))), (vec![], vec![id(2)]));
}

#[test]
fn parts_that_differ_are_refused_with_the_first_instant() {
    let whole = [claim(0, &[(0, kw(10))], 20)];
    let error = adds_up(&whole, &[vec![claim(0, &[(0, kw(10))], 15)]]).expect_err("an hour is missing");
    assert!(error.violations()[0].description.ends_with("hall-0 at 2000-01-01T15:00:00Z"), "{error}");
    let elsewhere = adds_up(&whole, &[vec![claim(0, &[(0, kw(10))], 20)], vec![claim(1, &[(3, kw(1))], 4)]]);
    assert!(elsewhere.expect_err("more than the whole").violations()[0].description.contains("hall-1"));
}

#[test]
fn what_is_merged_has_no_gap() {
    let (first, second) = (claim(0, &[(0, kw(10))], 10), claim(0, &[(10, kw(10))], 20));
    assert_eq!(merged(&[first.clone(), second]).expect("they follow"), [claim(0, &[(0, kw(10))], 20)]);
    assert!(merged(&[first, claim(0, &[(11, kw(10))], 20)]).is_err());
}

fn any_claim(blocks: usize) -> impl Strategy<Value = Claim> {
    let steps = prop::collection::vec((1..6_i64, 1..20_i64), 1..5);
    (0..blocks, 0..8_i64, steps).prop_map(|(n, start, steps)| {
        let mut hour = start;
        let mut list = Vec::new();
        for (length, it) in steps {
            list.push((hour, kw(it)));
            hour += length;
        }
        claim(n, &list, hour)
    })
}

/// What is taken of a block in an hour, the obvious way.
fn taken(claims: &[Claim], n: usize, hour: i64) -> CapacityVector {
    let of_block = claims.iter().filter(|claim| claim.block == block(n));
    let pieces = of_block.flat_map(|claim| claim.profile.pieces());
    pieces
        .filter(|(interval, _)| interval.contains(at(hour)))
        .fold(CapacityVector::ZERO, |sum, (_, kw)| sum.checked_add(kw).expect("small"))
}

proptest! {
    /// Parts of claims by hour and kilowatt add up; a kilowatt more or less anywhere does not.
    #[test]
    fn parts_add_up_or_are_refused(
        whole in prop::collection::vec(any_claim(1), 1..2), cut in 1..30_i64, share in 1..20_i64,
        fault in prop::option::of((any::<prop::sample::Index>(), any::<bool>())),
    ) {
        let claim = &whole[0];
        let (mut first, mut second) = (Vec::new(), Vec::new());
        // Early hours go to the first part; of later ones it takes a share.
        let mut edges: Vec<i64> = (0..HOURS).collect();
        edges.retain(|hour| !taken(&whole, 0, *hour).is_zero());
        for hour in &edges {
            let all = taken(&whole, 0, *hour).critical_it;
            let mine = if *hour < cut { all } else { all.min(share) };
            first.push((*hour, mine));
            second.push((*hour, all - mine));
        }
        let part = |steps: &[(i64, i64)]| -> Vec<Claim> {
            let taking = steps.iter().filter(|step| step.1 > 0);
            taking.map(|(hour, it)| super::tests::claim(0, &[(*hour, kw(*it))], hour + 1)).collect()
        };
        if let Some((index, more)) = fault {
            let step = &mut first[index.index(edges.len())];
            step.1 += if more { 1 } else { -1 };
        }
        let parts = [part(&first), part(&second)];
        prop_assert_eq!(adds_up(std::slice::from_ref(claim), &parts).is_ok(), fault.is_none());
    }

    /// Merged claims take in every hour what they took apart, and merging is refused only for a gap.
    #[test]
    fn merged_claims_take_the_sum(claims in prop::collection::vec(any_claim(3), 1..6)) {
        let gap = |n: usize| {
            let hours: Vec<i64> = (0..HOURS).filter(|hour| !taken(&claims, n, *hour).is_zero()).collect();
            hours.windows(2).any(|pair| pair[1] != pair[0] + 1)
        };
        match merged(&claims) {
            Err(_) => prop_assert!((0..3).any(gap)),
            Ok(one) => {
                prop_assert!(!(0..3).any(gap));
                for n in 0..3 {
                    for hour in 0..HOURS {
                        prop_assert_eq!(taken(&one, n, hour), taken(&claims, n, hour), "hall {} hour {}", n, hour);
                    }
                }
            }
        }
    }

    /// An amendment is taken exactly if in no hour and lane more is promised than there is and than before.
    #[test]
    fn amendments_are_judged_hour_by_hour(
        before in any_claim(1), after in any_claim(1), others in prop::collection::vec(any_claim(1), 0..4),
        capacity in 1..60_i64,
    ) {
        let mut stored: Vec<(u128, &Claim, Standing)> = vec![(1, &before, Standing::Committed)];
        stored.extend((2..).zip(&others).map(|(n, claim)| (n, claim, Standing::Committed)));
        let verdict = change(&before, &after).judge(hall(kw(capacity), &stored), at(0));
        let (one, other) = (std::slice::from_ref(&before), std::slice::from_ref(&after));
        let fits = (0..HOURS).all(|hour| {
            let (old, new) = (taken(one, 0, hour).critical_it, taken(other, 0, hour).critical_it);
            new <= old || taken(&others, 0, hour).critical_it + new <= capacity
        });
        prop_assert_eq!(matches!(verdict, Verdict::Fits(_)), fits, "{:?}", verdict);
        if let Verdict::Fits(peak) = verdict {
            prop_assert!(peak.fits_in(&kw(capacity)), "the second wall would stop it: {:?}", peak);
        }
    }
}
