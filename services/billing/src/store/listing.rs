//! How lists are cut: which organisation's rows, after which row, how many.

use kernel::{Error, OperatorId, Scope, Uuid};
use postgres::page::after_last;
use postgres::store_error;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};
use serde::{Deserialize, Serialize};

/// What a list or a look-up may see: the caller's scope, and one operator if the request names one.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// The caller's scope.
    pub scope: &'a Scope,
    /// Only this operator's rows.
    pub operator: Option<&'a OperatorId>,
}

impl Sight<'_> {
    /// The condition on a table with both columns.
    pub(super) fn condition(&self, operator_id: impl ColumnTrait, tenant_id: impl ColumnTrait) -> Condition {
        let tenant = match self.scope {
            Scope::Tenant(tenant) => Some(tenant.as_str()),
            Scope::Operator(_) | Scope::Market | Scope::Worker => None,
        };
        self.of_operator(operator_id).add_option(tenant.map(|t| tenant_id.eq(t)))
    }

    /// The condition on a table that tenants never see.
    pub(super) fn of_operator(&self, operator_id: impl ColumnTrait) -> Condition {
        let own = match self.scope {
            Scope::Operator(operator) => Some(operator.as_str()),
            Scope::Tenant(_) | Scope::Market | Scope::Worker => None,
        };
        Condition::all()
            .add_option(own.map(|o| operator_id.eq(o)))
            .add_option(self.operator.map(|o| operator_id.eq(o.as_str())))
    }
}

/// Which part of a list: after the last row given, at most so many rows and one more, which tells that there is more.
#[derive(Clone, Debug)]
pub struct Page<K> {
    /// The sort key of the last row already given.
    pub after: Option<K>,
    /// Most rows to give.
    pub size: u32,
}

impl<K> Page<K> {
    pub(super) fn limit(&self) -> u64 {
        u64::from(self.size) + 1
    }
}

/// Rows of one page.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    /// At most the page's size.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl<T> Paged<T> {
    pub(super) fn of<K>(mut rows: Vec<T>, page: &Page<K>) -> Self {
        let size = page.size as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        Self { rows, more }
    }
}

/// Sort key of rows, newest first: their ids are in order of creation, and an operator's is the last word.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Newest(pub Uuid, pub OperatorId);

/// One page of these rows, newest first.
pub(super) async fn newest_first<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    rows: Select<E>,
    (id, operator): (E::Column, E::Column),
    page: &Page<Newest>,
) -> Result<Paged<E::Model>, Error> {
    let after = |Newest(last, of): &Newest| after_last(id.lt(*last), id.eq(*last), operator.gt(of.as_str()));
    let rows = rows
        .filter(Condition::all().add_option(page.after.as_ref().map(after)))
        .order_by_desc(id)
        .order_by_asc(operator)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(Paged::of(rows, page))
}
