use kernel::Reason;
use proptest::prelude::*;

use super::*;
use crate::domain::lease::{Ending, Moved as MovedBlock};
use crate::domain::ledger_account::LedgerAccount;
use crate::domain::ledger_transaction::LedgerTransaction;
use crate::domain::posting_money::{post_commission, post_commission_move, post_commission_reversal};
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
        reversed: None,
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

fn voucher() -> VoucherId {
    VoucherId::new(Uuid::from_u128(9))
}

#[test]
fn no_more_comes_back_than_was_paid_and_it_may_be_paid_again() {
    let mut of = commission(500);
    let bank = || ("wire".to_owned(), date(2027, 1, 5));
    assert_eq!(of.give_back(None, bank(), id()).expect_err("nothing").reason(), Reason::AmountExceeded);
    of.pay(None, bank(), id()).expect("all");
    let more = of.give_back(Some(Money::new(501, usd())), bank(), id()).expect_err("too much");
    assert_eq!(more.reason(), Reason::AmountExceeded);
    of.give_back(Some(Money::new(200, usd())), bank(), id()).expect("a part");
    assert_eq!(of.payable().minor, 200);
    assert_eq!(of.pay(None, bank(), id()).expect("again").amount.minor, 200);
}

#[test]
fn what_is_reversed_is_over_but_for_what_the_payee_kept() {
    let mut of = commission(18_000);
    let bank = || ("wire".to_owned(), date(2027, 1, 5));
    run(&mut of, Course::of(&lease()), month(2027, 1), 3);
    of.pay(Some(Money::new(700, usd())), bank(), id()).expect("a part");
    let mut of = of.reverse(voucher(), sample::instant(2027, 4, 1)).expect("once");
    assert_eq!((of.unamortized().minor, of.amortized().minor, of.written_off().minor), (0, 0, 0));
    assert_eq!(of.payable().minor, -700, "the payee owes it");
    let twice = of.reverse(voucher(), sample::instant(2027, 4, 2)).expect_err("twice");
    assert_eq!(twice.reason(), Reason::InvalidStateTransition);
    for amount in [None, Some(Money::new(1, usd()))] {
        let paid = of.pay(amount, bank(), id()).expect_err("reversed");
        assert_eq!(paid.reason(), Reason::InvalidStateTransition);
    }
    let ended = Course { term: Course::of(&lease()).term, stop: Some(date(2027, 5, 1)) };
    assert!(run(&mut of, ended, month(2027, 1), 200).is_empty(), "nothing becomes an expense");
    assert_eq!(of.give_back(None, bank(), id()).expect("all of it").amount.minor, 700);
    assert!(of.payable().is_zero());
}

/// Minor units of an account of the ledger, debits less credits.
fn on(account: LedgerAccount, ledger: &[LedgerTransaction]) -> i64 {
    let entries = ledger.iter().flat_map(|one| &one.entries);
    entries.filter(|entry| entry.ledger_account == account).map(|entry| entry.amount.minor).sum()
}

proptest! {
    #[test]
    fn a_reversal_leaves_nothing_but_what_the_payee_has_to_return(
        minor in 1_i64..100_000_000_000, months in 0_usize..40, ends in proptest::option::of(0_u64..1_500),
        paid in prop::collection::vec((any::<bool>(), 1_i64..100_000_000_000), 0..6),
    ) {
        let at = || (sample::transaction_id(), date(2027, 1, 1));
        let bank = || ("wire".to_owned(), date(2027, 1, 5));
        let mut of = commission(minor);
        let mut ledger: Vec<_> = post_commission(&of, at()).expect("covered").into_iter().collect();
        let stop = ends.map(|day| date(2027, 1, 1) + chrono::Days::new(day));
        let course = Course { stop, ..Course::of(&lease()) };
        let all = std::iter::successors(Some(month(2027, 1)), |month| month.next()).take(months);
        let mut moves: Vec<Move> = all.flat_map(|month| of.expense(course, month, id).expect("fits")).collect();
        for (back, minor) in paid {
            let amount = Some(Money::new(minor, usd()));
            moves.extend(if back { of.give_back(amount, bank(), id()) } else { of.pay(amount, bank(), id()) });
        }
        let kept = of.paid().minor - of.returned().minor;
        for part in &moves {
            ledger.extend(post_commission_move(&of, part, at()).expect("covered"));
        }
        prop_assert_eq!(on(LedgerAccount::CommissionCosts, &ledger), of.unamortized().minor);
        ledger.extend(post_commission_reversal(&of, at()).expect("covered"));
        let mut of = of.reverse(voucher(), sample::instant(2027, 4, 1)).expect("once");
        prop_assert_eq!(on(LedgerAccount::CommissionCosts, &ledger), 0);
        prop_assert_eq!(on(LedgerAccount::CommissionExpense, &ledger), 0);
        prop_assert_eq!(on(LedgerAccount::CommissionsPayable, &ledger), kept);
        prop_assert_eq!(of.payable().minor, -kept);
        if let Ok(part) = of.give_back(None, bank(), id()) {
            ledger.extend(post_commission_move(&of, &part, at()).expect("covered"));
        }
        prop_assert_eq!(on(LedgerAccount::CommissionsPayable, &ledger), 0);
        prop_assert_eq!(on(LedgerAccount::Cash, &ledger), 0);
        prop_assert!(of.payable().is_zero());
    }

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
