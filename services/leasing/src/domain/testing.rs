//! Leases to test with: River Bend as published.

use kernel::{CapacityVector, CivilDate, Currency, EscalationBasis, Instant, Rate, Uuid, Zone};

use super::draft::{Draft, EscalatorDraft, PremisesDraft, RateDraft, RenewalDraft};
use super::mining::Mine;
use super::rate_card::{Band, CardFacts, Cooling, LeaseType, NetConversion, Redundancy};
use super::terms::Structure;
use super::{Findings, Lease, Proposal, Terms};

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
        renewal_options: vec![RenewalDraft { count: 3, term_months: 60, notice_months: 12 }],
        announced: Some(date("2025-12-17")),
        notes: "Base term and options apart.".to_owned(),
    }
}

/// Terms of a draft whose every block lies in one zone.
pub(crate) fn terms(draft: Draft, zone: &str) -> Terms {
    let mut findings = Findings::new();
    let checked = draft.check(None, date("2026-12-01"), &mut findings);
    findings.finish().expect("good terms");
    let checked = checked.expect("good terms");
    let zones = vec![zone.parse().expect("a zone"); checked.blocks().count()];
    checked.in_zones(&zones).expect("a zone for each block")
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
