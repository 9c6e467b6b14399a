//! Pricing a need: every option by the functions that bill, ranked by what its rent is without included costs.

use std::cmp::Ordering;

use kernel::time::add_months;
use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, Error, Percent, Rate, RateCardName, Reason, Zone,
};
use num_traits::{One as _, Zero as _};
use serde::{Deserialize, Serialize};

use super::comparison::Place;
use super::contract::Contract;
use super::exact::{self, Ratio, of_rate, share, whole};
use super::rate_card::{Band, Cooling, LeaseType, MiningFloor, NetConversion, RateCard, Redundancy};
use super::schedule;
use super::terms::{PremisesTerms, ProfileStep, RateTerms, RenewalOption, Structure, Terms};

/// Hours of an average month.
const HOURS_PER_MONTH: i64 = 730;

/// What is to be leased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The load, with the cooling that carries it.
    pub capacity: CapacityVector,
    /// Base term in months.
    pub term_months: u32,
    /// Only these structures; empty is all.
    pub structures: Vec<Structure>,
    /// Only cards in it.
    pub currency: Currency,
    /// Renewals, priced apart.
    pub renewal_options: Vec<RenewalOption>,
    /// Days of lead of an invoice.
    pub invoice_lead_days: u32,
    /// Days to pay.
    pub payment_terms_days: u32,
    /// Discount on every option.
    pub discount: Percent,
}

/// A block that is free for the need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The block.
    pub block: BlockName,
    /// The zone of its site.
    pub zone: Zone,
    /// First day of the term.
    pub start: CivilDate,
    /// What the tenant gets with it; none where nobody has said.
    pub lease_type: Option<LeaseType>,
    /// How much of it may fail; none where nobody has said.
    pub redundancy: Option<Redundancy>,
    /// Gross to IT of its site, in kW, and the sentence that says where it comes from.
    pub gross_to_it: (Place, String),
    /// What else must be cleared.
    pub rights: Vec<String>,
}

/// One priced way to meet the need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The card.
    pub card: RateCardName,
    /// The terms that a lease would have.
    pub terms: Terms,
    /// By the card, before the discount.
    pub list_rate: Rate,
    /// Rate of year one.
    pub year_one: Rate,
    /// Rate of the last year.
    pub last_year: Rate,
    /// Base contract value over kW and months.
    pub average: Rate,
    /// What it is worth, as a lease of these terms would be.
    pub value: schedule::Value,
    /// Year one's rate without included costs.
    pub net_equivalent: Rate,
    /// The card's floor.
    pub floor: Option<Rate>,
    /// The floor from mining, on average.
    pub mining_floor: Option<Rate>,
    /// Why a second person must approve; empty if nobody must.
    pub approval_reasons: Vec<String>,
    /// What else must be cleared.
    pub rights: Vec<String>,
    /// What its figures rest on.
    pub assumptions: Vec<String>,
}

impl Offer {
    /// The block that it is about.
    #[must_use]
    pub fn block(&self) -> Option<&BlockName> {
        self.terms.premises.first().map(|premises| &premises.block)
    }
}

/// Every way in which these cards price these blocks, the cheapest by triple-net equivalent first. `today` decides which
/// cards are in force.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rent outgrows its type.
pub fn price(
    need: &Need,
    candidates: &[Candidate],
    cards: &[RateCard],
    today: CivilDate,
) -> Result<Vec<Offer>, Error> {
    let mut offers = Vec::new();
    for card in cards.iter().filter(|card| in_force(card, need, today)) {
        for band in card.facts.bands.iter().filter(|band| wanted(band, need)) {
            for candidate in candidates {
                if candidate.lease_type == Some(card.facts.lease_type) {
                    offers.push(price_one(need, candidate, card, band)?);
                }
            }
        }
    }
    offers.sort_by(rank);
    Ok(offers)
}

/// By the rent without included costs, since a gross rent and a triple-net one are not comparable; then by start, then
/// by block, structure and card, so that the order is one.
#[must_use]
pub fn rank(one: &Offer, other: &Offer) -> Ordering {
    let key = |offer: &Offer| {
        let premises = offer.terms.premises.first();
        (
            offer.net_equivalent,
            premises.map(|premises| premises.commencement),
            premises.map(|premises| premises.block.to_string()),
            offer.terms.structure.name(),
            offer.card.to_string(),
        )
    };
    key(one).cmp(&key(other))
}

fn in_force(card: &RateCard, need: &Need, today: CivilDate) -> bool {
    let facts = &card.facts;
    facts.currency == need.currency
        && (facts.valid_from..facts.valid_until).contains(&today)
        && (facts.min_term_months..=facts.max_term_months).contains(&need.term_months)
}

fn wanted(band: &Band, need: &Need) -> bool {
    band.covers(need.term_months, need.capacity.critical_it)
        && (need.structures.is_empty() || need.structures.contains(&band.structure))
}

fn price_one(need: &Need, candidate: &Candidate, card: &RateCard, band: &Band) -> Result<Offer, Error> {
    let facts = &card.facts;
    let list = of_rate(band.rate) + adders(need, candidate, card);
    let quoted = exact::rate(&(&list * (Ratio::one() - share(need.discount)))).ok_or_else(too_large)?;
    let terms = terms(need, candidate, card, band.structure, quoted)?;
    let premises = schedule::freeze(&terms)?;
    let value = schedule::value(&terms, &premises)?;
    let steps = premises.first().map(|one| one.rate_steps.as_slice()).unwrap_or_default();
    let (first, last) = (steps.first().ok_or_else(too_large)?, steps.last().ok_or_else(too_large)?);
    let average = average(need, value.base_contract_value)?;
    let (costs, mut assumptions) = included_costs(band.structure, facts.net.as_ref());
    let net_equivalent = exact::rate(&(of_rate(first.rate) - &costs)).ok_or_else(too_large)?;
    let mining_floor =
        facts.mining_floor.map(|floor| floor_of(&floor, need, candidate, &mut assumptions)).transpose()?;
    let average_net = of_rate(average) - costs;
    let mut reasons = Vec::new();
    if need.discount > facts.discount_limit {
        reasons.push(format!(
            "The discount of {} % is beyond the card's bound of {} %.",
            need.discount, facts.discount_limit
        ));
    }
    if let Some(floor) = facts.floor.filter(|floor| net_equivalent < *floor) {
        reasons.push(format!(
            "Year one's {net_equivalent} without included costs is below the floor of {floor}."
        ));
    }
    if let Some(floor) = mining_floor.filter(|floor| average_net < of_rate(*floor)) {
        reasons.push(format!("The average without included costs is below {floor}, which mining is worth."));
    }
    Ok(Offer {
        card: card.name.clone(),
        list_rate: exact::rate(&list).ok_or_else(too_large)?,
        year_one: first.rate,
        last_year: last.rate,
        average,
        value,
        net_equivalent,
        floor: facts.floor,
        mining_floor,
        approval_reasons: reasons,
        rights: candidate.rights.clone(),
        assumptions,
        terms,
    })
}

/// What cooling and redundancy add per kW of the load: cooling by the share of it that is taken.
fn adders(need: &Need, candidate: &Candidate, card: &RateCard) -> Ratio {
    let load = whole(need.capacity.critical_it);
    let lane = |kind: Cooling| match kind {
        Cooling::Air => need.capacity.air,
        Cooling::Liquid => need.capacity.liquid,
        Cooling::Immersion => need.capacity.immersion,
    };
    let cooling = card
        .facts
        .cooling
        .iter()
        .fold(Ratio::zero(), |sum, (kind, adder)| sum + of_rate(*adder) * whole(lane(*kind)) / &load);
    let mut spares = card.facts.redundancy.iter();
    let spare = spares.find(|(kind, _)| Some(*kind) == candidate.redundancy);
    cooling + spare.map_or_else(Ratio::zero, |(_, adder)| of_rate(*adder))
}

fn terms(
    need: &Need,
    candidate: &Candidate,
    card: &RateCard,
    structure: Structure,
    rate: Rate,
) -> Result<Terms, Error> {
    let months = i32::try_from(need.term_months).map_err(|_| too_large())?;
    let premises = PremisesTerms {
        block: candidate.block.clone(),
        zone: candidate.zone,
        profile: vec![ProfileStep { from: candidate.start, capacity: need.capacity }],
        commencement: candidate.start,
        end: add_months(candidate.start, months).ok_or_else(too_large)?,
        rate: RateTerms::Base(rate),
    };
    Ok(Terms {
        currency: need.currency,
        structure,
        premises: vec![premises],
        escalator: card.facts.escalator,
        invoice_lead_days: need.invoice_lead_days,
        payment_terms_days: need.payment_terms_days,
        term_months: need.term_months,
        renewal_options: need.renewal_options.clone(),
        expansion_options: Vec::new(),
        nominations: Vec::new(),
        announced: None,
        notes: String::new(),
        contract: Contract::default(),
    })
}

fn average(need: &Need, total: kernel::Money) -> Result<Rate, Error> {
    let minor = whole(10_i64.pow(total.currency.minor_digits().into()));
    let kw_months = whole(need.capacity.critical_it) * whole(need.term_months.into());
    exact::rate(&(whole(total.minor) / minor / kw_months)).ok_or_else(too_large)
}

/// What the structure's rent includes per kW of load and month, and the sentences that say so.
#[must_use]
pub fn included_costs(structure: Structure, net: Option<&NetConversion>) -> (Ratio, Vec<String>) {
    let Some(net) = net.filter(|_| structure != Structure::TripleNet) else {
        return (Ratio::zero(), vec!["The rent is triple net: it includes no costs.".to_owned()]);
    };
    let operating = of_rate(net.operating_cost);
    let mut said = vec![format!(
        "The rent includes tax, insurance and upkeep of {} per kW and month, as the card states.",
        net.operating_cost
    )];
    if structure == Structure::ModifiedGross {
        said.push("The tenant pays its power beside the rent.".to_owned());
        return (operating, said);
    }
    said.push(format!(
        "The rent includes power at {} per MWh, {} times the IT load's, of which {} % is drawn over {} hours a \
         month, as the card states.",
        net.power_price, net.pue, net.load_factor, HOURS_PER_MONTH
    ));
    let mwh = share(net.load_factor) * whole(HOURS_PER_MONTH) / whole(1_000);
    (operating + of_rate(net.power_price) * of_rate(net.pue) * mwh, said)
}

fn floor_of(
    floor: &MiningFloor,
    need: &Need,
    candidate: &Candidate,
    assumptions: &mut Vec<String>,
) -> Result<Rate, Error> {
    let (ratio, said) = &candidate.gross_to_it;
    let kw = need.capacity.critical_it;
    let gross = (whole(kw) * whole(ratio.gross_kw) / whole(ratio.critical_it_kw)).ceil().to_integer();
    let place = Place { gross_kw: i64::try_from(gross).map_err(|_| too_large())?, critical_it_kw: kw };
    let conversion = super::comparison::Conversion { term_months: need.term_months, ..floor.conversion };
    assumptions.push(said.clone());
    assumptions.push("The floor from mining is compared with the average of the term.".to_owned());
    let margin = floor.mine.work(place.gross_kw).margin;
    exact::rate(&conversion.break_even_rate(place, &margin)).ok_or_else(too_large)
}

fn too_large() -> Error {
    Error::refused(Reason::TermOutOfRange, "The rent of these terms is too large to be computed.")
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
