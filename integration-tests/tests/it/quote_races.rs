//! Two workers of one acceptance: its caller stalls, the sweeper goes on, and the hall is taken and given back between
//! them. A quote is back on the table, or it has its lease; never both.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use integration_tests::cluster::LEASING;
use integration_tests::market::{READY, request_id};
use integration_tests::requests::offers;
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::QuoteState;
use tonic::{Response, Status};

use crate::quote_sagas::Field;
use crate::quotes::{acceptance, in_state};
use crate::sagas::KILL;

type Answer = Result<Response<leasing::AcceptQuoteResponse>, Status>;

/// A quote for a whole hall that holds nothing, and another that holds some of the same hall.
struct Rivals {
    field: Field,
    quote: leasing::Quote,
    holder: leasing::Quote,
}

impl Rivals {
    async fn prepare() -> Result<Self> {
        let field = Field::prepare().await?;
        let whole = leasing::QuoteLeaseRequest {
            held_block_count: 0,
            need: Some(offers::need(1_000_000, READY)),
            ..Field::question(3_600)
        };
        let quote = field.quote(&whole).await?;
        let terms = quote.options[0].terms.as_ref().context("terms")?;
        let hall = terms.premises.first().context("premises")?.block.clone();
        let some = leasing::QuoteLeaseRequest {
            held_block_count: 1,
            need: Some(leasing::QuoteNeed { places: vec![hall], ..offers::need(1_000, READY) }),
            ..Field::question(3_600)
        };
        let holder = field.quote(&some).await?;
        Ok(Self { field, quote, holder })
    }

    /// Leasing returns with these failpoints, and the tenant takes up the first option.
    async fn accept_with(&mut self, failpoints: &str) -> Result<tokio::task::JoinHandle<Answer>> {
        self.field.cluster.kill(LEASING)?;
        self.field.cluster.start(LEASING, failpoints).await?;
        let tenant = self.field.cluster.clients("tenants/lab", Role::Tenant)?;
        let request = acceptance(&self.quote, 1);
        Ok(tokio::spawn(async move { tenant.offers().accept_quote(request).await }))
    }

    async fn in_state(&self, state: QuoteState) -> Result<leasing::Quote> {
        in_state(&self.field.sales()?, &self.quote.name, state).await
    }

    /// The hall is free again.
    async fn give_back(&self) -> Result<()> {
        let rejection = leasing::RejectQuoteRequest {
            name: self.holder.name.clone(),
            etag: self.holder.etag.clone(),
            reason: "Another hall.".to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        self.field.sales()?.offers().reject_quote(rejection).await?;
        eventually("the hall is free", async || {
            let held = "select count(*) from inventory.reservation where state = 'HELD'";
            Ok((self.field.count(held).await? == 0).then_some(()))
        })
        .await
    }

    async fn leases(&self) -> Result<i64> {
        self.field.count("select count(*) from leasing.lease").await
    }
}

#[tokio::test]
async fn a_quote_that_is_back_on_the_table_begins_no_lease() -> Result<()> {
    let mut rivals = Rivals::prepare().await?;
    // The caller stalls before it writes the lease; the sweeper finds the hall taken and puts the quote back.
    let caller = rivals.accept_with("leasing.propose.before_intent=1*sleep(6000)").await?;
    rivals.in_state(QuoteState::Accepting).await?;
    rivals.in_state(QuoteState::Open).await?;
    rivals.give_back().await?;
    // By now nothing but the quote's own state keeps the caller from a lease.
    ensure!(!caller.is_finished(), "the caller did not stall");
    Refusal::expect(caller.await?)?;
    let quote = rivals.in_state(QuoteState::Open).await?;
    ensure!(rivals.leases().await? == 0, "an open quote has a lease: {quote:#?}");
    rivals.field.audit().await?;
    let accepted = rivals.field.accept(&acceptance(&quote, 1)).await?;
    ensure!(accepted.state() == QuoteState::Accepted && rivals.leases().await? == 1, "{accepted:#?}");
    rivals.field.audit().await
}

#[tokio::test]
async fn a_quote_whose_lease_has_begun_stays_taken_up() -> Result<()> {
    let mut rivals = Rivals::prepare().await?;
    // The caller finds the hall taken and stalls before it puts the quote back; the sweeper finds the hall free,
    // proposes the lease, and stalls before it says so.
    let stalls = "leasing.accept.after_refusal=1*sleep(5000);leasing.accept.after_propose=1*sleep(5000)";
    let caller = rivals.accept_with(stalls).await?;
    rivals.in_state(QuoteState::Accepting).await?;
    rivals.give_back().await?;
    Refusal::expect(caller.await?)?;
    ensure!(rivals.leases().await? == 1, "the sweeper has not begun the lease");
    rivals.in_state(QuoteState::Accepted).await?;
    rivals.field.audit().await
}

#[tokio::test]
async fn a_late_refusal_leaves_the_next_acceptance_alone() -> Result<()> {
    let mut rivals = Rivals::prepare().await?;
    // The caller stalls before it puts the quote back, which the sweeper does. Whoever takes it up next, and the
    // sweeper after him, are slower than the caller's return.
    let stalls =
        "leasing.accept.after_refusal=1*sleep(6000);leasing.propose.before_intent=2*off->2*sleep(5000)";
    let caller = rivals.accept_with(stalls).await?;
    rivals.in_state(QuoteState::Accepting).await?;
    let quote = rivals.in_state(QuoteState::Open).await?;
    rivals.give_back().await?;
    ensure!(!caller.is_finished(), "the caller did not stall");
    let tenant = rivals.field.cluster.clients("tenants/lab", Role::Tenant)?;
    let next = tenant.offers().accept_quote(acceptance(&quote, 2)).await?.into_inner();
    let accepted = next.quote.context("a quote")?;
    ensure!(accepted.state() == QuoteState::Accepted && accepted.accepted_option == 2, "{accepted:#?}");
    Refusal::expect(caller.await?)?;
    rivals.field.audit().await
}

#[tokio::test]
async fn a_refusal_that_nobody_heard_puts_the_quote_back() -> Result<()> {
    let Rivals { mut field, quote, .. } = Rivals::prepare().await?;
    let (tenant, once) = (field.cluster.clients("tenants/lab", Role::Tenant)?, acceptance(&quote, 1));
    let deed = async move { tenant.offers().accept_quote(once).await };
    field.cluster.die_at(LEASING, "leasing.accept.after_refusal", KILL, deed).await?;
    field.cluster.start(LEASING, "").await?;
    field.audit().await?;
    in_state(&field.sales()?, &quote.name, QuoteState::Open).await?;
    Ok(())
}
