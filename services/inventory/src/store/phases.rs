//! Phases.

use kernel::{
    BlockId, BlockName, CapacityVector, CivilDate, Error, Interval, OperatorId, PhaseName, Scope, SiteId,
    SiteName,
};
use postgres::{Tx, is_unique_violation, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    FromQueryResult as _, QueryFilter as _, Statement,
};

use super::entity::phase;
use super::{Rows, block_name, corrupt, parse};
use crate::domain::conversion::{Conversion, InterimUse};
use crate::domain::grid::Draw;
use crate::domain::phase::{DateBasis, GridCheck, GrossBasis, ItBasis, Phase, ReadyDate};
use crate::domain::use_state::UseState;

/// The sort key of a list of phases: operator, site, block, phase.
pub type PhaseKey = (String, String, String, String);

/// Where a phase is kept, and what was derived from it once: its block, its instants, and the grid's check.
#[derive(Debug, Clone, Copy)]
pub struct Derived {
    /// The block.
    pub block: BlockId,
    /// When it is in service.
    pub interval: Interval,
    /// Whether the site's grid power could be checked.
    pub grid_check: GridCheck,
}

/// Writes a new phase. The caller holds the site's lock and touches the block.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, new: &Phase, derived: Derived) -> Result<(), Error> {
    match phase::Entity::insert(row(new, derived)?).exec_without_returning(tx.conn()).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Error::name_taken("phase").with_source(error)),
        Err(error) => Err(store_error(error)),
    }
}

/// Writes a changed phase over the revision before it, under the same locks.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn update(tx: &Tx, changed: &Phase, derived: Derived) -> Result<(), Error> {
    let done = phase::Entity::update_many()
        .set(row(changed, derived)?)
        .filter(key(derived.block, &changed.name))
        .filter(phase::Column::Revision.eq(changed.revision - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

fn row(of: &Phase, derived: Derived) -> Result<phase::ActiveModel, Error> {
    Ok(phase::ActiveModel {
        operator_id: Set(of.name.operator.to_string()),
        block_id: Set(derived.block.get()),
        phase_id: Set(of.name.phase.to_string()),
        critical_it_kw: Set(of.capacity.critical_it),
        air_cooling_kw: Set(of.capacity.air),
        liquid_cooling_kw: Set(of.capacity.liquid),
        immersion_cooling_kw: Set(of.capacity.immersion),
        accelerators: Set(of.capacity.accelerators),
        gross_kw: Set(of.gross_kw),
        gross_basis: Set(of.gross_basis.as_str().to_owned()),
        it_basis: Set(of.it_basis.as_str().to_owned()),
        use_state: Set(of.use_state.as_str().to_owned()),
        interim_use: Set(of.conversion.interim_use.as_str().to_owned()),
        interim_gross_kw: Set(of.conversion.interim_gross_kw),
        interim_start_date: Set(of.conversion.interim_start),
        conversion_start_date: Set(of.conversion.start),
        wind_down_notice_days: Set(of.conversion.wind_down_notice_days),
        ready_for_service_date: Set(of.ready_for_service),
        date_basis: Set(of.date_basis.as_str().to_owned()),
        ready_dates: Set(serde_json::to_value(&of.ready_dates).map_err(Error::internal)?),
        end_date: Set(of.end),
        start_time: Set(derived.interval.start()),
        end_time: Set(derived.interval.end()),
        grid_check: Set(derived.grid_check.as_str().to_owned()),
        cancel_reason: Set(of.cancel_reason.clone()),
        revision: Set(of.revision),
        created_at: Set(of.created_at),
        updated_at: Set(of.updated_at),
    })
}

fn key(block: BlockId, name: &PhaseName) -> Condition {
    Condition::all()
        .add(phase::Column::OperatorId.eq(name.operator.as_str()))
        .add(phase::Column::BlockId.eq(block.get()))
        .add(phase::Column::PhaseId.eq(name.phase.as_str()))
}

/// One phase of a block, if the transaction's scope sees it.
pub async fn find(tx: &Tx, block: BlockId, name: &PhaseName) -> Result<Option<Phase>, Error> {
    let row = phase::Entity::find().filter(key(block, name)).one(tx.conn()).await.map_err(store_error)?;
    row.map(|row| read(&row, name.block_name())).transpose()
}

/// What the phases of a site draw from its grid through their lives, without one that is about to change. Phases that
/// live alike are read as one: a site of very many blocks has few dates.
pub async fn draws(tx: &Tx, site: &SiteName, without: Option<&PhaseName>) -> Result<Vec<Draw>, Error> {
    let sql = "select p.interim_use, p.interim_gross_kw, p.interim_start_date, p.conversion_start_date, \
                      p.ready_for_service_date, p.end_date, p.gross_kw, count(*) \
               from inventory.phase p \
               join inventory.block b on b.operator_id = p.operator_id and b.block_id = p.block_id \
               where b.operator_id = $1 and b.site_id = $2 and p.use_state <> 'CANCELLED' \
                 and ($3::text is null or (b.block_slug, p.phase_id) <> ($3, $4)) \
               group by 1, 2, 3, 4, 5, 6, 7";
    let values = [
        site.operator.as_str().into(),
        site.site.as_str().into(),
        without.map(|name| name.block.as_str()).into(),
        without.map(|name| name.phase.as_str()).into(),
    ];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    let mut draws = Vec::with_capacity(rows.len());
    for row in rows {
        let day = |index| row.try_get_by_index::<Option<CivilDate>>(index).map_err(store_error);
        let number = |index| row.try_get_by_index::<i64>(index).map_err(store_error);
        let interim_use: String = row.try_get_by_index(0).map_err(store_error)?;
        let conversion = Conversion {
            interim_use: InterimUse::of_word(&interim_use).ok_or_else(|| corrupt("interim use"))?,
            interim_gross_kw: number(1)?,
            interim_start: day(2)?,
            start: day(3)?,
            wind_down_notice_days: 0,
        };
        let ready = day(4)?.ok_or_else(|| corrupt("phase"))?;
        let (gross_kw, alike) = (number(6)?, number(7)?);
        let life = conversion.life(ready, day(5)?, gross_kw).into_iter().map(Draw::from);
        draws.extend(life.map(|draw| Draw { gross_kw: draw.gross_kw.saturating_mul(alike), ..draw }));
    }
    Ok(draws)
}

/// Which phases a list shows.
#[derive(Debug, Clone, Default)]
pub struct PhaseParent {
    /// Of one operator.
    pub operator: Option<OperatorId>,
    /// Of sites of this id.
    pub site: Option<SiteId>,
    /// Of blocks of this id.
    pub block: Option<kernel::BlockSlug>,
}

/// Phases in order of name, after one.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    parent: &PhaseParent,
    after: Option<&PhaseKey>,
    size: u32,
) -> Result<Rows<Phase>, Error> {
    let own = match scope {
        Scope::Operator(own) => Some(own.as_str()),
        Scope::Tenant(_) | Scope::Market | Scope::Worker => None,
    };
    let (o, s, b, p) = match after {
        Some((o, s, b, p)) => (Some(o), Some(s), Some(b), Some(p)),
        None => (None, None, None, None),
    };
    let sql = "select p.*, b.site_id, b.block_slug from inventory.phase p \
               join inventory.block b on b.operator_id = p.operator_id and b.block_id = p.block_id \
               where ($1::text is null or p.operator_id = $1) and ($2::text is null or p.operator_id = $2) \
                 and ($3::text is null or b.site_id = $3) and ($4::text is null or b.block_slug = $4) \
                 and ($5::text is null or (p.operator_id, b.site_id, b.block_slug, p.phase_id) > ($5, $6, $7, $8)) \
               order by p.operator_id, b.site_id, b.block_slug, p.phase_id limit $9";
    let values = [
        own.into(),
        parent.operator.as_ref().map(OperatorId::as_str).into(),
        parent.site.as_ref().map(SiteId::as_str).into(),
        parent.block.as_ref().map(kernel::BlockSlug::as_str).into(),
        o.map(String::as_str).into(),
        s.map(String::as_str).into(),
        b.map(String::as_str).into(),
        p.map(String::as_str).into(),
        (i64::from(size) + 1).into(),
    ];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    let read: Result<Vec<Phase>, Error> = rows
        .iter()
        .map(|row| {
            let model = phase::Model::from_query_result(row, "").map_err(store_error)?;
            let block = block_name(&model.operator_id, row)?;
            read(&model, block)
        })
        .collect();
    Ok(Rows::cut(read?, size))
}

/// The capacity of a stored phase.
pub(crate) fn capacity(row: &phase::Model) -> CapacityVector {
    CapacityVector {
        critical_it: row.critical_it_kw,
        air: row.air_cooling_kw,
        liquid: row.liquid_cooling_kw,
        immersion: row.immersion_cooling_kw,
        accelerators: row.accelerators,
    }
}

/// The interval of a stored phase.
pub(crate) fn interval(row: &phase::Model) -> Result<Interval, Error> {
    Interval::new(row.start_time, row.end_time).map_err(|_| corrupt("phase"))
}

/// How the date of a stored phase is known.
pub(crate) fn basis(row: &phase::Model) -> Result<DateBasis, Error> {
    DateBasis::of_word(&row.date_basis).ok_or_else(|| corrupt("date basis"))
}

/// What a stored phase is before it is in service.
pub(crate) fn conversion(row: &phase::Model) -> Result<Conversion, Error> {
    Ok(Conversion {
        interim_use: InterimUse::of_word(&row.interim_use).ok_or_else(|| corrupt("interim use"))?,
        interim_gross_kw: row.interim_gross_kw,
        interim_start: row.interim_start_date,
        start: row.conversion_start_date,
        wind_down_notice_days: row.wind_down_notice_days,
    })
}

fn read(row: &phase::Model, block: BlockName) -> Result<Phase, Error> {
    let ready_dates: Vec<ReadyDate> =
        serde_json::from_value(row.ready_dates.clone()).map_err(|_| corrupt("history of dates"))?;
    Ok(Phase {
        capacity: capacity(row),
        conversion: conversion(row)?,
        date_basis: basis(row)?,
        gross_basis: GrossBasis::of_word(&row.gross_basis).ok_or_else(|| corrupt("gross basis"))?,
        it_basis: ItBasis::of_word(&row.it_basis).ok_or_else(|| corrupt("IT basis"))?,
        use_state: UseState::of_word(&row.use_state).ok_or_else(|| corrupt("use state"))?,
        name: PhaseName::new(block.operator, block.site, block.block, parse("phase", &row.phase_id)?),
        gross_kw: row.gross_kw,
        ready_for_service: row.ready_for_service_date,
        ready_dates,
        end: row.end_date,
        cancel_reason: row.cancel_reason.clone(),
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
