use kernel::{Money, Reason};

use super::*;
use crate::domain::draft::{Draft, RateDraft};
use crate::domain::schedule::lines;
use crate::domain::testing::{active, at, date, river_bend};
use crate::domain::{Command, Party};

/// 1,000 kW from 1 December 2027 for two years at 100 and then 103; nothing to renew.
fn short() -> Draft {
    let mut draft = river_bend();
    draft.renewal_options = Vec::new();
    draft.premises[0].end = Some(date("2029-12-01"));
    draft.premises[0].profile =
        vec![(Some(date("2027-12-01")), kernel::CapacityVector::new(1_000, 0, 1_000, 0))];
    draft.premises[0].rate = Some(RateDraft::Base("100".parse().ok()));
    draft.term_months = 24;
    draft
}

fn says(lease: &mut Lease, command: &Command, day: &str) -> Result<Happened, Error> {
    let by = Actor { party: Party::Operator, subject: "tester".to_owned(), address: String::new() };
    lease.obey(command, &by, at(day))
}

fn stays(until: &str) -> Command {
    Command::BeginHoldover { until: date(until), note: "they are still there".to_owned() }
}

fn leaves(end: &str) -> Command {
    Command::EndHoldover { end: date(end), note: "the keys are back".to_owned() }
}

fn rent(lease: &Lease, month: &str) -> Vec<Money> {
    let lines = lines(&lease.terms, &lease.premises).unwrap();
    let of = lines.iter().filter(|line| line.line.month.first_day() == date(month));
    of.map(|line| line.line.amount).collect()
}

fn usd(minor: i64) -> Money {
    Money::new(minor, kernel::Currency::USD)
}

#[test]
fn a_tenant_that_stays_pays_half_as_much_again_until_it_leaves() {
    let mut lease = active(short());
    let before = lease.claims();
    assert_eq!(says(&mut lease, &stays("2030-03-01"), "2029-11-02").unwrap(), Happened::HoldoverAgreed);
    assert_eq!((lease.state, lease.premises[0].end), (LeaseState::Active, date("2030-03-01")));
    assert_eq!(lease.claims()[0].steps, before[0].steps);
    assert_eq!(lease.claims()[0].end, lease.premises[0].end_at);
    assert_eq!(lease.premises[0].firm_end(), date("2030-03-01"), "nobody takes it away");
    assert_eq!(lease.pass(at("2029-12-01")).unwrap(), None, "not yet the first in Texas");
    assert_eq!(lease.pass(at("2029-12-02")).unwrap(), Some(Happened::HeldOver));
    assert_eq!((lease.state, lease.pass(at("2029-12-02")).unwrap()), (LeaseState::Holdover, None));
    // 1,000 kW at 103, and then at 154.50.
    assert_eq!(
        (rent(&lease, "2029-11-01"), rent(&lease, "2029-12-01")),
        (vec![usd(10_300_000)], vec![usd(15_450_000)])
    );
    assert_eq!(says(&mut lease, &stays("2030-06-01"), "2030-02-02").unwrap(), Happened::HoldoverAgreed);
    assert_eq!(rent(&lease, "2030-05-01"), [usd(15_450_000)], "half as much again of the rent, once");
    assert_eq!(says(&mut lease, &leaves("2030-04-11"), "2030-04-12").unwrap(), Happened::HoldoverEnded);
    // Ten of thirty days.
    assert_eq!((rent(&lease, "2030-04-01"), rent(&lease, "2030-05-01")), (vec![usd(5_150_000)], vec![]));
    assert_eq!(lease.pass(at("2030-04-12")).unwrap(), Some(Happened::Expired));
    assert_eq!(lease.premises[0].state, PremisesState::Ended);
    let holdover = lease.life.holdover.clone().unwrap();
    assert_eq!(
        (holdover.from, holdover.until, holdover.vacated),
        (date("2029-12-01"), date("2030-04-11"), true)
    );
}

#[test]
fn that_it_stays_can_be_found_once_the_term_is_over() {
    let mut draft = short();
    draft.contract.holdover = Some(HoldoverTerms { percent: "200".parse().unwrap() });
    let mut lease = active(draft);
    assert_eq!(lease.pass(at("2029-12-02")).unwrap(), Some(Happened::Expired));
    assert_eq!(says(&mut lease, &stays("2030-01-01"), "2029-12-05").unwrap(), Happened::HeldOver);
    assert_eq!((lease.state, lease.premises[0].state), (LeaseState::Holdover, PremisesState::Commenced));
    assert_eq!(rent(&lease, "2029-12-01"), [usd(20_600_000)], "from the end of the term on");
    // Nobody said that it left: it is over on its day, and can be found not to be once more.
    assert_eq!(lease.pass(at("2030-01-02")).unwrap(), Some(Happened::Expired));
    assert_eq!(says(&mut lease, &stays("2030-02-01"), "2030-01-05").unwrap(), Happened::HeldOver);
    assert_eq!(rent(&lease, "2030-01-01"), [usd(20_600_000)]);
    assert_eq!(lease.life.holdover.clone().unwrap().from, date("2029-12-01"));
}

#[test]
fn a_holdover_that_comes_to_nothing_leaves_the_lease_as_it_was() {
    let mut lease = active(short());
    let before = lease.clone();
    says(&mut lease, &stays("2030-03-01"), "2029-11-02").unwrap();
    says(&mut lease, &leaves("2029-12-01"), "2029-11-03").unwrap();
    assert_eq!((lease.claims(), lease.premises[0].end), (before.claims(), before.premises[0].end));
    assert_eq!(lines(&lease.terms, &lease.premises).unwrap().len(), 24);
    assert_eq!(lease.pass(at("2029-12-02")).unwrap(), Some(Happened::Expired));
}

#[test]
fn a_default_comes_first_and_the_holdover_after_its_cure() {
    use crate::domain::life::NoticeKind;
    let mut lease = active(short());
    says(&mut lease, &stays("2030-03-01"), "2029-11-02").unwrap();
    let notice = |kind| Command::Notify { kind, note: "unpaid".to_owned() };
    says(&mut lease, &notice(NoticeKind::MonetaryDefault), "2029-11-03").unwrap();
    assert_eq!(lease.pass(at("2029-12-02")).unwrap(), Some(Happened::Defaulted));
    assert_eq!(lease.pass(at("2029-12-02")).unwrap(), None);
    says(&mut lease, &notice(NoticeKind::Cured), "2029-12-05").unwrap();
    assert_eq!(lease.pass(at("2029-12-05")).unwrap(), Some(Happened::HeldOver));
    assert_eq!(lease.state, LeaseState::Holdover);
}

#[test]
fn who_has_a_renewal_left_or_no_lease_does_not_hold_over() {
    let reason = |lease: &mut Lease, command: &Command, day: &str| {
        says(lease, command, day).expect_err("refused").reason()
    };
    let mut renewable = active(Draft { renewal_options: river_bend().renewal_options, ..short() });
    assert_eq!(reason(&mut renewable, &stays("2030-03-01"), "2028-02-02"), Reason::InvalidStateTransition);
    assert_eq!(renewable.pass(at("2029-11-01")).unwrap(), Some(Happened::OptionLapsed));
    says(&mut renewable, &stays("2030-03-01"), "2029-11-02").expect("none is left");
    let mut lease = active(short());
    for (until, why) in [("2029-12-01", "the term"), ("2031-12-02", "two years"), ("2028-01-01", "today")] {
        assert_eq!(reason(&mut lease, &stays(until), "2029-11-02"), Reason::InvalidField, "{why}");
    }
    assert_eq!(reason(&mut lease, &leaves("2029-12-01"), "2029-11-02"), Reason::InvalidStateTransition);
    says(&mut lease, &stays("2030-03-01"), "2029-11-02").unwrap();
    for end in ["2029-11-30", "2030-03-02"] {
        assert_eq!(reason(&mut lease, &leaves(end), "2029-11-03"), Reason::InvalidField);
    }
    lease.state = LeaseState::Closed;
    assert_eq!(reason(&mut lease, &stays("2030-06-01"), "2029-11-03"), Reason::InvalidStateTransition);
}
