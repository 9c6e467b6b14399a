//! Quotes: what a quote says is one document, written whole; its terms in the form that is signed.

use kernel::{
    Error, Instant, MasterAgreementName, Money, OperatorId, QuoteId, QuoteName, Rate, RateCardName,
    TenantName,
};
use postgres::audit::Actor;
use postgres::{RequestKey, store_error};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::corrupt;
use super::entity::quote;
use super::leases::execute;
use crate::domain::quote::{Need, Offer};
use crate::domain::quote_hold::QuoteHold;
use crate::domain::quote_record::{Quote, QuoteState, Whereabouts};
use crate::domain::{Value, record};

/// A quote as it lies in its row, but for what has a column.
#[derive(Serialize, Deserialize)]
struct Body {
    need: Need,
    whereabouts: Whereabouts,
    offers: Vec<OfferBody>,
    holds: Vec<QuoteHold>,
    accepted: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    master: Option<MasterAgreementName>,
    reject_reason: String,
}

#[derive(Serialize, Deserialize)]
struct OfferBody {
    card: RateCardName,
    /// The canonical record, as text.
    terms: String,
    list_rate: Rate,
    year_one: Rate,
    last_year: Rate,
    average: Rate,
    critical_it_kw: i64,
    year_one_rent: Money,
    base_contract_value: Money,
    options_contract_value: Money,
    line_count: usize,
    net_equivalent: Rate,
    floor: Option<Rate>,
    mining_floor: Option<Rate>,
    approval_reasons: Vec<String>,
    rights: Vec<String>,
    assumptions: Vec<String>,
}

/// Writes a new quote; while its capacity is being held, `intent` is the request that will be answered. `false`: the
/// same request has begun another.
pub async fn insert_quote(
    tx: &DatabaseTransaction,
    quote: &Quote,
    intent: Option<&RequestKey>,
) -> Result<bool, Error> {
    let inserted = quote::Entity::insert(row_of(quote, intent)?)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(store_error)?;
    look_later(tx, &quote.name).await?;
    Ok(inserted == 1)
}

/// Writes a changed quote, which [`lock_quote`] has locked. While its lease is being proposed, `intent` is the request
/// that will be answered.
pub async fn update_quote(
    tx: &DatabaseTransaction,
    quote: &Quote,
    intent: Option<&RequestKey>,
) -> Result<(), Error> {
    quote::Entity::update(row_of(quote, intent)?).exec(tx).await.map_err(store_error)?;
    look_later(tx, &quote.name).await
}

/// The sweeper looks at what is under way, and only at that, when its caller should have finished.
async fn look_later(tx: &DatabaseTransaction, name: &QuoteName) -> Result<(), Error> {
    let sql = "update leasing.quote set sweep_at = case when intent_request_id is not null \
                 then clock_timestamp() + interval '2 seconds' end \
               where operator_id = $1 and quote_id = $2";
    let values = [name.operator.to_string().into(), name.quote.get().into()];
    execute(tx, sql.to_owned(), values).await.map(|_| ())
}

/// Removes a quote whose capacity was refused.
pub async fn delete_quote_intent(tx: &DatabaseTransaction, name: &QuoteName) -> Result<(), Error> {
    let sql = "delete from leasing.quote where operator_id = $1 and quote_id = $2 and state = 'HOLDING'";
    let values = [name.operator.to_string().into(), name.quote.get().into()];
    execute(tx, sql.to_owned(), values).await.map(|_| ())
}

/// The payload's hash and the time of a quote that this request has begun and not finished.
pub async fn find_quote_intent(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    key: &RequestKey,
) -> Result<Option<(Vec<u8>, Instant)>, Error> {
    let found = quote::Entity::find()
        .filter(quote::Column::OperatorId.eq(operator.to_string()))
        .filter(quote::Column::State.eq(QuoteState::Holding.name()))
        .filter(quote::Column::IntentCaller.eq(key.caller.as_str()))
        .filter(quote::Column::IntentRequestId.eq(key.request_id))
        .one(conn)
        .await
        .map_err(store_error)?;
    Ok(found.and_then(|row| Some((row.intent_hash?, row.update_time))))
}

/// Writes what is held for a quote. No new revision: the offer is the same, and whoever has read its etag may go on.
pub async fn note_quote_holds(tx: &DatabaseTransaction, quote: &Quote) -> Result<(), Error> {
    let holds = serde_json::to_value(&quote.holds).map_err(Error::internal)?;
    let sql = "update leasing.quote set body = jsonb_set(body, '{holds}', $3) \
               where operator_id = $1 and quote_id = $2";
    let values = [quote.name.operator.to_string().into(), quote.name.quote.get().into(), holds.into()];
    execute(tx, sql.to_owned(), values).await.map(|_| ())
}

/// The quote, if the scope sees it.
pub async fn find_quote(conn: &impl ConnectionTrait, name: &QuoteName) -> Result<Option<Quote>, Error> {
    let key = (name.operator.to_string(), name.quote.get());
    let row = quote::Entity::find_by_id(key).one(conn).await.map_err(store_error)?;
    row.map(quote_of).transpose()
}

/// The quote, locked until the transaction ends, and the request that is being answered: `rpc_of` says by which RPC.
pub async fn lock_quote(
    tx: &DatabaseTransaction,
    name: &QuoteName,
    rpc_of: fn(QuoteState) -> &'static str,
) -> Result<Option<(Quote, Option<RequestKey>)>, Error> {
    let key = (name.operator.to_string(), name.quote.get());
    let row = quote::Entity::find_by_id(key).lock_exclusive().one(tx).await.map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    let rpc = rpc_of(row.state.parse().map_err(|_| corrupt("quote", "state"))?);
    let intent = match (&row.intent_caller, row.intent_request_id, &row.intent_hash) {
        (Some(caller), Some(request_id), Some(hash)) => Some(RequestKey {
            owner: format!("operators/{}", name.operator),
            caller: caller.clone(),
            rpc,
            request_id,
            hash: hash.as_slice().try_into().map_err(|_| corrupt("quote", "intent_hash"))?,
            actor: Actor::of_text(row.intent_actor.as_deref()),
        }),
        _ => None,
    };
    Ok(Some((quote_of(row)?, intent)))
}

/// Which quotes to list; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct QuoteFilter {
    /// Of this operator.
    pub operator: Option<OperatorId>,
    /// For these tenants: the one asked for and the one whose scope it is.
    pub tenants: Vec<TenantName>,
    /// In one of these states; empty is any.
    pub states: Vec<QuoteState>,
    /// After this one, which is older.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

/// A page of quotes, newest first.
pub async fn list_quotes(conn: &impl ConnectionTrait, filter: &QuoteFilter) -> Result<Vec<Quote>, Error> {
    let mut query =
        quote::Entity::find().order_by_desc(quote::Column::QuoteId).limit(u64::from(filter.limit));
    if let Some(operator) = &filter.operator {
        query = query.filter(quote::Column::OperatorId.eq(operator.to_string()));
    }
    for tenant in &filter.tenants {
        query = query.filter(quote::Column::TenantId.eq(tenant.tenant.to_string()));
    }
    if !filter.states.is_empty() {
        query = query.filter(quote::Column::State.is_in(filter.states.iter().map(|state| state.name())));
    }
    if let Some(after) = filter.after {
        query = query.filter(quote::Column::QuoteId.lt(after));
    }
    let rows = query.all(conn).await.map_err(store_error)?;
    rows.into_iter().map(quote_of).collect()
}

/// Quotes whose time is over by the database's clock, and those that have been under way for a while.
pub async fn due_quotes(conn: &impl ConnectionTrait, limit: u32) -> Result<Vec<QuoteName>, Error> {
    let sql = "select operator_id, quote_id from leasing.quote \
               where state in ('PENDING_APPROVAL', 'OPEN') and valid_until <= clock_timestamp() \
               union all select operator_id, quote_id from leasing.quote \
               where sweep_at <= clock_timestamp() limit $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [i64::from(limit).into()]);
    let rows = conn.query_all_raw(statement).await.map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let operator: String = row.try_get_by_index(0).map_err(store_error)?;
            let id: Uuid = row.try_get_by_index(1).map_err(store_error)?;
            let operator = operator.parse().map_err(|_| corrupt("quote", "operator_id"))?;
            Ok(QuoteName::new(operator, QuoteId::new(id)))
        })
        .collect()
}

fn row_of(quote: &Quote, intent: Option<&RequestKey>) -> Result<quote::ActiveModel, Error> {
    let operator = kernel::OperatorName::new(quote.name.operator.clone());
    let offers = quote.offers.iter().map(|offer| {
        let record = record::canonical(&operator, &quote.tenant, &offer.terms)?;
        Ok(OfferBody {
            card: offer.card.clone(),
            terms: String::from_utf8(record.bytes).map_err(Error::internal)?,
            list_rate: offer.list_rate,
            year_one: offer.year_one,
            last_year: offer.last_year,
            average: offer.average,
            critical_it_kw: offer.value.critical_it_kw,
            year_one_rent: offer.value.year_one_rent,
            base_contract_value: offer.value.base_contract_value,
            options_contract_value: offer.value.options_contract_value,
            line_count: offer.value.line_count,
            net_equivalent: offer.net_equivalent,
            floor: offer.floor,
            mining_floor: offer.mining_floor,
            approval_reasons: offer.approval_reasons.clone(),
            rights: offer.rights.clone(),
            assumptions: offer.assumptions.clone(),
        })
    });
    let body = Body {
        need: quote.need.clone(),
        whereabouts: quote.whereabouts.clone(),
        offers: offers.collect::<Result<_, Error>>()?,
        holds: quote.holds.clone(),
        accepted: quote.accepted,
        master: quote.master.clone(),
        reject_reason: quote.reject_reason.clone(),
    };
    Ok(quote::ActiveModel {
        operator_id: Set(quote.name.operator.to_string()),
        quote_id: Set(quote.name.quote.get()),
        tenant_id: Set(quote.tenant.tenant.to_string()),
        state: Set(quote.state.name().to_owned()),
        is_shown: Set(quote.is_shown()),
        author: Set(quote.author.clone()),
        approver: Set(quote.approver.clone()),
        valid_until: Set(quote.valid_until),
        hold_seconds: Set(quote.hold_seconds),
        body: Set(serde_json::to_value(&body).map_err(Error::internal)?),
        intent_caller: Set(intent.map(|key| key.caller.clone())),
        intent_request_id: Set(intent.map(|key| key.request_id)),
        intent_hash: Set(intent.map(|key| key.hash.to_vec())),
        intent_actor: Set(intent.map(|key| key.actor.to_text())),
        sweep_at: Set(None),
        revision: Set(quote.revision),
        create_time: Set(quote.create_time),
        update_time: Set(quote.update_time),
    })
}

fn quote_of(row: quote::Model) -> Result<Quote, Error> {
    let bad = |column| corrupt("quote", column);
    let body: Body = serde_json::from_value(row.body).map_err(|_| bad("body"))?;
    Ok(Quote {
        name: QuoteName::new(
            row.operator_id.parse().map_err(|_| bad("operator_id"))?,
            QuoteId::new(row.quote_id),
        ),
        tenant: TenantName::new(row.tenant_id.parse().map_err(|_| bad("tenant_id"))?),
        state: row.state.parse().map_err(|_| bad("state"))?,
        need: body.need,
        whereabouts: body.whereabouts,
        offers: body.offers.into_iter().map(offer_of).collect::<Result<_, _>>()?,
        valid_until: row.valid_until,
        hold_seconds: row.hold_seconds,
        holds: body.holds,
        author: row.author,
        approver: row.approver,
        accepted: body.accepted,
        master: body.master,
        reject_reason: body.reject_reason,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
    })
}

fn offer_of(body: OfferBody) -> Result<Offer, Error> {
    Ok(Offer {
        card: body.card,
        terms: record::read(body.terms.as_bytes())?,
        list_rate: body.list_rate,
        year_one: body.year_one,
        last_year: body.last_year,
        average: body.average,
        value: Value {
            critical_it_kw: body.critical_it_kw,
            year_one_rent: body.year_one_rent,
            base_contract_value: body.base_contract_value,
            options_contract_value: body.options_contract_value,
            // A quote has no options on more blocks.
            expansions_contract_value: Money::zero(body.options_contract_value.currency),
            unplaced_contract_value: Money::zero(body.options_contract_value.currency),
            unplaced_it_kw: 0,
            line_count: body.line_count,
        },
        net_equivalent: body.net_equivalent,
        floor: body.floor,
        mining_floor: body.mining_floor,
        approval_reasons: body.approval_reasons,
        rights: body.rights,
        assumptions: body.assumptions,
    })
}
