//! Those who wait.

use std::collections::HashMap;

use kernel::{
    BlockId, CapacityVector, Error, Instant, OperatorId, Scope, SiteName, TenantId, Uuid, WaitlistEntryId,
    WaitlistEntryName,
};
use postgres::{Db, Tx, heard, sqlx_error, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::Order,
};
use sqlx::Row as _;

use super::entity::{waitlist_entry, waitlist_step};
use super::{Rows, after_last, blocks, corrupt, of_operator, parse, texts};
use crate::domain::encumbrance::Extent;
use crate::domain::reservation::Profile;
use crate::domain::waitlist::{State, WaitlistEntry};

/// Writes a new entry; `block` is the id of the block it is on, if it is on one.
pub async fn insert(tx: &Tx, new: &WaitlistEntry, block: Option<BlockId>) -> Result<(), Error> {
    let (operator, entry) = (new.name.operator.to_string(), new.name.waitlist_entry.get());
    let row = waitlist_entry::ActiveModel {
        operator_id: Set(operator.clone()),
        entry_id: Set(entry),
        site_id: Set(super::site_of(&new.on).ok_or_else(|| corrupt("place"))?),
        block_id: Set(block.map(BlockId::get)),
        tenant_id: Set(new.tenant.to_string()),
        expire_at: Set(new.expire_at),
        note: Set(new.note.clone()),
        // Never looked at: blocks have versions from 1 on, so the first look finds news.
        seen_versions: Set(0),
        created_at: Set(new.created_at),
        ..changed(new)
    };
    waitlist_entry::Entity::insert(row).exec_without_returning(tx.conn()).await.map_err(store_error)?;
    let steps = new.profile.pieces().map(|(interval, kw)| waitlist_step::ActiveModel {
        operator_id: Set(operator.clone()),
        entry_id: Set(entry),
        start_time: Set(interval.start()),
        end_time: Set(interval.end()),
        critical_it_kw: Set(kw.critical_it),
        air_cooling_kw: Set(kw.air),
        liquid_cooling_kw: Set(kw.liquid),
        immersion_cooling_kw: Set(kw.immersion),
        accelerators: Set(kw.accelerators),
    });
    waitlist_step::Entity::insert_many(steps)
        .exec_without_returning(tx.conn())
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Writes a changed entry over the revision before.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn update(tx: &Tx, after: &WaitlistEntry) -> Result<(), Error> {
    let done = waitlist_entry::Entity::update_many()
        .set(changed(after))
        .filter(key(&after.name))
        .filter(waitlist_entry::Column::Revision.eq(after.revision - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

/// Notes at which versions of its blocks an entry was looked at, if nobody else has looked since; says whether.
pub async fn note_look(tx: &Tx, name: &WaitlistEntryName, (before, seen): (i64, i64)) -> Result<bool, Error> {
    let done = waitlist_entry::Entity::update_many()
        .set(waitlist_entry::ActiveModel { seen_versions: Set(seen), ..Default::default() })
        .filter(key(name))
        .filter(waitlist_entry::Column::SeenVersions.eq(before))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    Ok(done.rows_affected == 1)
}

fn changed(entry: &WaitlistEntry) -> waitlist_entry::ActiveModel {
    let available: Vec<String> = entry.available.iter().map(ToString::to_string).collect();
    waitlist_entry::ActiveModel {
        state: Set(entry.state.as_str().to_owned()),
        available: Set(serde_json::json!(available)),
        told_at: Set(entry.told_at),
        revision: Set(entry.revision),
        updated_at: Set(entry.updated_at),
        ..Default::default()
    }
}

/// Entries of a tenant with an operator that have neither left nor expired.
pub async fn waiting_of(
    tx: &Tx,
    operator: &OperatorId,
    tenant: &TenantId,
    now: Instant,
) -> Result<u64, Error> {
    waitlist_entry::Entity::find()
        .filter(waitlist_entry::Column::OperatorId.eq(operator.as_str()))
        .filter(waitlist_entry::Column::TenantId.eq(tenant.as_str()))
        .filter(waiting(now))
        .count(tx.conn())
        .await
        .map_err(store_error)
}

/// One entry, if the transaction's scope sees it.
pub async fn find(tx: &Tx, name: &WaitlistEntryName) -> Result<Option<WaitlistEntry>, Error> {
    let rows = waitlist_entry::Entity::find().filter(key(name)).all(tx.conn()).await.map_err(store_error)?;
    Ok(read_all(tx, rows).await?.pop())
}

/// Entries in the order in which they joined, after one. Ids are in order of time.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    parent: Option<&OperatorId>,
    waiting_at: Option<Instant>,
    after: Option<&(Uuid, String)>,
    size: u32,
) -> Result<Rows<WaitlistEntry>, Error> {
    let (id, operator) = (waitlist_entry::Column::EntryId, waitlist_entry::Column::OperatorId);
    let mut query = waitlist_entry::Entity::find().filter(of_operator(scope, parent, operator));
    if let Scope::Tenant(tenant) = scope {
        query = query.filter(waitlist_entry::Column::TenantId.eq(tenant.as_str()));
    }
    if let Some(now) = waiting_at {
        query = query.filter(waiting(now));
    }
    if let Some(last) = after {
        query = query.filter(after_last((id, Order::Asc), operator, last));
    }
    let rows = query
        .order_by(id, Order::Asc)
        .order_by(operator, Order::Asc)
        .limit(u64::from(size) + 1)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    Ok(Rows::cut(read_all(tx, rows).await?, size))
}

/// An entry on whose blocks something was written since it was looked at last.
#[derive(Debug, Clone)]
pub struct Due {
    /// Which.
    pub name: WaitlistEntryName,
    /// The site of its blocks.
    pub site: SiteName,
    /// The versions of its blocks, added up, at the last look.
    pub seen: i64,
    /// The same now.
    pub versions: i64,
}

/// Entries that something was written for, of every operator, in the order in which they joined.
pub async fn due(worker: &Db, now: Instant, limit: i64) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query(
        "select e.operator_id, e.entry_id, e.site_id, e.seen_versions, v.versions \
         from inventory.waitlist_entry e \
         cross join lateral ( \
             select coalesce(sum(v.version), 0)::bigint as versions from inventory.block b \
             join inventory.block_version v on v.operator_id = b.operator_id and v.block_id = b.block_id \
             where b.operator_id = e.operator_id and b.site_id = e.site_id \
                 and (e.block_id is null or b.block_id = e.block_id)) v \
         where e.state in ('WAITING', 'AVAILABLE') and e.expire_at > $1 and v.versions <> e.seen_versions \
         order by e.entry_id limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(worker.sqlx());
    let rows = heard(rows).await.map_err(sqlx_error)?;
    rows.iter()
        .map(|row| {
            let operator: String = row.try_get(0).map_err(sqlx_error)?;
            let operator: OperatorId = parse("operator", &operator)?;
            let site: String = row.try_get(2).map_err(sqlx_error)?;
            let entry = WaitlistEntryId::new(row.try_get(1).map_err(sqlx_error)?);
            Ok(Due {
                name: WaitlistEntryName::new(operator.clone(), entry),
                site: SiteName::new(operator, parse("site", &site)?),
                seen: row.try_get(3).map_err(sqlx_error)?,
                versions: row.try_get(4).map_err(sqlx_error)?,
            })
        })
        .collect()
}

fn waiting(now: Instant) -> Condition {
    Condition::all()
        .add(waitlist_entry::Column::State.ne(State::Left.as_str()))
        .add(waitlist_entry::Column::ExpireAt.gt(now))
}

fn key(name: &WaitlistEntryName) -> Condition {
    Condition::all()
        .add(waitlist_entry::Column::OperatorId.eq(name.operator.as_str()))
        .add(waitlist_entry::Column::EntryId.eq(name.waitlist_entry.get()))
}

async fn read_all(tx: &Tx, rows: Vec<waitlist_entry::Model>) -> Result<Vec<WaitlistEntry>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.sort_unstable();
    operators.dedup();
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.block_id).collect();
    let names = blocks::names(tx, &operators, &ids).await?;
    let steps = waitlist_step::Entity::find()
        .filter(waitlist_step::Column::OperatorId.is_in(&operators))
        .filter(waitlist_step::Column::EntryId.is_in(rows.iter().map(|row| row.entry_id)))
        .order_by(waitlist_step::Column::StartTime, Order::Asc)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let mut by_entry: HashMap<Uuid, Vec<waitlist_step::Model>> = HashMap::new();
    for step in steps {
        by_entry.entry(step.entry_id).or_default().push(step);
    }
    rows.into_iter()
        .map(|row| {
            let operator: OperatorId = parse("operator", &row.operator_id)?;
            let on = match row.block_id {
                Some(block) => Extent::Block(names.get(&block).cloned().ok_or_else(|| corrupt("entry"))?),
                None => Extent::Site(SiteName::new(operator.clone(), parse("site", &row.site_id)?)),
            };
            let available: Result<Vec<_>, Error> =
                texts("block", &row.available)?.iter().map(|text| parse("block", text)).collect();
            let steps = by_entry.remove(&row.entry_id).unwrap_or_default();
            Ok(WaitlistEntry {
                name: WaitlistEntryName::new(operator, WaitlistEntryId::new(row.entry_id)),
                on,
                tenant: parse("tenant", &row.tenant_id)?,
                profile: profile(&steps).ok_or_else(|| corrupt("profile"))?,
                expire_at: row.expire_at,
                note: row.note,
                state: State::of_word(&row.state).ok_or_else(|| corrupt("state"))?,
                available: available?,
                told_at: row.told_at,
                revision: row.revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        })
        .collect()
}

fn profile(steps: &[waitlist_step::Model]) -> Option<Profile> {
    let values = steps.iter().map(|step| {
        let kw = CapacityVector {
            critical_it: step.critical_it_kw,
            air: step.air_cooling_kw,
            liquid: step.liquid_cooling_kw,
            immersion: step.immersion_cooling_kw,
            accelerators: step.accelerators,
        };
        (step.start_time, kw)
    });
    Profile::new(values.collect(), steps.last()?.end_time)
}
