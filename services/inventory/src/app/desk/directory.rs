//! Names of blocks to their ids. A name never changes its block, so what was once found is true for ever.

use std::collections::HashMap;

use kernel::{BlockId, BlockName, BlockSlug, Error, OperatorId, SiteId};
use postgres::Db;
use tokio::sync::RwLock;

use crate::store::blocks;

/// Names kept; beyond, everything is forgotten and looked up again.
const NAMES_MAX: usize = 200_000;

type Names = HashMap<(SiteId, BlockSlug), BlockId>;

/// Block ids by name.
#[derive(Debug, Default)]
pub struct Directory {
    known: RwLock<HashMap<OperatorId, Names>>,
}

impl Directory {
    /// The ids of an operator's blocks.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` if one does not exist.
    pub async fn find(
        &self,
        db: &Db,
        operator: &OperatorId,
        names: &[&BlockName],
    ) -> Result<Vec<BlockId>, Error> {
        if let Some(found) = self.remembered(operator, names).await {
            return Ok(found);
        }
        let found = Box::pin(blocks::ids(db, operator, names)).await?;
        let mut known = self.known.write().await;
        if known.values().map(HashMap::len).sum::<usize>() + names.len() > NAMES_MAX {
            known.clear();
        }
        let of_operator = known.entry(operator.clone()).or_default();
        for (name, id) in names.iter().zip(&found) {
            of_operator.insert((name.site.clone(), name.block.clone()), *id);
        }
        Ok(found)
    }

    async fn remembered(&self, operator: &OperatorId, names: &[&BlockName]) -> Option<Vec<BlockId>> {
        let known = self.known.read().await;
        let of_operator = known.get(operator)?;
        names.iter().map(|name| of_operator.get(&(name.site.clone(), name.block.clone())).copied()).collect()
    }
}
