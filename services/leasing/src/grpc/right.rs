//! Rights of first refusal and offer, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Caller, Error, OperatorParent, Organisation, Violations};
use runtime::wire::{known, optional_date, page_size, request_id, to_date, to_timestamp};

use super::contract::within;
use super::lease::{REASON_CHARS, signatory};
use super::terms;
use crate::app::{AnswerRight, ListRightOffers, OfferToRightHolders, Page};
use crate::domain::draft::KW_MAX;
use crate::domain::right::{ExpansionRight, OfferState, RightKind, RightOffer};

/// Reads a right in terms.
pub(super) fn right(v: &mut Violations, right: &wire::ExpansionRight) -> Option<ExpansionRight> {
    let id = v.parse("right_id", &right.right_id, kernel::SiteId::new);
    let kind = known::<wire::RightKind>(v, "kind", right.kind);
    let place = v.parse("place", &right.place, str::parse);
    let kw = right.quantity_kw;
    v.require("quantity_kw", (1..=KW_MAX).contains(&kw), "must be 1 to 100000000");
    let days = within(v, "response_days", right.response_days, 1, 365);
    let until = optional_date(v, "until_date", right.until_date.as_ref());
    Some(ExpansionRight {
        id: id?.to_string(),
        kind: match kind? {
            wire::RightKind::Unspecified => return None,
            wire::RightKind::Rofr => RightKind::Rofr,
            wire::RightKind::Rofo => RightKind::Rofo,
        },
        place: place?,
        quantity_kw: kw,
        response_days: days?,
        until: until?,
    })
}

/// Writes a right.
pub(super) fn right_to_wire(right: &ExpansionRight) -> wire::ExpansionRight {
    let kind = match right.kind {
        RightKind::Rofr => wire::RightKind::Rofr,
        RightKind::Rofo => wire::RightKind::Rofo,
    };
    wire::ExpansionRight {
        right_id: right.id.clone(),
        kind: kind.into(),
        place: right.place.to_string(),
        quantity_kw: right.quantity_kw,
        response_days: terms::small(right.response_days),
        until_date: right.until.map(to_date),
    }
}

/// Reads whose holders are asked.
pub(super) fn offer(request: &wire::OfferToRightHoldersRequest) -> Result<OfferToRightHolders, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(OfferToRightHolders {
            name: name?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads that a right is exercised.
pub(super) fn exercise(request: &wire::ExerciseRightRequest) -> Result<AnswerRight, Error> {
    let wire::ExerciseRightRequest { name, signatory, note, etag, request_id, validate_only } =
        request.clone();
    let waived = wire::WaiveRightRequest { name, signatory, note, etag, request_id, validate_only };
    Ok(AnswerRight { exercise: true, ..waive(&waived)? })
}

/// Reads that a right is waived.
pub(super) fn waive(request: &wire::WaiveRightRequest) -> Result<AnswerRight, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let signatory = signatory(&mut v, request.signatory.as_ref());
    let note = v.text("note", &request.note, REASON_CHARS);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(AnswerRight {
            name: name?,
            exercise: false,
            signatory: signatory?,
            note: note?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListRightOffersRequest) -> Result<ListRightOffers, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page_size = page_size(&mut v, request.page_size);
    let states = v.each_word("states", &request.states, |v, state| known(v, "", *state).and_then(state_of));
    v.build(|| {
        Some(ListRightOffers {
            parent: parent?,
            states: states?,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn state_of(state: wire::RightOfferState) -> Option<OfferState> {
    match state {
        wire::RightOfferState::Unspecified => None,
        wire::RightOfferState::Open => Some(OfferState::Open),
        wire::RightOfferState::Exercised => Some(OfferState::Exercised),
        wire::RightOfferState::Waived => Some(OfferState::Waived),
        wire::RightOfferState::DeemedWaived => Some(OfferState::DeemedWaived),
        wire::RightOfferState::Withdrawn => Some(OfferState::Withdrawn),
    }
}

/// Writes an offer for whoever asks: its operator reads for whom it waits, and nobody else.
pub(super) fn writer(caller: &Caller) -> fn(&RightOffer) -> wire::RightOffer {
    match caller.effective_organisation() {
        Organisation::Operator(_) => for_operator,
        Organisation::Tenant(_) | Organisation::Platform | Organisation::Service(_) => for_holder,
    }
}

/// Writes an offer for its operator.
pub(super) fn for_operator(offer: &RightOffer) -> wire::RightOffer {
    wire::RightOffer { offered_lease: offer.offered_lease.to_string(), ..for_holder(offer) }
}

/// Writes an offer for the holder of the right.
pub(super) fn for_holder(offer: &RightOffer) -> wire::RightOffer {
    let state = match offer.state {
        OfferState::Open => wire::RightOfferState::Open,
        OfferState::Exercised => wire::RightOfferState::Exercised,
        OfferState::Waived => wire::RightOfferState::Waived,
        OfferState::DeemedWaived => wire::RightOfferState::DeemedWaived,
        OfferState::Withdrawn => wire::RightOfferState::Withdrawn,
    };
    let answer = offer.answer.as_ref();
    wire::RightOffer {
        name: offer.name.to_string(),
        lease: offer.lease.to_string(),
        right: Some(right_to_wire(&offer.right)),
        tenant: offer.tenant.to_string(),
        offered_terms: Some(terms::to_wire(&offer.terms, true)),
        offered_lease: String::new(),
        state: state.into(),
        respond_by_time: Some(to_timestamp(offer.respond_by)),
        answer_time: answer.map(|answer| to_timestamp(answer.time)),
        answered_by: answer.map(|answer| answer.subject.clone()).unwrap_or_default(),
        signatory: answer.map(|answer| wire::Signatory {
            name: answer.signatory.name.clone(),
            title: answer.signatory.title.clone(),
        }),
        note: answer.map(|answer| answer.note.clone()).unwrap_or_default(),
        create_time: Some(to_timestamp(offer.create_time)),
        update_time: Some(to_timestamp(offer.update_time)),
        etag: offer.etag(),
    }
}

/// Writes the offers of a lease.
#[expect(clippy::ptr_arg, reason = "the type of a stored reply")]
pub(super) fn offered(offers: &Vec<RightOffer>) -> wire::OfferToRightHoldersResponse {
    wire::OfferToRightHoldersResponse { right_offers: offers.iter().map(for_operator).collect() }
}

/// Writes an offer that was taken.
pub(super) fn exercised(offer: &RightOffer) -> wire::ExerciseRightResponse {
    wire::ExerciseRightResponse { right_offer: Some(for_holder(offer)) }
}

/// Writes an offer that was let pass.
pub(super) fn waived(offer: &RightOffer) -> wire::WaiveRightResponse {
    wire::WaiveRightResponse { right_offer: Some(for_holder(offer)) }
}

/// Writes a page.
pub(super) fn listed(caller: &Caller, page: &Page<RightOffer>) -> wire::ListRightOffersResponse {
    wire::ListRightOffersResponse {
        right_offers: page.items.iter().map(writer(caller)).collect(),
        next_page_token: page.next.clone(),
    }
}
