//! A need that a tenant publishes for operators to bid on.

use kernel::{
    CapacityRequestName, CapacityVector, CivilDate, Currency, Error, Instant, OperatorId, Percent, Rate,
};
use serde::{Deserialize, Serialize};

use super::market_state::{RequestDeed, RequestState};
use super::terms::Structure;

/// Days ahead that a deadline may lie.
pub const DEADLINE_DAYS_MAX: i64 = 366;

/// Bids that one award may choose.
pub const CHOSEN_MAX: i32 = 20;

/// Which operators see a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Visibility {
    /// Every one.
    Market,
    /// Those that are named.
    Named,
}

impl Visibility {
    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Market => "MARKET",
            Self::Named => "NAMED",
        }
    }
}

/// How much may fail before the load does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Redundancy {
    /// No spare.
    N,
    /// One spare unit.
    NPlus1,
    /// Everything twice.
    TwoN,
}

/// What a request asks for; never changed after it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// What it is called.
    pub display_name: String,
    /// Power and cooling.
    pub capacity: CapacityVector,
    /// The densest rack, kW; 0 is not said.
    pub rack_density_kw: i64,
    /// The least redundancy; none is any.
    pub redundancy: Option<Redundancy>,
    /// Where it may stand; empty is anywhere.
    pub country_codes: Vec<String>,
    /// States or provinces.
    pub state_codes: Vec<String>,
    /// Grids.
    pub grid_isos: Vec<String>,
    /// First day of use.
    pub earliest_start: CivilDate,
    /// Last day by which it must be there.
    pub latest_start: CivilDate,
    /// Base term, in months.
    pub term_months: u32,
    /// The structure that is wished for.
    pub structure: Option<Structure>,
    /// Of every bid.
    pub currency: Currency,
    /// Bids are taken before.
    pub bid_deadline: Instant,
    /// Who sees it.
    pub visibility: Visibility,
    /// Those that are named.
    pub operators: Vec<OperatorId>,
    /// Whether the tenant sees bids as they come. Otherwise nobody but the bidder sees one before the deadline: a
    /// tenant that reads a price early can shop it around, and then no operator names its best one.
    pub reveal_at_once: bool,
    /// Price of a MWh, with which gross bids are made comparable.
    pub energy_price: Rate,
    /// Load over contracted load, with which gross bids are made comparable.
    pub load_factor: Percent,
    /// Remarks.
    pub note: String,
}

/// A request as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityRequest {
    /// Its name.
    pub name: CapacityRequestName,
    /// What it asks for. `operators` holds those that the reader may know of.
    pub need: Need,
    /// Where it stands.
    pub state: RequestState,
    /// Whether a bid would be taken at the time of reading, by the database's clock.
    pub accepts_bids: bool,
    /// What an award under way asks of holds, in seconds.
    pub award_hold_seconds: Option<i64>,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was published.
    pub create_time: Instant,
    /// When it was last changed.
    pub update_time: Instant,
}

impl CapacityRequest {
    /// A request just published.
    #[must_use]
    pub fn publish(name: CapacityRequestName, need: Need, now: Instant) -> Self {
        Self {
            name,
            need,
            state: RequestState::Open,
            accepts_bids: true,
            award_hold_seconds: None,
            cancel_reason: None,
            revision: 1,
            create_time: now,
            update_time: now,
        }
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

    /// The numbers of the bids that the award under way has chosen: no other round of this request has the same.
    ///
    /// # Errors
    /// `INTERNAL` after more changes than a request can have.
    pub fn round(&self) -> Result<std::ops::Range<i32>, Error> {
        let first = i32::try_from(self.revision).ok().and_then(|revision| revision.checked_mul(CHOSEN_MAX));
        let first = first.ok_or_else(|| Error::internal("a request was changed too often"))?;
        Ok(first..first + CHOSEN_MAX)
    }

    /// The tenant chooses bids, whose holds are to last so long.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn choose(&mut self, hold_seconds: i64, now: Instant) -> Result<(), Error> {
        self.go(RequestDeed::Choose, now)?;
        self.award_hold_seconds = Some(hold_seconds);
        Ok(())
    }

    /// Every chosen bid is settled: all of them won, or some lapsed.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn settle(&mut self, all_won: bool, now: Instant) -> Result<(), Error> {
        self.go(if all_won { RequestDeed::SettleAll } else { RequestDeed::SettleSome }, now)?;
        self.award_hold_seconds = None;
        Ok(())
    }

    /// The tenant calls it off.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn cancel(&mut self, reason: &str, now: Instant) -> Result<(), Error> {
        self.go(RequestDeed::Cancel, now)?;
        self.cancel_reason = Some(reason.to_owned());
        Ok(())
    }

    fn go(&mut self, deed: RequestDeed, now: Instant) -> Result<(), Error> {
        self.state = self.state.after(deed)?;
        self.accepts_bids = self.accepts_bids && self.state == RequestState::Open;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        Ok(())
    }
}
