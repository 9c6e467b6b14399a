//! Reckonings, and what of their charges was billed.

use std::collections::BTreeMap;

use kernel::{CivilDate, DateRange, Error, Instant, LeaseId, OperatorId, ReckoningId, YearMonth};
use postgres::{insert_all, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};

use super::entity::{invoice_line, reckoning};
use super::lease::LeaseSpan;
use super::rows::{broken, parse, place_of};
use crate::domain::lease::BlockRef;
use crate::domain::reckoned::{Billed, BilledCharges, Detail, ReckonedKey};
use crate::domain::reckoning::Reckoning;

/// Writes reckonings, each with its lease.
pub async fn insert(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    reckonings: &[(LeaseId, Reckoning)],
    now: Instant,
) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(reckonings.len());
    for (lease, reckoning) in reckonings {
        rows.push(reckoning::ActiveModel {
            operator_id: Set(operator.to_string()),
            reckoning_id: Set(reckoning.id.get()),
            lease_id: Set(lease.to_string()),
            site_id: Set(reckoning.place.as_ref().map(|place| place.site.to_string())),
            block_id: Set(reckoning.place.as_ref().map(|place| place.block.to_string())),
            month: Set(reckoning.month.first_day()),
            inputs: Set(serde_json::to_value(&reckoning.inputs).map_err(Error::internal)?),
            create_time: Set(now),
        });
    }
    insert_all(conn, rows).await.map_err(store_error)
}

/// One reckoning.
pub async fn find(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    id: ReckoningId,
) -> Result<Option<Reckoning>, Error> {
    let key = (operator.to_string(), id.get());
    let row = reckoning::Entity::find_by_id(key).one(conn).await.map_err(store_error)?;
    row.map(|row| {
        Ok(Reckoning {
            id: ReckoningId::new(row.reckoning_id),
            place: place_of(row.site_id.as_deref(), row.block_id.as_deref())?,
            month: YearMonth::of(row.month),
            inputs: serde_json::from_value(row.inputs).map_err(|error| broken("inputs", error))?,
        })
    })
    .transpose()
}

/// What was billed beside rent, by lease, block and month.
pub type BilledMonths = BTreeMap<(LeaseId, BlockRef, YearMonth), BilledCharges>;

#[derive(FromQueryResult)]
struct LineRow {
    lease_id: String,
    site_id: String,
    block_id: String,
    charge_type: String,
    item: String,
    period_start: CivilDate,
    period_end: CivilDate,
    revision: i32,
    amount_minor: i64,
    detail: Option<serde_json::Value>,
}

/// What an operator billed the blocks of a span of leases beside rent for some days, invoices that are void left out.
pub async fn billed(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (first, last): LeaseSpan<'_>,
    days: DateRange,
) -> Result<BilledMonths, Error> {
    use invoice_line::Column as C;
    let rows = invoice_line::Entity::find()
        .select_only()
        .columns([C::LeaseId, C::SiteId, C::BlockId, C::ChargeType, C::Item, C::PeriodStart, C::PeriodEnd])
        .columns([C::Revision, C::AmountMinor, C::Detail])
        .filter(
            Condition::all()
                .add(C::OperatorId.eq(operator.as_str()))
                .add(C::LeaseId.between(first.as_str(), last.as_str()))
                .add(C::Live.eq(true))
                .add(C::ReckoningId.is_not_null())
                .add(C::SiteId.is_not_null())
                .add(C::PeriodStart.gte(days.start()))
                .add(C::PeriodStart.lt(days.end())),
        )
        .order_by_asc(C::Revision)
        .into_model::<LineRow>()
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut months = BilledMonths::new();
    for row in rows {
        let place =
            BlockRef { site: parse("site_id", &row.site_id)?, block: parse("block_id", &row.block_id)? };
        let key = (parse("lease_id", &row.lease_id)?, place, YearMonth::of(row.period_start));
        add(months.entry(key).or_default(), &row)?;
    }
    Ok(months)
}

fn add(charges: &mut BilledCharges, row: &LineRow) -> Result<(), Error> {
    let detail: Detail = serde_json::from_value(row.detail.clone().unwrap_or_default())
        .map_err(|error| broken("detail", error))?;
    let key = ReckonedKey {
        period_start: row.period_start,
        charge_type: parse("charge_type", &row.charge_type)?,
        item: row.item.clone(),
    };
    let before = charges.get(&key).map_or(0, |billed| billed.minor);
    let billed = Billed {
        period: DateRange::new(row.period_start, row.period_end)
            .map_err(|error| broken("period_end", error))?,
        minor: before.checked_add(row.amount_minor).ok_or_else(|| broken("amount_minor", "is too large"))?,
        revision: row.revision,
        jurisdiction: detail.jurisdiction,
    };
    charges.insert(key, billed);
    Ok(())
}
