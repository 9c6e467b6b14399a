//! A batch of the booking desk, and the one call that writes it.

use kernel::{BlockId, CapacityVector, Instant, OperatorId, Uuid};
use postgres::heard;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use super::desk::{BlockState, block_states_of};

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
    /// All that had been added to each, as far as is known.
    pub added: Vec<i64>,
    /// What others may have added unseen.
    pub rooms: Vec<i64>,
    /// What the batch adds.
    pub grown: Vec<i64>,
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
    /// Who did it, for the audit trail.
    pub deeds: Vec<String>,
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
            added: Vec::with_capacity(blocks),
            rooms: Vec::with_capacity(blocks),
            grown: Vec::with_capacity(blocks),
            reservations: Vec::with_capacity(reservations),
            tenants: Vec::with_capacity(reservations),
            kinds: Vec::with_capacity(reservations),
            hold_until: Vec::with_capacity(reservations),
            notes: Vec::with_capacity(reservations),
            callers: Vec::with_capacity(reservations),
            requests: Vec::with_capacity(reservations),
            hashes: Vec::with_capacity(reservations),
            deeds: Vec::with_capacity(reservations),
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
    /// Others may have taken, on a block it touches, what it was found to fit in; nothing was written for it.
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
    /// The blocks where that may be, with what has changed since the version in memory.
    pub stale: Vec<BlockState>,
    /// The blocks that others booked on unseen, with the version they had.
    pub ahead: Vec<(BlockId, i64)>,
    /// The database's time.
    pub at: Instant,
}

const BOOK: &str = "select part, block_id, version, reservation_id, state, hold_until, start_time, end_time, \
    critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators, outcomes, at \
    from inventory.book( \
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36)";

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
        .bind(&batch.added)
        .bind(&batch.rooms)
        .bind(&batch.grown)
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
        .bind(&batch.deeds)
        .fetch_all(conn);
    let rows = heard(rows).await?;
    let [answer, others @ ..] = &rows[..] else {
        return Err(sqlx::Error::Protocol("inventory.book answered nothing".to_owned()));
    };
    let (ahead, stale): (Vec<&PgRow>, Vec<&PgRow>) =
        others.iter().partition(|row| matches!(row.try_get(0), Ok("AHEAD")));
    let outcomes: Vec<i16> = answer.try_get(13)?;
    Ok(Booked {
        outcomes: outcomes.into_iter().map(outcome).collect::<Result<_, _>>()?,
        stale: block_states_of(stale)?,
        ahead: ahead
            .iter()
            .map(|row| Ok((BlockId::new(row.try_get(1)?), row.try_get(2)?)))
            .collect::<Result<_, sqlx::Error>>()?,
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
