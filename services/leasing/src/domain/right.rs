//! Rights of first refusal and first offer: who is asked before capacity is leased to another, and what they answer.
//!
//! A right is part of the terms of a lease and lives while that lease is in force and not in default. It holds nothing: it
//! keeps others from signing. Neither side of it learns of the other: the holder sees terms without parties, the other one
//! that there is a right.

use std::fmt;
use std::str::FromStr;

use kernel::{
    BlockName, CivilDate, Error, Instant, LeaseName, NameError, OperatorId, OperatorName, Reason,
    RightOfferName, SiteName, TenantName, Uuid,
};
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::lease::Signatory;
use super::record;
use super::state::UnknownState;
use super::terms::Terms;

/// What a right is. In order of rank: who may match another's terms is before whom they are only offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RightKind {
    /// First refusal.
    Rofr,
    /// First offer.
    Rofo,
}

impl RightKind {
    /// Its name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rofr => "ROFR",
            Self::Rofo => "ROFO",
        }
    }
}

/// What a right lies on. A block or a site need not be there yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// All that the operator has.
    Operator(OperatorName),
    /// A site.
    Site(SiteName),
    /// A block.
    Block(BlockName),
}

impl Place {
    /// Whose it is.
    #[must_use]
    pub fn operator(&self) -> &OperatorId {
        match self {
            Self::Operator(name) => &name.operator,
            Self::Site(name) => &name.operator,
            Self::Block(name) => &name.operator,
        }
    }

    /// Whether a block lies in it.
    #[must_use]
    pub fn covers(&self, block: &BlockName) -> bool {
        match self {
            Self::Operator(name) => name.operator == block.operator,
            Self::Site(name) => *name == block.site_name(),
            Self::Block(name) => name == block,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => name.fmt(f),
            Self::Site(name) => name.fmt(f),
            Self::Block(name) => name.fmt(f),
        }
    }
}

/// The text names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must name an operator, a site or a block")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let block = || text.parse().map(Self::Block);
        let site = |_: NameError| text.parse().map(Self::Site);
        let operator = |_: NameError| text.parse().map(Self::Operator);
        block().or_else(site).or_else(operator).map_err(|_| NoPlace)
    }
}

impl TryFrom<String> for Place {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Self, NoPlace> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

/// A right to be asked first, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpansionRight {
    /// Its id within the terms.
    pub id: String,
    /// What it is.
    pub kind: RightKind,
    /// On what.
    pub place: Place,
    /// Critical IT load, kW.
    pub quantity_kw: i64,
    /// Days to answer.
    pub response_days: u32,
    /// First day without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<CivilDate>,
}

/// Where an offer to a holder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferState {
    /// Not answered, and there is time.
    Open,
    /// The holder takes it.
    Exercised,
    /// The holder lets it pass.
    Waived,
    /// The holder did not answer in time.
    DeemedWaived,
    /// There is nothing to take any more.
    Withdrawn,
}

/// What can be done to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferDeed {
    /// The holder takes it.
    Exercise,
    /// The holder lets it pass.
    Waive,
    /// Its time is over.
    Lapse,
    /// What was offered is gone.
    Withdraw,
}

impl OfferDeed {
    /// Every deed, in the order of the golden table.
    pub const ALL: [Self; 4] = [Self::Exercise, Self::Waive, Self::Lapse, Self::Withdraw];

    fn aim(self) -> OfferState {
        match self {
            Self::Exercise => OfferState::Exercised,
            Self::Waive => OfferState::Waived,
            Self::Lapse => OfferState::DeemedWaived,
            Self::Withdraw => OfferState::Withdrawn,
        }
    }
}

impl OfferState {
    /// Every state, in the order of an offer's life.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Exercised, Self::Waived, Self::DeemedWaived, Self::Withdrawn];

    /// The state's name, as stored and as told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Exercised => "EXERCISED",
            Self::Waived => "WAIVED",
            Self::DeemedWaived => "DEEMED_WAIVED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }

    /// The state after a deed: an answer is final.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn after(self, deed: OfferDeed) -> Result<Self, Error> {
        match self {
            Self::Open => Ok(deed.aim()),
            Self::Exercised | Self::Waived | Self::DeemedWaived | Self::Withdrawn => {
                Err(Error::invalid_transition("right offer", self, deed.aim()))
            }
        }
    }

    /// Whether the other lease may be signed as far as this offer goes.
    #[must_use]
    pub fn is_cleared(self) -> bool {
        match self {
            Self::Waived | Self::DeemedWaived => true,
            Self::Open | Self::Exercised | Self::Withdrawn => false,
        }
    }
}

impl fmt::Display for OfferState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OfferState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(UnknownState)
    }
}

/// What the holder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who signs.
    pub signatory: Signatory,
    /// What is said with it.
    pub note: String,
    /// The token's subject.
    pub subject: String,
    /// When, in business time.
    pub time: Instant,
}

/// What the holder of a right is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightOffer {
    /// Its name.
    pub name: RightOfferName,
    /// The lease that gives the right.
    pub lease: LeaseName,
    /// The right.
    pub right: ExpansionRight,
    /// The holder.
    pub tenant: TenantName,
    /// The proposed lease that waits for the answer.
    pub offered_lease: LeaseName,
    /// What is offered.
    pub terms: Terms,
    /// Where it stands.
    pub state: OfferState,
    /// Until when it can be answered, by the database's clock.
    pub respond_by: Instant,
    /// The answer.
    pub answer: Option<Answer>,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was made.
    pub create_time: Instant,
    /// When it last changed.
    pub update_time: Instant,
}

impl RightOffer {
    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }

    /// Its place in a list.
    #[must_use]
    pub fn place(&self) -> (String, Uuid) {
        (self.name.operator.to_string(), self.name.right_offer.get())
    }

    /// The holder's answer, at `real_time` of the database.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` where it is answered, or its time is over.
    pub fn answered(mut self, deed: OfferDeed, answer: Answer, real_time: Instant) -> Result<Self, Error> {
        // Who comes too late finds what the sweeper will write.
        let stands = if self.is_over(real_time) { OfferState::DeemedWaived } else { self.state };
        self.state = stands.after(deed)?;
        let now = answer.time;
        self.answer = Some(answer);
        Ok(self.changed(now))
    }

    /// Nobody answers any more.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn ended(mut self, deed: OfferDeed, now: Instant) -> Result<Self, Error> {
        self.state = self.state.after(deed)?;
        Ok(self.changed(now))
    }

    fn is_over(&self, real_time: Instant) -> bool {
        self.state == OfferState::Open && self.respond_by <= real_time
    }

    fn changed(mut self, now: Instant) -> Self {
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        self
    }
}

/// A right that lies on what a proposed lease would take, and how far it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encumbered {
    /// The lease that gives it.
    pub lease: LeaseName,
    /// The holder.
    pub tenant: TenantName,
    /// The right.
    pub right: ExpansionRight,
    /// What came of asking; none where nobody has asked.
    pub offer: Option<(OfferState, Instant)>,
}

/// Refuses the signature of a lease while one of these rights is not cleared. What it tells, the other side of the lease reads
/// too: that there is a right, and where, and never whose.
///
/// # Errors
/// `RIGHT_NOT_CLEARED`.
pub fn check_cleared(rights: &[Encumbered]) -> Result<(), Error> {
    let open = rights.iter().find(|one| !one.offer.is_some_and(|(state, _)| state.is_cleared()));
    let Some(Encumbered { right, offer, .. }) = open else { return Ok(()) };
    let (problem, state) = match offer.map(|(state, _)| state) {
        Some(OfferState::Exercised) => {
            ("Another takes this capacity, as is their right: this lease cannot be signed.", "EXERCISED")
        }
        Some(OfferState::Open) => {
            ("Another has a right on this capacity and has yet to answer: sign when they have.", "OPEN")
        }
        Some(OfferState::Waived | OfferState::DeemedWaived | OfferState::Withdrawn) | None => {
            ("Another has a right on this capacity: the operator must offer it to them first.", "NOT_OFFERED")
        }
    };
    let refusal = Error::refused(Reason::RightNotCleared, problem)
        .with("kind", right.kind.name())
        .with("place", &right.place)
        .with("state", state);
    Err(match offer {
        Some((OfferState::Open, until)) => refusal.with("respondBy", until.to_rfc3339()),
        _ => refusal,
    })
}

/// What a holder is told of the terms of another's lease: what could be told of any tenant. Whoever stands behind the other
/// one, whatever is free text, and whatever the other one was given beside the premises stays out.
#[must_use]
pub fn without_parties(terms: &Terms) -> Terms {
    let Contract { term_basis, delivery, cure, termination, .. } = terms.contract.clone();
    Terms {
        announced: None,
        notes: String::new(),
        contract: Contract { term_basis, delivery, cure, termination, ..Contract::default() },
        ..terms.clone()
    }
}

/// Terms within a stored document, in the form in which they are signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told(#[serde(with = "record::within")] pub Box<Terms>);

#[cfg(test)]
#[path = "right_tests.rs"]
mod tests;
