//! Loads from the wire, and what they come to onto it.

use contracts::billing::v1 as wire;
use kernel::{Error, MeterName, Rate, TariffName, Violations};
use runtime::wire::{date_range, instant, optional_rate, to_date, to_decimal, to_money};

use crate::app::{EnergyOf, Prices, RateLoad, Rated, etag_of};
use crate::domain::meter::IntervalLength;
use crate::domain::rating::RatedLine;

const CYCLE_DAYS_MAX: i64 = 62;
const KW_MAX: i64 = 100_000_000;
/// A hundred gigawatts for a year.
const WH_MAX: i64 = 1_000_000_000_000_000;
const PRICES_MAX: usize = 20_000;
const DECIMALS: u8 = 10;

pub(super) fn ask(request: &wire::RateLoadRequest) -> Result<RateLoad, Error> {
    let mut v = Violations::new();
    let tariff = v.parse("name", &request.name, str::parse::<TariffName>);
    let start = ("start_date", request.start_date.as_ref());
    let cycle = date_range(&mut v, start, ("end_date", request.end_date.as_ref()));
    let most = if request.meter.is_empty() { CYCLE_DAYS_MAX } else { 31 };
    if cycle.is_some_and(|cycle| cycle.days() > most) {
        v.add("end_date", format!("must be at most {most} days after start_date"));
    }
    let energy = energy(&mut v, request, tariff.as_ref());
    kw(&mut v, "contracted_kw", request.contracted_kw);
    kw(&mut v, "coincident_kw", request.coincident_kw);
    wh(&mut v, "year_before_wh", request.year_before_wh);
    let prices = match &request.prices {
        None => Some(None),
        Some(asked) => v.nested("prices", |v| prices(v, asked)).map(Some),
    };
    let cap = optional_rate(&mut v, "pue_cap", request.pue_cap.as_ref());
    wh(&mut v, "it_energy_wh", request.it_energy_wh);
    let both = request.pue_cap.is_some() == (request.it_energy_wh != 0);
    v.require("pue_cap", both, "and it_energy_wh must be given together");
    v.build(|| {
        Some(RateLoad {
            tariff: tariff?,
            cycle: cycle?,
            energy: energy?,
            contracted_kw: request.contracted_kw,
            coincident_kw: request.coincident_kw,
            year_before_wh: request.year_before_wh,
            prices: prices?,
            pue: cap?.map(|cap| (cap, request.it_energy_wh)),
        })
    })
}

fn energy(
    v: &mut Violations,
    request: &wire::RateLoadRequest,
    tariff: Option<&TariffName>,
) -> Option<EnergyOf> {
    match (&request.stated, request.meter.is_empty()) {
        (Some(stated), true) => v.nested("stated", |v| {
            wh(v, "energy_wh", stated.energy_wh);
            kw(v, "peak_kw", stated.peak_kw);
            Some(EnergyOf::Stated { energy_wh: stated.energy_wh, peak_kw: stated.peak_kw })
        }),
        (None, false) => {
            let meter = v.parse("meter", &request.meter, str::parse::<MeterName>)?;
            let own = tariff.is_none_or(|tariff| tariff.operator == meter.operator);
            v.require("meter", own, "must be a meter of the tariff's operator")
                .then_some(EnergyOf::Meter(meter))
        }
        _ => {
            v.add("meter", "is required unless stated is given, and not allowed beside it");
            None
        }
    }
}

fn kw(v: &mut Violations, field: &str, kw: i64) {
    v.require(field, (0..=KW_MAX).contains(&kw), "must be from 0 to 100000000 kW");
}

fn wh(v: &mut Violations, field: &str, wh: i64) {
    v.require(field, (0..=WH_MAX).contains(&wh), "must be from 0 to 1000000000000000 Wh");
}

fn prices(v: &mut Violations, prices: &wire::IntervalPrices) -> Option<Prices> {
    let start = instant(v, "start_time", prices.start_time.as_ref());
    let interval = IntervalLength::of_minutes(prices.interval_minutes);
    v.require("interval_minutes", interval.is_some(), "must be a divisor of 60, such as 15");
    let few = (1..=PRICES_MAX).contains(&prices.per_kwh.len());
    v.require("per_kwh", few, "must be 1 to 20000 prices");
    let per_kwh = v.each("per_kwh", prices.per_kwh.iter().take(PRICES_MAX), |v, price| {
        v.parse("", &price.value, str::parse::<Rate>)
    });
    Some(Prices { start: start?, interval: interval?, per_kwh: per_kwh? })
}

pub(super) fn answer(rated: &Rated) -> wire::RateLoadResponse {
    let kwh = |exact: &kernel::Exact| Some(to_decimal(exact.display(DECIMALS)));
    wire::RateLoadResponse {
        lines: rated.lines.iter().map(line).collect(),
        total: Some(to_money(rated.total)),
        billable_kwh: kwh(&rated.passed.billable_kwh),
        absorbed_kwh: kwh(&rated.passed.absorbed_kwh),
        absorbed: Some(to_money(rated.absorbed)),
        estimated_wh: rated.estimated_wh,
        tariff_etag: etag_of(rated.tariff_version),
        served: rated.served,
        collateral: Some(to_money(rated.collateral.0)),
        collateral_least: Some(to_money(rated.collateral.1)),
    }
}

fn line(line: &RatedLine) -> wire::RatedLine {
    let days = |days: i64| i32::try_from(days).unwrap_or(i32::MAX);
    wire::RatedLine {
        code: line.code.clone(),
        band: line.band.clone().unwrap_or_default(),
        period_start_date: Some(to_date(line.period.start())),
        period_end_date: Some(to_date(line.period.end())),
        quantity: Some(to_decimal(line.quantity.display(DECIMALS))),
        unit: line.unit.as_str().to_owned(),
        rate: Some(to_decimal(line.rate.display(DECIMALS))),
        days: days(line.days.0),
        days_in_cycle: days(line.days.1),
        amount: Some(to_money(line.amount)),
        formula: line.formula.clone(),
    }
}
