//! Rate cards: what is asked for capacity, drafted by one person and approved by another.

use kernel::{
    CivilDate, Currency, Error, Escalator, Instant, OperatorId, Percent, Rate, RateCardName, Reason,
    Violation,
};
use serde::{Deserialize, Serialize};

pub use super::card_state::{CardDeed, CardState};
use super::comparison::Conversion;
use super::mining::Mine;
use super::terms::Structure;

/// Rates of one card.
pub const BANDS_MAX: usize = 100;

/// What the tenant gets with the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LeaseType {
    /// Building and power.
    PoweredShell,
    /// Ready for racks.
    Turnkey,
    /// Machines included.
    GpuCloud,
}

/// A way heat leaves a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cooling {
    /// Air.
    Air,
    /// Direct to chip liquid.
    Liquid,
    /// Immersion.
    Immersion,
}

/// How much may fail before the load is hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Redundancy {
    /// No spare.
    N,
    /// One spare unit.
    NPlusOne,
    /// Everything twice.
    TwoN,
    /// Everything twice and one spare.
    TwoNPlusOne,
    /// Spread over units of which one may fail.
    Distributed,
}

/// A rate for terms and quantities within bounds, both ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// What the rate includes.
    pub structure: Structure,
    /// Shortest and longest term in months.
    pub term_months: (u32, u32),
    /// Least and most critical IT load.
    pub kw: (i64, i64),
    /// Per kW and month in year one.
    pub rate: Rate,
}

impl Band {
    /// Whether it is for this term and load.
    #[must_use]
    pub fn covers(&self, term_months: u32, kw: i64) -> bool {
        (self.term_months.0..=self.term_months.1).contains(&term_months)
            && (self.kw.0..=self.kw.1).contains(&kw)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.structure == other.structure
            && self.term_months.0 <= other.term_months.1
            && other.term_months.0 <= self.term_months.1
            && self.kw.0 <= other.kw.1
            && other.kw.0 <= self.kw.1
    }
}

/// How a rate that includes costs becomes one that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetConversion {
    /// Tax, insurance and upkeep per kW and month.
    pub operating_cost: Rate,
    /// Power per MWh.
    pub power_price: Rate,
    /// Facility energy per IT energy.
    pub pue: Rate,
    /// Share of the load that is drawn on average.
    pub load_factor: Percent,
}

/// What a lease must be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiningFloor {
    /// The mine.
    pub mine: Mine,
    /// What it costs to lease instead; its term is the quote's.
    pub conversion: Conversion,
}

/// What a card says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFacts {
    /// Title for people.
    pub display_name: String,
    /// Of every rate.
    pub currency: Currency,
    /// The blocks that it is for.
    pub lease_type: LeaseType,
    /// The rates.
    pub bands: Vec<Band>,
    /// What a way of cooling adds per kW of it.
    pub cooling: Vec<(Cooling, Rate)>,
    /// What a redundancy adds.
    pub redundancy: Vec<(Redundancy, Rate)>,
    /// Yearly rise.
    pub escalator: Option<Escalator>,
    /// Shortest term.
    pub min_term_months: u32,
    /// Longest term.
    pub max_term_months: u32,
    /// First day.
    pub valid_from: CivilDate,
    /// First day after.
    pub valid_until: CivilDate,
    /// Beyond it a second person approves.
    pub discount_limit: Percent,
    /// Net equivalent in year one below which a second person approves.
    pub floor: Option<Rate>,
    /// The same, from mining, on average.
    pub mining_floor: Option<MiningFloor>,
    /// How rates become comparable.
    pub net: Option<NetConversion>,
}

impl CardFacts {
    /// What no field can say alone.
    ///
    /// # Errors
    /// `INVALID_FIELD` with every breach.
    pub fn check(&self) -> Result<(), Error> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, what: &str| {
            found.push(Violation::new(format!("rate_card.{field}"), what));
        };
        if self.min_term_months > self.max_term_months {
            wrong("max_term_months", "must not be less than min_term_months");
        }
        if self.valid_from >= self.valid_until {
            wrong("valid_until_date", "must be later than valid_from_date");
        }
        for (i, band) in self.bands.iter().enumerate() {
            if self.bands[..i].iter().any(|before| before.overlaps(band)) {
                wrong(&format!("rates[{i}]"), "overlaps a rate of the same structure before it");
            }
        }
        let all_net = self.bands.iter().all(|band| band.structure == Structure::TripleNet);
        if !all_net && self.net.is_none() {
            wrong("net_conversion", "is required with rates that are not triple net");
        }
        if found.is_empty() { Ok(()) } else { Err(Error::invalid(found)) }
    }
}

/// One field changed.
#[derive(Clone, Debug, Serialize)]
pub enum Change {
    /// The title.
    DisplayName(String),
    /// The rates.
    Bands(Vec<Band>),
    /// The cooling adders.
    Cooling(Vec<(Cooling, Rate)>),
    /// The redundancy adders.
    Redundancy(Vec<(Redundancy, Rate)>),
    /// The escalator.
    Escalator(Option<Escalator>),
    /// The shortest term.
    MinTerm(u32),
    /// The longest term.
    MaxTerm(u32),
    /// The first day.
    ValidFrom(CivilDate),
    /// The first day after.
    ValidUntil(CivilDate),
    /// The bound of discounts.
    DiscountLimit(Percent),
    /// The floor.
    Floor(Option<Rate>),
    /// The floor from mining.
    MiningFloor(Option<Box<MiningFloor>>),
    /// The conversion.
    Net(Option<NetConversion>),
}

impl Change {
    fn apply(self, facts: &mut CardFacts) {
        match self {
            Self::DisplayName(to) => facts.display_name = to,
            Self::Bands(to) => facts.bands = to,
            Self::Cooling(to) => facts.cooling = to,
            Self::Redundancy(to) => facts.redundancy = to,
            Self::Escalator(to) => facts.escalator = to,
            Self::MinTerm(to) => facts.min_term_months = to,
            Self::MaxTerm(to) => facts.max_term_months = to,
            Self::ValidFrom(to) => facts.valid_from = to,
            Self::ValidUntil(to) => facts.valid_until = to,
            Self::DiscountLimit(to) => facts.discount_limit = to,
            Self::Floor(to) => facts.floor = to,
            Self::MiningFloor(to) => facts.mining_floor = to.map(|floor| *floor),
            Self::Net(to) => facts.net = to,
        }
    }
}

/// A rate card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateCard {
    /// Its name.
    pub name: RateCardName,
    /// What it says.
    pub facts: CardFacts,
    /// Where it stands.
    pub state: CardState,
    /// Everybody who wrote some of it.
    pub authors: Vec<String>,
    /// Who approved it.
    pub approver: Option<String>,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was drafted.
    pub create_time: Instant,
    /// When it last changed.
    pub update_time: Instant,
}

impl RateCard {
    /// A new draft.
    ///
    /// # Errors
    /// `INVALID_FIELD` where its fields contradict each other.
    pub fn draft(name: RateCardName, facts: CardFacts, author: &str, now: Instant) -> Result<Self, Error> {
        facts.check()?;
        Ok(Self {
            name,
            facts,
            state: CardState::Draft,
            authors: vec![author.to_owned()],
            approver: None,
            revision: 1,
            create_time: now,
            update_time: now,
        })
    }

    /// Whose it is.
    #[must_use]
    pub fn operator(&self) -> &OperatorId {
        &self.name.operator
    }

    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }

    /// Changed by somebody, who is one of its authors from now on.
    ///
    /// # Errors
    /// `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `INVALID_FIELD`.
    pub fn edit(
        mut self,
        etag: &str,
        changes: Vec<Change>,
        author: &str,
        now: Instant,
    ) -> Result<Self, Error> {
        self.go(etag, CardDeed::Edit, now)?;
        changes.into_iter().for_each(|change| change.apply(&mut self.facts));
        self.facts.check()?;
        if !self.authors.iter().any(|one| one == author) {
            self.authors.push(author.to_owned());
        }
        Ok(self)
    }

    /// Approved by somebody who wrote none of it.
    ///
    /// # Errors
    /// `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `SECOND_PERSON_NEEDED`.
    pub fn approve(mut self, etag: &str, approver: &str, now: Instant) -> Result<Self, Error> {
        self.go(etag, CardDeed::Approve, now)?;
        second_person(approver, &self.authors)?;
        self.approver = Some(approver.to_owned());
        Ok(self)
    }

    /// Quoted from no more.
    ///
    /// # Errors
    /// `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`.
    pub fn retire(mut self, etag: &str, now: Instant) -> Result<Self, Error> {
        self.go(etag, CardDeed::Retire, now)?;
        Ok(self)
    }

    fn go(&mut self, etag: &str, deed: CardDeed, now: Instant) -> Result<(), Error> {
        if etag != self.etag() {
            return Err(Error::etag_mismatch());
        }
        self.state = self.state.after(deed)?;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        Ok(())
    }
}

/// Refuses an approver who wrote what is to be approved.
///
/// # Errors
/// `SECOND_PERSON_NEEDED`.
pub fn second_person(approver: &str, authors: &[String]) -> Result<(), Error> {
    if authors.iter().any(|author| author == approver) {
        return Err(Error::refused(
            Reason::SecondPersonNeeded,
            "Whoever wrote any of it may not approve it; ask another person with the right to approve.",
        )
        .with("author", approver));
    }
    Ok(())
}

#[cfg(test)]
#[path = "rate_card_tests.rs"]
mod tests;
