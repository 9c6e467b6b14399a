//! What must hold of any rent, not only of the leases we know.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kernel::rent::{rate_steps, rent_lines, solve_rate_on_calendar, solve_year_one_rate, step_rate, total};
use kernel::time::add_months;
use kernel::{
    CivilDate, Currency, DateRange, EscalationBasis, Escalator, Money, Percent, QuantityStep, Rate, RateStep,
    RentLine, YearMonth,
};
use num_bigint::BigInt;
use proptest::prelude::*;

const USD: Currency = Currency::USD;

fn ymd(year: i32, month: u32, day: u32) -> CivilDate {
    let last = YearMonth::new(year, month).unwrap().days();
    CivilDate::from_ymd_opt(year, month, day.min(last)).unwrap()
}

fn any_date() -> impl Strategy<Value = CivilDate> {
    (2024..2034_i32, 1..=12_u32, 1..=31_u32).prop_map(|(year, month, day)| ymd(year, month, day))
}

fn any_basis() -> impl Strategy<Value = EscalationBasis> {
    prop_oneof![
        Just(EscalationBasis::LeaseAnniversary),
        Just(EscalationBasis::BlockAnniversary),
        Just(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary),
        any_date().prop_map(EscalationBasis::FixedDate),
    ]
}

fn any_escalator() -> impl Strategy<Value = Escalator> {
    (any_basis(), -2_000_000..8_000_000_i64)
        .prop_map(|(basis, scaled)| Escalator { percent: Percent::from_scaled(scaled).unwrap(), basis })
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (0..5_000_000_000_000_i128).prop_map(|scaled| Rate::from_scaled(scaled).unwrap())
}

/// A block: its term, its ramp, its rates.
#[derive(Debug, Clone)]
struct Block {
    term: DateRange,
    quantity: Vec<QuantityStep>,
    rates: Vec<RateStep>,
}

impl Block {
    fn lines(&self, range: DateRange) -> Vec<RentLine> {
        rent_lines(&self.quantity, &self.rates, range, USD).unwrap()
    }
}

fn any_block() -> impl Strategy<Value = Block> {
    let ramp = prop::collection::vec((1..200_i64, 0..200_000_i64), 0..4);
    (any_date(), 1..100_u32, ramp, any_rate(), any_escalator(), -20..1_i32, 1..400_000_i64).prop_map(
        |(start, months, ramp, base, escalator, lease_before, kw)| {
            let term = DateRange::of_months(start, months).unwrap();
            let mut quantity = vec![QuantityStep { from: start, kw }];
            for (days, kw) in ramp {
                let from = quantity[quantity.len() - 1].from + chrono::TimeDelta::days(days);
                quantity.push(QuantityStep { from, kw });
            }
            let lease_start = add_months(start, lease_before).unwrap();
            let rates = rate_steps(base, Some(&escalator), lease_start, start, term.end()).unwrap();
            Block { term, quantity, rates }
        },
    )
}

proptest! {
    /// However a term is walked, month by month or in runs of several, the lines are the same lines.
    #[test]
    fn a_term_cut_at_firsts_of_months_has_the_same_lines(block in any_block(), runs in prop::collection::vec(1..14_i32, 1..9)) {
        let whole = block.lines(block.term);
        let mut walked = Vec::new();
        let mut runs = runs.into_iter().cycle();
        let mut start = block.term.start();
        while start < block.term.end() {
            let first = YearMonth::of(start).first_day();
            let end = add_months(first, runs.next().unwrap()).unwrap().min(block.term.end());
            walked.extend(block.lines(DateRange::new(start, end).unwrap()));
            start = end;
        }
        prop_assert_eq!(total(&walked, USD), total(&whole, USD));
        prop_assert_eq!(walked, whole);
    }

    #[test]
    fn lines_share_no_day_and_leave_none_out(block in any_block()) {
        let lines = block.lines(block.term);
        for pair in lines.windows(2) {
            prop_assert!(pair[0].period.end() <= pair[1].period.start());
        }
        let mut days = 0_i64;
        for line in &lines {
            prop_assert_eq!(i64::from(line.days), line.period.days());
            prop_assert_eq!(YearMonth::of(line.period.start()), line.month);
            prop_assert_eq!(YearMonth::of(line.period.last_day()), line.month);
            prop_assert_eq!(line.days_in_month, line.month.days());
            days += line.period.days();
        }
        let leased = |day: &CivilDate| block.quantity.iter().rev().find(|step| step.from <= *day).is_some_and(|step| step.kw > 0);
        let expected = block.term.start().iter_days().take_while(|day| *day < block.term.end()).filter(leased).count();
        prop_assert_eq!(usize::try_from(days).unwrap(), expected);
    }

    /// Every line is within half a cent of the exact rent of its days.
    #[test]
    fn a_line_is_the_exact_rent_rounded_once(block in any_block()) {
        for line in block.lines(block.term) {
            // amount / 100 against kW x rate x days / days_in_month, both times 10^10 x days_in_month x 2.
            let unit = BigInt::from(10_i64.pow(8)) * line.days_in_month * 2;
            let exact = BigInt::from(line.rate.scaled()) * line.kw * line.days * 2;
            let error = BigInt::from(line.amount.minor) * &unit - exact;
            let half = unit / 2;
            prop_assert!(-&half < error && error <= half, "{:?}", line);
        }
    }

    #[test]
    fn two_halves_of_a_block_cost_what_the_whole_costs(block in any_block(), part in 0..=100_i64) {
        let split = |of: fn(i64, i64) -> i64| {
            let quantity = block.quantity.iter().map(|step| QuantityStep { kw: of(step.kw, part), ..*step }).collect();
            Block { quantity, ..block.clone() }
        };
        let (first, second) = (split(|kw, part| kw * part / 100), split(|kw, part| kw - kw * part / 100));
        let sum = |block: &Block| total(&block.lines(block.term), USD).unwrap().minor;
        let lines = i64::try_from(block.lines(block.term).len()).unwrap();
        prop_assert!((sum(&first) + sum(&second) - sum(&block)).abs() <= lines);
    }

    #[test]
    fn every_step_of_the_rate_comes_from_the_base(base in any_rate(), scaled in 0..20_000_000_i64, k in 0..60_u32) {
        let percent = Percent::from_scaled(scaled).unwrap();
        let rate = step_rate(base, percent, k).unwrap();
        // |rate x d^k - base x g^k| <= d^k / 2, and on the half the rate is the upper one.
        let d = BigInt::from(100_000_000).pow(k);
        let exact = BigInt::from(base.scaled()) * BigInt::from(100_000_000 + scaled).pow(k);
        let twice = (BigInt::from(rate.scaled()) * &d - exact) * 2;
        prop_assert!(-&d < twice && twice <= d);
    }

    #[test]
    fn rate_steps_are_in_order_and_begin_with_the_block(
        base in any_rate(), escalator in any_escalator(), start in any_date(), before in 0..40_i32, months in 1..300_u32,
    ) {
        let term = DateRange::of_months(start, months).unwrap();
        let lease_start = add_months(start, -before).unwrap();
        let steps = rate_steps(base, Some(&escalator), lease_start, start, term.end()).unwrap();
        prop_assert_eq!(steps[0].from, start);
        prop_assert!(steps.windows(2).all(|pair| pair[0].from < pair[1].from));
        prop_assert!(steps.iter().all(|step| term.contains(step.from)));
    }

    /// The solver's answer bills the published total to within half a unit of its tenth decimal and half a cent a line.
    #[test]
    fn a_solved_rate_bills_the_total(
        billions in 1..20_000_i64, kw in 1_000..500_000_i64, years in 1..26_u32, percent in 0..6_000_000_i64, start in any_date(),
        basis in any_basis(),
    ) {
        let tcv = Money::new(billions * 100_000_000, USD);
        let percent = Percent::from_scaled(percent).unwrap();
        let escalator = Escalator { percent, basis };
        let term = DateRange::of_months(start, years * 12).unwrap();
        let quantity = [QuantityStep { from: start, kw }];
        let base = solve_rate_on_calendar(tcv, &quantity, Some(&escalator), start, term).unwrap();
        let rates = rate_steps(base, Some(&escalator), start, start, term.end()).unwrap();
        let lines = rent_lines(&quantity, &rates, term, USD).unwrap();
        let residue = (total(&lines, USD).unwrap().minor - tcv.minor).abs();
        prop_assert!(residue <= i64::try_from(lines.len()).unwrap(), "{residue} cents");

        let first = YearMonth::of(start).first_day();
        let term = DateRange::of_months(first, years * 12).unwrap();
        let yearly = Escalator { percent, basis: EscalationBasis::BlockAnniversary };
        let quantity = [QuantityStep { from: first, kw }];
        prop_assert_eq!(
            solve_rate_on_calendar(tcv, &quantity, Some(&yearly), first, term),
            solve_year_one_rate(tcv, kw, years, percent)
        );
    }
}

/// Every anchor day from the 1st to the 31st, in every month of a leap year and of the years around it.
#[test]
fn monthly_periods_from_any_anchor_are_disjoint_and_complete() {
    for year in [2027, 2028, 2029] {
        for month in 1..=12 {
            for day in 1..=YearMonth::new(year, month).unwrap().days() {
                let anchor = ymd(year, month, day);
                let bounds: Vec<CivilDate> = (0..=36).map(|n| add_months(anchor, n).unwrap()).collect();
                let periods: Vec<DateRange> =
                    bounds.windows(2).map(|pair| DateRange::new(pair[0], pair[1]).unwrap()).collect();
                assert!(periods.windows(2).all(|pair| pair[0].end() == pair[1].start()));
                let whole = DateRange::of_months(anchor, 36).unwrap();
                assert_eq!(periods.iter().map(DateRange::days).sum::<i64>(), whole.days());

                let months: Vec<_> = whole.months().collect();
                assert_eq!(months[0].1.start(), anchor);
                assert_eq!(months[months.len() - 1].1.end(), whole.end());
                assert!(months.windows(2).all(|pair| pair[0].1.end() == pair[1].1.start()));
                assert!(months.windows(2).all(|pair| pair[0].0.next() == Some(pair[1].0)));
                assert_eq!(months.iter().map(|(_, part)| part.days()).sum::<i64>(), whole.days());
            }
        }
    }
}
