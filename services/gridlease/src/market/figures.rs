//! Decimal text to whole units: the sources write megawatts, degrees and dollars with a point.

use anyhow::{Context as _, ensure};

/// `text` times ten to the `places`, exactly; more decimals than that are refused.
fn scaled(text: &str, places: usize) -> anyhow::Result<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    ensure!(!whole.is_empty() && fraction.len() <= places, "`{text}`: not a number of {places} decimals");
    let joined = format!("{whole}{fraction:0<places$}");
    ensure!(joined.bytes().all(|byte| byte.is_ascii_digit()), "`{text}`: not a number");
    let value: i64 = joined.parse().with_context(|| format!("`{text}`: too large"))?;
    Ok(sign * value)
}

/// Megawatts to kilowatts.
///
/// # Errors
/// Text that is no number of whole kilowatts.
pub fn kilowatts(megawatts: &str) -> anyhow::Result<i64> {
    scaled(megawatts, 3)
}

/// Degrees to ten millionths of a degree.
///
/// # Errors
/// Text that is no number of at most seven decimals.
pub fn e7(degrees: &str) -> anyhow::Result<i32> {
    i32::try_from(scaled(degrees, 7)?).context("a coordinate beyond the globe")
}

/// Dollars to cents.
///
/// # Errors
/// Text that is no number of at most two decimals.
pub fn to_cents(dollars: &str) -> anyhow::Result<i64> {
    scaled(dollars, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_moved_exactly() {
        assert_eq!(kilowatts("72.5").expect("a figure"), 72_500);
        assert_eq!(kilowatts("0").expect("a figure"), 0);
        assert_eq!(e7("-97.001").expect("a figure"), -970_010_000);
        assert_eq!(to_cents("1031749138.08").expect("a figure"), 103_174_913_808);
        for bad in ["", ".5", "1.2345", "1,000", "--1", "1e3"] {
            assert!(kilowatts(bad).is_err(), "`{bad}` passed");
        }
    }
}
