//! Master agreements.

use kernel::{Error, MasterAgreementId, MasterAgreementName, OperatorId, TenantName};
use postgres::store_error;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Value,
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::entity::master_agreement;
use super::leases::execute;
use super::{conflict, corrupt};
use crate::domain::agreement::{AgreementState, MasterAgreement, read};

/// Writes a new agreement with the bytes that are signed.
pub async fn insert_agreement(
    tx: &DatabaseTransaction,
    new: &MasterAgreement,
    terms: Vec<u8>,
) -> Result<(), Error> {
    let row = master_agreement::ActiveModel {
        operator_id: Set(new.name.operator.to_string()),
        master_agreement_id: Set(new.name.master_agreement.get()),
        tenant_id: Set(new.tenant.tenant.to_string()),
        state: Set(new.state.name().to_owned()),
        terms: Set(terms),
        terms_hash: Set(new.terms_hash.0.to_vec()),
        consents: Set(json(&new.consents)?),
        ending: Set(new.ending.as_ref().map(json).transpose()?),
        revision: Set(new.revision),
        create_time: Set(new.create_time),
        update_time: Set(new.update_time),
    };
    master_agreement::Entity::insert(row).exec_without_returning(tx).await.map(|_| ()).map_err(store_error)
}

/// Writes a changed agreement over revision `from`. What is signed never changes.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when somebody else changed it first.
pub async fn save_agreement(tx: &DatabaseTransaction, new: &MasterAgreement, from: i64) -> Result<(), Error> {
    let sql = "update leasing.master_agreement set state = $4, consents = $5, ending = $6, revision = $7, \
                 update_time = $8 \
               where operator_id = $1 and master_agreement_id = $2 and revision = $3";
    let values: [Value; 8] = [
        new.name.operator.to_string().into(),
        new.name.master_agreement.get().into(),
        from.into(),
        new.state.name().into(),
        json(&new.consents)?.into(),
        new.ending.as_ref().map(json).transpose()?.into(),
        new.revision.into(),
        new.update_time.into(),
    ];
    match execute(tx, sql.to_owned(), values).await? {
        1 => Ok(()),
        _ => Err(conflict("master agreement")),
    }
}

/// The agreement, if the scope sees it.
pub async fn find_agreement(
    conn: &impl ConnectionTrait,
    name: &MasterAgreementName,
) -> Result<Option<MasterAgreement>, Error> {
    let row = master_agreement::Entity::find_by_id(key(name)).one(conn).await.map_err(store_error)?;
    row.map(agreement_of).transpose()
}

/// As [`find_agreement`], and nobody else changes it until the transaction ends.
pub async fn lock_agreement(
    tx: &DatabaseTransaction,
    name: &MasterAgreementName,
) -> Result<Option<MasterAgreement>, Error> {
    let row = master_agreement::Entity::find_by_id(key(name)).lock_exclusive().one(tx).await;
    row.map_err(store_error)?.map(agreement_of).transpose()
}

/// As [`lock_agreement`], beside others who do the same: orders do not wait for one another.
pub async fn share_agreement(
    tx: &DatabaseTransaction,
    name: &MasterAgreementName,
) -> Result<Option<MasterAgreement>, Error> {
    let row = master_agreement::Entity::find_by_id(key(name)).lock_shared().one(tx).await;
    row.map_err(store_error)?.map(agreement_of).transpose()
}

/// Which agreements to list; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct AgreementFilter {
    /// Of this operator.
    pub operator: Option<OperatorId>,
    /// With this tenant.
    pub tenant: Option<TenantName>,
    /// In one of these states; empty is any.
    pub states: Vec<AgreementState>,
    /// After this place.
    pub after: Option<(String, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

/// A page of agreements that the scope sees, in order of name.
pub async fn list_agreements(
    conn: &impl ConnectionTrait,
    filter: &AgreementFilter,
) -> Result<Vec<MasterAgreement>, Error> {
    use master_agreement::Column;
    let mut query = master_agreement::Entity::find()
        .order_by_asc(Column::OperatorId)
        .order_by_asc(Column::MasterAgreementId)
        .limit(u64::from(filter.limit));
    if let Some(operator) = &filter.operator {
        query = query.filter(Column::OperatorId.eq(operator.to_string()));
    }
    if let Some(name) = &filter.tenant {
        query = query.filter(Column::TenantId.eq(name.tenant.to_string()));
    }
    if !filter.states.is_empty() {
        query = query.filter(Column::State.is_in(filter.states.iter().map(|state| state.name())));
    }
    if let Some((operator, id)) = &filter.after {
        let same =
            Condition::all().add(Column::OperatorId.eq(operator)).add(Column::MasterAgreementId.gt(*id));
        query = query.filter(Condition::any().add(Column::OperatorId.gt(operator)).add(same));
    }
    query.all(conn).await.map_err(store_error)?.into_iter().map(agreement_of).collect()
}

fn key(name: &MasterAgreementName) -> (String, Uuid) {
    (name.operator.to_string(), name.master_agreement.get())
}

fn json(document: &impl Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(document).map_err(Error::internal)
}

fn document<T: DeserializeOwned>(column: &'static str, value: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|_| corrupt("master_agreement", column))
}

fn agreement_of(row: master_agreement::Model) -> Result<MasterAgreement, Error> {
    let bad = |column| corrupt("master_agreement", column);
    let operator: OperatorId = row.operator_id.parse().map_err(|_| bad("operator_id"))?;
    let (title, general) = read(&row.terms)?;
    let hash: [u8; 32] = row.terms_hash.try_into().map_err(|_| bad("terms_hash"))?;
    Ok(MasterAgreement {
        name: MasterAgreementName::new(operator, MasterAgreementId::new(row.master_agreement_id)),
        tenant: TenantName::new(row.tenant_id.parse().map_err(|_| bad("tenant_id"))?),
        title,
        general,
        terms_hash: crate::domain::TermsHash(hash),
        state: row.state.parse().map_err(|_| bad("state"))?,
        consents: document("consents", row.consents)?,
        ending: row.ending.map(|ending| document("ending", ending)).transpose()?,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
    })
}
