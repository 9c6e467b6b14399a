//! Encumbrances.

use kernel::{BlockId, EncumbranceId, EncumbranceName, Error, Instant, OperatorId, Scope, SiteName, Uuid};
use postgres::{Db, Tx, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Order,
};

use super::entity::encumbrance;
use super::{Rows, after_last, blocks, corrupt, of_operator, parse};
use crate::domain::encumbrance::{Encumbrance, EncumbranceDraft, Extent, Kind};

/// Writes a new encumbrance; `block` is the id of the block that it is on, if it is on one.
pub async fn insert(tx: &Tx, new: &Encumbrance, block: Option<BlockId>) -> Result<(), Error> {
    let facts = &new.facts;
    let row = encumbrance::ActiveModel {
        operator_id: Set(new.name.operator.to_string()),
        encumbrance_id: Set(new.name.encumbrance.get()),
        site_id: Set(super::site_of(&facts.on)),
        block_id: Set(block.map(BlockId::get)),
        tenant_id: Set(facts.tenant.to_string()),
        kind: Set(facts.kind.as_str().to_owned()),
        quantity_kw: Set(facts.quantity_kw),
        valid_until: Set(facts.valid_until),
        response_days: Set(facts.response_days),
        note: Set(facts.note.clone()),
        is_released: Set(new.is_released),
        revision: Set(new.revision),
        created_at: Set(new.created_at),
        updated_at: Set(new.updated_at),
    };
    encumbrance::Entity::insert(row).exec_without_returning(tx.conn()).await.map(|_| ()).map_err(store_error)
}

/// Writes that an encumbrance has ended, over the revision before.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn release(tx: &Tx, after: &Encumbrance) -> Result<(), Error> {
    let done = encumbrance::Entity::update_many()
        .set(encumbrance::ActiveModel {
            is_released: Set(after.is_released),
            revision: Set(after.revision),
            updated_at: Set(after.updated_at),
            ..Default::default()
        })
        .filter(key(&after.name))
        .filter(encumbrance::Column::Revision.eq(after.revision - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

/// One encumbrance, if the transaction's scope sees it.
pub async fn find(tx: &Tx, name: &EncumbranceName) -> Result<Option<Encumbrance>, Error> {
    let rows = encumbrance::Entity::find().filter(key(name)).all(tx.conn()).await.map_err(store_error)?;
    Ok(read_all(tx, rows).await?.pop())
}

/// Encumbrances, newest first, after one. Ids are in order of time.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    parent: Option<&OperatorId>,
    active_at: Option<Instant>,
    after: Option<&(Uuid, String)>,
    size: u32,
) -> Result<Rows<Encumbrance>, Error> {
    let (id, operator) = (encumbrance::Column::EncumbranceId, encumbrance::Column::OperatorId);
    let mut query = encumbrance::Entity::find().filter(of_operator(scope, parent, operator));
    if let Scope::Tenant(tenant) = scope {
        query = query.filter(encumbrance::Column::TenantId.eq(tenant.as_str()));
    }
    if let Some(now) = active_at {
        query = query.filter(active(now));
    }
    if let Some(last) = after {
        query = query.filter(after_last((id, Order::Desc), operator, last));
    }
    let rows = query
        .order_by(id, Order::Desc)
        .order_by(operator, Order::Asc)
        .limit(u64::from(size) + 1)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    Ok(Rows::cut(read_all(tx, rows).await?, size))
}

/// Every encumbrance that is in force, of every operator, on the worker's role.
pub async fn active_ones(worker: &Db, now: Instant) -> Result<Vec<Encumbrance>, Error> {
    worker
        .read("active_encumbrances", &Scope::Worker, |tx| async move {
            let rows = encumbrance::Entity::find()
                .filter(active(now))
                .order_by(encumbrance::Column::EncumbranceId, Order::Asc)
                .all(tx.conn())
                .await
                .map_err(store_error)?;
            let found = read_all(&tx, rows).await?;
            Ok((tx, found))
        })
        .await
}

fn active(now: Instant) -> Condition {
    Condition::all()
        .add(encumbrance::Column::IsReleased.eq(false))
        .add(encumbrance::Column::ValidUntil.gt(now))
}

fn key(name: &EncumbranceName) -> Condition {
    Condition::all()
        .add(encumbrance::Column::OperatorId.eq(name.operator.as_str()))
        .add(encumbrance::Column::EncumbranceId.eq(name.encumbrance.get()))
}

async fn read_all(tx: &Tx, rows: Vec<encumbrance::Model>) -> Result<Vec<Encumbrance>, Error> {
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.sort_unstable();
    operators.dedup();
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.block_id).collect();
    let names = blocks::names(tx, &operators, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let operator: OperatorId = parse("operator", &row.operator_id)?;
            let on = match (row.block_id, &row.site_id) {
                (Some(block), _) => {
                    Extent::Block(names.get(&block).cloned().ok_or_else(|| corrupt("encumbrance"))?)
                }
                (None, Some(site)) => Extent::Site(SiteName::new(operator.clone(), parse("site", site)?)),
                (None, None) => Extent::Operator(operator.clone()),
            };
            Ok(Encumbrance {
                name: EncumbranceName::new(operator, EncumbranceId::new(row.encumbrance_id)),
                facts: EncumbranceDraft {
                    on,
                    kind: Kind::of_word(&row.kind).ok_or_else(|| corrupt("kind"))?,
                    tenant: parse("tenant", &row.tenant_id)?,
                    quantity_kw: row.quantity_kw,
                    valid_until: row.valid_until,
                    response_days: row.response_days,
                    note: row.note,
                },
                is_released: row.is_released,
                revision: row.revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        })
        .collect()
}
