//! Remembers, decides nothing. Every query begins with a scope, which row level security holds a second time.

pub mod blocks;
pub mod desk;
mod entity;
pub mod index;
pub mod jobs;
pub mod market;
pub mod moves;
pub mod operators;
pub mod phases;
pub mod reservations;
pub mod sites;

use std::fmt::Display;
use std::str::FromStr;

use kernel::{Error, OperatorId, Scope};
use sea_orm::sea_query::Order;
use sea_orm::{ColumnTrait, Condition};

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

/// A stored list of texts.
pub(crate) fn texts(what: &'static str, json: &serde_json::Value) -> Result<Vec<String>, Error> {
    json.as_array()
        .and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect())
        .ok_or_else(|| corrupt(what))
}
