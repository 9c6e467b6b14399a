use super::*;
use crate::domain::capacity_request::Visibility;
use crate::domain::testing::{at, date};

fn need() -> Need {
    Need {
        display_name: "A training hall".to_owned(),
        capacity: CapacityVector::new(40_000, 6_000, 34_000, 0).expect("a vector"),
        rack_density_kw: 132,
        redundancy: None,
        country_codes: Vec::new(),
        state_codes: Vec::new(),
        grid_isos: Vec::new(),
        earliest_start: date("2027-01-01"),
        latest_start: date("2027-06-30"),
        term_months: 144,
        structure: None,
        currency: Currency::new("USD").expect("a currency"),
        bid_deadline: at("2026-12-15"),
        visibility: Visibility::Market,
        operators: Vec::new(),
        reveal_at_once: false,
        energy_price: "45".parse().expect("a rate"),
        load_factor: "80".parse().expect("a percentage"),
        note: String::new(),
    }
}

fn offer(structure: Structure, rate: &str) -> Offer {
    Offer {
        request: CapacityRequestName::new(
            "lab".parse().expect("a tenant"),
            kernel::CapacityRequestId::new(Uuid::from_u128(7)),
        ),
        site: "operators/acme/sites/rockdale".parse().ok(),
        premises: Vec::new(),
        critical_it_kw: 40_000,
        commencement: date("2027-01-01"),
        term_months: 144,
        structure,
        rate: rate.parse().expect("a rate"),
        escalator: Percent::ZERO,
        included_cost: Rate::ZERO,
        pue: None,
        renewal_options: Vec::new(),
        valid_until: at("2027-01-15"),
        hold_seconds: None,
        note: String::new(),
    }
}

#[test]
fn a_triple_net_rate_is_its_own_equivalent_and_rises_to_its_average() {
    let flat = offer(Structure::TripleNet, "128.0156677674").triple_net(&need()).expect("a rate");
    assert_eq!((flat.year_one, flat.average), (flat.year_one, flat.year_one));
    // River Bend: 128.02 in year one is 158.73 on the average of 15 years at 3%.
    let mut rising = offer(Structure::TripleNet, "128.0156677674");
    rising.escalator = "3".parse().expect("a percentage");
    rising.term_months = 180;
    let rising = rising.triple_net(&need()).expect("a rate");
    assert_eq!(rising.year_one, flat.year_one);
    assert_eq!(rising.average.rounded(2), "158.73");
}

#[test]
fn costs_and_power_inside_a_rate_are_taken_out_before_bids_are_compared() {
    let mut modified = offer(Structure::ModifiedGross, "140");
    modified.included_cost = "14.5".parse().expect("a rate");
    assert_eq!(modified.triple_net(&need()).expect("a rate").year_one.to_string(), "125.5");
    // 45 a MWh x 80% x 1.3 x 730.5 h = 34.1874 a kW and month.
    let mut gross = offer(Structure::Gross, "170");
    gross.included_cost = "14.5".parse().expect("a rate");
    gross.pue = "1.3".parse().ok();
    let gross = gross.triple_net(&need()).expect("a rate").year_one;
    assert_eq!(gross.to_string(), "121.3126");
    // The dearest on paper is the cheapest in truth.
    let net = offer(Structure::TripleNet, "124").triple_net(&need()).expect("a rate").year_one;
    assert!(gross < net);
}

#[test]
fn a_rate_below_the_costs_inside_it_is_refused() {
    let mut gross = offer(Structure::Gross, "30");
    gross.pue = "1.3".parse().ok();
    let refusal = gross.triple_net(&need()).expect_err("refused");
    assert_eq!(refusal.reason(), Reason::InvalidField);
}

#[test]
fn a_part_of_a_year_counts_as_it_is_long() {
    let mut short = offer(Structure::TripleNet, "100");
    short.escalator = "10".parse().expect("a percentage");
    short.term_months = 18;
    // Twelve months at 100 and six at 110.
    let average = short.triple_net(&need()).expect("a rate").average;
    assert_eq!(average.rounded(4), "103.3333");
}

#[test]
fn the_largest_numbers_that_are_let_in_do_not_overflow() {
    let mut need = need();
    need.energy_price = "10000".parse().expect("a rate");
    need.load_factor = "100".parse().expect("a percentage");
    let mut gross = offer(Structure::Gross, "99999999999999");
    gross.pue = "3".parse().ok();
    gross.term_months = 600;
    assert!(gross.triple_net(&need).is_ok());
    gross.escalator = "100".parse().expect("a percentage");
    assert_eq!(gross.triple_net(&need).expect_err("too large").reason(), Reason::TermOutOfRange);
}

#[test]
fn a_sealed_bid_is_revealed_at_its_deadline_and_an_open_one_when_it_stands() {
    let name = BidName::new("acme".parse().expect("an operator"), kernel::BidId::new(Uuid::from_u128(1)));
    let begin = |need: &Need| {
        Bid::begin(name.clone(), Uuid::from_u128(2), offer(Structure::TripleNet, "1"), need, at("2026-12-01"))
            .expect("a bid")
    };
    let mut sealed = begin(&need());
    assert!(!sealed.is_revealed_at(at("2026-12-16")), "half done, it is nobody's");
    sealed.go(BidDeed::Hold, at("2026-12-01")).expect("held");
    assert!(!sealed.is_revealed_at(at("2026-12-14")));
    assert!(sealed.is_revealed_at(at("2026-12-15")));
    let mut open = begin(&Need { reveal_at_once: true, ..need() });
    open.go(BidDeed::Hold, at("2026-12-01")).expect("held");
    assert!(open.is_revealed_at(at("2026-12-01")));
}
