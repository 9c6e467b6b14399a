//! `UpdateIncident` and `CloseIncident`.

use kernel::{Caller, Error, IncidentName, Instant, Organisation, Uuid};
use postgres::Answer;
use serde::Serialize;

use super::write::Write;
use super::{App, own_scope, rpc, scope_of};
use crate::domain::check_etag_if_given;
use crate::domain::incident::{Deed, Facts, Incident, Lane};
use crate::store::incidents;

/// The fields to change; those that are absent stay, `Some(None)` clears one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IncidentPatch {
    /// When it began.
    pub start: Option<Instant>,
    /// When it was over.
    pub end: Option<Option<Instant>>,
    /// What could not be used.
    pub affected: Option<Vec<Lane>>,
    /// Load that was hurt.
    pub affected_kw: Option<Option<i64>>,
    /// What caused it.
    pub cause: Option<String>,
    /// Whether all feeds were down.
    pub all_feeds_down: Option<Option<bool>>,
    /// The highest temperature.
    pub temperature_max_decicelsius: Option<Option<i32>>,
    /// Minutes measured.
    pub measured_minutes: Option<Option<i32>>,
}

impl IncidentPatch {
    fn apply(self, to: &mut Incident) {
        to.start = self.start.unwrap_or(to.start);
        to.end = self.end.unwrap_or(to.end);
        self.facts(&mut to.facts);
    }

    /// Changes what is known beside the time.
    pub fn facts(self, facts: &mut Facts) {
        facts.affected_kw = self.affected_kw.unwrap_or(facts.affected_kw);
        facts.all_feeds_down = self.all_feeds_down.unwrap_or(facts.all_feeds_down);
        facts.temperature_max_decicelsius =
            self.temperature_max_decicelsius.unwrap_or(facts.temperature_max_decicelsius);
        facts.measured_minutes = self.measured_minutes.unwrap_or(facts.measured_minutes);
        if let Some(affected) = self.affected {
            facts.affected = affected;
        }
        if let Some(cause) = self.cause {
            facts.cause = cause;
        }
    }
}

/// A change of what is known.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateIncident {
    /// Which one.
    pub name: IncidentName,
    /// The etag the caller read.
    pub etag: String,
    /// What to change.
    pub patch: IncidentPatch,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// An incident that is to be closed.
#[derive(Debug, Clone, Serialize)]
pub struct CloseIncident {
    /// Which one.
    pub name: IncidentName,
    /// How.
    pub deed: Deed,
    /// Why.
    pub resolution: String,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What is done to an incident.
struct Change<'a> {
    deed: Deed,
    etag: Option<&'a str>,
    apply: &'a (dyn Fn(&mut Incident) + Send + Sync),
}

impl App {
    /// Changes what the operator knows of an incident; one that a tenant opened is acknowledged by it.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `REQUEST_ID_REUSED`.
    pub async fn update_incident(
        &self,
        caller: &Caller,
        command: UpdateIncident,
    ) -> Result<Answer<Incident>, Error> {
        let name = &command.name;
        own_scope(caller, &name.operator, "incident")?;
        let patch = &command.patch;
        let change = Change {
            deed: Deed::Update,
            etag: Some(&command.etag),
            apply: &|incident| patch.clone().apply(incident),
        };
        let wire = self.wire;
        let how = Write {
            name: "update_incident",
            rpc: rpc::UPDATE_INCIDENT,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: change.deed.event_kind(),
            tell: &move |incident: &Incident| (incident.name.to_string(), (wire.incident)(incident)),
            reply: wire.incident_updated,
        };
        self.change(caller, &command, how, name, &change).await
    }

    /// Closes an incident: the operator resolves or rejects it, the tenant that opened it takes it back.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `REQUEST_ID_REUSED`.
    pub async fn close_incident(
        &self,
        caller: &Caller,
        command: CloseIncident,
    ) -> Result<Answer<Incident>, Error> {
        let name = &command.name;
        scope_of(caller, &name.operator, "incident")?;
        let resolution = &command.resolution;
        let change = Change {
            deed: command.deed,
            etag: command.etag.as_deref(),
            apply: &|incident| incident.resolution.clone_from(resolution),
        };
        let wire = self.wire;
        let how = Write {
            name: "close_incident",
            rpc: rpc::CLOSE_INCIDENT,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: change.deed.event_kind(),
            tell: &move |incident: &Incident| (incident.name.to_string(), (wire.incident)(incident)),
            reply: wire.incident_closed,
        };
        self.change(caller, &command, how, name, &change).await
    }

    async fn change<C: Serialize + Sync>(
        &self,
        caller: &Caller,
        command: &C,
        how: Write<'_, Incident>,
        name: &IncidentName,
        change: &Change<'_>,
    ) -> Result<Answer<Incident>, Error> {
        let now = self.now();
        self.write(caller, command, how, |tx| async move {
            let absent = || Error::not_found("incident");
            let was = incidents::find(&tx, name).await?.ok_or_else(absent)?;
            let as_its_tenant = match caller.effective_organisation() {
                Organisation::Tenant(tenant) if was.tenant.as_ref() == Some(tenant) => true,
                // Another tenant may read it at most; to close it is not its to see.
                Organisation::Tenant(_) => return Err(absent()),
                _ => false,
            };
            // To take it back is the tenant's alone, and all that it may do.
            if as_its_tenant != (change.deed == Deed::Withdraw) {
                return Err(Error::invalid_field("outcome", whose(as_its_tenant)));
            }
            check_etag_if_given(change.etag, was.revision)?;
            let mut after = Incident {
                state: was.state.after(change.deed)?,
                revision: was.revision + 1,
                updated_at: now.max(was.updated_at),
                ..was
            };
            (change.apply)(&mut after);
            after.check(now)?;
            let hurt =
                incidents::hurt(&tx, &after.site, after.block.as_ref(), after.start, after.end).await?;
            after.tell(hurt);
            incidents::update(&tx, &after).await?;
            self.notice(&tx, &after).await?;
            Ok((tx, after))
        })
        .await
    }
}

fn whose(as_its_tenant: bool) -> &'static str {
    if as_its_tenant {
        "must be WITHDRAWN: only the operator resolves or rejects"
    } else {
        "must be RESOLVED or REJECTED: only the tenant that opened it takes it back"
    }
}
