use kernel::{AccrualStart, DrawBasis, InterestYear, LateInterest, MoneyTerms, Prepayment};

use super::*;
use crate::domain::invoice::InvoiceKind;
use crate::domain::sample::{self, date, month, premises, usd};

/// 8,000 kW at 125 for two years.
fn lease() -> LeaseCopy {
    let block = premises("hall-one", 8_000, "125", date(2027, 1, 1), date(2029, 1, 1));
    sample::lease(None, vec![block])
}

#[test]
fn a_contract_is_billed_to_its_last_day_though_nothing_has_commenced() {
    let mut planned = lease();
    planned.state = LeaseState::Effective;
    planned.blocks[0].state = BlockState::Planned;
    let done = simulate(&planned, &Supply::default(), &Assumptions::default()).expect("fits");
    assert_eq!(done.bills.len(), 24);
    assert_eq!(total(&planned, &done.bills).expect("fits").minor, 2_400_000_000);
    assert_eq!((done.bills[23].month, done.problems.len()), (month(2028, 12), 0));
}

#[test]
fn what_is_paid_ahead_and_late_is_in_it() {
    let mut lease = lease();
    lease.terms.payment_terms_days = 5;
    lease.terms.money = MoneyTerms {
        prepayment: Some(Prepayment {
            amount: Money::new(1_200_000_000, usd()),
            draw_months: 24,
            first_draw_month: 0,
            basis: DrawBasis::FromLease,
        }),
        late_interest: Some(LateInterest {
            annual: "12".parse().expect("a percentage"),
            grace_days: 10,
            year: InterestYear::Actual365,
            accrues_from: AccrualStart::DueDate,
            once: None,
        }),
        ..MoneyTerms::default()
    };
    let in_time = simulate(&lease, &Supply::default(), &Assumptions::default()).expect("fits");
    let kinds =
        |done: &Simulated| done.bills.iter().filter(|bill| bill.kind == InvoiceKind::Prepayment).count();
    assert_eq!((kinds(&in_time), in_time.bills.len()), (1, 25));
    assert_eq!(total(&lease, &in_time.bills).expect("fits").minor, 2_400_000_000);
    // 17 days late: of 12,000,000.00 once, and of 500,000.00 in each of 24 months.
    let late = Assumptions { days_late: 17, ..Assumptions::default() };
    let late = simulate(&lease, &Supply::default(), &late).expect("fits");
    let interest: i64 = late
        .bills
        .iter()
        .flat_map(|bill| &bill.lines)
        .filter(|line| line.charge_type() == ChargeType::LateInterest)
        .map(|line| line.amount().minor)
        .sum();
    assert_eq!(interest, 6_706_849 + 24 * 279_452);
    assert_eq!(
        late.bills.last().expect("bills").month,
        month(2029, 1),
        "the last interest comes after the term"
    );
    let in_grace = Assumptions { days_late: 10, ..Assumptions::default() };
    let in_grace = simulate(&lease, &Supply::default(), &in_grace).expect("fits");
    assert_eq!(total(&lease, &in_grace.bills).expect("fits").minor, 2_400_000_000);
}
