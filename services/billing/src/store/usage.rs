//! Sums of readings by day.

use std::collections::{BTreeMap, HashMap};

use kernel::{CivilDate, DateRange, Error, MeterName, OperatorId};
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};

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
    let sql = "select u.* from unnest($2::text[], $3::date[]) as n(meter_id, day) \
               join billing.usage_day u on u.operator_id = $1 and u.meter_id = n.meter_id and u.day = n.day";
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
