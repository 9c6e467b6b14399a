//! The copies of leases.

use std::collections::{BTreeSet, HashMap};

use kernel::{Error, EventId, IndexValues, Instant, LeaseId, LeaseName, OperatorId, Scope};
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};
use serde::de::DeserializeOwned;

use super::entity::{lease, lease_block, lease_version};
use super::listing::Sight;
use super::price_series;
use super::rows::{broken, narrow, parse};
use crate::domain::lease::{
    BillingTerms, BlockProgress, BlockRef, BlockState, LeaseCopy, LeaseState, Poison,
};

/// Leases of an operator in order of id, from one to another, both inclusive.
pub type LeaseSpan<'a> = (&'a LeaseId, &'a LeaseId);

/// Keeps what an event told. Inner `Err`, and nothing is written: the version is known with other terms.
pub async fn keep(
    conn: &impl ConnectionTrait,
    copy: &LeaseCopy,
    event: EventId,
    now: Instant,
) -> Result<Result<(), Poison>, Error> {
    let terms = serde_json::to_value(&copy.terms).map_err(Error::internal)?;
    let key = (copy.operator.to_string(), copy.lease.to_string(), copy.version);
    let known = lease_version::Entity::find_by_id(key).one(conn).await.map_err(store_error)?;
    if known.as_ref().is_some_and(|row| row.terms != terms) {
        return Ok(Err(Poison(format!("version {} was told before with other terms", copy.version))));
    }
    keep_head(conn, copy, event, now).await?;
    if known.is_none() {
        let row = lease_version::ActiveModel {
            operator_id: Set(copy.operator.to_string()),
            lease_id: Set(copy.lease.to_string()),
            version: Set(copy.version),
            terms: Set(terms),
            event_id: Set(event.get()),
            create_time: Set(now),
        };
        lease_version::Entity::insert(row).exec_without_returning(conn).await.map_err(store_error)?;
    }
    keep_blocks(conn, copy).await?;
    Ok(Ok(()))
}

async fn keep_head(
    conn: &impl ConnectionTrait,
    copy: &LeaseCopy,
    event: EventId,
    now: Instant,
) -> Result<(), Error> {
    use lease::Column as C;
    let row = lease::ActiveModel {
        operator_id: Set(copy.operator.to_string()),
        lease_id: Set(copy.lease.to_string()),
        tenant_id: Set(copy.tenant.to_string()),
        version: Set(copy.version),
        state: Set(copy.state.as_str().to_owned()),
        currency_code: Set(copy.terms.currency.to_string()),
        billed_from: Set(copy.billed_from),
        last_event_id: Set(event.get()),
        update_time: Set(now),
        ending: Set(copy.ending.as_ref().map(serde_json::to_value).transpose().map_err(Error::internal)?),
    };
    let told = [
        C::TenantId,
        C::Version,
        C::State,
        C::CurrencyCode,
        C::BilledFrom,
        C::LastEventId,
        C::UpdateTime,
        C::Ending,
    ];
    lease::Entity::insert(row)
        .on_conflict(OnConflict::columns([C::OperatorId, C::LeaseId]).update_columns(told).to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn keep_blocks(conn: &impl ConnectionTrait, copy: &LeaseCopy) -> Result<(), Error> {
    use lease_block::Column as C;
    let mut rows = Vec::new();
    for block in &copy.blocks {
        let moved = block.moved.as_ref().map(serde_json::to_value).transpose().map_err(Error::internal)?;
        rows.push(lease_block::ActiveModel {
            operator_id: Set(copy.operator.to_string()),
            lease_id: Set(copy.lease.to_string()),
            site_id: Set(block.place.site.to_string()),
            block_id: Set(block.place.block.to_string()),
            state: Set(block.state.as_str().to_owned()),
            moved: Set(moved),
        });
    }
    if rows.is_empty() {
        return Ok(());
    }
    lease_block::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::columns([C::OperatorId, C::LeaseId, C::SiteId, C::BlockId])
                .update_columns([C::State, C::Moved])
                .to_owned(),
        )
        .exec_without_returning(conn)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// One lease, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &LeaseName,
) -> Result<Option<LeaseCopy>, Error> {
    use lease::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = lease::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::LeaseId.eq(name.lease.as_str()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(assemble(conn, rows).await?.pop())
}

/// The terms of a version, kept for ever.
pub async fn terms(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    lease: &LeaseId,
    version: i64,
) -> Result<BillingTerms, Error> {
    let key = (operator.to_string(), lease.to_string(), version);
    let row = lease_version::Entity::find_by_id(key).one(conn).await.map_err(store_error)?;
    let row = row.ok_or_else(|| broken("lease_version", "is missing"))?;
    serde_json::from_value(row.terms).map_err(|error| broken("terms", error))
}

/// All leases of the operator, in order of name.
pub async fn all(conn: &impl ConnectionTrait, operator: &OperatorId) -> Result<Vec<LeaseCopy>, Error> {
    use lease::Column as C;
    let rows = lease::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .order_by_asc(C::LeaseId)
        .all(conn)
        .await
        .map_err(store_error)?;
    assemble(conn, rows).await
}

/// The operator's leases of a span that are or were in force, in order of name.
pub async fn in_force(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (first, last): LeaseSpan<'_>,
) -> Result<Vec<LeaseCopy>, Error> {
    use lease::Column as C;
    let rows = lease::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::LeaseId.between(first.as_str(), last.as_str()))
        .filter(C::State.is_in(LeaseState::IN_FORCE.map(LeaseState::as_str)))
        .order_by_asc(C::LeaseId)
        .all(conn)
        .await
        .map_err(store_error)?;
    assemble(conn, rows).await
}

/// Leases in order of name, with their terms and blocks: two more statements, however many leases of an operator there are.
async fn assemble(conn: &impl ConnectionTrait, rows: Vec<lease::Model>) -> Result<Vec<LeaseCopy>, Error> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    // By the span that they are of: to plan for a list of names takes the database as long as to read what they name.
    let (operator, span) = (first.operator_id.clone(), [first.lease_id.clone(), last.lease_id.clone()]);
    let versions = lease_version::Entity::find()
        .filter(lease_version::Column::OperatorId.eq(&*operator))
        .filter(lease_version::Column::LeaseId.between(&*span[0], &*span[1]));
    let blocks = lease_block::Entity::find()
        .filter(lease_block::Column::OperatorId.eq(&*operator))
        .filter(lease_block::Column::LeaseId.between(&*span[0], &*span[1]));
    let mut terms: HashMap<(String, i64), serde_json::Value> = versions
        .all(conn)
        .await
        .map_err(store_error)?
        .into_iter()
        .map(|v| ((v.lease_id, v.version), v.terms))
        .collect();
    let mut progress: HashMap<String, Vec<BlockProgress>> = HashMap::new();
    for row in blocks.all(conn).await.map_err(store_error)? {
        progress.entry(row.lease_id.clone()).or_default().push(block_of(&row)?);
    }
    let mut leases = rows
        .into_iter()
        .map(|row| {
            let terms = terms
                .remove(&(row.lease_id.clone(), row.version))
                .ok_or_else(|| broken("lease.version", "has no terms"))?;
            let blocks = progress.remove(&row.lease_id).unwrap_or_default();
            lease_of(&row, terms, blocks)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    tell_indexes(conn, &operator, &mut leases).await?;
    Ok(leases)
}

/// Adds what is known of the indexes that rates follow, in one statement for all.
async fn tell_indexes(
    conn: &impl ConnectionTrait,
    operator: &str,
    leases: &mut [LeaseCopy],
) -> Result<(), Error> {
    let indexes = leases.iter().filter_map(|lease| lease.terms.rent.index.as_ref());
    let series: BTreeSet<_> = indexes.map(|index| index.series.clone()).collect();
    let values = price_series::counting_of(conn, operator, &series).await?;
    for lease in leases {
        let series = lease.terms.rent.index.as_ref().map(|index| &index.series);
        if let Some(known) = series.and_then(|series| values.get(series)) {
            lease.index.clone_from(known);
        }
    }
    Ok(())
}

fn block_of(row: &lease_block::Model) -> Result<BlockProgress, Error> {
    Ok(BlockProgress {
        place: BlockRef { site: parse("site_id", &row.site_id)?, block: parse("block_id", &row.block_id)? },
        state: parse::<BlockState>("state", &row.state)?,
        moved: optional("moved", row.moved.as_ref())?,
    })
}

/// What is kept as JSON, where it is there.
fn optional<T: DeserializeOwned>(
    field: &'static str,
    value: Option<&serde_json::Value>,
) -> Result<Option<T>, Error> {
    value.map(T::deserialize).transpose().map_err(|error| broken(field, error))
}

fn lease_of(
    row: &lease::Model,
    terms: serde_json::Value,
    blocks: Vec<BlockProgress>,
) -> Result<LeaseCopy, Error> {
    Ok(LeaseCopy {
        operator: parse("operator_id", &row.operator_id)?,
        lease: parse("lease_id", &row.lease_id)?,
        tenant: parse("tenant_id", &row.tenant_id)?,
        version: narrow("version", row.version)?,
        state: parse("state", &row.state)?,
        terms: serde_json::from_value::<BillingTerms>(terms).map_err(|error| broken("terms", error))?,
        blocks,
        ending: optional("ending", row.ending.as_ref())?,
        billed_from: row.billed_from,
        index: IndexValues::new(),
    })
}
