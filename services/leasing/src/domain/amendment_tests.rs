use kernel::Money;
use proptest::prelude::*;

use super::*;
use crate::domain::draft::{PremisesDraft, RateDraft};
use crate::domain::schedule::{ScheduleLine, freeze, lines};
use crate::domain::testing::{active, at, date, river_bend, terms};
use crate::domain::{Command, LeaseState};

/// Its terms with another rate, load from a day on, and end.
fn other(rate: &str, from: &str, kw: i64, end: &str) -> Terms {
    let mut draft = river_bend();
    let premises: &mut PremisesDraft = &mut draft.premises[0];
    premises.rate = Some(RateDraft::Base(rate.parse().ok()));
    premises.profile.push((Some(date(from)), kernel::CapacityVector::new(kw, 0, kw, 0)));
    premises.end = Some(date(end));
    draft.term_months = 240;
    terms(draft, "UTC")
}

fn by(party: Party) -> Actor {
    Actor { party, subject: "tester".to_owned(), address: "192.0.2.7".to_owned() }
}

fn propose(lease: &mut Lease, terms: Terms, effective: &str, day: &str) -> Result<Happened, Error> {
    let (terms, effective, note) = (Box::new(terms), date(effective), String::new());
    lease.obey(
        &Command::ProposeAmendment { terms, master: None, effective, note },
        &by(Party::Operator),
        at(day),
    )
}

fn sign(lease: &mut Lease, party: Party, day: &str) -> Result<Happened, Error> {
    let amendment = lease.life.amendment.clone().expect("an amendment");
    let terms_hash = lease.hash_of(&amendment.terms).unwrap().0;
    let signatory = Signatory { name: "A. Person".to_owned(), title: String::new() };
    lease.obey(&Command::SignAmendment { terms_hash, signatory }, &by(party), at(day))
}

/// The terms in force, and so much of another hall from a day on.
fn with_hall(lease: &Lease, hall: &str, kw: i64, from: &str) -> Terms {
    let mut terms = lease.terms.clone();
    let mut added = terms.premises[0].clone();
    added.block = format!("operators/hut8/sites/river-bend/blocks/{hall}").parse().unwrap();
    added.profile = vec![super::super::terms::ProfileStep {
        from: date(from),
        capacity: kernel::CapacityVector::new(kw, 0, kw, 0).unwrap(),
    }];
    added.commencement = date(from);
    terms.premises.push(added);
    terms
}

fn claimed(lease: &Lease) -> Vec<String> {
    let mut blocks: Vec<_> = lease.claims().iter().map(|claim| claim.block.block.to_string()).collect();
    blocks.sort();
    blocks
}

fn schedule(lease: &Lease) -> Vec<ScheduleLine> {
    lines(&lease.terms, &lease.premises).unwrap()
}

fn amounts(lines: &[ScheduleLine], when: impl Fn(CivilDate) -> bool) -> Vec<(CivilDate, Money)> {
    let told = lines.iter().filter(|line| when(line.line.period.start()));
    told.map(|line| (line.line.period.start(), line.line.amount)).collect()
}

#[test]
fn the_version_in_force_stays_until_both_have_signed() {
    let mut lease = active(river_bend());
    let before = lease.clone();
    let wanted = other("130", "2029-01-01", 250_000, "2044-12-01");
    let proposed = propose(&mut lease, wanted, "2029-01-01", "2028-02-02").unwrap();
    assert_eq!(proposed, Happened::AmendmentProposed);
    assert_eq!(sign(&mut lease, Party::Tenant, "2028-02-03").unwrap(), Happened::AmendmentSigned);
    let reason = sign(&mut lease, Party::Tenant, "2028-02-03").expect_err("refused").reason();
    assert_eq!(reason, Reason::InvalidStateTransition);
    let stands =
        |lease: &Lease| (lease.version, lease.terms_hash, lease.terms.clone(), lease.premises.clone());
    assert_eq!(stands(&lease), stands(&before));
    assert_eq!(lease.claims(), before.claims());
    assert_eq!(sign(&mut lease, Party::Operator, "2028-02-04").unwrap(), Happened::Amended);
    assert_eq!((lease.version, lease.life.amendment.is_none()), (2, true));
    assert_eq!(lease.premises[0].end, date("2044-12-01"));
    assert_eq!(lease.premises[0].zone, before.premises[0].zone, "dates are read where the block lies");
    assert_eq!(lease.revision, before.revision + 3);
    let hashes: Vec<_> = lease.signatures.iter().map(|one| one.terms_hash).collect();
    assert_eq!(hashes, [lease.terms_hash; 2]);
}

#[test]
fn on_its_day_it_expires_and_it_can_be_withdrawn_before() {
    let mut lease = active(river_bend());
    let before = lease.clone();
    let wanted = other("130", "2029-01-01", 250_000, "2044-12-01");
    propose(&mut lease, wanted.clone(), "2029-01-01", "2028-02-02").unwrap();
    let withdrawn = lease.obey(&Command::WithdrawAmendment, &by(Party::Tenant), at("2028-02-03"));
    assert_eq!(withdrawn.unwrap(), Happened::AmendmentWithdrawn);
    assert_eq!(lease.life, before.life);
    propose(&mut lease, wanted, "2029-01-01", "2028-02-04").unwrap();
    assert_eq!(lease.pass(at("2029-01-01")).unwrap(), None, "not yet the first in Texas");
    assert_eq!(lease.pass(at("2029-01-02")).unwrap(), Some(Happened::AmendmentExpired));
    assert_eq!((&lease.life, lease.version), (&before.life, 1));
    assert_eq!(schedule(&lease).len(), schedule(&before).len());
}

#[test]
fn what_cannot_be_amended_is_said_at_once() {
    let mut lease = active(river_bend());
    let mut wanted = other("130", "2029-01-01", 250_000, "2044-12-01");
    wanted.premises[0].commencement = date("2027-12-02");
    wanted.premises[0].end = date("2028-06-01");
    let refusal = propose(&mut lease, wanted, "2028-06-02", "2028-02-02").expect_err("refused");
    let fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    let expected = ["effective_date", "terms.premises[0].commencement_date", "terms.premises[0].end_date"];
    assert_eq!(fields, expected);
    let same = lease.terms.clone();
    let refusal = propose(&mut lease, same, "2029-01-01", "2028-02-02").expect_err("refused");
    assert_eq!(refusal.violations()[0].field, "terms", "nothing would change");
    lease.state = LeaseState::Terminated;
    let wanted = other("130", "2029-01-01", 250_000, "2044-12-01");
    let refusal = propose(&mut lease, wanted, "2029-01-01", "2028-02-02").expect_err("refused");
    assert_eq!(refusal.reason(), Reason::InvalidStateTransition);
}

proptest! {
    /// Before its day everything is as it was, from it on as if the new terms had always been so.
    #[test]
    fn rent_is_the_old_before_its_day_and_the_new_from_it_on(
        months in 2_i32..150,
        kw in 1_000_i64..400_000,
        rate in 50_u32..300,
        longer in 0_i32..40,
    ) {
        let mut lease = active(river_bend());
        let before = schedule(&lease);
        let effective = kernel::time::add_months(date("2028-01-01"), months).unwrap();
        let end = kernel::time::add_months(date("2042-12-01"), longer).unwrap();
        let wanted = other(&rate.to_string(), &effective.to_string(), kw, &end.to_string());
        let alone = lines(&wanted, &freeze(&wanted).unwrap()).unwrap();
        propose(&mut lease, wanted, &effective.to_string(), "2028-02-02").unwrap();
        sign(&mut lease, Party::Operator, "2028-02-02").unwrap();
        sign(&mut lease, Party::Tenant, "2028-02-02").unwrap();
        let after = schedule(&lease);
        prop_assert_eq!(amounts(&after, |day| day < effective), amounts(&before, |day| day < effective));
        prop_assert_eq!(amounts(&after, |day| day >= effective), amounts(&alone, |day| day >= effective));
    }
}

#[test]
fn an_added_block_is_held_from_the_proposal_on_and_is_the_leases_once_both_have_signed() {
    let mut lease = active(river_bend());
    let before = lease.clone();
    let wanted = with_hall(&lease, "two", 1_000, "2029-06-15");
    propose(&mut lease, wanted.clone(), "2029-01-01", "2028-02-02").unwrap();
    assert_eq!(claimed(&lease), ["hut-fs-rb-1", "two"]);
    let held = lease.claims();
    assert_eq!(
        (lease.version, &lease.premises, lease.value().unwrap()),
        (1, &before.premises, before.value().unwrap())
    );
    sign(&mut lease, Party::Tenant, "2028-02-03").unwrap();
    assert_eq!(lease.claims(), held);
    assert_eq!(sign(&mut lease, Party::Operator, "2028-02-04").unwrap(), Happened::Amended);
    assert_eq!(lease.claims()[1], held[1], "it takes what was held, renewals included");
    assert_eq!((lease.version, lease.taken().len()), (2, 2));
    let [old, new] = lease.taken() else { panic!("two blocks") };
    assert_eq!((old.state, new.state), (PremisesState::Commenced, PremisesState::Planned));
    let of = |at| move |line: &&ScheduleLine| line.premises == at;
    let (lines, were) = (schedule(&lease), schedule(&before));
    let old: Vec<_> = lines.iter().filter(of(0)).map(|line| line.line).collect();
    assert_eq!(old, were.iter().map(|line| line.line).collect::<Vec<_>>(), "what is billed stays");
    let first = lines.iter().find(of(1)).unwrap();
    assert_eq!(first.line.period.start(), date("2029-06-15"), "from its own commencement on");
    assert_eq!(lease.pass(at("2029-06-16")).unwrap(), Some(Happened::Commenced));
    assert_eq!(lease.life.amendment, None);
}

#[test]
fn what_was_held_for_an_added_block_is_given_back_however_it_leaves_the_table() {
    let mut lease = active(river_bend());
    let wanted = with_hall(&lease, "two", 1_000, "2029-06-15");
    propose(&mut lease, wanted, "2029-01-01", "2028-02-02").unwrap();
    lease.life.claims_due = false;
    let mut withdrawn = lease.clone();
    withdrawn.obey(&Command::WithdrawAmendment, &by(Party::Tenant), at("2028-03-01")).unwrap();
    let mut expired = lease.clone();
    assert_eq!(expired.pass(at("2029-01-02")).unwrap(), Some(Happened::AmendmentExpired));
    let mut over = lease.clone();
    over.go(Deed::Terminate, at("2028-03-01")).unwrap();
    for gone in [withdrawn, expired, over] {
        assert!(gone.life.claims_due, "{}", gone.state);
        assert_eq!(claimed(&gone), ["hut-fs-rb-1"]);
    }
}

#[test]
fn a_block_that_is_added_begins_with_the_terms_and_behind_the_others() {
    let lease = active(river_bend());
    let refused = |terms: Terms| {
        let refusal = propose(&mut lease.clone(), terms, "2029-01-01", "2028-02-02").unwrap_err();
        refusal.violations().iter().map(|one| one.field.clone()).collect::<Vec<_>>()
    };
    let early = with_hall(&lease, "two", 1_000, "2028-12-31");
    assert_eq!(refused(early), ["terms.premises[1].commencement_date"]);
    let mut turned = with_hall(&lease, "two", 1_000, "2029-06-15");
    turned.premises.reverse();
    assert_eq!(refused(turned), ["terms.premises"]);
    let mut without = with_hall(&lease, "two", 1_000, "2029-06-15");
    without.premises.remove(0);
    assert_eq!(refused(without), ["terms.premises"]);
}

#[test]
fn what_is_told_of_an_added_block_counts_once_it_is_the_leases() {
    let mut lease = active(river_bend());
    let wanted = with_hall(&lease, "two", 1_000, "2029-06-15");
    let block = wanted.premises[1].block.clone();
    propose(&mut lease, wanted, "2029-01-01", "2028-02-02").unwrap();
    let standing = Standing { short_until: Some(date("2029-09-01")), ..Standing::default() };
    lease.life.amendment.as_mut().unwrap().told.push((block, standing));
    sign(&mut lease, Party::Tenant, "2028-02-03").unwrap();
    sign(&mut lease, Party::Operator, "2028-02-04").unwrap();
    assert_eq!(lease.taken()[1].commencement, date("2029-09-01"));
}
