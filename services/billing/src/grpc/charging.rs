//! Charging plans to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{
    BlockName, ChargingPlanId, ChargingPlanName, Error, LeaseName, MeterId, MeterName, OperatorId,
    OperatorName, OperatorParent, TariffName, Violations, Zone,
};
use runtime::wire::{
    date, optional_date, optional_known, optional_rate, request_id, to_date, to_decimal, to_timestamp,
};

use super::lists::{Maybe, list_request};
use super::service_level;
use crate::app::{CreateChargingPlan, ListChargingPlans, Listed};
use crate::domain::lease::BlockRef;
use crate::domain::plan::{
    Allocation, ChargingPlan, EstimatePolicy, Facility, MONTHS_BACK, PlanFacts, PlanFilter, Sharer, UsageRule,
};

const SHARERS_MAX: usize = 100;
const KW_MAX: i64 = 100_000_000;
const CORRECTED_LEAST: i32 = 12;

pub(super) fn name(text: &str) -> Result<ChargingPlanName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<ChargingPlanName>);
    v.build(|| name)
}

pub(super) fn create(request: &wire::CreateChargingPlanRequest) -> Result<CreateChargingPlan, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let id = v.parse("charging_plan_id", &request.charging_plan_id, str::parse::<ChargingPlanId>);
    let operator = parent.map(|parent| parent.operator);
    let plan = v.present("charging_plan", request.charging_plan.as_ref());
    let facts = plan.and_then(|plan| v.nested("charging_plan", |v| facts(v, plan, operator.as_ref())));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateChargingPlan {
            operator: operator?,
            id: id?,
            facts: facts?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn facts(v: &mut Violations, plan: &wire::ChargingPlan, operator: Option<&OperatorId>) -> Option<PlanFacts> {
    let own = |v: &mut Violations, field: &str, of: &OperatorId| {
        v.require(field, operator.is_none_or(|own| own == of), "must be the parent's")
    };
    let lease = v.parse("lease", &plan.lease, str::parse::<LeaseName>);
    let lease = lease.filter(|lease| own(v, "lease", &lease.operator));
    let block = v.parse("block", &plan.block, str::parse::<BlockName>);
    let block = block.filter(|block| own(v, "block", &block.operator));
    let from = date(v, "from_date", plan.from_date.as_ref());
    let until = optional_date(v, "until_date", plan.until_date.as_ref());
    let ends = until.flatten().zip(from).is_none_or(|(until, from)| until > from);
    v.require("until_date", ends, "must be after from_date");
    let zone = v.parse("time_zone", &plan.time_zone, str::parse::<Zone>);
    let says = plan.usage.is_some() || plan.service_level.is_some();
    v.require("usage", says, "is required unless service_level is given");
    let usage = match &plan.usage {
        None => Some(None),
        Some(rule) => v.nested("usage", |v| usage(v, rule, operator)).map(Some),
    };
    let service_level = match &plan.service_level {
        None => Some(None),
        Some(level) => v.nested("service_level", |v| service_level::read(v, level)).map(Some),
    };
    let block = block?;
    Some(PlanFacts {
        lease: lease?.lease,
        place: BlockRef { site: block.site, block: block.block },
        from: from?,
        until: until?,
        zone: zone?,
        usage: usage?,
        service_level: service_level?,
    })
}

fn usage(v: &mut Violations, rule: &wire::UsageRule, operator: Option<&OperatorId>) -> Option<UsageRule> {
    let tariff = v.parse("tariff", &rule.tariff, str::parse::<TariffName>);
    let tariff = tariff.filter(|tariff| {
        let own = operator.is_none_or(|own| *own == tariff.operator);
        v.require("tariff", own, "must be the parent's")
    });
    let own_meter = meter(v, "meter", &rule.meter, operator);
    let estimates = optional_known::<wire::EstimatePolicy>(v, "estimates", rule.estimates);
    kw(v, "coincident_kw", rule.coincident_kw);
    let correction_months = correction_months(v, rule.correction_months);
    let facility = facility(v, rule, own_meter.as_ref(), operator);
    Some(UsageRule {
        tariff: tariff?.tariff,
        meter: own_meter?,
        facility: facility?,
        estimates: match estimates? {
            Some(wire::EstimatePolicy::Wait) => EstimatePolicy::Wait,
            _ => EstimatePolicy::Bill,
        },
        coincident_kw: rule.coincident_kw,
        correction_months: correction_months?,
    })
}

fn correction_months(v: &mut Violations, months: i32) -> Option<i32> {
    match months {
        0 => Some(MONTHS_BACK),
        CORRECTED_LEAST..=MONTHS_BACK => Some(months),
        _ => {
            v.add("correction_months", "must be from 12 to 24 months, or 0");
            None
        }
    }
}

fn facility(
    v: &mut Violations,
    rule: &wire::UsageRule,
    own: Option<&MeterId>,
    operator: Option<&OperatorId>,
) -> Option<Option<Facility>> {
    let allocation = optional_known::<wire::Allocation>(v, "allocation", rule.allocation);
    let cap = optional_rate(v, "pue_cap", rule.pue_cap.as_ref());
    if rule.facility_meter.is_empty() {
        let needs = "needs facility_meter";
        v.require("sharers", rule.sharers.is_empty(), needs);
        v.require("allocation", rule.allocation == 0, needs);
        v.require("pue_cap", rule.pue_cap.is_none(), needs);
        return Some(None);
    }
    let one: kernel::Rate = "1".parse().ok()?;
    let above = cap.flatten().is_none_or(|cap| cap >= one);
    v.require("pue_cap", above, "must be at least 1");
    let facility_meter = meter(v, "facility_meter", &rule.facility_meter, operator);
    let few = (1..=SHARERS_MAX).contains(&rule.sharers.len());
    v.require("sharers", few, "must be 1 to 100 meters");
    let allocation = match allocation {
        Some(Some(wire::Allocation::Peak)) => Some(Allocation::Peak),
        Some(Some(wire::Allocation::ContractedKw)) => Some(Allocation::ContractedKw),
        Some(_) => Some(Allocation::Energy),
        None => None,
    };
    let sharers = v.each("sharers", rule.sharers.iter().take(SHARERS_MAX), |v, sharer| {
        kw(v, "contracted_kw", sharer.contracted_kw);
        let meter = meter(v, "meter", &sharer.meter, operator);
        Some(Sharer { meter: meter?, contracted_kw: sharer.contracted_kw })
    })?;
    let mut meters: Vec<&MeterId> = sharers.iter().map(|sharer| &sharer.meter).collect();
    meters.sort();
    let once = meters.windows(2).all(|pair| pair[0] != pair[1]);
    v.require("sharers", once, "must name each meter once");
    let among = own.is_none_or(|own| meters.contains(&own));
    v.require("sharers", among, "must hold the tenant's own meter");
    let weighs = allocation != Some(Allocation::ContractedKw) || sharers.iter().any(|s| s.contracted_kw > 0);
    v.require("sharers", weighs, "must have contracted loads, by which is divided");
    Some(Some(Facility { meter: facility_meter?, sharers, allocation: allocation?, pue_cap: cap? }))
}

fn meter(v: &mut Violations, field: &str, text: &str, operator: Option<&OperatorId>) -> Option<MeterId> {
    let name = v.parse(field, text, str::parse::<MeterName>)?;
    let own = operator.is_none_or(|own| *own == name.operator);
    v.require(field, own, "must be the parent's").then_some(name.meter)
}

fn kw(v: &mut Violations, field: &str, kw: i64) {
    v.require(field, (0..=KW_MAX).contains(&kw), "must be from 0 to 100000000 kW");
}

pub(super) fn list(request: &wire::ListChargingPlansRequest) -> Result<ListChargingPlans, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let lease = v.parse_optional("lease", &request.lease, str::parse::<LeaseName>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(lease.as_ref())]);
    v.build(|| {
        let filter = PlanFilter { lease: lease.map(|name| (name.operator, name.lease)) };
        Some(ListChargingPlans { list: list?, filter })
    })
}

pub(super) fn listed(listed: Listed<ChargingPlan>) -> wire::ListChargingPlansResponse {
    wire::ListChargingPlansResponse {
        charging_plans: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn created(plan: &ChargingPlan) -> wire::CreateChargingPlanResponse {
    wire::CreateChargingPlanResponse { charging_plan: Some(to_wire(plan)) }
}

pub(super) fn to_wire(plan: &ChargingPlan) -> wire::ChargingPlan {
    let (operator, facts) = (&plan.operator, &plan.facts);
    let place = facts.place.clone();
    wire::ChargingPlan {
        name: ChargingPlanName::new(operator.clone(), plan.id.clone()).to_string(),
        lease: LeaseName::new(operator.clone(), facts.lease.clone()).to_string(),
        block: BlockName::new(operator.clone(), place.site, place.block).to_string(),
        from_date: Some(to_date(facts.from)),
        until_date: facts.until.map(to_date),
        time_zone: facts.zone.to_string(),
        usage: facts.usage.as_ref().map(|rule| usage_to_wire(operator, rule)),
        service_level: facts.service_level.as_ref().map(service_level::to_wire),
        create_time: Some(to_timestamp(plan.create_time)),
    }
}

fn usage_to_wire(operator: &OperatorId, rule: &UsageRule) -> wire::UsageRule {
    let name = |meter: &MeterId| MeterName::new(operator.clone(), meter.clone()).to_string();
    let facility = rule.facility.as_ref();
    let allocation = facility.map_or(wire::Allocation::Unspecified, |facility| match facility.allocation {
        Allocation::Energy => wire::Allocation::Energy,
        Allocation::Peak => wire::Allocation::Peak,
        Allocation::ContractedKw => wire::Allocation::ContractedKw,
    });
    let estimates = match rule.estimates {
        EstimatePolicy::Bill => wire::EstimatePolicy::Bill,
        EstimatePolicy::Wait => wire::EstimatePolicy::Wait,
    };
    let sharers = facility.map(|facility| facility.sharers.as_slice()).unwrap_or_default();
    let sharer = |s: &Sharer| wire::Sharer { meter: name(&s.meter), contracted_kw: s.contracted_kw };
    wire::UsageRule {
        tariff: TariffName::new(operator.clone(), rule.tariff.clone()).to_string(),
        meter: name(&rule.meter),
        facility_meter: facility.map(|facility| name(&facility.meter)).unwrap_or_default(),
        sharers: sharers.iter().map(sharer).collect(),
        allocation: allocation.into(),
        pue_cap: facility.and_then(|facility| facility.pue_cap).map(to_decimal),
        estimates: estimates.into(),
        coincident_kw: rule.coincident_kw,
        correction_months: rule.correction_months,
    }
}
