//! What time and inventory do to agreed leases, and what has happened to them.

use kernel::{BlockName, Error, Instant, LeaseName, PhaseId};
use postgres::store_error;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};

use super::leases::execute;
use super::sagas::{name_of, query};
use crate::domain::Lease;
use crate::domain::life::Happening;
use crate::domain::premises::PhaseDates;

/// Keeps for the former tenant of a lease what happened in its time, from the last change of tenants on.
pub async fn note_former_tenant(tx: &DatabaseTransaction, lease: &Lease) -> Result<(), Error> {
    let [before @ .., former] = lease.life.former_tenants.as_slice() else { return Ok(()) };
    let since = before.last().map_or(1, |earlier| earlier.until_revision);
    let sql = "insert into leasing.former_tenant (operator_id, lease_id, tenant_id, from_revision, until_revision) \
               values ($1, $2, $3, $4, $5)";
    let values: [Value; 5] = [
        lease.name.operator.to_string().into(),
        lease.name.lease.to_string().into(),
        former.tenant.tenant.to_string().into(),
        since.into(),
        former.until_revision.into(),
    ];
    execute(tx, sql.to_owned(), values).await.map(|_| ())
}

/// Whether the scope's tenant was one of record of this lease.
pub async fn was_tenant(conn: &impl ConnectionTrait, name: &LeaseName) -> Result<bool, Error> {
    let sql = "select 1 from leasing.former_tenant where operator_id = $1 and lease_id = $2 limit 1";
    let values = [name.operator.to_string().into(), name.lease.to_string().into()];
    Ok(!query(conn, sql, values).await?.is_empty())
}

/// Leases to which time does something by `now`, in business time.
pub async fn due_leases(
    conn: &impl ConnectionTrait,
    now: Instant,
    limit: u32,
) -> Result<Vec<LeaseName>, Error> {
    let sql = "select operator_id, lease_id from leasing.lease where due_at <= $1 \
               order by due_at, operator_id, lease_id limit $2";
    query(conn, sql, [now.into(), i64::from(limit).into()]).await?.iter().map(name_of).collect()
}

/// Writes when time next does something to a lease, which is locked; no new revision, since nothing has happened to it.
pub async fn note_due(tx: &DatabaseTransaction, lease: &Lease) -> Result<(), Error> {
    let sql = "update leasing.lease set due_at = $3 where operator_id = $1 and lease_id = $2";
    let values =
        [lease.name.operator.to_string().into(), lease.name.lease.to_string().into(), lease.due_at().into()];
    execute(tx, sql.to_owned(), values).await.map(|_| ())
}

/// Adds to the history of a lease.
pub async fn note_happening(tx: &DatabaseTransaction, lease: &Lease, kind: &str) -> Result<(), Error> {
    let sql = "insert into leasing.lease_history (operator_id, lease_id, revision, kind, occurred_at, state, version) \
               values ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        lease.name.operator.to_string().into(),
        lease.name.lease.to_string().into(),
        lease.revision.into(),
        kind.into(),
        lease.update_time.into(),
        lease.state.name().into(),
        lease.version.into(),
    ];
    execute(tx, sql.to_owned(), values).await.map(|_| ())
}

/// What happened to a lease after a revision, oldest first.
pub async fn happenings(
    conn: &impl ConnectionTrait,
    name: &LeaseName,
    after: i64,
    limit: u32,
) -> Result<Vec<Happening>, Error> {
    let sql = "select revision, kind, occurred_at, state, version from leasing.lease_history \
               where operator_id = $1 and lease_id = $2 and revision > $3 order by revision limit $4";
    let values = [
        name.operator.to_string().into(),
        name.lease.to_string().into(),
        after.into(),
        i64::from(limit).into(),
    ];
    query(conn, sql, values)
        .await?
        .iter()
        .map(|row| {
            Ok(Happening {
                revision: row.try_get_by_index(0).map_err(store_error)?,
                kind: row.try_get_by_index(1).map_err(store_error)?,
                time: row.try_get_by_index(2).map_err(store_error)?,
                state: row.try_get_by_index(3).map_err(store_error)?,
                version: row.try_get_by_index(4).map_err(store_error)?,
            })
        })
        .collect()
}

/// Leases of which this block has not commenced yet, and that may still come to it.
pub async fn leases_waiting_for(
    conn: &impl ConnectionTrait,
    block: &BlockName,
) -> Result<Vec<LeaseName>, Error> {
    let sql = "select l.operator_id, l.lease_id from leasing.premises p join leasing.lease l \
                 on l.operator_id = p.operator_id and l.lease_id = p.lease_id and l.version = p.version \
               where p.operator_id = $1 and p.site_id = $2 and p.block_slug = $3 and p.state = 'PLANNED' \
                 and l.state not in ('CLOSED', 'CANCELLED', 'LAPSED') order by 1, 2";
    query(conn, sql, block_key(block)).await?.iter().map(name_of).collect()
}

/// Keeps what is known of a phase; nothing of one that will never be, or is no more.
pub async fn keep_phase(
    conn: &impl ConnectionTrait,
    block: &BlockName,
    phase: &PhaseId,
    dates: Option<&PhaseDates>,
) -> Result<(), Error> {
    let [operator, site, slug] = block_key(block);
    let Some(dates) = dates else {
        let sql = "delete from leasing.ready_phase \
                   where operator_id = $1 and site_id = $2 and block_slug = $3 and phase_id = $4";
        return execute(conn, sql.to_owned(), [operator, site, slug, phase.as_str().into()])
            .await
            .map(|_| ());
    };
    let sql = "insert into leasing.ready_phase (operator_id, site_id, block_slug, phase_id, baseline_date, \
                 ready_date, actual_date) values ($1, $2, $3, $4, $5, $6, $7) \
               on conflict (operator_id, site_id, block_slug, phase_id) do update set \
                 baseline_date = excluded.baseline_date, ready_date = excluded.ready_date, \
                 actual_date = excluded.actual_date";
    let values = [
        operator,
        site,
        slug,
        phase.as_str().into(),
        dates.baseline.into(),
        dates.current.into(),
        dates.actual.into(),
    ];
    execute(conn, sql.to_owned(), values).await.map(|_| ())
}

fn block_key(block: &BlockName) -> [sea_orm::Value; 3] {
    [block.operator.to_string().into(), block.site.to_string().into(), block.block.to_string().into()]
}
