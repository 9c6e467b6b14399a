//! Requests about what an operator asks for its capacity.

use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use kernel::{Clock as _, SystemClock};
use prost::Message as _;
use prost_types::Timestamp;

use super::mask;
use crate::market::{self, date, decimal, request_id};
use crate::world::Names;

/// The worked example: 20 J/TH at 38.2 and 45 a MWh.
#[must_use]
pub fn mine() -> leasing::MiningCase {
    leasing::MiningCase {
        hashprice_per_ph_day: decimal("38.2"),
        efficiency_joules_per_terahash: decimal("20"),
        overhead_factor: decimal("1.05"),
        uptime_percent: decimal("95"),
        days_per_month: decimal("30.4167"),
        power_price_per_mwh: decimal("45"),
        ..Default::default()
    }
}

/// River Bend: ten million a MW at 9 % over fifteen years.
#[must_use]
pub fn case() -> leasing::LeaseCase {
    leasing::LeaseCase {
        year_one_rate_per_kw_month: decimal("128.02"),
        escalator_percent: decimal("3"),
        term_months: 180,
        build_cost_per_it_mw: decimal("10000000"),
        capital_percent: decimal("9"),
        capital_years: 15,
        dark_months: 9,
        ..Default::default()
    }
}

/// River Bend as a mine and as a lease.
#[must_use]
pub fn comparison(operator: &str) -> leasing::CompareWithMiningRequest {
    leasing::CompareWithMiningRequest {
        parent: operator.to_owned(),
        place: String::new(),
        gross_kw: 330_000,
        critical_it_kw: 245_000,
        currency_code: "USD".to_owned(),
        mining: Some(mine()),
        lease: Some(case()),
    }
}

/// A rate of each structure.
#[must_use]
pub fn card() -> leasing::RateCard {
    let rate = |structure: leasing::LeaseStructure, rate| leasing::RateBand {
        structure: structure.into(),
        rate_per_kw_month: decimal(rate),
        ..Default::default()
    };
    leasing::RateCard {
        display_name: "Standard".to_owned(),
        currency_code: "USD".to_owned(),
        lease_type: inventory::LeaseType::Turnkey.into(),
        rates: vec![
            rate(leasing::LeaseStructure::Nnn, "140"),
            rate(leasing::LeaseStructure::ModifiedGross, "150"),
            rate(leasing::LeaseStructure::Gross, "185"),
        ],
        cooling_adders: vec![leasing::CoolingAdder {
            cooling_kind: inventory::CoolingKind::Liquid.into(),
            adder_per_kw_month: decimal("10"),
        }],
        redundancy_adders: vec![leasing::RedundancyAdder {
            redundancy: inventory::Redundancy::TwoN.into(),
            adder_per_kw_month: decimal("12"),
        }],
        escalator: Some(leasing::Escalator {
            percent: decimal("3"),
            basis: leasing::EscalationBasis::BlockAnniversary.into(),
            fixed_date: None,
        }),
        min_term_months: 12,
        max_term_months: 240,
        valid_from_date: Some(date("2026-01-01")),
        valid_until_date: Some(date("2028-01-01")),
        discount_limit_percent: decimal("5"),
        floor_per_kw_month: decimal("120"),
        mining_floor: Some(leasing::MiningFloor {
            mining: Some(mine()),
            build_cost_per_it_mw: decimal("5000000"),
            capital_percent: decimal("9"),
            capital_years: 15,
            dark_months: 9,
            four_cp_rate_per_kw_month: None,
        }),
        net_conversion: Some(leasing::NetConversion {
            operating_cost_per_kw_month: decimal("12"),
            power_price_per_mwh: decimal("45"),
            pue: decimal("1.3"),
            load_factor_percent: decimal("85"),
        }),
        ..Default::default()
    }
}

/// A draft of it, only asked for.
#[must_use]
pub fn draft(operator: &str, id: &str) -> leasing::CreateRateCardRequest {
    leasing::CreateRateCardRequest {
        parent: operator.to_owned(),
        rate_card_id: id.to_owned(),
        rate_card: Some(card()),
        request_id: request_id(),
        validate_only: true,
    }
}

/// So many seconds from now in real time, which the database's clock tells.
#[must_use]
pub fn in_seconds(seconds: i64) -> Option<Timestamp> {
    Some(runtime::wire::to_timestamp(SystemClock.now() + chrono::TimeDelta::seconds(seconds)))
}

/// Ten years from a day on, with two renewals of five.
#[must_use]
pub fn need(kw: i64, start: &str) -> leasing::QuoteNeed {
    leasing::QuoteNeed {
        capacity: Some(market::load(kw)),
        start_from_date: Some(date(start)),
        term_months: 120,
        currency_code: "USD".to_owned(),
        renewal_options: vec![leasing::RenewalOption {
            count: 2,
            term_months: 60,
            notice_months: 12,
            ..Default::default()
        }],
        payment_terms_days: 30,
        ..Default::default()
    }
}

/// A question for a quote that holds for a day.
#[must_use]
pub fn question(operator: &str, tenant: &str, need: leasing::QuoteNeed) -> leasing::QuoteLeaseRequest {
    leasing::QuoteLeaseRequest {
        parent: operator.to_owned(),
        tenant: tenant.to_owned(),
        need: Some(need),
        discount_percent: None,
        valid_until_time: in_seconds(86_400),
        hold_duration: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        option_limit: 20,
        request_id: request_id(),
        validate_only: false,
        held_block_count: 0,
    }
}

/// The question in a built world, only asked for.
#[must_use]
pub fn question_in(n: &Names) -> leasing::QuoteLeaseRequest {
    let need = leasing::QuoteNeed { places: vec![n.free_block.clone()], ..need(1_000, "2027-02-01") };
    leasing::QuoteLeaseRequest { validate_only: true, ..question(&n.operator, &n.tenant, need) }
}

/// Nobody has changed the world's card or its quotes.
const ETAG: &str = "\"1\"";

pub(super) fn quotes(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "OfferService/QuoteLease" => question_in(n).encode_to_vec(),
        "OfferService/GetQuote" => leasing::GetQuoteRequest { name: n.quote.clone() }.encode_to_vec(),
        "OfferService/ListQuotes" => {
            leasing::ListQuotesRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "OfferService/ApproveQuote" => leasing::ApproveQuoteRequest {
            name: n.pending_quote.clone(),
            etag: ETAG.to_owned(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "OfferService/RejectQuote" => leasing::RejectQuoteRequest {
            name: n.quote.clone(),
            etag: ETAG.to_owned(),
            reason: "Too dear.".to_owned(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "OfferService/AcceptQuote" => leasing::AcceptQuoteRequest {
            name: n.quote.clone(),
            etag: ETAG.to_owned(),
            option_number: 1,
            request_id: request_id(),
            validate_only: true,
            master_agreement: String::new(),
        }
        .encode_to_vec(),
        _ => return None,
    })
}

pub(super) fn offers(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "OfferService/CompareWithMining" => comparison(&n.operator).encode_to_vec(),
        "OfferService/CreateRateCard" => draft(&n.operator, "another").encode_to_vec(),
        "OfferService/GetRateCard" => {
            leasing::GetRateCardRequest { name: n.rate_card.clone() }.encode_to_vec()
        }
        "OfferService/ListRateCards" => {
            leasing::ListRateCardsRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "OfferService/UpdateRateCard" => leasing::UpdateRateCardRequest {
            rate_card: Some(leasing::RateCard { name: n.rate_card.clone(), etag: ETAG.to_owned(), ..card() }),
            update_mask: mask("rates"),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "OfferService/ApproveRateCard" => leasing::ApproveRateCardRequest {
            name: n.rate_card.clone(),
            etag: ETAG.to_owned(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "OfferService/RetireRateCard" => leasing::RetireRateCardRequest {
            name: n.rate_card.clone(),
            etag: ETAG.to_owned(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        _ => return None,
    })
}
