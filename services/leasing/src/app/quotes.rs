//! Making, approving, rejecting and reading quotes.

use kernel::{
    Caller, Error, Instant, LeaseId, OperatorId, OperatorParent, QuoteId, QuoteName, Reason, Scope,
    TenantName, Uuid,
};
use postgres::Answer;
use postgres::page::Listing;
use serde::Serialize;

use super::write::{Told, Write};
use super::{App, Hands, Page, Wire, kind, rpc};
use crate::domain::quote::{self, Need};
use crate::domain::quote_record::{Quote, QuoteState, Whereabouts};
use crate::domain::{CardState, RateCard};
use crate::store::{self, QuoteFilter};

/// Cards that one quote looks at.
const CARDS_MAX: u32 = 100;

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
    /// When it lapses.
    pub valid_until: Instant,
    /// How long capacity is held for signatures, in seconds.
    pub hold_seconds: i64,
    /// At most so many options.
    pub options_max: usize,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only price.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A word on a quote.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerQuote {
    /// Which one.
    pub name: QuoteName,
    /// The etag that the caller read.
    pub etag: String,
    /// Why it is turned down; none approves it.
    pub reject: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A list of quotes.
#[derive(Clone, Debug)]
pub struct ListQuotes {
    /// Of whom.
    pub parent: OperatorParent,
    /// For this tenant.
    pub tenant: Option<TenantName>,
    /// In one of these states; empty is any.
    pub states: Vec<QuoteState>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

const LIST: &str = "gridlease.leasing.v1.OfferService/ListQuotes";

impl App {
    /// Prices a need and puts the options on the table. What inventory and the cards say is gathered first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator or tenant), `NOTHING_TO_QUOTE` with what would work, `TERM_OUT_OF_RANGE`; what a
    /// request id is refused with.
    pub async fn quote_lease(&self, caller: &Caller, command: QuoteLease) -> Result<Answer<Quote>, Error> {
        let scope = caller.scope_of_operator(&command.operator)?;
        let hands = Hands { db: &self.db, scope: &scope };
        self.must_know_tenant(hands, &command.tenant).await?;
        let now = self.now();
        let cards = &self.cards_in_force(&scope, &command.operator).await?;
        let organisation = caller.effective_organisation();
        let (need, whereabouts) = (&command.need, &command.whereabouts);
        let found = self.inventory.candidates(organisation, &command.operator, need, whereabouts).await?;
        let mut offers = quote::price(need, &found.candidates, cards, now.date_naive())?;
        if offers.is_empty() {
            return Err(nothing(found.candidates.is_empty(), found.nearest, cards));
        }
        offers.truncate(command.options_max);
        let quote = &Quote {
            name: QuoteName::new(command.operator.clone(), QuoteId::new(self.ids.next())),
            tenant: command.tenant.clone(),
            state: Quote::beginning(&offers),
            need: need.clone(),
            whereabouts: whereabouts.clone(),
            offers,
            valid_until: command.valid_until,
            hold_seconds: command.hold_seconds,
            author: caller.subject.clone(),
            approver: None,
            accepted: None,
            lease: LeaseId::new(&self.ids.next().to_string()).map_err(Error::internal)?,
            reject_reason: String::new(),
            revision: 1,
            create_time: now,
            update_time: now,
        };
        let how = Write {
            name: "quote_lease",
            rpc: rpc::QUOTE_LEASE,
            operator: &command.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::QUOTED,
            tell: told,
            reply: self.wire.quoted,
        };
        self.write(caller, &command, how, |tx| async move {
            store::insert_quote(tx.conn(), quote).await?;
            Ok((tx, quote.clone()))
        })
        .await
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

    /// Approves a quote, or turns it down.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `SECOND_PERSON_NEEDED`, `QUOTE_LAPSED`; what a
    /// request id is refused with.
    pub async fn answer_quote(&self, caller: &Caller, command: AnswerQuote) -> Result<Answer<Quote>, Error> {
        caller.scope_of_operator(&command.name.operator).map_err(|_| absent())?;
        let (name, rpc, event, reply) = match command.reject {
            Some(_) => ("reject_quote", rpc::REJECT_QUOTE, kind::QUOTE_REJECTED, self.wire.quote_rejected),
            None => ("approve_quote", rpc::APPROVE_QUOTE, kind::QUOTE_APPROVED, self.wire.quote_approved),
        };
        let how = Write {
            name,
            rpc,
            operator: &command.name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event,
            tell: told,
            reply,
        };
        let (wanted, who, now) = (&command, caller.subject.as_str(), self.now());
        self.write(caller, wanted, how, |tx| async move {
            let found = store::lock_quote(tx.conn(), &wanted.name, rpc::ACCEPT_QUOTE).await?;
            let (quote, _) = found.ok_or_else(absent)?;
            if wanted.etag != quote.etag() {
                return Err(Error::etag_mismatch());
            }
            let quote = match &wanted.reject {
                Some(reason) => quote.reject(reason, now)?,
                None => quote.approve(who, now)?,
            };
            store::update_quote(tx.conn(), &quote, None).await?;
            Ok((tx, quote))
        })
        .await
    }

    /// One quote.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent, another's, or not approved yet for its tenant.
    pub async fn get_quote(&self, caller: &Caller, name: &QuoteName) -> Result<Quote, Error> {
        let scope = caller.scope_of_operator(&name.operator).map_err(|_| absent())?;
        self.db
            .read("get_quote", &scope, |tx| async move {
                let found = store::find_quote(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(absent)
    }

    /// A page of quotes, newest first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_quotes(&self, caller: &Caller, query: &ListQuotes) -> Result<Page<Quote>, Error> {
        let scope = match &query.parent {
            OperatorParent::All => caller.scope(),
            OperatorParent::One(operator) => caller.scope_of_operator(operator)?,
        };
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let tenant = query.tenant.as_ref().map(ToString::to_string).unwrap_or_default();
        let filter_text = format!("{} {} {tenant}", query.parent, states.join(","));
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: LIST, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let mut filter = QuoteFilter {
            operator: query.parent.operator().cloned(),
            tenants: query.tenant.iter().cloned().collect(),
            states: query.states.clone(),
            after: self.pages.open(&listing, &query.page_token, real_time)?,
            limit: query.page_size + 1,
        };
        // Row security says the same; said here too, the query finds its index.
        match &scope {
            Scope::Operator(operator) => filter.operator = Some(operator.clone()),
            Scope::Tenant(tenant) => filter.tenants.push(TenantName::new(tenant.clone())),
            Scope::Market | Scope::Worker => {}
        }
        let filter = &filter;
        let mut items = self
            .db
            .read("list_quotes", &scope, |tx| async move {
                let quotes = store::list_quotes(tx.conn(), filter).await?;
                Ok((tx, quotes))
            })
            .await?;
        let more = items.len() > usize::try_from(query.page_size).unwrap_or(usize::MAX);
        if more {
            items.pop();
        }
        let next = match items.last() {
            Some(last) if more => self.pages.seal(&listing, &last.name.quote.get(), real_time)?,
            _ => String::new(),
        };
        Ok(Page { items, next })
    }
}

pub(super) fn absent() -> Error {
    Error::not_found("quote")
}

/// An event tells the tenant only of what it may see, and nobody more than the tenant may.
pub(super) fn told(quote: &Quote, wire: &Wire) -> Told {
    Told {
        subject: quote.name.to_string(),
        tenant: quote.is_shown().then(|| quote.tenant.tenant.clone()),
        payload: (wire.quote_event)(quote),
    }
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
