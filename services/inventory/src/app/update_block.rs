//! `UpdateBlock`.

use kernel::{BlockName, Caller, Currency, Error, Rate, Uuid};
use postgres::Answer;
use serde::{Serialize, Serializer};

use super::as_of::supersede;
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::block::{Block, BlockDraft, BlockFactsPatch, Cooling, LeaseType, Redundancy};
use crate::domain::check_etag;
use crate::store::blocks;

/// A rate that is to be set or cleared.
pub type NewRate = Option<(Rate, Currency)>;

/// The fields to change; those that are absent stay.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BlockPatch {
    /// What people call it.
    pub display_name: Option<String>,
    /// Ways of cooling.
    pub cooling: Option<Vec<Cooling>>,
    /// How much may fail.
    pub redundancy: Option<Redundancy>,
    /// Most IT load in one rack; `Some(None)` clears it.
    pub max_kw_per_rack: Option<Option<i64>>,
    /// What a tenant gets.
    pub lease_type: Option<LeaseType>,
    /// Indicative rent; `Some(None)` clears it.
    #[serde(serialize_with = "rate_text")]
    pub rate: Option<NewRate>,
    /// What else is known of it.
    pub more: BlockFactsPatch,
}

fn rate_text<S: Serializer>(rate: &Option<NewRate>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = rate.map(|rate| rate.map(|(rate, currency)| format!("{rate} {}", currency.code())));
    text.serialize(serializer)
}

impl BlockPatch {
    fn apply(self, facts: BlockDraft) -> BlockDraft {
        BlockDraft {
            display_name: self.display_name.unwrap_or(facts.display_name),
            cooling: self.cooling.unwrap_or(facts.cooling),
            redundancy: self.redundancy.unwrap_or(facts.redundancy),
            max_kw_per_rack: self.max_kw_per_rack.unwrap_or(facts.max_kw_per_rack),
            lease_type: self.lease_type.unwrap_or(facts.lease_type),
            rate: self.rate.unwrap_or(facts.rate),
            more: self.more.apply(facts.more),
            name: facts.name,
        }
    }
}

/// A change of a block.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateBlock {
    /// Which block.
    pub name: BlockName,
    /// The etag the caller read.
    pub etag: String,
    /// What to change.
    pub patch: BlockPatch,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Changes fields of a block.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `REQUEST_ID_REUSED`.
    pub async fn update_block(&self, caller: &Caller, command: UpdateBlock) -> Result<Answer<Block>, Error> {
        let name = &command.name;
        own_scope(caller, &name.operator, "block")?;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "update_block",
            rpc: rpc::UPDATE_BLOCK,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::BLOCK_UPDATED,
            tell: &move |block: &Block| (block.facts.name.to_string(), (wire.block)(block)),
            reply: wire.block_updated,
        };
        let (patch, etag) = (&command.patch, &command.etag);
        self.write(caller, &command, how, |tx| async move {
            let block = blocks::find(&tx, name).await?.ok_or_else(|| Error::not_found("block"))?;
            check_etag(etag, block.revision)?;
            if block.archived_at.is_some() {
                return Err(Error::archived("block"));
            }
            // Two replicas' clocks may differ a little; time does not run backwards in what is kept.
            let now = now.max(block.updated_at);
            supersede(&tx, &self.wire, &block, now).await?;
            let block = Block {
                facts: patch.clone().apply(block.facts),
                revision: block.revision + 1,
                updated_at: now,
                ..block
            };
            block.facts.check()?;
            blocks::update(&tx, &block).await?;
            Ok((tx, block))
        })
        .await
    }
}
