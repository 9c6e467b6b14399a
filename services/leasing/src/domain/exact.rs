//! Exact fractions for sums of money that are worked out in many steps: rounded once, where they are told.

use kernel::{Currency, Money, Percent, Rate};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

/// A fraction of whole numbers of any size.
pub type Ratio = BigRational;

/// A whole number.
#[must_use]
pub fn whole(number: i64) -> Ratio {
    Ratio::from_integer(number.into())
}

/// A rate, exactly.
#[must_use]
pub fn of_rate(rate: Rate) -> Ratio {
    Ratio::new(rate.scaled().into(), ten_to(Rate::DECIMALS))
}

/// A percentage as a share: 95 % is 19/20.
#[must_use]
pub fn share(percent: Percent) -> Ratio {
    Ratio::new(percent.scaled().into(), ten_to(Percent::DECIMALS) * 100)
}

/// The nearest amount in minor units, halves away from nothing; `None` beyond what can be kept.
#[must_use]
pub fn money(value: &Ratio, currency: Currency) -> Option<Money> {
    let minor = (value * ten_to(currency.minor_digits())).round().to_integer();
    i64::try_from(minor).ok().map(|minor| Money::new(minor, currency))
}

/// The nearest rate of ten decimals, halves away from nothing; `None` beyond what can be kept.
#[must_use]
pub fn rate(value: &Ratio) -> Option<Rate> {
    let scaled = (value * ten_to(Rate::DECIMALS)).round().to_integer();
    i128::try_from(scaled).ok().and_then(Rate::from_scaled)
}

/// `base` to the power of `n`.
#[must_use]
pub fn power(base: &Ratio, n: u32) -> Ratio {
    Ratio::new(base.numer().pow(n), base.denom().pow(n))
}

/// The equal yearly part that pays back 1 over `years` at a yearly rate.
#[must_use]
pub fn annuity(interest: &Ratio, years: u32) -> Ratio {
    if interest.is_zero() {
        return Ratio::new(BigInt::one(), years.into());
    }
    let grown = power(&(Ratio::one() + interest), years);
    interest * &grown / (grown - Ratio::one())
}

/// Worth today of `flows`, the first of them in one period, at `interest` a period. Reduced once, not at every step.
#[must_use]
pub fn present_value<'a>(flows: impl IntoIterator<Item = &'a BigInt>, interest: &Ratio) -> Ratio {
    let growth = Ratio::one() + interest;
    let (mut sum, mut grown, mut whole) = (BigInt::zero(), BigInt::one(), BigInt::one());
    for flow in flows {
        whole *= growth.denom();
        grown *= growth.numer();
        sum = sum * growth.numer() + flow * &whole;
    }
    Ratio::new(sum, grown)
}

fn ten_to(decimals: u8) -> BigInt {
    BigInt::from(10).pow(decimals.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: i64, denominator: i64) -> Ratio {
        Ratio::new(numerator.into(), denominator.into())
    }

    #[test]
    fn halves_are_rounded_away_from_nothing() {
        for (numerator, minor) in [(1_005, 101), (-1_005, -101), (1_004, 100), (-1_004, -100)] {
            assert_eq!(
                money(&ratio(numerator, 1_000), Currency::USD),
                Some(Money::new(minor, Currency::USD))
            );
        }
        assert_eq!(money(&whole(i64::MAX), Currency::USD), None);
        assert_eq!(rate(&ratio(2, 3)).unwrap().to_string(), "0.6666666667");
    }

    #[test]
    fn an_annuity_pays_back_what_it_is_worth() {
        let interest = ratio(9, 100);
        let part = annuity(&interest, 15);
        assert_eq!(rate(&part).unwrap().to_string(), "0.1240588827");
        let parts = vec![BigInt::one(); 15];
        assert_eq!(present_value(&parts, &interest) * part, whole(1));
        assert_eq!(annuity(&Ratio::zero(), 4), ratio(1, 4));
    }
}
