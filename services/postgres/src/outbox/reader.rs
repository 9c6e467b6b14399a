//! Reading a feed: below the horizon, in order of position, within a scope.

use kernel::{Error, Instant, Scope};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::Cursor;
use crate::{Db, store_error};

/// An event as it lies in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its position: a reader that has taken this event goes on after it.
    pub cursor: Cursor,
    /// Its id; consumers that must survive a restored feed dedupe by it.
    pub event_id: Uuid,
    /// The operator's slug, or [`super::NO_OPERATOR`].
    pub operator: String,
    /// Slug of the tenant that may read it too.
    pub tenant: Option<String>,
    /// Kind, such as `lease.effective`.
    pub kind: String,
    /// Resource name of what it is about.
    pub subject: String,
    /// When the change happened.
    pub occurred_at: Instant,
    /// The payload given to `append`.
    pub payload: Vec<u8>,
}

/// What one read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// At most `limit` events, oldest first.
    pub events: Vec<StoredEvent>,
    /// Where to go on. It moves past events that the scope or the filter hides, so a heartbeat may carry it.
    pub cursor: Cursor,
    /// The first transaction id that was not given out yet when this was read. Once a cursor has come so far, everything
    /// that was committed before this was read has been read.
    pub frontier: Frontier,
}

/// How far a reader must come to have read everything that was committed when it was told this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier(i64);

impl Frontier {
    /// Whether a cursor has come so far.
    #[must_use]
    pub fn is_reached_by(self, cursor: &Cursor) -> bool {
        self.0 <= cursor.xid
    }
}

/// Events after `cursor` (`None`: from the beginning), of these kinds (none named: all), that `scope` may see.
///
/// # Errors
/// `INVALID_FIELD` of `after_cursor` when the cursor is of another epoch of the feed.
pub async fn read_after(
    db: &Db,
    schema: &'static str,
    scope: &Scope,
    cursor: Option<Cursor>,
    kinds: &[String],
    limit: u32,
) -> Result<Batch, Error> {
    db.read("read_feed", scope, |tx| async move {
        let batch = read_in(tx.conn(), schema, scope, cursor, kinds, limit).await?;
        Ok((tx, batch))
    })
    .await
}

/// The cursor before the first event.
pub async fn start(db: &Db, schema: &'static str) -> Result<Cursor, Error> {
    db.read("feed_start", &Scope::Market, |tx| async move {
        let cursor = Cursor { epoch: epoch(tx.conn(), schema).await?, xid: 0, seq: 0 };
        Ok((tx, cursor))
    })
    .await
}

/// The cursor after everything that is settled now: what a reader takes who wants only what comes.
pub async fn tail(db: &Db, schema: &'static str) -> Result<Cursor, Error> {
    db.read("feed_tail", &Scope::Market, |tx| async move {
        let sql = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        let row = tx
            .conn()
            .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await
            .map_err(store_error)?
            .ok_or_else(|| Error::internal(std::io::Error::other("no snapshot")))?;
        let xid = row.try_get_by_index(0).map_err(store_error)?;
        let cursor = Cursor { epoch: epoch(tx.conn(), schema).await?, xid, seq: 0 };
        Ok((tx, cursor))
    })
    .await
}

pub(super) async fn one(conn: &impl ConnectionTrait, statement: Statement) -> Result<QueryResult, Error> {
    let row = conn.query_one_raw(statement).await.map_err(store_error)?;
    row.ok_or_else(|| Error::internal(std::io::Error::other("no row")))
}

pub(super) async fn epoch(conn: &impl ConnectionTrait, schema: &str) -> Result<Uuid, Error> {
    let sql = format!("select epoch from {schema}.feed");
    let row = conn
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .map_err(store_error)?
        .ok_or_else(|| Error::internal(std::io::Error::other("the feed has no epoch")))?;
    row.try_get_by_index(0).map_err(store_error)
}

async fn read_in(
    conn: &impl ConnectionTrait,
    schema: &str,
    scope: &Scope,
    cursor: Option<Cursor>,
    kinds: &[String],
    limit: u32,
) -> Result<Batch, Error> {
    let epoch = epoch(conn, schema).await?;
    if cursor.is_some_and(|c| c.epoch != epoch) {
        return Err(Cursor::refused("is of an earlier life of this feed; start again without a cursor"));
    }
    let after = cursor.unwrap_or(Cursor { epoch, xid: 0, seq: 0 });
    let rows =
        conn.query_all_raw(statement(schema, scope, after, kinds, limit)).await.map_err(store_error)?;
    let mut events = Vec::with_capacity(rows.len());
    let (mut horizon, mut frontier) = (after.xid, i64::MAX);
    for row in rows {
        horizon = row.try_get_by_index(0).map_err(store_error)?;
        frontier = row.try_get_by_index(10).map_err(store_error)?;
        if let Some(event) = event_of(&row, epoch)? {
            events.push(event);
        }
    }
    // A full batch goes on after its last event. A short one has seen everything below the horizon: sequences begin
    // at 1, so (horizon, 0) lies after all of it and before the first row of the oldest running transaction.
    let full = u32::try_from(events.len()).is_ok_and(|n| n >= limit);
    let cursor = match events.last() {
        Some(last) if full => last.cursor,
        _ if horizon > after.xid => Cursor { epoch, xid: horizon, seq: 0 },
        _ => after,
    };
    Ok(Batch { events, cursor, frontier: Frontier(frontier) })
}

/// One statement, so that horizon and rows come from one snapshot. The scope is written out beside the row security
/// policy so that the index of that scope is used.
fn statement(schema: &str, scope: &Scope, after: Cursor, kinds: &[String], limit: u32) -> Statement {
    let mut values: Vec<Value> = vec![after.xid.into(), after.seq.into(), i64::from(limit).into()];
    let mut filter = String::new();
    match scope {
        Scope::Operator(id) => {
            values.push(id.to_string().into());
            filter.push_str(" and operator_id = $4");
        }
        Scope::Tenant(id) => {
            values.push(id.to_string().into());
            filter.push_str(" and audience_tenant = $4");
        }
        Scope::Market | Scope::Worker => {}
    }
    if !kinds.is_empty() {
        values.push(serde_json::json!(kinds).into());
        let place = values.len();
        filter.push_str(&format!(
            " and kind in (select jsonb_array_elements_text(${place}::jsonb) collate \"C\")"
        ));
    }
    let sql = format!(
        "with horizon as materialized (select pg_snapshot_xmin(s)::text::bigint as xid, \
                pg_snapshot_xmax(s)::text::bigint as frontier from (select pg_current_snapshot() as s) as now) \
         select horizon.xid, e.position_xid, e.position_seq, e.event_id, e.operator_id, e.audience_tenant, e.kind, \
                e.subject, e.occurred_at, e.payload, horizon.frontier \
         from horizon left join lateral ( \
            select * from {schema}.outbox \
            where (position_xid, position_seq) > ($1, $2) and position_xid < horizon.xid \
               and kind not like 'audit.%'{filter} \
            order by position_xid, position_seq limit $3 \
         ) e on true order by e.position_xid, e.position_seq"
    );
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

fn event_of(row: &QueryResult, epoch: Uuid) -> Result<Option<StoredEvent>, Error> {
    let xid: Option<i64> = row.try_get_by_index(1).map_err(store_error)?;
    let Some(xid) = xid else { return Ok(None) };
    let seq = row.try_get_by_index(2).map_err(store_error)?;
    Ok(Some(StoredEvent {
        cursor: Cursor { epoch, xid, seq },
        event_id: row.try_get_by_index(3).map_err(store_error)?,
        operator: row.try_get_by_index(4).map_err(store_error)?,
        tenant: row.try_get_by_index(5).map_err(store_error)?,
        kind: row.try_get_by_index(6).map_err(store_error)?,
        subject: row.try_get_by_index(7).map_err(store_error)?,
        occurred_at: row.try_get_by_index(8).map_err(store_error)?,
        payload: row.try_get_by_index(9).map_err(store_error)?,
    }))
}
