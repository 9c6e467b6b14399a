//! Sites and their grid connections.

use std::collections::HashMap;

use kernel::{Error, OperatorId, Scope, SiteName};
use postgres::page;
use postgres::{Tx, is_unique_violation, store_error};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};

use super::entity::{site, site_grid_step};
use super::{ASC, Rows, corrupt, of_json, of_operator, parse, texts, to_json};
use crate::domain::site::{Confidence, GridStep, Interconnection, PartialDate, Provenance, Site, SiteDraft};

/// Which sites a list shows. Empty lists are "all".
#[derive(Debug, Clone, Default)]
pub struct SiteFilter {
    /// Of one operator.
    pub operator: Option<OperatorId>,
    /// One site.
    pub site: Option<SiteName>,
    /// Of these grid operators.
    pub grid_isos: Vec<String>,
    /// In these countries.
    pub country_codes: Vec<String>,
    /// Archived ones too.
    pub show_archived: bool,
}

/// Writes a new site.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, new: &Site) -> Result<(), Error> {
    match site::Entity::insert(row(new)).exec_without_returning(tx.conn()).await {
        Ok(_) => insert_steps(tx, new).await,
        Err(error) if is_unique_violation(&error) => Err(Error::name_taken("site").with_source(error)),
        Err(error) => Err(store_error(error)),
    }
}

/// Writes a changed site over the version before it.
///
/// # Errors
/// `ETAG_MISMATCH` if that version is gone.
pub async fn update(tx: &Tx, changed: &Site) -> Result<(), Error> {
    let done = site::Entity::update_many()
        .set(row(changed))
        .filter(key(&changed.facts.name))
        .filter(site::Column::Version.eq(changed.version - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected != 1 {
        return Err(Error::etag_mismatch());
    }
    site_grid_step::Entity::delete_many()
        .filter(steps_of(&changed.facts.name))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    insert_steps(tx, changed).await
}

/// Raises a site's version, since its phases changed in this transaction, which holds its lock.
pub async fn raise(tx: &Tx, name: &SiteName) -> Result<(), Error> {
    site::Entity::update_many()
        .col_expr(site::Column::Version, Expr::col(site::Column::Version).add(1))
        .filter(key(name))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn insert_steps(tx: &Tx, of: &Site) -> Result<(), Error> {
    if of.facts.grid_steps.is_empty() {
        return Ok(());
    }
    let rows = of.facts.grid_steps.iter().map(|step| site_grid_step::ActiveModel {
        operator_id: Set(of.facts.name.operator.to_string()),
        site_id: Set(of.facts.name.site.to_string()),
        from_date: Set(step.from),
        contracted_kw: Set(step.contracted_kw),
        energised_kw: Set(step.energised_kw),
        interim_kw: Set(step.interim_kw),
    });
    site_grid_step::Entity::insert_many(rows).exec_without_returning(tx.conn()).await.map_err(store_error)?;
    Ok(())
}

/// One site, if the transaction's scope sees it.
pub async fn find(tx: &Tx, name: &SiteName) -> Result<Option<Site>, Error> {
    find_with(tx, name, false).await
}

/// One site, locked until the transaction ends: phases of a site are added one after the other.
pub async fn lock(tx: &Tx, name: &SiteName) -> Result<Option<Site>, Error> {
    find_with(tx, name, true).await
}

async fn find_with(tx: &Tx, name: &SiteName, lock: bool) -> Result<Option<Site>, Error> {
    let mut query = site::Entity::find().filter(key(name));
    if lock {
        query = query.lock_exclusive();
    }
    let Some(row) = query.one(tx.conn()).await.map_err(store_error)? else { return Ok(None) };
    let steps = site_grid_step::Entity::find()
        .filter(steps_of(name))
        .order_by(site_grid_step::Column::FromDate, ASC)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    read(row, steps.iter().map(read_step).collect()).map(Some)
}

/// Sites in order of name, after one.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    filter: &SiteFilter,
    after: Option<&(String, String)>,
    size: u32,
) -> Result<Rows<Site>, Error> {
    let mut query =
        site::Entity::find().filter(of_operator(scope, filter.operator.as_ref(), site::Column::OperatorId));
    if let Some((operator, id)) = after {
        use site::Column as C;
        let of = operator.as_str();
        query = query.filter(page::after_last(
            C::OperatorId.gt(of),
            C::OperatorId.eq(of),
            C::SiteId.gt(id.as_str()),
        ));
    }
    if let Some(name) = &filter.site {
        query = query.filter(key(name));
    } else if !filter.show_archived {
        query = query.filter(site::Column::ArchivedAt.is_null());
    }
    if !filter.grid_isos.is_empty() {
        query = query.filter(site::Column::GridIso.is_in(&filter.grid_isos));
    }
    if !filter.country_codes.is_empty() {
        query = query.filter(site::Column::CountryCode.is_in(&filter.country_codes));
    }
    let rows = query
        .order_by(site::Column::OperatorId, ASC)
        .order_by(site::Column::SiteId, ASC)
        .limit(u64::from(size) + 1)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let mut steps = steps_of_many(tx, &rows).await?;
    let read: Result<Vec<Site>, Error> = rows
        .into_iter()
        .map(|row| {
            let key = (row.operator_id.clone(), row.site_id.clone());
            read(row, steps.remove(&key).unwrap_or_default())
        })
        .collect();
    Ok(Rows::cut(read?, size))
}

async fn steps_of_many(
    tx: &Tx,
    sites: &[site::Model],
) -> Result<HashMap<(String, String), Vec<GridStep>>, Error> {
    let mut found: HashMap<_, Vec<GridStep>> = HashMap::new();
    if sites.is_empty() {
        return Ok(found);
    }
    let operators = sites.iter().map(|row| row.operator_id.as_str());
    let ids = sites.iter().map(|row| row.site_id.as_str());
    // A few more than asked for, where two operators chose the same id; each finds its own by key.
    let rows = site_grid_step::Entity::find()
        .filter(site_grid_step::Column::OperatorId.is_in(operators))
        .filter(site_grid_step::Column::SiteId.is_in(ids))
        .order_by(site_grid_step::Column::FromDate, ASC)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    for row in rows {
        let step = read_step(&row);
        found.entry((row.operator_id, row.site_id)).or_default().push(step);
    }
    Ok(found)
}

fn key(name: &SiteName) -> Condition {
    Condition::all()
        .add(site::Column::OperatorId.eq(name.operator.as_str()))
        .add(site::Column::SiteId.eq(name.site.as_str()))
}

fn steps_of(name: &SiteName) -> Condition {
    Condition::all()
        .add(site_grid_step::Column::OperatorId.eq(name.operator.as_str()))
        .add(site_grid_step::Column::SiteId.eq(name.site.as_str()))
}

fn row(of: &Site) -> site::ActiveModel {
    let facts = &of.facts;
    site::ActiveModel {
        operator_id: Set(facts.name.operator.to_string()),
        site_id: Set(facts.name.site.to_string()),
        version: Set(of.version),
        display_name: Set(facts.display_name.clone()),
        aliases: Set(serde_json::json!(facts.aliases)),
        city: Set(facts.city.clone()),
        state_code: Set(facts.state_code.clone()),
        country_code: Set(facts.country_code.clone()),
        grid_iso: Set(facts.grid_iso.clone()),
        utility: Set(facts.utility.clone()),
        time_zone: Set(facts.zone.name().to_owned()),
        latitude_e7: Set(facts.latitude_e7.map(i64::from)),
        longitude_e7: Set(facts.longitude_e7.map(i64::from)),
        interconnection_status: Set(facts.interconnection.as_str().to_owned()),
        interconnection_source: Set(facts.interconnection_source.clone()),
        interconnection_as_of: Set(facts.interconnection_as_of.map(PartialDate::text)),
        reported_leased_it_kw: Set(facts.reported_leased_it_kw),
        current_use: Set(facts.current_use.clone()),
        figures_source: Set(facts.provenance.source.clone()),
        figures_as_of: Set(facts.provenance.as_of.map(PartialDate::text)),
        figures_confidence: Set(facts.provenance.confidence.as_str().to_owned()),
        created_at: Set(of.created_at),
        updated_at: Set(of.updated_at),
        archived_at: Set(of.archived_at),
        more: Set(to_json(&facts.more)),
    }
}

fn read_step(row: &site_grid_step::Model) -> GridStep {
    GridStep {
        from: row.from_date,
        contracted_kw: row.contracted_kw,
        energised_kw: row.energised_kw,
        interim_kw: row.interim_kw,
    }
}

fn read(row: site::Model, grid_steps: Vec<GridStep>) -> Result<Site, Error> {
    let partial = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => PartialDate::of_text(&text).map(Some).ok_or_else(|| corrupt("date")),
    };
    let degrees =
        |e7: Option<i64>| e7.map(|e7| i32::try_from(e7).map_err(|_| corrupt("coordinate"))).transpose();
    let facts = SiteDraft {
        name: SiteName::new(parse("operator", &row.operator_id)?, parse("site", &row.site_id)?),
        display_name: row.display_name,
        aliases: texts("alias", &row.aliases)?,
        city: row.city,
        state_code: row.state_code,
        country_code: row.country_code,
        grid_iso: row.grid_iso,
        utility: row.utility,
        zone: parse("time zone", &row.time_zone)?,
        latitude_e7: degrees(row.latitude_e7)?,
        longitude_e7: degrees(row.longitude_e7)?,
        interconnection: Interconnection::of_word(&row.interconnection_status)
            .ok_or_else(|| corrupt("interconnection status"))?,
        interconnection_source: row.interconnection_source,
        interconnection_as_of: partial(row.interconnection_as_of)?,
        grid_steps,
        reported_leased_it_kw: row.reported_leased_it_kw,
        current_use: row.current_use,
        provenance: Provenance {
            source: row.figures_source,
            as_of: partial(row.figures_as_of)?,
            confidence: Confidence::of_word(&row.figures_confidence).ok_or_else(|| corrupt("confidence"))?,
        },
        more: of_json("site", row.more)?,
    };
    Ok(Site {
        facts,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        archived_at: row.archived_at,
    })
}
