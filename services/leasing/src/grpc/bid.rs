//! Bids, there and back.

use std::time::Duration;

use contracts::leasing::v1 as wire;
use kernel::{
    BidName, CivilDate, Error, OperatorId, OperatorName, OperatorParent, Percent, Rate, ReservationName,
    Violations,
};
use runtime::wire::{
    capacity, date, duration, instant, known, page_size, percent, rate, request_id, to_capacity, to_date,
    to_decimal, to_duration, to_timestamp,
};

use super::capacity_request::{NOTE_CHARS, months, to_wire as request_to_wire};
use super::terms;
use crate::app::{Award, AwardBid, ListBids, SubmitBid, WithdrawBid};
use crate::domain::bid::{Bid, BidPremises, Offer};
use crate::domain::capacity_request::CHOSEN_MAX;
use crate::domain::draft::{KW_MAX, PREMISES_MAX, START_AHEAD_MONTHS_MAX, TERM_MONTHS_MAX};
use crate::domain::market_state::BidState;
use crate::domain::terms::{RenewalOption, Structure};

const HOLD: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(60 * 86_400);
/// Time to paper the deal, where nobody says otherwise.
const AWARD_HOLD_SECONDS: i64 = 30 * 86_400;
const ONE_HUNDRED: i64 = 100_000_000;
/// A PUE is from 1 to 3.
const PUE: std::ops::RangeInclusive<i128> = 10_i128.pow(10)..=3 * 10_i128.pow(10);

/// Reads a bid. `today` is the business date.
pub(super) fn submit(request: &wire::SubmitBidRequest, today: CivilDate) -> Result<SubmitBid, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let operator = parent.map(|parent| parent.operator);
    let offer = v
        .present("bid", request.bid.as_ref())
        .and_then(|sent| v.nested("bid", |v| offer(v, sent, operator.as_ref(), today)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(SubmitBid {
            operator: operator?,
            offer: offer?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn offer(
    v: &mut Violations,
    sent: &wire::Bid,
    operator: Option<&OperatorId>,
    today: CivilDate,
) -> Option<Offer> {
    let request = v.parse("capacity_request", &sent.capacity_request, str::parse);
    let place = place(v, sent, operator);
    let commencement = date(v, "commencement_date", sent.commencement_date.as_ref());
    let ahead = kernel::time::add_months(today, START_AHEAD_MONTHS_MAX);
    let near = commencement.is_none_or(|day| ahead.is_some_and(|ahead| day <= ahead));
    v.require("commencement_date", near, "must be at most 10 years ahead");
    let term_months = months(v, sent.term_months);
    let price = price(v, sent);
    let renewals = renewals(v, &sent.renewal_options);
    let valid_until = instant(v, "valid_until_time", sent.valid_until_time.as_ref());
    let hold_seconds = match &sent.hold_duration {
        None => Some(None),
        some => duration(v, "hold_duration", some.as_ref(), HOLD).map(Some),
    };
    v.require("hold_duration", sent.hold_duration.is_none() || sent.site.is_empty(), "is for premises only");
    let note = v.text("note", &sent.note, NOTE_CHARS);
    let (site, premises, critical_it_kw) = place?;
    let price = price?;
    let hold_seconds = hold_seconds?.map(|hold| i64::try_from(hold.as_secs())).transpose().ok()?;
    Some(Offer {
        request: request?,
        site,
        premises,
        critical_it_kw,
        commencement: commencement?,
        term_months: term_months?,
        structure: price.structure,
        rate: price.rate,
        escalator: price.escalator,
        included_cost: price.included_cost,
        pue: price.pue,
        renewal_options: renewals?,
        valid_until: valid_until?,
        hold_seconds,
        note: note?,
    })
}

type Place = (Option<kernel::SiteName>, Vec<BidPremises>, i64);

/// A site, or blocks, and how much: of the bidding operator, and each block once.
fn place(v: &mut Violations, sent: &wire::Bid, operator: Option<&OperatorId>) -> Option<Place> {
    let own = |of: &OperatorId| operator.is_none_or(|operator| of == operator);
    let site = v.parse_optional("site", &sent.site, str::parse::<kernel::SiteName>);
    let ours = site.as_ref().is_none_or(|site| own(&site.operator));
    v.require("site", ours, "must be a site of the parent operator");
    let either = sent.site.is_empty() != sent.premises.is_empty();
    v.require("premises", either, "give premises or a site, and not both");
    v.require("premises", sent.premises.len() <= PREMISES_MAX, "must have at most 50 entries");
    let mut seen = std::collections::BTreeSet::new();
    let premises = v.each("premises", &sent.premises, |v, one| {
        let block = v.parse("block", &one.block, str::parse::<kernel::BlockName>);
        if let Some(block) = &block {
            v.require("block", own(&block.operator), "must be a block of the parent operator");
            v.require("block", seen.insert(block.to_string()), "is named twice");
        }
        let capacity = capacity(v, "capacity", one.capacity.as_ref());
        if let Some(capacity) = capacity {
            let carried = capacity.critical_it > 0 && capacity.carries_heat();
            v.require("capacity", carried, "must have critical IT load, and cooling that carries it");
        }
        Some(BidPremises { block: block?, capacity: capacity? })
    });
    let premises = premises?;
    let sum: i64 = premises.iter().map(|one| one.capacity.critical_it).sum();
    let kw = if premises.is_empty() || sent.critical_it_kw != 0 { sent.critical_it_kw } else { sum };
    v.require("critical_it_kw", (1..=KW_MAX).contains(&kw), "must be 1 to 100000000");
    v.require("critical_it_kw", premises.is_empty() || kw == sum, "must be the sum of the premises");
    Some((site, premises, kw))
}

struct Price {
    structure: Structure,
    rate: Rate,
    escalator: Percent,
    included_cost: Rate,
    pue: Option<Rate>,
}

/// What is inside the rate must be said where something is, so that bids can be compared.
fn price(v: &mut Violations, sent: &wire::Bid) -> Option<Price> {
    let structure = known::<wire::LeaseStructure>(v, "structure", sent.structure).and_then(terms::structure);
    let rate_read = rate(v, "rate_per_kw_month", sent.rate_per_kw_month.as_ref());
    v.require("rate_per_kw_month", rate_read.is_none_or(Rate::is_positive), "must be more than 0");
    let escalator = match &sent.escalator_percent {
        None => Some(Percent::ZERO),
        some => percent(v, "escalator_percent", some.as_ref()),
    };
    let fits = escalator.is_none_or(|one| !one.is_negative() && one.scaled() <= ONE_HUNDRED);
    v.require("escalator_percent", fits, "must be 0 to 100");
    let cost = sent.included_cost_per_kw_month.as_ref();
    let included_cost = match structure {
        Some(Structure::TripleNet) => {
            v.require("included_cost_per_kw_month", cost.is_none(), "is for rates that carry costs");
            Some(Rate::ZERO)
        }
        Some(Structure::ModifiedGross | Structure::Gross) => rate(v, "included_cost_per_kw_month", cost),
        None => None,
    };
    let pue = match structure {
        Some(Structure::Gross) => rate(v, "pue", sent.pue.as_ref()).map(Some),
        _ => {
            v.require("pue", sent.pue.is_none(), "is for GROSS only");
            Some(None)
        }
    };
    let fits = pue.flatten().is_none_or(|pue| PUE.contains(&pue.scaled()));
    v.require("pue", fits, "must be 1 to 3");
    Some(Price {
        structure: structure?,
        rate: rate_read?,
        escalator: escalator?,
        included_cost: included_cost?,
        pue: pue?,
    })
}

fn renewals(v: &mut Violations, options: &[wire::RenewalOption]) -> Option<Vec<RenewalOption>> {
    v.require("renewal_options", options.len() <= 10, "must have at most 10 entries");
    v.each("renewal_options", options, |v, option| {
        v.require("count", (1..=20).contains(&option.count), "must be 1 to 20");
        v.require("term_months", (1..=TERM_MONTHS_MAX).contains(&option.term_months), "must be 1 to 600");
        v.require("notice_months", (0..=120).contains(&option.notice_months), "must be 0 to 120");
        v.require("window_months", (0..=600).contains(&option.window_months), "must be 0 to 600");
        let (rates, market) = terms::renewal_rent(v, option)?;
        Some(RenewalOption {
            count: u32::try_from(option.count).ok()?,
            term_months: u32::try_from(option.term_months).ok()?,
            notice_months: u32::try_from(option.notice_months).ok()?,
            window_months: u32::try_from(option.window_months).ok()?,
            rates,
            market,
        })
    })
}

/// Reads a withdrawal.
pub(super) fn withdraw(request: &wire::WithdrawBidRequest) -> Result<WithdrawBid, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(WithdrawBid {
            name: name?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListBidsRequest) -> Result<ListBids, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let page_size = page_size(&mut v, request.page_size);
    let on = v.parse_optional("capacity_request", &request.capacity_request, str::parse);
    let states = v.each_word("states", &request.states, |v, state| {
        let named = known::<wire::BidState>(v, "", *state)?;
        BidState::ALL.iter().copied().find(|known| state_to_wire(*known) == named)
    });
    v.build(|| {
        Some(ListBids {
            parent: parent?,
            request: on,
            states: states?,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

/// Reads an award.
pub(super) fn award(request: &wire::AwardBidRequest) -> Result<AwardBid, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let most = usize::try_from(CHOSEN_MAX).unwrap_or(usize::MAX);
    v.require("bids", (1..=most).contains(&request.bids.len()), "needs 1 to 20 bids");
    let mut seen = std::collections::BTreeSet::new();
    let bids = v.each("bids", &request.bids, |v, bid| {
        let name = v.parse("", bid, str::parse::<BidName>)?;
        v.require("", seen.insert(name.clone()), "is named twice").then_some(name)
    });
    let hold_seconds = match &request.hold_duration {
        None => Some(AWARD_HOLD_SECONDS),
        some => duration(&mut v, "hold_duration", some.as_ref(), HOLD)
            .and_then(|hold| i64::try_from(hold.as_secs()).ok()),
    };
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(AwardBid {
            name: name?,
            bids: bids?,
            hold_seconds: hold_seconds?,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn state_to_wire(state: BidState) -> wire::BidState {
    match state {
        BidState::Submitting => wire::BidState::Submitting,
        BidState::Submitted => wire::BidState::Submitted,
        BidState::Awarding => wire::BidState::Awarding,
        BidState::Awarded => wire::BidState::Awarded,
        BidState::Lost => wire::BidState::Lost,
        BidState::Returned => wire::BidState::Returned,
        BidState::Withdrawn => wire::BidState::Withdrawn,
        BidState::Lapsed => wire::BidState::Lapsed,
    }
}

/// Writes a bid.
pub(super) fn to_wire(bid: &Bid) -> wire::Bid {
    let offer = &bid.offer;
    let seconds = offer.hold_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let reservation =
        bid.hold.map(|hold| ReservationName::new(bid.name.operator.clone(), hold.reservation).to_string());
    let costs = offer.structure != Structure::TripleNet;
    wire::Bid {
        name: bid.name.to_string(),
        capacity_request: offer.request.to_string(),
        state: state_to_wire(bid.state).into(),
        site: offer.site.as_ref().map(ToString::to_string).unwrap_or_default(),
        premises: offer
            .premises
            .iter()
            .map(|one| wire::BidPremises {
                block: one.block.to_string(),
                capacity: Some(to_capacity(one.capacity)),
            })
            .collect(),
        critical_it_kw: offer.critical_it_kw,
        commencement_date: Some(to_date(offer.commencement)),
        term_months: i32::try_from(offer.term_months).unwrap_or(i32::MAX),
        structure: terms::structure_to_wire(offer.structure).into(),
        rate_per_kw_month: Some(to_decimal(offer.rate)),
        escalator_percent: Some(to_decimal(offer.escalator)),
        included_cost_per_kw_month: costs.then(|| to_decimal(offer.included_cost)),
        pue: offer.pue.map(to_decimal),
        renewal_options: offer.renewal_options.iter().map(|one| terms::renewal_to_wire(one, true)).collect(),
        valid_until_time: Some(to_timestamp(offer.valid_until)),
        hold_duration: seconds.map(|seconds| to_duration(Duration::from_secs(seconds))),
        note: offer.note.clone(),
        currency_code: bid.currency.code().to_owned(),
        triple_net_rate_per_kw_month: Some(to_decimal(bid.triple_net.year_one)),
        average_triple_net_rate_per_kw_month: Some(to_decimal(bid.triple_net.average)),
        reservation: reservation.unwrap_or_default(),
        hold_expire_time: bid.hold.map(|hold| to_timestamp(hold.expire_time)),
        etag: bid.etag(),
        submit_time: Some(to_timestamp(bid.submit_time)),
        update_time: Some(to_timestamp(bid.update_time)),
    }
}

/// The reply to a bid.
pub(super) fn submitted(bid: &Bid) -> wire::SubmitBidResponse {
    wire::SubmitBidResponse { bid: Some(to_wire(bid)) }
}

/// The reply to a withdrawal.
pub(super) fn withdrawn(bid: &Bid) -> wire::WithdrawBidResponse {
    wire::WithdrawBidResponse { bid: Some(to_wire(bid)) }
}

/// The reply to an award.
pub(super) fn awarded(award: &Award) -> wire::AwardBidResponse {
    wire::AwardBidResponse {
        capacity_request: Some(request_to_wire(&award.request)),
        bids: award.bids.iter().map(to_wire).collect(),
    }
}
