//! Exact fractions of big integers, rounded once.

use num_bigint::{BigInt, Sign};

/// `numerator / denominator` rounded to the nearest integer, halves away from zero (up, for what is not negative).
/// The denominator is positive.
pub(super) fn divide_half_up(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let magnitude = BigInt::from(numerator.magnitude().clone());
    let rounded: BigInt = (magnitude * 2 + denominator) / (denominator * 2);
    if numerator.sign() == Sign::Minus { -rounded } else { rounded }
}
