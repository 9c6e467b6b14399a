use kernel::Reason;
use proptest::prelude::*;

use super::*;
use crate::domain::lease::{Ending, Moved as MovedBlock};
use crate::domain::sample::{self, date, month, premises, usd};

fn commission(minor: i64) -> Commission {
    Commission {
        operator: sample::operator(),
        id: CommissionId::new(Uuid::from_u128(1)),
        facts: CommissionFacts {
            lease: "rb-one".parse().expect("a slug"),
            payee: "Broker LLC".to_owned(),
            amount: Money::new(minor, usd()),
            trigger: Trigger::Signing,
            earn_date: date(2026, 12, 15),
            reference: "C-1".to_owned(),
        },
        moved: Moved::default(),
        create_time: sample::instant(2026, 12, 20),
    }
}

/// 200 MW for 15 years from 2027 on, commenced.
fn lease() -> LeaseCopy {
    sample::lease(None, vec![premises("hall-one", 200_000, "100", date(2027, 1, 1), date(2042, 1, 1))])
}

fn id() -> Uuid {
    Uuid::from_u128(7)
}

/// What becomes an expense from one month to another, all at once.
fn run(of: &mut Commission, course: Course, from: YearMonth, count: usize) -> Vec<(MoveKind, i64)> {
    let months = std::iter::successors(Some(from), |month| month.next()).take(count);
    months
        .flat_map(|month| of.expense(course, month, id).expect("fits"))
        .map(|part| (part.kind, part.amount.minor))
        .collect()
}

#[test]
fn thirty_million_on_fifteen_years_are_180_equal_months() {
    let mut of = commission(3_000_000_000);
    let course = Course::of(&lease());
    assert_eq!(course, Course { term: Some(lease().terms.premises[0].term), stop: None });
    let before = run(&mut of, course, month(2026, 12), 1);
    assert!(before.is_empty(), "nothing before the term: {before:?}");
    let parts = run(&mut of, course, month(2027, 1), 200);
    assert_eq!(parts.len(), 180);
    assert!(
        parts
            .iter()
            .all(|(kind, minor)| *kind == MoveKind::Amortized && (16_666_666..=16_666_667).contains(minor))
    );
    assert_eq!(parts.iter().map(|(_, minor)| minor).sum::<i64>(), 3_000_000_000);
    assert!(of.unamortized().is_zero());
}

#[test]
fn a_month_counts_once_and_what_was_recorded_late_is_made_up_for() {
    let course = Course::of(&lease());
    let mut of = commission(18_000);
    assert_eq!(run(&mut of, course, month(2027, 3), 1), [(MoveKind::Amortized, 300)]);
    assert!(run(&mut of, course, month(2027, 3), 1).is_empty(), "closed again");
    assert!(run(&mut of, course, month(2027, 1), 1).is_empty(), "an earlier month counted with it");
    assert_eq!(run(&mut of, course, month(2027, 4), 1), [(MoveKind::Amortized, 100)]);
}

#[test]
fn what_is_left_is_written_off_when_the_lease_ends_early_or_never_begins() {
    let mut early = lease();
    early.ending = Some(Ending { end: date(2028, 1, 16), fee: None, refund: false });
    early.blocks[0].moved = Some(MovedBlock {
        term: DateRange::new(date(2027, 1, 1), date(2028, 1, 16)).expect("a term"),
        rent_from: date(2027, 1, 1),
        rates: Vec::new(),
        quantities: Vec::new(),
    });
    let mut of = commission(18_000);
    let parts = run(&mut of, Course::of(&early), month(2027, 1), 30);
    assert_eq!(parts.len(), 14, "{parts:?}");
    assert_eq!(parts[12..], [(MoveKind::Amortized, 48), (MoveKind::WrittenOff, 18_000 - 1_200 - 48)]);
    let mut off = lease();
    off.state = LeaseState::Cancelled;
    off.blocks[0].state = BlockState::Lapsed;
    assert_eq!(run(&mut commission(500), Course::of(&off), month(2027, 1), 3), [(MoveKind::WrittenOff, 500)]);
    let mut planned = lease();
    planned.blocks[0].state = BlockState::Planned;
    assert!(run(&mut commission(500), Course::of(&planned), month(2027, 1), 9).is_empty());
}

#[test]
fn staying_on_adds_nothing_to_the_term_and_a_late_hall_ends_later() {
    let stands = |from, until| {
        let mut lease = lease();
        lease.blocks[0].moved = Some(MovedBlock {
            term: DateRange::new(from, until).expect("a term"),
            rent_from: from,
            rates: Vec::new(),
            quantities: Vec::new(),
        });
        Course::of(&lease).term.map(|term| (term.start(), term.end()))
    };
    let held = stands(date(2027, 1, 1), date(2042, 9, 1));
    assert_eq!(held, Some((date(2027, 1, 1), date(2042, 1, 1))));
    let late = stands(date(2027, 2, 1), date(2042, 2, 1));
    assert_eq!(late, Some((date(2027, 2, 1), date(2042, 2, 1))));
    let cut = stands(date(2027, 2, 1), date(2042, 1, 1));
    assert_eq!(cut, Some((date(2027, 2, 1), date(2042, 1, 1))));
}

#[test]
fn no_more_is_paid_than_is_owed() {
    let mut of = commission(500);
    let bank = || ("wire".to_owned(), date(2027, 1, 5));
    of.pay(Some(Money::new(200, usd())), bank(), id()).expect("a part");
    let more = of.pay(Some(Money::new(301, usd())), bank(), id()).expect_err("too much");
    assert_eq!(more.reason(), Reason::AmountExceeded);
    assert_eq!(of.pay(None, bank(), id()).expect("the rest").amount.minor, 300);
    assert_eq!(of.pay(None, bank(), id()).expect_err("nothing").reason(), Reason::AmountExceeded);
}

proptest! {
    #[test]
    fn all_months_together_are_the_commission_whatever_happens_to_the_term(
        minor in 1_i64..100_000_000_000, first in 0_u64..700, days in 1_u64..2_000, longer in 0_u64..900,
        ends in proptest::option::of(0_u64..3_000),
    ) {
        let start = date(2024, 1, 1) + chrono::Days::new(first);
        let term = |days| DateRange::new(start, start + chrono::Days::new(days)).ok();
        let stop = ends.map(|day| start + chrono::Days::new(day));
        let mut of = commission(minor);
        let from = month(2024, 1);
        let mut given = run(&mut of, Course { term: term(days), stop: None }, from, 24);
        given.extend(run(&mut of, Course { term: term(days + longer), stop }, month(2026, 1), 150));
        prop_assert!(given.iter().all(|(_, minor)| *minor > 0));
        prop_assert_eq!(given.iter().map(|(_, minor)| minor).sum::<i64>(), minor);
        prop_assert!(of.unamortized().is_zero());
    }
}
