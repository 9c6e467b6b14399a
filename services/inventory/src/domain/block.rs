//! Blocks (data halls): the smallest unit that is delivered and leased.

use kernel::{BlockId, BlockName, Currency, Instant, Rate};
use serde::Serialize;

use super::site::words;

words! {
    /// A way heat leaves a block.
    Cooling {
        /// Air.
        Air = "AIR",
        /// Liquid at the chip.
        Liquid = "LIQUID",
        /// Immersion.
        Immersion = "IMMERSION",
    }
}

words! {
    /// How much may fail before the load is hurt.
    Redundancy {
        /// Not said.
        Unspecified = "UNSPECIFIED",
        /// No spare.
        N = "N",
        /// One spare unit.
        NPlus1 = "N_PLUS_1",
        /// Everything twice.
        TwoN = "TWO_N",
    }
}

words! {
    /// What a tenant gets with the block.
    LeaseType {
        /// Not said.
        Unspecified = "UNSPECIFIED",
        /// Building and power.
        PoweredShell = "POWERED_SHELL",
        /// Fitted out.
        Turnkey = "TURNKEY",
        /// Machines included.
        GpuCloud = "GPU_CLOUD",
    }
}

/// What a caller says of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockDraft {
    /// Its name.
    pub name: BlockName,
    /// What people call it.
    pub display_name: String,
    /// Ways of cooling it offers.
    pub cooling: Vec<Cooling>,
    /// How much may fail.
    pub redundancy: Redundancy,
    /// Most IT load in one rack, kW.
    pub max_kw_per_rack: Option<i64>,
    /// What a tenant gets.
    pub lease_type: LeaseType,
    /// Indicative rent per kW of critical IT load and month, for search.
    #[serde(serialize_with = "rate_text")]
    pub rate: Option<(Rate, Currency)>,
}

fn rate_text<S: serde::Serializer>(
    rate: &Option<(Rate, Currency)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match rate {
        Some((rate, currency)) => serializer.collect_str(&format_args!("{rate} {}", currency.code())),
        None => serializer.serialize_none(),
    }
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What claims refer to.
    pub id: BlockId,
    /// What was said of it.
    pub facts: BlockDraft,
    /// Raised by every change of what is said of it; not by bookings.
    pub revision: i64,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// When it was archived; none while it is not.
    pub archived_at: Option<Instant>,
}
