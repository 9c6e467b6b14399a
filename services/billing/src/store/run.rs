//! Billing runs.

use std::collections::HashMap;

use kernel::{BillingRunName, Error, Instant, Money, OperatorId, RunId, Scope, Uuid, YearMonth};
use postgres::store_error;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _, Select, Set,
};

use super::account::ensure_entity;
use super::entity::{billing_run, invoice};
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{broken, money, parse, statement};
use crate::domain::run::{BillingRun, Progress, RunHead, RunState};

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
pub async fn insert(conn: &impl ConnectionTrait, run: &RunHead) -> Result<(), Error> {
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

/// Writes where the run stands now, if nobody changed it meanwhile.
pub async fn put(conn: &impl ConnectionTrait, run: &RunHead) -> Result<(), Error> {
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
) -> Result<Option<RunHead>, Error> {
    head(conn, one(operator, run).lock_exclusive()).await
}

/// As [`lock`], but not of a run that another has locked.
pub async fn lock_if_free(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
) -> Result<Option<RunHead>, Error> {
    head(conn, one(operator, run).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)).await
}

/// What one run is and where it stands, as it is known now.
pub async fn look(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
) -> Result<Option<RunHead>, Error> {
    head(conn, one(operator, run)).await
}

fn one(operator: &OperatorId, run: RunId) -> Select<billing_run::Entity> {
    billing_run::Entity::find()
        .filter(billing_run::Column::OperatorId.eq(operator.as_str()))
        .filter(billing_run::Column::RunId.eq(run.get()))
}

async fn head(
    conn: &impl ConnectionTrait,
    query: Select<billing_run::Entity>,
) -> Result<Option<RunHead>, Error> {
    query.one(conn).await.map_err(store_error)?.as_ref().map(head_of).transpose()
}

fn head_of(row: &billing_run::Model) -> Result<RunHead, Error> {
    Ok(RunHead {
        operator: parse("operator_id", &row.operator_id)?,
        id: RunId::new(row.run_id),
        number: row.run_number,
        month: YearMonth::of(row.billing_month),
        state: parse::<RunState>("state", &row.state)?,
        version: row.version,
        create_time: row.create_time,
        issue_time: row.issue_time,
    })
}

/// Whether a draft of the run is left.
pub async fn has_draft(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
) -> Result<bool, Error> {
    has_more_drafts_than(conn, operator, run, 0).await
}

/// Whether a run has more drafts than so many.
pub async fn has_more_drafts_than(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
    many: usize,
) -> Result<bool, Error> {
    use invoice::Column as C;
    let draft = invoice::Entity::find()
        .select_only()
        .column(C::InvoiceId)
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::RunId.eq(run.get()))
        .filter(super::invoice::is_draft())
        .offset(u64::try_from(many).unwrap_or(u64::MAX))
        .limit(1)
        .into_tuple::<Uuid>()
        .one(conn)
        .await
        .map_err(store_error)?;
    Ok(draft.is_some())
}

/// Runs, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    page: &Page<Newest>,
) -> Result<Paged<BillingRun>, Error> {
    use billing_run::Column as C;
    let rows = billing_run::Entity::find().filter(sight.of_operator(C::OperatorId));
    let paged = newest_first(conn, rows, (C::RunId, C::OperatorId), page).await?;
    Ok(Paged { rows: with_totals(conn, paged.rows).await?, more: paged.more })
}

/// How far runs are and what their invoices come to: two more statements for all.
async fn with_totals(
    conn: &impl ConnectionTrait,
    rows: Vec<billing_run::Model>,
) -> Result<Vec<BillingRun>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let runs: Vec<Uuid> = rows.iter().map(|row| row.run_id).collect();
    let mut totals = totals_of(conn, &operators, &runs).await?;
    let mut progress = progress_of(conn, &operators, &runs).await?;
    rows.into_iter()
        .map(|row| {
            let (invoice_count, issued_count, totals) = totals.remove(&row.run_id).unwrap_or_default();
            Ok(BillingRun {
                head: head_of(&row)?,
                invoice_count,
                totals,
                progress: Progress { issued_count, ..progress.remove(&row.run_id).unwrap_or_default() },
            })
        })
        .collect()
}

/// By run: its invoices, those of them that have a number, and sums by currency.
type Totals = HashMap<Uuid, (i64, i64, Vec<Money>)>;

async fn totals_of(
    conn: &impl ConnectionTrait,
    operators: &[String],
    runs: &[Uuid],
) -> Result<Totals, Error> {
    // Run by run, or the database may prefer to read all invoices of the operators.
    let sql = "select r.run_id, i.* from unnest($2::uuid[]) as r(run_id), \
               lateral (select currency_code, count(*), count(number), sum(total_minor)::bigint from billing.invoice \
                    where operator_id = any($1) and run_id = r.run_id group by currency_code) i \
               order by i.currency_code";
    let values = [operators.to_vec().into(), runs.to_vec().into()];
    let mut totals = Totals::new();
    for row in conn.query_all_raw(statement(sql, values)).await.map_err(store_error)? {
        let (run, currency_code, invoices, issued, total) =
            row.try_get_many_by_index::<(Uuid, String, i64, i64, i64)>().map_err(store_error)?;
        let entry = totals.entry(run).or_default();
        entry.0 += invoices;
        entry.1 += issued;
        entry.2.push(money(total, &currency_code)?);
    }
    Ok(totals)
}

async fn progress_of(
    conn: &impl ConnectionTrait,
    operators: &[String],
    runs: &[Uuid],
) -> Result<HashMap<Uuid, Progress>, Error> {
    let sql = "select r.run_id, c.leases, c.computed, p.problems from unnest($2::uuid[]) as r(run_id), \
               lateral (select coalesce(sum(lease_count), 0)::bigint as leases, \
                    coalesce(sum(lease_count) filter (where done_time is not null), 0)::bigint as computed \
                    from billing.billing_run_chunk where operator_id = any($1) and run_id = r.run_id) c, \
               lateral (select count(*) as problems from billing.billing_run_problem \
                    where operator_id = any($1) and run_id = r.run_id) p";
    let values = [operators.to_vec().into(), runs.to_vec().into()];
    let mut progress = HashMap::new();
    for row in conn.query_all_raw(statement(sql, values)).await.map_err(store_error)? {
        let (run, lease_count, computed_count, problem_count) =
            row.try_get_many_by_index::<(Uuid, i64, i64, i64)>().map_err(store_error)?;
        progress.insert(run, Progress { lease_count, computed_count, problem_count, issued_count: 0 });
    }
    Ok(progress)
}
