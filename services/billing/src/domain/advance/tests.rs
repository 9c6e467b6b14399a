use kernel::{DateRange, Deposit, DrawBasis, MoneyTerms, ReckoningId, Uuid};
use proptest::prelude::*;

use super::*;
use crate::domain::invoice::{Bill, InvoiceKind};
use crate::domain::lease::LeaseState;
use crate::domain::sample::{self, date, month, premises, usd};
use crate::domain::unroll::unroll;

fn id() -> ReckoningId {
    ReckoningId::new(Uuid::from_u128(9))
}

fn paid_ahead(minor: i64, draw_months: u32) -> MoneyTerms {
    let prepayment = Prepayment {
        amount: Money::new(minor, usd()),
        draw_months,
        first_draw_month: 0,
        basis: DrawBasis::FromLease,
    };
    MoneyTerms { prepayment: Some(prepayment), ..MoneyTerms::default() }
}

/// 60,000 kW at 125, for ten years.
fn core42(money: MoneyTerms) -> LeaseCopy {
    let block = premises("hall-one", 60_000, "125", date(2027, 1, 1), date(2037, 1, 1));
    let mut lease = sample::lease(None, vec![block]);
    lease.terms.money = money;
    lease
}

fn bills(lease: &LeaseCopy, advanced: &mut Advanced) -> Vec<Bill> {
    let charges = charge::to_come(lease, None, &std::collections::BTreeSet::new()).expect("computable");
    unroll(lease, charges, None, (advanced, (sample::month(2027, 1), Vec::new()))).expect("fits")
}

#[test]
fn b02_a_year_paid_ahead_is_credited_over_sixty_months() {
    let lease = core42(paid_ahead(9_000_000_000, 60));
    let mut advanced = Advanced::default();
    let bills = bills(&lease, &mut advanced);
    assert_eq!((bills[0].kind, bills[0].total.minor), (InvoiceKind::Regular, 600_000_000));
    assert_eq!((bills[1].kind, bills[1].total.minor), (InvoiceKind::Prepayment, 9_000_000_000));
    let regular: Vec<&Bill> = bills.iter().filter(|bill| bill.kind == InvoiceKind::Regular).collect();
    assert_eq!((regular[59].total.minor, regular[60].total.minor), (600_000_000, 750_000_000));
    assert_eq!((advanced.drawn_minor(), advanced.left_minor()), (9_000_000_000, 0));
    let two_years: i64 = advanced.drawn.range(..date(2029, 1, 1)).map(|(_, drawn)| drawn.0).sum();
    assert_eq!(9_000_000_000 - two_years, 5_400_000_000, "54 million are left after 24 months");
}

#[test]
fn no_more_is_credited_than_the_rent_and_the_next_month_makes_up_for_it() {
    let mut lease = core42(paid_ahead(1_000_000_000, 2));
    // The first month is a stub of one day.
    lease.terms.premises[0].term = DateRange::new(date(2027, 1, 31), date(2037, 1, 1)).expect("a term");
    lease.terms.premises[0].quantities[0].from = date(2027, 1, 31);
    let mut advanced = Advanced::default();
    let bills = bills(&lease, &mut advanced);
    assert_eq!(bills[0].total.minor, 0, "a day's rent is credited whole");
    let drawn: Vec<i64> = advanced.drawn.values().map(|(minor, _)| *minor).collect();
    assert_eq!(drawn, [24_193_548, 750_000_000, 225_806_452]);
}

#[test]
fn what_is_billed_once_is_not_billed_again_and_a_rise_is() {
    let deposit = |minor| Deposit { amount: Money::new(minor, usd()) };
    let terms = |minor| MoneyTerms { deposit: Some(deposit(minor)), ..MoneyTerms::default() };
    let mut lease = core42(terms(500));
    lease.state = LeaseState::Effective;
    let mut advanced = Advanced::default();
    let first = due_beside(&lease, month(2026, 11), &[], &mut advanced, id).expect("fits");
    assert_eq!((first.len(), first[0].0.amount.minor, first[0].0.revision), (1, 500, 0));
    assert!(due_beside(&lease, month(2026, 12), &[], &mut advanced, id).expect("fits").is_empty());
    lease.terms.money = terms(700);
    let more = due_beside(&lease, month(2026, 12), &[], &mut advanced, id).expect("fits");
    assert_eq!((more[0].0.amount.minor, more[0].0.revision), (200, 1));
    lease.terms.money = terms(600);
    assert!(due_beside(&lease, month(2027, 1), &[], &mut advanced, id).expect("fits").is_empty());
    lease.terms.money = terms(900);
    lease.state = LeaseState::Expired;
    assert!(due_beside(&lease, month(2027, 1), &[], &mut advanced, id).expect("fits").is_empty());
}

#[test]
fn a_fee_is_owed_from_the_month_in_which_the_lease_ends() {
    let mut lease = core42(MoneyTerms::default());
    let fee = Some(Money::new(1_234, usd()));
    lease.ending = Some(Ending { end: date(2029, 6, 15), fee, refund: false });
    let mut advanced = Advanced::default();
    assert!(due_beside(&lease, month(2029, 5), &[], &mut advanced, id).expect("fits").is_empty());
    let due = due_beside(&lease, month(2029, 6), &[], &mut advanced, id).expect("fits");
    assert_eq!((due[0].0.charge_type, due[0].0.amount.minor), (ChargeType::TerminationFee, 1_234));
    assert!(due_beside(&lease, month(2029, 7), &[], &mut advanced, id).expect("fits").is_empty());
}

proptest! {
    #[test]
    fn credits_never_exceed_what_was_paid_nor_their_rent_and_runs_may_repeat(
        minor in 1_i64..20_000_000_000, months in 1_u32..130, first in 0_u32..30, day in 1_u32..29,
    ) {
        let mut lease = core42(paid_ahead(minor, months));
        if let Some(paid) = &mut lease.terms.money.prepayment {
            paid.first_draw_month = first;
        }
        lease.terms.premises[0].term = DateRange::new(date(2027, 1, day), date(2037, 1, day)).expect("a term");
        lease.terms.premises[0].quantities[0].from = date(2027, 1, day);
        let mut advanced = Advanced::default();
        let bills = bills(&lease, &mut advanced);
        prop_assert!(bills.iter().all(|bill| bill.total.minor >= 0));
        prop_assert!(advanced.left_minor() >= 0);
        let rent: i64 = charge::schedule(&lease.terms).expect("computable").iter().map(|c| c.amount.minor).sum();
        let last = YearMonth::of(lease.terms.premises[0].term.last_day());
        let due_by = |month| {
            let paid = lease.terms.money.prepayment.expect("paid ahead");
            paid.due_by(&draw_blocks(&lease), month).expect("fits")
        };
        let due = due_by(last);
        prop_assert!(advanced.drawn_minor() <= rent.min(due));
        if due < rent / 2 {
            // The last invoice may be of a day's rent: what it cannot carry is left.
            prop_assert!(advanced.drawn_minor() >= due_by(last.previous().expect("a month")));
        }
        let all: i64 = bills.iter().map(|bill| bill.total.minor).sum();
        prop_assert_eq!(all, rent + minor - advanced.drawn_minor());
    }
}
