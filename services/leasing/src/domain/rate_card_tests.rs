use std::fmt;

use super::*;
use crate::domain::testing::{at, card_facts};

fn card() -> RateCard {
    let name = "operators/hut8/rateCards/standard".parse().unwrap();
    RateCard::draft(name, card_facts(), "ana", at("2026-12-01")).unwrap()
}

fn reason<T: fmt::Debug>(result: Result<T, Error>) -> Reason {
    result.expect_err("refused").reason()
}

#[test]
fn nobody_approves_a_word_of_their_own() {
    let now = at("2026-12-02");
    assert_eq!(reason(card().approve("\"1\"", "ana", now)), Reason::SecondPersonNeeded);
    let edited = card().edit("\"1\"", vec![Change::MinTerm(24)], "ben", now).unwrap();
    for author in ["ana", "ben"] {
        assert_eq!(reason(edited.clone().approve("\"2\"", author, now)), Reason::SecondPersonNeeded);
    }
    let approved = edited.approve("\"2\"", "cleo", now).unwrap();
    assert_eq!((approved.state, approved.approver.as_deref()), (CardState::Approved, Some("cleo")));
    assert_eq!(
        reason(approved.clone().edit("\"3\"", Vec::new(), "ana", now)),
        Reason::InvalidStateTransition
    );
    assert_eq!(approved.retire("\"3\"", now).unwrap().state, CardState::Retired);
}

#[test]
fn a_stale_copy_changes_nothing() {
    assert_eq!(reason(card().edit("\"7\"", Vec::new(), "ana", at("2026-12-02"))), Reason::EtagMismatch);
    assert_eq!(reason(card().retire("", at("2026-12-02"))), Reason::EtagMismatch);
}

#[test]
fn fields_that_contradict_each_other_are_told_at_once() {
    let mut facts = card_facts();
    facts.max_term_months = facts.min_term_months - 1;
    facts.valid_until = facts.valid_from;
    facts.bands.push(facts.bands[0]);
    facts.net = None;
    let refusal = facts.check().expect_err("refused");
    let fields: Vec<_> = refusal.violations().iter().map(|violation| violation.field.as_str()).collect();
    let expected = ["max_term_months", "valid_until_date", "rates[3]", "net_conversion"];
    assert_eq!(fields, expected.map(|field| format!("rate_card.{field}")));
}
