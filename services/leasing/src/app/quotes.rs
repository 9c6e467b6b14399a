//! Approving, rejecting and reading quotes.

use kernel::{Caller, Error, OperatorParent, QuoteName, Scope, TenantName, Uuid};
use postgres::page::Listing;
use postgres::{Answer, NewEvent, RequestKey, Tx, outbox};
use serde::Serialize;

use super::once::Once;
use super::quote_lease::release_all;
use super::{App, Page, kind, rpc};
use crate::domain::quote_record::{Quote, QuoteState};
use crate::store::{self, QuoteFilter, SCHEMA};

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
    /// Approves a quote, or turns it down.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `SECOND_PERSON_NEEDED`, `QUOTE_LAPSED`; what a
    /// request id is refused with.
    pub async fn answer_quote(&self, caller: &Caller, command: AnswerQuote) -> Result<Answer<Quote>, Error> {
        let operator = &command.name.operator;
        let scope = &caller.scope_of_operator(operator).map_err(|_| absent())?;
        let (name, rpc, event, reply) = match command.reject {
            Some(_) => ("reject_quote", rpc::REJECT_QUOTE, kind::QUOTE_REJECTED, self.wire.quote_rejected),
            None => ("approve_quote", rpc::APPROVE_QUOTE, kind::QUOTE_APPROVED, self.wire.quote_approved),
        };
        let owner = format!("operators/{operator}");
        let key = &RequestKey::new(owner, caller, rpc, command.request_id, &command)?;
        let how = Once { name, scope, key, validate_only: command.validate_only, reply };
        let (wanted, who, now) = (&command, caller.subject.as_str(), self.now());
        self.once(how, |tx| async move {
            let found = store::lock_quote(tx.conn(), &wanted.name, rpc_of).await?;
            let (quote, _) = found.ok_or_else(absent)?;
            if wanted.etag != quote.etag() {
                return Err(Error::etag_mismatch());
            }
            let quote = match &wanted.reject {
                Some(reason) => {
                    let mut quote = quote.reject(reason, now)?;
                    release_all(&tx, &wanted.name, &quote.let_go()).await?;
                    quote
                }
                // The database's time, since the row is locked: nobody waits his way into a quote that is over.
                None => quote.approve(who, store::database_time(tx.conn()).await?, now)?,
            };
            store::update_quote(tx.conn(), &quote, None).await?;
            self.tell_quote(&tx, event, &quote).await?;
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

    /// Appends a quote's event in the transaction of its change. It tells the tenant only of what it may see, and nobody
    /// more than the tenant may.
    pub(super) async fn tell_quote(&self, tx: &Tx, kind: &'static str, quote: &Quote) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(quote.name.operator.clone()),
            tenant: quote.is_shown().then(|| quote.tenant.tenant.clone()),
            kind,
            subject: quote.name.to_string(),
            occurred_at: quote.update_time,
            payload: (self.wire.quote_event)(quote),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

/// By which RPC a quote under way is answered.
pub(super) fn rpc_of(state: QuoteState) -> &'static str {
    if state == QuoteState::Holding { rpc::QUOTE_LEASE } else { rpc::ACCEPT_QUOTE }
}

pub(super) fn absent() -> Error {
    Error::not_found("quote")
}
