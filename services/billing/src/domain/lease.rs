//! A lease as billing needs it: who owes whom, at which rates, for what, and how far each block is.

use std::collections::BTreeSet;

use chrono::Datelike as _;
use kernel::{
    BlockSlug, CivilDate, CreditSupport, Currency, DateRange, Escalator, IndexValues, LeaseId, LeaseName,
    Money, MoneyTerms, OperatorId, QuantityStep, Rate, RateStep, RentRules, SiteId, TenantId,
};
use serde::{Deserialize, Serialize};

use super::charge;
use super::words::names;

/// Where the lease stands, as leasing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Terms on paper.
    Draft,
    /// The intent is recorded.
    Proposing,
    /// Capacity is held.
    Proposed,
    /// Both have signed.
    Signing,
    /// Agreed, with a condition open.
    Signed,
    /// In force; nothing has commenced.
    Effective,
    /// At least one block has commenced.
    Active,
    /// Past its term, and the tenant is still there.
    Holdover,
    /// A default was not cured in time; rent goes on.
    Defaulted,
    /// All blocks have ended.
    Expired,
    /// Ended before its term.
    Terminated,
    /// Ended, and nothing is open any more.
    Closed,
    /// Called off before it was in force.
    Cancelled,
    /// Its hold ended before both had signed, or a condition was open for too long.
    Lapsed,
}

names!(LeaseState {
    Draft => "DRAFT",
    Proposing => "PROPOSING",
    Proposed => "PROPOSED",
    Signing => "SIGNING",
    Signed => "SIGNED",
    Effective => "EFFECTIVE",
    Active => "ACTIVE",
    Holdover => "HOLDOVER",
    Defaulted => "DEFAULTED",
    Expired => "EXPIRED",
    Terminated => "TERMINATED",
    Closed => "CLOSED",
    Cancelled => "CANCELLED",
    Lapsed => "LAPSED",
});

impl LeaseState {
    /// In force now or once: the tenant has an account.
    pub const IN_FORCE: [Self; 7] = [
        Self::Effective,
        Self::Active,
        Self::Holdover,
        Self::Defaulted,
        Self::Expired,
        Self::Terminated,
        Self::Closed,
    ];
    /// In force and not over: what is paid ahead and held is asked for.
    pub const ASKS_AHEAD: [Self; 4] = [Self::Effective, Self::Active, Self::Holdover, Self::Defaulted];
    /// Never in force and never going to be: nothing is to come.
    pub const CALLED_OFF: [Self; 2] = [Self::Cancelled, Self::Lapsed];
}

/// Where a block of the lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockState {
    /// Not yet commenced: not billed.
    Planned,
    /// Rent runs.
    Commenced,
    /// Rent has stopped; what is not yet billed still is.
    Ended,
    /// It will never commence: nothing is to come.
    Lapsed,
}

names!(BlockState { Planned => "PLANNED", Commenced => "COMMENCED", Ended => "ENDED", Lapsed => "LAPSED" });

impl BlockState {
    /// Rent is due for it, up to its end.
    pub const BILLED: [Self; 2] = [Self::Commenced, Self::Ended];
}

/// A block below its operator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// The site.
    pub site: SiteId,
    /// The block of the site.
    pub block: BlockSlug,
}

/// The rate of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rent {
    /// A rate of year one that the lease's escalator raises.
    Base {
        /// Per kW and month.
        rate: Rate,
    },
    /// Stated rates; no escalator touches them.
    Stated {
        /// In rising order of date.
        steps: Vec<RateStep>,
    },
}

/// One block of the terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Premises {
    /// Which block.
    pub place: BlockRef,
    /// First day and first day after, in the site's zone.
    pub term: DateRange,
    /// Leased kW over time, in rising order of date.
    pub quantities: Vec<QuantityStep>,
    /// At what rate.
    pub rent: Rent,
}

/// Longer payment terms are a mistake.
pub const PAYMENT_TERMS_DAYS_MAX: u16 = 3_660;
/// The last year whose months are billed; the month after the last still has dates.
pub const YEAR_MAX: i32 = 9998;

/// What billing needs of the terms; kept per version as JSON and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingTerms {
    /// Of every rate and amount.
    pub currency: Currency,
    /// Days from issue until an invoice is due.
    pub payment_terms_days: u16,
    /// The yearly rise of base rates.
    pub escalator: Option<Escalator>,
    /// How rent is counted and billed, what is let off, which index it follows.
    #[serde(skip_serializing_if = "RentRules::is_plain", default)]
    pub rent: RentRules,
    /// What is paid ahead, held, taken at least, and what late payment costs.
    #[serde(skip_serializing_if = "MoneyTerms::is_plain", default)]
    pub money: MoneyTerms,
    /// Who else answers for what is owed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credit: Vec<CreditSupport>,
    /// The blocks, each once.
    pub premises: Vec<Premises>,
}

/// How far a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockProgress {
    /// Which block.
    pub place: BlockRef,
    /// Where it stands.
    pub state: BlockState,
    /// Its days, rates and loads, where they are not what the terms say.
    pub moved: Option<Moved>,
}

/// The days, rates and loads of a block that was handed over early or late, whose lease was amended, or ended before its
/// term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// First day and first day after.
    pub term: DateRange,
    /// First day of rent; a delay abates what lies before it.
    pub rent_from: CivilDate,
    /// As leasing has worked them out.
    pub rates: Vec<RateStep>,
    /// What is leased, in rising order of date from the first day on.
    pub quantities: Vec<QuantityStep>,
}

/// How a lease ends before its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// First day on which it is no longer in force.
    pub end: CivilDate,
    /// What the tenant owes for it.
    pub fee: Option<Money>,
    /// Whether what was paid ahead is owed back.
    pub refund: bool,
}

/// A lease as the last event told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseCopy {
    /// The operator, who bills.
    pub operator: OperatorId,
    /// The lease.
    pub lease: LeaseId,
    /// The tenant, who is billed.
    pub tenant: TenantId,
    /// Version of the terms, from 1.
    pub version: i64,
    /// Where it stands.
    pub state: LeaseState,
    /// The terms of this version.
    pub terms: BillingTerms,
    /// How far each block is.
    pub blocks: Vec<BlockProgress>,
    /// How it ends before its term, where it does.
    pub ending: Option<Ending>,
    /// First day whose charges are billed here, where what was before it was billed elsewhere.
    pub billed_from: Option<CivilDate>,
    /// What is known of the index that its rates follow; nothing where they follow none.
    pub index: IndexValues,
}

/// Why a lease cannot be billed; it is parked until a later event of it can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(pub String);

impl BillingTerms {
    /// The day the lease's first block commences: from it a lease-wide escalator counts.
    #[must_use]
    pub fn start(&self) -> Option<CivilDate> {
        self.premises.iter().map(|p| p.term.start()).min()
    }

    /// All that a wrong event could break later is tried now: the whole schedule is computed once. A lease without blocks has
    /// none to bill until one is named.
    pub fn check(&self) -> Result<(), Poison> {
        if self.payment_terms_days > PAYMENT_TERMS_DAYS_MAX {
            return Err(Poison(format!("payment terms of {} days", self.payment_terms_days)));
        }
        if let Some(field) = self.money.foreign(self.currency).first() {
            return Err(Poison(format!("{field} is not in {}", self.currency)));
        }
        let mut seen = BTreeSet::new();
        for premises in &self.premises {
            let place = &premises.place;
            if !seen.insert(place) {
                return Err(Poison(format!("block {}/{} is leased twice", place.site, place.block)));
            }
            if premises.term.last_day().year() > YEAR_MAX {
                return Err(Poison(format!("block {}/{} ends after {YEAR_MAX}", place.site, place.block)));
            }
        }
        let lines = charge::schedule(self)?;
        let total = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount.minor));
        total.map(|_| ()).ok_or_else(|| Poison("the rent of the term does not fit 64 bits".to_owned()))
    }
}

impl LeaseCopy {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> LeaseName {
        LeaseName::new(self.operator.clone(), self.lease.clone())
    }

    /// As [`BillingTerms::check`], and that each leased block has a state.
    pub fn check(&self) -> Result<(), Poison> {
        if self.version < 1 {
            return Err(Poison(format!("version {} is not a version", self.version)));
        }
        self.terms.check()?;
        let fee = self.ending.and_then(|ending| ending.fee);
        if fee.is_some_and(|fee| fee.currency != self.terms.currency || fee.minor < 0) {
            return Err(Poison("the fee for ending it is no amount of its currency".to_owned()));
        }
        for premises in &self.terms.premises {
            if self.block_state(&premises.place).is_none() {
                let place = &premises.place;
                return Err(Poison(format!("block {}/{} has no state", place.site, place.block)));
            }
        }
        Ok(())
    }

    /// The days, rates and loads of a block, where they are not what the terms say.
    #[must_use]
    pub fn moved(&self, place: &BlockRef) -> Option<&Moved> {
        self.blocks.iter().find(|b| b.place == *place).and_then(|b| b.moved.as_ref())
    }

    /// What is leased of one of its blocks, as it stands.
    #[must_use]
    pub fn quantities<'a>(&'a self, premises: &'a Premises) -> &'a [QuantityStep] {
        self.moved(&premises.place).map_or(&premises.quantities, |moved| &moved.quantities)
    }

    /// Whether what is charged for days from this one on is billed here.
    #[must_use]
    pub fn is_billed_here(&self, first_day: CivilDate) -> bool {
        self.billed_from.is_none_or(|from| first_day >= from)
    }

    /// Where a block stands; `None` for a block that is not of this lease.
    #[must_use]
    pub fn block_state(&self, place: &BlockRef) -> Option<BlockState> {
        self.blocks.iter().find(|b| b.place == *place).map(|b| b.state)
    }
}
