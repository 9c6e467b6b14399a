//! Leases in the middle of their lives: one with a condition open, one in default, one whose hall waits to be accepted, one
//! that is to be amended, one whose blocks are to be named.

use anyhow::{Context as _, Result};
use chrono::Days;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use kernel::Role;
use leasing::LeaseState;

use super::{Names, in_state};
use crate::market::{self, date, day, request_id};
use crate::{TestStack, eventually};

/// What they are called.
pub(super) struct Lives {
    pub(super) conditional: String,
    pub(super) defaulted: String,
    pub(super) delivered: String,
    pub(super) block: String,
    pub(super) amended: String,
    pub(super) renewable: String,
    pub(super) lingering: String,
    pub(super) unplaced: String,
    pub(super) amendment_hash: Vec<u8>,
}

impl Lives {
    /// These names, with theirs.
    pub(super) fn named(self, names: Names) -> Names {
        Names {
            conditional: self.conditional,
            defaulted: self.defaulted,
            delivered: self.delivered,
            delivered_block: self.block,
            amended: self.amended,
            renewable: self.renewable,
            lingering: self.lingering,
            unplaced: self.unplaced,
            amendment_hash: self.amendment_hash,
            ..names
        }
    }
}

/// Builds them in `block`, a hall of their own that is ready. Business time moves to 6 December 2026, or three days on.
pub(super) async fn live(
    stack: &TestStack,
    place: &market::Site,
    tenant: &str,
    marker: &str,
    block: String,
) -> Result<Lives> {
    let admin = stack.clients(&place.operator, Role::OperatorAdmin)?;
    let terms = |from: &str| {
        let mut terms = market::terms_from(&block, market::load(1_000), from);
        terms.notes = format!("{marker} terms");
        terms
    };
    let condition = leasing::Condition {
        condition_id: "financing".to_owned(),
        description: format!("{marker} the loan is signed"),
        outside_date: Some(date("2028-01-01")),
        satisfied_by: leasing::ConditionParty::Operator.into(),
        block: String::new(),
    };
    let conditions = leasing::LeaseTerms { conditions: vec![condition], ..terms("2027-06-01") };
    let conditional = agree(stack, place, tenant, "conditional", conditions).await?;
    let delivered = agree(stack, place, tenant, "delivered", terms("2027-06-01")).await?;
    let amended = agree(stack, place, tenant, "amended", terms("2027-06-01")).await?;
    let amendment = leasing::ProposeAmendmentRequest {
        name: amended.clone(),
        terms: Some(leasing::LeaseTerms { payment_terms_days: 60, ..terms("2027-06-01") }),
        effective_date: Some(date("2027-06-01")),
        note: format!("{marker} they pay late"),
        request_id: request_id(),
        ..Default::default()
    };
    let amendment = admin.leases().propose_amendment(amendment).await.context("amend")?.into_inner();
    let amendment = amendment.lease.and_then(|lease| lease.amendment).context("an amendment")?;
    let option =
        leasing::RenewalOption { count: 2, term_months: 12, notice_months: 12, ..Default::default() };
    let renewable = leasing::LeaseTerms { renewal_options: vec![option], ..terms("2026-12-02") };
    let renewable = agree(stack, place, tenant, "renewable", renewable).await?;
    let lingering = agree(stack, place, tenant, "lingering", terms("2026-12-02")).await?;
    let later = leasing::LeaseTerms {
        premises: Vec::new(),
        nominations: vec![market::nomination(&place.site, "later", 1_000, "2027-06-01", "2027-05-01")],
        ..terms("2027-06-01")
    };
    let unplaced = agree(stack, place, tenant, "unplaced", later).await?;
    let cure = Some(leasing::CureTerms { monetary_days: 1, other_days: 30 });
    let strict = leasing::LeaseTerms { cure, ..terms("2026-12-02") };
    let defaulted = agree(stack, place, tenant, "defaulted", strict).await?;

    // A world that is built beside another finds the clock moved on.
    let noticed = stack.today().await?.max(day("2026-12-03"));
    stack.move_to(noticed).await?;
    for lease in [&defaulted, &renewable, &lingering] {
        in_state(&admin, lease, LeaseState::Active).await?;
    }
    let stays = holds_over(&lingering, "2037-02-01", &format!("{marker} they are not done"));
    admin.leases().begin_holdover(stays).await.context("a holdover")?;
    let notice = owes(&defaulted, marker);
    admin.leases().give_notice(notice).await.context("a notice")?;
    stack.move_to(noticed + Days::new(3)).await?;
    in_state(&admin, &defaulted, LeaseState::Defaulted).await?;
    until_ready(&admin, &delivered).await?;
    Ok(Lives {
        conditional,
        defaulted,
        delivered,
        block,
        amended,
        renewable,
        lingering,
        unplaced,
        amendment_hash: amendment.terms_hash,
    })
}

fn owes(lease: &str, marker: &str) -> leasing::GiveNoticeRequest {
    leasing::GiveNoticeRequest {
        name: lease.to_owned(),
        kind: leasing::NoticeKind::MonetaryDefault.into(),
        note: format!("{marker} the deposit is owed"),
        request_id: request_id(),
        ..Default::default()
    }
}

/// Waits until leasing knows that the blocks of a lease are ready.
async fn until_ready(admin: &Clients, lease: &str) -> Result<()> {
    eventually("leasing knows that the hall is ready", async || {
        let request = leasing::GetLeaseRequest { name: lease.to_owned(), version: 0 };
        let lease = admin.leases().get_lease(request).await?.into_inner().lease.context("a lease")?;
        let ready = lease.blocks.iter().all(|one| one.state() == leasing::LeaseBlockState::Ready);
        Ok(ready.then_some(()))
    })
    .await
}

/// Says that the tenant of a lease stays until a day.
#[must_use]
pub fn holds_over(lease: &str, until: &str, note: &str) -> leasing::BeginHoldoverRequest {
    leasing::BeginHoldoverRequest {
        name: lease.to_owned(),
        until_date: Some(date(until)),
        note: note.to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

/// A hall that has been ready for a month.
pub(super) async fn ready_hall(stack: &TestStack, place: &market::Site) -> Result<String> {
    let mut sites = stack.clients(&place.operator, Role::SiteOps)?.sites();
    let block = inventory::CreateBlockRequest {
        parent: place.site.clone(),
        block_id: "hall-ready".to_owned(),
        block: Some(market::liquid_block()),
        request_id: request_id(),
        validate_only: false,
    };
    let block = sites.create_block(block).await.context("a hall")?.into_inner().block.context("a hall")?.name;
    let phase = inventory::CreatePhaseRequest {
        parent: block.clone(),
        phase_id: "one".to_owned(),
        phase: Some(inventory::Phase {
            date_basis: inventory::DateBasis::Actual.into(),
            ..market::phase(market::hall(12_000), "2026-11-01")
        }),
        request_id: request_id(),
        validate_only: false,
    };
    sites.create_phase(phase).await.context("a phase")?;
    Ok(block)
}

/// Proposes and signs; gives the name.
async fn agree(
    stack: &TestStack,
    place: &market::Site,
    tenant: &str,
    id: &str,
    terms: leasing::LeaseTerms,
) -> Result<String> {
    let admin = stack.clients(&place.operator, Role::OperatorAdmin)?;
    let proposal = market::proposal(&place.operator, tenant, id, terms);
    let lease = admin.leases().propose_lease(proposal).await.context("propose")?.into_inner().lease;
    let lease = lease.context("a lease")?;
    let signing = stack.clients(tenant, Role::Tenant)?;
    signing.leases().sign_lease(market::signature(&lease)).await.context("the tenant signs")?;
    admin.leases().sign_lease(market::signature(&lease)).await.context("the operator signs")?;
    Ok(lease.name)
}
