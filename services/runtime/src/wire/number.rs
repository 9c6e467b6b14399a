//! Quantities and money.

use std::fmt::Display;
use std::str::FromStr as _;

use contracts::common::v1 as common;
use contracts::google::r#type as google;
use kernel::{CapacityVector, Currency, Money, Percent, Rate, Resource, Violations};

/// No site has more; a larger number is a mistake of units.
const KW_MAX: i64 = 100_000_000;
/// Nor more accelerators than it has kilowatts.
const ACCELERATORS_MAX: i64 = 100_000_000;
const NANOS: i64 = 1_000_000_000;

/// Reads a capacity vector that must be there: no lane is negative.
pub fn capacity(
    v: &mut Violations,
    field: &str,
    vector: Option<&common::CapacityVector>,
) -> Option<CapacityVector> {
    let vector = v.present(field, vector)?;
    v.nested(field, |v| {
        let mut lane = |name: &str, kw: i64| {
            v.require(name, (0..=KW_MAX).contains(&kw), "must be from 0 to 100000000 kW").then_some(kw)
        };
        let critical_it = lane("critical_it_kw", vector.critical_it_kw);
        let air = lane("air_cooling_kw", vector.air_cooling_kw);
        let liquid = lane("liquid_cooling_kw", vector.liquid_cooling_kw);
        let immersion = lane("immersion_cooling_kw", vector.immersion_cooling_kw);
        let accelerators = v
            .require(
                "accelerators",
                (0..=ACCELERATORS_MAX).contains(&vector.accelerators),
                "must be from 0 to 100000000",
            )
            .then_some(vector.accelerators);
        CapacityVector::new(critical_it?, air?, liquid?, immersion?)?.with_accelerators(accelerators?)
    })
}

/// Writes a capacity vector.
pub fn to_capacity(vector: CapacityVector) -> common::CapacityVector {
    common::CapacityVector {
        critical_it_kw: vector.critical_it,
        air_cooling_kw: vector.air,
        liquid_cooling_kw: vector.liquid,
        immersion_cooling_kw: vector.immersion,
        accelerators: vector.accelerators,
    }
}

/// Writes a lane's name.
pub fn to_resource(resource: Resource) -> common::Resource {
    match resource {
        Resource::CriticalIt => common::Resource::CriticalIt,
        Resource::AirCooling => common::Resource::AirCooling,
        Resource::LiquidCooling => common::Resource::LiquidCooling,
        Resource::ImmersionCooling => common::Resource::ImmersionCooling,
        Resource::Accelerators => common::Resource::Accelerators,
    }
}

/// Reads a rate that must be there and must not be negative.
pub fn rate(v: &mut Violations, field: &str, decimal: Option<&google::Decimal>) -> Option<Rate> {
    let decimal = v.present(field, decimal)?;
    let rate = v.parse(field, &decimal.value, Rate::from_str)?;
    v.require(field, !rate.is_negative(), "must not be negative").then_some(rate)
}

/// Reads a rate that may be left out.
pub fn optional_rate(
    v: &mut Violations,
    field: &str,
    decimal: Option<&google::Decimal>,
) -> Option<Option<Rate>> {
    match decimal {
        None => Some(None),
        some => rate(v, field, some).map(Some),
    }
}

/// Reads a percentage that must be there; it may be negative.
pub fn percent(v: &mut Violations, field: &str, decimal: Option<&google::Decimal>) -> Option<Percent> {
    let decimal = v.present(field, decimal)?;
    v.parse(field, &decimal.value, Percent::from_str)
}

/// Writes a rate or a percentage.
pub fn to_decimal(number: impl Display) -> google::Decimal {
    google::Decimal { value: number.to_string() }
}

/// Reads an amount that must be there, without a fraction of its currency's minor unit.
pub fn money(v: &mut Violations, field: &str, money: Option<&google::Money>) -> Option<Money> {
    let money = v.present(field, money)?;
    v.nested(field, |v| {
        let currency = v.parse("currency_code", &money.currency_code, Currency::from_str)?;
        let minor = minor_units(money.units, money.nanos, currency);
        if minor.is_none() {
            v.add("", "must be a number of minor units, with units and nanos of one sign");
        }
        Some(Money::new(minor?, currency))
    })
}

fn minor_units(units: i64, nanos: i32, currency: Currency) -> Option<i64> {
    let nanos = i64::from(nanos);
    let one_sign = nanos == 0 || units == 0 || (nanos < 0) == (units < 0);
    let scale = 10_i64.pow(u32::from(currency.minor_digits()));
    let nanos_per_minor = NANOS / scale;
    if !one_sign || nanos.abs() >= NANOS || nanos % nanos_per_minor != 0 {
        return None;
    }
    units.checked_mul(scale)?.checked_add(nanos / nanos_per_minor)
}

/// Writes an amount.
pub fn to_money(money: Money) -> google::Money {
    let scale = 10_i64.pow(u32::from(money.currency.minor_digits()));
    // The remainder is below 10^9 whatever the currency, so the conversion cannot fail.
    let nanos = i32::try_from(money.minor % scale * (NANOS / scale)).unwrap_or(0);
    google::Money { currency_code: money.currency.code().to_owned(), units: money.minor / scale, nanos }
}
