//! Windows in which blocks give less.

use kernel::{
    BlockId, BlockName, BlockSlug, CapacityVector, Error, Instant, Interval, MaintenanceId, MaintenanceName,
    OperatorId, Scope, SiteId, TenantId, Uuid,
};
use postgres::{Tx, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _,
    FromQueryResult as _, QueryFilter as _, Statement,
};

use super::entity::derate;
use super::{Rows, block_name, corrupt, parse};
use crate::domain::maintenance::{MaintenanceKind, MaintenanceState, Window, WindowDraft};

/// The sort key of a list of windows: start and id.
pub type WindowKey = (Instant, Uuid);

/// Which windows a list shows.
#[derive(Debug, Clone, Default)]
pub struct WindowFilter {
    /// Of one operator.
    pub operator: Option<OperatorId>,
    /// Of sites of this id.
    pub site: Option<SiteId>,
    /// Of blocks of this id.
    pub block: Option<BlockSlug>,
    /// One window.
    pub window: Option<MaintenanceId>,
    /// That end after this instant.
    pub ends_after: Option<Instant>,
}

/// Writes a new window. The caller holds the block's lock and touches it.
pub async fn insert(tx: &Tx, new: &Window) -> Result<(), Error> {
    derate::Entity::insert(row(new)).exec_without_returning(tx.conn()).await.map(|_| ()).map_err(store_error)
}

/// Writes a changed window over the revision before it, under the same lock.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn update(tx: &Tx, changed: &Window) -> Result<(), Error> {
    let done = derate::Entity::update_many()
        .set(row(changed))
        .filter(derate::Column::OperatorId.eq(changed.name.operator.as_str()))
        .filter(derate::Column::DerateId.eq(changed.name.window.get()))
        .filter(derate::Column::Revision.eq(changed.revision - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

/// One window, if the scope sees it.
pub async fn find(tx: &Tx, scope: &Scope, name: &MaintenanceName) -> Result<Option<Window>, Error> {
    let filter = WindowFilter {
        operator: Some(name.operator.clone()),
        site: Some(name.site.clone()),
        block: Some(name.block.clone()),
        window: Some(name.window),
        ends_after: None,
    };
    Ok(list(tx, scope, &filter, None, 1).await?.rows.into_iter().next())
}

/// Windows in order of start and id, after one. A tenant sees those of blocks on which it has a live claim: row
/// security shows it no claim but its own.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    filter: &WindowFilter,
    after: Option<&WindowKey>,
    size: u32,
) -> Result<Rows<Window>, Error> {
    let (own, tenant) = match scope {
        Scope::Operator(own) => (Some(own.as_str()), None),
        Scope::Tenant(tenant) => (None, Some(tenant.as_str())),
        Scope::Market | Scope::Worker => (None, None),
    };
    let sql = "select d.*, b.site_id, b.block_slug from inventory.derate d \
               join inventory.block b on b.operator_id = d.operator_id and b.block_id = d.block_id \
               where ($1::text is null or d.operator_id = $1) and ($2::text is null or d.operator_id = $2) \
                 and ($3::text is null or b.site_id = $3) and ($4::text is null or b.block_slug = $4) \
                 and ($5::uuid is null or d.derate_id = $5) and ($6::timestamptz is null or d.end_time > $6) \
                 and ($7::text is null or exists ( \
                   select from inventory.claim c \
                   where c.operator_id = d.operator_id and c.block_id = d.block_id and c.tenant_id = $7 \
                     and (c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp())))) \
                 and ($8::timestamptz is null or (d.start_time, d.derate_id) > ($8, $9)) \
               order by d.start_time, d.derate_id limit $10";
    let values = [
        own.into(),
        filter.operator.as_ref().map(OperatorId::as_str).into(),
        filter.site.as_ref().map(SiteId::as_str).into(),
        filter.block.as_ref().map(BlockSlug::as_str).into(),
        filter.window.map(MaintenanceId::get).into(),
        filter.ends_after.into(),
        tenant.into(),
        after.map(|key| key.0).into(),
        after.map(|key| key.1).into(),
        (i64::from(size) + 1).into(),
    ];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    let read: Result<Vec<Window>, Error> = rows
        .iter()
        .map(|row| {
            let model = derate::Model::from_query_result(row, "").map_err(store_error)?;
            let block = block_name(&model.operator_id, row)?;
            read(model, block)
        })
        .collect();
    Ok(Rows::cut(read?, size))
}

/// Tenants with a live claim on a block at some time of an interval.
pub async fn tenants_on(
    tx: &Tx,
    operator: &OperatorId,
    block: BlockId,
    over: Interval,
) -> Result<Vec<TenantId>, Error> {
    let sql = "select distinct c.tenant_id from inventory.claim c \
               where c.operator_id = $1 and c.block_id = $2 and c.tenant_id is not null \
                 and (c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp())) \
                 and c.start_time < $4 and $3 < c.end_time order by 1";
    let values = [operator.as_str().into(), block.get().into(), over.start().into(), over.end().into()];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    rows.iter().map(|row| parse("tenant", &row.try_get_by_index::<String>(0).map_err(store_error)?)).collect()
}

/// What a stored window takes.
pub(crate) fn reduction(row: &derate::Model) -> CapacityVector {
    CapacityVector {
        critical_it: row.critical_it_kw,
        air: row.air_cooling_kw,
        liquid: row.liquid_cooling_kw,
        immersion: row.immersion_cooling_kw,
        accelerators: row.accelerators,
    }
}

/// The interval of a stored window.
pub(crate) fn interval(row: &derate::Model) -> Result<Interval, Error> {
    Interval::new(row.start_time, row.end_time).map_err(|_| corrupt("maintenance window"))
}

fn row(of: &Window) -> derate::ActiveModel {
    let facts = &of.facts;
    derate::ActiveModel {
        operator_id: Set(of.name.operator.to_string()),
        derate_id: Set(of.name.window.get()),
        block_id: Set(of.block.get()),
        kind: Set(facts.kind.as_str().to_owned()),
        state: Set(of.state.as_str().to_owned()),
        start_time: Set(facts.interval.start()),
        end_time: Set(facts.interval.end()),
        critical_it_kw: Set(facts.reduction.critical_it),
        air_cooling_kw: Set(facts.reduction.air),
        liquid_cooling_kw: Set(facts.reduction.liquid),
        immersion_cooling_kw: Set(facts.reduction.immersion),
        accelerators: Set(facts.reduction.accelerators),
        reason: Set(facts.reason.clone()),
        revision: Set(of.revision),
        created_at: Set(of.created_at),
        updated_at: Set(of.updated_at),
    }
}

fn read(row: derate::Model, block: BlockName) -> Result<Window, Error> {
    let name =
        MaintenanceName::new(block.operator, block.site, block.block, MaintenanceId::new(row.derate_id));
    let facts = WindowDraft {
        kind: MaintenanceKind::of_word(&row.kind).ok_or_else(|| corrupt("kind of maintenance"))?,
        interval: interval(&row)?,
        reduction: reduction(&row),
        reason: row.reason,
    };
    Ok(Window {
        name,
        facts,
        block: BlockId::new(row.block_id),
        state: MaintenanceState::of_word(&row.state).ok_or_else(|| corrupt("state of maintenance"))?,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
