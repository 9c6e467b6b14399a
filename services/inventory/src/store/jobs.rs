//! What background work reads, on the worker's role.

use kernel::{BlockId, BlockName, Error, OperatorId, ReservationId, Scope, Uuid};
use postgres::{Db, heard, sqlx_error};
use sqlx::Row as _;

use super::parse;

/// Holds whose time has run out, by the database's clock, of any operator.
pub async fn lapsed_holds(worker: &Db, limit: i64) -> Result<Vec<(OperatorId, ReservationId)>, Error> {
    let rows = sqlx::query(
        "select operator_id, reservation_id from inventory.reservation \
         where state = 'HELD' and hold_until <= clock_timestamp() order by hold_until limit $1",
    )
    .bind(limit)
    .fetch_all(worker.sqlx());
    let rows = heard(rows).await.map_err(sqlx_error)?;
    rows.iter()
        .map(|row| {
            let operator: String = row.try_get(0).map_err(sqlx_error)?;
            let reservation: Uuid = row.try_get(1).map_err(sqlx_error)?;
            Ok((parse("operator", &operator)?, ReservationId::new(reservation)))
        })
        .collect()
}

/// An instant from which on a block promises more than it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversold {
    /// Whose.
    pub operator: String,
    /// Which block.
    pub block: Uuid,
    /// Of what.
    pub resource: String,
    /// From when on.
    pub at: kernel::Instant,
    /// What is promised, kW.
    pub used_kw: i64,
    /// What there is, kW.
    pub capacity_kw: i64,
}

/// A block by its key, in the order in which the auditor goes through them.
type Place = (String, Uuid);

/// Looks at all blocks, so many at a time, and says what the independent auditor finds of them. It rests after each look as long
/// as that took: however many blocks there are, it has half a processor at most.
pub async fn oversold(worker: &Db, at_a_time: i64) -> Result<Vec<Oversold>, Error> {
    let ends = sqlx::query_as::<_, Place>(
        "select b.operator_id, b.block_id from ( \
             select operator_id, block_id, row_number() over (order by operator_id, block_id) as n from inventory.block \
         ) b where n % $1 = 0 order by 1, 2",
    )
    .bind(at_a_time)
    .fetch_all(worker.sqlx());
    let mut ends = heard(ends).await.map_err(sqlx_error)?;
    // No operator's id comes after it: what is new meanwhile is looked at too.
    ends.push(("~".to_owned(), Uuid::max()));
    let (mut after, mut found) = ((String::new(), Uuid::nil()), Vec::new());
    for last in ends {
        let began = std::time::Instant::now();
        found.extend(oversold_between(worker, &after, &last).await?);
        tokio::time::sleep(began.elapsed()).await;
        after = last;
    }
    Ok(found)
}

async fn oversold_between(worker: &Db, after: &Place, last: &Place) -> Result<Vec<Oversold>, Error> {
    let rows = sqlx::query(
        "select operator_id, block_id, resource, at, used_kw, capacity_kw \
         from inventory.oversold_between($1, $2, $3, $4)",
    )
    .bind(&after.0)
    .bind(after.1)
    .bind(&last.0)
    .bind(last.1)
    .fetch_all(worker.sqlx());
    let rows = heard(rows).await.map_err(sqlx_error)?;
    rows.iter()
        .map(|row| {
            Ok(Oversold {
                operator: row.try_get(0).map_err(sqlx_error)?,
                block: row.try_get(1).map_err(sqlx_error)?,
                resource: row.try_get(2).map_err(sqlx_error)?,
                at: row.try_get(3).map_err(sqlx_error)?,
                used_kw: row.try_get(4).map_err(sqlx_error)?,
                capacity_kw: row.try_get(5).map_err(sqlx_error)?,
            })
        })
        .collect()
}

/// A block of which something is recorded as short.
#[derive(Debug, Clone)]
pub struct ShortBlock {
    /// Its name.
    pub name: BlockName,
    /// Its id.
    pub id: BlockId,
    /// Its version, which rises with every change of its claims.
    pub version: i64,
}

/// Every block of which something is recorded as short.
pub async fn short_blocks(worker: &Db) -> Result<Vec<ShortBlock>, Error> {
    let rows = sqlx::query(
        "select distinct s.operator_id, b.site_id, b.block_slug, s.block_id, v.version \
         from inventory.shortfall s \
         join inventory.block b on b.operator_id = s.operator_id and b.block_id = s.block_id \
         join inventory.block_version v on v.operator_id = s.operator_id and v.block_id = s.block_id \
         order by s.operator_id, s.block_id",
    )
    .fetch_all(worker.sqlx());
    let rows = heard(rows).await.map_err(sqlx_error)?;
    rows.iter()
        .map(|row| {
            let text = |index: usize| row.try_get::<String, _>(index).map_err(sqlx_error);
            let name = BlockName::new(
                parse("operator", &text(0)?)?,
                parse("site", &text(1)?)?,
                parse("block", &text(2)?)?,
            );
            Ok(ShortBlock {
                name,
                id: BlockId::new(row.try_get(3).map_err(sqlx_error)?),
                version: row.try_get(4).map_err(sqlx_error)?,
            })
        })
        .collect()
}

/// The scope of background work.
pub const SCOPE: Scope = Scope::Worker;
