//! Which charges of rent are taken by an invoice that is not void.

use std::collections::{BTreeSet, HashMap};

use kernel::{DateRange, Error, LeaseId, OperatorId};
use postgres::store_error;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};

use super::entity::invoice_line;
use super::lease::LeaseSpan;
use super::rows::parse;
use crate::domain::charge::ChargeKey;
use crate::domain::lease::BlockRef;

/// The charges taken, by lease.
pub type Charged = HashMap<LeaseId, BTreeSet<ChargeKey>>;

/// Rent of an operator taken so far: of the leases from one to another, both inclusive, and of charges that begin in
/// `days` or of all.
pub async fn taken(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (first, last): LeaseSpan<'_>,
    days: Option<DateRange>,
) -> Result<Charged, Error> {
    use invoice_line::Column as C;
    let condition = Condition::all()
        .add(C::OperatorId.eq(operator.as_str()))
        .add(C::Live.eq(true))
        .add(C::ReckoningId.is_null())
        .add(C::LeaseId.between(first.as_str(), last.as_str()))
        .add_option(days.map(|days| C::PeriodStart.gte(days.start())))
        .add_option(days.map(|days| C::PeriodStart.lt(days.end())));
    let rows = invoice_line::Entity::find()
        .select_only()
        .columns([C::LeaseId, C::SiteId, C::BlockId, C::ChargeType, C::PeriodStart])
        .filter(condition)
        .into_tuple::<(String, String, String, String, chrono::NaiveDate)>()
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut charged = Charged::new();
    for (lease, site, block, charge_type, period_start) in rows {
        let key = ChargeKey {
            place: BlockRef { site: parse("site_id", &site)?, block: parse("block_id", &block)? },
            charge_type: parse("charge_type", &charge_type)?,
            period_start,
        };
        charged.entry(parse("lease_id", &lease)?).or_default().insert(key);
    }
    Ok(charged)
}
