//! Quotes, there and back.

use std::str::FromStr as _;
use std::time::Duration;

use contracts::leasing::v1 as wire;
use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, Error, MasterAgreementName, OperatorName, OperatorParent,
    Percent, QuoteName, ReservationName, SiteName, TenantName, Violations,
};
use runtime::wire::{
    capacity, date, duration, instant, known, optional_date, page_size, request_id, to_capacity, to_date,
    to_decimal, to_duration, to_money, to_timestamp,
};

use super::mining::{count, optional_share};
use super::terms;
use crate::app::{AcceptQuote, AnswerQuote, ListQuotes, QuoteLease};
use crate::domain::quote::{Need, Offer};
use crate::domain::quote_record::{Quote, QuoteState, Whereabouts};
use crate::domain::terms::RenewalOption;

/// How long inventory holds at the least and at the most.
const HOLD: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(60 * 24 * 60 * 60);
const OPTIONS_DEFAULT: u32 = 5;
const PLACES_MAX: usize = 50;
const HELD_MAX: i32 = 5;
const REASON_CHARS: usize = 1_000;

/// Reads a question for a quote.
pub(super) fn quote_lease(request: &wire::QuoteLeaseRequest) -> Result<QuoteLease, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let tenant = v.parse("tenant", &request.tenant, str::parse::<TenantName>);
    let discount = optional_share(&mut v, "discount_percent", request.discount_percent.as_ref());
    let discount = discount.map(|discount| discount.unwrap_or(Percent::ZERO));
    let need = v.present("need", request.need.as_ref()).and_then(|sent| {
        v.nested("need", |v| {
            let need = need(v, sent, discount.unwrap_or(Percent::ZERO));
            let whereabouts = whereabouts(v, sent, parent.as_ref());
            Some((need?, whereabouts?))
        })
    });
    let valid_until = instant(&mut v, "valid_until_time", request.valid_until_time.as_ref());
    let hold = duration(&mut v, "hold_duration", request.hold_duration.as_ref(), HOLD);
    let options = count(&mut v, "option_limit", request.option_limit, 0, 20);
    let held = count(&mut v, "held_block_count", request.held_block_count, 0, HELD_MAX);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (need, whereabouts) = need?;
        let options = options.map(|options| if options == 0 { OPTIONS_DEFAULT } else { options });
        Some(QuoteLease {
            operator: parent?.operator,
            tenant: tenant?,
            need: Need { discount: discount?, ..need },
            whereabouts,
            valid_until: valid_until?,
            hold_seconds: i64::try_from(hold?.as_secs()).ok()?,
            options_max: usize::try_from(options?).ok()?,
            blocks_held: usize::try_from(held?).ok()?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn need(v: &mut Violations, sent: &wire::QuoteNeed, discount: Percent) -> Option<Need> {
    let load = capacity(v, "capacity", sent.capacity.as_ref());
    let carried = load.is_none_or(|load| load.critical_it > 0 && load.carries_heat());
    v.require("capacity", carried, "needs a critical IT load and the cooling that carries it");
    let term_months = count(v, "term_months", sent.term_months, 1, 600);
    let structures = v.each_word("structures", &sent.structures, |v, sent| {
        known::<wire::LeaseStructure>(v, "", *sent).and_then(terms::structure)
    });
    let currency = v.parse("currency_code", &sent.currency_code, Currency::from_str);
    v.require("renewal_options", sent.renewal_options.len() <= 10, "at most 10");
    let renewals = v.each("renewal_options", &sent.renewal_options, |v, option| {
        let times = count(v, "count", option.count, 1, 20);
        let months = count(v, "term_months", option.term_months, 1, 600);
        let notice = count(v, "notice_months", option.notice_months, 0, 120);
        let window = count(v, "window_months", option.window_months, 0, 600);
        let (rates, market) = terms::renewal_rent(v, option)?;
        Some(RenewalOption {
            count: times?,
            term_months: months?,
            notice_months: notice?,
            window_months: window?,
            rates,
            market,
        })
    });
    let lead = count(v, "invoice_lead_days", sent.invoice_lead_days, 0, 90);
    let due = count(v, "payment_terms_days", sent.payment_terms_days, 0, 365);
    Some(Need {
        capacity: load?,
        term_months: term_months?,
        structures: structures?,
        currency: currency?,
        renewal_options: renewals?,
        invoice_lead_days: lead?,
        payment_terms_days: due?,
        discount,
    })
}

fn whereabouts(
    v: &mut Violations,
    sent: &wire::QuoteNeed,
    parent: Option<&OperatorName>,
) -> Option<Whereabouts> {
    let start_from = date(v, "start_from_date", sent.start_from_date.as_ref());
    let start_until = optional_date(v, "start_until_date", sent.start_until_date.as_ref());
    let rising = start_from.zip(start_until.flatten()).is_none_or(|(from, until)| from < until);
    v.require("start_until_date", rising, "must be later than start_from_date");
    v.require("places", sent.places.len() <= PLACES_MAX, "at most 50");
    let places = v.each("places", &sent.places, |v, place| {
        let own = |operator| parent.is_none_or(|parent| parent.operator == operator);
        let is_own = match (place.parse::<BlockName>(), place.parse::<SiteName>()) {
            (Ok(block), _) => own(block.operator),
            (_, Ok(site)) => own(site.operator),
            _ => false,
        };
        v.require("", is_own, "must be a site or a block of the parent").then(|| place.clone())
    });
    Some(Whereabouts { start_from: start_from?, start_until: start_until?, places: places? })
}

/// Reads an approval, or a rejection with its reason.
pub(super) fn answer(
    (name, etag): (&str, &str),
    reason: Option<&str>,
    request: &str,
    validate_only: bool,
) -> Result<AnswerQuote, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", name, str::parse);
    v.require("etag", !etag.is_empty(), "is required");
    let reject = reason.map(|reason| {
        v.require("reason", !reason.trim().is_empty(), "is required");
        v.text("reason", reason, REASON_CHARS)
    });
    let request_id = request_id(&mut v, request);
    v.build(|| {
        Some(AnswerQuote {
            name: name?,
            etag: etag.to_owned(),
            reject: match reject {
                Some(reason) => Some(reason?),
                None => None,
            },
            request_id: request_id?,
            validate_only,
        })
    })
}

/// Reads an acceptance.
pub(super) fn accept(request: &wire::AcceptQuoteRequest) -> Result<AcceptQuote, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<QuoteName>);
    v.require("etag", !request.etag.is_empty(), "is required");
    let option = count(&mut v, "option_number", request.option_number, 1, 20);
    let master =
        v.parse_optional("master_agreement", &request.master_agreement, str::parse::<MasterAgreementName>);
    let ours =
        name.as_ref().zip(master.as_ref()).is_none_or(|(name, master)| name.operator == master.operator);
    v.require("master_agreement", ours, "must be of the quote's operator");
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(AcceptQuote {
            name: name?,
            option: option?,
            master,
            etag: request.etag.clone(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads a name.
pub(super) fn name(text: &str) -> Result<QuoteName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse);
    v.build(|| name)
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListQuotesRequest) -> Result<ListQuotes, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse);
    let states = v.each_word("states", &request.states, |v, state| {
        let state = known::<wire::QuoteState>(v, "", *state)?;
        QuoteState::ALL.iter().copied().find(|known| to_state(*known) == state)
    });
    let page_size = page_size(&mut v, request.page_size);
    v.build(|| {
        Some(ListQuotes {
            parent: parent?,
            tenant,
            states: states?,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn to_state(state: QuoteState) -> wire::QuoteState {
    match state {
        QuoteState::Holding => wire::QuoteState::Holding,
        QuoteState::PendingApproval => wire::QuoteState::PendingApproval,
        QuoteState::Open => wire::QuoteState::Open,
        QuoteState::Accepting => wire::QuoteState::Accepting,
        QuoteState::Accepted => wire::QuoteState::Accepted,
        QuoteState::Rejected => wire::QuoteState::Rejected,
        QuoteState::Lapsed => wire::QuoteState::Lapsed,
    }
}

/// Writes a quote for its operator.
pub(super) fn to_wire(quote: &Quote) -> wire::Quote {
    write(quote, true)
}

/// Writes a quote for its tenant: without the operator's cards, floors, discounts and people.
pub(super) fn to_wire_for_tenant(quote: &Quote) -> wire::Quote {
    write(quote, false)
}

fn write(quote: &Quote, inside: bool) -> wire::Quote {
    let need = &quote.need;
    let only_inside = |text: &str| if inside { text.to_owned() } else { String::new() };
    let seconds = u64::try_from(quote.hold_seconds).unwrap_or(0);
    let lease = quote.lease_name().ok().filter(|_| quote.state == QuoteState::Accepted);
    let numbered = (1..).zip(&quote.offers);
    wire::Quote {
        name: quote.name.to_string(),
        tenant: quote.tenant.to_string(),
        state: to_state(quote.state).into(),
        need: Some(need_to_wire(need, &quote.whereabouts)),
        discount_percent: inside.then(|| to_decimal(need.discount)),
        options: numbered
            .map(|(number, offer)| wire::QuoteOption {
                reservation: reservation(quote, offer),
                ..offer_to_wire(number, offer, inside)
            })
            .collect(),
        valid_until_time: Some(to_timestamp(quote.valid_until)),
        hold_duration: Some(to_duration(Duration::from_secs(seconds))),
        author: only_inside(&quote.author),
        approver: only_inside(quote.approver.as_deref().unwrap_or_default()),
        accepted_option: quote.accepted.map_or(0, terms::small),
        lease: lease.map(|lease| lease.to_string()).unwrap_or_default(),
        reject_reason: quote.reject_reason.clone(),
        etag: quote.etag(),
        create_time: Some(to_timestamp(quote.create_time)),
        update_time: Some(to_timestamp(quote.update_time)),
    }
}

/// What is held for an option.
fn reservation(quote: &Quote, offer: &Offer) -> String {
    let held = quote.hold_of(offer).and_then(|hold| hold.reservation);
    let operator = &quote.name.operator;
    held.map(|id| ReservationName::new(operator.clone(), id).to_string()).unwrap_or_default()
}

fn need_to_wire(need: &Need, whereabouts: &Whereabouts) -> wire::QuoteNeed {
    let load: CapacityVector = need.capacity;
    let until: Option<CivilDate> = whereabouts.start_until;
    wire::QuoteNeed {
        capacity: Some(to_capacity(load)),
        start_from_date: Some(to_date(whereabouts.start_from)),
        start_until_date: until.map(to_date),
        term_months: terms::small(need.term_months),
        places: whereabouts.places.clone(),
        structures: need.structures.iter().map(|one| terms::structure_to_wire(*one).into()).collect(),
        currency_code: need.currency.code().to_owned(),
        renewal_options: need.renewal_options.iter().map(|one| terms::renewal_to_wire(one, true)).collect(),
        invoice_lead_days: terms::small(need.invoice_lead_days),
        payment_terms_days: terms::small(need.payment_terms_days),
    }
}

fn offer_to_wire(number: i32, offer: &Offer, inside: bool) -> wire::QuoteOption {
    let floor = |rate: Option<kernel::Rate>| rate.filter(|_| inside).map(to_decimal);
    wire::QuoteOption {
        number,
        rate_card: if inside { offer.card.to_string() } else { String::new() },
        terms: Some(terms::to_wire(&offer.terms, true)),
        list_rate_per_kw_month: floor(Some(offer.list_rate)),
        year_one_rate_per_kw_month: Some(to_decimal(offer.year_one)),
        last_year_rate_per_kw_month: Some(to_decimal(offer.last_year)),
        average_rate_per_kw_month: Some(to_decimal(offer.average)),
        year_one_rent: Some(to_money(offer.value.year_one_rent)),
        base_contract_value: Some(to_money(offer.value.base_contract_value)),
        options_contract_value: Some(to_money(offer.value.options_contract_value)),
        net_equivalent_per_kw_month: Some(to_decimal(offer.net_equivalent)),
        floor_per_kw_month: floor(offer.floor),
        mining_floor_per_kw_month: floor(offer.mining_floor),
        approval_reasons: offer.approval_reasons.iter().filter(|_| inside).cloned().collect(),
        rights: offer.rights.clone(),
        assumptions: offer.assumptions.clone(),
        reservation: String::new(),
    }
}
