//! Requests about needs, bids and opportunities.

use anyhow::{Context as _, Result};
use contracts::leasing::v1 as leasing;
use kernel::{Clock as _, Role, SystemClock};
use prost::Message as _;
use prost_types::Timestamp;

use super::mask;
use crate::TestStack;
use crate::market::{self, decimal, request_id};
use crate::world::Names;

/// So many seconds from now, by the machine's clock, which the database shares.
#[must_use]
pub fn in_seconds(seconds: i64) -> Option<Timestamp> {
    Some(runtime::wire::to_timestamp(SystemClock.now() + chrono::TimeDelta::seconds(seconds)))
}

/// A published need of 1 MW, whose bids the tenant sees as they come.
#[must_use]
pub fn need() -> leasing::CapacityRequest {
    leasing::CapacityRequest {
        display_name: "A training hall".to_owned(),
        capacity: Some(market::load(1_000)),
        earliest_start_date: Some(market::date("2027-01-01")),
        latest_start_date: Some(market::date("2027-06-30")),
        term_months: 120,
        currency_code: "USD".to_owned(),
        bid_deadline: in_seconds(3_600),
        visibility: leasing::RequestVisibility::Market.into(),
        bid_reveal: leasing::BidReveal::AtOnce.into(),
        energy_price_per_mwh: decimal("45"),
        load_factor_percent: decimal("80"),
        ..Default::default()
    }
}

/// A triple-net bid of 1 MW of one hall at 125, which holds nothing.
#[must_use]
pub fn bid(request: &str, block: &str) -> leasing::Bid {
    leasing::Bid {
        capacity_request: request.to_owned(),
        premises: vec![leasing::BidPremises { block: block.to_owned(), capacity: Some(market::load(1_000)) }],
        commencement_date: Some(market::date("2027-06-01")),
        term_months: 120,
        structure: leasing::LeaseStructure::Nnn.into(),
        rate_per_kw_month: decimal("125"),
        escalator_percent: decimal("3"),
        valid_until_time: in_seconds(86_400),
        ..Default::default()
    }
}

/// A deal of 40 MW at the stage of a letter of intent.
#[must_use]
pub fn opportunity() -> leasing::Opportunity {
    leasing::Opportunity {
        display_name: "Hall B".to_owned(),
        stage: leasing::OpportunityStage::Loi.into(),
        prospect: "A lab in stealth".to_owned(),
        critical_it_kw: 40_000,
        rate_per_kw_month: decimal("128.0156677674"),
        currency_code: "USD".to_owned(),
        ..Default::default()
    }
}

/// A need of the tenant, whose bids it reads as they come, a bid of the operator on it, and a deal in its notes.
///
/// # Errors
/// A call that is refused.
pub async fn tender(stack: &TestStack, mut names: Names, marker: &str) -> Result<Names> {
    let note = format!("{marker} tender");
    let create = leasing::CreateCapacityRequestRequest {
        parent: names.tenant.clone(),
        capacity_request: Some(leasing::CapacityRequest { note: note.clone(), ..need() }),
        request_id: request_id(),
        validate_only: false,
    };
    let tenant = stack.clients(&names.tenant, Role::Tenant)?;
    let made = tenant.market().create_capacity_request(create).await.context("publish a need")?.into_inner();
    names.capacity_request = made.capacity_request.context("a need")?.name;
    let sales = stack.clients(&names.operator, Role::Sales)?;
    let submit = leasing::SubmitBidRequest {
        parent: names.operator.clone(),
        bid: Some(leasing::Bid { note: note.clone(), ..bid(&names.capacity_request, &names.free_block) }),
        request_id: request_id(),
        validate_only: false,
    };
    let submitted = sales.market().submit_bid(submit).await.context("bid")?.into_inner();
    names.bid = submitted.bid.context("a bid")?.name;
    let create = leasing::CreateOpportunityRequest {
        parent: names.operator.clone(),
        opportunity: Some(leasing::Opportunity { note, ..opportunity() }),
        request_id: request_id(),
        validate_only: false,
    };
    let made = sales.pipeline().create_opportunity(create).await.context("record a deal")?.into_inner();
    names.opportunity = made.opportunity.context("a deal")?.name;
    Ok(names)
}

pub(super) fn valid(method: &str, n: &Names) -> Option<Vec<u8>> {
    bids(method, n).or_else(|| pipeline(method, n))
}

fn bids(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id, validate_only) = (String::new(), request_id(), true);
    Some(match method {
        "MarketService/CreateCapacityRequest" => leasing::CreateCapacityRequestRequest {
            parent: n.tenant.clone(),
            capacity_request: Some(need()),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "MarketService/GetCapacityRequest" => {
            leasing::GetCapacityRequestRequest { name: n.capacity_request.clone() }.encode_to_vec()
        }
        "MarketService/ListCapacityRequests" => {
            leasing::ListCapacityRequestsRequest { parent: n.tenant.clone(), ..Default::default() }
                .encode_to_vec()
        }
        "MarketService/CancelCapacityRequest" => leasing::CancelCapacityRequestRequest {
            name: n.capacity_request.clone(),
            reason: "changed our minds".to_owned(),
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "MarketService/SubmitBid" => leasing::SubmitBidRequest {
            parent: n.operator.clone(),
            bid: Some(bid(&n.capacity_request, &n.free_block)),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "MarketService/WithdrawBid" => {
            leasing::WithdrawBidRequest { name: n.bid.clone(), etag, request_id, validate_only }
                .encode_to_vec()
        }
        "MarketService/GetBid" => leasing::GetBidRequest { name: n.bid.clone() }.encode_to_vec(),
        "MarketService/ListBids" => {
            leasing::ListBidsRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "MarketService/AwardBid" => leasing::AwardBidRequest {
            name: n.capacity_request.clone(),
            bids: vec![n.bid.clone()],
            hold_duration: None,
            etag,
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        _ => return None,
    })
}

fn pipeline(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (request_id, validate_only) = (request_id(), true);
    Some(match method {
        "PipelineService/CreateOpportunity" => leasing::CreateOpportunityRequest {
            parent: n.operator.clone(),
            opportunity: Some(opportunity()),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "PipelineService/GetOpportunity" => {
            leasing::GetOpportunityRequest { name: n.opportunity.clone() }.encode_to_vec()
        }
        "PipelineService/ListOpportunities" => {
            leasing::ListOpportunitiesRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        "PipelineService/UpdateOpportunity" => leasing::UpdateOpportunityRequest {
            opportunity: Some(leasing::Opportunity {
                name: n.opportunity.clone(),
                // Nobody has changed it.
                etag: "\"1\"".to_owned(),
                stage: leasing::OpportunityStage::Papering.into(),
                ..Default::default()
            }),
            update_mask: mask("stage"),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "LeaseService/ListDeadlines" => {
            leasing::ListDeadlinesRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "LeaseService/GetDeliveryStatus" => {
            leasing::GetDeliveryStatusRequest { name: n.active.clone() }.encode_to_vec()
        }
        _ => return None,
    })
}
