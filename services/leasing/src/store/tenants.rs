//! Tenants.

use kernel::{Error, TenantId};
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::corrupt;
use super::entity::tenant;
use crate::domain::Tenant;

/// Writes a new tenant. `false`: the name is taken.
pub async fn insert_tenant(tx: &DatabaseTransaction, new: &Tenant) -> Result<bool, Error> {
    let row = tenant::ActiveModel {
        tenant_id: Set(new.id.to_string()),
        display_name: Set(new.display_name.clone()),
        revision: Set(new.revision),
        create_time: Set(new.create_time),
    };
    let inserted = tenant::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(store_error)?;
    Ok(inserted == 1)
}

/// The tenant, if the scope sees it.
pub async fn find_tenant(conn: &impl ConnectionTrait, id: &TenantId) -> Result<Option<Tenant>, Error> {
    let row = tenant::Entity::find_by_id(id.to_string()).one(conn).await.map_err(store_error)?;
    row.map(tenant_of).transpose()
}

/// Tenants that the scope sees, in order of name, after `after`.
pub async fn list_tenants(
    conn: &impl ConnectionTrait,
    after: Option<&TenantId>,
    limit: u32,
) -> Result<Vec<Tenant>, Error> {
    let mut query = tenant::Entity::find().order_by_asc(tenant::Column::TenantId).limit(u64::from(limit));
    if let Some(after) = after {
        query = query.filter(tenant::Column::TenantId.gt(after.to_string()));
    }
    let rows = query.all(conn).await.map_err(store_error)?;
    rows.into_iter().map(tenant_of).collect()
}

fn tenant_of(row: tenant::Model) -> Result<Tenant, Error> {
    Ok(Tenant {
        id: row.tenant_id.parse().map_err(|_| corrupt("tenant", "tenant_id"))?,
        display_name: row.display_name,
        revision: row.revision,
        create_time: row.create_time,
    })
}
