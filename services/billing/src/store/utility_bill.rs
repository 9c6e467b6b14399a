//! Utility bills.

use kernel::{
    DateRange, Error, Instant, MeterId, OperatorId, Scope, UtilityBillId, UtilityBillName, YearMonth,
};
use postgres::store_error;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
};

use super::entity::utility_bill;
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{broken, money, parse, statement};
use crate::domain::utility_bill::{BillFacts, BillFilter, UtilityBill};

/// Writes a bill.
pub async fn insert(conn: &impl ConnectionTrait, bill: &UtilityBill) -> Result<(), Error> {
    let facts = &bill.facts;
    let row = utility_bill::ActiveModel {
        operator_id: Set(bill.operator.to_string()),
        bill_id: Set(bill.id.get()),
        meter_id: Set(facts.meter.to_string()),
        number: Set(facts.number.clone()),
        from_date: Set(facts.days.start()),
        until_date: Set(facts.days.end()),
        bill_date: Set(facts.bill_date),
        currency_code: Set(facts.total.currency.to_string()),
        amount_minor: Set(facts.total.minor),
        energy_kwh: Set(facts.energy_kwh),
        components: Set(serde_json::to_value(&facts.components).map_err(Error::internal)?),
        revision: Set(bill.revision),
        corrects_id: Set(bill.corrects.map(UtilityBillId::get)),
        division: Set(None),
        division_time: Set(None),
        version: Set(bill.version),
        create_time: Set(bill.create_time),
    };
    utility_bill::Entity::insert(row).exec_without_returning(conn).await.map_err(store_error)?;
    Ok(())
}

/// Writes how a bill is divided, if nobody changed it meanwhile.
pub async fn divide(conn: &impl ConnectionTrait, bill: &UtilityBill) -> Result<(), Error> {
    let (division, time) = bill.division.as_ref().ok_or_else(|| broken("division", "is missing"))?;
    let sql = "update billing.utility_bill set division = $3, division_time = $4, version = $5 \
               where operator_id = $1 and bill_id = $2 and version = $5 - 1";
    let values = [
        bill.operator.as_str().into(),
        bill.id.get().into(),
        serde_json::to_value(division).map_err(Error::internal)?.into(),
        (*time).into(),
        bill.version.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// One bill, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &UtilityBillName,
) -> Result<Option<UtilityBill>, Error> {
    use utility_bill::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let row = utility_bill::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(C::BillId.eq(name.utility_bill.get()))
        .one(conn)
        .await
        .map_err(store_error)?;
    row.as_ref().map(bill_of).transpose()
}

/// The bills of a meter that have some of these days, in order of revision.
pub async fn of_days(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    meter: &MeterId,
    days: DateRange,
) -> Result<Vec<UtilityBill>, Error> {
    use utility_bill::Column as C;
    let rows = utility_bill::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::MeterId.eq(meter.as_str()))
        .filter(C::FromDate.lt(days.end()))
        .filter(C::UntilDate.gt(days.start()))
        .order_by_asc(C::FromDate)
        .order_by_asc(C::Revision)
        .all(conn)
        .await
        .map_err(store_error)?;
    rows.iter().map(bill_of).collect()
}

/// The bills that lie within these days and are divided: of those that correct one another the last.
pub async fn divided(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    days: DateRange,
) -> Result<Vec<UtilityBill>, Error> {
    use utility_bill::Column as C;
    let rows = utility_bill::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::FromDate.gte(days.start()))
        .filter(C::UntilDate.lte(days.end()))
        .filter(C::Division.is_not_null())
        .order_by_asc(C::MeterId)
        .order_by_asc(C::FromDate)
        .order_by_desc(C::Revision)
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut bills = rows.iter().map(bill_of).collect::<Result<Vec<_>, _>>()?;
    bills.dedup_by(|next, kept| (&next.facts.meter, next.facts.days) == (&kept.facts.meter, kept.facts.days));
    Ok(bills)
}

/// Whether a run of this month or a later one was started at some time or after it.
pub async fn is_charged(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    month: YearMonth,
    since: Instant,
) -> Result<bool, Error> {
    let sql = "select exists (select from billing.billing_run \
               where operator_id = $1 and billing_month >= $2 and create_time >= $3)";
    let values = [operator.as_str().into(), month.first_day().into(), since.into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    row.ok_or_else(|| broken("billing_run", "gave no row"))?.try_get_by_index(0).map_err(store_error)
}

/// Bills, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    filter: &BillFilter,
    page: &Page<Newest>,
) -> Result<Paged<UtilityBill>, Error> {
    use utility_bill::Column as C;
    let meter = filter.meter.as_ref();
    let condition = Condition::all()
        .add_option(meter.map(|(operator, _)| C::OperatorId.eq(operator.as_str())))
        .add_option(meter.map(|(_, meter)| C::MeterId.eq(meter.as_str())));
    let rows = utility_bill::Entity::find().filter(sight.of_operator(C::OperatorId)).filter(condition);
    let paged = newest_first(conn, rows, (C::BillId, C::OperatorId), page).await?;
    let rows = paged.rows.iter().map(bill_of).collect::<Result<_, _>>()?;
    Ok(Paged { rows, more: paged.more })
}

fn bill_of(row: &utility_bill::Model) -> Result<UtilityBill, Error> {
    let division = row.division.clone().map(serde_json::from_value).transpose();
    let division = division.map_err(|error| broken("division", error))?;
    let days = DateRange::new(row.from_date, row.until_date).map_err(|error| broken("until_date", error))?;
    Ok(UtilityBill {
        operator: parse("operator_id", &row.operator_id)?,
        id: UtilityBillId::new(row.bill_id),
        facts: BillFacts {
            meter: parse("meter_id", &row.meter_id)?,
            number: row.number.clone(),
            days,
            bill_date: row.bill_date,
            total: money(row.amount_minor, &row.currency_code)?,
            energy_kwh: row.energy_kwh,
            components: serde_json::from_value(row.components.clone())
                .map_err(|error| broken("components", error))?,
        },
        revision: row.revision,
        corrects: row.corrects_id.map(UtilityBillId::new),
        division: division.zip(row.division_time),
        version: row.version,
        create_time: row.create_time,
    })
}
