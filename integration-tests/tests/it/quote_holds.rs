//! What a quote holds: whole blocks until it lapses; the lease that it becomes takes them over; and whatever becomes of
//! the quote, nothing stays held.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{READY, decimal, request_id};
use integration_tests::requests::offers;
use integration_tests::world::{can_quote, sign};
use integration_tests::{Refusal, eventually};
use inventory::ReservationState;
use kernel::{Clock as _, SystemClock};
use leasing::{LeaseState, QuoteState};
use runtime::wire::to_timestamp;
use tonic::Code;

use crate::quotes::{Desk, acceptance, in_state};

fn holding(question: leasing::QuoteLeaseRequest, blocks: i32) -> leasing::QuoteLeaseRequest {
    leasing::QuoteLeaseRequest { held_block_count: blocks, ..question }
}

impl Desk {
    /// Every reservation, whatever has become of it.
    async fn reservations(&self) -> Result<Vec<inventory::Reservation>> {
        let list =
            inventory::ListReservationsRequest { parent: self.site.operator.clone(), ..Default::default() };
        Ok(self.ana.reservations().list_reservations(list).await?.into_inner().reservations)
    }

    async fn live(&self) -> Result<Vec<inventory::Reservation>> {
        let mut all = self.reservations().await?;
        all.retain(|one| matches!(one.state(), ReservationState::Held | ReservationState::Committed));
        Ok(all)
    }

    async fn nothing_is_held(&self) -> Result<()> {
        eventually("nothing is held", async || Ok(self.live().await?.is_empty().then_some(()))).await
    }
}

fn held(quote: &leasing::Quote) -> Vec<&str> {
    let mut held: Vec<&str> = quote.options.iter().map(|option| option.reservation.as_str()).collect();
    held.retain(|name| !name.is_empty());
    held.sort_unstable();
    held.dedup();
    held
}

#[tokio::test]
async fn the_lease_takes_over_what_the_quote_held() -> Result<()> {
    let desk = Desk::open().await?;
    // Only asked for, nothing is held.
    let asked = leasing::QuoteLeaseRequest { validate_only: true, ..holding(desk.ask(8_000), 2) };
    let asked = desk.quote(asked).await?;
    ensure!(asked.state() == QuoteState::Open && held(&asked).is_empty(), "{asked:#?}");
    ensure!(desk.reservations().await?.is_empty());

    let request = holding(desk.ask(8_000), 2);
    let quote = desk.quote(request.clone()).await?;
    ensure!(quote == desk.quote(request).await?, "a repetition has another answer");
    ensure!(quote.state() == QuoteState::Open && quote.options.len() == 6, "{quote:#?}");
    // Three structures on one hall are one hold, and both halls are held.
    ensure!(held(&quote).len() == 2 && desk.live().await?.len() == 2, "{quote:#?}");
    ensure!(quote.options.iter().all(|option| !option.reservation.is_empty()), "{quote:#?}");
    // What is held is nobody else's: of the larger hall the rest is free.
    can_quote(&desk.ana, &desk.ask(8_000), 3).await?;

    let chosen = &quote.options[3];
    let seen = in_state(&desk.lab, &quote.name, QuoteState::Open).await?;
    let asked = leasing::AcceptQuoteRequest { validate_only: true, ..acceptance(&seen, 4) };
    desk.lab.offers().accept_quote(asked).await?;
    let request = acceptance(&seen, 4);
    let accepted = desk.lab.offers().accept_quote(request.clone()).await?.into_inner();
    let again = desk.lab.offers().accept_quote(request).await?.into_inner();
    ensure!(accepted == again, "a repetition has another answer");
    let accepted = accepted.quote.context("a quote")?;
    let get = leasing::GetLeaseRequest { name: accepted.lease.clone(), version: 0 };
    let lease = desk.lab.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    ensure!(lease.state() == LeaseState::Proposed, "{lease:#?}");
    ensure!(lease.reservation == chosen.reservation, "another hold: {lease:#?}\n{chosen:#?}");
    // The hall that was not chosen is free again, and nothing was held twice.
    eventually("one hold is left", async || Ok((desk.live().await?.len() == 1).then_some(()))).await?;
    ensure!(desk.reservations().await?.len() == 2);
    let signed = sign(|organisation, role| desk.stack.clients(organisation, role), &lease).await?;
    ensure!(signed.reservation == chosen.reservation, "{signed:#?}");
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_quote_that_ends_leaves_nothing_held() -> Result<()> {
    let desk = Desk::open().await?;
    // It lapses, by the database's clock.
    let brief =
        leasing::QuoteLeaseRequest { valid_until_time: offers::in_seconds(3), ..holding(desk.ask(8_000), 2) };
    let quote = desk.quote(brief).await?;
    ensure!(held(&quote).len() == 2, "{quote:#?}");
    let lapsed = in_state(&desk.lab, &quote.name, QuoteState::Lapsed).await?;
    ensure!(held(&lapsed).is_empty(), "{lapsed:#?}");
    desk.nothing_is_held().await?;
    // Either side turns it down, the operator also before it was approved.
    let deep = leasing::QuoteLeaseRequest { discount_percent: decimal("6"), ..holding(desk.ask(8_000), 1) };
    for (who, question) in [(&desk.lab, holding(desk.ask(8_000), 1)), (&desk.ana, deep)] {
        let quote = desk.quote(question).await?;
        ensure!(held(&quote).len() == 1 && desk.live().await?.len() == 1, "{quote:#?}");
        let rejection = leasing::RejectQuoteRequest {
            name: quote.name,
            etag: quote.etag,
            reason: "Too dear.".to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        let rejected = who.offers().reject_quote(rejection).await?.into_inner().quote.context("a quote")?;
        ensure!(rejected.state() == QuoteState::Rejected && held(&rejected).is_empty(), "{rejected:#?}");
        desk.nothing_is_held().await?;
    }
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_hold_that_is_given_back_leaves_an_offer_without_one() -> Result<()> {
    let desk = Desk::open().await?;
    let quote = desk.quote(holding(desk.ask(8_000), 1)).await?;
    let release = inventory::ReleaseReservationRequest {
        name: quote.options[0].reservation.clone(),
        etag: String::new(),
        request_id: request_id(),
        validate_only: false,
    };
    desk.ana.reservations().release_reservation(release).await?;
    let get = leasing::GetQuoteRequest { name: quote.name.clone() };
    eventually("the quote knows", async || {
        let found = desk.ana.offers().get_quote(get.clone()).await?.into_inner().quote.context("a quote")?;
        // The offer is the same: whoever has read it may take it up.
        ensure!(found.etag == quote.etag && found.state() == QuoteState::Open, "{found:#?}");
        Ok(held(&found).is_empty().then_some(()))
    })
    .await?;
    let accepted = desk.lab.offers().accept_quote(acceptance(&quote, 1)).await?.into_inner();
    let get = leasing::GetLeaseRequest { name: accepted.quote.context("a quote")?.lease, version: 0 };
    let lease = desk.lab.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    ensure!(lease.state() == LeaseState::Proposed, "{lease:#?}");
    ensure!(lease.reservation != quote.options[0].reservation, "{lease:#?}");
    ensure!(desk.live().await?.len() == 1);
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn many_quotes_for_one_hall_hold_it_once() -> Result<()> {
    let desk = Desk::open().await?;
    let hall = desk.site.blocks.first().context("a hall")?;
    let need = leasing::QuoteNeed { places: vec![hall.clone()], ..offers::need(8_000, READY) };
    let asks = (0..8).map(|_| {
        let question = offers::question(&desk.site.operator, "tenants/lab", need.clone());
        let ana = desk.ana.clone();
        async move { ana.offers().quote_lease(holding(question, 1)).await }
    });
    let mut won = 0;
    for answer in futures::future::join_all(asks).await {
        match answer {
            Ok(_) => won += 1,
            Err(status) => {
                let refusal = Refusal::of(&status)?;
                // Whoever looked before the winner held finds it taken, whoever came later finds nothing free.
                let reasons = ["CAPACITY_EXHAUSTED", "NOTHING_TO_QUOTE"];
                ensure!(reasons.contains(&refusal.reason.as_str()), "{refusal:#?}");
            }
        }
    }
    ensure!(won == 1, "{won} quotes hold one hall");
    ensure!(desk.live().await?.len() == 1);
    let all = leasing::ListQuotesRequest { parent: desk.site.operator.clone(), ..Default::default() };
    let quotes = desk.ana.offers().list_quotes(all).await?.into_inner().quotes;
    ensure!(quotes.len() == 1 && quotes[0].state() == QuoteState::Open, "{quotes:#?}");
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn nobody_takes_up_a_quote_whose_time_is_over() -> Result<()> {
    let desk = Desk::open().await?;
    // Business time stands still before the end; the database's goes on.
    let until = SystemClock.now() + chrono::TimeDelta::seconds(2);
    let valid_until_time = Some(to_timestamp(until));
    let quote = desk.quote(leasing::QuoteLeaseRequest { valid_until_time, ..desk.ask(8_000) }).await?;
    let (mut taken, mut late) = (0, 0);
    while late < 100 {
        let begun = SystemClock.now();
        let asked = leasing::AcceptQuoteRequest { validate_only: true, ..acceptance(&quote, 1) };
        match desk.lab.offers().accept_quote(asked).await {
            // The sweeper has not been there yet, and the hour is over all the same.
            Ok(_) if begun >= until => bail!("taken up after {taken} in time and {late} too late"),
            Ok(_) => taken += 1,
            Err(status) => {
                let refusal = Refusal::of(&status)?;
                ensure!(["QUOTE_LAPSED", "ETAG_MISMATCH"].contains(&refusal.reason.as_str()), "{refusal:#?}");
                late += 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    ensure!(taken > 0, "none in time");
    let lapsed = in_state(&desk.ana, &quote.name, QuoteState::Lapsed).await?;
    let refusal = Refusal::expect(desk.lab.offers().accept_quote(acceptance(&lapsed, 1)).await)?;
    refusal.is(Code::FailedPrecondition, "QUOTE_LAPSED")?;
    desk.stack.stop().await;
    Ok(())
}
