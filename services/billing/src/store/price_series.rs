//! Values of price indexes.

use std::collections::{BTreeSet, HashMap};

use kernel::{Error, IndexValues, Instant, PriceSeriesId, PriceSeriesName, Rate, YearMonth};
use postgres::page::after_last;
use postgres::{insert_all, is_unique_violation, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use serde::{Deserialize, Serialize};

use super::entity::price_series_value::{self, Column as C};
use super::listing::{Page, Paged};
use super::rows::{broken, parse};
use crate::domain::price_series::{Recorded, SeriesValue, counting};

/// Writes new values.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when another transaction recorded one of them first: tried again, it sees that.
pub async fn insert(
    conn: &impl ConnectionTrait,
    name: &PriceSeriesName,
    values: &[SeriesValue],
    now: Instant,
) -> Result<(), Error> {
    let rows = values.iter().map(|value| price_series_value::ActiveModel {
        operator_id: Set(name.operator.to_string()),
        price_series_id: Set(name.price_series.to_string()),
        month: Set(value.month.first_day()),
        revision: Set(value.revision),
        value: Set(value.value.into()),
        source: Set(value.source.clone()),
        create_time: Set(now),
    });
    insert_all(conn, rows).await.map_err(|error| match is_unique_violation(&error) {
        true => Error::transaction_conflict().with_source(error),
        false => store_error(error),
    })
}

/// What is recorded of some months.
pub async fn of_months(
    conn: &impl ConnectionTrait,
    name: &PriceSeriesName,
    months: impl IntoIterator<Item = YearMonth>,
) -> Result<Vec<SeriesValue>, Error> {
    let rows = price_series_value::Entity::find()
        .filter(C::OperatorId.eq(name.operator.as_str()))
        .filter(C::PriceSeriesId.eq(name.price_series.as_str()))
        .filter(C::Month.is_in(months.into_iter().map(YearMonth::first_day)))
        .all(conn)
        .await
        .map_err(store_error)?;
    rows.iter().map(|row| Ok(value_of(row)?.0)).collect()
}

/// Sort key of values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValueKey(pub kernel::CivilDate, pub i32);

/// Values by month, then revision.
pub async fn list(
    conn: &impl ConnectionTrait,
    name: &PriceSeriesName,
    page: &Page<ValueKey>,
) -> Result<Paged<Recorded>, Error> {
    let after = page.after.as_ref().map(|ValueKey(month, revision)| {
        after_last(C::Month.gt(*month), C::Month.eq(*month), C::Revision.gt(*revision))
    });
    let rows = price_series_value::Entity::find()
        .filter(C::OperatorId.eq(name.operator.as_str()))
        .filter(C::PriceSeriesId.eq(name.price_series.as_str()))
        .filter(Condition::all().add_option(after))
        .order_by_asc(C::Month)
        .order_by_asc(C::Revision)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    Ok(Paged { rows: paged.rows.iter().map(value_of).collect::<Result<_, _>>()?, more: paged.more })
}

/// The values that count of some of an operator's series.
pub(super) async fn counting_of(
    conn: &impl ConnectionTrait,
    operator: &str,
    series: &BTreeSet<PriceSeriesId>,
) -> Result<HashMap<PriceSeriesId, IndexValues>, Error> {
    if series.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = price_series_value::Entity::find()
        .filter(C::OperatorId.eq(operator))
        .filter(C::PriceSeriesId.is_in(series.iter().map(PriceSeriesId::as_str)))
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut values: HashMap<PriceSeriesId, Vec<(YearMonth, i32, Rate)>> = HashMap::new();
    for row in rows {
        let (value, _) = value_of(&row)?;
        let series = parse("price_series_id", &row.price_series_id)?;
        values.entry(series).or_default().push((value.month, value.revision, value.value));
    }
    Ok(values.into_iter().map(|(series, values)| (series, counting(values))).collect())
}

fn value_of(row: &price_series_value::Model) -> Result<Recorded, Error> {
    let value = SeriesValue {
        month: YearMonth::of(row.month),
        revision: row.revision,
        value: row.value.try_into().map_err(|error| broken("value", error))?,
        source: row.source.clone(),
    };
    Ok((value, row.create_time))
}
