use kernel::{AccrualStart, InterestYear};
use proptest::prelude::*;

use super::*;
use crate::domain::sample::{date, usd};

fn twelve_percent(grace_days: u32) -> LateInterest {
    LateInterest {
        annual: "12".parse().expect("a percentage"),
        grace_days,
        year: InterestYear::Actual365,
        accrues_from: AccrualStart::DueDate,
        once: None,
    }
}

/// A million, due on 30 June 2027.
fn million(terms: LateInterest, through: CivilDate, paid: &[(CivilDate, i64)]) -> InterestInputs {
    let paid = paid.iter().map(|(on, minor)| Paid { on: *on, minor: *minor }).collect();
    let due = date(2027, 6, 30);
    let invoice = Overdue {
        number: "INV-000001".to_owned(),
        due,
        principal_minor: 100_000_000,
        paid,
        disputed: Vec::new(),
    };
    InterestInputs { terms, currency: usd(), invoice, through }
}

fn minor(inputs: &InterestInputs) -> i64 {
    inputs.wholes().expect("fits").iter().map(|whole| whole.amount.minor).sum()
}

#[test]
fn b15_seventeen_days_late() {
    let (late, august) = (date(2027, 7, 17), date(2027, 7, 31));
    assert_eq!(minor(&million(twelve_percent(10), august, &[(late, 100_000_000)])), 558_904);
    let in_grace = [(date(2027, 7, 10), 100_000_000)];
    assert_eq!(minor(&million(twelve_percent(10), august, &in_grace)), 0);
    // Exceeded by a day, the days of the grace count, unless the terms begin with its end.
    let a_day_more = [(date(2027, 7, 11), 100_000_000)];
    assert_eq!(minor(&million(twelve_percent(10), august, &a_day_more)), 361_644);
    let shifted = LateInterest { accrues_from: AccrualStart::GraceEnd, ..twelve_percent(10) };
    assert_eq!(minor(&million(shifted, august, &a_day_more)), 32_877);
    let by_360 = LateInterest { year: InterestYear::Actual360, ..twelve_percent(10) };
    assert_eq!(minor(&million(by_360, august, &[(late, 100_000_000)])), 566_667);
}

#[test]
fn while_it_is_open_it_counts_up_to_the_day_and_not_within_the_grace() {
    assert_eq!(minor(&million(twelve_percent(10), date(2027, 7, 10), &[])), 0);
    assert_eq!(minor(&million(twelve_percent(10), date(2027, 7, 17), &[])), 558_904);
}

#[test]
fn parts_bear_interest_as_long_as_they_are_open() {
    let paid = [(date(2027, 7, 5), 40_000_000), (date(2027, 7, 20), 30_000_000)];
    let inputs = million(twelve_percent(10), date(2027, 7, 30), &paid);
    // 40 in time; 60 for 20 days, 30 for 10 more.
    let stretches: Vec<_> = inputs.stretches().iter().map(|s| (s.days.days(), s.minor)).collect();
    assert_eq!(stretches, [(5, 60_000_000), (15, 60_000_000), (10, 30_000_000)]);
    assert_eq!(minor(&inputs), 493_151);
}

#[test]
fn what_is_disputed_bears_nothing_until_it_is_settled() {
    let mut inputs = million(twelve_percent(10), date(2027, 7, 30), &[]);
    let part = Disputed { from: date(2027, 7, 10), until: Some(date(2027, 7, 20)), minor: 100_000_000 };
    inputs.invoice.disputed = vec![part];
    assert_eq!(inputs.stretches().iter().map(|s| s.days.days()).sum::<i64>(), 20);
    inputs.invoice.disputed = vec![Disputed { until: None, ..part }];
    assert_eq!(inputs.stretches().iter().map(|s| s.days.days()).sum::<i64>(), 10);
}

#[test]
fn what_is_charged_once_is_of_what_is_open_when_the_grace_ends() {
    let once = LateInterest { once: Some("5".parse().expect("a percentage")), ..twelve_percent(10) };
    let paid = [(date(2027, 7, 10), 40_000_000), (date(2027, 7, 20), 60_000_000)];
    let wholes = million(once, date(2027, 7, 31), &paid).wholes().expect("fits");
    let told: Vec<_> = wholes.iter().map(|w| (w.item.as_str(), w.amount.minor)).collect();
    assert_eq!(told, [("INV-000001", 394_521), ("INV-000001.once", 3_000_000)]);
}

proptest! {
    /// However often it is counted, the differences are the whole, and each day counts once.
    #[test]
    fn counting_month_by_month_comes_to_the_same(
        paid in prop::collection::vec((0_i64..200, 1_i64..50_000_000), 0..5), through in 1_i64..300,
    ) {
        let due = date(2027, 6, 30);
        let day = |n: i64| due + chrono::TimeDelta::days(n);
        let paid: Vec<_> = paid.into_iter().map(|(n, minor)| (day(n), minor)).collect();
        let at = |n: i64| minor(&million(twelve_percent(7), day(n), &paid));
        let mut before = 0;
        for n in 0..=through {
            let now = at(n);
            prop_assert!(now >= before, "interest grows");
            before = now;
        }
        let by_days: i64 = if through <= 7 { 0 } else {
            (0..through).map(|n| {
                let gone: i64 = paid.iter().filter(|(on, _)| *on <= day(n.max(7))).map(|(_, m)| m).sum();
                (100_000_000 - gone).max(0)
            }).sum()
        };
        let wanted = twelve_percent(7).on(&Exact::from(by_days)).rounded().expect("fits");
        prop_assert_eq!(at(through), wanted);
    }
}
