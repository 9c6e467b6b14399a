use kernel::{CapacityVector, Reason};

use super::*;
use crate::domain::deadline::{DeadlineKind, of_lease};
use crate::domain::draft::{Draft, PremisesDraft, RateDraft};
use crate::domain::expansion_draft::ExpansionDraft;
use crate::domain::schedule::value;
use crate::domain::testing::{active, at, date, river_bend, terms};
use crate::domain::{Command, Findings, LeaseState, record};

/// 1,000 kW of another hall for ten years at 100.
fn more(hall: &str, from: &str) -> PremisesDraft {
    let end = kernel::time::add_months(date(from), 120);
    PremisesDraft {
        block: format!("operators/hut8/sites/river-bend/blocks/{hall}").parse().ok(),
        profile: vec![(Some(date(from)), CapacityVector::new(1_000, 0, 1_000, 0))],
        commencement: Some(date(from)),
        end,
        rate: Some(RateDraft::Stated(vec![(Some(date(from)), "100".parse().ok())])),
    }
}

fn option(id: &str, halls: &[&str], window: (Option<&str>, &str)) -> ExpansionDraft {
    ExpansionDraft {
        id: Some(id.to_owned()),
        premises: halls.iter().map(|hall| more(hall, "2030-01-01")).collect(),
        first: window.0.map(date),
        last: Some(date(window.1)),
    }
}

/// River Bend, with one option from the middle of 2028 to its end, and one that comes before it and closes earlier.
fn expandable() -> Draft {
    let first = option("east", &["east-1"], (None, "2028-03-31"));
    let second = option("west", &["west-1", "west-2"], (Some("2028-06-01"), "2028-12-31"));
    Draft { expansion_options: vec![first, second], ..river_bend() }
}

fn exercise(lease: &mut Lease, option: &str, day: &str) -> Result<Happened, Error> {
    let by = Actor { party: Party::Tenant, subject: "ada".to_owned(), address: "192.0.2.7".to_owned() };
    let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
    lease.obey(&Command::Expand { option: option.to_owned(), signatory }, &by, at(day))
}

fn claimed(lease: &Lease) -> Vec<String> {
    let mut blocks: Vec<_> = lease.claims().iter().map(|claim| claim.block.block.to_string()).collect();
    blocks.sort();
    blocks
}

#[test]
fn what_an_option_would_take_is_taken_and_counts_for_nothing() {
    let (plain, with) = (active(river_bend()), active(expandable()));
    assert_eq!(claimed(&with), ["east-1", "hut-fs-rb-1", "west-1", "west-2"]);
    assert_eq!(with.taken(), plain.premises);
    let (apart, base) =
        (value(&with.terms, &with.premises).unwrap(), value(&plain.terms, &plain.premises).unwrap());
    // Three halls of 1,000 kW at 100 for 120 months.
    assert_eq!(apart.expansions_contract_value.minor, 3 * 1_000 * 100 * 120 * 100);
    assert_eq!(
        crate::domain::Value { expansions_contract_value: base.expansions_contract_value, ..apart },
        base
    );
}

#[test]
fn exercised_its_blocks_are_premises_of_the_next_version() {
    let mut lease = active(expandable());
    let before = lease.clone();
    assert_eq!(exercise(&mut lease, "west", "2028-06-02").unwrap(), Happened::Expanded);
    assert!(lease.takes_as(&before), "its capacity was taken already");
    assert_eq!((lease.version, lease.state), (2, LeaseState::Active));
    let blocks: Vec<_> = lease.taken().iter().map(|one| one.block.block.as_str()).collect();
    assert_eq!(blocks, ["hut-fs-rb-1", "west-1", "west-2"]);
    assert!(lease.taken()[1..].iter().all(|one| one.state == PremisesState::Planned));
    assert_eq!(lease.terms_hash, lease.hash_of(&lease.terms).unwrap());
    assert_ne!(lease.terms_hash, before.terms_hash);
    let signed: Vec<_> = lease.signatures.iter().map(|one| (one.party, one.terms_hash)).collect();
    assert_eq!(signed, [(Party::Tenant, lease.terms_hash)], "the operator has signed the option");
    assert!(lease.is_expanded() && !before.is_expanded());
    // The other one was over before: nobody had looked.
    assert_eq!(lease.pass(at("2028-06-02")).unwrap(), Some(Happened::ExpansionLapsed));
    assert_eq!(claimed(&lease), ["hut-fs-rb-1", "west-1", "west-2"]);
    let again = exercise(&mut lease, "west", "2028-06-03").unwrap_err();
    assert_eq!(again.reason(), Reason::InvalidField, "{again}");
    assert_eq!(lease.pass(at("2030-01-02")).unwrap(), Some(Happened::Commenced));
    assert!(lease.taken().iter().all(|one| one.state == PremisesState::Commenced));
}

#[test]
fn nobody_exercises_it_before_its_window_or_after_it_or_when_the_lease_is_to_end() {
    let lease = active(expandable());
    let refused = |option: &str, day: &str| {
        let refusal = exercise(&mut lease.clone(), option, day).unwrap_err();
        (refusal.reason(), refusal.metadata().get("lastDate").cloned())
    };
    let outside = |last: &str| (Reason::NoOptionToExercise, Some(last.to_owned()));
    // Midnight of UTC is the evening before in Chicago.
    assert_eq!(refused("west", "2028-06-01"), outside("2028-12-31"));
    assert_eq!(refused("west", "2029-01-02"), outside("2028-12-31"));
    assert_eq!(refused("east", "2028-04-02"), outside("2028-03-31"));
    assert_eq!(refused("north", "2028-04-02").0, Reason::InvalidField);
    assert!(exercise(&mut lease.clone(), "east", "2027-12-03").is_ok());
    assert!(exercise(&mut lease.clone(), "west", "2029-01-01").is_ok());
    let mut defaulted = lease.clone();
    defaulted.state = LeaseState::Defaulted;
    assert_eq!(
        exercise(&mut defaulted, "east", "2028-01-02").unwrap_err().reason(),
        Reason::InvalidStateTransition
    );
}

#[test]
fn with_its_window_it_lapses_and_gives_back_what_it_held() {
    let mut lease = active(expandable());
    assert_eq!(lease.pass(at("2028-04-01")).unwrap(), None, "the last of March still in Chicago");
    assert_eq!(lease.pass(at("2028-04-02")).unwrap(), Some(Happened::ExpansionLapsed));
    assert!(lease.life.claims_due);
    assert_eq!(claimed(&lease), ["hut-fs-rb-1", "west-1", "west-2"]);
    assert_eq!(lease.pass(at("2029-01-02")).unwrap(), Some(Happened::ExpansionLapsed));
    assert_eq!(claimed(&lease), ["hut-fs-rb-1"]);
    assert_eq!(lease.pass(at("2030-06-01")).unwrap(), None, "its blocks never commence");
    assert_eq!(lease.version, 1);
}

#[test]
fn its_window_runs_out_for_each_of_its_blocks() {
    let lease = active(expandable());
    let mut found = of_lease(&lease);
    found.retain(|one| matches!(one.kind, DeadlineKind::ExpansionWindow | DeadlineKind::ExpansionNotice));
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.block.as_ref().map(|block| block.block.to_string()), one.date, one.critical_it_kw))
        .collect();
    let of = |block: &str, day: &str| (Some(block.to_owned()), date(day), 1_000);
    let [first, last] = ["2028-06-01", "2028-12-31"];
    assert_eq!(
        told,
        [
            of("east-1", "2028-03-31"),
            of("west-1", first),
            of("west-2", first),
            of("west-1", last),
            of("west-2", last)
        ]
    );
}

#[test]
fn a_lease_that_ends_takes_its_options_with_it() {
    let mut lease = active(expandable());
    lease.life.termination = Some(crate::domain::life::Termination {
        ground: crate::domain::life::Ground::Fee,
        end: date("2028-02-01"),
        reason: String::new(),
        subject: String::new(),
        time: at("2028-01-01"),
        fee: None,
        refund: false,
    });
    let late = exercise(&mut lease, "east", "2028-01-02").unwrap_err();
    assert_eq!(late.reason(), Reason::InvalidStateTransition);
    assert_eq!(lease.pass(at("2028-02-02")).unwrap(), Some(Happened::Terminated));
    assert!(lease.premises.iter().all(|one| one.state.is_over()), "{:?}", lease.premises);
    assert_eq!(lease.due_at(), None);
}

#[test]
fn it_is_signed_and_reads_back() {
    let terms = terms(expandable(), "America/Chicago");
    let (operator, tenant) = ("operators/hut8".parse().unwrap(), "tenants/fluidstack".parse().unwrap());
    let canonical = record::canonical(&operator, &tenant, &terms).unwrap();
    assert_eq!(record::read(&canonical.bytes).unwrap(), terms);
    let again = Draft::of(&terms);
    assert_eq!(super::super::testing::terms(again, "America/Chicago"), terms);
}

#[test]
fn every_rule_that_it_breaks_is_said() {
    let mut draft = expandable();
    let wrong = &mut draft.expansion_options;
    wrong[0].id = Some("west".to_owned());
    wrong[0].last = Some(date("2026-11-30"));
    wrong[0].premises[0] =
        PremisesDraft { block: river_bend().premises[0].block.clone(), ..more("x", "2027-11-01") };
    wrong[1].first = Some(date("2029-01-01"));
    wrong.push(option("south", &[], (None, "2043-01-01")));
    wrong.push(option("north", &["west-1"], (None, "2030-01-01")));
    let mut findings = Findings::new();
    draft.check(None, date("2026-12-01"), &mut findings);
    let refusal = findings.finish().unwrap_err();
    let mut said: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    said.sort_unstable();
    let of = |rest: &str| format!("terms.expansion_options{rest}");
    assert_eq!(
        said,
        [
            of("[0].last_notice_date"),
            of("[0].premises[0].block"),
            of("[0].premises[0].commencement_date"),
            of("[1].first_notice_date"),
            of("[1].option_id"),
            of("[2].last_notice_date"),
            of("[2].premises"),
            of("[3].last_notice_date"),
            of("[3].premises[0].block"),
        ]
    );
}

#[test]
fn amended_terms_keep_an_option_or_leave_it_out() {
    let mut lease = active(expandable());
    let by = |party| Actor { party, subject: "ada".to_owned(), address: String::new() };
    let signatory = || Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
    exercise(&mut lease, "east", "2028-01-02").unwrap();
    let propose = |terms: &crate::domain::Terms| Command::ProposeAmendment {
        master: None,
        terms: Box::new(terms.clone()),
        effective: date("2028-03-01"),
        note: String::new(),
    };
    let mut strange = lease.terms.clone();
    strange.expansion_options[0].premises[0].block = more("elsewhere", "2030-01-01").block.unwrap();
    let refusal = lease.clone().obey(&propose(&strange), &by(Party::Operator), at("2028-02-02")).unwrap_err();
    assert_eq!(refusal.violations()[0].field, "terms.expansion_options[0].premises[0].block");
    let mut without = lease.terms.clone();
    without.expansion_options.clear();
    let mut kept = lease.terms.clone();
    kept.payment_terms_days += 1;
    for (terms, blocks) in
        [(without, &["east-1", "hut-fs-rb-1"][..]), (kept, &["east-1", "hut-fs-rb-1", "west-1", "west-2"])]
    {
        let mut lease = lease.clone();
        lease.obey(&propose(&terms), &by(Party::Operator), at("2028-02-02")).unwrap();
        let terms_hash = lease.hash_of(&lease.life.amendment.as_ref().unwrap().terms).unwrap().0;
        for party in [Party::Operator, Party::Tenant] {
            let sign = Command::SignAmendment { terms_hash, signatory: signatory() };
            lease.obey(&sign, &by(party), at("2028-02-03")).unwrap();
        }
        assert_eq!(claimed(&lease), blocks);
        assert_eq!((lease.version, lease.taken().len(), lease.terms), (3, 2, terms));
    }
}

#[test]
fn an_amendment_that_lay_on_the_table_brings_no_option_back() {
    let mut lease = active(expandable());
    let by = |party| Actor { party, subject: "ada".to_owned(), address: String::new() };
    let mut terms = lease.terms.clone();
    terms.payment_terms_days += 1;
    let (terms, effective, note) = (Box::new(terms), date("2028-06-01"), String::new());
    let propose = Command::ProposeAmendment { terms, master: None, effective, note };
    lease.obey(&propose, &by(Party::Operator), at("2028-03-02")).unwrap();
    assert_eq!(lease.pass(at("2028-04-02")).unwrap(), Some(Happened::ExpansionLapsed));
    let (before, mut signed) = (claimed(&lease), lease.clone());
    let terms_hash = lease.hash_of(&lease.life.amendment.as_ref().unwrap().terms).unwrap().0;
    for party in [Party::Operator, Party::Tenant] {
        let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
        signed.obey(&Command::SignAmendment { terms_hash, signatory }, &by(party), at("2028-04-03")).unwrap();
    }
    assert_eq!(signed.version, 2);
    assert_eq!(claimed(&signed), before, "it may be another's by now");
    assert_eq!(signed.pass(at("2028-04-03")).unwrap(), None);
}

#[test]
fn what_lay_on_the_table_does_not_know_of_the_new_blocks() {
    let mut lease = active(expandable());
    let by = Actor { party: Party::Operator, subject: "ben".to_owned(), address: String::new() };
    let mut terms = lease.terms.clone();
    terms.payment_terms_days += 1;
    let (terms, effective, note) = (Box::new(terms), date("2028-03-01"), String::new());
    lease
        .obey(&Command::ProposeAmendment { terms, master: None, effective, note }, &by, at("2028-01-02"))
        .unwrap();
    exercise(&mut lease, "east", "2028-01-03").unwrap();
    assert_eq!(lease.life.amendment, None);
}
