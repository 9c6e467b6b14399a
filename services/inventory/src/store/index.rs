//! What the index of search is made of: everything in one snapshot, or a few blocks in another one, on the worker's
//! role. What blocks have and what is taken of them comes from the same function that the booking desk reads.

use std::collections::HashMap;

use kernel::{
    BlockName, CapacityVector, Error, Instant, Interval, OperatorId, ReservationName, Resource, Scope,
    SiteName, StepFunction, Uuid,
};
use postgres::outbox::{self, Snapshot};
use postgres::{Db, Tx, sqlx_error, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QueryResult, Statement,
};
use sqlx::Row as _;

use super::entity::{block, operator, phase};
use super::sites::{self, SiteFilter};
use super::{ASC, SCHEMA, blocks, corrupt, market, parse};
use crate::domain::availability::{BlockView, PhaseView, SiteView};
use crate::domain::index::Index;
use crate::domain::maintenance;

/// Blocks whose claims are read by one statement.
const CHUNK: usize = 1_000;
const SITES_PAGE: u32 = 1_000;

/// A block with what it has and what is left of it. Holds count until their expiry is written.
#[derive(Debug)]
pub struct ReadBlock {
    /// What is said of it, and its phases.
    pub view: BlockView,
    /// What it has.
    pub capacity: StepFunction<CapacityVector>,
    /// What is left: below zero where more is promised than there is.
    pub left: StepFunction<CapacityVector>,
}

/// What is to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// One block.
    Block(BlockName),
    /// A site and all its blocks.
    Site(SiteName),
    /// The blocks that a reservation takes of, or ever took of.
    Reservation(ReservationName),
}

/// What was read again.
#[derive(Debug)]
pub struct Reread {
    /// Which events it shows.
    pub snapshot: Snapshot,
    /// The site, if that was asked for and is there. What is archived is not there.
    pub site: Option<SiteView>,
    /// The blocks that are there.
    pub blocks: Vec<ReadBlock>,
}

/// The whole market, as one snapshot shows it.
pub async fn load(worker: &Db, now: Instant) -> Result<(Index, Snapshot), Error> {
    worker
        .read("load_index", &Scope::Worker, |tx| async move {
            let snapshot = outbox::snapshot(&tx, SCHEMA).await?;
            let mut index = Index::new(now);
            for row in operator::Entity::find().all(tx.conn()).await.map_err(store_error)? {
                index.put_operator(parse("operator", &row.operator_id)?);
            }
            let mut after = None;
            loop {
                let page =
                    sites::list(&tx, &Scope::Worker, &SiteFilter::default(), after.as_ref(), SITES_PAGE)
                        .await?;
                for site in page.rows {
                    after = Some((site.facts.name.operator.to_string(), site.facts.name.site.to_string()));
                    index.put_site(market::site_view(site));
                }
                if !page.more {
                    break;
                }
            }
            let rows = block::Entity::find()
                .filter(block::Column::ArchivedAt.is_null())
                .order_by(block::Column::OperatorId, ASC)
                .order_by(block::Column::BlockId, ASC)
                .all(tx.conn())
                .await
                .map_err(store_error)?;
            for of_operator in rows.chunk_by(|a, b| a.operator_id == b.operator_id) {
                for chunk in of_operator.chunks(CHUNK) {
                    for read in with_capacity(&tx, chunk).await? {
                        index.put_block(read.view, read.capacity, &read.left);
                    }
                }
            }
            index.settle();
            index.warm();
            Ok((tx, (index, snapshot)))
        })
        .await
}

/// A part of the market, as one snapshot shows it.
pub async fn reread(worker: &Db, part: &Part) -> Result<Reread, Error> {
    worker
        .read("reread_index", &Scope::Worker, |tx| async move {
            let snapshot = outbox::snapshot(&tx, SCHEMA).await?;
            let mut site = None;
            let condition = match part {
                Part::Block(name) => {
                    of_site(&name.site_name()).add(block::Column::BlockSlug.eq(name.block.as_str()))
                }
                Part::Site(name) => {
                    let found = sites::find(&tx, name).await?.filter(|site| site.archived_at.is_none());
                    site = found.map(market::site_view);
                    of_site(name)
                }
                Part::Reservation(name) => {
                    let ids = touched(&tx, name).await?;
                    Condition::all()
                        .add(block::Column::OperatorId.eq(name.operator.as_str()))
                        .add(block::Column::BlockId.is_in(ids))
                }
            };
            let rows = block::Entity::find()
                .filter(condition)
                .filter(block::Column::ArchivedAt.is_null())
                .all(tx.conn())
                .await
                .map_err(store_error)?;
            let mut blocks = Vec::with_capacity(rows.len());
            for chunk in rows.chunks(CHUNK) {
                blocks.extend(with_capacity(&tx, chunk).await?);
            }
            Ok((tx, Reread { snapshot, site, blocks }))
        })
        .await
}

fn of_site(name: &SiteName) -> Condition {
    Condition::all()
        .add(block::Column::OperatorId.eq(name.operator.as_str()))
        .add(block::Column::SiteId.eq(name.site.as_str()))
}

/// The blocks of every claim that a reservation has or had.
async fn touched(tx: &Tx, name: &ReservationName) -> Result<Vec<Uuid>, Error> {
    let sql = "select distinct block_id from inventory.claim where operator_id = $1 and reservation_id = $2";
    let values = [name.operator.as_str().into(), name.reservation.get().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = tx.conn().query_all_raw(statement).await.map_err(store_error)?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(store_error)).collect()
}

/// Blocks of one operator with what they have and what is free.
async fn with_capacity(tx: &Tx, rows: &[block::Model]) -> Result<Vec<ReadBlock>, Error> {
    let Some(operator) = rows.first().map(|row| row.operator_id.clone()) else { return Ok(Vec::new()) };
    let ids: Vec<Uuid> = rows.iter().map(|row| row.block_id).collect();
    let mut phases_of: HashMap<Uuid, Vec<PhaseView>> = HashMap::new();
    let phase_rows = phase::Entity::find()
        .filter(phase::Column::OperatorId.eq(operator.as_str()))
        .filter(phase::Column::BlockId.is_in(ids.iter().copied()))
        .filter(phase::Column::UseState.ne("CANCELLED"))
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    for row in phase_rows {
        phases_of.entry(row.block_id).or_default().push(market::phase_view(&row)?);
    }
    let operator: OperatorId = parse("operator", &operator)?;
    let mut parts = states(tx, &operator, &ids).await?;
    rows.iter()
        .map(|row| {
            let Parts { phases, derates, claims } = parts.remove(&row.block_id).unwrap_or_default();
            let capacity = maintenance::capacity(phases, derates);
            let taken = StepFunction::from_intervals(claims).map_err(|_| corrupt("claims"))?;
            Ok(ReadBlock {
                view: BlockView {
                    name: blocks::name(row)?,
                    rate: blocks::rate(row)?,
                    traits: blocks::traits(row)?,
                    phases: phases_of.remove(&row.block_id).unwrap_or_default(),
                    derates: Vec::new(),
                    uses: Vec::new(),
                },
                left: capacity.sub(&taken).map_err(|_| corrupt("capacity"))?,
                capacity,
            })
        })
        .collect()
}

type Pieces = Vec<(Interval, CapacityVector)>;

/// What is said of a block in intervals.
#[derive(Default)]
struct Parts {
    phases: Pieces,
    derates: Pieces,
    claims: Pieces,
}

/// What blocks have, what windows take from that, and what is claimed, a row a block and part.
const STATES: &str = "select s.block_id, s.part, array_agg(s.start_time), array_agg(s.end_time), \
        array_agg(s.critical_it_kw), array_agg(s.air_cooling_kw), array_agg(s.liquid_cooling_kw), \
        array_agg(s.immersion_cooling_kw), array_agg(s.accelerators) \
    from inventory.block_state($1, array(select jsonb_array_elements_text($2::jsonb)::uuid), \
        array(select -1::bigint from jsonb_array_elements_text($2::jsonb))) as s \
    where s.part <> 'HEAD' group by s.block_id, s.part";

async fn states(tx: &Tx, operator: &OperatorId, ids: &[Uuid]) -> Result<HashMap<Uuid, Parts>, Error> {
    let values = [operator.as_str().into(), serde_json::json!(ids).into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, STATES, values);
    let rows = tx.conn().query_all_raw(statement).await.map_err(store_error)?;
    let mut found: HashMap<Uuid, Parts> = HashMap::new();
    for row in rows {
        let block = row.try_get_by_index(0).map_err(store_error)?;
        let part: String = row.try_get_by_index(1).map_err(store_error)?;
        let own = found.entry(block).or_default();
        let of_part = match part.as_str() {
            "PHASE" => &mut own.phases,
            "DERATE" => &mut own.derates,
            "CLAIM" => &mut own.claims,
            _ => return Err(corrupt("part of a block")),
        };
        *of_part = pieces(&row)?;
    }
    Ok(found)
}

/// A row's intervals with what is in each.
fn pieces(row: &QueryResult) -> Result<Pieces, Error> {
    let row = row.try_as_pg_row().ok_or_else(|| corrupt("row"))?;
    let times = |index: usize| row.try_get::<Vec<Instant>, _>(index).map_err(sqlx_error);
    let amounts = |index: usize| row.try_get::<Vec<i64>, _>(index).map_err(sqlx_error);
    let (starts, ends) = (times(2)?, times(3)?);
    let lanes: Vec<Vec<i64>> = (4..9).map(amounts).collect::<Result<_, _>>()?;
    // The columns stand in the order of the lanes.
    let amount = |lane: Resource, n: usize| lanes.get(lane as usize)?.get(n).copied();
    starts
        .iter()
        .zip(&ends)
        .enumerate()
        .map(|(n, (start, end))| {
            let interval = Interval::new(*start, *end).map_err(|_| corrupt("interval"))?;
            Ok((interval, CapacityVector::of(|lane| amount(lane, n).unwrap_or(0))))
        })
        .collect()
}
