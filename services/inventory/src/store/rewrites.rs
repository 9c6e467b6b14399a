//! Reservations that take something else from now on: read under their blocks' locks, written by one call of
//! `inventory.rewrite_reservations` in the same transaction.

use kernel::{BlockId, CapacityVector, Error, Instant, OperatorId, ReservationId, TenantId, Uuid};
use postgres::{RequestKey, Tx, store_error};
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use serde::Serialize;

use super::corrupt;
use super::desk::{BlockState, block_states_of};
use crate::domain::reservation::{Profile, Reservation};

/// A block as it was read, and what the grown claims declare.
#[derive(Debug)]
pub struct BlockWrite {
    /// Which.
    pub block: BlockId,
    /// The version it was read at.
    pub version: i64,
    /// The most that it carries where more is taken than before.
    pub peak: CapacityVector,
}

/// A reservation that changes, before and after, with the bytes of the resource before and after.
#[derive(Debug)]
pub struct Changed<'a> {
    /// As it was read.
    pub before: &'a Reservation,
    /// As it is to be.
    pub after: &'a Reservation,
    /// The resource as it was.
    pub payload_before: Vec<u8>,
    /// The event.
    pub payload: Vec<u8>,
    /// The event's id.
    pub event: Uuid,
}

/// A reservation that comes of another.
#[derive(Debug)]
pub struct Added<'a> {
    /// The new one.
    pub new: &'a Reservation,
    /// The one it comes of.
    pub of: ReservationId,
    /// The event.
    pub payload: Vec<u8>,
    /// The event's id.
    pub event: Uuid,
}

/// What is to be written.
#[derive(Debug)]
pub struct Rewrite<'a> {
    /// Whose.
    pub operator: &'a OperatorId,
    /// The time that the prepared reply shows.
    pub now: Instant,
    /// The kind of its events.
    pub event: &'static str,
    /// The caller's key.
    pub key: &'a RequestKey,
    /// The reply to record.
    pub reply: &'a [u8],
    /// Every block that is touched.
    pub blocks: &'a [BlockWrite],
    /// What changes.
    pub changed: Vec<Changed<'a>>,
    /// What is new.
    pub added: Vec<Added<'a>>,
    /// What is taken afterwards: by whom, of which block.
    pub claims: Vec<(ReservationId, BlockId, &'a Profile)>,
}

/// What the database said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// It is done.
    Applied,
    /// Nothing was done: read again and decide again.
    Changed,
}

/// Takes the locks of blocks in id order and reads them as they are.
pub async fn lock_and_read(
    tx: &Tx,
    operator: &OperatorId,
    blocks: &[BlockId],
) -> Result<Vec<BlockState>, Error> {
    let ids = array(blocks);
    let all = format!("{{{}}}", vec!["-1"; blocks.len()].join(","));
    rows(
        tx,
        "select inventory.lock_blocks($1, $2::text::uuid[])",
        vec![operator.as_str().into(), ids.as_str().into()],
    )
    .await?;
    // A statement of its own: its snapshot is from after the wait for the locks.
    let sql = "select part, block_id, version, reservation_id, state, hold_until, start_time, end_time, \
                      critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators \
               from inventory.block_state($1, $2::text::uuid[], $3::text::bigint[])";
    let found = rows(tx, sql, vec![operator.as_str().into(), ids.into(), all.into()]).await?;
    block_states_of(found.iter().filter_map(QueryResult::try_as_pg_row))
        .map_err(|error| corrupt("block state").with_source(error))
}

/// Open holds of a tenant.
pub async fn open_holds(tx: &Tx, operator: &OperatorId, tenant: &TenantId) -> Result<i64, Error> {
    let sql = "select coalesce(sum(holds), 0)::bigint from inventory.open_holds($1, array[$2::text])";
    let found = rows(tx, sql, vec![operator.as_str().into(), tenant.as_str().into()]).await?;
    let row = found.first().ok_or_else(|| corrupt("count"))?;
    row.try_get_by_index(0).map_err(store_error)
}

/// Writes it, if blocks and reservations still are as they were read and no hold has run out.
pub async fn apply(tx: &Tx, wanted: &Rewrite<'_>) -> Result<Rewritten, Error> {
    let document = serde_json::to_value(Document::of(wanted)).map_err(Error::internal)?;
    let sql = "select inventory.rewrite_reservations($1, $2::jsonb)";
    let found = rows(tx, sql, vec![wanted.operator.as_str().into(), document.into()]).await?;
    let outcome: String =
        found.first().ok_or_else(|| corrupt("outcome"))?.try_get_by_index(0).map_err(store_error)?;
    Ok(if outcome == "applied" { Rewritten::Applied } else { Rewritten::Changed })
}

async fn rows(tx: &Tx, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, Error> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    tx.conn().query_all_raw(statement).await.map_err(store_error)
}

fn array(blocks: &[BlockId]) -> String {
    let ids: Vec<String> = blocks.iter().map(|block| block.get().to_string()).collect();
    format!("{{{}}}", ids.join(","))
}

/// What the function reads: the names are its.
#[derive(Serialize)]
struct Document<'a> {
    now: Instant,
    key: Key<'a>,
    event: &'static str,
    blocks: Vec<Block>,
    changed: Vec<Change>,
    added: Vec<Addition<'a>>,
    claims: Vec<Taken>,
    events: Vec<Told>,
}

#[derive(Serialize)]
struct Key<'a> {
    caller: &'a str,
    rpc: &'static str,
    request: Uuid,
    hash: String,
    reply: String,
    deed: String,
}

#[derive(Serialize)]
struct Block {
    id: Uuid,
    version: i64,
    peak_it: i64,
    peak_air: i64,
    peak_liquid: i64,
    peak_immersion: i64,
    peak_accelerators: i64,
}

#[derive(Serialize)]
struct Change {
    id: Uuid,
    revision: i64,
    state: &'static str,
    hold_until: Instant,
    before: String,
    tenant: Option<String>,
}

#[derive(Serialize)]
struct Addition<'a> {
    id: Uuid,
    of: Uuid,
    note: &'a str,
}

#[derive(Serialize)]
struct Taken {
    reservation: Uuid,
    block: Uuid,
    start: Instant,
    end: Instant,
    it: i64,
    air: i64,
    liquid: i64,
    immersion: i64,
    accelerators: i64,
}

#[derive(Serialize)]
struct Told {
    id: Uuid,
    reservation: Uuid,
    payload: String,
}

impl<'a> Document<'a> {
    fn of(wanted: &'a Rewrite<'a>) -> Self {
        let key = wanted.key;
        let changed = wanted.changed.iter().map(|one| Change {
            id: one.before.name.reservation.get(),
            revision: one.before.revision,
            state: one.after.state.as_str(),
            hold_until: one.after.hold_until,
            before: hex(&one.payload_before),
            tenant: one.after.tenant.as_ref().map(ToString::to_string),
        });
        let added = wanted.added.iter().map(|one| Addition {
            id: one.new.name.reservation.get(),
            of: one.of.get(),
            note: &one.new.note,
        });
        let told = |reservation: &Reservation, event: Uuid, payload: &[u8]| Told {
            id: event,
            reservation: reservation.name.reservation.get(),
            payload: hex(payload),
        };
        let claims = wanted.claims.iter().flat_map(|(reservation, block, profile)| {
            profile.pieces().map(|(interval, kw)| Taken {
                reservation: reservation.get(),
                block: block.get(),
                start: interval.start(),
                end: interval.end(),
                it: kw.critical_it,
                air: kw.air,
                liquid: kw.liquid,
                immersion: kw.immersion,
                accelerators: kw.accelerators,
            })
        });
        Self {
            now: wanted.now,
            key: Key {
                caller: &key.caller,
                rpc: key.rpc,
                request: key.request_id,
                hash: hex(&key.hash),
                reply: hex(wanted.reply),
                deed: key.deed(),
            },
            event: wanted.event,
            blocks: wanted.blocks.iter().map(Block::of).collect(),
            changed: changed.collect(),
            added: added.collect(),
            claims: claims.collect(),
            events: (wanted.changed.iter().map(|one| told(one.after, one.event, &one.payload)))
                .chain(wanted.added.iter().map(|one| told(one.new, one.event, &one.payload)))
                .collect(),
        }
    }
}

impl Block {
    fn of(write: &BlockWrite) -> Self {
        Self {
            id: write.block.get(),
            version: write.version,
            peak_it: write.peak.critical_it,
            peak_air: write.peak.air,
            peak_liquid: write.peak.liquid,
            peak_immersion: write.peak.immersion,
            peak_accelerators: write.peak.accelerators,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
