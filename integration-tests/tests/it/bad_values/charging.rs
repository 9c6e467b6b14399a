//! Bad charging plans, and lines that are none.

use contracts::billing::v1 as billing;
use contracts::billing::v1::credit_rule::Trigger;
use integration_tests::market::{date, decimal};
use integration_tests::requests::charging::{create, plan, rule};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CreateChargingPlan" => {
            let mut cases = plans(n);
            cases.extend(usages(n));
            cases.extend(rules(n));
            cases.extend(facilities(n));
            cases
        }
        "ListChargingPlans" => {
            let parent = n.operator.clone();
            let list =
                billing::ListChargingPlansRequest { parent, lease: n.site.clone(), ..Default::default() };
            vec![Case::invalid("a lease that is none", list.encode_to_vec(), &["lease"])]
        }
        _ => {
            let explain = |line_number| {
                billing::ExplainLineRequest { invoice: n.open_invoice.clone(), line_number }.encode_to_vec()
            };
            vec![
                Case::invalid("no line", explain(0), &["line_number"]),
                Case::new("a line too far", explain(99), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
            ]
        }
    }
}

fn ask(n: &Names, plan: billing::ChargingPlan) -> Vec<u8> {
    create(&n.operator, "another", plan).encode_to_vec()
}

fn plans(n: &Names) -> Vec<Case> {
    let nothing = billing::ChargingPlan { from_date: NO_DAY, until_date: NO_DAY, ..Default::default() };
    let fields = ["lease", "block", "from_date", "until_date", "time_zone", "usage"];
    let fields = fields.map(|field| format!("charging_plan.{field}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let with = |change: &dyn Fn(&mut billing::ChargingPlan)| {
        let mut changed = plan(n);
        change(&mut changed);
        ask(n, changed)
    };
    let foreign = |name: &str| name.replace("acme", "zenith");
    vec![
        Case::invalid("nothing", ask(n, nothing), &fields),
        Case::invalid(
            "backwards",
            with(&|plan| plan.until_date = Some(date("2027-01-01"))),
            &["charging_plan.until_date"],
        ),
        Case::invalid(
            "of another operator",
            with(&|plan| plan.lease = foreign(&plan.lease)),
            &["charging_plan.lease"],
        ),
        Case::invalid(
            "of another block",
            with(&|plan| plan.block.clone_from(&n.free_block)),
            &["charging_plan.block", "charging_plan.usage.meter"],
        ),
        Case::invalid(
            "in another zone",
            with(&|plan| "UTC".clone_into(&mut plan.time_zone)),
            &["charging_plan.usage.tariff", "charging_plan.usage.meter"],
        ),
        Case::new(
            "a taken id",
            create(&n.operator, "hall-one", plan(n)).encode_to_vec(),
            Code::AlreadyExists,
            "NAME_TAKEN",
            &[],
        ),
    ]
}

fn usages(n: &Names) -> Vec<Case> {
    let usage = |change: &dyn Fn(&mut billing::UsageRule)| {
        let mut changed = plan(n);
        changed.usage.iter_mut().for_each(change);
        ask(n, changed)
    };
    vec![
        Case::invalid(
            "no usage",
            usage(&|rule| {
                *rule = billing::UsageRule {
                    coincident_kw: -1,
                    estimates: 99,
                    correction_months: 25,
                    ..Default::default()
                }
            }),
            &[
                "charging_plan.usage.tariff",
                "charging_plan.usage.meter",
                "charging_plan.usage.estimates",
                "charging_plan.usage.coincident_kw",
                "charging_plan.usage.correction_months",
            ],
        ),
        Case::invalid(
            "shared without a facility",
            usage(&|rule| {
                rule.pue_cap = decimal("1.3");
                rule.set_allocation(billing::Allocation::Peak);
                rule.sharers = vec![billing::Sharer { meter: rule.meter.clone(), contracted_kw: 1 }];
            }),
            &["charging_plan.usage.sharers", "charging_plan.usage.allocation", "charging_plan.usage.pue_cap"],
        ),
        Case::new(
            "no such tariff",
            usage(&|rule| rule.tariff.push_str("-b")),
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            &[],
        ),
        Case::new(
            "no such meter",
            usage(&|rule| rule.meter.push_str("-b")),
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            &[],
        ),
    ]
}

fn facilities(n: &Names) -> Vec<Case> {
    let facility = |change: &dyn Fn(&mut billing::UsageRule)| {
        let mut changed = plan(n);
        if let Some(rule) = &mut changed.usage {
            rule.facility_meter.clone_from(&rule.meter);
            rule.sharers = vec![billing::Sharer { meter: rule.meter.clone(), contracted_kw: 1 }];
            change(rule);
        }
        ask(n, changed)
    };
    vec![
        Case::invalid(
            "nobody shares, below what is used",
            facility(&|rule| {
                rule.sharers.clear();
                rule.pue_cap = decimal("0.9");
            }),
            &["charging_plan.usage.sharers", "charging_plan.usage.pue_cap"],
        ),
        Case::invalid(
            "the same twice",
            facility(&|rule| rule.sharers.extend(rule.sharers.clone())),
            &["charging_plan.usage.sharers"],
        ),
        Case::invalid(
            "by contracts of nothing",
            facility(&|rule| {
                rule.set_allocation(billing::Allocation::ContractedKw);
                rule.sharers[0].contracted_kw = 0;
            }),
            &["charging_plan.usage.sharers"],
        ),
    ]
}

fn rules(n: &Names) -> Vec<Case> {
    let level = |rules: Vec<billing::CreditRule>| {
        let service_level =
            Some(billing::ServiceLevel { rules, cap_percent: decimal("101"), single_feed_counts: false });
        ask(n, billing::ChargingPlan { service_level, ..plan(n) })
    };
    let at = |field: &str| format!("charging_plan.service_level.rules[0].{field}");
    let cap = "charging_plan.service_level.cap_percent".to_owned();
    let senseless = billing::CreditRule {
        each_further_minutes: 44_641,
        days_of_rent_max: 32,
        warmer_than_decicelsius: Some(350),
        ..rule(billing::ServiceKind::Power, Trigger::OutagesOver(-1), 0)
    };
    let fields = [
        at("outages_over"),
        at("days_of_rent"),
        at("each_further_minutes"),
        at("further_days"),
        at("days_of_rent_max"),
        at("warmer_than_decicelsius"),
        cap.clone(),
    ];
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let triggers = [
        (Trigger::OverMinutes(44_641), "over_minutes"),
        (Trigger::AtLeastMinutes(0), "at_least_minutes"),
        (Trigger::AvailabilityBelowPercent(decimal("0").unwrap_or_default()), "availability_below_percent"),
    ];
    let mut cases = vec![
        Case::invalid("no rule", level(Vec::new()), &["charging_plan.service_level.rules", &cap]),
        Case::invalid("a senseless rule", level(vec![senseless]), &fields),
        Case::invalid(
            "a rule of nothing",
            level(vec![billing::CreditRule::default()]),
            &[&at("kind"), &at("trigger"), &at("days_of_rent"), &cap],
        ),
    ];
    cases.extend(triggers.map(|(trigger, field)| {
        let rule = rule(billing::ServiceKind::Power, trigger, 1);
        Case::invalid(field, level(vec![rule]), &[&at(field), &cap])
    }));
    cases
}
