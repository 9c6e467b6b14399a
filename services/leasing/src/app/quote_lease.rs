//! Making a quote: one row if it holds nothing; else durable intent, then each hold, then their record. Whoever dies in
//! between, the sweeper goes on.
//!
//! The holds are those of the lease that the quote may become, under the lease's own derived ids: proposing it finds
//! them there and takes them over.

use kernel::{
    Caller, Error, Instant, OperatorId, Organisation, QuoteId, QuoteName, Reason, ReservationId, Scope,
    TenantName, Uuid,
};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::once::Once;
use super::quotes::rpc_of;
use super::requests::{Earlier, Sagas, in_progress, is_nothing_done};
use super::{App, Hands, kind, rpc};
use crate::domain::quote::{self, Need};
use crate::domain::quote_hold::QuoteHold;
use crate::domain::quote_record::{Quote, QuoteState, Whereabouts};
use crate::domain::{CardState, RateCard};
use crate::store::{self, SCHEMA};

/// Cards that one quote looks at.
const CARDS_MAX: u32 = 100;
const VALID_DAYS_MAX: i64 = 180;
/// Inventory holds for sixty days at most, and a quote's hold lasts a little longer than the quote.
const HELD_DAYS_MAX: i64 = 59;
const HELD_LONGER_S: i64 = 60 * 60;

/// What a quote asks for.
#[derive(Clone, Debug, Serialize)]
pub struct QuoteLease {
    /// Who would give the capacity.
    pub operator: OperatorId,
    /// Whom it is for.
    pub tenant: TenantName,
    /// What is needed.
    pub need: Need,
    /// Where and from when.
    pub whereabouts: Whereabouts,
    /// When it lapses, by the database's clock.
    pub valid_until: Instant,
    /// How long capacity is held for signatures, in seconds.
    pub hold_seconds: i64,
    /// At most so many options.
    pub options_max: usize,
    /// So many blocks, those of the first options, are held until it lapses.
    pub blocks_held: usize,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only price.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What the last transaction found.
enum Outcome {
    Done(Box<Quote>),
    Answered(Vec<u8>),
    Gone,
}

impl App {
    /// Prices a need and puts the options on the table. What inventory and the cards say is gathered first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator or tenant), `NOTHING_TO_QUOTE` with what would work, `TERM_OUT_OF_RANGE`; where
    /// something is to be held, inventory's refusal, unchanged; what a request id is refused with.
    pub async fn quote_lease(&self, caller: &Caller, command: QuoteLease) -> Result<Answer<Quote>, Error> {
        let operator = &command.operator;
        let scope = caller.scope_of_operator(operator)?;
        let hands = Hands { db: &self.db, scope: &scope };
        let owner = format!("operators/{operator}");
        let key = RequestKey::new(owner, caller, rpc::QUOTE_LEASE, command.request_id, &command)?;
        let sagas = Sagas::Quotes(operator);
        if !command.validate_only
            && let Some(reply) = self.answered(hands, sagas, &key).await?
        {
            return Ok(Answer::Replayed(reply));
        }
        self.must_know_tenant(hands, &command.tenant).await?;
        let quote = self.draw_up(caller, &scope, &command).await?;
        if quote.holds.is_empty() {
            return self.put_on_the_table(hands, &key, &command, &quote).await;
        }
        if command.validate_only {
            return self.would_hold(quote).await.map(Answer::Fresh);
        }
        failpoint("leasing.quote.before_intent")?;
        let (quote, key) = (&quote, &key);
        let before = hands
            .db
            .in_tx("quote_lease_intent", hands.scope, |tx| async move {
                let before = sagas.earlier(&tx, key).await?;
                let begun =
                    before == Earlier::None && store::insert_quote(tx.conn(), quote, Some(key)).await?;
                Ok((tx, (begun, before)))
            })
            .await?;
        match before {
            (true, _) => {
                failpoint("leasing.quote.after_intent")?;
                self.finish_quote(hands, quote, key).await
            }
            (false, Earlier::Answered(reply)) => Ok(Answer::Replayed(reply)),
            (false, _) => Err(in_progress()),
        }
    }

    /// The quote as it would be.
    async fn draw_up(&self, caller: &Caller, scope: &Scope, command: &QuoteLease) -> Result<Quote, Error> {
        let seconds = self.in_time(command).await?;
        let now = self.now();
        let cards = &self.cards_in_force(scope, &command.operator).await?;
        let organisation = caller.effective_organisation();
        let (need, whereabouts) = (&command.need, &command.whereabouts);
        let found = self.inventory.candidates(organisation, &command.operator, need, whereabouts).await?;
        let mut offers = quote::price(need, &found.candidates, cards, now.date_naive())?;
        if offers.is_empty() {
            return Err(nothing(found.candidates.is_empty(), found.nearest, cards));
        }
        offers.truncate(command.options_max);
        let holds = QuoteHold::plan(&offers, command.blocks_held, seconds, || self.ids.next());
        Ok(Quote {
            name: QuoteName::new(command.operator.clone(), QuoteId::new(self.ids.next())),
            tenant: command.tenant.clone(),
            state: Quote::beginning(&offers, &holds),
            need: need.clone(),
            whereabouts: whereabouts.clone(),
            offers,
            valid_until: command.valid_until,
            hold_seconds: command.hold_seconds,
            holds,
            author: caller.subject.clone(),
            approver: None,
            accepted: None,
            master: None,
            reject_reason: String::new(),
            revision: 1,
            create_time: now,
            update_time: now,
        })
    }

    /// How long something held must last, by the database's clock: a little longer than the quote.
    async fn in_time(&self, command: &QuoteLease) -> Result<i64, Error> {
        let most = if command.blocks_held == 0 { VALID_DAYS_MAX } else { HELD_DAYS_MAX };
        let ahead = command.valid_until - self.db.database_time().await?;
        if ahead <= chrono::TimeDelta::zero() || ahead > chrono::TimeDelta::days(most) {
            return Err(Error::invalid_field(
                "valid_until_time",
                format!("must be later than now, by {most} days at most"),
            ));
        }
        Ok(ahead.num_seconds() + HELD_LONGER_S)
    }

    async fn cards_in_force(&self, scope: &Scope, operator: &OperatorId) -> Result<Vec<RateCard>, Error> {
        self.db
            .read("find_rate_cards", scope, |tx| async move {
                let approved = [CardState::Approved];
                let cards = store::list_rate_cards(tx.conn(), operator, &approved, None, CARDS_MAX).await?;
                Ok((tx, cards))
            })
            .await
    }

    async fn put_on_the_table(
        &self,
        hands: Hands<'_>,
        key: &RequestKey,
        command: &QuoteLease,
        quote: &Quote,
    ) -> Result<Answer<Quote>, Error> {
        let how = Once {
            name: "quote_lease",
            scope: hands.scope,
            key,
            validate_only: command.validate_only,
            reply: self.wire.quoted,
        };
        self.once(how, |tx| async move {
            store::insert_quote(tx.conn(), quote, None).await?;
            self.tell_quote(&tx, kind::QUOTED, quote).await?;
            Ok((tx, quote.clone()))
        })
        .await
    }

    /// Fails as holding would, as far as can be known without doing it.
    async fn would_hold(&self, quote: Quote) -> Result<Quote, Error> {
        let organisation = Organisation::Operator(quote.name.operator.clone());
        for hold in &quote.holds {
            let lease = quote.lease_of_hold(hold, self.now())?;
            self.inventory.check_hold(&organisation, &lease).await?;
        }
        quote.held(&[], self.now())
    }

    /// From the recorded intent to the end: also the sweeper's way.
    pub(super) async fn finish_quote(
        &self,
        hands: Hands<'_>,
        quote: &Quote,
        key: &RequestKey,
    ) -> Result<Answer<Quote>, Error> {
        let organisation = Organisation::Operator(quote.name.operator.clone());
        let mut held = Vec::new();
        for hold in &quote.holds {
            let lease = quote.lease_of_hold(hold, self.now())?;
            match self.inventory.place_hold(&organisation, &lease).await {
                Ok(hold) => held.push(hold.reservation),
                Err(refusal) if is_nothing_done(refusal.reason()) => {
                    self.give_quote_up(hands, &quote.name, &held).await?;
                    return Err(refusal);
                }
                Err(open) => return Err(open),
            }
            failpoint("leasing.quote.after_hold")?;
        }
        let outcome = self.record_holds(hands, &quote.name, &held, key).await?;
        failpoint("leasing.quote.after_record")?;
        match outcome {
            Outcome::Done(quote) => {
                self.feed.notify();
                Ok(Answer::Fresh(*quote))
            }
            Outcome::Answered(reply) => Ok(Answer::Replayed(reply)),
            // Refused to another worker of this saga a moment ago; the follower gives the late holds back.
            Outcome::Gone => Err(in_progress()),
        }
    }

    /// Something cannot be held: the intent disappears, and what was held before it is given back.
    async fn give_quote_up(
        &self,
        hands: Hands<'_>,
        name: &QuoteName,
        held: &[ReservationId],
    ) -> Result<(), Error> {
        hands
            .db
            .in_tx("quote_lease_refused", hands.scope, |tx| async move {
                let found = store::lock_quote(tx.conn(), name, rpc_of).await?;
                if let Some((mut quote, _)) = found.filter(|(quote, _)| quote.state == QuoteState::Holding) {
                    // Also what another worker of this saga has placed, if the feed has told of it; of what it tells
                    // later there is no quote, and the follower gives it back.
                    release_all(&tx, name, held).await?;
                    release_all(&tx, name, &quote.let_go()).await?;
                    store::delete_quote_intent(tx.conn(), name).await?;
                }
                Ok((tx, ()))
            })
            .await
    }

    async fn record_holds(
        &self,
        hands: Hands<'_>,
        name: &QuoteName,
        held: &[ReservationId],
        key: &RequestKey,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        hands
            .db
            .in_tx("quote_lease_held", hands.scope, |tx| async move {
                let found = store::lock_quote(tx.conn(), name, rpc_of).await?;
                let Some((quote, _)) = found else { return Ok((tx, Outcome::Gone)) };
                if quote.state != QuoteState::Holding {
                    let reply = idempotency::find(tx.conn(), SCHEMA, key).await?;
                    return Ok((tx, reply.map_or(Outcome::Gone, Outcome::Answered)));
                }
                let quote = quote.held(held, now)?;
                store::update_quote(tx.conn(), &quote, None).await?;
                self.tell_quote(&tx, kind::QUOTED, &quote).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.quoted)(&quote)).await?;
                Ok((tx, Outcome::Done(Box::new(quote))))
            })
            .await
    }
}

/// Notes that what a quote held is to be given back, in the transaction that ends it.
pub(super) async fn release_all(tx: &Tx, name: &QuoteName, held: &[ReservationId]) -> Result<(), Error> {
    let id = name.quote.to_string();
    for reservation in held {
        store::note_release(tx.conn(), &name.operator, *reservation, &id).await?;
    }
    Ok(())
}

fn nothing(is_full: bool, nearest: Vec<(&'static str, String)>, cards: &[RateCard]) -> Error {
    let refusal = |message, missing| Error::refused(Reason::NothingToQuote, message).with("missing", missing);
    if is_full {
        let refusal = refusal("No block is free for this need; see what comes nearest.", "CAPACITY");
        return nearest.into_iter().fold(refusal, |refusal, (key, value)| refusal.with(key, value));
    }
    let terms: Vec<_> = cards
        .iter()
        .map(|card| {
            let facts = &card.facts;
            let (min, max) = (facts.min_term_months, facts.max_term_months);
            format!("{} {min}-{max} months", facts.currency)
        })
        .collect();
    refusal("Blocks are free, but no approved rate card in force prices this need.", "RATES")
        .with("terms", terms.join(", "))
}
