//! Leases to test with: River Bend as published.

use kernel::{
    CapacityVector, CivilDate, Currency, EscalationBasis, Instant, Percent, Rate, ReservationId, Uuid, Zone,
};

use super::comparison::Place;
use super::contract::{Condition, Contract, CureTerms, DeliveryTerms, TermBasis, TerminationTerms};
use super::draft::{Draft, EscalatorDraft, PremisesDraft, RateDraft, RenewalDraft};
use super::lease::Hold;
use super::mining::Mine;
use super::quote::{self, Candidate, Need};
use super::quote_record::{Quote, QuoteState, Whereabouts};
use super::rate_card::{Band, CardFacts, Cooling, LeaseType, NetConversion, RateCard, Redundancy};
use super::terms::{RenewalOption, Structure};
use super::{Findings, Happened, Lease, LeaseState, Party, Proposal, Terms};

/// A date in its ISO form.
pub(crate) fn date(text: &str) -> CivilDate {
    text.parse().expect("an ISO date")
}

/// The beginning of a day, UTC.
pub(crate) fn at(text: &str) -> Instant {
    Zone::UTC.start_of_day(date(text))
}

/// 245 MW for 15 years at 3%, from the published total of 7.0bn.
pub(crate) fn river_bend() -> Draft {
    Draft {
        currency: Currency::new("USD"),
        structure: Some(Structure::TripleNet),
        premises: vec![PremisesDraft {
            block: "operators/hut8/sites/river-bend/blocks/hut-fs-rb-1".parse().ok(),
            profile: vec![(Some(date("2027-12-01")), CapacityVector::new(245_000, 61_250, 208_250, 0))],
            commencement: Some(date("2027-12-01")),
            end: Some(date("2042-12-01")),
            rate: Some(RateDraft::Base("128.0156677674".parse::<Rate>().ok())),
        }],
        escalator: Some(EscalatorDraft {
            percent: "3".parse().ok(),
            basis: Some(EscalationBasis::BlockAnniversary),
        }),
        invoice_lead_days: 0,
        payment_terms_days: 30,
        term_months: 180,
        renewal_options: vec![RenewalDraft {
            count: 3,
            term_months: 60,
            notice_months: 12,
            window_months: 0,
            rates: Vec::new(),
            market: None,
        }],
        expansion_options: Vec::new(),
        nominations: Vec::new(),
        announced: Some(date("2025-12-17")),
        notes: "Base term and options apart.".to_owned(),
        contract: Contract::default(),
        master: None,
    }
}

/// Terms of a draft whose every block lies in one zone.
pub(crate) fn terms(draft: Draft, zone: &str) -> Terms {
    let mut findings = Findings::new();
    let checked = draft.check(None, date("2026-12-01"), &mut findings);
    findings.finish().expect("good terms");
    let checked = checked.expect("good terms");
    let zones: Vec<_> = checked.sites().map(|site| (site, zone.parse().expect("a zone"))).collect();
    checked.in_zones(&zones).expect("a zone for each site")
}

/// A lease in PROPOSING on these terms.
pub(crate) fn proposing(terms: Terms) -> Lease {
    let proposal = Proposal {
        name: "operators/hut8/leases/river-bend".parse().expect("a name"),
        uid: Uuid::from_u128(7),
        tenant: "tenants/fluidstack".parse().expect("a name"),
        terms,
        hold_seconds: 3_600,
    };
    Lease::propose(proposal, at("2026-12-01")).expect("a lease").0
}

/// A lease of these terms, commenced on 1 December 2027.
pub(crate) fn active(draft: Draft) -> Lease {
    let mut lease = proposing(terms(draft, "America/Chicago"));
    let reservation = ReservationId::new(Uuid::from_u128(9));
    lease.held(Hold { reservation, expire_time: at("2027-01-01") }, at("2026-12-01")).unwrap();
    lease.state = LeaseState::Effective;
    assert_eq!(lease.pass(at("2027-12-02")).unwrap(), Some(Happened::Commenced));
    lease
}

/// The worked example: overhead 1.05, up 95 % of 30.4167 days, power at 45 a MWh.
pub(crate) fn mine(efficiency: &str, hashprice: &str) -> Mine {
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    Mine {
        currency: Currency::USD,
        hashprice: rate(hashprice),
        efficiency: rate(efficiency),
        overhead: rate("1.05"),
        uptime: "95".parse().expect("a percentage"),
        days_per_month: rate("30.4167"),
        power_price: rate("45"),
        operating_cost: Rate::ZERO,
        excise: None,
        machines: None,
        coin: None,
    }
}

/// A card with a rate of each structure, 140 triple net.
pub(crate) fn card_facts() -> CardFacts {
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    let band =
        |structure, at: &str| Band { structure, term_months: (12, 600), kw: (0, i64::MAX), rate: rate(at) };
    CardFacts {
        display_name: "Standard".to_owned(),
        currency: Currency::USD,
        lease_type: LeaseType::Turnkey,
        bands: vec![
            band(Structure::TripleNet, "140"),
            band(Structure::ModifiedGross, "150"),
            band(Structure::Gross, "185"),
        ],
        cooling: vec![(Cooling::Liquid, rate("10"))],
        redundancy: vec![(Redundancy::TwoN, rate("12"))],
        escalator: Some(kernel::Escalator {
            percent: "3".parse().expect("a percentage"),
            basis: EscalationBasis::BlockAnniversary,
        }),
        min_term_months: 12,
        max_term_months: 240,
        valid_from: date("2026-01-01"),
        valid_until: date("2027-12-31"),
        discount_limit: "5".parse().expect("a percentage"),
        floor: Some(rate("120")),
        mining_floor: None,
        net: Some(NetConversion {
            operating_cost: rate("12"),
            power_price: rate("45"),
            pue: rate("1.3"),
            load_factor: "85".parse().expect("a percentage"),
        }),
    }
}

/// A need of 1 MW and more, cooled by liquid with a quarter by air.
pub(crate) fn need(kw: i64) -> Need {
    Need {
        capacity: CapacityVector::new(kw, kw / 4, kw, 0).expect("a load"),
        term_months: 180,
        structures: Vec::new(),
        currency: Currency::USD,
        renewal_options: vec![RenewalOption {
            count: 3,
            term_months: 60,
            notice_months: 12,
            window_months: 0,
            rates: Vec::new(),
            market: None,
        }],
        invoice_lead_days: 0,
        payment_terms_days: 30,
        discount: Percent::ZERO,
    }
}

/// A hall of River Bend that is free.
pub(crate) fn candidate(block: &str, start: &str) -> Candidate {
    Candidate {
        block: format!("operators/hut8/sites/river-bend/blocks/{block}").parse().expect("a name"),
        zone: "America/Chicago".parse().expect("a zone"),
        start: date(start),
        lease_type: Some(LeaseType::Turnkey),
        redundancy: Some(Redundancy::NPlusOne),
        gross_to_it: (Place { gross_kw: 330_000, critical_it_kw: 245_000 }, "A ratio.".to_owned()),
        rights: Vec::new(),
    }
}

/// An approved card.
pub(crate) fn card(facts: CardFacts) -> RateCard {
    let name = "operators/hut8/rateCards/standard".parse().expect("a name");
    let drafted = RateCard::draft(name, facts, "ana", at("2026-12-01")).expect("a card");
    drafted.approve("\"1\"", "ben", at("2026-12-01")).expect("a second person")
}

/// An open quote of these halls, until the end of the year.
pub(crate) fn quote(halls: &[&str]) -> Quote {
    let need = need(10_000);
    let candidates: Vec<_> = halls.iter().map(|hall| candidate(hall, "2027-12-01")).collect();
    let facts = CardFacts { cooling: Vec::new(), ..card_facts() };
    let offers = quote::price(&need, &candidates, &[card(facts)], date("2026-12-02")).expect("offers");
    let now = at("2026-12-02");
    Quote {
        name: format!("operators/hut8/quotes/{}", Uuid::from_u128(9)).parse().expect("a name"),
        tenant: "tenants/fluidstack".parse().expect("a name"),
        state: QuoteState::Open,
        whereabouts: Whereabouts { start_from: date("2027-12-01"), start_until: None, places: Vec::new() },
        need,
        offers,
        valid_until: at("2026-12-31"),
        hold_seconds: 3_600,
        holds: Vec::new(),
        author: "ana".to_owned(),
        approver: None,
        accepted: None,
        master: None,
        reject_reason: String::new(),
        revision: 1,
        create_time: now,
        update_time: now,
    }
}

/// Everything that can be agreed for the time after the signatures.
pub(crate) fn contract() -> Contract {
    let block = "operators/hut8/sites/river-bend/blocks/hut-fs-rb-1".parse().expect("a name");
    let condition = |id: &str, day: &str, satisfied_by, block| Condition {
        id: id.to_owned(),
        description: format!("{id} is agreed"),
        outside_date: date(day),
        satisfied_by,
        block,
    };
    Contract {
        end_user: Some("Anthropic".to_owned()),
        guarantor: Some("Google".to_owned()),
        term_basis: TermBasis::FromEachPhase,
        conditions: vec![
            condition("financing", "2027-06-01", Party::Operator, None),
            condition("fit-out", "2027-09-01", Party::Tenant, Some(block)),
        ],
        delivery: Some(DeliveryTerms {
            acceptance_days: 10,
            grace_days: 15,
            single_abatement_days: 30,
            outside_days: Some(120),
        }),
        cure: Some(CureTerms { monetary_days: 5, other_days: 20 }),
        termination: Some(TerminationTerms { notice_months: 12, fee_months: 24 }),
        ..Contract::default()
    }
}
