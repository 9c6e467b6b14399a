//! `ReportIncident` and `OpenIncident`: an outage is made known, by the operator or by a tenant that it hurts.

use std::collections::BTreeSet;

use kernel::{
    BlockName, Caller, Error, IncidentId, IncidentName, Instant, OperatorId, Organisation, SiteName,
    TenantId, Uuid,
};
use postgres::{Answer, NewEvent, Tx, outbox};
use serde::Serialize;

use super::write::Write;
use super::{App, kind, own_scope, rpc, scope_of};
use crate::domain::incident::{Facts, Incident, Kind, State};
use crate::store::{SCHEMA, blocks, incidents, sites};

/// An incident as it is made known.
#[derive(Debug, Clone, Serialize)]
pub struct NewIncident {
    /// The site.
    pub site: SiteName,
    /// The block; none is the whole site.
    pub block: Option<BlockName>,
    /// What failed.
    pub kind: Kind,
    /// When it began.
    pub start: Instant,
    /// When it was over.
    pub end: Option<Instant>,
    /// What is known of it.
    pub facts: Facts,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Reports an incident that the operator stands by.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `RESOURCE_NOT_FOUND` (site or block), `REQUEST_ID_REUSED`.
    pub async fn report_incident(
        &self,
        caller: &Caller,
        command: NewIncident,
    ) -> Result<Answer<Incident>, Error> {
        let resource = if command.block.is_some() { "block" } else { "site" };
        own_scope(caller, &command.site.operator, resource)?;
        let state = if command.end.is_some() { State::Resolved } else { State::Acknowledged };
        self.make_known(caller, &command, rpc::REPORT_INCIDENT, state, None).await
    }

    /// Opens an incident for a tenant with committed capacity of the block at that time.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `RESOURCE_NOT_FOUND` (block), `REQUEST_ID_REUSED`.
    pub async fn open_incident(
        &self,
        caller: &Caller,
        command: NewIncident,
    ) -> Result<Answer<Incident>, Error> {
        scope_of(caller, &command.site.operator, "block")?;
        let Organisation::Tenant(tenant) = caller.effective_organisation().clone() else {
            return Err(Error::not_found("block"));
        };
        self.make_known(caller, &command, rpc::OPEN_INCIDENT, State::Open, Some(tenant)).await
    }

    async fn make_known(
        &self,
        caller: &Caller,
        command: &NewIncident,
        rpc: &'static str,
        state: State,
        tenant: Option<TenantId>,
    ) -> Result<Answer<Incident>, Error> {
        let (now, wire) = (self.now(), self.wire);
        let operator = &command.site.operator;
        let how = Write {
            name: "make_incident_known",
            rpc,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: if tenant.is_some() { kind::INCIDENT_OPENED } else { kind::INCIDENT_REPORTED },
            tell: &move |new: &Incident| (new.name.to_string(), (wire.incident)(new)),
            reply: if tenant.is_some() { wire.incident_opened } else { wire.incident_reported },
        };
        let id = IncidentId::new(self.ids.next());
        let draft = &Incident {
            name: IncidentName::new(operator.clone(), id),
            kind: command.kind,
            state,
            site: command.site.clone(),
            block: command.block.clone(),
            start: command.start,
            end: command.end,
            facts: command.facts.clone(),
            tenant: tenant.clone(),
            audience: tenant.iter().cloned().collect(),
            resolution: String::new(),
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        draft.check(now)?;
        let tenant = &tenant;
        self.write(caller, command, how, |tx| async move {
            let block = match &command.block {
                Some(name) => {
                    Some(blocks::find(&tx, name).await?.ok_or_else(|| Error::not_found("block"))?.id)
                }
                None => {
                    sites::find(&tx, &command.site).await?.ok_or_else(|| Error::not_found("site"))?;
                    None
                }
            };
            let hurt =
                incidents::hurt(&tx, &command.site, command.block.as_ref(), command.start, command.end)
                    .await?;
            // A tenant that has nothing there does not learn what is.
            if tenant.as_ref().is_some_and(|tenant| !hurt.contains(tenant)) {
                return Err(Error::not_found("block"));
            }
            let mut new = draft.clone();
            new.tell(hurt);
            incidents::insert(&tx, &new, block).await?;
            self.notice(&tx, &new).await?;
            Ok((tx, new))
        })
        .await
    }

    /// A notice to each tenant that may know of it, each as that tenant may see it.
    pub(super) async fn notice(&self, tx: &Tx, of: &Incident) -> Result<(), Error> {
        let operator = &of.name.operator;
        for tenant in &of.audience {
            let payload = (self.wire.incident)(&of.clone().seen_by(tenant));
            let subject = of.name.to_string();
            self.notify_tenant(tx, operator, tenant, (kind::INCIDENT_NOTICE, subject, payload)).await?;
        }
        Ok(())
    }

    /// A notice to each of these tenants.
    pub(super) async fn notify_all(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        tenants: &BTreeSet<TenantId>,
        (kind, subject, payload): (&'static str, &str, &[u8]),
    ) -> Result<(), Error> {
        for tenant in tenants {
            let notice = (kind, subject.to_owned(), payload.to_vec());
            self.notify_tenant(tx, operator, tenant, notice).await?;
        }
        Ok(())
    }

    async fn notify_tenant(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        tenant: &TenantId,
        (kind, subject, payload): (&'static str, String, Vec<u8>),
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(operator.clone()),
            tenant: Some(tenant.clone()),
            kind,
            subject,
            occurred_at: self.now(),
            payload,
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}
