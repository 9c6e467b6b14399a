//! What a rate card says, there and back.

use std::str::FromStr as _;

use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as wire;
use kernel::{Currency, Percent, Violations};
use runtime::wire::{date, display_name, known, optional_rate, rate, to_date, to_decimal};

use super::mining::{above_zero, count, mine, mine_to_wire, optional_share, share};
use super::terms;
use crate::domain::comparison::Conversion;
use crate::domain::exact;
use crate::domain::rate_card::{
    BANDS_MAX, Band, CardFacts, Change, Cooling, LeaseType, MiningFloor, NetConversion, Redundancy,
};

const TERM_MONTHS_MAX: i32 = 600;
const KW_MAX: i64 = 100_000_000;

/// Reads everything that a draft says.
pub(super) fn facts(v: &mut Violations, card: &wire::RateCard) -> Option<CardFacts> {
    let currency = v.parse("currency_code", &card.currency_code, Currency::from_str);
    let lease_type = known::<inventory::LeaseType>(v, "lease_type", card.lease_type).and_then(lease_type);
    let display_name = display_name(v, "display_name", &card.display_name);
    let bands = bands(v, card);
    let cooling = cooling(v, card);
    let redundancy = redundancies(v, card);
    let escalator = escalator(v, card);
    let min = count(v, "min_term_months", card.min_term_months, 1, TERM_MONTHS_MAX);
    let max = count(v, "max_term_months", card.max_term_months, 1, TERM_MONTHS_MAX);
    let from = date(v, "valid_from_date", card.valid_from_date.as_ref());
    let until = date(v, "valid_until_date", card.valid_until_date.as_ref());
    let limit = optional_share(v, "discount_limit_percent", card.discount_limit_percent.as_ref());
    let floor = optional_rate(v, "floor_per_kw_month", card.floor_per_kw_month.as_ref());
    let mining_floor = mining_floor(v, card, currency);
    let net = net(v, card);
    Some(CardFacts {
        display_name: display_name?,
        currency: currency?,
        lease_type: lease_type?,
        bands: bands?,
        cooling: cooling?,
        redundancy: redundancy?,
        escalator: escalator?,
        min_term_months: min?,
        max_term_months: max?,
        valid_from: from?,
        valid_until: until?,
        discount_limit: limit?.unwrap_or(Percent::ZERO),
        floor: floor?,
        mining_floor: mining_floor?,
        net: net?,
    })
}

/// Reads one field that is to change.
pub(super) fn change(
    v: &mut Violations,
    field: &str,
    card: &wire::RateCard,
    currency: Option<Currency>,
) -> Option<Change> {
    match field {
        "display_name" => display_name(v, field, &card.display_name).map(Change::DisplayName),
        "rates" => bands(v, card).map(Change::Bands),
        "cooling_adders" => cooling(v, card).map(Change::Cooling),
        "redundancy_adders" => redundancies(v, card).map(Change::Redundancy),
        "escalator" => escalator(v, card).map(Change::Escalator),
        "min_term_months" => count(v, field, card.min_term_months, 1, TERM_MONTHS_MAX).map(Change::MinTerm),
        "max_term_months" => count(v, field, card.max_term_months, 1, TERM_MONTHS_MAX).map(Change::MaxTerm),
        "valid_from_date" => date(v, field, card.valid_from_date.as_ref()).map(Change::ValidFrom),
        "valid_until_date" => date(v, field, card.valid_until_date.as_ref()).map(Change::ValidUntil),
        "discount_limit_percent" => {
            let limit = optional_share(v, field, card.discount_limit_percent.as_ref())?;
            Some(Change::DiscountLimit(limit.unwrap_or(Percent::ZERO)))
        }
        "floor_per_kw_month" => optional_rate(v, field, card.floor_per_kw_month.as_ref()).map(Change::Floor),
        "mining_floor" => {
            let floor = mining_floor(v, card, currency)?;
            Some(Change::MiningFloor(floor.map(Box::new)))
        }
        _ => net(v, card).map(Change::Net),
    }
}

fn bands(v: &mut Violations, card: &wire::RateCard) -> Option<Vec<Band>> {
    let counted = (1..=BANDS_MAX).contains(&card.rates.len());
    if !v.require("rates", counted, "needs 1 to 100 entries") {
        return None;
    }
    v.each("rates", &card.rates, |v, sent| {
        let structure = known::<wire::LeaseStructure>(v, "structure", sent.structure);
        let min = count(v, "min_term_months", sent.min_term_months, 0, TERM_MONTHS_MAX);
        let max = count(v, "max_term_months", sent.max_term_months, 0, TERM_MONTHS_MAX);
        let max = max.map(|max| if max == 0 { 600 } else { max });
        let kw = (0..=KW_MAX).contains(&sent.min_kw) && (0..=KW_MAX).contains(&sent.max_kw);
        v.require("max_kw", kw, "both bounds must be from 0 to 100000000 kW");
        let max_kw = if sent.max_kw == 0 { i64::MAX } else { sent.max_kw };
        v.require("max_kw", sent.min_kw <= max_kw, "must not be less than min_kw");
        let rising = min.zip(max).is_none_or(|(min, max)| min <= max);
        v.require("max_term_months", rising, "must not be less than min_term_months");
        let rate = above_zero(v, "rate_per_kw_month", sent.rate_per_kw_month.as_ref());
        Some(Band {
            structure: terms::structure(structure?)?,
            term_months: (min?, max?),
            kw: (sent.min_kw, max_kw),
            rate: rate?,
        })
    })
}

fn cooling(v: &mut Violations, card: &wire::RateCard) -> Option<Vec<(Cooling, kernel::Rate)>> {
    let mut seen = Vec::new();
    v.each_word("cooling_adders", &card.cooling_adders, |v, sent| {
        let kind = known::<inventory::CoolingKind>(v, "cooling_kind", sent.cooling_kind);
        let once = kind.is_none_or(|kind| !seen.contains(&kind));
        v.require("cooling_kind", once, "is named twice");
        seen.extend(kind);
        let adder = rate(v, "adder_per_kw_month", sent.adder_per_kw_month.as_ref());
        let kind = match kind? {
            inventory::CoolingKind::Unspecified => None,
            inventory::CoolingKind::Air => Some(Cooling::Air),
            inventory::CoolingKind::Liquid => Some(Cooling::Liquid),
            inventory::CoolingKind::Immersion => Some(Cooling::Immersion),
        };
        Some((kind?, adder?))
    })
}

fn redundancies(v: &mut Violations, card: &wire::RateCard) -> Option<Vec<(Redundancy, kernel::Rate)>> {
    let mut seen = Vec::new();
    v.each_word("redundancy_adders", &card.redundancy_adders, |v, sent| {
        let kind = known::<inventory::Redundancy>(v, "redundancy", sent.redundancy);
        let once = kind.is_none_or(|kind| !seen.contains(&kind));
        v.require("redundancy", once, "is named twice");
        seen.extend(kind);
        let adder = rate(v, "adder_per_kw_month", sent.adder_per_kw_month.as_ref());
        Some((REDUNDANCIES.iter().find(|(of, _)| Some(*of) == kind)?.1, adder?))
    })
}

const REDUNDANCIES: &[(inventory::Redundancy, Redundancy)] = &[
    (inventory::Redundancy::N, Redundancy::N),
    (inventory::Redundancy::NPlus1, Redundancy::NPlusOne),
    (inventory::Redundancy::TwoN, Redundancy::TwoN),
    (inventory::Redundancy::TwoNPlus1, Redundancy::TwoNPlusOne),
    (inventory::Redundancy::Distributed, Redundancy::Distributed),
];

fn escalator(v: &mut Violations, card: &wire::RateCard) -> Option<Option<kernel::Escalator>> {
    let Some(sent) = &card.escalator else { return Some(None) };
    let draft = v.nested("escalator", |v| terms::escalator(v, sent));
    Some(Some(kernel::Escalator { percent: draft.percent?, basis: draft.basis? }))
}

fn mining_floor(
    v: &mut Violations,
    card: &wire::RateCard,
    currency: Option<Currency>,
) -> Option<Option<MiningFloor>> {
    let Some(sent) = &card.mining_floor else { return Some(None) };
    v.nested("mining_floor", |v| {
        let mine = v
            .present("mining", sent.mining.as_ref())
            .and_then(|mining| v.nested("mining", |v| mine(v, currency, mining)));
        let build = rate(v, "build_cost_per_it_mw", sent.build_cost_per_it_mw.as_ref());
        let capital = share(v, "capital_percent", sent.capital_percent.as_ref());
        let capital_years = count(v, "capital_years", sent.capital_years, 1, 50);
        let dark_months = count(v, "dark_months", sent.dark_months, 0, 120);
        let four_cp = optional_rate(v, "four_cp_rate_per_kw_month", sent.four_cp_rate_per_kw_month.as_ref());
        Some(Some(MiningFloor {
            mine: mine?,
            conversion: Conversion {
                // The quote's own, when there is one.
                term_months: 1,
                build_cost_per_it_mw: build?,
                capital: capital?,
                capital_years: capital_years?,
                dark_months: dark_months?,
                four_cp: four_cp?.unwrap_or(kernel::Rate::ZERO),
                discount: capital?,
            },
        }))
    })
}

fn net(v: &mut Violations, card: &wire::RateCard) -> Option<Option<NetConversion>> {
    let Some(sent) = &card.net_conversion else { return Some(None) };
    v.nested("net_conversion", |v| {
        let cost = rate(v, "operating_cost_per_kw_month", sent.operating_cost_per_kw_month.as_ref());
        let power_price = rate(v, "power_price_per_mwh", sent.power_price_per_mwh.as_ref());
        let pue = rate(v, "pue", sent.pue.as_ref());
        let range = exact::whole(1)..=exact::whole(3);
        let fits = pue.is_none_or(|pue| range.contains(&exact::of_rate(pue)));
        v.require("pue", fits, "must be from 1 to 3");
        let load_factor = share(v, "load_factor_percent", sent.load_factor_percent.as_ref());
        let drawn = load_factor.is_none_or(|factor| factor > Percent::ZERO);
        v.require("load_factor_percent", drawn, "must be more than 0");
        Some(Some(NetConversion {
            operating_cost: cost?,
            power_price: power_price?,
            pue: pue?,
            load_factor: load_factor?,
        }))
    })
}

/// Reads what the tenant gets with a block.
fn lease_type(sent: inventory::LeaseType) -> Option<LeaseType> {
    match sent {
        inventory::LeaseType::Unspecified => None,
        inventory::LeaseType::PoweredShell => Some(LeaseType::PoweredShell),
        inventory::LeaseType::Turnkey => Some(LeaseType::Turnkey),
        inventory::LeaseType::GpuCloud => Some(LeaseType::GpuCloud),
    }
}

/// Writes what a card says, and nothing else of it.
pub(super) fn to_wire(facts: &CardFacts) -> wire::RateCard {
    let lease_type = match facts.lease_type {
        LeaseType::PoweredShell => inventory::LeaseType::PoweredShell,
        LeaseType::Turnkey => inventory::LeaseType::Turnkey,
        LeaseType::GpuCloud => inventory::LeaseType::GpuCloud,
    };
    wire::RateCard {
        display_name: facts.display_name.clone(),
        currency_code: facts.currency.code().to_owned(),
        lease_type: lease_type.into(),
        rates: facts.bands.iter().map(band_to_wire).collect(),
        cooling_adders: facts.cooling.iter().map(cooling_to_wire).collect(),
        redundancy_adders: facts.redundancy.iter().map(redundancy_to_wire).collect(),
        escalator: facts.escalator.as_ref().map(terms::escalator_to_wire),
        min_term_months: terms::small(facts.min_term_months),
        max_term_months: terms::small(facts.max_term_months),
        valid_from_date: Some(to_date(facts.valid_from)),
        valid_until_date: Some(to_date(facts.valid_until)),
        discount_limit_percent: Some(to_decimal(facts.discount_limit)),
        floor_per_kw_month: facts.floor.map(to_decimal),
        mining_floor: facts.mining_floor.as_ref().map(floor_to_wire),
        net_conversion: facts.net.as_ref().map(net_to_wire),
        ..wire::RateCard::default()
    }
}

fn band_to_wire(band: &Band) -> wire::RateBand {
    wire::RateBand {
        structure: terms::structure_to_wire(band.structure).into(),
        min_term_months: terms::small(band.term_months.0),
        max_term_months: terms::small(band.term_months.1),
        min_kw: band.kw.0,
        max_kw: if band.kw.1 == i64::MAX { 0 } else { band.kw.1 },
        rate_per_kw_month: Some(to_decimal(band.rate)),
    }
}

fn cooling_to_wire((kind, adder): &(Cooling, kernel::Rate)) -> wire::CoolingAdder {
    let kind = match kind {
        Cooling::Air => inventory::CoolingKind::Air,
        Cooling::Liquid => inventory::CoolingKind::Liquid,
        Cooling::Immersion => inventory::CoolingKind::Immersion,
    };
    wire::CoolingAdder { cooling_kind: kind.into(), adder_per_kw_month: Some(to_decimal(adder)) }
}

fn redundancy_to_wire((kind, adder): &(Redundancy, kernel::Rate)) -> wire::RedundancyAdder {
    let kind = REDUNDANCIES.iter().find(|(_, of)| of == kind).map(|(wire, _)| *wire);
    wire::RedundancyAdder {
        redundancy: kind.unwrap_or(inventory::Redundancy::Unspecified).into(),
        adder_per_kw_month: Some(to_decimal(adder)),
    }
}

fn net_to_wire(net: &NetConversion) -> wire::NetConversion {
    wire::NetConversion {
        operating_cost_per_kw_month: Some(to_decimal(net.operating_cost)),
        power_price_per_mwh: Some(to_decimal(net.power_price)),
        pue: Some(to_decimal(net.pue)),
        load_factor_percent: Some(to_decimal(net.load_factor)),
    }
}

fn floor_to_wire(floor: &MiningFloor) -> wire::MiningFloor {
    let conversion = &floor.conversion;
    wire::MiningFloor {
        mining: Some(mine_to_wire(&floor.mine)),
        build_cost_per_it_mw: Some(to_decimal(conversion.build_cost_per_it_mw)),
        capital_percent: Some(to_decimal(conversion.capital)),
        capital_years: terms::small(conversion.capital_years),
        dark_months: terms::small(conversion.dark_months),
        four_cp_rate_per_kw_month: Some(to_decimal(conversion.four_cp)),
    }
}
