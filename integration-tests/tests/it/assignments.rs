//! Another tenant has the lease, or the use of it, with the operator's consent: who sees it from then on, and who pays.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::world::{assigned, billable, in_state};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::{DeadlineKind, LeaseState};
use tonic::Code;

use crate::life::Deal;

fn consented(name: &str) -> leasing::ConsentToAssignmentRequest {
    leasing::ConsentToAssignmentRequest {
        name: name.to_owned(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        ..Default::default()
    }
}

fn wish(lease: &str, kind: leasing::AssignmentKind, assignee: &str) -> leasing::RequestAssignmentRequest {
    let effective_date = Some(date("2027-03-01"));
    leasing::RequestAssignmentRequest { kind: kind.into(), effective_date, ..assigned(lease, assignee) }
}

async fn sees(who: &Clients, name: &str) -> Result<Option<leasing::Lease>> {
    let get = leasing::GetLeaseRequest { name: name.to_owned(), version: 0 };
    match who.leases().get_lease(get).await {
        Ok(answer) => Ok(answer.into_inner().lease),
        Err(status) => {
            Refusal::of(&status)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
            Ok(None)
        }
    }
}

async fn history(who: &Clients, name: &str) -> Result<Vec<String>> {
    let ask = leasing::GetHistoryRequest { name: name.to_owned(), ..Default::default() };
    let told = who.leases().get_history(ask).await?.into_inner().happenings;
    Ok(told.into_iter().map(|one| one.kind).collect())
}

/// Issues what is drafted for a month.
async fn issue(deal: &Deal, month: i32) -> Result<()> {
    let list = billing::ListInvoicesRequest {
        parent: deal.operator.clone(),
        billing_month: Some(billing::BillingMonth { year: 2027, month }),
        ..Default::default()
    };
    for draft in deal.finance.invoices().list_invoices(list).await?.into_inner().invoices {
        let issue =
            billing::IssueInvoiceRequest { name: draft.name, request_id: request_id(), ..Default::default() };
        deal.finance.invoices().issue_invoice(issue).await.context("issue")?;
    }
    Ok(())
}

/// What a tenant was billed by an operator, in minor units.
async fn billed(who: &Clients, month: i32) -> Result<i64> {
    let list = billing::ListInvoicesRequest {
        parent: "operators/-".to_owned(),
        billing_month: Some(billing::BillingMonth { year: 2027, month }),
        ..Default::default()
    };
    let invoices = who.invoices().list_invoices(list).await?.into_inner().invoices;
    Ok(invoices.iter().filter_map(|one| one.total.as_ref()).map(|total| total.units * 100).sum())
}

#[tokio::test]
async fn with_consent_another_tenant_sees_the_lease_and_pays_and_the_former_keeps_its_history() -> Result<()>
{
    let deal = Deal::prepare(&[20_000]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    let name = lease.name.as_str();
    let clients = |organisation: &str, role| deal.stack.clients(organisation, role);
    let assignment = leasing::AssignmentKind::Assignment;
    let ask = wish(name, assignment, "tenants/newlab");
    let asked = deal.tenants.leases().request_assignment(ask.clone()).await?.into_inner().lease;
    let asked = asked.context("a lease")?;
    ensure!(asked.assignment.as_ref().is_some_and(|one| one.assignee == "tenants/newlab"), "{asked:#?}");
    let again = deal.tenants.leases().request_assignment(ask).await?.into_inner().lease;
    ensure!(again == Some(asked), "the same request, the same answer");
    ensure!(deal.runs_out().await?.contains(&DeadlineKind::Assignment));
    // The tenant does not learn who is registered; the operator consents to nobody else.
    let nobody = deal.admin.leases().consent_to_assignment(consented(name)).await;
    Refusal::expect(nobody)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    market::tenant(clients, "newlab").await?;
    let newlab = deal.stack.clients("tenants/newlab", Role::Tenant)?;
    deal.admin.leases().consent_to_assignment(consented(name)).await.context("consent")?;
    let decline = leasing::DeclineAssignmentRequest {
        name: name.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let late = deal.tenants.leases().decline_assignment(decline).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    ensure!(sees(&newlab, name).await?.is_none(), "until its day it is another's");

    deal.stack.move_to(day("2027-02-02")).await?;
    in_state(&deal.sales, name, LeaseState::Active).await?;
    billable(&deal.finance, &deal.operator, 2027, 2).await?;
    deal.bills(2027, 2, 125_000_000).await?;

    deal.stack.move_to(day("2027-03-02")).await?;
    let now = deal.until("another is its tenant", name, |now| now.tenant == "tenants/newlab").await?;
    ensure!(now.former_tenants[0].tenant == deal.tenant, "{now:#?}");
    ensure!(now.version == 1 && now.terms == lease.terms && now.signatures == lease.signatures, "{now:#?}");
    ensure!(sees(&newlab, name).await? == Some(now.clone()));
    ensure!(sees(&deal.tenants, name).await?.is_none(), "it is another's now");
    // The reservation goes with the lease.
    eventually("inventory knows of it", async || {
        let get = inventory::GetReservationRequest { name: now.reservation.clone(), ..Default::default() };
        Ok(newlab.reservations().get_reservation(get).await.ok())
    })
    .await?;
    ensure!(deal.free_it_kw(0, "2028-06-01", "2028-07-01").await? == 10_000, "it takes what it took");

    // What happens from now on is no business of the former tenant's, what happened before is still its own.
    let known = history(&deal.tenants, name).await?;
    ensure!(known.last().is_some_and(|last| last == "lease.assigned"), "{known:?}");
    let notice = leasing::GiveNoticeRequest {
        name: name.to_owned(),
        kind: leasing::NoticeKind::MonetaryDefault.into(),
        note: "rent of March".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    deal.admin.leases().give_notice(notice).await?;
    ensure!(history(&deal.tenants, name).await? == known);
    let all = history(&newlab, name).await?;
    ensure!(all.len() == known.len() + 1 && all.starts_with(&known), "{all:?}");

    billable(&deal.finance, &deal.operator, 2027, 3).await?;
    deal.bills(2027, 3, 125_000_000).await?;
    issue(&deal, 2).await?;
    issue(&deal, 3).await?;
    let bills = [billed(&deal.tenants, 2).await?, billed(&deal.tenants, 3).await?];
    ensure!(bills == [125_000_000, 0], "{bills:?}");
    let bills = [billed(&newlab, 2).await?, billed(&newlab, 3).await?];
    ensure!(bills == [0, 125_000_000], "{bills:?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_sublease_adds_who_uses_it_and_a_request_without_consent_is_over_on_its_day() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let lease = deal.agree("river", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    let other = deal.agree("lake", market::terms(&deal.blocks[0], market::load(5_000))).await?;
    let clients = |organisation: &str, role| deal.stack.clients(organisation, role);
    let user = market::tenant(clients, "userlab").await?;
    let ask =
        async |name: &str, kind| deal.tenants.leases().request_assignment(wish(name, kind, &user)).await;
    ask(&lease.name, leasing::AssignmentKind::Sublease).await?;
    ask(&other.name, leasing::AssignmentKind::Assignment).await?;
    deal.admin.leases().consent_to_assignment(consented(&lease.name)).await?;
    deal.stack.move_to(day("2027-03-02")).await?;
    let now = deal.until("it is subleased", &lease.name, |now| now.assignment.is_none()).await?;
    ensure!(now.tenant == deal.tenant && now.subtenants[0].tenant == user, "{now:#?}");
    ensure!(now.subtenants[0].since_date == Some(date("2027-03-01")), "{now:#?}");
    let users = deal.stack.clients(&user, Role::Tenant)?;
    ensure!(sees(&users, &lease.name).await?.is_none(), "who uses it is no side of it");
    let over = deal.until("the request is over", &other.name, |now| now.assignment.is_none()).await?;
    ensure!(over.tenant == deal.tenant && over.former_tenants.is_empty(), "{over:#?}");
    let told = history(&deal.tenants, &other.name).await?;
    ensure!(told.contains(&"lease.assignment_expired".to_owned()), "{told:?}");
    deal.stack.stop().await;
    Ok(())
}
