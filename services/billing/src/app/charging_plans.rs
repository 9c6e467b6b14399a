//! Creates charging plans, and reads them.

use kernel::{
    Caller, ChargingPlanId, ChargingPlanName, Error, LeaseName, MeterName, OperatorId, Scope, TariffName,
    Uuid, Violations,
};
use postgres::{Answer, RequestKey, Tx, idempotency};
use serde::Serialize;
use tracing::info;

use super::reckon::Supplies;
use super::{App, ListRequest, Listed, rpc, sight};
use crate::domain::lease::LeaseCopy;
use crate::domain::meter::{Meter, MeterKind};
use crate::domain::plan::{ChargingPlan, PlanFacts, PlanFilter, UsageRule};
use crate::store::plan::PlanKey;
use crate::store::{SCHEMA, lease, plan};

/// Creates a charging plan.
#[derive(Clone, Debug, Serialize)]
pub struct CreateChargingPlan {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: ChargingPlanId,
    /// What it says.
    pub facts: PlanFacts,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists charging plans.
#[derive(Clone, Debug)]
pub struct ListChargingPlans {
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: PlanFilter,
}

impl App {
    /// Creates a charging plan.
    pub async fn create_charging_plan(
        &self,
        caller: &Caller,
        command: CreateChargingPlan,
    ) -> Result<Answer<ChargingPlan>, Error> {
        let scope = &Self::own_operator(caller, &command.operator)?;
        let owner = format!("operators/{}", command.operator);
        let key = &RequestKey::new(owner, caller, rpc::CREATE_PLAN, command.request_id, &command)?;
        let new = &ChargingPlan {
            operator: command.operator,
            id: command.id,
            facts: command.facts,
            create_time: self.now(),
        };
        if command.validate_only {
            return self
                .db
                .read("check_create_charging_plan", scope, |tx| async move {
                    if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                        return Ok((tx, Answer::Replayed(reply)));
                    }
                    fits(&tx, scope, new).await?;
                    let name = ChargingPlanName::new(new.operator.clone(), new.id.clone());
                    match plan::find(tx.conn(), scope, &name).await? {
                        Some(_) => Err(Error::name_taken("charging plan")),
                        None => Ok((tx, Answer::Fresh(new.clone()))),
                    }
                })
                .await;
        }
        let answer = self
            .db
            .in_tx("create_charging_plan", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                fits(&tx, scope, new).await?;
                if !plan::insert(tx.conn(), new).await? {
                    return Err(Error::name_taken("charging plan"));
                }
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.plan_created)(new)).await?;
                Ok((tx, Answer::Fresh(new.clone())))
            })
            .await;
        let answer = idempotency::or_answered_before(&self.db, SCHEMA, scope, key, answer).await?;
        if let Answer::Fresh(new) = &answer {
            info!(operator = %new.operator, plan = %new.id, lease = %new.facts.lease, "charging plan created");
        }
        Ok(answer)
    }

    /// One charging plan.
    pub async fn get_charging_plan(
        &self,
        caller: &Caller,
        name: &ChargingPlanName,
    ) -> Result<ChargingPlan, Error> {
        let gone = || Error::not_found("charging plan");
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_charging_plan", scope, |tx| async move {
                let found = plan::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Charging plans in order of name.
    pub async fn list_charging_plans(
        &self,
        caller: &Caller,
        command: ListChargingPlans,
    ) -> Result<Listed<ChargingPlan>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |plan: &ChargingPlan| PlanKey(plan.operator.clone(), plan.id.clone());
        let what = ("list_charging_plans", rpc::LIST_PLANS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = plan::list(tx.conn(), &sight, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}

/// Whether what a plan names is there and goes together, all that does not told at once.
async fn fits(tx: &Tx, scope: &Scope, new: &ChargingPlan) -> Result<(), Error> {
    let (operator, facts) = (&new.operator, &new.facts);
    let name = LeaseName::new(operator.clone(), facts.lease.clone());
    let lease = lease::find(tx.conn(), scope, &name).await?.ok_or_else(|| Error::not_found("lease"))?;
    let mut v = Violations::new();
    let leased = lease.terms.premises.iter().any(|premises| premises.place == facts.place);
    v.require("charging_plan.block", leased, "must be a block of the lease");
    if let Some(rule) = &facts.usage {
        let supplies = Supplies::of(tx, operator, std::iter::once(rule)).await?;
        v.nested("charging_plan.usage", |v| usage_fits(v, &supplies, new, rule, &lease))?;
    }
    v.finish()
}

fn usage_fits(
    v: &mut Violations,
    supplies: &Supplies,
    new: &ChargingPlan,
    rule: &UsageRule,
    lease: &LeaseCopy,
) -> Result<(), Error> {
    let zone = new.facts.zone;
    let tariff = supplies.tariffs.get(&rule.tariff).ok_or_else(|| Error::not_found("tariff"))?;
    let name = TariffName::new(new.operator.clone(), rule.tariff.clone());
    if tariff.facts.zone != zone {
        v.add(
            "tariff",
            format!("must be in the plan's time zone, {zone}; {name} is in {}", tariff.facts.zone),
        );
    }
    if tariff.facts.currency != lease.terms.currency {
        let (wanted, is) = (lease.terms.currency, tariff.facts.currency);
        v.add("tariff", format!("must be in the lease's currency, {wanted}; {name} is in {is}"));
    }
    let mut length = None;
    for id in rule.meters() {
        let meter = supplies.meters.get(id).ok_or_else(|| Error::not_found("meter"))?;
        let name = MeterName::new(new.operator.clone(), id.clone());
        let field = if *id == rule.meter { "meter" } else { "facility_meter" };
        if meter.facts.zone != zone {
            v.add(
                field,
                format!("must be in the plan's time zone, {zone}; {name} is in {}", meter.facts.zone),
            );
        }
        let of_site = meter.facts.site == new.facts.place.site;
        v.require(field, of_site, "and all who share it must be meters of the block's site");
        let is_facility = rule.facility.as_ref().is_some_and(|facility| facility.meter == *id);
        if rule.compares_intervals() && !is_facility {
            let same = *length.get_or_insert(meter.facts.interval) == meter.facts.interval;
            v.require("sharers", same, "must have meters of one interval length where loads are compared");
        }
    }
    if let Some(meter) = supplies.meters.get(&rule.meter) {
        v.require(
            "meter",
            is_of(meter, new, lease),
            "must be a meter of the block and, if a tenant's, of the lease's",
        );
    }
    Ok(())
}

fn is_of(meter: &Meter, new: &ChargingPlan, lease: &LeaseCopy) -> bool {
    let of_block = meter.facts.block.as_ref() == Some(&new.facts.place.block);
    match meter.facts.kind {
        MeterKind::Block => of_block,
        MeterKind::Tenant => of_block && meter.facts.tenant.as_ref() == Some(&lease.tenant),
        MeterKind::Utility => false,
    }
}
