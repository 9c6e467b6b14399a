//! What is half done: intents, the work that falls due, and holds that nobody needs.

use kernel::{Error, Instant, LeaseName, OperatorId, ReservationId, ReservationName};
use postgres::audit::Actor;
use postgres::{RequestKey, store_error};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::corrupt;
use super::leases::execute;
use crate::domain::{Hold, LeaseState};

/// The request that a saga will answer, whoever finishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Under what the reply will be kept.
    pub key: RequestKey,
}

/// A saga, or a hold, that it is time to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The lease.
    pub name: LeaseName,
    /// Where it stood.
    pub state: LeaseState,
}

/// A reservation to give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The reservation.
    pub reservation: ReservationName,
}

pub(super) async fn query(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, Error> {
    conn.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)
}

fn actor_of(row: &QueryResult) -> Result<Actor, Error> {
    let text: Option<String> = row.try_get("", "intent_actor").map_err(store_error)?;
    Ok(Actor::of_text(text.as_deref()))
}

/// The intent of a row whose columns are intent_caller, intent_request_id, intent_hash and intent_actor.
pub(super) fn key_of_row(row: &QueryResult, owner: String, rpc: &'static str) -> Result<Intent, Error> {
    let hash: Vec<u8> = row.try_get("", "intent_hash").map_err(store_error)?;
    let key = RequestKey {
        owner,
        caller: row.try_get("", "intent_caller").map_err(store_error)?,
        rpc,
        request_id: row.try_get("", "intent_request_id").map_err(store_error)?,
        hash: hash.try_into().map_err(|_| corrupt("intent", "intent_hash"))?,
        actor: actor_of(row)?,
    };
    Ok(Intent { key })
}

pub(super) fn name_of(row: &QueryResult) -> Result<LeaseName, Error> {
    let operator: String = row.try_get_by_index(0).map_err(store_error)?;
    let lease: String = row.try_get_by_index(1).map_err(store_error)?;
    Ok(LeaseName {
        operator: operator.parse().map_err(|_| corrupt("lease", "operator_id"))?,
        lease: lease.parse().map_err(|_| corrupt("lease", "lease_id"))?,
    })
}

/// The lease's saga that answers this request: the hash of the payload that began it, and since when.
pub async fn find_intent(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    key: &RequestKey,
) -> Result<Option<(Vec<u8>, Instant)>, Error> {
    find_under_way(conn, "lease", "operator_id", operator, key).await
}

/// The same of any table of sagas, by whose they are.
pub(super) async fn find_under_way(
    conn: &impl ConnectionTrait,
    table: &'static str,
    column: &'static str,
    owner: &impl ToString,
    key: &RequestKey,
) -> Result<Option<(Vec<u8>, Instant)>, Error> {
    let sql = format!(
        "select intent_hash, update_time from leasing.{table} \
         where {column} = $1 and intent_caller = $2 and intent_rpc = $3 and intent_request_id = $4"
    );
    let values =
        [owner.to_string().into(), key.caller.as_str().into(), key.rpc.into(), key.request_id.into()];
    let Some(row) = query(conn, &sql, values).await?.pop() else { return Ok(None) };
    let hash = row.try_get_by_index(0).map_err(store_error)?;
    let since = row.try_get_by_index(1).map_err(store_error)?;
    Ok(Some((hash, since)))
}

/// The intent of a lease under way. `rpcs` are the names that a saga may answer.
pub async fn intent_of(
    conn: &impl ConnectionTrait,
    name: &LeaseName,
    rpcs: &[&'static str],
) -> Result<Option<Intent>, Error> {
    let sql = "select intent_rpc, intent_caller, intent_request_id, intent_hash, intent_actor from leasing.lease \
               where operator_id = $1 and lease_id = $2 and intent_rpc is not null";
    let values = [name.operator.to_string().into(), name.lease.to_string().into()];
    let Some(row) = query(conn, sql, values).await?.pop() else { return Ok(None) };
    let rpc: String = row.try_get_by_index(0).map_err(store_error)?;
    let hash: Vec<u8> = row.try_get_by_index(3).map_err(store_error)?;
    let key = RequestKey {
        owner: format!("operators/{}", name.operator),
        caller: row.try_get_by_index(1).map_err(store_error)?,
        rpc: rpcs
            .iter()
            .find(|known| **known == rpc)
            .copied()
            .ok_or_else(|| corrupt("lease", "intent_rpc"))?,
        request_id: row.try_get_by_index(2).map_err(store_error)?,
        hash: hash.try_into().map_err(|_| corrupt("lease", "intent_hash"))?,
        actor: actor_of(&row)?,
    };
    Ok(Some(Intent { key }))
}

/// Takes sagas and holds whose time has come, and keeps other sweepers away from them for a while. Short: the work
/// itself is done after this transaction.
pub async fn due_sagas(conn: &impl ConnectionTrait, limit: u32) -> Result<Vec<Due>, Error> {
    let sql = "update leasing.lease l set sweep_at = clock_timestamp() + interval '3 seconds' \
               from (select operator_id, lease_id from leasing.lease where sweep_at <= clock_timestamp() \
                     order by sweep_at limit $1 for update skip locked) due \
               where l.operator_id = due.operator_id and l.lease_id = due.lease_id \
               returning l.operator_id, l.lease_id, l.state";
    let rows = query(conn, sql, [i64::from(limit).into()]).await?;
    rows.iter()
        .map(|row| {
            let state: String = row.try_get_by_index(2).map_err(store_error)?;
            Ok(Due { name: name_of(row)?, state: state.parse().map_err(|_| corrupt("lease", "state"))? })
        })
        .collect()
}

/// The lease that a reservation is held for.
pub async fn lease_of_reservation(
    conn: &impl ConnectionTrait,
    reservation: &ReservationName,
) -> Result<Option<LeaseName>, Error> {
    let sql =
        "select operator_id, lease_id from leasing.lease where operator_id = $1 and reservation_id = $2";
    let values = [reservation.operator.to_string().into(), reservation.reservation.get().into()];
    query(conn, sql, values).await?.first().map(name_of).transpose()
}

/// The lease that was proposed under this uid, unless it is gone.
pub async fn lease_of_uid(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    uid: Uuid,
) -> Result<Option<LeaseName>, Error> {
    let sql = "select operator_id, lease_id from leasing.lease where operator_id = $1 and lease_uid = $2";
    query(conn, sql, [operator.to_string().into(), uid.into()]).await?.first().map(name_of).transpose()
}

/// Notes what inventory says about the hold of a lease that is not signed. No new revision: the lease is the same,
/// and whoever has read its etag may go on.
pub async fn note_hold(conn: &impl ConnectionTrait, name: &LeaseName, hold: Hold) -> Result<(), Error> {
    let sql = "update leasing.lease set reservation_id = $3, hold_expire_time = $4, \
                 sweep_at = case state when 'PROPOSED' then $4 else sweep_at end \
               where operator_id = $1 and lease_id = $2 and state in ('PROPOSING', 'PROPOSED') \
                 and (reservation_id is null or reservation_id = $3)";
    let values = [
        name.operator.to_string().into(),
        name.lease.to_string().into(),
        hold.reservation.get().into(),
        hold.expire_time.into(),
    ];
    execute(conn, sql.to_owned(), values).await.map(|_| ())
}

/// Notes that a reservation is to be given back, in the transaction that ends its lease.
pub async fn note_release(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    reservation: ReservationId,
    lease_id: &str,
) -> Result<(), Error> {
    let sql = "insert into leasing.hold_release (operator_id, reservation_id, lease_id) values ($1, $2, $3) \
               on conflict do nothing";
    let values = [operator.to_string().into(), reservation.get().into(), lease_id.into()];
    execute(conn, sql.to_owned(), values).await.map(|_| ())
}

/// Takes releases whose time has come, as [`due_sagas`].
pub async fn due_releases(conn: &impl ConnectionTrait, limit: u32) -> Result<Vec<Release>, Error> {
    let sql = "update leasing.hold_release r set sweep_at = clock_timestamp() + interval '3 seconds' \
               from (select operator_id, reservation_id from leasing.hold_release \
                     where sweep_at <= clock_timestamp() order by sweep_at limit $1 for update skip locked) due \
               where r.operator_id = due.operator_id and r.reservation_id = due.reservation_id \
               returning r.operator_id, r.reservation_id";
    let rows = query(conn, sql, [i64::from(limit).into()]).await?;
    rows.iter()
        .map(|row| {
            let operator: String = row.try_get_by_index(0).map_err(store_error)?;
            let id: Uuid = row.try_get_by_index(1).map_err(store_error)?;
            let operator = operator.parse().map_err(|_| corrupt("hold_release", "operator_id"))?;
            Ok(Release { reservation: ReservationName { operator, reservation: ReservationId::new(id) } })
        })
        .collect()
}

/// The reservation is given back.
pub async fn forget_release(conn: &impl ConnectionTrait, release: &Release) -> Result<(), Error> {
    let sql = "delete from leasing.hold_release where operator_id = $1 and reservation_id = $2";
    let values =
        [release.reservation.operator.to_string().into(), release.reservation.reservation.get().into()];
    execute(conn, sql.to_owned(), values).await.map(|_| ())
}
