//! Readings in their partitions, with their history. Many rows go in one statement, as arrays.
//!
//! COPY would be the fastest way in, but Postgres refuses it on tables with row level security; an INSERT from arrays
//! without ON CONFLICT comes close, and above a meter's last interval nothing can be in the way.

use std::collections::HashMap;

use kernel::{Error, Instant, MeterName, OperatorId, YearMonth};
use postgres::{store_error, violated_constraint};
use sea_orm::{ConnectionTrait, QueryResult, Value as SqlValue};
use serde::{Deserialize, Serialize};

use super::listing::{Page, Paged};
use super::rows::statement;
use crate::domain::meter::Progress;
use crate::domain::reading::{Kept, Known, Value};

/// A reading to be written.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The meter.
    pub meter: &'a str,
    /// Start of the interval.
    pub start: Instant,
    /// What it says.
    pub value: Value,
    /// The meter's batch with which it came.
    pub batch: i64,
}

/// A reading that joins the history.
#[derive(Clone, Debug)]
pub struct Superseded<'a> {
    /// The reading; its batch is looked up where it counted until now.
    pub row: Row<'a>,
    /// Whether it counted until now.
    pub counted: bool,
}

/// Makes the partitions of a month if they are not there.
///
/// # Errors
/// `RESOURCE_ARCHIVED` when the month was put away.
pub async fn open_month(conn: &impl ConnectionTrait, month: YearMonth) -> Result<(), Error> {
    let sql = "select billing.open_reading_month($1)";
    match conn.execute_raw(statement(sql, [month.first_day().into()])).await {
        Ok(_) => Ok(()),
        Err(error) if violated_constraint(&error) == Some("reading_month_put_away") => {
            Err(Error::archived("month of readings").with("month", month).with_source(error))
        }
        Err(error) => Err(store_error(error)),
    }
}

/// Locks meters until the transaction ends, in order of id, and tells how far each has been read.
pub async fn lock_meters(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    meters: &[String],
) -> Result<HashMap<String, Progress>, Error> {
    let sql = "select meter_id, last_start, batch_count from billing.meter \
               where operator_id = $1 and meter_id = any($2) order by meter_id for no key update";
    let values = [operator.as_str().into(), meters.to_vec().into()];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let last_start = row.try_get_by_index(1).map_err(store_error)?;
            let batch_count = row.try_get_by_index(2).map_err(store_error)?;
            let meter = row.try_get_by_index(0).map_err(store_error)?;
            Ok((meter, Progress { last_start, batch_count }))
        })
        .collect()
}

/// Writes how far meters have been read.
pub async fn advance(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    progress: &[(&str, Progress)],
) -> Result<(), Error> {
    let sql = "update billing.meter m set last_start = n.last_start, batch_count = n.batch_count \
               from unnest($2::text[], $3::timestamptz[], $4::bigint[]) as n(meter_id, last_start, batch_count) \
               where m.operator_id = $1 and m.meter_id = n.meter_id";
    let meters: Vec<String> = progress.iter().map(|(meter, _)| (*meter).to_owned()).collect();
    let last: Vec<Instant> = progress.iter().filter_map(|(_, progress)| progress.last_start).collect();
    let batches: Vec<i64> = progress.iter().map(|(_, progress)| progress.batch_count).collect();
    let values = [operator.as_str().into(), meters.into(), last.into(), batches.into()];
    conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(())
}

/// The columns of rows, as arrays.
fn columns(rows: &[Row<'_>]) -> [SqlValue; 6] {
    [
        rows.iter().map(|row| row.meter.to_owned()).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.start).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.value.energy_wh).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.value.revision).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.value.estimated).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.batch).collect::<Vec<_>>().into(),
    ]
}

fn with_columns(operator: &OperatorId, now: Instant, rows: &[Row<'_>]) -> Vec<SqlValue> {
    let mut values: Vec<SqlValue> = vec![operator.as_str().into(), now.into()];
    values.extend(columns(rows));
    values
}

/// Writes readings of intervals that have none.
pub async fn insert(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    now: Instant,
    rows: &[Row<'_>],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "insert into billing.reading (operator_id, receive_time, meter_id, start_time, energy_wh, revision, \
                      estimated, batch) \
               select $1, $2, n.* from unnest($3::text[], $4::timestamptz[], $5::bigint[], $6::integer[], \
                      $7::boolean[], $8::bigint[]) as n";
    conn.execute_raw(statement(sql, with_columns(operator, now, rows))).await.map_err(store_error)?;
    Ok(())
}

/// Lets readings say something else; what they said until now must be in the history already.
pub async fn correct(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    now: Instant,
    rows: &[Row<'_>],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "update billing.reading r set energy_wh = n.energy_wh, revision = n.revision, \
                      estimated = n.estimated, batch = n.batch, receive_time = $2 \
               from unnest($3::text[], $4::timestamptz[], $5::bigint[], $6::integer[], $7::boolean[], $8::bigint[]) \
                      as n(meter_id, start_time, energy_wh, revision, estimated, batch) \
               where r.operator_id = $1 and r.meter_id = n.meter_id and r.start_time = n.start_time \
                 and r.revision < n.revision";
    let done =
        conn.execute_raw(statement(sql, with_columns(operator, now, rows))).await.map_err(store_error)?;
    // Under the meter's lock nobody else can have raised a revision.
    if done.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// Writes readings into the history. Those that counted until now keep the batch and the time they came with.
pub async fn remember(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    now: Instant,
    superseded: &[Superseded<'_>],
) -> Result<(), Error> {
    if superseded.is_empty() {
        return Ok(());
    }
    let sql = "insert into billing.reading_history (operator_id, meter_id, start_time, revision, energy_wh, \
                      estimated, batch, receive_time, superseded_batch) \
               select $1, n.meter_id, n.start_time, n.revision, n.energy_wh, n.estimated, \
                      coalesce(r.batch, n.batch), coalesce(r.receive_time, $2), n.batch \
               from unnest($3::text[], $4::timestamptz[], $5::bigint[], $6::integer[], $7::boolean[], $8::bigint[], \
                      $9::boolean[]) as n(meter_id, start_time, energy_wh, revision, estimated, batch, counted) \
               left join billing.reading r on n.counted and r.operator_id = $1 and r.meter_id = n.meter_id \
                      and r.start_time = n.start_time";
    let rows: Vec<Row<'_>> = superseded.iter().map(|one| one.row.clone()).collect();
    let mut values = with_columns(operator, now, &rows);
    values.push(superseded.iter().map(|one| one.counted).collect::<Vec<_>>().into());
    conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(())
}

/// What is known of some intervals, by meter and start.
pub async fn known(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    intervals: &[(&str, Instant)],
) -> Result<HashMap<(String, Instant), Known>, Error> {
    if intervals.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "select r.meter_id, r.start_time, r.energy_wh, r.revision, r.estimated, true as counts \
               from unnest($2::text[], $3::timestamptz[]) as n(meter_id, start_time) \
               join billing.reading r on r.operator_id = $1 and r.meter_id = n.meter_id \
                    and r.start_time = n.start_time \
               union all \
               select h.meter_id, h.start_time, h.energy_wh, h.revision, h.estimated, false \
               from unnest($2::text[], $3::timestamptz[]) as n(meter_id, start_time) \
               join billing.reading_history h on h.operator_id = $1 and h.meter_id = n.meter_id \
                    and h.start_time = n.start_time";
    let meters: Vec<String> = intervals.iter().map(|(meter, _)| (*meter).to_owned()).collect();
    let starts: Vec<Instant> = intervals.iter().map(|(_, start)| *start).collect();
    let values = [operator.as_str().into(), meters.into(), starts.into()];
    let mut found: HashMap<(String, Instant), Known> = HashMap::new();
    for row in conn.query_all_raw(statement(sql, values)).await.map_err(store_error)? {
        let get = |at| row.try_get_by_index::<i64>(at).map_err(store_error);
        let value = Value {
            energy_wh: get(2)?,
            revision: row.try_get_by_index(3).map_err(store_error)?,
            estimated: row.try_get_by_index(4).map_err(store_error)?,
        };
        let key =
            (row.try_get_by_index(0).map_err(store_error)?, row.try_get_by_index(1).map_err(store_error)?);
        let known = found.entry(key).or_default();
        if row.try_get_by_index(5).map_err(store_error)? {
            known.current = Some(value);
        } else {
            known.older.push(value);
        }
    }
    Ok(found)
}

/// What counts of a meter's intervals that begin in a span of time, in order of time.
pub async fn between(
    conn: &impl ConnectionTrait,
    name: &MeterName,
    (from, until): (Instant, Instant),
) -> Result<Vec<(Instant, Value)>, Error> {
    let sql = "select start_time, energy_wh, revision, estimated from billing.reading \
               where operator_id = $1 and meter_id = $2 and start_time >= $3 and start_time < $4 order by start_time";
    let values = [name.operator.as_str().into(), name.meter.as_str().into(), from.into(), until.into()];
    values_of(&conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?)
}

/// What counted of them when the meter's batch was kept and none after it.
pub async fn as_of(
    conn: &impl ConnectionTrait,
    name: &MeterName,
    (from, until): (Instant, Instant),
    batch: i64,
) -> Result<Vec<(Instant, Value)>, Error> {
    let sql = "select start_time, energy_wh, revision, estimated from billing.reading \
               where operator_id = $1 and meter_id = $2 and start_time >= $3 and start_time < $4 and batch <= $5 \
               union all \
               select start_time, energy_wh, revision, estimated from billing.reading_history \
               where operator_id = $1 and meter_id = $2 and start_time >= $3 and start_time < $4 and batch <= $5 \
                 and superseded_batch > $5 \
               order by start_time";
    let values =
        [name.operator.as_str().into(), name.meter.as_str().into(), from.into(), until.into(), batch.into()];
    values_of(&conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?)
}

fn values_of(rows: &[QueryResult]) -> Result<Vec<(Instant, Value)>, Error> {
    rows.iter()
        .map(|row| {
            let value = Value {
                energy_wh: row.try_get_by_index(1).map_err(store_error)?,
                revision: row.try_get_by_index(2).map_err(store_error)?,
                estimated: row.try_get_by_index(3).map_err(store_error)?,
            };
            Ok((row.try_get_by_index(0).map_err(store_error)?, value))
        })
        .collect()
}

/// The first month of a span of time whose readings are put away.
pub async fn put_away(
    conn: &impl ConnectionTrait,
    (from, until): (Instant, Instant),
) -> Result<Option<YearMonth>, Error> {
    let sql =
        "select month from billing.put_away_month where month >= $1 and month < $2 order by month limit 1";
    let values = [YearMonth::of(from.date_naive()).first_day().into(), until.date_naive().into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    row.map(|row| Ok(YearMonth::of(row.try_get_by_index(0).map_err(store_error)?))).transpose()
}

/// Sort key of readings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadingKey(pub Instant, pub i32);

/// Readings of a meter in order of time, then revision.
pub async fn list(
    conn: &impl ConnectionTrait,
    name: &MeterName,
    (from, until): (Instant, Instant),
    include_superseded: bool,
    page: &Page<ReadingKey>,
) -> Result<Paged<Kept>, Error> {
    let sql = "select r.* from ( \
                   select start_time, energy_wh, revision, estimated, false, batch, receive_time \
                   from billing.reading where operator_id = $1 and meter_id = $2 and start_time >= $3 and start_time < $4 \
                   union all \
                   select start_time, energy_wh, revision, estimated, true, batch, receive_time \
                   from billing.reading_history where $5 and operator_id = $1 and meter_id = $2 \
                     and start_time >= $3 and start_time < $4) r \
               where r.start_time > $3 or r.revision > $6 order by r.start_time, r.revision limit $7";
    // The first page begins before any revision of the first interval.
    let (from, revision) =
        page.after.as_ref().map_or((from, -1), |ReadingKey(start, revision)| (*start, *revision));
    let values = [
        name.operator.as_str().into(),
        name.meter.as_str().into(),
        from.into(),
        until.into(),
        include_superseded.into(),
        revision.into(),
        i64::try_from(page.limit()).unwrap_or(i64::MAX).into(),
    ];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    let kept: Vec<Kept> = rows
        .iter()
        .map(|row| {
            Ok(Kept {
                start: row.try_get_by_index(0).map_err(store_error)?,
                value: Value {
                    energy_wh: row.try_get_by_index(1).map_err(store_error)?,
                    revision: row.try_get_by_index(2).map_err(store_error)?,
                    estimated: row.try_get_by_index(3).map_err(store_error)?,
                },
                superseded: row.try_get_by_index(4).map_err(store_error)?,
                batch: row.try_get_by_index(5).map_err(store_error)?,
                receive_time: row.try_get_by_index(6).map_err(store_error)?,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Paged::of(kept, page))
}
