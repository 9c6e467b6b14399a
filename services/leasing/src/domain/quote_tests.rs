use kernel::EscalationBasis;
use proptest::prelude::*;

use super::*;
use crate::domain::comparison::Conversion;
use crate::domain::rate_card::{CardFacts, CardState};
use crate::domain::testing::{candidate, card, card_facts, date, mine, need, river_bend, terms as terms_of};

fn priced(need: &Need, facts: CardFacts) -> Vec<Offer> {
    price(need, &[candidate("hall-a", "2027-12-01")], &[card(facts)], date("2026-12-02")).unwrap()
}

fn plain(rate: &str) -> CardFacts {
    let mut facts = card_facts();
    facts.cooling.clear();
    facts.bands.truncate(1);
    facts.bands[0].rate = rate.parse().unwrap();
    facts
}

#[test]
fn river_bend_is_quoted_as_it_would_be_billed() {
    let offers = priced(&need(245_000), plain("128.0156677674"));
    let [offer] = offers.as_slice() else { panic!("{offers:#?}") };
    assert_eq!(offer.value.base_contract_value.minor, 699_999_999_984);
    assert_eq!(offer.value.year_one_rent.minor, 37_636_606_320);
    assert_eq!(offer.value.options_contract_value.minor, 1_090_577_191_620);
    let figures = [offer.year_one, offer.last_year, offer.average].map(|rate| rate.rounded(2));
    assert_eq!(figures, ["128.02", "193.64", "158.73"]);
    assert_eq!(offer.net_equivalent, offer.year_one);
    // The same as a lease of these terms, since it is one function.
    let mut lease = terms_of(river_bend(), "America/Chicago");
    lease.announced = None;
    let of_lease = schedule::value(&lease, &schedule::freeze(&lease).unwrap()).unwrap();
    assert_eq!(of_lease.base_contract_value, offer.value.base_contract_value);
    assert_eq!(of_lease.options_contract_value, offer.value.options_contract_value);
}

#[test]
fn cooling_counts_by_its_share_and_redundancy_whole() {
    let mut half = need(10_000);
    half.capacity = CapacityVector::new(10_000, 5_000, 5_000, 0).unwrap();
    let mut facts = card_facts();
    facts.bands.truncate(1);
    let spare = Candidate { redundancy: Some(Redundancy::TwoN), ..candidate("hall-a", "2027-12-01") };
    let offers = price(&half, &[spare], &[card(facts)], date("2026-12-02")).unwrap();
    // 140, half of 10 for liquid, 12 for two of everything.
    assert_eq!(offers[0].list_rate.to_string(), "157");
}

#[test]
fn a_gross_rent_is_ranked_by_what_is_left_of_it() {
    let offers = priced(&need(10_000), CardFacts { cooling: Vec::new(), ..card_facts() });
    let seen: Vec<_> =
        offers.iter().map(|offer| (offer.terms.structure.name(), offer.net_equivalent.to_string())).collect();
    // 185 - 12 - 45 x 1.3 x 0.85 x 0.73, 150 - 12, 140: the dearest on paper is the cheapest.
    let expected = [("GROSS", "136.70075"), ("MODIFIED_GROSS", "138"), ("NNN", "140")];
    assert_eq!(seen, expected.map(|(structure, rate)| (structure, rate.to_owned())));
}

#[test]
fn what_is_beyond_the_bounds_says_so() {
    let discounted = Need { discount: "10".parse().unwrap(), ..need(10_000) };
    let offers = priced(&discounted, plain("130"));
    assert_eq!(offers[0].year_one.to_string(), "117");
    assert_eq!(offers[0].list_rate.to_string(), "130");
    assert_eq!(offers[0].approval_reasons.len(), 2, "{:#?}", offers[0]);
    assert!(priced(&need(10_000), plain("120"))[0].approval_reasons.is_empty());
}

#[test]
fn mining_sets_a_floor_for_the_average() {
    let conversion = Conversion {
        term_months: 1,
        build_cost_per_it_mw: "10000000".parse().unwrap(),
        capital: "9".parse().unwrap(),
        capital_years: 15,
        dark_months: 9,
        four_cp: Rate::ZERO,
        discount: "9".parse().unwrap(),
    };
    let floor = MiningFloor { mine: mine("20", "38.2"), conversion };
    let with = |rate| CardFacts { floor: None, mining_floor: Some(floor), ..plain(rate) };
    let offers = priced(&need(245_000), with("110"));
    // 103.38 for the building, and 21.36 x 330/245 for the mine and nine of its months in 180.
    assert_eq!(offers[0].mining_floor.unwrap().rounded(2), "133.59");
    assert!(offers[0].approval_reasons.is_empty(), "136.39 on average: {:#?}", offers[0]);
    assert_eq!(priced(&need(245_000), with("107"))[0].approval_reasons.len(), 1);
}

#[test]
fn only_what_is_in_force_and_asked_for_is_quoted() {
    let facts = card_facts();
    assert_eq!(priced(&need(10_000), facts.clone()).len(), 3);
    let only = Need { structures: vec![Structure::Gross], ..need(10_000) };
    assert_eq!(priced(&only, facts.clone()).len(), 1);
    for other in [
        Need { currency: Currency::new("EUR").unwrap(), ..need(10_000) },
        Need { term_months: 241, ..need(10_000) },
        Need { term_months: 11, ..need(10_000) },
    ] {
        assert!(priced(&other, facts.clone()).is_empty());
    }
    let shell = Candidate { lease_type: Some(LeaseType::PoweredShell), ..candidate("hall-a", "2027-12-01") };
    assert!(price(&need(1), &[shell], &[card(facts.clone())], date("2026-12-02")).unwrap().is_empty());
    let halls = [candidate("hall-a", "2027-12-01")];
    assert!(price(&need(1), &halls, &[card(facts)], date("2027-12-31")).unwrap().is_empty());
    assert_eq!(card(card_facts()).state, CardState::Approved);
    assert!(matches!(card_facts().escalator.unwrap().basis, EscalationBasis::BlockAnniversary));
}

proptest! {
    /// Whatever the structures, the order is that of the rent without included costs, which by another way is the year's
    /// rate less the costs.
    #[test]
    fn the_order_is_that_of_the_net_equivalent(
        net in 50_i64..200, modified in 50_i64..200, gross in 50_i64..200, operating in 0_i64..30, power in 0_i64..90,
    ) {
        let rate = |n: i64| n.to_string().parse::<Rate>().unwrap();
        let mut facts = CardFacts { cooling: Vec::new(), floor: None, ..card_facts() };
        for (band, price) in facts.bands.iter_mut().zip([net, modified, gross]) {
            band.rate = rate(price);
        }
        facts.net = Some(NetConversion {
            operating_cost: rate(operating),
            power_price: rate(power),
            ..facts.net.unwrap()
        });
        let offers = priced(&need(1_000), facts);
        // Costs of a kW in millionths: 1.3 x 0.85 x 0.73 MWh.
        let expected = |structure, price: i64| {
            let power = power * 806_650;
            let costs = match structure {
                Structure::TripleNet => 0,
                Structure::ModifiedGross => operating * 1_000_000,
                Structure::Gross => operating * 1_000_000 + power,
            };
            price * 1_000_000 - costs
        };
        let mut last = i64::MIN;
        for offer in &offers {
            let price = match offer.terms.structure {
                Structure::TripleNet => net,
                Structure::ModifiedGross => modified,
                Structure::Gross => gross,
            };
            let millionths = expected(offer.terms.structure, price);
            prop_assert_eq!(offer.net_equivalent.scaled(), i128::from(millionths) * 10_000);
            prop_assert!(last <= millionths);
            last = millionths;
        }
        prop_assert_eq!(offers.len(), 3);
    }
}
