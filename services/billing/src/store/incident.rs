//! Outages as inventory told them.

use kernel::{Error, IncidentId, Instant, OperatorId};
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
};

use super::entity::incident;
use super::rows::{broken, parse};
use crate::domain::incident::{IncidentCopy, IncidentState};
use crate::domain::service_level::Outage;

/// Keeps what an event told.
pub async fn keep(conn: &impl ConnectionTrait, told: &IncidentCopy) -> Result<(), Error> {
    use incident::Column as C;
    let row = incident::ActiveModel {
        operator_id: Set(told.operator.to_string()),
        incident_id: Set(told.id.get()),
        site_id: Set(told.site.to_string()),
        block_id: Set(told.block.as_ref().map(ToString::to_string)),
        kind: Set(told.kind.as_str().to_owned()),
        state: Set(told.state.as_str().to_owned()),
        start_time: Set(told.start),
        end_time: Set(told.end),
        measured_minutes: Set(told.measured_minutes),
        all_feeds_down: Set(told.all_feeds_down),
        temperature_max_decicelsius: Set(told.temperature_max),
        update_time: Set(told.update_time),
    };
    let changes = [
        C::State,
        C::StartTime,
        C::EndTime,
        C::MeasuredMinutes,
        C::AllFeedsDown,
        C::TemperatureMaxDecicelsius,
        C::UpdateTime,
    ];
    incident::Entity::insert(row)
        .on_conflict(OnConflict::columns([C::OperatorId, C::IncidentId]).update_columns(changes).to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// An outage with where it was.
pub type PlacedOutage = (kernel::SiteId, Option<kernel::BlockSlug>, Outage);

/// Outages of an operator that are over, stood by, and began in a span of time, in order of start.
pub async fn resolved(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (from, until): (Instant, Instant),
) -> Result<Vec<PlacedOutage>, Error> {
    use incident::Column as C;
    let rows = incident::Entity::find()
        .filter(
            Condition::all()
                .add(C::OperatorId.eq(operator.as_str()))
                .add(C::State.eq(IncidentState::Resolved.as_str()))
                .add(C::StartTime.gte(from))
                .add(C::StartTime.lt(until)),
        )
        .order_by_asc(C::StartTime)
        .order_by_asc(C::IncidentId)
        .all(conn)
        .await
        .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let outage = Outage {
                incident: IncidentId::new(row.incident_id),
                kind: parse("kind", &row.kind)?,
                start: row.start_time,
                end: row.end_time.ok_or_else(|| broken("end_time", "is missing"))?,
                measured_minutes: row.measured_minutes.map(i64::from),
                all_feeds_down: row.all_feeds_down,
                temperature_max: row.temperature_max_decicelsius,
            };
            let block = row.block_id.as_deref().map(|id| parse("block_id", id)).transpose()?;
            Ok((parse("site_id", &row.site_id)?, block, outage))
        })
        .collect()
}
