//! Billing runs.

use std::collections::HashMap;

use kernel::{BillingRunName, Error, Instant, Money, OperatorId, RunId, Scope, Uuid, YearMonth};
use postgres::page::after_last;
use postgres::store_error;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use serde::{Deserialize, Serialize};

use super::account::ensure_entity;
use super::entity::{billing_run, invoice};
use super::listing::{Page, Paged, Sight};
use super::rows::{broken, money, parse, statement};
use crate::domain::invoice_state::InvoiceState;
use crate::domain::run::{BillingRun, RunState};

/// Makes this transaction the only one that bills the operator until it ends, and gives the run's number.
pub async fn take_turn(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    now: Instant,
) -> Result<i64, Error> {
    ensure_entity(conn, operator, now).await?;
    let sql = "update billing.billing_entity set run_count = run_count + 1 where operator_id = $1 \
               returning run_count";
    let row = conn
        .query_one_raw(statement(sql, [operator.as_str().into()]))
        .await
        .map_err(store_error)?
        .ok_or_else(|| broken("billing_entity", "is missing"))?;
    row.try_get_by_index(0).map_err(store_error)
}

/// Writes a new run.
pub async fn insert(conn: &impl ConnectionTrait, run: &BillingRun) -> Result<(), Error> {
    let row = billing_run::ActiveModel {
        operator_id: Set(run.operator.to_string()),
        run_id: Set(run.id.get()),
        run_number: Set(run.number),
        billing_month: Set(run.month.first_day()),
        state: Set(run.state.as_str().to_owned()),
        version: Set(run.version),
        create_time: Set(run.create_time),
        issue_time: Set(run.issue_time),
    };
    billing_run::Entity::insert(row).exec_without_returning(conn).await.map_err(store_error)?;
    Ok(())
}

/// Writes that the run is issued, if nobody changed it meanwhile.
pub async fn mark_issued(conn: &impl ConnectionTrait, run: &BillingRun) -> Result<(), Error> {
    let sql = "update billing.billing_run set state = $3, version = $4, issue_time = $5 \
               where operator_id = $1 and run_id = $2 and version = $4 - 1";
    let values = [
        run.operator.as_str().into(),
        run.id.get().into(),
        run.state.as_str().into(),
        run.version.into(),
        run.issue_time.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// One run, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &BillingRunName,
) -> Result<Option<BillingRun>, Error> {
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = billing_run::Entity::find()
        .filter(sight.of_operator(billing_run::Column::OperatorId))
        .filter(billing_run::Column::RunId.eq(name.run.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_totals(conn, rows).await?.pop())
}

/// One run, locked until the transaction ends: issuing of its invoices takes turns.
pub async fn lock(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
) -> Result<Option<BillingRun>, Error> {
    let rows = billing_run::Entity::find()
        .filter(billing_run::Column::OperatorId.eq(operator.as_str()))
        .filter(billing_run::Column::RunId.eq(run.get()))
        .lock_exclusive()
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_totals(conn, rows).await?.pop())
}

/// Whether a draft of the run is left.
pub async fn has_draft(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
) -> Result<bool, Error> {
    use invoice::Column as C;
    let draft = invoice::Entity::find()
        .select_only()
        .column(C::InvoiceId)
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::RunId.eq(run.get()))
        .filter(C::State.eq(InvoiceState::Draft.as_str()))
        .limit(1)
        .into_tuple::<Uuid>()
        .one(conn)
        .await
        .map_err(store_error)?;
    Ok(draft.is_some())
}

/// Sort key of runs, newest first: their ids are in order of creation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunKey(pub RunId, pub OperatorId);

/// Runs, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    page: &Page<RunKey>,
) -> Result<Paged<BillingRun>, Error> {
    use billing_run::Column as C;
    let after = page.after.as_ref().map(|RunKey(id, operator)| {
        after_last(C::RunId.lt(id.get()), C::RunId.eq(id.get()), C::OperatorId.gt(operator.as_str()))
    });
    let rows = billing_run::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(Condition::all().add_option(after))
        .order_by_desc(C::RunId)
        .order_by_asc(C::OperatorId)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    Ok(Paged { rows: with_totals(conn, paged.rows).await?, more: paged.more })
}

/// Adds the count and the sums of the runs' invoices, in one statement for all.
async fn with_totals(
    conn: &impl ConnectionTrait,
    rows: Vec<billing_run::Model>,
) -> Result<Vec<BillingRun>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    use invoice::Column as C;
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let sums = invoice::Entity::find()
        .select_only()
        .column(C::RunId)
        .column(C::CurrencyCode)
        .column_as(C::InvoiceId.count(), "invoices")
        .column_as(sea_orm::ExprTrait::cast_as(C::TotalMinor.sum(), "bigint"), "total")
        .filter(C::OperatorId.is_in(operators))
        .filter(C::RunId.is_in(rows.iter().map(|row| row.run_id)))
        .group_by(C::RunId)
        .group_by(C::CurrencyCode)
        .order_by_asc(C::CurrencyCode)
        .into_tuple::<(Uuid, String, i64, i64)>()
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut of_run: HashMap<Uuid, (i64, Vec<Money>)> = HashMap::new();
    for (run, currency_code, count, total) in sums {
        let entry = of_run.entry(run).or_default();
        entry.0 += count;
        entry.1.push(money(total, &currency_code)?);
    }
    rows.into_iter()
        .map(|row| {
            let (invoice_count, totals) = of_run.remove(&row.run_id).unwrap_or_default();
            Ok(BillingRun {
                operator: parse("operator_id", &row.operator_id)?,
                id: RunId::new(row.run_id),
                number: row.run_number,
                month: YearMonth::of(row.billing_month),
                state: parse::<RunState>("state", &row.state)?,
                version: row.version,
                create_time: row.create_time,
                issue_time: row.issue_time,
                invoice_count,
                totals,
            })
        })
        .collect()
}
