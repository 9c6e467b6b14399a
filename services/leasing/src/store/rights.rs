//! Rights of first refusal and offer, and what their holders were offered.

use kernel::{
    CivilDate, Error, Instant, LeaseId, LeaseName, OperatorId, RightOfferId, RightOfferName, TenantName,
};
use postgres::{insert_all, store_error};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entity::{lease_right, right_offer};
use super::leases::execute;
use super::sagas::query;
use super::{conflict, corrupt};
use crate::domain::Lease;
use crate::domain::right::{Answer, Encumbered, ExpansionRight, OfferState, Place, RightOffer, Told};

/// An offer as it lies in its row, but for what has a column.
#[derive(Serialize, Deserialize)]
struct Body {
    right: ExpansionRight,
    terms: Told,
    answer: Option<Answer>,
}

/// Writes the rights that the version of a lease gives.
pub(super) async fn insert_rights(tx: &DatabaseTransaction, lease: &Lease) -> Result<(), Error> {
    let rights = lease.terms.contract.expansion_rights.iter().map(|right| {
        let (site, block) = match &right.place {
            Place::Operator(_) => (None, None),
            Place::Site(name) => (Some(name.site.to_string()), None),
            Place::Block(name) => (Some(name.site.to_string()), Some(name.block.to_string())),
        };
        Ok(lease_right::ActiveModel {
            operator_id: Set(lease.name.operator.to_string()),
            lease_id: Set(lease.name.lease.to_string()),
            version: Set(lease.version),
            right_id: Set(right.id.clone()),
            kind: Set(right.kind.name().to_owned()),
            site_id: Set(site),
            block_slug: Set(block),
            until_date: Set(right.until),
            body: Set(serde_json::to_value(right).map_err(Error::internal)?),
        })
    });
    let rows = rights.collect::<Result<Vec<_>, Error>>()?;
    insert_all(tx, rows).await.map_err(store_error)
}

/// Where a lease would take something: its blocks, and the sites of which some are to be named.
#[must_use]
pub fn places_of(lease: &Lease) -> Vec<(String, String)> {
    let blocks = lease.premises.iter().map(|one| (one.block.site.to_string(), one.block.block.to_string()));
    let later = lease.open_nominations().map(|one| (one.site.site.to_string(), String::new()));
    blocks.chain(later).collect()
}

/// The rights of other tenants on places (a site and a block, or none) that a lease would take, that live on `today`; by rank, then
/// by the lease that gives them. A default, an early end and what comes after the term put a right to sleep.
pub async fn rights_on(
    conn: &impl ConnectionTrait,
    lease: &Lease,
    places: Vec<(String, String)>,
    today: CivilDate,
) -> Result<Vec<Encumbered>, Error> {
    let sql = "select r.lease_id, h.tenant_id, r.body, o.state, o.respond_by from leasing.lease_right r \
               join leasing.lease h on h.operator_id = r.operator_id and h.lease_id = r.lease_id \
                 and h.version = r.version \
               left join leasing.right_offer o on o.operator_id = r.operator_id and o.lease_id = r.lease_id \
                 and o.right_id = r.right_id and o.offered_lease_id = $2 \
               where r.operator_id = $1 and h.tenant_id <> $3 and h.state in ('EFFECTIVE', 'ACTIVE') \
                 and coalesce(h.life -> 'termination', 'null') = 'null' \
                 and (r.until_date is null or r.until_date > $4) \
                 and exists (select 1 from unnest(string_to_array($5, ','), string_to_array($6, ',')) p (site_id, block_slug) \
                   where (r.site_id is null or r.site_id = p.site_id) \
                   and (r.block_slug is null or r.block_slug = p.block_slug)) \
               order by r.kind desc, r.lease_id, r.right_id";
    // An id has no comma.
    let (sites, blocks): (Vec<_>, Vec<_>) = places.into_iter().unzip();
    let values: [Value; 6] = [
        lease.name.operator.to_string().into(),
        lease.name.lease.to_string().into(),
        lease.tenant.tenant.to_string().into(),
        today.into(),
        sites.join(",").into(),
        blocks.join(",").into(),
    ];
    let rows = query(conn, sql, values).await?;
    rows.iter().map(|row| encumbered_of(&lease.name.operator, row)).collect()
}

fn encumbered_of(operator: &OperatorId, row: &QueryResult) -> Result<Encumbered, Error> {
    let giving: String = row.try_get_by_index(0).map_err(store_error)?;
    let tenant: String = row.try_get_by_index(1).map_err(store_error)?;
    let body: serde_json::Value = row.try_get_by_index(2).map_err(store_error)?;
    let state: Option<String> = row.try_get_by_index(3).map_err(store_error)?;
    let until: Option<Instant> = row.try_get_by_index(4).map_err(store_error)?;
    let lease: LeaseId = giving.parse().map_err(|_| corrupt("lease_right", "lease_id"))?;
    let state = state.map(|state| state.parse()).transpose().map_err(|_| corrupt("right_offer", "state"))?;
    Ok(Encumbered {
        lease: LeaseName::new(operator.clone(), lease),
        tenant: TenantName::new(tenant.parse().map_err(|_| corrupt("lease", "tenant_id"))?),
        right: serde_json::from_value(body).map_err(|_| corrupt("lease_right", "body"))?,
        offer: state.zip(until),
    })
}

/// Writes a new offer.
pub async fn insert_right_offer(tx: &DatabaseTransaction, offer: &RightOffer) -> Result<(), Error> {
    let row = row_of(offer)?;
    right_offer::Entity::insert(row).exec_without_returning(tx).await.map(|_| ()).map_err(store_error)
}

/// Writes a changed offer over revision `from`.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when somebody else changed it first.
pub async fn save_right_offer(tx: &DatabaseTransaction, offer: &RightOffer, from: i64) -> Result<(), Error> {
    let sql = "update leasing.right_offer set state = $4, body = $5, revision = $6, update_time = $7 \
               where operator_id = $1 and right_offer_id = $2 and revision = $3";
    let values: [Value; 7] = [
        offer.name.operator.to_string().into(),
        offer.name.right_offer.get().into(),
        from.into(),
        offer.state.name().into(),
        body_of(offer)?.into(),
        offer.revision.into(),
        offer.update_time.into(),
    ];
    match execute(tx, sql.to_owned(), values).await? {
        1 => Ok(()),
        _ => Err(conflict("right offer")),
    }
}

/// The offer, if the scope sees it.
pub async fn find_right_offer(
    conn: &impl ConnectionTrait,
    name: &RightOfferName,
) -> Result<Option<RightOffer>, Error> {
    let key = (name.operator.to_string(), name.right_offer.get());
    let row = right_offer::Entity::find_by_id(key).one(conn).await.map_err(store_error)?;
    row.map(offer_of).transpose()
}

/// As [`find_right_offer`], and nobody else changes it until the transaction ends.
pub async fn lock_right_offer(
    tx: &DatabaseTransaction,
    name: &RightOfferName,
) -> Result<Option<RightOffer>, Error> {
    let key = (name.operator.to_string(), name.right_offer.get());
    let row = right_offer::Entity::find_by_id(key).lock_exclusive().one(tx).await.map_err(store_error)?;
    row.map(offer_of).transpose()
}

/// Which offers to list; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct RightOfferFilter {
    /// Of this operator.
    pub operator: Option<OperatorId>,
    /// Of this proposed lease.
    pub offered_lease: Option<LeaseId>,
    /// In one of these states; empty is any.
    pub states: Vec<OfferState>,
    /// After this place.
    pub after: Option<(String, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

/// A page of offers that the scope sees, in order of name.
pub async fn list_right_offers(
    conn: &impl ConnectionTrait,
    filter: &RightOfferFilter,
) -> Result<Vec<RightOffer>, Error> {
    use right_offer::Column;
    let mut query = right_offer::Entity::find()
        .order_by_asc(Column::OperatorId)
        .order_by_asc(Column::RightOfferId)
        .limit(u64::from(filter.limit));
    if let Some(operator) = &filter.operator {
        query = query.filter(Column::OperatorId.eq(operator.to_string()));
    }
    if let Some(lease) = &filter.offered_lease {
        query = query.filter(Column::OfferedLeaseId.eq(lease.to_string()));
    }
    if !filter.states.is_empty() {
        query = query.filter(Column::State.is_in(filter.states.iter().map(|state| state.name())));
    }
    if let Some((operator, id)) = &filter.after {
        let same = Condition::all().add(Column::OperatorId.eq(operator)).add(Column::RightOfferId.gt(*id));
        query = query.filter(Condition::any().add(Column::OperatorId.gt(operator)).add(same));
    }
    query.all(conn).await.map_err(store_error)?.into_iter().map(offer_of).collect()
}

/// Open offers that nobody answers any more, locked: those whose time is over by the database's clock, and those whose lease
/// can be signed no more. `of`: only those of this lease.
pub async fn due_right_offers(
    tx: &DatabaseTransaction,
    of: Option<&LeaseName>,
    limit: u32,
) -> Result<Vec<(RightOffer, bool)>, Error> {
    let sql = "select o.operator_id, o.right_offer_id, o.respond_by <= clock_timestamp() from leasing.right_offer o \
               where o.state = 'OPEN' and ($1::text is null or (o.operator_id = $1 and o.offered_lease_id = $2)) \
                 and (o.respond_by <= clock_timestamp() or not exists (select 1 from leasing.lease l \
                   where l.operator_id = o.operator_id and l.lease_id = o.offered_lease_id \
                     and l.state in ('PROPOSED', 'SIGNING'))) \
               order by o.operator_id, o.right_offer_id limit $3 for update of o";
    let (operator, lease) = of.map(|name| (name.operator.to_string(), name.lease.to_string())).unzip();
    let rows = query(tx, sql, [operator.into(), lease.into(), i64::from(limit).into()]).await?;
    let mut due = Vec::new();
    for row in &rows {
        let operator: String = row.try_get_by_index(0).map_err(store_error)?;
        let id: Uuid = row.try_get_by_index(1).map_err(store_error)?;
        let operator = operator.parse().map_err(|_| corrupt("right_offer", "operator_id"))?;
        let name = RightOfferName::new(operator, RightOfferId::new(id));
        let is_late: bool = row.try_get_by_index(2).map_err(store_error)?;
        due.extend(find_right_offer(tx, &name).await?.map(|offer| (offer, is_late)));
    }
    Ok(due)
}

fn body_of(offer: &RightOffer) -> Result<serde_json::Value, Error> {
    let body = Body {
        right: offer.right.clone(),
        terms: Told(Box::new(offer.terms.clone())),
        answer: offer.answer.clone(),
    };
    serde_json::to_value(&body).map_err(Error::internal)
}

fn row_of(offer: &RightOffer) -> Result<right_offer::ActiveModel, Error> {
    Ok(right_offer::ActiveModel {
        operator_id: Set(offer.name.operator.to_string()),
        right_offer_id: Set(offer.name.right_offer.get()),
        lease_id: Set(offer.lease.lease.to_string()),
        right_id: Set(offer.right.id.clone()),
        tenant_id: Set(offer.tenant.tenant.to_string()),
        offered_lease_id: Set(offer.offered_lease.lease.to_string()),
        state: Set(offer.state.name().to_owned()),
        respond_by: Set(offer.respond_by),
        body: Set(body_of(offer)?),
        revision: Set(offer.revision),
        create_time: Set(offer.create_time),
        update_time: Set(offer.update_time),
    })
}

fn offer_of(row: right_offer::Model) -> Result<RightOffer, Error> {
    let bad = |column| corrupt("right_offer", column);
    let operator: OperatorId = row.operator_id.parse().map_err(|_| bad("operator_id"))?;
    let body: Body = serde_json::from_value(row.body).map_err(|_| bad("body"))?;
    let lease = |id: &str| id.parse().map(|id| LeaseName::new(operator.clone(), id));
    Ok(RightOffer {
        name: RightOfferName::new(operator.clone(), RightOfferId::new(row.right_offer_id)),
        lease: lease(&row.lease_id).map_err(|_| bad("lease_id"))?,
        right: body.right,
        tenant: TenantName::new(row.tenant_id.parse().map_err(|_| bad("tenant_id"))?),
        offered_lease: lease(&row.offered_lease_id).map_err(|_| bad("offered_lease_id"))?,
        terms: *body.terms.0,
        state: row.state.parse().map_err(|_| bad("state"))?,
        respond_by: row.respond_by,
        answer: body.answer,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
    })
}
