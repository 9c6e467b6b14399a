//! Phases.

use kernel::{
    BlockId, BlockName, CapacityVector, Error, Interval, OperatorId, PhaseName, Scope, SiteId, SiteName,
};
use postgres::{Tx, is_unique_violation, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    FromQueryResult as _, QueryFilter as _, Statement,
};

use super::entity::phase;
use super::{Rows, corrupt, parse};
use crate::domain::grid::Draw;
use crate::domain::phase::{DateBasis, GridCheck, GrossBasis, Phase};

/// The sort key of a list of phases: operator, site, block, phase.
pub type PhaseKey = (String, String, String, String);

/// Writes a new phase. The caller holds the site's lock and touches the block.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, block: BlockId, new: &Phase, check: GridCheck) -> Result<(), Error> {
    let row = phase::ActiveModel {
        operator_id: Set(new.name.operator.to_string()),
        block_id: Set(block.get()),
        phase_id: Set(new.name.phase.to_string()),
        critical_it_kw: Set(new.capacity.critical_it),
        air_cooling_kw: Set(new.capacity.air),
        liquid_cooling_kw: Set(new.capacity.liquid),
        immersion_cooling_kw: Set(new.capacity.immersion),
        accelerators: Set(new.capacity.accelerators),
        gross_kw: Set(new.gross_kw),
        gross_basis: Set(new.gross_basis.as_str().to_owned()),
        ready_for_service_date: Set(new.ready_for_service),
        date_basis: Set(new.date_basis.as_str().to_owned()),
        end_date: Set(new.end),
        start_time: Set(new.interval.start()),
        end_time: Set(new.interval.end()),
        grid_check: Set(check.as_str().to_owned()),
        created_at: Set(new.created_at),
    };
    match phase::Entity::insert(row).exec_without_returning(tx.conn()).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Error::name_taken("phase").with_source(error)),
        Err(error) => Err(store_error(error)),
    }
}

/// One phase of a block, if the transaction's scope sees it.
pub async fn find(tx: &Tx, block: BlockId, name: &PhaseName) -> Result<Option<Phase>, Error> {
    let row = phase::Entity::find()
        .filter(
            Condition::all()
                .add(phase::Column::OperatorId.eq(name.operator.as_str()))
                .add(phase::Column::BlockId.eq(block.get()))
                .add(phase::Column::PhaseId.eq(name.phase.as_str())),
        )
        .one(tx.conn())
        .await
        .map_err(store_error)?;
    row.map(|row| read(&row, name.block_name())).transpose()
}

/// What the phases of a site draw from its grid.
pub async fn draws(tx: &Tx, site: &SiteName) -> Result<Vec<Draw>, Error> {
    let sql = "select p.ready_for_service_date, p.end_date, p.gross_kw from inventory.phase p \
               join inventory.block b on b.operator_id = p.operator_id and b.block_id = p.block_id \
               where b.operator_id = $1 and b.site_id = $2";
    let values = [site.operator.as_str().into(), site.site.as_str().into()];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            Ok(Draw {
                from: row.try_get_by_index(0).map_err(store_error)?,
                until: row.try_get_by_index(1).map_err(store_error)?,
                gross_kw: row.try_get_by_index(2).map_err(store_error)?,
            })
        })
        .collect()
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
            let site: String = row.try_get("", "site_id").map_err(store_error)?;
            let slug: String = row.try_get("", "block_slug").map_err(store_error)?;
            let block = BlockName::new(
                parse("operator", &model.operator_id)?,
                parse("site", &site)?,
                parse("block", &slug)?,
            );
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

fn read(row: &phase::Model, block: BlockName) -> Result<Phase, Error> {
    Ok(Phase {
        capacity: capacity(row),
        interval: interval(row)?,
        date_basis: basis(row)?,
        gross_basis: GrossBasis::of_word(&row.gross_basis).ok_or_else(|| corrupt("gross basis"))?,
        name: PhaseName::new(block.operator, block.site, block.block, parse("phase", &row.phase_id)?),
        gross_kw: row.gross_kw,
        ready_for_service: row.ready_for_service_date,
        end: row.end_date,
        created_at: row.created_at,
    })
}
