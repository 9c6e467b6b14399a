//! Charging plans.

use std::collections::BTreeMap;

use kernel::{ChargingPlanId, ChargingPlanName, Error, LeaseId, MeterId, OperatorId, Scope};
use postgres::page::after_last;
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, NotSet, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};
use serde::{Deserialize, Serialize};

use super::entity::charging_plan;
use super::lease::LeaseSpan;
use super::listing::{Page, Paged, Sight};
use super::rows::{broken, parse, statement};
use crate::domain::lease::BlockRef;
use crate::domain::plan::{ChargingPlan, PlanFacts, PlanFilter};

/// Writes a new plan; `false` if its name is taken.
pub async fn insert(conn: &impl ConnectionTrait, plan: &ChargingPlan) -> Result<bool, Error> {
    let facts = &plan.facts;
    let json = |value: Result<serde_json::Value, serde_json::Error>| value.map_err(Error::internal);
    let usage = facts.usage.as_ref().map(serde_json::to_value);
    let service_level = facts.service_level.as_ref().map(serde_json::to_value);
    let row = charging_plan::ActiveModel {
        operator_id: Set(plan.operator.to_string()),
        plan_id: Set(plan.id.to_string()),
        lease_id: Set(facts.lease.to_string()),
        site_id: Set(facts.place.site.to_string()),
        block_id: Set(facts.place.block.to_string()),
        from_date: Set(facts.from),
        until_date: Set(facts.until),
        time_zone: Set(facts.zone.to_string()),
        usage: Set(usage.map(json).transpose()?),
        service_level: Set(service_level.map(json).transpose()?),
        create_time: Set(plan.create_time),
        create_order: NotSet,
    };
    let inserted = charging_plan::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(store_error)?;
    Ok(inserted == 1)
}

/// One plan, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &ChargingPlanName,
) -> Result<Option<ChargingPlan>, Error> {
    use charging_plan::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let row = charging_plan::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(C::PlanId.eq(name.charging_plan.as_str()))
        .one(conn)
        .await
        .map_err(store_error)?;
    row.as_ref().map(plan_of).transpose()
}

/// Plans of blocks, in order of first day, then of creation.
pub type BlockPlans = BTreeMap<(LeaseId, BlockRef), Vec<ChargingPlan>>;

/// Every plan of an operator's leases of a span.
pub async fn by_block(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (first, last): LeaseSpan<'_>,
) -> Result<BlockPlans, Error> {
    use charging_plan::Column as C;
    let rows = charging_plan::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::LeaseId.between(first.as_str(), last.as_str()))
        .order_by_asc(C::FromDate)
        .order_by_asc(C::CreateOrder)
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut plans = BlockPlans::new();
    for row in &rows {
        let plan = plan_of(row)?;
        plans.entry((plan.facts.lease.clone(), plan.facts.place.clone())).or_default().push(plan);
    }
    Ok(plans)
}

/// The leases with a plan by whose meter a utility charges, in order.
pub async fn leases_of_supply(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    meter: &MeterId,
) -> Result<Vec<LeaseId>, Error> {
    let sql = "select distinct lease_id from billing.charging_plan \
               where operator_id = $1 and coalesce(usage->'facility'->>'meter', usage->>'meter') = $2 order by lease_id";
    let values = [operator.as_str().into(), meter.as_str().into()];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    rows.iter()
        .map(|row| parse("lease_id", &row.try_get_by_index::<String>(0).map_err(store_error)?))
        .collect()
}

/// Sort key of plans: their name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanKey(pub OperatorId, pub ChargingPlanId);

/// Plans in order of name.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    filter: &PlanFilter,
    page: &Page<PlanKey>,
) -> Result<Paged<ChargingPlan>, Error> {
    use charging_plan::Column as C;
    let after = page.after.as_ref().map(|PlanKey(operator, id)| {
        let of = operator.as_str();
        after_last(C::OperatorId.gt(of), C::OperatorId.eq(of), C::PlanId.gt(id.as_str()))
    });
    let lease = filter.lease.as_ref();
    let rows = charging_plan::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(
            Condition::all()
                .add_option(lease.map(|(operator, _)| C::OperatorId.eq(operator.as_str())))
                .add_option(lease.map(|(_, lease)| C::LeaseId.eq(lease.as_str())))
                .add_option(after),
        )
        .order_by_asc(C::OperatorId)
        .order_by_asc(C::PlanId)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    let rows = paged.rows.iter().map(plan_of).collect::<Result<_, _>>()?;
    Ok(Paged { rows, more: paged.more })
}

fn plan_of(row: &charging_plan::Model) -> Result<ChargingPlan, Error> {
    let usage = row.usage.clone().map(serde_json::from_value).transpose();
    let service_level = row.service_level.clone().map(serde_json::from_value).transpose();
    Ok(ChargingPlan {
        operator: parse("operator_id", &row.operator_id)?,
        id: parse("plan_id", &row.plan_id)?,
        facts: PlanFacts {
            lease: parse("lease_id", &row.lease_id)?,
            place: BlockRef {
                site: parse("site_id", &row.site_id)?,
                block: parse("block_id", &row.block_id)?,
            },
            from: row.from_date,
            until: row.until_date,
            zone: parse("time_zone", &row.time_zone)?,
            usage: usage.map_err(|error| broken("usage", error))?,
            service_level: service_level.map_err(|error| broken("service_level", error))?,
        },
        create_time: row.create_time,
    })
}
