//! `CreateBlock`.

use kernel::{BlockId, Caller, Error};
use postgres::Answer;

use super::write::{Create, Write};
use super::{App, kind, own_scope, rpc};
use crate::domain::block::{Block, BlockDraft};
use crate::store::{blocks, sites};

impl App {
    /// Creates a block. It has no capacity until it has a phase.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (site), `NAME_TAKEN`, `REQUEST_ID_REUSED`.
    pub async fn create_block(
        &self,
        caller: &Caller,
        command: Create<BlockDraft>,
    ) -> Result<Answer<Block>, Error> {
        let draft = &command.draft;
        let operator = &draft.name.operator;
        own_scope(caller, operator, "site")?;
        draft.check()?;
        let now = self.now();
        let id = BlockId::new(self.ids.next());
        let wire = self.wire;
        let how = Write {
            name: "create_block",
            rpc: rpc::CREATE_BLOCK,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::BLOCK_CREATED,
            tell: &move |new: &Block| (new.facts.name.to_string(), (wire.block)(new)),
            reply: wire.block_created,
        };
        self.write(caller, draft, how, |tx| async move {
            // Locked, so that a site is never archived while a block comes to it.
            let site = sites::lock(&tx, &draft.name.site_name()).await?;
            if site.ok_or_else(|| Error::not_found("site"))?.archived_at.is_some() {
                return Err(Error::archived("site"));
            }
            let new = Block {
                id,
                facts: draft.clone(),
                revision: 1,
                created_at: now,
                updated_at: now,
                archived_at: None,
            };
            blocks::insert(&tx, &new).await?;
            Ok((tx, new))
        })
        .await
    }
}
