use kernel::{Instant, Reason};

use super::*;
use crate::domain::deadline::{DeadlineKind, of_lease};
use crate::domain::draft::{Draft, RateDraft, RenewalDraft};
use crate::domain::testing::{active, at, date, river_bend, terms};
use crate::domain::{Actor, Command, Happened, Lease, Party, Signatory, record};

fn rates(texts: &[&str]) -> Vec<Rate> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn market(floor: Option<&str>, cap: Option<&str>) -> MarketRent {
    let share = |text: &str| text.parse::<Percent>().unwrap();
    MarketRent { floor: floor.map(share), cap: cap.map(share) }
}

/// Two years at 100, rising by 3 % on each anniversary, and three renewals of two years.
fn renewable(stated: &[&str], market: Option<MarketRent>) -> Draft {
    let mut draft = river_bend();
    draft.premises[0].rate = Some(RateDraft::Base("100".parse().ok()));
    draft.premises[0].end = Some(date("2029-12-01"));
    draft.term_months = 24;
    draft.renewal_options =
        vec![RenewalDraft { count: 3, term_months: 24, rates: rates(stated), market, ..Default::default() }];
    draft
}

fn say(lease: &mut Lease, party: Party, command: &Command, now: Instant) -> Result<Happened, Error> {
    lease.obey(command, &Actor { party, subject: "tester".to_owned(), address: String::new() }, now)
}

fn signatory() -> Signatory {
    Signatory { name: "A. Person".to_owned(), title: String::new() }
}

fn exercise(lease: &mut Lease, day: &str) {
    say(lease, Party::Tenant, &Command::Renew { signatory: signatory() }, at(day)).expect("renewed");
}

fn propose(lease: &mut Lease, terms: Terms, effective: &str, day: &str) -> Result<Happened, Error> {
    let (terms, effective, note) = (Box::new(terms), date(effective), String::new());
    let command = Command::ProposeAmendment { terms, master: None, effective, note };
    say(lease, Party::Operator, &command, at(day))
}

fn amend(lease: &mut Lease, terms: Terms, effective: &str, day: &str) {
    propose(lease, terms, effective, day).expect("proposed");
    for party in [Party::Operator, Party::Tenant] {
        let terms = &lease.life.amendment.as_ref().expect("an amendment").terms;
        let terms_hash = lease.hash_of(terms).unwrap().0;
        let command = Command::SignAmendment { terms_hash, signatory: signatory() };
        say(lease, party, &command, at(day)).expect("signed");
    }
}

/// Its rates from the first renewal on.
fn steps(lease: &Lease) -> Vec<(String, String)> {
    let later = lease.premises[0].rate_steps.iter().filter(|step| step.from >= date("2029-12-01"));
    later.map(|step| (step.from.to_string(), step.rate.to_string())).collect()
}

fn are(steps: &[(&str, &str)]) -> Vec<(String, String)> {
    steps.iter().map(|(from, rate)| ((*from).to_owned(), (*rate).to_owned())).collect()
}

fn kinds(lease: &Lease) -> Vec<(DeadlineKind, CivilDate)> {
    let told = of_lease(lease).into_iter().filter(|one| one.kind == DeadlineKind::RenewalRent);
    told.map(|one| (one.kind, one.date)).collect()
}

#[test]
fn a_stated_rate_is_that_of_the_first_year_and_rises_from_it() {
    let mut lease = active(renewable(&["200", "210"], None));
    // All of them by their own terms: 200 and 206, 210 and 216.3, and the third goes on from these: 222.789 and 229.47267.
    let months: i64 = 200_000 + 206_000 + 210_000 + 216_300 + 222_789;
    let last = 245_000 * 12 * 22_947_267 / 1_000;
    assert_eq!(lease.value().unwrap().options_contract_value.minor, 245_000 * 12 * months / 10 + last);
    exercise(&mut lease, "2029-06-01");
    assert_eq!(steps(&lease), are(&[("2029-12-01", "200"), ("2030-12-01", "206")]));
    exercise(&mut lease, "2029-06-01");
    exercise(&mut lease, "2029-06-01");
    let all = [
        ("2031-12-01", "210"),
        ("2032-12-01", "216.3"),
        ("2033-12-01", "222.789"),
        ("2034-12-01", "229.47267"),
    ];
    assert_eq!(steps(&lease)[2..], are(&all));
    assert_eq!(lease.value().unwrap().options_contract_value.minor, 0);
    // Other terms leave it as it is, also where they count from within a renewal.
    let mut other = lease.terms.clone();
    other.payment_terms_days += 1;
    amend(&mut lease, other, "2030-02-01", "2030-01-05");
    let mut all =
        [&[("2029-12-01", "200"), ("2030-02-01", "200"), ("2030-12-01", "206")], all.as_slice()].concat();
    assert_eq!(steps(&lease), are(&all));
    // What both sides state anew counts from the amendment's day on, as if it had been so from the first day.
    let mut other = lease.terms.clone();
    other.renewal_options[0].rates = rates(&["300", "210"]);
    amend(&mut lease, other, "2030-03-01", "2030-02-05");
    all.splice(2..3, [("2030-03-01", "300"), ("2030-12-01", "309")]);
    assert_eq!(steps(&lease), are(&all));
    assert_eq!(lease.premises[0].end, date("2035-12-01"), "it is renewed as before");
}

#[test]
fn the_escalator_rises_from_the_renewal_on_whatever_its_basis() {
    for (basis, second) in [
        (EscalationBasis::LeaseAnniversary, "2030-12-01"),
        (EscalationBasis::FixedDate(date("2028-04-01")), "2030-12-01"),
        (EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary, "2030-12-01"),
    ] {
        let mut draft = renewable(&["200"], None);
        draft.escalator = draft.escalator.map(|mut one| {
            one.basis = Some(basis);
            one
        });
        let mut lease = active(draft);
        exercise(&mut lease, "2029-06-01");
        assert_eq!(steps(&lease), are(&[("2029-12-01", "200"), (second, "206")]), "{basis:?}");
    }
}

#[test]
fn a_market_rent_goes_on_within_its_bounds_until_both_state_it() {
    for (bounds, paid) in [
        (market(None, None), "103"),
        (market(Some("90"), Some("120")), "103"),
        (market(Some("105"), None), "108.15"),
        (market(None, Some("95")), "97.85"),
    ] {
        let mut lease = active(renewable(&[], Some(bounds)));
        let value = lease.value().unwrap().options_contract_value.minor;
        exercise(&mut lease, "2029-06-01");
        // It does not rise while it is open.
        assert_eq!(steps(&lease), are(&[("2029-12-01", paid)]), "{bounds:?}");
        assert!(value > 0 && lease.is_rent_open(&lease.life.renewals[0]), "{bounds:?}");
        let open = DeadlineKind::RenewalRent;
        assert_eq!(kinds(&lease), [(open, date("2029-12-01")), (open, date("2031-12-01"))]);

        let mut stated = lease.terms.clone();
        stated.renewal_options[0].count = 2;
        let refusal = propose(&mut lease.clone(), stated, "2029-09-01", "2029-08-05").expect_err("refused");
        assert_eq!(refusal.reason(), Reason::InvalidField);
        assert_eq!(refusal.violations()[0].field, "terms.renewal_options");

        let mut stated = lease.terms.clone();
        stated.renewal_options[0].rates = rates(&["140"]);
        amend(&mut lease, stated, "2029-09-01", "2029-08-05");
        assert_eq!(steps(&lease), are(&[("2029-12-01", "140"), ("2030-12-01", "144.2")]), "{bounds:?}");
        assert!(!lease.is_rent_open(&lease.life.renewals[0]) && kinds(&lease).is_empty(), "{bounds:?}");
        assert_eq!(lease.option_window().map(|window| window.left), Some(2), "none is given back by it");
        exercise(&mut lease, "2031-06-01");
        assert!(lease.is_rent_open(&lease.life.renewals[1]) && !lease.is_rent_open(&lease.life.renewals[0]));
    }
}

#[test]
fn a_market_rent_that_is_agreed_late_counts_from_the_amendment_on() {
    let mut lease = active(renewable(&[], Some(market(None, None))));
    exercise(&mut lease, "2029-06-01");
    let mut stated = lease.terms.clone();
    stated.renewal_options[0].rates = rates(&["140"]);
    amend(&mut lease, stated, "2030-03-01", "2030-02-05");
    let late = [("2029-12-01", "103"), ("2030-03-01", "140"), ("2030-12-01", "144.2")];
    assert_eq!(steps(&lease), are(&late));
    // Other renewals instead: what this one costs stays.
    let mut other = lease.terms.clone();
    other.renewal_options[0].count = 1;
    other.renewal_options[0].rates = rates(&["150"]);
    amend(&mut lease, other, "2030-04-01", "2030-03-05");
    let now = [&late[..2], &[("2030-04-01", "140"), ("2030-12-01", "144.2")]].concat();
    assert_eq!(steps(&lease), are(&now));
    assert_eq!(lease.option_window().map(|window| window.left), Some(1));
    exercise(&mut lease, "2031-06-01");
    assert_eq!(steps(&lease)[4..], are(&[("2031-12-01", "150"), ("2032-12-01", "154.5")]));
}

#[test]
fn what_is_signed_has_it_and_says_nothing_where_nothing_is_said() {
    let (operator, tenant) = ("operators/hut8".parse().unwrap(), "tenants/fluidstack".parse().unwrap());
    let signed = |draft: Draft| {
        let terms = terms(draft, "America/Chicago");
        let canonical = record::canonical(&operator, &tenant, &terms).unwrap();
        assert_eq!(record::read(&canonical.bytes).unwrap(), terms);
        (String::from_utf8(canonical.bytes).unwrap(), canonical.hash)
    };
    let (plain, hash) = signed(renewable(&[], None));
    assert!(plain.contains("\"version\":1") && !plain.contains("market"), "{plain}");
    for (stated, bounds) in [
        (&["200"][..], None),
        (&["200"], Some(market(Some("90"), None))),
        (&[], Some(market(None, Some("110")))),
        (&[], Some(market(None, None))),
    ] {
        let (text, other) = signed(renewable(stated, bounds));
        assert!(text.contains("\"version\":2") && other != hash, "{text}");
    }
}

#[test]
fn a_rate_of_its_own_is_no_rate_that_follows_an_index() {
    let mut draft = renewable(&["200"], Some(market(None, None)));
    draft.escalator = None;
    draft.contract.rent.index = Some(kernel::IndexEscalator {
        series: "cpi-u".parse().unwrap(),
        base: "300".parse().unwrap(),
        lag_months: 2,
        floor: Percent::ZERO,
        cap: None,
        method: kernel::IndexMethod::Compounding,
        basis: EscalationBasis::LeaseAnniversary,
    });
    let mut findings = crate::domain::Findings::new();
    let _ = draft.check(None, date("2026-12-01"), &mut findings);
    let refusal = findings.finish().expect_err("refused");
    let fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!(
        fields,
        ["terms.renewal_options[0].rates_per_kw_month", "terms.renewal_options[0].market_rent"]
    );
}
