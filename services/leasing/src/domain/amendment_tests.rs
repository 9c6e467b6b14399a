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
    lease.obey(&Command::ProposeAmendment { terms, effective, note }, &by(Party::Operator), at(day))
}

fn sign(lease: &mut Lease, party: Party, day: &str) -> Result<Happened, Error> {
    let amendment = lease.life.amendment.clone().expect("an amendment");
    let terms_hash = lease.hash_of(&amendment.terms).unwrap().0;
    let signatory = Signatory { name: "A. Person".to_owned(), title: String::new() };
    lease.obey(&Command::SignAmendment { terms_hash, signatory }, &by(party), at(day))
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
