//! Tariffs with their components.

use std::collections::HashMap;

use kernel::{Error, OperatorId, Scope, TariffId, TariffName};
use postgres::page::after_last;
use postgres::{is_unique_violation, store_error};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use serde::{Deserialize, Serialize};

use super::entity::{tariff, tariff_component};
use super::listing::{Page, Paged, Sight};
use super::rows::{broken, parse, statement};
use crate::domain::tariff::{Component, Tariff, TariffFacts};

/// Writes a new tariff with its components; `false` if its name is taken.
pub async fn insert(conn: &impl ConnectionTrait, new: &Tariff) -> Result<bool, Error> {
    let row = tariff::ActiveModel {
        operator_id: Set(new.operator.to_string()),
        tariff_id: Set(new.id.to_string()),
        display_name: Set(new.facts.display_name.clone()),
        currency_code: Set(new.facts.currency.to_string()),
        time_zone: Set(new.facts.zone.to_string()),
        terms: Set(serde_json::to_value(&new.facts.terms).map_err(Error::internal)?),
        version: Set(new.version),
        create_time: Set(new.create_time),
    };
    let inserted = tariff::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map_err(store_error)?;
    if inserted == 0 {
        return Ok(false);
    }
    add(conn, new, &new.components).await?;
    Ok(true)
}

/// Writes components that came with the tariff's version.
///
/// # Errors
/// `NAME_TAKEN` when there is one of that code and first day.
pub async fn add(conn: &impl ConnectionTrait, of: &Tariff, components: &[Component]) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(components.len());
    for component in components {
        rows.push(tariff_component::ActiveModel {
            operator_id: Set(of.operator.to_string()),
            tariff_id: Set(of.id.to_string()),
            code: Set(component.code.clone()),
            from_date: Set(component.from),
            until_date: Set(component.until),
            price: Set(serde_json::to_value(&component.price).map_err(Error::internal)?),
            source: Set(component.source.clone()),
            version: Set(of.version),
        });
    }
    match tariff_component::Entity::insert_many(rows).exec_without_returning(conn).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => {
            Err(Error::name_taken("component of this code and first day").with_source(error))
        }
        Err(error) => Err(store_error(error)),
    }
}

/// Writes a tariff's new version, if nobody changed it meanwhile.
pub async fn raise(conn: &impl ConnectionTrait, tariff: &Tariff) -> Result<(), Error> {
    let sql = "update billing.tariff set version = $3 where operator_id = $1 and tariff_id = $2 and version = $3 - 1";
    let values = [tariff.operator.as_str().into(), tariff.id.as_str().into(), tariff.version.into()];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// One tariff, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &TariffName,
) -> Result<Option<Tariff>, Error> {
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = tariff::Entity::find()
        .filter(sight.of_operator(tariff::Column::OperatorId))
        .filter(tariff::Column::TariffId.eq(name.tariff.as_str()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_components(conn, rows).await?.pop())
}

/// Sort key of tariffs: their name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TariffKey(pub OperatorId, pub TariffId);

/// Tariffs in order of name.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    page: &Page<TariffKey>,
) -> Result<Paged<Tariff>, Error> {
    use tariff::Column as C;
    let after = page.after.as_ref().map(|TariffKey(operator, id)| {
        let of = operator.as_str();
        after_last(C::OperatorId.gt(of), C::OperatorId.eq(of), C::TariffId.gt(id.as_str()))
    });
    let rows = tariff::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(Condition::all().add_option(after))
        .order_by_asc(C::OperatorId)
        .order_by_asc(C::TariffId)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    Ok(Paged { rows: with_components(conn, paged.rows).await?, more: paged.more })
}

/// Adds the components, in one statement for all.
async fn with_components(
    conn: &impl ConnectionTrait,
    rows: Vec<tariff::Model>,
) -> Result<Vec<Tariff>, Error> {
    use tariff_component::Column as C;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let found = tariff_component::Entity::find()
        .filter(C::OperatorId.is_in(operators))
        .filter(C::TariffId.is_in(rows.iter().map(|row| row.tariff_id.clone())))
        .order_by_asc(C::Code)
        .order_by_asc(C::FromDate)
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut components: HashMap<(String, String), Vec<Component>> = HashMap::new();
    for row in found {
        let component = Component {
            code: row.code,
            from: row.from_date,
            until: row.until_date,
            price: serde_json::from_value(row.price).map_err(|error| broken("price", error))?,
            source: row.source,
        };
        components.entry((row.operator_id, row.tariff_id)).or_default().push(component);
    }
    rows.into_iter()
        .map(|row| {
            let facts = TariffFacts {
                display_name: row.display_name,
                currency: parse("currency_code", &row.currency_code)?,
                zone: parse("time_zone", &row.time_zone)?,
                terms: serde_json::from_value(row.terms).map_err(|error| broken("terms", error))?,
            };
            Ok(Tariff {
                operator: parse("operator_id", &row.operator_id)?,
                id: parse("tariff_id", &row.tariff_id)?,
                facts,
                version: row.version,
                components: components.remove(&(row.operator_id, row.tariff_id)).unwrap_or_default(),
                create_time: row.create_time,
            })
        })
        .collect()
}
