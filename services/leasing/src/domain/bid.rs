//! An operator's offer on a capacity request, and what it is worth as if it were triple net.

use kernel::rent::step_rate;
use kernel::{
    BidName, BlockName, CapacityRequestName, CapacityVector, CivilDate, Currency, Error, Instant, Percent,
    Rate, Reason, SiteName, Uuid,
};
use serde::{Deserialize, Serialize};

use super::capacity_request::Need;
use super::lease::Hold;
use super::market_state::{BidDeed, BidState};
use super::terms::{RenewalOption, Structure};

/// Days after the deadline that a bid may bind.
pub const VALIDITY_DAYS_MAX: i64 = 366;
/// Bids of one operator on one request that may stand at once.
pub const STANDING_MAX: i64 = 20;

/// A block that a bid offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BidPremises {
    /// The block.
    pub block: BlockName,
    /// What is offered of it.
    pub capacity: CapacityVector,
}

/// What is offered; never changed after it was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The request that it answers.
    pub request: CapacityRequestName,
    /// The site, where blocks are nominated later.
    pub site: Option<SiteName>,
    /// The blocks, where there is no site.
    pub premises: Vec<BidPremises>,
    /// Critical IT load, kW.
    pub critical_it_kw: i64,
    /// First day of the term, in the site's zone.
    pub commencement: CivilDate,
    /// Base term, in months.
    pub term_months: u32,
    /// Who bears the running costs.
    pub structure: Structure,
    /// Rent per kW and month in year one.
    pub rate: Rate,
    /// Yearly rise.
    pub escalator: Percent,
    /// Running costs inside the rate, but for power; zero with triple net.
    pub included_cost: Rate,
    /// Energy at the meter over energy of the load, where power is inside the rate.
    pub pue: Option<Rate>,
    /// Renewals.
    pub renewal_options: Vec<RenewalOption>,
    /// It binds until then, by the database's clock.
    pub valid_until: Instant,
    /// How long it holds its premises, in seconds; none holds nothing.
    pub hold_seconds: Option<i64>,
    /// Remarks.
    pub note: String,
}

/// What a bid is worth as if it were triple net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TripleNet {
    /// In year one. Bids are ranked by it.
    pub year_one: Rate,
    /// Over the base term: the rate rises, the costs inside it are taken as flat.
    pub average: Rate,
}

/// A bid as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Its name.
    pub name: BidName,
    /// Parent of every derived request id; never shown.
    pub uid: Uuid,
    /// What is offered.
    pub offer: Offer,
    /// Of the request.
    pub currency: Currency,
    /// Of the request.
    pub bid_deadline: Instant,
    /// Whether the tenant sees it before the deadline.
    pub reveal_at_once: bool,
    /// What it is worth.
    pub triple_net: TripleNet,
    /// Where it stands.
    pub state: BidState,
    /// What inventory holds for it.
    pub hold: Option<Hold>,
    /// Place among the chosen ones, in the round of awards that chose it.
    pub award_no: Option<i32>,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was submitted, by the database's clock.
    pub submit_time: Instant,
    /// When it was last changed.
    pub update_time: Instant,
}

impl Offer {
    /// Its year-one rate and its average rate as if triple net, by what the offer and the need state. Whoever compares
    /// a gross rent with a triple-net one compares two different things.
    ///
    /// # Errors
    /// `INVALID_FIELD` where the costs inside the rate are as high as the rate; `TERM_OUT_OF_RANGE`.
    pub fn triple_net(&self, need: &Need) -> Result<TripleNet, Error> {
        let inside = match self.structure {
            Structure::TripleNet => 0,
            Structure::ModifiedGross => self.included_cost.scaled(),
            Structure::Gross => {
                let power = self.pue.and_then(|pue| power_inside(need, pue)).ok_or_else(too_large)?;
                self.included_cost.scaled() + power
            }
        };
        let year_one = self.rate.scaled() - inside;
        if year_one <= 0 {
            let why = "must be more than the costs and the power inside it";
            return Err(Error::invalid_field("bid.rate_per_kw_month", why));
        }
        let average = self.average_rate()? - inside;
        Ok(TripleNet {
            year_one: Rate::from_scaled(year_one).ok_or_else(too_large)?,
            average: Rate::from_scaled(average).ok_or_else(too_large)?,
        })
    }

    /// Mean of the rates of every month of the term, scaled, rounded half up.
    fn average_rate(&self) -> Result<i128, Error> {
        let mut sum = 0_i128;
        let mut left = self.term_months;
        let mut year = 0;
        while left > 0 {
            let months = left.min(12);
            let rate = step_rate(self.rate, self.escalator, year).map_err(|_| too_large())?;
            sum = rate
                .scaled()
                .checked_mul(i128::from(months))
                .and_then(|part| sum.checked_add(part))
                .ok_or_else(too_large)?;
            left -= months;
            year += 1;
        }
        Ok(half_up(sum, i128::from(self.term_months)))
    }
}

/// Power inside a gross rate, per kW and month, scaled: an average month has 730.5 hours.
fn power_inside(need: &Need, pue: Rate) -> Option<i128> {
    // Scales: price and PUE by 10^10 each, the factor by 10^8 (percent of 10^6), tenths of hours, kW in a MW.
    let product = need
        .energy_price
        .scaled()
        .checked_mul(i128::from(need.load_factor.scaled()))?
        .checked_mul(pue.scaled())?
        .checked_mul(7_305)?;
    Some(half_up(product, 10_i128.pow(10 + 8 + 1 + 3)))
}

/// A quotient of numbers that are not negative, rounded half up.
fn half_up(number: i128, by: i128) -> i128 {
    (number + by / 2) / by
}

fn too_large() -> Error {
    Error::refused(Reason::TermOutOfRange, "The rates of this bid are too large to be compared.")
}

impl Bid {
    /// A bid in SUBMITTING on a request that was read.
    ///
    /// # Errors
    /// As [`Offer::triple_net`].
    pub fn begin(name: BidName, uid: Uuid, offer: Offer, need: &Need, now: Instant) -> Result<Self, Error> {
        Ok(Self {
            name,
            uid,
            triple_net: offer.triple_net(need)?,
            offer,
            currency: need.currency,
            bid_deadline: need.bid_deadline,
            reveal_at_once: need.reveal_at_once,
            state: BidState::Submitting,
            hold: None,
            award_no: None,
            revision: 1,
            submit_time: now,
            update_time: now,
        })
    }

    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }

    /// Refuses a stale etag; an empty one asks for no check.
    ///
    /// # Errors
    /// `ETAG_MISMATCH`.
    pub fn check_etag(&self, etag: &str) -> Result<(), Error> {
        if etag.is_empty() || etag == self.etag() { Ok(()) } else { Err(Error::etag_mismatch()) }
    }

    /// Moves it on.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn go(&mut self, deed: BidDeed, now: Instant) -> Result<(), Error> {
        self.state = self.state.after(deed)?;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        Ok(())
    }

    /// Whether its tenant may know of it at `time`, by the database's clock.
    #[must_use]
    pub fn is_revealed_at(&self, time: Instant) -> bool {
        let never = matches!(self.state, BidState::Submitting | BidState::Returned | BidState::Withdrawn);
        !never && (self.reveal_at_once || self.bid_deadline <= time)
    }
}

#[cfg(test)]
#[path = "bid_tests.rs"]
mod tests;
