//! `GetIncident`, `ListIncidents` and `ListCurtailments`.

use kernel::{Caller, Error, IncidentName, OperatorParent, Organisation, SiteName, Uuid};

use super::place::Place;
use super::{App, Page, PageRequest, rpc, scope_of};
use crate::domain::curtailment::Curtailment;
use crate::domain::incident::{Incident, State};
use crate::store::incidents::IncidentFilter;
use crate::store::{curtailments, incidents};

/// A list of incidents.
#[derive(Debug, Clone)]
pub struct ListIncidents {
    /// Whose.
    pub parent: OperatorParent,
    /// In these states; empty is all.
    pub states: Vec<State>,
    /// Of this site and its blocks.
    pub site: Option<SiteName>,
    /// Which page.
    pub page: PageRequest,
}

/// A list of curtailments.
#[derive(Debug, Clone)]
pub struct ListCurtailments {
    /// Whose.
    pub parent: OperatorParent,
    /// Of this site.
    pub site: Option<SiteName>,
    /// Which page.
    pub page: PageRequest,
}

impl App {
    /// Reads an incident.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_incident(&self, caller: &Caller, name: &IncidentName) -> Result<Incident, Error> {
        let scope = scope_of(caller, &name.operator, "incident")?;
        self.db
            .read("get_incident", &scope, |tx| async move {
                let found = incidents::find(&tx, name).await?;
                Ok((tx, found))
            })
            .await?
            .map(|found| as_seen(caller, found))
            .ok_or_else(|| Error::not_found("incident"))
    }

    /// Lists incidents, newest first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_incidents(
        &self,
        caller: &Caller,
        asked: ListIncidents,
    ) -> Result<Page<Incident>, Error> {
        let scope = &self.parent_scope(caller, asked.parent.operator()).await?;
        let filter = format!("{}|{:?}|{:?}", asked.parent, asked.states, asked.site);
        let place: Place<'_, (Uuid, String)> =
            self.place(caller, rpc::LIST_INCIDENTS, filter, &asked.page)?;
        let operator = asked.parent.operator().cloned();
        let filter = &IncidentFilter { operator, states: asked.states, site: asked.site };
        let after = place.after.as_ref();
        let mut rows = self
            .db
            .read("list_incidents", scope, |tx| async move {
                let rows = incidents::list(&tx, scope, filter, after, asked.page.size).await?;
                Ok((tx, rows))
            })
            .await?;
        rows.rows = rows.rows.into_iter().map(|found| as_seen(caller, found)).collect();
        place.page(rows, |found| (found.name.incident.get(), found.name.operator.to_string()))
    }

    /// Lists curtailments, the last announced first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_curtailments(
        &self,
        caller: &Caller,
        asked: ListCurtailments,
    ) -> Result<Page<Curtailment>, Error> {
        let scope = &self.parent_scope(caller, asked.parent.operator()).await?;
        let filter = format!("{}|{:?}", asked.parent, asked.site);
        let place: Place<'_, (Uuid, String)> =
            self.place(caller, rpc::LIST_CURTAILMENTS, filter, &asked.page)?;
        let of = (asked.parent.operator(), asked.site.as_ref());
        let after = place.after.as_ref();
        let rows = self
            .db
            .read("list_curtailments", scope, |tx| async move {
                let rows = curtailments::list(&tx, scope, of, after, asked.page.size).await?;
                Ok((tx, rows))
            })
            .await?;
        place.page(rows, |found| (found.name.curtailment.get(), found.name.operator.to_string()))
    }
}

/// As the caller may see it.
fn as_seen(caller: &Caller, incident: Incident) -> Incident {
    match caller.effective_organisation() {
        Organisation::Tenant(tenant) => incident.seen_by(tenant),
        _ => incident,
    }
}
