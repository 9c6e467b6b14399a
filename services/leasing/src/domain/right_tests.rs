use std::fmt::Write as _;

use super::*;
use crate::domain::TermsHash;
use crate::domain::agreement::{GeneralTerms, MasterTerms};
use crate::domain::testing::{at, contract, river_bend, terms};
use kernel::Uuid;

fn right(place: &str) -> ExpansionRight {
    ExpansionRight {
        id: "next-hall".to_owned(),
        kind: RightKind::Rofr,
        place: place.parse().expect("a place"),
        quantity_kw: 100_000,
        response_days: 20,
        until: None,
    }
}

fn offer() -> RightOffer {
    let name =
        RightOfferName::new("hut8".parse().expect("an id"), kernel::RightOfferId::new(Uuid::from_u128(3)));
    RightOffer {
        name,
        lease: "operators/hut8/leases/river-bend".parse().expect("a name"),
        right: right("operators/hut8"),
        tenant: "tenants/fluidstack".parse().expect("a name"),
        offered_lease: "operators/hut8/leases/rival".parse().expect("a name"),
        terms: terms(river_bend(), "America/Chicago"),
        state: OfferState::Open,
        respond_by: at("2026-12-21"),
        answer: None,
        revision: 1,
        create_time: at("2026-12-01"),
        update_time: at("2026-12-01"),
    }
}

fn answer() -> Answer {
    let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
    Answer { signatory, note: String::new(), subject: "tester".to_owned(), time: at("2026-12-05") }
}

#[test]
fn a_place_reads_back_and_covers_what_lies_in_it() {
    let block: BlockName = "operators/hut8/sites/river-bend/blocks/hall-1".parse().expect("a name");
    let covers = |text: &str| {
        let place: Place = text.parse().expect("a place");
        assert_eq!(place.to_string(), text);
        assert_eq!(place.operator().as_str(), text.split('/').nth(1).expect("an operator"));
        place.covers(&block)
    };
    assert!(covers("operators/hut8") && covers("operators/hut8/sites/river-bend"));
    assert!(covers("operators/hut8/sites/river-bend/blocks/hall-1"));
    assert!(!covers("operators/hut8/sites/river-bend/blocks/hall-2"));
    assert!(!covers("operators/hut8/sites/elsewhere") && !covers("operators/riot"));
    assert_eq!("tenants/acme".parse::<Place>(), Err(NoPlace));
}

/// The whole table: a changed move is a changed file, and a reviewer sees it.
#[test]
fn the_table_is_the_golden_one() {
    let mut table = String::from(
        "| offer | EXERCISE | WAIVE | LAPSE | WITHDRAW | cleared |\n|---|---|---|---|---|---|\n",
    );
    for state in OfferState::ALL {
        write!(table, "| {state} |").expect("written");
        for deed in OfferDeed::ALL {
            write!(table, " {} |", state.after(deed).map_or("-", OfferState::name)).expect("written");
        }
        writeln!(table, " {} |", if state.is_cleared() { "yes" } else { "no" }).expect("written");
        assert_eq!(state.name().parse(), Ok(state));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/right_offer_states.golden.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).expect("written");
    }
    assert_eq!(table, std::fs::read_to_string(path).expect("a file"));
}

#[test]
fn who_answers_in_time_is_heard_and_who_comes_too_late_has_waived() {
    let in_time = offer().answered(OfferDeed::Exercise, answer(), at("2026-12-20")).expect("in time");
    assert_eq!((in_time.state, in_time.revision), (OfferState::Exercised, 2));
    let again = in_time.answered(OfferDeed::Waive, answer(), at("2026-12-20")).expect_err("answered");
    assert_eq!(again.reason(), Reason::InvalidStateTransition);
    // At the very instant it is over.
    for deed in [OfferDeed::Exercise, OfferDeed::Waive] {
        let late = offer().answered(deed, answer(), at("2026-12-21")).expect_err("too late");
        assert_eq!(late.reason(), Reason::InvalidStateTransition);
        assert!(format!("{late}").contains("DEEMED_WAIVED"), "{late}");
    }
}

#[test]
fn a_lease_is_signed_when_every_right_on_it_is_cleared() {
    let with = |offer: Option<OfferState>| Encumbered {
        lease: "operators/hut8/leases/river-bend".parse().expect("a name"),
        tenant: "tenants/fluidstack".parse().expect("a name"),
        right: right("operators/hut8/sites/river-bend"),
        offer: offer.map(|state| (state, at("2026-12-21"))),
    };
    assert!(check_cleared(&[]).is_ok());
    let cleared = [with(Some(OfferState::Waived)), with(Some(OfferState::DeemedWaived))];
    assert!(check_cleared(&cleared).is_ok());
    let asked = [None, Some(OfferState::Open), Some(OfferState::Exercised), Some(OfferState::Withdrawn)];
    for open in asked {
        let [first, second] = cleared.clone();
        let refusal = check_cleared(&[first, with(open), second]).expect_err("not cleared");
        assert_eq!(refusal.reason(), Reason::RightNotCleared);
        let told = format!("{refusal:?}");
        assert!(!told.contains("fluidstack") && !told.contains("leases/"), "{told}");
    }
}

#[test]
fn the_holder_reads_terms_and_no_parties() {
    let mut draft = river_bend();
    draft.contract = contract();
    draft.contract.master = Some(Box::new(MasterTerms {
        agreement: "operators/hut8/masterAgreements/00000000-0000-0000-0000-000000000005".parse().unwrap(),
        terms_hash: TermsHash([7; 32]),
        title: "MSA of Fluidstack".to_owned(),
        general: GeneralTerms::default(),
    }));
    let of_another = terms(draft, "America/Chicago");
    let told = without_parties(&of_another);
    assert_eq!((&told.premises, told.term_months), (&of_another.premises, of_another.term_months));
    assert_eq!(told.contract.delivery, of_another.contract.delivery);
    assert!(told.notes.is_empty() && told.announced.is_none());
    assert!(told.contract.master.is_none(), "who has a right learns of no agreement of another");
    let Contract { end_user, guarantor, conditions, expansion_rights, .. } = told.contract;
    assert_eq!((end_user, guarantor), (None, None));
    assert!(conditions.is_empty() && expansion_rights.is_empty());
}
