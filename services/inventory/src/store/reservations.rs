//! Reservations, read. They are written by the functions of the schema only.

use std::collections::HashMap;

use kernel::{
    BlockName, CapacityVector, Error, Instant, OperatorId, ReservationId, ReservationName, Scope, Uuid,
};
use postgres::{Tx, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement,
    sea_query::{Order, Query},
};

use super::entity::{claim, reservation};
use super::{Rows, after_last, blocks, corrupt, of_operator, parse};
use crate::domain::reservation::{Claim, Kind, Profile, Reservation};
use crate::domain::states::State;

/// The state of a claim that another has taken the place of: it takes nothing and is not shown.
pub(crate) const AMENDED: &str = "AMENDED";

/// Which reservations a list shows.
#[derive(Debug, Clone, Default)]
pub struct ReservationFilter {
    /// With one operator.
    pub operator: Option<OperatorId>,
    /// In these states as seen at the time of reading; empty is all.
    pub states: Vec<State>,
    /// With a claim on this block.
    pub block: Option<kernel::BlockId>,
}

/// The database's time, by which holds are seen.
pub async fn database_now(tx: &Tx) -> Result<Instant, Error> {
    let row = tx
        .conn()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, "select clock_timestamp()"))
        .await
        .map_err(store_error)?
        .ok_or_else(|| corrupt("clock"))?;
    row.try_get_by_index(0).map_err(store_error)
}

/// One reservation, if the transaction's scope sees it.
pub async fn find(tx: &Tx, name: &ReservationName) -> Result<Option<Reservation>, Error> {
    let found = of_ids(tx, &name.operator, &[name.reservation]).await?;
    Ok(found.into_iter().next())
}

/// Reservations of one operator by id; those the scope does not see are left out.
pub async fn of_ids(
    tx: &Tx,
    operator: &OperatorId,
    ids: &[ReservationId],
) -> Result<Vec<Reservation>, Error> {
    let rows = reservation::Entity::find()
        .filter(reservation::Column::OperatorId.eq(operator.as_str()))
        .filter(reservation::Column::ReservationId.is_in(ids.iter().map(|id| id.get())))
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    with_claims(tx, rows).await
}

/// Reservations, newest first, after one. Ids are in order of time.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    filter: &ReservationFilter,
    now: Instant,
    after: Option<&(Uuid, String)>,
    size: u32,
) -> Result<Rows<Reservation>, Error> {
    let (id, operator) = (reservation::Column::ReservationId, reservation::Column::OperatorId);
    let mut query =
        reservation::Entity::find().filter(of_operator(scope, filter.operator.as_ref(), operator));
    if let Scope::Tenant(tenant) = scope {
        query = query.filter(reservation::Column::TenantId.eq(tenant.as_str()));
    }
    if !filter.states.is_empty() {
        query = query.filter(seen_in(&filter.states, now));
    }
    if let Some(block) = filter.block {
        let on_block = Query::select()
            .column(claim::Column::ReservationId)
            .from((sea_orm::sea_query::Alias::new("inventory"), claim::Entity))
            .and_where(claim::Column::BlockId.eq(block.get()))
            .and_where(claim::Column::State.ne(AMENDED))
            .to_owned();
        query = query.filter(id.in_subquery(on_block));
    }
    if let Some(last) = after {
        query = query.filter(after_last((id, Order::Desc), operator, last));
    }
    let rows = query
        .order_by(id, Order::Desc)
        .order_by(operator, Order::Asc)
        .limit(u64::from(size) + 1)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    Ok(Rows::cut(with_claims(tx, rows).await?, size))
}

/// States as they are shown: a hold that ran out is EXPIRED, swept or not.
fn seen_in(states: &[State], now: Instant) -> Condition {
    let state = reservation::Column::State;
    let until = reservation::Column::HoldUntil;
    states.iter().fold(Condition::any(), |any, wanted| match wanted {
        State::Held => any.add(Condition::all().add(state.eq("HELD")).add(until.gt(now))),
        State::Expired => {
            any.add(state.eq("EXPIRED")).add(Condition::all().add(state.eq("HELD")).add(until.lte(now)))
        }
        State::Committed | State::Released | State::Merged => any.add(state.eq(wanted.as_str())),
    })
}

async fn with_claims(tx: &Tx, rows: Vec<reservation::Model>) -> Result<Vec<Reservation>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.sort_unstable();
    operators.dedup();
    let claims = claim::Entity::find()
        .filter(claim::Column::OperatorId.is_in(&operators))
        .filter(claim::Column::ReservationId.is_in(rows.iter().map(|row| row.reservation_id)))
        .filter(claim::Column::State.ne(AMENDED))
        .order_by(claim::Column::StartTime, Order::Asc)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let mut ids: Vec<Uuid> = claims.iter().map(|claim| claim.block_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = blocks::names(tx, &operators, &ids).await?;
    let mut by_reservation: HashMap<Uuid, Vec<claim::Model>> = HashMap::new();
    for claim in claims {
        by_reservation.entry(claim.reservation_id).or_default().push(claim);
    }
    rows.into_iter()
        .map(|row| {
            let claims = by_reservation.remove(&row.reservation_id).unwrap_or_default();
            read(row, claims, &names)
        })
        .collect()
}

fn read(
    row: reservation::Model,
    claims: Vec<claim::Model>,
    names: &HashMap<Uuid, BlockName>,
) -> Result<Reservation, Error> {
    // In order of block name, so that an answer does not change with the order in which rows lie.
    let mut by_block: Vec<(BlockName, Vec<claim::Model>)> = Vec::new();
    for claim in claims {
        let name = names.get(&claim.block_id).ok_or_else(|| corrupt("claim"))?;
        match by_block.iter_mut().find(|(block, _)| block == name) {
            Some((_, of_block)) => of_block.push(claim),
            None => by_block.push((name.clone(), vec![claim])),
        }
    }
    by_block.sort_by(|a, b| a.0.cmp(&b.0));
    let claims: Result<Vec<Claim>, Error> = by_block
        .into_iter()
        .map(|(block, rows)| Ok(Claim { block, profile: profile(&rows).ok_or_else(|| corrupt("profile"))? }))
        .collect();
    Ok(Reservation {
        name: ReservationName::new(
            parse("operator", &row.operator_id)?,
            ReservationId::new(row.reservation_id),
        ),
        tenant: row.tenant_id.as_deref().map(|tenant| parse("tenant", tenant)).transpose()?,
        kind: Kind::of_word(&row.kind).ok_or_else(|| corrupt("kind"))?,
        state: State::of_word(&row.state).ok_or_else(|| corrupt("state"))?,
        claims: claims?,
        hold_until: row.hold_until,
        note: row.note,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The steps of one block, in order of time, as a profile.
fn profile(rows: &[claim::Model]) -> Option<Profile> {
    let steps = rows
        .iter()
        .map(|row| {
            let kw = CapacityVector {
                critical_it: row.critical_it_kw,
                air: row.air_cooling_kw,
                liquid: row.liquid_cooling_kw,
                immersion: row.immersion_cooling_kw,
                accelerators: row.accelerators,
            };
            (row.start_time, kw)
        })
        .collect();
    Profile::new(steps, rows.last()?.end_time)
}
