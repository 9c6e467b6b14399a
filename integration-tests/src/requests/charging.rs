//! Requests about charging plans, and about how a line came about.

use contracts::billing::v1 as billing;
use contracts::billing::v1::credit_rule::Trigger;
use prost::Message as _;

use super::money::usd;
use crate::market::{ZONE, date, decimal, request_id};
use crate::world::Names;

/// A plan for the hall of the lease in force: its meter under the tariff, and a day of rent for an hour without power.
#[must_use]
pub fn plan(n: &Names) -> billing::ChargingPlan {
    billing::ChargingPlan {
        lease: n.active.clone(),
        block: n.block.clone(),
        from_date: Some(date("2027-01-01")),
        time_zone: ZONE.to_owned(),
        usage: Some(billing::UsageRule {
            tariff: n.tariff.clone(),
            meter: n.meter.clone(),
            ..Default::default()
        }),
        service_level: Some(billing::ServiceLevel {
            rules: vec![rule(billing::ServiceKind::Power, Trigger::AtLeastMinutes(60), 1)],
            cap_percent: decimal("50"),
            single_feed_counts: false,
        }),
        ..Default::default()
    }
}

/// So many days of rent.
#[must_use]
pub fn rule(kind: billing::ServiceKind, trigger: Trigger, days_of_rent: i32) -> billing::CreditRule {
    billing::CreditRule { kind: kind.into(), trigger: Some(trigger), days_of_rent, ..Default::default() }
}

/// Creates a plan.
#[must_use]
pub fn create(parent: &str, id: &str, plan: billing::ChargingPlan) -> billing::CreateChargingPlanRequest {
    billing::CreateChargingPlanRequest {
        parent: parent.to_owned(),
        charging_plan_id: id.to_owned(),
        charging_plan: Some(plan),
        request_id: request_id(),
        validate_only: false,
    }
}

/// What a utility charged for the meter on some days.
#[must_use]
pub fn utility_bill(n: &Names, from: &str, until: &str) -> billing::UtilityBill {
    billing::UtilityBill {
        meter: n.meter.clone(),
        number: "4711".to_owned(),
        from_date: Some(date(from)),
        until_date: Some(date(until)),
        bill_date: Some(date(until)),
        amount: Some(usd(1_000)),
        energy_kwh: 20_000,
        ..Default::default()
    }
}

/// Records a utility's bill.
#[must_use]
pub fn record(parent: &str, bill: billing::UtilityBill) -> billing::RecordUtilityBillRequest {
    billing::RecordUtilityBillRequest {
        parent: parent.to_owned(),
        utility_bill: Some(bill),
        request_id: request_id(),
        validate_only: false,
    }
}

pub(super) fn charging(method: &str, n: &Names) -> Option<Vec<u8>> {
    let parent = n.operator.clone();
    Some(match method {
        "ChargingService/CreateChargingPlan" => {
            billing::CreateChargingPlanRequest { validate_only: true, ..create(&parent, "another", plan(n)) }
                .encode_to_vec()
        }
        "ChargingService/GetChargingPlan" => {
            billing::GetChargingPlanRequest { name: n.charging_plan.clone() }.encode_to_vec()
        }
        "ChargingService/ListChargingPlans" => {
            billing::ListChargingPlansRequest { parent, lease: n.active.clone(), ..Default::default() }
                .encode_to_vec()
        }
        "ChargingService/RecordUtilityBill" => {
            let bill = utility_bill(n, "2026-10-01", "2026-11-01");
            billing::RecordUtilityBillRequest { validate_only: true, ..record(&parent, bill) }.encode_to_vec()
        }
        "ChargingService/PostTrueUp" => billing::PostTrueUpRequest {
            name: n.utility_bill.clone(),
            request_id: request_id(),
            validate_only: true,
            ..Default::default()
        }
        .encode_to_vec(),
        "ChargingService/GetUtilityBill" => {
            billing::GetUtilityBillRequest { name: n.utility_bill.clone() }.encode_to_vec()
        }
        "ChargingService/ListUtilityBills" => {
            billing::ListUtilityBillsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "InvoiceService/ExplainLine" => {
            billing::ExplainLineRequest { invoice: n.open_invoice.clone(), line_number: 1 }.encode_to_vec()
        }
        _ => return None,
    })
}
