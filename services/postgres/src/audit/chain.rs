//! Adding links: one replica at a time, in the order in which feeds show the rows.
//!
//! Sums are made by the server, in a transaction that only reads, so that no feed waits for it and no row travels; what
//! is written then is a link for each organisation and the place to go on from, in one short transaction.

use aws_lc_rs::digest::{self, SHA256};
use kernel::{Error, Instant, Scope};
use uuid::Uuid;

use super::{BYTES, OWNER, at, query};
use crate::{Db, sha256_bytes};

/// Rows that one step takes.
const ROWS: i64 = 5_000;
/// How long a claim lasts: a replica that dies is replaced so soon.
const CLAIM: &str = "interval '3 seconds'";
/// What the first link follows.
pub(super) const NOTHING: [u8; 32] = [0; 32];

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// There is nothing to seal, or another replica seals it.
    Idle,
    /// So many rows were sealed.
    Sealed(i64),
    /// So many rows were sealed, and there are more.
    More(i64),
}

/// A link as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) owner: String,
    pub(super) number: i64,
    pub(super) after: (i64, i64),
    pub(super) until: (i64, i64),
    pub(super) entries: i64,
    pub(super) digest: Vec<u8>,
    pub(super) prev_hash: Vec<u8>,
    pub(super) chained_at: Instant,
}

impl Link {
    /// The hash of all that is in it.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut sum = digest::Context::new(&SHA256);
        sum.update(b"gridlease audit link v1\0");
        // Lengths keep neighbours apart.
        for part in [self.owner.as_bytes(), &self.digest, &self.prev_hash] {
            sum.update(&part.len().to_be_bytes());
            sum.update(part);
        }
        let (after, until) = (self.after, self.until);
        let times = self.chained_at.timestamp_micros();
        for number in [self.number, after.0, after.1, until.0, until.1, self.entries, times] {
            sum.update(&number.to_be_bytes());
        }
        sha256_bytes(sum.finish())
    }
}

/// Seals what is settled and not sealed yet, if this replica (`me`) has the claim or can take it.
///
/// # Errors
/// What keeps the store from answering.
pub async fn chain(worker_db: &Db, schema: &str, me: Uuid) -> Result<Chain, Error> {
    let Some(step) = due(worker_db, schema).await? else { return Ok(Chain::Idle) };
    if !claim(worker_db, schema, me).await? {
        return Ok(Chain::Idle);
    }
    let sealed: i64 = step.links.iter().map(|link| link.entries).sum();
    if !write(worker_db, schema, me, &step).await? {
        return Ok(Chain::Idle);
    }
    Ok(if sealed < ROWS { Chain::Sealed(sealed) } else { Chain::More(sealed) })
}

/// Links to be added, and the places before and after.
struct Step {
    from: (i64, i64),
    to: (i64, i64),
    links: Vec<Link>,
}

/// What is due, summed up on one snapshot.
async fn due(db: &Db, schema: &str) -> Result<Option<Step>, Error> {
    db.read("sum_audit_rows", &Scope::Worker, |tx| async move {
        let from = query(&tx, format!("select xid, seq from {schema}.audit_cursor"), Vec::new()).await?;
        let Some(from) = from.first() else { return Ok((tx, None)) };
        let from: (i64, i64) = (at(from, 0)?, at(from, 1)?);
        // The horizon is one value to the planner, so that rows come in the order of their index and end at the limit; a
        // join with it made it sort all that is due first.
        let sql = format!(
            "with horizon as materialized (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xid), \
             due as (select {OWNER} as owner, position_xid, position_seq, {BYTES} as bytes from {schema}.outbox \
                where (position_xid, position_seq) > ($1, $2) and position_xid < (select xid from horizon) \
                order by position_xid, position_seq limit {ROWS}), \
             summed as (select owner, count(*) as entries, max(array[position_xid, position_seq]) as last, \
                sha256(string_agg(bytes, ''::bytea order by position_xid, position_seq)) as digest \
                from due group by owner) \
             select s.owner, s.entries, s.digest, l.number, l.hash, l.until_xid, l.until_seq, horizon.xid, \
                (max(s.last) over ())[1], (max(s.last) over ())[2], statement_timestamp() \
             from summed s cross join horizon \
             left join lateral (select * from {schema}.audit_link l where l.owner = s.owner \
                order by l.number desc limit 1) l on true"
        );
        let rows = query(&tx, sql, vec![from.0.into(), from.1.into()]).await?;
        let Some(first) = rows.first() else { return Ok((tx, None)) };
        let sums = rows.iter().map(|row| at::<i64>(row, 1)).sum::<Result<i64, Error>>()?;
        // A short step has seen everything below the horizon.
        let to = if sums < ROWS { (at(first, 7)?, 0) } else { (at(first, 8)?, at(first, 9)?) };
        let links = rows.iter().map(|row| link_of(row, to)).collect::<Result<_, Error>>()?;
        Ok((tx, Some(Step { from, to, links })))
    })
    .await
}

fn link_of(row: &sea_orm::QueryResult, to: (i64, i64)) -> Result<Link, Error> {
    let before: Option<i64> = at(row, 3)?;
    let after = (at::<Option<i64>>(row, 5)?, at::<Option<i64>>(row, 6)?);
    Ok(Link {
        owner: at(row, 0)?,
        number: before.unwrap_or(0) + 1,
        after: (after.0.unwrap_or(0), after.1.unwrap_or(0)),
        until: to,
        entries: at(row, 1)?,
        digest: at(row, 2)?,
        prev_hash: at::<Option<Vec<u8>>>(row, 4)?.unwrap_or_else(|| NOTHING.to_vec()),
        chained_at: at(row, 10)?,
    })
}

/// Takes or keeps the claim.
async fn claim(db: &Db, schema: &str, me: Uuid) -> Result<bool, Error> {
    db.in_tx("claim_audit_chain", &Scope::Worker, |tx| async move {
        let sql = format!(
            "update {schema}.audit_cursor set claimed_by = $1, claimed_until = clock_timestamp() + {CLAIM} \
             where claimed_by = $1 or claimed_until < clock_timestamp() returning 1"
        );
        let claimed = !query(&tx, sql, vec![me.into()]).await?.is_empty();
        Ok((tx, claimed))
    })
    .await
}

/// Adds the links, unless somebody else has gone on from the same place.
async fn write(db: &Db, schema: &str, me: Uuid, step: &Step) -> Result<bool, Error> {
    db.in_tx("chain_audit_rows", &Scope::Worker, |tx| async move {
        let sql = format!(
            "update {schema}.audit_cursor set xid = $1, seq = $2 \
             where (xid, seq) = ($3, $4) and claimed_by = $5 returning 1"
        );
        let (from, to) = (step.from, step.to);
        let values = vec![to.0.into(), to.1.into(), from.0.into(), from.1.into(), me.into()];
        if query(&tx, sql, values).await?.is_empty() {
            return Ok((tx, false));
        }
        let sql = format!(
            "insert into {schema}.audit_link (owner, number, after_xid, after_seq, until_xid, until_seq, entries, \
                digest, prev_hash, hash, chained_at) \
             select n.*, $11 from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
                $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[], $10::bytea[]) as n"
        );
        let Some(at) = step.links.first().map(|link| link.chained_at) else { return Ok((tx, false)) };
        let numbers = |of: fn(&Link) -> i64| step.links.iter().map(of).collect::<Vec<i64>>();
        let values = vec![
            step.links.iter().map(|link| link.owner.clone()).collect::<Vec<_>>().into(),
            numbers(|link| link.number).into(),
            numbers(|link| link.after.0).into(),
            numbers(|link| link.after.1).into(),
            numbers(|link| link.until.0).into(),
            numbers(|link| link.until.1).into(),
            numbers(|link| link.entries).into(),
            step.links.iter().map(|link| link.digest.clone()).collect::<Vec<_>>().into(),
            step.links.iter().map(|link| link.prev_hash.clone()).collect::<Vec<_>>().into(),
            step.links.iter().map(|link| link.hash().to_vec()).collect::<Vec<_>>().into(),
            at.into(),
        ];
        query(&tx, sql, values).await?;
        Ok((tx, true))
    })
    .await
}
