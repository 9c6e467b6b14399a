//! What the parties agree on.

use super::contract::Contract;
use super::expansion::ExpansionOption;
use super::nomination::Nomination;
use super::renewal_rent::MarketRent;
use kernel::{BlockName, CapacityVector, CivilDate, Currency, Escalator, Rate, RateStep, SiteName, Zone};
use serde::{Deserialize, Serialize};

/// Who bears the running costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Structure {
    /// The tenant bears power, tax, insurance and maintenance.
    TripleNet,
    /// Some running cost is inside the rent.
    ModifiedGross,
    /// The landlord bears power and operations.
    Gross,
}

impl Structure {
    /// The name in the signed record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TripleNet => "NNN",
            Self::ModifiedGross => "MODIFIED_GROSS",
            Self::Gross => "GROSS",
        }
    }
}

/// The capacity taken from a date on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileStep {
    /// First day.
    pub from: CivilDate,
    /// What is taken.
    pub capacity: CapacityVector,
}

/// What a kW of critical IT load costs a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateTerms {
    /// From the commencement; the lease's escalator, if any, raises it.
    Base(Rate),
    /// Every step stated; the escalator only continues it beyond the base term.
    Stated(Vec<RateStep>),
}

/// One block of the premises, as agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PremisesTerms {
    /// The block.
    pub block: BlockName,
    /// The zone of the block's site, in which every date is read. Fixed when proposed.
    pub zone: Zone,
    /// The ramp; the first step begins on the commencement date.
    pub profile: Vec<ProfileStep>,
    /// First day of the term.
    pub commencement: CivilDate,
    /// First day after the term.
    pub end: CivilDate,
    /// The rent.
    pub rate: RateTerms,
}

/// A right to go on; never part of the base term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalOption {
    /// How many times in a row.
    pub count: u32,
    /// Length of each, in months.
    pub term_months: u32,
    /// Notice before the expiry, in months.
    pub notice_months: u32,
    /// For how many months before that day notice may be given; 0 is from the commencement on.
    pub window_months: u32,
    /// The rate of the first year of each, in order; there may be fewer of them than renewals.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rates: Vec<Rate>,
    /// What is agreed of the rent of those without a rate; none is that the rates before go on as they rise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub market: Option<MarketRent>,
}

/// Everything both sides sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The only currency of the lease.
    pub currency: Currency,
    /// Who bears the running costs.
    pub structure: Structure,
    /// The blocks, in the order given.
    pub premises: Vec<PremisesTerms>,
    /// The yearly step of the rent; none is flat.
    pub escalator: Option<Escalator>,
    /// How many days before the period an invoice is issued.
    pub invoice_lead_days: u32,
    /// How many days after issue an invoice is due.
    pub payment_terms_days: u32,
    /// The base term of each block at most, in months.
    pub term_months: u32,
    /// Renewals, apart from the base term.
    pub renewal_options: Vec<RenewalOption>,
    /// Options on more blocks, apart from the base term.
    pub expansion_options: Vec<ExpansionOption>,
    /// Capacity whose blocks are named later, apart from what the blocks come to.
    pub nominations: Vec<Nomination>,
    /// When the deal was made public.
    pub announced: Option<CivilDate>,
    /// Free text, signed with the rest.
    pub notes: String,
    /// For the time after the signatures.
    pub contract: Contract,
}

impl Terms {
    /// The blocks of the lease, then those of its options.
    pub fn all_premises(&self) -> impl Iterator<Item = &PremisesTerms> {
        self.premises.iter().chain(self.expansion_options.iter().flat_map(|option| &option.premises))
    }

    /// The site of every block, and of whatever is to be named later.
    pub fn sites(&self) -> impl Iterator<Item = SiteName> {
        let blocks = self.all_premises().map(|premises| premises.block.site_name());
        blocks.chain(self.nominations.iter().map(|one| one.site.clone()))
    }

    /// What is agreed of a block, whether it is the lease's or an option's.
    #[must_use]
    pub fn of_block(&self, block: &BlockName) -> Option<&PremisesTerms> {
        self.all_premises().find(|agreed| agreed.block == *block)
    }

    /// Sets the zone of every block and of every nomination, by its site; those that `zone` does not know stay as they are.
    pub fn set_zones(&mut self, zone: impl Fn(&SiteName) -> Option<Zone>) {
        let options = self.expansion_options.iter_mut().flat_map(|option| &mut option.premises);
        for premises in self.premises.iter_mut().chain(options) {
            premises.zone = zone(&premises.block.site_name()).unwrap_or(premises.zone);
        }
        for nomination in &mut self.nominations {
            nomination.zone = zone(&nomination.site).unwrap_or(nomination.zone);
        }
    }

    /// The zone in which days of the whole lease are read: that of its first block, or of what is to be named first.
    #[must_use]
    pub fn zone(&self) -> Zone {
        let block = self.all_premises().next().map(|premises| premises.zone);
        block.or(self.nominations.first().map(|one| one.zone)).unwrap_or(Zone::UTC)
    }

    /// The earliest commencement: the day the lease begins.
    #[must_use]
    pub fn lease_start(&self) -> Option<CivilDate> {
        self.premises.iter().map(|premises| premises.commencement).min()
    }
}
