//! Outages.

use std::collections::BTreeSet;

use kernel::{
    BlockId, BlockName, Error, IncidentId, IncidentName, Instant, OperatorId, Scope, SiteName, TenantId, Uuid,
};
use postgres::{Tx, store_error};
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};

use super::{Rows, corrupt, of_json, parse, to_json};
use crate::domain::incident::{Incident, Kind, State};

/// Which incidents a list shows.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    /// Of one operator.
    pub operator: Option<OperatorId>,
    /// In these states; empty is all.
    pub states: Vec<State>,
    /// Of one site and its blocks.
    pub site: Option<SiteName>,
}

/// Writes a new incident.
pub async fn insert(tx: &Tx, new: &Incident, block: Option<BlockId>) -> Result<(), Error> {
    let sql = "insert into inventory.incident (operator_id, incident_id, site_id, block_id, kind, state, tenant_id, \
                   start_time, end_time, audience, facts, resolution, revision, created_at, updated_at) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let values = [
        new.name.operator.as_str().into(),
        new.name.incident.get().into(),
        new.site.site.as_str().into(),
        block.map(BlockId::get).into(),
        new.kind.as_str().into(),
        new.state.as_str().into(),
        new.tenant.as_ref().map(TenantId::as_str).into(),
        new.start.into(),
        new.end.into(),
        audience(&new.audience),
        to_json(&new.facts).into(),
        new.resolution.as_str().into(),
        new.revision.into(),
        new.created_at.into(),
        new.updated_at.into(),
    ];
    execute(tx, sql, values).await.map(drop)
}

/// Writes a changed incident over the revision before it.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn update(tx: &Tx, changed: &Incident) -> Result<(), Error> {
    let sql = "update inventory.incident set state = $4, start_time = $5, end_time = $6, audience = $7, facts = $8, \
                   resolution = $9, revision = $3 + 1, updated_at = $10 \
               where operator_id = $1 and incident_id = $2 and revision = $3";
    let values = [
        changed.name.operator.as_str().into(),
        changed.name.incident.get().into(),
        (changed.revision - 1).into(),
        changed.state.as_str().into(),
        changed.start.into(),
        changed.end.into(),
        audience(&changed.audience),
        to_json(&changed.facts).into(),
        changed.resolution.as_str().into(),
        changed.updated_at.into(),
    ];
    if execute(tx, sql, values).await? == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

/// Tenants, as the store holds them.
pub(super) fn audience(tenants: &BTreeSet<TenantId>) -> Value {
    tenants.iter().map(ToString::to_string).collect::<Vec<String>>().into()
}

pub(super) async fn execute<const N: usize>(
    tx: &Tx,
    sql: &'static str,
    values: [Value; N],
) -> Result<u64, Error> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.conn().execute_raw(statement).await.map_err(store_error)?.rows_affected())
}

const COLUMNS: &str = "select i.operator_id, i.incident_id, i.site_id, b.block_slug, i.kind, i.state, i.tenant_id, \
        i.start_time, i.end_time, i.audience, i.facts, i.resolution, i.revision, i.created_at, i.updated_at \
    from inventory.incident i \
    left join inventory.block b on b.operator_id = i.operator_id and b.block_id = i.block_id";

/// One incident, if the transaction's scope sees it.
pub async fn find(tx: &Tx, name: &IncidentName) -> Result<Option<Incident>, Error> {
    let sql = format!("{COLUMNS} where i.operator_id = $1 and i.incident_id = $2");
    let values = [name.operator.as_str().into(), name.incident.get().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.conn().query_one_raw(statement).await.map_err(store_error)?;
    row.as_ref().map(read).transpose()
}

/// Incidents, newest first, after one.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    filter: &IncidentFilter,
    after: Option<&(Uuid, String)>,
    size: u32,
) -> Result<Rows<Incident>, Error> {
    let sql = format!(
        "{COLUMNS} where ($1::text is null or i.operator_id = $1) and ($2::text is null or $2 = any(i.audience)) \
           and ($3::text is null or i.operator_id = $3) and (cardinality($4::text[]) = 0 or i.state = any($4)) \
           and ($5::text is null or (i.operator_id = $5 and i.site_id = $6)) \
           and ($7::uuid is null or i.incident_id < $7 or (i.incident_id = $7 and i.operator_id > $8)) \
         order by i.incident_id desc, i.operator_id limit $9"
    );
    let (own, tenant) = sides(scope);
    let states: Vec<String> = filter.states.iter().map(ToString::to_string).collect();
    let values = [
        own.into(),
        tenant.into(),
        filter.operator.as_ref().map(OperatorId::as_str).into(),
        states.into(),
        filter.site.as_ref().map(|site| site.operator.as_str()).into(),
        filter.site.as_ref().map(|site| site.site.as_str()).into(),
        after.map(|(id, _)| *id).into(),
        after.map(|(_, operator)| operator.as_str()).into(),
        (i64::from(size) + 1).into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = tx.conn().query_all_raw(statement).await.map_err(store_error)?;
    let read: Result<Vec<Incident>, Error> = rows.iter().map(read).collect();
    Ok(Rows::cut(read?, size))
}

/// The operator or the tenant whose rows a scope sees: written out beside row level security.
pub(super) fn sides(scope: &Scope) -> (Option<&str>, Option<&str>) {
    match scope {
        Scope::Operator(own) => (Some(own.as_str()), None),
        Scope::Tenant(tenant) => (None, Some(tenant.as_str())),
        Scope::Market | Scope::Worker => (None, None),
    }
}

/// Tenants with committed capacity of a site, or of one of its blocks, at some instant of a time.
pub async fn hurt(
    tx: &Tx,
    site: &SiteName,
    block: Option<&BlockName>,
    start: Instant,
    end: Option<Instant>,
) -> Result<BTreeSet<TenantId>, Error> {
    let sql = "select distinct c.tenant_id from inventory.claim c \
               join inventory.block b on b.operator_id = c.operator_id and b.block_id = c.block_id \
               where c.operator_id = $1 and b.site_id = $2 and ($3::text is null or b.block_slug = $3) \
                 and c.state = 'COMMITTED' and c.tenant_id is not null \
                 and c.end_time > $4 and ($5::timestamptz is null or c.start_time < $5)";
    let values = [
        site.operator.as_str().into(),
        site.site.as_str().into(),
        block.map(|block| block.block.as_str()).into(),
        start.into(),
        end.into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = tx.conn().query_all_raw(statement).await.map_err(store_error)?;
    rows.iter().map(|row| parse("tenant", &row.try_get_by_index::<String>(0).map_err(store_error)?)).collect()
}

fn read(row: &QueryResult) -> Result<Incident, Error> {
    let text = |column: &str| row.try_get::<String>("", column).map_err(store_error);
    let time = |column: &str| row.try_get::<Instant>("", column).map_err(store_error);
    let operator: OperatorId = parse("operator", &text("operator_id")?)?;
    let site = SiteName::new(operator.clone(), parse("site", &text("site_id")?)?);
    let slug: Option<String> = row.try_get("", "block_slug").map_err(store_error)?;
    let tenant: Option<String> = row.try_get("", "tenant_id").map_err(store_error)?;
    let incident = IncidentId::new(row.try_get("", "incident_id").map_err(store_error)?);
    let block =
        |slug: String| Ok(BlockName::new(operator.clone(), site.site.clone(), parse("block", &slug)?));
    Ok(Incident {
        name: IncidentName::new(operator.clone(), incident),
        kind: Kind::of_word(&text("kind")?).ok_or_else(|| corrupt("kind"))?,
        state: State::of_word(&text("state")?).ok_or_else(|| corrupt("state"))?,
        block: slug.map(block).transpose()?,
        start: time("start_time")?,
        end: row.try_get("", "end_time").map_err(store_error)?,
        facts: of_json("incident", row.try_get("", "facts").map_err(store_error)?)?,
        tenant: tenant.map(|tenant| parse("tenant", &tenant)).transpose()?,
        audience: read_audience(row)?,
        resolution: text("resolution")?,
        revision: row.try_get("", "revision").map_err(store_error)?,
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
        site,
    })
}

pub(super) fn read_audience(row: &QueryResult) -> Result<BTreeSet<TenantId>, Error> {
    let tenants: Vec<String> = row.try_get("", "audience").map_err(store_error)?;
    tenants.iter().map(|tenant| parse("tenant", tenant)).collect()
}
