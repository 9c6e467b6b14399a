//! Values that are wrong for contracts that were signed on paper, for tenants that stay, and for what stands behind them.

use contracts::google::r#type::Money;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, decimal, request_id};
use integration_tests::world::{Names, holds_over};
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn import(n: &Names) -> Vec<Case> {
    let terms = |from: &str| market::terms_from(&n.free_block, market::load(500), from);
    let good = || market::running(&n.operator, &n.tenant, "fresh", terms("2024-02-01"), "2027-02-01");
    let case = |what: &str, change: &dyn Fn(&mut leasing::ImportLeaseRequest), fields: &[&str]| {
        let mut request = good();
        change(&mut request);
        Case::invalid(what, request.encode_to_vec(), fields)
    };
    let nothing = leasing::ImportLeaseRequest { request_id: request_id(), ..Default::default() };
    let fields = ["parent", "tenant", "terms", "reference", "signed_date", "billed_from_date", "signatory"];
    let open = leasing::Condition {
        condition_id: "loan".to_owned(),
        description: "the loan is signed".to_owned(),
        outside_date: Some(date("2040-01-01")),
        satisfied_by: leasing::ConditionParty::Operator.into(),
        block: String::new(),
    };
    let percent = |text: &str| Some(leasing::HoldoverTerms { rate_percent: decimal(text) });
    let terms_of = |change: &dyn Fn(&mut leasing::LeaseTerms)| {
        let mut request = good();
        request.terms.iter_mut().for_each(change);
        request.encode_to_vec()
    };
    vec![
        Case::invalid("nothing", nothing.encode_to_vec(), &fields),
        case(
            "days of nobody's",
            &|r| (r.signed_date, r.effective_date, r.billed_from_date) = (NO_DAY, NO_DAY, NO_DAY),
            &["signed_date", "effective_date", "billed_from_date"],
        ),
        case("a paper that is a book", &|r| r.reference = "x".repeat(201), &["reference"]),
        case("to be signed", &|r| r.signed_date = Some(date("2030-01-01")), &["signed_date"]),
        case("to be in force", &|r| r.effective_date = Some(date("2030-01-01")), &["effective_date"]),
        case(
            "billed from within a month",
            &|r| r.billed_from_date = Some(date("2027-02-02")),
            &["billed_from_date"],
        ),
        case(
            "billed when it is over",
            &|r| r.billed_from_date = Some(date("2034-02-01")),
            &["billed_from_date"],
        ),
        case(
            "over",
            &|r| r.terms = Some(terms("2014-02-01")),
            &["billed_from_date", "terms.premises[0].end_date"],
        ),
        Case::invalid(
            "begun with a condition open",
            terms_of(&|terms| terms.conditions = vec![open.clone()]),
            &["terms.premises[0].commencement_date"],
        ),
        Case::invalid(
            "less for staying",
            terms_of(&|terms| terms.holdover = percent("99.9")),
            &["terms.holdover.rate_percent"],
        ),
        Case::invalid(
            "too much for staying",
            terms_of(&|terms| terms.holdover = percent("1000.1")),
            &["terms.holdover.rate_percent"],
        ),
    ]
}

pub(super) fn holdover(method: &str, n: &Names) -> Vec<Case> {
    let refused = |what: &str, message: Vec<u8>| {
        Case::new(what, message, Code::FailedPrecondition, "INVALID_STATE_TRANSITION", &[])
    };
    let stays = |name: &str, until: &str| holds_over(name, until, "why").encode_to_vec();
    let leaves = |name: &str, on: &str| leasing::EndHoldoverRequest {
        name: name.to_owned(),
        end_date: Some(date(on)),
        note: "why".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    if method == "BeginHoldover" {
        let nothing =
            leasing::BeginHoldoverRequest { until_date: NO_DAY, ..holds_over(&n.active, "2037-03-01", " ") };
        return vec![
            Case::invalid("nothing", nothing.encode_to_vec(), &["until_date", "note"]),
            Case::invalid("within the term", stays(&n.active, "2037-01-01"), &["until_date"]),
            Case::invalid("for ever", stays(&n.active, "2039-01-02"), &["until_date"]),
            Case::invalid("not longer", stays(&n.lingering, "2037-02-01"), &["until_date"]),
            refused("with a renewal left", stays(&n.renewable, "2037-03-01")),
            refused("not begun", stays(&n.delivered, "2037-09-01")),
            refused("in default", stays(&n.defaulted, "2037-03-01")),
        ];
    }
    let nothing = leasing::EndHoldoverRequest {
        end_date: None,
        note: String::new(),
        ..leaves(&n.lingering, "2036-12-15")
    };
    vec![
        Case::invalid("nothing", nothing.encode_to_vec(), &["end_date", "note"]),
        Case::invalid(
            "before the term ends",
            leaves(&n.lingering, "2036-12-01").encode_to_vec(),
            &["end_date"],
        ),
        Case::invalid(
            "later than was said",
            leaves(&n.lingering, "2037-02-02").encode_to_vec(),
            &["end_date"],
        ),
        refused("nobody stays", leaves(&n.active, "2037-01-01").encode_to_vec()),
    ]
}

/// What stands behind the tenant in the terms of a proposal.
pub(super) fn supports(n: &Names) -> Vec<Case> {
    let of = |credit_supports: Vec<leasing::CreditSupport>| {
        let good = market::terms(&n.free_block, market::load(1_000));
        let terms = leasing::LeaseTerms { credit_supports, ..good };
        market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec()
    };
    let nothing =
        leasing::CreditSupport { amortisation_months: -1, expiry_date: NO_DAY, ..Default::default() };
    let fields =
        ["credit_support_id", "kind", "provider", "cap", "covers_from", "amortisation_months", "expiry_date"];
    let paths = fields.map(|field| format!("terms.credit_supports[0].{field}"));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let capped = |currency: &str, units| {
        let cap = Some(Money { currency_code: currency.to_owned(), units, nanos: 0 });
        of(vec![leasing::CreditSupport { cap, ..market::backstop() }])
    };
    let cap = &["terms.credit_supports[0].cap"];
    let many = (0..21)
        .map(|i| leasing::CreditSupport { credit_support_id: format!("one-{i}"), ..market::backstop() });
    vec![
        Case::invalid("nobody behind nothing", of(vec![nothing]), &paths),
        Case::invalid("a cap in euros", capped("EUR", 1), cap),
        Case::invalid("a cap of nothing", capped("USD", 0), cap),
        Case::invalid("a cap of everything", capped("USD", 1_000_000_000_001), cap),
        Case::invalid(
            "a promise given twice",
            of(vec![market::backstop(), market::backstop()]),
            &["terms.credit_supports[1].credit_support_id"],
        ),
        Case::invalid("21 promises", of(many.collect()), &["terms.credit_supports"]),
    ]
}

pub(super) fn cover(n: &Names) -> Vec<Case> {
    let ask = leasing::GetCreditCoverRequest { name: n.active.clone(), as_of_date: NO_DAY };
    vec![Case::invalid("no such day", ask.encode_to_vec(), &["as_of_date"])]
}
