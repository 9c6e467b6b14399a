//! Rate cards.

use kernel::{Error, OperatorId, RateCardId, RateCardName};
use postgres::store_error;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::corrupt;
use super::entity::rate_card;
use crate::domain::{CardState, RateCard};

/// Writes a new card. `false`: the name is taken.
pub async fn insert_rate_card(tx: &DatabaseTransaction, card: &RateCard) -> Result<bool, Error> {
    let inserted = rate_card::Entity::insert(row_of(card)?)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(store_error)?;
    Ok(inserted == 1)
}

/// Writes a changed card, which [`lock_rate_card`] has locked.
pub async fn update_rate_card(tx: &DatabaseTransaction, card: &RateCard) -> Result<(), Error> {
    rate_card::Entity::update(row_of(card)?).exec(tx).await.map_err(store_error).map(|_| ())
}

/// The card, if the scope sees it.
pub async fn find_rate_card(
    conn: &impl ConnectionTrait,
    name: &RateCardName,
) -> Result<Option<RateCard>, Error> {
    let key = (name.operator.to_string(), name.rate_card.to_string());
    let row = rate_card::Entity::find_by_id(key).one(conn).await.map_err(store_error)?;
    row.map(card_of).transpose()
}

/// The card, locked until the transaction ends.
pub async fn lock_rate_card(
    tx: &DatabaseTransaction,
    name: &RateCardName,
) -> Result<Option<RateCard>, Error> {
    let key = (name.operator.to_string(), name.rate_card.to_string());
    let row = rate_card::Entity::find_by_id(key).lock_exclusive().one(tx).await.map_err(store_error)?;
    row.map(card_of).transpose()
}

/// Cards of an operator in any of these states (none is any), in order of name, after `after`.
pub async fn list_rate_cards(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    states: &[CardState],
    after: Option<&RateCardId>,
    limit: u32,
) -> Result<Vec<RateCard>, Error> {
    let mut query = rate_card::Entity::find()
        .filter(rate_card::Column::OperatorId.eq(operator.to_string()))
        .order_by_asc(rate_card::Column::RateCardId)
        .limit(u64::from(limit));
    if !states.is_empty() {
        query = query.filter(rate_card::Column::State.is_in(states.iter().map(|state| state.name())));
    }
    if let Some(after) = after {
        query = query.filter(rate_card::Column::RateCardId.gt(after.to_string()));
    }
    let rows = query.all(conn).await.map_err(store_error)?;
    rows.into_iter().map(card_of).collect()
}

fn row_of(card: &RateCard) -> Result<rate_card::ActiveModel, Error> {
    Ok(rate_card::ActiveModel {
        operator_id: Set(card.name.operator.to_string()),
        rate_card_id: Set(card.name.rate_card.to_string()),
        state: Set(card.state.name().to_owned()),
        facts: Set(serde_json::to_value(&card.facts).map_err(Error::internal)?),
        authors: Set(serde_json::to_value(&card.authors).map_err(Error::internal)?),
        approver: Set(card.approver.clone()),
        revision: Set(card.revision),
        create_time: Set(card.create_time),
        update_time: Set(card.update_time),
    })
}

fn card_of(row: rate_card::Model) -> Result<RateCard, Error> {
    let bad = |column| corrupt("rate_card", column);
    Ok(RateCard {
        name: RateCardName::new(
            row.operator_id.parse().map_err(|_| bad("operator_id"))?,
            row.rate_card_id.parse().map_err(|_| bad("rate_card_id"))?,
        ),
        facts: serde_json::from_value(row.facts).map_err(|_| bad("facts"))?,
        state: row.state.parse().map_err(|_| bad("state"))?,
        authors: serde_json::from_value(row.authors).map_err(|_| bad("authors"))?,
        approver: row.approver,
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
    })
}
