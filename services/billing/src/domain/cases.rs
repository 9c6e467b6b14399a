//! The published and worked cases, and the rules that must hold for numbers nobody listed.

use std::collections::BTreeSet;

use kernel::{CivilDate, DateRange, EscalationBasis, QuantityStep, YearMonth};
use proptest::prelude::*;

use super::advance::Advanced;
use super::charge::{Charge, ChargeKey, due, schedule, to_bill, to_come};
use super::invoice::Bill;
use super::lease::{BlockState, LeaseCopy, LeaseState, Premises, Rent};
use super::sample::{date, escalator, lease, month, place, premises};
use super::unroll::unroll;

fn sum(charges: &[Charge]) -> i64 {
    charges.iter().map(|c| c.amount.minor).sum()
}

/// What runs of every month from `first` on bill, keeping what was billed.
fn bill_all(lease: &LeaseCopy, charged: &mut BTreeSet<ChargeKey>) -> Vec<Charge> {
    let last = lease.terms.premises.iter().map(|p| p.term.end()).max().expect("premises");
    let mut at = Some(YearMonth::of(lease.terms.start().expect("premises")));
    let mut all = Vec::new();
    while let Some(month) = at.filter(|m| m.first_day() < last) {
        let charges = due(lease, month, charged).expect("computable");
        charged.extend(charges.iter().map(Charge::key));
        all.extend(charges);
        at = month.next();
    }
    all
}

fn year_total(lease: &LeaseCopy, from: CivilDate, until: CivilDate) -> i64 {
    let charges = schedule(&lease.terms).expect("computable");
    sum(&charges
        .into_iter()
        .filter(|c| c.period.start() >= from && c.period.start() < until)
        .collect::<Vec<_>>())
}

#[test]
fn b01_an_area_step_does_not_restart_the_escalation_clock() {
    let start = date(2007, 1, 1);
    let mut block = premises("hall-one", 2_750, "15", start, date(2011, 1, 1));
    block.quantities.push(QuantityStep { from: date(2007, 7, 1), kw: 5_500 });
    let lease = lease(escalator("3", EscalationBasis::LeaseAnniversary), vec![block]);
    let y = |year: i32| date(year, 1, 1);
    assert_eq!(year_total(&lease, y(2007), date(2007, 7, 1)), 24_750_000);
    assert_eq!(year_total(&lease, date(2007, 7, 1), y(2008)), 49_500_000);
    assert_eq!(year_total(&lease, y(2008), y(2009)), 101_970_000);
    assert_eq!(year_total(&lease, y(2009), y(2010)), 105_029_100);
    assert_eq!(year_total(&lease, y(2010), y(2011)), 108_179_976);
    assert_eq!(sum(&schedule(&lease.terms).expect("computable")), 389_429_076);
}

#[test]
fn b02_ten_years_of_core42_to_the_cent() {
    let block = premises("hall-one", 60_000, "125", date(2026, 12, 1), date(2036, 12, 1));
    let lease = lease(escalator("3", EscalationBasis::LeaseAnniversary), vec![block]);
    let charges = schedule(&lease.terms).expect("computable");
    assert_eq!(charges.len(), 120);
    assert_eq!(charges[0].amount.minor, 750_000_000);
    assert_eq!(charges[12].rate.to_string().trim_end_matches('0'), "128.75");
    assert_eq!(charges[48].amount.minor, 844_131_608);
    assert_eq!(charges[119].amount.minor, 978_579_888);
    assert_eq!(sum(&charges), 103_174_913_808);
}

#[test]
fn b05_a_stub_month_and_a_halls_own_escalation() {
    let basis = EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary;
    let a = premises("hall-one", 20_000, "130", date(2026, 10, 24), date(2031, 10, 24));
    let b = premises("hall-two", 20_000, "130", date(2027, 7, 5), date(2032, 7, 5));
    let c = premises("hall-three", 20_000, "130", date(2027, 7, 1), date(2032, 7, 1));
    let lease = lease(escalator("3", basis), vec![a, b, c]);
    let charges = schedule(&lease.terms).expect("computable");
    let of = |block: &str| -> Vec<&Charge> { charges.iter().filter(|x| x.place == place(block)).collect() };
    let a = of("hall-one");
    assert_eq!((a[0].days, a[0].days_in_month, a[0].amount.minor), (8, 31, 67_096_774));
    assert!(a[1..=12].iter().all(|x| x.amount.minor == 260_000_000));
    assert_eq!((a[13].period.start(), a[13].amount.minor), (date(2027, 11, 1), 267_800_000));
    assert_eq!(a[..13].iter().map(|x| x.amount.minor).sum::<i64>(), 3_187_096_774);
    let first_rise = |block: &str| {
        let lines = of(block);
        let base = lines[0].rate;
        lines.into_iter().find(|x| x.rate != base).expect("it rises").period.start()
    };
    assert_eq!(first_rise("hall-two"), date(2028, 8, 1));
    assert_eq!(first_rise("hall-three"), date(2028, 7, 1));
}

#[test]
fn only_commenced_blocks_are_billed_and_a_late_one_gets_a_supplement() {
    let (start, end) = (date(2026, 12, 1), date(2027, 12, 1));
    let mut lease = lease(
        None,
        vec![
            premises("hall-one", 1_000, "100", start, end),
            premises("hall-two", 500, "100", date(2026, 12, 15), end),
        ],
    );
    lease.blocks[1].state = BlockState::Planned;
    let december = month(2026, 12);
    let mut charged = BTreeSet::new();
    let first = due(&lease, december, &charged).expect("computable");
    assert_eq!(sum(&first), 10_000_000);
    charged.extend(first.iter().map(Charge::key));

    assert_eq!(due(&lease, december, &charged).expect("computable"), []);
    lease.blocks[1].state = BlockState::Commenced;
    let second = due(&lease, december, &charged).expect("computable");
    assert_eq!(second.len(), 1);
    assert_eq!((second[0].days, second[0].amount.minor), (17, 2_741_935));
    let bill = Bill::of(&lease, december, second, Vec::new()).expect("fits").pop().expect("something");
    assert_eq!((bill.total.minor, bill.lines[0].lease_version), (2_741_935, 1));
}

#[test]
fn an_ended_block_still_owes_what_was_not_billed() {
    let mut lease = lease(None, vec![premises("hall-one", 1_000, "100", date(2026, 1, 1), date(2026, 7, 1))]);
    lease.blocks[0].state = BlockState::Ended;
    lease.state = LeaseState::Expired;
    assert_eq!(sum(&due(&lease, month(2026, 6), &BTreeSet::new()).expect("computable")), 10_000_000);
    assert_eq!(due(&lease, month(2026, 7), &BTreeSet::new()).expect("computable"), []);
}

#[test]
fn a_preview_is_what_runs_will_bill() {
    let lease = lease(
        escalator("3", EscalationBasis::BlockAnniversary),
        vec![premises("hall-one", 1_000, "100.1234567891", date(2026, 1, 31), date(2029, 1, 31))],
    );
    let preview = to_come(&lease, None, &BTreeSet::new()).expect("computable");
    assert_eq!(preview, bill_all(&lease, &mut BTreeSet::new()));
    let two = to_come(&lease, Some(date(2026, 2, 1)), &BTreeSet::new()).expect("computable");
    assert_eq!(two.iter().map(|c| c.month).collect::<Vec<_>>(), [month(2026, 1), month(2026, 2)]);
    let bills = unroll(&lease, preview, None, (&mut Advanced::default(), (month(2026, 1), Vec::new())))
        .expect("fits");
    assert_eq!(bills.len(), 37);
    assert!(bills.windows(2).all(|w| w[0].month < w[1].month));
}

/// A contract that was brought in bills the months from its day on, and no month twice: what was billed elsewhere is still rent.
#[test]
fn what_was_billed_elsewhere_is_not_billed_again() {
    let mut lease = lease(
        escalator("3", EscalationBasis::BlockAnniversary),
        vec![premises("hall-one", 1_000, "100", date(2025, 1, 15), date(2028, 1, 15))],
    );
    let whole = to_come(&lease, None, &BTreeSet::new()).expect("computable");
    lease.billed_from = Some(date(2026, 12, 1));
    assert_eq!(due(&lease, month(2026, 11), &BTreeSet::new()).expect("computable"), []);
    let here: Vec<_> =
        whole.iter().filter(|charge| charge.period.start() >= date(2026, 12, 1)).cloned().collect();
    assert_eq!(bill_all(&lease, &mut BTreeSet::new()), here);
    assert_eq!(to_bill(&lease, None, &BTreeSet::new()).expect("computable"), here);
    assert_eq!(here[0].rate, "103".parse().expect("a rate"), "the escalator counts from the commencement");
    assert_eq!(
        to_come(&lease, None, &BTreeSet::new()).expect("computable"),
        whole,
        "revenue is of all of it"
    );
    lease.terms.rent.timing = kernel::RentTiming::InArrears;
    assert_eq!(due(&lease, month(2026, 12), &BTreeSet::new()).expect("computable"), [], "November's rent");
    assert_eq!(due(&lease, month(2027, 1), &BTreeSet::new()).expect("computable"), here[..1]);
}

#[test]
fn a_lease_called_off_has_nothing_to_come() {
    let mut lease = lease(None, vec![premises("hall-one", 1_000, "100", date(2026, 1, 1), date(2027, 1, 1))]);
    lease.state = LeaseState::Lapsed;
    assert_eq!(to_come(&lease, None, &BTreeSet::new()).expect("computable"), []);
}

#[test]
fn a_lease_that_cannot_be_billed_says_why() {
    let (start, end) = (date(2026, 1, 1), date(2027, 1, 1));
    let good = lease(None, vec![premises("hall-one", 1_000, "100", start, end)]);
    assert_eq!(good.check(), Ok(()));

    let mut unplaced = good.clone();
    unplaced.terms.premises.clear();
    unplaced.blocks.clear();
    assert_eq!(unplaced.check(), Ok(()), "its blocks are named later");
    let mut twice = good.clone();
    twice.terms.premises.push(premises("hall-one", 1, "1", start, end));
    let mut stateless = good.clone();
    stateless.blocks.clear();
    let mut rateless = good.clone();
    rateless.terms.premises[0].rent = Rent::Stated { steps: Vec::new() };
    let mut huge = good.clone();
    huge.terms.premises[0].quantities[0].kw = i64::MAX;
    let mut unversioned = good;
    unversioned.version = 0;
    for (lease, says) in [
        (twice, "leased twice"),
        (stateless, "has no state"),
        (rateless, "no rate"),
        (huge, "out of range"),
        (unversioned, "not a version"),
    ] {
        let poison = lease.check().expect_err(says).to_string();
        assert!(poison.contains(says), "{poison:?} does not say {says:?}");
    }
}

/// Every first day of four years, one of them a leap year, and terms from a day to fourteen months.
#[test]
fn months_cover_every_term_of_every_calendar_once() {
    let first = date(2027, 1, 1);
    for start in first.iter_days().take(4 * 365 + 1) {
        for days in [1, 2, 27, 28, 29, 30, 31, 32, 59, 364, 365, 366, 431] {
            let end = start + chrono::TimeDelta::days(days);
            let lease = lease(None, vec![premises("hall", 1_000, "31", start, end)]);
            let billed = bill_all(&lease, &mut BTreeSet::new());
            let mut at = start;
            for charge in &billed {
                let whole = charge.month.range().expect("a month");
                assert_eq!(charge.period.start(), at, "{start} for {days} days");
                assert!(whole.start() <= at && charge.period.end() <= whole.end(), "{start}: {charge:?}");
                assert_eq!(i64::from(charge.days), (charge.period.end() - at).num_days());
                at = charge.period.end();
            }
            assert_eq!(at, end, "{start} for {days} days");
        }
    }
}

/// Terms with any commencement day, one or two quantity steps, an optional escalator.
fn any_premises(block: &'static str) -> impl Strategy<Value = Premises> {
    (0_u64..1_500, 30_u64..4_000, 1_i64..300_000, 1_u64..5_000_000_000_000, 0_u64..400, 1_i64..300_000)
        .prop_map(move |(first, days, kw, scaled, later, kw_later)| {
            let start = date(2024, 1, 1) + chrono::Days::new(first);
            let end = start + chrono::Days::new(days);
            let rate = format!("{}.{:010}", scaled / 10_000_000_000, scaled % 10_000_000_000);
            let mut block = premises(block, kw, &rate, start, end);
            if later > 0 && later < days {
                let from = start + chrono::Days::new(later);
                block.quantities.push(QuantityStep { from, kw: kw_later });
            }
            block
        })
}

fn any_lease() -> impl Strategy<Value = LeaseCopy> {
    let bases = prop_oneof![
        Just(EscalationBasis::LeaseAnniversary),
        Just(EscalationBasis::BlockAnniversary),
        Just(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary),
        Just(EscalationBasis::FixedDate(date(2025, 2, 28))),
    ];
    (any_premises("hall-one"), any_premises("hall-two"), prop::option::of(bases))
        .prop_map(|(a, b, basis)| lease(basis.and_then(|basis| escalator("2.75", basis)), vec![a, b]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_months_together_are_the_schedule(lease in any_lease()) {
        let wanted = sum(&schedule(&lease.terms).expect("computable"));
        let mut charged = BTreeSet::new();
        let billed = bill_all(&lease, &mut charged);
        prop_assert_eq!(sum(&billed), wanted);
        prop_assert_eq!(bill_all(&lease, &mut charged), vec![]);
        prop_assert_eq!(to_come(&lease, None, &charged).expect("computable"), vec![]);
    }

    #[test]
    fn a_supplementary_run_bills_only_what_is_missing(lease in any_lease(), missing in any::<u64>()) {
        let all = bill_all(&lease, &mut BTreeSet::new());
        // A block's month is billed as a whole.
        let keep = |c: &Charge| missing.rotate_left(c.month.month() + u32::from(c.place == place("hall-two"))) & 1 == 0;
        let (kept, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(keep);
        let mut charged: BTreeSet<ChargeKey> = kept.iter().map(Charge::key).collect();
        prop_assert_eq!(bill_all(&lease, &mut charged), lost);
    }

    #[test]
    fn periods_cover_the_term_without_gap_or_overlap(lease in any_lease()) {
        for premises in &lease.terms.premises {
            let mut at = premises.term.start();
            for charge in schedule(&lease.terms).expect("computable").iter().filter(|c| c.place == premises.place) {
                prop_assert_eq!(charge.period.start(), at);
                at = charge.period.end();
            }
            prop_assert_eq!(DateRange::new(premises.term.start(), at), Ok(premises.term));
        }
    }

    #[test]
    fn bills_add_up_to_their_lines(lease in any_lease()) {
        let charges = schedule(&lease.terms).expect("computable");
        let bills = unroll(&lease, charges, None, (&mut Advanced::default(), (month(2026, 1), Vec::new()))).expect("fits");
        let totals: i64 = bills.iter().map(|b| b.total.minor).sum();
        prop_assert_eq!(totals, sum(&schedule(&lease.terms).expect("computable")));
        for bill in bills {
            prop_assert_eq!(bill.total.minor, bill.lines.iter().map(|l| l.amount().minor).sum::<i64>());
        }
    }
}
