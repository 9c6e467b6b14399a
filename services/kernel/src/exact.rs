//! Exact fractions, and the one place that rounds them.

use std::fmt;
use std::ops::{Add, Mul, Sub};

use num_bigint::{BigInt, Sign};
use num_rational::BigRational;

use crate::money::{Currency, Money, Percent, Rate};

/// `numerator / denominator` rounded to the nearest integer, halves away from zero (up, for what is not negative).
/// The denominator is positive.
pub(crate) fn divide_half_up(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let magnitude = BigInt::from(numerator.magnitude().clone());
    let rounded: BigInt = (magnitude * 2 + denominator) / (denominator * 2);
    if numerator.sign() == Sign::Minus { -rounded } else { rounded }
}

/// A fraction of whole numbers: what a line is computed in before it is rounded once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(BigRational);

impl Exact {
    /// Nothing.
    #[must_use]
    pub fn zero() -> Self {
        Self::from(0)
    }

    /// `numerator / denominator`; `None` if there is nothing to divide by.
    #[must_use]
    pub fn ratio(numerator: i64, denominator: i64) -> Option<Self> {
        (denominator != 0).then(|| Self(BigRational::new(numerator.into(), denominator.into())))
    }

    /// This divided by `other`; `None` if there is nothing to divide by.
    #[must_use]
    pub fn over(&self, other: &Self) -> Option<Self> {
        (*other != Self::zero()).then(|| Self(&self.0 / &other.0))
    }

    /// The sum of all.
    #[must_use]
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::zero(), |sum, one| &sum + one)
    }

    /// Rounded to the nearest whole number, halves away from zero; `None` beyond 64 bits.
    #[must_use]
    pub fn rounded(&self) -> Option<i64> {
        i64::try_from(divide_half_up(self.0.numer(), self.0.denom())).ok()
    }

    /// The whole number below, or the number itself if it is whole; `None` beyond 64 bits.
    #[must_use]
    pub fn floor(&self) -> Option<i64> {
        i64::try_from(self.0.floor().to_integer()).ok()
    }

    /// Rounded to the ten decimals of a rate, halves away from zero; `None` beyond its range.
    #[must_use]
    pub fn to_rate(&self) -> Option<Rate> {
        let scale = BigInt::from(10).pow(u32::from(Rate::DECIMALS));
        let scaled = divide_half_up(&(self.0.numer() * scale), self.0.denom());
        i128::try_from(scaled).ok().and_then(Rate::from_scaled)
    }

    /// As an amount of so many units of a currency, rounded to its minor unit once; `None` beyond 64 bits.
    #[must_use]
    pub fn to_money(&self, currency: Currency) -> Option<Money> {
        let minor = self * &Self::from(10_i64.pow(u32::from(currency.minor_digits())));
        Some(Money::new(minor.rounded()?, currency))
    }

    /// With so many decimals, rounded, without zeros at the end: for people to read.
    #[must_use]
    pub fn display(&self, decimals: u8) -> String {
        let scale = BigInt::from(10).pow(u32::from(decimals));
        let scaled = divide_half_up(&(self.0.numer() * &scale), self.0.denom());
        let digits = scaled.magnitude().to_string();
        let width = usize::from(decimals) + 1;
        let digits = format!("{digits:0>width$}");
        let (whole, part) = digits.split_at(digits.len() - usize::from(decimals));
        let sign = if scaled.sign() == Sign::Minus { "-" } else { "" };
        match part.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            part => format!("{sign}{whole}.{part}"),
        }
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display(10))
    }
}

impl From<i64> for Exact {
    fn from(whole: i64) -> Self {
        Self(BigRational::from_integer(whole.into()))
    }
}

/// So many units of its currency.
impl From<Money> for Exact {
    fn from(money: Money) -> Self {
        let unit = 10_i64.pow(u32::from(money.currency.minor_digits()));
        Self(BigRational::new(money.minor.into(), unit.into()))
    }
}

impl From<Rate> for Exact {
    fn from(rate: Rate) -> Self {
        let scale = BigInt::from(10).pow(u32::from(Rate::DECIMALS));
        Self(BigRational::new(rate.scaled().into(), scale))
    }
}

/// 3 % is 3/100.
impl From<Percent> for Exact {
    fn from(percent: Percent) -> Self {
        let scale = BigInt::from(10).pow(u32::from(Percent::DECIMALS) + 2);
        Self(BigRational::new(percent.scaled().into(), scale))
    }
}

macro_rules! operations {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for &Exact {
            type Output = Exact;

            fn $method(self, other: &Exact) -> Exact {
                Exact($trait::$method(&self.0, &other.0))
            }
        }
    )*};
}

operations! {
    Add add;
    Sub sub;
    Mul mul;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio(numerator: i64, denominator: i64) -> Exact {
        Exact::ratio(numerator, denominator).expect("not over nothing")
    }

    #[test]
    fn halves_go_away_from_zero_once() {
        for (numerator, denominator, rounded) in
            [(1, 2, 1), (-1, 2, -1), (49, 100, 0), (5, 10, 1), (3, 2, 2), (-3, 2, -2), (7, -2, -4)]
        {
            assert_eq!(ratio(numerator, denominator).rounded(), Some(rounded), "{numerator}/{denominator}");
        }
        assert_eq!(ratio(i64::MAX, 1).over(&ratio(1, 2)).and_then(|twice| twice.rounded()), None);
        assert_eq!(Exact::ratio(1, 0), None);
        assert_eq!(
            (ratio(7, 2).floor(), ratio(-7, 2).floor(), ratio(4, 2).floor()),
            (Some(3), Some(-4), Some(2))
        );
    }

    #[test]
    fn an_amount_is_taken_as_units_and_given_back() {
        let amount = Money::new(-123_456, Currency::USD);
        assert_eq!(Exact::from(amount).to_string(), "-1234.56");
        assert_eq!(Exact::from(amount).to_money(Currency::USD), Some(amount));
        assert_eq!(ratio(2, 3).to_rate().map(|rate| rate.to_string()).as_deref(), Some("0.6666666667"));
    }

    #[test]
    fn rates_and_percentages_are_taken_as_they_are() {
        let rate: Rate = "0.0033333333".parse().expect("a rate");
        let amount = &Exact::from(rate) * &Exact::from(1_500);
        assert_eq!(amount.to_money(Currency::USD), Some(Money::new(500, Currency::USD)));
        let percent: Percent = "6.25".parse().expect("a percentage");
        assert_eq!((&Exact::from(percent) * &Exact::from(16)).to_string(), "1");
        assert_eq!(ratio(-1, 3).display(4), "-0.3333");
        assert_eq!(ratio(2, 3).display(0), "1");
    }

    proptest! {
        #[test]
        fn a_split_sum_is_the_whole_before_it_is_rounded(whole in -1_000_000_i64..1_000_000, parts in 1_i64..50) {
            let part = ratio(whole, parts);
            let sum = (0..parts).fold(Exact::zero(), |sum, _| &sum + &part);
            prop_assert_eq!(sum.rounded(), Some(whole));
        }

        #[test]
        fn rounding_is_off_by_at_most_a_half(numerator in any::<i32>(), denominator in 1_i32..10_000) {
            let exact = ratio(numerator.into(), denominator.into());
            let rounded = exact.rounded().expect("small");
            let off = &Exact::from(rounded) - &exact;
            prop_assert!(off <= ratio(1, 2) && off >= ratio(-1, 2));
        }
    }
}
