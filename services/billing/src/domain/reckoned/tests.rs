use kernel::Uuid;
use proptest::prelude::*;

use super::*;
use crate::domain::sample::{date, place, usd};

fn whole(item: &str, minor: i64) -> Whole {
    Whole {
        charge_type: ChargeType::Energy,
        item: item.to_owned(),
        period: DateRange::new(date(2027, 1, 1), date(2027, 2, 1)).expect("a month"),
        amount: Money::new(minor, usd()),
        quantity: Exact::from(1),
        unit: "kWh".to_owned(),
        rate: Exact::from(1),
        formula: "1 kWh".to_owned(),
        jurisdiction: None,
        estimated: false,
    }
}

fn changes(wholes: &[Whole], billed: &BilledCharges) -> Vec<ReckonedLine> {
    let id = ReckoningId::new(Uuid::from_u128(1));
    difference(Some(&place("hall-one")), wholes, billed, (usd(), id)).expect("in range")
}

/// What is billed once these lines are.
fn bill(billed: &mut BilledCharges, lines: &[ReckonedLine]) {
    for line in lines {
        let before = billed.get(&line.key()).map_or(0, |billed| billed.minor);
        let now = Billed {
            period: line.period,
            minor: before + line.amount.minor,
            revision: line.revision,
            jurisdiction: None,
        };
        assert!(billed.insert(line.key(), now).is_none_or(|before| before.revision < line.revision));
    }
}

#[test]
fn what_changed_is_billed_as_the_difference_under_the_next_revision() {
    let mut billed = BilledCharges::new();
    let first = changes(&[whole("energy", 1_000), whole("nothing", 0)], &billed);
    assert_eq!(first.iter().map(|l| (l.revision, l.amount.minor)).collect::<Vec<_>>(), [(0, 1_000)]);
    bill(&mut billed, &first);
    assert_eq!(changes(&[whole("energy", 1_000)], &billed), []);

    let second = changes(&[whole("energy", 900), whole("rider", 7)], &billed);
    let told: Vec<_> = second.iter().map(|l| (l.item.as_str(), l.revision, l.amount.minor)).collect();
    assert_eq!(told, [("energy", 1, -100), ("rider", 0, 7)]);
    assert_eq!(second[0].formula(), "1 kWh, less USD 10.00 billed before = USD -1.00");
    assert_eq!((second[0].detail.whole_minor, second[0].detail.before_minor), (900, 1_000));
    bill(&mut billed, &second);

    // What is no longer charged is given back, and charged again by its whole.
    let third = changes(&[], &billed);
    assert_eq!(third.iter().map(|l| (l.revision, l.amount.minor)).collect::<Vec<_>>(), [(2, -900), (1, -7)]);
    bill(&mut billed, &third);
    let fourth = changes(&[whole("energy", 5)], &billed);
    assert_eq!((fourth[0].revision, fourth[0].amount.minor, fourth.len()), (3, 5, 1));
}

proptest! {
    #[test]
    fn all_revisions_together_are_what_it_comes_to_now(
        months in prop::collection::vec(prop::collection::vec(-100_i64..100, 3), 1..12),
    ) {
        let mut billed = BilledCharges::new();
        for amounts in months {
            let wholes: Vec<Whole> =
                ["a", "b", "c"].iter().zip(&amounts).map(|(item, minor)| whole(item, *minor)).collect();
            let lines = changes(&wholes, &billed);
            bill(&mut billed, &lines);
            for whole in wholes {
                let sum = billed.get(&whole.key()).map_or(0, |billed| billed.minor);
                prop_assert_eq!(sum, whole.amount.minor);
            }
        }
    }
}
