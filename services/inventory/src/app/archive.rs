//! `ArchiveSite` and `ArchiveBlock`: what nothing depends on leaves the lists, and nothing more happens to it.

use kernel::{BlockName, Caller, Error, Reason, SiteName, Uuid};
use postgres::Answer;
use serde::Serialize;

use super::as_of::supersede;
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::block::Block;
use crate::domain::check_etag_if_given;
use crate::domain::site::Site;
use crate::store::{blocks, in_use, sites};

/// A resource that is to be archived.
#[derive(Debug, Clone, Serialize)]
pub struct Archive<N> {
    /// Which one.
    pub name: N,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Archives a site whose blocks are all archived. Its lock keeps new ones away meanwhile.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `RESOURCE_ARCHIVED`, `RESOURCE_IN_USE`, `REQUEST_ID_REUSED`.
    pub async fn archive_site(
        &self,
        caller: &Caller,
        command: Archive<SiteName>,
    ) -> Result<Answer<Site>, Error> {
        let name = &command.name;
        own_scope(caller, &name.operator, "site")?;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "archive_site",
            rpc: rpc::ARCHIVE_SITE,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::SITE_ARCHIVED,
            tell: &move |site: &Site| (site.facts.name.to_string(), (wire.site)(site)),
            reply: wire.site_archived,
        };
        let etag = &command.etag;
        self.write(caller, &command, how, |tx| async move {
            let was = sites::lock(&tx, name).await?.ok_or_else(|| Error::not_found("site"))?;
            check(etag.as_deref(), was.version, was.archived_at.is_some(), "site")?;
            nothing_in_the_way("site", &[("blocks", in_use::blocks_of(&tx, name).await?)])?;
            let updated_at = now.max(was.updated_at);
            supersede(&tx, &self.wire, &was, updated_at).await?;
            let site = Site { version: was.version + 1, updated_at, archived_at: Some(updated_at), ..was };
            sites::update(&tx, &site).await?;
            Ok((tx, site))
        })
        .await
    }

    /// Archives a block that has no capacity to come and nothing that takes any. Phases come under the site's lock,
    /// which is held; without them no booking fits.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `RESOURCE_ARCHIVED`, `RESOURCE_IN_USE`, `REQUEST_ID_REUSED`.
    pub async fn archive_block(
        &self,
        caller: &Caller,
        command: Archive<BlockName>,
    ) -> Result<Answer<Block>, Error> {
        let name = &command.name;
        own_scope(caller, &name.operator, "block")?;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "archive_block",
            rpc: rpc::ARCHIVE_BLOCK,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::BLOCK_ARCHIVED,
            tell: &move |block: &Block| (block.facts.name.to_string(), (wire.block)(block)),
            reply: wire.block_archived,
        };
        let etag = &command.etag;
        self.write(caller, &command, how, |tx| async move {
            sites::lock(&tx, &name.site_name()).await?.ok_or_else(|| Error::not_found("block"))?;
            let was = blocks::find(&tx, name).await?.ok_or_else(|| Error::not_found("block"))?;
            check(etag.as_deref(), was.revision, was.archived_at.is_some(), "block")?;
            let operator = &name.operator;
            let phases = in_use::phases_of(&tx, operator, was.id, now).await?;
            let reservations = in_use::reservations_of(&tx, operator, was.id, now).await?;
            nothing_in_the_way("block", &[("phases", phases), ("reservations", reservations)])?;
            let updated_at = now.max(was.updated_at);
            supersede(&tx, &self.wire, &was, updated_at).await?;
            let block =
                Block { revision: was.revision + 1, updated_at, archived_at: Some(updated_at), ..was };
            blocks::update(&tx, &block).await?;
            Ok((tx, block))
        })
        .await
    }
}

fn check(etag: Option<&str>, revision: i64, is_archived: bool, resource: &'static str) -> Result<(), Error> {
    check_etag_if_given(etag, revision)?;
    if is_archived { Err(Error::archived(resource)) } else { Ok(()) }
}

/// Refuses while anything is there, saying all that is.
fn nothing_in_the_way(resource: &'static str, found: &[(&'static str, Vec<String>)]) -> Result<(), Error> {
    let there: Vec<&(&'static str, Vec<String>)> =
        found.iter().filter(|(_, names)| !names.is_empty()).collect();
    if there.is_empty() {
        return Ok(());
    }
    let what: Vec<&str> = there.iter().map(|(what, _)| *what).collect();
    let refusal = Error::refused(
        Reason::ResourceInUse,
        format!("The {resource} cannot be archived: it has {} in use.", what.join(" and ")),
    );
    Err(there.into_iter().fold(refusal, |refusal, (what, names)| refusal.with(*what, names.join(","))))
}
