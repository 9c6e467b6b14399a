//! `AnnounceCurtailment`.

use kernel::{Caller, CurtailmentId, CurtailmentName, Error, OperatorId, Uuid};
use postgres::Answer;
use serde::Serialize;

use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::curtailment::{Curtailment, CurtailmentDraft};
use crate::domain::site_facts::SiteFacts;
use crate::store::{curtailments, incidents, sites};

/// A curtailment that is to be announced.
#[derive(Debug, Clone, Serialize)]
pub struct AnnounceCurtailment {
    /// Whose site.
    pub operator: OperatorId,
    /// What is announced.
    pub draft: CurtailmentDraft,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Announces that a site draws less for a time, and tells the tenants that it may hurt.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `RESOURCE_NOT_FOUND` (site), `REQUEST_ID_REUSED`.
    pub async fn announce_curtailment(
        &self,
        caller: &Caller,
        command: AnnounceCurtailment,
    ) -> Result<Answer<Curtailment>, Error> {
        let AnnounceCurtailment { operator, draft, .. } = &command;
        own_scope(caller, operator, "site")?;
        let (now, wire) = (self.now(), self.wire);
        let how = Write {
            name: "announce_curtailment",
            rpc: rpc::ANNOUNCE_CURTAILMENT,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::CURTAILMENT_ANNOUNCED,
            tell: &move |new: &Curtailment| (new.name.to_string(), (wire.curtailment)(new)),
            reply: wire.curtailment_announced,
        };
        let id = CurtailmentId::new(self.ids.next());
        self.write(caller, &command, how, |tx| async move {
            let site = sites::find(&tx, &draft.site).await?.ok_or_else(|| Error::not_found("site"))?;
            within_the_programme(draft, &site.facts.more)?;
            let hurt = incidents::hurt(&tx, &draft.site, None, draft.start, Some(draft.end)).await?;
            let new = Curtailment {
                name: CurtailmentName::new(operator.clone(), id),
                facts: draft.clone(),
                audience: hurt,
                created_at: now,
            };
            curtailments::insert(&tx, &new).await?;
            let (subject, payload) = (new.name.to_string(), (self.wire.curtailment)(&new));
            let notice = (kind::CURTAILMENT_NOTICE, subject.as_str(), payload.as_slice());
            self.notify_all(&tx, operator, &new.audience, notice).await?;
            Ok((tx, new))
        })
        .await
    }
}

fn within_the_programme(draft: &CurtailmentDraft, facts: &SiteFacts) -> Result<(), Error> {
    let Some(id) = &draft.programme_id else { return Ok(()) };
    let programme = facts
        .programme(id)
        .ok_or_else(|| Error::invalid_field("curtailment.programme_id", "is no programme of the site"))?;
    if draft.curtailed_kw > programme.eligible_kw {
        return Err(Error::invalid_field(
            "curtailment.curtailed_kw",
            format!("must be at most the {} kW that take part in the programme", programme.eligible_kw),
        ));
    }
    Ok(())
}
