use std::fmt::Write as _;

use super::*;
use crate::domain::Signatory;
use crate::domain::record;
use crate::domain::testing::{at, river_bend, terms};

fn general() -> GeneralTerms {
    GeneralTerms {
        payment_terms_days: Some(45),
        cure: Some(CureTerms { monetary_days: 7, other_days: 21 }),
        holdover: Some(HoldoverTerms { percent: "175".parse().expect("a percentage") }),
        clauses: vec![Clause { heading: "Governing law".to_owned(), text: "New York".to_owned() }],
        ..GeneralTerms::default()
    }
}

fn agreement() -> MasterAgreement {
    let name = "operators/hut8/masterAgreements/00000000-0000-0000-0000-000000000005".parse();
    let tenant = "tenants/fluidstack".parse().expect("a name");
    let (name, title) = (name.expect("a name"), "MSA of 2026".to_owned());
    MasterAgreement::draft(name, tenant, title, general(), at("2026-12-01")).expect("a draft").0
}

fn consent(party: Party) -> Consent {
    Consent {
        party,
        signatory: Signatory { name: "Ada Marsh".to_owned(), title: String::new() },
        subject: "ada".to_owned(),
        peer_address: String::new(),
        time: at("2026-12-02"),
    }
}

fn signed() -> MasterAgreement {
    let mut agreement = agreement();
    for party in [Party::Tenant, Party::Operator] {
        agreement.sign(agreement.terms_hash, consent(party)).expect("a signature");
    }
    agreement
}

fn order(bend: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = terms(river_bend(), "America/Chicago");
    terms.payment_terms_days = 0;
    bend(&mut terms);
    terms
}

/// The whole table: a changed move is a changed file, and a reviewer sees it.
#[test]
fn the_table_is_the_golden_one() {
    let mut table =
        String::from("| agreement | SIGN_FIRST | SIGN_LAST | END | takes orders |\n|---|---|---|---|---|\n");
    for state in AgreementState::ALL {
        write!(table, "| {state} |").expect("written");
        for deed in AgreementDeed::ALL {
            write!(table, " {} |", state.after(deed).map_or("-", AgreementState::name)).expect("written");
        }
        writeln!(table, " {} |", if state.takes_orders() { "yes" } else { "no" }).expect("written");
        assert_eq!(state.name().parse(), Ok(state));
        assert_eq!(state.check_takes_orders().is_ok(), state.takes_orders());
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/master_agreement_states.golden.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).expect("written");
    }
    assert_eq!(table, std::fs::read_to_string(path).expect("a file"));
}

/// What was signed once must have the same bytes for ever.
#[test]
fn the_record_is_the_golden_one() {
    let name = agreement().name;
    let (one, bytes) = MasterAgreement::draft(
        name,
        "tenants/fluidstack".parse().expect("a name"),
        "MSA of 2026".to_owned(),
        general(),
        at("2026-12-01"),
    )
    .expect("a draft");
    assert_eq!(read(&bytes).expect("it reads back"), ("MSA of 2026".to_owned(), general()));
    assert_eq!(one.terms_hash, TermsHash::of(&bytes));
    let text = String::from_utf8(bytes).expect("text");
    assert_eq!(text, include_str!("agreement_record.golden.json").trim_end());
    assert!(read(text.replace("\"version\":1", "\"version\":2").as_bytes()).is_err());
}

#[test]
fn both_sign_the_same_hash_and_then_it_takes_orders_until_it_ends() {
    let mut one = agreement();
    assert_eq!(one.for_order().expect_err("not signed").reason(), Reason::MasterAgreementNotInForce);
    let other = one.sign(TermsHash([7; 32]), consent(Party::Tenant)).expect_err("another hash");
    assert_eq!(other.reason(), Reason::TermsHashMismatch);
    one.sign(one.terms_hash, consent(Party::Tenant)).expect("a signature");
    let twice = one.sign(one.terms_hash, consent(Party::Tenant)).expect_err("signed");
    assert_eq!(twice.reason(), Reason::InvalidStateTransition);
    assert_eq!((one.state, one.signed_time(), one.revision), (AgreementState::Draft, None, 2));
    one.sign(one.terms_hash, consent(Party::Operator)).expect("a signature");
    assert_eq!((one.state, one.signed_time()), (AgreementState::Signed, Some(at("2026-12-02"))));
    let master = one.for_order().expect("orders");
    assert_eq!((&master.terms_hash, &master.general), (&one.terms_hash, &one.general));

    let ending = Ending {
        party: Party::Tenant,
        subject: "ada".to_owned(),
        reason: "we part".to_owned(),
        time: at("2027-01-01"),
    };
    one.end(ending.clone()).expect("an end");
    assert!(one.end(ending).is_err() && one.for_order().is_err());
}

#[test]
fn an_order_takes_over_what_it_does_not_state() {
    let mut bare = order(|_| {});
    signed().for_order().expect("orders").govern(&mut bare).expect("an order");
    assert_eq!((bare.payment_terms_days, bare.contract.cure), (45, general().cure));
    assert_eq!(bare.contract.holdover, general().holdover);
    assert_eq!(bare.contract.money.late_interest, None);

    let own = CureTerms { monetary_days: 3, other_days: 9 };
    let mut stated = order(|terms| terms.contract.cure = Some(own));
    signed().for_order().expect("orders").govern(&mut stated).expect("an order");
    assert_eq!((stated.contract.cure, stated.payment_terms_days), (Some(own), 45));
}

#[test]
fn where_the_agreement_counts_every_contradiction_is_told_at_once() {
    let mut binding = signed();
    binding.general.precedence = Precedence::Agreement;
    let master = binding.for_order().expect("orders");
    let mut other = order(|terms| {
        terms.payment_terms_days = 30;
        terms.contract.cure = Some(CureTerms { monetary_days: 3, other_days: 9 });
        terms.contract.holdover = general().holdover;
    });
    let refusal = master.clone().govern(&mut other).expect_err("contradictions");
    let fields: Vec<_> = refusal.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["terms.payment_terms_days", "terms.cure"]);
    // What the order takes over is no contradiction when it is said again, as an amendment does.
    let mut same = order(|_| {});
    master.clone().govern(&mut same).expect("an order");
    let before = same.clone();
    master.govern(&mut same).expect("the same again");
    assert_eq!(same, before);
}

#[test]
fn what_an_order_takes_over_is_signed_with_it() {
    let (operator, tenant) =
        ("operators/hut8".parse().expect("a name"), "tenants/fluidstack".parse().expect("a name"));
    let hash_under = |agreement: &MasterAgreement| {
        let mut terms = order(|_| {});
        agreement.for_order().expect("orders").govern(&mut terms).expect("an order");
        let canonical = record::canonical(&operator, &tenant, &terms).expect("a record");
        assert_eq!(record::read(&canonical.bytes).expect("it reads back"), terms);
        canonical
    };
    let one = hash_under(&signed());
    let text = String::from_utf8(one.bytes.clone()).expect("text");
    assert!(text.contains(&format!("{:?}", signed().terms_hash)), "{text}");
    let mut other = signed();
    other.general.clauses[0].text = "Texas".to_owned();
    assert_ne!(hash_under(&other).hash, one.hash);
    other = signed();
    other.terms_hash = TermsHash([7; 32]);
    assert_ne!(hash_under(&other).hash, one.hash);
}
