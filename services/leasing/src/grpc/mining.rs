//! Mines, and the lease they are compared with, there and back.

use std::str::FromStr as _;

use contracts::leasing::v1 as wire;
use kernel::{Currency, Error, Money, OperatorName, Percent, Rate, Violations};
use runtime::wire::{optional_known, optional_rate, percent, rate, to_decimal, to_money};

use crate::app::{CompareWithMining, PowerOf};
use crate::domain::comparison::{Comparison, Conversion, LeaseCase, LeaseResult, Place, PlaceName};
use crate::domain::exact::{self, Ratio};
use crate::domain::mining::{Coin, CoinResult, Excise, Machines, Mine, MineResult};

type Decimal = contracts::google::r#type::Decimal;

/// No place has more power.
const KW_MAX: i64 = 100_000_000;
const TERM_MONTHS_MAX: i32 = 600;

/// Reads a comparison.
pub(super) fn compare(request: &wire::CompareWithMiningRequest) -> Result<CompareWithMining, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let power = power(&mut v, parent.as_ref(), request);
    let currency = v.parse("currency_code", &request.currency_code, Currency::from_str);
    let mine = v
        .present("mining", request.mining.as_ref())
        .and_then(|mining| v.nested("mining", |v| mine(v, currency, mining)));
    let lease =
        v.present("lease", request.lease.as_ref()).and_then(|lease| v.nested("lease", |v| case(v, lease)));
    v.build(|| {
        Some(CompareWithMining { operator: parent?.operator, power: power?, mine: mine?, lease: lease? })
    })
}

fn power(
    v: &mut Violations,
    parent: Option<&OperatorName>,
    request: &wire::CompareWithMiningRequest,
) -> Option<PowerOf> {
    if !request.place.is_empty() {
        let place = v.parse("place", &request.place, str::parse::<PlaceName>);
        let own = place.as_ref().zip(parent).is_none_or(|(place, own)| *place.operator() == own.operator);
        v.require("place", own, "must be the parent's");
        v.require("gross_kw", request.gross_kw == 0, "must be left out beside a place");
        v.require("critical_it_kw", request.critical_it_kw == 0, "must be left out beside a place");
        return place.map(PowerOf::Place);
    }
    let gross = (1..=KW_MAX).contains(&request.gross_kw);
    v.require("gross_kw", gross, "must be from 1 to 100000000 kW, or name a place");
    let carried = (1..=request.gross_kw.max(1)).contains(&request.critical_it_kw);
    v.require("critical_it_kw", carried, "must be from 1 kW to the gross power, or name a place");
    Some(PowerOf::Given(Place { gross_kw: request.gross_kw, critical_it_kw: request.critical_it_kw }))
}

/// Reads a mine.
pub(super) fn mine(v: &mut Violations, currency: Option<Currency>, sent: &wire::MiningCase) -> Option<Mine> {
    let hashprice = above_zero(v, "hashprice_per_ph_day", sent.hashprice_per_ph_day.as_ref());
    let efficiency =
        above_zero(v, "efficiency_joules_per_terahash", sent.efficiency_joules_per_terahash.as_ref());
    let overhead = between(v, "overhead_factor", sent.overhead_factor.as_ref(), 1, 3);
    let uptime = share(v, "uptime_percent", sent.uptime_percent.as_ref());
    let runs = uptime.is_none_or(|uptime| uptime > Percent::ZERO);
    v.require("uptime_percent", runs, "must be more than 0");
    let days_per_month = between(v, "days_per_month", sent.days_per_month.as_ref(), 28, 31);
    let power_price = rate(v, "power_price_per_mwh", sent.power_price_per_mwh.as_ref());
    let operating_cost = optional_rate(v, "operating_cost_per_mwh", sent.operating_cost_per_mwh.as_ref());
    let excise = optional_known::<wire::MiningExcise>(v, "excise", sent.excise);
    let machines = machines(v, sent);
    let coin = match &sent.coin {
        None => Some(None),
        Some(sent) => v.nested("coin", |v| coin(v, sent)).map(Some),
    };
    Some(Mine {
        currency: currency?,
        hashprice: hashprice?,
        efficiency: efficiency?,
        overhead: overhead?,
        uptime: uptime?,
        days_per_month: days_per_month?,
        power_price: power_price?,
        operating_cost: operating_cost?.unwrap_or(Rate::ZERO),
        excise: match excise? {
            Some(wire::MiningExcise::NewYorkProposed) => Some(Excise::NewYorkProposed),
            Some(wire::MiningExcise::Unspecified) | None => None,
        },
        machines: machines?,
        coin: coin?,
    })
}

fn machines(v: &mut Violations, sent: &wire::MiningCase) -> Option<Option<Machines>> {
    let price = optional_rate(v, "machine_price_per_terahash", sent.machine_price_per_terahash.as_ref())?;
    let Some(price_per_terahash) = price else {
        let left_out = sent.machine_life_months == 0;
        return v.require("machine_life_months", left_out, "is for new machines only").then_some(None);
    };
    let life_months = count(v, "machine_life_months", sent.machine_life_months, 1, 120)?;
    Some(Some(Machines { price_per_terahash, life_months }))
}

fn coin(v: &mut Violations, sent: &wire::CoinCase) -> Option<Coin> {
    let price = above_zero(v, "coin_price", sent.coin_price.as_ref());
    let network_ph = above_zero(v, "network_hashrate_ph", sent.network_hashrate_ph.as_ref());
    let cash_cost = rate(v, "cash_cost_per_coin", sent.cash_cost_per_coin.as_ref());
    let all_in_cost = rate(v, "all_in_cost_per_coin", sent.all_in_cost_per_coin.as_ref());
    Some(Coin { price: price?, network_ph: network_ph?, cash_cost: cash_cost?, all_in_cost: all_in_cost? })
}

fn case(v: &mut Violations, sent: &wire::LeaseCase) -> Option<LeaseCase> {
    let year_one = above_zero(v, "year_one_rate_per_kw_month", sent.year_one_rate_per_kw_month.as_ref());
    let escalator = optional_share(v, "escalator_percent", sent.escalator_percent.as_ref());
    let term_months = count(v, "term_months", sent.term_months, 1, TERM_MONTHS_MAX);
    let build = rate(v, "build_cost_per_it_mw", sent.build_cost_per_it_mw.as_ref());
    let capital = share(v, "capital_percent", sent.capital_percent.as_ref());
    let capital_years = count(v, "capital_years", sent.capital_years, 1, 50);
    let dark_months = count(v, "dark_months", sent.dark_months, 0, 120);
    let four_cp = optional_rate(v, "four_cp_rate_per_kw_month", sent.four_cp_rate_per_kw_month.as_ref());
    let discount = optional_share(v, "discount_percent", sent.discount_percent.as_ref());
    Some(LeaseCase {
        year_one: year_one?,
        escalator: escalator?.unwrap_or(Percent::ZERO),
        conversion: Conversion {
            term_months: term_months?,
            build_cost_per_it_mw: build?,
            capital: capital?,
            capital_years: capital_years?,
            dark_months: dark_months?,
            four_cp: four_cp?.unwrap_or(Rate::ZERO),
            discount: discount?.or(capital)?,
        },
    })
}

/// Reads a rate that must be above nothing.
pub(super) fn above_zero(v: &mut Violations, field: &str, sent: Option<&Decimal>) -> Option<Rate> {
    let read = rate(v, field, sent)?;
    v.require(field, read.is_positive(), "must be more than 0").then_some(read)
}

fn between(v: &mut Violations, field: &str, sent: Option<&Decimal>, least: i64, most: i64) -> Option<Rate> {
    let read = rate(v, field, sent)?;
    let exact = exact::of_rate(read);
    if exact < exact::whole(least) || exact > exact::whole(most) {
        v.add(field, format!("must be from {least} to {most}"));
        return None;
    }
    Some(read)
}

/// Reads a percentage from 0 to 100.
pub(super) fn share(v: &mut Violations, field: &str, sent: Option<&Decimal>) -> Option<Percent> {
    let read = percent(v, field, sent)?;
    let whole = exact::share(read) <= exact::whole(1);
    v.require(field, whole && !read.is_negative(), "must be from 0 to 100").then_some(read)
}

/// Reads a percentage from 0 to 100 that may be left out.
pub(super) fn optional_share(
    v: &mut Violations,
    field: &str,
    sent: Option<&Decimal>,
) -> Option<Option<Percent>> {
    match sent {
        None => Some(None),
        some => share(v, field, some).map(Some),
    }
}

/// Reads a count within bounds.
pub(super) fn count(v: &mut Violations, field: &str, sent: i32, least: i32, most: i32) -> Option<u32> {
    if !(least..=most).contains(&sent) {
        v.add(field, format!("must be from {least} to {most}"));
        return None;
    }
    u32::try_from(sent).ok()
}

/// Writes a mine.
pub(super) fn mine_to_wire(mine: &Mine) -> wire::MiningCase {
    let excise = match mine.excise {
        None => wire::MiningExcise::Unspecified,
        Some(Excise::NewYorkProposed) => wire::MiningExcise::NewYorkProposed,
    };
    wire::MiningCase {
        hashprice_per_ph_day: Some(to_decimal(mine.hashprice)),
        efficiency_joules_per_terahash: Some(to_decimal(mine.efficiency)),
        overhead_factor: Some(to_decimal(mine.overhead)),
        uptime_percent: Some(to_decimal(mine.uptime)),
        days_per_month: Some(to_decimal(mine.days_per_month)),
        power_price_per_mwh: Some(to_decimal(mine.power_price)),
        operating_cost_per_mwh: Some(to_decimal(mine.operating_cost)),
        excise: excise.into(),
        machine_price_per_terahash: mine.machines.map(|machines| to_decimal(machines.price_per_terahash)),
        machine_life_months: mine.machines.map_or(0, |machines| super::terms::small(machines.life_months)),
        coin: mine.coin.map(|coin| wire::CoinCase {
            coin_price: Some(to_decimal(coin.price)),
            network_hashrate_ph: Some(to_decimal(coin.network_ph)),
            cash_cost_per_coin: Some(to_decimal(coin.cash_cost)),
            all_in_cost_per_coin: Some(to_decimal(coin.all_in_cost)),
        }),
    }
}

/// Writes a comparison, rounding each figure once.
pub(super) fn compared(
    place: Place,
    comparison: &Comparison,
    currency: Currency,
) -> Result<wire::CompareWithMiningResponse, Error> {
    let told = Told { currency };
    Ok(wire::CompareWithMiningResponse {
        gross_kw: place.gross_kw,
        critical_it_kw: place.critical_it_kw,
        mining: Some(told.mine(&comparison.mine)?),
        lease: Some(told.lease(&comparison.lease)?),
        coin: comparison.mine.coin.as_ref().map(|coin| told.coin(coin)).transpose()?,
        downtime_cost: told.money(&comparison.downtime_cost)?,
        lease_present_value: told.money(&comparison.lease_present_value)?,
        mining_present_value: told.money(&comparison.mining_present_value)?,
        lease_advantage: told.money(&comparison.advantage())?,
        assumptions: comparison.assumptions.clone(),
    })
}

/// Writes exact figures in one currency.
struct Told {
    currency: Currency,
}

type WireMoney = contracts::google::r#type::Money;

impl Told {
    fn money(&self, value: &Ratio) -> Result<Option<WireMoney>, Error> {
        let money: Option<Money> = exact::money(value, self.currency);
        money.map(|money| Some(to_money(money))).ok_or_else(too_large)
    }

    fn rate(value: &Ratio) -> Result<Option<Decimal>, Error> {
        exact::rate(value).map(|rate| Some(to_decimal(rate))).ok_or_else(too_large)
    }

    fn mine(&self, mine: &MineResult) -> Result<wire::MiningResult, Error> {
        Ok(wire::MiningResult {
            hashrate_ph: Self::rate(&mine.hashrate)?,
            revenue: self.money(&mine.revenue)?,
            revenue_per_mwh: self.money(&mine.revenue_per_mwh)?,
            power_cost: self.money(&mine.power_cost)?,
            operating_cost: self.money(&mine.operating_cost)?,
            excise: self.money(&mine.excise)?,
            excise_per_year: self.money(&mine.excise_per_year)?,
            margin: self.money(&mine.margin)?,
            margin_after_machines: self.money(&mine.margin_after_machines)?,
            break_even_hashprice: Self::rate(&mine.break_even_hashprice)?,
            break_even_power_price_per_mwh: Self::rate(&mine.break_even_power_price)?,
        })
    }

    fn lease(&self, lease: &LeaseResult) -> Result<wire::LeaseResult, Error> {
        Ok(wire::LeaseResult {
            cash_rent: self.money(&lease.cash_rent)?,
            average_cash_rent: self.money(&lease.average_cash_rent)?,
            capital_charge: self.money(&lease.capital_charge)?,
            rent_after_capital: self.money(&lease.after_capital())?,
            average_rent_after_capital: self.money(&lease.average_after_capital())?,
            lost_four_cp_saving: self.money(&lease.lost_four_cp)?,
            net_rent: self.money(&lease.net())?,
            average_net_rent: self.money(&lease.average_net())?,
            break_even_rate_per_kw_month: Self::rate(&lease.break_even_rate)?,
            break_even_hashprice: Self::rate(&lease.break_even_hashprice)?,
        })
    }

    fn coin(&self, coin: &CoinResult) -> Result<wire::CoinResult, Error> {
        Ok(wire::CoinResult {
            coins: Self::rate(&coin.coins)?,
            cash_margin: self.money(&coin.cash_margin)?,
            all_in_margin: self.money(&coin.all_in_margin)?,
            implied_hashprice_per_ph_day: Self::rate(&coin.implied_hashprice)?,
            power_per_coin_mwh: Self::rate(&coin.power_per_coin)?,
            power_cost_per_coin: self.money(&coin.power_cost_per_coin)?,
        })
    }
}

fn too_large() -> Error {
    Error::refused(kernel::Reason::TermOutOfRange, "A figure of this comparison is too large to be told.")
}
