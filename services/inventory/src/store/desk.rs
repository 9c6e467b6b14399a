//! The booking desk's calls: functions of the schema, each one autocommit statement on the desk's own connections.

use kernel::{BlockId, CapacityVector, Instant, Interval, OperatorId, ReservationId, StepFunction, Uuid};
use postgres::heard;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Executor as _, Row as _};

use crate::domain::book::{Standing, StoredClaim};
use crate::domain::maintenance;
use crate::domain::states::State;
use crate::store::reservations::AMENDED;

/// A block as one statement saw it.
#[derive(Debug)]
pub struct BlockState {
    /// The block.
    pub block: BlockId,
    /// Its version.
    pub version: i64,
    /// All that was ever added to what is taken.
    pub added: i64,
    /// What its phases give, less what derates take.
    pub capacity: StepFunction<CapacityVector>,
    /// Claims: all live ones, or all that were written since the version asked for.
    pub claims: Vec<StoredClaim>,
}

/// Reads blocks with what changed since the given versions (-1: all live claims), all from one snapshot. Blocks that
/// do not exist are left out.
pub async fn block_states(
    conn: &mut PgConnection,
    operator: &OperatorId,
    since: &[(BlockId, i64)],
) -> Result<Vec<BlockState>, sqlx::Error> {
    let blocks: Vec<Uuid> = since.iter().map(|(block, _)| block.get()).collect();
    let versions: Vec<i64> = since.iter().map(|(_, version)| *version).collect();
    let rows = sqlx::query(
        "select part, block_id, version, reservation_id, state, hold_until, start_time, end_time, \
                critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators \
         from inventory.block_state($1, $2, $3)",
    )
    .bind(operator.as_str())
    .bind(&blocks)
    .bind(&versions)
    .fetch_all(conn);
    block_states_of(&heard(rows).await?)
}

/// Blocks of the rows of `inventory.block_state`.
pub(crate) fn block_states_of<'a>(
    rows: impl IntoIterator<Item = &'a PgRow>,
) -> Result<Vec<BlockState>, sqlx::Error> {
    let mut heads: std::collections::HashMap<Uuid, Parts> = std::collections::HashMap::new();
    for row in rows {
        let parts = heads.entry(row.try_get(1)?).or_default();
        match row.try_get::<&str, _>(0)? {
            "HEAD" => parts.head = Some((row.try_get(2)?, row.try_get(8)?)),
            "PHASE" => parts.phases.push((interval(row)?, kw(row)?)),
            "DERATE" => parts.derates.push((interval(row)?, kw(row)?)),
            _ => parts.claims.push(claim(row)?),
        }
    }
    let states = heads.into_iter().filter_map(|(block, parts)| {
        let (version, added) = parts.head?;
        Some(BlockState {
            block: BlockId::new(block),
            version,
            added,
            capacity: maintenance::capacity(parts.phases, parts.derates),
            claims: parts.claims,
        })
    });
    Ok(states.collect())
}

#[derive(Default)]
struct Parts {
    head: Option<(i64, i64)>,
    phases: Vec<(Interval, CapacityVector)>,
    derates: Vec<(Interval, CapacityVector)>,
    claims: Vec<StoredClaim>,
}

fn interval(row: &PgRow) -> Result<Interval, sqlx::Error> {
    Interval::new(row.try_get(6)?, row.try_get(7)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn kw(row: &PgRow) -> Result<CapacityVector, sqlx::Error> {
    Ok(CapacityVector {
        critical_it: row.try_get(8)?,
        air: row.try_get(9)?,
        liquid: row.try_get(10)?,
        immersion: row.try_get(11)?,
        accelerators: row.try_get(12)?,
    })
}

fn claim(row: &PgRow) -> Result<StoredClaim, sqlx::Error> {
    let standing = match State::of_word(row.try_get(4)?) {
        Some(State::Held) => Standing::Held(row.try_get(5)?),
        Some(State::Committed) => Standing::Committed,
        Some(State::Released | State::Expired | State::Merged) => Standing::Gone,
        None if row.try_get::<&str, _>(4)? == AMENDED => Standing::Gone,
        None => return Err(sqlx::Error::Protocol("a claim in an unknown state".to_owned())),
    };
    let reservation = ReservationId::new(row.try_get(3)?);
    Ok(StoredClaim { reservation, interval: interval(row)?, kw: kw(row)?, standing })
}

/// A reply that was recorded under a request key.
#[derive(Debug)]
pub struct Recorded {
    /// The caller's organisation.
    pub caller: String,
    /// The request id.
    pub request: Uuid,
    /// The hash of the command it was given for.
    pub hash: Vec<u8>,
    /// The reply.
    pub reply: Vec<u8>,
    /// When it was recorded.
    pub at: Instant,
}

/// The replies recorded under these keys (caller, request id).
pub async fn recorded(
    conn: &mut PgConnection,
    operator: &OperatorId,
    rpc: &str,
    keys: &[(String, Uuid)],
) -> Result<Vec<Recorded>, sqlx::Error> {
    let callers: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let requests: Vec<Uuid> = keys.iter().map(|key| key.1).collect();
    let rows = sqlx::query(
        "select caller, request_id, request_hash, reply, created_at \
         from inventory.recorded_replies($1, $2, $3, $4)",
    )
    .bind(operator.as_str())
    .bind(rpc)
    .bind(&callers)
    .bind(&requests)
    .fetch_all(conn);
    let rows = heard(rows).await?;
    rows.iter()
        .map(|row| {
            Ok(Recorded {
                caller: row.try_get(0)?,
                request: row.try_get(1)?,
                hash: row.try_get(2)?,
                reply: row.try_get(3)?,
                at: row.try_get(4)?,
            })
        })
        .collect()
}

/// Open holds of these tenants.
pub async fn open_holds(
    conn: &mut PgConnection,
    operator: &OperatorId,
    tenants: &[String],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let rows = sqlx::query("select tenant_id, holds from inventory.open_holds($1, $2)")
        .bind(operator.as_str())
        .bind(tenants)
        .fetch_all(conn);
    let rows = heard(rows).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The database's time.
pub async fn now(conn: &mut PgConnection) -> Result<Instant, sqlx::Error> {
    heard(sqlx::query("select clock_timestamp()").fetch_one(conn)).await?.try_get(0)
}

/// Begins a transaction that holds the blocks' locks until [`unlock`]: for orders that lost the race several times.
/// Only on a connection that is closed if anything fails before.
pub async fn lock(
    conn: &mut PgConnection,
    operator: &OperatorId,
    blocks: &[BlockId],
) -> Result<(), sqlx::Error> {
    let blocks: Vec<Uuid> = blocks.iter().map(|block| block.get()).collect();
    heard(conn.execute("begin")).await?;
    let locked = sqlx::query("select inventory.lock_blocks($1, $2)")
        .bind(operator.as_str())
        .bind(&blocks)
        .execute(conn);
    heard(locked).await.map(|_| ())
}

/// Commits what was written under the locks. Every statement before it succeeded, so the server has no reason to
/// answer it with a rollback.
pub async fn unlock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    heard(conn.execute("commit")).await.map(|_| ())
}
