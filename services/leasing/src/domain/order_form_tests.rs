use paper::Format;

use super::*;
use crate::domain::draft::{Draft, PREMISES_MAX, RateDraft, STEPS_MAX};
use crate::domain::schedule::{lines, value};
use crate::domain::testing::{at, contract, date, proposing, river_bend, terms};
use crate::domain::{Signatory, TermsHash};

fn names() -> Names {
    Names {
        operator: "Hut 8".to_owned(),
        tenant: "Fluidstack Łódź".to_owned(),
        sites: vec![NamedSite {
            site: "operators/hut8/sites/river-bend".parse().expect("a name"),
            display_name: "River Bend".to_owned(),
            entity: Some(Entity { legal_name: "Hut 8 River Bend LLC".to_owned(), ..Entity::default() }),
        }],
    }
}

fn form(lease: &Lease) -> Document {
    let value = value(&lease.terms, &lease.premises).expect("figures");
    let lines = lines(&lease.terms, &lease.premises).expect("lines");
    order_form(lease, &value, &lines, &names()).expect("an order form")
}

fn html(document: &Document) -> String {
    let html = paper::print(document, Format::Html).expect("HTML");
    String::from_utf8(html).expect("UTF-8")
}

#[test]
fn it_says_what_is_signed_and_who_has() {
    let mut lease = proposing(terms(river_bend(), "America/Chicago"));
    let unsigned = form(&lease);
    assert_eq!(unsigned.stamp, Some("NOT SIGNED"));
    let text = html(&unsigned);
    for said in [
        "Hut 8 River Bend LLC",
        "Fluidstack Łódź",
        "River Bend / hut-fs-rb-1",
        "245,000",
        "128.0156677674",
        "USD 376,366,063.20",
        "6,999,999,999.84",
        "USD 10,905,771,916.20",
        "3 times",
        "30 Nov 2042",
        "not signed yet",
        "Base term and options apart.",
        &words::hex(&lease.terms_hash.0),
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }

    lease.state = LeaseState::Active;
    lease.signatures = [(Party::Tenant, "Ada Marsh"), (Party::Operator, "Ben Ortiz")]
        .map(|(party, name)| Signature {
            party,
            signatory: Signatory { name: name.to_owned(), title: "Director".to_owned() },
            subject: "somebody".to_owned(),
            peer_address: "192.0.2.7".to_owned(),
            terms_hash: TermsHash(lease.terms_hash.0),
            time: at("2026-12-02"),
        })
        .into();
    let signed = form(&lease);
    assert_eq!(signed.stamp, None);
    let text = html(&signed);
    for said in ["Ada Marsh", "Ben Ortiz", "Director", "2 Dec 2026 00:00:00 UTC", "192.0.2.7"] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert!(!text.contains("not signed yet") && !text.contains("somebody"), "{text}");
}

#[test]
fn it_says_what_holds_after_the_signatures() {
    let draft = Draft { contract: contract(), ..river_bend() };
    let text = html(&form(&proposing(terms(draft, "America/Chicago"))));
    for said in [
        "Guarantor",
        "Google",
        "End user",
        "Anthropic",
        "financing is agreed",
        "31 May 2027",
        "for its whole term",
        "5 days to pay, 20 days otherwise",
        "free for 15 days; each of the next 30 days abates a day of rent, each later one two",
        "of 120 days",
        "with 12 months of notice, for 24 months of rent",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    let plain = html(&form(&proposing(terms(river_bend(), "America/Chicago"))));
    assert!(!plain.contains("Conditions, delivery"), "{plain}");
}

#[test]
fn the_largest_lease_stays_below_the_bound_of_a_message() {
    let mut draft = Draft { term_months: 240, renewal_options: Vec::new(), ..river_bend() };
    let mut one = draft.premises[0].clone();
    let day = |n: usize| date("2027-01-01") + chrono::TimeDelta::days(i64::try_from(n).expect("few"));
    one.commencement = Some(day(0));
    one.end = Some(date("2047-01-01"));
    one.profile =
        (0..STEPS_MAX).map(|n| (Some(day(n)), kernel::CapacityVector::new(1_000, 0, 1_000, 0))).collect();
    let rate = |n: usize| format!("128.01566776{:02}", n % 90 + 10).parse().ok();
    one.rate = Some(RateDraft::Stated((0..STEPS_MAX).map(|n| (Some(day(n)), rate(n))).collect()));
    draft.premises = (0..PREMISES_MAX)
        .map(|n| {
            let mut one = one.clone();
            one.block = format!("operators/hut8/sites/river-bend/blocks/{}-{n}", "b".repeat(55)).parse().ok();
            one
        })
        .collect();
    draft.notes = "\"long\" ".repeat(1_250);
    let document = form(&proposing(terms(draft, "America/Argentina/ComodRivadavia")));
    for format in [Format::Html, Format::Pdf] {
        let bytes = paper::print(&document, format).expect("a document").len();
        assert!(bytes < 2 << 20, "{format:?}: {bytes} bytes");
    }
}
