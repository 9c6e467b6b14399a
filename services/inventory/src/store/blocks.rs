//! Blocks.

use std::collections::HashMap;

use kernel::{BlockId, BlockName, Currency, Error, OperatorId, Rate, Scope, SiteId};
use postgres::page::after_last;
use postgres::{Db, Tx, is_unique_violation, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement,
};

use super::entity::block;
use super::{ASC, Rows, corrupt, of_json, of_operator, parse, texts, to_json};
use crate::domain::block::{Block, BlockDraft, Cooling, LeaseType, Redundancy};
use crate::domain::suit::Traits;

/// The sort key of a list of blocks: operator, site, block.
pub type BlockKey = (String, String, String);

/// Which blocks a list shows.
#[derive(Debug, Clone, Default)]
pub struct BlockFilter {
    /// Of one operator.
    pub operator: Option<OperatorId>,
    /// Of sites of this id.
    pub site: Option<SiteId>,
    /// Archived ones too.
    pub show_archived: bool,
}

/// Writes a new block and its version row.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, new: &Block) -> Result<(), Error> {
    match block::Entity::insert(row(new)).exec_without_returning(tx.conn()).await {
        Ok(_) => touch(tx, &new.facts.name.operator, new.id).await,
        Err(error) if is_unique_violation(&error) => Err(Error::name_taken("block").with_source(error)),
        Err(error) => Err(store_error(error)),
    }
}

/// Writes a changed block over the revision before it.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn update(tx: &Tx, changed: &Block) -> Result<(), Error> {
    let done = block::Entity::update_many()
        .set(row(changed))
        .filter(key(&changed.facts.name))
        .filter(block::Column::Revision.eq(changed.revision - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

/// Raises the version that bookings check, since the block's phases changed in this transaction.
pub async fn touch(tx: &Tx, operator: &OperatorId, block: BlockId) -> Result<(), Error> {
    let sql = "select inventory.touch_block($1, $2)";
    let values = [operator.as_str().into(), block.get().into()];
    tx.conn()
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Takes a block's lock until the transaction ends: its claims and its capacity stay as they are read from then on.
pub async fn lock(tx: &Tx, operator: &OperatorId, block: BlockId) -> Result<(), Error> {
    let sql = "select inventory.lock_blocks($1, array[$2])";
    let values = [operator.as_str().into(), block.get().into()];
    tx.conn()
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// One block, if the transaction's scope sees it.
pub async fn find(tx: &Tx, name: &BlockName) -> Result<Option<Block>, Error> {
    let row = block::Entity::find().filter(key(name)).one(tx.conn()).await.map_err(store_error)?;
    row.as_ref().map(read).transpose()
}

/// Blocks in order of name, after one.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    filter: &BlockFilter,
    after: Option<&BlockKey>,
    size: u32,
) -> Result<Rows<Block>, Error> {
    let BlockFilter { operator, site, show_archived } = filter;
    let mut query =
        block::Entity::find().filter(of_operator(scope, operator.as_ref(), block::Column::OperatorId));
    if let Some(site) = site {
        query = query.filter(block::Column::SiteId.eq(site.as_str()));
    }
    if !show_archived {
        query = query.filter(block::Column::ArchivedAt.is_null());
    }
    if let Some(after) = after {
        query = query.filter(beyond(after));
    }
    let rows = query
        .order_by(block::Column::OperatorId, ASC)
        .order_by(block::Column::SiteId, ASC)
        .order_by(block::Column::BlockSlug, ASC)
        .limit(u64::from(size) + 1)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let read: Result<Vec<_>, _> = rows.iter().map(read).collect();
    Ok(Rows::cut(read?, size))
}

/// After a sort key, in order of operator, site and block.
fn beyond((operator, site, slug): &BlockKey) -> Condition {
    use block::Column as C;
    let (operator, site) = (operator.as_str(), site.as_str());
    let within = after_last(C::SiteId.gt(site), C::SiteId.eq(site), C::BlockSlug.gt(slug.as_str()));
    after_last(C::OperatorId.gt(operator), C::OperatorId.eq(operator), within)
}

/// The ids of an operator's blocks, in the order of their names.
///
/// # Errors
/// `RESOURCE_NOT_FOUND` if one does not exist.
pub async fn ids(db: &Db, operator: &OperatorId, names: &[&BlockName]) -> Result<Vec<BlockId>, Error> {
    let scope = Scope::Operator(operator.clone());
    let found = db
        .read("block_ids", &scope, |tx| async move {
            let found: Vec<block::Model> = block::Entity::find()
                .filter(block::Column::OperatorId.eq(operator.as_str()))
                .filter(block::Column::SiteId.is_in(names.iter().map(|name| name.site.as_str())))
                .filter(block::Column::BlockSlug.is_in(names.iter().map(|name| name.block.as_str())))
                .all(tx.conn())
                .await
                .map_err(store_error)?;
            Ok((tx, found))
        })
        .await?;
    let by_name: HashMap<(&str, &str), BlockId> = found
        .iter()
        .map(|row| ((row.site_id.as_str(), row.block_slug.as_str()), BlockId::new(row.block_id)))
        .collect();
    names
        .iter()
        .map(|name| {
            by_name
                .get(&(name.site.as_str(), name.block.as_str()))
                .copied()
                .ok_or_else(|| Error::not_found("block"))
        })
        .collect()
}

/// The names of blocks by id, for reservations.
pub async fn names(
    tx: &Tx,
    operators: &[String],
    ids: &[kernel::Uuid],
) -> Result<HashMap<kernel::Uuid, BlockName>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = block::Entity::find()
        .filter(block::Column::OperatorId.is_in(operators))
        .filter(block::Column::BlockId.is_in(ids.iter().copied()))
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    rows.iter().map(|row| Ok((row.block_id, name(row)?))).collect()
}

fn key(name: &BlockName) -> Condition {
    Condition::all()
        .add(block::Column::OperatorId.eq(name.operator.as_str()))
        .add(block::Column::SiteId.eq(name.site.as_str()))
        .add(block::Column::BlockSlug.eq(name.block.as_str()))
}

fn row(of: &Block) -> block::ActiveModel {
    let facts = &of.facts;
    let kinds: Vec<&str> = facts.cooling.iter().map(|kind| kind.as_str()).collect();
    block::ActiveModel {
        operator_id: Set(facts.name.operator.to_string()),
        block_id: Set(of.id.get()),
        site_id: Set(facts.name.site.to_string()),
        block_slug: Set(facts.name.block.to_string()),
        revision: Set(of.revision),
        display_name: Set(facts.display_name.clone()),
        cooling_kinds: Set(serde_json::json!(kinds)),
        redundancy: Set(facts.redundancy.as_str().to_owned()),
        max_kw_per_rack: Set(facts.max_kw_per_rack),
        lease_type: Set(facts.lease_type.as_str().to_owned()),
        rate_per_kw_month: Set(facts.rate.map(|rate| rate.0.into())),
        currency_code: Set(facts.rate.map(|rate| rate.1.code().to_owned())),
        created_at: Set(of.created_at),
        updated_at: Set(of.updated_at),
        archived_at: Set(of.archived_at),
        more: Set(to_json(&facts.more)),
    }
}

/// The name of a stored block.
pub(crate) fn name(row: &block::Model) -> Result<BlockName, Error> {
    Ok(BlockName::new(
        parse("operator", &row.operator_id)?,
        parse("site", &row.site_id)?,
        parse("block", &row.block_slug)?,
    ))
}

/// The indicative rent of a stored block.
pub(crate) fn rate(row: &block::Model) -> Result<Option<(Rate, Currency)>, Error> {
    match (row.rate_per_kw_month, row.currency_code.as_deref()) {
        (Some(rate), Some(code)) => Ok(Some((
            Rate::try_from(rate).map_err(|_| corrupt("rate"))?,
            Currency::new(code).ok_or_else(|| corrupt("currency"))?,
        ))),
        _ => Ok(None),
    }
}

/// What a stored block suits.
pub(crate) fn traits(row: &block::Model) -> Result<Traits, Error> {
    Ok(Traits::of(&facts(row)?))
}

fn read(row: &block::Model) -> Result<Block, Error> {
    Ok(Block {
        id: BlockId::new(row.block_id),
        facts: facts(row)?,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
        archived_at: row.archived_at,
    })
}

fn facts(row: &block::Model) -> Result<BlockDraft, Error> {
    let cooling: Option<Vec<Cooling>> =
        texts("cooling kind", &row.cooling_kinds)?.iter().map(|word| Cooling::of_word(word)).collect();
    Ok(BlockDraft {
        name: name(row)?,
        rate: rate(row)?,
        display_name: row.display_name.clone(),
        cooling: cooling.ok_or_else(|| corrupt("cooling kind"))?,
        redundancy: Redundancy::of_word(&row.redundancy).ok_or_else(|| corrupt("redundancy"))?,
        max_kw_per_rack: row.max_kw_per_rack,
        lease_type: LeaseType::of_word(&row.lease_type).ok_or_else(|| corrupt("lease type"))?,
        more: of_json("block", row.more.clone())?,
    })
}
