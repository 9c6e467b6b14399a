//! The booking desk's calls: functions of the schema, each one autocommit statement on the desk's own connections.

use kernel::{BlockId, CapacityVector, Instant, Interval, OperatorId, ReservationId, StepFunction, Uuid};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Executor as _, Row as _};

use crate::domain::book::{Standing, StoredClaim};
use crate::domain::maintenance;
use crate::domain::states::State;
use crate::store::reservations::AMENDED;

/// One batch, as columns: what `inventory.book` takes.
#[derive(Debug, Default)]
pub struct Batch {
    /// The full name of the RPC, part of every key.
    pub rpc: &'static str,
    /// Blocks, in id order, with the version they were checked against and the claims meant for them.
    pub blocks: Vec<Uuid>,
    /// Versions they were checked against.
    pub versions: Vec<i64>,
    /// Claims meant for each.
    pub claims: Vec<i64>,
    /// The most each carries within the touched intervals.
    pub peaks: Lanes,
    /// Reservations.
    pub reservations: Vec<Uuid>,
    /// Their tenants.
    pub tenants: Vec<Option<String>>,
    /// Their kinds.
    pub kinds: Vec<&'static str>,
    /// When they run out.
    pub hold_until: Vec<Instant>,
    /// Remarks.
    pub notes: Vec<String>,
    /// Callers' organisations, part of the keys.
    pub callers: Vec<String>,
    /// Request ids.
    pub requests: Vec<Uuid>,
    /// Hashes of the commands.
    pub hashes: Vec<Vec<u8>>,
    /// Replies, as they go over the wire.
    pub replies: Vec<Vec<u8>>,
    /// Ids of the events.
    pub events: Vec<Uuid>,
    /// Events, as they go over the wire.
    pub payloads: Vec<Vec<u8>>,
    /// For each claim its reservation (from 1).
    pub claim_reservation: Vec<i32>,
    /// For each claim its block (from 1).
    pub claim_block: Vec<i32>,
    /// For each claim its number within the block (from 1).
    pub claim_ordinal: Vec<i64>,
    /// Starts of claims.
    pub starts: Vec<Instant>,
    /// Ends of claims.
    pub ends: Vec<Instant>,
    /// What claims take.
    pub kw: Lanes,
}

impl Batch {
    /// An empty batch with room for so many blocks, and so many reservations of one claim.
    pub fn with_room(blocks: usize, reservations: usize) -> Self {
        Self {
            rpc: "",
            blocks: Vec::with_capacity(blocks),
            versions: Vec::with_capacity(blocks),
            claims: Vec::with_capacity(blocks),
            peaks: Lanes::with_room(blocks),
            reservations: Vec::with_capacity(reservations),
            tenants: Vec::with_capacity(reservations),
            kinds: Vec::with_capacity(reservations),
            hold_until: Vec::with_capacity(reservations),
            notes: Vec::with_capacity(reservations),
            callers: Vec::with_capacity(reservations),
            requests: Vec::with_capacity(reservations),
            hashes: Vec::with_capacity(reservations),
            replies: Vec::with_capacity(reservations),
            events: Vec::with_capacity(reservations),
            payloads: Vec::with_capacity(reservations),
            claim_reservation: Vec::with_capacity(reservations),
            claim_block: Vec::with_capacity(reservations),
            claim_ordinal: Vec::with_capacity(reservations),
            starts: Vec::with_capacity(reservations),
            ends: Vec::with_capacity(reservations),
            kw: Lanes::with_room(reservations),
        }
    }
}

/// Vectors as five columns.
#[derive(Debug, Default)]
pub struct Lanes {
    it: Vec<i64>,
    air: Vec<i64>,
    liquid: Vec<i64>,
    immersion: Vec<i64>,
    accelerators: Vec<i64>,
}

impl Lanes {
    fn with_room(rows: usize) -> Self {
        Self {
            it: Vec::with_capacity(rows),
            air: Vec::with_capacity(rows),
            liquid: Vec::with_capacity(rows),
            immersion: Vec::with_capacity(rows),
            accelerators: Vec::with_capacity(rows),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, kw: CapacityVector) {
        self.it.push(kw.critical_it);
        self.air.push(kw.air);
        self.liquid.push(kw.liquid);
        self.immersion.push(kw.immersion);
        self.accelerators.push(kw.accelerators);
    }
}

/// What became of one reservation of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the store.
    Applied,
    /// A block it touches has another version; nothing was written for it.
    Stale,
    /// Its request id is in the store already; nothing was written for it.
    Duplicate,
    /// Our idea of the database's time is wrong; nothing was written at all.
    Skewed,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Booked {
    /// In the order of the batch.
    pub outcomes: Vec<Outcome>,
    /// The blocks that have another version, with what has changed since the one they were checked against.
    pub stale: Vec<BlockState>,
    /// The database's time.
    pub at: Instant,
}

const BOOK: &str = "select part, block_id, version, reservation_id, state, hold_until, start_time, end_time, \
    critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators, outcomes, at \
    from inventory.book( \
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";

/// Writes a batch: one statement.
pub async fn book(
    conn: &mut PgConnection,
    operator: &OperatorId,
    now: Instant,
    batch: &Batch,
) -> Result<Booked, sqlx::Error> {
    let rows = sqlx::query(BOOK)
        .bind(operator.as_str())
        .bind(now)
        .bind(batch.rpc)
        .bind(&batch.blocks)
        .bind(&batch.versions)
        .bind(&batch.claims)
        .bind(&batch.peaks.it)
        .bind(&batch.peaks.air)
        .bind(&batch.peaks.liquid)
        .bind(&batch.peaks.immersion)
        .bind(&batch.peaks.accelerators)
        .bind(&batch.reservations)
        .bind(&batch.tenants)
        .bind(&batch.kinds)
        .bind(&batch.hold_until)
        .bind(&batch.notes)
        .bind(&batch.callers)
        .bind(&batch.requests)
        .bind(&batch.hashes)
        .bind(&batch.replies)
        .bind(&batch.events)
        .bind(&batch.payloads)
        .bind(&batch.claim_reservation)
        .bind(&batch.claim_block)
        .bind(&batch.claim_ordinal)
        .bind(&batch.starts)
        .bind(&batch.ends)
        .bind(&batch.kw.it)
        .bind(&batch.kw.air)
        .bind(&batch.kw.liquid)
        .bind(&batch.kw.immersion)
        .bind(&batch.kw.accelerators)
        .fetch_all(conn)
        .await?;
    let [answer, stale @ ..] = &rows[..] else {
        return Err(sqlx::Error::Protocol("inventory.book answered nothing".to_owned()));
    };
    let outcomes: Vec<i16> = answer.try_get(13)?;
    Ok(Booked {
        outcomes: outcomes.into_iter().map(outcome).collect::<Result<_, _>>()?,
        stale: block_states_of(stale)?,
        at: answer.try_get(14)?,
    })
}

fn outcome(code: i16) -> Result<Outcome, sqlx::Error> {
    match code {
        0 => Ok(Outcome::Applied),
        1 => Ok(Outcome::Stale),
        2 => Ok(Outcome::Duplicate),
        3 => Ok(Outcome::Skewed),
        _ => Err(sqlx::Error::Protocol(format!("inventory.book answered outcome {code}"))),
    }
}

/// A block as one statement saw it.
#[derive(Debug)]
pub struct BlockState {
    /// The block.
    pub block: BlockId,
    /// Its version.
    pub version: i64,
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
    .fetch_all(conn)
    .await?;
    block_states_of(&rows)
}

/// Blocks of the rows of `inventory.block_state`.
pub(crate) fn block_states_of<'a>(
    rows: impl IntoIterator<Item = &'a PgRow>,
) -> Result<Vec<BlockState>, sqlx::Error> {
    let mut heads: std::collections::HashMap<Uuid, Parts> = std::collections::HashMap::new();
    for row in rows {
        let parts = heads.entry(row.try_get(1)?).or_default();
        match row.try_get::<&str, _>(0)? {
            "HEAD" => parts.version = Some(row.try_get(2)?),
            "PHASE" => parts.phases.push((interval(row)?, kw(row)?)),
            "DERATE" => parts.derates.push((interval(row)?, kw(row)?)),
            _ => parts.claims.push(claim(row)?),
        }
    }
    let states = heads.into_iter().filter_map(|(block, parts)| {
        Some(BlockState {
            block: BlockId::new(block),
            version: parts.version?,
            capacity: maintenance::capacity(parts.phases, parts.derates),
            claims: parts.claims,
        })
    });
    Ok(states.collect())
}

#[derive(Default)]
struct Parts {
    version: Option<i64>,
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
    .fetch_all(conn)
    .await?;
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
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The database's time.
pub async fn now(conn: &mut PgConnection) -> Result<Instant, sqlx::Error> {
    sqlx::query("select clock_timestamp()").fetch_one(conn).await?.try_get(0)
}

/// Begins a transaction that holds the blocks' locks until [`unlock`]: for orders that lost the race several times.
/// Only on a connection that is closed if anything fails before.
pub async fn lock(
    conn: &mut PgConnection,
    operator: &OperatorId,
    blocks: &[BlockId],
) -> Result<(), sqlx::Error> {
    let blocks: Vec<Uuid> = blocks.iter().map(|block| block.get()).collect();
    conn.execute("begin").await?;
    sqlx::query("select inventory.lock_blocks($1, $2)")
        .bind(operator.as_str())
        .bind(&blocks)
        .execute(conn)
        .await?;
    Ok(())
}

/// Commits what was written under the locks. Every statement before it succeeded, so the server has no reason to
/// answer it with a rollback.
pub async fn unlock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    conn.execute("commit").await.map(|_| ())
}
