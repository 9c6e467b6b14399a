//! Bad cards, quotes and comparisons.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{decimal, request_id};
use integration_tests::requests::offers;
use integration_tests::world::Names;
use prost::Message as _;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "CompareWithMining" => compare(n),
        "CreateRateCard" => draft(n),
        "UpdateRateCard" => update(n),
        "QuoteLease" => question(n),
        "RejectQuote" | "AcceptQuote" | "ApproveQuote" => answer(method, n),
        _ => Vec::new(),
    }
}

/// A card with nothing right in it.
fn bad_card() -> leasing::RateCard {
    let adder = offers::card().cooling_adders[0].clone();
    leasing::RateCard {
        display_name: " ".to_owned(),
        currency_code: "DOL".to_owned(),
        lease_type: 0,
        rates: vec![leasing::RateBand {
            structure: 0,
            min_term_months: 24,
            max_term_months: 12,
            min_kw: 9,
            max_kw: 8,
            rate_per_kw_month: decimal("0"),
        }],
        cooling_adders: vec![adder.clone(), adder],
        redundancy_adders: vec![leasing::RedundancyAdder::default()],
        escalator: Some(leasing::Escalator::default()),
        min_term_months: 0,
        max_term_months: 601,
        valid_from_date: NO_DAY,
        valid_until_date: None,
        discount_limit_percent: decimal("100.1"),
        floor_per_kw_month: decimal("-1"),
        mining_floor: Some(leasing::MiningFloor {
            capital_years: 51,
            dark_months: 121,
            ..Default::default()
        }),
        net_conversion: Some(leasing::NetConversion { pue: decimal("0.9"), ..Default::default() }),
        ..Default::default()
    }
}

/// What is wrong with it.
const BAD_FIELDS: [&str; 27] = [
    "display_name",
    "currency_code",
    "lease_type",
    "rates[0].structure",
    "rates[0].max_kw",
    "rates[0].max_term_months",
    "rates[0].rate_per_kw_month",
    "cooling_adders[1].cooling_kind",
    "redundancy_adders[0].redundancy",
    "redundancy_adders[0].adder_per_kw_month",
    "escalator.percent",
    "escalator.basis",
    "min_term_months",
    "max_term_months",
    "valid_from_date",
    "valid_until_date",
    "discount_limit_percent",
    "floor_per_kw_month",
    "mining_floor.mining",
    "mining_floor.build_cost_per_it_mw",
    "mining_floor.capital_percent",
    "mining_floor.capital_years",
    "mining_floor.dark_months",
    "net_conversion.operating_cost_per_kw_month",
    "net_conversion.power_price_per_mwh",
    "net_conversion.pue",
    "net_conversion.load_factor_percent",
];

fn draft(n: &Names) -> Vec<Case> {
    let of = |card: leasing::RateCard| {
        leasing::CreateRateCardRequest { rate_card: Some(card), ..offers::draft(&n.operator, "another") }
            .encode_to_vec()
    };
    let rate = offers::card().rates[0].clone();
    let fields = BAD_FIELDS.map(|field| format!("rate_card.{field}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let twice = leasing::RateCard {
        rates: vec![rate.clone(), rate],
        max_term_months: 11,
        valid_until_date: offers::card().valid_from_date,
        ..offers::card()
    };
    let gross = leasing::RateCard { net_conversion: None, ..offers::card() };
    vec![
        Case::invalid("every field", of(bad_card()), &fields),
        Case::invalid(
            "contradictions",
            of(twice),
            &["rate_card.max_term_months", "rate_card.valid_until_date", "rate_card.rates[1]"],
        ),
        Case::invalid("gross without costs", of(gross), &["rate_card.net_conversion"]),
    ]
}

fn update(n: &Names) -> Vec<Case> {
    let card = |card: leasing::RateCard, path: &str| {
        let name = n.rate_card.clone();
        leasing::UpdateRateCardRequest {
            rate_card: Some(leasing::RateCard { name, etag: "\"1\"".to_owned(), ..card }),
            update_mask: Some(prost_types::FieldMask { paths: vec![path.to_owned()] }),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec()
    };
    let short = leasing::RateCard { max_term_months: 6, ..offers::card() };
    vec![
        Case::invalid("no rates", card(leasing::RateCard::default(), "rates"), &["rate_card.rates"]),
        Case::invalid("against the rest", card(short, "max_term_months"), &["rate_card.max_term_months"]),
    ]
}

fn question(n: &Names) -> Vec<Case> {
    let good = || offers::question_in(n);
    let bad_need = leasing::QuoteNeed {
        capacity: Some(contracts::common::v1::CapacityVector { critical_it_kw: 5, ..Default::default() }),
        start_from_date: NO_DAY,
        start_until_date: NO_DAY,
        term_months: 0,
        places: vec![n.site.replace(&n.operator, "operators/zenith")],
        structures: vec![0],
        currency_code: "dollars".to_owned(),
        renewal_options: vec![leasing::RenewalOption {
            count: 0,
            term_months: 601,
            notice_months: -1,
            window_months: 601,
            rates_per_kw_month: decimal("125").into_iter().collect(),
            market_rent: Some(leasing::MarketRent { floor_percent: decimal("9"), cap_percent: decimal("8") }),
        }],
        invoice_lead_days: 91,
        payment_terms_days: 366,
    };
    let everything = leasing::QuoteLeaseRequest {
        need: Some(bad_need),
        discount_percent: decimal("101"),
        valid_until_time: None,
        hold_duration: Some(prost_types::Duration { seconds: 59, nanos: 0 }),
        option_limit: 21,
        held_block_count: 6,
        ..good()
    };
    let until = |seconds, held_block_count| {
        let valid_until_time = offers::in_seconds(seconds);
        leasing::QuoteLeaseRequest { valid_until_time, held_block_count, ..good() }.encode_to_vec()
    };
    let day = 86_400;
    vec![
        Case::invalid(
            "everything",
            everything.encode_to_vec(),
            &[
                "need.capacity",
                "need.start_from_date",
                "need.start_until_date",
                "need.term_months",
                "need.places[0]",
                "need.structures[0]",
                "need.currency_code",
                "need.renewal_options[0].count",
                "need.renewal_options[0].term_months",
                "need.renewal_options[0].notice_months",
                "need.renewal_options[0].window_months",
                "need.renewal_options[0].rates_per_kw_month",
                "need.renewal_options[0].market_rent.cap_percent",
                "need.invoice_lead_days",
                "need.payment_terms_days",
                "discount_percent",
                "valid_until_time",
                "hold_duration",
                "option_limit",
                "held_block_count",
            ],
        ),
        Case::invalid("a quote of yesterday", until(-day, 0), &["valid_until_time"]),
        Case::invalid("half a year and more", until(181 * day, 0), &["valid_until_time"]),
        Case::invalid("held for longer than inventory holds", until(60 * day, 1), &["valid_until_time"]),
    ]
}

fn answer(method: &str, n: &Names) -> Vec<Case> {
    let (name, etag, request_id) = (n.quote.clone(), String::new(), request_id());
    match method {
        "RejectQuote" => {
            let request = leasing::RejectQuoteRequest {
                name,
                etag,
                request_id,
                reason: " ".to_owned(),
                validate_only: true,
            };
            vec![Case::invalid("without a word", request.encode_to_vec(), &["etag", "reason"])]
        }
        "AcceptQuote" => {
            let request = leasing::AcceptQuoteRequest {
                name,
                etag,
                request_id,
                validate_only: true,
                ..Default::default()
            };
            let beyond = leasing::AcceptQuoteRequest {
                etag: "\"1\"".to_owned(),
                option_number: 20,
                ..request.clone()
            };
            let foreign = n.master_agreement.replace(&n.operator, "operators/zenith");
            let under = leasing::AcceptQuoteRequest { master_agreement: foreign, ..beyond.clone() };
            vec![
                Case::invalid("another's agreement", under.encode_to_vec(), &["master_agreement"]),
                Case::invalid("no option", request.encode_to_vec(), &["etag", "option_number"]),
                Case::invalid("an option that is not there", beyond.encode_to_vec(), &["option_number"]),
            ]
        }
        _ => Vec::new(),
    }
}

fn bad_mine() -> leasing::MiningCase {
    leasing::MiningCase {
        hashprice_per_ph_day: decimal("0"),
        efficiency_joules_per_terahash: None,
        overhead_factor: decimal("0.99"),
        uptime_percent: decimal("100.000001"),
        days_per_month: decimal("365"),
        power_price_per_mwh: decimal("-1"),
        operating_cost_per_mwh: decimal("free"),
        excise: 9,
        machine_price_per_terahash: decimal("15"),
        machine_life_months: 0,
        coin: Some(leasing::CoinCase { coin_price: decimal("91000"), ..Default::default() }),
    }
}

fn bad_lease() -> leasing::LeaseCase {
    leasing::LeaseCase {
        year_one_rate_per_kw_month: decimal("0"),
        escalator_percent: decimal("101"),
        term_months: 601,
        build_cost_per_it_mw: None,
        capital_percent: decimal("-9"),
        capital_years: 0,
        dark_months: -1,
        four_cp_rate_per_kw_month: decimal("NaN"),
        discount_percent: decimal("1e3"),
    }
}

fn compare(n: &Names) -> Vec<Case> {
    let good = || offers::comparison(&n.operator);
    let mine = |mining| leasing::CompareWithMiningRequest { mining: Some(mining), ..good() }.encode_to_vec();
    let lease = |lease| leasing::CompareWithMiningRequest { lease: Some(lease), ..good() }.encode_to_vec();
    let everything = leasing::CompareWithMiningRequest {
        parent: "acme".to_owned(),
        place: "hall".to_owned(),
        gross_kw: 1,
        critical_it_kw: 1,
        currency_code: "dollars".to_owned(),
        mining: None,
        lease: None,
    };
    let foreign = leasing::CompareWithMiningRequest {
        place: n.site.replace(&n.operator, "operators/zenith"),
        gross_kw: 0,
        critical_it_kw: 0,
        ..good()
    };
    vec![
        Case::invalid(
            "everything",
            everything.encode_to_vec(),
            &["parent", "place", "gross_kw", "critical_it_kw", "currency_code", "mining", "lease"],
        ),
        Case::invalid(
            "a mine",
            mine(bad_mine()),
            &[
                "mining.hashprice_per_ph_day",
                "mining.efficiency_joules_per_terahash",
                "mining.overhead_factor",
                "mining.uptime_percent",
                "mining.days_per_month",
                "mining.power_price_per_mwh",
                "mining.operating_cost_per_mwh",
                "mining.excise",
                "mining.machine_life_months",
                "mining.coin.network_hashrate_ph",
                "mining.coin.cash_cost_per_coin",
                "mining.coin.all_in_cost_per_coin",
            ],
        ),
        Case::invalid(
            "a lease",
            lease(bad_lease()),
            &[
                "lease.year_one_rate_per_kw_month",
                "lease.escalator_percent",
                "lease.term_months",
                "lease.build_cost_per_it_mw",
                "lease.capital_percent",
                "lease.capital_years",
                "lease.dark_months",
                "lease.four_cp_rate_per_kw_month",
                "lease.discount_percent",
            ],
        ),
        Case::invalid(
            "more IT load than power",
            leasing::CompareWithMiningRequest { critical_it_kw: 330_001, ..good() }.encode_to_vec(),
            &["critical_it_kw"],
        ),
        Case::invalid(
            "no power at all",
            leasing::CompareWithMiningRequest { gross_kw: 0, critical_it_kw: 0, ..good() }.encode_to_vec(),
            &["critical_it_kw", "gross_kw"],
        ),
        Case::invalid("another's site", foreign.encode_to_vec(), &["place"]),
    ]
}
