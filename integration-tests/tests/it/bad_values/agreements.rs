//! Values that are wrong for master agreements, and for orders under them.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, decimal, request_id};
use integration_tests::world::{Names, drafted, general_terms};
use prost::Message as _;
use tonic::Code;

use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CreateMasterAgreement" => create(n),
        "SignMasterAgreement" => {
            let sign = |name: &str, terms_hash: Vec<u8>| leasing::SignMasterAgreementRequest {
                name: name.to_owned(),
                terms_hash,
                signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
                request_id: request_id(),
                ..Default::default()
            };
            let nobody = leasing::SignMasterAgreementRequest {
                signatory: None,
                ..sign(&n.draft_agreement, vec![7; 31])
            };
            vec![
                Case::invalid("nobody, on nothing", nobody.encode_to_vec(), &["signatory", "terms_hash"]),
                refused(
                    "another hash",
                    sign(&n.draft_agreement, vec![7; 32]).encode_to_vec(),
                    "TERMS_HASH_MISMATCH",
                ),
                refused(
                    "signed by both",
                    sign(&n.master_agreement, vec![7; 32]).encode_to_vec(),
                    "INVALID_STATE_TRANSITION",
                ),
            ]
        }
        "EndMasterAgreement" => {
            let end = |reason: String| leasing::EndMasterAgreementRequest {
                name: n.master_agreement.clone(),
                reason,
                request_id: request_id(),
                ..Default::default()
            };
            vec![
                Case::invalid("for no reason", end(" ".to_owned()).encode_to_vec(), &["reason"]),
                Case::invalid("at length", end("x".repeat(1_001)).encode_to_vec(), &["reason"]),
            ]
        }
        _ => vec![Case::invalid(
            "a state of nothing, with nobody",
            leasing::ListMasterAgreementsRequest {
                parent: n.operator.clone(),
                states: vec![0, 99],
                tenant: "lab".to_owned(),
                ..Default::default()
            }
            .encode_to_vec(),
            &["states[0]", "states[1]", "tenant"],
        )],
    }
}

fn refused(what: &str, message: Vec<u8>, reason: &'static str) -> Case {
    Case::new(what, message, Code::FailedPrecondition, reason, &[])
}

fn create(n: &Names) -> Vec<Case> {
    let of = |terms| drafted(&n.operator, &n.tenant, terms).encode_to_vec();
    let clause =
        |heading: &str, text: &str| leasing::Clause { heading: heading.to_owned(), text: text.to_owned() };
    let nothing = leasing::CreateMasterAgreementRequest {
        master_agreement: Some(leasing::MasterAgreement::default()),
        ..drafted(&n.operator, &n.tenant, general_terms())
    };
    let all_wrong = leasing::GeneralTerms {
        payment_terms_days: 366,
        cure: Some(leasing::CureTerms { monetary_days: 0, other_days: 366 }),
        late_interest: Some(leasing::LateInterest { annual_percent: decimal("101"), ..Default::default() }),
        dispute: Some(leasing::DisputeTerms { window_days: 3_651, rejected_interest: 9 }),
        holdover: Some(leasing::HoldoverTerms { rate_percent: decimal("99") }),
        precedence: 9,
        clauses: vec![
            clause("", ""),
            clause("Law", &"x".repeat(2_001)),
            clause("Law", "of another state"),
            clause(&"x".repeat(201), "\u{7}"),
        ],
    };
    let fields = [
        "cure.monetary_days",
        "cure.other_days",
        "clauses[0].heading",
        "clauses[0].text",
        "clauses[1].text",
        "clauses[2].heading",
        "clauses[3].heading",
        "clauses[3].text",
        "dispute.rejected_interest",
        "dispute.window_days",
        "holdover.rate_percent",
        "late_interest.annual_percent",
        "payment_terms_days",
        "precedence",
    ];
    let paths = fields.map(|field| format!("master_agreement.general_terms.{field}"));
    let many = (0..21).map(|i| clause(&format!("Clause {i}"), "text")).collect();
    vec![
        Case::invalid(
            "nothing",
            nothing.encode_to_vec(),
            &["master_agreement.display_name", "master_agreement.general_terms", "master_agreement.tenant"],
        ),
        Case::invalid("every term wrong", of(all_wrong), &paths.each_ref().map(String::as_str)),
        Case::invalid(
            "21 clauses",
            of(leasing::GeneralTerms { clauses: many, ..general_terms() }),
            &["master_agreement.general_terms.clauses"],
        ),
        Case::new(
            "nobody we know",
            drafted(&n.operator, "tenants/nobody-we-know", general_terms()).encode_to_vec(),
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            &[],
        ),
    ]
}

/// Orders under what is no agreement, or none in force.
pub(super) fn orders(n: &Names) -> Vec<Case> {
    let under = |master_agreement: &str| {
        let terms = market::terms(&n.free_block, market::load(1_000));
        let terms = leasing::LeaseTerms { master_agreement: master_agreement.to_owned(), ..terms };
        market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec()
    };
    let field = ["terms.master_agreement"];
    let absent = format!("{}/masterAgreements/{}", n.operator, request_id());
    let foreign = n.master_agreement.replace(&n.operator, "operators/zenith");
    vec![
        Case::invalid("an order under nothing", under("nonsense"), &field),
        Case::invalid("an order under another's agreement", under(&foreign), &field),
        Case::new("under none", under(&absent), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
        refused("under a draft", under(&n.draft_agreement), "MASTER_AGREEMENT_NOT_IN_FORCE"),
    ]
}
