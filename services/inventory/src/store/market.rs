//! What search reads: sites, blocks, phases and what is promised of them, a statement each.

use std::collections::HashMap;

use kernel::{CapacityVector, Error, Instant, Interval, Scope, Uuid};
use postgres::{Tx, store_error};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    Statement,
};

use super::entity::{block, derate, phase};
use super::sites::{self, SiteFilter};
use super::{ASC, blocks, corrupt, maintenance, of_operator, phases};
use crate::domain::availability::{BlockView, PhaseView, SiteView, Use};
use crate::domain::geo::Point;
use crate::domain::reservation::Kind;
use crate::domain::site::Site;
use crate::domain::states::State;

/// Sites read at most: far beyond what there is; an in-memory index comes before it.
const SITES_MAX: u32 = 10_000;

/// Every site that the scope sees and the filter names, with its blocks as they are promised from an instant on.
///
/// The use of blocks is read last: what is booked while this runs makes the answer smaller, never larger.
pub async fn sites(
    tx: &Tx,
    scope: &Scope,
    filter: &SiteFilter,
    from: Instant,
) -> Result<Vec<SiteView>, Error> {
    let found = sites::list(tx, scope, filter, None, SITES_MAX).await?.rows;
    let operator = filter.operator.as_ref().or(filter.site.as_ref().map(|site| &site.operator));
    let mut query = block::Entity::find().filter(of_operator(scope, operator, block::Column::OperatorId));
    if let Some(site) = &filter.site {
        query = query.filter(block::Column::SiteId.eq(site.site.as_str()));
    } else if !filter.show_archived {
        query = query.filter(block::Column::ArchivedAt.is_null());
    }
    let block_rows =
        query.order_by(block::Column::BlockSlug, ASC).all(tx.conn()).await.map_err(store_error)?;
    let phase_rows = phase::Entity::find()
        .filter(of_operator(scope, operator, phase::Column::OperatorId))
        .filter(phase::Column::UseState.ne("CANCELLED"))
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let derate_rows = derate::Entity::find()
        .filter(of_operator(scope, operator, derate::Column::OperatorId))
        .filter(derate::Column::State.ne("CANCELLED"))
        .filter(derate::Column::EndTime.gt(from))
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let mut derates_of: HashMap<Uuid, Vec<(Interval, CapacityVector)>> = HashMap::new();
    for row in derate_rows {
        derates_of
            .entry(row.block_id)
            .or_default()
            .push((maintenance::interval(&row)?, maintenance::reduction(&row)));
    }
    let mut uses = uses(tx, operator.map(kernel::OperatorId::as_str), from).await?;
    let mut phases_of: HashMap<Uuid, Vec<PhaseView>> = HashMap::new();
    for row in phase_rows {
        phases_of.entry(row.block_id).or_default().push(phase_view(&row)?);
    }
    let mut blocks_of: HashMap<(String, String), Vec<BlockView>> = HashMap::new();
    for row in block_rows {
        let view = BlockView {
            name: blocks::name(&row)?,
            rate: blocks::rate(&row)?,
            traits: blocks::traits(&row)?,
            phases: phases_of.remove(&row.block_id).unwrap_or_default(),
            derates: derates_of.remove(&row.block_id).unwrap_or_default(),
            uses: uses.remove(&row.block_id).unwrap_or_default(),
        };
        blocks_of.entry((row.operator_id, row.site_id)).or_default().push(view);
    }
    let views = found.into_iter().map(|site| {
        let key = (site.facts.name.operator.to_string(), site.facts.name.site.to_string());
        SiteView { blocks: blocks_of.remove(&key).unwrap_or_default(), ..site_view(site) }
    });
    Ok(views.collect())
}

/// A site as search sees it, without its blocks.
pub(super) fn site_view(site: Site) -> SiteView {
    let facts = site.facts;
    let point = facts.latitude_e7.zip(facts.longitude_e7);
    SiteView {
        name: facts.name,
        zone: facts.zone,
        country_code: facts.country_code,
        grid_iso: facts.grid_iso,
        state_code: facts.state_code,
        point: point.and_then(|(latitude, longitude)| Point::new(latitude, longitude)),
        grid_steps: facts.grid_steps,
        reported_leased_it_kw: facts.reported_leased_it_kw,
        blocks: Vec::new(),
    }
}

pub(super) fn phase_view(row: &phase::Model) -> Result<PhaseView, Error> {
    Ok(PhaseView {
        capacity: phases::capacity(row),
        gross_kw: row.gross_kw,
        interval: phases::interval(row)?,
        from: row.ready_for_service_date,
        until: row.end_date,
        basis: phases::basis(row)?,
        conversion: phases::conversion(row)?,
    })
}

async fn uses(tx: &Tx, operator: Option<&str>, from: Instant) -> Result<HashMap<Uuid, Vec<Use>>, Error> {
    let sql = "select block_id, kind, state, start_time, end_time, critical_it_kw, air_cooling_kw, \
                      liquid_cooling_kw, immersion_cooling_kw, accelerators \
               from inventory.booked_use(case when $1::text is null then null else array[$1::text] end, $2)";
    let values = [operator.into(), from.into()];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    let mut found: HashMap<Uuid, Vec<Use>> = HashMap::new();
    for row in rows {
        let text = |index| row.try_get_by_index::<String>(index).map_err(store_error);
        let kw = |index| row.try_get_by_index::<i64>(index).map_err(store_error);
        let time = |index| row.try_get_by_index::<Instant>(index).map_err(store_error);
        found.entry(row.try_get_by_index(0).map_err(store_error)?).or_default().push(Use {
            kind: Kind::of_word(&text(1)?).ok_or_else(|| corrupt("kind"))?,
            state: State::of_word(&text(2)?).ok_or_else(|| corrupt("state"))?,
            interval: Interval::new(time(3)?, time(4)?).map_err(|_| corrupt("claim"))?,
            kw: CapacityVector {
                critical_it: kw(5)?,
                air: kw(6)?,
                liquid: kw(7)?,
                immersion: kw(8)?,
                accelerators: kw(9)?,
            },
        });
    }
    Ok(found)
}
