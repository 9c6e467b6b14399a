//! Bids: one row each. What is offered is written once.

use kernel::{
    BidId, BidName, CapacityRequestName, Error, Instant, OperatorId, Rate, ReservationId, TenantId,
};
use postgres::{RequestKey, store_error};
use sea_orm::prelude::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use uuid::Uuid;

use super::leases::execute;
use super::sagas::{Intent, find_under_way, key_of_row, query};
use super::{conflict, corrupt};
use crate::domain::Hold;
use crate::domain::bid::{Bid, Offer, TripleNet};
use crate::domain::capacity_request::Need;
use crate::domain::market_state::BidState;

/// Everything of a row; the currency is the request's, which who sees the bid sees too.
const COLUMNS: &str = "b.operator_id, b.bid_id, b.bid_uid, b.state, b.reveal_at, b.bid_deadline, b.content, \
    b.triple_net_rate, b.average_triple_net_rate, b.reservation_id, b.hold_expire_time, b.award_no, b.revision, \
    b.submit_time, b.update_time, r.content as need";
const FROM: &str = "leasing.bid b join leasing.capacity_request r \
    on r.tenant_id = b.tenant_id and r.capacity_request_id = b.capacity_request_id";

fn key(name: &BidName) -> [Value; 2] {
    [name.operator.to_string().into(), name.bid.get().into()]
}

/// Writes a new bid with the database's time of this statement. `false`: nothing was written, since the request is not
/// open, its deadline has passed by that time, or the caller's request is under way already.
pub async fn insert_bid(
    tx: &DatabaseTransaction,
    bid: &Bid,
    intent: Option<&Intent>,
) -> Result<Option<Instant>, Error> {
    let sql = "insert into leasing.bid (operator_id, bid_id, bid_uid, tenant_id, capacity_request_id, state, \
                 reveal_at, bid_deadline, valid_until, content, critical_it_kw, triple_net_rate, \
                 average_triple_net_rate, hold_seconds, revision, intent_rpc, intent_caller, intent_request_id, \
                 intent_hash, intent_actor, sweep_at, submit_time, update_time) \
               select $1, $2, $3, r.tenant_id, r.capacity_request_id, $6, r.reveal_at, r.bid_deadline, $7, $8, $9, \
                 $10, $11, $12, $13, $14, $15, $16, $17, $19, \
                 case when $14::text is not null then now.t + interval '2 seconds' end, now.t, $18 \
               from (select clock_timestamp() as t offset 0) now, leasing.capacity_request r \
               where r.tenant_id = $4 and r.capacity_request_id = $5 and r.state = 'OPEN' and r.bid_deadline > now.t \
               on conflict do nothing returning submit_time";
    let intent = intent.map(|intent| &intent.key);
    let values: [Value; 19] = [
        bid.name.operator.to_string().into(),
        bid.name.bid.get().into(),
        bid.uid.into(),
        bid.offer.request.tenant.to_string().into(),
        bid.offer.request.capacity_request.get().into(),
        bid.state.name().into(),
        bid.offer.valid_until.into(),
        serde_json::to_string(&bid.offer).map_err(Error::internal)?.into(),
        bid.offer.critical_it_kw.into(),
        Decimal::from(bid.triple_net.year_one).into(),
        Decimal::from(bid.triple_net.average).into(),
        bid.offer.hold_seconds.into(),
        bid.revision.into(),
        intent.map(|key| key.rpc.to_owned()).into(),
        intent.map(|key| key.caller.clone()).into(),
        intent.map(|key| key.request_id).into(),
        intent.map(|key| key.hash.to_vec()).into(),
        bid.update_time.into(),
        intent.map(|key| key.actor.to_text()).into(),
    ];
    let rows = query(tx, sql, values).await?;
    rows.first().map(|row| row.try_get_by_index(0).map_err(store_error)).transpose()
}

/// The bid of this name, if the scope sees it.
pub async fn find_bid(conn: &impl ConnectionTrait, name: &BidName) -> Result<Option<Bid>, Error> {
    let sql = format!("select {COLUMNS} from {FROM} where b.operator_id = $1 and b.bid_id = $2");
    query(conn, &sql, key(name)).await?.first().map(bid_of).transpose()
}

/// As [`find_bid`], and nobody else changes it until the transaction ends.
pub async fn lock_bid(tx: &DatabaseTransaction, name: &BidName) -> Result<Option<Bid>, Error> {
    let sql =
        format!("select {COLUMNS} from {FROM} where b.operator_id = $1 and b.bid_id = $2 for update of b");
    query(tx, &sql, key(name)).await?.first().map(bid_of).transpose()
}

/// Writes a changed bid over revision `from`, and ends its intent. With `in_time`, only before its deadline by the time
/// of this statement: `false` says that it has passed.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when somebody else changed it first.
pub async fn save_bid(tx: &DatabaseTransaction, bid: &Bid, from: i64, in_time: bool) -> Result<bool, Error> {
    let sql = "update leasing.bid set state = $4, revision = $5, reservation_id = $6, hold_expire_time = $7, \
                 award_no = $8, update_time = $9, intent_rpc = null, intent_caller = null, \
                 intent_request_id = null, intent_hash = null, intent_actor = null, sweep_at = null \
               where operator_id = $1 and bid_id = $2 and revision = $3 \
                 and (not $10 or bid_deadline > clock_timestamp())";
    let [operator, id] = key(&bid.name);
    let values: [Value; 10] = [
        operator,
        id,
        from.into(),
        bid.state.name().into(),
        bid.revision.into(),
        bid.hold.map(|hold| hold.reservation.get()).into(),
        bid.hold.map(|hold| hold.expire_time).into(),
        bid.award_no.into(),
        bid.update_time.into(),
        in_time.into(),
    ];
    match execute(tx, sql.to_owned(), values).await? {
        1 => Ok(true),
        // The row is locked, so it is the deadline.
        _ if in_time => Ok(false),
        _ => Err(conflict("bid")),
    }
}

/// Removes a refused intent. `false`: it is no intent any more, or capacity is held for it.
pub async fn delete_bid_intent(tx: &DatabaseTransaction, bid: &Bid) -> Result<bool, Error> {
    let sql = "delete from leasing.bid where operator_id = $1 and bid_id = $2 and bid_uid = $3 \
               and state = 'SUBMITTING' and reservation_id is null";
    let [operator, id] = key(&bid.name);
    Ok(execute(tx, sql.to_owned(), [operator, id, bid.uid.into()]).await? == 1)
}

/// Which bids to list; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct BidFilter {
    /// Of this operator.
    pub operator: Option<OperatorId>,
    /// On requests of this tenant.
    pub tenant: Option<TenantId>,
    /// On this request.
    pub request: Option<CapacityRequestName>,
    /// In one of these states; empty is any.
    pub states: Vec<BidState>,
    /// After this one.
    pub after: Option<(Rate, String, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

/// A page of bids, the lowest triple-net rate first, then by name.
pub async fn list_bids(conn: &impl ConnectionTrait, filter: &BidFilter) -> Result<Vec<Bid>, Error> {
    let sql = format!(
        "select {COLUMNS} from {FROM} where ($1::text is null or b.operator_id = $1) \
         and ($2::text is null or b.tenant_id = $2) \
         and ($3::uuid is null or b.capacity_request_id = $3 and b.tenant_id = $4) \
         and ($5 = '' or b.state = any (string_to_array($5, ','))) \
         and ($6::numeric is null or (b.triple_net_rate, b.operator_id, b.bid_id) > ($6, $7 collate \"C\", $8)) \
         order by b.triple_net_rate, b.operator_id, b.bid_id limit $9"
    );
    let states: Vec<_> = filter.states.iter().map(|state| state.name()).collect();
    let (request, after) = (filter.request.as_ref(), filter.after.as_ref());
    let values: [Value; 9] = [
        filter.operator.as_ref().map(ToString::to_string).into(),
        filter.tenant.as_ref().map(ToString::to_string).into(),
        request.map(|name| name.capacity_request.get()).into(),
        request.map(|name| name.tenant.to_string()).into(),
        states.join(",").into(),
        after.map(|(rate, _, _)| Decimal::from(*rate)).into(),
        after.map(|(_, operator, _)| operator.clone()).into(),
        after.map(|(_, _, id)| *id).into(),
        i64::from(filter.limit).into(),
    ];
    query(conn, &sql, values).await?.iter().map(bid_of).collect()
}

/// Bids of one operator on one request that stand.
pub async fn standing_bids(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    request: &CapacityRequestName,
) -> Result<i64, Error> {
    let sql = "select count(*) from leasing.bid where operator_id = $1 and tenant_id = $2 \
               and capacity_request_id = $3 and state in ('SUBMITTING', 'SUBMITTED')";
    let values = [
        operator.to_string().into(),
        request.tenant.to_string().into(),
        request.capacity_request.get().into(),
    ];
    let rows = query(conn, sql, values).await?;
    rows.first().map_or(Ok(0), |row| row.try_get_by_index(0).map_err(store_error))
}

/// The bids that one round of awards of a request has chosen, in the order in which they were named.
pub async fn chosen_bids(
    conn: &impl ConnectionTrait,
    request: &CapacityRequestName,
    round: std::ops::Range<i32>,
) -> Result<Vec<Bid>, Error> {
    let sql = format!(
        "select {COLUMNS} from {FROM} where b.tenant_id = $1 and b.capacity_request_id = $2 \
         and b.award_no >= $3 and b.award_no < $4 order by b.award_no"
    );
    let values = [
        request.tenant.to_string().into(),
        request.capacity_request.get().into(),
        round.start.into(),
        round.end.into(),
    ];
    query(conn, &sql, values).await?.iter().map(bid_of).collect()
}

/// The hash of the payload of a bid under way that answers this request, and since when.
pub async fn find_bid_intent(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    key: &RequestKey,
) -> Result<Option<(Vec<u8>, Instant)>, Error> {
    find_under_way(conn, "bid", "operator_id", operator, key).await
}

/// The intent of a bid under way.
pub async fn bid_intent_of(
    conn: &impl ConnectionTrait,
    name: &BidName,
    rpc: &'static str,
) -> Result<Option<Intent>, Error> {
    let sql = "select intent_caller, intent_request_id, intent_hash, intent_actor from leasing.bid \
               where operator_id = $1 and bid_id = $2 and intent_rpc is not null";
    let owner = format!("operators/{}", name.operator);
    query(conn, sql, key(name)).await?.first().map(|row| key_of_row(row, owner, rpc)).transpose()
}

/// Takes bids under way whose time has come, and keeps other sweepers away from them for a while.
pub async fn due_bids(conn: &impl ConnectionTrait, limit: u32) -> Result<Vec<BidName>, Error> {
    let sql = "update leasing.bid b set sweep_at = clock_timestamp() + interval '3 seconds' \
               from (select operator_id, bid_id from leasing.bid where sweep_at <= clock_timestamp() \
                     order by sweep_at limit $1 for update skip locked) due \
               where b.operator_id = due.operator_id and b.bid_id = due.bid_id \
               returning b.operator_id, b.bid_id";
    query(conn, sql, [i64::from(limit).into()]).await?.iter().map(name_of).collect()
}

/// Why a standing bid ends without its operator or its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its request was awarded to others, or called off after it was revealed.
    Lost,
    /// Its request was called off before it was revealed.
    Returned,
    /// It no longer binds.
    Lapsed,
}

/// Standing bids that have nothing to wait for any more. Each is looked at again behind its lock.
pub async fn ended_bids(conn: &impl ConnectionTrait, limit: u32) -> Result<Vec<BidName>, Error> {
    let sql = format!(
        "select b.operator_id, b.bid_id from {FROM} where b.state = 'SUBMITTED' \
         and (r.state in ('AWARDED', 'CANCELLED') or b.valid_until <= clock_timestamp()) limit $1"
    );
    query(conn, &sql, [i64::from(limit).into()]).await?.iter().map(name_of).collect()
}

/// Why a bid that is locked ends now, if it does, with the database's time.
pub async fn ending_of(tx: &DatabaseTransaction, name: &BidName) -> Result<Option<(Ending, Instant)>, Error> {
    let sql = format!(
        "select case when r.unopened then 'RETURNED' when r.state in ('AWARDED', 'CANCELLED') then 'LOST' \
                when b.valid_until <= clock_timestamp() and r.state = 'OPEN' then 'LAPSED' end, clock_timestamp() \
         from {FROM} where b.operator_id = $1 and b.bid_id = $2 and b.state = 'SUBMITTED'"
    );
    let rows = query(tx, &sql, key(name)).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let ending: Option<String> = row.try_get_by_index(0).map_err(store_error)?;
    let time = row.try_get_by_index(1).map_err(store_error)?;
    Ok(match ending.as_deref() {
        Some("RETURNED") => Some((Ending::Returned, time)),
        Some("LOST") => Some((Ending::Lost, time)),
        Some(_) => Some((Ending::Lapsed, time)),
        None => None,
    })
}

/// Notes what inventory says about the hold of a bid; its state if there is such a bid. No new revision: the bid is
/// the same.
pub async fn note_bid_hold(
    tx: &DatabaseTransaction,
    operator: &OperatorId,
    uid: Uuid,
    hold: Hold,
) -> Result<Option<BidState>, Error> {
    let sql = "update leasing.bid set reservation_id = $3, hold_expire_time = $4 \
               where operator_id = $1 and bid_uid = $2 and state in ('SUBMITTING', 'SUBMITTED', 'AWARDING', 'AWARDED') \
                 and (reservation_id is null or reservation_id = $3)";
    let who: [Value; 2] = [operator.to_string().into(), uid.into()];
    let [a, b] = who.clone();
    execute(tx, sql.to_owned(), [a, b, hold.reservation.get().into(), hold.expire_time.into()]).await?;
    let sql = "select state from leasing.bid where operator_id = $1 and bid_uid = $2";
    let rows = query(tx, sql, who).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let state: String = row.try_get_by_index(0).map_err(store_error)?;
    state.parse().map(Some).map_err(|_| corrupt("bid", "state"))
}

fn name_of(row: &QueryResult) -> Result<BidName, Error> {
    let operator: String = row.try_get("", "operator_id").map_err(store_error)?;
    let id: Uuid = row.try_get("", "bid_id").map_err(store_error)?;
    Ok(BidName::new(operator.parse().map_err(|_| corrupt("bid", "operator_id"))?, BidId::new(id)))
}

fn rate(row: &QueryResult, column: &'static str) -> Result<Rate, Error> {
    let rate: Decimal = row.try_get("", column).map_err(store_error)?;
    Rate::try_from(rate).map_err(|_| corrupt("bid", column))
}

fn bid_of(row: &QueryResult) -> Result<Bid, Error> {
    let content: String = row.try_get("", "content").map_err(store_error)?;
    let need: String = row.try_get("", "need").map_err(store_error)?;
    let state: String = row.try_get("", "state").map_err(store_error)?;
    let reveal_at: Option<Instant> = row.try_get("", "reveal_at").map_err(store_error)?;
    let reservation: Option<Uuid> = row.try_get("", "reservation_id").map_err(store_error)?;
    let expire_time: Option<Instant> = row.try_get("", "hold_expire_time").map_err(store_error)?;
    let offer: Offer = serde_json::from_str(&content).map_err(Error::internal)?;
    let need: Need = serde_json::from_str(&need).map_err(Error::internal)?;
    let hold = reservation.zip(expire_time);
    Ok(Bid {
        name: name_of(row)?,
        uid: row.try_get("", "bid_uid").map_err(store_error)?,
        offer,
        currency: need.currency,
        bid_deadline: row.try_get("", "bid_deadline").map_err(store_error)?,
        reveal_at_once: reveal_at.is_none(),
        triple_net: TripleNet {
            year_one: rate(row, "triple_net_rate")?,
            average: rate(row, "average_triple_net_rate")?,
        },
        state: state.parse().map_err(|_| corrupt("bid", "state"))?,
        hold: hold.map(|(id, expire_time)| Hold { reservation: ReservationId::new(id), expire_time }),
        award_no: row.try_get("", "award_no").map_err(store_error)?,
        revision: row.try_get("", "revision").map_err(store_error)?,
        submit_time: row.try_get("", "submit_time").map_err(store_error)?,
        update_time: row.try_get("", "update_time").map_err(store_error)?,
    })
}
