//! The counter of invoice numbers.

use kernel::{Error, OperatorId};
use postgres::store_error;
use sea_orm::ConnectionTrait;

use super::rows::{broken, statement};
use crate::domain::number::Series;

/// Draws `count` numbers and gives the first. The counter's row is locked to the end of the transaction, so this is
/// called last before the writes that use the numbers, and the database refuses a commit that leaves one unused.
pub async fn draw(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    series: Series,
    count: usize,
) -> Result<i64, Error> {
    let count = i64::try_from(count).map_err(|error| broken("last_number", error))?;
    let sql = "insert into billing.number_counter as c (operator_id, series, last_number) values ($1, $2, $3) \
               on conflict (operator_id, series) do update set last_number = c.last_number + $3 \
               returning last_number";
    let values = [operator.as_str().into(), series.as_str().into(), count.into()];
    let row = conn
        .query_one_raw(statement(sql, values))
        .await
        .map_err(store_error)?
        .ok_or_else(|| broken("last_number", "was not given"))?;
    let last: i64 = row.try_get_by_index(0).map_err(store_error)?;
    Ok(last - count + 1)
}
