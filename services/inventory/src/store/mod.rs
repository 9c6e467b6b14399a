//! Remembers, decides nothing. Every query begins with a scope, which row level security holds a second time.

pub mod batch;
pub mod blocks;
pub mod curtailments;
pub mod desk;
pub mod encumbrances;
mod entity;
pub mod history;
pub mod in_use;
pub mod incidents;
pub mod index;
pub mod jobs;
pub mod maintenance;
pub mod market;
pub mod moves;
pub mod operators;
pub mod phases;
pub mod reservations;
pub mod rewrites;
pub mod shortfalls;
pub mod sites;
pub mod waitlist;

use std::fmt::Display;
use std::str::FromStr;

use kernel::{BlockName, Error, OperatorId, Scope, Uuid};
use postgres::{page, store_error};
use sea_orm::sea_query::Order;
use sea_orm::{ColumnTrait, Condition, QueryResult};

use crate::domain::encumbrance::Extent;

/// The schema of every table and function here.
pub const SCHEMA: &str = "inventory";

/// The first rows of a list and whether there are more.
#[derive(Debug)]
pub struct Rows<T> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl<T> Rows<T> {
    /// Of a query that asked for one row more than the page holds.
    pub(crate) fn cut(mut rows: Vec<T>, size: u32) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        Self { rows, more }
    }
}

/// The operator a query is bound to, where the scope or the parent names one: written out beside row level security,
/// so that indexes are used and a mistake in one of the two shows nothing.
pub(crate) fn of_operator(scope: &Scope, parent: Option<&OperatorId>, column: impl ColumnTrait) -> Condition {
    let own = match scope {
        Scope::Operator(own) => Some(own),
        Scope::Tenant(_) | Scope::Market | Scope::Worker => None,
    };
    Condition::all()
        .add_option(own.map(|own| column.eq(own.as_str())))
        .add_option(parent.map(|operator| column.eq(operator.as_str())))
}

/// Names are in order of their bytes, as everywhere.
pub(crate) const ASC: Order = Order::Asc;

/// What comes after the last row of a page in a list by id and, among equals, by operator in order of name.
pub(crate) fn after_last<C: ColumnTrait>(
    (id, order): (C, Order),
    operator: C,
    (last, of): &(Uuid, String),
) -> Condition {
    let beyond = if matches!(order, Order::Desc) { id.lt(*last) } else { id.gt(*last) };
    page::after_last(beyond, id.eq(*last), operator.gt(of.as_str()))
}

/// The name of a block, of an operator, whose site and slug a row carries beside its own columns.
pub(crate) fn block_name(operator: &str, row: &QueryResult) -> Result<BlockName, Error> {
    let site: String = row.try_get("", "site_id").map_err(store_error)?;
    let slug: String = row.try_get("", "block_slug").map_err(store_error)?;
    Ok(BlockName::new(parse("operator", operator)?, parse("site", &site)?, parse("block", &slug)?))
}

/// The site that something is on or lies at.
pub(crate) fn site_of(on: &Extent) -> Option<String> {
    match on {
        Extent::Operator(_) => None,
        Extent::Site(site) => Some(site.site.to_string()),
        Extent::Block(block) => Some(block.site.to_string()),
    }
}

/// A row that the schema's checks should have refused.
pub(crate) fn corrupt(what: &'static str) -> Error {
    Error::internal(format!("a stored {what} does not read"))
}

/// A stored text as its type.
pub(crate) fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error>
where
    T::Err: Display,
{
    text.parse().map_err(|error| Error::internal(format!("a stored {what} does not read: {error}")))
}

/// Facts as they are stored.
pub(crate) fn to_json(facts: &impl serde::Serialize) -> serde_json::Value {
    // Only a map with keys that are no texts could fail, and there is none.
    serde_json::to_value(facts).unwrap_or_default()
}

/// Stored facts as their type.
pub(crate) fn of_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    json: serde_json::Value,
) -> Result<T, Error> {
    serde_json::from_value(json)
        .map_err(|error| Error::internal(format!("a stored {what} does not read: {error}")))
}

/// A stored list of texts.
pub(crate) fn texts(what: &'static str, json: &serde_json::Value) -> Result<Vec<String>, Error> {
    json.as_array()
        .and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect())
        .ok_or_else(|| corrupt(what))
}
