use super::*;
use crate::domain::contract::TerminationTerms;
use crate::domain::deadline::{DeadlineKind, of_lease};
use crate::domain::draft::Draft;
use crate::domain::lease::Signature;
use crate::domain::life::Ground;
use crate::domain::nomination_draft::NominationDraft;
use crate::domain::testing::{active, at, date, proposing, river_bend, terms};
use crate::domain::{Command, Findings, Party, PremisesState, Value, record};

const SITE: &str = "operators/hut8/sites/river-bend";

fn load(kw: i64) -> CapacityVector {
    CapacityVector::new(kw, 0, kw, 0).unwrap()
}

/// 4,000 kW at 100 for ten years from 2030 on, to be named until the end of 2028.
fn later(id: &str) -> NominationDraft {
    NominationDraft {
        id: Some(id.to_owned()),
        site: SITE.parse().ok(),
        capacity: Some(load(4_000)),
        commencement: Some(date("2030-01-01")),
        end: Some(date("2040-01-01")),
        rate: "100".parse().ok(),
        last: Some(date("2028-12-31")),
    }
}

/// River Bend, and more of it that has no block yet.
fn growing() -> Draft {
    Draft { nominations: vec![later("north")], escalator: None, ..river_bend() }
}

/// Nothing but what is to be named.
fn unplaced() -> Draft {
    Draft { premises: Vec::new(), renewal_options: Vec::new(), ..growing() }
}

fn named(hall: &str, kw: i64) -> Named {
    Named { block: format!("{SITE}/blocks/{hall}").parse().unwrap(), capacity: load(kw) }
}

fn by(party: Party) -> Actor {
    Actor { party, subject: "ada".to_owned(), address: "192.0.2.7".to_owned() }
}

fn signatory() -> Signatory {
    Signatory { name: "Ada Marsh".to_owned(), title: String::new() }
}

fn nominate(lease: &mut Lease, blocks: &[Named], day: &str) -> Result<Happened, Error> {
    let command =
        Command::Nominate { nomination: "north".to_owned(), blocks: blocks.to_vec(), signatory: signatory() };
    lease.obey(&command, &by(Party::Operator), at(day))
}

fn claimed(lease: &Lease) -> Vec<(String, i64)> {
    let claims = lease.claims().into_iter();
    let mut blocks: Vec<_> =
        claims.map(|claim| (claim.block.block.to_string(), claim.steps[0].1.critical_it)).collect();
    blocks.sort();
    blocks
}

/// Both have signed it, and nothing is committed since nothing is taken.
fn agreed() -> Lease {
    let mut lease = proposing(terms(unplaced(), "America/Chicago"));
    assert_eq!(lease.claims(), []);
    lease.held(None, at("2026-12-01")).unwrap();
    for party in [Party::Operator, Party::Tenant] {
        lease
            .sign(Signature {
                party,
                signatory: signatory(),
                subject: "ada".to_owned(),
                peer_address: String::new(),
                terms_hash: lease.terms_hash,
                time: at("2026-12-02"),
            })
            .unwrap();
    }
    lease.committed(at("2026-12-02")).unwrap();
    assert_eq!(lease.state, LeaseState::Effective);
    lease
}

#[test]
fn what_is_not_named_is_not_held_and_counts_apart() {
    let plain = Draft { escalator: None, ..river_bend() };
    let (with, plain) = (active(growing()), active(plain));
    assert_eq!(with.claims(), plain.claims());
    let (value, base) = (with.value().unwrap(), plain.value().unwrap());
    assert_eq!(value.unplaced_contract_value.minor, 4_000 * 100 * 120 * 100);
    assert_eq!(value.unplaced_it_kw, 4_000);
    let apart = (value.unplaced_contract_value, value.unplaced_it_kw);
    let (unplaced_contract_value, unplaced_it_kw) = apart;
    assert_eq!(Value { unplaced_contract_value, unplaced_it_kw, ..base }, value);
    let deadlines: Vec<_> =
        of_lease(&with).into_iter().filter(|one| one.kind == DeadlineKind::Nomination).collect();
    assert_eq!(deadlines.len(), 1);
    assert_eq!((deadlines[0].date, deadlines[0].critical_it_kw), (date("2028-12-31"), 4_000));
}

#[test]
fn named_in_steps_its_blocks_are_premises_of_the_next_versions_and_what_is_left_falls() {
    let mut lease = active(growing());
    let before = lease.value().unwrap();
    assert_eq!(nominate(&mut lease, &[named("n-1", 1_500)], "2028-01-02").unwrap(), Happened::Nominated);
    assert_eq!((lease.version, lease.terms.nominations[0].capacity), (2, load(2_500)));
    assert_eq!(lease.terms_hash, lease.hash_of(&lease.terms).unwrap());
    let signed: Vec<_> = lease.signatures.iter().map(|one| (one.party, one.terms_hash)).collect();
    assert_eq!(signed, [(Party::Operator, lease.terms_hash)], "the tenant has signed the right to it");
    assert!(lease.is_nominated());
    nominate(&mut lease, &[named("n-2", 500), named("n-3", 2_000)], "2028-12-31").unwrap();
    assert_eq!((lease.version, lease.terms.nominations.len()), (3, 0));
    let four = [("hut-fs-rb-1", 245_000), ("n-1", 1_500), ("n-2", 500), ("n-3", 2_000)];
    assert_eq!(claimed(&lease), four.map(|(hall, kw)| (hall.to_owned(), kw)));
    let value = lease.value().unwrap();
    assert_eq!(value.unplaced_contract_value.minor, 0);
    let sum = before.base_contract_value.checked_add(before.unplaced_contract_value);
    assert_eq!(Some(value.base_contract_value), sum, "what was apart is base now, to the cent");
    assert_eq!(lease.pass(at("2030-01-02")).unwrap(), Some(Happened::Commenced));
    assert!(lease.taken().iter().all(|one| one.state == PremisesState::Commenced));
    assert_eq!(
        record::read(
            &record::canonical(
                &kernel::OperatorName::new(lease.name.operator.clone()),
                &lease.tenant,
                &active(growing()).terms
            )
            .unwrap()
            .bytes
        )
        .unwrap(),
        active(growing()).terms
    );
}

#[test]
fn a_refusal_says_what_would_work() {
    let lease = active(growing());
    let refused = |blocks: &[Named], day: &str| nominate(&mut lease.clone(), blocks, day).unwrap_err();
    let elsewhere =
        Named { block: "operators/hut8/sites/elsewhere/blocks/n-1".parse().unwrap(), capacity: load(10) };
    let wrong = [elsewhere, named("hut-fs-rb-1", 10), named("n-1", 10), named("n-1", 10)];
    let refusal = refused(&wrong, "2028-01-02");
    let fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["blocks[0].block", "blocks[1].block", "blocks[3].block"]);
    assert!(refusal.violations()[0].description.contains(SITE), "{refusal:?}");
    let fact = |refusal: &Error, name: &str| refusal.metadata().get(name).cloned().unwrap_or_default();
    let refusal = refused(&[named("n-1", 3_000), named("n-2", 1_001)], "2028-01-02");
    assert_eq!(refusal.reason(), Reason::NominationExceeded);
    assert_eq!((fact(&refusal, "requestedKw"), fact(&refusal, "leftKw")), ("4001".into(), "4000".into()));
    // The rest would have load without cooling, or cooling without load.
    for capacity in [CapacityVector::new(1_000, 0, 2_000, 0), CapacityVector::new(4_000, 0, 4_000, 0)] {
        let mut roomy = lease.clone();
        roomy.terms.nominations[0].capacity.liquid +=
            i64::from(capacity == CapacityVector::new(4_000, 0, 4_000, 0));
        let one = Named { capacity: capacity.unwrap(), ..named("n-1", 1) };
        let refusal = nominate(&mut roomy, &[one], "2028-01-02").unwrap_err();
        assert_eq!(refusal.reason(), Reason::NominationExceeded, "{capacity:?}");
    }
    // Midnight of UTC is the evening before in Chicago.
    assert!(nominate(&mut lease.clone(), &[named("n-1", 10)], "2029-01-01").is_ok());
    let refusal = refused(&[named("n-1", 10)], "2029-01-02");
    assert_eq!(refusal.reason(), Reason::NominationClosed);
    assert_eq!(fact(&refusal, "lastDate"), "2028-12-31");
    let mut defaulted = lease.clone();
    defaulted.state = LeaseState::Defaulted;
    let refusal = nominate(&mut defaulted, &[named("n-1", 10)], "2028-01-02").unwrap_err();
    assert_eq!(refusal.reason(), Reason::InvalidStateTransition);
}

#[test]
fn a_lease_of_nothing_but_a_right_is_in_force_and_gets_its_blocks() {
    let mut lease = agreed();
    assert_eq!(lease.claims(), []);
    assert_eq!(lease.value().unwrap().base_contract_value.minor, 0);
    nominate(&mut lease, &[named("n-1", 4_000)], "2027-01-02").unwrap();
    assert_eq!(claimed(&lease), [("n-1".to_owned(), 4_000)]);
    assert_eq!(lease.pass(at("2029-06-01")).unwrap(), None);
    assert_eq!(lease.pass(at("2030-01-02")).unwrap(), Some(Happened::Commenced));
    assert_eq!(lease.state, LeaseState::Active);
    assert_eq!(lease.pass(at("2040-01-02")).unwrap(), Some(Happened::Expired));
}

#[test]
fn what_is_left_after_the_last_day_lapses_and_a_lease_of_nothing_else_is_over() {
    let mut lease = agreed();
    assert_eq!(lease.pass(at("2029-01-01")).unwrap(), None, "still the last of December in Chicago");
    assert_eq!(lease.pass(at("2029-01-02")).unwrap(), Some(Happened::Terminated));
    assert_eq!((lease.state, lease.due_at()), (LeaseState::Terminated, None));
    let mut growing = active(growing());
    nominate(&mut growing, &[named("n-1", 1_000)], "2028-01-02").unwrap();
    assert_eq!(growing.pass(at("2029-01-02")).unwrap(), Some(Happened::NominationLapsed));
    assert_eq!((growing.version, growing.open_nominations().count()), (2, 0));
    assert_eq!(growing.value().unwrap().unplaced_contract_value.minor, 0);
    assert_eq!(
        nominate(&mut growing, &[named("n-2", 10)], "2029-02-01").unwrap_err().reason(),
        Reason::NominationClosed
    );
}

#[test]
fn nobody_signs_a_lease_of_nothing() {
    let mut lease = proposing(terms(unplaced(), "America/Chicago"));
    lease.held(None, at("2026-12-01")).unwrap();
    let signature = Signature {
        party: Party::Tenant,
        signatory: signatory(),
        subject: "ada".to_owned(),
        peer_address: String::new(),
        terms_hash: lease.terms_hash,
        time: at("2029-01-02"),
    };
    assert_eq!(lease.sign(signature).unwrap_err().reason(), Reason::NominationClosed);
}

#[test]
fn everything_wrong_with_them_is_found_at_once() {
    let one = later("north");
    let strange = NominationDraft {
        site: "operators/acme/sites/rockdale".parse().ok(),
        capacity: CapacityVector::new(10, 0, 5, 0),
        rate: "0".parse().ok(),
        last: Some(date("2030-01-01")),
        ..one.clone()
    };
    let late = NominationDraft {
        id: Some("south".to_owned()),
        last: Some(date("2026-11-30")),
        end: Some(date("2029-01-01")),
        ..one.clone()
    };
    let nominations = vec![one, strange, late];
    let mut findings = Findings::new();
    let own = "hut8".parse().unwrap();
    Draft { nominations, ..river_bend() }.check(Some(&own), date("2026-12-01"), &mut findings);
    let refusal = findings.finish().unwrap_err();
    let mut fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    fields.sort_unstable();
    let of = |rest: &str| format!("terms.nominations{rest}");
    assert_eq!(
        fields,
        [
            of("[1].base_rate_per_kw_month"),
            of("[1].capacity"),
            of("[1].last_nomination_date"),
            of("[1].nomination_id"),
            of("[1].site"),
            of("[2].end_date"),
            of("[2].last_nomination_date"),
        ]
    );
    // Nothing at all is no lease.
    let mut findings = Findings::new();
    Draft { premises: Vec::new(), ..river_bend() }.check(None, date("2026-12-01"), &mut findings);
    assert_eq!(findings.finish().unwrap_err().violations()[0].field, "terms.premises");
}

#[test]
fn whoever_leaves_for_a_fee_pays_for_what_is_not_placed_yet() {
    let fee = |lease: &mut Lease, end: &str, day: &str| {
        let (ground, reason) = (Ground::Fee, "we leave".to_owned());
        let command = Command::Terminate { ground, end: date(end), reason };
        lease.obey(&command, &by(Party::Tenant), at(day)).expect("notice");
        lease.life.termination.as_ref().and_then(|end| end.fee).expect("a fee").minor
    };
    let mut draft = growing();
    draft.contract.termination = Some(TerminationTerms { notice_months: 12, fee_months: 24 });
    let mut lease = active(draft);
    // Two years of River Bend, and from 2030 on 18 months of 4,000 kW at 100.
    let blocks = 24 * 3_136_383_860;
    assert_eq!(fee(&mut lease.clone(), "2029-07-01", "2028-01-02"), blocks + 18 * 40_000_000);
    // The same where the operator has named the blocks before.
    let mut named_before = lease.clone();
    nominate(&mut named_before, &[named("north-1", 4_000)], "2028-01-02").unwrap();
    assert_eq!(fee(&mut named_before, "2029-07-01", "2028-01-02"), blocks + 18 * 40_000_000);
    // What has lapsed is owed no more, and costs nothing.
    assert_eq!(lease.pass(at("2029-02-01")).unwrap(), Some(Happened::NominationLapsed));
    assert_eq!(fee(&mut lease, "2030-07-01", "2029-02-01"), blocks);
}
