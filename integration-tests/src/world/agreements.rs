//! What the operator and the tenant have agreed on once, and what they may.

use anyhow::{Context as _, Result};
use contracts::leasing::v1 as leasing;
use kernel::Role;

use super::Names;
use crate::TestStack;
use crate::market::{decimal, request_id};

/// Terms for every order: 45 days to pay, a week and three to cure, interest, disputes, and a clause.
#[must_use]
pub fn general_terms() -> leasing::GeneralTerms {
    leasing::GeneralTerms {
        payment_terms_days: 45,
        cure: Some(leasing::CureTerms { monetary_days: 7, other_days: 21 }),
        late_interest: Some(leasing::LateInterest {
            annual_percent: decimal("12"),
            grace_days: 5,
            year: leasing::InterestYear::Actual365.into(),
            accrues_from: leasing::AccrualStart::DueDate.into(),
            once_percent: None,
        }),
        dispute: Some(leasing::DisputeTerms {
            window_days: 60,
            rejected_interest: leasing::RejectedInterest::AsAgreed.into(),
        }),
        holdover: Some(leasing::HoldoverTerms { rate_percent: decimal("175") }),
        precedence: leasing::TermsPrecedence::Order.into(),
        clauses: vec![leasing::Clause {
            heading: "Governing law".to_owned(),
            text: "The law of the State of New York.".to_owned(),
        }],
    }
}

/// A master agreement of these terms, to be put on the table.
#[must_use]
pub fn drafted(
    operator: &str,
    tenant: &str,
    terms: leasing::GeneralTerms,
) -> leasing::CreateMasterAgreementRequest {
    leasing::CreateMasterAgreementRequest {
        parent: operator.to_owned(),
        master_agreement: Some(leasing::MasterAgreement {
            tenant: tenant.to_owned(),
            display_name: "MSA of 2026".to_owned(),
            general_terms: Some(terms),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    }
}

/// A signature on it.
#[must_use]
pub fn signed_agreement(agreement: &leasing::MasterAgreement) -> leasing::SignMasterAgreementRequest {
    leasing::SignMasterAgreementRequest {
        name: agreement.name.clone(),
        terms_hash: agreement.terms_hash.clone(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        ..Default::default()
    }
}

/// One that both have signed, and one that nobody has.
pub(super) async fn agreements(stack: &TestStack, names: &mut Names, marker: &str) -> Result<()> {
    let admin = stack.clients(&names.operator, Role::OperatorAdmin)?;
    let tenant = stack.clients(&names.tenant, Role::Tenant)?;
    let draft = async || {
        let mut terms = general_terms();
        terms.clauses[0].text = format!("{marker} law");
        let draft = drafted(&names.operator, &names.tenant, terms);
        let answer = admin.agreements().create_master_agreement(draft).await.context("a draft")?;
        answer.into_inner().master_agreement.context("an agreement")
    };
    let (signed, open) = (draft().await?, draft().await?);
    for side in [&tenant, &admin] {
        let sign = signed_agreement(&signed);
        side.agreements().sign_master_agreement(sign).await.context("a signature")?;
    }
    names.master_agreement = signed.name;
    names.draft_agreement = open.name;
    names.agreement_hash = open.terms_hash;
    Ok(())
}
