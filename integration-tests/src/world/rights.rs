//! A tenant with a right of first refusal, what another one would lease in its place, and leases that another is to have.

use anyhow::{Context as _, Result};
use contracts::leasing::v1 as leasing;
use kernel::Role;

use super::Names;
use crate::TestStack;
use crate::market::{self, request_id};

/// A right of first refusal on this place.
#[must_use]
pub fn refusal_of(place: &str) -> leasing::ExpansionRight {
    leasing::ExpansionRight {
        right_id: "next-hall".to_owned(),
        kind: leasing::RightKind::Rofr.into(),
        place: place.to_owned(),
        quantity_kw: 5_000,
        response_days: 20,
        until_date: None,
    }
}

/// Another tenant is to have a lease, from 2028 on.
#[must_use]
pub fn assigned(lease: &str, assignee: &str) -> leasing::RequestAssignmentRequest {
    leasing::RequestAssignmentRequest {
        name: lease.to_owned(),
        kind: leasing::AssignmentKind::Assignment.into(),
        assignee: assignee.to_owned(),
        effective_date: Some(market::date("2028-01-01")),
        reference: "AA-7".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

/// A lease of the tenant that gives it a right on the hall that is ready, and two of another one there, offered; and agreements.
pub(super) async fn rights(stack: &TestStack, names: &mut Names, marker: &str) -> Result<()> {
    let admin = stack.clients(&names.operator, Role::OperatorAdmin)?;
    let terms = |from: &str| {
        let mut terms = market::terms_from(&names.delivered_block, market::load(1_000), from);
        terms.notes = format!("{marker} terms");
        terms
    };
    let propose = async |tenant: &str, id: &str, terms| {
        let proposal = market::proposal(&names.operator, tenant, id, terms);
        let answer = admin.leases().propose_lease(proposal).await.context("propose")?.into_inner();
        answer.lease.context("a lease")
    };
    let expansion_rights = vec![refusal_of(&names.delivered_block)];
    let entitled = leasing::LeaseTerms { expansion_rights, ..terms("2027-06-01") };
    let entitled = propose(&names.tenant, "entitled", entitled).await?;
    let holder = stack.clients(&names.tenant, Role::Tenant)?;
    holder.leases().sign_lease(market::signature(&entitled)).await.context("the tenant signs")?;
    admin.leases().sign_lease(market::signature(&entitled)).await.context("the operator signs")?;

    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let rival = format!("{}-rival", names.tenant.trim_start_matches("tenants/"));
    let rival = market::tenant(clients, &rival).await?;
    names.other_transferred.clone_from(&entitled.name);
    let transferred = propose(&names.tenant, "transferred", terms("2027-06-01")).await?;
    holder.leases().sign_lease(market::signature(&transferred)).await.context("the tenant signs")?;
    admin.leases().sign_lease(market::signature(&transferred)).await.context("the operator signs")?;
    names.transferred = transferred.name;
    for name in [&names.transferred, &names.other_transferred] {
        let wish = leasing::RequestAssignmentRequest {
            note: format!("{marker} we merge"),
            ..assigned(name, &rival)
        };
        holder.leases().request_assignment(wish).await.context("ask for consent")?;
    }
    let mut offers = Vec::new();
    for id in ["contested", "contested-too"] {
        let lease = propose(&rival, id, terms("2027-06-01")).await?;
        let request_id = request_id();
        let ask = leasing::OfferToRightHoldersRequest {
            name: lease.name.clone(),
            request_id,
            ..Default::default()
        };
        let asked = admin.rights().offer_to_right_holders(ask).await.context("ask")?.into_inner();
        offers.push((lease.name, asked.right_offers.first().context("an offer")?.name.clone()));
    }
    if let [(contested, offer), (_, other)] = offers.as_slice() {
        names.contested.clone_from(contested);
        names.right_offer.clone_from(offer);
        names.other_right_offer.clone_from(other);
    }
    super::agreements::agreements(stack, names, marker).await
}
