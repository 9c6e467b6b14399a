//! Power and cooling in whole kilowatts. Load at the servers, load at the meter and what the grid grants are different
//! types, because 300 MW of mine is not 300 MW of product.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! kilowatts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// No load at all.
            pub const ZERO: Self = Self(0);

            /// Takes a number of kilowatts that is not negative.
            pub const fn new(kw: i64) -> Option<Self> {
                if kw >= 0 { Some(Self(kw)) } else { None }
            }

            /// The number of kilowatts.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The sum, or `None` beyond the range of the type.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// The difference, or `None` if it would be negative.
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).and_then(Self::new)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = QuantityError;

            fn try_from(kw: i64) -> Result<Self, QuantityError> {
                Self::new(kw).ok_or(QuantityError)
            }
        }

        impl From<$name> for i64 {
            fn from(quantity: $name) -> Self {
                quantity.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} kW", self.0)
            }
        }
    )*};
}

/// A quantity was negative or too large to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number of kilowatts that is not negative")]
pub struct QuantityError;

kilowatts! {
    /// Heat that one kind of cooling carries away.
    CoolingKw;
    /// Power at the site's meter that a load needs: the critical IT load and all it takes to cool and feed it.
    GrossKw;
    /// Critical IT load: what servers, storage and network draw. The leased unit.
    ItKw;
    /// What the grid has granted (contracted) or feeds already (energised) at a site.
    UtilityKw;
}

/// How much gross power critical IT load needs, as a ratio of whole numbers: a rounded 1.43 refuses leases that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrossPerIt {
    gross: i64,
    it: i64,
}

impl GrossPerIt {
    /// 10 to 7 exactly: what is assumed where no figure is stated.
    pub const ASSUMED: Self = Self { gross: 10, it: 7 };

    /// So much gross power for so much IT load, which is positive and not more.
    pub const fn new(gross: i64, it: i64) -> Option<Self> {
        if it > 0 && gross >= it { Some(Self { gross, it }) } else { None }
    }

    /// The gross power that the load needs, rounded up; `None` beyond the range of the type.
    pub fn gross(self, load: ItKw) -> Option<GrossKw> {
        let product = i128::from(load.0) * i128::from(self.gross);
        let it = i128::from(self.it);
        i64::try_from(product / it + i128::from(product % it != 0)).ok().map(GrossKw)
    }

    /// The load that the gross power carries, rounded down.
    pub fn it(self, power: GrossKw) -> ItKw {
        let load = i128::from(power.0) * i128::from(self.it) / i128::from(self.gross);
        // Not more than the gross power, since the ratio is at least one.
        ItKw(i64::try_from(load).unwrap_or(power.0))
    }
}

impl ItKw {
    /// The gross power to assume for this load where no ratio is stated: 10/7 of it, rounded up.
    pub fn gross_assumed(self) -> Option<GrossKw> {
        GrossPerIt::ASSUMED.gross(self)
    }
}

impl GrossKw {
    /// The IT load that this gross power is assumed to carry where no ratio is stated: 7/10 of it, rounded down.
    pub fn it_assumed(self) -> ItKw {
        GrossPerIt::ASSUMED.it(self)
    }
}

impl UtilityKw {
    /// Whether the grid's grant covers this need.
    pub fn covers(self, need: GrossKw) -> bool {
        need.0 <= self.0
    }

    /// What the grant leaves beside this need, or `None` if it does not cover it.
    pub fn headroom(self, need: GrossKw) -> Option<GrossKw> {
        self.0.checked_sub(need.0).and_then(GrossKw::new)
    }
}

/// The dimensions in which capacity can be short, in the order in which a refusal names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Resource {
    /// Critical IT load.
    CriticalIt,
    /// Heat carried away by air.
    AirCooling,
    /// Heat carried away by liquid at the chip.
    LiquidCooling,
    /// Heat carried away by immersion.
    ImmersionCooling,
    /// Accelerators, such as GPUs: a count.
    Accelerators,
}

impl Resource {
    /// Every dimension, in order.
    pub const ALL: [Self; 5] =
        [Self::CriticalIt, Self::AirCooling, Self::LiquidCooling, Self::ImmersionCooling, Self::Accelerators];

    /// The name used in error metadata and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CriticalIt => "CRITICAL_IT",
            Self::AirCooling => "AIR_COOLING",
            Self::LiquidCooling => "LIQUID_COOLING",
            Self::ImmersionCooling => "IMMERSION_COOLING",
            Self::Accelerators => "ACCELERATORS",
        }
    }

    /// An amount of it with its unit: accelerators are counted, everything else is in kilowatts.
    pub fn amount(self, amount: i64) -> String {
        match self {
            Self::CriticalIt | Self::AirCooling | Self::LiquidCooling | Self::ImmersionCooling => {
                format!("{amount} kW")
            }
            Self::Accelerators => amount.to_string(),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Power and cooling together, in kilowatts, and the accelerators that come with them, a count. What is offered or
/// claimed is not negative in any lane; a difference may be, and then says by how much a lane is over-committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct CapacityVector {
    /// Critical IT load, kW.
    #[serde(rename = "critical_it_kw")]
    pub critical_it: i64,
    /// Heat carried by air, kW.
    #[serde(rename = "air_cooling_kw")]
    pub air: i64,
    /// Heat carried by liquid at the chip, kW.
    #[serde(rename = "liquid_cooling_kw")]
    pub liquid: i64,
    /// Heat carried by immersion, kW.
    #[serde(rename = "immersion_cooling_kw")]
    pub immersion: i64,
    /// Accelerators, such as GPUs: a count, so that a cluster is reserved as atomically as its power. The heat balance
    /// does not know of them: what they draw is part of the IT load.
    pub accelerators: i64,
}

impl CapacityVector {
    /// Nothing in any lane.
    pub const ZERO: Self = Self { critical_it: 0, air: 0, liquid: 0, immersion: 0, accelerators: 0 };

    /// Power and cooling that may be offered or claimed: no lane is negative. Without accelerators.
    pub fn new(critical_it: i64, air: i64, liquid: i64, immersion: i64) -> Option<Self> {
        let vector = Self { critical_it, air, liquid, immersion, accelerators: 0 };
        vector.is_non_negative().then_some(vector)
    }

    /// The same with so many accelerators, not a negative number.
    pub fn with_accelerators(self, accelerators: i64) -> Option<Self> {
        (accelerators >= 0).then_some(Self { accelerators, ..self })
    }

    /// A vector made lane by lane.
    pub fn of(mut lane: impl FnMut(Resource) -> i64) -> Self {
        Self {
            critical_it: lane(Resource::CriticalIt),
            air: lane(Resource::AirCooling),
            liquid: lane(Resource::LiquidCooling),
            immersion: lane(Resource::ImmersionCooling),
            accelerators: lane(Resource::Accelerators),
        }
    }

    /// The amount in one lane.
    pub const fn get(&self, resource: Resource) -> i64 {
        match resource {
            Resource::CriticalIt => self.critical_it,
            Resource::AirCooling => self.air,
            Resource::LiquidCooling => self.liquid,
            Resource::ImmersionCooling => self.immersion,
            Resource::Accelerators => self.accelerators,
        }
    }

    /// Lane by lane, or `None` if a lane leaves the range of the type.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            critical_it: self.critical_it.checked_add(other.critical_it)?,
            air: self.air.checked_add(other.air)?,
            liquid: self.liquid.checked_add(other.liquid)?,
            immersion: self.immersion.checked_add(other.immersion)?,
            accelerators: self.accelerators.checked_add(other.accelerators)?,
        })
    }

    /// Lane by lane, or `None` if a lane leaves the range of the type. Lanes may become negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Some(Self {
            critical_it: self.critical_it.checked_sub(other.critical_it)?,
            air: self.air.checked_sub(other.air)?,
            liquid: self.liquid.checked_sub(other.liquid)?,
            immersion: self.immersion.checked_sub(other.immersion)?,
            accelerators: self.accelerators.checked_sub(other.accelerators)?,
        })
    }

    /// The lesser of each lane.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            critical_it: self.critical_it.min(other.critical_it),
            air: self.air.min(other.air),
            liquid: self.liquid.min(other.liquid),
            immersion: self.immersion.min(other.immersion),
            accelerators: self.accelerators.min(other.accelerators),
        }
    }

    /// The greater of each lane.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            critical_it: self.critical_it.max(other.critical_it),
            air: self.air.max(other.air),
            liquid: self.liquid.max(other.liquid),
            immersion: self.immersion.max(other.immersion),
            accelerators: self.accelerators.max(other.accelerators),
        }
    }

    /// The amount in the lane that has most.
    pub fn greatest(&self) -> i64 {
        Resource::ALL.into_iter().map(|lane| self.get(lane)).max().unwrap_or(0)
    }

    /// Whether every lane is at most that of `available`.
    pub fn fits_in(&self, available: &Self) -> bool {
        self.critical_it <= available.critical_it
            && self.air <= available.air
            && self.liquid <= available.liquid
            && self.immersion <= available.immersion
            && self.accelerators <= available.accelerators
    }

    /// Whether every lane is zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Whether no lane is negative.
    pub fn is_non_negative(&self) -> bool {
        Self::ZERO.fits_in(self)
    }

    /// The cooling of all kinds together, or `None` beyond the range of the type.
    pub fn cooling(&self) -> Option<i64> {
        self.air.checked_add(self.liquid)?.checked_add(self.immersion)
    }

    /// Whether the cooling carries the IT load: every watt that servers draw becomes heat.
    pub fn carries_heat(&self) -> bool {
        self.cooling().is_some_and(|cooling| cooling >= self.critical_it)
    }
}
