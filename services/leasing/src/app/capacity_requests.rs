//! Publishing, reading and calling off capacity requests.

use kernel::{
    Caller, CapacityRequestId, CapacityRequestName, Error, Instant, Organisation, Reason, Scope, TenantId,
    Uuid, Violation,
};
use postgres::page::Listing;
use postgres::{Answer, NewEvent, RequestKey, Tx, outbox};
use serde::Serialize;

use super::once::Once;
use super::{App, Page, kind, rpc};
use crate::domain::capacity_request::{CapacityRequest, DEADLINE_DAYS_MAX, Need};
use crate::domain::market_state::RequestState;
use crate::store::{self, RequestFilter, SCHEMA};

/// A need to be published.
#[derive(Clone, Debug)]
pub struct CreateCapacityRequest {
    /// Whose.
    pub tenant: TenantId,
    /// What is needed.
    pub need: Need,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// A request to be called off.
#[derive(Clone, Debug, Serialize)]
pub struct CancelCapacityRequest {
    /// Which one.
    pub name: CapacityRequestName,
    /// Why.
    pub reason: String,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListCapacityRequests {
    /// Of this tenant; none is all that the caller sees.
    pub tenant: Option<TenantId>,
    /// In one of these states; empty is any.
    pub states: Vec<RequestState>,
    /// Only those that would take a bid now.
    pub accepting_only: bool,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

impl App {
    /// Publishes a need.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` of its deadline; `RESOURCE_NOT_FOUND` (tenant); what a request id is refused with.
    pub async fn create_capacity_request(
        &self,
        caller: &Caller,
        command: CreateCapacityRequest,
    ) -> Result<Answer<CapacityRequest>, Error> {
        let scope = &own_scope(caller, &command.tenant, "tenant")?;
        let owner = format!("tenants/{}", command.tenant);
        let key =
            RequestKey::new(owner, caller, rpc::CREATE_CAPACITY_REQUEST, command.request_id, &command.need)?;
        let name = CapacityRequestName::new(command.tenant.clone(), CapacityRequestId::new(self.ids.next()));
        let new = &CapacityRequest::publish(name, command.need, self.now());
        let how = Once {
            name: "create_capacity_request",
            scope,
            key: &key,
            validate_only: command.validate_only,
            reply: self.wire.market.request_created,
        };
        self.once(how, |tx| async move {
            if store::find_tenant(tx.conn(), &new.name.tenant).await?.is_none() {
                return Err(Error::not_found("tenant"));
            }
            let ahead = new.need.bid_deadline - store::database_time(tx.conn()).await?;
            if ahead.num_days() > DEADLINE_DAYS_MAX || !store::insert_request(tx.conn(), new).await? {
                return Err(deadline_out_of_range());
            }
            self.tell_request(&tx, kind::CAPACITY_REQUEST_PUBLISHED, new).await?;
            Ok((tx, new.clone()))
        })
        .await
    }

    /// Calls a request off. The sweeper gives its bids back.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`, `ETAG_MISMATCH`, `RESOURCE_NOT_FOUND`; what a request id is refused with.
    pub async fn cancel_capacity_request(
        &self,
        caller: &Caller,
        command: CancelCapacityRequest,
    ) -> Result<Answer<CapacityRequest>, Error> {
        let name = &command.name;
        let scope = &own_scope(caller, &name.tenant, "capacity request")?;
        let owner = format!("tenants/{}", name.tenant);
        let key = RequestKey::new(owner, caller, rpc::CANCEL_CAPACITY_REQUEST, command.request_id, &command)?;
        let (command, now) = (&command, self.now());
        let how = Once {
            name: "cancel_capacity_request",
            scope,
            key: &key,
            validate_only: command.validate_only,
            reply: self.wire.market.request_cancelled,
        };
        self.once(how, |tx| async move {
            let found = store::lock_request(tx.conn(), name).await?;
            let mut request = found.ok_or_else(|| Error::not_found("capacity request"))?;
            request.check_etag(&command.etag)?;
            let from = request.revision;
            request.cancel(&command.reason, now)?;
            store::save_request(tx.conn(), &request, from, None).await?;
            self.tell_request(&tx, kind::CAPACITY_REQUEST_CANCELLED, &request).await?;
            Ok((tx, request))
        })
        .await
    }

    /// One request: the tenant's own, or one that is published to the caller's operator.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or not the caller's to see.
    pub async fn get_capacity_request(
        &self,
        caller: &Caller,
        name: &CapacityRequestName,
    ) -> Result<CapacityRequest, Error> {
        self.db
            .read("get_capacity_request", &caller.scope(), |tx| async move {
                let found = store::find_request(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("capacity request"))
    }

    /// A page of requests in order of deadline.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` where a tenant asks for another; `INVALID_PAGE_TOKEN`.
    pub async fn list_capacity_requests(
        &self,
        caller: &Caller,
        query: &ListCapacityRequests,
    ) -> Result<Page<CapacityRequest>, Error> {
        let organisation = caller.effective_organisation();
        if let (Organisation::Tenant(own), Some(asked)) = (organisation, &query.tenant)
            && own != asked
        {
            return Err(Error::not_found("tenant"));
        }
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let filter_text = format!("{:?} {} {}", query.tenant, states.join(","), query.accepting_only);
        let organisation = organisation.to_string();
        let listing =
            Listing { caller: &organisation, rpc: rpc::LIST_CAPACITY_REQUESTS, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let after: Option<(Instant, String, Uuid)> =
            self.pages.open(&listing, &query.page_token, real_time)?;
        let filter = &RequestFilter {
            tenant: query.tenant.clone(),
            states: query.states.clone(),
            accepting_only: query.accepting_only,
            after,
            limit: query.page_size + 1,
        };
        let rows = self
            .db
            .read("list_capacity_requests", &caller.scope(), |tx| async move {
                let rows = store::list_requests(tx.conn(), filter).await?;
                Ok((tx, rows))
            })
            .await?;
        self.page_of(&listing, real_time, query.page_size, rows, |last| {
            let id = last.name.capacity_request.get();
            (last.need.bid_deadline, last.name.tenant.to_string(), id)
        })
    }

    /// Appends a request's event. Its audience is its tenant: to operators it is published as a list.
    pub(crate) async fn tell_request(
        &self,
        tx: &Tx,
        kind: &'static str,
        request: &CapacityRequest,
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: None,
            tenant: Some(request.name.tenant.clone()),
            kind,
            subject: request.name.to_string(),
            occurred_at: request.update_time,
            payload: (self.wire.market.request_event)(request),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }

    /// The page of rows of which one more was asked for than it holds.
    pub(crate) fn page_of<T, K: Serialize>(
        &self,
        listing: &Listing<'_>,
        real_time: Instant,
        size: u32,
        mut items: Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<Page<T>, Error> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = items.len() > size;
        items.truncate(size);
        let next = match items.last() {
            Some(last) if more => self.pages.seal(listing, &key(last), real_time)?,
            _ => String::new(),
        };
        Ok(Page { items, next })
    }
}

/// The rows of a tenant, for itself only.
pub(crate) fn own_scope(caller: &Caller, tenant: &TenantId, what: &'static str) -> Result<Scope, Error> {
    match caller.effective_organisation() {
        Organisation::Tenant(own) if own == tenant => Ok(Scope::Tenant(own.clone())),
        _ => Err(Error::not_found(what)),
    }
}

fn deadline_out_of_range() -> Error {
    let violation =
        Violation::new("capacity_request.bid_deadline", "must be later than now, by 366 days at most");
    Error::refused(Reason::TermOutOfRange, "A deadline for bids is ahead of now, by 366 days at most.")
        .with_violations(vec![violation])
}
