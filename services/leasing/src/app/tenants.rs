//! Registering and reading tenants.

use kernel::{Caller, Error, Organisation, Scope, TenantId, Uuid};
use postgres::page::Listing;
use postgres::{Answer, NewEvent, RequestKey, idempotency, outbox};
use serde::Serialize;

use super::{App, Page, kind, rpc};
use crate::domain::Tenant;
use crate::store::{self, SCHEMA};

/// What a registration asks for.
#[derive(Clone, Debug)]
pub struct CreateTenant {
    /// Its slug.
    pub id: TenantId,
    /// The company's name.
    pub display_name: String,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    id: &'a TenantId,
    display_name: &'a str,
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListTenants {
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

const LIST: &str = "gridlease.leasing.v1.TenantService/ListTenants";

impl App {
    /// Registers a tenant. Runs in the new tenant's own scope, since it is that tenant's first row.
    ///
    /// # Errors
    /// `NAME_TAKEN`; what a request id is refused with.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        command: CreateTenant,
    ) -> Result<Answer<Tenant>, Error> {
        let scope = Scope::Tenant(command.id.clone());
        let fingerprint = Fingerprint { id: &command.id, display_name: &command.display_name };
        let owner = format!("tenants/{}", command.id);
        let key = &RequestKey::new(owner, caller, rpc::CREATE_TENANT, command.request_id, &fingerprint)?;
        let validate_only = command.validate_only;
        let tenant = &Tenant {
            id: command.id,
            display_name: command.display_name,
            revision: 1,
            create_time: self.now(),
        };
        let answer = self
            .db
            .in_tx("create_tenant", &scope, |tx| async move {
                if validate_only {
                    return match store::find_tenant(tx.conn(), &tenant.id).await? {
                        Some(_) => Err(Error::name_taken("tenant")),
                        None => Ok((tx, Answer::Fresh(tenant.clone()))),
                    };
                }
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                if !store::insert_tenant(tx.conn(), tenant).await? {
                    return Err(Error::name_taken("tenant"));
                }
                let event = NewEvent {
                    operator: None,
                    tenant: Some(tenant.id.clone()),
                    kind: kind::TENANT_CREATED,
                    subject: format!("tenants/{}", tenant.id),
                    occurred_at: tenant.create_time,
                    payload: (self.wire.tenant_event)(tenant),
                };
                outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.tenant_created)(tenant)).await?;
                Ok((tx, Answer::Fresh(tenant.clone())))
            })
            .await;
        let answer = if validate_only {
            answer?
        } else {
            idempotency::or_answered_before(&self.db, SCHEMA, &scope, key, answer).await?
        };
        self.feed.notify();
        Ok(answer)
    }

    /// One tenant.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or not the caller's to see.
    pub async fn get_tenant(&self, caller: &Caller, id: &TenantId) -> Result<Tenant, Error> {
        self.db
            .read("get_tenant", &reading_scope(caller), |tx| async move {
                let found = store::find_tenant(tx.conn(), id).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("tenant"))
    }

    /// A page of tenants in order of name.
    ///
    /// # Errors
    /// `INVALID_PAGE_TOKEN`.
    pub async fn list_tenants(&self, caller: &Caller, query: &ListTenants) -> Result<Page<Tenant>, Error> {
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: LIST, filter: "" };
        let real_time = self.db.database_time().await?;
        let after: Option<TenantId> = self.pages.open(&listing, &query.page_token, real_time)?;
        let after = after.as_ref();
        let limit = query.page_size + 1;
        let mut items = self
            .db
            .read("list_tenants", &reading_scope(caller), |tx| async move {
                let tenants = store::list_tenants(tx.conn(), after, limit).await?;
                Ok((tx, tenants))
            })
            .await?;
        let more = items.len() > usize::try_from(query.page_size).unwrap_or(usize::MAX);
        if more {
            items.pop();
        }
        let next = match items.last() {
            Some(last) if more => self.pages.seal(&listing, &last.id, real_time)?,
            _ => String::new(),
        };
        Ok(Page { items, next })
    }
}

/// Requests never run with the worker's rights: a service for itself reads what the market shows.
fn reading_scope(caller: &Caller) -> Scope {
    match caller.effective_organisation() {
        Organisation::Service(_) => Scope::Market,
        _ => caller.scope(),
    }
}
