//! Recording, reading and changing opportunities.

use kernel::{BidName, Caller, Error, LeaseName, OperatorId, OpportunityId, OpportunityName, Scope, Uuid};
use postgres::page::Listing;
use postgres::{Answer, NewEvent, RequestKey, Tx, outbox};
use serde::Serialize;

use super::once::Once;
use super::{App, Page, kind, rpc};
use crate::domain::opportunity::{Deal, Opportunity, PipelineSum, Stage};
use crate::store::{self, SCHEMA};

/// A deal to be recorded.
#[derive(Clone, Debug)]
pub struct CreateOpportunity {
    /// Whose.
    pub operator: OperatorId,
    /// What is said about it.
    pub deal: Deal,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// A deal to be changed.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateOpportunity {
    /// Which one.
    pub name: OpportunityName,
    /// The etag the caller read.
    pub etag: String,
    /// What is said about it in the fields that are changed.
    pub deal: Deal,
    /// The fields that are changed.
    pub fields: Vec<String>,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListOpportunities {
    /// Of whom.
    pub operator: OperatorId,
    /// Of these stages; empty is any.
    pub stages: Vec<Stage>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

impl App {
    /// Records an opportunity.
    ///
    /// # Errors
    /// `INVALID_FIELD`; `RESOURCE_NOT_FOUND` (operator, tenant, bid or lease); what a request id is refused with.
    pub async fn create_opportunity(
        &self,
        caller: &Caller,
        command: CreateOpportunity,
    ) -> Result<Answer<Opportunity>, Error> {
        let scope = &caller.scope_of_operator(&command.operator)?;
        command.deal.check()?;
        let owner = format!("operators/{}", command.operator);
        let key = RequestKey::new(owner, caller, rpc::CREATE_OPPORTUNITY, command.request_id, &command.deal)?;
        let now = self.now();
        let new = &Opportunity {
            name: OpportunityName::new(command.operator, OpportunityId::new(self.ids.next())),
            deal: command.deal,
            revision: 1,
            create_time: now,
            update_time: now,
        };
        let how = Once {
            name: "create_opportunity",
            scope,
            key: &key,
            validate_only: command.validate_only,
            reply: self.wire.market.opportunity_created,
        };
        self.once(how, |tx| async move {
            links_exist(&tx, &new.name.operator, &new.deal).await?;
            store::insert_opportunity(tx.conn(), new).await?;
            self.tell_opportunity(&tx, kind::OPPORTUNITY_CREATED, new).await?;
            Ok((tx, new.clone()))
        })
        .await
    }

    /// Changes fields of an opportunity.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `ETAG_MISMATCH`, `RESOURCE_NOT_FOUND`; what a request id is refused with.
    pub async fn update_opportunity(
        &self,
        caller: &Caller,
        command: UpdateOpportunity,
    ) -> Result<Answer<Opportunity>, Error> {
        let name = &command.name;
        let scope = &own_scope(caller, name)?;
        let owner = format!("operators/{}", name.operator);
        let key = RequestKey::new(owner, caller, rpc::UPDATE_OPPORTUNITY, command.request_id, &command)?;
        let (command, now) = (&command, self.now());
        let how = Once {
            name: "update_opportunity",
            scope,
            key: &key,
            validate_only: command.validate_only,
            reply: self.wire.market.opportunity_updated,
        };
        self.once(how, |tx| async move {
            let found = store::find_opportunity(tx.conn(), name).await?;
            let was = found.ok_or_else(|| Error::not_found("opportunity"))?;
            if command.etag != was.etag() {
                return Err(Error::etag_mismatch());
            }
            let changed = Opportunity {
                name: was.name,
                deal: was.deal.with(&command.deal, &command.fields),
                revision: was.revision + 1,
                create_time: was.create_time,
                update_time: now.max(was.update_time),
            };
            changed.deal.check()?;
            links_exist(&tx, &name.operator, &changed.deal).await?;
            store::save_opportunity(tx.conn(), &changed, was.revision).await?;
            self.tell_opportunity(&tx, kind::OPPORTUNITY_UPDATED, &changed).await?;
            Ok((tx, changed))
        })
        .await
    }

    /// One opportunity.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or another's.
    pub async fn get_opportunity(
        &self,
        caller: &Caller,
        name: &OpportunityName,
    ) -> Result<Opportunity, Error> {
        self.db
            .read("get_opportunity", &own_scope(caller, name)?, |tx| async move {
                let found = store::find_opportunity(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("opportunity"))
    }

    /// A page of opportunities in order of name, and what all of them come to.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for another's operator; `INVALID_PAGE_TOKEN`.
    pub async fn list_opportunities(
        &self,
        caller: &Caller,
        query: &ListOpportunities,
    ) -> Result<(Page<Opportunity>, Vec<PipelineSum>), Error> {
        let scope = caller.scope_of_operator(&query.operator)?;
        let stages: Vec<_> = query.stages.iter().map(|stage| stage.name()).collect();
        let filter_text = format!("{} {}", query.operator, stages.join(","));
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: rpc::LIST_OPPORTUNITIES, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let after: Option<Uuid> = self.pages.open(&listing, &query.page_token, real_time)?;
        let (rows, sums) = self
            .db
            .read("list_opportunities", &scope, |tx| async move {
                let limit = query.page_size + 1;
                let rows = store::list_opportunities(tx.conn(), &query.operator, &query.stages, after, limit)
                    .await?;
                let sums = store::sum_opportunities(tx.conn(), &query.operator, &query.stages).await?;
                Ok((tx, (rows, sums)))
            })
            .await?;
        let page =
            self.page_of(&listing, real_time, query.page_size, rows, |last| last.name.opportunity.get())?;
        Ok((page, sums))
    }

    /// Appends an opportunity's event, for its operator alone.
    async fn tell_opportunity(&self, tx: &Tx, kind: &'static str, new: &Opportunity) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(new.name.operator.clone()),
            tenant: None,
            kind,
            subject: new.name.to_string(),
            occurred_at: new.update_time,
            payload: (self.wire.market.opportunity_event)(new),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

fn own_scope(caller: &Caller, name: &OpportunityName) -> Result<Scope, Error> {
    caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("opportunity"))
}

/// What an opportunity names is there, among what its operator sees.
async fn links_exist(tx: &Tx, operator: &OperatorId, deal: &Deal) -> Result<(), Error> {
    if let Some(tenant) = &deal.tenant
        && store::find_tenant(tx.conn(), tenant).await?.is_none()
    {
        return Err(Error::not_found("tenant"));
    }
    if let Some(bid) = deal.bid {
        let name = BidName::new(operator.clone(), bid);
        store::find_bid(tx.conn(), &name).await?.ok_or_else(|| Error::not_found("bid"))?;
    }
    if let Some(lease) = &deal.lease {
        let name = LeaseName::new(operator.clone(), lease.clone());
        store::load(tx.conn(), &name).await?.ok_or_else(|| Error::not_found("lease"))?;
    }
    Ok(())
}
