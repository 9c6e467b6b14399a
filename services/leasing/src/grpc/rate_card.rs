//! Rate cards, there and back.

use std::str::FromStr as _;

use contracts::leasing::v1 as wire;
use kernel::{Currency, Error, OperatorName, RateCardId, RateCardName, Violations};
use runtime::wire::{known, page_size, request_id, to_timestamp};

use super::card_facts::{self, change, facts};
use super::mask;
use crate::app::{CardCommand, ChangeRateCard, CreateRateCard, ListRateCards};
use crate::domain::{CardState, RateCard};

/// The fields that an update may name, and that a draft says.
const FIELDS: &[&str] = &[
    "display_name",
    "rates",
    "cooling_adders",
    "redundancy_adders",
    "escalator",
    "min_term_months",
    "max_term_months",
    "valid_from_date",
    "valid_until_date",
    "discount_limit_percent",
    "floor_per_kw_month",
    "mining_floor",
    "net_conversion",
];

/// Reads a draft.
pub(super) fn create(request: &wire::CreateRateCardRequest) -> Result<CreateRateCard, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let id = v.parse("rate_card_id", &request.rate_card_id, str::parse::<RateCardId>);
    let facts = v
        .present("rate_card", request.rate_card.as_ref())
        .and_then(|card| v.nested("rate_card", |v| facts(v, card)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateRateCard {
            name: RateCardName::new(parent?.operator, id?),
            facts: facts?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads a change of fields. The card's own currency is not the caller's to say: a floor from mining is in it.
pub(super) fn update(request: &wire::UpdateRateCardRequest) -> Result<ChangeRateCard, Error> {
    let mut v = Violations::new();
    let paths = mask(&mut v, request.update_mask.as_ref(), FIELDS);
    let card = v.present("rate_card", request.rate_card.as_ref());
    let (name, etag, changes) = v.nested("rate_card", |v| {
        let Some(card) = card else { return (None, None, None) };
        let name = v.parse("name", &card.name, str::parse);
        let etag = etag(v, &card.etag);
        let currency = if paths.contains(&"mining_floor") && card.mining_floor.is_some() {
            v.parse("currency_code", &card.currency_code, Currency::from_str)
        } else {
            Some(Currency::USD)
        };
        let named = FIELDS.iter().filter(|field| paths.contains(field));
        let read: Vec<_> = named.map(|field| change(v, field, card, currency)).collect();
        (name, etag, read.into_iter().collect::<Option<Vec<_>>>())
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(ChangeRateCard {
            name: name?,
            etag: etag?,
            command: CardCommand::Edit(changes?),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads an approval or a retirement: name, etag, request id.
pub(super) fn command(
    (name, etag_sent): (&str, &str),
    request: &str,
    validate_only: bool,
    command: CardCommand,
) -> Result<ChangeRateCard, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", name, str::parse);
    let etag = etag(&mut v, etag_sent);
    let request_id = request_id(&mut v, request);
    v.build(|| {
        Some(ChangeRateCard { name: name?, etag: etag?, command, request_id: request_id?, validate_only })
    })
}

fn etag(v: &mut Violations, text: &str) -> Option<String> {
    v.require("etag", !text.is_empty(), "is required").then(|| text.to_owned())
}

/// Reads a name.
pub(super) fn name(text: &str) -> Result<RateCardName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse);
    v.build(|| name)
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListRateCardsRequest) -> Result<ListRateCards, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let states = v.each_word("states", &request.states, |v, state| {
        let state = known::<wire::RateCardState>(v, "", *state)?;
        CardState::ALL.iter().copied().find(|known| to_state(*known) == state)
    });
    let page_size = page_size(&mut v, request.page_size);
    v.build(|| {
        Some(ListRateCards {
            operator: parent?.operator,
            states: states?,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn to_state(state: CardState) -> wire::RateCardState {
    match state {
        CardState::Draft => wire::RateCardState::Draft,
        CardState::Approved => wire::RateCardState::Approved,
        CardState::Retired => wire::RateCardState::Retired,
    }
}

/// Writes a card.
pub(super) fn to_wire(card: &RateCard) -> wire::RateCard {
    wire::RateCard {
        name: card.name.to_string(),
        state: to_state(card.state).into(),
        authors: card.authors.clone(),
        approver: card.approver.clone().unwrap_or_default(),
        etag: card.etag(),
        create_time: Some(to_timestamp(card.create_time)),
        update_time: Some(to_timestamp(card.update_time)),
        ..card_facts::to_wire(&card.facts)
    }
}
