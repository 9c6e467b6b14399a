//! What live reservations are short of, and what it is computed from.

use std::collections::{BTreeMap, HashMap};

use kernel::{
    BlockId, CapacityVector, Error, Instant, Interval, OperatorId, ReservationId, StepFunction, TenantId,
    Uuid,
};
use postgres::{Tx, insert_all, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QueryResult, QuerySelect as _, Statement,
};

use super::entity::{reservation, shortfall};
use super::{ASC, corrupt, parse};
use crate::domain::maintenance;
use crate::domain::shortfall::{Cause, CauseKind, Short, Shortfall, Taken};

/// What made each reservation short.
pub type Causes = HashMap<ReservationId, Cause>;

/// What is recorded as short of a block.
#[derive(Debug, Default)]
pub struct Recorded {
    /// What each reservation is short of.
    pub short: Short,
    /// What made it so.
    pub causes: Causes,
    /// What last made anybody short; none if nobody is.
    pub latest: Option<Cause>,
}

/// What a block gives and what live claims take of it.
#[derive(Debug)]
pub struct Balance {
    /// What it gives over time.
    pub capacity: StepFunction<CapacityVector>,
    /// Live claims.
    pub taken: Vec<Taken>,
}

/// Reads a block as the desk reads it, after the changes of this transaction, which holds its lock. Holds that have
/// run out by the database's clock take nothing.
pub async fn balance(tx: &Tx, operator: &OperatorId, block: BlockId) -> Result<Balance, Error> {
    let sql = "select part, reservation_id, state, start_time, end_time, \
                      critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators \
               from inventory.block_state($1, array[$2], array[-1::bigint]) \
               where part <> 'HEAD' and (state is distinct from 'HELD' or hold_until > clock_timestamp())";
    let values = [operator.as_str().into(), block.get().into()];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    let (mut phases, mut derates, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let part: String = row.try_get_by_index(0).map_err(store_error)?;
        let (interval, kw) = stretch(row)?;
        match part.as_str() {
            "PHASE" => phases.push((interval, kw)),
            "DERATE" => derates.push((interval, kw)),
            _ => {
                let reservation: Uuid = row.try_get_by_index(1).map_err(store_error)?;
                let state: String = row.try_get_by_index(2).map_err(store_error)?;
                let reservation = ReservationId::new(reservation);
                taken.push(Taken { reservation, is_committed: state == "COMMITTED", interval, kw });
            }
        }
    }
    Ok(Balance { capacity: maintenance::capacity(phases, derates), taken })
}

fn stretch(row: &QueryResult) -> Result<(Interval, CapacityVector), Error> {
    let time = |index| row.try_get_by_index::<Instant>(index).map_err(store_error);
    let kw = |index| row.try_get_by_index::<i64>(index).map_err(store_error);
    let interval = Interval::new(time(3)?, time(4)?).map_err(|_| corrupt("claim"))?;
    let kw = CapacityVector {
        critical_it: kw(5)?,
        air: kw(6)?,
        liquid: kw(7)?,
        immersion: kw(8)?,
        accelerators: kw(9)?,
    };
    Ok((interval, kw))
}

/// What is recorded of a block, and what made it so.
pub async fn of_block(tx: &Tx, operator: &OperatorId, block: BlockId) -> Result<Recorded, Error> {
    let rows = shortfall::Entity::find()
        .filter(shortfall::Column::OperatorId.eq(operator.as_str()))
        .filter(shortfall::Column::BlockId.eq(block.get()))
        .order_by(shortfall::Column::RecordedAt, ASC)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let mut pieces: BTreeMap<ReservationId, Vec<(Interval, CapacityVector)>> = BTreeMap::new();
    let mut recorded = Recorded::default();
    for row in rows {
        let interval = Interval::new(row.start_time, row.end_time).map_err(|_| corrupt("shortfall"))?;
        let kw = CapacityVector {
            critical_it: row.critical_it_kw,
            air: row.air_cooling_kw,
            liquid: row.liquid_cooling_kw,
            immersion: row.immersion_cooling_kw,
            accelerators: row.accelerators,
        };
        let reservation = ReservationId::new(row.reservation_id);
        pieces.entry(reservation).or_default().push((interval, kw));
        let kind = CauseKind::of_word(&row.cause).ok_or_else(|| corrupt("cause"))?;
        let cause = Cause { kind, resource: row.cause_resource, reason: row.reason };
        recorded.causes.insert(reservation, cause.clone());
        recorded.latest = Some(cause);
    }
    for (reservation, pieces) in pieces {
        let function = StepFunction::from_intervals(pieces).map_err(|_| corrupt("shortfall"))?;
        recorded.short.insert(reservation, function);
    }
    Ok(recorded)
}

/// The tenants of reservations; those for the operator's own use have none.
pub async fn tenants(
    tx: &Tx,
    operator: &OperatorId,
    of: &[ReservationId],
) -> Result<HashMap<ReservationId, TenantId>, Error> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, Option<String>)> = reservation::Entity::find()
        .select_only()
        .column(reservation::Column::ReservationId)
        .column(reservation::Column::TenantId)
        .filter(reservation::Column::OperatorId.eq(operator.as_str()))
        .filter(reservation::Column::ReservationId.is_in(of.iter().map(|id| id.get())))
        .into_tuple()
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let named = rows.into_iter().filter_map(|(id, tenant)| Some((id, tenant?)));
    named.map(|(id, tenant)| Ok((ReservationId::new(id), parse("tenant", &tenant)?))).collect()
}

/// Writes what these reservations are short of on a block in place of what was recorded before.
pub async fn replace(tx: &Tx, block: BlockId, of: &[Shortfall], now: Instant) -> Result<(), Error> {
    let Some(first) = of.first() else { return Ok(()) };
    shortfall::Entity::delete_many()
        .filter(shortfall::Column::OperatorId.eq(first.reservation.operator.as_str()))
        .filter(shortfall::Column::BlockId.eq(block.get()))
        .filter(
            shortfall::Column::ReservationId.is_in(of.iter().map(|one| one.reservation.reservation.get())),
        )
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    let rows: Vec<shortfall::ActiveModel> =
        of.iter().flat_map(|one| one.steps.iter().map(move |step| row(block, one, *step, now))).collect();
    insert_all(tx.conn(), rows).await.map_err(store_error)
}

fn row(
    block: BlockId,
    of: &Shortfall,
    (interval, kw): (Interval, CapacityVector),
    now: Instant,
) -> shortfall::ActiveModel {
    shortfall::ActiveModel {
        operator_id: Set(of.reservation.operator.to_string()),
        block_id: Set(block.get()),
        reservation_id: Set(of.reservation.reservation.get()),
        start_time: Set(interval.start()),
        end_time: Set(interval.end()),
        critical_it_kw: Set(kw.critical_it),
        air_cooling_kw: Set(kw.air),
        liquid_cooling_kw: Set(kw.liquid),
        immersion_cooling_kw: Set(kw.immersion),
        accelerators: Set(kw.accelerators),
        cause: Set(of.cause.kind.as_str().to_owned()),
        cause_resource: Set(of.cause.resource.clone()),
        reason: Set(of.cause.reason.clone()),
        recorded_at: Set(now),
    }
}
