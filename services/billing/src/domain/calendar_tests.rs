//! Every day on which a block may commence, every way to bill it: what runs bill covers the term, and no day twice.

use std::collections::BTreeSet;

use kernel::{BillingFrequency, DateRange, RentRules, RentTiming, YearMonth};

use super::charge::{Charge, billing_month, due, to_come};
use super::lease::LeaseCopy;
use super::sample::{self, date, month, premises};

const FREQUENCIES: [BillingFrequency; 3] =
    [BillingFrequency::Monthly, BillingFrequency::Quarterly, BillingFrequency::Yearly];
const TIMINGS: [RentTiming; 2] = [RentTiming::InAdvance, RentTiming::InArrears];

fn lease(days: DateRange, (frequency, timing): (BillingFrequency, RentTiming)) -> LeaseCopy {
    let block = premises("hall-one", 1_000, "100", days.start(), days.end());
    let mut lease = sample::lease(None, vec![block]);
    lease.terms.rent = RentRules { frequency, timing, ..RentRules::default() };
    lease
}

/// What each run of a month bills that bills something, from before the term until long after it.
fn runs(lease: &LeaseCopy, days: DateRange) -> Vec<(YearMonth, Vec<Charge>)> {
    let (mut taken, mut runs) = (BTreeSet::new(), Vec::new());
    let mut at = YearMonth::of(days.start()).previous();
    let end = YearMonth::of(days.end()).first_day() + chrono::TimeDelta::days(400);
    while let Some(run) = at.filter(|run| run.first_day() < end) {
        let charges = due(lease, run, &taken).expect("computable");
        taken.extend(charges.iter().map(Charge::key));
        assert_eq!(due(lease, run, &taken), Ok(Vec::new()), "a second run of {run} bills nothing");
        if !charges.is_empty() {
            runs.push((run, charges));
        }
        at = run.next();
    }
    runs
}

/// The days that a run bills are those of one period, and the run is the one that is to bill them.
fn of_one_period(run: YearMonth, charges: &[Charge], lease: &LeaseCopy, days: DateRange) {
    let RentRules { frequency, timing, .. } = lease.terms.rent;
    let of = charges[0].month;
    let (first, last) = frequency.period(of);
    assert!(charges.iter().all(|charge| (first..=last).contains(&charge.month)), "{run}: {charges:?}");
    assert!(charges.iter().all(|charge| billing_month(lease, charge) == run), "{run}: {charges:?}");
    let expected = match timing {
        RentTiming::InAdvance => first.max(YearMonth::of(days.start())),
        RentTiming::InArrears => last.min(YearMonth::of(days.last_day())).next().expect("in the calendar"),
    };
    assert_eq!(run, expected, "the run that bills {of} {frequency:?} {timing:?} of {days:?}");
}

#[test]
fn invoiced_periods_cover_every_term_exactly_none_twice_none_missing() {
    // A year that is no leap year, and one that is: each of their days, for terms with and without a leap day.
    for (year, months) in [(2027, 13), (2028, 26)] {
        for first in date(year, 1, 1).iter_days().take_while(|day| *day < date(year + 1, 1, 1)) {
            let days = DateRange::of_months(first, months).expect("a term");
            for how in FREQUENCIES.into_iter().flat_map(|one| TIMINGS.map(|timing| (one, timing))) {
                let lease = lease(days, how);
                let runs = runs(&lease, days);
                for (run, charges) in &runs {
                    of_one_period(*run, charges, &lease, days);
                }
                let billed: Vec<Charge> = runs.into_iter().flat_map(|(_, charges)| charges).collect();
                let mut next = days.start();
                for charge in &billed {
                    assert_eq!(charge.period.start(), next, "{first} {how:?}: twice, or missing");
                    next = charge.period.end();
                }
                assert_eq!(next, days.end(), "{first} {how:?}: to the last day");
                assert_eq!(Ok(billed), to_come(&lease, None, &BTreeSet::new()), "{first} {how:?}");
            }
        }
    }
}

#[test]
fn a_year_in_arrears_is_billed_when_it_or_the_block_is_over() {
    let days = DateRange::new(date(2027, 2, 15), date(2028, 5, 10)).expect("a term");
    let yearly = lease(days, (BillingFrequency::Yearly, RentTiming::InArrears));
    let months: Vec<YearMonth> = runs(&yearly, days).into_iter().map(|(run, _)| run).collect();
    assert_eq!(months, [month(2028, 1), month(2028, 6)]);
    let quarterly = lease(days, (BillingFrequency::Quarterly, RentTiming::InAdvance));
    let runs = runs(&quarterly, days);
    let months: Vec<YearMonth> = runs.iter().map(|(run, _)| *run).collect();
    let wanted = [(2027, 2), (2027, 4), (2027, 7), (2027, 10), (2028, 1), (2028, 4)];
    assert_eq!(months, wanted.map(|(year, number)| month(year, number)));
    let stub: Vec<u32> = runs[0].1.iter().map(|charge| charge.days).collect();
    assert_eq!(stub, [14, 31], "from 15 February to the end of March");
}

/// A contract that was brought in within a quarter is billed for the rest of it by the run of its first month here.
#[test]
fn what_was_billed_elsewhere_ends_within_a_quarter() {
    let days = DateRange::new(date(2026, 1, 1), date(2029, 1, 1)).expect("a term");
    let mut lease = lease(days, (BillingFrequency::Quarterly, RentTiming::InAdvance));
    lease.billed_from = Some(date(2027, 2, 1));
    let first = runs(&lease, days).into_iter().next().expect("a run");
    assert_eq!((first.0, first.1.len()), (month(2027, 2), 2));
}
