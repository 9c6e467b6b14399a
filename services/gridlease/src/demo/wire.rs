//! Our words to the wire's and back.

use anyhow::Context as _;
use contracts::common::v1::CapacityVector;
use contracts::google::r#type::{Date, Decimal, Money};
use kernel::{CivilDate, Ids as _, SystemIds};

/// A civil date.
pub(super) fn date(day: CivilDate) -> Option<Date> {
    use chrono::Datelike as _;
    Some(Date {
        year: day.year(),
        month: i32::try_from(day.month()).ok()?,
        day: i32::try_from(day.day()).ok()?,
    })
}

/// A civil date that an answer must carry.
pub(super) fn civil(day: Option<&Date>) -> anyhow::Result<CivilDate> {
    let day = day.context("an answer without its date")?;
    let (month, of_month) = (u32::try_from(day.month)?, u32::try_from(day.day)?);
    CivilDate::from_ymd_opt(day.year, month, of_month).context("an answer with a date that is none")
}

/// An exact decimal.
pub(super) fn decimal(value: &impl ToString) -> Option<Decimal> {
    Some(Decimal { value: value.to_string() })
}

/// Dollars and nanos as cents; anything finer would be a fault of the server.
pub(super) fn cents(money: Option<&Money>) -> anyhow::Result<i64> {
    const NANOS_PER_CENT: i32 = 10_000_000;
    let money = money.context("an answer without its amount")?;
    anyhow::ensure!(money.currency_code == "USD", "an amount in {}", money.currency_code);
    anyhow::ensure!(money.nanos % NANOS_PER_CENT == 0, "an amount finer than a cent");
    let whole = money.units.checked_mul(100).context("an amount beyond all bounds")?;
    Ok(whole + i64::from(money.nanos / NANOS_PER_CENT))
}

/// IT load with its cooling.
pub(super) fn vector(
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
) -> Option<CapacityVector> {
    Some(CapacityVector { critical_it_kw, air_cooling_kw, liquid_cooling_kw, ..Default::default() })
}

/// The identity of one request: sent again after a lost answer it has no second effect.
pub(super) fn request_id() -> String {
    SystemIds.next().to_string()
}

/// A length of time.
pub(super) fn days(count: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds: count * 86_400, nanos: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_to_the_cent_or_not_at_all() {
        let usd = |units, nanos| Money { currency_code: "USD".to_owned(), units, nanos };
        assert_eq!(cents(Some(&usd(7, 890_000_000))).expect("a sum"), 789);
        assert_eq!(cents(Some(&usd(-1, -600_000_000))).expect("a sum"), -160);
        assert!(cents(Some(&usd(0, 1))).is_err());
        assert!(cents(None).is_err());
    }

    #[test]
    fn dates_go_there_and_back() {
        let day = CivilDate::from_ymd_opt(2026, 12, 15).expect("a day");
        assert_eq!(civil(date(day).as_ref()).expect("a day"), day);
        assert!(civil(Some(&Date { year: 2026, month: 0, day: 0 })).is_err());
    }
}
