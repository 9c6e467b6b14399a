//! Blocks (data halls): the smallest unit that is delivered and leased.

use kernel::{BlockId, BlockName, Currency, Error, Instant, Rate};
use serde::{Deserialize, Serialize};

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
        /// Everything twice, and one spare unit.
        TwoNPlus1 = "TWO_N_PLUS_1",
        /// Spread over units of which one may fail.
        Distributed = "DISTRIBUTED",
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

/// The machines of a block that is let as a GPU cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accelerator {
    /// The model.
    pub model: String,
    /// Critical IT load of one.
    pub watts: i64,
}

/// What else is known of a block. Kept as it is here, each fact under its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockFacts {
    /// Temperature of what cools it, tenths of a degree Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply_temperature_decicelsius: Option<i32>,
    /// The generation of machines it is designed for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub design_generation: String,
    /// Where the operator's cooling ends.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cooling_demarcation: String,
    /// The machines, where they are let with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<Accelerator>,
}

/// Facts to change; those that are absent stay, `Some(None)` clears one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BlockFactsPatch {
    /// Temperature of what cools it.
    pub supply_temperature_decicelsius: Option<Option<i32>>,
    /// The generation of machines it is designed for.
    pub design_generation: Option<String>,
    /// Where the operator's cooling ends.
    pub cooling_demarcation: Option<String>,
    /// The machines.
    pub accelerator: Option<Option<Accelerator>>,
}

impl BlockFactsPatch {
    /// The facts after the change.
    #[must_use]
    pub fn apply(self, facts: BlockFacts) -> BlockFacts {
        BlockFacts {
            supply_temperature_decicelsius: self
                .supply_temperature_decicelsius
                .unwrap_or(facts.supply_temperature_decicelsius),
            design_generation: self.design_generation.unwrap_or(facts.design_generation),
            cooling_demarcation: self.cooling_demarcation.unwrap_or(facts.cooling_demarcation),
            accelerator: self.accelerator.unwrap_or(facts.accelerator),
        }
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
    /// What else is known of it.
    pub more: BlockFacts,
}

impl BlockDraft {
    /// What must hold between its fields.
    ///
    /// # Errors
    /// `INVALID_FIELD`.
    pub fn check(&self) -> Result<(), Error> {
        if self.more.accelerator.is_some() && self.lease_type != LeaseType::GpuCloud {
            return Err(Error::invalid_field(
                "block.accelerator",
                "is of blocks of lease type GPU cloud only",
            ));
        }
        Ok(())
    }
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
