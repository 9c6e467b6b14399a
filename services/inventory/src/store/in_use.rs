//! What keeps a resource from being archived: up to ten names of each kind.

use kernel::{BlockId, Error, Instant, OperatorId, SiteName};
use postgres::{Tx, store_error};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};

/// Blocks of a site that are not archived.
pub async fn blocks_of(tx: &Tx, site: &SiteName) -> Result<Vec<String>, Error> {
    let sql = "select b.block_slug from inventory.block b \
               where b.operator_id = $1 and b.site_id = $2 and b.archived_at is null \
               order by b.block_slug limit 10";
    names(tx, sql, vec![site.operator.as_str().into(), site.site.as_str().into()]).await
}

/// Phases of a block that have not ended.
pub async fn phases_of(
    tx: &Tx,
    operator: &OperatorId,
    block: BlockId,
    now: Instant,
) -> Result<Vec<String>, Error> {
    let sql = "select p.phase_id from inventory.phase p \
               where p.operator_id = $1 and p.block_id = $2 and p.end_time > $3 and p.use_state <> 'CANCELLED' \
               order by p.phase_id limit 10";
    names(tx, sql, vec![operator.as_str().into(), block.get().into(), now.into()]).await
}

/// Reservations that take capacity of a block, now or later.
pub async fn reservations_of(
    tx: &Tx,
    operator: &OperatorId,
    block: BlockId,
    now: Instant,
) -> Result<Vec<String>, Error> {
    let sql = "select distinct c.reservation_id::text from inventory.claim c \
               where c.operator_id = $1 and c.block_id = $2 and c.end_time > $3 \
                 and (c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp())) \
               order by 1 limit 10";
    names(tx, sql, vec![operator.as_str().into(), block.get().into(), now.into()]).await
}

async fn names(tx: &Tx, sql: &'static str, values: Vec<Value>) -> Result<Vec<String>, Error> {
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(store_error)).collect()
}
