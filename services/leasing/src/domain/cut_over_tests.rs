use kernel::{Reason, ReservationId, Uuid};

use super::*;
use crate::domain::draft::{Draft, PremisesDraft};
use crate::domain::lease::Hold;
use crate::domain::testing::{at, contract, date, proposing, river_bend, terms};
use crate::domain::{Happened, LeaseState};

/// River Bend, but that a second hall comes two years later.
fn two_halls(first: &str, second: &str) -> Draft {
    let mut draft = river_bend();
    let hall = |block: &str, from: &str| {
        let mut hall: PremisesDraft = river_bend().premises[0].clone();
        hall.block = format!("operators/hut8/sites/river-bend/blocks/{block}").parse().ok();
        hall.profile[0].0 = Some(date(from));
        hall.commencement = Some(date(from));
        hall.end = Some(date("2036-01-01"));
        hall
    };
    draft.premises = vec![hall("one", first), hall("two", second)];
    draft
}

fn paper(billed_from: &str) -> Import {
    Import {
        reference: "MSA-7, order 2".to_owned(),
        signed: date("2024-05-06"),
        effective: None,
        billed_from: date(billed_from),
        signatory: Signatory { name: "Ben Ortiz".to_owned(), title: "Director".to_owned() },
        subject: "ben".to_owned(),
        time: at("2026-12-01"),
    }
}

fn brought_in(draft: Draft) -> Lease {
    let mut lease = proposing(terms(draft, "America/Chicago"));
    lease.import(paper("2027-01-01")).expect("a good paper");
    let reservation = ReservationId::new(Uuid::from_u128(9));
    lease.hold = Some(Hold { reservation, expire_time: at("2026-12-02") });
    lease.brought_in(at("2026-12-01")).expect("brought in");
    lease
}

#[test]
fn it_is_at_once_what_its_days_say_and_goes_on_from_there() {
    let mut lease = brought_in(two_halls("2025-01-15", "2027-01-15"));
    assert_eq!((lease.state, lease.version, lease.revision), (LeaseState::Active, 1, 2));
    assert!(lease.signatures.is_empty(), "nobody signed it here");
    let texas = |day: &str| Some(lease.premises[0].zone.start_of_day(date(day)));
    assert_eq!((lease.signed_time, lease.effective_time), (texas("2024-05-06"), texas("2024-05-06")));
    let states: Vec<_> = lease.premises.iter().map(|one| (one.state, one.commence_time)).collect();
    let begun = (PremisesState::Commenced, texas("2025-01-15"));
    assert_eq!(states, [begun, (PremisesState::Planned, None)]);
    assert!(!lease.premises[0].is_moved(), "its days are those of its terms");
    // The rate of its second year, counted from the day on which it began.
    assert_eq!(lease.premises[0].rate_steps[1].from, date("2026-01-15"));
    assert_eq!(lease.pass(at("2026-12-31")).unwrap(), None);
    assert_eq!(lease.pass(at("2027-01-16")).unwrap(), Some(Happened::Commenced));
    assert_eq!(lease.premises[1].commence_time, lease.premises[1].commence_time);
}

#[test]
fn it_takes_nothing_of_the_days_before_it() {
    let mut draft = two_halls("2025-01-15", "2027-01-15");
    let load = |kw| kernel::CapacityVector::new(kw, 0, kw, 0);
    draft.premises[0].profile.push((Some(date("2026-06-01")), load(246_000)));
    draft.premises[0].profile.push((Some(date("2028-06-01")), load(247_000)));
    let lease = brought_in(draft);
    let zone = lease.premises[0].zone;
    let claims = lease.claims();
    // The last of November in Texas.
    let steps = [
        (zone.start_of_day(date("2026-11-30")), load(246_000)),
        (zone.start_of_day(date("2028-06-01")), load(247_000)),
    ];
    let told: Vec<_> = claims[0].steps.iter().map(|(from, load)| (*from, Some(*load))).collect();
    assert_eq!(told, steps);
    assert_eq!(
        claims[1].steps[0].0,
        zone.start_of_day(date("2027-01-15")),
        "what is to come begins with its day"
    );
}

#[test]
fn one_that_waits_for_its_first_day_or_a_condition_is_not_active() {
    let waits = brought_in(two_halls("2027-01-15", "2027-02-15"));
    assert_eq!((waits.state, waits.effective_time.is_some()), (LeaseState::Effective, true));
    let mut draft = two_halls("2027-12-15", "2027-12-15");
    draft.contract.conditions = contract().conditions.into_iter().take(1).collect();
    let open = brought_in(draft);
    assert_eq!((open.state, open.effective_time), (LeaseState::Signed, None));
}

#[test]
fn whatever_is_wrong_with_the_paper_is_said_at_once() {
    let mut draft = two_halls("2025-01-15", "2026-11-30");
    draft.contract.conditions = contract().conditions.into_iter().take(1).collect();
    draft.premises[1].end = Some(date("2026-12-01"));
    let mut lease = proposing(terms(draft, "UTC"));
    let mut wrong = paper("2036-01-02");
    wrong.signed = date("2026-12-02");
    wrong.effective = Some(date("2026-12-01"));
    let refusal = lease.import(wrong).expect_err("refused");
    let fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    let expected = [
        "signed_date",
        "effective_date",
        "billed_from_date",
        "billed_from_date",
        "terms.premises[0].commencement_date",
        "terms.premises[1].end_date",
        "terms.premises[1].commencement_date",
    ];
    assert_eq!(fields, expected);
    assert_eq!(lease.life.import, None);
    let mut other = proposing(terms(river_bend(), "UTC"));
    assert_eq!(other.brought_in(at("2026-12-01")).expect_err("no paper").reason(), Reason::Internal);
}
