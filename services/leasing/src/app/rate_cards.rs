//! Drafting, approving, retiring and reading rate cards.

use kernel::{Caller, Error, OperatorId, RateCardId, RateCardName, Uuid};
use postgres::page::Listing;
use postgres::{Answer, NewEvent, RequestKey, Tx, outbox};
use serde::Serialize;

use super::once::Once;
use super::{App, Page, kind, rpc};
use crate::domain::rate_card::{CardFacts, Change};
use crate::domain::{CardState, RateCard};
use crate::store::{self, SCHEMA};

/// What a draft asks for.
#[derive(Clone, Debug, Serialize)]
pub struct CreateRateCard {
    /// Its name.
    pub name: RateCardName,
    /// What it says.
    pub facts: CardFacts,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What is done to a card.
#[derive(Clone, Debug, Serialize)]
pub enum CardCommand {
    /// Changes fields.
    Edit(Vec<Change>),
    /// Approves it.
    Approve,
    /// Retires it.
    Retire,
}

/// A card that is to change.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeRateCard {
    /// Which one.
    pub name: RateCardName,
    /// The etag that the caller read.
    pub etag: String,
    /// What is done to it.
    pub command: CardCommand,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A list of cards.
#[derive(Clone, Debug)]
pub struct ListRateCards {
    /// Of whom.
    pub operator: OperatorId,
    /// In one of these states; empty is any.
    pub states: Vec<CardState>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

const LIST: &str = "gridlease.leasing.v1.OfferService/ListRateCards";

impl App {
    /// Drafts a card.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_FIELD`, `NAME_TAKEN`; what a request id is refused with.
    pub async fn create_rate_card(
        &self,
        caller: &Caller,
        command: CreateRateCard,
    ) -> Result<Answer<RateCard>, Error> {
        let operator = &command.name.operator;
        let scope = &caller.scope_of_operator(operator)?;
        let card = RateCard::draft(command.name.clone(), command.facts.clone(), &caller.subject, self.now())?;
        let owner = format!("operators/{operator}");
        let key = &RequestKey::new(owner, caller, rpc::CREATE_RATE_CARD, command.request_id, &command)?;
        let how = Once {
            name: "create_rate_card",
            scope,
            key,
            validate_only: command.validate_only,
            reply: self.wire.card_created,
        };
        let card = &card;
        self.once(how, |tx| async move {
            if !store::insert_rate_card(tx.conn(), card).await? {
                return Err(Error::name_taken("rate card"));
            }
            self.tell_card(&tx, kind::CARD_DRAFTED, card).await?;
            Ok((tx, card.clone()))
        })
        .await
    }

    /// Changes, approves or retires a card.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `INVALID_FIELD`, `SECOND_PERSON_NEEDED`; what
    /// a request id is refused with.
    pub async fn change_rate_card(
        &self,
        caller: &Caller,
        command: ChangeRateCard,
    ) -> Result<Answer<RateCard>, Error> {
        let operator = &command.name.operator;
        let scope = &caller.scope_of_operator(operator).map_err(|_| absent())?;
        let (name, rpc, event, reply) = match &command.command {
            CardCommand::Edit(_) => {
                ("update_rate_card", rpc::UPDATE_RATE_CARD, kind::CARD_CHANGED, self.wire.card_changed)
            }
            CardCommand::Approve => {
                ("approve_rate_card", rpc::APPROVE_RATE_CARD, kind::CARD_APPROVED, self.wire.card_approved)
            }
            CardCommand::Retire => {
                ("retire_rate_card", rpc::RETIRE_RATE_CARD, kind::CARD_RETIRED, self.wire.card_retired)
            }
        };
        let owner = format!("operators/{operator}");
        let key = &RequestKey::new(owner, caller, rpc, command.request_id, &command)?;
        let how = Once { name, scope, key, validate_only: command.validate_only, reply };
        let (wanted, who, now) = (&command, caller.subject.as_str(), self.now());
        self.once(how, |tx| async move {
            let card = store::lock_rate_card(tx.conn(), &wanted.name).await?.ok_or_else(absent)?;
            let card = match &wanted.command {
                CardCommand::Edit(changes) => card.edit(&wanted.etag, changes.clone(), who, now)?,
                CardCommand::Approve => card.approve(&wanted.etag, who, now)?,
                CardCommand::Retire => card.retire(&wanted.etag, now)?,
            };
            store::update_rate_card(tx.conn(), &card).await?;
            self.tell_card(&tx, event, &card).await?;
            Ok((tx, card))
        })
        .await
    }

    /// One card.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or another's.
    pub async fn get_rate_card(&self, caller: &Caller, name: &RateCardName) -> Result<RateCard, Error> {
        let scope = caller.scope_of_operator(&name.operator).map_err(|_| absent())?;
        self.db
            .read("get_rate_card", &scope, |tx| async move {
                let found = store::find_rate_card(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(absent)
    }

    /// A page of cards in order of name.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_rate_cards(
        &self,
        caller: &Caller,
        query: &ListRateCards,
    ) -> Result<Page<RateCard>, Error> {
        let scope = caller.scope_of_operator(&query.operator)?;
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let filter = format!("{} {}", query.operator, states.join(","));
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: LIST, filter: &filter };
        let real_time = self.db.database_time().await?;
        let after: Option<RateCardId> = self.pages.open(&listing, &query.page_token, real_time)?;
        let after = after.as_ref();
        let mut items = self
            .db
            .read("list_rate_cards", &scope, |tx| async move {
                let limit = query.page_size + 1;
                let found =
                    store::list_rate_cards(tx.conn(), &query.operator, &query.states, after, limit).await?;
                Ok((tx, found))
            })
            .await?;
        let more = items.len() > usize::try_from(query.page_size).unwrap_or(usize::MAX);
        if more {
            items.pop();
        }
        let next = match items.last() {
            Some(last) if more => self.pages.seal(&listing, &last.name.rate_card, real_time)?,
            _ => String::new(),
        };
        Ok(Page { items, next })
    }

    /// Appends a card's event in the transaction of its change. It is its operator's own business.
    async fn tell_card(&self, tx: &Tx, kind: &'static str, card: &RateCard) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(card.operator().clone()),
            tenant: None,
            kind,
            subject: card.name.to_string(),
            occurred_at: card.update_time,
            payload: (self.wire.card_event)(card),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

fn absent() -> Error {
    Error::not_found("rate card")
}
