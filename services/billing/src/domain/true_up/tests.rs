use kernel::{CivilDate, Currency};
use proptest::prelude::*;

use super::*;
use crate::domain::plan::Allocation;
use crate::domain::reckoning::Evidence;
use crate::domain::sample::{date, place};
use crate::domain::utility_bill::{BillComponent, LoadPart};

fn days(from: CivilDate, until: CivilDate) -> DateRange {
    DateRange::new(from, until).expect("days")
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn inputs(of: DateRange, bill_minor: i64, estimates: Vec<Estimate>) -> TrueUpInputs {
    let bearer = Bearer { lease: "one-lease".parse().expect("a slug"), place: place("hall-one") };
    let part = |bearer: Option<&Bearer>, energy_wh| LoadPart {
        bearer: bearer.cloned(),
        days: of,
        evidence: Evidence {
            meter: "hall".parse().expect("a slug"),
            batch: 1,
            energy_wh,
            estimated_wh: 0,
            missing_count: 0,
            peak_w: 0,
        },
        at_peak_wh: 0,
        contracted_kw: 0,
        pue_cap: None,
        too_late: false,
    };
    TrueUpInputs {
        bill: UtilityBillId::new(kernel::Uuid::from_u128(1)),
        facts: BillFacts {
            meter: "utility".parse().expect("a slug"),
            number: "4711".to_owned(),
            days: of,
            bill_date: of.end(),
            total: usd(bill_minor),
            energy_kwh: 0,
            components: Vec::new(),
        },
        division: Division {
            allocation: Allocation::Energy,
            facility: None,
            parts: vec![part(None, 1), part(Some(&bearer), 3)],
        },
        bearer,
        days: of,
        estimates,
    }
}

fn estimate(code: &str, of: DateRange, minor: i64) -> Estimate {
    Estimate { code: code.to_owned(), tax: code == "tax", days: of, minor }
}

#[test]
fn the_part_less_what_was_charged_and_taxes_are_no_part_of_it() {
    let june = days(date(2027, 6, 1), date(2027, 7, 1));
    let charged = vec![estimate("energy", june, 7_000), estimate("tax", june, 700)];
    let of = inputs(june, 10_000, charged);
    let whole = of.wholes().expect("fits").remove(0);
    assert_eq!((whole.amount, whole.item.as_str()), (usd(500), "utility"));
    assert!(whole.formula.contains("4711") && whole.formula.contains("USD 70.00"), "{}", whole.formula);
}

#[test]
fn each_component_is_compared_with_its_own_and_others_are_left() {
    let june = days(date(2027, 6, 1), date(2027, 7, 1));
    let charged = vec![estimate("energy", june, 7_000), estimate("fee", june, 900)];
    let mut of = inputs(june, 10_000, charged);
    let part =
        |code: &str, minor| BillComponent { code: code.to_owned(), amount: usd(minor), by_energy: false };
    of.facts.components = vec![part("energy", 8_000), part("delivery", 2_000)];
    assert!(of.facts.adds_up());
    let wholes = of.wholes().expect("fits");
    let found: Vec<_> = wholes.iter().map(|whole| (whole.item.as_str(), whole.amount.minor)).collect();
    assert_eq!(found, [("utility.energy", -1_000), ("utility.delivery", 1_500)]);
    of.facts.components.pop();
    assert!(!of.facts.adds_up());
}

proptest! {
    /// A month's charge is counted by the bills of its days once, however they cut it.
    #[test]
    fn bills_that_follow_one_another_count_each_charge_once(
        minor in -1_000_000_i64..1_000_000,
        cuts in prop::collection::btree_set(1_i64..61, 1..5),
    ) {
        let (first, last) = (date(2027, 6, 1), date(2027, 8, 1));
        let charge = estimate("energy", days(date(2027, 6, 10), date(2027, 7, 20)), minor);
        let mut from = first;
        let mut sum = 0;
        for until in cuts.iter().map(|cut| first + chrono::TimeDelta::days(*cut)).chain([last]) {
            sum += charge.within(days(from, until)).expect("fits");
            from = until;
        }
        prop_assert_eq!(sum, minor);
    }
}
