//! The leases of billing runs, in pieces; and what of them could not be billed.

use kernel::{BillingRunName, Error, Instant, LeaseName, OperatorId, RunId, Uuid};
use postgres::{insert_all, store_error};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, Set,
};

use super::entity::billing_run_problem;
use super::rows::{parse, statement};
use crate::domain::lease::{BlockRef, LeaseState};
use crate::domain::run::{Chunk, Problem};

/// All leases of the operator that are or were in force, in pieces of `size`.
pub async fn cut(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    size: usize,
) -> Result<Vec<Chunk>, Error> {
    let sql = "select (1 + n / $3)::integer as chunk, min(lease_id), max(lease_id), count(*) \
               from (select lease_id, row_number() over (order by lease_id) - 1 as n from billing.lease \
                     where operator_id = $1 and state = any($2)) as l group by 1 order by 1";
    let in_force = LeaseState::IN_FORCE.map(|state| state.as_str().to_owned()).to_vec();
    let size = i64::try_from(size).map_err(Error::internal)?;
    let values = [operator.as_str().into(), in_force.into(), size.into()];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    rows.iter().map(chunk_of).collect()
}

/// Writes the pieces of a run.
pub async fn insert(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
    chunks: &[Chunk],
) -> Result<(), Error> {
    let sql = "insert into billing.billing_run_chunk (operator_id, run_id, chunk_number, first_lease_id, \
                      last_lease_id, lease_count) \
               select $1, $2, n.* from unnest($3::integer[], $4::text[], $5::text[], $6::bigint[]) as n";
    let values = [
        operator.as_str().into(),
        run.get().into(),
        chunks.iter().map(|chunk| chunk.number).collect::<Vec<_>>().into(),
        chunks.iter().map(|chunk| chunk.first.to_string()).collect::<Vec<_>>().into(),
        chunks.iter().map(|chunk| chunk.last.to_string()).collect::<Vec<_>>().into(),
        chunks.iter().map(|chunk| chunk.lease_count).collect::<Vec<_>>().into(),
    ];
    conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(())
}

/// A piece that is not done and that nobody has at hand, locked until the transaction ends.
pub async fn take(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
) -> Result<Option<Chunk>, Error> {
    let sql = "select chunk_number, first_lease_id, last_lease_id, lease_count from billing.billing_run_chunk \
               where operator_id = $1 and run_id = $2 and done_time is null \
               order by chunk_number limit 1 for no key update skip locked";
    let values = [operator.as_str().into(), run.get().into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    row.as_ref().map(chunk_of).transpose()
}

/// Writes that a piece is done.
pub async fn done(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
    chunk: &Chunk,
    now: Instant,
) -> Result<(), Error> {
    let sql = "update billing.billing_run_chunk set done_time = $4 \
               where operator_id = $1 and run_id = $2 and chunk_number = $3 and done_time is null";
    let values = [operator.as_str().into(), run.get().into(), chunk.number.into(), now.into()];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// Whether a piece is not done yet.
pub async fn is_left(conn: &impl ConnectionTrait, operator: &OperatorId, run: RunId) -> Result<bool, Error> {
    let sql = "select exists (select from billing.billing_run_chunk \
               where operator_id = $1 and run_id = $2 and done_time is null)";
    let values = [operator.as_str().into(), run.get().into()];
    let row = conn.query_one_raw(statement(sql, values)).await.map_err(store_error)?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0).map_err(store_error))
}

/// Runs that are not whole yet, the oldest first.
pub async fn unfinished(conn: &impl ConnectionTrait, most: i64) -> Result<Vec<BillingRunName>, Error> {
    let sql = "select operator_id, run_id from billing.billing_run where state in ('COMPUTING', 'ISSUING') \
               order by create_time, run_id limit $1";
    let rows = conn.query_all_raw(statement(sql, [most.into()])).await.map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let (operator, run) = row.try_get_many_by_index::<(String, Uuid)>().map_err(store_error)?;
            Ok(BillingRunName::new(parse("operator_id", &operator)?, RunId::new(run)))
        })
        .collect()
}

/// Writes what could not be billed.
pub async fn insert_problems(
    conn: &impl ConnectionTrait,
    run: RunId,
    problems: &[Problem],
    new_id: impl Fn() -> Uuid,
) -> Result<(), Error> {
    let rows = problems.iter().map(|problem| billing_run_problem::ActiveModel {
        operator_id: Set(problem.lease.operator.to_string()),
        problem_id: Set(new_id()),
        run_id: Set(run.get()),
        lease_id: Set(problem.lease.lease.to_string()),
        site_id: Set(problem.place.as_ref().map(|place| place.site.to_string())),
        block_id: Set(problem.place.as_ref().map(|place| place.block.to_string())),
        problem: Set(problem.problem.clone()),
    });
    insert_all(conn, rows).await.map_err(store_error)
}

/// What a run could not bill, in order of lease, at most so much.
pub async fn problems(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
    most: usize,
) -> Result<Vec<Problem>, Error> {
    use billing_run_problem::Column as C;
    let rows = billing_run_problem::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::RunId.eq(run.get()))
        .order_by_asc(C::LeaseId)
        .order_by_asc(C::ProblemId)
        .limit(u64::try_from(most).unwrap_or(u64::MAX))
        .all(conn)
        .await
        .map_err(store_error)?;
    rows.into_iter()
        .map(|row| {
            let place = match (&row.site_id, &row.block_id) {
                (Some(site), Some(block)) => {
                    Some(BlockRef { site: parse("site_id", site)?, block: parse("block_id", block)? })
                }
                _ => None,
            };
            let lease = LeaseName::new(operator.clone(), parse("lease_id", &row.lease_id)?);
            Ok(Problem { lease, place, problem: row.problem })
        })
        .collect()
}

fn chunk_of(row: &QueryResult) -> Result<Chunk, Error> {
    let (number, first, last, lease_count) =
        row.try_get_many_by_index::<(i32, String, String, i64)>().map_err(store_error)?;
    Ok(Chunk {
        number,
        first: parse("first_lease_id", &first)?,
        last: parse("last_lease_id", &last)?,
        lease_count,
    })
}
