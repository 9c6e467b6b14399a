//! Values that are wrong in their own way: needs, bids, awards, opportunities and their lists.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, decimal, request_id};
use integration_tests::requests::tender::{bid, in_seconds, need, opportunity};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::{Duration, FieldMask};
use tonic::Code;

use super::{NO_DAY, range};
use crate::bad_input::Case;

/// The bad values of an RPC about needs, bids and opportunities.
pub(crate) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CreateMasterAgreement" | "SignMasterAgreement" | "EndMasterAgreement" | "ListMasterAgreements" => {
            super::agreements::of(method, n)
        }
        "CreateCapacityRequest" => create(n),
        "SubmitBid" => submit(n),
        "AwardBid" => award(n),
        "CreateOpportunity" | "UpdateOpportunity" => pipeline(method, n),
        _ => rest(method, n),
    }
}

fn create(n: &Names) -> Vec<Case> {
    let ask = |capacity_request| {
        leasing::CreateCapacityRequestRequest {
            parent: n.tenant.clone(),
            capacity_request,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let bent = |bend: &dyn Fn(&mut leasing::CapacityRequest)| {
        let mut need = need();
        bend(&mut need);
        ask(Some(need))
    };
    let field = |name: &str| format!("capacity_request.{name}");
    let one = |what: &str, name: &str, message| Case::invalid(what, message, &[field(name).as_str()]);
    let deadline = field("bid_deadline");
    vec![
        Case::invalid("nothing", ask(None), &["capacity_request"]),
        one("no name", "display_name", bent(&|need| need.display_name = " ".to_owned())),
        one("no day", "earliest_start_date", bent(&|need| need.earliest_start_date = NO_DAY)),
        one(
            "a window that ends first",
            "latest_start_date",
            bent(&|need| need.latest_start_date = Some(market::date("2026-12-31"))),
        ),
        one(
            "heat that nothing carries",
            "capacity",
            bent(&|need| {
                need.capacity = need.capacity.map(|mut one| {
                    one.air_cooling_kw = 0;
                    one
                });
            }),
        ),
        one("no term", "term_months", bent(&|need| need.term_months = 601)),
        one(
            "nobody named",
            "operators",
            bent(&|need| need.visibility = leasing::RequestVisibility::Named.into()),
        ),
        one("named for all", "operators", bent(&|need| need.operators = vec!["operators/acme".to_owned()])),
        one(
            "a factor of nothing",
            "load_factor_percent",
            bent(&|need| need.load_factor_percent = decimal("0")),
        ),
        one(
            "dear energy",
            "energy_price_per_mwh",
            bent(&|need| need.energy_price_per_mwh = decimal("10001")),
        ),
        one("no currency", "currency_code", bent(&|need| need.currency_code = "EURO".to_owned())),
        range("a deadline that has passed", bent(&|need| need.bid_deadline = in_seconds(-1)), &deadline),
        range("a deadline in years", bent(&|need| need.bid_deadline = in_seconds(400 * 86_400)), &deadline),
    ]
}

fn submit(n: &Names) -> Vec<Case> {
    let bent = |bend: &dyn Fn(&mut leasing::Bid)| {
        let mut bid = bid(&n.capacity_request, &n.free_block);
        bend(&mut bid);
        leasing::SubmitBidRequest {
            parent: n.operator.clone(),
            bid: Some(bid),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let one =
        |what: &str, name: &str, message| Case::invalid(what, message, &[format!("bid.{name}").as_str()]);
    let absent = |what: &str, message| Case::new(what, message, Code::NotFound, "RESOURCE_NOT_FOUND", &[]);
    let cost = "included_cost_per_kw_month";
    vec![
        one("a site beside premises", "premises", bent(&|bid| bid.site = n.site.clone())),
        one("neither", "premises", bent(&|bid| (bid.premises, bid.critical_it_kw) = (Vec::new(), 1_000))),
        one("another sum", "critical_it_kw", bent(&|bid| bid.critical_it_kw = 999)),
        one("a rate of nothing", "rate_per_kw_month", bent(&|bid| bid.rate_per_kw_month = decimal("0"))),
        one("steep", "escalator_percent", bent(&|bid| bid.escalator_percent = decimal("101"))),
        one("costs in triple net", cost, bent(&|bid| bid.included_cost_per_kw_month = decimal("1"))),
        one("a PUE in triple net", "pue", bent(&|bid| bid.pue = decimal("1.2"))),
        one("no costs", cost, bent(&|bid| bid.structure = leasing::LeaseStructure::ModifiedGross.into())),
        one(
            "no profit",
            "rate_per_kw_month",
            bent(&|bid| {
                bid.structure = leasing::LeaseStructure::ModifiedGross.into();
                bid.included_cost_per_kw_month = decimal("125");
            }),
        ),
        one(
            "a short hold",
            "hold_duration",
            bent(&|bid| bid.hold_duration = Some(Duration { seconds: 59, nanos: 0 })),
        ),
        one(
            "another's block",
            "premises[0].block",
            bent(&|bid| bid.premises[0].block = n.free_block.replace("acme", "zenith")),
        ),
        range(
            "binding in the past",
            bent(&|bid| bid.valid_until_time = in_seconds(60)),
            "bid.valid_until_time",
        ),
        range(
            "for ever",
            bent(&|bid| bid.valid_until_time = in_seconds(400 * 86_400)),
            "bid.valid_until_time",
        ),
        absent(
            "no such hall",
            bent(&|bid| bid.premises[0].block = format!("{}/blocks/no-such-hall", n.site)),
        ),
        absent(
            "no such request",
            bent(&|bid| bid.capacity_request = format!("{}/capacityRequests/{}", n.tenant, request_id())),
        ),
    ]
}

fn award(n: &Names) -> Vec<Case> {
    let ask = |bids: Vec<String>, hold: Option<i64>| {
        leasing::AwardBidRequest {
            name: n.capacity_request.clone(),
            bids,
            hold_duration: hold.map(|seconds| Duration { seconds, nanos: 0 }),
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let absent = format!("{}/bids/{}", n.operator, request_id());
    vec![
        Case::invalid("nobody wins", ask(Vec::new(), None), &["bids"]),
        Case::invalid("a bid twice", ask(vec![n.bid.clone(); 2], None), &["bids[1]"]),
        Case::invalid(
            "no bid, for a second",
            ask(vec!["bid".to_owned()], Some(1)),
            &["bids[0]", "hold_duration"],
        ),
        Case::new("an absent bid", ask(vec![absent], None), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}

/// The bad values of an RPC about opportunities.
fn pipeline(method: &str, n: &Names) -> Vec<Case> {
    let create = |opportunity| {
        leasing::CreateOpportunityRequest {
            parent: n.operator.clone(),
            opportunity: Some(opportunity),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let update = |bent: leasing::Opportunity, field: &str| {
        leasing::UpdateOpportunityRequest {
            opportunity: Some(leasing::Opportunity {
                name: n.opportunity.clone(),
                etag: "\"1\"".to_owned(),
                ..bent
            }),
            update_mask: Some(FieldMask { paths: vec![field.to_owned()] }),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let lost = leasing::OpportunityStage::Lost.into();
    if method == "UpdateOpportunity" {
        let bent = leasing::Opportunity { stage: lost, critical_it_kw: 0, ..Default::default() };
        return vec![
            Case::invalid("lost for no reason", update(bent.clone(), "stage"), &["opportunity.loss_code"]),
            Case::invalid("nothing", update(bent.clone(), "critical_it_kw"), &["opportunity.critical_it_kw"]),
            Case::invalid("nobody", update(bent, "prospect"), &["opportunity.prospect"]),
        ];
    }
    let sure = leasing::Opportunity { probability_percent: Some(101), ..opportunity() };
    let foreign = leasing::Opportunity { bid: n.bid.replace("acme", "zenith"), ..opportunity() };
    let tenant = leasing::Opportunity { tenant: "tenants/no-such-thing".to_owned(), ..opportunity() };
    let rateless = leasing::Opportunity { rate_per_kw_month: None, ..opportunity() };
    vec![
        Case::invalid("more than sure", create(sure), &["opportunity.probability_percent"]),
        Case::invalid("another's bid", create(foreign), &["opportunity.bid"]),
        Case::invalid("a currency of nothing", create(rateless), &["opportunity.currency_code"]),
        Case::invalid(
            "lost for no reason",
            create(leasing::Opportunity { stage: lost, ..opportunity() }),
            &["opportunity.loss_code"],
        ),
        Case::new("an absent tenant", create(tenant), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}

/// The bad values of the other RPCs.
fn rest(method: &str, n: &Names) -> Vec<Case> {
    let parent = n.operator.clone();
    match method {
        "CancelCapacityRequest" => {
            let message = leasing::CancelCapacityRequestRequest {
                name: n.capacity_request.clone(),
                reason: " ".to_owned(),
                request_id: request_id(),
                ..Default::default()
            };
            vec![Case::invalid("no reason", message.encode_to_vec(), &["reason"])]
        }
        "ListCapacityRequests" => {
            let message = leasing::ListCapacityRequestsRequest {
                parent: n.tenant.clone(),
                states: vec![1, 0],
                ..Default::default()
            };
            vec![Case::invalid("a state of nothing", message.encode_to_vec(), &["states[1]"])]
        }
        "ListBids" => {
            let message = leasing::ListBidsRequest {
                parent,
                capacity_request: n.bid.clone(),
                states: vec![0],
                ..Default::default()
            };
            vec![Case::invalid("every filter", message.encode_to_vec(), &["capacity_request", "states[0]"])]
        }
        "ListDeadlines" => {
            let message = leasing::ListDeadlinesRequest {
                parent,
                within_days: 3_661,
                kinds: vec![0],
                ..Default::default()
            };
            vec![Case::invalid("every filter", message.encode_to_vec(), &["within_days", "kinds[0]"])]
        }
        _ => Vec::new(),
    }
}
