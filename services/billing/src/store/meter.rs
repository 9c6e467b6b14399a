//! Meters.

use kernel::{Error, MeterId, MeterName, OperatorId, Scope};
use postgres::page::after_last;
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use serde::{Deserialize, Serialize};

use super::entity::meter;
use super::listing::{Page, Paged, Sight};
use super::rows::{broken, parse};
use crate::domain::meter::{IntervalLength, Meter, MeterFacts, MeterFilter, Progress};

/// Writes a new meter; `false` if its name is taken.
pub async fn insert(conn: &impl ConnectionTrait, meter: &Meter) -> Result<bool, Error> {
    let facts = &meter.facts;
    let row = meter::ActiveModel {
        operator_id: Set(meter.operator.to_string()),
        meter_id: Set(meter.id.to_string()),
        display_name: Set(facts.display_name.clone()),
        kind: Set(facts.kind.as_str().to_owned()),
        site_id: Set(facts.site.to_string()),
        block_id: Set(facts.block.as_ref().map(ToString::to_string)),
        tenant_id: Set(facts.tenant.as_ref().map(ToString::to_string)),
        time_zone: Set(facts.zone.to_string()),
        interval_minutes: Set(facts.interval.minutes()),
        max_kw: Set(facts.max_kw),
        assumed_kw: Set(facts.assumed_kw),
        install_date: Set(facts.install_date),
        last_start: Set(meter.progress.last_start),
        batch_count: Set(meter.progress.batch_count),
        create_time: Set(meter.create_time),
    };
    let inserted = meter::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(store_error)?;
    Ok(inserted == 1)
}

/// One meter, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &MeterName,
) -> Result<Option<Meter>, Error> {
    use meter::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let row = meter::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::MeterId.eq(name.meter.as_str()))
        .one(conn)
        .await
        .map_err(store_error)?;
    row.as_ref().map(meter_of).transpose()
}

/// Those of these meters of an operator that there are.
pub async fn of_ids(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    ids: &[MeterId],
) -> Result<Vec<Meter>, Error> {
    use meter::Column as C;
    let rows = meter::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::MeterId.is_in(ids.iter().map(MeterId::as_str)))
        .all(conn)
        .await
        .map_err(store_error)?;
    rows.iter().map(meter_of).collect()
}

/// Sort key of meters: their name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeterKey(pub OperatorId, pub MeterId);

/// Meters in order of name.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    filter: &MeterFilter,
    page: &Page<MeterKey>,
) -> Result<Paged<Meter>, Error> {
    use meter::Column as C;
    let after = page.after.as_ref().map(|MeterKey(operator, id)| {
        let of = operator.as_str();
        after_last(C::OperatorId.gt(of), C::OperatorId.eq(of), C::MeterId.gt(id.as_str()))
    });
    let site = filter.site.as_ref();
    let rows = meter::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(
            Condition::all()
                .add_option(site.map(|(operator, _)| C::OperatorId.eq(operator.as_str())))
                .add_option(site.map(|(_, site)| C::SiteId.eq(site.as_str())))
                .add_option(filter.tenant.as_ref().map(|tenant| C::TenantId.eq(tenant.as_str())))
                .add_option(after),
        )
        .order_by_asc(C::OperatorId)
        .order_by_asc(C::MeterId)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    let rows = paged.rows.iter().map(meter_of).collect::<Result<_, _>>()?;
    Ok(Paged { rows, more: paged.more })
}

fn meter_of(row: &meter::Model) -> Result<Meter, Error> {
    let interval = IntervalLength::of_minutes(row.interval_minutes);
    let facts = MeterFacts {
        display_name: row.display_name.clone(),
        kind: parse("kind", &row.kind)?,
        site: parse("site_id", &row.site_id)?,
        block: row.block_id.as_deref().map(|id| parse("block_id", id)).transpose()?,
        tenant: row.tenant_id.as_deref().map(|id| parse("tenant_id", id)).transpose()?,
        zone: parse("time_zone", &row.time_zone)?,
        interval: interval.ok_or_else(|| broken("interval_minutes", row.interval_minutes))?,
        max_kw: row.max_kw,
        assumed_kw: row.assumed_kw,
        install_date: row.install_date,
    };
    Ok(Meter {
        operator: parse("operator_id", &row.operator_id)?,
        id: parse("meter_id", &row.meter_id)?,
        facts,
        progress: Progress { last_start: row.last_start, batch_count: row.batch_count },
        create_time: row.create_time,
    })
}
