//! Operators.

use kernel::{Error, OperatorId, Scope};
use postgres::{Tx, is_unique_violation, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::operator;
use super::{ASC, Rows, of_operator, parse, texts};
use crate::domain::operator::{Operator, OperatorDraft};

/// Writes a new operator.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, new: &Operator) -> Result<(), Error> {
    match operator::Entity::insert(row(new)).exec_without_returning(tx.conn()).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Error::name_taken("operator").with_source(error)),
        Err(error) => Err(store_error(error)),
    }
}

/// Writes a changed operator over the revision before it.
///
/// # Errors
/// `ETAG_MISMATCH` if that revision is gone.
pub async fn update(tx: &Tx, changed: &Operator) -> Result<(), Error> {
    let done = operator::Entity::update_many()
        .set(row(changed))
        .filter(operator::Column::OperatorId.eq(changed.facts.operator.as_str()))
        .filter(operator::Column::Revision.eq(changed.revision - 1))
        .exec(tx.conn())
        .await
        .map_err(store_error)?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Error::etag_mismatch()) }
}

/// One operator, if the transaction's scope sees it.
pub async fn find(tx: &Tx, id: &OperatorId) -> Result<Option<Operator>, Error> {
    let row = operator::Entity::find()
        .filter(operator::Column::OperatorId.eq(id.as_str()))
        .one(tx.conn())
        .await
        .map_err(store_error)?;
    row.map(read).transpose()
}

/// Operators in order of id, after one.
pub async fn list(tx: &Tx, scope: &Scope, after: Option<&str>, size: u32) -> Result<Rows<Operator>, Error> {
    let mut query = operator::Entity::find().filter(of_operator(scope, None, operator::Column::OperatorId));
    if let Some(after) = after {
        query = query.filter(operator::Column::OperatorId.gt(after));
    }
    let rows = query
        .order_by(operator::Column::OperatorId, ASC)
        .limit(u64::from(size) + 1)
        .all(tx.conn())
        .await
        .map_err(store_error)?;
    let read: Result<Vec<_>, _> = rows.into_iter().map(read).collect();
    Ok(Rows::cut(read?, size))
}

fn row(of: &Operator) -> operator::ActiveModel {
    operator::ActiveModel {
        operator_id: Set(of.facts.operator.to_string()),
        revision: Set(of.revision),
        display_name: Set(of.facts.display_name.clone()),
        aliases: Set(serde_json::json!(of.facts.aliases)),
        created_at: Set(of.created_at),
        updated_at: Set(of.updated_at),
    }
}

fn read(row: operator::Model) -> Result<Operator, Error> {
    Ok(Operator {
        facts: OperatorDraft {
            operator: parse("operator", &row.operator_id)?,
            display_name: row.display_name,
            aliases: texts("alias", &row.aliases)?,
        },
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
