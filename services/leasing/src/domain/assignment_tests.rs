use super::*;
use crate::domain::LeaseState;
use crate::domain::lease::Party;
use crate::domain::life::Command;
use crate::domain::testing::{at, date, proposing, river_bend, terms};
use kernel::Reason;

fn in_force() -> Lease {
    let mut lease = proposing(terms(river_bend(), "America/Chicago"));
    lease.state = LeaseState::Effective;
    lease
}

fn wish(kind: AssignmentKind, day: &str) -> Wish {
    Wish {
        kind,
        assignee: "tenants/anthropic".parse().expect("a name"),
        effective: date(day),
        reference: "AA-7".to_owned(),
        note: String::new(),
    }
}

fn says(lease: &mut Lease, party: Party, command: &Command, day: &str) -> Result<Happened, Error> {
    let by = Actor { party, subject: "tester".to_owned(), address: String::new() };
    lease.obey(command, &by, at(day))
}

fn consent() -> Command {
    let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
    Command::ConsentToAssignment { signatory }
}

fn asks(lease: &mut Lease, wish: Wish) -> Result<Happened, Error> {
    says(lease, Party::Tenant, &Command::RequestAssignment { wish }, "2027-01-15")
}

#[test]
fn with_consent_another_is_the_tenant_of_record_from_its_day_on() {
    let mut lease = in_force();
    asks(&mut lease, wish(AssignmentKind::Assignment, "2027-03-01")).expect("asked");
    let twice = asks(&mut lease, wish(AssignmentKind::Assignment, "2027-04-01")).expect_err("once");
    assert_eq!(twice.reason(), Reason::InvalidStateTransition);
    assert_eq!(
        says(&mut lease, Party::Operator, &consent(), "2027-01-16").expect("consented"),
        Happened::AssignmentConsented
    );
    for command in [consent(), Command::DeclineAssignment] {
        let late = says(&mut lease, Party::Operator, &command, "2027-01-17").expect_err("consented");
        assert_eq!(late.reason(), Reason::InvalidStateTransition);
    }
    assert_eq!(lease.pass(at("2027-03-01")).expect("passed"), None, "it is still yesterday in Texas");
    assert_eq!(lease.pass(at("2027-03-02")).expect("passed"), Some(Happened::Assigned));
    assert_eq!(lease.tenant.to_string(), "tenants/anthropic");
    assert!(lease.life.claims_due && lease.life.assignment.is_none());
    let [former] = lease.life.former_tenants.as_slice() else { panic!("one former tenant") };
    assert_eq!(
        (former.tenant.to_string().as_str(), former.until),
        ("tenants/fluidstack", date("2027-03-01"))
    );
    assert_eq!(former.until_revision, lease.revision);
    assert_eq!(lease.pass(at("2027-03-02")).expect("passed"), None);
}

#[test]
fn a_sublease_leaves_the_tenant_liable() {
    let mut lease = in_force();
    asks(&mut lease, wish(AssignmentKind::Sublease, "2027-03-01")).expect("asked");
    says(&mut lease, Party::Operator, &consent(), "2027-01-16").expect("consented");
    assert_eq!(lease.pass(at("2027-03-02")).expect("passed"), Some(Happened::Subleased));
    assert_eq!(lease.tenant.to_string(), "tenants/fluidstack");
    assert!(!lease.life.claims_due && lease.life.former_tenants.is_empty());
    assert_eq!(lease.life.subtenants[0].since, date("2027-03-01"));
    let again = asks(&mut lease, wish(AssignmentKind::Sublease, "2027-05-01")).expect_err("is one already");
    assert_eq!(again.reason(), Reason::InvalidField);
}

#[test]
fn without_consent_nothing_changes() {
    let mut lease = in_force();
    asks(&mut lease, wish(AssignmentKind::Assignment, "2027-03-01")).expect("asked");
    let late = says(&mut lease, Party::Operator, &consent(), "2027-03-02").expect_err("its day has come");
    assert_eq!(late.reason(), Reason::InvalidStateTransition);
    assert_eq!(lease.pass(at("2027-03-02")).expect("passed"), Some(Happened::AssignmentExpired));
    assert_eq!(lease.tenant.to_string(), "tenants/fluidstack");
    asks(&mut lease, wish(AssignmentKind::Assignment, "2027-04-01")).expect("asked again");
    says(&mut lease, Party::Tenant, &Command::DeclineAssignment, "2027-03-03").expect("asks no more");
    assert_eq!(lease.life.assignment, None);
}

#[test]
fn a_day_is_the_first_of_a_month_within_the_term_and_to_come() {
    for day in ["2027-03-02", "2027-01-01", "2042-12-01"] {
        let refusal = asks(&mut in_force(), wish(AssignmentKind::Assignment, day)).expect_err(day);
        let fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["effective_date"], "{day}");
    }
}
