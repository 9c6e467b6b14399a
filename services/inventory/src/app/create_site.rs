//! `CreateSite`.

use kernel::{Caller, Error};
use postgres::Answer;

use super::write::{Create, Write};
use super::{App, kind, own_scope, rpc};
use crate::domain::site::{Site, SiteDraft};
use crate::store::{operators, sites};

impl App {
    /// Creates a site.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `NAME_TAKEN`, `REQUEST_ID_REUSED`.
    pub async fn create_site(
        &self,
        caller: &Caller,
        command: Create<SiteDraft>,
    ) -> Result<Answer<Site>, Error> {
        let draft = &command.draft;
        let operator = &draft.name.operator;
        own_scope(caller, operator, "operator")?;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "create_site",
            rpc: rpc::CREATE_SITE,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::SITE_CREATED,
            tell: &move |new: &Site| (new.facts.name.to_string(), (wire.site)(new)),
            reply: wire.site_created,
        };
        self.write(caller, draft, how, |tx| async move {
            operators::find(&tx, operator).await?.ok_or_else(|| Error::not_found("operator"))?;
            let new = Site {
                facts: draft.clone(),
                version: 1,
                created_at: now,
                updated_at: now,
                archived_at: None,
            };
            sites::insert(&tx, &new).await?;
            Ok((tx, new))
        })
        .await
    }
}
