//! Sums of readings by day.

use std::collections::{BTreeMap, HashMap};

use kernel::{CivilDate, DateRange, Error, Instant, MeterName, OperatorId};
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _,
    Set,
};

use super::ROWS_PER_INSERT;
use super::entity::usage_day;
use super::rows::statement;
use crate::domain::reading::DayRead;

/// A day of a meter, by the meter's id.
pub type MeterDay = (String, CivilDate);

/// What was read of these days so far.
pub async fn of_days(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    days: &[MeterDay],
) -> Result<HashMap<MeterDay, DayRead>, Error> {
    // Day by day, or the database may prefer to read all days there are.
    let sql = "select u.* from unnest($2::text[], $3::date[]) as n(meter_id, day), \
               lateral (select * from billing.usage_day u \
                    where u.operator_id = $1 and u.meter_id = n.meter_id and u.day = n.day limit 1) u";
    let meters: Vec<String> = days.iter().map(|(meter, _)| meter.clone()).collect();
    let dates: Vec<CivilDate> = days.iter().map(|(_, day)| *day).collect();
    let values = [operator.as_str().into(), meters.into(), dates.into()];
    let rows = usage_day::Entity::find().from_raw_sql(statement(sql, values)).all(conn).await;
    let rows = rows.map_err(store_error)?;
    Ok(rows.into_iter().map(|row| ((row.meter_id.clone(), row.day), read_of(row))).collect())
}

/// What was read of a meter's days.
pub async fn of_meter(
    conn: &impl ConnectionTrait,
    name: &MeterName,
    range: DateRange,
) -> Result<BTreeMap<CivilDate, DayRead>, Error> {
    use usage_day::Column as C;
    let rows = usage_day::Entity::find()
        .filter(C::OperatorId.eq(name.operator.as_str()))
        .filter(C::MeterId.eq(name.meter.as_str()))
        .filter(C::Day.gte(range.start()))
        .filter(C::Day.lt(range.end()))
        .order_by_asc(C::Day)
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(rows.into_iter().map(|row| (row.day, read_of(row))).collect())
}

#[derive(FromQueryResult)]
struct BatchRow {
    batch_count: i64,
    day: Option<CivilDate>,
    energy_wh: Option<i64>,
    reading_count: Option<i32>,
    estimated_wh: Option<i64>,
    estimated_count: Option<i32>,
    peaks_wh: Option<Vec<i64>>,
    peak_time: Option<Instant>,
}

/// What was read of a meter's days, and the meter's last batch by then: one statement, so that they belong together.
pub async fn with_batch(
    conn: &impl ConnectionTrait,
    name: &MeterName,
    range: DateRange,
) -> Result<(i64, BTreeMap<CivilDate, DayRead>), Error> {
    let sql = "select m.batch_count, u.day, u.energy_wh, u.reading_count, u.estimated_wh, u.estimated_count, u.peaks_wh, \
                      u.peak_time \
               from billing.meter m left join billing.usage_day u on u.operator_id = m.operator_id \
                    and u.meter_id = m.meter_id and u.day >= $3 and u.day < $4 \
               where m.operator_id = $1 and m.meter_id = $2";
    let values =
        [name.operator.as_str().into(), name.meter.as_str().into(), range.start().into(), range.end().into()];
    let rows = BatchRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let batch = rows.first().map_or(0, |row| row.batch_count);
    let read = |row: BatchRow| {
        let read = DayRead {
            energy_wh: row.energy_wh?,
            reading_count: row.reading_count?,
            estimated_wh: row.estimated_wh?,
            estimated_count: row.estimated_count?,
            peaks_wh: row.peaks_wh?,
            peak_time: row.peak_time?,
        };
        Some((row.day?, read))
    };
    Ok((batch, rows.into_iter().filter_map(read).collect()))
}

/// Writes sums of days, whether or not there were any.
pub async fn put(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    days: &[(MeterDay, DayRead)],
) -> Result<(), Error> {
    use usage_day::Column as C;
    for chunk in days.chunks(ROWS_PER_INSERT) {
        let rows = chunk.iter().map(|((meter, day), read)| usage_day::ActiveModel {
            operator_id: Set(operator.to_string()),
            meter_id: Set(meter.clone()),
            day: Set(*day),
            energy_wh: Set(read.energy_wh),
            reading_count: Set(read.reading_count),
            estimated_wh: Set(read.estimated_wh),
            estimated_count: Set(read.estimated_count),
            peaks_wh: Set(read.peaks_wh.clone()),
            peak_time: Set(read.peak_time),
        });
        let sums = [C::EnergyWh, C::ReadingCount, C::EstimatedWh, C::EstimatedCount, C::PeaksWh, C::PeakTime];
        usage_day::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([C::OperatorId, C::MeterId, C::Day]).update_columns(sums).to_owned(),
            )
            .exec_without_returning(conn)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

fn read_of(row: usage_day::Model) -> DayRead {
    DayRead {
        energy_wh: row.energy_wh,
        reading_count: row.reading_count,
        estimated_wh: row.estimated_wh,
        estimated_count: row.estimated_count,
        peaks_wh: row.peaks_wh,
        peak_time: row.peak_time,
    }
}
