//! Rates per unit and percentages.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::decimal::{DecimalError, format_scaled, parse_scaled};
use crate::id::serde_as_text;

/// Money per unit, to ten decimals, below 10^14: the store's `numeric(24,10)`. The unit and the currency stand beside
/// it, in the name of the field that holds it. `1.0` and `1.00` are the same rate and are written `1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i128);

impl Rate {
    /// Decimals kept.
    pub const DECIMALS: u8 = 10;
    /// The first magnitude, scaled, that is too large.
    const LIMIT: i128 = 10_i128.pow(24);
    /// Free of charge.
    pub const ZERO: Self = Self(0);

    /// The rate of so many ten-thousand-millionths; `None` beyond the range.
    pub const fn from_scaled(scaled: i128) -> Option<Self> {
        if scaled > -Self::LIMIT && scaled < Self::LIMIT { Some(Self(scaled)) } else { None }
    }

    /// The rate times 10^10.
    pub const fn scaled(self) -> i128 {
        self.0
    }

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// With so many decimals, rounded half up, for people to read: `128.02`.
    pub fn rounded(self, decimals: u8) -> String {
        let decimals = decimals.min(Self::DECIMALS);
        let unit = 10_u128.pow(u32::from(Self::DECIMALS - decimals));
        let rounded = (self.0.unsigned_abs() + unit / 2) / unit;
        let one = 10_u128.pow(u32::from(decimals));
        let sign = if self.0 < 0 && rounded > 0 { "-" } else { "" };
        let (whole, part) = (rounded / one, rounded % one);
        let width = usize::from(decimals);
        if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:0width$}") }
    }
}

impl FromStr for Rate {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        Self::from_scaled(parse_scaled(text, Self::DECIMALS)?).ok_or(DecimalError::OutOfRange)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_scaled(self.0, Self::DECIMALS))
    }
}

serde_as_text!(Rate);

/// For the store's `numeric`: exact, with the ten decimals spelled out.
impl From<Rate> for Decimal {
    fn from(rate: Rate) -> Self {
        // 24 digits always fit the 28 of the type.
        Decimal::from_i128_with_scale(rate.0, u32::from(Rate::DECIMALS))
    }
}

impl TryFrom<Decimal> for Rate {
    type Error = DecimalError;

    fn try_from(decimal: Decimal) -> Result<Self, DecimalError> {
        let decimal = decimal.normalize();
        let shift = u32::from(Self::DECIMALS).checked_sub(decimal.scale()).ok_or(DecimalError::TooFine)?;
        let scaled = decimal.mantissa().checked_mul(10_i128.pow(shift)).ok_or(DecimalError::OutOfRange)?;
        Self::from_scaled(scaled).ok_or(DecimalError::OutOfRange)
    }
}

/// A percentage to six decimals, from above -100 to 1000: `3` is 3 %. `3.0` and `3` are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent(i64);

impl Percent {
    /// Decimals kept.
    pub const DECIMALS: u8 = 6;
    const ONE_HUNDRED: i64 = 100_000_000;
    /// No change.
    pub const ZERO: Self = Self(0);

    /// The percentage of so many millionths of a percent; `None` beyond the range.
    pub const fn from_scaled(scaled: i64) -> Option<Self> {
        if scaled > -Self::ONE_HUNDRED && scaled <= 10 * Self::ONE_HUNDRED {
            Some(Self(scaled))
        } else {
            None
        }
    }

    /// The percentage times 10^6.
    pub const fn scaled(self) -> i64 {
        self.0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Growth by this percentage as an exact fraction: 3 % is 103,000,000 / 100,000,000.
    pub(crate) const fn growth(self) -> (i64, i64) {
        (Self::ONE_HUNDRED + self.0, Self::ONE_HUNDRED)
    }
}

impl FromStr for Percent {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let scaled = parse_scaled(text, Self::DECIMALS)?;
        i64::try_from(scaled).ok().and_then(Self::from_scaled).ok_or(DecimalError::OutOfRange)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_scaled(i128::from(self.0), Self::DECIMALS))
    }
}

serde_as_text!(Percent);

/// For the store's `numeric`: exact, with the six decimals spelled out.
impl From<Percent> for Decimal {
    fn from(percent: Percent) -> Self {
        Decimal::new(percent.0, u32::from(Percent::DECIMALS))
    }
}

impl TryFrom<Decimal> for Percent {
    type Error = DecimalError;

    fn try_from(decimal: Decimal) -> Result<Self, DecimalError> {
        let rate = Rate::try_from(decimal)?;
        let finer = 10_i128.pow(u32::from(Rate::DECIMALS - Self::DECIMALS));
        if rate.scaled() % finer != 0 {
            return Err(DecimalError::TooFine);
        }
        i64::try_from(rate.scaled() / finer).ok().and_then(Self::from_scaled).ok_or(DecimalError::OutOfRange)
    }
}
