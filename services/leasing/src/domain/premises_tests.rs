use super::*;
use crate::domain::schedule;
use crate::domain::terms::Terms;
use crate::domain::testing::{date, river_bend, terms};

const DELIVERY: DeliveryTerms =
    DeliveryTerms { acceptance_days: 10, grace_days: 15, single_abatement_days: 30, outside_days: Some(120) };

fn agreed(contract: Contract) -> (Terms, Premises) {
    let terms = Terms { contract, ..terms(river_bend(), "America/Chicago") };
    let premises = schedule::freeze(&terms).unwrap().remove(0);
    (terms, premises)
}

fn settled(terms: &Terms, premises: &Premises) -> Premises {
    let mut after = premises.clone();
    after.settle(&terms.premises[0], &terms.contract);
    after
}

fn ready(actual: Option<&str>, forecast: &str) -> ReadyDates {
    ReadyDates {
        baseline: Some(date("2027-12-01")),
        forecast: Some(date(forecast)),
        actual: actual.map(date),
    }
}

#[test]
fn what_nobody_says_changes_nothing() {
    for contract in [Contract::default(), Contract { delivery: Some(DELIVERY), ..Contract::default() }] {
        let (terms, premises) = agreed(contract);
        assert_eq!(settled(&terms, &premises), premises);
    }
}

#[test]
fn a_delay_moves_the_commencement_and_abates_rent_as_agreed() {
    let (terms, mut premises) = agreed(Contract { delivery: Some(DELIVERY), ..Contract::default() });
    premises.standing.short_until = Some(date("2028-02-29"));
    premises.ready = ready(None, "2028-02-29");
    let late = settled(&terms, &premises);
    // 90 days: 15 of grace, 30 at one day, 45 at two.
    assert_eq!((late.standing.late_days, late.standing.abated_days), (90, 120));
    assert_eq!((late.commencement, late.end), (date("2028-02-29"), date("2042-12-01")));
    assert_eq!(late.rent_from(), date("2028-06-28"));
    assert_eq!(late.commences_at(terms.contract.delivery.as_ref()), None, "it is not ready");
    assert_eq!(late.outside_date(Some(&DELIVERY)), Some(date("2028-03-30")));

    // Ready on that day: deemed accepted ten days on, which are not the operator's delay.
    premises.ready = ready(Some("2028-02-29"), "2028-02-29");
    let deemed = settled(&terms, &premises);
    assert_eq!(deemed.commencement, date("2028-03-10"));
    assert_eq!(deemed.standing.late_days, 90);
    assert_eq!(deemed.rent_from(), date("2028-07-08"));

    // Made good: as it was agreed.
    premises.standing.short_until = None;
    premises.ready = ready(Some("2027-11-01"), "2027-11-01");
    assert_eq!(settled(&terms, &premises).commencement, date("2027-12-01"));
}

#[test]
fn the_whole_term_goes_with_a_phase_where_that_was_agreed() {
    let contract = Contract { term_basis: TermBasis::FromEachPhase, ..Contract::default() };
    let (terms, mut premises) = agreed(contract);
    premises.standing.short_until = Some(date("2028-02-01"));
    let late = settled(&terms, &premises);
    assert_eq!((late.commencement, late.end), (date("2028-02-01"), date("2043-02-01")));
    assert_eq!(late.quantity_steps[0].from, date("2028-02-01"));
    assert_eq!(late.rent_from(), late.commencement, "nothing is abated that was not agreed");
}

#[test]
fn capacity_that_never_comes_leaves_the_agreed_dates_and_commences_nothing() {
    let (terms, mut premises) = agreed(Contract::default());
    premises.standing.short_until = Some(date("2042-12-01"));
    let never = settled(&terms, &premises);
    assert_eq!((never.commencement, never.end), (premises.commencement, premises.end));
    assert_eq!(never.commences_at(None), None);
}

#[test]
fn an_early_acceptance_begins_the_term_and_its_steps() {
    let (terms, mut premises) = agreed(Contract { delivery: Some(DELIVERY), ..Contract::default() });
    premises.ready = ready(Some("2027-10-01"), "2027-10-01");
    premises.standing.accepted = Some(Acceptance {
        on: date("2027-10-05"),
        signatory: Signatory { name: "A. Person".to_owned(), title: String::new() },
        subject: "tester".to_owned(),
        time: crate::domain::testing::at("2027-10-06"),
    });
    let early = settled(&terms, &premises);
    assert_eq!((early.commencement, early.standing.late_days), (date("2027-10-05"), 0));
    assert_eq!(early.claim(0).steps[0].0, early.commence_at);
}

#[test]
fn a_block_is_ready_when_every_phase_promised_for_it_is() {
    let phase = |baseline: &str, current: &str, actual: Option<&str>| PhaseDates {
        baseline: date(baseline),
        current: date(current),
        actual: actual.map(date),
    };
    let one = phase("2027-06-01", "2027-06-01", Some("2027-06-01"));
    let two = phase("2027-12-01", "2028-03-01", None);
    let later = phase("2029-01-01", "2029-01-01", None);
    let of = |phases: &[PhaseDates]| ReadyDates::of(date("2027-12-01"), phases);
    assert_eq!(of(&[]), ReadyDates::default());
    assert_eq!(of(&[one, later]).actual, Some(date("2027-06-01")));
    let both = of(&[one, two, later]);
    assert_eq!((both.forecast, both.actual), (Some(date("2028-03-01")), None));
    assert_eq!(both.baseline, Some(date("2027-12-01")));
    assert_eq!(of(&[later]).forecast, Some(date("2029-01-01")));
}

#[test]
fn steps_are_cut_to_the_days_they_apply_to() {
    let rate = |n: i32| n.to_string().parse().unwrap();
    let steps = [("2027-01-01", 1), ("2028-01-01", 2), ("2029-01-01", 3)]
        .map(|(day, n)| RateStep { from: date(day), rate: rate(n) });
    let says = |all: &[(&str, i32)]| -> Vec<RateStep> {
        all.iter().map(|(day, n)| RateStep { from: date(day), rate: rate(*n) }).collect()
    };
    let over = |start: &str, end: &str| cut(&steps, date(start), date(end));
    assert_eq!(over("2027-01-01", "2030-01-01"), steps);
    assert_eq!(over("2028-06-01", "2030-01-01"), says(&[("2028-06-01", 2), ("2029-01-01", 3)]));
    assert_eq!(over("2026-06-01", "2028-01-01"), says(&[("2026-06-01", 1)]));
}
