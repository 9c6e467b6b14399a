use proptest::prelude::*;

use super::*;
use crate::domain::contract::{Condition, Contract};
use crate::domain::life::{Actor, Command, Ground, Happened, Met, NoticeKind};
use crate::domain::state::{FINAL, IN_FORCE};
use crate::domain::testing::{at, date, proposing, river_bend, terms};

fn proposed() -> Lease {
    let mut lease = proposing(terms(river_bend(), "America/Chicago"));
    lease.held(hold(), at("2026-12-01")).unwrap();
    lease
}

fn hold() -> Hold {
    Hold { reservation: ReservationId::new(Uuid::from_u128(9)), expire_time: at("2027-01-01") }
}

fn signature(lease: &Lease, party: Party) -> Signature {
    Signature {
        party,
        signatory: Signatory { name: "A. Person".to_owned(), title: String::new() },
        subject: "tester".to_owned(),
        peer_address: "192.0.2.7".to_owned(),
        terms_hash: lease.terms_hash,
        time: at("2026-12-02"),
    }
}

fn effective() -> Lease {
    let mut lease = proposed();
    let (first, last) = (signature(&lease, Party::Tenant), signature(&lease, Party::Operator));
    assert_eq!(lease.sign(first).unwrap(), Signing::First);
    assert_eq!(lease.sign(last).unwrap(), Signing::Last);
    lease.committed(at("2026-12-02")).unwrap();
    lease
}

#[test]
fn both_sides_sign_the_same_hash_and_then_it_is_in_force() {
    let lease = effective();
    assert_eq!(lease.state, LeaseState::Effective);
    assert_eq!(lease.signatures.len(), 2);
    assert_eq!(lease.signed_time, Some(at("2026-12-02")));
    assert_eq!(lease.effective_time, Some(at("2026-12-02")));
}

#[test]
fn another_hash_and_a_second_signature_of_one_side_are_refused() {
    let mut lease = proposed();
    let mut other = signature(&lease, Party::Tenant);
    other.terms_hash = TermsHash([0; 32]);
    assert_eq!(lease.sign(other).expect_err("refused").reason(), Reason::TermsHashMismatch);
    assert!(lease.signatures.is_empty());
    let first = signature(&lease, Party::Tenant);
    lease.sign(first.clone()).unwrap();
    assert_eq!(lease.sign(first).expect_err("refused").reason(), Reason::InvalidStateTransition);
    assert_eq!(lease.signatures.len(), 1);
}

#[test]
fn a_lapsed_lease_says_what_became_of_its_hold() {
    for (because, reason) in [(HOLD_EXPIRED, Reason::HoldExpired), (HOLD_RELEASED, Reason::HoldReleased)] {
        let mut lease = proposed();
        lease.lapse(because, at("2026-12-03")).unwrap();
        assert!(lease.premises.iter().all(|one| one.state == PremisesState::Lapsed), "nothing will commence");
        let late = signature(&lease, Party::Tenant);
        assert_eq!(lease.sign(late).expect_err("refused").reason(), reason);
    }
}

#[test]
fn a_stale_etag_is_refused_and_none_is_not_asked_for() {
    let mut lease = proposed();
    let read = lease.etag();
    assert!(lease.check_etag(&read).is_ok());
    let first = signature(&lease, Party::Tenant);
    lease.sign(first).unwrap();
    assert_eq!(lease.check_etag(&read).expect_err("stale").reason(), Reason::EtagMismatch);
    assert!(lease.check_etag("").is_ok());
}

#[test]
fn only_a_proposed_lease_can_be_cancelled() {
    let mut lease = proposed();
    lease.cancel("no longer wanted", at("2026-12-03")).unwrap();
    assert_eq!(lease.ended_because.as_deref(), Some("no longer wanted"));
    assert!(lease.premises.iter().all(|one| one.state == PremisesState::Lapsed), "nothing will commence");
    let refusal = effective().cancel("too late", at("2026-12-03")).expect_err("refused");
    assert_eq!(refusal.get("from"), Some("EFFECTIVE"));
    assert_eq!(refusal.get("to"), Some("CANCELLED"));
}

#[test]
fn a_block_commences_at_midnight_of_its_site_and_not_a_second_earlier() {
    let mut lease = effective();
    let midnight = lease.premises[0].commence_at;
    assert_eq!(lease.pass(midnight - chrono::TimeDelta::microseconds(1)).unwrap(), None);
    assert_eq!(lease.pass(midnight).unwrap(), Some(Happened::Commenced));
    assert_eq!(lease.state, LeaseState::Active);
    assert_eq!(lease.premises[0].commence_time, Some(midnight));
    assert_eq!(lease.pass(midnight).unwrap(), None, "once is enough");
    assert_eq!(lease.pass(lease.premises[0].end_at).unwrap(), Some(Happened::OptionLapsed));
    assert_eq!(lease.pass(lease.premises[0].end_at).unwrap(), Some(Happened::Expired));
    assert_eq!(lease.state, LeaseState::Expired);
}

/// River Bend with two blocks, the second of which ends a year earlier, agreed on these terms.
fn two_blocks(contract: Contract) -> Lease {
    let mut draft = river_bend();
    let mut second = draft.premises[0].clone();
    second.block = "operators/hut8/sites/river-bend/blocks/hut-fs-rb-2".parse().ok();
    second.end = Some(date("2041-12-01"));
    draft.premises.push(second);
    draft.contract = contract;
    let mut lease = proposing(terms(draft, "America/Chicago"));
    lease.held(hold(), at("2026-12-01")).unwrap();
    for party in [Party::Operator, Party::Tenant] {
        lease.sign(signature(&lease, party)).unwrap();
    }
    lease.committed(at("2026-12-02")).unwrap();
    lease
}

/// Everything that time does until then, in order.
fn pass_until(lease: &mut Lease, day: &str) -> Vec<Happened> {
    std::iter::from_fn(|| lease.pass(at(day)).unwrap()).collect()
}

fn say(lease: &mut Lease, party: Party, command: &Command, day: &str) -> Result<Happened, Reason> {
    let before = lease.clone();
    let by = Actor { party, subject: "tester".to_owned(), address: String::new() };
    let said = lease.obey(command, &by, at(day)).map_err(|refusal| refusal.reason());
    if said.is_err() {
        *lease = before;
    }
    said
}

#[test]
fn a_lease_ends_with_its_last_block() {
    let mut lease = two_blocks(Contract::default());
    let first = [Happened::Commenced, Happened::OptionLapsed, Happened::Ended];
    assert_eq!(pass_until(&mut lease, "2042-01-01"), first);
    assert_eq!(lease.state, LeaseState::Active);
    assert_eq!(pass_until(&mut lease, "2043-01-01"), [Happened::Expired]);
    let close = Command::Notify { kind: NoticeKind::CloseOut, note: "all is paid".to_owned() };
    assert_eq!(say(&mut lease, Party::Operator, &close, "2043-02-01"), Ok(Happened::Closed));
}

#[test]
fn nothing_commences_before_the_lease_is_in_force() {
    let mut lease = proposed();
    assert_eq!(lease.pass(at("2030-01-01")).unwrap(), None);
    assert_eq!(lease.state, LeaseState::Proposed);
}

fn condition(id: &str, day: &str, block: Option<&str>) -> Condition {
    Condition {
        id: id.to_owned(),
        description: "financing".to_owned(),
        outside_date: date(day),
        satisfied_by: Party::Operator,
        block: block.map(|id| format!("operators/hut8/sites/river-bend/blocks/{id}").parse().unwrap()),
    }
}

fn met(id: &str) -> Command {
    Command::Satisfy { condition: id.to_owned(), note: String::new() }
}

#[test]
fn a_lease_with_an_open_condition_is_signed_and_not_in_force() {
    let conditions = vec![condition("one", "2027-06-01", None), condition("two", "2027-07-01", None)];
    let mut lease = two_blocks(Contract { conditions, ..Contract::default() });
    assert_eq!((lease.state, lease.effective_time), (LeaseState::Signed, None));
    assert_eq!(say(&mut lease, Party::Tenant, &met("one"), "2027-01-01"), Err(Reason::InvalidField));
    assert_eq!(say(&mut lease, Party::Operator, &met("three"), "2027-01-01"), Err(Reason::InvalidField));
    assert_eq!(say(&mut lease, Party::Operator, &met("one"), "2027-01-01"), Ok(Happened::Satisfied));
    let twice = say(&mut lease, Party::Operator, &met("one"), "2027-01-02");
    assert_eq!(twice, Err(Reason::InvalidStateTransition));
    let mut open = lease.clone();
    assert_eq!(say(&mut lease, Party::Operator, &met("two"), "2027-02-01"), Ok(Happened::Effective));
    assert_eq!(lease.effective_time, Some(at("2027-02-01")));
    assert_eq!(lease.premises[0].commencement, date("2027-12-01"), "in time for its day");

    // On its outside date, where the block lies, and not an instant earlier.
    let midnight = open.premises[0].zone.start_of_day(date("2027-07-01"));
    assert_eq!(open.pass(midnight - chrono::TimeDelta::microseconds(1)).unwrap(), None);
    assert_eq!(open.pass(midnight).unwrap(), Some(Happened::Lapsed));
    assert_eq!(open.ended_because.as_deref(), Some("CONDITION_OPEN"));
}

#[test]
fn a_condition_that_is_met_late_moves_the_first_day_and_costs_the_operator_nothing() {
    let mut lease = two_blocks(Contract {
        conditions: vec![condition("one", "2028-06-01", None)],
        delivery: Some(crate::domain::testing::contract().delivery.unwrap()),
        ..Contract::default()
    });
    assert_eq!(pass_until(&mut lease, "2028-02-01"), []);
    assert_eq!(say(&mut lease, Party::Operator, &met("one"), "2028-02-02"), Ok(Happened::Effective));
    // The evening before, in Chicago.
    assert_eq!(lease.premises[0].commencement, date("2028-02-01"));
    assert_eq!(lease.premises[0].standing.late_days, 0);
}

#[test]
fn a_block_whose_own_condition_is_open_is_left_out_and_the_lease_goes_on() {
    let conditions = vec![condition("second", "2028-03-01", Some("hut-fs-rb-2"))];
    let mut lease = two_blocks(Contract { conditions, ..Contract::default() });
    assert_eq!(lease.state, LeaseState::Effective);
    assert_eq!(pass_until(&mut lease, "2028-02-01"), [Happened::Commenced]);
    assert_eq!(lease.premises[1].state, PremisesState::Planned);
    assert_eq!(pass_until(&mut lease, "2028-04-01"), [Happened::BlockLapsed]);
    assert_eq!(lease.claims().len(), 1);
    assert!(lease.life.claims_due);
    assert_eq!(pass_until(&mut lease, "2043-01-01"), [Happened::OptionLapsed, Happened::Expired]);
}

#[test]
fn a_default_that_is_not_cured_in_time_is_one_until_it_is() {
    let mut lease = two_blocks(Contract::default());
    let late = |kind| Command::Notify { kind, note: "rent of March".to_owned() };
    let default = late(NoticeKind::MonetaryDefault);
    let early = say(&mut lease, Party::Operator, &default, "2027-01-01");
    assert_eq!(early, Err(Reason::InvalidStateTransition));
    pass_until(&mut lease, "2028-01-02");
    assert_eq!(say(&mut lease, Party::Operator, &default, "2028-03-05"), Ok(Happened::Noticed));
    // The fourth of March in Chicago, and ten days.
    assert_eq!(lease.life.notices[0].cure_date, Some(date("2028-03-14")));
    let mut cured = lease.clone();
    assert_eq!(say(&mut cured, Party::Operator, &late(NoticeKind::Cured), "2028-03-10"), Ok(Happened::Cured));
    assert_eq!(pass_until(&mut cured, "2029-01-01"), []);
    let nothing = say(&mut cured, Party::Operator, &late(NoticeKind::Cured), "2029-01-01");
    assert_eq!(nothing, Err(Reason::InvalidStateTransition));

    assert_eq!(pass_until(&mut lease, "2028-03-15"), [], "in Chicago it is the fourteenth");
    assert_eq!(pass_until(&mut lease, "2028-03-16"), [Happened::Defaulted]);
    assert_eq!(say(&mut lease, Party::Operator, &late(NoticeKind::Cured), "2028-04-01"), Ok(Happened::Cured));
    assert_eq!(lease.state, LeaseState::Active);
}

fn end_it(ground: Ground, day: &str) -> Command {
    Command::Terminate { ground, end: date(day), reason: "why".to_owned() }
}

#[test]
fn a_lease_ends_early_only_on_a_ground_that_is_given() {
    let mut lease = two_blocks(crate::domain::testing::contract());
    lease.life.met = lease.terms.contract.conditions.iter().map(met_by_hand).collect();
    (lease.state, lease.effective_time) = (LeaseState::Effective, Some(at("2026-12-02")));
    let (operator, tenant) = (Party::Operator, Party::Tenant);
    let no_right = Err(Reason::NoRightToTerminate);
    assert_eq!(
        say(&mut lease, operator, &end_it(Ground::Fee, "2029-01-01"), "2027-01-01"),
        Err(Reason::InvalidField)
    );
    assert_eq!(say(&mut lease, operator, &end_it(Ground::Default, "2029-01-01"), "2027-01-01"), no_right);
    // Late since 1 December; 120 days on there is a right to end it.
    assert_eq!(say(&mut lease, tenant, &end_it(Ground::OutsideDate, "2028-03-29"), "2028-03-29"), no_right);
    let mut late = lease.clone();
    let out = end_it(Ground::OutsideDate, "2028-03-31");
    assert_eq!(say(&mut late, tenant, &out, "2028-03-31"), Ok(Happened::TerminationNoticed));
    assert!(late.life.termination.as_ref().is_some_and(|end| end.refund && end.fee.is_none()));
    assert_eq!(pass_until(&mut late, "2028-04-01"), [Happened::Terminated]);
    assert!(late.premises.iter().all(|one| one.state == PremisesState::Lapsed));

    // With a year's notice, for two years' rent.
    lease.terms.contract.delivery = None;
    pass_until(&mut lease, "2028-01-02");
    assert_eq!(
        say(&mut lease, tenant, &end_it(Ground::Fee, "2028-12-31"), "2028-01-02"),
        Err(Reason::NoRightToTerminate)
    );
    assert_eq!(
        say(&mut lease, tenant, &end_it(Ground::Fee, "2030-12-01"), "2028-01-02"),
        Ok(Happened::TerminationNoticed)
    );
    let fee = lease.life.termination.as_ref().unwrap().fee.unwrap();
    // Twice 245,000 kW for 24 months from the fourth year on: 128.0156677674 x 1.03^3, then x 1.03^4.
    let monthly = |from: &str| lease.rent_following(date(from), 1).unwrap().minor;
    assert_eq!(fee.minor, 12 * monthly("2030-12-01") + 12 * monthly("2031-12-01"));
    assert_eq!(monthly("2030-12-01"), 2 * 3_427_211_327);
    assert_eq!(pass_until(&mut lease, "2031-01-01"), [Happened::Terminated]);
    assert_eq!(lease.premises[0].end, date("2030-12-01"));
    assert_eq!(lease.premises[0].state, PremisesState::Ended);
}

fn met_by_hand(condition: &Condition) -> Met {
    let (subject, note) = ("tester".to_owned(), String::new());
    Met { condition: condition.id.clone(), time: at("2026-12-02"), subject, note }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold,
    Sign(Party),
    Commit,
    Lapse,
    Cancel,
    Pass(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Hold),
        Just(Step::Sign(Party::Operator)),
        Just(Step::Sign(Party::Tenant)),
        Just(Step::Commit),
        Just(Step::Lapse),
        Just(Step::Cancel),
        (0_i64..8_000).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever is tried in whatever order: a refusal changes nothing, a change is a new revision, no final state is
    /// left, nothing is in force without both signatures, and no rent runs before a lease is.
    #[test]
    fn no_order_of_deeds_breaks_a_lease(steps in proptest::collection::vec(any_step(), 0..24)) {
        let mut lease = proposing(terms(river_bend(), "America/Chicago"));
        for step in steps {
            let before = lease.clone();
            let day = |days| at("2026-12-01") + chrono::TimeDelta::days(days);
            let done = match step {
                Step::Hold => lease.held(hold(), day(0)).map(|()| true),
                Step::Sign(party) => {
                    let signature = signature(&lease, party);
                    lease.sign(signature).map(|_| true)
                }
                Step::Commit => lease.committed(day(1)).map(|()| true),
                Step::Lapse => lease.lapse(HOLD_EXPIRED, day(1)).map(|()| true),
                Step::Cancel => lease.cancel("why", day(1)).map(|()| true),
                Step::Pass(days) => lease.pass(day(days)).map(|happened| happened.is_some()),
            };
            match done {
                Ok(true) => {
                    prop_assert!(lease.revision > before.revision);
                    prop_assert!(!before.state.is_in(FINAL));
                }
                Ok(false) | Err(_) => prop_assert_eq!(&lease, &before),
            }
            if lease.state.is_in(IN_FORCE) || lease.state == LeaseState::Expired {
                prop_assert_eq!(lease.signatures.len(), 2);
                prop_assert!(lease.hold.is_some() && lease.effective_time.is_some());
            }
            let begun = [PremisesState::Commenced, PremisesState::Ended];
            let running = lease.premises.iter().any(|one| begun.contains(&one.state));
            let never = matches!(lease.state, LeaseState::Cancelled | LeaseState::Lapsed);
            prop_assert_eq!(lease.premises.iter().any(|one| one.state == PremisesState::Lapsed), never);
            prop_assert!(!running || matches!(lease.state, LeaseState::Active | LeaseState::Expired));
        }
    }
}
