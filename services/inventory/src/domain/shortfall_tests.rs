use proptest::prelude::*;

use super::*;

fn at(hour: i64) -> Instant {
    kernel::time::min_instant() + chrono::TimeDelta::hours(hour)
}

fn over(from: i64, until: i64) -> Interval {
    Interval::new(at(from), at(until)).expect("forward")
}

fn kw(it: i64, liquid: i64) -> CapacityVector {
    CapacityVector { critical_it: it, liquid, ..CapacityVector::ZERO }
}

fn id(n: u128) -> ReservationId {
    ReservationId::new(kernel::Uuid::from_u128(n))
}

fn claim(n: u128, is_committed: bool, interval: Interval, kw: CapacityVector) -> Taken {
    Taken { reservation: id(n), is_committed, interval, kw }
}

fn capacity(parts: &[(Interval, CapacityVector)]) -> StepFunction<CapacityVector> {
    StepFunction::from_intervals(parts.iter().copied()).expect("small")
}

#[test]
fn who_came_last_is_short_first_and_holds_before_commitments() {
    let taken = [
        claim(1, false, over(0, 100), kw(30, 0)),
        claim(2, true, over(0, 100), kw(40, 40)),
        claim(3, true, over(0, 50), kw(30, 30)),
    ];
    // 100 until hour 20, then 45.
    let short = short(&capacity(&[(over(0, 20), kw(100, 100)), (over(20, 100), kw(45, 100))]), &taken);
    assert_eq!(short.len(), 2);
    assert_eq!(
        stretches(&short[&id(1)]),
        [(over(20, 50), kw(30, 0)), (over(50, 100), kw(25, 0))],
        "the hold loses all of it while three are there, then what two do not leave"
    );
    assert_eq!(stretches(&short[&id(3)]), [(over(20, 50), kw(25, 0))], "the later commitment loses the rest");
}

#[test]
fn enough_hurts_nobody() {
    let taken = [claim(1, true, over(10, 20), kw(5, 5)), claim(2, true, over(20, 30), kw(5, 5))];
    assert!(short(&capacity(&[(over(0, 30), kw(5, 5))]), &taken).is_empty());
    assert!(short(&StepFunction::zero(), &[]).is_empty());
}

#[test]
fn more_is_worse_and_less_is_eased() {
    let of = |n, interval, kw| (id(n), StepFunction::constant_over(interval, kw));
    let before: Short =
        [of(1, over(0, 10), kw(5, 0)), of(2, over(0, 10), kw(5, 0)), of(3, over(0, 10), kw(5, 0))].into();
    let after: Short =
        [of(1, over(0, 10), kw(5, 0)), of(2, over(0, 12), kw(4, 0)), of(4, over(0, 1), kw(0, 1))].into();
    let changes = changes(&before, &after);
    assert_eq!(changes.worse, [id(2), id(4)], "less at first, but for longer");
    assert_eq!(changes.eased, [id(3)]);
    assert_eq!(super::changes(&after, &after), Changes::default());
}

#[test]
fn the_refusal_names_everybody_and_the_first_shortage() {
    let block: BlockName = "operators/acme/sites/rockdale/blocks/hall-a".parse().expect("a name");
    let hurt = |n, from, short| Shortfall {
        reservation: ReservationName::new(block.operator.clone(), id(n)),
        tenant: None,
        block: block.clone(),
        steps: vec![(over(from, from + 5), short)],
        cause: Cause { kind: CauseKind::Delayed, resource: "x".to_owned(), reason: String::new() },
    };
    let error = committed(&block, &[hurt(1, 10, kw(7, 0)), hurt(2, 5, kw(0, 3))]);
    assert_eq!(error.reason(), Reason::CapacityCommitted);
    assert_eq!(error.get("reservationCount"), Some("2"));
    assert_eq!((error.get("resource"), error.get("shortKw")), (Some("LIQUID_COOLING"), Some("3")));
    assert_eq!(error.violations().len(), 2);
    assert!(error.violations()[0].description.contains("7 CRITICAL_IT"), "{error:?}");
}

fn intervals() -> impl Strategy<Value = Interval> {
    (0..40_i64, 1..20_i64).prop_map(|(from, length)| over(from, from + length))
}

prop_compose! {
    fn claims()(all in prop::collection::vec((any::<bool>(), intervals(), 0..20_i64, 0..20_i64), 0..12))
        -> Vec<Taken> {
        // One reservation takes a lane once at a time: each claim is a reservation of its own.
        (0_u128..).zip(all).map(|(n, (firm, interval, it, liquid))| claim(n, firm, interval, kw(it, liquid))).collect()
    }
}

proptest! {
    /// What all are short of together is what is missing, nobody is short of more than he takes, and nobody is short
    /// while somebody after him is not.
    #[test]
    fn what_is_missing_is_shared_out_exactly(
        taken in claims(),
        given in prop::collection::vec((intervals(), 0..30_i64, 0..30_i64), 0..5),
    ) {
        let parts: Vec<_> = given.into_iter().map(|(interval, it, liquid)| (interval, kw(it, liquid))).collect();
        let capacity = capacity(&parts);
        let short = short(&capacity, &taken);
        for hour in 0..60 {
            let here = |claim: &&Taken| claim.interval.contains(at(hour));
            for lane in Resource::ALL {
                let used: i64 = taken.iter().filter(here).map(|claim| claim.kw.get(lane)).sum();
                let missing = (used - capacity.value_at(at(hour)).get(lane)).max(0);
                let of = |claim: &Taken| {
                    short.get(&claim.reservation).map_or(0, |short| short.value_at(at(hour)).get(lane))
                };
                prop_assert_eq!(taken.iter().map(&of).sum::<i64>(), missing);
                let mut order: Vec<&Taken> = taken.iter().filter(here).collect();
                order.sort_by_key(|claim| (!claim.is_committed, claim.reservation));
                let mut left = capacity.value_at(at(hour)).get(lane);
                for claim in order {
                    let wants = claim.kw.get(lane);
                    prop_assert_eq!(of(claim), wants - wants.min(left));
                    left -= wants.min(left);
                }
            }
        }
    }
}
