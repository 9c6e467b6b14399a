//! A tenant with a right of first refusal, and what another one would lease in its place.

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

/// A lease of the tenant that gives it a right on the hall that is ready, and two of another one there, offered.
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
    Ok(())
}
