//! What resources were before each of their changes, as they went over the wire then. The row of a resource's own
//! table is what it is now; a version becomes a row here when it is superseded.

use std::collections::HashMap;

use kernel::{Error, Instant, OperatorId};
use postgres::{Tx, store_error};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

/// A kind of resource of which every version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An operator.
    Operator,
    /// A site.
    Site,
    /// A block.
    Block,
    /// A phase.
    Phase,
    /// A reservation; these are archived by `inventory.move_reservation`.
    Reservation,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "OPERATOR",
            Self::Site => "SITE",
            Self::Block => "BLOCK",
            Self::Phase => "PHASE",
            Self::Reservation => "RESERVATION",
        }
    }
}

/// A version that a change takes the place of.
#[derive(Debug)]
pub struct Superseded<'a> {
    /// What it is a version of.
    pub kind: Kind,
    /// Whose.
    pub operator: &'a OperatorId,
    /// The resource's full name.
    pub name: String,
    /// Its revision.
    pub revision: i64,
    /// From when on it was known.
    pub from: Instant,
    /// From when on its successor is known.
    pub until: Instant,
    /// As it went over the wire.
    pub payload: Vec<u8>,
}

/// A version as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its revision.
    pub revision: i64,
    /// As it went over the wire.
    pub payload: Vec<u8>,
}

/// Keeps a version, in the transaction of the change that supersedes it.
pub async fn archive(tx: &Tx, was: &Superseded<'_>) -> Result<(), Error> {
    let sql = "insert into inventory.superseded (operator_id, name, revision, kind, valid_from, valid_until, payload) \
               values ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        was.operator.as_str().into(),
        was.name.as_str().into(),
        was.revision.into(),
        was.kind.as_str().into(),
        was.from.into(),
        was.until.into(),
        was.payload.clone().into(),
    ];
    tx.conn()
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// The versions of these resources that were known at an instant and have been superseded since, by name.
pub async fn known_at(
    tx: &Tx,
    operators: Vec<String>,
    names: Vec<String>,
    at: Instant,
) -> Result<HashMap<String, Kept>, Error> {
    let sql = "select name, revision, payload from inventory.superseded \
               where operator_id = any($1) and name = any($2) and valid_from <= $3 and $3 < valid_until";
    let values = [operators.into(), names.into(), at.into()];
    let rows = tx
        .conn()
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let kept = Kept {
                revision: row.try_get_by_index(1).map_err(store_error)?,
                payload: row.try_get_by_index(2).map_err(store_error)?,
            };
            Ok((row.try_get_by_index(0).map_err(store_error)?, kept))
        })
        .collect()
}
