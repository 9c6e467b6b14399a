//! Capacity requests: one row each, and a row for each operator that is named.

use kernel::{CapacityRequestId, CapacityRequestName, Error, Instant, TenantId, TenantName};
use postgres::{RequestKey, store_error};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use uuid::Uuid;

use super::leases::execute;
use super::sagas::{Intent, find_under_way, key_of_row, query};
use super::{conflict, corrupt};
use crate::domain::capacity_request::{CapacityRequest, Need};
use crate::domain::market_state::RequestState;

/// Everything of a row. Whom it names is read under the reader's own rights: an operator finds itself.
const COLUMNS: &str = "r.tenant_id, r.capacity_request_id, r.state, r.content, r.revision, r.award_hold_seconds, \
    r.cancel_reason, r.create_time, r.update_time, r.bid_deadline, \
    r.state = 'OPEN' and r.bid_deadline > clock_timestamp() as accepts, \
    (select string_agg(o.operator_id, ',' order by o.operator_id) from leasing.capacity_request_operator o \
     where o.tenant_id = r.tenant_id and o.capacity_request_id = r.capacity_request_id) as operators";

fn key(name: &CapacityRequestName) -> [Value; 2] {
    [name.tenant.to_string().into(), name.capacity_request.get().into()]
}

/// Publishes a request; `false`: its deadline has passed by the database's clock, and nothing was written.
pub async fn insert_request(tx: &DatabaseTransaction, new: &CapacityRequest) -> Result<bool, Error> {
    let need = Need { operators: Vec::new(), ..new.need.clone() };
    let content = serde_json::to_string(&need).map_err(Error::internal)?;
    let sql = "insert into leasing.capacity_request (tenant_id, capacity_request_id, state, visibility, \
                 bid_deadline, reveal_at, content, revision, create_time, update_time) \
               select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9 where $5 > clock_timestamp()";
    let reveal_at = (!new.need.reveal_at_once).then_some(new.need.bid_deadline);
    let values: [Value; 9] = [
        new.name.tenant.to_string().into(),
        new.name.capacity_request.get().into(),
        new.state.name().into(),
        new.need.visibility.name().into(),
        new.need.bid_deadline.into(),
        reveal_at.into(),
        content.into(),
        new.revision.into(),
        new.create_time.into(),
    ];
    if execute(tx, sql.to_owned(), values).await? == 0 {
        return Ok(false);
    }
    for operator in &new.need.operators {
        let sql = "insert into leasing.capacity_request_operator values ($1, $2, $3)";
        let [tenant, id] = key(&new.name);
        execute(tx, sql.to_owned(), [tenant, id, operator.to_string().into()]).await?;
    }
    Ok(true)
}

/// The request of this name, if the scope sees it.
pub async fn find_request(
    conn: &impl ConnectionTrait,
    name: &CapacityRequestName,
) -> Result<Option<CapacityRequest>, Error> {
    let sql = format!(
        "select {COLUMNS} from leasing.capacity_request r where r.tenant_id = $1 and r.capacity_request_id = $2"
    );
    query(conn, &sql, key(name)).await?.first().map(request_of).transpose()
}

/// As [`find_request`], and nobody else changes it until the transaction ends. A request is locked before its bids.
pub async fn lock_request(
    tx: &DatabaseTransaction,
    name: &CapacityRequestName,
) -> Result<Option<CapacityRequest>, Error> {
    let sql = format!(
        "select {COLUMNS} from leasing.capacity_request r \
         where r.tenant_id = $1 and r.capacity_request_id = $2 for update of r"
    );
    query(tx, &sql, key(name)).await?.first().map(request_of).transpose()
}

/// Writes a changed request over revision `from`. The intent is kept while an award is under way and cleared after it.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when somebody else changed it first.
pub async fn save_request(
    tx: &DatabaseTransaction,
    request: &CapacityRequest,
    from: i64,
    intent: Option<&Intent>,
) -> Result<(), Error> {
    let sql = "update leasing.capacity_request set state = $4, revision = $5, award_hold_seconds = $6, \
                 cancel_reason = $7, intent_rpc = $8, intent_caller = $9, intent_request_id = $10, \
                 intent_hash = $11, intent_actor = $13, update_time = $12, \
                 unopened = $4 = 'CANCELLED' and coalesce(reveal_at > clock_timestamp(), false), \
                 sweep_at = case $4 when 'AWARDING' then clock_timestamp() + interval '2 seconds' end \
               where tenant_id = $1 and capacity_request_id = $2 and revision = $3";
    let [tenant, id] = key(&request.name);
    let intent = intent.map(|intent| &intent.key);
    let values: [Value; 13] = [
        tenant,
        id,
        from.into(),
        request.state.name().into(),
        request.revision.into(),
        request.award_hold_seconds.into(),
        request.cancel_reason.clone().into(),
        intent.map(|key| key.rpc.to_owned()).into(),
        intent.map(|key| key.caller.clone()).into(),
        intent.map(|key| key.request_id).into(),
        intent.map(|key| key.hash.to_vec()).into(),
        request.update_time.into(),
        intent.map(|key| key.actor.to_text()).into(),
    ];
    match execute(tx, sql.to_owned(), values).await? {
        1 => Ok(()),
        _ => Err(conflict("capacity request")),
    }
}

/// Which requests to list; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// In one of these states; empty is any.
    pub states: Vec<RequestState>,
    /// Only those that would take a bid now.
    pub accepting_only: bool,
    /// After this one.
    pub after: Option<(Instant, String, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

/// A page of requests in order of deadline, then name.
pub async fn list_requests(
    conn: &impl ConnectionTrait,
    filter: &RequestFilter,
) -> Result<Vec<CapacityRequest>, Error> {
    let sql = format!(
        "select {COLUMNS} from leasing.capacity_request r where ($1::text is null or r.tenant_id = $1) \
         and ($2 = '' or r.state = any (string_to_array($2, ','))) \
         and (not $3 or r.state = 'OPEN' and r.bid_deadline > clock_timestamp()) \
         and ($4::timestamptz is null \
              or (r.bid_deadline, r.tenant_id, r.capacity_request_id) > ($4, $5 collate \"C\", $6)) \
         order by r.bid_deadline, r.tenant_id, r.capacity_request_id limit $7"
    );
    let states: Vec<_> = filter.states.iter().map(|state| state.name()).collect();
    let after = filter.after.clone();
    let values: [Value; 7] = [
        filter.tenant.as_ref().map(ToString::to_string).into(),
        states.join(",").into(),
        filter.accepting_only.into(),
        after.as_ref().map(|(deadline, _, _)| *deadline).into(),
        after.as_ref().map(|(_, tenant, _)| tenant.clone()).into(),
        after.as_ref().map(|(_, _, id)| *id).into(),
        i64::from(filter.limit).into(),
    ];
    query(conn, &sql, values).await?.iter().map(request_of).collect()
}

/// The hash of the payload of an award under way that answers this request, and since when.
pub async fn find_award(
    conn: &impl ConnectionTrait,
    tenant: &TenantId,
    key: &RequestKey,
) -> Result<Option<(Vec<u8>, Instant)>, Error> {
    find_under_way(conn, "capacity_request", "tenant_id", tenant, key).await
}

/// The intent of an award under way.
pub async fn award_of(
    conn: &impl ConnectionTrait,
    name: &CapacityRequestName,
    rpc: &'static str,
) -> Result<Option<Intent>, Error> {
    let sql = "select intent_caller, intent_request_id, intent_hash, intent_actor from leasing.capacity_request \
               where tenant_id = $1 and capacity_request_id = $2 and intent_rpc is not null";
    let owner = TenantName::new(name.tenant.clone()).to_string();
    query(conn, sql, key(name)).await?.first().map(|row| key_of_row(row, owner, rpc)).transpose()
}

/// Takes awards whose time has come, and keeps other sweepers away from them for a while.
pub async fn due_awards(conn: &impl ConnectionTrait, limit: u32) -> Result<Vec<CapacityRequestName>, Error> {
    let sql = "update leasing.capacity_request r set sweep_at = clock_timestamp() + interval '3 seconds' \
               from (select tenant_id, capacity_request_id from leasing.capacity_request \
                     where sweep_at <= clock_timestamp() order by sweep_at limit $1 for update skip locked) due \
               where r.tenant_id = due.tenant_id and r.capacity_request_id = due.capacity_request_id \
               returning r.tenant_id, r.capacity_request_id";
    query(conn, sql, [i64::from(limit).into()]).await?.iter().map(name_of).collect()
}

fn name_of(row: &QueryResult) -> Result<CapacityRequestName, Error> {
    let tenant: String = row.try_get("", "tenant_id").map_err(store_error)?;
    let id: Uuid = row.try_get("", "capacity_request_id").map_err(store_error)?;
    let tenant = tenant.parse().map_err(|_| corrupt("capacity_request", "tenant_id"))?;
    Ok(CapacityRequestName::new(tenant, CapacityRequestId::new(id)))
}

fn request_of(row: &QueryResult) -> Result<CapacityRequest, Error> {
    let content: String = row.try_get("", "content").map_err(store_error)?;
    let state: String = row.try_get("", "state").map_err(store_error)?;
    let operators: Option<String> = row.try_get("", "operators").map_err(store_error)?;
    let mut need: Need = serde_json::from_str(&content).map_err(Error::internal)?;
    need.operators = operators
        .iter()
        .flat_map(|names| names.split(','))
        .map(|name| name.parse().map_err(|_| corrupt("capacity_request_operator", "operator_id")))
        .collect::<Result<_, _>>()?;
    Ok(CapacityRequest {
        name: name_of(row)?,
        need,
        state: state.parse().map_err(|_| corrupt("capacity_request", "state"))?,
        accepts_bids: row.try_get("", "accepts").map_err(store_error)?,
        award_hold_seconds: row.try_get("", "award_hold_seconds").map_err(store_error)?,
        cancel_reason: row.try_get("", "cancel_reason").map_err(store_error)?,
        revision: row.try_get("", "revision").map_err(store_error)?,
        create_time: row.try_get("", "create_time").map_err(store_error)?,
        update_time: row.try_get("", "update_time").map_err(store_error)?,
    })
}
