//! Between columns and the domain's types. A row that does not read is our own fault: `INTERNAL`.

use std::fmt;
use std::str::FromStr;

use kernel::{Currency, Error, Money};
use sea_orm::{DbBackend, Statement, Value};

use crate::domain::lease::BlockRef;

/// A row holds what no writer of ours writes.
#[derive(Debug, thiserror::Error)]
#[error("column {column}: {problem}")]
struct BrokenRow {
    column: &'static str,
    problem: String,
}

pub(super) fn broken(column: &'static str, problem: impl fmt::Display) -> Error {
    Error::internal(BrokenRow { column, problem: problem.to_string() })
}

/// A text column as the domain's type.
pub(super) fn parse<T>(column: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    text.parse().map_err(|error| broken(column, error))
}

/// An integer column as a narrower or unsigned integer.
pub(super) fn narrow<T, U>(column: &'static str, number: T) -> Result<U, Error>
where
    U: TryFrom<T>,
    U::Error: fmt::Display,
{
    U::try_from(number).map_err(|error| broken(column, error))
}

pub(super) fn money(minor: i64, currency_code: &str) -> Result<Money, Error> {
    Ok(Money::new(minor, parse::<Currency>("currency_code", currency_code)?))
}

pub(super) fn statement(sql: &'static str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// A block, where a row names one.
pub(super) fn place_of(site: Option<&str>, block: Option<&str>) -> Result<Option<BlockRef>, Error> {
    site.zip(block)
        .map(|(site, block)| Ok(BlockRef { site: parse("site_id", site)?, block: parse("block_id", block)? }))
        .transpose()
}
