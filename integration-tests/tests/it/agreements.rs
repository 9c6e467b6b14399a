//! Master agreements and the orders under them: agreed once, taken over by each lease, and never changed in one by what becomes of
//! the agreement.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, request_id};
use integration_tests::world::{drafted, general_terms, signed_agreement};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::{LeaseState, MasterAgreementState, TermsPrecedence};
use tonic::Code;

use crate::life::Deal;

async fn draft(deal: &Deal, terms: leasing::GeneralTerms) -> Result<leasing::MasterAgreement> {
    let draft = drafted(&deal.operator, &deal.tenant, terms);
    let answer = deal.sales.agreements().create_master_agreement(draft).await?.into_inner();
    answer.master_agreement.context("an agreement")
}

async fn sign(who: &Clients, agreement: &leasing::MasterAgreement) -> Result<leasing::MasterAgreement> {
    let answer = who.agreements().sign_master_agreement(signed_agreement(agreement)).await?.into_inner();
    answer.master_agreement.context("an agreement")
}

async fn in_force(deal: &Deal, terms: leasing::GeneralTerms) -> Result<leasing::MasterAgreement> {
    let agreement = draft(deal, terms).await?;
    sign(&deal.tenants, &agreement).await?;
    sign(&deal.admin, &agreement).await
}

fn ended(agreement: &leasing::MasterAgreement) -> leasing::EndMasterAgreementRequest {
    leasing::EndMasterAgreementRequest {
        name: agreement.name.clone(),
        reason: "we order elsewhere".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

/// Terms that state nothing that an agreement may.
fn bare(deal: &Deal, under: &leasing::MasterAgreement) -> leasing::LeaseTerms {
    leasing::LeaseTerms {
        payment_terms_days: 0,
        master_agreement: under.name.clone(),
        ..market::terms(&deal.blocks[0], market::load(1_000))
    }
}

/// Nobody orders under it, nor would.
async fn takes_no_orders(deal: &Deal, agreement: &leasing::MasterAgreement, state: &str) -> Result<()> {
    for validate_only in [true, false] {
        let order = market::proposal(&deal.operator, &deal.tenant, "too-late", bare(deal, agreement));
        let order = leasing::ProposeLeaseRequest { validate_only, ..order };
        let refusal = Refusal::expect(deal.sales.leases().propose_lease(order).await)?;
        let refusal = refusal.is(Code::FailedPrecondition, "MASTER_AGREEMENT_NOT_IN_FORCE")?;
        ensure!(refusal.fact("state")? == state, "{refusal:#?}");
    }
    Ok(())
}

async fn orders(who: &Clients, agreement: &str) -> Result<Vec<String>> {
    let list = leasing::ListLeasesRequest {
        parent: "operators/-".to_owned(),
        master_agreement: agreement.to_owned(),
        ..Default::default()
    };
    let listed = who.leases().list_leases(list).await?.into_inner().leases;
    Ok(listed.into_iter().map(|lease| lease.name).collect())
}

#[tokio::test]
async fn both_sign_an_agreement_and_orders_take_over_what_it_says() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let agreement = draft(&deal, general_terms()).await?;
    ensure!(agreement.state() == MasterAgreementState::Draft && agreement.signatures.is_empty());
    ensure!(agreement.general_terms == Some(general_terms()), "{agreement:#?}");
    takes_no_orders(&deal, &agreement, "DRAFT").await?;

    // Both sign the same hash, each once.
    let other =
        leasing::SignMasterAgreementRequest { terms_hash: vec![7; 32], ..signed_agreement(&agreement) };
    let refusal = Refusal::expect(deal.tenants.agreements().sign_master_agreement(other).await)?;
    refusal.is(Code::FailedPrecondition, "TERMS_HASH_MISMATCH")?;
    let half = sign(&deal.tenants, &agreement).await?;
    ensure!(half.state() == MasterAgreementState::Draft && half.signed_time.is_none(), "{half:#?}");
    let again = deal.tenants.agreements().sign_master_agreement(signed_agreement(&agreement)).await;
    Refusal::expect(again)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    takes_no_orders(&deal, &agreement, "DRAFT").await?;
    let signed = sign(&deal.admin, &agreement).await?;
    ensure!(signed.state() == MasterAgreementState::Signed && signed.signed_time.is_some(), "{signed:#?}");
    let sides: Vec<_> = signed.signatures.iter().map(|one| (one.party(), &one.terms_hash)).collect();
    let hash = &agreement.terms_hash;
    ensure!(sides == [(leasing::Party::Tenant, hash), (leasing::Party::Operator, hash)], "{signed:#?}");

    // What the order does not state it takes over, and it is signed with what it has taken over.
    let general = general_terms();
    let terms = leasing::LeaseTerms {
        cure: Some(leasing::CureTerms { monetary_days: 3, other_days: 9 }),
        ..bare(&deal, &agreement)
    };
    let lease = deal.agree("order", terms.clone()).await?;
    let taken = lease.terms.clone().context("terms")?;
    ensure!(taken.payment_terms_days == 45 && taken.cure == terms.cure, "{taken:#?}");
    ensure!(taken.late_interest == general.late_interest && taken.dispute == general.dispute, "{taken:#?}");
    ensure!(taken.holdover == general.holdover && taken.master_agreement == agreement.name, "{taken:#?}");
    let master = lease.master_terms.clone().context("what it has taken over")?;
    ensure!(master.terms_hash == agreement.terms_hash, "{master:#?}");
    ensure!(master.general_terms == Some(general) && master.display_name == "MSA of 2026", "{master:#?}");
    let alone = deal.propose("alone", leasing::LeaseTerms { master_agreement: String::new(), ..taken });
    ensure!(alone.await?.terms_hash != lease.terms_hash, "the agreement is part of what is signed");

    // Whoever sees no money sees what it is an order under, and no more.
    let get = leasing::GetLeaseRequest { name: lease.name.clone(), version: 0 };
    let seen = deal.ops.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    ensure!(seen.master_terms.is_none(), "{seen:#?}");
    ensure!(orders(&deal.tenants, &agreement.name).await? == std::slice::from_ref(&lease.name));
    let none = agreement.name.replace(&deal.operator, "operators/zenith");
    ensure!(orders(&deal.admin, &none).await?.is_empty());

    let format = contracts::common::v1::DocumentFormat::Html.into();
    let render = leasing::RenderLeaseRequest { name: lease.name.clone(), format };
    let form = deal.tenants.leases().render_lease(render).await?.into_inner().document;
    let form = String::from_utf8(form.context("a document")?.content)?;
    let hex: String = agreement.terms_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    for said in ["MSA of 2026", &agreement.name, &hex, "Governing law", "State of New York", "45 days"] {
        ensure!(form.contains(said), "`{said}` is not in {form}");
    }
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_agreement_that_has_ended_takes_no_orders_and_those_that_are_there_go_on() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let agreement = in_force(&deal, general_terms()).await?;
    let lease = deal.agree("order", bare(&deal, &agreement)).await?;
    let proposed = deal.propose("on-the-table", bare(&deal, &agreement)).await?;
    let import =
        |id: &str| market::running(&deal.operator, &deal.tenant, id, bare(&deal, &agreement), "2027-01-01");
    let running = deal.admin.leases().import_lease(import("running")).await?.into_inner().lease;
    let running = running.context("a lease")?;
    ensure!(running.master_terms == lease.master_terms, "{running:#?}");
    let over = deal.tenants.agreements().end_master_agreement(ended(&agreement)).await?.into_inner();
    let over = over.master_agreement.context("an agreement")?;
    ensure!(over.state() == MasterAgreementState::Ended, "{over:#?}");
    ensure!(over.ended_by() == leasing::Party::Tenant && over.end_time.is_some(), "{over:#?}");
    ensure!(over.signatures.len() == 2 && over.end_reason == "we order elsewhere", "{over:#?}");
    let twice = deal.admin.agreements().end_master_agreement(ended(&agreement)).await;
    Refusal::expect(twice)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    takes_no_orders(&deal, &agreement, "ENDED").await?;
    let refused = deal.admin.leases().import_lease(import("another")).await;
    Refusal::expect(refused)?.is(Code::FailedPrecondition, "MASTER_AGREEMENT_NOT_IN_FORCE")?;

    // What was signed is what it was, and what was on the table may be signed.
    ensure!(deal.lease(&lease.name).await?.terms_hash == lease.terms_hash);
    deal.tenants.leases().sign_lease(market::signature(&proposed)).await?;
    deal.admin.leases().sign_lease(market::signature(&proposed)).await?;

    // An amendment stays under it, by what was taken over.
    let amend = |terms| leasing::ProposeAmendmentRequest {
        name: lease.name.clone(),
        terms: Some(terms),
        effective_date: Some(market::date("2027-01-01")),
        request_id: request_id(),
        ..Default::default()
    };
    for other in [String::new(), format!("{}/masterAgreements/{}", deal.operator, request_id())] {
        let terms = leasing::LeaseTerms { master_agreement: other, ..bare(&deal, &agreement) };
        let refusal = Refusal::expect(deal.sales.leases().propose_amendment(amend(terms)).await)?;
        let refusal = refusal.is(Code::InvalidArgument, "INVALID_FIELD")?;
        ensure!(refusal.fields == ["terms.master_agreement"], "{refusal:#?}");
    }
    let terms = leasing::LeaseTerms { notes: "by the river".to_owned(), ..bare(&deal, &agreement) };
    let on_table = deal.sales.leases().propose_amendment(amend(terms)).await?.into_inner().lease;
    let on_table = on_table.context("a lease")?;
    let wanted = on_table.amendment.clone().context("an amendment")?.terms.context("terms")?;
    ensure!(wanted.payment_terms_days == 45 && wanted.late_interest == general_terms().late_interest);
    for side in [&deal.tenants, &deal.admin] {
        side.leases().sign_amendment(crate::lease_amendments::signed(&on_table)).await?;
    }
    let amended = deal.lease(&lease.name).await?;
    ensure!(amended.version == 2 && amended.master_terms == lease.master_terms, "{amended:#?}");
    ensure!(amended.state() == LeaseState::Effective && amended.terms_hash != lease.terms_hash);
    let mut all = [lease.name, proposed.name, running.name];
    all.sort();
    ensure!(orders(&deal.admin, &agreement.name).await? == all);
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn where_the_agreement_counts_an_order_contradicts_it_in_nothing() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let terms = leasing::GeneralTerms { precedence: TermsPrecedence::Agreement.into(), ..general_terms() };
    let agreement = in_force(&deal, terms).await?;
    let other = leasing::LeaseTerms {
        payment_terms_days: 30,
        cure: Some(leasing::CureTerms { monetary_days: 3, other_days: 9 }),
        dispute: general_terms().dispute,
        holdover: Some(leasing::HoldoverTerms { rate_percent: market::decimal("150") }),
        ..bare(&deal, &agreement)
    };
    let order = market::proposal(&deal.operator, &deal.tenant, "order", other);
    let refusal = Refusal::expect(deal.tenants.leases().propose_lease(order).await)?;
    let refusal = refusal.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(refusal.fields == ["terms.cure", "terms.holdover", "terms.payment_terms_days"], "{refusal:#?}");
    let lease = deal.agree("order", bare(&deal, &agreement)).await?;
    // Said again as it was taken over, it is no contradiction; said otherwise, an amendment is refused.
    let taken = lease.terms.clone().context("terms")?;
    let amend = |terms| leasing::ProposeAmendmentRequest {
        name: lease.name.clone(),
        terms: Some(terms),
        effective_date: Some(market::date("2027-01-01")),
        request_id: request_id(),
        validate_only: true,
        ..Default::default()
    };
    let same = leasing::LeaseTerms { notes: "by the river".to_owned(), ..taken.clone() };
    deal.sales.leases().propose_amendment(amend(same)).await?;
    let late_interest =
        taken.late_interest.clone().map(|one| leasing::LateInterest { grace_days: 30, ..one });
    let dearer = leasing::LeaseTerms { late_interest, ..taken };
    let refusal = Refusal::expect(deal.sales.leases().propose_amendment(amend(dearer)).await)?;
    ensure!(refusal.fields == ["terms.late_interest"], "{refusal:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn whoever_is_no_side_of_an_agreement_finds_none() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let agreement = in_force(&deal, general_terms()).await?;
    let clients = |organisation: &str, role| deal.stack.clients(organisation, role);
    let rival = market::tenant(clients, "rival-lab").await?;
    let rivals = deal.stack.clients(&rival, Role::Tenant)?;
    market::site(clients, "zenith", &[]).await?;
    let zenith = deal.stack.clients("operators/zenith", Role::OperatorAdmin)?;
    for who in [&rivals, &zenith] {
        let get = leasing::GetMasterAgreementRequest { name: agreement.name.clone() };
        let refusals = [
            Refusal::expect(who.agreements().get_master_agreement(get).await)?,
            Refusal::expect(who.agreements().sign_master_agreement(signed_agreement(&agreement)).await)?,
            Refusal::expect(who.agreements().end_master_agreement(ended(&agreement)).await)?,
        ];
        for refusal in refusals {
            refusal.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
        }
        let list =
            leasing::ListMasterAgreementsRequest { parent: "operators/-".to_owned(), ..Default::default() };
        let none = who.agreements().list_master_agreements(list).await?.into_inner();
        ensure!(none.master_agreements.is_empty(), "{none:#?}");
    }
    // Neither the rival nor the operator for it orders under it: it is absent, as one that never was.
    let absent = leasing::MasterAgreement {
        name: format!("{}/masterAgreements/{}", deal.operator, request_id()),
        ..Default::default()
    };
    for who in [&rivals, &deal.sales] {
        let mut told = Vec::new();
        for under in [&agreement, &absent] {
            let order = market::proposal(&deal.operator, &rival, "order", bare(&deal, under));
            let refusal = Refusal::expect(who.leases().propose_lease(order).await)?;
            told.push(refusal.is(Code::NotFound, "RESOURCE_NOT_FOUND")?.message);
        }
        ensure!(told[0] == told[1], "{told:?}");
    }
    let own = leasing::ListMasterAgreementsRequest {
        parent: deal.operator.clone(),
        states: vec![MasterAgreementState::Signed.into()],
        tenant: deal.tenant.clone(),
        ..Default::default()
    };
    for who in [&deal.tenants, &deal.finance] {
        let listed = who.agreements().list_master_agreements(own.clone()).await?.into_inner();
        ensure!(listed.master_agreements == [agreement.clone()], "{listed:#?}");
    }
    deal.stack.stop().await;
    Ok(())
}

/// An order that has read the agreement while it took orders, and is recorded once it has ended, is refused.
#[tokio::test]
async fn no_order_slips_in_beside_the_end() -> Result<()> {
    let deal = Deal::prepare(&[10_000]).await?;
    let agreement = in_force(&deal, general_terms()).await?;
    let mut ending = deal.stack.database.superuser().await?;
    let mut watching = deal.stack.database.superuser().await?;
    // The end as its transaction writes it, before it commits: nobody reads it, and whoever orders waits for it.
    for statement in [
        "begin",
        "update leasing.master_agreement set state = 'ENDED', revision = revision + 1, ending = \
           jsonb_build_object('party', 'TENANT', 'subject', 'ada', 'reason', 'over', 'time', update_time)",
    ] {
        sqlx::query(statement).execute(&mut ending).await?;
    }
    let order = market::proposal(&deal.operator, &deal.tenant, "order", bare(&deal, &agreement));
    let mut leases = deal.sales.leases();
    let order = tokio::spawn(async move { leases.propose_lease(order).await });
    eventually("the order waits", async || {
        let waits: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity \
             where wait_event_type = 'Lock' and query like '%master_agreement%'",
        )
        .fetch_one(&mut watching)
        .await?;
        Ok((waits > 0).then_some(()))
    })
    .await?;
    sqlx::query("commit").execute(&mut ending).await?;
    Refusal::expect(order.await?)?.is(Code::FailedPrecondition, "MASTER_AGREEMENT_NOT_IN_FORCE")?;
    ensure!(orders(&deal.admin, &agreement.name).await?.is_empty());
    deal.stack.stop().await;
    Ok(())
}
