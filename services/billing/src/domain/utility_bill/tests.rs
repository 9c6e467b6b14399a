use proptest::prelude::*;

use super::*;
use crate::domain::sample::{date, place};

fn june() -> DateRange {
    DateRange::new(date(2027, 6, 1), date(2027, 7, 1)).expect("days")
}

fn evidence(energy_wh: i64) -> Evidence {
    let meter = "hall".parse().expect("a slug");
    Evidence { meter, batch: 1, energy_wh, estimated_wh: 0, missing_count: 0, peak_w: 0 }
}

fn bearer(lease: &str) -> Bearer {
    Bearer { lease: lease.parse().expect("a slug"), place: place("hall-one") }
}

fn part(lease: Option<&str>, energy_wh: i64, contracted_kw: i64) -> LoadPart {
    LoadPart {
        bearer: lease.map(bearer),
        days: june(),
        evidence: evidence(energy_wh),
        at_peak_wh: 0,
        contracted_kw,
        pue_cap: None,
        too_late: false,
    }
}

fn division(allocation: Allocation, facility_wh: Option<i64>, parts: Vec<LoadPart>) -> Division {
    Division { allocation, facility: facility_wh.map(evidence), parts }
}

fn whole(minor: i64) -> BillComponent {
    let amount = Money::new(minor, Currency::USD);
    BillComponent { code: String::new(), amount, by_energy: false }
}

fn minors(of: &Shares) -> (Vec<i64>, i64) {
    (of.borne.iter().map(|(_, money)| money.minor).collect(), of.operator.minor)
}

#[test]
fn a_bill_goes_by_load_and_what_nobody_leases_stays_with_the_operator() {
    let parts =
        vec![part(None, 1_000, 10), part(Some("one-lease"), 2_000, 20), part(Some("two-lease"), 3_000, 30)];
    let energy = division(Allocation::Energy, None, parts.clone());
    assert_eq!(minors(&energy.shares(&whole(100)).expect("fits")), (vec![33, 50], 17));
    assert_eq!(energy.share_of(None), Exact::ratio(1, 6).expect("a ratio"));
    let contract = division(Allocation::ContractedKw, None, parts);
    assert_eq!(minors(&contract.shares(&whole(600)).expect("fits")), (vec![200, 300], 100));
    let nothing = division(Allocation::Peak, None, vec![part(Some("one-lease"), 5, 5)]);
    assert_eq!(minors(&nothing.shares(&whole(600)).expect("fits")), (vec![0], 600), "nobody had a load");
}

#[test]
fn above_the_cap_and_too_late_the_operator_bears_it() {
    let cap: Rate = "1.30".parse().expect("a ratio");
    let capped = LoadPart { pue_cap: Some(cap), ..part(Some("one-lease"), 24_480_000_000, 0) };
    // Facility energy of 1.35: 1,718,496.00 at a blended 0.052 for a kWh, of which 63,648.00 is above the cap.
    let of = division(Allocation::Energy, Some(33_048_000_000), vec![capped.clone()]);
    assert_eq!(minors(&of.shares(&whole(171_849_600)).expect("fits")), (vec![165_484_800], 6_364_800));
    // By contracted load nothing is capped, but what goes by energy is.
    let by_contract = LoadPart { contracted_kw: 1, ..capped.clone() };
    let of = division(Allocation::ContractedKw, Some(33_048_000_000), vec![by_contract]);
    assert_eq!(minors(&of.shares(&whole(100)).expect("fits")), (vec![100], 0));
    let energy = BillComponent { by_energy: true, ..whole(171_849_600) };
    assert_eq!(minors(&of.shares(&energy).expect("fits")), (vec![165_484_800], 6_364_800));
    let late = LoadPart { too_late: true, ..capped };
    let of = division(Allocation::Energy, None, vec![late]);
    assert_eq!(minors(&of.shares(&whole(100)).expect("fits")), (vec![0], 100));
}

#[test]
fn a_tenant_that_came_later_bears_its_days() {
    let (first, second) = (
        DateRange::new(date(2027, 6, 1), date(2027, 6, 21)).expect("days"),
        DateRange::new(date(2027, 6, 21), date(2027, 7, 1)).expect("days"),
    );
    let vacant = LoadPart { days: first, ..part(None, 0, 30) };
    let came = LoadPart { days: second, ..part(Some("two-lease"), 0, 30) };
    let of = division(Allocation::ContractedKw, None, vec![vacant, part(Some("one-lease"), 0, 30), came]);
    assert_eq!(minors(&of.shares(&whole(6_000)).expect("fits")), (vec![3_000, 1_000], 2_000));
    assert_eq!(of.days_of(&bearer("two-lease")), Some(second));
}

proptest! {
    #[test]
    fn shares_are_the_bill_to_the_cent(
        minors in prop::collection::vec(-1_000_000_000_i64..1_000_000_000, 1..4),
        loads in prop::collection::vec((0_i64..1_000_000, 0_i64..50_000, any::<bool>(), any::<bool>()), 1..12),
        facility_wh in 1_i64..5_000_000,
        by in 0_usize..3,
    ) {
        let by = [Allocation::Energy, Allocation::Peak, Allocation::ContractedKw][by];
        let part = |(at, (wh, kw, vacant, late)): (usize, &(i64, i64, bool, bool))| {
            let lease = format!("lease-{at}");
            LoadPart {
                at_peak_wh: wh / 3,
                pue_cap: Some("1.2".parse().expect("a ratio")),
                too_late: *late,
                ..part((!vacant).then_some(lease.as_str()), *wh, *kw)
            }
        };
        let of = division(by, Some(facility_wh), loads.iter().enumerate().map(part).collect());
        for minor in minors {
            let shares = of.shares(&whole(minor)).expect("fits");
            let borne: i64 = shares.borne.iter().map(|(_, money)| money.minor).sum();
            prop_assert_eq!(borne + shares.operator.minor, minor);
        }
    }
}
