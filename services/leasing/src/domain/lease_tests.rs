use proptest::prelude::*;

use super::*;
use crate::domain::state::FINAL;
use crate::domain::testing::{at, proposing, river_bend, terms};

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
    let refusal = effective().cancel("too late", at("2026-12-03")).expect_err("refused");
    assert_eq!(refusal.get("from"), Some("EFFECTIVE"));
    assert_eq!(refusal.get("to"), Some("CANCELLED"));
}

#[test]
fn a_block_commences_at_midnight_of_its_site_and_not_a_second_earlier() {
    let mut lease = effective();
    let midnight = lease.premises[0].commence_at;
    assert!(!lease.commence(midnight - chrono::TimeDelta::microseconds(1)).unwrap());
    assert!(lease.commence(midnight).unwrap());
    assert_eq!(lease.state, LeaseState::Active);
    assert_eq!(lease.premises[0].commence_time, Some(midnight));
    assert!(!lease.commence(midnight).unwrap(), "once is enough");
    assert!(!lease.end(midnight).unwrap());
    assert!(lease.end(lease.premises[0].end_at).unwrap());
    assert_eq!(lease.state, LeaseState::Expired);
}

#[test]
fn a_lease_ends_with_its_last_block() {
    let mut draft = river_bend();
    let mut second = draft.premises[0].clone();
    second.block = "operators/hut8/sites/river-bend/blocks/hut-fs-rb-2".parse().ok();
    second.end = Some(crate::domain::testing::date("2041-12-01"));
    draft.premises.push(second);
    let mut lease = proposing(terms(draft, "America/Chicago"));
    lease.held(hold(), at("2026-12-01")).unwrap();
    for party in [Party::Operator, Party::Tenant] {
        lease.sign(signature(&lease, party)).unwrap();
    }
    lease.committed(at("2026-12-02")).unwrap();
    lease.commence(at("2028-01-01")).unwrap();
    assert!(lease.end(at("2042-01-01")).unwrap());
    assert_eq!(lease.state, LeaseState::Active);
    assert!(lease.end(at("2043-01-01")).unwrap());
    assert_eq!(lease.state, LeaseState::Expired);
}

#[test]
fn nothing_commences_before_the_lease_is_in_force() {
    let mut lease = proposed();
    assert!(!lease.commence(at("2030-01-01")).unwrap());
    assert_eq!(lease.state, LeaseState::Proposed);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold,
    Sign(Party),
    Commit,
    Lapse,
    Cancel,
    Commence(i64),
    End(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Hold),
        Just(Step::Sign(Party::Operator)),
        Just(Step::Sign(Party::Tenant)),
        Just(Step::Commit),
        Just(Step::Lapse),
        Just(Step::Cancel),
        (0_i64..8_000).prop_map(Step::Commence),
        (0_i64..8_000).prop_map(Step::End),
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
                Step::Commence(days) => lease.commence(day(days)),
                Step::End(days) => lease.end(day(days)),
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
            let running = lease.premises.iter().any(|one| one.state != PremisesState::Planned);
            prop_assert!(!running || matches!(lease.state, LeaseState::Active | LeaseState::Expired));
        }
    }
}
